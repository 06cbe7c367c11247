//! What the documents show is what the program does.

use crate::plugin_projects::sluicebox;
use sluicebox_tests::{Project, root};
use std::fs;
use std::path::PathBuf;
use std::process::Command;

fn documents() -> Vec<PathBuf> {
    let mut found = vec![root().join("README.md")];
    found.extend(fs::read_dir(root().join("docs")).unwrap().map(|entry| entry.unwrap().path()));
    found.retain(|path| path.extension().is_some_and(|extension| extension == "md"));
    found.sort();
    found
}

/// The fenced blocks of a document in one language.
fn blocks(text: &str, language: &str) -> Vec<String> {
    let mut blocks = Vec::new();
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        if line.trim_end() == format!("```{language}") {
            blocks.push(lines.by_ref().take_while(|line| line.trim_end() != "```").fold(
                String::new(),
                |mut all, line| {
                    all.push_str(line);
                    all.push('\n');
                    all
                },
            ));
        }
    }
    blocks
}

/// Every pipeline that a document shows runs on the sample data.
#[test]
fn pipelines_in_documents_run() {
    let mut seen = 0;
    for path in documents() {
        let text = fs::read_to_string(&path).unwrap();
        for block in blocks(&text, "toml").into_iter().filter(|block| block.contains("[pipeline]")) {
            // A story of its own, below.
            if path.ends_with("docs/when-things-go-wrong.md") {
                continue;
            }
            seen += 1;
            let project = Project::flights();
            project.file("shown.toml", &block);
            let run = project.sluicebox(&["run", "shown.toml"]);
            assert_eq!(run.code, Some(0), "{}:\n{block}\n{}\n{}", path.display(), run.stdout, run.stderr);
        }
    }
    assert!(seen >= 2, "{seen} pipelines in the documents");
}

/// The story of a failed run and its second life, command by command.
#[test]
fn the_story_of_a_failure_is_as_it_is_told() {
    let text = fs::read_to_string(root().join("docs/when-things-go-wrong.md")).unwrap();
    let project = Project::new();
    project.file("orders.toml", &blocks(&text, "toml")[0]).file("in/1.csv", &blocks(&text, "csv")[0]);
    let commands: Vec<String> = blocks(&text, "console").concat().lines().map(str::to_owned).collect();
    let mut codes = Vec::new();
    let mut told = Vec::new();
    for command in &commands {
        let words: Vec<&str> = command.trim_start_matches("$ ").split_whitespace().collect();
        if words[0] == "sed" {
            let before = project.read("orders.toml");
            let line = command.trim_start_matches("$ ");
            let sed = Command::new("sh").args(["-c", line]).current_dir(project.path()).status().unwrap();
            assert!(sed.success() && project.read("orders.toml") != before, "{command}");
            continue;
        }
        assert_eq!(words[0], "sluicebox", "{command}");
        let ended = project.sluicebox(&words[1..]);
        codes.push(ended.code.unwrap());
        told.push(format!("{}{}", ended.stdout, ended.stderr));
    }
    // run, replay, rerun, quarantine show and list, quarantine replay and list, bookmarks and bookmarks show
    assert_eq!(codes, [1, 1, 0, 0, 0, 0, 0, 0, 0], "{told:#?}");
    assert!(told[0].contains("stage `cents`") && told[0].contains("cheap"), "{}", told[0]);
    assert!(told[1].contains("it failed as it did in the run"), "{}", told[1]);
    assert!(project.read("seen-by-cents.csv").contains("3,grace,cheap"));
    assert!(told[2].contains("starts behind `read`: 3 rows kept of run"), "{}", told[2]);
    assert!(told[3].contains("customer"), "{}", told[3]);
    assert_eq!(told[4].matches("orders").count(), 1, "only in the rerun: {}", told[4]);
    assert_eq!(told[6], "nothing is set aside\n");
    let folder = fs::read_dir(project.path().join("out/orders")).unwrap().map(|file| file.unwrap().path());
    let files = folder.filter(|path| path.extension().is_some_and(|extension| extension == "csv"));
    let mut loaded: Vec<String> = files.map(|path| fs::read_to_string(path).unwrap()).collect();
    loaded.sort();
    let head = "id,customer,price,cents\n";
    assert_eq!(loaded, [format!("{head}1,ada,10,1000\n3,grace,cheap,\n"), format!("{head}2,,20,2000\n")]);
}

/// From nothing to a Python stage in a pipeline, command by command.
#[test]
fn the_page_of_plugins_leads_to_a_stage() {
    let text = fs::read_to_string(root().join("docs/plugins.md")).unwrap();
    let project = Project::new();
    let console = blocks(&text, "console");
    let stage = &blocks(&text, "python")[0];
    let shown = blocks(&text, "text").concat();
    let mut codes = Vec::new();
    let mut told = Vec::new();
    let mut folder = "";
    for (at, block) in console.iter().enumerate() {
        if at == 1 {
            project.file("speed/stage.py", stage);
        }
        for command in block.lines() {
            let words: Vec<&str> = command.trim_start_matches("$ ").split_whitespace().collect();
            match words.as_slice() {
                ["cd", to] => folder = to,
                ["sluicebox", arguments @ ..] => {
                    let ended = sluicebox(&project, folder, arguments);
                    codes.push(ended.code.unwrap());
                    told.push(format!("{}{}", ended.stdout, ended.stderr));
                }
                other => panic!("{other:?}"),
            }
        }
    }
    // new, test, run, test of what was changed, test --update, run, plugins add
    assert_eq!(codes, [0, 0, 0, 1, 0, 0, 0], "{told:#?}");
    for line in shown.lines() {
        assert!(told[3].lines().any(|told| told.trim_end() == line), "{line:?} is not in {}", told[3]);
    }
    assert!(project.read("speed/out/sample.csv").contains("JFK,MIA,1089,160,408.375"), "{}", told[5]);
    assert!(project.has("house/plugins/speed.wasm"), "{}", told[6]);
}

/// The cases that the page of plugins shows pass: they are those of the example that it speaks of.
#[test]
fn the_cases_of_the_page_of_plugins_pass() {
    let text = fs::read_to_string(root().join("docs/plugins.md")).unwrap();
    let shown: Vec<String> = blocks(&text, "toml").into_iter().filter(|block| block.contains("[[case]]")).collect();
    assert_eq!(shown.len(), 1);
    let project = Project::new();
    crate::plugin_projects::copy(&root().join("examples/plugins/rust/join-text"), &project.path().join("join-text"));
    project.file("join-text/tests/cases.toml", &shown[0]);
    let tested = sluicebox(&project, "join-text", &["plugin", "test", "--cases-only", "--yes"]).with_code(0).stdout;
    assert!(tested.ends_with("2 cases passed\n"), "{tested}");
}

/// Every pipeline in `examples/` runs.
#[test]
fn examples_run() {
    let mut seen = 0;
    for folder in fs::read_dir(root().join("examples")).unwrap() {
        let folder = folder.unwrap().path();
        // Pipelines that follow each other: see site.rs.
        if folder.ends_with("warehouse") {
            continue;
        }
        for file in fs::read_dir(&folder).unwrap() {
            let file = file.unwrap().path();
            if file.extension().is_none_or(|extension| extension != "toml") {
                continue;
            }
            seen += 1;
            let project = Project::new();
            copy(&folder, project.path());
            let name = file.file_name().unwrap().to_string_lossy().into_owned();
            project.sluicebox(&["run", &name]).with_code(0);
        }
    }
    assert!(seen > 0, "no examples");
}

/// Copies what belongs to an example, not what a run of it left.
fn copy(from: &std::path::Path, to: &std::path::Path) {
    for entry in fs::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap();
        if name == "out" || name == ".sluicebox" {
            continue;
        }
        if path.is_dir() {
            fs::create_dir_all(to.join(name)).unwrap();
            copy(&path, &to.join(name));
        } else {
            fs::copy(&path, to.join(name)).unwrap();
        }
    }
}

/// No document leads nowhere.
#[test]
fn links_between_documents_hold() {
    let mut all = documents();
    all.extend(["ARCHITECTURE.md", "GLOSSARY.md", "CHANGELOG.md"].map(|name| root().join(name)));
    for path in all {
        let text = fs::read_to_string(&path).unwrap();
        for link in text.split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
            let file = link.split('#').next().unwrap();
            if file.is_empty() || file.contains("://") {
                continue;
            }
            let target = path.parent().unwrap().join(file);
            assert!(target.exists(), "{} links to {link}, which is not there", path.display());
        }
    }
}
