//! `sluicebox.toml`, read from the folder of the pipelines.

use crate::show::human::clean_line;
use crate::show::problems::{File, line_and_column};
use crate::trouble::Trouble;
use sluicebox_model::pipeline::{self, Problem, Settings};
use sluicebox_sandbox::NetworkFiles;
use std::io;
use std::path::{Path, PathBuf};

/// The file's name.
pub const SETTINGS: &str = "sluicebox.toml";

/// Folders that are looked at.
pub(crate) const ABOVE_MAX: usize = 16;

/// The folder of the pipelines that a folder belongs to: the nearest, it or one above, with a `sluicebox.toml` or with
/// runs; none: it stands alone.
pub fn home(root: &Path) -> Option<&Path> {
    let is_home = |folder: &&Path| {
        folder.join(SETTINGS).is_file() || folder.join(crate::places::STATE).join("store.sqlite").is_file()
    };
    root.ancestors().take(ABOVE_MAX).find(is_home)
}

/// The nearest `sluicebox.toml`, in this folder or above.
fn nearest(root: &Path) -> Result<Option<(PathBuf, String)>, Trouble> {
    let nearest = root.ancestors().take(ABOVE_MAX).map(|folder| folder.join(SETTINGS)).find(|file| file.is_file());
    let Some(path) = nearest else { return Ok(None) };
    match std::fs::read_to_string(&path) {
        Ok(text) => Ok(Some((path, text))),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(Trouble::new(format!("{} cannot be read: {error}", path.display()))),
    }
}

/// Settings that cannot be used, with all that is wrong with them.
#[derive(Debug)]
pub struct Broken {
    name: String,
    text: String,
    /// What is wrong, in the order of the file.
    pub problems: Vec<Problem>,
}

impl Broken {
    /// The file as problems point into it.
    pub fn file(&self) -> File<'_> {
        File { name: &self.name, text: &self.text }
    }
}

/// What is wrong with the nearest settings; none if there are none, or nothing is.
///
/// # Errors
/// They cannot be read.
pub fn broken(root: &Path) -> Result<Option<Broken>, Trouble> {
    let Some((path, text)) = nearest(root)? else { return Ok(None) };
    // Beside the pipeline file it is known by its name.
    let name = if path.parent() == Some(root) { SETTINGS.to_owned() } else { clean_line(&path.display().to_string()) };
    let problems = pipeline::settings(&text).err();
    Ok(problems.map(|problems| Broken { name, text, problems }))
}

/// What the nearest `sluicebox.toml` says, in this folder or above, or what holds without one.
///
/// # Errors
/// It cannot be read, or is none; the message says where.
pub fn read(root: &Path) -> Result<Settings, Trouble> {
    let Some((_, text)) = nearest(root)? else { return Ok(Settings::default()) };
    parsed(&text)
}

/// What the nearest `sluicebox.toml` says of the network; its files start at its folder.
///
/// # Errors
/// As of [`read`].
pub fn network(root: &Path) -> Result<NetworkFiles, Trouble> {
    let Some((path, text)) = nearest(root)? else { return Ok(NetworkFiles::default()) };
    let network = parsed(&text)?.network;
    let folder = path.parent().unwrap_or(Path::new("."));
    let file = |name: Option<String>| name.map(|name| folder.join(name));
    Ok(NetworkFiles { hosts: file(network.hosts), ca: file(network.ca) })
}

fn parsed(text: &str) -> Result<Settings, Trouble> {
    pipeline::settings(text).map_err(|problems| {
        let Some(problem) = problems.first() else { return Trouble::new(format!("{SETTINGS} cannot be read")) };
        let (line, column) = line_and_column(text, problem.span.start);
        let trouble = Trouble::new(format!("{SETTINGS}:{line}:{column}: {}", problem.message));
        match &problem.help {
            Some(help) => trouble.help(help.clone()),
            None => trouble,
        }
    })
}
