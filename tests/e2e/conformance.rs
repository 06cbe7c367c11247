//! The contract is one for all languages: the same cases, run against the same stages in each of them.

use crate::plugin_projects::{copy, sluicebox};
use sluicebox_tests::{Project, root};
use std::fs;
use std::path::Path;

/// A language, and how it tells of its own way to fail: the kind of fault, and the file of a transform and of a validate that the
/// message names.
struct Language {
    folder: &'static str,
    crash: &'static str,
    files: [&'static str; 2],
}

/// What the stages of a language answer, kind by kind. `change` makes something else of a project's sources.
fn conforms(language: &Language, kinds: &[&str], change: fn(&Path)) {
    let project = Project::new();
    let from = root().join("tests/conformance");
    for (kind, fewest) in [("extract", 20), ("transform", 75), ("validate", 27), ("load", 27)] {
        if !kinds.contains(&kind) {
            continue;
        }
        let folder = project.path().join(kind);
        copy(&from.join(language.folder).join(kind), &folder);
        change(&folder);
        let cases = fs::read_to_string(from.join("cases").join(kind).with_extension("toml")).unwrap();
        project.file(&format!("{kind}/tests/{kind}.toml"), cases);
        let file = language.files[usize::from(kind == "validate")];
        let crash = language.crash;
        if kind == "transform" || kind == "validate" {
            project.file(
                &format!("{kind}/tests/crash.toml"),
                format!(
                    "[[case]]\nname = \"where it failed\"\nconfig = {{ mode = \"crash\" }}\ninput.rows = [{{ n = 1 }}]\n\
                     expect.fault = {{ kind = \"{crash}\", message = \"{file}\" }}\n"
                ),
            );
        }
        let ran = sluicebox(&project, kind, &["plugin", "test", "--cases-only", "--yes", "--format", "json"]);
        let json = ran.json();
        let all = json["cases"].as_array().unwrap();
        assert!(all.iter().all(|case| case["state"] == "passed"), "{kind}: {all:#?}");
        assert!(all.len() >= fewest, "{kind}: only {} cases", all.len());
        ran.with_code(0);
    }
}

const ALL: [&str; 4] = ["extract", "transform", "validate", "load"];

fn as_it_is(_: &Path) {}

#[test]
fn rust_conforms() {
    let rust = Language { folder: "rust", crash: "trap", files: ["src/modes.rs", "src/lib.rs"] };
    conforms(&rust, &ALL, as_it_is);
}

#[test]
fn python_conforms() {
    let python = Language { folder: "python", crash: "internal", files: ["stage.py"; 2] };
    conforms(&python, &ALL, as_it_is);
}

#[test]
fn typescript_conforms() {
    let typescript = Language { folder: "typescript", crash: "internal", files: ["modes.ts", "stage.ts"] };
    conforms(&typescript, &ALL, as_it_is);
}

/// C knows no files once it is compiled: what it printed is all there is.
const C: Language = Language { folder: "c", crash: "trap", files: ["told to crash"; 2] };

#[test]
fn c_conforms() {
    conforms(&C, &ALL, as_it_is);
}

/// The same sources as C++: the transform and the validate are both.
#[test]
fn cpp_conforms() {
    conforms(&C, &["transform", "validate"], |folder| {
        fs::rename(folder.join("stage.c"), folder.join("stage.cpp")).unwrap();
    });
}

#[test]
fn go_conforms() {
    let go = Language { folder: "go", crash: "internal", files: ["modes.go", "main.go"] };
    conforms(&go, &ALL, as_it_is);
}
