//! Figures, pages of runs, what is new, and a store of the version before.

use super::{at, done, id, open, queued, started, started_run, well, write};
use crate::figures::BOUNDS;
use crate::{Change, Figures, RunFilter, Store};
use sluicebox_model::fault::{Fault, FaultKind};
use sluicebox_model::journal::{Journal, Quarantined};
use sluicebox_model::run::{Event, Interval, RunId, RunState, StageOutcome, Trigger};
use sluicebox_model::stage::{BadRecord, Level, LogLine, LogSource};
use std::sync::{Arc, Mutex};

fn with_bytes(events: &mut [Event]) {
    for event in events {
        if let Event::StageSucceeded { stage, outcome } = event {
            let (bytes_in, bytes_out) = if stage == "read" { (0, 1_000) } else { (800, 700) };
            *outcome = StageOutcome { bytes_in, bytes_out, ..outcome.clone() };
        }
    }
}

/// Runs of every state.
fn all_sorts(store: &Store) {
    for run in 1..=3 {
        let mut events = well("flights");
        with_bytes(&mut events);
        write(store, id(run), &events);
    }
    let fault = Fault::new(FaultKind::Trap, "process", "it died").of_stage("out");
    let failed = Event::RunFailed { fault: fault.clone() };
    write(store, id(4), &[queued("flights"), started_run(), started("read"), done("read", 6), failed.clone()]);
    let mut again = queued("flights");
    if let Event::RunQueued { trigger, repeats, .. } = &mut again {
        (*trigger, *repeats) = (Trigger::Rerun, Some(id(4)));
    }
    write(store, id(5), &[again, failed]);
    write(store, id(6), &[queued("trains"), Event::RunCancelled]);
    write(store, id(7), &[queued("trains"), started_run()]);
    let crashed = Event::RunCrashed { reason: "the host died".into(), fault: None };
    write(store, id(8), &[queued("ships"), started_run(), crashed.clone()]);
    let abandoned = Event::RunAbandoned { reason: "so be it".into() };
    write(store, id(9), &[queued("ships"), started_run(), crashed, abandoned]);
    let records = vec![BadRecord { origin: "a:1".into(), content: "x".into(), reason: "no number".into() }; 3];
    for run in [1, 2] {
        Journal::quarantine(store, id(run), "read", at(1), &Quarantined::Records(records.clone())).unwrap();
    }
    store.drop_set_aside(id(2), None, false).unwrap();
}

fn runs(figures: &Figures, pipeline: &str, state: RunState) -> u64 {
    let of = figures.totals.iter().find(|totals| totals.pipeline == pipeline && totals.state == state);
    of.map_or(0, |totals| totals.runs)
}

#[test]
fn figures_are_what_the_runs_did() {
    let (_folder, store) = open();
    assert_eq!(store.figures().unwrap(), Figures::default());
    all_sorts(&store);
    let figures = store.figures().unwrap();
    let well = figures.totals.iter().find(|totals| totals.state == RunState::Succeeded).unwrap();
    assert_eq!((well.pipeline.as_str(), well.runs, well.rows_read, well.rows_loaded), ("flights", 3, 30, 24));
    assert_eq!((well.rows_rejected, well.rows_quarantined), (12, 0));
    assert_eq!((well.bytes_read, well.bytes_loaded, well.last_ended_at), (3_000, 2_400, at(8)));
    assert_eq!(runs(&figures, "flights", RunState::Failed), 2);
    assert_eq!(runs(&figures, "trains", RunState::Cancelled), 1);
    assert_eq!(runs(&figures, "ships", RunState::Crashed), 1);
    assert_eq!(figures.totals.len(), 4);
    assert_eq!(
        figures.unfinished,
        [("ships".to_owned(), RunState::Crashed, 1), ("trains".to_owned(), RunState::Running, 1)]
    );
    let took = &figures.durations["flights"];
    // Three took 7 s, one 3 s, and one had not started.
    assert_eq!((took.count, took.sum.as_secs()), (4, 24));
    let within = |seconds: f64| took.at_most.iter().find(|(bound, _)| *bound == seconds).unwrap().1;
    assert_eq!((within(2.5), within(5.0), within(10.0), within(f64::INFINITY)), (0, 1, 4, 4));
    assert_eq!(figures.quarantine_open["flights"], 3);
    assert_eq!(figures.last_success()["flights"], at(8));
}

/// A store of the version before, with the same runs.
fn version_3(of: &std::path::Path, to: &std::path::Path) {
    let old = rusqlite::Connection::open(to.join("store.sqlite")).unwrap();
    for step in [include_str!("../schema_1.sql"), include_str!("../schema_2.sql"), include_str!("../schema_3.sql")] {
        old.execute_batch(step).unwrap();
    }
    old.pragma_update(None, "application_id", 0x534c_4258).unwrap();
    old.pragma_update(None, "user_version", 3).unwrap();
    old.execute("ATTACH ?1 AS new", [of.join("store.sqlite").to_str().unwrap()]).unwrap();
    let columns = "id, pipeline, \"trigger\", interval_start, interval_end, state, queued_at, started_at, committing_at, \
                   ended_at, rows_read, rows_loaded, rows_rejected, rows_quarantined, fault, abandoned_at, load_key";
    old.execute_batch(&format!(
        "INSERT INTO main.runs ({columns}) SELECT {columns} FROM new.runs ORDER BY new.runs.rowid;
         INSERT INTO main.events SELECT run, sequence, at, body FROM new.events;
         INSERT INTO main.bookmarks SELECT * FROM new.bookmarks;
         INSERT INTO main.quarantine SELECT * FROM new.quarantine;
         INSERT INTO main.quarantine_reasons SELECT * FROM new.quarantine_reasons;"
    ))
    .unwrap();
}

#[test]
fn a_store_of_the_version_before_is_brought_up_to_date() {
    let (folder, new) = open();
    all_sorts(&new);
    let old = tempfile::tempdir().unwrap();
    version_3(&folder.path().join("state"), old.path());
    let migrated = Store::open(old.path()).unwrap();
    assert_eq!(migrated.figures().unwrap(), new.figures().unwrap());
    let all = RunFilter { limit: Some(100), ..RunFilter::default() };
    assert_eq!(migrated.runs(&all).unwrap(), new.runs(&all).unwrap());
    for run in 1..=9 {
        assert_eq!(migrated.events(id(run)).unwrap(), new.events(id(run)).unwrap());
        assert_eq!(migrated.run(&id(run).to_string()).unwrap(), new.run(&id(run).to_string()).unwrap());
    }
    let failures = |store: &Store| store.failures("flights", None, None).unwrap();
    assert_eq!(failures(&migrated), failures(&new));
    assert_eq!(failures(&migrated).count, 0, "all ended at the same second as the successes");
    assert_eq!(migrated.bookmarks(None).unwrap(), new.bookmarks(None).unwrap());
    assert_eq!(migrated.new_events(0, 1_000).unwrap().len(), new.new_events(0, 1_000).unwrap().len());
    // And it goes on.
    write(&migrated, id(10), &well("flights"));
    assert_eq!(runs(&migrated.figures().unwrap(), "flights", RunState::Succeeded), 4);
    drop(migrated);
    Store::open(old.path()).unwrap();
}

#[test]
fn the_bounds_of_old_durations_are_todays() {
    let sql = include_str!("../schema_4.sql");
    for bound in BOUNDS {
        assert!(sql.contains(&format!("({bound})")), "{bound}");
    }
    assert_eq!(sql.matches("000000)").count() + 1, BOUNDS.len());
}

#[test]
fn runs_by_pages_and_filters() {
    let (_folder, store) = open();
    all_sorts(&store);
    let ids = |filter: RunFilter| -> Vec<u8> {
        let number = |id: RunId| *id.0.as_bytes().last().unwrap();
        store.runs(&filter).unwrap().iter().map(|run| number(run.id)).collect()
    };
    let any = RunFilter::default;
    let mut pages = Vec::new();
    let mut before = None;
    loop {
        let page = store.runs(&RunFilter { before, limit: Some(4), ..any() }).unwrap();
        let Some(last) = page.last() else { break };
        before = Some(last.id);
        pages.push(page.len());
    }
    assert_eq!(pages, [4, 4, 1]);
    let flights = || RunFilter { pipeline: Some("flights".into()), ..any() };
    assert_eq!(ids(RunFilter { limit: Some(2), before: Some(id(4)), ..flights() }), [3, 2]);
    assert_eq!(ids(RunFilter { states: vec![RunState::Failed], ..flights() }), [5, 4]);
    assert_eq!(ids(RunFilter { triggers: vec![Trigger::Rerun, Trigger::Replay], ..any() }), [5]);
    assert_eq!(ids(RunFilter { since: Some(at(1)), ..any() }), [0; 0]);
    assert_eq!(ids(RunFilter { since: Some(at(0)), until: Some(at(1)), ..any() }).len(), 9);
    assert_eq!(ids(RunFilter { until: Some(at(0)), ..any() }), [0; 0]);
    let interval = Interval { start: at(-60), end: at(0) };
    assert_eq!(ids(RunFilter { interval: Some(interval), limit: Some(2), ..flights() }), [5, 4]);
    let other = Interval { start: at(-60), end: at(1) };
    assert_eq!(ids(RunFilter { interval: Some(other), ..any() }), [0; 0]);
    assert_eq!(ids(RunFilter { before: Some(id(99)), ..any() }), [0; 0]);
}

#[test]
fn what_is_new_is_told_and_read_in_the_same_order() {
    let (_folder, store) = open();
    // Place, run, number and name.
    type Told = (u64, RunId, u64, String);
    let told: Arc<Mutex<Vec<Told>>> = Arc::default();
    let keep = told.clone();
    store.on_change(move |change| {
        if let Change::Run { run, sequence, position, events, .. } = change {
            let mut keep = keep.lock().unwrap();
            for (at, event) in events.iter().enumerate() {
                keep.push((position + at as u64, *run, sequence + at as u64, event.name().to_owned()));
            }
        }
    });
    std::thread::scope(|scope| {
        for run in 1..=4 {
            let store = &store;
            scope.spawn(move || {
                let events = well("flights");
                store.append(id(run), at(0), &events[..4]).unwrap();
                write(store, id(10 + run), &events);
                store.append(id(run), at(1), &events[4..]).unwrap();
            });
        }
    });
    let told = told.lock().unwrap().clone();
    let read: Vec<_> = store
        .new_events(0, 1_000)
        .unwrap()
        .into_iter()
        .map(|entry| (entry.position, entry.run, entry.sequence, entry.event.name().to_owned()))
        .collect();
    assert_eq!(told, read);
    assert_eq!(store.last_position().unwrap(), 72);
    assert_eq!(store.new_events(70, 1_000).unwrap().len(), 2);
    assert_eq!(store.new_events(0, 5).unwrap().len(), 5);
    let tail = store.events_after(id(1), Some(6), 10).unwrap();
    assert_eq!(tail.iter().map(|entry| entry.event.name()).collect::<Vec<_>>(), ["load-committed", "run-succeeded"]);
    assert_eq!(store.events_after(id(1), None, 3).unwrap()[0].sequence, 0);
    let json = serde_json::to_value(&tail[1]).unwrap();
    assert_eq!((&json["event"], &json["sequence"]), (&"run-succeeded".into(), &8.into()));

    let line = |text: &str| LogLine { level: Level::Info, source: LogSource::Log, message: text.into() };
    store.log(id(1), "read", at(0), &[line("a"), line("b")]).unwrap();
    let (first, entry) = store.logs_after(id(1), 0, 1).unwrap().remove(0);
    assert_eq!(entry.line.message, "a");
    assert_eq!(store.logs_after(id(1), first, 10).unwrap()[0].1.line.message, "b");
}
