//! Stores of earlier versions are brought up to date, and nothing of them is lost.

use super::{at, committing, id, queued, rejected, set_aside, started_run, well, write};
use crate::store::nanoseconds;
use crate::{Dealt, RunFilter, Store};
use rusqlite::{Connection, params};
use sluicebox_model::fault::{Fault, FaultKind};
use sluicebox_model::journal::Journal;
use sluicebox_model::run::{Event, RunId, RunRecord, RunState, Trigger};
use std::path::Path;

const STEPS: [&str; 6] = [
    include_str!("../schema_1.sql"),
    include_str!("../schema_2.sql"),
    include_str!("../schema_3.sql"),
    include_str!("../schema_4.sql"),
    include_str!("../schema_5.sql"),
    include_str!("../schema_6.sql"),
];

/// A database as it was after so many steps.
fn old(folder: &Path, version: usize) -> Connection {
    let connection = Connection::open(folder.join("store.sqlite")).unwrap();
    for step in &STEPS[..version] {
        connection.execute_batch(step).unwrap();
    }
    connection.pragma_update(None, "application_id", 0x534c_4258).unwrap();
    connection.pragma_update(None, "user_version", version as i64).unwrap();
    connection
}

/// Writes a run as the first version did: the row with what it knew of, the events as JSON without later members.
fn run_of_version_1(connection: &Connection, run: RunId, events: &[Event]) {
    let told: Vec<_> = events.iter().enumerate().map(|(second, event)| (at(second as i64), event.clone())).collect();
    let record = RunRecord::fold(run, &told).unwrap();
    let trigger = serde_json::to_value(record.trigger).unwrap();
    connection
        .execute(
            "INSERT INTO runs (id, pipeline, trigger, interval_start, interval_end, state, queued_at, started_at, committing_at,
                 ended_at, rows_read, rows_loaded, rows_rejected, rows_quarantined, fault)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, 10, ?11, 4, 0, ?12)",
            params![
                run.to_string(),
                record.pipeline,
                trigger.as_str(),
                nanoseconds(record.interval.start),
                nanoseconds(record.interval.end),
                record.state.word(),
                nanoseconds(record.queued_at),
                record.started_at.map(nanoseconds),
                record.committing_at.map(nanoseconds),
                record.ended_at.map(nanoseconds),
                if record.state == RunState::Succeeded { 8 } else { 0 },
                record.fault.as_ref().map(|fault| serde_json::to_string(fault).unwrap()),
            ],
        )
        .unwrap();
    for (sequence, (when, event)) in told.iter().enumerate() {
        let mut body = serde_json::to_value(event).unwrap();
        for later in ["file", "load-key", "repeats"] {
            body.as_object_mut().unwrap().remove(later);
        }
        connection
            .execute(
                "INSERT INTO events (run, sequence, at, body) VALUES (?1, ?2, ?3, ?4)",
                params![run.to_string(), sequence as i64, nanoseconds(*when), body.to_string()],
            )
            .unwrap();
    }
}

fn with_trigger(mut events: Vec<Event>, of: Trigger) -> Vec<Event> {
    if let Event::RunQueued { trigger, .. } = &mut events[0] {
        *trigger = of;
    }
    events
}

#[test]
fn a_store_of_the_first_version_loses_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let connection = old(folder.path(), 1);
    let fault = Fault::new(FaultKind::Trap, "process", "it died");
    let crashed = Event::RunCrashed { reason: "power".into(), fault: None };
    let runs = [
        with_trigger(well("flights"), Trigger::Schedule),
        with_trigger(vec![queued("flights"), started_run(), Event::RunFailed { fault: fault.clone() }], Trigger::Rerun),
        with_trigger(vec![queued("trains"), Event::RunCancelled], Trigger::Backfill),
        with_trigger(vec![queued("trains"), started_run()], Trigger::Dependency),
        with_trigger(well("flights")[..7].iter().cloned().chain([crashed]).collect(), Trigger::Manual),
    ];
    for (number, events) in runs.iter().enumerate() {
        run_of_version_1(&connection, id(number as u8 + 1), events);
    }
    connection
        .execute_batch(&format!(
            "INSERT INTO bookmarks VALUES ('flights', 'read', 'page 9', '{one}');
             INSERT INTO bookmarks VALUES ('trains', 'read', 'none committed', '{three}');
             INSERT INTO logs VALUES (7, '{one}', 'read', 5, 'warn', 'log', 'hello');
             INSERT INTO quarantine (id, run, stage, at, kind, rows, records)
                 VALUES (3, '{one}', 'read', 5, 'record', 1, '[{{\"origin\":\"a:1\",\"content\":\"x\",\"reason\":\"no\"}}]');
             INSERT INTO quarantine_reasons VALUES ('{one}', 'read', 'record', 'no', 1);",
            one = id(1),
            three = id(3),
        ))
        .unwrap();
    drop(connection);

    let store = Store::open(folder.path()).unwrap();
    for (number, events) in runs.iter().enumerate() {
        let run = id(number as u8 + 1);
        let record = store.run(&run.to_string()).unwrap();
        let kept = store.events(run).unwrap();
        assert_eq!(kept.len(), events.len());
        assert_eq!(
            kept[1..].iter().map(|(_, event)| event).collect::<Vec<_>>(),
            events[1..].iter().collect::<Vec<_>>()
        );
        let Event::RunQueued { trigger, .. } = &events[0] else { panic!() };
        let summary = store.summary(&run.to_string()).unwrap();
        assert_eq!((record.trigger, summary.trigger, summary.state), (*trigger, *trigger, record.state));
        assert_eq!((summary.started_at, summary.ended_at), (record.started_at, record.ended_at));
        assert_eq!((record.load_key.as_str(), record.abandoned_at), ("", None));
    }
    let all = store.runs(&RunFilter { limit: Some(100), ..RunFilter::default() }).unwrap();
    assert_eq!(all.iter().map(|run| run.id).collect::<Vec<_>>(), [id(5), id(4), id(3), id(2), id(1)]);
    assert_eq!(store.summary(&id(1).to_string()).unwrap().rows_loaded, 8);
    assert_eq!(store.summary(&id(2).to_string()).unwrap().fault, Some(fault));
    assert_eq!(store.unfinished().unwrap().len(), 2, "what was interrupted is still to be finished");
    let bookmarks = store.bookmarks(None).unwrap();
    let told: Vec<_> = bookmarks.iter().map(|of| (of.pipeline.as_str(), of.bookmark.as_str(), of.at)).collect();
    assert_eq!(told, [("flights", "page 9", at(6)), ("trains", "none committed", at(0))]);
    assert_eq!(store.quarantine(id(1), None, 0, 10).unwrap()[0].records.len(), 1);
    assert_eq!(store.quarantine_counts(id(1)).unwrap().len(), 1);
    assert_eq!(store.set_aside_by(None, false).unwrap()[0].dealt, None);

    // And it goes on: interrupted runs are finished, new ones are made, and what is new to the tables works.
    store
        .append(id(4), at(100), &[Event::RunCrashed { reason: "late".into(), fault: None }, Event::RunCancelled])
        .unwrap();
    store.append(id(5), at(101), &[Event::RunAbandoned { reason: "enough".into() }]).unwrap();
    assert!(store.unfinished().unwrap().is_empty());
    write(&store, id(6), &with_trigger(well("flights"), Trigger::Replay));
    assert_eq!(store.summary("last").unwrap().trigger, Trigger::Replay);
    assert_eq!(store.drop_set_aside(id(1), None, false).unwrap(), 1);
    assert_eq!(store.set_aside_by(None, true).unwrap()[0].dealt, Some(Dealt::Dropped));
}

/// Every version in between holds the same after the rest of the steps.
#[test]
fn a_store_of_any_version_becomes_one_of_today() {
    let version = |folder: &Path| -> i64 {
        let connection = Connection::open(folder.join("store.sqlite")).unwrap();
        connection.query_row("PRAGMA user_version", [], |row| row.get(0)).unwrap()
    };
    let tables = |folder: &Path| -> Vec<(String, String)> {
        let connection = Connection::open(folder.join("store.sqlite")).unwrap();
        let mut select = connection.prepare("SELECT name, coalesce(sql, '') FROM sqlite_schema ORDER BY name").unwrap();
        select.query_map([], |row| Ok((row.get(0)?, row.get(1)?))).unwrap().map(Result::unwrap).collect()
    };
    let today = tempfile::tempdir().unwrap();
    drop(Store::open(today.path()).unwrap());
    assert_eq!(version(today.path()), STEPS.len() as i64);
    for from in 1..STEPS.len() {
        let folder = tempfile::tempdir().unwrap();
        let connection = old(folder.path(), from);
        run_of_version_1(&connection, id(1), &well("flights"));
        drop(connection);
        let store = Store::open(folder.path()).unwrap();
        assert_eq!(version(folder.path()), STEPS.len() as i64, "from {from}");
        assert_eq!(tables(folder.path()), tables(today.path()), "from {from}");
        assert_eq!(store.run("last").unwrap().state, RunState::Succeeded);
        write(&store, id(2), &well("flights"));
        set_aside(&store, id(2), "check", at(1), &rejected(0, 3));
        assert_eq!(store.set_aside_by(None, false).unwrap().len(), 1);
    }
}

/// A step that fails leaves the store as it was.
#[test]
fn half_a_step_is_none() {
    let folder = tempfile::tempdir().unwrap();
    let connection = old(folder.path(), 1);
    run_of_version_1(&connection, id(1), &[queued("p"), started_run(), committing("b")][..2]);
    // In the way of the second step.
    connection.execute_batch("CREATE TABLE bookmarks_2 (a)").unwrap();
    assert!(Store::open(folder.path()).is_err());
    let version: i64 = connection.query_row("PRAGMA user_version", [], |row| row.get(0)).unwrap();
    let columns: i64 = connection
        .query_row("SELECT count(*) FROM pragma_table_info('runs') WHERE name = 'abandoned_at'", [], |row| row.get(0))
        .unwrap();
    assert_eq!((version, columns), (1, 0));
    connection.execute_batch("DROP TABLE bookmarks_2").unwrap();
    drop(connection);
    assert_eq!(Store::open(folder.path()).unwrap().run("last").unwrap().state, RunState::Running);
}
