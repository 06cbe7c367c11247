//! `sluicebox.lock`: which component is meant by each plugin's name, by its digest.

use crate::show::human::clean_line;
use crate::trouble::Trouble;
use serde::Deserialize;
use sluicebox_model::pipeline::{Problem, StageSpec};
use sluicebox_model::plugin::Digest;
use sluicebox_sandbox::{Admit, Plugin, Refused};
use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// The file's name.
pub const LOCK: &str = "sluicebox.lock";

/// Folders that are looked at.
pub(crate) const ABOVE_MAX: usize = 16;

/// A file larger than this is none.
pub(crate) const BYTES_MAX: u64 = 4 * 1024 * 1024;

/// What to do where a component is not the one of the lock.
const HELP: &str =
    "`sluicebox plugins verify` tells all that differs; if it is meant to be so, `sluicebox plugins lock`";

/// A plugin that is locked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Locked {
    /// Its version, for people.
    pub version: String,
    /// Which component it is.
    pub digest: Digest,
}

impl Locked {
    /// What locks this plugin.
    pub fn of(plugin: &Plugin) -> Self {
        Self { version: plugin.description.version.clone(), digest: plugin.digest.clone() }
    }
}

/// The plugins of a folder of pipelines, by name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lock {
    /// The file.
    pub path: PathBuf,
    /// What it says.
    pub plugins: BTreeMap<String, Locked>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Text {
    version: u64,
    #[serde(default, rename = "plugin")]
    plugins: Vec<Entry>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    name: String,
    version: String,
    digest: String,
}

impl Lock {
    /// The nearest lock, in this folder or above; none if there is none.
    ///
    /// # Errors
    /// It cannot be read, or is none.
    pub fn nearest(root: &Path) -> Result<Option<Self>, Trouble> {
        let here = absolute(root);
        let found = here.ancestors().take(ABOVE_MAX).map(|folder| folder.join(LOCK)).find(|path| path.is_file());
        found.map(|path| Self::read(&path)).transpose()
    }

    /// The nearest lock, for those who ask for one.
    ///
    /// # Errors
    /// There is none, it cannot be read, or is none.
    pub fn needed(root: &Path) -> Result<Arc<Self>, Trouble> {
        let none = || {
            Trouble::new(format!("`--locked` needs a {LOCK}, and there is none in {} or above", shown(&absolute(root))))
                .help("`sluicebox plugins lock` writes one with the plugins as they are now")
        };
        Self::nearest(root)?.map(Arc::new).ok_or_else(none)
    }

    /// The nearest lock, or an empty one where it belongs: the folder of the pipelines.
    ///
    /// # Errors
    /// It cannot be read, or is none.
    pub fn nearest_or_new(root: &Path) -> Result<(Self, bool), Trouble> {
        if let Some(lock) = Self::nearest(root)? {
            return Ok((lock, false));
        }
        let here = absolute(root);
        let path = crate::settings::home(&here).unwrap_or(&here).join(LOCK);
        Ok((Self { path, plugins: BTreeMap::new() }, true))
    }

    /// Reads a lock.
    ///
    /// # Errors
    /// It cannot be read, or is none.
    pub fn read(path: &Path) -> Result<Self, Trouble> {
        let unreadable = |error: io::Error| Trouble::new(format!("{} cannot be read: {error}", shown(path)));
        let bytes = fs::metadata(path).map_err(unreadable)?.len();
        if bytes > BYTES_MAX {
            return Err(Trouble::new(format!("{} has {bytes} bytes: that is no lock", shown(path))));
        }
        let text = fs::read_to_string(path).map_err(unreadable)?;
        let plugins = parse(&text).map_err(|why| {
            Trouble::new(format!("{} is damaged: {why}", shown(path))).help(
                "put back the version that was in order; or delete it, and `sluicebox plugins lock` writes it anew",
            )
        })?;
        Ok(Self { path: path.to_owned(), plugins })
    }

    /// Writes it, whole or not at all.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn write(&self) -> Result<(), Trouble> {
        let half = self.path.with_extension(format!("lock.{}.half", std::process::id()));
        let written = File::create(&half).and_then(|mut file| {
            file.write_all(self.text().as_bytes())?;
            file.sync_all()
        });
        written.and_then(|()| fs::rename(&half, &self.path)).map_err(|error| {
            let _ = fs::remove_file(&half);
            Trouble::new(format!("{} cannot be written: {error}", shown(&self.path)))
        })
    }

    /// What stands in the file.
    fn text(&self) -> String {
        let mut text = "# The plugins of the pipelines here, by their digests. `sluicebox plugins lock` writes it anew,\n\
             # `sluicebox plugins verify` compares, `--locked` uses no others. Keep it with the pipelines.\nversion = 1\n"
            .to_owned();
        for (name, Locked { version, digest }) in &self.plugins {
            text.push_str(&format!(
                "\n[[plugin]]\nname = \"{name}\"\nversion = \"{version}\"\ndigest = \"{digest}\"\n"
            ));
        }
        text
    }

    /// Lets in the components that are locked, and no others.
    pub fn admit(self: &Arc<Self>) -> Admit {
        let lock = Arc::clone(self);
        Arc::new(move |path, digest| lock.admits(path, digest))
    }

    /// Whether a component is locked.
    ///
    /// # Errors
    /// It is not; why, for people.
    pub fn admits(&self, path: &Path, digest: &Digest) -> Result<(), String> {
        if self.plugins.values().any(|locked| locked.digest == *digest) {
            return Ok(());
        }
        let stem = path.file_stem().map(|stem| stem.to_string_lossy().replace('_', "-")).unwrap_or_default();
        Err(match self.plugins.get(&stem) {
            Some(locked) => format!("it is not the one in {LOCK}: {}", differ(digest, locked)),
            None => format!("it is not in {LOCK} (its digest is {})", short(digest)),
        })
    }

    /// What is wrong with the plugin of a stage; `refused` are the files that were not let in.
    pub fn problem(&self, stage: &StageSpec, plugin: Option<&Plugin>, refused: &[Refused]) -> Option<Problem> {
        let name = &stage.plugin;
        let locked = self.plugins.get(name);
        let is_named =
            |path: &Path| path.file_stem().is_some_and(|stem| stem.to_string_lossy().replace('_', "-") == *name);
        let message = match (plugin, locked) {
            (Some(plugin), Some(locked)) if plugin.digest == locked.digest => return None,
            (Some(plugin), Some(locked)) => {
                format!("plugin `{name}` is not the one in {LOCK}: {}", differ(&plugin.digest, locked))
            }
            (None, _) => {
                let file = refused.iter().find(|refused| is_named(&refused.path) && refused.reason.contains(LOCK))?;
                format!("plugin `{name}` is refused: {}", file.reason)
            }
            (Some(_), None) => format!("plugin `{name}` is not in {LOCK}"),
        };
        Some(Problem::error(stage.spans.plugin.clone(), message).help(HELP))
    }
}

fn differ(digest: &Digest, locked: &Locked) -> String {
    format!(
        "its digest is {}, that of the lock (version {}) is {}",
        short(digest),
        locked.version,
        short(&locked.digest)
    )
}

/// Enough of a digest to tell it from another.
pub fn short(digest: &Digest) -> &str {
    digest.0.get(..12).unwrap_or(&digest.0)
}

fn absolute(root: &Path) -> PathBuf {
    root.canonicalize().unwrap_or_else(|_| root.to_owned())
}

fn shown(path: &Path) -> String {
    clean_line(&path.display().to_string())
}

fn parse(text: &str) -> Result<BTreeMap<String, Locked>, String> {
    let text: Text = toml::from_str(text).map_err(|error| clean_line(error.message()))?;
    if text.version != 1 {
        return Err(format!("it is of version {}, and this host knows version 1", text.version));
    }
    let mut plugins = BTreeMap::new();
    for Entry { name, version, digest } in text.plugins {
        let plain = |text: &str, more: &str| {
            !text.is_empty() && text.len() <= 100 && text.chars().all(|c| c.is_ascii_alphanumeric() || more.contains(c))
        };
        if !plain(&name, "-") || !plain(&version, "-+.") {
            return Err(format!("`{}` is no name and version of a plugin", clean_line(&format!("{name} {version}"))));
        }
        if digest.len() != 64 || !digest.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f')) {
            return Err(format!("the digest of `{name}` is not 64 hexadecimal digits"));
        }
        if plugins.insert(name.clone(), Locked { version, digest: Digest(digest) }).is_some() {
            return Err(format!("`{name}` is there twice"));
        }
    }
    Ok(plugins)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_lock_is_read_as_it_was_written() {
        let folder = tempfile::tempdir().unwrap();
        let below = folder.path().join("a/b");
        fs::create_dir_all(&below).unwrap();
        assert_eq!(Lock::nearest(&below).unwrap().filter(|lock| lock.path.starts_with(folder.path())), None);
        let root = folder.path().canonicalize().unwrap();
        let locked = Locked { version: "1.2.3-a+b".to_owned(), digest: Digest("0a".repeat(32)) };
        let lock = Lock { path: root.join(LOCK), plugins: [("extract-csv".to_owned(), locked)].into() };
        lock.write().unwrap();
        assert_eq!(Lock::nearest(&below).unwrap(), Some(lock));
        assert_eq!(fs::read_dir(&root).unwrap().count(), 2, "nothing else is left");
    }

    #[test]
    fn what_is_no_lock_says_why() {
        let entry =
            |name: &str, digest: &str| format!("[[plugin]]\nname = '{name}'\nversion = '1.0.0'\ndigest = '{digest}'\n");
        let digest = "b".repeat(64);
        let why = |text: &str| parse(text).unwrap_err();
        assert!(why("").contains("version"));
        assert_eq!(why("version = 2"), "it is of version 2, and this host knows version 1");
        assert!(why("version = 1\nplugins = 3").contains("plugins"));
        assert_eq!(
            why(&format!("version = 1\n{}", entry("a", "bb"))),
            "the digest of `a` is not 64 hexadecimal digits"
        );
        assert!(why(&format!("version = 1\n{}", entry("../a", &digest))).contains("`../a 1.0.0` is no name"));
        let twice = format!("version = 1\n{}{}", entry("a", &digest), entry("a", &digest));
        assert_eq!(why(&twice), "`a` is there twice");
        assert_eq!(parse("version = 1").unwrap().len(), 0);
    }

    #[test]
    fn only_what_is_locked_is_let_in() {
        let digest = |letter: &str| Digest(letter.repeat(64));
        let locked = Locked { version: "1.0.0".to_owned(), digest: digest("a") };
        let lock = Lock { path: PathBuf::new(), plugins: [("extract-csv".to_owned(), locked)].into() };
        assert_eq!(lock.admits(Path::new("whatever.wasm"), &digest("a")), Ok(()));
        assert_eq!(
            lock.admits(Path::new("p/extract_csv.wasm"), &digest("b")).unwrap_err(),
            "it is not the one in sluicebox.lock: its digest is bbbbbbbbbbbb, that of the lock (version 1.0.0) is aaaaaaaaaaaa"
        );
        assert!(
            lock.admits(Path::new("p/new.wasm"), &digest("b")).unwrap_err().starts_with("it is not in sluicebox.lock")
        );
    }
}
