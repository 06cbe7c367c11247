//! `sluicebox quarantine replay`

use crate::check::targets;
use crate::cli::logs::known_stage;
use crate::cli::rerun::{behind, kept, read};
use crate::cli::run::{cancel_on_signal, state_hint, tell_ran};
use crate::cli::through::follow;
use crate::cli::{Exit, Format, LockedOnly, Output, PluginFolders, State};
use crate::client::Client;
use crate::components::Plugins;
use crate::house::{House, Ran, shout};
use crate::journal;
use crate::places;
use crate::show::compiling::compiling;
use crate::show::human;
use crate::show::outcome;
use crate::trouble::Trouble;
use crate::wiring::{Asked, Host, Source};
use clap::Args;
use jiff::Timestamp;
use serde_json::json;
use sluicebox_model::cancel::Cancel;
use sluicebox_model::pipeline::{self, Pipeline, Problem, suggest};
use sluicebox_model::plugin::Kind;
use sluicebox_model::run::{RunId, RunRecord, RunState, Trigger};
use sluicebox_runner::{Checkpoint, CheckpointError, Keeping, Part, Repeat, Restored, repeat};
use sluicebox_store::{QuarantineKind, Store};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

#[derive(Debug, Args)]
pub(super) struct Replay {
    /// The run: its id, the beginning of it, or `last`
    run: String,
    /// The stage behind which the rows go on; may be left out if only one set rows aside
    #[arg(long)]
    stage: Option<String>,
    /// Let loads without `mode = "append"` replace what is at their targets by these rows alone
    #[arg(long)]
    replace_targets: bool,
    #[command(flatten)]
    plugins: PluginFolders,
    #[command(flatten)]
    only: LockedOnly,
    #[command(flatten)]
    state: State,
    #[command(flatten)]
    pub(super) output: Output,
}

/// What is replayed, and how.
pub(crate) struct How {
    /// The stage behind which the rows go on.
    pub stage: String,
    /// Whether loads may replace their targets by these rows alone.
    pub replace_targets: bool,
}

impl Replay {
    pub(super) fn run(self) -> Result<Exit, Trouble> {
        let state = places::state(self.state.state.as_deref())?;
        let state = state.canonicalize().unwrap_or(state);
        let cancel = Cancel::new();
        cancel_on_signal(&cancel)?;
        if let Some(client) = Client::of(&state)? {
            client.must_be_locked(self.only.locked)?;
            let store = journal::open(&state)?;
            let record = store.run(&self.run)?;
            let stage = stage_of(&store, &record, self.stage.as_deref())?;
            tell_records(&store, &record)?;
            let ask = json!({ "stage": stage, "replace-targets": self.replace_targets });
            let asked = client.post(&format!("/api/v1/runs/{}/quarantine/replay", record.id), &ask)?;
            return follow(&client, &state, &asked, &cancel, self.output.format);
        }
        let house = House::open(&state, "sluicebox quarantine replay")?;
        let record = house.store.run(&self.run)?;
        known_stage(&record, self.stage.as_deref())?;
        let source = Source::read(&record.file)?;
        crate::settings::read(&source.root)?;
        let host = Host::open_locked(&self.plugins.plugins, &source.root, self.only.locked, compiling(false))?;
        house.recover(&host, None, &cancel)?;
        let record = house.store.run(&record.id.to_string())?;
        let stage = stage_of(&house.store, &record, self.stage.as_deref())?;
        tell_records(&house.store, &record)?;
        let how = How { stage, replace_targets: self.replace_targets };
        let ran = again(&house, &host, &source, &record, &how, None, &cancel)?;
        let hint = state_hint(&state, self.state.state.is_some());
        tell_ran(&house, &source, ran, self.output.format == Format::Json, &hint)
    }
}

/// The first of what is wrong with a pipeline.
fn cannot_run(source: &Source, host: &Host, plugins: &Plugins<'_>) -> Trouble {
    let why = match pipeline::parse(&source.text) {
        Err(problems) => problems.into_iter().find(Problem::is_error).map(|problem| problem.message),
        Ok(pipeline) => pipeline.stages.iter().find(|stage| plugins.of(stage).is_none()).map(|stage| {
            let locked = host.lock.as_ref().and_then(|lock| lock.problem(stage, None, host.catalog.refused()));
            locked.map_or_else(|| format!("plugin `{}` is not there", stage.plugin), |problem| problem.message)
        }),
    };
    let why = why.map(|why| format!(": {why}")).unwrap_or_default();
    Trouble::new(format!("the pipeline cannot be run as it is{why}")).help("`sluicebox check` tells all that is wrong")
}

/// Runs the rows through the pipeline again: as the run `id` and once, or as a new one with the retries of its pipeline.
///
/// # Errors
/// They were replayed already, or cannot go on there; the store cannot be used.
pub(crate) fn again(
    house: &House,
    host: &Host,
    source: &Source,
    record: &RunRecord,
    how: &How,
    id: Option<RunId>,
    cancel: &Cancel,
) -> Result<Ran, Trouble> {
    let stage = &how.stage;
    let prefix = replay_prefix(record, stage);
    // One that was killed before it could say so.
    if house.store.settle_replays(record.id, stage, &prefix)? {
        return Err(Trouble::new(format!("the rows of stage `{stage}` were replayed already"))
            .help("`sluicebox quarantine list --all` shows by which run"));
    }
    let plugins = Plugins::Found(&host.catalog);
    let pipeline = read(source, &plugins)?.ok_or_else(|| cannot_run(source, host, &plugins))?;
    let before = before(&pipeline, stage)?;
    let (parts, mut restored) = parts(house, &pipeline, &plugins, record, stage, &before)?;
    if !how.replace_targets {
        refuse_replacing(&pipeline, &plugins, &parts)?;
    }
    // Another replay of the same run may be under way in this process.
    let now = Timestamp::now().as_microsecond();
    let folder = house.state.join("runs").join(record.id.to_string());
    let folder = Folder(folder.join(format!("replay-{}-{now:x}", std::process::id())));
    let checkpoint = keep_rows(house, record, stage, &folder.0, &before)?;
    if !house.quiet {
        shout(&format!("{} of run {} go on at `{stage}`", human::count(checkpoint.rows, "row", "rows"), record.id));
    }
    restored.insert(before, Restored { run: record.id, checkpoint });
    let asked = Asked {
        source,
        plugins: &plugins,
        trigger: Trigger::Replay,
        interval: record.interval,
        load_key: format!("{prefix}{now:x}"),
        id,
        repeats: Some(record.id),
        parts,
        restored,
    };
    let ran = match id {
        Some(id) => house.run_once(host, &asked, id, Some(record.id), cancel)?,
        None => house.run(host, &asked, cancel)?,
    };
    if matches!(&ran, Ran::Done(..)) {
        house.store.settle_replays(record.id, stage, &prefix)?;
    }
    Ok(ran)
}

/// What the load keys of all replays of a stage's rows begin with, and of no others: runs for one interval share their load
/// key, so the run is named by the end of its id, which is random; a stage's name may begin with that of another, but has
/// no dot.
fn replay_prefix(record: &RunRecord, stage: &str) -> String {
    let id = record.id.to_string();
    let run = id.rsplit('-').next().unwrap_or(&id);
    format!("{}-replay-{run}.{stage}.", record.load_key)
}

/// The stage whose rows go again: the one that is asked for, or the only one that set rows aside.
///
/// # Errors
/// The run loaded nothing, or has no such stage; nothing of it waits; several stages set rows aside.
pub(crate) fn stage_of(store: &Store, record: &RunRecord, asked: Option<&str>) -> Result<String, Trouble> {
    known_stage(record, asked)?;
    if record.state != RunState::Succeeded {
        let message = format!("run {} loaded nothing: {}", record.id, outcome::became(record.state));
        return Err(Trouble::new(message)
            .help(format!("what it set aside comes again with the rest: `sluicebox rerun {}`", record.id)));
    }
    let mut open = store.set_aside_by(Some(record.id), false)?;
    open.retain(|of| asked.is_none_or(|stage| stage == of.stage));
    let records = open.iter().find(|of| of.kind == QuarantineKind::Record).map(|of| of.stage.clone());
    let stages: BTreeSet<&str> =
        open.iter().filter(|of| of.kind != QuarantineKind::Record).map(|of| of.stage.as_str()).collect();
    let mut stages = stages.into_iter();
    match (stages.next(), stages.next(), records) {
        (Some(stage), None, _) => Ok(stage.to_owned()),
        (Some(a), Some(b), _) => {
            Err(Trouble::new(format!("several stages of run {} set rows aside: `{a}`, `{b}`", record.id))
                .help("name one: `--stage STAGE`"))
        }
        (None, _, Some(of)) => {
            let message = format!("what stage `{of}` set aside never became rows and cannot be replayed");
            Err(Trouble::new(message).help(by_hand(record, &of)))
        }
        (None, _, None) => Err(Trouble::new(format!("nothing of run {} waits to be replayed", record.id))
            .help("`sluicebox quarantine list --all` shows what was set aside, and what became of it")),
    }
}

fn by_hand(record: &RunRecord, stage: &str) -> String {
    let id = record.id;
    format!("mend them by hand: `sluicebox quarantine export {id} --stage {stage} --to {stage}.csv`")
}

/// Tells of what is left where it is: records that never became rows.
fn tell_records(store: &Store, record: &RunRecord) -> Result<(), Trouble> {
    let open = store.set_aside_by(Some(record.id), false)?;
    for of in open.iter().filter(|of| of.kind == QuarantineKind::Record) {
        let stage = &of.stage;
        shout(&format!("records of `{stage}` that never became rows are not replayed; {}", by_hand(record, stage)));
    }
    Ok(())
}

/// A folder that is gone afterwards.
struct Folder(PathBuf);

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// Keeps the rows as the stage was given them, in the place of the stage before.
fn keep_rows(
    house: &House,
    record: &RunRecord,
    stage: &str,
    folder: &Path,
    before: &str,
) -> Result<Checkpoint, Trouble> {
    let room =
        |error: CheckpointError| Trouble::new(error.to_string()).help("see that there is room in the state folder");
    let mut keeping: Option<Keeping> = None;
    house.store.each_quarantined(record.id, Some(stage), |entry| -> Result<(), Trouble> {
        if let Some(why) = entry.unreadable {
            let rows = human::count(entry.count, "row", "rows");
            return Err(Trouble::new(format!("{rows} of stage `{stage}` cannot be read any more: {why}"))
                .help("`sluicebox quarantine export` writes those that can"));
        }
        let Some(batch) = entry.batch else { return Ok(()) };
        let kept = match &mut keeping {
            Some(kept) => kept,
            none => none.insert(Keeping::begin(folder, before, &batch.schema()).map_err(room)?),
        };
        if *kept.schema() != batch.schema() {
            return Err(Trouble::new(format!("the rows of stage `{stage}` do not all have the same columns"))
                .help("`sluicebox quarantine export` writes them to a file"));
        }
        kept.write(&batch).map_err(room)
    })?;
    let kept = keeping.ok_or_else(|| Trouble::new(format!("no rows of stage `{stage}` are kept")))?;
    kept.finish().map_err(room)
}

/// The stage whose place the rows take.
fn before(pipeline: &Pipeline, stage: &str) -> Result<String, Trouble> {
    let names: Vec<&str> = pipeline.stages.iter().map(|stage| stage.name.as_str()).collect();
    let found = pipeline.stages.iter().find(|spec| spec.name == stage).ok_or_else(|| {
        Trouble::new(format!("the pipeline has no stage `{stage}` any more")).help(suggest::help(stage, &names))
    })?;
    found
        .inputs
        .first()
        .cloned()
        .ok_or_else(|| Trouble::new(format!("stage `{stage}` takes no rows any more: they cannot go on there")))
}

type Parts = (Vec<Part>, BTreeMap<String, Restored>);

/// What runs: the stage, all behind it, and what else these need.
fn parts(
    house: &House,
    pipeline: &Pipeline,
    plugins: &Plugins<'_>,
    record: &RunRecord,
    stage: &str,
    before: &str,
) -> Result<Parts, Trouble> {
    let from = BTreeSet::from([stage.to_owned()]);
    let behind = behind(pipeline, &from);
    let kind = |name: &str| {
        let spec = pipeline.stages.iter().find(|spec| spec.name == name);
        spec.and_then(|spec| plugins.of(spec)).map(|plugin| plugin.description.kind)
    };
    let loads = behind.iter().filter(|name| kind(name) == Some(Kind::Load)).map(|name| (*name).to_owned()).collect();
    let mut kept = kept(house, pipeline, record)?;
    kept.remove(before);
    let names = kept.keys().cloned().chain([before.to_owned()]).collect();
    let parts = repeat(pipeline, &Repeat { from, loads, kept: names }).map_err(Trouble::new)?;
    let running: Vec<_> =
        pipeline.stages.iter().zip(&parts).filter(|(_, part)| **part == Part::Runs).map(|(spec, _)| spec).collect();
    for spec in &running {
        if spec.name != stage && spec.inputs.iter().any(|input| input == before) {
            let message = format!(
                "stage `{}` takes rows of `{before}`, too, and is needed behind `{stage}`: it would be given the rows that \
                 were set aside as if they were all",
                spec.name
            );
            return Err(Trouble::new(message).help("export the rows and load them by a pipeline of their own"));
        }
        let has_bookmark = house.store.bookmarks(Some(&record.pipeline))?.iter().any(|of| of.stage == spec.name);
        if kind(&spec.name) == Some(Kind::Extract) && has_bookmark {
            let message = format!(
                "stage `{}` is needed behind `{stage}`, gives only what is new since its bookmark, and what it gave to run \
                 {} is not kept any more",
                spec.name, record.id
            );
            return Err(Trouble::new(message).help("export the rows and load them by a pipeline of their own"));
        }
    }
    let used = pipeline.stages.iter().zip(&parts).filter(|(_, part)| **part == Part::Restored);
    let used: BTreeSet<&str> = used.map(|(spec, _)| spec.name.as_str()).collect();
    kept.retain(|name, _| used.contains(name.as_str()));
    for restored in kept.values_mut() {
        // The run has left it, and later ones have moved it.
        restored.checkpoint.bookmark = None;
    }
    Ok((parts, kept))
}

/// A load that replaces its target would throw away what the run loaded.
fn refuse_replacing(pipeline: &Pipeline, plugins: &Plugins<'_>, parts: &[Part]) -> Result<(), Trouble> {
    for (spec, _) in pipeline.stages.iter().zip(parts).filter(|(_, part)| **part == Part::Runs) {
        let is_load = plugins.of(spec).is_some_and(|plugin| plugin.description.kind == Kind::Load);
        if is_load && !targets::adds(&spec.config) {
            let message = format!(
                "load `{}` replaces its target: the rows that were set aside would take the place of all that is there",
                spec.name
            );
            return Err(Trouble::new(message)
                .help("load with `mode = \"append\"`, or replay all the same: `--replace-targets`"));
        }
    }
    Ok(())
}
