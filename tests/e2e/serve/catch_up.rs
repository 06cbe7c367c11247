//! Times that passed while the host was down, and runs that are late.

use super::{assert_chained, decided, rows};
use serde_json::Value;
use sluicebox_tests::Project;
use sluicebox_tests::serving::{SECOND, Serving, Store, at, project, quick, slow, text, until};
use std::path::Path;
use std::time::SystemTime;

/// Nanoseconds since 1970.
fn now() -> i64 {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap();
    i64::try_from(now.as_nanos()).unwrap()
}

fn caught_up(store: &Store) -> Vec<Value> {
    let mut runs = store.runs("p");
    let of = store.events(Some("p"), "caught-up");
    runs.retain(|run| of.iter().any(|event| event["run"] == run["id"]));
    runs
}

#[test]
fn none_is_made_up_for() {
    let project = project();
    project.file("p.toml", quick("p", "every = '10s'\ncatch-up = 'none'", ""));
    Serving::begin(&project).end();
    pretend(&project, 300);
    let serving = Serving::begin(&project);
    let skipped = serving.events("p", "skipped", 1);
    let store = serving.end();
    assert!(text(&skipped[0], "reason").contains("`catch-up = \"none\"`"), "{}", skipped[0]);
    // All of it in one event.
    assert!(text(&skipped[0], "reason").contains(" fires from "), "{}", skipped[0]);
    assert_eq!(caught_up(&store).len(), 0);
}

#[test]
fn only_the_latest_is_made_up_for() {
    let project = project();
    project.file("p.toml", quick("p", "every = '100s'\ncatch-up = 'latest'", ""));
    Serving::begin(&project).end();
    pretend(&project, 1000);
    let serving = Serving::begin(&project);
    serving.runs("p", "succeeded", 1);
    let store = serving.end();
    let skipped = store.events(Some("p"), "skipped");
    assert_eq!(skipped.len(), 1, "{skipped:?}");
    assert!(text(&skipped[0], "reason").contains("a later one runs (`catch-up = \"latest\"`)"), "{}", skipped[0]);
    // On time if it was due only just now.
    let (caught, fired) = (store.events(Some("p"), "caught-up"), store.events(Some("p"), "fired"));
    assert!((1..=2).contains(&(caught.len() + fired.len())), "{caught:?} {fired:?}");
    for event in caught {
        assert!(text(&event, "reason").contains("was missed and is made up for"), "{event}");
    }
    assert_eq!(rows(&project, "p"), 3 * store.runs("p").len());
}

/// As if the schedule of `p` had been decided on until so long ago.
pub(super) fn pretend(project: &Project, seconds: i64) {
    pretend_of(project, "p", seconds);
}

/// The same of any pipeline.
pub(super) fn pretend_of(project: &Project, pipeline: &str, seconds: i64) {
    let connection = rusqlite::Connection::open(project.path().join(".sluicebox/store.sqlite")).unwrap();
    connection
        .execute(
            "INSERT INTO schedules (pipeline, decided_until) VALUES (?2, ?1)
             ON CONFLICT (pipeline) DO UPDATE SET decided_until = ?1",
            rusqlite::params![now() - seconds * SECOND, pipeline],
        )
        .unwrap();
}

#[test]
fn all_are_made_up_for_in_order() {
    let project = project();
    project.file("p.toml", quick("p", "every = '100s'\ncatch-up = 'all'\noverlap = 'queue'", ""));
    Serving::begin(&project).end();
    pretend(&project, 1000);
    let serving = Serving::begin(&project);
    serving.runs("p", "succeeded", 9);
    let store = serving.end();
    let runs = store.runs("p");
    assert!((9..=12).contains(&runs.len()), "{}", runs.len());
    assert_chained(&runs);
    assert!(runs.windows(2).all(|pair| at(&pair[0], "ended_at") <= at(&pair[1], "started_at")), "one after the other");
    assert!(caught_up(&store).len() >= 9);
    assert_eq!(rows(&project, "p"), 3 * runs.len());
    assert_eq!(store.events(Some("p"), "skipped").len(), 0);
    // They are decided on once: the next host finds nothing to do.
    let serving = Serving::begin(&project);
    let store = serving.end();
    assert!(store.runs("p").len() <= runs.len() + 1);
}

#[test]
fn while_all_are_made_up_for_nothing_is_skipped_or_cancelled() {
    for overlap in ["skip", "cancel"] {
        let project = project();
        // Those of the last minute count as on time, and meet the runs that make up for the ones before.
        let schedule = format!("every = '10s'\ncatch-up = 'all'\noverlap = '{overlap}'");
        project.file("p.toml", quick("p", &schedule, ""));
        Serving::begin(&project).end();
        pretend(&project, 120);
        let serving = Serving::begin(&project);
        serving.runs("p", "succeeded", 11);
        let store = serving.end();
        let runs = store.runs("p");
        assert_chained(&runs);
        assert!((3..=8).contains(&caught_up(&store).len()), "{overlap}: {}", caught_up(&store).len());
        assert!(store.events(Some("p"), "fired").len() >= 4, "{overlap}");
        assert_eq!(store.events(Some("p"), "skipped"), Vec::<Value>::new(), "{overlap}");
        assert!(runs.iter().all(|run| run["state"] == "succeeded"), "{overlap}: {runs:?}");
    }
}

#[test]
fn what_was_missed_long_ago_is_left_out() {
    let project = project();
    project.file(
        "p.toml",
        quick("p", "every = '100s'\ncatch-up = 'all'\noverlap = 'queue'\ncatch-up-window = '350s'", ""),
    );
    Serving::begin(&project).end();
    pretend(&project, 1000);
    let serving = Serving::begin(&project);
    serving.runs("p", "succeeded", 3);
    let store = serving.end();
    let skipped = store.events(Some("p"), "skipped");
    assert_eq!(skipped.len(), 1, "{skipped:?}");
    assert!(text(&skipped[0], "reason").contains("`catch-up-window`"), "{}", skipped[0]);
    let caught = caught_up(&store).len();
    assert!((2..=4).contains(&caught), "{caught}");
}

#[test]
fn seconds_that_pass_between_two_hosts_are_not_lost() {
    let project = project();
    project.file("p.toml", quick("p", "every = '1s'\ncatch-up = 'all'\noverlap = 'queue'", ""));
    let serving = Serving::begin(&project);
    serving.runs("p", "succeeded", 1);
    let store = serving.end();
    let last = at(store.runs("p").last().unwrap(), "interval_end");
    until("three seconds pass", String::new, || (now() > last + 3 * SECOND).then_some(()));
    let serving = Serving::begin(&project);
    serving.runs("p", "succeeded", store.runs("p").len() + 4);
    let store = serving.end();
    let mut runs = store.runs("p");
    runs.retain(|run| run["state"] == "succeeded");
    assert_chained(&runs);
    assert_eq!(rows(&project, "p"), 3 * runs.len());
    let decided = decided(&store, "p");
    assert!(decided.iter().all(|(_, kind)| kind != "skipped"), "{decided:?}");
}

#[test]
fn the_delay_of_a_pipeline_is_its_own_and_steady() {
    let project = project();
    for name in ["a", "b", "c"] {
        project.file(&format!("{name}.toml"), quick(name, "every = '2s'\njitter = '1s'", ""));
    }
    let serving = Serving::begin(&project);
    let mut delays = Vec::new();
    for name in ["a", "b", "c"] {
        serving.runs(name, "succeeded", 2);
        let queue = serving.store.queue(name);
        let delay: Vec<i64> = queue.iter().map(|row| at(row, "ready_at") - at(row, "nominal")).collect();
        assert!(delay.iter().all(|one| *one == delay[0] && (0..SECOND).contains(one)), "{name}: {delay:?}");
        // The interval is that of the schedule, whatever the delay.
        assert!(queue.iter().all(|row| at(row, "interval_end") % (2 * SECOND) == 0));
        assert!(queue.iter().all(|row| at(row, "queued_at") >= at(row, "ready_at")));
        delays.push(delay[0]);
    }
    delays.dedup();
    assert_eq!(delays.len(), 3, "{delays:?}");
    serving.end();
}

const TELLS: &str = "[[alert]]\non = ['deadline', 'late']\ncommand = ['tee', '-a', 'told.jsonl']";

fn told(project: &Path) -> Vec<Value> {
    let text = std::fs::read_to_string(project.join("told.jsonl")).unwrap_or_default();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn a_missed_deadline_is_told_while_the_run_goes_on() {
    let project = project();
    project.file("p.toml", slow("p", 6.0, "every = '1h'\ncatch-up = 'latest'\ndeadline = '1s'", TELLS));
    Serving::begin(&project).end();
    pretend(&project, 3601);
    let serving = Serving::begin(&project);
    let missed = serving.events("p", "deadline-missed", 1);
    let run = text(&missed[0], "run").to_owned();
    serving.until("it is told", || (!told(project.path()).is_empty()).then_some(()));
    let ended = |run: &Value| !matches!(text(run, "state"), "queued" | "running");
    assert!(!serving.store.runs("p").iter().any(ended), "it goes on");
    serving.runs("p", "succeeded", 1);
    serving.end();
    let told = told(project.path());
    assert_eq!(told.len(), 1, "once: {told:?}");
    assert_eq!((text(&told[0], "kind"), text(&told[0], "run")), ("deadline", run.as_str()));
}

#[test]
fn a_run_that_waits_too_long_is_told_as_late() {
    let project = project();
    project.file("sluicebox.toml", "[serve]\nruns = 1\nlate-after = '1s'\n");
    let first = slow("first", 4.0, "every = '1s'", "");
    project.file("first.toml", first.replace("name = 'first'\n\n", "name = 'first'\npriority = 5\n\n"));
    project.file("p.toml", slow("p", 0.0, "every = '1s'", TELLS));
    let serving = Serving::begin(&project);
    let late = serving.events("p", "late", 1);
    assert!(late[0]["seconds"].as_u64().unwrap() >= 1, "{}", late[0]);
    serving.until("it is told", || (!told(project.path()).is_empty()).then_some(()));
    serving.end();
    assert_eq!(text(&told(project.path())[0], "kind"), "late");
}

#[test]
fn times_that_are_made_up_for_are_not_late_for_having_been_missed() {
    let project = project();
    project.file("p.toml", quick("p", "every = '100s'\ncatch-up = 'all'", TELLS));
    Serving::begin(&project).end();
    pretend(&project, 1000);
    // All of them were due longer ago than that, but for the last.
    project.file("sluicebox.toml", "[serve]\nlate-after = '150s'\n");
    let serving = Serving::begin(&project);
    serving.runs("p", "succeeded", 9);
    let store = serving.end();
    assert_eq!(store.events(Some("p"), "late"), Vec::<Value>::new());
    assert_eq!(store.alerts("p"), Vec::<Value>::new());
}

#[test]
fn a_missed_deadline_is_told_once_whatever_becomes_of_the_host() {
    let project = project();
    project.file("p.toml", slow("p", 4.0, "every = '1h'\ncatch-up = 'latest'\ndeadline = '1s'", TELLS));
    Serving::begin(&project).end();
    pretend(&project, 3601);
    let serving = Serving::begin(&project);
    serving.events("p", "deadline-missed", 1);
    serving.runs("p", "running", 1);
    serving.until("it is told", || (!told(project.path()).is_empty()).then_some(()));
    serving.kill();
    // The run that takes its place is of the same time.
    let serving = Serving::begin(&project);
    serving.runs("p", "succeeded", 1);
    let store = serving.end();
    assert_eq!(store.events(Some("p"), "deadline-missed").len(), 1);
    assert_eq!(store.alerts("p").len(), 1, "{:?}", store.alerts("p"));
    assert_eq!(store.runs("p").len(), 2);
}
