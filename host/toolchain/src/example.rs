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
        // Within the tool folder a link to it would lead round in circles: whoever walks through a project's `.tools` would never
        // come to an end. So the SDK is named by where it is.
        let text = String::from_utf8_lossy(content).replace(".tools/sdk/rust", "../../sdk/rust");
        write(&folder.join(path), text.as_bytes())?;
    }
    Ok((Project::read(&folder)?, tools.unlinked()))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::Language;
    use std::fs;

    #[test]
    fn there_is_one_of_each_kind() {
        let folder = tempfile::tempdir().unwrap();
        let tools = Tools::of(folder.path(), None);
        for kind in [Kind::Extract, Kind::Transform, Kind::Validate, Kind::Load] {
            let (project, of_it) = example_in_rust(kind, &tools).unwrap();
            assert_eq!((project.kind, project.language), (kind, Language::Rust));
            assert_eq!(of_it.dir(), tools.dir());
            crate::prepare(&project, &of_it).unwrap();
            assert!(fs::symlink_metadata(project.dir.join(".tools")).is_err(), "no way back into the tool folder");
            assert!(project.dir.join("../../sdk/rust/Cargo.toml").is_file());
            let manifest = fs::read_to_string(project.dir.join("Cargo.toml")).unwrap();
            assert!(manifest.contains("path = \"../../sdk/rust\""), "{manifest}");
            assert!(project.dir.join("src/lib.rs").is_file() && project.dir.join("tests/cases.toml").is_file());
        }
    }
}
