//! Runs that wait for their start, as the commands tell of them.

use crate::client::Client;
use crate::queued;
use crate::serve::waits::{self, Waiting};
use crate::settings;
use crate::show::human::{self, clean_line};
use crate::show::style::{Style, Tone};
use crate::show::table::{Align, Table};
use crate::trouble::Trouble;
use jiff::Timestamp;
use serde_json::json;
use sluicebox_model::pipeline::Settings;
use sluicebox_model::run::{RunId, RunState};
use sluicebox_store::Store;
use std::path::Path;

/// All that wait.
pub(super) fn all(store: &Store, state: &Path) -> Result<Vec<Waiting>, Trouble> {
    let (settings, serves) = host(state);
    Ok(waits::waiting(store, &settings, serves, Timestamp::now())?)
}

/// One of them; none if it does not wait.
pub(super) fn one(store: &Store, state: &Path, run: RunId) -> Result<Option<Waiting>, Trouble> {
    let (settings, serves) = host(state);
    Ok(queued::waiting(store, run, &settings, serves, Timestamp::now())?)
}

/// The settings of the host that serves with this state folder, and whether one does. Settings that cannot be read say nothing:
/// a host tells of them itself.
fn host(state: &Path) -> (Settings, bool) {
    let client = Client::of(state);
    let serves = !matches!(client, Ok(None));
    let dir = client.ok().flatten().and_then(|client| client.dir().map(Path::to_owned));
    let beside = || state.canonicalize().ok().and_then(|state| state.parent().map(Path::to_owned));
    let settings = dir.or_else(beside).and_then(|dir| settings::read(&dir).ok());
    (settings.unwrap_or_default(), serves)
}

/// A run that waits.
pub(super) fn shown(waiting: &Waiting, state: &Path, style: Style) -> String {
    let run = &waiting.run;
    let pipeline = style.paint(Tone::Strong, &clean_line(&run.pipeline));
    let queued = style.paint(Tone::Warn, RunState::Queued.word());
    let mut out = format!("{pipeline} {queued}: it has not begun\n");
    let mut facts = Table::new(&[("", Align::Left), ("", Align::Left)]);
    let trigger = json!(run.trigger).as_str().unwrap_or_default().to_owned();
    let interval = if run.interval.start == run.interval.end {
        human::time(run.interval.end)
    } else {
        format!("{} to {}", human::time(run.interval.start), human::time(run.interval.end))
    };
    facts.row(vec!["run".into(), run.run.to_string().into()]);
    facts.row(vec!["queued".into(), format!("{} ({trigger})", human::time(run.queued_at)).into()]);
    facts.row(vec!["for".into(), interval.into()]);
    facts.row(vec!["place".into(), human::number(waiting.place).into()]);
    facts.row(vec!["waits".into(), clean_line(&waiting.why).into()]);
    if !run.reason.is_empty() {
        facts.row(vec!["made".into(), clean_line(&run.reason).into()]);
    }
    facts.row(vec!["state".into(), clean_line(&state.display().to_string()).into()]);
    out.push_str(&facts.render(style));
    out
}
