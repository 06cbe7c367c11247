//! The contract's functions on top of the stage traits.

use super::common::exports::sluicebox::stage::plugin;
use super::common::sluicebox::stage::{batches, types};
use super::convert::{from_field, to_context, to_fault, to_own_schema};
use super::extract::exports::sluicebox::stage::extractor;
use super::load::exports::sluicebox::stage::loader;
use super::split::exports::sluicebox::stage::splittable;
use super::transform::exports::sluicebox::stage::transformer;
use super::validate::exports::sluicebox::stage::validator;
use crate::describe::Described;
use crate::options::parse;
use crate::{
    Batch, Capability, Description, Extract, Fault, Input, Kind, Load, Schema, Severity, SplitExtract, Threshold,
    Transform, Validate,
};
use std::any::Any;
use std::cell::RefCell;
use std::marker::PhantomData;

/// A component of an extract.
pub struct ExtractStage<S>(PhantomData<S>);
/// A component of a transform.
pub struct TransformStage<S>(PhantomData<S>);
/// A component of a validate.
pub struct ValidateStage<S>(PhantomData<S>);
/// A component of a load.
pub struct LoadStage<S>(PhantomData<S>);

thread_local! {
    /// The one stage of this instance, from `open` on.
    static STAGE: RefCell<Option<Box<dyn Any>>> = const { RefCell::new(None) };
}

fn keep(stage: impl Any) {
    STAGE.replace(Some(Box::new(stage)));
}

fn with<S: Any, T>(call: impl FnOnce(&mut S) -> Result<T, Fault>) -> Result<T, types::Fault> {
    STAGE.with_borrow_mut(|stage| match stage.as_mut().and_then(|stage| stage.downcast_mut::<S>()) {
        Some(stage) => call(stage).map_err(to_fault),
        None => Err(to_fault(Fault::internal("the stage was called before it was opened"))),
    })
}

fn fields(schema: Schema) -> Vec<types::Field> {
    schema.into_iter().map(from_field).collect()
}

macro_rules! describes {
    ($($component:ident),*) => {
        $(impl<S: Described> plugin::Guest for $component<S> {
            fn describe() -> plugin::Description {
                to_description(S::describe())
            }
        })*
    };
}

describes!(ExtractStage, TransformStage, ValidateStage, LoadStage);

fn to_description(own: Description) -> plugin::Description {
    plugin::Description {
        name: own.name,
        version: own.version,
        kind: match own.kind {
            Kind::Extract => plugin::Kind::Extract,
            Kind::Transform => plugin::Kind::Transform,
            Kind::Validate => plugin::Kind::Validate,
            Kind::Load => plugin::Kind::Load,
        },
        summary: own.summary,
        config_schema: own.config_schema.to_string(),
        capabilities: own
            .capabilities
            .into_iter()
            .map(|capability| match capability {
                Capability::ReadFiles => plugin::Capability::ReadFiles,
                Capability::WriteFiles => plugin::Capability::WriteFiles,
                Capability::Http => plugin::Capability::Http,
                Capability::Tcp => plugin::Capability::Tcp,
                Capability::Environment => plugin::Capability::Environment,
                Capability::Clock => plugin::Capability::Clock,
                Capability::Random => plugin::Capability::Random,
            })
            .collect(),
        stateless: own.stateless,
    }
}

fn opened<S: Any>(answer: Result<(S, Schema), Fault>) -> Result<Vec<types::Field>, types::Fault> {
    let (stage, schema) = answer.map_err(to_fault)?;
    keep(stage);
    Ok(fields(schema))
}

impl<S: Extract> extractor::Guest for ExtractStage<S> {
    fn open(
        context: types::RunContext,
        config: String,
        bookmark: Option<String>,
    ) -> Result<Vec<types::Field>, types::Fault> {
        opened(parse(&config).and_then(|options| S::open(&to_context(context), options, bookmark.as_deref())))
    }

    fn next() -> Result<Option<extractor::Page>, types::Fault> {
        let page = with(S::next)?;
        Ok(page.map(|page| extractor::Page {
            batch: page.batch.into_handle(),
            bookmark: page.bookmark,
            progress: page.progress,
        }))
    }
}

impl<S: SplitExtract> splittable::Guest for ExtractStage<S> {
    fn split(
        context: types::RunContext,
        config: String,
        bookmark: Option<String>,
        at_most: u32,
    ) -> Result<splittable::Plan, types::Fault> {
        let plan = parse(&config)
            .and_then(|options| S::split(&to_context(context), options, bookmark.as_deref(), at_most))
            .map_err(to_fault)?;
        Ok(splittable::Plan { schema: fields(plan.schema), splits: plan.splits, bookmark: plan.bookmark })
    }

    fn open_split(
        context: types::RunContext,
        config: String,
        split: String,
    ) -> Result<Vec<types::Field>, types::Fault> {
        opened(parse(&config).and_then(|options| S::open_split(&to_context(context), options, &split)))
    }
}

impl<S: Transform> transformer::Guest for TransformStage<S> {
    fn open(
        context: types::RunContext,
        config: String,
        inputs: Vec<transformer::Input>,
    ) -> Result<Vec<types::Field>, types::Fault> {
        let inputs: Vec<Input> =
            inputs.into_iter().map(|input| Input { name: input.name, schema: to_own_schema(input.schema) }).collect();
        opened(parse(&config).and_then(|options| S::open(&to_context(context), options, &inputs)))
    }

    fn process(input: u32, batch: batches::Batch) -> Result<Vec<batches::Batch>, types::Fault> {
        let answer = with(|stage: &mut S| stage.process(input as usize, Batch::from_handle(batch)))?;
        Ok(answer.into_iter().map(Batch::into_handle).collect())
    }

    fn finish() -> Result<Option<batches::Batch>, types::Fault> {
        Ok(with(S::finish)?.map(Batch::into_handle))
    }
}

impl<S: Validate> validator::Guest for ValidateStage<S> {
    fn open(
        context: types::RunContext,
        config: String,
        input: Vec<types::Field>,
    ) -> Result<Vec<validator::Rule>, types::Fault> {
        let (stage, rules) = parse(&config)
            .and_then(|options| S::open(&to_context(context), options, &to_own_schema(input)))
            .map_err(to_fault)?;
        keep(stage);
        Ok(rules
            .into_iter()
            .map(|rule| validator::Rule {
                name: rule.name,
                summary: rule.summary,
                severity: match rule.severity {
                    Severity::Warn => validator::Severity::Warn,
                    Severity::Reject => validator::Severity::Reject,
                    Severity::Fail => validator::Severity::Fail,
                },
                at_most: rule.at_most.map(|threshold| match threshold {
                    Threshold::Rows(rows) => validator::Threshold::Rows(rows),
                    Threshold::PerCent(per_cent) => validator::Threshold::PerCent(per_cent),
                }),
            })
            .collect())
    }

    fn check(batch: &batches::Batch) -> Result<Vec<validator::Finding>, types::Fault> {
        let batch = Batch::from_borrowed(batch);
        let findings = with(|stage: &mut S| stage.check(&batch))?;
        Ok(findings
            .into_iter()
            .map(|finding| validator::Finding { rule: finding.rule, rows: finding.rows.into_bytes() })
            .collect())
    }

    fn finish() -> Result<Vec<validator::Outcome>, types::Fault> {
        Ok(with(S::finish)?
            .into_iter()
            .map(|outcome| validator::Outcome { rule: outcome.rule, holds: outcome.holds, observed: outcome.observed })
            .collect())
    }
}

impl<S: Load> loader::Guest for LoadStage<S> {
    fn open(
        context: types::RunContext,
        config: String,
        input: Vec<types::Field>,
        load_id: String,
        part: u32,
    ) -> Result<(), types::Fault> {
        let stage = parse(&config)
            .and_then(|options| S::open(&to_context(context), options, &to_own_schema(input), &load_id, part))
            .map_err(to_fault)?;
        keep(stage);
        Ok(())
    }

    fn write(batch: batches::Batch) -> Result<(), types::Fault> {
        with(|stage: &mut S| stage.write(Batch::from_handle(batch)))
    }

    fn prepare() -> Result<String, types::Fault> {
        with(S::prepare)
    }

    fn commit(config: String, load_id: String, receipts: Vec<String>) -> Result<(), types::Fault> {
        parse(&config).and_then(|options| S::commit(options, &load_id, &receipts)).map_err(to_fault)
    }

    fn abort(config: String, load_id: String, receipts: Vec<String>) -> Result<(), types::Fault> {
        parse(&config).and_then(|options| S::abort(options, &load_id, &receipts)).map_err(to_fault)
    }
}
