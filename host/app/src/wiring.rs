//! The one place that knows all the crates: from a pipeline file to stages, and from stages to a run.

use crate::check::Examined;
use crate::places;
use crate::show::human;
use crate::show::problems::File;
use crate::trouble::Trouble;
use jiff::Timestamp;
use serde_json::Value;
use sluicebox_model::pipeline::StageSpec;
use sluicebox_model::run::{Interval, RunId, Trigger};
use sluicebox_model::stage::Stage;
use sluicebox_runner::RunPlan;
use sluicebox_sandbox::{Catalog, Compile, Plugin, Sandbox, SandboxError, SandboxOptions, StageSetup};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// A pipeline file larger than this is none.
const FILE_BYTES_MAX: u64 = 16 * 1024 * 1024;

/// A pipeline file.
#[derive(Clone, Debug)]
pub struct Source {
    /// As the user wrote it.
    pub name: String,
    /// What stands in it.
    pub text: String,
    /// Its folder: where relative paths start.
    pub root: PathBuf,
}

impl Source {
    /// Reads the file; for a folder, `pipeline.toml` in it.
    ///
    /// # Errors
    /// It cannot be read or is not UTF-8.
    pub fn read(path: &Path) -> Result<Self, Trouble> {
        let path = if path.is_dir() { path.join("pipeline.toml") } else { path.to_owned() };
        let name = human::clean_line(&path.display().to_string());
        let told = |error: std::io::Error| match error.kind() {
            std::io::ErrorKind::NotFound => Trouble::new(format!("there is no file {name}"))
                .help("`sluicebox init` makes a first pipeline; `sluicebox run --help` shows how to name one"),
            _ => Trouble::new(format!("{name} cannot be read: {error}")),
        };
        let size = std::fs::metadata(&path).map_err(told)?.len();
        if size > FILE_BYTES_MAX {
            let shown = human::bytes(size);
            return Err(Trouble::new(format!("{name} has {shown}: that is no pipeline file"))
                .help("name the TOML file that declares the stages, not a file with data"));
        }
        let bytes = std::fs::read(&path).map_err(told)?;
        let text = String::from_utf8(bytes).map_err(|error| {
            let at = error.utf8_error().valid_up_to();
            Trouble::new(format!("{name} is not UTF-8 (byte {at})")).help("save it as UTF-8 in your editor")
        })?;
        let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let root = parent.canonicalize().map_err(told)?;
        Ok(Self { name, text, root })
    }

    /// The file as problems point into it.
    pub fn file(&self) -> File<'_> {
        File { name: &self.name, text: &self.text }
    }
}

/// The sandbox and the plugins that it found.
pub struct Host {
    /// Runs stages.
    pub sandbox: Sandbox,
    /// The plugins.
    pub catalog: Catalog,
    /// Where they were looked for, in order.
    pub folders: Vec<PathBuf>,
}

impl Host {
    /// Starts the sandbox and finds the plugins; `told` hears of plugins that have to be compiled.
    ///
    /// # Errors
    /// There is no place for the compile cache, or the sandbox does not start.
    pub fn open(
        plugins: &[PathBuf],
        root: &Path,
        told: impl Fn(Compile<'_>) + Send + Sync + 'static,
    ) -> Result<Self, Trouble> {
        let sandbox = Sandbox::new(SandboxOptions { cache_dir: places::cache()? })?;
        sandbox.on_compile(told);
        let folders = places::plugin_folders(plugins, root);
        let catalog = Catalog::scan(&sandbox, &folders);
        Ok(Self { sandbox, catalog, folders })
    }

    /// Binds a stage to its plugin.
    ///
    /// # Errors
    /// The plugin cannot be read or compiled.
    pub fn bind(
        &self,
        plugin: &Plugin,
        stage: &StageSpec,
        config: &Value,
        root: &Path,
    ) -> Result<Arc<dyn Stage>, SandboxError> {
        let setup = StageSetup {
            name: stage.name.clone(),
            config: config.to_string(),
            grants: stage.grants.clone(),
            limits: stage.limits.clone(),
            root: root.to_owned(),
        };
        self.sandbox.stage(plugin, setup)
    }

    /// The plan of a run of a pipeline that was examined and found sound.
    ///
    /// # Errors
    /// It is not sound after all, or a plugin cannot be used any more.
    pub fn plan(
        &self,
        source: &Source,
        examined: &Examined,
        state: &Path,
        id: RunId,
        interval: Interval,
    ) -> Result<RunPlan, Trouble> {
        let unsound = || Trouble::new("the pipeline cannot be run").help("`sluicebox check` tells why");
        let pipeline = examined.pipeline.clone().filter(|_| examined.is_sound()).ok_or_else(unsound)?;
        // Bound anew: what a stage may log is counted from here.
        let stages = pipeline
            .stages
            .iter()
            .zip(&examined.configs)
            .map(|(stage, config)| {
                let plugin = self.catalog.get(&stage.plugin).ok_or_else(unsound)?;
                self.bind(plugin, stage, config, &source.root).map_err(Trouble::from)
            })
            .collect::<Result<Vec<_>, _>>()?;
        Ok(RunPlan {
            id,
            pipeline,
            text: source.text.clone(),
            trigger: Trigger::Manual,
            interval,
            stages,
            scratch: state.join("scratch"),
            cores: std::thread::available_parallelism().map_or(1, usize::from),
        })
    }
}

/// A new run's id.
///
/// # Errors
/// The machine gives no randomness.
pub fn new_run_id(now: Timestamp) -> Result<RunId, Trouble> {
    let mut random = [0; 10];
    getrandom::fill(&mut random).map_err(|error| Trouble::new(format!("the machine gives no randomness: {error}")))?;
    Ok(RunId::new(now, random))
}
