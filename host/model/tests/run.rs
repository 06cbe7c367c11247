//! A run moves only as its events allow.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

mod events;

use events::{STAGES, any_event, at, committing, fault, id, legal_run, noisy_run, queued, rules_allow, started_run};
use jiff::Timestamp;
use proptest::prelude::*;
use sluicebox_model::plugin::Kind;
use sluicebox_model::run::{Event, RuleResult, RunId, RunRecord, RunState, StageOutcome, StageState};
use sluicebox_model::stage::{Rule, Severity, Threshold};

fn begun() -> RunRecord {
    RunRecord::fold(id(), &[(at(0), queued(None))]).unwrap()
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
        assert!(!stage.committed || (stage.entry.kind == Kind::Load && stage.state == StageState::Succeeded));
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
    assert!(record.state != RunState::Crashed || record.fault.is_some());
    assert!(record.abandoned_at.is_none() || record.state == RunState::Crashed, "only what crashed is abandoned");
    assert!(record.committing_at.is_none() || record.started_at.is_some());
    if !record.findings.is_empty() {
        assert!(record.stages.iter().all(|stage| ended_well(stage.state)), "only a whole run is judged");
    }
}

/// Tries the events one after another; those that are refused must not have moved anything.
fn try_all(record: &mut RunRecord, events: Vec<Event>) -> Vec<(Timestamp, Event)> {
    let mut kept = vec![(at(0), queued(None))];
    let mut told = vec![queued(None)];
    for (second, event) in events.into_iter().enumerate() {
        let now = at(second + 1);
        let before = record.clone();
        let applied = record.apply(now, &event);
        assert_eq!(applied.is_ok(), rules_allow(&told, &event), "{applied:?} {event:?} after {told:?}");
        match applied {
            Ok(()) => {
                told.push(event.clone());
                assert!(before.is_unfinished(), "nothing follows a run that has ended");
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

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_events_reach_an_illegal_state(events in prop::collection::vec(any_event(), 0..80)) {
        let mut record = begun();
        let kept = try_all(&mut record, events);
        prop_assert_eq!(RunRecord::fold(id(), &kept).unwrap(), record);
    }

    /// What is refused between the events of a good run does no harm, and what is accepted moves it legally.
    #[test]
    fn noise_in_a_legal_run(events in noisy_run()) {
        let mut record = begun();
        let kept = try_all(&mut record, events);
        prop_assert_eq!(RunRecord::fold(id(), &kept).unwrap(), record);
    }

    #[test]
    fn a_legal_run_is_legal_to_its_end(events in legal_run()) {
        let mut record = begun();
        for event in events {
            record.apply(at(1), &event).unwrap();
            check(&record);
        }
        prop_assert!(!record.is_unfinished());
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
    go(&mut record, committing()).unwrap();
    go(&mut record, Event::LoadCommitted { stage: "one".into() }).unwrap();
    go(&mut record, Event::CommitFailed { stage: "two".into(), fault: fault() }).unwrap();
    assert!(go(&mut record, Event::CommitFailed { stage: "read".into(), fault: fault() }).is_err(), "it is no load");
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
