//! `sluicebox serve`: pipelines that run by themselves.

mod alerts;
mod beside;
mod catch_up;
mod commits;
mod decisions;
mod deploy;
mod edits;
mod files;
mod following;
mod killed;
mod overlap;
mod pausing;
mod reached;
mod refused;
mod rooms;
mod stopping;
mod streams;
mod times;
mod warehouse;

use serde_json::Value;
use sluicebox_tests::Project;
use sluicebox_tests::serving::Store;

/// How many rows a pipeline of [`sluicebox_tests::serving::slow`] has loaded in all: three a run.
fn rows(project: &Project, pipeline: &str) -> usize {
    sluicebox_tests::crash::shown(project, &format!("out/{pipeline}")).len()
}

/// The intervals of some runs, as they stand in the store.
fn intervals(runs: &[Value]) -> Vec<(i64, i64)> {
    use sluicebox_tests::serving::at;
    runs.iter().map(|run| (at(run, "interval_start"), at(run, "interval_end"))).collect()
}

/// Fails the test unless each interval begins where the one before it ends.
#[track_caller]
fn assert_chained(runs: &[Value]) {
    let intervals = intervals(runs);
    for pair in intervals.windows(2) {
        assert_eq!(pair[0].1, pair[1].0, "{intervals:?}");
    }
}

/// Times that a pipeline's schedule has decided on, in order: each has an event that says what became of it. Skips that
/// stand for several times count as one.
fn decided(store: &Store, pipeline: &str) -> Vec<(String, String)> {
    let mut all: Vec<(i64, String, String)> = Vec::new();
    for kind in ["fired", "caught-up", "skipped"] {
        for event in store.events(Some(pipeline), kind) {
            let nominal = event["nominal"].as_str().unwrap().to_owned();
            all.push((event["at"].as_i64().unwrap(), nominal, kind.to_owned()));
        }
    }
    all.sort();
    all.into_iter().map(|(_, nominal, kind)| (nominal, kind)).collect()
}
