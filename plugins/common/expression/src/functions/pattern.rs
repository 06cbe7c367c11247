//! Regular expressions, compiled once, as the expression is planned.

use regex::{Regex, RegexBuilder};
use sqlparser::tokenizer::Span;

use super::{Call, Function, Group};
use crate::{
    ExpressionError, bits,
    kernels::{present, tests, texts},
    node::{Kernel, Node, RowError},
    plan::coerce::{self, Planned, call, call_with},
    types::Type,
    vector::{TextBuilder, Value},
};

const fn function(
    names: &'static [&'static str],
    signature: &'static str,
    summary: &'static str,
    example: (&'static str, &'static str),
    (least, most): (usize, usize),
    build: fn(Call) -> Planned,
) -> Function {
    Function { names, group: Group::Pattern, signature, summary, example, least, most, build }
}

pub(super) const TABLE: &[Function] = &[
    function(
        &["regexp_like", "regexp_matches"],
        "regexp_like(text, pattern[, flags]) -> boolean",
        "Whether the pattern is found in the text; flags are i (any letter case), m (^ and $ at lines), s (. is any character), x (blanks do not count). Also `text ~ 'pattern'`, `~*` in any letter case.",
        ("regexp_like('N14228', '^N\\d+$')", "true"),
        (2, 3),
        regexp_like,
    ),
    function(
        &["regexp_replace"],
        "regexp_replace(text, pattern, by[, flags]) -> utf8",
        "The text with the first place that fits replaced, every place with the flag g; `\\1` in `by` is the first group, `\\&` the whole place.",
        ("regexp_replace('a1b22', '\\d+', '<\\&>', 'g')", "'a<1>b<22>'"),
        (3, 4),
        regexp_replace,
    ),
    function(
        &["regexp_match", "regexp_extract", "regexp_substr"],
        "regexp_match(text, pattern[, flags]) -> utf8",
        "The first group of the first place that fits, or the whole place where the pattern has no group; null where none fits.",
        ("regexp_match('flight 1545', '(\\d+)')", "'1545'"),
        (2, 3),
        regexp_match,
    ),
];

/// The most memory that a compiled pattern takes.
const LARGEST: usize = 4 << 20;

fn compile(pattern: &str, flags: &str, span: Span) -> Result<(Regex, bool), ExpressionError> {
    let mut builder = RegexBuilder::new(pattern);
    builder.size_limit(LARGEST).dfa_size_limit(LARGEST).nest_limit(100);
    let mut every = false;
    for flag in flags.chars() {
        match flag {
            'i' => builder.case_insensitive(true),
            'm' => builder.multi_line(true),
            's' => builder.dot_matches_new_line(true),
            'x' => builder.ignore_whitespace(true),
            'g' => {
                every = true;
                &mut builder
            }
            other => {
                return Err(ExpressionError::new(format!("`{other}` is not a flag of a regular expression"), span)
                    .help("the flags are i, m, s, x and g"));
            }
        };
    }
    let regex = builder.build().map_err(|error| match error {
        regex::Error::CompiledTooBig(_) => ExpressionError::new("the regular expression is too large", span),
        error => {
            let text = error.to_string();
            // The last line says what is wrong, the lines before show it.
            let reason = text.lines().last().unwrap_or("").trim_start_matches("error: ");
            ExpressionError::new(format!("the regular expression '{pattern}' cannot be read: {reason}"), span)
        }
    })?;
    Ok((regex, every))
}

/// The compiled pattern of a call, or none where pattern or flags are null.
fn pattern(c: &mut Call, at: usize, flags_at: usize) -> Result<Option<(Regex, bool)>, ExpressionError> {
    let (text, span) = c.literal(at, "pattern")?;
    let flags = if c.has(flags_at) { c.literal(flags_at, "flags")?.0 } else { Some(String::new()) };
    match (text, flags) {
        (Some(text), Some(flags)) => compile(&text, &flags, span).map(Some),
        _ => Ok(None),
    }
}

fn missing() -> RowError {
    RowError::new(0, "an argument is missing")
}

fn search(regex: Regex, negated: bool) -> Kernel {
    Box::new(move |rows, values| {
        let text = values.first().ok_or_else(missing)?.strings();
        Ok(tests(rows, &values, |row| regex.is_match(text.get(row)) != negated))
    })
}

/// `text ~ pattern` and its kin.
pub(crate) fn matches(text: Node, pattern: Node, any_case: bool, negated: bool, span: Span) -> Planned {
    let text = coerce::coerce(text, &Type::Utf8, "`~` takes text")?;
    let pattern = coerce::coerce(pattern, &Type::Utf8, "`~` takes a pattern")?;
    if pattern.as_literal().is_none() {
        return Err(ExpressionError::new(
            "the pattern of `~` is a literal: it is made ready once, not for each row",
            pattern.span,
        ));
    }
    let Some(known) = coerce::literal_text(&pattern) else { return Ok(Node::null(Type::Boolean, span)) };
    let (regex, _) = compile(&known, if any_case { "i" } else { "" }, pattern.span)?;
    call(Type::Boolean, vec![text], span, search(regex, negated))
}

fn regexp_like(mut c: Call) -> Planned {
    let text = c.text(0)?;
    let Some((regex, _)) = pattern(&mut c, 1, 2)? else { return Ok(Node::null(Type::Boolean, c.span)) };
    call(Type::Boolean, vec![text], c.span, search(regex, false))
}

/// What a replacement is made of.
enum Piece {
    Text(String),
    Group(usize),
}

fn pieces(by: &str) -> Vec<Piece> {
    let mut pieces = Vec::new();
    let mut text = String::new();
    let mut chars = by.chars();
    while let Some(c) = chars.next() {
        if c != '\\' {
            text.push(c);
            continue;
        }
        let group = match chars.next() {
            Some('&') => 0,
            Some(digit) if digit.is_ascii_digit() => {
                digit.to_digit(10).and_then(|digit| usize::try_from(digit).ok()).unwrap_or(0)
            }
            Some(other) => {
                if other != '\\' {
                    text.push('\\');
                }
                text.push(other);
                continue;
            }
            None => {
                text.push('\\');
                continue;
            }
        };
        pieces.push(Piece::Text(std::mem::take(&mut text)));
        pieces.push(Piece::Group(group));
    }
    pieces.push(Piece::Text(text));
    pieces
}

fn regexp_replace(mut c: Call) -> Planned {
    let text = c.text(0)?;
    let Some((regex, every)) = pattern(&mut c, 1, 3)? else { return Ok(Node::null(Type::Utf8, c.span)) };
    let (Some(by), _) = c.literal(2, "replacement")? else { return Ok(Node::null(Type::Utf8, c.span)) };
    let pieces = pieces(&by);
    let kernel: Kernel = Box::new(move |rows, values| {
        let all = values.first().ok_or_else(missing)?.strings();
        texts(rows, &values, all.bytes.len(), |row, out| {
            let text = all.get(row);
            let mut last = 0;
            for found in regex.captures_iter(text).take(if every { usize::MAX } else { 1 }) {
                let Some(whole) = found.get(0) else { break };
                out.extend_from_slice(text.get(last..whole.start()).unwrap_or("").as_bytes());
                for piece in &pieces {
                    out.extend_from_slice(match piece {
                        Piece::Text(text) => text.as_bytes(),
                        Piece::Group(group) => found.get(*group).map_or(&[], |group| group.as_str().as_bytes()),
                    });
                }
                last = whole.end();
            }
            out.extend_from_slice(text.get(last..).unwrap_or("").as_bytes());
        })
    });
    call(Type::Utf8, vec![text], c.span, kernel)
}

fn regexp_match(mut c: Call) -> Planned {
    let text = c.text(0)?;
    let Some((regex, _)) = pattern(&mut c, 1, 2)? else { return Ok(Node::null(Type::Utf8, c.span)) };
    let group = usize::from(regex.captures_len() > 1);
    let kernel: Kernel = Box::new(move |rows, values| {
        let all = values.first().ok_or_else(missing)?.strings();
        let mut validity = present(&values, rows.count).unwrap_or_else(|| bits::filled(rows.count, true));
        let mut builder = TextBuilder::new(rows.count, 0);
        for row in 0..rows.count {
            let text = all.get(row);
            let found =
                if group == 0 { regex.find(text) } else { regex.captures(text).and_then(|found| found.get(group)) };
            match found {
                Some(found) if bits::get(&validity, row) => builder.push(found.as_str().as_bytes()),
                _ => {
                    bits::set(&mut validity, row, false);
                    builder.end();
                }
            }
        }
        Ok(Value::column(builder.finish()?, Some(validity), rows.count))
    });
    if text.is_null_literal() {
        return Ok(Node::null(Type::Utf8, c.span));
    }
    call_with(Type::Utf8, vec![text], c.span, true, kernel)
}
