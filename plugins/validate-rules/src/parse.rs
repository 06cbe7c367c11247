//! Text that is to be read as a type.

use crate::options::TypeName;

/// Whether the text can be read as the type.
pub(crate) fn reads_as(text: &[u8], kind: TypeName) -> bool {
    match kind {
        TypeName::Int => std::str::from_utf8(text).is_ok_and(|text| text.parse::<i64>().is_ok()),
        TypeName::Float => is_float(text),
        TypeName::Boolean => text.eq_ignore_ascii_case(b"true") || text.eq_ignore_ascii_case(b"false"),
        TypeName::Date => date_days(text).is_some(),
        TypeName::Timestamp => timestamp_micros(text).is_some(),
    }
}

/// A number that is one: `nan` and `inf`, which Rust reads too, are not.
fn is_float(text: &[u8]) -> bool {
    text.iter().all(|byte| matches!(byte, b'0'..=b'9' | b'+' | b'-' | b'.' | b'e' | b'E'))
        && std::str::from_utf8(text).is_ok_and(|text| text.parse::<f64>().is_ok())
}

/// Days since 1970-01-01 of `2013-01-31`.
pub(crate) fn date_days(text: &[u8]) -> Option<i32> {
    let (year, rest) = text.split_at_checked(4)?;
    let [b'-', m1, m2, b'-', d1, d2] = rest else { return None };
    let (year, month, day) = (digits(year)?, digits(&[*m1, *m2])?, digits(&[*d1, *d2])?);
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let last = match month {
        2 => 28 + i64::from(leap),
        4 | 6 | 9 | 11 => 30,
        1..=12 => 31,
        _ => return None,
    };
    if !(1..=last).contains(&day) {
        return None;
    }
    let shifted_year = year - i64::from(month <= 2);
    let (era, year_of_era) = (shifted_year.div_euclid(400), shifted_year.rem_euclid(400));
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    i32::try_from(era * 146_097 + day_of_era - 719_468).ok()
}

/// Microseconds since 1970-01-01 of `2013-01-31T05:17:00`, with a `T` or a space, with or without seconds, a fraction
/// and a zone (`Z`, `+02:00`), which is taken off.
pub(crate) fn timestamp_micros(text: &[u8]) -> Option<i64> {
    let (date, rest) = text.split_at_checked(10)?;
    let days = date_days(date)?;
    let (separator, rest) = rest.split_first()?;
    if !matches!(separator, b'T' | b't' | b' ') {
        return None;
    }
    let (hours_minutes, mut rest) = rest.split_at_checked(5)?;
    let [h1, h2, b':', m1, m2] = hours_minutes else { return None };
    let (hours, minutes) = (digits(&[*h1, *h2])?, digits(&[*m1, *m2])?);
    let (mut seconds, mut micros) = (0, 0);
    if let [b':', s1, s2, behind @ ..] = rest {
        seconds = digits(&[*s1, *s2])?;
        rest = behind;
        if let [b'.', behind @ ..] = rest {
            let length = behind.iter().take_while(|byte| byte.is_ascii_digit()).count();
            let (fraction, behind) = behind.split_at_checked(length)?;
            if fraction.is_empty() {
                return None;
            }
            let padded = fraction.iter().copied().chain(std::iter::repeat(b'0')).take(6);
            micros = padded.fold(0, |micros, digit| micros * 10 + i64::from(digit - b'0'));
            rest = behind;
        }
    }
    if hours > 23 || minutes > 59 || seconds > 59 {
        return None;
    }
    let offset = match rest {
        [] | [b'Z' | b'z'] => 0,
        [sign @ (b'+' | b'-'), h1, h2, b':', m1, m2] => {
            let (hours, minutes) = (digits(&[*h1, *h2])?, digits(&[*m1, *m2])?);
            if hours > 23 || minutes > 59 {
                return None;
            }
            (hours * 3600 + minutes * 60) * if *sign == b'-' { -1 } else { 1 }
        }
        _ => return None,
    };
    let total = i64::from(days) * 86_400 + hours * 3600 + minutes * 60 + seconds - offset;
    total.checked_mul(1_000_000)?.checked_add(micros)
}

fn digits(text: &[u8]) -> Option<i64> {
    text.iter().try_fold(0, |number, byte| byte.is_ascii_digit().then(|| number * 10 + i64::from(byte - b'0')))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

    use super::*;

    #[test]
    fn dates() {
        assert_eq!(date_days(b"1970-01-01"), Some(0));
        assert_eq!(date_days(b"2013-01-31"), Some(15_736));
        assert_eq!(date_days(b"1969-12-31"), Some(-1));
        assert_eq!(date_days(b"2000-02-29"), Some(11_016));
        for bad in ["2013-02-29", "1900-02-29", "2013-13-01", "2013-1-1", "2013-01-00", "x", "2013-01-311"] {
            assert_eq!(date_days(bad.as_bytes()), None, "{bad}");
        }
    }

    #[test]
    fn timestamps() {
        assert_eq!(timestamp_micros(b"1970-01-01T00:00:01"), Some(1_000_000));
        assert_eq!(timestamp_micros(b"1970-01-01 00:00:01.5Z"), Some(1_500_000));
        assert_eq!(timestamp_micros(b"1970-01-01T01:00:00+01:00"), Some(0));
        assert_eq!(timestamp_micros(b"1970-01-01T01:00"), Some(3_600_000_000));
        for bad in ["1970-01-01", "1970-01-01T24:00:00", "1970-01-01T00:00:00.", "1970-01-01T00:00:00x"] {
            assert_eq!(timestamp_micros(bad.as_bytes()), None, "{bad}");
        }
    }

    #[test]
    fn types() {
        assert!(reads_as(b"-12", TypeName::Int) && !reads_as(b"1.0", TypeName::Int) && !reads_as(b"", TypeName::Int));
        assert!(reads_as(b"-1.5e3", TypeName::Float) && !reads_as(b"NaN", TypeName::Float));
        assert!(reads_as(b"TRUE", TypeName::Boolean) && !reads_as(b"yes", TypeName::Boolean));
    }
}
