//! Two tracks of the contract at once: 0.1, of which a frozen component is, and one that is to come, in which records have changed.
//!
//! The host of these tests speaks both (`versions.rs`), as a real one will. Here the host's nouns are those of 0.1, so it is the
//! adapter of 0.2 that translates; the other way round it is the same.

use super::guests::{Bed, batch, context, inputs};
use super::wat_guest::{Says, component_of};
use crate::calls::{Answer, Finds, PluginCalls, TransformerCalls};
use crate::contract::{plugin as first, report as first_report, transformer as first_transformer, types};
use crate::held::HeldBatch;
use crate::ready::Exports;
use crate::state::State;
use crate::versions::{Adapter, Found, Version};
use crate::{Catalog, StageSetup};
use arrow_array::{ArrayRef, Int64Array, RecordBatch};
use next::exports::sluicebox::stage::{plugin, transformer};
use next::sluicebox::stage::{batches, report};
use sluicebox_model::cancel::Cancel;
use sluicebox_model::grant::Grants;
use sluicebox_model::limits::Limits;
use sluicebox_model::plugin::Kind;
use sluicebox_model::stage::Input;
use std::sync::Arc;
use wasmtime::Store;
use wasmtime::component::{HasSelf, Instance, InstancePre, Linker, Resource};

mod next {
    #![allow(missing_docs, unreachable_pub, dead_code, clippy::all)] // generated

    wasmtime::component::bindgen!({
        path: "src/tests/next.wit",
        world: "transform-stage",
        imports: { default: trappable },
        exports: { default: async },
        with: {
            // What has not changed is what it was.
            "sluicebox:stage/types": crate::contract::sluicebox::stage::types,
            "sluicebox:stage/batches.batch": crate::held::HeldBatch,
        },
        require_store_data_send: true,
    });
}

impl batches::Host for State {}

impl batches::HostBatch for State {
    fn rows(&mut self, batch: Resource<HeldBatch>) -> wasmtime::Result<u32> {
        crate::contract::batches::HostBatch::rows(self, batch)
    }

    fn drop(&mut self, batch: Resource<HeldBatch>) -> wasmtime::Result<()> {
        crate::contract::batches::HostBatch::drop(self, batch)
    }
}

impl report::Host for State {
    fn log(&mut self, level: report::Level, message: String) -> wasmtime::Result<()> {
        let level = match level {
            report::Level::Debug => first_report::Level::Debug,
            report::Level::Info => first_report::Level::Info,
            report::Level::Warn => first_report::Level::Warn,
            report::Level::Error => first_report::Level::Error,
        };
        first_report::Host::log(self, level, message)
    }

    fn count(&mut self, name: String, by: u64) -> wasmtime::Result<()> {
        first_report::Host::count(self, name, by)
    }
}

/// Version 0.2.
pub(crate) struct Track02;

impl Adapter for Track02 {
    fn version(&self) -> Version {
        Version::new(0, 2, 0)
    }

    fn link(&self, linker: &mut Linker<State>) -> wasmtime::Result<()> {
        // It has types alone.
        linker.instance("sluicebox:stage/types@0.2.0")?;
        batches::add_to_linker::<State, HasSelf<State>>(linker, |state| state)?;
        report::add_to_linker::<State, HasSelf<State>>(linker, |state| state)
    }

    fn exports(&self, pre: &InstancePre<State>, kind: Kind, _: bool) -> wasmtime::Result<Found> {
        assert_eq!(kind, Kind::Transform, "the only kind that this track has");
        Ok(Found {
            plugin: Box::new(plugin::GuestIndices::new(pre)?),
            exports: Exports::Transform(Box::new(transformer::GuestIndices::new(pre)?)),
        })
    }
}

impl Finds<dyn PluginCalls> for plugin::GuestIndices {
    fn find(&self, store: &mut Store<State>, instance: &Instance) -> wasmtime::Result<Box<dyn PluginCalls>> {
        Ok(Box::new(self.load(store, instance)?))
    }
}

impl PluginCalls for plugin::Guest {
    fn call_describe<'a>(&'a self, store: &'a mut Store<State>) -> Answer<'a, first::Description> {
        Box::pin(async move {
            let said = plugin::Guest::call_describe(self, store).await?;
            Ok(first::Description {
                name: said.name,
                version: said.version,
                kind: match said.kind {
                    plugin::Kind::Extract => first::Kind::Extract,
                    plugin::Kind::Transform => first::Kind::Transform,
                    plugin::Kind::Validate => first::Kind::Validate,
                    plugin::Kind::Load => first::Kind::Load,
                },
                summary: format!("{} ({})", said.summary, said.licence.as_deref().unwrap_or("no licence")),
                config_schema: said.config_schema,
                capabilities: Vec::new(),
                stateless: said.stateless,
            })
        })
    }
}

impl Finds<dyn TransformerCalls> for transformer::GuestIndices {
    fn find(&self, store: &mut Store<State>, instance: &Instance) -> wasmtime::Result<Box<dyn TransformerCalls>> {
        Ok(Box::new(self.load(store, instance)?))
    }
}

type Told<T> = Result<T, types::Fault>;

impl TransformerCalls for transformer::Guest {
    fn call_open<'a>(
        &'a self,
        store: &'a mut Store<State>,
        context: &'a types::RunContext,
        config: &'a types::Config,
        inputs: &'a [first_transformer::Input],
    ) -> Answer<'a, Told<types::Schema>> {
        Box::pin(async move {
            // The host says nothing of rows: the record gets its default.
            let input = |it: &first_transformer::Input| transformer::Input {
                name: it.name.clone(),
                schema: it.schema.clone(),
                rows: None,
            };
            let inputs: Vec<transformer::Input> = inputs.iter().map(input).collect();
            transformer::Guest::call_open(self, store, context, config, &inputs).await
        })
    }

    fn call_process<'a>(
        &'a self,
        store: &'a mut Store<State>,
        input: u32,
        batch: Resource<HeldBatch>,
    ) -> Answer<'a, Told<Vec<Resource<HeldBatch>>>> {
        Box::pin(async move { transformer::Guest::call_process(self, store, input, batch).await })
    }

    fn call_finish<'a>(&'a self, store: &'a mut Store<State>) -> Answer<'a, Told<Option<Resource<HeldBatch>>>> {
        Box::pin(async move { transformer::Guest::call_finish(self, store).await })
    }
}

/// The guest of the other tests, built against this track: it says of its licence what 0.1 has no word for.
fn guest_of_next() -> Vec<u8> {
    let says = Says {
        name: "next-guest",
        first: "(i32.store8 (i32.const 1072) (i32.const 1)) (i32.store (i32.const 1076) (i32.const 256)) (i32.store (i32.const 1080) (i32.const 6))",
        ..Says::default()
    };
    let wit = format!("{}/src/tests/next.wit", std::env::var("CARGO_MANIFEST_DIR").unwrap());
    component_of(&says, &wit, "0.2.0")
}

#[test]
fn components_of_two_tracks_run_side_by_side() {
    let bed = Bed::new();
    let frozen = format!("{}/../../tests/frozen/stamp-0.1.0.wasm", std::env::var("CARGO_MANIFEST_DIR").unwrap());
    std::fs::copy(frozen, bed.plugins.path().join("stamp.wasm")).unwrap();
    std::fs::write(bed.plugins.path().join("next.wasm"), guest_of_next()).unwrap();
    let catalog = Catalog::scan(&bed.sandbox, &[bed.plugins.path().to_owned()]);
    assert!(catalog.refused().is_empty(), "{:?}", catalog.refused());
    let (old, new) = (catalog.get("stamp").unwrap(), catalog.get("next-guest").unwrap());
    assert_eq!((old.contract.as_str(), new.contract.as_str()), ("0.1.0", "0.2.0"));
    assert!(new.description.summary.ends_with("(a test)"), "{}", new.description.summary);

    let opened = |plugin, config: &str| {
        let root = bed.plugins.path().to_owned();
        let (config, grants) = (config.to_owned(), Grants::default());
        let setup = StageSetup {
            name: "it".into(),
            config,
            grants,
            limits: Limits::default(),
            network: Default::default(),
            root,
        };
        let stage = bed.sandbox.stage(plugin, setup).unwrap();
        stage.transformer(&context(), &Cancel::new()).unwrap()
    };
    let mut old = opened(old, r#"{"start": 7}"#);
    let mut new = opened(new, "{}");
    // The one numbers the rows that the other passes on.
    let schema = new.open(&inputs()).unwrap();
    let stamped = old.open(&[Input { name: "new".into(), schema }]).unwrap();
    let passed = new.process(0, batch(3)).unwrap().remove(0);
    let numbered = old.process(0, passed).unwrap().remove(0);
    let stamps: ArrayRef = Arc::new(Int64Array::from(vec![7, 8, 9]));
    assert_eq!((numbered.schema(), numbered.num_rows()), (stamped, 3));
    assert_eq!(numbered.column_by_name("stamp"), Some(&stamps));
    assert_eq!(numbered.project(&[0]).unwrap(), batch(3).project(&[0]).unwrap());
    assert_eq!(new.finish().unwrap().map(|it: RecordBatch| it.num_rows()), None);
    // What it reports goes through the interface of its own track.
    assert_eq!(new.take_report().counts.len(), 1);
}
