//! Random schedules, zones and years against croner, and around changes of the clocks against the slow reference.

use crate::reference;
use jiff::Timestamp;
use proptest::prelude::*;
use sluicebox_schedule::{Cron, Rule, Timetable, Zone};
use std::collections::BTreeSet;

const ZONES: [&str; 14] = [
    "UTC",
    "America/New_York",
    "Europe/Berlin",
    "Australia/Lord_Howe",
    "Africa/Casablanca",
    "Asia/Kolkata",
    "America/Havana",
    "America/Sao_Paulo",
    "Asia/Tehran",
    "Pacific/Apia",
    "Antarctica/Troll",
    "Europe/Dublin",
    "America/St_Johns",
    "Asia/Gaza",
];

/// A field as we are told it, and as croner is: without what it does not know, such as ranges that wrap around.
fn field(lowest: u8, highest: u8) -> impl Strategy<Value = (String, String)> {
    let count = highest - lowest + 1;
    let number = lowest..=highest;
    let range = move |from: u8, to: u8, step: u8| {
        let length = (to + count - from) % count + 1;
        let numbers: Vec<String> = (0..length)
            .step_by(usize::from(step))
            .map(|offset| ((from - lowest + offset) % count + lowest).to_string())
            .collect();
        let text = if step == 1 { format!("{from}-{to}") } else { format!("{from}-{to}/{step}") };
        (text, numbers.join(","))
    };
    prop_oneof![
        3 => Just(("*".to_owned(), "*".to_owned())),
        1 => (2..=count).prop_map(|step| (format!("*/{step}"), format!("*/{step}"))),
        3 => number.clone().prop_map(|number| (number.to_string(), number.to_string())),
        2 => prop::collection::vec(number.clone(), 1..4).prop_map(|numbers| {
            let text = numbers.iter().map(u8::to_string).collect::<Vec<_>>().join(",");
            (text.clone(), text)
        }),
        2 => (number.clone(), number, 1..5u8).prop_map(move |(from, to, step)| range(from, to, step)),
    ]
}

/// Whether fields as croner is told them mean every hour or every minute.
fn repeats(minute: &str, hour: &str) -> bool {
    minute.starts_with('*') || hour == "*" || hour.split(',').collect::<BTreeSet<_>>().len() == 24
}

/// A schedule as we are told it and as croner is, and whether it means every hour or every minute.
fn cron() -> impl Strategy<Value = (String, String, bool)> {
    (field(0, 59), field(0, 23), field(1, 31), field(1, 12), field(0, 6))
        .prop_filter("croner takes `*/n` of days for a restriction", |(_, _, day, _, weekday)| {
            let step = |field: &(String, String)| field.0.starts_with("*/");
            let restricted = |field: &(String, String)| field.0 != "*";
            !(step(day) && restricted(weekday) || step(weekday) && restricted(day))
        })
        .prop_map(|(minute, hour, day, month, weekday)| {
            let ours = [&*minute.0, &*hour.0, &*day.0, &*month.0, &*weekday.0].join(" ");
            let theirs = [&*minute.1, &*hour.1, &*day.1, &*month.1, &*weekday.1].join(" ");
            (ours, theirs, repeats(&minute.1, &hour.1))
        })
        .prop_filter("an impossible date", |(ours, ..)| Cron::parse(ours).is_ok())
}

fn timetable(cron: &str, zone: &str) -> Timetable {
    Timetable::new(vec![Rule::Cron(Cron::parse(cron).unwrap())], Zone::named(zone).unwrap())
}

fn forwards(table: &Timetable, from: Timestamp, to: Timestamp) -> Vec<Timestamp> {
    table.fires_after(from - jiff::Span::new().seconds(1)).take_while(|fire| *fire < to).collect()
}

fn backwards(table: &Timetable, from: Timestamp, to: Timestamp) -> Vec<Timestamp> {
    let fires = std::iter::successors(table.prev_before(to), |fire| table.prev_before(*fire));
    let mut fires: Vec<Timestamp> = fires.take_while(|fire| *fire >= from).collect();
    fires.reverse();
    fires
}

proptest! {
    /// Away from changes of the clocks croner and we agree.
    #[test]
    fn fires_are_croners((ours, theirs, _) in cron(), zone in prop::sample::select(&ZONES[..]), day in 0..32_000i64) {
        let table = timetable(&ours, zone);
        let croner = reference::croner(&theirs);
        let rules = table.zone().rules();
        let mut now = Timestamp::from_second(day * 86_400 + 12_345).unwrap();
        for _ in 0..20 {
            let Some(next) = table.next_after(now) else { break };
            let expected = croner.find_next_occurrence(&now.to_zoned(rules.clone()), false).unwrap().timestamp();
            if reference::near_change(rules, next) || reference::near_change(rules, expected) || reference::near_change(rules, now) {
                now = next + jiff::Span::new().hours(60);
                continue;
            }
            prop_assert_eq!(next, expected, "{} {} {}", ours, zone, now);
            now = next;
        }
    }

    /// Where clocks change the slow reference and we agree, and backwards is forwards turned round.
    #[test]
    fn changes_of_clocks_follow_the_rule(
        (ours, theirs, repeats) in cron(),
        zone in prop::sample::select(&ZONES[1..]),
        day in 3_000..30_000i64,
    ) {
        let table = timetable(&ours, zone);
        let rules = table.zone().rules();
        let start = Timestamp::from_second(day * 86_400).unwrap();
        let Some(change) = rules.following(start).next() else { return Ok(()) };
        let (from, to) = (change.timestamp() - jiff::Span::new().hours(30), change.timestamp() + jiff::Span::new().hours(30));
        let expected = reference::fires(&reference::croner(&theirs), repeats, rules, from, to);
        prop_assert_eq!(&forwards(&table, from, to), &expected, "{} {} {}", ours, zone, change.timestamp());
        prop_assert_eq!(&backwards(&table, from, to), &expected, "back: {} {} {}", ours, zone, change.timestamp());
    }

    /// From any instant, not only from fire to fire.
    #[test]
    fn any_instant_will_do((ours, ..) in cron(), zone in prop::sample::select(&ZONES[1..]), day in 3_000..30_000i64, off in -7200..7200i64) {
        let table = timetable(&ours, zone);
        let start = Timestamp::from_second(day * 86_400).unwrap();
        let Some(change) = table.zone().rules().following(start).next() else { return Ok(()) };
        let at = Timestamp::from_second(change.timestamp().as_second() + off).unwrap();
        if let Some(next) = table.next_after(at) {
            prop_assert!(next > at);
            prop_assert!(table.prev_before(next).is_none_or(|before| before <= at), "{} {} {}", ours, zone, at);
        }
        if let Some(before) = table.prev_before(at) {
            prop_assert!(before < at);
            prop_assert!(table.next_after(before).is_none_or(|next| next >= at), "{} {} {}", ours, zone, at);
        }
    }

    /// No text is too odd to be refused in words.
    #[test]
    fn odd_texts_are_refused_with_a_place(text in "[0-9a-zA-Z*/,?#@é -]{0,24}") {
        if let Err(error) = Cron::parse(&text) {
            prop_assert!(text.get(error.span.clone()).is_some(), "{:?}: {:?}", text, error);
            prop_assert!(!error.message.is_empty() && !error.help.is_empty());
        }
    }
}
