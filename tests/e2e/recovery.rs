//! The host dies, and nothing is lost or doubled.

use sluicebox_tests::{Ended, Project};
use std::collections::BTreeMap;
use std::fs;
use std::process::Stdio;
use std::time::{Duration, Instant, SystemTime};

/// Two loads behind an extract that gives only new files.
const PIPELINE: &str = r#"
[pipeline]
name = "orders"

[[stage]]
name = "read"
plugin = "extract-csv"
grants.read = ["in"]
config = { path = "in/*.csv", incremental = "new-files" }

[[stage]]
name = "table"
plugin = "load-csv"
inputs = ["read"]
grants.write = ["out"]
config = { path = "out/table", mode = "append" }

[[stage]]
name = "lines"
plugin = "load-jsonl"
inputs = ["read"]
grants.write = ["out"]
config = { path = "out/lines", mode = "append" }
"#;

fn orders(from: u32, to: u32) -> String {
    let rows: Vec<String> = (from..to).map(|id| format!("{id},item {id},{}.25", id % 100)).collect();
    format!("id,item,price\n{}\n", rows.join("\n"))
}

fn project() -> Project {
    let project = Project::new();
    project.file("orders.toml", PIPELINE);
    for (name, orders) in [("in/1.csv", orders(0, 2_000)), ("in/2.csv", orders(2_000, 3_000))] {
        project.file(name, orders);
        // Bookmarks name it, and are compared from project to project.
        let file = fs::File::options().append(true).open(project.path().join(name)).unwrap();
        file.set_modified(SystemTime::UNIX_EPOCH + Duration::from_secs(1_700_000_000)).unwrap();
    }
    project
}

/// The rows that can be seen at a target, in order, and how many files hold them.
fn shown(project: &Project, folder: &str) -> Vec<String> {
    let Ok(files) = fs::read_dir(project.path().join(folder)) else { return Vec::new() };
    let mut rows = Vec::new();
    for file in files.map(Result::unwrap) {
        if file.file_name().to_string_lossy().starts_with('.') {
            continue;
        }
        let text = fs::read_to_string(file.path()).unwrap();
        rows.extend(text.lines().filter(|line| !line.starts_with("id,")).map(str::to_owned));
    }
    rows.sort();
    rows
}

/// All that a pipeline leaves: what can be seen at its targets, and its bookmark.
fn left(project: &Project) -> Left {
    let bookmarks = project.sluicebox(&["bookmarks", "--format", "json"]).with_code(0).json();
    let bookmarks = bookmarks["bookmarks"].as_array().unwrap();
    let bookmark = match bookmarks.as_slice() {
        [one] => one["bookmark"].as_str().unwrap().to_owned(),
        other => panic!("{other:?}"),
    };
    (shown(project, "out/table"), shown(project, "out/lines"), bookmark)
}

type Left = (Vec<String>, Vec<String>, String);

/// Says how many rows differ, not which thousands.
#[track_caller]
fn assert_same(is: &Left, wanted: &Left, when: &str) {
    assert_eq!((is.0.len(), is.1.len()), (wanted.0.len(), wanted.1.len()), "rows of the two loads, {when}");
    assert_eq!(is.2, wanted.2, "bookmark, {when}");
    assert!(is.0 == wanted.0 && is.1 == wanted.1, "other rows, {when}");
}

fn run_and_die(project: &Project, at: &str) -> Ended {
    let output = project.command(&["run", "orders.toml"]).env("SLUICEBOX_TEST_DIE_AT", at).output();
    output.expect("the binary starts").into()
}

fn unfinished(project: &Project) -> usize {
    let runs = project.sluicebox(&["runs", "--format", "json"]).with_code(0).json();
    let open = |run: &&serde_json::Value| !matches!(run["state"].as_str(), Some("succeeded" | "failed"));
    runs["runs"].as_array().unwrap().iter().filter(open).count()
}

#[test]
fn killed_at_every_event_the_next_start_makes_it_whole() {
    let calm = project();
    calm.sluicebox(&["run", "orders.toml"]).with_code(0);
    let wanted = left(&calm);
    assert_eq!((wanted.0.len(), wanted.1.len()), (3_000, 3_000));

    let (mut deaths, mut ways) = (0, BTreeMap::new());
    for event in 1.. {
        let mut died = false;
        for at in [format!("{event}"), format!("{event}+")] {
            let project = project();
            let ended = run_and_die(&project, &at);
            if ended.code == Some(0) {
                continue;
            }
            assert_eq!(ended.code, None, "killed by a signal at {at}: {}", ended.stderr);
            died = true;
            deaths += 1;
            let again = project.sluicebox(&["run", "orders.toml"]).with_code(0);
            let told = again.stderr.lines().find(|line| line.starts_with("note: run")).unwrap_or("nothing").to_owned();
            let told = told.split(" was interrupted").nth(1).unwrap_or("nothing").to_owned();
            *ways.entry(told).or_insert(0) += 1;
            assert_same(&left(&project), &wanted, &format!("killed at {at}\n{}", again.stderr));
            assert_eq!(unfinished(&project), 0, "killed at {at}");
            // And once more: nothing new, nothing twice.
            project.sluicebox(&["run", "orders.toml"]).with_code(0);
            assert_same(&left(&project), &wanted, &format!("run again after {at}"));
        }
        if !died {
            break;
        }
    }
    // queued, started, three stages begun and ended, committing, two loads, the end: each before and after.
    assert!(deaths >= 20, "{deaths} deaths, {ways:?}");
    assert!(ways.len() >= 3, "before, in and after the commit: {ways:?}");
}

#[test]
fn killed_at_random_instants_the_next_start_makes_it_whole() {
    // The quickest of three: one may have been held up by something else.
    let calm: Vec<(Project, Duration)> = (0..3)
        .map(|_| {
            let calm = project();
            let start = Instant::now();
            calm.sluicebox(&["run", "orders.toml"]).with_code(0);
            (calm, start.elapsed())
        })
        .collect();
    let whole = calm.iter().map(|(_, took)| *took).min().unwrap();
    let wanted = left(&calm[0].0);
    let times: u32 = std::env::var("SLUICEBOX_TEST_KILLS").ok().and_then(|text| text.parse().ok()).unwrap_or(12);
    let mut killed = 0;
    for number in 0..times {
        let project = project();
        let mut run =
            project.command(&["run", "orders.toml"]).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        // Spread over the run, and not the same for all numbers: the golden ratio.
        let share = (f64::from(number) * 0.618_033_988_75).fract();
        let until = Instant::now() + Duration::from_secs_f64(whole.as_secs_f64() * share);
        while Instant::now() < until && run.try_wait().unwrap().is_none() {
            std::thread::yield_now();
        }
        killed += u32::from(run.try_wait().unwrap().is_none());
        run.kill().unwrap();
        run.wait().unwrap();
        project.sluicebox(&["run", "orders.toml"]).with_code(0);
        assert_same(&left(&project), &wanted, &format!("killed after {share:.3} of a run"));
        assert_eq!(unfinished(&project), 0);
    }
    // Where the machine is busy many are over sooner or later than the quickest run.
    assert!(killed * 4 > times, "{killed} of {times} were still at it");
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
    let wanted = left(&project);
    // The data is gone; what the extract gave is kept.
    fs::remove_dir_all(project.path().join("in")).unwrap();
    let again = project.sluicebox(&["rerun", "last", "--format", "json"]).with_code(0);
    assert!(again.stderr.contains("starts behind `read`: 3,000 rows kept of run"), "{}", again.stderr);
    let run = again.json();
    assert_eq!((run["state"].as_str(), run["trigger"].as_str()), (Some("succeeded"), Some("rerun")));
    assert_eq!(run["stages"][0]["state"], "skipped", "{run}");
    assert_same(&left(&project), &wanted, "repeated: the rows are replaced by themselves");

    let one = project.sluicebox(&["rerun", "last", "--from", "table", "--format", "json"]).with_code(0).json();
    assert_eq!(one["stages"][2]["state"], "skipped", "{one}");
    assert_same(&left(&project), &wanted, "repeated from one load");

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
