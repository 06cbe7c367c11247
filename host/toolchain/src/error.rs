//! What can go wrong.

use std::path::Path;

/// Why a plugin could not be made.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct ToolchainError {
    /// What is wrong.
    pub message: String,
    /// What to do instead.
    pub help: Option<String>,
    /// What a compiler or another tool said, the first mistake first.
    pub said: Option<String>,
}

impl ToolchainError {
    /// An error that explains itself.
    pub(crate) fn new(message: impl Into<String>) -> Self {
        Self { message: message.into(), help: None, said: None }
    }

    /// Says what to do instead.
    #[must_use]
    pub(crate) fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// A file or folder that cannot be written, read or moved.
    pub(crate) fn of_file(what: &str, path: &Path, error: &std::io::Error) -> Self {
        Self::new(format!("{} cannot be {what}: {error}", path.display()))
    }
}
