//! What a pipeline's schedule asks for, shared by all pipelines whose schedules say the same.

use crate::timetable::{Timetable, TimetableError};
use sluicebox_model::pipeline::{CatchUp, Overlap, Schedule};
use std::collections::HashMap;
use std::sync::{Arc, Weak};
use std::time::Duration;

/// A timetable and what becomes of fires that cannot be on time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    /// When it runs.
    pub timetable: Timetable,
    /// What becomes of missed fires.
    pub catch_up: CatchUp,
    /// How far back missed fires are made up for.
    pub window: Duration,
    /// What becomes of a fire while a run is under way.
    pub overlap: Overlap,
    /// Runs begin up to so much later.
    pub jitter: Duration,
}

impl Plan {
    /// The plan of a schedule; its timetable is empty if it does not run at times.
    ///
    /// # Errors
    /// All that is wrong with its texts.
    pub fn of(schedule: &Schedule) -> Result<Self, Vec<TimetableError>> {
        Ok(Self {
            timetable: Timetable::of(schedule)?,
            catch_up: schedule.catch_up,
            window: schedule.catch_up_window,
            overlap: schedule.overlap,
            jitter: schedule.jitter,
        })
    }
}

impl Timetable {
    /// The timetable of a schedule; without rules if it does not run at times.
    ///
    /// # Errors
    /// All that is wrong with its texts.
    pub fn of(schedule: &Schedule) -> Result<Self, Vec<TimetableError>> {
        let crons: Vec<&str> = schedule.cron.iter().map(|cron| cron.text.as_str()).collect();
        Self::parse(&crons, schedule.every, &schedule.timezone.text)
    }
}

/// The plans in use, each once.
#[derive(Debug, Default)]
pub struct Plans {
    by_text: HashMap<String, Weak<Plan>>,
}

impl Plans {
    /// The plan of a schedule: the one that is there, if some schedule said the same.
    ///
    /// # Errors
    /// All that is wrong with its texts.
    pub fn get(&mut self, schedule: &Schedule) -> Result<Arc<Plan>, Vec<TimetableError>> {
        let key = key(schedule);
        if let Some(plan) = self.by_text.get(&key).and_then(Weak::upgrade) {
            return Ok(plan);
        }
        let plan = Arc::new(Plan::of(schedule)?);
        if self.by_text.len() == self.by_text.capacity() {
            self.by_text.retain(|_, plan| plan.strong_count() > 0);
        }
        self.by_text.insert(key, Arc::downgrade(&plan));
        Ok(plan)
    }
}

/// All of a schedule that its plan depends on.
fn key(schedule: &Schedule) -> String {
    let crons: Vec<&str> = schedule.cron.iter().map(|cron| cron.text.as_str()).collect();
    let zone = &schedule.timezone.text;
    let (every, window, jitter) = (schedule.every, schedule.catch_up_window, schedule.jitter);
    format!("{crons:?} {every:?} {zone:?} {:?} {window:?} {:?} {jitter:?}", schedule.catch_up, schedule.overlap)
}
