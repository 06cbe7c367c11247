//! How long is kept what runs leave behind. Pure: a list of what there is, and a time.

use crate::limits::{Bound, Stated};
use crate::run::RunId;
use jiff::Timestamp;
use serde::Serialize;
use std::collections::BTreeMap;
use std::time::Duration;

/// How long what runs leave behind is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Retention {
    /// Checkpoints, after the end of their run.
    pub checkpoints_for: Duration,
    /// All checkpoints together, in bytes.
    pub checkpoints_bytes_max: u64,
    /// Logs, quarantined rows and the calls that failed, after the end of their run.
    pub runs_for: Duration,
}

impl Default for Retention {
    fn default() -> Self {
        let day = Duration::from_secs(86_400);
        Self { checkpoints_for: day * 7, checkpoints_bytes_max: 10 << 30, runs_for: day * 90 }
    }
}

impl Retention {
    /// How long and how much is kept, for `docs/limits.md`.
    pub fn stated() -> Vec<Stated> {
        let Self { checkpoints_for, checkpoints_bytes_max, runs_for } = Self::default();
        vec![
            Stated::keyed("checkpoints are kept for", Bound::Time(checkpoints_for), "retention.checkpoints.days"),
            Stated::keyed(
                "all checkpoints together",
                Bound::Bytes(checkpoints_bytes_max),
                "retention.checkpoints.size",
            ),
            Stated::keyed(
                "logs, rows set aside and failed calls are kept for",
                Bound::Time(runs_for),
                "retention.runs.days",
            ),
        ]
    }
}

/// A sort of things that a run leaves behind.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum KeptKind {
    /// What its stages passed on.
    Checkpoints,
    /// The rows that were set aside.
    Quarantine,
    /// The calls that failed.
    FailedCall,
    /// What its stages told.
    Log,
}

/// Something that a run left behind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kept {
    /// The run.
    pub run: RunId,
    /// Its pipeline.
    pub pipeline: String,
    /// What it is.
    pub kind: KeptKind,
    /// How large it is.
    pub bytes: u64,
    /// When the run ended; none if it has not, or may still be finished.
    pub ended_at: Option<Timestamp>,
}

/// Which of the things are no longer kept, as positions in the list, in its order. The list has the things of older runs
/// before those of newer ones: no clock tells, since it may be set back.
///
/// What a run without an end left, and what the last run of a pipeline that left such a thing left, always stays. Checkpoints
/// go when they are too old, and then the oldest first until the rest is small enough; all else when it is too old.
pub fn to_delete(kept: &[Kept], rules: &Retention, now: Timestamp) -> Vec<usize> {
    let mut last: BTreeMap<(&str, KeptKind), RunId> = BTreeMap::new();
    for thing in kept {
        last.insert((&thing.pipeline, thing.kind), thing.run);
    }
    // The end of a run that may go.
    let may_go = |thing: &Kept| {
        let is_last = last.get(&(thing.pipeline.as_str(), thing.kind)) == Some(&thing.run);
        thing.ended_at.filter(|_| !is_last)
    };
    let is_old = |thing: &Kept, ended_at: Timestamp| {
        let most = if thing.kind == KeptKind::Checkpoints { rules.checkpoints_for } else { rules.runs_for };
        // A run that ended in the future, as a clock that was set back has it, is not old.
        Duration::try_from(now.duration_since(ended_at)).is_ok_and(|age| age >= most)
    };
    let mut goes: Vec<bool> =
        kept.iter().map(|thing| may_go(thing).is_some_and(|ended| is_old(thing, ended))).collect();
    let is_checkpoint = |thing: &Kept| thing.kind == KeptKind::Checkpoints;
    let staying = kept.iter().zip(&goes).filter(|(thing, goes)| is_checkpoint(thing) && !**goes);
    let mut bytes: u64 = staying.fold(0, |sum, (thing, _)| sum.saturating_add(thing.bytes));
    let oldest: Vec<usize> = kept
        .iter()
        .enumerate()
        .filter(|(at, thing)| is_checkpoint(thing) && goes.get(*at) == Some(&false) && may_go(thing).is_some())
        .map(|(at, _)| at)
        .collect();
    for at in oldest {
        if bytes <= rules.checkpoints_bytes_max {
            break;
        }
        if let (Some(goes), Some(thing)) = (goes.get_mut(at), kept.get(at)) {
            *goes = true;
            bytes = bytes.saturating_sub(thing.bytes);
        }
    }
    goes.iter().enumerate().filter(|(_, goes)| **goes).map(|(at, _)| at).collect()
}
