//! The pipeline files below a folder, and what changes in them.

use crate::show::human;
use crate::wiring::Source;
use sluicebox_model::pipeline::{self, Pipeline, Problem};
use std::collections::{BTreeMap, BTreeSet};
use std::fs::Metadata;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;

/// Folders deeper than this below the served one are not looked into.
pub(crate) const DEPTH_MAX: usize = 16;

/// Files larger than this are no pipeline files.
pub(crate) const FILE_BYTES_MAX: u64 = 16 * 1024 * 1024;

/// A pipeline that can run.
#[derive(Clone, Debug)]
pub struct Offered {
    /// Its file, as it was when it was last sound.
    pub source: Arc<Source>,
    /// What it says.
    pub pipeline: Arc<Pipeline>,
    /// What is wrong with a later edit, which is not used.
    pub broken: Vec<String>,
}

/// What a look at the folder found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// A pipeline is new, or has another text.
    Loaded {
        /// Its name.
        pipeline: String,
        /// Its file.
        file: PathBuf,
    },
    /// A file is no sound pipeline; the last good version of it, if there is one, stays.
    Broken {
        /// The pipeline of that file, if there is a good version.
        pipeline: Option<String>,
        /// The file.
        file: PathBuf,
        /// What is wrong: place, message and what to do.
        problems: Vec<String>,
    },
    /// A pipeline's file is not there any more.
    Gone {
        /// Its name.
        pipeline: String,
        /// Its file.
        file: PathBuf,
    },
}

/// What tells one state of a file from another without reading it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Stamp {
    modified: Option<SystemTime>,
    bytes: u64,
}

impl Stamp {
    fn of(metadata: &Metadata) -> Self {
        Self { modified: metadata.modified().ok(), bytes: metadata.len() }
    }
}

/// A file that was looked at.
#[derive(Debug)]
struct Seen {
    stamp: Stamp,
    /// Whether this state of it was read. A file is read when two looks found it the same, so that no half-written one is.
    read: bool,
    /// The pipeline that it offers.
    name: Option<String>,
    /// Whether it is to be examined although it is the same: its plugins are others.
    again: bool,
    /// What was told to be wrong with this state of it.
    told: Option<Vec<String>>,
}

/// The pipeline files below a folder.
#[derive(Debug)]
pub struct Folder {
    root: PathBuf,
    seen: BTreeMap<PathBuf, Seen>,
    offered: BTreeMap<String, Offered>,
}

impl Folder {
    /// Of this folder; nothing is read yet.
    pub fn new(root: &Path) -> Self {
        Self { root: root.to_owned(), seen: BTreeMap::new(), offered: BTreeMap::new() }
    }

    /// The pipelines by name.
    pub fn offered(&self) -> &BTreeMap<String, Offered> {
        &self.offered
    }

    /// Looks at the folder, reading at once what is there.
    pub fn first_look(&mut self, examine: impl Fn(&Source) -> Vec<Problem>) -> Vec<Change> {
        self.look_with(true, examine)
    }

    /// Looks at the folder again. `examine` tells what is wrong with a file beyond what its text alone shows.
    pub fn look(&mut self, examine: impl Fn(&Source) -> Vec<Problem>) -> Vec<Change> {
        self.look_with(false, examine)
    }

    fn look_with(&mut self, at_once: bool, examine: impl Fn(&Source) -> Vec<Problem>) -> Vec<Change> {
        let mut found = BTreeMap::new();
        walk(&self.root, 0, &mut BTreeSet::new(), &mut found);
        let mut changes = Vec::new();
        let gone: Vec<PathBuf> = self.seen.keys().filter(|path| !found.contains_key(*path)).cloned().collect();
        for path in gone {
            if let Some(name) = self.seen.remove(&path).and_then(|seen| seen.name) {
                self.offered.remove(&name);
                // Another file may have waited for the name.
                self.seen.values_mut().filter(|seen| seen.name.is_none()).for_each(|seen| seen.read = false);
                changes.push(Change::Gone { pipeline: name, file: path });
            }
        }
        for (path, stamp) in found {
            let seen = self.seen.entry(path.clone()).or_insert(Seen {
                stamp,
                read: false,
                name: None,
                again: false,
                told: None,
            });
            let is_still = seen.stamp == stamp;
            if !is_still {
                *seen = Seen { stamp, read: false, name: seen.name.take(), again: seen.again, told: None };
            }
            if seen.read || !(is_still || at_once) {
                continue;
            }
            seen.read = true;
            let (before, again) = (seen.name.clone(), std::mem::take(&mut seen.again));
            let change = self.read(&path, before, again, &examine);
            let told = match &change {
                Some(Change::Broken { problems, .. }) => Some(problems.clone()),
                _ => None,
            };
            let Some(seen) = self.seen.get_mut(&path) else { continue };
            let is_known = told.is_some() && seen.told == told;
            seen.told = told;
            changes.extend(change.filter(|_| !is_known));
        }
        changes
    }

    fn read(
        &mut self,
        path: &Path,
        before: Option<String>,
        again: bool,
        examine: impl Fn(&Source) -> Vec<Problem>,
    ) -> Option<Change> {
        let source = match Source::read(path) {
            Ok(source) => source,
            Err(trouble) if before.is_some() => return Some(self.broken(path, before, vec![trouble.message])),
            // No pipeline so far, and not to be read as one.
            Err(_) => return None,
        };
        if before.is_none() && !looks_like_pipeline(&source.text) {
            return None;
        }
        if let Some(old) = before.as_ref().and_then(|name| self.offered.get_mut(name))
            && old.source.text == source.text
        {
            let again = again || !old.broken.is_empty();
            let mut problems = if again { examine(&source) } else { Vec::new() };
            problems.retain(Problem::is_error);
            let told = told(&source, &problems);
            if told.is_empty() || told == old.broken {
                old.broken = told;
                return None;
            }
            return Some(self.broken(path, before, told));
        }
        let pipeline = match pipeline::parse(&source.text) {
            Ok(pipeline) => pipeline,
            Err(problems) => return Some(self.broken(path, before, told(&source, &problems))),
        };
        let name = pipeline.name.clone();
        if before.as_ref() != Some(&name)
            && let Some(other) = self.offered.get(&name)
        {
            let other = other.source.path.display();
            let message = format!("{other} is a pipeline `{name}`, too: give one of them another name");
            return Some(self.broken(path, before, vec![message]));
        }
        let mut problems = examine(&source);
        problems.retain(Problem::is_error);
        if !problems.is_empty() {
            let told = told(&source, &problems);
            return Some(self.broken(path, before, told));
        }
        if let Some(old) = before.filter(|old| *old != name) {
            self.offered.remove(&old);
        }
        if let Some(seen) = self.seen.get_mut(path) {
            seen.name = Some(name.clone());
        }
        let offered = Offered { source: Arc::new(source), pipeline: Arc::new(pipeline), broken: Vec::new() };
        self.offered.insert(name.clone(), offered);
        Some(Change::Loaded { pipeline: name, file: path.to_owned() })
    }

    fn broken(&mut self, path: &Path, before: Option<String>, problems: Vec<String>) -> Change {
        if let Some(old) = before.as_ref().and_then(|name| self.offered.get_mut(name)) {
            old.broken.clone_from(&problems);
        }
        Change::Broken { pipeline: before, file: path.to_owned(), problems }
    }

    /// Examines the pipelines again that have one of these plugins.
    pub fn check_again(&mut self, plugins: &BTreeSet<String>) {
        for seen in self.seen.values_mut() {
            let offered = seen.name.as_ref().and_then(|name| self.offered.get(name));
            if offered.is_some_and(|it| it.pipeline.stages.iter().any(|stage| plugins.contains(&stage.plugin))) {
                (seen.read, seen.again) = (false, true);
            }
        }
    }

    /// Examines the pipelines again whose runs take places of a pool.
    pub fn check_pools_again(&mut self) {
        for seen in self.seen.values_mut() {
            let offered = seen.name.as_ref().and_then(|name| self.offered.get(name));
            if offered.is_some_and(|it| it.pipeline.pool.is_some()) {
                (seen.read, seen.again) = (false, true);
            }
        }
    }

    /// Reads the files again that are no sound pipelines: what they lacked may have come.
    pub fn read_again(&mut self) {
        for seen in self.seen.values_mut() {
            let sound =
                seen.name.as_ref().and_then(|name| self.offered.get(name)).is_some_and(|it| it.broken.is_empty());
            seen.read &= sound;
        }
    }
}

/// Problems in a line each.
fn told(source: &Source, problems: &[Problem]) -> Vec<String> {
    let line =
        |problem: &Problem| source.text.get(..problem.span.start).map_or(0, |before| before.matches('\n').count()) + 1;
    let mut told: Vec<String> = Vec::new();
    for problem in problems {
        let help = problem.help.as_ref().map(|help| format!(" ({help})")).unwrap_or_default();
        let text = format!("line {}: {}{help}", line(problem), problem.message);
        told.push(human::cut(&human::clean_line(&text), 1000).to_string());
    }
    told
}

/// Whether a text is meant as a pipeline: other TOML files may stand in the folder, too.
fn looks_like_pipeline(text: &str) -> bool {
    text.lines().any(|line| {
        let line = line.trim_start();
        line.starts_with("[pipeline]") || line.starts_with("[[stage]]") || line.starts_with("[pipeline ")
    })
}

/// The pipeline files of a folder and of those below it, by path; those that cannot be read are left out.
pub fn pipeline_files(dir: &Path) -> Vec<Source> {
    let mut found = BTreeMap::new();
    walk(dir, 0, &mut BTreeSet::new(), &mut found);
    let sources = found.into_keys().filter_map(|path| Source::read(&path).ok());
    sources.filter(|source| looks_like_pipeline(&source.text)).collect()
}

/// Every `.toml` file below a folder with its stamp. Hidden folders and those of builds (`target`, `node_modules`) are left out; a
/// folder is entered once, whatever links lead to it.
fn walk(folder: &Path, depth: usize, entered: &mut BTreeSet<PathBuf>, found: &mut BTreeMap<PathBuf, Stamp>) {
    let Ok(real) = folder.canonicalize() else { return };
    if depth > DEPTH_MAX || !entered.insert(real) {
        return;
    }
    let Ok(entries) = std::fs::read_dir(folder) else { return };
    for entry in entries.flatten() {
        let path = entry.path();
        let name = entry.file_name();
        let name = name.to_string_lossy();
        if name.starts_with('.') || name == "sluicebox.toml" || name == "target" || name == "node_modules" {
            continue;
        }
        let Ok(metadata) = std::fs::metadata(&path) else { continue };
        if metadata.is_dir() {
            walk(&path, depth + 1, entered, found);
        } else if name.ends_with(".toml") && metadata.is_file() && metadata.len() <= FILE_BYTES_MAX {
            found.insert(path, Stamp::of(&metadata));
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing)]
    use super::*;

    fn text(name: &str, note: &str) -> String {
        format!("# {note}\n[pipeline]\nname = \"{name}\"\n[[stage]]\nname = \"a\"\nplugin = \"x\"\n")
    }

    fn sound(_: &Source) -> Vec<Problem> {
        Vec::new()
    }

    #[test]
    fn files_come_change_break_and_go() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().canonicalize().unwrap();
        std::fs::create_dir_all(root.join("deep/.hidden")).unwrap();
        let file = root.join("deep/one.toml");
        std::fs::write(&file, text("one", "first")).unwrap();
        std::fs::write(root.join("other.toml"), "[package]\nname = \"x\"\n").unwrap();
        std::fs::write(root.join("deep/.hidden/two.toml"), text("two", "")).unwrap();
        let mut looks = Folder::new(&root);
        let loaded = Change::Loaded { pipeline: "one".to_owned(), file: file.clone() };
        assert_eq!(looks.first_look(sound), std::slice::from_ref(&loaded));
        assert_eq!(looks.look(sound), []);

        // An edit is read when two looks found it the same.
        std::fs::write(&file, text("one", "second, longer")).unwrap();
        assert_eq!(looks.look(sound), []);
        assert_eq!(looks.look(sound), std::slice::from_ref(&loaded));
        assert!(looks.offered()["one"].source.text.contains("second"));

        std::fs::write(&file, "[pipeline]\nname = \"one\"\n[[stage]]\nplugin = \"x\"\n").unwrap();
        looks.look(sound);
        let changes = looks.look(sound);
        assert!(
            matches!(&changes[..], [Change::Broken { pipeline: Some(name), problems, .. }] if name == "one" && problems[0].starts_with("line 3: stage 1 has no `name`")),
            "{changes:?}"
        );
        // The last good version stays.
        assert!(looks.offered()["one"].source.text.contains("second"));
        assert_eq!(looks.offered()["one"].broken.len(), 1);

        std::fs::write(&file, text("one", "second, longer")).unwrap();
        looks.look(sound);
        assert_eq!(looks.look(sound), []);
        assert_eq!(looks.offered()["one"].broken.len(), 0);

        std::fs::remove_file(&file).unwrap();
        assert_eq!(looks.look(sound), [Change::Gone { pipeline: "one".to_owned(), file }]);
        assert!(looks.offered().is_empty());
    }

    #[test]
    fn a_pipeline_is_examined_again_when_its_plugins_are_others() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().canonicalize().unwrap();
        let file = root.join("one.toml");
        std::fs::write(&file, text("one", "")).unwrap();
        let missing = |_: &Source| vec![Problem::error(0..1, "there is no plugin `x`")];
        let mut looks = Folder::new(&root);
        looks.first_look(sound);
        looks.check_again(&["other".to_owned()].into());
        assert_eq!(looks.look(missing), []);
        looks.check_again(&["x".to_owned()].into());
        let changes = looks.look(missing);
        assert!(matches!(&changes[..], [Change::Broken { pipeline: Some(name), .. }] if name == "one"), "{changes:?}");
        // The same again says nothing new; and whatever else changes, it stays so.
        looks.read_again();
        assert_eq!(looks.look(missing), []);
        assert_eq!(looks.offered()["one"].broken.len(), 1);
        looks.check_again(&["x".to_owned()].into());
        assert_eq!(looks.look(sound), []);
        assert_eq!(looks.offered()["one"].broken.len(), 0);
    }

    #[test]
    fn what_is_wrong_is_told_once() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().canonicalize().unwrap();
        std::fs::write(root.join("one.toml"), text("one", "")).unwrap();
        let missing = |_: &Source| vec![Problem::error(0..1, "there is no plugin `x`")];
        let refused = |_: &Source| vec![Problem::error(0..1, "plugin `x` cannot be used")];
        let mut looks = Folder::new(&root);
        assert_eq!(looks.first_look(missing).len(), 1);
        looks.read_again();
        assert_eq!(looks.look(missing), []);
        looks.read_again();
        assert_eq!(looks.look(refused).len(), 1);
        looks.read_again();
        assert_eq!(looks.look(refused), []);
        looks.read_again();
        assert!(matches!(&looks.look(sound)[..], [Change::Loaded { .. }]));
    }

    #[test]
    fn a_name_is_offered_once() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().canonicalize().unwrap();
        let (a, b) = (root.join("a.toml"), root.join("b.toml"));
        std::fs::write(&a, text("same", "a")).unwrap();
        std::fs::write(&b, text("same", "b")).unwrap();
        let mut looks = Folder::new(&root);
        let changes = looks.first_look(sound);
        assert!(matches!(&changes[1], Change::Broken { pipeline: None, file, .. } if *file == b), "{changes:?}");
        // Its turn comes when the other is gone.
        std::fs::remove_file(&a).unwrap();
        let changes = looks.look(sound);
        assert_eq!(changes[0], Change::Gone { pipeline: "same".to_owned(), file: a });
        assert_eq!(changes[1], Change::Loaded { pipeline: "same".to_owned(), file: b });
    }
}
