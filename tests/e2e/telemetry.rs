//! Traces and metrics by OTLP, as a collector gets them.

use serde_json::Value;
use sluicebox_tests::Project;
use sluicebox_tests::serving::Serving;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::Command;
use std::sync::mpsc::{Receiver, channel};

/// What a collector was sent.
struct Posted {
    path: String,
    head: String,
    body: Value,
}

/// Takes everything, for as long as the test lasts.
struct Collector {
    endpoint: String,
    posted: Receiver<Posted>,
}

impl Collector {
    fn begin() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let endpoint = format!("http://{}", listener.local_addr().unwrap());
        let (told, posted) = channel();
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let told = told.clone();
                std::thread::spawn(move || answer(stream.unwrap(), |posted| told.send(posted).is_ok()));
            }
        });
        Self { endpoint, posted }
    }

    /// All that was posted so far; the process that posts has ended.
    fn all(&self) -> Vec<Posted> {
        self.posted.try_iter().collect()
    }
}

/// Answers requests of one connection.
fn answer(stream: TcpStream, tell: impl Fn(Posted) -> bool) {
    let mut reader = BufReader::new(stream.try_clone().unwrap());
    let mut stream = stream;
    loop {
        let mut head = String::new();
        while !head.ends_with("\r\n\r\n") {
            if reader.read_line(&mut head).unwrap_or(0) == 0 {
                return;
            }
        }
        let length = head.lines().find_map(|line| line.to_lowercase().strip_prefix("content-length: ")?.parse().ok());
        let mut body = vec![0; length.unwrap()];
        reader.read_exact(&mut body).unwrap();
        let path = head.split(' ').nth(1).unwrap().to_owned();
        // Told before it is answered: whoever waits for the answer has told all.
        tell(Posted { path, head, body: serde_json::from_slice(&body).unwrap() });
        if stream
            .write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\ncontent-type: application/json\r\n\r\n{}")
            .is_err()
        {
            return;
        }
    }
}

fn spans(posted: &[Posted]) -> Vec<Value> {
    let traces = posted.iter().filter(|posted| posted.path == "/v1/traces");
    traces.flat_map(|it| it.body["resourceSpans"][0]["scopeSpans"][0]["spans"].as_array().unwrap().clone()).collect()
}

fn attribute<'a>(span: &'a Value, key: &str) -> Option<&'a str> {
    let found = span["attributes"].as_array()?.iter().find(|attribute| attribute["key"] == key)?;
    found["value"].as_object()?.values().next()?.as_str()
}

fn run(project: &Project, more: impl FnOnce(&mut Command)) -> sluicebox_tests::Ended {
    let mut command = project.command(&["run", "flights.toml", "--format", "json"]);
    more(&mut command);
    command.output().unwrap().into()
}

#[test]
fn a_run_is_one_trace_of_stages_and_calls() {
    let collector = Collector::begin();
    let project = Project::flights();
    let settings =
        "[otlp]\nendpoint = \"${env:COLLECTOR}\"\nheaders = { authorization = \"Bearer ${env:COLLECTOR_KEY}\" }\n";
    project.file("sluicebox.toml", settings);
    let ended = run(&project, |command| {
        command.env("COLLECTOR", &collector.endpoint).env("COLLECTOR_KEY", "open sesame");
    })
    .with_code(0);
    let outcome = ended.json();
    let posted = collector.all();
    assert!(posted.iter().all(|it| it.head.contains("authorization: Bearer open sesame")), "{}", posted[0].head);
    let all = spans(&posted);
    let trace = outcome["id"].as_str().unwrap().replace('-', "");
    assert!(all.iter().all(|span| span["traceId"] == *trace), "{trace}: {all:#?}");

    let run = all.iter().find(|span| span["parentSpanId"].is_null()).unwrap();
    assert_eq!(run["name"], "run flights");
    assert_eq!(attribute(run, "sluicebox.state"), Some("succeeded"));
    assert_eq!(attribute(run, "sluicebox.trigger"), Some("manual"));
    let loaded = outcome["totals"]["rows-loaded"].as_u64().unwrap().to_string();
    assert_eq!(attribute(run, "sluicebox.rows.loaded"), Some(loaded.as_str()));

    let stages: Vec<&Value> = all.iter().filter(|span| span["parentSpanId"] == run["spanId"]).collect();
    assert_eq!(stages.len(), outcome["stages"].as_array().unwrap().len());
    let out = stages.iter().find(|span| span["name"] == "load out").unwrap();
    assert_eq!(attribute(out, "sluicebox.plugin"), Some("load-parquet"));
    assert_eq!(attribute(out, "sluicebox.rows.in"), Some(loaded.as_str()));
    let of_out: Vec<&str> = all
        .iter()
        .filter(|span| span["parentSpanId"] == out["spanId"])
        .map(|span| span["name"].as_str().unwrap())
        .collect();
    assert_eq!(of_out.first(), Some(&"instantiate"));
    for call in ["open", "write", "prepare", "commit"] {
        assert!(of_out.contains(&call), "no {call} among {of_out:?}");
    }
    let time = |span: &Value, key: &str| span[key].as_str().unwrap().parse::<u128>().unwrap();
    for span in &all {
        assert!(time(span, "startTimeUnixNano") <= time(span, "endTimeUnixNano"), "{span:#}");
        assert!(time(span, "startTimeUnixNano") >= time(run, "startTimeUnixNano"), "{span:#}");
    }

    let metrics = posted.iter().rfind(|posted| posted.path == "/v1/metrics").unwrap();
    let metrics = metrics.body["resourceMetrics"][0]["scopeMetrics"][0]["metrics"].as_array().unwrap();
    let rows = metrics.iter().find(|metric| metric["name"] == "sluicebox.rows.loaded").unwrap();
    assert_eq!(rows["sum"]["dataPoints"][0]["asInt"], *loaded);
}

#[test]
fn calls_beyond_a_number_are_counted() {
    let collector = Collector::begin();
    let project = Project::flights();
    project.file("sluicebox.toml", format!("[otlp]\nendpoint = \"{}\"\ncalls = 3\n", collector.endpoint));
    run(&project, |_| {}).with_code(0);
    let all = spans(&collector.all());
    let run = all.iter().find(|span| span["parentSpanId"].is_null()).unwrap();
    let calls = all.iter().filter(|span| attribute(span, "sluicebox.call").is_some()).count();
    assert!(calls <= 3, "{calls}");
    let left_out: u64 = attribute(run, "sluicebox.calls.left_out").unwrap().parse().unwrap();
    assert!(left_out > 10, "{left_out}");
}

#[test]
fn a_failed_run_shows_its_fault_and_the_standard_variables_are_enough() {
    let collector = Collector::begin();
    let project = Project::new();
    project.file("data/.keep", "").file(
        "flights.toml",
        "[pipeline]\nname = 'bad'\n\n[[stage]]\nname = 'read'\nplugin = 'evil-extract'\nconfig = { mode = 'panic' }\n\n\
         [[stage]]\nname = 'out'\nplugin = 'evil-load'\ngrants.write = ['data']\nconfig = { mode = 'pass' }\n",
    );
    run(&project, |command| {
        command.env("OTEL_EXPORTER_OTLP_ENDPOINT", &collector.endpoint).env("OTEL_SERVICE_NAME", "flights-host");
    })
    .with_code(1);
    let posted = collector.all();
    let all = spans(&posted);
    let run = all.iter().find(|span| span["parentSpanId"].is_null()).unwrap();
    let read = all.iter().find(|span| span["name"] == "extract read").unwrap();
    let call = all.iter().find(|span| span["name"] == "next").unwrap();
    for span in [run, read] {
        assert_eq!(span["status"]["code"], 2, "{span:#}");
        assert!(span["status"]["message"].as_str().unwrap().contains("read"), "{span:#}");
    }
    assert_eq!((&call["status"]["code"], &call["status"]["message"]), (&2.into(), &"trap".into()));
    assert_eq!(attribute(run, "sluicebox.rows.loaded"), Some("0"));
    let traces = posted.iter().find(|posted| posted.path == "/v1/traces").unwrap();
    let resource = &traces.body["resourceSpans"][0]["resource"];
    assert_eq!(attribute(resource, "service.name"), Some("flights-host"));
}

/// Runs of a host are told as those of a command are, and how it goes in the host beside them.
#[test]
fn a_host_that_serves_sends_its_runs_and_how_it_goes() {
    let collector = Collector::begin();
    let project = sluicebox_tests::serving::project();
    project.file("sluicebox.toml", format!("[otlp]\nendpoint = \"{}\"\n", collector.endpoint));
    project.file("p.toml", sluicebox_tests::serving::quick("p", "every = '1s'", ""));
    let serving = Serving::begin(&project);
    serving.runs("p", "succeeded", 2);
    let mut posted = Vec::new();
    let of_host = |posted: &[Posted]| {
        let last = posted.iter().rfind(|it| it.path == "/v1/metrics")?;
        let all = last.body["resourceMetrics"][0]["scopeMetrics"][0]["metrics"].as_array().unwrap().clone();
        let runs = all.iter().find(|metric| metric["name"] == "sluicebox.runs")?;
        let runs: u64 = runs["sum"]["dataPoints"][0]["asInt"].as_str()?.parse().unwrap();
        let has_host = all.iter().any(|metric| metric["name"] == "sluicebox.queue.waiting");
        (has_host && runs >= 2).then_some(all)
    };
    let metrics = serving.until("two runs and how it goes are sent", || {
        posted.extend(collector.all());
        let runs = spans(&posted).iter().filter(|span| span["parentSpanId"].is_null()).count();
        of_host(&posted).filter(|_| runs >= 2)
    });
    let value = |name: &str| -> Value {
        let found = metrics.iter().find(|metric| metric["name"] == name).unwrap_or_else(|| panic!("no {name}"));
        ["sum", "gauge", "histogram"].iter().find_map(|kind| found.get(kind)).unwrap()["dataPoints"][0].clone()
    };
    let number = |value: &Value| value.as_str().unwrap().parse::<u64>().unwrap();
    assert!(number(&value("sluicebox.runs")["asInt"]) >= 2);
    // Three stages, of which the load is made twice.
    assert!(number(&value("sluicebox.instances.made")["asInt"]) >= 8);
    let cache = ["hits", "misses"].map(|it| number(&value(&format!("sluicebox.compile_cache.{it}"))["asInt"]));
    assert!(cache[0] + cache[1] >= 3, "{cache:?}");
    assert!(number(&value("sluicebox.compile_cache.size")["asInt"]) > 1000);
    let late = value("sluicebox.start.lateness");
    assert!(number(&late["count"]) >= 2, "{late}");
    let bounds = late["explicitBounds"].as_array().unwrap().len();
    assert_eq!(late["bucketCounts"].as_array().unwrap().len(), bounds + 1, "{late}");
    assert!(value("sluicebox.lateness")["asDouble"].is_number());
    for span in spans(&posted).iter().filter(|span| span["parentSpanId"].is_null()) {
        assert_eq!((attribute(span, "sluicebox.trigger"), span["name"].as_str()), (Some("schedule"), Some("run p")));
    }
    serving.end();
}

#[test]
fn a_collector_that_never_answers_neither_fails_nor_holds_up_a_run() {
    let project = Project::flights();
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let endpoint = format!("http://{}", silent.local_addr().unwrap());
    let ended = run(&project, |command| {
        command.env("OTEL_EXPORTER_OTLP_ENDPOINT", endpoint);
    })
    .with_code(0);
    assert!(ended.stderr.contains("spans were not sent: the collector did not take them"), "{}", ended.stderr);
}
