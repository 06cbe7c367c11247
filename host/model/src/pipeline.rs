//! A pipeline: the stages declared in one TOML file.

use crate::grant::Grants;
use crate::limits::Limits;
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
    /// In the order of the file; inputs name stages of this list.
    pub stages: Vec<StageSpec>,
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
    /// The options, with `${...}` not yet filled in.
    pub config: serde_json::Value,
    /// What the stage may reach.
    pub grants: Grants,
    /// What the stage may use.
    pub limits: Limits,
    /// How often a call is tried.
    pub retry: Retry,
    /// Most rows that a validate may reject, or an extract set aside, before the run fails.
    pub reject: Option<Threshold>,
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

/// Byte ranges of a stage's parts in the text of the file.
#[derive(Clone, Debug, Default)]
pub struct StageSpans {
    /// The value of `name`.
    pub name: Range<usize>,
    /// The value of `plugin`.
    pub plugin: Range<usize>,
    /// The value of `inputs`, or the stage's name where there is none.
    pub inputs: Range<usize>,
    /// The value of `grants`, or the stage's name where there is none.
    pub grants: Range<usize>,
    /// Each value within `config`, by JSON pointer (`""` is the whole, `/columns/speed`, `/rules/0/column`).
    pub config: Vec<(String, Range<usize>)>,
}

/// Something wrong in a pipeline file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// What is wrong.
    pub message: String,
    /// Where, in bytes of the text.
    pub span: Range<usize>,
    /// What to write instead.
    pub help: Option<String>,
}
