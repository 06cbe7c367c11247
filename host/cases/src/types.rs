//! The words for column types: those of the contract.

use crate::error::CaseError;
use arrow_schema::{DataType, Field, TimeUnit};

const PLAIN: [(&str, DataType); 14] = [
    ("boolean", DataType::Boolean),
    ("int8", DataType::Int8),
    ("int16", DataType::Int16),
    ("int32", DataType::Int32),
    ("int64", DataType::Int64),
    ("uint8", DataType::UInt8),
    ("uint16", DataType::UInt16),
    ("uint32", DataType::UInt32),
    ("uint64", DataType::UInt64),
    ("float32", DataType::Float32),
    ("float64", DataType::Float64),
    ("utf8", DataType::Utf8),
    ("binary", DataType::Binary),
    ("date32", DataType::Date32),
];

/// A column's type as it is written: `int64`, `timestamp(UTC) not null`, `decimal128(10,2)`.
pub(crate) fn word(field: &Field) -> String {
    let word = match field.data_type() {
        DataType::Timestamp(TimeUnit::Microsecond, None) => "timestamp".to_owned(),
        DataType::Timestamp(TimeUnit::Microsecond, Some(zone)) => format!("timestamp({zone})"),
        DataType::Decimal128(precision, scale) => format!("decimal128({precision},{scale})"),
        other => match PLAIN.iter().find(|(_, known)| known == other) {
            Some((word, _)) => (*word).to_owned(),
            None => other.to_string(),
        },
    };
    if field.is_nullable() { word } else { format!("{word} not null") }
}

/// The column that a name and a written type are.
///
/// # Errors
/// There is no such type.
pub(crate) fn field(name: &str, written: &str) -> Result<Field, CaseError> {
    let (word, nullable) = match written.strip_suffix(" not null") {
        Some(word) => (word, false),
        None => (written, true),
    };
    let detail = |of: &str| word.strip_prefix(of)?.strip_prefix('(')?.strip_suffix(')').map(str::to_owned);
    let data_type = if let Some((_, known)) = PLAIN.iter().find(|(known, _)| *known == word) {
        Some(known.clone())
    } else if word == "timestamp" {
        Some(DataType::Timestamp(TimeUnit::Microsecond, None))
    } else if let Some(zone) = detail("timestamp") {
        Some(DataType::Timestamp(TimeUnit::Microsecond, Some(zone.into())))
    } else {
        detail("decimal128").and_then(|detail| {
            let (precision, scale) = detail.split_once(',')?;
            let (precision, scale): (u8, i8) = (precision.trim().parse().ok()?, scale.trim().parse().ok()?);
            let fits = (1..=38).contains(&precision) && scale.unsigned_abs() <= 38;
            fits.then_some(DataType::Decimal128(precision, scale))
        })
    };
    match data_type {
        Some(data_type) => Ok(Field::new(name, data_type, nullable)),
        None => {
            let words: Vec<&str> = PLAIN.iter().map(|(word, _)| *word).collect();
            Err(CaseError::new(format!("column `{name}`: there is no type `{written}`")).help(format!(
                "write one of {}, timestamp, timestamp(UTC), decimal128(10,2); with ` not null` behind it if it has no nulls",
                words.join(", ")
            )))
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]
    use super::*;

    #[test]
    fn every_type_is_written_and_read() {
        let others = ["timestamp", "timestamp(UTC)", "timestamp(+02:00)", "decimal128(10,2)", "decimal128(38,-3)"];
        for written in PLAIN.iter().map(|(word, _)| *word).chain(others) {
            assert_eq!(word(&field("a", written).unwrap()), written);
            let written = format!("{written} not null");
            assert_eq!(word(&field("a", &written).unwrap()), written);
        }
    }

    #[test]
    fn an_unknown_type_is_told() {
        for wrong in ["int", "decimal128(39,0)", "decimal128", "int64 notnull", "timestamp("] {
            let error = field("a", wrong).unwrap_err();
            assert!(error.message.contains(wrong) && error.help.unwrap().contains("int64"), "{wrong}");
        }
    }
}
