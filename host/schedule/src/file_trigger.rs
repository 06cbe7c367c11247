//! Runs that files start: when a set of files has stayed as it is for long enough, and has something new in it.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::time::Duration;

/// A file as it was seen.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Seen {
    /// Its path, always written the same way.
    pub path: String,
    /// Bytes.
    pub size: u64,
    /// When it was last changed.
    pub modified: Timestamp,
}

/// The files that started the last run; kept in the store, so that a restart does not start another.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Memory {
    /// Which set it was.
    pub key: String,
    /// Its files, in the order of their paths.
    pub files: Vec<Seen>,
}

/// What is decided of the files as they are seen.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// There is no file that has not started a run.
    Nothing,
    /// There are new files, and they may still change.
    Waiting {
        /// When they have settled if they stay as they are.
        until: Timestamp,
    },
    /// A run is due.
    Settled {
        /// Names the set of files; the same set has the same key.
        key: String,
        /// The paths that are new in it.
        new: Vec<String>,
    },
}

/// The files of one trigger, watched.
#[derive(Clone, Debug)]
pub struct FileWatch {
    settled: Duration,
    memory: Memory,
    files: Vec<Seen>,
    since: Option<Timestamp>,
}

impl FileWatch {
    /// Files settle when they have stayed as they are for `settled`. `memory` is that of the last run it started.
    pub fn new(settled: Duration, memory: Memory) -> Self {
        Self { settled, memory, files: Vec::new(), since: None }
    }

    /// What to keep in the store once a run was started.
    pub fn memory(&self) -> &Memory {
        &self.memory
    }

    /// Looks at the files that match at `now`. A set fires once; a set that only lost files does not fire again, since
    /// all of it has started a run. Files have to stay as they are between observations, so they are to be looked at
    /// several times while they settle.
    pub fn observe(&mut self, mut files: Vec<Seen>, now: Timestamp) -> Verdict {
        files.sort();
        files.dedup();
        let changed = files != self.files;
        self.files = files;
        let since = match self.since {
            // The clock was set back: waiting begins again.
            Some(since) if !changed && since <= now => since,
            _ => now,
        };
        self.since = Some(since);
        let old = &self.memory.files;
        let new: Vec<String> =
            self.files.iter().filter(|file| old.binary_search(file).is_err()).map(|file| file.path.clone()).collect();
        if new.is_empty() {
            return Verdict::Nothing;
        }
        match since.checked_add(self.settled) {
            Ok(until) if until <= now => {
                let key = key(&self.files);
                self.memory = Memory { key: key.clone(), files: self.files.clone() };
                Verdict::Settled { key, new }
            }
            Ok(until) => Verdict::Waiting { until },
            Err(_) => Verdict::Waiting { until: Timestamp::MAX },
        }
    }
}

/// SHA-256 of names, sizes and times, in hexadecimal digits.
fn key(files: &[Seen]) -> String {
    let mut digest = Sha256::new();
    for file in files {
        digest.update((file.path.len() as u64).to_le_bytes());
        digest.update(file.path.as_bytes());
        digest.update(file.size.to_le_bytes());
        digest.update(file.modified.as_nanosecond().to_le_bytes());
    }
    digest.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::panic)]
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(1_800_000_000 + second).unwrap()
    }

    fn file(path: &str, size: u64, modified: i64) -> Seen {
        Seen { path: path.to_owned(), size, modified: at(modified) }
    }

    fn watch(memory: Memory) -> FileWatch {
        FileWatch::new(Duration::from_secs(30), memory)
    }

    fn settles(watch: &mut FileWatch, files: &[Seen], now: i64) -> Vec<String> {
        match watch.observe(files.to_vec(), at(now)) {
            Verdict::Settled { new, .. } => new,
            other => panic!("{now}: {other:?}"),
        }
    }

    #[test]
    fn a_set_fires_once_when_it_has_settled() {
        let mut watch = watch(Memory::default());
        assert_eq!(watch.observe(Vec::new(), at(0)), Verdict::Nothing);
        let (a, grown, b) = (file("a", 1, 5), file("a", 2, 20), file("b", 1, 40));
        assert_eq!(watch.observe(vec![a], at(10)), Verdict::Waiting { until: at(40) });
        let one = vec![grown.clone()];
        assert_eq!(watch.observe(one.clone(), at(20)), Verdict::Waiting { until: at(50) });
        assert_eq!(watch.observe(one.clone(), at(49)), Verdict::Waiting { until: at(50) });
        assert_eq!(settles(&mut watch, &one, 50), ["a"]);
        assert_eq!(watch.observe(one.clone(), at(51)), Verdict::Nothing);

        // A new file beside it.
        let two = vec![b.clone(), grown.clone()];
        assert_eq!(watch.observe(two.clone(), at(60)), Verdict::Waiting { until: at(90) });
        assert_eq!(settles(&mut watch, &two, 95), ["b"]);
        // One of them is taken away, and comes back as it was.
        assert_eq!(watch.observe(vec![b], at(200)), Verdict::Nothing);
        assert_eq!(watch.observe(two.clone(), at(300)), Verdict::Nothing);
        // A restart.
        let mut again = self::watch(watch.memory().clone());
        assert_eq!(again.observe(two, at(400)), Verdict::Nothing);
        let touched = vec![file("a", 2, 500)];
        assert_eq!(again.observe(touched.clone(), at(500)), Verdict::Waiting { until: at(530) });
        assert_eq!(settles(&mut again, &touched, 530), ["a"]);
        assert_ne!(again.memory().key, watch.memory().key);
    }

    #[test]
    fn a_clock_set_back_waits_again() {
        let mut watch = watch(Memory::default());
        let files = vec![file("a", 1, 5)];
        assert_eq!(watch.observe(files.clone(), at(100)), Verdict::Waiting { until: at(130) });
        assert_eq!(watch.observe(files.clone(), at(0)), Verdict::Waiting { until: at(30) });
        assert_eq!(settles(&mut watch, &files, 30), ["a"]);
    }
}
