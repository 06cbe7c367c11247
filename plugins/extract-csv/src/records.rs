//! From the ends of fields to records: which are whole, which are broken, which are no records at all.

use crate::field::Fields;

/// What a scanned part of a file consists of, in order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Segment {
    /// records of as many fields as there should be; `first` is the index in `ends` of the first field's start
    Good { first: usize, records: usize },
    /// a record that cannot be used: `bytes[start..end]`, line end included
    Broken { start: usize, end: usize, why: Broken },
}

/// Why a record cannot be used, as far as its form tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Broken {
    /// so many fields instead of those that the header names
    Fields(usize),
    /// not UTF-8
    Encoding,
    /// a quote is opened and never closed
    Unclosed,
}

/// Cuts the scanned part into segments. `records` is how many line ends the scan saw.
pub(crate) fn segments(fields: &Fields<'_>, records: usize, ascii: bool, into: &mut Vec<Segment>) {
    into.clear();
    let utf8 = ascii || {
        let (start, end) = (fields.ends.first(), fields.ends.last());
        let content = start.zip(end).and_then(|(start, end)| fields.bytes.get(*start as usize..*end as usize));
        content.is_none_or(|content| simdutf8::basic::from_utf8(content).is_ok())
    };
    if utf8 && is_rectangular(fields, records) {
        into.push(Segment::Good { first: 0, records });
    } else {
        one_by_one(fields, utf8, into);
    }
}

/// Whether every record has its number of fields: as many line ends as records, each where a record should end.
fn is_rectangular(fields: &Fields<'_>, records: usize) -> bool {
    // A blank line looks like a record of one field.
    let width = fields.width;
    if width < 2 || fields.dialect.comment.is_some() || fields.ends.len() != records * width + 1 {
        return false;
    }
    let ends = fields.ends.get(1..).unwrap_or_default();
    ends.chunks_exact(width)
        .all(|record| record.last().and_then(|end| fields.bytes.get((*end as usize).wrapping_sub(1))) == Some(&b'\n'))
}

fn one_by_one(fields: &Fields<'_>, utf8: bool, into: &mut Vec<Segment>) {
    let Some(mut start) = fields.ends.first().map(|start| *start as usize) else { return };
    let mut first = 0;
    for (k, end) in fields.ends.iter().enumerate().skip(1) {
        let end = *end as usize;
        if fields.bytes.get(end.wrapping_sub(1)) != Some(&b'\n') {
            continue;
        }
        let record = fields.bytes.get(start..end).unwrap_or_default();
        let found = k - first;
        if !fields.is_no_record(record, found) {
            if !utf8 && std::str::from_utf8(record).is_err() {
                into.push(Segment::Broken { start, end, why: Broken::Encoding });
            } else if found != fields.width {
                into.push(Segment::Broken { start, end, why: Broken::Fields(found) });
            } else {
                match into.last_mut() {
                    Some(Segment::Good { first: run, records }) if *run + *records * found == first => *records += 1,
                    _ => into.push(Segment::Good { first, records: 1 }),
                }
            }
        }
        first = k;
        start = end;
    }
}
