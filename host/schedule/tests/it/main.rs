//! Schedules against tables by hand, against croner, and over a simulated year.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

mod catch_up;
mod clocks;
mod dependencies;
mod oracle;
mod planner;
mod reference;
mod year;

use jiff::Timestamp;
use sluicebox_schedule::Timetable;

/// A timetable of one cron text.
fn table(cron: &str, zone: &str) -> Timetable {
    Timetable::parse(&[cron], None, zone).unwrap()
}

/// An instant from a time in a zone.
fn instant(local: &str, zone: &str) -> Timestamp {
    let local: jiff::civil::DateTime = local.parse().unwrap();
    local.in_tz(zone).unwrap().timestamp()
}
