//! Files as they come out, read back by the parquet crate's own readers.
//!
//! `LOAD_PARQUET_KEEP=folder` keeps them there, for other readers to look at.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic, missing_docs)]

use std::fs::{self, File};

use load_parquet::LoadParquet;
use parquet::basic::{Encoding, LogicalType, Repetition};
use parquet::file::reader::{FileReader, SerializedFileReader};
use parquet::file::statistics::Statistics;
use parquet::record::Field as Cell;
use proptest::prelude::*;
use sluicebox_stage::testing::{Date, Timestamp, batch, batch_of, context, empty, options};
use sluicebox_stage::{Batch, Column, DataType, Decimal128Builder, FaultKind, Field, Load, Schema};

fn written(name: &str, batches: Vec<Batch>, more: &str) -> SerializedFileReader<File> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("out/x.parquet");
    let json = format!("{{\"path\": {:?}{more}}}", path.to_str().unwrap());
    let mut load = LoadParquet::open(&context(), options(&json).unwrap(), batches[0].schema(), "load", 0).unwrap();
    for batch in batches {
        load.write(batch).unwrap();
    }
    let receipt = load.prepare().unwrap();
    assert!(!path.exists());
    LoadParquet::commit(options(&json).unwrap(), "load", &[receipt]).unwrap();
    if let Ok(keep) = std::env::var("LOAD_PARQUET_KEEP") {
        fs::copy(&path, format!("{keep}/{name}.parquet")).unwrap();
    }
    SerializedFileReader::new(File::open(&path).unwrap()).unwrap()
}

fn rows(reader: &SerializedFileReader<File>) -> Vec<Vec<Cell>> {
    let cells = |row: parquet::record::Row| row.get_column_iter().map(|(_, cell)| cell.clone()).collect();
    reader.get_row_iter(None).unwrap().map(|row| cells(row.unwrap())).collect()
}

fn every_type() -> Batch {
    let decimal = |values: [Option<i128>; 2]| {
        let mut builder = Decimal128Builder::new();
        values.into_iter().for_each(|value| builder.push_option(value));
        builder.finish()
    };
    let mut columns = vec![
        (Field::decimal("small", 9, 2), decimal([Some(-1234), None])),
        (Field::decimal("middle", 18, 2), decimal([Some(-1234), None])),
        (Field::decimal("large", 38, 4), decimal([Some(-12_345_678_901_234_567_890), None])),
        (Field::timestamp_in("utc", "UTC"), Column::from_options([Some(1_500_000_i64), None])),
        (Field::new("required", DataType::Int64).not_null(), Column::from_i64(vec![7, 8])),
        (Field::new("binary", DataType::Binary), Column::from_options([Some(vec![255_u8, 0]), None])),
    ];
    let rest = batch! {
        "boolean" => [Some(true), None], "i8" => [Some(-8_i8), None], "i16" => [Some(-16_i16), None],
        "i32" => [Some(-32_i32), None], "i64" => [Some(i64::MIN), None], "u8" => [Some(u8::MAX), None],
        "u16" => [Some(u16::MAX), None], "u32" => [Some(u32::MAX), None], "u64" => [Some(u64::MAX), None],
        "f32" => [Some(0.1_f32), None], "f64" => [Some(1e-7_f64), None], "text" => [Some("ä"), None],
        "date" => [Some(Date(15_706)), None], "time" => [Some(Timestamp(1_357_016_400_000_000)), None],
    };
    for (index, field) in rest.schema().iter().enumerate() {
        columns.push((field.clone(), rest.column(index).unwrap()));
    }
    batch_of(columns)
}

#[test]
fn types_come_back() {
    for codec in ["snappy", "lz4", "zstd", "gzip", "none"] {
        for dictionary in [true, false] {
            let more = format!(", \"compression\": \"{codec}\", \"dictionary\": {dictionary}");
            let reader = written(&format!("types-{codec}-{dictionary}"), vec![every_type()], &more);
            let rows = rows(&reader);
            assert_eq!(rows.len(), 2);
            let text: Vec<String> = rows[0].iter().map(ToString::to_string).collect();
            assert_eq!(
                text,
                [
                    "-12.34",
                    "-12.34",
                    "-1234567890123456.7890",
                    "1970-01-01 00:00:01.500000 +00:00",
                    "7",
                    "[255, 0]",
                    "true",
                    "-8",
                    "-16",
                    "-32",
                    "-9223372036854775808",
                    "255",
                    "65535",
                    "4294967295",
                    "18446744073709551615",
                    "0.1",
                    "0.0000001",
                    "\"ä\"",
                    "2013-01-01",
                    "2013-01-01 05:00:00.000000 +00:00",
                ]
            );
            assert!(rows[1].iter().enumerate().all(|(at, cell)| (at == 4) != matches!(cell, Cell::Null)));
        }
    }
}

#[test]
fn the_schema_says_what_it_is() {
    let reader = written("schema", vec![every_type()], "");
    let schema = reader.metadata().file_metadata().schema_descr();
    let logical = |name: &str| {
        let column = schema.columns().iter().find(|column| column.name() == name).unwrap();
        column.logical_type_ref().cloned()
    };
    assert_eq!(logical("text"), Some(LogicalType::String));
    assert_eq!(logical("date"), Some(LogicalType::Date));
    assert_eq!(logical("u8"), Some(LogicalType::integer(8, false)));
    assert_eq!(logical("i64"), None);
    assert_eq!(logical("large"), Some(LogicalType::decimal(4, 38)));
    assert!(matches!(logical("utc"), Some(LogicalType::Timestamp(t)) if t.is_adjusted_to_u_t_c));
    assert!(matches!(logical("time"), Some(LogicalType::Timestamp(t)) if !t.is_adjusted_to_u_t_c));
    let repetition = |at: usize| schema.column(at).self_type().get_basic_info().repetition();
    assert_eq!((repetition(4), repetition(5)), (Repetition::REQUIRED, Repetition::OPTIONAL));
    let notes = reader.metadata().file_metadata().key_value_metadata().unwrap();
    assert!(notes.iter().any(|note| note.key == "sluicebox.pipeline" && note.value.as_deref() == Some("test")));
    assert!(reader.metadata().file_metadata().created_by().unwrap().starts_with("sluicebox load-parquet"));
}

#[test]
fn row_groups_and_statistics() {
    let part = |from: i64| {
        batch! {
            "n" => (from..from + 30_000).map(|n| (n % 3 > 0).then_some(n)).collect::<Vec<_>>(),
            "code" => (from..from + 30_000).map(|n| ["EWR", "JFK", "LGA"][(n % 3) as usize]).collect::<Vec<_>>(),
            "word" => (from..from + 30_000).map(|n| format!("the word number {n}")).collect::<Vec<_>>(),
            "same" => (from..from + 30_000).map(|_| 2013_i32).collect::<Vec<_>>(),
            "x" => (from..from + 30_000).map(|n| if n % 10 == 0 { f64::NAN } else { n as f64 }).collect::<Vec<_>>(),
            "flag" => (from..from + 30_000).map(|n| (n % 5 > 0).then_some(n % 2 == 0)).collect::<Vec<_>>(),
        }
    };
    let reader = written("groups", (0..4).map(|at| part(at * 30_000)).collect(), ", \"row-group-rows\": 50000");
    let groups: Vec<i64> = reader.metadata().row_groups().iter().map(|group| group.num_rows()).collect();
    assert_eq!(groups, [50_000, 50_000, 20_000]);
    let first = reader.metadata().row_group(0);
    let Some(Statistics::Int64(n)) = first.column(0).statistics() else { panic!() };
    assert_eq!((n.min_opt(), n.max_opt(), n.null_count_opt()), (Some(&1), Some(&49_999), Some(16_667)));
    let Some(Statistics::ByteArray(code)) = first.column(1).statistics() else { panic!() };
    assert_eq!((code.min_opt().unwrap().data(), code.max_opt().unwrap().data()), (&b"EWR"[..], &b"LGA"[..]));
    let Some(Statistics::Double(x)) = first.column(4).statistics() else { panic!() };
    assert_eq!((x.min_opt(), x.max_opt()), (Some(&1.0), Some(&49_999.0)));
    // What repeats has a dictionary, what does not has none; either is read back.
    assert!(first.column(1).dictionary_page_offset().is_some() && first.column(3).dictionary_page_offset().is_some());
    assert!(first.column(2).dictionary_page_offset().is_none());
    assert!(first.column(3).compressed_size() < 200, "{}", first.column(3).compressed_size());
    let rows = rows(&reader);
    assert_eq!(rows.len(), 120_000);
    for (at, row) in rows.iter().enumerate() {
        assert_eq!(row[0], if at % 3 > 0 { Cell::Long(at as i64) } else { Cell::Null });
        assert_eq!(row[1], Cell::Str(["EWR", "JFK", "LGA"][at % 3].into()));
        assert_eq!(row[2], Cell::Str(format!("the word number {at}")));
        assert_eq!(row[5], if at % 5 > 0 { Cell::Bool(at % 2 == 0) } else { Cell::Null });
    }
    let without = written("without-statistics", vec![part(0)], ", \"statistics\": false");
    assert!(without.metadata().row_group(0).column(0).statistics().is_none());
}

#[test]
fn a_dictionary_is_given_up_in_the_middle() {
    // Few values at first, then many and long ones: the chunk has both sorts of pages.
    let text = |n: i64| if n < 40_000 { format!("{}", n % 10) } else { format!("{n:060}") };
    let rows_of = |range: std::ops::Range<i64>| batch! { "text" => range.map(text).collect::<Vec<_>>() };
    let reader = written("given-up", vec![rows_of(0..40_000), rows_of(40_000..140_000)], "");
    let column = reader.metadata().row_group(0).column(0);
    let encodings = column.page_encoding_stats_mask().unwrap();
    assert!(encodings.is_set(Encoding::RLE_DICTIONARY) && encodings.is_set(Encoding::PLAIN));
    assert!(column.dictionary_page_offset().is_some());
    let rows = rows(&reader);
    assert!(rows.iter().zip(0..).all(|(row, n)| row[0] == Cell::Str(text(n))));
    assert_eq!(rows.len(), 140_000);
}

#[test]
fn small_batches_are_gathered() {
    let batches = (0..5000_i64).map(|n| batch! { "n" => [n, n + 1] }).collect();
    let reader = written("gathered", batches, "");
    assert_eq!(reader.metadata().num_row_groups(), 1);
    let mut pages = reader.get_row_group(0).unwrap().get_column_page_reader(0).unwrap();
    assert_eq!(std::iter::from_fn(|| pages.get_next_page().unwrap()).count(), 1);
    assert_eq!(rows(&reader).len(), 10_000);
}

#[test]
fn no_rows_make_a_file() {
    let schema = Schema::new([Field::new("a", DataType::Int64)]);
    let reader = written("empty", vec![empty(&schema)], "");
    assert_eq!((reader.metadata().num_row_groups(), rows(&reader).len()), (0, 0));
}

#[test]
fn faults_name_the_column() {
    let open = |field: Field, json: &str| {
        LoadParquet::open(&context(), options(json)?, &Schema::new([field]), "l", 0).map(|_| ())
    };
    let path = r#"{"path": "out/x.parquet"}"#;
    let fault = open(Field::new("tags", DataType::Other).with_detail("List(Utf8)"), path).unwrap_err();
    assert_eq!(fault.kind, FaultKind::InvalidConfig);
    assert!(fault.message.contains("`tags` is of type List(Utf8)"), "{fault}");
    assert!(open(Field::decimal("d", 5, -2), path).unwrap_err().message.contains("`d` is a decimal"));
    let number = || Field::new("n", DataType::Int64);
    let fault = open(number(), r#"{"path": "x", "compression": "brotli"}"#).unwrap_err();
    assert!(fault.message.contains("unknown variant `brotli`"), "{fault}");
    assert!(open(number(), r#"{"path": "x", "row-group-rows": 0}"#).unwrap_err().message.contains("row-group-rows"));
    let nothing = LoadParquet::open(&context(), options(path).unwrap(), &Schema::default(), "l", 0).map(|_| ());
    assert!(nothing.unwrap_err().message.contains("no columns"));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Random columns with nulls, in random batches, with every setting.
    #[test]
    fn random_rows_come_back(
        numbers in prop::collection::vec(prop::option::of(prop_oneof![Just(5_i32), 0..100, any::<i32>()]), 0..3000),
        texts in prop::collection::vec(prop::option::of("[a-c]{0,3}|.{0,20}"), 3000),
        cuts in prop::collection::vec(1_usize..900, 1..8),
        dictionary: bool,
        group in prop_oneof![Just(7_u32), Just(512), Just(100_000)],
    ) {
        let floats: Vec<Option<f64>> = numbers.iter().map(|n| n.map(|n| f64::from(n) / 3.0)).collect();
        let mut batches = Vec::new();
        let mut from = 0;
        for cut in cuts.iter().cycle() {
            let to = (from + cut).min(numbers.len());
            batches.push(batch! {
                "n" => numbers[from..to].to_vec(), "t" => texts[from..to].to_vec(), "x" => floats[from..to].to_vec(),
                "b" => numbers[from..to].iter().map(|n| n.map(|n| n > 50)).collect::<Vec<_>>(),
            });
            from = to;
            if from >= numbers.len() {
                break;
            }
        }
        let more = format!(", \"dictionary\": {dictionary}, \"row-group-rows\": {group}");
        let read = rows(&written("random", batches, &more));
        prop_assert_eq!(read.len(), numbers.len());
        for (at, row) in read.iter().enumerate() {
            prop_assert_eq!(&row[0], &numbers[at].map_or(Cell::Null, Cell::Int));
            prop_assert_eq!(&row[1], &texts[at].clone().map_or(Cell::Null, Cell::Str));
            prop_assert_eq!(&row[2], &floats[at].map_or(Cell::Null, Cell::Double));
            prop_assert_eq!(&row[3], &numbers[at].map_or(Cell::Null, |n| Cell::Bool(n > 50)));
        }
    }
}
