//! Which alerts are due for a run.

use crate::retry::seed;
use jiff::Timestamp;
use sluicebox_model::alert::{AlertOn, AlertRule, AlertTarget};
use sluicebox_model::fault::FaultKind;
use sluicebox_model::run::{RunRecord, RunState};
use std::collections::BTreeSet;
use std::time::Duration;

/// What has to be known beside the run itself.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Circumstances {
    /// A run that failed: how many failed in a row, this one included. A run that ended well: how many did just before it.
    pub failures_in_a_row: u32,
    /// The targets, by [`target_name`], that were told of one of these failures, and of no recovery since.
    pub told_of_failure: BTreeSet<String>,
    /// Whether the pipeline is paused because of this failure: that is told, whatever was told before.
    pub pauses: bool,
    /// When the run should have started; none: at no time of its own.
    pub due_at: Option<Timestamp>,
    /// Since when it could have started, if that is later than when it should have.
    pub waits_since: Option<Timestamp>,
    /// How much later than that it may start before somebody is told; none: as late as it likes.
    pub late_after: Option<Duration>,
    /// How long after it should have started it has to have ended.
    pub deadline: Option<Duration>,
    /// What was told of this run already, while it waited or ran.
    pub told: Vec<AlertOn>,
}

/// An alert that is due.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Due {
    /// Which of the rules it is due by, counted from 0.
    pub rule: usize,
    /// What is told: at least one, the gravest first. They are one message.
    pub kinds: Vec<AlertOn>,
    /// Who is told, by one delivery each.
    pub to: Vec<AlertTarget>,
}

impl Due {
    /// The gravest.
    pub fn kind(&self) -> AlertOn {
        self.kinds.first().copied().unwrap_or(AlertOn::Failure)
    }
}

/// What is shown of a target, and what tells it from another that looks the same: an address may be a secret.
pub fn target_name(target: &AlertTarget) -> String {
    format!("{} #{:08x}", target.shown(), seed(&serde_json::json!(target).to_string()) as u32)
}

/// The alerts that are due for a run, at most one for each rule.
///
/// For a run that has ended all are judged; for one that waits or runs only whether it is late or past its deadline. A
/// cancelled run is neither a failure nor a recovery: somebody wanted it.
pub fn due(rules: &[AlertRule], run: &RunRecord, circumstances: &Circumstances, now: Timestamp) -> Vec<Due> {
    let mut all = Vec::new();
    for (number, rule) in rules.iter().enumerate() {
        let mut to: Vec<AlertTarget> = rule.to.iter().flat_map(AlertTarget::each).collect();
        let is_told = |target: &AlertTarget| circumstances.told_of_failure.contains(&target_name(target));
        let told = Told {
            any: if rule.on.contains(&AlertOn::Failure) {
                to.iter().any(is_told)
            } else {
                // It tells the end of failures that others were told of.
                !circumstances.told_of_failure.is_empty()
            },
            all: to.iter().all(is_told),
        };
        let kinds: Vec<AlertOn> = AlertOn::ALL
            .into_iter()
            .filter(|kind| rule.on.contains(kind) && !circumstances.told.contains(kind))
            .filter(|kind| is_due(*kind, rule, &told, run, circumstances, now))
            .collect();
        if kinds == [AlertOn::Recovery] && rule.on.contains(&AlertOn::Failure) {
            // Whoever was told by another rule alone is told by that.
            to.retain(is_told);
        }
        if !kinds.is_empty() {
            all.push(Due { rule: number, kinds, to });
        }
    }
    all
}

/// Who of a rule's targets was told of one of these failures.
struct Told {
    any: bool,
    all: bool,
}

fn is_due(
    kind: AlertOn,
    rule: &AlertRule,
    told: &Told,
    run: &RunRecord,
    circumstances: &Circumstances,
    now: Timestamp,
) -> bool {
    let has_failed = matches!(run.state, RunState::Failed | RunState::Crashed);
    let has_ended = has_failed || run.state == RunState::Succeeded;
    let failures = circumstances.failures_in_a_row;
    let after = rule.after.max(1);
    match kind {
        // Past the number only if somebody of it was not told: the rule is new, or waited for more before.
        AlertOn::Failure => {
            let is_told = failures == after || (failures > after && !told.all);
            has_failed && (is_told || circumstances.pauses)
        }
        AlertOn::Recovery => run.state == RunState::Succeeded && told.any && failures > 0,
        AlertOn::Deadline => {
            let by_fault = has_failed && run.fault.as_ref().is_some_and(|fault| fault.kind == FaultKind::Deadline);
            by_fault || is_past_deadline(run, circumstances, now)
        }
        AlertOn::Monitor => has_ended && !run.findings.is_empty(),
        AlertOn::Quarantine => {
            let set_aside =
                run.stages.iter().any(|stage| stage.outcome.rows_rejected > 0 || stage.outcome.rows_quarantined > 0);
            has_ended && set_aside
        }
        AlertOn::Late => is_late(run, circumstances, now),
    }
}

fn is_past_deadline(run: &RunRecord, circumstances: &Circumstances, now: Timestamp) -> bool {
    let (Some(due_at), Some(deadline)) = (circumstances.due_at, circumstances.deadline) else { return false };
    if run.state == RunState::Cancelled {
        return false;
    }
    is_longer(due_at, run.ended_at.unwrap_or(now), deadline)
}

fn is_late(run: &RunRecord, circumstances: &Circumstances, now: Timestamp) -> bool {
    let (Some(due_at), Some(bound)) = (circumstances.due_at, circumstances.late_after) else { return false };
    let since = circumstances.waits_since.map_or(due_at, |since| since.max(due_at));
    match run.started_at.or(run.ended_at) {
        Some(at) => run.state != RunState::Cancelled && is_longer(since, at, bound),
        None => is_longer(since, now, bound),
    }
}

/// Whether more time than the bound lies between the two; not so if the second is before the first.
fn is_longer(from: Timestamp, to: Timestamp, bound: Duration) -> bool {
    Duration::try_from(to.duration_since(from)).is_ok_and(|time| time > bound)
}

#[cfg(test)]
#[path = "decide_tests.rs"]
mod tests;
