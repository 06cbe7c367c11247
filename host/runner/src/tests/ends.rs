//! How runs end that do not end well.

use super::fakes::{Ask, Fake, Target, batch, counting, extract, fault, load, page, transform, transform_with};
use super::{Trial, stage_of, states};
use crate::plan::{Observer, RunnerError, StageProgress};
use arrow_array::RecordBatch;
use sluicebox_model::cancel::Cancel;
use sluicebox_model::fault::FaultKind::{self, Contract, Host, Trap};
use sluicebox_model::run::{Event, RunState};
use sluicebox_model::stage::Report;
use std::sync::{Arc, Barrier};

/// An extract without an end.
fn endless() -> Fake {
    extract(|_| {
        |ask, _: &mut Report| match ask {
            Ask::Next(number) => page(batch(number as i64..number as i64 + 60)),
            _ => Ok(None),
        }
    })
}

/// Works on no batch before the run is stopped, as a guest does that loops for ever and is interrupted.
fn stuck() -> Fake {
    transform_with(|_, cancel: &Cancel| {
        let cancel = cancel.clone();
        (
            move |_, _: RecordBatch| {
                while !cancel.is_cancelled() {
                    std::thread::yield_now();
                }
                Err(fault(FaultKind::Cancelled, "interrupted"))
            },
            || Ok(None),
        )
    })
}

#[test]
fn a_failure_marks_those_behind_and_stops_the_others() {
    let (behind, beside) = (Arc::new(Target::default()), Arc::new(Target::default()));
    let bad = transform(|_, _| Err(fault(Trap, "unreachable")));
    let trial = Trial::new()
        .stage("read", &[], endless())
        .stage("bad", &["read"], bad)
        .stage("behind", &["bad"], load(&behind))
        .stage("beside", &["read"], load(&beside))
        .stage("stuck", &["read"], stuck());
    let record = trial.run();
    assert_eq!(states(&record), "failed: cancelled failed upstream-failed cancelled cancelled");
    let fault = record.fault.clone().unwrap();
    assert_eq!((fault.kind, fault.stage.as_str()), (Trap, "bad"));
    assert_eq!(stage_of(&record, "bad").fault, Some(fault));
    assert_eq!(*trial.journal.names().last().unwrap(), "run-failed");
    for target in [behind, beside] {
        // The run may have ended before the load was opened.
        assert!(target.calls().last().is_none_or(|call| call == "abort []"), "{:?}", target.calls());
        assert!(!target.calls().iter().any(|call| call.starts_with("commit")));
    }
}

/// Two instances of one stage fail, and the run is ended by the one that the stage's own thread learns of last.
#[test]
fn the_fault_of_a_stage_is_the_one_that_ended_the_run() {
    let at_once = Arc::new(Barrier::new(2));
    let bad = transform_with(move |_, cancel: &Cancel| {
        let (at_once, cancel) = (at_once.clone(), cancel.clone());
        (
            move |_, _: RecordBatch| {
                at_once.wait();
                if std::thread::current().name() != Some("bad") {
                    return Err(fault(Trap, "early"));
                }
                while !cancel.is_cancelled() {
                    std::thread::yield_now();
                }
                Err(fault(Trap, "late"))
            },
            || Ok(None),
        )
    });
    let trial = Trial::new().stage("read", &[], endless()).stage_with("bad", &["read"], bad.stateless(), |spec| {
        spec.parallel = Some(2);
    });
    let record = trial.run();
    assert_eq!(record.fault.as_ref().map(|fault| fault.message.as_str()), Some("early"));
    assert_eq!(stage_of(&record, "bad").fault, record.fault);
}

#[test]
fn a_load_that_prepared_is_taken_back_with_its_receipt() {
    let (one, two) = (Arc::new(Target::default()), Arc::new(Target::default()));
    two.fails("prepare", vec![fault(FaultKind::Denied, "not there")]);
    two.fails("abort", vec![fault(Trap, "cannot")]);
    let trial = Trial::new()
        .stage("a", &[], counting(1, 10))
        .stage("b", &["a"], load(&one))
        // The second load waits for the first.
        .stage("c", &["a"], super::fakes::waits_for(&one, "prepare"))
        .stage("d", &["c"], load(&two));
    let record = trial.run();
    assert_eq!(states(&record), "failed: succeeded succeeded succeeded failed");
    assert_eq!(one.calls().last().unwrap(), r#"abort ["10 rows"]"#);
    assert_eq!(two.calls().last().unwrap(), "abort []");
    let lines = trial.journal.lines.lock().unwrap();
    assert!(lines.iter().any(|line| line.starts_with("d: what the load had written could not be taken back")));
}

/// Cancels when a load has got so many rows.
struct CancelAt(Cancel, u64);

impl Observer for CancelAt {
    fn progress(&self, stage: &str, progress: &StageProgress) {
        if stage == "out" && progress.rows_out >= self.1 {
            self.0.cancel();
        }
    }
}

#[test]
fn the_user_cancels() {
    let target = Arc::new(Target::default());
    let trial = Trial::new()
        .stage("read", &[], endless())
        .stage("pass", &["read"], transform(|_, rows| Ok(vec![rows])).stateless())
        .stage("out", &["pass"], load(&target))
        .stage("stuck", &["read"], stuck());
    // `stuck` takes one batch and the edge before it fills up: whoever cancels does it early.
    let record = trial.run_watched(&CancelAt(trial.cancel.clone(), 1)).unwrap();
    assert_eq!(states(&record), "cancelled: cancelled cancelled cancelled cancelled");
    assert_eq!(target.calls().last().unwrap(), "abort []");
    assert_eq!(*trial.journal.names().last().unwrap(), "run-cancelled");
}

#[test]
fn cancelled_before_it_began() {
    let trial = Trial::new().stage("read", &[], endless()).stage("stuck", &["read"], stuck());
    trial.cancel.cancel();
    let record = trial.run();
    assert_eq!(record.state, RunState::Cancelled);
}

/// Cancels when the run is committing.
struct TooLate(Cancel);

impl Observer for TooLate {
    fn event(&self, event: &Event) {
        if matches!(event, Event::RunCommitting { .. }) {
            self.0.cancel();
        }
    }
}

#[test]
fn a_commit_cannot_be_cancelled() {
    let target = Arc::new(Target::default());
    let trial = Trial::new().stage("read", &[], counting(1, 10)).stage("out", &["read"], load(&target));
    let record = trial.run_watched(&TooLate(trial.cancel.clone())).unwrap();
    assert_eq!((record.state, stage_of(&record, "out").committed), (RunState::Succeeded, true));
}

#[test]
fn a_panic_is_a_fault_of_the_host() {
    for stateless in [true, false] {
        let fake = transform(|_, _| panic!("a mistake of ours"));
        let fake = if stateless { fake.stateless() } else { fake };
        let record = Trial::new().stage("read", &[], endless()).stage("bad", &["read"], fake).run();
        assert_eq!(states(&record), "failed: cancelled failed");
        let fault = record.fault.unwrap();
        assert_eq!(fault.kind, Host);
        assert!(fault.message.contains("a mistake of ours"));
    }
}

#[test]
fn a_journal_that_fails_stops_the_run_and_takes_the_loads_back() {
    for event in ["stage-succeeded", "run-committing"] {
        let target = Arc::new(Target::default());
        let mut trial = Trial::new().stage("read", &[], counting(3, 10)).stage("out", &["read"], load(&target));
        trial.journal.fails_at = Some(event);
        let error = trial.run_watched(&()).unwrap_err();
        assert!(matches!(&error, RunnerError::Journal(error) if error.0 == "the disk is full"), "{error}");
        assert!(!target.calls().iter().any(|call| call.starts_with("commit")));
    }
}

#[test]
fn a_batch_of_another_schema_is_refused() {
    let other = || {
        let column: arrow_array::StringArray = vec!["x"].into();
        RecordBatch::try_from_iter([("s", Arc::new(column) as arrow_array::ArrayRef)]).unwrap()
    };
    let record = Trial::new()
        .stage("read", &[], counting(1, 10))
        .stage("bad", &["read"], transform(move |_, _| Ok(vec![other()])))
        .run();
    let fault = record.fault.unwrap();
    assert_eq!(fault.kind, Contract);
    assert_eq!(fault.message, "the stage gave a batch of (s Utf8), but its `open` said (n Int64)");
}

#[test]
fn a_finish_without_an_end_is_refused() {
    let fake = transform_with(|_, _| (|_, _: RecordBatch| Ok(Vec::new()), || Ok(Some(batch([])))));
    let record = Trial::new().stage("read", &[], counting(1, 10)).stage("bad", &["read"], fake).run();
    assert_eq!(record.fault.unwrap().kind, Contract);
}

#[test]
fn an_extract_that_cannot_be_opened_fails_those_behind() {
    let fake = extract(|_| |_: Ask<'_>, _: &mut Report| Err(fault(FaultKind::InvalidConfig, "no such file")));
    let target = Arc::new(Target::default());
    let record = Trial::new().stage("read", &[], fake).stage("out", &["read"], load(&target)).run();
    assert_eq!(states(&record), "failed: failed upstream-failed");
    assert_eq!(record.fault.unwrap().to_string(), "stage `read`: invalid-config in `call`: no such file");
    assert!(target.calls().is_empty(), "a load that was never opened has nothing to take back");
}

#[test]
fn a_plan_that_is_none_is_refused() {
    let refused = |trial: Trial| match trial.run_watched(&()).unwrap_err() {
        RunnerError::Plan(message) => message,
        RunnerError::Journal(error) => panic!("{error}"),
    };
    let pass = || transform(|_, rows| Ok(vec![rows]));
    assert_eq!(
        refused(Trial::new().stage("a", &["b"], pass()).stage("b", &["a"], pass())),
        "the stages a, b feed each other in a circle"
    );
    assert_eq!(refused(Trial::new().stage("a", &["x"], pass())), "stage `a` takes `x`, which is no stage");
    assert_eq!(
        refused(Trial::new().stage("a", &[], pass())),
        "stage `a` is of kind transform, which does not take 0 inputs"
    );
}
