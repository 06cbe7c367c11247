//! The sandbox as the app sees it.

use crate::background;
use crate::catalog::Plugin;
use crate::compiled::{Cache, digest_of, digest_of_file};
use crate::compiler::{self, NotCompiled};
use crate::counts::Counts;
use crate::engine::{Engines, compatibility};
use crate::error::SandboxError;
use crate::keeping::CacheBounds;
use crate::lines::Lines;
use crate::network::NetworkFiles;
use crate::ready::{Ready, make_ready};
use crate::stage::ComponentStage;
use sluicebox_model::grant::Grants;
use sluicebox_model::limits::Limits;
use sluicebox_model::plugin::Digest;
use sluicebox_model::stage::Stage;
use std::collections::HashMap;
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::{Duration, Instant};
use tokio::runtime::Runtime;
use wasmtime::Engine;
use wasmtime::component::Component;

/// How to make a [`Sandbox`].
#[derive(Clone, Debug)]
pub struct SandboxOptions {
    /// Where compiled plugins and descriptions are kept. A compiled plugin is trusted code, so the folder is made to be
    /// ours alone (mode 0700).
    pub cache_dir: PathBuf,
}

/// What a stage is bound to, as the pipeline declares it.
#[derive(Clone, Debug)]
pub struct StageSetup {
    /// The stage's name.
    pub name: String,
    /// Its options as JSON text, checked against the plugin's schema.
    pub config: String,
    /// What it may reach.
    pub grants: Grants,
    /// What it may use.
    pub limits: Limits,
    /// What whoever runs the host says of the network.
    pub network: NetworkFiles,
    /// The folder of the pipeline file: granted folders that are not absolute start here.
    pub root: PathBuf,
}

/// A plugin that is being compiled, or was just now.
#[derive(Clone, Copy, Debug)]
pub struct Compile<'a> {
    /// The plugin's name; the name of its file where it was never described.
    pub plugin: &'a str,
    /// Bytes of the component.
    pub size_bytes: u64,
    /// None as it begins, the time it took as it ends.
    pub took: Option<Duration>,
}

/// Runs stages as components. One per process; clones share everything.
#[derive(Clone)]
pub struct Sandbox {
    inner: Arc<Inner>,
    /// Whether it compiles on the threads of the background.
    in_background: bool,
}

type Told = Arc<dyn Fn(Compile<'_>) + Send + Sync>;
type Slot = Arc<Mutex<Made>>;

/// What was made of a component so far.
#[derive(Default)]
enum Made {
    #[default]
    Nothing,
    /// And when it was asked for last.
    Ready(Arc<Ready>, Instant),
    /// It took too much to compile, then; nobody tries again at once.
    TooMuch(String, Instant),
}

/// How long a component that took too much to compile is left alone.
pub(crate) const TOO_MUCH_FOR: Duration = Duration::from_secs(600);

struct Inner {
    engines: Arc<Engines>,
    cache: Cache,
    /// Drives waiting calls; guests run on the threads of their callers.
    runtime: Arc<Runtime>,
    told: Mutex<Option<Told>>,
    /// Works in a process of its own, if there is such a program.
    worker: OnceLock<PathBuf>,
    /// What was made ready, by bytes of stack and digest.
    ready: Mutex<HashMap<(u64, Digest), Slot>>,
    /// Threads that compile in the background, once they were needed; none if there are no more to be had.
    background: OnceLock<Option<rayon::ThreadPool>>,
}

impl Sandbox {
    /// Makes the sandbox and its cache folder. Nothing is compiled yet.
    ///
    /// # Errors
    /// The cache folder cannot be made or made private; the engine does not work on this machine.
    pub fn new(options: SandboxOptions) -> Result<Self, SandboxError> {
        let cache = Cache::open(options.cache_dir)?;
        let engines = Engines::start()?;
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .thread_name("sluicebox-wait")
            .enable_all()
            .build()
            .map_err(|error| SandboxError::Engine(error.to_string()))?;
        let inner = Inner {
            engines,
            cache,
            runtime: Arc::new(runtime),
            told: Mutex::default(),
            worker: OnceLock::new(),
            ready: Mutex::default(),
            background: OnceLock::new(),
        };
        Ok(Self { inner: Arc::new(inner), in_background: false })
    }

    /// The same sandbox, that compiles on threads which step back for everything else: for plugins that nobody waits for.
    #[must_use]
    pub fn in_background(&self) -> Self {
        Self { inner: Arc::clone(&self.inner), in_background: true }
    }

    /// Names a program that compiles, and finds lines for backtraces, each time in a process of its own that is bounded in
    /// time and memory: one that calls [`work_for_parent`](crate::work_for_parent) where its first argument is
    /// [`WORK`](crate::WORK). Without it a thread compiles, which can neither be stopped nor be kept from taking memory, and
    /// backtraces have no lines. The first program stays.
    pub fn work_with(&self, program: PathBuf) {
        let _ = self.inner.worker.set(program);
    }

    /// What finds lines of the sources of a component.
    fn lines(&self, path: &Path, digest: &Digest) -> Option<Lines> {
        let program = self.inner.worker.get()?;
        Some(Lines::new(program.clone(), path.to_owned(), digest.clone()))
    }

    /// Says how much the compile cache may hold, and deletes what is too old or too much if nobody did of late.
    pub fn keep_cache_within(&self, bounds: CacheBounds) {
        self.inner.cache.keep_within(bounds);
    }

    /// Calls `told` as the compilation of a plugin begins and ends; nothing is said of plugins that come from the cache.
    /// Takes the place of what was set before.
    pub fn on_compile(&self, told: impl Fn(Compile<'_>) + Send + Sync + 'static) {
        *self.inner.told.lock().unwrap_or_else(PoisonError::into_inner) = Some(Arc::new(told));
    }

    /// Binds a plugin to its options, grants and limits. Compiles the plugin, unless it is in the cache. What the stage
    /// may log is counted by run.
    ///
    /// # Errors
    /// The file is gone, too large, or another one than when the catalog was made; it cannot be compiled or linked.
    pub fn stage(&self, plugin: &Plugin, setup: StageSetup) -> Result<Arc<dyn Stage>, SandboxError> {
        if plugin.size_bytes > setup.limits.component_bytes_max {
            return Err(too_large(&plugin.path, setup.limits.component_bytes_max));
        }
        if !plugin.outlives_its_file && !plugin.stamp.still_fits(&plugin.path) {
            let is = digest_file(&plugin.path, setup.limits.component_bytes_max)?;
            if is != plugin.digest {
                let (was, is) = (plugin.digest.to_string(), is.to_string());
                return Err(SandboxError::Changed { path: plugin.path.clone(), was, is });
            }
        }
        let ready = self.ready(&plugin.path, &plugin.digest, &plugin.description.name, &setup.limits)?;
        let (description, digest) = (plugin.description.clone(), plugin.digest.clone());
        let runtime = Arc::clone(&self.inner.runtime);
        let lines = self.lines(&plugin.path, &digest);
        Ok(Arc::new(ComponentStage::new(description, digest, setup, ready, runtime, lines)))
    }

    /// Lets go of a component that is not used any more; stages that were bound to it go on. If it is used again, it comes from
    /// the cache.
    pub fn forget(&self, digest: &Digest) {
        let mut ready = self.inner.ready.lock().unwrap_or_else(PoisonError::into_inner);
        ready.retain(|(_, other), _| other != digest);
    }

    /// Lets go of components that nothing was bound to for so long, and that nothing is bound to now: a host that waits for the
    /// night needs no memory for them. If one is used again, it comes from the cache, in a millisecond or two.
    pub fn forget_unused(&self, unused_max: Duration) {
        let mut ready = self.inner.ready.lock().unwrap_or_else(PoisonError::into_inner);
        ready.retain(|_, slot| match slot.try_lock().as_deref() {
            Ok(Made::Ready(ready, asked)) => Arc::strong_count(ready) > 1 || asked.elapsed() < unused_max,
            // What took too much to compile is remembered, and what is being compiled is in use.
            _ => true,
        });
    }

    /// What this sandbox did since its start.
    pub fn counts(&self) -> Counts {
        self.inner.engines.counters.read()
    }

    /// Bytes of what the compile cache holds, as its files are now.
    pub fn cache_bytes(&self) -> u64 {
        self.inner.cache.size_bytes()
    }

    pub(crate) fn cache(&self) -> &Cache {
        &self.inner.cache
    }

    pub(crate) fn runtime(&self) -> &Arc<Runtime> {
        &self.inner.runtime
    }

    /// The engine for stages with these limits, for components that are in no catalog.
    #[cfg(feature = "fuzzing")]
    pub(crate) fn linked(&self, limits: &Limits) -> Result<Arc<crate::engine::Linked>, SandboxError> {
        self.inner.engines.with_stack(limits.stack_bytes_max)
    }

    /// What fits compiled files and descriptions to this build of the host.
    pub(crate) fn compatibility(&self) -> Result<u64, SandboxError> {
        Ok(compatibility(&self.inner.engines.with_stack(Limits::default().stack_bytes_max)?.engine))
    }

    /// The component, compiled and linked: at hand, from the cache, or compiled now.
    pub(crate) fn ready(
        &self,
        path: &Path,
        digest: &Digest,
        name: &str,
        limits: &Limits,
    ) -> Result<Arc<Ready>, SandboxError> {
        let linked = self.inner.engines.with_stack(limits.stack_bytes_max)?;
        let slot = {
            let mut ready = self.inner.ready.lock().unwrap_or_else(PoisonError::into_inner);
            Arc::clone(ready.entry((limits.stack_bytes_max, digest.clone())).or_default())
        };
        // Whoever else wants the same component waits here instead of compiling it, too.
        let mut slot = slot.lock().unwrap_or_else(PoisonError::into_inner);
        match &mut *slot {
            Made::Ready(ready, asked) => {
                *asked = Instant::now();
                return Ok(Arc::clone(ready));
            }
            Made::TooMuch(reason, at) if at.elapsed() < TOO_MUCH_FOR => {
                return Err(SandboxError::TooMuchToCompile { path: path.to_owned(), reason: reason.clone() });
            }
            Made::TooMuch(..) | Made::Nothing => {}
        }
        let component = match self.inner.cache.load(&linked.engine, digest) {
            Some(component) => {
                self.inner.engines.counters.hit();
                component
            }
            None => {
                self.inner.engines.counters.missed();
                let compiled = self.compile(&linked.engine, path, digest, name, limits);
                if let Err(SandboxError::TooMuchToCompile { reason, .. }) = &compiled {
                    *slot = Made::TooMuch(reason.clone(), Instant::now());
                }
                compiled?
            }
        };
        let not_a_plugin = |reason| SandboxError::NotAPlugin { path: path.to_owned(), reason };
        let ready = Arc::new(make_ready(&linked, &component).map_err(not_a_plugin)?);
        *slot = Made::Ready(Arc::clone(&ready), Instant::now());
        Ok(ready)
    }

    fn compile(
        &self,
        engine: &Engine,
        path: &Path,
        digest: &Digest,
        name: &str,
        limits: &Limits,
    ) -> Result<Component, SandboxError> {
        let bytes = read_file(path, limits.component_bytes_max)?;
        let is = digest_of(&bytes);
        if is != *digest {
            return Err(SandboxError::Changed { path: path.to_owned(), was: digest.to_string(), is: is.to_string() });
        }
        if let Some(reason) = no_component(&bytes) {
            return Err(SandboxError::NotAPlugin { path: path.to_owned(), reason });
        }
        let told = self.inner.told.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let tell = |took| {
            if let Some(told) = &told {
                told(Compile { plugin: name, size_bytes: bytes.len() as u64, took });
            }
        };
        tell(None);
        let start = Instant::now();
        let _alone = self.inner.cache.compiling(engine, digest);
        if let Some(component) = self.inner.cache.load(engine, digest) {
            // Another process was at it.
            tell(Some(start.elapsed()));
            return Ok(component);
        }
        let compiled = self.compile_bytes(engine, digest, &bytes, limits.stack_bytes_max);
        tell(Some(start.elapsed()));
        compiled.map_err(|why| match why {
            NotCompiled::Broken(detail) => {
                let reason = format!(
                    "it begins like a component, but what follows cannot be read: the file is damaged or was cut off; copy \
                     or build it again ({detail})"
                );
                SandboxError::NotAPlugin { path: path.to_owned(), reason }
            }
            NotCompiled::TooMuch(reason) => SandboxError::TooMuchToCompile { path: path.to_owned(), reason },
            NotCompiled::Machine(reason) => SandboxError::NotCompiled { path: path.to_owned(), reason },
        })
    }

    /// Compiles and keeps it.
    fn compile_bytes(
        &self,
        engine: &Engine,
        digest: &Digest,
        bytes: &[u8],
        stack_bytes: u64,
    ) -> Result<Component, NotCompiled> {
        let cache = &self.inner.cache;
        if let Some(program) = self.inner.worker.get() {
            let part = compiler::in_a_process(program, cache, bytes, stack_bytes, self.in_background)?;
            return cache.adopt(engine, digest, &part).map_err(NotCompiled::Machine);
        }
        let (sandbox, own_engine, own_bytes) = (self.clone(), engine.clone(), bytes.to_vec());
        let component =
            compiler::in_a_thread(bytes.len() as u64, move || sandbox.compile_here(&own_engine, &own_bytes))?;
        cache.store(engine, digest, &component);
        Ok(component)
    }

    fn compile_here(&self, engine: &Engine, bytes: &[u8]) -> wasmtime::Result<Component> {
        if self.in_background
            && let Some(pool) = self.inner.background.get_or_init(background::pool)
        {
            return pool.install(|| Component::from_binary(engine, bytes));
        }
        Component::from_binary(engine, bytes)
    }
}

/// What the file is instead of a component, told by its first bytes.
fn no_component(bytes: &[u8]) -> Option<String> {
    match bytes {
        [b'\0', b'a', b's', b'm', 1, 0, 0, 0, ..] => Some(
            "it is a core WebAssembly module, not a component; build it for the target wasm32-wasip2, or make a \
             component of it with `wasm-tools component new`"
                .to_owned(),
        ),
        [b'\0', b'a', b's', b'm', ..] => None,
        [] => Some("the file is empty; copy or build it again".to_owned()),
        [b'\0', b'a', b's', ..] | [b'\0', b'a'] | [b'\0'] => {
            Some("the file is damaged or was cut off; copy or build it again".to_owned())
        }
        _ if bytes.starts_with(b"(module") || bytes.starts_with(b"(component") => {
            Some("it is WebAssembly as text; make a component of it with `wasm-tools parse`".to_owned())
        }
        _ => Some(
            "it is not WebAssembly but some other file; a plugin is a component, built for the target wasm32-wasip2"
                .to_owned(),
        ),
    }
}

fn too_large(path: &Path, max_bytes: u64) -> SandboxError {
    let size_bytes = std::fs::metadata(path).map_or(0, |metadata| metadata.len());
    SandboxError::TooLarge { path: path.to_owned(), size_bytes, max_bytes }
}

fn unreadable(path: &Path, max_bytes: u64, error: &io::Error) -> SandboxError {
    match error.kind() {
        io::ErrorKind::FileTooLarge => too_large(path, max_bytes),
        _ => SandboxError::Read { path: path.to_owned(), reason: error.to_string() },
    }
}

/// The digest of a component file.
pub(crate) fn digest_file(path: &Path, max_bytes: u64) -> Result<Digest, SandboxError> {
    digest_of_file(path, max_bytes).map_err(|error| unreadable(path, max_bytes, &error))
}

/// The whole of a component file, never more than the limit.
fn read_file(path: &Path, max_bytes: u64) -> Result<Vec<u8>, SandboxError> {
    let read = || {
        let mut bytes = Vec::new();
        File::open(path)?.take(max_bytes.saturating_add(1)).read_to_end(&mut bytes)?;
        Ok(bytes)
    };
    let bytes: Vec<u8> = read().map_err(|error: io::Error| unreadable(path, max_bytes, &error))?;
    if bytes.len() as u64 > max_bytes {
        return Err(too_large(path, max_bytes));
    }
    Ok(bytes)
}
