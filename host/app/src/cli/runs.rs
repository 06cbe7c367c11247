//! `sluicebox runs list` and `sluicebox runs show`

use super::{Exit, Format, Output, State, print, print_json};
use crate::journal;
use crate::places;
use crate::show::human::{self, clean_line};
use crate::show::outcome::{self, Comparison, Totals};
use crate::show::style::{Style, Tone};
use crate::show::table::{Align, Cell, Table};
use crate::trouble::Trouble;
use clap::{Args, Subcommand};
use serde_json::json;
use sluicebox_model::run::RunRecord;
use sluicebox_store::{ReasonCount, RunFilter};
use std::path::Path;

const EXAMPLES: &str = "\
Examples:
  sluicebox runs                          the last runs
  sluicebox runs list --pipeline flights  those of one pipeline
  sluicebox runs show last                stages, rows, bytes, time, memory, attempts, rules and faults
  sluicebox runs show 0199 --backtrace    a run by the beginning of its id, with the guest's backtrace
  sluicebox runs show last --format json

A run is named by its id, by the beginning of it, or by `last`.";

/// List the runs, or show how one went
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES, args_conflicts_with_subcommands = true)]
pub struct Runs {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    list: List,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// List the runs, the latest first (this is also what `sluicebox runs` alone does)
    List(List),
    /// Show how a run went
    Show(Show),
}

#[derive(Debug, Args)]
struct List {
    /// Only runs of this pipeline
    #[arg(long, value_name = "NAME")]
    pipeline: Option<String>,
    /// At most so many runs
    #[arg(long, default_value_t = 20, value_name = "N")]
    limit: u32,
    #[command(flatten)]
    state: State,
    #[command(flatten)]
    output: Output,
}

#[derive(Debug, Args)]
struct Show {
    /// The run: its id, the beginning of it, or `last`
    run: String,
    /// Show the guest's backtrace with a fault
    #[arg(long)]
    backtrace: bool,
    #[command(flatten)]
    state: State,
    #[command(flatten)]
    output: Output,
}

impl Runs {
    pub(super) fn format(&self) -> Format {
        match &self.command {
            Some(Command::Show(show)) => show.output.format,
            Some(Command::List(list)) => list.output.format,
            None => self.list.output.format,
        }
    }

    pub(super) fn run(self) -> Result<Exit, Trouble> {
        match self.command {
            Some(Command::Show(command)) => show(&command),
            Some(Command::List(command)) => list(&command),
            None => list(&self.list),
        }
    }
}

fn list(command: &List) -> Result<Exit, Trouble> {
    let state = places::state(command.state.state.as_deref())?;
    let store = journal::open(&state)?;
    let filter = RunFilter { pipeline: command.pipeline.clone(), limit: Some(command.limit), ..RunFilter::default() };
    let runs = store.runs(&filter)?;
    if command.output.format == Format::Json {
        print_json(&json!({ "runs": runs }));
        return Ok(Exit::Done);
    }
    let style = Style::stdout();
    let mut table = Table::new(&[
        ("run", Align::Left),
        ("pipeline", Align::Left),
        ("state", Align::Left),
        ("began", Align::Left),
        ("took", Align::Right),
        ("read", Align::Right),
        ("loaded", Align::Right),
        ("rejected", Align::Right),
    ]);
    for run in &runs {
        table.row(vec![
            run.id.to_string().into(),
            clean_line(&run.pipeline).into(),
            Cell::toned(run.state.word(), outcome::tone(run.state)),
            human::time(run.started_at.unwrap_or(run.queued_at)).into(),
            run.duration.map(human::duration).unwrap_or_default().into(),
            human::number(run.rows_read).into(),
            human::number(run.rows_loaded).into(),
            human::number(run.rows_rejected + run.rows_quarantined).into(),
        ]);
    }
    print(&if table.is_empty() { "no runs yet\n".to_owned() } else { table.render(style) });
    Ok(Exit::Done)
}

fn show(command: &Show) -> Result<Exit, Trouble> {
    let state = places::state(command.state.state.as_deref())?;
    let store = journal::open(&state)?;
    let record = store.run(&command.run)?;
    let comparison = journal::comparison(&store, &record)?;
    if command.output.format == Format::Json {
        print_json(&journal::record_json(&record, comparison));
    } else {
        let reasons = store.quarantine_counts(record.id)?;
        print(&shown(&record, comparison, &reasons, command.backtrace, &state, Style::stdout()));
    }
    Ok(Exit::Done)
}

fn shown(
    record: &RunRecord,
    comparison: Option<Comparison>,
    reasons: &[ReasonCount],
    backtrace: bool,
    state: &Path,
    style: Style,
) -> String {
    let mut out = outcome::headline(record, style);
    let mut facts = Table::new(&[("", Align::Left), ("", Align::Left)]);
    let trigger = json!(record.trigger).as_str().unwrap_or_default().to_owned();
    facts.row(vec!["run".into(), record.id.to_string().into()]);
    facts.row(vec!["began".into(), format!("{} ({trigger})", human::time(record.queued_at)).into()]);
    let interval = if record.interval.start == record.interval.end {
        human::time(record.interval.end)
    } else {
        format!("{} to {}", human::time(record.interval.start), human::time(record.interval.end))
    };
    facts.row(vec!["for".into(), interval.into()]);
    facts.row(vec!["state".into(), clean_line(&state.display().to_string()).into()]);
    out.push_str(&facts.render(style));
    out.push('\n');
    out.push_str(&outcome::stages(record, style));
    out.push_str(&outcome::rules(record, style));
    out.push_str(&outcome::counts(record, style));
    out.push_str(&outcome::reasons(reasons, style));
    out.push_str(&outcome::receipts(record, str::to_owned, style));
    if let Some(comparison) = comparison {
        out.push_str(&comparison.line(record, style));
    }
    out.push_str(&outcome::faults(record, backtrace, style));
    if Totals::of(record).rows_rejected > 0 {
        let hint = format!("the rejected rows: sluicebox quarantine show {}", record.id);
        out.push_str(&format!("\n  {}\n", style.paint(Tone::Quiet, &hint)));
    }
    out
}
