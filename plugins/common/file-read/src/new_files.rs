//! Files that no earlier run has read.

use crate::bookmark::{BYTES_MAX, Bookmark, Read};
use crate::find::find_any;
use crate::input::digest_of;
use crate::{FileError, FileSettings, Layout, Source, find};
use serde::{Deserialize, Serialize};
use sluicebox_stage::{Fault, log};
use std::collections::{BTreeMap, BTreeSet};

/// Files that are no longer there are remembered up to this number, those that were changed last.
const GONE_MAX: usize = 10_000;

/// A file that was read: its size in bytes, when it was last changed, and the digest of its bytes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Done(u64, Option<u64>, String);

/// The files that were read: by folder, by name.
pub(crate) type Known = BTreeMap<String, BTreeMap<String, Done>>;

/// Finds out which files are new, and keeps account of those that were read.
#[derive(Debug)]
pub(crate) struct NewFiles {
    plugin: &'static str,
    done: BTreeMap<String, Done>,
    /// the files that are there
    present: BTreeSet<String>,
    /// those that may only have been touched
    suspects: BTreeSet<String>,
    /// something is to be kept that the last bookmark does not hold
    dirty: bool,
}

/// What is there, and what of it is to be read.
pub(crate) struct Found {
    pub(crate) track: NewFiles,
    pub(crate) all: Vec<Source>,
    pub(crate) new: Vec<Source>,
}

impl NewFiles {
    pub(crate) fn plan(
        settings: &FileSettings,
        known: Option<(Known, &Layout)>,
        plugin: &'static str,
    ) -> Result<Found, Fault> {
        let columns = known.as_ref().map(|(_, columns)| (*columns).clone());
        let all = if known.is_some() { find_any(&settings.paths)? } else { find(&settings.paths)? };
        let done: BTreeMap<String, Done> = known
            .into_iter()
            .flat_map(|(known, _)| known)
            .flat_map(|(folder, files)| files.into_iter().map(move |(name, done)| (format!("{folder}{name}"), done)))
            .collect();
        let mut track = Self {
            plugin,
            done,
            present: all.iter().map(|source| source.path.clone()).collect(),
            suspects: BTreeSet::new(),
            dirty: false,
        };
        let mut new = Vec::new();
        for source in &all {
            match track.done.get(&source.path) {
                None => {}
                Some(Done(size, ..)) if *size != source.size => {
                    warn_changed(&source.path, *size, source.size);
                }
                Some(Done(_, modified, _)) if modified.is_some() && *modified == source.modified => continue,
                Some(_) => {
                    track.suspects.insert(source.path.clone());
                }
            }
            new.push(Source { hashed: true, ..source.clone() });
        }
        if columns.is_some() {
            log::info(format_args!(
                "{} of {} files are to be read: the others were loaded before",
                new.len() - track.suspects.len(),
                all.len()
            ));
        }
        track.check_room(&new, columns.as_ref(), settings)?;
        Ok(Found { track, all, new })
    }

    /// Whether the bookmark will hold all files that are there, before anything is read.
    fn check_room(&self, new: &[Source], columns: Option<&Layout>, settings: &FileSettings) -> Result<(), Fault> {
        let mut done = self.done.clone();
        done.retain(|path, _| self.present.contains(path));
        for source in new {
            done.insert(source.path.clone(), Done(source.size, source.modified, "0".repeat(32)));
        }
        let text = serde_json::to_string(&by_folder(done.iter()));
        let columns = columns.and_then(|columns| serde_json::to_string(columns).ok()).map_or(0, |text| text.len());
        if text.map_or(0, |text| text.len()) + columns < BYTES_MAX - 1000 {
            return Ok(());
        }
        Err(too_many(self.present.len(), settings))
    }

    /// Whether a file that was not read before is to be read, now that its turn has come.
    pub(crate) fn is_new(&mut self, source: &Source) -> Result<bool, FileError> {
        if !self.suspects.contains(&source.path) {
            return Ok(true);
        }
        let (bytes, digest) = digest_of(source)?;
        self.suspects.remove(&source.path);
        let Some(done) = self.done.get_mut(&source.path) else { return Ok(true) };
        if done.0 == bytes && done.2 == digest {
            log::info(format_args!("{} was touched, but is as it was; it is not read again", source.path));
            done.1 = source.modified;
            self.dirty = true;
            return Ok(false);
        }
        warn_changed(&source.path, done.0, bytes);
        Ok(true)
    }

    /// A file was read to its end.
    pub(crate) fn read(&mut self, source: &Source, bytes: u64, digest: String) {
        self.done.insert(source.path.clone(), Done(bytes, source.modified, digest));
        self.dirty = true;
    }

    /// The bookmark, where there is something to be kept.
    pub(crate) fn bookmark(&mut self, layout: &Layout, settings: &FileSettings) -> Result<Option<String>, Fault> {
        if !self.dirty {
            return Ok(None);
        }
        let (mut gone, present): (Vec<_>, Vec<_>) =
            self.done.iter().partition(|(path, _)| !self.present.contains(*path));
        gone.sort_by_key(|(_, done)| std::cmp::Reverse(done.1));
        gone.truncate(GONE_MAX);
        loop {
            let files = by_folder(present.iter().chain(&gone).copied());
            let bookmark = Bookmark::new(self.plugin, layout, Read::NewFiles(files));
            if let Some(text) = bookmark.encode()? {
                self.dirty = false;
                return Ok(Some(text));
            }
            if gone.is_empty() {
                return Err(too_many(present.len(), settings));
            }
            gone.truncate(gone.len() * 3 / 4);
        }
    }
}

fn by_folder<'a>(files: impl Iterator<Item = (&'a String, &'a Done)>) -> Known {
    let mut known = Known::new();
    for (path, done) in files {
        let (folder, name) = path.split_at(path.rfind('/').map_or(0, |slash| slash + 1));
        known.entry(folder.to_owned()).or_default().insert(name.to_owned(), done.clone());
    }
    known
}

fn warn_changed(path: &str, before: u64, now: u64) {
    log::warn(format_args!(
        "{path} has changed since it was loaded ({before} bytes then, {now} now): it is read again as a whole, and what was \
         loaded of it before stays loaded"
    ));
}

fn too_many(files: usize, settings: &FileSettings) -> Fault {
    Fault::invalid_config(format!(
        "{} finds {files} files, and a bookmark remembers about 10,000 ({BYTES_MAX} bytes); move files that were loaded \
         elsewhere, or let `path` find the newer ones only",
        settings.paths.join(", ")
    ))
}
