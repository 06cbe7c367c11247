//! Where the runner writes what happens. The store implements it.

use crate::batch::batch_bytes;
use crate::fault::Fault;
use crate::run::{Event, RunId};
use crate::stage::{BadRecord, LogLine};
use arrow_array::RecordBatch;
use arrow_schema::SchemaRef;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// The store could not write or read. The message is for people.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct JournalError(pub String);

/// Why rows were set aside.
#[derive(Clone, Debug)]
pub enum Quarantined {
    /// Rows that broke rules: a row of `batch` each, with the names of the rules that it broke, joined by `, `.
    Rejected {
        /// The rows.
        batch: RecordBatch,
        /// One a row.
        reasons: Vec<String>,
    },
    /// Rows that the stage failed on.
    Poison {
        /// The rows.
        batch: RecordBatch,
        /// How it failed on them.
        fault: Fault,
    },
    /// Records that could not be made rows.
    Records(Vec<BadRecord>),
}

impl Quarantined {
    /// Bytes that it takes up, about.
    pub fn bytes(&self) -> u64 {
        let texts = |texts: &[&str]| texts.iter().map(|text| text.len() as u64).sum::<u64>();
        match self {
            Self::Rejected { batch, reasons } => {
                batch_bytes(batch) + reasons.iter().map(|reason| reason.len() as u64).sum::<u64>()
            }
            Self::Poison { batch, .. } => batch_bytes(batch),
            Self::Records(records) => {
                records.iter().map(|record| texts(&[&record.origin, &record.content, &record.reason])).sum()
            }
        }
    }
}

/// A call that failed a stage, with what it was given, so that it can be made again.
#[derive(Clone, Debug)]
pub struct FailedCall {
    /// The stage.
    pub stage: String,
    /// The function of the contract, e.g. `process`; `instantiate` if there was no instance to call.
    pub call: String,
    /// What the call was counted as, see [`Instance::next_turn`](crate::stage::Instance::next_turn); 0: it was counted
    /// within its instance.
    pub turn: u64,
    /// The attempt that the instance was made for, counted from 1.
    pub attempt: u32,
    /// Calls of the same name that the instance had answered since it was opened: pages of `next`, batches of `finish`.
    /// Not counted for calls with a batch.
    pub before: u64,
    /// Which input the batch is of, counted from 0.
    pub input: u32,
    /// What the batches of each input look like.
    pub inputs: Vec<SchemaRef>,
    /// The batch, where the call was given one.
    pub batch: Option<RecordBatch>,
    /// An extract: how the instance was opened, or was to be.
    pub source: Option<SourceCall>,
    /// How it failed.
    pub fault: Fault,
}

impl FailedCall {
    /// Batches that the stage was given before this call, over all of its inputs.
    pub fn batches_before(&self) -> u64 {
        self.turn.saturating_sub(1).saturating_sub(self.before)
    }
}

/// How an instance of an extract is opened.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "by", rename_all = "kebab-case", rename_all_fields = "kebab-case")]
pub enum SourceCall {
    /// By `open`.
    Whole {
        /// Where it resumes.
        bookmark: Option<String>,
    },
    /// By `open-split`.
    Split {
        /// The part of the work.
        split: String,
    },
    /// It is not: it was asked for a plan, by `split`.
    Plan {
        /// Where it resumes.
        bookmark: Option<String>,
        /// How many splits were asked for at most.
        at_most: u32,
    },
}

/// The journal of runs and what they leave behind.
pub trait Journal: Send + Sync {
    /// Appends the events in one transaction; durable when it returns.
    ///
    /// # Errors
    /// The store cannot write, or an event is illegal in the run's state; then none of them is written.
    fn append(&self, run: RunId, at: Timestamp, events: &[Event]) -> Result<(), JournalError>;

    /// Keeps lines of a stage's log, in order.
    ///
    /// # Errors
    /// The store cannot write.
    fn log(&self, run: RunId, stage: &str, at: Timestamp, lines: &[LogLine]) -> Result<(), JournalError>;

    /// Keeps rows that were set aside; shown only with the run's outcome, whatever it is.
    ///
    /// # Errors
    /// The store cannot write.
    fn quarantine(&self, run: RunId, stage: &str, at: Timestamp, rows: &Quarantined) -> Result<(), JournalError>;

    /// Keeps the call that failed a stage; one a stage, the first.
    ///
    /// # Errors
    /// The store cannot write.
    fn keep_call(&self, run: RunId, call: &FailedCall) -> Result<(), JournalError>;

    /// The bookmark that the last committed run of the pipeline left for the stage.
    ///
    /// # Errors
    /// The store cannot read.
    fn bookmark(&self, pipeline: &str, stage: &str) -> Result<Option<String>, JournalError>;
}
