//! Every kind of bad pipeline file is told so that its author knows what to write instead.

use sluicebox_tests::{Ended, Project, root};
use std::fs;
use std::path::{Path, PathBuf};

fn files(folder: &str) -> Vec<PathBuf> {
    let mut files: Vec<PathBuf> =
        fs::read_dir(root().join(folder)).unwrap().map(|entry| entry.unwrap().path()).collect();
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

/// What `check` says, with the code that it has to end with.
fn checked(name: &str, project: &Project, code: i32) -> Ended {
    // Without the plugins that misbehave on purpose: one of them takes its time to say nothing.
    let checked = project.command(&["check", "pipeline.toml"]).env_remove("SLUICEBOX_PLUGINS").output().unwrap();
    let checked = Ended::from(checked);
    assert_eq!(checked.code, Some(code), "{name}:\n{}\n{}", checked.stdout, checked.stderr);
    checked
}

fn is_told(name: &str, told: &str) {
    insta::with_settings!({
        snapshot_path => "../bad-pipelines/told",
        prepend_module_to_snapshot => false,
        omit_expression => true,
    }, {
        insta::assert_snapshot!(name, told);
    });
}

/// Runs each, and complains only when all were tried.
fn all<T>(items: impl IntoIterator<Item = T>, name: impl Fn(&T) -> String, test: impl Fn(&str, &T)) {
    let try_one = |item: &T| {
        let name = name(item);
        let tried = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| test(&name, item)));
        tried.is_err().then_some(name)
    };
    let wrong: Vec<String> = items.into_iter().filter_map(|item| try_one(&item)).collect();
    assert!(wrong.is_empty(), "not told as they should be: {wrong:?}");
}

fn stem(path: &Path) -> String {
    path.file_stem().unwrap().to_string_lossy().into_owned()
}

#[test]
fn bad_pipelines_are_told_in_full() {
    let files = files("tests/bad-pipelines");
    assert!(files.len() >= 130, "{} bad pipelines", files.len());
    all(
        files,
        |path| stem(path),
        |name, path| {
            let project = project(&fs::read_to_string(path).unwrap());
            let checked = checked(name, &project, 2);
            assert_eq!(checked.stdout, "", "{name}");
            is_told(name, &project.normalise(&checked.stderr));
        },
    );
}

/// What can run but is hardly meant so.
#[test]
fn odd_pipelines_are_warned_of() {
    all(
        files("tests/bad-pipelines/warned"),
        |path| stem(path),
        |name, path| {
            let project = project(&fs::read_to_string(path).unwrap());
            let told = checked(name, &project, 0).stderr;
            assert!(told.contains("warning"), "{name}: {told}");
            is_told(name, &project.normalise(&told));
        },
    );
}

/// Every snapshot belongs to a file or a test that is still there.
#[test]
fn no_snapshot_is_left_over() {
    let known: Vec<String> = ["tests/bad-pipelines", "tests/bad-pipelines/warned"]
        .iter()
        .flat_map(|folder| files(folder))
        .map(|path| stem(&path))
        .collect();
    let told = fs::read_dir(root().join("tests/bad-pipelines/told")).unwrap().map(|entry| entry.unwrap().path());
    let left: Vec<String> = told
        .filter(|path| path.extension().is_some_and(|extension| extension == "snap"))
        .map(|path| stem(&path))
        .filter(|name| !known.contains(name) && !name.starts_with("no-pipeline-file-"))
        .collect();
    assert!(left.is_empty(), "{left:?}");
}

/// What is named in place of a pipeline file.
#[test]
fn what_is_no_pipeline_file_is_told() {
    let project = Project::new();
    project.file("data/orders.csv", "order,day\n1001,2026-01-05\n");
    project.file("latin-1.toml", b"[pipeline]\nname = 'caf\xe9'\n");
    project.file("utf-16.toml", b"\xff\xfe[\0p\0i\0p\0e\0l\0i\0n\0e\0]\0");
    project.file("nul.toml", b"[pipeline]\nname = 'a\0b'\n");
    let large = std::fs::File::create(project.path().join("large.toml")).unwrap();
    large.set_len(1 << 30).unwrap();
    let cases = [
        ("missing", "pipelin.toml"),
        ("folder", "data"),
        ("data", "data/orders.csv"),
        ("latin-1", "latin-1.toml"),
        ("utf-16", "utf-16.toml"),
        ("nul", "nul.toml"),
        ("large", "large.toml"),
    ];
    all(
        cases,
        |(name, _)| format!("no-pipeline-file-{name}"),
        |name, (_, file)| {
            for verb in ["check", "run"] {
                let ended = project.sluicebox(&[verb, file]);
                assert_eq!(ended.code, Some(2), "{name}: {}\n{}", ended.stdout, ended.stderr);
                is_told(name, &project.normalise(&ended.stderr));
            }
        },
    );
}

/// A byte order mark, CRLF and comments with any characters are no mistakes.
#[test]
fn a_file_that_was_edited_on_windows_is_read() {
    let text = "\u{feff}# Aufträge ✓\r\n[pipeline]\r\nname = \"orders\"\r\n\r\n[[stage]]\r\nname = \"read\"\r\n\
                plugin = \"extract-csv\"\r\ngrants.read = [\"data\"]\r\nconfig.path = \"data/orders.csv\"\r\n\r\n\
                [[stage]]\r\nname = \"out\"\r\nplugin = \"load-csv\"\r\ngrants.write = [\"out\"]\r\n\
                config.path = \"out/orders.csv\"\r\n";
    checked("windows", &project(text), 0);
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

/// A file that is something else is told in one message, not as TOML that is wrong in every line.
#[test]
fn a_file_of_another_format_is_told_once() {
    let project = Project::new();
    project
        .file("orders.yaml", "pipeline:\n  name: orders\nstages:\n  - name: read\n")
        .file("orders.json", "{\n  \"pipeline\": { \"name\": \"orders\" }\n}\n")
        .file("orders.csv", "id,price\n1,10\n2,20\n");
    for (file, what) in [("orders.yaml", "YAML"), ("orders.json", "JSON"), ("orders.csv", "a table of data (CSV)")] {
        for verb in ["check", "run"] {
            let ended = project.sluicebox(&[verb, file]).with_code(2);
            assert!(
                ended.stderr.contains(&format!("error: {file} is {what}, not a pipeline file")),
                "{}",
                ended.stderr
            );
            assert!(ended.stderr.contains("a pipeline is declared in TOML"), "{}", ended.stderr);
            assert_eq!(ended.stderr.matches("error:").count(), 1, "{}", ended.stderr);
        }
    }
}
