//! Guessing the type of a column from some of its values.

use crate::{Kind, TimestampParser, number, time};

/// What the values seen so far could all be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Guess {
    /// no value was seen
    #[default]
    Nothing,
    /// true and false
    Boolean,
    /// whole numbers that fit 64 bits and lose nothing as numbers
    Int,
    /// numbers
    Float,
    /// days
    Date,
    /// timestamps without zone
    Local,
    /// timestamps with zone
    Zoned,
    /// anything
    Text,
}

impl Guess {
    /// What one value could be.
    #[must_use]
    pub fn of(text: &[u8]) -> Self {
        let Some(first) = text.first() else { return Self::Text };
        match first {
            b'0'..=b'9' | b'-' | b'.' => match number::int(text, true) {
                Ok(value) if i64::try_from(value).is_ok() => Self::Int,
                // A float would lose digits.
                Ok(_) | Err(number::NumberError::Range) => Self::Text,
                Err(number::NumberError::Form) => Self::of_float_or_time(text),
            },
            b't' | b'T' | b'f' | b'F' if number::boolean(text, true).is_some() => Self::Boolean,
            b'n' | b'N' | b'i' | b'I' if is_special(text) => Self::Float,
            _ => Self::Text,
        }
    }

    fn of_float_or_time(text: &[u8]) -> Self {
        if number::float(text, true).is_ok() {
            Self::Float
        } else if time::date(text).is_some() {
            Self::Date
        } else {
            match TimestampParser::default().parse(text) {
                Some(stamp) if stamp.zoned => Self::Zoned,
                Some(_) => Self::Local,
                None => Self::Text,
            }
        }
    }

    /// What both could be.
    #[must_use]
    pub fn join(self, other: Self) -> Self {
        match (self, other) {
            (a, b) if a == b => a,
            (Self::Nothing, a) | (a, Self::Nothing) => a,
            (Self::Int | Self::Float, Self::Int | Self::Float) => Self::Float,
            (Self::Date | Self::Local, Self::Date | Self::Local) => Self::Local,
            _ => Self::Text,
        }
    }

    /// The type to read the column as. Where nothing was seen, text is the one that holds whatever comes.
    #[must_use]
    pub fn kind(self) -> Kind {
        match self {
            Self::Boolean => Kind::Boolean,
            Self::Int => Kind::Int64,
            Self::Float => Kind::Float64,
            Self::Date => Kind::Date,
            Self::Local => Kind::Timestamp { utc: false },
            Self::Zoned => Kind::Timestamp { utc: true },
            Self::Nothing | Self::Text => Kind::Utf8,
        }
    }

    /// The guess that leads to `kind`; text for those that none does.
    #[must_use]
    pub fn from_kind(kind: Kind) -> Self {
        match kind {
            Kind::Boolean => Self::Boolean,
            Kind::Int64 => Self::Int,
            Kind::Float64 => Self::Float,
            Kind::Date => Self::Date,
            Kind::Timestamp { utc: false } => Self::Local,
            Kind::Timestamp { utc: true } => Self::Zoned,
            _ => Self::Text,
        }
    }
}

fn is_special(text: &[u8]) -> bool {
    ["nan", "inf", "infinity"].iter().any(|word| text.eq_ignore_ascii_case(word.as_bytes()))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]
    use super::*;

    #[test]
    fn values_and_what_they_could_be() {
        for (text, guess) in [
            ("0", Guess::Int),
            ("-12", Guess::Int),
            ("9223372036854775807", Guess::Int),
            ("9223372036854775808", Guess::Text),
            ("99999999999999999999999999999999999999999999", Guess::Text),
            ("007", Guess::Text),
            ("007.5", Guess::Text),
            ("-007", Guess::Text),
            ("+5", Guess::Text),
            ("0.5", Guess::Float),
            (".5", Guess::Float),
            ("1e6", Guess::Float),
            ("NaN", Guess::Float),
            ("-inf", Guess::Float),
            ("nancy", Guess::Text),
            ("true", Guess::Boolean),
            ("FALSE", Guess::Boolean),
            ("t", Guess::Text),
            ("2013-01-01", Guess::Date),
            ("2013-02-30", Guess::Text),
            ("2013-01-01 10:00", Guess::Local),
            ("2013-01-01T10:00:00Z", Guess::Zoned),
            ("1,5", Guess::Text),
            ("-", Guess::Text),
            ("1-2", Guess::Text),
            (" 1", Guess::Text),
            ("", Guess::Text),
        ] {
            assert_eq!(Guess::of(text.as_bytes()), guess, "{text}");
        }
    }

    #[test]
    fn what_several_could_be() {
        assert_eq!(Guess::Int.join(Guess::Float), Guess::Float);
        assert_eq!(Guess::Date.join(Guess::Local), Guess::Local);
        assert_eq!(Guess::Date.join(Guess::Zoned), Guess::Text);
        assert_eq!(Guess::Boolean.join(Guess::Int), Guess::Text);
        assert_eq!(Guess::Nothing.join(Guess::Int), Guess::Int);
        assert_eq!(Guess::Nothing.kind(), Kind::Utf8);
    }
}
