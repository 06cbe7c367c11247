//! What is answered, held against the description of the API.

use super::documented::conforms;
use super::{Served, at, badly, begun, run, well};
use crate::trouble::Trouble;
use arrow_array::{ArrayRef, Int64Array, RecordBatch};
use serde_json::Value;
use sluicebox_model::house::{HouseEvent, NewHouseEvent};
use sluicebox_model::journal::{Journal, Quarantined};
use sluicebox_model::run::Interval;
use sluicebox_model::stage::{BadRecord, Level, LogLine, LogSource};
use std::sync::Arc;

fn log(served: &Served, number: u8, stage: &str, level: Level, message: &str) {
    let line = LogLine { level, source: LogSource::Log, message: message.into() };
    served.store.log(run(number), stage, at(1), &[line]).unwrap();
}

/// A house in which a few things have happened: run 1 went well, run 2 failed, run 3 is under way.
fn lived_in() -> Served {
    let served = Served::new();
    served.write(1, &well("flights"));
    let failed = badly("weather");
    let (last, first) = failed.split_last().unwrap();
    served.write(2, first);
    let rows = RecordBatch::try_from_iter([("n", Arc::new(Int64Array::from(vec![1, 2])) as ArrayRef)]).unwrap();
    let rejected = Quarantined::Rejected { batch: rows, reasons: vec!["small".into(), "small".into()] };
    Journal::quarantine(&*served.store, run(2), "read", at(3), &rejected).unwrap();
    let record = BadRecord { origin: "in.csv:7".into(), content: "x,y".into(), reason: "two fields".into() };
    Journal::quarantine(&*served.store, run(2), "read", at(3), &Quarantined::Records(vec![record])).unwrap();
    for (stage, level, message) in [
        ("read", Level::Info, "a"),
        ("out", Level::Warn, "b"),
        ("read", Level::Error, "c"),
        ("read", Level::Debug, "d"),
    ] {
        log(&served, 2, stage, level, message);
    }
    served.store.append(run(2), at(130), std::slice::from_ref(last)).unwrap();
    served.write(3, &begun("flights"));
    served
}

fn read(served: &Served, template: &str, path: &str) -> Value {
    let answer = served.get(path);
    assert_eq!(answer.status, 200, "{path}: {answer:?}");
    conforms("get", template, 200, &answer.json());
    answer.json()
}

fn ids(runs: &Value) -> Vec<&str> {
    runs["runs"].as_array().unwrap().iter().map(|run| run["id"].as_str().unwrap()).collect()
}

#[test]
fn runs_are_listed_by_pages() {
    let served = lived_in();
    let [one, two, three] = [1, 2, 3].map(|number| run(number).to_string());
    let list = |query: &str| read(&served, "/api/v1/runs", &format!("/api/v1/runs?{query}"));
    assert_eq!(ids(&list("")), [&three, &two, &one]);
    let page = list("limit=2");
    assert_eq!((ids(&page), page["next"].as_str()), (vec![three.as_str(), &two], Some(two.as_str())));
    let page = list(&format!("limit=2&before={two}"));
    assert_eq!((ids(&page), &page["next"]), (vec![one.as_str()], &Value::Null));
    assert_eq!(list("limit=3")["next"], Value::Null);
    assert_eq!(ids(&list("pipeline=flights")), [&three, &one]);
    assert_eq!(ids(&list("pipeline=nothing")), [""; 0]);
    assert_eq!(ids(&list("state=failed,running")), [&three, &two]);
    assert_eq!(ids(&list("trigger=schedule")), [""; 0]);
    assert_eq!(ids(&list("trigger=manual,schedule")).len(), 3);
    let (second, third) = (at(120), at(180));
    assert_eq!(ids(&list(&format!("since={second}&until={third}"))), [&two]);
    let told = served.get("/api/v1/runs?state=done");
    assert!(told.help().contains("succeeded, failed"), "{told:?}");
    let told = served.get("/api/v1/runs?lim=1");
    assert!(told.message().contains("unknown field `lim`"), "{told:?}");
}

#[test]
fn a_run_is_shown_by_any_name_of_it() {
    let served = lived_in();
    let [well, failed, under_way] = [1, 2, 3].map(|number| run(number).to_string());
    for (name, id) in [("last", &under_way), (&well[24..], &well), (&failed.to_uppercase(), &failed)] {
        let shown = read(&served, "/api/v1/runs/{id}", &format!("/api/v1/runs/{name}"));
        assert_eq!(shown["id"].as_str(), Some(id.as_str()), "{name}");
    }
    let shown = read(&served, "/api/v1/runs/{id}", &format!("/api/v1/runs/{failed}"));
    assert_eq!((&shown["logged"]["warnings"], &shown["logged"]["errors"]), (&1.into(), &1.into()));
    assert_eq!(shown["stages"][0]["fault"]["kind"], "trap");
    // The time is the same for all.
    let told = served.get(&format!("/api/v1/runs/{}", &well[..6]));
    assert_eq!(told.status, 409);
    assert!(told.message().contains("give more of the id"));
    assert_eq!(served.get("/api/v1/runs/zzz").status, 404);
    assert_eq!(Served::new().get("/api/v1/runs/last").status, 404);
    read(&served, "/api/v1/runs/{id}/events", &format!("/api/v1/runs/{failed}/events"));
}

#[test]
fn logs_are_read_by_pages() {
    let served = lived_in();
    let id = run(2);
    let logs = |query: &str| {
        let log = read(&served, "/api/v1/runs/{id}/logs", &format!("/api/v1/runs/{id}/logs?{query}"));
        let lines = log["lines"].as_array().unwrap().iter().map(|line| line["message"].as_str().unwrap().to_owned());
        (lines.collect::<Vec<_>>().concat(), log["next"].as_u64())
    };
    assert_eq!(logs(""), ("abcd".to_owned(), None));
    assert_eq!(logs("stage=read"), ("acd".to_owned(), None));
    assert_eq!(logs("level=warn"), ("bc".to_owned(), None));
    assert_eq!(logs("level=warn&stage=read"), ("c".to_owned(), None));
    let (first, next) = logs("stage=read&limit=2");
    assert_eq!(first, "ac");
    assert_eq!(logs(&format!("stage=read&limit=2&after={}", next.unwrap())), ("d".to_owned(), None));
    let told = served.get(&format!("/api/v1/runs/{id}/logs?stage=raed"));
    assert_eq!(told.status, 404);
    assert!(told.help().contains("read"), "{told:?}");
    assert_eq!(served.get(&format!("/api/v1/runs/{id}/logs?level=loud")).status, 400);
}

#[test]
fn rows_that_were_set_aside_are_read() {
    let served = lived_in();
    let list = read(&served, "/api/v1/quarantine", "/api/v1/quarantine");
    assert_eq!(list["set-aside"].as_array().unwrap().len(), 2);
    assert_eq!(list["set-aside"][0]["reason"], "small");
    for (query, count) in [("pipeline=weather", 2), ("pipeline=flights", 0), ("run=last", 0), ("all=true", 2)] {
        let list = read(&served, "/api/v1/quarantine", &format!("/api/v1/quarantine?{query}"));
        assert_eq!(list["set-aside"].as_array().unwrap().len(), count, "{query}");
    }
    let rows = |query: &str| {
        read(&served, "/api/v1/quarantine/{run}", &format!("/api/v1/quarantine/{}?{query}", run(2)))["entries"].clone()
    };
    let all = rows("");
    assert_eq!((&all[0]["rows"][1]["n"], &all[1]["records"][0]["origin"]), (&2.into(), &"in.csv:7".into()));
    assert_eq!(rows("limit=1").as_array().unwrap().len(), 1);
    assert_eq!(rows("limit=1&offset=1")[0]["rows"][0]["n"], 2);
    assert_eq!(rows("offset=2")[0]["records"][0]["reason"], "two fields");
    assert_eq!(served.get("/api/v1/quarantine/last?stage=x").status, 404);
}

#[test]
fn the_rest_is_as_it_is_described() {
    let served = lived_in();
    assert_eq!(read(&served, "/api/v1/bookmarks", "/api/v1/bookmarks")["bookmarks"][0]["bookmark"], "page 9");
    let plugins = read(&served, "/api/v1/plugins", "/api/v1/plugins");
    assert_eq!(plugins["refused"][0]["reason"], "it is not WebAssembly");
    let none = read(&served, "/api/v1/bookmarks", "/api/v1/bookmarks?pipeline=weather");
    assert_eq!(none["bookmarks"].as_array().unwrap().len(), 0);
    read(&served, "/api/v1/pipelines", "/api/v1/pipelines");
    read(&served, "/api/v1/pipelines/{name}", "/api/v1/pipelines/flights");
    let schedule = read(&served, "/api/v1/pipelines/{name}/schedule", "/api/v1/pipelines/flights/schedule?next=3");
    assert_eq!(schedule["next"].as_array().unwrap().len(), 3);
    assert_eq!(served.get("/api/v1/pipelines/flights/schedule?next=9999").status, 400);
    let missing = served.get("/api/v1/pipelines/flihgts");
    conforms("get", "/api/v1/pipelines/{name}", 404, &missing.json());
    read(&served, "/healthz", "/healthz");
    read(&served, "/readyz", "/readyz");
    *served.desk.not_ready.lock().unwrap() = Some(Trouble::new("it is about to end"));
    let told = served.get("/readyz");
    assert_eq!((told.status, told.header("retry-after")), (503, "5"));
    assert_eq!(served.get("/healthz").status, 200);
    let metrics = served.get("/metrics");
    assert!(metrics.header("content-type").starts_with("text/plain; version=0.0.4"));
    assert!(metrics.body.contains("sluicebox_runs_total{pipeline=\"flights\",state=\"succeeded\"} 1\n"), "{metrics:?}");
    assert!(metrics.body.contains("sluicebox_quarantine_open_rows{pipeline=\"weather\"} 3\n"), "{metrics:?}");
}

#[test]
fn the_desk_is_told() {
    let served = lived_in();
    let (failed, new) = (run(2), run(9));
    let started = served.post("/api/v1/pipelines/flights/runs", "{}");
    assert_eq!((started.status, started.header("location")), (202, format!("/api/v1/runs/{new}").as_str()));
    conforms("post", "/api/v1/pipelines/{name}/runs", 202, &started.json());
    assert_eq!(served.post("/api/v1/pipelines/nothing/runs", "").status, 404);
    let paused = served.post("/api/v1/pipelines/flights/pause", "{\"reason\": \"the source moves\"}");
    conforms("post", "/api/v1/pipelines/{name}/pause", 200, &paused.json());
    let resumed = served.post("/api/v1/pipelines/flights/resume", "");
    conforms("post", "/api/v1/pipelines/{name}/resume", 200, &resumed.json());
    let moved =
        served.post("/api/v1/bookmarks", "{\"pipeline\": \"flights\", \"stage\": \"read\", \"bookmark\": null}");
    conforms("post", "/api/v1/bookmarks", 200, &moved.json());
    let unsaid = served.post("/api/v1/bookmarks", "{\"pipeline\": \"flights\", \"stage\": \"read\"}");
    assert!(unsaid.status >= 400 && unsaid.status < 500, "{unsaid:?}");
    let refused = served.post(&format!("/api/v1/runs/{failed}/cancel"), "");
    assert_eq!((refused.status, refused.message()), (409, "it has ended already".to_owned()));
    let again = served.post(&format!("/api/v1/runs/{failed}/rerun"), "{\"failed\": true}");
    conforms("post", "/api/v1/runs/{id}/rerun", 202, &again.json());
    assert_eq!(served.post(&format!("/api/v1/runs/{failed}/rerun"), "{\"failed\": true, \"from\": \"a\"}").status, 422);
    assert_eq!(served.post("/api/v1/runs/zzz/rerun", "").status, 404);
    assert_eq!(
        served.desk.asked(),
        [
            "start flights None false".to_owned(),
            "pause flights the source moves".to_owned(),
            "resume flights".to_owned(),
            "bookmark flights read None".to_owned(),
            format!("cancel {failed}"),
            format!("rerun {failed} None true false"),
        ]
    );
}

#[test]
fn what_was_decided_is_told_with_its_reason() {
    let served = lived_in();
    let interval = Interval { start: at(0), end: at(60) };
    let about = |pipeline: &str, event| NewHouseEvent { pipeline: Some(pipeline.to_owned()), event };
    let skipped = |reason: &str| HouseEvent::Skipped { nominal: at(60), interval, reason: reason.to_owned() };
    let cancelled = HouseEvent::Cancelled { run: run(9), reason: "asked for".to_owned() };
    let wrong = NewHouseEvent { pipeline: None, event: HouseEvent::DependenciesWrong { problems: vec!["a".into()] } };
    let all = [about("flights", skipped("one")), about("weather", skipped("two")), about("flights", cancelled), wrong];
    served.store.house_append(at(70), &all).unwrap();
    let list = |query: &str| {
        let page = read(&served, "/api/v1/events", &format!("/api/v1/events{query}"));
        let names = page["events"].as_array().unwrap().iter().map(|event| event["event"].as_str().unwrap().to_owned());
        (names.collect::<Vec<_>>(), page)
    };
    assert_eq!(list("").0, ["dependencies-wrong", "cancelled", "skipped", "skipped"]);
    let (names, page) = list("?pipeline=flights&kind=skipped,cancelled&limit=1");
    assert_eq!((names, page["next"].as_u64()), (vec!["cancelled".to_owned()], Some(3)));
    let (_, page) = list("?pipeline=flights&before=3");
    assert_eq!((&page["events"][0]["reason"], &page["next"]), (&"one".into(), &Value::Null));
    assert_eq!(list("?after=2").0, ["cancelled", "dependencies-wrong"]);
    let wrong = served.get("/api/v1/events?kind=cancled");
    assert_eq!((wrong.status, wrong.body.contains("`cancelled`")), (400, true), "{wrong:?}");
    // Every name that there is may be asked for.
    list(&format!("?kind={}", HouseEvent::NAMES.join(",")));
}
