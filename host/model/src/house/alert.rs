//! Telling people, at least once.

use crate::alert::AlertOn;
use crate::run::RunId;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// How far an alert is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum AlertState {
    /// It is to be delivered, for the first time or again.
    Waiting,
    /// The target has taken it.
    Delivered,
    /// It is not tried any more.
    GivenUp,
}

/// An alert that is to be sent. One pipeline, `about`, kind and target are told once, however often it is asked for.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct NewAlert {
    /// The pipeline's name.
    pub pipeline: String,
    /// The run that it is about.
    pub run: Option<RunId>,
    /// What it is about if that is not the run, e.g. a time of the schedule that made none; empty: the run.
    pub about: String,
    /// Of what.
    pub kind: AlertOn,
    /// Who: whatever finds the target again, e.g. an [`AlertTarget`](crate::alert::AlertTarget) as JSON.
    pub target: String,
    /// What is told.
    pub body: serde_json::Value,
}

/// An alert as it is kept.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Alert {
    /// Grows with each alert.
    pub id: u64,
    /// What, and to whom.
    #[serde(flatten)]
    pub what: NewAlert,
    /// When it was decided.
    pub queued_at: Timestamp,
    /// How far it is.
    pub state: AlertState,
    /// Attempts so far.
    pub attempts: u32,
    /// When the next attempt is due; none: no more.
    pub next_at: Option<Timestamp>,
    /// When it was delivered or given up.
    pub settled_at: Option<Timestamp>,
    /// How the last attempt failed.
    pub error: Option<String>,
}
