//! A database that lost its last events, and a clock that was set back.

use super::{at, committing, done, id, open, queued, started, started_run, well, write};
use crate::{RunFilter, Store, StoreError};
use sluicebox_model::journal::Journal;
use sluicebox_model::run::{Event, RunId, RunState};
use std::fs;
use std::path::Path;

/// The database as it is now.
fn keep(folder: &Path) -> Vec<(&'static str, Option<Vec<u8>>)> {
    ["store.sqlite", "store.sqlite-wal"].map(|name| (name, fs::read(folder.join(name)).ok())).to_vec()
}

/// What a copy of an earlier moment leaves, or a log that lost its end.
fn put_again(folder: &Path, kept: &[(&'static str, Option<Vec<u8>>)]) -> Store {
    let _ = fs::remove_file(folder.join("store.sqlite-shm"));
    for (name, bytes) in kept {
        let path = folder.join(name);
        match bytes {
            Some(bytes) => fs::write(path, bytes).unwrap(),
            None => drop(fs::remove_file(path)),
        }
    }
    Store::open(folder).unwrap()
}

#[test]
fn a_commit_that_the_database_lost_is_put_back() {
    for known in 0..=8 {
        let (folder, store) = open();
        let state = folder.path().join("state");
        write(&store, id(1), &well("flights"));
        let events = well("flights");
        write(&store, id(2), &events[..known]);
        let kept = keep(&state);
        for event in &events[known..8] {
            store.append(id(2), at(20), std::slice::from_ref(event)).unwrap();
        }
        drop(store);
        let store = put_again(&state, &kept);
        let put_back = store.put_back().unwrap();
        assert_eq!(put_back, (known < 7).then_some(id(2)), "{known} events are known");
        let record = store.run(&id(2).to_string()).unwrap();
        assert_eq!(record.state, RunState::Committing);
        assert_eq!(record.receipts["out"], ["r"]);
        assert_eq!(store.bookmark("flights", "read").unwrap().as_deref(), Some("page 9"));
        assert_eq!(store.put_back().unwrap(), None, "once is enough");
    }
}

#[test]
fn more_than_the_last_commit_cannot_be_put_back() {
    let (folder, store) = open();
    let state = folder.path().join("state");
    write(&store, id(1), &well("flights"));
    let kept = keep(&state);
    write(&store, id(2), &well("trains"));
    write(&store, id(3), &well("flights"));
    drop(store);
    let store = put_again(&state, &kept);
    let Err(StoreError::Lost { run, .. }) = store.put_back() else { panic!("nobody noticed") };
    assert_eq!(run, id(2).to_string());
    // Somebody decides to go on.
    fs::remove_file(state.join("last-commit.json")).unwrap();
    assert_eq!(store.put_back().unwrap(), None);
    // What went on by itself since is not overwritten.
    write(&store, id(4), &well("flights")[..7]);
    drop(store);
    let store = put_again(&state, &kept);
    let failed = Event::RunFailed { fault: sluicebox_model::fault::Fault::new(super::FaultKind::Host, "run", "lost") };
    write(&store, id(4), &[queued("flights"), started_run(), failed]);
    assert!(matches!(store.put_back(), Err(StoreError::Lost { .. })));
}

#[test]
fn a_clock_that_is_set_back_changes_no_order() {
    let (_folder, store) = open();
    // Ids hold the time, too: the later the run, the earlier the clock.
    let run = |number: u8| id(9 - number);
    for number in 0..3 {
        for (second, event) in (0..).zip(well("flights")) {
            store.append(run(number), at(10_000 - i64::from(number) * 3_600 + second), &[event]).unwrap();
        }
    }
    let ids = |filter: RunFilter| -> Vec<RunId> { store.runs(&filter).unwrap().iter().map(|run| run.id).collect() };
    assert_eq!(ids(RunFilter::default()), [run(2), run(1), run(0)]);
    assert_eq!(store.find("last").unwrap(), run(2));
    assert_eq!(store.last_of("flights").unwrap().map(|record| record.id), Some(run(2)));
    let before = store.history("flights", Some(run(2)), 10).unwrap();
    assert_eq!(before.iter().map(|run| run.id).collect::<Vec<_>>(), [run(1), run(0)]);
    assert_eq!(store.remains().unwrap().iter().map(|left| left.run).collect::<Vec<_>>(), [run(0), run(1), run(2)]);
    // Two that have no end: in the order in which they were made.
    let open = [queued("flights"), started_run(), started("read"), started("out"), done("read", 1), done("out", 1)];
    for (number, second) in [(3, 50), (4, 10)] {
        store.append(run(number), at(second), &open).unwrap();
        store.append(run(number), at(second - 5), &[committing("page 10")]).unwrap();
    }
    assert_eq!(store.unfinished().unwrap().iter().map(|record| record.id).collect::<Vec<_>>(), [run(3), run(4)]);
}
