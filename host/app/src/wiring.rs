//! The one place that knows all the crates: from a pipeline file to stages, and from stages to a run.

use crate::check::Examined;
use crate::components::{self, Plugins};
use crate::lock::Lock;
use crate::places;
use crate::secrets::{self, Filling, Secrets};
use crate::show::human;
use crate::show::problems::File;
use crate::trouble::Trouble;
use arrow_schema::SchemaRef;
use jiff::Timestamp;
use serde_json::Value;
use sluicebox_model::monitor::History;
use sluicebox_model::pipeline::{self, Pipeline, StageSpec};
use sluicebox_model::plugin::Kind;
use sluicebox_model::run::{Interval, RunId, RunRecord, Trigger};
use sluicebox_model::stage::Stage;
use sluicebox_runner::{Part, Restored, RunPlan};
use sluicebox_sandbox::{Catalog, Compile, NetworkFiles, Plugin, Sandbox, SandboxOptions, StageSetup};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

/// A pipeline file larger than this is none.
pub(crate) const FILE_BYTES_MAX: u64 = 16 * 1024 * 1024;

/// A pipeline file.
#[derive(Clone, Debug)]
pub struct Source {
    /// As the user wrote it.
    pub name: String,
    /// Where it is.
    pub path: PathBuf,
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
        if let Some(what) = crate::other_format::of(&text) {
            return Err(Trouble::new(format!("{name} is {what}, not a pipeline file")).help(
                "a pipeline is declared in TOML, and names its data in the options of an extract (`config.path`); \
                       `sluicebox init` makes a first one",
            ));
        }
        let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let root = parent.canonicalize().map_err(told)?;
        let path = root.join(path.file_name().unwrap_or_default());
        Ok(Self { name, path, text, root })
    }

    /// The file of an earlier run, as it was then.
    pub fn of_run(record: &RunRecord) -> Self {
        let name = human::clean_line(&record.file.display().to_string());
        let root = record.file.parent().map(Path::to_owned).unwrap_or_default();
        Self { name, path: record.file.clone(), text: record.text.clone(), root }
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
    /// The only components that may be used; none: all may.
    pub lock: Option<Arc<Lock>>,
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
        Self::open_locked(plugins, root, false, told)
    }

    /// The same; if `locked`, with no other plugins than those of the nearest `sluicebox.lock`.
    ///
    /// # Errors
    /// As of [`Host::open`]; there is no lock, or it is damaged.
    pub fn open_locked(
        plugins: &[PathBuf],
        root: &Path,
        locked: bool,
        told: impl Fn(Compile<'_>) + Send + Sync + 'static,
    ) -> Result<Self, Trouble> {
        let lock = locked.then(|| Lock::needed(root)).transpose()?;
        let sandbox = sandbox()?;
        sandbox.on_compile(told);
        let folders = places::plugin_folders(plugins, root);
        let catalog = Catalog::scan_admitting(&sandbox, &folders, lock.as_ref().map(Lock::admit));
        Ok(Self { sandbox, catalog, folders, lock })
    }

    /// Binds a stage to its plugin.
    ///
    /// # Errors
    /// The plugin cannot be read or compiled; the settings cannot be read, and the stage is granted the network.
    pub fn bind(
        &self,
        plugin: &Plugin,
        stage: &StageSpec,
        config: &Value,
        root: &Path,
    ) -> Result<Arc<dyn Stage>, Trouble> {
        let setup = StageSetup {
            name: stage.name.clone(),
            config: config.to_string(),
            grants: stage.grants.clone(),
            limits: stage.limits.clone(),
            // Only where it matters: it costs a look for `sluicebox.toml`.
            network: if stage.grants.has_network() { crate::settings::network(root)? } else { NetworkFiles::default() },
            root: root.to_owned(),
        };
        self.sandbox.stage(plugin, setup).map_err(Trouble::from)
    }

    /// The plan of a run of a pipeline that was examined and found sound. What the run is made with is kept in the state
    /// folder.
    ///
    /// # Errors
    /// It is not sound after all, or a plugin cannot be used any more.
    pub fn plan(&self, asked: &Asked<'_>, examined: &Examined, state: &Path, id: RunId) -> Result<RunPlan, Trouble> {
        let unsound = || Trouble::new("the pipeline cannot be run").help("`sluicebox check` tells why");
        let pipeline = examined.pipeline.clone().filter(|_| examined.is_sound()).ok_or_else(unsound)?;
        let stages = self.bind_all(&pipeline, &examined.configs, asked.plugins, &asked.source.root, |plugin| {
            components::keep(state, plugin)
        })?;
        Ok(RunPlan {
            id,
            pipeline,
            text: asked.source.text.clone(),
            file: asked.source.path.clone(),
            load_key: asked.load_key.clone(),
            repeats: asked.repeats,
            history: History::default(),
            parts: asked.parts.clone(),
            restored: asked.restored.clone(),
            checkpoints: Some(places::checkpoints(state, id)),
            trigger: asked.trigger,
            interval: asked.interval,
            stages,
            scratch: state.join("scratch"),
            cores: cores(),
        })
    }

    /// The plan of an earlier run, with the components that it was made with, to finish it; and what of its options must not
    /// be shown.
    ///
    /// # Errors
    /// One of its components is not there any more, or an option cannot be filled in.
    pub fn plan_again(&self, record: &RunRecord, state: &Path) -> Result<(RunPlan, Secrets), Trouble> {
        let source = Source::of_run(record);
        let mut pipeline = pipeline::parse(&record.text).map_err(|problems| {
            let first = problems.first().map(|problem| problem.message.clone()).unwrap_or_default();
            Trouble::new(format!("the pipeline of run {} cannot be read any more: {first}", record.id))
        })?;
        let kinds: Vec<Option<Kind>> = record.stages.iter().map(|stage| Some(stage.entry.kind)).collect();
        pipeline::connect(&mut pipeline, &kinds);
        let mut secrets = Secrets::default();
        let mut problems = Vec::new();
        let from = Filling { root: &source.root, interval: record.interval };
        let configs: Vec<Value> =
            pipeline.stages.iter().map(|stage| secrets::fill(stage, from, &mut secrets, &mut problems)).collect();
        if let Some(problem) = problems.first() {
            let trouble = Trouble::new(secrets.mask(&problem.message));
            return Err(match &problem.help {
                Some(help) => trouble.help(secrets.mask(help)),
                None => trouble,
            });
        }
        let kept = Plugins::Kept(components::of_run(&self.sandbox, state, record)?);
        let stages = self.bind_all(&pipeline, &configs, &kept, &source.root, |_| Ok(()))?;
        let plan = RunPlan {
            id: record.id,
            pipeline,
            text: record.text.clone(),
            file: record.file.clone(),
            load_key: record.load_key.clone(),
            repeats: record.repeats,
            history: History::default(),
            parts: Vec::new(),
            restored: BTreeMap::new(),
            checkpoints: None,
            trigger: record.trigger,
            interval: record.interval,
            stages,
            scratch: state.join("scratch"),
            cores: 1,
        };
        Ok((plan, secrets))
    }

    /// Binds every stage anew: what a stage may log is counted from here.
    fn bind_all(
        &self,
        pipeline: &Pipeline,
        configs: &[Value],
        plugins: &Plugins<'_>,
        root: &Path,
        keep: impl Fn(&Plugin) -> Result<(), Trouble>,
    ) -> Result<Vec<Arc<dyn Stage>>, Trouble> {
        let bind = |(stage, config): (&StageSpec, &Value)| {
            let plugin = plugins
                .of(stage)
                .ok_or_else(|| Trouble::new(format!("plugin `{}` of stage `{}` is gone", stage.plugin, stage.name)))?;
            keep(plugin)?;
            self.bind(plugin, stage, config, root)
        };
        pipeline.stages.iter().zip(configs).map(bind).collect()
    }
}

/// A sandbox with the compile cache that is shared by all.
///
/// # Errors
/// There is no place for the compile cache, or the sandbox does not start.
pub fn sandbox() -> Result<Sandbox, Trouble> {
    let sandbox = Sandbox::new(SandboxOptions { cache_dir: places::cache()? })?;
    sandbox.keep_cache_within(places::cache_bounds()?);
    if let Some(program) = own_program() {
        sandbox.work_with(program);
    }
    Ok(sandbox)
}

/// The program that runs now, also if its file was replaced since.
#[cfg(target_os = "linux")]
fn own_program() -> Option<PathBuf> {
    Some(PathBuf::from("/proc/self/exe")).filter(|path| path.exists())
}

#[cfg(not(target_os = "linux"))]
fn own_program() -> Option<PathBuf> {
    std::env::current_exe().ok()
}

/// How many cores this process may use. Asked once: the answer takes a look at half a dozen files.
pub(crate) fn cores() -> usize {
    static CORES: OnceLock<usize> = OnceLock::new();
    *CORES.get_or_init(|| std::thread::available_parallelism().map_or(1, usize::from))
}

/// A run that somebody asks for.
pub struct Asked<'a> {
    /// The pipeline file.
    pub source: &'a Source,
    /// The plugins of its stages.
    pub plugins: &'a Plugins<'a>,
    /// What caused it.
    pub trigger: Trigger,
    /// For when it runs.
    pub interval: Interval,
    /// What the ids of its loads begin with.
    pub load_key: String,
    /// The id that it has already; none: it gets one.
    pub id: Option<RunId>,
    /// The run that it repeats.
    pub repeats: Option<RunId>,
    /// What becomes of each stage; empty: all run.
    pub parts: Vec<Part>,
    /// What takes the place of the stages that are restored.
    pub restored: BTreeMap<String, Restored>,
}

impl Asked<'_> {
    /// The stages that will not run, with the schema of what is kept of them.
    pub fn skipped(&self) -> BTreeMap<String, Option<SchemaRef>> {
        if self.parts.is_empty() {
            return BTreeMap::new();
        }
        let Some(pipeline) = pipeline::draft(&self.source.text).pipeline else { return BTreeMap::new() };
        let stages = pipeline.stages.into_iter().zip(&self.parts).filter(|(_, part)| **part != Part::Runs);
        stages
            .map(|(stage, _)| {
                let schema = self.restored.get(&stage.name).map(|kept| kept.checkpoint.schema().clone());
                (stage.name, schema)
            })
            .collect()
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
