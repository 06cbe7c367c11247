//! What waits for the disk, and what a loss of power takes.

use super::house::{decided, fire, run_id};
use super::{at, id, open, queued, started_run, well};
use crate::{Store, StoreError};
use sluicebox_model::house::QueueState;
use sluicebox_model::journal::Journal;
use sluicebox_model::run::{Event, RunId, RunRecord};
use std::collections::BTreeMap;
use std::fs;

/// What a commit of the durable connection waits for: 2 for the disk, 1 for nothing.
fn waits(store: &Store) -> i64 {
    let ask = |connection: &mut rusqlite::Connection| {
        connection.query_row("PRAGMA synchronous", [], |row| row.get::<_, i64>(0))
    };
    store.as_it_is(ask)
}

#[test]
fn only_what_decides_waits_for_the_disk() {
    let (_folder, store) = open();
    let mut waited = Vec::new();
    for (second, event) in well("flights").into_iter().enumerate() {
        let name = event.name();
        store.append(id(1), at(second as i64), &[event]).unwrap();
        if waits(&store) == 2 {
            waited.push(name);
        }
    }
    // The one stage is the load.
    assert_eq!(waited, ["stage-started", "run-committing"]);
    let bookmarks = BTreeMap::from([("read".to_owned(), "page 9".to_owned())]);
    store.append(id(2), at(0), &[queued("a")]).unwrap();
    store.append(id(2), at(0), &[Event::RunStarted { bookmarks }]).unwrap();
    assert_eq!(waits(&store), 2, "recovery resumes there");
    store.append(id(3), at(0), &[queued("a")]).unwrap();
    store.append(id(3), at(0), &[started_run()]).unwrap();
    assert_eq!(waits(&store), 1);
    store.pause("a", "api", "", at(0)).unwrap();
    assert_eq!(waits(&store), 2);
    let fires = decided(vec![fire("a", 1, 60)]);
    store.decide_soon(&fires, at(60)).unwrap();
    assert_eq!(waits(&store), 1);
    store.decide(&fires, at(60)).unwrap();
    assert_eq!(waits(&store), 2);
    store.take(run_id(1), at(60)).unwrap();
    assert_eq!(waits(&store), 1);
    // Two loads: the first of them is on disk before the second is committed.
    let mut events = well("flights");
    if let Event::RunQueued { stages, .. } = &mut events[0] {
        stages.push(sluicebox_model::run::StageEntry { name: "second".into(), ..stages[1].clone() });
    }
    events.insert(5, super::done("second", 1));
    events.insert(5, super::started("second"));
    let committed = |stage: &str| Event::LoadCommitted { stage: stage.into() };
    store.append(id(4), at(0), &events[..9]).unwrap();
    store.append(id(4), at(0), &[committed("second")]).unwrap();
    assert_eq!(waits(&store), 2);
    store.append(id(4), at(0), &[committed("out")]).unwrap();
    assert_eq!(waits(&store), 1);
}

/// SQLite makes a table for a list behind `IN` each time that a row is written.
#[test]
fn no_condition_of_a_table_has_a_list() {
    let (_folder, store) = open();
    let mut lists = 0;
    let conditions = store.as_it_is(|connection| {
        let sound: String = connection.query_row("PRAGMA integrity_check", [], |row| row.get(0))?;
        assert_eq!(sound, "ok");
        let mut select = connection.prepare("SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL")?;
        let rows = select.query_map([], |row| row.get::<_, String>(0))?;
        rows.collect::<Result<Vec<_>, _>>()
    });
    for condition in conditions {
        for list in condition.split("IN (").skip(1) {
            let list = list.split(')').next().unwrap();
            // Of two it makes none.
            assert!(list.split(',').count() <= 2, "{condition}");
            lists += 1;
        }
    }
    assert!(lists > 0, "two words are left");
}

/// A loss of power leaves the log up to some byte behind the last commit that waited.
#[test]
fn a_loss_of_power_takes_only_the_last_events_and_none_that_waited() {
    let (folder, store) = open();
    let state = folder.path().join("state");
    let log = |name: &str| fs::read(state.join(name)).unwrap();
    let events = well("flights");
    let (mut kept, mut on_disk) = (0, 0);
    for (second, event) in events.iter().enumerate() {
        store.append(id(1), at(second as i64), std::slice::from_ref(event)).unwrap();
        let (database, wal) = (log("store.sqlite"), log("store.sqlite-wal"));
        if waits(&store) == 2 {
            (kept, on_disk) = (second + 1, wal.len());
        }
        let mut cuts: Vec<usize> = (on_disk..wal.len()).step_by(1_500).collect();
        cuts.push(wal.len());
        for cut in cuts {
            let after = tempfile::tempdir().unwrap();
            fs::write(after.path().join("store.sqlite"), &database).unwrap();
            fs::write(after.path().join("store.sqlite-wal"), &wal[..cut]).unwrap();
            let after = Store::open(after.path()).unwrap();
            let left = after.events(id(1)).unwrap();
            assert!((kept..=second + 1).contains(&left.len()), "{} of {kept}..={}", left.len(), second + 1);
            if left.is_empty() {
                assert!(matches!(after.summary("last"), Err(StoreError::NoRuns)), "nothing of it is left");
                continue;
            }
            let left: Vec<Event> = left.into_iter().map(|(_, event)| event).collect();
            assert_eq!(left, events[..left.len()], "a beginning of what was written");
            let with_times: Vec<_> =
                left.iter().enumerate().map(|(second, event)| (at(second as i64), event.clone())).collect();
            let record = RunRecord::fold(id(1), &with_times).unwrap();
            assert_eq!(after.summary("last").unwrap().state, record.state, "the row is the fold of what is left");
        }
    }
    assert_eq!(events[kept - 1].name(), "run-committing");
    assert_eq!(events.len(), kept + 2, "the last load was committed, and the run succeeded");
}

/// What is lost of a run that has succeeded is done again: it is one that commits, with all that takes.
#[test]
fn a_loss_of_power_behind_the_commit_leaves_a_run_that_commits_again() {
    let (folder, store) = open();
    let state = folder.path().join("state");
    let events = well("flights");
    store.append(id(1), at(0), &events[..7]).unwrap();
    let kept = ["store.sqlite", "store.sqlite-wal"].map(|name| (name, fs::read(state.join(name)).unwrap()));
    store.append(id(1), at(1), &events[7..]).unwrap();
    assert_eq!(waits(&store), 1);
    let after = tempfile::tempdir().unwrap();
    for (name, bytes) in kept {
        fs::write(after.path().join(name), bytes).unwrap();
    }
    fs::copy(state.join("last-commit.json"), after.path().join("last-commit.json")).unwrap();
    let after = Store::open(after.path()).unwrap();
    assert_eq!(after.put_back().unwrap(), None, "the decision is there");
    let unfinished = after.unfinished().unwrap();
    assert!(unfinished.len() == 1 && unfinished[0].in_commit(), "{unfinished:?}");
    assert_eq!(unfinished[0].receipts["out"], ["r"]);
    // A later run that is on disk has the end of this one on disk.
    store.append(id(2), at(2), &[queued("flights"), started_run()]).unwrap();
    assert_eq!(waits(&store), 1);
    store.append(id(2), at(2), &[super::started("out")]).unwrap();
    assert_eq!(waits(&store), 2);
}

/// A command that looks beside the first run of a project opens the store as that makes it.
#[test]
fn a_new_store_is_opened_by_several_at_once() {
    for _ in 0..20 {
        let folder = tempfile::tempdir().unwrap();
        let together = std::sync::Barrier::new(4);
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    together.wait();
                    let opened = Store::open(folder.path());
                    assert!(opened.is_ok(), "{:?}", opened.err());
                });
            }
        });
    }
}

/// `cargo test -p sluicebox-store --release -- --ignored --nocapture how_long`
#[test]
#[ignore = "a measurement"]
fn how_long_runs_and_decisions_take() {
    use std::time::Instant;
    let folder = tempfile::Builder::new().prefix("measure").tempdir_in(std::env::current_dir().unwrap()).unwrap();
    let store = Store::open(&folder.path().join("state")).unwrap();
    let mut events = well("flights");
    // As of four stages: thirteen events.
    let names = ["a", "b"];
    if let Event::RunQueued { stages, .. } = &mut events[0] {
        for name in names {
            let more = sluicebox_model::run::StageEntry { name: name.into(), ..stages[0].clone() };
            stages.push(more);
        }
    }
    for name in names {
        events.insert(4, super::done(name, 1));
        events.insert(4, super::started(name));
    }
    assert_eq!(events.len(), 13);
    let run = |number: u16| {
        let [high, low] = number.to_be_bytes();
        RunId::new(at(0), [high, low, 1, 1, 1, 1, 1, 1, high, low])
    };
    let measure = |words: &str, work: &mut dyn FnMut(u16)| {
        let mut took: Vec<u128> = (0..300_u16)
            .map(|number| {
                let start = Instant::now();
                work(number);
                start.elapsed().as_micros()
            })
            .collect();
        took.sort_unstable();
        eprintln!("{words}: p50 {} us, p95 {} us", took[150], took[285]);
    };
    measure("a run of 13 events", &mut |number| {
        for event in &events {
            store.append(run(number), at(0), std::slice::from_ref(event)).unwrap();
        }
    });
    measure("one fire decided, taken and settled", &mut |number| {
        store.decide_soon(&decided(vec![fire("a", number, i64::from(number))]), at(0)).unwrap();
        store.take(run_id(number), at(0)).unwrap();
        store.settle(run_id(number), QueueState::Ended, "", at(0)).unwrap();
    });
    let fires = (0..60_000_u16).map(|number| fire(&format!("p{number}"), 1_000 + (number % 64_000), 60));
    let many = decided(fires.collect());
    let start = Instant::now();
    store.decide(&many, at(61)).unwrap();
    eprintln!("60,000 fires decided at once: {} ms", start.elapsed().as_millis());
    measure("figures of 60,000 waiting runs", &mut |_| drop(store.figures().unwrap()));
}
