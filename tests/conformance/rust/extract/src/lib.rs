//! The extract of the conformance suite: what an extract can make, by mode.

use schemars::JsonSchema;
use serde::Deserialize;
use sluicebox_stage::build::Value;
use sluicebox_stage::{
    Batch, BinaryBuilder, BooleanBuilder, Column, Context, DataType, Decimal128Builder, Extract, Fault, FaultKind,
    Field, Float64Builder, Page, Schema, Utf8Builder,
};
use std::num::NonZeroU32;

/// The mode, and what belongs to some of the modes.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Options {
    /// What is done.
    mode: Mode,
    /// bookmarks: how many rows.
    #[serde(default)]
    rows: u32,
    /// bookmarks: the first number.
    #[serde(default)]
    start: i64,
    /// bookmarks: rows of a page.
    #[serde(default = "batch", deserialize_with = "few")]
    #[schemars(range(min = 1, max = 65536))]
    batch: NonZeroU32,
    /// fault: its kind.
    #[serde(default = "internal")]
    kind: String,
    /// fault: its message.
    #[serde(default)]
    message: String,
    /// fault: its row.
    row: Option<u32>,
    /// fault: the call that fails.
    #[serde(default)]
    call: Call,
}

/// A call.
#[derive(Clone, Copy, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Call {
    Open,
    #[default]
    Next,
}

fn internal() -> String {
    "internal".into()
}

fn batch() -> NonZeroU32 {
    NonZeroU32::new(8192).unwrap_or(NonZeroU32::MIN)
}

fn few<'de, D: serde::Deserializer<'de>>(options: D) -> Result<NonZeroU32, D::Error> {
    let batch = NonZeroU32::deserialize(options)?;
    let few = Some(batch).filter(|batch| batch.get() <= 65536);
    few.ok_or_else(|| serde::de::Error::custom(format!("batch is {batch}, and at most 65536")))
}

/// What is done.
#[derive(Clone, Copy, PartialEq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Mode {
    Types,
    Floats,
    Empty,
    Nothing,
    Bookmarks,
    Fault,
}

pub struct Conform {
    options: Options,
    first: i64,
    next: i64,
    done: bool,
}

fn numbers() -> Schema {
    Schema::new([
        Field::new("n", DataType::Int64).not_null(),
        Field::new("label", DataType::Utf8),
        Field::new("half", DataType::Float64).not_null(),
    ])
}

/// Of three rows the second is null.
fn ends<T: Value>(first: T, last: T) -> Column {
    Column::from_options([Some(first), None, Some(last)])
}

/// All types of the contract but `other`.
fn types() -> (Schema, Vec<Column>) {
    let mut flags = BooleanBuilder::new();
    [Some(true), None, Some(false)].into_iter().for_each(|flag| flags.push_option(flag));
    let mut texts = Utf8Builder::new();
    [Some(""), None, Some("a\u{e4}\u{20ac}\u{1f600}")].into_iter().for_each(|text| texts.push_option(text));
    let mut bytes = BinaryBuilder::new();
    [Some(&[][..]), None, Some(&[0, 0xff])].into_iter().for_each(|value| bytes.push_option(value));
    let mut decimals = Decimal128Builder::new();
    [Some(-1_234_567_890), None, Some(1)].into_iter().for_each(|value| decimals.push_option(value));
    let plain = |data_type: DataType| Field::new(data_type.name(), data_type);
    let all = [
        (plain(DataType::Boolean), flags.finish()),
        (plain(DataType::Int8), ends(i8::MIN, i8::MAX)),
        (plain(DataType::Int16), ends(i16::MIN, i16::MAX)),
        (plain(DataType::Int32), ends(i32::MIN, i32::MAX)),
        (plain(DataType::Int64), ends(i64::MIN, i64::MAX)),
        (plain(DataType::Uint8), ends(0_u8, u8::MAX)),
        (plain(DataType::Uint16), ends(0_u16, u16::MAX)),
        (plain(DataType::Uint32), ends(0_u32, u32::MAX)),
        (plain(DataType::Uint64), ends(0_u64, u64::MAX)),
        (plain(DataType::Float32), ends(-0.5_f32, 1.5)),
        (plain(DataType::Float64), ends(0.1_f64, 1e300)),
        (plain(DataType::Utf8), texts.finish()),
        (plain(DataType::Binary), bytes.finish()),
        (plain(DataType::Date32), ends(-1_i32, 15_736)),
        (plain(DataType::Timestamp), ends(-1_i64, 1_359_626_400_000_000)),
        (Field::decimal("decimal128", 10, 2), decimals.finish()),
    ];
    let (fields, columns): (Vec<Field>, Vec<Column>) = all.into_iter().unzip();
    (Schema::new(fields), columns)
}

/// What is no number, the infinities and the zero below zero, of both widths.
fn floats() -> (Schema, Vec<Column>) {
    let names =
        [DataType::Float32, DataType::Float64].map(|data_type| Field::new(data_type.name(), data_type).not_null());
    let wide = vec![f64::NAN, f64::INFINITY, f64::NEG_INFINITY, -0.0];
    let narrow = wide.iter().map(|value| *value as f32).collect();
    (Schema::new(names), vec![Column::from_f32(narrow), Column::from_f64(wide)])
}

/// Rows of numbers from one on.
fn rows_of(from: i64, rows: i64) -> Result<Batch, Fault> {
    let all = from..from + rows;
    let mut labels = Utf8Builder::new();
    let mut halves = Float64Builder::new();
    for n in all.clone() {
        labels.push_option((n.rem_euclid(10) != 9).then(|| format!("row {n}")).as_deref());
        halves.push(n as f64 / 2.0);
    }
    Batch::from_columns(numbers(), vec![Column::from_i64(all.collect()), labels.finish(), halves.finish()])
}

impl Extract for Conform {
    type Options = Options;

    fn open(_: &Context, options: Options, bookmark: Option<&str>) -> Result<(Self, Schema), Fault> {
        fail_in(Call::Open, &options)?;
        let first = match bookmark {
            Some(text) => text.parse().map_err(|_| {
                Fault::invalid_config(format!("the bookmark {text:?} is no number; set it to the next one"))
            })?,
            None => options.start,
        };
        let schema = match options.mode {
            Mode::Types => types().0,
            Mode::Floats => floats().0,
            _ => numbers(),
        };
        Ok((Self { options, first, next: first, done: false }, schema))
    }

    fn next(&mut self) -> Result<Option<Page>, Fault> {
        let is_first = !std::mem::replace(&mut self.done, true);
        match self.options.mode {
            Mode::Fault => fail_in(Call::Next, &self.options).map(|()| None),
            Mode::Types | Mode::Floats if is_first => {
                let (schema, columns) = if self.options.mode == Mode::Types { types() } else { floats() };
                Ok(Some(Page::new(Batch::from_columns(schema, columns)?)))
            }
            Mode::Empty if is_first => Ok(Some(Page::new(rows_of(0, 0)?))),
            Mode::Bookmarks => {
                let rows =
                    i64::from(self.options.batch.get()).min(i64::from(self.options.rows) - (self.next - self.first));
                if rows <= 0 {
                    return Ok(None);
                }
                let page = Page::new(rows_of(self.next, rows)?);
                self.next += rows;
                let done = (self.next - self.first) as f32 / self.options.rows as f32;
                Ok(Some(page.with_bookmark(self.next.to_string()).with_progress(done)))
            }
            _ => Ok(None),
        }
    }
}

/// The fault that the options name for a call.
fn fail_in(call: Call, options: &Options) -> Result<(), Fault> {
    match options.mode {
        Mode::Fault if options.call == call => Err(fault(&options.kind, &options.message, options.row)),
        _ => Ok(()),
    }
}

/// The fault that the options name.
fn fault(kind: &str, message: &str, row: Option<u32>) -> Fault {
    let kind = match kind {
        "invalid-config" => FaultKind::InvalidConfig,
        "invalid-data" => FaultKind::InvalidData,
        "denied" => FaultKind::Denied,
        "unavailable" => FaultKind::Unavailable,
        _ => FaultKind::Internal,
    };
    let mut fault = Fault::new(kind, message);
    fault.row = row;
    fault
}

sluicebox_stage::export!(Conform, kind: extract, summary: "What an extract can make, for the conformance suite");
