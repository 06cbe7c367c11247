//! Runs that the journal does not have: they wait, or left the queue without a start.

use crate::journal;
use crate::serve::waits::{self, Waiting};
use crate::show::warnings::Warnings;
use crate::trouble::Trouble;
use jiff::Timestamp;
use serde_json::{Value, json};
use sluicebox_model::fault::{Fault, FaultKind};
use sluicebox_model::house::{QueueState, QueuedRun};
use sluicebox_model::pipeline::Settings;
use sluicebox_model::run::{Event, RunId, RunRecord};
use sluicebox_store::{Store, StoreError};

/// A run that somebody means.
pub(crate) enum Found {
    /// The journal has it.
    Begun(RunId),
    /// It is in the queue, or left it without a start.
    Queued(Box<QueuedRun>),
}

impl Found {
    /// Its id.
    pub(crate) fn id(&self) -> RunId {
        match self {
            Self::Begun(run) => *run,
            Self::Queued(queued) => queued.run,
        }
    }
}

/// The run that `wanted` means: `last`, a whole id, or as much of its beginning or end as only one has. A run that has not
/// begun is known by its whole id only.
///
/// # Errors
/// There is none, or several; the store cannot be read.
pub(crate) fn find(store: &Store, wanted: &str) -> Result<Found, StoreError> {
    match store.find(wanted) {
        Ok(run) => Ok(Found::Begun(run)),
        Err(missing @ (StoreError::NoRun(_) | StoreError::NoRuns)) => {
            let id = serde_json::from_value::<RunId>(Value::String(wanted.to_owned()));
            let queued = id.ok().map(|id| store.queue_row(id)).transpose()?.flatten();
            // It may have begun between the two looks.
            match queued {
                Some(queued) => Ok(store.find(wanted).map_or(Found::Queued(Box::new(queued)), Found::Begun)),
                None => Err(missing),
            }
        }
        Err(error) => Err(error),
    }
}

/// A run of the queue as the record that it would have.
///
/// # Errors
/// It cannot be made one.
pub(crate) fn record(queued: &QueuedRun) -> Result<RunRecord, Trouble> {
    let mut events = vec![(
        queued.queued_at,
        Event::RunQueued {
            pipeline: queued.pipeline.clone(),
            trigger: queued.trigger,
            interval: queued.interval,
            text: String::new(),
            file: Default::default(),
            load_key: String::new(),
            repeats: queued.repeats,
            stages: Vec::new(),
        },
    )];
    match queued.state {
        QueueState::Refused => {
            let fault = Fault::new(FaultKind::Host, "run", &queued.reason);
            events.push((queued.queued_at, Event::RunFailed { fault }));
        }
        QueueState::Dropped => events.push((queued.queued_at, Event::RunCancelled)),
        QueueState::Waiting | QueueState::Started | QueueState::Ended => {}
    }
    RunRecord::fold(queued.run, &events).map_err(|error| Trouble::new(format!("run {}: {error}", queued.run)))
}

/// A run among those that wait; none if it does not wait any more.
///
/// # Errors
/// The store cannot be read.
pub(crate) fn waiting(
    store: &Store,
    run: RunId,
    settings: &Settings,
    serves: bool,
    now: Timestamp,
) -> Result<Option<Waiting>, StoreError> {
    Ok(waits::waiting(store, settings, serves, now)?.into_iter().find(|waiting| waiting.run.run == run))
}

/// A run of the queue as JSON; with its place and why it waits, if it does.
///
/// # Errors
/// It cannot be made a record.
pub(crate) fn json(queued: &QueuedRun, waiting: Option<&Waiting>) -> Result<Value, Trouble> {
    let mut value = journal::record_json(&record(queued)?, None);
    if let Some(object) = value.as_object_mut() {
        object.insert("logged".to_owned(), Warnings::default().json());
        object.insert("queue".to_owned(), waiting.map_or_else(|| json!(queued), |waiting| json!(waiting)));
    }
    Ok(value)
}
