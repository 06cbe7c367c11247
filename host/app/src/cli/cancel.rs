//! `sluicebox cancel`

use super::{Exit, Format, Output, State, print, print_json};
use crate::client::Client;
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
use sluicebox_model::run::{RunId, RunRecord, RunState};
use sluicebox_store::{Store, StoreError};
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
        if let Some(client) = Client::of(&state)? {
            return self.through(&client, &store);
        }
        let record = store.run(&self.run)?;
        let id = stoppable(&record)?;
        places::ask_to_stop(&state, id)?;
        // Whoever gets the lock is alone: nobody is at the run.
        if store.lock_runs("sluicebox cancel", Timestamp::now()).is_ok() {
            return self.finish(&state, id);
        }
        self.asked(id);
        Ok(Exit::Done)
    }

    /// Has a running host stop it, or take it out of its queue.
    fn through(&self, client: &Client, store: &Store) -> Result<Exit, Trouble> {
        let id = match store.run(&self.run) {
            Ok(record) => stoppable(&record)?,
            // One that waits is in no journal; it is known by its whole id.
            Err(missing @ StoreError::NoRun(_)) => self.run.parse().map(RunId).map_err(|_| missing)?,
            Err(error) => return Err(error.into()),
        };
        client.post(&format!("/api/v1/runs/{id}/cancel"), &json!({}))?;
        self.asked(id);
        Ok(Exit::Done)
    }

    fn asked(&self, id: RunId) {
        if self.output.format == Format::Json {
            print_json(&json!({ "run": id, "asked": true }));
        } else {
            print(&format!("run {id} was asked to stop; `sluicebox runs show {id}` tells how it ended\n"));
        }
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

/// The run, if it can be stopped.
fn stoppable(record: &RunRecord) -> Result<RunId, Trouble> {
    let id = record.id;
    if !record.is_unfinished() {
        return Err(Trouble::new(format!("run {id} has ended already: {}", became(record.state))));
    }
    refuse_committing(record)?;
    Ok(id)
}

/// Refuses to stop a run that commits.
///
/// # Errors
/// It does.
pub(crate) fn refuse_committing(record: &RunRecord) -> Result<(), Trouble> {
    if !record.in_commit() {
        return Ok(());
    }
    Err(Trouble::new(format!("run {} is committing: it cannot be stopped any more", record.id)))
}
