//! Runs of stages made of closures.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

mod ends;
mod fakes;
mod flow;
mod judging;
mod monitors;
mod parts;
mod poison;
mod replays;
mod retries;
mod survive;

use crate::conduct::conduct_tuned;
use crate::plan::{Clock, Observer, RunPlan, RunnerError};
use crate::run::Tuning;
use crate::size::GoodSize;
use fakes::{Fake, Notebook};
use jiff::Timestamp;
use sluicebox_model::cancel::Cancel;
use sluicebox_model::grant::Grants;
use sluicebox_model::limits::Limits;
use sluicebox_model::monitor::{History, Monitors};
use sluicebox_model::pipeline::{OnCrash, OnFault, Pipeline, Retry, StageSpans, StageSpec};
use sluicebox_model::run::{Interval, RunId, RunRecord, StageRecord, Trigger};
use sluicebox_model::stage::Stage;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

/// A run to be: stages by name, with what is special about each.
pub(crate) struct Trial {
    specs: Vec<StageSpec>,
    stages: Vec<Arc<dyn Stage>>,
    pub(crate) tuning: Tuning,
    pub(crate) journal: Notebook,
    pub(crate) cancel: Cancel,
    pub(crate) scratch: tempfile::TempDir,
    pub(crate) cores: usize,
    pub(crate) monitor: Monitors,
    pub(crate) history: History,
    /// Where checkpoints are kept, if they are.
    pub(crate) checkpoints: Option<std::path::PathBuf>,
}

impl Trial {
    pub(crate) fn new() -> Self {
        Self {
            specs: Vec::new(),
            stages: Vec::new(),
            tuning: Tuning { size: GoodSize { rows: 100, bytes: 1 << 20 }, ..Tuning::default() },
            journal: Notebook::default(),
            cancel: Cancel::new(),
            scratch: tempfile::tempdir().unwrap(),
            cores: 2,
            monitor: Monitors::default(),
            history: History::default(),
            checkpoints: None,
        }
    }

    pub(crate) fn stage(self, name: &str, inputs: &[&str], fake: Fake) -> Self {
        self.stage_with(name, inputs, fake, |_| {})
    }

    pub(crate) fn stage_with(
        mut self,
        name: &str,
        inputs: &[&str],
        fake: Fake,
        with: impl FnOnce(&mut StageSpec),
    ) -> Self {
        let mut spec = StageSpec {
            name: name.into(),
            plugin: fake.description.name.clone(),
            inputs: inputs.iter().map(|input| (*input).to_owned()).collect(),
            inputs_given: true,
            config: serde_json::Value::Null,
            grants: Grants::default(),
            limits: Limits::default(),
            retry: Retry { attempts: 1, backoff: Duration::ZERO },
            reject: None,
            on_fault: OnFault::Fail,
            parallel: None,
            deadline: None,
            checkpoint: None,
            spans: StageSpans::default(),
        };
        with(&mut spec);
        self.specs.push(spec);
        self.stages.push(Arc::new(fake));
        self
    }

    pub(crate) fn pipeline(&self) -> Pipeline {
        Pipeline {
            name: "trial".into(),
            description: None,
            owner: None,
            assumptions: Vec::new(),
            on_crash: OnCrash::Rerun,
            retries: 0,
            deadline: None,
            schedule: None,
            alerts: None,
            pool: None,
            pool_span: 0..0,
            priority: 0,
            monitor: self.monitor.clone(),
            stages: self.specs.clone(),
        }
    }

    pub(crate) fn plan(&self) -> RunPlan {
        let now = Timestamp::UNIX_EPOCH;
        RunPlan {
            id: RunId::new(now, [7; 10]),
            pipeline: self.pipeline(),
            text: String::new(),
            file: "trial.toml".into(),
            load_key: "trial".into(),
            repeats: None,
            history: self.history.clone(),
            parts: Vec::new(),
            restored: BTreeMap::new(),
            checkpoints: self.checkpoints.clone(),
            trigger: Trigger::Manual,
            interval: Interval { start: now, end: now },
            stages: self.stages.clone(),
            scratch: self.scratch.path().join("scratch"),
            cores: self.cores,
        }
    }

    pub(crate) fn run(&self) -> RunRecord {
        self.run_watched(&()).unwrap()
    }

    pub(crate) fn run_watched(&self, observer: &dyn Observer) -> Result<RunRecord, RunnerError> {
        let record = conduct_tuned(&self.plan(), &self.journal, &Epoch, &self.cancel, observer, self.tuning)?;
        let events = self.journal.events.lock().unwrap().clone();
        assert_eq!(record, RunRecord::fold(record.id, &events).unwrap(), "the record is the fold of the journal");
        Ok(record)
    }
}

/// A clock that stands still.
struct Epoch;

impl Clock for Epoch {
    fn now(&self) -> Timestamp {
        Timestamp::UNIX_EPOCH
    }
}

pub(crate) fn stage_of<'a>(record: &'a RunRecord, name: &str) -> &'a StageRecord {
    record.stages.iter().find(|stage| stage.entry.name == name).unwrap()
}

/// The states of all stages, in order.
pub(crate) fn states(record: &RunRecord) -> String {
    let words: Vec<&str> = record.stages.iter().map(|stage| stage.state.word()).collect();
    format!("{}: {}", record.state.word(), words.join(" "))
}
