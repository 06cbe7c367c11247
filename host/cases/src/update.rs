//! Writes what was seen into a file of cases.

use crate::case::{Case, Expect};
use crate::drive::Seen;
use crate::error::CaseError;
use crate::table::Texts;
use crate::types;
use arrow_schema::{DataType, Schema};
use std::fs;
use std::path::Path;
use toml_edit::{Array, DocumentMut, InlineTable, Item, Table, Value};

/// The text of a file of cases, with what was seen in place of what `case` expects: the same things as before, in the same
/// way; all that there is where nothing was expected. Tables that stand in files of their own are written there.
///
/// # Errors
/// The text is no TOML or has no such case; a file cannot be written.
pub fn update(text: &str, case: &Case, seen: &Seen, folder: &Path) -> Result<String, CaseError> {
    let mut document: DocumentMut =
        text.parse().map_err(|error| CaseError::new(format!("the file cannot be written anew: {error}")))?;
    let cases = document.get_mut("case").and_then(Item::as_array_of_tables_mut);
    let table = cases.and_then(|cases| {
        cases.iter_mut().find(|table| table.get("name").and_then(Item::as_str) == Some(case.name.as_str()))
    });
    let table = table.ok_or_else(|| CaseError::new(format!("there is no `[[case]]` with the name `{}`", case.name)))?;
    let mut expect = Table::new();
    expect.set_dotted(table.get("expect").and_then(Item::as_table).is_none_or(Table::is_dotted));
    fill(&mut expect, &case.expect, seen, folder)?;
    table.insert("expect", Item::Table(expect));
    Ok(document.to_string())
}

fn fill(expect: &mut Table, before: &Expect, seen: &Seen, folder: &Path) -> Result<(), CaseError> {
    let mut put = |key: &str, value: Value| {
        expect.insert(key, Item::Value(value));
    };
    if let Some(fault) = &seen.fault {
        let old = before.fault.as_ref();
        let mut written = InlineTable::new();
        written.insert("kind", fault.kind.word().into());
        let kept = old.and_then(|old| old.message.clone()).filter(|old| fault.message.contains(old.as_str()));
        let message = kept.unwrap_or_else(|| fault.message.lines().next().unwrap_or_default().to_owned());
        written.insert("message", message.into());
        if old.is_some_and(|old| old.call.is_some()) {
            written.insert("call", fault.call.as_str().into());
        }
        if let (true, Some(row)) = (old.is_some_and(|old| old.row.is_some()), seen.fault_row) {
            written.insert("row", integer(row));
        }
        put("fault", written.into());
        left(before, false, seen, &mut put);
        return Ok(());
    }
    let nothing = before.is_empty() || before.fault.is_some();
    if let Some(schema) = seen.schema.as_ref().filter(|_| nothing || !before.side().is_empty()) {
        if nothing || before.columns.is_some() {
            put("columns", columns(schema));
        }
        let texts = Texts::of_batches(schema, &seen.batches);
        if let Some((key, value)) = rows(before, nothing, schema, &texts, folder)? {
            put(key, value);
        }
    }
    if let Some(bookmark) = seen.bookmark.as_ref().filter(|_| nothing || before.bookmark.is_some()) {
        put("bookmark", bookmark.as_str().into());
    }
    if let Some(progress) = seen.progress.filter(|_| before.progress.is_some()) {
        put("progress", ((f64::from(progress) * 1000.0).round() / 1000.0).into());
    }
    if !seen.rules.is_empty() && (nothing || before.broken.is_some()) {
        let broken = seen.broken.iter();
        put(
            "broken",
            broken.map(|(rule, rows)| (rule, rows.iter().copied().map(integer).collect::<Array>())).collect(),
        );
    }
    if !seen.outcomes.is_empty() && (nothing || before.outcomes.is_some()) {
        let outcome = |(rule, (holds, observed)): (&String, &(bool, String))| {
            let told = [("holds", Value::from(*holds)), ("observed", observed.as_str().into())];
            (rule.clone(), Value::InlineTable(told.into_iter().collect()))
        };
        put("outcomes", Value::InlineTable(seen.outcomes.iter().map(outcome).collect()));
    }
    left(before, nothing, seen, &mut put);
    if before.quarantined.is_some() || (nothing && !seen.quarantined.is_empty()) {
        let records = seen.quarantined.iter().map(|record| {
            let told = [("origin", &record.origin), ("content", &record.content), ("reason", &record.reason)];
            told.into_iter().map(|(key, text)| (key, text.as_str())).collect::<InlineTable>()
        });
        put("quarantined", a_line_each(records.map(Value::InlineTable).collect()).into());
    }
    if before.counters.is_some() || (nothing && !seen.counters.is_empty()) {
        put("counters", seen.counters.iter().map(|(name, count)| (name, integer(*count))).collect());
    }
    if let Some(log) = &before.log {
        let kept = log.iter().filter(|text| seen.log.iter().any(|line| line.message.contains(text.as_str())));
        put("log", kept.map(String::as_str).collect::<Array>().into());
    }
    Ok(())
}

/// What became of files.
fn left(before: &Expect, nothing: bool, seen: &Seen, put: &mut dyn FnMut(&str, Value)) {
    if before.files.is_some() || (nothing && !seen.files.is_empty()) {
        put("files", seen.files.iter().map(|(name, text)| (name, text.as_str())).collect());
    }
    if before.gone.is_some() || (nothing && !seen.gone.is_empty()) {
        put("gone", seen.gone.iter().map(String::as_str).collect::<Array>().into());
    }
}

fn integer(number: u64) -> Value {
    i64::try_from(number).unwrap_or(i64::MAX).into()
}

fn columns(schema: &Schema) -> Value {
    let words = schema.fields().iter().map(|field| (field.name().clone(), types::word(field)));
    Value::InlineTable(words.collect())
}

/// The rows, in the way in which they were given before; the key and its value.
fn rows(
    before: &Expect,
    nothing: bool,
    schema: &Schema,
    texts: &Texts,
    folder: &Path,
) -> Result<Option<(&'static str, Value)>, CaseError> {
    let write = |name: &str, text: String| {
        let path = folder.join(name);
        fs::write(&path, text).map_err(|error| CaseError::of_file("written", &path, &error))
    };
    if let Some(name) = &before.csv_file {
        write(name, csv(texts)?)?;
        return Ok(Some(("csv-file", name.as_str().into())));
    }
    if let Some(name) = &before.json_file {
        write(name, json(schema, texts))?;
        return Ok(Some(("json-file", name.as_str().into())));
    }
    if before.json.is_some() {
        return Ok(Some(("json", json(schema, texts).into())));
    }
    // In CSV an empty text would be read as null, and a row with nothing in it as no row.
    let fits_csv = texts.names.len() > 1 && texts.rows.iter().flatten().flatten().all(|cell| !cell.is_empty());
    if before.csv.is_some() || (nothing && fits_csv) {
        return Ok(Some(("csv", csv(texts)?.into())));
    }
    if before.rows.is_some() || nothing {
        let row = |row: &Vec<Option<String>>| -> Value {
            let cells = texts.names.iter().zip(row).zip(schema.fields());
            let named = cells.filter_map(|((name, cell), field)| {
                Some((name.clone(), toml_value(field.data_type(), cell.as_deref()?)))
            });
            Value::InlineTable(named.collect())
        };
        return Ok(Some(("rows", a_line_each(texts.rows.iter().map(row).collect()).into())));
    }
    Ok(None)
}

fn a_line_each(mut rows: Array) -> Array {
    for row in rows.iter_mut() {
        row.decor_mut().set_prefix("\n    ");
    }
    if !rows.is_empty() {
        rows.set_trailing("\n");
        rows.set_trailing_comma(true);
    }
    rows
}

fn csv(texts: &Texts) -> Result<String, CaseError> {
    let told = |error: &dyn std::fmt::Display| CaseError::new(format!("the rows cannot be written as CSV: {error}"));
    let mut writer = csv::Writer::from_writer(Vec::new());
    writer.write_record(&texts.names).map_err(|error| told(&error))?;
    for row in &texts.rows {
        writer
            .write_record(row.iter().map(|cell| cell.as_deref().unwrap_or_default()))
            .map_err(|error| told(&error))?;
    }
    let bytes = writer.into_inner().map_err(|error| told(&error))?;
    String::from_utf8(bytes).map_err(|error| told(&error))
}

fn json(schema: &Schema, texts: &Texts) -> String {
    let mut out = String::new();
    for row in &texts.rows {
        let cells = texts.names.iter().zip(row).zip(schema.fields());
        let named = cells.filter_map(|((name, cell), field)| {
            let text = cell.as_deref()?;
            let value = match toml_value(field.data_type(), text) {
                Value::Integer(value) => (*value.value()).into(),
                Value::Float(value) => serde_json::Value::from(*value.value()),
                Value::Boolean(value) => (*value.value()).into(),
                _ => text.into(),
            };
            Some((name.clone(), value))
        });
        out.push_str(&serde_json::Value::Object(named.collect()).to_string());
        out.push('\n');
    }
    out
}

fn toml_value(data_type: &DataType, text: &str) -> Value {
    let value = match data_type {
        DataType::Boolean => text.parse::<bool>().ok().map(Value::from),
        other if other.is_integer() => text.parse::<i64>().ok().map(Value::from),
        other if other.is_floating() => text.parse::<f64>().ok().filter(|value| value.is_finite()).map(Value::from),
        _ => None,
    };
    value.unwrap_or_else(|| text.into())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]
    use super::*;
    use crate::compare::compare;
    use crate::drive::given;
    use sluicebox_model::fault::{Fault, FaultKind};
    use sluicebox_model::plugin::Kind;
    use sluicebox_model::stage::BadRecord;

    const INPUT: &str = "input.columns = { n = \"int64\", t = \"utf8\", x = \"float64\", b = \"boolean\" }\n\
                         input.rows = [{ n = 9007199254740993, t = \"a,\\\"b\", x = 0.5, b = true }, {}]\n";

    /// What a stage that passes its input on is seen to answer.
    fn seen(case: &Case) -> Seen {
        let input = given(case, Kind::Transform, Path::new(".")).unwrap().remove(0);
        Seen { schema: Some(input.schema), batches: input.batches, ..Seen::default() }
    }

    /// Writes a case anew and reads it again: what was seen is what it then expects.
    fn updated(text: &str, change: impl Fn(&mut Seen)) -> String {
        let folder = tempfile::tempdir().unwrap();
        let case = Case::of_text(text).unwrap().remove(0);
        let mut seen = seen(&case);
        change(&mut seen);
        let written = update(text, &case, &seen, folder.path()).unwrap();
        let case = Case::of_text(&written).unwrap_or_else(|error| panic!("{error}: {written}")).remove(0);
        assert_eq!(compare(&case, &seen, folder.path()).unwrap(), [], "{written}");
        written
    }

    #[test]
    fn what_came_is_written_where_nothing_was_expected() {
        let written = updated(&format!("# kept\n[[case]]\nname = \"a\" # kept, too\n{INPUT}"), |seen| {
            seen.bookmark = Some("7".into());
            seen.counters.insert("seen".into(), 2);
            let record = BadRecord { origin: "a:1".into(), content: "x\"y".into(), reason: "no".into() };
            seen.quarantined.push(record);
            seen.files.insert("out/a".into(), "text\n".into());
        });
        assert!(written.starts_with("# kept\n[[case]]\nname = \"a\" # kept, too\n"), "{written}");
        for told in [
            "expect.columns = { n = \"int64\", t = \"utf8\", x = \"float64\", b = \"boolean\" }",
            "n = 9007199254740993",
            "x = 0.5",
            "b = true",
            "expect.bookmark = \"7\"",
            "expect.counters = { seen = 2 }",
            "origin = \"a:1\"",
            "\"out/a\"",
        ] {
            assert!(written.contains(told), "no {told}: {written}");
        }
    }

    #[test]
    fn what_was_expected_is_written_in_the_same_way() {
        let case = format!("[[case]]\nname = \"a\"\n{INPUT}");
        let json = updated(&format!("{case}expect.json = \"\"\n"), |_| {});
        assert!(json.contains(r#"{"n":9007199254740993,"t":"a,\"b","x":0.5,"b":true}"#), "{json}");
        assert!(!json.contains("expect.columns"), "types were not compared: {json}");
        let csv = updated(&format!("{case}expect.csv = \"\"\n"), |_| {});
        assert!(csv.contains("9007199254740993,\"a,\"\"b\",0.5,true"), "{csv}");
        let rows = updated(&format!("{case}expect.rows = []\nexpect.counters = {{ seen = 1 }}\n"), |seen| {
            seen.counters.insert("seen".into(), 5);
            seen.counters.insert("other".into(), 5);
            seen.bookmark = Some("9".into());
        });
        assert!(rows.contains("seen = 5") && !rows.contains("bookmark"), "{rows}");
        // One case of several, and a table that is no dotted key.
        let two = format!("{case}\n[case.expect]\njson = \"\"\n\n[[case]]\nname = \"b\"\ninput.rows = []\n");
        assert!(updated(&two, |_| {}).ends_with("[[case]]\nname = \"b\"\ninput.rows = []\n"));
    }

    #[test]
    fn a_fault_takes_the_place_of_rows_and_rows_that_of_a_fault() {
        let case = format!("[[case]]\nname = \"a\"\n{INPUT}");
        let fault = |seen: &mut Seen| {
            seen.fault = Some(Fault::new(FaultKind::InvalidData, "process", "row 1 is odd\nand more"));
            seen.fault_row = Some(1);
        };
        let written = updated(&format!("{case}expect.csv = \"\"\n"), fault);
        assert!(
            written.contains("expect.fault = { kind = \"invalid-data\", message = \"row 1 is odd\" }"),
            "{written}"
        );
        assert!(!written.contains("expect.csv"), "{written}");
        // What was compared of a fault is compared again; a part of the message that still fits stays.
        let old = "expect.fault = { kind = \"denied\", message = \"is odd\", call = \"open\", row = 7 }\n";
        let written = updated(&format!("{case}{old}"), fault);
        let new = "expect.fault = { kind = \"invalid-data\", message = \"is odd\", call = \"process\", row = 1 }";
        assert!(written.contains(new), "{written}");
        // And what became of files.
        let written = updated(&format!("{case}{old}expect.files = {{ x = \"\" }}\nexpect.gone = [\"y\"]\n"), fault);
        assert!(written.contains("expect.files = {") && written.contains("expect.gone = []"), "{written}");
        let rows = updated(&format!("{case}{old}"), |_| {});
        assert!(!rows.contains("fault") && rows.contains("9007199254740993"), "{rows}");
    }

    #[test]
    fn tables_in_files_of_their_own_are_written_there() {
        let folder = tempfile::tempdir().unwrap();
        for (key, name) in [("csv-file", "rows.csv"), ("json-file", "rows.jsonl")] {
            let text = format!("[[case]]\nname = \"a\"\n{INPUT}expect.{key} = \"{name}\"\n");
            let case = Case::of_text(&text).unwrap().remove(0);
            let seen = seen(&case);
            let written = update(&text, &case, &seen, folder.path()).unwrap();
            assert!(written.contains(&format!("expect.{key} = \"{name}\"")), "{written}");
            assert!(fs::read_to_string(folder.path().join(name)).unwrap().contains("9007199254740993"));
            assert_eq!(compare(&case, &seen, folder.path()).unwrap(), []);
            // What is read from there is what is compared.
            fs::write(
                folder.path().join(name),
                fs::read_to_string(folder.path().join(name)).unwrap().replace("0.5", "0.25"),
            )
            .unwrap();
            assert_eq!(compare(&case, &seen, folder.path()).unwrap().len(), 1);
        }
        let text = format!("[[case]]\nname = \"a\"\n{INPUT}expect.csv-file = \"none/rows.csv\"\n");
        let case = Case::of_text(&text).unwrap().remove(0);
        let told = update(&text, &case, &seen(&case), folder.path()).unwrap_err();
        assert!(told.message.contains("none/rows.csv cannot be written"), "{told}");
    }

    #[test]
    fn rows_are_read_from_files_of_their_own() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("a.csv"), "n,t\n1,x\n,y\n").unwrap();
        fs::write(folder.path().join("a.jsonl"), "{\"n\": 1, \"t\": \"x\"}\n{\"t\": \"y\"}\n").unwrap();
        let read = |input: &str| {
            let case = Case::of_text(&format!("[[case]]\nname = \"a\"\n{input}\n")).unwrap().remove(0);
            given(&case, Kind::Transform, folder.path()).unwrap().remove(0).batches
        };
        let wanted = read("input.csv = \"n,t\\n1,x\\n,y\\n\"");
        assert_eq!(read("input.csv-file = \"a.csv\""), wanted);
        assert_eq!(read("input.json-file = \"a.jsonl\""), wanted);
    }

    #[test]
    fn a_case_that_is_not_there_is_told() {
        let case = Case::of_text("[[case]]\nname = \"a\"\ninput.rows = []\n").unwrap().remove(0);
        let told = update("[[case]]\nname = \"b\"\n", &case, &Seen::default(), Path::new(".")).unwrap_err();
        assert!(told.message.contains("no `[[case]]` with the name `a`"), "{told}");
    }
}
