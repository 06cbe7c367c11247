//! Every kind of bad pipeline file is told so that its author knows what to write instead.

use sluicebox_tests::{Ended, Project, root};
use std::fs;
use std::path::PathBuf;

fn bad_files() -> Vec<PathBuf> {
    let mut files: Vec<PathBuf> =
        fs::read_dir(root().join("tests/bad-pipelines")).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.retain(|path| path.extension().is_some_and(|extension| extension == "toml"));
    files.sort();
    files
}

/// A project with the data that the bad files mean.
fn project(text: &str) -> Project {
    let project = Project::new();
    let orders = root().join("host/app/src/cli/init/orders.csv");
    let orders = fs::read_to_string(orders).unwrap();
    project.file("data/orders.csv", &orders).file("secret/orders.csv", &orders).file("pipeline.toml", text);
    project
}

#[test]
fn bad_pipelines_are_told_in_full() {
    let files = bad_files();
    assert!(files.len() >= 40, "{} bad pipelines", files.len());
    for path in files {
        let name = path.file_stem().unwrap().to_string_lossy().into_owned();
        let project = project(&fs::read_to_string(&path).unwrap());
        // Without the plugins that misbehave on purpose: one of them takes its time to say nothing.
        let checked = project.command(&["check", "pipeline.toml"]).env_remove("SLUICEBOX_PLUGINS").output().unwrap();
        let checked = Ended::from(checked);
        assert_eq!(checked.code, Some(2), "{name}:\n{}\n{}", checked.stdout, checked.stderr);
        assert_eq!(checked.stdout, "", "{name}");
        insta::with_settings!({
            snapshot_path => "../bad-pipelines/told",
            prepend_module_to_snapshot => false,
            omit_expression => true,
        }, {
            insta::assert_snapshot!(name.as_str(), project.normalise(&checked.stderr));
        });
    }
}

/// What `check` finds keeps `run` from moving a row; the same problems, as JSON, with their places.
#[test]
fn a_bad_pipeline_does_not_run() {
    let text = fs::read_to_string(root().join("tests/bad-pipelines/everything-at-once.toml")).unwrap();
    let project = project(&text);
    let checked = project.sluicebox(&["check", "pipeline.toml", "--format", "json"]).with_code(2).json();
    let run = project.sluicebox(&["run", "pipeline.toml", "--format", "json"]).with_code(2).json();
    assert_eq!(checked["sound"], false);
    assert_eq!(checked["problems"], run["problems"]);
    assert_eq!(run["state"], serde_json::Value::Null);
    assert!(!project.has("out/orders.csv") && !project.has(".sluicebox"));
    for problem in checked["problems"].as_array().unwrap() {
        assert!(problem["line"].as_u64().unwrap() >= 1 && problem["column"].as_u64().unwrap() >= 1, "{problem}");
        assert!(!problem["message"].as_str().unwrap().is_empty());
    }
    insta::assert_snapshot!("problems", format!("{:#}", checked["problems"]));
}

/// Secrets stand nowhere: not in problems, logs, events or tables.
#[test]
fn filled_in_values_are_never_shown() {
    let project = project(
        r#"
[pipeline]
name = "secret"

[[stage]]
name = "read"
plugin = "extract-csv"
grants.read = ["data"]
config = { path = "data/${env:SLUICEBOX_TEST_SECRET}.csv" }

[[stage]]
name = "out"
plugin = "load-csv"
grants.write = ["out"]
config = { path = "out/orders.csv" }
"#,
    );
    for arguments in [["check", "pipeline.toml"], ["run", "pipeline.toml"]] {
        let output = project.command(&arguments).env("SLUICEBOX_TEST_SECRET", "hunter2hunter2").output().unwrap();
        let shown = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        assert_eq!(output.status.code(), Some(2), "{shown}");
        assert!(!shown.contains("hunter2hunter2"), "{shown}");
        assert!(shown.contains("***"), "{shown}");
    }
}
