//! Commands that a running `serve` carries out: asked through its API, followed in the journal.

use super::{Exit, Format};
use crate::client::Client;
use crate::house::shout;
use crate::journal;
use crate::trouble::Trouble;
use serde_json::{Value, json};
use sluicebox_model::cancel::Cancel;
use sluicebox_model::house::QueueState;
use sluicebox_model::run::{RunId, RunRecord, RunState};
use sluicebox_store::Store;
use std::path::Path;
use std::time::{Duration, Instant};

/// How often the journal is looked at, and whether there is a host.
const LOOK_EVERY: Duration = Duration::from_millis(20);
const HOST_EVERY: Duration = Duration::from_secs(1);
/// How long a host that ended may take to be there again.
const GONE_FOR: Duration = Duration::from_secs(10);

/// What became of a run that a host was asked for.
pub(super) enum Became {
    /// It has an outcome.
    Ended(Box<RunRecord>),
    /// It could not begin: why.
    Refused(String),
    /// It was taken out of the queue before it began: why.
    Dropped(String),
}

/// Waits for the end of a run that a host was asked for, and shows it. `asked` is what the host answered.
///
/// # Errors
/// The host does not answer as it should; the run could not begin; the store cannot be read.
pub(in crate::cli) fn follow(
    client: &Client,
    state: &Path,
    asked: &Value,
    cancel: &Cancel,
    format: Format,
) -> Result<Exit, Trouble> {
    let store = journal::open(state)?;
    let id = run_of(asked)?;
    shout(&format!("the host that serves here runs it, as run {id}"));
    let (became, why, exit) = match wait(client, &store, id, cancel)? {
        Became::Ended(record) => {
            super::runs::tell(&store, &record, format, false, state)?;
            return Ok(if record.state == RunState::Succeeded { Exit::Done } else { Exit::Failed });
        }
        Became::Refused(why) => ("could not begin", why, Exit::Wrong),
        Became::Dropped(why) => ("was cancelled", why, Exit::Failed),
    };
    let trouble = Trouble::new(format!("run {id} {became}: {why}"));
    super::tell(&trouble);
    if format == Format::Json {
        super::print_json(&json!({ "error": { "message": trouble.message, "help": null } }));
    }
    Ok(exit)
}

/// The run that a host says it has queued.
///
/// # Errors
/// It says none.
pub(super) fn run_of(asked: &Value) -> Result<RunId, Trouble> {
    let run = asked.get("run").and_then(Value::as_str).unwrap_or_default();
    run.parse().map(RunId).map_err(|_| Trouble::new("the host does not say which run it queued"))
}

/// Waits for the end of a run that a host has queued; asks it to stop if we are to.
///
/// # Errors
/// The store cannot be read; the host has ended, and none takes its place.
pub(super) fn wait(client: &Client, store: &Store, id: RunId, cancel: &Cancel) -> Result<Became, Trouble> {
    let mut told_to_stop = false;
    let (mut looked, mut seen) = (Instant::now(), Instant::now());
    loop {
        if cancel.is_cancelled() && !told_to_stop {
            told_to_stop = true;
            if let Err(trouble) = client.post(&format!("/api/v1/runs/{id}/cancel"), &json!({})) {
                shout(&trouble.message);
            }
        }
        let row = store.queue_row(id)?;
        let settled = row.as_ref().is_none_or(|row| row.state.is_final());
        match row {
            Some(row) if row.state == QueueState::Refused => return Ok(Became::Refused(row.reason)),
            Some(row) if row.state == QueueState::Dropped => return Ok(Became::Dropped(row.reason)),
            _ => {}
        }
        if settled && let Some(record) = ended(store, &id.to_string()) {
            return Ok(Became::Ended(Box::new(record)));
        }
        if looked.elapsed() >= HOST_EVERY {
            looked = Instant::now();
            if !client.is_gone() {
                seen = looked;
            } else if seen.elapsed() >= GONE_FOR {
                let message = format!("the host that was to run {id} has ended, and it has no end");
                return Err(Trouble::new(message)
                    .help("`sluicebox serve` goes on with it; so does a command that runs pipelines here"));
            }
        }
        std::thread::sleep(LOOK_EVERY);
    }
}

fn ended(store: &Store, run: &str) -> Option<RunRecord> {
    store.run(run).ok().filter(|record| record.ended_at.is_some())
}
