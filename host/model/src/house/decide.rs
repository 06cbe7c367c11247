//! What is decided at once, and kept wholly or not at all.

use super::alert::NewAlert;
use super::event::HouseEvent;
use super::queue::{QueueState, QueuedRun};
use crate::run::RunId;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What was decided at once. Kept in the order of the fields: first runs leave the queue, then others join it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Decided {
    /// Runs of the queue that change their state.
    pub settled: Vec<Settled>,
    /// Runs that join the queue.
    pub runs: Vec<NewRun>,
    /// Until when, included, the times of the schedules of these pipelines were decided on.
    pub decided_until: BTreeMap<String, Timestamp>,
    /// What else happened.
    pub events: Vec<NewHouseEvent>,
    /// Who is to be told.
    pub alerts: Vec<NewAlert>,
}

/// A run that is to join the queue. A time of a schedule joins once (by pipeline and `nominal`), an interval of a dependency
/// once (by pipeline and interval), anything else that has a key once (by pipeline and key), and a run once (by its id).
#[derive(Clone, Debug, PartialEq)]
pub struct NewRun {
    /// The run, waiting.
    pub run: QueuedRun,
    /// For file triggers, and requests that must not be doubled: what makes it this one and no other.
    pub once: Option<String>,
    /// Events of its pipeline; kept only if it joined.
    pub events: Vec<HouseEvent>,
}

/// A run of the queue that changes its state.
#[derive(Clone, Debug, PartialEq)]
pub struct Settled {
    /// The run.
    pub run: RunId,
    /// What it becomes.
    pub state: QueueState,
    /// Why, for people; may be empty.
    pub reason: String,
    /// Events of its pipeline; kept only if it changed.
    pub events: Vec<HouseEvent>,
}

/// An event that is to be kept.
#[derive(Clone, Debug, PartialEq)]
pub struct NewHouseEvent {
    /// The pipeline that it is about; none: the house.
    pub pipeline: Option<String>,
    /// What.
    pub event: HouseEvent,
}

/// What became of what was decided.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Decision {
    /// One for each of `settled`: whether it changed. Not so if it is not in the queue, or cannot become that any more.
    pub settled: Vec<bool>,
    /// One for each of `runs`.
    pub runs: Vec<Enqueued>,
    /// One for each of `alerts`: its id; none: it was there already.
    pub alerts: Vec<Option<u64>>,
    /// The id of the last event that was kept; 0: none was.
    pub last_event: u64,
}

/// Whether a run joined the queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Enqueued {
    /// It did.
    Joined,
    /// It had before, as this run.
    Already(RunId),
}

/// What is known of a pipeline's schedule.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct ScheduleState {
    /// Until when, included, its times were decided on; none: nothing was decided yet.
    pub decided_until: Option<Timestamp>,
    /// None: it runs by itself.
    pub paused: Option<PausedState>,
}

/// Why a pipeline does not run by itself.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct PausedState {
    /// Since when.
    pub at: Timestamp,
    /// Who.
    pub by: String,
    /// Why.
    pub reason: String,
}
