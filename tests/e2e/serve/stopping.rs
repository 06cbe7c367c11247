//! The host is asked to end.

use super::rows;
use sluicebox_tests::serving::{Serving, at, project, slow, text};
use std::time::{Duration, Instant};

#[test]
fn a_run_under_way_ends_and_no_other_begins() {
    let project = project();
    project.file("sluicebox.toml", "[serve]\ngrace = '60s'\n");
    project.file("p.toml", slow("p", 2.0, "every = '1s'\noverlap = 'queue'", ""));
    let serving = Serving::begin(&project);
    serving.runs("p", "running", 1);
    serving.until("one waits", || serving.store.queue("p").iter().any(|row| row["state"] == "waiting").then_some(()));
    let begun = serving.store.runs("p").len();
    serving.signal("TERM");
    serving.tells("1 runs under way may go on for");
    assert_eq!(serving.ended().code(), Some(0));
    let store = &serving.store;
    assert_eq!(store.runs("p").len(), begun, "no other begins");
    assert!(store.runs("p").iter().all(|run| run["state"] == "succeeded"));
    let stopped = store.events(None, "serve-stopped");
    assert!(text(stopped.last().unwrap(), "reason").contains("asked to by a signal"), "{stopped:?}");
    // What waits goes on waiting.
    assert!(store.queue("p").iter().any(|row| row["state"] == "waiting"));
    assert!(!project.has(".sluicebox/serve.json"));
}

#[test]
fn a_run_that_is_longer_than_the_grace_is_finished_by_the_next_host() {
    long(&project(), "100ms", 1);
}

/// The host is asked to end, so often, while a run is under way that takes its time; the next host finishes the run.
fn long(project: &sluicebox_tests::Project, grace: &str, signals: usize) {
    project.file("sluicebox.toml", format!("[serve]\ngrace = '{grace}'\n"));
    project.file("p.toml", slow("p", 5.0, "every = '1s'\noverlap = 'skip'", ""));
    let serving = Serving::begin(project);
    let running = serving.runs("p", "running", 1);
    let start = Instant::now();
    serving.signal("TERM");
    for _ in 1..signals {
        serving.tells("may go on for");
        serving.signal("TERM");
    }
    assert_eq!(serving.ended().code(), Some(0), "{}", serving.log());
    assert!(start.elapsed() < Duration::from_secs(5), "it did not wait for the run: {:?}", start.elapsed());
    assert!(serving.log().contains("the next start finishes 1 runs"), "{}", serving.log());
    drop(serving);

    project.file("p.toml", slow("p", 0.0, "when = { file = 'in/never' }", ""));
    let serving = Serving::begin(project);
    // It runs again with what it was made with: its own file, and its nap.
    let again = serving.runs("p", "succeeded", 1);
    let store = serving.end();
    assert_eq!((again[0]["repeats"].as_str(), text(&again[0], "trigger")), (running[0]["id"].as_str(), "rerun"));
    assert_eq!(at(&again[0], "interval_start"), at(&running[0], "interval_start"));
    assert_eq!(rows(project, "p"), 3);
    assert!(store.queue("p").iter().all(|row| row["settled_at"].is_i64()));
}

#[test]
fn a_second_signal_ends_it_at_once() {
    long(&project(), "10m", 2);
}
