//! What a run needs from outside: the plan, the clock, and whoever looks on.

use jiff::Timestamp;
use sluicebox_model::journal::JournalError;
use sluicebox_model::pipeline::Pipeline;
use sluicebox_model::run::{Event, Interval, RunId, Trigger};
use sluicebox_model::stage::Stage;
use std::path::PathBuf;
use std::sync::Arc;

/// One run, ready to be conducted.
pub struct RunPlan {
    /// The run's id.
    pub id: RunId,
    /// The pipeline, checked.
    pub pipeline: Pipeline,
    /// The text of the pipeline file, kept in the journal.
    pub text: String,
    /// What caused the run.
    pub trigger: Trigger,
    /// For when it runs.
    pub interval: Interval,
    /// One for each of `pipeline.stages`, in the same order.
    pub stages: Vec<Arc<dyn Stage>>,
    /// A folder for batches that do not fit into memory; made when it is needed, its files are gone after the run.
    pub scratch: PathBuf,
    /// Cores of the machine: how many instances a stage has that does not say.
    pub cores: usize,
}

/// How far a stage is. Counts are of the whole stage so far.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct StageProgress {
    /// Rows given to it.
    pub rows_in: u64,
    /// Rows that it passed on (a load: wrote).
    pub rows_out: u64,
    /// Rows and records set aside, quarantined ones included.
    pub rows_rejected: u64,
    /// Bytes of the batches that it passed on (a load: wrote).
    pub bytes_out: u64,
    /// How much of its work is done, 0 to 1, where an extract says so.
    pub share: Option<f32>,
}

/// Looks on while a run is conducted. Called from the threads of the stages: answer soon.
pub trait Observer: Send + Sync {
    /// An event has been written to the journal.
    fn event(&self, _event: &Event) {}
    /// A stage got on by a batch.
    fn progress(&self, _stage: &str, _progress: &StageProgress) {}
}

/// Nobody looks on.
impl Observer for () {}

/// Tells the time.
pub trait Clock: Send + Sync {
    /// The time now.
    fn now(&self) -> Timestamp;
}

/// The machine's clock.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        Timestamp::now()
    }
}

/// Why a run has no outcome.
#[derive(Debug, thiserror::Error)]
pub enum RunnerError {
    /// The journal cannot be written or read. What the loads had written was taken back, unless they were committing.
    #[error("the run was stopped: {0}")]
    Journal(#[from] JournalError),
    /// The plan is no plan: an input that is no stage, a cycle, another number of stages than the pipeline has.
    /// `sluicebox check` finds this earlier.
    #[error("the pipeline cannot be run: {0}")]
    Plan(String),
}

/// The id of a load: the same whenever the same load of the same run is tried again.
pub(crate) fn load_id(run: &str, stage: &str) -> String {
    format!("{run}-{stage}")
}
