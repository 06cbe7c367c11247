//! Conducting a run from its first event to its last.

use crate::attempts::guarded;
use crate::dag::Dag;
use crate::edge::{Edge, Scratch};
use crate::judge::judge_run;
use crate::load::{abort, commit};
use crate::plan::{Clock, Observer, RunPlan, RunnerError};
use crate::repeat::Part;
use crate::restore::restore;
use crate::run::{Ending, Pulse, Run, RunSoFar, Tuning, host_fault};
use crate::station::Station;
use crate::stop::{Stop, lock};
use crate::{extract, load, transform, validate};
use sluicebox_model::cancel::Cancel;
use sluicebox_model::fault::{Fault, FaultKind};
use sluicebox_model::journal::{Journal, JournalError};
use sluicebox_model::plugin::Kind;
use sluicebox_model::run::{Event, RunRecord, StageEntry, StageOutcome, StageState};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// How often the user's flag is looked at.
const LOOK_EVERY: Duration = Duration::from_millis(20);

/// Conducts a run: queues it, runs its stages, commits or takes back its loads, and answers with its record. Whatever
/// a stage does, the answer is a record; it is the fold of what was written to the journal.
///
/// `cancel` is the user's wish: the run ends as cancelled, unless it is committing already.
///
/// # Errors
/// The journal fails, or the plan is none.
pub fn conduct(
    plan: &RunPlan,
    journal: &dyn Journal,
    clock: &dyn Clock,
    cancel: &Cancel,
    observer: &dyn Observer,
) -> Result<RunRecord, RunnerError> {
    conduct_tuned(plan, journal, clock, cancel, observer, Tuning::default())
}

pub(crate) fn conduct_tuned(
    plan: &RunPlan,
    journal: &dyn Journal,
    clock: &dyn Clock,
    cancel: &Cancel,
    observer: &dyn Observer,
    tuning: Tuning,
) -> Result<RunRecord, RunnerError> {
    let dag = Dag::new(&plan.pipeline).map_err(RunnerError::Plan)?;
    check_plan(plan)?;
    let run = begin(plan, journal, clock, observer, tuning)?;
    let stations = stations(&run, &dag);
    run_stages(&run, &dag, &stations, cancel);

    if cancel.is_cancelled() {
        run.cancel();
    }
    let (ending, journal_error) = {
        let state = lock(&run.state);
        (state.ending.clone(), state.journal_error.clone())
    };
    if let Some(error) = journal_error {
        take_back(&run, &stations);
        return Err(error.into());
    }
    match ending {
        Some(ending) => {
            settle(&run, &dag, &stations)?;
            take_back(&run, &stations);
            run.append(&[match ending {
                Ending::Failed(fault) => Event::RunFailed { fault },
                Ending::Cancelled => Event::RunCancelled,
            }])?;
        }
        None => commit_all(&run, &dag, &stations)?,
    }
    let record = lock(&run.state).record.clone();
    Ok(record)
}

/// What `sluicebox check` finds earlier, for whoever did not ask it.
fn check_plan(plan: &RunPlan) -> Result<(), RunnerError> {
    if plan.stages.len() != plan.pipeline.stages.len() {
        let (bound, declared) = (plan.stages.len(), plan.pipeline.stages.len());
        return Err(RunnerError::Plan(format!("{declared} stages are declared, but {bound} are bound to plugins")));
    }
    for (spec, stage) in plan.pipeline.stages.iter().zip(&plan.stages) {
        let description = stage.description();
        let given = spec.inputs.len();
        let fits = match description.kind {
            Kind::Extract => given == 0,
            Kind::Transform => given >= 1,
            Kind::Validate | Kind::Load => given == 1,
        };
        if !fits {
            let (name, kind) = (&spec.name, description.kind);
            return Err(RunnerError::Plan(format!(
                "stage `{name}` is of kind {kind}, which does not take {given} inputs"
            )));
        }
    }
    Ok(())
}

/// Writes the first events of the run, at once: nothing lies between its being there and its beginning.
fn begin<'a>(
    plan: &'a RunPlan,
    journal: &'a dyn Journal,
    clock: &'a dyn Clock,
    observer: &'a dyn Observer,
    tuning: Tuning,
) -> Result<Run<'a>, RunnerError> {
    let stages = plan
        .pipeline
        .stages
        .iter()
        .zip(&plan.stages)
        .map(|(spec, stage)| StageEntry {
            name: spec.name.clone(),
            kind: stage.description().kind,
            plugin: spec.plugin.clone(),
            version: stage.description().version.clone(),
            digest: stage.digest().clone(),
            inputs: spec.inputs.clone(),
        })
        .collect();
    let queued = Event::RunQueued {
        pipeline: plan.pipeline.name.clone(),
        trigger: plan.trigger,
        interval: plan.interval,
        text: plan.text.clone(),
        file: plan.file.clone(),
        load_key: plan.load_key.clone(),
        repeats: plan.repeats,
        stages,
    };
    let mut events = vec![queued, Event::RunStarted { bookmarks: bookmarks(plan, journal)? }];
    events.extend(skipped(plan));
    // As the journal holds it.
    let at = clock.now();
    let folded: Vec<_> = events.iter().map(|event| (at, event.clone())).collect();
    let record = RunRecord::fold(plan.id, &folded).map_err(|error| JournalError(error.to_string()))?;
    journal.append(plan.id, at, &events)?;
    events.iter().for_each(|event| observer.event(event));
    Ok(Run {
        plan,
        journal,
        clock,
        observer,
        tuning,
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
    })
}

/// The stages that do not run.
fn skipped(plan: &RunPlan) -> impl Iterator<Item = Event> {
    let stages = plan.pipeline.stages.iter().enumerate().filter(|(index, _)| plan.part(*index) != Part::Runs);
    stages.map(|(_, spec)| Event::StageSkipped {
        stage: spec.name.clone(),
        restored_from: plan.restored.get(&spec.name).map(|restored| restored.run),
    })
}

/// Where the extracts resume.
fn bookmarks(plan: &RunPlan, journal: &dyn Journal) -> Result<BTreeMap<String, String>, JournalError> {
    let extracts = plan.pipeline.stages.iter().zip(&plan.stages);
    let extracts = extracts.filter(|(_, stage)| stage.description().kind == Kind::Extract);
    let mut bookmarks = BTreeMap::new();
    for (spec, _) in extracts {
        if let Some(bookmark) = journal.bookmark(&plan.pipeline.name, &spec.name)? {
            bookmarks.insert(spec.name.clone(), bookmark);
        }
    }
    Ok(bookmarks)
}

/// One station for each stage, joined by edges.
fn stations<'a>(run: &'a Run<'a>, dag: &Dag) -> Vec<Station<'a>> {
    let edges: Vec<Arc<Edge>> = dag
        .links
        .iter()
        .map(|link| {
            let from = run.plan.pipeline.stages.get(link.from);
            let bytes_max = from.map_or(0, |stage| stage.limits.spill_bytes_max);
            let scratch = link.spills.then(|| Scratch { folder: run.plan.scratch.clone(), bytes_max });
            Edge::new(&run.stop, run.tuning.edge_bytes_max, scratch)
        })
        .collect();
    let joined = |is_mine: &dyn Fn(usize) -> bool| {
        edges.iter().enumerate().filter(|(index, _)| is_mine(*index)).map(|(_, edge)| edge.clone()).collect()
    };
    run.plan
        .pipeline
        .stages
        .iter()
        .zip(&run.plan.stages)
        .enumerate()
        .map(|(index, (spec, stage))| Station {
            run,
            index,
            spec,
            stage: stage.as_ref(),
            // Links stand by stage and then by slot.
            inputs: joined(&|link| dag.links.get(link).is_some_and(|link| link.to == index)),
            // What nobody takes would fill up and block.
            outputs: joined(&|link| {
                dag.links.get(link).is_some_and(|link| link.from == index && run.plan.part(link.to) == Part::Runs)
            }),
            checkpoint: Mutex::default(),
            schemas: Mutex::default(),
            doing: Mutex::default(),
            poison: Mutex::default(),
        })
        .collect()
}

/// Runs every stage on a thread of its own; meanwhile writes what they have to tell, and hands the user's wish to stop on.
fn run_stages<'a>(run: &'a Run<'a>, dag: &Dag, stations: &'a [Station<'a>], cancel: &Cancel) {
    let pulse = &run.pulse;
    // Not the run's clock: that of the machine may be set back.
    let since = Instant::now();
    std::thread::scope(|scope| {
        let mut started = 0;
        let at_work = dag.order.iter().filter(|stage| run.plan.part(**stage) != Part::Skipped);
        for station in at_work.filter_map(|stage| stations.get(*stage)) {
            let work = move || {
                let _ends = EndsWithMe(pulse);
                work_and_end(station);
            };
            match std::thread::Builder::new().name(station.name().to_owned()).spawn_scoped(scope, work) {
                Ok(_) => started += 1,
                Err(error) => {
                    let fault = host_fault("run", &format!("cannot start a thread: {error}"));
                    end_badly(station, fault.of_stage(station.name()));
                }
            }
        }
        loop {
            let seen = *lock(&pulse.ended);
            // What fails here has stopped the run, and is told at its end.
            let _ = run.append(&[]);
            if seen >= started {
                break;
            }
            if cancel.is_cancelled() {
                run.cancel();
            } else if let Some(fault) = overdue(run, stations, since) {
                run.fail(&fault);
            }
            let ended = lock(&pulse.ended);
            if *ended == seen && lock(&run.pending).is_empty() {
                drop(pulse.bell.wait_timeout(ended, LOOK_EVERY).unwrap_or_else(PoisonError::into_inner));
            }
        }
    });
}

/// What took longer than it may, if anything did.
fn overdue(run: &Run<'_>, stations: &[Station<'_>], since: Instant) -> Option<Fault> {
    let fault = |what: &str, deadline: Duration, help: &str| {
        let message = format!("{what} took longer than its deadline of {deadline:?}");
        Fault::new(FaultKind::Deadline, "run", message).with_help(help)
    };
    if let Some(deadline) = run.plan.pipeline.deadline.filter(|deadline| since.elapsed() > *deadline) {
        return Some(fault("the run", deadline, "see which stage was slow, or raise `deadline` under `[pipeline]`"));
    }
    stations.iter().find_map(|station| {
        let deadline = station.spec.deadline?;
        let is_over = lock(&station.doing).working_since.is_some_and(|since| since.elapsed() > deadline);
        let is_open = matches!(run.stage_state(station.index), StageState::Running | StageState::Retrying);
        (is_over && is_open).then(|| {
            let help = format!("see why it was slow, or raise `deadline` of stage `{}`", station.name());
            fault("the stage", deadline, &help).of_stage(station.name())
        })
    })
}

struct EndsWithMe<'a>(&'a Pulse);

impl Drop for EndsWithMe<'_> {
    fn drop(&mut self) {
        *lock(&self.0.ended) += 1;
        self.0.bell.notify_all();
    }
}

/// The whole life of one stage.
fn work_and_end(station: &Station<'_>) {
    let run = station.run;
    if run.plan.part(station.index) == Part::Restored {
        return pass_on_again(station);
    }
    let result = guarded(station.name(), || match station.stage.description().kind {
        Kind::Extract => extract::extract(station),
        Kind::Transform => transform::transform(station),
        Kind::Validate => validate::validate(station),
        Kind::Load => load::load(station),
    });
    match result {
        Ok(()) => {
            station.finish_checkpoint();
            // Its deadline is over before the journal says so.
            lock(&station.doing).working_since = None;
            run.append_soon(Event::StageSucceeded { stage: station.name().to_owned(), outcome: outcome(station) });
            for edge in &station.outputs {
                edge.finish();
            }
        }
        Err(fault) => {
            if fault.kind == FaultKind::Cancelled {
                station.keep_part();
            }
            end_badly(station, fault);
        }
    }
    // Nobody comes back for what waits here.
    if run.stop.is_stopped() {
        for edge in &station.inputs {
            edge.clear();
        }
    }
}

/// The life of a stage whose checkpoint takes its place.
fn pass_on_again(station: &Station<'_>) {
    let run = station.run;
    let kept = run.plan.restored.get(station.name());
    let result = guarded(station.name(), || match kept {
        Some(kept) => restore(station, &kept.checkpoint),
        None => Err(host_fault("restore", "the plan holds no checkpoint of the stage").of_stage(station.name())),
    });
    match result {
        Ok(()) => {
            if let Some(bookmark) = kept.and_then(|kept| kept.checkpoint.bookmark.clone()) {
                lock(&run.state).bookmarks.insert(station.name().to_owned(), bookmark);
            }
            for edge in &station.outputs {
                edge.finish();
            }
        }
        // The stage itself has not failed: it was skipped.
        Err(fault) if fault.kind != FaultKind::Cancelled => run.fail(&fault),
        Err(_) => {}
    }
}

fn end_badly(station: &Station<'_>, fault: Fault) {
    let run = station.run;
    if !(run.stop.is_stopped() && fault.kind == FaultKind::Cancelled) {
        run.fail(&fault);
    }
    // Several of the stage's threads may have failed: what ended the run is what the stage failed of.
    let fault = match run.failed_because_of(station.name()) {
        Some(own) => own,
        None if fault.kind == FaultKind::Cancelled => return,
        None => fault,
    };
    let event = Event::StageFailed { stage: station.name().to_owned(), fault, outcome: outcome(station) };
    // A journal that fails is told at the end of the run.
    let _ = run.append(&[event]);
}

fn outcome(station: &Station<'_>) -> StageOutcome {
    let now = station.run.clock.now();
    let doing = lock(&station.doing);
    let mut outcome = doing.outcome.clone();
    outcome.elapsed =
        doing.started_at.and_then(|start| Duration::try_from(now.duration_since(start)).ok()).unwrap_or_default();
    outcome
}

/// Gives every stage that has not ended its last state.
fn settle(run: &Run<'_>, dag: &Dag, stations: &[Station<'_>]) -> Result<(), JournalError> {
    let failed: Vec<usize> =
        dag.order.iter().copied().filter(|stage| run.stage_state(*stage) == StageState::Failed).collect();
    let events: Vec<Event> = dag
        .order
        .iter()
        .filter_map(|stage| stations.get(*stage))
        .filter(|station| {
            matches!(run.stage_state(station.index), StageState::Pending | StageState::Running | StageState::Retrying)
        })
        .map(|station| {
            let because = failed.iter().find(|failed| dag.is_downstream(**failed, station.index));
            let (stage, outcome) = (station.name().to_owned(), outcome(station));
            match because.and_then(|because| stations.get(*because)) {
                Some(because) => Event::StageUpstreamFailed { stage, because: because.name().to_owned(), outcome },
                None => Event::StageCancelled { stage, outcome },
            }
        })
        .collect();
    if events.is_empty() { Ok(()) } else { run.append(&events) }
}

/// Takes back what the loads wrote.
fn take_back(run: &Run<'_>, stations: &[Station<'_>]) {
    let loads = lock(&run.state).loads.clone();
    for station in stations {
        if let Some(receipts) = loads.get(station.name()) {
            // Logged; the run has its outcome already.
            let _ = abort(station, receipts);
        }
    }
}

/// Writes the one event that makes the run's data count, then shows it.
fn commit_all(run: &Run<'_>, dag: &Dag, stations: &[Station<'_>]) -> Result<(), RunnerError> {
    let (receipts, bookmarks) = {
        let state = lock(&run.state);
        (state.loads.clone(), state.bookmarks.clone())
    };
    let (judged, fault) = judge_run(run, stations);
    if let Some(fault) = fault {
        take_back(run, stations);
        return Ok(run.append(&[judged, Event::RunFailed { fault }])?);
    }
    // Where this fails nothing is taken back: the event may be in the journal all the same. Recovery looks there and decides.
    run.append(&[judged, Event::RunCommitting { receipts: receipts.clone(), bookmarks }])?;
    commit_loads(run, dag.order.iter().filter_map(|stage| stations.get(*stage)), &receipts)?;
    Ok(())
}

/// Commits each of the loads, and ends the run.
pub(crate) fn commit_loads<'a>(
    run: &Run<'_>,
    stations: impl Iterator<Item = &'a Station<'a>>,
    receipts: &BTreeMap<String, Vec<String>>,
) -> Result<(), JournalError> {
    let (mut failed, mut shown) = (Vec::new(), Vec::new());
    // What became of a load is in the journal before the next one is committed; of the last one, together with the end.
    let mut events = Vec::new();
    for station in stations {
        let Some(receipts) = receipts.get(station.name()) else { continue };
        if !events.is_empty() {
            run.append(&std::mem::take(&mut events))?;
        }
        let stage = station.name().to_owned();
        // One load that fails keeps no other from being shown: there is no way back.
        events.push(match commit(station, receipts) {
            Ok(()) => {
                shown.push(stage.clone());
                Event::LoadCommitted { stage }
            }
            Err(fault) => {
                failed.push(fault.clone());
                Event::CommitFailed { stage, fault }
            }
        });
    }
    let Some(first) = failed.first() else {
        events.push(Event::RunSucceeded);
        return run.append(&events);
    };
    let told: Vec<String> = failed.iter().map(Fault::to_string).collect();
    let reason = format!("not every load could be committed: {}", told.join("; "));
    let shown = match shown.as_slice() {
        [] => "no load is shown yet".to_owned(),
        shown => format!("shown are the loads of {}", shown.join(", ")),
    };
    let fault = first
        .clone()
        .with_help(format!("{shown}; what is prepared is kept: mend what keeps it, and the next run commits it"));
    events.push(Event::RunCrashed { reason, fault: Some(fault) });
    run.append(&events)
}
