//! Pipelines that follow others: a run of theirs for every interval for which all that they wait for have run.

use super::folder::Offered;
use super::rows;
use super::service::Service;
use crate::trouble::Trouble;
use jiff::Timestamp;
use sluicebox_model::house::{Decided, HouseEvent, NewHouseEvent, NewRun};
use sluicebox_model::run::{Interval, RunId, RunRecord, Trigger};
use sluicebox_schedule::dependencies::{Ended, Step, decide};
use sluicebox_store::{HouseFilter, RunFilter, RunSummary};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// Intervals for which pipelines wait for a part of what they follow, with the time until which they do.
pub(super) type Pending = BTreeMap<(String, Timestamp, Timestamp), Timestamp>;

/// Runs of a pipeline that are looked at as a host begins, the newest.
pub(crate) const RUNS_MAX: u32 = 500;

/// A run that was queued so long before the last host ended may have ended after it.
const LONGEST_RUN: Duration = Duration::from_secs(86_400);

/// What the runs for one interval mean for a pipeline that follows them.
enum Standing {
    /// All are there.
    Met(Vec<RunId>),
    /// Some are missing; until when they are waited for, and what is to be told because some did not end as they had to.
    Waits(Option<Timestamp>, Option<String>),
    /// It is too late, since when.
    Missed(String, Timestamp),
}

impl Service {
    /// What follows from a run that has ended: runs of other pipelines, and what is to be told of those that do not follow.
    pub(super) fn followers(&self, ended: &RunRecord, now: Timestamp) -> Result<Decided, Trouble> {
        let mut decided = Decided::default();
        let followers: Vec<(String, Offered)> = {
            let inner = self.lock();
            let follows = |offered: &Offered| {
                let schedule = offered.pipeline.schedule.as_ref();
                schedule.is_some_and(|schedule| schedule.upstream().contains(&ended.pipeline.as_str()))
            };
            let of = inner.offered.iter().filter(|(_, offered)| follows(offered));
            of.map(|(name, offered)| (name.clone(), offered.clone())).collect()
        };
        for (name, offered) in followers {
            let interval = ended.interval;
            match self.standing(&offered, interval, now)? {
                Standing::Met(upstream) => {
                    self.lock().pending.remove(&key(&name, interval));
                    self.met(&name, &offered, interval, upstream, now, &mut decided)?;
                }
                Standing::Waits(until, told) => {
                    if let Some(until) = until {
                        self.lock().pending.insert(key(&name, interval), until);
                    }
                    if let Some(reason) = told {
                        tracing::warn!(pipeline = %name, "does not follow yet: {reason}");
                        let event = HouseEvent::DependencyMissed { interval, reason };
                        decided.events.push(NewHouseEvent { pipeline: Some(name), event });
                    }
                }
                Standing::Missed(reason, _) => {
                    self.lock().pending.remove(&key(&name, interval));
                    self.missed(&name, &offered, interval, reason, now, &mut decided)?;
                }
            }
        }
        Ok(decided)
    }

    /// All is there that a pipeline waits for: it follows, unless it is paused.
    fn met(
        &self,
        name: &str,
        offered: &Offered,
        interval: Interval,
        upstream: Vec<RunId>,
        now: Timestamp,
        decided: &mut Decided,
    ) -> Result<(), Trouble> {
        if self.paused(name).is_some() {
            let event = HouseEvent::DependencyMissed { interval, reason: "it is paused".to_owned() };
            decided.events.push(NewHouseEvent { pipeline: Some(name.to_owned()), event });
            return Ok(());
        }
        let run = rows::row(name, Some(&offered.pipeline), Trigger::Dependency, interval, now)?;
        tracing::info!(pipeline = %name, run = %run.run, "follows: all that it waits for is there");
        let met = HouseEvent::DependencyMet { run: run.run, interval, upstream };
        decided.runs.push(NewRun { run, once: None, events: vec![met] });
        Ok(())
    }

    /// It is too late for a pipeline to follow: that is kept and told, once.
    fn missed(
        &self,
        name: &str,
        offered: &Offered,
        interval: Interval,
        reason: String,
        now: Timestamp,
        decided: &mut Decided,
    ) -> Result<(), Trouble> {
        let filter = HouseFilter {
            pipeline: Some(name.to_owned()),
            kinds: vec!["dependency-missed".to_owned()],
            newest_first: true,
            ..HouseFilter::default()
        };
        let event = HouseEvent::DependencyMissed { interval, reason: reason.clone() };
        if self.house.store.house_events(&filter)?.iter().any(|entry| entry.event == event) {
            return Ok(());
        }
        tracing::error!(pipeline = %name, "does not follow: {reason}");
        let queued = rows::row(name, Some(&offered.pipeline), Trigger::Dependency, interval, now)?;
        decided.alerts.extend(self.missed_alerts(&queued, &reason)?);
        decided.events.push(NewHouseEvent { pipeline: Some(name.to_owned()), event });
        Ok(())
    }

    fn standing(&self, offered: &Offered, interval: Interval, now: Timestamp) -> Result<Standing, Trouble> {
        let Some(schedule) = &offered.pipeline.schedule else { return Ok(Standing::Waits(None, None)) };
        let mut runs: Vec<RunSummary> = Vec::new();
        for name in schedule.upstream() {
            let (pipeline, interval) = (Some(name.to_owned()), Some(interval));
            runs.extend(self.house.store.runs(&RunFilter {
                pipeline,
                interval,
                limit: Some(100),
                ..RunFilter::default()
            })?);
        }
        let ended: Vec<Ended<'_>> = runs
            .iter()
            .filter_map(|run| {
                Some(Ended { pipeline: &run.pipeline, interval: run.interval, state: run.state, at: run.ended_at? })
            })
            .collect();
        // The store knows what was decided, and does nothing twice.
        let step = decide(&schedule.after, &ended, now, |_| false).pop();
        Ok(match &step {
            Some(Step::Due { .. }) => Standing::Met(runs.iter().map(|run| run.id).collect()),
            Some(timed_out @ Step::TimedOut { deadline, .. }) => Standing::Missed(timed_out.to_string(), *deadline),
            Some(waiting @ Step::Waiting { until, missing, .. }) => {
                let failed = missing.iter().any(|missing| missing.ended.is_some());
                Standing::Waits(*until, failed.then(|| waiting.to_string()))
            }
            None => Standing::Waits(None, None),
        })
    }

    /// Intervals that were waited for long enough.
    pub(super) fn give_up_waiting(&self, now: Timestamp) -> Result<(), Trouble> {
        let over: Vec<(String, Timestamp, Timestamp)> = {
            let mut inner = self.lock();
            let over: Vec<_> =
                inner.pending.iter().filter(|(_, until)| **until < now).map(|(key, _)| key.clone()).collect();
            for key in &over {
                inner.pending.remove(key);
            }
            over
        };
        for (name, start, end) in over {
            let Some(offered) = self.offered(&name) else { continue };
            let interval = Interval { start, end };
            let mut decided = Decided::default();
            match self.standing(&offered, interval, now)? {
                Standing::Missed(reason, _) => {
                    self.missed(&name, &offered, interval, reason, now, &mut decided)?;
                }
                // What it waited for ended without being seen, or what it waits for was edited.
                Standing::Met(upstream) => self.met(&name, &offered, interval, upstream, now, &mut decided)?,
                Standing::Waits(Some(until), _) => {
                    self.lock().pending.insert(key(&name, interval), until);
                    continue;
                }
                Standing::Waits(None, _) => continue,
            }
            self.keep(&decided, now)?;
        }
        Ok(())
    }

    /// What was waited for as the host before ended, and what happened since, while none served: runs by hand that others
    /// follow, and times that passed. `last` is when the host before last kept something; none: no host served before.
    pub(super) fn wait_again(&self, last: Option<Timestamp>, now: Timestamp) -> Result<(), Trouble> {
        let followers: Vec<(String, Offered)> =
            self.lock().offered.iter().map(|(name, offered)| (name.clone(), offered.clone())).collect();
        for (name, offered) in followers {
            let Some(schedule) = &offered.pipeline.schedule else { continue };
            let mut intervals = BTreeSet::new();
            for after in &schedule.after {
                // A run may have begun long before it ended, and was queued before it began.
                let within = after.within.unwrap_or_default();
                let ended_since = last.unwrap_or(now).min(now).checked_sub(within).unwrap_or(Timestamp::MIN);
                let since = ended_since.checked_sub(LONGEST_RUN).unwrap_or(Timestamp::MIN);
                for upstream in &after.pipelines {
                    let filter = RunFilter {
                        pipeline: Some(upstream.text.clone()),
                        since: Some(since),
                        limit: Some(RUNS_MAX),
                        ..RunFilter::default()
                    };
                    let mut runs = self.house.store.runs(&filter)?;
                    runs.retain(|run| run.ended_at.is_some_and(|at| at >= ended_since));
                    intervals.extend(runs.iter().map(|run| (run.interval.start, run.interval.end)));
                }
            }
            for (start, end) in intervals {
                self.wait_again_for(&name, &offered, Interval { start, end }, last, now)?;
            }
        }
        Ok(())
    }

    fn wait_again_for(
        &self,
        name: &str,
        offered: &Offered,
        interval: Interval,
        last: Option<Timestamp>,
        now: Timestamp,
    ) -> Result<(), Trouble> {
        let is_unseen = |at: Timestamp| last.is_some_and(|last| at >= last);
        let mut decided = Decided::default();
        match self.standing(offered, interval, now)? {
            Standing::Waits(Some(until), _) => {
                self.lock().pending.insert(key(name, interval), until);
            }
            Standing::Waits(None, _) => {}
            // The time passed while no host served.
            Standing::Missed(reason, at) if is_unseen(at) => {
                self.missed(name, offered, interval, reason, now, &mut decided)?;
            }
            Standing::Met(upstream) if self.last_end(&upstream)?.is_some_and(is_unseen) => {
                self.met(name, offered, interval, upstream, now, &mut decided)?;
            }
            // The host before has seen it.
            Standing::Missed(..) | Standing::Met(_) => {}
        }
        if decided != Decided::default() {
            self.keep(&decided, now)?;
        }
        Ok(())
    }

    /// When the last of these runs ended.
    fn last_end(&self, runs: &[RunId]) -> Result<Option<Timestamp>, Trouble> {
        let mut last = None;
        for run in runs {
            last = last.max(self.house.store.run(&run.to_string())?.ended_at);
        }
        Ok(last)
    }
}

fn key(name: &str, interval: Interval) -> (String, Timestamp, Timestamp) {
    (name.to_owned(), interval.start, interval.end)
}
