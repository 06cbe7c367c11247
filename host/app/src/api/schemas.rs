//! The shapes of what other crates serialize, for the description of the API alone: tests hold them against what is answered.
#![allow(dead_code, reason = "only their form is used")]

use jiff::Timestamp;
use serde::Serialize;
use std::collections::BTreeMap;
use utoipa::ToSchema;

/// A span of time.
#[derive(Serialize, ToSchema)]
pub(super) struct Interval {
    /// Included.
    start: Timestamp,
    /// Excluded.
    end: Timestamp,
}

/// How long something took.
#[derive(Serialize, ToSchema)]
pub(super) struct Took {
    /// Whole seconds.
    secs: u64,
    /// Nanoseconds beyond them.
    nanos: u32,
}

/// The state of a run.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub(super) enum RunState {
    Queued,
    Running,
    Committing,
    Succeeded,
    Failed,
    Cancelled,
    Crashed,
}

/// The state of a stage.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub(super) enum StageState {
    Pending,
    Running,
    Retrying,
    Succeeded,
    Failed,
    Skipped,
    UpstreamFailed,
    Cancelled,
}

/// What caused a run.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Trigger {
    Schedule,
    Manual,
    Dependency,
    Backfill,
    Rerun,
    Replay,
}

/// How loud a line of a log is.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Level {
    Debug,
    Info,
    Warn,
    Error,
}

/// The kind of a stage.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Kind {
    Extract,
    Transform,
    Validate,
    Load,
}

/// Why a stage or a run failed.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub(super) struct Fault {
    /// What sort of failure, e.g. `trap`.
    kind: String,
    /// The stage; empty: the run.
    stage: String,
    /// The function of the contract, e.g. `process`.
    call: String,
    /// The batch of the stage's input, counted from 0.
    batch: Option<u64>,
    /// First row at fault and one past the last, counted from 0.
    rows: Option<Vec<u64>>,
    /// For people.
    message: String,
    /// What to do instead.
    help: Option<String>,
    /// That of the guest.
    backtrace: Option<String>,
}

/// A run in one line.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub(super) struct RunSummary {
    /// The run.
    id: String,
    /// The pipeline's name.
    pipeline: String,
    trigger: Trigger,
    interval: Interval,
    state: RunState,
    /// When the trigger made it.
    queued_at: Timestamp,
    /// When the stages began.
    #[schema(required)]
    started_at: Option<Timestamp>,
    /// When it ended.
    #[schema(required)]
    ended_at: Option<Timestamp>,
    /// From the start of the stages to the end.
    #[schema(required)]
    duration: Option<Took>,
    /// Rows that extracts made.
    rows_read: u64,
    /// Rows that loads show.
    rows_loaded: u64,
    /// Rows that rules rejected, and records that could not be made rows.
    rows_rejected: u64,
    /// Rows that stages failed on.
    rows_quarantined: u64,
    fault: Option<Fault>,
}

/// A run of the queue.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub(super) struct QueuedRun {
    /// The run.
    run: String,
    /// The pipeline's name.
    pipeline: String,
    trigger: Trigger,
    /// The time of the schedule.
    nominal: Option<Timestamp>,
    interval: Interval,
    /// When the trigger made it.
    queued_at: Timestamp,
    /// When it may start.
    ready_at: Timestamp,
    /// Higher ones start first.
    priority: i32,
    /// The pool that it takes a place of.
    pool: Option<String>,
    /// The run that it repeats.
    repeats: Option<String>,
    /// What else was asked for.
    #[schema(value_type = Object, required = false)]
    options: serde_json::Value,
    /// `waiting`, `started`, `ended`, `refused` or `dropped`.
    state: String,
    /// Why it was made, or why it is in that state.
    reason: Option<String>,
    /// Only of one that waits: its place among all that do, counted from 1.
    place: Option<u64>,
    /// Only of one that waits: why it has not begun.
    why: Option<String>,
}

/// How a run went.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub(super) struct Run {
    /// The run.
    id: String,
    /// The pipeline's name.
    pipeline: String,
    trigger: Trigger,
    interval: Interval,
    state: RunState,
    /// When the trigger made it.
    queued_at: Timestamp,
    /// When the stages began.
    #[schema(required)]
    started_at: Option<Timestamp>,
    /// When every load had prepared.
    committing_at: Option<Timestamp>,
    /// When it ended.
    #[schema(required)]
    ended_at: Option<Timestamp>,
    /// In the order of the file.
    stages: Vec<Stage>,
    fault: Option<Fault>,
    /// What is not as the author expects it.
    findings: Vec<MonitorFinding>,
    /// The columns that each load was given.
    schemas: Option<BTreeMap<String, Vec<Column>>>,
    /// Of each load.
    receipts: BTreeMap<String, Vec<String>>,
    /// Where each extract is to resume.
    bookmarks: BTreeMap<String, String>,
    /// Where each extract resumed.
    resumed_from: BTreeMap<String, String>,
    /// The run that it repeats.
    repeats: Option<String>,
    /// When somebody decided to leave it as it is.
    abandoned_at: Option<Timestamp>,
    /// What the ids of its loads begin with.
    load_key: String,
    /// The pipeline file.
    file: String,
    totals: Totals,
    /// How it compares with the runs before it.
    #[schema(required)]
    comparison: Option<Comparison>,
    logged: Logged,
    /// Only of a run that has not begun.
    queue: Option<QueuedRun>,
}

/// A stage of a run.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub(super) struct Stage {
    name: String,
    kind: Kind,
    plugin: String,
    version: String,
    /// Of the component.
    digest: String,
    /// The stages that feed it.
    inputs: Vec<String>,
    state: StageState,
    /// The highest attempt so far; 0 before the first.
    attempt: u32,
    outcome: Outcome,
    fault: Option<Fault>,
    /// The run whose kept output took the place of the stage's own.
    restored_from: Option<String>,
    /// A load: whether it is committed.
    committed: bool,
}

/// What a stage did.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub(super) struct Outcome {
    rows_in: u64,
    rows_out: u64,
    rows_rejected: u64,
    rows_quarantined: u64,
    bytes_in: u64,
    bytes_out: u64,
    batches_in: u64,
    batches_out: u64,
    calls: u64,
    call_time: Took,
    elapsed: Took,
    memory_peak_bytes: u64,
    attempts: u32,
    retries: u64,
    checkpoint_bytes: u64,
    /// Counters that the guest added to.
    counts: BTreeMap<String, u64>,
    /// The rules of a validate.
    rules: Vec<RuleResult>,
}

/// How a rule did.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub(super) struct RuleResult {
    name: String,
    summary: String,
    /// `warn`, `reject` or `fail`.
    severity: String,
    /// `{"rows": 5}` or `{"per-cent": 0.5}`.
    #[schema(value_type = Option<Object>, required)]
    at_most: Option<serde_json::Value>,
    rows_broken: u64,
    holds: bool,
    observed: Option<String>,
}

/// Something that is not as the author expects it.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub(super) struct MonitorFinding {
    /// `rows`, `change`, `fresh` or `schema`.
    monitor: String,
    /// `warn` or `fail`.
    severity: String,
    stage: Option<String>,
    message: String,
}

/// A column of what a load was given.
#[derive(Serialize, ToSchema)]
pub(super) struct Column {
    name: String,
    /// E.g. `Int64`.
    r#type: String,
}

/// The sums of a run.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub(super) struct Totals {
    rows_read: u64,
    rows_loaded: u64,
    rows_rejected: u64,
}

/// The runs before it.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub(super) struct Comparison {
    runs: u64,
    rows_loaded_median: u64,
    rows_rejected_median: u64,
    seconds_median: f64,
}

/// What the stages warned of.
#[derive(Serialize, ToSchema)]
pub(super) struct Logged {
    warnings: u64,
    errors: u64,
    /// The first of them.
    first: Vec<LoggedLine>,
}

/// A warning or an error.
#[derive(Serialize, ToSchema)]
pub(super) struct LoggedLine {
    stage: String,
    level: Level,
    message: String,
}

/// A line of a stage's log.
#[derive(Serialize, ToSchema)]
pub(super) struct LogEntry {
    /// When the line was kept.
    at: Timestamp,
    stage: String,
    level: Level,
    /// `log`, `stdout`, `stderr` or `host`.
    source: String,
    message: String,
}

/// An event of a run. What else it has depends on `event`.
#[derive(Serialize, ToSchema)]
pub(super) struct JournalEntry {
    /// Its place among the events of all runs.
    position: u64,
    /// The run.
    run: String,
    /// Its number within the run, counted from 0.
    sequence: u64,
    at: Timestamp,
    /// E.g. `stage-started`.
    event: String,
    #[serde(flatten)]
    rest: BTreeMap<String, serde_json::Value>,
}

/// What the house decided or noticed. What else it has depends on `event`; mostly there is a `reason`.
#[derive(Serialize, ToSchema)]
pub(super) struct HouseEntry {
    /// Grows with each event.
    id: u64,
    at: Timestamp,
    /// The pipeline that it is about.
    pipeline: Option<String>,
    /// E.g. `skipped`.
    event: String,
    #[serde(flatten)]
    rest: BTreeMap<String, serde_json::Value>,
}

/// Where an extract resumes.
#[derive(Serialize, ToSchema)]
pub(super) struct Bookmark {
    pipeline: String,
    stage: String,
    /// As the stage gave it.
    bookmark: String,
    /// Since when.
    at: Timestamp,
    /// The run that left it; null: it was set by hand.
    #[schema(required)]
    run: Option<String>,
}

/// What a stage of a run set aside.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub(super) struct SetAside {
    run: String,
    pipeline: String,
    stage: String,
    /// `rejected`, `poison` or `record`.
    kind: String,
    /// The reason of most of them.
    #[schema(required)]
    reason: Option<String>,
    rows: u64,
    /// When the last of them was set aside.
    at: Timestamp,
    /// `replayed` or `dropped`; null: nothing yet.
    #[schema(required)]
    dealt: Option<String>,
    /// The run that replayed them.
    #[schema(required)]
    dealt_by: Option<String>,
}

/// How many were set aside for one reason.
#[derive(Serialize, ToSchema)]
pub(super) struct ReasonCount {
    stage: String,
    /// `rejected`, `poison` or `record`.
    kind: String,
    reason: String,
    count: u64,
}

/// Rows or records that were set aside together.
#[derive(Serialize, ToSchema)]
pub(super) struct QuarantineEntry {
    stage: String,
    at: Timestamp,
    /// `rejected`, `poison` or `record`.
    kind: String,
    count: u64,
    /// One for each of `rows` or `records`.
    reasons: Vec<String>,
    /// The rows, by column.
    #[schema(value_type = Option<Vec<Object>>)]
    rows: Option<Vec<serde_json::Value>>,
    records: Option<Vec<BadRecord>>,
    fault: Option<Fault>,
    /// Why the rows cannot be read.
    unreadable: Option<String>,
}

/// A record that could not be made a row.
#[derive(Serialize, ToSchema)]
pub(super) struct BadRecord {
    /// Where it stood.
    origin: String,
    /// As it was found.
    content: String,
    reason: String,
}
