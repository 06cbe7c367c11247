//! Many hostile guests in one process: the host is alive after each, their instances are gone, its memory is back where it
//! was, and good pipelines beside them finish right.

mod kinds;

use super::{OUT, READ, rows_loaded};
use crate::neighbours::{Hostility, conduct, fails_as_it_should, host, host_with, outcome};
use arrow_array::{ArrayRef, Int64Array, RecordBatch};
use arrow_schema::{DataType, Field, Schema};
use sluicebox::wiring::Host;
use sluicebox_model::cancel::Cancel;
use sluicebox_model::fault::FaultKind;
use sluicebox_model::limits::Limits;
use sluicebox_model::run::{RunRecord, RunState};
use sluicebox_model::stage::{Input, RunContext, Stage};
use sluicebox_sandbox::StageSetup;
use sluicebox_tests::Project;
use std::process::{Command, Stdio};
use std::sync::{Arc, Barrier};
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// All of them, and a host that knows them.
fn all() -> (Vec<Hostility>, Host, TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let all = kinds::all_with(folder.path());
    (all, host_with(vec![folder.path().to_owned()]), folder)
}

/// Bytes of memory that this process has now.
fn resident_bytes() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    line.trim().trim_end_matches(" kB").parse::<u64>().unwrap() * 1024
}

const MIB: u64 = 1024 * 1024;

/// Runs the test of this name again, in a process in which nothing else happens; true in that process.
fn is_alone(name: &str) -> bool {
    const ALONE: &str = "SLUICEBOX_TEST_ALONE";
    if std::env::var_os(ALONE).is_some() {
        return true;
    }
    let output = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", &format!("hostile::zoo::{name}"), "--nocapture"])
        .env(ALONE, "1")
        // Over which of many heaps the C library spreads the memory of threads is no part of the tests.
        .env("MALLOC_ARENA_MAX", "1")
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let told = String::from_utf8_lossy(&output.stdout) + String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && told.contains("1 passed"), "{told}");
    println!("{told}");
    false
}

/// Stages with their rows in, out and rejected.
type Figures = Vec<(String, u64, u64, u64)>;

/// What every stage of the sample did.
fn figures(run: &RunRecord) -> Figures {
    assert_eq!((run.state, &run.fault), (RunState::Succeeded, &None));
    let of = |name: &String| {
        let outcome = outcome(run, name);
        assert_eq!((outcome.retries, outcome.rows_quarantined), (0, 0), "{name}");
        (name.clone(), outcome.rows_in, outcome.rows_out, outcome.rows_rejected)
    };
    run.stages.iter().map(|stage| of(&stage.entry.name)).collect()
}

/// Runs the sample of flights, and answers with what its stages did and what it loaded.
fn flights(host: &Host) -> (Figures, Vec<u8>) {
    let project = Project::flights();
    let run = conduct(host, &project, "flights.toml");
    let mut loaded = std::fs::read(project.path().join("out/flights.parquet")).unwrap();
    // The file names the run that made it.
    let id = run.id.to_string();
    let at = loaded.windows(id.len()).position(|bytes| bytes == id.as_bytes()).unwrap();
    loaded[at..at + id.len()].fill(b'-');
    (figures(&run), loaded)
}

#[test]
fn there_are_many_kinds() {
    let folder = tempfile::tempdir().unwrap();
    let all = kinds::all_with(folder.path());
    assert!(all.len() >= 90, "{}", all.len());
    for (at, kind) in all.iter().enumerate() {
        let is_same =
            |other: &&Hostility| (other.plugin, other.options, other.more) == (kind.plugin, kind.options, kind.more);
        assert!(!all[..at].iter().any(|other| is_same(&other)), "{kind:?} twice");
    }
}

/// A hundred pipelines begin at the same moment, in one process with one engine.
#[test]
fn fifty_hostile_and_fifty_good_pipelines_at_once() {
    if !is_alone("fifty_hostile_and_fifty_good_pipelines_at_once") {
        return;
    }
    let (kinds, host, _folder) = all();
    let alone = flights(&host);
    assert!(alone.0.iter().any(|(name, _, rows, _)| name == "out" && *rows > 5_000), "{:?}", alone.0);
    let begun = Instant::now();
    // Of every sort.
    let hostile: Vec<Hostility> = (0..50).map(|number| kinds[number * kinds.len() / 50]).collect();
    let start = Barrier::new(hostile.len() + 50);
    std::thread::scope(|scope| {
        let (host, start) = (&host, &start);
        let bad: Vec<_> = hostile
            .iter()
            .map(|hostility| {
                scope.spawn(move || {
                    start.wait();
                    fails_as_it_should(host, *hostility);
                })
            })
            .collect();
        let good: Vec<_> = (0..50)
            .map(|_| {
                scope.spawn(move || {
                    start.wait();
                    flights(host)
                })
            })
            .collect();
        for good in good {
            let beside = good.join().unwrap();
            assert_eq!(beside.0, alone.0);
            assert!(beside.1 == alone.1, "the file that was loaded is another one");
        }
        bad.into_iter().for_each(|bad| bad.join().unwrap());
    });
    println!("100 pipelines in {:?}, {} MiB", begun.elapsed(), resident_bytes() / MIB);
    assert_eq!(host.sandbox.counts().instances, 0, "every instance is gone");
    assert_eq!(flights(&host), alone, "the host is as good as new");
}

/// What may stay of a kind each time it is tried. The allocator gives back neither all nor at once, but what it keeps it uses
/// again when the same is done again; what is lost is lost each time.
const LEFT_MAX: u64 = 4 * MIB;

/// How much the memory grew each time at least, from the first try to the last.
fn lost(after: &[u64]) -> u64 {
    after.windows(2).map(|pair| pair[1].saturating_sub(pair[0])).min().unwrap_or_default()
}

#[test]
fn a_leak_is_what_is_lost_each_time() {
    assert_eq!(lost(&[100, 130, 130]), 0);
    assert_eq!(lost(&[100, 90, 120]), 0);
    assert_eq!(lost(&[100, 109, 130]), 9);
}

/// A good pipeline that is quick.
fn neighbour() -> Project {
    let pass = "[[stage]]\nname = 'pass'\nplugin = 'evil'\nconfig.mode = 'pass'\n";
    super::project(&format!("{READ}{pass}{OUT}"))
}

/// Beside each of them a neighbour finishes with the right rows. After each: its instances are gone, and the memory of the
/// host is back near where it was.
#[test]
fn the_host_is_as_it_was_after_every_one() {
    if !is_alone("the_host_is_as_it_was_after_every_one") {
        return;
    }
    let (kinds, host, _folder) = all();
    let (alone, neighbour, begun) = (flights(&host), neighbour(), Instant::now());
    let mut leaks = Vec::new();
    for kind in &kinds {
        let after: Vec<u64> = (0..3)
            .map(|_| {
                beside(&host, &neighbour, kind);
                resident_bytes()
            })
            .collect();
        if lost(&after) > LEFT_MAX {
            leaks.push((kind, after));
        }
    }
    println!("{} kinds in {:?}, {} MiB", kinds.len(), begun.elapsed(), resident_bytes() / MIB);
    assert!(leaks.is_empty(), "the bytes of memory after each of three tries of these: {leaks:#?}");
    assert!(flights(&host) == alone, "the host is as good as new");
}

/// Tries a kind, and a good pipeline beside it.
fn beside(host: &Host, neighbour: &Project, kind: &Hostility) {
    let _ = std::fs::remove_dir_all(neighbour.path().join("out"));
    std::thread::scope(|scope| {
        let good = scope.spawn(|| conduct(host, neighbour, "pipeline.toml"));
        fails_as_it_should(host, *kind);
        let expected = [("read", 0, 1_001), ("pass", 1_001, 1_001), ("out", 1_001, 1_001)];
        let expected = expected.map(|(name, rows_in, out)| (name.to_owned(), rows_in, out, 0));
        assert_eq!(figures(&good.join().unwrap()), expected, "beside {kind:?}");
    });
    assert_eq!(rows_loaded(neighbour), 1_001, "beside {kind:?}");
    assert_eq!(host.sandbox.counts().instances, 0, "{kind:?} lives on");
}

fn batch() -> RecordBatch {
    let schema = Schema::new(vec![Field::new("n", DataType::Int64, false)]);
    let column: ArrayRef = Arc::new(Int64Array::from_iter_values(0..1000));
    RecordBatch::try_new(Arc::new(schema), vec![column]).unwrap()
}

/// A stage `evil` with these options.
fn bound(host: &Host, options: &str, limits: Limits) -> Arc<dyn Stage> {
    let plugin = host.catalog.get("evil").unwrap();
    let setup = StageSetup {
        name: "evil".into(),
        config: options.into(),
        grants: Default::default(),
        limits,
        network: Default::default(),
        root: ".".into(),
    };
    host.sandbox.stage(plugin, setup).unwrap()
}

/// Makes an instance and lets it be killed.
fn kill(stage: &dyn Stage, kind: FaultKind) {
    let context = RunContext {
        run_id: "zoo".into(),
        randomness: "zoo".into(),
        pipeline: "zoo".into(),
        stage: "evil".into(),
        attempt: 1,
        interval_start: jiff::Timestamp::UNIX_EPOCH,
        interval_end: jiff::Timestamp::UNIX_EPOCH,
    };
    let ended = stage.transformer(&context, &Cancel::new()).and_then(|mut guest| {
        guest.open(&[Input { name: "read".into(), schema: batch().schema() }])?;
        guest.process(0, batch())
    });
    assert_eq!(ended.unwrap_err().kind, kind);
}

/// Ten thousand of them, in every way in which an instance is killed: no more than 16 MiB stay, and that is what the
/// allocator keeps.
#[test]
fn ten_thousand_killed_instances_leave_nothing() {
    if !is_alone("ten_thousand_killed_instances_leave_nothing") {
        return;
    }
    let host = host();
    let small = Limits { memory_bytes_max: 8 * MIB, ..Limits::default() };
    let short = Limits { call_max: Duration::from_millis(10), ..Limits::default() };
    let panics = bound(&host, r#"{"mode": "panic"}"#, Limits::default());
    let wild = bound(&host, r#"{"mode": "wild-pointer"}"#, Limits::default());
    let exits = bound(&host, r#"{"mode": "exit", "code": 0}"#, Limits::default());
    let eats = bound(&host, r#"{"mode": "eat-slowly"}"#, small);
    let handles = bound(&host, r#"{"mode": "make-handles"}"#, Limits { handles_max: 1000, ..Limits::default() });
    let loops = bound(&host, r#"{"mode": "loop"}"#, short);
    let thousand = || {
        for number in 0..1000 {
            match number % 100 {
                0 => kill(&*loops, FaultKind::Timeout),
                1..10 => kill(&*eats, FaultKind::Memory),
                10..20 => kill(&*handles, FaultKind::Limit),
                20..40 => kill(&*wild, FaultKind::Trap),
                40..60 => kill(&*exits, FaultKind::Exit),
                _ => kill(&*panics, FaultKind::Trap),
            }
        }
    };
    let begun = Instant::now();
    thousand();
    let warm = resident_bytes();
    let before = host.sandbox.counts().instances_total;
    (0..10).for_each(|_| thousand());
    let counts = host.sandbox.counts();
    let grown = resident_bytes().saturating_sub(warm);
    println!("{} MiB, grown by {} KiB, in {:?}", warm / MIB, grown / 1024, begun.elapsed());
    assert_eq!((counts.instances, counts.instances_total - before), (0, 10_000));
    assert!(grown < 16 * MIB, "grown by {grown} bytes");
}
