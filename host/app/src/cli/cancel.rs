//! `sluicebox cancel`

use super::{Exit, Format, Output, State, print, print_json};
use crate::journal;
use crate::places;
use crate::show::outcome::became;
use crate::trouble::Trouble;
use clap::Args;
use jiff::Timestamp;
use serde_json::json;
use sluicebox_model::run::RunState;

const EXAMPLES: &str = "\
Examples:
  sluicebox cancel last    stop the run that is under way, and take back what it wrote

A run whose loads are being committed is not stopped any more.";

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
        // Whoever gets the lock is alone: nobody is at the run.
        if store.lock_runs("sluicebox cancel", Timestamp::now()).is_ok() {
            return Err(Trouble::new(format!("no process is at run {id}: it was interrupted"))
                .help("the next `sluicebox run` finishes it"));
        }
        if record.state == RunState::Committing {
            return Err(Trouble::new(format!("run {id} is committing: it cannot be stopped any more")));
        }
        let request = places::cancel_request(&state, id);
        let told = |error: std::io::Error| Trouble::new(format!("{} cannot be written: {error}", request.display()));
        if let Some(folder) = request.parent() {
            std::fs::create_dir_all(folder).map_err(told)?;
        }
        std::fs::write(&request, b"").map_err(told)?;
        if self.output.format == Format::Json {
            print_json(&json!({ "run": id, "asked": true }));
        } else {
            print(&format!("run {id} was asked to stop; `sluicebox runs show {id}` tells how it ended\n"));
        }
        Ok(Exit::Done)
    }
}
