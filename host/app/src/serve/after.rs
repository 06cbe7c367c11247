//! What follows from a run that has ended: retries, runs of pipelines that follow it, a pause, alerts. All of it is kept in
//! one step with the end of the queue's row, and all of it may be decided again: nothing happens twice.

use super::rows::{self, RunOptions};
use super::service::Service;
use crate::deaths::DEATHS_MAX;
use crate::trouble::Trouble;
use jiff::Timestamp;
use sluicebox_alert::{Circumstances, Facts, due, message, target_name};
use sluicebox_model::alert::{AlertOn, AlertTarget};
use sluicebox_model::fault::{Fault, FaultKind};
use sluicebox_model::house::{
    Decided, HouseEvent, NewAlert, NewHouseEvent, NewRun, PausedState, QueueState, QueuedRun, Settled,
};
use sluicebox_model::pipeline::OnCrash;
use sluicebox_model::run::{Event, RunRecord, RunState, Trigger};
use sluicebox_schedule::pause::pause;
use sluicebox_store::HouseFilter;
use std::time::Duration;

/// Who pauses a pipeline that keeps failing.
const PAUSE_AFTER: &str = "pause-after";

/// A run that begins so long after its time is late, unless the settings say otherwise.
pub(crate) const LATE_AFTER: Duration = Duration::from_secs(300);

impl Service {
    /// Decides what follows from a run that has ended, or could not begin (then `record` stands in for it), and keeps it.
    /// Answers with the runs that joined the queue.
    ///
    /// # Errors
    /// The store cannot be used; it is decided again at the next start.
    pub(super) fn settle(
        &self,
        queued: &QueuedRun,
        record: &RunRecord,
        state: QueueState,
        reason: &str,
        now: Timestamp,
    ) -> Result<Vec<QueuedRun>, Trouble> {
        let mut decided = Decided::default();
        let settled = Settled { run: queued.run, state, reason: reason.to_owned(), events: Vec::new() };
        let event = |event| NewHouseEvent { pipeline: Some(queued.pipeline.clone()), event };
        if state == QueueState::Refused {
            let refused =
                HouseEvent::Refused { nominal: queued.nominal, run: Some(queued.run), reason: reason.to_owned() };
            decided.events.push(event(refused));
        }
        decided.settled.push(settled);
        let repeat = self.repeat(queued, record, now)?;
        let goes_on = repeat.is_some();
        decided.runs.extend(repeat);
        if !goes_on {
            // First: whoever is told of the failure is told that it pauses.
            let pauses = self.pause_if_it_keeps_failing(record, now)?;
            decided.alerts.extend(self.alerts(queued, record, pauses, now)?);
            let followers = self.followers(record, now)?;
            decided.runs.extend(followers.runs);
            decided.events.extend(followers.events);
            decided.alerts.extend(followers.alerts);
        }
        // The end of the run is on disk already; what follows from it is decided again if need be.
        self.keep_soon(&decided, now)
    }

    /// The run that repeats one that failed, where trying again can help, or that the host's death interrupted.
    fn repeat(&self, queued: &QueuedRun, record: &RunRecord, now: Timestamp) -> Result<Option<NewRun>, Trouble> {
        // A replay as a whole run would load more than was set aside.
        if record.state != RunState::Failed || record.stages.is_empty() || record.trigger == Trigger::Replay {
            return Ok(None);
        }
        let pipeline = sluicebox_model::pipeline::draft(&record.text).pipeline;
        let interrupted = self.has_crashed(record)?;
        let options = RunOptions::of(queued);
        let (options, once, event) = if interrupted {
            let leaves = pipeline.as_ref().is_none_or(|pipeline| pipeline.on_crash == OnCrash::Leave);
            if leaves {
                return Ok(None);
            }
            let deaths = options.deaths.saturating_add(1);
            if deaths >= DEATHS_MAX {
                let (pipeline, run) = (&queued.pipeline, record.id);
                tracing::error!(%pipeline, %run, "not started again: the host died {deaths} times in a row while it ran");
                return Ok(None);
            }
            (
                RunOptions { interrupted: true, rerun: None, deaths, ..options },
                rows::once("interrupted", record.id),
                None,
            )
        } else {
            let retries = pipeline.as_ref().map_or(0, |pipeline| pipeline.retries);
            let may_help = record.fault.as_ref().is_some_and(|fault| fault.kind.worth_retrying());
            if options.retry >= retries || !may_help {
                return Ok(None);
            }
            (RunOptions { retry: options.retry + 1, ..options }, rows::once("retry", record.id), None::<HouseEvent>)
        };
        let mut run = rows::row(&queued.pipeline, pipeline.as_ref(), Trigger::Rerun, record.interval, now)?;
        run.nominal = queued.nominal;
        // It keeps its place: before the runs of its pipeline that were due later.
        run.ready_at = queued.ready_at;
        run.repeats = Some(record.id);
        run.options = RunOptions { follows: rows::follows(queued), ..options }.value();
        run.reason =
            if interrupted { "the run before it was interrupted" } else { "the run before it failed" }.to_owned();
        tracing::warn!(pipeline = %queued.pipeline, run = %record.id, "{}; it runs again as {}", run.reason, run.run);
        Ok(Some(NewRun { run, once, events: event.into_iter().collect() }))
    }

    /// Pauses a pipeline that failed too often. Answers with whether it is paused because of this failure.
    fn pause_if_it_keeps_failing(&self, record: &RunRecord, now: Timestamp) -> Result<bool, Trouble> {
        if !matches!(record.state, RunState::Failed | RunState::Crashed) {
            return Ok(false);
        }
        let Some(offered) = self.offered(&record.pipeline) else { return Ok(false) };
        let Some(limit) = offered.pipeline.schedule.as_ref().and_then(|schedule| schedule.pause_after) else {
            return Ok(false);
        };
        // What failed before it was last resumed does not count.
        let filter = HouseFilter {
            pipeline: Some(record.pipeline.clone()),
            kinds: vec!["resumed".to_owned()],
            newest_first: true,
            limit: Some(1),
            ..HouseFilter::default()
        };
        let resumed = self.house.store.house_events(&filter)?.first().map(|entry| entry.at);
        let failures = self.house.store.failures(&record.pipeline, resumed, None)?;
        let Some(reason) = pause(Some(limit), failures.count) else { return Ok(false) };
        if self.house.store.pause(&record.pipeline, PAUSE_AFTER, &reason, now)? {
            let resume = self.command(&format!("resume {}", record.pipeline));
            tracing::error!(pipeline = %record.pipeline, "paused: {reason}; `{resume}` lets it run again");
            self.schedules_changed(&record.pipeline);
            return Ok(true);
        }
        // An earlier host paused it for this very failure, and died before it could tell.
        let paused = self.paused(&record.pipeline);
        let is_of_this = |paused: &PausedState| record.ended_at.is_none_or(|ended| paused.at >= ended);
        Ok(paused.is_some_and(|paused| paused.by == PAUSE_AFTER && paused.reason == reason && is_of_this(&paused)))
    }

    /// Why a pipeline does not run by itself, if it does not.
    pub(super) fn paused(&self, pipeline: &str) -> Option<PausedState> {
        self.lock().states.get(pipeline).and_then(|state| state.paused.clone())
    }

    /// Whoever is to be told of a run; `pauses`: its pipeline is paused because it failed.
    pub(super) fn alerts(
        &self,
        queued: &QueuedRun,
        record: &RunRecord,
        pauses: bool,
        now: Timestamp,
    ) -> Result<Vec<NewAlert>, Trouble> {
        let settings = self.settings();
        let offered = self.offered(&queued.pipeline);
        let pipeline = offered.as_ref().map(|offered| &offered.pipeline);
        let own = pipeline.and_then(|pipeline| pipeline.alerts.clone());
        let (rules, root) = match (own, &offered) {
            (Some(rules), Some(offered)) => (rules, offered.source.root.clone()),
            _ => (settings.alerts.clone(), self.dir.clone()),
        };
        if rules.is_empty() {
            return Ok(Vec::new());
        }
        let store = &self.house.store;
        let has_succeeded = record.state == RunState::Succeeded;
        let failures = store.failures(&queued.pipeline, None, record.ended_at.filter(|_| has_succeeded))?;
        let told_of_failure = store.open_failures(&queued.pipeline, failures.last_success)?;
        // One that could not commit at first was told as a failure itself.
        let itself = has_succeeded && !told_of_failure.is_empty() && self.has_crashed(record)?;
        let failures_in_a_row = failures.count + u64::from(itself);
        let schedule = pipeline.and_then(|pipeline| pipeline.schedule.as_ref());
        let waits_since = self.lock().waits_since(queued);
        let circumstances = Circumstances {
            failures_in_a_row: u32::try_from(failures_in_a_row).unwrap_or(u32::MAX),
            told_of_failure,
            pauses,
            due_at: rows::due_at(queued),
            waits_since: Some(waits_since),
            // One that takes the place of another began when that one did; one behind others waits for them.
            late_after: (queued.repeats.is_none() && !rows::is_behind(queued))
                .then_some(settings.serve.late_after.unwrap_or(LATE_AFTER)),
            deadline: schedule.and_then(|schedule| schedule.deadline),
            told: self.told(queued.run),
        };
        let mut notes = Vec::new();
        if !queued.reason.is_empty() {
            notes.push(queued.reason.clone());
        }
        let paused = self.paused(&queued.pipeline);
        let facts = Facts {
            owner: pipeline.and_then(|pipeline| pipeline.owner.as_deref()),
            failures_in_a_row: circumstances.failures_in_a_row,
            failing_since: failures.since,
            due_at: circumstances.due_at,
            paused: paused.as_ref().map(|paused| paused.reason.as_str()),
            notes: &notes,
            ..self.facts()
        };
        let mut alerts = Vec::new();
        for due in due(&rules, record, &circumstances, now) {
            let told = message(&due.kinds, record, &facts, &|text| text.to_owned());
            alerts.extend(due.to.iter().map(|target| new_alert(queued, due.kind(), target, &told, &root)));
        }
        Ok(alerts)
    }

    /// What is the same in all alerts.
    fn facts(&self) -> Facts<'_> {
        let (folder, state_folder) = (self.dir.to_str(), self.state_folder.as_deref());
        Facts { host: &self.machine, folder, state_folder, ..Facts::default() }
    }

    fn has_crashed(&self, record: &RunRecord) -> Result<bool, Trouble> {
        let events = self.house.store.events(record.id)?;
        Ok(events.iter().any(|(_, event)| matches!(event, Event::RunCrashed { .. })))
    }
}

fn new_alert(
    queued: &QueuedRun,
    kind: AlertOn,
    target: &AlertTarget,
    told: &sluicebox_alert::Message,
    root: &std::path::Path,
) -> NewAlert {
    NewAlert {
        pipeline: queued.pipeline.clone(),
        run: Some(queued.run),
        about: String::new(),
        kind,
        target: target_name(target),
        body: serde_json::json!({ "message": told, "target": target, "root": root }),
    }
}

impl Service {
    /// Whoever is to be told of late runs, of an interval for which a pipeline does not follow those that it waits for.
    pub(super) fn missed_alerts(&self, queued: &QueuedRun, reason: &str) -> Result<Vec<NewAlert>, Trouble> {
        let Some(offered) = self.offered(&queued.pipeline) else { return Ok(Vec::new()) };
        let (rules, root) = match &offered.pipeline.alerts {
            Some(rules) => (rules.clone(), offered.source.root.clone()),
            None => (self.settings().alerts, self.dir.clone()),
        };
        let Some(record) = rows::waiting(queued) else { return Ok(Vec::new()) };
        let notes = [format!("it did not begin: {reason}")];
        let facts = Facts { owner: offered.pipeline.owner.as_deref(), notes: &notes, ..self.facts() };
        let told = message(&[AlertOn::Late], &record, &facts, &|text| text.to_owned());
        let about = format!("{}/{}", queued.interval.start, queued.interval.end);
        let rules = rules.iter().filter(|rule| rule.on.contains(&AlertOn::Late));
        let targets = rules.flat_map(|rule| &rule.to).flat_map(AlertTarget::each);
        let alert = |target: AlertTarget| NewAlert {
            run: None,
            about: about.clone(),
            ..new_alert(queued, AlertOn::Late, &target, &told, &root)
        };
        Ok(targets.map(alert).collect())
    }
}

/// The fault of a run that could not begin.
pub(super) fn refused(reasons: &[String]) -> Fault {
    Fault {
        kind: FaultKind::InvalidConfig,
        stage: String::new(),
        call: "check".to_owned(),
        batch: None,
        rows: None,
        message: format!("the pipeline cannot run as it is: {}", reasons.join("; ")),
        help: Some("`sluicebox check` tells all that is wrong with it".to_owned()),
        backtrace: None,
    }
}
