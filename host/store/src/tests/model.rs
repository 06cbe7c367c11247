//! Whatever is tried: the store keeps what the model allows and nothing else, its tables are the fold of its events, and they
//! refuse by themselves what the model would refuse.

#[path = "../../../model/tests/events/mod.rs"]
mod events;

use super::open;
use crate::Store;
use crate::store::nanoseconds;
use events::{at, id, noisy_run, queued, rules_allow};
use jiff::Timestamp;
use proptest::prelude::*;
use rusqlite::{Connection, params};
use sluicebox_model::journal::Journal;
use sluicebox_model::plugin::Kind;
use sluicebox_model::run::{Event, RunRecord, RunState};
use std::path::Path;

const STATES: [RunState; 7] = [
    RunState::Queued,
    RunState::Running,
    RunState::Committing,
    RunState::Succeeded,
    RunState::Failed,
    RunState::Cancelled,
    RunState::Crashed,
];

fn direct(folder: &Path) -> Connection {
    let connection = Connection::open(folder.join("state/store.sqlite")).unwrap();
    connection.pragma_update(None, "foreign_keys", true).unwrap();
    connection
}

/// Appends events in calls of one to three; those that one of is illegal are refused whole. Answers with what is kept.
fn append_all(store: &Store, calls: Vec<(usize, Event)>) -> Vec<(Timestamp, Event)> {
    let mut kept = vec![(at(0), queued(None))];
    store.append(id(), at(0), &[queued(None)]).unwrap();
    let mut second = 0;
    let mut rest = calls.as_slice();
    while let Some((together, _)) = rest.first() {
        second += 1;
        let (call, after) = rest.split_at((*together).min(rest.len()));
        rest = after;
        let call: Vec<Event> = call.iter().map(|(_, event)| event.clone()).collect();
        let mut told: Vec<Event> = kept.iter().map(|(_, event)| event.clone()).collect();
        let is_legal = call.iter().all(|event| {
            let allowed = rules_allow(&told, event);
            told.push(event.clone());
            allowed
        });
        let written = store.append(id(), at(second), &call);
        assert_eq!(written.is_ok(), is_legal, "{written:?}: {call:?} after {kept:?}");
        if is_legal {
            kept.extend(call.into_iter().map(|event| (at(second), event)));
        }
    }
    kept
}

/// A row of the table as the record has it: state and times, what was counted, and why it ended.
fn row_is(connection: &Connection, record: &RunRecord) {
    let count = |of: &str| -> i64 {
        connection
            .query_row(&format!("SELECT {of} FROM runs WHERE id = ?1"), [record.id.to_string()], |row| row.get(0))
            .unwrap()
    };
    let text = |of: &str| -> Option<String> {
        connection
            .query_row(&format!("SELECT {of} FROM runs WHERE id = ?1"), [record.id.to_string()], |row| row.get(0))
            .unwrap()
    };
    let time = |of: &str| -> Option<i64> {
        connection
            .query_row(&format!("SELECT {of} FROM runs WHERE id = ?1"), [record.id.to_string()], |row| row.get(0))
            .unwrap()
    };
    let sum = |kind: Kind| -> i64 {
        let stages = record.stages.iter().filter(|stage| stage.entry.kind == kind);
        stages.map(|stage| stage.outcome.rows_out as i64).sum()
    };
    assert_eq!(text("state").unwrap(), record.state.word());
    assert_eq!(text("pipeline").unwrap(), record.pipeline);
    assert_eq!(text("load_key").unwrap(), record.load_key);
    assert_eq!(time("queued_at"), Some(nanoseconds(record.queued_at)));
    assert_eq!(time("started_at"), record.started_at.map(nanoseconds));
    assert_eq!(time("committing_at"), record.committing_at.map(nanoseconds));
    assert_eq!(time("ended_at"), record.ended_at.map(nanoseconds));
    assert_eq!(time("abandoned_at"), record.abandoned_at.map(nanoseconds));
    assert_eq!(text("fault"), record.fault.as_ref().map(|fault| serde_json::to_string(fault).unwrap()));
    assert_eq!(count("rows_read"), sum(Kind::Extract));
    assert_eq!(count("rows_loaded"), if record.state == RunState::Succeeded { sum(Kind::Load) } else { 0 });
    assert_eq!(
        count("rows_rejected"),
        record.stages.iter().map(|stage| stage.outcome.rows_rejected as i64).sum::<i64>()
    );
}

/// The states that may still become of a run, itself among them.
fn may_become(record: &RunRecord) -> Vec<RunState> {
    use RunState as R;
    if !record.is_unfinished() {
        return Vec::new();
    }
    match (record.state, record.committing_at.is_some()) {
        (R::Queued, _) => STATES.to_vec(),
        (R::Running, _) => STATES.iter().copied().filter(|state| *state != R::Queued).collect(),
        (R::Committing, _) => vec![R::Committing, R::Succeeded, R::Crashed],
        (R::Crashed, true) => vec![R::Crashed, R::Succeeded],
        (R::Crashed, false) => vec![R::Crashed, R::Failed, R::Cancelled],
        (R::Succeeded | R::Failed | R::Cancelled, _) => Vec::new(),
    }
}

/// Writes each state into the row, with the times and the fault that go with it: the table takes exactly those that the
/// model may come to.
fn tables_refuse(connection: &mut Connection, record: &RunRecord) {
    let allowed = may_become(record);
    let now = nanoseconds(at(1_000));
    for state in STATES {
        let runs = matches!(state, RunState::Running | RunState::Committing | RunState::Succeeded);
        let commits = matches!(state, RunState::Committing | RunState::Succeeded);
        let ends = !matches!(state, RunState::Queued | RunState::Running | RunState::Committing);
        let transaction = connection.transaction().unwrap();
        let written = transaction.execute(
            "UPDATE runs SET state = ?1, started_at = coalesce(started_at, ?2), committing_at = coalesce(committing_at, ?3),
                 ended_at = ?4, fault = coalesce(fault, '{}'), rows_loaded = iif(?1 = 'succeeded', rows_loaded, 0),
                 bytes_loaded = iif(?1 = 'succeeded', bytes_loaded, 0)",
            params![state.word(), runs.then_some(now), commits.then_some(now), ends.then_some(now)],
        );
        transaction.rollback().unwrap();
        assert_eq!(written.is_ok(), allowed.contains(&state), "{:?} -> {state:?}: {written:?}", record.state);
    }
    // What is nobody's to write, whatever the state.
    for change in [
        "UPDATE events SET at = at + 1",
        "UPDATE events SET body = '{\"event\":\"run-succeeded\"}'",
        "DELETE FROM events",
        "DELETE FROM runs",
        "UPDATE runs SET pipeline = 'other'",
        "UPDATE runs SET queued_at = queued_at + 1",
        "UPDATE runs SET interval_end = interval_end + 1",
        "UPDATE runs SET state = 'done'",
        "UPDATE runs SET rows_read = -1",
        "UPDATE runs SET fault = 'no json'",
        "INSERT INTO events (run, sequence, at, body) SELECT run, sequence, at, body FROM events WHERE sequence = 0",
        "INSERT INTO events (run, sequence, at, body) SELECT run, max(sequence) + 2, at, '{\"event\":\"run-crashed\"}' FROM events",
        "INSERT INTO events (run, sequence, at, body) SELECT run, max(sequence) + 1, at, '{\"event\":\"run-queued\"}' FROM events",
        "INSERT INTO events (run, sequence, at, body) SELECT run, max(sequence) + 1, at, 'no json' FROM events",
    ] {
        let transaction = connection.transaction().unwrap();
        assert!(transaction.execute(change, []).is_err(), "{change}");
        transaction.rollback().unwrap();
    }
    let is_written = |connection: &mut Connection, change: &str| {
        let transaction = connection.transaction().unwrap();
        let written = transaction.execute(change, []);
        transaction.rollback().unwrap();
        written.is_ok()
    };
    let follows = "INSERT INTO events (run, sequence, at, body) \
                   SELECT run, max(sequence) + 1, at, '{\"event\":\"load-committed\",\"stage\":\"one\"}' FROM events";
    assert_eq!(is_written(connection, follows), record.is_unfinished(), "an event behind {:?}", record.state);
    let moves = "INSERT OR REPLACE INTO bookmarks (pipeline, stage, bookmark, at, run) SELECT 'p', 'read', 'x', 0, id FROM runs";
    assert_eq!(is_written(connection, moves), record.committing_at.is_some(), "a bookmark of {:?}", record.state);
    let leaves = "UPDATE runs SET abandoned_at = 1";
    let may_be_left = record.state == RunState::Crashed && record.is_unfinished();
    assert_eq!(is_written(connection, leaves), may_be_left, "abandoned as {:?}", record.state);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, failure_persistence: None, ..ProptestConfig::default() })]
    #[test]
    fn the_tables_are_the_fold_and_refuse_the_rest(
        calls in noisy_run().prop_flat_map(|events| {
            let together = prop::collection::vec(1..4_usize, events.len());
            (together, Just(events)).prop_map(|(together, events)| together.into_iter().zip(events).collect::<Vec<_>>())
        }),
    ) {
        let (folder, store) = open();
        let kept = append_all(&store, calls);
        let record = RunRecord::fold(id(), &kept).unwrap();
        let mut connection = direct(folder.path());
        row_is(&connection, &record);
        tables_refuse(&mut connection, &record);
        for store in [store, Store::open(&folder.path().join("state")).unwrap()] {
            prop_assert_eq!(&store.events(id()).unwrap(), &kept);
            prop_assert_eq!(&store.run("last").unwrap(), &record);
            let summary = store.summary("last").unwrap();
            prop_assert_eq!((summary.state, summary.started_at, summary.ended_at), (record.state, record.started_at, record.ended_at));
            prop_assert_eq!(&summary.fault, &record.fault);
            let bookmark = store.bookmark("p", "read").unwrap();
            prop_assert_eq!(bookmark.as_ref(), record.bookmarks.get("read"), "it moves with its data");
            let is_listed = store.unfinished().unwrap().contains(&record);
            prop_assert_eq!(is_listed, record.is_unfinished(), "recovery finds what has no end");
        }
    }
}
