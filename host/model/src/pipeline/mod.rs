//! A pipeline: the stages declared in one TOML file.
//!
//! [`parse`](fn@parse) reads the file; [`connect`] and [`check_kinds`] go on once
//! the plugins are known.

mod alert;
mod grants;
mod graph;
pub mod kinds;
mod limits;
mod monitor;
mod options;
pub mod parse;
pub mod placeholder;
mod read;
mod schedule;
mod settings;
pub mod suggest;
#[cfg(test)]
mod tests;
pub mod units;

pub use kinds::{check_kinds, connect};
pub use parse::{Draft, draft, parse, stated};
pub use schedule::{After, AfterOn, CatchUp, FileTrigger, Overlap, Schedule, ScheduleSpans, Written};
pub use settings::{NetworkSettings, Otlp, ServeSettings, Settings, settings};

use crate::alert::AlertRule;
use crate::grant::Grants;
use crate::limits::Limits;
use crate::monitor::Monitors;
use crate::stage::Threshold;
use serde::Serialize;
use std::ops::Range;
use std::time::Duration;

/// A pipeline as its file declares it, checked as far as the file alone allows.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Pipeline {
    /// Lower-case letters, digits, `-` and `_`.
    pub name: String,
    /// What it is for.
    pub description: Option<String>,
    /// Who answers for it.
    pub owner: Option<String>,
    /// What its author takes for granted.
    pub assumptions: Vec<String>,
    /// What becomes of a run that the host's death interrupted.
    pub on_crash: OnCrash,
    /// How often a run that failed runs again by itself.
    pub retries: u32,
    /// How long a run may take.
    pub deadline: Option<Duration>,
    /// When it runs by itself.
    pub schedule: Option<Schedule>,
    /// Who is told of what; none: as `sluicebox.toml` says.
    pub alerts: Option<Vec<AlertRule>>,
    /// The pool whose places its runs share with those of other pipelines.
    pub pool: Option<String>,
    /// Where that stands in the text.
    #[serde(skip)]
    pub pool_span: Range<usize>,
    /// Runs of a higher one start first.
    pub priority: i32,
    /// What its author expects of what it loads.
    pub monitor: Monitors,
    /// In the order of the file; inputs name stages of this list.
    pub stages: Vec<StageSpec>,
}

/// What becomes of a run that the host's death interrupted before its loads were committed. Afterwards it is committed,
/// whatever stands here.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum OnCrash {
    /// It runs again, for the same interval.
    #[default]
    Rerun,
    /// It stays failed.
    Leave,
}

/// One stage as the file declares it.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct StageSpec {
    /// Unique within the pipeline.
    pub name: String,
    /// The plugin's name.
    pub plugin: String,
    /// The stages that feed it, in order. None given in the file: the stage above, if this is no extract.
    pub inputs: Vec<String>,
    /// Whether `inputs` stands in the file.
    pub inputs_given: bool,
    /// The options, with `${...}` not yet filled in; null in a draft whose options are no table.
    pub config: serde_json::Value,
    /// What the stage may reach.
    pub grants: Grants,
    /// What the stage may use.
    pub limits: Limits,
    /// How often a call is tried.
    pub retry: Retry,
    /// Most rows that a validate may reject, or an extract set aside, before the run fails.
    pub reject: Option<Threshold>,
    /// How long the stage may take, from its start to its end.
    pub deadline: Option<Duration>,
    /// Whether what it passes on is kept, so that a later run can start behind it; none: only for extracts.
    pub checkpoint: Option<bool>,
    /// What becomes of rows that a stateless stage fails on.
    pub on_fault: OnFault,
    /// Instances of a stateless stage or of a split extract; none: by the machine's cores.
    pub parallel: Option<u32>,
    /// Where it stands in the text.
    #[serde(skip)]
    pub spans: StageSpans,
}

/// Attempts at one call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Retry {
    /// The first included; at least 1.
    pub attempts: u32,
    /// Wait before the second attempt; doubled for each one after.
    pub backoff: Duration,
}

impl Default for Retry {
    fn default() -> Self {
        Self { attempts: 1, backoff: Duration::from_secs(1) }
    }
}

/// What becomes of rows that a stage fails on, attempts spent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum OnFault {
    /// The run fails.
    #[default]
    Fail,
    /// The batch is split until the rows at fault are alone; those are quarantined. Stateless stages only.
    Quarantine,
}

/// Byte ranges of a stage's parts in the text of the file. A part that does not stand there has the range of the stage's
/// name.
#[derive(Clone, Debug, Default)]
pub struct StageSpans {
    /// Its `[[stage]]` line: what stands from there to the next one is the stage.
    pub header: Range<usize>,
    /// The value of `name`.
    pub name: Range<usize>,
    /// The value of `plugin`.
    pub plugin: Range<usize>,
    /// The value of `inputs`, or the stage's name where there is none.
    pub inputs: Range<usize>,
    /// Each of the names in `inputs`.
    pub input_items: Vec<Range<usize>>,
    /// The value of `grants`, or the stage's name where there is none.
    pub grants: Range<usize>,
    /// Each value within `grants`, by JSON pointer (`/read`, `/read/0`, `/clock`).
    pub grant_items: Vec<(String, Range<usize>)>,
    /// The value of `on-fault`.
    pub on_fault: Range<usize>,
    /// The value of `reject`.
    pub reject: Range<usize>,
    /// Each value within `config`, by JSON pointer (`""` is the whole, `/columns/speed`, `/rules/0/column`).
    pub config: Vec<(String, Range<usize>)>,
    /// Each key within `config`, by the same JSON pointers.
    pub config_keys: Vec<(String, Range<usize>)>,
}

impl StageSpans {
    /// Where the option stands that the JSON pointer names, or the nearest above it that does.
    pub fn option(&self, pointer: &str) -> Range<usize> {
        nearest(&self.config, pointer).unwrap_or_else(|| self.plugin.clone())
    }

    /// Where the key of that option stands, or else its value.
    pub fn option_key(&self, pointer: &str) -> Range<usize> {
        let exact = self.config_keys.iter().find(|(path, _)| path == pointer);
        exact.map_or_else(|| self.option(pointer), |(_, span)| span.clone())
    }

    /// Where the grant stands that the JSON pointer names, or the nearest above it that does.
    pub fn grant(&self, pointer: &str) -> Range<usize> {
        nearest(&self.grant_items, pointer).unwrap_or_else(|| self.grants.clone())
    }
}

fn nearest(spans: &[(String, Range<usize>)], pointer: &str) -> Option<Range<usize>> {
    let mut pointer = pointer;
    loop {
        if let Some((_, span)) = spans.iter().find(|(path, _)| path == pointer) {
            return Some(span.clone());
        }
        pointer = pointer.rsplit_once('/')?.0;
    }
}

/// Whether a problem keeps the pipeline from running.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum ProblemLevel {
    /// It does.
    #[default]
    Error,
    /// It does not, but it is hardly what was meant.
    Warning,
}

/// Something wrong in a pipeline file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Problem {
    /// Whether it keeps the pipeline from running.
    pub level: ProblemLevel,
    /// What is wrong.
    pub message: String,
    /// Where, in bytes of the text.
    pub span: Range<usize>,
    /// A word or two to stand at that place.
    pub label: Option<String>,
    /// Other places that have to do with it, each with what is to be said there.
    pub also: Vec<(Range<usize>, String)>,
    /// What to write instead.
    pub help: Option<String>,
}

impl Problem {
    /// A problem that keeps the pipeline from running.
    pub fn error(span: Range<usize>, message: impl Into<String>) -> Self {
        Self { message: message.into(), span, ..Self::default() }
    }

    /// A problem that does not.
    pub fn warning(span: Range<usize>, message: impl Into<String>) -> Self {
        Self { level: ProblemLevel::Warning, ..Self::error(span, message) }
    }

    /// Says what to write instead.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// Says a word or two at the place.
    #[must_use]
    pub fn label(mut self, label: impl Into<String>) -> Self {
        self.label = Some(label.into());
        self
    }

    /// Points to another place that has to do with it.
    #[must_use]
    pub fn also(mut self, span: Range<usize>, label: impl Into<String>) -> Self {
        self.also.push((span, label.into()));
        self
    }

    /// Whether it keeps the pipeline from running.
    pub fn is_error(&self) -> bool {
        self.level == ProblemLevel::Error
    }
}
