//! Columns under construction: text in, typed buffers out.

use crate::number::{self, NumberError};
use crate::{Kind, TimestampParser, time};
use sluicebox_stage::Values;

/// Why a text is no value of its column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Misfit {
    /// not written as a value of the type
    Form,
    /// too big, too small, or too many digits behind the point
    Range,
    /// says its zone, and the column holds local time
    Zone,
}

impl From<NumberError> for Misfit {
    fn from(error: NumberError) -> Self {
        match error {
            NumberError::Form => Self::Form,
            NumberError::Range => Self::Range,
        }
    }
}

impl Misfit {
    /// The reason, for people, e.g. `"abc" is no int64`.
    #[must_use]
    pub fn explain(self, value: &[u8], kind: Kind) -> String {
        let value = shown(value);
        match self {
            Self::Form => format!("{value} is no {kind}"),
            Self::Range => format!("{value} does not fit {kind}"),
            Self::Zone => format!("{value} says its time zone, and a {kind} is local time"),
        }
    }
}

/// A value as messages show it: quoted, on one line, cut where it is long.
#[must_use]
pub fn shown(value: &[u8]) -> String {
    const SHOWN_MAX: usize = 60;
    let text = String::from_utf8_lossy(value);
    let mut short: String = text.chars().take(SHOWN_MAX).collect();
    if short.len() < text.len() {
        short.push('…');
    }
    format!("{short:?}")
}

/// The values of a column. Nulls have zero or empty in their place.
#[derive(Debug)]
pub enum Store {
    /// 0 or 1 a row
    Boolean(Vec<u8>),
    /// all integers but uint64, and microseconds
    Int(Vec<i64>),
    /// uint64
    Uint(Vec<u64>),
    /// both widths
    Float(Vec<f64>),
    /// days
    Date(Vec<i32>),
    /// units of the last digit
    Decimal(Vec<i128>),
    /// text
    Text(Text),
}

/// Strings, one after another.
#[derive(Debug)]
pub struct Text {
    offsets: Vec<i32>,
    /// longer than what is used, so that short strings are copied 16 bytes at once
    data: Vec<u8>,
    used: usize,
}

/// Room that `push_span` may write into behind the string.
const SLACK_BYTES: usize = 16;

impl Text {
    fn new(rows: usize, bytes: usize) -> Self {
        let mut offsets = Vec::with_capacity(rows + 1);
        offsets.push(0);
        Self { offsets, data: vec![0; bytes + SLACK_BYTES], used: 0 }
    }

    /// Adds `bytes[start..end]`. Where 16 bytes stand behind `start`, short strings are copied without a call.
    #[inline(always)]
    pub fn push_span(&mut self, bytes: &[u8], start: usize, end: usize) {
        let length = end.wrapping_sub(start);
        if length <= SLACK_BYTES
            && let (Some(from), Some(to)) =
                (bytes.get(start..start + SLACK_BYTES), self.data.get_mut(self.used..self.used + SLACK_BYTES))
        {
            to.copy_from_slice(from);
            self.used += length;
            self.offsets.push(self.used as i32);
            return;
        }
        self.push(bytes.get(start..end).unwrap_or_default());
    }

    /// Adds a string of any length.
    pub fn push(&mut self, value: &[u8]) {
        let end = self.used + value.len();
        if self.data.len() < end + SLACK_BYTES {
            self.data.resize((self.data.len() * 2).max(end + SLACK_BYTES), 0);
        }
        if let Some(to) = self.data.get_mut(self.used..end) {
            to.copy_from_slice(value);
        }
        self.used = end;
        self.offsets.push(end as i32);
    }

    /// How many strings there are.
    #[must_use]
    pub fn rows(&self) -> usize {
        self.offsets.len() - 1
    }

    fn truncate(&mut self, rows: usize) {
        self.offsets.truncate(rows + 1);
        self.used = self.offsets.last().map_or(0, |end| *end as usize);
    }
}

/// A column under construction.
#[derive(Debug)]
pub struct Column {
    /// what it becomes
    pub kind: Kind,
    /// refuse texts that a value would not give back, such as leading zeros: for types that were inferred
    pub strict: bool,
    /// one value a row
    pub store: Store,
    /// the rows that are null, ascending
    pub nulls: Vec<u32>,
    /// of timestamps
    pub timestamps: TimestampParser,
}

impl Column {
    /// An empty column with room for `rows`.
    #[must_use]
    pub fn new(kind: Kind, strict: bool, rows: usize) -> Self {
        let store = empty_store(kind, rows, rows * 8);
        Self { kind, strict, store, nulls: Vec::new(), timestamps: TimestampParser::default() }
    }

    /// Rows so far.
    #[must_use]
    pub fn rows(&self) -> usize {
        match &self.store {
            Store::Boolean(values) => values.len(),
            Store::Int(values) => values.len(),
            Store::Uint(values) => values.len(),
            Store::Float(values) => values.len(),
            Store::Date(values) => values.len(),
            Store::Decimal(values) => values.len(),
            Store::Text(text) => text.rows(),
        }
    }

    /// Bytes that it holds.
    #[must_use]
    pub fn bytes(&self) -> usize {
        let rows = self.rows();
        match &self.store {
            Store::Boolean(_) => rows,
            Store::Int(_) | Store::Uint(_) | Store::Float(_) => 8 * rows,
            Store::Date(_) => 4 * rows,
            Store::Decimal(_) => 16 * rows,
            Store::Text(text) => 4 * rows + text.used,
        }
    }

    /// Adds a null.
    pub fn push_null(&mut self) {
        self.nulls.push(self.rows() as u32);
        self.push_filler();
    }

    fn push_filler(&mut self) {
        match &mut self.store {
            Store::Boolean(values) => values.push(0),
            Store::Int(values) => values.push(0),
            Store::Uint(values) => values.push(0),
            Store::Float(values) => values.push(0.0),
            Store::Date(values) => values.push(0),
            Store::Decimal(values) => values.push(0),
            Store::Text(text) => text.push(b""),
        }
    }

    /// Adds the value that `text` stands for; a text that is none adds a filler, so that the row can be taken out later.
    ///
    /// # Errors
    /// `text` is no value of this column.
    pub fn push(&mut self, text: &[u8]) -> Result<(), Misfit> {
        let result = self.try_push(text);
        if result.is_err() {
            self.push_filler();
        }
        result
    }

    fn try_push(&mut self, text: &[u8]) -> Result<(), Misfit> {
        let (kind, strict) = (self.kind, self.strict);
        match &mut self.store {
            Store::Boolean(values) => {
                values.push(u8::from(number::boolean(text, strict).ok_or(Misfit::Form)?));
            }
            Store::Int(values) => values.push(match kind {
                Kind::Timestamp { utc } => timestamp(&mut self.timestamps, text, utc)?,
                _ => int(text, kind, strict)?,
            }),
            Store::Uint(values) => {
                values.push(u64::try_from(number::int(text, strict)?).map_err(|_| Misfit::Range)?);
            }
            Store::Float(values) => values.push(number::float(text, strict)?),
            Store::Date(values) => values.push(time::date(text).ok_or(Misfit::Form)?),
            Store::Decimal(values) => {
                let Kind::Decimal { precision, scale } = kind else { return Err(Misfit::Form) };
                values.push(number::decimal(text, precision, scale)?);
            }
            Store::Text(strings) => strings.push(text),
        }
        Ok(())
    }

    /// Forgets all rows behind the first `rows`.
    pub fn truncate(&mut self, rows: usize) {
        match &mut self.store {
            Store::Boolean(values) => values.truncate(rows),
            Store::Int(values) => values.truncate(rows),
            Store::Uint(values) => values.truncate(rows),
            Store::Float(values) => values.truncate(rows),
            Store::Date(values) => values.truncate(rows),
            Store::Decimal(values) => values.truncate(rows),
            Store::Text(text) => text.truncate(rows),
        }
        while self.nulls.last().is_some_and(|row| *row as usize >= rows) {
            self.nulls.pop();
        }
    }

    /// Hands the column over and starts again, with as much room as it took.
    #[must_use]
    pub fn take(&mut self) -> sluicebox_stage::Column {
        let rows = self.rows();
        let bytes = match &self.store {
            Store::Text(text) => text.used + text.used / 8,
            _ => 0,
        };
        let validity = (!self.nulls.is_empty()).then(|| {
            let mut bits = vec![0xff_u8; rows.div_ceil(8)];
            for row in &self.nulls {
                if let Some(byte) = bits.get_mut(*row as usize / 8) {
                    *byte &= !(1 << (row % 8));
                }
            }
            clear_behind(&mut bits, rows);
            bits
        });
        self.nulls.clear();
        let store = std::mem::replace(&mut self.store, empty_store(self.kind, rows, bytes));
        sluicebox_stage::Column::new(values(store, self.kind), validity, rows)
    }
}

/// Bits behind the last row are zero, so that equal columns are equal bytes.
fn clear_behind(bits: &mut [u8], rows: usize) {
    if let (Some(last), 1..) = (bits.last_mut(), rows % 8) {
        *last &= (1 << (rows % 8)) - 1;
    }
}

fn values(store: Store, kind: Kind) -> Values {
    // What does not fit was refused when it came in.
    match store {
        Store::Boolean(values) => {
            let mut bits = vec![0_u8; values.len().div_ceil(8)];
            for (byte, eight) in bits.iter_mut().zip(values.chunks(8)) {
                *byte = eight.iter().rev().fold(0, |bits, value| bits << 1 | value);
            }
            Values::Bits(bits)
        }
        Store::Int(values) => match kind {
            Kind::Int8 => Values::Int8(values.into_iter().map(|value| value as i8).collect()),
            Kind::Int16 => Values::Int16(values.into_iter().map(|value| value as i16).collect()),
            Kind::Int32 => Values::Int32(values.into_iter().map(|value| value as i32).collect()),
            Kind::Uint8 => Values::Uint8(values.into_iter().map(|value| value as u8).collect()),
            Kind::Uint16 => Values::Uint16(values.into_iter().map(|value| value as u16).collect()),
            Kind::Uint32 => Values::Uint32(values.into_iter().map(|value| value as u32).collect()),
            _ => Values::Int64(values),
        },
        Store::Uint(values) => Values::Uint64(values),
        Store::Float(values) => match kind {
            Kind::Float32 => Values::Float32(values.into_iter().map(|value| value as f32).collect()),
            _ => Values::Float64(values),
        },
        Store::Date(values) => Values::Int32(values),
        Store::Decimal(values) => Values::FixedBytes(values.into_iter().flat_map(i128::to_le_bytes).collect()),
        Store::Text(mut text) => {
            text.data.truncate(text.used);
            Values::Variable { offsets: text.offsets, data: text.data }
        }
    }
}

fn empty_store(kind: Kind, rows: usize, bytes: usize) -> Store {
    match kind {
        Kind::Boolean => Store::Boolean(Vec::with_capacity(rows)),
        Kind::Int8
        | Kind::Int16
        | Kind::Int32
        | Kind::Int64
        | Kind::Uint8
        | Kind::Uint16
        | Kind::Uint32
        | Kind::Timestamp { .. } => Store::Int(Vec::with_capacity(rows)),
        Kind::Uint64 => Store::Uint(Vec::with_capacity(rows)),
        Kind::Float32 | Kind::Float64 => Store::Float(Vec::with_capacity(rows)),
        Kind::Date => Store::Date(Vec::with_capacity(rows)),
        Kind::Decimal { .. } => Store::Decimal(Vec::with_capacity(rows)),
        Kind::Utf8 => Store::Text(Text::new(rows, bytes)),
    }
}

/// An integer of a kind that fits 64 bits with sign.
///
/// # Errors
/// It is not one.
pub fn int(text: &[u8], kind: Kind, strict: bool) -> Result<i64, Misfit> {
    let value = i64::try_from(number::int(text, strict)?).map_err(|_| Misfit::Range)?;
    if fits(value, kind) { Ok(value) } else { Err(Misfit::Range) }
}

/// Whether `value` is in the range of `kind`.
#[inline(always)]
#[must_use]
pub fn fits(value: i64, kind: Kind) -> bool {
    match kind {
        Kind::Int8 => i8::try_from(value).is_ok(),
        Kind::Int16 => i16::try_from(value).is_ok(),
        Kind::Int32 => i32::try_from(value).is_ok(),
        Kind::Uint8 => u8::try_from(value).is_ok(),
        Kind::Uint16 => u16::try_from(value).is_ok(),
        Kind::Uint32 => u32::try_from(value).is_ok(),
        _ => true,
    }
}

/// Microseconds; a zone is refused where the column holds local time, and taken as UTC where none is said but it should.
///
/// # Errors
/// It is no timestamp, or has a zone and should not.
#[inline]
pub fn timestamp(parser: &mut TimestampParser, text: &[u8], utc: bool) -> Result<i64, Misfit> {
    let stamp = parser.parse(text).ok_or(Misfit::Form)?;
    if stamp.zoned && !utc { Err(Misfit::Zone) } else { Ok(stamp.micros) }
}
