//! Write sluicebox stages in Rust.
//!
//! A stage is a struct that implements one of five traits; a plugin is a crate that calls [`export!`] once. The same code
//! is a WASM component when it is built for `wasm32-wasip2`, and an ordinary library when it is tested with
//! `cargo test`: no wasm, no host, no Arrow.
//!
//! | kind | trait | what it does |
//! | --- | --- | --- |
//! | extract | [`Extract`], and [`SplitExtract`] if its work can be split | makes batches from something outside |
//! | transform | [`Transform`] | turns batches into batches |
//! | validate | [`Validate`] | finds the rows that break rules; the host judges |
//! | load | [`Load`] | takes batches out, in two steps |
//!
//! # A first stage
//!
//! `Cargo.toml`:
//!
//! ```toml
//! [package]
//! name = "transform-speed"         # the plugin's name in pipeline files
//! version = "0.1.0"
//! edition = "2024"
//!
//! [lib]
//! crate-type = ["cdylib", "rlib"]  # a component, and a library for the tests
//!
//! [dependencies]
//! sluicebox-stage = { path = "..." }
//! schemars = { version = "1", default-features = false, features = ["derive", "std"] }
//! serde = { version = "1", features = ["derive"] }
//! ```
//!
//! `src/lib.rs`, the whole of it:
//!
//! ```
//! use schemars::JsonSchema;
//! use serde::Deserialize;
//! use sluicebox_stage::{Batch, Context, DataType, Fault, Field, Float64Builder, Input, Schema, Transform};
//!
//! // The doc comments become the documentation of the options: in the JSON Schema, in the README, in editors.
//! /// Adds a column `speed`.
//! #[derive(Deserialize, JsonSchema)]
//! #[serde(deny_unknown_fields)]
//! pub struct Options {
//!     /// The column of the distance in miles, float64.
//!     distance: String,
//!     /// The column of the time in minutes, float64.
//!     time: String,
//! }
//!
//! pub struct Speed {
//!     options: Options,
//!     added: Schema,
//! }
//!
//! impl Transform for Speed {
//!     type Options = Options;
//!
//!     // Called once, also to check a pipeline before it runs: find here what does not fit, and answer with the schema
//!     // of what comes out.
//!     fn open(_: &Context, options: Options, inputs: &[Input]) -> Result<(Self, Schema), Fault> {
//!         let mut schema = inputs.first().map(|input| input.schema.clone()).unwrap_or_default();
//!         for name in [&options.distance, &options.time] {
//!             match schema.field(name) {
//!                 Some(field) if field.data_type == DataType::Float64 => {}
//!                 Some(field) => return Err(Fault::invalid_config(format!("{field}: float64 is needed; cast it before"))),
//!                 None => return Err(Fault::invalid_config(format!("no column {name:?}; there are {schema}"))),
//!             }
//!         }
//!         let added = Schema::new([Field::new("speed", DataType::Float64)]);
//!         added.iter().for_each(|field| schema.put(field.clone()));
//!         Ok((Self { options, added }, schema))
//!     }
//!
//!     // Called for each batch. Two columns cross into the stage, one crosses back; the others stay in the host.
//!     fn process(&mut self, _: usize, batch: Batch) -> Result<Vec<Batch>, Fault> {
//!         let distance = batch.column_named(&self.options.distance)?;
//!         let time = batch.column_named(&self.options.time)?;
//!         let both = distance.valid().and(&time.valid());
//!         let (distance, time) = (distance.as_f64().unwrap_or_default(), time.as_f64().unwrap_or_default());
//!         let mut speed = Float64Builder::with_capacity(batch.rows());
//!         for ((distance, time), there) in distance.iter().zip(time).zip(both.iter()) {
//!             speed.push_option((there && *time > 0.0).then(|| distance / time * 60.0));
//!         }
//!         Ok(vec![batch.with_columns(self.added.clone(), vec![speed.finish()])?])
//!     }
//! }
//!
//! sluicebox_stage::export!(Speed, kind: transform, summary: "Adds the speed", stateless: true);
//!
//! // A native test: `testing` makes contexts, options and batches in a line.
//! # fn main() -> Result<(), Fault> {
//! use sluicebox_stage::testing::{self, batch};
//! let flights = batch! { "distance" => [1400.0, 944.0], "air_time" => [Some(227.0), None] };
//! let input = Input { name: "read".into(), schema: flights.schema().clone() };
//! let options = testing::options(r#"{ "distance": "distance", "time": "air_time" }"#)?;
//! let (mut stage, schema) = Speed::open(&testing::context(), options, &[input])?;
//! let out = stage.process(0, flights)?;
//! assert_eq!(out[0].schema(), &schema);
//! assert_eq!(out[0].column_named("speed")?.null_count(), 1);
//! assert_eq!(describe().kind, sluicebox_stage::Kind::Transform);
//! # Ok(())
//! # }
//! ```
//!
//! `cargo build --release --target wasm32-wasip2` makes the component, `target/wasm32-wasip2/release/transform_speed.wasm`.
//! Add `-C target-feature=+simd128` to the target's `rustflags`: string work is more than twice as fast.
//! `examples/` beside this crate has a small stage of each kind.
//!
//! # What crosses, and what it costs
//!
//! A [`Batch`] is a handle. Filtering, slicing, taking, selecting and joining side by side happen in the host; passing a
//! batch on is free. [`Batch::column`] copies one column in, [`Batch::with_columns`] and [`Batch::from_columns`] copy new
//! ones out, whole buffers at a time. Read only the columns that you need, and answer with a [`Mask`] rather than with
//! rows. Columns of type [`DataType::Other`] (lists, structs, dictionaries, ...) are carried by every one of these, and
//! can be read by [`Batch::to_ipc`] with an Arrow crate of your own.
//!
//! # Faults, panics, logs
//!
//! Every call may answer with a [`Fault`]; its kind tells the host whether trying again can help, and its message is for
//! people: what is wrong, where, and what to do instead. `?` works on [`std::io::Error`] too;
//! [`Fault::of_file`] names the path with it. A panic ends the instance;
//! the host shows its message, and gives the batch to a fresh instance if the stage is stateless. [`log`], [`count`] and
//! [`quarantine`] tell the run what goes on; standard output and error go to the log as well.
//!
//! # The README
//!
//! With [`readme_test!()`](readme_test) beside [`export!`], a test keeps the crate's `README.md` equal to what the plugin
//! says of itself: kind, grants, options with types, defaults and documentation. `UPDATE_README=1 cargo test -p NAME` writes
//! it; `EXAMPLES.md`, written by hand, stands in the end.

mod batch;
pub mod build;
mod column;
mod describe;
mod export;
mod fault;
mod mask;
mod options;
#[cfg(not(target_family = "wasm"))]
mod readme;
mod report;
mod stage;
#[cfg(not(target_family = "wasm"))]
pub mod testing;
mod types;
mod view;
#[cfg(target_family = "wasm")]
#[doc(hidden)]
pub mod wasm;

pub use batch::Batch;
pub use build::{
    BinaryBuilder, BooleanBuilder, Decimal128Builder, Float32Builder, Float64Builder, Int8Builder, Int16Builder,
    Int32Builder, Int64Builder, PrimitiveBuilder, Uint8Builder, Uint16Builder, Uint32Builder, Uint64Builder,
    Utf8Builder,
};
pub use column::{Column, Form, Values};
pub use describe::{Capability, Description, Kind};
pub use fault::{Fault, FaultKind};
pub use mask::Mask;
#[cfg(not(target_family = "wasm"))]
pub use readme::{check_readme, readme};
pub use report::{BadRecord, Level, count, log, quarantine};
pub use stage::{
    Context, Extract, Finding, Input, Load, NoOptions, Outcome, Page, Plan, Rule, Severity, SplitExtract, Threshold,
    Transform, Validate,
};
pub use types::{DataType, Field, Schema};
pub use view::{BinaryView, BitView, DecimalView, StrView};

#[doc(hidden)]
pub mod __private {
    pub use crate::describe::Described;
}

/// What the README shows works.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
