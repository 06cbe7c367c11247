//! What happened to the house.

use crate::error::StoreError;
use crate::store::{Store, from_json, nanoseconds, timestamp, to_json};
use crate::watch::Change;
use jiff::Timestamp;
use rusqlite::{Connection, TransactionBehavior, params};
use sluicebox_model::house::{HouseEntry, HouseEvent, NewHouseEvent};

/// Which events of the house.
#[derive(Clone, Debug, Default)]
pub struct HouseFilter {
    /// With a higher id.
    pub after: Option<u64>,
    /// With a lower id.
    pub before: Option<u64>,
    /// About this pipeline.
    pub pipeline: Option<String>,
    /// With one of these names; empty: with any.
    pub kinds: Vec<String>,
    /// At most so many; none: 100.
    pub limit: Option<u32>,
    /// The newest of them, the newest first; else the oldest, the oldest first.
    pub newest_first: bool,
}

impl Store {
    /// Keeps events of the house, all or none; durable when it returns. Answers with the id of the last one; 0 if there is
    /// none.
    ///
    /// # Errors
    /// The database cannot be written.
    pub fn house_append(&self, at: Timestamp, events: &[NewHouseEvent]) -> Result<u64, StoreError> {
        if events.is_empty() {
            return Ok(0);
        }
        let last = self.durable(|connection| {
            let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
            let mut last = 0;
            for new in events {
                last = keep_event(&transaction, at, new.pipeline.as_deref(), &new.event)?;
            }
            transaction.commit()?;
            Ok(last)
        })?;
        self.tell(&Change::House { last });
        Ok(last)
    }

    /// Events of the house.
    ///
    /// # Errors
    /// The database cannot be read.
    pub fn house_events(&self, filter: &HouseFilter) -> Result<Vec<HouseEntry>, StoreError> {
        let order = if filter.newest_first { "DESC" } else { "ASC" };
        let pipeline = if filter.pipeline.is_some() { "pipeline = ?3" } else { "?3 IS NULL" };
        let (after, before) = (filter.after.map(signed), filter.before.map(signed));
        self.quick(|connection| {
            let kinds = if filter.kinds.is_empty() { None } else { Some(to_json(&filter.kinds)?) };
            let mut select = connection.prepare_cached(&format!(
                "SELECT id, at, pipeline, body FROM house_events
                 WHERE id > coalesce(?1, 0) AND id < coalesce(?2, 9223372036854775807) AND {pipeline}
                    AND (?4 IS NULL OR kind IN (SELECT value FROM json_each(?4)))
                 ORDER BY id {order} LIMIT ?5"
            ))?;
            let limit = filter.limit.unwrap_or(100);
            let rows = select.query_map(params![after, before, filter.pipeline, kinds, limit], |row| {
                let body: String = row.get(3)?;
                Ok(HouseEntry {
                    id: unsigned(row.get(0)?),
                    at: timestamp(row.get(1)?),
                    pipeline: row.get(2)?,
                    event: from_json(3, &body)?,
                })
            })?;
            rows.collect()
        })
    }

    /// The id of the last event of the house; 0 if there is none.
    ///
    /// # Errors
    /// The database cannot be read.
    pub fn last_house_event(&self) -> Result<u64, StoreError> {
        let last: i64 = self.quick(|connection| {
            connection.query_row("SELECT coalesce(max(id), 0) FROM house_events", [], |row| row.get(0))
        })?;
        Ok(unsigned(last))
    }
}

/// Appends an event within a transaction of the caller; answers with its id.
pub(crate) fn keep_event(
    connection: &Connection,
    at: Timestamp,
    pipeline: Option<&str>,
    event: &HouseEvent,
) -> Result<u64, rusqlite::Error> {
    connection
        .prepare_cached("INSERT INTO house_events (at, pipeline, kind, body) VALUES (?1, ?2, ?3, ?4)")?
        .execute(params![nanoseconds(at), pipeline, event.name(), to_json(event)?])?;
    Ok(unsigned(connection.last_insert_rowid()))
}

/// A number of the tables that is never below 0.
pub(crate) fn unsigned(number: i64) -> u64 {
    u64::try_from(number).unwrap_or(0)
}

/// As in the tables.
pub(crate) fn signed(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}
