//! What `wit/stage.wit` says, in Rust, made by wasmtime. One world exports every interface so that all kinds share their
//! types; which of them a component really exports is asked interface by interface.

#![allow(missing_docs, unreachable_pub, clippy::all)] // generated

wasmtime::component::bindgen!({
    path: "../../wit",
    inline: "
        package sluicebox:host;

        world every-kind {
            import sluicebox:stage/types@0.1.0;
            import sluicebox:stage/batches@0.1.0;
            import sluicebox:stage/report@0.1.0;
            export sluicebox:stage/plugin@0.1.0;
            export sluicebox:stage/extractor@0.1.0;
            export sluicebox:stage/splittable@0.1.0;
            export sluicebox:stage/transformer@0.1.0;
            export sluicebox:stage/validator@0.1.0;
            export sluicebox:stage/loader@0.1.0;
        }
    ",
    imports: { default: trappable },
    exports: { default: async },
    with: {
        "sluicebox:stage/batches.batch": crate::held::HeldBatch,
    },
    require_store_data_send: true,
});

pub(crate) use exports::sluicebox::stage::{extractor, loader, plugin, splittable, transformer, validator};
pub(crate) use sluicebox::stage::{batches, report, types};
