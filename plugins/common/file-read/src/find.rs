//! Finding files by pattern.

use crate::{FileError, Mark};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

/// A file that a pattern found, and what of it is to be read.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(into = "SourceText", from = "SourceText")]
pub struct Source {
    /// As the stage opens it and as messages name it, e.g. "data/2013-01.csv".
    pub path: String,
    /// In bytes, as it stands on disk.
    pub size: u64,
    /// When it was last changed, in nanoseconds since 1970, where the file system tells. Not kept in splits.
    pub modified: Option<u64>,
    /// The digest of its bytes is made as they are read. Not kept in splits.
    pub hashed: bool,
    /// Marks of it are wanted. Not kept in splits.
    pub marked: bool,
    /// Bytes behind this are not read.
    pub end: Option<u64>,
    /// The digest that its bytes have to have.
    pub digest: Option<String>,
    /// Lines are added to it: a last line without line end is not whole yet.
    pub growing: bool,
    /// Reading starts behind the first mark and has to end at the second, where there are such.
    pub part: Option<Box<(Option<Mark>, Option<Mark>)>>,
}

/// A source as it travels in splits: path, size, end, digest, whether it grows, part.
type SourceText = (String, u64, Option<u64>, Option<String>, bool, Option<Box<(Option<Mark>, Option<Mark>)>>);

impl From<Source> for SourceText {
    fn from(source: Source) -> Self {
        (source.path, source.size, source.end, source.digest, source.growing, source.part)
    }
}

impl From<SourceText> for Source {
    fn from((path, size, end, digest, growing, part): SourceText) -> Self {
        Self { end, digest, growing, part, ..Self::new(path, size) }
    }
}

impl Source {
    /// A whole file; `size` in bytes.
    #[must_use]
    pub fn new(path: impl Into<String>, size: u64) -> Self {
        Self { path: path.into(), size, ..Self::default() }
    }

    fn of_meta(path: impl Into<String>, meta: &fs::Metadata) -> Self {
        let since = meta.modified().ok().and_then(|time| time.duration_since(std::time::UNIX_EPOCH).ok());
        let modified = since.and_then(|since| u64::try_from(since.as_nanos()).ok()).filter(|nanos| *nanos > 0);
        Self { modified, ..Self::new(path, meta.len()) }
    }

    /// Whether the digest of its bytes is made as they are read.
    #[must_use]
    pub fn is_hashed(&self) -> bool {
        self.hashed || self.digest.is_some()
    }

    /// Whether marks of it are wanted.
    #[must_use]
    pub fn is_marked(&self) -> bool {
        self.marked || self.growing || self.part.is_some()
    }

    /// The mark behind which reading starts.
    #[must_use]
    pub fn from(&self) -> Option<&Mark> {
        self.part.as_ref().and_then(|part| part.0.as_ref())
    }

    /// The mark at which reading has to end.
    #[must_use]
    pub fn until(&self) -> Option<&Mark> {
        self.part.as_ref().and_then(|part| part.1.as_ref())
    }
}

/// Folders deeper than this below the start of a pattern are not searched.
const DEPTH_MAX: usize = 32;
/// More files than this are refused: they would not fit into a message or a plan.
const FILES_MAX: usize = 100_000;

/// The files that `patterns` find: for each pattern in turn, sorted by path, none twice. `*`, `?`, `[a-z]`, `{a,b}` match
/// within a name, `**` matches folders.
///
/// # Errors
/// A pattern finds no file; the message names what is there. A folder that cannot be reached is `Denied`.
pub fn find(patterns: &[String]) -> Result<Vec<Source>, FileError> {
    if patterns.is_empty() {
        return Err(FileError::Config("`path` is empty; name at least one file".into()));
    }
    gather(patterns.iter().map(|pattern| find_one(pattern)))
}

/// The same, but a pattern that finds nothing in a folder that is there is none that is wrong.
///
/// # Errors
/// Those of [`find`].
pub(crate) fn find_any(patterns: &[String]) -> Result<Vec<Source>, FileError> {
    gather(patterns.iter().map(|pattern| match find_one(pattern) {
        Err(FileError::Config(_)) if is_empty_folder_of(pattern) => Ok(Vec::new()),
        found => found,
    }))
}

fn gather(found: impl Iterator<Item = Result<Vec<Source>, FileError>>) -> Result<Vec<Source>, FileError> {
    let mut all: Vec<Source> = Vec::new();
    let mut seen = BTreeSet::new();
    for sources in found {
        all.extend(sources?.into_iter().filter(|source| seen.insert(source.path.clone())));
    }
    Ok(all)
}

fn is_empty_folder_of(pattern: &str) -> bool {
    let pattern = pattern.strip_prefix("./").unwrap_or(pattern);
    split_pattern(pattern).is_some_and(|(folder, _)| fs::read_dir(if folder.is_empty() { "." } else { folder }).is_ok())
}

fn find_one(pattern: &str) -> Result<Vec<Source>, FileError> {
    let pattern = pattern.strip_prefix("./").unwrap_or(pattern);
    if pattern.is_empty() {
        return Err(FileError::Config("`path` is empty; name a file, e.g. \"data/flights.csv\"".into()));
    }
    if let Some(why) = no_path(pattern) {
        return Err(FileError::Config(why));
    }
    if let Ok(meta) = fs::metadata(pattern) {
        if meta.is_dir() {
            return Err(FileError::Config(format!(
                "{pattern} is a folder; to read all files in it write \"{}/*\"",
                pattern.trim_end_matches('/')
            )));
        }
        return Ok(vec![Source::of_meta(pattern, &meta)]);
    }
    let Some((folder, _)) = split_pattern(pattern) else {
        return Err(missing(pattern));
    };
    let mut found = Vec::new();
    let deep = pattern.contains("**");
    let levels = if deep {
        DEPTH_MAX
    } else {
        pattern.matches('/').count() - folder.matches('/').count() - usize::from(!folder.is_empty())
    };
    walk(folder, pattern, levels, &mut found)?;
    if found.is_empty() {
        return Err(missing(pattern));
    }
    found.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(found)
}

/// The folder in front of the first wildcard ("" for the working folder), and the rest; none without a wildcard.
fn split_pattern(pattern: &str) -> Option<(&str, &str)> {
    let wild = pattern.find(['*', '?', '[', '{'])?;
    let (before, _) = pattern.split_at(wild);
    match before.rfind('/') {
        Some(0) => Some(("/", pattern.get(1..)?)),
        Some(slash) => Some((pattern.get(..slash)?, pattern.get(slash + 1..)?)),
        None => Some(("", pattern)),
    }
}

fn walk(folder: &str, pattern: &str, levels: usize, found: &mut Vec<Source>) -> Result<(), FileError> {
    let Ok(entries) = fs::read_dir(if folder.is_empty() { "." } else { folder }) else {
        // Told by `missing` if nothing else is found.
        return Ok(());
    };
    for entry in entries {
        let entry = entry.map_err(|error| FileError::Unavailable(format!("{folder} cannot be listed: {error}")))?;
        let Ok(name) = entry.file_name().into_string() else { continue };
        let path = match folder {
            "" => name,
            "/" => format!("/{name}"),
            _ => format!("{folder}/{name}"),
        };
        let Ok(meta) = fs::metadata(&path) else { continue };
        if meta.is_dir() {
            if levels > 0 {
                walk(&path, pattern, levels - 1, found)?;
            }
        } else if fast_glob::glob_match(pattern, &path) {
            if found.len() == FILES_MAX {
                return Err(FileError::Config(format!("{pattern} finds more than {FILES_MAX} files; narrow it")));
            }
            found.push(Source::of_meta(path, &meta));
        }
    }
    Ok(())
}

/// What people write where a path is meant.
fn no_path(pattern: &str) -> Option<String> {
    let scheme = pattern.split_once("://").map(|(scheme, _)| scheme);
    if scheme.is_some_and(|scheme| !scheme.is_empty() && scheme.bytes().all(|byte| byte.is_ascii_alphanumeric())) {
        return Some(match pattern.strip_prefix("file://") {
            Some(path) => format!("{pattern} is a URL; write the path alone: \"{path}\""),
            None => format!("{pattern} is a URL, and this stage reads files: download it first, and name the file"),
        });
    }
    if pattern == "~" || pattern.starts_with("~/") {
        return Some(format!(
            "{pattern} begins with `~`, which stands for no folder here: write the path from the pipeline file's folder, or \
             the whole path, and grant its folder"
        ));
    }
    None
}

/// Says why nothing was found: the nearest folder that can be read, and what stands in it.
fn missing(pattern: &str) -> FileError {
    let wild = split_pattern(pattern).is_some();
    let what = if wild { format!("no file matches {pattern}") } else { format!("{pattern} is not there") };
    if pattern.contains('\\') {
        let slashes = pattern.replace('\\', "/");
        return FileError::Config(format!("{what}; folders are parted by `/`, not by `\\`: write \"{slashes}\""));
    }
    let start = split_pattern(pattern).map_or_else(|| parent(pattern), |(folder, _)| folder);
    let mut folder = start;
    loop {
        let shown = if folder.is_empty() { "." } else { folder };
        if let Ok(entries) = fs::read_dir(shown) {
            let mut names: Vec<String> = entries
                .filter_map(|entry| {
                    let entry = entry.ok()?;
                    let name = entry.file_name().into_string().ok()?;
                    Some(if entry.path().is_dir() { format!("{name}/") } else { name })
                })
                .collect();
            names.sort();
            if folder == start && fs::symlink_metadata(pattern).is_ok() {
                return FileError::Denied(format!(
                    "{pattern} is a link that leads out of the folders granted to this stage, or nowhere; put the file itself \
                     there"
                ));
            }
            if folder == start {
                let more = names.len().saturating_sub(10);
                names.truncate(10);
                let list = if names.is_empty() { "nothing".to_owned() } else { names.join(", ") };
                let more = if more > 0 { format!(" and {more} more") } else { String::new() };
                let shown = if folder.is_empty() { "the working folder" } else { folder };
                return FileError::Config(format!("{what}; {shown} holds {list}{more}"));
            }
            if !folder.is_empty() {
                return FileError::Config(format!("{what}: there is no folder {start}"));
            }
            break;
        }
        if folder.is_empty() || folder == "/" {
            break;
        }
        folder = parent(folder);
    }
    let ask = start.split('/').next().filter(|first| !first.is_empty()).unwrap_or(start);
    let ask = if ask.is_empty() { "." } else { ask };
    FileError::Denied(format!(
        "{what}: the folder {ask} was not granted to this stage or is not there; write grants.read = [\"{ask}\"] and see \
         that it exists"
    ))
}

fn parent(path: &str) -> &str {
    Path::new(path).parent().and_then(Path::to_str).unwrap_or("")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]
    use super::*;

    fn tree() -> (tempfile::TempDir, String) {
        let dir = tempfile::tempdir().unwrap();
        for name in ["b/2013-02.csv", "b/2013-01.csv", "b/note.txt", "b/deep/er/2014-01.csv"] {
            let path = dir.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, "x\n").unwrap();
        }
        let root = dir.path().to_str().unwrap().to_owned();
        (dir, root)
    }

    fn names(root: &str, patterns: &[&str]) -> Vec<String> {
        let patterns: Vec<String> = patterns.iter().map(|p| format!("{root}/{p}")).collect();
        find(&patterns).unwrap().into_iter().map(|s| s.path[root.len() + 1..].to_owned()).collect()
    }

    #[test]
    fn patterns_find_files_sorted_and_once() {
        let (_dir, root) = tree();
        assert_eq!(names(&root, &["b/2013-*.csv"]), ["b/2013-01.csv", "b/2013-02.csv"]);
        assert_eq!(names(&root, &["b/**/*.csv"]), ["b/2013-01.csv", "b/2013-02.csv", "b/deep/er/2014-01.csv"]);
        assert_eq!(
            names(&root, &["*/2013-0[2-9].csv", "b/2013-01.csv", "b/2013-02.csv"]),
            ["b/2013-02.csv", "b/2013-01.csv"]
        );
        assert_eq!(names(&root, &["b/{note,2013-01}.*"]), ["b/2013-01.csv", "b/note.txt"]);
    }

    #[test]
    fn what_is_no_path_is_told() {
        let told = |pattern: &str| find(&[pattern.to_owned()]).unwrap_err().to_string();
        assert!(told("https://example.org/a.csv").contains("is a URL, and this stage reads files: download it first"));
        assert!(told("file:///data/a.csv").ends_with("write the path alone: \"/data/a.csv\""));
        assert!(told("~/a.csv").contains("begins with `~`, which stands for no folder here"));
        assert!(told("data\\2013\\a.csv").ends_with("write \"data/2013/a.csv\""), "{}", told("data\\2013\\a.csv"));
    }

    #[test]
    fn what_is_missing_is_told() {
        let (_dir, root) = tree();
        let message =
            |pattern: &str| find(&[format!("{root}/{pattern}")]).unwrap_err().to_string().replace(&root, "ROOT");
        assert_eq!(
            message("b/*.tsv"),
            "no file matches ROOT/b/*.tsv; ROOT/b holds 2013-01.csv, 2013-02.csv, deep/, note.txt"
        );
        assert_eq!(
            message("b/x.csv"),
            "ROOT/b/x.csv is not there; ROOT/b holds 2013-01.csv, 2013-02.csv, deep/, note.txt"
        );
        #[cfg(unix)]
        {
            std::os::unix::fs::symlink("nowhere", format!("{root}/b/link.csv")).unwrap();
            assert!(
                message("b/link.csv").starts_with("ROOT/b/link.csv is a link that leads out of the folders granted")
            );
            fs::remove_file(format!("{root}/b/link.csv")).unwrap();
        }
        assert_eq!(message("c/x.csv"), "ROOT/c/x.csv is not there: there is no folder ROOT/c");
        assert_eq!(message("b"), "ROOT/b is a folder; to read all files in it write \"ROOT/b/*\"");
    }

    #[test]
    fn a_pattern_that_finds_nothing_may_be_right() {
        let (_dir, root) = tree();
        let found = |pattern: &str| find_any(&[format!("{root}/{pattern}")]).map(|found| found.len());
        assert_eq!(found("b/*.tsv").unwrap(), 0);
        assert_eq!(found("b/*.csv").unwrap(), 2);
        assert!(found("c/*.csv").is_err());
        assert!(found("b/x.csv").is_err());
    }
}
