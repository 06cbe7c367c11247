//! Numbers from text. Nothing here allocates, and nothing accepts more than the whole text.

const ZEROS: u64 = 0x3030_3030_3030_3030;
const HIGH_BITS: u64 = 0x8080_8080_8080_8080;

/// The integer that stands in `bytes[start..end]`, if it is an optional minus and 1 to 8 digits, and at least 8 bytes stand
/// before `end`. None says only that the quick way does not apply. With `strict`, neither do leading zeros.
#[inline(always)]
#[must_use]
pub fn short_int(bytes: &[u8], start: usize, end: usize, strict: bool) -> Option<i64> {
    let window: [u8; 8] = bytes.get(end.wrapping_sub(8)..end)?.try_into().ok()?;
    let negative = *bytes.get(start)? == b'-';
    let digits = end.wrapping_sub(start).wrapping_sub(usize::from(negative));
    let shift = (64_u32.wrapping_sub(8 * digits as u32)) & 63;
    let word = (u64::from_le_bytes(window) ^ ZEROS) >> shift;
    let leading_zero = strict & (digits > 1) & (word & 0xff == 0);
    // What stands before the digits becomes zeros.
    let word = word << shift;
    let no_digit = (word | word.wrapping_add(0x7676_7676_7676_7676)) & HIGH_BITS;
    // One branch for all, since it is rarely taken.
    if (digits.wrapping_sub(1) >= 8) | leading_zero | (no_digit != 0) {
        return None;
    }
    // Pairs, then fours, then all eight.
    let pairs = word.wrapping_mul(2561) >> 8;
    let fours = (pairs & 0x00ff_00ff_00ff_00ff).wrapping_mul(6_553_601) >> 16;
    let value = ((fours & 0x0000_ffff_0000_ffff).wrapping_mul(42_949_672_960_001) >> 32) as i64;
    let sign = -i64::from(negative);
    Some((value ^ sign) - sign)
}

/// Why a text is no value of a type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NumberError {
    /// It is not written as one.
    Form,
    /// It is one, but too big, too small or too fine.
    Range,
}

/// Sign and digits apart. A plus is let through unless `strict`.
fn signed(text: &[u8], strict: bool) -> (bool, &[u8]) {
    match text {
        [b'-', rest @ ..] => (true, rest),
        [b'+', rest @ ..] if !strict => (false, rest),
        _ => (false, text),
    }
}

/// True for digits that a number would not keep: "007", "00".
fn leading_zero(digits: &[u8]) -> bool {
    matches!(digits, [b'0', b'0'..=b'9', ..])
}

/// A whole number. `strict` refuses a plus and leading zeros, which a number would lose.
///
/// # Errors
/// It is not one, or does not fit.
pub fn int(text: &[u8], strict: bool) -> Result<i128, NumberError> {
    let (negative, digits) = signed(text, strict);
    if digits.is_empty() || (strict && leading_zero(digits)) {
        return Err(NumberError::Form);
    }
    let mut value = 0_i128;
    // 18 digits fit 64 bits, where multiplying is cheap.
    for (i, part) in digits.chunks(18).enumerate() {
        let mut low = 0_i64;
        for byte in part {
            let digit = byte.wrapping_sub(b'0');
            if digit > 9 {
                return Err(NumberError::Form);
            }
            low = low * 10 + i64::from(digit);
        }
        if i == 0 {
            value = i128::from(low);
        } else {
            let scale = 10_i128.pow(part.len() as u32);
            // What is no number is of no range either.
            match value.checked_mul(scale).and_then(|value| value.checked_add(i128::from(low))) {
                Some(sum) => value = sum,
                None if digits.iter().all(u8::is_ascii_digit) => return Err(NumberError::Range),
                None => return Err(NumberError::Form),
            }
        }
    }
    Ok(if negative { -value } else { value })
}

const POWERS: [f64; 23] = [
    1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20,
    1e21, 1e22,
];

/// A decimal number with at most 19 digits whose float is exact after one division: the common case.
#[inline]
#[must_use]
pub fn short_float(text: &[u8]) -> Option<f64> {
    let (negative, body) = match text {
        [b'-', rest @ ..] => (true, rest),
        _ => (false, text),
    };
    if body.len() > 19 {
        return None;
    }
    let mut mantissa = 0_u64;
    let mut digits = 0_usize;
    let mut behind: Option<usize> = None;
    for byte in body {
        let digit = byte.wrapping_sub(b'0');
        if digit < 10 {
            mantissa = mantissa.wrapping_mul(10).wrapping_add(u64::from(digit));
            digits += 1;
        } else if *byte == b'.' && behind.is_none() {
            behind = Some(digits);
        } else {
            return None;
        }
    }
    if digits == 0 || mantissa > 1 << 53 {
        return None;
    }
    let value = mantissa as f64 / POWERS.get(digits - behind.unwrap_or(digits))?;
    Some(if negative { -value } else { value })
}

/// A float, as `short_float`, or with exponent, or NaN and infinities. `strict` refuses leading zeros.
///
/// # Errors
/// It is not one.
pub fn float(text: &[u8], strict: bool) -> Result<f64, NumberError> {
    if strict {
        let (_, body) = signed(text, true);
        if leading_zero(body) || text.first() == Some(&b'+') {
            return Err(NumberError::Form);
        }
    }
    match short_float(text) {
        Some(value) => Ok(value),
        None => fast_float2::parse(text).map_err(|_| NumberError::Form),
    }
}

/// A decimal of `precision` digits, `scale` of them behind the point; no exponent. The value is in units of the last digit.
///
/// # Errors
/// It is not one, has more digits than fit, or digits behind the point that would be lost.
pub fn decimal(text: &[u8], precision: u8, scale: u8) -> Result<i128, NumberError> {
    let (negative, body) = signed(text, false);
    let mut value = 0_i128;
    let mut digits = 0_usize;
    let mut behind: Option<u8> = None;
    for byte in body {
        match byte {
            b'0'..=b'9' => {
                digits += 1;
                if let Some(behind) = &mut behind {
                    if *behind == scale {
                        if *byte != b'0' {
                            return Err(NumberError::Range);
                        }
                        continue;
                    }
                    *behind += 1;
                }
                value = value
                    .checked_mul(10)
                    .and_then(|value| value.checked_add(i128::from(byte - b'0')))
                    .ok_or(NumberError::Range)?;
            }
            b'.' if behind.is_none() => behind = Some(0),
            _ => return Err(NumberError::Form),
        }
    }
    if digits == 0 {
        return Err(NumberError::Form);
    }
    for _ in behind.unwrap_or(0)..scale {
        value = value.checked_mul(10).ok_or(NumberError::Range)?;
    }
    if value >= 10_i128.pow(u32::from(precision.min(38))) {
        return Err(NumberError::Range);
    }
    Ok(if negative { -value } else { value })
}

/// true and false, in any case; also t, f, yes, no, y, n, 1, 0 unless `strict`.
#[must_use]
pub fn boolean(text: &[u8], strict: bool) -> Option<bool> {
    let is = |word: &str| text.eq_ignore_ascii_case(word.as_bytes());
    if is("true") {
        return Some(true);
    }
    if is("false") {
        return Some(false);
    }
    if strict {
        return None;
    }
    if ["t", "yes", "y", "1"].iter().any(|word| is(word)) {
        Some(true)
    } else if ["f", "no", "n", "0"].iter().any(|word| is(word)) {
        Some(false)
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn ints() {
        assert_eq!(int(b"-9223372036854775808", true), Ok(i128::from(i64::MIN)));
        assert_eq!(int(b"007", false), Ok(7));
        assert_eq!(int(b"007", true), Err(NumberError::Form));
        assert_eq!(int(b"0", true), Ok(0));
        assert_eq!(int(b"+5", true), Err(NumberError::Form));
        assert_eq!(int(b"+5", false), Ok(5));
        for bad in ["", "-", "+", "1 ", "1.0", "--1", "1e3"] {
            assert_eq!(int(bad.as_bytes(), false), Err(NumberError::Form), "{bad}");
        }
    }

    #[test]
    fn decimals() {
        assert_eq!(decimal(b"12.5", 10, 2), Ok(1250));
        assert_eq!(decimal(b"-.5", 10, 2), Ok(-50));
        assert_eq!(decimal(b"12.50000", 10, 2), Ok(1250));
        assert_eq!(decimal(b"12.505", 10, 2), Err(NumberError::Range));
        assert_eq!(decimal(b"123", 4, 2), Err(NumberError::Range));
        assert_eq!(decimal(b"99999999999999999999999999999999999999", 38, 0), Ok(10_i128.pow(38) - 1));
        assert_eq!(decimal(b".", 4, 2), Err(NumberError::Form));
        assert_eq!(decimal(b"1e3", 4, 2), Err(NumberError::Form));
    }

    proptest! {
        #[test]
        fn the_quick_int_is_the_slow_int(before in "[ -9]{0,9}", text in "[-0-9a]{0,10}", strict: bool) {
            let bytes = format!("{before}{text}");
            let (start, end) = (before.len(), bytes.len());
            if let Some(value) = short_int(bytes.as_bytes(), start, end, strict) {
                prop_assert_eq!(int(text.as_bytes(), strict), Ok(i128::from(value)));
            } else if end >= 8 && int(text.as_bytes(), strict).is_ok() {
                prop_assert!(text.trim_start_matches('-').len() > 8);
            }
        }

        #[test]
        fn ints_are_those_of_std(text in "-?[0-9]{0,45}a?") {
            let digits = text.trim_start_matches('-');
            let expected = match text.parse::<i128>() {
                Ok(value) => Ok(value),
                Err(_) if !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit()) => Err(NumberError::Range),
                Err(_) => Err(NumberError::Form),
            };
            prop_assert_eq!(int(text.as_bytes(), false), expected);
        }

        #[test]
        fn floats_are_those_of_std(text in "-?[0-9]{0,12}(\\.[0-9]{0,12})?([eE][-+]?[0-9]{1,3})?") {
            let expected = text.parse::<f64>().map(f64::to_bits).ok();
            prop_assert_eq!(float(text.as_bytes(), false).map(f64::to_bits).ok(), expected);
            if let Some(value) = short_float(text.as_bytes()) {
                prop_assert_eq!(Some(value.to_bits()), expected);
            }
        }

        #[test]
        fn floats_survive(value: f64) {
            prop_assert_eq!(float(value.to_string().as_bytes(), false).map(f64::to_bits), Ok(value.to_bits()));
        }
    }
}
