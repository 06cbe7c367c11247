//! A plugin's project while it is written: what changes is built, tested and run; how fast it is.

use crate::plugin_projects::sluicebox;
use sluicebox_tests::{Project, told};
use std::io::{BufRead, BufReader, Lines};
use std::process::{Child, ChildStdout, Stdio};

/// A `plugin dev` under way; it ends with the value.
struct Dev(Child, Lines<BufReader<ChildStdout>>);

impl Dev {
    fn begin(project: &Project, folder: &str) -> Self {
        let tools = told("SLUICEBOX_TEST_TOOLS");
        let mut command = project.command(&["plugin", "dev", "--yes"]);
        command.current_dir(project.path().join(folder));
        command.env("SLUICEBOX_TOOLS", &tools).env("CARGO_TARGET_DIR", tools.join("target"));
        command.stdout(Stdio::piped()).stderr(Stdio::null());
        let mut child = command.spawn().unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        Self(child, lines)
    }

    /// What is told until it waits again.
    fn round(&mut self) -> String {
        let mut told = String::new();
        for line in &mut self.1 {
            let line = line.unwrap();
            told.push_str(&format!("{line}\n"));
            if line.contains("waiting for changes") {
                return told;
            }
        }
        panic!("it ended: {told}");
    }
}

impl Drop for Dev {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn what_changes_is_built_tested_and_run() {
    let project = Project::new();
    sluicebox(&project, "", &["plugin", "new", "keep", "--kind", "transform", "--lang", "rust"]).with_code(0);
    let mut dev = Dev::begin(&project, "keep");
    let first = dev.round();
    assert!(
        first.contains("2 cases passed") && first.contains("3 rows loaded") && first.contains("all is well"),
        "{first}"
    );

    // A source: built anew.
    let source = project.read("keep/src/lib.rs");
    project.file("keep/src/lib.rs", source.replace("count(\"kept\"", "count(\"held\""));
    let second = dev.round();
    assert!(second.contains("the counter `kept` is 0, not 2") && second.contains("something is wrong"), "{second}");
    assert!(!second.contains("rows loaded"), "the pipeline waits for the cases: {second}");

    // One that does not compile: the component that is there stays.
    project.file("keep/src/lib.rs", source.replace("fn process", "fn proccess"));
    assert!(dev.round().contains("something is wrong"));
    assert!(project.has("keep/plugins/keep.wasm"));

    project.file("keep/src/lib.rs", &source);
    assert!(dev.round().contains("all is well"));

    // A case, and the sample.
    let cases = project.read("keep/tests/cases.toml");
    project.file(
        "keep/tests/cases.toml",
        cases.replace("MIA,150.0\n\"\"\"\nexpect.counters", "MIA,1.0\n\"\"\"\nexpect.counters"),
    );
    let third = dev.round();
    assert!(third.contains("+  MIA   150.0"), "{third}");
    project.file("keep/tests/cases.toml", cases);
    assert!(dev.round().contains("all is well"));
    let sample = project.read("keep/data/sample.csv");
    project.file("keep/data/sample.csv", format!("{sample}JFK,SEA,2422,330\n"));
    assert!(dev.round().contains("4 rows loaded"));
}

#[test]
fn a_plugin_is_measured_beside_another() {
    let project = Project::new();
    sluicebox(&project, "", &["plugin", "new", "keep", "--kind", "transform", "--lang", "rust"]).with_code(0);
    let bench = ["plugin", "bench", "--seconds", "1", "--yes", "--format", "json"];
    let told = sluicebox(&project, "keep", &bench).with_code(0).json();
    assert_eq!(told["case"], "keeps what is great enough");
    for (at, name) in [(0, "keep"), (1, "transform-select (Rust)")] {
        let plugin = &told["plugins"][at];
        assert_eq!(plugin["name"], name);
        assert!(plugin["rows"].as_u64() > Some(8192) && plugin["memory-bytes"].as_u64() > Some(65_536), "{plugin}");
    }
    let same = sluicebox(&project, "keep", &[&bench[..], &["--beside", "keep", "--plugins", "plugins"]].concat());
    assert_eq!(same.with_code(0).json()["plugins"].as_array().map(Vec::len), Some(2));
    let other = sluicebox(&project, "keep", &["plugin", "bench", "--beside", "load-csv"]).with_code(2).stderr;
    assert!(other.contains("of kind load"), "{other}");
}
