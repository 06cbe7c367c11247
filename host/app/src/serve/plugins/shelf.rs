//! The plugin files of all folders, as they come, change and go; without a clock or a disk of its own.
//!
//! A file is looked at when two looks found it the same, so that no half-written one is; what was looked at counts only if
//! the file is still the same then. One that is refused is told of when it was left alone for a while: it may still grow.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime};

/// A file that is refused is left alone so long before that is told.
const QUIET: Duration = Duration::from_millis(1500);

/// What tells one state of a file from another without reading it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::serve) struct Stamp {
    pub(super) modified: Option<SystemTime>,
    pub(super) bytes: u64,
    pub(super) inode: (u64, i64, i64),
}

/// How far a file is.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Step {
    /// It may still be written.
    Settling,
    /// Somebody looks at it.
    Looking,
    /// It is no plugin, or not yet.
    Doubted(String),
    /// What it is is known.
    Known,
}

#[derive(Debug)]
struct Slot<P> {
    stamp: Stamp,
    /// Since when it is so.
    since: Instant,
    step: Step,
    /// The plugin that it holds, or held when it was last one.
    plugin: Option<P>,
    /// Why it is none as it is.
    refused: Option<String>,
    /// Whether it was there before anybody watched.
    from_start: bool,
    /// Whether the last look did not find it.
    missed: bool,
}

/// What a look found, or came of a file that was looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::serve) enum Change<P> {
    /// A file is to be looked at; the answer goes to [`Shelf::looked`].
    Look(PathBuf, Stamp),
    /// A file holds another plugin than before, or one for the first time.
    Offered {
        /// The file.
        path: PathBuf,
        /// What it held before.
        was: Option<P>,
        /// What it holds.
        is: P,
        /// Whether it was no plugin in between.
        was_refused: bool,
    },
    /// A file is no plugin as it is.
    Refused {
        /// The file.
        path: PathBuf,
        /// Why.
        reason: String,
        /// What it held before, which stays.
        stays: Option<P>,
    },
    /// A file that held a plugin is not there any more.
    Gone {
        /// The file.
        path: PathBuf,
        /// What it held.
        was: P,
    },
}

/// What is known of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::serve) enum Known<P> {
    /// It holds this plugin, or held it when it was last one.
    Plugin(P),
    /// It is no plugin, or not yet; why.
    None(String),
    /// It was there before anybody watched, and nobody has looked yet.
    NotLooked,
}

/// The files.
#[derive(Debug)]
pub(in crate::serve) struct Shelf<P> {
    slots: BTreeMap<PathBuf, Slot<P>>,
    /// The files that were there before anybody watched; gone with the first look.
    there: BTreeSet<PathBuf>,
}

impl<P: Clone> Shelf<P> {
    /// A shelf with nothing on it; `there` are the files that the pipelines know of.
    pub(super) fn new(there: BTreeSet<PathBuf>) -> Self {
        Self { slots: BTreeMap::new(), there }
    }

    /// Takes note of the files as they are now.
    pub(super) fn look(&mut self, found: &BTreeMap<PathBuf, Stamp>, now: Instant) -> Vec<Change<P>> {
        let mut changes = Vec::new();
        let mut gone = Vec::new();
        for (path, slot) in self.slots.iter_mut().filter(|(path, _)| !found.contains_key(*path)) {
            // A file may be deleted and written again at once.
            if std::mem::replace(&mut slot.missed, true) {
                gone.push(path.clone());
            }
        }
        for path in gone {
            if let Some(was) = self.slots.remove(&path).and_then(|slot| slot.plugin) {
                changes.push(Change::Gone { path, was });
            }
        }
        for (path, &stamp) in found {
            let Some(slot) = self.slots.get_mut(path) else {
                let from_start = self.there.contains(path);
                let slot = Slot {
                    stamp,
                    since: now,
                    step: Step::Settling,
                    plugin: None,
                    refused: None,
                    from_start,
                    missed: false,
                };
                self.slots.insert(path.clone(), slot);
                continue;
            };
            slot.missed = false;
            if slot.stamp != stamp {
                (slot.stamp, slot.since, slot.step) = (stamp, now, Step::Settling);
                slot.from_start = false;
                continue;
            }
            match &slot.step {
                Step::Settling => {
                    slot.step = Step::Looking;
                    changes.push(Change::Look(path.clone(), stamp));
                }
                Step::Doubted(reason) if now.saturating_duration_since(slot.since) >= QUIET => {
                    let reason = reason.clone();
                    slot.refused = Some(reason.clone());
                    slot.step = Step::Known;
                    changes.push(Change::Refused { path: path.clone(), reason, stays: slot.plugin.clone() });
                }
                _ => {}
            }
        }
        self.there.clear();
        changes
    }

    /// Takes note of what a file is known as already.
    pub(super) fn is_known_as(&mut self, path: &Path, plugin: P) {
        if let Some(slot) = self.slots.get_mut(path) {
            slot.plugin = Some(plugin);
        }
    }

    /// Takes note of what a file is that was to be looked at. What is not that file any more says nothing.
    pub(super) fn looked(&mut self, path: &Path, stamp: Stamp, is: Result<P, String>) -> Option<Change<P>> {
        let slot = self.slots.get_mut(path).filter(|slot| slot.stamp == stamp && slot.step == Step::Looking)?;
        match is {
            Ok(is) => {
                slot.step = Step::Known;
                let was_refused = slot.refused.take().is_some();
                let was = slot.plugin.replace(is.clone());
                Some(Change::Offered { path: path.to_owned(), was, is, was_refused })
            }
            Err(reason) => {
                slot.step = Step::Doubted(reason);
                None
            }
        }
    }

    /// Has a file looked at again that nobody had time for.
    pub(super) fn later(&mut self, path: &Path) {
        if let Some(slot) = self.slots.get_mut(path) {
            slot.step = Step::Settling;
        }
    }

    /// Has the refused files looked at again: why they were refused may be over.
    pub(super) fn refused_again(&mut self) {
        for slot in self.slots.values_mut().filter(|slot| slot.refused.is_some()) {
            slot.step = Step::Settling;
        }
    }

    /// What is known of a file; none: it was never found.
    pub(in crate::serve) fn known(&self, path: &Path) -> Option<Known<P>> {
        let slot = self.slots.get(path)?;
        Some(match (&slot.plugin, &slot.refused) {
            (Some(plugin), _) => Known::Plugin(plugin.clone()),
            (None, Some(reason)) => Known::None(reason.clone()),
            (None, None) if slot.from_start && !matches!(slot.step, Step::Doubted(_)) => Known::NotLooked,
            (None, None) => Known::None("it is new, and is being looked at".to_owned()),
        })
    }

    /// Whether a file was there before anybody watched.
    pub(super) fn was_there(&self, path: &Path) -> bool {
        self.slots.get(path).is_some_and(|slot| slot.from_start)
    }

    /// The files that are no plugin as they are, with the reason.
    pub(super) fn refused(&self) -> Vec<(PathBuf, String)> {
        let refused = self.slots.iter().filter_map(|(path, slot)| Some((path.clone(), slot.refused.clone()?)));
        refused.collect()
    }

    /// The files in a folder, by name.
    pub(in crate::serve) fn of_folder(&self, folder: &Path) -> Vec<PathBuf> {
        self.slots.keys().filter(|path| path.parent() == Some(folder)).cloned().collect()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    struct Bed {
        shelf: Shelf<&'static str>,
        files: BTreeMap<PathBuf, Stamp>,
        now: Instant,
    }

    const TICK: Duration = Duration::from_millis(200);

    impl Bed {
        fn new() -> Self {
            let mut bed = Self { shelf: Shelf::new(BTreeSet::new()), files: BTreeMap::new(), now: Instant::now() };
            bed.look();
            bed
        }

        fn put(&mut self, name: &str, bytes: u64) {
            self.files.insert(name.into(), Stamp { modified: None, bytes, inode: (1, 0, 0) });
        }

        fn look(&mut self) -> Vec<Change<&'static str>> {
            self.now += TICK;
            self.shelf.look(&self.files, self.now)
        }

        fn looked(&mut self, name: &str, bytes: u64, is: Result<&'static str, &str>) -> Option<Change<&'static str>> {
            let stamp = Stamp { modified: None, bytes, inode: (1, 0, 0) };
            self.shelf.looked(Path::new(name), stamp, is.map_err(str::to_owned))
        }

        fn known(&self, name: &str) -> Option<Known<&'static str>> {
            self.shelf.known(Path::new(name))
        }
    }

    fn look(name: &str, bytes: u64) -> Vec<Change<&'static str>> {
        vec![Change::Look(name.into(), Stamp { modified: None, bytes, inode: (1, 0, 0) })]
    }

    fn offered(was: Option<&'static str>, is: &'static str) -> Change<&'static str> {
        Change::Offered { path: "a".into(), was, is, was_refused: false }
    }

    #[test]
    fn a_file_is_looked_at_when_it_has_settled() {
        let mut bed = Bed::new();
        for bytes in [1, 2, 3] {
            bed.put("a", bytes);
            assert_eq!(bed.look(), [], "it grows");
        }
        assert_eq!(bed.known("a"), Some(Known::None("it is new, and is being looked at".to_owned())));
        assert_eq!(bed.look(), look("a", 3));
        assert_eq!(bed.look(), [], "once");
        assert_eq!(bed.looked("a", 3, Ok("one")), Some(offered(None, "one")));
        assert_eq!(bed.known("a"), Some(Known::Plugin("one")));

        // It is replaced: the one from before stays until the next is known.
        bed.put("a", 9);
        bed.look();
        assert_eq!(bed.look(), look("a", 9));
        assert_eq!(bed.known("a"), Some(Known::Plugin("one")));
        let change = offered(Some("one"), "two");
        assert_eq!(bed.looked("a", 9, Ok("two")), Some(change));

        bed.files.clear();
        assert_eq!(bed.look(), [], "it may come back at once");
        assert_eq!(bed.look(), [Change::Gone { path: "a".into(), was: "two" }]);
        assert_eq!(bed.known("a"), None);
    }

    #[test]
    fn what_changes_while_it_is_looked_at_is_looked_at_again() {
        let mut bed = Bed::new();
        bed.put("a", 1);
        bed.look();
        assert_eq!(bed.look(), look("a", 1));
        bed.put("a", 2);
        bed.look();
        assert_eq!(bed.looked("a", 1, Ok("half")), None);
        assert_eq!(bed.look(), look("a", 2));
        assert_eq!(bed.looked("a", 1, Ok("half")), None);
        assert!(bed.looked("a", 2, Ok("whole")).is_some());
    }

    #[test]
    fn a_file_is_refused_when_it_was_left_alone() {
        let mut bed = Bed::new();
        bed.put("a", 1);
        bed.look();
        bed.look();
        assert_eq!(bed.looked("a", 1, Err("cut off")), None);
        for _ in 0..3 {
            assert_eq!(bed.look(), []);
        }
        // It goes on growing after a break.
        bed.put("a", 2);
        bed.look();
        assert_eq!(bed.look(), look("a", 2));
        bed.looked("a", 2, Ok("one"));
        bed.put("a", 3);
        bed.look();
        bed.look();
        bed.looked("a", 3, Err("damaged"));
        let refused = (0..10).flat_map(|_| bed.look()).collect::<Vec<_>>();
        let change = Change::Refused { path: "a".into(), reason: "damaged".to_owned(), stays: Some("one") };
        assert_eq!(refused, [change]);
        assert_eq!(bed.known("a"), Some(Known::Plugin("one")), "the last good one stays");

        bed.put("b", 1);
        bed.look();
        bed.look();
        bed.looked("b", 1, Err("no stage"));
        assert_eq!((0..10).flat_map(|_| bed.look()).count(), 1);
        assert_eq!(bed.known("b"), Some(Known::None("no stage".to_owned())));
        bed.shelf.refused_again();
        assert_eq!(bed.look().len(), 2);
    }

    #[test]
    fn what_was_there_from_the_start_may_be_looked_at_by_whoever_needs_it() {
        let there = ["a".into()].into();
        let mut bed = Bed { shelf: Shelf::new(there), files: BTreeMap::new(), now: Instant::now() };
        bed.put("a", 1);
        bed.put("b", 1);
        bed.look();
        assert_eq!(bed.known("a"), Some(Known::NotLooked));
        assert!(bed.shelf.was_there(Path::new("a")) && !bed.shelf.was_there(Path::new("b")), "it came in between");
        assert_eq!(bed.look(), [look("a", 1), look("b", 1)].concat());
        bed.shelf.later(Path::new("a"));
        assert_eq!(bed.look(), look("a", 1), "nobody had time");
        // The pipelines know it, and it is replaced before anybody looked.
        bed.shelf.is_known_as(Path::new("a"), "one");
        bed.put("a", 2);
        bed.look();
        assert!(!bed.shelf.was_there(Path::new("a")));
        assert_eq!(bed.known("a"), Some(Known::Plugin("one")));
        assert_eq!(bed.look(), look("a", 2));
        assert_eq!(bed.looked("a", 2, Ok("two")), Some(offered(Some("one"), "two")));
    }
}
