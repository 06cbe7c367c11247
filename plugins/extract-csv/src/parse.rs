//! Fields of many records into typed columns, one column after the other: each loop knows its type.

use crate::field::{Fields, Nulls, Text};
use sluicebox_file_read::column::{self, Store};
use sluicebox_file_read::number::{self, short_int};
use sluicebox_file_read::{Column, Kind, Misfit, time};

/// A field that is no value of its column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Bad {
    /// counted from the first record of the call
    pub(crate) record: usize,
    /// the place of the column among those that are read
    pub(crate) column: usize,
    /// none: the quotes are malformed
    pub(crate) why: Option<Misfit>,
}

/// Reads field number `field` of `records` records, the first of which starts at `first`, into `column`, which is number
/// `number`. A field that is no value gets a filler and an entry in `bad`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Reading<'a> {
    pub(crate) fields: Fields<'a>,
    pub(crate) nulls: &'a Nulls,
    pub(crate) first: usize,
    pub(crate) records: usize,
    pub(crate) field: usize,
    pub(crate) number: usize,
}

impl Reading<'_> {
    pub(crate) fn read(&self, column: &mut Column, bad: &mut Vec<Bad>, scratch: &mut Vec<u8>) {
        let Column { kind, strict, store, nulls, timestamps } = column;
        let (kind, strict) = (*kind, *strict);
        let bytes = self.fields.bytes;
        // Text that stands for null must not be taken for a value.
        let quick = !self.nulls.value_like();
        match store {
            Store::Int(values) => match kind {
                Kind::Timestamp { utc } if quick => {
                    let mut other = std::mem::take(timestamps);
                    self.values(
                        values,
                        nulls,
                        bad,
                        scratch,
                        |start, end| column::timestamp(timestamps, bytes.get(start..end)?, utc).ok(),
                        |text| column::timestamp(&mut other, text, utc),
                    );
                }
                Kind::Timestamp { utc } => {
                    self.values(values, nulls, bad, scratch, never, |text| column::timestamp(timestamps, text, utc))
                }
                Kind::Int64 if quick => self.values(
                    values,
                    nulls,
                    bad,
                    scratch,
                    |start, end| short_int(bytes, start, end, strict),
                    |text| column::int(text, kind, strict),
                ),
                _ => self.values(values, nulls, bad, scratch, never, |text| column::int(text, kind, strict)),
            },
            Store::Uint(values) => self.values(values, nulls, bad, scratch, never, |text| {
                u64::try_from(number::int(text, strict)?).map_err(|_| Misfit::Range)
            }),
            Store::Float(values) if quick => self.values(
                values,
                nulls,
                bad,
                scratch,
                |start, end| number::float(bytes.get(start..end)?, strict).ok(),
                |text| Ok(number::float(text, strict)?),
            ),
            Store::Float(values) => {
                self.values(values, nulls, bad, scratch, never, |text| Ok(number::float(text, strict)?))
            }
            Store::Date(values) => {
                self.values(values, nulls, bad, scratch, never, |text| time::date(text).ok_or(Misfit::Form));
            }
            Store::Decimal(values) => self.values(values, nulls, bad, scratch, never, |text| match kind {
                Kind::Decimal { precision, scale } => Ok(number::decimal(text, precision, scale)?),
                _ => Err(Misfit::Form),
            }),
            Store::Boolean(values) => self.values(values, nulls, bad, scratch, never, |text| {
                number::boolean(text, strict).map(u8::from).ok_or(Misfit::Form)
            }),
            Store::Text(texts) => self.texts(texts, nulls, bad, scratch),
        }
    }

    /// `quick` may answer from the bytes alone, for fields that are surely no null; else `slow` is asked, without quotes.
    #[inline(always)]
    fn values<T: Copy + Default>(
        &self,
        values: &mut Vec<T>,
        nulls: &mut Vec<u32>,
        bad: &mut Vec<Bad>,
        scratch: &mut Vec<u8>,
        mut quick: impl FnMut(usize, usize) -> Option<T>,
        mut slow: impl FnMut(&[u8]) -> Result<T, Misfit>,
    ) {
        let base = values.len();
        let last = self.field + 1 == self.fields.width;
        values.extend((0..self.records).map(|record| {
            let (start, end) = self.fields.span(self.first + record * self.fields.width + self.field, last);
            if let Some(value) = quick(start, end) {
                return value;
            }
            let why = match self.fields.text(start, end, scratch) {
                Text::Malformed => None,
                Text::Plain(text) | Text::Quoted(text) => {
                    if self.nulls.has(text) {
                        nulls.push((base + record) as u32);
                        return T::default();
                    }
                    match slow(text) {
                        Ok(value) => return value,
                        Err(why) => Some(why),
                    }
                }
            };
            bad.push(Bad { record, column: self.number, why });
            T::default()
        }));
    }

    /// Text in quotes is never null.
    #[inline(never)]
    fn texts(&self, texts: &mut column::Text, nulls: &mut Vec<u32>, bad: &mut Vec<Bad>, scratch: &mut Vec<u8>) {
        let base = texts.rows();
        let last = self.field + 1 == self.fields.width;
        let bytes = self.fields.bytes;
        let dialect = self.fields.dialect;
        // A byte that no text has stands for "no quotes".
        let quote = dialect.quote.unwrap_or(0xff);
        for record in 0..self.records {
            let (start, end) = self.fields.span(self.first + record * self.fields.width + self.field, last);
            if bytes.get(start) != Some(&quote) && !dialect.trim {
                if self.nulls.has(bytes.get(start..end).unwrap_or_default()) {
                    nulls.push((base + record) as u32);
                    texts.push(b"");
                } else {
                    texts.push_span(bytes, start, end);
                }
                continue;
            }
            match self.fields.text(start, end, scratch) {
                Text::Plain(text) if self.nulls.has(text) => {
                    nulls.push((base + record) as u32);
                    texts.push(b"");
                }
                Text::Plain(text) | Text::Quoted(text) => texts.push(text),
                Text::Malformed => {
                    bad.push(Bad { record, column: self.number, why: None });
                    texts.push(b"");
                }
            }
        }
    }
}

/// The quick way of columns that have none.
#[inline(always)]
fn never<T>(_start: usize, _end: usize) -> Option<T> {
    None
}
