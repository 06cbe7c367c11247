//! The functions of a component as the host calls them, whatever track of the contract it is of.
//!
//! They speak the nouns of the newest track. A component of an older one is called by its adapter ([`crate::versions`]), which says
//! what that track says less, and gives what it answers less its default.

use crate::contract::{batches, extractor, loader, plugin, splittable, transformer, types, validator};
use crate::held::HeldBatch;
use crate::state::State;
use std::pin::Pin;
use wasmtime::Store;
use wasmtime::component::{Instance, Resource};

/// What a call answers with, once it has.
pub(crate) type Answer<'a, A> = Pin<Box<dyn Future<Output = wasmtime::Result<A>> + Send + 'a>>;

/// An answer or the guest's own fault.
type Told<A> = Result<A, types::Fault>;

/// Finds functions in an instance.
pub(crate) trait Finds<C: ?Sized>: Send + Sync {
    fn find(&self, store: &mut Store<State>, instance: &Instance) -> wasmtime::Result<Box<C>>;
}

/// A trait with the functions of an interface, and what finds and calls them in a component of the newest track.
macro_rules! calls {
    ($(#[$doc:meta])* $name:ident of $interface:ident {
        $(fn $call:ident($($argument:ident: $type:ty),*) -> $answer:ty;)*
    }) => {
        $(#[$doc])*
        pub(crate) trait $name: Send {
            $(fn $call<'a>(&'a self, store: &'a mut Store<State>, $($argument: $type),*) -> Answer<'a, $answer>;)*
        }

        impl $name for $interface::Guest {
            $(fn $call<'a>(&'a self, store: &'a mut Store<State>, $($argument: $type),*) -> Answer<'a, $answer> {
                Box::pin(async move { $interface::Guest::$call(self, store, $($argument),*).await })
            })*
        }

        impl Finds<dyn $name> for $interface::GuestIndices {
            fn find(&self, store: &mut Store<State>, instance: &Instance) -> wasmtime::Result<Box<dyn $name>> {
                Ok(Box::new(self.load(store, instance)?))
            }
        }
    };
}

calls! {
    /// Says what the component is.
    PluginCalls of plugin {
        fn call_describe() -> plugin::Description;
    }
}

calls! {
    /// An extract.
    ExtractorCalls of extractor {
        fn call_open(context: &'a types::RunContext, config: &'a types::Config, bookmark: Option<&'a str>) -> Told<types::Schema>;
        fn call_next() -> Told<Option<extractor::Page>>;
    }
}

calls! {
    /// An extract whose work can be split.
    SplittableCalls of splittable {
        fn call_split(context: &'a types::RunContext, config: &'a types::Config, bookmark: Option<&'a str>, at_most: u32) -> Told<splittable::Plan>;
        fn call_open_split(context: &'a types::RunContext, config: &'a types::Config, split: &'a str) -> Told<types::Schema>;
    }
}

calls! {
    /// A transform.
    TransformerCalls of transformer {
        fn call_open(context: &'a types::RunContext, config: &'a types::Config, inputs: &'a [transformer::Input]) -> Told<types::Schema>;
        fn call_process(input: u32, batch: Resource<HeldBatch>) -> Told<Vec<Resource<HeldBatch>>>;
        fn call_finish() -> Told<Option<Resource<HeldBatch>>>;
    }
}

calls! {
    /// A validate.
    ValidatorCalls of validator {
        fn call_open(context: &'a types::RunContext, config: &'a types::Config, input: &'a types::Schema) -> Told<Vec<validator::Rule>>;
        fn call_check(batch: Resource<batches::Batch>) -> Told<Vec<validator::Finding>>;
        fn call_finish() -> Told<Vec<validator::Outcome>>;
    }
}

calls! {
    /// A load.
    LoaderCalls of loader {
        fn call_open(
            context: &'a types::RunContext, config: &'a types::Config, input: &'a types::Schema, load_id: &'a str, part: u32
        ) -> Told<()>;
        fn call_write(batch: Resource<HeldBatch>) -> Told<()>;
        fn call_prepare() -> Told<String>;
        fn call_commit(config: &'a types::Config, load_id: &'a str, receipts: &'a [String]) -> Told<()>;
        fn call_abort(config: &'a types::Config, load_id: &'a str, receipts: &'a [String]) -> Told<()>;
    }
}
