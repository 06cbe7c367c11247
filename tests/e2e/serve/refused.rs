//! Runs that cannot begin are runs: listed, shown, counted, told, followed, and run again when what they lacked is there.

use serde_json::Value;
use sluicebox_tests::serving::{Serving, project, quick, text};
use std::process::Command;

const TOLD: &str = "[[alert]]\non = ['failure', 'recovery']\ncommand = ['tee', '-a', 'told.jsonl']";

#[test]
fn a_run_that_cannot_begin_is_among_the_runs() {
    let project = project();
    project.file("p.toml", quick("p", "every = '1h'", TOLD).replace("mode = 'append'", "mode = '${file:mode.txt}'"));
    project.file("mode.txt", "append").file("any.toml", quick("any", "after = { pipelines = ['p'], on = 'any' }", ""));
    project.file("well.toml", quick("well", "after = ['p']", ""));
    let serving = Serving::begin(&project);
    // It was sound when it was looked at, and is not as it is to run.
    std::fs::remove_file(project.path().join("mode.txt")).unwrap();
    let refused = serving.sluicebox(&["run", "p.toml"]).with_code(2);
    assert!(refused.stderr.contains("could not begin") && refused.stderr.contains("mode.txt"), "{}", refused.stderr);

    let listed = serving.sluicebox(&["runs", "--pipeline", "p", "--format", "json"]).with_code(0).json();
    let runs = listed["runs"].as_array().unwrap();
    assert_eq!((runs.len(), text(&runs[0], "state")), (1, "failed"), "{listed}");
    let run = text(&runs[0], "id").to_owned();
    let shown = serving.sluicebox(&["runs", "show", &run]).with_code(0).stdout;
    assert!(shown.contains("the pipeline cannot run as it is") && shown.contains("mode.txt"), "{shown}");
    let metrics = Command::new("curl").arg("--silent").arg(format!("{}/metrics", serving.url())).output().unwrap();
    let metrics = String::from_utf8(metrics.stdout).unwrap();
    assert!(metrics.contains("sluicebox_runs_total{pipeline=\"p\",state=\"failed\"} 1\n"), "{metrics}");
    let event = &serving.events("p", "refused", 1)[0];
    assert_eq!(text(event, "run"), run);
    assert!(text(event, "reason").contains("mode.txt"), "{event}");

    // What takes any end follows it; what wants it to end well says why it does not.
    let any = serving.runs("any", "succeeded", 1);
    let interval = |run: &Value| (run["interval_start"].clone(), run["interval_end"].clone());
    assert_eq!(interval(&any[0]), interval(&serving.store.runs("p")[0]));
    assert!(text(&serving.events("well", "dependency-missed", 1)[0], "reason").contains("`p` failed"));
    let lines = || if project.has("told.jsonl") { project.read("told.jsonl").lines().count() } else { 0 };
    serving.until("it is told", || (lines() == 1).then_some(()));
    assert!(project.read("told.jsonl").contains("mode.txt"), "{}", project.read("told.jsonl"));

    // There is nothing that it was made with; with what there is today it may run.
    let again = serving.sluicebox(&["rerun", &run]).with_code(2);
    assert!(again.stderr.contains("never began") && again.stderr.contains("--latest"), "{}", again.stderr);
    project.file("mode.txt", "append");
    let again = serving.sluicebox(&["rerun", &run, "--latest", "--format", "json"]).with_code(0).json();
    assert_eq!((text(&again, "state"), text(&again, "repeats")), ("succeeded", run.as_str()), "{again}");
    assert_eq!(super::rows(&project, "p"), 3);
    serving.runs("well", "succeeded", 1);
    serving.until("that it runs again is told, too", || (lines() == 2).then_some(()));
    serving.end();

    // Without a host it is the same.
    let again = project.sluicebox(&["rerun", &run]).with_code(2);
    assert!(again.stderr.contains("never began") && again.stderr.contains("--latest"), "{}", again.stderr);
    project.sluicebox(&["rerun", &run, "--latest"]).with_code(0);
}

#[test]
fn a_run_that_is_taken_out_of_the_queue_is_a_cancelled_run() {
    let project = project();
    project.file("sluicebox.toml", "[serve]\nruns = 1\n");
    project.file("long.toml", sluicebox_tests::serving::slow("long", 60.0, "every = '1h'", ""));
    project.file("p.toml", quick("p", "every = '1h'", ""));
    project.file("any.toml", quick("any", "after = { pipelines = ['p'], on = 'any' }", ""));
    let serving = Serving::begin(&project);
    let background = |file: &str| project.command(&["run", file]).stderr(std::process::Stdio::null()).spawn().unwrap();
    let mut long = background("long.toml");
    let running = serving.runs("long", "running", 1);
    let mut waits = background("p.toml");
    let waiting = serving.until("one waits", || serving.store.queue("p").pop());
    let token = project.read(".sluicebox/api.token");
    let bearer = format!("Authorization: Bearer {}", token.trim());
    let cancel = |run: &str| {
        let url = format!("{}/api/v1/runs/{run}/cancel", serving.url());
        let asked = Command::new("curl").args(["--silent", "--fail", "-X", "POST", "-H", &bearer, &url]).output();
        assert!(asked.unwrap().status.success());
    };
    cancel(text(&waiting, "run"));
    assert_eq!(waits.wait().unwrap().code(), Some(1));
    let cancelled = serving.runs("p", "cancelled", 1);
    assert_eq!(cancelled[0]["id"], waiting["run"]);
    let events = serving.events("p", "cancelled", 1);
    assert_eq!(text(&events[0], "reason"), "asked for through the API");
    // It was the only one of its interval: what takes any end follows it.
    serving.until("`any` waits", || serving.store.queue("any").pop());
    cancel(text(&running[0], "id"));
    assert_eq!(long.wait().unwrap().code(), Some(1));
    serving.runs("any", "succeeded", 1);
    serving.end();
}
