//! Time zones: the names of IANA, and what the clocks of a zone do.

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::{AmbiguousOffset, Offset, TimeZone};
use std::fmt;

/// A time zone by its IANA name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Zone {
    name: String,
    rules: TimeZone,
}

/// There is no such time zone.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct ZoneError {
    /// What is wrong.
    pub message: String,
    /// What to write instead.
    pub help: String,
}

/// What becomes of a time of the wall clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// It comes once, at this instant.
    Once(i64),
    /// It is skipped: the clocks go forward at this instant.
    Gap(i64),
    /// It comes twice.
    Fold(i64, i64),
}

/// A change of the clocks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Change {
    /// From this instant on.
    pub(crate) at: i64,
    /// What the local clock is ahead of UTC before it.
    pub(crate) before: i64,
    /// What it is ahead of UTC from then on.
    pub(crate) after: i64,
}

impl Zone {
    /// The zone of an IANA name, such as `America/New_York` or `UTC`, upper or lower case.
    ///
    /// # Errors
    /// There is none; with the name that was most likely meant.
    pub fn named(name: &str) -> Result<Self, ZoneError> {
        let message = format!("there is no time zone `{name}`");
        let lower = name.to_ascii_lowercase();
        // What they mean differs from machine to machine, or counts leap seconds.
        let of_the_machine = ["local", "localtime", "posixrules", "factory"].contains(&lower.as_str());
        if of_the_machine || lower.starts_with("right/") || lower.starts_with("posix/") {
            let help = "write the name of a place, such as \"America/New_York\", or \"UTC\"".to_owned();
            return Err(ZoneError { message: format!("`{name}` does not say which time zone"), help });
        }
        match jiff::tz::db().get(name) {
            Ok(rules) => Ok(Self { name: rules.iana_name().unwrap_or(name).to_owned(), rules }),
            Err(_) => Err(ZoneError { message, help: help(&lower) }),
        }
    }

    /// Universal time.
    pub fn utc() -> Self {
        Self { name: "UTC".to_owned(), rules: TimeZone::UTC }
    }

    /// Its IANA name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Its rules.
    pub fn rules(&self) -> &TimeZone {
        &self.rules
    }

    /// What the local clock is ahead of UTC at an instant, in seconds.
    pub(crate) fn offset(&self, instant: i64) -> Option<i64> {
        Some(i64::from(self.rules.to_offset(Timestamp::from_second(instant).ok()?).seconds()))
    }

    /// What becomes of a time of the wall clock, in seconds since 1970.
    pub(crate) fn place(&self, local: i64) -> Option<Place> {
        let seconds = |offset: Offset| i64::from(offset.seconds());
        Some(match self.rules.to_ambiguous_timestamp(wall(local)?).offset() {
            AmbiguousOffset::Unambiguous { offset } => Place::Once(local - seconds(offset)),
            AmbiguousOffset::Fold { before, after } => Place::Fold(local - seconds(before), local - seconds(after)),
            // Taken by the clock before the gap it is an instant after the gap, and the change is the last one before it.
            AmbiguousOffset::Gap { before, .. } => Place::Gap(self.change_before(local - seconds(before) + 1)?.at),
        })
    }

    /// The first change of the clocks after an instant.
    pub(crate) fn change_after(&self, instant: i64) -> Option<Change> {
        let after = Timestamp::from_second(instant).ok()?;
        let mut changes = self.rules.following(after).map(|change| change.timestamp().as_second());
        changes.find_map(|at| self.change(at))
    }

    /// The last change of the clocks before an instant.
    pub(crate) fn change_before(&self, instant: i64) -> Option<Change> {
        let before = Timestamp::from_second(instant).ok()?;
        let mut changes = self.rules.preceding(before).map(|change| change.timestamp().as_second());
        changes.find_map(|at| self.change(at))
    }

    /// A change at an instant; none if only the name of the time changes.
    pub(crate) fn change(&self, at: i64) -> Option<Change> {
        let (before, after) = (self.offset(at - 1)?, self.offset(at)?);
        (before != after).then_some(Change { at, before, after })
    }
}

impl fmt::Display for Zone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)
    }
}

/// A time of the wall clock from seconds since 1970.
pub(crate) fn wall(local: i64) -> Option<DateTime> {
    Some(Offset::UTC.to_datetime(Timestamp::from_second(local).ok()?))
}

/// Names that people write, and what they mean.
const SHORT: [(&str, &str); 10] = [
    ("est", "America/New_York"),
    ("edt", "America/New_York"),
    ("pst", "America/Los_Angeles"),
    ("pdt", "America/Los_Angeles"),
    ("cst", "America/Chicago"),
    ("cdt", "America/Chicago"),
    ("bst", "Europe/London"),
    ("cest", "Europe/Berlin"),
    ("ist", "Asia/Kolkata"),
    ("jst", "Asia/Tokyo"),
];

fn help(lower: &str) -> String {
    if let Some((_, meant)) = SHORT.iter().find(|(short, _)| *short == lower) {
        return format!("did you mean \"{meant}\"?");
    }
    let names: Vec<String> = jiff::tz::db().available().map(|name| name.as_str().to_owned()).collect();
    let spaced = lower.replace([' ', '-'], "_");
    let city = |name: &&String| name.rsplit('/').next().is_some_and(|city| city.eq_ignore_ascii_case(&spaced));
    let meant = names.iter().find(city).map(String::as_str);
    match meant.or_else(|| sluicebox_model::pipeline::suggest::closest(lower, names.iter().map(String::as_str))) {
        Some(meant) => format!("did you mean \"{meant}\"?"),
        None => "write an IANA name such as \"America/New_York\" or \"UTC\"".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn zones_are_found_by_name() {
        for name in ["UTC", "America/New_York", "Australia/Lord_Howe", "Pacific/Apia", "Africa/Casablanca"] {
            assert_eq!(Zone::named(name).unwrap().name(), name);
        }
        assert_eq!(Zone::named("america/new_york").unwrap().name(), "America/New_York");
    }

    #[test]
    fn what_was_meant_is_told() {
        for (name, told) in [
            ("America/NewYork", "America/New_York"),
            ("Berlin", "Europe/Berlin"),
            ("new york", "America/New_York"),
            ("IST", "Asia/Kolkata"),
            ("localtime", "write the name of a place"),
            ("right/UTC", "write the name of a place"),
            ("../etc/passwd", "write an IANA name"),
            ("Mars/Olympus", "write an IANA name"),
        ] {
            let error = Zone::named(name).unwrap_err();
            assert!(error.help.contains(told), "{name}: {error:?}");
        }
    }

    #[test]
    fn a_day_that_was_skipped_is_a_gap() {
        let apia = Zone::named("Pacific/Apia").unwrap();
        let local: DateTime = "2011-12-30T12:00".parse().unwrap();
        let local = Offset::UTC.to_timestamp(local).unwrap().as_second();
        let end: Timestamp = "2011-12-30T10:00:00Z".parse().unwrap();
        assert_eq!(apia.place(local), Some(Place::Gap(end.as_second())));
    }
}
