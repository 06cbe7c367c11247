//! The crate `cron`, used for nothing but fields: told the five fields in its own dialect (weekdays by name), and times
//! of the wall clock as though they were UTC.

use super::field::WEEKDAYS;
use super::{Field, Fields};
use chrono::{DateTime, Utc};
use cron::Schedule;
use std::str::FromStr;

/// The schedules whose matches are the cron's: two where a day of month or a weekday is enough.
#[derive(Clone, Debug)]
pub(super) struct Matcher {
    first: Schedule,
    second: Option<Schedule>,
}

impl Matcher {
    pub(super) fn new(fields: &Fields) -> Result<Self, String> {
        let numbers = |field: Field| {
            let numbers: Vec<String> = field.numbers().iter().map(u8::to_string).collect();
            numbers.join(",")
        };
        let days = if fields.every_day() { "*".to_owned() } else { numbers(fields.days) };
        let weekdays = if fields.every_weekday() {
            "*".to_owned()
        } else {
            let names = (0..).zip(WEEKDAYS).filter(|(at, _)| fields.weekdays.has(*at)).map(|(_, (short, _))| short);
            names.collect::<Vec<_>>().join(",")
        };
        let minutes = if fields.every_minute() { "*".to_owned() } else { numbers(fields.minutes) };
        let hours = if fields.every_hour() { "*".to_owned() } else { numbers(fields.hours) };
        let months = if fields.every_month() { "*".to_owned() } else { numbers(fields.months) };
        let schedule = |days: &str, weekdays: &str| {
            let text = format!("0 {minutes} {hours} {days} {months} {weekdays}");
            Schedule::from_str(&text).map_err(|error| format!("`{text}`: {error}"))
        };
        if !fields.day_or_weekday() {
            return Ok(Self { first: schedule(&days, &weekdays)?, second: None });
        }
        if fields.every_day() || fields.every_weekday() {
            return Ok(Self { first: schedule("*", "*")?, second: None });
        }
        Ok(Self { first: schedule(&days, "*")?, second: Some(schedule("*", &weekdays)?) })
    }

    pub(super) fn next(&self, local: i64) -> Option<i64> {
        let after = DateTime::<Utc>::from_timestamp(local, 0)?;
        let next = |schedule: &Schedule| schedule.after(&after).next().map(|time| time.timestamp());
        let first = next(&self.first);
        let second = self.second.as_ref().and_then(next);
        [first, second].into_iter().flatten().min()
    }

    pub(super) fn previous(&self, local: i64) -> Option<i64> {
        let before = DateTime::<Utc>::from_timestamp(local, 0)?;
        let previous = |schedule: &Schedule| schedule.after(&before).next_back().map(|time| time.timestamp());
        let first = previous(&self.first);
        let second = self.second.as_ref().and_then(previous);
        [first, second].into_iter().flatten().max()
    }
}
