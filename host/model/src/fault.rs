//! Why a stage failed, and whether trying again can help.

use serde::{Deserialize, Serialize};
use std::fmt;

/// What sort of failure it was. The first five are what a guest can say; the others are what the host saw.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FaultKind {
    /// The options do not fit: the author of the pipeline has to change the file.
    InvalidConfig,
    /// The data cannot be worked on.
    InvalidData,
    /// Something was needed that the stage was not granted.
    Denied,
    /// Something outside does not answer now.
    Unavailable,
    /// The stage says that it made a mistake.
    Internal,
    /// The guest trapped: a panic, a wild pointer, a stack overflow.
    Trap,
    /// The guest ended itself with an exit code.
    Exit,
    /// The call ran longer than `limits.call`.
    Timeout,
    /// The instance needed more memory than `limits.memory`.
    Memory,
    /// Another limit was passed: handles, bytes held, bytes handed over.
    Limit,
    /// What the guest handed over broke the contract.
    Contract,
    /// More rows broke a rule, or were set aside, than the pipeline allows.
    Threshold,
    /// The stage or the run took longer than its `deadline`.
    Deadline,
    /// The run was cancelled.
    Cancelled,
    /// The host itself could not go on: its disk, its store.
    Host,
}

impl FaultKind {
    /// Whether the same call on a fresh instance may end otherwise.
    ///
    /// Only what is outside, or what a hostile or buggy guest did once, is worth another try; a wrong option or a wrong
    /// row stays wrong.
    pub fn worth_retrying(self) -> bool {
        matches!(self, Self::Unavailable | Self::Trap | Self::Timeout | Self::Memory | Self::Limit | Self::Exit)
    }

    /// Whether the rows of the batch can be what caused it, so that splitting the batch may find them.
    pub fn may_be_the_rows(self) -> bool {
        matches!(
            self,
            Self::InvalidData
                | Self::Internal
                | Self::Trap
                | Self::Exit
                | Self::Timeout
                | Self::Memory
                | Self::Limit
                | Self::Contract
        )
    }

    /// The word used in JSON, tables and messages.
    pub fn word(self) -> &'static str {
        match self {
            Self::InvalidConfig => "invalid-config",
            Self::InvalidData => "invalid-data",
            Self::Denied => "denied",
            Self::Unavailable => "unavailable",
            Self::Internal => "internal",
            Self::Trap => "trap",
            Self::Exit => "exit",
            Self::Timeout => "timeout",
            Self::Memory => "memory",
            Self::Limit => "limit",
            Self::Contract => "contract",
            Self::Threshold => "threshold",
            Self::Deadline => "deadline",
            Self::Cancelled => "cancelled",
            Self::Host => "host",
        }
    }
}

impl fmt::Display for FaultKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

/// Why a stage could not do what it was asked.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Fault {
    /// What sort of failure.
    pub kind: FaultKind,
    /// The stage's name; empty until the runner fills it in.
    #[serde(default)]
    pub stage: String,
    /// The function of the contract, e.g. `process`; `instantiate` before the first call.
    pub call: String,
    /// The batch of the stage's input, counted from 0.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub batch: Option<u64>,
    /// First row at fault and one past the last, counted from 0 over all the rows that the stage was given on that
    /// input.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rows: Option<(u64, u64)>,
    /// For people: what is wrong, with the guest's panic text or the limit that was passed.
    pub message: String,
    /// What to do instead, e.g. the key that raises the limit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub help: Option<String>,
    /// The guest's own backtrace, where there was a trap.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub backtrace: Option<String>,
}

impl Fault {
    /// A fault of a call; stage, batch and rows are filled in by whoever knows them.
    pub fn new(kind: FaultKind, call: impl Into<String>, message: impl Into<String>) -> Self {
        Self {
            kind,
            stage: String::new(),
            call: call.into(),
            batch: None,
            rows: None,
            message: message.into(),
            help: None,
            backtrace: None,
        }
    }

    /// Says what to do instead.
    #[must_use]
    pub fn with_help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// Names the stage.
    #[must_use]
    pub fn of_stage(mut self, stage: &str) -> Self {
        self.stage = stage.to_owned();
        self
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.stage.is_empty() {
            write!(f, "stage `{}`: ", self.stage)?;
        }
        write!(f, "{} in `{}`", self.kind, self.call)?;
        if let Some(batch) = self.batch {
            write!(f, ", batch {batch}")?;
        }
        match self.rows {
            Some((from, to)) if to == from + 1 => write!(f, ", row {from}")?,
            Some((from, to)) => write!(f, ", rows {from} to {}", to.saturating_sub(1))?,
            None => {}
        }
        write!(f, ": {}", self.message)
    }
}

impl std::error::Error for Fault {}
