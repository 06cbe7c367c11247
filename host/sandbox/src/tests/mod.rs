//! Tests. Those of batches call the host's functions as a guest would, without wasm, on random arrays of every type.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

mod built;
mod catalog;
mod columns;
mod guests;
mod held;
mod ipc;
mod log;
pub(crate) mod next;
mod ops;
mod random;
mod wat_guest;
