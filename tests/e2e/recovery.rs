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

/// Killed where it cannot say so any more.
fn killed(mut run: std::process::Child) {
    run.kill().unwrap();
    run.wait().unwrap();
}

fn states(project: &Project) -> Vec<String> {
    let runs = project.sluicebox(&["runs", "--format", "json"]).with_code(0).json();
    runs["runs"].as_array().unwrap().iter().map(|run| run["state"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn a_run_that_nobody_is_at_is_ended_by_cancel() {
    let project = Project::new();
    killed(started(&project));
    let asked = project.sluicebox(&["cancel", "last"]).with_code(0);
    assert!(asked.stdout.contains("had been interrupted; it was cancelled"), "{}", asked.stdout);
    assert_eq!(states(&project), ["cancelled"]);
    let record = project.sluicebox(&["runs", "show", "last", "--format", "json"]).with_code(0).json();
    assert_eq!(record["fault"], serde_json::Value::Null, "{record}");
    let left: Vec<_> = fs::read_dir(project.path().join("out")).unwrap().collect();
    assert!(left.is_empty(), "what it wrote is taken back: {left:?}");
}

/// Asked to stop, and killed before it could: it does not come back with the next start.
#[test]
fn a_run_that_was_asked_to_stop_does_not_run_again() {
    let project = Project::new();
    let run = started(&project);
    let id = project.sluicebox(&["runs", "--format", "json"]).json()["runs"][0]["id"].as_str().unwrap().to_owned();
    // What `cancel` leaves for the process; that one never looks again.
    let stopped = std::process::Command::new("kill").args(["-STOP", &run.id().to_string()]).status().unwrap();
    assert!(stopped.success());
    project.sluicebox(&["cancel", &id]).with_code(0);
    killed(run);
    project.file("in/1.csv", orders(0, 5));
    project.file("orders.toml", sluicebox_tests::crash::PIPELINE);
    let other = project.sluicebox(&["run", "orders.toml"]).with_code(0);
    assert!(other.stderr.contains("had been asked to stop; what it had written is taken back"), "{}", other.stderr);
    assert_eq!(states(&project), ["succeeded", "cancelled"]);
}

/// A run that was killed runs again with the next start of anything, unless its pipeline says otherwise.
#[test]
fn an_interrupted_run_runs_again_unless_it_is_to_be_left() {
    for (policy, wanted) in
        [("rerun", vec!["succeeded", "succeeded", "failed"]), ("leave", vec!["succeeded", "failed"])]
    {
        let project = project();
        let text =
            project.read("orders.toml").replace("[pipeline]\n", &format!("[pipeline]\non-crash = \"{policy}\"\n"));
        project.file("orders.toml", &text);
        let died = project.command(&["run", "orders.toml"]).env("SLUICEBOX_TEST_DIE_AT", "4").output().unwrap();
        assert_eq!(died.status.code(), None, "it was killed");
        project.file("other.toml", text.replace("name = \"orders\"", "name = \"other\"").replace("out/", "out/other-"));
        let other = project.sluicebox(&["run", "other.toml"]).with_code(0);
        assert!(other.stderr.contains("was interrupted; what it had written is taken back"), "{}", other.stderr);
        assert_eq!(states(&project), wanted, "{policy}");
        assert_eq!(shown(&project, "out/table").len(), if policy == "rerun" { 3_000 } else { 0 }, "{policy}");
    }
}

/// It may be the run that kills the host: it is not repeated for ever, and other pipelines run.
#[test]
fn a_run_that_the_host_dies_in_again_and_again_is_given_up() {
    let project = project();
    project.file(
        "other.toml",
        project.read("orders.toml").replace("\"orders\"", "\"other\"").replace("out/", "out/other-"),
    );
    let dies =
        |file: &str, at: &str| project.command(&["run", file]).env("SLUICEBOX_TEST_DIE_AT", at).output().unwrap();
    assert_eq!(dies("orders.toml", "4").status.code(), None, "it was killed");
    let mut told = String::new();
    for death in 2..20 {
        // Whatever is started finishes the run with five events, repeats it, and dies of it.
        let output = dies("other.toml", "9");
        told = String::from_utf8(output.stderr).unwrap();
        if told.contains("is given up") {
            assert!(death > 8, "{told}");
            break;
        }
    }
    assert!(told.contains("is given up: the host died 8 times in a row"), "{told}");
    project.sluicebox(&["run", "other.toml"]).with_code(0);
    assert_eq!(shown(&project, "out/table"), Vec::<String>::new());
    assert_eq!(shown(&project, "out/other-table").len(), 3_000);
}

/// `bookmarks set` finishes what an earlier process left, as a run does: nothing of it moves the bookmark later.
#[test]
fn a_bookmark_is_set_after_what_was_interrupted_is_finished() {
    let project = project();
    let died = project.command(&["run", "orders.toml"]).env("SLUICEBOX_TEST_DIE_AT", "4").output().unwrap();
    assert_eq!(died.status.code(), None, "it was killed");
    let reset = project.sluicebox(&["bookmarks", "reset", "orders", "read"]).with_code(0);
    assert!(reset.stderr.contains("was interrupted"), "{}", reset.stderr);
    assert_eq!(states(&project), ["succeeded", "failed"]);
    assert_eq!(shown(&project, "out/table").len(), 3_000);
    project.sluicebox(&["bookmarks", "show", "orders", "read"]).with_code(2);
}

/// Fails with `kind` in every attempt before the third.
fn flaky(more: &str, kind: &str) -> String {
    format!(
        "[pipeline]\nname = \"flaky\"\n{more}\n\n[[stage]]\nname = \"read\"\nplugin = \"extract-csv\"\ngrants.read = [\"in\"]\n\
         config = {{ path = \"in/*.csv\" }}\n\n[[stage]]\nname = \"evil\"\nplugin = \"evil\"\n\
         config = {{ mode = \"fault\", kind = \"{kind}\" }}\n"
    )
}

#[test]
fn a_run_is_tried_again_where_that_can_help() {
    for (kind, wanted) in [("unavailable", 3), ("invalid-data", 1)] {
        let project = project();
        project.file("flaky.toml", flaky("retries = 2", kind));
        project.sluicebox(&["run", "flaky.toml"]).with_code(1);
        assert_eq!(states(&project), vec!["failed"; wanted], "{kind}");
        let runs = project.sluicebox(&["runs", "--format", "json"]).json()["runs"].clone();
        let runs = runs.as_array().unwrap();
        for pair in runs.windows(2) {
            let id = pair[0]["id"].as_str().unwrap();
            let shown = project.sluicebox(&["runs", "show", id, "--format", "json"]).with_code(0).json();
            assert_eq!(shown["repeats"], pair[1]["id"], "each repeats the one before: {runs:?}");
        }
    }
}

#[test]
fn a_deadline_ends_a_stage_and_a_run() {
    let of_stage = ENDLESS.replace("plugin = \"evil-extract\"\n", "plugin = \"evil-extract\"\ndeadline = \"300ms\"\n");
    let of_run = ENDLESS.replace("name = \"endless\"\n", "name = \"endless\"\ndeadline = \"300ms\"\n");
    for (text, stage) in [(of_stage, "read"), (of_run, "")] {
        let project = Project::new();
        project.file("endless.toml", &text);
        let run = project.sluicebox(&["run", "endless.toml", "--format", "json"]).with_code(1).json();
        let fault = &run["fault"];
        assert_eq!(
            (&run["state"], &fault["kind"], &fault["stage"]),
            (&"failed".into(), &"deadline".into(), &stage.into())
        );
        assert!(fault["message"].as_str().unwrap().contains("300ms"), "{fault}");
        assert!(fault["help"].as_str().unwrap().contains("deadline"), "{fault}");
        assert_eq!(shown(&project, "out"), Vec::<String>::new());
    }
}

/// A rerun takes the text and the plugins of the run, whatever has become of them; `--latest` takes those of today.
#[test]
fn a_rerun_is_of_what_the_run_was_made_with() {
    let project = project();
    project.file(
        "mine.toml",
        "[pipeline]\nname = \"mine\"\n\n[[stage]]\nname = \"read\"\nplugin = \"extract-csv\"\n\
        grants.read = [\"in\"]\nconfig = { path = \"in/*.csv\" }\n\n[[stage]]\nname = \"same\"\nplugin = \"evil\"\n\
        config = { mode = \"pass\" }\n\n[[stage]]\nname = \"out\"\nplugin = \"load-csv\"\ngrants.write = [\"out\"]\n\
        config = { path = \"out/mine.csv\" }\n",
    );
    // A plugin of the project's own, which is another one later.
    let built = sluicebox_tests::binary().with_file_name("test-plugins");
    let own = |from: &str| {
        fs::create_dir_all(project.path().join("plugins")).unwrap();
        fs::copy(built.join(from), project.path().join("plugins/evil.wasm")).unwrap();
    };
    own("evil.wasm");
    let made = |arguments: &[&str]| {
        let run = project.sluicebox(&[arguments, &["--plugins", "plugins"]].concat()).with_code(0).json();
        run["stages"][1]["digest"].as_str().unwrap().to_owned()
    };
    let first = made(&["run", "mine.toml", "--format", "json"]);
    // The same program with other bytes: one more custom section.
    let mut bytes = fs::read(project.path().join("plugins/evil.wasm")).unwrap();
    bytes.extend_from_slice(b"\x00\x04\x03abc");
    fs::write(project.path().join("plugins/evil.wasm"), bytes).unwrap();
    project.file("mine.toml", project.read("mine.toml").replace("out/mine.csv", "out/other.csv"));
    assert_eq!(made(&["rerun", "last", "--from", "same", "--format", "json"]), first);
    assert!(!project.has("out/other.csv"));
    let latest = made(&["rerun", "last", "--from", "same", "--latest", "--format", "json"]);
    assert_ne!(latest, first);
    assert_eq!(project.read("out/other.csv").lines().count(), 3_001);
}
