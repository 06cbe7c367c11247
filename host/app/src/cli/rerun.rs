//! `sluicebox rerun`

use super::run::{cancel_on_signal, state_hint, tell_ran};
use super::through::follow;
use super::{Exit, Format, LockedOnly, Output, PluginFolders, State};
use crate::client::Client;
use crate::components::{self, Plugins};
use crate::house::{House, Ran, shout};
use crate::journal;
use crate::places;
use crate::show::compiling::compiling;
use crate::show::outcome::became;
use crate::trouble::Trouble;
use crate::wiring::{Asked, Host, Source};
use clap::Args;
use serde_json::json;
use sluicebox_model::cancel::Cancel;
use sluicebox_model::pipeline::{self, Pipeline, suggest};
use sluicebox_model::plugin::Kind;
use sluicebox_model::run::{RunId, RunRecord, RunState, StageState, Trigger};
use sluicebox_runner::{Checkpoint, Part, Repeat, Restored, repeat};
use std::collections::{BTreeMap, BTreeSet};

const EXAMPLES: &str = "\
Examples:
  sluicebox rerun last                 the same again, behind what is kept of the extracts
  sluicebox rerun last --failed        from the stages that failed
  sluicebox rerun last --from check    from this stage on
  sluicebox rerun last --latest        with today's pipeline file and plugins

A rerun is a run of its own for the same interval; what it loads takes the place of what the run loaded. Stages whose output
was kept (extracts, and stages with `checkpoint = true`) are not run again unless they stand behind the stage that is named.";

/// Run a run again
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct Rerun {
    /// The run: its id, the beginning of it, or `last`
    run: String,
    /// Run this stage and all behind it
    #[arg(long, value_name = "STAGE", conflicts_with = "failed")]
    from: Option<String>,
    /// Run the stages that failed and all behind them
    #[arg(long)]
    failed: bool,
    /// Take today's pipeline file and plugins instead of those of the run
    #[arg(long)]
    latest: bool,
    #[command(flatten)]
    plugins: PluginFolders,
    #[command(flatten)]
    only: LockedOnly,
    #[command(flatten)]
    state: State,
    #[command(flatten)]
    pub(super) output: Output,
}

impl Rerun {
    pub(super) fn run(self) -> Result<Exit, Trouble> {
        let state = places::state(self.state.state.as_deref())?;
        // Plugins and options start at the folder of the pipeline file, wherever the command was given.
        let state = state.canonicalize().unwrap_or(state);
        let cancel = Cancel::new();
        cancel_on_signal(&cancel)?;
        if let Some(client) = Client::of(&state)? {
            client.must_be_locked(self.only.locked)?;
            let run = journal::open(&state)?.find(&self.run)?;
            let mut body = json!({ "failed": self.failed, "latest": self.latest });
            if let (Some(from), Some(object)) = (&self.from, body.as_object_mut()) {
                object.insert("from".to_owned(), json!(from));
            }
            let asked = client.post(&format!("/api/v1/runs/{run}/rerun"), &body)?;
            return follow(&client, &state, &asked, &cancel, self.output.format);
        }
        let house = House::open(&state, "sluicebox rerun")?;
        let record = house.store.run(&self.run)?;
        refuse_replay(&record)?;
        let root = if self.latest { Source::read(&record.file)?.root } else { Source::of_run(&record).root };
        let host = Host::open_locked(&self.plugins.plugins, &root, self.only.locked, compiling(false))?;
        house.recover(&host, Some((&record.pipeline, record.interval)), &cancel)?;
        let record = house.store.run(&record.id.to_string())?;
        let how = How { from: self.from.clone(), failed: self.failed, latest: self.latest };
        let (source, ran) = again(&house, &host, &record, &how, None, &cancel)?;
        let hint = state_hint(&state, self.state.state.is_some());
        tell_ran(&house, &source, ran, self.output.format == Format::Json, &hint)
    }
}

/// How a run is run again.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct How {
    /// This stage and all behind it.
    pub from: Option<String>,
    /// The stages that failed and all behind them.
    pub failed: bool,
    /// Today's pipeline file and plugins instead of those of the run.
    pub latest: bool,
}

/// Run as a whole it would load more than was set aside.
///
/// # Errors
/// The run is a replay.
pub fn refuse_replay(record: &RunRecord) -> Result<(), Trouble> {
    if record.trigger != Trigger::Replay {
        return Ok(());
    }
    let first = record.repeats.map(|first| first.to_string()).unwrap_or_default();
    let message = format!("run {} replayed rows that run {first} had set aside", record.id);
    Err(Trouble::new(message).help(format!(
        "those that are still open: `sluicebox quarantine replay {first}`; all of that run: `sluicebox rerun {first}`"
    )))
}

/// A run that never began was made with nothing that could be taken again.
///
/// # Errors
/// The run is such a one, and is not to be run with what there is today.
pub fn refuse_unbegun(record: &RunRecord, latest: bool) -> Result<(), Trouble> {
    if latest || !record.stages.is_empty() {
        return Ok(());
    }
    let why = record.fault.as_ref().map_or_else(|| became(record.state).to_owned(), |fault| fault.message.clone());
    Err(Trouble::new(format!("run {} never began: {why}", record.id))
        .help("`--latest` runs it with the pipeline file and the plugins of today"))
}

/// Runs a run again, behind what is kept of it. `id` is that of the new run, if it has one already.
///
/// # Errors
/// It has no end yet, cannot be repeated so, or what it was made with is gone.
pub fn again(
    house: &House,
    host: &Host,
    record: &RunRecord,
    how: &How,
    id: Option<RunId>,
    cancel: &Cancel,
) -> Result<(Source, Ran), Trouble> {
    refuse_replay(record)?;
    refuse_unbegun(record, how.latest)?;
    if record.is_unfinished() {
        return Err(
            Trouble::new(format!("run {} has no end yet", record.id)).help("`sluicebox runs resolve` decides about it")
        );
    }
    let source = if how.latest { Source::read(&record.file)? } else { Source::of_run(record) };
    crate::settings::read(&source.root)?;
    let plugins = if how.latest {
        Plugins::Found(&host.catalog)
    } else {
        Plugins::Kept(
            components::of_run(&host.sandbox, &house.state, record)
                .map_err(|trouble| trouble.help("`--latest` takes the plugins of today"))?,
        )
    };
    let asked = asked(&source, &plugins, record, id);
    let Some(pipeline) = read(&source, &plugins)? else {
        // The check tells all that is wrong.
        let ran = house.run(host, &asked, cancel)?;
        return Ok((source.clone(), ran));
    };
    let from = forced(how, &pipeline, record)?;
    let kept = kept(house, &pipeline, record)?;
    let succeeded = record.state == RunState::Succeeded;
    let loads = loads(&pipeline, &plugins, &from, succeeded)?;
    let names = kept.keys().cloned().collect();
    let parts = repeat(&pipeline, &Repeat { from: from.clone(), loads, kept: names }).map_err(Trouble::new)?;
    let restored = restored(&pipeline, &parts, kept, record.committing_at.is_some());
    refuse_lost(house, &pipeline, &plugins, &parts, record)?;
    for (stage, restored) in &restored {
        let rows = crate::show::human::count(restored.checkpoint.rows, "row", "rows");
        shout(&format!("starts behind `{stage}`: {rows} kept of run {}", restored.run));
    }
    tell_read_again(&pipeline, &plugins, &parts, &from);
    let asked = Asked { parts, restored, ..asked };
    let ran = house.run(host, &asked, cancel)?;
    Ok((source.clone(), ran))
}

/// The stages that have to run.
fn forced(how: &How, pipeline: &Pipeline, record: &RunRecord) -> Result<BTreeSet<String>, Trouble> {
    let names: Vec<&str> = pipeline.stages.iter().map(|stage| stage.name.as_str()).collect();
    if let Some(stage) = &how.from {
        if !names.contains(&stage.as_str()) {
            return Err(Trouble::new(format!("the pipeline has no stage `{stage}`")).help(suggest::help(stage, &names)));
        }
        return Ok(BTreeSet::from([stage.clone()]));
    }
    if !how.failed {
        return Ok(BTreeSet::new());
    }
    let failed = record.stages.iter().filter(|stage| stage.state == StageState::Failed);
    let failed: BTreeSet<String> = failed.map(|stage| stage.entry.name.clone()).collect();
    if failed.is_empty() {
        return Err(Trouble::new(format!("no stage of run {} failed: {}", record.id, became(record.state)))
            .help("leave out `--failed`, or name a stage: `--from STAGE`"));
    }
    Ok(failed)
}

fn asked<'a>(source: &'a Source, plugins: &'a Plugins<'a>, record: &RunRecord, id: Option<RunId>) -> Asked<'a> {
    Asked {
        source,
        plugins,
        trigger: Trigger::Rerun,
        interval: record.interval,
        load_key: record.load_key.clone(),
        id,
        repeats: Some(record.id),
        parts: Vec::new(),
        restored: BTreeMap::new(),
    }
}

/// The pipeline with its stages joined; none if it cannot be read.
pub(super) fn read(source: &Source, plugins: &Plugins<'_>) -> Result<Option<Pipeline>, Trouble> {
    let Ok(mut pipeline) = pipeline::parse(&source.text) else { return Ok(None) };
    let kinds: Vec<Option<Kind>> =
        pipeline.stages.iter().map(|stage| plugins.of(stage).map(|plugin| plugin.description.kind)).collect();
    pipeline::connect(&mut pipeline, &kinds);
    Ok(kinds.iter().all(Option::is_some).then_some(pipeline))
}

/// The checkpoints of the run, and of the runs that it repeated, that can be used.
pub(super) fn kept(
    house: &House,
    pipeline: &Pipeline,
    record: &RunRecord,
) -> Result<BTreeMap<String, Restored>, Trouble> {
    let mut kept = BTreeMap::new();
    for stage in &pipeline.stages {
        let before = record.stages.iter().find(|before| before.entry.name == stage.name);
        let run = before.and_then(|before| before.restored_from).unwrap_or(record.id);
        match Checkpoint::open(&places::checkpoints(&house.state, run), &stage.name) {
            Ok(Some(checkpoint)) if is_current(house, record, &stage.name, &checkpoint)? => {
                kept.insert(stage.name.clone(), Restored { run, checkpoint });
            }
            Ok(_) => {}
            Err(error) => shout(&format!("{error}; stage `{}` runs again", stage.name)),
        }
    }
    Ok(kept)
}

/// Whether rows of a stage with a bookmark were not loaded by another run since. Those of a run that succeeded are its
/// own and are replaced by themselves.
fn is_current(house: &House, record: &RunRecord, stage: &str, checkpoint: &Checkpoint) -> Result<bool, Trouble> {
    if checkpoint.bookmark.is_none() || record.committing_at.is_some() {
        return Ok(true);
    }
    Ok(bookmark(house, record, stage)?.as_ref() == record.resumed_from.get(stage))
}

fn bookmark(house: &House, record: &RunRecord, stage: &str) -> Result<Option<String>, Trouble> {
    let all = house.store.bookmarks(Some(&record.pipeline))?;
    Ok(all.into_iter().find(|bookmark| bookmark.stage == stage).map(|bookmark| bookmark.bookmark))
}

/// The loads that have to show their rows again: all of them, unless they are shown already and nothing before them runs.
fn loads(
    pipeline: &Pipeline,
    plugins: &Plugins<'_>,
    from: &BTreeSet<String>,
    succeeded: bool,
) -> Result<BTreeSet<String>, Trouble> {
    let is_load = |name: &str| {
        let stage = pipeline.stages.iter().find(|stage| stage.name == name);
        stage.and_then(|stage| plugins.of(stage)).is_some_and(|plugin| plugin.description.kind == Kind::Load)
    };
    let all: Vec<&str> = pipeline.stages.iter().map(|stage| stage.name.as_str()).filter(|name| is_load(name)).collect();
    let behind: BTreeSet<&str> = behind(pipeline, from);
    let wanted = all.iter().filter(|load| !succeeded || from.is_empty() || behind.contains(*load));
    Ok(wanted.map(|load| (*load).to_owned()).collect())
}

/// The stages and all behind them.
pub(super) fn behind<'a>(pipeline: &'a Pipeline, from: &BTreeSet<String>) -> BTreeSet<&'a str> {
    let names = pipeline.stages.iter().map(|stage| stage.name.as_str());
    let mut behind: BTreeSet<&str> = names.filter(|name| from.contains(*name)).collect();
    loop {
        let more: Vec<&str> = pipeline
            .stages
            .iter()
            .filter(|stage| stage.inputs.iter().any(|input| behind.contains(input.as_str())))
            .map(|stage| stage.name.as_str())
            .filter(|name| !behind.contains(name))
            .collect();
        if more.is_empty() {
            return behind;
        }
        behind.extend(more);
    }
}

/// What takes the place of stages. A bookmark that the run has left already is not left again: later runs have moved it.
fn restored(
    pipeline: &Pipeline,
    parts: &[Part],
    mut kept: BTreeMap<String, Restored>,
    committed: bool,
) -> BTreeMap<String, Restored> {
    if committed {
        for restored in kept.values_mut() {
            restored.checkpoint.bookmark = None;
        }
    }
    let stages = pipeline.stages.iter().zip(parts);
    let used: BTreeSet<&str> =
        stages.filter(|(_, part)| **part == Part::Restored).map(|(stage, _)| stage.name.as_str()).collect();
    kept.into_iter().filter(|(stage, _)| used.contains(stage.as_str())).collect()
}

/// Whoever named a stage to start from is told of extracts that run all the same.
fn tell_read_again(pipeline: &Pipeline, plugins: &Plugins<'_>, parts: &[Part], from: &BTreeSet<String>) {
    if from.is_empty() {
        return;
    }
    for (stage, _) in pipeline.stages.iter().zip(parts).filter(|(_, part)| **part == Part::Runs) {
        let is_extract = plugins.of(stage).is_some_and(|plugin| plugin.description.kind == Kind::Extract);
        if is_extract && !from.contains(&stage.name) {
            shout(&format!(
                "`{}` runs again: what it gave is not kept whole, since the run ended before it did",
                stage.name
            ));
        }
    }
}

/// An extract that gives only what is new cannot give again what it gave then.
fn refuse_lost(
    house: &House,
    pipeline: &Pipeline,
    plugins: &Plugins<'_>,
    parts: &[Part],
    record: &RunRecord,
) -> Result<(), Trouble> {
    if record.committing_at.is_none() {
        return Ok(());
    }
    for (stage, _) in pipeline.stages.iter().zip(parts).filter(|(_, part)| **part == Part::Runs) {
        let is_extract = plugins.of(stage).is_some_and(|plugin| plugin.description.kind == Kind::Extract);
        if is_extract && bookmark(house, record, &stage.name)?.is_some() {
            let message = format!(
                "stage `{}` gives only what is new since its bookmark, and what it gave to run {} is not kept any more",
                stage.name, record.id
            );
            return Err(Trouble::new(message).help(format!(
                "start behind another stage (`--from`), or read everything anew: `sluicebox bookmarks reset {} {}`, then \
                 `sluicebox run`",
                record.pipeline, stage.name
            )));
        }
    }
    Ok(())
}
