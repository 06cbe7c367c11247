//! What an earlier host left in the queue.

use super::rows::{self, RunOptions};
use super::service::Service;
use super::unbegun::left_as;
use crate::trouble::Trouble;
use jiff::Timestamp;
use sluicebox_model::house::{Decided, NewRun, QueueState, QueuedRun};
use sluicebox_model::run::{RunRecord, Trigger};
use sluicebox_store::StoreError;
use std::collections::BTreeSet;

impl Service {
    /// The rows of the queue that an earlier host left: those under way then are settled, or wait again.
    ///
    /// # Errors
    /// The store cannot be used.
    pub(super) fn take_over(&self, again: &[RunRecord], now: Timestamp) -> Result<(), Trouble> {
        let mut known = BTreeSet::new();
        for queued in self.house.store.queued()? {
            known.insert(queued.run);
            if queued.state == QueueState::Waiting {
                self.lock().waiting.push(queued);
                continue;
            }
            match self.house.store.run(&queued.run.to_string()) {
                Ok(record) => {
                    let unfinished = if record.is_unfinished() { "it cannot be finished now" } else { "" };
                    self.settle(&queued, &record, left_as(&record), unfinished, now)?;
                }
                // It never came into the journal.
                Err(StoreError::NoRun(_) | StoreError::NoRuns) => {
                    self.house.store.settle(queued.run, QueueState::Waiting, "the host died before it began", now)?;
                    self.lock().waiting.push(QueuedRun { state: QueueState::Waiting, ..queued });
                }
                Err(error) => return Err(error.into()),
            }
        }
        // Runs of a command that died are not in the queue.
        for record in again.iter().filter(|record| !known.contains(&record.id)) {
            let mut run = rows::row(&record.pipeline, None, Trigger::Rerun, record.interval, now)?;
            run.repeats = Some(record.id);
            run.options = RunOptions { interrupted: true, deaths: 1, ..RunOptions::default() }.value();
            run.reason = "the run before it was interrupted".to_owned();
            let new = NewRun { run, once: rows::once("interrupted", record.id), events: Vec::new() };
            self.keep(&Decided { runs: vec![new], ..Decided::default() }, now)?;
        }
        Ok(())
    }
}
