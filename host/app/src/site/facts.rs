//! What is known of the pipelines below a folder: their files, their plugins, and the runs that they had.

use crate::check::house;
use crate::check::{Examined, Purpose, examine};
use crate::components::Plugins;
use crate::journal;
use crate::places;
use crate::settings;
use crate::show::decisions::LOSSES;
use crate::show::human::clean_line;
use crate::show::problems::line_and_column;
use crate::trouble::Trouble;
use crate::wiring::{Host, Source, new_run_id};
use jiff::Timestamp;
use sluicebox_model::cancel::Cancel;
use sluicebox_model::house::{HouseEntry, PausedState};
use sluicebox_model::pipeline::{Pipeline, Problem, Settings};
use sluicebox_model::plugin::Description;
use sluicebox_model::run::Interval;
use sluicebox_runner::{CheckContext, Checked, Opened};
use sluicebox_sandbox::Compile;
use sluicebox_store::{HouseFilter, ReasonCount, RunFilter, RunSummary, Store};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// Runs that are shown of a pipeline.
const RUNS: u32 = 20;

/// Times that are shown at which a pipeline did not run, or not as it should.
const LEFT_OUT: u32 = 10;

/// What a site is made of.
pub(super) struct House {
    /// The name of the folder.
    pub folder: String,
    /// What `sluicebox.toml` says.
    pub settings: Settings,
    /// What is wrong with it.
    pub broken: Vec<Told>,
    /// By name.
    pub members: Vec<Member>,
    /// For when the pages are made.
    pub at: Timestamp,
    /// Whether there is a store to read runs from.
    pub has_store: bool,
}

/// A pipeline file.
pub(super) struct Member {
    /// The pipeline's name, or the file's if it tells none.
    pub name: String,
    /// The name of its page, without `.html`.
    pub page: String,
    /// The file, from the folder on.
    pub file: String,
    /// What it says; none: it cannot be read.
    pub pipeline: Option<Pipeline>,
    /// By stage.
    pub stages: Vec<StageFacts>,
    /// All that is wrong with it.
    pub problems: Vec<Told>,
    /// The runs that it had.
    pub past: Past,
}

impl Member {
    /// Whether something keeps it from running.
    pub(super) fn is_broken(&self) -> bool {
        self.problems.iter().any(|told| told.is_error)
    }
}

/// What is known of a stage beyond what its file says.
#[derive(Default)]
pub(super) struct StageFacts {
    /// What its plugin says of itself; none: there is no such plugin.
    pub plugin: Option<Description>,
    /// What came of opening it.
    pub opened: Option<Opened>,
}

/// A problem as it is told.
pub(super) struct Told {
    pub is_error: bool,
    pub line: usize,
    pub message: String,
    pub help: Option<String>,
}

/// The runs of a pipeline.
#[derive(Default)]
pub(super) struct Past {
    /// The last, the newest first.
    pub runs: Vec<RunSummary>,
    /// When rows were last loaded.
    pub loaded_at: Option<Timestamp>,
    /// Why rows of the last run that set any aside were.
    pub reasons: Vec<ReasonCount>,
    /// Whether it is paused.
    pub paused: Option<PausedState>,
    /// What did not run, or not as it should, the newest first.
    pub left_out: Vec<HouseEntry>,
}

/// Where the facts come from.
pub(super) struct Sources<'a> {
    pub dir: &'a Path,
    pub state: &'a Path,
    pub plugins: &'a [PathBuf],
    pub at: Timestamp,
}

/// Gathers what is known; `compiling` gives what hears of plugins that have to be compiled.
///
/// # Errors
/// The folder, the store or a plugin folder cannot be read.
pub(super) fn gather<T: Fn(Compile<'_>) + Send + Sync + 'static>(
    from: &Sources<'_>,
    compiling: impl Fn() -> T,
) -> Result<House, Trouble> {
    let store = from.state.join("store.sqlite").is_file().then(|| journal::open(from.state)).transpose()?;
    let paused = store.as_ref().map(Store::schedule_states).transpose()?.unwrap_or_default();
    let interval = Interval { start: from.at, end: from.at };
    let mut hosts: BTreeMap<PathBuf, Host> = BTreeMap::new();
    let mut members = Vec::new();
    for member in house::members(from.dir) {
        let source = member.source;
        if !hosts.contains_key(&source.root) {
            hosts.insert(source.root.clone(), Host::open(from.plugins, &source.root, compiling())?);
        }
        let Some(host) = hosts.get(&source.root) else { continue };
        let context =
            CheckContext { id: new_run_id(from.at)?, interval, bookmarks: BTreeMap::new(), skipped: BTreeMap::new() };
        let plugins = Plugins::Found(&host.catalog);
        // What others or people put there may not be there yet.
        let schedule = member.pipeline.as_ref().and_then(|pipeline| pipeline.schedule.as_ref());
        let waits = schedule.is_some_and(|schedule| !schedule.after.is_empty() || schedule.when.is_some());
        let purpose = if waits { Purpose::Offer } else { Purpose::Check };
        let mut examined = examine(&source, host, &plugins, purpose, &context, &Cancel::new());
        examined.problems.extend(member.problems);
        examined.problems.sort_by_key(|problem| (problem.span.start, problem.span.end));
        let problems = told(&source.text, &examined.problems, from.dir);
        let stages = stages(&examined, &plugins);
        let file = below(&source, from.dir);
        let pipeline = examined.pipeline;
        let name = pipeline.as_ref().map(|pipeline| pipeline.name.clone()).filter(|name| !name.is_empty());
        let past = match (&store, &name) {
            (Some(store), Some(name)) => past(store, name, paused.get(name).and_then(|state| state.paused.clone()))?,
            _ => Past::default(),
        };
        let name = name.unwrap_or_else(|| file.clone());
        members.push(Member { name, page: String::new(), file, pipeline, stages, problems, past });
    }
    members.sort_by(|a, b| (&a.name, &a.file).cmp(&(&b.name, &b.file)));
    name_pages(&mut members);
    let broken = settings::broken(from.dir)?;
    let broken = broken.map(|broken| told(broken.file().text, &broken.problems, from.dir)).unwrap_or_default();
    let settings = if broken.is_empty() { settings::read(from.dir)? } else { Settings::default() };
    let folder = from.dir.file_name().map(|name| clean_line(&name.to_string_lossy())).unwrap_or_default();
    Ok(House { folder, settings, broken, members, at: from.at, has_store: store.is_some() })
}

/// The state folder of the pipelines of a folder.
pub(super) fn state(given: Option<&Path>, dir: &Path) -> PathBuf {
    places::state_of_pipeline(given, dir)
}

fn below(source: &Source, dir: &Path) -> String {
    let path = source.path.strip_prefix(dir).unwrap_or(&source.path);
    clean_line(&path.display().to_string())
}

fn told(text: &str, problems: &[Problem], dir: &Path) -> Vec<Told> {
    // Where the folder is on this machine is no matter of the pages.
    let prefix = format!("{}/", dir.display());
    let without = |text: &str| text.replace(&prefix, "");
    let one = |problem: &Problem| Told {
        is_error: problem.is_error(),
        line: line_and_column(text, problem.span.start).0,
        message: without(&problem.message),
        help: problem.help.as_deref().map(without),
    };
    problems.iter().map(one).collect()
}

/// What the plugins say; what they say of options that are filled in is masked.
fn stages(examined: &Examined, plugins: &Plugins<'_>) -> Vec<StageFacts> {
    let stages = examined.pipeline.iter().flat_map(|pipeline| &pipeline.stages);
    stages
        .enumerate()
        .map(|(at, stage)| {
            let opened = match examined.checks.get(at).map(|check| &check.result) {
                Some(Checked::Opened(opened)) => Some(opened.clone()),
                _ => None,
            };
            let opened = opened.map(|mut opened| {
                for rule in &mut opened.rules {
                    rule.name = examined.secrets.mask(&rule.name);
                    rule.summary = examined.secrets.mask(&rule.summary);
                }
                opened
            });
            StageFacts { plugin: plugins.of(stage).map(|plugin| plugin.description.clone()), opened }
        })
        .collect()
}

fn past(store: &Store, name: &str, paused: Option<PausedState>) -> Result<Past, Trouble> {
    let filter = RunFilter { pipeline: Some(name.to_owned()), limit: Some(RUNS), ..RunFilter::default() };
    let runs = store.runs(&filter)?;
    let aside = runs.iter().find(|run| run.rows_rejected + run.rows_quarantined > 0);
    let reasons = aside.map(|run| store.quarantine_counts(run.id)).transpose()?.unwrap_or_default();
    let left_out = store.house_events(&HouseFilter {
        pipeline: Some(name.to_owned()),
        kinds: LOSSES.iter().map(|kind| (*kind).to_owned()).collect(),
        limit: Some(LEFT_OUT),
        newest_first: true,
        ..HouseFilter::default()
    })?;
    Ok(Past { loaded_at: store.last_loaded(name)?, runs, reasons, paused, left_out })
}

/// Gives each a page of its own: by its name where that can be one.
fn name_pages(members: &mut [Member]) {
    let mut taken = BTreeSet::new();
    for member in members {
        let plain: String = member
            .name
            .to_lowercase()
            .chars()
            .take(80)
            .map(|c| if c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_' { c } else { '-' })
            .collect();
        let name = if super::output::is_plain(&member.name) { member.name.clone() } else { plain };
        let mut page = name.clone();
        let mut next = 2;
        while !taken.insert(page.clone()) {
            page = format!("{name}-{next}");
            next += 1;
        }
        member.page = page;
    }
}
