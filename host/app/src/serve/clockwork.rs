//! When pipelines fire: the planner, and decisions that could not be kept yet.

use jiff::Timestamp;
use sluicebox_model::house::ScheduleState;
use sluicebox_model::pipeline::Schedule;
use sluicebox_schedule::{Busy, Decision, Planner, Plans, Timetable};

/// The planner of all pipelines.
#[derive(Default)]
pub(super) struct Clockwork {
    planner: Planner,
    plans: Plans,
    /// Decided, and not in the store: it failed.
    unkept: Vec<Decision>,
}

impl Clockwork {
    /// The schedule of a pipeline that is new, or was edited. What an edited one missed before is not made up for.
    pub(super) fn set(&mut self, name: &str, schedule: Option<&Schedule>, state: &ScheduleState, now: Timestamp) {
        let plan = schedule.filter(|schedule| schedule.is_timed()).and_then(|schedule| self.plans.get(schedule).ok());
        let Some(plan) = plan else {
            self.planner.remove(name);
            return;
        };
        if !self.planner.update(name, plan.clone(), now) {
            self.planner.add(name, plan, state.decided_until.unwrap_or(now), state.paused.is_some());
        }
    }

    pub(super) fn remove(&mut self, name: &str) {
        self.planner.remove(name);
    }

    pub(super) fn set_paused(&mut self, name: &str, paused: bool, now: Timestamp) {
        if paused {
            self.planner.pause(name);
        } else {
            self.unkept.extend(self.planner.resume(name, now));
        }
    }

    pub(super) fn wake_at(&mut self) -> Option<Timestamp> {
        self.planner.wake_at()
    }

    /// What is to be decided now.
    pub(super) fn tick(&mut self, now: Timestamp, busy: impl FnMut(&str) -> Busy) -> Vec<Decision> {
        let mut decisions = std::mem::take(&mut self.unkept);
        decisions.extend(self.planner.tick(now, busy));
        decisions
    }

    /// The store failed: the same comes again with the next tick.
    pub(super) fn come_again(&mut self, decisions: Vec<Decision>) {
        self.unkept = decisions;
    }

    /// The times of a pipeline.
    pub(super) fn timetable(&self, name: &str) -> Option<&Timetable> {
        self.planner.plan(name).map(|plan| &plan.timetable)
    }
}
