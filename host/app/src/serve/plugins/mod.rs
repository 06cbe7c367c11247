//! Plugins that are dropped into a folder while the host runs: found, compiled beside the runs, described, offered or refused.

pub(super) mod shelf;

use super::service::Service;
use crate::api::{PluginView, PluginsView, RefusedView};
use crate::components::{self, Plugins};
use crate::lock::{LOCK, Lock};
use crate::show::human::{clean_line, cut};
use jiff::Timestamp;
use shelf::{Change, Shelf, Stamp};
use sluicebox_model::house::{Decided, HouseEvent, NewHouseEvent};
use sluicebox_model::plugin::Digest;
use sluicebox_sandbox::{Admit, Catalog, Plugin, Sandbox};
use std::collections::{BTreeMap, BTreeSet};
use std::fs::Metadata;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, PoisonError};
use std::time::{Duration, Instant};

/// The folders are looked at so often; a file is taken up when two looks found it the same.
const LOOK_EVERY: Duration = Duration::from_millis(200);

/// A look takes at most this part of the time, however many folders there are.
const SHARE: u32 = 50;

/// So long components stay in memory that no run uses; and how often that is looked at.
pub(super) const UNUSED_MAX: Duration = Duration::from_secs(60);
const FORGET_EVERY: Duration = Duration::from_secs(10);

/// Files that are looked at at once.
const AT_ONCE: usize = 4;

/// A file that somebody has looked at.
type Answer = (PathBuf, Stamp, Result<Plugin, String>);

/// Watches the plugin folders, as long as the host runs.
pub(super) fn keep_watching(service: &Service) {
    let (answer, answers) = channel();
    let mut watch = Watch { service, answer, answers, at_work: 0, locks: Vec::new() };
    let mut forgotten = Instant::now();
    while service.lock().stopping.is_none() {
        let start = Instant::now();
        watch.look();
        if forgotten.elapsed() >= FORGET_EVERY {
            forgotten = start;
            service.hosts.sandbox().forget_unused(UNUSED_MAX);
        }
        let until = Instant::now() + LOOK_EVERY.max(start.elapsed() * SHARE);
        while let Ok(answer) = watch.answers.recv_timeout(until.saturating_duration_since(Instant::now())) {
            watch.take(answer);
        }
    }
}

struct Watch<'a> {
    service: &'a Service,
    answer: Sender<Answer>,
    answers: Receiver<Answer>,
    /// Files that somebody looks at now.
    at_work: usize,
    /// The locks as they were at the last look.
    locks: Vec<Arc<Lock>>,
}

impl Watch<'_> {
    /// Looks at the folders once.
    fn look(&mut self) {
        let hosts = &self.service.hosts;
        let roots = hosts.roots();
        let folders: BTreeSet<PathBuf> = roots.iter().flat_map(|root| hosts.folders(root)).collect();
        let found = folders.iter().flat_map(|folder| files_of(folder)).collect();
        let (there, known) = if hosts.shelf().is_none() { hosts.known() } else { Default::default() };
        let changes = {
            let mut shelf = hosts.shelf();
            let shelf = shelf.get_or_insert_with(|| Shelf::new(there));
            let changes = shelf.look(&found, Instant::now());
            known.into_iter().for_each(|plugin| shelf.is_known_as(&plugin.path.clone(), plugin));
            changes
        };
        let locks: Vec<Arc<Lock>> = roots.iter().filter_map(|root| hosts.lock_of(root)).collect();
        let is_first = self.locks.is_empty();
        if locks != self.locks {
            self.locks = locks;
            if !is_first {
                tracing::info!("{LOCK} has changed");
                if let Some(shelf) = hosts.shelf().as_mut() {
                    shelf.refused_again();
                }
                self.all_changed();
            }
        }
        let mut others = Vec::new();
        for change in changes {
            match change {
                Change::Look(path, stamp) => self.begin(path, stamp),
                other => others.push(other),
            }
        }
        self.tell(others);
    }

    /// Has somebody look at a file.
    fn begin(&mut self, path: PathBuf, stamp: Stamp) {
        let begun = self.at_work < AT_ONCE && {
            let sandbox = self.service.hosts.sandbox().in_background();
            let (answer, path) = (self.answer.clone(), path.clone());
            let admit = (!self.locks.is_empty()).then(|| any_of(self.locks.clone()));
            let work = move || {
                let looked = looked(&sandbox, &path, admit.as_ref());
                // Nobody listens any more where the host ends.
                let _ = answer.send((path, stamp, looked));
            };
            std::thread::Builder::new().name("plugin".to_owned()).spawn(work).is_ok()
        };
        if begun {
            self.at_work += 1;
        } else if let Some(shelf) = self.service.hosts.shelf().as_mut() {
            shelf.later(&path);
        }
    }

    /// Takes note of what a file is.
    fn take(&mut self, (path, stamp, looked): Answer) {
        self.at_work = self.at_work.saturating_sub(1);
        let hosts = &self.service.hosts;
        let (change, was_there) = match hosts.shelf().as_mut() {
            Some(shelf) => (shelf.looked(&path, stamp, looked), shelf.was_there(&path)),
            None => (None, false),
        };
        match change {
            // Nothing new: it was there before the host, or is the same as before.
            Some(Change::Offered { was, is, was_refused: false, .. })
                if was.as_ref().map_or(was_there, |was| was.digest == is.digest) =>
            {
                hosts.offer();
                if was.is_none() {
                    // A pipeline may have found it as it was not yet whole.
                    hosts.have_changed([is.description.name]);
                }
            }
            Some(change) => self.tell(vec![change]),
            None => {}
        }
    }

    /// Makes changes hold, and tells of them: to the pipelines, in the log, in the store.
    fn tell(&self, changes: Vec<Change<Plugin>>) {
        if changes.is_empty() {
            return;
        }
        let hosts = &self.service.hosts;
        hosts.offer();
        let mut names = BTreeSet::new();
        let mut events = Vec::new();
        for change in changes {
            match change {
                Change::Offered { path, was, is, .. } => {
                    names.insert(is.description.name.clone());
                    names.extend(was.as_ref().map(|was| was.description.name.clone()));
                    let replaced = was.filter(|was| was.digest != is.digest);
                    events.push(self.offered(&path, replaced.as_ref(), &is));
                    // It may be another plugin altogether.
                    let other = replaced.as_ref().filter(|was| was.description.name != is.description.name);
                    events.extend(other.map(|was| self.gone(&path, was)));
                    if let Some(was) = replaced {
                        self.forget(&was.digest);
                    }
                }
                Change::Refused { path, reason, stays } => {
                    names.extend(path.file_stem().map(|stem| stem.to_string_lossy().into_owned()));
                    events.push(self.refused(&path, reason, stays.as_ref()));
                }
                Change::Gone { path, was } => {
                    names.insert(was.description.name.clone());
                    events.push(self.gone(&path, &was));
                    self.forget(&was.digest);
                }
                Change::Look(..) => {}
            }
        }
        let events = events.into_iter().map(|event| NewHouseEvent { pipeline: None, event }).collect();
        let decided = Decided { events, ..Decided::default() };
        if let Err(error) = self.service.house.store.decide(&decided, Timestamp::now()) {
            tracing::error!("what became of the plugins cannot be kept: {error}");
        }
        hosts.have_changed(names);
    }

    fn offered(&self, path: &Path, was: Option<&Plugin>, is: &Plugin) -> HouseEvent {
        let (name, version) = (&is.description.name, &is.description.version);
        let file = self.shown(path);
        // Another file of the name may count before it.
        let used = self.service.hosts.of(&self.service.dir);
        let used = used.catalog.get(name).filter(|used| used.digest != is.digest).map(|used| self.shown(&used.path));
        match (used, was) {
            (Some(used), _) => tracing::warn!("{file} is plugin `{name}` {version}; not used: {used} counts before it"),
            (None, None) => tracing::info!("plugin `{name}` {version} is offered ({file})"),
            (None, Some(was)) => {
                let before = &was.description.version;
                tracing::info!(
                    "plugin `{name}` {version} takes the place of {before} ({file}); runs under way keep theirs"
                );
            }
        }
        let (name, version, digest) = (name.clone(), version.clone(), is.digest.to_string());
        HouseEvent::PluginOffered { name, version, digest, file }
    }

    fn refused(&self, path: &Path, reason: String, stays: Option<&Plugin>) -> HouseEvent {
        let file = self.shown(path);
        let reason = cut(&clean_line(&reason), 1000);
        match stays {
            Some(was) => {
                let (name, version) = (&was.description.name, &was.description.version);
                tracing::error!(
                    "{file} is refused: {reason}; `{name}` {version} from before stays until the host ends"
                );
            }
            None => tracing::error!("{file} is refused: {reason}"),
        }
        HouseEvent::PluginRefused { file, reason }
    }

    fn gone(&self, path: &Path, was: &Plugin) -> HouseEvent {
        let (name, file) = (was.description.name.clone(), self.shown(path));
        let mut pipelines = Vec::new();
        let offered: Vec<_> = self.service.lock().offered.values().cloned().collect();
        for offered in offered {
            let needs = offered.pipeline.stages.iter().any(|stage| stage.plugin == name);
            if needs && self.service.hosts.of(&offered.source.root).catalog.get(&name).is_none() {
                pipelines.push(offered.pipeline.name.clone());
            }
        }
        if pipelines.is_empty() {
            tracing::warn!("plugin `{name}` is gone ({file})");
        } else {
            let shown: Vec<String> = pipelines.iter().map(|name| format!("`{name}`")).collect();
            tracing::error!(
                "plugin `{name}` is gone ({file}), and {} cannot run without it: put it back, or take it out of the pipeline",
                shown.join(", ")
            );
        }
        HouseEvent::PluginGone { name, file, pipelines }
    }

    fn forget(&self, digest: &Digest) {
        self.service.hosts.sandbox().forget(digest);
    }

    /// The lock says something else: any plugin may be another one now.
    fn all_changed(&self) {
        self.service.hosts.offer();
        let offered = self.service.lock();
        let stages = offered.offered.values().flat_map(|offered| &offered.pipeline.stages);
        let names: Vec<String> = stages.map(|stage| stage.plugin.clone()).collect();
        drop(offered);
        self.service.hosts.have_changed(names);
    }

    fn shown(&self, path: &Path) -> String {
        clean_line(&path.strip_prefix(&self.service.dir).unwrap_or(path).display().to_string())
    }
}

impl Service {
    /// The plugins as the API shows them.
    pub(super) fn plugins_view(&self) -> PluginsView {
        let host = self.hosts.of(&self.dir);
        let file = |path: &Path| clean_line(&path.strip_prefix(&self.dir).unwrap_or(path).display().to_string());
        let plugin = |plugin: &Plugin| PluginView {
            name: plugin.description.name.clone(),
            version: plugin.description.version.clone(),
            kind: plugin.description.kind.to_string(),
            summary: plugin.description.summary.clone(),
            digest: plugin.digest.to_string(),
            contract: plugin.contract.clone(),
            file: file(&plugin.path),
        };
        let mut refused: BTreeMap<String, String> =
            host.catalog.refused().iter().map(|refused| (file(&refused.path), clean_line(&refused.reason))).collect();
        // Those whose plugin from before stays, too.
        let later = self.hosts.shelf().as_ref().map(Shelf::refused).unwrap_or_default();
        refused.extend(later.into_iter().map(|(path, reason)| (file(&path), clean_line(&reason))));
        let refused = refused.into_iter().map(|(file, reason)| RefusedView { file, reason }).collect();
        PluginsView { plugins: host.catalog.plugins().map(plugin).collect(), refused }
    }

    /// Keeps the components that the pipelines would run with, so that they do when a file has just been replaced.
    pub(super) fn keep_components(&self) {
        let offered: Vec<_> = self.lock().offered.values().cloned().collect();
        let mut digests = BTreeSet::new();
        for offered in offered {
            let host = self.hosts.of(&offered.source.root);
            let plugins = Plugins::Found(&host.catalog);
            for plugin in offered.pipeline.stages.iter().filter_map(|stage| plugins.of(stage)) {
                if digests.insert(plugin.digest.clone()) {
                    // What cannot be kept now is kept by the first run.
                    let _ = components::keep(&self.house.state, plugin);
                }
            }
        }
        *self.house.offered.lock().unwrap_or_else(PoisonError::into_inner) = digests;
    }
}

/// Lets in what one of the locks has.
fn any_of(locks: Vec<Arc<Lock>>) -> Admit {
    Arc::new(move |path, digest| {
        let mut refused = Ok(());
        for lock in &locks {
            match lock.admits(path, digest) {
                Ok(()) => return Ok(()),
                Err(why) => refused = Err(why),
            }
        }
        refused
    })
}

fn looked(sandbox: &Sandbox, path: &Path, admit: Option<&Admit>) -> Result<Plugin, String> {
    match admit {
        Some(admit) => Catalog::plugin_admitted(sandbox, path, admit),
        None => Catalog::plugin_of(sandbox, path),
    }
}

/// The `*.wasm` files of a folder as they are now.
fn files_of(folder: &Path) -> BTreeMap<PathBuf, Stamp> {
    let paths = Catalog::files_of(folder).unwrap_or_default();
    paths.into_iter().filter_map(|path| Some((path.clone(), stamp(&std::fs::metadata(path).ok()?)))).collect()
}

fn stamp(metadata: &Metadata) -> Stamp {
    Stamp { modified: metadata.modified().ok(), bytes: metadata.len(), inode: inode(metadata) }
}

/// What tells files apart whose times somebody has set: their number, and when they were last touched at all.
#[cfg(unix)]
fn inode(metadata: &Metadata) -> (u64, i64, i64) {
    use std::os::unix::fs::MetadataExt;
    (metadata.ino(), metadata.ctime(), metadata.ctime_nsec())
}

#[cfg(not(unix))]
fn inode(_: &Metadata) -> (u64, i64, i64) {
    (0, 0, 0)
}
