//! Traces and metrics, by OTLP over HTTP with JSON: one span a run, stage and call.
//!
//! Spans are made of a run's journal when it has ended, so nothing waits for a collector while rows move. Ids are derived
//! from the run's id: whoever finishes a run after a crash continues its trace.

mod calls;
pub(crate) mod export;
mod host;
pub(crate) mod metrics;
pub(crate) mod spans;
mod target;
#[cfg(test)]
mod tests;

use crate::api::Gauges;
use export::Exporter;
use metrics::Sums;
use sluicebox_model::run::{Event, RunRecord};
use sluicebox_model::stage::Stage;
use sluicebox_store::Store;
use std::path::Path;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;
use target::Target;

/// How long the end of the process waits for what is still to be sent.
const LAST_WORDS: Duration = Duration::from_secs(3);

/// An exporter for each collector that was named so far; mostly there is one or none.
static EXPORTERS: Mutex<Vec<(Target, Arc<Exporter>)>> = Mutex::new(Vec::new());

/// What was told already of settings that cannot be used: once is enough.
static TOLD: Mutex<Option<String>> = Mutex::new(None);

/// Says how it goes in this host, where one serves.
type Looks = Box<dyn Fn() -> Gauges + Send + Sync>;

static GAUGES: OnceLock<Looks> = OnceLock::new();

/// Sends, beside what is sent of runs, how it goes in this host: as runs end, and every minute.
pub(crate) fn of_host(root: &Path, gauges: impl Fn() -> Gauges + Send + Sync + 'static) {
    // A process serves once.
    let _ = GAUGES.set(Box::new(gauges));
    exporter(root);
}

/// The watching of one run.
pub(crate) struct Tracing {
    exporter: Arc<Exporter>,
    calls: Arc<calls::Calls>,
}

/// Watches a run of a pipeline in this folder; none if nobody wants to know.
pub(crate) fn of_run(root: &Path) -> Option<Tracing> {
    let (exporter, most) = exporter(root)?;
    Some(Tracing { exporter, calls: Arc::new(calls::Calls::new(most)) })
}

fn exporter(root: &Path) -> Option<(Arc<Exporter>, usize)> {
    let otlp = crate::settings::read(root).ok()?.otlp;
    let target = match target::of(otlp.as_ref(), root, &|name| std::env::var(name).ok()) {
        Ok(target) => target?,
        Err(why) => {
            let mut told = TOLD.lock().unwrap_or_else(PoisonError::into_inner);
            if told.as_ref() != Some(&why) {
                crate::house::shout(&format!("no traces or metrics are sent: {why}"));
                *told = Some(why);
            }
            return None;
        }
    };
    let most = target.calls;
    let mut exporters = EXPORTERS.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some((_, exporter)) = exporters.iter().find(|(known, _)| *known == target) {
        return Some((Arc::clone(exporter), most));
    }
    let exporter = Exporter::begin(target.clone())?;
    exporters.push((target, Arc::clone(&exporter)));
    Some((exporter, most))
}

impl Tracing {
    /// The stages of the run, each call of which is watched.
    pub(crate) fn watch(&self, stages: Vec<Arc<dyn Stage>>) -> Vec<Arc<dyn Stage>> {
        stages.into_iter().map(|stage| calls::watched(stage, &self.calls)).collect()
    }

    /// The run has ended, or is left for a later host to finish.
    pub(crate) fn ended(&self, store: &Store, record: &RunRecord) {
        let Ok(events) = store.events(record.id) else { return };
        self.exporter.take(&made(record, &events, &self.calls));
    }
}

/// Tells of a run that was finished after the host that began it had died: its calls went with that host.
pub(crate) fn finished(root: &Path, store: &Store, record: &RunRecord) {
    let Some(tracing) = of_run(root) else { return };
    tracing.ended(store, record);
}

/// What is sent of one run.
struct Made {
    spans: Vec<serde_json::Value>,
    sums: Sums,
}

fn made(record: &RunRecord, events: &[(jiff::Timestamp, Event)], calls: &calls::Calls) -> Made {
    Made { spans: spans::of(record, events, calls), sums: Sums::of(record) }
}

/// Sends what is still to be sent, for a short while. At the end of the process.
pub(crate) fn end() {
    let exporters = std::mem::take(&mut *EXPORTERS.lock().unwrap_or_else(PoisonError::into_inner));
    for (_, exporter) in exporters {
        exporter.end(LAST_WORDS);
    }
}
