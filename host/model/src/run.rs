//! A run and its journal: the events, and the states that they fold into. An illegal move is an error.

use crate::fault::{Fault, FaultKind};
use crate::plugin::{Digest, Kind};
use crate::stage::{Rule, Severity, Threshold};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

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

    fn is_final(self) -> bool {
        !matches!(self, Self::Pending | Self::Running | Self::Retrying)
    }
}

/// How a rule did over the whole run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct RuleResult {
    /// The rule.
    #[serde(flatten)]
    pub rule: Rule,
    /// Rows that broke it.
    pub rows_broken: u64,
    /// Whether the data was as the rule wants it, within its threshold.
    pub holds: bool,
    /// What was seen, for rules about all the data.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub observed: Option<String>,
}

impl RuleResult {
    /// Whether the rule fails the run: its threshold is passed, or it fails on a single row and there is one.
    pub fn fails_run(rule: &Rule, rows_broken: u64, rows_seen: u64) -> bool {
        match (rule.at_most, rule.severity) {
            (Some(most), Severity::Reject | Severity::Fail) => most.is_passed(rows_broken, rows_seen),
            (None, Severity::Fail) => Threshold::Rows(0).is_passed(rows_broken, rows_seen),
            (None, Severity::Reject) | (_, Severity::Warn) => false,
        }
    }
}

/// What a stage did in a run. Rows and bytes are those that crossed its edge of the pipeline.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", default)]
pub struct StageOutcome {
    /// Rows given to it, over all inputs.
    pub rows_in: u64,
    /// Rows that it passed on (a load: that it wrote).
    pub rows_out: u64,
    /// Rows set aside by rules, and records that could not be made rows.
    pub rows_rejected: u64,
    /// Rows set aside because the stage failed on them.
    pub rows_quarantined: u64,
    /// Bytes of the batches given to it.
    pub bytes_in: u64,
    /// Bytes of the batches that it passed on.
    pub bytes_out: u64,
    /// Batches given to it.
    pub batches_in: u64,
    /// Batches that it passed on.
    pub batches_out: u64,
    /// Calls of the contract's functions, over all instances.
    pub calls: u64,
    /// Time within calls, over all instances.
    pub call_time: Duration,
    /// From its start to its end, waiting included.
    pub elapsed: Duration,
    /// The most bytes of linear memory that one instance had.
    pub memory_peak_bytes: u64,
    /// Attempts of the stage, the first included.
    pub attempts: u32,
    /// Calls that were tried again.
    pub retries: u64,
    /// Counters that the guest added to.
    pub counts: BTreeMap<String, u64>,
    /// The rules of a validate.
    pub rules: Vec<RuleResult>,
}

/// One step of a run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "kebab-case", rename_all_fields = "kebab-case")]
pub enum Event {
    /// A trigger made the run.
    RunQueued {
        /// The pipeline's name.
        pipeline: String,
        /// What caused it.
        trigger: Trigger,
        /// For when it runs.
        interval: Interval,
        /// The text of the pipeline file.
        text: String,
        /// The stages in the order of the file.
        stages: Vec<StageEntry>,
    },
    /// The stages begin.
    RunStarted,
    /// A stage begins an attempt.
    StageStarted {
        /// The stage.
        stage: String,
        /// Counted from 1.
        attempt: u32,
    },
    /// A call failed; it is tried again.
    StageRetrying {
        /// The stage.
        stage: String,
        /// The attempt that follows.
        attempt: u32,
        /// Why.
        fault: Fault,
    },
    /// A stage ended well.
    StageSucceeded {
        /// The stage.
        stage: String,
        /// What it did.
        outcome: StageOutcome,
    },
    /// A stage ended with a fault.
    StageFailed {
        /// The stage.
        stage: String,
        /// Why.
        fault: Fault,
        /// What it did until then.
        outcome: StageOutcome,
    },
    /// A stage was not needed.
    StageSkipped {
        /// The stage.
        stage: String,
    },
    /// A stage before it failed.
    StageUpstreamFailed {
        /// The stage.
        stage: String,
        /// The stage that failed.
        because: String,
        /// What it did until then.
        outcome: StageOutcome,
    },
    /// A stage was stopped because the run was.
    StageCancelled {
        /// The stage.
        stage: String,
        /// What it did until then.
        outcome: StageOutcome,
    },
    /// Every stage has ended well and every load has prepared: from here on the run is committed, never undone.
    RunCommitting {
        /// The receipts of each load stage.
        receipts: BTreeMap<String, Vec<String>>,
        /// The new bookmark of each extract stage that gave one.
        bookmarks: BTreeMap<String, String>,
    },
    /// A load is committed.
    LoadCommitted {
        /// The stage.
        stage: String,
    },
    /// A load could not be committed; recovery tries again.
    CommitFailed {
        /// The stage.
        stage: String,
        /// Why.
        fault: Fault,
    },
    /// All is loaded.
    RunSucceeded,
    /// Nothing is loaded.
    RunFailed {
        /// The fault that ended it.
        fault: Fault,
    },
    /// Somebody stopped it; nothing is loaded.
    RunCancelled,
    /// The host died, or a commit failed.
    RunCrashed {
        /// What is known of it.
        reason: String,
    },
}

/// A stage of a run, as the run began.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct StageEntry {
    /// The stage's name.
    pub name: String,
    /// The kind of stage.
    pub kind: Kind,
    /// The plugin's name.
    pub plugin: String,
    /// The plugin's version.
    pub version: String,
    /// Which component it is.
    pub digest: Digest,
    /// The stages that feed it.
    pub inputs: Vec<String>,
}

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
    /// Receipts of the loads, from the committing event.
    pub receipts: BTreeMap<String, Vec<String>>,
    /// New bookmarks, from the committing event.
    pub bookmarks: BTreeMap<String, String>,
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
            Some((at, Event::RunQueued { pipeline, trigger, interval, text, stages })) => Self {
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
                        committed: false,
                    })
                    .collect(),
                fault: None,
                receipts: BTreeMap::new(),
                bookmarks: BTreeMap::new(),
                text: text.clone(),
            },
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
            Event::RunStarted => {
                need(self.state == R::Queued, "only a queued run starts")?;
                self.state = R::Running;
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
            Event::StageSkipped { stage } => {
                need(self.state == R::Running, "the run is not running")?;
                let stage = self.stage_mut(event, stage)?;
                need(stage.state == S::Pending, "the stage has started already")?;
                stage.state = S::Skipped;
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
            Event::RunCommitting { receipts, bookmarks } => {
                need(self.state == R::Running, "only a running run commits")?;
                need(
                    self.stages.iter().all(|stage| matches!(stage.state, S::Succeeded | S::Skipped)),
                    "a stage has not ended well",
                )?;
                self.state = R::Committing;
                self.committing_at = Some(at);
                self.receipts = receipts.clone();
                self.bookmarks = bookmarks.clone();
            }
            Event::LoadCommitted { stage } => {
                need(self.in_commit(), "the run is not committing")?;
                let stage = self.stage_mut(event, stage)?;
                need(stage.entry.kind == Kind::Load, "only a load commits")?;
                stage.committed = true;
                stage.fault = None;
            }
            Event::CommitFailed { stage, fault } => {
                need(self.in_commit(), "the run is not committing")?;
                let stage = self.stage_mut(event, stage)?;
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
                self.end(R::Cancelled, at);
            }
            Event::RunCrashed { reason } => {
                need(!self.state.is_final(), "the run has ended already")?;
                self.fault = Some(Fault::new(FaultKind::Host, "run", reason));
                self.end(R::Crashed, at);
            }
        }
        Ok(())
    }

    fn end(&mut self, state: RunState, at: Timestamp) {
        self.state = state;
        self.ended_at = Some(at);
    }

    /// Whether the loads may be committed: the run is at it, or died at it.
    fn in_commit(&self) -> bool {
        self.committing_at.is_some() && !self.state.is_final()
    }

    /// Whether the run may still end without its data.
    fn undoable(&self) -> bool {
        self.committing_at.is_none() && !self.state.is_final()
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

impl Event {
    /// The event's name, as in JSON.
    pub fn name(&self) -> &'static str {
        match self {
            Self::RunQueued { .. } => "run-queued",
            Self::RunStarted => "run-started",
            Self::StageStarted { .. } => "stage-started",
            Self::StageRetrying { .. } => "stage-retrying",
            Self::StageSucceeded { .. } => "stage-succeeded",
            Self::StageFailed { .. } => "stage-failed",
            Self::StageSkipped { .. } => "stage-skipped",
            Self::StageUpstreamFailed { .. } => "stage-upstream-failed",
            Self::StageCancelled { .. } => "stage-cancelled",
            Self::RunCommitting { .. } => "run-committing",
            Self::LoadCommitted { .. } => "load-committed",
            Self::CommitFailed { .. } => "commit-failed",
            Self::RunSucceeded => "run-succeeded",
            Self::RunFailed { .. } => "run-failed",
            Self::RunCancelled => "run-cancelled",
            Self::RunCrashed { .. } => "run-crashed",
        }
    }
}
