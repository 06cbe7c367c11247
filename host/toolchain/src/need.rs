//! What a language needs to be installed.

use crate::error::ToolchainError;
use crate::languages::typescript;
use crate::program::{run, works};
use crate::tools::Tools;
use std::ffi::OsString;
use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};
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
    /// What a Python project names in its `requirements.txt`, into the tool folder.
    Requirements {
        /// The file.
        file: PathBuf,
        /// Of the file's text: another one is installed anew.
        digest: String,
    },
    /// Packages of npm, each with its version, into the tool folder.
    Npm(&'static [&'static str]),
    /// A target of the Rust compiler, by rustup.
    RustTarget(&'static str),
}

impl fmt::Display for Need {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Pip { package, version } => write!(f, "{package} {version} (a Python package, into the tool folder)"),
            Self::Requirements { file, .. } => {
                write!(f, "what {} names (Python packages, into the tool folder)", file.display())
            }
            Self::Npm(packages) => {
                let named = packages.iter().map(|package| match package.rsplit_once('@') {
                    Some((name, version)) => format!("{name} {version}"),
                    None => (*package).to_owned(),
                });
                write!(f, "{} (packages of npm, into the tool folder)", named.collect::<Vec<_>>().join(", "))
            }
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
            Self::Requirements { digest, .. } => tools.requirements(digest).is_dir(),
            Self::Npm(packages) => tools.npm(packages).is_dir(),
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
            Self::Pip { package, version } => {
                let wanted = OsString::from(format!("{package}=={version}"));
                pip(&tools.pip(package, version), &format!("{package} {version}"), &[wanted])
            }
            Self::Requirements { file, digest } => {
                let wanted = [OsString::from("--requirement"), file.into()];
                pip(&tools.requirements(digest), &format!("what {} names", file.display()), &wanted)
            }
            Self::Npm(packages) => npm(tools, packages),
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

/// Puts packages where they belong only when they are whole; whoever was quicker has installed the same.
fn settle(installed: Result<String, ToolchainError>, half: &Path, to: &Path) -> Result<(), ToolchainError> {
    let done = installed.and_then(|_| match fs::rename(half, to) {
        Err(error) if !to.is_dir() => Err(ToolchainError::of_file("moved", half, &error)),
        _ => Ok(()),
    });
    if half.exists() {
        let _ = fs::remove_dir_all(half);
    }
    done
}

fn npm(tools: &Tools, packages: &[&str]) -> Result<(), ToolchainError> {
    let mut npm = typescript::npm(tools);
    if !works(typescript::npm(tools).arg("--version")) {
        return Err(ToolchainError::new("there is no npm").help("install Node 20 or newer, which brings npm"));
    }
    let to = tools.npm(packages);
    let half = to.with_extension(format!("half-{}", std::process::id()));
    fs::create_dir_all(&half).map_err(|error| ToolchainError::of_file("made", &half, &error))?;
    // Without a package.json of its own, npm would look for one in the folders above.
    let own = half.join("package.json");
    fs::write(&own, "{ \"private\": true }\n").map_err(|error| ToolchainError::of_file("written", &own, &error))?;
    npm.args(["install", "--no-audit", "--no-fund", "--loglevel", "error", "--save-exact", "--prefix"]).arg(&half);
    settle(run("packages of npm cannot be installed", npm.args(packages)), &half, &to)
}

/// Installs what pip is told to by `wanted` into the folder `to`; `what` is for people.
fn pip(to: &Path, what: &str, wanted: &[OsString]) -> Result<(), ToolchainError> {
    if !works(Command::new("python3").args(["-m", "pip", "--version"])) {
        return Err(ToolchainError::new(format!(
            "{what}: this comes by Python's pip, and there is no Python with pip"
        ))
        .help("install Python 3.10 or newer and pip, e.g. `apt-get install python3-pip`"));
    }
    let half = to.with_extension(format!("half-{}", std::process::id()));
    if let Some(folder) = to.parent() {
        fs::create_dir_all(folder).map_err(|error| ToolchainError::of_file("made", folder, &error))?;
    }
    let mut command = Command::new("python3");
    command.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-input", "--target"]);
    let installed = run(&format!("{what} cannot be installed"), command.arg(&half).args(wanted));
    settle(installed, &half, to)
}
