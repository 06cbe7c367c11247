//! Casts to and from text.

use std::io::Write;

use crate::{
    calendar,
    kernels::{attempt, decimal, logic, present, texts},
    node::{Kernel, RowError, Rows},
    types::Type,
    vector::{Data, Texts, Value},
};

/// The kernel of one step to or from text, and whether it may fail.
pub(crate) fn single(from: &Type, to: &Type, wanted: &Type, try_: bool) -> Option<(Kernel, bool)> {
    use Type::*;
    Some(match (from, to) {
        (Utf8, Binary) => (
            Box::new(|_, mut arguments| arguments.pop().ok_or_else(|| RowError::new(0, "an argument is needed"))),
            false,
        ),
        (Binary, Utf8) => (from_binary(try_), true),
        (Utf8, Boolean) => (boolean(try_), true),
        (Utf8, Int64) => (read(wanted, try_, Data::Int64, |text| trim(text).parse().ok()), true),
        (Utf8, UInt64) => (read(wanted, try_, Data::UInt64, |text| trim(text).parse().ok()), true),
        (Utf8, Float64) => (read(wanted, try_, Data::Float64, |text| trim(text).parse().ok()), true),
        (Utf8, Date) => (read(wanted, try_, Data::Int32, calendar::parse_date), true),
        (Utf8, Timestamp(zone)) => {
            let ahead = calendar::offset(zone.as_deref())?;
            (read(wanted, try_, Data::Int64, move |text| calendar::parse_timestamp(text, ahead)), true)
        }
        (Utf8, Decimal(precision, scale)) => {
            let (precision, scale) = (*precision, *scale);
            (read(wanted, try_, Data::Decimal, move |text| decimal::parse(text, precision, scale)), true)
        }
        (Boolean, Utf8) => (
            write(|rows, value| {
                let (set, _) = logic::split(value, rows);
                Box::new(move |row, out| {
                    out.extend_from_slice(if crate::bits::get(&set, row) { b"true" } else { b"false" })
                })
            }),
            false,
        ),
        (Int64, Utf8) => (
            write(|_, value| {
                Box::new(|row, out| {
                    out.extend_from_slice(itoa::Buffer::new().format(value.int64s().get(row)).as_bytes())
                })
            }),
            false,
        ),
        (UInt64, Utf8) => (
            write(|_, value| {
                Box::new(|row, out| {
                    out.extend_from_slice(itoa::Buffer::new().format(value.uint64s().get(row)).as_bytes())
                })
            }),
            false,
        ),
        (Float64, Utf8) => (
            write(|_, value| {
                Box::new(|row, out| {
                    let v = value.float64s().get(row);
                    float(out, v, v.is_finite());
                })
            }),
            false,
        ),
        (Float32, Utf8) => (
            write(|_, value| {
                let Data::Float32(values) = value.data() else { return Box::new(|_, _| {}) };
                Box::new(|row, out| {
                    let v = values.get(value.at(row)).copied().unwrap_or_default();
                    float(out, v, v.is_finite());
                })
            }),
            false,
        ),
        (Decimal(_, scale), Utf8) => {
            let scale = *scale;
            (
                write(move |_, value| {
                    Box::new(move |row, out| put(out, &decimal::format(value.decimals().get(row), scale)))
                }),
                false,
            )
        }
        (Date, Utf8) => (
            write(|_, value| Box::new(|row, out| calendar::write_date(out, i64::from(value.int32s().get(row))))),
            false,
        ),
        (Timestamp(zone), Utf8) => {
            let ahead = calendar::offset(zone.as_deref())?;
            let zoned = zone.is_some();
            (
                write(move |_, value| {
                    Box::new(move |row, out| {
                        calendar::write_timestamp(out, value.int64s().get(row).saturating_add(ahead));
                        if zoned {
                            calendar::write_offset(out, ahead);
                        }
                    })
                }),
                false,
            )
        }
        _ => return None,
    })
}

fn trim(text: &str) -> &str {
    text.trim_matches(|c: char| c.is_ascii_whitespace())
}

fn put(out: &mut Vec<u8>, value: &impl std::fmt::Display) {
    // Writing to a Vec does not fail.
    let _ = write!(out, "{value}");
}

/// The shortest text that reads back as the same number: `1.0`, `0.1`, `1e21`, `NaN`, `inf`.
fn float<F: zmij::Float + std::fmt::Display>(out: &mut Vec<u8>, value: F, finite: bool) {
    if !finite {
        return put(out, &value);
    }
    let mut buffer = zmij::Buffer::new();
    let text = buffer.format_finite(value);
    match text.split_once("e+") {
        Some((digits, exponent)) => put(out, &format_args!("{digits}e{exponent}")),
        None => out.extend_from_slice(text.as_bytes()),
    }
}

type Writer<'a> = Box<dyn Fn(usize, &mut Vec<u8>) + 'a>;

fn write(of: impl for<'a> Fn(usize, &'a Value) -> Writer<'a> + Send + Sync + 'static) -> Kernel {
    Box::new(move |rows: Rows<'_>, arguments| {
        let Some(value) = arguments.first() else { return Err(RowError::new(0, "an argument is needed")) };
        let writer = of(rows.count, value);
        texts(rows, &arguments, rows.count * 8, |row, out| writer(row, out))
    })
}

/// At most this much of a text is shown in a message.
const SHOWN: usize = 40;

/// A text as it is shown in messages.
pub(crate) fn shown(text: &str) -> String {
    let mut short: String = text.chars().take(SHOWN).collect();
    if short.len() < text.len() {
        short.push_str("...");
    }
    format!("'{short}'")
}

fn read<O: Default + Clone + 'static>(
    wanted: &Type,
    try_: bool,
    data: fn(Vec<O>) -> Data,
    of: impl Fn(&str) -> Option<O> + Send + Sync + 'static,
) -> Kernel {
    let wanted = wanted.clone();
    Box::new(move |rows: Rows<'_>, arguments| {
        let Some(value) = arguments.first() else { return Err(RowError::new(0, "an argument is needed")) };
        let texts: Texts<'_> = value.strings();
        let message = |row: usize| format!("{} is not {wanted}; try_cast makes it null", shown(texts.get(row)));
        let (out, validity) = attempt(rows, present(&arguments, rows.count), try_, |row| of(texts.get(row)), message)?;
        Ok(Value::column(data(out), validity, rows.count))
    })
}

fn boolean(try_: bool) -> Kernel {
    Box::new(move |rows: Rows<'_>, arguments| {
        let Some(value) = arguments.first() else { return Err(RowError::new(0, "an argument is needed")) };
        let texts = value.strings();
        let of = |row: usize| match trim(texts.get(row)).to_ascii_lowercase().as_str() {
            "true" | "t" | "yes" | "y" | "on" | "1" => Some(true),
            "false" | "f" | "no" | "n" | "off" | "0" => Some(false),
            _ => None,
        };
        let message =
            |row: usize| format!("{} is not boolean (true or false); try_cast makes it null", shown(texts.get(row)));
        let (out, validity) = attempt(rows, present(&arguments, rows.count), try_, of, message)?;
        Ok(Value::column(Data::Bool(crate::bits::pack_slice(&out, |set| set)), validity, rows.count))
    })
}

fn from_binary(try_: bool) -> Kernel {
    Box::new(move |rows: Rows<'_>, arguments| {
        let Some(value) = arguments.first() else { return Err(RowError::new(0, "an argument is needed")) };
        let bytes = value.strings();
        let of = |row: usize| std::str::from_utf8(bytes.bytes(row)).ok();
        let message = |_| "these bytes are not UTF-8 text; try_cast makes them null".to_owned();
        let (out, validity) = attempt(rows, present(&arguments, rows.count), try_, of, message)?;
        let mut builder = crate::vector::TextBuilder::new(rows.count, bytes.bytes.len());
        out.iter().for_each(|text| builder.push(text.as_bytes()));
        Ok(Value::column(builder.finish()?, validity, rows.count))
    })
}
