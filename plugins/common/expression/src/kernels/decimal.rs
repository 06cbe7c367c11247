//! 128-bit decimals: whole numbers and the number of digits behind the point.

use crate::{
    kernels::{arithmetic::Op, attempt, present, zip},
    node::{Kernel, RowError},
    types::{DIGITS, Type},
    vector::{Data, Value},
};

/// 10 to the power of `digits`; none where it has more than 38 digits.
pub(crate) fn power(digits: u32) -> Option<i128> {
    10i128.checked_pow(digits)
}

/// Whether a number has at most `precision` digits.
pub(crate) fn fits(value: i128, precision: u8) -> bool {
    power(u32::from(precision)).is_none_or(|bound| value.unsigned_abs() < bound.unsigned_abs())
}

/// The value with another number of digits behind the point, rounded half away from zero.
pub(crate) fn rescale(value: i128, from: i8, to: i8) -> Option<i128> {
    let by = u32::from(from.abs_diff(to));
    if to >= from {
        return value.checked_mul(power(by)?);
    }
    match power(by) {
        Some(unit) => Some(divide_rounded(value, unit)),
        None => Some(0),
    }
}

/// Rounds half away from zero.
pub(crate) fn divide_rounded(value: i128, unit: i128) -> i128 {
    let (quotient, rest) = (value / unit, value % unit);
    // `unit - |rest|` rather than `2 |rest|`, which may not fit
    if rest.unsigned_abs() >= unit.unsigned_abs() - rest.unsigned_abs() { quotient + value.signum() } else { quotient }
}

/// The type of a sum, difference, product or remainder of two decimals; none where no decimal holds it.
pub(crate) fn answer(op: Op, (p1, s1): (u8, i8), (p2, s2): (u8, i8)) -> Option<Type> {
    let scale = s1.max(s2);
    let whole = |precision: u8, scale: i8| i16::from(precision) - i16::from(scale);
    let (precision, scale) = match op {
        Op::Multiply => (i16::from(p1) + i16::from(p2) + 1, s1.checked_add(s2)?),
        Op::Remainder => (whole(p1, s1).min(whole(p2, s2)) + i16::from(scale), scale),
        _ => (whole(p1, s1).max(whole(p2, s2)) + 1 + i16::from(scale), scale),
    };
    let precision = u8::try_from(precision.clamp(1, i16::from(DIGITS))).ok()?;
    (i16::from(scale) <= i16::from(DIGITS)).then_some(Type::Decimal(precision, scale))
}

/// `+`, `-` and `%` on decimals of scales that are brought together; `*` on any.
pub(crate) fn arithmetic(op: Op, s1: i8, s2: i8, precision: u8) -> Kernel {
    let scale = s1.max(s2);
    Box::new(move |rows, arguments| {
        let [a, b] = arguments.as_slice() else { return Err(RowError::new(0, "two arguments are needed")) };
        let (left, right) = (a.decimals(), b.decimals());
        let validity = present(&arguments, rows.count);
        let compute = |row: usize| {
            let (a, b) = (left.get(row), right.get(row));
            let value = if op == Op::Multiply {
                a.checked_mul(b)?
            } else {
                let (a, b) = (rescale(a, s1, scale)?, rescale(b, s2, scale)?);
                match op {
                    Op::Add => a.checked_add(b)?,
                    Op::Subtract => a.checked_sub(b)?,
                    _ => a.checked_rem(b).unwrap_or(0),
                }
            };
            fits(value, precision).then_some(value)
        };
        let message = |row: usize| {
            let (a, b) = (format(left.get(row), s1), format(right.get(row), s2));
            format!("{a} {} {b} has more than {precision} digits", op.sign())
        };
        let (values, validity) = attempt(rows, validity, false, compute, message)?;
        let zeros = if op == Op::Remainder { super::arithmetic::nonzero(right, 0) } else { None };
        Ok(super::arithmetic::without_zeros(Data::Decimal(values), validity, zeros, rows))
    })
}

pub(crate) fn negate() -> Kernel {
    Box::new(|rows, arguments| {
        let Some(a) = arguments.first() else { return Err(RowError::new(0, "an argument is needed")) };
        let values = super::map(a.decimals(), rows.count, i128::wrapping_neg);
        Ok(Value::column(Data::Decimal(values), present(&arguments, rows.count), rows.count))
    })
}

/// Rounds to `digits` behind the point, keeping the scale. `how` is given the value and the unit that it is rounded to.
pub(crate) fn round(scale: i8, precision: u8, how: fn(i128, i128) -> i128) -> Kernel {
    Box::new(move |rows, arguments| {
        let [a, digits] = arguments.as_slice() else { return Err(RowError::new(0, "two arguments are needed")) };
        let (numbers, digits) = (a.decimals(), digits.int64s());
        let compute = |row: usize| {
            let drop = i64::from(scale).saturating_sub(digits.get(row));
            let value = numbers.get(row);
            if drop <= 0 {
                return Some(value);
            }
            let Some(unit) = u32::try_from(drop).ok().and_then(power) else { return Some(0) };
            let value = how(value, unit).checked_mul(unit)?;
            fits(value, precision).then_some(value)
        };
        let message =
            |row: usize| format!("{} rounded has more than {precision} digits", format(numbers.get(row), scale));
        let (values, validity) = attempt(rows, present(&arguments, rows.count), false, compute, message)?;
        Ok(Value::column(Data::Decimal(values), validity, rows.count))
    })
}

/// Whole numbers to and from floats need the value of the last digit.
pub(crate) fn unit(scale: i8) -> f64 {
    10f64.powi(i32::from(scale))
}

/// Absolute values.
pub(crate) fn absolute() -> Kernel {
    Box::new(|rows, arguments| {
        let Some(a) = arguments.first() else { return Err(RowError::new(0, "an argument is needed")) };
        let values = zip(a.decimals(), a.decimals(), rows.count, |a, _| a.wrapping_abs());
        Ok(Value::column(Data::Decimal(values), present(&arguments, rows.count), rows.count))
    })
}

/// As text: `-12.50`.
pub(crate) fn format(value: i128, scale: i8) -> String {
    let digits = value.unsigned_abs().to_string();
    let sign = if value < 0 { "-" } else { "" };
    let Ok(scale) = usize::try_from(scale) else {
        let zeros = if value == 0 { String::new() } else { "0".repeat(usize::from(scale.unsigned_abs())) };
        return format!("{sign}{digits}{zeros}");
    };
    if scale == 0 {
        return format!("{sign}{digits}");
    }
    let digits = format!("{digits:0>width$}", width = scale + 1);
    let (whole, part) = digits.split_at(digits.len() - scale);
    format!("{sign}{whole}.{part}")
}

/// Reads `-12.5`, `1e3`; more digits than the scale holds are rounded.
pub(crate) fn parse(text: &str, precision: u8, scale: i8) -> Option<i128> {
    let text = text.trim_matches(|c: char| c.is_ascii_whitespace());
    let (number, exponent) = match text.split_once(['e', 'E']) {
        Some((number, exponent)) => (number, exponent.parse::<i32>().ok()?),
        None => (text, 0),
    };
    let (negative, number) = match number.as_bytes().first()? {
        b'-' => (true, number.get(1..)?),
        b'+' => (false, number.get(1..)?),
        _ => (false, number),
    };
    let (whole, part) = number.split_once('.').unwrap_or((number, ""));
    if (whole.is_empty() && part.is_empty()) || !whole.bytes().chain(part.bytes()).all(|digit| digit.is_ascii_digit()) {
        return None;
    }
    // Where the point stands, from the left of all digits; what is behind the scale decides the rounding.
    let point = i64::try_from(whole.len()).ok()?.checked_add(i64::from(exponent))?;
    let keep = point.checked_add(i64::from(scale))?;
    let digits = || whole.bytes().chain(part.bytes()).map(|digit| i128::from(digit - b'0'));
    let mut value = 0i128;
    for digit in digits().take(usize::try_from(keep.max(0)).ok()?) {
        value = value.checked_mul(10)?.checked_add(digit)?;
    }
    let count = i64::try_from(whole.len() + part.len()).ok()?;
    if keep > count && value != 0 {
        value = value.checked_mul(power(u32::try_from(keep - count).ok()?)?)?;
    } else if keep >= 0 && digits().nth(usize::try_from(keep).ok()?).is_some_and(|next| next >= 5) {
        value = value.checked_add(1)?;
    }
    let value = if negative { -value } else { value };
    fits(value, precision).then_some(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_and_writes() {
        for (text, scale, value) in [
            ("12.5", 2, Some(1250)),
            ("-0.005", 2, Some(-1)),
            ("1e3", 0, Some(1000)),
            ("123.456e-2", 3, Some(1235)),
            ("+7", 0, Some(7)),
            (".5", 0, Some(1)),
            ("0.04", 0, Some(0)),
            ("", 0, None),
            (".", 0, None),
            ("1x", 0, None),
            ("99999", -2, Some(1000)),
            ("0e999999", 2, Some(0)),
            ("1e999999", 2, None),
        ] {
            assert_eq!(parse(text, 10, scale), value, "{text}");
        }
        assert_eq!(parse("12345", 4, 0), None);
        assert_eq!(
            (format(-1250, 2), format(5, 3), format(0, 2), format(12, -2)),
            ("-12.50".into(), "0.005".into(), "0.00".into(), "1200".into())
        );
        assert_eq!((rescale(15, 1, 0), rescale(-15, 1, 0), rescale(14, 1, 0)), (Some(2), Some(-2), Some(1)));
    }
}
