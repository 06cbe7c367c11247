//! Finds plugins in folders.

use crate::describe::{self, Known};
use crate::sandbox::{Sandbox, digest_file};
use serde::{Deserialize, Serialize};
use sluicebox_model::limits::Limits;
use sluicebox_model::plugin::{Capability, Description, Digest};
use std::collections::BTreeMap;
use std::fs::Metadata;
use std::path::{Path, PathBuf};
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
}

/// A `.wasm` file that is no plugin that can be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refused {
    /// The file, or a folder that cannot be read.
    pub path: PathBuf,
    /// Why, for people.
    pub reason: String,
}

/// The plugins of some folders.
#[derive(Clone, Debug, Default)]
pub struct Catalog {
    plugins: Vec<Plugin>,
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
    size_bytes: u64,
    changed_nanos: u128,
    inode: u64,
    digest: Digest,
}

impl Catalog {
    /// Finds the `*.wasm` files in the folders (not below them). A name that two files claim goes to the file of the
    /// earlier folder, and within a folder to the earlier file name; the other is refused. A folder that does not exist
    /// holds no plugins.
    ///
    /// A component that was never seen is compiled and asked to describe itself, without any grant; its answer is kept
    /// by its digest.
    pub fn scan(sandbox: &Sandbox, folders: &[PathBuf]) -> Self {
        let mut catalog = Self::default();
        let before: BTreeMap<PathBuf, Seen> = sandbox.cache().get(FILES).unwrap_or_default();
        let mut seen = before.clone();
        for folder in folders {
            for path in catalog.files(folder) {
                match look(sandbox, &path, &mut seen) {
                    Ok(plugin) => catalog.add(plugin),
                    Err(reason) => catalog.refused.push(Refused { path, reason }),
                }
            }
        }
        if seen != before {
            seen.retain(|path, _| path.exists());
            sandbox.cache().put(FILES, &seen);
        }
        catalog.plugins.sort_by(|a, b| a.description.name.cmp(&b.description.name));
        catalog
    }

    fn files(&mut self, folder: &Path) -> Vec<PathBuf> {
        let entries = match std::fs::read_dir(folder) {
            Ok(entries) => entries,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Vec::new(),
            Err(error) => {
                self.refused.push(Refused { path: folder.to_owned(), reason: format!("it cannot be read: {error}") });
                return Vec::new();
            }
        };
        let is_wasm = |path: &PathBuf| path.extension().is_some_and(|kind| kind == "wasm");
        let mut files: Vec<PathBuf> = entries.filter_map(|entry| Some(entry.ok()?.path())).filter(is_wasm).collect();
        files.sort();
        files
    }

    fn add(&mut self, plugin: Plugin) {
        match self.get(&plugin.description.name) {
            Some(first) => {
                let reason = format!(
                    "its name, `{}`, is taken by {}, which was found first; remove one of them or change its name",
                    plugin.description.name,
                    first.path.display()
                );
                self.refused.push(Refused { path: plugin.path, reason });
            }
            None => self.plugins.push(plugin),
        }
    }

    /// The plugins, by name.
    pub fn plugins(&self) -> impl Iterator<Item = &Plugin> {
        self.plugins.iter()
    }

    /// The plugin of that name.
    pub fn get(&self, name: &str) -> Option<&Plugin> {
        self.plugins.iter().find(|plugin| plugin.description.name == name)
    }

    /// The files that were refused.
    pub fn refused(&self) -> &[Refused] {
        &self.refused
    }
}

/// The plugin of a file.
fn look(sandbox: &Sandbox, path: &Path, seen: &mut BTreeMap<PathBuf, Seen>) -> Result<Plugin, String> {
    let metadata = std::fs::metadata(path).map_err(|error| format!("it cannot be read: {error}"))?;
    if !metadata.is_file() {
        return Err("it is no file".to_owned());
    }
    let full = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    let stamp = |digest| Seen {
        size_bytes: metadata.len(),
        changed_nanos: changed(&metadata),
        inode: inode(&metadata),
        digest,
    };
    let limits = Limits::default();
    let digest = match seen.get(&full) {
        Some(before) if *before == stamp(before.digest.clone()) => before.digest.clone(),
        _ => {
            let digest = digest_file(path, limits.component_bytes_max).map_err(|error| error.to_string())?;
            seen.insert(full, stamp(digest.clone()));
            digest
        }
    };
    match describe::known(sandbox, path, &digest, &limits)? {
        Known::Plugin { description, imports } => {
            Ok(Plugin { description, digest, path: path.to_owned(), size_bytes: metadata.len(), imports })
        }
        Known::Refused { reason, .. } => Err(reason),
    }
}

fn changed(metadata: &Metadata) -> u128 {
    let changed = metadata.modified().ok().and_then(|time| time.duration_since(UNIX_EPOCH).ok());
    changed.map_or(0, |since| since.as_nanos())
}

#[cfg(unix)]
fn inode(metadata: &Metadata) -> u64 {
    std::os::unix::fs::MetadataExt::ino(metadata)
}

#[cfg(not(unix))]
fn inode(_: &Metadata) -> u64 {
    0
}
