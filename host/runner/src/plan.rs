//! What a run needs from outside: the plan, the clock, and whoever looks on.

use crate::checkpoint::Checkpoint;
use crate::repeat::Part;
use jiff::Timestamp;
use sluicebox_model::journal::JournalError;
use sluicebox_model::monitor::History;
use sluicebox_model::pipeline::Pipeline;
use sluicebox_model::run::{Event, Interval, RunId, Trigger};
use sluicebox_model::stage::Stage;
use std::collections::BTreeMap;
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
    /// The pipeline file, kept in the journal.
    pub file: PathBuf,
    /// What the ids of its loads begin with; see [`load_key`].
    pub load_key: String,
    /// The run that it repeats.
    pub repeats: Option<RunId>,
    /// What earlier runs of the pipeline did: what its monitors compare with.
    pub history: History,
    /// What becomes of each of `pipeline.stages`, in the same order; those beyond its end run.
    pub parts: Vec<Part>,
    /// What takes the place of the stages that are restored. A bookmark in it is kept as that of the stage.
    pub restored: BTreeMap<String, Restored>,
    /// Where to keep what stages pass on; none: nowhere.
    pub checkpoints: Option<PathBuf>,
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

/// A checkpoint of an earlier run.
#[derive(Clone, Debug)]
pub struct Restored {
    /// The run that kept it.
    pub run: RunId,
    /// What it kept.
    pub checkpoint: Checkpoint,
}

impl RunPlan {
    /// What becomes of a stage.
    pub fn part(&self, stage: usize) -> Part {
        self.parts.get(stage).copied().unwrap_or(Part::Runs)
    }
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

/// What the ids of a run's loads begin with: the same for every run of the pipeline for the same interval, so that a later
/// one replaces the rows of an earlier one, and no others. Fit for file names.
pub fn load_key(pipeline: &str, interval: Interval) -> String {
    // As ISO 8601 has it without punctuation, e.g. 20260101T000000Z, with a fraction where there is one.
    let basic = |at: Timestamp| at.to_string().replace(['-', ':'], "");
    if interval.start == interval.end {
        format!("{pipeline}-{}", basic(interval.end))
    } else {
        format!("{pipeline}-{}-{}", basic(interval.start), basic(interval.end))
    }
}

/// The id of a load.
pub(crate) fn load_id(load_key: &str, stage: &str) -> String {
    format!("{load_key}-{stage}")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_load_key_is_that_of_the_interval() {
        let at = |text: &str| text.parse::<Timestamp>().unwrap();
        let day = Interval { start: at("2026-01-01T00:00:00Z"), end: at("2026-01-02T00:00:00Z") };
        assert_eq!(load_id(&load_key("flights", day), "out"), "flights-20260101T000000Z-20260102T000000Z-out");
        let moment = Interval { start: day.start, end: day.start };
        assert_eq!(load_key("flights", moment), "flights-20260101T000000Z");
        let later = at("2026-01-01T00:00:00.25Z");
        assert_eq!(load_key("flights", Interval { start: later, end: later }), "flights-20260101T000000.25Z");
    }
}
