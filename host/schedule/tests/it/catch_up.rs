//! The planner after its host was down, or the clock jumped forward.

use crate::planner::{at, idle, plan, told};
use jiff::Timestamp;
use proptest::prelude::*;
use sluicebox_model::pipeline::{CatchUp, Overlap};
use sluicebox_schedule::{Decision, Plan, Planner, Skip, Timetable};
use std::sync::Arc;
use std::time::Duration;

/// What is decided at 12:30 of an hourly pipeline whose last decided fire was at 06:00.
fn after_a_stop(catch_up: CatchUp, window: u64, now: &str) -> Vec<String> {
    let mut planner = Planner::default();
    planner.add("p", plan("0 * * * *", catch_up, window), at("06:00:00"), false);
    let decisions = planner.tick(at(now), idle);
    assert_eq!(planner.tick(at(now), idle), []);
    told(&decisions)
}

const WEEK: u64 = 7 * 86_400;

#[test]
fn none_leaves_out_what_was_missed() {
    assert_eq!(after_a_stop(CatchUp::None, WEEK, "09:30:00"), ["07:00-09:00 (3) CatchUpNone"]);
    assert_eq!(after_a_stop(CatchUp::None, WEEK, "09:00:30"), ["07:00-08:00 (2) CatchUpNone", "09:00 fire Now"]);
    assert_eq!(after_a_stop(CatchUp::None, WEEK, "07:00:30"), ["07:00 fire Now"]);
    assert_eq!(after_a_stop(CatchUp::None, WEEK, "06:30:00"), [""; 0]);
}

#[test]
fn latest_makes_up_for_one() {
    assert_eq!(
        after_a_stop(CatchUp::Latest, WEEK, "09:30:00"),
        ["07:00-08:00 (2) CatchUpLatest", "09:00 catch-up Now"]
    );
    assert_eq!(after_a_stop(CatchUp::Latest, WEEK, "07:30:00"), ["07:00 catch-up Now"]);
    // The latest is on time.
    assert_eq!(after_a_stop(CatchUp::Latest, WEEK, "09:00:30"), ["07:00-08:00 (2) CatchUpLatest", "09:00 fire Now"]);
    assert_eq!(
        after_a_stop(CatchUp::Latest, 1200, "09:30:00"),
        ["07:00-08:00 (2) CatchUpLatest", "09:00 CatchUpWindow"]
    );
}

#[test]
fn all_makes_up_for_each_in_order() {
    let expected = ["07:00 catch-up Now", "08:00 catch-up Queue", "09:00 catch-up Queue"];
    assert_eq!(after_a_stop(CatchUp::All, WEEK, "09:30:00"), expected);
    let expected = ["07:00 CatchUpWindow", "08:00 catch-up Now", "09:00 catch-up Queue"];
    assert_eq!(after_a_stop(CatchUp::All, 2 * 3600, "09:30:00"), expected);
    assert_eq!(after_a_stop(CatchUp::All, 600, "09:30:00"), ["07:00-09:00 (3) CatchUpWindow"]);
    // On time, behind runs that make up for missed fires: it waits, whatever `overlap` says.
    let expected = ["07:00 catch-up Now", "08:00 catch-up Queue", "09:00 fire Queue"];
    assert_eq!(after_a_stop(CatchUp::All, WEEK, "09:00:30"), expected);
}

#[test]
fn a_paused_pipeline_makes_up_for_nothing() {
    let mut planner = Planner::default();
    planner.add("p", plan("0 * * * *", CatchUp::All, WEEK), at("06:00:00"), true);
    assert_eq!(told(&planner.tick(at("09:30:00"), idle)), ["07:00-09:00 (3) Paused"]);
}

#[test]
fn years_of_minutes_are_left_out_at_once() {
    let mut planner = Planner::default();
    let long_ago: Timestamp = "1999-01-01T00:00:00Z".parse().unwrap();
    planner.add("p", plan("* * * * *", CatchUp::Latest, WEEK), long_ago, false);
    let decisions = planner.tick(at("06:30:30"), idle);
    assert_eq!(decisions.len(), 2);
    let Decision::Skip(skip) = &decisions[0] else { panic!("{decisions:?}") };
    assert_eq!((skip.count, skip.last), (Skip::COUNTED, at("06:29:00")));
}

const CRONS: [&str; 6] = ["*/10 * * * *", "5 * * * *", "30 2 * * *", "0 */6 * * *", "17,48 1-3 * * sun", "0 12 1 * *"];

fn fires(planner: &mut Planner, now: Timestamp, out: &mut Vec<(Arc<str>, Timestamp, Timestamp)>) {
    while planner.wake_at().is_some_and(|wake| wake <= now) {
        for decision in planner.tick(now, idle) {
            match decision {
                Decision::Fire(fire) | Decision::CatchUp(fire) => {
                    out.push((fire.pipeline, fire.interval.start, fire.at))
                }
                other => panic!("{other:?}"),
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    /// With `catch-up = "all"` it does not matter when the planner is asked: the same runs, for the same intervals.
    #[test]
    fn one_big_step_is_many_small_ones(
        steps in prop::collection::vec(1..20_000i64, 1..60),
        jitter in 0..7200u64,
        most in 1..50usize,
    ) {
        let start: Timestamp = "2025-10-30T00:00:00Z".parse().unwrap();
        let planner = || {
            let mut planner = Planner::new(Duration::from_secs(60), most);
            for (n, cron) in CRONS.iter().enumerate() {
                let zone = ["America/New_York", "UTC", "Europe/Berlin"][n % 3];
                let plan = Plan {
                    timetable: Timetable::parse(&[cron], None, zone).unwrap(),
                    catch_up: CatchUp::All,
                    window: Duration::from_secs(60 * 86_400),
                    overlap: Overlap::Queue,
                    jitter: Duration::from_secs(jitter),
                };
                planner.add(&format!("p{n}"), Arc::new(plan), start, false);
            }
            planner
        };
        let end = start + Duration::from_secs(steps.iter().sum::<i64>() as u64);
        let (mut big, mut small) = (Vec::new(), Vec::new());
        fires(&mut planner(), end, &mut big);
        let mut by_steps = planner();
        let mut now = start;
        for step in steps {
            now += Duration::from_secs(step as u64);
            fires(&mut by_steps, now, &mut small);
        }
        big.sort();
        small.sort();
        prop_assert_eq!(big, small);
    }
}
