//! Everything that can be found wrong with a pipeline before a row moves.

pub mod faults;
pub mod grants;
pub mod house;
pub mod options;
pub mod schedule;
pub mod targets;
mod width;

use crate::components::{self, Plugins};
use crate::secrets::{self, Filling, Secrets};
use crate::wiring::{Host, Source};
use serde_json::Value;
use sluicebox_model::cancel::Cancel;
use sluicebox_model::fault::FaultKind;
use sluicebox_model::pipeline::{self, Draft, OnFault, Pipeline, Problem, ProblemLevel, StageSpec, suggest};
use sluicebox_model::plugin::{Description, Digest, Kind};
use sluicebox_model::stage::Stage;
use sluicebox_runner::{CheckContext, Checked, StageCheck, check_schemas};
use sluicebox_sandbox::Plugin;
use std::sync::Arc;

/// What was found of a pipeline.
pub struct Examined {
    /// The pipeline, as far as it can be read; its stages are joined. None if the file is not TOML.
    pub pipeline: Option<Pipeline>,
    /// The kind of each stage, where its plugin is known.
    pub kinds: Vec<Option<Kind>>,
    /// The options of each stage with placeholders filled in.
    pub configs: Vec<Value>,
    /// What came of opening each stage; empty if the file is not TOML, or was known to be sound.
    pub checks: Vec<StageCheck>,
    /// All problems, in the order of the file.
    pub problems: Vec<Problem>,
    /// What must not be shown.
    pub secrets: Secrets,
}

impl Examined {
    /// Whether nothing keeps the pipeline from running.
    pub fn is_sound(&self) -> bool {
        self.pipeline.is_some() && !self.problems.iter().any(Problem::is_error)
    }
}

/// What a pipeline is examined for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// To tell its author all that is wrong.
    Check,
    /// To offer it to `serve`: what its extracts find when they are opened may be there when it runs.
    Offer,
    /// To run it at once: what does not answer now is left to the run, which tries again as it is told to.
    Run,
}

/// A pipeline that was found sound, every stage of it opened: as long as nothing of this changes, opening them again tells
/// nothing new of the file. What became of its data, the run sees for itself.
#[derive(Clone, Debug, PartialEq)]
pub struct Known {
    text: String,
    stages: Vec<(Digest, Value)>,
}

impl Known {
    /// What is known of a pipeline from now on; none if it is not sound, or a stage was not opened.
    pub fn of(source: &Source, plugins: &Plugins<'_>, examined: &Examined) -> Option<Self> {
        let pipeline = examined.pipeline.as_ref().filter(|_| examined.is_sound())?;
        let is_open = |check: &StageCheck| matches!(check.result, Checked::Opened(_));
        if examined.checks.len() != pipeline.stages.len() || !examined.checks.iter().all(is_open) {
            return None;
        }
        Some(Self { text: source.text.clone(), stages: made_of(pipeline, plugins, &examined.configs)? })
    }

    fn still_holds(&self, source: &Source, pipeline: &Pipeline, plugins: &Plugins<'_>, configs: &[Value]) -> bool {
        self.text == source.text && made_of(pipeline, plugins, configs).is_some_and(|stages| stages == self.stages)
    }
}

/// Component and options of every stage.
fn made_of(pipeline: &Pipeline, plugins: &Plugins<'_>, configs: &[Value]) -> Option<Vec<(Digest, Value)>> {
    let stages = pipeline.stages.iter().zip(configs);
    stages.map(|(stage, config)| Some((plugins.of(stage)?.digest.clone(), config.clone()))).collect()
}

/// Examines a pipeline file: what it says, against what the plugins say, and then by opening every stage without data.
pub fn examine(
    source: &Source,
    host: &Host,
    plugins: &Plugins<'_>,
    purpose: Purpose,
    context: &CheckContext,
    cancel: &Cancel,
) -> Examined {
    examine_draft(pipeline::draft(&source.text), source, host, plugins, purpose, context, None, cancel)
}

/// The same of a file that was read already; its stages are not opened if it is `known` to be sound as it is.
#[allow(clippy::too_many_arguments, reason = "all of them say how")]
pub fn examine_draft(
    draft: Draft,
    source: &Source,
    host: &Host,
    plugins: &Plugins<'_>,
    purpose: Purpose,
    context: &CheckContext,
    known: Option<&Known>,
    cancel: &Cancel,
) -> Examined {
    let Draft { pipeline, mut problems } = draft;
    let found = plugins;
    let mut secrets = Secrets::default();
    let Some(mut pipeline) = pipeline else {
        return Examined { pipeline: None, kinds: vec![], configs: vec![], checks: vec![], problems, secrets };
    };
    let plugins: Vec<Option<&Plugin>> = pipeline.stages.iter().map(|stage| plugins.of(stage)).collect();
    let kinds: Vec<Option<Kind>> = plugins.iter().map(|plugin| plugin.map(|plugin| plugin.description.kind)).collect();
    pipeline::connect(&mut pipeline, &kinds);
    // Rows go nowhere where an input could not be read: no need to say so.
    let readable = !problems.iter().any(Problem::is_error);
    let of_kinds = pipeline::check_kinds(&pipeline, &kinds);
    let joined = readable && !of_kinds.iter().any(Problem::is_error);
    problems.extend(of_kinds.into_iter().filter(|problem| problem.is_error() || joined));
    let mut configs = Vec::new();
    for (stage, plugin) in pipeline.stages.iter().zip(&plugins) {
        let refused = || if plugin.is_none() { host.catalog.refused() } else { &[] };
        let unlocked = host.lock.as_ref().and_then(|lock| lock.problem(stage, *plugin, refused()));
        let is_unlocked = unlocked.is_some();
        problems.extend(unlocked);
        problems.extend(plugin.and_then(|plugin| passed_over(stage, plugin, host)));
        let from = Filling { root: &source.root, interval: context.interval };
        let config = secrets::fill(stage, from, &mut secrets, &mut problems);
        match plugin {
            // The parser has told of options that are no table.
            Some(plugin) if config.is_null() => problems.extend(grants::check(stage, plugin, &source.root)),
            // What it needs may be gone.
            Some(_) if context.skipped.contains_key(&stage.name) => {}
            Some(plugin) => {
                problems.extend(options::check(stage, &config, plugin));
                problems.extend(grants::check(stage, plugin, &source.root));
                problems.extend(stateful_quarantine(stage, &plugin.description));
            }
            None if is_unlocked => {}
            None => problems.extend(unknown_plugin(stage, source, host)),
        }
        configs.push(config);
    }
    problems.extend(targets::check(&pipeline, &kinds, &configs));
    // The parser may have told of the same place.
    let told: Vec<_> = problems.iter().map(|problem| problem.span.clone()).collect();
    problems.extend(schedule::check(&pipeline, &source.root).into_iter().filter(|it| !told.contains(&it.span)));
    if let Ok(settings) = crate::settings::read(&source.root) {
        problems.extend(schedule::against_settings(&pipeline, &settings, purpose));
    }
    let is_known = context.skipped.is_empty() && !problems.iter().any(Problem::is_error);
    if known.is_some_and(|known| is_known && known.still_holds(source, &pipeline, found, &configs)) {
        mask(&mut problems, &secrets);
        return Examined { pipeline: Some(pipeline), kinds, configs, checks: Vec::new(), problems, secrets };
    }
    // A stage with a problem of its own is not opened: it would only say the same again, in worse words.
    let mut stages: Vec<Option<Arc<dyn Stage>>> = Vec::new();
    for (at, ((stage, plugin), config)) in pipeline.stages.iter().zip(&plugins).zip(&configs).enumerate() {
        let fed = !stage.inputs.is_empty() || kinds.get(at) == Some(&Some(Kind::Extract));
        let sound = fed && !problems.iter().any(|problem| problem.is_error() && owner(&pipeline, problem) == Some(at));
        let bound = plugin.filter(|_| sound).map(|plugin| host.bind(plugin, stage, config, &source.root));
        match bound {
            Some(Ok(bound)) => stages.push(Some(bound)),
            Some(Err(error)) => {
                let message = format!("the plugin of stage `{}` cannot be used: {error}", stage.name);
                problems.push(Problem::error(stage.spans.plugin.clone(), message));
                stages.push(None);
            }
            None => stages.push(None),
        }
    }
    let checks = check_schemas(&pipeline, &stages, context, cancel);
    for check in &checks {
        if let (Checked::Failed(fault), Some(stage)) = (&check.result, pipeline.stages.get(check.stage)) {
            let may_change = match purpose {
                Purpose::Check => false,
                Purpose::Run => fault.kind == FaultKind::Unavailable,
                Purpose::Offer => {
                    fault.kind == FaultKind::Unavailable || kinds.get(check.stage) == Some(&Some(Kind::Extract))
                }
            };
            if may_change {
                continue;
            }
            let mut problem = faults::problem(stage, fault);
            // What it reads may be what it waits for.
            let waits = pipeline.schedule.as_ref().is_some_and(|it| it.when.is_some() || !it.after.is_empty());
            if waits && purpose == Purpose::Check && kinds.get(check.stage) == Some(&Some(Kind::Extract)) {
                problem.level = ProblemLevel::Warning;
            }
            problems.push(problem);
        }
    }
    mask(&mut problems, &secrets);
    Examined { pipeline: Some(pipeline), kinds, configs, checks, problems, secrets }
}

/// Takes secrets out of what is told, and puts it in the order of the file.
fn mask(problems: &mut [Problem], secrets: &Secrets) {
    for problem in problems.iter_mut() {
        problem.message = secrets.mask(&problem.message);
        problem.help = problem.help.as_deref().map(|help| secrets.mask(help));
    }
    problems.sort_by_key(|problem| (problem.span.start, problem.span.end));
}

/// The stage within whose lines a problem stands.
fn owner(pipeline: &Pipeline, problem: &Problem) -> Option<usize> {
    pipeline.stages.iter().rposition(|stage| stage.spans.header.start <= problem.span.start)
}

/// Only the rows of a stage that keeps nothing between batches can be told apart by trying again.
fn stateful_quarantine(stage: &StageSpec, plugin: &Description) -> Option<Problem> {
    let applies = matches!(plugin.kind, Kind::Transform | Kind::Validate);
    if stage.on_fault != OnFault::Quarantine || plugin.stateless || !applies {
        return None;
    }
    let message = format!(
        "stage `{}` cannot have `on-fault = \"quarantine\"`: plugin `{}` is not stateless",
        stage.name, stage.plugin
    );
    let help =
        "it keeps something from batch to batch, so a batch cannot be split and tried again; take `on-fault` out";
    Some(Problem::error(stage.spans.on_fault.clone(), message).help(help))
}

/// A plugin of a later folder stands in for a file that is named so and cannot be used.
fn passed_over(stage: &StageSpec, plugin: &Plugin, host: &Host) -> Option<Problem> {
    let refused = host.catalog.refused_before(plugin)?;
    let message = format!(
        "plugin `{}` is taken from {}, since {} cannot be used: {}",
        stage.plugin,
        plugin.path.display(),
        refused.path.display(),
        refused.reason
    );
    let help = "mend that file, or remove it if the other is meant";
    Some(Problem::warning(stage.spans.plugin.clone(), message).help(help))
}

fn unknown_plugin(stage: &StageSpec, source: &Source, host: &Host) -> Option<Problem> {
    // The parser has told of a plugin that has no name.
    if stage.plugin.is_empty() {
        return None;
    }
    let span = stage.spans.plugin.clone();
    let refused = host
        .catalog
        .refused()
        .iter()
        .find(|refused| refused.path.file_stem().is_some_and(|name| *name == *stage.plugin));
    if let Some(refused) = refused {
        let message = format!("plugin `{}` cannot be used: {}", stage.plugin, refused.reason);
        let name = refused.path.file_name().unwrap_or_default().display().to_string();
        return Some(Problem::error(span, message).help(format!("`sluicebox plugins list` tells where {name} is")));
    }
    let names: Vec<&str> = host.catalog.plugins().map(|plugin| plugin.description.name.as_str()).collect();
    let others = components::others_that_need(source, &stage.plugin);
    let problem = Problem::error(span, format!("there is no plugin `{}`{others}", stage.plugin));
    Some(problem.help(match suggest::closest(&stage.plugin, names.iter().copied()) {
        Some(meant) => format!("did you mean `{meant}`? `sluicebox plugins list` shows all"),
        None if names.is_empty() => {
            "no plugins were found at all: put them into `plugins/` beside the pipeline file, or name their folder with \
             `--plugins DIR`"
                .to_owned()
        }
        None => {
            "`sluicebox plugins list` shows all; put a plugin of your own into `plugins/` beside the pipeline file, or \
             name its folder with `--plugins DIR`"
                .to_owned()
        }
    }))
}
