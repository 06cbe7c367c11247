//! What each language needs, and how it builds.

mod go;
mod python;
mod rust;

use crate::error::ToolchainError;
use crate::language::Language;
use crate::need::Need;
use crate::project::Project;
use crate::tools::Tools;
use sluicebox_model::plugin::Kind;

/// What a compiler made.
pub(crate) enum Made {
    /// A component.
    Component(Vec<u8>),
    /// A core module without the type of its world.
    Module(Vec<u8>),
}

pub(crate) fn needs(language: Language) -> Vec<Need> {
    match language {
        Language::Rust => rust::needs(),
        Language::Python => python::needs(),
        Language::Go => go::needs(),
    }
}

pub(crate) fn build(project: &Project, tools: &Tools) -> Result<Made, ToolchainError> {
    match project.language {
        Language::Rust => rust::build(project),
        Language::Python => python::build(project, tools),
        Language::Go => go::build(project, tools),
    }
}

/// The world of the contract for a kind of stage.
pub(crate) fn world(kind: Kind) -> String {
    format!("{kind}-stage")
}

/// Sources that do not compile.
fn does_not_build(project: &Project) -> String {
    format!("`{}` does not build", project.name)
}
