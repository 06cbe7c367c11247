//! Random events of a run, and the written rules of which event may follow which: for the tests of the model and of the store.
#![allow(missing_docs, dead_code, clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

use jiff::Timestamp;
use proptest::prelude::*;
use sluicebox_model::fault::{Fault, FaultKind};
use sluicebox_model::monitor::{Column, Monitor, MonitorFinding, MonitorSeverity};
use sluicebox_model::plugin::{Digest, Kind};
use sluicebox_model::run::{Event, Interval, RunId, StageEntry, StageOutcome, Trigger};
use std::collections::BTreeMap;

pub(crate) const STAGES: [(&str, Kind); 4] =
    [("read", Kind::Extract), ("check", Kind::Validate), ("one", Kind::Load), ("two", Kind::Load)];

pub(crate) fn at(second: usize) -> Timestamp {
    Timestamp::from_second(second as i64).unwrap()
}

pub(crate) fn id() -> RunId {
    RunId::new(at(1), [1; 10])
}

pub(crate) fn queued(repeats: Option<RunId>) -> Event {
    let entry = |(name, kind): &(&str, Kind)| StageEntry {
        name: (*name).into(),
        kind: *kind,
        plugin: "x".into(),
        version: "0.1.0".into(),
        digest: Digest("ab".into()),
        inputs: Vec::new(),
    };
    Event::RunQueued {
        pipeline: "p".into(),
        trigger: if repeats.is_some() { Trigger::Rerun } else { Trigger::Manual },
        interval: Interval { start: at(0), end: at(1) },
        text: "[pipeline]".into(),
        file: "p.toml".into(),
        load_key: "p".into(),
        repeats,
        stages: STAGES.iter().map(entry).collect(),
    }
}

pub(crate) fn started_run() -> Event {
    Event::RunStarted { bookmarks: BTreeMap::from([("read".into(), "page 1".into())]) }
}

pub(crate) fn fault() -> Fault {
    Fault::new(FaultKind::Trap, "process", "it died")
}

pub(crate) fn committing() -> Event {
    Event::RunCommitting {
        receipts: BTreeMap::from([("one".into(), vec!["r".into()])]),
        bookmarks: BTreeMap::from([("read".into(), "page 2".into())]),
    }
}

fn judged() -> Event {
    let finding = MonitorFinding {
        monitor: Monitor::Rows,
        severity: MonitorSeverity::Warn,
        stage: None,
        message: "no row is loaded".into(),
    };
    let column = Column { name: "n".into(), data_type: "Int64".into() };
    Event::MonitorsJudged { findings: vec![finding], schemas: BTreeMap::from([("one".into(), vec![column])]) }
}

fn outcome(rows: u64) -> StageOutcome {
    StageOutcome { rows_in: rows, rows_out: rows, rows_rejected: 1, bytes_in: 8 * rows, ..StageOutcome::default() }
}

/// Any event at all, of a stage of the run or of one that it has not.
pub(crate) fn any_event() -> impl Strategy<Value = Event> {
    (0..20_u8, 0..5_usize, 0..4_u32).prop_map(|(which, stage, attempt)| {
        let stage = STAGES.get(stage).map_or("nobody", |(name, _)| name).to_owned();
        let outcome = outcome(u64::from(attempt) * 3);
        match which {
            0 => queued((attempt > 1).then(id)),
            1 => started_run(),
            2 | 3 => Event::StageStarted { stage, attempt },
            4 => Event::StageRetrying { stage, attempt, fault: fault() },
            5 | 6 => Event::StageSucceeded { stage, outcome },
            7 => Event::StageFailed { stage, fault: fault(), outcome },
            8 => Event::StageSkipped { stage, restored_from: (attempt > 1).then(id) },
            9 => Event::StageUpstreamFailed { stage, because: "read".into(), outcome },
            10 => Event::StageCancelled { stage, outcome },
            11 => judged(),
            12 => committing(),
            13 => Event::LoadCommitted { stage },
            14 => Event::CommitFailed { stage, fault: fault() },
            15 => Event::RunSucceeded,
            16 => Event::RunFailed { fault: fault() },
            17 => Event::RunCancelled,
            18 => Event::RunCrashed { reason: "the host died".into(), fault: (attempt > 1).then(fault) },
            _ => Event::RunAbandoned { reason: "nobody wants it".into() },
        }
    })
}

/// How a legal run ends.
#[derive(Clone, Copy, Debug)]
enum End {
    Well,
    /// The commit of its last load fails some times; then it succeeds.
    LateCommit,
    /// The same, and somebody decides.
    Abandoned,
    /// The host dies before the commit; it is taken back.
    TakenBack,
    Failed,
    Cancelled,
    /// The host dies before the first stage.
    NeverStarted,
}

/// The events behind `run-queued` of a run that keeps to the rules, whatever its end; loads are skipped or run, stages
/// retried.
pub(crate) fn legal_run() -> impl Strategy<Value = Vec<Event>> {
    let end = prop::sample::select(vec![
        End::Well,
        End::Well,
        End::LateCommit,
        End::Abandoned,
        End::TakenBack,
        End::Failed,
        End::Cancelled,
        End::NeverStarted,
    ]);
    (prop::collection::vec((0..4_u32, any::<bool>()), STAGES.len()), end, any::<bool>()).prop_map(
        |(stages, end, is_judged)| {
            let crashed = || Event::RunCrashed { reason: "power".into(), fault: None };
            let mut events = Vec::new();
            if matches!(end, End::NeverStarted) {
                return vec![crashed(), Event::RunFailed { fault: fault() }];
            }
            events.push(started_run());
            for ((name, _), (tries, is_restored)) in STAGES.iter().zip(&stages) {
                let stage = (*name).to_owned();
                if *tries == 0 {
                    events.push(Event::StageSkipped { stage, restored_from: is_restored.then(id) });
                    continue;
                }
                events.push(Event::StageStarted { stage: stage.clone(), attempt: 1 });
                for attempt in 2..=*tries {
                    events.push(Event::StageRetrying { stage: stage.clone(), attempt, fault: fault() });
                    events.push(Event::StageStarted { stage: stage.clone(), attempt });
                }
                events.push(match (end, *name) {
                    (End::Failed, "two") => Event::StageFailed { stage, fault: fault(), outcome: outcome(1) },
                    (End::Cancelled, "two") => Event::StageCancelled { stage, outcome: outcome(1) },
                    _ => Event::StageSucceeded { stage, outcome: outcome(7) },
                });
            }
            if is_judged && !matches!(end, End::Failed | End::Cancelled) {
                events.push(judged());
            }
            let loads = || {
                let pairs =
                    STAGES.iter().zip(&stages).filter(|((_, kind), (tries, _))| *kind == Kind::Load && *tries > 0);
                pairs.map(|((name, _), _)| (*name).to_owned())
            };
            match end {
                End::Well => {
                    events.push(committing());
                    events.extend(loads().map(|stage| Event::LoadCommitted { stage }));
                    events.push(Event::RunSucceeded);
                }
                End::LateCommit | End::Abandoned => {
                    events.push(committing());
                    events.extend(loads().map(|stage| Event::CommitFailed { stage, fault: fault() }));
                    events.push(crashed());
                    events.extend(loads().take(1).map(|stage| Event::LoadCommitted { stage }));
                    events.extend(loads().skip(1).map(|stage| Event::CommitFailed { stage, fault: fault() }));
                    events.push(crashed());
                    if matches!(end, End::Abandoned) {
                        events.push(Event::RunAbandoned { reason: "enough".into() });
                    } else {
                        events.extend(loads().skip(1).map(|stage| Event::LoadCommitted { stage }));
                        events.push(Event::RunSucceeded);
                    }
                }
                End::TakenBack => events.extend([crashed(), Event::RunFailed { fault: fault() }]),
                End::Failed => events.push(Event::RunFailed { fault: fault() }),
                End::Cancelled => events.push(Event::RunCancelled),
                End::NeverStarted => {}
            }
            events
        },
    )
}

/// A legal run with other events in between, of which most are illegal.
pub(crate) fn noisy_run() -> impl Strategy<Value = Vec<Event>> {
    (legal_run(), prop::collection::vec((any::<prop::sample::Index>(), any_event()), 0..20)).prop_map(
        |(mut events, noise)| {
            for (place, event) in noise {
                let place = place.index(events.len() + 1);
                events.insert(place, event);
            }
            events
        },
    )
}

/// Whether the written rules allow an event after those that a run has: told by what happened, not by states, so that it is
/// another telling of the rules than the model's own.
pub(crate) fn rules_allow(before: &[Event], event: &Event) -> bool {
    let happened = |name: &str| before.iter().any(|event| event.name() == name);
    // A run ends once; what crashed is finished by recovery.
    let is_open = !["run-succeeded", "run-failed", "run-cancelled", "run-abandoned"].iter().any(|name| happened(name));
    let is_crashed = happened("run-crashed");
    let is_committing = happened("run-committing");
    let runs = happened("run-started") && is_open && !is_crashed && !is_committing;
    let is_load = |stage: &str| STAGES.contains(&(stage, Kind::Load));
    let of = |stage: &str| -> Vec<&Event> {
        before.iter().filter(|event| stage_of(event) == Some(stage) && event.name().starts_with("stage-")).collect()
    };
    let last = |stage: &str| of(stage).last().map_or("", |event| event.name());
    let is_known = |stage: &str| STAGES.iter().any(|(name, _)| *name == stage);
    let is_at_work = |stage: &str| matches!(last(stage), "stage-started" | "stage-retrying");
    let all_well = || STAGES.iter().all(|(name, _)| matches!(last(name), "stage-succeeded" | "stage-skipped"));
    let is_shown = |stage: &str| {
        before.iter().any(|event| matches!(event, Event::LoadCommitted { stage: shown } if shown == stage))
    };
    let has_prepared = |stage: &str| is_load(stage) && last(stage) == "stage-succeeded";
    match event {
        // A run begins once, and starts before anything else becomes of it.
        Event::RunQueued { .. } => before.is_empty(),
        Event::RunStarted { .. } => before.len() == 1,
        // Attempts are counted from 1; each but the first was announced.
        Event::StageStarted { stage, attempt } => {
            let told = of(stage);
            let announced = told.iter().filter_map(|event| match event {
                Event::StageRetrying { attempt, .. } => Some(*attempt),
                _ => None,
            });
            let highest = announced.max().unwrap_or(1);
            runs && is_known(stage)
                && match last(stage) {
                    "" => *attempt == 1,
                    "stage-retrying" => (2..=highest).contains(attempt),
                    _ => false,
                }
        }
        Event::StageRetrying { stage, attempt, .. } => runs && is_at_work(stage) && *attempt > 1,
        Event::StageSucceeded { stage, .. } => runs && is_at_work(stage),
        // A stage ends once, started or not.
        Event::StageFailed { stage, .. }
        | Event::StageUpstreamFailed { stage, .. }
        | Event::StageCancelled { stage, .. } => {
            runs && is_known(stage) && (is_at_work(stage) || last(stage).is_empty())
        }
        Event::StageSkipped { stage, .. } => runs && is_known(stage) && last(stage).is_empty(),
        // Judged and committed is only what is whole.
        Event::MonitorsJudged { .. } | Event::RunCommitting { .. } => runs && all_well(),
        // Nothing is shown before the run is decided; what is shown stays.
        Event::LoadCommitted { stage } => is_committing && is_open && has_prepared(stage),
        Event::CommitFailed { stage, .. } => is_committing && is_open && has_prepared(stage) && !is_shown(stage),
        Event::RunSucceeded => {
            let is_done = |name: &str| is_shown(name) || last(name) == "stage-skipped";
            is_committing && is_open && STAGES.iter().all(|(name, _)| !is_load(name) || is_done(name))
        }
        // A run that is decided is never undone.
        Event::RunFailed { .. } | Event::RunCancelled => !before.is_empty() && is_open && !is_committing,
        Event::RunCrashed { .. } => !before.is_empty() && is_open,
        Event::RunAbandoned { .. } => is_crashed && is_open,
    }
}

fn stage_of(event: &Event) -> Option<&str> {
    match event {
        Event::StageStarted { stage, .. }
        | Event::StageRetrying { stage, .. }
        | Event::StageSucceeded { stage, .. }
        | Event::StageFailed { stage, .. }
        | Event::StageSkipped { stage, .. }
        | Event::StageUpstreamFailed { stage, .. }
        | Event::StageCancelled { stage, .. }
        | Event::LoadCommitted { stage }
        | Event::CommitFailed { stage, .. } => Some(stage),
        _ => None,
    }
}
