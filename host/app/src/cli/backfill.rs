//! `sluicebox backfill`

use super::run::cancel_on_signal;
use super::through::{Became, run_of, wait};
use super::{Exit, Format, LockedOnly, Output, PluginFolders, State, print, print_json};
use crate::client::Client;
use crate::components::Plugins;
use crate::house::{House, Ran, shout};
use crate::interval::{point, split};
use crate::places;
use crate::show::compiling::compiling;
use crate::show::human::{self, clean_line};
use crate::show::outcome::Totals;
use crate::show::problems;
use crate::show::style::{Style, Tone};
use crate::show::table::{Align, Cell, Table};
use crate::trouble::Trouble;
use crate::wiring::{Asked, Host, Source};
use clap::Args;
use serde::Serialize;
use serde_json::json;
use sluicebox_model::cancel::Cancel;
use sluicebox_model::fault::Fault;
use sluicebox_model::pipeline::{self, units};
use sluicebox_model::run::{Interval, RunId, RunRecord, RunState, Trigger};
use sluicebox_runner::load_key;
use sluicebox_store::Store;
use std::collections::{BTreeMap, VecDeque};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

const EXAMPLES: &str = "\
Examples:
  sluicebox backfill flights.toml --from 2026-01-01 --to 2026-02-01           one run a day
  sluicebox backfill flights.toml --from 2026-01-01 --to 2026-01-02 --every 1h --parallel 2
  sluicebox backfill flights.toml --from 2026-01-01 --to 2026-02-01 --dry-run  which runs that would be

Every interval is a run of its own, the oldest first; ${interval.start}, ${interval.end} and ${interval.date} in the options
tell which. Intervals that were loaded already are left out, so the same command again goes on where it was stopped. A run
that fails stops no other.";

/// How often a wish to stop is looked for.
const LOOK_EVERY: Duration = Duration::from_millis(20);

/// Run a pipeline for past intervals
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct Backfill {
    /// The pipeline file
    pipeline: PathBuf,
    /// Where the first interval starts: a day (midnight UTC) or a time (RFC 3339)
    #[arg(long, value_name = "TIME")]
    from: String,
    /// Where the last interval ends; excluded
    #[arg(long, value_name = "TIME")]
    to: String,
    /// How long an interval is, in s, m, h or d
    #[arg(long, value_name = "DURATION", default_value = "1d")]
    every: String,
    /// At most so many runs at once
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u8).range(1..=64))]
    parallel: u8,
    /// Run intervals that were loaded already, too
    #[arg(long)]
    again: bool,
    /// Only tell which runs there would be
    #[arg(long)]
    dry_run: bool,
    #[command(flatten)]
    plugins: PluginFolders,
    #[command(flatten)]
    only: LockedOnly,
    #[command(flatten)]
    state: State,
    #[command(flatten)]
    pub(super) output: Output,
}

/// What became of an interval.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
struct Line {
    interval: Interval,
    /// `succeeded`, `failed`, `cancelled`, `crashed`, `skipped` (loaded already), `not-run`, or `planned`.
    outcome: &'static str,
    run: Option<RunId>,
    rows_loaded: Option<u64>,
    rows_rejected: Option<u64>,
    why: Option<String>,
}

impl Line {
    fn new(interval: Interval, outcome: &'static str) -> Self {
        Self { interval, outcome, run: None, rows_loaded: None, rows_rejected: None, why: None }
    }

    /// Takes over how its run ended, and tells it.
    fn ended(&mut self, record: &RunRecord) {
        let totals = Totals::of(record);
        self.outcome = record.state.word();
        self.run = Some(record.id);
        self.rows_loaded = Some(totals.rows_loaded);
        self.rows_rejected = Some(totals.rows_rejected);
        self.why = record.fault.as_ref().map(Fault::to_string);
        let Interval { start, end } = self.interval;
        if record.state == RunState::Succeeded {
            shout(&format!("{start} to {end}: {} loaded", human::count(totals.rows_loaded, "row", "rows")));
        } else {
            shout(&format!("{start} to {end}: {}: {}", self.outcome, self.why.as_deref().unwrap_or_default()));
        }
    }

    fn is_well(&self) -> bool {
        matches!(self.outcome, "succeeded" | "skipped" | "planned")
    }
}

/// What the threads share.
struct Shared {
    waiting: VecDeque<usize>,
    lines: Vec<Line>,
    /// Why nothing more is begun.
    stopped: Option<Trouble>,
    told_problems: bool,
}

impl Backfill {
    pub(super) fn run(self) -> Result<Exit, Trouble> {
        let intervals = self.intervals()?;
        let source = Source::read(&self.pipeline)?;
        crate::settings::read(&source.root)?;
        let state = places::state_of_pipeline(self.state.state.as_deref(), &source.root);
        let name = match pipeline::parse(&source.text) {
            Ok(pipeline) => pipeline.name,
            Err(found) => {
                problems::tell(source.file(), &found);
                if self.output.format == Format::Json {
                    print_json(&json!({ "state": null, "problems": problems::json(source.file(), &found) }));
                }
                return Ok(Exit::Wrong);
            }
        };
        let cancel = Cancel::new();
        cancel_on_signal(&cancel)?;
        if self.dry_run {
            return self.plan_only(&name, &intervals, &state);
        }
        if let Some(client) = Client::of(&state)? {
            client.must_be_locked(self.only.locked)?;
            return self.through(&client, &name, &intervals, &state, &cancel);
        }
        let host = Host::open_locked(&self.plugins.plugins, &source.root, self.only.locked, compiling(false))?;
        let mut house = House::open(&state, &format!("sluicebox backfill {}", source.name))?;
        refuse_bookmarks(&house.store, &name)?;
        let first = intervals.first().copied();
        house.recover(&host, first.map(|interval| (name.as_str(), interval)), &cancel)?;
        house.quiet = true;
        let lines = self.lines(&house.store, &name, &intervals)?;
        let is_planned = |(at, line): (usize, &Line)| (line.outcome == "planned").then_some(at);
        let waiting = lines.iter().enumerate().filter_map(is_planned).collect();
        let lines = begin(lines);
        let shared = Mutex::new(Shared { waiting, lines, stopped: None, told_problems: false });
        let work = Work { host: &host, house: &house, source: &source, name: &name, cancel: &cancel };
        // Whether its extracts leave bookmarks is known after a first run.
        if house.store.history(&name, None, 1)?.is_empty() {
            work.one(&shared);
        }
        std::thread::scope(|scope| {
            let (work, shared) = (&work, &shared);
            for _ in 0..self.parallel {
                scope.spawn(move || while work.one(shared) {});
            }
        });
        let shared = shared.into_inner().unwrap_or_else(PoisonError::into_inner);
        if let Some(trouble) = &shared.stopped {
            super::tell(trouble);
        }
        self.answer(&name, &shared.lines);
        let well = shared.stopped.is_none() && shared.lines.iter().all(Line::is_well);
        Ok(if well { Exit::Done } else { Exit::Failed })
    }

    /// The same through a host that serves: it runs one run of a pipeline at a time, the oldest first.
    fn through(
        &self,
        client: &Client,
        name: &str,
        intervals: &[Interval],
        state: &Path,
        cancel: &Cancel,
    ) -> Result<Exit, Trouble> {
        let store = crate::journal::open(state)?;
        refuse_bookmarks(&store, name)?;
        shout("the host that serves here runs them, one after the other");
        let mut lines = self.lines(&store, name, intervals)?;
        let waiting: Vec<bool> = lines.iter().map(|line| line.outcome == "planned").collect();
        lines = begin(lines);
        let mut stopped = None;
        for (line, _) in lines.iter_mut().zip(waiting).filter(|(_, waits)| *waits) {
            if stopped.is_some() || cancel.is_cancelled() {
                break;
            }
            let ask = json!({ "interval": line.interval, "backfill": true });
            let run = run_of(&client.post(&format!("/api/v1/pipelines/{name}/runs"), &ask)?)?;
            line.run = Some(run);
            match wait(client, &store, run, cancel)? {
                Became::Ended(record) => {
                    stopped = record.bookmarks.keys().next().map(|stage| has_bookmarks(name, stage));
                    line.ended(&record);
                }
                Became::Refused(why) => {
                    shout(&format!("{} to {}: nothing ran: {why}", line.interval.start, line.interval.end));
                    (line.outcome, line.why) = ("failed", Some(why));
                }
                Became::Dropped(why) => (line.outcome, line.why) = ("cancelled", Some(why)),
            }
        }
        if let Some(trouble) = &stopped {
            super::tell(trouble);
        }
        self.answer(name, &lines);
        let well = stopped.is_none() && lines.iter().all(Line::is_well);
        Ok(if well { Exit::Done } else { Exit::Failed })
    }

    /// What is to be done about each interval.
    fn lines(&self, store: &Store, name: &str, intervals: &[Interval]) -> Result<Vec<Line>, Trouble> {
        intervals.iter().map(|interval| self.line(store, name, *interval)).collect()
    }

    fn intervals(&self) -> Result<Vec<Interval>, Trouble> {
        let time = |option: &str, text: &str| {
            point(text).ok_or_else(|| {
                Trouble::new(format!("`--{option} {text}` is neither a day nor a time"))
                    .help("write e.g. `2026-01-01` or `2026-01-01T06:00:00Z`")
            })
        };
        let (from, to) = (time("from", &self.from)?, time("to", &self.to)?);
        let every = units::duration(&self.every)
            .map_err(|help| Trouble::new(format!("`--every {}` is no duration", self.every)).help(help))?;
        split(from, to, every).map_err(|(message, help)| {
            Trouble::new(format!("`--from {} --to {} --every {}`: {message}", self.from, self.to, self.every))
                .help(help)
        })
    }

    /// What is to be done about an interval.
    fn line(&self, store: &Store, name: &str, interval: Interval) -> Result<Line, Trouble> {
        let before = store.succeeded(name, &load_key(name, interval))?;
        Ok(match before {
            Some(run) if !self.again => Line { run: Some(run), ..Line::new(interval, "skipped") },
            _ => Line::new(interval, "planned"),
        })
    }

    fn plan_only(&self, name: &str, intervals: &[Interval], state: &Path) -> Result<Exit, Trouble> {
        // What never ran leaves nothing behind.
        let lines = if state.join("store.sqlite").exists() {
            self.lines(&crate::journal::open(state)?, name, intervals)?
        } else {
            intervals.iter().map(|interval| Line::new(*interval, "planned")).collect()
        };
        self.answer(name, &lines);
        Ok(Exit::Done)
    }

    fn answer(&self, name: &str, lines: &[Line]) {
        if self.output.format == Format::Json {
            print_json(&json!({ "pipeline": name, "intervals": lines }));
            return;
        }
        let style = Style::stdout();
        let mut table = Table::new(&[
            ("from", Align::Left),
            ("to", Align::Left),
            ("outcome", Align::Left),
            ("rows", Align::Right),
            ("rejected", Align::Right),
            ("run", Align::Left),
            ("why", Align::Left),
        ]);
        for line in lines {
            let tone = if line.is_well() { Tone::Good } else { Tone::Bad };
            let number = |rows: Option<u64>| rows.map(human::number).unwrap_or_default();
            table.row(vec![
                line.interval.start.to_string().into(),
                line.interval.end.to_string().into(),
                Cell::toned(line.outcome, tone),
                number(line.rows_loaded).into(),
                number(line.rows_rejected).into(),
                line.run.map(|run| run.to_string()).unwrap_or_default().into(),
                human::cut(&clean_line(line.why.as_deref().unwrap_or_default()), 80).into(),
            ]);
        }
        print(&table.render(style));
    }
}

/// Tells which intervals are left out; the others wait.
fn begin(mut lines: Vec<Line>) -> Vec<Line> {
    for line in lines.iter_mut().filter(|line| line.outcome == "planned") {
        line.outcome = "not-run";
    }
    let skipped = lines.iter().filter(|line| line.outcome == "skipped").count();
    if skipped > 0 {
        let shown = human::count(skipped as u64, "interval was", "intervals were");
        shout(&format!("{shown} loaded already and left out; `--again` runs them, too"));
    }
    lines
}

/// An extract that gives only what is new has nothing to give for the past.
fn refuse_bookmarks(store: &Store, name: &str) -> Result<(), Trouble> {
    match store.bookmarks(Some(name))?.first() {
        Some(bookmark) => Err(has_bookmarks(name, &bookmark.stage)),
        None => Ok(()),
    }
}

fn has_bookmarks(name: &str, stage: &str) -> Trouble {
    Trouble::new(format!(
        "`{name}` cannot be backfilled: stage `{stage}` has a bookmark and gives only what is new, whatever the interval"
    ))
    .help(format!(
        "let the stage read by `${{interval.start}}` instead; or read everything anew: `sluicebox bookmarks reset {name} \
         {stage}`, then `sluicebox run`"
    ))
}

struct Work<'a> {
    host: &'a Host,
    house: &'a House,
    source: &'a Source,
    name: &'a str,
    cancel: &'a Cancel,
}

impl Work<'_> {
    /// Runs the next interval; answers with whether there was one.
    fn one(&self, shared: &Mutex<Shared>) -> bool {
        let (at, interval) = {
            let mut shared = lock(shared);
            if shared.stopped.is_some() || self.cancel.is_cancelled() {
                return false;
            }
            let Some(at) = shared.waiting.pop_front() else { return false };
            let Some(line) = shared.lines.get(at) else { return false };
            (at, line.interval)
        };
        let ran = self.ran(interval);
        let mut shared = lock(shared);
        let mut line = Line::new(interval, "not-run");
        match ran {
            Ok(Ran::Done(record, examined)) => {
                if !shared.told_problems {
                    shared.told_problems = true;
                    problems::tell(self.source.file(), &examined.problems);
                }
                line.ended(&record);
                if let Some(stage) = record.bookmarks.keys().next() {
                    shared.stopped = Some(has_bookmarks(self.name, stage));
                }
            }
            Ok(Ran::Unsound(examined)) => {
                line.outcome = "failed";
                let first = examined.problems.iter().find(|problem| problem.is_error());
                line.why = first.map(|problem| problem.message.clone());
                shout(&format!("{} to {}: nothing ran", interval.start, interval.end));
                problems::tell(self.source.file(), &examined.problems);
            }
            Ok(Ran::CancelledBefore) => {}
            Ok(Ran::Lost(trouble)) | Err(trouble) => {
                line.outcome = "failed";
                line.why = Some(trouble.message.clone());
                // What keeps the journal from being written keeps every run.
                shared.stopped = Some(trouble);
            }
        }
        if let Some(place) = shared.lines.get_mut(at) {
            *place = line;
        }
        true
    }

    /// A run may be cancelled by itself (`sluicebox cancel`), without the others.
    fn ran(&self, interval: Interval) -> Result<Ran, Trouble> {
        let plugins = Plugins::Found(&self.host.catalog);
        let asked = Asked {
            source: self.source,
            plugins: &plugins,
            trigger: Trigger::Backfill,
            interval,
            load_key: load_key(self.name, interval),
            id: None,
            repeats: None,
            parts: Vec::new(),
            restored: BTreeMap::new(),
        };
        let own = Cancel::new();
        let (done, waits) = std::sync::mpsc::channel::<()>();
        std::thread::scope(|scope| {
            let (all, one) = (self.cancel, &own);
            scope.spawn(move || {
                while waits.recv_timeout(LOOK_EVERY) == Err(std::sync::mpsc::RecvTimeoutError::Timeout) {
                    if all.is_cancelled() {
                        one.cancel();
                    }
                }
            });
            let ran = self.house.run(self.host, &asked, &own);
            drop(done);
            ran
        })
    }
}

fn lock(shared: &Mutex<Shared>) -> MutexGuard<'_, Shared> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}
