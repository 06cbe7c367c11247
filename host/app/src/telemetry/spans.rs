//! The spans of a run, as OTLP has them in JSON.

use super::calls::{Call, Calls};
use crate::show::outcome::Totals;
use jiff::Timestamp;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use sluicebox_model::run::{Event, RunId, RunRecord, RunState, StageOutcome, StageRecord, StageState};
use std::collections::BTreeMap;

/// `STATUS_CODE_OK` and `STATUS_CODE_ERROR`.
const OK: u8 = 1;
const ERROR: u8 = 2;
/// `SPAN_KIND_INTERNAL`.
const INTERNAL: u8 = 1;

/// Texts are cut behind so many characters.
pub(crate) const TEXT_MAX: usize = 1000;

/// The spans: of the run, of each of its stages that began, of the calls that were seen.
pub(super) fn of(record: &RunRecord, events: &[(Timestamp, Event)], calls: &Calls) -> Vec<Value> {
    let times = Times::of(events);
    let end = record.ended_at.or(events.last().map(|(at, _)| *at)).unwrap_or(record.queued_at);
    let (calls, left_out) = calls.taken();
    let mut spans = vec![run_span(record, events, end, left_out)];
    for stage in &record.stages {
        if let Some(span) = stage_span(record, stage, &times, end) {
            spans.push(span);
        }
    }
    let known = |call: &&Call| times.began.contains_key(&*call.stage);
    spans.extend(
        calls.iter().enumerate().filter(|(_, call)| known(call)).map(|(n, call)| call_span(record.id, n, call)),
    );
    spans
}

/// The trace is the run: its id has as many bytes.
pub(super) fn trace_id(run: RunId) -> String {
    run.0.simple().to_string()
}

/// The same for the same run and name, in whatever process.
pub(super) fn span_id(run: RunId, name: &str) -> String {
    let digest = Sha256::digest(format!("{run}/{name}").as_bytes());
    digest.iter().take(8).map(|byte| format!("{byte:02x}")).collect()
}

/// When stages began, and ended.
struct Times<'a> {
    began: BTreeMap<&'a str, Timestamp>,
    ended: BTreeMap<&'a str, Timestamp>,
    retries: BTreeMap<&'a str, Vec<(Timestamp, u32, String)>>,
}

impl<'a> Times<'a> {
    fn of(events: &'a [(Timestamp, Event)]) -> Self {
        let mut times = Self { began: BTreeMap::new(), ended: BTreeMap::new(), retries: BTreeMap::new() };
        for (at, event) in events {
            match event {
                Event::StageStarted { stage, .. } => {
                    times.began.entry(stage).or_insert(*at);
                }
                Event::StageRetrying { stage, attempt, fault } => {
                    times.retries.entry(stage).or_default().push((*at, *attempt, fault.to_string()));
                }
                Event::StageSucceeded { stage, .. }
                | Event::StageFailed { stage, .. }
                | Event::StageUpstreamFailed { stage, .. }
                | Event::StageCancelled { stage, .. } => {
                    times.ended.insert(stage, *at);
                }
                _ => {}
            }
        }
        times
    }
}

fn run_span(record: &RunRecord, events: &[(Timestamp, Event)], end: Timestamp, left_out: u64) -> Value {
    let totals = Totals::of(record);
    let mut attributes = vec![
        text("sluicebox.pipeline", &record.pipeline),
        text("sluicebox.run", &record.id.to_string()),
        text("sluicebox.trigger", &word(&json!(record.trigger))),
        text("sluicebox.state", record.state.word()),
        text("sluicebox.interval.start", &record.interval.start.to_string()),
        text("sluicebox.interval.end", &record.interval.end.to_string()),
        number("sluicebox.rows.read", totals.rows_read),
        number("sluicebox.rows.loaded", if record.state == RunState::Succeeded { totals.rows_loaded } else { 0 }),
        number("sluicebox.rows.rejected", totals.rows_rejected),
    ];
    if left_out > 0 {
        attributes.push(number("sluicebox.calls.left_out", left_out));
    }
    let status = match record.state {
        RunState::Succeeded => json!({ "code": OK }),
        state => {
            let why = record.fault.as_ref().map_or_else(|| state.word().to_owned(), ToString::to_string);
            json!({ "code": ERROR, "message": cut(&why) })
        }
    };
    let told: Vec<Value> = events
        .iter()
        .filter_map(|(at, event)| match event {
            Event::RunCommitting { .. } => Some(happened(*at, "committing", Vec::new())),
            Event::LoadCommitted { stage } => {
                Some(happened(*at, "load committed", vec![text("sluicebox.stage", stage)]))
            }
            Event::RunCrashed { reason, .. } => Some(happened(*at, "crashed", vec![text("sluicebox.reason", reason)])),
            _ => None,
        })
        .collect();
    let links: Vec<Value> = record
        .repeats
        .iter()
        .map(|before| json!({ "traceId": trace_id(*before), "spanId": span_id(*before, "") }))
        .collect();
    json!({
        "traceId": trace_id(record.id),
        "spanId": span_id(record.id, ""),
        "name": format!("run {}", record.pipeline),
        "kind": INTERNAL,
        "startTimeUnixNano": nanoseconds(record.queued_at),
        "endTimeUnixNano": nanoseconds(end),
        "attributes": attributes,
        "events": told,
        "links": links,
        "status": status,
    })
}

fn stage_span(record: &RunRecord, stage: &StageRecord, times: &Times<'_>, end: Timestamp) -> Option<Value> {
    let name = stage.entry.name.as_str();
    let began = *times.began.get(name)?;
    let StageOutcome { rows_in, rows_out, rows_rejected, rows_quarantined, bytes_in, bytes_out, calls, .. } =
        stage.outcome;
    let attributes = vec![
        text("sluicebox.pipeline", &record.pipeline),
        text("sluicebox.stage", name),
        text("sluicebox.kind", &stage.entry.kind.to_string()),
        text("sluicebox.plugin", &stage.entry.plugin),
        text("sluicebox.plugin.version", &stage.entry.version),
        text("sluicebox.state", stage.state.word()),
        number("sluicebox.attempt", stage.attempt.into()),
        number("sluicebox.rows.in", rows_in),
        number("sluicebox.rows.out", rows_out),
        number("sluicebox.rows.rejected", rows_rejected),
        number("sluicebox.rows.quarantined", rows_quarantined),
        number("sluicebox.bytes.in", bytes_in),
        number("sluicebox.bytes.out", bytes_out),
        number("sluicebox.calls", calls),
        number("sluicebox.memory.peak_bytes", stage.outcome.memory_peak_bytes),
    ];
    let retries = times.retries.get(name).into_iter().flatten();
    let told: Vec<Value> = retries
        .map(|(at, attempt, why)| {
            let attributes = vec![number("sluicebox.attempt", (*attempt).into()), text("sluicebox.fault", why)];
            happened(*at, "retry", attributes)
        })
        .collect();
    let status = match (&stage.state, &stage.fault) {
        (StageState::Succeeded, _) => json!({ "code": OK }),
        (_, Some(fault)) => json!({ "code": ERROR, "message": cut(&fault.to_string()) }),
        _ => json!({}),
    };
    Some(json!({
        "traceId": trace_id(record.id),
        "spanId": span_id(record.id, name),
        "parentSpanId": span_id(record.id, ""),
        "name": format!("{} {name}", stage.entry.kind),
        "kind": INTERNAL,
        "startTimeUnixNano": nanoseconds(began),
        "endTimeUnixNano": nanoseconds(times.ended.get(name).copied().unwrap_or(end)),
        "attributes": attributes,
        "events": told,
        "status": status,
    }))
}

fn call_span(run: RunId, n: usize, call: &Call) -> Value {
    let mut attributes = vec![
        text("sluicebox.stage", &call.stage),
        text("sluicebox.call", call.function),
        number("sluicebox.attempt", call.attempt.into()),
    ];
    if call.turn > 0 {
        attributes.push(number("sluicebox.turn", call.turn));
    }
    attributes.extend(call.rows.map(|rows| number("sluicebox.rows", rows)));
    let status = match &call.fault {
        None => json!({}),
        Some(kind) => json!({ "code": ERROR, "message": kind }),
    };
    let began = call.began.as_nanosecond();
    let took = i128::try_from(call.took.as_nanos()).unwrap_or(0);
    json!({
        "traceId": trace_id(run),
        "spanId": span_id(run, &format!("{}/{n}", call.stage)),
        "parentSpanId": span_id(run, &call.stage),
        "name": call.function,
        "kind": INTERNAL,
        "startTimeUnixNano": began.to_string(),
        "endTimeUnixNano": (began + took).to_string(),
        "attributes": attributes,
        "status": status,
    })
}

fn happened(at: Timestamp, name: &str, attributes: Vec<Value>) -> Value {
    json!({ "timeUnixNano": nanoseconds(at), "name": name, "attributes": attributes })
}

/// As OTLP has it in JSON: 64 bits are texts.
pub(super) fn nanoseconds(at: Timestamp) -> String {
    at.as_nanosecond().max(0).to_string()
}

pub(super) fn text(key: &str, value: &str) -> Value {
    json!({ "key": key, "value": { "stringValue": cut(value) } })
}

fn number(key: &str, value: u64) -> Value {
    json!({ "key": key, "value": { "intValue": value.to_string() } })
}

/// A word of an enum.
pub(super) fn word(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

fn cut(text: &str) -> &str {
    text.char_indices().nth(TEXT_MAX).map_or(text, |(end, _)| text.get(..end).unwrap_or(text))
}
