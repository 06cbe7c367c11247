//! Values as JSON.

use sluicebox_stage::{Column, DataType};
use std::fmt::Write;

/// How the values of a column are written.
#[derive(Clone, Copy)]
pub struct Encoder(DataType);

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

    /// Adds the value of a row.
    pub fn push(self, line: &mut String, column: &Column, row: usize) {
        let text = if column.is_valid(row) { self.value(column, row) } else { None };
        line.push_str(text.as_deref().unwrap_or("null"));
    }

    /// None for what JSON has no word for.
    fn value(self, column: &Column, row: usize) -> Option<String> {
        macro_rules! integer {
            ($values:ident) => {
                column.$values()?.get(row)?.to_string()
            };
        }
        Some(match self.0 {
            DataType::Boolean => column.bits()?.get(row)?.to_string(),
            DataType::Utf8 => quoted(column.strs()?.get(row)?),
            DataType::Int8 => integer!(as_i8),
            DataType::Int16 => integer!(as_i16),
            DataType::Int32 => integer!(as_i32),
            DataType::Int64 => integer!(as_i64),
            DataType::Uint8 => integer!(as_u8),
            DataType::Uint16 => integer!(as_u16),
            DataType::Uint32 => integer!(as_u32),
            DataType::Uint64 => integer!(as_u64),
            // The shortest text that is read as the same number; not-a-number and the infinities are null.
            DataType::Float32 => {
                let value = *column.as_f32()?.get(row)?;
                return value.is_finite().then(|| serde_json::to_string(&value).unwrap_or_default());
            }
            DataType::Float64 => {
                let value = *column.as_f64()?.get(row)?;
                return value.is_finite().then(|| serde_json::to_string(&value).unwrap_or_default());
            }
            DataType::Date32 => format!("\"{}\"", date((*column.as_i32()?.get(row)?).into())),
            DataType::Timestamp => format!("\"{}\"", timestamp(*column.as_i64()?.get(row)?)),
            _ => return None,
        })
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
