//! Functions of whole texts.

use super::{Call, Function, Group};
use crate::{
    bits,
    kernels::{numbers, present, tests, texts},
    node::{Kernel, Node, RowError},
    plan::coerce::{self, Planned, call, call_with},
    types::Type,
    vector::{Data, Strings, TextBuilder, Value},
};
use sqlparser::tokenizer::Span;

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
        &["upper", "ucase"],
        "upper(text) -> utf8",
        "Upper case.",
        ("upper('Zürich')", "'ZÜRICH'"),
        (1, 1),
        |c| letters(c, Case::Upper),
    ),
    function(&["lower", "lcase"], "lower(text) -> utf8", "Lower case.", ("lower('ABC')", "'abc'"), (1, 1), |c| {
        letters(c, Case::Lower)
    }),
    function(
        &["initcap"],
        "initcap(text) -> utf8",
        "Every word with a capital letter first and small letters behind.",
        ("initcap('new YORK')", "'New York'"),
        (1, 1),
        initcap,
    ),
    function(
        &["length", "char_length", "character_length", "len"],
        "length(text) -> int64",
        "Characters of the text.",
        ("length('Zürich')", "6"),
        (1, 1),
        length,
    ),
    function(
        &["octet_length"],
        "octet_length(text or binary) -> int64",
        "Bytes of the text.",
        ("octet_length('Zürich')", "7"),
        (1, 1),
        octet_length,
    ),
    function(
        &["reverse"],
        "reverse(text) -> utf8",
        "The characters from the last to the first.",
        ("reverse('abc')", "'cba'"),
        (1, 1),
        reverse,
    ),
    function(
        &["repeat"],
        "repeat(text, times) -> utf8",
        "The text several times.",
        ("repeat('ab', 3)", "'ababab'"),
        (2, 2),
        repeat,
    ),
    function(
        &["replace"],
        "replace(text, what, by) -> utf8",
        "The text with every `what` replaced.",
        ("replace('a-b-c', '-', '+')", "'a+b+c'"),
        (3, 3),
        replace,
    ),
    function(
        &["translate"],
        "translate(text, from, to) -> utf8",
        "Every character of `from` replaced by the one at the same place of `to`, or dropped where there is none.",
        ("translate('12.5', '.,', ',')", "'12,5'"),
        (3, 3),
        translate,
    ),
    function(
        &["concat"],
        "concat(value, ...) -> utf8",
        "The values as text, one after another; nulls are left out (`||` gives null).",
        ("concat('a', 1, null)", "'a1'"),
        (1, usize::MAX),
        concat,
    ),
    function(
        &["concat_ws"],
        "concat_ws(separator, value, ...) -> utf8",
        "The values as text with the separator between; nulls are left out.",
        ("concat_ws('-', 'a', null, 'b')", "'a-b'"),
        (2, usize::MAX),
        concat_ws,
    ),
    function(
        &["starts_with"],
        "starts_with(text, prefix) -> boolean",
        "Whether the text begins so.",
        ("starts_with('flight', 'fl')", "true"),
        (2, 2),
        |c| test(c, |a, b| a.starts_with(b)),
    ),
    function(
        &["ends_with"],
        "ends_with(text, suffix) -> boolean",
        "Whether the text ends so.",
        ("ends_with('flight', 'ht')", "true"),
        (2, 2),
        |c| test(c, |a, b| a.ends_with(b)),
    ),
    function(
        &["contains"],
        "contains(text, part) -> boolean",
        "Whether the text holds the part.",
        ("contains('flight', 'li')", "true"),
        (2, 2),
        |c| test(c, |a, b| a.contains(b)),
    ),
    function(
        &["strpos", "position", "instr"],
        "strpos(text, part) -> int64",
        "Where the part begins, counted in characters from 1; 0 where it is not. Also `position(part in text)`.",
        ("strpos('flight', 'li')", "2"),
        (2, 2),
        strpos,
    ),
    function(
        &["ascii"],
        "ascii(text) -> int64",
        "The number of the first character in Unicode; 0 for no text.",
        ("ascii('A')", "65"),
        (1, 1),
        ascii,
    ),
    function(
        &["chr"],
        "chr(number) -> utf8",
        "The character of this number in Unicode.",
        ("chr(65)", "'A'"),
        (1, 1),
        chr,
    ),
];

/// A call of texts and whole numbers that answers with text.
pub(super) fn to_text(arguments: Vec<Node>, span: Span, of: fn(&[Value], usize, &mut Vec<u8>)) -> Planned {
    call(
        Type::Utf8,
        arguments,
        span,
        Box::new(move |rows, values| texts(rows, &values, rows.count * 8, |row, out| of(&values, row, out))),
    )
}

fn missing() -> RowError {
    RowError::new(0, "an argument is missing")
}

#[derive(Clone, Copy)]
enum Case {
    Upper,
    Lower,
}

fn letters(mut c: Call, case: Case) -> Planned {
    let text = c.text(0)?;
    // Small letters of ASCII stay as long as they were, so all rows are done in one pass over the bytes.
    let kernel: Kernel = Box::new(move |rows, mut values| {
        let value = values.pop().ok_or_else(missing)?;
        let Data::Text(strings) = value.data() else { return Err(missing()) };
        if strings.data.is_ascii() {
            let mut vector = value.into_vector();
            if let Data::Text(strings) = &mut vector.data {
                match case {
                    Case::Upper => strings.data.make_ascii_uppercase(),
                    Case::Lower => strings.data.make_ascii_lowercase(),
                }
            }
            return Ok(Value { vector: vector.into(), scalar: false });
        }
        let (bytes, all) = (strings.data.len() + 16, value.strings());
        texts(rows, std::slice::from_ref(&value), bytes, |row, out| {
            let text = all.get(row);
            let at = out.len();
            out.extend_from_slice(text.as_bytes());
            match (case, out.get_mut(at..)) {
                (Case::Upper, Some(new)) if text.is_ascii() => new.make_ascii_uppercase(),
                (Case::Lower, Some(new)) if text.is_ascii() => new.make_ascii_lowercase(),
                _ => {
                    out.truncate(at);
                    let changed = if let Case::Upper = case { text.to_uppercase() } else { text.to_lowercase() };
                    out.extend_from_slice(changed.as_bytes());
                }
            }
        })
    });
    call(Type::Utf8, vec![text], c.span, kernel)
}

fn initcap(mut c: Call) -> Planned {
    to_text(vec![c.text(0)?], c.span, |values, row, out| {
        let Some(text) = values.first() else { return };
        let mut inside = false;
        let mut buffer = [0; 4];
        for c in text.strings().get(row).chars() {
            if inside {
                c.to_lowercase().for_each(|c| out.extend_from_slice(c.encode_utf8(&mut buffer).as_bytes()));
            } else {
                c.to_uppercase().for_each(|c| out.extend_from_slice(c.encode_utf8(&mut buffer).as_bytes()));
            }
            inside = c.is_alphanumeric();
        }
    })
}

/// A call of texts that answers with whole numbers.
fn to_number(arguments: Vec<Node>, span: Span, of: fn(&[Value], usize) -> i64) -> Planned {
    call(Type::Int64, arguments, span, Box::new(move |rows, values| Ok(numbers(rows, &values, |row| of(&values, row)))))
}

fn widths(strings: &Strings) -> Vec<i64> {
    strings.offsets.iter().zip(strings.offsets.iter().skip(1)).map(|(from, to)| i64::from(to - from)).collect()
}

fn length(mut c: Call) -> Planned {
    let kernel: Kernel = Box::new(|rows, values| {
        let value = values.first().ok_or_else(missing)?;
        match value.data() {
            Data::Text(strings) if strings.data.is_ascii() => {
                Ok(Value::column(Data::Int64(widths(strings)), present(&values, rows.count), rows.count))
            }
            _ => {
                let texts = value.strings();
                Ok(numbers(rows, &values, |row| i64::try_from(texts.get(row).chars().count()).unwrap_or(i64::MAX)))
            }
        }
    });
    call(Type::Int64, vec![c.text(0)?], c.span, kernel)
}

fn octet_length(mut c: Call) -> Planned {
    let node = c.any(0);
    let node = if node.ty == Type::Binary {
        node
    } else {
        coerce::coerce(node, &Type::Utf8, "`octet_length` takes text or binary")?
    };
    let kernel: Kernel = Box::new(|rows, values| match values.first().map(Value::data) {
        Some(Data::Text(strings)) => {
            Ok(Value::column(Data::Int64(widths(strings)), present(&values, rows.count), rows.count))
        }
        _ => Err(missing()),
    });
    call(Type::Int64, vec![node], c.span, kernel)
}

fn reverse(mut c: Call) -> Planned {
    to_text(vec![c.text(0)?], c.span, |values, row, out| {
        let Some(text) = values.first() else { return };
        let mut buffer = [0; 4];
        for c in text.strings().get(row).chars().rev() {
            out.extend_from_slice(c.encode_utf8(&mut buffer).as_bytes());
        }
    })
}

fn repeat(mut c: Call) -> Planned {
    let nodes = vec![c.text(0)?, c.integer(1)?];
    let kernel: Kernel = Box::new(|rows, values| {
        let [text, times] = values.as_slice() else { return Err(missing()) };
        let (texts, times) = (text.strings(), times.int64s());
        let present = present(&values, rows.count);
        let mut builder = TextBuilder::new(rows.count, 0);
        for row in 0..rows.count {
            let (text, times) = (texts.get(row), usize::try_from(times.get(row)).unwrap_or(0));
            if !present.as_ref().is_none_or(|present| bits::get(present, row)) || !rows.looked_at(row) {
                builder.end();
            } else if text.len().checked_mul(times).is_none_or(|bytes| bytes > builder.room()) {
                builder.overflow();
            } else {
                (0..times).for_each(|_| builder.strings.data.extend_from_slice(text.as_bytes()));
                builder.end();
            }
        }
        Ok(Value::column(builder.finish()?, present, rows.count))
    });
    call(Type::Utf8, nodes, c.span, kernel)
}

fn replace(mut c: Call) -> Planned {
    to_text(vec![c.text(0)?, c.text(1)?, c.text(2)?], c.span, |values, row, out| {
        let [text, what, by] = values else { return };
        let (text, what, by) = (text.strings(), what.strings(), by.strings());
        let (mut text, what) = (text.get(row), what.get(row));
        if what.is_empty() {
            return out.extend_from_slice(text.as_bytes());
        }
        while let Some((before, after)) = text.split_once(what) {
            out.extend_from_slice(before.as_bytes());
            out.extend_from_slice(by.bytes(row));
            text = after;
        }
        out.extend_from_slice(text.as_bytes());
    })
}

fn translate(mut c: Call) -> Planned {
    to_text(vec![c.text(0)?, c.text(1)?, c.text(2)?], c.span, |values, row, out| {
        let [text, from, to] = values else { return };
        let (text, from, to) = (text.strings(), from.strings(), to.strings());
        let (from, to) = (from.get(row), to.get(row));
        let mut buffer = [0; 4];
        for c in text.get(row).chars() {
            let new = match from.chars().position(|other| other == c) {
                Some(at) => to.chars().nth(at),
                None => Some(c),
            };
            if let Some(c) = new {
                out.extend_from_slice(c.encode_utf8(&mut buffer).as_bytes());
            }
        }
    })
}

fn as_text(node: Node) -> Planned {
    let span = node.span;
    coerce::cast(node, &Type::Utf8, false, span)
}

/// `a || b`: null where a part is null.
pub(crate) fn concatenated(parts: Vec<Node>, span: Span) -> Planned {
    if !parts.iter().any(|part| matches!(part.ty, Type::Utf8 | Type::Null)) {
        let odd = parts.into_iter().next().map_or((Type::Null, span), |part| (part.ty, part.span));
        return Err(crate::ExpressionError::new(format!("`||` takes text, this is {}", odd.0), odd.1)
            .help("write cast(... as utf8), or concat(...)"));
    }
    let parts = parts.into_iter().map(as_text).collect::<Result<Vec<_>, _>>()?;
    let kernel: Kernel = Box::new(|rows, values| {
        let parts: Vec<_> = values.iter().map(Value::strings).collect();
        let bytes = parts.iter().map(|part| part.bytes.len()).sum();
        texts(rows, &values, bytes, |row, out| parts.iter().for_each(|part| out.extend_from_slice(part.bytes(row))))
    });
    call(Type::Utf8, parts, span, kernel)
}

fn concat(mut c: Call) -> Planned {
    let parts = c.rest().into_iter().map(as_text).collect::<Result<Vec<_>, _>>()?;
    joined(parts, c.span)
}

fn concat_ws(mut c: Call) -> Planned {
    let separator = c.text(0)?;
    if separator.is_null_literal() {
        return Ok(Node::null(Type::Utf8, c.span));
    }
    let mut parts = vec![separator];
    for part in c.rest() {
        parts.push(as_text(part)?);
    }
    let nullable = parts.first().is_some_and(|separator| separator.nullable);
    let kernel: Kernel = Box::new(|rows, values| {
        let Some((separator, values)) = values.split_first() else { return Err(missing()) };
        let parts: Vec<_> = values.iter().map(Value::strings).collect();
        let between = separator.strings();
        texts(rows, std::slice::from_ref(separator), 0, |row, out| {
            let mut first = true;
            for (_, part) in values.iter().zip(&parts).filter(|(value, _)| value.valid(row)) {
                if !first {
                    out.extend_from_slice(between.bytes(row));
                }
                first = false;
                out.extend_from_slice(part.bytes(row));
            }
        })
    });
    call_with(Type::Utf8, parts, c.span, nullable, kernel)
}

/// The texts one after another, nulls left out.
fn joined(parts: Vec<Node>, span: Span) -> Planned {
    let kernel: Kernel = Box::new(|rows, values| {
        let parts: Vec<_> = values.iter().map(Value::strings).collect();
        let bytes = parts.iter().map(|part| part.bytes.len()).sum();
        texts(rows, &[], bytes, |row, out| {
            for (_, part) in values.iter().zip(&parts).filter(|(value, _)| value.valid(row)) {
                out.extend_from_slice(part.bytes(row));
            }
        })
    });
    call_with(Type::Utf8, parts, span, false, kernel)
}

fn test(mut c: Call, of: fn(&str, &str) -> bool) -> Planned {
    let nodes = vec![c.text(0)?, c.text(1)?];
    let kernel: Kernel = Box::new(move |rows, values| {
        let [a, b] = values.as_slice() else { return Err(missing()) };
        let (a, b) = (a.strings(), b.strings());
        Ok(tests(rows, &values, |row| of(a.get(row), b.get(row))))
    });
    call(Type::Boolean, nodes, c.span, kernel)
}

fn strpos(mut c: Call) -> Planned {
    to_number(vec![c.text(0)?, c.text(1)?], c.span, |values, row| {
        let [text, part] = values else { return 0 };
        let (text, part) = (text.strings(), part.strings());
        let text = text.get(row);
        let at = text.find(part.get(row)).and_then(|at| text.get(..at)).map(|before| before.chars().count() + 1);
        at.and_then(|at| i64::try_from(at).ok()).unwrap_or(0)
    })
}

fn ascii(mut c: Call) -> Planned {
    to_number(vec![c.text(0)?], c.span, |values, row| {
        values.first().and_then(|text| text.strings().get(row).chars().next()).map_or(0, |c| i64::from(u32::from(c)))
    })
}

fn chr(mut c: Call) -> Planned {
    let node = c.integer(0)?;
    let kernel: Kernel = Box::new(|rows, values| {
        let numbers = values.first().ok_or_else(missing)?.int64s();
        let of =
            |row: usize| u32::try_from(numbers.get(row)).ok().filter(|number| *number != 0).and_then(char::from_u32);
        let message = |row: usize| format!("{} is not the number of a character", numbers.get(row));
        let (chars, validity) = crate::kernels::attempt(rows, present(&values, rows.count), false, of, message)?;
        let mut builder = TextBuilder::new(rows.count, rows.count);
        let mut buffer = [0; 4];
        chars.iter().for_each(|c| builder.push(c.encode_utf8(&mut buffer).as_bytes()));
        Ok(Value::column(builder.finish()?, validity, rows.count))
    });
    call(Type::Utf8, vec![node], c.span, kernel)
}
