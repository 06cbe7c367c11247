//! A run is due while the one before is under way.

use super::{assert_chained, decided, rows};
use sluicebox_tests::serving::{SECOND, Serving, at, project, slow, text};

#[test]
fn one_that_is_due_meanwhile_is_left_out() {
    let project = project();
    project.file("p.toml", slow("p", 1.5, "every = '1s'\noverlap = 'skip'", ""));
    let serving = Serving::begin(&project);
    let skipped = serving.events("p", "skipped", 2);
    assert!(text(&skipped[0], "reason").contains("`overlap = \"skip\"`"), "{}", skipped[0]);
    let runs = serving.runs("p", "succeeded", 2);
    let store = serving.end();
    // Never two at once, and the times in between are told as left out.
    assert!(at(&runs[1], "started_at") > at(&runs[0], "ended_at"), "{runs:?}");
    assert!(at(&runs[1], "interval_end") >= at(&runs[0], "interval_end") + 2 * SECOND, "{runs:?}");
    let mut nominal: Vec<String> = decided(&store, "p").into_iter().map(|(nominal, _)| nominal).collect();
    nominal.dedup();
    assert_eq!(nominal.len(), decided(&store, "p").len(), "each time is decided once");
    assert_eq!(rows(&project, "p"), 3 * store.runs("p").iter().filter(|run| run["state"] == "succeeded").count());
}

#[test]
fn one_that_is_due_meanwhile_waits_and_the_queue_survives_the_host() {
    let project = project();
    project.file("p.toml", slow("p", 1.5, "every = '1s'\noverlap = 'queue'", ""));
    let serving = Serving::begin(&project);
    let waiting = |serving: &Serving<'_>| {
        let mut queue = serving.store.queue("p");
        queue.retain(|row| row["state"] == "waiting");
        queue
    };
    let before = serving.until("two wait", || Some(waiting(&serving)).filter(|queue| queue.len() >= 2));
    serving.kill();
    // Without the schedule: only what waits runs.
    project.file("p.toml", slow("p", 0.0, "when = { file = 'in/never' }", ""));
    let serving = Serving::begin(&project);
    serving.until("nothing waits or runs", || {
        serving.store.queue("p").iter().all(|row| row["settled_at"].is_i64()).then_some(())
    });
    let store = serving.end();
    for row in before {
        let run = text(&row, "run");
        let runs = store.runs("p");
        let ran = runs.iter().find(|other| other["id"] == run).unwrap_or_else(|| panic!("{run} never ran"));
        assert_eq!(ran["state"], "succeeded", "{ran}");
        assert_eq!((at(ran, "interval_end"), text(ran, "trigger")), (at(&row, "nominal"), "schedule"));
    }
    let mut good = store.runs("p");
    good.retain(|run| run["state"] == "succeeded");
    // Also the one that was interrupted: it runs again before those that were due later.
    assert_chained(&good);
    assert_eq!(good.len(), store.events(Some("p"), "fired").len(), "each time ran well once");
    assert_eq!(rows(&project, "p"), 3 * good.len());
}

#[test]
fn the_one_under_way_is_cancelled() {
    let project = project();
    project.file("p.toml", slow("p", 60.0, "every = '1s'\noverlap = 'cancel'", ""));
    let serving = Serving::begin(&project);
    serving.runs("p", "cancelled", 2);
    let fired = serving.events("p", "fired", 3);
    assert!(serving.log().contains("the next run is due"), "{}", serving.log());
    assert_eq!(rows(&project, "p"), 0);
    let running = serving.runs("p", "running", 1);
    assert_eq!(running.len(), 1);
    assert!(fired.len() >= 3);
    // One that is asked to stop at once leaves the last to the next start.
    serving.signal("TERM");
    serving.tells("may go on for");
    serving.signal("TERM");
    serving.ended();
}
