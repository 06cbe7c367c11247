//! Files whose arrival starts a pipeline.

use super::folder::Offered;
use super::rows::{self, RunOptions};
use super::service::Service;
use crate::trouble::Trouble;
use jiff::Timestamp;
use sluicebox_model::house::{Decided, HouseEvent, NewHouseEvent, NewRun};
use sluicebox_model::pipeline::{FileTrigger, Pipeline};
use sluicebox_model::run::{Interval, Trigger};
use sluicebox_schedule::file_trigger::{FileWatch, Memory, Seen, Verdict};
use sluicebox_store::HouseFilter;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// Files of one pipeline that are looked at; more are left out, and told.
pub(crate) const FILES_MAX: usize = 10_000;

/// Names that an event tells.
pub(crate) const NAMES_MAX: usize = 1000;

/// Folders deeper than this are not looked into.
pub(crate) const DEPTH_MAX: usize = 16;

/// The files of all pipelines.
#[derive(Default)]
pub(super) struct Watches {
    of: BTreeMap<String, FileWatch>,
    /// Of pipelines that are paused: what arrives is told, and starts a run as they are resumed.
    held: BTreeMap<String, FileWatch>,
}

impl Watches {
    fn watches(&mut self, is_held: bool) -> &mut BTreeMap<String, FileWatch> {
        if is_held { &mut self.held } else { &mut self.of }
    }
}

impl Service {
    /// Looks at the files of all pipelines that wait for some, and has those run whose files have arrived.
    pub(super) fn look_for_files(&self, now: Timestamp) -> Result<(), Trouble> {
        let waiting: Vec<(String, Offered, FileTrigger, bool)> = {
            let inner = self.lock();
            let is_paused = |name: &String| inner.states.get(name).is_some_and(|state| state.paused.is_some());
            let with_files = inner.offered.iter().filter_map(|(name, offered)| {
                let when = offered.pipeline.schedule.as_ref()?.when.clone()?;
                Some((name.clone(), offered.clone(), when, is_paused(name)))
            });
            with_files.collect()
        };
        {
            let mut inner = self.lock();
            let is =
                |name: &String, held: bool| waiting.iter().any(|(other, .., paused)| other == name && *paused == held);
            inner.files.of.retain(|name, _| is(name, false));
            inner.files.held.retain(|name, _| is(name, true));
        }
        for (name, offered, when, is_held) in waiting {
            let root = &offered.source.root;
            let found = find(root, &granted(root, &offered.pipeline), &when.file.text);
            let known = self.lock().files.watches(is_held).remove(&name);
            let mut watch = match known {
                Some(watch) => watch,
                None => FileWatch::new(when.settled, self.memory(&name)?),
            };
            let verdict = watch.observe(found, now);
            let memory = watch.memory().clone();
            if let Verdict::Settled { key, new } = verdict {
                // Not kept: it is decided again at the next look.
                match is_held {
                    true => self.tell_held(&name, new, now)?,
                    false => self.start_for_files(&name, key, new, memory, now)?,
                }
            }
            self.lock().files.watches(is_held).insert(name, watch);
        }
        Ok(())
    }

    /// Files have arrived for a pipeline that is paused.
    fn tell_held(&self, name: &str, mut files: Vec<String>, now: Timestamp) -> Result<(), Trouble> {
        files.truncate(NAMES_MAX);
        let reason = "it is paused; they start a run when it is resumed".to_owned();
        tracing::info!(pipeline = %name, "files have arrived: {reason}");
        let event = HouseEvent::FilesHeld { files, reason };
        let events = vec![NewHouseEvent { pipeline: Some(name.to_owned()), event }];
        self.keep_soon(&Decided { events, ..Decided::default() }, now).map(drop)
    }

    fn start_for_files(
        &self,
        name: &str,
        key: String,
        mut new: Vec<String>,
        memory: Memory,
        now: Timestamp,
    ) -> Result<(), Trouble> {
        let Some(offered) = self.offered(name) else { return Ok(()) };
        let interval = Interval { start: now, end: now };
        let mut run = rows::row(name, Some(&offered.pipeline), Trigger::Dependency, interval, now)?;
        let first = new.first().cloned().unwrap_or_default();
        run.reason = match new.len() {
            1 => format!("{first} arrived"),
            more => format!("{first} and {} more arrived", more - 1),
        };
        run.options = RunOptions { files: Some(memory), ..RunOptions::default() }.value();
        tracing::info!(pipeline = %name, run = %run.run, "{}", run.reason);
        new.truncate(NAMES_MAX);
        let events = vec![HouseEvent::FileTriggered { run: run.run, files: new }];
        // The same files start one run, whoever looks at them how often.
        let runs = vec![NewRun { run, once: Some(format!("files-{key}")), events }];
        self.keep(&Decided { runs, ..Decided::default() }, now).map(drop)
    }

    /// The files that a run of an earlier host was started for.
    fn memory(&self, name: &str) -> Result<Memory, Trouble> {
        let filter = HouseFilter {
            pipeline: Some(name.to_owned()),
            kinds: vec!["file-triggered".to_owned()],
            newest_first: true,
            limit: Some(1),
            ..HouseFilter::default()
        };
        let last = self.house.store.house_events(&filter)?.into_iter().next();
        let Some(HouseEvent::FileTriggered { run, .. }) = last.map(|entry| entry.event) else {
            return Ok(Memory::default());
        };
        let row = self.house.store.queue_row(run)?;
        Ok(row.and_then(|row| RunOptions::of(&row).files).unwrap_or_default())
    }
}

/// The part of a path or pattern that is no pattern: the folder that is looked at.
pub(crate) fn fixed_part(pattern: &str) -> &str {
    let end = pattern.find(['*', '?', '[', '{']).unwrap_or(pattern.len());
    pattern.get(..end).and_then(|fixed| fixed.rfind('/')).and_then(|slash| pattern.get(..slash)).unwrap_or("")
}

/// The folders that stages of a pipeline may read or write, as they really are.
fn granted(root: &Path, pipeline: &Pipeline) -> Vec<PathBuf> {
    let grants = pipeline.stages.iter().flat_map(|stage| stage.grants.read.iter().chain(&stage.grants.write));
    grants.filter_map(|grant| root.join(grant).canonicalize().ok()).collect()
}

/// Whether a path leads, whatever links are on its way, to a place in one of these folders.
fn is_within(granted: &[PathBuf], path: &Path) -> bool {
    path.canonicalize().is_ok_and(|real| granted.iter().any(|folder| real.starts_with(folder)))
}

/// The files that a path or pattern names, by their path from `root`; only those in the granted folders, as no link leads a
/// stage out of them.
fn find(root: &Path, granted: &[PathBuf], pattern: &str) -> Vec<Seen> {
    let mut found = Vec::new();
    let pattern = pattern.trim_start_matches("./");
    let is_pattern = pattern.contains(['*', '?', '[', '{']);
    if !is_pattern {
        found.extend(seen(root, pattern).filter(|_| is_within(granted, &root.join(pattern))));
        return found;
    }
    let folder = fixed_part(pattern);
    if !is_within(granted, &root.join(folder)) {
        return found;
    }
    walk(root, granted, folder, pattern, 0, &mut found);
    if found.len() >= FILES_MAX {
        tracing::warn!("{pattern} names more than {FILES_MAX} files; the others are not looked at");
    }
    found
}

fn walk(root: &Path, granted: &[PathBuf], folder: &str, pattern: &str, depth: usize, found: &mut Vec<Seen>) {
    let Ok(entries) = std::fs::read_dir(root.join(folder)) else { return };
    for entry in entries.flatten() {
        let Ok(name) = entry.file_name().into_string() else { continue };
        if found.len() >= FILES_MAX || name.starts_with('.') {
            continue;
        }
        let path = if folder.is_empty() { name } else { format!("{folder}/{name}") };
        let Ok(kind) = entry.file_type() else { continue };
        if kind.is_dir() && depth < DEPTH_MAX {
            walk(root, granted, &path, pattern, depth + 1, found);
        } else if fast_glob::glob_match(pattern, &path) {
            // Folders that are links are not entered, so that only the last step may lead away.
            let stays = !kind.is_symlink() || is_within(granted, &root.join(&path));
            found.extend(seen(root, &path).filter(|_| stays));
        }
    }
}

fn seen(root: &Path, path: &str) -> Option<Seen> {
    let metadata = std::fs::metadata(root.join(path)).ok().filter(std::fs::Metadata::is_file)?;
    let modified =
        metadata.modified().ok().and_then(|at| Timestamp::try_from(at).ok()).unwrap_or(Timestamp::UNIX_EPOCH);
    Some(Seen { path: path.to_owned(), size: metadata.len(), modified })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn files_are_found_by_pattern() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir_all(folder.path().join("in/deep")).unwrap();
        for name in ["in/a.csv", "in/b.txt", "in/deep/c.csv", "in/.hidden.csv"] {
            std::fs::write(folder.path().join(name), "x").unwrap();
        }
        let granted = [folder.path().join("in").canonicalize().unwrap()];
        let names = |pattern: &str| {
            let mut names: Vec<String> =
                find(folder.path(), &granted, pattern).into_iter().map(|seen| seen.path).collect();
            names.sort();
            names
        };
        assert_eq!(names("in/*.csv"), ["in/a.csv"]);
        assert_eq!(names("./in/**/*.csv"), ["in/a.csv", "in/deep/c.csv"]);
        assert_eq!(names("in/b.txt"), ["in/b.txt"]);
        assert_eq!(names("none/*.csv"), Vec::<String>::new());
        assert_eq!((fixed_part("in/*.csv"), fixed_part("*.csv"), fixed_part("a/b/c.csv")), ("in", "", "a/b"));
    }

    #[test]
    fn links_do_not_lead_out_of_what_is_granted() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().canonicalize().unwrap();
        for name in ["in/a.csv", "other/secret.csv"] {
            std::fs::create_dir_all(root.join(name).parent().unwrap()).unwrap();
            std::fs::write(root.join(name), "x").unwrap();
        }
        let link = |from: &str, to: &str| std::os::unix::fs::symlink(root.join(to), root.join(from)).unwrap();
        link("in/out.csv", "other/secret.csv");
        link("in/same.csv", "in/a.csv");
        link("in/folder", "other");
        link("away", "other");
        let granted = [root.join("in")];
        let names = |pattern: &str| {
            let mut names: Vec<String> = find(&root, &granted, pattern).into_iter().map(|seen| seen.path).collect();
            names.sort();
            names
        };
        assert_eq!(names("in/*.csv"), ["in/a.csv", "in/same.csv"]);
        assert_eq!(names("in/**/*.csv"), ["in/a.csv", "in/same.csv"]);
        for leads_out in ["in/out.csv", "in/folder/secret.csv", "in/folder/*.csv", "away/*.csv", "other/*.csv"] {
            assert_eq!(names(leads_out), Vec::<String>::new(), "{leads_out}");
        }
        assert_eq!(names("in/same.csv"), ["in/same.csv"]);
    }
}
