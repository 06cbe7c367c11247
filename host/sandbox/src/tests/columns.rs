//! Columns to the guest and back, and hostile columns.

use super::random::{Rng, array, other_types, rendered, value_types};
use crate::column::{self, crossing_bytes, lower, lowered_bytes, raise};
use crate::contract::batches::{Column, Form, Values, Variable, VariableBytes};
use crate::contract::types;
use crate::{ops, schema};
use arrow_array::{Array, RecordBatch};
use arrow_schema::{DataType, Field, Schema};
use proptest::prelude::*;
use std::sync::Arc;

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn every_form_comes_back_as_it_went(seed: u64, rows in 0_usize..200) {
        let mut rng = Rng::new(seed);
        for data_type in value_types() {
            let before = array(&mut rng, &data_type, rows);
            let field = Field::new("c", data_type.clone(), true);
            for form in [Form::Typed, Form::Raw, Form::Strings] {
                let Ok(column) = lower(&before, form) else {
                    prop_assert!(form == Form::Strings && data_type != DataType::Utf8, "{data_type} {form:?}");
                    continue;
                };
                prop_assert!(crossing_bytes(&column) <= lowered_bytes(&before, form), "{data_type} {form:?}");
                let after = raise(&field, rows, column).unwrap();
                prop_assert_eq!(after.data_type(), &data_type);
                prop_assert_eq!(rendered(&after), rendered(&before), "{} {:?}", data_type, form);
                prop_assert_eq!(after.null_count(), before.null_count());
            }
        }
    }

    #[test]
    fn a_bitmap_has_zeros_behind_its_last_row(seed: u64, rows in 0_usize..100) {
        let before = array(&mut Rng::new(seed), &DataType::Boolean, rows);
        let column = lower(&before, Form::Typed).unwrap();
        let Values::Bits(bits) = &column.values else { panic!("{column:?}") };
        for bytes in [Some(bits), column.validity.as_ref()].into_iter().flatten() {
            prop_assert_eq!(bytes.len(), rows.div_ceil(8));
            let ones = bytes.iter().map(|byte| byte.count_ones() as usize).sum::<usize>();
            prop_assert!(ones <= rows);
            prop_assert!(rows % 8 == 0 || bytes[rows / 8] >> (rows % 8) == 0);
        }
    }

    #[test]
    fn a_hostile_column_is_refused_or_sound(seed: u64) {
        let mut rng = Rng::new(seed);
        let mut types = value_types();
        types.extend(other_types());
        let data_type = types[rng.below(types.len())].clone();
        let (word, detail) = schema::word_of(&data_type);
        let field = types::Field { name: "c".into(), data_type: word, nullable: rng.one_in(2), detail };
        let column = hostile(&mut rng);
        let rows = if rng.one_in(4) { rng.below(20) as u32 } else { rows_of(&column) };
        if let Ok(batch) = ops::from_columns(&[field], rows, vec![column]) {
            prop_assert_eq!(batch.num_rows(), rows as usize);
            prop_assert!(batch.column(0).to_data().validate_full().is_ok());
            prop_assert_eq!(rendered(batch.column(0)).len(), batch.num_rows());
        }
    }

    #[test]
    fn with_columns_puts_new_ones_in_place_or_behind(seed: u64, rows in 1_usize..60) {
        let mut rng = Rng::new(seed);
        let types = value_types();
        let old = super::random::batch(&mut rng, &types, rows);
        let new = super::random::batch(&mut rng, &types, rows);
        let place = rng.below(types.len());
        let columns = vec![lower(new.column(place), Form::Typed).unwrap(), lower(new.column(0), Form::Raw).unwrap()];
        let mut fields = schema::to_guest(&Schema::new(vec![
            Field::new(format!("c{place}"), types[place].clone(), true),
            Field::new("behind", types[0].clone(), true),
        ]));
        fields[0].nullable = true;
        let answer = ops::with_columns(&old, &fields, columns).unwrap();
        prop_assert_eq!(answer.num_columns(), types.len() + 1);
        for index in 0..types.len() {
            let expected = if index == place { new.column(index) } else { old.column(index) };
            prop_assert_eq!(rendered(answer.column(index)), rendered(expected));
        }
        prop_assert_eq!(rendered(answer.column(types.len())), rendered(new.column(0)));
    }
}

fn hostile(rng: &mut Rng) -> Column {
    let bytes = |rng: &mut Rng| -> Vec<u8> { (0..rng.below(40)).map(|_| rng.next() as u8).collect() };
    let numbers = |rng: &mut Rng| -> Vec<i32> {
        let mut list: Vec<i32> = (0..rng.below(10)).map(|_| rng.below(12) as i32 - 1).collect();
        if rng.one_in(2) {
            list.sort_unstable();
        }
        if rng.one_in(2)
            && let Some(first) = list.first_mut()
        {
            *first = 0;
        }
        list
    };
    let values = match rng.below(9) {
        0 => Values::Bits(bytes(rng)),
        1 => Values::Int8(bytes(rng).into_iter().map(|byte| byte as i8).collect()),
        2 => Values::Int64(numbers(rng).into_iter().map(i64::from).collect()),
        3 => Values::Float32(vec![f32::NAN; rng.below(10)]),
        4 => Values::Int32(numbers(rng)),
        5 => Values::Variable(Variable { offsets: numbers(rng), data: bytes(rng) }),
        6 => Values::FixedBytes(bytes(rng)),
        7 => Values::VariableBytes(VariableBytes {
            offsets: numbers(rng).into_iter().flat_map(i32::to_le_bytes).collect(),
            data: bytes(rng),
        }),
        _ => Values::Strings(vec![Some("a".into()), None]),
    };
    Column { values, validity: rng.one_in(2).then(|| bytes(rng)) }
}

fn field(name: &str, data_type: types::DataType, detail: Option<&str>) -> types::Field {
    types::Field { name: name.into(), data_type, nullable: true, detail: detail.map(str::to_owned) }
}

/// As many rows as the values have, where they say so.
fn rows_of(column: &Column) -> u32 {
    let rows = match &column.values {
        Values::Bits(list) => list.len() * 8,
        Values::Int8(list) => list.len(),
        Values::Int16(list) => list.len(),
        Values::Int32(list) => list.len(),
        Values::Int64(list) => list.len(),
        Values::Uint8(list) => list.len(),
        Values::Uint16(list) => list.len(),
        Values::Uint32(list) => list.len(),
        Values::Uint64(list) => list.len(),
        Values::Float32(list) => list.len(),
        Values::Float64(list) => list.len(),
        Values::Strings(list) => list.len(),
        Values::Variable(variable) => variable.offsets.len().saturating_sub(1),
        Values::VariableBytes(variable) => (variable.offsets.len() / 4).saturating_sub(1),
        // Decimals; of other types the number of rows is another.
        Values::FixedBytes(list) => list.len() / 16,
    };
    rows as u32
}

fn refused(fields: &[types::Field], columns: Vec<Column>) -> String {
    let rows = columns.first().map_or(0, rows_of);
    match ops::from_columns(fields, rows, columns) {
        Err(ops::Failure::Refused(reason)) => reason.0,
        other => panic!("{other:?}"),
    }
}

fn column(values: Values) -> Column {
    Column { values, validity: None }
}

#[test]
fn what_does_not_fit_is_told_with_the_column() {
    use types::DataType as T;
    let one = |t, values| refused(&[field("c", t, None)], vec![column(values)]);
    let text = |offsets: Vec<i32>, data: &[u8]| Values::Variable(Variable { offsets, data: data.to_vec() });
    assert_eq!(
        one(T::Utf8, Values::Int64(vec![1])),
        "column `c` is of type Utf8, which values of the form `int64` do not fit"
    );
    assert!(one(T::Utf8, text(vec![0, 2, 1], b"ab")).starts_with("column `c` has offsets that do not start at 0"));
    assert!(one(T::Utf8, text(vec![0, 3], b"ab")).contains("pass the 2 bytes of its data"));
    assert!(one(T::Utf8, text(vec![], b"")).contains("has no offsets"));
    assert_eq!(one(T::Utf8, text(vec![0, 1, 2], "ü".as_bytes())), "column `c` has bytes that are not UTF-8 in row 0");
    assert_eq!(one(T::Int64, Values::FixedBytes(vec![0; 15])), "column `c` has 15 bytes, which is no multiple of 8");
    assert!(one(T::Other, Values::Int64(vec![])).contains("is made by `from-ipc`"));
    assert!(one(T::Decimal128, Values::FixedBytes(vec![])).contains("not `precision,scale`"));
    let decimal = |detail, value: i128| {
        refused(
            &[field("c", T::Decimal128, Some(detail))],
            vec![column(Values::FixedBytes(value.to_le_bytes().to_vec()))],
        )
    };
    assert!(decimal("39,2", 1).contains("cannot be"));
    assert!(decimal("3,0", 1000).contains("too large"), "{}", decimal("3,0", 1000));
    assert!(
        refused(&[field("c", T::Timestamp, Some("no zone!"))], vec![column(Values::Int64(vec![]))])
            .contains("time zone")
    );
    assert!(
        refused(&[field("c", T::Int64, Some("x"))], vec![column(Values::Int64(vec![]))]).contains("has the detail")
    );
    let two = [field("a", T::Int64, None), field("b", T::Int64, None)];
    let (short, long) = (column(Values::Int64(vec![1])), column(Values::Int64(vec![1, 2])));
    assert_eq!(refused(&two, vec![short.clone(), long]), "column `b` has 2 rows, the batch has 1");
    assert_eq!(refused(&two, vec![short.clone()]), "the schema has 2 columns, but 1 were given");
    let mut not_null = field("c", T::Int64, None);
    not_null.nullable = false;
    let holed = Column { values: Values::Int64(vec![1, 2]), validity: Some(vec![0b01]) };
    assert_eq!(refused(&[not_null], vec![holed]), "column `c` has 1 null, but its schema says that it has none");
    let long = Column { values: Values::Int64(vec![1, 2]), validity: Some(vec![1, 0]) };
    assert_eq!(
        refused(&[field("c", T::Int64, None)], vec![long]),
        "the validity of column `c` has 2 bytes; for 2 rows there are 1"
    );
}

#[test]
fn a_batch_of_bits_alone_has_the_rows_that_were_said() {
    let field = field("b", types::DataType::Boolean, None);
    let made = |rows| ops::from_columns(std::slice::from_ref(&field), rows, vec![column(Values::Bits(vec![0b101]))]);
    assert_eq!(rendered(made(3).unwrap().column(0)), ["true", "false", "true"]);
    assert!(matches!(made(9), Err(ops::Failure::Refused(reason)) if reason.0.contains("for 9 rows there are 2")));
}

#[test]
fn a_schema_without_fields_has_the_rows_that_were_said() {
    assert_eq!(ops::from_columns(&[], 7, vec![]).unwrap().num_rows(), 7);
}

#[test]
fn schemas_come_back_as_they_went() {
    let fields: Vec<Field> = value_types()
        .into_iter()
        .chain(other_types())
        .enumerate()
        .map(|(number, t)| Field::new(format!("c{number}"), t, number % 2 == 0))
        .collect();
    let before = Arc::new(Schema::new(fields));
    let as_seen = schema::to_guest(&before);
    // A transform promises what it was given, under any name.
    assert_eq!(schema::promised(&as_seen, std::slice::from_ref(&before)).unwrap(), before);
    // An extract says the type by its name.
    for (field, seen) in before.fields().iter().zip(&as_seen) {
        let alone = schema::promised(std::slice::from_ref(seen), &[]).unwrap();
        assert_eq!(alone.field(0).data_type(), field.data_type());
    }
}

#[test]
fn empty_columns_cross() {
    for data_type in value_types() {
        let empty = arrow_array::new_empty_array(&data_type);
        let lowered = lower(&empty, Form::Typed).unwrap();
        let field = Field::new("c", data_type.clone(), false);
        assert_eq!(raise(&field, 0, lowered).unwrap().len(), 0, "{data_type}");
    }
    let batch = RecordBatch::new_empty(Arc::new(Schema::empty()));
    assert_eq!(schema::to_guest(batch.schema_ref()).len(), 0);
    assert_eq!(column::bitmap_len(9), 2);
}
