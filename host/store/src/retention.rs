//! What runs left behind, and forgetting it.

use crate::error::StoreError;
use crate::store::{Store, from_word, nanoseconds, timestamp};
use jiff::Timestamp;
use rusqlite::TransactionBehavior;
use sluicebox_model::plugin::Digest;
use sluicebox_model::run::RunId;
use std::collections::BTreeSet;

/// A run, and whether the database still holds what it told and set aside.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Remains {
    /// The run.
    pub run: RunId,
    /// Its pipeline.
    pub pipeline: String,
    /// When it ended; none if it has not, or may still be finished.
    pub ended_at: Option<Timestamp>,
    /// Whether lines of its log are kept.
    pub has_log: bool,
    /// Whether rows or records that it set aside are kept.
    pub has_quarantine: bool,
}

impl Store {
    /// What every run left behind, the oldest run first.
    ///
    /// # Errors
    /// The database cannot be read.
    pub fn remains(&self) -> Result<Vec<Remains>, StoreError> {
        self.quick(|connection| {
            let mut select = connection.prepare(
                "SELECT id, pipeline, CASE WHEN state = 'crashed' THEN abandoned_at ELSE ended_at END,
                    EXISTS (SELECT 1 FROM logs WHERE run = runs.id),
                    EXISTS (SELECT 1 FROM quarantine WHERE run = runs.id)
                 FROM runs ORDER BY rowid",
            )?;
            let remains = select.query_map([], |row| {
                Ok(Remains {
                    run: from_word(0, row.get(0)?)?,
                    pipeline: row.get(1)?,
                    ended_at: row.get::<_, Option<i64>>(2)?.map(timestamp),
                    has_log: row.get(3)?,
                    has_quarantine: row.get(4)?,
                })
            })?;
            remains.collect()
        })
    }

    /// Forgets what a run told.
    ///
    /// # Errors
    /// The database cannot be written.
    pub fn forget_log(&self, run: RunId) -> Result<(), StoreError> {
        self.quick(|connection| connection.execute("DELETE FROM logs WHERE run = ?1", [run.to_string()]))?;
        Ok(())
    }

    /// Forgets the rows and records that a run set aside; how many there were, and why, is still known. The files are for the
    /// caller to delete, afterwards.
    ///
    /// # Errors
    /// The database cannot be written.
    pub fn forget_quarantine(&self, run: RunId) -> Result<(), StoreError> {
        self.quick(|connection| {
            let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
            transaction.execute("DELETE FROM quarantine WHERE run = ?1", [run.to_string()])?;
            transaction.commit()
        })
    }

    /// The components of the runs that ended at `since` or later, that have no end, or that are the last of their pipeline.
    ///
    /// # Errors
    /// The database cannot be read.
    pub fn components_since(&self, since: Timestamp) -> Result<BTreeSet<Digest>, StoreError> {
        self.quick(|connection| {
            let mut select = connection.prepare(
                "SELECT DISTINCT json_extract(stage.value, '$.digest')
                 FROM runs JOIN events ON events.run = runs.id AND events.sequence = 0,
                    json_each(events.body, '$.stages') AS stage
                 WHERE runs.ended_at IS NULL OR runs.ended_at >= ?1
                    OR (runs.state = 'crashed' AND runs.abandoned_at IS NULL)
                    OR runs.rowid IN (SELECT max(rowid) FROM runs GROUP BY pipeline)",
            )?;
            let digests = select.query_map([nanoseconds(since)], |row| Ok(Digest(row.get(0)?)))?;
            digests.collect()
        })
    }
}
