//! The host dies, and nothing is lost or doubled.

use sluicebox_tests::Project;
use sluicebox_tests::crash::{Crash, Left, Tally, orders, project, shown};
use std::fs;
use std::process::Stdio;

#[track_caller]
fn assert_same(project: &Project, wanted: &Left, when: &str) {
    assert_eq!(Left::of(project).differences(wanted), Vec::<String>::new(), "{when}");
}

/// The long form of these is `cargo xtask crash`.
#[test]
fn killed_at_every_event_the_next_start_makes_it_whole() {
    let mut tally = Tally::default();
    let events = Crash::new().at_boundaries(&mut tally);
    assert_eq!(tally.wrong, Vec::<String>::new());
    // queued, started, three stages begun and ended, judged and committing, two loads, the end: each before and after.
    assert!(events >= 12 && tally.boundaries >= 20, "{tally:?}");
    assert!(tally.told.len() >= 3, "before, in and after the commit: {tally:?}");
}

#[test]
fn killed_at_random_instants_the_next_start_makes_it_whole() {
    let mut tally = Tally::default();
    Crash::new().at_random(12, &mut tally);
    assert_eq!(tally.wrong, Vec::<String>::new());
    assert_eq!(tally.random, 12);
}

#[test]
fn a_second_host_is_refused_and_told_who_is_first() {
    let project = project();
    let state = project.path().join(".sluicebox");
    fs::create_dir_all(&state).unwrap();
    let holder = fs::File::create(state.join("run.lock")).unwrap();
    holder.lock().unwrap();
    fs::write(
        state.join("run.lock"),
        r#"{"process":4711,"since":"2026-01-02T03:04:05Z","what":"sluicebox run other.toml"}"#,
    )
    .unwrap();
    let refused = project.sluicebox(&["run", "orders.toml"]).with_code(2);
    assert!(
        refused.stderr.contains("process 4711 (sluicebox run other.toml), since 2026-01-02T03:04:05Z"),
        "{}",
        refused.stderr
    );
    assert!(refused.stderr.contains("--state DIR"), "{}", refused.stderr);
    assert!(shown(&project, "out/table").is_empty());
    // The lock of a process that is gone is free.
    drop(holder);
    project.sluicebox(&["run", "orders.toml"]).with_code(0);
}

#[test]
fn a_run_is_repeated_behind_what_is_kept() {
    let project = project();
    project.sluicebox(&["run", "orders.toml"]).with_code(0);
    let wanted = Left::of(&project);
    // The data is gone; what the extract gave is kept.
    fs::remove_dir_all(project.path().join("in")).unwrap();
    let again = project.sluicebox(&["rerun", "last", "--format", "json"]).with_code(0);
    assert!(again.stderr.contains("starts behind `read`: 3,000 rows kept of run"), "{}", again.stderr);
    let run = again.json();
    assert_eq!((run["state"].as_str(), run["trigger"].as_str()), (Some("succeeded"), Some("rerun")));
    assert_eq!(run["stages"][0]["state"], "skipped", "{run}");
    assert_same(&project, &wanted, "repeated: the rows are replaced by themselves");

    let one = project.sluicebox(&["rerun", "last", "--from", "table", "--format", "json"]).with_code(0).json();
    assert_eq!(one["stages"][2]["state"], "skipped", "{one}");
    assert_same(&project, &wanted, "repeated from one load");

    let wrong = project.sluicebox(&["rerun", "last", "--from", "tabel"]).with_code(2);
    assert!(wrong.stderr.contains("did you mean `table`?"), "{}", wrong.stderr);
    let none = project.sluicebox(&["rerun", "last", "--failed"]).with_code(2);
    assert!(none.stderr.contains("no stage of run"), "{}", none.stderr);
}

#[test]
fn bookmarks_are_shown_set_and_reset() {
    let project = project();
    project.sluicebox(&["run", "orders.toml"]).with_code(0);
    let saved = project.sluicebox(&["bookmarks", "show", "orders", "read"]).with_code(0).stdout;
    project.file("in/3.csv", orders(3_000, 3_010));
    project.sluicebox(&["run", "orders.toml"]).with_code(0);
    assert_eq!(shown(&project, "out/table").len(), 3_010);
    // Back to before the third file: its rows are read once more, and added.
    project.sluicebox(&["bookmarks", "set", "orders", "read", saved.trim()]).with_code(0);
    project.sluicebox(&["run", "orders.toml"]).with_code(0);
    assert_eq!(shown(&project, "out/table").len(), 3_020);
    let reset = project.sluicebox(&["bookmarks", "reset", "orders", "read"]).with_code(0);
    assert!(reset.stdout.contains("reads everything with the next run"), "{}", reset.stdout);
    project.sluicebox(&["bookmarks", "show", "orders", "read"]).with_code(2);
    let wrong = project.sluicebox(&["bookmarks", "reset", "orders", "raed"]).with_code(2);
    assert!(wrong.stderr.contains("did you mean `read`?"), "{}", wrong.stderr);
}

/// Rows without end.
const ENDLESS: &str = r#"
[pipeline]
name = "endless"

[[stage]]
name = "read"
plugin = "evil-extract"
config = { mode = "never-ends" }

[[stage]]
name = "out"
plugin = "load-csv"
grants.write = ["out"]
config = { path = "out/rows.csv" }
"#;

/// Starts the endless run and waits until its journal says that it runs.
fn started(project: &Project) -> std::process::Child {
    project.file("endless.toml", ENDLESS);
    let run = project.command(&["run", "endless.toml"]).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    let is_running = || {
        let runs = project.sluicebox(&["runs", "--format", "json"]);
        runs.code == Some(0) && runs.json()["runs"][0]["state"] == "running"
    };
    while !is_running() {}
    run
}

fn is_cancelled(project: &Project, mut run: std::process::Child) {
    assert_eq!(run.wait().unwrap().code(), Some(1));
    let record = project.sluicebox(&["runs", "show", "last", "--format", "json"]).with_code(0).json();
    assert_eq!(record["state"], "cancelled", "{record}");
    let left: Vec<_> = fs::read_dir(project.path().join("out")).unwrap().collect();
    assert!(left.is_empty(), "what it wrote is taken back: {left:?}");
}

#[test]
fn a_run_is_stopped_by_another_command() {
    let project = Project::new();
    let run = started(&project);
    let asked = project.sluicebox(&["cancel", "last"]).with_code(0);
    assert!(asked.stdout.contains("was asked to stop"), "{}", asked.stdout);
    is_cancelled(&project, run);
    let again = project.sluicebox(&["cancel", "last"]).with_code(2);
    assert!(again.stderr.contains("has ended already"), "{}", again.stderr);
}

#[test]
fn a_run_is_stopped_by_a_signal() {
    for signal in ["-TERM", "-INT"] {
        let project = Project::new();
        let run = started(&project);
        let sent = std::process::Command::new("kill").args([signal, &run.id().to_string()]).status().unwrap();
        assert!(sent.success());
        is_cancelled(&project, run);
    }
}

#[test]
fn a_run_that_nobody_is_at_is_not_stopped_but_finished() {
    let project = Project::new();
    let mut run = started(&project);
    run.kill().unwrap();
    run.wait().unwrap();
    let asked = project.sluicebox(&["cancel", "last"]).with_code(2);
    assert!(asked.stderr.contains("it was interrupted") && asked.stderr.contains("finishes it"), "{}", asked.stderr);
}
