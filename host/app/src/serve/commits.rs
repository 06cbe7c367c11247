//! Loads that were prepared and could not be committed: tried again while the host serves, until it succeeds or somebody
//! decides. Until then no run of the pipeline begins: shown later, the rows would take the place of newer ones.

use super::service::Service;
use super::work::told;
use crate::trouble::Trouble;
use crate::wiring::Source;
use jiff::Timestamp;
use sluicebox_model::house::QueueState;
use sluicebox_model::run::{RunId, RunRecord};
use std::sync::{Arc, PoisonError};
use std::time::{Duration, Instant};

/// The wait before the first try, and the longest: each is twice the one before.
const WAIT_FIRST: Duration = Duration::from_secs(2);
pub(crate) const WAIT_MAX: Duration = Duration::from_secs(120);

/// When open commits are tried again.
#[derive(Clone, Copy, Debug)]
pub(super) struct Again {
    at: Instant,
    wait: Duration,
}

impl Service {
    /// Sees to it that the commit of a pipeline's run is tried again.
    pub(super) fn commit_again_later(&self, pipeline: &str) {
        let mut inner = self.lock();
        inner.uncommitted.insert(pipeline.to_owned());
        let first = Again { at: Instant::now() + WAIT_FIRST, wait: WAIT_FIRST };
        inner.commits.get_or_insert(first);
    }

    /// Tries open commits again if it is time to, on a thread of its own: a commit may take long.
    pub(super) fn commit_again(self: &Arc<Self>) {
        let wait = {
            let mut inner = self.lock();
            let Some(again) = inner.commits.filter(|again| again.at <= Instant::now()) else { return };
            inner.commits = None;
            again.wait
        };
        let service = Arc::clone(self);
        let try_all = move || {
            let left = service.try_commits(None).unwrap_or_else(|trouble| {
                tracing::error!("what could not be committed cannot be looked at: {}", told(&trouble));
                1
            });
            if left > 0 {
                let wait = wait.saturating_mul(2).min(WAIT_MAX);
                service.lock().commits = Some(Again { at: Instant::now() + wait, wait });
            }
        };
        if let Err(error) = std::thread::Builder::new().name("commits".to_owned()).spawn(try_all) {
            tracing::error!("no thread to commit what is prepared: {error}");
            self.lock().commits = Some(Again { at: Instant::now() + wait, wait });
        }
    }

    /// Tries to commit what is prepared, of one pipeline or of all. Answers with how many runs are left as they were.
    ///
    /// # Errors
    /// The journal cannot be read.
    pub(super) fn try_commits(&self, pipeline: Option<&str>) -> Result<usize, Trouble> {
        // One after the other, whoever asks.
        let _one = self.committing.lock().unwrap_or_else(PoisonError::into_inner);
        let mut left = 0;
        for record in self.house.store.unfinished()? {
            let is_meant = pipeline.is_none_or(|pipeline| pipeline == record.pipeline);
            if !record.in_commit() || !is_meant || self.lock().running.contains_key(&record.id) {
                continue;
            }
            left += usize::from(!self.commit(record)?);
        }
        Ok(left)
    }

    /// Whether the run has ended now.
    fn commit(&self, record: RunRecord) -> Result<bool, Trouble> {
        let (pipeline, run) = (record.pipeline.clone(), record.id);
        let host = self.hosts.of(&Source::of_run(&record).root);
        let why = match self.house.finish(&host, record) {
            Ok(record) if !record.is_unfinished() => {
                tracing::info!(%pipeline, %run, "what it had prepared is committed now");
                self.lock().uncommitted.remove(&pipeline);
                self.decided_late(&record)?;
                return Ok(true);
            }
            Ok(record) => record.fault.map(|fault| fault.message).unwrap_or_default(),
            Err(trouble) => told(&trouble),
        };
        let why = crate::show::human::clean_line(&why);
        let abandon = self.command(&format!("runs resolve {run} abandon"));
        tracing::error!(%pipeline, %run, "it still cannot be committed: {why}; `{abandon}` leaves it");
        Ok(false)
    }

    /// What follows from the end of a run that its own thread did not see.
    fn decided_late(&self, record: &RunRecord) -> Result<(), Trouble> {
        if let Some(queued) = self.house.store.queue_row(record.id)? {
            self.settle(&queued, record, QueueState::Ended, "", Timestamp::now())?;
        }
        Ok(())
    }

    /// Commits what a run has prepared, or leaves it for good, because somebody has decided so.
    ///
    /// # Errors
    /// The run is under way or has ended; its components are not there any more; the journal fails.
    pub(super) fn resolve(&self, run: RunId, commit: bool) -> Result<RunRecord, Trouble> {
        let _one = self.committing.lock().unwrap_or_else(PoisonError::into_inner);
        let record = self.house.store.run(&run.to_string())?;
        if self.lock().running.contains_key(&run) {
            return Err(
                Trouble::new(format!("run {run} is under way")).help(format!("stop it: `sluicebox cancel {run}`"))
            );
        }
        crate::cli::runs::refuse_decided(&record)?;
        let host = self.hosts.of(&Source::of_run(&record).root);
        let record = if commit { self.house.finish(&host, record)? } else { self.house.abandon(&host, record)? };
        tracing::info!(pipeline = %record.pipeline, %run, "somebody decided: {}", if commit { "commit" } else { "abandon" });
        if !record.is_unfinished() {
            self.lock().uncommitted.remove(&record.pipeline);
        }
        if record.state.is_final() {
            self.decided_late(&record)?;
        }
        Ok(record)
    }
}
