//! Values as JSON.

use sluicebox_stage::{Column, DataType};
use std::fmt::Write;

/// How the values of a column are written.
#[derive(Clone, Copy)]
pub struct Encoder(DataType);

/// The texts of a column's values, by row.
pub type Texts<'a> = Box<dyn Fn(usize) -> Option<String> + 'a>;

/// A text as JSON.
pub fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

impl Encoder {
    /// None for types that are not written.
    pub fn of(data_type: DataType) -> Option<Self> {
        let is_plain = matches!(data_type, DataType::Boolean | DataType::Utf8 | DataType::Date32 | DataType::Timestamp);
        (is_plain || data_type.is_integer() || data_type.is_float()).then_some(Self(data_type))
    }

    /// What makes the text of a row's value; null where there is none, or none that JSON has a word for. The column is looked at
    /// once, here, and not for each row.
    pub fn texts<'a>(self, column: &'a Column) -> Texts<'a> {
        self.values(column).unwrap_or_else(|| Box::new(|_| None))
    }

    fn values<'a>(self, column: &'a Column) -> Option<Texts<'a>> {
        macro_rules! of {
            ($values:ident, $text:expr) => {{
                let (values, text) = (column.$values()?, $text);
                Box::new(move |row| values.get(row).filter(|_| column.is_valid(row)).and_then(|value| text(*value)))
            }};
        }
        Some(match self.0 {
            DataType::Boolean => {
                let bits = column.bits()?;
                Box::new(move |row| bits.get(row).map(|bit| bit.to_string()))
            }
            DataType::Utf8 => {
                let texts = column.strs()?;
                Box::new(move |row| texts.get(row).map(quoted))
            }
            DataType::Int8 => of!(as_i8, |value: i8| Some(value.to_string())),
            DataType::Int16 => of!(as_i16, |value: i16| Some(value.to_string())),
            DataType::Int32 => of!(as_i32, |value: i32| Some(value.to_string())),
            DataType::Int64 => of!(as_i64, |value: i64| Some(value.to_string())),
            DataType::Uint8 => of!(as_u8, |value: u8| Some(value.to_string())),
            DataType::Uint16 => of!(as_u16, |value: u16| Some(value.to_string())),
            DataType::Uint32 => of!(as_u32, |value: u32| Some(value.to_string())),
            DataType::Uint64 => of!(as_u64, |value: u64| Some(value.to_string())),
            DataType::Float32 => of!(as_f32, |value: f32| value.to_string().parse().ok().and_then(number)),
            DataType::Float64 => of!(as_f64, number),
            DataType::Date32 => of!(as_i32, |days: i32| Some(format!("\"{}\"", date(days.into())))),
            DataType::Timestamp => of!(as_i64, |at: i64| Some(format!("\"{}\"", timestamp(at)))),
            _ => return None,
        })
    }
}

/// As JavaScript writes it: the shortest text that is read as the same number. What is no number and the infinities are null.
fn number(value: f64) -> Option<String> {
    let size = value.abs();
    match size {
        _ if !value.is_finite() => None,
        1e21.. => Some(format!("{value:e}").replace('e', "e+")),
        _ if size < 1e-6 && size > 0.0 => Some(format!("{value:e}")),
        _ => Some(value.to_string()),
    }
}

/// Days since 1970-01-01 as a date. From Howard Hinnant's `civil_from_days`: eras of 400 years that begin on 1 March.
fn date(days: i64) -> String {
    let shifted = days + 719_468;
    let era = shifted.div_euclid(146_097);
    let day = shifted.rem_euclid(146_097);
    let year = (day - day / 1460 + day / 36_524 - day / 146_096) / 365;
    let of_year = day - (365 * year + year / 4 - year / 100);
    let part = (5 * of_year + 2) / 153;
    let month = if part < 10 { part + 3 } else { part - 9 };
    let year = year + era * 400 + i64::from(month <= 2);
    format!("{year:04}-{month:02}-{:02}", of_year - (153 * part + 2) / 5 + 1)
}

/// Microseconds since 1970-01-01T00:00:00 as a time.
fn timestamp(microseconds: i64) -> String {
    let within = microseconds.rem_euclid(86_400_000_000);
    let seconds = within / 1_000_000;
    let mut text = date(microseconds.div_euclid(86_400_000_000));
    let _ = write!(text, "T{:02}:{:02}:{:02}", seconds / 3600, seconds / 60 % 60, seconds % 60);
    if within % 1_000_000 != 0 {
        let _ = write!(text, ".{:06}", within % 1_000_000);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_dates() {
        for (days, text) in [(0, "1970-01-01"), (-1, "1969-12-31"), (11_016, "2000-02-29"), (15_736, "2013-01-31")] {
            assert_eq!(date(days), text);
        }
    }

    #[test]
    fn microseconds_are_times() {
        assert_eq!(timestamp(-1_000_000), "1969-12-31T23:59:59");
        assert_eq!(timestamp(45_500_000), "1970-01-01T00:00:45.500000");
    }
}
