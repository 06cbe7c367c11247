//! The sandbox as the app sees it.

use crate::catalog::Plugin;
use crate::error::SandboxError;
use sluicebox_model::grant::Grants;
use sluicebox_model::limits::Limits;
use sluicebox_model::stage::Stage;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

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
pub struct Sandbox {}

impl Sandbox {
    /// Makes the sandbox and its cache folder. Nothing is compiled yet.
    ///
    /// # Errors
    /// The cache folder cannot be made or made private; the engine does not work on this machine.
    pub fn new(options: SandboxOptions) -> Result<Self, SandboxError> {
        let _ = options;
        Err(SandboxError::Engine("not built yet".to_owned()))
    }

    /// Calls `told` as the compilation of a plugin begins and ends; nothing is said of plugins that come from the cache.
    /// Takes the place of what was set before.
    pub fn on_compile(&self, told: impl Fn(Compile<'_>) + Send + Sync + 'static) {
        let _ = told;
    }

    /// Binds a plugin to its options, grants and limits. Compiles the plugin, unless it is in the cache. Make one for
    /// each run: what a stage may log is counted here.
    ///
    /// # Errors
    /// The file is gone, too large, or another one than when the catalog was made; it cannot be compiled or linked.
    pub fn stage(&self, plugin: &Plugin, setup: StageSetup) -> Result<Arc<dyn Stage>, SandboxError> {
        let _ = (plugin, setup);
        Err(SandboxError::Engine("not built yet".to_owned()))
    }
}
