//! Plugins as files: added, removed, locked, verified, dropped in while a host serves, built against an older contract.

mod commands;
mod contract;
mod dropped;
mod kept;

use sluicebox_tests::{Project, root};
use std::process::Command;

/// A transform that numbers rows, built against version 0.1.0 of the contract; its own version is 4.1.0.
fn stamp() -> Vec<u8> {
    std::fs::read(root().join("tests/frozen/stamp-0.1.0.wasm")).expect("the frozen component")
}

/// The same, as if it were another version of itself.
fn stamp_of(version: &str) -> Vec<u8> {
    replaced(&stamp(), "4.1.0", version)
}

/// The bytes with a text in place of another of the same length.
fn replaced(bytes: &[u8], from: &str, to: &str) -> Vec<u8> {
    assert_eq!(from.len(), to.len());
    let mut bytes = bytes.to_vec();
    let mut at = 0;
    while let Some(found) = bytes[at..].windows(from.len()).position(|part| part == from.as_bytes()) {
        at += found;
        bytes[at..at + to.len()].copy_from_slice(to.as_bytes());
        at += to.len();
    }
    assert!(at > 0, "there is no {from}");
    bytes
}

/// A pipeline that numbers three rows.
fn pipeline(name: &str) -> String {
    format!(
        "[pipeline]\nname = '{name}'\n\n\
         [[stage]]\nname = 'read'\nplugin = 'extract-csv'\ngrants.read = ['in']\nconfig = {{ path = 'in/rows.csv' }}\n\n\
         [[stage]]\nname = 'number'\nplugin = 'stamp'\nconfig = {{ start = 7 }}\n\n\
         [[stage]]\nname = 'out'\nplugin = 'load-csv'\ngrants.write = ['out']\n\
         config = {{ path = 'out/{name}.csv' }}\n"
    )
}

/// A project with that pipeline and its rows, and no plugin of its own.
fn project() -> Project {
    let project = Project::new();
    project.file("in/rows.csv", "id,name\n1,a\n2,b\n3,c\n").file("stamps.toml", pipeline("stamps"));
    project
}

/// What the pipeline writes.
const STAMPED: &str = "id,name,stamp\n1,a,7\n2,b,8\n3,c,9\n";

/// Gives a command a compile cache of its own.
fn own_cache(command: &mut Command, project: &Project) {
    command.env("SLUICEBOX_CACHE", project.path().join("cache"));
}
