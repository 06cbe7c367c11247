//! The flights job, conducted in this process through the library.

use crate::bed::Bed;
use crate::measure::own_cpu;
use anyhow::{Context, Result, bail};
use jiff::Timestamp;
use sluicebox_model::cancel::Cancel;
use sluicebox_model::journal::{FailedCall, Journal, JournalError, Quarantined};
use sluicebox_model::monitor::History;
use sluicebox_model::pipeline::{self, Pipeline};
use sluicebox_model::run::{Event, Interval, RunId, RunRecord, RunState, Trigger};
use sluicebox_model::stage::{LogLine, Stage};
use sluicebox_runner::{RunPlan, SystemClock, conduct};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// A journal that nothing outlives: events are held against the rules, as the store does, and forgotten with the run.
#[derive(Default)]
pub(crate) struct Memory {
    record: Mutex<Option<RunRecord>>,
}

impl Journal for Memory {
    fn append(&self, run: RunId, at: Timestamp, events: &[Event]) -> Result<(), JournalError> {
        let told = |error: sluicebox_model::run::IllegalEvent| JournalError(error.to_string());
        let mut record = self.record.lock().unwrap_or_else(PoisonError::into_inner);
        for event in events {
            match record.as_mut() {
                Some(record) => record.apply(at, event).map_err(told)?,
                None => *record = Some(RunRecord::fold(run, &[(at, event.clone())]).map_err(told)?),
            }
        }
        Ok(())
    }

    fn log(&self, _: RunId, _: &str, _: Timestamp, _: &[LogLine]) -> Result<(), JournalError> {
        Ok(())
    }

    fn quarantine(&self, _: RunId, _: &str, _: Timestamp, _: &Quarantined) -> Result<(), JournalError> {
        Ok(())
    }

    fn keep_call(&self, _: RunId, _: &FailedCall) -> Result<(), JournalError> {
        Ok(())
    }

    fn bookmark(&self, _: &str, _: &str) -> Result<Option<String>, JournalError> {
        Ok(None)
    }
}

/// The job, its stages bound again for each run: what a stage may log is counted from there.
pub(crate) struct Job<'a> {
    bed: &'a Bed,
    root: &'a Path,
    text: String,
    pipeline: Pipeline,
    /// Makes the ids of runs.
    number: u64,
}

impl<'a> Job<'a> {
    pub(crate) fn new(bed: &'a Bed, root: &'a Path, text: String) -> Result<Self> {
        let mut pipeline = pipeline::parse(&text).map_err(|problems| {
            anyhow::anyhow!("{}", problems.first().map_or("no pipeline", |problem| problem.message.as_str()))
        })?;
        let kinds: Vec<_> = pipeline.stages.iter().map(|stage| bed.kind(&stage.plugin)).collect();
        pipeline::connect(&mut pipeline, &kinds);
        Ok(Self { bed, root, text, pipeline, number: 0 })
    }

    /// Conducts the job; answers with the CPU time of this process, all of its threads, meanwhile.
    pub(crate) fn run(&mut self, journal: &dyn Journal, checkpoints: Option<&Path>) -> Result<Duration> {
        self.number += 1;
        let now = Timestamp::now();
        let id = RunId::new(now, (u128::from(self.number) << 40).to_le_bytes().split_at(10).0.try_into()?);
        let stages: Vec<Arc<dyn Stage>> =
            self.pipeline.stages.iter().map(|stage| self.bed.bind(stage, self.root)).collect::<Result<_>>()?;
        let checkpoints = checkpoints.map(|folder| folder.join(id.to_string()));
        let plan = RunPlan {
            id,
            pipeline: self.pipeline.clone(),
            text: self.text.clone(),
            file: self.root.join("flights.toml"),
            load_key: "bench".to_owned(),
            repeats: None,
            history: History::default(),
            parts: Vec::new(),
            restored: BTreeMap::new(),
            checkpoints: checkpoints.clone(),
            trigger: Trigger::Manual,
            interval: Interval { start: now, end: now },
            stages,
            scratch: self.root.join("scratch"),
            cores: std::thread::available_parallelism().map_or(1, usize::from),
        };
        let before = own_cpu()?;
        let record = conduct(&plan, journal, &SystemClock, &Cancel::new(), &())?;
        let took = own_cpu()?.saturating_sub(before);
        if record.state != RunState::Succeeded {
            bail!("the run ended as {}: {:?}", record.state.word(), record.fault);
        }
        if let Some(folder) = checkpoints {
            let kept = folder.join("read.arrows");
            anyhow::ensure!(kept.metadata().is_ok_and(|file| file.len() > 1_000_000), "no checkpoint was kept");
            std::fs::remove_dir_all(folder)?;
        }
        Ok(took)
    }
}

/// The text of the job's pipeline file, reading the whole year, after its data was copied below `root`.
pub(crate) fn prepare(data: &Path, root: &Path) -> Result<String> {
    std::fs::create_dir_all(root.join("data"))?;
    for name in ["flights.csv", "airlines.csv"] {
        std::fs::copy(data.join(name), root.join("data").join(name))?;
    }
    let text = std::fs::read_to_string(example()).context("the flights example cannot be read")?;
    Ok(text.replace("flights-2013-01-w1.csv", "flights.csv"))
}

fn example() -> PathBuf {
    // The root of the workspace, whichever package of `bench/` this is built into.
    let mut above = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors();
    let root = above.find(|folder| folder.join("examples").is_dir()).unwrap_or(Path::new("."));
    root.join("examples/flights/flights.toml")
}
