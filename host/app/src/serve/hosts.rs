//! The plugins of each pipeline's folder. Who asks gets them as they were last known; `plugins/` finds out what changes.

use super::plugins::shelf::{Known, Shelf};
use crate::lock::Lock;
use crate::places;
use crate::trouble::Trouble;
use crate::wiring::{Host, sandbox};
use sluicebox_model::plugin::Digest;
use sluicebox_sandbox::{Admit, Catalog, Compile, Counts, Plugin, Sandbox};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::thread::Thread;

/// One sandbox, and the plugins as each folder of pipelines sees them.
pub(super) struct Hosts {
    sandbox: Sandbox,
    given: Vec<PathBuf>,
    /// Whether only locked plugins may be used.
    locked: bool,
    found: Mutex<BTreeMap<PathBuf, Arc<Host>>>,
    /// The files, once somebody watches them.
    shelf: Mutex<Option<Shelf<Plugin>>>,
    /// The names of plugins that have changed since the pipelines were last held against them.
    changed: Mutex<BTreeSet<String>>,
    /// Who holds the pipelines against the plugins.
    looker: OnceLock<Thread>,
}

impl Hosts {
    /// Starts the sandbox. `given` are plugin folders that count before all others; if `locked`, only the plugins of the lock
    /// of `dir` may be used; `told` hears of plugins that have to be compiled.
    ///
    /// # Errors
    /// There is no place for the compile cache, the sandbox does not start, or there is no lock.
    pub(super) fn open(
        given: &[PathBuf],
        dir: &Path,
        locked: bool,
        told: impl Fn(Compile<'_>) + Send + Sync + 'static,
    ) -> Result<Self, Trouble> {
        if locked {
            Lock::needed(dir)?;
        }
        let sandbox = sandbox()?;
        sandbox.on_compile(told);
        Ok(Self {
            sandbox,
            given: given.to_owned(),
            locked,
            found: Mutex::default(),
            shelf: Mutex::default(),
            changed: Mutex::default(),
            looker: OnceLock::new(),
        })
    }

    /// The plugins for the pipelines of a folder. A run under way keeps those that it began with.
    pub(super) fn of(&self, root: &Path) -> Arc<Host> {
        let mut found = self.found.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(host) = found.get(root) {
            return Arc::clone(host);
        }
        let host = Arc::new(self.host(root, self.shelf().as_ref()));
        found.insert(root.to_owned(), Arc::clone(&host));
        host
    }

    /// Makes what is on the shelf hold for all folders.
    pub(super) fn offer(&self) {
        let mut found = self.found.lock().unwrap_or_else(PoisonError::into_inner);
        let shelf = self.shelf();
        for (root, host) in &mut *found {
            *host = Arc::new(self.host(root, shelf.as_ref()));
        }
    }

    fn host(&self, root: &Path, shelf: Option<&Shelf<Plugin>>) -> Host {
        let folders = places::plugin_folders(&self.given, root);
        let lock = self.lock_of(root);
        let admit = lock.as_ref().map(Lock::admit);
        let catalog = match shelf {
            Some(shelf) => Catalog::of_looked(&self.sandbox, on_shelf(shelf, &folders, admit.as_ref()), admit),
            None => Catalog::scan_admitting(&self.sandbox, &folders, admit),
        };
        Host { sandbox: self.sandbox.clone(), catalog, folders, lock }
    }

    /// The lock of a folder, if only locked plugins may be used. Without one none may.
    pub(super) fn lock_of(&self, root: &Path) -> Option<Arc<Lock>> {
        if !self.locked {
            return None;
        }
        let lock = Lock::nearest(root).unwrap_or_else(|trouble| {
            tracing::error!("{}", super::work::told(&trouble));
            None
        });
        Some(Arc::new(lock.unwrap_or_else(|| Lock { path: root.join(crate::lock::LOCK), plugins: BTreeMap::new() })))
    }

    /// The files that the pipelines know of so far, and the plugins in those that were looked at.
    pub(super) fn known(&self) -> (BTreeSet<PathBuf>, Vec<Plugin>) {
        let found = self.found.lock().unwrap_or_else(PoisonError::into_inner);
        let paths = found.values().flat_map(|host| host.catalog.paths().map(Path::to_owned).collect::<Vec<_>>());
        let plugins = found.values().flat_map(|host| host.catalog.looked().cloned().collect::<Vec<_>>());
        (paths.collect(), plugins.collect())
    }

    /// The folders of pipelines that were asked about.
    pub(super) fn roots(&self) -> Vec<PathBuf> {
        self.found.lock().unwrap_or_else(PoisonError::into_inner).keys().cloned().collect()
    }

    /// Where the plugins of a folder are looked for.
    pub(super) fn folders(&self, root: &Path) -> Vec<PathBuf> {
        places::plugin_folders(&self.given, root)
    }

    /// The sandbox.
    pub(super) fn sandbox(&self) -> &Sandbox {
        &self.sandbox
    }

    /// The files; none as long as nobody watches.
    pub(super) fn shelf(&self) -> MutexGuard<'_, Option<Shelf<Plugin>>> {
        self.shelf.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whoever calls this is woken when plugins have changed, and asks [`Hosts::take_changed`] which.
    pub(super) fn wakes_me(&self) {
        let _ = self.looker.set(std::thread::current());
    }

    /// Plugins of these names are others than before.
    pub(super) fn have_changed(&self, names: impl IntoIterator<Item = String>) {
        self.changed.lock().unwrap_or_else(PoisonError::into_inner).extend(names);
        if let Some(looker) = self.looker.get() {
            looker.unpark();
        }
    }

    /// The names of the plugins that have changed since the last time.
    pub(super) fn take_changed(&self) -> BTreeSet<String> {
        std::mem::take(&mut *self.changed.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// What the sandbox did since the start.
    pub(super) fn counts(&self) -> Counts {
        self.sandbox.counts()
    }

    /// Bytes of the compile cache.
    pub(super) fn cache_bytes(&self) -> u64 {
        self.sandbox.cache_bytes()
    }
}

/// The files of some folders, with what is known of them.
fn on_shelf(
    shelf: &Shelf<Plugin>,
    folders: &[PathBuf],
    admit: Option<&Admit>,
) -> Vec<(PathBuf, Option<Result<Plugin, String>>)> {
    let admitted = |path: &Path, digest: &Digest| admit.map_or(Ok(()), |admit| admit(path, digest));
    let files = folders.iter().flat_map(|folder| shelf.of_folder(folder));
    let known = |path: PathBuf| {
        let looked = match shelf.known(&path)? {
            Known::Plugin(plugin) => Some(admitted(&path, &plugin.digest).map(|()| plugin)),
            Known::None(reason) => Some(Err(reason)),
            Known::NotLooked => None,
        };
        Some((path, looked))
    };
    files.filter_map(known).collect()
}
