//! Finishing a run that the host's death left without an end.

use crate::conduct::commit_loads;
use crate::load::abort;
use crate::plan::{Clock, Observer, RunPlan, RunnerError};
use crate::run::{Pulse, Run, RunSoFar, Tuning, host_fault};
use crate::station::Station;
use crate::stop::{Stop, lock};
use sluicebox_model::fault::FaultKind;
use sluicebox_model::journal::Journal;
use sluicebox_model::plugin::Kind;
use sluicebox_model::run::{Event, RunRecord, RunState, StageState};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

/// What is told of a run that was interrupted and taken back.
const INTERRUPTED: &str = "sluicebox was killed, or the machine stopped, before every load had prepared; what they had written was taken back";

/// Whether the host died in the run, and recovery took back what it had written.
pub fn was_interrupted(record: &RunRecord) -> bool {
    record.state == RunState::Failed
        && record.fault.as_ref().is_some_and(|fault| fault.kind == FaultKind::Host && fault.message == INTERRUPTED)
}

/// Brings a run to its end that has none, because the host died or a commit failed. If all of its loads had prepared they
/// are committed (again), else what they wrote is taken back and the run has failed. Can be called again, also after it
/// was interrupted itself.
///
/// `plan` is that of the run, with the plugins that it ran with; `record` is what the journal holds of it; `cancelled` says that
/// somebody had asked it to stop, so that it ends as that if it can still be taken back. A run that has ended is left as it is.
/// The answer's state is `succeeded`, `failed`, `cancelled`, or still `crashed` where a load refuses.
///
/// # Errors
/// The journal fails.
pub fn recover(
    plan: &RunPlan,
    record: RunRecord,
    cancelled: bool,
    journal: &dyn Journal,
    clock: &dyn Clock,
    observer: &dyn Observer,
) -> Result<RunRecord, RunnerError> {
    if !record.is_unfinished() {
        return Ok(record);
    }
    let run = recovering(plan, record, journal, clock, observer);
    let record = lock(&run.state).record.clone();
    let events = crashed(&record);
    if !events.is_empty() {
        run.append(&events)?;
    }
    let stations = stations(&run);
    let loads = stations.iter().filter(|station| station.stage.description().kind == Kind::Load);
    if record.in_commit() {
        let is_committed = |name: &str| record.stages.iter().any(|stage| stage.entry.name == name && stage.committed);
        commit_loads(&run, loads.filter(|station| !is_committed(station.name())), &record.receipts)?;
    } else {
        let mut refused = None;
        for station in loads {
            // Receipts are in the journal from the committing event on; to take back, none are needed.
            if let Err(fault) = abort(station, &[]) {
                refused.get_or_insert(fault);
            }
        }
        match refused {
            Some(fault) => {
                let reason = format!("what its loads wrote could not be taken back: {fault}");
                run.append(&[Event::RunCrashed { reason, fault: None }])?;
            }
            None if cancelled => run.append(&[Event::RunCancelled])?,
            None => {
                run.append(&[Event::RunFailed { fault: host_fault("run", INTERRUPTED) }])?;
            }
        }
    }
    let record = lock(&run.state).record.clone();
    Ok(record)
}

/// Leaves a crashed run as it is, because somebody decided so: loads that are not committed are taken back as far as they
/// let themselves be.
///
/// # Errors
/// The run has ended; the journal fails.
pub fn abandon(
    plan: &RunPlan,
    record: RunRecord,
    journal: &dyn Journal,
    clock: &dyn Clock,
    observer: &dyn Observer,
) -> Result<RunRecord, RunnerError> {
    let run = recovering(plan, record, journal, clock, observer);
    let record = lock(&run.state).record.clone();
    let shown: Vec<&str> =
        record.stages.iter().filter(|stage| stage.committed).map(|stage| stage.entry.name.as_str()).collect();
    let reason = match shown.as_slice() {
        [] => "abandoned; none of its loads is shown".to_owned(),
        shown => format!("abandoned; shown are only the loads of: {}", shown.join(", ")),
    };
    let mut events = crashed(&record);
    events.push(Event::RunAbandoned { reason });
    run.append(&events)?;
    let none = Vec::new();
    for station in stations(&run).iter().filter(|station| station.stage.description().kind == Kind::Load) {
        if !shown.contains(&station.name()) {
            // Logged; it is abandoned either way.
            let _ = abort(station, record.receipts.get(station.name()).unwrap_or(&none));
        }
    }
    let record = lock(&run.state).record.clone();
    Ok(record)
}

/// What has to be written of a run that the host's death interrupted; nothing if it is written already.
fn crashed(record: &RunRecord) -> Vec<Event> {
    if record.state == RunState::Crashed {
        return Vec::new();
    }
    let mut events = Vec::new();
    if record.state == RunState::Running {
        let is_open = |state| matches!(state, StageState::Pending | StageState::Running | StageState::Retrying);
        events.extend(
            record
                .stages
                .iter()
                .filter(|stage| is_open(stage.state))
                .map(|stage| Event::StageCancelled { stage: stage.entry.name.clone(), outcome: stage.outcome.clone() }),
        );
    }
    let reason = "sluicebox was killed, or the machine stopped, while the run was under way".to_owned();
    events.push(Event::RunCrashed { reason, fault: None });
    events
}

fn recovering<'a>(
    plan: &'a RunPlan,
    record: RunRecord,
    journal: &'a dyn Journal,
    clock: &'a dyn Clock,
    observer: &'a dyn Observer,
) -> Run<'a> {
    Run {
        plan,
        journal,
        clock,
        observer,
        tuning: Tuning::default(),
        stop: Arc::new(Stop::default()),
        state: Mutex::new(RunSoFar {
            record,
            ending: None,
            journal_error: None,
            loads: BTreeMap::new(),
            bookmarks: BTreeMap::new(),
        }),
        pending: Mutex::default(),
        pulse: Pulse::default(),
    }
}

/// Every stage by itself: nothing flows any more.
fn stations<'a>(run: &'a Run<'a>) -> Vec<Station<'a>> {
    let stages = run.plan.pipeline.stages.iter().zip(&run.plan.stages).enumerate();
    stages
        .map(|(index, (spec, stage))| Station {
            run,
            index,
            spec,
            stage: stage.as_ref(),
            inputs: Vec::new(),
            outputs: Vec::new(),
            checkpoint: Mutex::default(),
            schemas: Mutex::default(),
            doing: Mutex::default(),
            poison: Mutex::default(),
        })
        .collect()
}
