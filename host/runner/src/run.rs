//! What all stages of one run share: its journal, its state so far, and the first thing that went wrong.

use crate::plan::{Clock, Observer, RunPlan};
use crate::size::GoodSize;
use crate::stop::{Stop, lock};
use sluicebox_model::fault::{Fault, FaultKind};
use sluicebox_model::journal::{Journal, JournalError, Quarantined};
use sluicebox_model::run::{Event, RunRecord, StageState};
use sluicebox_model::stage::{Level, LogLine, LogSource, RunContext};
use std::collections::BTreeMap;
use std::sync::{Arc, Condvar, Mutex};

/// Sizes that are the same for every stage.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Tuning {
    pub(crate) size: GoodSize,
    /// Bytes that wait on one edge.
    pub(crate) edge_bytes_max: u64,
    /// Splits asked of an extract for each of its instances: small ones keep all instances at work although their
    /// rows go on in order.
    pub(crate) splits_per_instance: u32,
}

impl Default for Tuning {
    fn default() -> Self {
        Self { size: GoodSize::default(), edge_bytes_max: 1024 * 1024, splits_per_instance: 32 }
    }
}

/// One run under way.
pub(crate) struct Run<'a> {
    pub(crate) plan: &'a RunPlan,
    pub(crate) journal: &'a dyn Journal,
    pub(crate) clock: &'a dyn Clock,
    pub(crate) observer: &'a dyn Observer,
    pub(crate) tuning: Tuning,
    pub(crate) stop: Arc<Stop>,
    pub(crate) state: Mutex<RunSoFar>,
    /// Events that are still to be written; before any other.
    pub(crate) pending: Mutex<Vec<Event>>,
    pub(crate) pulse: Pulse,
}

/// What the conductor of a run waits for.
#[derive(Default)]
pub(crate) struct Pulse {
    /// Stages that have ended.
    pub(crate) ended: Mutex<usize>,
    pub(crate) bell: Condvar,
}

impl Pulse {
    /// Has the conductor look again.
    pub(crate) fn ring(&self) {
        drop(lock(&self.ended));
        self.bell.notify_all();
    }
}

/// What is known of the run.
pub(crate) struct RunSoFar {
    /// The fold of all events.
    pub(crate) record: RunRecord,
    /// How the run is to end, if not well.
    pub(crate) ending: Option<Ending>,
    /// The journal failed.
    pub(crate) journal_error: Option<JournalError>,
    /// Receipts of the loads that were opened, by stage.
    pub(crate) loads: BTreeMap<String, Vec<String>>,
    /// New bookmarks of the extracts, by stage.
    pub(crate) bookmarks: BTreeMap<String, String>,
}

/// How a run ends that does not end well. The first to be known counts.
#[derive(Clone)]
pub(crate) enum Ending {
    Failed(Fault),
    Cancelled,
}

impl Run<'_> {
    /// Writes events, behind those that are pending. A failure of the journal stops the run.
    pub(crate) fn append(&self, events: &[Event]) -> Result<(), JournalError> {
        let mut state = lock(&self.state);
        let mut all = std::mem::take(&mut *lock(&self.pending));
        all.extend_from_slice(events);
        let events = &all;
        if events.is_empty() {
            return Ok(());
        }
        let at = self.clock.now();
        let mut record = state.record.clone();
        let written = events
            .iter()
            .try_for_each(|event| record.apply(at, event).map_err(|error| JournalError(error.to_string())))
            .and_then(|()| self.journal.append(self.plan.id, at, events));
        match written {
            Ok(()) => {
                state.record = record;
                drop(state);
                for event in events {
                    self.observer.event(event);
                }
                Ok(())
            }
            Err(error) => {
                drop(state);
                Err(self.journal_failed(error))
            }
        }
    }

    /// Has the conductor write an event, and goes on meanwhile: one that tells how far a stage is, and that recovery does not read.
    pub(crate) fn append_soon(&self, event: Event) {
        lock(&self.pending).push(event);
        self.pulse.ring();
    }

    pub(crate) fn journal_failed(&self, error: JournalError) -> JournalError {
        lock(&self.state).journal_error.get_or_insert(error.clone());
        self.stop.stop();
        error
    }

    /// The same, where a stage is the one that writes.
    pub(crate) fn append_for(&self, stage: &str, event: Event) -> Result<(), Fault> {
        self.append(&[event]).map_err(|error| host_fault("journal", &error.0).of_stage(stage))
    }

    pub(crate) fn log(&self, stage: &str, lines: &[LogLine]) -> Result<(), Fault> {
        if lines.is_empty() {
            return Ok(());
        }
        self.journal
            .log(self.plan.id, stage, self.clock.now(), lines)
            .map_err(|error| host_fault("log", &self.journal_failed(error).0).of_stage(stage))
    }

    /// A line that the host says about a stage; a failure to write it is told by whatever is written next.
    pub(crate) fn tell(&self, stage: &str, level: Level, message: String) {
        let _ = self.log(stage, &[LogLine { level, source: LogSource::Host, message }]);
    }

    pub(crate) fn quarantine(&self, stage: &str, rows: &Quarantined) -> Result<(), Fault> {
        self.journal
            .quarantine(self.plan.id, stage, self.clock.now(), rows)
            .map_err(|error| host_fault("quarantine", &self.journal_failed(error).0).of_stage(stage))
    }

    /// Remembers the first fault of the run, and stops everything.
    pub(crate) fn fail(&self, fault: &Fault) {
        lock(&self.state).ending.get_or_insert_with(|| Ending::Failed(fault.clone()));
        self.stop.stop();
    }

    /// Somebody wants the run to stop.
    pub(crate) fn cancel(&self) {
        lock(&self.state).ending.get_or_insert(Ending::Cancelled);
        self.stop.stop();
    }

    /// The fault that ended the run, if it is the stage's.
    pub(crate) fn failed_because_of(&self, stage: &str) -> Option<Fault> {
        match &lock(&self.state).ending {
            Some(Ending::Failed(fault)) if fault.stage == stage => Some(fault.clone()),
            _ => None,
        }
    }

    pub(crate) fn stage_state(&self, stage: usize) -> StageState {
        lock(&self.state).record.stages.get(stage).map_or(StageState::Pending, |stage| stage.state)
    }

    pub(crate) fn context(&self, stage: &str, attempt: u32) -> RunContext {
        RunContext {
            run_id: self.plan.id.to_string(),
            randomness: self.plan.load_key.clone(),
            pipeline: self.plan.pipeline.name.clone(),
            stage: stage.to_owned(),
            attempt,
            interval_start: self.plan.interval.start,
            interval_end: self.plan.interval.end,
        }
    }
}

/// The host could not go on.
pub(crate) fn host_fault(call: &str, message: &str) -> Fault {
    Fault::new(FaultKind::Host, call, message)
}

/// The run stops; said only within the runner.
pub(crate) fn stopped() -> Fault {
    Fault::new(FaultKind::Cancelled, "wait", "the run was stopped")
}
