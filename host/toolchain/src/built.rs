//! Whether a component is that of the sources as they are now.

use crate::error::ToolchainError;
use crate::project::Project;
use crate::tools::{self, Tools};
use crate::{languages, sdk};
use sha2::{Digest, Sha256};
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Folders that never hold sources.
const LEFT_OUT: [&str; 6] = [tools::FOLDER, "out", "plugins", "target", "node_modules", "__pycache__"];

/// More files than this in a project's folder are not its sources: somebody keeps data there.
const FILES_MAX: usize = 10_000;

/// The files of a project that a build reads, in order, each as within the project.
///
/// # Errors
/// The folder cannot be read, or holds too many files.
pub fn sources(project: &Project) -> Result<Vec<PathBuf>, ToolchainError> {
    files(project, &|path| languages::is_source(project.language, path))
}

/// The files of a project that hold tests in its own language, in order, each as within the project.
///
/// # Errors
/// As of [`sources`].
pub fn own_tests(project: &Project) -> Result<Vec<PathBuf>, ToolchainError> {
    files(project, &|path| languages::is_test(project, path))
}

fn files(project: &Project, is_wanted: &dyn Fn(&Path) -> bool) -> Result<Vec<PathBuf>, ToolchainError> {
    let mut found = Vec::new();
    let mut seen = 0;
    walk(project, Path::new(""), is_wanted, &mut seen, &mut found)?;
    found.sort();
    Ok(found)
}

fn walk(
    project: &Project,
    within: &Path,
    is_wanted: &dyn Fn(&Path) -> bool,
    seen: &mut usize,
    found: &mut Vec<PathBuf>,
) -> Result<(), ToolchainError> {
    let folder = project.dir.join(within);
    let told = |error| ToolchainError::of_file("read", &folder, &error);
    for entry in fs::read_dir(&folder).map_err(told)? {
        let entry = entry.map_err(told)?;
        let name = entry.file_name();
        let path = within.join(&name);
        let name = name.to_string_lossy();
        *seen += 1;
        if *seen > FILES_MAX {
            return Err(ToolchainError::new(format!("{} holds more than {FILES_MAX} files", project.dir.display()))
                .help("keep data and other projects outside of the plugin's project"));
        }
        let kind = entry.file_type().map_err(told)?;
        if kind.is_dir() {
            let is_hidden = name.starts_with('.') && name != ".cargo";
            if !is_hidden && !LEFT_OUT.contains(&name.as_ref()) {
                walk(project, &path, is_wanted, seen, found)?;
            }
        } else if is_wanted(&path) {
            found.push(path);
        }
    }
    Ok(())
}

/// The digest of the sources, and of the SDK that a build of them uses.
fn digest(project: &Project) -> Result<String, ToolchainError> {
    let mut hash = Sha256::new();
    hash.update(sdk::stamp(project.language)?);
    for path in sources(project)? {
        let content =
            fs::read(project.dir.join(&path)).map_err(|error| ToolchainError::of_file("read", &path, &error))?;
        hash.update(path.to_string_lossy().as_bytes());
        hash.update((content.len() as u64).to_le_bytes());
        hash.update(content);
    }
    Ok(hex(&hash.finalize()))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Where it is noted of which sources the project's component was made.
fn note(project: &Project, tools: &Tools) -> PathBuf {
    let dir = std::path::absolute(&project.dir).unwrap_or_else(|_| project.dir.clone());
    let key = hex(&Sha256::digest(dir.to_string_lossy().as_bytes()));
    tools.dir.join("built").join(key)
}

fn state(project: &Project, component: &Path) -> Result<String, ToolchainError> {
    let bytes = fs::read(component).map_err(|error| ToolchainError::of_file("read", component, &error))?;
    Ok(format!("{} {}\n", digest(project)?, hex(&Sha256::digest(bytes))))
}

/// Whether the component is what a build of the sources, as they are now, would give.
pub fn is_current(project: &Project, tools: &Tools, component: &Path) -> bool {
    let noted = fs::read_to_string(note(project, tools)).ok();
    noted.is_some() && noted == state(project, component).ok()
}

/// Notes that the component was made of the sources as they are now.
///
/// # Errors
/// The tool folder cannot be written.
pub fn note_built(project: &Project, tools: &Tools, component: &Path) -> Result<(), ToolchainError> {
    let path = note(project, tools);
    let told = |error| ToolchainError::of_file("written", &path, &error);
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder).map_err(told)?;
    }
    fs::write(&path, state(project, component)?).map_err(told)
}

/// How long a build takes: as long as the last one of the project, else as one of its language usually does. For people, who
/// want to know how much longer it will be.
pub fn expected(project: &Project, tools: &Tools) -> Duration {
    let noted = fs::read_to_string(note(project, tools).with_extension("took")).ok();
    let noted = noted.and_then(|text| text.trim().parse().ok()).map(Duration::from_millis);
    noted.unwrap_or_else(|| languages::usual(project.language))
}

/// Notes how long a build took. Where that cannot be kept, the next one is told as a usual one.
pub fn note_took(project: &Project, tools: &Tools, took: Duration) {
    let path = note(project, tools).with_extension("took");
    if let Some(folder) = path.parent() {
        let _ = fs::create_dir_all(folder);
    }
    let _ = fs::write(path, format!("{}\n", took.as_millis()));
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]
    use super::*;
    use crate::{Language, create};
    use sluicebox_model::plugin::Kind;

    #[test]
    fn a_component_is_current_until_a_source_changes() {
        let folder = tempfile::tempdir().unwrap();
        let project = create(folder.path(), "stamp", Kind::Transform, Language::Python).unwrap();
        let tools = Tools::of(&project.dir, None);
        let component = folder.path().join("stamp.wasm");
        assert!(!is_current(&project, &tools, &component));
        fs::write(&component, "component").unwrap();
        note_built(&project, &tools, &component).unwrap();
        assert!(is_current(&project, &tools, &component));

        fs::write(project.dir.join("README.md"), "changed").unwrap();
        assert!(is_current(&project, &tools, &component), "no source");
        fs::write(&component, "another").unwrap();
        assert!(!is_current(&project, &tools, &component));
        fs::write(&component, "component").unwrap();
        let source = project.dir.join("stage.py");
        fs::write(&source, format!("{}\n", fs::read_to_string(&source).unwrap())).unwrap();
        assert!(!is_current(&project, &tools, &component));
    }

    #[test]
    fn a_build_takes_as_long_as_the_last_one() {
        let folder = tempfile::tempdir().unwrap();
        let project = create(folder.path(), "stamp", Kind::Transform, Language::Python).unwrap();
        let tools = Tools::of(&project.dir, None);
        let usual = expected(&project, &tools);
        note_took(&project, &tools, Duration::from_millis(1234));
        assert_ne!(usual, Duration::from_millis(1234));
        assert_eq!(expected(&project, &tools), Duration::from_millis(1234));
    }

    #[test]
    fn tests_of_its_own_are_found_in_every_language() {
        let folder = tempfile::tempdir().unwrap();
        for (language, file) in [
            (Language::Rust, "src/lib.rs"),
            (Language::Python, "test_stage.py"),
            (Language::TypeScript, "stage.test.ts"),
            (Language::C, "test_stage.c"),
            (Language::Go, "main_test.go"),
        ] {
            let project = create(folder.path(), language.word(), Kind::Transform, language).unwrap();
            assert_eq!(own_tests(&project).unwrap(), [PathBuf::from(file)]);
            fs::write(project.dir.join(file), "").unwrap();
            if language != Language::Rust {
                fs::remove_file(project.dir.join(file)).unwrap();
            }
            assert!(own_tests(&project).unwrap().is_empty(), "{language:?}");
        }
    }

    #[test]
    fn what_is_installed_or_made_is_no_source() {
        let folder = tempfile::tempdir().unwrap();
        let project = create(folder.path(), "stamp", Kind::Transform, Language::Python).unwrap();
        for name in [".tools/sdk/a.py", "out/b.py", "words/c.py", ".hidden/d.py"] {
            let path = project.dir.join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, "").unwrap();
        }
        let found: Vec<String> = sources(&project).unwrap().iter().map(|path| path.display().to_string()).collect();
        assert_eq!(found, ["plugin.toml", "stage.py", "words/c.py"]);
    }
}
