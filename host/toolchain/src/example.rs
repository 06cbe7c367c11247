//! The examples in Rust, as they are in this program: what a plugin in any language is measured beside.

use crate::error::ToolchainError;
use crate::project::Project;
use crate::sdk::{below, write};
use crate::tools::Tools;
use include_dir::{Dir, include_dir};
use sluicebox_model::plugin::Kind;
use std::path::Path;

static EXAMPLES: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/../../examples/plugins/rust");

/// The example's folder.
fn name(kind: Kind) -> &'static str {
    match kind {
        Kind::Extract => "numbers",
        Kind::Transform => "join-text",
        Kind::Validate => "known-values",
        Kind::Load => "json-lines",
    }
}

/// Puts the example of a kind into the tool folder, unless it is there; answers with its project, and the tools to build it with,
/// which are the same.
///
/// # Errors
/// The tool folder cannot be written.
pub fn example_in_rust(kind: Kind, tools: &Tools) -> Result<(Project, Tools), ToolchainError> {
    let name = name(kind);
    let folder = tools.dir().join("examples").join(name);
    for (path, content) in below(&EXAMPLES, Path::new(name)) {
        write(&folder.join(path), content)?;
    }
    let project = Project::read(&folder)?;
    let tools = Tools::of(&project.dir, Some(tools.dir()));
    Ok((project, tools))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::Language;

    #[test]
    fn there_is_one_of_each_kind() {
        let folder = tempfile::tempdir().unwrap();
        let tools = Tools::of(folder.path(), None);
        for kind in [Kind::Extract, Kind::Transform, Kind::Validate, Kind::Load] {
            let (project, of_it) = example_in_rust(kind, &tools).unwrap();
            assert_eq!((project.kind, project.language), (kind, Language::Rust));
            assert_eq!(of_it.dir(), tools.dir());
            assert!(project.dir.join("src/lib.rs").is_file() && project.dir.join("tests/cases.toml").is_file());
        }
    }
}
