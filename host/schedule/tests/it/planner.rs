//! The planner while its host is up.

use jiff::Timestamp;
use sluicebox_model::pipeline::{CatchUp, Overlap, parse};
use sluicebox_schedule::{Busy, Decision, Plan, Planner, Plans, Skip, SkipReason, Start, Timetable, jitter};
use std::sync::Arc;
use std::time::Duration;

pub(crate) fn plan(cron: &str, catch_up: CatchUp, window: u64) -> Arc<Plan> {
    Arc::new(Plan {
        timetable: Timetable::parse(&[cron], None, "UTC").unwrap(),
        catch_up,
        window: Duration::from_secs(window),
        overlap: Overlap::Skip,
        jitter: Duration::ZERO,
    })
}

pub(crate) fn with_overlap(cron: &str, overlap: Overlap) -> Arc<Plan> {
    Arc::new(Plan { overlap, ..Plan::clone(&plan(cron, CatchUp::Latest, 3600)) })
}

pub(crate) fn at(text: &str) -> Timestamp {
    format!("2025-06-01T{text}Z").parse().unwrap()
}

/// Nominal times with what was decided, in short.
pub(crate) fn told(decisions: &[Decision]) -> Vec<String> {
    let time = |time: &Timestamp| time.to_zoned(jiff::tz::TimeZone::UTC).strftime("%H:%M").to_string();
    decisions
        .iter()
        .map(|decision| match decision {
            Decision::Fire(fire) => format!("{} fire {:?}", time(&fire.at), fire.start),
            Decision::CatchUp(fire) => format!("{} catch-up {:?}", time(&fire.at), fire.start),
            Decision::Skip(Skip { first, last, count: 1, reason, .. }) if first == last => {
                format!("{} {reason:?}", time(first))
            }
            Decision::Skip(skip) => {
                format!("{}-{} ({}) {:?}", time(&skip.first), time(&skip.last), skip.count, skip.reason)
            }
            Decision::ClockBack { .. } => "clock back".to_owned(),
        })
        .collect()
}

pub(crate) fn idle(_: &str) -> Busy {
    Busy::default()
}

#[test]
fn a_fire_is_due_at_its_time_and_once() {
    let mut planner = Planner::default();
    planner.add("p", plan("0 * * * *", CatchUp::Latest, 3600), at("05:30:00"), false);
    assert_eq!(planner.wake_at(), Some(at("06:00:00")));
    assert_eq!(planner.tick(at("05:59:59.999"), idle), []);
    let decisions = planner.tick(at("06:00:00.004"), idle);
    let Decision::Fire(fire) = &decisions[0] else { panic!("{decisions:?}") };
    assert_eq!((&*fire.pipeline, fire.at, fire.due, fire.start), ("p", at("06:00:00"), at("06:00:00"), Start::Now));
    assert_eq!((fire.interval.start, fire.interval.end), (at("05:00:00"), at("06:00:00")));
    assert_eq!(decisions[0].decided(), Some(at("06:00:00")));
    assert_eq!(planner.tick(at("06:00:00.005"), idle), []);
    assert_eq!(planner.next_fire("p"), Some(at("07:00:00")));
    assert_eq!(decisions[0].to_string(), "2025-06-01T06:00:00Z is due");
}

#[test]
fn the_earliest_fire_is_decided_first() {
    let mut planner = Planner::default();
    for (name, cron) in [("late", "20 6 * * *"), ("early", "10 6 * * *"), ("next", "30 6 * * *")] {
        planner.add(name, plan(cron, CatchUp::All, 3600), at("06:00:00"), false);
    }
    let decisions = planner.tick(at("06:25:00"), idle);
    let names: Vec<_> = decisions.iter().filter_map(Decision::pipeline).collect();
    assert_eq!(names, ["early", "late"]);
    assert_eq!(planner.wake_at(), Some(at("06:30:00")));
}

#[test]
fn jitter_delays_the_run_and_not_its_name() {
    let jitter = Duration::from_secs(1800);
    let plan = Arc::new(Plan { jitter, ..Plan::clone(&plan("0 * * * *", CatchUp::Latest, 3600)) });
    let delay = jitter::delay("p", jitter);
    assert!(delay > Duration::ZERO);
    let mut planner = Planner::default();
    planner.add("p", plan, at("05:30:00"), false);
    assert_eq!(planner.wake_at(), Some(at("06:00:00") + delay));
    assert_eq!(planner.tick(at("06:00:00"), idle), []);
    let decisions = planner.tick(at("06:00:00") + delay, idle);
    let Decision::Fire(fire) = &decisions[0] else { panic!("{decisions:?}") };
    assert_eq!((fire.at, fire.due), (at("06:00:00"), at("06:00:00") + delay));
}

#[test]
fn a_run_under_way_is_not_overtaken() {
    let running = |_: &str| Busy { running: 1, ..Busy::default() };
    for (overlap, expected) in
        [(Overlap::Skip, "06:00 Overlap"), (Overlap::Queue, "06:00 fire Queue"), (Overlap::Cancel, "06:00 fire Cancel")]
    {
        let mut planner = Planner::default();
        planner.add("p", with_overlap("0 * * * *", overlap), at("05:30:00"), false);
        assert_eq!(told(&planner.tick(at("06:00:00"), running)), [expected]);
    }
    // Several that are on time in one tick: the first of them is a run that the others meet.
    let mut planner = Planner::new(Duration::from_secs(600), 100);
    planner.add("p", with_overlap("* * * * *", Overlap::Queue), at("05:59:00"), false);
    let expected = ["06:00 fire Now", "06:01 fire Queue", "06:02 fire Queue"];
    assert_eq!(told(&planner.tick(at("06:02:00"), idle)), expected);
}

#[test]
fn a_paused_pipeline_leaves_out_its_fires() {
    let mut planner = Planner::default();
    planner.add("p", plan("0 * * * *", CatchUp::All, 86_400), at("05:30:00"), false);
    assert!(planner.pause("p") && !planner.pause("q"));
    assert_eq!(told(&planner.tick(at("06:00:00"), idle)), ["06:00 Paused"]);
    assert_eq!(told(&planner.tick(at("08:30:00"), idle)), ["07:00-08:00 (2) Paused"]);
    let resumed = planner.resume("p", at("09:10:00"));
    assert_eq!(told(&resumed.into_iter().collect::<Vec<_>>()), ["09:00 Paused"]);
    assert_eq!((planner.resume("p", at("09:10:00")), planner.is_paused("p")), (None, Some(false)));
    assert_eq!(told(&planner.tick(at("10:00:00"), idle)), ["10:00 fire Now"]);
}

#[test]
fn a_new_plan_holds_from_now_on() {
    let mut planner = Planner::default();
    planner.add("p", plan("0 * * * *", CatchUp::All, 86_400), at("05:30:00"), false);
    assert!(planner.update("p", plan("*/10 * * * *", CatchUp::All, 86_400), at("05:45:00")));
    assert_eq!(planner.wake_at(), Some(at("05:50:00")));
    let expected = ["05:50 catch-up Now", "06:00 fire Queue"];
    assert_eq!(told(&planner.tick(at("06:00:00"), idle)), expected);
    assert!(planner.remove("p") && !planner.remove("p"));
    assert_eq!((planner.wake_at(), planner.len()), (None, 0));
    planner.add("q", plan("0 * * * *", CatchUp::All, 86_400), at("06:30:00"), false);
    assert_eq!(planner.next_fire("q"), Some(at("07:00:00")));
}

#[test]
fn changes_leave_nothing_behind() {
    let mut planner = Planner::default();
    let plan = plan("0 * * * *", CatchUp::All, 86_400);
    for second in 0..10_000 {
        planner.add("p", plan.clone(), at("05:30:00") + Duration::from_millis(second), false);
    }
    let size = format!("{planner:?}").len();
    assert!(size < 20_000, "{size}");
    assert_eq!(told(&planner.tick(at("06:00:00"), idle)), ["06:00 fire Now"]);
}

#[test]
fn a_clock_set_back_fires_nothing_twice() {
    let mut planner = Planner::default();
    planner.add("p", plan("*/10 * * * *", CatchUp::All, 86_400), at("05:55:00"), false);
    assert_eq!(told(&planner.tick(at("06:00:00"), idle)), ["06:00 fire Now"]);
    assert_eq!(told(&planner.tick(at("05:00:00"), idle)), ["clock back"]);
    assert_eq!(planner.tick(at("06:00:00"), idle), []);
    assert_eq!(told(&planner.tick(at("06:10:00"), idle)), ["06:10 fire Now"]);
    // Small steps are not told.
    assert_eq!(planner.tick(at("06:09:59.500"), idle), []);
    // Nor does a pipeline fire twice that was decided beyond now before a restart.
    let mut again = Planner::default();
    again.add("p", plan("*/10 * * * *", CatchUp::All, 86_400), at("06:10:00"), false);
    assert_eq!(again.tick(at("06:00:00"), idle), []);
    assert_eq!(again.wake_at(), Some(at("06:20:00")));
}

#[test]
fn very_much_is_decided_in_several_ticks() {
    let mut planner = Planner::new(Duration::from_secs(60), 100);
    planner.add("p", plan("* * * * *", CatchUp::All, 86_400), at("00:00:00"), false);
    let mut fires = 0;
    while planner.wake_at().is_some_and(|wake| wake <= at("10:00:00")) {
        let decisions = planner.tick(at("10:00:00"), |_| Busy { queued: fires, ..Busy::default() });
        assert!(decisions.len() <= 100);
        fires += decisions.len() as u32;
    }
    assert_eq!(fires, 600);
}

#[test]
fn schedules_that_say_the_same_share_a_plan() {
    let schedule = |cron: &str| {
        let stage = "[[stage]]\nname = \"a\"\nplugin = \"x\"\n";
        let text = format!("[pipeline]\nname = \"p\"\n[schedule]\ncron = \"{cron}\"\njitter = \"1s\"\n{stage}");
        parse(&text).unwrap().schedule.unwrap()
    };
    let mut plans = Plans::default();
    let one = plans.get(&schedule("@daily")).unwrap();
    assert!(Arc::ptr_eq(&one, &plans.get(&schedule("@daily")).unwrap()));
    assert!(!Arc::ptr_eq(&one, &plans.get(&schedule("@hourly")).unwrap()));
    assert_eq!((one.jitter, one.catch_up), (Duration::from_secs(1), CatchUp::Latest));
    let errors = plans.get(&schedule("0 0 31 2 *")).unwrap_err();
    assert_eq!(errors[0].to_string(), "day 31 never comes in February: it has at most 29 days");
}

#[test]
fn reasons_are_words() {
    assert_eq!(SkipReason::CatchUpNone.to_string(), "missed (`catch-up = \"none\"`)");
    let mut planner = Planner::default();
    planner.add("p", plan("* * * * *", CatchUp::None, 60), at("00:00:00"), false);
    let decisions = planner.tick(at("20:00:00"), idle);
    assert!(decisions[0].to_string().starts_with("1000 or more fires from 2025-06-01T00:01:00Z"), "{}", decisions[0]);
}
