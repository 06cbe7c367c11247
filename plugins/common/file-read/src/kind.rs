//! What a column of text is to become.

use sluicebox_stage::{DataType, Field};
use std::fmt;
use std::str::FromStr;

/// The type of a column, as it is written in the options.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names say it")]
pub enum Kind {
    Boolean,
    Int8,
    Int16,
    Int32,
    Int64,
    Uint8,
    Uint16,
    Uint32,
    Uint64,
    Float32,
    Float64,
    Utf8,
    /// days
    Date,
    /// microseconds; `utc`: of an instant, else of a local clock
    Timestamp {
        utc: bool,
    },
    /// at most `precision` (1 to 38) digits, `scale` (0 to `precision`) of them behind the point
    Decimal {
        precision: u8,
        scale: u8,
    },
}

/// What can be written for a type, for messages.
pub const KINDS: &str = "boolean, int8, int16, int32, int64, uint8, uint16, uint32, uint64, float32, float64, utf8, date, \
                         timestamp, timestamp(UTC), decimal(PRECISION,SCALE)";

impl Kind {
    /// The column's field.
    #[must_use]
    pub fn field(self, name: &str) -> Field {
        let data_type = match self {
            Self::Boolean => DataType::Boolean,
            Self::Int8 => DataType::Int8,
            Self::Int16 => DataType::Int16,
            Self::Int32 => DataType::Int32,
            Self::Int64 => DataType::Int64,
            Self::Uint8 => DataType::Uint8,
            Self::Uint16 => DataType::Uint16,
            Self::Uint32 => DataType::Uint32,
            Self::Uint64 => DataType::Uint64,
            Self::Float32 => DataType::Float32,
            Self::Float64 => DataType::Float64,
            Self::Utf8 => DataType::Utf8,
            Self::Date => DataType::Date32,
            Self::Timestamp { utc: false } => DataType::Timestamp,
            Self::Timestamp { utc: true } => return Field::timestamp_in(name, "UTC"),
            Self::Decimal { precision, scale } => {
                return Field::new(name, DataType::Decimal128).with_detail(format!("{precision},{scale}"));
            }
        };
        Field::new(name, data_type)
    }
}

impl FromStr for Kind {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let plain: String = text.chars().filter(|c| !c.is_whitespace()).collect::<String>().to_ascii_lowercase();
        Ok(match plain.as_str() {
            "boolean" => Self::Boolean,
            "int8" => Self::Int8,
            "int16" => Self::Int16,
            "int32" => Self::Int32,
            "int64" => Self::Int64,
            "uint8" => Self::Uint8,
            "uint16" => Self::Uint16,
            "uint32" => Self::Uint32,
            "uint64" => Self::Uint64,
            "float32" => Self::Float32,
            "float64" => Self::Float64,
            "utf8" => Self::Utf8,
            "date" | "date32" => Self::Date,
            "timestamp" => Self::Timestamp { utc: false },
            "timestamp(utc)" => Self::Timestamp { utc: true },
            _ => {
                if let Some(kind) = decimal(&plain) {
                    return kind;
                }
                let instead = match plain.as_str() {
                    "int" | "integer" | "bigint" | "long" => "; write int64",
                    "bool" => "; write boolean",
                    "float" | "double" | "real" => "; write float64",
                    "string" | "text" | "str" | "varchar" => "; write utf8",
                    "datetime" | "timestamptz" => "; write timestamp (local) or timestamp(UTC)",
                    "decimal" | "numeric" => "; write it with precision and scale, e.g. decimal(12,2)",
                    _ => "",
                };
                return Err(format!("\"{text}\" is no type{instead}; the types are {KINDS}"));
            }
        })
    }
}

fn decimal(plain: &str) -> Option<Result<Kind, String>> {
    let (precision, scale) = plain.strip_prefix("decimal(")?.strip_suffix(')')?.split_once(',')?;
    let (precision, scale) = (precision.parse().ok()?, scale.parse().ok()?);
    Some(if (1..=38).contains(&precision) && scale <= precision {
        Ok(Kind::Decimal { precision, scale })
    } else {
        Err(format!(
            "decimal({precision},{scale}) does not exist: a precision of 1 to 38, a scale of 0 to the precision"
        ))
    })
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Boolean => "boolean",
            Self::Int8 => "int8",
            Self::Int16 => "int16",
            Self::Int32 => "int32",
            Self::Int64 => "int64",
            Self::Uint8 => "uint8",
            Self::Uint16 => "uint16",
            Self::Uint32 => "uint32",
            Self::Uint64 => "uint64",
            Self::Float32 => "float32",
            Self::Float64 => "float64",
            Self::Utf8 => "utf8",
            Self::Date => "date",
            Self::Timestamp { utc: false } => "timestamp",
            Self::Timestamp { utc: true } => "timestamp(UTC)",
            Self::Decimal { precision, scale } => return write!(f, "decimal({precision},{scale})"),
        })
    }
}
