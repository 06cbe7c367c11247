//! The component's side of the contract. Not part of the API: the export macro and the batch use it.
//!
//! Each exported interface is generated as a world of its own, and all of them share the types of `common`. A component
//! exports `plugin` and those of its kind; the linker joins these worlds into the one of the contract, e.g.
//! `transform-stage`. So a component exports its own kind's interfaces and no other.
#![allow(missing_docs, unreachable_pub)]

mod adapt;
mod convert;

pub use adapt::{ExtractStage, LoadStage, TransformStage, ValidateStage};
pub(crate) use convert::*;

use crate::{BadRecord, Level};

#[allow(unsafe_code, clippy::all, clippy::unwrap_used, clippy::indexing_slicing)] // generated
pub mod common {
    wit_bindgen::generate!({
        path: "../../wit",
        inline: "
            package sluicebox:sdk;
            world common {
                import sluicebox:stage/batches@0.1.0;
                import sluicebox:stage/report@0.1.0;
                export sluicebox:stage/plugin@0.1.0;
            }
        ",
        generate_all,
        pub_export_macro: true,
    });
}

macro_rules! interface {
    ($module:ident, $world:literal $(, $with:literal: $path:path)?) => {
        #[allow(unsafe_code, clippy::all, clippy::unwrap_used, clippy::indexing_slicing)] // generated
        pub mod $module {
            wit_bindgen::generate!({
                path: "../../wit",
                inline: $world,
                with: {
                    "sluicebox:stage/types@0.1.0": crate::wasm::common::sluicebox::stage::types,
                    $($with: $path,)?
                },
                pub_export_macro: true,
            });
        }
    };
}

interface!(
    extract,
    "package sluicebox:sdk; world extract { export sluicebox:stage/extractor@0.1.0; }",
    "sluicebox:stage/batches@0.1.0": crate::wasm::common::sluicebox::stage::batches
);
interface!(split, "package sluicebox:sdk; world split { export sluicebox:stage/splittable@0.1.0; }");
interface!(
    transform,
    "package sluicebox:sdk; world transform { export sluicebox:stage/transformer@0.1.0; }",
    "sluicebox:stage/batches@0.1.0": crate::wasm::common::sluicebox::stage::batches
);
interface!(
    validate,
    "package sluicebox:sdk; world validate { export sluicebox:stage/validator@0.1.0; }",
    "sluicebox:stage/batches@0.1.0": crate::wasm::common::sluicebox::stage::batches
);
interface!(
    load,
    "package sluicebox:sdk; world load { export sluicebox:stage/loader@0.1.0; }",
    "sluicebox:stage/batches@0.1.0": crate::wasm::common::sluicebox::stage::batches
);

use common::sluicebox::stage::{batches, report};

pub type Handle = batches::Batch;
pub(crate) type WitFault = common::sluicebox::stage::types::Fault;
pub(crate) use batches::concat;

/// A second name of a borrowed handle, for the length of the call.
#[allow(unsafe_code)]
pub(crate) fn alias(handle: &Handle) -> Handle {
    // SAFETY: the handle is live until the generated code drops it after the call; the caller never drops the alias.
    unsafe { Handle::from_handle(handle.handle()) }
}

pub(crate) fn log(level: Level, message: &str) {
    let level = match level {
        Level::Debug => report::Level::Debug,
        Level::Info => report::Level::Info,
        Level::Warn => report::Level::Warn,
        Level::Error => report::Level::Error,
    };
    report::log(level, message);
}

pub(crate) fn count(name: &str, by: u64) {
    report::count(name, by);
}

pub(crate) fn quarantine(records: Vec<BadRecord>) {
    let records: Vec<_> = records
        .into_iter()
        .map(|BadRecord { origin, content, reason }| report::BadRecord { origin, content, reason })
        .collect();
    report::quarantine(&records);
}

/// The entry points of a component of one kind.
#[doc(hidden)]
#[macro_export]
macro_rules! __component {
    (extract, $stage:ident) => { $crate::__component!(@ ExtractStage, $stage, common, extract); };
    (split_extract, $stage:ident) => { $crate::__component!(@ ExtractStage, $stage, common, extract, split); };
    (transform, $stage:ident) => { $crate::__component!(@ TransformStage, $stage, common, transform); };
    (validate, $stage:ident) => { $crate::__component!(@ ValidateStage, $stage, common, validate); };
    (load, $stage:ident) => { $crate::__component!(@ LoadStage, $stage, common, load); };
    (@ $adapter:ident, $stage:ident, $($module:ident),*) => {
        type Component = $crate::wasm::$adapter<$stage>;
        $($crate::wasm::$module::export!(Component with_types_in $crate::wasm::$module);)*
    };
}
