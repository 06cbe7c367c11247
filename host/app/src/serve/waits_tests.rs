#![allow(clippy::unwrap_used)]
use super::super::rows::{RunOptions, row};
use super::*;
use sluicebox_model::house::PausedState;
use sluicebox_model::run::{Interval, Trigger};

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap()
}

fn queued(pipeline: &str, trigger: Trigger, second: i64) -> QueuedRun {
    let interval = Interval { start: at(second), end: at(second) };
    let run = row(pipeline, None, trigger, interval, at(second)).unwrap();
    let nominal = (trigger == Trigger::Schedule).then_some(at(second));
    QueuedRun { run: RunId::new(at(second), [second.to_le_bytes()[0]; 10]), nominal, ..run }
}

fn paused(pipeline: &str) -> BTreeMap<String, ScheduleState> {
    let paused = PausedState { at: at(0), by: "cli".to_owned(), reason: "moving".to_owned() };
    BTreeMap::from([(pipeline.to_owned(), ScheduleState { decided_until: None, paused: Some(paused) })])
}

fn room(at_once: usize) -> Room {
    Room { at_once, pools: [("warehouse".to_owned(), 2)].into() }
}

#[test]
fn what_a_paused_pipeline_would_run_by_itself_waits_and_what_is_asked_for_does_not() {
    let states = paused("p");
    let held = |queued: &QueuedRun| held(queued, &states, at(100));
    let is_paused = |queued: &QueuedRun| matches!(held(queued), Some(Why::Paused { .. }));
    for trigger in [Trigger::Schedule, Trigger::Dependency] {
        assert!(is_paused(&queued("p", trigger, 1)), "{trigger:?}");
        assert_eq!(held(&queued("q", trigger, 1)), None);
    }
    for trigger in [Trigger::Manual, Trigger::Backfill, Trigger::Rerun, Trigger::Replay] {
        assert_eq!(held(&queued("p", trigger, 1)), None, "{trigger:?}");
    }
    // What takes the place of a run waits as that would: a retry, or after the death of the host.
    let retry = |of: QueuedRun, options: RunOptions| QueuedRun {
        trigger: Trigger::Rerun,
        repeats: Some(of.run),
        options: RunOptions { follows: rows::follows(&of), ..options }.value(),
        ..of
    };
    let again = RunOptions { retry: 1, ..RunOptions::default() };
    assert!(is_paused(&retry(queued("p", Trigger::Schedule, 1), again.clone())));
    assert!(is_paused(&retry(queued("p", Trigger::Dependency, 1), again.clone())));
    assert_eq!(held(&retry(queued("p", Trigger::Manual, 1), again)), None);
    let why = held(&queued("p", Trigger::Schedule, 1)).unwrap().to_string();
    assert_eq!(why, "`p` is paused (moving): it begins after `sluicebox resume p`");
    assert_eq!(held(&queued("q", Trigger::Schedule, 101)), Some(Why::Early(at(101))));
}

#[test]
fn a_run_that_is_held_holds_up_no_other() {
    let runs = [queued("p", Trigger::Schedule, 1), queued("p", Trigger::Manual, 2), queued("q", Trigger::Schedule, 3)];
    let runs: Vec<&QueuedRun> = runs.iter().collect();
    let verdicts = judge(&runs, std::iter::empty(), &paused("p"), &room(2), at(100));
    assert!(matches!(verdicts.as_slice(), [Err(Why::Paused { .. }), Ok(()), Ok(())]), "{verdicts:?}");
    let verdicts = judge(&runs, std::iter::empty(), &BTreeMap::new(), &room(2), at(100));
    assert_eq!(verdicts, [Ok(()), Err(Why::Others(Wait::Pipeline)), Ok(())]);
}

#[test]
fn all_that_may_start_do_in_one_turn_the_highest_priority_first() {
    let mut runs = vec![queued("p", Trigger::Schedule, 1), queued("p", Trigger::Manual, 2)];
    runs.extend([queued("q", Trigger::Schedule, 3), queued("late", Trigger::Schedule, 200)]);
    runs.push(QueuedRun { priority: 5, ..queued("r", Trigger::Manual, 4) });
    let names = |at_once, running: &[QueuedRun], states: &BTreeMap<String, ScheduleState>| {
        let start = to_start(&runs, running.iter(), states, &room(at_once), at(100));
        start.into_iter().map(|run| (run.pipeline, run.trigger)).collect::<Vec<_>>()
    };
    let of = |pipeline: &str, trigger| (pipeline.to_owned(), trigger);
    let (p, q, r) = (of("p", Trigger::Schedule), of("q", Trigger::Schedule), of("r", Trigger::Manual));
    assert_eq!(names(9, &[], &BTreeMap::new()), [r.clone(), p, q.clone()]);
    assert_eq!(names(9, &[], &paused("p")), [r.clone(), of("p", Trigger::Manual), q]);
    assert_eq!(names(2, &[queued("x", Trigger::Manual, 0)], &BTreeMap::new()), [r]);
    assert_eq!(names(1, &[queued("x", Trigger::Manual, 0)], &BTreeMap::new()), []);
}

#[test]
fn whoever_asks_is_told_the_place_and_why() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(folder.path()).unwrap();
    let mut runs = vec![queued("p", Trigger::Schedule, 1), queued("q", Trigger::Manual, 2)];
    runs.push(QueuedRun { priority: 5, ..queued("r", Trigger::Manual, 3) });
    let new = |run: QueuedRun| sluicebox_model::house::NewRun { run, once: None, events: Vec::new() };
    let decided = sluicebox_model::house::Decided { runs: runs.into_iter().map(new).collect(), ..Default::default() };
    store.decide(&decided, at(4)).unwrap();
    store.pause("p", "cli", "", at(5)).unwrap();
    let mut settings = Settings::default();
    settings.serve.runs = Some(1);
    let told = |serves| {
        let all = waiting(&store, &settings, serves, at(100)).unwrap();
        all.into_iter().map(|it| (it.place, it.run.pipeline, it.why)).collect::<Vec<_>>()
    };
    let line = |place, pipeline: &str, why: &str| (place, pipeline.to_owned(), why.to_owned());
    let held = "`p` is paused: it begins after `sluicebox resume p`";
    let full = "as many runs are under way as may be at once";
    assert_eq!(told(true), [line(1, "r", "it begins now"), line(2, "p", held), line(3, "q", full)]);
    let none = "no host serves here: `sluicebox serve` begins it";
    assert_eq!(told(false), [line(1, "r", none), line(2, "p", held), line(3, "q", none)]);
}
