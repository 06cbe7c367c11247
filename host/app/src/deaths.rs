//! Runs in which the host died: it may be they that kill it.

use crate::trouble::Trouble;
use sluicebox_model::run::RunRecord;
use sluicebox_runner::was_interrupted;
use sluicebox_store::Store;

/// A run in which the host died so often in a row is not repeated any more.
pub(crate) const DEATHS_MAX: u32 = 8;

/// How often in a row the host died in a run and in those that it repeats; no more than [`DEATHS_MAX`] are looked for.
///
/// # Errors
/// The store cannot be read.
pub(crate) fn in_a_row(store: &Store, record: &RunRecord) -> Result<u32, Trouble> {
    let mut deaths = 0;
    let mut run = record.clone();
    while was_interrupted(&run) && deaths < DEATHS_MAX {
        deaths += 1;
        let Some(before) = run.repeats else { break };
        run = match store.run(&before.to_string()) {
            Ok(before) => before,
            // Too old to be kept.
            Err(sluicebox_store::StoreError::NoRun(_)) => break,
            Err(error) => return Err(error.into()),
        };
    }
    Ok(deaths)
}
