//! The data interval as it is written on the command line.

use crate::trouble::Trouble;
use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use sluicebox_model::run::Interval;
use std::time::Duration;

/// The most intervals that are made at once.
pub(crate) const INTERVALS_MAX: u128 = 100_000;

/// `START..END`: two days (midnight UTC) or times (RFC 3339).
///
/// # Errors
/// It is none; what to write instead.
pub fn parse(text: &str) -> Result<Interval, Trouble> {
    let wrong = |why: String| {
        Trouble::new(format!("`--interval {text}`: {why}")).help(
            "write two days or times, e.g. `2026-01-01..2026-01-02` or `2026-01-01T06:00:00Z..2026-01-01T07:00:00Z`",
        )
    };
    let (start, end) = text.split_once("..").ok_or_else(|| wrong("there is no `..` in it".to_owned()))?;
    let start = point(start).ok_or_else(|| wrong(format!("`{start}` is neither a day nor a time")))?;
    let end = point(end).ok_or_else(|| wrong(format!("`{end}` is neither a day nor a time")))?;
    if end < start {
        return Err(wrong("it ends before it begins".to_owned()));
    }
    Ok(Interval { start, end })
}

/// The intervals of this length from one time to another, the oldest first; none is cut.
///
/// # Errors
/// They do not fill the time, are too many or too short; for people, with what to do instead.
pub fn split(from: Timestamp, to: Timestamp, every: Duration) -> Result<Vec<Interval>, (String, String)> {
    if every < Duration::from_secs(1) {
        return Err(("the intervals are shorter than a second".to_owned(), "write e.g. `--every 1d`".to_owned()));
    }
    let whole = Duration::try_from(to.duration_since(from)).unwrap_or_default();
    if to <= from {
        return Err(("it ends before it begins".to_owned(), "`--to` is behind `--from`, and is excluded".to_owned()));
    }
    if whole.as_nanos() / every.as_nanos() > INTERVALS_MAX {
        let message = format!("that is more than {INTERVALS_MAX} intervals");
        return Err((message, "take longer intervals, or do it in parts".to_owned()));
    }
    let mut intervals = Vec::new();
    let mut start = from;
    while start < to {
        let beyond = || ("that is beyond all time".to_owned(), "name times of this age".to_owned());
        let end = start.checked_add(every).map_err(|_| beyond())?;
        if end > to {
            let message = format!("the last interval would be cut: it starts at {start} and would end at {end}");
            let help = format!("write `--to {end}`, or `--to {start}` to leave it out");
            return Err((message, help));
        }
        intervals.push(Interval { start, end });
        start = end;
    }
    Ok(intervals)
}

/// A day (midnight UTC) or a time (RFC 3339).
pub fn point(text: &str) -> Option<Timestamp> {
    let text = text.trim();
    let midnight = |day: Date| day.to_zoned(TimeZone::UTC).ok().map(|zoned| zoned.timestamp());
    text.parse::<Timestamp>().ok().or_else(|| text.parse::<Date>().ok().and_then(midnight))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing)]
    use super::*;

    #[test]
    fn intervals_fill_the_time_and_none_is_cut() {
        let day = Duration::from_secs(86_400);
        let (from, to) = (point("2026-02-27").unwrap(), point("2026-03-02").unwrap());
        let days = split(from, to, day).unwrap();
        let starts: Vec<String> = days.iter().map(|day| day.start.to_string()).collect();
        assert_eq!(starts, ["2026-02-27T00:00:00Z", "2026-02-28T00:00:00Z", "2026-03-01T00:00:00Z"]);
        assert!(days.windows(2).all(|pair| pair[0].end == pair[1].start));
        assert_eq!(days.last().unwrap().end, to);
        assert_eq!(split(from, to, 3 * day).unwrap(), [Interval { start: from, end: to }]);
        let (message, help) = split(from, to, 2 * day).unwrap_err();
        assert!(message.contains("cut") && help.contains("--to 2026-03-03T00:00:00Z"), "{message} {help}");
        assert!(split(to, from, day).is_err() && split(from, from, day).is_err());
        assert!(split(from, to, Duration::from_millis(10)).is_err());
        assert!(split(from, point("2126-01-01").unwrap(), Duration::from_secs(1)).is_err());
    }

    #[test]
    fn days_and_times() {
        let days = parse("2026-01-01..2026-01-02").unwrap();
        assert_eq!(days.start.to_string(), "2026-01-01T00:00:00Z");
        assert_eq!(days, parse("2026-01-01T00:00:00Z..2026-01-02T01:00:00+01:00").unwrap());
        for bad in ["", "2026-01-01", "2026-01-02..2026-01-01", "a..b", "2026-13-01..2026-13-02"] {
            assert!(parse(bad).is_err(), "{bad}");
        }
    }
}
