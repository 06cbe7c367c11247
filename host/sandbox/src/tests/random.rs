//! Random arrays of every type, with nulls, cut out of longer ones so that they have offsets.

use arrow_array::builder::{FixedSizeBinaryBuilder, StringViewBuilder};
use arrow_array::types::*;
use arrow_array::*;
use arrow_buffer::{NullBuffer, OffsetBuffer, ScalarBuffer};
use arrow_cast::display::{ArrayFormatter, FormatOptions};
use arrow_schema::{DataType, Field, IntervalUnit, Schema, TimeUnit, UnionFields, UnionMode};
use std::sync::Arc;

/// Numbers that follow from a seed.
pub(crate) struct Rng(u64);

impl Rng {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1)
    }

    pub(crate) fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0.wrapping_mul(0x2545_F491_4F6C_DD1D)
    }

    /// One of `0..end`.
    pub(crate) fn below(&mut self, end: usize) -> usize {
        if end == 0 { 0 } else { (self.next() >> 11) as usize % end }
    }

    pub(crate) fn one_in(&mut self, chances: usize) -> bool {
        self.below(chances) == 0
    }
}

fn text(rng: &mut Rng) -> String {
    let words = ["", "a", "ü", "Zürich", "日本", "\u{1f600}", "a longer text that no view keeps inline", "x\ny"];
    format!("{}{}", words[rng.below(words.len())], words[rng.below(words.len())])
}

fn nulls(rng: &mut Rng, rows: usize) -> Option<NullBuffer> {
    (!rng.one_in(3)).then(|| NullBuffer::from_iter((0..rows).map(|_| !rng.one_in(4))))
}

fn field(name: &str, data_type: DataType) -> Arc<Field> {
    Arc::new(Field::new(name, data_type, true))
}

/// The types that guests can read and make as values.
pub(crate) fn value_types() -> Vec<DataType> {
    vec![
        DataType::Boolean,
        DataType::Int8,
        DataType::Int16,
        DataType::Int32,
        DataType::Int64,
        DataType::UInt8,
        DataType::UInt16,
        DataType::UInt32,
        DataType::UInt64,
        DataType::Float32,
        DataType::Float64,
        DataType::Utf8,
        DataType::Binary,
        DataType::Date32,
        DataType::Timestamp(TimeUnit::Microsecond, None),
        DataType::Timestamp(TimeUnit::Microsecond, Some("+02:00".into())),
        DataType::Decimal128(10, 2),
        DataType::Decimal128(38, -3),
    ]
}

/// Types that only the host looks into.
pub(crate) fn other_types() -> Vec<DataType> {
    let entries = DataType::Struct(
        vec![Field::new("keys", DataType::Utf8, false), Field::new("values", DataType::Int32, true)].into(),
    );
    let union = || {
        let fields = vec![Field::new("i", DataType::Int32, true), Field::new("t", DataType::Utf8, true)];
        UnionFields::try_new([0, 1], fields).unwrap()
    };
    vec![
        DataType::Null,
        DataType::Float16,
        DataType::Date64,
        DataType::Time32(TimeUnit::Second),
        DataType::Time64(TimeUnit::Nanosecond),
        DataType::Timestamp(TimeUnit::Nanosecond, None),
        DataType::Timestamp(TimeUnit::Second, Some("+00:00".into())),
        DataType::Duration(TimeUnit::Millisecond),
        DataType::Interval(IntervalUnit::MonthDayNano),
        DataType::Decimal256(50, 3),
        DataType::LargeUtf8,
        DataType::LargeBinary,
        DataType::Utf8View,
        DataType::FixedSizeBinary(3),
        DataType::List(field("item", DataType::Int32)),
        DataType::LargeList(field("item", DataType::Utf8)),
        DataType::FixedSizeList(field("item", DataType::Int16), 2),
        DataType::List(field("item", DataType::List(field("item", DataType::Utf8)))),
        DataType::Struct(vec![field("a", DataType::Int32), field("b", DataType::Utf8)].into()),
        DataType::Map(Arc::new(Field::new("entries", entries, false)), false),
        DataType::Dictionary(Box::new(DataType::Int8), Box::new(DataType::Utf8)),
        DataType::Dictionary(Box::new(DataType::UInt32), Box::new(DataType::Utf8)),
        DataType::RunEndEncoded(
            Arc::new(Field::new("run_ends", DataType::Int32, false)),
            field("values", DataType::Utf8),
        ),
        DataType::Union(union(), UnionMode::Sparse),
        DataType::Union(union(), UnionMode::Dense),
        DataType::ListView(field("item", DataType::Int32)),
    ]
}

/// A random array of so many rows, cut out of a longer one.
pub(crate) fn array(rng: &mut Rng, data_type: &DataType, rows: usize) -> ArrayRef {
    let (before, behind) = (rng.below(20), rng.below(20));
    whole(rng, data_type, before + rows + behind).slice(before, rows)
}

fn whole(rng: &mut Rng, data_type: &DataType, rows: usize) -> ArrayRef {
    macro_rules! numbers {
        ($type:ty) => {{
            let values: Vec<_> = (0..rows).map(|_| rng.next() as <$type as ArrowPrimitiveType>::Native).collect();
            let nulls = nulls(rng, rows);
            Arc::new(PrimitiveArray::<$type>::new(values.into(), nulls).with_data_type(data_type.clone())) as ArrayRef
        }};
    }
    macro_rules! small {
        ($type:ty, $end:expr) => {{
            let values: Vec<_> = (0..rows).map(|_| rng.below($end) as <$type as ArrowPrimitiveType>::Native).collect();
            let nulls = nulls(rng, rows);
            Arc::new(PrimitiveArray::<$type>::new(values.into(), nulls).with_data_type(data_type.clone())) as ArrayRef
        }};
    }
    let some = |rng: &mut Rng| !rng.one_in(4);
    match data_type {
        DataType::Null => Arc::new(NullArray::new(rows)),
        DataType::Boolean => {
            let values = (0..rows).map(|_| some(rng).then(|| rng.one_in(2))).collect::<BooleanArray>();
            Arc::new(values)
        }
        DataType::Int8 => numbers!(Int8Type),
        DataType::Int16 => numbers!(Int16Type),
        DataType::Int32 => numbers!(Int32Type),
        DataType::Int64 => numbers!(Int64Type),
        DataType::UInt8 => numbers!(UInt8Type),
        DataType::UInt16 => numbers!(UInt16Type),
        DataType::UInt32 => numbers!(UInt32Type),
        DataType::UInt64 => numbers!(UInt64Type),
        DataType::Float32 => numbers!(Float32Type),
        DataType::Float64 => numbers!(Float64Type),
        DataType::Float16 => {
            let values: Vec<_> = (0..rows)
                .map(|_| <Float16Type as ArrowPrimitiveType>::Native::from_bits(rng.below(0x7c00) as u16))
                .collect();
            let nulls = nulls(rng, rows);
            Arc::new(Float16Array::new(values.into(), nulls))
        }
        DataType::Date32 => small!(Date32Type, 40_000),
        DataType::Date64 => small!(Date64Type, 40_000),
        DataType::Time32(TimeUnit::Second) => small!(Time32SecondType, 86_400),
        DataType::Time64(TimeUnit::Nanosecond) => small!(Time64NanosecondType, 86_400_000),
        DataType::Timestamp(TimeUnit::Microsecond, _) => small!(TimestampMicrosecondType, 1 << 50),
        DataType::Timestamp(TimeUnit::Nanosecond, _) => small!(TimestampNanosecondType, 1 << 60),
        DataType::Timestamp(TimeUnit::Second, _) => small!(TimestampSecondType, 1 << 32),
        DataType::Duration(TimeUnit::Millisecond) => small!(DurationMillisecondType, 1 << 40),
        DataType::Decimal128(_, _) => small!(Decimal128Type, 1 << 30),
        DataType::Interval(_) => {
            let value = |rng: &mut Rng| {
                IntervalMonthDayNanoType::make_value(rng.below(30) as i32, rng.below(30) as i32, rng.below(1000) as i64)
            };
            let values: Vec<_> = (0..rows).map(|_| value(rng)).collect();
            let nulls = nulls(rng, rows);
            Arc::new(IntervalMonthDayNanoArray::new(values.into(), nulls))
        }
        DataType::Decimal256(precision, scale) => {
            let values: Vec<_> = (0..rows).map(|_| arrow_buffer::i256::from_i128(rng.next().into())).collect();
            let nulls = nulls(rng, rows);
            let array = Decimal256Array::new(values.into(), nulls);
            Arc::new(array.with_precision_and_scale(*precision, *scale).unwrap())
        }
        DataType::Utf8 => Arc::new((0..rows).map(|_| some(rng).then(|| text(rng))).collect::<StringArray>()),
        DataType::LargeUtf8 => Arc::new((0..rows).map(|_| some(rng).then(|| text(rng))).collect::<LargeStringArray>()),
        DataType::Utf8View => {
            let mut builder = StringViewBuilder::new();
            (0..rows).for_each(|_| builder.append_option(some(rng).then(|| text(rng))));
            Arc::new(builder.finish())
        }
        DataType::Binary => {
            Arc::new((0..rows).map(|_| some(rng).then(|| vec![0xff; rng.below(5)])).collect::<BinaryArray>())
        }
        DataType::LargeBinary => {
            Arc::new((0..rows).map(|_| some(rng).then(|| vec![0xfe; rng.below(5)])).collect::<LargeBinaryArray>())
        }
        DataType::FixedSizeBinary(width) => {
            let mut builder = FixedSizeBinaryBuilder::new(*width);
            for _ in 0..rows {
                match some(rng) {
                    true => builder.append_value(vec![rng.below(256) as u8; *width as usize]).unwrap(),
                    false => builder.append_null(),
                }
            }
            Arc::new(builder.finish())
        }
        DataType::List(item) => {
            let lengths: Vec<usize> = (0..rows).map(|_| rng.below(4)).collect();
            let values = whole(rng, item.data_type(), lengths.iter().sum());
            let nulls = nulls(rng, rows);
            Arc::new(ListArray::new(item.clone(), OffsetBuffer::from_lengths(lengths), values, nulls))
        }
        DataType::LargeList(item) => {
            let lengths: Vec<usize> = (0..rows).map(|_| rng.below(4)).collect();
            let values = whole(rng, item.data_type(), lengths.iter().sum());
            let nulls = nulls(rng, rows);
            Arc::new(LargeListArray::new(item.clone(), OffsetBuffer::from_lengths(lengths), values, nulls))
        }
        DataType::ListView(item) => {
            let values = whole(rng, item.data_type(), 50);
            let sizes: Vec<i32> = (0..rows).map(|_| rng.below(4) as i32).collect();
            let offsets: Vec<i32> = (0..rows).map(|_| rng.below(46) as i32).collect();
            let nulls = nulls(rng, rows);
            Arc::new(ListViewArray::new(item.clone(), offsets.into(), sizes.into(), values, nulls))
        }
        DataType::FixedSizeList(item, width) => {
            let values = whole(rng, item.data_type(), rows * *width as usize);
            let nulls = nulls(rng, rows);
            Arc::new(FixedSizeListArray::new(item.clone(), *width, values, nulls))
        }
        DataType::Struct(fields) => {
            let columns = fields.iter().map(|field| whole(rng, field.data_type(), rows)).collect();
            let nulls = nulls(rng, rows);
            Arc::new(StructArray::new(fields.clone(), columns, nulls))
        }
        DataType::Map(entries, ordered) => {
            let DataType::Struct(fields) = entries.data_type() else { panic!("a map of {entries}") };
            let lengths: Vec<usize> = (0..rows).map(|_| rng.below(3)).collect();
            let total: usize = lengths.iter().sum();
            let keys: ArrayRef = Arc::new((0..total).map(|_| Some(text(rng))).collect::<StringArray>());
            let values = whole(rng, &DataType::Int32, total);
            let inner = StructArray::new(fields.clone(), vec![keys, values], None);
            let nulls = nulls(rng, rows);
            Arc::new(MapArray::new(entries.clone(), OffsetBuffer::from_lengths(lengths), inner, nulls, *ordered))
        }
        DataType::Dictionary(key, _) => {
            let count = 1 + rng.below(5);
            let values: ArrayRef = Arc::new((0..count).map(|_| Some(text(rng))).collect::<StringArray>());
            let nulls = nulls(rng, rows);
            match key.as_ref() {
                DataType::Int8 => {
                    let keys: Vec<i8> = (0..rows).map(|_| rng.below(count) as i8).collect();
                    Arc::new(DictionaryArray::new(Int8Array::new(keys.into(), nulls), values))
                }
                _ => {
                    let keys: Vec<u32> = (0..rows).map(|_| rng.below(count) as u32).collect();
                    Arc::new(DictionaryArray::new(UInt32Array::new(keys.into(), nulls), values))
                }
            }
        }
        DataType::RunEndEncoded(_, _) => {
            let mut ends = Vec::new();
            let mut end = 0;
            while end < rows {
                end = (end + 1 + rng.below(4)).min(rows);
                ends.push(end as i32);
            }
            let values = (0..ends.len()).map(|_| some(rng).then(|| text(rng))).collect::<StringArray>();
            Arc::new(RunArray::<Int32Type>::try_new(&Int32Array::from(ends), &values).unwrap())
        }
        DataType::Union(fields, UnionMode::Sparse) => {
            let ids: Vec<i8> = (0..rows).map(|_| rng.below(2) as i8).collect();
            let children = fields.iter().map(|(_, field)| whole(rng, field.data_type(), rows)).collect();
            Arc::new(UnionArray::try_new(fields.clone(), ids.into(), None, children).unwrap())
        }
        DataType::Union(fields, UnionMode::Dense) => {
            let ids: Vec<i8> = (0..rows).map(|_| rng.below(2) as i8).collect();
            let mut counts = [0_i32; 2];
            let offset = |&id: &i8| {
                let count = &mut counts[id as usize];
                *count += 1;
                *count - 1
            };
            let offsets: ScalarBuffer<i32> = ids.iter().map(offset).collect();
            let children =
                fields.iter().map(|(id, field)| whole(rng, field.data_type(), counts[id as usize] as usize)).collect();
            Arc::new(UnionArray::try_new(fields.clone(), ids.into(), Some(offsets), children).unwrap())
        }
        other => panic!("no random arrays of {other}"),
    }
}

/// A batch with a column of each type.
pub(crate) fn batch(rng: &mut Rng, types: &[DataType], rows: usize) -> RecordBatch {
    let fields: Vec<Field> =
        types.iter().enumerate().map(|(number, t)| Field::new(format!("c{number}"), t.clone(), true)).collect();
    let columns = types.iter().map(|t| array(rng, t, rows)).collect();
    crate::ops::batch(Arc::new(Schema::new(fields)), columns, rows).unwrap()
}

/// Every row of an array as text: what two arrays are compared by.
pub(crate) fn rendered(array: &dyn Array) -> Vec<String> {
    let options = FormatOptions::default().with_null("NULL");
    // A time zone may be one that nobody knows.
    let Ok(formatter) = ArrayFormatter::try_new(array, &options) else { return vec![String::new(); array.len()] };
    (0..array.len()).map(|row| formatter.value(row).try_to_string().unwrap_or_else(|error| error.to_string())).collect()
}

/// Every row of every column.
pub(crate) fn rows_of(batch: &RecordBatch) -> Vec<Vec<String>> {
    let columns: Vec<Vec<String>> = batch.columns().iter().map(|column| rendered(column)).collect();
    (0..batch.num_rows()).map(|row| columns.iter().map(|column| column[row].clone()).collect()).collect()
}
