//! Where the runner writes what happens. The store implements it.

use crate::fault::Fault;
use crate::run::{Event, RunId};
use crate::stage::{BadRecord, LogLine};
use arrow_array::RecordBatch;
use arrow_schema::SchemaRef;
use jiff::Timestamp;

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

/// A call that failed a stage, with the batch that it was given, so that it can be made again.
#[derive(Clone, Debug)]
pub struct FailedCall {
    /// The stage.
    pub stage: String,
    /// The function of the contract: `process`, `check` or `write`.
    pub call: String,
    /// What the call was counted as, see [`Instance::next_turn`](crate::stage::Instance::next_turn).
    pub turn: u64,
    /// The attempt, counted from 1.
    pub attempt: u32,
    /// Which input the batch is of, counted from 0.
    pub input: u32,
    /// What the batches of each input look like.
    pub inputs: Vec<SchemaRef>,
    /// The batch.
    pub batch: RecordBatch,
    /// How it failed.
    pub fault: Fault,
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
