//! The command line: its help, the shapes of its JSON, and what a user meets first.

use serde_json::Value;
use sluicebox_tests::{Project, root};
use std::fs;

const COMMANDS: &[&[&str]] = &[
    &[],
    &["run"],
    &["check"],
    &["backfill"],
    &["rerun"],
    &["replay"],
    &["serve"],
    &["schedule"],
    &["pause"],
    &["resume"],
    &["docs"],
    &["init"],
    &["runs"],
    &["runs", "list"],
    &["runs", "show"],
    &["runs", "resolve"],
    &["quarantine", "list"],
    &["quarantine", "show"],
    &["quarantine", "export"],
    &["quarantine", "replay"],
    &["quarantine", "drop"],
    &["bookmarks"],
    &["bookmarks", "list"],
    &["bookmarks", "show"],
    &["bookmarks", "set"],
    &["bookmarks", "reset"],
    &["cancel"],
    &["logs"],
    &["plugins"],
    &["plugins", "list"],
    &["plugins", "show"],
    &["plugins", "add"],
    &["plugins", "remove"],
    &["plugins", "lock"],
    &["plugins", "verify"],
    &["plugin"],
    &["plugin", "new"],
    &["plugin", "build"],
    &["plugin", "test"],
    &["plugin", "bench"],
    &["plugin", "dev"],
    &["graph"],
    &["schema"],
    &["completions"],
];

/// `docs/cli.md` is what the program says of itself. Written anew with `INSTA_UPDATE=always`.
#[test]
fn the_page_of_commands_is_the_help() {
    let project = Project::new();
    let mut page = String::from(
        "# Commands\n\nThis page is what `--help` says of every command; a test keeps it so. Exit codes: 0 done, 1 the run failed, \
         2 the\npipeline or the command is wrong.\n",
    );
    for command in COMMANDS {
        let arguments: Vec<&str> = command.iter().copied().chain(["--help"]).collect();
        let help = project.sluicebox(&arguments).with_code(0).stdout;
        let lines: Vec<&str> = help.lines().map(str::trim_end).collect();
        let title = ["sluicebox"].into_iter().chain(command.iter().copied()).collect::<Vec<_>>().join(" ");
        page.push_str(&format!("\n## {title}\n\n```text\n{}\n```\n", lines.join("\n").trim_end()));
    }
    let path = root().join("docs/cli.md");
    if std::env::var("INSTA_UPDATE").is_ok_and(|update| update == "always") {
        fs::write(&path, &page).unwrap();
    }
    let there = fs::read_to_string(&path).unwrap_or_default();
    assert!(there == page, "docs/cli.md is not what --help says; write it anew with INSTA_UPDATE=always");
}

/// What `init` makes runs at once, and sets aside the two wrong orders.
#[test]
fn a_first_project_runs() {
    let project = Project::new();
    project.sluicebox(&["init", "mine"]).with_code(0);
    project.sluicebox(&["init", "mine"]).with_code(2);
    project.sluicebox(&["check", "mine/pipeline.toml"]).with_code(0);
    let run = project.sluicebox(&["run", "mine/pipeline.toml"]).with_code(0);
    assert!(run.stdout.contains("8 rows loaded, 2 rejected"), "{}", run.stdout);
    let loaded = project.read("mine/out/orders.csv");
    assert_eq!(loaded.lines().count(), 9, "{loaded}");
    assert!(loaded.contains("total"), "{loaded}");
    let state = ["--state", "mine/.sluicebox"];
    let shown = project.sluicebox(&[&["quarantine", "show", "last"][..], &state].concat()).with_code(0).stdout;
    assert!(shown.contains("2 rows"), "{shown}");
    project.sluicebox(&[&["runs", "show", "last"][..], &state].concat()).with_code(0);
    project.sluicebox(&[&["logs", "last", "read"][..], &state].concat()).with_code(0);
    // In the project's own folder nothing has to be named.
    let inside = project.command(&["runs"]).current_dir(project.path().join("mine")).output().unwrap();
    assert!(inside.status.success());
}

/// Each answer in JSON is one document of a documented shape.
#[test]
fn shapes_of_json() {
    let project = Project::flights();
    let shape = |name: &str, arguments: &[&str]| {
        let arguments: Vec<&str> = arguments.iter().copied().chain(["--format", "json"]).collect();
        let answer = project.sluicebox(&arguments).with_code(0).json();
        insta::assert_snapshot!(format!("shape-{name}"), shape_of(&answer, 0));
    };
    shape("check", &["check", "flights.toml"]);
    shape("run", &["run", "flights.toml"]);
    shape("run-compared", &["run", "flights.toml"]);
    shape("runs-list", &["runs", "list"]);
    shape("runs-show", &["runs", "show", "last"]);
    shape("quarantine-show", &["quarantine", "show", "last", "--limit", "3"]);
    shape("logs", &["logs", "last"]);
    shape("plugins-list", &["plugins", "list"]);
    shape("plugins-show", &["plugins", "show", "transform-lookup"]);
    shape("graph", &["graph", "flights.toml"]);
    shape("init", &["init", "elsewhere"]);
}

/// The keys of a document and the types of its values, without the values; of a list, the first item.
fn shape_of(value: &Value, depth: usize) -> String {
    let indent = "  ".repeat(depth + 1);
    match value {
        Value::Null => "null".to_owned(),
        Value::Bool(_) => "true or false".to_owned(),
        Value::Number(number) if number.is_f64() => "number".to_owned(),
        Value::Number(_) => "whole number".to_owned(),
        Value::String(_) => "text".to_owned(),
        Value::Array(items) => match items.first() {
            Some(item) => format!("list of {}", shape_of(item, depth)),
            None => "empty list".to_owned(),
        },
        Value::Object(entries) => {
            let lines: Vec<String> =
                entries.iter().map(|(key, value)| format!("{indent}{key}: {}\n", shape_of(value, depth + 1))).collect();
            format!("{{\n{}{}}}", lines.concat(), "  ".repeat(depth))
        }
    }
}

#[test]
fn a_graph_in_text_and_mermaid() {
    let project = Project::flights();
    insta::assert_snapshot!("graph-text", project.sluicebox(&["graph", "flights.toml"]).with_code(0).stdout);
    insta::assert_snapshot!(
        "graph-mermaid",
        project.sluicebox(&["graph", "flights.toml", "--mermaid"]).with_code(0).stdout
    );
}

/// What is wrong with a command is told with what to do instead.
#[test]
fn wrong_commands() {
    let project = Project::flights();
    project.file("binary.toml", [0xff, 0xfe, 0x00]);
    let mut told = String::new();
    for arguments in [
        &["run", "flight.toml"][..],
        &["run", "binary.toml"],
        &["runs"],
        &["runs", "show", "last", "--state", "nowhere"],
        &["plugins", "show", "extract-cvs"],
        &["run", "flights.toml", "--interval", "2026-01-02..2026-01-01"],
        &["run", "flights.toml", "--interval", "yesterday"],
        &["chekc"],
    ] {
        let ended = project.sluicebox(arguments).with_code(2);
        told.push_str(&format!("$ sluicebox {}\n{}\n", arguments.join(" "), project.normalise(&ended.stderr)));
    }
    project.sluicebox(&["run", "flights.toml"]).with_code(0);
    for arguments in
        [&["runs", "show", "zzzz"][..], &["logs", "last", "chekc"], &["quarantine", "show", "last", "--stage", "raed"]]
    {
        let ended = project.sluicebox(arguments).with_code(2);
        told.push_str(&format!("$ sluicebox {}\n{}\n", arguments.join(" "), project.normalise(&ended.stderr)));
    }
    insta::assert_snapshot!("wrong-commands", told);
}

/// The schema for editors accepts the examples and refuses what `check` refuses.
#[test]
fn the_schema_of_the_file_knows_the_plugins() {
    let project = Project::flights();
    let schema = project.sluicebox(&["schema"]).with_code(0).json();
    let stage = &schema["properties"]["stage"]["items"];
    assert_eq!(stage["additionalProperties"], false);
    let plugins: Vec<&str> = stage["allOf"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|choice| choice["if"]["properties"]["plugin"]["const"].as_str())
        .collect();
    assert!(plugins.contains(&"extract-csv") && plugins.contains(&"load-parquet"), "{plugins:?}");
}

#[test]
fn completions_for_every_shell() {
    let project = Project::new();
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let script = project.sluicebox(&["completions", shell]).with_code(0).stdout;
        assert!(script.contains("quarantine"), "{shell}");
    }
}

/// Plain lines while it runs, on standard error; the table on standard output.
#[test]
fn a_run_tells_what_it_did() {
    let project = Project::flights();
    let run = project.sluicebox(&["run", "flights.toml"]).with_code(0);
    for stage in ["read", "carriers", "check", "named", "speed", "out"] {
        assert!(run.stdout.lines().any(|line| line.trim_start().starts_with(stage)), "{stage}:\n{}", run.stdout);
    }
    assert!(run.stdout.contains("out/flights.parquet"), "{}", run.stdout);
    assert!(!run.stdout.contains('\u{1b}') && !run.stderr.contains('\u{1b}'));
    assert!(run.stderr.contains("running 6 stages"), "{}", run.stderr);
}
