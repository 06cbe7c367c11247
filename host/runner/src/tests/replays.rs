//! Calls that failed, kept and made again.

use super::Trial;
use super::fakes::{
    Ask, Fake, Target, batch, counting, extract, fault, load, numbers, page, split_extract, transform_with,
};
use crate::size::GoodSize;
use crate::{Answer, Before, Checkpoint, Keeping, replay};
use arrow_array::RecordBatch;
use sluicebox_model::fault::Fault;
use sluicebox_model::fault::FaultKind::{InvalidData, Trap};
use sluicebox_model::journal::{FailedCall, SourceCall};
use sluicebox_model::stage::{Report, RunContext};
use std::sync::Arc;

const ROWS: i64 = 70_000;

/// Adds up all numbers; fails on the batch that begins with a number, or in a call of `finish`, and says the sum.
fn summing(fails_at: i64, fails_in_finish: u64) -> Fake {
    transform_with(move |_, _| {
        let sum = Arc::new(std::sync::Mutex::new(0));
        let so_far = sum.clone();
        let mut finishes = 0;
        (
            move |_, rows: RecordBatch| -> Result<Vec<RecordBatch>, Fault> {
                let numbers = numbers(&rows);
                if numbers[0] == fails_at {
                    return Err(fault(Trap, &format!("after {}", sum.lock().unwrap())));
                }
                *sum.lock().unwrap() += numbers.iter().sum::<i64>();
                Ok(vec![rows])
            },
            move || -> Result<Option<RecordBatch>, Fault> {
                finishes += 1;
                if finishes == fails_in_finish {
                    return Err(fault(InvalidData, &format!("{finishes} after {}", so_far.lock().unwrap())));
                }
                Ok((finishes < 5).then(|| batch([1])))
            },
        )
    })
}

fn trial(fake: Fake) -> Trial {
    let mut trial = Trial::new().stage("read", &[], counting(3, ROWS)).stage("sum", &["read"], fake).stage(
        "out",
        &["sum"],
        load(&Arc::new(Target::default())),
    );
    trial.tuning.size = GoodSize::default();
    trial
}

fn kept(trial: &Trial) -> FailedCall {
    assert!(trial.run().fault.is_some());
    let calls = trial.journal.calls.lock().unwrap();
    let [call] = calls.as_slice() else { panic!("{calls:?}") };
    call.clone()
}

fn context() -> RunContext {
    RunContext {
        run_id: "one".into(),
        randomness: "trial".into(),
        pipeline: "trial".into(),
        stage: "sum".into(),
        attempt: 1,
        interval_start: jiff::Timestamp::UNIX_EPOCH,
        interval_end: jiff::Timestamp::UNIX_EPOCH,
    }
}

/// What `read` passed on.
fn checkpoint(trial: &Trial) -> Checkpoint {
    let folder = trial.scratch.path().join("kept");
    let mut keeping = Keeping::begin(&folder, "read", &super::fakes::schema()).unwrap();
    for number in 0..3 {
        keeping.write(&batch(number * ROWS..(number + 1) * ROWS)).unwrap();
    }
    keeping.finish().unwrap()
}

#[test]
fn what_a_stage_was_given_before_is_given_again() {
    let trial = trial(summing(ROWS, 0));
    let call = kept(&trial);
    assert_eq!((call.call.as_str(), call.batches_before()), ("process", 2), "{call:?}");
    let inputs = ["read".to_owned()];
    let again = replay(trial.stages[1].as_ref(), &context(), &inputs, &call, &[Ok(checkpoint(&trial))]);
    assert_eq!(again.before, Before::Batches(2));
    assert_eq!(again.answer.unwrap_err().message, call.fault.message);
    assert_ne!(call.fault.message, "after 0");

    let again = replay(trial.stages[1].as_ref(), &context(), &inputs, &call, &[Err("it is gone".into())]);
    assert_eq!(again.before, Before::Lost { batches: 2, why: "it is gone".into() });
    assert_eq!(again.answer.unwrap_err().message, "after 0");
}

/// The extract had not come to its end when the run failed: what it gave so far is kept by the run itself.
#[test]
fn what_was_passed_on_until_the_run_failed_is_given_again() {
    let folder = tempfile::tempdir().unwrap();
    let mut trial = Trial::new().stage("read", &[], counting(1_000, ROWS)).stage("sum", &["read"], summing(ROWS, 0));
    trial.tuning.size = GoodSize::default();
    trial.checkpoints = Some(folder.path().to_owned());
    let call = kept(&trial);
    assert!(call.batches_before() > 0, "{call:?}");
    assert!(Checkpoint::open(folder.path(), "read").unwrap().is_none(), "no run starts behind a part");
    let part = Checkpoint::open_part(folder.path(), "read").unwrap().unwrap();
    assert!(part.rows < 1_000 * ROWS as u64 && part.bookmark.is_none(), "{part:?}");
    let again = replay(trial.stages[1].as_ref(), &context(), &["read".to_owned()], &call, &[Ok(part)]);
    assert_eq!(again.before, Before::Batches(call.batches_before()));
    assert_eq!(again.answer.unwrap_err().message, call.fault.message);
    assert_ne!(call.fault.message, "after 0");
}

#[test]
fn the_third_call_of_finish_follows_two() {
    let trial = trial(summing(-1, 3));
    let call = kept(&trial);
    assert_eq!((call.call.as_str(), call.before, call.batch.is_none()), ("finish", 2, true), "{call:?}");
    assert!(call.batches_before() >= 3, "{call:?}");
    let again = replay(trial.stages[1].as_ref(), &context(), &["read".to_owned()], &call, &[Ok(checkpoint(&trial))]);
    assert_eq!(again.before, Before::Batches(call.batches_before()));
    assert_eq!(again.answer.unwrap_err().message, call.fault.message);
}

#[test]
fn a_page_of_a_split_is_asked_for_again() {
    let fake = split_extract(
        |_| vec!["a".into(), "b".into()],
        |_| {
            let mut of = String::new();
            move |ask: Ask<'_>, _: &mut Report| match ask {
                Ask::OpenSplit(split) => {
                    of = split.to_owned();
                    Ok(None)
                }
                Ask::Next(2) if of == "b" => Err(fault(Trap, "page 2 of b")),
                Ask::Next(number) if number < 4 => page(batch([number as i64])),
                _ => Ok(None),
            }
        },
    )
    .splittable();
    let trial = Trial::new().stage("read", &[], fake).stage("out", &["read"], load(&Arc::new(Target::default())));
    let call = kept(&trial);
    assert_eq!((call.call.as_str(), call.before), ("next", 2));
    assert_eq!(call.source, Some(SourceCall::Split { split: "b".into() }));
    let again = replay(trial.stages[0].as_ref(), &context(), &[], &call, &[]);
    assert_eq!((again.before, again.answer.unwrap_err().message.as_str()), (Before::Calls(2), "page 2 of b"));
}

#[test]
fn an_open_and_a_plan_are_kept_too() {
    let fails = || {
        extract(|_| {
            move |ask: Ask<'_>, _: &mut Report| match ask {
                Ask::Open(_) => Err(Fault::new(Trap, "open", "not today")),
                _ => Ok(None),
            }
        })
    };
    let trial = Trial::new().stage("read", &[], fails()).stage("out", &["read"], load(&Arc::new(Target::default())));
    let call = kept(&trial);
    assert_eq!((call.call.as_str(), call.source.clone()), ("open", Some(SourceCall::Whole { bookmark: None })));
    let again = replay(trial.stages[0].as_ref(), &context(), &[], &call, &[]);
    assert_eq!(again.answer.unwrap_err().message, "not today");
    // Today it may.
    let again = replay(&counting(1, 1), &context(), &[], &call, &[]);
    assert_eq!(again.answer.unwrap(), Answer::Opened(vec!["n".into()]));
}

#[test]
fn a_load_prepares_under_an_id_of_its_own_and_a_commit_is_not_made() {
    let target = Arc::new(Target::default());
    target.fails("prepare", vec![Fault::new(Trap, "prepare", "no"), Fault::new(Trap, "prepare", "no")]);
    let trial = Trial::new().stage("read", &[], counting(3, ROWS)).stage("out", &["read"], load(&target));
    let call = kept(&trial);
    assert_eq!(call.call, "prepare");
    target.written.lock().unwrap().clear();
    target.calls.lock().unwrap().clear();
    let context = RunContext { stage: "out".into(), ..context() };
    let again = replay(trial.stages[1].as_ref(), &context, &["read".to_owned()], &call, &[Err("gone".into())]);
    assert_eq!(again.answer.unwrap_err().message, "no");
    assert!(matches!(again.before, Before::Lost { .. }), "{:?}", again.before);
    let calls = target.calls();
    assert_eq!(calls.last().map(String::as_str), Some("abort []"), "{calls:?}");
    let commit = FailedCall { call: "commit".into(), ..call };
    target.calls.lock().unwrap().clear();
    let again = replay(trial.stages[1].as_ref(), &context, &[], &commit, &[]);
    assert!(again.answer.unwrap_err().message.contains("not made for a look"));
    assert!(target.calls().is_empty(), "nothing was called");
}
