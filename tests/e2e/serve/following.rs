//! Pipelines that follow others.

use super::{intervals, rows};
use sluicebox_tests::Project;
use sluicebox_tests::serving::{SECOND, Serving, at, project, quick, slow, text};

fn fails(name: &str, schedule: &str) -> String {
    quick(name, schedule, "").replace("mode = 'sleep', seconds = 0 ", "mode = 'fault', kind = 'invalid-data' ")
}

#[test]
fn pipelines_run_for_the_same_interval_one_after_the_other() {
    let project = project();
    project.file("a.toml", slow("a", 0.3, "every = '2s'", ""));
    project.file("b.toml", quick("b", "after = ['a']", ""));
    project.file("c.toml", quick("c", "after = ['a', 'b']", ""));
    let serving = Serving::begin(&project);
    serving.runs("c", "succeeded", 2);
    serving.signal("TERM");
    serving.ended();
    let store = &serving.store;
    let [a, b, c] = ["a", "b", "c"].map(|name| store.runs(name));
    let count = c.len();
    assert_eq!(intervals(&a)[..count], intervals(&b)[..count]);
    assert_eq!(intervals(&a)[..count], intervals(&c)[..count]);
    for ((a, b), c) in a.iter().zip(&b).zip(&c) {
        assert!(at(a, "ended_at") <= at(b, "started_at") && at(b, "ended_at") <= at(c, "started_at"), "{a} {b} {c}");
        assert_eq!((text(b, "trigger"), text(c, "trigger")), ("dependency", "dependency"));
    }
    let met = store.events(Some("c"), "dependency-met");
    let upstream: Vec<&str> = met[0]["upstream"].as_array().unwrap().iter().filter_map(|run| run.as_str()).collect();
    assert!(upstream.contains(&text(&a[0], "id")) && upstream.contains(&text(&b[0], "id")), "{}", met[0]);
    assert_eq!(rows(&project, "c"), 3 * count);
}

#[test]
fn what_fails_is_followed_by_those_that_take_any_end() {
    let project = project();
    project.file("a.toml", fails("a", "every = '1s'\npause-after = 2"));
    project.file("b.toml", quick("b", "after = ['a']", ""));
    project.file("c.toml", quick("c", "after = { pipelines = ['a'], on = 'any' }", ""));
    let serving = Serving::begin(&project);
    serving.runs("c", "succeeded", 2);
    let missed = serving.events("b", "dependency-missed", 1);
    assert!(text(&missed[0], "reason").contains('a'), "{}", missed[0]);
    let store = serving.end();
    assert_eq!(store.runs("b").len(), 0);
    assert_eq!(store.runs("a").len(), store.runs("c").len());
}

#[test]
fn a_rerun_that_succeeds_is_followed() {
    let project = project();
    project.file("a.toml", fails("a", "every = '1s'\npause-after = 1"));
    project.file("b.toml", quick("b", "after = ['a']", ""));
    let serving = Serving::begin(&project);
    let failed = serving.runs("a", "failed", 1);
    serving.events("a", "paused", 1);
    project.file("a.toml", quick("a", "every = '1s'", ""));
    serving.events("a", "pipeline-loaded", 2);
    serving.sluicebox(&["rerun", text(&failed[0], "id"), "--latest"]).with_code(0);
    let b = serving.runs("b", "succeeded", 1);
    assert_eq!(intervals(&b)[0], intervals(&failed)[0]);
    serving.end();
}

const LATE: &str = "[[alert]]\non = ['late']\ncommand = ['tee', '-a', 'late.jsonl']";

#[test]
fn what_is_waited_for_too_long_is_told_also_by_the_next_host() {
    let project = project();
    project
        .file("a.toml", quick("a", "every = '1s'\npause-after = 1", ""))
        .file("x.toml", quick("x", "every = '1h'", ""));
    let never = "after = { pipelines = ['a', 'x'], within = '3s' }";
    project.file("b.toml", quick("b", never, LATE));
    let serving = Serving::begin(&project);
    serving.runs("a", "succeeded", 1);
    serving.sluicebox(&["pause", "a"]).with_code(0);
    serving.kill();
    let serving = Serving::begin(&project);
    let missed = serving.events("b", "dependency-missed", 1);
    assert!(text(&missed[0], "reason").contains("`x`"), "{}", missed[0]);
    serving.until("it is told", || project.has("late.jsonl").then_some(()));
    let store = serving.end();
    assert_eq!(store.runs("b").len(), 0);
    let a = store.runs("a").len();
    assert!(store.events(Some("b"), "dependency-missed").len() <= a);
}

#[test]
fn both_have_to_have_run() {
    let project = project();
    project.file("a.toml", quick("a", "every = '2s'", "")).file("x.toml", slow("x", 0.7, "every = '2s'", ""));
    project.file("b.toml", quick("b", "after = { pipelines = ['a', 'x'], within = '1h' }", ""));
    let serving = Serving::begin(&project);
    let b = serving.runs("b", "succeeded", 1);
    let x = serving.store.runs("x");
    assert!(at(&b[0], "started_at") >= at(&x[0], "ended_at"));
    assert_eq!(intervals(&b)[0], intervals(&x)[0]);
    let store = serving.end();
    assert_eq!(store.events(Some("b"), "dependency-missed").len(), 0);
}

/// What is waited for is decided by the file as it is at the deadline, not as it was when the waiting began.
#[test]
fn an_edit_while_it_waits_counts_at_the_deadline() {
    let project = project();
    project.file("a.toml", fails("a", "every = '1h'"));
    project.file("b.toml", quick("b", "after = { pipelines = ['a'], within = '6s' }", ""));
    let serving = Serving::begin(&project);
    serving.sluicebox(&["run", "a.toml"]).with_code(1);
    let waits = serving.events("b", "dependency-missed", 1);
    assert!(text(&waits[0], "reason").contains("waits until"), "{}", waits[0]);
    project.file("b.toml", quick("b", "after = { pipelines = ['a'], on = 'any', within = '6s' }", ""));
    serving.events("b", "pipeline-loaded", 2);
    let b = serving.runs("b", "succeeded", 1);
    assert_eq!(intervals(&b), intervals(&serving.store.runs("a")));
    let store = serving.end();
    assert_eq!(store.events(Some("b"), "dependency-missed").len(), 1);
}

/// As if all that happened so far had happened so many seconds before.
fn long_ago(project: &Project, seconds: i64) {
    let connection = rusqlite::Connection::open(project.path().join(".sluicebox/store.sqlite")).unwrap();
    // The store keeps runs that have ended from being changed.
    let mut select = connection
        .prepare("SELECT name, sql FROM sqlite_master WHERE type = 'trigger' AND tbl_name IN ('runs', 'house_events')")
        .unwrap();
    let triggers: Vec<(String, String)> =
        select.query_map([], |row| Ok((row.get(0)?, row.get(1)?))).unwrap().map(Result::unwrap).collect();
    let ago = seconds * SECOND;
    let mut steps: Vec<String> = triggers.iter().map(|(name, _)| format!("DROP TRIGGER {name};")).collect();
    steps.push(format!(
        "UPDATE runs SET queued_at = queued_at - {ago}, started_at = started_at - {ago}, ended_at = ended_at - {ago};
         UPDATE house_events SET at = at - {ago};"
    ));
    steps.extend(triggers.iter().map(|(_, sql)| format!("{sql};")));
    connection.execute_batch(&steps.join("\n")).unwrap();
}

#[test]
fn a_time_that_passes_while_no_host_serves_is_told_by_the_next() {
    let project = project();
    project.file("a.toml", quick("a", "every = '12h'", "")).file("x.toml", quick("x", "every = '12h'", ""));
    project.file("b.toml", quick("b", "after = { pipelines = ['a', 'x'], within = '1h' }", LATE));
    let serving = Serving::begin(&project);
    serving.sluicebox(&["run", "a.toml"]).with_code(0);
    serving.end();
    long_ago(&project, 7200);
    let serving = Serving::begin(&project);
    let missed = serving.events("b", "dependency-missed", 1);
    assert!(text(&missed[0], "reason").contains("`x` has no run that ended"), "{}", missed[0]);
    serving.until("it is told", || project.has("late.jsonl").then_some(()));
    serving.end();
    // Once.
    let store = Serving::begin(&project).end();
    assert_eq!(store.events(Some("b"), "dependency-missed").len(), 1);
    assert_eq!((store.alerts("b").len(), store.runs("b").len()), (1, 0));
}

#[test]
fn what_is_run_by_hand_while_no_host_serves_is_followed_by_the_next() {
    let project = project();
    project.file("a.toml", quick("a", "every = '12h'", "")).file("b.toml", quick("b", "after = ['a']", ""));
    // Before the first host there is nobody to follow.
    project.sluicebox(&["run", "a.toml"]).with_code(0);
    Serving::begin(&project).end();
    project.sluicebox(&["run", "a.toml"]).with_code(0);
    let serving = Serving::begin(&project);
    let b = serving.runs("b", "succeeded", 1);
    let a = serving.store.runs("a");
    assert_eq!((intervals(&b)[0], text(&b[0], "trigger")), (intervals(&a)[1], "dependency"));
    serving.end();
    let store = Serving::begin(&project).end();
    assert_eq!(store.queue("b").len(), 1, "{:?}", store.queue("b"));
}
