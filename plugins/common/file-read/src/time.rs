//! Dates and timestamps from text.

/// Microseconds of a day.
const DAY_MICROS: i64 = 86_400_000_000;

/// Days from 1970-01-01 to a day of the proleptic Gregorian calendar; none if there is no such day.
#[must_use]
pub fn days(year: i32, month: u32, day: u32) -> Option<i32> {
    const LENGTHS: [u32; 12] = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
    let leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    let length = LENGTHS.get(month.wrapping_sub(1) as usize)? + u32::from(leap && month == 2);
    if day == 0 || day > length {
        return None;
    }
    // Years begin in March here, so that the leap day is the last.
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let day_of_year = (153 * ((month as i32 + 9) % 12) + 2) / 5 + day as i32 - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    Some(era * 146_097 + day_of_era - 719_468)
}

fn two(text: &[u8]) -> Option<u32> {
    match text {
        [a @ b'0'..=b'9', b @ b'0'..=b'9'] => Some(u32::from(a - b'0') * 10 + u32::from(b - b'0')),
        _ => None,
    }
}

/// `YYYY-MM-DD`, in days since 1970-01-01.
#[must_use]
pub fn date(text: &[u8]) -> Option<i32> {
    let [y1, y2, y3, y4, b'-', m1, m2, b'-', d1, d2] = text else { return None };
    let year = two(&[*y1, *y2])? * 100 + two(&[*y3, *y4])?;
    days(year as i32, two(&[*m1, *m2])?, two(&[*d1, *d2])?)
}

/// A timestamp as it was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Timestamp {
    /// since 1970-01-01T00:00:00: in UTC if `zoned`, else on the local clock
    pub micros: i64,
    /// whether it said its zone: `Z` or an offset
    pub zoned: bool,
}

/// Remembers the day that it saw last: in a file, the same day comes again and again.
#[derive(Debug)]
pub struct TimestampParser {
    day_text: [u8; 10],
    day_micros: i64,
}

impl Default for TimestampParser {
    fn default() -> Self {
        Self { day_text: *b"1970-01-01", day_micros: 0 }
    }
}

impl TimestampParser {
    /// `YYYY-MM-DD`, then `T` or a space and `HH:MM[:SS[.fraction]]`, then `Z` or an offset (`+02:00`, `+0200`, `+02`) or
    /// nothing. A date alone is its midnight. What is finer than microseconds is cut off.
    #[inline]
    pub fn parse(&mut self, text: &[u8]) -> Option<Timestamp> {
        let (day, rest) = text.split_first_chunk::<10>()?;
        if *day != self.day_text {
            self.day_micros = i64::from(date(day)?) * DAY_MICROS;
            self.day_text = *day;
        }
        // What almost every file has, first.
        if let [b'T' | b' ', h1, h2, b':', m1, m2, b':', s1, s2, zone @ ..] = rest
            && matches!(zone, [] | [b'Z'])
        {
            let seconds = clock(two(&[*h1, *h2])?, two(&[*m1, *m2])?, two(&[*s1, *s2])?)?;
            return Some(Timestamp { micros: self.day_micros + seconds * 1_000_000, zoned: !zone.is_empty() });
        }
        self.rest(rest)
    }

    fn rest(&self, rest: &[u8]) -> Option<Timestamp> {
        if rest.is_empty() {
            return Some(Timestamp { micros: self.day_micros, zoned: false });
        }
        let [b'T' | b't' | b' ', h1, h2, b':', m1, m2, tail @ ..] = rest else { return None };
        let mut rest = tail;
        let mut second = 0;
        let mut fraction = 0;
        if let [b':', s1, s2, behind @ ..] = rest {
            second = two(&[*s1, *s2])?;
            rest = behind;
            if let [b'.' | b',', behind @ ..] = rest {
                let digits = behind.iter().take_while(|byte| byte.is_ascii_digit()).count();
                if digits == 0 {
                    return None;
                }
                let (digits, behind) = behind.split_at_checked(digits)?;
                fraction = micros_of_fraction(digits);
                rest = behind;
            }
        }
        let seconds = clock(two(&[*h1, *h2])?, two(&[*m1, *m2])?, second)?;
        let local = self.day_micros + seconds * 1_000_000 + fraction;
        if rest.is_empty() {
            return Some(Timestamp { micros: local, zoned: false });
        }
        Some(Timestamp { micros: local - offset_seconds(rest)? * 1_000_000, zoned: true })
    }
}

pub(crate) fn clock(hour: u32, minute: u32, second: u32) -> Option<i64> {
    (hour < 24 && minute < 60 && second < 60).then_some(i64::from(hour * 3600 + minute * 60 + second))
}

/// The first six digits behind the point.
pub(crate) fn micros_of_fraction(digits: &[u8]) -> i64 {
    (0..6).fold(0, |value, i| value * 10 + digits.get(i).map_or(0, |digit| i64::from(digit - b'0')))
}

/// `Z`, `+02:00`, `+0200`, `+02`, in seconds east of UTC.
pub(crate) fn offset_seconds(text: &[u8]) -> Option<i64> {
    let (sign, hours, minutes) = match text {
        [b'Z' | b'z'] => return Some(0),
        [sign, h1, h2] => (sign, two(&[*h1, *h2])?, 0),
        [sign, h1, h2, m1, m2] | [sign, h1, h2, b':', m1, m2] => (sign, two(&[*h1, *h2])?, two(&[*m1, *m2])?),
        _ => return None,
    };
    let seconds = clock(hours, minutes, 0)?;
    match sign {
        b'+' => Some(seconds),
        b'-' => Some(-seconds),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]
    use super::*;

    fn stamp(text: &str) -> Option<(i64, bool)> {
        TimestampParser::default().parse(text.as_bytes()).map(|t| (t.micros, t.zoned))
    }

    #[test]
    fn every_day_of_four_centuries_follows_the_one_before() {
        let mut expected = days(1600, 1, 1).unwrap();
        assert_eq!(days(1970, 1, 1), Some(0));
        assert_eq!(days(2000, 3, 1), Some(11_017));
        assert_eq!(days(1600, 1, 1), Some(-135_140));
        for year in 1600..2000 {
            for month in 1..=12 {
                for day in 1..=32 {
                    if let Some(found) = days(year, month, day) {
                        assert_eq!(found, expected);
                        expected += 1;
                    } else {
                        assert!(day > 28);
                    }
                }
            }
        }
        assert_eq!(expected, days(2000, 1, 1).unwrap());
        assert_eq!(days(1900, 2, 29), None);
        assert_eq!(days(2000, 0, 1), None);
        assert_eq!(days(2000, 13, 1), None);
    }

    #[test]
    fn forms_of_timestamps() {
        let base = 1_357_034_400_000_000; // 2013-01-01T10:00:00
        assert_eq!(stamp("2013-01-01T10:00:00Z"), Some((base, true)));
        assert_eq!(stamp("2013-01-01 10:00:00"), Some((base, false)));
        assert_eq!(stamp("2013-01-01T10:00"), Some((base, false)));
        assert_eq!(stamp("2013-01-01T12:00:00+02:00"), Some((base, true)));
        assert_eq!(stamp("2013-01-01T12:00:00+0200"), Some((base, true)));
        assert_eq!(stamp("2013-01-01T05:30-04:30"), Some((base, true)));
        assert_eq!(stamp("2013-01-01T12:00:00+02"), Some((base, true)));
        assert_eq!(stamp("2013-01-01T10:00:00.5Z"), Some((base + 500_000, true)));
        assert_eq!(stamp("2013-01-01T10:00:00.123456789"), Some((base + 123_456, false)));
        assert_eq!(stamp("2013-01-01"), Some((base - 10 * 3_600_000_000, false)));
        for bad in [
            "2013-01-01T24:00:00",
            "2013-01-01T10:60:00",
            "2013-02-30",
            "2013-1-1",
            "2013-01-01T10:00:00 Z",
            "2013-01-01T10",
            "2013-01-01T10:00:00.Z",
            "2013-01-01x10:00:00",
            "13-01-01",
            "",
            "2013-01-01T10:00:00+2",
        ] {
            assert_eq!(stamp(bad), None, "{bad}");
        }
        assert_eq!(stamp("1969-12-31T23:59:59.999999Z"), Some((-1, true)));
    }
}
