//! `sluicebox schedule`

mod day;

use super::{Exit, Format, Output, State, print, print_json};
use crate::api::Pause;
use crate::journal;
use crate::places;
use crate::serve::folder::{Change, Folder};
use crate::serve::timing;
use crate::show::human::{self, clean_line};
use crate::show::style::{Style, Tone};
use crate::show::table::{Align, Cell, Table};
use crate::show::{decisions, problems};
use crate::trouble::Trouble;
use crate::wiring::Source;
use clap::Args;
use jiff::Timestamp;
use serde_json::json;
use sluicebox_model::house::ScheduleState;
use sluicebox_model::pipeline::{self, Pipeline, suggest};
use sluicebox_store::HouseFilter;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

const EXAMPLES: &str = "\
Examples:
  sluicebox schedule flights.toml --next 10   its next times, and what the clocks do to them
  sluicebox schedule flights                  the same, by its name, in this folder or below
  sluicebox schedule flights --past 20        what was decided of it: fires, skips, refusals, each with its reason
  sluicebox schedule --all                    the next day of all pipelines of this folder
  sluicebox schedule --all pipelines";

/// Show when pipelines run by themselves
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct Schedule {
    /// A pipeline file, or a pipeline's name; with `--all` a folder
    pipeline: Option<PathBuf>,
    /// So many times
    #[arg(long, value_name = "N", default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..=1000))]
    next: u32,
    /// Its past instead: the last N things that were decided of it, each with its reason
    #[arg(long, value_name = "N", num_args = 0..=1, default_missing_value = "20", conflicts_with_all = ["all", "next", "from"],
        value_parser = clap::value_parser!(u32).range(1..=1000))]
    past: Option<u32>,
    /// The next day of all pipelines of a folder
    #[arg(long)]
    all: bool,
    /// From this time on (RFC 3339) [default: now]
    #[arg(long, value_name = "TIME")]
    from: Option<Timestamp>,
    #[command(flatten)]
    state: State,
    #[command(flatten)]
    pub(super) output: Output,
}

impl Schedule {
    pub(super) fn run(self) -> Result<Exit, Trouble> {
        let from = self.from.unwrap_or_else(Timestamp::now);
        let json = self.output.format == Format::Json;
        if self.all {
            let dir = self.pipeline.clone().unwrap_or_else(|| PathBuf::from("."));
            return day::whole_day(&dir, self.state.state.as_deref(), from, json);
        }
        let Some(given) = &self.pipeline else {
            return Err(Trouble::new("which pipeline?").help("name its file, or say `--all`"));
        };
        let source = find(given)?;
        if let Some(count) = self.past {
            return past(&source, self.state.state.as_deref(), count, json);
        }
        let pipeline = match pipeline::parse(&source.text) {
            Ok(pipeline) => pipeline,
            Err(found) => {
                problems::tell(source.file(), &found);
                return Ok(Exit::Wrong);
            }
        };
        let found = crate::check::schedule::check(&pipeline, &source.root);
        if found.iter().any(pipeline::Problem::is_error) {
            problems::tell(source.file(), &found);
            return Ok(Exit::Wrong);
        }
        let state = places::state_of_pipeline(self.state.state.as_deref(), &source.root);
        let pause = paused(&state)?.remove(&pipeline.name);
        one(&pipeline, pause.as_ref(), from, self.next as usize, json);
        Ok(Exit::Done)
    }
}

fn one(pipeline: &Pipeline, pause: Option<&Pause>, from: Timestamp, count: usize, json: bool) {
    let schedule = pipeline.schedule.as_ref();
    let fires = schedule.map(|schedule| timing::next(&pipeline.name, schedule, from, count)).unwrap_or_default();
    let timing = schedule.map(timing::timing);
    if json {
        return print_json(&json!({ "pipeline": pipeline.name, "schedule": timing, "paused": pause, "next": fires }));
    }
    let style = Style::stdout();
    let (Some(timing), Some(schedule)) = (timing, schedule) else {
        return print(&format!("`{}` has no `[schedule]`: it runs when it is asked to\n", pipeline.name));
    };
    let mut out = format!("{}: {}\n", style.paint(Tone::Strong, &pipeline.name), timing.words);
    if !fires.is_empty() {
        out.push('\n');
        let has_jitter = fires.iter().any(|fire| fire.begins.is_some());
        let mut columns = vec![("at", Align::Left), ("interval from", Align::Left), ("", Align::Left)];
        if has_jitter {
            columns.insert(1, ("begins", Align::Left));
        }
        let mut table = Table::new(&columns);
        for fire in fires {
            let mut row = vec![
                fire.local.clone().into(),
                timing::local(schedule, fire.interval.start).into(),
                Cell::toned(fire.note.unwrap_or_default(), Tone::Warn),
            ];
            if has_jitter {
                row.insert(1, fire.begins.map(|at| timing::local(schedule, at)).unwrap_or_default().into());
            }
            table.row(row);
        }
        out.push_str(&table.render(style));
    }
    if let Some(pause) = pause {
        let line = paused_line(&pipeline.name, pause);
        out.push_str(&format!("{}\n", style.paint(Tone::Warn, &line)));
    }
    print(&out);
}

/// What was decided of a pipeline.
fn past(source: &Source, state: Option<&Path>, count: u32, json: bool) -> Result<Exit, Trouble> {
    let name = pipeline::draft(&source.text).pipeline.map(|pipeline| pipeline.name).unwrap_or_default();
    let state = places::state_of_pipeline(state, &source.root);
    let events = match state.join("store.sqlite").is_file() {
        true => journal::open(&state)?.house_events(&HouseFilter {
            pipeline: Some(name.clone()),
            kinds: decisions::KINDS.iter().map(|kind| (*kind).to_owned()).collect(),
            limit: Some(count),
            newest_first: true,
            ..HouseFilter::default()
        })?,
        false => Vec::new(),
    };
    if json {
        print_json(&json!({ "pipeline": name, "events": events }));
        return Ok(Exit::Done);
    }
    let style = Style::stdout();
    let mut table = Table::new(&[("when", Align::Left), ("what", Align::Left), ("why", Align::Left)]);
    for entry in &events {
        let told = decisions::told(&entry.event);
        table.row(vec![
            human::time(entry.at).into(),
            Cell::toned(entry.event.name(), if decisions::is_loss(&entry.event) { Tone::Warn } else { Tone::Good }),
            clean_line(&told).into(),
        ]);
    }
    let none = format!("nothing was decided of `{}` yet\n", clean_line(&name));
    print(&if table.is_empty() { none } else { table.render(style) });
    Ok(Exit::Done)
}

/// The file, or the file below this folder that declares a pipeline of that name, or would if it were sound.
fn find(given: &Path) -> Result<Source, Trouble> {
    if given.exists() || given.extension().is_some() {
        return Source::read(given);
    }
    let name = given.display().to_string();
    let here = std::env::current_dir().map_err(|error| Trouble::new(format!("there is no current folder: {error}")))?;
    let mut folder = Folder::new(&here);
    let changes = folder.first_look(|_| Vec::new());
    if let Some(offered) = folder.offered().get(&name) {
        return Ok((*offered.source).clone());
    }
    let mut broken = changes.into_iter().filter_map(|change| match change {
        Change::Broken { file, .. } => Source::read(&file).ok(),
        _ => None,
    });
    let is_meant = |source: &Source| {
        pipeline::draft(&source.text).pipeline.is_some_and(|pipeline| pipeline.name == name)
            || source.path.file_stem().is_some_and(|stem| *stem == *name)
    };
    if let Some(source) = broken.find(is_meant) {
        return Ok(source);
    }
    let names: Vec<&str> = folder.offered().keys().map(String::as_str).collect();
    Err(Trouble::new(format!("there is no pipeline `{}` here or below", clean_line(&name)))
        .help(suggest::help(&name, &names)))
}

/// The pipelines that are paused, as far as there is a store.
fn paused(state: &Path) -> Result<BTreeMap<String, Pause>, Trouble> {
    if !state.join("store.sqlite").is_file() {
        return Ok(BTreeMap::new());
    }
    let states = journal::open(state)?.schedule_states()?;
    let paused = |(name, state): (String, ScheduleState)| Some((name, state.paused?.into()));
    Ok(states.into_iter().filter_map(paused).collect())
}

/// That a pipeline is paused, in a line.
fn paused_line(name: &str, pause: &Pause) -> String {
    let why = if pause.reason.is_empty() { String::new() } else { format!(": {}", clean_line(&pause.reason)) };
    format!("`{name}` is paused{why}; it runs at none of these times before `sluicebox resume {name}`")
}
