//! Tests of the parser: what is read, and that nothing that a file can hold is more than a list of problems.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

use super::*;
use crate::plugin::Kind;
use crate::stage::Threshold;
use std::time::Duration;

const FLIGHTS: &str = r#"
[pipeline]
name = "flights"
owner = "analytics"
assumptions = ["times are local"]

[schedule]
cron = "30 6 * * *"
timezone = "America/New_York"
catch-up = "all"

[[stage]]
name = "read"
plugin = "extract-csv"
grants.read = ["data"]
config = { path = "data/flights.csv", null = ["", "NA"] }

[[stage]]
name = "check"
plugin = "validate-rules"
reject = { at-most = "5%" }
config.rules = [ { column = "distance", between = [0, 5_000] } ]

[[stage]]
name = "speed"
plugin = "transform-select"
config.filter = "arr_delay is not null"
on-fault = "quarantine"
parallel = 3
[stage.config.columns]
zeta = "distance / air_time"
alpha = "upper(dest)"
since = 2013-01-31

[[stage]]
name = "out"
plugin = "load-parquet"
grants = { write = ["out"], clock = true }
config.path = "out/flights.parquet"
limits = { memory = "512MiB", call = "1m", handles = 7, component = "128MiB", poison-calls = 99, poison-time = "90s" }
retry = { attempts = 3, backoff = "500ms" }
"#;

const KINDS: [Option<Kind>; 4] = [Some(Kind::Extract), Some(Kind::Validate), Some(Kind::Transform), Some(Kind::Load)];

fn messages(text: &str) -> Vec<String> {
    parse(text).unwrap_err().into_iter().map(|problem| problem.message).collect()
}

#[test]
fn a_pipeline_is_read_in_full() {
    let pipeline = parse(FLIGHTS).unwrap();
    assert_eq!((pipeline.name.as_str(), pipeline.owner.as_deref()), ("flights", Some("analytics")));
    let schedule = pipeline.schedule.as_ref().unwrap();
    assert_eq!((schedule.catch_up, schedule.overlap), (CatchUp::All, Overlap::Skip));
    let [read, check, speed, out] = pipeline.stages.as_slice() else { panic!() };
    assert_eq!(read.config, serde_json::json!({ "path": "data/flights.csv", "null": ["", "NA"] }));
    assert_eq!(read.grants.read, ["data"]);
    assert_eq!(check.reject, Some(Threshold::PerCent(5.0)));
    assert_eq!(speed.on_fault, OnFault::Quarantine);
    assert_eq!(speed.parallel, Some(3));
    assert_eq!(out.limits.memory_bytes_max, 512 << 20);
    assert_eq!((out.limits.call_max, out.limits.handles_max), (Duration::from_secs(60), 7));
    assert_eq!(out.limits.component_bytes_max, 128 << 20);
    assert_eq!((out.limits.poison_calls_max, out.limits.poison_time_max), (99, Duration::from_secs(90)));
    assert_eq!((out.retry.attempts, out.retry.backoff), (3, Duration::from_millis(500)));
    assert!(out.grants.clock && !out.grants.random);
}

#[test]
fn limits_have_limits() {
    for (line, help) in [
        ("component = \"129MiB\"", "at most \"128MiB\""),
        ("memory = \"1KiB\"", "at least \"64KiB\", one page of memory"),
        ("poison-calls = 0", "write a whole number from 1 to 10000000"),
        ("poison-time = \"0s\"", "`on-fault = \"fail\"` looks for no rows at all"),
    ] {
        let text = format!("[pipeline]\nname = 'p'\n[[stage]]\nname = 's'\nplugin = 'q'\nlimits.{line}\n");
        let problems = parse(&text).unwrap_err();
        assert_eq!(problems.len(), 1, "{line}: {problems:?}");
        assert!(problems[0].help.as_ref().is_some_and(|told| told.contains(help)), "{line}: {problems:?}");
    }
}

#[test]
fn the_order_of_keys_is_kept() {
    let pipeline = parse(FLIGHTS).unwrap();
    assert_eq!(
        pipeline.stages[2].config.to_string(),
        r#"{"filter":"arr_delay is not null","columns":{"zeta":"distance / air_time","alpha":"upper(dest)","since":"2013-01-31"}}"#
    );
}

#[test]
fn each_option_knows_its_place() {
    let pipeline = parse(FLIGHTS).unwrap();
    let at = |stage: usize, pointer: &str| &FLIGHTS[pipeline.stages[stage].spans.option(pointer)];
    assert_eq!(at(0, "/path"), "\"data/flights.csv\"");
    assert_eq!(at(0, "/null/1"), "\"NA\"");
    assert_eq!(at(1, "/rules/0/between/1"), "5_000");
    assert_eq!(at(1, "/rules/0/nothing"), "{ column = \"distance\", between = [0, 5_000] }");
    assert_eq!(at(2, "/columns/alpha"), "\"upper(dest)\"");
    assert_eq!(at(3, "/path"), "\"out/flights.parquet\"");
    let key = |stage: usize, pointer: &str| &FLIGHTS[pipeline.stages[stage].spans.option_key(pointer)];
    assert_eq!(key(2, "/columns/alpha"), "alpha");
    assert_eq!(key(1, "/rules/0/column"), "column");
    assert_eq!(&FLIGHTS[pipeline.stages[3].spans.grant("/clock")], "true");
    for stage in &pipeline.stages {
        assert!(FLIGHTS[stage.spans.header.clone()].contains("stage"), "{:?}", &FLIGHTS[stage.spans.header.clone()]);
        assert!(stage.spans.header.start < stage.spans.name.start);
    }
}

#[test]
fn a_stage_without_inputs_takes_the_one_above() {
    let mut pipeline = parse(FLIGHTS).unwrap();
    connect(&mut pipeline, &KINDS);
    let inputs: Vec<Vec<String>> = pipeline.stages.iter().map(|stage| stage.inputs.clone()).collect();
    assert_eq!(inputs, [vec![], vec!["read".to_owned()], vec!["check".to_owned()], vec!["speed".to_owned()]]);
    assert_eq!(check_kinds(&pipeline, &KINDS), []);
}

#[test]
fn kinds_that_are_wrong_are_told() {
    let told = |kinds: [Option<Kind>; 4]| {
        let mut pipeline = parse(FLIGHTS).unwrap();
        connect(&mut pipeline, &kinds);
        check_kinds(&pipeline, &kinds).into_iter().map(|problem| problem.message).collect::<Vec<_>>().join("\n")
    };
    let load = Some(Kind::Load);
    assert!(
        told([load, KINDS[1], KINDS[2], load])
            .contains("takes rows from the stage above it, `read`, but that is a load")
    );
    assert!(told([KINDS[0], KINDS[1], KINDS[2], KINDS[2]]).contains("loads nothing"));
    assert!(told([KINDS[0], KINDS[1], KINDS[0], load]).contains("nothing takes the rows of stage `check`"));
    assert!(told([KINDS[2], KINDS[1], KINDS[2], load]).contains("no stage stands above it"));
}

#[test]
fn all_problems_are_told_at_once_in_the_order_of_the_file() {
    let told = messages(
        "[pipeline]\nname = 'A b'\n[[stage]]\nname = 'x'\nplugn = 'p'\ninputs = ['y']\nlimits.memory = 5\n[[stage]]\n",
    );
    let expected = [
        "\"A b\" cannot be the name of a pipeline",
        "stage `x` has no `plugin`",
        "unknown key `plugn` in stage `x`",
        "stage `x` takes `y`, but there is no such stage",
        "`limits.memory` of stage `x` has to be a size as a text",
        "stage 2 has no `name`",
        "stage 2 has no `plugin`",
    ];
    assert_eq!(told, expected);
}

#[test]
fn circles_are_named() {
    let stage = |name: &str, input: &str| format!("[[stage]]\nname = '{name}'\nplugin = 'p'\ninputs = ['{input}']\n");
    let text = format!("[pipeline]\nname = 'a'\n{}{}{}", stage("x", "z"), stage("y", "x"), stage("z", "y"));
    assert_eq!(messages(&text), ["the stages feed each other in a circle: `x` -> `y` -> `z` -> `x`"]);
}

#[test]
fn toml_that_is_none_is_told_with_its_place() {
    let problems = parse("[pipeline]\nname = \n[[stage]]\nname = \"unclosed\n").unwrap_err();
    assert_eq!(problems.len(), 2, "{problems:?}");
    assert!(problems.iter().all(|problem| problem.message.starts_with("this is not TOML")));
    assert_eq!(draft("a = ").pipeline.map(|_| ()), None);
}

/// Whatever stands in a file, reading it ends with a pipeline or problems within the text.
#[test]
fn broken_files_never_break_the_parser() {
    let mut seed = 0x2545_f491_4f6c_dd1d_u64;
    let mut random = move |below: usize| {
        seed ^= seed << 13;
        seed ^= seed >> 7;
        seed ^= seed << 17;
        (seed % below as u64) as usize
    };
    let snippets = [
        "[[stage]]\n",
        "\"",
        "[",
        "]",
        "{",
        "}",
        "=",
        "\n",
        "'''",
        "config.",
        "-1",
        "é",
        "name = ",
        "\u{0}",
        "1e400",
        "${env:",
    ];
    for _ in 0..3000 {
        let mut text = FLIGHTS.to_owned();
        for _ in 0..=random(4) {
            let mut at = random(text.len() + 1);
            while !text.is_char_boundary(at) {
                at -= 1;
            }
            match random(3) {
                0 => text.insert_str(at, snippets[random(snippets.len())]),
                1 => {
                    let end = (at + random(40)).min(text.len());
                    if text.is_char_boundary(end) {
                        text.replace_range(at..end, "");
                    }
                }
                _ => text.truncate(at.max(1)),
            }
        }
        let draft = draft(&text);
        for problem in &draft.problems {
            assert!(problem.span.start <= problem.span.end && problem.span.end <= text.len(), "{problem:?}\n{text}");
        }
        if let Some(mut pipeline) = draft.pipeline {
            let kinds: Vec<Option<Kind>> = (0..pipeline.stages.len()).map(|_| KINDS[random(4)]).collect();
            connect(&mut pipeline, &kinds);
            check_kinds(&pipeline, &kinds);
        }
    }
}
