//! Pipelines that follow others: a run of theirs for every interval for which all that they wait for have run.

use super::folder::Offered;
use super::rows;
use super::service::Service;
use crate::trouble::Trouble;
use jiff::Timestamp;
use sluicebox_model::house::{Decided, HouseEvent, NewHouseEvent, NewRun};
use sluicebox_model::run::{Interval, RunId, RunRecord, Trigger};
use sluicebox_schedule::dependencies::{Ended, Step, decide};
use sluicebox_store::{RunFilter, RunSummary};
use std::collections::BTreeMap;

/// Intervals for which pipelines wait for a part of what they follow, with the time until which they do.
pub(super) type Pending = BTreeMap<(String, Timestamp, Timestamp), Timestamp>;

/// What the runs for one interval mean for a pipeline that follows them.
enum Standing {
    /// All are there.
    Met(Vec<RunId>),
    /// Some are missing; until when they are waited for, and what is to be told because some did not end as they had to.
    Waits(Option<Timestamp>, Option<String>),
    /// It is too late.
    Missed(String),
}

/// What follows as all is there.
enum Met {
    /// A run.
    Due(Box<NewRun>),
    /// None, since the pipeline is paused.
    Paused(NewHouseEvent),
}

impl Service {
    /// The runs that follow a run that has ended, and what is to be told of those that do not.
    pub(super) fn followers(
        &self,
        ended: &RunRecord,
        now: Timestamp,
    ) -> Result<(Vec<NewRun>, Vec<NewHouseEvent>), Trouble> {
        let (mut runs, mut events) = (Vec::new(), Vec::new());
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
            let pipeline = Some(name.clone());
            match self.standing(&offered, interval, now)? {
                Standing::Met(upstream) => {
                    self.lock().pending.remove(&key(&name, interval));
                    match self.met(&name, &offered, interval, upstream, now)? {
                        Met::Due(run) => runs.push(*run),
                        Met::Paused(event) => events.push(event),
                    }
                }
                Standing::Waits(until, told) => {
                    if let Some(until) = until {
                        self.lock().pending.insert(key(&name, interval), until);
                    }
                    if let Some(reason) = told {
                        tracing::warn!(pipeline = %name, "does not follow yet: {reason}");
                        let event = HouseEvent::DependencyMissed { interval, reason };
                        events.push(NewHouseEvent { pipeline, event });
                    }
                }
                Standing::Missed(reason) => {
                    tracing::warn!(pipeline = %name, "does not follow: {reason}");
                    events.push(NewHouseEvent { pipeline, event: HouseEvent::DependencyMissed { interval, reason } });
                }
            }
        }
        Ok((runs, events))
    }

    /// What it means that all is there that a pipeline waits for.
    fn met(
        &self,
        name: &str,
        offered: &Offered,
        interval: Interval,
        upstream: Vec<RunId>,
        now: Timestamp,
    ) -> Result<Met, Trouble> {
        if self.lock().states.get(name).is_some_and(|state| state.paused.is_some()) {
            let event = HouseEvent::DependencyMissed { interval, reason: "it is paused".to_owned() };
            return Ok(Met::Paused(NewHouseEvent { pipeline: Some(name.to_owned()), event }));
        }
        let run = rows::row(name, Some(&offered.pipeline), Trigger::Dependency, interval, now)?;
        tracing::info!(pipeline = %name, run = %run.run, "follows: all that it waits for is there");
        let met = HouseEvent::DependencyMet { run: run.run, interval, upstream };
        Ok(Met::Due(Box::new(NewRun { run, once: None, events: vec![met] })))
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
            Some(timed_out @ Step::TimedOut { .. }) => Standing::Missed(timed_out.to_string()),
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
                Standing::Missed(reason) => {
                    tracing::error!(pipeline = %name, "does not follow: {reason}");
                    let queued = rows::row(&name, Some(&offered.pipeline), Trigger::Dependency, interval, now)?;
                    decided.alerts = self.missed_alerts(&queued, &reason)?;
                    let event = HouseEvent::DependencyMissed { interval, reason };
                    decided.events.push(NewHouseEvent { pipeline: Some(name), event });
                }
                // What it waited for ended without being seen, or what it waits for was edited.
                Standing::Met(upstream) => match self.met(&name, &offered, interval, upstream, now)? {
                    Met::Due(run) => decided.runs.push(*run),
                    Met::Paused(event) => decided.events.push(event),
                },
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

    /// What was waited for as the host before ended.
    pub(super) fn wait_again(&self, now: Timestamp) -> Result<(), Trouble> {
        let followers: Vec<(String, Offered)> =
            self.lock().offered.iter().map(|(name, offered)| (name.clone(), offered.clone())).collect();
        for (name, offered) in followers {
            let Some(schedule) = &offered.pipeline.schedule else { continue };
            for after in &schedule.after {
                let Some(since) = after.within.and_then(|within| now.checked_sub(within).ok()) else { continue };
                for upstream in &after.pipelines {
                    let filter = RunFilter {
                        pipeline: Some(upstream.text.clone()),
                        since: Some(since),
                        limit: Some(500),
                        ..RunFilter::default()
                    };
                    for run in self.house.store.runs(&filter)? {
                        if let Standing::Waits(Some(until), _) = self.standing(&offered, run.interval, now)? {
                            self.lock().pending.insert(key(&name, run.interval), until);
                        }
                    }
                }
            }
        }
        Ok(())
    }
}

fn key(name: &str, interval: Interval) -> (String, Timestamp, Timestamp) {
    (name.to_owned(), interval.start, interval.end)
}
