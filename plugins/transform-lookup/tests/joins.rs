//! Joins as they come out.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic, missing_docs)]

use sluicebox_stage::testing::{Date, batch, context, options, report};
use sluicebox_stage::{Batch, DataType, Fault, FaultKind, Field, Input, Schema, Transform};
use transform_lookup::Lookup;

fn open(stream: &Schema, table: &Schema, json: &str) -> Result<(Lookup, Schema), Fault> {
    let input = |name: &str, schema: &Schema| Input { name: name.to_owned(), schema: schema.clone() };
    Lookup::open(&context(), options(json)?, &[input("flights", stream), input("carriers", table)])
}

fn join(stream: Vec<Batch>, table: Vec<Batch>, json: &str) -> Result<Vec<Batch>, Fault> {
    let (mut lookup, schema) = open(stream[0].schema(), table[0].schema(), json)?;
    for batch in table {
        assert!(lookup.process(1, batch)?.is_empty());
    }
    let mut out = Vec::new();
    for batch in stream {
        out.extend(lookup.process(0, batch)?);
    }
    assert!(lookup.finish()?.is_none());
    assert!(out.iter().all(|batch| *batch.schema() == schema), "{schema}");
    Ok(out)
}

fn flights() -> Batch {
    batch! { "carrier" => [Some("UA"), Some("XX"), None, Some("AA"), Some("UA")], "n" => [1_i64, 2, 3, 4, 5] }
}

fn carriers() -> Vec<Batch> {
    vec![
        batch! { "carrier" => [Some("AA"), None], "name" => ["American", "nobody"], "founded" => [Some(1926_i32), None] },
        batch! { "carrier" => [Some("UA")], "name" => ["United"], "founded" => [None::<i32>] },
    ]
}

const LEFT: &str = r#"{"on": "carrier", "take": {"carrier_name": "name"}, "missing": "null"}"#;

#[test]
fn left() {
    report();
    let out = join(vec![flights()], carriers(), LEFT).unwrap();
    let expected = batch! {
        "carrier" => [Some("UA"), Some("XX"), None, Some("AA"), Some("UA")], "n" => [1_i64, 2, 3, 4, 5],
        "carrier_name" => [Some("United"), None, None, Some("American"), Some("United")],
    };
    assert_eq!(out, [expected]);
    let counters = report().counters;
    assert_eq!((counters["matched"], counters["missing"]), (3, 2));
}

#[test]
fn inner() {
    let expected = batch! {
        "carrier" => ["UA", "AA", "UA"], "n" => [1_i64, 4, 5], "founded" => [None, Some(1926_i32), None],
        "name" => ["United", "American", "United"],
    };
    let json = r#"{"on": ["carrier"], "take": ["founded", "name"], "join": "inner"}"#;
    assert_eq!(join(vec![flights()], carriers(), json).unwrap(), [expected]);
    // A batch of which nothing is left makes none.
    let strangers = batch! { "carrier" => ["YY"], "n" => [1_i64] };
    assert!(join(vec![strangers], carriers(), json).unwrap().is_empty());
}

#[test]
fn missing_fails() {
    let json = r#"{"on": "carrier", "take": "name", "missing": "fail"}"#;
    let fault = join(vec![flights()], carriers(), json).unwrap_err();
    assert_eq!((fault.kind, fault.row), (FaultKind::InvalidData, Some(1)));
    assert!(fault.message.contains("the key \"XX\" (carrier) is not in `carriers`"), "{fault}");
    let known = batch! { "carrier" => ["UA", "AA"], "n" => [1_i64, 2] };
    assert_eq!(join(vec![known], carriers(), json).unwrap()[0].rows(), 2);
}

#[test]
fn duplicates() {
    let twice = || vec![batch! { "carrier" => ["AA", "UA", "AA"], "name" => ["first", "x", "second"] }];
    let fault = join(vec![flights()], twice(), LEFT).unwrap_err();
    assert!(fault.message.contains("`carriers` has the key \"AA\" (carrier) more than once"), "{fault}");
    let json = r#"{"on": "carrier", "take": "name", "missing": "drop", "duplicates": "first"}"#;
    let out = join(vec![flights()], twice(), json).unwrap();
    let names = out[0].column_named("name").unwrap();
    assert_eq!(names.strs().unwrap().iter().flatten().collect::<Vec<_>>(), ["x", "first", "x"]);
    // Nulls in the table's key are no duplicates of each other.
    let nulls = vec![batch! { "carrier" => [None::<&str>, None], "name" => ["a", "b"] }];
    assert_eq!(join(vec![flights()], nulls, LEFT).unwrap()[0].rows(), 5);
}

#[test]
fn keys_of_numbers_of_any_width() {
    let stream = || batch! { "k" => [Some(1_i64), Some(-1), Some(300), None], "x" => ["a", "b", "c", "d"] };
    let left = r#"{"on": "k", "take": {"v": "v"}}"#;
    let narrow = batch! { "k" => [1_u8, 255], "v" => ["one", "many"] };
    let values = |out: Vec<Batch>| {
        let column = out[0].column_named("v").unwrap();
        column.strs().unwrap().iter().map(|v| v.map(str::to_owned)).collect::<Vec<_>>()
    };
    let one = |v: &str| Some(v.to_owned());
    assert_eq!(values(join(vec![stream()], vec![narrow], left).unwrap()), [one("one"), None, None, None]);
    // -1 and 2^64 - 1 have the same bits.
    let wide = batch! { "k" => [u64::MAX, 300], "v" => ["max", "c"] };
    assert_eq!(values(join(vec![stream()], vec![wide], left).unwrap()), [None, None, one("c"), None]);
    let both = batch! { "k" => [u64::MAX, 1], "x" => ["a", "b"] };
    let wide = batch! { "k" => [u64::MAX], "v" => ["max"] };
    assert_eq!(values(join(vec![both], vec![wide], left).unwrap()), [one("max"), None]);
}

#[test]
fn keys_of_several_columns() {
    let stream = batch! {
        "origin" => [Some("EWR"), Some("EWR"), Some("E"), None], "day" => [Date(1), Date(2), Date(1), Date(1)],
    };
    let table = batch! { "faa" => ["EWR", "E"], "day" => [Date(1), Date(1)], "t" => [1.5_f64, 2.5] };
    let json = r#"{"on": {"origin": "faa", "day": "day"}, "take": {"temperature": "t"}}"#;
    let out = join(vec![stream], vec![table], json).unwrap();
    let column = out[0].column_named("temperature").unwrap();
    assert_eq!((0..4).map(|row| column.is_valid(row)).collect::<Vec<_>>(), [true, false, true, false]);
    assert_eq!(column.as_f64().unwrap()[2], 2.5);
}

#[test]
fn many_keys() {
    let table = batch! {
        "k" => (0..50_000_i64).map(|n| n * 7919).collect::<Vec<_>>(),
        "text" => (0..50_000_i64).map(|n| format!("key number {n}")).collect::<Vec<_>>(),
    };
    let stream = batch! {
        "k" => (0..50_000_i64).rev().map(|n| n * 7919).collect::<Vec<_>>(),
        "key" => (0..50_000_i64).map(|n| format!("key number {n}")).collect::<Vec<_>>(),
    };
    let out =
        join(vec![stream.share().unwrap()], vec![table.share().unwrap()], r#"{"on": "k", "take": "text"}"#).unwrap();
    let text = out[0].column_named("text").unwrap();
    assert!(
        text.strs()
            .unwrap()
            .iter()
            .enumerate()
            .all(|(row, text)| text == Some(&format!("key number {}", 49_999 - row)))
    );
    let out = join(vec![stream], vec![table], r#"{"on": {"key": "text"}, "take": {"back": "k"}}"#).unwrap();
    assert!(out[0].column_named("back").unwrap().as_i64().unwrap().iter().zip(0..).all(|(k, n)| *k == n * 7919));
}

#[test]
fn an_empty_table() {
    let (mut lookup, schema) = open(flights().schema(), carriers()[0].schema(), LEFT).unwrap();
    let out = lookup.process(0, flights()).unwrap();
    assert_eq!((out[0].rows(), out[0].schema()), (5, &schema));
    assert_eq!(out[0].column_named("carrier_name").unwrap().null_count(), 5);
    let drop = r#"{"on": "carrier", "take": "name", "missing": "drop"}"#;
    let (mut lookup, _) = open(flights().schema(), carriers()[0].schema(), drop).unwrap();
    assert!(lookup.process(0, flights()).unwrap().is_empty());
}

#[test]
fn every_type_can_be_taken_and_missing() {
    let table = batch! {
        "k" => [1_i64; 1], "b" => [true], "i8" => [1_i8], "u16" => [1_u16], "f32" => [1.0_f32], "d" => [Date(1)],
        "bytes" => [vec![1_u8]],
    };
    let stream = batch! { "k" => [2_i64, 1] };
    let json = r#"{"on": "k", "take": ["b", "i8", "u16", "f32", "d", "bytes"]}"#;
    let out = join(vec![stream], vec![table], json).unwrap();
    for index in 1..7 {
        let column = out[0].column(index).unwrap();
        assert!(column.is_null(0) && column.is_valid(1), "column {index}");
    }
}

#[test]
fn faults_say_what_to_write() {
    let (stream, table) = (flights(), carriers().remove(0));
    let fault = |json: &str| open(stream.schema(), table.schema(), json).map(|_| ()).unwrap_err().message;
    assert!(
        fault(r#"{"on": "carier", "take": "name"}"#)
            .contains("`flights` has no column `carier`; did you mean `carrier`?")
    );
    assert!(
        fault(r#"{"on": "carrier", "take": "nam"}"#).contains("`carriers` has no column `nam`; did you mean `name`?")
    );
    assert!(fault(r#"{"on": {"n": "carrier"}, "take": "name"}"#).contains("whole numbers (int64)"));
    assert!(fault(r#"{"on": "carrier", "take": {"n": "name"}}"#).contains("there is a column `n` already"));
    assert!(fault(r#"{"on": "carrier", "take": []}"#).contains("`take` is empty"));
    assert!(fault(r#"{"on": [], "take": "name"}"#).contains("`on` is empty"));
    assert!(
        fault(r#"{"on": "carrier", "take": "name", "missing": "null", "join": "inner"}"#).contains("one of the two")
    );
    assert!(fault(r#"{"on": "carrier", "take": "name", "missing": "keep"}"#).contains("unknown variant `keep`"));
    assert!(fault(r#"{"on": 5, "take": "name"}"#).contains("a column's name, a list of names, or a table"));
    let floats = Schema::new([Field::new("k", DataType::Float64)]);
    let message = open(&floats, &floats, r#"{"on": "k", "take": {"v": "k"}}"#).map(|_| ()).unwrap_err().message;
    assert!(message.contains("holds floats"), "{message}");
    let lists =
        Schema::new([Field::new("k", DataType::Int64), Field::new("tags", DataType::Other).with_detail("List")]);
    let message =
        open(&floats.clone(), &lists, r#"{"on": {"k": "k"}, "take": "tags"}"#).map(|_| ()).unwrap_err().message;
    assert!(message.contains("holds floats"), "{message}");
    let ints = Schema::new([Field::new("k", DataType::Int64)]);
    let message = open(&ints, &lists, r#"{"on": "k", "take": "tags"}"#).map(|_| ()).unwrap_err().message;
    assert!(message.contains("missing = \"drop\""), "{message}");
    assert!(open(&ints, &lists, r#"{"on": "k", "take": "tags", "missing": "drop"}"#).is_ok());
    let one = Lookup::open(&context(), options(LEFT).unwrap(), &[]).map(|_| ()).unwrap_err();
    assert!(one.message.contains("takes two inputs, and has 0"), "{one}");
}
