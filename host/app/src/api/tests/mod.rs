//! The API over real sockets, with a desk of its own.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

mod client;
mod desk;
mod documented;
mod guarded;
mod reading;
mod slow;
mod streams;
mod tls;

use super::{ApiLimits, ApiSettings, Token, serve};
use client::{Answer, exchange};
use desk::FakeDesk;
use jiff::Timestamp;
use sluicebox_model::fault::{Fault, FaultKind};
use sluicebox_model::journal::Journal;
use sluicebox_model::plugin::{Digest, Kind};
use sluicebox_model::run::{Event, Interval, RunId, StageEntry, StageOutcome, Trigger};
use sluicebox_store::Store;
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

/// A served API.
struct Served {
    addr: SocketAddr,
    token: Token,
    store: Arc<Store>,
    desk: Arc<FakeDesk>,
    _state: tempfile::TempDir,
    stop: Option<tokio::sync::oneshot::Sender<()>>,
    thread: Option<std::thread::JoinHandle<()>>,
}

impl Served {
    fn new() -> Self {
        Self::with(|_| {})
    }

    fn with(set: impl FnOnce(&mut ApiSettings)) -> Self {
        let state = tempfile::tempdir().unwrap();
        let token = Token::of_state(state.path(), |bytes| {
            bytes.fill(0x5a);
            Ok(())
        });
        let token = token.unwrap();
        let hosts = vec!["etl.example.com".to_owned()];
        let mut settings = ApiSettings { token: token.clone(), tls: None, hosts, limits: ApiLimits::default() };
        set(&mut settings);
        let store = Arc::new(Store::open(state.path()).unwrap());
        let desk = Arc::new(FakeDesk::default());
        let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        let addr = listener.local_addr().unwrap();
        let thread = std::thread::spawn({
            let (desk, store) = (Arc::clone(&desk), Arc::clone(&store));
            move || {
                let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
                runtime.unwrap().block_on(async {
                    let listener = tokio::net::TcpListener::from_std(listener).unwrap();
                    serve(listener, None, settings, desk, store, async {
                        let _ = stopped.await;
                    })
                    .await;
                });
            }
        });
        Self { addr, token, store, desk, _state: state, stop: Some(stop), thread: Some(thread) }
    }

    /// A request with the head that a decent client sends, and more.
    fn request(&self, method: &str, path: &str, head: &[&str], body: &str) -> String {
        let mut request = format!("{method} {path} HTTP/1.1\r\nhost: {}\r\nconnection: close\r\n", self.addr);
        for line in head {
            request += &format!("{line}\r\n");
        }
        if !body.is_empty() {
            request += &format!("content-type: application/json\r\ncontent-length: {}\r\n", body.len());
        }
        request + "\r\n" + body
    }

    fn send(&self, method: &str, path: &str, head: &[&str], body: &str) -> Answer {
        exchange(self.addr, self.request(method, path, head, body).as_bytes())
    }

    fn get(&self, path: &str) -> Answer {
        self.send("GET", path, &[], "")
    }

    fn post(&self, path: &str, body: &str) -> Answer {
        self.send("POST", path, &[&self.bearer()], body)
    }

    fn bearer(&self) -> String {
        format!("authorization: Bearer {}", self.token.reveal())
    }

    fn stop(&mut self) {
        if let Some(stop) = self.stop.take() {
            let _ = stop.send(());
        }
        if let Some(thread) = self.thread.take() {
            thread.join().unwrap();
        }
    }

    /// A run in the journal, as far as these events.
    fn write(&self, number: u8, events: &[Event]) -> RunId {
        for (second, event) in events.iter().enumerate() {
            self.store
                .append(run(number), at(i64::from(number) * 60 + second as i64), std::slice::from_ref(event))
                .unwrap();
        }
        run(number)
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        self.stop();
    }
}

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_800_000_000 + second).unwrap()
}

fn run(number: u8) -> RunId {
    RunId::new(at(i64::from(number)), [number; 10])
}

fn queued(pipeline: &str) -> Event {
    let entry = |name: &str, kind, inputs: &[&str]| StageEntry {
        name: name.into(),
        kind,
        plugin: format!("{kind}-x"),
        version: "0.1.0".into(),
        digest: Digest("ab".into()),
        inputs: inputs.iter().map(|input| (*input).to_owned()).collect(),
    };
    Event::RunQueued {
        pipeline: pipeline.into(),
        trigger: Trigger::Manual,
        interval: Interval { start: at(-60), end: at(0) },
        text: "[pipeline]".into(),
        file: "/p.toml".into(),
        load_key: "p".into(),
        repeats: None,
        stages: vec![entry("read", Kind::Extract, &[]), entry("out", Kind::Load, &["read"])],
    }
}

/// The events of a run up to its commit.
fn begun(pipeline: &str) -> Vec<Event> {
    let started = |stage: &str| Event::StageStarted { stage: stage.into(), attempt: 1 };
    vec![queued(pipeline), Event::RunStarted { bookmarks: BTreeMap::new() }, started("read"), started("out")]
}

/// All events of a run that ends well.
fn well(pipeline: &str) -> Vec<Event> {
    let done = |stage: &str, rows| Event::StageSucceeded {
        stage: stage.into(),
        outcome: StageOutcome { rows_out: rows, ..StageOutcome::default() },
    };
    let mut events = begun(pipeline);
    events.extend([
        done("read", 10),
        done("out", 8),
        Event::RunCommitting {
            receipts: BTreeMap::from([("out".into(), vec!["r".into()])]),
            bookmarks: BTreeMap::from([("read".into(), "page 9".into())]),
        },
        Event::LoadCommitted { stage: "out".into() },
        Event::RunSucceeded,
    ]);
    events
}

/// All events of a run that fails.
fn badly(pipeline: &str) -> Vec<Event> {
    let fault = Fault::new(FaultKind::Trap, "process", "unreachable");
    let mut events = begun(pipeline);
    events.push(Event::StageFailed {
        stage: "read".into(),
        fault: fault.clone(),
        outcome: StageOutcome { elapsed: Duration::from_millis(5), ..StageOutcome::default() },
    });
    events.push(Event::StageUpstreamFailed {
        stage: "out".into(),
        because: "read".into(),
        outcome: StageOutcome::default(),
    });
    events.push(Event::RunFailed { fault });
    events
}
