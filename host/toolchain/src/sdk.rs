//! The SDKs, as they are in this program.

use crate::error::ToolchainError;
use crate::language::Language;
use crate::tools::Tools;
use include_dir::{Dir, DirEntry, File, include_dir};
use sha2::{Digest, Sha256};
use std::fs;
use std::path::{Path, PathBuf};

/// The contract.
pub(crate) const WIT: &str = include_str!("../../../wit/stage.wit");

static RUST: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/../../plugin-sdk/rust");
static PYTHON: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/../../plugin-sdk/python");
static TYPESCRIPT: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/../../plugin-sdk/javascript");
static C: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/../../plugin-sdk/c");
static GO: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/../../plugin-sdk/go");

/// Where the versions of what the Rust SDK depends on stand.
const WORKSPACE: &str = include_str!("../../../Cargo.toml");

/// The folder of an SDK that holds projects to begin with.
const TEMPLATES: &str = "template";

/// What users of an SDK have no use for.
const LEFT_OUT: [&str; 6] = [TEMPLATES, "tests", "examples", "target", "__pycache__", "node_modules"];

/// The file that says which SDK was unpacked.
const STAMP: &str = ".digest";

fn sdk(language: Language) -> &'static Dir<'static> {
    match language {
        Language::Rust => &RUST,
        Language::Python => &PYTHON,
        Language::TypeScript => &TYPESCRIPT,
        Language::C => &C,
        Language::Go => &GO,
    }
}

/// The files of a project to begin with; paths are relative to it.
pub(crate) fn template(language: Language, kind: &str) -> Vec<(PathBuf, &'static [u8])> {
    let folder = Path::new(TEMPLATES).join(kind);
    below(sdk(language), &folder)
}

/// The files below a folder of what is embedded; paths are relative to it.
pub(crate) fn below(embedded: &'static Dir<'static>, folder: &Path) -> Vec<(PathBuf, &'static [u8])> {
    let Some(dir) = embedded.get_dir(folder) else { return Vec::new() };
    let mut files = Vec::new();
    walk(dir, &|_| true, &mut files);
    let below =
        |file: &'static File<'static>| Some((file.path().strip_prefix(folder).ok()?.to_owned(), file.contents()));
    files.into_iter().filter_map(below).collect()
}

fn walk(dir: &'static Dir<'static>, wanted: &dyn Fn(&str) -> bool, files: &mut Vec<&'static File<'static>>) {
    for entry in dir.entries() {
        if !entry.path().file_name().is_some_and(|name| wanted(&name.to_string_lossy())) {
            continue;
        }
        match entry {
            DirEntry::Dir(dir) => walk(dir, wanted, files),
            DirEntry::File(file) => files.push(file),
        }
    }
}

/// What the SDK of a language holds, as it is unpacked.
fn contents(language: Language) -> Result<Vec<(PathBuf, Vec<u8>)>, ToolchainError> {
    let mut found = Vec::new();
    walk(sdk(language), &|name| !LEFT_OUT.contains(&name), &mut found);
    let mut files: Vec<(PathBuf, Vec<u8>)> =
        found.into_iter().map(|file| (file.path().to_owned(), file.contents().to_vec())).collect();
    if language == Language::Rust {
        for (path, content) in &mut files {
            if path == Path::new("Cargo.toml") {
                *content = alone(&String::from_utf8_lossy(content))?.into_bytes();
            }
        }
    }
    Ok(files)
}

/// The digest of the SDK of a language.
pub(crate) fn stamp(language: Language) -> Result<String, ToolchainError> {
    contents(language).map(|files| digest(&files))
}

/// Unpacks the SDK of a language, and the contract, unless the very same is there.
pub(crate) fn unpack(language: Language, tools: &Tools) -> Result<(), ToolchainError> {
    let files = contents(language)?;
    let digest = digest(&files);
    let folder = tools.sdk(language.word());
    // Projects that share their tools may build at the same time; the lock goes with the file.
    let sdks = tools.sdk("");
    fs::create_dir_all(&sdks).map_err(|error| ToolchainError::of_file("made", &sdks, &error))?;
    let locked = sdks.join(".lock");
    let told = |error| ToolchainError::of_file("locked", &locked, &error);
    let lock = fs::File::create(&locked).map_err(told)?;
    lock.lock().map_err(told)?;
    let is_there = fs::read_to_string(folder.join(STAMP)).is_ok_and(|stamp| stamp == digest);
    write(&tools.wit().join("stage.wit"), WIT.as_bytes())?;
    if is_there {
        return Ok(());
    }
    let half = tools.sdk(&format!("{}.half-{}", language.word(), std::process::id()));
    for (path, content) in &files {
        write(&half.join(path), content)?;
    }
    write(&half.join(STAMP), digest.as_bytes())?;
    if folder.exists() {
        fs::remove_dir_all(&folder).map_err(|error| ToolchainError::of_file("replaced", &folder, &error))?;
    }
    fs::rename(&half, &folder).map_err(|error| ToolchainError::of_file("made", &folder, &error))
}

pub(crate) fn write(path: &Path, content: &[u8]) -> Result<(), ToolchainError> {
    let told = |error| ToolchainError::of_file("written", path, &error);
    // Compilers look at times: what is the same stays as it is.
    if fs::read(path).is_ok_and(|there| there == content) {
        return Ok(());
    }
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder).map_err(told)?;
    }
    fs::write(path, content).map_err(told)
}

fn digest(files: &[(PathBuf, Vec<u8>)]) -> String {
    let mut hash = Sha256::new();
    for (path, content) in files {
        hash.update(path.to_string_lossy().as_bytes());
        hash.update((content.len() as u64).to_le_bytes());
        hash.update(content);
    }
    hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The Rust SDK's `Cargo.toml` as it stands alone, outside of our workspace: with the versions that are written there.
fn alone(manifest: &str) -> Result<String, ToolchainError> {
    let broken = |what: &str| ToolchainError::new(format!("the SDK in this program is damaged: {what}"));
    let read = |text: &str| toml::from_str::<toml::Table>(text).map_err(|error| broken(error.message()));
    let (mut manifest, workspace) = (read(manifest)?, read(WORKSPACE)?);
    let workspace = workspace.get("workspace").and_then(toml::Value::as_table).ok_or_else(|| broken("no workspace"))?;
    for table in ["package", "dependencies"] {
        let ours = workspace.get(table).and_then(toml::Value::as_table).ok_or_else(|| broken(table))?;
        let Some(theirs) = manifest.get_mut(table).and_then(toml::Value::as_table_mut) else { continue };
        for (key, value) in theirs.iter_mut() {
            if value.as_table().is_some_and(|value| value.contains_key("workspace")) {
                *value = ours.get(key).cloned().ok_or_else(|| broken(key))?;
            }
        }
    }
    manifest.retain(|key, _| key == "package" || key == "dependencies" || key == "lib");
    toml::to_string(&manifest).map_err(|error| broken(&error.to_string()))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing)]
    use super::*;

    #[test]
    fn the_rust_sdk_stands_alone() {
        let manifest = RUST.get_file("Cargo.toml").unwrap().contents_utf8().unwrap();
        let alone = toml::from_str::<toml::Table>(&alone(manifest).unwrap()).unwrap();
        assert!(!alone.to_string().contains("workspace"), "{alone}");
        assert_eq!(alone["package"]["name"].as_str(), Some("sluicebox-stage"));
        assert!(alone["dependencies"]["wit-bindgen"]["version"].is_str());
    }

    #[test]
    fn every_language_has_a_project_of_each_kind_to_begin_with() {
        for language in Language::ALL {
            for kind in ["extract", "transform", "validate", "load"] {
                let files = template(language, kind);
                let names: Vec<String> = files.iter().map(|(path, _)| path.display().to_string()).collect();
                for needed in ["plugin.toml", "README.md", "pipeline.toml", ".gitignore"] {
                    assert!(names.iter().any(|name| name == needed), "{language:?} {kind}: no {needed} in {names:?}");
                }
            }
        }
    }

    #[test]
    fn an_sdk_is_unpacked_once_and_again_when_it_is_another() {
        let folder = tempfile::tempdir().unwrap();
        let tools = Tools::of(folder.path(), None);
        for language in Language::ALL {
            unpack(language, &tools).unwrap();
            let stamp = tools.sdk(language.word()).join(STAMP);
            let first = fs::metadata(&stamp).unwrap().modified().unwrap();
            unpack(language, &tools).unwrap();
            assert_eq!(fs::metadata(&stamp).unwrap().modified().unwrap(), first, "left as it is");
            fs::write(&stamp, "an older one").unwrap();
            unpack(language, &tools).unwrap();
            assert_ne!(fs::read_to_string(&stamp).unwrap(), "an older one");
            assert!(!tools.sdk(language.word()).join(TEMPLATES).exists());
        }
        assert!(tools.wit().join("stage.wit").is_file() && tools.sdk("python").join("sluicebox").is_dir());
    }
}
