//! A second place for the one decision that must not be lost.
//!
//! A database that lost its last pages - a disk that lied, a file that was cut - opens without a word, as it was some events
//! ago. Where the event that decided a commit is among them, a recovery would take the run for one that showed nothing, and
//! load its rows a second time. So `last-commit.json` beside the database holds the events of the last run that was
//! committed, up to that event, and a host looks at both before it recovers.

use crate::error::StoreError;
use crate::journal::read_events;
use crate::store::Store;
use jiff::Timestamp;
use rusqlite::{OptionalExtension, Transaction};
use serde::{Deserialize, Serialize};
use sluicebox_model::journal::Journal;
use sluicebox_model::run::{Event, RunId, RunRecord};
use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};

const FILE: &str = "last-commit.json";

/// What stands in the file.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) struct Witness {
    run: RunId,
    pipeline: String,
    /// The run whose commit was decided before it.
    before: Option<RunId>,
    events: Vec<(Timestamp, Event)>,
}

impl Witness {
    /// The events of a run that is about to commit, as they will stand in the database.
    pub(crate) fn of(transaction: &Transaction<'_>, record: &RunRecord) -> Result<Self, rusqlite::Error> {
        let events = read_events(transaction, record.id)?;
        Ok(Self { run: record.id, pipeline: record.pipeline.clone(), before: None, events })
    }
}

impl Store {
    fn witness_path(&self) -> PathBuf {
        self.folder.join(FILE)
    }

    /// A file that cannot be read witnesses nothing: the database is what counts.
    fn witness(&self) -> Option<Witness> {
        serde_json::from_slice(&std::fs::read(self.witness_path()).ok()?).ok()
    }

    /// Commits the decision to commit a run, and keeps its events a second time. Both wait for the disk, side by side; the copy
    /// counts from when it has its name, which it gets once the decision is durable: what was not decided has no witness. What
    /// goes wrong with the copy is not told: the decision must not be undone for want of it.
    pub(crate) fn commit_with(&self, transaction: Transaction<'_>, witness: Witness) -> Result<(), rusqlite::Error> {
        let half = self.folder.join(format!("{FILE}.half"));
        let write = || self.write_witness(&half, witness);
        let (committed, written) = std::thread::scope(|scope| {
            let writing = std::thread::Builder::new().name("witness".to_owned()).spawn_scoped(scope, write);
            let committed = transaction.commit();
            (committed, writing.is_ok_and(|writing| writing.join().is_ok_and(|written| written.is_ok())))
        });
        if committed.is_err() || !written || std::fs::rename(&half, self.witness_path()).is_err() {
            let _ = std::fs::remove_file(&half);
        }
        committed
    }

    fn write_witness(&self, half: &Path, mut witness: Witness) -> std::io::Result<()> {
        witness.before = self.witness().map(|before| before.run).filter(|before| *before != witness.run);
        let mut file = File::create(half)?;
        file.write_all(&serde_json::to_vec(&witness)?)?;
        file.sync_all()
    }

    /// Holds the database against the copy of the last decision to commit, and puts back events that it has lost; answers with
    /// the run that they are of. For whoever has the right to run pipelines, before anything is recovered.
    ///
    /// # Errors
    /// [`StoreError::Lost`] if it has lost more than can be put back.
    pub fn put_back(&self) -> Result<Option<RunId>, StoreError> {
        let Some(witness) = self.witness() else { return Ok(None) };
        if self.is_decided(witness.run)? {
            return Ok(None);
        }
        let lost = |run: RunId| StoreError::Lost {
            path: self.file.clone(),
            witness: self.witness_path(),
            run: run.to_string(),
            pipeline: witness.pipeline.clone(),
        };
        if let Some(before) = witness.before
            && !self.is_decided(before)?
        {
            return Err(lost(before));
        }
        let known = self.events(witness.run)?;
        let Some(missing) = witness.events.strip_prefix(known.as_slice()) else { return Err(lost(witness.run)) };
        for (at, event) in missing {
            self.append(witness.run, *at, std::slice::from_ref(event)).map_err(|_| lost(witness.run))?;
        }
        Ok(Some(witness.run))
    }

    /// Whether the commit of a run is decided, as far as the database knows.
    fn is_decided(&self, run: RunId) -> Result<bool, StoreError> {
        let at: Option<Option<i64>> = self.quick(|connection| {
            let mut select = connection.prepare("SELECT committing_at FROM runs WHERE id = ?1")?;
            select.query_row([run.to_string()], |row| row.get(0)).optional()
        })?;
        Ok(at.flatten().is_some())
    }
}
