//! `sluicebox run`

use super::through::follow;
use super::{Exit, Format, LockedOnly, Output, PluginFolders, State, print, print_json};
use crate::check::{Examined, Purpose, examine};
use crate::client::Client;
use crate::components::Plugins;
use crate::house::{House, Ran};
use crate::interval;
use crate::journal;
use crate::places;
use crate::secrets::Secrets;
use crate::settings;
use crate::show::compiling::compiling;
use crate::show::outcome::{self, Comparison};
use crate::show::problems;
use crate::show::style::{Style, Tone};
use crate::show::warnings::Warnings;
use crate::trouble::Trouble;
use crate::wiring::{Asked, Host, Source, new_run_id};
use clap::Args;
use jiff::Timestamp;
use serde_json::{Value, json};
use sluicebox_model::cancel::Cancel;
use sluicebox_model::pipeline;
use sluicebox_model::run::{Interval, RunRecord, RunState, StageState, Trigger};
use sluicebox_runner::CheckContext;
use sluicebox_store::ReasonCount;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

const EXAMPLES: &str = "\
Examples:
  sluicebox run flights.toml
  sluicebox run flights.toml --interval 2026-01-01..2026-01-02
  sluicebox run flights.toml --plugins ~/my-plugins
  sluicebox run flights.toml --format json > outcome.json

The pipeline is checked first; if something is wrong with it, nothing runs (exit 2). A run loads all or nothing: if a
stage fails, nothing is shown at any target (exit 1). Ctrl-C stops the run and takes back what it wrote.

${env:NAME} and ${file:PATH} in the options are filled in now; such values are never shown.";

/// Run a pipeline
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct Run {
    /// The pipeline file
    pipeline: PathBuf,
    /// The data interval: two days or times (RFC 3339), the second excluded [default: now]
    #[arg(long, value_name = "START..END")]
    interval: Option<String>,
    #[command(flatten)]
    plugins: PluginFolders,
    #[command(flatten)]
    only: LockedOnly,
    #[command(flatten)]
    state: State,
    #[command(flatten)]
    pub(super) output: Output,
}

impl Run {
    pub(super) fn run(self) -> Result<Exit, Trouble> {
        let json = self.output.format == Format::Json;
        let source = Source::read(&self.pipeline)?;
        if let Some(broken) = settings::broken(&source.root)? {
            // Told now, not when the run has ended and something is to be deleted.
            problems::tell(broken.file(), &broken.problems);
            if json {
                let problems = problems::json(broken.file(), &broken.problems);
                print_json(&json!({ "state": null, "problems": problems }));
            }
            return Ok(Exit::Wrong);
        }
        let now = Timestamp::now();
        let interval = match &self.interval {
            Some(text) => interval::parse(text)?,
            None => Interval { start: now, end: now },
        };
        let cancel = Cancel::new();
        cancel_on_signal(&cancel)?;
        let state = places::state_of_pipeline(self.state.state.as_deref(), &source.root);
        if let Some(client) = Client::of(&state)? {
            client.must_be_locked(self.only.locked)?;
            let body = match &self.interval {
                Some(_) => json!({ "interval": interval }),
                None => json!({}),
            };
            let asked = |name: &str| client.post(&format!("/api/v1/pipelines/{name}/runs"), &body);
            let name = pipeline::draft(&source.text).pipeline.map(|pipeline| pipeline.name).unwrap_or_default();
            return follow(&client, &state, &asked(&name)?, &cancel, self.output.format);
        }
        let host = Host::open_locked(&self.plugins.plugins, &source.root, self.only.locked, compiling(false))?;
        let plugins = Plugins::Found(&host.catalog);
        let name = pipeline::draft(&source.text).pipeline.map(|pipeline| pipeline.name).unwrap_or_default();
        let asked = Asked {
            source: &source,
            plugins: &plugins,
            trigger: Trigger::Manual,
            interval,
            load_key: String::new(),
            id: None,
            repeats: None,
            parts: Vec::new(),
            restored: BTreeMap::new(),
        };
        if !state.join("store.sqlite").exists() {
            // A pipeline that never ran leaves nothing behind unless it can run.
            let id = new_run_id(now)?;
            let context = CheckContext { id, interval, bookmarks: BTreeMap::new(), skipped: BTreeMap::new() };
            let examined = examine(&source, &host, &plugins, Purpose::Run, &context, &cancel);
            if !cancel.is_cancelled() && !examined.is_sound() {
                return Ok(unsound(&source, &examined, json));
            }
        }
        let house = House::open(&state, &format!("sluicebox run {}", source.name))?;
        if let Err(trouble) = house.recover(&host, Some((&name, interval)), &cancel) {
            // Neither the pipeline nor the command is wrong.
            super::tell(&trouble);
            if json {
                print_json(&json!({ "error": { "message": trouble.message, "help": trouble.help } }));
            }
            return Ok(Exit::Failed);
        }
        let asked = Asked { load_key: house.load_key(&name, interval)?, ..asked };
        let ran = house.run(&host, &asked, &cancel)?;
        let hint = state_hint(&state, self.state.state.is_some());
        tell_ran(&house, &source, ran, json, &hint)
    }
}

/// Tells how an asked run went.
pub(super) fn tell_ran(house: &House, source: &Source, ran: Ran, json: bool, hint: &str) -> Result<Exit, Trouble> {
    let (record, examined) = match ran {
        Ran::Unsound(examined) => return Ok(unsound(source, &examined, json)),
        Ran::CancelledBefore => {
            super::tell(&Trouble::new("the run was cancelled before it began; nothing ran"));
            if json {
                print_json(&json!({ "state": null, "problems": [] }));
            }
            return Ok(Exit::Failed);
        }
        Ran::Lost(trouble) => {
            super::tell(&trouble);
            if json {
                print_json(&json!({ "error": { "message": trouble.message, "help": trouble.help } }));
            }
            return Ok(Exit::Failed);
        }
        Ran::Done(record, examined) => (record, examined),
    };
    let comparison = journal::comparison(&house.store, &record)?;
    let reasons = house.store.quarantine_counts(record.id)?;
    let warnings = Warnings::of(&house.store, record.id)?;
    if json {
        let mut value = as_json(source, &examined, &record, comparison);
        if let Some(object) = value.as_object_mut() {
            object.insert("logged".to_owned(), warnings.json());
        }
        print_json(&value);
    } else {
        let kept = record.fault.as_ref().is_some_and(|fault| house.store.has_failed_call(record.id, &fault.stage));
        let told = Told { reasons: &reasons, warnings: &warnings, replays: kept, hint };
        print(&answer(&record, comparison, &told, &examined.secrets, Style::stdout()));
    }
    Ok(if record.state == RunState::Succeeded { Exit::Done } else { Exit::Failed })
}

fn unsound(source: &Source, examined: &Examined, json: bool) -> Exit {
    problems::tell(source.file(), &examined.problems);
    if json {
        print_json(&json!({ "state": null, "problems": problems::json(source.file(), &examined.problems) }));
    }
    Exit::Wrong
}

/// The first Ctrl-C, or SIGTERM, asks the run to stop, the second ends the program.
pub(super) fn cancel_on_signal(cancel: &Cancel) -> Result<(), Trouble> {
    let cancel = cancel.clone();
    let told = ctrlc::set_handler(move || {
        if cancel.is_cancelled() {
            eprintln!("stopped at once; the next run takes back what this one left");
            std::process::exit(i32::from(Exit::Failed.code()));
        }
        cancel.cancel();
        eprintln!("stopping; once more to stop at once");
    });
    told.map_err(|error| Trouble::new(format!("Ctrl-C cannot be listened to: {error}")))
}

/// What has to be added to commands so that they find the run.
pub(super) fn state_hint(state: &Path, given: bool) -> String {
    let found = !given && places::state(None).is_ok_and(|found| same(&found, state));
    if found {
        return String::new();
    }
    let here = std::env::current_dir().ok().and_then(|here| here.canonicalize().ok());
    let shown =
        here.and_then(|here| state.strip_prefix(here).ok().map(Path::to_owned)).unwrap_or_else(|| state.to_owned());
    let shown = shown.display().to_string();
    if shown.contains(' ') { format!(" --state '{shown}'") } else { format!(" --state {shown}") }
}

fn same(a: &Path, b: &Path) -> bool {
    matches!((a.canonicalize(), b.canonicalize()), (Ok(a), Ok(b)) if a == b)
}

/// What the record does not hold.
struct Told<'a> {
    reasons: &'a [ReasonCount],
    warnings: &'a Warnings,
    /// The call that failed can be made again.
    replays: bool,
    /// What has to be added to commands so that they find the run.
    hint: &'a str,
}

fn answer(
    record: &RunRecord,
    comparison: Option<Comparison>,
    told: &Told<'_>,
    secrets: &Secrets,
    style: Style,
) -> String {
    let Told { reasons, warnings, replays, hint } = *told;
    let mut out = outcome::headline(record, style);
    out.push('\n');
    out.push_str(&outcome::stages(record, style));
    out.push_str(&outcome::rules(record, style));
    out.push_str(&outcome::counts(record, style));
    out.push_str(&outcome::reasons(reasons, style));
    out.push_str(&outcome::receipts(record, |text| secrets.mask(text), style));
    if let Some(comparison) = comparison {
        out.push_str(&comparison.line(record, style));
    }
    out.push_str(&outcome::findings(record, style));
    out.push_str(&warnings.text(&format!("sluicebox logs last{hint}"), style));
    out.push_str(&outcome::faults(record, false, style));
    let totals = outcome::Totals::of(record);
    // The end of an id is what tells runs of the same hour apart.
    let id = record.id.to_string();
    let id = id.rsplit('-').next().unwrap_or_default();
    let mut next = vec![(format!("sluicebox runs show {id}{hint}"), "this run again, at any time")];
    if totals.rows_rejected > 0 {
        next.push((format!("sluicebox quarantine show last{hint}"), "the rejected rows, with the reasons"));
    }
    if record.state != RunState::Succeeded {
        let stage = record.fault.as_ref().map(|fault| fault.stage.as_str()).unwrap_or_default();
        let stage = if stage.is_empty() { String::new() } else { format!(" {stage}") };
        next.push((format!("sluicebox logs last{stage}{hint}"), "what the stage wrote"));
        if replays {
            next.push((format!("sluicebox replay last{hint}"), "the very call that failed, made again"));
        }
        if record.stages.iter().any(|stage| stage.state == StageState::Failed) {
            next.push((format!("sluicebox rerun last --failed{hint}"), "from what failed on, behind what is kept"));
        }
    }
    let width = next.iter().map(|(command, _)| command.chars().count()).max().unwrap_or_default();
    out.push('\n');
    for (command, what) in next {
        out.push_str(&format!("  {command:width$}  {}\n", style.paint(Tone::Quiet, what)));
    }
    out
}

fn as_json(source: &Source, examined: &Examined, record: &RunRecord, comparison: Option<Comparison>) -> Value {
    let mut value = journal::record_json(record, comparison);
    if let Some(object) = value.as_object_mut() {
        object.insert("problems".to_owned(), problems::json(source.file(), &examined.problems));
    }
    value
}
