//! Calls that are tried again.

use super::fakes::{Ask, Target, batch, counting, extract, fault, load, numbers, page, transform, transform_with};
use super::{Trial, stage_of, states};
use arrow_array::RecordBatch;
use sluicebox_model::fault::FaultKind::{self, InvalidData, Trap, Unavailable};
use sluicebox_model::pipeline::StageSpec;
use sluicebox_model::run::RunState;
use sluicebox_model::stage::{Page, Report};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

fn three(spec: &mut StageSpec) {
    spec.retry.attempts = 3;
}

/// A stateless transform that fails so many times on the batch that begins with 200.
fn fails(times: u64, kind: FaultKind) -> super::fakes::Fake {
    let left = AtomicU64::new(times);
    transform(move |_, rows| {
        let hit = numbers(&rows)[0] == 200;
        if hit && left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1)).is_ok() {
            return Err(fault(kind, "no luck"));
        }
        Ok(vec![rows])
    })
    .stateless()
}

#[test]
fn a_stateless_stage_gets_the_same_batch_on_a_fresh_instance() {
    let target = Arc::new(Target::default());
    let fake = fails(2, Trap);
    let made = fake.made.clone();
    let mut trial = Trial::new().stage("read", &[], counting(5, 100)).stage_with("try", &["read"], fake, three).stage(
        "out",
        &["try"],
        load(&target),
    );
    trial.cores = 1;
    let record = trial.run();
    assert_eq!(record.state, RunState::Succeeded);
    assert_eq!(target.written(), (0..500).collect::<Vec<i64>>());
    assert_eq!(made.load(Ordering::SeqCst), 3);
    let outcome = &stage_of(&record, "try").outcome;
    assert_eq!((outcome.attempts, outcome.retries, outcome.rows_in), (3, 2, 500));
    let names = trial.journal.names();
    assert_eq!(names.iter().filter(|name| **name == "stage-retrying").count(), 2);
}

#[test]
fn attempts_are_spent() {
    let target = Arc::new(Target::default());
    let trial = Trial::new()
        .stage("read", &[], counting(5, 100))
        .stage_with("try", &["read"], fails(3, Trap), three)
        .stage("out", &["try"], load(&target));
    let record = trial.run();
    assert_eq!(states(&record).split_once(": ").unwrap().0, "failed");
    let fault = record.fault.unwrap();
    assert_eq!((fault.stage.as_str(), fault.batch, fault.rows), ("try", Some(2), Some((200, 300))));
    // The run may have ended before the load was opened.
    assert!(target.calls().last().is_none_or(|call| call == "abort []"), "{:?}", target.calls());
}

#[test]
fn what_cannot_help_is_not_tried_again() {
    let trial =
        Trial::new().stage("read", &[], counting(5, 100)).stage_with("try", &["read"], fails(1, InvalidData), three);
    let record = trial.run();
    assert_eq!(record.state, RunState::Failed);
    assert_eq!(stage_of(&record, "try").outcome.retries, 0);
}

#[test]
fn a_stateful_stage_that_is_alive_is_asked_again() {
    let fake = transform_with(|_, _| {
        let mut calls = 0;
        (
            move |_, rows: RecordBatch| {
                calls += 1;
                if calls == 3 { Err(fault(Unavailable, "busy")) } else { Ok(vec![rows]) }
            },
            || Ok(None),
        )
    });
    let made = fake.made.clone();
    let trial = Trial::new().stage("read", &[], counting(5, 100)).stage_with("try", &["read"], fake, three);
    let record = trial.run();
    assert_eq!(record.state, RunState::Succeeded);
    assert_eq!((made.load(Ordering::SeqCst), stage_of(&record, "try").outcome.rows_out), (1, 500));
}

/// Dies on the batch that begins with `first`, once.
fn dies_once(first: i64) -> super::fakes::Fake {
    let alive = Arc::new(AtomicU64::new(1));
    transform_with(move |_, _| {
        let alive = alive.clone();
        (
            move |_, rows: RecordBatch| {
                if numbers(&rows)[0] == first && alive.swap(0, Ordering::SeqCst) == 1 {
                    return Err(fault(Trap, "dead"));
                }
                Ok(vec![rows])
            },
            || Ok(None),
        )
    })
}

#[test]
fn a_stateful_stage_may_die_before_it_accepted_a_batch_but_not_after() {
    let run = |first| {
        Trial::new().stage("read", &[], counting(5, 100)).stage_with("try", &["read"], dies_once(first), three).run()
    };
    assert_eq!(run(0).state, RunState::Succeeded);
    let record = run(100);
    assert_eq!(record.state, RunState::Failed);
    assert_eq!(record.fault.unwrap().rows, Some((100, 200)));
}

/// Gives ten pages of one number, and fails once before page 5, with or without bookmarks.
fn failing_extract(kind: FaultKind, at: i64, bookmarks: bool) -> super::fakes::Fake {
    let well = Arc::new(AtomicU64::new(1));
    extract(move |_| {
        let well = well.clone();
        let mut next = 0;
        move |ask, _: &mut Report| match ask {
            Ask::Open(bookmark) => {
                next = bookmark.map_or(0, |bookmark| bookmark.parse().unwrap());
                Ok(None)
            }
            _ if next == at && well.swap(0, Ordering::SeqCst) == 1 => Err(fault(kind, "the line is dead")),
            _ if next < 10 => {
                next += 1;
                let bookmark = bookmarks.then(|| next.to_string());
                Ok(Some(Page { batch: batch([next]), bookmark, progress: None }))
            }
            _ => Ok(None),
        }
    })
}

#[test]
fn an_extract_is_opened_again_where_it_was() {
    for (kind, at, bookmarks, state) in [
        (Trap, 5, true, RunState::Succeeded),
        (Unavailable, 5, true, RunState::Succeeded),
        (Trap, 0, false, RunState::Succeeded),
        (Unavailable, 5, false, RunState::Succeeded),
        (Trap, 5, false, RunState::Failed),
    ] {
        let target = Arc::new(Target::default());
        let fake = failing_extract(kind, at, bookmarks);
        let record = Trial::new().stage_with("read", &[], fake, three).stage("out", &["read"], load(&target)).run();
        assert_eq!(record.state, state, "{kind} at {at}");
        if state == RunState::Succeeded {
            assert_eq!(target.written(), (1..=10).collect::<Vec<i64>>());
        }
    }
}

#[test]
fn a_commit_is_tried_again_and_then_left_to_recovery() {
    let target = Arc::new(Target::default());
    let trial = Trial::new().stage("read", &[], counting(1, 10)).stage_with("out", &["read"], load(&target), three);
    target.fails("commit", vec![fault(Unavailable, "later"), fault(Trap, "oh")]);
    assert_eq!(trial.run().state, RunState::Succeeded);
    assert_eq!(target.calls().iter().filter(|call| call.starts_with("commit")).count(), 3);

    let other = Arc::new(Target::default());
    target.fails("commit", vec![fault(Unavailable, "never"); 3]);
    let trial = Trial::new()
        .stage("read", &[], counting(1, 10))
        .stage_with("out", &["read"], load(&target), three)
        .stage("other", &["read"], load(&other));
    let record = trial.run();
    assert_eq!(record.state, RunState::Crashed);
    assert!(!stage_of(&record, "out").committed && stage_of(&record, "other").committed);
    let names = trial.journal.names();
    assert_eq!(names[names.len() - 4..], ["run-committing", "commit-failed", "load-committed", "run-crashed"]);
    assert!(!target.calls().iter().any(|call| call.starts_with("abort")), "a committing run is never taken back");
}

#[test]
fn a_wait_ends_at_once_when_the_run_stops() {
    let mut trial = Trial::new().stage_with("slow", &[], failing_extract(Unavailable, 0, false), |spec| {
        spec.retry.attempts = 2;
        spec.retry.backoff = std::time::Duration::from_secs(3_600);
    });
    /// Cancels as soon as the stage waits.
    struct Impatient(sluicebox_model::cancel::Cancel);
    impl crate::plan::Observer for Impatient {
        fn event(&self, event: &sluicebox_model::run::Event) {
            if event.name() == "stage-retrying" {
                self.0.cancel();
            }
        }
    }
    trial.cores = 1;
    let record = trial.run_watched(&Impatient(trial.cancel.clone())).unwrap();
    assert_eq!(states(&record), "cancelled: cancelled");
}

#[test]
fn what_a_guest_tells_is_kept() {
    let fake = extract(|_| {
        move |ask, report: &mut Report| match ask {
            Ask::Next(number @ 0..2) => {
                report.counts.insert("pages".into(), 1);
                report.log.push(sluicebox_model::stage::LogLine {
                    level: sluicebox_model::stage::Level::Info,
                    source: sluicebox_model::stage::LogSource::Log,
                    message: format!("page {number}"),
                });
                page(batch([1]))
            }
            _ => Ok(None),
        }
    });
    let trial = Trial::new().stage("read", &[], fake);
    let record = trial.run();
    assert_eq!(stage_of(&record, "read").outcome.counts["pages"], 2);
    assert_eq!(*trial.journal.lines.lock().unwrap(), ["read: page 0", "read: page 1"]);
    let _: &Mutex<Vec<String>> = &trial.journal.lines;
}
