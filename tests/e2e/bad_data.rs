//! Every kind of bad data is told so that whoever owns the data knows what is wrong, where, and what to do.

use serde_json::Value;
use sluicebox_tests::Project;
use std::fs;

mod csv;
mod jsonl;
mod odd;
mod stages;

/// Data that cannot be worked on: what stands in the project, and the stages above the load.
struct Case {
    name: &'static str,
    files: Vec<(&'static str, Vec<u8>)>,
    stages: String,
}

/// A stage that reads; `config` holds its options beside `path`, or with it.
fn read(name: &str, plugin: &str, path: &str, config: &str) -> String {
    let path = if config.contains("path = ") { String::new() } else { format!("path = '{path}'") };
    let parted = if path.is_empty() || config.is_empty() { "" } else { ", " };
    format!(
        "[[stage]]\nname = '{name}'\nplugin = '{plugin}'\ngrants.read = ['data']\nconfig = {{ {path}{parted}{config} }}\n\n"
    )
}

fn csv(name: &'static str, content: &[u8], config: &str) -> Case {
    let path = "data/rows.csv";
    Case { name, files: vec![(path, content.to_vec())], stages: read("read", "extract-csv", path, config) }
}

fn json(name: &'static str, content: &[u8], config: &str) -> Case {
    let path = "data/rows.jsonl";
    Case { name, files: vec![(path, content.to_vec())], stages: read("read", "extract-jsonl", path, config) }
}

impl Case {
    /// Another file beside.
    fn file(mut self, name: &'static str, content: &[u8]) -> Self {
        self.files.push((name, content.to_vec()));
        self
    }

    /// Another stage behind.
    fn stage(mut self, text: &str) -> Self {
        self.stages += &format!("[[stage]]\n{text}\n\n");
        self
    }

    fn project(&self) -> Project {
        let project = Project::new();
        for (name, content) in &self.files {
            project.file(name, content);
        }
        let out =
            "[[stage]]\nname = 'out'\nplugin = 'load-csv'\ngrants.write = ['out']\nconfig.path = 'out/rows.csv'\n";
        project.file("pipeline.toml", format!("[pipeline]\nname = 'bad-data'\n\n{}{out}", self.stages));
        project
    }
}

/// What is told of each, held by a snapshot; nothing is loaded. All are tried before the first is complained of.
fn are_told(cases: &[Case]) {
    let told = |case: &&Case| std::panic::catch_unwind(|| is_told(case.name, &case.project())).is_err();
    let wrong: Vec<&str> = cases.iter().filter(told).map(|case| case.name).collect();
    assert!(wrong.is_empty(), "not told as they should be: {wrong:?}");
}

fn is_told(name: &str, project: &Project) {
    let ended = project.sluicebox(&["run", "pipeline.toml"]);
    assert!(matches!(ended.code, Some(1 | 2)), "{name}:\n{}\n{}", ended.stdout, ended.stderr);
    assert!(!project.has("out/rows.csv"), "{name} was loaded");
    // Found as the source was opened: a report that points into the file. Found while rows moved: the run's fault.
    let told = if ended.code == Some(2) {
        ended.stderr
    } else {
        let run = project.sluicebox(&["runs", "show", "last", "--format", "json"]).with_code(0).json();
        let fault = &run["fault"];
        let line = |key: &str| match &fault[key] {
            Value::Null => String::new(),
            Value::String(text) => format!("{key}: {text}\n"),
            value => format!("{key}: {value}\n"),
        };
        ["stage", "call", "kind", "rows", "message", "help"].map(line).concat()
    };
    insta::with_settings!({
        snapshot_path => "../bad-data",
        prepend_module_to_snapshot => false,
        omit_expression => true,
    }, {
        insta::assert_snapshot!(name, project.normalise(&told));
    });
}

/// The rows of the load, with their header.
fn loads(case: &Case) -> String {
    let project = case.project();
    project.sluicebox(&["run", "pipeline.toml"]).with_code(0);
    project.read("out/rows.csv")
}

#[test]
fn there_are_many_kinds() {
    let folder = sluicebox_tests::root().join("tests/bad-data");
    let kinds = fs::read_dir(folder).unwrap().filter(|entry| {
        entry.as_ref().is_ok_and(|entry| entry.path().extension().is_some_and(|extension| extension == "snap"))
    });
    assert!(kinds.count() >= 80);
}
