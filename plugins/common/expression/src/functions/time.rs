//! Functions of dates and timestamps.

use sqlparser::tokenizer::Span;

use super::{Call, Function, Group, time_format::Format};
use crate::{
    ExpressionError,
    calendar::{self, UNITS, Unit},
    kernels::{attempt, map, numbers, present, text_cast::shown, texts},
    node::{Kernel, Node, RowError},
    plan::coerce::{self, Planned, call, cast, coerce},
    types::Type,
    vector::{Data, Value},
};

const fn function(
    names: &'static [&'static str],
    signature: &'static str,
    summary: &'static str,
    example: (&'static str, &'static str),
    (least, most): (usize, usize),
    build: fn(Call) -> Planned,
) -> Function {
    Function { names, group: Group::Time, signature, summary, example, least, most, build }
}

pub(super) const TABLE: &[Function] = &[
    function(
        &["date_trunc"],
        "date_trunc(unit, time) -> the same type",
        "The beginning of the unit that the time lies in: microsecond, millisecond, second, minute, hour, day, week (from Monday), month, quarter, year, decade or century.",
        ("date_trunc('month', date '2013-05-17')", "date '2013-05-01'"),
        (2, 2),
        date_trunc,
    ),
    function(
        &["date_part", "datepart"],
        "date_part(unit, time) -> int64",
        "A part of the time: the units of date_trunc, dow (0 = Sunday), isodow (1 = Monday), doy, isoyear, and epoch (seconds since 1970 as float64). Also `extract(unit from time)`.",
        ("date_part('hour', timestamp '2013-01-05 06:30:00')", "6"),
        (2, 2),
        date_part,
    ),
    function(&["year"], "year(time) -> int64", "The year.", ("year(date '2013-05-17')", "2013"), (1, 1), |c| {
        named_part(c, Unit::Year)
    }),
    function(
        &["quarter"],
        "quarter(time) -> int64",
        "The quarter of the year.",
        ("quarter(date '2013-05-17')", "2"),
        (1, 1),
        |c| named_part(c, Unit::Quarter),
    ),
    function(&["month"], "month(time) -> int64", "The month.", ("month(date '2013-05-17')", "5"), (1, 1), |c| {
        named_part(c, Unit::Month)
    }),
    function(
        &["day", "dayofmonth"],
        "day(time) -> int64",
        "The day of the month.",
        ("day(date '2013-05-17')", "17"),
        (1, 1),
        |c| named_part(c, Unit::Day),
    ),
    function(
        &["hour"],
        "hour(timestamp) -> int64",
        "The hour.",
        ("hour(timestamp '2013-05-17 06:30:00')", "6"),
        (1, 1),
        |c| named_part(c, Unit::Hour),
    ),
    function(
        &["minute"],
        "minute(timestamp) -> int64",
        "The minute.",
        ("minute(timestamp '2013-05-17 06:30:00')", "30"),
        (1, 1),
        |c| named_part(c, Unit::Minute),
    ),
    function(
        &["second"],
        "second(timestamp) -> int64",
        "The second, whole.",
        ("second(timestamp '2013-05-17 06:30:07.9')", "7"),
        (1, 1),
        |c| named_part(c, Unit::Second),
    ),
    function(
        &["date_diff", "datediff"],
        "date_diff(unit, from, to) -> int64",
        "How often the unit begins on the way from one time to the other; negative on the way back.",
        ("date_diff('day', date '2013-01-30', date '2013-02-02')", "3"),
        (3, 3),
        date_diff,
    ),
    function(
        &["make_date"],
        "make_date(year, month, day) -> date32",
        "The date; a day that does not exist is a fault.",
        ("make_date(2013, 5, 17)", "date '2013-05-17'"),
        (3, 3),
        make_date,
    ),
    function(
        &["to_date"],
        "to_date(text[, format]) -> date32",
        "The date that the text says, as 2013-05-17 or by a format such as '%d.%m.%Y'. A timestamp becomes its day.",
        ("to_date('17.05.2013', '%d.%m.%Y')", "date '2013-05-17'"),
        (1, 2),
        to_date,
    ),
    function(
        &["to_timestamp"],
        "to_timestamp(text[, format]) -> timestamp",
        "The time that the text says, as 2013-05-17T06:30:00 or by a format such as '%d.%m.%Y %H:%M'; of a number, seconds since 1970.",
        ("to_timestamp('17.05.2013 06:30', '%d.%m.%Y %H:%M')", "timestamp '2013-05-17 06:30:00'"),
        (1, 2),
        to_timestamp,
    ),
    function(
        &["to_char", "strftime"],
        "to_char(time, format) -> utf8",
        "The time by a format: %Y %m %d %H %M %S %f (6 digits) %y %j %b %B %a %A %I %p %e %u %w %V %G %s %z %F %T %%.",
        ("to_char(date '2013-05-17', '%d.%m.%Y')", "'17.05.2013'"),
        (2, 2),
        to_char,
    ),
];

fn missing() -> RowError {
    RowError::new(0, "an argument is missing")
}

/// What a zone is ahead of UTC.
pub(crate) fn fixed_offset(zone: Option<&str>, span: Span) -> Result<i64, ExpressionError> {
    calendar::offset(zone).ok_or_else(|| {
        let zone = zone.unwrap_or_default();
        ExpressionError::new(
            format!("the offset of {zone} changes over the year, and the parts of a time with it"),
            span,
        )
        .help("only UTC and fixed offsets such as +01:00 are known here: cast(... as timestamptz) gives UTC")
    })
}

fn unit(c: &mut Call, at: usize) -> Result<(Unit, String, Span), ExpressionError> {
    let (text, span) = c.literal(at, "unit")?;
    let text = text.unwrap_or_default();
    match Unit::named(&text) {
        Some(unit) => Ok((unit, text, span)),
        None => {
            let names: Vec<&str> = UNITS.iter().map(|(name, _)| *name).collect();
            Err(ExpressionError::new(format!("`{text}` is not a unit of time"), span)
                .help(format!("the units are {}", names.join(", "))))
        }
    }
}

/// A date or a timestamp, and what the timestamp's zone is ahead of UTC.
fn time(c: &mut Call, at: usize) -> Result<(Node, i64), ExpressionError> {
    let node = c.any(at);
    let ahead = match &node.ty {
        Type::Date => 0,
        Type::Timestamp(zone) => fixed_offset(zone.as_deref(), node.span)?,
        _ => {
            let what = format!("`{}` takes a date or a timestamp", c.name());
            return Ok((coerce(node, &Type::Timestamp(None), &what)?, 0));
        }
    };
    Ok((node, ahead))
}

fn date_trunc(mut c: Call) -> Planned {
    let (unit, name, unit_span) = unit(&mut c, 0)?;
    let (node, ahead) = time(&mut c, 1)?;
    if unit > Unit::Century {
        return Err(
            ExpressionError::new(format!("`{name}` is not a length of time"), unit_span).help("date_part takes it")
        );
    }
    let ty = node.ty.clone();
    if ty == Type::Date {
        if !unit.of_date() {
            return Err(ExpressionError::new(format!("a date has no {name}"), unit_span).help("cast it to timestamp"));
        }
        let kernel: Kernel = Box::new(move |rows, values| {
            let dates = values.first().ok_or_else(missing)?.int32s();
            let out = map(dates, rows.count, |date| {
                unit.truncate_day(i64::from(date)).and_then(|date| i32::try_from(date).ok()).unwrap_or(date)
            });
            Ok(Value::column(Data::Int32(out), present(&values, rows.count), rows.count))
        });
        return call(ty, vec![node], c.span, kernel);
    }
    let kernel: Kernel = Box::new(move |rows, values| {
        let times = values.first().ok_or_else(missing)?.int64s();
        let of = |time: i64| {
            unit.truncate(time.saturating_add(ahead)).and_then(|time| time.checked_sub(ahead)).unwrap_or(time)
        };
        Ok(Value::column(Data::Int64(map(times, rows.count, of)), present(&values, rows.count), rows.count))
    });
    call(ty, vec![node], c.span, kernel)
}

fn date_part(mut c: Call) -> Planned {
    let (unit, name, unit_span) = unit(&mut c, 0)?;
    let (node, ahead) = time(&mut c, 1)?;
    part(node, ahead, unit, &name, unit_span, c.span)
}

fn named_part(mut c: Call, unit: Unit) -> Planned {
    let (node, ahead) = time(&mut c, 0)?;
    let (name, span) = (c.name(), c.span);
    part(node, ahead, unit, name, span, span)
}

fn part(node: Node, ahead: i64, unit: Unit, name: &str, unit_span: Span, span: Span) -> Planned {
    let date = node.ty == Type::Date;
    if date && !unit.of_date() {
        return Err(ExpressionError::new(format!("a date has no {name}"), unit_span).help("cast it to timestamp"));
    }
    if unit == Unit::Epoch {
        let kernel: Kernel = Box::new(move |rows, values| {
            let value = values.first().ok_or_else(missing)?;
            let seconds = if date {
                map(value.int32s(), rows.count, |day| f64::from(day) * 86_400.0)
            } else {
                map(value.int64s(), rows.count, |micros| micros as f64 / 1e6)
            };
            Ok(Value::column(Data::Float64(seconds), present(&values, rows.count), rows.count))
        });
        return call(Type::Float64, vec![node], span, kernel);
    }
    let kernel: Kernel = Box::new(move |rows, values| {
        let value = values.first().ok_or_else(missing)?;
        let out = if date {
            map(value.int32s(), rows.count, |day| unit.part(i64::from(day).saturating_mul(calendar::DAY)))
        } else {
            map(value.int64s(), rows.count, |micros| unit.part(micros.saturating_add(ahead)))
        };
        Ok(Value::column(Data::Int64(out), present(&values, rows.count), rows.count))
    });
    call(Type::Int64, vec![node], span, kernel)
}

fn date_diff(mut c: Call) -> Planned {
    let (unit, name, unit_span) = unit(&mut c, 0)?;
    if unit > Unit::Century {
        return Err(ExpressionError::new(format!("`{name}` is not a length of time"), unit_span));
    }
    let ((from, ahead), (to, _)) = (time(&mut c, 1)?, time(&mut c, 2)?);
    let as_time = |node: Node| {
        let (span, ty) = (
            node.span,
            if let Type::Timestamp(zone) = &node.ty { Type::Timestamp(zone.clone()) } else { Type::Timestamp(None) },
        );
        cast(node, &ty, false, span)
    };
    let nodes = vec![as_time(from)?, as_time(to)?];
    let kernel: Kernel = Box::new(move |rows, values| {
        let [from, to] = values.as_slice() else { return Err(missing()) };
        let (from, to) = (from.int64s(), to.int64s());
        Ok(numbers(rows, &values, |row| {
            count(unit, to.get(row).saturating_add(ahead))
                .saturating_sub(count(unit, from.get(row).saturating_add(ahead)))
        }))
    });
    call(Type::Int64, nodes, c.span, kernel)
}

/// How many of the unit have begun before a time.
fn count(unit: Unit, micros: i64) -> i64 {
    let day = micros.div_euclid(calendar::DAY);
    let (year, month, _) = calendar::civil(day);
    let months = year * 12 + i64::from(month) - 1;
    match unit {
        Unit::Microsecond => micros,
        Unit::Millisecond => micros.div_euclid(1000),
        Unit::Second => micros.div_euclid(calendar::SECOND),
        Unit::Minute => micros.div_euclid(calendar::MINUTE),
        Unit::Hour => micros.div_euclid(calendar::HOUR),
        Unit::Day => day,
        Unit::Week => (day + 3).div_euclid(7),
        Unit::Month => months,
        Unit::Quarter => months.div_euclid(3),
        Unit::Decade => year.div_euclid(10),
        Unit::Century => (year - 1).div_euclid(100),
        _ => year,
    }
}

fn make_date(mut c: Call) -> Planned {
    let nodes = vec![c.integer(0)?, c.integer(1)?, c.integer(2)?];
    let kernel: Kernel = Box::new(|rows, values| {
        let [year, month, day] = values.as_slice() else { return Err(missing()) };
        let (years, months, days) = (year.int64s(), month.int64s(), day.int64s());
        let of = |row: usize| calendar::date(years.get(row), months.get(row), days.get(row));
        let message = |row: usize| {
            format!("there is no day {} of month {} in the year {}", days.get(row), months.get(row), years.get(row))
        };
        let (dates, validity) = attempt(rows, present(&values, rows.count), false, of, message)?;
        Ok(Value::column(Data::Int32(dates), validity, rows.count))
    });
    call(Type::Date, nodes, c.span, kernel)
}

fn format(c: &mut Call, at: usize) -> Result<Option<Format>, ExpressionError> {
    let (text, span) = c.literal(at, "format")?;
    let Some(text) = text else { return Ok(None) };
    Format::new(&text)
        .map(Some)
        .map_err(|wrong| ExpressionError::new(wrong, span).help("as in '%Y-%m-%d %H:%M:%S'; `%%` is a per cent sign"))
}

/// Text read by a format, as microseconds.
fn read(text: Node, format: Format, ty: Type, span: Span) -> Planned {
    let date = ty == Type::Date;
    let kernel: Kernel = Box::new(move |rows, values| {
        let texts = values.first().ok_or_else(missing)?.strings();
        let message = |row: usize| format!("{} is not of the format '{}'", shown(texts.get(row)), format.text);
        let (times, validity) =
            attempt(rows, present(&values, rows.count), false, |row| format.read(texts.get(row)), message)?;
        let data = if date {
            Data::Int32(
                times.iter().map(|micros| i32::try_from(micros.div_euclid(calendar::DAY)).unwrap_or(0)).collect(),
            )
        } else {
            Data::Int64(times)
        };
        Ok(Value::column(data, validity, rows.count))
    });
    call(ty, vec![text], span, kernel)
}

fn to_date(mut c: Call) -> Planned {
    if c.has(1) {
        let text = c.text(0)?;
        return match format(&mut c, 1)? {
            Some(format) => read(text, format, Type::Date, c.span),
            None => Ok(Node::null(Type::Date, c.span)),
        };
    }
    let node = c.any(0);
    let node = if node.ty.is_time() { node } else { coerce(node, &Type::Utf8, "`to_date` takes text")? };
    cast(node, &Type::Date, false, c.span)
}

fn to_timestamp(mut c: Call) -> Planned {
    let ty = Type::Timestamp(None);
    if c.has(1) {
        let text = c.text(0)?;
        return match format(&mut c, 1)? {
            Some(format) => read(text, format, ty, c.span),
            None => Ok(Node::null(ty, c.span)),
        };
    }
    let node = c.any(0);
    if node.ty.is_number() {
        let seconds = coerce::number(node, "")?;
        if seconds.ty == Type::Int64 {
            let kernel: Kernel = Box::new(|rows, values| {
                let seconds = values.first().ok_or_else(missing)?.int64s();
                let of = |row: usize| calendar::time_in_range(seconds.get(row).checked_mul(calendar::SECOND)?);
                let (times, validity) = attempt(rows, present(&values, rows.count), false, of, |row| {
                    format!("{} seconds lead out of the calendar", seconds.get(row))
                })?;
                Ok(Value::column(Data::Int64(times), validity, rows.count))
            });
            return call(ty, vec![seconds], c.span, kernel);
        }
        let seconds = coerce(seconds, &Type::Float64, "")?;
        let kernel: Kernel = Box::new(|rows, values| {
            let seconds = values.first().ok_or_else(missing)?.float64s();
            let of = |row: usize| {
                let micros = (seconds.get(row) * 1e6).round();
                if micros.abs() < 9e18 { calendar::time_in_range(micros as i64) } else { None }
            };
            let (times, validity) = attempt(rows, present(&values, rows.count), false, of, |row| {
                format!("{} seconds lead out of the calendar", seconds.get(row))
            })?;
            Ok(Value::column(Data::Int64(times), validity, rows.count))
        });
        return call(ty, vec![seconds], c.span, kernel);
    }
    let node =
        if node.ty.is_time() { node } else { coerce(node, &Type::Utf8, "`to_timestamp` takes text or seconds")? };
    cast(node, &ty, false, c.span)
}

fn to_char(mut c: Call) -> Planned {
    let (node, ahead) = time(&mut c, 0)?;
    let Some(format) = format(&mut c, 1)? else { return Ok(Node::null(Type::Utf8, c.span)) };
    let date = node.ty == Type::Date;
    let kernel: Kernel = Box::new(move |rows, values| {
        let value = values.first().ok_or_else(missing)?;
        let (days, times) = (value.int32s(), value.int64s());
        texts(rows, &values, rows.count * 16, |row, out| {
            let micros = if date {
                i64::from(days.get(row)).saturating_mul(calendar::DAY)
            } else {
                times.get(row).saturating_add(ahead)
            };
            format.write(out, micros, ahead);
        })
    });
    call(Type::Utf8, vec![node], c.span, kernel)
}
