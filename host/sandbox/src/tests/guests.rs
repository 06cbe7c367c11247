//! Calls of a real component: how each ends, and what is left behind.

use super::wat_guest::{Says, component};
use crate::{Catalog, Sandbox, SandboxOptions, StageSetup};
use arrow_array::{ArrayRef, Int64Array, RecordBatch};
use arrow_schema::{DataType, Field, Schema};
use sluicebox_model::cancel::Cancel;
use sluicebox_model::fault::{Fault, FaultKind};
use sluicebox_model::grant::Grants;
use sluicebox_model::limits::Limits;
use sluicebox_model::stage::{Input, RunContext, Stage, Transformer};
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};
use tempfile::TempDir;

pub(super) struct Bed {
    pub(super) sandbox: Sandbox,
    pub(super) plugins: TempDir,
    _cache: TempDir,
}

impl Bed {
    pub(super) fn new() -> Self {
        let cache = TempDir::new().unwrap();
        let sandbox = Sandbox::new(SandboxOptions { cache_dir: cache.path().join("cache") }).unwrap();
        Self { sandbox, plugins: TempDir::new().unwrap(), _cache: cache }
    }

    fn stage(&self, mode: &str, limits: Limits, grants: Grants) -> Arc<dyn Stage> {
        std::fs::write(self.plugins.path().join("guest.wasm"), component(&Says::default())).unwrap();
        let catalog = Catalog::scan(&self.sandbox, &[self.plugins.path().to_owned()]);
        let plugin = catalog.get("test-guest").unwrap_or_else(|| panic!("{:?}", catalog.refused()));
        let root = self.plugins.path().to_owned();
        let setup =
            StageSetup { name: "it".into(), config: mode.into(), grants, limits, network: Default::default(), root };
        self.sandbox.stage(plugin, setup).unwrap()
    }

    fn opened(&self, mode: &str, limits: Limits) -> Box<dyn Transformer> {
        let stage = self.stage(mode, limits, Grants::default());
        let mut guest = stage.transformer(&context(), &Cancel::new()).unwrap();
        guest.open(&inputs()).unwrap();
        guest
    }

    fn fault(&self, mode: &str, limits: Limits) -> Fault {
        let mut guest = self.opened(mode, limits);
        let fault = guest.process(0, batch(3)).unwrap_err();
        assert_eq!(fault.call, "process");
        let report = guest.take_report();
        assert!(report.counts.is_empty(), "what is counted in a call that fails does not count");
        if !matches!(fault.kind, FaultKind::Unavailable) {
            let again = guest.process(0, batch(3)).unwrap_err();
            assert_eq!(again.kind, FaultKind::Host);
            assert!(again.message.contains("is dead since an earlier call"), "{again}");
        }
        fault
    }
}

pub(super) fn context() -> RunContext {
    RunContext {
        run_id: "0190-test".into(),
        randomness: "tests-20240101".into(),
        pipeline: "tests".into(),
        stage: "it".into(),
        attempt: 1,
        interval_start: "2024-01-01T00:00:00Z".parse().unwrap(),
        interval_end: "2024-01-02T00:00:00Z".parse().unwrap(),
    }
}

pub(super) fn batch(rows: i64) -> RecordBatch {
    let schema = Schema::new(vec![Field::new("n", DataType::Int64, false)]);
    let column: ArrayRef = Arc::new(Int64Array::from_iter_values(0..rows));
    RecordBatch::try_new(Arc::new(schema), vec![column]).unwrap()
}

pub(super) fn inputs() -> Vec<Input> {
    vec![Input { name: "above".into(), schema: batch(0).schema() }]
}

#[test]
fn a_batch_passes_through_untouched() {
    let bed = Bed::new();
    let mut guest = bed.opened("P", Limits::default());
    let before = batch(1000);
    let after = guest.process(0, before.clone()).unwrap();
    assert_eq!(after, [before]);
    assert!(guest.finish().unwrap().is_none());
    let report = guest.take_report();
    assert_eq!(report.counts.into_iter().collect::<Vec<_>>(), [("a test".to_owned(), u64::MAX)]);
    let usage = guest.usage();
    assert_eq!(usage.calls, 3);
    assert!(usage.memory_peak_bytes >= 65536);
}

#[test]
fn each_bad_end_is_a_fault_that_says_what_to_do() {
    let bed = Bed::new();
    let trap = bed.fault("T", Limits::default());
    assert_eq!((trap.kind, trap.message.as_str()), (FaultKind::Trap, "the stage gave up (it reached `unreachable`)"));
    let trace = trap.backtrace.unwrap();
    assert!(trace.contains("work"), "a trap has the guest's backtrace: {trace}");

    let memory = bed.fault("M", Limits { memory_bytes_max: 4 << 20, ..Limits::default() });
    assert_eq!(memory.kind, FaultKind::Memory);
    assert!(memory.message.contains("the limit is 4MiB"), "{memory}");
    assert!(memory.help.unwrap().starts_with("raise `limits.memory`, now 4MiB"));

    let stack = bed.fault("R", Limits::default());
    assert_eq!(
        (stack.kind, stack.message.as_str()),
        (FaultKind::Trap, "the stage ran out of stack, of which it has 1MiB")
    );
    let stack = bed.fault("R", Limits { stack_bytes_max: 256 * 1024, ..Limits::default() });
    assert!(stack.help.unwrap().contains("`limits.stack`, now 256KiB"));

    let wild = bed.fault("W", Limits::default());
    assert_eq!(wild.kind, FaultKind::Trap);
    assert!(wild.message.contains("memory that it does not have"));

    let handle = bed.fault("H", Limits::default());
    assert_eq!(handle.kind, FaultKind::Contract, "{handle}");
    let outside = bed.fault("S", Limits::default());
    assert_eq!(outside.kind, FaultKind::Contract, "{outside}");
    assert!(outside.message.contains("out of bounds"), "{outside}");
    let everything = bed.fault("E", Limits::default());
    assert!(matches!(everything.kind, FaultKind::Contract | FaultKind::Limit), "{everything}");
}

#[test]
fn a_fault_that_the_guest_tells_leaves_it_alive() {
    let bed = Bed::new();
    let mut guest = bed.opened("F", Limits::default());
    for _ in 0..2 {
        let fault = guest.process(0, batch(3)).unwrap_err();
        assert_eq!((fault.kind, fault.message.as_str()), (FaultKind::Unavailable, "not today"));
        assert_eq!(fault.rows, Some((2, 3)));
        assert!(fault.backtrace.is_none());
    }
    assert!(guest.take_report().counts.is_empty());
}

#[test]
fn a_guest_that_loops_ends_in_time() {
    let bed = Bed::new();
    let mut guest = bed.opened("L", Limits { call_max: Duration::from_millis(200), ..Limits::default() });
    let start = Instant::now();
    let fault = guest.process(0, batch(3)).unwrap_err();
    assert!((200..1000).contains(&start.elapsed().as_millis()), "{:?}", start.elapsed());
    assert_eq!((fault.kind, fault.message.as_str()), (FaultKind::Timeout, "the call ran longer than 200ms"));
    assert_eq!(fault.help.as_deref(), Some("raise `limits.call`, now 200ms, or give it smaller batches"));
    assert!(fault.backtrace.is_some(), "where it looped can be seen");
    let stage = bed.stage("O", Limits { call_max: Duration::from_millis(100), ..Limits::default() }, Grants::default());
    let mut guest = stage.transformer(&context(), &Cancel::new()).unwrap();
    assert_eq!(guest.open(&inputs()).unwrap_err().call, "open");
}

/// Within 100 ms: of five, the quickest counts, since other tests run beside this one.
#[test]
fn a_cancel_takes_effect_at_once() {
    let bed = Bed::new();
    let stage = bed.stage("L", Limits::default(), Grants::default());
    let cancelled = || {
        let cancel = Cancel::new();
        let mut guest = stage.transformer(&context(), &cancel).unwrap();
        guest.open(&inputs()).unwrap();
        let later = cancel.clone();
        let canceller = thread::spawn(move || {
            thread::sleep(Duration::from_millis(20));
            later.cancel();
            Instant::now()
        });
        let fault = guest.process(0, batch(3)).unwrap_err();
        let ended = Instant::now();
        assert_eq!(fault.kind, FaultKind::Cancelled);
        assert_eq!(stage.transformer(&context(), &cancel).err().map(|fault| fault.kind), Some(FaultKind::Cancelled));
        ended.duration_since(canceller.join().unwrap())
    };
    let quickest = (0..5).map(|_| cancelled()).min().unwrap();
    assert!(quickest < Duration::from_millis(100), "{quickest:?}");
}

#[test]
fn the_log_is_cut_and_its_escapes_are_told_as_such() {
    let bed = Bed::new();
    let stage = bed.stage("G", Limits { log_bytes_max: 1024, ..Limits::default() }, Grants::default());
    let mut lines = 0;
    for _ in 0..2 {
        let mut guest = stage.transformer(&context(), &Cancel::new()).unwrap();
        guest.open(&inputs()).unwrap();
        guest.process(0, batch(3)).unwrap();
        let log = guest.take_report().log;
        if lines == 0 {
            assert_eq!(log[0].message, "a test\\u{1b}[31m");
            assert!(log.last().unwrap().message.starts_with("log cut: the stage logged more than 1KiB"));
        }
        lines += log.len();
    }
    assert!(lines <= 33, "the instances of a stage share what it may log in a run: {lines} lines");
}

#[test]
fn a_folder_that_is_missing_is_told_with_its_key() {
    let bed = Bed::new();
    let made = |grants| bed.stage("P", Limits::default(), grants).transformer(&context(), &Cancel::new());
    let fault = made(Grants { read: vec!["nowhere".into()], ..Grants::default() }).err().unwrap();
    assert_eq!((fault.kind, fault.call.as_str()), (FaultKind::InvalidConfig, "instantiate"));
    assert!(fault.message.starts_with("the folder `nowhere` of `grants.read` does not exist"), "{fault}");
    assert!(made(Grants { write: vec!["out/deep".into()], ..Grants::default() }).is_ok());
    assert!(bed.plugins.path().join("out/deep").is_dir(), "a folder to write is made");
    let fault = made(Grants { read: vec!["guest.wasm".into()], ..Grants::default() }).err().unwrap();
    assert!(fault.message.contains("is a file, not a folder"), "{fault}");
    let fault = made(Grants { env: vec!["SLUICEBOX_NOT_SET".into()], ..Grants::default() }).err().unwrap();
    assert!(fault.message.contains("`SLUICEBOX_NOT_SET`, granted by `grants.env`, is not set"), "{fault}");
}

#[test]
fn another_kind_is_refused() {
    let bed = Bed::new();
    let stage = bed.stage("P", Limits::default(), Grants::default());
    let fault = stage.loader(&context(), &Cancel::new()).err().unwrap();
    assert_eq!(fault.kind, FaultKind::Contract);
    assert_eq!(fault.message, "`test-guest` is of kind transform, but a load was asked for");
}

#[test]
fn the_batches_of_an_instance_are_freed_with_it() {
    let bed = Bed::new();
    let mut guest = bed.opened("T", Limits::default());
    let given = batch(1000);
    let column = Arc::downgrade(given.column(0));
    guest.process(0, given).unwrap_err();
    assert!(column.upgrade().is_none(), "a dead instance holds nothing");
}

/// A component that nobody uses leaves memory, and comes from the cache when it is used again.
#[test]
fn what_is_not_used_is_let_go_of() {
    let bed = Bed::new();
    let stage = bed.stage("P", Limits::default(), Grants::default());
    let hits = || bed.sandbox.counts().compile_hits;
    let before = hits();
    bed.sandbox.forget_unused(Duration::ZERO);
    let again = bed.stage("P", Limits::default(), Grants::default());
    assert_eq!(hits(), before, "stages are bound to it");
    drop((stage, again));
    bed.sandbox.forget_unused(Duration::from_secs(3600));
    drop(bed.stage("P", Limits::default(), Grants::default()));
    assert_eq!(hits(), before, "it was used just now");
    bed.sandbox.forget_unused(Duration::ZERO);
    let stage = bed.stage("P", Limits::default(), Grants::default());
    assert_eq!((hits(), bed.sandbox.counts().compile_misses), (before + 1, 1));
    let mut guest = stage.transformer(&context(), &Cancel::new()).unwrap();
    guest.open(&inputs()).unwrap();
    assert_eq!(guest.process(0, batch(10)).unwrap(), [batch(10)]);
}
