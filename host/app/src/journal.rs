//! The store as the commands ask it.

use crate::show::outcome::{Comparison, Earlier, Totals};
use crate::trouble::Trouble;
use serde_json::{Value, json};
use sluicebox_model::monitor::History;
use sluicebox_model::pipeline::Pipeline;
use sluicebox_model::run::{RunId, RunRecord, RunState, Trigger};
use sluicebox_store::{RunFilter, RunSummary, Store, StoreError};
use std::path::Path;

/// How many earlier runs a run is compared with.
pub(crate) const EARLIER_RUNS: u32 = 20;

/// Opens the store in a state folder, which is made if it is missing.
///
/// # Errors
/// It cannot be opened.
pub fn open(state: &Path) -> Result<Store, Trouble> {
    Ok(Store::open(state)?)
}

/// A run that has ended beside the runs of its pipeline that ended well before it; none if there are none.
///
/// # Errors
/// The store cannot be read.
pub fn comparison(store: &Store, record: &RunRecord) -> Result<Option<Comparison>, Trouble> {
    if record.is_unfinished() {
        return Ok(None);
    }
    let history = whole_runs(store, &record.pipeline, Some(record.id))?;
    let earlier: Vec<Earlier> = history
        .iter()
        .map(|run| Earlier {
            rows_loaded: run.rows_loaded,
            rows_rejected: run.rows_rejected + run.rows_quarantined,
            took: run.duration.unwrap_or_default(),
        })
        .collect();
    Ok(Comparison::with(&earlier))
}

/// The last runs of a pipeline that ended well, of all or of those that were made before a run. A run that repeats another may have loaded only a
/// part: it is left out.
fn whole_runs(store: &Store, pipeline: &str, before: Option<RunId>) -> Result<Vec<RunSummary>, Trouble> {
    let whole = RunFilter {
        pipeline: Some(pipeline.to_owned()),
        states: vec![RunState::Succeeded],
        triggers: vec![Trigger::Schedule, Trigger::Manual, Trigger::Dependency, Trigger::Backfill],
        before,
        limit: Some(EARLIER_RUNS),
        ..RunFilter::default()
    };
    Ok(store.runs(&whole)?)
}

/// What earlier runs of a pipeline did, as far as its monitors ask for it.
///
/// # Errors
/// The store cannot be read.
pub fn history(store: &Store, pipeline: &Pipeline) -> Result<History, Trouble> {
    let monitors = &pipeline.monitor;
    let mut history = History::default();
    if monitors.fresh_within.is_some() {
        history.loaded_at = store.last_loaded(&pipeline.name)?;
    }
    if monitors.rows.change_at_most.is_none() && monitors.schema.is_none() {
        return Ok(history);
    }
    let runs = whole_runs(store, &pipeline.name, None)?;
    history.rows = runs.iter().map(|run| run.rows_loaded).collect();
    if monitors.schema.is_some()
        && let Some(last) = runs.first()
    {
        history.schemas = store.run(&last.id.to_string())?.schemas;
    }
    Ok(history)
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
