//! A small array of each type that crosses, with nulls, texts and nested values.

use arrow_array::builder::{
    FixedSizeBinaryBuilder, Int16Builder, Int32Builder, LargeListBuilder, ListBuilder, MapBuilder, StringBuilder,
    StringViewBuilder,
};
use arrow_array::types::{Int8Type, Int32Type, IntervalMonthDayNanoType};
use arrow_array::*;
use arrow_buffer::{ScalarBuffer, i256};
use arrow_schema::{DataType, Field, Fields, UnionFields};
use std::sync::Arc;

/// One array of each type, all of five rows.
pub fn one_of_each() -> Vec<ArrayRef> {
    let texts = [Some("a"), None, Some("Zürich"), Some(""), Some("a longer text that no view keeps inline")];
    let numbers = [Some(1), None, Some(-3), Some(0), Some(77)];
    let mut all: Vec<ArrayRef> = vec![
        Arc::new(Int64Array::from(vec![Some(1), None, Some(i64::MIN), Some(0), Some(i64::MAX)])),
        Arc::new(StringArray::from(texts.to_vec())),
        Arc::new(BooleanArray::from(vec![Some(true), None, Some(false), Some(true), Some(true)])),
        Arc::new(Float64Array::from(vec![Some(1.5), None, Some(f64::NAN), Some(-0.0), Some(f64::INFINITY)])),
        Arc::new(
            TimestampMicrosecondArray::from(vec![Some(1), None, Some(0), Some(-1), Some(1 << 50)])
                .with_timezone("+02:00"),
        ),
        Arc::new(
            Decimal128Array::from(vec![Some(1), None, Some(-12345), Some(0), Some(99999)])
                .with_precision_and_scale(5, 2)
                .unwrap(),
        ),
        Arc::new(NullArray::new(5)),
        Arc::new(Date64Array::from(vec![Some(0), None, Some(86_400_000), Some(0), Some(1)])),
        Arc::new(Time64NanosecondArray::from(vec![Some(0), None, Some(1), Some(2), Some(3)])),
        Arc::new(DurationMillisecondArray::from(vec![Some(0), None, Some(1), Some(2), Some(3)])),
        Arc::new(IntervalMonthDayNanoArray::from(vec![IntervalMonthDayNanoType::make_value(1, 2, 3); 5])),
        Arc::new(Decimal256Array::from(vec![Some(i256::from_i128(7)); 5]).with_precision_and_scale(50, 3).unwrap()),
        Arc::new(BinaryArray::from(vec![Some(&b"\xff"[..]), None, Some(b""), Some(b"ab"), Some(b"c")])),
        Arc::new(LargeStringArray::from(texts.to_vec())),
        Arc::new(texts.into_iter().collect::<DictionaryArray<Int8Type>>()),
    ];
    let mut views = StringViewBuilder::new();
    texts.iter().for_each(|text| views.append_option(*text));
    all.push(Arc::new(views.finish()));
    let mut fixed = FixedSizeBinaryBuilder::new(3);
    for number in numbers {
        match number {
            Some(number) => fixed.append_value([number as u8; 3]).unwrap(),
            None => fixed.append_null(),
        }
    }
    all.push(Arc::new(fixed.finish()));
    let mut list = ListBuilder::new(Int32Builder::new());
    let mut large = LargeListBuilder::new(StringBuilder::new());
    let mut map = MapBuilder::new(None, StringBuilder::new(), Int16Builder::new());
    for (at, number) in numbers.iter().enumerate() {
        for _ in 0..at {
            list.values().append_option(*number);
            large.values().append_option(texts[at]);
            map.keys().append_value("key");
            map.values().append_value(7);
        }
        list.append(number.is_some());
        large.append(number.is_some());
        map.append(number.is_some()).unwrap();
    }
    all.extend([Arc::new(list.finish()) as ArrayRef, Arc::new(large.finish()), Arc::new(map.finish())]);
    let fields = Fields::from(vec![Field::new("i", DataType::Int32, true), Field::new("t", DataType::Utf8, true)]);
    let children: Vec<ArrayRef> =
        vec![Arc::new(Int32Array::from(numbers.to_vec())), Arc::new(StringArray::from(texts.to_vec()))];
    all.push(Arc::new(StructArray::new(fields.clone(), children.clone(), None)));
    let item = Arc::new(Field::new("item", DataType::Int32, true));
    let pairs: ArrayRef = Arc::new(Int32Array::from_iter_values(0..10));
    all.push(Arc::new(FixedSizeListArray::new(Arc::clone(&item), 2, pairs, None)));
    let shared: ArrayRef = Arc::new(Int32Array::from_iter_values(0..10));
    let (offsets, sizes) = (ScalarBuffer::from(vec![3, 0, 1, 5, 9]), ScalarBuffer::from(vec![2, 0, 3, 5, 1]));
    all.push(Arc::new(ListViewArray::new(item, offsets, sizes, shared, None)));
    let values = StringArray::from(vec![Some("x"), None, Some("y")]);
    all.push(Arc::new(RunArray::<Int32Type>::try_new(&Int32Array::from(vec![2, 3, 5]), &values).unwrap()));
    let union = UnionFields::try_new([0, 1], fields.iter().map(|field| field.as_ref().clone())).unwrap();
    let ids = ScalarBuffer::from(vec![0_i8, 1, 0, 1, 1]);
    let offsets = ScalarBuffer::from(vec![0, 0, 1, 1, 2]);
    all.push(Arc::new(UnionArray::try_new(union.clone(), ids.clone(), None, children.clone()).unwrap()));
    all.push(Arc::new(UnionArray::try_new(union, ids, Some(offsets), children).unwrap()));
    all
}
