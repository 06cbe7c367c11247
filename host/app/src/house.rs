//! Running pipelines with one state folder: the right to do so, what an earlier host left unfinished, and the run itself.

use crate::check::{Examined, Known, Purpose, examine_draft};
use crate::components::{self, Plugins};
use crate::deaths::{self, DEATHS_MAX};
use crate::doom::Doomed;
use crate::journal;
use crate::places;
use crate::retention;
use crate::secrets::MaskedJournal;
use crate::serve::log;
use crate::show::problems;
use crate::show::progress::Progress;
use crate::show::style::{Style, Tone};
use crate::telemetry;
use crate::trouble::Trouble;
use crate::twice;
use crate::wiring::{Asked, Host, Source, new_run_id};
use jiff::Timestamp;
use sluicebox_model::cancel::Cancel;
use sluicebox_model::fault::Fault;
use sluicebox_model::pipeline::OnCrash;
use sluicebox_model::plugin::Digest;
use sluicebox_model::run::{Interval, RunId, RunRecord, RunState, Trigger};
use sluicebox_model::stage::Stage;
use sluicebox_runner::{CheckContext, Observer, SystemClock, abandon, conduct, load_key, recover};
use sluicebox_store::{RunLock, Store};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// How often a request to stop is looked for.
const LOOK_EVERY: Duration = Duration::from_millis(20);

/// What is too old is looked for at most so often.
const SWEEP_EVERY: Duration = Duration::from_secs(60);

/// A state folder in which this process, and no other, runs pipelines.
pub struct House {
    /// What happened.
    pub store: Arc<Store>,
    /// The state folder.
    pub state: PathBuf,
    /// Shows neither warnings nor how far a run is: for several runs at once.
    pub quiet: bool,
    /// Components that are kept, whether a run was made with them or not.
    pub offered: Mutex<BTreeSet<Digest>>,
    /// Pipelines that were found sound, by their files.
    known: Mutex<BTreeMap<PathBuf, Known>>,
    /// What is put around the stages of every run, by whoever measures.
    pub around: Option<Around>,
    swept: Mutex<Option<Instant>>,
    _lock: RunLock,
}

/// Puts something around a stage.
pub type Around = Box<dyn Fn(Arc<dyn Stage>) -> Arc<dyn Stage> + Send + Sync>;

/// How an asked run went.
pub enum Ran {
    /// Something is wrong with the pipeline; nothing ran.
    Unsound(Examined),
    /// It was cancelled before it began.
    CancelledBefore,
    /// It has an outcome.
    Done(Box<RunRecord>, Examined),
    /// The journal failed.
    Lost(Trouble),
}

impl House {
    /// Takes the right to run pipelines in a state folder, which is made if it is missing. `what` is told to others who
    /// want it meanwhile.
    ///
    /// # Errors
    /// Another process has it; the store cannot be used.
    pub fn open(state: &Path, what: &str) -> Result<Self, Trouble> {
        let store = journal::open(state)?;
        let lock = store.lock_runs(what, Timestamp::now()).map_err(|error| match error {
            locked @ sluicebox_store::StoreError::Locked { .. } => Trouble::from(locked)
                .help("wait for it to end, or stop it, or give these runs a state folder of their own: `--state DIR`"),
            other => other.into(),
        })?;
        if let Some(run) = store.put_back()? {
            shout(&format!(
                "the store had lost its last events; those of run {run}, which had begun to commit, are put back"
            ));
        }
        Ok(Self {
            store: Arc::new(store),
            state: state.to_owned(),
            quiet: false,
            offered: Mutex::default(),
            known: Mutex::default(),
            around: None,
            swept: Mutex::new(None),
            _lock: lock,
        })
    }

    /// Finishes the runs that have no end: what had begun to commit is committed, what had not is taken back and, as its
    /// pipeline says, runs again; not so if it is what `coming` runs anyway. Tells what it does on standard error.
    ///
    /// # Errors
    /// The journal cannot be read. A run that cannot be finished is told, and stays for the next time.
    pub fn recover(&self, host: &Host, coming: Option<(&str, Interval)>, cancel: &Cancel) -> Result<(), Trouble> {
        for record in self.store.unfinished()? {
            let id = record.id;
            match self.finish(host, record) {
                Ok(record) => self.after_recovery(host, &record, coming, cancel)?,
                Err(trouble) => self.tell_unfinished(id, &trouble),
            }
        }
        match coming {
            Some((pipeline, _)) => self.refuse_beside_open_commit(pipeline),
            None => Ok(()),
        }
    }

    /// Finishes the runs that have no end, as [`House::recover`] does, but runs none again: the answer is those that are to.
    ///
    /// # Errors
    /// The journal cannot be read. A run that cannot be finished is told, and stays for the next time.
    pub fn finish_interrupted(&self, host: &Host) -> Result<Vec<RunRecord>, Trouble> {
        let mut again = Vec::new();
        for record in self.store.unfinished()? {
            let id = record.id;
            match self.finish(host, record) {
                Ok(record) if self.tell_finished(&record, false) => again.push(record),
                Ok(_) => {}
                Err(trouble) => self.tell_unfinished(id, &trouble),
            }
        }
        Ok(again)
    }

    /// Leaves a run without an end as it is.
    ///
    /// # Errors
    /// Its components are not there any more, or the journal fails.
    pub fn abandon(&self, host: &Host, record: RunRecord) -> Result<RunRecord, Trouble> {
        let (plan, secrets) = host.plan_again(&record, &self.state)?;
        let doomed = Doomed::new(&*self.store);
        let masked = MaskedJournal { journal: &doomed, secrets: &secrets };
        Ok(abandon(&plan, record, &masked, &SystemClock, &())?)
    }

    /// Finishes a run that has no end.
    ///
    /// # Errors
    /// Its components are not there any more, or the journal fails.
    pub fn finish(&self, host: &Host, record: RunRecord) -> Result<RunRecord, Trouble> {
        let (plan, secrets) = host.plan_again(&record, &self.state)?;
        let doomed = Doomed::new(&*self.store);
        let masked = MaskedJournal { journal: &doomed, secrets: &secrets };
        let request = places::cancel_request(&self.state, record.id);
        let record = recover(&plan, record, request.exists(), &masked, &SystemClock, &())?;
        if !record.is_unfinished() {
            let _ = std::fs::remove_file(&request);
        }
        telemetry::finished(&Source::of_run(&record).root, &self.store, &record);
        Ok(record)
    }

    /// Refuses a run of a pipeline while one of its runs has prepared loads that could not be committed: shown later, they
    /// would take the place of newer rows.
    ///
    /// # Errors
    /// There is such a run; the journal cannot be read.
    pub(crate) fn refuse_beside_open_commit(&self, pipeline: &str) -> Result<(), Trouble> {
        let open = self.store.unfinished()?.into_iter().find(|run| run.in_commit() && run.pipeline == pipeline);
        let Some(open) = open else { return Ok(()) };
        let why = open.fault.as_ref().map(|fault| fault.message.clone()).unwrap_or_default();
        let message =
            format!("run {} of `{pipeline}` has prepared its loads and could not commit them: {why}", open.id);
        let abandon = self.command(&format!("runs resolve {} abandon", open.id));
        Err(Trouble::new(message).help(format!("mend what keeps it and run again, or leave it as it is: `{abandon}`")))
    }

    fn after_recovery(
        &self,
        host: &Host,
        record: &RunRecord,
        coming: Option<(&str, Interval)>,
        cancel: &Cancel,
    ) -> Result<(), Trouble> {
        let (id, name) = (record.id, &record.pipeline);
        let is_coming = coming.is_some_and(|(pipeline, interval)| {
            // A run for the moment at which it was asked for is as good as a later one.
            let is_moment = |interval: Interval| interval.start == interval.end;
            pipeline == name && (interval == record.interval || (is_moment(interval) && is_moment(record.interval)))
        });
        if !self.tell_finished(record, is_coming) {
            return Ok(());
        }
        if deaths::in_a_row(&self.store, record)? >= DEATHS_MAX {
            shout(&format!(
                "run {id} of `{name}` is given up: the host died {DEATHS_MAX} times in a row in it and in those that it repeats, \
                 and it may be what kills the host"
            ));
            hint(&format!("when that is mended: `{}`", self.command(&format!("rerun {id}"))));
            return Ok(());
        }
        let source = Source::of_run(record);
        let plugins = Plugins::Kept(components::of_run(&host.sandbox, &self.state, record)?);
        let asked = Asked {
            source: &source,
            plugins: &plugins,
            trigger: Trigger::Rerun,
            interval: record.interval,
            load_key: record.load_key.clone(),
            id: None,
            repeats: Some(id),
            parts: Vec::new(),
            restored: BTreeMap::new(),
        };
        match self.run(host, &asked, cancel)? {
            Ran::Done(record, _) => {
                let (id, state) = (record.id, record.state.word());
                shout(&format!("run {id} of `{name}`, which repeats it, {state}"));
            }
            Ran::Unsound(examined) => {
                let first = examined.problems.iter().find(|problem| problem.is_error());
                let why = first.map(|problem| problem.message.clone()).unwrap_or_default();
                shout(&format!("it could not run again: {why}"));
            }
            Ran::CancelledBefore => {}
            Ran::Lost(trouble) => shout(&trouble.message),
        }
        Ok(())
    }

    /// What the ids of a new run's loads begin with. A run for an interval that was loaded before replaces those rows, unless
    /// its extracts give only what is new.
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn load_key(&self, pipeline: &str, interval: Interval) -> Result<String, Trouble> {
        let key = load_key(pipeline, interval);
        if self.store.bookmarks(Some(pipeline))?.is_empty() || !self.store.has_loaded(&key)? {
            return Ok(key);
        }
        let now = Timestamp::now().as_microsecond();
        Ok(format!("{key}-{now:x}"))
    }

    /// Checks a pipeline and runs it; again, as often as it says, if trying again can help.
    ///
    /// # Errors
    /// The store cannot be read, or a plugin cannot be kept.
    pub fn run(&self, host: &Host, asked: &Asked<'_>, cancel: &Cancel) -> Result<Ran, Trouble> {
        let mut repeats = asked.repeats;
        let mut id = asked.id;
        let mut left = None;
        loop {
            let id = match id.take() {
                Some(id) => id,
                None => new_run_id(Timestamp::now())?,
            };
            let ran = self.run_once(host, asked, id, repeats, cancel)?;
            let Ran::Done(record, examined) = &ran else { return Ok(ran) };
            let left = left.get_or_insert(examined.pipeline.as_ref().map_or(0, |pipeline| pipeline.retries));
            let may_help = record.fault.as_ref().is_some_and(|fault| fault.kind.worth_retrying());
            if record.state != RunState::Failed || *left == 0 || !may_help || cancel.is_cancelled() {
                return Ok(ran);
            }
            *left -= 1;
            let why = record.fault.as_ref().map(Fault::to_string).unwrap_or_default();
            shout(&format!("run {} failed: {why}; it runs again", record.id));
            repeats = Some(record.id);
        }
    }

    /// Checks a pipeline and runs it once, as this run.
    ///
    /// # Errors
    /// The store cannot be read, or a plugin cannot be kept.
    pub fn run_once(
        &self,
        host: &Host,
        asked: &Asked<'_>,
        id: RunId,
        repeats: Option<RunId>,
        cancel: &Cancel,
    ) -> Result<Ran, Trouble> {
        let examined = self.examine(host, asked, id, cancel)?;
        if cancel.is_cancelled() {
            // Stages that were being opened say so, too: that is no problem of the file.
            return Ok(Ran::CancelledBefore);
        }
        let Some(pipeline) = examined.pipeline.as_ref().filter(|_| examined.is_sound()) else {
            return Ok(Ran::Unsound(examined));
        };
        twice::refuse(self, asked, pipeline)?;
        if !self.quiet {
            problems::tell(asked.source.file(), &examined.problems);
        }
        let mut plan = host.plan(asked, &examined, &self.state, id)?;
        plan.repeats = repeats;
        plan.history = journal::history(&self.store, pipeline)?;
        if let Some(around) = &self.around {
            plan.stages = std::mem::take(&mut plan.stages).into_iter().map(around).collect();
        }
        let traced = telemetry::of_run(&asked.source.root);
        if let Some(traced) = &traced {
            plan.stages = traced.watch(std::mem::take(&mut plan.stages));
        }
        let progress = (!self.quiet).then(|| Progress::new(pipeline, examined.secrets.clone()));
        let observer: &dyn Observer = progress.as_ref().map_or(&(), |progress| progress);
        let doomed = Doomed::new(&*self.store);
        let masked = MaskedJournal { journal: &doomed, secrets: &examined.secrets };
        let request = places::cancel_request(&self.state, id);
        let (done, waits) = channel::<()>();
        let conducted = std::thread::scope(|scope| {
            let request = &request;
            scope.spawn(move || {
                while waits.recv_timeout(LOOK_EVERY) == Err(RecvTimeoutError::Timeout) {
                    if request.exists() {
                        cancel.cancel();
                    } else if cancel.is_cancelled() {
                        // Whoever finishes the run, should this process not get so far, does not run it again.
                        let _ = places::ask_to_stop(&self.state, id);
                    }
                }
            });
            let conducted = conduct(&plan, &masked, &SystemClock, cancel, observer);
            drop(done);
            conducted
        });
        // Asked for or not, it has ended.
        let _ = std::fs::remove_file(&request);
        if let Some(progress) = &progress {
            progress.end();
        }
        if let Err(error) = conducted {
            let help = format!("look at the disk of {}", self.state.display());
            return Ok(Ran::Lost(Trouble::from(error).help(help)));
        }
        // Read back: what the journal holds is what is shown, here and later.
        let record = self.store.run(&id.to_string())?;
        if let Some(traced) = &traced {
            traced.ended(&self.store, &record);
        }
        if !self.is_time_to_sweep() {
            return Ok(Ran::Done(Box::new(record), examined));
        }
        let offered = self.offered.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let root = &asked.source.root;
        if let Err(trouble) = retention::sweep(&self.store, &self.state, root, &record, &offered, Timestamp::now()) {
            shout(&format!("nothing that is too old was deleted: {}", trouble.message));
            hint(trouble.help.as_deref().unwrap_or_default());
        }
        Ok(Ran::Done(Box::new(record), examined))
    }

    /// A host that runs many sweeps now and then: a look at all that is kept costs more the more runs there were.
    fn is_time_to_sweep(&self) -> bool {
        let mut swept = self.swept.lock().unwrap_or_else(PoisonError::into_inner);
        let is_time = swept.is_none_or(|at| at.elapsed() >= SWEEP_EVERY);
        if is_time {
            *swept = Some(Instant::now());
        }
        is_time
    }

    fn examine(&self, host: &Host, asked: &Asked<'_>, id: RunId, cancel: &Cancel) -> Result<Examined, Trouble> {
        let draft = sluicebox_model::pipeline::draft(&asked.source.text);
        let name = draft.pipeline.as_ref().map(|pipeline| pipeline.name.clone()).unwrap_or_default();
        let bookmarks = self.store.bookmarks(Some(&name))?;
        let context = CheckContext {
            id,
            interval: asked.interval,
            bookmarks: bookmarks.into_iter().map(|bookmark| (bookmark.stage, bookmark.bookmark)).collect(),
            skipped: asked.skipped(),
        };
        let (source, plugins) = (asked.source, asked.plugins);
        let known = self.known().get(&source.path).cloned();
        let examined = examine_draft(draft, source, host, plugins, Purpose::Run, &context, known.as_ref(), cancel);
        if !examined.checks.is_empty() {
            self.remember(source, plugins, &examined);
        }
        Ok(examined)
    }

    /// Remembers that a pipeline is sound, so that a run of it as it is does not open its stages beforehand.
    pub fn remember(&self, source: &Source, plugins: &Plugins<'_>, examined: &Examined) {
        let mut all = self.known();
        match Known::of(source, plugins, examined) {
            Some(known) => all.insert(source.path.clone(), known),
            None => all.remove(&source.path),
        };
    }

    fn known(&self) -> MutexGuard<'_, BTreeMap<PathBuf, Known>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl House {
    /// A command as it is to be typed here, with the state folder where it would not be found.
    pub(crate) fn command(&self, words: &str) -> String {
        let here = places::here().unwrap_or_default();
        let state = places::to_be_named(&self.state, &here).map(|folder| folder.display().to_string());
        sluicebox_alert::command(words, state.as_deref())
    }

    fn tell_unfinished(&self, id: RunId, trouble: &Trouble) {
        shout(&format!("run {id} was interrupted and cannot be finished now: {}", trouble.message));
        hint(trouble.help.as_deref().unwrap_or_default());
        let abandon = self.command(&format!("runs resolve {id} abandon"));
        hint(&format!("it is tried again with the next run; `{abandon}` leaves it as it is"));
    }

    /// Tells how an interrupted run was finished; answers with whether it is to run again.
    fn tell_finished(&self, record: &RunRecord, is_coming: bool) -> bool {
        let (id, name) = (record.id, &record.pipeline);
        match record.state {
            RunState::Succeeded => {
                shout(&format!("run {id} of `{name}` was interrupted while it committed; it is committed now"));
                false
            }
            RunState::Cancelled => {
                shout(&format!("run {id} of `{name}` had been asked to stop; what it had written is taken back"));
                false
            }
            RunState::Failed if record.trigger == Trigger::Replay => {
                shout(&format!("run {id} of `{name}`, a replay, was interrupted; what it had written is taken back"));
                // A run of the whole pipeline would load more than was set aside.
                if let Some(first) = record.repeats {
                    let replay = self.command(&format!("quarantine replay {first}"));
                    hint(&format!("its rows are still set aside: `{replay}`"));
                }
                false
            }
            RunState::Failed => {
                let leaves = sluicebox_model::pipeline::draft(&record.text)
                    .pipeline
                    .is_none_or(|pipeline| pipeline.on_crash == OnCrash::Leave);
                let again = !is_coming && !leaves;
                let rest = if again { ", and it runs again" } else { "" };
                shout(&format!("run {id} of `{name}` was interrupted; what it had written is taken back{rest}"));
                again
            }
            _ => {
                let why = record.fault.as_ref().map(Fault::to_string).unwrap_or_default();
                shout(&format!("run {id} of `{name}` was interrupted and cannot be finished now: {why}"));
                let abandon = self.command(&format!("runs resolve {id} abandon"));
                hint(&format!("it is tried again with the next run; `{abandon}` leaves it as it is"));
                false
            }
        }
    }
}

/// Tells something that somebody has to know, on standard error.
pub fn shout(message: &str) {
    if log::is_on() {
        return tracing::warn!("{}", crate::show::human::clean_line(message));
    }
    eprintln!("{} {}", Style::stderr().paint(Tone::Warn, "note:"), crate::show::human::clean(message));
}

fn hint(message: &str) {
    if log::is_on() && !message.is_empty() {
        tracing::warn!("help: {}", crate::show::human::clean_line(message));
    } else if !message.is_empty() {
        eprintln!("  {} {}", Style::stderr().paint(Tone::Good, "help:"), crate::show::human::clean(message));
    }
}
