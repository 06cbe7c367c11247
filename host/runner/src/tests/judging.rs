//! Validates find, the host judges.

use super::fakes::{Ask, Breaks, Target, batch, counting, extract, load, page, validate};
use super::{Trial, stage_of};
use sluicebox_model::fault::FaultKind;
use sluicebox_model::run::{RunRecord, RunState};
use sluicebox_model::stage::{BadRecord, Report, Rule, RuleOutcome, Severity, Threshold};
use std::sync::Arc;

fn rule(name: &str, severity: Severity, at_most: Option<Threshold>, breaks: Breaks) -> (Rule, Breaks) {
    (Rule { name: name.into(), summary: format!("n is {name}"), severity, at_most }, breaks)
}

fn run(
    rules: Vec<(Rule, Breaks)>,
    outcomes: Vec<RuleOutcome>,
    reject: Option<Threshold>,
) -> (RunRecord, Vec<i64>, Vec<(i64, String)>) {
    let target = Arc::new(Target::default());
    let trial = Trial::new()
        .stage("read", &[], counting(10, 100))
        .stage_with("check", &["read"], validate(rules, outcomes), |spec| spec.reject = reject)
        .stage("out", &["check"], load(&target));
    (trial.run(), target.written(), trial.journal.set_aside())
}

fn message(record: &RunRecord) -> String {
    assert_eq!(record.state, RunState::Failed);
    let fault = record.fault.clone().unwrap();
    assert_eq!((fault.kind, fault.stage.as_str()), (FaultKind::Threshold, "check"));
    assert!(fault.help.is_some());
    fault.message
}

#[test]
fn rows_are_rejected_with_their_reasons_and_the_others_go_on() {
    let rules = vec![
        rule("even", Severity::Reject, None, |n| n % 50 == 1),
        rule("small", Severity::Reject, None, |n| n > 990),
        rule("nice", Severity::Warn, None, |n| n < 10),
    ];
    let (record, written, aside) = run(rules, Vec::new(), None);
    assert_eq!(record.state, RunState::Succeeded);
    assert_eq!((written.len(), aside.len()), (1_000 - 29, 29));
    assert!(written.is_sorted());
    assert!(aside.contains(&(51, "even".into())) && aside.contains(&(992, "small".into())));
    let outcome = &stage_of(&record, "check").outcome;
    assert_eq!((outcome.rows_rejected, outcome.rows_in, outcome.rows_out), (29, 1_000, 971));
    let rules: Vec<(u64, bool)> = outcome.rules.iter().map(|rule| (rule.rows_broken, rule.holds)).collect();
    assert_eq!(rules, [(20, false), (9, false), (10, false)]);
}

#[test]
fn a_row_that_breaks_two_rules_counts_once_and_has_both_reasons() {
    let rules =
        vec![rule("a", Severity::Reject, None, |n| n == 5), rule("b", Severity::Reject, None, |n| n == 5 || n == 6)];
    let (record, _, aside) = run(rules, Vec::new(), Some(Threshold::Rows(2)));
    assert_eq!(record.state, RunState::Succeeded);
    assert_eq!(aside, [(5, "a, b".into()), (6, "b".into())]);
}

#[test]
fn a_failing_rule_fails_at_once() {
    let (record, written, _) = run(vec![rule("low", Severity::Fail, None, |n| n == 150)], Vec::new(), None);
    assert!(written.len() <= 200, "the batch at fault does not matter any more");
    let message = message(&record);
    assert!(message.starts_with("rule `low` (n is low): 1 of "), "{message}");
    assert!(message.ends_with(" rows break it, and no row may"), "{message}");
}

#[test]
fn thresholds_of_rules() {
    let odd: Breaks = |n| n % 2 == 1;
    let half = |share| vec![rule("odd", Severity::Reject, Some(Threshold::PerCent(share)), odd)];
    assert_eq!(run(half(50.0), Vec::new(), None).0.state, RunState::Succeeded);
    let (record, _, aside) = run(half(49.9), Vec::new(), None);
    assert_eq!(message(&record), "rule `odd` (n is odd): 500 of 1,000 rows break it, and at most 49.9 % may");
    assert_eq!(aside.len(), 500, "what was set aside is there to be looked at");

    let (record, _, _) = run(vec![rule("odd", Severity::Fail, Some(Threshold::Rows(499)), odd)], Vec::new(), None);
    assert_eq!(message(&record), "rule `odd` (n is odd): 500 of 1,000 rows break it, and at most 499 rows may");
    let (record, written, _) =
        run(vec![rule("odd", Severity::Fail, Some(Threshold::Rows(500)), odd)], Vec::new(), None);
    assert_eq!((record.state, written.len()), (RunState::Succeeded, 1_000));
}

#[test]
fn the_stage_s_own_threshold() {
    let odd = || vec![rule("odd", Severity::Reject, None, |n| n % 2 == 1)];
    let (record, _, _) = run(odd(), Vec::new(), Some(Threshold::PerCent(5.0)));
    assert_eq!(message(&record), "500 of 1,000 rows were rejected, and at most 5 % may");
    let (record, _, _) = run(odd(), Vec::new(), Some(Threshold::Rows(120)));
    assert_eq!(message(&record), "150 rows were rejected, and at most 120 rows may");
}

#[test]
fn rules_about_all_the_data() {
    let all = |severity| vec![rule("many", severity, None, |_| false)];
    let outcome = |holds| vec![RuleOutcome { rule: 0, holds, observed: "1000 rows".into() }];
    let (record, _, _) = run(all(Severity::Fail), outcome(false), None);
    assert_eq!(message(&record), "rule `many` (n is many) does not hold: 1000 rows");
    let (record, _, _) = run(all(Severity::Warn), outcome(false), None);
    assert_eq!(record.state, RunState::Succeeded);
    let rules = &stage_of(&record, "check").outcome.rules;
    assert_eq!((rules[0].holds, rules[0].observed.as_deref()), (false, Some("1000 rows")));
    assert_eq!(run(all(Severity::Fail), outcome(true), None).0.state, RunState::Succeeded);
}

#[test]
fn an_outcome_of_no_rule_is_refused() {
    let outcomes = vec![RuleOutcome { rule: 9, holds: true, observed: String::new() }];
    let (record, _, _) = run(vec![rule("a", Severity::Warn, None, |_| false)], outcomes, None);
    assert_eq!(record.fault.unwrap().kind, FaultKind::Contract);
}

#[test]
fn bad_records_of_an_extract() {
    let bad = |reject| {
        let fake = extract(|_| {
            move |ask, report: &mut Report| match ask {
                Ask::Next(number @ 0..10) => {
                    report.bad_records.push(BadRecord {
                        origin: format!("a.csv:{number}"),
                        content: String::new(),
                        reason: "ragged".into(),
                    });
                    page(batch(0..9))
                }
                _ => Ok(None),
            }
        });
        let trial = Trial::new().stage_with("read", &[], fake, |spec| spec.reject = reject);
        (trial.run(), trial.journal.set_aside().len())
    };
    let (record, aside) = bad(None);
    assert_eq!((record.state, aside), (RunState::Succeeded, 10));
    assert_eq!(stage_of(&record, "read").outcome.rows_rejected, 10);
    assert_eq!(bad(Some(Threshold::PerCent(10.0))).0.state, RunState::Succeeded);
    let (record, aside) = bad(Some(Threshold::Rows(3)));
    assert_eq!((record.state, aside), (RunState::Failed, 4));
    let record = bad(Some(Threshold::PerCent(9.0))).0;
    assert_eq!(record.fault.unwrap().message, "10 of 100 records could not be made rows, and at most 9 % may");
}
