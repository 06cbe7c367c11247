//! The data interval as it is written on the command line.

use crate::trouble::Trouble;
use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use sluicebox_model::run::Interval;

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

fn point(text: &str) -> Option<Timestamp> {
    let text = text.trim();
    let midnight = |day: Date| day.to_zoned(TimeZone::UTC).ok().map(|zoned| zoned.timestamp());
    text.parse::<Timestamp>().ok().or_else(|| text.parse::<Date>().ok().and_then(midnight))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

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
