//! Cells as text: from text to a column of a type and back.

use arrow_array::cast::AsArray;
use arrow_array::types::TimestampMicrosecondType;
use arrow_array::{Array, ArrayRef, BinaryArray, StringArray};
use arrow_cast::display::{ArrayFormatter, FormatOptions};
use arrow_cast::{CastOptions, cast_with_options};
use arrow_schema::{DataType, TimeUnit};
use std::fmt::Write;
use std::sync::Arc;

/// The type that values look like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Look {
    Boolean,
    Integer,
    Float,
    Date,
    Timestamp,
    Zoned,
    Text,
}

impl Look {
    /// Of a text, as it stands in a CSV file.
    pub(crate) fn of(text: &str) -> Self {
        let is_number = !text.starts_with('+') && !text.trim_start_matches('-').starts_with("00");
        let is_plain = text.trim_start_matches('-') == "0" || !text.trim_start_matches('-').starts_with('0');
        if text == "true" || text == "false" {
            Self::Boolean
        } else if is_plain && !text.starts_with('+') && text.parse::<i64>().is_ok() {
            Self::Integer
        } else if is_number && text.parse::<f64>().is_ok_and(f64::is_finite) && text.contains(['.', 'e', 'E']) {
            Self::Float
        } else if text.parse::<jiff::civil::Date>().is_ok() && text.len() == 10 {
            Self::Date
        } else if text.len() > 10 && text.parse::<jiff::Timestamp>().is_ok() {
            Self::Zoned
        } else if text.len() > 10 && text.parse::<jiff::civil::DateTime>().is_ok() {
            Self::Timestamp
        } else {
            Self::Text
        }
    }

    /// What fits both.
    pub(crate) fn and(self, other: Self) -> Self {
        match (self, other) {
            (one, same) if one == same => one,
            (Self::Integer, Self::Float) | (Self::Float, Self::Integer) => Self::Float,
            _ => Self::Text,
        }
    }

    pub(crate) fn data_type(self) -> DataType {
        match self {
            Self::Boolean => DataType::Boolean,
            Self::Integer => DataType::Int64,
            Self::Float => DataType::Float64,
            Self::Date => DataType::Date32,
            Self::Timestamp => DataType::Timestamp(TimeUnit::Microsecond, None),
            Self::Zoned => DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into())),
            Self::Text => DataType::Utf8,
        }
    }
}

/// Zones with names need a table of zones; the instants are the same in all of them.
fn in_utc(data_type: &DataType) -> DataType {
    match data_type {
        DataType::Timestamp(unit, Some(_)) => DataType::Timestamp(*unit, Some("+00:00".into())),
        other => other.clone(),
    }
}

/// A column of texts; the second value are the first row that does not fit and its text.
pub(crate) fn column(data_type: &DataType, texts: &[Option<String>]) -> Result<ArrayRef, (usize, String)> {
    let array: ArrayRef = match data_type {
        DataType::Binary => {
            let bytes: Vec<Option<Vec<u8>>> = texts.iter().map(|text| text.as_deref().and_then(unhexed)).collect();
            Arc::new(BinaryArray::from_iter(bytes))
        }
        _ => {
            let plain = StringArray::from_iter(texts.iter().map(Option::as_deref));
            let options = CastOptions { safe: true, ..CastOptions::default() };
            match cast_with_options(&plain, &in_utc(data_type), &options) {
                Ok(array) => array,
                Err(error) => return Err((0, error.to_string())),
            }
        }
    };
    let lost = texts.iter().enumerate().find(|(row, text)| text.is_some() && array.is_null(*row));
    if let Some((row, text)) = lost {
        return Err((row, format!("`{}`", text.as_deref().unwrap_or_default())));
    }
    Ok(match data_type {
        DataType::Timestamp(TimeUnit::Microsecond, Some(zone)) => {
            match array.as_primitive_opt::<TimestampMicrosecondType>() {
                Some(times) => Arc::new(times.clone().with_timezone(Arc::clone(zone))),
                None => array,
            }
        }
        _ => array,
    })
}

/// The cells of a column as text: what [`column`] reads again.
pub(crate) fn texts(array: &dyn Array) -> Vec<Option<String>> {
    if let DataType::Binary = array.data_type() {
        return array.as_binary::<i32>().iter().map(|bytes| bytes.map(hexed)).collect();
    }
    let zoned = match (array.data_type(), array.as_primitive_opt::<TimestampMicrosecondType>()) {
        (DataType::Timestamp(_, Some(_)), Some(times)) => Some(times.clone().with_timezone("+00:00")),
        _ => None,
    };
    let array = zoned.as_ref().map_or(array, |times| times as &dyn Array);
    let options = FormatOptions::default().with_display_error(true);
    let formatter = ArrayFormatter::try_new(array, &options);
    let text = |row: usize| match &formatter {
        Ok(formatter) => formatter.value(row).to_string(),
        Err(error) => error.to_string(),
    };
    (0..array.len()).map(|row| (!array.is_null(row)).then(|| text(row))).collect()
}

fn hexed(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

fn unhexed(text: &str) -> Option<Vec<u8>> {
    let digits = text.as_bytes().chunks(2);
    digits.map(|two| u8::from_str_radix(std::str::from_utf8(two).ok().filter(|two| two.len() == 2)?, 16).ok()).collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]
    use super::*;
    use crate::types;

    #[test]
    fn every_type_is_read_and_written() {
        for (word, text) in [
            ("boolean", "true"),
            ("int8", "-128"),
            ("int64", "9223372036854775807"),
            ("uint64", "18446744073709551615"),
            ("float32", "0.1"),
            ("float64", "-1.5"),
            ("float64", "NaN"),
            ("float64", "2.0"),
            ("utf8", "Żółw 🐢"),
            ("binary", "00ff10"),
            ("date32", "2013-01-31"),
            ("timestamp", "2013-01-31T12:30:45.123456"),
            ("timestamp(UTC)", "2013-01-31T12:30:45Z"),
            ("timestamp(Europe/Berlin)", "2013-01-31T12:30:45Z"),
            ("decimal128(10,2)", "12.50"),
            ("decimal128(38,0)", "99999999999999999999999999999999999999"),
        ] {
            let data_type = types::field("a", word).unwrap().data_type().clone();
            let made =
                column(&data_type, &[Some(text.to_owned()), None]).unwrap_or_else(|why| panic!("{word} {why:?}"));
            assert_eq!(made.data_type(), &data_type, "{word}");
            assert_eq!(texts(&made), [Some(text.to_owned()), None], "{word}");
        }
    }

    #[test]
    fn what_does_not_fit_is_told() {
        let of = |word: &str, text: &str| {
            column(types::field("a", word).unwrap().data_type(), &[None, Some(text.to_owned())]).unwrap_err()
        };
        assert_eq!(of("int8", "128"), (1, "`128`".to_owned()));
        assert_eq!(of("binary", "0g"), (1, "`0g`".to_owned()));
        assert_eq!(of("date32", "2013-02-30"), (1, "`2013-02-30`".to_owned()));
        assert_eq!(of("uint8", "-1").0, 1);
    }

    #[test]
    fn texts_look_like_types() {
        for (text, look) in [
            ("0", Look::Integer),
            ("-12", Look::Integer),
            ("007", Look::Text),
            ("1.5", Look::Float),
            ("1e3", Look::Float),
            ("inf", Look::Text),
            ("true", Look::Boolean),
            ("2013-01-31", Look::Date),
            ("2013-01-31T00:00:00", Look::Timestamp),
            ("2013-01-31T00:00:00Z", Look::Zoned),
            ("JFK", Look::Text),
            ("12345678901234567890", Look::Text),
        ] {
            assert_eq!(Look::of(text), look, "{text}");
        }
        assert_eq!(Look::Integer.and(Look::Float), Look::Float);
        assert_eq!(Look::Integer.and(Look::Date), Look::Text);
    }
}
