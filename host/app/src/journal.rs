//! The store as the commands ask it.

use crate::show::outcome::{Comparison, Earlier, Totals};
use crate::trouble::Trouble;
use serde_json::{Value, json};
use sluicebox_model::run::{RunRecord, RunState};
use sluicebox_store::{Store, StoreError};
use std::path::Path;

/// How many earlier runs a run is compared with.
const EARLIER_RUNS: u32 = 20;

/// Opens the store in a state folder, which is made if it is missing.
///
/// # Errors
/// It cannot be opened.
pub fn open(state: &Path) -> Result<Store, Trouble> {
    Ok(Store::open(state)?)
}

/// A run beside the runs of its pipeline that ended well before it; none if there are none, or if it did not end well.
///
/// # Errors
/// The store cannot be read.
pub fn comparison(store: &Store, record: &RunRecord) -> Result<Option<Comparison>, Trouble> {
    if record.state != RunState::Succeeded {
        return Ok(None);
    }
    // One more than is wanted: the run itself is among the latest.
    let history = store.history(&record.pipeline, EARLIER_RUNS + 1)?;
    let earlier: Vec<Earlier> = history
        .iter()
        .filter(|run| run.queued_at < record.queued_at && run.id != record.id)
        .take(EARLIER_RUNS as usize)
        .map(|run| Earlier {
            rows_loaded: run.rows_loaded,
            rows_rejected: run.rows_rejected + run.rows_quarantined,
            took: run.duration.unwrap_or_default(),
        })
        .collect();
    Ok(Comparison::with(&earlier))
}

/// A run as JSON: its record, its totals and how it compares.
pub fn record_json(record: &RunRecord, comparison: Option<Comparison>) -> Value {
    let mut value = json!(record);
    if let Some(object) = value.as_object_mut() {
        object.insert("totals".to_owned(), json!(Totals::of(record)));
        object.insert("comparison".to_owned(), json!(comparison));
    }
    value
}

impl From<StoreError> for Trouble {
    fn from(error: StoreError) -> Self {
        Self::new(error.to_string())
    }
}
