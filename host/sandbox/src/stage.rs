//! A stage: a plugin bound to options, grants and limits. Makes instances.

use crate::console::{Console, LogBudget};
use crate::contract::{plugin, types};
use crate::extract::ExtractInstance;
use crate::instance::{Core, Making};
use crate::lines::Lines;
use crate::load::LoadInstance;
use crate::network::{Access, Net};
use crate::own_world::OwnWorld;
use crate::ready::{Exports, Ready};
use crate::sandbox::StageSetup;
use crate::transform::TransformInstance;
use crate::validate::ValidateInstance;
use crate::wasi;
use sluicebox_model::cancel::Cancel;
use sluicebox_model::fault::{Fault, FaultKind};
use sluicebox_model::plugin::{Description, Digest};
use sluicebox_model::stage::{Extractor, Loader, RunContext, Stage, Transformer, Validator};
use std::sync::{Arc, Mutex, PoisonError};
use tokio::runtime::Runtime;
use wasmtime::component::Instance;

pub(crate) struct ComponentStage {
    pub(crate) description: Description,
    pub(crate) digest: Digest,
    pub(crate) setup: StageSetup,
    pub(crate) ready: Arc<Ready>,
    pub(crate) runtime: Arc<Runtime>,
    access: Arc<Access>,
    /// What finds lines of its sources, if anything does.
    lines: Option<Arc<Lines>>,
    /// What the stage may still log, of the run that was seen last.
    log: Mutex<Option<(String, Arc<LogBudget>)>>,
}

/// What every instance knows of its stage and run.
pub(crate) struct Bound {
    pub(crate) core: Core,
    pub(crate) context: types::RunContext,
    pub(crate) config: String,
}

impl ComponentStage {
    pub(crate) fn new(
        description: Description,
        digest: Digest,
        setup: StageSetup,
        ready: Arc<Ready>,
        runtime: Arc<Runtime>,
        lines: Option<Lines>,
    ) -> Self {
        let access = Access::new(&setup.name, &setup.grants, &setup.limits, &setup.network);
        let lines = lines.map(Arc::new);
        Self { description, digest, setup, ready, runtime, access, lines, log: Mutex::default() }
    }

    fn log_budget(&self, run_id: &str) -> Arc<LogBudget> {
        let mut log = self.log.lock().unwrap_or_else(PoisonError::into_inner);
        match log.as_ref() {
            Some((run, budget)) if run == run_id => Arc::clone(budget),
            _ => {
                let budget = Arc::new(LogBudget::new(self.setup.limits.log_bytes_max));
                *log = Some((run_id.to_owned(), Arc::clone(&budget)));
                budget
            }
        }
    }

    fn instantiate(&self, context: &RunContext, cancel: &Cancel) -> Result<(Bound, Instance), Fault> {
        let console = Console::new(self.log_budget(&context.run_id));
        let StageSetup { grants, limits, root, config, .. } = &self.setup;
        let world = OwnWorld::new(context);
        let net = Net::new(Arc::clone(&self.access), limits, console.clone());
        let wasi = wasi::context(grants, root, context, &world, &console, &net).map_err(|fault| *fault)?;
        let making = Making {
            linked: &self.ready.linked,
            runtime: self.runtime.handle(),
            limits,
            console,
            cancel: cancel.clone(),
            wasi,
            net,
            world,
            lines: self.lines.clone(),
        };
        let (core, instance) = Core::instantiate(&self.ready.pre, making)?;
        let context = types::RunContext {
            run_id: context.run_id.clone(),
            pipeline: context.pipeline.clone(),
            stage: context.stage.clone(),
            attempt: context.attempt,
            interval_start: context.interval_start.to_string(),
            interval_end: context.interval_end.to_string(),
        };
        Ok((Bound { core, context, config: config.clone() }, instance))
    }

    fn other_kind(&self, wanted: &str) -> Fault {
        let Description { name, kind, .. } = &self.description;
        Fault::new(
            FaultKind::Contract,
            "instantiate",
            format!("`{name}` is of kind {kind}, but {wanted} was asked for"),
        )
    }

    /// What the plugin says of itself.
    pub(crate) fn describe(&self, context: &RunContext) -> Result<plugin::Description, Fault> {
        let (mut bound, instance) = self.instantiate(context, &Cancel::new())?;
        let guest = load(&mut bound, |store| self.ready.plugin.find(store, &instance))?;
        bound.core.ask("describe", async |store| guest.call_describe(store).await)
    }
}

/// Finds the functions of an instance.
fn load<G>(
    bound: &mut Bound,
    find: impl FnOnce(&mut wasmtime::Store<crate::state::State>) -> wasmtime::Result<G>,
) -> Result<G, Fault> {
    let found = bound.core.store().map(find);
    match found {
        Some(Ok(guest)) => Ok(guest),
        Some(Err(error)) => Err(crate::end::contract("instantiate", &format!("{error:#}"))),
        None => Err(Fault::new(FaultKind::Host, "instantiate", "the instance ended as it was made")),
    }
}

impl Stage for ComponentStage {
    fn description(&self) -> &Description {
        &self.description
    }

    fn digest(&self) -> &Digest {
        &self.digest
    }

    fn extractor(&self, context: &RunContext, cancel: &Cancel) -> Result<Box<dyn Extractor>, Fault> {
        let Exports::Extract(extractor, splittable) = &self.ready.exports else {
            return Err(self.other_kind("an extract"));
        };
        let (mut bound, instance) = self.instantiate(context, cancel)?;
        let guest = load(&mut bound, |store| extractor.find(store, &instance))?;
        let splitter = match splittable {
            Some(splittable) => Some(load(&mut bound, |store| splittable.find(store, &instance))?),
            None => None,
        };
        Ok(Box::new(ExtractInstance::new(bound, guest, splitter)))
    }

    fn transformer(&self, context: &RunContext, cancel: &Cancel) -> Result<Box<dyn Transformer>, Fault> {
        let Exports::Transform(transformer) = &self.ready.exports else { return Err(self.other_kind("a transform")) };
        let (mut bound, instance) = self.instantiate(context, cancel)?;
        let guest = load(&mut bound, |store| transformer.find(store, &instance))?;
        Ok(Box::new(TransformInstance::new(bound, guest)))
    }

    fn validator(&self, context: &RunContext, cancel: &Cancel) -> Result<Box<dyn Validator>, Fault> {
        let Exports::Validate(validator) = &self.ready.exports else { return Err(self.other_kind("a validate")) };
        let (mut bound, instance) = self.instantiate(context, cancel)?;
        let guest = load(&mut bound, |store| validator.find(store, &instance))?;
        Ok(Box::new(ValidateInstance::new(bound, guest)))
    }

    fn loader(&self, context: &RunContext, cancel: &Cancel) -> Result<Box<dyn Loader>, Fault> {
        let Exports::Load(loader) = &self.ready.exports else { return Err(self.other_kind("a load")) };
        let (mut bound, instance) = self.instantiate(context, cancel)?;
        let guest = load(&mut bound, |store| loader.find(store, &instance))?;
        Ok(Box::new(LoadInstance::new(bound, guest)))
    }
}
