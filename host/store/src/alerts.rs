//! Alerts on their way: kept with what they tell of, delivered at least once, told once.

use crate::error::StoreError;
use crate::house::{keep_event, signed, unsigned};
use crate::store::{Store, from_json, from_word, nanoseconds, timestamp, to_json};
use crate::watch::Change;
use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, Row, TransactionBehavior, params};
use sluicebox_model::house::{Alert, Decided, HouseEvent, NewAlert};
use std::collections::BTreeSet;

/// Runs of a pipeline that failed, or crashed, in a row, counted by their ends. Runs that a later one repeats count with that
/// one: the attempts of one run are one failure. A run that was cancelled, or has not ended, says nothing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Failures {
    /// How many.
    pub count: u64,
    /// When the first of them ended.
    pub since: Option<Timestamp>,
    /// When the run that ended well before them did.
    pub last_success: Option<Timestamp>,
}

/// How an attempt went.
enum Attempt<'a> {
    Delivered,
    Failed { next_at: Timestamp, error: &'a str },
    GivenUp { error: &'a str },
}

const COLUMNS: &str =
    "id, pipeline, run, about, kind, target, body, queued_at, state, attempts, next_at, settled_at, error";

impl Store {
    /// Has people told. Answers with one id for each; none where it was there before. Durable when it returns.
    ///
    /// # Errors
    /// The database cannot be written; then nobody is told.
    pub fn enqueue_alerts(&self, alerts: Vec<NewAlert>, at: Timestamp) -> Result<Vec<Option<u64>>, StoreError> {
        Ok(self.decide(&Decided { alerts, ..Decided::default() }, at)?.alerts)
    }

    /// Alerts whose next attempt is due, the longest overdue first.
    ///
    /// # Errors
    /// The database cannot be read.
    pub fn due_alerts(&self, now: Timestamp, limit: u32) -> Result<Vec<Alert>, StoreError> {
        self.quick(|connection| {
            let mut select = connection.prepare_cached(&format!(
                "SELECT {COLUMNS} FROM alerts WHERE state = 'waiting' AND next_at <= ?1 ORDER BY next_at, id LIMIT ?2"
            ))?;
            select.query_map(params![nanoseconds(now), limit], alert)?.collect()
        })
    }

    /// When the next attempt of any alert is due; none: none waits.
    ///
    /// # Errors
    /// The database cannot be read.
    pub fn next_alert_at(&self) -> Result<Option<Timestamp>, StoreError> {
        let at: Option<i64> = self.quick(|connection| {
            connection.query_row("SELECT min(next_at) FROM alerts WHERE state = 'waiting'", [], |row| row.get(0))
        })?;
        Ok(at.map(timestamp))
    }

    /// An alert, in whatever state.
    ///
    /// # Errors
    /// The database cannot be read.
    pub fn alert(&self, id: u64) -> Result<Option<Alert>, StoreError> {
        self.quick(|connection| {
            connection
                .prepare_cached(&format!("SELECT {COLUMNS} FROM alerts WHERE id = ?1"))?
                .query_row([signed(id)], alert)
                .optional()
        })
    }

    /// Keeps that an alert was delivered. Answers with whether it waited.
    ///
    /// # Errors
    /// The database cannot be written; the alert may be delivered again.
    pub fn alert_delivered(&self, id: u64, at: Timestamp) -> Result<bool, StoreError> {
        self.attempted(id, at, &Attempt::Delivered)
    }

    /// Keeps that an attempt failed, and when the next one is due. Answers with whether the alert waited.
    ///
    /// # Errors
    /// The database cannot be written.
    pub fn alert_failed(&self, id: u64, at: Timestamp, next_at: Timestamp, error: &str) -> Result<bool, StoreError> {
        self.attempted(id, at, &Attempt::Failed { next_at, error })
    }

    /// Keeps that the last attempt failed and that there is no other. Answers with whether the alert waited.
    ///
    /// # Errors
    /// The database cannot be written.
    pub fn alert_given_up(&self, id: u64, at: Timestamp, error: &str) -> Result<bool, StoreError> {
        self.attempted(id, at, &Attempt::GivenUp { error })
    }

    fn attempted(&self, id: u64, at: Timestamp, attempt: &Attempt<'_>) -> Result<bool, StoreError> {
        let last = self.durable(|connection| {
            let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
            let last = keep_attempt(&transaction, id, at, attempt)?;
            transaction.commit()?;
            Ok(last)
        })?;
        if let Some(last) = last {
            self.tell(&Change::Alerts);
            self.tell(&Change::House { last });
        }
        Ok(last.is_some())
    }

    /// The failures of a pipeline in a row: those since the last run that ended well. With `after`, only of runs that were made
    /// later; with `before`, as it was before that time.
    ///
    /// # Errors
    /// The database cannot be read.
    pub fn failures(
        &self,
        pipeline: &str,
        after: Option<Timestamp>,
        before: Option<Timestamp>,
    ) -> Result<Failures, StoreError> {
        let (after, before) = (after.map_or(i64::MIN, nanoseconds), before.map_or(i64::MAX, nanoseconds));
        self.quick(|connection| {
            let last: Option<i64> = connection
                .prepare_cached(
                    "SELECT max(ended_at) FROM runs WHERE pipeline = ?1 AND state = 'succeeded' AND ended_at < ?2",
                )?
                .query_row(params![pipeline, before], |row| row.get(0))?;
            let (count, since): (i64, Option<i64>) = connection
                .prepare_cached(
                    "SELECT count(*), min(ended_at) FROM runs AS failed
                     WHERE pipeline = ?1 AND state IN ('failed', 'crashed') AND ended_at > ?2 AND ended_at < ?3
                        AND queued_at > ?4 AND NOT EXISTS (SELECT 1 FROM runs AS later
                            WHERE later.repeats = failed.id AND later.state IN ('failed', 'crashed') AND later.ended_at < ?3)",
                )?
                .query_row(params![pipeline, last.unwrap_or(-1), before, after], |row| {
                    Ok((row.get(0)?, row.get(1)?))
                })?;
            Ok(Failures { count: unsigned(count), since: since.map(timestamp), last_success: last.map(timestamp) })
        })
    }

    /// Targets that were told of a failure of a pipeline, and not yet of a recovery; with `after`, those that were told later.
    ///
    /// # Errors
    /// The database cannot be read.
    pub fn open_failures(&self, pipeline: &str, after: Option<Timestamp>) -> Result<BTreeSet<String>, StoreError> {
        let after = after.map_or(i64::MIN, nanoseconds);
        self.quick(|connection| {
            let mut last = connection.prepare_cached(
                // The kind is that of the row with the highest id.
                "SELECT target, kind, max(id) FROM alerts
                 WHERE pipeline = ?1 AND kind IN ('failure', 'recovery') AND queued_at > ?2
                 GROUP BY target",
            )?;
            let last = last
                .query_map(params![pipeline, after], |row| Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?)))?;
            let mut open = BTreeSet::new();
            for told in last {
                let (target, kind) = told?;
                if kind == "failure" {
                    open.insert(target);
                }
            }
            Ok(open)
        })
    }
}

/// Keeps an alert within a transaction of the caller; none if it is there already.
pub(crate) fn keep_alert(
    connection: &Connection,
    new: &NewAlert,
    at: Timestamp,
    last: &mut u64,
) -> Result<Option<u64>, rusqlite::Error> {
    let run = new.run.map(|run| run.to_string());
    let about = if new.about.is_empty() { run.as_deref().unwrap_or_default() } else { &new.about };
    let kept = connection
        .prepare_cached(
            "INSERT INTO alerts (pipeline, run, about, kind, target, body, queued_at, state, attempts, next_at)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, 'waiting', 0, ?7)
             ON CONFLICT (pipeline, about, kind, target) DO NOTHING",
        )?
        .execute(params![
            new.pipeline,
            run,
            about,
            new.kind.word(),
            new.target,
            to_json(&new.body)?,
            nanoseconds(at),
        ])?;
    if kept == 0 {
        return Ok(None);
    }
    let id = unsigned(connection.last_insert_rowid());
    let event = HouseEvent::AlertQueued { alert: id, kind: new.kind, target: new.target.clone(), run: new.run };
    *last = keep_event(connection, at, Some(&new.pipeline), &event)?;
    Ok(Some(id))
}

/// Keeps how an attempt went, with its event; none if the alert does not wait.
fn keep_attempt(
    connection: &Connection,
    id: u64,
    at: Timestamp,
    attempt: &Attempt<'_>,
) -> Result<Option<u64>, rusqlite::Error> {
    let before: Option<(String, String, i64)> = connection
        .prepare_cached("SELECT pipeline, target, attempts FROM alerts WHERE id = ?1 AND state = 'waiting'")?
        .query_row([signed(id)], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))
        .optional()?;
    let Some((pipeline, target, attempts)) = before else { return Ok(None) };
    let number = u32::try_from(attempts).unwrap_or(u32::MAX).saturating_add(1);
    let (state, next_at, error, event) = match *attempt {
        Attempt::Delivered => {
            let event = HouseEvent::AlertDelivered { alert: id, target, attempt: number };
            ("delivered", None, None, event)
        }
        Attempt::Failed { next_at, error } => {
            let reason = error.to_owned();
            let event = HouseEvent::AlertFailed { alert: id, target, reason, attempt: number, next_at };
            ("waiting", Some(next_at), Some(error), event)
        }
        Attempt::GivenUp { error } => {
            let event = HouseEvent::AlertGivenUp { alert: id, target, reason: error.to_owned(), attempt: number };
            ("given-up", None, Some(error), event)
        }
    };
    connection
        .prepare_cached(
            "UPDATE alerts SET state = ?2, attempts = ?3, next_at = ?4, settled_at = ?5, error = coalesce(?6, error)
             WHERE id = ?1",
        )?
        .execute(params![
            signed(id),
            state,
            number,
            next_at.map(nanoseconds),
            next_at.is_none().then_some(nanoseconds(at)),
            error,
        ])?;
    keep_event(connection, at, Some(&pipeline), &event).map(Some)
}

fn alert(row: &Row<'_>) -> Result<Alert, rusqlite::Error> {
    let time = |column: usize| Ok::<_, rusqlite::Error>(row.get::<_, Option<i64>>(column)?.map(timestamp));
    let run: Option<String> = row.get(2)?;
    let about: String = row.get(3)?;
    let body: String = row.get(6)?;
    // What is about the run was asked for so.
    let about = if run.as_ref() == Some(&about) { String::new() } else { about };
    Ok(Alert {
        id: unsigned(row.get(0)?),
        what: NewAlert {
            pipeline: row.get(1)?,
            run: run.map(|run| from_word(2, run)).transpose()?,
            about,
            kind: from_word(4, row.get(4)?)?,
            target: row.get(5)?,
            body: from_json(6, &body)?,
        },
        queued_at: timestamp(row.get(7)?),
        state: from_word(8, row.get(8)?)?,
        attempts: u32::try_from(row.get::<_, i64>(9)?).unwrap_or(u32::MAX),
        next_at: time(10)?,
        settled_at: time(11)?,
        error: row.get(12)?,
    })
}
