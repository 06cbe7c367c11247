//! Hostile guests, a test for each: the run ends with a clear fault and exit 1, nothing is at the target, and the fault
//! names the stage. Options of each guest stand in its crate (`tests/evil*`).

use serde_json::Value;
use sluicebox_tests::{Ended, Project};
use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};

/// 1,000 rows through the hostile transform, with small limits so that the tests are quick.
fn project(options: &str, more: &str) -> Project {
    let project = Project::new();
    let rows: String = (0..1_000).map(|row| format!("{row},name-{},{}.5\n", row % 7, row % 13)).collect();
    project.file("data/rows.csv", format!("id,name,size\n{rows}"));
    project.file("pipeline.toml", pipeline(options, more));
    project
}

fn pipeline(options: &str, more: &str) -> String {
    format!(
        r#"
[pipeline]
name = "hostile"

[[stage]]
name = "read"
plugin = "extract-csv"
grants.read = ["data"]
config = {{ path = "data/rows.csv" }}

[[stage]]
name = "evil"
plugin = "evil"
config = {{ {options} }}
limits = {{ memory = "48MiB", call = "500ms", held = "8MiB", handles = "1000", transfer = "32MiB", log = "64KiB" }}
{more}

[[stage]]
name = "out"
plugin = "load-csv"
grants.write = ["out"]
config = {{ path = "out/rows.csv" }}
"#
    )
    .replace("\"1000\"", "1000")
}

/// Files that somebody could take for results: all but the folders themselves.
fn loaded(project: &Project) -> Vec<String> {
    let Ok(files) = std::fs::read_dir(project.path().join("out")) else { return Vec::new() };
    files.map(|file| file.unwrap().file_name().to_string_lossy().into_owned()).collect()
}

fn run(project: &Project) -> Ended {
    project.sluicebox(&["run", "pipeline.toml", "--format", "json"])
}

/// The fault of a run that failed as it should.
fn fault(project: &Project) -> Value {
    let ended = run(project).with_code(1);
    let run = ended.json();
    assert_eq!(run["state"], "failed", "{run}");
    assert_eq!(loaded(project), Vec::<String>::new(), "nothing stays at the target");
    let fault = run["fault"].clone();
    assert!(fault["message"].as_str().is_some_and(|message| message.len() < 20_000), "{fault}");
    fault
}

/// `name: options => kind, part of the message`; a mode of `tests/evil`.
macro_rules! fails {
    ($($name:ident: $options:literal => $kind:literal, $said:literal;)*) => {$(
        #[test]
        fn $name() {
            let fault = fault(&project($options, ""));
            assert_eq!(fault["kind"], $kind, "{fault}");
            assert_eq!(fault["stage"], "evil", "{fault}");
            let message = fault["message"].as_str().unwrap();
            assert!(message.contains($said), "{message}");
        }
    )*};
}

fails! {
    panic: "mode = 'panic'" => "trap", "evil: a panic in process, as asked for";
    panic_in_finish: "mode = 'panic-in-finish'" => "trap", "evil: a panic in finish, as asked for";
    loop_in_process: "mode = 'loop'" => "timeout", "500";
    loop_in_finish: "mode = 'loop-in-finish'" => "timeout", "500";
    sleep: "mode = 'sleep'" => "timeout", "500";
    recurse: "mode = 'recurse'" => "trap", "stack";
    exit_0: "mode = 'exit', code = 0" => "exit", "0";
    exit_1: "mode = 'exit', code = 1" => "exit", "1";
    abort: "mode = 'abort'" => "trap", "";
    wild_pointer: "mode = 'wild-pointer'" => "trap", "memory";
    eat_slowly: "mode = 'eat-slowly'" => "memory", "48";
    eat_at_once: "mode = 'eat-at-once', bytes = 1000000000" => "memory", "48";
    keep_handles: "mode = 'make-handles'" => "limit", "1000 handles";
    fault_invalid_data: "mode = 'fault', kind = 'invalid-data'" => "invalid-data", "evil: a fault, as asked for";
    fault_internal: "mode = 'fault', kind = 'internal'" => "internal", "evil: a fault, as asked for";
    fault_unavailable: "mode = 'fault', kind = 'unavailable'" => "unavailable", "evil: a fault, as asked for";
    long_fault: "mode = 'long-fault', bytes = 10000000" => "internal", "xxx";
    mask_short: "mode = 'mask-short'" => "invalid-data", "mask";
    mask_long: "mode = 'mask-long'" => "invalid-data", "mask";
    take_past_end: "mode = 'take-past-end'" => "invalid-data", "1000 rows";
    slice_past_end: "mode = 'slice-past-end'" => "invalid-data", "";
    slice_overflow: "mode = 'slice-overflow'" => "invalid-data", "";
    column_past_end: "mode = 'column-past-end'" => "invalid-data", "column";
    select_past_end: "mode = 'select-past-end'" => "invalid-data", "column";
    select_twice: "mode = 'select-twice'" => "invalid-data", "two columns";
    wrong_form: "mode = 'wrong-form'" => "invalid-data", "strings";
    concat_nothing: "mode = 'concat-nothing'" => "invalid-data", "";
    concat_mixed: "mode = 'concat-mixed'" => "invalid-data", "batch 1 has 1 columns";
    zip_self: "mode = 'zip-self'" => "invalid-data", "";
    offsets_first: "mode = 'offsets-first'" => "invalid-data", "offset";
    offsets_fall: "mode = 'offsets-fall'" => "invalid-data", "offset";
    offsets_negative: "mode = 'offsets-negative'" => "invalid-data", "offset";
    offsets_past_data: "mode = 'offsets-past-data'" => "invalid-data", "offset";
    offsets_none: "mode = 'offsets-none'" => "invalid-data", "offset";
    invalid_utf8: "mode = 'invalid-utf8'" => "invalid-data", "UTF-8";
    split_character: "mode = 'split-character'" => "invalid-data", "UTF-8";
    column_short: "mode = 'column-short'" => "invalid-data", "rows";
    column_long: "mode = 'column-long'" => "invalid-data", "rows";
    validity_short: "mode = 'validity-short'" => "invalid-data", "validity";
    validity_long: "mode = 'validity-long'" => "invalid-data", "validity";
    null_in_not_null: "mode = 'null-in-not-null'" => "invalid-data", "null";
    wrong_type: "mode = 'wrong-type'" => "invalid-data", "";
    ragged_bytes: "mode = 'ragged-bytes'" => "invalid-data", "bytes";
    strings_with_validity: "mode = 'strings-with-validity'" => "invalid-data", "validity";
    name_twice: "mode = 'name-twice'" => "invalid-data", "";
    fields_without_columns: "mode = 'fields-without-columns'" => "invalid-data", "column";
    columns_without_fields: "mode = 'columns-without-fields'" => "invalid-data", "column";
    decimal_without_detail: "mode = 'decimal-without-detail'" => "invalid-data", "precision";
    decimal_too_wide: "mode = 'decimal-too-wide'" => "invalid-data", "";
    decimal_overflow: "mode = 'decimal-overflow'" => "invalid-data", "";
    bad_time_zone: "mode = 'bad-time-zone'" => "contract", "Middle/Earth";
    other_with_values: "mode = 'other-with-values'" => "invalid-data", "";
    ipc_empty: "mode = 'ipc-empty'" => "invalid-data", "stream";
    ipc_garbage: "mode = 'ipc-garbage'" => "invalid-data", "stream";
    ipc_truncated: "mode = 'ipc-truncated'" => "invalid-data", "stream";
    promises_more: "mode = 'promises-more'" => "contract", "";
    promises_other_names: "mode = 'promises-other-names'" => "contract", "";
    promises_other_types: "mode = 'promises-other-types'" => "contract", "";
    answers_no_columns: "mode = 'answers-no-columns'" => "contract", "";
    huge_answer: "mode = 'huge-answer', bytes = 40000000" => "memory", "48";
    fault_denied: "mode = 'fault', kind = 'denied'" => "denied", "evil: a fault, as asked for";
    read_file: "mode = 'read-file', path = '/etc/passwd'" => "invalid-config", "grants.read";
    read_file_above: "mode = 'read-file', path = '../../../etc/passwd'" => "invalid-config", "grants.read";
    write_file: "mode = 'write-file', path = 'data/rows.csv'" => "invalid-config", "grants";
    list_folder: "mode = 'list-folder', path = '/'" => "invalid-config", "grants";
}

/// A run that ends well although the guest did its worst: `name: options`.
macro_rules! is_stood {
    ($($name:ident: $options:literal;)*) => {$(
        #[test]
        fn $name() {
            let project = project($options, "");
            let ended = run(&project).with_code(0);
            assert!(ended.stdout.len() < 1_000_000, "{} bytes", ended.stdout.len());
            assert_eq!(project.read("out/rows.csv").lines().count(), 1_001);
            let logs = project.sluicebox(&["logs", "last", "evil"]).with_code(0).stdout;
            assert!(logs.len() < 300_000, "{} bytes of log", logs.len());
        }
    )*};
}

is_stood! {
    pass: "mode = 'pass'";
    // The promise is kept by chance: the data has none.
    promises_no_nulls: "mode = 'promises-no-nulls'";
    flood_log: "mode = 'flood-log', times = 100000";
    flood_stdout: "mode = 'flood-stdout', times = 100000";
    flood_stderr: "mode = 'flood-stderr', times = 100000";
    long_line: "mode = 'long-line', bytes = 10000000";
    many_counters: "mode = 'many-counters', times = 10000";
    long_counter: "mode = 'long-counter', bytes = 10000000";
    ipc_flipped: "mode = 'ipc-flipped'";
    flood_quarantine: "mode = 'flood-quarantine', times = 10000";
}

/// Wrong already when the pipeline is checked: exit 2, before any row moves.
macro_rules! found_by_check {
    ($($name:ident: $options:literal => $said:literal;)*) => {$(
        #[test]
        fn $name() {
            let project = project($options, "");
            let ended = project.sluicebox(&["run", "pipeline.toml"]).with_code(2);
            assert!(ended.stderr.contains($said), "{}", ended.stderr);
            assert_eq!(loaded(&project), Vec::<String>::new());
        }
    )*};
}

found_by_check! {
    panic_in_open: "mode = 'panic-in-open'" => "evil: a panic in open, as asked for";
    loop_in_open: "mode = 'loop-in-open'" => "500";
    fault_in_open: "mode = 'fault-in-open', kind = 'invalid-config'" => "evil: a fault, as asked for";
    promises_name_twice: "mode = 'promises-name-twice'" => "twice";
}

/// Rows enough for several batches.
fn large(options: &str) -> Project {
    let project = project(options, "");
    let rows: String = (0..200_000).map(|row| format!("{row},name-{},{}.5\n", row % 7, row % 13)).collect();
    project.file("data/rows.csv", format!("id,name,size\n{rows}"));
    project
}

#[test]
fn schema_changes() {
    let fault = fault(&large("mode = 'schema-changes'"));
    assert_eq!((&fault["kind"], &fault["stage"]), (&"contract".into(), &"evil".into()), "{fault}");
}

#[test]
fn keep_every_handle() {
    let project = large("mode = 'keep-every-handle'");
    let small = project.read("pipeline.toml").replace("held = \"8MiB\"", "held = \"2MiB\"");
    project.file("pipeline.toml", small);
    let fault = fault(&project);
    assert_eq!((&fault["kind"], &fault["stage"]), (&"limit".into(), &"evil".into()), "{fault}");
}

#[test]
fn answer_many() {
    let project = project("mode = 'answer-many', times = 100", "");
    run(&project).with_code(0);
    assert_eq!(project.read("out/rows.csv").lines().count(), 100_001);
}

#[test]
fn a_guest_that_cannot_describe_itself_is_refused_and_the_others_work() {
    let project = project("mode = 'pass'", "");
    let listed = project.sluicebox(&["plugins", "list"]).with_code(0);
    let all = listed.stdout + &listed.stderr;
    assert!(all.contains("evil-describe") && all.contains("extract-csv"), "{all}");
}

/// A guest that makes rows for ever is stopped by whoever watches it; nothing is loaded.
#[test]
fn never_finishes_is_stopped() {
    let project = project("mode = 'never-finishes'", "");
    let mut command = project.command(&["run", "pipeline.toml"]);
    let mut child = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
    let mut told = BufReader::new(child.stderr.take().unwrap());
    let mut line = String::new();
    while !line.contains("running") {
        line.clear();
        assert!(told.read_line(&mut line).unwrap() > 0, "it ended before it ran");
    }
    let pid = child.id().to_string();
    assert!(Command::new("kill").args(["-INT", &pid]).status().unwrap().success());
    std::io::copy(&mut told, &mut std::io::sink()).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(1));
    assert_eq!(loaded(&project), Vec::<String>::new());
    let run = project.sluicebox(&["runs", "show", "last", "--format", "json"]).with_code(0).json();
    assert_eq!(run["state"], "cancelled");
}

#[test]
fn the_clock_and_randomness_of_a_stage_are_the_runs() {
    let said = |options: &str, interval: &str, more: &str| {
        let project = project(options, more);
        project.sluicebox(&["run", "pipeline.toml", "--interval", interval]).with_code(0);
        let logs = project.sluicebox(&["logs", "last", "evil", "--format", "json"]).with_code(0).stdout;
        logs.lines().find(|line| line.contains("evil: ")).unwrap_or_else(|| panic!("{logs}")).to_owned()
    };
    let at = "2025-01-01T00:00:00Z..2025-01-02T00:00:00Z";
    // The end of the interval, in seconds since 1970.
    assert!(said("mode = 'clock'", at, "").contains("clock 1735776000"));
    assert!(!said("mode = 'clock'", at, "grants.clock = true").contains("clock 1735776000"));
    // Another run, another id: the numbers differ, granted or not.
    assert_ne!(said("mode = 'random'", at, ""), said("mode = 'random'", at, ""));
}

#[test]
fn a_stage_sees_only_the_variables_it_was_granted() {
    let project = project("mode = 'read-environment'", "grants.env = [\"GRANTED\"]");
    let ended: Ended = project
        .command(&["run", "pipeline.toml"])
        .env("GRANTED", "seen-by-the-stage")
        .env("SECRET", "not-to-be-seen")
        .output()
        .unwrap()
        .into();
    ended.with_code(0);
    let logs = project.sluicebox(&["logs", "last", "evil"]).with_code(0).stdout;
    assert!(logs.contains("1 variables") && logs.contains("GRANTED"), "{logs}");
    assert!(!logs.contains("not-to-be-seen"), "{logs}");
}

#[test]
fn a_retry_on_a_fresh_instance_gets_the_same_batch() {
    let project = project("mode = 'panic', until-attempt = 3", "retry = { attempts = 3, backoff = \"1ms\" }");
    let run = run(&project).with_code(0).json();
    assert_eq!(project.read("out/rows.csv").lines().count(), 1_001);
    let evil = run["stages"].as_array().unwrap().iter().find(|stage| stage["name"] == "evil").unwrap();
    assert_eq!(evil["outcome"]["retries"], 2, "{evil}");
}

#[test]
fn a_poison_row_is_alone_in_quarantine() {
    let poison = "mode = 'panic-on', column = 'id', value = 617";
    let project = project(poison, "on-fault = \"quarantine\"");
    let run = run(&project).with_code(0).json();
    let rows = project.read("out/rows.csv");
    assert_eq!(rows.lines().count(), 1_000);
    assert!(!rows.lines().any(|row| row.starts_with("617,")));
    let evil = run["stages"].as_array().unwrap().iter().find(|stage| stage["name"] == "evil").unwrap();
    assert_eq!(evil["outcome"]["rows-quarantined"], 1, "{evil}");
    let shown = project.sluicebox(&["quarantine", "show", "last"]).with_code(0).stdout;
    assert!(shown.contains("617") && shown.contains("a panic in process"), "{shown}");
}

#[test]
fn a_hostile_extract_fails_its_run() {
    for (mode, kind) in [
        ("panic", "trap"),
        ("loop", "timeout"),
        ("unavailable", "unavailable"),
        ("empty-for-ever", "limit"),
        ("fewer-columns", "contract"),
        ("more-columns", "contract"),
        ("other-types", "contract"),
        ("other-names", "contract"),
        ("nulls", "contract"),
        ("long-bookmark", "limit"),
        ("quarantine-then-panic", "trap"),
    ] {
        let project = Project::new();
        project.file(
            "pipeline.toml",
            format!(
                "[pipeline]\nname = 'hostile'\n[[stage]]\nname = 'evil'\nplugin = 'evil-extract'\n\
                 config = {{ mode = '{mode}', on = 3 }}\nlimits = {{ call = '500ms', transfer = '32MiB' }}\n\
                 [[stage]]\nname = 'out'\nplugin = 'load-csv'\ngrants.write = ['out']\nconfig.path = 'out/rows.csv'\n"
            ),
        );
        let fault = fault(&project);
        assert_eq!((&fault["kind"], &fault["stage"]), (&kind.into(), &"evil".into()), "{mode}: {fault}");
    }
}

#[test]
fn a_hostile_load_leaves_nothing_behind() {
    for (mode, kind) in [
        ("panic-in-write", "trap"),
        ("panic-in-prepare", "trap"),
        ("unavailable-in-write", "unavailable"),
        ("unavailable-in-prepare", "unavailable"),
        ("loop-in-prepare", "timeout"),
        ("long-receipt", "limit"),
        ("panic-in-abort", "internal"),
    ] {
        let project = project("mode = 'pass'", "");
        let text = project.read("pipeline.toml")
            + &format!(
                "\n[[stage]]\nname = 'evil-out'\nplugin = 'evil-load'\ninputs = ['evil']\ngrants.write = ['log']\n\
                 config = {{ mode = '{mode}', path = 'log/steps' }}\nlimits = {{ call = '500ms', transfer = '32MiB' }}\n"
            );
        project.file("pipeline.toml", text);
        let fault = fault(&project);
        assert_eq!((&fault["kind"], &fault["stage"]), (&kind.into(), &"evil-out".into()), "{mode}: {fault}");
        assert!(!project.read("log/steps").contains("commit"), "{mode} was committed");
    }
}

#[test]
fn a_hostile_validate_fails_its_run() {
    for (mode, kind) in [
        ("panic", "trap"),
        ("panic-in-finish", "trap"),
        ("loop", "timeout"),
        ("rule-past-end", "contract"),
        ("mask-short", "contract"),
        ("mask-long", "contract"),
        ("finding-twice", "contract"),
        ("outcome-past-end", "contract"),
    ] {
        let project = project("mode = 'pass'", "");
        let text = project
            .read("pipeline.toml")
            .replace("plugin = \"evil\"", "plugin = \"evil-validate\"")
            .replace("'pass'", &format!("'{mode}'"));
        project.file("pipeline.toml", text);
        let fault = fault(&project);
        assert_eq!((&fault["kind"], &fault["stage"]), (&kind.into(), &"evil".into()), "{mode}: {fault}");
    }
}

/// Every mode that the hostile transform has stands in this file.
#[test]
fn every_mode_has_a_test() {
    let project = Project::new();
    let shown = project.sluicebox(&["plugins", "show", "evil", "--format", "json"]).with_code(0).json();
    let text = shown.to_string();
    let here = include_str!("hostile.rs");
    let modes: Vec<&str> = text.split("\"const\":\"").skip(1).filter_map(|rest| rest.split('"').next()).collect();
    assert!(modes.len() > 60, "{modes:?}");
    let missing: Vec<_> = modes.iter().filter(|mode| !here.contains(&format!("'{mode}'"))).collect();
    assert!(missing.is_empty(), "no test for {missing:?}");
}
