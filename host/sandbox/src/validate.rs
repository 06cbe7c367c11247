//! A live validate.

use crate::answer;
use crate::calls::ValidatorCalls;
use crate::console::escape;
use crate::contract::validator;
use crate::ops::finding_rows;
use crate::refusal::{Refusal, refuse};
use crate::schema::to_guest;
use crate::stage::Bound;
use arrow_array::RecordBatch;
use arrow_schema::SchemaRef;
use sluicebox_model::fault::Fault;
use sluicebox_model::stage::{Finding, Instance, Report, Rule, RuleOutcome, Severity, Threshold, Usage, Validator};
use std::collections::HashSet;
use wasmtime::component::Resource;

/// Bytes of a rule's name.
pub(crate) const NAME_MAX: usize = 1024;
/// Bytes of what is said of a rule.
pub(crate) const TEXT_MAX: usize = 16 * 1024;
/// Rules of one stage.
pub(crate) const RULES_MAX: usize = 100_000;

pub(crate) struct ValidateInstance {
    bound: Bound,
    guest: Box<dyn ValidatorCalls>,
    /// How many rules `open` answered with.
    rules: Option<usize>,
}

impl ValidateInstance {
    pub(crate) fn new(bound: Bound, guest: Box<dyn ValidatorCalls>) -> Self {
        Self { bound, guest, rules: None }
    }
}

impl Instance for ValidateInstance {
    fn take_report(&mut self) -> Report {
        self.bound.core.take_report()
    }

    fn usage(&self) -> Usage {
        self.bound.core.usage()
    }

    fn next_turn(&mut self, turn: u64) {
        self.bound.core.next_turn(turn);
    }
}

fn rules(given: Vec<validator::Rule>) -> Result<Vec<Rule>, Refusal> {
    if given.len() > RULES_MAX {
        refuse!("it has {} rules; there is room for {RULES_MAX}", given.len());
    }
    let mut names = HashSet::new();
    let mut rules = Vec::with_capacity(given.len());
    for rule in given {
        let name = escape(&rule.name, NAME_MAX);
        if name.is_empty() || !names.insert(name.clone()) {
            refuse!("two rules are named `{name}`, or one has no name");
        }
        let at_most = match rule.at_most {
            Some(validator::Threshold::Rows(rows)) => Some(Threshold::Rows(rows)),
            Some(validator::Threshold::PerCent(share)) if (0.0..=100.0).contains(&share) => {
                Some(Threshold::PerCent(share))
            }
            Some(validator::Threshold::PerCent(share)) => {
                refuse!("rule `{name}` has a threshold of {share} per cent, which is not within 0 to 100")
            }
            None => None,
        };
        let severity = match rule.severity {
            validator::Severity::Warn => Severity::Warn,
            validator::Severity::Reject => Severity::Reject,
            validator::Severity::Fail => Severity::Fail,
        };
        rules.push(Rule { name, summary: escape(&rule.summary, TEXT_MAX), severity, at_most });
    }
    Ok(rules)
}

/// The position of a rule that exists and was not named before.
fn position(rule: u32, rules: usize, seen: &mut HashSet<u32>) -> Result<usize, Refusal> {
    if rule as usize >= rules {
        refuse!("it names rule {rule}, but there are {rules}, counted from 0");
    }
    if !seen.insert(rule) {
        refuse!("it names rule {rule} twice");
    }
    Ok(rule as usize)
}

impl Validator for ValidateInstance {
    fn open(&mut self, input: &SchemaRef) -> Result<Vec<Rule>, Fault> {
        let Self { bound, guest, .. } = self;
        let input = to_guest(input);
        let rules = bound.core.call(
            "open",
            async |store| guest.call_open(store, &bound.context, &bound.config, &input).await,
            |_, given| rules(given),
        )?;
        self.rules = Some(rules.len());
        Ok(rules)
    }

    fn check(&mut self, batch: &RecordBatch) -> Result<Vec<Finding>, Fault> {
        let Self { bound, guest, rules } = self;
        let Some(rules) = *rules else { return Err(answer::not_opened("check")) };
        let rows = batch.num_rows();
        let held = bound.core.with_state("check", |state| state.held.given(&mut state.table, batch.clone()))?;
        let rep = held.rep();
        let found = bound.core.call(
            "check",
            async |store| guest.call_check(store, Resource::new_borrow(rep)).await,
            |_, findings| {
                let mut seen = HashSet::new();
                let finding = |finding: validator::Finding| {
                    let rule = position(finding.rule, rules, &mut seen)?;
                    let rows = finding_rows(finding.rows, rows)
                        .map_err(|Refusal(reason)| Refusal(format!("the rows of rule {rule}: the mask {reason}")))?;
                    Ok(Finding { rule, rows })
                };
                findings.into_iter().map(finding).collect()
            },
        );
        // The guest only borrowed it; an instance that died took it along.
        if let Some(store) = bound.core.store() {
            let state = store.data_mut();
            let _ = state.held.release(&mut state.table, held);
        }
        found
    }

    fn finish(&mut self) -> Result<Vec<RuleOutcome>, Fault> {
        let Self { bound, guest, rules } = self;
        let Some(rules) = *rules else { return Err(answer::not_opened("finish")) };
        bound.core.call(
            "finish",
            async |store| guest.call_finish(store).await,
            |_, outcomes| {
                let mut seen = HashSet::new();
                let outcome = |outcome: validator::Outcome| {
                    let rule = position(outcome.rule, rules, &mut seen)?;
                    Ok(RuleOutcome { rule, holds: outcome.holds, observed: escape(&outcome.observed, TEXT_MAX) })
                };
                outcomes.into_iter().map(outcome).collect()
            },
        )
    }
}
