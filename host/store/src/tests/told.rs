//! Alerts, and what is asked before anybody is told.

use super::{at, id, open, queued, started_run, well, write};
use crate::{Failures, Store};
use sluicebox_model::alert::AlertOn;
use sluicebox_model::fault::{Fault, FaultKind};
use sluicebox_model::house::{AlertState, HouseEvent, NewAlert};
use sluicebox_model::journal::Journal;
use sluicebox_model::run::{Event, RunId};

fn alert(run: u8, kind: AlertOn, target: &str) -> NewAlert {
    NewAlert {
        pipeline: "flights".into(),
        run: Some(id(run)),
        about: String::new(),
        kind,
        target: target.into(),
        body: serde_json::json!({"text": "run failed", "rows": 7}),
    }
}

fn fails(store: &Store, run: u8, repeats: Option<RunId>, second: i64) {
    let mut queued = queued("flights");
    if let Event::RunQueued { repeats: of, .. } = &mut queued {
        *of = repeats;
    }
    let fault = Fault::new(FaultKind::Trap, "process", "unreachable").of_stage("read");
    store.append(id(run), at(second), &[queued, started_run(), Event::RunFailed { fault }]).unwrap();
}

#[test]
fn an_alert_is_queued_once_and_settled_once() {
    let (folder, store) = open();
    let failure = alert(1, AlertOn::Failure, "ops");
    let all = vec![failure.clone(), alert(1, AlertOn::Failure, "boss"), alert(1, AlertOn::Quarantine, "ops")];
    assert_eq!(store.enqueue_alerts(all.clone(), at(0)).unwrap(), [Some(1), Some(2), Some(3)]);
    assert_eq!(store.enqueue_alerts(all, at(1)).unwrap(), [None, None, None]);
    let late = NewAlert { run: None, about: "2027-01-15T08:00:00Z".into(), ..alert(1, AlertOn::Late, "ops") };
    let answer = store.enqueue_alerts(vec![late.clone(), late.clone()], at(2)).unwrap();
    assert_eq!(answer.len(), 2);
    let (Some(last), None) = (answer[0], answer[1]) else { panic!("{answer:?}") };
    drop(store);
    let store = Store::open(&folder.path().join("state")).unwrap();
    let due = store.due_alerts(at(5), 10).unwrap();
    assert_eq!(due.len(), 4);
    assert_eq!((due[0].what.clone(), due[0].state, due[0].attempts), (failure, AlertState::Waiting, 0));
    assert_eq!(due[3].what, late);

    assert!(store.alert_failed(1, at(6), at(60), "connection refused").unwrap());
    assert!(store.alert_delivered(2, at(6)).unwrap());
    assert!(!store.alert_delivered(2, at(7)).unwrap(), "it is told once");
    assert!(store.alert_given_up(last, at(7), "no such host").unwrap());
    assert!(!store.alert_failed(last, at(7), at(8), "again").unwrap());
    assert!(!store.alert_delivered(99, at(7)).unwrap());
    let ids = |now| -> Vec<u64> { store.due_alerts(at(now), 10).unwrap().iter().map(|alert| alert.id).collect() };
    assert_eq!(ids(10), [3]);
    assert_eq!(ids(60), [3, 1]);
    assert!(store.alert_delivered(3, at(11)).unwrap());
    assert_eq!(store.next_alert_at().unwrap(), Some(at(60)));
    assert_eq!(store.figures().unwrap().alerts_waiting, 1);
    assert!(store.alert_delivered(1, at(61)).unwrap());
    assert_eq!(store.next_alert_at().unwrap(), None);
    let first = store.alert(1).unwrap().unwrap();
    assert_eq!((first.state, first.attempts, first.settled_at), (AlertState::Delivered, 2, Some(at(61))));
    assert_eq!(first.error.as_deref(), Some("connection refused"));
    let events = store.house_events(&Default::default()).unwrap();
    let of_first: Vec<_> = events
        .iter()
        .filter_map(|entry| match &entry.event {
            HouseEvent::AlertQueued { alert: 1, .. } => Some(0),
            HouseEvent::AlertFailed { alert: 1, attempt, .. }
            | HouseEvent::AlertDelivered { alert: 1, attempt, .. } => Some(*attempt),
            _ => None,
        })
        .collect();
    assert_eq!(of_first, [0, 1, 2]);
}

#[test]
fn failures_are_counted_and_recoveries_told_once() {
    let (_folder, store) = open();
    let failed = || store.failures("flights", None, None).unwrap().count;
    let open = || store.open_failures("flights", None).unwrap().into_iter().collect::<Vec<_>>();
    assert_eq!((failed(), open()), (0, vec![]));
    fails(&store, 1, None, 10);
    // Two more attempts of a run are the same failure.
    fails(&store, 2, None, 20);
    fails(&store, 3, Some(id(2)), 30);
    fails(&store, 4, Some(id(3)), 40);
    assert_eq!(
        store.failures("flights", None, None).unwrap(),
        Failures { count: 2, since: Some(at(10)), last_success: None }
    );
    let some = |after, before| store.failures("flights", after, before).unwrap();
    assert_eq!((some(Some(at(10)), None).count, some(Some(at(10)), None).since), (1, Some(at(40))));
    // Before its last attempt ended, the one before it counted.
    assert_eq!((some(None, Some(at(40))).count, some(None, Some(at(20))).count), (2, 1));
    let to = |kind, target| store.enqueue_alerts(vec![alert(4, kind, target)], at(41)).unwrap();
    to(AlertOn::Failure, "ops");
    to(AlertOn::Failure, "boss");
    to(AlertOn::Quarantine, "someone");
    assert_eq!(open(), ["boss", "ops"]);
    to(AlertOn::Recovery, "ops");
    assert_eq!(open(), ["boss"]);
    assert_eq!(store.open_failures("flights", Some(at(41))).unwrap().len(), 0, "told before");
    // Old words are forgotten, the last one is not.
    for alert in 1..=4 {
        store.alert_delivered(alert, at(50)).unwrap();
    }
    store.prune(at(1_000)).unwrap();
    assert_eq!(open(), ["boss"]);
    assert!(store.alert(1).unwrap().is_none());
    // Somebody stopped it: that is neither.
    store.append(id(5), at(60), &[queued("flights"), Event::RunCancelled]).unwrap();
    store.append(id(6), at(70), &[queued("trains"), started_run()]).unwrap();
    assert_eq!(failed(), 2);
    store.append(id(7), at(80), &well("flights")).unwrap();
    assert_eq!((failed(), some(None, None).last_success), (0, Some(at(80))));
    assert_eq!(store.failures("flights", None, Some(at(80))).unwrap().count, 2, "just before it");
    store.append(id(8), at(90), &[queued("flights"), started_run(), crashed()]).unwrap();
    assert_eq!(failed(), 1);
    write(&store, id(9), &well("trains"));
    assert_eq!(failed(), 1, "of another pipeline");
}

fn crashed() -> Event {
    Event::RunCrashed { reason: "the host died".into(), fault: None }
}
