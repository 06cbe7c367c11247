//! Runs that wait for their start.

use crate::run::{Interval, RunId, Trigger};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// A run that a trigger made, from then until it has ended. What happens in it is in the journal, from its start on.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct QueuedRun {
    /// The run. It has this id in the journal, too.
    pub run: RunId,
    /// The pipeline's name.
    pub pipeline: String,
    /// What caused it.
    pub trigger: Trigger,
    /// The time of the schedule; none: it is not of a schedule.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nominal: Option<Timestamp>,
    /// For when it runs.
    pub interval: Interval,
    /// When the trigger made it.
    pub queued_at: Timestamp,
    /// When it may start: for a schedule, `nominal` and the jitter.
    pub ready_at: Timestamp,
    /// Higher ones start first.
    pub priority: i32,
    /// The pool that it takes a place of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pool: Option<String>,
    /// The run that it repeats.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub repeats: Option<RunId>,
    /// What else was asked for, e.g. where a rerun begins; `null`: nothing.
    #[serde(default, skip_serializing_if = "serde_json::Value::is_null")]
    pub options: serde_json::Value,
    /// How far it is.
    pub state: QueueState,
    /// Why it is in that state, for people; empty if that needs no reason.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub reason: String,
}

/// How far a queued run is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum QueueState {
    /// It has not started.
    Waiting,
    /// It is under way, or was when the host died.
    Started,
    /// The journal has its end.
    Ended,
    /// It could not start, e.g. because its file is broken.
    Refused,
    /// It was taken out of the queue before it started.
    Dropped,
}

impl QueueState {
    /// Whether nothing can follow.
    pub fn is_final(self) -> bool {
        !matches!(self, Self::Waiting | Self::Started)
    }

    /// Whether this may become `next`.
    pub fn may_become(self, next: Self) -> bool {
        match self {
            Self::Waiting => next != Self::Waiting,
            // Back to waiting: the host died before the run was in the journal.
            Self::Started => next != Self::Started,
            Self::Ended | Self::Refused | Self::Dropped => false,
        }
    }

    /// The word used in JSON and tables.
    pub fn word(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Started => "started",
            Self::Ended => "ended",
            Self::Refused => "refused",
            Self::Dropped => "dropped",
        }
    }
}
