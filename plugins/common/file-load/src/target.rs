//! Where a load goes, and what its files are called.

use std::path::{Path, PathBuf};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sluicebox_stage::Fault;

/// What happens to what is at the target already.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Mode {
    /// The path is a file; the run's file takes its place in one step.
    #[default]
    Replace,
    /// The path is a folder; each run adds a file of its own, named after the load's id.
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
        let target = Self { path: parts.collect(), mode, extension: extension.to_owned() };
        match mode {
            Mode::Replace if path.ends_with('/') || target.path.is_dir() => Err(Fault::invalid_config(format!(
                "`path` is \"{path}\", a folder; name a file in it, or write mode = \"append\" to add a file to the folder with every run"
            ))),
            Mode::Append if target.path.is_file() => Err(Fault::invalid_config(format!(
                "`path` is \"{path}\", a file; mode = \"append\" needs a folder, to which every run adds a file"
            ))),
            _ => Ok(target),
        }
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
        let id = safe(load_id);
        let Some(rest) = name.strip_prefix('.').and_then(|rest| rest.strip_suffix(".tmp")) else { return false };
        let Some((rest, part)) = rest.rsplit_once('.') else { return false };
        let Ok(part) = part.parse::<u32>() else { return false };
        let Some(file) = rest.strip_suffix(&id).and_then(|rest| rest.strip_suffix('.')) else { return false };
        self.file(load_id, part).is_ok_and(|path| path.file_name().is_some_and(|name| name.to_str() == Some(file)))
    }
}

/// The temporary file beside `file`.
pub(crate) fn temporary(file: &Path, load_id: &str, part: u32) -> PathBuf {
    let name = file.file_name().map(|name| name.to_string_lossy()).unwrap_or_default();
    folder_of(file).join(format!(".{name}.{}.{part}.tmp", safe(load_id)))
}

/// The folder of a file, "." for a bare name.
pub(crate) fn folder_of(file: &Path) -> PathBuf {
    match file.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder.to_owned(),
        _ => PathBuf::from("."),
    }
}

/// A load id as a part of a file's name: other than letters, digits, `-` and `_` it has a hash of the id behind it, so
/// that two ids never meet.
fn safe(load_id: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    if !load_id.is_empty() && load_id.len() <= 100 && load_id.chars().all(plain) {
        return load_id.to_owned();
    }
    let hash = load_id
        .bytes()
        .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3));
    let kept: String = load_id.chars().map(|c| if plain(c) { c } else { '-' }).take(100).collect();
    format!("{kept}-{hash:016x}")
}
