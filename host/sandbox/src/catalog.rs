//! Finds plugins in folders.

use crate::describe::{self, Known};
use crate::error::SandboxError;
use crate::sandbox::{Sandbox, digest_file};
use serde::{Deserialize, Serialize};
use sluicebox_model::limits::{COMPONENT_BYTES_MAX, Limits};
use sluicebox_model::plugin::{Capability, Description, Digest};
use std::collections::BTreeMap;
use std::fmt;
use std::fs::Metadata;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::UNIX_EPOCH;

/// A plugin that was found.
#[derive(Clone, Debug)]
pub struct Plugin {
    /// What it says of itself.
    pub description: Description,
    /// Which component it is.
    pub digest: Digest,
    /// The file.
    pub path: PathBuf,
    /// Bytes of the file.
    pub size_bytes: u64,
    /// The interfaces that it imports, e.g. `wasi:filesystem/types@0.2.6`.
    pub imports: Vec<String>,
    /// The version of the contract that it was built for, e.g. `0.1.0`.
    pub contract: String,
    /// Whether it may be used as it was when its file is another one by now.
    pub(crate) outlives_its_file: bool,
    /// The file as it was when its digest was taken.
    pub(crate) stamp: Stamp,
}

/// A `.wasm` file that is no plugin that can be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refused {
    /// The file, or a folder that cannot be read.
    pub path: PathBuf,
    /// Why, for people.
    pub reason: String,
}

/// Says whether a component may be used at all, by its file and digest; asked before anything is done with it. The error is
/// the reason, for people.
pub type Admit = Arc<dyn Fn(&Path, &Digest) -> Result<(), String> + Send + Sync>;

/// The plugins of some folders.
///
/// A component that was never seen has to be compiled before it can be asked what it is, so files are looked at only as
/// far as somebody asks: [`get`](Self::get) first looks at the file that is named as the plugin, the others at all.
pub struct Catalog {
    sandbox: Sandbox,
    files: Vec<File>,
    unreadable: Vec<Refused>,
    seen: Mutex<BTreeMap<PathBuf, Seen>>,
    admit: Option<Admit>,
    all: OnceLock<All>,
}

struct File {
    path: PathBuf,
    looked: OnceLock<Result<Plugin, String>>,
}

/// What all files together come to.
struct All {
    /// Positions of the files that are plugins, by the plugins' names.
    plugins: BTreeMap<String, usize>,
    refused: Vec<Refused>,
}

impl Plugin {
    /// What it could make use of, by what it imports. What it asks for is in its description, and what it gets is what
    /// the pipeline grants.
    pub fn may_use(&self) -> Vec<Capability> {
        let imports = |prefix: &str| self.imports.iter().any(|import| import.starts_with(prefix));
        let uses = [
            (Capability::ReadFiles, imports("wasi:filesystem/")),
            (Capability::WriteFiles, imports("wasi:filesystem/")),
            (Capability::Http, imports("wasi:http/")),
            (Capability::Tcp, imports("wasi:sockets/tcp")),
            (Capability::Environment, imports("wasi:cli/environment@")),
            (Capability::Clock, imports("wasi:clocks/")),
            (Capability::Random, imports("wasi:random/")),
        ];
        uses.into_iter().filter(|(_, used)| *used).map(|(capability, _)| capability).collect()
    }
}

/// The file of the cache that holds the digests of unchanged files.
const FILES: &str = "files.json";

/// A file as it was when its digest was taken.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Seen {
    #[serde(flatten)]
    stamp: Stamp,
    digest: Digest,
}

/// By what a change of a file is noticed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Stamp {
    size_bytes: u64,
    changed_nanos: u64,
    /// Its number, and when it was last touched at all, which nobody can set.
    inode: (u64, i64, i64),
}

impl Stamp {
    fn of(metadata: &Metadata) -> Self {
        Self { size_bytes: metadata.len(), changed_nanos: changed(metadata), inode: inode(metadata) }
    }

    /// Whether the file is the same as then, as far as can be told without reading it.
    pub(crate) fn still_fits(&self, path: &Path) -> bool {
        std::fs::metadata(path).is_ok_and(|metadata| Self::of(&metadata) == *self)
    }
}

impl Catalog {
    /// Finds the `*.wasm` files in the folders (not below them). A folder that does not exist holds no plugins.
    ///
    /// A name that several files claim goes to the one that is named so (`extract-csv.wasm` or `extract_csv.wasm`), else
    /// to that of the earlier folder, else to the earlier file name; the others are refused.
    ///
    /// A component that was never seen is compiled and asked to describe itself, without any grant; its answer is kept
    /// by its digest.
    pub fn scan(sandbox: &Sandbox, folders: &[PathBuf]) -> Self {
        Self::scan_admitting(sandbox, folders, None)
    }

    /// The same, where only the components that `admit` lets in are looked at; the others are refused.
    pub fn scan_admitting(sandbox: &Sandbox, folders: &[PathBuf], admit: Option<Admit>) -> Self {
        let mut unreadable = Vec::new();
        let mut paths = Vec::new();
        for folder in folders {
            match files(folder) {
                Ok(found) => paths.extend(found),
                Err(reason) => unreadable.push(Refused { path: folder.clone(), reason }),
            }
        }
        let file = |path| File { path, looked: OnceLock::new() };
        Self {
            sandbox: sandbox.clone(),
            files: paths.into_iter().map(file).collect(),
            unreadable,
            seen: Mutex::new(sandbox.cache().get(FILES).unwrap_or_default()),
            admit,
            all: OnceLock::new(),
        }
    }

    /// The plugins of files that were looked at before, in the order in which they count. They are used as they were then,
    /// also when their files are replaced. Those that were not looked at are so when somebody asks, if `admit` lets them in.
    pub fn of_looked(
        sandbox: &Sandbox,
        looked: Vec<(PathBuf, Option<Result<Plugin, String>>)>,
        admit: Option<Admit>,
    ) -> Self {
        let outlives = |plugin: Plugin| Plugin { outlives_its_file: true, ..plugin };
        let file = |(path, looked): (PathBuf, Option<Result<Plugin, String>>)| File {
            path,
            looked: looked.map_or_else(OnceLock::new, |looked| OnceLock::from(looked.map(outlives))),
        };
        Self {
            sandbox: sandbox.clone(),
            files: looked.into_iter().map(file).collect(),
            unreadable: Vec::new(),
            seen: Mutex::new(sandbox.cache().get(FILES).unwrap_or_default()),
            admit,
            all: OnceLock::new(),
        }
    }

    /// The plugin that a file holds. Its digest is taken anew; it is compiled and asked to describe itself if it was never
    /// seen.
    ///
    /// # Errors
    /// The file is no plugin that can be used; why, for people.
    pub fn plugin_of(sandbox: &Sandbox, path: &Path) -> Result<Plugin, String> {
        look(sandbox, path, None, None)
    }

    /// The same for a component that `admit` lets in.
    ///
    /// # Errors
    /// As of [`Catalog::plugin_of`], and what `admit` says.
    pub fn plugin_admitted(sandbox: &Sandbox, path: &Path, admit: &Admit) -> Result<Plugin, String> {
        look(sandbox, path, None, Some(admit))
    }

    /// The digest of a component file as it is now, read from its first byte to its last.
    ///
    /// # Errors
    /// It cannot be read, or is larger than a component may be.
    pub fn digest_of(path: &Path) -> Result<Digest, String> {
        digest_file(path, COMPONENT_BYTES_MAX).map_err(|error| match error {
            SandboxError::TooLarge { size_bytes, .. } => format!(
                "it has {size_bytes} bytes; a component has at most {COMPONENT_BYTES_MAX}, whatever `limits.component` says"
            ),
            error => error.to_string(),
        })
    }

    /// The `*.wasm` files of a folder (not below it), by name; those of a folder that does not exist are none.
    ///
    /// # Errors
    /// It cannot be read.
    pub fn files_of(folder: &Path) -> Result<Vec<PathBuf>, String> {
        files(folder)
    }

    /// The files that it knows of, whatever they are.
    pub fn paths(&self) -> impl Iterator<Item = &Path> {
        self.files.iter().map(|file| file.path.as_path())
    }

    /// The plugins of the files that were looked at so far; looks at no other.
    pub fn looked(&self) -> impl Iterator<Item = &Plugin> {
        self.files.iter().filter_map(|file| file.looked.get()?.as_ref().ok())
    }

    /// The plugins, by name. Looks at every file.
    pub fn plugins(&self) -> impl Iterator<Item = &Plugin> {
        self.all().plugins.values().filter_map(|&position| self.plugin_at(position))
    }

    /// The plugin of that name. Looks at every file only if none is named as the plugin.
    pub fn get(&self, name: &str) -> Option<&Plugin> {
        let named_so = self.files.iter().filter(|file| is_named(&file.path, name));
        let plugin = |file| self.look(file).as_ref().ok().filter(|plugin| plugin.description.name == name);
        named_so.filter_map(plugin).next().or_else(|| self.plugin_at(*self.all().plugins.get(name)?))
    }

    /// A file that is named as the plugin, comes before its file, and was refused: somebody may have meant that one.
    pub fn refused_before(&self, plugin: &Plugin) -> Option<Refused> {
        let position = self.files.iter().position(|file| file.path == plugin.path)?;
        let before = self.files.get(..position)?.iter().filter(|file| is_named(&file.path, &plugin.description.name));
        let refused = |file: &File| match file.looked.get()? {
            Ok(_) => None,
            Err(reason) => Some(Refused { path: file.path.clone(), reason: reason.clone() }),
        };
        before.filter_map(refused).next()
    }

    /// The files that were refused. Looks at every file.
    pub fn refused(&self) -> &[Refused] {
        &self.all().refused
    }

    fn plugin_at(&self, position: usize) -> Option<&Plugin> {
        self.look(self.files.get(position)?).as_ref().ok()
    }

    fn look<'a>(&self, file: &'a File) -> &'a Result<Plugin, String> {
        // Nothing is locked but this one file: whoever needs another one goes on.
        file.looked.get_or_init(|| look(&self.sandbox, &file.path, Some(&self.seen), self.admit.as_ref()))
    }

    fn all(&self) -> &All {
        self.all.get_or_init(|| {
            let mut all = All { plugins: BTreeMap::new(), refused: self.unreadable.clone() };
            for (position, file) in self.files.iter().enumerate() {
                match self.look(file) {
                    Ok(plugin) => self.claim(&mut all, position, plugin),
                    Err(reason) => all.refused.push(Refused { path: file.path.clone(), reason: reason.clone() }),
                }
            }
            all
        })
    }

    /// Gives the plugin its name, or refuses it or the one that has it.
    fn claim(&self, all: &mut All, position: usize, plugin: &Plugin) {
        let name = &plugin.description.name;
        let Some((first, holder)) = all.plugins.get(name).and_then(|&first| Some((first, self.plugin_at(first)?)))
        else {
            all.plugins.insert(name.clone(), position);
            return;
        };
        let takes_it = is_named(&plugin.path, name) && !is_named(&holder.path, name);
        let (wins, loses) = if takes_it { (plugin, holder) } else { (holder, plugin) };
        let reason =
            format!("its name, `{name}`, is taken by {}; remove one of them or change its name", wins.path.display());
        all.refused.push(Refused { path: loses.path.clone(), reason });
        all.plugins.insert(name.clone(), if takes_it { position } else { first });
    }
}

impl fmt::Debug for Catalog {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.files.iter().map(|file| &file.path)).finish()
    }
}

/// Whether the file is named as the plugin; cargo makes `_` of `-`.
fn is_named(path: &Path, name: &str) -> bool {
    path.file_stem().and_then(|stem| stem.to_str()).is_some_and(|stem| stem.replace('_', "-") == name)
}

/// The `*.wasm` files of a folder by name.
fn files(folder: &Path) -> Result<Vec<PathBuf>, String> {
    let entries = match std::fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(format!("it cannot be read: {error}")),
    };
    let is_wasm = |path: &PathBuf| path.extension().is_some_and(|kind| kind == "wasm");
    let mut files: Vec<PathBuf> = entries.filter_map(|entry| Some(entry.ok()?.path())).filter(is_wasm).collect();
    files.sort();
    Ok(files)
}

/// The plugin of a file.
fn look(
    sandbox: &Sandbox,
    path: &Path,
    seen: Option<&Mutex<BTreeMap<PathBuf, Seen>>>,
    admit: Option<&Admit>,
) -> Result<Plugin, String> {
    let metadata = std::fs::metadata(path).map_err(|error| format!("it cannot be read: {error}"))?;
    if !metadata.is_file() {
        return Err("it is no file".to_owned());
    }
    let full = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    let stamp = Stamp::of(&metadata);
    // How large it may be for a stage is seen as it is bound to one.
    let limits = Limits { component_bytes_max: COMPONENT_BYTES_MAX, ..Limits::default() };
    let before = seen.and_then(|seen| locked(seen).get(&full).cloned());
    let digest = match before {
        Some(before) if before.stamp == stamp => before.digest,
        _ => {
            let digest = Catalog::digest_of(path)?;
            if let Some(seen) = seen {
                let mut seen = locked(seen);
                seen.insert(full, Seen { stamp: stamp.clone(), digest: digest.clone() });
                seen.retain(|path, _| path.exists());
                sandbox.cache().put(FILES, &*seen);
            }
            digest
        }
    };
    if let Some(admit) = admit {
        admit(path, &digest)?;
    }
    match describe::known(sandbox, path, &digest, &limits)? {
        Known::Plugin { description, imports, contract } => Ok(Plugin {
            description,
            digest,
            path: path.to_owned(),
            size_bytes: metadata.len(),
            imports,
            contract,
            outlives_its_file: false,
            stamp,
        }),
        Known::Refused { reason, .. } => Err(reason),
    }
}

fn locked(seen: &Mutex<BTreeMap<PathBuf, Seen>>) -> MutexGuard<'_, BTreeMap<PathBuf, Seen>> {
    seen.lock().unwrap_or_else(PoisonError::into_inner)
}

fn changed(metadata: &Metadata) -> u64 {
    let changed = metadata.modified().ok().and_then(|time| time.duration_since(UNIX_EPOCH).ok());
    changed.and_then(|since| u64::try_from(since.as_nanos()).ok()).unwrap_or(0)
}

#[cfg(unix)]
fn inode(metadata: &Metadata) -> (u64, i64, i64) {
    use std::os::unix::fs::MetadataExt;
    (metadata.ino(), metadata.ctime(), metadata.ctime_nsec())
}

#[cfg(not(unix))]
fn inode(_: &Metadata) -> (u64, i64, i64) {
    (0, 0, 0)
}
