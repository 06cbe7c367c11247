//! Projects to begin with.

use crate::error::ToolchainError;
use crate::language::Language;
use crate::project::Project;
use crate::sdk::template;
use sluicebox_model::plugin::Kind;
use std::fs;
use std::path::Path;

/// Whether a plugin may be called so: lower-case words of letters and digits, joined by hyphens, beginning with a letter.
pub fn name_is_sound(name: &str) -> bool {
    let word =
        |word: &str| !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit());
    name.len() <= 64 && name.bytes().next().is_some_and(|first| first.is_ascii_lowercase()) && name.split('-').all(word)
}

/// Makes the folder `NAME` in `into`, with a project that builds and passes its tests as it stands.
///
/// # Errors
/// The name is none, the folder is there already, or it cannot be written.
pub fn create(into: &Path, name: &str, kind: Kind, language: Language) -> Result<Project, ToolchainError> {
    if !name_is_sound(name) {
        return Err(ToolchainError::new(format!("{name:?} is no name for a plugin"))
            .help("a name is lower-case words joined by hyphens, e.g. `join-text`"));
    }
    let dir = into.join(name);
    if dir.exists() {
        return Err(ToolchainError::new(format!("{} is there already", dir.display()))
            .help("choose another name, or another folder: `--into DIR`"));
    }
    let files = template(language, &kind.to_string());
    if files.is_empty() {
        return Err(ToolchainError::new(format!("there is no {kind} in {} to begin with", language.name())));
    }
    for (path, content) in files {
        let path = dir.join(filled(&path.to_string_lossy(), name));
        let told = |error| ToolchainError::of_file("written", &path, &error);
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder).map_err(told)?;
        }
        match std::str::from_utf8(content) {
            Ok(text) => fs::write(&path, filled(text, name)).map_err(told)?,
            Err(_) => fs::write(&path, content).map_err(told)?,
        }
    }
    Project::read(&dir)
}

/// A template's text with the plugin's name in it.
fn filled(text: &str, name: &str) -> String {
    let pascal: String = name.split('-').map(capitalized).collect();
    text.replace("{{name}}", name).replace("{{name_snake}}", &name.replace('-', "_")).replace("{{NamePascal}}", &pascal)
}

fn capitalized(word: &str) -> String {
    let mut letters = word.chars();
    letters.next().map(|first| first.to_ascii_uppercase().to_string() + letters.as_str()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn names_are_words_joined_by_hyphens() {
        for good in ["a", "join-text", "x2", "a-1-b"] {
            assert!(name_is_sound(good), "{good}");
        }
        for bad in ["", "A", "1a", "-a", "a-", "a--b", "a_b", "a b", "../a", "ä", &"a".repeat(65)] {
            assert!(!name_is_sound(bad), "{bad}");
        }
    }

    #[test]
    fn a_project_is_made_of_every_kind_in_every_language() {
        let folder = tempfile::tempdir().unwrap();
        for language in Language::ALL {
            for kind in [Kind::Extract, Kind::Transform, Kind::Validate, Kind::Load] {
                let name = format!("my-{kind}-{}", language.word());
                let project = create(folder.path(), &name, kind, language).unwrap();
                assert_eq!((project.kind, project.language, project.name.as_str()), (kind, language, name.as_str()));
                let left = unfilled(&project.dir);
                assert!(left.is_empty(), "not filled in: {left:?}");
                let again = create(folder.path(), &name, kind, language).unwrap_err();
                assert!(again.message.contains("is there already") && again.help.is_some());
            }
        }
    }

    fn unfilled(dir: &Path) -> Vec<String> {
        let has_place = |text: &str| ["{{name", "{{Name"].iter().any(|place| text.contains(place));
        let mut found = Vec::new();
        for entry in fs::read_dir(dir).unwrap().flatten() {
            let (path, shown) = (entry.path(), entry.path().display().to_string());
            if path.is_dir() {
                found.extend(unfilled(&path));
            } else if has_place(&shown) || has_place(&fs::read_to_string(&path).unwrap()) {
                found.push(shown);
            }
        }
        found
    }
}
