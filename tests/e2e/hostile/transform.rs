//! `tests/evil`: a transform.

use super::{LIMITS, OUT, READ, evil, is_stopped, project, rows_loaded, stage, succeeds, with_rows};
use serde_json::Value;
use sluicebox_tests::Project;

/// Time enough to do its worst on a busy machine.
const PATIENT: &str = r#"limits = { memory = "48MiB", call = "60s", log = "64KiB" }"#;

fn pipeline(options: &str, more: &str) -> String {
    format!("{READ}{}{OUT}", evil("evil", options, more))
}

fails! { pipeline:
    panic: "mode = 'panic'" => "trap" in "process", ["`sluicebox replay RUN STAGE` runs the call again", "panicked at tests/evil/", "evil: a panic in process, as asked for"];
    panic_on: "mode = 'panic-on', column = 'id', value = 617" => "trap" in "process", ["evil: a panic in process"];
    panic_in_finish: "mode = 'panic-in-finish'" => "trap" in "finish", ["evil: a panic in finish, as asked for"];
    loop_in_process: "mode = 'loop'" => "timeout" in "process", ["ran longer than 500ms", "raise `limits.call`"];
    loop_in_finish: "mode = 'loop-in-finish'" => "timeout" in "finish", ["ran longer than 500ms", "`limits.call`"];
    sleep: "mode = 'sleep'" => "timeout" in "process", ["ran longer than 500ms", "`limits.call`"];
    recurse: "mode = 'recurse'" => "trap" in "process", ["ran out of stack", "1MiB", "raise `limits.stack`"];
    exit_0: "mode = 'exit', code = 0" => "exit" in "process", ["ended itself with exit code 0"];
    exit_1: "mode = 'exit', code = 1" => "exit" in "process", ["ended itself with exit code 1"];
    abort: "mode = 'abort'" => "trap" in "process", ["the stage gave up"];
    wild_pointer: "mode = 'wild-pointer'" => "trap" in "process", ["memory that it does not have"];
    fault_invalid_config: "mode = 'fault', kind = 'invalid-config'" => "invalid-config" in "process", ["evil: a fault"];
    fault_invalid_data: "mode = 'fault', kind = 'invalid-data'" => "invalid-data" in "process", ["evil: a fault"];
    fault_internal: "mode = 'fault', kind = 'internal'" => "internal" in "process", ["evil: a fault, as asked for"];
    fault_unavailable: "mode = 'fault', kind = 'unavailable'" => "unavailable" in "process", ["evil: a fault"];
    fault_denied: "mode = 'fault', kind = 'denied'" => "denied" in "process", ["evil: a fault, as asked for"];
    long_fault: "mode = 'long-fault', bytes = 10000000" => "internal" in "process", ["xxx"];
    fault_like_ours: "mode = 'fault-like-ours'" => "unavailable" in "process", ["the stage misused `take`: it needed 5GiB"];
    tiny_calls_for_ever: "mode = 'tiny-calls', times = 1000000000000" => "timeout" in "process", ["ran longer than 500ms", "raise `limits.call`"];
    small_batches_for_ever: "mode = 'small-batches', times = 10000000" => "timeout" in "process", ["ran longer than 500ms", "raise `limits.call`"];

    eat_slowly: "mode = 'eat-slowly'" => "memory" in "process", ["needed 48.", "the limit is 48MiB", "raise `limits.memory`"];
    eat_at_once: "mode = 'eat-at-once', bytes = 1000000000" => "memory" in "process", ["needed 95", "the limit is 48MiB"];
    huge_answer: "mode = 'huge-answer', bytes = 40000000" => "memory" in "process", ["the limit is 48MiB"];
    make_handles: "mode = 'make-handles'" => "limit" in "process", ["1000 handles", "raise `limits.handles`"];

    take_many: "mode = 'take-many', times = 1000000" => "limit" in "process", ["would hold", "the limit is 8MiB", "raise `limits.held`"];
    rows_without_columns: "mode = 'rows-without-columns'" => "contract" in "process", ["a batch without columns has at most 16777216 rows"];
    long_name: "mode = 'long-name', bytes = 10000000" => "contract" in "process", ["the name of column 0 has 10000000 bytes", "room for 65536"];
    decimal_width: "mode = 'decimal-width'" => "contract" in "process", ["the stage misused `", "mistake in the plugin", "24 bytes", "no multiple of 16"];
    ipc_trailing: "mode = 'ipc-trailing'" => "contract" in "process", ["goes on for 64 bytes behind its end"];
    ipc_rows: "mode = 'ipc-rows'" => "contract" in "process", ["1000000000 rows", "do not hold"];

    mask_short: "mode = 'mask-short'" => "contract" in "process", ["the stage misused `", "mistake in the plugin", "the mask has 125 bytes", "1001 rows", "126"];
    mask_long: "mode = 'mask-long'" => "contract" in "process", ["the stage misused `", "mistake in the plugin", "the mask has 134 bytes", "1001 rows", "126"];
    take_past_end: "mode = 'take-past-end'" => "contract" in "process", ["the stage misused `take`: ", "mistake in the plugin", "row 4294967295 does not exist", "1001 rows"];
    slice_past_end: "mode = 'slice-past-end'" => "contract" in "process", ["the stage misused `", "mistake in the plugin", "pass the end", "1001 rows"];
    slice_overflow: "mode = 'slice-overflow'" => "contract" in "process", ["the stage misused `", "mistake in the plugin", "pass the end", "1001 rows"];
    column_past_end: "mode = 'column-past-end'" => "contract" in "process", ["the stage misused `", "mistake in the plugin", "column 4294967295 does not exist", "3 columns"];
    select_past_end: "mode = 'select-past-end'" => "contract" in "process", ["the stage misused `", "mistake in the plugin", "column 4294967295 does not exist", "3 columns"];
    select_twice: "mode = 'select-twice'" => "contract" in "process", ["the stage misused `", "mistake in the plugin", "two columns are named `forged`"];
    wrong_form: "mode = 'wrong-form'" => "contract" in "process", ["the stage misused `", "mistake in the plugin", "Int64", "no form `strings`"];
    concat_nothing: "mode = 'concat-nothing'" => "contract" in "process", ["the stage misused `", "mistake in the plugin", "no batch to concatenate"];
    concat_mixed: "mode = 'concat-mixed'" => "contract" in "process", ["the stage misused `", "mistake in the plugin", "batch 1 has 1 column", "the first has 3"];
    zip_self: "mode = 'zip-self'" => "contract" in "process", ["the stage misused `", "mistake in the plugin", "two columns are named `id`"];
    offsets_first: "mode = 'offsets-first'" => "contract" in "process", ["the stage misused `", "mistake in the plugin", "column `forged`", "do not start at 0"];
    offsets_fall: "mode = 'offsets-fall'" => "contract" in "process", ["the stage misused `", "mistake in the plugin", "column `forged`", "do not rise"];
    offsets_negative: "mode = 'offsets-negative'" => "contract" in "process", ["the stage misused `", "mistake in the plugin", "column `forged`", "offsets"];
    offsets_past_data: "mode = 'offsets-past-data'" => "contract" in "process", ["the stage misused `", "mistake in the plugin", "column `forged`", "pass the 2 bytes"];
    offsets_none: "mode = 'offsets-none'" => "contract" in "process", ["the stage misused `", "mistake in the plugin", "column `forged` has no offsets"];
    invalid_utf8: "mode = 'invalid-utf8'" => "contract" in "process", ["the stage misused `", "mistake in the plugin", "column `forged`", "not UTF-8 in row "];
    split_character: "mode = 'split-character'" => "contract" in "process", ["the stage misused `", "mistake in the plugin", "column `forged`", "not UTF-8 in row "];
    column_short: "mode = 'column-short'" => "contract" in "process", ["the stage misused `", "mistake in the plugin", "column `forged` has 1000 rows", "1001"];
    column_long: "mode = 'column-long'" => "contract" in "process", ["the stage misused `", "mistake in the plugin", "column `forged` has 1002 rows", "1001"];
    rows_inflated: "mode = 'rows-inflated'" => "contract" in "process", ["the stage misused `", "mistake in the plugin", "column `forged` has 2 rows", "4294967295"];
    validity_short: "mode = 'validity-short'" => "contract" in "process", ["the stage misused `", "mistake in the plugin", "validity of column `forged` has 0 bytes"];
    validity_long: "mode = 'validity-long'" => "contract" in "process", ["the stage misused `", "mistake in the plugin", "validity of column `forged` has 100 bytes"];
    null_in_not_null: "mode = 'null-in-not-null'" => "contract" in "process", ["the stage misused `", "mistake in the plugin", "column `forged` has 1 null", "has none"];
    wrong_type: "mode = 'wrong-type'" => "contract" in "process", ["the stage misused `", "mistake in the plugin", "column `forged` is of type Utf8", "`int64`"];
    ragged_bytes: "mode = 'ragged-bytes'" => "contract" in "process", ["the stage misused `", "mistake in the plugin", "15 bytes", "no multiple of 8"];
    strings_with_validity: "mode = 'strings-with-validity'" => "contract" in "process", ["the stage misused `", "mistake in the plugin", "validity beside `strings`"];
    name_twice: "mode = 'name-twice'" => "contract" in "process", ["the stage misused `", "mistake in the plugin", "two columns are named `forged`"];
    fields_without_columns: "mode = 'fields-without-columns'" => "contract" in "process", ["the stage misused `", "mistake in the plugin", "schema has 1 column", "0 were given"];
    columns_without_fields: "mode = 'columns-without-fields'" => "contract" in "process", ["the stage misused `", "mistake in the plugin", "schema has 0 columns", "1 were given"];
    decimal_without_detail: "mode = 'decimal-without-detail'" => "contract" in "process", ["the stage misused `", "mistake in the plugin", "`precision,scale`", "`10,2`"];
    decimal_too_wide: "mode = 'decimal-too-wide'" => "contract" in "process", ["the stage misused `", "mistake in the plugin", "column `forged`", "200"];
    decimal_overflow: "mode = 'decimal-overflow'" => "contract" in "process", ["the stage misused `", "mistake in the plugin", "column `forged`", "too large", "precision 3"];
    other_with_values: "mode = 'other-with-values'" => "contract" in "process", ["the stage misused `", "mistake in the plugin", "column `forged`", "`from-ipc`"];
    ipc_empty: "mode = 'ipc-empty'" => "contract" in "process", ["the stage misused `", "mistake in the plugin", "the stream has no record batch"];
    ipc_garbage: "mode = 'ipc-garbage'" => "contract" in "process", ["the stage misused `", "mistake in the plugin", "stream"];
    ipc_truncated: "mode = 'ipc-truncated'" => "contract" in "process", ["the stage misused `", "mistake in the plugin", "the stream ends within a message"];

    // The host does not know every name of a zone; it sees that the column was not promised.
    bad_time_zone: "mode = 'bad-time-zone'" => "contract" in "process", ["Middle/Earth", "promised by `open`"];
    promises_more: "mode = 'promises-more'" => "contract" in "process", ["3 columns, but 4 were promised", "mistake in the plugin"];
    promises_other_names: "mode = 'promises-other-names'" => "contract" in "process", ["is `id`", "but `idx`", "promised by `open`"];
    promises_other_types: "mode = 'promises-other-types'" => "contract" in "process", ["Int64", "Boolean", "promised by `open`"];
    answers_no_columns: "mode = 'answers-no-columns'" => "contract" in "process", ["0 columns, but 3 were promised"];

    read_file: "mode = 'read-file', path = '/etc/passwd'" => "denied" in "process", ["/etc/passwd: ", "grants.read"];
    read_file_above: "mode = 'read-file', path = '../../../etc/passwd'" => "denied" in "process", ["grants.read"];
    write_file: "mode = 'write-file', path = 'data/rows.csv'" => "denied" in "process", ["data/rows.csv: ", "grants.write"];
    list_folder: "mode = 'list-folder', path = '/'" => "denied" in "process", ["grants.read"];
}

refused_by_check! { pipeline:
    panic_in_open: "mode = 'panic-in-open'" => ["cannot be opened", "evil: a panic in open, as asked for"];
    loop_in_open: "mode = 'loop-in-open'" => ["cannot be opened", "ran longer than 500ms", "raise `limits.call`"];
    fault_in_open: "mode = 'fault-in-open', kind = 'invalid-config'" => ["evil: a fault, as asked for"];
    promises_deep: "mode = 'promises-deep', times = 100000" => ["column `forged`", "nested more than 64 deep", "mistake in the plugin"];
    promises_name_twice: "mode = 'promises-name-twice'" => ["two columns are named `id`", "mistake in the plugin"];
}

/// A run that ends well although the guest did its worst: `name: options`.
macro_rules! is_stood {
    ($($name:ident: $options:literal;)*) => {$(
        #[test]
        pub(super) fn $name() {
            let project = project(&pipeline($options, PATIENT));
            succeeds(&project);
            assert_eq!(rows_loaded(&project), 1_001);
            assert!(logged(&project).iter().all(|line| !line.starts_with("log cut")));
        }
    )*};
}

/// The messages of the log of the stage.
fn logged(project: &Project) -> Vec<String> {
    let logs = project.sluicebox(&["logs", "last", "evil", "--format", "json"]).with_code(0).json();
    let message = |line: &Value| line["message"].as_str().unwrap().to_owned();
    logs["lines"].as_array().unwrap().iter().map(message).collect()
}

/// A guest that says much ends well; what it said at first is kept up to `limits.log`, and that the rest is not is told once.
fn is_cut(options: &str) {
    let project = project(&pipeline(options, PATIENT));
    succeeds(&project);
    assert_eq!(rows_loaded(&project), 1_001);
    let lines = logged(&project);
    let (told, said): (Vec<&String>, Vec<&String>) = lines.iter().partition(|line| line.starts_with("log cut"));
    assert_eq!(told, ["log cut: the stage logged more than 64KiB; raise `limits.log` to keep more"]);
    assert_eq!(said[0], "evil: line 0 of many that nobody asked for");
    let bytes: usize = said.iter().map(|line| line.len() + 1).sum();
    assert!((60 * 1024..=64 * 1024).contains(&bytes), "{bytes} bytes of log");
}

#[test]
pub(super) fn flood_log() {
    is_cut("mode = 'flood-log', times = 100000");
}

#[test]
pub(super) fn flood_stdout() {
    is_cut("mode = 'flood-stdout', times = 100000");
}

#[test]
pub(super) fn flood_stderr() {
    is_cut("mode = 'flood-stderr', times = 100000");
}

/// A line of 10 MB is cut by itself.
#[test]
pub(super) fn long_line() {
    let project = project(&pipeline("mode = 'long-line', bytes = 10000000", PATIENT));
    succeeds(&project);
    assert_eq!(logged(&project), [format!("{}…", "x".repeat(8 * 1024))]);
}

/// So is the name of a counter.
#[test]
pub(super) fn long_counter() {
    let project = project(&pipeline("mode = 'long-counter', bytes = 10000000", PATIENT));
    let run = succeeds(&project);
    let counts = stage(&run, "evil")["outcome"]["counts"].as_object().unwrap();
    let names: Vec<_> = counts.keys().filter(|name| name.starts_with('x')).collect();
    assert_eq!(names, [&format!("{}…", "x".repeat(256))]);
}

is_stood! {
    pass: "mode = 'pass'";
    // The promise is kept by chance: the data has none.
    promises_no_nulls: "mode = 'promises-no-nulls'";
    many_counters: "mode = 'many-counters', times = 10000";
    ipc_flipped: "mode = 'ipc-flipped'";
    tiny_calls: "mode = 'tiny-calls', times = 1000000";
    small_batches: "mode = 'small-batches', times = 200000";
    many_empty_texts: "mode = 'many-empty-texts', times = 1000000";
}

/// What it sets aside counts, and is kept.
#[test]
pub(super) fn flood_quarantine() {
    let project = project(&pipeline("mode = 'flood-quarantine', times = 10000", ""));
    let run = succeeds(&project);
    assert_eq!(stage(&run, "evil")["outcome"]["rows-rejected"], 10_000);
    assert_eq!(rows_loaded(&project), 1_001);
}

/// With memory for them, it is the host that refuses.
#[test]
pub(super) fn many_columns() {
    let little = project(&pipeline("mode = 'many-columns', times = 1000000", ""));
    super::fails(&little, "memory", "process", &["the limit is 48MiB"]);
    let limits = r#"limits = { memory = "1GiB" }"#;
    let project = project(&pipeline("mode = 'many-columns', times = 200000", limits));
    super::fails(&project, "contract", "process", &["more than 100000 columns", "mistake in the plugin"]);
}

/// With memory for it, what crosses is bounded.
#[test]
fn texts_of_200_mb() {
    let limits = r#"limits = { memory = "1GiB", transfer = "64MiB", call = "60s" }"#;
    for mode in ["huge-answer", "long-line", "long-counter", "long-fault"] {
        let project = project(&pipeline(&format!("mode = '{mode}', bytes = 200000000"), limits));
        super::fails(&project, "limit", "process", &["64MiB", "would cross", "raise `limits.transfer`"]);
    }
}

/// A fault of 100 MB that may cross is cut as it is kept.
#[test]
fn a_fault_of_100_mb() {
    let limits = r#"limits = { memory = "1GiB", transfer = "512MiB", call = "60s" }"#;
    let project = project(&pipeline("mode = 'long-fault', bytes = 100000000", limits));
    super::fails(&project, "internal", "process", &["xxx…"]);
    let store = std::fs::metadata(project.path().join(".sluicebox/store.sqlite")).unwrap().len();
    assert!(store < 5_000_000, "{store} bytes in the store");
}

/// A counter stays at the most that it can be, and does not begin anew.
#[test]
pub(super) fn counter_overflow() {
    let project = project(&pipeline("mode = 'counter-overflow'", ""));
    let run = succeeds(&project);
    assert_eq!(stage(&run, "evil")["outcome"]["counts"]["evil"], u64::MAX);
}

/// Ten thousand counters of each of many instances: the stage keeps a thousand.
#[test]
fn counters_of_all_instances_are_bounded() {
    let project = project(&pipeline("mode = 'many-counters', times = 10000", ""));
    let run = succeeds(&project);
    assert_eq!(stage(&run, "evil")["outcome"]["counts"].as_object().unwrap().len(), 1_000);
}

/// What a guest says is told as what a guest says: its kind is that of a panic, and its help is the host's.
#[test]
pub(super) fn panic_like_ours() {
    let project = project(&pipeline("mode = 'panic-like-ours'", ""));
    let fault = super::fails(&project, "trap", "process", &["the stage panicked at tests/evil/"]);
    assert!(fault["message"].as_str().unwrap().starts_with("the stage panicked at "), "{fault}");
    assert!(fault["help"].as_str().unwrap().contains("sluicebox replay"), "{fault}");
}

/// Each call is well below its limit; the stage's deadline ends it.
#[test]
pub(super) fn slow() {
    let more = format!("{LIMITS}\ndeadline = \"1s\"\nparallel = 1");
    let read = READ.replace("extract-csv", "evil-extract").replace("grants.read = [\"data\"]\n", "");
    let read = read.replace("{ path = \"data/rows.csv\" }", "{ mode = 'pass', rows = 100000, pages = 100 }");
    let project = project(&format!("{read}{}{OUT}", evil("evil", "mode = 'slow', seconds = 0.1", &more)));
    super::fails(&project, "deadline", "run", &["took longer than its deadline of 1s", "raise `deadline`"]);
}

/// A promise that the data breaks.
#[test]
fn promises_no_nulls_and_there_are_some() {
    let project = project(&pipeline("mode = 'promises-no-nulls'", ""));
    project.file("data/rows.csv", project.read("data/rows.csv") + "1001,,1.5\n");
    super::fails(&project, "contract", "process", &["column `name` has 1 null", "promised that it has none"]);
}

#[test]
fn a_fault_names_the_batch_and_its_rows() {
    let project = project(&pipeline("mode = 'fault', kind = 'invalid-data'", ""));
    let fault = super::fails(&project, "invalid-data", "process", &[]);
    assert_eq!((&fault["batch"], fault["rows"].to_string().as_str()), (&0.into(), "[0,1]"), "the row that it named");
    let project = with_rows(&pipeline("mode = 'panic', on = 1", &format!("{LIMITS}\nparallel = 1")), 200_000);
    let fault = super::fails(&project, "trap", "process", &[]);
    let rows: Vec<u64> = fault["rows"].as_array().unwrap().iter().map(|row| row.as_u64().unwrap()).collect();
    assert_eq!(fault["batch"], 1);
    assert!(rows[0] > 0 && rows[0] < rows[1] && rows[1] <= 200_000, "of the second batch: {fault}");
}

#[test]
fn a_trap_has_the_guests_own_backtrace() {
    let fault = super::fails(&project(&pipeline("mode = 'panic'", "")), "trap", "process", &[]);
    assert!(fault["backtrace"].as_str().is_some_and(|trace| trace.contains("evil")), "{fault}");
}

#[test]
pub(super) fn schema_changes() {
    let project = with_rows(&pipeline("mode = 'schema-changes'", ""), 200_000);
    super::fails(&project, "contract", "process", &["4 columns, but 3 were promised", "mistake in the plugin"]);
}

#[test]
pub(super) fn keep_every_handle() {
    let limits = r#"limits = { held = "2MiB" }"#;
    let project = with_rows(&pipeline("mode = 'keep-every-handle'", limits), 200_000);
    super::fails(&project, "limit", "process", &["would hold", "of batches; the limit is 2MiB", "raise `limits.held`"]);
}

#[test]
pub(super) fn answer_many() {
    let project = project(&pipeline("mode = 'answer-many', times = 100", ""));
    succeeds(&project);
    assert_eq!(rows_loaded(&project), 100_100);
}

#[test]
pub(super) fn never_finishes_is_stopped() {
    is_stopped(&project(&pipeline("mode = 'never-finishes'", "")));
}

/// What the terminal shows is what the record says.
#[test]
fn the_fault_stands_in_the_answer_for_people() {
    let project = project(&pipeline("mode = 'eat-slowly'", ""));
    let told = project.sluicebox(&["run", "pipeline.toml"]).with_code(1);
    let all = told.stdout + &told.stderr;
    for word in
        ["hostile failed", "nothing was loaded", "stage `evil`", "memory in `process`", "batch 0", "limits.memory"]
    {
        assert!(all.contains(word), "`{word}` is not said: {all}");
    }
    let shown = project.sluicebox(&["runs", "show", "last"]).with_code(0).stdout;
    assert!(shown.contains("the limit is 48MiB"), "{shown}");
}
