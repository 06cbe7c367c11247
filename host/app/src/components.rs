//! The components that runs were made with, kept by digest, so that a run can be finished or repeated with the very same
//! ones after a plugin was replaced.

use crate::serve::folder::pipeline_files;
use crate::trouble::Trouble;
use crate::wiring::Source;
use sluicebox_model::pipeline::{self, StageSpec};
use sluicebox_model::plugin::Digest;
use sluicebox_model::run::RunRecord;
use sluicebox_sandbox::{Catalog, Plugin, Sandbox};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

/// The plugins of a pipeline's stages.
pub enum Plugins<'a> {
    /// Those that are found today.
    Found(&'a Catalog),
    /// Those of an earlier run, by stage.
    Kept(BTreeMap<String, Plugin>),
}

impl Plugins<'_> {
    /// The plugin of a stage, if it is there.
    pub fn of(&self, stage: &StageSpec) -> Option<&Plugin> {
        match self {
            Self::Found(catalog) => catalog.get(&stage.plugin),
            Self::Kept(kept) => kept.get(&stage.name),
        }
    }
}

static NEXT: AtomicU64 = AtomicU64::new(0);

fn folder(state: &Path) -> PathBuf {
    state.join("components")
}

fn path(state: &Path, digest: &Digest) -> PathBuf {
    folder(state).join(format!("{}.wasm", digest.0))
}

/// Keeps a copy of a plugin's component in the state folder.
///
/// # Errors
/// It cannot be copied, or it was replaced meanwhile.
pub fn keep(state: &Path, plugin: &Plugin) -> Result<(), Trouble> {
    let to = path(state, &plugin.digest);
    if to.exists() {
        return Ok(());
    }
    let told = |error: std::io::Error| {
        Trouble::new(format!("{} cannot be copied to {}: {error}", plugin.path.display(), to.display()))
            .help("see that the state folder is writable, and on a disk with room")
    };
    std::fs::create_dir_all(folder(state)).map_err(told)?;
    // Runs of one process may keep it at once, too.
    let half = to.with_extension(format!("{}-{}.half", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed)));
    std::fs::copy(&plugin.path, &half).map_err(told)?;
    if Catalog::digest_of(&half).as_ref() != Ok(&plugin.digest) {
        let _ = std::fs::remove_file(&half);
        let name = &plugin.description.name;
        return Err(Trouble::new(format!("plugin `{name}` was replaced just now")).help("run again"));
    }
    std::fs::File::open(&half).and_then(|file| file.sync_all()).map_err(told)?;
    std::fs::rename(&half, &to).map_err(told)
}

/// The plugins that a run was made with.
///
/// # Errors
/// One of them is not kept any more, or cannot be used.
pub fn of_run(sandbox: &Sandbox, state: &Path, record: &RunRecord) -> Result<BTreeMap<String, Plugin>, Trouble> {
    let mut plugins = BTreeMap::new();
    for stage in &record.stages {
        let entry = &stage.entry;
        let plugin = Catalog::plugin_of(sandbox, &path(state, &entry.digest)).map_err(|why| {
            Trouble::new(format!(
                "plugin `{}` {} of stage `{}`, as the run had it, cannot be used: {why}",
                entry.plugin, entry.version, entry.name
            ))
        })?;
        plugins.insert(entry.name.clone(), plugin);
    }
    Ok(plugins)
}

/// A pipeline that needs a plugin.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Needs {
    /// The pipeline's name.
    pub pipeline: String,
    /// Its file.
    pub file: PathBuf,
    /// The stages that the plugin is of.
    pub stages: Vec<String>,
}

/// The pipelines below a folder that need a plugin.
pub fn that_need(dir: &Path, plugin: &str) -> Vec<Needs> {
    let needs = |source: Source| {
        let pipeline = pipeline::draft(&source.text).pipeline?;
        let of_it = pipeline.stages.into_iter().filter(|stage| stage.plugin == plugin);
        let stages: Vec<String> = of_it.map(|stage| stage.name).collect();
        (!stages.is_empty()).then_some(Needs { pipeline: pipeline.name, file: source.path, stages })
    };
    pipeline_files(dir).into_iter().filter_map(needs).collect()
}

/// The other pipelines of the same house that need a plugin that is not there, as the end of a sentence.
pub fn others_that_need(source: &Source, plugin: &str) -> String {
    // Without a house the folder may be any, and large.
    let Some(home) = crate::settings::home(&source.root) else { return String::new() };
    let others: Vec<String> = that_need(home, plugin)
        .into_iter()
        .filter(|needs| needs.file != source.path)
        .map(|needs| format!("`{}`", needs.pipeline))
        .collect();
    match others.as_slice() {
        [] => String::new(),
        [one] => format!("; {one} needs it, too"),
        several => format!("; {} need it, too", several.join(", ")),
    }
}
