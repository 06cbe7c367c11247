//! Runs that wait for their start, and what is decided at once.
//!
//! A fire - a time of a schedule, an interval of a dependency, the key of a file trigger - makes at most one run, whatever dies
//! when: the row of the run, the row of `fires` that stands for the fire, the time until which the schedule was decided on and
//! the events that tell of it are one transaction. What was decided and not yet kept is decided again by the next host; what was
//! kept is answered with the run that is there.
//!
//! [`Store::decide`] waits for the disk. What nobody outside is told of need not: [`Store::decide_soon`], [`Store::take`] and
//! [`Store::settle`] do not. They are written in one sequence with the journal, so that a loss of power which takes a decision
//! takes all that followed from it: a run whose first event is on disk has its row on disk, too. See [`crate::journal`]. Whoever
//! has to tell somebody waits for the disk afterwards, with [`Store::flush`]: the run may begin meanwhile.

use crate::alerts::keep_alert;
use crate::error::StoreError;
use crate::house::keep_event;
use crate::schedules::keep_decided_until;
use crate::store::{Store, from_json, from_word, nanoseconds, timestamp, to_json, word};
use crate::watch::Change;
use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, Row, TransactionBehavior, params};
use sluicebox_model::house::{Decided, Decision, Enqueued, NewRun, QueueState, QueuedRun, Settled};
use sluicebox_model::run::{Interval, RunId, Trigger};

const COLUMNS: &str = "run, pipeline, \"trigger\", nominal, interval_start, interval_end, queued_at, ready_at, priority, pool, \
                       repeats, options, state, reason";

impl Store {
    /// Keeps what was decided, all or nothing; durable when it returns. What was decided before already is answered as such.
    ///
    /// # Errors
    /// The database cannot be written; a run of a schedule has no `nominal`. Then nothing is kept.
    pub fn decide(&self, decided: &Decided, at: Timestamp) -> Result<Decision, StoreError> {
        let decision = self.durable(|connection| keep(connection, decided, at))?;
        self.tell_of(&decision);
        Ok(decision)
    }

    /// Keeps what was decided, all or nothing, without waiting for the disk: for what no one outside is told of before the
    /// first event of its run, such as a time of a schedule. A loss of power may take it back, with all that came after; the
    /// death of the process does not.
    ///
    /// # Errors
    /// As of [`Store::decide`].
    pub fn decide_soon(&self, decided: &Decided, at: Timestamp) -> Result<Decision, StoreError> {
        let decision = self.soon_durable(|connection| keep(connection, decided, at))?;
        self.tell_of(&decision);
        Ok(decision)
    }

    fn tell_of(&self, decision: &Decision) {
        if decision.settled.contains(&true) || decision.runs.contains(&Enqueued::Joined) {
            self.tell(&Change::Queue);
        }
        if decision.alerts.iter().any(Option::is_some) {
            self.tell(&Change::Alerts);
        }
        if decision.last_event > 0 {
            self.tell(&Change::House { last: decision.last_event });
        }
    }

    /// The runs that wait, and those that are under way or were when a host died: in the order in which they are to start.
    ///
    /// # Errors
    /// The database cannot be read.
    pub fn queued(&self) -> Result<Vec<QueuedRun>, StoreError> {
        self.quick(|connection| {
            let mut select = connection.prepare_cached(&format!(
                "SELECT {COLUMNS} FROM queue WHERE state IN ('waiting', 'started')
                 ORDER BY priority DESC, ready_at, queued_at, run"
            ))?;
            select.query_map([], queued_run)?.collect()
        })
    }

    /// Marks a run that waits as started, so that no other does. Answers with whether it waited.
    ///
    /// # Errors
    /// The database cannot be written.
    pub fn take(&self, run: RunId, at: Timestamp) -> Result<bool, StoreError> {
        self.settle(run, QueueState::Started, "", at)
    }

    /// Changes the state of a run of the queue. Answers with whether it changed: not so if it is not in the queue, or cannot
    /// become that any more. `started` goes back to `waiting` for a run that a host died with before it was in the journal.
    ///
    /// # Errors
    /// The database cannot be written.
    pub fn settle(&self, run: RunId, state: QueueState, reason: &str, at: Timestamp) -> Result<bool, StoreError> {
        let settled = Settled { run, state, reason: reason.to_owned(), events: Vec::new() };
        let decision = self.decide_soon(&Decided { settled: vec![settled], ..Decided::default() }, at)?;
        Ok(decision.settled == [true])
    }

    /// A run of the queue, also one that has left it; none if it never joined, or is too old.
    ///
    /// # Errors
    /// The database cannot be read.
    pub fn queue_row(&self, run: RunId) -> Result<Option<QueuedRun>, StoreError> {
        self.quick(|connection| {
            connection
                .prepare_cached(&format!("SELECT {COLUMNS} FROM queue WHERE run = ?1"))?
                .query_row([run.to_string()], queued_run)
                .optional()
        })
    }

    /// Forgets what the house has no use for any more and that was settled before a time: runs that left the queue, events of
    /// the house, alerts. Never a fire that would be decided on again.
    ///
    /// # Errors
    /// The database cannot be written.
    pub fn prune(&self, before: Timestamp) -> Result<(), StoreError> {
        let before = nanoseconds(before);
        self.quick(|connection| {
            let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
            transaction.execute("DELETE FROM queue WHERE settled_at < ?1", [before])?;
            // A time of a schedule comes again if it was not yet said to be decided on. Intervals and keys always may.
            transaction.execute(
                "DELETE FROM fires WHERE cause = 'schedule' AND at < ?1 AND CAST(what AS INTEGER) <=
                     (SELECT decided_until FROM schedules WHERE schedules.pipeline = fires.pipeline)
                     AND NOT EXISTS (SELECT 1 FROM queue WHERE queue.run = fires.run)",
                [before],
            )?;
            transaction.execute("DELETE FROM house_events WHERE at < ?1", [before])?;
            // The last word on whether a pipeline fails is what a recovery is told to.
            transaction.execute(
                "DELETE FROM alerts WHERE settled_at < ?1 AND id NOT IN (
                     SELECT max(id) FROM alerts WHERE kind IN ('failure', 'recovery') GROUP BY pipeline, target)",
                [before],
            )?;
            transaction.commit()
        })
    }
}

/// All of a decision, in one transaction.
fn keep(connection: &mut Connection, decided: &Decided, at: Timestamp) -> Result<Decision, rusqlite::Error> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let mut decision = Decision::default();
    for settled in &decided.settled {
        decision.settled.push(settle(&transaction, settled, at, &mut decision.last_event)?);
    }
    for new in &decided.runs {
        decision.runs.push(join(&transaction, new, at, &mut decision.last_event)?);
    }
    for (pipeline, until) in &decided.decided_until {
        keep_decided_until(&transaction, pipeline, *until)?;
    }
    for new in &decided.events {
        decision.last_event = keep_event(&transaction, at, new.pipeline.as_deref(), &new.event)?;
    }
    for alert in &decided.alerts {
        decision.alerts.push(keep_alert(&transaction, alert, at, &mut decision.last_event)?);
    }
    transaction.commit()?;
    Ok(decision)
}

/// The fires that a run stands for: what in which column of causes.
fn fires(new: &NewRun) -> Vec<(&'static str, String)> {
    let run = &new.run;
    let mut fires = Vec::new();
    match (run.trigger, run.nominal) {
        (Trigger::Schedule, Some(nominal)) => fires.push(("schedule", nanoseconds(nominal).to_string())),
        (Trigger::Dependency, _) if new.once.is_none() => {
            let Interval { start, end } = run.interval;
            fires.push(("dependency", format!("{}/{}", nanoseconds(start), nanoseconds(end))));
        }
        _ => {}
    }
    fires.extend(new.once.iter().map(|key| ("once", key.clone())));
    fires
}

/// Has a run join the queue, unless it or what it stands for has before.
fn join(connection: &Connection, new: &NewRun, at: Timestamp, last: &mut u64) -> Result<Enqueued, rusqlite::Error> {
    let run = &new.run;
    let id = run.run.to_string();
    let fires = fires(new);
    let mut find =
        connection.prepare_cached("SELECT run FROM fires WHERE pipeline = ?1 AND cause = ?2 AND what = ?3")?;
    for (cause, what) in &fires {
        let before: Option<String> = find.query_row(params![run.pipeline, cause, what], |row| row.get(0)).optional()?;
        if let Some(before) = before {
            return Ok(Enqueued::Already(from_word(0, before)?));
        }
    }
    let joined = connection
        .prepare_cached(&format!(
            "INSERT INTO queue ({COLUMNS}) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, 'waiting', ?13)
             ON CONFLICT (run) DO NOTHING"
        ))?
        .execute(params![
            id,
            run.pipeline,
            word(&run.trigger),
            run.nominal.map(nanoseconds),
            nanoseconds(run.interval.start),
            nanoseconds(run.interval.end),
            nanoseconds(run.queued_at),
            nanoseconds(run.ready_at),
            run.priority,
            run.pool,
            run.repeats.map(|run| run.to_string()),
            to_json(&run.options)?,
            run.reason,
        ])?;
    if joined == 0 {
        return Ok(Enqueued::Already(run.run));
    }
    for (cause, what) in &fires {
        connection
            .prepare_cached("INSERT INTO fires (pipeline, cause, what, run, at) VALUES (?1, ?2, ?3, ?4, ?5)")?
            .execute(params![run.pipeline, cause, what, id, nanoseconds(at)])?;
    }
    for event in &new.events {
        *last = keep_event(connection, at, Some(&run.pipeline), event)?;
    }
    Ok(Enqueued::Joined)
}

/// Changes the state of a run, if it may.
fn settle(connection: &Connection, settled: &Settled, at: Timestamp, last: &mut u64) -> Result<bool, rusqlite::Error> {
    let id = settled.run.to_string();
    let before: Option<(String, String)> = connection
        .prepare_cached("SELECT pipeline, state FROM queue WHERE run = ?1")?
        .query_row([&id], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?;
    let Some((pipeline, state)) = before else { return Ok(false) };
    let state: QueueState = from_word(1, state)?;
    if !state.may_become(settled.state) {
        return Ok(false);
    }
    connection
        .prepare_cached(
            "UPDATE queue SET state = ?2, reason = ?3,
                 started_at = CASE ?2 WHEN 'waiting' THEN NULL WHEN 'started' THEN ?4 ELSE started_at END,
                 settled_at = CASE WHEN ?2 IN ('waiting', 'started') THEN NULL ELSE ?4 END
             WHERE run = ?1",
        )?
        .execute(params![id, settled.state.word(), settled.reason, nanoseconds(at)])?;
    for event in &settled.events {
        *last = keep_event(connection, at, Some(&pipeline), event)?;
    }
    Ok(true)
}

fn queued_run(row: &Row<'_>) -> Result<QueuedRun, rusqlite::Error> {
    let time = |column: usize| Ok::<_, rusqlite::Error>(timestamp(row.get(column)?));
    let options: String = row.get(11)?;
    Ok(QueuedRun {
        run: from_word(0, row.get(0)?)?,
        pipeline: row.get(1)?,
        trigger: from_word(2, row.get(2)?)?,
        nominal: row.get::<_, Option<i64>>(3)?.map(timestamp),
        interval: Interval { start: time(4)?, end: time(5)? },
        queued_at: time(6)?,
        ready_at: time(7)?,
        priority: row.get(8)?,
        pool: row.get(9)?,
        repeats: row.get::<_, Option<String>>(10)?.map(|run| from_word(10, run)).transpose()?,
        options: from_json(11, &options)?,
        state: from_word(12, row.get(12)?)?,
        reason: row.get(13)?,
    })
}
