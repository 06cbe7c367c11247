//! Whole components: bytes as they are, ones made up by wasm-smith, and guests made up here that call the host with
//! whatever lies in their memory; each under limits that are soon reached.

use crate::batches::check;
use crate::guests;
use crate::input::Input;
use arbitrary::Unstructured;
use arrow_array::{ArrayRef, Int64Array, RecordBatch, StringArray};
use sluicebox_model::cancel::Cancel;
use sluicebox_model::fault::{Fault, FaultKind};
use sluicebox_model::grant::Grants;
use sluicebox_model::limits::Limits;
use sluicebox_model::plugin::Kind;
use sluicebox_model::stage::{self as model, Input as StageInput, Instance, RunContext, Stage};
use sluicebox_sandbox::{Sandbox, SandboxOptions, StageSetup, fuzzing};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// What a call may take beyond its limit, on a machine that does other things, too.
const LATE: Duration = Duration::from_secs(10);
/// Bytes of what a fault says: its message is cut at 16 KiB, and stands among words of ours.
const TEXT_MAX: usize = 20 * 1024;

fn limits() -> Limits {
    Limits {
        memory_bytes_max: 1 << 20,
        call_max: Duration::from_millis(30),
        stack_bytes_max: 128 * 1024,
        transfer_bytes_max: 256 * 1024,
        handles_max: 40,
        held_bytes_max: 256 * 1024,
        log_bytes_max: 2048,
        ..Limits::default()
    }
}

/// The first byte says how the rest becomes a component.
pub fn run(bytes: &[u8]) {
    let mut input = Input::new(bytes);
    let component = match input.byte() {
        0..=15 => Some(input.rest().to_vec()),
        16..=47 => any_component(input.rest()),
        48..=95 => {
            let world = input.pick(&guests::WORLDS);
            guests::smith(world, input.rest())
        }
        _ => {
            let world = input.pick(&guests::WORLDS);
            Some(guests::caller(world, &mut input))
        }
    };
    if let Some(component) = component {
        lives(&component);
    }
}

/// Any component at all, which is hardly ever a plugin.
fn any_component(bytes: &[u8]) -> Option<Vec<u8>> {
    let mut random = Unstructured::new(bytes);
    let component = wasm_smith::Component::new(guests::small(), &mut random).ok()?;
    Some(component.to_bytes())
}

fn sandbox() -> &'static Sandbox {
    static SANDBOX: OnceLock<(Sandbox, TempDir)> = OnceLock::new();
    let (sandbox, _) = SANDBOX.get_or_init(|| {
        let folder = TempDir::new().unwrap();
        (Sandbox::new(SandboxOptions { cache_dir: folder.path().join("cache") }).unwrap(), folder)
    });
    sandbox
}

/// Asks the component for all that its kind can do.
pub fn lives(component: &[u8]) {
    // Instances are counted by sandbox, and tests run side by side.
    static ALONE: Mutex<()> = Mutex::new(());
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    let begin = Instant::now();
    let setup = StageSetup {
        name: "it".into(),
        config: r#"{"some":"options"}"#.into(),
        grants: Grants::default(),
        limits: limits(),
        network: Default::default(),
        root: ".".into(),
    };
    match fuzzing::stage(sandbox(), component, setup) {
        Err(reason) => assert!(!reason.is_empty()),
        Ok((stage, said)) => {
            if let Err(reason) = said {
                assert!(
                    reason.starts_with("it describes itself wrongly: ")
                        || reason.starts_with("it cannot describe itself: ")
                );
                assert!(reason.len() <= TEXT_MAX);
            }
            play(stage.as_ref());
        }
    }
    assert_eq!(sandbox().counts().instances, 0, "an instance outlives its stage");
    assert!(begin.elapsed() < Duration::from_secs(60), "{:?}", begin.elapsed());
}

fn context() -> RunContext {
    RunContext {
        run_id: "0190-fuzz".into(),
        randomness: "fuzz".into(),
        pipeline: "fuzz".into(),
        stage: "it".into(),
        attempt: 1,
        interval_start: "2024-01-01T00:00:00Z".parse().unwrap(),
        interval_end: "2024-01-02T00:00:00Z".parse().unwrap(),
    }
}

fn batch() -> RecordBatch {
    let numbers: ArrayRef = Arc::new(Int64Array::from(vec![Some(1), None, Some(3), Some(4), Some(5)]));
    let texts: ArrayRef = Arc::new(StringArray::from(vec![Some("a"), None, Some("Zürich"), Some(""), Some("b")]));
    RecordBatch::try_from_iter_with_nullable([("n", numbers, true), ("t", texts, true)]).unwrap()
}

fn play(stage: &dyn Stage) {
    let (context, cancel, batch) = (context(), Cancel::new(), batch());
    let schema = batch.schema();
    // That of a description that was not taken is made up, but for its kind.
    match stage.description().kind {
        Kind::Extract => {
            let Some(mut guest) = judged(|| stage.extractor(&context, &cancel)) else { return };
            let _ = judged(|| guest.split(Some("page 1"), 4));
            if let Some(schema) = judged(|| guest.open(Some("page 1"))) {
                for _ in 0..3 {
                    let Some(Some(page)) = judged(|| guest.next()) else { break };
                    fits(&page.batch, &schema);
                }
            }
            leaves(guest.as_mut());
        }
        Kind::Transform => {
            let Some(mut guest) = judged(|| stage.transformer(&context, &cancel)) else { return };
            let inputs = [StageInput { name: "above".into(), schema: schema.clone() }];
            if let Some(promised) = judged(|| guest.open(&inputs)) {
                for _ in 0..3 {
                    let made = judged(|| guest.process(0, batch.clone()));
                    made.iter().flatten().for_each(|batch| fits(batch, &promised));
                }
                judged(|| guest.finish()).iter().flatten().for_each(|batch| fits(batch, &promised));
            }
            leaves(guest.as_mut());
        }
        Kind::Validate => {
            let Some(mut guest) = judged(|| stage.validator(&context, &cancel)) else { return };
            if let Some(rules) = judged(|| guest.open(&schema)) {
                for _ in 0..2 {
                    for finding in judged(|| guest.check(&batch)).into_iter().flatten() {
                        assert!(finding.rule < rules.len());
                        assert_eq!(finding.rows.len(), batch.num_rows());
                    }
                }
                let outcomes = judged(|| guest.finish());
                assert!(outcomes.iter().flatten().all(|outcome| outcome.rule < rules.len()));
            }
            leaves(guest.as_mut());
        }
        Kind::Load => {
            let Some(mut guest) = judged(|| stage.loader(&context, &cancel)) else { return };
            let _ = judged(|| guest.open(&schema, "fuzz-20240101-it", 0));
            let _ = judged(|| guest.write(batch.clone()));
            if let Some(receipt) = judged(|| guest.prepare()) {
                assert!(receipt.len() <= 1 << 20);
                let _ = judged(|| guest.commit("fuzz-20240101-it", &[receipt]));
            }
            let _ = judged(|| guest.abort("fuzz-20240101-it", &[]));
            leaves(guest.as_mut());
        }
    }
}

/// Makes a call: it ends in time, and a fault says what happened in words that can be shown.
fn judged<T>(call: impl FnOnce() -> Result<T, Fault>) -> Option<T> {
    let begin = Instant::now();
    let answer = call();
    assert!(begin.elapsed() < limits().call_max + LATE, "{:?}", begin.elapsed());
    match answer {
        Ok(answer) => Some(answer),
        Err(fault) => {
            assert!(!fault.message.is_empty() && fault.message.len() <= TEXT_MAX, "{} bytes", fault.message.len());
            assert!(fault.message.chars().all(|c| c == '\n' || !c.is_control()), "{:?}", fault.message);
            assert!(!fault.call.is_empty());
            let is_ours = matches!(fault.kind, FaultKind::Threshold | FaultKind::Deadline | FaultKind::Cancelled);
            assert!(!is_ours, "{fault}");
            let after =
                fault.message.contains("is dead since an earlier call") || fault.message.contains("was not opened");
            assert!(fault.kind != FaultKind::Host || after, "the host is to blame: {fault}");
            None
        }
    }
}

fn fits(batch: &RecordBatch, promised: &arrow_schema::SchemaRef) {
    check(batch);
    assert_eq!(batch.schema_ref(), promised);
}

/// What the instance leaves is bounded.
fn leaves(guest: &mut (impl Instance + ?Sized)) {
    let model::Report { log, counts, bad_records } = guest.take_report();
    let bytes: usize = log.iter().map(|line| line.message.len()).sum();
    assert!(bytes as u64 <= limits().log_bytes_max + 200, "{bytes} bytes of log");
    assert!(counts.len() <= 1000 && bad_records.len() <= 100_000);
    assert!(guest.usage().memory_peak_bytes <= limits().memory_bytes_max);
}
