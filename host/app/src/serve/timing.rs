//! A schedule in words, and its next times.

use crate::api::{Fire, Timing};
use jiff::Timestamp;
use sluicebox_model::pipeline::{AfterOn, Schedule};
use sluicebox_schedule::Timetable;

/// The times of a schedule; none if it has none, or if they mean nothing.
pub fn timetable(schedule: &Schedule) -> Option<Timetable> {
    if !schedule.is_timed() {
        return None;
    }
    Timetable::of(schedule).ok()
}

/// A schedule as people are told of it.
pub fn timing(schedule: &Schedule) -> Timing {
    let mut words = Vec::new();
    words.extend(timetable(schedule).map(|timetable| timetable.words()));
    for after in &schedule.after {
        let names: Vec<String> = after.pipelines.iter().map(|name| format!("`{}`", name.text)).collect();
        let ended = match after.on {
            AfterOn::Success => "have succeeded",
            AfterOn::Any => "have ended",
        };
        let ended = if names.len() == 1 { ended.replacen("have", "has", 1) } else { ended.to_owned() };
        let within = after.within.map(crate::show::human::duration);
        let within = within.map(|within| format!(", within {within} of each other")).unwrap_or_default();
        words.push(format!("after {} {ended}, for the same interval{within}", names.join(" and ")));
    }
    if let Some(when) = &schedule.when {
        words.push(format!("when `{}` arrives", when.file.text));
    }
    let mut written: Vec<String> = schedule.cron.iter().map(|cron| cron.text.clone()).collect();
    let every = |every| format!("every {}", crate::show::human::duration(every));
    written.extend(schedule.every.map(every));
    Timing { words: words.join("; "), written, timezone: schedule.timezone.text.clone() }
}

/// How a time is written in the time zone of a schedule.
const LOCAL: &str = "%a %Y-%m-%d %H:%M:%S %Z";

/// A time in the time zone of a schedule.
pub fn local(schedule: &Schedule, at: Timestamp) -> String {
    let zone = timetable(schedule).map_or(jiff::tz::TimeZone::UTC, |timetable| timetable.zone().rules().clone());
    at.to_zoned(zone).strftime(LOCAL).to_string()
}

/// The next times of a schedule, with those that the pipeline begins at.
pub fn next(pipeline: &str, schedule: &Schedule, after: Timestamp, count: usize) -> Vec<Fire> {
    let Some(timetable) = timetable(schedule) else { return Vec::new() };
    let delay = sluicebox_schedule::jitter::delay(pipeline, schedule.jitter);
    let fire = |preview: sluicebox_schedule::Preview| Fire {
        at: preview.at.timestamp(),
        begins: preview.at.timestamp().checked_add(delay).ok().filter(|_| !delay.is_zero()),
        local: preview.at.strftime(LOCAL).to_string(),
        interval: preview.interval,
        note: preview.note.map(|note| note.to_string()),
    };
    timetable.preview(after, count).into_iter().map(fire).collect()
}
