//! How batches go through a pipeline.

use super::fakes::{
    Ask, Target, batch, counting, extract, load, numbers, page, split_extract, transform, transform_with,
};
use super::{Trial, stage_of, states};
use crate::size::GoodSize;
use arrow_array::{Array, RecordBatch};
use sluicebox_model::batch::batch_bytes;
use sluicebox_model::run::RunState;
use sluicebox_model::stage::{Page, Report};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Barrier, Mutex};

#[test]
fn a_run_from_extract_to_load() {
    let target = Arc::new(Target::default());
    let trial = Trial::new()
        .stage("read", &[], counting(10, 10))
        .stage("double", &["read"], transform(|_, rows| Ok(vec![batch(numbers(&rows).into_iter().map(|n| n * 2))])))
        .stage("out", &["double"], load(&target));
    let record = trial.run();
    assert_eq!(states(&record), "succeeded: succeeded succeeded succeeded");
    assert_eq!(target.written(), (0..100).map(|n| n * 2).collect::<Vec<i64>>());
    assert_eq!(target.calls(), ["open out 0", "prepare", r#"commit ["100 rows"]"#]);
    let names = trial.journal.names();
    assert_eq!(names[..2], ["run-queued", "run-started"]);
    assert_eq!(names[names.len() - 3..], ["run-committing", "load-committed", "run-succeeded"]);
    let double = &stage_of(&record, "double").outcome;
    assert_eq!((double.rows_in, double.rows_out, double.bytes_in), (100, 100, 800));
    assert_eq!((double.calls, double.attempts, double.memory_peak_bytes), (1, 1, 1_000));
    assert_eq!(stage_of(&record, "read").outcome.rows_in, 0);
    assert_eq!(stage_of(&record, "out").outcome.rows_out, 100);
}

#[test]
fn one_stage_feeds_many_and_no_rows_are_fine() {
    let (one, two, none) = (Arc::new(Target::default()), Arc::new(Target::default()), Arc::new(Target::default()));
    let record = Trial::new()
        .stage("read", &[], counting(3, 50))
        .stage("nothing", &["read"], transform(|_, rows| Ok(vec![rows.slice(0, 0)])).stateless())
        .stage("one", &["read"], load(&one))
        .stage("two", &["read"], load(&two))
        .stage("none", &["nothing"], load(&none))
        .run();
    assert_eq!(record.state, RunState::Succeeded);
    assert_eq!((one.written().len(), two.written().len(), none.written().len()), (150, 150, 0));
    assert_eq!(none.calls(), ["open none 0", "prepare", r#"commit ["0 rows"]"#]);
    assert_eq!(stage_of(&record, "read").outcome.rows_out, 150);
}

#[test]
fn inputs_but_the_first_are_delivered_before_the_first() {
    let order = Arc::new(Mutex::new(Vec::new()));
    let seen = order.clone();
    let record = Trial::new()
        .stage("a", &[], counting(5, 100))
        .stage("b", &[], counting(5, 100))
        .stage("c", &[], counting(5, 100))
        .stage(
            "join",
            &["a", "b", "c"],
            transform(move |input, _| {
                seen.lock().unwrap().push(input);
                Ok(Vec::new())
            }),
        )
        .run();
    assert_eq!(record.state, RunState::Succeeded);
    assert_eq!(*order.lock().unwrap(), [[1; 5], [2; 5], [0; 5]].concat());
}

/// The two inputs of `join` come from one stage: the first one fills up while the second is delivered. It goes to disk.
#[test]
fn a_diamond_does_not_block() {
    let target = Arc::new(Target::default());
    let mut trial = Trial::new()
        .stage("read", &[], counting(200, 100))
        .stage("left", &["read"], transform(|_, rows| Ok(vec![rows])))
        .stage("right", &["read"], transform(|_, rows| Ok(vec![rows])).stateless())
        .stage(
            "join",
            &["left", "right"],
            transform(|input, rows| Ok(if input == 0 { vec![rows] } else { Vec::new() })),
        )
        .stage("out", &["join"], load(&target));
    trial.tuning.edge_bytes_max = 2_000;
    let record = trial.run();
    assert_eq!(record.state, RunState::Succeeded);
    assert_eq!(target.written(), (0..20_000).collect::<Vec<i64>>());
    assert_eq!(stage_of(&record, "join").outcome.rows_in, 40_000);
    let left = std::fs::read_dir(trial.scratch.path().join("scratch")).unwrap().count();
    assert_eq!(left, 0, "nothing is left in the scratch folder");
}

#[test]
fn a_stage_may_be_given_the_same_input_twice() {
    let record = Trial::new()
        .stage("read", &[], counting(100, 100))
        .stage("self", &["read", "read"], transform(|_, _| Ok(Vec::new())))
        .run();
    assert_eq!(stage_of(&record, "self").outcome.rows_in, 20_000);
}

/// Many instances work at once, and some are slower than others; what they give goes on in order.
#[test]
fn stateless_instances_keep_the_order() {
    let target = Arc::new(Target::default());
    let at_once = Arc::new(Barrier::new(4));
    let busy = Arc::new(AtomicUsize::new(0));
    let fake = transform({
        let (at_once, busy) = (at_once.clone(), busy.clone());
        move |_, rows| {
            // The first four batches meet: there are four instances at work at once.
            if busy.fetch_add(1, Ordering::SeqCst) < 4 {
                at_once.wait();
            }
            if numbers(&rows)[0] % 300 == 0 {
                (0..50).for_each(|_| std::thread::yield_now());
            }
            Ok(vec![rows.slice(0, 1), rows.slice(1, rows.num_rows() - 1)])
        }
    });
    let record = Trial::new()
        .stage("read", &[], counting(64, 100))
        .stage_with("many", &["read"], fake.stateless(), |spec| spec.parallel = Some(4))
        .stage("out", &["many"], load(&target))
        .run();
    assert_eq!(record.state, RunState::Succeeded);
    assert_eq!(target.written(), (0..6_400).collect::<Vec<i64>>());
}

#[test]
fn a_stateful_stage_has_one_instance_and_finishes() {
    let target = Arc::new(Target::default());
    let fake = transform_with(|_, _| {
        let sum = Arc::new(Mutex::new((0, false)));
        let add = sum.clone();
        (
            move |_, rows: RecordBatch| {
                add.lock().unwrap().0 += numbers(&rows).iter().sum::<i64>();
                Ok(Vec::new())
            },
            move || {
                let mut sum = sum.lock().unwrap();
                let told = std::mem::replace(&mut sum.1, true);
                Ok((!told).then(|| batch([sum.0])))
            },
        )
    });
    let made = fake.made.clone();
    let record = Trial::new()
        .stage("read", &[], counting(10, 10))
        .stage_with("sum", &["read"], fake, |spec| spec.parallel = Some(8))
        .stage("out", &["sum"], load(&target))
        .run();
    assert_eq!(record.state, RunState::Succeeded);
    assert_eq!((target.written(), made.load(Ordering::SeqCst)), (vec![4_950], 1));
}

#[test]
fn batches_are_cut_and_joined() {
    let target = Arc::new(Target::default());
    let sizes = [250, 3, 3, 3, 100, 60, 49, 1, 50, 1];
    let fake = extract(move |_| {
        move |ask, _: &mut Report| match ask {
            Ask::Next(number) if (number as usize) < sizes.len() => {
                let before: i64 = sizes[..number as usize].iter().sum();
                page(batch(before..before + sizes[number as usize]))
            }
            _ => Ok(None),
        }
    });
    Trial::new().stage("read", &[], fake).stage("out", &["read"], load(&target)).run();
    assert_eq!(target.written(), (0..520).collect::<Vec<i64>>());
    assert_eq!(*target.sizes.lock().unwrap(), [84, 84, 82, 9, 100, 60, 100, 1]);
}

#[test]
fn batches_are_cut_by_bytes_too() {
    let target = Arc::new(Target::default());
    let mut trial = Trial::new().stage("read", &[], counting(2, 1_000)).stage("out", &["read"], load(&target));
    trial.tuning.size = GoodSize { rows: 10_000, bytes: 2_000 };
    trial.run();
    assert_eq!(*target.sizes.lock().unwrap(), [250; 8]);
}

#[test]
fn splits_are_read_at_once_and_go_on_in_order() {
    let target = Arc::new(Target::default());
    let meet = Arc::new(Barrier::new(3));
    let fake = split_extract(
        |at_most| (0..at_most).map(|split| split.to_string()).collect(),
        move |_| {
            let meet = meet.clone();
            let mut first = 0;
            move |ask, _: &mut Report| match ask {
                Ask::OpenSplit(split) => {
                    first = split.parse::<i64>().unwrap() * 100;
                    if first < 300 {
                        meet.wait();
                    }
                    Ok(None)
                }
                Ask::Next(number @ 0..4) => page(batch(first + number as i64 * 25..first + number as i64 * 25 + 25)),
                _ => Ok(None),
            }
        },
    );
    let mut trial = Trial::new().stage_with("read", &[], fake.splittable(), |spec| spec.parallel = Some(3)).stage(
        "out",
        &["read"],
        load(&target),
    );
    trial.tuning.splits_per_instance = 4;
    trial.tuning.edge_bytes_max = 300;
    let record = trial.run();
    assert_eq!(record.state, RunState::Succeeded);
    assert_eq!(target.written(), (0..1_200).collect::<Vec<i64>>());
    assert_eq!(record.bookmarks["read"], "planned");
}

#[test]
fn no_splits_are_no_rows() {
    let target = Arc::new(Target::default());
    let fake = split_extract(|_| Vec::new(), |_| |_: Ask<'_>, _: &mut Report| Ok(None)).splittable();
    let record = Trial::new().stage("read", &[], fake).stage("out", &["read"], load(&target)).run();
    assert_eq!((record.state, target.written().len()), (RunState::Succeeded, 0));
}

#[test]
fn a_bookmark_is_that_of_the_last_page_and_moves_with_the_commit() {
    let asked = Arc::new(Mutex::new(None));
    let seen = asked.clone();
    let fake = extract(move |_| {
        let seen = seen.clone();
        move |ask, _: &mut Report| match ask {
            Ask::Open(bookmark) => {
                *seen.lock().unwrap() = bookmark.map(str::to_owned);
                Ok(None)
            }
            Ask::Next(number @ 0..3) => {
                Ok(Some(Page { batch: batch([1]), bookmark: Some(format!("page {number}")), progress: Some(0.5) }))
            }
            _ => Ok(None),
        }
    });
    let mut trial = Trial::new().stage("read", &[], fake);
    trial.journal.bookmark = Some("before".into());
    let record = trial.run();
    assert_eq!(asked.lock().unwrap().as_deref(), Some("before"));
    assert_eq!(record.bookmarks["read"], "page 2");
}

/// Bytes of batches alive at once, while the last stage is slower than all others.
#[test]
fn what_is_in_flight_is_bounded() {
    #[derive(Default)]
    struct Alive {
        now: AtomicUsize,
        most: AtomicUsize,
    }
    let alive = Arc::new(Alive::default());
    let target = Arc::new(Target::default());
    let made = alive.clone();
    let fake = extract(move |_| {
        let alive = made.clone();
        move |ask, _: &mut Report| match ask {
            Ask::Next(number) if number < 500 => {
                let rows = batch(0..100);
                let now = alive.now.fetch_add(batch_bytes(&rows) as usize, Ordering::SeqCst) + 800;
                alive.most.fetch_max(now, Ordering::SeqCst);
                page(rows)
            }
            _ => Ok(None),
        }
    });
    let gone = alive.clone();
    let mut trial = Trial::new()
        .stage("read", &[], fake)
        .stage("pass", &["read"], transform(|_, rows| Ok(vec![rows])))
        .stage(
            "end",
            &["pass"],
            transform(move |_, rows| {
                gone.now.fetch_sub(rows.column(0).len() * 8, Ordering::SeqCst);
                Ok(vec![rows])
            }),
        )
        .stage("out", &["end"], load(&target));
    trial.tuning.edge_bytes_max = 1_600;
    assert_eq!(trial.run().state, RunState::Succeeded);
    let most = alive.most.load(Ordering::SeqCst);
    assert!(most <= 2 * 1_600 + 5 * 800, "{most} bytes were in flight");
}

/// Peak memory of the process while 500 MB go through five stages that copy, each page of the extract 2.5 MB.
/// Run it alone: `cargo test -p sluicebox-runner peak_memory -- --ignored --nocapture`.
#[test]
#[ignore = "measures the whole process"]
fn peak_memory() {
    let copy = || transform(|_, rows| Ok(vec![batch(numbers(&rows).into_iter().map(|n| n ^ 1))]));
    let fake = extract(|_| {
        |ask, _: &mut Report| match ask {
            Ask::Next(number @ 0..204) => page(batch((0..311_296).map(|n| n + number as i64))),
            _ => Ok(None),
        }
    });
    let mut trial = Trial::new()
        .stage("read", &[], fake)
        .stage("check", &["read"], copy())
        .stage("named", &["check"], copy())
        .stage("speed", &["named"], copy().stateless())
        .stage("end", &["speed"], transform(|_, _| Ok(Vec::new())));
    trial.tuning = crate::run::Tuning::default();
    trial.tuning.size.rows = usize::MAX / 4;
    assert_eq!(trial.run().state, RunState::Succeeded);
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    println!("{}", status.lines().find(|line| line.starts_with("VmHWM")).unwrap());
}
