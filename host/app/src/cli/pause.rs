//! `sluicebox pause` and `sluicebox resume`

use super::{Exit, Format, Output, State, print, print_json};
use crate::client::Client;
use crate::journal;
use crate::places;
use crate::trouble::Trouble;
use clap::Args;
use jiff::Timestamp;
use serde_json::json;

const EXAMPLES: &str = "\
Examples:
  sluicebox pause flights --reason \"the source is being moved\"
  sluicebox resume flights

A paused pipeline does not run by itself; it runs when it is asked to. Times that pass meanwhile are skipped, and \
logged; runs of it that wait already go on waiting until it is resumed.";

/// Keep a pipeline from running by itself
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct Pause {
    /// The pipeline's name
    pipeline: String,
    /// Why, for others and for later
    #[arg(long, value_name = "TEXT", default_value = "")]
    reason: String,
    #[command(flatten)]
    state: State,
    #[command(flatten)]
    pub(super) output: Output,
}

/// Let a paused pipeline run by itself again
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct Resume {
    /// The pipeline's name
    pipeline: String,
    #[command(flatten)]
    state: State,
    #[command(flatten)]
    pub(super) output: Output,
}

impl Pause {
    pub(super) fn run(self) -> Result<Exit, Trouble> {
        let state = places::state(self.state.state.as_deref())?;
        let name = &self.pipeline;
        match Client::of(&state)? {
            Some(client) => {
                client.post(&format!("/api/v1/pipelines/{name}/pause"), &json!({ "reason": self.reason }))?;
            }
            None => {
                let store = journal::open(&state)?;
                let now = Timestamp::now();
                if !store.pause(name, "cli", &self.reason, now)? {
                    store.resume(name, "cli", now)?;
                    store.pause(name, "cli", &self.reason, now)?;
                }
            }
        }
        answer(self.output.format, name, true);
        Ok(Exit::Done)
    }
}

impl Resume {
    pub(super) fn run(self) -> Result<Exit, Trouble> {
        let state = places::state(self.state.state.as_deref())?;
        let name = &self.pipeline;
        match Client::of(&state)? {
            Some(client) => {
                client.post(&format!("/api/v1/pipelines/{name}/resume"), &json!({}))?;
            }
            None => {
                journal::open(&state)?.resume(name, "cli", Timestamp::now())?;
            }
        }
        answer(self.output.format, name, false);
        Ok(Exit::Done)
    }
}

fn answer(format: Format, name: &str, paused: bool) {
    if format == Format::Json {
        return print_json(&json!({ "pipeline": name, "paused": paused }));
    }
    print(&if paused {
        format!("`{name}` does not run by itself any more; `sluicebox resume {name}` lets it\n")
    } else {
        format!("`{name}` runs by itself\n")
    });
}
