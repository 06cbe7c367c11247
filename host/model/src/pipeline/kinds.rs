//! What can be said of a pipeline once the kinds of its stages are known.

use super::parse::cycle_problem;
use super::{OnFault, Pipeline, Problem, StageSpec, graph};
use crate::plugin::Kind;

/// Gives each stage without `inputs` the stage above it, unless it is an extract. `kinds` go with the stages; none where
/// the plugin is not known, which counts as no extract unless its name says so.
pub fn connect(pipeline: &mut Pipeline, kinds: &[Option<Kind>]) {
    let mut above: Option<String> = None;
    for (stage, kind) in pipeline.stages.iter_mut().zip(kinds) {
        let extract = kind.map_or_else(|| stage.plugin.starts_with("extract"), |kind| kind == Kind::Extract);
        if !stage.inputs_given && !extract {
            stage.inputs = above.iter().filter(|name| !name.is_empty()).cloned().collect();
        }
        above = Some(stage.name.clone());
    }
}

/// Checks a pipeline that is [`connect`]ed: whether each stage has the inputs and settings that its kind takes, and
/// whether every row gets somewhere.
pub fn check_kinds(pipeline: &Pipeline, kinds: &[Option<Kind>]) -> Vec<Problem> {
    let stages: Vec<(&StageSpec, Option<Kind>)> = pipeline.stages.iter().zip(kinds.iter().copied()).collect();
    let mut problems = Vec::new();
    for (at, (stage, kind)) in stages.iter().enumerate() {
        if let Some(kind) = kind {
            check_inputs(at, stage, *kind, &stages, &mut problems);
            check_settings(stage, *kind, &mut problems);
        }
    }
    check_cycles(pipeline, &mut problems);
    // With a plugin unknown nobody can tell what is a load.
    if kinds.iter().all(Option::is_some) {
        check_ends(pipeline, &stages, &mut problems);
    }
    problems
}

fn check_inputs(
    at: usize,
    stage: &StageSpec,
    kind: Kind,
    stages: &[(&StageSpec, Option<Kind>)],
    problems: &mut Vec<Problem>,
) {
    let name = &stage.name;
    let spans = &stage.spans;
    match kind {
        Kind::Extract if !stage.inputs.is_empty() => problems.push(
            Problem::error(spans.inputs.clone(), format!("stage `{name}` is an extract and takes no inputs"))
                .help("leave `inputs` out; an extract makes rows from something outside"),
        ),
        Kind::Extract => {}
        _ if stage.inputs.is_empty() && !stage.inputs_given && at == 0 => problems.push(
            Problem::error(spans.inputs.clone(), format!("stage `{name}` is a {kind} but no stage stands above it"))
                .help("begin with an extract, or name its inputs: `inputs = [\"...\"]`"),
        ),
        // The stage above has no name, which is told already.
        _ if stage.inputs.is_empty() && !stage.inputs_given => {}
        _ if stage.inputs.is_empty() => problems.push(
            Problem::error(spans.inputs.clone(), format!("stage `{name}` is a {kind} but has no inputs"))
                .help("name the stages that it takes rows from, or leave `inputs` out to take the stage above"),
        ),
        Kind::Validate | Kind::Load if stage.inputs.len() > 1 => problems.push(
            Problem::error(
                spans.inputs.clone(),
                format!("stage `{name}` is a {kind} and takes one input, not {}", stage.inputs.len()),
            )
            .help("give each input a stage of its own, or join them in a transform first"),
        ),
        _ => {}
    }
    for (number, input) in stage.inputs.iter().enumerate() {
        let Some((feeder, Some(Kind::Load))) = stages.iter().find(|(other, _)| other.name == *input) else { continue };
        if kind == Kind::Extract || feeder.name == stage.name {
            continue;
        }
        let span = spans.input_items.get(number).unwrap_or(&spans.inputs).clone();
        let message = if stage.inputs_given {
            format!("stage `{name}` takes rows from `{input}`, but that is a load: nothing comes out of it")
        } else {
            format!(
                "stage `{name}` takes rows from the stage above it, `{input}`, but that is a load: nothing comes out of it"
            )
        };
        let instead = match feeder.inputs.first() {
            Some(before) => format!("take what the load takes: `inputs = [\"{before}\"]`"),
            None => "name another stage in `inputs`".to_owned(),
        };
        problems.push(Problem::error(span, message).also(feeder.spans.plugin.clone(), "the load").help(instead));
    }
}

fn check_settings(stage: &StageSpec, kind: Kind, problems: &mut Vec<Problem>) {
    let name = &stage.name;
    let sets_aside = match kind {
        Kind::Extract | Kind::Validate => true,
        Kind::Transform => stage.on_fault == OnFault::Quarantine,
        Kind::Load => false,
    };
    if stage.reject.is_some() && !sets_aside {
        let message = format!("`reject` does nothing for stage `{name}`: a {kind} sets no rows aside");
        let help = match kind {
            Kind::Transform => "put it at the validate, or add `on-fault = \"quarantine\"`",
            _ => "put it at the validate that rejects the rows",
        };
        problems.push(Problem::error(stage.spans.reject.clone(), message).help(help));
    }
    if stage.on_fault == OnFault::Quarantine && matches!(kind, Kind::Extract | Kind::Load) {
        let message =
            format!("`on-fault = \"quarantine\"` does nothing for stage `{name}`: it is {} {kind}", article(kind));
        problems.push(
            Problem::error(stage.spans.on_fault.clone(), message).help("it is for stateless transforms and validates"),
        );
    }
}

fn article(kind: Kind) -> &'static str {
    if kind == Kind::Extract { "an" } else { "a" }
}

/// Cycles that come about by stages taking the one above; those within `inputs` alone are told by the parser.
fn check_cycles(pipeline: &Pipeline, problems: &mut Vec<Problem>) {
    let stages = &pipeline.stages;
    let number = |name: &String| stages.iter().position(|stage| stage.name == *name);
    let edges: Vec<Vec<usize>> = stages.iter().map(|stage| stage.inputs.iter().filter_map(number).collect()).collect();
    for cycle in graph::cycles(&edges) {
        let implied = cycle.iter().filter_map(|at| stages.get(*at)).any(|stage| !stage.inputs_given);
        if implied {
            problems.push(cycle_problem(stages, &cycle));
        }
    }
}

/// Rows that go nowhere, and pipelines that load nothing.
fn check_ends(pipeline: &Pipeline, stages: &[(&StageSpec, Option<Kind>)], problems: &mut Vec<Problem>) {
    if !stages.is_empty() && !stages.iter().any(|(_, kind)| *kind == Some(Kind::Load)) {
        let last = stages.last().map(|(stage, _)| stage.spans.name.clone()).unwrap_or_default();
        problems.push(
            Problem::warning(last, format!("pipeline `{}` loads nothing: none of its stages is a load", pipeline.name))
                .help("add a load behind the last stage, e.g. `plugin = \"load-csv\"`"),
        );
        return;
    }
    for (stage, kind) in stages {
        let read = stages.iter().any(|(other, _)| other.inputs.contains(&stage.name));
        if !read && *kind != Some(Kind::Load) && !stage.name.is_empty() {
            problems.push(
                Problem::warning(stage.spans.name.clone(), format!("nothing takes the rows of stage `{}`", stage.name))
                    .help("add it to the `inputs` of another stage, or take it out"),
            );
        }
    }
}
