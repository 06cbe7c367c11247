//! Opening every stage without data: do the schemas fit all the way through?

use crate::dag::Dag;
use arrow_schema::SchemaRef;
use sluicebox_model::cancel::Cancel;
use sluicebox_model::fault::Fault;
use sluicebox_model::pipeline::Pipeline;
use sluicebox_model::plugin::Kind;
use sluicebox_model::run::{Interval, RunId};
use sluicebox_model::stage::{Input, Rule, RunContext, Stage};
use std::collections::BTreeMap;
use std::sync::Arc;

/// What came of opening one stage.
#[derive(Clone, Debug)]
pub struct StageCheck {
    /// Position in `pipeline.stages`.
    pub stage: usize,
    /// What came of it.
    pub result: Checked,
}

/// What came of opening one stage without data.
#[derive(Clone, Debug)]
pub enum Checked {
    /// It opened.
    Opened(Opened),
    /// It refused.
    Failed(Fault),
    /// It was not tried: it, or a stage before it, could not be opened.
    NotReached {
        /// The stage that stands in the way; its own name if there was no plugin to open.
        because: String,
    },
}

/// What a stage answered.
#[derive(Clone, Debug)]
pub struct Opened {
    /// What it passes on; a load passes on nothing.
    pub schema: Option<SchemaRef>,
    /// The rules of a validate.
    pub rules: Vec<Rule>,
}

/// For which run stages are opened.
#[derive(Clone, Debug)]
pub struct CheckContext {
    /// The run's id.
    pub id: RunId,
    /// For when it runs.
    pub interval: Interval,
    /// Where extracts resume, by stage.
    pub bookmarks: BTreeMap<String, String>,
    /// Stages that will not run, by name, with the schema of what is kept of them, where anything is.
    pub skipped: BTreeMap<String, Option<SchemaRef>>,
}

/// Opens every stage without data, each after those that feed it; answers in the order of `pipeline.stages`. A stage
/// that is `None` (its plugin is unknown, its options do not fit) is left out, and so are those behind it; all others
/// are opened, so that all problems are found at once.
pub fn check_schemas(
    pipeline: &Pipeline,
    stages: &[Option<Arc<dyn Stage>>],
    check: &CheckContext,
    cancel: &Cancel,
) -> Vec<StageCheck> {
    let not_reached = |name: &str| Checked::NotReached { because: name.to_owned() };
    let mut results: Vec<Checked> = pipeline.stages.iter().map(|spec| not_reached(&spec.name)).collect();
    let order = match Dag::new(pipeline) {
        Ok(dag) => dag.order,
        Err(_) => Vec::new(),
    };
    for index in order {
        let (Some(spec), Some(Some(stage))) = (pipeline.stages.get(index), stages.get(index)) else { continue };
        if let (Some(schema), Some(slot)) = (check.skipped.get(&spec.name), results.get_mut(index)) {
            *slot = Checked::Opened(Opened { schema: schema.clone(), rules: Vec::new() });
            continue;
        }
        let mut inputs = Vec::new();
        let mut blocked = None;
        for name in &spec.inputs {
            let before = pipeline.stages.iter().position(|other| &other.name == name);
            match before.and_then(|before| results.get(before)) {
                Some(Checked::Opened(Opened { schema: Some(schema), .. })) => {
                    inputs.push(Input { name: name.clone(), schema: schema.clone() });
                }
                Some(Checked::NotReached { because }) => blocked = blocked.or(Some(because.clone())),
                _ => blocked = blocked.or(Some(name.clone())),
            }
        }
        let result = match blocked {
            Some(because) => Checked::NotReached { because },
            None => {
                let context = RunContext {
                    run_id: check.id.to_string(),
                    randomness: crate::plan::load_key(&pipeline.name, check.interval),
                    pipeline: pipeline.name.clone(),
                    stage: spec.name.clone(),
                    attempt: 1,
                    interval_start: check.interval.start,
                    interval_end: check.interval.end,
                };
                let bookmark = check.bookmarks.get(&spec.name).map(String::as_str);
                match open(stage.as_ref(), &context, bookmark, &inputs, cancel) {
                    Ok(opened) => Checked::Opened(opened),
                    Err(fault) => Checked::Failed(fault.of_stage(&spec.name)),
                }
            }
        };
        if let Some(slot) = results.get_mut(index) {
            *slot = result;
        }
    }
    results.into_iter().enumerate().map(|(stage, result)| StageCheck { stage, result }).collect()
}

fn open(
    stage: &dyn Stage,
    context: &RunContext,
    bookmark: Option<&str>,
    inputs: &[Input],
    cancel: &Cancel,
) -> Result<Opened, Fault> {
    use sluicebox_model::fault::FaultKind::InvalidConfig;
    let kind = stage.description().kind;
    let one = || match inputs {
        [input] => Ok(&input.schema),
        _ => Err(Fault::new(InvalidConfig, "open", format!("a {kind} takes one input, this has {}", inputs.len()))
            .with_help("name one stage: `inputs = [\"...\"]`")),
    };
    match kind {
        Kind::Extract if !inputs.is_empty() => Err(Fault::new(InvalidConfig, "open", "an extract takes no input")
            .with_help("take `inputs` out, or use a transform")),
        Kind::Extract => {
            let schema = stage.extractor(context, cancel)?.open(bookmark)?;
            Ok(Opened { schema: Some(schema), rules: Vec::new() })
        }
        Kind::Transform if inputs.is_empty() => {
            Err(Fault::new(InvalidConfig, "open", "a transform takes at least one input, this has none")
                .with_help("name the stages that feed it: `inputs = [\"...\"]`"))
        }
        Kind::Transform => {
            let schema = stage.transformer(context, cancel)?.open(inputs)?;
            Ok(Opened { schema: Some(schema), rules: Vec::new() })
        }
        Kind::Validate => {
            let schema = one()?;
            let rules = stage.validator(context, cancel)?.open(schema)?;
            Ok(Opened { schema: Some(schema.clone()), rules })
        }
        Kind::Load => {
            let load_id = crate::plan::load_id(
                &crate::plan::load_key(
                    &context.pipeline,
                    Interval { start: context.interval_start, end: context.interval_end },
                ),
                &context.stage,
            );
            stage.loader(context, cancel)?.open(one()?, &load_id, 0)?;
            Ok(Opened { schema: None, rules: Vec::new() })
        }
    }
}
