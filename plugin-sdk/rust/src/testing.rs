//! Help for native tests of stages: batches in a line, and what a stage reported.
//!
//! ```
//! use sluicebox_stage::{count, log, testing};
//! log::info("opened data/flights.csv");
//! count("files", 1);
//! let report = testing::report();
//! assert_eq!(report.counters["files"], 1);
//! assert_eq!(report.lines(), ["opened data/flights.csv"]);
//! ```

use crate::build::{Builder, Value};
use crate::{BadRecord, Batch, Column, Context, DataType, Fault, Field, Level, Schema, Values};
use std::cell::RefCell;
use std::collections::BTreeMap;

pub use crate::__batch as batch;

/// What stages reported in this thread.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// The log in order.
    pub log: Vec<(Level, String)>,
    /// Counters by name.
    pub counters: BTreeMap<String, u64>,
    /// Records set aside, in order.
    pub quarantined: Vec<BadRecord>,
}

impl Report {
    /// The messages of the log.
    pub fn lines(&self) -> Vec<&str> {
        self.log.iter().map(|(_, message)| message.as_str()).collect()
    }
}

thread_local! {
    static REPORT: RefCell<Report> = RefCell::default();
}

pub(crate) fn with_report(write: impl FnOnce(&mut Report)) {
    REPORT.with_borrow_mut(write);
}

/// What stages reported in this thread since the last time it was asked.
pub fn report() -> Report {
    REPORT.take()
}

/// The context of a run for tests.
pub fn context() -> Context {
    Context {
        run_id: "019af0c0-0000-7000-8000-000000000000".into(),
        pipeline: "test".into(),
        stage: "stage".into(),
        attempt: 1,
        interval_start: "2013-01-01T00:00:00Z".into(),
        interval_end: "2013-01-02T00:00:00Z".into(),
    }
}

/// Options as the host would give them, from JSON text.
///
/// # Errors
/// The fault that the host would see.
pub fn options<T: serde::de::DeserializeOwned>(json: &str) -> Result<T, Fault> {
    crate::options::parse(json)
}

/// A day of a date32 column, days since 1970-01-01.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Date(pub i32);

/// A moment of a timestamp column without time zone, microseconds since 1970-01-01T00:00:00.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timestamp(pub i64);

/// A value of a test batch; its Rust type says the column's type.
pub trait Cell {
    /// The type of the column.
    const DATA_TYPE: DataType;
    /// What the column is built from.
    type Value: Value;
    /// The value, or a null.
    fn into_value(self) -> Option<Self::Value>;
}

macro_rules! cells {
    ($($from:ty, $data_type:ident, $value:ty, |$name:ident| $convert:expr;)*) => {
        $(impl Cell for $from {
            const DATA_TYPE: DataType = DataType::$data_type;
            type Value = $value;
            fn into_value(self) -> Option<$value> {
                let $name = self;
                Some($convert)
            }
        })*
    };
}

cells! {
    bool, Boolean, bool, |v| v;
    i8, Int8, i8, |v| v;
    i16, Int16, i16, |v| v;
    i32, Int32, i32, |v| v;
    i64, Int64, i64, |v| v;
    u8, Uint8, u8, |v| v;
    u16, Uint16, u16, |v| v;
    u32, Uint32, u32, |v| v;
    u64, Uint64, u64, |v| v;
    f32, Float32, f32, |v| v;
    f64, Float64, f64, |v| v;
    &str, Utf8, String, |v| v.to_owned();
    String, Utf8, String, |v| v;
    Vec<u8>, Binary, Vec<u8>, |v| v;
    Date, Date32, i32, |v| v.0;
    Timestamp, Timestamp, i64, |v| v.0;
}

impl<C: Cell> Cell for Option<C> {
    const DATA_TYPE: DataType = C::DATA_TYPE;
    type Value = C::Value;
    fn into_value(self) -> Option<C::Value> {
        self.and_then(C::into_value)
    }
}

/// A nullable field and its column, from values or options of values; what [`batch!`] is made of.
pub fn column<C: Cell>(name: &str, cells: impl IntoIterator<Item = C>) -> (Field, Column) {
    let mut builder = <C::Value as Value>::Builder::default();
    cells.into_iter().for_each(|cell| builder.push_option(cell.into_value()));
    (Field::new(name, C::DATA_TYPE), builder.finish())
}

/// A batch of fields and columns.
///
/// # Panics
/// Where they do not make a batch.
#[allow(clippy::panic)] // a test that cannot make its batch has to stop
pub fn batch_of(columns: impl IntoIterator<Item = (Field, Column)>) -> Batch {
    let (fields, columns): (Vec<Field>, Vec<Column>) = columns.into_iter().unzip();
    match Batch::from_columns(Schema::from(fields), columns) {
        Ok(batch) => batch,
        Err(fault) => panic!("{fault}"),
    }
}

/// A batch without rows.
///
/// # Panics
/// Where the schema is none that a native batch can have.
pub fn empty(schema: &Schema) -> Batch {
    batch_of(schema.iter().map(|field| {
        let values = match field.data_type {
            DataType::Boolean => Values::Bits(Vec::new()),
            DataType::Int8 => Values::Int8(Vec::new()),
            DataType::Int16 => Values::Int16(Vec::new()),
            DataType::Int32 | DataType::Date32 => Values::Int32(Vec::new()),
            DataType::Int64 | DataType::Timestamp => Values::Int64(Vec::new()),
            DataType::Uint8 => Values::Uint8(Vec::new()),
            DataType::Uint16 => Values::Uint16(Vec::new()),
            DataType::Uint32 => Values::Uint32(Vec::new()),
            DataType::Uint64 => Values::Uint64(Vec::new()),
            DataType::Float32 => Values::Float32(Vec::new()),
            DataType::Float64 => Values::Float64(Vec::new()),
            DataType::Utf8 | DataType::Binary => Values::Variable { offsets: vec![0], data: Vec::new() },
            DataType::Decimal128 | DataType::Other => Values::FixedBytes(Vec::new()),
        };
        (field.clone(), Column::new(values, None, 0))
    }))
}

/// A batch in a line: `batch! { "origin" => ["EWR", "JFK"], "dep_delay" => [Some(2.0), None] }`. The Rust type of the
/// values says the column's type ([`Date`] and [`Timestamp`] for those two); all columns are nullable.
#[doc(hidden)]
#[macro_export]
macro_rules! __batch {
    ($($name:expr => $values:expr),* $(,)?) => {
        $crate::testing::batch_of([$($crate::testing::column($name, $values)),*])
    };
}
