//! Batches, builders and views against plain lists of options.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

use proptest::collection::vec;
use proptest::prelude::*;
use sluicebox_stage::testing::{batch, batch_of};
use sluicebox_stage::{
    Batch, BinaryBuilder, BooleanBuilder, Column, DataType, Decimal128Builder, Fault, FaultKind, Field, Form, Mask,
    Schema, Utf8Builder, Values,
};

/// A row of everything that a batch holds in another way.
type Row = (Option<i64>, Option<bool>, Option<String>, Option<Vec<u8>>, Option<i128>, Option<f32>);

fn rows() -> impl Strategy<Value = Vec<Row>> {
    let text = proptest::option::of("[aü\u{1F600}]{0,3}");
    let float = proptest::option::of(-1e3f32..1e3);
    let row =
        (any::<Option<i64>>(), any::<Option<bool>>(), text, any::<Option<Vec<u8>>>(), any::<Option<i128>>(), float);
    vec(row, 0..70)
}

fn schema() -> Schema {
    Schema::new([
        Field::new("int", DataType::Int64),
        Field::new("bool", DataType::Boolean),
        Field::new("text", DataType::Utf8),
        Field::new("bytes", DataType::Binary),
        Field::decimal("decimal", 38, 2),
        Field::new("float", DataType::Float32),
    ])
}

fn build(rows: &[Row]) -> Batch {
    let (mut bools, mut text) = (BooleanBuilder::new(), Utf8Builder::with_capacity(rows.len(), 0));
    let (mut bytes, mut decimals) = (BinaryBuilder::new(), Decimal128Builder::with_capacity(rows.len()));
    for (_, bool, string, binary, decimal, _) in rows {
        bools.push_option(*bool);
        text.push_option(string.as_deref());
        bytes.push_option(binary.as_deref());
        decimals.push_option(*decimal);
    }
    let ints = Column::from_options(rows.iter().map(|row| row.0));
    let floats = Column::from_options(rows.iter().map(|row| row.5));
    let columns = vec![ints, bools.finish(), text.finish(), bytes.finish(), decimals.finish(), floats];
    assert!(columns.iter().all(|column| column.rows() == rows.len()));
    Batch::from_columns(schema(), columns).unwrap()
}

fn read(batch: &Batch) -> Vec<Row> {
    let columns: Vec<Column> = (0..6).map(|index| batch.column(index).unwrap()).collect();
    let ints = columns[0].as_i64().unwrap();
    let bools = columns[1].bits().unwrap();
    let text = columns[2].strs().unwrap();
    let bytes = columns[3].bytes().unwrap();
    let decimals = columns[4].decimals().unwrap();
    let floats = columns[5].as_f32().unwrap();
    assert_eq!(bools.to_mask().count_ones(), bools.iter().filter(|value| *value == Some(true)).count());
    (0..batch.rows())
        .map(|row| {
            (
                columns[0].is_valid(row).then(|| ints[row]),
                bools.get(row),
                text.get(row).map(str::to_owned),
                bytes.get(row).map(<[u8]>::to_vec),
                decimals.get(row),
                columns[5].is_valid(row).then(|| floats[row]),
            )
        })
        .collect()
}

proptest! {
    #[test]
    fn what_is_built_is_read(rows in rows()) {
        let batch = build(&rows);
        prop_assert_eq!(&read(&batch), &rows);
        for index in 0..6 {
            let column = batch.column(index).unwrap();
            let nulls = (0..rows.len()).filter(|row| column.is_null(*row)).count();
            prop_assert_eq!(column.null_count(), nulls);
            prop_assert_eq!(column.valid().count_ones(), rows.len() - nulls);
            // through the raw form and back
            let raw = batch.column_in(index, Form::Raw).unwrap();
            let field = schema().get(index).unwrap().clone();
            let again = Batch::from_columns(Schema::new([field.clone()]), vec![raw]).unwrap();
            prop_assert_eq!(&again, &batch.select(&[(index, &field.name)]).unwrap());
        }
        let strings = batch.column_in(2, Form::Strings).unwrap();
        let Values::Strings(values) = &strings.values else { panic!("not strings") };
        prop_assert!(values.iter().eq(rows.iter().map(|row| &row.2)));
        let again = Batch::from_columns(Schema::new([Field::new("text", DataType::Utf8)]), vec![strings]).unwrap();
        prop_assert_eq!(again, batch.select(&[(2, "text")]).unwrap());
    }

    #[test]
    fn rows_are_picked_as_from_a_list(rows in rows(), seed in any::<u64>(), cut in any::<(usize, usize)>()) {
        let batch = build(&rows);
        let mask = Mask::from_fn(rows.len(), |row| seed >> (row % 64) & 1 == 1);
        let kept: Vec<Row> = rows.iter().enumerate().filter(|(row, _)| mask.get(*row)).map(|(_, row)| row.clone()).collect();
        prop_assert_eq!(read(&batch.filter(&mask).unwrap()), kept.clone());
        if !rows.is_empty() {
            let positions: Vec<u32> = (0..40u64).map(|i| (seed.rotate_left(i as u32) % rows.len() as u64) as u32).collect();
            let taken: Vec<Row> = positions.iter().map(|row| rows[*row as usize].clone()).collect();
            prop_assert_eq!(read(&batch.take(&positions).unwrap()), taken);
        }
        let offset = cut.0 % (rows.len() + 1);
        let length = cut.1 % (rows.len() - offset + 1);
        let slice = batch.slice(offset, length).unwrap();
        prop_assert_eq!(read(&slice), rows[offset..offset + length].to_vec());
        let both = Batch::concat(&[&slice, &batch, &batch.filter(&mask).unwrap()]).unwrap();
        let list = [&rows[offset..offset + length], &rows, &kept].concat();
        prop_assert_eq!(read(&both), list);
    }
}

#[track_caller]
fn refused(result: Result<Batch, Fault>, word: &str) {
    let fault = result.unwrap_err();
    assert_eq!(fault.kind, FaultKind::InvalidData, "{fault}");
    assert!(fault.message.contains(word), "{fault}");
}

#[test]
fn columns_are_selected_added_replaced_and_joined() {
    let flights = batch! { "origin" => ["EWR", "JFK"], "delay" => [Some(2.0), None] };
    let renamed = flights.select(&[(1, "late"), (0, "from")]).unwrap();
    assert_eq!(renamed, batch! { "late" => [Some(2.0), None], "from" => ["EWR", "JFK"] });
    let added = Schema::new([Field::new("delay", DataType::Int64), Field::new("n", DataType::Uint8)]);
    let more = flights.with_columns(added, vec![Column::from_i64(vec![5, 6]), Column::from_u8(vec![1, 2])]).unwrap();
    assert_eq!(more, batch! { "origin" => ["EWR", "JFK"], "delay" => [5i64, 6], "n" => [1u8, 2] });
    let other = batch! { "dest" => ["IAH", "MIA"] };
    let zipped = flights.zip(&other).unwrap();
    assert_eq!(zipped.schema().to_string(), "origin: utf8, delay: float64, dest: utf8");
    refused(flights.zip(&flights), "stands twice");
    refused(flights.zip(&batch! { "dest" => ["IAH"] }), "zip");
    refused(flights.select(&[(0, "a"), (0, "a")]), "stands twice");
    refused(flights.select(&[(2, "a")]), "no column 2");
    assert_eq!(flights.share().unwrap(), flights);
}

#[test]
fn positions_past_the_end_are_refused() {
    let batch = batch! { "n" => [1i64, 2, 3] };
    refused(batch.take(&[0, 3]), "no row 3");
    refused(batch.slice(2, 2), "pass the end");
    refused(batch.slice(usize::MAX, 2), "pass the end");
    refused(batch.filter(&Mask::all(4)), "mask");
    refused(Batch::concat(&[]), "at least one");
    refused(Batch::concat(&[&batch, &batch! { "m" => [1i64] }]), "schemas differ");
    assert!(batch.column(1).unwrap_err().message.contains("no column 1"));
    let fault = batch.column_named("m").unwrap_err();
    assert!(fault.message.contains("\"m\"") && fault.message.contains("there are n"), "{fault}");
    assert!(batch.column_in(0, Form::Strings).unwrap_err().message.contains("no strings form"));
    assert!(batch.to_ipc(&[0]).is_err() && Batch::from_ipc(&[]).is_err());
}

#[test]
fn what_does_not_fit_is_refused() {
    let of = |field: Field, values: Values, validity: Option<Vec<u8>>| {
        Batch::from_columns(Schema::new([field]), vec![Column::new(values, validity, 2)])
    };
    let field = |data_type| Field::new("x", data_type);
    let text = |offsets: Vec<i32>, data: &[u8]| {
        of(field(DataType::Utf8), Values::Variable { offsets, data: data.to_vec() }, None)
    };
    let ints = || Values::Int64(vec![1, 2]);
    refused(text(vec![1, 1, 2], b"ab"), "first offset");
    refused(text(vec![0, 2, 1], b"ab"), "fall after row 1");
    refused(text(vec![0, -1, 1], b"ab"), "fall");
    refused(text(vec![0, 1, 3], b"ab"), "last offset");
    refused(text(vec![], b""), "first offset");
    refused(text(vec![0, 1, 2], b"a\xff"), "UTF-8");
    refused(text(vec![0, 1, 2], "ü".as_bytes()), "within a character");
    refused(text(vec![0, 1], b"a"), "1 rows where the batch has 2");
    refused(of(field(DataType::Int64), ints(), Some(vec![])), "validity");
    refused(of(field(DataType::Int64), ints(), Some(vec![255, 255])), "validity");
    refused(of(field(DataType::Int64).not_null(), ints(), Some(vec![1])), "a null");
    refused(of(field(DataType::Utf8), ints(), None), "do not fit the type utf8");
    refused(of(field(DataType::Boolean), Values::Bits(vec![]), None), "bits");
    refused(of(field(DataType::Int64), Values::FixedBytes(vec![0; 15]), None), "whole number");
    refused(of(field(DataType::Decimal128), Values::FixedBytes(vec![0; 32]), None), "precision");
    refused(of(field(DataType::Other), ints(), None), "other");
    refused(of(field(DataType::Utf8), Values::Strings(vec![None, None]), Some(vec![0])), "validity");
    refused(Batch::from_columns(Schema::new([field(DataType::Int64)]), vec![]), "1 fields");
    refused(Batch::from_columns(Schema::default(), vec![Column::from_i64(vec![1])]), "0 fields");
    let twice = Schema::new([field(DataType::Int64), field(DataType::Int64)]);
    refused(Batch::from_columns(twice, vec![Column::from_i64(vec![1]), Column::from_i64(vec![1])]), "twice");
    assert_eq!(Batch::from_columns(Schema::default(), vec![]).unwrap().rows(), 0);
    let row = of(field(DataType::Int64).not_null(), ints(), Some(vec![1])).unwrap_err().row;
    assert_eq!(row, Some(1));
}

#[test]
fn what_stands_in_place_of_a_null_does_not_count() {
    let column = |hidden| ("n", Column::from_i64(vec![1, hidden]).valid_where(&Mask::from_bools([true, false])));
    let of = |(name, column): (&str, Column)| batch_of([(Field::new(name, DataType::Int64), column)]);
    assert_eq!(of(column(7)), of(column(8)));
    assert_ne!(of(column(7)), batch! { "n" => [1i64, 7] });
    assert_eq!(batch! { "x" => [f64::NAN] }, batch! { "x" => [f64::NAN] });
    assert_ne!(batch! { "x" => [1i64] }, batch! { "y" => [1i64] });
}

#[test]
fn batches_are_shown_as_tables() {
    let batch = batch! { "origin" => [Some("EWR"), None], "delay" => [2.0, -7.5], "ok" => [true, false] };
    let table = "2 rows\n\
                 | origin: utf8 | delay: float64 | ok: boolean |\n\
                 | \"EWR\"        | 2.0            | true        |\n\
                 | null         | -7.5           | false       |\n";
    assert_eq!(format!("{batch:?}"), table);
}

#[test]
fn text_is_formatted_in_place() {
    let mut builder = Utf8Builder::new();
    builder.push_fmt(format_args!("{:.1}", 2.25));
    builder.push_null();
    builder.push_utf8_bytes("ü".as_bytes());
    assert_eq!((builder.len(), builder.byte_len()), (3, 5));
    let column = builder.finish();
    assert_eq!(column.strs().unwrap().iter().collect::<Vec<_>>(), [Some("2.2"), None, Some("ü")]);
    let past = column.strs().unwrap().get(3);
    assert_eq!(past, None);
}
