//! What a stage did in a run.

use crate::stage::{Rule, Severity, Threshold};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::time::Duration;

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
    /// Bytes of what it passed on that are kept as a checkpoint.
    pub checkpoint_bytes: u64,
    /// Counters that the guest added to.
    pub counts: BTreeMap<String, u64>,
    /// The rules of a validate.
    pub rules: Vec<RuleResult>,
}
