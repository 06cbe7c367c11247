//! The parts by themselves.

use super::Trial;
use super::fakes::{Ask, Fake, batch, counting, extract, fault, load, numbers, schema, transform};
use crate::check::{Checked, check_schemas};
use crate::dag::Dag;
use crate::edge::{Edge, EdgeError, Scratch};
use crate::retry::wait_before;
use crate::size::{GoodSize, Sizer};
use crate::station::grouped;
use crate::stop::Stop;
use proptest::prelude::*;
use sluicebox_model::batch::batch_bytes;
use sluicebox_model::cancel::Cancel;
use sluicebox_model::fault::FaultKind;
use sluicebox_model::pipeline::Retry;
use sluicebox_model::stage::{Report, Stage};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

fn pass() -> Fake {
    transform(|_, rows| Ok(vec![rows]))
}

/// The edges that spill, as `from>to`.
fn spills(trial: &Trial) -> Vec<String> {
    let pipeline = trial.pipeline();
    let name = |stage: usize| pipeline.stages[stage].name.clone();
    let dag = Dag::new(&pipeline).unwrap();
    dag.links.iter().filter(|link| link.spills).map(|link| format!("{}>{}", name(link.from), name(link.to))).collect()
}

#[test]
fn only_edges_that_could_block_for_ever_spill() {
    let chain = Trial::new().stage("a", &[], counting(0, 0)).stage("b", &["a"], pass()).stage("c", &["b"], pass());
    assert_eq!(spills(&chain), [""; 0]);
    let lookup =
        Trial::new().stage("a", &[], counting(0, 0)).stage("b", &[], counting(0, 0)).stage("c", &["a", "b"], pass());
    assert_eq!(spills(&lookup), [""; 0]);
    let diamond = Trial::new()
        .stage("a", &[], counting(0, 0))
        .stage("b", &["a"], pass())
        .stage("c", &["a"], pass())
        .stage("d", &["b", "c"], pass());
    assert_eq!(spills(&diamond), ["b>d"]);
    let direct =
        Trial::new().stage("a", &[], counting(0, 0)).stage("b", &["a"], pass()).stage("c", &["a", "b"], pass());
    assert_eq!(spills(&direct), ["a>c"]);
    // Two stages that take two extracts in opposite orders wait for each other.
    let crossed = Trial::new()
        .stage("a", &[], counting(0, 0))
        .stage("b", &[], counting(0, 0))
        .stage("c", &["a", "b"], pass())
        .stage("d", &["b", "a"], pass());
    assert_eq!(spills(&crossed), ["a>c"]);
    let agreed = Trial::new()
        .stage("a", &[], counting(0, 0))
        .stage("b", &[], counting(0, 0))
        .stage("c", &["a", "b"], pass())
        .stage("d", &["a", "b"], pass());
    assert_eq!(spills(&agreed), [""; 0]);
}

#[test]
fn every_shape_of_pipeline_ends() {
    // All ways in which four stages behind two extracts take one or two of those above them.
    for seed in 0..200_u64 {
        let mut trial = Trial::new().stage("s0", &[], counting(30, 100)).stage("s1", &[], counting(30, 100));
        let mut random = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
        let mut next = |below: u64| {
            random ^= random << 13;
            random ^= random >> 7;
            random ^= random << 17;
            random % below
        };
        for stage in 2..6 {
            let one = format!("s{}", next(stage));
            let two = format!("s{}", next(stage));
            let inputs = if next(3) == 0 { vec![one.as_str()] } else { vec![one.as_str(), two.as_str()] };
            trial = trial.stage(&format!("s{stage}"), &inputs, pass());
        }
        trial.tuning.edge_bytes_max = 900;
        assert_eq!(trial.run().state.word(), "succeeded", "seed {seed}");
    }
}

#[test]
fn waits_are_doubled_and_depend_on_their_arguments_alone() {
    let retry = Retry { attempts: 9, backoff: Duration::from_secs(1) };
    for attempt in 2..6 {
        let whole = Duration::from_secs(1 << (attempt - 2));
        for seed in 0..50 {
            let wait = wait_before(retry, attempt, seed);
            assert!(wait >= whole / 2 && wait <= whole, "{wait:?}");
            assert_eq!(wait, wait_before(retry, attempt, seed));
        }
    }
    assert!(wait_before(retry, 60, 1) <= Duration::from_secs(300));
    assert_ne!(wait_before(retry, 2, 1), wait_before(retry, 2, 2));
}

#[test]
fn counts_have_commas() {
    assert_eq!([0, 999, 8_255, 1_000_000].map(grouped), ["0", "999", "8,255", "1,000,000"]);
}

#[test]
fn an_edge_is_bounded_by_bytes_and_woken_by_the_stop() {
    let stop = Arc::new(Stop::default());
    let edge = Edge::new(&stop, 1_000, None);
    edge.push(batch(0..1_000)).unwrap();
    std::thread::scope(|scope| {
        let blocked = scope.spawn(|| edge.push(batch(0..1)));
        assert_eq!(edge.pop().unwrap().unwrap().num_rows(), 1_000, "a batch larger than the bound passes alone");
        blocked.join().unwrap().unwrap();
    });
    assert_eq!(edge.peak_bytes(), 8_000);
    assert_eq!(edge.pop().unwrap().unwrap().num_rows(), 1);
    std::thread::scope(|scope| {
        let waiting = scope.spawn(|| edge.pop());
        stop.stop();
        assert!(matches!(waiting.join().unwrap(), Err(EdgeError::Stopped)));
    });
    assert!(matches!(edge.push(batch(0..1)), Err(EdgeError::Stopped)));
    assert!(matches!(edge.schema(), Err(EdgeError::Stopped)));
}

fn scratch(folder: &Path, bytes_max: u64) -> Scratch {
    Scratch { folder: folder.to_owned(), bytes_max }
}

#[test]
fn an_edge_spills_no_more_than_it_may() {
    let folder = tempfile::tempdir().unwrap();
    let edge = Edge::new(&Arc::new(Stop::default()), 80, Some(scratch(folder.path(), 160)));
    // One is queued, two of 80 bytes wait on the disk, and there is no room for another.
    for _ in 0..3 {
        edge.push(batch(0..10)).unwrap();
    }
    assert!(matches!(edge.push(batch(0..10)), Err(EdgeError::Full(160))));
    // Once all of it was taken, there is.
    for _ in 0..3 {
        assert_eq!(edge.pop().unwrap().unwrap().num_rows(), 10);
    }
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
    for _ in 0..3 {
        edge.push(batch(0..10)).unwrap();
    }
}

#[test]
fn an_edge_that_spills_keeps_the_order() {
    let folder = tempfile::tempdir().unwrap();
    let stop = Arc::new(Stop::default());
    let edge = Edge::new(&stop, 100, Some(scratch(folder.path(), u64::MAX)));
    let mut next = 0;
    for round in 0..3 {
        for _ in 0..10 {
            edge.push(batch(next..next + 10)).unwrap();
            next += 10;
        }
        for _ in 0..5 {
            let rows = numbers(&edge.pop().unwrap().unwrap());
            assert_eq!(rows.len(), 10, "round {round}");
        }
    }
    edge.finish();
    let mut last = -1;
    while let Some(rows) = edge.pop().unwrap() {
        let rows = numbers(&rows);
        assert!(rows[0] > last);
        last = *rows.last().unwrap();
    }
    assert_eq!(last, next - 1);
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
}

#[test]
fn a_scratch_folder_that_cannot_be_used_is_told() {
    let file = tempfile::NamedTempFile::new().unwrap();
    let edge = Edge::new(&Arc::new(Stop::default()), 1, Some(scratch(file.path(), u64::MAX)));
    edge.push(batch(0..1)).unwrap();
    let Err(EdgeError::Scratch(message)) = edge.push(batch(0..1)) else { panic!("it went through") };
    assert!(message.contains("is there room on the disk?"), "{message}");
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]
    #[test]
    fn sizing_keeps_rows_and_order(sizes in prop::collection::vec(0_i64..400, 0..40), rows in 1_usize..150, bytes in 1_u64..1500) {
        let mut sizer = Sizer::new(schema(), GoodSize { rows, bytes });
        let mut first = 0;
        let mut out = Vec::new();
        let mut all = Vec::new();
        for size in sizes {
            sizer.put(batch(first..first + size)).unwrap();
            all.extend(first..first + size);
            first += size;
            out.extend(std::iter::from_fn(|| sizer.take()));
        }
        sizer.finish().unwrap();
        out.extend(std::iter::from_fn(|| sizer.take()));
        for batch in &out {
            prop_assert!(batch.num_rows() > 0 && batch.num_rows() <= rows);
            prop_assert!(batch.num_rows() == 1 || batch_bytes(batch) <= bytes + 8);
        }
        prop_assert_eq!(out.iter().flat_map(numbers).collect::<Vec<i64>>(), all);
    }
}

#[test]
fn schemas_are_checked_all_the_way() {
    let no_file = || extract(|_| |_: Ask<'_>, _: &mut Report| Err(fault(FaultKind::InvalidConfig, "no such file")));
    let target = Arc::default();
    let trial = Trial::new()
        .stage("a", &[], counting(1, 1))
        .stage("b", &["a"], pass())
        .stage("bad", &[], no_file())
        .stage("c", &["bad"], pass())
        .stage("d", &["b", "c"], pass())
        .stage("e", &["unknown"], pass())
        .stage("out", &["b"], load(&target))
        .stage("two", &["a", "b"], load(&target));
    let mut pipeline = trial.pipeline();
    let stages = |trial: &Trial| trial.plan().stages.into_iter().map(Some).collect::<Vec<Option<Arc<dyn Stage>>>>();
    let plan = trial.plan();
    let tell = |pipeline: &_, stages: &[Option<Arc<dyn Stage>>]| -> Vec<String> {
        let context = crate::check::CheckContext {
            id: plan.id,
            interval: plan.interval,
            bookmarks: Default::default(),
            skipped: Default::default(),
        };
        check_schemas(pipeline, stages, &context, &Cancel::new())
            .into_iter()
            .map(|check| match check.result {
                Checked::Opened(opened) => {
                    opened.schema.map_or("prepared".into(), |schema| schema.field(0).name().clone())
                }
                Checked::Failed(fault) => fault.to_string(),
                Checked::NotReached { because } => format!("because of {because}"),
            })
            .collect()
    };
    // An input that is no stage: nothing can be opened.
    assert!(tell(&pipeline, &stages(&trial)).iter().all(|told| told.starts_with("because of")));
    pipeline.stages[5].inputs = vec!["a".into()];
    let mut bound = stages(&trial);
    bound[5] = None;
    assert_eq!(
        tell(&pipeline, &bound),
        [
            "n",
            "n",
            "stage `bad`: invalid-config in `call`: no such file",
            "because of bad",
            "because of bad",
            "because of e",
            "prepared",
            "stage `two`: invalid-config in `open`: a load takes one input, this has 2",
        ]
    );
}
