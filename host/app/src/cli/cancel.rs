//! `sluicebox cancel`

use super::{Exit, Format, Output, State, print, print_json};
use crate::house::House;
use crate::journal;
use crate::places;
use crate::show::compiling::compiling;
use crate::show::outcome::became;
use crate::trouble::Trouble;
use crate::wiring::Host;
use clap::Args;
use jiff::Timestamp;
use serde_json::json;
use sluicebox_model::run::{RunId, RunState};
use std::path::Path;

const EXAMPLES: &str = "\
Examples:
  sluicebox cancel last    stop the run that is under way, and take back what it wrote

A run whose loads are being committed is not stopped any more.
One that was interrupted ends as cancelled, and what it wrote is taken back.";

/// Stop a run that is under way
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct Cancel {
    /// The run: its id, the beginning of it, or `last`
    run: String,
    #[command(flatten)]
    state: State,
    #[command(flatten)]
    pub(super) output: Output,
}

impl Cancel {
    pub(super) fn run(self) -> Result<Exit, Trouble> {
        let state = places::state(self.state.state.as_deref())?;
        let store = journal::open(&state)?;
        let record = store.run(&self.run)?;
        let id = record.id;
        if !record.is_unfinished() {
            return Err(Trouble::new(format!("run {id} has ended already: {}", became(record.state))));
        }
        if record.in_commit() {
            return Err(Trouble::new(format!("run {id} is committing: it cannot be stopped any more")));
        }
        places::ask_to_stop(&state, id)?;
        // Whoever gets the lock is alone: nobody is at the run.
        if store.lock_runs("sluicebox cancel", Timestamp::now()).is_ok() {
            return self.finish(&state, id);
        }
        if self.output.format == Format::Json {
            print_json(&json!({ "run": id, "asked": true }));
        } else {
            print(&format!("run {id} was asked to stop; `sluicebox runs show {id}` tells how it ended\n"));
        }
        Ok(Exit::Done)
    }

    /// Ends a run that no process is at any more.
    fn finish(&self, state: &Path, id: RunId) -> Result<Exit, Trouble> {
        let house = House::open(state, "sluicebox cancel")?;
        let record = house.store.run(&id.to_string())?;
        let host = Host::open(&[], record.file.parent().unwrap_or(Path::new(".")), compiling(false))?;
        let record = house.finish(&host, record)?;
        if self.output.format == Format::Json {
            print_json(&json!({ "run": id, "asked": true, "state": record.state }));
        } else {
            print(&format!("run {id} had been interrupted; {}\n", became(record.state)));
        }
        Ok(if record.state == RunState::Cancelled { Exit::Done } else { Exit::Failed })
    }
}
