//! Whether a component is that of the sources as they are now.

use crate::error::ToolchainError;
use crate::project::Project;
use crate::sources::{is_made, sources};
use crate::tools::Tools;
use crate::{languages, sdk};
use sha2::{Digest, Sha256};
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// A file larger than this is known by its size and the time of its last change: it is data, and read in vain at every look.
const READ_MAX_BYTES: u64 = 16 << 20;

/// The digest of those sources that `is_wanted`, and of the SDK that a build of them uses.
fn digest(project: &Project, is_wanted: fn(&Path) -> bool) -> Result<String, ToolchainError> {
    let mut hash = Sha256::new();
    hash.update(sdk::stamp(project.language)?);
    for path in sources(project)?.iter().filter(|path| is_wanted(path)) {
        hash.update(path.to_string_lossy().as_bytes());
        // One that cannot be read is none that the last build has read.
        match content(&project.dir.join(path)) {
            Ok(content) => {
                hash.update((content.len() as u64).to_le_bytes());
                hash.update(content);
            }
            Err(error) => hash.update(error.to_string()),
        }
    }
    Ok(hex(&hash.finalize()))
}

fn content(path: &Path) -> std::io::Result<Vec<u8>> {
    let meta = fs::metadata(path)?;
    if meta.len() <= READ_MAX_BYTES {
        return fs::read(path);
    }
    Ok(format!("{} {:?}", meta.len(), meta.modified()?).into_bytes())
}

/// The sources as they are at some moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sources(String);

impl Sources {
    /// As they are now; without what builds write themselves.
    ///
    /// # Errors
    /// As of [`sources`].
    pub fn now(project: &Project) -> Result<Self, ToolchainError> {
        digest(project, |path| !is_made(path)).map(Self)
    }
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
    Ok(format!("{} {}\n", digest(project, |_| true)?, hex(&Sha256::digest(bytes))))
}

/// Whether the component is what a build of the sources, as they are now, would give.
pub fn is_current(project: &Project, tools: &Tools, component: &Path) -> bool {
    let noted = fs::read_to_string(note(project, tools)).ok();
    noted.is_some() && noted == state(project, component).ok()
}

/// Notes that the component was made of the sources as they are now, if that is how they were when its build began: who changed
/// one meanwhile is not told which of the two was built.
///
/// # Errors
/// The tool folder cannot be written.
pub fn note_built(project: &Project, tools: &Tools, component: &Path, began: &Sources) -> Result<(), ToolchainError> {
    let path = note(project, tools);
    let told = |error| ToolchainError::of_file("written", &path, &error);
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder).map_err(told)?;
    }
    let state = match Sources::now(project)? == *began {
        true => state(project, component)?,
        false => String::new(),
    };
    fs::write(&path, state).map_err(told)
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
    use crate::sources::own_tests;
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
        let note = || note_built(&project, &tools, &component, &Sources::now(&project).unwrap()).unwrap();
        note();
        assert!(is_current(&project, &tools, &component));

        for no_source in ["README.md", "tests/cases.toml", "data/sample.csv", "pipeline.toml", "test_stage.py"] {
            let path = project.dir.join(no_source);
            fs::write(&path, format!("{}\n", fs::read_to_string(&path).unwrap())).unwrap();
            assert!(is_current(&project, &tools, &component), "{no_source}");
        }
        fs::write(&component, "another").unwrap();
        assert!(!is_current(&project, &tools, &component));
        fs::write(&component, "component").unwrap();
        for source in ["stage.py", "plugin.toml", "words.json"] {
            let path = project.dir.join(source);
            fs::write(&path, format!("{}\n", fs::read_to_string(&path).unwrap_or_default())).unwrap();
            assert!(!is_current(&project, &tools, &component), "{source}");
            note();
            assert!(is_current(&project, &tools, &component), "{source}");
        }
    }

    /// The compiler may have read it before or after.
    #[test]
    fn a_source_that_changed_while_it_was_built_is_built_again() {
        let folder = tempfile::tempdir().unwrap();
        let project = create(folder.path(), "stamp", Kind::Transform, Language::Rust).unwrap();
        let tools = Tools::of(&project.dir, None);
        let component = folder.path().join("stamp.wasm");
        fs::write(&component, "component").unwrap();
        let began = Sources::now(&project).unwrap();
        fs::write(project.dir.join("Cargo.lock"), "made by the build").unwrap();
        note_built(&project, &tools, &component, &began).unwrap();
        assert!(is_current(&project, &tools, &component));
        fs::write(project.dir.join("Cargo.lock"), "by cargo update").unwrap();
        assert!(!is_current(&project, &tools, &component));

        fs::write(project.dir.join("src/more.rs"), "").unwrap();
        note_built(&project, &tools, &component, &began).unwrap();
        assert!(!is_current(&project, &tools, &component));
    }

    /// Data is not read through at every look.
    #[test]
    fn a_large_file_is_known_by_its_time() {
        let folder = tempfile::tempdir().unwrap();
        let project = create(folder.path(), "stamp", Kind::Transform, Language::Python).unwrap();
        let large = fs::File::create(project.dir.join("words.bin")).unwrap();
        large.set_len(READ_MAX_BYTES + 1).unwrap();
        let before = Sources::now(&project).unwrap();
        assert_eq!(Sources::now(&project).unwrap(), before);
        large.set_modified(std::time::SystemTime::UNIX_EPOCH).unwrap();
        assert_ne!(Sources::now(&project).unwrap(), before);
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
}
