//! What becomes of rows that were set aside.

use super::{at, id, open, queued, rejected, set_aside, started_run, well, write};
use crate::{Dealt, LoadedByReplay, QuarantineKind, SetAside, Store};
use sluicebox_model::fault::{Fault, FaultKind};
use sluicebox_model::journal::Quarantined;
use sluicebox_model::run::{Event, RunId, Trigger};
use sluicebox_model::stage::BadRecord;

/// Two runs of which each set rows aside: the first by rules, by a fault and as records, the second by rules.
fn two_runs(store: &Store) {
    write(store, id(1), &well("flights"));
    write(store, id(2), &well("flights"));
    set_aside(store, id(1), "check", at(1), &rejected(0, 4));
    set_aside(store, id(1), "check", at(2), &rejected(4, 3));
    let Quarantined::Rejected { batch, .. } = rejected(7, 2) else { panic!() };
    let fault = Fault::new(FaultKind::Trap, "process", "it died");
    set_aside(store, id(1), "speed", at(3), &Quarantined::Poison { batch, fault });
    let record = BadRecord { origin: "a:1".into(), content: "x".into(), reason: "no number".into() };
    set_aside(store, id(1), "read", at(4), &Quarantined::Records(vec![record.clone(), record]));
    set_aside(store, id(2), "check", at(5), &rejected(0, 1));
}

fn told(rows: &[SetAside]) -> Vec<(String, &str, QuarantineKind, u64, Option<Dealt>)> {
    rows.iter().map(|of| (of.run.clone(), of.stage.as_str(), of.kind, of.rows, of.dealt)).collect()
}

#[test]
fn what_runs_set_aside_is_listed_the_newest_first() {
    let (_folder, store) = open();
    assert!(store.set_aside_by(None, true).unwrap().is_empty());
    two_runs(&store);
    let all = store.set_aside_by(None, false).unwrap();
    let (one, two) = (id(1).to_string(), id(2).to_string());
    assert_eq!(
        told(&all),
        [
            (two, "check", QuarantineKind::Rejected, 1, None),
            (one.clone(), "check", QuarantineKind::Rejected, 7, None),
            (one.clone(), "speed", QuarantineKind::Poison, 2, None),
            (one, "read", QuarantineKind::Record, 2, None),
        ]
    );
    assert_eq!((all[1].pipeline.as_str(), all[1].at, all[1].dealt_by.as_deref()), ("flights", at(2), None));
    assert_eq!(all[3].reason.as_deref(), Some("no number"));
    assert_eq!(store.set_aside_by(Some(id(2)), false).unwrap(), all[..1]);
    assert!(store.set_aside_by(Some(id(9)), true).unwrap().is_empty());
}

#[test]
fn what_is_dropped_is_counted_once_and_stays_known() {
    let (_folder, store) = open();
    two_runs(&store);
    assert_eq!(store.drop_set_aside(id(1), Some("check"), false).unwrap(), 7);
    assert_eq!(store.drop_set_aside(id(1), Some("check"), false).unwrap(), 0);
    assert_eq!(store.drop_set_aside(id(1), Some("nobody"), false).unwrap(), 0);
    assert_eq!(store.drop_set_aside(id(1), None, false).unwrap(), 4, "all that was still open");
    assert!(store.set_aside_by(Some(id(1)), false).unwrap().is_empty());
    let all = store.set_aside_by(Some(id(1)), true).unwrap();
    assert_eq!(all.len(), 3);
    assert!(all.iter().all(|of| of.dealt == Some(Dealt::Dropped) && of.dealt_by.is_none()));
    assert_eq!(store.set_aside_by(None, false).unwrap().len(), 1, "the other run's are untouched");
}

#[test]
fn a_replay_settles_rows_only_once_it_commits() {
    let (_folder, store) = open();
    two_runs(&store);
    let replay = |number: u8, events: usize| {
        let mut all = well("flights");
        let Event::RunQueued { load_key, .. } = &mut all[0] else { panic!() };
        *load_key = "replay-1-check-x".into();
        write(&store, id(number), &all[..events]);
    };
    let open_rows = || store.set_aside_by(Some(id(1)), false).unwrap().len();
    assert!(!store.settle_replays(id(1), "check", "replay-1-check").unwrap(), "there was none");
    replay(3, 6);
    assert!(!store.settle_replays(id(1), "check", "replay-1-check").unwrap(), "it may still be taken back");
    assert_eq!(open_rows(), 3);
    replay(4, 7);
    assert!(store.settle_replays(id(1), "check", "replay-1-check").unwrap());
    assert_eq!(open_rows(), 2);
    let all = store.set_aside_by(Some(id(1)), true).unwrap();
    let settled: Vec<_> = all.iter().filter(|of| of.dealt == Some(Dealt::Replayed)).collect();
    assert_eq!(settled.len(), 1);
    assert_eq!((settled[0].stage.as_str(), settled[0].rows), ("check", 7));
    assert_eq!(settled[0].dealt_by, Some(id(4).to_string()));
    assert_eq!(store.drop_set_aside(id(1), Some("check"), false).unwrap(), 0, "what was replayed is not dropped");

    // A prefix is no pattern, and records cannot be replayed.
    assert!(!store.settle_replays(id(1), "speed", "replay_1").unwrap());
    assert!(!store.settle_replays(id(1), "speed", "%").unwrap());
    assert!(store.settle_replays(id(1), "read", "replay-1").unwrap());
    assert_eq!(open_rows(), 2);
}

#[test]
fn rows_of_a_run_that_goes_on_are_listed_too() {
    let (_folder, store) = open();
    write(&store, id(1), &[queued("flights"), started_run()]);
    set_aside(&store, id(1), "check", at(1), &rejected(0, 4));
    // They are shown with the outcome of their run, but are there as soon as they are written.
    assert_eq!(store.set_aside_by(None, false).unwrap().len(), 1);
}

/// A run of `flights` with this load key, until it has decided to commit.
fn decides(store: &Store, run: RunId, key: &str, by: Trigger) {
    let mut events = well("flights");
    let Event::RunQueued { load_key, trigger, .. } = &mut events[0] else { panic!() };
    (*load_key, *trigger) = (key.into(), by);
    write(store, run, &events[..7]);
}

#[test]
fn a_run_for_the_same_rows_takes_over_what_was_set_aside() {
    let (_folder, store) = open();
    decides(&store, id(1), "a", Trigger::Manual);
    decides(&store, id(2), "b", Trigger::Manual);
    for run in [id(1), id(2)] {
        set_aside(&store, run, "out", at(1), &rejected(0, 4));
        set_aside(&store, run, "nobody", at(1), &rejected(4, 1));
    }
    decides(&store, id(3), "a", Trigger::Rerun);
    let dealt = |run: RunId, stage: &str| {
        let all = store.set_aside_by(Some(run), true).unwrap();
        all.iter().find(|of| of.stage == stage).map(|of| (of.dealt, of.dealt_by.clone())).unwrap()
    };
    assert_eq!(dealt(id(1), "out"), (Some(Dealt::Replayed), Some(id(3).to_string())));
    assert_eq!(dealt(id(1), "nobody"), (None, None), "no stage of the run was given these");
    assert_eq!(dealt(id(2), "out"), (None, None), "another interval");
    assert!(store.loaded_by_replays("flights", "a").unwrap().is_empty(), "no replay did it");

    // A replay is given the rows of one run alone.
    set_aside(&store, id(3), "out", at(2), &rejected(0, 2));
    decides(&store, id(4), "a", Trigger::Replay);
    assert_eq!(dealt(id(3), "out"), (None, None));
}

#[test]
fn what_a_replay_loaded_is_known_until_it_is_taken_out() {
    let (_folder, store) = open();
    decides(&store, id(1), "a", Trigger::Manual);
    set_aside(&store, id(1), "check", at(1), &rejected(0, 4));
    decides(&store, id(2), "a-replay", Trigger::Replay);
    assert!(store.settle_replays(id(1), "check", "a-replay").unwrap());
    let known = store.loaded_by_replays("flights", "a").unwrap();
    let (run, by) = (id(1).to_string(), id(2).to_string());
    assert_eq!(known, [LoadedByReplay { run, stage: "check".into(), by }]);
    assert!(store.loaded_by_replays("trains", "a").unwrap().is_empty());
    assert!(store.loaded_by_replays("flights", "a-replay").unwrap().is_empty());
    assert_eq!(store.drop_set_aside(id(1), Some("check"), false).unwrap(), 0);
    assert_eq!(store.drop_set_aside(id(1), Some("check"), true).unwrap(), 4);
    assert!(store.loaded_by_replays("flights", "a").unwrap().is_empty());
}
