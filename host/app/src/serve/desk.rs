//! What the API asks of the service.

use super::folder::Offered;
use super::rows::{self, ReplayOptions, RerunOptions, RunOptions};
use super::service::{LATENESS, Service, since};
use super::timing;
use super::waits;
use super::work::told;
use crate::api::{
    BookmarkAsk, Desk, DeskError, Gauges, Pause, PipelineView, PluginsView, ReplayAsk, RerunAsk, ScheduleView,
    StageView, StartAsk,
};
use crate::cli::bookmarks;
use crate::cli::cancel::refuse_committing;
use crate::cli::quarantine::replay as quarantine;
use crate::cli::rerun::{refuse_replay, refuse_unbegun};
use crate::trouble::Trouble;
use jiff::Timestamp;
use sluicebox_model::house::{Decided, HouseEvent, NewRun, QueuedRun};
use sluicebox_model::pipeline::{Settings, suggest};
use sluicebox_model::run::{Interval, RunId, RunState, Trigger};
use sluicebox_store::{Bookmark, RunFilter};
use std::time::Duration;

/// Times that a single pipeline is shown with.
const NEXT: usize = 5;

/// Most times that are shown.
pub(crate) const NEXT_MAX: usize = 1000;

/// The service as the API asks it.
pub(super) struct OfService(pub std::sync::Arc<Service>);

fn failed(error: impl Into<Trouble>) -> DeskError {
    DeskError::Failed(error.into())
}

impl OfService {
    fn find(&self, name: &str) -> Result<Offered, DeskError> {
        let inner = self.0.lock();
        if !inner.open && inner.stopping.is_none() {
            return Err(DeskError::Unavailable(Trouble::new("the host is starting")));
        }
        inner.offered.get(name).cloned().ok_or_else(|| {
            let names: Vec<&str> = inner.offered.keys().map(String::as_str).collect();
            DeskError::NotFound(
                Trouble::new(format!("there is no pipeline `{name}`")).help(suggest::help(name, &names)),
            )
        })
    }

    fn open(&self) -> Result<(), DeskError> {
        self.ready().map_err(DeskError::Unavailable)
    }

    fn paused(&self, name: &str) -> Option<Pause> {
        self.0.paused(name).map(Pause::from)
    }

    fn view(&self, name: &str, offered: &Offered) -> Result<PipelineView, DeskError> {
        let pipeline = &offered.pipeline;
        let path = &offered.source.path;
        let file = path.strip_prefix(&self.0.dir).unwrap_or(path).display().to_string();
        let host = self.0.hosts.of(&offered.source.root);
        let kind = |plugin: &str| host.catalog.get(plugin).map(|plugin| plugin.description.kind.to_string());
        let stage = |stage: &sluicebox_model::pipeline::StageSpec| StageView {
            name: stage.name.clone(),
            kind: kind(&stage.plugin),
            plugin: stage.plugin.clone(),
            inputs: stage.inputs.clone(),
        };
        let filter = RunFilter { pipeline: Some(name.to_owned()), limit: Some(1), ..RunFilter::default() };
        let last_run = self.0.house.store.runs(&filter).map_err(failed)?.into_iter().next();
        let (waiting, running) = self.0.under_way(name);
        let schedule = pipeline.schedule.as_ref();
        let mut problems = offered.broken.clone();
        problems.extend(self.0.lock().circles.get(name).cloned().unwrap_or_default());
        Ok(PipelineView {
            name: name.to_owned(),
            file,
            description: pipeline.description.clone(),
            owner: pipeline.owner.clone(),
            assumptions: pipeline.assumptions.clone(),
            schedule: schedule.map(timing::timing),
            next: Vec::new(),
            after: schedule.map(|it| it.upstream().into_iter().map(str::to_owned).collect()).unwrap_or_default(),
            priority: pipeline.priority,
            pool: pipeline.pool.clone(),
            paused: self.paused(name),
            stages: pipeline.stages.iter().map(stage).collect(),
            waiting,
            running,
            last_run,
            problems,
        })
    }
}

impl Desk for OfService {
    fn pipelines(&self) -> Result<Vec<PipelineView>, DeskError> {
        let all: Vec<(String, Offered)> =
            self.0.lock().offered.iter().map(|(name, offered)| (name.clone(), offered.clone())).collect();
        all.iter().map(|(name, offered)| self.view(name, offered)).collect()
    }

    fn pipeline(&self, name: &str) -> Result<PipelineView, DeskError> {
        let offered = self.find(name)?;
        let mut view = self.view(name, &offered)?;
        if let Some(schedule) = &offered.pipeline.schedule {
            view.next = timing::next(name, schedule, Timestamp::now(), NEXT);
        }
        Ok(view)
    }

    fn schedule(&self, name: &str, n: usize) -> Result<ScheduleView, DeskError> {
        let offered = self.find(name)?;
        let schedule = offered.pipeline.schedule.as_ref();
        let next = |schedule| timing::next(name, schedule, Timestamp::now(), n.min(NEXT_MAX));
        Ok(ScheduleView {
            pipeline: name.to_owned(),
            schedule: schedule.map(timing::timing),
            paused: self.paused(name),
            next: schedule.map(next).unwrap_or_default(),
        })
    }

    fn start(&self, name: &str, ask: &StartAsk) -> Result<RunId, DeskError> {
        self.open()?;
        let offered = self.find(name)?;
        let now = Timestamp::now();
        let interval = ask.interval.unwrap_or(Interval { start: now, end: now });
        if interval.end < interval.start {
            let trouble = Trouble::new("the interval ends before it starts").help("`start` comes before `end`");
            return Err(DeskError::Invalid(trouble));
        }
        let trigger = if ask.backfill { Trigger::Backfill } else { Trigger::Manual };
        let run = rows::row(name, Some(&offered.pipeline), trigger, interval, now).map_err(failed)?;
        self.enqueue(run, now)
    }

    fn cancel(&self, run: RunId) -> Result<(), DeskError> {
        if let Ok(record) = self.0.house.store.run(&run.to_string()) {
            refuse_committing(&record).map_err(DeskError::Conflict)?;
        }
        let stopped = self.0.stop_run(run, "asked for through the API", Timestamp::now()).map_err(failed)?;
        if stopped {
            return Ok(());
        }
        let record = self.0.house.store.run(&run.to_string()).map_err(|error| DeskError::NotFound(error.into()))?;
        let state = record.state.word();
        Err(DeskError::Conflict(Trouble::new(format!("run {run} cannot be stopped any more: it is {state}"))))
    }

    fn rerun(&self, run: RunId, ask: &RerunAsk) -> Result<RunId, DeskError> {
        self.open()?;
        let record = self.0.house.store.run(&run.to_string()).map_err(|error| DeskError::NotFound(error.into()))?;
        refuse_replay(&record).map_err(DeskError::Conflict)?;
        refuse_unbegun(&record, ask.latest).map_err(DeskError::Conflict)?;
        if record.is_unfinished() {
            return Err(DeskError::Conflict(Trouble::new(format!("run {run} has no end yet"))));
        }
        if ask.failed && ask.from.is_some() {
            let trouble = Trouble::new("`from` and `failed` do not go together").help("leave one of them out");
            return Err(DeskError::Invalid(trouble));
        }
        let stage = |name: &String| record.stages.iter().any(|stage| stage.entry.name == *name);
        if let Some(from) = ask.from.as_ref().filter(|from| !ask.latest && !stage(from)) {
            let names: Vec<&str> = record.stages.iter().map(|stage| stage.entry.name.as_str()).collect();
            let trouble = Trouble::new(format!("run {run} has no stage `{from}`")).help(suggest::help(from, &names));
            return Err(DeskError::Invalid(trouble));
        }
        let offered = self.0.offered(&record.pipeline);
        let pipeline = offered.as_ref().map(|offered| &*offered.pipeline);
        let now = Timestamp::now();
        let mut row = rows::row(&record.pipeline, pipeline, Trigger::Rerun, record.interval, now).map_err(failed)?;
        let rerun = RerunOptions { from: ask.from.clone(), failed: ask.failed, latest: ask.latest };
        row.repeats = Some(run);
        row.options = RunOptions { rerun: Some(rerun), ..RunOptions::default() }.value();
        self.enqueue(row, now)
    }

    fn resolve(&self, run: RunId, commit: bool) -> Result<RunState, DeskError> {
        self.open()?;
        Ok(self.0.resolve(run, commit).map_err(DeskError::Conflict)?.state)
    }

    fn replay(&self, run: RunId, ask: &ReplayAsk) -> Result<RunId, DeskError> {
        self.open()?;
        let store = &self.0.house.store;
        let record = store.run(&run.to_string()).map_err(|error| DeskError::NotFound(error.into()))?;
        let stage = quarantine::stage_of(store, &record, ask.stage.as_deref()).map_err(DeskError::Conflict)?;
        let offered = self.0.offered(&record.pipeline);
        let pipeline = offered.as_ref().map(|offered| &*offered.pipeline);
        let now = Timestamp::now();
        let mut row = rows::row(&record.pipeline, pipeline, Trigger::Replay, record.interval, now).map_err(failed)?;
        row.repeats = Some(run);
        let replay = ReplayOptions { stage, replace_targets: ask.replace_targets };
        row.options = RunOptions { replay: Some(replay), ..RunOptions::default() }.value();
        self.enqueue(row, now)
    }

    fn set_bookmark(&self, ask: &BookmarkAsk) -> Result<Option<Bookmark>, DeskError> {
        self.open()?;
        let (store, name) = (&self.0.house.store, &ask.pipeline);
        if store.last_of(name).map_err(failed)?.is_none() {
            let message = format!("no pipeline `{name}` has run here");
            return Err(DeskError::NotFound(Trouble::new(message).help("`/api/v1/runs` lists the runs")));
        }
        // No run begins meanwhile.
        let inner = self.0.lock();
        if let Some(run) = inner.running.values().find(|run| run.queued.pipeline == *name) {
            let message = format!("run {} of `{name}` is under way, and would move the bookmark", run.queued.run);
            let help = "wait for its end, or stop it; `sluicebox pause` keeps others from beginning";
            return Err(DeskError::Conflict(Trouble::new(message).help(help)));
        }
        let (stage, bookmark) = (&ask.stage, ask.bookmark.as_deref());
        bookmarks::set(store, name, stage, bookmark, Timestamp::now()).map_err(DeskError::Invalid)
    }

    fn pause(&self, name: &str, reason: &str) -> Result<(), DeskError> {
        self.find(name)?;
        let now = Timestamp::now();
        let store = &self.0.house.store;
        if !store.pause(name, "api", reason, now).map_err(failed)? {
            // With the new reason.
            store.resume(name, "api", now).map_err(failed)?;
            store.pause(name, "api", reason, now).map_err(failed)?;
        }
        tracing::info!(pipeline = %name, "paused: {reason}");
        self.0.schedules_changed(name);
        Ok(())
    }

    fn resume(&self, name: &str) -> Result<(), DeskError> {
        self.find(name)?;
        if self.0.house.store.resume(name, "api", Timestamp::now()).map_err(failed)? {
            tracing::info!(pipeline = %name, "resumed");
        }
        self.0.schedules_changed(name);
        Ok(())
    }

    fn plugins(&self) -> Result<PluginsView, DeskError> {
        self.open()?;
        Ok(self.0.plugins_view())
    }

    fn settings(&self) -> Settings {
        self.0.settings()
    }

    fn gauges(&self) -> Gauges {
        let settings = self.0.settings();
        let now = Timestamp::now();
        let (counts, compile_bytes) = (self.0.hosts.counts(), self.0.hosts.cache_bytes());
        let inner = self.0.lock();
        let places = waits::room(&settings).at_once as u64;
        let taken =
            |pool: &String| inner.running.values().filter(|run| run.queued.pool.as_ref() == Some(pool)).count() as u64;
        let may_start = inner.waiting.iter().filter(|run| !inner.is_held(run));
        let late = may_start.map(|run| since(inner.waits_since(run), now)).max().unwrap_or_default();
        let broken = inner.offered.values().filter(|offered| !offered.broken.is_empty()).count() + inner.broken.len();
        Gauges {
            uptime: self.0.started.elapsed(),
            pipelines: inner.offered.len() as u64,
            paused: inner.states.values().filter(|state| state.paused.is_some()).count() as u64,
            broken: broken as u64,
            waiting: inner.waiting.len() as u64,
            running: inner.running.len() as u64,
            running_max: places,
            pools: settings.pools.iter().map(|(name, most)| (name.clone(), taken(name), u64::from(*most))).collect(),
            lateness: late,
            started_late: LATENESS.into_iter().zip(inner.started_late).collect::<Vec<(Duration, u64)>>(),
            started_late_sum: inner.started_late_sum,
            instances: counts.instances,
            instances_total: counts.instances_total,
            compile_hits: counts.compile_hits,
            compile_misses: counts.compile_misses,
            compile_bytes,
        }
    }

    fn ready(&self) -> Result<(), Trouble> {
        let inner = self.0.lock();
        if let Some(why) = inner.stopping {
            return Err(Trouble::new(format!("the host is about to end: {why}")));
        }
        if !inner.open {
            return Err(Trouble::new("the host is starting"));
        }
        match &inner.trouble {
            Some(trouble) => Err(trouble.clone()),
            None => Ok(()),
        }
    }
}

impl OfService {
    fn enqueue(&self, run: QueuedRun, now: Timestamp) -> Result<RunId, DeskError> {
        let id = run.run;
        tracing::info!(pipeline = %run.pipeline, run = %id, trigger = ?run.trigger, "asked for through the API");
        let events = vec![HouseEvent::Requested { run: id, trigger: run.trigger, by: "api".to_owned() }];
        let runs = vec![NewRun { run, once: None, events }];
        self.0.keep_soon(&Decided { runs, ..Decided::default() }, now).map_err(failed)?;
        // Not left to the next turn, which is another thread's.
        if let Err(trouble) = self.0.admit(now) {
            tracing::error!(run = %id, "no run can begin now: {}", told(&trouble));
        }
        // What it does that anybody sees is not done before the decision is on disk; nor is its id told.
        self.0.house.store.flush().map_err(|error| {
            let message = format!("run {id} is in the queue, and may be lost with the power: {error}");
            failed(Trouble::new(message).help("look at the disk of the state folder before asking for it again"))
        })?;
        Ok(id)
    }
}
