//! What is written is what is read.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

mod dealt;
mod durable;
mod figures;
mod house;
mod lost;
mod model;
mod steps;
mod told;

use crate::{QuarantineKind, RunFilter, Store, StoreError};
use arrow_array::{ArrayRef, Float64Array, Int64Array, RecordBatch, StringArray, TimestampMicrosecondArray};
use jiff::Timestamp;
use sluicebox_model::fault::{Fault, FaultKind};
use sluicebox_model::journal::{Journal, Quarantined};
use sluicebox_model::plugin::{Digest, Kind};
use sluicebox_model::run::{Event, Interval, RunId, RunRecord, RunState, StageEntry, StageOutcome, Trigger};
use sluicebox_model::stage::{BadRecord, Level, LogLine, LogSource};
use std::collections::BTreeMap;
use std::sync::Arc;

fn at(second: i64) -> Timestamp {
    Timestamp::new(1_800_000_000 + second, 123_456_789).unwrap()
}

fn id(number: u8) -> RunId {
    RunId::new(at(0), [number; 10])
}

fn queued(pipeline: &str) -> Event {
    let entry = |name: &str, kind, inputs: &[&str]| StageEntry {
        name: name.into(),
        kind,
        plugin: format!("{kind}-x"),
        version: "0.1.0".into(),
        digest: Digest("ab".into()),
        inputs: inputs.iter().map(|input| (*input).to_owned()).collect(),
    };
    Event::RunQueued {
        pipeline: pipeline.into(),
        trigger: Trigger::Manual,
        interval: Interval { start: at(-60), end: at(0) },
        text: "[pipeline]".into(),
        file: "/p.toml".into(),
        load_key: "p".into(),
        repeats: None,
        stages: vec![entry("read", Kind::Extract, &[]), entry("out", Kind::Load, &["read"])],
    }
}

fn done(stage: &str, rows: u64) -> Event {
    let outcome = StageOutcome { rows_out: rows, rows_rejected: 2, ..StageOutcome::default() };
    Event::StageSucceeded { stage: stage.into(), outcome }
}

fn started_run() -> Event {
    Event::RunStarted { bookmarks: BTreeMap::new() }
}

fn started(stage: &str) -> Event {
    Event::StageStarted { stage: stage.into(), attempt: 1 }
}

fn committing(bookmark: &str) -> Event {
    Event::RunCommitting {
        receipts: BTreeMap::from([("out".into(), vec!["r".into()])]),
        bookmarks: BTreeMap::from([("read".into(), bookmark.into())]),
    }
}

/// All events of a run that ends well.
fn well(pipeline: &str) -> Vec<Event> {
    vec![
        queued(pipeline),
        started_run(),
        started("read"),
        started("out"),
        done("read", 10),
        done("out", 8),
        committing("page 9"),
        Event::LoadCommitted { stage: "out".into() },
        Event::RunSucceeded,
    ]
}

fn write(store: &Store, run: RunId, events: &[Event]) {
    for (second, event) in events.iter().enumerate() {
        store.append(run, at(second as i64), std::slice::from_ref(event)).unwrap();
    }
}

fn set_aside(store: &Store, run: RunId, stage: &str, at: Timestamp, rows: &Quarantined) {
    Journal::quarantine(store, run, stage, at, rows).unwrap();
}

fn open() -> (tempfile::TempDir, Store) {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(&folder.path().join("state")).unwrap();
    (folder, store)
}

#[test]
fn a_run_is_read_as_it_was_written() {
    let (folder, store) = open();
    let events = well("flights");
    write(&store, id(1), &events);
    let with_times: Vec<_> =
        events.iter().enumerate().map(|(second, event)| (at(second as i64), event.clone())).collect();
    let record = RunRecord::fold(id(1), &with_times).unwrap();
    assert_eq!(store.events(id(1)).unwrap(), with_times);
    assert_eq!(store.run("last").unwrap(), record);
    drop(store);
    let again = Store::open(&folder.path().join("state")).unwrap();
    assert_eq!(again.run(&id(1).to_string()).unwrap(), record);
    let summary = again.summary("last").unwrap();
    assert_eq!(
        (summary.state, summary.rows_read, summary.rows_loaded, summary.rows_rejected),
        (RunState::Succeeded, 10, 8, 4)
    );
    assert_eq!(summary.duration.unwrap().as_secs(), 7);
}

#[test]
fn an_illegal_event_is_refused_and_nothing_of_its_call_is_kept() {
    let (_folder, store) = open();
    let error = store.append(id(1), at(0), &[started_run()]).unwrap_err();
    assert!(error.0.contains("a journal begins with run-queued"), "{error}");
    store.append(id(1), at(0), &[queued("a")]).unwrap();
    let error = store.append(id(1), at(1), &[started_run(), started("read"), started("read")]).unwrap_err();
    assert!(error.0.contains("illegal event `stage-started`"), "{error}");
    assert_eq!(store.events(id(1)).unwrap().len(), 1);
    assert_eq!(store.summary("last").unwrap().state, RunState::Queued);
    store.append(id(1), at(1), &[started_run()]).unwrap();
    assert!(store.append(id(1), at(1), &[queued("a")]).is_err());
}

#[test]
fn a_bookmark_moves_with_the_committing_event() {
    let (_folder, store) = open();
    let events = well("flights");
    write(&store, id(1), &events[..6]);
    assert_eq!(store.bookmark("flights", "read").unwrap(), None);
    store.append(id(1), at(7), &events[6..7]).unwrap();
    assert_eq!(store.bookmark("flights", "read").unwrap().as_deref(), Some("page 9"));
    assert_eq!(store.bookmark("other", "read").unwrap(), None);
}

#[test]
fn runs_are_found() {
    let (_folder, store) = open();
    assert!(matches!(store.run("last"), Err(StoreError::NoRuns)));
    write(&store, id(1), &well("flights"));
    write(&store, id(2), &[queued("trains"), started_run(), Event::RunCancelled]);
    let fault = Fault::new(FaultKind::Trap, "process", "unreachable").of_stage("read");
    write(&store, id(3), &[queued("flights"), started_run(), Event::RunFailed { fault: fault.clone() }]);
    let ids = |filter: RunFilter| -> Vec<RunId> { store.runs(&filter).unwrap().iter().map(|run| run.id).collect() };
    assert_eq!(ids(RunFilter::default()), [id(3), id(2), id(1)]);
    assert_eq!(ids(RunFilter { limit: Some(1), ..RunFilter::default() }), [id(3)]);
    assert_eq!(ids(RunFilter { pipeline: Some("flights".into()), ..RunFilter::default() }), [id(3), id(1)]);
    assert_eq!(
        ids(RunFilter { states: vec![RunState::Cancelled, RunState::Failed], ..RunFilter::default() }),
        [id(3), id(2)]
    );
    assert_eq!(store.history("flights", None, 5).unwrap().len(), 1);
    assert_eq!(store.summary("last").unwrap().fault, Some(fault));
    let whole = id(2).to_string();
    assert_eq!(store.run(&whole).unwrap().pipeline, "trains");
    assert_eq!(store.find(&whole[whole.len() - 6..]).unwrap(), id(2));
    assert!(matches!(store.find("nothing"), Err(StoreError::NoRun(_))));
    let Err(StoreError::AmbiguousRun { near, .. }) = store.find(&whole[..8]) else { panic!("it is not ambiguous") };
    assert_eq!(near.len(), 3);
}

#[test]
fn logs_by_stage_and_level() {
    let (_folder, store) = open();
    let line = |level, message: &str| LogLine { level, source: LogSource::Log, message: message.into() };
    store.log(id(1), "read", at(0), &[line(Level::Debug, "a"), line(Level::Warn, "b")]).unwrap();
    store.log(id(1), "out", at(1), &[line(Level::Info, "c")]).unwrap();
    store.log(id(2), "read", at(1), &[line(Level::Error, "d")]).unwrap();
    let told = |stage, level| -> Vec<String> {
        store.logs(id(1), stage, level).unwrap().into_iter().map(|entry| entry.line.message).collect()
    };
    assert_eq!(told(None, Level::Debug), ["a", "b", "c"]);
    assert_eq!(told(Some("read"), Level::Info), ["b"]);
    assert_eq!(told(None, Level::Error), [""; 0]);
    let json = serde_json::to_value(store.logs(id(1), Some("out"), Level::Debug).unwrap()).unwrap();
    let expected = serde_json::json!([{"at": at(1).to_string(), "stage": "out", "level": "info", "source": "log", "message": "c"}]);
    assert_eq!(json, expected);
}

fn rows(from: i64, count: i64) -> RecordBatch {
    let n: ArrayRef = Arc::new(Int64Array::from_iter((from..from + count).map(|n| (n % 3 != 0).then_some(n))));
    let s: ArrayRef = Arc::new(StringArray::from_iter_values((from..from + count).map(|n| format!("row {n}"))));
    let f: ArrayRef = Arc::new(Float64Array::from_iter_values((from..from + count).map(|n| 1.0 / (n - 2) as f64)));
    let t: ArrayRef = Arc::new(TimestampMicrosecondArray::from_iter_values(from..from + count));
    RecordBatch::try_from_iter_with_nullable([("n", n, true), ("s", s, false), ("f", f, false), ("t", t, false)])
        .unwrap()
}

fn rejected(from: i64, count: i64) -> Quarantined {
    let reasons = (from..from + count).map(|n| if n % 2 == 0 { "even".into() } else { "odd, small".into() }).collect();
    Quarantined::Rejected { batch: rows(from, count), reasons }
}

#[test]
fn what_was_set_aside_is_read_again() {
    let (folder, store) = open();
    let fault = Fault::new(FaultKind::Trap, "process", "it died").of_stage("speed");
    let record = BadRecord { origin: "a.csv:7".into(), content: "x,y".into(), reason: "ragged".into() };
    set_aside(&store, id(1), "check", at(0), &rejected(0, 10));
    set_aside(&store, id(1), "read", at(1), &Quarantined::Records(vec![record.clone(); 3]));
    set_aside(&store, id(1), "speed", at(2), &Quarantined::Poison { batch: rows(50, 1), fault: fault.clone() });
    set_aside(&store, id(1), "check", at(3), &rejected(10, 5));
    // While the run is under way and the files are open.
    let entries = store.quarantine(id(1), None, 0, 1_000).unwrap();
    let kinds: Vec<(QuarantineKind, u64)> = entries.iter().map(|entry| (entry.kind, entry.count)).collect();
    use QuarantineKind::{Poison, Record, Rejected};
    assert_eq!(kinds, [(Rejected, 10), (Record, 3), (Poison, 1), (Rejected, 5)]);
    assert_eq!(entries[0].batch.as_ref().unwrap(), &rows(0, 10));
    assert_eq!(entries[0].reasons[..2], ["even", "odd, small"]);
    assert_eq!(entries[1].records, vec![record; 3]);
    assert_eq!(entries[2].fault.as_ref(), Some(&fault));
    assert_eq!(entries[3].batch.as_ref().unwrap(), &rows(10, 5));

    // By pages, and of one stage; after the run has ended and the store was opened again.
    write(&store, id(1), &well("flights"));
    drop(store);
    let store = Store::open(&folder.path().join("state")).unwrap();
    let page = store.quarantine(id(1), Some("check"), 8, 4).unwrap();
    assert_eq!(page.len(), 2);
    assert_eq!((page[0].batch.as_ref().unwrap(), page[1].batch.as_ref().unwrap()), (&rows(8, 2), &rows(10, 2)));
    assert_eq!((page[0].count, page[0].reasons.len()), (10, 2));
    assert!(store.quarantine(id(1), None, 19, 10).unwrap().is_empty());
    assert_eq!(store.quarantine(id(1), None, 12, 1).unwrap()[0].records.len(), 1);

    let counts = store.quarantine_counts(id(1)).unwrap();
    let counts: Vec<(&str, &str, u64)> =
        counts.iter().map(|count| (count.stage.as_str(), count.reason.as_str(), count.count)).collect();
    assert_eq!(
        counts,
        [("check", "even", 8), ("check", "odd, small", 7), ("read", "ragged", 3), ("speed", "it died", 1)]
    );
    assert_eq!(store.quarantine_files(id(1)).unwrap().len(), 2);

    let json = serde_json::to_value(&store.quarantine(id(1), Some("check"), 2, 2).unwrap()[0]).unwrap();
    assert_eq!(
        json["rows"],
        serde_json::json!([
            {"n": 2, "s": "row 2", "f": "inf", "t": "1970-01-01T00:00:00.000002"},
            {"n": null, "s": "row 3", "f": 1.0, "t": "1970-01-01T00:00:00.000003"},
        ])
    );
}

#[test]
fn a_file_that_broke_off_is_told_and_the_rest_is_read() {
    let (_folder, store) = open();
    set_aside(&store, id(1), "check", at(0), &rejected(0, 100));
    set_aside(&store, id(1), "check", at(1), &rejected(100, 100));
    let path = &store.quarantine_files(id(1)).unwrap()[0];
    let length = std::fs::metadata(path).unwrap().len();
    std::fs::File::options().write(true).open(path).unwrap().set_len(length - 50).unwrap();
    let entries = store.quarantine(id(1), None, 0, 1_000).unwrap();
    assert_eq!(entries[0].batch.as_ref().unwrap().num_rows(), 100);
    assert!(entries[1].unreadable.as_ref().unwrap().contains("check-0.arrow"), "{:?}", entries[1].unreadable);
    assert_eq!(entries[1].count, 100);
    std::fs::remove_file(path).unwrap();
    assert!(store.quarantine(id(1), None, 0, 1_000).unwrap().iter().all(|entry| entry.unreadable.is_some()));
}

#[test]
fn another_schema_goes_to_another_file() {
    let (_folder, store) = open();
    set_aside(&store, id(1), "s", at(0), &rejected(0, 2));
    let other = rows(0, 2).project(&[0]).unwrap();
    let reasons = vec![String::new(); 2];
    set_aside(&store, id(1), "s", at(0), &Quarantined::Rejected { batch: other.clone(), reasons });
    assert_eq!(store.quarantine_files(id(1)).unwrap().len(), 2);
    assert_eq!(store.quarantine(id(1), None, 2, 2).unwrap()[0].batch.as_ref().unwrap(), &other);
}

#[test]
fn many_different_reasons_are_counted_as_one_beyond_a_bound() {
    let (_folder, store) = open();
    let records = |range: std::ops::Range<u32>| {
        let record = |n| BadRecord { origin: String::new(), content: String::new(), reason: format!("reason {n}") };
        Quarantined::Records(range.map(record).collect())
    };
    set_aside(&store, id(1), "s", at(0), &records(0..1_500));
    set_aside(&store, id(1), "s", at(0), &records(0..2));
    let counts = store.quarantine_counts(id(1)).unwrap();
    assert_eq!(counts.len(), 1_001);
    assert_eq!((counts[0].reason.as_str(), counts[0].count), ("(other reasons)", 500));
    assert_eq!(counts[1].count, 2);
}

#[test]
fn two_stores_on_one_folder() {
    let (folder, one) = open();
    let two = Store::open(&folder.path().join("state")).unwrap();
    let events = well("flights");
    write(&one, id(1), &events[..3]);
    // The other goes on where the first stopped, and back.
    two.append(id(1), at(4), &events[3..5]).unwrap();
    one.append(id(1), at(5), &events[5..6]).unwrap();
    assert!(two.append(id(1), at(6), &events[5..6]).is_err());
    std::thread::scope(|scope| {
        for (store, numbers) in [(&one, 10..40), (&two, 40..70)] {
            scope.spawn(move || {
                for number in numbers {
                    write(store, id(number), &well("many"));
                    set_aside(store, id(number), "check", at(0), &rejected(0, 3));
                }
            });
        }
    });
    let all = one.runs(&RunFilter { pipeline: Some("many".into()), limit: Some(100), ..RunFilter::default() }).unwrap();
    assert_eq!(all.iter().filter(|run| run.state == RunState::Succeeded).count(), 60);
}

#[test]
fn what_is_no_store_is_told() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("store.sqlite"), "this is no database, whatever its name says .....").unwrap();
    let told = |folder: &std::path::Path| Store::open(folder).err().unwrap().to_string();
    assert!(told(folder.path()).contains("it is damaged or no store"), "{}", told(folder.path()));

    let foreign = tempfile::tempdir().unwrap();
    let connection = rusqlite::Connection::open(foreign.path().join("store.sqlite")).unwrap();
    connection.execute_batch("CREATE TABLE theirs (a)").unwrap();
    assert!(told(foreign.path()).contains("is a database of something else"));

    let later = tempfile::tempdir().unwrap();
    drop(Store::open(later.path()).unwrap());
    let connection = rusqlite::Connection::open(later.path().join("store.sqlite")).unwrap();
    connection.pragma_update(None, "user_version", 99).unwrap();
    assert!(told(later.path()).contains("was made by a later sluicebox"));

    let file = tempfile::NamedTempFile::new().unwrap();
    assert!(told(&file.path().join("inside")).starts_with("cannot use `"));
}

#[test]
fn impossible_rows_are_impossible() {
    let (folder, store) = open();
    write(&store, id(1), &well("flights"));
    let connection = rusqlite::Connection::open(folder.path().join("state/store.sqlite")).unwrap();
    for change in [
        "UPDATE runs SET state = 'done'",
        "UPDATE runs SET state = 'running'",
        "UPDATE runs SET state = 'failed'",
        "UPDATE runs SET ended_at = NULL",
        "UPDATE runs SET committing_at = NULL",
        "UPDATE runs SET rows_read = -1",
        "UPDATE events SET body = 'no json'",
    ] {
        assert!(connection.execute(change, []).is_err(), "{change}");
    }
}

#[test]
fn what_is_too_old_is_forgotten() {
    let (_folder, store) = open();
    write(&store, id(1), &well("flights"));
    write(&store, id(2), &well("flights"));
    write(&store, id(3), &[queued("other"), started_run()]);
    let line = LogLine { level: Level::Info, source: LogSource::Log, message: "hello".into() };
    store.log(id(1), "read", at(1), &[line]).unwrap();
    let records = vec![BadRecord { origin: "a:1".into(), content: "x".into(), reason: "no number".into() }];
    set_aside(&store, id(1), "read", at(1), &Quarantined::Records(records));
    let remains = |of: u8| store.remains().unwrap().into_iter().find(|remains| remains.run == id(of)).unwrap();
    let first = remains(1);
    assert_eq!((first.ended_at, first.has_log, first.has_quarantine), (Some(at(8)), true, true));
    assert_eq!((remains(2).has_log, remains(2).has_quarantine, remains(3).ended_at), (false, false, None));
    store.forget_log(id(1)).unwrap();
    store.forget_quarantine(id(1)).unwrap();
    assert_eq!((remains(1).has_log, remains(1).has_quarantine), (false, false));
    assert_eq!(store.quarantine_counts(id(1)).unwrap().len(), 1, "how many there were is still known");
    assert_eq!(store.components_since(at(1_000)).unwrap().len(), 1, "those of the last runs");
    assert_eq!(store.last_loaded("flights").unwrap(), Some(at(8)));
    assert_eq!(store.last_loaded("other").unwrap(), None);
}
