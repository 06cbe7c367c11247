//! The macro that makes a component of a stage.

/// Makes the plugin of a crate from a stage. Once per crate, at its root.
///
/// ```
/// # use sluicebox_stage::{Batch, Context, Fault, Input, NoOptions, Schema, Transform};
/// struct Pass;
///
/// impl Transform for Pass {
///     type Options = NoOptions;
///     fn open(_: &Context, _: NoOptions, inputs: &[Input]) -> Result<(Self, Schema), Fault> {
///         Ok((Self, inputs.first().map(|input| input.schema.clone()).unwrap_or_default()))
///     }
///     fn process(&mut self, _: usize, batch: Batch) -> Result<Vec<Batch>, Fault> {
///         Ok(vec![batch])
///     }
/// }
///
/// sluicebox_stage::export!(Pass, kind: transform, summary: "Passes batches on", stateless: true);
/// # fn main() {
/// assert!(describe().stateless);
/// # }
/// ```
///
/// - `kind`: `extract`, `split_extract` (an [`Extract`](crate::Extract) that is a
///   [`SplitExtract`](crate::SplitExtract) too), `transform`, `validate` or `load`
/// - `summary`: one sentence, a literal
/// - `stateless`: `true` where the answer to a batch depends on that batch alone; `false` if left out
/// - `capabilities`: what it asks to be granted, e.g. `[ReadFiles, Environment]`; nothing if left out
///
/// Name and version are those of the crate. The macro also makes `pub fn describe() -> Description` in the crate's
/// root, so that the plugin's README and schema can be made without wasm.
#[macro_export]
macro_rules! export {
    ($stage:ident, kind: $kind:ident $(, $key:ident : $value:tt)* $(,)?) => {
        impl $crate::__private::Described for $stage {
            fn describe() -> $crate::Description {
                #[allow(unused_mut)]
                let mut description = $crate::__describe!($kind, $stage);
                $($crate::__set!(description, $key, $value);)*
                description
            }
        }

        /// What this plugin says of itself.
        pub fn describe() -> $crate::Description {
            <$stage as $crate::__private::Described>::describe()
        }

        #[cfg(target_family = "wasm")]
        #[allow(unsafe_code, missing_docs)] // the component's entry points are C functions
        const _: () = {
            $crate::__component!($kind, $stage);
        };
    };
}

/// A test that the crate's `README.md` is what its plugin says of itself, with `EXAMPLES.md` in the end if there is one.
/// `UPDATE_README=1 cargo test -p NAME` writes it. Stands beside [`export!`](crate::export) at the crate's root.
#[macro_export]
#[allow(clippy::crate_in_macro_def)] // the plugin's own `describe`
macro_rules! readme_test {
    () => {
        #[cfg(all(test, not(target_family = "wasm")))]
        #[test]
        fn readme_is_what_the_plugin_says_of_itself() {
            // As cargo says it now: clones that share a target folder share this program.
            let folder = ::std::env::var("CARGO_MANIFEST_DIR");
            let folder = folder.unwrap_or_else(|_| ::std::env!("CARGO_MANIFEST_DIR").to_owned());
            $crate::check_readme(&folder, &crate::describe());
        }
    };
}

#[doc(hidden)]
#[macro_export]
macro_rules! __set {
    ($description:ident, summary, $summary:literal) => {
        $description.summary = ::std::string::String::from($summary)
    };
    ($description:ident, stateless, $stateless:literal) => {
        $description.stateless = $stateless
    };
    ($description:ident, capabilities, [$($capability:ident),* $(,)?]) => {
        $description.capabilities = ::std::vec![$($crate::Capability::$capability),*]
    };
}

#[doc(hidden)]
#[macro_export]
macro_rules! __describe {
    (extract, $stage:ident) => { $crate::__describe!(@ $stage, Extract, Extract) };
    (split_extract, $stage:ident) => { $crate::__describe!(@ $stage, Extract, Extract) };
    (transform, $stage:ident) => { $crate::__describe!(@ $stage, Transform, Transform) };
    (validate, $stage:ident) => { $crate::__describe!(@ $stage, Validate, Validate) };
    (load, $stage:ident) => { $crate::__describe!(@ $stage, Load, Load) };
    (@ $stage:ident, $trait:ident, $kind:ident) => {
        $crate::Description::of::<<$stage as $crate::$trait>::Options>(
            ::std::env!("CARGO_PKG_NAME"),
            ::std::env!("CARGO_PKG_VERSION"),
            $crate::Kind::$kind,
        )
    };
}
