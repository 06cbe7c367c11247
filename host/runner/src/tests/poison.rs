//! Rows that a stateless stage fails on.

use super::fakes::{Fake, Target, counting, fault, load, numbers, transform};
use super::{Trial, stage_of};
use crate::size::GoodSize;
use arrow_array::RecordBatch;
use sluicebox_model::fault::Fault;
use sluicebox_model::fault::FaultKind::{self, Denied, InvalidData, Threshold, Trap};
use sluicebox_model::pipeline::{OnFault, StageSpec};
use sluicebox_model::run::{RunRecord, RunState};
use sluicebox_model::stage;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

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
    let trial = Trial::new().stage("read", &[], counting(8, 64)).stage_with("picky", &["read"], fake, |spec| {
        aside(spec);
        spec.limits.poison_calls_max = 200;
    });
    let record = trial.run();
    assert_eq!(record.state, RunState::Failed);
    let fault = record.fault.unwrap();
    assert!(fault.message.contains("more than 200 calls"), "{fault}");
    assert!(fault.help.unwrap().contains("raise `limits.poison-calls`, now 200 calls"));
    assert!(calls.load(Ordering::SeqCst) <= 203);
}

/// Calls to find `poison` rows of `rows`: two for each part that holds poison and has more than one row, and of those
/// there are no more than rows at fault on any of the levels.
fn calls_at_most(poison: u64, rows: u64) -> u64 {
    let levels = u64::from(rows.next_power_of_two().ilog2());
    (0..levels).map(|level| 2 * (1 << level).min(poison)).sum()
}

fn run_large(is_poison: fn(i64) -> bool) -> Answer {
    let target = Arc::new(Target::default());
    let (fake, calls) = picky(Trap, false, is_poison);
    let mut trial = Trial::new()
        .stage("read", &[], counting(1, 65_536))
        .stage_with("picky", &["read"], fake, |spec| {
            aside(spec);
            spec.retry.attempts = 3;
        })
        .stage("out", &["picky"], load(&target));
    trial.tuning.size = GoodSize { rows: 65_536, bytes: 1 << 20 };
    let record = trial.run();
    let calls = calls.load(Ordering::SeqCst);
    Answer { record, written: target.written(), set_aside: trial.journal.set_aside(), calls }
}

#[test]
fn one_row_of_65536_takes_two_calls_for_each_halving() {
    let answer = run_large(|number| number == 40_000);
    assert_eq!(answer.record.state, RunState::Succeeded);
    assert_eq!(answer.written, (0..65_536).filter(|number| *number != 40_000).collect::<Vec<i64>>());
    assert_eq!(answer.set_aside.iter().map(|(row, _)| *row).collect::<Vec<_>>(), [40_000]);
    assert_eq!(calls_at_most(1, 65_536), 2 * 16);
    assert!(answer.calls <= 2 * 16 + 3, "{} calls", answer.calls);
}

#[test]
fn a_hundred_scattered_rows_of_65536_are_found_within_the_bound() {
    // 655 and its multiples lie in all parts of the batch.
    let is_poison = |number: i64| number % 655 == 3 && number < 65_500;
    let answer = run_large(is_poison);
    assert_eq!(answer.record.state, RunState::Succeeded);
    let poison: Vec<i64> = (0..65_536).filter(|number| is_poison(*number)).collect();
    assert_eq!(poison.len(), 100);
    assert_eq!(answer.set_aside.iter().map(|(row, _)| *row).collect::<Vec<_>>(), poison);
    assert_eq!(answer.written.len(), 65_436);
    assert!(answer.calls <= calls_at_most(100, 65_536) + 3, "{} calls", answer.calls);
}

#[test]
fn a_stage_that_fails_on_every_row_fails_fast() {
    let answer = run_large(|_| true);
    let fault = answer.record.fault.unwrap();
    assert_eq!((fault.kind, fault.batch, fault.rows), (Threshold, Some(0), Some((0, 65_536))));
    assert!(fault.message.contains("16 single rows from all over it"), "{fault}");
    assert_eq!(answer.calls, 3 + 63 + 16, "attempts, parts and single rows");
    assert!(answer.set_aside.is_empty());
}

#[test]
fn a_stage_that_fails_on_the_first_half_is_not_doubted() {
    let answer = run_large(|number| number < 3_000);
    assert_eq!(answer.record.state, RunState::Succeeded);
    assert_eq!((answer.set_aside.len(), answer.written.len()), (3_000, 62_536));
}

#[test]
fn looking_for_rows_ends_when_its_time_is_spent() {
    let (fake, calls) = picky(Trap, false, |_| true);
    let trial = Trial::new().stage("read", &[], counting(8, 64)).stage_with("picky", &["read"], fake, |spec| {
        aside(spec);
        spec.limits.poison_time_max = Duration::ZERO;
    });
    let record = trial.run();
    assert_eq!(record.state, RunState::Failed);
    let fault = record.fault.unwrap();
    assert_eq!(fault.kind, Threshold);
    assert!(fault.message.contains("finding the rows at fault took more than 0"), "{fault}");
    let help = fault.help.unwrap();
    assert!(help.contains("lower its `limits.call`, or raise `limits.poison-time`, now 0"), "{help}");
    // The batch as a whole, and the first of its halves.
    assert_eq!(calls.load(Ordering::SeqCst), 2);
}
