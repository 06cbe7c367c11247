//! The limits that the engine asks about as it goes: memory, tables, and what passes any of them.

use sluicebox_model::fault::FaultKind;
use sluicebox_model::limits::Limits;
use std::time::Duration;
use wasmtime::ResourceLimiter;

/// A limit was passed. Ends the call and the instance.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Passed {
    #[error("it needed {wanted} of memory; the limit is {max}", wanted = bytes(*wanted), max = bytes(*max))]
    Memory { wanted: u64, max: u64 },
    #[error("{wanted} would cross between the stage and the host in one call; the limit is {max}",
        wanted = bytes(*wanted), max = bytes(*max))]
    Transfer { wanted: u64, max: u64 },
    #[error("more than {max} would cross between the stage and the host in one call", max = bytes(*max))]
    TransferText { max: u64 },
    #[error("it would hold {wanted} of batches; the limit is {max}", wanted = bytes(*wanted), max = bytes(*max))]
    Held { wanted: u64, max: u64 },
    #[error("it holds {max} handles, which is the limit")]
    Handles { max: u32 },
    #[error("it has {max} files and folders open, which is the limit")]
    Files { max: u32 },
    #[error(
        "it would list a folder, or several at once, of more than {max} entries, which is the most that the host keeps \
        for a stage"
    )]
    Entries { max: usize },
    #[error("it sent and received more than {} over the network", bytes(*max))]
    Network { max: u64 },
    #[error("it has {max} HTTP messages, fields and bodies at once, which is the most that the host keeps for a stage")]
    Messages { max: usize },
    #[error("the call ran longer than {}", span(*max))]
    Time { max: Duration },
    #[error("the run was cancelled")]
    Cancelled,
}

/// What helps a call that is given rows.
const SMALLER: &str = "give it smaller batches";
const FEWER: &str = "read fewer columns or smaller batches in one call";

impl Passed {
    /// What it is as a fault.
    pub(crate) fn kind(&self) -> FaultKind {
        match self {
            Self::Memory { .. } => FaultKind::Memory,
            Self::Transfer { .. } | Self::TransferText { .. } | Self::Held { .. } | Self::Handles { .. } => {
                FaultKind::Limit
            }
            Self::Network { .. } | Self::Messages { .. } | Self::Files { .. } | Self::Entries { .. } => {
                FaultKind::Limit
            }
            Self::Time { .. } => FaultKind::Timeout,
            Self::Cancelled => FaultKind::Cancelled,
        }
    }

    /// What to do instead, in a call of the contract.
    pub(crate) fn help(&self, call: &str) -> Option<String> {
        // A call that is given no rows cannot be given fewer.
        let is_given_rows = matches!(call, "process" | "check" | "write");
        let (key, now, other) = match self {
            Self::Memory { max, .. } => ("limits.memory", bytes(*max), is_given_rows.then_some(SMALLER)),
            Self::Transfer { max, .. } | Self::TransferText { max } => {
                let other = if is_given_rows { FEWER } else { "hand over less in one call" };
                ("limits.transfer", bytes(*max), Some(other))
            }
            Self::Held { max, .. } => ("limits.held", bytes(*max), Some("drop batches that are no longer needed")),
            Self::Handles { max } => {
                ("limits.handles", max.to_string(), Some("drop handles that are no longer needed"))
            }
            Self::Files { max } => ("limits.files", max.to_string(), Some("close files that are no longer needed")),
            Self::Entries { .. } => {
                return Some("keep the files in several folders, and let a run take one of them".to_owned());
            }
            Self::Network { max } => ("limits.network", bytes(*max), None),
            Self::Messages { .. } => return Some("drop those that are no longer needed".to_owned()),
            Self::Time { max } => ("limits.call", span(*max), is_given_rows.then_some(SMALLER)),
            Self::Cancelled => return None,
        };
        let other = other.map(|other| format!(", or {other}")).unwrap_or_default();
        Some(format!("raise `{key}`, now {now}{other}"))
    }
}

/// A number of bytes for people, in the units of pipeline files.
pub(crate) fn bytes(bytes: u64) -> String {
    for (unit, size) in [("GiB", 1_u64 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10)] {
        if bytes >= size {
            let tenths = (u128::from(bytes) * 10).div_ceil(u128::from(size));
            return match (tenths / 10, tenths % 10) {
                (whole, 0) => format!("{whole}{unit}"),
                (whole, tenth) => format!("{whole}.{tenth}{unit}"),
            };
        }
    }
    format!("{bytes}B")
}

/// A span of time for people, in the units of pipeline files.
pub(crate) fn span(span: Duration) -> String {
    match span.as_millis() {
        millis if millis % 1000 == 0 => format!("{}s", millis / 1000),
        millis => format!("{millis}ms"),
    }
}

/// Counts the memory of one instance: all of its linear memories and tables together.
#[derive(Debug)]
pub(crate) struct Memory {
    max: u64,
    now: u64,
    peak: u64,
    last_growth: u64,
}

/// Bytes of the host for each element of a table.
const TABLE_ELEMENT_BYTES: u64 = 8;
/// Core instances, memories and tables of one component; compilers make a handful.
pub(crate) const PARTS_MAX: usize = 1000;

impl Memory {
    pub(crate) fn new(limits: &Limits) -> Self {
        Self { max: limits.memory_bytes_max, now: 0, peak: 0, last_growth: 0 }
    }

    /// The most bytes at once.
    pub(crate) fn peak(&self) -> u64 {
        self.peak
    }

    fn grow(&mut self, by: u64) -> wasmtime::Result<bool> {
        let wanted = self.now.saturating_add(by);
        if wanted > self.max {
            return Err(Passed::Memory { wanted, max: self.max }.into());
        }
        self.now = wanted;
        self.last_growth = by;
        self.peak = self.peak.max(wanted);
        Ok(true)
    }

    fn shrink_back(&mut self) {
        self.now = self.now.saturating_sub(std::mem::take(&mut self.last_growth));
    }
}

impl ResourceLimiter for Memory {
    fn memory_growing(&mut self, current: usize, desired: usize, maximum: Option<usize>) -> wasmtime::Result<bool> {
        // A memory that may not grow so far by its own declaration gets its -1 without being counted.
        if maximum.is_some_and(|maximum| desired > maximum) {
            self.last_growth = 0;
            return Ok(false);
        }
        self.grow(desired.saturating_sub(current) as u64)
    }

    fn memory_grow_failed(&mut self, _error: wasmtime::Error) -> wasmtime::Result<()> {
        self.shrink_back();
        Ok(())
    }

    fn table_growing(&mut self, current: usize, desired: usize, maximum: Option<usize>) -> wasmtime::Result<bool> {
        if maximum.is_some_and(|maximum| desired > maximum) {
            self.last_growth = 0;
            return Ok(false);
        }
        self.grow((desired.saturating_sub(current) as u64).saturating_mul(TABLE_ELEMENT_BYTES))
    }

    fn table_grow_failed(&mut self, _error: wasmtime::Error) -> wasmtime::Result<()> {
        self.shrink_back();
        Ok(())
    }

    fn instances(&self) -> usize {
        PARTS_MAX
    }

    fn tables(&self) -> usize {
        PARTS_MAX
    }

    fn memories(&self) -> usize {
        PARTS_MAX
    }
}
