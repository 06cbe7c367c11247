//! How it goes in a host that serves, as OTLP has metrics in JSON.

use super::spans::nanoseconds;
use crate::api::Gauges;
use jiff::Timestamp;
use serde_json::{Value, json};

/// `AGGREGATION_TEMPORALITY_CUMULATIVE`.
const CUMULATIVE: u8 = 2;

/// What is sent of it.
pub(super) fn json(gauges: &Gauges, since: Timestamp, now: Timestamp) -> Vec<Value> {
    let (since, now) = (nanoseconds(since), nanoseconds(now));
    let gauge = |name: &str, unit: &str, value: u64| {
        let point = json!({ "timeUnixNano": now, "asInt": value.to_string() });
        json!({ "name": name, "unit": unit, "gauge": { "dataPoints": [point] } })
    };
    let sum = |name: &str, unit: &str, value: u64| {
        let point = json!({ "startTimeUnixNano": since, "timeUnixNano": now, "asInt": value.to_string() });
        json!({ "name": name, "unit": unit, "sum": {
            "aggregationTemporality": CUMULATIVE, "isMonotonic": true, "dataPoints": [point]
        } })
    };
    let seconds = |name: &str, value: f64| {
        let point = json!({ "timeUnixNano": now, "asDouble": value });
        json!({ "name": name, "unit": "s", "gauge": { "dataPoints": [point] } })
    };
    let mut bounds: Vec<f64> = gauges.started_late.iter().map(|(bound, _)| bound.as_secs_f64()).collect();
    // The last has no end.
    bounds.pop();
    let count: u64 = gauges.started_late.iter().map(|(_, count)| count).sum();
    let classes: Vec<String> = gauges.started_late.iter().map(|(_, count)| count.to_string()).collect();
    let late = json!({
        "startTimeUnixNano": since, "timeUnixNano": now, "count": count.to_string(),
        "sum": gauges.started_late_sum.as_secs_f64(), "bucketCounts": classes, "explicitBounds": bounds,
    });
    vec![
        gauge("sluicebox.queue.waiting", "{run}", gauges.waiting),
        gauge("sluicebox.queue.running", "{run}", gauges.running),
        seconds("sluicebox.lateness", gauges.lateness.as_secs_f64()),
        json!({ "name": "sluicebox.start.lateness", "unit": "s", "histogram": {
            "aggregationTemporality": CUMULATIVE, "dataPoints": [late]
        } }),
        gauge("sluicebox.instances", "{instance}", gauges.instances),
        sum("sluicebox.instances.made", "{instance}", gauges.instances_total),
        sum("sluicebox.compile_cache.hits", "{plugin}", gauges.compile_hits),
        sum("sluicebox.compile_cache.misses", "{plugin}", gauges.compile_misses),
        gauge("sluicebox.compile_cache.size", "By", gauges.compile_bytes),
    ]
}
