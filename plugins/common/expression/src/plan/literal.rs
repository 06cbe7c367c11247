//! Literals.

use sqlparser::{
    ast::{Expr, Interval as SqlInterval, TypedString, Value as SqlValue},
    tokenizer::Span,
};

use super::coerce::{self, Planned};
use crate::{
    ExpressionError,
    calendar::{self, Interval, Unit},
    kernels::decimal,
    node::Node,
    parse,
    types::{DIGITS, Type},
    vector::{Data, Strings, Value},
};

pub(crate) fn value(value: &SqlValue, span: Span) -> Planned {
    let data = match value {
        SqlValue::Null => return Ok(Node::null(Type::Null, span)),
        SqlValue::Boolean(set) => {
            return Ok(Node::literal(Value::literal(Data::Bool(vec![u8::from(*set)])), Type::Boolean, span));
        }
        SqlValue::Number(text, _) => return number(text, span),
        SqlValue::SingleQuotedString(text)
        | SqlValue::EscapedStringLiteral(text)
        | SqlValue::NationalStringLiteral(text) => text.as_bytes().to_vec(),
        SqlValue::DollarQuotedString(text) => text.value.as_bytes().to_vec(),
        SqlValue::HexStringLiteral(text) => {
            let bytes = hex(text).ok_or_else(|| {
                ExpressionError::new("bytes are written as pairs of hexadecimal digits: X'00ff'", span)
            })?;
            return Ok(Node::literal(bytes_literal(bytes, span)?, Type::Binary, span));
        }
        SqlValue::Placeholder(_) => {
            return Err(ExpressionError::new("parameters are not known here", span)
                .help("there are no parameters; write the value, or ${env:NAME}"));
        }
        _ => {
            return Err(ExpressionError::new("this is not a literal here", span)
                .help("text is written in single quotes: 'text'"));
        }
    };
    Ok(Node::literal(bytes_literal(data, span)?, Type::Utf8, span))
}

fn bytes_literal(data: Vec<u8>, span: Span) -> Result<Value, ExpressionError> {
    let end = i32::try_from(data.len()).map_err(|_| ExpressionError::new("the text is too long", span))?;
    Ok(Value::literal(Data::Text(Strings { offsets: vec![0, end], data })))
}

pub(crate) fn text(text: &str, span: Span) -> Planned {
    Ok(Node::literal(bytes_literal(text.as_bytes().to_vec(), span)?, Type::Utf8, span))
}

pub(crate) fn integer(value: i64, span: Span) -> Node {
    Node::literal(Value::literal(Data::Int64(vec![value])), Type::Int64, span)
}

fn hex(text: &str) -> Option<Vec<u8>> {
    let digits: Option<Vec<u8>> =
        text.chars().map(|c| c.to_digit(16).and_then(|digit| u8::try_from(digit).ok())).collect();
    let digits = digits?;
    digits
        .len()
        .is_multiple_of(2)
        .then(|| digits.as_chunks::<2>().0.iter().map(|[high, low]| high << 4 | low).collect())
}

/// A number: int64 where it is whole and fits, else a decimal; float64 with a point or an exponent.
pub(crate) fn number(text: &str, span: Span) -> Planned {
    if let Ok(whole) = text.parse::<i64>() {
        return Ok(integer(whole, span));
    }
    let digits = text.trim_start_matches('-').len();
    if text.trim_start_matches('-').bytes().all(|byte| byte.is_ascii_digit())
        && let Ok(precision) = u8::try_from(digits)
        && precision <= DIGITS
        && let Some(value) = decimal::parse(text, precision, 0)
    {
        return Ok(Node::literal(Value::literal(Data::Decimal(vec![value])), Type::Decimal(precision, 0), span));
    }
    match text.parse::<f64>() {
        Ok(value) => Ok(Node::literal(Value::literal(Data::Float64(vec![value])), Type::Float64, span)),
        Err(_) => Err(ExpressionError::new(format!("`{text}` is not a number"), span)),
    }
}

/// `date '2013-01-05'`
pub(crate) fn typed(typed: &TypedString) -> Planned {
    let span = typed.value.span;
    let ty =
        parse::type_of(&typed.data_type).map_err(|message| ExpressionError::new(message, span).help(parse::TYPES))?;
    let node = value(&typed.value.value, span)?;
    coerce::cast(node, &ty, false, span)
}

const INTERVAL: &str = "write interval '1 day', interval '2 hours 30 minutes' or interval 3 month";

/// `interval '1 day'`, `interval '1' day`, `interval 1 day`
pub(crate) fn interval(interval: &SqlInterval, span: Span) -> Result<Interval, ExpressionError> {
    let wrong = || ExpressionError::new("this is not an interval", span).help(INTERVAL);
    let text = match interval.value.as_ref() {
        Expr::Value(value) => match &value.value {
            SqlValue::Number(text, _) | SqlValue::SingleQuotedString(text) => text.clone(),
            _ => return Err(wrong()),
        },
        _ => return Err(ExpressionError::new("the length of an interval is a literal", span).help(INTERVAL)),
    };
    let text = match &interval.leading_field {
        Some(unit) => format!("{text} {unit}"),
        None => text,
    };
    let mut whole = Interval::default();
    let mut words = text.split_ascii_whitespace().peekable();
    if words.peek().is_none() {
        return Err(wrong());
    }
    while let Some(word) = words.next() {
        if word.contains(':') {
            add(&mut whole, clock(word).ok_or_else(wrong)?).ok_or_else(wrong)?;
            continue;
        }
        // `1day` as well as `1 day`
        let split = word.find(|c: char| c.is_ascii_alphabetic()).unwrap_or(word.len());
        let (count, unit) = word.split_at(split);
        let unit = if unit.is_empty() { words.next().ok_or_else(wrong)? } else { unit };
        let unit = Unit::named(unit).ok_or_else(wrong)?;
        add(&mut whole, length(count, unit).ok_or_else(wrong)?).ok_or_else(wrong)?;
    }
    Ok(whole)
}

fn add(whole: &mut Interval, part: Interval) -> Option<()> {
    whole.months = whole.months.checked_add(part.months)?;
    whole.days = whole.days.checked_add(part.days)?;
    whole.micros = whole.micros.checked_add(part.micros)?;
    Some(())
}

/// `01:30:00`
fn clock(text: &str) -> Option<Interval> {
    let (sign, text) = text.strip_prefix('-').map_or((1, text), |text| (-1, text));
    let mut parts = text.split(':');
    let mut part = || parts.next().map(|part| decimal::parse(part, 18, 6));
    let (hours, minutes, seconds) = (part()??, part()??, part().unwrap_or(Some(0))?);
    let micros = i64::try_from(hours.checked_mul(3600)? + minutes.checked_mul(60)? + seconds).ok()?;
    Some(Interval { micros: sign * micros, ..Interval::default() })
}

fn length(count: &str, unit: Unit) -> Option<Interval> {
    // Millionths, so that 1.5 hours are possible.
    let micro = decimal::parse(count, 24, 6)?;
    let times = |step: i64| i64::try_from(micro.checked_mul(i128::from(step))? / 1_000_000).ok();
    let whole = || if micro % 1_000_000 == 0 { i64::try_from(micro / 1_000_000).ok() } else { None };
    let mut interval = Interval::default();
    match unit {
        Unit::Microsecond => interval.micros = times(1)?,
        Unit::Millisecond => interval.micros = times(1000)?,
        Unit::Second => interval.micros = times(calendar::SECOND)?,
        Unit::Minute => interval.micros = times(calendar::MINUTE)?,
        Unit::Hour => interval.micros = times(calendar::HOUR)?,
        Unit::Day => interval.days = whole()?,
        Unit::Week => interval.days = whole()?.checked_mul(7)?,
        Unit::Month => interval.months = whole()?,
        Unit::Quarter => interval.months = whole()?.checked_mul(3)?,
        Unit::Year => interval.months = whole()?.checked_mul(12)?,
        Unit::Decade => interval.months = whole()?.checked_mul(120)?,
        Unit::Century => interval.months = whole()?.checked_mul(1200)?,
        _ => return None,
    }
    Some(interval)
}
