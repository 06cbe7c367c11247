//! Commands that a running `serve` carries out: asked through its API, followed in the journal.

use super::{Exit, Format};
use crate::client::Client;
use crate::house::shout;
use crate::journal;
use crate::trouble::Trouble;
use serde_json::{Value, json};
use sluicebox_model::cancel::Cancel;
use sluicebox_model::house::QueueState;
use sluicebox_model::run::{RunRecord, RunState};
use sluicebox_store::Store;
use std::path::Path;
use std::time::Duration;

/// How often the journal is looked at.
const LOOK_EVERY: Duration = Duration::from_millis(20);

/// Waits for the end of a run that a host was asked for, and shows it. `asked` is what the host answered.
///
/// # Errors
/// The host does not answer as it should; the run could not begin; the store cannot be read.
pub(super) fn follow(
    client: &Client,
    state: &Path,
    asked: &Value,
    cancel: &Cancel,
    format: Format,
) -> Result<Exit, Trouble> {
    let run = asked.get("run").and_then(Value::as_str).unwrap_or_default();
    let store = journal::open(state)?;
    let id = run.parse().map(sluicebox_model::run::RunId);
    let id = id.map_err(|_| Trouble::new("the host does not say which run it queued"))?;
    shout(&format!("the host that serves here runs it, as run {id}"));
    let mut told_to_stop = false;
    loop {
        if cancel.is_cancelled() && !told_to_stop {
            told_to_stop = true;
            if let Err(trouble) = client.post(&format!("/api/v1/runs/{id}/cancel"), &json!({})) {
                shout(&trouble.message);
            }
        }
        let row = store.queue_row(id)?;
        let settled = row.as_ref().is_none_or(|row| row.state.is_final());
        if let Some(row) = row.filter(|row| matches!(row.state, QueueState::Refused | QueueState::Dropped)) {
            let became = if row.state == QueueState::Refused { "could not begin" } else { "was cancelled" };
            let trouble = Trouble::new(format!("run {id} {became}: {}", row.reason));
            super::tell(&trouble);
            if format == Format::Json {
                super::print_json(&json!({ "error": { "message": trouble.message, "help": null } }));
            }
            return Ok(if row.state == QueueState::Refused { Exit::Wrong } else { Exit::Failed });
        }
        if settled && let Some(record) = ended(&store, run) {
            super::runs::tell(&store, &record, format, false, state)?;
            return Ok(if record.state == RunState::Succeeded { Exit::Done } else { Exit::Failed });
        }
        std::thread::sleep(LOOK_EVERY);
    }
}

fn ended(store: &Store, run: &str) -> Option<RunRecord> {
    store.run(run).ok().filter(|record| record.ended_at.is_some())
}
