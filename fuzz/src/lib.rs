//! What comes from outside, made up at random: from guests, files, people and a damaged store.
//!
//! A target takes bytes, makes an input of them, gives it to the host and panics where the host does not do what it has to.
//! `cargo xtask fuzz` lets libFuzzer look for such bytes; `cargo test` gives every target the bytes in `seeds/` once, among
//! them those that once found something.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

pub mod arrays;
pub mod batches;
pub mod guests;
pub mod input;
pub mod targets;

/// Something that is given bytes.
#[derive(Clone, Copy, Debug)]
pub struct Target {
    /// As in `cargo xtask fuzz NAME`; its seeds stand in `seeds/NAME`.
    pub name: &'static str,
    /// Folders of the repository with more seeds, which other tests need too.
    pub more_seeds: &'static [&'static str],
    /// Panics where the host is wrong.
    pub run: fn(&[u8]),
}

/// All targets.
pub const TARGETS: [Target; 7] = [
    Target { name: "columns", more_seeds: &[], run: targets::columns::run },
    Target { name: "ipc", more_seeds: &[], run: targets::ipc::run },
    Target { name: "pipeline", more_seeds: &["tests/bad-pipelines"], run: targets::pipeline::run },
    Target { name: "cron", more_seeds: &[], run: targets::cron::run },
    Target { name: "journal", more_seeds: &[], run: targets::journal::run },
    Target { name: "store", more_seeds: &[], run: targets::store::run },
    Target { name: "components", more_seeds: &[], run: targets::components::run },
];
