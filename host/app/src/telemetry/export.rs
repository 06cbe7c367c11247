//! Sending, on a thread of its own. A collector that is slow or gone costs spans, never a run: what waits is bounded, what
//! does not fit is counted and told.

use super::Made;
use super::metrics::Metrics;
use super::spans::text;
use super::target::Target;
use jiff::Timestamp;
use serde_json::{Value, json};
use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// Spans that may wait.
pub(crate) const WAITING_MAX: usize = 16 * 1024;
/// Spans that are sent at once.
const AT_ONCE: usize = 2048;
/// How long a collector may take to answer.
pub(crate) const ANSWER_MAX: Duration = Duration::from_secs(10);
/// Tries at sending the same, and how long to wait before the second; before each other twice as long.
const TRIES: u32 = 4;
const AGAIN_AFTER: Duration = Duration::from_secs(1);
/// How it goes in a host is sent at least so often.
const LOOK_EVERY: Duration = Duration::from_secs(60);
/// That spans were dropped is told so often.
const TELL_EVERY: Duration = Duration::from_secs(60);

/// Sends to one collector.
pub(super) struct Exporter {
    state: Mutex<State>,
    bell: Condvar,
}

#[derive(Default)]
struct State {
    spans: VecDeque<Value>,
    metrics: Metrics,
    /// The metrics have changed since they were sent.
    fresh: bool,
    dropped: u64,
    /// On their way, not yet taken by the collector.
    sending: u64,
    /// The process ends: until then.
    end: Option<Instant>,
    /// All is sent that can be.
    done: bool,
}

impl Exporter {
    /// Starts the thread; none if there can be none.
    pub(super) fn begin(target: Target) -> Option<Arc<Self>> {
        let exporter = Arc::new(Self { state: Mutex::default(), bell: Condvar::new() });
        let work = {
            let exporter = Arc::clone(&exporter);
            move || exporter.send_all(&target)
        };
        std::thread::Builder::new().name("telemetry".to_owned()).spawn(work).ok()?;
        Some(exporter)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes what is to be sent of a run; never waits.
    pub(super) fn take(&self, made: &Made) {
        let mut state = self.lock();
        let room = WAITING_MAX.saturating_sub(state.spans.len());
        // Those of the run and its stages come first.
        state.spans.extend(made.spans.iter().take(room).cloned());
        state.dropped += made.spans.len().saturating_sub(room) as u64;
        state.metrics.add(&made.sums);
        state.fresh = true;
        self.bell.notify_all();
    }

    /// Sends what waits, for at most so long.
    pub(super) fn end(&self, at_most: Duration) {
        let end = Instant::now() + at_most;
        let mut state = self.lock();
        state.end = Some(end);
        self.bell.notify_all();
        while !state.done {
            let left = end.saturating_duration_since(Instant::now());
            if left.is_zero() {
                break;
            }
            state = self.bell.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0;
        }
        let lost = state.dropped + state.sending + state.spans.len() as u64;
        drop(state);
        if lost > 0 {
            crate::house::shout(&format!("{lost} spans were not sent: the collector did not take them"));
        }
    }

    /// Spans that were not sent.
    #[cfg(test)]
    pub(super) fn dropped(&self) -> u64 {
        self.lock().dropped
    }

    fn send_all(&self, target: &Target) {
        let agent = agent(target);
        let since = Timestamp::now();
        let mut told: Option<(Instant, u64)> = None;
        loop {
            let (spans, metrics, dropped) = {
                let mut state = self.lock();
                while state.spans.is_empty() && !state.fresh && state.end.is_none() {
                    let waited = self.bell.wait_timeout(state, LOOK_EVERY).unwrap_or_else(PoisonError::into_inner);
                    state = waited.0;
                    state.fresh |= waited.1.timed_out() && super::GAUGES.get().is_some();
                }
                if state.spans.is_empty() && !state.fresh {
                    state.done = true;
                    self.bell.notify_all();
                    return;
                }
                let count = state.spans.len().min(AT_ONCE);
                let spans: Vec<Value> = state.spans.drain(..count).collect();
                state.sending = count as u64;
                let last = state.spans.is_empty() && std::mem::take(&mut state.fresh);
                let metrics = last.then(|| state.metrics.json(since, Timestamp::now(), state.dropped));
                (spans, metrics, state.dropped)
            };
            // Not under the lock: whoever runs pipelines is asked.
            let metrics = metrics.map(|mut metrics| {
                let gauges = super::GAUGES.get().map(|gauges| gauges());
                metrics.extend(gauges.iter().flat_map(|gauges| super::host::json(gauges, since, Timestamp::now())));
                metrics
            });
            let count = spans.len() as u64;
            let mut why = None;
            if count > 0 {
                let body = json!({ "resourceSpans": [{
                    "resource": resource(target),
                    "scopeSpans": [{ "scope": scope(), "spans": spans }],
                }] });
                why = self.send(&agent, target, &target.traces, &body).err();
                let mut state = self.lock();
                state.sending = 0;
                if why.is_some() {
                    state.dropped += count;
                }
            }
            if let Some(metrics) = metrics {
                let body = json!({ "resourceMetrics": [{
                    "resource": resource(target),
                    "scopeMetrics": [{ "scope": scope(), "metrics": metrics }],
                }] });
                if let Err(reason) = self.send(&agent, target, &target.metrics, &body) {
                    why.get_or_insert(reason);
                }
            }
            let dropped = if why.is_some() { self.lock().dropped } else { dropped };
            let is_news = told.is_none_or(|(at, before)| at.elapsed() >= TELL_EVERY && before < dropped);
            if (why.is_some() || dropped > 0) && is_news {
                let why = why.unwrap_or_else(|| "more came than it took".to_owned());
                told = Some((Instant::now(), dropped));
                crate::house::shout(&format!("traces and metrics: {dropped} spans are lost so far: {why}"));
            }
        }
    }

    /// Posts, again if that can help.
    fn send(&self, agent: &ureq::Agent, target: &Target, url: &str, body: &Value) -> Result<(), String> {
        let body = body.to_string();
        let mut pause = AGAIN_AFTER;
        for attempt in 1.. {
            let (why, may_help) = match post(agent, target, url, &body) {
                Ok(()) => return Ok(()),
                Err(failed) => failed,
            };
            if attempt == TRIES || !may_help || !self.pause(pause) {
                return Err(why);
            }
            pause *= 2;
        }
        Ok(())
    }

    /// Waits; false if the process ends, when there is no time for another try.
    fn pause(&self, pause: Duration) -> bool {
        let until = Instant::now() + pause;
        let mut state = self.lock();
        while state.end.is_none() {
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return true;
            }
            state = self.bell.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0;
        }
        false
    }
}

fn agent(target: &Target) -> ureq::Agent {
    let config = ureq::Agent::config_builder()
        .user_agent(concat!("sluicebox/", env!("CARGO_PKG_VERSION")))
        .http_status_as_error(false)
        // Headers may hold secrets: they go where the settings say, and nowhere else.
        .max_redirects(0)
        .max_redirects_will_error(false)
        .timeout_global(Some(ANSWER_MAX));
    let host = target.traces.split("://").nth(1).unwrap_or_default();
    let is_here = ["127.", "localhost", "[::1]"].iter().any(|here| host.starts_with(here));
    if is_here { config.proxy(None).build().into() } else { config.build().into() }
}

/// Why it failed, without the address; and whether another try can help.
fn post(agent: &ureq::Agent, target: &Target, url: &str, body: &str) -> Result<(), (String, bool)> {
    let mut request = agent.post(url).header("content-type", "application/json");
    for (name, value) in &target.headers {
        request = request.header(name, value);
    }
    match request.send(body) {
        Ok(answer) if answer.status().is_success() => Ok(()),
        Ok(answer) => {
            let status = answer.status().as_u16();
            // As the specification of OTLP says.
            Err((format!("the collector answers {status}"), matches!(status, 429 | 502 | 503 | 504)))
        }
        Err(ureq::Error::BadUri(_) | ureq::Error::Http(_)) => {
            Err(("the address or a header of the collector is none".to_owned(), false))
        }
        Err(error) => Err((format!("the collector does not answer: {error}"), true)),
    }
}

fn resource(target: &Target) -> Value {
    json!({ "attributes": [
        text("service.name", &target.service),
        text("service.version", env!("CARGO_PKG_VERSION")),
    ] })
}

fn scope() -> Value {
    json!({ "name": "sluicebox", "version": env!("CARGO_PKG_VERSION") })
}
