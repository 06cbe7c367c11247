//! The clock of the machine is set back by an hour.

use super::world::Stopped;
use super::{dies_before_it_shows, ended, holds_exactly, loaded_once, tells};
use serde_json::Value;
use sluicebox_tests::Project;
use sluicebox_tests::crash::{orders, runs};
use std::fs;
use std::path::PathBuf;
use std::process::Command;
use std::sync::OnceLock;

/// A library that stands before the system's and tells another time: the program under test is the real one.
fn library() -> PathBuf {
    static BUILT: OnceLock<tempfile::TempDir> = OnceLock::new();
    let folder = BUILT.get_or_init(|| {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("clock.c"), include_str!("clock.c")).unwrap();
        let built = Command::new("cc")
            .args(["-shared", "-fPIC", "-O1", "-o", "clock.so", "clock.c", "-ldl"])
            .current_dir(folder.path())
            .status();
        assert!(built.expect("cc, which the store is built with").success());
        folder
    });
    folder.path().join("clock.so")
}

/// The command with a clock that stands an hour back while the project has the file `back`.
fn with_clock(project: &Project, arguments: &[&str]) -> Command {
    let mut command = project.command(arguments);
    command.env("LD_PRELOAD", library()).env("CLOCK_BACK_WHILE", project.path().join("back"));
    command
}

fn set_back(project: &Project) {
    project.file("back", "");
}

fn seconds(run: &Value, name: &str) -> i64 {
    run[name].as_str().unwrap().parse::<jiff::Timestamp>().unwrap().as_second()
}

#[test]
fn runs_stand_in_the_order_in_which_they_were_made() {
    let project = loaded_once();
    project.file(
        "orders.toml",
        project.read("orders.toml") + "\n[monitor]\nrows = { change-at-most = \"10%\" }\nfresh-within = \"1h\"\n",
    );
    project.file("sluicebox.toml", "[retention]\ncheckpoints = { size = \"1B\" }\n");
    let first = runs(&project)[0].clone();
    set_back(&project);
    for number in 1..=3_u32 {
        project.file(&format!("in/{number}0.csv"), orders(number * 1_000, number * 1_000 + 1_000));
        let ran = ended(with_clock(&project, &["run", "orders.toml", "--format", "json"])).with_code(0);
        let record = ran.json();
        assert!(seconds(&record, "queued-at") < seconds(&first, "queued-at") - 3_000, "the clock is set back");
        assert!(seconds(&record, "ended-at") >= seconds(&record, "queued-at"));
        // Compared with every run before it, also with those that bear a later time.
        assert_eq!(record["comparison"]["runs"], number, "{record:#}");
        assert_eq!(record["findings"].as_array().map(Vec::len), Some(0), "{record:#}");
        let listed = runs(&project);
        assert_eq!(listed[0]["id"], record["id"], "the latest stands first");
        assert_eq!(listed.last().unwrap()["id"], first["id"], "the first stands last");
        let last = project.sluicebox(&["runs", "show", "last", "--format", "json"]).with_code(0).json();
        assert_eq!(last["id"], record["id"]);
        // There is room for the checkpoints of no run: those of the last stay, whatever its time.
        let kept = |run: &Value| {
            project.path().join(".sluicebox/runs").join(run["id"].as_str().unwrap()).join("checkpoints").exists()
        };
        assert_eq!(listed.iter().map(kept).collect::<Vec<_>>(), (0..=number).map(|at| at == 0).collect::<Vec<_>>());
    }
    holds_exactly(&project, 4_000);
    let bookmarks = project.sluicebox(&["bookmarks", "--format", "json"]).json();
    assert_eq!(bookmarks["bookmarks"][0]["run"], runs(&project)[0]["id"]);
    // The right time again.
    fs::remove_file(project.path().join("back")).unwrap();
    ended(with_clock(&project, &["run", "orders.toml"])).with_code(0);
    holds_exactly(&project, 4_000);
}

#[test]
fn set_back_between_the_decision_and_the_commit() {
    for in_one_process in [true, false] {
        let project = loaded_once();
        project.file("in/2.csv", orders(1_000, 2_000));
        if in_one_process {
            let stopped = Stopped::at("10", with_clock(&project, &["run", "orders.toml"]));
            set_back(&project);
            stopped.goes_on().with_code(0);
        } else {
            dies_before_it_shows(&project);
            set_back(&project);
            let again = ended(with_clock(&project, &["run", "orders.toml"])).with_code(0);
            tells(&again, &["was interrupted while it committed; it is committed now"]);
        }
        holds_exactly(&project, 2_000);
        let record = project.sluicebox(&["runs", "show", "last", "--format", "json"]).with_code(0).json();
        assert_eq!(record["state"], "succeeded");
        // No time is negative, or as long as an hour, that took none.
        for run in runs(&project) {
            assert!(run["duration"]["secs"].as_u64().unwrap() < 600, "{run:#}");
        }
        ended(with_clock(&project, &["run", "orders.toml"])).with_code(0);
        holds_exactly(&project, 2_000);
    }
}

#[test]
fn set_back_while_a_run_is_interrupted() {
    let project = loaded_once();
    project.file("in/2.csv", orders(1_000, 2_000));
    let mut command = project.command(&["run", "orders.toml"]);
    assert_eq!(
        ended({
            command.env("SLUICEBOX_TEST_DIE_AT", "7");
            command
        })
        .code,
        None
    );
    set_back(&project);
    tells(&ended(with_clock(&project, &["run", "orders.toml"])).with_code(0), &["what it had written is taken back"]);
    holds_exactly(&project, 2_000);
    assert_eq!(runs(&project)[0]["state"], "succeeded");
    assert_eq!(runs(&project)[1]["state"], "failed");
}
