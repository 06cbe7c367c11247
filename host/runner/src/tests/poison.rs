//! Rows that a stateless stage fails on.

use super::fakes::{Fake, Target, counting, fault, load, numbers, transform};
use super::{Trial, stage_of};
use arrow_array::RecordBatch;
use sluicebox_model::fault::Fault;
use sluicebox_model::fault::FaultKind::{self, Denied, InvalidData, Threshold, Trap};
use sluicebox_model::pipeline::{OnFault, StageSpec};
use sluicebox_model::run::{RunRecord, RunState};
use sluicebox_model::stage;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// Fails on every batch with a number that is poison; counts its calls.
fn picky(kind: FaultKind, names_row: bool, is_poison: fn(i64) -> bool) -> (Fake, Arc<AtomicU64>) {
    let calls = Arc::new(AtomicU64::new(0));
    let count = calls.clone();
    let fake = transform(move |_, rows: RecordBatch| {
        count.fetch_add(1, Ordering::SeqCst);
        match numbers(&rows).iter().position(|number| is_poison(*number)) {
            None => Ok(vec![rows]),
            Some(row) => {
                let named = names_row.then_some((row as u64, row as u64 + 1));
                Err(Fault { rows: named, ..fault(kind, "cannot digest this") })
            }
        }
    });
    (fake.stateless(), calls)
}

fn aside(spec: &mut StageSpec) {
    spec.on_fault = OnFault::Quarantine;
    spec.parallel = Some(1);
}

struct Answer {
    record: RunRecord,
    written: Vec<i64>,
    set_aside: Vec<(i64, String)>,
    calls: u64,
}

fn run((fake, calls): (Fake, Arc<AtomicU64>), with: impl FnOnce(&mut StageSpec)) -> Answer {
    let target = Arc::new(Target::default());
    let trial = Trial::new()
        .stage("read", &[], counting(8, 64))
        .stage_with("picky", &["read"], fake, |spec| {
            aside(spec);
            with(spec);
        })
        .stage("out", &["picky"], load(&target));
    let record = trial.run();
    Answer {
        record,
        written: target.written(),
        set_aside: trial.journal.set_aside(),
        calls: calls.load(Ordering::SeqCst),
    }
}

#[test]
fn one_row_is_found_by_halving() {
    let answer = run(picky(Trap, false, |number| number == 100), |spec| spec.retry.attempts = 3);
    assert_eq!(answer.record.state, RunState::Succeeded);
    assert_eq!(answer.written, (0..512).filter(|number| *number != 100).collect::<Vec<i64>>());
    assert_eq!(answer.set_aside.len(), 1);
    let (row, why) = &answer.set_aside[0];
    assert_eq!((*row, why.as_str()), (100, "stage `picky`: trap in `call`, batch 1, row 100: cannot digest this"));
    // Seven batches went through at once; 64 rows take 6 halvings of two calls each, after three attempts.
    assert!(answer.calls <= 7 + 2 * 6 + 3, "{} calls", answer.calls);
    let outcome = &stage_of(&answer.record, "picky").outcome;
    assert_eq!((outcome.rows_quarantined, outcome.rows_rejected, outcome.rows_out), (1, 0, 511));
}

#[test]
fn a_row_that_the_stage_names_is_cut_right_there() {
    let answer = run(picky(InvalidData, true, |number| number % 100 == 7), |_| {});
    assert_eq!(answer.record.state, RunState::Succeeded);
    let rows: Vec<i64> = answer.set_aside.iter().map(|(row, _)| *row).collect();
    assert_eq!(rows, [7, 107, 207, 307, 407, 507]);
    assert_eq!(answer.written.len(), 506);
    assert!(answer.written.is_sorted());
    assert!(answer.calls <= 8 + 2 * 6, "{} calls", answer.calls);
}

#[test]
fn neighbours_are_set_aside_together() {
    let answer = run(picky(InvalidData, false, |number| (70..80).contains(&number)), |_| {});
    assert_eq!(answer.set_aside.len(), 10);
    assert!(answer.set_aside[0].1.contains("rows 70 to 79"), "{}", answer.set_aside[0].1);
}

#[test]
fn what_cannot_be_the_rows_fails() {
    let answer = run(picky(Denied, false, |number| number == 100), |_| {});
    assert_eq!(answer.record.state, RunState::Failed);
    assert_eq!(answer.set_aside.len(), 0);
}

#[test]
fn without_leave_the_run_fails() {
    let answer = run(picky(Trap, false, |number| number == 100), |spec| spec.on_fault = OnFault::Fail);
    assert_eq!(answer.record.state, RunState::Failed);
    assert_eq!(answer.calls, 2);
}

#[test]
fn two_lost_batches_one_after_another_fail() {
    let answer = run(picky(Trap, false, |number| number >= 64), |_| {});
    let fault = answer.record.fault.unwrap();
    assert_eq!((fault.kind, fault.batch), (Threshold, Some(2)));
    assert_eq!(answer.set_aside.len(), 128);
}

#[test]
fn more_rows_than_allowed_fail() {
    let answer =
        run(picky(InvalidData, true, |number| number % 10 == 0), |spec| spec.reject = Some(stage::Threshold::Rows(20)));
    let fault = answer.record.fault.unwrap();
    assert_eq!(fault.message, "21 rows were at fault, and at most 20 rows may");
    let answer = run(picky(InvalidData, true, |number| number % 10 == 0), |spec| {
        spec.reject = Some(stage::Threshold::PerCent(5.0));
    });
    assert_eq!(answer.record.fault.unwrap().message, "52 of 512 rows were at fault, and at most 5 % may");
}

#[test]
fn looking_for_rows_has_an_end() {
    let (fake, calls) = picky(Trap, false, |number| number % 2 == 0);
    let mut trial = Trial::new().stage("read", &[], counting(8, 64)).stage_with("picky", &["read"], fake, aside);
    trial.tuning.poison_calls_max = 200;
    let record = trial.run();
    assert_eq!(record.state, RunState::Failed);
    assert!(record.fault.unwrap().message.contains("more than 200 calls"));
    assert!(calls.load(Ordering::SeqCst) <= 203);
}
