//! Deadlines, recovery after each event, and starting behind checkpoints.

use super::fakes::{Ask, Fake, Notebook, Target, batch, counting, extract, fault, load, page, transform};
use super::{Epoch, Trial, stage_of, states};
use crate::checkpoint::Checkpoint;
use crate::conduct::conduct_tuned;
use crate::plan::Restored;
use crate::recover::{abandon, recover};
use crate::repeat::Part;
use sluicebox_model::fault::FaultKind;
use sluicebox_model::run::{Event, RunId, RunRecord, RunState};
use sluicebox_model::stage::Report;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

fn endless() -> Fake {
    extract(|_| {
        |ask, _: &mut Report| match ask {
            Ask::Next(number) => page(batch(number as i64..number as i64 + 60)),
            _ => Ok(None),
        }
    })
}

#[test]
fn a_stage_that_is_too_slow_fails_the_run() {
    let target = Arc::new(Target::default());
    let trial = Trial::new()
        .stage_with("read", &[], endless(), |spec| spec.deadline = Some(Duration::from_millis(60)))
        .stage("out", &["read"], load(&target));
    let record = trial.run();
    assert_eq!(states(&record), "failed: failed upstream-failed");
    let fault = record.fault.clone().unwrap();
    assert_eq!((fault.kind, fault.stage.as_str()), (FaultKind::Deadline, "read"));
    assert_eq!(fault.message, "the stage took longer than its deadline of 60ms");
    assert_eq!(target.calls().last().unwrap(), "abort []");
}

#[test]
fn a_run_that_is_too_slow_fails() {
    let target = Arc::new(Target::default());
    let trial = Trial::new().stage("read", &[], endless()).stage("out", &["read"], load(&target));
    let mut plan = trial.plan();
    plan.pipeline.deadline = Some(Duration::from_millis(60));
    let record = conduct_tuned(&plan, &trial.journal, &Epoch, &trial.cancel, &(), trial.tuning).unwrap();
    assert_eq!(record.state, RunState::Failed);
    let fault = record.fault.unwrap();
    assert_eq!((fault.kind, fault.stage.as_str()), (FaultKind::Deadline, ""));
}

/// An extract, a transform and two loads.
fn trial(one: &Arc<Target>, two: &Arc<Target>) -> Trial {
    Trial::new()
        .stage("read", &[], counting(3, 10))
        .stage("same", &["read"], transform(|_, rows| Ok(vec![rows])))
        .stage("one", &["same"], load(one))
        .stage("two", &["same"], load(two))
}

/// The host died behind the first `count` events of a run; it is finished.
fn finished(events: &[(jiff::Timestamp, Event)], count: usize) -> (RunRecord, Vec<String>, Vec<String>) {
    let (one, two) = (Arc::new(Target::default()), Arc::new(Target::default()));
    let trial = trial(&one, &two);
    let journal = Notebook::default();
    *journal.events.lock().unwrap() = events[..count].to_vec();
    let plan = trial.plan();
    let record = RunRecord::fold(plan.id, &events[..count]).unwrap();
    let done = recover(&plan, record, false, &journal, &Epoch, &()).unwrap();
    assert_eq!(done, RunRecord::fold(plan.id, &journal.events.lock().unwrap()).unwrap());
    // Once more: there is nothing left to do.
    let calls = one.calls().len();
    assert_eq!(recover(&plan, done.clone(), false, &journal, &Epoch, &()).unwrap(), done);
    assert_eq!(one.calls().len(), calls);
    (done, one.calls(), two.calls())
}

#[test]
fn after_each_event_recovery_commits_or_takes_back() {
    let (one, two) = (Arc::new(Target::default()), Arc::new(Target::default()));
    let whole = trial(&one, &two);
    whole.run();
    let events = whole.journal.events.lock().unwrap().clone();
    let committing = events.iter().position(|(_, event)| event.name() == "run-committing").unwrap() + 1;
    for count in 1..events.len() {
        let (record, one, two) = finished(&events, count);
        if count < committing {
            assert_eq!(record.state, RunState::Failed, "{count}");
            assert!(record.fault.unwrap().message.contains("was killed"));
            assert_eq!((one, two), (vec!["abort []".to_owned()], vec!["abort []".to_owned()]), "{count}");
        } else {
            assert_eq!(record.state, RunState::Succeeded, "{count}");
            assert!(record.stages.iter().skip(2).all(|stage| stage.committed));
            let shown = |stage: &str| {
                let is_it = |event: &Event| matches!(event, Event::LoadCommitted { stage: of } if of == stage);
                events[..count].iter().any(|(_, event)| is_it(event))
            };
            let wanted = |stage| if shown(stage) { vec![] } else { vec![r#"commit ["30 rows"]"#.to_owned()] };
            assert_eq!((one, two), (wanted("one"), wanted("two")), "{count}");
        }
    }
}

/// Somebody had asked it to stop, and then the host died: it does not end as a run that is to run again.
#[test]
fn a_run_that_was_asked_to_stop_ends_as_cancelled_unless_it_commits() {
    let (one, two) = (Arc::new(Target::default()), Arc::new(Target::default()));
    let whole = trial(&one, &two);
    whole.run();
    let events = whole.journal.events.lock().unwrap().clone();
    let committing = events.iter().position(|(_, event)| event.name() == "run-committing").unwrap() + 1;
    for count in 1..events.len() {
        let trial = trial(&Arc::default(), &Arc::default());
        let journal = Notebook::default();
        *journal.events.lock().unwrap() = events[..count].to_vec();
        let record = RunRecord::fold(trial.plan().id, &events[..count]).unwrap();
        let done = recover(&trial.plan(), record, true, &journal, &Epoch, &()).unwrap();
        let wanted = if count < committing { RunState::Cancelled } else { RunState::Succeeded };
        assert_eq!((done.state, &done.fault), (wanted, &None), "{count}");
        assert_eq!(done, RunRecord::fold(done.id, &journal.events.lock().unwrap()).unwrap());
    }
}

#[test]
fn what_cannot_be_finished_stays_and_can_be_abandoned() {
    let (one, two) = (Arc::new(Target::default()), Arc::new(Target::default()));
    two.fails("commit", vec![fault(FaultKind::Denied, "the folder is gone"); 2]);
    let trial = trial(&one, &two);
    let record = trial.run();
    assert_eq!(record.state, RunState::Crashed);
    let plan = trial.plan();
    let record = recover(&plan, record, false, &trial.journal, &Epoch, &()).unwrap();
    assert_eq!(record.state, RunState::Crashed, "it refuses again");
    assert!(stage_of(&record, "one").committed && !stage_of(&record, "two").committed);
    let record = abandon(&plan, record, &trial.journal, &Epoch, &()).unwrap();
    assert!(record.abandoned_at.is_some() && !record.is_unfinished());
    assert_eq!(record.fault.unwrap().message, "abandoned; shown are only the loads of: one");
    assert_eq!(two.calls().last().unwrap(), r#"abort ["30 rows"]"#);
    assert_eq!(one.calls().iter().filter(|call| call.starts_with("commit")).count(), 1);
}

#[test]
fn a_run_starts_behind_a_checkpoint() {
    let calls = Arc::new(AtomicU64::new(0));
    let counted = calls.clone();
    let read = extract(move |_| {
        let calls = counted.clone();
        move |ask, _: &mut Report| match ask {
            Ask::Next(number) if number < 3 => {
                calls.fetch_add(1, Ordering::SeqCst);
                page(batch(number as i64 * 10..number as i64 * 10 + 10))
            }
            _ => Ok(None),
        }
    });
    let (first, second) = (Arc::new(Target::default()), Arc::new(Target::default()));
    let trial = Trial::new().stage("read", &[], read).stage("out", &["read"], load(&first));
    let folder = trial.scratch.path().join("checkpoints");
    let mut plan = trial.plan();
    plan.checkpoints = Some(folder.clone());
    let record = conduct_tuned(&plan, &trial.journal, &Epoch, &trial.cancel, &(), trial.tuning).unwrap();
    assert_eq!(states(&record), "succeeded: succeeded succeeded");
    assert!(stage_of(&record, "read").outcome.checkpoint_bytes > 0);
    assert_eq!(stage_of(&record, "out").outcome.checkpoint_bytes, 0);
    let before = calls.load(Ordering::SeqCst);

    let again = Trial::new().stage("read", &[], endless()).stage("out", &["read"], load(&second));
    let mut plan = again.plan();
    let checkpoint = Checkpoint::open(&folder, "read").unwrap().unwrap();
    assert_eq!(checkpoint.rows, 30);
    plan.id = RunId::new(jiff::Timestamp::UNIX_EPOCH, [9; 10]);
    plan.parts = vec![Part::Restored, Part::Runs];
    plan.restored = BTreeMap::from([("read".to_owned(), Restored { run: record.id, checkpoint })]);
    let repeated = conduct_tuned(&plan, &again.journal, &Epoch, &again.cancel, &(), again.tuning).unwrap();
    assert_eq!(states(&repeated), "succeeded: skipped succeeded");
    assert_eq!(stage_of(&repeated, "read").restored_from, Some(record.id));
    assert_eq!(second.written(), first.written());
    assert_eq!(calls.load(Ordering::SeqCst), before);
}

#[test]
fn a_stage_that_feeds_a_stage_that_does_not_run_does_not_wait_for_it() {
    let (one, two) = (Arc::new(Target::default()), Arc::new(Target::default()));
    let trial = Trial::new()
        // Far more than an edge holds.
        .stage("read", &[], counting(200, 60))
        .stage("one", &["read"], load(&one))
        .stage("two", &["read"], load(&two));
    let mut plan = trial.plan();
    plan.parts = vec![Part::Runs, Part::Runs, Part::Skipped];
    let record = conduct_tuned(&plan, &trial.journal, &Epoch, &trial.cancel, &(), trial.tuning).unwrap();
    assert_eq!(states(&record), "succeeded: succeeded succeeded skipped");
    assert_eq!(one.written().len(), 12_000);
    assert!(two.calls().is_empty());
}
