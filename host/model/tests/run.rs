//! A run moves only as its events allow.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

use jiff::Timestamp;
use proptest::prelude::*;
use sluicebox_model::fault::{Fault, FaultKind};
use sluicebox_model::plugin::{Digest, Kind};
use sluicebox_model::run::{
    Event, Interval, RuleResult, RunId, RunRecord, RunState, StageEntry, StageOutcome, StageState, Trigger,
};
use sluicebox_model::stage::{Rule, Severity, Threshold};
use std::collections::BTreeMap;

const STAGES: [(&str, Kind); 4] =
    [("read", Kind::Extract), ("check", Kind::Validate), ("one", Kind::Load), ("two", Kind::Load)];

fn at(second: usize) -> Timestamp {
    Timestamp::from_second(second as i64).unwrap()
}

fn id() -> RunId {
    RunId::new(at(1), [1; 10])
}

fn queued() -> Event {
    let entry = |(name, kind): &(&str, Kind)| StageEntry {
        name: (*name).into(),
        kind: *kind,
        plugin: "x".into(),
        version: "0.1.0".into(),
        digest: Digest("ab".into()),
        inputs: Vec::new(),
    };
    Event::RunQueued {
        pipeline: "p".into(),
        trigger: Trigger::Manual,
        interval: Interval { start: at(0), end: at(1) },
        text: String::new(),
        file: "p.toml".into(),
        load_key: "p".into(),
        repeats: None,
        stages: STAGES.iter().map(entry).collect(),
    }
}

fn started_run() -> Event {
    Event::RunStarted { bookmarks: BTreeMap::new() }
}

fn fault() -> Fault {
    Fault::new(FaultKind::Trap, "process", "it died")
}

fn begun() -> RunRecord {
    RunRecord::fold(id(), &[(at(0), queued())]).unwrap()
}

fn any_event() -> impl Strategy<Value = Event> {
    (0..16_u8, 0..5_usize, 0..4_u32).prop_map(|(which, stage, attempt)| {
        // The fifth is no stage of the run.
        let stage = STAGES.get(stage).map_or("nobody", |(name, _)| name).to_owned();
        let outcome = StageOutcome { rows_in: 1, ..StageOutcome::default() };
        match which {
            0 => queued(),
            1 => started_run(),
            2 | 3 => Event::StageStarted { stage, attempt },
            4 => Event::StageRetrying { stage, attempt, fault: fault() },
            5..=7 => Event::StageSucceeded { stage, outcome },
            8 => Event::StageFailed { stage, fault: fault(), outcome },
            9 => Event::StageSkipped { stage, restored_from: None },
            10 => Event::StageUpstreamFailed { stage, because: "read".into(), outcome },
            11 => Event::StageCancelled { stage, outcome },
            12 => Event::LoadCommitted { stage },
            13 => Event::CommitFailed { stage, fault: fault() },
            14 => [Event::RunSucceeded, Event::RunFailed { fault: fault() }, Event::RunCancelled][attempt as usize % 3]
                .clone(),
            _ => [
                Event::RunCrashed { reason: "the host died".into(), fault: None },
                Event::RunCommitting { receipts: BTreeMap::new(), bookmarks: BTreeMap::new() },
            ][attempt as usize % 2]
                .clone(),
        }
    })
}

/// What holds of a run whatever happened to it.
fn check(record: &RunRecord) {
    let is_over = !matches!(record.state, RunState::Queued | RunState::Running | RunState::Committing);
    assert_eq!(record.ended_at.is_some(), is_over);
    if record.state == RunState::Queued {
        assert!(record.started_at.is_none());
        assert!(record.stages.iter().all(|stage| stage.state == StageState::Pending));
    }
    if matches!(record.state, RunState::Running | RunState::Committing | RunState::Succeeded) {
        assert!(record.started_at.is_some());
    }
    let ended_well = |state: StageState| matches!(state, StageState::Succeeded | StageState::Skipped);
    if record.committing_at.is_some() {
        assert!(record.stages.iter().all(|stage| ended_well(stage.state)), "nothing is committed of half a run");
        assert!(!matches!(record.state, RunState::Failed | RunState::Cancelled), "a committing run is never undone");
    } else {
        assert!(!matches!(record.state, RunState::Committing | RunState::Succeeded));
        assert!(record.stages.iter().all(|stage| !stage.committed), "no load is shown before the run commits");
        assert!(record.receipts.is_empty() && record.bookmarks.is_empty());
    }
    for stage in &record.stages {
        assert!(!stage.committed || stage.entry.kind == Kind::Load);
        if record.state == RunState::Succeeded && stage.entry.kind == Kind::Load {
            assert!(stage.committed || stage.state == StageState::Skipped);
        }
        match stage.state {
            StageState::Pending | StageState::Skipped => assert_eq!(stage.attempt, 0),
            StageState::Failed => assert!(stage.fault.is_some()),
            StageState::Running | StageState::Retrying | StageState::Succeeded => assert!(stage.attempt >= 1),
            StageState::UpstreamFailed | StageState::Cancelled => {}
        }
    }
    assert!(record.state != RunState::Failed || record.fault.is_some());
    assert!(record.state != RunState::Succeeded || record.fault.is_none());
}

/// Tries the events one after another; those that are refused must not have moved anything.
fn try_all(record: &mut RunRecord, events: Vec<Event>) -> Vec<(Timestamp, Event)> {
    let mut kept = vec![(at(0), queued())];
    for (second, event) in events.into_iter().enumerate() {
        let now = at(second + 1);
        let before = record.clone();
        match record.apply(now, &event) {
            Ok(()) => {
                assert!(!before.state.is_final(), "nothing follows a run that has ended");
                for (was, is) in before.stages.iter().zip(&record.stages) {
                    let open = [StageState::Pending, StageState::Running, StageState::Retrying];
                    assert!(open.contains(&was.state) || was.state == is.state, "a stage ends once");
                    assert!(is.committed || !was.committed, "what is shown stays");
                }
                kept.push((now, event));
            }
            Err(_) => assert_eq!(*record, before, "a refused event moves nothing"),
        }
        check(record);
    }
    kept
}

/// The events of a run that ends well, each stage skipped, or started and perhaps retried.
fn legal_run() -> impl Strategy<Value = Vec<Event>> {
    prop::collection::vec((any::<bool>(), 0..3_u32), STAGES.len()).prop_map(|stages| {
        let mut events = vec![started_run()];
        for ((name, _), (is_skipped, retries)) in STAGES.iter().zip(&stages) {
            let stage = (*name).to_owned();
            if *is_skipped {
                events.push(Event::StageSkipped { stage, restored_from: None });
                continue;
            }
            events.push(Event::StageStarted { stage: stage.clone(), attempt: 1 });
            for attempt in 2..2 + retries {
                events.push(Event::StageRetrying { stage: stage.clone(), attempt, fault: fault() });
                events.push(Event::StageStarted { stage: stage.clone(), attempt });
            }
            events.push(Event::StageSucceeded { stage, outcome: StageOutcome::default() });
        }
        events.push(Event::RunCommitting { receipts: BTreeMap::new(), bookmarks: BTreeMap::new() });
        for ((name, kind), (is_skipped, _)) in STAGES.iter().zip(&stages) {
            if *kind == Kind::Load && !is_skipped {
                events.push(Event::LoadCommitted { stage: (*name).into() });
            }
        }
        events.push(Event::RunSucceeded);
        events
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_events_reach_an_illegal_state(events in prop::collection::vec(any_event(), 0..80)) {
        let mut record = begun();
        let kept = try_all(&mut record, events);
        prop_assert_eq!(RunRecord::fold(id(), &kept).unwrap(), record);
    }

    /// Noise between the events of a good run: what is refused does no harm, and what is accepted moves it legally.
    #[test]
    fn noise_in_a_good_run(
        events in legal_run(),
        noise in prop::collection::vec((any::<prop::sample::Index>(), any_event()), 0..20),
    ) {
        let mut mixed = events;
        for (place, event) in noise {
            let place = place.index(mixed.len() + 1);
            mixed.insert(place, event);
        }
        let mut record = begun();
        let kept = try_all(&mut record, mixed);
        prop_assert_eq!(RunRecord::fold(id(), &kept).unwrap(), record);
    }

    #[test]
    fn a_good_run_is_legal_to_its_end(events in legal_run()) {
        let mut record = begun();
        for event in events {
            record.apply(at(1), &event).unwrap();
            check(&record);
        }
        prop_assert_eq!(record.state, RunState::Succeeded);
    }

    #[test]
    fn events_survive_json(event in any_event()) {
        let text = serde_json::to_string(&event).unwrap();
        prop_assert!(text.starts_with(&format!(r#"{{"event":"{}""#, event.name())), "{}", text);
        prop_assert_eq!(serde_json::from_str::<Event>(&text).unwrap(), event);
    }
}

/// A host that dies while it commits: recovery commits what is left, and never undoes it.
#[test]
fn a_crash_within_the_commit() {
    let mut record = begun();
    let go = |record: &mut RunRecord, event: Event| record.apply(at(5), &event);
    go(&mut record, started_run()).unwrap();
    for (name, _) in STAGES {
        go(&mut record, Event::StageStarted { stage: name.into(), attempt: 1 }).unwrap();
        let outcome = StageOutcome::default();
        go(&mut record, Event::StageSucceeded { stage: name.into(), outcome }).unwrap();
    }
    // Also without receipts the committing event counts.
    go(&mut record, Event::RunCommitting { receipts: BTreeMap::new(), bookmarks: BTreeMap::new() }).unwrap();
    go(&mut record, Event::LoadCommitted { stage: "one".into() }).unwrap();
    go(&mut record, Event::CommitFailed { stage: "two".into(), fault: fault() }).unwrap();
    go(&mut record, Event::RunCrashed { reason: "power".into(), fault: None }).unwrap();
    assert_eq!(record.fault.as_ref().unwrap().message, "power");
    for undoing in [Event::RunCancelled, Event::RunFailed { fault: fault() }, Event::RunSucceeded] {
        assert!(go(&mut record, undoing).is_err());
    }
    go(&mut record, Event::LoadCommitted { stage: "two".into() }).unwrap();
    go(&mut record, Event::RunSucceeded).unwrap();
    assert_eq!((record.state, record.fault), (RunState::Succeeded, None));
}

/// A host that dies before that: recovery undoes.
#[test]
fn a_crash_before_the_commit() {
    let mut record = begun();
    record.apply(at(1), &started_run()).unwrap();
    record.apply(at(2), &Event::RunCrashed { reason: "power".into(), fault: None }).unwrap();
    assert!(record.apply(at(3), &Event::LoadCommitted { stage: "one".into() }).is_err());
    assert!(record.apply(at(3), &Event::RunSucceeded).is_err());
    record.apply(at(3), &Event::RunFailed { fault: fault() }).unwrap();
    assert_eq!(record.state, RunState::Failed);
}

#[test]
fn a_journal_begins_with_the_queued_event() {
    assert_eq!(RunRecord::fold(id(), &[]).unwrap_err().to_string(), "illegal event `none`: the journal is empty");
    let error = RunRecord::fold(id(), &[(at(0), started_run())]).unwrap_err();
    assert_eq!(error.to_string(), "illegal event `run-started`: a journal begins with run-queued");
    let error = begun().apply(at(1), &Event::StageStarted { stage: "nobody".into(), attempt: 1 }).unwrap_err();
    assert_eq!(error.reason, "the run is not running");
}

#[test]
fn ids_sort_by_time() {
    let ids: Vec<String> = (0..100).map(|second| RunId::new(at(second), [99 - second as u8; 10]).to_string()).collect();
    assert!(ids.is_sorted());
    assert_eq!(ids[0].chars().nth(14), Some('7'));
}

#[test]
fn when_a_rule_fails_the_run() {
    use Severity::{Fail, Reject, Warn};
    let fails = |severity, at_most, broken| {
        let rule = Rule { name: String::new(), summary: String::new(), severity, at_most };
        RuleResult::fails_run(&rule, broken, 200)
    };
    assert!(!fails(Fail, None, 0) && fails(Fail, None, 1));
    assert!(!fails(Reject, None, 200));
    for severity in [Fail, Reject] {
        assert!(!fails(severity, Some(Threshold::Rows(5)), 5) && fails(severity, Some(Threshold::Rows(5)), 6));
        let half = Some(Threshold::PerCent(0.5));
        assert!(!fails(severity, half, 1) && fails(severity, half, 2));
    }
    assert!(!fails(Warn, Some(Threshold::Rows(0)), 200));
}
