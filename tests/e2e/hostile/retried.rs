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
