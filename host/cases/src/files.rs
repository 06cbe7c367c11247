//! The files of a case.

use crate::error::CaseError;
use std::collections::BTreeMap;
use std::fs;
use std::path::{Component, Path};

/// The most of a file that is compared.
pub(crate) const BYTES_MAX: u64 = 16 * 1024 * 1024;

/// Writes the files that are there before.
///
/// # Errors
/// One cannot be written, or its path leaves the folder.
pub fn lay(folder: &Path, files: &BTreeMap<String, String>) -> Result<(), CaseError> {
    for (name, text) in files {
        let is_within = Path::new(name).components().all(|part| matches!(part, Component::Normal(_)));
        if !is_within || name.is_empty() {
            return Err(CaseError::new(format!("files: `{name}` is no path within the stage's folder"))
                .help("write it as in `in/orders.txt`"));
        }
        let path = folder.join(name);
        let told = |error| CaseError::of_file("written", &path, &error);
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent).map_err(told)?;
        }
        fs::write(&path, text).map_err(told)?;
    }
    Ok(())
}

/// All files of a folder and its folders, as text; bytes that are no UTF-8 are replaced.
///
/// # Errors
/// One cannot be read.
pub(crate) fn gather(folder: &Path) -> Result<BTreeMap<String, String>, CaseError> {
    let mut files = BTreeMap::new();
    walk(folder, "", &mut files)?;
    Ok(files)
}

fn walk(folder: &Path, above: &str, files: &mut BTreeMap<String, String>) -> Result<(), CaseError> {
    let told = |error| CaseError::of_file("read", folder, &error);
    for entry in fs::read_dir(folder).map_err(told)? {
        let entry = entry.map_err(told)?;
        let name = format!("{above}{}", entry.file_name().to_string_lossy());
        let meta = entry.metadata().map_err(told)?;
        if meta.is_dir() {
            walk(&entry.path(), &format!("{name}/"), files)?;
        } else if meta.is_file() && meta.len() <= BYTES_MAX {
            let bytes = fs::read(entry.path()).map_err(|error| CaseError::of_file("read", &entry.path(), &error))?;
            files.insert(name, String::from_utf8_lossy(&bytes).into_owned());
        } else {
            files.insert(name, format!("({} bytes)", meta.len()));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]
    use super::*;

    #[test]
    fn files_are_written_and_read() {
        let folder = tempfile::tempdir().unwrap();
        let files = BTreeMap::from([("in/a.txt".to_owned(), "x\n".to_owned()), ("b".to_owned(), String::new())]);
        lay(folder.path(), &files).unwrap();
        assert_eq!(gather(folder.path()).unwrap(), files);
    }

    #[test]
    fn a_path_stays_within_the_folder() {
        let folder = tempfile::tempdir().unwrap();
        for path in ["../a", "/a", "a/../../b", ""] {
            let error = lay(folder.path(), &BTreeMap::from([(path.to_owned(), String::new())])).unwrap_err();
            assert!(error.message.contains("no path within"), "{path}");
        }
    }
}
