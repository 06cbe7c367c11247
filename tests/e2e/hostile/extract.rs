//! `tests/evil-extract`.

use super::{OUT, evil, is_stopped, project, rows_loaded, stage, succeeds};

fn pipeline(options: &str, more: &str) -> String {
    evil("evil-extract", options, more) + OUT
}

fails! { pipeline:
    panic: "mode = 'panic', on = 3" => "trap" in "next", ["panicked at tests/evil-extract/", "evil: a panic in next, as asked for"];
    loop_in_next: "mode = 'loop', on = 3" => "timeout" in "next", ["ran longer than 500ms", "raise `limits.call`"];
    unavailable: "mode = 'unavailable', on = 3" => "unavailable" in "next", ["evil: not now, as asked for"];
    empty_for_ever: "mode = 'empty-for-ever'" => "limit" in "next", ["pages without rows", "has to answer none at the end"];
    fewer_columns: "mode = 'fewer-columns', on = 3" => "contract" in "next", ["1 column", "2 were promised", "mistake in the plugin"];
    more_columns: "mode = 'more-columns', on = 3" => "contract" in "next", ["3 columns", "2 were promised"];
    other_types: "mode = 'other-types', on = 3" => "contract" in "next", ["`number` of type Utf8", "Int64 was promised"];
    other_names: "mode = 'other-names', on = 3" => "contract" in "next", ["`numbre`", "`number` of type Int64 was promised"];
    nulls: "mode = 'nulls', on = 3" => "contract" in "next", ["`number` has 1000 nulls", "promised that it has none"];
    long_bookmark: "mode = 'long-bookmark', on = 3" => "memory" in "next", ["the limit is 48MiB", "raise `limits.memory`"];
}

refused_by_check! { pipeline:
    panic_in_open: "mode = 'panic-in-open'" => ["cannot be opened", "evil: a panic in open, as asked for"];
    loop_in_open: "mode = 'loop-in-open'" => ["cannot be opened", "ran longer than 500ms"];
}

#[test]
pub(super) fn pass() {
    let project = project(&pipeline("mode = 'pass'", ""));
    succeeds(&project);
    assert_eq!(rows_loaded(&project), 10_000);
}

/// Whatever it says of its progress, its rows are what count.
#[test]
pub(super) fn odd_progress() {
    let project = project(&pipeline("mode = 'odd-progress'", ""));
    let ended = project.sluicebox(&["run", "pipeline.toml"]).with_code(0);
    assert!(!ended.stderr.contains("700") && !ended.stderr.contains("NaN"), "{}", ended.stderr);
    assert_eq!(rows_loaded(&project), 10_000);
}

#[test]
pub(super) fn never_ends_is_stopped() {
    is_stopped(&project(&pipeline("mode = 'never-ends'", "")));
}

/// Each page comes in time; the stage's deadline ends it.
#[test]
pub(super) fn slow() {
    let more = format!("{}\ndeadline = \"1s\"", super::LIMITS);
    let project = project(&pipeline("mode = 'slow', seconds = 0.1", &more));
    super::fails(&project, "deadline", "run", &["took longer than its deadline of 1s", "raise `deadline`"]);
}

/// With memory for it, what crosses is bounded; with room to cross, what is kept is.
#[test]
fn a_long_bookmark_is_stopped_by_each_of_its_limits() {
    let crosses = r#"limits = { memory = "1GiB", transfer = "32MiB" }"#;
    let project_with = |limits| project(&pipeline("mode = 'long-bookmark'", limits));
    super::fails(&project_with(crosses), "limit", "next", &["32MiB", "would cross", "raise `limits.transfer`"]);
    let kept = r#"limits = { memory = "1GiB", transfer = "512MiB" }"#;
    super::fails(&project_with(kept), "contract", "next", &["the bookmark has 67108864 bytes", "room for 1048576"]);
}

/// What is quarantined in a call that then fails does not count.
#[test]
pub(super) fn quarantine_then_panic() {
    let project = project(&pipeline("mode = 'quarantine-then-panic', on = 3", ""));
    super::fails(&project, "trap", "next", &["evil: a panic after quarantine"]);
    let run = project.sluicebox(&["runs", "show", "last", "--format", "json"]).with_code(0).json();
    assert_eq!(stage(&run, "evil")["outcome"]["rows-rejected"], 0);
    let kept = project.sluicebox(&["quarantine", "show", "last", "--format", "json"]).stdout;
    assert!(!kept.contains("so it does not count"), "{kept}");
}

/// A fresh instance goes on behind the last bookmark... or begins again; no row is lost and none comes twice.
#[test]
fn a_retry_loses_no_row_and_repeats_none() {
    for mode in ["panic", "loop", "unavailable", "quarantine-then-panic"] {
        let retry = "retry = { attempts = 3, backoff = \"1ms\" }";
        let project = project(&pipeline(&format!("mode = '{mode}', until-attempt = 3"), retry));
        let run = succeeds(&project);
        assert_eq!(rows_loaded(&project), 10_000, "{mode}");
        assert_eq!(stage(&run, "evil")["outcome"]["rows-rejected"], 0, "{mode}");
    }
}
