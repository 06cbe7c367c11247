//! Pipelines that are paused, and that pause themselves; runs that are tried again.

use super::rows;
use serde_json::Value;
use sluicebox_tests::serving::{Serving, at, project, quick, text};

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
