//! Running compilers and installers.

use crate::error::ToolchainError;
use std::process::{Command, Stdio};

/// Whether a program runs and ends well.
pub(crate) fn works(command: &mut Command) -> bool {
    output(command).is_ok_and(|output| output.status.success())
}

/// Runs a program to its end without showing what it says.
pub(crate) fn output(command: &mut Command) -> std::io::Result<std::process::Output> {
    command.stdin(Stdio::null()).output()
}

/// Runs a program; answers with its standard output.
///
/// # Errors
/// It cannot be started, or fails; then its standard error is the [`ToolchainError::said`].
pub(crate) fn run(what: &str, command: &mut Command) -> Result<String, ToolchainError> {
    let program = command.get_program().to_string_lossy().into_owned();
    let output = output(command)
        .map_err(|error| ToolchainError::new(format!("{what}: {program} cannot be started: {error}")))?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    // Some say what is wrong on standard output.
    let said = if output.stderr.is_empty() { &output.stdout } else { &output.stderr };
    let said = String::from_utf8_lossy(said).trim().to_owned();
    Err(ToolchainError { said: Some(said), ..ToolchainError::new(what) })
}
