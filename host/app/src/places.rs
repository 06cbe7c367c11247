//! Where things are: the state folder, the compile cache and the plugin folders.

use crate::trouble::Trouble;
use sluicebox_model::pipeline::units;
use sluicebox_model::run::RunId;
use sluicebox_sandbox::CacheBounds;
use std::env;
use std::path::{Path, PathBuf};

/// The state folder's name.
pub const STATE: &str = ".sluicebox";

/// The state folder of a pipeline: `given`, or `SLUICEBOX_STATE`, or `.sluicebox` in the folder that its folder belongs to
/// (see [`home`](crate::settings::home)), which mostly is its own.
pub fn state_of_pipeline(given: Option<&Path>, root: &Path) -> PathBuf {
    let found = given.map(Path::to_owned).or_else(|| variable("SLUICEBOX_STATE"));
    found.unwrap_or_else(|| crate::settings::home(root).unwrap_or(root).join(STATE))
}

/// The state folder for commands that name no pipeline: `given`, or `SLUICEBOX_STATE`, or the nearest `.sluicebox` in
/// this folder or above.
///
/// # Errors
/// There is none.
pub fn state(given: Option<&Path>) -> Result<PathBuf, Trouble> {
    if let Some(folder) = given.map(Path::to_owned).or_else(|| variable("SLUICEBOX_STATE")) {
        if folder.is_dir() {
            return Ok(folder);
        }
        return Err(Trouble::new(format!("the state folder {} does not exist", folder.display()))
            .help("it is `.sluicebox` beside a pipeline file that has been run"));
    }
    let here = env::current_dir().map_err(|error| Trouble::new(format!("there is no current folder: {error}")))?;
    if let Some(found) = here.ancestors().map(|folder| folder.join(STATE)).find(|folder| folder.is_dir()) {
        // The shorter way to say it, where there is one.
        return Ok(found.strip_prefix(&here).map(Path::to_owned).unwrap_or(found));
    }
    Err(Trouble::new("no runs here: there is no `.sluicebox` folder here or above")
        .help("go to the folder of the pipeline file, or name the state folder: `--state DIR`"))
}

/// The state folder as commands have to name it that are given in a folder; none: they find it there by themselves, without any
/// variable.
pub fn to_be_named(state: &Path, folder: &Path) -> Option<PathBuf> {
    let real = |path: &Path| path.canonicalize().unwrap_or_else(|_| path.to_owned());
    let found = folder.ancestors().map(|above| above.join(STATE)).find(|found| found.is_dir());
    let state = real(state);
    (found.map(|found| real(&found)).as_ref() != Some(&state)).then_some(state)
}

/// Where a run's checkpoints are kept.
pub fn checkpoints(state: &Path, run: RunId) -> PathBuf {
    state.join("runs").join(run.to_string()).join("checkpoints")
}

/// The file that asks a run to stop, for the process that is at it.
pub fn cancel_request(state: &Path, run: RunId) -> PathBuf {
    state.join("runs").join(run.to_string()).join("cancel")
}

/// Asks a run to stop: the process that is at it, or whoever finishes it after that process died.
///
/// # Errors
/// The file cannot be written.
pub fn ask_to_stop(state: &Path, run: RunId) -> Result<(), Trouble> {
    let request = cancel_request(state, run);
    let write = || {
        if let Some(folder) = request.parent() {
            std::fs::create_dir_all(folder)?;
        }
        std::fs::write(&request, b"")
    };
    write().map_err(|error| Trouble::new(format!("{} cannot be written: {error}", request.display())))
}

/// Where compiled plugins are kept: `SLUICEBOX_CACHE`, or `sluicebox` below `XDG_CACHE_HOME` or `~/.cache`.
///
/// # Errors
/// No home folder is known.
pub fn cache() -> Result<PathBuf, Trouble> {
    variable("SLUICEBOX_CACHE")
        .or_else(|| variable("XDG_CACHE_HOME").map(|folder| folder.join("sluicebox")))
        .or_else(|| variable("HOME").map(|home| home.join(".cache").join("sluicebox")))
        .ok_or_else(|| {
            Trouble::new("there is no place for compiled plugins: HOME is not set")
                .help("set SLUICEBOX_CACHE to a folder of your own")
        })
}

/// How much the compile cache may hold: `SLUICEBOX_CACHE_MAX` (a size, 2GiB unless given), `SLUICEBOX_CACHE_UNUSED` (how long
/// something stays that is not used, 30d unless given).
///
/// # Errors
/// What a variable says is no size or duration.
pub fn cache_bounds() -> Result<CacheBounds, Trouble> {
    let mut bounds = CacheBounds::default();
    let told = |name: &'static str| move |help: String| Trouble::new(format!("{name} cannot be understood")).help(help);
    if let Some(size) = variable("SLUICEBOX_CACHE_MAX") {
        bounds.bytes_max = units::size(&size.to_string_lossy()).map_err(told("SLUICEBOX_CACHE_MAX"))?;
    }
    if let Some(unused) = variable("SLUICEBOX_CACHE_UNUSED") {
        bounds.unused_max = units::duration(&unused.to_string_lossy()).map_err(told("SLUICEBOX_CACHE_UNUSED"))?;
    }
    Ok(bounds)
}

/// The plugin folders in the order in which they count: `given`, those in `SLUICEBOX_PLUGINS`, `plugins` beside the
/// pipeline file, `plugins` in the folder that its folder belongs to (see [`home`](crate::settings::home)), `plugins` beside
/// the program.
pub fn plugin_folders(given: &[PathBuf], root: &Path) -> Vec<PathBuf> {
    let mut folders = given.to_vec();
    if let Some(more) = env::var_os("SLUICEBOX_PLUGINS") {
        folders.extend(env::split_paths(&more).filter(|folder| !folder.as_os_str().is_empty()));
    }
    folders.push(root.join("plugins"));
    folders.extend(crate::settings::home(root).map(|home| home.join("plugins")));
    if let Some(beside) = env::current_exe().ok().and_then(|program| program.parent().map(Path::to_owned)) {
        folders.push(beside.join("plugins"));
    }
    let mut seen = Vec::new();
    folders.retain(|folder| {
        let real = folder.canonicalize().unwrap_or_else(|_| folder.clone());
        let new = !seen.contains(&real);
        seen.push(real);
        new
    });
    folders
}

fn variable(name: &str) -> Option<PathBuf> {
    env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from)
}

/// The folder in which the command was given.
pub fn here() -> Option<PathBuf> {
    env::current_dir().ok().and_then(|here| here.canonicalize().ok())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn the_state_folder_is_named_where_it_is_not_found() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().canonicalize().unwrap();
        let (pipelines, own) = (root.join("etl/pipelines"), root.join("etl").join(STATE));
        let other = root.join("state");
        for folder in [&pipelines, &own, &other] {
            std::fs::create_dir_all(folder).unwrap();
        }
        assert_eq!(to_be_named(&own, &pipelines), None);
        assert_eq!(to_be_named(&root.join("etl/./pipelines/..").join(STATE), &pipelines), None);
        assert_eq!(to_be_named(&other, &pipelines), Some(other.clone()));
        // A nearer one would be found.
        std::fs::create_dir_all(pipelines.join(STATE)).unwrap();
        assert_eq!(to_be_named(&own, &pipelines), Some(own));
    }
}
