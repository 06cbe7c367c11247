//! A validate at work: the stage finds, the host judges.

use crate::attempts::{Failed, call_stateful, with_attempts};
use crate::feed::{Feed, Job};
use crate::run::host_fault;
use crate::station::{Asked, Live, Station, grouped};
use crate::stop::lock;
use arrow_array::{Array, BooleanArray};
use arrow_buffer::BooleanBuffer;
use arrow_select::filter::filter_record_batch;
use sluicebox_model::fault::{Fault, FaultKind};
use sluicebox_model::journal::Quarantined;
use sluicebox_model::run::RuleResult;
use sluicebox_model::stage::{Finding, Rule, RuleOutcome, Severity, Threshold, Validator};

/// Works until its input ends, then judges.
pub(crate) fn validate(station: &Station<'_>) -> Result<(), Fault> {
    let schemas = station.input_schemas()?;
    station.started()?;
    let Some(schema) = schemas.first() else { return Ok(()) };
    let run = station.run;
    let open_with_rules = |attempt| {
        let context = run.context(station.name(), attempt);
        let instance =
            station.stage.validator(&context, run.stop.cancel()).map_err(|fault| fault.of_stage(station.name()))?;
        let mut live: Live<'_, dyn Validator> = station.live(instance, attempt);
        let rules = live.call(|validate| validate.open(schema))?;
        Ok::<_, Fault>((live, rules))
    };
    let (first, rules) = with_attempts(station, |attempt| open_with_rules(attempt).map_err(Failed::from))
        .map_err(|failed| station.failed_at(Asked { call: "open", ..Asked::default() }, failed))?;
    let open = |attempt| {
        let (live, again) = open_with_rules(attempt)?;
        if again != rules {
            let message = "the stage answered with other rules than before";
            return Err(Fault::new(FaultKind::Contract, "open", message).of_stage(station.name()));
        }
        Ok(live)
    };
    station.announce(schema);
    let judge = Judge { station, rules: &rules };
    judge.begin();
    let mut live = Some(first);
    let mut may_restart = true;
    let mut feed = Feed::new(station, &schemas);
    while let Some(job) = feed.next()? {
        let findings = call_stateful(station, &mut live, may_restart, open, |validate| {
            validate.next_turn(job.turn());
            validate.check(&job.batch)
        })
        .map_err(|failed| station.failed_on(&job, "check", failed))?;
        may_restart = false;
        judge.findings(&job, findings)?;
        station.show_progress();
    }
    let turn = feed.given() + 1;
    let outcomes = call_stateful(station, &mut live, may_restart, open, |validate| {
        validate.next_turn(turn);
        validate.finish()
    })
    .map_err(|failed| station.failed_at(Asked { call: "finish", turn, ..Asked::default() }, failed))?;
    judge.end(&outcomes)
}

struct Judge<'a> {
    station: &'a Station<'a>,
    rules: &'a [Rule],
}

impl Judge<'_> {
    /// Every rule stands in the outcome, also if nothing breaks it.
    fn begin(&self) {
        lock(&self.station.doing).outcome.rules = self
            .rules
            .iter()
            .map(|rule| RuleResult { rule: rule.clone(), rows_broken: 0, holds: true, observed: None })
            .collect();
    }

    /// Counts what breaks rules, sets rejected rows aside, and passes the others on.
    fn findings(&self, job: &Job, findings: Vec<Finding>) -> Result<(), Fault> {
        let station = self.station;
        let rows = job.batch.num_rows();
        let mut rejects: Vec<(&Rule, &BooleanBuffer)> = Vec::new();
        for finding in &findings {
            let rule = self.rules.get(finding.rule).filter(|_| finding.rows.len() == rows);
            let Some(rule) = rule.filter(|_| finding.rows.null_count() == 0) else {
                let message = "the stage answered with a finding that fits no rule, or not the rows of the batch";
                let fault = Fault::new(FaultKind::Contract, "check", message).of_stage(station.name());
                return Err(job.locate(fault, 0, rows));
            };
            let broken = finding.rows.values().count_set_bits() as u64;
            if broken == 0 {
                continue;
            }
            if let Some(result) = lock(&station.doing).outcome.rules.get_mut(finding.rule) {
                result.rows_broken += broken;
            }
            if rule.severity == Severity::Reject {
                rejects.push((rule, finding.rows.values()));
            }
        }
        let rejected = rejects.iter().map(|(_, rows)| (*rows).clone()).reduce(|all, rows| &all | &rows);
        match rejected {
            None => station.emit(&job.batch)?,
            Some(rejected) => self.reject(job, &rejects, rejected)?,
        }
        self.judge_rows(None)
    }

    fn reject(&self, job: &Job, rejects: &[(&Rule, &BooleanBuffer)], rejected: BooleanBuffer) -> Result<(), Fault> {
        let station = self.station;
        let filtered = |mask: BooleanBuffer| {
            filter_record_batch(&job.batch, &BooleanArray::new(mask, None))
                .map_err(|error| host_fault("filter", &format!("rows cannot be parted: {error}")))
        };
        let reasons = rejected
            .set_indices()
            .map(|row| {
                let broken: Vec<&str> =
                    rejects.iter().filter(|(_, rows)| rows.value(row)).map(|(rule, _)| rule.name.as_str()).collect();
                broken.join(", ")
            })
            .collect();
        let passed = filtered(!&rejected)?;
        let batch = filtered(rejected)?;
        let count = batch.num_rows() as u64;
        station.set_aside(&Quarantined::Rejected { batch, reasons })?;
        lock(&station.doing).outcome.rows_rejected += count;
        station.emit(&passed)
    }

    /// Judges rules and the stage's own bound by rows: numbers of rows at once, shares when all rows are `seen`.
    fn judge_rows(&self, seen: Option<u64>) -> Result<(), Fault> {
        let station = self.station;
        let (results, rejected, so_far) = {
            let doing = lock(&station.doing);
            (doing.outcome.rules.clone(), doing.outcome.rows_rejected, doing.outcome.rows_in)
        };
        let passed: Vec<String> = results
            .iter()
            .filter(|result| {
                let is_number = !matches!(result.rule.at_most, Some(Threshold::PerCent(_)));
                (is_number || seen.is_some()) && RuleResult::fails_run(&result.rule, result.rows_broken, so_far)
            })
            .map(|result| broken_rule(result, so_far))
            .collect();
        if !passed.is_empty() {
            // A share is judged when all rows are seen.
            let call = if seen.is_some() { "finish" } else { "check" };
            return Err(self.fails(call, &passed));
        }
        station.judge_rejected(rejected, seen, "rows were rejected")
    }

    /// Judges when all is seen.
    fn end(&self, outcomes: &[RuleOutcome]) -> Result<(), Fault> {
        let station = self.station;
        let mut broken = Vec::new();
        let seen = {
            let mut doing = lock(&station.doing);
            let seen = doing.outcome.rows_in;
            for result in &mut doing.outcome.rules {
                result.holds = match result.rule.at_most {
                    Some(most) => !most.is_passed(result.rows_broken, seen),
                    None => result.rows_broken == 0,
                };
            }
            for outcome in outcomes {
                let Some(result) = doing.outcome.rules.get_mut(outcome.rule) else {
                    let message = "the stage answered with an outcome that fits no rule";
                    return Err(Fault::new(FaultKind::Contract, "finish", message).of_stage(station.name()));
                };
                result.holds &= outcome.holds;
                result.observed = Some(outcome.observed.clone());
                if !outcome.holds && result.rule.severity != Severity::Warn {
                    let Rule { name, summary, .. } = &result.rule;
                    broken.push(format!("rule `{name}` ({summary}) does not hold: {}", outcome.observed));
                }
            }
            seen
        };
        if !broken.is_empty() {
            return Err(self.fails("finish", &broken).with_help(
                "mend the data before this stage, or change the rule; a rule of severity `warn` is told and fails nothing",
            ));
        }
        self.judge_rows(Some(seen))
    }

    fn fails(&self, call: &str, broken: &[String]) -> Fault {
        Fault::new(FaultKind::Threshold, call, broken.join("; ")).of_stage(self.station.name()).with_help(
            "mend the data before this stage, or change the rule: raise its `at-most`, or make its severity `reject` \
             or `warn`",
        )
    }
}

fn broken_rule(result: &RuleResult, seen: u64) -> String {
    let Rule { name, summary, at_most, .. } = &result.rule;
    let most = at_most.map_or_else(|| "no row".to_owned(), |most| format!("at most {most}"));
    let (broken, all) = (grouped(result.rows_broken), grouped(seen));
    format!("rule `{name}` ({summary}): {broken} of {all} rows break it, and {most} may")
}
