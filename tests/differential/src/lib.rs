//! SQL expressions held against DataFusion: random expressions over random data have to give the same answers.
//!
//! `tests/random.rs` runs it. `SEED=7 COUNT=100000 cargo test -p sluicebox-differential` looks elsewhere, or longer. The
//! differences that are meant stand in the documentation of `sluicebox-expression`; the generator writes around just
//! those, by giving DataFusion another text for the same meaning.

pub mod cell;
pub mod data;
mod generate;
mod generate_text;
mod generate_time;
pub mod random;
pub mod twin;

pub use generate::{Generator, Pair, Type};
