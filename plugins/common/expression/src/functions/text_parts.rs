//! Functions that cut texts, or fill them up.

use super::{Call, Function, Group, text::to_text};
use crate::{
    kernels::{attempt, present},
    node::{Kernel, Node, RowError},
    plan::coerce::{Planned, call},
    types::Type,
    vector::{Slice, TextBuilder, Texts, Value},
};

const fn function(
    names: &'static [&'static str],
    signature: &'static str,
    summary: &'static str,
    example: (&'static str, &'static str),
    (least, most): (usize, usize),
    build: fn(Call) -> Planned,
) -> Function {
    Function { names, group: Group::Text, signature, summary, example, least, most, build }
}

pub(super) const TABLE: &[Function] = &[
    function(
        &["trim", "btrim"],
        "trim(text[, characters]) -> utf8",
        "The text without blanks, or without any of the characters, at both ends.",
        ("trim('  a b ')", "'a b'"),
        (1, 2),
        |c| trim(c, true, true),
    ),
    function(
        &["ltrim"],
        "ltrim(text[, characters]) -> utf8",
        "The same at the left end.",
        ("ltrim('xxab', 'x')", "'ab'"),
        (1, 2),
        |c| trim(c, true, false),
    ),
    function(
        &["rtrim"],
        "rtrim(text[, characters]) -> utf8",
        "The same at the right end.",
        ("rtrim('12.500', '0')", "'12.5'"),
        (1, 2),
        |c| trim(c, false, true),
    ),
    function(
        &["substr", "substring"],
        "substr(text, from[, length]) -> utf8",
        "Characters from a place on, counted from 1. Also `substring(text from 2 for 3)`.",
        ("substr('flight', 2, 3)", "'lig'"),
        (2, 3),
        substr,
    ),
    function(
        &["left"],
        "left(text, count) -> utf8",
        "The first characters; with a negative count all but the last.",
        ("left('flight', 2)", "'fl'"),
        (2, 2),
        |c| end(c, true),
    ),
    function(
        &["right"],
        "right(text, count) -> utf8",
        "The last characters; with a negative count all but the first.",
        ("right('flight', 2)", "'ht'"),
        (2, 2),
        |c| end(c, false),
    ),
    function(
        &["lpad"],
        "lpad(text, length[, fill]) -> utf8",
        "The text filled up on the left, or cut, to so many characters.",
        ("lpad('7', 3, '0')", "'007'"),
        (2, 3),
        |c| pad(c, true),
    ),
    function(
        &["rpad"],
        "rpad(text, length[, fill]) -> utf8",
        "The text filled up on the right, or cut, to so many characters.",
        ("rpad('ab', 4, '.')", "'ab..'"),
        (2, 3),
        |c| pad(c, false),
    ),
    function(
        &["split_part"],
        "split_part(text, separator, n) -> utf8",
        "The n-th part between separators, counted from 1, or from the end with a negative n.",
        ("split_part('2013-01-05', '-', 2)", "'01'"),
        (3, 3),
        split_part,
    ),
];

fn missing() -> RowError {
    RowError::new(0, "an argument is missing")
}

fn trim(mut c: Call, left: bool, right: bool) -> Planned {
    let mut nodes = vec![c.text(0)?];
    if c.has(1) {
        nodes.push(c.text(1)?);
    }
    let of: fn(&[Value], usize, &mut Vec<u8>) = match (left, right) {
        (true, true) => |values, row, out| trimmed(values, row, out, true, true),
        (true, false) => |values, row, out| trimmed(values, row, out, true, false),
        _ => |values, row, out| trimmed(values, row, out, false, true),
    };
    to_text(nodes, c.span, of)
}

fn trimmed(values: &[Value], row: usize, out: &mut Vec<u8>, left: bool, right: bool) {
    let Some(text) = values.first() else { return };
    let mut text = text.strings().get(row);
    let characters = values.get(1).map(|characters| characters.strings().get(row));
    let drop = |c: char| characters.map_or(c == ' ', |characters| characters.contains(c));
    if left {
        text = text.trim_start_matches(drop);
    }
    if right {
        text = text.trim_end_matches(drop);
    }
    out.extend_from_slice(text.as_bytes());
}

/// Byte of the character at a place counted from 0, or the end.
fn byte(text: &str, place: usize) -> usize {
    if text.is_ascii() {
        place.min(text.len())
    } else {
        text.char_indices().nth(place).map_or(text.len(), |(byte, _)| byte)
    }
}

fn substr(mut c: Call) -> Planned {
    let mut nodes = vec![c.text(0)?, c.integer(1)?];
    if c.has(2) {
        nodes.push(c.integer(2)?);
    }
    let kernel: Kernel = Box::new(|rows, values| {
        let [text, from, length @ ..] = values.as_slice() else { return Err(missing()) };
        let (texts, from) = (text.strings(), from.int64s());
        let length = length.first().map(Value::int64s);
        let present = present(&values, rows.count);
        let of = |row: usize| {
            let (text, from) = (texts.get(row), from.get(row));
            let to = match length.map(|length| length.get(row)) {
                Some(length) if length < 0 => return None,
                Some(length) => from.saturating_add(length),
                None => i64::MAX,
            };
            let place = |at: i64| usize::try_from(at.saturating_sub(1).max(0)).unwrap_or(usize::MAX);
            let start = byte(text, place(from));
            let rest = text.get(start..).unwrap_or("");
            Some(rest.get(..byte(rest, place(to) - place(from).min(place(to)))).unwrap_or(rest))
        };
        let (cut, validity) =
            attempt(rows, present, false, of, |_| "the length of a part of a text cannot be negative".to_owned())?;
        let mut builder = TextBuilder::new(rows.count, 0);
        cut.iter().for_each(|text| builder.push(text.as_bytes()));
        Ok(Value::column(builder.finish()?, validity, rows.count))
    });
    call(Type::Utf8, nodes, c.span, kernel)
}

fn end(mut c: Call, first: bool) -> Planned {
    let nodes = vec![c.text(0)?, c.integer(1)?];
    let of: fn(&[Value], usize, &mut Vec<u8>) =
        if first { |v, row, out| part(v, row, out, true) } else { |v, row, out| part(v, row, out, false) };
    to_text(nodes, c.span, of)
}

fn part(values: &[Value], row: usize, out: &mut Vec<u8>, first: bool) {
    let [text, count] = values else { return };
    let (text, count) = (text.strings(), count.int64s().get(row));
    let text = text.get(row);
    let magnitude = usize::try_from(count.unsigned_abs()).unwrap_or(usize::MAX);
    // Counted from the left: where the two parts meet.
    let place = if (count >= 0) == first { magnitude } else { text.chars().count().saturating_sub(magnitude) };
    let (left, right) = text.split_at_checked(byte(text, place)).unwrap_or((text, ""));
    out.extend_from_slice(if first { left } else { right }.as_bytes());
}

fn pad(mut c: Call, left: bool) -> Planned {
    let mut nodes = vec![c.text(0)?, c.integer(1)?];
    if c.has(2) {
        nodes.push(c.text(2)?);
    }
    let kernel: Kernel = Box::new(move |rows, values| {
        let [text, length, fill @ ..] = values.as_slice() else { return Err(missing()) };
        let (texts, lengths) = (text.strings(), length.int64s());
        let fill: Option<Texts<'_>> = fill.first().map(Value::strings);
        let present = present(&values, rows.count);
        let mut builder = TextBuilder::new(rows.count, 0);
        for row in 0..rows.count {
            if crate::kernels::counts(rows, present.as_deref(), row) {
                padded(&mut builder, texts.get(row), lengths, fill.map_or(" ", |fill| fill.get(row)), row, left);
            } else {
                builder.end();
            }
        }
        Ok(Value::column(builder.finish()?, present, rows.count))
    });
    call(Type::Utf8, nodes, c.span, kernel)
}

fn padded(builder: &mut TextBuilder, text: &str, lengths: Slice<'_, i64>, fill: &str, row: usize, left: bool) {
    let length = usize::try_from(lengths.get(row)).unwrap_or(0);
    let count = text.chars().count();
    let missing = length.saturating_sub(count);
    let text = if length < count { text.get(..byte(text, length)).unwrap_or(text) } else { text };
    if missing.checked_mul(4).is_none_or(|bytes| bytes > builder.room()) && !fill.is_empty() {
        return builder.overflow();
    }
    if !left {
        builder.strings.data.extend_from_slice(text.as_bytes());
    }
    if !fill.is_empty() {
        let mut buffer = [0; 4];
        for c in fill.chars().cycle().take(missing) {
            builder.strings.data.extend_from_slice(c.encode_utf8(&mut buffer).as_bytes());
        }
    }
    if left {
        builder.strings.data.extend_from_slice(text.as_bytes());
    }
    builder.end();
}

fn split_part(mut c: Call) -> Planned {
    let nodes: Vec<Node> = vec![c.text(0)?, c.text(1)?, c.integer(2)?];
    let kernel: Kernel = Box::new(|rows, values| {
        let [text, separator, n] = values.as_slice() else { return Err(missing()) };
        let (texts, separators, ns) = (text.strings(), separator.strings(), n.int64s());
        let of = |row: usize| {
            let (text, separator, n) = (texts.get(row), separators.get(row), ns.get(row));
            if n == 0 {
                return None;
            }
            if separator.is_empty() {
                return Some(if n == 1 || n == -1 { text } else { "" });
            }
            let place = usize::try_from(n.unsigned_abs() - 1).unwrap_or(usize::MAX);
            Some(if n > 0 { text.split(separator).nth(place) } else { text.rsplit(separator).nth(place) }.unwrap_or(""))
        };
        let (parts, validity) = attempt(rows, present(&values, rows.count), false, of, |_| {
            "split_part counts from 1, or from -1 at the end; there is no part 0".to_owned()
        })?;
        let mut builder = TextBuilder::new(rows.count, 0);
        parts.iter().for_each(|text| builder.push(text.as_bytes()));
        Ok(Value::column(builder.finish()?, validity, rows.count))
    });
    call(Type::Utf8, nodes, c.span, kernel)
}
