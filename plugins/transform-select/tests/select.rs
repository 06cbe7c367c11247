//! What goes in and what comes out.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic, missing_docs)]

use sluicebox_stage::testing::{batch, context, options, report};
use sluicebox_stage::{Batch, Fault, FaultKind, Input, Schema, Transform};
use transform_select::Select;

fn open(schema: &Schema, json: &str) -> Result<(Select, Schema), Fault> {
    let input = Input { name: "read".to_owned(), schema: schema.clone() };
    Select::open(&context(), options(json)?, &[input])
}

fn select(batch: Batch, json: &str) -> Result<Vec<Batch>, Fault> {
    let (mut stage, schema) = open(batch.schema(), json)?;
    let out = stage.process(0, batch)?;
    for batch in &out {
        assert_eq!(*batch.schema(), schema);
    }
    Ok(out)
}

fn flights() -> Batch {
    batch! {
        "distance" => [1400i64, 1416, 1089],
        "air_time" => [Some(227i64), None, Some(160)],
        "dest" => ["iah", "iah", "mia"],
    }
}

/// One row of text out of the only batch.
fn texts(batch: &Batch, name: &str) -> Vec<String> {
    let column = batch.column_named(name).unwrap();
    let view = column.strs().unwrap();
    (0..batch.rows()).map(|row| view.get(row).unwrap_or("null").to_owned()).collect()
}

fn names(batch: &Batch) -> Vec<String> {
    batch.schema().names().map(str::to_owned).collect()
}

#[test]
fn the_flights_job() {
    let json = r#"{"filter": "air_time is not null", "columns": {"speed": "distance / air_time * 60", "dest": "upper(dest)"}}"#;
    let out = select(flights(), json).unwrap();
    assert_eq!(names(&out[0]), ["distance", "air_time", "dest", "speed"]);
    assert_eq!(texts(&out[0], "dest"), ["IAH", "MIA"]);
    let speed = out[0].column_named("speed").unwrap();
    assert_eq!(speed.as_f64().unwrap(), [1400.0 / 227.0 * 60.0, 1089.0 / 160.0 * 60.0]);
    assert_eq!(report().counters["filtered"], 1);
}

#[test]
fn expressions_see_the_input_not_each_other() {
    let out = select(flights(), r#"{"columns": {"dest": "upper(dest)", "copy": "dest", "distance": "distance // 100", "far": "distance > 1400"}}"#).unwrap();
    assert_eq!(texts(&out[0], "dest"), ["IAH", "IAH", "MIA"]);
    assert_eq!(texts(&out[0], "copy"), ["iah", "iah", "mia"]);
    assert_eq!(names(&out[0]), ["distance", "air_time", "dest", "copy", "far"]);
}

#[test]
fn keep_drop_rename_and_cast() {
    for (json, expected) in [
        (r#"{"keep": ["dest", "distance"]}"#, "dest: utf8, distance: int64"),
        (r#"{"keep": ["DEST"]}"#, "dest: utf8"),
        (r#"{"drop": ["air_time"]}"#, "distance: int64, dest: utf8"),
        (r#"{"rename": {"to": "dest"}}"#, "distance: int64, air_time: int64, to: utf8"),
        (r#"{"rename": {"dest": "distance", "distance": "dest"}}"#, "dest: int64, air_time: int64, distance: utf8"),
        (
            r#"{"cast": {"air_time": "int16", "distance": "decimal(8,2)"}}"#,
            "distance: decimal128(8,2), air_time: int16, dest: utf8",
        ),
        (
            r#"{"cast": {"air_time": "int16"}, "rename": {"minutes": "air_time"}, "keep": ["air_time", "dest"]}"#,
            "minutes: int16, dest: utf8",
        ),
        (
            r#"{"keep": ["speed", "dest"], "columns": {"speed": "distance / air_time", "z": "1"}}"#,
            "speed: float64, dest: utf8, z: int64 not null",
        ),
        (r#"{"cast": {"dest": "utf8"}}"#, "distance: int64, air_time: int64, dest: utf8"),
    ] {
        let out = select(flights(), json).unwrap_or_else(|fault| panic!("{json}: {fault}"));
        assert_eq!(out[0].schema().to_string(), expected, "{json}");
    }
}

#[test]
fn problems_name_the_option_and_the_place() {
    for (json, message) in [
        ("{}", "nothing to do; write at least one of filter, keep, drop, rename, cast and columns"),
        (r#"{"keep": ["dets"]}"#, "`keep`: there is no column `dets`\nhelp: did you mean dest?"),
        (r#"{"drop": ["x"]}"#, "`drop`: there is no column `x`\nhelp: the columns are distance, air_time, dest"),
        (
            r#"{"rename": {"a": "b"}}"#,
            "`rename.a`: there is no column `b`\nhelp: the columns are distance, air_time, dest",
        ),
        (r#"{"rename": {"dest": "distance"}}"#, "two columns would be called `dest`; rename or drop one of them"),
        (r#"{"cast": {"dest": "int128"}}"#, "`cast.dest`: this type is not known here"),
        (
            r#"{"cast": {"distance": "date"}}"#,
            "`cast.distance`: int64 cannot be cast to date32\n  date\n  ^^^^\nhelp: to_timestamp(x) takes seconds since 1970-01-01",
        ),
        (
            r#"{"keep": ["dest"], "drop": ["distance"]}"#,
            "`keep` and `drop` say the same in two ways; write one of them",
        ),
        (r#"{"keep": []}"#, "no column is left; keep at least one"),
        (r#"{"keep": ["dest", "dest"]}"#, "`keep` names `dest` twice"),
        (
            r#"{"filter": "distance"}"#,
            "`filter`: a condition is true or false, this is int64\n  distance\n  ^^^^^^^^\nhelp: write a comparison, as in x <> 0",
        ),
        (
            r#"{"columns": {"speed": "distance / upper(dest)"}}"#,
            "`columns.speed`: `/` takes numbers, this is utf8\n  distance / upper(dest)\n             ^^^^^^^^^^\nhelp: write cast(... as float64), or try_cast to get null where the text does not fit",
        ),
    ] {
        let fault = open(flights().schema(), json).err().unwrap_or_else(|| panic!("{json} is fine"));
        assert_eq!(fault.kind, FaultKind::InvalidConfig);
        assert!(fault.message.starts_with(message), "{json}\n{}\n---\n{message}", fault.message);
    }
}

#[test]
fn a_fault_names_the_row_that_came_in() {
    let batch = batch! { "n" => [1i64, 2, 3], "text" => ["1", "2", "x"] };
    let fault = select(batch, r#"{"filter": "n <> 2", "columns": {"m": "cast(text as int64)"}}"#).unwrap_err();
    assert_eq!((fault.row, fault.message.as_str()), (Some(2), "`columns.m`: 'x' is not int64; try_cast makes it null"));
}

#[test]
fn a_batch_without_rows_left_is_no_batch() {
    assert!(select(flights(), r#"{"filter": "distance < 0"}"#).unwrap().is_empty());
}
