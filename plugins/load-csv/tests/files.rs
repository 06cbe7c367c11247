//! Files as they come out.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic, missing_docs)]

use std::fs;

use load_csv::LoadCsv;
use sluicebox_stage::testing::{Date, Timestamp, batch, batch_of, context, empty, options};
use sluicebox_stage::{Batch, Column, DataType, Decimal128Builder, Fault, FaultKind, Field, Load, Schema};

fn open(schema: &Schema, json: &str) -> Result<LoadCsv, Fault> {
    LoadCsv::open(&context(), options(json)?, schema, "load", 0)
}

/// What the file holds that `batches` make with these further options.
fn written(batches: Vec<Batch>, more: &str) -> String {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("out/x.csv");
    let json = format!("{{\"path\": {:?}{more}}}", path.to_str().unwrap());
    let mut load = open(batches[0].schema(), &json).unwrap();
    for batch in batches {
        load.write(batch).unwrap();
    }
    let receipt = load.prepare().unwrap();
    assert!(!path.exists());
    LoadCsv::commit(options(&json).unwrap(), "load", &[receipt]).unwrap();
    fs::read_to_string(&path).unwrap()
}

fn texts() -> Batch {
    batch! {
        "id" => [Some(1_i64), None, Some(-3), Some(4)],
        "text, with" => [Some("plain"), Some("a,b \"q\"\nx"), None, Some("")],
    }
}

#[test]
fn quotes_where_they_are_needed() {
    assert_eq!(written(vec![texts()], ""), "id,\"text, with\"\n1,plain\n,\"a,b \"\"q\"\"\nx\"\n-3,\n4,\"\"\n");
}

#[test]
fn other_forms() {
    let more = r#", "quote": "always", "null": "NA", "line-ending": "crlf", "delimiter": ";", "header": false"#;
    assert_eq!(written(vec![texts()], more), "1;\"plain\"\r\nNA;\"a,b \"\"q\"\"\nx\"\r\n-3;NA\r\n4;\"\"\r\n");
    let na = batch! { "a" => [Some("NA"), None, Some("x|y")] };
    assert_eq!(written(vec![na], r#", "null": "NA", "delimiter": "|""#), "a\n\"NA\"\nNA\n\"x|y\"\n");
}

#[test]
fn every_type() {
    let mut decimals = Decimal128Builder::new();
    decimals.push(-1234);
    let mut columns = vec![
        (Field::decimal("decimal", 10, 2), decimals.finish()),
        (Field::timestamp_in("utc", "Europe/Berlin"), Column::from_i64(vec![1_500_000])),
    ];
    let rest = batch! {
        "boolean" => [true], "i8" => [-8_i8], "i16" => [-16_i16], "i32" => [-32_i32], "i64" => [i64::MIN],
        "u8" => [8_u8], "u16" => [16_u16], "u32" => [u32::MAX], "u64" => [u64::MAX],
        "f32" => [0.1_f32], "f64" => [1e-7_f64], "nan" => [f64::NAN], "binary" => [vec![255_u8, 0]],
        "date" => [Date(15_706)], "time" => [Timestamp(1_357_016_400_000_000)],
    };
    for (index, field) in rest.schema().iter().enumerate() {
        columns.push((field.clone(), rest.column(index).unwrap()));
    }
    assert_eq!(
        written(vec![batch_of(columns)], r#", "header": false"#),
        "-12.34,1970-01-01T00:00:01.500Z,true,-8,-16,-32,-9223372036854775808,8,16,4294967295,18446744073709551615,\
         0.1,1e-7,NaN,/wA=,2013-01-01,2013-01-01T05:00:00\n"
    );
}

#[test]
fn a_line_of_one_null_is_not_lost() {
    assert_eq!(written(vec![batch! { "a" => [None, Some("x")] }], ""), "a\n\"\"\nx\n");
}

#[test]
fn no_rows_make_a_file_with_a_header() {
    let schema = Schema::new([Field::new("a", DataType::Int64), Field::new("b", DataType::Utf8)]);
    assert_eq!(written(vec![empty(&schema)], ""), "a,b\n");
}

#[test]
fn many_rows_pass_the_block() {
    let rows = 100_000_i64;
    let batches = (0..4).map(|part| batch! { "n" => (part * rows..(part + 1) * rows).collect::<Vec<_>>() }).collect();
    let text = written(batches, "");
    assert!(text.lines().skip(1).enumerate().all(|(row, line)| line == row.to_string()));
    assert_eq!(text.lines().count(), 400_001);
}

#[test]
fn faults_say_what_to_write() {
    let schema = Schema::new([Field::new("tags", DataType::Other).with_detail("List(Utf8)")]);
    let fault = open(&schema, r#"{"path": "out/x.csv"}"#).map(|_| ()).unwrap_err();
    assert_eq!(fault.kind, FaultKind::InvalidConfig);
    assert!(fault.message.contains("`tags` is of type List(Utf8)"), "{fault}");
    let schema = Schema::new([Field::new("a", DataType::Int64)]);
    for (json, expected) in [
        (r#"{"path": "out/x.csv", "delimiter": "ab"}"#, "`delimiter`"),
        (r#"{"path": "out/x.csv", "delimiter": "."}"#, "`delimiter`"),
        (r#"{"path": "out/x.csv", "null": "a,b"}"#, "`null`"),
        (r#"{"path": "out/x.csv", "quotes": "a"}"#, "unknown field `quotes`"),
        (r#"{}"#, "missing field `path`"),
    ] {
        let fault = open(&schema, json).map(|_| ()).unwrap_err();
        assert_eq!(fault.kind, FaultKind::InvalidConfig);
        assert!(fault.message.contains(expected), "{fault}");
    }
}

#[test]
fn open_changes_nothing_outside() {
    let folder = tempfile::tempdir().unwrap();
    let json = format!("{{\"path\": {:?}}}", folder.path().join("new/x.csv").to_str().unwrap());
    open(&Schema::new([Field::new("a", DataType::Int64)]), &json).unwrap();
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
    LoadCsv::abort(options(&json).unwrap(), "load", &[]).unwrap();
}
