//! Where a load goes, and what its files are called.

use std::path::{Path, PathBuf};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sluicebox_stage::Fault;
use twox_hash::XxHash3_128;

use crate::disk::folder_of;

/// Bytes of a load id in a file's name at the most.
const LONG_ID: usize = 80;
/// Bytes of a target's name in that of its temporary file at the most: with the id and the part it stays below 255.
const LONG_NAME: usize = 150;

/// What happens to what is at the target already.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Mode {
    /// The path is a file; the run's file takes its place in one step.
    #[default]
    Replace,
    /// The path is a folder; each run adds a file of its own, named after the pipeline, the data interval and the stage.
    /// A later run for the same interval replaces it, and no other.
    Append,
}

/// Where a load goes: one file, or a folder that gets one file of each load.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    path: PathBuf,
    mode: Mode,
    /// of the files in a folder, with its dot
    extension: String,
}

impl Target {
    /// The target of the options `path` and `mode`; `extension` (".csv") is that of files made in a folder.
    ///
    /// # Errors
    /// `invalid-config` where the path is empty, leaves its folder by `..`, or is a folder where a file is needed or
    /// the other way round. Looks at the file system, and changes nothing.
    pub fn new(path: &str, mode: Mode, extension: &str) -> Result<Self, Fault> {
        if path.trim().is_empty() {
            return Err(Fault::invalid_config(
                "`path` is empty; write where to load to, e.g. path = \"out/flights.csv\"",
            ));
        }
        let parts = Path::new(path).components();
        if parts.clone().any(|part| part == std::path::Component::ParentDir) {
            return Err(Fault::invalid_config(format!(
                "`path` is \"{path}\", which leaves its folder by \"..\"; write the path from the project's folder on"
            )));
        }
        if mode == Mode::Replace && path.ends_with('/') {
            return Err(is_folder(path));
        }
        Ok(Self { path: parts.collect(), mode, extension: extension.to_owned() })
    }

    /// Looks whether what stands at the path is of the kind that is needed, and changes nothing. Only for a load that
    /// begins: what was prepared can be taken back whatever has come to stand there.
    ///
    /// # Errors
    /// `invalid-config` where the path is a folder and a file is needed, or the other way round.
    pub(crate) fn look(&self) -> Result<(), Fault> {
        let path = self.path.display();
        match self.mode {
            Mode::Replace if self.path.is_dir() => Err(is_folder(&path.to_string())),
            Mode::Append if self.path.is_file() => Err(Fault::invalid_config(format!(
                "`path` is \"{path}\", a file; mode = \"append\" needs a folder, to which every run adds a file"
            ))),
            _ => Ok(()),
        }
    }

    /// What the options name.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    pub(crate) fn is_one_file(&self) -> bool {
        self.mode == Mode::Replace
    }

    /// The file that `part` of the load shows with `commit`.
    ///
    /// # Errors
    /// `invalid-config` for a second part of a load that replaces one file.
    pub fn file(&self, load_id: &str, part: u32) -> Result<PathBuf, Fault> {
        match self.mode {
            Mode::Append => Ok(self.path.join(format!("{}-{part}{}", safe(load_id), self.extension))),
            Mode::Replace if part == 0 => Ok(self.path.clone()),
            Mode::Replace => Err(Fault::invalid_config(format!(
                "`{}` is one file, and this load runs on more than one instance; write parallel = 1, or mode = \"append\" with a folder as path",
                self.path.display()
            ))),
        }
    }

    /// The folder that holds the temporary files.
    pub(crate) fn folder(&self) -> PathBuf {
        match self.mode {
            Mode::Append => self.path.clone(),
            Mode::Replace => folder_of(&self.path),
        }
    }

    /// Whether a file of this name in [`Target::folder`] is a temporary file of this load.
    pub(crate) fn is_temporary(&self, name: &str, load_id: &str) -> bool {
        let part = name.strip_suffix(".tmp").and_then(|rest| rest.rsplit_once('.')).and_then(|(_, part)| number(part));
        let file = part.and_then(|part| Some((part, self.file(load_id, part).ok()?)));
        file.is_some_and(|(part, file)| {
            temporary(&file, load_id, part).file_name().is_some_and(|expected| expected.to_str() == Some(name))
        })
    }

    /// Whether a file of this name in [`Target::folder`] is one that this load shows. In a folder, the extension may be
    /// any that our loads give: the rows of one interval are the same rows, packed or not.
    pub(crate) fn is_shown(&self, name: &str, load_id: &str) -> bool {
        if self.mode == Mode::Replace {
            return self.path.file_name().is_some_and(|file| file.to_str() == Some(name));
        }
        let Some(rest) = name.strip_prefix(&safe(load_id)).and_then(|rest| rest.strip_prefix('-')) else {
            return false;
        };
        let (part, extension) = rest.split_at(rest.find('.').unwrap_or(rest.len()));
        let packed = [".gz", ".zst"].iter().find_map(|packed| extension.strip_suffix(packed)).unwrap_or(extension);
        number(part).is_some() && (extension == self.extension || [".csv", ".jsonl", ".parquet"].contains(&packed))
    }
}

/// The fault of a path that is a folder where a file is needed.
fn is_folder(path: &str) -> Fault {
    Fault::invalid_config(format!(
        "`path` is \"{path}\", a folder; name a file in it, or write mode = \"append\" to add a file to the folder with every run"
    ))
}

/// The temporary file beside `file`. A long name is cut to what a file system takes.
pub(crate) fn temporary(file: &Path, load_id: &str, part: u32) -> PathBuf {
    let name = file.file_name().map(|name| name.to_string_lossy()).unwrap_or_default();
    let name = if name.len() <= LONG_NAME { name } else { hashed(&name, LONG_NAME, &name).into() };
    folder_of(file).join(format!(".{name}.{}.{part}.tmp", safe(load_id)))
}

/// A number as it is written in a file's name.
fn number(text: &str) -> Option<u32> {
    text.parse().ok().filter(|number: &u32| number.to_string() == text)
}

/// A load id as a part of a file's name: if it is long, or has other characters than letters, digits, `-` and `_`, it has a
/// hash of the id behind it, so that two ids never meet.
fn safe(load_id: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    if !load_id.is_empty() && load_id.len() <= LONG_ID && load_id.chars().all(plain) {
        return load_id.to_owned();
    }
    let kept: String = load_id.chars().map(|c| if plain(c) { c } else { '-' }).collect();
    hashed(&kept, LONG_ID, load_id)
}

/// The beginning of `text` and the hash of `whole`, in at most so many bytes.
fn hashed(text: &str, most: usize, whole: &str) -> String {
    let hash = XxHash3_128::oneshot(whole.as_bytes()) as u64;
    let kept = (0..=most.saturating_sub(17)).rev().find_map(|end| text.get(..end.min(text.len()))).unwrap_or_default();
    format!("{kept}-{hash:016x}")
}
