//! Runs that wait or run too long.

use super::rows;
use super::service::{Service, since};
use crate::trouble::Trouble;
use jiff::Timestamp;
use sluicebox_model::alert::AlertOn;
use sluicebox_model::house::{Decided, HouseEvent, NewHouseEvent, QueuedRun};
use sluicebox_model::run::RunId;
use sluicebox_store::HouseFilter;

impl Service {
    /// Runs that wait or run too long: told while it lasts, not when it is over.
    pub(super) fn watch_the_clock(&self, now: Timestamp) -> Result<(), Trouble> {
        let late_after = self.settings().serve.late_after.unwrap_or(super::after::LATE_AFTER);
        let mut due: Vec<(QueuedRun, AlertOn, HouseEvent)> = Vec::new();
        {
            let inner = self.lock();
            let told = |run: RunId, kind: AlertOn| inner.told.get(&run).is_some_and(|told| told.contains(&kind));
            // Nobody needs to be told that what is paused does not begin.
            let waiting: Vec<&QueuedRun> = inner.waiting.iter().filter(|queued| !inner.is_held(queued)).collect();
            for queued in &waiting {
                let Some(due_at) = rows::due_at(queued).filter(|_| !rows::is_behind(queued)) else { continue };
                let nominal = queued.nominal.unwrap_or(due_at);
                let late = since(inner.waits_since(queued), now);
                if late > late_after && !told(queued.run, AlertOn::Late) {
                    let event = HouseEvent::Late { run: queued.run, nominal, seconds: late.as_secs() };
                    due.push(((*queued).clone(), AlertOn::Late, event));
                }
            }
            let running = inner.running.values().map(|running| &running.queued);
            for queued in waiting.into_iter().chain(running) {
                let schedule = inner.offered.get(&queued.pipeline).and_then(|it| it.pipeline.schedule.as_ref());
                let deadline = schedule.and_then(|schedule| schedule.deadline);
                let (Some(due_at), Some(deadline)) = (rows::due_at(queued), deadline) else { continue };
                if since(due_at, now) > deadline && !told(queued.run, AlertOn::Deadline) {
                    let at = due_at.checked_add(deadline).unwrap_or(now);
                    let event = HouseEvent::DeadlineMissed { run: queued.run, nominal: queued.nominal, deadline: at };
                    due.push((queued.clone(), AlertOn::Deadline, event));
                }
            }
        }
        for (queued, kind, event) in due {
            if self.was_told(&queued, &event)? {
                self.lock().told.entry(queued.run).or_default().insert(kind);
                continue;
            }
            tracing::warn!(pipeline = %queued.pipeline, run = %queued.run, "{}", match kind {
                AlertOn::Late => "waits longer for its start than it should",
                _ => "has not ended by its deadline; it goes on",
            });
            let journal = self.house.store.run(&queued.run.to_string()).ok();
            let record = journal.or_else(|| rows::waiting(&queued));
            let alerts = match &record {
                Some(record) => self.alerts(&queued, record, false, now)?,
                None => Vec::new(),
            };
            let events = vec![NewHouseEvent { pipeline: Some(queued.pipeline.clone()), event }];
            self.keep(&Decided { events, alerts, ..Decided::default() }, now)?;
            self.lock().told.entry(queued.run).or_default().insert(kind);
        }
        Ok(())
    }

    /// Whether the same was told of this time before: by an earlier host, or of the run that this one takes
    /// the place of.
    fn was_told(&self, queued: &QueuedRun, event: &HouseEvent) -> Result<bool, Trouble> {
        let filter = HouseFilter {
            pipeline: Some(queued.pipeline.clone()),
            kinds: vec![event.name().to_owned()],
            newest_first: true,
            ..HouseFilter::default()
        };
        let told = |before: &HouseEvent| match (before, event) {
            (HouseEvent::DeadlineMissed { nominal: Some(before), .. }, _) => Some(*before) == queued.nominal,
            // What follows has no time of a schedule: what takes its place was due when it was.
            (
                HouseEvent::DeadlineMissed { nominal: None, deadline: before, .. },
                HouseEvent::DeadlineMissed { nominal: None, deadline, .. },
            ) => before == deadline,
            (HouseEvent::Late { nominal: before, .. }, HouseEvent::Late { nominal, .. }) => before == nominal,
            _ => false,
        };
        Ok(self.house.store.house_events(&filter)?.iter().any(|entry| told(&entry.event)))
    }
}
