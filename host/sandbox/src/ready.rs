//! A component made ready: compiled, linked, and its exports found.

use crate::contract::{extractor, loader, plugin, splittable, transformer, validator};
use crate::engine::Linked;
use crate::state::State;
use sluicebox_model::plugin::Kind;
use std::sync::Arc;
use wasmtime::component::{Component, InstancePre};

/// What instances of a component are made from.
pub(crate) struct Ready {
    pub(crate) linked: Arc<Linked>,
    pub(crate) pre: InstancePre<State>,
    pub(crate) plugin: plugin::GuestIndices,
    pub(crate) exports: Exports,
    /// Names of the imported interfaces.
    pub(crate) imports: Vec<String>,
}

/// The functions of the component's kind.
pub(crate) enum Exports {
    Extract(extractor::GuestIndices, Option<splittable::GuestIndices>),
    Transform(transformer::GuestIndices),
    Validate(validator::GuestIndices),
    Load(loader::GuestIndices),
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
    let imports = component_type.imports(&linked.engine).map(|(name, _)| name.to_owned()).collect();
    let exports: Vec<String> = component_type.exports(&linked.engine).map(|(name, _)| name.to_owned()).collect();
    let kinds = kinds_of(&exports)?;
    let pre = linked.linker.instantiate_pre(component).map_err(|error| cannot_link(&error))?;
    let broken = |error: wasmtime::Error| format!("its exports do not fit the contract: {error:#}");
    let plugin = plugin::GuestIndices::new(&pre).map_err(broken)?;
    let exports = match kinds {
        Kind::Extract => {
            let splits = exports.iter().any(|name| of_our_track(name) == Some("splittable"));
            let splittable = splits.then(|| splittable::GuestIndices::new(&pre)).transpose().map_err(broken)?;
            Exports::Extract(extractor::GuestIndices::new(&pre).map_err(broken)?, splittable)
        }
        Kind::Transform => Exports::Transform(transformer::GuestIndices::new(&pre).map_err(broken)?),
        Kind::Validate => Exports::Validate(validator::GuestIndices::new(&pre).map_err(broken)?),
        Kind::Load => Exports::Load(loader::GuestIndices::new(&pre).map_err(broken)?),
    };
    Ok(Ready { linked: Arc::clone(linked), pre, plugin, exports, imports })
}

/// The interface's name if it is one of ours, of the track that this host speaks.
fn of_our_track(export: &str) -> Option<&str> {
    let (name, version) = export.strip_prefix("sluicebox:stage/")?.split_once('@')?;
    version.starts_with("0.1.").then_some(name)
}

fn kinds_of(exports: &[String]) -> Result<Kind, String> {
    let other = exports.iter().find(|name| name.starts_with("sluicebox:stage/") && of_our_track(name).is_none());
    if let Some(other) = other {
        return Err(format!("it exports `{other}`, but this host speaks version 0.1 of the contract; build it anew"));
    }
    let ours: Vec<&str> = exports.iter().filter_map(|name| of_our_track(name)).collect();
    let kinds: Vec<Kind> = ours
        .iter()
        .filter_map(|name| match *name {
            "extractor" => Some(Kind::Extract),
            "transformer" => Some(Kind::Transform),
            "validator" => Some(Kind::Validate),
            "loader" => Some(Kind::Load),
            _ => None,
        })
        .collect();
    match (kinds.as_slice(), ours.contains(&"plugin")) {
        ([kind], true) => Ok(*kind),
        ([], _) => {
            Err("it exports none of `sluicebox:stage/extractor`, `transformer`, `validator` and `loader`".to_owned())
        }
        ([_], false) => Err("it does not export `sluicebox:stage/plugin`, which says what it is".to_owned()),
        (several, _) => {
            let several: Vec<String> = several.iter().map(Kind::to_string).collect();
            Err(format!("it is of several kinds ({}); a plugin is of one", several.join(", ")))
        }
    }
}

fn cannot_link(error: &wasmtime::Error) -> String {
    format!("it imports what this host does not offer: {error:#}")
}
