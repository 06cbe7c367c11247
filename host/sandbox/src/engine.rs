//! The engines of wasmtime. How much stack a guest has belongs to the engine, so there is one for each `limits.stack` in
//! use; all but a few pipelines use one.

use crate::counts::Counters;
use crate::error::SandboxError;
use crate::isolation::{self, Part};
use crate::state::State;
use crate::versions::ADAPTERS;
use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;
use wasmtime::component::Linker;
use wasmtime::{Config, Engine, OptLevel, WasmBacktraceDetails};

/// How often a running guest is looked at: the time by which a call may pass its limit.
pub(crate) const TICK: Duration = Duration::from_millis(10);
/// Least and most stack of a guest.
pub(crate) const STACK_RANGE: (u64, u64) = (64 * 1024, 64 * 1024 * 1024);
/// Stack for what the host does in a guest's call, behind the guest's own. Pages that are not used cost nothing.
pub(crate) const HOST_STACK: usize = 4 * 1024 * 1024;

/// An engine with what is linked on it.
pub(crate) struct Linked {
    pub(crate) engine: Engine,
    pub(crate) linker: Linker<State>,
    pub(crate) counters: Arc<Counters>,
}

/// The engines by bytes of stack, and the thread that makes their epochs go on.
pub(crate) struct Engines {
    by_stack: Mutex<BTreeMap<u64, Arc<Linked>>>,
    ticking: Mutex<Vec<wasmtime::EngineWeak>>,
    stop: AtomicBool,
    pub(crate) counters: Arc<Counters>,
}

impl Engines {
    /// Starts the ticker; it ends when this is dropped.
    pub(crate) fn start() -> Result<Arc<Self>, SandboxError> {
        let engines = Arc::new(Self {
            by_stack: Mutex::default(),
            ticking: Mutex::default(),
            stop: AtomicBool::new(false),
            counters: Arc::default(),
        });
        let weak = Arc::downgrade(&engines);
        let ticker = move || {
            while let Some(engines) = weak.upgrade() {
                if engines.stop.load(Ordering::Relaxed) {
                    break;
                }
                engines.tick();
                drop(engines);
                thread::sleep(TICK);
            }
        };
        thread::Builder::new()
            .name("sluicebox-epochs".to_owned())
            .spawn(ticker)
            .map_err(|error| SandboxError::Engine(error.to_string()))?;
        Ok(engines)
    }

    fn tick(&self) {
        let mut ticking = self.ticking.lock().unwrap_or_else(PoisonError::into_inner);
        ticking.retain(|engine| match engine.upgrade() {
            Some(engine) => {
                engine.increment_epoch();
                true
            }
            None => false,
        });
    }

    /// The engine for guests with so much stack.
    pub(crate) fn with_stack(&self, stack_bytes: u64) -> Result<Arc<Linked>, SandboxError> {
        let stack_bytes = stack_bytes.clamp(STACK_RANGE.0, STACK_RANGE.1);
        let mut by_stack = self.by_stack.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(linked) = by_stack.get(&stack_bytes) {
            return Ok(Arc::clone(linked));
        }
        let linked =
            Arc::new(link(stack_bytes, &self.counters).map_err(|error| SandboxError::Engine(format!("{error:#}")))?);
        self.ticking.lock().unwrap_or_else(PoisonError::into_inner).push(linked.engine.weak());
        by_stack.insert(stack_bytes, Arc::clone(&linked));
        Ok(linked)
    }
}

impl Drop for Engines {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
    }
}

/// An engine for guests with so much stack.
pub(crate) fn of_stack(stack_bytes: u64) -> wasmtime::Result<Engine> {
    let stack = usize::try_from(stack_bytes.clamp(STACK_RANGE.0, STACK_RANGE.1))?;
    let mut config = Config::new();
    config
        .wasm_component_model(true)
        // Calls are two to four times dearer with it, and nothing here needs it.
        .concurrency_support(false)
        .cranelift_opt_level(OptLevel::Speed)
        .epoch_interruption(isolation::is_on(Part::Time))
        .max_wasm_stack(stack)
        .async_stack_size(stack + HOST_STACK)
        // A guest's debug information is not for this process to read; see `lines`.
        .wasm_backtrace_details(WasmBacktraceDetails::Disable);
    Engine::new(&config)
}

fn link(stack_bytes: u64, counters: &Arc<Counters>) -> wasmtime::Result<Linked> {
    let engine = of_stack(stack_bytes)?;
    let mut linker = Linker::new(&engine);
    wasmtime_wasi::p2::add_to_linker_async(&mut linker)?;
    crate::files::link(&mut linker)?;
    crate::network::link(&mut linker)?;
    for adapter in ADAPTERS {
        adapter.link(&mut linker)?;
    }
    Ok(Linked { engine, linker, counters: Arc::clone(counters) })
}

/// What a compiled component fits: this wasmtime with these settings on this machine.
pub(crate) fn compatibility(engine: &Engine) -> u64 {
    let mut hasher = DefaultHasher::new();
    engine.precompile_compatibility_hash().hash(&mut hasher);
    hasher.finish()
}
