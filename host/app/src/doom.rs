//! For the tests of recovery: a process that kills itself as it writes to its journal.
//!
//! `SLUICEBOX_TEST_DIE_AT=N` kills the process with SIGKILL right before it writes its event number N (counted from 1);
//! with `N+` right after. `SLUICEBOX_TEST_STOP_AT` stops it there with SIGSTOP, so that a test can change the world before
//! it lets the process go on. Without them, nothing of this is there.

use jiff::Timestamp;
use sluicebox_model::journal::{FailedCall, Journal, JournalError, Quarantined};
use sluicebox_model::run::{Event, RunId};
use sluicebox_model::stage::LogLine;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// When the process dies or stops.
#[derive(Clone, Copy, Debug)]
struct Moment {
    event: u64,
    after: bool,
}

impl Moment {
    fn of(variable: &str) -> Option<Self> {
        let text = std::env::var(variable).ok()?;
        Some(Self { event: text.trim_end_matches('+').parse().ok()?, after: text.ends_with('+') })
    }

    fn is_in(self, is_after: bool, first: u64, count: u64) -> bool {
        self.after == is_after && (first..first + count).contains(&self.event)
    }
}

/// A journal that takes the process down.
pub(crate) struct Doomed<'a> {
    journal: &'a dyn Journal,
    dies: Option<Moment>,
    stops: Option<Moment>,
}

static WRITTEN: AtomicU64 = AtomicU64::new(0);

impl<'a> Doomed<'a> {
    /// The journal, doomed if the environment says so.
    pub(crate) fn new(journal: &'a dyn Journal) -> Self {
        Self { journal, dies: Moment::of("SLUICEBOX_TEST_DIE_AT"), stops: Moment::of("SLUICEBOX_TEST_STOP_AT") }
    }

    fn at(&self, is_after: bool, first: u64, count: u64) {
        if self.stops.is_some_and(|moment| moment.is_in(is_after, first, count)) {
            signal("-STOP");
        }
        if self.dies.is_some_and(|moment| moment.is_in(is_after, first, count)) {
            signal("-KILL");
            loop {
                std::thread::sleep(Duration::from_secs(1));
            }
        }
    }
}

/// The one way to send a signal without unsafe code.
fn signal(signal: &str) {
    let _ = std::process::Command::new("kill").args([signal, &std::process::id().to_string()]).status();
}

impl Journal for Doomed<'_> {
    fn append(&self, run: RunId, at: Timestamp, events: &[Event]) -> Result<(), JournalError> {
        let count = events.len() as u64;
        let first = WRITTEN.fetch_add(count, Ordering::SeqCst) + 1;
        self.at(false, first, count);
        self.journal.append(run, at, events)?;
        self.at(true, first, count);
        Ok(())
    }

    fn log(&self, run: RunId, stage: &str, at: Timestamp, lines: &[LogLine]) -> Result<(), JournalError> {
        self.journal.log(run, stage, at, lines)
    }

    fn quarantine(&self, run: RunId, stage: &str, at: Timestamp, rows: &Quarantined) -> Result<(), JournalError> {
        self.journal.quarantine(run, stage, at, rows)
    }

    fn keep_call(&self, run: RunId, call: &FailedCall) -> Result<(), JournalError> {
        self.journal.keep_call(run, call)
    }

    fn bookmark(&self, pipeline: &str, stage: &str) -> Result<Option<String>, JournalError> {
        self.journal.bookmark(pipeline, stage)
    }
}
