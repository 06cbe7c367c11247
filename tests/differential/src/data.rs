//! Random batches, for both sides.

use std::sync::Arc;

use datafusion::arrow::array::{
    ArrayRef, BooleanArray, Date32Array, Decimal128Array, Float32Array, Float64Array, Int8Array, Int32Array,
    Int64Array, RecordBatch, StringArray, TimestampMicrosecondArray, UInt32Array,
};
use sluicebox_stage::{
    Batch, Column, DataType, Field, Schema, Values,
    testing::{self, Cell, Date, Timestamp},
};

use crate::random::Random;

/// Texts with letters of all widths, blanks, signs of patterns, numbers and dates.
const TEXTS: &[&str] = &[
    "",
    " ",
    "a",
    "b",
    "abc",
    "ABC",
    "Hello World",
    "new york",
    "O'Hare",
    "EWR",
    "JFK",
    "LGA",
    "N14228",
    "12",
    "-7",
    "007",
    "3.5",
    "1e3",
    "2013-01-05",
    "2013-02-30",
    "true",
    "a_b%c",
    "a.b.c",
    "x-y-z",
    "--",
    "  padded  ",
    "Zürich",
    "straße",
    "naïve",
    "日本語",
    "🦀🦀",
    "éa",
    "aaaaaaaaaaaaaaaaaaaaaaaa",
    "a\nb",
    "back\\slash",
    "the quick brown fox jumps over the lazy dog",
];

/// Texts of ASCII for what folds letter case in its own way.
const WORDS: &[&str] = &["EWR", "jfk", "Lga", "abc", "AbC", "a", "", "x y", "b-c", "100%", "under_score", "UA", "b6"];

const MICROS: i64 = 86_400_000_000;

fn maybe<T>(random: &mut Random, of: impl FnOnce(&mut Random) -> T) -> Option<T> {
    if random.once_in(6) { None } else { Some(of(random)) }
}

fn column<T>(random: &mut Random, rows: usize, mut of: impl FnMut(&mut Random) -> T) -> Vec<Option<T>> {
    (0..rows).map(|_| maybe(random, &mut of)).collect()
}

fn integer(random: &mut Random, wild: bool) -> i64 {
    match random.below(if wild { 12 } else { 10 }) {
        0 => 0,
        1 => 1,
        2 => -1,
        3..=7 => random.range(-20, 20),
        8 | 9 => random.range(-10_000, 10_000),
        10 => *random.choose(&[i64::MAX, i64::MIN, i64::MAX - 1, i64::MIN + 1, 1 << 32, -(1 << 31), (1 << 53) + 1]),
        _ => random.number().cast_signed(),
    }
}

fn float(random: &mut Random, wild: bool) -> f64 {
    match random.below(if wild { 12 } else { 10 }) {
        0 => 0.0,
        1 => 1.0,
        2 | 3 => random.range(-40, 40) as f64 / 4.0,
        4..=7 => random.range(-1_000_000, 1_000_000) as f64 / 997.0,
        8 => 0.5,
        9 => random.range(-1000, 1000) as f64,
        10 => *random.choose(&[f64::NAN, f64::INFINITY, f64::NEG_INFINITY, 1e300, -1e300, 1e-300, 9.3e18]),
        _ => f64::from_bits(random.number()),
    }
}

/// A batch of every type, nulls among them, as it is on both sides. A wild one holds the ends of the ranges too.
pub fn batch(random: &mut Random, rows: usize, wild: bool) -> (Batch, RecordBatch) {
    let mut pairs = Pairs::default();
    for name in ["i", "j"] {
        let values = column(random, rows, |random| integer(random, wild));
        pairs.add(name, values.clone(), Int64Array::from(values));
    }
    let values = column(random, rows, |random| integer(random, wild) as i32);
    pairs.add("s", values.clone(), Int32Array::from(values));
    let values = column(random, rows, |random| integer(random, true) as i8);
    pairs.add("b", values.clone(), Int8Array::from(values));
    let values = column(random, rows, |random| integer(random, true).unsigned_abs() as u32);
    pairs.add("u", values.clone(), UInt32Array::from(values));
    for name in ["f", "h"] {
        let values = column(random, rows, |random| float(random, wild) + 0.0);
        pairs.add(name, values.clone(), Float64Array::from(values));
    }
    let values = column(random, rows, |random| float(random, false) as f32 + 0.0);
    pairs.add("g", values.clone(), Float32Array::from(values));
    for name in ["p", "q"] {
        let values = column(random, rows, |random| random.once_in(2));
        pairs.add(name, values.clone(), BooleanArray::from(values));
    }
    let values = column(random, rows, |random| *random.choose(TEXTS));
    pairs.add("t", values.clone(), StringArray::from(values));
    let values = column(random, rows, |random| *random.choose(WORDS));
    pairs.add("w", values.clone(), StringArray::from(values));
    // From 1900 to 2100: DataFusion's timestamps in nanoseconds hold no more than the years 1677 to 2262.
    for name in ["d", "c"] {
        let values = column(random, rows, |random| random.range(-25_567, 47_482) as i32);
        pairs.add(name, values.iter().map(|day| day.map(Date)).collect(), Date32Array::from(values));
    }
    for name in ["m", "n"] {
        let values = column(random, rows, |random| {
            random.range(-25_567, 47_482) * MICROS
                + random.range(0, MICROS - 1) / if random.once_in(2) { 1 } else { 60_000_000 } * 60_000_000 % MICROS
        });
        pairs.add(
            name,
            values.iter().map(|time| time.map(Timestamp)).collect(),
            TimestampMicrosecondArray::from(values),
        );
    }
    for (name, scale) in [("e", 2i8), ("k", 4)] {
        let values = column(random, rows, |random| i128::from(random.range(-999_999, 999_999)));
        pairs.decimals(name, scale, values);
    }
    pairs.finish()
}

#[derive(Default)]
struct Pairs {
    ours: Vec<(Field, Column)>,
    theirs: Vec<(&'static str, ArrayRef)>,
}

impl Pairs {
    fn add<C: Cell>(
        &mut self,
        name: &'static str,
        ours: Vec<Option<C>>,
        theirs: impl datafusion::arrow::array::Array + 'static,
    ) where
        Option<C>: Cell,
    {
        self.ours.push(testing::column(name, ours));
        self.theirs.push((name, Arc::new(theirs)));
    }

    fn decimals(&mut self, name: &'static str, scale: i8, values: Vec<Option<i128>>) {
        let bytes = values.iter().flat_map(|value| value.unwrap_or(0).to_le_bytes()).collect();
        let valid = sluicebox_stage::Mask::from_bools(values.iter().map(Option::is_some));
        let column = Column::new(Values::FixedBytes(bytes), Some(valid.into_bytes()), values.len());
        self.ours.push((Field::decimal(name, 12, scale), column));
        if let Ok(array) = Decimal128Array::from(values).with_precision_and_scale(12, scale) {
            self.theirs.push((name, Arc::new(array)));
        }
    }

    fn finish(self) -> (Batch, RecordBatch) {
        let (fields, columns): (Vec<Field>, Vec<Column>) = self.ours.into_iter().unzip();
        debug_assert!(fields.iter().all(|field| field.data_type != DataType::Other));
        let ours = Batch::from_columns(Schema::new(fields), columns);
        let theirs =
            RecordBatch::try_from_iter_with_nullable(self.theirs.into_iter().map(|(name, array)| (name, array, true)));
        match (ours, theirs) {
            (Ok(ours), Ok(theirs)) => (ours, theirs),
            (ours, theirs) => unreachable!("the test's own batch is refused: {:?} {:?}", ours.err(), theirs.err()),
        }
    }
}
