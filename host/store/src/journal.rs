//! Writing: the journal as the runner sees it.
//!
//! # What waits for the disk
//!
//! A commit that waits for the disk costs milliseconds, and a run has a dozen events. Only some of them have to be on disk before
//! anything else happens:
//!
//! - `run-started`, where it holds bookmarks: recovery has to resume the extracts at the same place;
//! - `stage-started` of the first load, and with it all before it: from here on something may have to be taken back. Until then a run has
//!   done nothing that anybody sees: where it is of the queue, its row there says that it is to run, and was durable before
//!   anybody outside was told of it (see `queue.rs`);
//! - `run-committing`: it decides between taking back and committing again;
//! - `load-committed`, unless it is of the last load: the next one is committed behind it;
//! - what is said of a commit that fails, and every end but `run-succeeded`. A run that loses that, with the `load-committed` of
//!   its last load, commits once more, which changes nothing, and succeeds again. No later run of its pipeline comes between:
//!   what is on disk of a later run has all before it on disk.
//!
//! The others - what the stages do, and how the monitors judge - tell people how far a run is. Recovery does not read them: it
//! takes back, or commits, every load of the run, whatever its stages had said. They are written without waiting. That is safe
//! because the database's log is one sequence of checksummed frames: a commit that waits brings all before it to disk, and after
//! a loss of power the log is valid up to some commit and nothing behind it is used. So what can be lost is a suffix of events
//! behind the last that waited: never one without all that follow it, and never one that anything outside was done for. The
//! death of the process alone loses nothing that was written, since the system holds it; what the stages do is written by the
//! runner's own thread right after they have gone on, and what was said in that moment goes with the process.

use crate::dealt::take_over_set_aside;
use crate::error::StoreError;
use crate::figures::{Counted, add_ended};
use crate::house::unsigned;
use crate::store::{Store, from_json, lock, nanoseconds, timestamp, to_json, word};
use crate::watch::Change;
use crate::witness::Witness;
use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, TransactionBehavior, params};
use sluicebox_model::journal::{FailedCall, Journal, JournalError, Quarantined};
use sluicebox_model::plugin::Kind;
use sluicebox_model::run::{Event, RunId, RunRecord, RunState};
use sluicebox_model::stage::LogLine;

impl From<StoreError> for JournalError {
    fn from(error: StoreError) -> Self {
        Self(error.to_string())
    }
}

impl Journal for Store {
    fn append(&self, run: RunId, at: Timestamp, events: &[Event]) -> Result<(), JournalError> {
        if events.is_empty() {
            return Ok(());
        }
        if events.iter().any(ends_run) {
            // What was set aside is on disk before the run's outcome says so.
            self.close_files(run)?;
        }
        let mut records = lock(&self.records);
        let known = records.remove(&run);
        // A time that does not survive the table would make the record another than the fold of what is read back.
        let at = timestamp(nanoseconds(at));
        let waits = events.iter().any(|event| must_wait(event, known.as_ref().map(|(_, record)| record)));
        let write = |connection: &mut Connection| {
            let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
            let count: i64 = transaction
                .prepare_cached("SELECT coalesce(max(sequence) + 1, 0) FROM events WHERE run = ?1")?
                .query_row([run.to_string()], |row| row.get(0))?;
            let record = match known {
                Some((folded, record)) if folded == count => Some(record),
                // Another process has written, or this one never did.
                _ if count > 0 => match read_record(&transaction, run)? {
                    Ok(record) => Some(record),
                    Err(illegal) => return Ok(Err(illegal)),
                },
                _ => None,
            };
            let record = match next_record(run, at, record, events) {
                Ok(record) => record,
                Err(reason) => return Ok(Err(reason)),
            };
            write_record(&transaction, &record)?;
            let mut insert =
                transaction.prepare_cached("INSERT INTO events (run, sequence, at, body) VALUES (?1, ?2, ?3, ?4)")?;
            for (sequence, event) in (count..).zip(events) {
                insert.execute(params![run.to_string(), sequence, nanoseconds(at), to_json(event)?])?;
                if let Event::RunCommitting { bookmarks, .. } = event {
                    for (stage, bookmark) in bookmarks {
                        transaction.execute(
                            "INSERT INTO bookmarks (pipeline, stage, bookmark, at, run) VALUES (?1, ?2, ?3, ?4, ?5)
                             ON CONFLICT DO UPDATE SET bookmark = excluded.bookmark, at = excluded.at, run = excluded.run",
                            params![record.pipeline, stage, bookmark, nanoseconds(at), run.to_string()],
                        )?;
                    }
                }
            }
            drop(insert);
            let position = unsigned(transaction.last_insert_rowid()) + 1 - events.len() as u64;
            let decides = events.iter().any(|event| matches!(event, Event::RunCommitting { .. }));
            if decides {
                take_over_set_aside(&transaction, &record)?;
                let witness = Witness::of(&transaction, &record)?;
                self.commit_with(transaction, witness)?;
            } else {
                transaction.commit()?;
            }
            Ok(Ok((count, record, position)))
        };
        let written = if waits { self.durable(write) } else { self.soon_durable(write) }?;
        let (count, record, position) =
            written.map_err(|reason| StoreError::Illegal { run: run.to_string(), reason })?;
        if record.is_unfinished() {
            records.insert(run, (count + events.len() as i64, record));
        }
        // Under the lock of the records: whoever is told of a run is told in order.
        self.tell(&Change::Run { run, at, sequence: unsigned(count), position, events });
        Ok(())
    }

    fn log(&self, run: RunId, stage: &str, at: Timestamp, lines: &[LogLine]) -> Result<(), JournalError> {
        self.quick(|connection| {
            let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
            let mut insert = transaction.prepare_cached(
                "INSERT INTO logs (run, stage, at, level, source, message) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
            )?;
            for line in lines {
                let (level, source) = (word(&line.level), word(&line.source));
                insert.execute(params![run.to_string(), stage, nanoseconds(at), level, source, line.message])?;
            }
            drop(insert);
            transaction.commit()
        })?;
        if !lines.is_empty() {
            self.tell(&Change::Log { run });
        }
        Ok(())
    }

    fn quarantine(&self, run: RunId, stage: &str, at: Timestamp, rows: &Quarantined) -> Result<(), JournalError> {
        Ok(self.set_aside(run, stage, at, rows)?)
    }

    fn keep_call(&self, run: RunId, call: &FailedCall) -> Result<(), JournalError> {
        Ok(self.keep_failed(run, call)?)
    }

    fn bookmark(&self, pipeline: &str, stage: &str) -> Result<Option<String>, JournalError> {
        let bookmark = self.quick(|connection| {
            connection
                .prepare_cached("SELECT bookmark FROM bookmarks WHERE pipeline = ?1 AND stage = ?2")?
                .query_row([pipeline, stage], |row| row.get(0))
                .optional()
        })?;
        Ok(bookmark)
    }
}

fn ends_run(event: &Event) -> bool {
    matches!(event, Event::RunSucceeded | Event::RunFailed { .. } | Event::RunCancelled | Event::RunCrashed { .. })
}

/// Whether nothing may happen before the event is on disk; see the head of this file. `before` is the run as it was, if that is
/// known.
fn must_wait(event: &Event, before: Option<&RunRecord>) -> bool {
    match event {
        Event::StageStarted { stage: begins, .. } => before.is_none_or(|run| {
            let mut loads = run.stages.iter().filter(|stage| stage.entry.kind == Kind::Load);
            let is_load = loads.clone().any(|stage| stage.entry.name == *begins);
            is_load && loads.all(|stage| stage.attempt == 0)
        }),
        Event::RunQueued { .. }
        | Event::RunSucceeded
        | Event::StageRetrying { .. }
        | Event::StageSucceeded { .. }
        | Event::StageFailed { .. }
        | Event::StageSkipped { .. }
        | Event::StageUpstreamFailed { .. }
        | Event::StageCancelled { .. }
        | Event::MonitorsJudged { .. } => false,
        Event::RunStarted { bookmarks } => !bookmarks.is_empty(),
        Event::LoadCommitted { stage: last } => before.is_none_or(|run| {
            let mut others = run.stages.iter().filter(|stage| stage.entry.name != *last);
            others.any(|stage| stage.entry.kind == Kind::Load && !stage.committed)
        }),
        Event::RunCommitting { .. }
        | Event::CommitFailed { .. }
        | Event::RunFailed { .. }
        | Event::RunCancelled
        | Event::RunCrashed { .. }
        | Event::RunAbandoned { .. } => true,
    }
}

/// The record after the events; an error says which does not fit.
fn next_record(run: RunId, at: Timestamp, before: Option<RunRecord>, events: &[Event]) -> Result<RunRecord, String> {
    let told = |error: sluicebox_model::run::IllegalEvent| error.to_string();
    match before {
        Some(mut record) => {
            for event in events {
                record.apply(at, event).map_err(told)?;
            }
            Ok(record)
        }
        None => {
            let events: Vec<_> = events.iter().map(|event| (at, event.clone())).collect();
            RunRecord::fold(run, &events).map_err(told)
        }
    }
}

/// The events of a run, in order.
pub(crate) fn read_events(connection: &Connection, run: RunId) -> Result<Vec<(Timestamp, Event)>, rusqlite::Error> {
    let mut select = connection.prepare_cached("SELECT at, body FROM events WHERE run = ?1 ORDER BY sequence")?;
    let rows = select.query_map([run.to_string()], |row| {
        let body: String = row.get(1)?;
        Ok((timestamp(row.get(0)?), from_json(1, &body)?))
    })?;
    rows.collect()
}

/// The fold of a run's events; the inner error is a journal that does not fold.
pub(crate) fn read_record(connection: &Connection, run: RunId) -> Result<Result<RunRecord, String>, rusqlite::Error> {
    let events = read_events(connection, run)?;
    Ok(RunRecord::fold(run, &events).map_err(|error| error.to_string()))
}

/// Keeps what the events fold into beside them.
fn write_record(connection: &Connection, record: &RunRecord) -> Result<(), rusqlite::Error> {
    // A journal may tell of more than can be counted.
    fn total(counts: impl Iterator<Item = u64>) -> u64 {
        counts.fold(0, u64::saturating_add)
    }
    let outcomes = |kind: Kind| {
        let of_kind = record.stages.iter().filter(move |stage| stage.entry.kind == kind);
        of_kind.map(|stage| &stage.outcome)
    };
    let all = || record.stages.iter().map(|stage| &stage.outcome);
    let count = |rows: u64| i64::try_from(rows).unwrap_or(i64::MAX);
    let loaded: u64 = match record.state {
        RunState::Succeeded => total(outcomes(Kind::Load).map(|outcome| outcome.rows_out)),
        _ => 0,
    };
    let bytes_loaded: u64 = match record.state {
        RunState::Succeeded => total(outcomes(Kind::Load).map(|outcome| outcome.bytes_in)),
        _ => 0,
    };
    let counted = Counted {
        rows_read: count(total(outcomes(Kind::Extract).map(|outcome| outcome.rows_out))),
        rows_loaded: count(loaded),
        rows_rejected: count(total(all().map(|outcome| outcome.rows_rejected))),
        rows_quarantined: count(total(all().map(|outcome| outcome.rows_quarantined))),
        bytes_read: count(total(outcomes(Kind::Extract).map(|outcome| outcome.bytes_out))),
        bytes_loaded: count(bytes_loaded),
    };
    let fault = record.fault.as_ref().map(to_json).transpose()?;
    connection
        .prepare_cached(
            "INSERT INTO runs (id, pipeline, trigger, interval_start, interval_end, state, queued_at, started_at,
                 committing_at, ended_at, rows_read, rows_loaded, rows_rejected, rows_quarantined, fault, abandoned_at,
                 load_key, bytes_read, bytes_loaded, repeats)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20)
             ON CONFLICT (id) DO UPDATE SET state = excluded.state, started_at = excluded.started_at,
                 committing_at = excluded.committing_at, ended_at = excluded.ended_at, rows_read = excluded.rows_read,
                 rows_loaded = excluded.rows_loaded, rows_rejected = excluded.rows_rejected,
                 rows_quarantined = excluded.rows_quarantined, fault = excluded.fault,
                 abandoned_at = excluded.abandoned_at, bytes_read = excluded.bytes_read,
                 bytes_loaded = excluded.bytes_loaded",
        )?
        .execute(params![
            record.id.to_string(),
            record.pipeline,
            word(&record.trigger),
            nanoseconds(record.interval.start),
            nanoseconds(record.interval.end),
            record.state.word(),
            nanoseconds(record.queued_at),
            record.started_at.map(nanoseconds),
            record.committing_at.map(nanoseconds),
            record.ended_at.map(nanoseconds),
            counted.rows_read,
            counted.rows_loaded,
            counted.rows_rejected,
            counted.rows_quarantined,
            fault,
            record.abandoned_at.map(nanoseconds),
            record.load_key,
            counted.bytes_read,
            counted.bytes_loaded,
            record.repeats.map(|run| run.to_string()),
        ])?;
    // No event follows on the last: it adds to the sums once.
    if record.is_unfinished() { Ok(()) } else { add_ended(connection, record, &counted) }
}
