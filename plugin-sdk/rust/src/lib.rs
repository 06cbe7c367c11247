//! Write sluicebox stages in Rust.

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
