//! What the API asks of whoever runs the pipelines. What has happened it reads from the store by itself.

use crate::trouble::Trouble;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use sluicebox_model::house::PausedState;
use sluicebox_model::pipeline::Settings;
use sluicebox_model::run::{Interval, RunId, RunState};
use std::time::Duration;
use utoipa::ToSchema;

/// Whoever runs the pipelines. Calls may block; each is made on a thread of its own.
pub trait Desk: Send + Sync + 'static {
    /// All pipelines, by name; each without `next`.
    ///
    /// # Errors
    /// The store cannot be read.
    fn pipelines(&self) -> Result<Vec<PipelineView>, DeskError>;

    /// A pipeline.
    ///
    /// # Errors
    /// There is none of that name; the store cannot be read.
    fn pipeline(&self, name: &str) -> Result<PipelineView, DeskError>;

    /// The next `n` times at which a pipeline runs by itself.
    ///
    /// # Errors
    /// There is none of that name; the store cannot be read.
    fn schedule(&self, name: &str, n: usize) -> Result<ScheduleView, DeskError>;

    /// The plugins that pipelines may use, and the files that are refused.
    ///
    /// # Errors
    /// They cannot be told now.
    fn plugins(&self) -> Result<PluginsView, DeskError>;

    /// Queues a run.
    ///
    /// # Errors
    /// There is no pipeline of that name, it cannot run, or the host is about to end.
    fn start(&self, name: &str, ask: &StartAsk) -> Result<RunId, DeskError>;

    /// Asks a run to stop, or takes it out of the queue.
    ///
    /// # Errors
    /// It has ended already, or cannot be stopped any more.
    fn cancel(&self, run: RunId) -> Result<(), DeskError>;

    /// Queues a run that repeats another.
    ///
    /// # Errors
    /// That run cannot be repeated, or not so.
    fn rerun(&self, run: RunId, ask: &RerunAsk) -> Result<RunId, DeskError>;

    /// Commits what a run has prepared and could not commit, or leaves it for good; answers with what the run is now.
    ///
    /// # Errors
    /// There is no such run, it is under way or has ended, or the commit fails again.
    fn resolve(&self, run: RunId, commit: bool) -> Result<RunState, DeskError>;

    /// Queues a run for the rows that a run set aside; answers with its id.
    ///
    /// # Errors
    /// There is no such run, it loaded nothing, or nothing of it waits to be replayed.
    fn replay(&self, run: RunId, ask: &ReplayAsk) -> Result<RunId, DeskError>;

    /// Sets where an extract resumes; answers with what was there before.
    ///
    /// # Errors
    /// No run knows the pipeline or the stage; a run of the pipeline is under way, and would move it again.
    fn set_bookmark(&self, ask: &BookmarkAsk) -> Result<Option<sluicebox_store::Bookmark>, DeskError>;

    /// Keeps a pipeline from running by itself. One that is paused stays so, with the new reason.
    ///
    /// # Errors
    /// There is none of that name; the store cannot be written.
    fn pause(&self, name: &str, reason: &str) -> Result<(), DeskError>;

    /// Lets a pipeline run by itself again. One that is not paused stays so.
    ///
    /// # Errors
    /// There is none of that name; the store cannot be written.
    fn resume(&self, name: &str) -> Result<(), DeskError>;

    /// The settings that hold.
    fn settings(&self) -> Settings;

    /// How it goes at this moment. Called for each look at `/metrics`: quick.
    fn gauges(&self) -> Gauges;

    /// Whether it runs pipelines.
    ///
    /// # Errors
    /// Why it does not, e.g. because it is about to end.
    fn ready(&self) -> Result<(), Trouble>;
}

/// Why the desk does not do what was asked. Each kind is a status of HTTP.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DeskError {
    /// There is no such thing: 404.
    #[error("{0}")]
    NotFound(Trouble),
    /// Not in the state that it is in: 409.
    #[error("{0}")]
    Conflict(Trouble),
    /// What was asked for makes no sense: 422.
    #[error("{0}")]
    Invalid(Trouble),
    /// Not now: 503.
    #[error("{0}")]
    Unavailable(Trouble),
    /// The house is at fault, e.g. its store: 500.
    #[error("{0}")]
    Failed(Trouble),
}

/// What a run is started with.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct StartAsk {
    /// For when it runs; none: as of now.
    #[schema(value_type = Option<super::schemas::Interval>)]
    pub interval: Option<Interval>,
    /// Whether it is one of the runs of a backfill.
    pub backfill: bool,
}

/// What is decided about a run that was interrupted and could not be finished.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct ResolveAsk {
    /// true: try again to finish it; false: leave it as it is, for good. Has to be said.
    #[schema(required)]
    pub commit: Option<bool>,
}

/// Where an extract is to resume.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct BookmarkAsk {
    /// The pipeline's name.
    pub pipeline: String,
    /// The stage.
    pub stage: String,
    /// As the stage gives it; null: the next run reads everything. Has to be said.
    #[schema(required)]
    #[serde(deserialize_with = "Option::deserialize")]
    pub bookmark: Option<String>,
}

/// What rows that were set aside are replayed with.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct ReplayAsk {
    /// The stage behind which they go on; may be left out if only one set rows aside.
    pub stage: Option<String>,
    /// Whether loads without `mode = "append"` may replace what is at their targets by these rows alone.
    pub replace_targets: bool,
}

/// What a run is repeated with.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct RerunAsk {
    /// This stage and all behind it.
    pub from: Option<String>,
    /// The stages that failed and all behind them.
    pub failed: bool,
    /// Today's pipeline file and plugins instead of those of the run.
    pub latest: bool,
}

/// A pipeline that is looked after.
#[derive(Clone, Debug, Default, PartialEq, Serialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub struct PipelineView {
    /// Its name.
    pub name: String,
    /// Its file, from the folder that is served.
    pub file: String,
    /// What it is for.
    pub description: Option<String>,
    /// Who looks after it.
    pub owner: Option<String>,
    /// What it takes for granted.
    pub assumptions: Vec<String>,
    /// When it runs by itself; none: only when asked.
    #[schema(required)]
    pub schedule: Option<Timing>,
    /// The next times; only of a single pipeline.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(required = false)]
    pub next: Vec<Fire>,
    /// The pipelines whose runs it follows.
    pub after: Vec<String>,
    /// Higher ones start first.
    pub priority: i32,
    /// The pool that its runs take a place of.
    pub pool: Option<String>,
    /// Why it does not run by itself at present.
    #[schema(required)]
    pub paused: Option<Pause>,
    /// Its stages, in the order of the file.
    pub stages: Vec<StageView>,
    /// Its runs that wait for their start.
    #[schema(value_type = Vec<String>)]
    pub waiting: Vec<RunId>,
    /// Its runs under way.
    #[schema(value_type = Vec<String>)]
    pub running: Vec<RunId>,
    /// Its last run, as in `/runs`.
    #[schema(value_type = Option<super::schemas::RunSummary>)]
    pub last_run: Option<sluicebox_store::RunSummary>,
    /// What is wrong with a later edit of the file, whose last good version runs, and with whom the pipeline follows.
    pub problems: Vec<String>,
}

/// When a pipeline runs by itself.
#[derive(Clone, Debug, Default, PartialEq, Serialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub struct Timing {
    /// In words.
    pub words: String,
    /// As the file says it, e.g. `30 6 * * *` or `every 15m`, one each.
    pub written: Vec<String>,
    /// The name of its time zone.
    pub timezone: String,
}

/// The next times of a pipeline.
#[derive(Clone, Debug, Default, PartialEq, Serialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub struct ScheduleView {
    /// The pipeline.
    pub pipeline: String,
    /// When it runs by itself; none: only when asked.
    #[schema(required)]
    pub schedule: Option<Timing>,
    /// Why it does not run by itself at present.
    #[schema(required)]
    pub paused: Option<Pause>,
    /// The next times, in order.
    pub next: Vec<Fire>,
}

/// A time at which a pipeline is to run.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub struct Fire {
    /// The time of the schedule.
    pub at: Timestamp,
    /// The same in the time zone of the pipeline, e.g. `2026-03-08 03:00 EDT`.
    pub local: String,
    /// When its run begins, where that is later: the pipeline has a jitter.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub begins: Option<Timestamp>,
    /// For when it runs.
    #[schema(value_type = super::schemas::Interval)]
    pub interval: Interval,
    /// What is odd about it, e.g. that a clock is put forward.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

/// Why a pipeline does not run by itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub struct Pause {
    /// Who paused it, e.g. `api`, or `pause-after`.
    pub by: String,
    /// Why.
    pub reason: String,
    /// Since when.
    pub since: Timestamp,
}

impl From<PausedState> for Pause {
    fn from(PausedState { at, by, reason }: PausedState) -> Self {
        Self { by, reason, since: at }
    }
}

/// A stage of a pipeline.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub struct StageView {
    /// Its name.
    pub name: String,
    /// `extract`, `transform`, `validate` or `load`; none: its plugin is not there.
    pub kind: Option<String>,
    /// Its plugin.
    pub plugin: String,
    /// The stages that feed it.
    pub inputs: Vec<String>,
}

/// The plugins of the folder that is served.
#[derive(Clone, Debug, Default, PartialEq, Serialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub struct PluginsView {
    /// Those that pipelines may use, by name.
    pub plugins: Vec<PluginView>,
    /// Files that are no plugin as they are.
    pub refused: Vec<RefusedView>,
}

/// A plugin that pipelines may use.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub struct PluginView {
    /// As in pipeline files.
    pub name: String,
    /// Its own version.
    pub version: String,
    /// `extract`, `transform`, `validate` or `load`.
    pub kind: String,
    /// One sentence.
    pub summary: String,
    /// Of the component, in hexadecimal.
    pub digest: String,
    /// The version of the contract that it was built for.
    pub contract: String,
    /// Its file, from the folder that is served.
    pub file: String,
}

/// A file that is no plugin as it is.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub struct RefusedView {
    /// The file, from the folder that is served.
    pub file: String,
    /// Why, for people.
    pub reason: String,
}

/// How it goes at this moment.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Gauges {
    /// Since the start of the host.
    pub uptime: Duration,
    /// Pipelines that can run.
    pub pipelines: u64,
    /// Pipelines that are paused.
    pub paused: u64,
    /// Pipeline files that cannot be used as they are.
    pub broken: u64,
    /// Runs that wait for their start.
    pub waiting: u64,
    /// Runs under way.
    pub running: u64,
    /// At most so many at once.
    pub running_max: u64,
    /// Pools: name, places taken, places.
    pub pools: Vec<(String, u64, u64)>,
    /// How late the latest run that waits and could start is; zero: none waits.
    pub lateness: Duration,
    /// Runs by how late they started: (at most so late, how many), the last bound being [`Duration::MAX`]; each counted once.
    pub started_late: Vec<(Duration, u64)>,
    /// The sum of how late they started.
    pub started_late_sum: Duration,
    /// Instances that live.
    pub instances: u64,
    /// Instances since the start.
    pub instances_total: u64,
    /// Plugins that the compile cache had.
    pub compile_hits: u64,
    /// Plugins that had to be compiled.
    pub compile_misses: u64,
    /// Bytes of the compile cache on disk.
    pub compile_bytes: u64,
}
