//! Pipelines that are paused, and that pause themselves; runs that are tried again.

use super::catch_up::pretend;
use super::rows;
use serde_json::Value;
use sluicebox_tests::Project;
use sluicebox_tests::serving::{Serving, at, project, quick, slow, text};

const TOLD: &str = "[[alert]]\non = ['failure', 'recovery']\ncommand = ['tee', '-a', 'told.jsonl']";

/// A pipeline that fails: its second stage answers with a fault of this kind.
fn failing(schedule: &str, more: &str, kind: &str) -> String {
    let stages = quick("p", schedule, more);
    stages.replace("mode = 'sleep', seconds = 0 ", &format!("mode = 'fault', kind = '{kind}' "))
}

#[test]
fn a_pipeline_that_keeps_failing_is_paused_and_resumed() {
    let project = project();
    let schedule = "every = '1s'\npause-after = 2";
    project.file("p.toml", failing(schedule, "", "invalid-data")).file("tick.toml", quick("tick", "every = '1s'", ""));
    let serving = Serving::begin(&project);
    let paused = serving.events("p", "paused", 1);
    assert_eq!(text(&paused[0], "by"), "pause-after");
    assert!(text(&paused[0], "reason").contains('2'), "{}", paused[0]);
    serving.tells("`sluicebox resume p` lets it run again");
    let is_paused = |event: &Value| text(event, "reason").contains("the pipeline is paused");
    serving.until("times are left out", || {
        let skipped = serving.store.events(Some("p"), "skipped");
        (skipped.iter().filter(|event| is_paused(event)).count() >= 2).then_some(())
    });
    assert_eq!(serving.store.runs("p").len(), 2, "no more than two runs");

    // Resumed as it is, it may fail as often again.
    serving.sluicebox(&["resume", "p"]).with_code(0);
    serving.events("p", "resumed", 1);
    serving.events("p", "paused", 2);
    assert_eq!(serving.store.runs("p").len(), 4);
    project.file("p.toml", quick("p", schedule, ""));
    serving.events("p", "pipeline-loaded", 2);
    assert!(serving.sluicebox(&["resume", "p"]).with_code(0).stdout.contains("`p` runs by itself"));
    serving.runs("p", "succeeded", 1);
    serving.end();
}

#[test]
fn a_pause_holds_with_and_without_a_host() {
    let project = project();
    project.file("p.toml", quick("p", "every = '1s'\ncatch-up = 'all'", ""));
    project.file("tick.toml", quick("tick", "every = '1s'", ""));
    let serving = Serving::begin(&project);
    serving.runs("p", "succeeded", 1);
    let told = serving.sluicebox(&["pause", "p", "--reason", "the source is moved"]).with_code(0).stdout;
    assert!(told.contains("does not run by itself any more"), "{told}");
    let paused = serving.events("p", "paused", 1);
    assert_eq!(text(&paused[0], "reason"), "the source is moved");
    serving.events("p", "skipped", 1);
    let count = serving.store.events(Some("p"), "fired").len();
    let wrong = serving.sluicebox(&["pause", "q"]).with_code(2);
    assert!(wrong.stderr.contains("there is no pipeline `q`"), "{}", wrong.stderr);
    serving.end();

    // The next host knows of it.
    let serving = Serving::begin(&project);
    serving.events("p", "skipped", 2);
    let ticks = serving.store.events(Some("tick"), "fired").len();
    serving.events("tick", "fired", ticks + 2);
    assert_eq!(serving.store.events(Some("p"), "fired").len(), count);
    serving.end();

    // Without a host it goes to the store.
    project.sluicebox(&["resume", "p"]).with_code(0);
    let serving = Serving::begin(&project);
    serving.events("p", "fired", count + 1);
    serving.end();
    project.sluicebox(&["pause", "p"]).with_code(0);
    let serving = Serving::begin(&project);
    let by: Vec<String> = serving.events("p", "paused", 2).iter().map(|event| text(event, "by").to_owned()).collect();
    assert_eq!(by, ["api", "cli"]);
    serving.end();
}

/// How many runs of a pipeline wait.
fn waiting(serving: &Serving<'_>, pipeline: &str) -> usize {
    serving.store.queue(pipeline).iter().filter(|row| row["state"] == "waiting").count()
}

/// The alerts that were told, once there are so many.
fn told(serving: &Serving<'_>, project: &Project, count: usize) -> Vec<Value> {
    serving.until(&format!("{count} alerts are told"), || {
        let text = if project.has("told.jsonl") { project.read("told.jsonl") } else { String::new() };
        let all: Vec<Value> = text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect();
        (all.len() >= count).then_some(all)
    })
}

/// Until the host has done much else.
fn tick_twice(serving: &Serving<'_>) {
    let ticks = serving.store.runs("tick").len();
    serving.runs("tick", "succeeded", ticks + 2);
}

#[test]
fn runs_that_wait_as_a_pipeline_is_paused_go_on_waiting() {
    let project = project();
    project.file("p.toml", slow("p", 1.5, "every = '1s'\noverlap = 'queue'", ""));
    project.file("tick.toml", quick("tick", "every = '1s'", ""));
    let serving = Serving::begin(&project);
    serving.until("two wait", || (waiting(&serving, "p") >= 2).then_some(()));
    serving.sluicebox(&["pause", "p", "--reason", "the source is moved"]).with_code(0);
    serving.until("what was under way has ended", || {
        serving.store.queue("p").iter().all(|row| row["state"] != "started").then_some(())
    });
    let (runs, held) = (serving.store.runs("p").len(), waiting(&serving, "p"));
    assert!(held >= 1, "{:?}", serving.store.queue("p"));
    serving.tells("that wait begin when it is resumed");
    tick_twice(&serving);
    assert_eq!((serving.store.runs("p").len(), waiting(&serving, "p")), (runs, held));
    let told = serving.sluicebox(&["runs", "--pipeline", "p", "--format", "json"]).with_code(0).json();
    let told = told["waiting"].as_array().unwrap();
    assert_eq!(told.len(), held);
    let why = "`p` is paused (the source is moved): it begins after `sluicebox resume p`";
    assert!(told.iter().all(|run| run["why"] == why), "{told:?}");
    // What is asked for runs all the same, before them.
    serving.sluicebox(&["run", "p.toml"]).with_code(0);
    assert_eq!((serving.store.runs("p").len(), waiting(&serving, "p")), (runs + 1, held));
    serving.end();

    // The next host knows of it.
    let serving = Serving::begin(&project);
    tick_twice(&serving);
    assert_eq!((serving.store.runs("p").len(), waiting(&serving, "p")), (runs + 1, held));
    project.file("p.toml", quick("p", "every = '1s'\noverlap = 'queue'", ""));
    serving.events("p", "pipeline-loaded", 3);
    let queued: Vec<String> = serving.store.queue("p").iter().map(|row| text(row, "run").to_owned()).collect();
    serving.sluicebox(&["resume", "p"]).with_code(0);
    serving.until("all of them run", || {
        let runs = serving.store.runs("p");
        let good = |id: &String| runs.iter().any(|run| run["id"] == id.as_str() && run["state"] == "succeeded");
        queued.iter().all(good).then_some(())
    });
    serving.end();
}

#[test]
fn pause_after_holds_for_missed_times_and_is_told() {
    let project = project();
    let schedule = "every = '100s'\ncatch-up = 'all'\npause-after = 2";
    project.file("p.toml", failing(schedule, TOLD, "invalid-data"));
    project.file("tick.toml", quick("tick", "every = '1s'", ""));
    Serving::begin(&project).end();
    pretend(&project, 1000);
    let serving = Serving::begin(&project);
    serving.events("p", "paused", 1);
    let told = |count| told(&serving, &project, count);
    // The first failure, and the one that pauses, though a failure was told before.
    let failures = told(2);
    let reason = "its last 2 runs failed (`pause-after = 2`)";
    assert_eq!((text(&failures[1], "kind"), text(&failures[1], "paused")), ("failure", reason));
    assert!(failures[0]["paused"].is_null(), "{}", failures[0]);
    let note = format!("the pipeline is paused: {reason}; `sluicebox resume p` lets it run by itself again");
    assert!(text(&failures[1], "text").contains(&note), "{}", failures[1]);
    tick_twice(&serving);
    assert_eq!(serving.store.runs("p").len(), 2);
    let held = waiting(&serving, "p");
    assert!((7..=9).contains(&held), "{:?}", serving.store.queue("p"));

    // One that is asked for goes well: that is told, and that it is still paused.
    project.file("p.toml", quick("p", schedule, TOLD));
    serving.events("p", "pipeline-loaded", 3);
    serving.sluicebox(&["run", "p.toml"]).with_code(0);
    let recovery = told(3).remove(2);
    assert_eq!(text(&recovery, "title"), "p ran well after 2 failures, and is still paused");
    assert!(text(&recovery, "text").contains(&note), "{recovery}");
    assert_eq!(waiting(&serving, "p"), held);
    serving.sluicebox(&["resume", "p"]).with_code(0);
    serving.runs("p", "succeeded", 1 + held);
    let store = serving.end();
    assert_eq!(store.alerts("p").len(), 3, "{:?}", store.alerts("p"));
}

/// The attempts of a run are one failure; and a rule that waits for more failures than it takes to pause tells of the pause, and of
/// its end.
#[test]
fn attempts_are_one_failure_and_a_patient_rule_tells_of_a_pause_and_its_end() {
    let project = project();
    let (schedule, patient) = ("every = '1s'\npause-after = 2", TOLD.replace("]\ncommand", "]\nafter = 9\ncommand"));
    let bad = failing(schedule, &patient, "unavailable").replace("name = 'p'\n\n", "name = 'p'\nretries = 1\n\n");
    project.file("p.toml", bad);
    let serving = Serving::begin(&project);
    serving.events("p", "paused", 1);
    let runs = serving.store.runs("p");
    assert_eq!(runs.len(), 4, "two times, two attempts each: {runs:#?}");
    let told = |count| told(&serving, &project, count);
    let reason = "its last 2 runs failed (`pause-after = 2`)";
    let all = told(1);
    assert_eq!((text(&all[0], "kind"), text(&all[0], "paused")), ("failure", reason));
    project.file("p.toml", quick("p", schedule, &patient));
    serving.events("p", "pipeline-loaded", 2);
    serving.sluicebox(&["resume", "p"]).with_code(0);
    let all = told(2);
    assert_eq!((text(&all[1], "kind"), text(&all[1], "title")), ("recovery", "p runs again, after 2 failures"));
    serving.end();
}

#[test]
fn a_paused_pipeline_runs_when_it_is_asked_to() {
    let project = project();
    project.file("p.toml", quick("p", "every = '1h'", ""));
    let serving = Serving::begin(&project);
    serving.sluicebox(&["pause", "p"]).with_code(0);
    serving.sluicebox(&["run", "p.toml"]).with_code(0);
    serving.end();
    assert_eq!(rows(&project, "p"), 3);
}

#[test]
fn a_run_that_fails_is_tried_again_and_told_once() {
    let project = project();
    let file = failing("every = '3s'", TOLD, "unavailable").replace("name = 'p'\n\n", "name = 'p'\nretries = 2\n\n");
    project.file("p.toml", file);
    let serving = Serving::begin(&project);
    let runs = serving.runs("p", "failed", 3);
    serving.until("it is told", || {
        project.has("told.jsonl").then(|| project.read("told.jsonl")).filter(|text| text.ends_with('\n'))
    });
    assert_eq!(runs[1]["repeats"], runs[0]["id"]);
    assert_eq!(runs[2]["repeats"], runs[1]["id"]);
    assert!(runs[..3].iter().all(|run| at(run, "interval_end") == at(&runs[0], "interval_end")), "{runs:?}");
    let triggers: Vec<&str> = runs[..3].iter().map(|run| text(run, "trigger")).collect();
    assert_eq!(triggers, ["schedule", "rerun", "rerun"]);
    // The third fails, too: that is told, once, of the last; the next runs fail without another word.
    serving.runs("p", "failed", 6);
    let store = serving.end();
    let alerts = store.alerts("p");
    assert_eq!(alerts.len(), 1, "{alerts:?}");
    assert_eq!((text(&alerts[0], "kind"), text(&alerts[0], "run")), ("failure", text(&runs[2], "id")));
    assert_eq!(project.read("told.jsonl").lines().count(), 1);
}

#[test]
fn a_mistake_is_not_tried_again() {
    let project = project();
    let file = failing("every = '1s'", TOLD, "invalid-data").replace("name = 'p'\n\n", "name = 'p'\nretries = 2\n\n");
    project.file("p.toml", file);
    let serving = Serving::begin(&project);
    serving.runs("p", "failed", 2);
    let store = serving.end();
    assert!(store.runs("p").iter().all(|run| run["repeats"].is_null()), "{:?}", store.runs("p"));
}
