//! Days, months and times of the proleptic Gregorian calendar. Dates are days and timestamps microseconds since
//! 1970-01-01.

pub(crate) const SECOND: i64 = 1_000_000;
pub(crate) const MINUTE: i64 = 60 * SECOND;
pub(crate) const HOUR: i64 = 60 * MINUTE;
pub(crate) const DAY: i64 = 24 * HOUR;

/// Year, month and day.
pub(crate) fn civil(days: i64) -> (i64, u32, u32) {
    // Years that begin in March put the leap day last; eras are 400 years.
    let days = days + 719_468;
    let era = days.div_euclid(146_097);
    let of_era = days.rem_euclid(146_097);
    let year_of_era = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month = (5 * of_year + 2) / 153;
    let day = of_year - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    (year, u32::try_from(month).unwrap_or(1), u32::try_from(day).unwrap_or(1))
}

/// Days since 1970-01-01 of a day that exists.
pub(crate) fn days(year: i64, month: u32, day: u32) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let month = i64::from(month);
    let of_year = (153 * (if month > 2 { month - 3 } else { month + 9 }) + 2) / 5 + i64::from(day) - 1;
    era * 146_097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + of_year - 719_468
}

/// Days of a month.
pub(crate) fn month_length(year: i64, month: u32) -> u32 {
    match month {
        4 | 6 | 9 | 11 => 30,
        2 if year.rem_euclid(4) == 0 && (year.rem_euclid(100) != 0 || year.rem_euclid(400) == 0) => 29,
        2 => 28,
        _ => 31,
    }
}

/// The date, where there is such a day in the years -9999 to 9999.
pub(crate) fn date(year: i64, month: i64, day: i64) -> Option<i32> {
    let (month, day) = (u32::try_from(month).ok()?, u32::try_from(day).ok()?);
    if !(-9999..=9999).contains(&year) || !(1..=12).contains(&month) || day == 0 || day > month_length(year, month) {
        return None;
    }
    i32::try_from(days(year, month, day)).ok()
}

/// A date within the years -9999 to 9999.
pub(crate) fn in_range(date: i64) -> Option<i32> {
    i32::try_from(date).ok().filter(|_| (days(-9999, 1, 1)..=days(9999, 12, 31)).contains(&date))
}

/// A timestamp within the years -9999 to 9999.
pub(crate) fn time_in_range(micros: i64) -> Option<i64> {
    in_range(micros.div_euclid(DAY)).map(|_| micros)
}

/// The same day of another month, or the month's last.
pub(crate) fn add_months(date: i64, months: i64) -> Option<i64> {
    let (year, month, day) = civil(date);
    let month = year.checked_mul(12)?.checked_add(i64::from(month) - 1)?.checked_add(months)?;
    let (year, month) = (month.div_euclid(12), u32::try_from(month.rem_euclid(12) + 1).ok()?);
    in_range(days(
        if (-9999..=9999).contains(&year) { year } else { return None },
        month,
        day.min(month_length(year, month)),
    ))
    .map(i64::from)
}

/// A length of time; months are of different lengths and so stand by themselves.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Interval {
    pub(crate) months: i64,
    pub(crate) days: i64,
    pub(crate) micros: i64,
}

impl Interval {
    pub(crate) fn negated(self) -> Option<Self> {
        Some(Self {
            months: self.months.checked_neg()?,
            days: self.days.checked_neg()?,
            micros: self.micros.checked_neg()?,
        })
    }

    pub(crate) fn after(self, micros: i64) -> Option<i64> {
        let (day, time) = (micros.div_euclid(DAY), micros.rem_euclid(DAY));
        let day = add_months(day, self.months)?.checked_add(self.days)?;
        time_in_range(day.checked_mul(DAY)?.checked_add(time)?.checked_add(self.micros)?)
    }
}

/// What can be cut to, or taken from, a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unit {
    Microsecond,
    Millisecond,
    Second,
    Minute,
    Hour,
    Day,
    Week,
    Month,
    Quarter,
    Year,
    Decade,
    Century,
    DayOfWeek,
    IsoDayOfWeek,
    DayOfYear,
    IsoYear,
    Epoch,
}

/// The units by their names.
pub(crate) const UNITS: &[(&str, Unit)] = &[
    ("microsecond", Unit::Microsecond),
    ("millisecond", Unit::Millisecond),
    ("second", Unit::Second),
    ("minute", Unit::Minute),
    ("hour", Unit::Hour),
    ("day", Unit::Day),
    ("week", Unit::Week),
    ("month", Unit::Month),
    ("quarter", Unit::Quarter),
    ("year", Unit::Year),
    ("decade", Unit::Decade),
    ("century", Unit::Century),
    ("dow", Unit::DayOfWeek),
    ("isodow", Unit::IsoDayOfWeek),
    ("doy", Unit::DayOfYear),
    ("isoyear", Unit::IsoYear),
    ("epoch", Unit::Epoch),
];

impl Unit {
    pub(crate) fn named(name: &str) -> Option<Unit> {
        let name = name.to_ascii_lowercase();
        let found = |name: &str| UNITS.iter().find(|(unit, _)| *unit == name).map(|(_, unit)| *unit);
        found(&name).or_else(|| match name.as_str() {
            "dayofweek" => Some(Unit::DayOfWeek),
            "dayofyear" => Some(Unit::DayOfYear),
            "centuries" => Some(Unit::Century),
            name => found(name.strip_suffix('s')?).filter(|unit| *unit <= Unit::Century),
        })
    }

    /// Whether a date has it.
    pub(crate) fn of_date(self) -> bool {
        self > Unit::Hour
    }

    /// The beginning of the unit that a time lies in; none for what is not a length of time.
    pub(crate) fn truncate(self, micros: i64) -> Option<i64> {
        let step = match self {
            Unit::Microsecond => 1,
            Unit::Millisecond => 1000,
            Unit::Second => SECOND,
            Unit::Minute => MINUTE,
            Unit::Hour => HOUR,
            Unit::Day => DAY,
            _ => return self.truncate_day(micros.div_euclid(DAY))?.checked_mul(DAY),
        };
        micros.checked_sub(micros.rem_euclid(step))
    }

    pub(crate) fn truncate_day(self, date: i64) -> Option<i64> {
        let (year, month, _) = civil(date);
        Some(match self {
            Unit::Day => date,
            Unit::Week => date - (date + 3).rem_euclid(7),
            Unit::Month => days(year, month, 1),
            Unit::Quarter => days(year, (month - 1) / 3 * 3 + 1, 1),
            Unit::Year => days(year, 1, 1),
            Unit::Decade => days(year.div_euclid(10) * 10, 1, 1),
            Unit::Century => days((year - 1).div_euclid(100) * 100 + 1, 1, 1),
            _ => return None,
        })
    }

    /// This part of a time; of a second, milliseconds and microseconds include whole seconds.
    pub(crate) fn part(self, micros: i64) -> i64 {
        let (date, time) = (micros.div_euclid(DAY), micros.rem_euclid(DAY));
        let (year, month, day) = civil(date);
        match self {
            Unit::Microsecond => time % MINUTE,
            Unit::Millisecond => time % MINUTE / 1000,
            Unit::Second => time % MINUTE / SECOND,
            Unit::Minute => time % HOUR / MINUTE,
            Unit::Hour => time / HOUR,
            Unit::Day => i64::from(day),
            Unit::Week => iso_week(date).1,
            Unit::Month => i64::from(month),
            Unit::Quarter => i64::from((month - 1) / 3 + 1),
            Unit::Year => year,
            Unit::Decade => year.div_euclid(10),
            Unit::Century => (year - 1).div_euclid(100) + 1,
            Unit::DayOfWeek => (date + 4).rem_euclid(7),
            Unit::IsoDayOfWeek => (date + 3).rem_euclid(7) + 1,
            Unit::DayOfYear => date - days(year, 1, 1) + 1,
            Unit::IsoYear => iso_week(date).0,
            Unit::Epoch => micros.div_euclid(SECOND),
        }
    }
}

impl PartialOrd for Unit {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        (*self as u8).partial_cmp(&(*other as u8))
    }
}

/// Year and week by ISO 8601: a week belongs to the year of its Thursday.
pub(crate) fn iso_week(date: i64) -> (i64, i64) {
    let thursday = date - (date + 3).rem_euclid(7) + 3;
    let (year, _, _) = civil(thursday);
    (year, (thursday - days(year, 1, 1)) / 7 + 1)
}

/// What a zone is ahead of UTC, in microseconds; none for zones that change over the year.
pub(crate) fn offset(zone: Option<&str>) -> Option<i64> {
    match zone {
        None => Some(0),
        Some(zone) if ["UTC", "Z", "GMT", "Etc/UTC"].iter().any(|utc| zone.eq_ignore_ascii_case(utc)) => Some(0),
        Some(zone) => {
            let (offset, rest) = parse_offset(zone.as_bytes())?;
            rest.is_empty().then_some(offset)
        }
    }
}

/// Reads `+01:00`, `-0530` or `+02`.
pub(crate) fn parse_offset(text: &[u8]) -> Option<(i64, &[u8])> {
    let (sign, text) = text.split_first()?;
    let sign = match sign {
        b'+' => 1,
        b'-' => -1,
        _ => return None,
    };
    let (hours, text) = number(text, 2, 2)?;
    let after = text.strip_prefix(b":").unwrap_or(text);
    let (minutes, text) = number(after, 2, 2).unwrap_or((0, text));
    (hours < 24 && minutes < 60).then_some((sign * (hours * HOUR + minutes * MINUTE), text))
}

/// Reads a number of `least` to `most` digits.
pub(crate) fn number(text: &[u8], least: usize, most: usize) -> Option<(i64, &[u8])> {
    let digits = text.iter().take(most).take_while(|byte| byte.is_ascii_digit()).count();
    if digits < least {
        return None;
    }
    let (digits, rest) = text.split_at_checked(digits)?;
    Some((digits.iter().fold(0, |all, digit| all * 10 + i64::from(digit - b'0')), rest))
}

/// Reads `2013-01-05` or `20130105`.
fn parse_day(text: &[u8]) -> Option<(i32, &[u8])> {
    let (negative, text) = match text.strip_prefix(b"-") {
        Some(text) => (true, text),
        None => (false, text.strip_prefix(b"+").unwrap_or(text)),
    };
    let (year, rest) = number(text, 4, 4)?;
    let year = if negative { -year } else { year };
    let (month, day, rest) = match rest.strip_prefix(b"-") {
        Some(rest) => {
            let (month, rest) = number(rest, 1, 2)?;
            let (day, rest) = number(rest.strip_prefix(b"-")?, 1, 2)?;
            (month, day, rest)
        }
        None => {
            let (month, rest) = number(rest, 2, 2)?;
            let (day, rest) = number(rest, 2, 2)?;
            (month, day, rest)
        }
    };
    Some((date(year, month, day)?, rest))
}

/// Reads a date; a time behind it is looked at and dropped.
pub(crate) fn parse_date(text: &str) -> Option<i32> {
    let text = text.trim_matches(|c: char| c.is_ascii_whitespace());
    match parse_day(text.as_bytes())? {
        (date, []) => Some(date),
        _ => i32::try_from(parse_timestamp(text, 0)?.div_euclid(DAY)).ok(),
    }
}

/// Reads `2013-01-05T06:30:00.5+01:00`: the time and its parts may be missing, a blank may stand for the T. Without an
/// offset in the text the time is `ahead` of UTC.
pub(crate) fn parse_timestamp(text: &str, ahead: i64) -> Option<i64> {
    let text = text.trim_matches(|c: char| c.is_ascii_whitespace()).as_bytes();
    let (date, rest) = parse_day(text)?;
    let day = i64::from(date).checked_mul(DAY)?;
    let Some((b'T' | b't' | b' ', rest)) = rest.split_first() else {
        return if rest.is_empty() { day.checked_sub(ahead) } else { None };
    };
    let (time, rest) = parse_time(rest)?;
    let offset = match rest.strip_prefix(b" ").unwrap_or(rest) {
        [] => ahead,
        b"Z" | b"z" | b"UTC" => 0,
        rest => match parse_offset(rest)? {
            (offset, []) => offset,
            _ => return None,
        },
    };
    day.checked_add(time)?.checked_sub(offset)
}

/// Reads `06:30`, `06:30:00` or `06:30:00.123456`.
fn parse_time(text: &[u8]) -> Option<(i64, &[u8])> {
    let (hour, rest) = number(text, 1, 2)?;
    let (minute, mut rest) = number(rest.strip_prefix(b":")?, 2, 2)?;
    let mut micros = 0;
    let mut second = 0;
    if let Some(after) = rest.strip_prefix(b":") {
        (second, rest) = number(after, 2, 2)?;
        if let Some(after) = rest.strip_prefix(b".") {
            (micros, rest) = fraction(after)?;
        }
    }
    (hour < 24 && minute < 60 && second < 60)
        .then_some((hour * HOUR + minute * MINUTE + second * SECOND + micros, rest))
}

/// Microseconds of the digits behind a point; what is finer is dropped.
pub(crate) fn fraction(text: &[u8]) -> Option<(i64, &[u8])> {
    let digits = text.iter().take_while(|byte| byte.is_ascii_digit()).count();
    if digits == 0 {
        return None;
    }
    let (digits, rest) = text.split_at_checked(digits)?;
    let micros = (0..6).fold(0, |all, at| all * 10 + digits.get(at).map_or(0, |digit| i64::from(digit - b'0')));
    Some((micros, rest))
}

/// Writes `2013-01-05`.
pub(crate) fn write_date(out: &mut Vec<u8>, date: i64) {
    let (year, month, day) = civil(date);
    if !(0..=9999).contains(&year) {
        out.push(if year < 0 { b'-' } else { b'+' });
    }
    digits(out, year.unsigned_abs(), 4);
    out.push(b'-');
    digits(out, u64::from(month), 2);
    out.push(b'-');
    digits(out, u64::from(day), 2);
}

/// Writes `2013-01-05T06:30:00`, with 3 or 6 digits of a second where it has them.
pub(crate) fn write_timestamp(out: &mut Vec<u8>, micros: i64) {
    write_date(out, micros.div_euclid(DAY));
    let time = micros.rem_euclid(DAY);
    for (sign, part) in [(b'T', time / HOUR), (b':', time % HOUR / MINUTE), (b':', time % MINUTE / SECOND)] {
        out.push(sign);
        digits(out, part.unsigned_abs(), 2);
    }
    let fraction = (time % SECOND).unsigned_abs();
    if fraction != 0 {
        out.push(b'.');
        if fraction.is_multiple_of(1000) { digits(out, fraction / 1000, 3) } else { digits(out, fraction, 6) }
    }
}

/// Writes what a zone is ahead of UTC: `Z` or `+01:00`.
pub(crate) fn write_offset(out: &mut Vec<u8>, ahead: i64) {
    if ahead == 0 {
        return out.push(b'Z');
    }
    out.push(if ahead < 0 { b'-' } else { b'+' });
    digits(out, ahead.unsigned_abs() / HOUR.unsigned_abs(), 2);
    out.push(b':');
    digits(out, ahead.unsigned_abs() / MINUTE.unsigned_abs() % 60, 2);
}

/// Writes a number with at least `width` digits.
pub(crate) fn digits(out: &mut Vec<u8>, number: u64, width: usize) {
    let text = number.to_string();
    out.extend(std::iter::repeat_n(b'0', width.saturating_sub(text.len())));
    out.extend_from_slice(text.as_bytes());
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]
    use super::*;

    #[test]
    fn days_there_and_back() {
        for day in (-4_000_000..4_000_000).step_by(37) {
            let (year, month, of_month) = civil(day);
            assert_eq!(days(year, month, of_month), day);
        }
        assert_eq!(civil(0), (1970, 1, 1));
        assert_eq!(date(2012, 2, 29), Some(15_399));
        assert_eq!(date(2013, 2, 29), None);
    }

    #[test]
    fn reads_and_writes_times() {
        for (text, micros) in [
            ("1970-01-01", Some(0)),
            ("1970-01-02 00:00:01", Some(DAY + SECOND)),
            ("1970-01-01T01:00:00+01:00", Some(0)),
            ("1970-01-01T00:00:00.25Z", Some(250_000)),
            ("1970-01-01T00:00", Some(0)),
            ("1970-13-01", None),
            ("1970-01-01T24:00:00", None),
            ("1970-01-01x", None),
            ("", None),
        ] {
            assert_eq!(parse_timestamp(text, 0), micros, "{text}");
        }
        let mut out = Vec::new();
        write_timestamp(&mut out, -1);
        assert_eq!(out, b"1969-12-31T23:59:59.999999");
    }

    #[test]
    fn weeks_belong_to_the_year_of_their_thursday() {
        assert_eq!(iso_week(days(2021, 1, 3)), (2020, 53));
        assert_eq!(iso_week(days(2013, 12, 30)), (2014, 1));
        assert_eq!(Unit::Week.truncate_day(days(2013, 12, 31)), Some(days(2013, 12, 30)));
        assert_eq!(add_months(days(2012, 1, 31), 1), Some(days(2012, 2, 29)));
    }
}
