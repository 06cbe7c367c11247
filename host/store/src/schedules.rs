//! What is known of each pipeline's schedule: until when its times were decided on, and whether it is paused.

use crate::error::StoreError;
use crate::house::keep_event;
use crate::store::{Store, nanoseconds, timestamp};
use crate::watch::Change;
use jiff::Timestamp;
use rusqlite::{Connection, TransactionBehavior, params};
use sluicebox_model::house::{HouseEvent, PausedState, ScheduleState};
use std::collections::BTreeMap;

impl Store {
    /// What is known of the schedules of all pipelines, also of those that are not there any more.
    ///
    /// # Errors
    /// The database cannot be read.
    pub fn schedule_states(&self) -> Result<BTreeMap<String, ScheduleState>, StoreError> {
        self.quick(|connection| {
            let mut select = connection
                .prepare("SELECT pipeline, decided_until, paused_at, paused_by, paused_reason FROM schedules")?;
            let states = select.query_map([], |row| {
                let paused = match row.get::<_, Option<i64>>(2)? {
                    Some(at) => Some(PausedState { at: timestamp(at), by: row.get(3)?, reason: row.get(4)? }),
                    None => None,
                };
                let decided_until = row.get::<_, Option<i64>>(1)?.map(timestamp);
                Ok((row.get(0)?, ScheduleState { decided_until, paused }))
            })?;
            states.collect()
        })
    }

    /// Has a pipeline not run by itself until it is resumed. Answers with whether it did until now; if not, all stays as it
    /// was, the reason too.
    ///
    /// # Errors
    /// The database cannot be written.
    pub fn pause(&self, pipeline: &str, by: &str, reason: &str, at: Timestamp) -> Result<bool, StoreError> {
        let event = HouseEvent::Paused { by: by.to_owned(), reason: reason.to_owned() };
        self.switch(pipeline, at, &event, |connection| {
            connection.execute(
                "INSERT INTO schedules (pipeline, paused_at, paused_by, paused_reason) VALUES (?1, ?2, ?3, ?4)
                 ON CONFLICT DO UPDATE SET paused_at = excluded.paused_at, paused_by = excluded.paused_by,
                     paused_reason = excluded.paused_reason
                 WHERE paused_at IS NULL",
                params![pipeline, nanoseconds(at), by, reason],
            )
        })
    }

    /// Has a pipeline run by itself again. Answers with whether it was paused.
    ///
    /// # Errors
    /// The database cannot be written.
    pub fn resume(&self, pipeline: &str, by: &str, at: Timestamp) -> Result<bool, StoreError> {
        self.switch(pipeline, at, &HouseEvent::Resumed { by: by.to_owned() }, |connection| {
            connection.execute(
                "UPDATE schedules SET paused_at = NULL, paused_by = NULL, paused_reason = NULL
                 WHERE pipeline = ?1 AND paused_at IS NOT NULL",
                [pipeline],
            )
        })
    }

    /// Changes a row and keeps the event with it; no event if there is no change.
    fn switch(
        &self,
        pipeline: &str,
        at: Timestamp,
        event: &HouseEvent,
        change: impl FnOnce(&Connection) -> Result<usize, rusqlite::Error>,
    ) -> Result<bool, StoreError> {
        let last = self.durable(|connection| {
            let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
            let last = match change(&transaction)? {
                0 => None,
                _ => Some(keep_event(&transaction, at, Some(pipeline), event)?),
            };
            transaction.commit()?;
            Ok(last)
        })?;
        if let Some(last) = last {
            self.tell(&Change::House { last });
        }
        Ok(last.is_some())
    }
}

/// Keeps until when the times of a schedule were decided on.
pub(crate) fn keep_decided_until(
    connection: &Connection,
    pipeline: &str,
    until: Timestamp,
) -> Result<(), rusqlite::Error> {
    connection
        .prepare_cached(
            "INSERT INTO schedules (pipeline, decided_until) VALUES (?1, ?2)
             ON CONFLICT DO UPDATE SET decided_until = excluded.decided_until",
        )?
        .execute(params![pipeline, nanoseconds(until)])?;
    Ok(())
}
