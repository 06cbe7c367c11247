//! What is new: of one run, or of all.

use crate::error::StoreError;
use crate::house::{signed, unsigned};
use crate::query::{LogEntry, log_entry};
use crate::store::{Store, from_json, from_word, timestamp};
use jiff::Timestamp;
use rusqlite::{Row, params};
use serde::Serialize;
use sluicebox_model::run::{Event, RunId};

/// An event of a run, with its places.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct JournalEntry {
    /// Its place among the events of all runs; grows with each event.
    pub position: u64,
    /// The run.
    pub run: RunId,
    /// Its number within the run, counted from 0.
    pub sequence: u64,
    /// When.
    pub at: Timestamp,
    /// What.
    #[serde(flatten)]
    pub event: Event,
}

const COLUMNS: &str = "id, run, sequence, at, body";

impl Store {
    /// The events of a run behind the one with this number, at most `limit`, in order; with none, from the first on.
    ///
    /// # Errors
    /// The database cannot be read.
    pub fn events_after(&self, run: RunId, after: Option<u64>, limit: u32) -> Result<Vec<JournalEntry>, StoreError> {
        self.quick(|connection| {
            let mut select = connection.prepare_cached(&format!(
                "SELECT {COLUMNS} FROM events WHERE run = ?1 AND sequence > ?2 ORDER BY sequence LIMIT ?3"
            ))?;
            select.query_map(params![run.to_string(), after.map_or(-1, signed), limit], entry)?.collect()
        })
    }

    /// The events of all runs behind this place, at most `limit`, in the order in which they were written.
    ///
    /// # Errors
    /// The database cannot be read.
    pub fn new_events(&self, after: u64, limit: u32) -> Result<Vec<JournalEntry>, StoreError> {
        self.quick(|connection| {
            let mut select = connection
                .prepare_cached(&format!("SELECT {COLUMNS} FROM events WHERE id > ?1 ORDER BY id LIMIT ?2"))?;
            select.query_map(params![signed(after), limit], entry)?.collect()
        })
    }

    /// The place of the last event of all runs; 0 if there is none.
    ///
    /// # Errors
    /// The database cannot be read.
    pub fn last_position(&self) -> Result<u64, StoreError> {
        let last: i64 = self.quick(|connection| {
            connection.query_row("SELECT coalesce(max(id), 0) FROM events", [], |row| row.get(0))
        })?;
        Ok(unsigned(last))
    }

    /// The lines of a run's log behind the one with this id, at most `limit`, with their ids, in the order of telling; with 0,
    /// from the first on.
    ///
    /// # Errors
    /// The database cannot be read.
    pub fn logs_after(&self, run: RunId, after: u64, limit: u32) -> Result<Vec<(u64, LogEntry)>, StoreError> {
        self.quick(|connection| {
            let mut select = connection.prepare_cached(
                "SELECT at, stage, level, source, message, id FROM logs WHERE run = ?1 AND id > ?2 ORDER BY id LIMIT ?3",
            )?;
            let lines = select.query_map(params![run.to_string(), signed(after), limit], |row| {
                Ok((unsigned(row.get(5)?), log_entry(row)?))
            })?;
            lines.collect()
        })
    }
}

fn entry(row: &Row<'_>) -> Result<JournalEntry, rusqlite::Error> {
    let body: String = row.get(4)?;
    Ok(JournalEntry {
        position: unsigned(row.get(0)?),
        run: from_word(1, row.get(1)?)?,
        sequence: unsigned(row.get(2)?),
        at: timestamp(row.get(3)?),
        event: from_json(4, &body)?,
    })
}
