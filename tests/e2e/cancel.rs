//! A run that is asked to stop does so at once, whatever its stages are at.

use crate::hostile::{OUT, READ, evil, project};
use sluicebox_tests::{Ended, Project};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, SystemTime};

/// A call under way is dropped within 100 ms, which the sandbox's tests hold; taking back what was written, and noting it on the
/// disk, comes on top. Of several runs the quickest has to keep to it, since other tests run beside this one.
const AT_MOST: Duration = Duration::from_millis(250);
/// Even the slowest.
const EVER: Duration = Duration::from_secs(5);

/// What a stage may be at: it computes, or waits in the host. Both would take an hour.
const AT_WORK: [&str; 2] = ["mode = 'loop'", "mode = 'sleep', seconds = 3600"];

/// Starts a run, and waits until its journal says that the stage works.
fn at_work(options: &str) -> (Project, Child) {
    let project = project(&format!("{READ}{}{OUT}", evil("evil", options, "limits = { call = \"1h\" }")));
    let run = project.command(&["run", "pipeline.toml"]).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    let works = || {
        let shown = project.sluicebox(&["runs", "show", "last", "--format", "json"]);
        shown.code == Some(0) && shown.json()["stages"][1]["state"] == "running"
    };
    while !works() {}
    (project, run)
}

/// From the request to the last event of the run, by the journal.
#[track_caller]
fn ended_after(project: &Project, mut run: Child, asked: SystemTime, how: &str) -> Duration {
    assert_eq!(run.wait().unwrap().code(), Some(1), "{how}");
    let record = project.sluicebox(&["runs", "show", "last", "--format", "json"]).with_code(0).json();
    assert_eq!(record["state"], "cancelled", "{how}: {record}");
    let ended = record["ended-at"].as_str().unwrap();
    let ended: SystemTime = ended.parse::<jiff::Timestamp>().unwrap().into();
    let took = ended.duration_since(asked).unwrap_or_default();
    assert!(took < EVER, "{how}: it took {took:?}");
    assert!(std::fs::read_dir(project.path().join("out")).is_ok_and(|mut files| files.next().is_none()), "{how}");
    let again = project.sluicebox(&["cancel", "last"]).with_code(2);
    assert!(again.stderr.contains("has ended already: it was cancelled"), "{}", again.stderr);
    took
}

/// The quickest of four.
#[track_caller]
fn ends_soon(mut stop: impl FnMut(&str) -> Duration, options: &str) {
    let mut all = Vec::new();
    while all.len() < 4 {
        all.push(stop(options));
        if all.iter().any(|took| *took < AT_MOST) {
            return;
        }
    }
    panic!("{options}: it took {all:?}");
}

#[test]
fn a_command_stops_calls_under_way() {
    let stop = |options: &str| {
        let (project, run) = at_work(options);
        let asked = SystemTime::now();
        let told: Ended = project.sluicebox(&["cancel", "last"]).with_code(0);
        assert!(told.stdout.contains("was asked to stop"), "{}", told.stdout);
        ended_after(&project, run, asked, options)
    };
    AT_WORK.iter().for_each(|options| ends_soon(stop, options));
}

#[test]
fn a_signal_stops_calls_under_way() {
    let stop = |options: &str| {
        let (project, run) = at_work(options);
        let asked = SystemTime::now();
        assert!(Command::new("kill").args(["-TERM", &run.id().to_string()]).status().unwrap().success());
        ended_after(&project, run, asked, options)
    };
    AT_WORK.iter().for_each(|options| ends_soon(stop, options));
}
