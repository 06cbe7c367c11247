//! For the tests of recovery: a process that kills itself as it writes to its journal.
//!
//! `SLUICEBOX_TEST_DIE_AT=N` kills the process with SIGKILL right before it writes its event number N (counted from 1);
//! with `N+` right after. Without it, nothing of this is there.

use jiff::Timestamp;
use sluicebox_model::journal::{FailedCall, Journal, JournalError, Quarantined};
use sluicebox_model::run::{Event, RunId};
use sluicebox_model::stage::LogLine;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// When the process dies.
#[derive(Clone, Copy, Debug)]
struct Moment {
    event: u64,
    after: bool,
}

/// A journal that takes the process down.
pub(crate) struct Doomed<'a> {
    journal: &'a dyn Journal,
    moment: Option<Moment>,
}

static WRITTEN: AtomicU64 = AtomicU64::new(0);

impl<'a> Doomed<'a> {
    /// The journal, doomed if the environment says so.
    pub(crate) fn new(journal: &'a dyn Journal) -> Self {
        let moment = std::env::var("SLUICEBOX_TEST_DIE_AT").ok().and_then(|text| {
            let after = text.ends_with('+');
            Some(Moment { event: text.trim_end_matches('+').parse().ok()?, after })
        });
        Self { journal, moment }
    }

    fn die_if(&self, is_after: bool, first: u64, count: u64) {
        let Some(moment) = self.moment else { return };
        if moment.after == is_after && (first..first + count).contains(&moment.event) {
            // The one way to send SIGKILL without unsafe code.
            let _ = std::process::Command::new("kill").args(["-9", &std::process::id().to_string()]).status();
            loop {
                std::thread::sleep(Duration::from_secs(1));
            }
        }
    }
}

impl Journal for Doomed<'_> {
    fn append(&self, run: RunId, at: Timestamp, events: &[Event]) -> Result<(), JournalError> {
        let count = events.len() as u64;
        let first = WRITTEN.fetch_add(count, Ordering::SeqCst) + 1;
        self.die_if(false, first, count);
        self.journal.append(run, at, events)?;
        self.die_if(true, first, count);
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
