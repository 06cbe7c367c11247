//! `tests/evil-validate`.

use super::{OUT, READ, evil, project, rows_loaded, stage, succeeds};

fn pipeline(options: &str, more: &str) -> String {
    format!("{READ}{}{OUT}", evil("evil-validate", options, more))
}

fails! { pipeline:
    panic: "mode = 'panic'" => "trap" in "check", ["panicked at tests/evil-validate/", "evil: a panic in check, as asked for"];
    panic_in_finish: "mode = 'panic-in-finish'" => "trap" in "finish", ["evil: a panic in finish, as asked for"];
    loop_in_check: "mode = 'loop'" => "timeout" in "check", ["ran longer than 500ms", "raise `limits.call`"];
    rule_past_end: "mode = 'rule-past-end'" => "contract" in "check", ["rule 4294967295", "mistake in the plugin"];
    mask_short: "mode = 'mask-short'" => "contract" in "check", ["rule 0", "the mask has 125 bytes", "1001 rows", "126"];
    mask_long: "mode = 'mask-long'" => "contract" in "check", ["rule 0", "the mask has 134 bytes", "1001 rows", "126"];
    finding_twice: "mode = 'finding-twice'" => "contract" in "check", ["names rule 0 twice"];
    many_findings: "mode = 'many-findings'" => "memory" in "check", ["the limit is 48MiB", "raise `limits.memory`"];
    outcome_past_end: "mode = 'outcome-past-end'" => "contract" in "finish", ["rule 4294967295"];
    outcome_twice: "mode = 'outcome-twice'" => "contract" in "finish", ["names rule 0 twice"];
}

refused_by_check! { pipeline:
    rule_twice: "mode = 'rule-twice'" => ["two rules are named `evil`", "mistake in the plugin"];
    many_rules: "mode = 'many-rules'" => ["memory", "the limit is 48MiB"];
    odd_threshold: "mode = 'odd-threshold'" => ["rule `odd`", "NaN per cent", "0 to 100"];
}

#[test]
pub(super) fn pass() {
    let project = project(&pipeline("mode = 'pass'", ""));
    succeeds(&project);
    assert_eq!(rows_loaded(&project), 1_001);
}

/// With memory for all of them, what crosses is bounded.
#[test]
fn many_findings_that_fit_its_memory() {
    let limits = r#"limits = { memory = "1GiB", transfer = "32MiB" }"#;
    let project = project(&pipeline("mode = 'many-findings'", limits));
    super::fails(&project, "limit", "check", &["32MiB", "would cross", "raise `limits.transfer`"]);
}

/// With memory for all of them, there is room for so many.
#[test]
fn many_rules_that_fit_its_memory() {
    let limits = r#"limits = { memory = "1GiB", transfer = "512MiB" }"#;
    let project = project(&pipeline("mode = 'many-rules'", limits));
    super::refused_by_check(&project, &["it has 1000000 rules", "room for 100000", "mistake in the plugin"]);
}

/// The bits behind the last row are nobody's: no row more is rejected than there are.
#[test]
pub(super) fn rows_past_end() {
    let project = project(&pipeline("mode = 'rows-past-end'", ""));
    let run = succeeds(&project);
    assert_eq!(stage(&run, "evil")["outcome"]["rows-rejected"], 1_001);
    assert_eq!(stage(&run, "evil")["outcome"]["rules"][0]["rows-broken"], 1_001);
    assert_eq!(rows_loaded(&project), 0);
}

/// Rows that a plugin rejects without reason are not lost: they are kept, and a bound ends the run.
#[test]
pub(super) fn reject_all() {
    let project_with = |more| project(&pipeline("mode = 'reject-all'", more));
    let free = project_with("");
    let run = succeeds(&free);
    assert_eq!(stage(&run, "evil")["outcome"]["rows-rejected"], 1_001);
    assert_eq!(rows_loaded(&free), 0);
    let kept = free.sluicebox(&["quarantine", "show", "last", "--format", "json"]).with_code(0).stdout;
    assert!(kept.contains("name-6"), "{kept}");
    let bound = project_with("reject = { at-most = \"5%\" }");
    super::fails(&bound, "threshold", "reject", &["1,001 of 1,001 rows were rejected", "5 %", "reject.at-most"]);
}
