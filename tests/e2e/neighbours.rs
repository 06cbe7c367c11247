//! Several pipelines in one process: hostile ones fail, each for its own reason, and the good one beside them never notices.

use sluicebox::components::Plugins;
use sluicebox::house::{House, Ran};
use sluicebox::interval;
use sluicebox::wiring::{Asked, Host, Source};
use sluicebox_model::cancel::Cancel;
use sluicebox_model::fault::FaultKind;
use sluicebox_model::run::{RunRecord, RunState, StageOutcome, Trigger};
use sluicebox_sandbox::{Catalog, Sandbox, SandboxOptions};
use sluicebox_tests::{Project, binary, year};
use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;
use std::sync::Barrier;
use std::sync::atomic::{AtomicBool, Ordering};

/// One sandbox, with one engine, for all the pipelines of this process.
pub(crate) fn host() -> Host {
    host_with(Vec::new())
}

/// The same with plugins from more folders.
pub(crate) fn host_with(more: Vec<PathBuf>) -> Host {
    let beside = |name: &str| binary().with_file_name(name);
    let sandbox = Sandbox::new(SandboxOptions { cache_dir: beside("test-cache") }).unwrap();
    sandbox.work_with(binary());
    let folders = [more, vec![beside("plugins"), beside("test-plugins")]].concat();
    let catalog = Catalog::scan(&sandbox, &folders);
    Host { sandbox, catalog, folders, lock: None }
}

/// Checks a pipeline and runs it, as `sluicebox run` does.
pub(crate) fn conduct(host: &Host, project: &Project, file: &str) -> RunRecord {
    let source = Source::read(&project.path().join(file)).unwrap();
    let interval = interval::parse("2013-01-01..2014-01-01").unwrap();
    let house = House::open(&project.path().join(".sluicebox"), "a test").unwrap();
    let asked = Asked {
        id: None,
        source: &source,
        plugins: &Plugins::Found(&host.catalog),
        trigger: Trigger::Manual,
        interval,
        load_key: "neighbours".to_owned(),
        repeats: None,
        parts: Vec::new(),
        restored: BTreeMap::new(),
    };
    match house.run(host, &asked, &Cancel::new()).unwrap() {
        Ran::Done(record, _) => *record,
        Ran::Unsound(examined) => panic!("{:?}", examined.problems),
        Ran::Lost(trouble) => panic!("{trouble}"),
        Ran::CancelledBefore => panic!("nobody cancelled it"),
    }
}

pub(crate) fn outcome<'a>(run: &'a RunRecord, stage: &str) -> &'a StageOutcome {
    &run.stages.iter().find(|entry| entry.entry.name == stage).unwrap().outcome
}

/// The flights pipeline on the whole year: it is at work for as long as it takes to be hostile a few times.
fn flights() -> Project {
    let project = Project::flights();
    project.file("flights.toml", project.read("flights.toml").replace("flights-2013-01-w1.csv", "flights.csv"));
    fs::copy(year().join("flights.csv"), project.path().join("data/flights.csv")).unwrap();
    project
}

fn all_flights_are_loaded(run: &RunRecord) {
    assert_eq!((run.state, &run.fault), (RunState::Succeeded, &None));
    assert_eq!(outcome(run, "read").rows_out, 336_776);
    assert_eq!(outcome(run, "check").rows_rejected, 8_255);
    assert_eq!(outcome(run, "speed").rows_in - outcome(run, "speed").rows_out, 1_175);
    assert_eq!(outcome(run, "out").rows_out, 327_346);
    for stage in &run.stages {
        assert_eq!((stage.outcome.retries, stage.outcome.rows_quarantined), (0, 0), "{}", stage.entry.name);
    }
}

/// How a guest is hostile, and how the run has to end.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Hostility {
    pub(crate) plugin: &'static str,
    pub(crate) options: &'static str,
    /// More of the stage: its grants, its policy.
    pub(crate) more: &'static str,
    pub(crate) kind: FaultKind,
    pub(crate) said: &'static str,
}

pub(crate) const fn of(plugin: &'static str, options: &'static str, kind: FaultKind, said: &'static str) -> Hostility {
    Hostility { plugin, options, more: "", kind, said }
}

impl Hostility {
    pub(crate) const fn with(self, more: &'static str) -> Self {
        Self { more, ..self }
    }
}

pub(crate) const PANICS: &[Hostility] = &[
    of("evil", "mode = 'panic', on = 1", FaultKind::Trap, "evil: a panic in process"),
    of("evil", "mode = 'panic-in-finish'", FaultKind::Trap, "evil: a panic in finish"),
    of("evil-extract", "mode = 'panic', on = 3", FaultKind::Trap, "evil: a panic in next"),
    of("evil-validate", "mode = 'panic'", FaultKind::Trap, "evil: a panic in check"),
    of("evil-load", "mode = 'panic-in-prepare'", FaultKind::Trap, "evil: a panic in prepare"),
];

pub(crate) const LOOPS: &[Hostility] = &[
    of("evil", "mode = 'loop'", FaultKind::Timeout, "ran longer than"),
    of("evil", "mode = 'sleep'", FaultKind::Timeout, "ran longer than"),
    of("evil-extract", "mode = 'loop', on = 3", FaultKind::Timeout, "ran longer than"),
    of("evil-validate", "mode = 'loop'", FaultKind::Timeout, "ran longer than"),
    of("evil-load", "mode = 'loop-in-prepare'", FaultKind::Timeout, "ran longer than"),
];

pub(crate) const EATS: &[Hostility] = &[
    of("evil", "mode = 'eat-slowly'", FaultKind::Memory, "the limit is 48MiB"),
    of("evil", "mode = 'eat-at-once', bytes = 1000000000", FaultKind::Memory, "the limit is 48MiB"),
    of("evil", "mode = 'make-handles'", FaultKind::Limit, "1000 handles"),
    of("evil", "mode = 'recurse'", FaultKind::Trap, "out of stack"),
    of("evil-extract", "mode = 'long-bookmark'", FaultKind::Memory, "the limit is 48MiB"),
    of("evil-validate", "mode = 'many-findings'", FaultKind::Memory, "the limit is 48MiB"),
];

pub(crate) const TALKS_NONSENSE: &[Hostility] = &[
    of("evil", "mode = 'offsets-past-data'", FaultKind::Contract, "pass the 2 bytes"),
    of("evil", "mode = 'invalid-utf8'", FaultKind::Contract, "UTF-8"),
    of("evil", "mode = 'ipc-truncated'", FaultKind::Contract, "the stream ends"),
    of("evil", "mode = 'rows-inflated'", FaultKind::Contract, "4294967295"),
    of("evil", "mode = 'promises-other-types'", FaultKind::Contract, "promised by `open`"),
    of("evil-extract", "mode = 'other-types'", FaultKind::Contract, "was promised by `open`"),
    of("evil-validate", "mode = 'rule-past-end'", FaultKind::Contract, "rule 4294967295"),
];

/// A pipeline with the hostile stage where its kind belongs.
fn hostile(Hostility { plugin, options, more, kind, .. }: Hostility) -> Project {
    let stage =
        |name: &str, plugin: &str, more: &str| format!("[[stage]]\nname = '{name}'\nplugin = '{plugin}'\n{more}\n");
    // Only where it is the time that ends it: a busy machine may keep the others from their end for long.
    let call = if kind == FaultKind::Timeout { "500ms" } else { "60s" };
    let limits =
        format!("limits = {{ memory = '48MiB', call = '{call}', handles = 1000, transfer = '32MiB', held = '16MiB' }}");
    let read = stage("read", "extract-csv", "grants.read = ['data']\nconfig.path = 'data/rows.csv'");
    let evil = stage("evil", plugin, &format!("config = {{ {options} }}\n{limits}\n{more}"));
    let out = stage("out", "load-csv", "grants.write = ['out']\nconfig.path = 'out/rows.csv'");
    let stages = match plugin {
        "evil-extract" | "evil-network" => evil + &out,
        "evil-load" => read + &out + &evil.replace("config", "inputs = ['read']\ngrants.write = ['log']\nconfig"),
        _ => read + &evil + &out,
    };
    let project = Project::new();
    let rows: String = (0..100_000).map(|row| format!("{row},name-{}\n", row % 7)).collect();
    project.file("data/rows.csv", format!("id,name\n{rows}"));
    project.file("data/stream", crate::hostile::ipc::a_lying_dictionary());
    project.file("secret/key", "not-to-be-seen").file("own/file", "own");
    project.file("pipeline.toml", format!("[pipeline]\nname = 'hostile'\n{stages}"));
    project
}

pub(crate) fn fails_as_it_should(host: &Host, hostility: Hostility) {
    let Hostility { plugin, options, kind, said, .. } = hostility;
    let project = hostile(hostility);
    let run = conduct(host, &project, "pipeline.toml");
    assert_eq!(run.state, RunState::Failed, "{plugin} {options}");
    let fault = run.fault.unwrap();
    assert_eq!((fault.kind, fault.stage.as_str()), (kind, "evil"), "{plugin} {options}: {fault}");
    let told = format!("{}\n{}", fault.message, fault.help.as_deref().unwrap_or_default());
    assert!(told.contains(said), "{plugin} {options}: {told}");
    let left: Vec<_> = fs::read_dir(project.path().join("out")).map(Iterator::collect).unwrap_or_default();
    assert!(left.is_empty(), "{plugin} {options} left {left:?}");
}

/// Runs a good pipeline, and hostile ones beside it for as long as it takes; each of them at least once.
fn good_beside(host: &Host, hostile: &[&[Hostility]]) {
    let flights = flights();
    let done = AtomicBool::new(false);
    // All begin at once.
    let start = Barrier::new(hostile.len() + 1);
    std::thread::scope(|scope| {
        for hostilities in hostile {
            let (done, start) = (&done, &start);
            scope.spawn(move || {
                start.wait();
                for (turn, hostility) in hostilities.iter().cycle().enumerate() {
                    if turn >= hostilities.len() && done.load(Ordering::Relaxed) {
                        break;
                    }
                    fails_as_it_should(host, *hostility);
                }
            });
        }
        start.wait();
        let run = conduct(host, &flights, "flights.toml");
        done.store(true, Ordering::Relaxed);
        all_flights_are_loaded(&run);
    });
    assert!(flights.has("out/flights.parquet"));
}

#[test]
fn a_pipeline_finishes_beside_one_that_panics() {
    good_beside(&host(), &[PANICS]);
}

#[test]
fn a_pipeline_finishes_beside_one_that_loops() {
    good_beside(&host(), &[LOOPS]);
}

#[test]
fn a_pipeline_finishes_beside_one_that_eats_memory() {
    good_beside(&host(), &[EATS]);
}

#[test]
fn a_pipeline_finishes_beside_one_that_talks_nonsense() {
    good_beside(&host(), &[TALKS_NONSENSE]);
}

/// All of them at once, and after them the host is as good as new.
#[test]
fn a_pipeline_finishes_beside_all_of_them_and_another_after_them() {
    let host = host();
    good_beside(&host, &[PANICS, LOOPS, EATS, TALKS_NONSENSE]);
    let sample = Project::flights();
    let run = conduct(&host, &sample, "flights.toml");
    assert_eq!((run.state, &run.fault), (RunState::Succeeded, &None));
    let (read, check, speed, out) = (
        outcome(&run, "read").rows_out,
        outcome(&run, "check").rows_rejected,
        outcome(&run, "speed").rows_in - outcome(&run, "speed").rows_out,
        outcome(&run, "out").rows_out,
    );
    assert!(read > 0 && read == check + speed + out, "{read} = {check} + {speed} + {out}");
}
