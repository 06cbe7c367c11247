//! `sluicebox quarantine list` and `drop`

use crate::cli::logs::known_stage;
use crate::cli::{Exit, Format, Output, State, print, print_json};
use crate::journal;
use crate::places;
use crate::show::human::{self, clean_line};
use crate::show::style::{Style, Tone};
use crate::show::table::{Align, Cell, Table};
use crate::trouble::Trouble;
use clap::Args;
use serde_json::json;
use sluicebox_store::Dealt;

#[derive(Debug, Args)]
pub(super) struct List {
    /// Also what was replayed or dropped
    #[arg(long)]
    all: bool,
    #[command(flatten)]
    state: State,
    #[command(flatten)]
    pub(super) output: Output,
}

impl List {
    pub(super) fn run(self) -> Result<Exit, Trouble> {
        let store = journal::open(&places::state(self.state.state.as_deref())?)?;
        let found = store.set_aside_by(None, self.all)?;
        if self.output.format == Format::Json {
            print_json(&json!({ "set-aside": found }));
            return Ok(Exit::Done);
        }
        if found.is_empty() {
            print("nothing is set aside\n");
            return Ok(Exit::Done);
        }
        let mut table = Table::new(&[
            ("run", Align::Left),
            ("pipeline", Align::Left),
            ("stage", Align::Left),
            ("rows", Align::Right),
            ("when", Align::Left),
            ("dealt with", Align::Left),
            ("most for the reason", Align::Left),
        ]);
        for of in &found {
            let dealt = match of.dealt {
                None => Cell::default(),
                Some(Dealt::Dropped) => Cell::toned("dropped", Tone::Quiet),
                Some(Dealt::Replayed) => {
                    let by = of.dealt_by.as_deref().and_then(|by| by.rsplit('-').next()).unwrap_or_default();
                    Cell::toned(format!("replayed by {by}"), Tone::Quiet)
                }
            };
            table.row(vec![
                of.run.clone().into(),
                clean_line(&of.pipeline).into(),
                clean_line(&of.stage).into(),
                human::number(of.rows).into(),
                format!("{:.0}", of.at).into(),
                dealt,
                Cell::toned(human::cut(&clean_line(of.reason.as_deref().unwrap_or_default()), 60), Tone::Warn),
            ]);
        }
        print(&table.render(Style::stdout()));
        Ok(Exit::Done)
    }
}

#[derive(Debug, Args)]
pub(super) struct Drop {
    /// The run: its id, the beginning of it, or `last`
    run: String,
    /// Only rows of this stage
    #[arg(long)]
    stage: Option<String>,
    /// Those that were replayed: you took what the replay loaded out of the target again
    #[arg(long)]
    replayed: bool,
    #[command(flatten)]
    state: State,
    #[command(flatten)]
    pub(super) output: Output,
}

impl Drop {
    pub(super) fn run(self) -> Result<Exit, Trouble> {
        let store = journal::open(&places::state(self.state.state.as_deref())?)?;
        let record = store.run(&self.run)?;
        known_stage(&record, self.stage.as_deref())?;
        let rows = store.drop_set_aside(record.id, self.stage.as_deref(), self.replayed)?;
        if self.output.format == Format::Json {
            print_json(&json!({ "run": record.id, "dropped": rows }));
        } else {
            let rows = human::count(rows, "row", "rows");
            print(&format!("{rows} of run {} dropped; `quarantine show` still has them\n", record.id));
        }
        Ok(Exit::Done)
    }
}
