//! The rule once more, the slow way: every minute of the wall clock is asked of croner, as though it were UTC.

use croner::Cron;
use croner::parser::CronParser;
use jiff::civil::DateTime;
use jiff::tz::{AmbiguousOffset, Offset, TimeZone};
use jiff::{Timestamp, Zoned};

pub(crate) fn croner(text: &str) -> Cron {
    CronParser::new().parse(text).unwrap_or_else(|error| panic!("{text}: {error}"))
}

/// The fires of `[from, to)` by the written rule, of a cron that `repeats` or not.
pub(crate) fn fires(cron: &Cron, repeats: bool, zone: &TimeZone, from: Timestamp, to: Timestamp) -> Vec<Timestamp> {
    let mut fires = Vec::new();
    // A day more at both ends: no offset is larger, and no gap but Samoa's.
    let start = from.as_second().div_euclid(60) * 60 - 3 * 86_400;
    let mut local = start;
    while local < to.as_second() + 3 * 86_400 {
        let utc = Timestamp::from_second(local).unwrap().to_zoned(TimeZone::UTC);
        if cron.is_time_matching(&utc).unwrap() {
            let at = |offset: Offset| Timestamp::from_second(local - i64::from(offset.seconds())).unwrap();
            match zone.to_ambiguous_timestamp(utc.datetime()).offset() {
                AmbiguousOffset::Unambiguous { offset } => fires.push(at(offset)),
                AmbiguousOffset::Gap { .. } => fires.push(gap_end(zone, utc.datetime())),
                AmbiguousOffset::Fold { before, after } => {
                    fires.push(at(before));
                    if repeats {
                        fires.push(at(after));
                    }
                }
            }
        }
        local += 60;
    }
    fires.sort();
    fires.dedup();
    fires.retain(|fire| (from..to).contains(fire));
    fires
}

/// Minute by minute on, until the wall clock shows the time.
fn gap_end(zone: &TimeZone, mut local: DateTime) -> Timestamp {
    loop {
        local = local.checked_add(jiff::Span::new().minutes(1)).unwrap();
        let ambiguous = zone.to_ambiguous_timestamp(local);
        if let AmbiguousOffset::Unambiguous { offset } | AmbiguousOffset::Fold { before: offset, .. } =
            ambiguous.offset()
        {
            return offset.to_timestamp(local).unwrap();
        }
    }
}

/// Whether the clocks change within a day of an instant.
pub(crate) fn near_change(zone: &TimeZone, fire: Timestamp) -> bool {
    let day = jiff::Span::new().hours(26);
    let (from, to) = (fire - day, fire + day);
    zone.following(from).next().is_some_and(|change| change.timestamp() <= to)
}

/// The fires of `[from, to)` by croner.
pub(crate) fn by_croner(cron: &Cron, zone: &TimeZone, from: Timestamp, to: Timestamp) -> Vec<Timestamp> {
    let mut fires = Vec::new();
    let mut now: Zoned = from.to_zoned(zone.clone());
    let mut inclusive = true;
    while let Ok(next) = cron.find_next_occurrence(&now, inclusive) {
        if next.timestamp() >= to {
            break;
        }
        fires.push(next.timestamp());
        (now, inclusive) = (next, false);
    }
    fires
}
