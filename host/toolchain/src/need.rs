//! What a language needs to be installed.

use crate::error::ToolchainError;
use crate::program::{run, works};
use crate::tools::Tools;
use std::fmt;
use std::fs;
use std::path::Path;
use std::process::Command;

/// Something to install, of one version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Need {
    /// A package of Python's index, into the tool folder.
    Pip {
        /// Its name.
        package: &'static str,
        /// Its version.
        version: &'static str,
    },
    /// A target of the Rust compiler, by rustup.
    RustTarget(&'static str),
}

impl fmt::Display for Need {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Pip { package, version } => write!(f, "{package} {version} (a Python package, into the tool folder)"),
            Self::RustTarget(target) => write!(f, "{target} (a target of the Rust compiler, by rustup)"),
        }
    }
}

impl Need {
    /// A Python package, written as pip takes it: `NAME==VERSION`.
    pub(crate) fn pip(pinned: &'static str) -> Self {
        let (package, version) = pinned.split_once("==").unwrap_or((pinned, ""));
        Self::Pip { package, version }
    }

    /// Whether it is there.
    pub fn is_met(&self, tools: &Tools) -> bool {
        match self {
            Self::Pip { package, version } => tools.pip(package, version).is_dir(),
            Self::RustTarget(target) => {
                let libraries = run("", Command::new("rustc").args(["--print", "target-libdir", "--target", target]));
                libraries.is_ok_and(|folder| Path::new(folder.trim()).is_dir())
            }
        }
    }

    /// Installs it.
    ///
    /// # Errors
    /// What installs it is missing or fails; nothing is left half installed.
    pub fn install(&self, tools: &Tools) -> Result<(), ToolchainError> {
        match self {
            Self::Pip { package, version } => pip(tools, package, version),
            Self::RustTarget(target) => {
                if !works(Command::new("rustup").arg("--version")) {
                    let message = format!("the Rust compiler has no target {target}, and there is no rustup to add it");
                    return Err(
                        ToolchainError::new(message).help("install Rust by rustup, or the target as your system does")
                    );
                }
                run(&format!("{target} cannot be added"), Command::new("rustup").args(["target", "add", target]))?;
                Ok(())
            }
        }
    }
}

fn pip(tools: &Tools, package: &str, version: &str) -> Result<(), ToolchainError> {
    if !works(Command::new("python3").args(["-m", "pip", "--version"])) {
        return Err(ToolchainError::new(format!("{package} is a Python package, and there is no Python with pip"))
            .help("install Python 3.10 or newer and pip, e.g. `apt-get install python3-pip`"));
    }
    let to = tools.pip(package, version);
    let half = to.with_extension(format!("half-{}", std::process::id()));
    if let Some(folder) = to.parent() {
        fs::create_dir_all(folder).map_err(|error| ToolchainError::of_file("made", folder, &error))?;
    }
    let mut command = Command::new("python3");
    command.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-input", "--target"]);
    let installed = run(
        &format!("{package} {version} cannot be installed"),
        command.arg(&half).arg(format!("{package}=={version}")),
    );
    // It gets its name only when it is whole; whoever was quicker has installed the same.
    let done = installed.and_then(|_| match fs::rename(&half, &to) {
        Err(error) if !to.is_dir() => Err(ToolchainError::of_file("moved", &half, &error)),
        _ => Ok(()),
    });
    if half.exists() {
        let _ = fs::remove_dir_all(&half);
    }
    done
}
