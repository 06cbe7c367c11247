//! The call that failed, made again.

use crate::hostile::{OUT, READ, evil, project};
use serde_json::Value;
use sluicebox_tests::{Ended, Project, python};

/// A price that is none in row 321.
const PIPELINE: &str = r#"
[pipeline]
name = "orders"

[[stage]]
name = "read"
plugin = "extract-csv"
grants.read = ["in"]
config = { path = "in/orders.csv" }

[[stage]]
name = "price"
plugin = "transform-select"
config.columns = { half = "cast(price as int64) / 2" }

[[stage]]
name = "out"
plugin = "load-csv"
grants.write = ["out"]
config = { path = "out/orders.csv" }
"#;

fn orders() -> Project {
    let project = Project::new();
    let rows: Vec<String> =
        (0..500).map(|id| if id == 321 { format!("{id},cheap") } else { format!("{id},{id}") }).collect();
    project.file("orders.toml", PIPELINE).file("in/orders.csv", format!("id,price\n{}\n", rows.join("\n")));
    project
}

/// A stage of a plugin of the tests that makes rows, and a load.
fn from_extract(options: &str) -> Project {
    project(&format!("{}{OUT}", evil("evil-extract", options, "")))
}

fn in_transform(options: &str, more: &str) -> Project {
    project(&format!("{READ}{}{OUT}", evil("evil", options, more)))
}

/// Runs what has to fail; answers with the fault of the run and the replay of the call, as JSON and for people.
#[track_caller]
fn fails_again(project: &Project, call: &str) -> (Value, Value, String) {
    let run = project.sluicebox(&["run", "pipeline.toml", "--format", "json"]).with_code(1).json();
    let fault = run["fault"].clone();
    assert_eq!((fault["stage"].as_str(), fault["call"].as_str()), (Some("evil"), Some(call)), "{run}");
    let again = project.sluicebox(&["replay", "last", "--format", "json"]).with_code(1).json();
    assert_eq!((again["call"].as_str(), again["same"].as_bool()), (Some(call), Some(true)), "{again}");
    assert_eq!(again["fault"]["message"], fault["message"], "{again}");
    let text = project.sluicebox(&["replay", "last", "evil"]).with_code(1).stdout;
    assert!(text.contains(&format!("`{call}` of stage `evil`")), "{text}");
    assert!(text.contains("it failed as it did in the run"), "{text}");
    (fault, again, text)
}

#[test]
fn the_call_that_failed_is_made_again_and_its_rows_are_written() {
    let project = orders();
    let run = project.sluicebox(&["run", "orders.toml", "--format", "json"]).with_code(1).json();
    assert_eq!(run["fault"]["stage"], "price", "{run}");
    let again = project.sluicebox(&["replay", "last", "--rows", "bad.csv"]).with_code(1);
    assert!(again.stdout.contains("`process` of stage `price` with 500 rows, on a fresh instance"), "{}", again.stdout);
    assert!(again.stdout.contains("it failed as it did in the run"), "{}", again.stdout);
    assert!(again.stdout.contains(run["fault"]["message"].as_str().unwrap()), "{}", again.stdout);
    assert_eq!(project.read("bad.csv").lines().count(), 501);
    assert!(project.read("bad.csv").contains("321,cheap"));
    let json = project.sluicebox(&["replay", "last", "price", "--format", "json"]).with_code(1).json();
    assert_eq!(
        (json["same"].as_bool(), json["rows"].as_u64(), json["call"].as_str()),
        (Some(true), Some(500), Some("process"))
    );

    // A name that no load writes, a stage that failed in no call, and one that is none.
    let name = project.sluicebox(&["replay", "last", "--rows", "bad.xlsx"]).with_code(2);
    assert!(name.stderr.contains("let it end in .csv, .jsonl or .parquet"), "{}", name.stderr);
    let none = project.sluicebox(&["replay", "last", "read"]).with_code(2);
    assert!(none.stderr.contains("no call of stage `read` is kept"), "{}", none.stderr);
    let wrong = project.sluicebox(&["replay", "last", "prise"]).with_code(2);
    assert!(wrong.stderr.contains("did you mean `price`?"), "{}", wrong.stderr);
}

#[test]
fn rows_are_written_in_each_format() {
    let project = orders();
    project.sluicebox(&["run", "orders.toml"]).with_code(1);
    for file in ["deep.csv", "deep.jsonl", "deep.parquet"] {
        let told = project.sluicebox(&["replay", "last", "--rows", file]).with_code(1).stdout;
        assert!(told.contains(&format!("the rows are in {file}")), "{told}");
    }
    assert_eq!(project.read("deep.csv").lines().nth(322), Some("321,cheap"));
    let lines = project.read("deep.jsonl");
    let row: Value = serde_json::from_str(lines.lines().nth(321).unwrap()).unwrap();
    assert_eq!((row["id"].as_i64(), row["price"].as_str()), (Some(321), Some("cheap")));
    assert_eq!(lines.lines().count(), 500);
    let script = "import pyarrow.parquet as p, sys; t = p.read_table(sys.argv[1]); \
                  print(t.num_rows, t.column_names, t.column('price')[321].as_py(), t.column('id')[499].as_py())";
    let read = python(script, &[project.path().join("deep.parquet").to_str().unwrap()]);
    assert_eq!(read, "500 ['id', 'price'] cheap 499");
    assert!(!project.has(".sluicebox/deep.csv"));
}

#[test]
fn a_page_is_asked_for_again_from_the_start() {
    let project = from_extract("mode = 'panic', on = 4, pages = 9");
    let (_, again, text) = fails_again(&project, "next");
    assert_eq!((again["calls-before"].as_u64(), again["rows"].as_u64()), (Some(4), None), "{again}");
    assert!(text.contains("repeated from the start of the source: 4 calls of `next` before it"), "{text}");
    assert!(again["fault"]["message"].as_str().unwrap().contains("a panic in next"), "{again}");
    let rows = project.sluicebox(&["replay", "last", "--rows", "rows.csv"]).with_code(2).stderr;
    assert!(rows.contains("`next` of stage `evil` is given no rows"), "{rows}");
}

#[test]
pub(crate) fn an_open_that_failed_is_made_again() {
    let more = "grants.write = ['out']\nlimits = { call = \"10s\" }";
    // A first run checks twice, and opens each stage in each check.
    let project = in_transform("mode = 'panic-in-open-again', path = 'out/opened', times = 2", more);
    std::fs::create_dir(project.path().join("out")).unwrap();
    let (_, again, _) = fails_again(&project, "open");
    assert_eq!(again["batches-before"], 0, "{again}");
}

#[test]
fn the_end_of_a_stage_is_made_again() {
    let (_, _, text) = fails_again(&in_transform("mode = 'panic-in-finish'", ""), "finish");
    assert!(text.contains("a panic in finish"), "{text}");
    let validate = evil("evil-validate", "mode = 'panic-in-finish'", "");
    fails_again(&project(&format!("{READ}{validate}{OUT}")), "finish");
}

/// A load says how many rows it was given: it has to be given them again.
#[test]
fn what_a_load_was_given_is_given_again_from_the_checkpoint() {
    let load = evil("evil-load", "mode = 'panic-in-prepare', path = 'calls'", "grants.write = ['.']");
    let project = project(&format!("{READ}{load}"));
    let (fault, again, text) = fails_again(&project, "prepare");
    assert!(fault["message"].as_str().unwrap().contains("after 1001 rows"), "{fault}");
    assert_eq!((again["batches-before"].as_u64(), again["batches-lost"].as_u64()), (Some(1), Some(0)), "{again}");
    assert!(text.contains("rebuilt: 1 batch before it, from the checkpoints"), "{text}");
    // It was taken back, under an id of its own.
    let calls = project.read("calls");
    assert!(calls.lines().last().unwrap().starts_with("abort replay-"), "{calls}");
}

#[test]
fn what_is_not_kept_is_said() {
    let pass = "\n[[stage]]\nname = \"pass\"\nplugin = \"transform-select\"\nconfig.columns = { one = \"1\" }\n";
    let load = evil("evil-load", "mode = 'panic-in-prepare'", "grants.write = ['.']");
    let project = project(&format!("{READ}{pass}{load}"));
    project.sluicebox(&["run", "pipeline.toml"]).with_code(1);
    let again = project.sluicebox(&["replay", "last"]).with_code(1).stdout;
    assert!(again.contains("it begins without what the stage kept of 1 batch before it"), "{again}");
    assert!(again.contains("`checkpoint = true` at stage `pass` keeps it"), "{again}");
    assert!(again.contains("a panic in prepare after 0 rows"), "{again}");
    assert!(again.contains("it failed, but not as it did in the run"), "{again}");
}

#[test]
fn a_commit_is_not_made_for_a_look() {
    let load = evil("evil-load", "mode = 'panic-in-commit'", "grants.write = ['.']");
    let project = project(&format!("{READ}{load}"));
    project.sluicebox(&["run", "pipeline.toml"]).with_code(1);
    let told = project.sluicebox(&["replay", "last"]).with_code(2).stderr;
    assert!(told.contains("`commit` of stage `evil` is not made again for a look"), "{told}");
    assert!(told.contains("resolve") && told.contains("commit` makes it again, for good"), "{told}");
}

#[test]
pub(crate) fn the_clock_and_randomness_are_those_of_the_call() {
    for options in ["mode = 'fault-stamp'", "mode = 'fault-stamp-in-finish'"] {
        let project = in_transform(options, "");
        let run = project.sluicebox(&["run", "pipeline.toml", "--format", "json"]).with_code(1).json();
        let first = project.sluicebox(&["replay", "last", "--format", "json"]).with_code(1).json();
        let second = project.sluicebox(&["replay", "last", "--format", "json"]).with_code(1).json();
        assert_eq!(first["same"], true, "{first}");
        assert_eq!((&first["fault"], &first["log"]), (&second["fault"], &second["log"]));
        let (message, told) = (&run["fault"]["message"], &first["fault"]["message"]);
        assert_eq!(message, told);
        assert_eq!(run["fault"]["kind"], first["fault"]["kind"]);
    }
    // What a stage is granted is another thing each time.
    let project = in_transform("mode = 'fault-stamp'", "grants.random = true\ngrants.clock = true");
    project.sluicebox(&["run", "pipeline.toml"]).with_code(1);
    let again = project.sluicebox(&["replay", "last", "--format", "json"]).with_code(1).json();
    assert_eq!(again["same"], false, "{again}");
}

#[test]
pub(crate) fn two_runs_for_one_interval_make_the_same_bytes() {
    let made = |project: &Project, interval: &str| {
        project.sluicebox(&["run", "pipeline.toml", "--interval", interval]).with_code(0);
        std::fs::read(project.path().join("out/rows.csv")).unwrap()
    };
    let stages = format!("{READ}{}{OUT}", evil("evil", "mode = 'stamp'", "parallel = 4"));
    // Several batches on several instances.
    let one = crate::hostile::with_rows(&stages, 200_000);
    let first = made(&one, "2026-01-01..2026-01-02");
    let again = made(&one, "2026-01-01..2026-01-02");
    assert!(first == again, "the same interval, other bytes");
    let other = made(&one, "2026-01-02..2026-01-03");
    assert!(first != other, "another interval, the same bytes");
    assert_eq!(first.iter().filter(|byte| **byte == b'\n').count(), 200_001);
}

#[test]
pub(crate) fn what_stages_warn_of_is_told_with_the_outcome() {
    let project = in_transform("mode = 'warn'", "");
    let run = project.sluicebox(&["run", "pipeline.toml"]).with_code(0).stdout;
    let show = project.sluicebox(&["runs", "show", "last"]).with_code(0).stdout;
    for told in [&run, &show] {
        assert!(told.contains("logged by stages: 8 warnings and 1 error, the first 5"), "{told}");
        assert!(told.contains("warn  evil: evil: warning 4"), "{told}");
        assert!(!told.contains("warning 5") && !told.contains("nothing to see"), "{told}");
        assert!(!told.contains('\u{1b}') && !told.contains('\u{7}'), "{told}");
        assert!(told.contains("[31mred"), "{told}");
    }
    assert!(run.contains("see `sluicebox logs last`"), "{run}");
    let json = project.sluicebox(&["runs", "show", "last", "--format", "json"]).with_code(0).json();
    let logged = &json["logged"];
    assert_eq!((logged["warnings"].as_u64(), logged["errors"].as_u64()), (Some(8), Some(1)), "{logged}");
    assert_eq!(logged["first"].as_array().unwrap().len(), 5);
    assert_eq!((&logged["first"][2]["stage"], &logged["first"][1]["level"]), (&"evil".into(), &"warn".into()));
}

/// The guest's own frames: names where the component has them, lines where it has these, too.
#[test]
fn a_backtrace_has_what_the_component_has() {
    let trace = |folder: &str| {
        let project = in_transform("mode = 'panic'", "");
        let plugins = sluicebox_tests::binary().with_file_name(folder);
        assert!(plugins.join("evil.wasm").is_file(), "{} is missing: `cargo xtask e2e` makes it", plugins.display());
        let sluicebox = |arguments: &[&str]| -> Ended {
            project.command(arguments).env("SLUICEBOX_PLUGINS", &plugins).output().unwrap().into()
        };
        sluicebox(&["run", "pipeline.toml"]).with_code(1);
        let replay = sluicebox(&["replay", "last", "--format", "json"]).with_code(1).json();
        assert_eq!(replay["same"], true, "{replay}");
        let shown = sluicebox(&["replay", "last"]).with_code(1).stdout;
        assert!(shown.contains("backtrace of the guest:"), "{shown}");
        replay["fault"]["backtrace"].as_str().unwrap().to_owned()
    };
    let lines = trace("test-plugin-lines");
    assert!(lines.contains("evil::crash::panic"), "{lines}");
    assert!(lines.contains("tests/evil/src/crash.rs:6"), "{lines}");
    assert!(lines.contains("tests/evil/src/lib.rs:"), "{lines}");
    let names = trace("test-plugins");
    assert!(names.contains("evil::") && !names.contains("crash.rs:"), "{names}");
    let bare = trace("test-plugin-bare");
    assert!(bare.contains("wasm function") && !bare.contains("evil::"), "{bare}");
}
