//! Rows of the queue, and what stands in their options.

use crate::trouble::Trouble;
use crate::wiring::new_run_id;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sluicebox_model::house::{QueueState, QueuedRun};
use sluicebox_model::pipeline::Pipeline;
use sluicebox_model::run::{Event, Interval, RunId, RunRecord, Trigger};
use sluicebox_schedule::file_trigger::Memory;
use std::path::PathBuf;

/// What a queued run is asked to do beyond running its pipeline as it is now.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", default)]
pub(super) struct RunOptions {
    /// A rerun that somebody asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rerun: Option<RerunOptions>,
    /// Rows that were set aside and go through the pipeline again.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub replay: Option<ReplayOptions>,
    /// It takes the place of a run that the host's death interrupted: with the text and the components of that run.
    #[serde(skip_serializing_if = "is_false")]
    pub interrupted: bool,
    /// Which of the retries of its pipeline it is; 0: the first try.
    #[serde(skip_serializing_if = "is_zero")]
    pub retry: u32,
    /// How often the host died while it ran, or while a run ran whose place it takes.
    #[serde(skip_serializing_if = "is_zero")]
    pub deaths: u32,
    /// It takes the place of a run that other runs or files had started.
    #[serde(skip_serializing_if = "is_false")]
    pub follows: bool,
    /// It makes up for a fire that was missed.
    #[serde(skip_serializing_if = "is_false")]
    pub catching_up: bool,
    /// Of several that do, it is not the first: it waits for those before it, and is not late for that.
    #[serde(skip_serializing_if = "is_false")]
    pub behind: bool,
    /// The files that it was started for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub files: Option<Memory>,
}

/// How a run is repeated.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", default)]
pub(super) struct RerunOptions {
    /// This stage and all behind it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,
    /// The stages that failed and all behind them.
    pub failed: bool,
    /// Today's pipeline file and plugins.
    pub latest: bool,
}

/// How rows that were set aside are replayed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", default)]
pub(super) struct ReplayOptions {
    /// The stage behind which they go on.
    pub stage: String,
    /// Whether loads may replace their targets by these rows alone.
    pub replace_targets: bool,
}

fn is_false(value: &bool) -> bool {
    !value
}

fn is_zero(value: &u32) -> bool {
    *value == 0
}

impl RunOptions {
    /// Those of a row.
    pub(super) fn of(queued: &QueuedRun) -> Self {
        serde_json::from_value(queued.options.clone()).unwrap_or_default()
    }

    /// As they stand in a row.
    pub(super) fn value(&self) -> Value {
        if *self == Self::default() { Value::Null } else { serde_json::to_value(self).unwrap_or_default() }
    }
}

/// Whether a run makes up for a fire that was missed.
pub(super) fn is_catching_up(queued: &QueuedRun) -> bool {
    // Most rows have no options, and this is asked of all of them.
    !queued.options.is_null() && RunOptions::of(queued).catching_up
}

/// Whether a run makes up for a fire that was missed, behind others that do.
pub(super) fn is_behind(queued: &QueuedRun) -> bool {
    !queued.options.is_null() && RunOptions::of(queued).behind
}

/// When a run should have started; none: at no time of its own, since somebody asked for it.
pub(super) fn due_at(queued: &QueuedRun) -> Option<Timestamp> {
    let has_time = queued.nominal.is_some() || follows(queued);
    has_time.then_some(queued.ready_at)
}

/// Whether other runs or files started a run, or the one whose place it takes.
pub(super) fn follows(queued: &QueuedRun) -> bool {
    queued.trigger == Trigger::Dependency || (!queued.options.is_null() && RunOptions::of(queued).follows)
}

/// A row for a run that is to start as soon as it can.
///
/// # Errors
/// The machine gives no randomness.
pub(super) fn row(
    name: &str,
    pipeline: Option<&Pipeline>,
    trigger: Trigger,
    interval: Interval,
    now: Timestamp,
) -> Result<QueuedRun, Trouble> {
    Ok(QueuedRun {
        run: new_run_id(now)?,
        pipeline: name.to_owned(),
        trigger,
        nominal: None,
        interval,
        queued_at: now,
        ready_at: now,
        priority: pipeline.map_or(0, |pipeline| pipeline.priority),
        pool: pipeline.and_then(|pipeline| pipeline.pool.clone()),
        repeats: None,
        options: Value::Null,
        state: QueueState::Waiting,
        reason: String::new(),
    })
}

/// The first event of a run that has not begun: without stages. `of` is its file with the text of it, and what the ids of its
/// loads would begin with.
pub(super) fn unbegun(queued: &QueuedRun, of: (PathBuf, String, String)) -> Event {
    let (file, text, load_key) = of;
    Event::RunQueued {
        pipeline: queued.pipeline.clone(),
        trigger: queued.trigger,
        interval: queued.interval,
        text,
        file,
        load_key,
        repeats: queued.repeats,
        stages: Vec::new(),
    }
}

/// A run that has not begun, as far as people have to be told of it.
pub(super) fn waiting(queued: &QueuedRun) -> Option<RunRecord> {
    RunRecord::fold(queued.run, &[(queued.queued_at, unbegun(queued, Default::default()))]).ok()
}

/// The key that lets a run be repeated once, for one reason.
pub(super) fn once(reason: &str, run: RunId) -> Option<String> {
    Some(format!("{reason}-{run}"))
}
