//! `sluicebox runs list` and `sluicebox runs show`

mod waiting;

use super::{Exit, Format, Output, State, print, print_json};
use crate::client::Client;
use crate::house::House;
use crate::journal;
use crate::places;
use crate::queued::{self, Found};
use crate::show::compiling::compiling;
use crate::show::human::{self, clean_line};
use crate::show::outcome::{self, Comparison, Totals};
use crate::show::style::{Style, Tone};
use crate::show::table::{Align, Cell, Table};
use crate::show::warnings::Warnings;
use crate::trouble::Trouble;
use crate::wiring::Host;
use clap::{Args, Subcommand, ValueEnum};
use serde_json::json;
use sluicebox_model::run::{RunRecord, RunState};
use sluicebox_store::{ReasonCount, RunFilter, Store};
use std::path::Path;

const EXAMPLES: &str = "\
Examples:
  sluicebox runs                          the last runs
  sluicebox runs list --pipeline flights  those of one pipeline
  sluicebox runs show last                stages, rows, bytes, time, memory, attempts, rules and faults
  sluicebox runs show 0199 --backtrace    a run by the beginning of its id, with the guest's backtrace
  sluicebox runs show last --format json
  sluicebox runs resolve 0199 commit      try again to finish a run that was interrupted

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
    /// Decide about a run whose commit does not come to an end
    Resolve(Resolve),
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

#[derive(Debug, Args)]
struct Resolve {
    /// The run: its id, the beginning of it, or `last`
    run: String,
    /// `commit`: try once more to show what it prepared. `abandon`: leave it as it is, and take back what is not shown
    decision: Decision,
    #[command(flatten)]
    state: State,
    #[command(flatten)]
    output: Output,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Decision {
    Commit,
    Abandon,
}

impl Runs {
    pub(super) fn format(&self) -> Format {
        match &self.command {
            Some(Command::Show(show)) => show.output.format,
            Some(Command::List(list)) => list.output.format,
            Some(Command::Resolve(resolve)) => resolve.output.format,
            None => self.list.output.format,
        }
    }

    pub(super) fn run(self) -> Result<Exit, Trouble> {
        match self.command {
            Some(Command::Show(command)) => show(&command),
            Some(Command::List(command)) => list(&command),
            Some(Command::Resolve(command)) => resolve(&command),
            None => list(&self.list),
        }
    }
}

fn list(command: &List) -> Result<Exit, Trouble> {
    let state = places::state(command.state.state.as_deref())?;
    let store = journal::open(&state)?;
    let filter = RunFilter { pipeline: command.pipeline.clone(), limit: Some(command.limit), ..RunFilter::default() };
    let runs = store.runs(&filter)?;
    let mut waiting = waiting::all(&store, &state)?;
    waiting.retain(|it| command.pipeline.as_ref().is_none_or(|pipeline| *pipeline == it.run.pipeline));
    waiting.truncate(usize::try_from(command.limit).unwrap_or(usize::MAX));
    if command.output.format == Format::Json {
        print_json(&json!({ "runs": runs, "waiting": waiting }));
        return Ok(Exit::Done);
    }
    let style = Style::stdout();
    let mut columns = vec![
        ("run", Align::Left),
        ("pipeline", Align::Left),
        ("state", Align::Left),
        ("began", Align::Left),
        ("took", Align::Right),
        ("read", Align::Right),
        ("loaded", Align::Right),
        ("rejected", Align::Right),
    ];
    if !waiting.is_empty() {
        columns.push(("waits", Align::Left));
    }
    let mut table = Table::new(&columns);
    // The last to start stands at the top, as among those that have begun.
    for it in waiting.iter().rev() {
        let mut row = vec![
            it.run.run.to_string().into(),
            clean_line(&it.run.pipeline).into(),
            Cell::toned(RunState::Queued.word(), outcome::tone(RunState::Queued)),
        ];
        row.resize_with(columns.len() - 1, || "".into());
        row.push(clean_line(&it.why).into());
        table.row(row);
    }
    for run in &runs {
        let mut row = vec![
            run.id.to_string().into(),
            clean_line(&run.pipeline).into(),
            Cell::toned(run.state.word(), outcome::tone(run.state)),
            human::time(run.started_at.unwrap_or(run.queued_at)).into(),
            run.duration.map(human::duration).unwrap_or_default().into(),
            human::number(run.rows_read).into(),
            human::number(run.rows_loaded).into(),
            human::number(run.rows_rejected + run.rows_quarantined).into(),
        ];
        row.resize_with(columns.len(), || "".into());
        table.row(row);
    }
    print(&if table.is_empty() { "no runs yet\n".to_owned() } else { table.render(style) });
    Ok(Exit::Done)
}

fn show(command: &Show) -> Result<Exit, Trouble> {
    let state = places::state(command.state.state.as_deref())?;
    let store = journal::open(&state)?;
    let queued = match queued::find(&store, &command.run)? {
        Found::Begun(run) => {
            let record = store.run(&run.to_string())?;
            tell(&store, &record, command.output.format, command.backtrace, &state)?;
            return Ok(Exit::Done);
        }
        Found::Queued(queued) => queued,
    };
    let waiting = waiting::one(&store, &state, queued.run)?;
    match (command.output.format, &waiting) {
        (Format::Json, _) => print_json(&queued::json(&queued, waiting.as_ref())?),
        (_, Some(waiting)) => print(&waiting::shown(waiting, &state, Style::stdout())),
        // It left the queue without a start, or is about to begin.
        (_, None) => tell(&store, &queued::record(&queued)?, Format::Table, command.backtrace, &state)?,
    }
    Ok(Exit::Done)
}

/// Shows a run.
///
/// # Errors
/// The store cannot be read.
pub(super) fn tell(
    store: &Store,
    record: &RunRecord,
    format: Format,
    backtrace: bool,
    state: &Path,
) -> Result<(), Trouble> {
    let comparison = journal::comparison(store, record)?;
    let warnings = Warnings::of(store, record.id)?;
    if format == Format::Json {
        let mut value = journal::record_json(record, comparison);
        if let Some(object) = value.as_object_mut() {
            object.insert("logged".to_owned(), warnings.json());
        }
        print_json(&value);
    } else {
        let reasons = store.quarantine_counts(record.id)?;
        print(&shown(record, comparison, &reasons, &warnings, backtrace, state, Style::stdout()));
    }
    Ok(())
}

/// Refuses a run that nobody needs to decide about.
pub(crate) fn refuse_decided(record: &RunRecord) -> Result<(), Trouble> {
    if record.is_unfinished() {
        return Ok(());
    }
    let (id, became) = (record.id, outcome::became(record.state));
    let message = match record.abandoned_at {
        Some(_) => format!("run {id} is abandoned already"),
        None => format!("run {id} has ended already: {became}"),
    };
    Err(Trouble::new(message).help("only a run that was interrupted, and could not be finished, is decided about"))
}

fn resolve(command: &Resolve) -> Result<Exit, Trouble> {
    let state = places::state(command.state.state.as_deref())?;
    let record = match Client::of(&state)? {
        Some(client) => {
            let store = journal::open(&state)?;
            let record = store.run(&command.run)?;
            refuse_decided(&record)?;
            let ask = json!({ "commit": command.decision == Decision::Commit });
            client.post(&format!("/api/v1/runs/{}/resolve", record.id), &ask)?;
            store.run(&record.id.to_string())?
        }
        None => {
            let house = House::open(&state, "sluicebox runs resolve")?;
            let record = house.store.run(&command.run)?;
            refuse_decided(&record)?;
            let host = Host::open(&[], record.file.parent().unwrap_or(Path::new(".")), compiling(false))?;
            match command.decision {
                Decision::Commit => house.finish(&host, record)?,
                Decision::Abandon => house.abandon(&host, record)?,
            }
        }
    };
    if command.output.format == Format::Json {
        print_json(&journal::record_json(&record, None));
    } else {
        let why = record.fault.as_ref().map(|fault| format!(": {}", human::clean(&fault.message))).unwrap_or_default();
        let became = match record.abandoned_at {
            Some(_) => "is left as it is",
            None => outcome::became(record.state).strip_prefix("it ").unwrap_or_default(),
        };
        print(&format!("run {} {became}{why}\n", record.id));
        if record.abandoned_at.is_some() {
            // Its bookmarks have moved: no later run reads its rows.
            print(&format!("to load its rows all the same: `sluicebox rerun {}`\n", record.id));
        }
    }
    let done = match command.decision {
        Decision::Commit => record.state == RunState::Succeeded,
        Decision::Abandon => record.abandoned_at.is_some(),
    };
    Ok(if done { Exit::Done } else { Exit::Failed })
}

fn shown(
    record: &RunRecord,
    comparison: Option<Comparison>,
    reasons: &[ReasonCount],
    warnings: &Warnings,
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
    out.push_str(&outcome::findings(record, style));
    out.push_str(&warnings.text(&format!("sluicebox logs {}", record.id), style));
    out.push_str(&outcome::faults(record, backtrace, style));
    if Totals::of(record).rows_rejected > 0 {
        let hint = format!("the rejected rows: sluicebox quarantine show {}", record.id);
        out.push_str(&format!("\n  {}\n", style.paint(Tone::Quiet, &hint)));
    }
    out
}
