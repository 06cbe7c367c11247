//! `sluicebox quarantine export`

use super::displayable;
use crate::cli::logs::known_stage;
use crate::cli::{Exit, Format, Output, State, print, print_json};
use crate::house::shout;
use crate::journal;
use crate::places;
use crate::show::human;
use crate::trouble::Trouble;
use arrow_array::{Array, ArrayRef, RecordBatch, StringArray};
use arrow_cast::display::{ArrayFormatter, FormatOptions};
use arrow_ipc::writer::FileWriter;
use arrow_schema::{ArrowError, DataType, Field, Schema};
use clap::Args;
use serde_json::{Value, json};
use sluicebox_store::QuarantineEntry;
use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

#[derive(Debug, Args)]
pub(super) struct Export {
    /// The run: its id, the beginning of it, or `last`
    run: String,
    /// Only rows of this stage
    #[arg(long)]
    stage: Option<String>,
    /// The file to write: `.csv`, `.jsonl` or `.arrow`
    #[arg(long, value_name = "FILE")]
    to: PathBuf,
    /// Replace the file if it is there
    #[arg(long)]
    force: bool,
    #[command(flatten)]
    state: State,
    #[command(flatten)]
    pub(super) output: Output,
}

/// How rows are written.
#[derive(Clone, Copy)]
enum Shape {
    Csv,
    Jsonl,
    Arrow,
}

impl Export {
    pub(super) fn run(self) -> Result<Exit, Trouble> {
        let shape = match self.to.extension().and_then(|end| end.to_str()) {
            Some("csv") => Shape::Csv,
            Some("jsonl") => Shape::Jsonl,
            Some("arrow") => Shape::Arrow,
            _ => {
                let message = format!("{} is of no kind that can be written", self.to.display());
                return Err(Trouble::new(message).help("name a file that ends in .csv, .jsonl or .arrow"));
            }
        };
        let store = journal::open(&places::state(self.state.state.as_deref())?)?;
        let record = store.run(&self.run)?;
        known_stage(&record, self.stage.as_deref())?;
        if self.to.exists() && !self.force {
            return Err(there_already(&self.to));
        }
        let entries = store.quarantine(record.id, self.stage.as_deref(), 0, u64::MAX)?;
        if entries.is_empty() {
            return Err(Trouble::new(format!("run {} set nothing aside", record.id))
                .help("`sluicebox quarantine list` shows the runs that did"));
        }
        let mut lost = 0;
        for entry in &entries {
            if let Some(why) = &entry.unreadable {
                lost += entry.count;
                shout(&format!("{} cannot be read any more: {why}", human::count(entry.count, "row", "rows")));
            }
        }
        let half = self.to.with_extension(format!("{}.half", std::process::id()));
        let rows = write(&half, shape, &entries).and_then(|rows| self.place(&half).map(|()| rows));
        let rows = rows.inspect_err(|_| {
            let _ = std::fs::remove_file(&half);
        })?;
        if self.output.format == Format::Json {
            print_json(&json!({ "run": record.id, "file": self.to, "rows": rows, "unreadable": lost }));
        } else {
            print(&format!("{} written to {}\n", human::count(rows, "row", "rows"), self.to.display()));
        }
        Ok(if lost == 0 { Exit::Done } else { Exit::Failed })
    }

    /// Gives the file its name.
    fn place(&self, half: &Path) -> Result<(), Trouble> {
        if self.force {
            return std::fs::rename(half, &self.to).map_err(|error| told(&self.to, &error));
        }
        // A link refuses to take the place of what came meanwhile.
        match std::fs::hard_link(half, &self.to) {
            Ok(()) => std::fs::remove_file(half).map_err(|error| told(half, &error)),
            Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => Err(there_already(&self.to)),
            // Not every disk has links.
            Err(_) => std::fs::rename(half, &self.to).map_err(|error| told(&self.to, &error)),
        }
    }
}

fn there_already(path: &Path) -> Trouble {
    Trouble::new(format!("{} is there already", path.display())).help("name another file, or replace it: `--force`")
}

fn told(path: &Path, error: &dyn std::fmt::Display) -> Trouble {
    Trouble::new(format!("{} cannot be written: {error}", path.display()))
}

fn write(path: &Path, shape: Shape, entries: &[QuarantineEntry]) -> Result<u64, Trouble> {
    let io = |error: std::io::Error| told(path, &error);
    let file = File::create(path).map_err(io)?;
    let mut out = BufWriter::new(file);
    let mut rows = 0;
    match shape {
        Shape::Jsonl => {
            for entry in entries {
                rows += jsonl(entry, &mut out).map_err(io)?;
            }
        }
        Shape::Csv => {
            let batches = batches(entries).map_err(|error| told(path, &error))?;
            let schema = one_schema(&batches)?;
            let names: Vec<String> = schema.fields().iter().map(|field| quoted(field.name())).collect();
            writeln!(out, "{}", names.join(",")).map_err(io)?;
            for batch in batches {
                rows += csv(&displayable(batch), &mut out).map_err(|error| told(path, &error))?;
            }
        }
        Shape::Arrow => {
            let batches = batches(entries).map_err(|error| told(path, &error))?;
            let schema = one_schema(&batches)?;
            let mut writer = FileWriter::try_new(&mut out, &schema).map_err(|error| told(path, &error))?;
            for batch in &batches {
                rows += batch.num_rows() as u64;
                writer.write(batch).map_err(|error| told(path, &error))?;
            }
            writer.finish().map_err(|error| told(path, &error))?;
        }
    }
    out.flush().map_err(io)?;
    out.get_ref().sync_all().map_err(io)?;
    Ok(rows)
}

fn one_schema(batches: &[RecordBatch]) -> Result<Arc<Schema>, Trouble> {
    let schema = batches.first().map(RecordBatch::schema).unwrap_or_else(|| Arc::new(Schema::empty()));
    if batches.iter().any(|batch| batch.schema() != schema) {
        return Err(Trouble::new("the rows that were set aside do not all have the same columns")
            .help("name one stage: `--stage STAGE`, or write a .jsonl file"));
    }
    Ok(schema)
}

/// The rows of each entry, with stage and reason as the first columns.
fn batches(entries: &[QuarantineEntry]) -> Result<Vec<RecordBatch>, ArrowError> {
    let mut batches = Vec::new();
    for entry in entries.iter().filter(|entry| entry.unreadable.is_none()) {
        let text = |values: Vec<&str>| Arc::new(StringArray::from(values)) as ArrayRef;
        let rows = entry.reasons.len();
        let mut fields = vec![
            Arc::new(Field::new("sluicebox_stage", DataType::Utf8, false)),
            Arc::new(Field::new("sluicebox_reason", DataType::Utf8, false)),
        ];
        let mut columns =
            vec![text(vec![&entry.stage; rows]), text(entry.reasons.iter().map(String::as_str).collect())];
        if let Some(batch) = &entry.batch {
            fields.extend(batch.schema().fields().iter().cloned());
            columns.extend(batch.columns().iter().cloned());
        } else {
            for (name, values) in [
                ("where", entry.records.iter().map(|record| record.origin.as_str()).collect()),
                ("as_it_was", entry.records.iter().map(|record| record.content.as_str()).collect()),
            ] {
                fields.push(Arc::new(Field::new(name, DataType::Utf8, false)));
                columns.push(text(values));
            }
        }
        batches.push(RecordBatch::try_new(Arc::new(Schema::new(fields)), columns)?);
    }
    Ok(batches)
}

/// An object a row: stage, reason, and the row or the record as it was.
fn jsonl(entry: &QuarantineEntry, out: &mut impl Write) -> std::io::Result<u64> {
    let whole = serde_json::to_value(entry)?;
    let key = if entry.batch.is_some() { "rows" } else { "records" };
    let Some(Value::Array(rows)) = whole.get(key) else { return Ok(0) };
    for (row, reason) in rows.iter().zip(&entry.reasons) {
        let key = if entry.batch.is_some() { "row" } else { "record" };
        writeln!(out, "{}", json!({ "stage": entry.stage, "reason": reason, key: row }))?;
    }
    Ok(rows.len() as u64)
}

fn csv(batch: &RecordBatch, out: &mut impl Write) -> Result<u64, Box<dyn std::error::Error>> {
    let options = FormatOptions::default();
    let columns: Vec<ArrayFormatter<'_>> =
        batch.columns().iter().map(|column| ArrayFormatter::try_new(column, &options)).collect::<Result<_, _>>()?;
    for at in 0..batch.num_rows() {
        let cells: Vec<String> = columns
            .iter()
            .zip(batch.columns())
            .map(|(column, values)| match values.is_null(at) {
                true => String::new(),
                // An empty text is told from none.
                false => Some(column.value(at).to_string())
                    .filter(|text| !text.is_empty())
                    .map_or("\"\"".into(), |text| quoted(&text)),
            })
            .collect();
        writeln!(out, "{}", cells.join(","))?;
    }
    Ok(batch.num_rows() as u64)
}

fn quoted(text: &str) -> String {
    if text.contains([',', '"', '\n', '\r']) { format!("\"{}\"", text.replace('"', "\"\"")) } else { text.to_owned() }
}
