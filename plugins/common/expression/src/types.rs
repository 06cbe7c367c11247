//! The types of values within an expression.

use std::fmt;

/// A type of values. `Null` is that of a bare `NULL`, which takes the type that its place asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Type {
    Null,
    Boolean,
    Int8,
    Int16,
    Int32,
    Int64,
    UInt8,
    UInt16,
    UInt32,
    UInt64,
    Float32,
    Float64,
    Utf8,
    Binary,
    Date,
    /// microseconds, with the time zone
    Timestamp(Option<String>),
    /// precision and scale
    Decimal(u8, i8),
    /// passed on only; Arrow's name of it
    Other(String),
}

/// The greatest number of digits that a decimal holds.
pub(crate) const DIGITS: u8 = 38;

impl Type {
    /// Bits of an integer and whether it has a sign.
    fn integer(&self) -> Option<(u8, bool)> {
        Some(match self {
            Type::Int8 => (8, true),
            Type::Int16 => (16, true),
            Type::Int32 => (32, true),
            Type::Int64 => (64, true),
            Type::UInt8 => (8, false),
            Type::UInt16 => (16, false),
            Type::UInt32 => (32, false),
            Type::UInt64 => (64, false),
            _ => return None,
        })
    }

    pub(crate) fn is_integer(&self) -> bool {
        self.integer().is_some()
    }

    pub(crate) fn is_float(&self) -> bool {
        matches!(self, Type::Float32 | Type::Float64)
    }

    pub(crate) fn is_decimal(&self) -> bool {
        matches!(self, Type::Decimal(..))
    }

    pub(crate) fn is_number(&self) -> bool {
        self.is_integer() || self.is_float() || self.is_decimal()
    }

    pub(crate) fn is_time(&self) -> bool {
        matches!(self, Type::Date | Type::Timestamp(_))
    }

    /// Precision and scale of the decimal that holds every value of an exact number.
    pub(crate) fn as_decimal(&self) -> Option<(u8, i8)> {
        match self {
            Type::Decimal(precision, scale) => Some((*precision, *scale)),
            Type::Int8 | Type::UInt8 => Some((3, 0)),
            Type::Int16 | Type::UInt16 => Some((5, 0)),
            Type::Int32 | Type::UInt32 => Some((10, 0)),
            Type::Int64 => Some((19, 0)),
            Type::UInt64 => Some((20, 0)),
            _ => None,
        }
    }

    /// The type that values of both types take where they meet, in a comparison or as answers of one CASE.
    pub(crate) fn common(a: &Type, b: &Type) -> Option<Type> {
        if a == b {
            return Some(a.clone());
        }
        Some(match (a, b) {
            (Type::Null, other) | (other, Type::Null) => other.clone(),
            (a, b) if a.is_integer() && b.is_integer() => common_integer(a, b)?,
            (a, b) if a.is_number() && b.is_number() => {
                if a.is_float() || b.is_float() {
                    Type::Float64
                } else {
                    let ((p1, s1), (p2, s2)) = (a.as_decimal()?, b.as_decimal()?);
                    let scale = s1.max(s2);
                    let whole = (i16::from(p1) - i16::from(s1)).max(i16::from(p2) - i16::from(s2));
                    match u8::try_from(whole + i16::from(scale)) {
                        Ok(precision) if precision <= DIGITS => Type::Decimal(precision, scale),
                        _ => Type::Float64,
                    }
                }
            }
            (Type::Date, Type::Timestamp(zone)) | (Type::Timestamp(zone), Type::Date) => Type::Timestamp(zone.clone()),
            (Type::Timestamp(a), Type::Timestamp(b)) => Type::Timestamp(a.clone().or_else(|| b.clone())),
            _ => return None,
        })
    }
}

fn common_integer(a: &Type, b: &Type) -> Option<Type> {
    let ((a_bits, a_sign), (b_bits, b_sign)) = (a.integer()?, b.integer()?);
    let (bits, sign) = if a_sign == b_sign {
        (a_bits.max(b_bits), a_sign)
    } else {
        let (signed, unsigned) = if a_sign { (a_bits, b_bits) } else { (b_bits, a_bits) };
        (signed.max(unsigned.saturating_mul(2)), true)
    };
    Some(match (bits, sign) {
        (8, true) => Type::Int8,
        (16, true) => Type::Int16,
        (32, true) => Type::Int32,
        (64, true) => Type::Int64,
        (8, false) => Type::UInt8,
        (16, false) => Type::UInt16,
        (32, false) => Type::UInt32,
        (64, false) => Type::UInt64,
        _ => Type::Decimal(20, 0),
    })
}

impl fmt::Display for Type {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Type::Null => "null",
            Type::Boolean => "boolean",
            Type::Int8 => "int8",
            Type::Int16 => "int16",
            Type::Int32 => "int32",
            Type::Int64 => "int64",
            Type::UInt8 => "uint8",
            Type::UInt16 => "uint16",
            Type::UInt32 => "uint32",
            Type::UInt64 => "uint64",
            Type::Float32 => "float32",
            Type::Float64 => "float64",
            Type::Utf8 => "utf8",
            Type::Binary => "binary",
            Type::Date => "date32",
            Type::Timestamp(None) => "timestamp",
            Type::Timestamp(Some(zone)) => return write!(f, "timestamp ({zone})"),
            Type::Decimal(precision, scale) => return write!(f, "decimal({precision},{scale})"),
            Type::Other(name) => name,
        })
    }
}
