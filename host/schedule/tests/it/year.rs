//! A year of a thousand pipelines in five time zones, by the planner, against croner; on days when clocks change, against
//! the written rule done slowly.

use crate::reference;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use sluicebox_model::pipeline::{CatchUp, Overlap};
use sluicebox_schedule::{Busy, Decision, Plan, Planner, Timetable};
use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

const ZONES: [&str; 5] = ["UTC", "America/New_York", "Europe/Berlin", "Australia/Lord_Howe", "Africa/Casablanca"];

/// The patterns that the pipelines take turns with.
const PATTERNS: u32 = 20;

/// What the n-th pipeline asks for: mostly once a day, some every hour, a few every ten minutes. And whether that means every
/// hour or every minute, and so comes twice in an hour that does.
fn cron(n: u32) -> (String, bool) {
    let (minute, hour, day) = (n * 7 % 60, n * 5 % 24, n % 28 + 1);
    let fixed = |text: String| (text, false);
    match n % PATTERNS {
        0 => (format!("{minute} * * * *"), true),
        1 => fixed(format!("{minute} {}-{} * * mon-fri", hour.min(20), hour.min(20) + 3)),
        2 => fixed(format!("{minute} */6 * * *")),
        3 => fixed(format!("{minute} {hour} {day} * *")),
        4 => fixed(format!("{minute} {hour} * * {}", n % 8)),
        5 => fixed(format!("{minute} {hour} {day} * fri")),
        6 if n % 140 == 6 => ("*/10 * * * *".to_owned(), true),
        7 => fixed(format!("{minute},{} 1-3 * * *", (minute + 13) % 60)),
        8 => fixed(format!("{minute} 2 * 3,11 *")),
        _ => fixed(format!("{minute} {hour} * * *")),
    }
}

#[test]
fn a_year_of_a_thousand_pipelines() {
    let start: Timestamp = "2025-01-01T00:00:00Z".parse().unwrap();
    let end: Timestamp = "2026-01-01T00:00:00Z".parse().unwrap();
    let mut planner = Planner::default();
    let mut texts = HashMap::new();
    let mut seen = HashSet::new();
    for n in 0..1000u32 {
        // Each pattern in each zone.
        let (name, (cron, repeats), at) = (format!("pipeline-{n}"), cron(n), (n / PATTERNS) as usize % ZONES.len());
        let zone = ZONES[at];
        seen.insert((n % PATTERNS, zone, repeats));
        let plan = Plan {
            timetable: Timetable::parse(&[&cron], None, zone).unwrap(),
            catch_up: CatchUp::All,
            window: Duration::from_secs(86_400),
            overlap: Overlap::Queue,
            jitter: Duration::ZERO,
        };
        planner.add(&name, Arc::new(plan), start - Duration::from_secs(1), false);
        texts.insert(name, (cron, repeats, zone));
    }
    for zone in ZONES {
        for pattern in 0..PATTERNS {
            assert!(seen.contains(&(pattern, zone, pattern == 0)), "{pattern} {zone}");
        }
        assert!(seen.contains(&(6, zone, true)), "every ten minutes {zone}");
    }
    let mut fired: HashMap<Arc<str>, Vec<Timestamp>> = HashMap::new();
    while let Some(wake) = planner.wake_at() {
        if wake >= end {
            break;
        }
        for decision in planner.tick(wake, |_| Busy::default()) {
            let Decision::Fire(fire) = decision else { panic!("{decision:?}") };
            assert_eq!(fire.at, wake);
            let fires = fired.entry(fire.pipeline).or_default();
            if let Some(last) = fires.last() {
                assert_eq!(fire.interval.start, *last);
            }
            fires.push(fire.at);
        }
    }
    let mut known: HashMap<(String, &str), Vec<Timestamp>> = HashMap::new();
    let mut compared = 0;
    for (name, (cron, repeats, zone)) in texts {
        let expected = known.entry((cron.clone(), zone)).or_insert_with(|| expected(&cron, repeats, zone, start, end));
        let fires = fired.get(&*name).map_or(&[][..], Vec::as_slice);
        assert!(fires == expected.as_slice(), "{name}: {cron} {zone}");
        compared += fires.len();
    }
    assert!(compared > 500_000, "{compared}");
}

/// By croner, and around changes of the clocks by the written rule.
fn expected(cron: &str, repeats: bool, zone: &str, start: Timestamp, end: Timestamp) -> Vec<Timestamp> {
    let rules = TimeZone::get(zone).unwrap();
    let croner = reference::croner(cron);
    let changes: Vec<Timestamp> =
        rules.following(start).map(|change| change.timestamp()).take_while(|change| *change < end).collect();
    let day = Duration::from_secs(86_400);
    let mut fires = reference::by_croner(&croner, &rules, start, end);
    for change in changes {
        let (from, to) = (change - day, change + day);
        fires.retain(|fire| *fire < from || *fire >= to);
        fires.extend(reference::fires(&croner, repeats, &rules, from, to));
    }
    fires.sort();
    fires
}
