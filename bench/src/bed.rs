//! Drives single stages through the sandbox, as the runner does, for the measurements of one stage.

use anyhow::{Context, Result};
use arrow_array::RecordBatch;
use jiff::Timestamp;
use sluicebox_model::cancel::Cancel;
use sluicebox_model::grant::Grants;
use sluicebox_model::limits::Limits;
use sluicebox_model::pipeline::StageSpec;
use sluicebox_model::plugin::Kind;
use sluicebox_model::stage::{Input, RunContext, Stage, Transformer};
use sluicebox_sandbox::{Catalog, NetworkFiles, Sandbox, SandboxOptions, StageSetup};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// A sandbox, its plugins, and a folder for its cache.
pub(crate) struct Bed {
    sandbox: Sandbox,
    catalog: Catalog,
    _cache: tempfile::TempDir,
}

impl Bed {
    /// A bed with an empty cache and the plugins of the folder.
    pub(crate) fn new(plugins: &Path) -> Result<Self> {
        let cache = tempfile::tempdir()?;
        let sandbox = Sandbox::new(SandboxOptions { cache_dir: cache.path().join("cache") })?;
        let catalog = Catalog::scan(&sandbox, &[plugins.to_owned()]);
        Ok(Self { sandbox, catalog, _cache: cache })
    }

    /// Binds a plugin; reads are granted in `root`.
    pub(crate) fn stage(&self, plugin: &str, config: &serde_json::Value, root: &Path) -> Result<Arc<dyn Stage>> {
        let plugin = self.catalog.get(plugin).with_context(|| format!("no plugin {plugin}"))?;
        let grants = Grants { read: vec![".".to_owned()], ..Grants::default() };
        let setup = StageSetup {
            name: "bench".to_owned(),
            config: config.to_string(),
            grants,
            limits: Limits::default(),
            network: NetworkFiles::default(),
            root: PathBuf::from(root),
        };
        Ok(self.sandbox.stage(plugin, setup)?)
    }

    /// The kind of a plugin.
    pub(crate) fn kind(&self, plugin: &str) -> Option<Kind> {
        self.catalog.get(plugin).map(|plugin| plugin.description.kind)
    }

    /// Binds a stage of a pipeline, with what it is granted.
    pub(crate) fn bind(&self, stage: &StageSpec, root: &Path) -> Result<Arc<dyn Stage>> {
        let plugin = self.catalog.get(&stage.plugin).with_context(|| format!("no plugin {}", stage.plugin))?;
        let setup = StageSetup {
            name: stage.name.clone(),
            config: stage.config.to_string(),
            grants: stage.grants.clone(),
            limits: stage.limits.clone(),
            network: NetworkFiles::default(),
            root: root.to_owned(),
        };
        Ok(self.sandbox.stage(plugin, setup)?)
    }

    /// An open transform, for batches like this one.
    pub(crate) fn transform(&self, config: &serde_json::Value, batch: &RecordBatch) -> Result<Box<dyn Transformer>> {
        let stage = self.stage("transform-select", config, Path::new("."))?;
        let mut transformer = stage.transformer(&context(), &Cancel::new())?;
        transformer.open(&[Input { name: "input".to_owned(), schema: batch.schema() }])?;
        Ok(transformer)
    }
}

/// A context for stages that run outside of a run.
pub(crate) fn context() -> RunContext {
    RunContext {
        run_id: "bench".to_owned(),
        randomness: String::new(),
        pipeline: "bench".to_owned(),
        stage: "bench".to_owned(),
        attempt: 1,
        interval_start: Timestamp::UNIX_EPOCH,
        interval_end: Timestamp::UNIX_EPOCH,
    }
}
