//! Makes plugins in any language: a project to begin with, the tools that it needs, and a component of its sources.
//!
//! A plugin project is a folder with a [`plugin.toml`](Project). Everything that is installed for it goes into its tool
//! folder ([`Tools`]), `.tools` within the project; nothing is installed without being asked for.

mod built;
mod component;
mod error;
mod example;
mod language;
mod languages;
mod lent;
mod need;
mod new;
mod program;
mod project;
mod sdk;
mod sources;
mod stated;
mod tools;

pub use built::{Sources, expected, is_current, note_built, note_took};
pub use error::ToolchainError;
pub use example::example_in_rust;
pub use language::Language;
pub use need::Need;
pub use new::{create, name_is_sound};
pub use project::Project;
pub use sources::{is_made, own_tests, sources};
pub use stated::stated;
pub use tools::Tools;

use languages::Made;

/// What a project needs and has not.
pub fn missing(project: &Project, tools: &Tools) -> Vec<Need> {
    languages::needs(project).into_iter().filter(|need| !need.is_met(tools)).collect()
}

/// Builds a project; answers with the bytes of its component, unchecked. The SDK is unpacked first, where it is not there or
/// is another one.
///
/// # Errors
/// A tool is missing or fails; the sources do not compile: then [`ToolchainError::said`] is what the compiler said.
pub fn build(project: &Project, tools: &Tools) -> Result<Vec<u8>, ToolchainError> {
    prepare(project, tools)?;
    match languages::build(project, tools)? {
        Made::Component(bytes) => Ok(bytes),
        Made::Module(bytes) => component::encode(&bytes, &languages::world(project.kind)),
    }
}

/// The command that runs the tests of a project's own language, which need no host; none where it has no such tests. The SDK has
/// to be unpacked ([`prepare`]), and what the language needs installed.
///
/// # Errors
/// The project cannot be read, or the tool folder cannot be written; the tests have to be compiled first and are not sound, then
/// [`ToolchainError::said`] is what the compiler said.
pub fn unit_tests(project: &Project, tools: &Tools) -> Result<Option<std::process::Command>, ToolchainError> {
    if own_tests(project)?.is_empty() {
        return Ok(None);
    }
    languages::unit_tests(project, tools).map(Some)
}

/// Unpacks the SDK of the project's language into the tool folder, so that an editor and the language's own tests find it.
///
/// # Errors
/// The tool folder cannot be written.
pub fn prepare(project: &Project, tools: &Tools) -> Result<(), ToolchainError> {
    tools.link_from(&project.dir)?;
    sdk::unpack(project.language, tools)
}
