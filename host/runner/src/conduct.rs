//! Conducting a run from its first event to its last.

use crate::plan::{Clock, Observer, RunPlan, RunnerError};
use sluicebox_model::cancel::Cancel;
use sluicebox_model::journal::Journal;
use sluicebox_model::run::RunRecord;

/// Conducts a run: queues it, runs its stages, commits or takes back its loads, and answers with its record. Whatever
/// a stage does, the answer is a record; it is the fold of what was written to the journal.
///
/// # Errors
/// The journal fails, or the plan is none.
pub fn conduct(
    _plan: &RunPlan,
    _journal: &dyn Journal,
    _clock: &dyn Clock,
    _cancel: &Cancel,
    _observer: &dyn Observer,
) -> Result<RunRecord, RunnerError> {
    Err(RunnerError::Plan("not built yet".into()))
}
