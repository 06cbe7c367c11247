//! Values of the file as values of a column.

use sluicebox_stage::{DataType, Field};

use crate::options::Literal;
use crate::parse::{date_days, timestamp_micros};

/// A whole number in the units of its column, or the two next to it where the value lies between.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Whole {
    /// not more than the value
    pub(crate) floor: i128,
    /// whether the value is the floor
    pub(crate) exact: bool,
}

impl Whole {
    fn exactly(value: i128) -> Self {
        Self { floor: value, exact: true }
    }

    /// Not less than the value.
    pub(crate) fn ceiling(self) -> i128 {
        self.floor.saturating_add(i128::from(!self.exact))
    }
}

/// How the values of a column are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Compared {
    /// whole numbers; dates and times in their units, decimals in units of 10^-scale
    Whole,
    Float,
    Text,
    Boolean,
}

/// How the values of this type are compared; none for bytes and other types.
pub(crate) fn compared(data_type: DataType) -> Option<Compared> {
    match data_type {
        DataType::Boolean => Some(Compared::Boolean),
        DataType::Utf8 => Some(Compared::Text),
        DataType::Float32 | DataType::Float64 => Some(Compared::Float),
        DataType::Binary | DataType::Other => None,
        _ => Some(Compared::Whole),
    }
}

/// What to write as a value of this column, for messages.
pub(crate) fn wanted(field: &Field) -> &'static str {
    match field.data_type {
        DataType::Boolean => "true or false",
        DataType::Utf8 => "text, e.g. \"EWR\"",
        DataType::Date32 => "a date, e.g. \"2013-01-31\"",
        DataType::Timestamp => "a time, e.g. \"2013-01-31T05:00:00\"",
        DataType::Decimal128 => "a number, e.g. 12.5 or \"12.50\"",
        _ => "a number, e.g. 12",
    }
}

/// The value as a whole number of the column's units.
pub(crate) fn whole(literal: &Literal, field: &Field) -> Option<Whole> {
    match (literal, field.data_type) {
        (Literal::Text(text), DataType::Date32) => {
            date_days(text.as_bytes()).map(|days| Whole::exactly(i128::from(days)))
        }
        (Literal::Text(text), DataType::Timestamp) => timestamp_micros(text.as_bytes())
            .or_else(|| Some(i64::from(date_days(text.as_bytes())?) * 86_400_000_000))
            .map(|micros| Whole::exactly(i128::from(micros))),
        (_, DataType::Date32 | DataType::Timestamp) => None,
        (Literal::Text(text), DataType::Decimal128) => scaled(text, scale(field)),
        (Literal::Number(number), _) => scaled(&number.to_string(), scale(field)),
        _ => None,
    }
}

fn scale(field: &Field) -> i32 {
    match field.data_type {
        DataType::Decimal128 => field.precision_and_scale().map_or(0, |(_, scale)| i32::from(scale)),
        _ => 0,
    }
}

/// The value as a float.
pub(crate) fn float(literal: &Literal) -> Option<f64> {
    match literal {
        Literal::Number(number) => number.as_f64(),
        _ => None,
    }
}

/// A number's text times 10^scale.
fn scaled(text: &str, scale: i32) -> Option<Whole> {
    let (negative, rest) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    let (mantissa, exponent) = match rest.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, exponent.parse::<i32>().ok()?),
        None => (rest, 0),
    };
    let (before, behind) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let all_digits = !before.is_empty() && before.bytes().chain(behind.bytes()).all(|byte| byte.is_ascii_digit());
    if !all_digits {
        return None;
    }
    // So many of the digits stand before the point of the scaled number.
    let kept = i64::try_from(before.len()).ok()? + i64::from(exponent) + i64::from(scale);
    let mut magnitude = 0_i128;
    let mut exact = true;
    let digits = before.bytes().chain(behind.bytes());
    let mut place = 0_i64;
    for digit in digits {
        if place < kept {
            magnitude = magnitude.checked_mul(10)?.checked_add(i128::from(digit - b'0'))?;
        } else {
            exact &= digit == b'0';
        }
        place += 1;
    }
    while place < kept && magnitude != 0 {
        magnitude = magnitude.checked_mul(10)?;
        place += 1;
    }
    let floor = match (negative, exact) {
        (false, _) => magnitude,
        (true, true) => -magnitude,
        (true, false) => -magnitude - 1,
    };
    Some(Whole { floor, exact })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

    use super::*;

    #[test]
    fn numbers_are_scaled_exactly() {
        let cases = [
            ("5000", 0, Some((5000, true))),
            ("-5", 0, Some((-5, true))),
            ("0.5", 0, Some((0, false))),
            ("-0.5", 0, Some((-1, false))),
            ("12.3", 2, Some((1230, true))),
            ("12.345", 2, Some((1234, false))),
            ("1e3", 0, Some((1000, true))),
            ("1.5e3", 0, Some((1500, true))),
            ("15e-1", 0, Some((1, false))),
            ("0.00", 0, Some((0, true))),
            ("1e40", 0, None),
            ("x", 0, None),
            ("", 0, None),
        ];
        for (text, scale, expected) in cases {
            assert_eq!(scaled(text, scale).map(|whole| (whole.floor, whole.exact)), expected, "{text}");
        }
    }
}
