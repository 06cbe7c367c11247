//! A component made ready: compiled, linked, and its exports found.

use crate::calls::{
    ExtractorCalls, Finds, LoaderCalls, PluginCalls, SplittableCalls, TransformerCalls, ValidatorCalls,
};
use crate::engine::Linked;
use crate::state::State;
use crate::versions::{ADAPTERS, Found, adapter_of, cannot_link};
use sluicebox_model::plugin::Kind;
use std::sync::Arc;
use wasmtime::component::{Component, InstancePre};

/// What instances of a component are made from.
pub(crate) struct Ready {
    pub(crate) linked: Arc<Linked>,
    pub(crate) pre: InstancePre<State>,
    pub(crate) plugin: Box<dyn Finds<dyn PluginCalls>>,
    pub(crate) exports: Exports,
    /// Names of the imported interfaces.
    pub(crate) imports: Vec<String>,
    /// The version of the contract that it was built for.
    pub(crate) contract: String,
}

/// The functions of the component's kind.
pub(crate) enum Exports {
    Extract(Box<dyn Finds<dyn ExtractorCalls>>, Option<Box<dyn Finds<dyn SplittableCalls>>>),
    Transform(Box<dyn Finds<dyn TransformerCalls>>),
    Validate(Box<dyn Finds<dyn ValidatorCalls>>),
    Load(Box<dyn Finds<dyn LoaderCalls>>),
}

impl Exports {
    pub(crate) fn kind(&self) -> Kind {
        match self {
            Self::Extract(..) => Kind::Extract,
            Self::Transform(_) => Kind::Transform,
            Self::Validate(_) => Kind::Validate,
            Self::Load(_) => Kind::Load,
        }
    }

    pub(crate) fn splittable(&self) -> bool {
        matches!(self, Self::Extract(_, Some(_)))
    }
}

/// Links the component and finds its kind by its exports, without running anything of it. The error says, for people,
/// why it is no plugin.
pub(crate) fn make_ready(linked: &Arc<Linked>, component: &Component) -> Result<Ready, String> {
    let component_type = component.component_type();
    let imports: Vec<String> = component_type.imports(&linked.engine).map(|(name, _)| name.to_owned()).collect();
    let exports: Vec<String> = component_type.exports(&linked.engine).map(|(name, _)| name.to_owned()).collect();
    let (adapter, asked) = adapter_of(ADAPTERS, &exports, &imports)?;
    let pre = linked.linker.instantiate_pre(component).map_err(|error| cannot_link(adapter, &asked, &error))?;
    let broken = |error: wasmtime::Error| format!("its exports do not fit the contract: {error:#}");
    let Found { plugin, exports } = adapter.exports(&pre, asked.kind, asked.splits).map_err(broken)?;
    Ok(Ready { linked: Arc::clone(linked), pre, plugin, exports, imports, contract: asked.version.to_string() })
}
