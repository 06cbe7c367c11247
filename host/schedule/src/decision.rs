//! What the planner decides, with reasons for the journal.

use jiff::Timestamp;
use serde::Serialize;
use sluicebox_model::run::Interval;
use std::fmt;
use std::sync::Arc;

/// One decision of the planner.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Decision {
    /// A run is due, on time.
    Fire(Fire),
    /// A run makes up for a missed fire.
    CatchUp(Fire),
    /// Fires are left out.
    Skip(Skip),
    /// The clock was set back. Nothing fires a second time; what comes next is later than it would be.
    ClockBack {
        /// What the clock showed before.
        before: Timestamp,
        /// What it shows now.
        now: Timestamp,
    },
}

/// A run that is to start.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Fire {
    /// The pipeline's name.
    pub pipeline: Arc<str>,
    /// The nominal time, by which the fire is known.
    pub at: Timestamp,
    /// The nominal time and the pipeline's delay: lateness is counted from here.
    pub due: Timestamp,
    /// What the run is about.
    pub interval: Interval,
    /// How it starts.
    pub start: Start,
}

/// How a run starts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Start {
    /// As soon as there is room.
    Now,
    /// Behind the runs of its pipeline that are under way or wait.
    Queue,
    /// After the runs of its pipeline that are under way or wait have been cancelled.
    Cancel,
}

/// Fires that are left out: all from the first to the last.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Skip {
    /// The pipeline's name.
    pub pipeline: Arc<str>,
    /// The nominal time of the first.
    pub first: Timestamp,
    /// The nominal time of the last.
    pub last: Timestamp,
    /// How many they are, counted up to [`Skip::COUNTED`].
    pub count: u32,
    /// Why.
    pub reason: SkipReason,
}

impl Skip {
    /// Skipped fires are counted up to here; so many mean that many or more.
    pub const COUNTED: u32 = 1000;
}

/// Why fires are left out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum SkipReason {
    /// The pipeline is paused.
    Paused,
    /// A run of the pipeline is under way or waits, and `overlap` is `skip`.
    Overlap,
    /// Too many runs of the pipeline wait.
    QueueFull,
    /// They were missed longer ago than `catch-up-window`.
    CatchUpWindow,
    /// They were missed, and `catch-up` is `none`.
    CatchUpNone,
    /// They were missed, a later one was too or is due, and `catch-up` is `latest`.
    CatchUpLatest,
}

impl fmt::Display for SkipReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Paused => "the pipeline is paused",
            Self::Overlap => "a run of the pipeline is under way or waits (`overlap = \"skip\"`)",
            Self::QueueFull => "1000 runs of the pipeline wait already",
            Self::CatchUpWindow => "missed longer ago than `catch-up-window`",
            Self::CatchUpNone => "missed (`catch-up = \"none\"`)",
            Self::CatchUpLatest => "missed, and a later one runs (`catch-up = \"latest\"`)",
        })
    }
}

impl Decision {
    /// The pipeline that it is about.
    pub fn pipeline(&self) -> Option<&str> {
        match self {
            Self::Fire(fire) | Self::CatchUp(fire) => Some(&fire.pipeline),
            Self::Skip(skip) => Some(&skip.pipeline),
            Self::ClockBack { .. } => None,
        }
    }

    /// The last nominal time that is decided with it: what the planner is told after a restart.
    pub fn decided(&self) -> Option<Timestamp> {
        match self {
            Self::Fire(fire) | Self::CatchUp(fire) => Some(fire.at),
            Self::Skip(skip) => Some(skip.last),
            Self::ClockBack { .. } => None,
        }
    }
}

impl fmt::Display for Decision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Fire(fire) => write!(f, "{} is due{}", fire.at, fire.start.words()),
            Self::CatchUp(fire) => write!(f, "{} was missed and is made up for{}", fire.at, fire.start.words()),
            Self::Skip(Skip { first, last, count, reason, .. }) => match count {
                1 => write!(f, "{first} is left out: {reason}"),
                &Skip::COUNTED => write!(f, "{count} or more fires from {first} to {last} are left out: {reason}"),
                _ => write!(f, "{count} fires from {first} to {last} are left out: {reason}"),
            },
            Self::ClockBack { before, now } => {
                write!(f, "the clock was set back from {before} to {now}; nothing runs a second time")
            }
        }
    }
}

impl Start {
    fn words(self) -> &'static str {
        match self {
            Self::Now => "",
            Self::Queue => "; it waits for the run before it (`overlap = \"queue\"`)",
            Self::Cancel => "; the run before it is cancelled (`overlap = \"cancel\"`)",
        }
    }
}
