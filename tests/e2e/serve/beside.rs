//! Commands beside a running host, and bad neighbours in it.

use super::rows;
use sluicebox_tests::serving::{SECOND, Serving, at, project, quick, slow, text};

#[test]
fn reading_commands_work_beside_a_host() {
    let project = project();
    project.file("p.toml", quick("p", "every = '1s'", ""));
    let serving = Serving::begin(&project);
    let run = serving.runs("p", "succeeded", 1);
    let run = text(&run[0], "id");
    for arguments in [
        &["runs"][..],
        &["runs", "show", run],
        &["logs", run],
        &["quarantine", "list"],
        &["bookmarks"],
        &["check", "p.toml"],
        &["graph", "p.toml"],
        &["schedule", "p"],
        &["plugins", "list"],
    ] {
        serving.sluicebox(arguments).with_code(0);
    }
    serving.end();
}

#[test]
fn the_call_that_failed_is_made_again_beside_a_host() {
    let project = project();
    let fails = "mode = 'fault', kind = 'invalid-data' ";
    project.file("p.toml", quick("p", "every = '1h'", "").replace("mode = 'sleep', seconds = 0 ", fails));
    let serving = Serving::begin(&project);
    let run = serving.sluicebox(&["run", "p.toml", "--format", "json"]).with_code(1).json();
    let again = serving.sluicebox(&["replay", text(&run, "id"), "nap", "--format", "json"]).with_code(1).json();
    assert_eq!((text(&again, "call"), again["same"].as_bool()), ("process", Some(true)), "{again}");
    serving.end();
}

#[test]
fn runs_are_asked_of_the_host() {
    let project = project();
    project.file("p.toml", quick("p", "every = '1h'", "")).file("long.toml", slow("long", 60.0, "every = '1h'", ""));
    project.file("sluicebox.toml", "[serve]\nruns = 1\n");
    let serving = Serving::begin(&project);
    let ran = serving.sluicebox(&["run", "p.toml", "--format", "json"]).with_code(0);
    let run = ran.json();
    assert_eq!((run["state"].as_str(), run["trigger"].as_str()), (Some("succeeded"), Some("manual")), "{run}");
    assert!(ran.stderr.contains("the host that serves here runs it"), "{}", ran.stderr);
    let again = serving.sluicebox(&["rerun", "last", "--format", "json"]).with_code(0).json();
    assert_eq!((again["trigger"].as_str(), &again["repeats"]), (Some("rerun"), &run["id"]), "{again}");
    assert_eq!(rows(&project, "p"), 3);
    let requested = serving.store.events(Some("p"), "requested");
    assert_eq!(requested.len(), 2, "{requested:?}");

    // One that takes its time is stopped by another command.
    let mut long = project.command(&["run", "long.toml"]).stderr(std::process::Stdio::null()).spawn().unwrap();
    let running = serving.runs("long", "running", 1);
    // So is one that waits behind it.
    let mut behind = project.command(&["run", "p.toml"]).stderr(std::process::Stdio::null()).spawn().unwrap();
    let waiting =
        serving.until("one waits", || serving.store.queue("p").into_iter().find(|row| row["state"] == "waiting"));
    let waiting = text(&waiting, "run");
    let asked = serving.sluicebox(&["cancel", waiting, "--format", "json"]).with_code(0).json();
    assert_eq!((text(&asked, "run"), asked["asked"].as_bool()), (waiting, Some(true)), "{asked}");
    assert_eq!(behind.wait().unwrap().code(), Some(1));
    assert_eq!(text(&serving.runs("p", "cancelled", 1)[0], "id"), waiting);
    let late = serving.sluicebox(&["cancel", waiting]).with_code(2);
    assert!(late.stderr.contains("has ended already: "), "{}", late.stderr);
    serving.sluicebox(&["cancel", text(&running[0], "id")]).with_code(0);
    assert_eq!(long.wait().unwrap().code(), Some(1));
    serving.runs("long", "cancelled", 1);
    for pipeline in ["p", "long"] {
        serving.events(pipeline, "cancelled", 1);
    }
    serving.end();
}

/// Whoever waits for a run is told when nobody is left to run it.
#[test]
fn a_command_does_not_wait_for_a_host_that_is_gone() {
    let project = project();
    project.file("long.toml", slow("long", 60.0, "every = '1h'", ""));
    let serving = Serving::begin(&project);
    let long = project.command(&["run", "long.toml"]).stderr(std::process::Stdio::piped()).spawn().unwrap();
    serving.runs("long", "running", 1);
    serving.kill();
    let ended = long.wait_with_output().unwrap();
    let told = String::from_utf8_lossy(&ended.stderr).into_owned();
    assert_eq!(ended.status.code(), Some(2), "{told}");
    assert!(told.contains("has ended, and it has no end") && told.contains("`sluicebox serve` goes on"), "{told}");
}

#[test]
fn the_past_is_filled_in_by_the_host() {
    let project = project();
    project.file("p.toml", quick("p", "every = '1h'", ""));
    let serving = Serving::begin(&project);
    let days = ["backfill", "p.toml", "--from", "2026-01-01", "--to", "2026-01-04", "--format", "json"];
    let filled = serving.sluicebox(&days).with_code(0);
    assert!(filled.stderr.contains("the host that serves here runs them"), "{}", filled.stderr);
    let outcomes = |filled: &serde_json::Value| -> Vec<String> {
        filled["intervals"].as_array().unwrap().iter().map(|line| text(line, "outcome").to_owned()).collect()
    };
    assert_eq!(outcomes(&filled.json()), ["succeeded"; 3]);
    assert_eq!(rows(&project, "p"), 9);
    let runs = serving.store.runs("p");
    assert!(runs.len() == 3 && runs.iter().all(|run| run["trigger"] == "backfill"), "{runs:?}");
    super::assert_chained(&runs);
    assert_eq!(outcomes(&serving.sluicebox(&days).with_code(0).json()), ["skipped"; 3]);

    // One that cannot run stops no other; a broken edit is not run, so the fault is one of the data.
    project.file("in/rows.csv", "id,name\n1,a\n2\n");
    let more = ["backfill", "p.toml", "--from", "2026-01-03", "--to", "2026-01-06", "--format", "json"];
    assert_eq!(outcomes(&serving.sluicebox(&more).with_code(1).json()), ["skipped", "failed", "failed"]);
    let wrong = serving.sluicebox(&["backfill", "p.toml", "--from", "2026-01-03", "--to", "2026-01-01"]).with_code(2);
    assert!(wrong.stderr.contains("--to 2026-01-01"), "{}", wrong.stderr);
    serving.end();
}

#[test]
fn rows_that_were_set_aside_have_their_second_life_by_the_host() {
    let rule = |least: i32| {
        let check =
            "[[stage]]\nname = 'check'\nplugin = 'validate-rules'\nconfig.rules = [{ column = 'id', between = [";
        quick("p", "every = '1h'", "")
            .replace("[[stage]]\nname = 'nap'", &format!("{check}{least}, 9] }}]\n\n[[stage]]\nname = 'nap'"))
    };
    let project = project();
    project.file("p.toml", rule(2));
    let serving = Serving::begin(&project);
    let first = serving.sluicebox(&["run", "p.toml", "--format", "json"]).with_code(0).json();
    assert_eq!(rows(&project, "p"), 2);
    let failed = serving.sluicebox(&["quarantine", "replay", "last", "--stage", "out"]).with_code(2);
    assert!(failed.stderr.contains("waits to be replayed"), "{}", failed.stderr);

    project.file("p.toml", rule(1));
    let replayed = serving.sluicebox(&["quarantine", "replay", "last", "--format", "json"]).with_code(0).json();
    assert_eq!((text(&replayed, "trigger"), &replayed["repeats"]), ("replay", &first["id"]), "{replayed}");
    assert_eq!(rows(&project, "p"), 3);
    let again = serving.sluicebox(&["quarantine", "replay", text(&first, "id")]).with_code(2);
    assert!(again.stderr.contains("waits to be replayed"), "{}", again.stderr);
    serving.end();
}

#[test]
fn a_second_host_is_refused() {
    let project = project();
    project.file("p.toml", quick("p", "every = '1h'", ""));
    let serving = Serving::begin(&project);
    let second = project.sluicebox(&["serve", "--address", "127.0.0.1:0"]).with_code(2);
    assert!(second.stderr.contains("sluicebox serve"), "{}", second.stderr);
    serving.sluicebox(&["runs"]).with_code(0);
    // The first is none the worse: it still says where it answers.
    serving.sluicebox(&["pause", "p"]).with_code(0);
    serving.events("p", "paused", 1);
    serving.end();
}

#[test]
fn a_hostile_pipeline_does_not_make_a_good_one_late() {
    let project = project();
    project.file("sluicebox.toml", "[serve]\nruns = 4\n");
    project.file("good.toml", quick("good", "every = '1s'\noverlap = 'queue'", ""));
    for (name, mode) in [("loop", "mode = 'loop'"), ("eats", "mode = 'eat-slowly'"), ("panics", "mode = 'panic'")] {
        let limits = "}\nlimits = { call = '1500ms', memory = '64MiB' }\n";
        let file =
            quick(name, "every = '1s'", "").replace("mode = 'sleep', seconds = 0 }\n", &format!("{mode} {limits}"));
        project.file(&format!("{name}.toml"), file);
    }
    let serving = Serving::begin(&project);
    serving.runs("good", "succeeded", 10);
    serving.runs("loop", "failed", 2);
    serving.runs("eats", "failed", 2);
    serving.runs("panics", "failed", 2);
    let store = serving.end();
    let late = |name: &str| -> Vec<i64> {
        let queue = store.queue(name);
        let started = queue.iter().filter(|row| row["started_at"].is_i64());
        let mut late: Vec<i64> = started.map(|row| (at(row, "started_at") - at(row, "ready_at")) / 1_000_000).collect();
        late.sort_unstable();
        late
    };
    let good = late("good");
    eprintln!("milliseconds late beside three hostile pipelines: {good:?}");
    let median = good[good.len() / 2];
    assert!(median < 250 && good[good.len() - 1] < 2 * SECOND / 1_000_000, "{good:?}");
    let good = store.runs("good");
    assert!(good.iter().all(|run| run["state"] == "succeeded"));
    assert_eq!(rows(&project, "good"), 3 * good.len());
    for name in ["loop", "eats", "panics"] {
        assert_eq!(rows(&project, name), 0);
    }
}
