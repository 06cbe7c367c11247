//! Hostile guests, a test for each: the run ends with exit 1 and a clear fault that names the stage, the call and what to
//! do, and nothing is at the target; or `check` refuses it with exit 2. Options of each guest stand in its crate
//! (`tests/evil*`).

use serde_json::Value;
use sluicebox_tests::{Ended, Project};
use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};

/// `name: options of the stage => kind in call, words of the message or of what to do;` A run that fails.
macro_rules! fails {
    ($pipeline:ident: $($name:ident: $options:literal => $kind:literal in $call:literal, [$($said:literal),*];)*) => {$(
        #[test]
        pub(super) fn $name() {
            crate::hostile::fails(&crate::hostile::project(&$pipeline($options, "")), $kind, $call, &[$($said),*]);
        }
    )*};
}

/// `name: options of the stage => words;` Wrong already when the pipeline is checked.
macro_rules! refused_by_check {
    ($pipeline:ident: $($name:ident: $options:literal => [$($said:literal),*];)*) => {$(
        #[test]
        pub(super) fn $name() {
            crate::hostile::refused_by_check(&crate::hostile::project(&$pipeline($options, "")), &[$($said),*]);
        }
    )*};
}

mod disk;
mod escapes;
mod extract;
mod granted;
pub(crate) mod ipc;
mod load;
mod modes;
mod network;
mod plugin;
mod reach;
mod retried;
mod table;
mod transform;
mod validate;
mod wat;
mod zoo;

/// Small limits, so that the tests are quick.
const LIMITS: &str = r#"limits = { memory = "48MiB", call = "500ms", held = "8MiB", handles = 1000, transfer = "32MiB", log = "64KiB" }"#;

pub(crate) const READ: &str = r#"
[[stage]]
name = "read"
plugin = "extract-csv"
grants.read = ["data"]
config = { path = "data/rows.csv" }
"#;

pub(crate) const OUT: &str = r#"
[[stage]]
name = "out"
plugin = "load-csv"
grants.write = ["out"]
config = { path = "out/rows.csv" }
"#;

/// The stage `evil`; `more` stands in for its limits, or adds to them.
pub(crate) fn evil(plugin: &str, options: &str, more: &str) -> String {
    let limits = if more.contains("limits") { "" } else { LIMITS };
    format!("\n[[stage]]\nname = \"evil\"\nplugin = \"{plugin}\"\nconfig = {{ {options} }}\n{limits}\n{more}\n")
}

/// A pipeline of these stages, and 1,001 rows for it: no multiple of 8, so that masks have bits to spare.
pub(crate) fn project(stages: &str) -> Project {
    with_rows(stages, 1_001)
}

pub(crate) fn with_rows(stages: &str, rows: usize) -> Project {
    let project = Project::new();
    let rows: String = (0..rows).map(|row| format!("{row},name-{},{}.5\n", row % 7, row % 13)).collect();
    project.file("data/rows.csv", format!("id,name,size\n{rows}"));
    project.file("pipeline.toml", format!("[pipeline]\nname = \"hostile\"\n{stages}"));
    project
}

/// Files that somebody could take for results.
fn loaded(project: &Project) -> Vec<String> {
    let Ok(files) = std::fs::read_dir(project.path().join("out")) else { return Vec::new() };
    files.map(|file| file.unwrap().file_name().to_string_lossy().into_owned()).collect()
}

/// Rows at the target, without the header.
fn rows_loaded(project: &Project) -> usize {
    project.read("out/rows.csv").lines().count() - 1
}

fn run(project: &Project) -> Ended {
    project.sluicebox(&["run", "pipeline.toml", "--format", "json"])
}

/// A stage of a run.
fn stage<'a>(run: &'a Value, name: &str) -> &'a Value {
    run["stages"].as_array().unwrap().iter().find(|stage| stage["name"] == name).unwrap_or_else(|| panic!("{run}"))
}

/// What a fault tells people: what is wrong, and what to do.
fn told(fault: &Value) -> String {
    format!("{}\n{}", fault["message"].as_str().unwrap(), fault["help"].as_str().unwrap_or_default())
}

/// What nobody but the makers of sluicebox understands.
const JARGON: [&str; 9] =
    ["wasm trap", "wasmtime", "Error {", "Some(", "RuntimeError", "unwrap", "Refusal", "InvalidArgument", "\u{1b}"];

/// Runs a pipeline that has to fail at the stage `evil`; answers with its fault.
#[track_caller]
fn fails(project: &Project, kind: &str, call: &str, said: &[&str]) -> Value {
    let run = run(project).with_code(1).json();
    assert_eq!(run["state"], "failed", "{run}");
    assert_eq!(loaded(project), Vec::<String>::new(), "nothing stays at the target");
    let fault = &run["fault"];
    assert_eq!(
        (&fault["stage"], &fault["kind"], &fault["call"]),
        (&"evil".into(), &kind.into(), &call.into()),
        "{fault}"
    );
    let evil = stage(&run, "evil");
    assert_eq!((&evil["state"], &evil["fault"]), (&"failed".into(), fault), "the stage's own fault is the run's");
    let others = run["stages"].as_array().unwrap().iter().filter(|stage| stage["name"] != "evil");
    for other in others {
        assert_eq!(other["fault"], Value::Null, "no other stage is at fault");
    }
    let told = told(fault);
    for word in said {
        assert!(told.contains(word), "`{word}` is not said: {told}");
    }
    for word in JARGON {
        assert!(!told.contains(word), "`{word}` is said: {told}");
    }
    assert!(told.len() > 10 && told.len() < 20_000, "{} bytes: {told}", told.len());
    names_its_rows(fault, evil["outcome"]["rows-in"].as_u64().unwrap_or_default());
    names_its_limit(kind, &told);
    run["fault"].clone()
}

/// A call with a batch names it and its rows, which are some of those that the stage was given; a call without names none.
#[track_caller]
fn names_its_rows(fault: &Value, given: u64) {
    let rows: Option<Vec<u64>> =
        fault["rows"].as_array().map(|rows| rows.iter().map(|row| row.as_u64().unwrap()).collect());
    match fault["call"].as_str().unwrap() {
        "process" | "check" | "write" => {
            let Some([first, end]) = rows.as_deref() else { panic!("no rows are named: {fault}") };
            assert!(first < end && *end <= given, "rows of the {given} that it was given: {fault}");
            assert!(fault["batch"].is_u64(), "no batch is named: {fault}");
        }
        "finish" => assert_eq!((rows, &fault["batch"]), (None, &Value::Null), "`finish` is given no rows: {fault}"),
        _ => {}
    }
}

/// Where a limit was passed, it is said which: by its key, or by its number where no key changes it.
#[track_caller]
fn names_its_limit(kind: &str, told: &str) {
    let key = told.contains("raise `limits.") || told.contains("raise `deadline`");
    let number = told.contains(|c: char| c.is_ascii_digit());
    let is_named = match kind {
        "memory" | "timeout" | "deadline" => key && number,
        "limit" | "threshold" => number,
        _ => true,
    };
    assert!(is_named, "which limit is not said: {told}");
}

/// `check` and `run` refuse the pipeline, and no row moves.
#[track_caller]
fn refused_by_check(project: &Project, said: &[&str]) {
    for verb in ["check", "run"] {
        let ended = project.sluicebox(&[verb, "pipeline.toml", "--format", "json"]).with_code(2);
        let problems = ended.json()["problems"].clone();
        let [problem] = problems.as_array().unwrap().as_slice() else { panic!("{problems}") };
        let told =
            format!("{}\n{}", problem["message"].as_str().unwrap(), problem["help"].as_str().unwrap_or_default());
        for word in said {
            assert!(told.contains(word), "`{word}` is not said: {told}");
        }
        for word in JARGON {
            assert!(!told.contains(word), "`{word}` is said: {told}");
        }
        let text = project.read("pipeline.toml");
        let line = text.lines().nth(problem["line"].as_u64().unwrap() as usize - 1).unwrap();
        assert!(line.starts_with("config = ") || line.starts_with("plugin = "), "it points at `{line}`");
        assert_eq!(loaded(project), Vec::<String>::new());
        assert!(!project.has(".sluicebox"), "nothing ran");
    }
}

/// Runs a pipeline to its good end.
#[track_caller]
fn succeeds(project: &Project) -> Value {
    let ended = run(project).with_code(0);
    assert!(ended.stdout.len() < 1_000_000, "{} bytes", ended.stdout.len());
    let run = ended.json();
    assert_eq!((&run["state"], &run["fault"]), (&"succeeded".into(), &Value::Null));
    run
}

/// A guest that makes rows for ever is stopped by whoever watches it; nothing is loaded.
fn is_stopped(project: &Project) {
    let mut command = project.command(&["run", "pipeline.toml"]);
    let mut child = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
    let mut told = BufReader::new(child.stderr.take().unwrap());
    let mut line = String::new();
    while !line.contains("running") {
        line.clear();
        assert!(told.read_line(&mut line).unwrap() > 0, "it ended before it ran");
    }
    let pid = child.id().to_string();
    assert!(Command::new("kill").args(["-INT", &pid]).status().unwrap().success());
    std::io::copy(&mut told, &mut std::io::sink()).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(1));
    assert_eq!(loaded(project), Vec::<String>::new());
    let run = project.sluicebox(&["runs", "show", "last", "--format", "json"]).with_code(0).json();
    assert_eq!(run["state"], "cancelled");
}
