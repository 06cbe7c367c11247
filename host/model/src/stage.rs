//! How the runner calls a stage: the nouns and verbs of `wit/stage.wit`, on Arrow record batches. The sandbox implements
//! these traits on components; tests implement them by hand.
//!
//! An instance belongs to one thread at a time. After a call that ends with a fault whose kind is not one that the guest
//! itself can say ([`FaultKind::InvalidConfig`] .. [`FaultKind::Internal`]), the instance is dead: throw it away.
//!
//! [`FaultKind::InvalidConfig`]: crate::fault::FaultKind::InvalidConfig
//! [`FaultKind::Internal`]: crate::fault::FaultKind::Internal

use crate::cancel::Cancel;
use crate::fault::Fault;
use crate::plugin::{Description, Digest};
use arrow_array::{BooleanArray, RecordBatch};
use arrow_schema::SchemaRef;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::time::Duration;

/// Why and for when this run runs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct RunContext {
    /// The run's id, a UUIDv7 as text.
    pub run_id: String,
    /// What randomness of stages without `grants.random` comes from; not told to the guest. It is the same for every run
    /// that is to replace the same rows, and another for one that adds to them.
    pub randomness: String,
    /// The pipeline's name.
    pub pipeline: String,
    /// The stage's name.
    pub stage: String,
    /// Counted from 1.
    pub attempt: u32,
    /// Start of the data interval, included.
    pub interval_start: Timestamp,
    /// End of the data interval, excluded. The clock of stages without `grants.clock` stands here.
    pub interval_end: Timestamp,
}

/// One stage of a pipeline, bound to its plugin, options, grants and limits: makes instances.
pub trait Stage: Send + Sync {
    /// What the plugin says of itself.
    fn description(&self) -> &Description;
    /// Which component it is.
    fn digest(&self) -> &Digest;
    /// A fresh instance of an extract. Fault `contract` if the plugin is of another kind.
    fn extractor(&self, context: &RunContext, cancel: &Cancel) -> Result<Box<dyn Extractor>, Fault>;
    /// A fresh instance of a transform. Fault `contract` if the plugin is of another kind.
    fn transformer(&self, context: &RunContext, cancel: &Cancel) -> Result<Box<dyn Transformer>, Fault>;
    /// A fresh instance of a validate. Fault `contract` if the plugin is of another kind.
    fn validator(&self, context: &RunContext, cancel: &Cancel) -> Result<Box<dyn Validator>, Fault>;
    /// A fresh instance of a load. Fault `contract` if the plugin is of another kind.
    fn loader(&self, context: &RunContext, cancel: &Cancel) -> Result<Box<dyn Loader>, Fault>;
}

/// What every instance can be asked for.
pub trait Instance: Send {
    /// What the guest told since the last time; counters and bad records only of calls that ended well.
    fn take_report(&mut self) -> Report;
    /// What the instance used so far.
    fn usage(&self) -> Usage;
    /// What the next call is counted as, from 1 on, over all instances of the stage; the clock and the randomness of stages
    /// without grants for them begin there. A call of which nothing is said is counted within its instance.
    fn next_turn(&mut self, _turn: u64) {}
}

/// A live extract.
pub trait Extractor: Instance {
    /// Opens the source; answers with the schema of every page.
    fn open(&mut self, bookmark: Option<&str>) -> Result<SchemaRef, Fault>;
    /// Plans the work for several instances. Only where the description says `splittable`.
    fn split(&mut self, bookmark: Option<&str>, at_most: u32) -> Result<Plan, Fault>;
    /// Opens one split.
    fn open_split(&mut self, split: &str) -> Result<SchemaRef, Fault>;
    /// The next page, or none at the end. The page's schema is that of `open`: this is checked.
    fn next(&mut self) -> Result<Option<Page>, Fault>;
}

/// A live transform.
pub trait Transformer: Instance {
    /// Answers with the schema of what comes out.
    fn open(&mut self, inputs: &[Input]) -> Result<SchemaRef, Fault>;
    /// A batch of input number `input`. All of the inputs but the first are delivered before the first.
    fn process(&mut self, input: u32, batch: RecordBatch) -> Result<Vec<RecordBatch>, Fault>;
    /// After the last batch; to be called until it answers none.
    fn finish(&mut self) -> Result<Option<RecordBatch>, Fault>;
}

/// A live validate.
pub trait Validator: Instance {
    /// Answers with the rules that it checks; names are unique.
    fn open(&mut self, input: &SchemaRef) -> Result<Vec<Rule>, Fault>;
    /// The rows of the batch that break rules; at most one finding a rule.
    fn check(&mut self, batch: &RecordBatch) -> Result<Vec<Finding>, Fault>;
    /// What rules say of all the data.
    fn finish(&mut self) -> Result<Vec<RuleOutcome>, Fault>;
}

/// A live load.
pub trait Loader: Instance {
    /// `load_id` is the same whenever the same load is tried again; `part` tells instances of one load apart.
    fn open(&mut self, input: &SchemaRef, load_id: &str, part: u32) -> Result<(), Fault>;
    /// Writes a batch where nobody sees it yet.
    fn write(&mut self, batch: RecordBatch) -> Result<(), Fault>;
    /// Makes durable what was written; answers with the receipt.
    fn prepare(&mut self) -> Result<String, Fault>;
    /// Shows what was prepared; can be repeated, on a fresh instance.
    fn commit(&mut self, load_id: &str, receipts: &[String]) -> Result<(), Fault>;
    /// Takes back what was written or prepared; can be repeated, on a fresh instance.
    fn abort(&mut self, load_id: &str, receipts: &[String]) -> Result<(), Fault>;
}

/// One page of an extract.
#[derive(Clone, Debug)]
pub struct Page {
    /// The rows.
    pub batch: RecordBatch,
    /// Where to resume after this page.
    pub bookmark: Option<String>,
    /// How much of the work is done, 0 to 1, where it is known.
    pub progress: Option<f32>,
}

/// How an extract's work is split.
#[derive(Clone, Debug)]
pub struct Plan {
    /// The schema of every page of every split.
    pub schema: SchemaRef,
    /// Each to be opened on an instance of its own; the rows are those of the splits, one after another.
    pub splits: Vec<String>,
    /// Where the next run is to resume.
    pub bookmark: Option<String>,
}

/// An input of a transform.
#[derive(Clone, Debug)]
pub struct Input {
    /// The stage that it comes from.
    pub name: String,
    /// What its batches look like.
    pub schema: SchemaRef,
}

/// What breaking a rule means for a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Severity {
    /// Told in the outcome; the row goes on.
    Warn,
    /// The row goes to quarantine.
    Reject,
    /// The run fails.
    Fail,
}

/// How many rows may break a rule, or be rejected, before the run fails.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Threshold {
    /// So many rows.
    Rows(u64),
    /// So many of a hundred rows seen, 0 to 100.
    PerCent(f64),
}

impl Threshold {
    /// Whether `broken` of `seen` rows are more than allowed.
    pub fn is_passed(self, broken: u64, seen: u64) -> bool {
        match self {
            Self::Rows(most) => broken > most,
            // Exact for all counts below 2^53, which is more rows than a run has.
            Self::PerCent(most) => broken as f64 * 100.0 > most * seen as f64,
        }
    }
}

impl std::fmt::Display for Threshold {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Rows(rows) => write!(f, "{rows} rows"),
            Self::PerCent(share) => write!(f, "{share} %"),
        }
    }
}

/// A rule of a validate.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Rule {
    /// Unique within the stage.
    pub name: String,
    /// For people, e.g. `dep_delay is not null`.
    pub summary: String,
    /// What breaking it means.
    pub severity: Severity,
    /// More rows than this fail the run.
    pub at_most: Option<Threshold>,
}

/// The rows of a batch that break a rule.
#[derive(Clone, Debug)]
pub struct Finding {
    /// Position in the list of rules; checked to be one.
    pub rule: usize,
    /// One value a row of the batch, no nulls; true = breaks the rule.
    pub rows: BooleanArray,
}

/// What a rule says of all the data.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct RuleOutcome {
    /// Position in the list of rules; checked to be one.
    pub rule: usize,
    /// Whether the data is as the rule wants it.
    pub holds: bool,
    /// What was seen.
    pub observed: String,
}

/// How loud a line of the log is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Level {
    /// For whoever writes the stage.
    Debug,
    /// What happened.
    Info,
    /// Something to look at.
    Warn,
    /// Something went wrong.
    Error,
}

/// Where a line of the log came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LogSource {
    /// The guest called `log`.
    Log,
    /// Standard output.
    Stdout,
    /// Standard error.
    Stderr,
    /// The host, about the stage.
    Host,
}

/// One line of a stage's log. Control characters are already escaped.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct LogLine {
    /// How loud.
    pub level: Level,
    /// Where from.
    pub source: LogSource,
    /// The text, without a newline.
    pub message: String,
}

/// A record that could not be made a row.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct BadRecord {
    /// Where it stood, e.g. `data/flights.csv:17`.
    pub origin: String,
    /// The record as it was found.
    pub content: String,
    /// What is wrong with it.
    pub reason: String,
}

/// What a guest told.
#[derive(Clone, Debug, Default)]
pub struct Report {
    /// In the order of telling.
    pub log: Vec<LogLine>,
    /// What was added to each counter.
    pub counts: BTreeMap<String, u64>,
    /// What was set aside.
    pub bad_records: Vec<BadRecord>,
}

/// What an instance used since it was made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Usage {
    /// Calls of the contract's functions.
    pub calls: u64,
    /// Wall-clock time within them.
    pub call_time: Duration,
    /// The most bytes of linear memory at once.
    pub memory_peak_bytes: u64,
}
