//! Why a command could not do what was asked, where that is no problem at a place in a pipeline file.

use sluicebox_model::journal::JournalError;
use std::fmt;

/// A message for people, and what to do instead.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trouble {
    /// What is wrong.
    pub message: String,
    /// What to do instead.
    pub help: Option<String>,
}

impl Trouble {
    /// Trouble that explains itself.
    pub fn new(message: impl Into<String>) -> Self {
        Self { message: message.into(), help: None }
    }

    /// Says what to do instead.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }
}

impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Trouble {}

impl From<sluicebox_sandbox::SandboxError> for Trouble {
    fn from(error: sluicebox_sandbox::SandboxError) -> Self {
        Self::new(error.to_string())
    }
}

impl From<sluicebox_runner::RunnerError> for Trouble {
    fn from(error: sluicebox_runner::RunnerError) -> Self {
        Self::new(error.to_string())
    }
}

impl From<JournalError> for Trouble {
    fn from(error: JournalError) -> Self {
        Self::new(error.to_string())
    }
}
