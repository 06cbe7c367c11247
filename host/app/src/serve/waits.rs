//! Why runs of the queue wait: one judgement for the service, which begins them, and for whoever asks.

use super::rows;
use crate::wiring::cores;
use jiff::Timestamp;
use serde::Serialize;
use sluicebox_model::house::{QueueState, QueuedRun, ScheduleState};
use sluicebox_model::pipeline::Settings;
use sluicebox_model::run::RunId;
use sluicebox_schedule::admission::{Candidate, Room, Wait, admit};
use sluicebox_store::{Store, StoreError};
use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::fmt;

/// Why a run waits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Why {
    /// It is not due yet.
    Early(Timestamp),
    /// It would run by itself, and its pipeline is paused.
    Paused {
        /// The pipeline's name.
        pipeline: String,
        /// Why it was paused; may be empty.
        reason: String,
    },
    /// Others come first.
    Others(Wait),
}

impl fmt::Display for Why {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Early(at) => write!(f, "it is due at {at:.0}"),
            Self::Paused { pipeline, reason } => {
                let reason = if reason.is_empty() { String::new() } else { format!(" ({reason})") };
                write!(f, "`{pipeline}` is paused{reason}: it begins after `sluicebox resume {pipeline}`")
            }
            Self::Others(wait) => wait.fmt(f),
        }
    }
}

/// A run that waits, as people are told of it.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) struct Waiting {
    /// The run.
    #[serde(flatten)]
    pub run: QueuedRun,
    /// Its place among all that wait, counted from 1.
    pub place: u64,
    /// Why it has not begun.
    pub why: String,
}

/// How many runs may be under way at once.
pub(super) fn room(settings: &Settings) -> Room {
    let places = |places: u32| usize::try_from(places).unwrap_or(usize::MAX);
    Room {
        at_once: settings.serve.runs.map_or_else(cores, places),
        pools: settings.pools.iter().map(|(name, most)| (name.clone(), places(*most))).collect(),
    }
}

/// Puts runs in the order in which they wait.
pub(super) fn sort(waiting: &mut [QueuedRun]) {
    waiting.sort_by_key(order);
}

/// What comes first waits before others.
fn order(queued: &QueuedRun) -> (Timestamp, Timestamp, RunId) {
    (queued.ready_at, queued.queued_at, queued.run)
}

/// Why a run waits whatever else runs. What a paused pipeline would run by itself waits until it is resumed: its times, what
/// follows others or files, and what takes the place of such a run. What somebody asked for begins.
pub(super) fn held(queued: &QueuedRun, states: &BTreeMap<String, ScheduleState>, now: Timestamp) -> Option<Why> {
    let paused = states.get(&queued.pipeline).and_then(|state| state.paused.as_ref());
    if let Some(paused) = paused.filter(|_| rows::due_at(queued).is_some()) {
        return Some(Why::Paused { pipeline: queued.pipeline.clone(), reason: paused.reason.clone() });
    }
    (queued.ready_at > now).then_some(Why::Early(queued.ready_at))
}

/// For each of the runs that wait, in their order: whether it may start now, or why not.
pub(super) fn judge<'q>(
    waiting: &[&'q QueuedRun],
    running: impl Iterator<Item = &'q QueuedRun>,
    states: &BTreeMap<String, ScheduleState>,
    room: &Room,
    now: Timestamp,
) -> Vec<Result<(), Why>> {
    let mut verdicts: Vec<Result<(), Why>> =
        waiting.iter().map(|queued| held(queued, states, now).map_or(Ok(()), Err)).collect();
    let open: Vec<Candidate<'_>> = waiting
        .iter()
        .zip(&verdicts)
        .filter(|(_, verdict)| verdict.is_ok())
        .map(|(queued, _)| candidate(queued))
        .collect();
    let running: Vec<Candidate<'_>> = running.map(candidate).collect();
    let judged = admit(&open, &running, room);
    for (verdict, judged) in verdicts.iter_mut().filter(|verdict| verdict.is_ok()).zip(judged) {
        *verdict = judged.map_err(Why::Others);
    }
    verdicts
}

/// Those of the runs that wait, in their order, that may start now, in the order in which they do.
pub(super) fn to_start<'q>(
    waiting: &'q [QueuedRun],
    running: impl Iterator<Item = &'q QueuedRun>,
    states: &BTreeMap<String, ScheduleState>,
    room: &Room,
    now: Timestamp,
) -> Vec<QueuedRun> {
    let waiting: Vec<&QueuedRun> = waiting.iter().collect();
    let judged = judge(&waiting, running, states, room, now);
    let may_start = waiting.into_iter().zip(judged).filter(|(_, verdict)| verdict.is_ok());
    let mut start: Vec<QueuedRun> = may_start.map(|(queued, _)| queued.clone()).collect();
    start.sort_by_key(|queued| Reverse(queued.priority));
    start
}

fn candidate(queued: &QueuedRun) -> Candidate<'_> {
    Candidate { pipeline: &queued.pipeline, pool: queued.pool.as_deref(), priority: queued.priority }
}

/// The runs that wait, in the order in which they are to start, each with its place and why it waits. Without a host
/// (`serves` is false) that is why.
///
/// # Errors
/// The store cannot be read.
pub(crate) fn waiting(
    store: &Store,
    settings: &Settings,
    serves: bool,
    now: Timestamp,
) -> Result<Vec<Waiting>, StoreError> {
    let queue = store.queued()?;
    let states = store.schedule_states()?;
    let (waiting, running): (Vec<&QueuedRun>, Vec<&QueuedRun>) =
        queue.iter().partition(|queued| queued.state == QueueState::Waiting);
    // Judged in the order of waiting; told in that of starting, which is the store's.
    let mut places: Vec<usize> = (0..waiting.len()).collect();
    places.sort_by_key(|at| waiting.get(*at).map(|queued| order(queued)));
    let sorted: Vec<&QueuedRun> = places.iter().filter_map(|at| waiting.get(*at).copied()).collect();
    let verdicts = judge(&sorted, running.into_iter(), &states, &room(settings), now);
    let verdicts: BTreeMap<usize, Result<(), Why>> = places.into_iter().zip(verdicts).collect();
    let told = |(at, queued): (usize, &QueuedRun)| Waiting {
        run: queued.clone(),
        place: at as u64 + 1,
        why: match verdicts.get(&at) {
            Some(Err(why @ Why::Paused { .. })) => why.to_string(),
            _ if !serves => "no host serves here: `sluicebox serve` begins it".to_owned(),
            Some(Err(why)) => why.to_string(),
            _ => "it begins now".to_owned(),
        },
    };
    Ok(waiting.into_iter().enumerate().map(told).collect())
}

#[cfg(test)]
#[path = "waits_tests.rs"]
mod tests;
