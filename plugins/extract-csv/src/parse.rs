//! Fields of many records into typed columns, one column after the other: each loop knows its type.

use crate::field::{Fields, Nulls, Text};
use sluicebox_file_read::column::{self, Store};
use sluicebox_file_read::number::{self, short_int};
use sluicebox_file_read::{Column, Kind, Misfit, TimestampParser, time};

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

/// Room that is used again and again.
#[derive(Debug, Default)]
pub(crate) struct Scratch {
    /// a text without its quotes
    pub(crate) text: Vec<u8>,
    /// records that the quick way left
    left: Vec<u32>,
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
    pub(crate) fn read(&self, column: &mut Column, bad: &mut Vec<Bad>, scratch: &mut Scratch) {
        let Column { kind, strict, store, nulls, timestamps } = column;
        let (kind, strict) = (*kind, *strict);
        match store {
            Store::Int(values) => match kind {
                Kind::Timestamp { utc } => {
                    let mut slow = TimestampParser::default();
                    self.values(
                        values,
                        nulls,
                        bad,
                        scratch,
                        |bytes, start, end| column::timestamp(timestamps, bytes.get(start..end)?, utc).ok(),
                        |text| column::timestamp(&mut slow, text, utc),
                    );
                }
                Kind::Int64 => {
                    let slow = |text: &[u8]| column::int(text, kind, strict);
                    // One loop each, so that neither asks.
                    if strict {
                        let quick = |bytes: &[u8], start, end| short_int(bytes, start, end, true);
                        self.values(values, nulls, bad, scratch, quick, slow);
                    } else {
                        let quick = |bytes: &[u8], start, end| short_int(bytes, start, end, false);
                        self.values(values, nulls, bad, scratch, quick, slow);
                    }
                }
                _ => self.values(values, nulls, bad, scratch, never, |text| column::int(text, kind, strict)),
            },
            Store::Uint(values) => self.values(values, nulls, bad, scratch, never, |text| {
                u64::try_from(number::int(text, strict)?).map_err(|_| Misfit::Range)
            }),
            Store::Float(values) => self.values(
                values,
                nulls,
                bad,
                scratch,
                |bytes, start, end| number::float(bytes.get(start..end)?, strict).ok(),
                |text| Ok(number::float(text, strict)?),
            ),
            Store::Date(values) => self.values(
                values,
                nulls,
                bad,
                scratch,
                |bytes, start, end| time::date(bytes.get(start..end)?),
                |text| time::date(text).ok_or(Misfit::Form),
            ),
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

    /// `quick` may answer from where a field stands; what it leaves is asked of `slow`, without quotes and if not null.
    fn values<T: Copy + Default>(
        &self,
        values: &mut Vec<T>,
        nulls: &mut Vec<u32>,
        bad: &mut Vec<Bad>,
        scratch: &mut Scratch,
        quick: impl FnMut(&[u8], usize, usize) -> Option<T>,
        mut slow: impl FnMut(&[u8]) -> Result<T, Misfit>,
    ) {
        let base = values.len();
        values.resize(base + self.records, T::default());
        let new = values.get_mut(base..).unwrap_or_default();
        scratch.left.clear();
        if self.nulls.value_like() {
            // What stands for null must not be taken for a value.
            scratch.left.extend(0..self.records as u32);
        } else {
            self.sweep(new, &mut scratch.left, quick);
        }
        let last = self.field + 1 == self.fields.width;
        for record in &scratch.left {
            let record = *record as usize;
            let (start, end) = self.fields.span(self.first + record * self.fields.width + self.field, last);
            let why = match self.fields.text(start, end, &mut scratch.text) {
                Text::Malformed => None,
                Text::Plain(text) | Text::Quoted(text) if self.nulls.has(text) => {
                    nulls.push((base + record) as u32);
                    continue;
                }
                Text::Plain(text) | Text::Quoted(text) => match slow(text) {
                    Ok(value) => {
                        if let Some(place) = new.get_mut(record) {
                            *place = value;
                        }
                        continue;
                    }
                    Err(why) => Some(why),
                },
            };
            bad.push(Bad { record, column: self.number, why });
        }
    }

    /// The tight loop: nothing in it but fields and values. `left` is what `quick` has no answer to.
    #[inline(never)]
    fn sweep<T>(&self, values: &mut [T], left: &mut Vec<u32>, mut quick: impl FnMut(&[u8], usize, usize) -> Option<T>) {
        let Fields { bytes, ends, width, .. } = self.fields;
        let is_last = self.field + 1 == width;
        let mut k = self.first + self.field;
        for (record, value) in values.iter_mut().enumerate() {
            let (start, mut end) = match ends.get(k..k + 2) {
                Some([start, behind]) => (*start as usize, (*behind as usize).wrapping_sub(1)),
                _ => return,
            };
            if is_last && end > start && bytes.get(end - 1) == Some(&b'\r') {
                end -= 1;
            }
            match quick(bytes, start, end) {
                Some(found) => *value = found,
                None => left.push(record as u32),
            }
            k += width;
        }
    }

    /// Text in quotes is never null.
    #[inline(never)]
    fn texts(&self, texts: &mut column::Text, nulls: &mut Vec<u32>, bad: &mut Vec<Bad>, scratch: &mut Scratch) {
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
            match self.fields.text(start, end, &mut scratch.text) {
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
fn never<T>(_bytes: &[u8], _start: usize, _end: usize) -> Option<T> {
    None
}
