//! What a run is known by, and the states of it and its stages.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::fmt;

/// The id of a run: a UUIDv7, so that ids sort by time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct RunId(pub uuid::Uuid);

impl RunId {
    /// An id from the time and 80 bits of randomness (only 74 of them are used).
    pub fn new(now: Timestamp, random: [u8; 10]) -> Self {
        let milliseconds = u64::try_from(now.as_millisecond()).unwrap_or(0);
        Self(uuid::Builder::from_unix_timestamp_millis(milliseconds, &random).into_uuid())
    }
}

impl fmt::Display for RunId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// The data interval of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Interval {
    /// Included.
    pub start: Timestamp,
    /// Excluded.
    pub end: Timestamp,
}

/// What caused a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Trigger {
    /// The pipeline's schedule.
    Schedule,
    /// Somebody asked for it.
    Manual,
    /// A run of another pipeline.
    Dependency,
    /// A past interval was asked for.
    Backfill,
    /// A past run was asked for again.
    Rerun,
    /// Rows that a past run set aside were asked for again.
    Replay,
}

/// The state of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RunState {
    /// Waits; the runner moves it to `running`.
    Queued,
    /// Stages are at work; the runner moves it on when they have ended.
    Running,
    /// Every load has prepared, and is being committed; only `succeeded` and `crashed` follow.
    Committing,
    /// Every load is committed.
    Succeeded,
    /// Nothing was loaded; the fault says why.
    Failed,
    /// Somebody stopped it; nothing was loaded.
    Cancelled,
    /// The host died or could not finish the commit; recovery decides.
    Crashed,
}

impl RunState {
    /// Whether no event can follow.
    pub fn is_final(self) -> bool {
        matches!(self, Self::Succeeded | Self::Failed | Self::Cancelled)
    }

    /// The word used in JSON and tables.
    pub fn word(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Running => "running",
            Self::Committing => "committing",
            Self::Succeeded => "succeeded",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
            Self::Crashed => "crashed",
        }
    }
}

/// The state of a stage in a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum StageState {
    /// Not started.
    Pending,
    /// At work.
    Running,
    /// A call failed and is tried again.
    Retrying,
    /// Ended well (a load: prepared).
    Succeeded,
    /// Ended with a fault.
    Failed,
    /// Not needed in this run.
    Skipped,
    /// A stage before it failed.
    UpstreamFailed,
    /// Stopped because the run was.
    Cancelled,
}

impl StageState {
    /// The word used in JSON and tables.
    pub fn word(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Running => "running",
            Self::Retrying => "retrying",
            Self::Succeeded => "succeeded",
            Self::Failed => "failed",
            Self::Skipped => "skipped",
            Self::UpstreamFailed => "upstream-failed",
            Self::Cancelled => "cancelled",
        }
    }

    pub(super) fn is_final(self) -> bool {
        !matches!(self, Self::Pending | Self::Running | Self::Retrying)
    }
}
