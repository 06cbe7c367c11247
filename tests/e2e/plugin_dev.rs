//! A plugin's project while it is written: what changes is built, tested and run; how fast it is.

use crate::plugin_projects::sluicebox;
use sluicebox_tests::{Project, told};
use std::fs::{self, File};
use std::io::{BufRead, BufReader, Lines};
use std::path::PathBuf;
use std::process::{Child, ChildStdout, Stdio};
use std::time::{Duration, Instant};

/// A `plugin dev` under way; it ends with the value.
struct Dev {
    child: Child,
    lines: Lines<BufReader<ChildStdout>>,
    /// What it says on standard error.
    said: PathBuf,
    /// How much of that was read.
    read: usize,
}

impl Dev {
    fn begin(project: &Project, folder: &str) -> Self {
        let tools = told("SLUICEBOX_TEST_TOOLS");
        let mut command = project.command(&["plugin", "dev", "--yes"]);
        command.current_dir(project.path().join(folder));
        command.env("SLUICEBOX_TOOLS", &tools).env("CARGO_TARGET_DIR", tools.join("target"));
        let said = project.path().join("said.txt");
        command.stdout(Stdio::piped()).stderr(File::create(&said).unwrap());
        let mut child = command.spawn().unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        Self { child, lines, said, read: 0 }
    }

    /// What is told until it waits again.
    fn round(&mut self) -> String {
        let mut told = String::new();
        for line in &mut self.lines {
            let line = line.unwrap();
            told.push_str(&format!("{line}\n"));
            if line.contains("waiting for changes") {
                return told;
            }
        }
        panic!("it ended: {told}\n{}", self.said());
    }

    /// What it has said on standard error since it was asked the last time.
    fn said(&mut self) -> String {
        let all = fs::read_to_string(&self.said).unwrap();
        let new = all[self.read..].to_owned();
        self.read = all.len();
        new
    }
}

impl Drop for Dev {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn what_changes_is_built_tested_and_run() {
    let project = Project::new();
    sluicebox(&project, "", &["plugin", "new", "keep", "--kind", "transform", "--lang", "rust"]).with_code(0);
    let mut dev = Dev::begin(&project, "keep");
    let first = dev.round();
    for told in ["2 cases passed", "3 rows loaded", "the project's own tests passed", "all is well"] {
        assert!(first.contains(told), "{first}");
    }

    // A source: built anew.
    let source = project.read("keep/src/lib.rs");
    project.file("keep/src/lib.rs", source.replace("count(\"kept\"", "count(\"held\""));
    let second = dev.round();
    assert!(second.contains("the counter `kept` is 0, not 2") && second.contains("something is wrong"), "{second}");
    assert!(!second.contains("rows loaded"), "the pipeline waits for the cases: {second}");
    assert!(second.contains("the project's own tests failed"), "{second}");

    // The component that is there stays when the sources do not compile.
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
    dev.said();
    let third = dev.round();
    assert!(third.contains("+  MIA   150.0"), "{third}");
    assert!(!dev.said().contains("building"), "a case needs no build");
    project.file("keep/tests/cases.toml", cases);
    assert!(dev.round().contains("all is well"));
    let sample = project.read("keep/data/sample.csv");
    project.file("keep/data/sample.csv", format!("{sample}JFK,SEA,2422,330\n"));
    assert!(dev.round().contains("4 rows loaded"));

    // A project that is half edited is wrong for as long as it is.
    let text = project.read("keep/plugin.toml");
    project.file("keep/plugin.toml", "[plugin]\nname = \"ke");
    assert!(dev.round().contains("something is wrong"));
    let said = dev.said();
    assert!(said.contains("plugin.toml: "), "{said}");
    project.file("keep/plugin.toml", text);
    assert!(dev.round().contains("all is well"));
}

/// A transform to begin with is broken and repaired while `plugin dev` looks at it: what the compiler says comes first, and a
/// change is seen in time. Another machine may be slower than the one of docs/performance.md, hence five times the time.
fn is_seen_in_time(language: &str, file: &str, broken: (&str, &str), error: &str, within: Duration) {
    let project = Project::new();
    sluicebox(&project, "", &["plugin", "new", "seen", "--kind", "transform", "--lang", language]).with_code(0);
    let file = format!("seen/{file}");
    let mut dev = Dev::begin(&project, "seen");
    let first = dev.round();
    for told in ["cases passed", "rows loaded", "the project's own tests passed", "all is well"] {
        assert!(first.contains(told), "{first}\n{}", dev.said());
    }

    let source = project.read(&file);
    assert!(source.contains(broken.0), "{source}");
    dev.said();
    project.file(&file, source.replacen(broken.0, broken.1, 1));
    let wrong = dev.round();
    assert!(wrong.contains("something is wrong"), "{wrong}");
    let said = dev.said();
    let first = said.lines().find(|line| !line.starts_with("note: ")).unwrap_or_default();
    assert!(first.contains(error), "the first line is {first:?}, not {error:?}: {said}");
    assert!(said.contains("`seen` does not build"), "{said}");

    let changed = source.replace("Adds the ratio of two columns", "Adds a ratio").replace("Keeps rows by", "Keeps by");
    assert_ne!(changed, source);
    let begin = Instant::now();
    project.file(&file, changed);
    let repaired = dev.round();
    let took = begin.elapsed();
    assert!(repaired.contains("all is well"), "{repaired}\n{}", dev.said());
    assert!(took < within * 5, "{language}: seen after {took:?}, which should be {within:?}");
}

#[test]
fn a_change_in_rust_is_seen() {
    is_seen_in_time(
        "rust",
        "src/lib.rs",
        ("count(\"kept\"", "cuont(\"kept\""),
        "error[E0425]: cannot find function `cuont`",
        Duration::from_secs(2),
    );
}

#[test]
fn a_change_in_c_is_seen() {
    is_seen_in_time(
        "c",
        "stage.c",
        ("sb_give(", "sb_gibe("),
        "error: call to undeclared function 'sb_gibe'",
        Duration::from_secs(2),
    );
}

#[test]
fn a_change_in_typescript_is_seen() {
    is_seen_in_time(
        "typescript",
        "stage.ts",
        ("batch.with(", "batch.wiht("),
        "error TS2339: Property 'wiht'",
        Duration::from_secs(5),
    );
}

#[test]
fn a_change_in_go_is_seen() {
    is_seen_in_time("go", "main.go", ("batch.With(", "batch.Wiht("), "batch.Wiht undefined", Duration::from_secs(5));
}

#[test]
fn a_change_in_python_is_seen() {
    is_seen_in_time("python", "stage.py", ("def process(", "def process(("), "SyntaxError", Duration::from_secs(25));
}

/// A file that a build reads beside its code changes: the component is built anew. `changes` make the stage read it.
fn what_is_included_counts(language: &str, source: &str, changes: &[(&str, &str)], file: &str, texts: [&str; 2]) {
    let project = Project::new();
    sluicebox(&project, "", &["plugin", "new", "reads", "--kind", "transform", "--lang", language]).with_code(0);
    let source = format!("reads/{source}");
    for (from, to) in changes {
        let code = project.read(&source);
        assert!(code.contains(from), "no {from}: {code}");
        project.file(&source, code.replacen(from, to, 1));
    }
    let [before, after] = texts;
    let file = format!("reads/{file}");
    project.file(&file, before);
    let component = || fs::read(project.path().join("reads/plugins/reads.wasm")).unwrap();
    let built = || {
        let tested = sluicebox(&project, "reads", &["plugin", "test", "--cases-only", "--yes"]);
        assert!(tested.stdout.contains(" passed"), "{}{}", tested.stdout, tested.stderr);
        (tested.stderr.contains("building"), component())
    };
    let (is_built, first) = built();
    assert!(is_built);
    assert!(!built().0, "nothing has changed");
    project.file(&file, after);
    let (is_built, second) = built();
    assert!(is_built && first != second, "{file} has changed");
}

#[test]
fn what_rust_includes_counts() {
    let changes = [("count(\"kept\"", "count(include_str!(\"../data/what.txt\")")];
    what_is_included_counts("rust", "src/lib.rs", &changes, "data/what.txt", ["kept", "held"]);
}

#[test]
fn what_c_includes_counts() {
    let changes = [(".summary = \"Adds the ratio of two columns\",", ".summary =\n#include \"../what.inc\"\n    ,")];
    what_is_included_counts("c", "stage.c", &changes, "../what.inc", ["\"before\"\n", "\"after\"\n"]);
}

#[test]
fn what_typescript_imports_counts() {
    let changes = [
        ("summary: \"Adds the ratio of two columns\"", "summary: WHAT"),
        ("import {", "import { WHAT } from \"../lib/what\";\nimport {"),
    ];
    let texts = ["export const WHAT = \"before\";\n", "export const WHAT = \"after\";\n"];
    what_is_included_counts("typescript", "stage.ts", &changes, "../lib/what.ts", texts);
}

#[test]
fn what_go_embeds_counts() {
    let changes = [
        ("Summary:   \"Adds the ratio of two columns\"", "Summary: what"),
        ("import (\n", "import (\n\t_ \"embed\"\n\n"),
        ("func init() {", "//go:embed words/what.txt\nvar what string\n\nfunc init() {"),
    ];
    what_is_included_counts("go", "main.go", &changes, "words/what.txt", ["before", "after"]);
}

#[test]
fn what_python_reads_counts() {
    let changes = [
        ("summary=\"Adds the ratio of two columns\"", "summary=WHAT"),
        ("@plugin(", "WHAT = (Path(__file__).parent / \"data\" / \"what.txt\").read_text()\n\n\n@plugin("),
        ("from dataclasses import dataclass\n", "from dataclasses import dataclass\nfrom pathlib import Path\n"),
    ];
    what_is_included_counts("python", "stage.py", &changes, "data/what.txt", ["before", "after"]);
}

#[test]
fn a_plugin_is_measured_beside_another() {
    let project = Project::new();
    sluicebox(&project, "", &["plugin", "new", "keep", "--kind", "transform", "--lang", "rust"]).with_code(0);
    let bench = ["plugin", "bench", "--seconds", "1", "--yes", "--format", "json"];
    let told = sluicebox(&project, "keep", &bench).with_code(0).json();
    assert_eq!(told["case"], "keeps what is great enough");
    for (at, name) in [(0, "keep"), (1, "join-text-rust, the example in Rust, case `joins two columns`")] {
        let plugin = &told["plugins"][at];
        assert_eq!(plugin["name"], name);
        assert!(plugin["rows"].as_u64() > Some(8192) && plugin["memory-bytes"].as_u64() > Some(65_536), "{plugin}");
        let first = plugin["first-batch-seconds"].as_f64().unwrap();
        assert!(first > 0.0 && plugin["instance-seconds"].as_f64() > Some(0.0), "{plugin}");
    }
    // Where the example cannot be built, a standard plugin is beside it.
    let mut alone = project.command(&bench);
    alone.current_dir(project.path().join("keep")).env("SLUICEBOX_TOOLS", told_tools()).env("PATH", "/nowhere");
    let alone = sluicebox_tests::Ended::from(alone.output().unwrap()).with_code(0).json();
    assert_eq!(alone["plugins"][1]["name"], "transform-select, a standard plugin");

    let beside = ["--beside", "keep", "--plugins", "plugins"];
    let same = sluicebox(&project, "keep", &[&bench[..4], &beside[..]].concat()).with_code(0).stdout;
    assert!(same.contains("times as many rows a second as keep"), "{same}");
    let other = sluicebox(&project, "keep", &["plugin", "bench", "--beside", "load-csv"]).with_code(2).stderr;
    assert!(other.contains("of kind load"), "{other}");
}

/// Of every kind, beside the example in Rust.
#[test]
fn plugins_of_every_kind_are_measured() {
    let examples = [("extract", "numbers"), ("validate", "known-values"), ("load", "json-lines")];
    for (kind, example) in examples {
        let project = Project::new();
        sluicebox(&project, "", &["plugin", "new", "timed", "--kind", kind, "--lang", "rust"]).with_code(0);
        let bench = ["plugin", "bench", "--seconds", "1", "--yes", "--format", "json"];
        let told = sluicebox(&project, "timed", &bench).with_code(0).json();
        assert!(told["plugins"][0]["name"] == "timed", "{told}");
        let beside = told["plugins"][1]["name"].as_str().unwrap();
        assert!(beside.starts_with(&format!("{example}-rust, the example in Rust")), "{told}");
        for plugin in told["plugins"].as_array().unwrap() {
            assert!(plugin["rows"].as_u64() > Some(0) && plugin["memory-bytes"].as_u64() > Some(65_536), "{told}");
            assert!(plugin["first-batch-seconds"].as_f64() > Some(0.0), "{told}");
        }
    }
}

fn told_tools() -> PathBuf {
    told("SLUICEBOX_TEST_TOOLS")
}
