//! How values are written in text formats: appended to a buffer, without allocation.

/// Appends the first `length` of the bytes. Of a fixed size, the copy is a store or two: in a guest, copying a length that
/// is only known as it runs costs a call.
#[inline]
pub fn push_first<const N: usize>(out: &mut Vec<u8>, bytes: &[u8; N], length: usize) {
    let end = out.len() + length.min(N);
    out.extend_from_slice(bytes);
    out.truncate(end);
}

/// Appends an integer of up to 64 bits.
#[inline]
pub fn push_integer<T: itoa::Integer + Copy + TryInto<i64>>(out: &mut Vec<u8>, value: T) {
    match value.try_into() {
        Ok(small @ -99_999_999..=99_999_999) => {
            if small < 0 {
                out.push(b'-');
            }
            let (digits, leading) = eight_digits(small.unsigned_abs());
            // One digit is left of a zero.
            let leading = leading.min(7);
            push_first(out, &(digits >> (8 * leading)).to_le_bytes(), 8 - leading);
        }
        _ => out.extend_from_slice(itoa::Buffer::new().format(value).as_bytes()),
    }
}

/// The digits of a number below 10^8 as eight bytes of text, the first lowest, and how many of them are leading zeros.
/// All eight come from a few multiplications at once.
#[inline]
fn eight_digits(value: u64) -> (u64, usize) {
    let halves = (value / 10_000) | ((value % 10_000) << 32);
    let hundreds = ((halves * 10_486) >> 20) & 0x0000_007f_0000_007f;
    let pairs = ((halves - 100 * hundreds) << 16) | hundreds;
    let tens = ((pairs * 103) >> 10) & 0x000f_000f_000f_000f;
    let digits = ((pairs - 10 * tens) << 8) | tens;
    (digits | 0x3030_3030_3030_3030, digits.trailing_zeros() as usize / 8)
}

/// Appends the shortest text that reads back as the same number; `NaN`, `inf` and `-inf` for those that are none.
pub fn push_float(out: &mut Vec<u8>, value: f64) {
    if value.is_finite() {
        out.extend_from_slice(zmij::Buffer::new().format_finite(value).as_bytes());
    } else {
        push_not_finite(out, value);
    }
}

/// The same for 32 bits.
pub fn push_float32(out: &mut Vec<u8>, value: f32) {
    if value.is_finite() {
        out.extend_from_slice(zmij::Buffer::new().format_finite(value).as_bytes());
    } else {
        push_not_finite(out, f64::from(value));
    }
}

fn push_not_finite(out: &mut Vec<u8>, value: f64) {
    out.extend_from_slice(if value.is_nan() {
        b"NaN"
    } else if value > 0.0 {
        b"inf"
    } else {
        b"-inf"
    });
}

/// Appends days since 1970-01-01 as `2013-01-31`. Years of more than four digits get a sign (`+12013-01-31`).
pub fn push_date(out: &mut Vec<u8>, days: i32) {
    push_days(out, i64::from(days));
}

fn push_days(out: &mut Vec<u8>, days: i64) {
    let (year, month, day) = civil(days);
    if !(0..=9999).contains(&year) {
        out.push(if year < 0 { b'-' } else { b'+' });
    }
    let year = year.unsigned_abs();
    if year > 9999 {
        push_integer(out, year);
    } else {
        out.extend_from_slice(&two(year / 100));
        out.extend_from_slice(&two(year % 100));
    }
    let ([m1, m2], [d1, d2]) = (two(month), two(day));
    out.extend_from_slice(&[b'-', m1, m2, b'-', d1, d2]);
}

/// Appends microseconds since 1970-01-01 as `2013-01-31T05:17:00`, with 3 or 6 digits of a second where they are not
/// zero, and a `Z` where the column is in UTC rather than in local time.
pub fn push_timestamp(out: &mut Vec<u8>, micros: i64, utc: bool) {
    const DAY: i64 = 86_400_000_000;
    push_days(out, micros.div_euclid(DAY));
    let within = micros.rem_euclid(DAY).unsigned_abs();
    let (seconds, fraction) = (within / 1_000_000, within % 1_000_000);
    let ([h1, h2], [m1, m2], [s1, s2]) = (two(seconds / 3600), two(seconds / 60 % 60), two(seconds % 60));
    out.extend_from_slice(&[b'T', h1, h2, b':', m1, m2, b':', s1, s2]);
    if fraction != 0 {
        let ([f1, f2], [f3, f4], [f5, f6]) = (two(fraction / 10_000), two(fraction / 100 % 100), two(fraction % 100));
        push_first(out, &[b'.', f1, f2, f3, f4, f5, f6], if fraction.is_multiple_of(1000) { 4 } else { 7 });
    }
    if utc {
        out.push(b'Z');
    }
}

/// A number below 100 as two digits.
#[inline]
#[allow(clippy::cast_possible_truncation, reason = "a digit each")]
fn two(value: u64) -> [u8; 2] {
    [b'0' + (value / 10 % 10) as u8, b'0' + (value % 10) as u8]
}

/// Appends a decimal: `value` is in units of 10^-scale; all its digits after the point are written.
pub fn push_decimal(out: &mut Vec<u8>, value: i128, scale: i8) {
    let mut buffer = itoa::Buffer::new();
    let digits = buffer.format(value.unsigned_abs()).as_bytes();
    if value < 0 {
        out.push(b'-');
    }
    let after = usize::from(scale.max(0).unsigned_abs());
    if after == 0 {
        out.extend_from_slice(digits);
        if value != 0 {
            out.extend(std::iter::repeat_n(b'0', usize::from(scale.unsigned_abs())));
        }
        return;
    }
    let (before, behind) = digits.split_at(digits.len().saturating_sub(after));
    out.extend_from_slice(if before.is_empty() { b"0" } else { before });
    out.push(b'.');
    out.extend(std::iter::repeat_n(b'0', after - behind.len()));
    out.extend_from_slice(behind);
}

/// Appends bytes as base64 (RFC 4648, padded).
pub fn push_base64(out: &mut Vec<u8>, bytes: &[u8]) {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    for chunk in bytes.chunks(3) {
        let byte = |at: usize| u32::from(chunk.get(at).copied().unwrap_or(0));
        let group = byte(0) << 16 | byte(1) << 8 | byte(2);
        for digit in 0..4 {
            let place = (group >> (18 - 6 * digit)) & 63;
            let shown = if digit > chunk.len() { Some(&b'=') } else { DIGITS.get(place as usize) };
            out.extend(shown);
        }
    }
}

/// Year, month and day of a day since 1970-01-01 (proleptic Gregorian; Hinnant's algorithm).
fn civil(days: i64) -> (i64, u64, u64) {
    let shifted = days + 719_468;
    let era = shifted.div_euclid(146_097);
    let day_of_era = shifted.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted_month + 2) / 5 + 1;
    let month = if shifted_month < 10 { shifted_month + 3 } else { shifted_month - 9 };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    (year, month.unsigned_abs(), day.unsigned_abs())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

    use proptest::prelude::*;

    use super::*;

    fn text(write: impl FnOnce(&mut Vec<u8>)) -> String {
        let mut out = Vec::new();
        write(&mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn dates_and_times() {
        let date = |days| text(|out| push_date(out, days));
        assert_eq!(date(0), "1970-01-01");
        assert_eq!(date(-1), "1969-12-31");
        assert_eq!(date(15_706), "2013-01-01");
        assert_eq!(date(11_016), "2000-02-29");
        assert_eq!(date(2_932_896), "9999-12-31");
        assert_eq!(date(2_932_897), "+10000-01-01");
        assert_eq!(date(-719_528), "0000-01-01");
        assert_eq!(date(-719_529), "-0001-12-31");
        let time = |micros, utc| text(|out| push_timestamp(out, micros, utc));
        assert_eq!(time(0, false), "1970-01-01T00:00:00");
        assert_eq!(time(1_500_000, true), "1970-01-01T00:00:01.500Z");
        assert_eq!(time(-1, false), "1969-12-31T23:59:59.999999");
        assert_eq!(time(1_356_998_400_000_000 + 5 * 3_600_000_000, false), "2013-01-01T05:00:00");
        assert!(time(i64::MIN, false).starts_with("-290308-"));
        assert!(date(i32::MAX).starts_with('+'));
    }

    #[test]
    fn decimals() {
        let decimal = |value, scale| text(|out| push_decimal(out, value, scale));
        assert_eq!(decimal(1234, 2), "12.34");
        assert_eq!(decimal(-5, 2), "-0.05");
        assert_eq!(decimal(0, 2), "0.00");
        assert_eq!(decimal(7, 0), "7");
        assert_eq!(decimal(7, -2), "700");
        assert_eq!(decimal(i128::MIN, 38), "-1.70141183460469231731687303715884105728");
    }

    #[test]
    fn floats() {
        let float = |value| text(|out| push_float(out, value));
        assert_eq!([1.0, 0.1, -2.5, 1e300].map(float), ["1.0", "0.1", "-2.5", "1e+300"].map(str::to_owned));
        assert_eq!([f64::NAN, f64::INFINITY, f64::NEG_INFINITY].map(float), ["NaN", "inf", "-inf"].map(str::to_owned));
        assert_eq!(text(|out| push_float32(out, 0.1)), "0.1");
    }

    #[test]
    fn base64() {
        let encode = |bytes: &[u8]| text(|out| push_base64(out, bytes));
        let cases = [("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foobar", "Zm9vYmFy")];
        for (bytes, expected) in cases {
            assert_eq!(encode(bytes.as_bytes()), expected);
        }
        assert_eq!(encode(&[0xff, 0xfe, 0xfd]), "//79");
    }

    #[test]
    fn integers() {
        let integer = |value: i64| text(|out| push_integer(out, value));
        for value in [0, 1, 9, 10, 99, 100, 9_999, 10_000, 10_001, 99_999_999, 100_000_000, i64::MAX] {
            assert_eq!(integer(value), value.to_string());
            assert_eq!(integer(-value), (-value).to_string());
        }
        assert_eq!(integer(i64::MIN), i64::MIN.to_string());
        assert_eq!(text(|out| push_integer(out, u64::MAX)), u64::MAX.to_string());
    }

    proptest! {
        #[test]
        fn integers_read_back(value in prop_oneof![any::<i64>(), -100_000_000_i64..100_000_000]) {
            prop_assert_eq!(text(|out| push_integer(out, value)), value.to_string());
        }

        #[test]
        fn floats_read_back(value in any::<f64>()) {
            let back: f64 = text(|out| push_float(out, value)).parse().unwrap();
            prop_assert!(back.to_bits() == value.to_bits() || (back.is_nan() && value.is_nan()));
        }
    }
}
