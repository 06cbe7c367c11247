//! Deleting what is no longer kept, as `sluicebox.toml` beside the pipeline file says.

use crate::trouble::Trouble;
use jiff::Timestamp;
use sluicebox_model::plugin::Digest;
use sluicebox_model::retention::{Kept, KeptKind, Retention, to_delete};
use sluicebox_model::run::RunRecord;
use sluicebox_store::Store;
use std::collections::BTreeSet;
use std::io;
use std::path::{Path, PathBuf};

/// Deletes from the state folder what is no longer kept. `record` is the run that has just ended, `root` the folder of its
/// pipeline file, `offered` the components that stay in any case.
///
/// # Errors
/// The settings are none, or something cannot be deleted; it is tried again after the next run.
pub(crate) fn sweep(
    store: &Store,
    state: &Path,
    root: &Path,
    record: &RunRecord,
    offered: &BTreeSet<Digest>,
    now: Timestamp,
) -> Result<(), Trouble> {
    let rules = crate::settings::read(root)?.retention;
    let kept = kept(store, state)?;
    for thing in to_delete(&kept, &rules, now).into_iter().filter_map(|at| kept.get(at)) {
        match thing.kind {
            KeptKind::Log => store.forget_log(thing.run)?,
            // Rows that nobody can read must not be asked for.
            KeptKind::Quarantine => store.forget_quarantine(thing.run)?,
            KeptKind::Checkpoints | KeptKind::FailedCall => {}
        }
        if let Some(name) = folder(thing.kind) {
            let run = state.join("runs").join(thing.run.to_string());
            let path = run.join(name);
            gone(std::fs::remove_dir_all(&path)).map_err(|error| cannot_delete(&path, &error))?;
            // The last of its things takes the run's folder along.
            let _ = std::fs::remove_dir(run);
        }
    }
    sweep_components(store, state, &rules, record, offered, now)
}

/// Where things of a kind stand in the folder of their run; none for those in the database.
fn folder(kind: KeptKind) -> Option<&'static str> {
    match kind {
        KeptKind::Checkpoints => Some("checkpoints"),
        KeptKind::Quarantine => Some("quarantine"),
        KeptKind::FailedCall => Some("failed"),
        KeptKind::Log => None,
    }
}

fn kept(store: &Store, state: &Path) -> Result<Vec<Kept>, Trouble> {
    let mut kept = Vec::new();
    for remains in store.remains()? {
        let run = state.join("runs").join(remains.run.to_string());
        for kind in [KeptKind::Checkpoints, KeptKind::Quarantine, KeptKind::FailedCall, KeptKind::Log] {
            let path = folder(kind).map(|name| run.join(name)).filter(|path| path.is_dir());
            let is_there = match kind {
                KeptKind::Log => remains.has_log,
                KeptKind::Quarantine => remains.has_quarantine || path.is_some(),
                KeptKind::Checkpoints | KeptKind::FailedCall => path.is_some(),
            };
            if is_there {
                let bytes = path.map_or(0, |path| bytes_in(&path));
                let pipeline = remains.pipeline.clone();
                kept.push(Kept { run: remains.run, pipeline, kind, bytes, ended_at: remains.ended_at });
            }
        }
    }
    Ok(kept)
}

/// As far as it can be read: another run of this process may be at it.
fn bytes_in(folder: &Path) -> u64 {
    let Ok(entries) = std::fs::read_dir(folder) else { return 0 };
    let size = |entry: std::fs::DirEntry| match entry.metadata() {
        Ok(metadata) if metadata.is_dir() => bytes_in(&entry.path()),
        Ok(metadata) => metadata.len(),
        Err(_) => 0,
    };
    entries.flatten().map(size).sum()
}

/// Deletes the components of runs that are too old to be repeated.
fn sweep_components(
    store: &Store,
    state: &Path,
    rules: &Retention,
    record: &RunRecord,
    offered: &BTreeSet<Digest>,
    now: Timestamp,
) -> Result<(), Trouble> {
    // Those of the run itself stay in any case: others like it may be about to begin.
    let mut needed: BTreeSet<Digest> = record.stages.iter().map(|stage| stage.entry.digest.clone()).collect();
    let others: Vec<(Digest, PathBuf)> = components(state)
        .into_iter()
        .filter(|(digest, _)| !needed.contains(digest) && !offered.contains(digest))
        .collect();
    if others.is_empty() {
        return Ok(());
    }
    let since = now.checked_sub(rules.runs_for).unwrap_or(Timestamp::MIN);
    needed.extend(store.components_since(since)?);
    for (_, path) in others.iter().filter(|(digest, _)| !needed.contains(digest)) {
        gone(std::fs::remove_file(path)).map_err(|error| cannot_delete(path, &error))?;
    }
    Ok(())
}

fn components(state: &Path) -> Vec<(Digest, PathBuf)> {
    let Ok(entries) = std::fs::read_dir(state.join("components")) else { return Vec::new() };
    let component = |path: PathBuf| {
        let digest = path.file_stem()?.to_str()?.to_owned();
        (path.extension()? == "wasm").then_some((Digest(digest), path))
    };
    entries.flatten().filter_map(|entry| component(entry.path())).collect()
}

/// What is not there any more is as good as deleted.
fn gone(deleted: io::Result<()>) -> io::Result<()> {
    deleted.or_else(|error| if error.kind() == io::ErrorKind::NotFound { Ok(()) } else { Err(error) })
}

fn cannot_delete(path: &Path, error: &io::Error) -> Trouble {
    Trouble::new(format!("{} cannot be deleted: {error}", path.display()))
}
