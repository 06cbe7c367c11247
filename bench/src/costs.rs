//! What checkpoints and the journal cost: the flights job with and without each. A user has no switch for the journal: it is
//! left out through the library, in this process.

use crate::bed::Bed;
use crate::job::{Job, Memory, prepare};
use crate::measure::{Cost, cost, process_cpu};
use anyhow::Result;
use jiff::Timestamp;
use sluicebox_model::journal::{FailedCall, Journal, JournalError, Quarantined};
use sluicebox_model::run::{Event, RunId};
use sluicebox_model::stage::LogLine;
use sluicebox_store::Store;
use std::path::Path;
use std::process::Command;

/// Pairs of runs of each comparison.
const PAIRS: usize = 25;

/// Keeps events and logs in the store, and no rows that were set aside.
struct EventsOnly<'a>(&'a Store);

impl Journal for EventsOnly<'_> {
    fn append(&self, run: RunId, at: Timestamp, events: &[Event]) -> Result<(), JournalError> {
        self.0.append(run, at, events)
    }

    fn log(&self, run: RunId, stage: &str, at: Timestamp, lines: &[LogLine]) -> Result<(), JournalError> {
        Journal::log(self.0, run, stage, at, lines)
    }

    fn quarantine(&self, _: RunId, _: &str, _: Timestamp, _: &Quarantined) -> Result<(), JournalError> {
        Ok(())
    }

    fn keep_call(&self, run: RunId, call: &FailedCall) -> Result<(), JournalError> {
        self.0.keep_call(run, call)
    }

    fn bookmark(&self, pipeline: &str, stage: &str) -> Result<Option<String>, JournalError> {
        self.0.bookmark(pipeline, stage)
    }
}

/// All of them, each as a line of a table.
pub(crate) fn costs(sluicebox: &Path, bed: &Bed, data: &Path) -> Result<Vec<Cost>> {
    let folder = tempfile::tempdir()?;
    let root = folder.path();
    let text = prepare(data, root)?;
    let job = || Job::new(bed, root, text.clone());
    // As a user runs it.
    let (keeps, keeps_none) = (root.join("keeps.toml"), root.join("keeps-none.toml"));
    let extract = "plugin = \"extract-csv\"\n";
    std::fs::write(&keeps, &text)?;
    std::fs::write(&keeps_none, text.replace(extract, &format!("{extract}checkpoint = false\n")))?;
    let command = |pipeline: &Path| process_cpu(Command::new(sluicebox).arg("run").arg(pipeline));
    let store = Store::open(&root.join("state"))?;
    let kept = root.join("checkpoints");
    let (mut with, mut without) = (job()?, job()?);
    let memory = Memory::default;
    Ok(vec![
        cost("checkpoints, of the whole command", PAIRS, || command(&keeps), || command(&keeps_none))?,
        cost("checkpoints, of the run alone", PAIRS, || with.run(&store, Some(&kept)), || without.run(&store, None))?,
        cost(
            "the journal (events and logs), of the run alone",
            PAIRS,
            || with.run(&EventsOnly(&store), None),
            || without.run(&memory(), None),
        )?,
        cost(
            "the journal and 8,255 rows set aside, of the run alone",
            PAIRS,
            || with.run(&store, None),
            || without.run(&memory(), None),
        )?,
        cost(
            "nothing: the same twice, to show the noise",
            PAIRS,
            || with.run(&memory(), None),
            || without.run(&memory(), None),
        )?,
    ])
}
