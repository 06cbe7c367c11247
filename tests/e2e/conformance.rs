//! The contract is one for all languages: the same cases, run against the same stages in each of them.

use crate::plugin_projects::{copy, sluicebox};
use sluicebox_tests::{Project, root};
use std::fs;

/// What the stages of a language answer, kind by kind.
fn conforms(language: &str) {
    let project = Project::new();
    for (kind, fewest) in [("extract", 12), ("transform", 41), ("validate", 13), ("load", 9)] {
        let from = root().join("tests/conformance");
        copy(&from.join(language).join(kind), &project.path().join(kind));
        let cases = fs::read_to_string(from.join("cases").join(kind).with_extension("toml")).unwrap();
        project.file(&format!("{kind}/tests/{kind}.toml"), cases);
        let ran = sluicebox(&project, kind, &["plugin", "test", "--cases-only", "--yes", "--format", "json"]);
        let ran = ran.with_code(0).json();
        let ran = ran["cases"].as_array().unwrap();
        assert!(ran.len() >= fewest, "{kind}: only {} cases", ran.len());
        assert!(ran.iter().all(|case| case["state"] == "passed"), "{kind}: {ran:?}");
    }
}

#[test]
fn rust_conforms() {
    conforms("rust");
}

#[test]
fn python_conforms() {
    conforms("python");
}

#[test]
fn typescript_conforms() {
    conforms("typescript");
}

#[test]
fn c_conforms() {
    conforms("c");
}

#[test]
fn go_conforms() {
    conforms("go");
}
