//! Sums over the runs of this process, as OTLP has metrics in JSON.

use super::spans::{nanoseconds, text};
use crate::show::outcome::{self, Totals};
use jiff::Timestamp;
use serde_json::{Value, json};
use sluicebox_model::plugin::Kind;
use sluicebox_model::run::{RunRecord, RunState};
use std::collections::BTreeMap;

/// `AGGREGATION_TEMPORALITY_CUMULATIVE`.
const CUMULATIVE: u8 = 2;

/// Upper bounds of the classes of durations, in seconds.
const BOUNDS: [f64; 10] = [0.01, 0.1, 0.5, 1.0, 5.0, 15.0, 60.0, 300.0, 1800.0, 7200.0];

/// Pipelines that are told apart; those beyond are counted together.
pub(crate) const PIPELINES_MAX: usize = 1000;

/// What one run adds.
#[derive(Clone, Debug)]
pub(super) struct Sums {
    pipeline: String,
    state: &'static str,
    seconds: Option<f64>,
    rows_read: u64,
    rows_loaded: u64,
    rows_rejected: u64,
    bytes_loaded: u64,
}

impl Sums {
    pub(super) fn of(record: &RunRecord) -> Self {
        let totals = Totals::of(record);
        let loads = record.stages.iter().filter(|stage| stage.entry.kind == Kind::Load);
        let is_loaded = record.state == RunState::Succeeded;
        Self {
            pipeline: record.pipeline.clone(),
            state: record.state.word(),
            seconds: outcome::took(record).map(|took| took.as_secs_f64()),
            rows_read: totals.rows_read,
            rows_loaded: if is_loaded { totals.rows_loaded } else { 0 },
            rows_rejected: totals.rows_rejected,
            bytes_loaded: if is_loaded {
                loads.map(|stage| stage.outcome.bytes_in).fold(0, u64::saturating_add)
            } else {
                0
            },
        }
    }
}

/// The sums so far.
#[derive(Debug, Default)]
pub(super) struct Metrics {
    runs: BTreeMap<(String, &'static str), Durations>,
    pipelines: BTreeMap<String, [u64; 4]>,
}

#[derive(Debug, Default)]
struct Durations {
    count: u64,
    timed: u64,
    sum: f64,
    classes: [u64; BOUNDS.len() + 1],
}

impl Metrics {
    pub(super) fn add(&mut self, sums: &Sums) {
        let is_known = self.pipelines.contains_key(&sums.pipeline) || self.pipelines.len() < PIPELINES_MAX;
        let pipeline = if is_known { sums.pipeline.clone() } else { "(others)".to_owned() };
        let counts = self.pipelines.entry(pipeline.clone()).or_default();
        let more = [sums.rows_read, sums.rows_loaded, sums.rows_rejected, sums.bytes_loaded];
        counts.iter_mut().zip(more).for_each(|(sum, more)| *sum = sum.saturating_add(more));
        let runs = self.runs.entry((pipeline, sums.state)).or_default();
        runs.count += 1;
        if let Some(seconds) = sums.seconds {
            let class = BOUNDS.iter().position(|bound| seconds <= *bound).unwrap_or(BOUNDS.len());
            runs.timed += 1;
            runs.sum += seconds;
            runs.classes.iter_mut().skip(class).take(1).for_each(|count| *count += 1);
        }
    }

    /// The metrics. `dropped`: spans that were not sent.
    pub(super) fn json(&self, since: Timestamp, now: Timestamp, dropped: u64) -> Vec<Value> {
        let (since, now) = (nanoseconds(since), nanoseconds(now));
        let point = |attributes: Vec<Value>, value: u64| {
            json!({
                "startTimeUnixNano": since, "timeUnixNano": now, "attributes": attributes, "asInt": value.to_string()
            })
        };
        let sum = |name: &str, unit: &str, points: Vec<Value>| {
            json!({ "name": name, "unit": unit, "sum": {
                "aggregationTemporality": CUMULATIVE, "isMonotonic": true, "dataPoints": points
            } })
        };
        let of_run =
            |pipeline: &str, state: &str| vec![text("sluicebox.pipeline", pipeline), text("sluicebox.state", state)];
        let runs = self.runs.iter().map(|((pipeline, state), runs)| point(of_run(pipeline, state), runs.count));
        let mut all = vec![sum("sluicebox.runs", "{run}", runs.collect())];
        let names = [
            ("sluicebox.rows.read", "{row}"),
            ("sluicebox.rows.loaded", "{row}"),
            ("sluicebox.rows.rejected", "{row}"),
            ("sluicebox.bytes.loaded", "By"),
        ];
        for (at, (name, unit)) in names.into_iter().enumerate() {
            let points = self.pipelines.iter().map(|(pipeline, counts)| {
                point(vec![text("sluicebox.pipeline", pipeline)], counts.get(at).copied().unwrap_or(0))
            });
            all.push(sum(name, unit, points.collect()));
        }
        let timed = self.runs.iter().filter(|(_, runs)| runs.timed > 0);
        let durations: Vec<Value> = timed
            .map(|((pipeline, state), runs)| {
                json!({
                    "startTimeUnixNano": since, "timeUnixNano": now, "attributes": of_run(pipeline, state),
                    "count": runs.timed.to_string(), "sum": runs.sum,
                    "bucketCounts": runs.classes.map(|count| count.to_string()), "explicitBounds": BOUNDS,
                })
            })
            .collect();
        all.push(json!({ "name": "sluicebox.run.duration", "unit": "s", "histogram": {
            "aggregationTemporality": CUMULATIVE, "dataPoints": durations
        } }));
        all.push(sum("sluicebox.spans.dropped", "{span}", vec![point(Vec::new(), dropped)]));
        all
    }
}
