//! Files that no earlier run has read.

use crate::bookmark::{BYTES_MAX, Bookmark, Read};
use crate::find::find_any;
use crate::input::digest_of;
use crate::{FileError, FileSettings, Layout, Source, find};
use sluicebox_stage::{Fault, log};
use std::collections::BTreeMap;

/// Files that are no longer there are remembered up to this number, those that were changed last.
const GONE_MAX: usize = 10_000;

/// About the most that a file takes in a bookmark, besides its name.
const FILE_BYTES: usize = 80;

/// A file that was read: its size in bytes, when it was last changed, and the digest of its bytes.
#[derive(Debug, Clone)]
struct Done {
    size: u64,
    modified: Option<u64>,
    digest: String,
}

/// The files that were read, by folder: name, size, change, digest.
pub(crate) type Known = Vec<(String, Vec<(String, u64, Option<u64>, String)>)>;

/// A file that is there or was read.
#[derive(Debug, Default)]
struct Entry {
    done: Option<Done>,
    present: bool,
    /// it may only have been touched
    suspect: bool,
}

/// Finds out which files are new, and keeps account of those that were read.
#[derive(Debug)]
pub(crate) struct NewFiles {
    plugin: &'static str,
    files: BTreeMap<String, Entry>,
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
        let columns = known.as_ref().map(|(_, columns)| *columns);
        let all = if known.is_some() { find_any(&settings.paths)? } else { find(&settings.paths)? };
        let mut files: BTreeMap<String, Entry> = BTreeMap::new();
        for (folder, known) in known.into_iter().flat_map(|(known, _)| known) {
            for (name, size, modified, digest) in known {
                let done = Some(Done { size, modified, digest });
                files.insert(format!("{folder}{name}"), Entry { done, ..Entry::default() });
            }
        }
        let mut suspects = 0;
        let mut new = Vec::new();
        for source in &all {
            let entry = files.entry(source.path.clone()).or_default();
            entry.present = true;
            match &entry.done {
                None => {}
                Some(done) if done.size != source.size => warn_changed(&source.path, done.size, source.size),
                Some(done) if done.modified.is_some() && done.modified == source.modified => continue,
                Some(_) => {
                    entry.suspect = true;
                    suspects += 1;
                }
            }
            new.push(Source { hashed: true, ..source.clone() });
        }
        if columns.is_some() {
            log::info(format_args!(
                "{} of {} files are to be read: the others were loaded before",
                new.len() - suspects,
                all.len()
            ));
        }
        let track = Self { plugin, files, dirty: false };
        track.check_room(columns, settings)?;
        Ok(Found { track, all, new })
    }

    /// Whether the bookmark will hold all files that are there, before anything is read.
    fn check_room(&self, columns: Option<&Layout>, settings: &FileSettings) -> Result<(), Fault> {
        let mut bytes =
            1000 + columns.and_then(|columns| serde_json::to_string(columns).ok()).map_or(0, |text| text.len());
        let mut folder = "";
        for path in self.files.iter().filter(|(_, entry)| entry.present).map(|(path, _)| path) {
            let (in_folder, name) = parts(path);
            bytes += name.len() + FILE_BYTES;
            if in_folder != folder {
                bytes += in_folder.len() + 10;
                folder = in_folder;
            }
        }
        if bytes <= BYTES_MAX { Ok(()) } else { Err(too_many(self.present(), settings)) }
    }

    fn present(&self) -> usize {
        self.files.values().filter(|entry| entry.present).count()
    }

    /// Whether a file that was not read before is to be read, now that its turn has come.
    pub(crate) fn is_new(&mut self, source: &Source) -> Result<bool, FileError> {
        let Some(Entry { done: Some(done), suspect, .. }) = self.files.get_mut(&source.path) else { return Ok(true) };
        if !*suspect {
            return Ok(true);
        }
        let (bytes, digest) = digest_of(source)?;
        *suspect = false;
        if done.size == bytes && done.digest == digest {
            log::info(format_args!("{} was touched, but is as it was; it is not read again", source.path));
            done.modified = source.modified;
            self.dirty = true;
            return Ok(false);
        }
        warn_changed(&source.path, done.size, bytes);
        Ok(true)
    }

    /// A file was read to its end.
    pub(crate) fn read(&mut self, source: &Source, size: u64, digest: String) {
        self.files.entry(source.path.clone()).or_default().done =
            Some(Done { size, modified: source.modified, digest });
        self.dirty = true;
    }

    /// The bookmark, where there is something to be kept.
    pub(crate) fn bookmark(&mut self, layout: &Layout, settings: &FileSettings) -> Result<Option<String>, Fault> {
        if !self.dirty {
            return Ok(None);
        }
        let mut gone: Vec<u64> = self.files.values().filter(|entry| !entry.present).map(Entry::modified).collect();
        gone.sort_unstable();
        // Of those that are gone, the ones that were changed at this time or later.
        let mut most = GONE_MAX;
        loop {
            let first = gone.len().saturating_sub(most);
            let since = if most == 0 { u64::MAX } else { gone.get(first).copied().unwrap_or(u64::MAX) };
            let files = self.known(since);
            if let Some(text) = Bookmark::new(self.plugin, layout, Read::NewFiles(files)).encode()? {
                self.dirty = false;
                return Ok(Some(text));
            }
            if most == 0 {
                return Err(too_many(self.present(), settings));
            }
            most = most.min(gone.len()) * 3 / 4;
        }
    }

    /// The files that are there, and those that were changed at `since` or later.
    fn known(&self, since: u64) -> Known {
        let mut known = Known::new();
        for (path, entry) in &self.files {
            let Some(done) = entry.done.as_ref().filter(|_| entry.present || entry.modified() >= since) else {
                continue;
            };
            let (folder, name) = parts(path);
            let file = (name.to_owned(), done.size, done.modified, done.digest.clone());
            match known.last_mut() {
                Some((last, files)) if last == folder => files.push(file),
                _ => known.push((folder.to_owned(), vec![file])),
            }
        }
        known
    }
}

impl Entry {
    fn modified(&self) -> u64 {
        self.done.as_ref().and_then(|done| done.modified).unwrap_or(0)
    }
}

/// Folder, with its slash, and name.
fn parts(path: &str) -> (&str, &str) {
    path.split_at(path.rfind('/').map_or(0, |slash| slash + 1))
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
