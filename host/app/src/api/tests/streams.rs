//! Events as they come.

use super::client::{answer, chunk, connect, head};
use super::{Served, at, begun, run, well};
use serde_json::Value;
use sluicebox_model::house::{Decided, NewRun, QueueState, QueuedRun};
use sluicebox_model::journal::Journal;
use sluicebox_model::run::{Event, Interval, RunId, Trigger};
use std::io::{BufReader, Write};
use std::net::TcpStream;
use std::time::Duration;

const ACCEPT: &str = "accept: text/event-stream";

fn open(served: &Served, run: RunId, more: &[&str]) -> BufReader<TcpStream> {
    let mut stream = BufReader::with_capacity(1024, connect(served.addr));
    let mut lines = vec![ACCEPT];
    lines.extend(more);
    let request = served.request("GET", &format!("/api/v1/runs/{run}/events"), &lines, "");
    stream.get_mut().write_all(request.as_bytes()).unwrap();
    stream
}

fn opened(served: &Served, run: RunId, more: &[&str]) -> BufReader<TcpStream> {
    let mut stream = open(served, run, more);
    let (status, headers) = head(&mut stream);
    assert_eq!((status, headers["content-type"].as_str()), (200, "text/event-stream"));
    stream
}

/// What is left of the stream.
fn text(stream: &mut BufReader<TcpStream>) -> String {
    std::iter::from_fn(|| chunk(stream)).collect()
}

/// The ids and names of events up to the end of the stream.
fn rest(stream: &mut BufReader<TcpStream>) -> Vec<(u64, String)> {
    events(&text(stream))
}

fn events(text: &str) -> Vec<(u64, String)> {
    let frames = text.split("\n\n").filter(|frame| !frame.is_empty() && !frame.starts_with(':'));
    frames
        .map(|frame| {
            let (id, data) = frame.split_once('\n').unwrap();
            let event: Value = serde_json::from_str(data.strip_prefix("data: ").unwrap()).unwrap();
            let id = id.strip_prefix("id: ").unwrap().parse().unwrap();
            assert_eq!(event["sequence"], id);
            (id, event["event"].as_str().unwrap().to_owned())
        })
        .collect()
}

#[test]
fn a_run_is_followed_to_its_end() {
    let served = Served::new();
    let (all, id) = (well("flights"), run(1));
    served.write(1, &all[..2]);
    let mut stream = opened(&served, id, &[]);
    let mut sent = chunk(&mut stream).unwrap();
    assert_eq!(events(&sent), [(0, "run-queued".to_owned()), (1, "run-started".to_owned())]);
    for event in &all[2..5] {
        served.store.append(id, at(100), std::slice::from_ref(event)).unwrap();
        let next = chunk(&mut stream).unwrap();
        assert_eq!(events(&next).iter().map(|(_, name)| name.as_str()).collect::<Vec<_>>(), [event.name()]);
        sent += &next;
    }
    served.store.append(id, at(101), &all[5..]).unwrap();
    sent += &text(&mut stream);
    assert_eq!(events(&sent).last().unwrap(), &(8, "run-succeeded".to_owned()));
    assert_eq!(text(&mut opened(&served, id, &[])), sent, "told as they happen or read afterwards, they are the same");

    // From the middle, and from the end.
    let mut again = opened(&served, id, &["last-event-id: 6"]);
    assert_eq!(rest(&mut again), [(7, "load-committed".to_owned()), (8, "run-succeeded".to_owned())]);
    assert_eq!(answer(&mut open(&served, id, &["last-event-id: 8"])).status, 204);
    assert_eq!(answer(&mut open(&served, id, &["last-event-id: 18446744073709551615"])).status, 204);
    assert_eq!(answer(&mut open(&served, id, &["last-event-id: x"])).status, 400);
    assert_eq!(answer(&mut open(&served, run(2), &[])).status, 404);
    let list = served.get("/api/v1/runs/last/events?after=6").json();
    assert_eq!(
        (list["events"][0]["sequence"].as_u64(), list["events"][1]["event"].as_str()),
        (Some(7), Some("run-succeeded"))
    );
    let page = served.get(&format!("/api/v1/runs/{id}/events?limit=3")).json();
    assert_eq!((page["events"].as_array().unwrap().len(), page["next"].as_u64()), (3, Some(2)));
}

#[test]
fn a_quiet_stream_is_kept_alive() {
    let served = Served::with(|settings| settings.limits.keep_alive = Duration::from_millis(10));
    served.write(1, &begun("flights"));
    let mut stream = opened(&served, run(1), &["last-event-id: 3"]);
    for _ in 0..3 {
        assert_eq!(chunk(&mut stream).unwrap(), ":\n\n");
    }
}

#[test]
fn streams_end_with_the_host() {
    let mut served = Served::new();
    served.write(1, &begun("flights"));
    let mut stream = opened(&served, run(1), &[]);
    assert_eq!(events(&chunk(&mut stream).unwrap()).len(), 4);
    served.stop();
    assert_eq!(chunk(&mut stream), None);
}

fn enqueue(served: &Served, number: u8) -> RunId {
    let run = QueuedRun {
        run: run(number),
        pipeline: "flights".into(),
        trigger: Trigger::Manual,
        nominal: None,
        interval: Interval { start: at(0), end: at(0) },
        queued_at: at(0),
        ready_at: at(0),
        priority: 0,
        pool: None,
        repeats: None,
        options: Value::Null,
        state: QueueState::Waiting,
        reason: String::new(),
    };
    let (id, new) = (run.run, NewRun { run, once: None, events: Vec::new() });
    served.store.decide(&Decided { runs: vec![new], ..Decided::default() }, at(0)).unwrap();
    id
}

#[test]
fn a_run_is_followed_from_the_queue_on() {
    let served = Served::new();
    let id = enqueue(&served, 1);
    let mut stream = opened(&served, id, &[]);
    let shown = served.get(&format!("/api/v1/runs/{id}")).json();
    assert_eq!((shown["state"].as_str(), shown["queue"]["state"].as_str()), (Some("queued"), Some("waiting")));
    // Why depends on the clock of this machine.
    assert!(shown["queue"]["place"] == 1 && shown["queue"]["why"].is_string(), "{shown}");
    let listed = served.get("/api/v1/runs").json();
    assert_eq!(
        (listed["waiting"][0]["run"].as_str(), listed["runs"].as_array().unwrap().len()),
        (Some(id.to_string().as_str()), 0)
    );
    assert_eq!(listed["waiting"][0], shown["queue"]);
    assert_eq!(served.get("/api/v1/runs?state=failed").json()["waiting"].as_array().unwrap().len(), 0);
    assert!(served.store.take(id, at(1)).unwrap());
    served.write(1, &well("flights"));
    assert_eq!(rest(&mut stream).len(), 9);

    let dropped = enqueue(&served, 2);
    let mut stream = opened(&served, dropped, &[]);
    assert!(served.store.settle(dropped, QueueState::Dropped, "somebody asked", at(2)).unwrap());
    assert_eq!(rest(&mut stream), []);
    assert_eq!(answer(&mut open(&served, dropped, &[])).status, 204);
    assert_eq!(served.get(&format!("/api/v1/runs/{dropped}")).json()["state"], "cancelled");
    assert_eq!(served.post(&format!("/api/v1/runs/{dropped}/rerun"), "").status, 409);
    let refused = enqueue(&served, 3);
    assert!(served.store.settle(refused, QueueState::Refused, "the file is broken", at(2)).unwrap());
    let shown = served.get(&format!("/api/v1/runs/{refused}")).json();
    assert_eq!(
        (shown["state"].as_str(), shown["fault"]["message"].as_str()),
        (Some("failed"), Some("the file is broken"))
    );
}

#[test]
fn a_thousand_streams() {
    const STREAMS: usize = 1_000;
    crate::api::files::raise();
    let served = Served::with(|settings| settings.limits.streams = STREAMS);
    let (all, id) = (well("flights"), run(1));
    served.write(1, &all[..4]);
    let mut streams: Vec<_> = (0..STREAMS).map(|_| open(&served, id, &[])).collect();
    for stream in &mut streams {
        assert_eq!(head(stream).0, 200);
        assert_eq!(events(&chunk(stream).unwrap()).len(), 4);
    }
    let told = answer(&mut open(&served, id, &[]));
    assert_eq!((told.status, told.header("retry-after")), (503, "10"));
    let metrics = served.get("/metrics").body;
    assert!(metrics.contains("sluicebox_api_event_streams 1000\n"), "{metrics}");
    served.store.append(id, at(100), &all[4..]).unwrap();
    for stream in &mut streams {
        let last = rest(stream).pop();
        assert_eq!(last, Some((8, "run-succeeded".to_owned())));
    }
    // The places are free again.
    assert_eq!(answer(&mut open(&served, id, &["last-event-id: 8"])).status, 204);
}

/// The frames of an event never break, whatever stands in it.
#[test]
fn newlines_in_events_are_escaped() {
    let served = Served::new();
    let mut events = begun("flights");
    if let Event::RunQueued { text, .. } = &mut events[0] {
        *text = "a\n\nid: 7\r\ndata: {}\u{2028}".to_owned();
    }
    events.push(Event::RunCancelled);
    served.write(1, &events);
    let mut stream = opened(&served, run(1), &[]);
    assert_eq!(rest(&mut stream).len(), 5);
}
