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
use sluicebox_model::run::RunRecord;
use sluicebox_store::{QuarantineEntry, Store};
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
        let half = self.to.with_extension(format!("{}.half", std::process::id()));
        let written = write(&store, &record, self.stage.as_deref(), &half, shape);
        let (rows, lost) = written.and_then(|told| self.place(&half).map(|()| told)).inspect_err(|_| {
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

/// Writes what a run set aside, entry by entry; answers with the rows that were written, and those that cannot be read.
fn write(
    store: &Store,
    record: &RunRecord,
    stage: Option<&str>,
    path: &Path,
    shape: Shape,
) -> Result<(u64, u64), Trouble> {
    let io = |error: std::io::Error| told(path, &error);
    let mut file = Writing { path, shape, out: Out::None, schema: None, rows: 0 };
    let (mut entries, mut lost) = (0, 0);
    store.each_quarantined(record.id, stage, |entry| -> Result<(), Trouble> {
        entries += 1;
        if let Some(why) = &entry.unreadable {
            lost += entry.count;
            shout(&format!("{} cannot be read any more: {why}", human::count(entry.count, "row", "rows")));
            return Ok(());
        }
        file.put(&entry)
    })?;
    if entries == 0 {
        return Err(Trouble::new(format!("run {} set nothing aside", record.id))
            .help("`sluicebox quarantine list` shows the runs that did"));
    }
    let rows = file.rows;
    let out = file.finish()?;
    out.get_ref().sync_all().map_err(io)?;
    Ok((rows, lost))
}

/// A file in the making. What stands in it is known with the first entry.
struct Writing<'a> {
    path: &'a Path,
    shape: Shape,
    out: Out,
    /// Of the rows; none for lines of JSON.
    schema: Option<Arc<Schema>>,
    rows: u64,
}

enum Out {
    None,
    Text(BufWriter<File>),
    Arrow(Box<FileWriter<BufWriter<File>>>),
}

impl Writing<'_> {
    fn put(&mut self, entry: &QuarantineEntry) -> Result<(), Trouble> {
        if matches!(self.shape, Shape::Jsonl) {
            self.begin(&Schema::empty())?;
            let Out::Text(out) = &mut self.out else { return Ok(()) };
            self.rows += jsonl(entry, out).map_err(|error| told(self.path, &error))?;
            return Ok(());
        }
        let batch = batch(entry).map_err(|error| told(self.path, &error))?;
        let schema = self.schema.get_or_insert_with(|| batch.schema()).clone();
        if schema != batch.schema() {
            return Err(Trouble::new("the rows that were set aside do not all have the same columns")
                .help("name one stage: `--stage STAGE`, or write a .jsonl file"));
        }
        self.begin(&schema)?;
        match &mut self.out {
            Out::Text(out) => self.rows += csv(&displayable(batch), out).map_err(|error| told(self.path, &error))?,
            Out::Arrow(writer) => {
                writer.write(&batch).map_err(|error| told(self.path, &error))?;
                self.rows += batch.num_rows() as u64;
            }
            Out::None => {}
        }
        Ok(())
    }

    /// Makes the file, unless it is there.
    fn begin(&mut self, schema: &Schema) -> Result<(), Trouble> {
        if !matches!(self.out, Out::None) {
            return Ok(());
        }
        let mut file = BufWriter::new(File::create(self.path).map_err(|error| told(self.path, &error))?);
        self.out = match self.shape {
            Shape::Arrow => {
                let writer = FileWriter::try_new(file, schema).map_err(|error| told(self.path, &error))?;
                Out::Arrow(Box::new(writer))
            }
            Shape::Csv => {
                let names: Vec<String> = schema.fields().iter().map(|field| quoted(field.name())).collect();
                writeln!(file, "{}", names.join(",")).map_err(|error| told(self.path, &error))?;
                Out::Text(file)
            }
            Shape::Jsonl => Out::Text(file),
        };
        Ok(())
    }

    /// Writes what is still to be written.
    fn finish(mut self) -> Result<BufWriter<File>, Trouble> {
        // Nothing could be read.
        self.begin(&Schema::empty())?;
        let path = self.path;
        let mut out = match self.out {
            Out::Arrow(writer) => writer.into_inner().map_err(|error| told(path, &error))?,
            Out::Text(out) => out,
            Out::None => return Err(told(path, &"it was not begun")),
        };
        out.flush().map_err(|error| told(path, &error))?;
        Ok(out)
    }
}

/// The rows of an entry, with stage and reason as the first columns.
fn batch(entry: &QuarantineEntry) -> Result<RecordBatch, ArrowError> {
    let text = |values: Vec<&str>| Arc::new(StringArray::from(values)) as ArrayRef;
    let rows = entry.reasons.len();
    let mut fields = vec![
        Arc::new(Field::new("sluicebox_stage", DataType::Utf8, false)),
        Arc::new(Field::new("sluicebox_reason", DataType::Utf8, false)),
    ];
    let mut columns = vec![text(vec![&entry.stage; rows]), text(entry.reasons.iter().map(String::as_str).collect())];
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
    RecordBatch::try_new(Arc::new(Schema::new(fields)), columns)
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
