//! The stage as a whole, natively.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

mod incremental;

use crate::options::Settings;
use crate::{ExtractJsonl, Jsonl, Options};
use proptest::prelude::*;
use sluicebox_file_read::FileExtract;
use sluicebox_stage::testing::{context, options, report};
use sluicebox_stage::{Batch, Extract, Fault, SplitExtract, Values};

struct Read {
    schema: String,
    rows: Vec<Vec<Option<String>>>,
    aside: Vec<String>,
    log: Vec<String>,
}

impl Read {
    fn lines(&self) -> Vec<String> {
        let cell = |cell: &Option<String>| cell.clone().unwrap_or_else(|| "-".into());
        self.rows.iter().map(|row| row.iter().map(cell).collect::<Vec<_>>().join("|")).collect()
    }
}

fn rows_of(mut stage: ExtractJsonl) -> Result<Vec<Vec<Option<String>>>, Fault> {
    let mut rows = Vec::new();
    while let Some(page) = stage.next()? {
        assert!(page.progress.is_some_and(|progress| (0.0..=1.0).contains(&progress)));
        rows.extend(cells(&page.batch));
    }
    Ok(rows)
}

fn cells(batch: &Batch) -> Vec<Vec<Option<String>>> {
    let columns: Vec<_> = (0..batch.schema().len()).map(|i| batch.column(i).unwrap()).collect();
    let cell = |column: &sluicebox_stage::Column, row: usize| match &column.values {
        Values::Bits(_) => column.bits().unwrap().get(row).unwrap().to_string(),
        Values::Int32(v) => v[row].to_string(),
        Values::Int64(v) => v[row].to_string(),
        Values::Uint64(v) => v[row].to_string(),
        Values::Float64(v) => v[row].to_string(),
        Values::FixedBytes(v) => i128::from_le_bytes(v[16 * row..16 * row + 16].try_into().unwrap()).to_string(),
        Values::Variable { .. } => column.strs().unwrap().get(row).unwrap().to_owned(),
        other => panic!("{other:?}"),
    };
    (0..batch.rows())
        .map(|row| columns.iter().map(|column| column.is_valid(row).then(|| cell(column, row))).collect())
        .collect()
}

fn read_in_blocks(content: &[u8], json: &str, block: usize) -> Result<Read, String> {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("x.jsonl");
    std::fs::write(&path, content).unwrap();
    let path = path.to_str().unwrap();
    let json = json.trim_start_matches('{');
    let comma = if json.starts_with('}') { "" } else { "," };
    let json = format!(r#"{{"path":"{path}"{comma}{json}"#);
    let _ = report();
    let run = || {
        let mut settings = Settings::new(options::<Options>(&json)?, &context())?;
        settings.files.block_bytes = block;
        let (stage, schema) = FileExtract::begin(Jsonl::with(settings), None)?;
        Ok((schema.to_string(), rows_of(ExtractJsonl::from(stage))?))
    };
    let (schema, rows) = run().map_err(|fault: Fault| fault.message.replace(path, "X"))?;
    let report = report();
    let aside = report
        .quarantined
        .iter()
        .map(|bad| format!("{} [{}] {}", bad.origin.replace(path, "X"), bad.content, bad.reason))
        .collect();
    let log = report.log.iter().map(|(_, line)| line.replace(path, "X")).collect();
    Ok(Read { schema, rows, aside, log })
}

fn read(content: impl AsRef<[u8]>, json: &str) -> Result<Read, String> {
    let whole = read_in_blocks(content.as_ref(), json, 1 << 18);
    for block in [1, 2, 5, 16, 64] {
        let read = read_in_blocks(content.as_ref(), json, block);
        match (&whole, &read) {
            (Ok(whole), Ok(read)) => {
                assert_eq!((&whole.schema, &whole.rows, &whole.aside), (&read.schema, &read.rows, &read.aside));
            }
            _ => assert_eq!(whole.as_ref().map(|_| ()), read.as_ref().map(|_| ())),
        }
    }
    whole
}

#[track_caller]
fn fault(content: impl AsRef<[u8]>, json: &str) -> String {
    match read(content, json) {
        Ok(read) => panic!("no fault but {:?}", read.lines()),
        Err(message) => message,
    }
}

#[test]
fn keys_are_columns() {
    let read = read(
        "{\"id\":1,\"name\":\"Ann\",\"ok\":true,\"x\":null}\r\n\n{\"name\":\"B\\u00f6\\nb\",\"id\":2,\"tags\":[\"a\", 1],\"y\":{\"z\":1}}\n{}",
        "{}",
    )
    .unwrap();
    assert_eq!(read.schema, "id: int64, name: utf8, ok: boolean, x: utf8, tags: utf8, y: utf8");
    assert_eq!(read.lines(), ["1|Ann|true|-|-|-", "2|Bö\nb|-|-|[\"a\", 1]|{\"z\":1}", "-|-|-|-|-|-"]);
}

#[test]
fn types_are_inferred_and_given() {
    let schema = |values: &str, json: &str| {
        let lines: String = values.split(' ').map(|value| format!("{{\"v\":{value}}}\n")).collect();
        let read = read(lines, json).unwrap();
        (
            read.schema,
            read.rows.into_iter().map(|row| row[0].clone().unwrap_or("-".into())).collect::<Vec<_>>().join(" "),
        )
    };
    let is = |schema: &str, rows: &str| (format!("v: {schema}"), rows.to_owned());
    assert_eq!(schema("1 -2 null", "{}"), is("int64", "1 -2 -"));
    assert_eq!(schema("1 2.5", "{}"), is("float64", "1 2.5"));
    assert_eq!(schema("1 \"2\"", "{}"), is("utf8", "1 2"));
    assert_eq!(schema("\"1\" \"2\"", "{}"), is("utf8", "1 2"));
    assert_eq!(schema("9223372036854775807 1", "{}"), is("int64", "9223372036854775807 1"));
    assert_eq!(schema("9223372036854775808 1", "{}"), is("utf8", "9223372036854775808 1"));
    assert_eq!(schema("\"1970-01-02\" \"1970-01-03\"", "{}"), is("date32", "1 2"));
    assert_eq!(schema("\"1970-01-01T00:00:01Z\"", "{}"), is("timestamp(UTC)", "1000000"));
    assert_eq!(schema("true 1", "{}"), is("utf8", "true 1"));
    let given = |kind: &str| format!(r#"{{"types":{{"v":"{kind}"}}}}"#);
    assert_eq!(schema("18446744073709551615 \"7\"", &given("uint64")), is("uint64", "18446744073709551615 7"));
    assert_eq!(schema("1.5 \"2.25\"", &given("decimal(20,2)")), is("decimal128(20,2)", "150 225"));
    assert_eq!(schema("{\"a\":1} [2]", &given("utf8")), is("utf8", "{\"a\":1} [2]"));
    assert_eq!(read("{\"a\":1}\n", r#"{"types":{"b":"int64"}}"#).unwrap().schema, "b: int64, a: int64");
}

#[test]
fn values_are_reached_by_paths() {
    let content = "{\"a\":{\"b\":[10,{\"c\":\"x\"}],\"d.e\":1},\"k\":2}\n{\"a\":[],\"k\":null}\n{\"a\":{\"b\":7}}\n";
    let json = r#"{"columns":{"all":"a","c":"a.b[1].c","de":"a.\"d.e\"","first":"a.b[0]","k":"k"}}"#;
    let read = read(content, json).unwrap();
    assert_eq!(read.schema, "all: utf8, c: utf8, de: int64, first: int64, k: int64");
    assert_eq!(read.lines(), ["{\"b\":[10,{\"c\":\"x\"}],\"d.e\":1}|x|1|10|2", "[]|-|-|-|-", "{\"b\":7}|-|-|-|-"]);
    assert!(
        fault("{}\n", r#"{"columns":{"a":"b[x]"}}"#)
            .starts_with("`columns`: the path \"b[x]\" has no number in its brackets")
    );
    assert_eq!(
        fault("{}\n", r#"{"columns":{"a":"b"},"types":{"c":"utf8"}}"#),
        "`types`: `columns` has no column \"c\""
    );
}

#[test]
fn broken_lines_fail_or_are_set_aside() {
    let content = b"{\"a\":1}\n{\"a\":}\n\n{\"a\":2,}\n{\"a\":\"x\"}\n{\"a\":\"\xff\"}\n[1]\n{\"a\":3}";
    let end = "; to set such records aside, write broken-rows = \"quarantine\"";
    assert_eq!(fault(content, r#"{"sample-rows":1}"#), format!("X:2: at byte 6: no value begins like this{end}"));
    let aside = read(content, r#"{"sample-rows":1,"broken-rows":"quarantine"}"#).unwrap();
    assert_eq!(aside.lines(), ["1", "3"]);
    assert_eq!(
        aside.aside,
        [
            "X:2 [{\"a\":}] at byte 6: no value begins like this",
            "X:4 [{\"a\":2,}] at byte 8: a key in quotes should stand here",
            "X:5 [{\"a\":\"x\"}] column \"a\": the text \"x\" is no int64",
            "X:6 [{\"a\":\"\u{fffd}\"}] it is not UTF-8",
            "X:7 [[1]] at byte 1: a line has to be one JSON object",
        ]
    );
    assert_eq!(
        fault("{\"a\":1}\n{\"a\":2.5}\n", r#"{"sample-rows":1}"#),
        format!(
            "X:2: column \"a\": \"2.5\" is no int64, which the first 1 lines have; write types = {{ a = \"float64\" }}{end}"
        )
    );
    assert_eq!(
        fault("[{\"a\":1},\n{\"a\":2}]\n", r#"{"types":{"a":"int64"}}"#),
        format!(
            "X:1: at byte 1: a line has to be one JSON object; is the file one JSON array? write its objects on lines of their own{end}"
        )
    );
    assert_eq!(
        fault(format!("{{\"a\":\"{}\"}}\n", "x".repeat(100)), r#"{"max-record-bytes":50}"#),
        "X:1: the line is longer than 50 bytes; raise `max-record-bytes` if it is meant to be so long"
    );
    assert_eq!(fault("", "{}"), "no columns are known: the first lines have no keys; give `columns` or `types`");
    assert_eq!(read("", r#"{"types":{"a":"utf8"}}"#).unwrap().schema, "a: utf8");
}

#[test]
fn later_keys_are_warned_of_once() {
    let read = read("{\"a\":1}\n{\"a\":2,\"b\":3}\n{\"a\":4,\"b\":5}\n", r#"{"sample-rows":1}"#).unwrap();
    assert_eq!(read.lines(), ["1", "2", "4"]);
    assert_eq!(
        read.log,
        ["X:2: the key \"b\" is not read: the first 1 lines have no such key; give it a type in `types` to read it"]
    );
}

#[test]
fn files_are_split() {
    let dir = tempfile::tempdir().unwrap();
    for i in 0..5 {
        std::fs::write(dir.path().join(format!("{i}.jsonl")), format!("{{\"v\":{i}}}\n{{\"v\":{i}}}\n")).unwrap();
    }
    let json = format!(r#"{{"path":"{}/*.jsonl","file-column":"file"}}"#, dir.path().to_str().unwrap());
    let parse = || options::<Options>(&json).unwrap();
    let (stage, schema) = ExtractJsonl::open(&context(), parse(), None).unwrap();
    assert_eq!(schema.to_string(), "v: int64, file: utf8 not null");
    let whole = rows_of(stage).unwrap();
    let plan = ExtractJsonl::split(&context(), parse(), None, 3).unwrap();
    assert_eq!(plan.splits.len(), 3);
    let parts: Vec<_> = plan
        .splits
        .iter()
        .flat_map(|split| rows_of(ExtractJsonl::open_split(&context(), parse(), split).unwrap().0).unwrap())
        .collect();
    assert_eq!(parts, whole);
    assert_eq!(whole.len(), 10);
}

proptest! {
    #[test]
    fn values_come_back(
        rows in prop::collection::vec((any::<Option<i64>>(), any::<Option<f64>>(), any::<Option<bool>>(), any::<Option<String>>()), 1..30),
        block in 1_usize..200, batch_rows in 1_usize..10,
    ) {
        let content: String = rows
            .iter()
            .map(|(i, f, b, s)| format!("{}\n", serde_json::json!({ "i": i, "f": f, "b": b, "s": s })))
            .collect();
        let json = format!(r#"{{"batch-rows":{batch_rows},"columns":{{"a":"i","b":"f","c":"b","d":"s"}},
            "types":{{"a":"int64","b":"float64","c":"boolean","d":"utf8"}}}}"#);
        let read = read_in_blocks(content.as_bytes(), &json, block).unwrap();
        let expected: Vec<Vec<Option<String>>> = rows
            .iter()
            .map(|(i, f, b, s)| vec![i.map(|v| v.to_string()), f.map(|v| v.to_string()), b.map(|v| v.to_string()), s.clone()])
            .collect();
        prop_assert_eq!(read.rows, expected);
    }
}
