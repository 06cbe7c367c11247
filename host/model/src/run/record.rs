//! A run as the fold of its events.

use super::event::{Event, StageEntry};
use super::outcome::StageOutcome;
use super::state::{Interval, RunId, RunState, StageState, Trigger};
use crate::fault::{Fault, FaultKind};
use crate::monitor::{Column, MonitorFinding};
use crate::plugin::Kind;
use jiff::Timestamp;
use serde::Serialize;
use std::collections::BTreeMap;
use std::path::PathBuf;

/// An event does not fit the state that the run is in.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("illegal event `{event}`: {reason}")]
pub struct IllegalEvent {
    /// The event's name.
    pub event: String,
    /// Why it does not fit.
    pub reason: String,
}

/// A stage of a run, as far as its events tell.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct StageRecord {
    /// As the run began.
    #[serde(flatten)]
    pub entry: StageEntry,
    /// Its state.
    pub state: StageState,
    /// The highest attempt so far; 0 before the first.
    pub attempt: u32,
    /// What it did.
    pub outcome: StageOutcome,
    /// Why it failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fault: Option<Fault>,
    /// The run whose kept output took the place of the stage's own.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub restored_from: Option<RunId>,
    /// A load: whether it is committed.
    pub committed: bool,
}

/// A run, as far as its events tell: the fold of its journal.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct RunRecord {
    /// The run.
    pub id: RunId,
    /// The pipeline's name.
    pub pipeline: String,
    /// What caused it.
    pub trigger: Trigger,
    /// For when it runs.
    pub interval: Interval,
    /// Its state.
    pub state: RunState,
    /// When the trigger made it.
    pub queued_at: Timestamp,
    /// When the stages began.
    pub started_at: Option<Timestamp>,
    /// When every load had prepared: from then on the run is committed, never undone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub committing_at: Option<Timestamp>,
    /// When it ended.
    pub ended_at: Option<Timestamp>,
    /// The stages in the order of the file.
    pub stages: Vec<StageRecord>,
    /// Why it failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fault: Option<Fault>,
    /// What is not as the author expects it.
    pub findings: Vec<MonitorFinding>,
    /// The columns that each load was given.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub schemas: BTreeMap<String, Vec<Column>>,
    /// Receipts of the loads, from the committing event.
    pub receipts: BTreeMap<String, Vec<String>>,
    /// New bookmarks, from the committing event.
    pub bookmarks: BTreeMap<String, String>,
    /// Where the extracts resumed, from the event that started the run.
    pub resumed_from: BTreeMap<String, String>,
    /// The run that it repeats.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub repeats: Option<RunId>,
    /// When somebody decided to leave it as it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub abandoned_at: Option<Timestamp>,
    /// What the ids of its loads begin with.
    pub load_key: String,
    /// The pipeline file.
    pub file: PathBuf,
    /// The text of the pipeline file.
    #[serde(skip)]
    pub text: String,
}

impl RunRecord {
    /// The fold of a journal.
    ///
    /// # Errors
    /// The first event that does not fit; a journal that does not begin with `run-queued`.
    pub fn fold(id: RunId, events: &[(Timestamp, Event)]) -> Result<Self, IllegalEvent> {
        let mut events = events.iter();
        let mut record = match events.next() {
            Some((at, Event::RunQueued { pipeline, trigger, interval, text, file, load_key, repeats, stages })) => {
                Self {
                    id,
                    pipeline: pipeline.clone(),
                    trigger: *trigger,
                    interval: *interval,
                    state: RunState::Queued,
                    queued_at: *at,
                    started_at: None,
                    committing_at: None,
                    ended_at: None,
                    stages: stages
                        .iter()
                        .map(|entry| StageRecord {
                            entry: entry.clone(),
                            state: StageState::Pending,
                            attempt: 0,
                            outcome: StageOutcome::default(),
                            fault: None,
                            restored_from: None,
                            committed: false,
                        })
                        .collect(),
                    fault: None,
                    findings: Vec::new(),
                    schemas: BTreeMap::new(),
                    receipts: BTreeMap::new(),
                    bookmarks: BTreeMap::new(),
                    resumed_from: BTreeMap::new(),
                    repeats: *repeats,
                    abandoned_at: None,
                    load_key: load_key.clone(),
                    file: file.clone(),
                    text: text.clone(),
                }
            }
            Some((_, other)) => return Err(illegal(other, "a journal begins with run-queued")),
            None => {
                return Err(IllegalEvent { event: "none".into(), reason: "the journal is empty".into() });
            }
        };
        for (at, event) in events {
            record.apply(*at, event)?;
        }
        Ok(record)
    }

    /// Moves the run by one event.
    ///
    /// # Errors
    /// The event does not fit the state; the record is as before.
    pub fn apply(&mut self, at: Timestamp, event: &Event) -> Result<(), IllegalEvent> {
        use RunState as R;
        use StageState as S;
        let need = |ok: bool, reason: &str| {
            if ok { Ok(()) } else { Err(illegal(event, reason)) }
        };
        match event {
            Event::RunQueued { .. } => return Err(illegal(event, "the run is there already")),
            Event::RunStarted { bookmarks } => {
                need(self.state == R::Queued, "only a queued run starts")?;
                self.state = R::Running;
                self.resumed_from = bookmarks.clone();
                self.started_at = Some(at);
            }
            Event::StageStarted { stage, attempt } => {
                need(self.state == R::Running, "the run is not running")?;
                let stage = self.stage_mut(event, stage)?;
                need(matches!(stage.state, S::Pending | S::Retrying), "the stage has started already")?;
                // Calls of several instances are tried again side by side: an attempt below the highest may follow.
                let fits = match stage.state {
                    S::Pending => *attempt == 1,
                    _ => (2..=stage.attempt).contains(attempt),
                };
                need(fits, "attempts are counted from 1")?;
                stage.state = S::Running;
                stage.attempt = stage.attempt.max(*attempt);
            }
            Event::StageRetrying { stage, attempt, fault } => {
                need(self.state == R::Running, "the run is not running")?;
                let stage = self.stage_mut(event, stage)?;
                need(matches!(stage.state, S::Running | S::Retrying), "the stage is not running")?;
                need(*attempt > 1, "the first attempt is no retry")?;
                stage.state = S::Retrying;
                stage.attempt = stage.attempt.max(*attempt);
                stage.fault = Some(fault.clone());
            }
            Event::StageSucceeded { stage, outcome } => {
                need(self.state == R::Running, "the run is not running")?;
                let stage = self.stage_mut(event, stage)?;
                need(matches!(stage.state, S::Running | S::Retrying), "the stage is not running")?;
                stage.state = S::Succeeded;
                stage.outcome = outcome.clone();
                stage.fault = None;
            }
            Event::StageFailed { stage, fault, outcome } => {
                need(self.state == R::Running, "the run is not running")?;
                let stage = self.stage_mut(event, stage)?;
                need(!stage.state.is_final(), "the stage has ended already")?;
                stage.state = S::Failed;
                stage.outcome = outcome.clone();
                stage.fault = Some(fault.clone());
            }
            Event::StageSkipped { stage, restored_from } => {
                need(self.state == R::Running, "the run is not running")?;
                let stage = self.stage_mut(event, stage)?;
                need(stage.state == S::Pending, "the stage has started already")?;
                stage.state = S::Skipped;
                stage.restored_from = *restored_from;
            }
            Event::StageUpstreamFailed { stage, because: _, outcome } => {
                need(self.state == R::Running, "the run is not running")?;
                let stage = self.stage_mut(event, stage)?;
                need(!stage.state.is_final(), "the stage has ended already")?;
                stage.state = S::UpstreamFailed;
                stage.outcome = outcome.clone();
            }
            Event::StageCancelled { stage, outcome } => {
                need(self.state == R::Running, "the run is not running")?;
                let stage = self.stage_mut(event, stage)?;
                need(!stage.state.is_final(), "the stage has ended already")?;
                stage.state = S::Cancelled;
                stage.outcome = outcome.clone();
            }
            Event::MonitorsJudged { findings, schemas } => {
                need(self.state == R::Running, "only a running run is judged")?;
                need(self.stages_ended_well(), "a stage has not ended well")?;
                self.findings = findings.clone();
                self.schemas = schemas.clone();
            }
            Event::RunCommitting { receipts, bookmarks } => {
                need(self.state == R::Running, "only a running run commits")?;
                need(self.stages_ended_well(), "a stage has not ended well")?;
                self.state = R::Committing;
                self.committing_at = Some(at);
                self.receipts = receipts.clone();
                self.bookmarks = bookmarks.clone();
            }
            Event::LoadCommitted { stage } => {
                need(self.in_commit(), "the run is not committing")?;
                let stage = self.stage_mut(event, stage)?;
                need(stage.entry.kind == Kind::Load, "only a load commits")?;
                need(stage.state == S::Succeeded, "a load that was skipped has prepared nothing")?;
                stage.committed = true;
                stage.fault = None;
            }
            Event::CommitFailed { stage, fault } => {
                need(self.in_commit(), "the run is not committing")?;
                let stage = self.stage_mut(event, stage)?;
                need(stage.entry.kind == Kind::Load, "only a load commits")?;
                need(stage.state == S::Succeeded, "a load that was skipped has prepared nothing")?;
                need(!stage.committed, "the load is committed already")?;
                stage.fault = Some(fault.clone());
            }
            Event::RunSucceeded => {
                need(self.in_commit(), "only a committing run succeeds")?;
                need(
                    self.stages
                        .iter()
                        .all(|stage| stage.entry.kind != Kind::Load || stage.committed || stage.state == S::Skipped),
                    "a load is not committed",
                )?;
                self.fault = None;
                self.end(R::Succeeded, at);
            }
            Event::RunFailed { fault } => {
                need(self.undoable(), "a run that commits, or has ended, cannot fail")?;
                self.fault = Some(fault.clone());
                self.end(R::Failed, at);
            }
            Event::RunCancelled => {
                need(self.undoable(), "a run that commits, or has ended, cannot be cancelled")?;
                // It may have crashed first.
                self.fault = None;
                self.end(R::Cancelled, at);
            }
            Event::RunCrashed { reason, fault } => {
                need(self.is_unfinished(), "the run has ended already")?;
                self.fault = Some(fault.clone().unwrap_or_else(|| Fault::new(FaultKind::Host, "run", reason)));
                self.end(R::Crashed, at);
            }
            Event::RunAbandoned { reason } => {
                need(self.state == R::Crashed && self.is_unfinished(), "only a crashed run is abandoned")?;
                self.fault = Some(Fault::new(FaultKind::Host, "run", reason));
                self.abandoned_at = Some(at);
            }
        }
        Ok(())
    }

    fn end(&mut self, state: RunState, at: Timestamp) {
        self.state = state;
        self.ended_at = Some(at);
    }

    /// Whether events may follow: it has neither ended nor been abandoned.
    pub fn is_unfinished(&self) -> bool {
        !self.state.is_final() && self.abandoned_at.is_none()
    }

    /// Whether the loads may be committed: the run is at it, or died at it.
    pub fn in_commit(&self) -> bool {
        self.committing_at.is_some() && self.is_unfinished()
    }

    fn stages_ended_well(&self) -> bool {
        self.stages.iter().all(|stage| matches!(stage.state, StageState::Succeeded | StageState::Skipped))
    }

    /// Whether the run may still end without its data.
    fn undoable(&self) -> bool {
        self.committing_at.is_none() && self.is_unfinished()
    }

    fn stage_mut(&mut self, event: &Event, name: &str) -> Result<&mut StageRecord, IllegalEvent> {
        self.stages
            .iter_mut()
            .find(|stage| stage.entry.name == name)
            .ok_or_else(|| illegal(event, &format!("the run has no stage `{name}`")))
    }
}

fn illegal(event: &Event, reason: &str) -> IllegalEvent {
    IllegalEvent { event: event.name().to_owned(), reason: reason.to_owned() }
}
