//! The folder of a project's tools.

use crate::error::ToolchainError;
use crate::project::Project;
use sha2::Digest;
use std::fs;
use std::path::{Path, PathBuf};

/// Its name within a project.
pub(crate) const FOLDER: &str = ".tools";

/// A folder for tools and SDKs: a project's own, or one that several share.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tools {
    pub(crate) dir: PathBuf,
    is_shared: bool,
}

impl Tools {
    /// The tools of a project: `shared` where it is given, else `.tools` in its folder.
    pub fn of(project: &Path, shared: Option<&Path>) -> Self {
        let dir = shared.map_or_else(|| project.join(FOLDER), Path::to_owned);
        // Tools run in folders of their own.
        let dir = std::path::absolute(&dir).unwrap_or(dir);
        Self { dir, is_shared: shared.is_some() }
    }

    /// The same for a project that lies within the tool folder, and needs no link to it.
    pub(crate) fn unlinked(&self) -> Self {
        Self { dir: self.dir.clone(), is_shared: false }
    }

    /// Where it is.
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    pub(crate) fn sdk(&self, folder: &str) -> PathBuf {
        self.dir.join("sdk").join(folder)
    }

    /// The contract.
    pub(crate) fn wit(&self) -> PathBuf {
        self.dir.join("wit")
    }

    /// Packages of npm, each with its version.
    pub(crate) fn npm(&self, packages: &[&str]) -> PathBuf {
        let digest = sha2::Sha256::digest(packages.join(" "));
        let name: String = digest.iter().take(8).map(|byte| format!("{byte:02x}")).collect();
        self.dir.join("npm").join(name)
    }

    /// A Python package of one version, with what it needs.
    pub(crate) fn pip(&self, package: &str, version: &str) -> PathBuf {
        self.dir.join("pip").join(format!("{package}-{version}"))
    }

    /// The packages that a Python project names, by the digest of the file that names them.
    pub(crate) fn requirements(&self, digest: &str) -> PathBuf {
        self.dir.join("pip").join(format!("requirements-{digest}"))
    }

    /// A file that is made for a project; others that share the tools may have the same name.
    pub(crate) fn of_project(&self, project: &Project, what: &str) -> PathBuf {
        let digest = sha2::Sha256::digest(project.dir.to_string_lossy().as_bytes());
        let key: String = digest.iter().take(4).map(|byte| format!("{byte:02x}")).collect();
        self.dir.join(format!("{}-{key}-{what}", project.name))
    }

    /// Makes the folder, and the project's `.tools` a link to it if it is shared: sources name what is in there.
    pub(crate) fn link_from(&self, project: &Path) -> Result<(), ToolchainError> {
        fs::create_dir_all(&self.dir).map_err(|error| ToolchainError::of_file("made", &self.dir, &error))?;
        let link = project.join(FOLDER);
        if !self.is_shared || fs::read_link(&link).is_ok_and(|to| to == self.dir) {
            return Ok(());
        }
        if link.is_symlink() {
            fs::remove_file(&link).map_err(|error| ToolchainError::of_file("replaced", &link, &error))?;
        }
        if link.exists() {
            let message = format!("{} is a folder of its own, and another one is to be used", link.display());
            return Err(ToolchainError::new(message)
                .help(format!("delete it, or unset SLUICEBOX_TOOLS, which names {}", self.dir.display())));
        }
        make_link(&self.dir, &link).map_err(|error| ToolchainError::of_file("made", &link, &error))
    }
}

#[cfg(unix)]
fn make_link(to: &Path, link: &Path) -> std::io::Result<()> {
    std::os::unix::fs::symlink(to, link)
}

#[cfg(windows)]
fn make_link(to: &Path, link: &Path) -> std::io::Result<()> {
    std::os::windows::fs::symlink_dir(to, link)
}
