//! Files as they come out.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic, missing_docs)]

use std::fs;

use load_jsonl::LoadJsonl;
use sluicebox_stage::testing::{Date, Timestamp, batch, batch_of, context, options, report};
use sluicebox_stage::{Batch, Column, DataType, Decimal128Builder, Field, Load, Schema};

fn written(batches: Vec<Batch>, more: &str) -> String {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("out/x.jsonl");
    let json = format!("{{\"path\": {:?}{more}}}", path.to_str().unwrap());
    let mut load = LoadJsonl::open(&context(), options(&json).unwrap(), batches[0].schema(), "load", 0).unwrap();
    for batch in batches {
        load.write(batch).unwrap();
    }
    let receipt = load.prepare().unwrap();
    LoadJsonl::commit(options(&json).unwrap(), "load", &[receipt]).unwrap();
    fs::read_to_string(&path).unwrap()
}

#[test]
fn every_type() {
    let mut decimals = Decimal128Builder::new();
    decimals.push(-1234);
    let mut columns = vec![
        (Field::decimal("decimal", 10, 2), decimals.finish()),
        (Field::timestamp_in("utc", "UTC"), Column::from_i64(vec![0])),
    ];
    let rest = batch! {
        "b" => [true], "i64" => [i64::MIN], "u64" => [u64::MAX], "f32" => [0.1_f32], "f64" => [1.0_f64],
        "binary" => [vec![255_u8, 0]], "date" => [Date(15_706)], "time" => [Timestamp(1_357_016_400_000_000)],
        "text" => ["ä\"\\\n\u{1}/"],
    };
    for (index, field) in rest.schema().iter().enumerate() {
        columns.push((field.clone(), rest.column(index).unwrap()));
    }
    let expected = "{\"decimal\":-12.34,\"utc\":\"1970-01-01T00:00:00Z\",\"b\":true,\"i64\":-9223372036854775808,\
        \"u64\":18446744073709551615,\"f32\":0.1,\"f64\":1.0,\"binary\":\"/wA=\",\"date\":\"2013-01-01\",\
        \"time\":\"2013-01-01T05:00:00\",\"text\":\"ä\\\"\\\\\\n\\u0001/\"}\n";
    let text = written(vec![batch_of(columns)], "");
    assert_eq!(text, expected);
    let value: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!(value["text"], "ä\"\\\n\u{1}/");
}

#[test]
fn nulls_and_what_json_does_not_have() {
    let rows = || {
        batch! { "a" => [Some(1_i64), None, None], "b\"" => [Some(f64::NAN), Some(f64::INFINITY), None] }
    };
    report();
    assert_eq!(
        written(vec![rows()], ""),
        "{\"a\":1,\"b\\\"\":null}\n{\"a\":null,\"b\\\"\":null}\n{\"a\":null,\"b\\\"\":null}\n"
    );
    let told = report();
    assert_eq!(told.counters["not-finite-as-null"], 2);
    assert_eq!(told.log.len(), 1);
    assert_eq!(written(vec![rows()], ", \"nulls\": \"omit\""), "{\"a\":1}\n{}\n{}\n");
}

#[test]
fn decimals_as_text() {
    let mut decimals = Decimal128Builder::new();
    decimals.push(5);
    let rows = batch_of([(Field::decimal("d", 4, 2), decimals.finish())]);
    assert_eq!(written(vec![rows], ", \"decimals\": \"string\""), "{\"d\":\"0.05\"}\n");
}

#[test]
fn other_types_are_refused() {
    let schema = Schema::new([Field::new("tags", DataType::Other).with_detail("List(Utf8)")]);
    let fault =
        LoadJsonl::open(&context(), options("{\"path\": \"x\"}").unwrap(), &schema, "l", 0).map(|_| ()).unwrap_err();
    assert!(fault.message.contains("`tags`"), "{fault}");
}
