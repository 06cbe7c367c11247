//! The queue, what is decided at once, schedules and events of the house.

use super::{at, open};
use crate::{Change, HouseFilter, Store};
use proptest::prelude::*;
use sluicebox_model::alert::AlertOn;
use sluicebox_model::house::{
    Decided, Enqueued, HouseEvent, NewAlert, NewHouseEvent, NewRun, QueueState, QueuedRun, Settled,
};
use sluicebox_model::run::{Interval, RunId, Trigger};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};

pub(super) fn run_id(number: u16) -> RunId {
    let [high, low] = number.to_be_bytes();
    RunId::new(at(0), [high, low, 3, 4, 5, 6, 7, 8, high, low])
}

pub(super) fn fire(pipeline: &str, number: u16, nominal: i64) -> NewRun {
    let (run, nominal) = (run_id(number), at(nominal));
    let interval = Interval { start: nominal - jiff::SignedDuration::from_mins(1), end: nominal };
    let run = QueuedRun {
        run,
        pipeline: pipeline.into(),
        trigger: Trigger::Schedule,
        nominal: Some(nominal),
        interval,
        queued_at: nominal,
        ready_at: nominal,
        priority: 0,
        pool: Some("warehouse".into()),
        repeats: None,
        options: serde_json::json!({"from": "check"}),
        state: QueueState::Waiting,
        reason: String::new(),
    };
    let events = vec![HouseEvent::Fired { nominal, interval, run: run.run, reason: String::new() }];
    NewRun { run, once: None, events }
}

pub(super) fn decided(runs: Vec<NewRun>) -> Decided {
    let decided_until = runs.iter().filter_map(|new| Some((new.run.pipeline.clone(), new.run.nominal?))).collect();
    Decided { runs, decided_until, ..Decided::default() }
}

fn alert(pipeline: &str, run: u16, kind: AlertOn, target: &str) -> NewAlert {
    let body = serde_json::json!({"text": "it failed"});
    NewAlert {
        pipeline: pipeline.into(),
        run: Some(run_id(run)),
        about: String::new(),
        kind,
        target: target.into(),
        body,
    }
}

fn kinds(store: &Store) -> Vec<&'static str> {
    store.house_events(&HouseFilter::default()).unwrap().iter().map(|entry| entry.event.name()).collect()
}

#[test]
fn a_fire_is_queued_once() {
    let (folder, store) = open();
    let first = fire("a", 1, 60);
    let answer = store.decide(&decided(vec![first.clone(), fire("b", 2, 60)]), at(61)).unwrap();
    assert_eq!(answer.runs, [Enqueued::Joined, Enqueued::Joined]);
    assert_eq!(answer.last_event, 2);
    assert_eq!(store.queued().unwrap()[0], first.run);
    drop(store);
    let store = Store::open(&folder.path().join("state")).unwrap();
    let again = store.decide(&decided(vec![fire("a", 3, 60), fire("a", 4, 120)]), at(130)).unwrap();
    assert_eq!(again.runs, [Enqueued::Already(run_id(1)), Enqueued::Joined]);
    assert_eq!(kinds(&store), ["fired", "fired", "fired"]);
    // The run itself, for something else.
    let mut manual = fire("a", 4, 0);
    manual.run.trigger = Trigger::Manual;
    assert_eq!(store.decide(&decided(vec![manual]), at(130)).unwrap().runs, [Enqueued::Already(run_id(4))]);
    assert_eq!(store.schedule_states().unwrap()["b"].decided_until, Some(at(60)));
}

#[test]
fn intervals_of_dependencies_and_keys_are_queued_once() {
    let (_folder, store) = open();
    let dependency = |number, nominal, once: Option<&str>| {
        let mut new = fire("a", number, nominal);
        (new.run.trigger, new.run.nominal) = (Trigger::Dependency, None);
        new.once = once.map(str::to_owned);
        new
    };
    let joins = |new| store.decide(&decided(vec![new]), at(500)).unwrap().runs[0];
    assert_eq!(joins(dependency(1, 60, None)), Enqueued::Joined);
    assert_eq!(joins(dependency(2, 60, None)), Enqueued::Already(run_id(1)));
    assert_eq!(joins(dependency(3, 120, None)), Enqueued::Joined);
    assert_eq!(joins(dependency(4, 60, Some("in/a.csv 7"))), Enqueued::Joined);
    assert_eq!(joins(dependency(5, 90, Some("in/a.csv 7"))), Enqueued::Already(run_id(4)));
    assert_eq!(joins(dependency(6, 90, Some("in/a.csv 8"))), Enqueued::Joined);
    // Settled long ago, and still known.
    for run in [1, 3, 4] {
        assert!(store.settle(run_id(run), QueueState::Dropped, "not wanted", at(600)).unwrap());
    }
    store.prune(at(10_000)).unwrap();
    assert_eq!(store.queue_row(run_id(1)).unwrap(), None);
    assert_eq!(joins(dependency(7, 60, None)), Enqueued::Already(run_id(1)));
    assert_eq!(joins(dependency(8, 60, Some("in/a.csv 7"))), Enqueued::Already(run_id(4)));
}

#[test]
fn the_queue_is_in_the_order_of_starting() {
    let (_folder, store) = open();
    let with = |number, ready: i64, priority| {
        let mut new = fire(&format!("p{number}"), number, 60);
        (new.run.ready_at, new.run.priority) = (at(ready), priority);
        new
    };
    store.decide(&decided(vec![with(1, 90, 0), with(2, 70, 0), with(3, 99, 5), with(4, 70, -1)]), at(60)).unwrap();
    let order = || -> Vec<RunId> { store.queued().unwrap().iter().map(|run| run.run).collect() };
    assert_eq!(order(), [run_id(3), run_id(2), run_id(1), run_id(4)]);
    assert!(store.take(run_id(2), at(71)).unwrap());
    assert!(!store.take(run_id(2), at(71)).unwrap(), "it is taken once");
    assert!(!store.take(run_id(9), at(71)).unwrap(), "there is none");
    assert_eq!(order(), [run_id(3), run_id(2), run_id(1), run_id(4)]);
    assert!(store.settle(run_id(2), QueueState::Waiting, "the host died", at(72)).unwrap());
    assert!(store.take(run_id(2), at(73)).unwrap());
    assert!(store.settle(run_id(2), QueueState::Ended, "", at(80)).unwrap());
    assert!(!store.settle(run_id(2), QueueState::Waiting, "", at(80)).unwrap(), "what has ended stays so");
    let refused = Settled {
        run: run_id(1),
        state: QueueState::Refused,
        reason: "its file is broken".into(),
        events: vec![HouseEvent::Refused { nominal: None, run: Some(run_id(1)), reason: "its file is broken".into() }],
    };
    let twice = Decided { settled: vec![refused.clone(), refused], ..Decided::default() };
    assert_eq!(store.decide(&twice, at(81)).unwrap().settled, [true, false]);
    assert_eq!(kinds(&store).iter().filter(|kind| **kind == "refused").count(), 1);
    assert_eq!(order(), [run_id(3), run_id(4)]);
    let row = store.queue_row(run_id(1)).unwrap().unwrap();
    assert_eq!((row.state, row.reason.as_str()), (QueueState::Refused, "its file is broken"));
    let figures = store.figures().unwrap();
    assert_eq!((figures.queue[0].waiting, figures.queue[0].started), (2, 0));
}

#[test]
fn a_decision_is_kept_wholly_or_not_at_all() {
    let (folder, store) = open();
    let alerts = vec![alert("a", 1, AlertOn::Failure, "ops")];
    store.decide(&decided(vec![fire("a", 1, 60)]), at(61)).unwrap();
    let mut whole = decided(vec![fire("a", 2, 120), fire("b", 3, 120)]);
    whole.alerts = alerts;
    whole.events =
        vec![NewHouseEvent { pipeline: None, event: HouseEvent::ServeStopped { reason: "it was told to".into() } }];
    whole.settled =
        vec![Settled { run: run_id(1), state: QueueState::Dropped, reason: "a newer one".into(), events: Vec::new() }];
    let before = (store.queued().unwrap(), store.schedule_states().unwrap(), kinds(&store));
    // Whatever the step at which it fails: here each of the tables refuses in turn.
    for table in ["alerts", "house_events", "schedules", "queue", "fires"] {
        let raw = rusqlite::Connection::open(folder.path().join("state/store.sqlite")).unwrap();
        let boom = |when: &str| {
            format!("CREATE TRIGGER boom_{when} BEFORE {when} ON {table} BEGIN SELECT RAISE(ABORT, 'boom'); END;")
        };
        raw.execute_batch(&format!("{}{}", boom("INSERT"), boom("UPDATE"))).unwrap();
        let error = store.decide(&whole, at(121)).unwrap_err().to_string();
        assert!(error.contains("boom"), "{error}");
        assert_eq!((store.queued().unwrap(), store.schedule_states().unwrap(), kinds(&store)), before, "{table}");
        assert_eq!(store.due_alerts(at(1_000), 10).unwrap(), []);
        raw.execute_batch("DROP TRIGGER boom_INSERT; DROP TRIGGER boom_UPDATE").unwrap();
    }
    let mut timeless = fire("c", 4, 120);
    timeless.run.nominal = None;
    assert!(store.decide(&decided(vec![timeless]), at(121)).is_err(), "a time of a schedule is a time");
    let answer = store.decide(&whole, at(121)).unwrap();
    assert_eq!((answer.settled, answer.runs), (vec![true], vec![Enqueued::Joined; 2]));
    assert_eq!(store.queued().unwrap().len(), 2);
    assert_eq!(kinds(&store), ["fired", "fired", "fired", "serve-stopped", "alert-queued"]);
}

#[test]
fn pausing_and_resuming() {
    let (_folder, store) = open();
    store.decide(&decided(vec![fire("a", 1, 60)]), at(61)).unwrap();
    assert!(store.pause("a", "api", "the source is down", at(70)).unwrap());
    assert!(!store.pause("a", "somebody else", "another reason", at(71)).unwrap());
    assert!(store.pause("b", "pause-after", "3 failures in a row", at(72)).unwrap());
    let states = store.schedule_states().unwrap();
    let paused = states["a"].paused.clone().unwrap();
    assert_eq!((paused.at, paused.reason.as_str()), (at(70), "the source is down"));
    assert_eq!(states["a"].decided_until, Some(at(60)));
    assert_eq!(states["b"].decided_until, None);
    store.decide(&decided(vec![fire("a", 2, 120)]), at(121)).unwrap();
    assert!(store.schedule_states().unwrap()["a"].paused.is_some(), "deciding resumes nothing");
    assert!(store.resume("a", "api", at(130)).unwrap());
    assert!(!store.resume("a", "api", at(131)).unwrap());
    assert!(!store.resume("unknown", "api", at(131)).unwrap());
    assert_eq!(store.schedule_states().unwrap()["a"].paused, None);
    let of_a = HouseFilter { pipeline: Some("a".into()), ..HouseFilter::default() };
    let names: Vec<_> = store.house_events(&of_a).unwrap().iter().map(|entry| entry.event.name()).collect();
    assert_eq!(names, ["fired", "paused", "fired", "resumed"]);
}

#[test]
fn events_of_the_house_are_found() {
    let (_folder, store) = open();
    assert_eq!(store.house_append(at(0), &[]).unwrap(), 0);
    let started = HouseEvent::ServeStarted { version: "0.1.0".into(), pipelines: 2 };
    let gone = |file: &str| HouseEvent::PipelineGone { file: file.into() };
    let of = |pipeline: Option<&str>, event| NewHouseEvent { pipeline: pipeline.map(str::to_owned), event };
    let all = [of(None, started.clone()), of(Some("a"), gone("a.toml")), of(Some("b"), gone("b.toml"))];
    assert_eq!(store.house_append(at(0), &all).unwrap(), 3);
    assert_eq!(store.house_append(at(1), &all[1..2]).unwrap(), 4);
    let ids = |filter: &HouseFilter| -> Vec<u64> {
        store.house_events(filter).unwrap().iter().map(|entry| entry.id).collect()
    };
    let any = HouseFilter::default();
    assert_eq!(ids(&any), [1, 2, 3, 4]);
    assert_eq!(ids(&HouseFilter { after: Some(1), limit: Some(2), ..any.clone() }), [2, 3]);
    assert_eq!(ids(&HouseFilter { newest_first: true, limit: Some(2), ..any.clone() }), [4, 3]);
    assert_eq!(ids(&HouseFilter { newest_first: true, before: Some(3), ..any.clone() }), [2, 1]);
    assert_eq!(ids(&HouseFilter { pipeline: Some("a".into()), ..any.clone() }), [2, 4]);
    let kinds = vec!["serve-started".into(), "fired".into()];
    assert_eq!(ids(&HouseFilter { kinds, ..any.clone() }), [1]);
    assert_eq!(store.house_events(&any).unwrap()[0].event, started);
    assert_eq!(store.last_house_event().unwrap(), 4);
    // Ids are not given twice, also after all are forgotten.
    store.prune(at(10)).unwrap();
    assert_eq!(ids(&any), [0; 0]);
    assert_eq!(store.house_append(at(11), &all[..1]).unwrap(), 5);
}

#[test]
fn those_who_watch_are_told_of_what_changed() {
    let (_folder, store) = open();
    let told: Arc<Mutex<Vec<String>>> = Arc::default();
    let keep = told.clone();
    store.on_change(move |change| {
        let word = match change {
            Change::House { last } => format!("house {last}"),
            Change::Queue => "queue".into(),
            Change::Alerts => "alerts".into(),
            other => format!("{other:?}"),
        };
        keep.lock().unwrap().push(word);
    });
    let take = || std::mem::take(&mut *told.lock().unwrap());
    let new = decided(vec![fire("a", 1, 60)]);
    store.decide(&new, at(61)).unwrap();
    assert_eq!(take(), ["queue", "house 1"]);
    store.decide(&new, at(61)).unwrap();
    assert_eq!(take(), [""; 0], "nothing is new");
    store.take(run_id(1), at(62)).unwrap();
    assert_eq!(take(), ["queue"]);
    store.enqueue_alerts(vec![alert("a", 1, AlertOn::Failure, "ops")], at(63)).unwrap();
    assert_eq!(take(), ["alerts", "house 2"]);
    store.pause("a", "api", "", at(64)).unwrap();
    assert_eq!(take(), ["house 3"]);
}

/// What is tried of the queue.
#[derive(Clone, Debug)]
enum Try {
    Decide { runs: Vec<(u8, u8)>, fails: bool },
    Take(u16),
    Settle(u16, QueueState),
    Prune(i64),
    Reopen,
}

fn any_try() -> impl Strategy<Value = Try> {
    let state = prop::sample::select(vec![
        QueueState::Waiting,
        QueueState::Started,
        QueueState::Ended,
        QueueState::Refused,
        QueueState::Dropped,
    ]);
    prop_oneof![
        4 => (prop::collection::vec((0..3_u8, 0..6_u8), 1..4), prop::bool::weighted(0.2))
            .prop_map(|(runs, fails)| Try::Decide { runs, fails }),
        2 => (0..40_u16).prop_map(Try::Take),
        3 => (0..40_u16, state).prop_map(|(run, state)| Try::Settle(run, state)),
        1 => (0..400_i64).prop_map(Try::Prune),
        1 => Just(Try::Reopen),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 32, failure_persistence: None, ..ProptestConfig::default() })]
    /// Whatever is tried, and however often the host dies: no fire has two runs, and none that was kept is lost.
    #[test]
    fn no_fire_is_queued_twice_or_lost(tries in prop::collection::vec(any_try(), 1..40)) {
        let (folder, mut store) = open();
        let path = folder.path().join("state");
        // The run of each fire and when it joined; how far each run is, and since when.
        let mut fires: BTreeMap<(u8, u8), (RunId, i64)> = BTreeMap::new();
        let mut forgotten = BTreeSet::new();
        let mut rows: BTreeMap<RunId, (QueueState, i64)> = BTreeMap::new();
        let (mut next, mut now) = (0_u16, 0_i64);
        for attempt in tries {
            now += 10;
            match attempt {
                Try::Decide { mut runs, fails } => {
                    runs.retain(|fire| !forgotten.contains(fire));
                    let mut what = decided(runs.iter().map(|(pipeline, time)| {
                        next += 1;
                        fire(&format!("p{pipeline}"), next, i64::from(*time))
                    }).collect());
                    if fails {
                        // As a host that dies before the end of the transaction.
                        let mut broken = fire("p0", 9_999, 0);
                        broken.run.nominal = None;
                        what.runs.push(broken);
                        prop_assert!(store.decide(&what, at(now)).is_err());
                        continue;
                    }
                    let answers = store.decide(&what, at(now)).unwrap().runs;
                    for ((of, new), answer) in runs.iter().zip(&what.runs).zip(answers) {
                        match fires.get(of) {
                            Some((run, _)) => prop_assert_eq!(answer, Enqueued::Already(*run)),
                            None => {
                                prop_assert_eq!(answer, Enqueued::Joined);
                                fires.insert(*of, (new.run.run, now));
                                rows.insert(new.run.run, (QueueState::Waiting, now));
                            }
                        }
                    }
                }
                Try::Take(run) => {
                    let waits = rows.get(&run_id(run)).is_some_and(|(state, _)| *state == QueueState::Waiting);
                    prop_assert_eq!(store.take(run_id(run), at(now)).unwrap(), waits);
                    if waits {
                        rows.insert(run_id(run), (QueueState::Started, now));
                    }
                }
                Try::Settle(run, state) => {
                    let may = rows.get(&run_id(run)).is_some_and(|(before, _)| before.may_become(state));
                    prop_assert_eq!(store.settle(run_id(run), state, "", at(now)).unwrap(), may);
                    if may {
                        rows.insert(run_id(run), (state, now));
                    }
                }
                Try::Prune(before) => {
                    store.prune(at(before)).unwrap();
                    let gone = |state: QueueState, since: i64| state.is_final() && since < before;
                    rows.retain(|_, (state, since)| !gone(*state, *since));
                    // A fire is forgotten only if its schedule says that it was decided on: no scheduler asks for it again.
                    let states = store.schedule_states().unwrap();
                    fires.retain(|(pipeline, time), (run, joined)| {
                        let until = states[&format!("p{pipeline}")].decided_until;
                        let stays = rows.contains_key(run) || *joined >= before || until < Some(at(i64::from(*time)));
                        if !stays {
                            forgotten.insert((*pipeline, *time));
                        }
                        stays
                    });
                }
                Try::Reopen => {
                    drop(store);
                    store = Store::open(&path).unwrap();
                }
            }
            let queued: BTreeMap<RunId, QueueState> =
                store.queued().unwrap().into_iter().map(|run| (run.run, run.state)).collect();
            let open: BTreeMap<RunId, QueueState> = rows
                .iter()
                .filter(|(_, (state, _))| !state.is_final())
                .map(|(run, (state, _))| (*run, *state))
                .collect();
            prop_assert_eq!(queued, open);
            for (run, (state, _)) in &rows {
                prop_assert_eq!(store.queue_row(*run).unwrap().map(|row| row.state), Some(*state));
            }
        }
    }
}

#[test]
fn two_hosts_take_a_run_once() {
    let (folder, one) = open();
    let two = Store::open(&folder.path().join("state")).unwrap();
    let taken = Mutex::new(0);
    let joined = Mutex::new(0);
    std::thread::scope(|scope| {
        for (offset, store) in [(0, &one), (1_000, &two)] {
            let (taken, joined) = (&taken, &joined);
            scope.spawn(move || {
                for number in 0..40_u16 {
                    let new = decided(vec![fire("a", offset + number, i64::from(number))]);
                    let answer = store.decide(&new, at(100)).unwrap().runs[0];
                    let run = match answer {
                        Enqueued::Joined => new.runs[0].run.run,
                        Enqueued::Already(run) => run,
                    };
                    *joined.lock().unwrap() += u32::from(answer == Enqueued::Joined);
                    *taken.lock().unwrap() += u32::from(store.take(run, at(101)).unwrap());
                }
            });
        }
    });
    assert_eq!((*joined.lock().unwrap(), *taken.lock().unwrap()), (40, 40));
}
