//! A plugin's project.

use crate::error::ToolchainError;
use crate::language::Language;
use serde::Deserialize;
use sluicebox_model::plugin::Kind;
use std::fs;
use std::path::{Path, PathBuf};

/// The file that makes a folder a plugin's project.
pub(crate) const FILE: &str = "plugin.toml";

/// A plugin's project.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Project {
    /// Its folder.
    pub dir: PathBuf,
    /// The plugin's name.
    pub name: String,
    /// What kind of stage it is.
    pub kind: Kind,
    /// What it is written in.
    pub language: Language,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    plugin: Plugin,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Plugin {
    name: String,
    kind: String,
    language: String,
}

impl Project {
    /// Reads the project in a folder.
    ///
    /// # Errors
    /// There is no `plugin.toml`, or it does not say name, kind and language as it should.
    pub fn read(dir: &Path) -> Result<Self, ToolchainError> {
        let path = dir.join(FILE);
        let text = fs::read_to_string(&path).map_err(|error| match error.kind() {
            std::io::ErrorKind::NotFound => {
                ToolchainError::new(format!("{} is no plugin's project: there is no {FILE}", dir.display()))
                    .help("go into its folder, or make one: `sluicebox plugin new NAME --kind transform --lang python`")
            }
            _ => ToolchainError::of_file("read", &path, &error),
        })?;
        let shown = path.display();
        let File { plugin } = toml::from_str(&text).map_err(|error| {
            let what = error.message().lines().next().unwrap_or_default().to_owned();
            ToolchainError::new(format!("{shown}: {what}"))
                .help("it has `[plugin]` with `name`, `kind` and `language`, and nothing else")
        })?;
        if !crate::name_is_sound(&plugin.name) {
            return Err(ToolchainError::new(format!("{shown}: {:?} is no name for a plugin", plugin.name))
                .help("a name is lower-case words joined by hyphens, e.g. `join-text`"));
        }
        let kind = kind_of(&plugin.kind)
            .ok_or_else(|| ToolchainError::new(format!("{shown}: there is no kind `{}`", plugin.kind)).help(KINDS))?;
        let language = Language::of(&plugin.language)
            .map_err(|error| ToolchainError { message: format!("{shown}: {}", error.message), ..error })?;
        let dir = dir.canonicalize().map_err(|error| ToolchainError::of_file("found", dir, &error))?;
        Ok(Self { dir, name: plugin.name, kind, language })
    }

    /// The name with underscores, as modules of many languages want it.
    pub(crate) fn snake(&self) -> String {
        self.name.replace('-', "_")
    }
}

/// What to write as a kind.
const KINDS: &str = "write one of: extract, transform, validate, load";

fn kind_of(word: &str) -> Option<Kind> {
    [Kind::Extract, Kind::Transform, Kind::Validate, Kind::Load].into_iter().find(|kind| kind.to_string() == word)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_project_says_what_it_is_or_is_told() {
        let folder = tempfile::tempdir().unwrap();
        let read = |text: &str| {
            fs::write(folder.path().join(FILE), text).unwrap();
            Project::read(folder.path())
        };
        let project = read("[plugin]\nname = 'a-b'\nkind = 'load'\nlanguage = 'go'\n").unwrap();
        assert_eq!((project.name.as_str(), project.kind, project.language), ("a-b", Kind::Load, Language::Go));
        assert_eq!(project.snake(), "a_b");
        for (text, told) in [
            ("[plugin]\nname = 'a'\nkind = 'load'\n", "missing field `language`"),
            ("[plugin]\nname = 'a'\nkind = 'load'\nlanguage = 'go'\nversion = 1", "unknown field `version`"),
            ("[plugin]\nname = 'A b'\nkind = 'load'\nlanguage = 'go'\n", "no name for a plugin"),
            ("[plugin]\nname = '../a'\nkind = 'load'\nlanguage = 'go'\n", "no name for a plugin"),
            ("[plugin]\nname = 'a'\nkind = 'sink'\nlanguage = 'go'\n", "no kind `sink`"),
            ("[plugin]\nname = 'a'\nkind = 'load'\nlanguage = 'cobol'\n", "no SDK for `cobol`"),
            ("plugin = 1", "plugin.toml: "),
        ] {
            let error = read(text).unwrap_err();
            assert!(error.message.contains(told) && error.help.is_some(), "{text}: {error:?}");
        }
        let error = Project::read(&folder.path().join("none")).unwrap_err();
        assert!(error.message.contains("is no plugin's project"), "{error:?}");
    }
}
