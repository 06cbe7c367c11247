//! What stays in the compile cache: what was used of late, and no more than so many bytes.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

/// How much the compile cache may hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CacheBounds {
    /// Bytes of all files; beyond them what was used longest ago goes first.
    pub bytes_max: u64,
    /// What was not used for so long goes.
    pub unused_max: Duration,
}

impl Default for CacheBounds {
    /// 2 GiB and 30 days.
    fn default() -> Self {
        Self { bytes_max: 2 * 1024 * 1024 * 1024, unused_max: Duration::from_secs(30 * 24 * 3600) }
    }
}

/// When something was used is kept no more exactly than this, so that using it mostly writes nothing.
const USED_EVERY: Duration = Duration::from_secs(3600);
/// What is being written may be so old.
const PART_MAX: Duration = Duration::from_secs(24 * 3600);
/// The file whose time says when the cache was last looked through.
const SWEPT: &str = ".swept";
/// It is looked through so often.
const SWEEP_EVERY: Duration = Duration::from_secs(3600);

/// Notes that a file of the cache is of use.
pub(crate) fn used(path: &Path, now: SystemTime) {
    let is_noted = |at: SystemTime| now.duration_since(at).is_ok_and(|since| since < USED_EVERY);
    if fs::metadata(path).and_then(|metadata| metadata.modified()).is_ok_and(is_noted) {
        return;
    }
    // Without it the file goes earlier, and is made again.
    let _ = File::open(path).and_then(|file| file.set_modified(now));
}

/// Whether the cache was not looked through for some time; if so, it counts as looked through now.
pub(crate) fn is_due(dir: &Path, now: SystemTime) -> bool {
    let swept = dir.join(SWEPT);
    let of_late = |at: SystemTime| now.duration_since(at).is_ok_and(|since| since < SWEEP_EVERY);
    if fs::metadata(&swept).and_then(|metadata| metadata.modified()).is_ok_and(of_late) {
        return false;
    }
    File::create(&swept).and_then(|file| file.set_modified(now)).is_ok()
}

/// What belongs together, by the name before its ending: a compiled component with its checksum, or a description.
#[derive(Debug)]
struct Entry {
    paths: Vec<PathBuf>,
    bytes: u64,
    used: SystemTime,
}

/// Deletes what was not used for long, and what is too much. `stays` is the name (without ending) of what was just made.
/// Answers with how many bytes that were.
pub(crate) fn sweep(dir: &Path, bounds: CacheBounds, stays: Option<&str>, now: SystemTime) -> u64 {
    let Ok(mut entries) = entries(dir, now) else { return 0 };
    entries.sort_by_key(|(_, entry)| entry.used);
    let mut bytes: u64 = entries.iter().map(|(_, entry)| entry.bytes).sum();
    let mut freed = 0;
    for (name, entry) in entries {
        let unused = now.duration_since(entry.used).unwrap_or_default();
        let goes = unused > bounds.unused_max || bytes > bounds.bytes_max;
        if !goes || stays == Some(name.as_str()) {
            continue;
        }
        for path in &entry.paths {
            // Whoever has it open goes on with it; what cannot be deleted is tried again.
            let _ = fs::remove_file(path);
        }
        bytes = bytes.saturating_sub(entry.bytes);
        freed += entry.bytes;
    }
    freed
}

fn entries(dir: &Path, now: SystemTime) -> io::Result<Vec<(String, Entry)>> {
    let mut entries: std::collections::BTreeMap<String, Entry> = std::collections::BTreeMap::new();
    for file in fs::read_dir(dir)?.flatten() {
        let path = file.path();
        let (Ok(metadata), Some(stem), Some(ending)) = (file.metadata(), path.file_stem(), path.extension()) else {
            continue;
        };
        let modified = metadata.modified().unwrap_or(now);
        let stem = stem.to_string_lossy().into_owned();
        match ending.to_str() {
            // Left by a process that died.
            Some("part" | "lock") => {
                if now.duration_since(modified).is_ok_and(|since| since > PART_MAX) {
                    let _ = fs::remove_file(&path);
                }
                continue;
            }
            Some("cwasm" | "sum" | "json") if stem.len() > 64 => {}
            _ => continue,
        }
        let fresh = || Entry { paths: Vec::new(), bytes: 0, used: SystemTime::UNIX_EPOCH };
        let entry = entries.entry(stem).or_insert_with(fresh);
        entry.paths.push(path);
        entry.bytes += metadata.len();
        entry.used = entry.used.max(modified);
    }
    Ok(entries.into_iter().collect())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    const DAY: Duration = Duration::from_secs(24 * 3600);

    fn put(dir: &Path, name: &str, bytes: usize, used: SystemTime) {
        let path = dir.join(name);
        fs::write(&path, vec![0; bytes]).unwrap();
        File::open(path).unwrap().set_modified(used).unwrap();
    }

    fn names(dir: &Path) -> Vec<String> {
        let mut names: Vec<String> =
            fs::read_dir(dir).unwrap().map(|file| file.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    fn digest(letter: &str) -> String {
        format!("{}-0", letter.repeat(64))
    }

    #[test]
    fn what_is_old_goes_and_then_what_was_used_longest_ago() {
        let folder = tempfile::tempdir().unwrap();
        let dir = folder.path();
        let now = SystemTime::now();
        let (a, b, c) = (digest("a"), digest("b"), digest("c"));
        for (name, days) in [(&a, 40), (&b, 3), (&c, 1)] {
            put(dir, &format!("{name}.cwasm"), 1000, now - DAY * days);
            put(dir, &format!("{name}.sum"), 32, now - DAY * (days + 100));
        }
        put(dir, "files.json", 5000, now - DAY * 400);
        put(dir, ".1-2.part", 10, now - DAY * 2);
        put(dir, ".1-3.part", 10, now);
        let bounds = CacheBounds { bytes_max: 10_000, unused_max: DAY * 30 };
        assert_eq!(sweep(dir, bounds, None, now), 1032);
        let left = [
            ".1-3.part".to_owned(),
            format!("{b}.cwasm"),
            format!("{b}.sum"),
            format!("{c}.cwasm"),
            format!("{c}.sum"),
            "files.json".to_owned(),
        ];
        assert_eq!(names(dir), left);
        // What is too much goes by last use; what was just made stays in any case.
        let small = CacheBounds { bytes_max: 1500, ..bounds };
        assert_eq!(sweep(dir, small, None, now), 1032);
        assert!(!dir.join(format!("{b}.cwasm")).exists() && dir.join(format!("{c}.cwasm")).exists());
        let none = CacheBounds { bytes_max: 0, ..bounds };
        assert_eq!(sweep(dir, none, Some(&c), now), 0);
        assert_eq!(sweep(dir, none, None, now), 1032);
    }

    #[test]
    fn use_is_noted() {
        let folder = tempfile::tempdir().unwrap();
        let now = SystemTime::now();
        let path = folder.path().join("x");
        put(folder.path(), "x", 1, now - DAY);
        used(&path, now);
        let noted = |path: &Path| fs::metadata(path).unwrap().modified().unwrap();
        assert!(now.duration_since(noted(&path)).unwrap_or_default() < Duration::from_secs(1));
        let before = now - Duration::from_secs(60);
        put(folder.path(), "x", 1, before);
        used(&path, now);
        assert!(noted(&path) < now - Duration::from_secs(50), "noted of late already");
        assert!(is_due(folder.path(), now));
        assert!(!is_due(folder.path(), now + Duration::from_secs(60)));
        assert!(is_due(folder.path(), now + DAY));
    }
}
