//! Hostility that passes, or that lies in single rows: attempts, and rows set aside.

use super::{OUT, READ, evil, project, rows_loaded, stage, succeeds};
use sluicebox_tests::Project;

fn pipeline(options: &str, more: &str) -> Project {
    project(&format!("{READ}{}{OUT}", evil("evil", options, more)))
}

#[test]
fn a_retry_on_a_fresh_instance_gets_the_same_batch() {
    let attempts = "retry = { attempts = 3, backoff = \"1ms\" }";
    // Of each sort that is worth another try.
    for mode in ["panic", "loop", "exit", "eat-slowly", "make-handles", "fault"] {
        let project = pipeline(&format!("mode = '{mode}', until-attempt = 3"), attempts);
        let run = succeeds(&project);
        assert_eq!(rows_loaded(&project), 1_001, "{mode}");
        assert_eq!(stage(&run, "evil")["outcome"]["retries"], 2, "{mode}");
    }
}

#[test]
fn what_stays_wrong_is_not_tried_again() {
    for options in ["mode = 'fault', kind = 'invalid-data'", "mode = 'mask-short'", "mode = 'promises-more'"] {
        let project = pipeline(options, "retry = { attempts = 3, backoff = \"1ms\" }");
        let run = super::run(&project).with_code(1).json();
        assert_eq!(stage(&run, "evil")["outcome"]["retries"], 0, "{options}");
    }
}

/// When its attempts are spent, the fault is the last one's.
#[test]
fn attempts_end() {
    let project = pipeline("mode = 'panic'", "retry = { attempts = 3, backoff = \"1ms\" }");
    super::fails(&project, "trap", "process", &["evil: a panic in process"]);
    let run = project.sluicebox(&["runs", "show", "last", "--format", "json"]).with_code(0).json();
    assert_eq!(stage(&run, "evil")["outcome"]["retries"], 2);
}

#[test]
fn a_poison_row_is_alone_in_quarantine() {
    let project = pipeline("mode = 'panic-on', column = 'id', value = 617", "on-fault = \"quarantine\"");
    let run = succeeds(&project);
    assert_eq!(rows_loaded(&project), 1_000);
    assert!(!project.read("out/rows.csv").lines().any(|row| row.starts_with("617,")));
    assert_eq!(stage(&run, "evil")["outcome"]["rows-quarantined"], 1);
    let shown = project.sluicebox(&["quarantine", "show", "last"]).with_code(0).stdout;
    assert!(shown.contains("617") && shown.contains("a panic in process"), "{shown}");
}

/// Whatever a row does to the stage, if it may be the row: it is set aside alone, with what happened.
#[test]
fn a_row_that_is_poison_in_any_way_is_alone_in_quarantine() {
    for (bad, kind, said) in [
        ("mode = 'loop'", "timeout", "ran longer than 500ms"),
        ("mode = 'exit', code = 1", "exit", "exit code 1"),
        ("mode = 'eat-slowly'", "memory", "the limit is 48MiB"),
        ("mode = 'make-handles'", "limit", "1000 handles"),
        ("mode = 'mask-short'", "contract", "the mask has 0 bytes"),
        ("mode = 'long-fault', bytes = 3", "internal", "xxx"),
    ] {
        let project = pipeline(&format!("{bad}, column = 'id', value = 17"), "on-fault = \"quarantine\"");
        // Few rows: each call that runs out of time takes half a second.
        let few: String = project.read("data/rows.csv").lines().take(33).map(|row| format!("{row}\n")).collect();
        project.file("data/rows.csv", few);
        let run = succeeds(&project);
        let outcome = &stage(&run, "evil")["outcome"];
        assert_eq!((rows_loaded(&project), &outcome["rows-quarantined"]), (31, &1.into()), "{bad}");
        assert!(!project.read("out/rows.csv").lines().any(|row| row.starts_with("17,")), "{bad}");
        let kept = project.sluicebox(&["quarantine", "show", "last", "--format", "json"]).with_code(0).json();
        let told = kept.to_string();
        assert!(told.contains(said) && told.contains(&format!("\"kind\":\"{kind}\"")), "{bad}: {told}");
    }
}

/// What cannot be the rows is not looked for in them.
#[test]
fn what_is_not_of_the_rows_is_not_quarantined() {
    for (kind, call) in [("invalid-config", "process"), ("denied", "process"), ("unavailable", "process")] {
        let bad = format!("mode = 'fault', kind = '{kind}', column = 'id', value = 17");
        let project = pipeline(&bad, "on-fault = \"quarantine\"");
        super::fails(&project, kind, call, &["evil: a fault, as asked for"]);
        let run = project.sluicebox(&["runs", "show", "last", "--format", "json"]).with_code(0).json();
        assert_eq!(stage(&run, "evil")["outcome"]["rows-quarantined"], 0, "{kind}");
    }
}

/// One batch of 65,536 numbers.
fn of_65536(options: &str) -> Project {
    // With one column they are below the size at which batches are cut.
    let extract = "
[[stage]]
name = \"read\"
plugin = \"evil-extract\"
config = { mode = 'pass', pages = 1, rows = 65536 }

[[stage]]
name = \"narrow\"
plugin = \"transform-select\"
config.keep = [\"number\"]
";
    let more = "on-fault = \"quarantine\"\nparallel = 1\nretry = { attempts = 3, backoff = \"1ms\" }\nlimits = { call = \"10s\" }";
    project(&format!("{extract}{}{OUT}", evil("evil", options, more)))
}

/// Calls of the stage, as the record of the run has them. Each call that ends an instance is followed by an `open` of the
/// next, so there are at most twice as many as calls of `process`, and the first `open` and `finish`.
fn calls(run: &serde_json::Value) -> u64 {
    let outcome = &stage(run, "evil")["outcome"];
    assert_eq!(outcome["batches-in"], 1, "{outcome}");
    outcome["calls"].as_u64().unwrap()
}

#[test]
fn one_poison_row_of_65536() {
    let project = of_65536("mode = 'panic-on', column = 'number', value = 40000");
    let run = succeeds(&project);
    assert_eq!((rows_loaded(&project), &stage(&run, "evil")["outcome"]["rows-quarantined"]), (65_535, &1.into()));
    assert!(!project.read("out/rows.csv").lines().any(|row| row.starts_with("40000,")));
    // 2 log2(65,536) and the attempts.
    let process = 2 * 16 + 3;
    assert!((process..=2 * process + 2).contains(&calls(&run)), "{} calls", calls(&run));
}

/// 655 n + 3: in all parts of the batch. Of the parts that hold one there are no more than 100 on any of the 16 levels.
#[test]
pub(super) fn a_hundred_and_one_scattered_poison_rows_of_65536() {
    let project = of_65536("mode = 'panic-on-every', column = 'number', times = 655");
    let run = succeeds(&project);
    let poison: Vec<u64> = (0..65_536).filter(|number| number % 655 == 3).collect();
    assert_eq!(poison.len(), 101);
    assert_eq!((rows_loaded(&project), &stage(&run, "evil")["outcome"]["rows-quarantined"]), (65_435, &101.into()));
    let csv = project.read("out/rows.csv");
    let mut numbers = csv.lines().skip(1).map(|row| row.split(',').next().unwrap().parse::<u64>().unwrap());
    assert!(numbers.all(|number| number % 655 != 3));
    let process: u64 = (0..16).map(|level| 2 * (1 << level).min(101)).sum::<u64>() + 3;
    assert!(calls(&run) <= 2 * process + 2, "{} calls", calls(&run));
}

/// It is told from one that fails on rows, long before every row was tried.
#[test]
fn a_stage_that_always_dies_fails_fast() {
    let project = of_65536("mode = 'panic'");
    let fault = super::fails(&project, "threshold", "process", &["16 single rows from all over it", "mend the stage"]);
    assert_eq!(fault["rows"].to_string(), "[0,65536]");
    let run = project.sluicebox(&["runs", "show", "last", "--format", "json"]).with_code(0).json();
    assert!(calls(&run) <= 2 * (3 + 64 + 16) + 2, "{} calls", calls(&run));
    assert_eq!(stage(&run, "evil")["outcome"]["rows-quarantined"], 0);
}
