//! The plugins of each pipeline's folder, looked at anew when a plugin file has changed.

use crate::places;
use crate::trouble::Trouble;
use crate::wiring::Host;
use sluicebox_sandbox::{Catalog, Compile, Counts, Sandbox, SandboxOptions};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

/// What tells one state of the plugin folders from another.
type Stamps = Vec<(PathBuf, Option<SystemTime>, u64)>;

/// One sandbox, and the plugins as each folder of pipelines sees them.
pub(super) struct Hosts {
    sandbox: Sandbox,
    given: Vec<PathBuf>,
    found: Mutex<BTreeMap<PathBuf, (Stamps, Arc<Host>)>>,
}

impl Hosts {
    /// Starts the sandbox. `given` are plugin folders that count before all others; `told` hears of plugins that have to be
    /// compiled.
    ///
    /// # Errors
    /// There is no place for the compile cache, or the sandbox does not start.
    pub(super) fn open(
        given: &[PathBuf],
        _dir: &Path,
        _locked: bool,
        told: impl Fn(Compile<'_>) + Send + Sync + 'static,
    ) -> Result<Self, Trouble> {
        let sandbox = Sandbox::new(SandboxOptions { cache_dir: places::cache()? })?;
        sandbox.on_compile(told);
        Ok(Self { sandbox, given: given.to_owned(), found: Mutex::default() })
    }

    /// The plugins for the pipelines of a folder, as they are now. A run under way keeps those that it began with.
    pub(super) fn of(&self, root: &Path) -> Arc<Host> {
        let folders = places::plugin_folders(&self.given, root);
        let stamps = stamps(&folders);
        let mut found = self.found.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((before, host)) = found.get(root)
            && *before == stamps
        {
            return Arc::clone(host);
        }
        let catalog = Catalog::scan(&self.sandbox, &folders);
        let host = Arc::new(Host { sandbox: self.sandbox.clone(), catalog, folders, lock: None });
        found.insert(root.to_owned(), (stamps, Arc::clone(&host)));
        host
    }

    /// Whether the plugins of a folder are others than at the last look.
    pub(super) fn changed(&self, root: &Path) -> bool {
        let stamps = stamps(&places::plugin_folders(&self.given, root));
        let found = self.found.lock().unwrap_or_else(PoisonError::into_inner);
        found.get(root).is_some_and(|(before, _)| *before != stamps)
    }
}

fn stamps(folders: &[PathBuf]) -> Stamps {
    let mut stamps = Stamps::new();
    for folder in folders {
        let Ok(entries) = std::fs::read_dir(folder) else { continue };
        for entry in entries.flatten() {
            let path = entry.path();
            if path.extension().is_some_and(|extension| extension == "wasm")
                && let Ok(metadata) = std::fs::metadata(&path)
            {
                stamps.push((path, metadata.modified().ok(), metadata.len()));
            }
        }
    }
    stamps.sort();
    stamps
}

impl Hosts {
    /// What the sandbox did since the start.
    pub(super) fn counts(&self) -> Counts {
        self.sandbox.counts()
    }

    /// Bytes of the compile cache.
    pub(super) fn cache_bytes(&self) -> u64 {
        self.sandbox.cache_bytes()
    }
}
