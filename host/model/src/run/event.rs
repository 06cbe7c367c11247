//! The steps of a run, as the journal holds them.

use super::outcome::StageOutcome;
use super::state::{Interval, RunId, Trigger};
use crate::fault::Fault;
use crate::monitor::{Column, MonitorFinding};
use crate::plugin::{Digest, Kind};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::PathBuf;

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
        /// The pipeline file, as an absolute path: options and grants start at its folder.
        #[serde(default)]
        file: PathBuf,
        /// What the ids of its loads begin with; the same for every run that is to replace the same rows.
        #[serde(default)]
        load_key: String,
        /// The run that it repeats.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        repeats: Option<RunId>,
        /// The stages in the order of the file.
        stages: Vec<StageEntry>,
    },
    /// The stages begin.
    RunStarted {
        /// Where the extracts resume, by stage.
        #[serde(default)]
        bookmarks: BTreeMap<String, String>,
    },
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
        /// The run whose kept output takes the place of the stage's own; none: nothing of it is needed.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        restored_from: Option<RunId>,
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
    /// Every stage has ended well; what is about to be loaded was held against what the author expects.
    MonitorsJudged {
        /// What is not as expected.
        findings: Vec<MonitorFinding>,
        /// The columns that each load was given.
        schemas: BTreeMap<String, Vec<Column>>,
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
        /// That of the load that could not be committed.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        fault: Option<Fault>,
    },
    /// Somebody decided that a run whose commit does not come to an end is left as it is: what is shown stays shown, what
    /// is not is taken back.
    RunAbandoned {
        /// For people.
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

impl Event {
    /// The event's name, as in JSON.
    pub fn name(&self) -> &'static str {
        match self {
            Self::RunQueued { .. } => "run-queued",
            Self::RunStarted { .. } => "run-started",
            Self::StageStarted { .. } => "stage-started",
            Self::StageRetrying { .. } => "stage-retrying",
            Self::StageSucceeded { .. } => "stage-succeeded",
            Self::StageFailed { .. } => "stage-failed",
            Self::StageSkipped { .. } => "stage-skipped",
            Self::StageUpstreamFailed { .. } => "stage-upstream-failed",
            Self::StageCancelled { .. } => "stage-cancelled",
            Self::MonitorsJudged { .. } => "monitors-judged",
            Self::RunCommitting { .. } => "run-committing",
            Self::LoadCommitted { .. } => "load-committed",
            Self::CommitFailed { .. } => "commit-failed",
            Self::RunSucceeded => "run-succeeded",
            Self::RunFailed { .. } => "run-failed",
            Self::RunCancelled => "run-cancelled",
            Self::RunCrashed { .. } => "run-crashed",
            Self::RunAbandoned { .. } => "run-abandoned",
        }
    }
}
