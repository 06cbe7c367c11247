//! Runs that never began: refused, or taken out of the queue. They are in the journal as any other, so that they are among the
//! runs, are counted, and are followed by what follows any end.

use super::rows;
use super::service::Service;
use crate::trouble::Trouble;
use jiff::Timestamp;
use sluicebox_model::house::{Decided, HouseEvent, NewHouseEvent, QueueState, QueuedRun};
use sluicebox_model::journal::Journal;
use sluicebox_model::run::{Event, RunId, RunRecord, RunState};
use sluicebox_runner::load_key;
use std::path::PathBuf;

impl Service {
    /// A run that could not begin, with its end in the journal and all that follows from it.
    ///
    /// # Errors
    /// The store cannot be used; or the run did begin, and has no end.
    pub(super) fn refuse(&self, queued: &QueuedRun, reasons: &[String], now: Timestamp) -> Result<(), Trouble> {
        let record = self.never_begun(queued, Event::RunFailed { fault: super::after::refused(reasons) }, now)?;
        if record.is_unfinished() {
            return Err(Trouble::new(reasons.join("; ")));
        }
        self.settle(queued, &record, left_as(&record), &reasons.join("; "), now).map(drop)
    }

    /// A run that was stopped before it began, with its end in the journal and all that follows from it.
    ///
    /// # Errors
    /// The store cannot be used.
    pub(super) fn dropped(&self, queued: &QueuedRun, reason: &str, now: Timestamp) -> Result<(), Trouble> {
        let record = self.never_begun(queued, Event::RunCancelled, now)?;
        self.settle(queued, &record, left_as(&record), reason, now).map(drop)
    }

    /// The record of a run that did not begin, which the journal has from now on; or of one that did after all.
    fn never_begun(&self, queued: &QueuedRun, end: Event, now: Timestamp) -> Result<RunRecord, Trouble> {
        let store = &self.house.store;
        if !store.events(queued.run)?.is_empty() {
            return Ok(store.run(&queued.run.to_string())?);
        }
        let begun = rows::unbegun(queued, self.made_with(queued));
        store.append(queued.run, now, &[begun, end]).map_err(|error| Trouble::new(error.to_string()))?;
        let record = store.run(&queued.run.to_string())?;
        let root = record.file.parent().map(std::path::Path::to_owned).unwrap_or_default();
        crate::telemetry::finished(&root, store, &record);
        Ok(record)
    }

    /// What a run would have been made with, as far as that is known: its file, the text of it, and what the ids of its loads
    /// would begin with. Enough for `rerun --latest`.
    fn made_with(&self, queued: &QueuedRun) -> (PathBuf, String, String) {
        let before = queued.repeats.and_then(|before| self.house.store.run(&before.to_string()).ok());
        if let Some(before) = before {
            return (before.file, before.text, before.load_key);
        }
        let key = self.house.load_key(&queued.pipeline, queued.interval);
        let key = key.unwrap_or_else(|_| load_key(&queued.pipeline, queued.interval));
        match self.offered(&queued.pipeline) {
            Some(offered) => (offered.source.path.clone(), offered.source.text.to_string(), key),
            None => (PathBuf::new(), String::new(), key),
        }
    }

    /// Asks a run to stop, or takes it out of the queue. Answers with whether it was there.
    ///
    /// # Errors
    /// The store cannot be used.
    pub(super) fn stop_run(&self, run: RunId, reason: &str, now: Timestamp) -> Result<bool, Trouble> {
        // A run that waits does not begin meanwhile.
        let _none = self.admitting();
        let (running, waiting) = {
            let inner = self.lock();
            let running = inner.running.get(&run).map(|running| (running.queued.clone(), running.cancel.clone()));
            (running, inner.waiting.iter().find(|queued| queued.run == run).cloned())
        };
        if let Some((queued, cancel)) = running {
            if !cancel.is_cancelled() {
                tracing::info!(pipeline = %queued.pipeline, %run, "cancelled: {reason}");
                cancel.cancel();
                self.tell_stopped(&queued, reason, now)?;
            }
            return Ok(true);
        }
        let Some(queued) = waiting else { return Ok(false) };
        if self.house.store.settle(run, QueueState::Dropped, reason, now)? {
            tracing::info!(pipeline = %queued.pipeline, %run, "taken out of the queue: {reason}");
            self.lock().waiting.retain(|queued| queued.run != run);
            self.tell_stopped(&queued, reason, now)?;
            self.dropped(&queued, reason, now)?;
            return Ok(true);
        }
        Ok(self.lock().running.contains_key(&run))
    }

    fn tell_stopped(&self, queued: &QueuedRun, reason: &str, now: Timestamp) -> Result<(), Trouble> {
        let event = HouseEvent::Cancelled { run: queued.run, reason: reason.to_owned() };
        let events = vec![NewHouseEvent { pipeline: Some(queued.pipeline.clone()), event }];
        self.keep_soon(&Decided { events, ..Decided::default() }, now).map(drop)
    }
}

/// How a run leaves the queue whose end the journal has.
pub(super) fn left_as(record: &RunRecord) -> QueueState {
    match record.state {
        RunState::Failed if record.stages.is_empty() => QueueState::Refused,
        RunState::Cancelled if record.stages.is_empty() => QueueState::Dropped,
        _ => QueueState::Ended,
    }
}
