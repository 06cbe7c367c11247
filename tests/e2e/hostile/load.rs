//! `tests/evil-load`: beside a good load, which has to stay as it was when the hostile one fails. It leaves a line for each
//! step, so that a test sees what was called.

use super::{OUT, READ, evil, loaded, project, rows_loaded, run, stage, succeeds, told};
use sluicebox_tests::Project;

fn pipeline(options: &str, more: &str) -> String {
    let options = format!("path = 'log/steps', {options}");
    let more = format!("inputs = [\"read\"]\ngrants.write = [\"log\"]\n{more}");
    format!("{READ}{OUT}{}", evil("evil-load", &options, &more))
}

/// What was called, without the ids.
fn steps(project: &Project) -> Vec<String> {
    project.read("log/steps").lines().map(|line| line.split(' ').next().unwrap().to_owned()).collect()
}

macro_rules! leaves_nothing {
    ($($name:ident: $options:literal => $kind:literal in $call:literal, [$($said:literal),*], $steps:expr;)*) => {$(
        #[test]
        pub(super) fn $name() {
            let project = project(&pipeline($options, ""));
            super::fails(&project, $kind, $call, &[$($said),*]);
            assert_eq!(steps(&project), $steps, "what was called");
        }
    )*};
}

leaves_nothing! {
    panic_in_write: "mode = 'panic-in-write'" => "trap" in "write", ["evil: a panic in write, as asked for"], ["abort"];
    panic_in_prepare: "mode = 'panic-in-prepare'" => "trap" in "prepare", ["evil: a panic in prepare"], ["prepare", "abort"];
    unavailable_in_write: "mode = 'unavailable-in-write'" => "unavailable" in "write", ["evil: not now"], ["write", "abort"];
    unavailable_in_prepare:
        "mode = 'unavailable-in-prepare'" => "unavailable" in "prepare", ["evil: not now"], ["prepare", "abort"];
    loop_in_prepare: "mode = 'loop-in-prepare'" => "timeout" in "prepare", ["ran longer than 500ms", "raise `limits.call`"], ["prepare", "abort"];
    long_receipt: "mode = 'long-receipt'" => "memory" in "prepare", ["the limit is 48MiB"], ["prepare", "abort"];
    // The fault is that of `prepare`; that nothing could be taken back is logged.
    panic_in_abort: "mode = 'panic-in-abort'" => "internal" in "prepare", ["evil: a fault in prepare, as asked for"], ["prepare", "abort"];
}

refused_by_check! { pipeline:
    panic_in_open: "mode = 'panic-in-open'" => ["cannot be opened", "evil: a panic in open, as asked for"];
}

#[test]
pub(super) fn pass() {
    let project = project(&pipeline("mode = 'pass'", ""));
    succeeds(&project);
    assert_eq!((rows_loaded(&project), steps(&project)), (1_001, vec!["prepare".to_owned(), "commit".to_owned()]));
}

#[test]
fn a_panic_in_abort_is_told_in_the_log() {
    let project = project(&pipeline("mode = 'panic-in-abort'", ""));
    run(&project).with_code(1);
    let log = project.sluicebox(&["logs", "last", "evil"]).with_code(0).stdout;
    assert!(log.contains("could not be taken back") && log.contains("evil: a panic in abort"), "{log}");
}

/// With memory for it, what crosses is bounded; with room to cross, what is kept is.
#[test]
fn a_long_receipt_is_stopped_by_each_of_its_limits() {
    let project_with = |limits| project(&pipeline("mode = 'long-receipt'", limits));
    let crosses = r#"limits = { memory = "1GiB", transfer = "32MiB" }"#;
    super::fails(&project_with(crosses), "limit", "prepare", &["32MiB", "would cross", "raise `limits.transfer`"]);
    let kept = r#"limits = { memory = "1GiB", transfer = "512MiB" }"#;
    super::fails(&project_with(kept), "contract", "prepare", &["the receipt has 67108864 bytes", "room for 1048576"]);
}

#[test]
fn a_receipt_of_1_gb() {
    let options = "mode = 'long-receipt', bytes = 1000000000";
    super::fails(&project(&pipeline(options, "")), "memory", "prepare", &["the limit is 48MiB"]);
    let limits = r#"limits = { memory = "2GiB", call = "60s" }"#;
    let project = project(&pipeline(options, limits));
    super::fails(&project, "limit", "prepare", &["256MiB", "would cross", "raise `limits.transfer`"]);
}

/// Whether a load shows what it prepared nobody but its target knows: it is trusted with its own, and with nothing else.
#[test]
pub(super) fn lies_in_commit() {
    let project = project(&pipeline("mode = 'lies-in-commit'", ""));
    let run = succeeds(&project);
    assert_eq!(
        (rows_loaded(&project), loaded(&project)),
        (1_001, vec!["rows.csv".to_owned()]),
        "the other load is whole"
    );
    assert_eq!(steps(&project), ["prepare"], "it did nothing");
    assert_eq!(stage(&run, "evil")["committed"], true);
}

/// A receipt is given back to the load that made it, and to no other.
#[test]
pub(super) fn forged_receipt() {
    let project = project(&pipeline("mode = 'forged-receipt'", ""));
    succeeds(&project);
    assert_eq!((rows_loaded(&project), loaded(&project)), (1_001, vec!["rows.csv".to_owned()]));
    let log = project.sluicebox(&["logs", "last"]).with_code(0).stdout;
    assert!(log.contains("evil: committed out\\u{1b}[2J"), "{log}");
    super::escapes::are_none(&log);
}

/// A load that was committed cannot be taken back: one that fails in `commit` leaves the run without its last step. The
/// other load is shown, the fault is told, and nothing is taken back.
#[test]
pub(super) fn what_fails_in_commit_is_told_and_stands_in_the_way_of_the_next_run() {
    for (mode, kind, said) in [
        ("mode = 'panic-in-commit'", "trap", "evil: a panic in commit, as asked for"),
        ("mode = 'loop-in-commit'", "timeout", "ran longer than 500ms"),
        ("mode = 'unavailable-in-commit'", "unavailable", "evil: not now, as asked for"),
    ] {
        let project = project(&pipeline(mode, ""));
        let ended = run(&project).with_code(1).json();
        assert_eq!(ended["state"], "crashed", "{mode}");
        let evil = stage(&ended, "evil");
        let fault = &evil["fault"];
        assert_eq!((&fault["kind"], &fault["call"]), (&kind.into(), &"commit".into()), "{mode}: {fault}");
        assert!(told(fault).contains(said), "{mode}: {fault}");
        assert_eq!((&evil["committed"], &stage(&ended, "out")["committed"]), (&false.into(), &true.into()), "{mode}");
        let of_run = &ended["fault"];
        assert_eq!((&of_run["kind"], &of_run["stage"]), (&kind.into(), &"evil".into()), "{mode}: {of_run}");
        assert!(told(of_run).contains(said), "{mode}: {of_run}");
        let help = of_run["help"].as_str().unwrap();
        for word in ["shown are the loads of out", "the next run commits it"] {
            assert!(help.contains(word), "{mode}: `{word}` is not said: {help}");
        }
        assert_eq!((rows_loaded(&project), loaded(&project)), (1_001, vec!["rows.csv".to_owned()]), "{mode}");
        assert_eq!(steps(&project), ["prepare", "commit"], "{mode}: nothing is taken back");
        // What it prepared is older than what a new run would load: the new one waits until that is settled.
        let again = project.sluicebox(&["run", "pipeline.toml"]).with_code(1);
        for word in ["could not commit", "stage `evil`", said, "runs resolve"] {
            assert!(again.stderr.contains(word), "{mode}: `{word}` is not said: {}", again.stderr);
        }
        assert_eq!(steps(&project), ["prepare", "commit", "commit"], "{mode}: tried again, and nothing else began");
    }
}

#[test]
fn a_commit_that_is_unavailable_once_is_tried_again_within_the_run() {
    let retry = "retry = { attempts = 3, backoff = \"1ms\" }";
    let project = project(&pipeline("mode = 'unavailable-in-commit', times = 2", retry));
    succeeds(&project);
    assert_eq!(steps(&project), ["prepare", "commit", "commit", "commit"]);
}

#[test]
fn a_commit_that_is_unavailable_for_a_whole_run_is_finished_by_the_next() {
    let project = project(&pipeline("mode = 'unavailable-in-commit', times = 1", ""));
    run(&project).with_code(1);
    let next = project.sluicebox(&["run", "pipeline.toml"]).with_code(0);
    assert!(next.stderr.contains("it is committed now"), "{}", next.stderr);
    let runs = project.sluicebox(&["runs", "list", "--format", "json"]).with_code(0).stdout;
    assert_eq!(runs.matches("\"succeeded\"").count(), 2, "{runs}");
}

/// A guest that says so is alive: it is asked again, and counts no row twice.
#[test]
fn writes_and_prepares_that_are_unavailable_for_a_while_are_tried_again() {
    let retry = "retry = { attempts = 3, backoff = \"1ms\" }";
    for (mode, tried) in [("mode = 'unavailable-in-write'", "write"), ("mode = 'unavailable-in-prepare'", "prepare")] {
        let project = project(&pipeline(&format!("{mode}, times = 2"), retry));
        let run = succeeds(&project);
        assert_eq!(stage(&run, "evil")["outcome"]["retries"], 2, "{mode}");
        assert_eq!(steps(&project).iter().filter(|step| *step == tried).count(), 3, "{mode}");
        let log = project.sluicebox(&["logs", "last", "evil"]).with_code(0).stdout;
        assert!(log.contains("evil: committed 1001 rows"), "{mode}: {log}");
    }
}
