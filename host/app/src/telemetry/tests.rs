#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

use super::export::Exporter;
use super::metrics::{Metrics, Sums};
use super::{Made, calls, spans, target};
use jiff::Timestamp;
use serde_json::Value;
use sluicebox_model::fault::{Fault, FaultKind};
use sluicebox_model::pipeline::Otlp;
use sluicebox_model::plugin::{Digest, Kind};
use sluicebox_model::run::{Event, Interval, RunId, RunRecord, StageEntry, StageOutcome, Trigger};
use std::collections::BTreeMap;
use std::path::Path;
use std::time::{Duration, Instant};

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_800_000_000 + second).unwrap()
}

fn id() -> RunId {
    RunId::new(at(0), [7; 10])
}

fn events(ends_well: bool) -> Vec<(Timestamp, Event)> {
    let entry = |name: &str, kind, inputs: &[&str]| StageEntry {
        name: name.to_owned(),
        kind,
        plugin: format!("plugin-{name}"),
        version: "1.0.0".to_owned(),
        digest: Digest(String::new()),
        inputs: inputs.iter().map(|&input| input.to_owned()).collect(),
    };
    let began = |stage: &str| Event::StageStarted { stage: stage.to_owned(), attempt: 1 };
    let outcome = StageOutcome { rows_in: 5, rows_out: 5, ..StageOutcome::default() };
    let done = |stage: &str| Event::StageSucceeded { stage: stage.to_owned(), outcome: outcome.clone() };
    let fault = Fault::new(FaultKind::InvalidData, "write", "no room").of_stage("out");
    let mut events = vec![
        (
            at(0),
            Event::RunQueued {
                pipeline: "flights".to_owned(),
                trigger: Trigger::Schedule,
                interval: Interval { start: at(-60), end: at(0) },
                text: String::new(),
                file: "flights.toml".into(),
                load_key: String::new(),
                repeats: Some(RunId::new(at(-9), [9; 10])),
                stages: vec![entry("read", Kind::Extract, &[]), entry("out", Kind::Load, &["read"])],
            },
        ),
        (at(1), Event::RunStarted { bookmarks: BTreeMap::new() }),
        (at(2), began("read")),
        (at(3), began("out")),
        (at(4), done("read")),
    ];
    if ends_well {
        events.push((at(5), done("out")));
        let receipts = BTreeMap::from([("out".to_owned(), vec![String::new()])]);
        events.push((at(6), Event::RunCommitting { receipts, bookmarks: BTreeMap::new() }));
        events.push((at(7), Event::LoadCommitted { stage: "out".to_owned() }));
        events.push((at(8), Event::RunSucceeded));
    } else {
        let failed = Event::StageFailed { stage: "out".to_owned(), fault: fault.clone(), outcome: outcome.clone() };
        events.push((at(5), failed));
        events.push((at(8), Event::RunFailed { fault }));
    }
    events
}

fn attribute<'a>(span: &'a Value, key: &str) -> &'a Value {
    let attributes = span["attributes"].as_array().unwrap();
    let found = attributes.iter().find(|attribute| attribute["key"] == key);
    let value = &found.unwrap_or_else(|| panic!("no {key} in {span:#}"))["value"];
    value.as_object().unwrap().values().next().unwrap()
}

#[test]
fn a_run_is_a_trace() {
    let events = events(true);
    let record = RunRecord::fold(id(), &events).unwrap();
    let made = spans::of(&record, &events, &calls::Calls::new(10));
    let [run, read, out] = &made[..] else { panic!("{made:#?}") };
    assert_eq!(run["traceId"].as_str().unwrap(), id().to_string().replace('-', ""));
    assert_eq!(run["spanId"].as_str().unwrap().len(), 16);
    assert_eq!(run["name"], "run flights");
    assert_eq!(run["startTimeUnixNano"], "1800000000000000000");
    assert_eq!(run["endTimeUnixNano"], "1800000008000000000");
    assert_eq!(run["status"]["code"], 1);
    assert_eq!(run["links"].as_array().unwrap().len(), 1);
    assert_eq!(attribute(run, "sluicebox.rows.loaded"), "5");
    assert_eq!(attribute(run, "sluicebox.trigger"), "schedule");
    assert_eq!((&read["name"], &read["parentSpanId"]), (&"extract read".into(), &run["spanId"]));
    assert_eq!(out["endTimeUnixNano"], "1800000005000000000");
    assert_eq!(attribute(out, "sluicebox.plugin"), "plugin-out");
    // Another process gives the same ids.
    assert_eq!(made, spans::of(&record, &events, &calls::Calls::new(10)));
}

#[test]
fn a_fault_stands_in_the_span_that_it_ended() {
    let events = events(false);
    let record = RunRecord::fold(id(), &events).unwrap();
    let made = spans::of(&record, &events, &calls::Calls::new(10));
    for span in [&made[0], &made[2]] {
        assert_eq!(span["status"]["code"], 2);
        assert!(span["status"]["message"].as_str().unwrap().contains("no room"), "{span:#}");
    }
    assert_eq!(attribute(&made[0], "sluicebox.rows.loaded"), "0");
    assert_eq!(made[1]["status"]["code"], 1);
}

#[test]
fn runs_are_summed_up() {
    let record = |well| RunRecord::fold(id(), &events(well)).unwrap();
    let mut metrics = Metrics::default();
    for well in [true, true, false] {
        metrics.add(&Sums::of(&record(well)));
    }
    let all = metrics.json(at(0), at(9), 3);
    let named = |name: &str| all.iter().find(|metric| metric["name"] == name).unwrap();
    let runs = named("sluicebox.runs")["sum"]["dataPoints"].as_array().unwrap();
    let counted: Vec<(&Value, &Value)> =
        runs.iter().map(|point| (attribute(point, "sluicebox.state"), &point["asInt"])).collect();
    assert_eq!(counted, [(&"failed".into(), &"1".into()), (&"succeeded".into(), &"2".into())]);
    assert_eq!(named("sluicebox.rows.loaded")["sum"]["dataPoints"][0]["asInt"], "10");
    assert_eq!(named("sluicebox.spans.dropped")["sum"]["dataPoints"][0]["asInt"], "3");
    let durations = named("sluicebox.run.duration")["histogram"]["dataPoints"].as_array().unwrap();
    assert_eq!((&durations[1]["count"], &durations[1]["sum"]), (&"2".into(), &14.0.into()));
    let classes = durations[1]["bucketCounts"].as_array().unwrap();
    assert_eq!(classes.len(), durations[1]["explicitBounds"].as_array().unwrap().len() + 1);
}

#[test]
fn settings_go_before_variables() {
    let variables = |name: &str| match name {
        "OTEL_EXPORTER_OTLP_ENDPOINT" => Some("http://one:4318/".to_owned()),
        "OTEL_EXPORTER_OTLP_HEADERS" => Some("Authorization=Bearer%20x, b = c".to_owned()),
        _ => None,
    };
    let found = target::of(None, Path::new("."), &variables).unwrap().unwrap();
    assert_eq!(found.traces, "http://one:4318/v1/traces");
    assert_eq!(found.metrics, "http://one:4318/v1/metrics");
    assert_eq!(found.headers["authorization"], "Bearer x");
    assert_eq!(found.headers["b"], "c");
    let own = Otlp { endpoint: "https://two".to_owned(), headers: BTreeMap::new(), calls: 3 };
    let found = target::of(Some(&own), Path::new("."), &variables).unwrap().unwrap();
    assert_eq!((found.traces.as_str(), found.calls), ("https://two/v1/traces", 3));
    assert!(found.headers.is_empty());
    let unset = Otlp { endpoint: "${env:SLUICEBOX_TEST_IS_NOT_SET}".to_owned(), ..own };
    let why = target::of(Some(&unset), Path::new("."), &variables).unwrap_err();
    assert!(why.starts_with("`endpoint` of `[otlp]` cannot be filled in: "), "{why}");
    assert_eq!(target::of(None, Path::new("."), &|_| None).unwrap(), None);
    let disabled = |name: &str| if name == "OTEL_SDK_DISABLED" { Some("true".to_owned()) } else { variables(name) };
    assert_eq!(target::of(None, Path::new("."), &disabled).unwrap(), None);
}

#[test]
fn a_collector_that_is_gone_holds_nobody_up() {
    // Nobody listens there any more.
    let address = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let variables = |name: &str| (name == "OTEL_EXPORTER_OTLP_ENDPOINT").then(|| format!("http://{address}"));
    let found = target::of(None, Path::new("."), &variables).unwrap().unwrap();
    let exporter = Exporter::begin(found).unwrap();
    let record = RunRecord::fold(id(), &events(true)).unwrap();
    let span = Value::String("a span".to_owned());
    let begin = Instant::now();
    for _ in 0..100 {
        exporter.take(&Made { spans: vec![span.clone(); 1000], sums: Sums::of(&record) });
    }
    assert!(begin.elapsed() < Duration::from_secs(5));
    exporter.end(Duration::from_secs(30));
    let dropped = exporter.dropped();
    assert_eq!(dropped, 100_000);
}
