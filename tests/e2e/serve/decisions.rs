//! What was decided can be read, with its reason; and what says something of times means something without them, or is told.

use serde_json::Value;
use sluicebox_tests::serving::{Serving, project, quick, slow, text};
use std::process::{Command, Stdio};

/// What the API answers.
pub(super) fn get(serving: &Serving<'_>, path: &str) -> Value {
    let said = Command::new("curl").arg("--silent").arg(format!("{}{path}", serving.url())).output().unwrap();
    serde_json::from_slice(&said.stdout).unwrap_or_else(|error| panic!("{path}: {error}"))
}

#[test]
fn fires_skips_and_requests_are_told_with_their_reasons() {
    let project = project();
    project.file("p.toml", slow("p", 2.5, "every = '1s'", "")).file("other.toml", quick("other", "every = '1s'", ""));
    let serving = Serving::begin(&project);
    serving.events("p", "skipped", 1);
    serving.sluicebox(&["pause", "other", "--reason", "the source is moved"]).with_code(0);
    serving.runs("p", "succeeded", 1);
    let events = get(&serving, "/api/v1/events?pipeline=p&kind=fired,skipped");
    let events = events["events"].as_array().unwrap();
    assert!(events.len() >= 2 && events.iter().all(|event| event["pipeline"] == "p"), "{events:?}");
    let ids: Vec<u64> = events.iter().map(|event| event["id"].as_u64().unwrap()).collect();
    assert!(ids.is_sorted_by(|one, other| one > other), "the newest first: {ids:?}");
    for event in events {
        let wanted = if event["event"] == "fired" { "is due" } else { "`overlap = \"skip\"`" };
        assert!(text(event, "reason").contains(wanted), "{event}");
    }
    // Page after page, forward.
    let page = get(&serving, "/api/v1/events?after=0&limit=2");
    let next = page["next"].as_u64().unwrap();
    let more = get(&serving, &format!("/api/v1/events?after={next}&limit=1"));
    assert_eq!(page["events"][0]["event"], "pipeline-loaded", "{page}");
    assert!(more["events"][0]["id"].as_u64() > Some(next), "{more}");
    let wrong = get(&serving, "/api/v1/events?kind=skiped");
    assert!(text(&wrong["error"], "help").contains("`skipped`"), "{wrong}");

    let past = serving.sluicebox(&["schedule", "p", "--past"]).with_code(0).stdout;
    assert!(past.contains("skipped") && past.contains("overlap") && past.contains("is due"), "{past}");
    let past = serving.sluicebox(&["schedule", "other", "--past", "500"]).with_code(0).stdout;
    assert!(past.contains("paused") && past.contains("the source is moved"), "{past}");
    let past = serving.sluicebox(&["schedule", "other", "--past", "1"]).with_code(0).stdout;
    assert_eq!(past.trim_end().lines().count(), 2, "{past}");
    serving.sluicebox(&["docs", ".", "-o", "site"]).with_code(0);
    let page = project.read("site/pipelines/p.html");
    assert!(page.contains("What did not run as planned") && page.contains("overlap"), "{page}");
    serving.signal("TERM");
    serving.ended();
}

#[test]
fn what_follows_any_end_follows_one_that_was_cancelled() {
    let project = project();
    project.file("a.toml", slow("a", 60.0, "every = '1h'", ""));
    project.file("any.toml", quick("any", "after = { pipelines = ['a'], on = 'any' }", ""));
    project.file("well.toml", quick("well", "after = ['a']", ""));
    let serving = Serving::begin(&project);
    let mut asked = project.command(&["run", "a.toml"]).stderr(Stdio::null()).spawn().unwrap();
    let running = serving.runs("a", "running", 1);
    serving.sluicebox(&["cancel", text(&running[0], "id")]).with_code(0);
    assert_eq!(asked.wait().unwrap().code(), Some(1));
    let cancelled = serving.runs("a", "cancelled", 1);
    let any = serving.runs("any", "succeeded", 1);
    assert_eq!(super::intervals(&any), super::intervals(&cancelled));
    let missed = serving.events("well", "dependency-missed", 1);
    assert!(text(&missed[0], "reason").contains("`a` cancelled"), "{}", missed[0]);
    let store = serving.end();
    assert_eq!(store.runs("well").len(), 0);
}

#[test]
fn a_deadline_holds_for_what_follows() {
    let project = project();
    project.file("a.toml", quick("a", "every = '1h'", ""));
    let told = "[[alert]]\non = ['deadline']\ncommand = ['tee', '-a', 'told.jsonl']";
    project.file("b.toml", slow("b", 4.0, "after = ['a']\ndeadline = '500ms'\noverlap = 'queue'\njitter = '1m'", told));
    let checked = project.sluicebox(&["check", "b.toml"]);
    for key in ["`overlap`", "`jitter`"] {
        let line = checked.stderr.lines().chain(checked.stdout.lines()).find(|line| line.contains(key));
        assert!(
            line.is_some_and(|line| line.contains("means nothing without `cron` or `every`")),
            "{}",
            checked.stderr
        );
    }
    let serving = Serving::begin(&project);
    serving.sluicebox(&["run", "a.toml"]).with_code(0);
    let missed = serving.events("b", "deadline-missed", 1);
    // Told while it runs, and it goes on.
    assert_eq!(serving.store.runs("b")[0]["state"], "running");
    let b = serving.runs("b", "succeeded", 1);
    assert_eq!(missed[0]["run"], b[0]["id"]);
    serving.until("it is told", || project.has("told.jsonl").then_some(()));
    let store = serving.end();
    assert_eq!(store.events(Some("b"), "deadline-missed").len(), 1);
    assert_eq!(store.alerts("b").len(), 1);
}

#[test]
fn a_circle_is_told_while_the_host_serves() {
    let project = project();
    project.file("a.toml", quick("a", "every = '1h'", "")).file("b.toml", quick("b", "after = ['a']", ""));
    let serving = Serving::begin(&project);
    assert_eq!(get(&serving, "/api/v1/pipelines/a")["problems"], serde_json::json!([]));
    project.file("a.toml", quick("a", "after = ['b']", ""));
    let told = serving.until("it is told", || serving.store.events(None, "dependencies-wrong").pop());
    let problem = told["problems"][0].as_str().unwrap();
    assert!(problem.contains("in a circle") && problem.contains("a -> b -> a"), "{told}");
    for name in ["a", "b"] {
        let shown = get(&serving, &format!("/api/v1/pipelines/{name}"));
        assert_eq!(shown["problems"][0], problem, "{shown}");
    }
    project.file("a.toml", quick("a", "every = '2h'", ""));
    serving.until("all is well again", || {
        serving.store.events(None, "dependencies-wrong").pop().filter(|told| told["problems"] == serde_json::json!([]))
    });
    assert_eq!(get(&serving, "/api/v1/pipelines/b")["problems"], serde_json::json!([]));
    serving.end();
}

#[test]
fn files_that_arrive_while_it_is_paused_are_told_and_start_a_run_later() {
    let project = project();
    project.file("p.toml", quick("p", "when = { file = 'in/*.csv', settled = '100ms' }", ""));
    let serving = Serving::begin(&project);
    serving.runs("p", "succeeded", 1);
    serving.sluicebox(&["pause", "p"]).with_code(0);
    project.file("in/more.csv", "id,name\n9,z\n");
    let held = serving.events("p", "files-held", 1);
    assert!(held[0]["files"].as_array().unwrap().contains(&"in/more.csv".into()), "{}", held[0]);
    assert!(text(&held[0], "reason").contains("paused"), "{}", held[0]);
    assert_eq!(serving.store.runs("p").len(), 1);
    serving.sluicebox(&["resume", "p"]).with_code(0);
    let triggered = serving.events("p", "file-triggered", 2);
    assert_eq!(triggered[1]["files"], serde_json::json!(["in/more.csv"]));
    serving.runs("p", "succeeded", 2);
    let store = serving.end();
    assert_eq!(store.events(Some("p"), "files-held").len(), 1);
}

#[test]
fn a_jitter_is_shown_with_the_next_times() {
    let project = project();
    project.file("p.toml", quick("p", "every = '1h'\njitter = '10m'", ""));
    let from = ["--from", "2026-03-07T00:00:00Z", "--next", "2"];
    let shown = project.sluicebox(&[&["schedule", "p", "--format", "json"][..], &from].concat()).with_code(0).json();
    let (at, begins) = (text(&shown["next"][0], "at"), text(&shown["next"][0], "begins"));
    assert_eq!(at, "2026-03-07T01:00:00Z");
    assert!(begins > at && begins < "2026-03-07T01:10:00Z", "{shown}");
    let told = project.sluicebox(&[&["schedule", "p"][..], &from].concat()).with_code(0).stdout;
    assert!(told.contains("begins"), "{told}");
}
