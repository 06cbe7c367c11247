//! What authors expect of a run, and how long is kept what runs leave.

use serde_json::{Value, json};
use sluicebox_tests::{Ended, Project};
use std::fs;

fn pipeline(more: &str) -> String {
    format!(
        r#"
[pipeline]
name = "orders"
{more}
[[stage]]
name = "read"
plugin = "extract-csv"
grants.read = ["in"]
config = {{ path = "in/orders.csv" }}

[[stage]]
name = "out"
plugin = "load-csv"
grants.write = ["out"]
config = {{ path = "out/orders.csv" }}
"#
    )
}

fn orders(rows: u32) -> String {
    let rows: Vec<String> = (0..rows).map(|id| format!("{id},{}", id * 2)).collect();
    format!("id,price\n{}\n", rows.join("\n"))
}

fn project(more: &str, rows: u32) -> Project {
    let project = Project::new();
    project.file("orders.toml", pipeline(more)).file("in/orders.csv", orders(rows));
    project
}

fn run(project: &Project) -> Ended {
    project.sluicebox(&["run", "orders.toml"])
}

fn findings(project: &Project) -> Value {
    project.sluicebox(&["runs", "show", "last", "--format", "json"]).with_code(0).json()["findings"].clone()
}

#[test]
fn green_and_empty_is_told() {
    let project = project("", 0);
    let ended = run(&project).with_code(0);
    let warning = "warning: 0 rows are about to be loaded; at least 1 is expected";
    assert!(ended.stdout.contains(warning), "{}", ended.stdout);
    let shown = project.sluicebox(&["runs", "show", "last"]).with_code(0);
    assert!(shown.stdout.contains(warning), "{}", shown.stdout);
    let message = "0 rows are about to be loaded; at least 1 is expected";
    assert_eq!(findings(&project), json!([{ "monitor": "rows", "severity": "warn", "message": message }]));

    project.file("orders.toml", pipeline("[monitor]\nrows = { at-least = 0 }"));
    let ended = run(&project).with_code(0);
    assert!(!ended.stdout.contains("warning"), "{}", ended.stdout);
    assert_eq!(findings(&project), json!([]));
}

#[test]
fn too_few_rows_leave_the_target_as_it_is() {
    let project = project("[monitor]\nrows = { at-least = 5, severity = \"fail\" }", 10);
    run(&project).with_code(0);
    let before = project.read("out/orders.csv");
    project.file("in/orders.csv", orders(4));
    let ended = run(&project).with_code(1);
    assert!(ended.stdout.contains("4 rows are about to be loaded; at least 5 are expected"), "{}", ended.stdout);
    assert!(ended.stdout.contains("change `rows` under `[monitor]`"), "{}", ended.stdout);
    assert_eq!(project.read("out/orders.csv"), before);
    let left: Vec<_> =
        fs::read_dir(project.path().join("out")).unwrap().map(|file| file.unwrap().file_name()).collect();
    assert_eq!(left, ["orders.csv"], "what was prepared is taken back");
}

#[test]
fn a_change_is_held_against_the_runs_before() {
    let project = project("[monitor]\nrows = { change-at-most = \"50%\", severity = \"fail\" }", 100);
    run(&project).with_code(0);
    project.file("in/orders.csv", orders(120));
    run(&project).with_code(0);
    project.file("in/orders.csv", orders(33));
    let ended = run(&project).with_code(1);
    let told = "33 rows are 70 % fewer than 110, the median of the last 2 runs (at most 50 % is expected)";
    assert!(ended.stdout.contains(told), "{}", ended.stdout);
}

#[test]
fn columns_that_change_are_told_one_by_one() {
    let project = project("[monitor]\nschema = { locked = true, severity = \"fail\" }\nfresh-within = \"25h\"", 3);
    run(&project).with_code(0);
    project.file("in/orders.csv", "id,amount\nx1,5\nx2,6\n");
    let ended = run(&project).with_code(1);
    assert!(ended.stdout.contains("column `price` is gone"), "{}", ended.stdout);
    assert!(ended.stdout.contains("column `amount` was added"), "{}", ended.stdout);
    assert!(ended.stdout.contains("column `id` is now Utf8 (was Int64)"), "{}", ended.stdout);
    assert_eq!(findings(&project).as_array().unwrap().len(), 3);
    assert!(project.read("out/orders.csv").starts_with("id,price"));
    // Once without the lock, and the new columns are what the next run is held against.
    project.file("orders.toml", pipeline(""));
    run(&project).with_code(0);
    project.file("orders.toml", pipeline("[monitor]\nschema = \"locked\""));
    run(&project).with_code(0);
    assert_eq!(findings(&project), json!([]));
}

/// The runs of which checkpoints are kept.
fn kept(project: &Project) -> usize {
    let runs = fs::read_dir(project.path().join(".sluicebox/runs")).unwrap().map(Result::unwrap);
    runs.filter(|run| run.path().join("checkpoints").is_dir()).count()
}

#[test]
fn what_is_too_old_is_deleted() {
    let project = project("", 10);
    run(&project).with_code(0);
    run(&project).with_code(0);
    assert_eq!(kept(&project), 2, "they are young");
    project.file(".sluicebox/components/0000.wasm", "of a run that nobody remembers");
    project.file("sluicebox.toml", "[retention]\ncheckpoints = { days = 0 }\nruns = { days = 90 }\n");
    let ended = run(&project).with_code(0);
    assert!(!ended.stderr.contains("deleted"), "{}", ended.stderr);
    assert_eq!(kept(&project), 1, "that of the last run stays");
    assert!(!project.has(".sluicebox/components/0000.wasm"));
    project.sluicebox(&["rerun", "last"]).with_code(0);
    project.sluicebox(&["runs", "show", "last"]).with_code(0);
}

#[test]
fn settings_that_cannot_be_used_are_told_before_a_run_begins() {
    let project = project("", 10);
    project.file("sluicebox.toml", "[retention]\ncheckpoint = { days = 0 }\n");
    for verb in ["check", "run"] {
        let ended = project.sluicebox(&[verb, "orders.toml"]).with_code(2);
        assert!(ended.stderr.contains("unknown key `checkpoint`"), "{}", ended.stderr);
        assert!(ended.stderr.contains("sluicebox.toml:2:1"), "{}", ended.stderr);
        assert!(ended.stderr.contains("did you mean `checkpoints`?"), "{}", ended.stderr);
        let json = project.sluicebox(&[verb, "orders.toml", "--format", "json"]).with_code(2).json();
        let problem = &json["problems"][0];
        let place = (problem["file"].as_str(), problem["line"].as_u64(), problem["column"].as_u64());
        assert_eq!(place, (Some("sluicebox.toml"), Some(2), Some(1)), "{json}");
    }
    assert!(!project.has("out/orders.csv"), "nothing ran");
    project.file("sluicebox.toml", "this is = = none");
    let ended = run(&project).with_code(2);
    assert!(ended.stderr.contains("sluicebox.toml:1:"), "{}", ended.stderr);
}

#[test]
fn every_monitor_warns_or_fails_as_its_author_chose() {
    let cases = [
        ("rows", "rows = { at-least = 11, severity = \"SEVERITY\" }", orders(10), "at least 11 are expected"),
        ("rows", "rows = { at-most = 9, severity = \"SEVERITY\" }", orders(10), "at most 9 are expected"),
        (
            "change",
            "rows = { change-at-most = \"10%\", severity = \"SEVERITY\" }",
            orders(15),
            "15 rows are 50 % more than the 10 of the last run",
        ),
        (
            "fresh",
            "rows = { at-least = 0 }\nfresh-within = { within = \"1ms\", severity = \"SEVERITY\" }",
            orders(0),
            "no rows were loaded since",
        ),
        (
            "schema",
            "schema = { locked = true, severity = \"SEVERITY\" }",
            "id,price,note\nx1,5,new\n".to_owned(),
            "column `id` is now Utf8 (was Int64)",
        ),
        (
            "schema",
            "schema = { locked = true, severity = \"SEVERITY\" }",
            "id\n1\n".to_owned(),
            "column `price` is gone",
        ),
        (
            "schema",
            "schema = { locked = true, severity = \"SEVERITY\" }",
            "id,price,note\n1,5,new\n".to_owned(),
            "column `note` was added (Utf8)",
        ),
    ];
    for (monitor, keys, rows, told) in cases {
        for (severity, code) in [("warn", 0), ("fail", 1)] {
            let project = project("", 10);
            run(&project).with_code(0);
            let before = project.read("out/orders.csv");
            let keys = keys.replace("SEVERITY", severity);
            project.file("orders.toml", pipeline(&format!("[monitor]\n{keys}"))).file("in/orders.csv", &rows);
            let ended = run(&project).with_code(code);
            let line = ended.stdout.lines().find(|line| line.contains(told));
            let line = line.unwrap_or_else(|| panic!("{keys}: `{told}` is not said: {}", ended.stdout));
            assert_eq!(line.starts_with("warning: "), severity == "warn", "{line}");
            let findings = findings(&project);
            let mine: Vec<&Value> =
                findings.as_array().unwrap().iter().filter(|finding| finding["monitor"] == monitor).collect();
            assert!(!mine.is_empty() && mine.iter().all(|finding| finding["severity"] == severity), "{findings}");
            assert_eq!(project.read("out/orders.csv") == before, severity == "fail" || monitor == "rows", "{keys}");
        }
    }
}

#[test]
fn a_pipeline_that_never_loaded_is_not_fresh() {
    let project = project("[monitor]\nrows = { at-least = 0 }\nfresh-within = \"25h\"", 0);
    let ended = run(&project).with_code(0);
    let told = "warning: no rows were ever loaded; the pipeline expects them within 25h";
    assert!(ended.stdout.contains(told), "{}", ended.stdout);
    project.file("in/orders.csv", orders(1));
    assert!(!run(&project).with_code(0).stdout.contains("warning"));
}
