//! `sluicebox.toml`, read from the folder of the pipelines.

use crate::trouble::Trouble;
use sluicebox_model::pipeline::{self, Settings};
use std::io;
use std::path::Path;

/// The file's name.
pub const SETTINGS: &str = "sluicebox.toml";

/// Folders that are looked at.
const ABOVE_MAX: usize = 16;

/// The folder of the pipelines that a folder belongs to: the nearest, it or one above, with a `sluicebox.toml` or with
/// runs; none: it stands alone.
pub fn home(root: &Path) -> Option<&Path> {
    let is_home = |folder: &&Path| {
        folder.join(SETTINGS).is_file() || folder.join(crate::places::STATE).join("store.sqlite").is_file()
    };
    root.ancestors().take(ABOVE_MAX).find(is_home)
}

/// What the nearest `sluicebox.toml` says, in this folder or above, or what holds without one.
///
/// # Errors
/// It cannot be read, or is none; the message says where.
pub fn read(root: &Path) -> Result<Settings, Trouble> {
    let nearest = root.ancestors().take(ABOVE_MAX).map(|folder| folder.join(SETTINGS)).find(|file| file.is_file());
    let Some(path) = nearest else { return Ok(Settings::default()) };
    let text = match std::fs::read_to_string(&path) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Settings::default()),
        Err(error) => return Err(Trouble::new(format!("{} cannot be read: {error}", path.display()))),
    };
    pipeline::settings(&text).map_err(|problems| {
        let Some(problem) = problems.first() else { return Trouble::new(format!("{SETTINGS} cannot be read")) };
        let line = text.get(..problem.span.start).map_or(0, |before| before.matches('\n').count()) + 1;
        let trouble = Trouble::new(format!("{SETTINGS}:{line}: {}", problem.message));
        match &problem.help {
            Some(help) => trouble.help(help.clone()),
            None => trouble,
        }
    })
}
