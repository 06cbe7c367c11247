//! The folder that a site is written into: only files that are ours are replaced or removed.

use crate::show::human::clean_line;
use crate::trouble::Trouble;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::{self, Write};
use std::path::Path;

/// The list of the files that are ours.
pub(super) const LIST: &str = ".sluicebox-site";

/// The first line of the list.
const TITLE: &str = "sluicebox docs: the files of this folder that it made, and may replace or remove";

/// The folder of the pages of pipelines.
pub(super) const PIPELINES: &str = "pipelines";

/// Writes the files of a site, by their paths below the folder; each appears as a whole. What an earlier site had and this
/// one has not is removed.
///
/// # Errors
/// The folder holds files that are not ours, or cannot be written.
pub(super) fn write(folder: &Path, files: &BTreeMap<String, String>) -> Result<(), Trouble> {
    let told = |path: &Path, error: &io::Error| {
        Trouble::new(format!("{} cannot be written: {error}", clean_line(&path.display().to_string())))
    };
    let shown = clean_line(&folder.display().to_string());
    let ours = match fs::read_dir(folder) {
        Ok(mut entries) => match list(folder) {
            Ok(Some(ours)) => ours,
            Ok(None) if entries.next().is_none() => BTreeSet::new(),
            Ok(None) => {
                return Err(Trouble::new(format!("{shown} is not empty, and no site that `sluicebox docs` made"))
                    .help("name another folder, or empty it: nothing in it was touched"));
            }
            Err(error) => return Err(told(&folder.join(LIST), &error)),
        },
        Err(error) if error.kind() == io::ErrorKind::NotFound => BTreeSet::new(),
        Err(error) => return Err(told(folder, &error)),
    };
    // Before anything is written.
    let pages = folder.join(PIPELINES);
    if fs::symlink_metadata(&pages).is_ok_and(|found| !found.is_dir()) {
        return Err(Trouble::new(format!("{} is no folder of ours", clean_line(&pages.display().to_string())))
            .help("move it away: the pages of the pipelines go there"));
    }
    for name in files.keys().filter(|name| !ours.contains(*name)) {
        let path = folder.join(name);
        if fs::symlink_metadata(&path).is_ok() {
            let shown = clean_line(&path.display().to_string());
            return Err(Trouble::new(format!("{shown} is there already, and not one of ours"))
                .help("move it away, or name another folder: nothing was touched"));
        }
    }
    fs::create_dir_all(&pages).map_err(|error| told(&pages, &error))?;
    // Whatever happens on the way, every file that is ours stands in the list.
    let all: BTreeSet<&str> = ours.iter().chain(files.keys()).map(String::as_str).collect();
    replace(folder, LIST, &as_list(&all)).map_err(|error| told(&folder.join(LIST), &error))?;
    for (name, text) in files {
        replace(folder, name, text).map_err(|error| told(&folder.join(name), &error))?;
    }
    for name in ours.iter().filter(|name| !files.contains_key(*name)) {
        let path = folder.join(name);
        match fs::remove_file(&path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(told(&path, &error)),
            _ => {}
        }
    }
    let now: BTreeSet<&str> = files.keys().map(String::as_str).collect();
    replace(folder, LIST, &as_list(&now)).map_err(|error| told(&folder.join(LIST), &error))
}

fn as_list(files: &BTreeSet<&str>) -> String {
    let mut text = format!("{TITLE}\n");
    files.iter().for_each(|file| text.push_str(&format!("{file}\n")));
    text
}

/// The files that are ours; none if the folder is not. Only names that we give are taken from it.
fn list(folder: &Path) -> io::Result<Option<BTreeSet<String>>> {
    match fs::read_to_string(folder.join(LIST)) {
        Ok(text) => {
            let mut lines = text.lines();
            if lines.next() != Some(TITLE) {
                return Ok(None);
            }
            Ok(Some(lines.filter(|line| is_ours(line)).map(str::to_owned).collect()))
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) if error.kind() == io::ErrorKind::InvalidData => Ok(None),
        Err(error) => Err(error),
    }
}

fn is_ours(name: &str) -> bool {
    let page = name.strip_prefix(PIPELINES).and_then(|rest| rest.strip_prefix('/')).unwrap_or(name);
    let Some(stem) = page.strip_suffix(".html") else { return false };
    (page != name || name == "index.html") && is_plain(stem)
}

/// Whether a name can be the name of a page.
pub(super) fn is_plain(name: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-' || byte == b'_';
    !name.is_empty() && name.len() <= 200 && name.bytes().all(plain)
}

/// Puts a file in place of another at once. A link is replaced, not followed.
fn replace(folder: &Path, name: &str, text: &str) -> io::Result<()> {
    let path = folder.join(name);
    let beside = path.parent().unwrap_or(folder).join(".sluicebox-site.new");
    match fs::remove_file(&beside) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut file = fs::OpenOptions::new().write(true).create_new(true).open(&beside)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()?;
    fs::rename(&beside, &path)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn site(names: &[&str]) -> BTreeMap<String, String> {
        names.iter().map(|name| ((*name).to_owned(), format!("<p>{name}</p>"))).collect()
    }

    #[test]
    fn only_what_is_ours_is_touched() {
        let folder = tempfile::tempdir().unwrap();
        let out = folder.path().join("a/site");
        write(&out, &site(&["index.html", "pipelines/a.html", "pipelines/b.html"])).unwrap();
        fs::write(out.join("CNAME"), "mine").unwrap();
        fs::write(out.join("pipelines/c.html"), "mine").unwrap();
        write(&out, &site(&["index.html", "pipelines/a.html"])).unwrap();
        assert!(!out.join("pipelines/b.html").exists());
        assert_eq!(fs::read_to_string(out.join("CNAME")).unwrap(), "mine");
        let refused = write(&out, &site(&["index.html", "pipelines/c.html"])).unwrap_err();
        assert!(refused.message.ends_with("is there already, and not one of ours"), "{refused}");
        assert_eq!(fs::read_to_string(out.join("pipelines/c.html")).unwrap(), "mine");
        assert!(out.join("pipelines/a.html").exists());
    }

    #[test]
    fn a_folder_of_somebody_else_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("thesis.txt"), "mine").unwrap();
        let refused = write(folder.path(), &site(&["index.html"])).unwrap_err();
        assert!(refused.message.contains("is not empty"), "{refused}");
        // A list that names what we never made is no way to have it removed.
        fs::write(folder.path().join(LIST), format!("{TITLE}\nthesis.txt\n../x.html\npipelines/../y.html\n")).unwrap();
        write(folder.path(), &site(&["index.html"])).unwrap();
        assert_eq!(fs::read_to_string(folder.path().join("thesis.txt")).unwrap(), "mine");
        assert!(is_ours("pipelines/a-1.html") && is_ours("index.html"));
        assert!(
            ["other.html", "../index.html", "pipelines/.html", "pipelines/a/b.html", ""]
                .into_iter()
                .all(|n| !is_ours(n))
        );
    }
}
