//! The service: what runs, what waits, and what is decided about it.

use super::clockwork::Clockwork;
use super::commits::Again;
use super::files::Watches;
use super::folder::Offered;
use super::follow::Pending;
use super::hosts::Hosts;
use super::rows::{self, RunOptions};
use super::waits;
use super::work::{Worked, told, work};
use crate::house::House;
use crate::places;
use crate::trouble::Trouble;
use jiff::Timestamp;
use sluicebox_model::alert::AlertOn;
use sluicebox_model::cancel::Cancel;
use sluicebox_model::house::{
    Decided, Enqueued, HouseEvent, NewHouseEvent, NewRun, QueueState, QueuedRun, ScheduleState,
};
use sluicebox_model::pipeline::Settings;
use sluicebox_model::run::{Interval, RunId, RunRecord, RunState, Trigger};
use sluicebox_schedule::{Busy, Decision, Start};
use std::cell::LazyCell;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::PathBuf;
use std::sync::mpsc::Sender;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};
use std::time::{Duration, Instant};

/// How late runs started: upper bounds of the classes that are counted.
pub(super) const LATENESS: [Duration; 9] = [
    Duration::from_millis(10),
    Duration::from_millis(50),
    Duration::from_millis(100),
    Duration::from_millis(500),
    Duration::from_secs(1),
    Duration::from_secs(10),
    Duration::from_secs(60),
    Duration::from_secs(600),
    Duration::MAX,
];

/// Why the loop turns.
pub(super) enum Wake {
    /// Something changed.
    Turn,
    /// The host is to end.
    Stop(&'static str),
}

/// Runs the pipelines of a folder by themselves.
pub(super) struct Service {
    pub(super) house: House,
    pub(super) hosts: Hosts,
    /// The folder that is served.
    pub(super) dir: PathBuf,
    /// The state folder, if commands that are given in `dir` do not find it by themselves.
    pub(super) state_folder: Option<String>,
    /// The name of the machine.
    pub(super) machine: String,
    pub(super) started: Instant,
    settings: RwLock<Settings>,
    inner: Mutex<Inner>,
    pub(super) wake: Mutex<Sender<Wake>>,
    /// Held by whoever commits what a run has prepared, other than the run itself.
    pub(super) committing: Mutex<()>,
    /// Held by whoever begins runs.
    admitting: Mutex<()>,
}

/// A run under way.
pub(super) struct Running {
    pub queued: QueuedRun,
    pub cancel: Cancel,
}

/// What changes from turn to turn.
#[derive(Default)]
pub(super) struct Inner {
    pub offered: BTreeMap<String, Offered>,
    /// Files that are no pipeline as they are, with what is wrong.
    pub broken: BTreeMap<PathBuf, Vec<String>>,
    /// What is wrong with whom pipelines follow, by pipeline.
    pub circles: BTreeMap<String, Vec<String>>,
    pub clockwork: Clockwork,
    pub files: Watches,
    pub states: BTreeMap<String, ScheduleState>,
    /// When pipelines were resumed, since this host began.
    pub resumed: BTreeMap<String, Timestamp>,
    pub pending: Pending,
    /// Pipelines with a run whose loads could not be committed, and when that is tried again.
    pub uncommitted: BTreeSet<String>,
    pub commits: Option<Again>,
    pub waiting: Vec<QueuedRun>,
    pub running: BTreeMap<RunId, Running>,
    /// Whether runs may begin: not while the host starts or ends.
    pub open: bool,
    pub stopping: Option<&'static str>,
    /// What was told of runs while they waited or ran.
    pub told: BTreeMap<RunId, BTreeSet<AlertOn>>,
    pub started_late: [u64; LATENESS.len()],
    pub started_late_sum: Duration,
    /// Whether the store fails.
    pub trouble: Option<Trouble>,
}

impl Service {
    /// A service that does nothing yet.
    pub(super) fn new(house: House, hosts: Hosts, dir: PathBuf, wake: Sender<Wake>) -> Self {
        let state_folder = places::to_be_named(&house.state, &dir).map(|folder| folder.display().to_string());
        Self {
            house,
            hosts,
            dir,
            state_folder,
            machine: machine(),
            started: Instant::now(),
            settings: RwLock::default(),
            inner: Mutex::default(),
            wake: Mutex::new(wake),
            committing: Mutex::default(),
            admitting: Mutex::default(),
        }
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn settings(&self) -> Settings {
        self.settings.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(super) fn set_settings(&self, settings: Settings) {
        *self.settings.write().unwrap_or_else(PoisonError::into_inner) = settings;
    }

    /// A command as it is to be typed in the folder of the pipelines.
    pub(super) fn command(&self, words: &str) -> String {
        sluicebox_alert::command(words, self.state_folder.as_deref())
    }

    /// A pipeline as it was last sound.
    pub(super) fn offered(&self, name: &str) -> Option<Offered> {
        self.lock().offered.get(name).cloned()
    }

    /// What was told of a run already.
    pub(super) fn told(&self, run: RunId) -> Vec<AlertOn> {
        self.lock().told.get(&run).map(|told| told.iter().copied().collect()).unwrap_or_default()
    }

    pub(super) fn turn_soon(&self) {
        let _ = self.wake.lock().unwrap_or_else(PoisonError::into_inner).send(Wake::Turn);
    }

    /// Reads again whether a pipeline is paused.
    pub(super) fn schedules_changed(&self, pipeline: &str) {
        match self.house.store.schedule_states() {
            Ok(states) => {
                let now = Timestamp::now();
                let mut inner = self.lock();
                let is_paused = |states: &BTreeMap<String, ScheduleState>| {
                    states.get(pipeline).is_some_and(|state| state.paused.is_some())
                };
                let (before, paused) = (is_paused(&inner.states), is_paused(&states));
                inner.states = states;
                inner.clockwork.set_paused(pipeline, paused, now);
                if before && !paused {
                    inner.resumed.insert(pipeline.to_owned(), now);
                }
                let held = inner.waiting.iter().filter(|queued| queued.pipeline == pipeline && inner.is_held(queued));
                let held = held.count() as u64;
                drop(inner);
                if held > 0 {
                    let runs = crate::show::human::count(held, "run", "runs");
                    tracing::warn!(%pipeline, "{runs} of it that wait begin when it is resumed");
                }
                self.turn_soon();
            }
            Err(error) => tracing::error!("the schedules cannot be read: {error}"),
        }
    }

    /// Keeps what was decided, and waits for the disk; the runs that joined the queue are the answer. They may begin meanwhile:
    /// what they do that anybody sees is not done before all this is on disk.
    ///
    /// # Errors
    /// The store cannot be written: nothing was decided, or what was may be lost with the power.
    pub(super) fn keep(&self, decided: &Decided, now: Timestamp) -> Result<Vec<QueuedRun>, Trouble> {
        let joined = self.keep_soon(decided, now)?;
        self.house.store.flush()?;
        Ok(joined)
    }

    /// The same, without waiting for the disk: for what is decided again, and no other way, if a loss of power takes it back.
    ///
    /// # Errors
    /// The store cannot be written: nothing was decided.
    pub(super) fn keep_soon(&self, decided: &Decided, now: Timestamp) -> Result<Vec<QueuedRun>, Trouble> {
        let decision = self.house.store.decide_soon(decided, now)?;
        let mut joined = Vec::new();
        for (new, enqueued) in decided.runs.iter().zip(&decision.runs) {
            if *enqueued == Enqueued::Joined {
                joined.push(new.run.clone());
            }
        }
        if !joined.is_empty() {
            self.lock().waiting.extend(joined.iter().cloned());
            self.turn_soon();
        }
        Ok(joined)
    }

    /// One turn: times that have come, files that have arrived, runs that may begin. Answers with when the next is due.
    ///
    /// # Errors
    /// The store cannot be used; the same is decided at the next turn.
    pub(super) fn turn(self: &Arc<Self>, now: Timestamp) -> Result<Option<Timestamp>, Trouble> {
        if !self.lock().open {
            return Ok(None);
        }
        self.fire(now)?;
        self.watch_the_clock(now)?;
        self.admit(now)?;
        Ok(self.lock().clockwork.wake_at())
    }

    /// Times of schedules that have come.
    fn fire(&self, now: Timestamp) -> Result<(), Trouble> {
        let decisions = {
            let mut inner = self.lock();
            let Inner { clockwork, waiting, running, .. } = &mut *inner;
            // Counted once, however many pipelines are due, and only if one is.
            let busy = LazyCell::new(|| {
                let mut busy: HashMap<&str, Busy> = HashMap::new();
                for run in running.values() {
                    let busy = busy.entry(&run.queued.pipeline).or_default();
                    busy.running += 1;
                    busy.catching_up |= rows::is_catching_up(&run.queued);
                }
                for queued in waiting.iter() {
                    let busy = busy.entry(&queued.pipeline).or_default();
                    busy.queued += 1;
                    busy.catching_up |= rows::is_catching_up(queued);
                }
                busy
            });
            clockwork.tick(now, |name| busy.get(name).copied().unwrap_or_default())
        };
        if decisions.is_empty() {
            return Ok(());
        }
        let kept = self.decided(&decisions, now).and_then(|decided| self.keep_soon(&decided, now));
        if kept.is_err() {
            self.lock().clockwork.come_again(decisions);
        }
        kept.map(drop)
    }

    /// What the decisions of the planner mean for the queue.
    fn decided(&self, decisions: &[Decision], now: Timestamp) -> Result<Decided, Trouble> {
        let mut decided = Decided::default();
        let mut made_up_for: BTreeSet<String> = BTreeSet::new();
        for decision in decisions {
            let (Some(name), Some(until)) = (decision.pipeline(), decision.decided()) else {
                tracing::warn!("{decision}");
                let event = HouseEvent::ClockSetBack { reason: decision.to_string() };
                decided.events.push(NewHouseEvent { pipeline: None, event });
                continue;
            };
            tracing::info!(pipeline = %name, "{decision}");
            let latest = decided.decided_until.entry(name.to_owned()).or_insert(until);
            *latest = (*latest).max(until);
            match decision {
                Decision::Skip(skip) => {
                    let interval = {
                        let inner = self.lock();
                        let timetable = inner.clockwork.timetable(name);
                        timetable.map_or(Interval { start: skip.first, end: skip.first }, |it| it.interval(skip.first))
                    };
                    let interval = Interval { end: skip.last, ..interval };
                    let event = HouseEvent::Skipped { nominal: skip.last, interval, reason: decision.to_string() };
                    decided.events.push(NewHouseEvent { pipeline: Some(name.to_owned()), event });
                }
                Decision::Fire(fire) | Decision::CatchUp(fire) => {
                    if fire.start == Start::Cancel {
                        let (waiting, running) = self.under_way(name);
                        for run in waiting.into_iter().chain(running) {
                            self.stop_run(run, "the next run is due (`overlap = \"cancel\"`)", now)?;
                        }
                    }
                    let Some(offered) = self.offered(name) else { continue };
                    let (nominal, interval) = (fire.at, fire.interval);
                    let mut run = rows::row(name, Some(&offered.pipeline), Trigger::Schedule, interval, now)?;
                    run.nominal = Some(nominal);
                    run.ready_at = fire.due;
                    let event = if matches!(decision, Decision::CatchUp(_)) {
                        run.reason = decision.to_string();
                        // Of all that are made up for, the first tells whether they are late.
                        let behind = !made_up_for.insert(name.to_owned());
                        run.options = RunOptions { catching_up: true, behind, ..RunOptions::default() }.value();
                        HouseEvent::CaughtUp { nominal, interval, run: run.run, reason: decision.to_string() }
                    } else {
                        HouseEvent::Fired { nominal, interval, run: run.run, reason: decision.to_string() }
                    };
                    decided.runs.push(NewRun { run, once: None, events: vec![event] });
                }
                Decision::ClockBack { .. } => {}
            }
        }
        Ok(decided)
    }

    /// The runs of a pipeline that wait, and that are under way.
    pub(super) fn under_way(&self, pipeline: &str) -> (Vec<RunId>, Vec<RunId>) {
        let inner = self.lock();
        let waiting = inner.waiting.iter().filter(|queued| queued.pipeline == pipeline).map(|queued| queued.run);
        let running = inner.running.values().filter(|run| run.queued.pipeline == pipeline).map(|run| run.queued.run);
        (waiting.collect(), running.collect())
    }

    /// Begins the runs that may begin now.
    ///
    /// # Errors
    /// The store cannot be written; they begin at a later turn.
    pub(super) fn admit(self: &Arc<Self>, now: Timestamp) -> Result<(), Trouble> {
        // Of two at once each would count the same places as free.
        let _one = self.admitting();
        loop {
            let mut is_done = true;
            for queued in self.to_start(now) {
                if self.house.store.take(queued.run, now)? {
                    self.begin_run(queued, now)?;
                } else {
                    // It was taken out of the queue meanwhile, and leaves its place to another.
                    self.lock().waiting.retain(|other| other.run != queued.run);
                    is_done = false;
                }
            }
            if is_done {
                return Ok(());
            }
        }
    }

    /// Begins no run from now on; answers with how many are under way.
    pub(super) fn begin_no_more(&self, why: &'static str) -> usize {
        let _none = self.admitting();
        let mut inner = self.lock();
        inner.stopping = Some(why);
        inner.running.len()
    }

    /// While this is held no run begins.
    pub(super) fn admitting(&self) -> MutexGuard<'_, ()> {
        self.admitting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Begins a run that was taken from the queue, on a thread of its own.
    fn begin_run(self: &Arc<Self>, queued: QueuedRun, now: Timestamp) -> Result<(), Trouble> {
        let cancel = Cancel::new();
        {
            let mut inner = self.lock();
            inner.waiting.retain(|other| other.run != queued.run);
            inner.running.insert(queued.run, Running { queued: queued.clone(), cancel: cancel.clone() });
            let late = since(inner.waits_since(&queued), now);
            inner.started_late_sum += late;
            let class = LATENESS.iter().position(|bound| late <= *bound).unwrap_or(LATENESS.len() - 1);
            if let Some(count) = inner.started_late.get_mut(class) {
                *count += 1;
            }
        }
        tracing::info!(pipeline = %queued.pipeline, run = %queued.run, trigger = ?queued.trigger, "begins");
        let service = Arc::clone(self);
        let begun = std::thread::Builder::new().name(format!("run {}", queued.pipeline)).spawn({
            let queued = queued.clone();
            move || service.run_to_its_end(&queued, &cancel)
        });
        if let Err(error) = begun {
            tracing::error!(run = %queued.run, "no thread for the run: {error}; it waits");
            let run = queued.run;
            {
                let mut inner = self.lock();
                inner.running.remove(&run);
                inner.waiting.push(queued);
            }
            self.house.store.settle(run, QueueState::Waiting, "no thread was to be had", now)?;
        }
        Ok(())
    }

    /// The runs that are to start now, in the order in which they do.
    fn to_start(&self, now: Timestamp) -> Vec<QueuedRun> {
        let room = waits::room(&self.settings());
        let mut inner = self.lock();
        if !inner.open || inner.stopping.is_some() || inner.running.len() >= room.at_once {
            return Vec::new();
        }
        let Inner { waiting, running, states, .. } = &mut *inner;
        waits::sort(waiting);
        let running = running.values().map(|running| &running.queued);
        waits::to_start(waiting, running, states, &room, now)
    }

    /// Runs a run of the queue and keeps what follows from it.
    fn run_to_its_end(self: &Arc<Self>, queued: &QueuedRun, cancel: &Cancel) {
        let worked = work(self, queued, cancel);
        let now = Timestamp::now();
        let run = queued.run;
        let kept = match worked {
            Worked::Ended(record) => {
                tell_end(&record);
                if record.in_commit() {
                    self.commit_again_later(&record.pipeline);
                }
                self.settle(queued, &record, QueueState::Ended, "", now).map(drop)
            }
            Worked::Refused(reasons) => {
                for reason in &reasons {
                    tracing::error!(pipeline = %queued.pipeline, %run, "refused: {reason}");
                }
                self.refuse(queued, &reasons, now)
            }
            Worked::Dropped => self.dropped(queued, "cancelled before it began", now),
            Worked::Lost(trouble) => Err(trouble),
        };
        let mut inner = self.lock();
        inner.running.remove(&run);
        inner.told.remove(&run);
        if let Err(trouble) = kept {
            tracing::error!(pipeline = %queued.pipeline, %run, "what became of the run cannot be kept: {}", told(&trouble));
            tracing::error!("it is finished at the next start of the host");
            inner.trouble = Some(trouble);
        }
        drop(inner);
        self.turn_soon();
    }
}

impl Inner {
    /// Since when a run could have started. One that takes the place of another keeps its place in the queue, and is no later for
    /// the time that the other took; one that makes up for a missed time waits since that was decided; one of a paused pipeline
    /// since it was resumed.
    pub(super) fn waits_since(&self, queued: &QueuedRun) -> Timestamp {
        let joined_later = queued.repeats.is_some() || rows::is_catching_up(queued);
        let since = if joined_later { queued.queued_at } else { queued.ready_at };
        let resumed = self.resumed.get(&queued.pipeline).filter(|_| rows::due_at(queued).is_some());
        resumed.map_or(since, |resumed| since.max(*resumed))
    }

    /// Whether a run waits until its pipeline is resumed.
    pub(super) fn is_held(&self, queued: &QueuedRun) -> bool {
        matches!(waits::held(queued, &self.states, queued.ready_at), Some(waits::Why::Paused { .. }))
    }
}

/// The time from one to the other; none if the second is before the first.
pub(super) fn since(from: Timestamp, to: Timestamp) -> Duration {
    Duration::try_from(to.duration_since(from)).unwrap_or_default()
}

fn tell_end(record: &RunRecord) {
    let (pipeline, run) = (&record.pipeline, record.id);
    let totals = crate::show::outcome::Totals::of(record);
    let (loaded, rejected) = (totals.rows_loaded, totals.rows_rejected);
    match record.state {
        RunState::Succeeded => {
            tracing::info!(%pipeline, %run, rows_loaded = loaded, rows_rejected = rejected, "succeeded")
        }
        RunState::Cancelled => tracing::warn!(%pipeline, %run, "cancelled"),
        state => {
            let why = record.fault.as_ref().map(ToString::to_string).unwrap_or_default();
            tracing::error!(%pipeline, %run, "{}: {}", state.word(), crate::show::human::clean_line(&why));
        }
    }
    for finding in &record.findings {
        tracing::warn!(%pipeline, %run, "monitor: {}", crate::show::human::clean_line(&finding.message));
    }
}

fn machine() -> String {
    let file =
        std::fs::read_to_string("/proc/sys/kernel/hostname").or_else(|_| std::fs::read_to_string("/etc/hostname"));
    let name = file.ok().map(|name| name.trim().to_owned()).filter(|name| !name.is_empty());
    name.or_else(|| std::env::var("HOSTNAME").ok()).unwrap_or_else(|| "localhost".to_owned())
}
