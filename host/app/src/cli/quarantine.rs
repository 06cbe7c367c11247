//! `sluicebox quarantine`

mod export;
mod list;
pub(crate) mod replay;

use super::logs::known_stage;
use super::{Exit, Format, Output, State, print, print_json};
use crate::journal;
use crate::places;
use crate::show::human::{self, clean_line};
use crate::show::style::{Style, Tone};
use crate::show::table::{Align, Cell, Table};
use crate::trouble::Trouble;
use arrow_array::{Array, RecordBatch};
use arrow_cast::display::{ArrayFormatter, FormatOptions};
use arrow_schema::{DataType, Schema};
use clap::{Args, Subcommand};
use serde_json::json;
use sluicebox_store::QuarantineEntry;
use std::sync::Arc;

const EXAMPLES: &str = "\
Examples:
  sluicebox quarantine show last                rows of the last run that were set aside, with the reasons
  sluicebox quarantine show last --stage check --limit 100
  sluicebox quarantine show last --format json | jq '.reasons'
  sluicebox quarantine list                     what waits to be dealt with, of all runs
  sluicebox quarantine replay last              put the rows through the pipeline again
  sluicebox quarantine export last --to rejected.csv

A replay is a run of its own, with today's pipeline file and plugins. The rows go on at the stage that set them aside, and
are added to what was loaded: loads behind it need `mode = \"append\"`. Rows that fall out again are set aside again, by that
run.";

/// Show, export, replay or drop the rows that runs set aside
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct Quarantine {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// List the runs with rows that were set aside and not dealt with
    List(list::List),
    /// Show the rows that a run set aside, with the reasons
    Show(Show),
    /// Write the rows that a run set aside to a file, with the reasons
    Export(export::Export),
    /// Put the rows that a run set aside through the pipeline again
    Replay(replay::Replay),
    /// Mark the rows that a run set aside as dealt with
    Drop(list::Drop),
}

#[derive(Debug, Args)]
struct Show {
    /// The run: its id, the beginning of it, or `last`
    run: String,
    /// Only rows of this stage
    #[arg(long)]
    stage: Option<String>,
    /// At most so many rows
    #[arg(long, default_value_t = 20, value_name = "N")]
    limit: u64,
    #[command(flatten)]
    state: State,
    #[command(flatten)]
    output: Output,
}

impl Quarantine {
    pub(super) fn format(&self) -> Format {
        match &self.command {
            Command::List(command) => command.output.format,
            Command::Show(command) => command.output.format,
            Command::Export(command) => command.output.format,
            Command::Replay(command) => command.output.format,
            Command::Drop(command) => command.output.format,
        }
    }

    pub(super) fn run(self) -> Result<Exit, Trouble> {
        let command = match self.command {
            Command::List(command) => return command.run(),
            Command::Export(command) => return command.run(),
            Command::Replay(command) => return command.run(),
            Command::Drop(command) => return command.run(),
            Command::Show(command) => command,
        };
        let store = journal::open(&places::state(command.state.state.as_deref())?)?;
        let record = store.run(&command.run)?;
        known_stage(&record, command.stage.as_deref())?;
        let mut entries = store.quarantine(record.id, command.stage.as_deref(), 0, command.limit)?;
        for entry in &mut entries {
            entry.batch = entry.batch.take().map(displayable);
        }
        let mut reasons = store.quarantine_counts(record.id)?;
        reasons.retain(|reason| command.stage.as_deref().is_none_or(|name| name == reason.stage));
        if command.output.format == Format::Json {
            let entries = serde_json::to_value(&entries)
                .map_err(|error| Trouble::new(format!("the rows cannot be shown as JSON: {error}")))?;
            print_json(&json!({ "run": record.id, "reasons": reasons, "entries": entries }));
        } else {
            let all = reasons.iter().map(|reason| reason.count).sum();
            print(&shown(&entries, all, Style::stdout())?);
        }
        Ok(Exit::Done)
    }
}

/// Times with the name of a zone are shown in UTC: that needs no table of zones.
pub(crate) fn displayable(batch: RecordBatch) -> RecordBatch {
    let schema = batch.schema();
    let mut fields = Vec::new();
    let mut columns = Vec::new();
    for (field, column) in schema.fields().iter().zip(batch.columns()) {
        let shown = match field.data_type() {
            DataType::Timestamp(unit, Some(_)) => {
                let data_type = DataType::Timestamp(*unit, Some("+00:00".into()));
                arrow_cast::cast(column, &data_type).ok()
            }
            _ => None,
        };
        let shown = shown.unwrap_or_else(|| column.clone());
        fields.push(field.as_ref().clone().with_data_type(shown.data_type().clone()));
        columns.push(shown);
    }
    RecordBatch::try_new(Arc::new(Schema::new(fields)), columns).unwrap_or(batch)
}

/// A table for each stage and set of columns, since each may have columns of its own.
fn shown(entries: &[QuarantineEntry], all: u64, style: Style) -> Result<String, Trouble> {
    if all == 0 {
        return Ok("nothing was set aside\n".to_owned());
    }
    let mut out = String::new();
    let mut seen = 0;
    let columns = |entry: &QuarantineEntry| entry.batch.as_ref().map(|batch| batch.schema());
    for group in entries.chunk_by(|a, b| a.stage == b.stage && a.kind == b.kind && columns(a) == columns(b)) {
        let Some(first) = group.first() else { continue };
        out.push_str(&format!("stage {}\n\n", style.paint(Tone::Strong, &clean_line(&first.stage))));
        let names: Vec<(String, Align)> = columns(first)
            .iter()
            .flat_map(|schema| schema.fields())
            .map(|field| {
                let align = if field.data_type().is_numeric() { Align::Right } else { Align::Left };
                (clean_line(field.name()), align)
            })
            .collect();
        let mut headings = vec![("reason", Align::Left), ("where", Align::Left), ("as it was", Align::Left)];
        headings.extend(names.iter().map(|(name, align)| (name.as_str(), *align)));
        let mut table = Table::new(&headings);
        for entry in group {
            seen += rows(entry, &mut table)?;
        }
        out.push_str(&table.render(style));
        for entry in group {
            if let Some(why) = &entry.unreadable {
                let rows = human::count(entry.count, "row", "rows");
                out.push_str(&format!("  {rows} cannot be read any more: {}\n", clean_line(why)));
            }
        }
        out.push('\n');
    }
    let line = if seen < all {
        format!("{} of {} rows; more with --limit N", human::number(seen), human::number(all))
    } else {
        human::count(seen, "row", "rows")
    };
    out.push_str(&format!("{}\n", style.paint(Tone::Quiet, &line)));
    Ok(out)
}

/// Adds the rows of an entry to the table; answers with how many there are.
fn rows(entry: &QuarantineEntry, table: &mut Table) -> Result<u64, Trouble> {
    let reason = |at: usize| {
        let reason = entry.reasons.get(at).map(|reason| clean_line(reason)).unwrap_or_default();
        Cell::toned(human::cut(&reason, 80), Tone::Warn)
    };
    for (at, record) in entry.records.iter().enumerate() {
        let content = human::cut(&clean_line(&record.content), 100);
        table.row(vec![reason(at), clean_line(&record.origin).into(), content.into()]);
    }
    let Some(batch) = &entry.batch else { return Ok(entry.records.len() as u64) };
    let options = FormatOptions::default();
    let wrong = |error| Trouble::new(format!("a column cannot be shown: {error}"));
    let columns: Vec<ArrayFormatter<'_>> = batch
        .columns()
        .iter()
        .map(|column| ArrayFormatter::try_new(column, &options).map_err(wrong))
        .collect::<Result<_, _>>()?;
    for at in 0..batch.num_rows() {
        let mut cells = vec![reason(at), Cell::default(), Cell::default()];
        for (column, values) in columns.iter().zip(batch.columns()) {
            cells.push(if values.is_null(at) {
                Cell::toned("null", Tone::Quiet)
            } else {
                human::cut(&clean_line(&column.value(at).to_string()), 40).into()
            });
        }
        table.row(cells);
    }
    Ok(batch.num_rows() as u64)
}
