//! Pipelines that follow others.

use jiff::Timestamp;
use sluicebox_model::pipeline::{After, AfterOn, Written};
use sluicebox_model::run::{Interval, RunState};
use sluicebox_schedule::dependencies::{Dependencies, DependencyError, Ended, Step, decide};
use std::time::Duration;

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_800_000_000 + second).unwrap()
}

fn interval(n: i64) -> Interval {
    Interval { start: at(n * 3600), end: at((n + 1) * 3600) }
}

fn after(names: &[&str], on: AfterOn, within: Option<u64>) -> After {
    let pipelines = names.iter().map(|name| Written { text: (*name).to_owned(), span: 3..9 }).collect();
    After { pipelines, on, within: within.map(Duration::from_secs) }
}

fn ended(pipeline: &str, n: i64, state: RunState, second: i64) -> Ended<'_> {
    Ended { pipeline, interval: interval(n), state, at: at(second) }
}

use RunState::{Cancelled, Crashed, Failed, Succeeded};

fn told(after: &After, runs: &[Ended<'_>], now: i64) -> Vec<String> {
    let steps = decide(std::slice::from_ref(after), runs, at(now), |_| false);
    steps
        .iter()
        .map(|step| match step {
            Step::Due { at: since, .. } => format!("due {}", since.as_second() - at(0).as_second()),
            Step::TimedOut { missing, .. } => {
                let missing: Vec<String> = missing.iter().map(ToString::to_string).collect();
                format!("timed out: {}", missing.join(", "))
            }
            Step::Waiting { until, missing, .. } => {
                let until = until.map(|until| until.as_second() - at(0).as_second());
                format!("waiting until {until:?}: {}", missing.len())
            }
        })
        .collect()
}

#[test]
fn all_have_to_have_succeeded() {
    let both = after(&["a", "b"], AfterOn::Success, None);
    let (a, b) = (ended("a", 0, Succeeded, 10), ended("b", 0, Succeeded, 20));
    assert_eq!(told(&both, &[], 100), [""; 0]);
    assert_eq!(told(&both, &[a], 100), ["waiting until None: 1"]);
    assert_eq!(told(&both, &[a, b], 100), ["due 20"]);
    assert_eq!(told(&both, &[a, ended("b", 0, Failed, 15)], 100), ["waiting until None: 1"]);
    // It failed, and was run again.
    assert_eq!(told(&both, &[a, ended("b", 0, Failed, 15), b], 100), ["due 20"]);
    // Another interval is another matter; a crashed run has not ended; others are no concern.
    let others = [a, ended("b", 1, Succeeded, 20), ended("b", 0, Crashed, 20), ended("c", 2, Succeeded, 20)];
    assert_eq!(told(&both, &others, 100), ["waiting until None: 1", "waiting until None: 1"]);
}

#[test]
fn any_end_will_do() {
    let any = after(&["a", "b"], AfterOn::Any, None);
    assert_eq!(told(&any, &[ended("a", 0, Failed, 10), ended("b", 0, Cancelled, 20)], 100), ["due 20"]);
}

#[test]
fn others_are_waited_for_so_long() {
    let both = after(&["a", "b"], AfterOn::Success, Some(60));
    let a = ended("a", 0, Succeeded, 10);
    assert_eq!(told(&both, &[a], 69), ["waiting until Some(70): 1"]);
    assert_eq!(told(&both, &[a], 70), ["timed out: `b` has no run that ended"]);
    assert_eq!(told(&both, &[a, ended("b", 0, Failed, 60)], 500), ["timed out: `b` failed"]);
    // In time is in time, however late it is decided.
    assert_eq!(told(&both, &[a, ended("b", 0, Succeeded, 69)], 5000), ["due 69"]);
    assert_eq!(told(&both, &[a, ended("b", 0, Succeeded, 70)], 5000), ["timed out: `b` has no run that ended"]);
}

#[test]
fn an_interval_is_decided_once() {
    let both = after(&["a"], AfterOn::Success, None);
    let runs = [ended("a", 0, Succeeded, 10), ended("a", 1, Succeeded, 20), ended("a", 0, Succeeded, 30)];
    let steps = decide(std::slice::from_ref(&both), &runs, at(100), |done| done == interval(1));
    assert_eq!(steps, [Step::Due { interval: interval(0), at: at(10) }]);
    assert_eq!(steps[0].to_string(), "all that it follows has ended, the last at 2027-01-15T08:00:10Z");
}

fn errors(pipelines: &[(&str, &[&str])]) -> Vec<String> {
    let after: Vec<[After; 1]> = pipelines.iter().map(|(_, names)| [after(names, AfterOn::Success, None)]).collect();
    let pairs: Vec<(&str, &[After])> =
        pipelines.iter().zip(&after).map(|((name, _), after)| (*name, &after[..])).collect();
    Dependencies::new(&pairs).errors().iter().map(ToString::to_string).collect()
}

#[test]
fn circles_are_found() {
    assert_eq!(errors(&[("a", &[]), ("b", &["a"]), ("c", &["a", "b"])]), [""; 0]);
    let circle = "pipelines follow each other in a circle: ";
    assert_eq!(errors(&[("a", &["a"])]), [format!("{circle}a -> a")]);
    let found = errors(&[("a", &["b"]), ("b", &["x", "c"]), ("c", &["b"]), ("x", &[]), ("y", &["a"])]);
    assert_eq!(found, [format!("{circle}b -> c -> b")]);
    let two = errors(&[("a", &["b"]), ("b", &["a"]), ("c", &["d"]), ("d", &["c"])]);
    assert_eq!(two, [format!("{circle}a -> b -> a"), format!("{circle}c -> d -> c")]);
}

#[test]
fn long_chains_do_no_harm() {
    let names: Vec<String> = (0..50_000).map(|n| format!("p{n}")).collect();
    let after: Vec<[After; 1]> =
        (0..names.len()).map(|n| [after(&[&names[(n + 1) % names.len()]], AfterOn::Success, None)]).collect();
    let pairs: Vec<(&str, &[After])> = names.iter().zip(&after).map(|(name, after)| (&**name, &after[..])).collect();
    let found = Dependencies::new(&pairs).errors();
    assert!(matches!(&found[..], [DependencyError::Cycle { path }] if path.len() == 50_001));
}

#[test]
fn names_that_are_not_there_are_told() {
    let list = [after(&["orderz"], AfterOn::Success, None)];
    let pipelines: [(&str, &[After]); 2] = [("orders", &[]), ("report", &list)];
    let graph = Dependencies::new(&pipelines);
    let errors = graph.errors();
    assert_eq!(errors[0].to_string(), "`report` follows `orderz`, and there is no such pipeline");
    assert_eq!(errors[0].help(), "did you mean `orders`?");
    let list = [after(&["orders"], AfterOn::Success, None)];
    let pipelines: [(&str, &[After]); 2] = [("orders", &[]), ("report", &list)];
    let followers: Vec<&str> = Dependencies::new(&pipelines).followers("orders").collect();
    assert_eq!(followers, ["report"]);
}
