//! Figures for Prometheus, in its text form.

use super::Api;
use super::desk::Gauges;
use super::error::Problem;
use axum::extract::State;
use axum::http::header::CONTENT_TYPE;
use axum::response::IntoResponse;
use sluicebox_store::{Figures, RunTotals};
use std::collections::BTreeMap;
use std::fmt::{Display, Write};
use std::time::Duration;

/// Figures in the text form of Prometheus
#[utoipa::path(get, path = "/metrics", operation_id = "metrics", tag = "host", responses((status = 200, body = String, content_type = "text/plain")))]
pub(super) async fn metrics(State(api): State<Api>) -> Result<impl IntoResponse, Problem> {
    let figures = api.read(|store| Ok(store.figures()?)).await?;
    let gauges = api.ask(|desk| Ok(desk.gauges())).await?;
    let streams = api.limits.streams.saturating_sub(api.streams.available_permits());
    let text = text(&figures, &gauges, streams);
    Ok(([(CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], text))
}

fn text(figures: &Figures, gauges: &Gauges, streams: usize) -> String {
    let mut out = Text::default();
    house(gauges, streams, &mut out);
    waits(figures, gauges, &mut out);
    done(figures, &mut out);
    out.0
}

fn house(gauges: &Gauges, streams: usize, out: &mut Text) {
    out.family("sluicebox_build_info", "gauge", "The version, as a label");
    out.sample("sluicebox_build_info", &[("version", env!("CARGO_PKG_VERSION"))], 1);
    out.one("sluicebox_uptime_seconds", "gauge", "Time since the host began", gauges.uptime.as_secs_f64());
    out.one("sluicebox_pipelines", "gauge", "Pipelines that can run", gauges.pipelines);
    out.one("sluicebox_pipelines_paused", "gauge", "Pipelines that are paused", gauges.paused);
    out.one("sluicebox_pipelines_broken", "gauge", "Pipeline files that cannot be used as they are", gauges.broken);
    out.one("sluicebox_instances", "gauge", "Instances of plugins that live", gauges.instances);
    let help = "Instances of plugins since the host began";
    out.one("sluicebox_instances_total", "counter", help, gauges.instances_total);
    let help = "Plugins that the compile cache had";
    out.one("sluicebox_compile_cache_hits_total", "counter", help, gauges.compile_hits);
    let help = "Plugins that had to be compiled";
    out.one("sluicebox_compile_cache_misses_total", "counter", help, gauges.compile_misses);
    out.one("sluicebox_compile_cache_bytes", "gauge", "Bytes of the compile cache on disk", gauges.compile_bytes);
    out.one("sluicebox_api_event_streams", "gauge", "Event streams that are open", streams);
}

fn waits(figures: &Figures, gauges: &Gauges, out: &mut Text) {
    out.one("sluicebox_runs_running", "gauge", "Runs under way", gauges.running);
    out.one("sluicebox_runs_limit", "gauge", "Runs that may be under way at once", gauges.running_max);
    out.family("sluicebox_pool_taken", "gauge", "Places of a pool that are taken");
    for (pool, taken, _) in &gauges.pools {
        out.sample("sluicebox_pool_taken", &[("pool", pool)], taken);
    }
    out.family("sluicebox_pool_places", "gauge", "Places of a pool");
    for (pool, _, places) in &gauges.pools {
        out.sample("sluicebox_pool_places", &[("pool", pool)], places);
    }
    out.family("sluicebox_queue_runs", "gauge", "Runs of the queue, by pool; without a pool: an empty one");
    // All pools that there are, so that a line does not come and go with its runs.
    let known = gauges.pools.iter().map(|(pool, ..)| pool.as_str());
    let mut pools: BTreeMap<&str, (u64, u64)> = std::iter::once("").chain(known).map(|pool| (pool, (0, 0))).collect();
    for of in &figures.queue {
        pools.insert(of.pool.as_deref().unwrap_or_default(), (of.waiting, of.started));
    }
    for (pool, (waiting, started)) in pools {
        out.sample("sluicebox_queue_runs", &[("pool", pool), ("state", "waiting")], waiting);
        out.sample("sluicebox_queue_runs", &[("pool", pool), ("state", "started")], started);
    }
    let help = "How late the latest run is that waits and could start";
    out.one("sluicebox_lateness_seconds", "gauge", help, gauges.lateness.as_secs_f64());
    let mut count = 0;
    let late: Vec<(f64, u64)> = gauges
        .started_late
        .iter()
        .map(|(bound, runs)| {
            count += runs;
            (if *bound == Duration::MAX { f64::INFINITY } else { bound.as_secs_f64() }, count)
        })
        .collect();
    out.family("sluicebox_start_lateness_seconds", "histogram", "How late runs started, since the host began");
    out.histogram("sluicebox_start_lateness_seconds", &[], &late, count, gauges.started_late_sum);
    out.one("sluicebox_alerts_waiting", "gauge", "Alerts that wait for delivery", figures.alerts_waiting);
    out.family("sluicebox_runs_unfinished", "gauge", "Runs without an end, by pipeline and state");
    for (pipeline, state, runs) in &figures.unfinished {
        out.sample("sluicebox_runs_unfinished", &[("pipeline", pipeline), ("state", state.word())], runs);
    }
    let help = "Rows that were set aside and not dealt with";
    out.family("sluicebox_quarantine_open_rows", "gauge", help);
    for (pipeline, rows) in &figures.quarantine_open {
        out.sample("sluicebox_quarantine_open_rows", &[("pipeline", pipeline)], rows);
    }
}

fn done(figures: &Figures, out: &mut Text) {
    out.family("sluicebox_runs_total", "counter", "Runs that have ended, by pipeline and state");
    for of in &figures.totals {
        out.sample("sluicebox_runs_total", &[("pipeline", &of.pipeline), ("state", of.state.word())], of.runs);
    }
    type Sum = fn(&RunTotals) -> u64;
    let rows: [(&str, Sum); 4] = [
        ("read", |of| of.rows_read),
        ("loaded", |of| of.rows_loaded),
        ("rejected", |of| of.rows_rejected),
        ("quarantined", |of| of.rows_quarantined),
    ];
    let bytes: [(&str, Sum); 2] = [("read", |of| of.bytes_read), ("loaded", |of| of.bytes_loaded)];
    let mut pipelines: BTreeMap<&str, Vec<&RunTotals>> = BTreeMap::new();
    for of in &figures.totals {
        pipelines.entry(&of.pipeline).or_default().push(of);
    }
    for (name, help, sums) in [
        ("sluicebox_rows_total", "Rows of runs that have ended, by what became of them", rows.as_slice()),
        ("sluicebox_bytes_total", "Bytes of the batches that extracts made and loads show", bytes.as_slice()),
    ] {
        out.family(name, "counter", help);
        for (pipeline, totals) in &pipelines {
            for (kind, sum) in sums {
                let sum = totals.iter().map(|of| sum(of)).fold(0, u64::saturating_add);
                out.sample(name, &[("pipeline", pipeline), ("kind", kind)], sum);
            }
        }
    }
    out.family("sluicebox_run_duration_seconds", "histogram", "From the start of the stages of a run to its end");
    for (pipeline, of) in &figures.durations {
        let labels = [("pipeline", pipeline.as_str())];
        out.histogram("sluicebox_run_duration_seconds", &labels, &of.at_most, of.count, of.sum);
    }
    let help = "When a run last ended well, in seconds since 1970";
    out.family("sluicebox_last_success_timestamp_seconds", "gauge", help);
    for (pipeline, at) in figures.last_success() {
        out.sample("sluicebox_last_success_timestamp_seconds", &[("pipeline", pipeline)], at.as_second());
    }
}

#[derive(Default)]
struct Text(String);

impl Text {
    fn family(&mut self, name: &str, kind: &str, help: &str) {
        let _ = writeln!(self.0, "# HELP {name} {help}\n# TYPE {name} {kind}");
    }

    fn one(&mut self, name: &str, kind: &str, help: &str, value: impl Display) {
        self.family(name, kind, help);
        self.sample(name, &[], value);
    }

    fn sample(&mut self, name: &str, labels: &[(&str, &str)], value: impl Display) {
        self.0.push_str(name);
        for (at, (label, text)) in labels.iter().enumerate() {
            let _ = write!(self.0, "{}{label}=\"{}\"", if at == 0 { '{' } else { ',' }, escaped(text));
        }
        if !labels.is_empty() {
            self.0.push('}');
        }
        let _ = writeln!(self.0, " {value}");
    }

    /// `at_most` counts shorter ones, too.
    fn histogram(&mut self, name: &str, labels: &[(&str, &str)], at_most: &[(f64, u64)], count: u64, sum: Duration) {
        let bucket = format!("{name}_bucket");
        let whole = at_most.iter().filter(|(bound, _)| bound.is_finite()).copied().chain([(f64::INFINITY, count)]);
        for (bound, runs) in whole {
            let bound = if bound.is_finite() { bound.to_string() } else { "+Inf".to_owned() };
            let mut labels = labels.to_vec();
            labels.push(("le", &bound));
            self.sample(&bucket, &labels, runs);
        }
        self.sample(&format!("{name}_sum"), labels, sum.as_secs_f64());
        self.sample(&format!("{name}_count"), labels, count);
    }
}

/// A label's text as it stands between quotes.
fn escaped(text: &str) -> String {
    text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)]
    use super::*;
    use jiff::Timestamp;
    use sluicebox_model::run::RunState;
    use sluicebox_store::{Durations, QueueLength};
    use std::collections::BTreeSet;

    fn figures() -> Figures {
        let totals = |pipeline: &str, state, runs| RunTotals {
            pipeline: pipeline.to_owned(),
            state,
            runs,
            rows_read: 10,
            rows_loaded: 8,
            rows_rejected: 2,
            rows_quarantined: 0,
            bytes_read: 1000,
            bytes_loaded: 800,
            last_ended_at: Timestamp::from_second(1_700_000_000).unwrap(),
        };
        let durations = Durations {
            at_most: vec![(0.5, 1), (1.0, 3), (f64::INFINITY, 4)],
            count: 4,
            sum: Duration::from_millis(4500),
        };
        Figures {
            totals: vec![totals("a\"b\\c\nd", RunState::Succeeded, 3), totals("a\"b\\c\nd", RunState::Failed, 1)],
            durations: BTreeMap::from([("p".to_owned(), durations)]),
            unfinished: vec![("p".to_owned(), RunState::Running, 2)],
            quarantine_open: BTreeMap::from([("p".to_owned(), 7)]),
            queue: vec![QueueLength { pool: None, waiting: 5, started: 2 }],
            alerts_waiting: 1,
        }
    }

    /// Reads the text as Prometheus does: each sample with its labels; refuses what Prometheus would.
    fn parse(text: &str) -> BTreeMap<String, f64> {
        let (mut samples, mut families, mut family) =
            (BTreeMap::new(), BTreeSet::new(), (String::new(), String::new()));
        for line in text.lines() {
            if let Some(rest) = line.strip_prefix("# TYPE ") {
                let (name, kind) = rest.split_once(' ').unwrap();
                assert!(families.insert(name.to_owned()), "{name} stands twice");
                assert!(["gauge", "counter", "histogram"].contains(&kind));
                assert_eq!(kind == "counter", name.ends_with("_total"), "{name}");
                family = (name.to_owned(), kind.to_owned());
                continue;
            }
            if line.starts_with("# HELP ") {
                continue;
            }
            let (key, value) = line.rsplit_once(' ').unwrap();
            let name = key.split('{').next().unwrap();
            let bare = match family.1.as_str() {
                "histogram" => name.rsplit_once('_').unwrap().0,
                _ => name,
            };
            assert_eq!(bare, family.0, "a sample below its family");
            assert!(name.chars().all(|c| c.is_ascii_lowercase() || c == '_'), "{name}");
            if let Some(labels) = key.strip_prefix(name).filter(|labels| !labels.is_empty()) {
                assert!(labels.starts_with('{') && labels.ends_with("\"}"), "{labels}");
            }
            assert!(samples.insert(key.to_owned(), value.parse().unwrap()).is_none(), "{key} stands twice");
        }
        samples
    }

    #[test]
    fn prometheus_can_read_it() {
        let gauges = Gauges {
            started_late: vec![(Duration::from_millis(100), 9), (Duration::from_secs(1), 0), (Duration::MAX, 1)],
            started_late_sum: Duration::from_secs(20),
            pools: vec![("warehouse".to_owned(), 1, 2)],
            ..Gauges::default()
        };
        let samples = parse(&text(&figures(), &gauges, 3));
        let odd = "pipeline=\"a\\\"b\\\\c\\nd\"";
        for (key, value) in [
            (format!("sluicebox_runs_total{{{odd},state=\"succeeded\"}}"), 3.0),
            (format!("sluicebox_rows_total{{{odd},kind=\"loaded\"}}"), 16.0),
            (format!("sluicebox_last_success_timestamp_seconds{{{odd}}}"), 1_700_000_000.0),
            ("sluicebox_run_duration_seconds_bucket{pipeline=\"p\",le=\"0.5\"}".to_owned(), 1.0),
            ("sluicebox_run_duration_seconds_bucket{pipeline=\"p\",le=\"+Inf\"}".to_owned(), 4.0),
            ("sluicebox_run_duration_seconds_sum{pipeline=\"p\"}".to_owned(), 4.5),
            ("sluicebox_start_lateness_seconds_bucket{le=\"1\"}".to_owned(), 9.0),
            ("sluicebox_start_lateness_seconds_bucket{le=\"+Inf\"}".to_owned(), 10.0),
            ("sluicebox_start_lateness_seconds_count".to_owned(), 10.0),
            ("sluicebox_queue_runs{pool=\"\",state=\"waiting\"}".to_owned(), 5.0),
            ("sluicebox_queue_runs{pool=\"\",state=\"started\"}".to_owned(), 2.0),
            ("sluicebox_queue_runs{pool=\"warehouse\",state=\"waiting\"}".to_owned(), 0.0),
            ("sluicebox_queue_runs{pool=\"warehouse\",state=\"started\"}".to_owned(), 0.0),
            ("sluicebox_pool_places{pool=\"warehouse\"}".to_owned(), 2.0),
            ("sluicebox_api_event_streams".to_owned(), 3.0),
        ] {
            assert_eq!(samples.get(&key), Some(&value), "{key}");
        }
    }

    #[test]
    fn a_new_house_has_figures() {
        let samples = parse(&text(&Figures::default(), &Gauges::default(), 0));
        assert!(samples.len() > 15);
        for state in ["waiting", "started"] {
            let key = format!("sluicebox_queue_runs{{pool=\"\",state=\"{state}\"}}");
            assert_eq!(samples.get(&key), Some(&0.0), "{key}");
        }
    }
}
