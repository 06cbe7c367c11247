//! How much of the machine a stage may use. Every limit is on by default and can be set for each stage.

use serde::{Deserialize, Serialize};
use std::time::Duration;

/// The limits of one stage; each holds for every instance of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Limits {
    /// Bytes of all linear memories of an instance together. `limits.memory`
    pub memory_bytes_max: u64,
    /// Time of one call. `limits.call`
    pub call_max: Duration,
    /// Bytes of the guest's native stack. `limits.stack`
    pub stack_bytes_max: u64,
    /// Bytes that may cross in one call, both ways, copies of columns included. `limits.transfer`
    pub transfer_bytes_max: u64,
    /// Handles that an instance may hold at once. `limits.handles`
    pub handles_max: u32,
    /// Bytes of the batches that an instance may hold at once. `limits.held`
    pub held_bytes_max: u64,
    /// Bytes of log, standard output and standard error of the stage in a run. `limits.log`
    pub log_bytes_max: u64,
    /// Bytes of the component file. `limits.component`
    pub component_bytes_max: u64,
}

impl Default for Limits {
    fn default() -> Self {
        const MIB: u64 = 1024 * 1024;
        Self {
            memory_bytes_max: 256 * MIB,
            call_max: Duration::from_secs(10),
            stack_bytes_max: MIB,
            transfer_bytes_max: 256 * MIB,
            handles_max: 10_000,
            held_bytes_max: 256 * MIB,
            log_bytes_max: MIB,
            component_bytes_max: 64 * MIB,
        }
    }
}

/// Columns of one batch; a pipeline with more has rows where columns stand.
pub const COLUMNS_MAX: usize = 100_000;
/// Bytes of a column's name.
pub const COLUMN_NAME_BYTES_MAX: usize = 64 * 1024;
/// How deep the type of a column may be nested: lists in lists, structs in structs.
pub const TYPE_DEPTH_MAX: usize = 64;
/// Rows of a batch without columns, and of a column that has no bytes of its own: nothing else bounds them.
pub const EMPTY_ROWS_MAX: u64 = 1 << 24;
/// Bytes of the JSON Schema with which a plugin describes its options.
pub const CONFIG_SCHEMA_BYTES_MAX: usize = 1024 * 1024;
/// Counters of one stage in a run.
pub const COUNTERS_MAX: usize = 1000;
/// Calls that a stage may spend on finding the rows that it fails on, in a run.
pub const POISON_CALLS_MAX: u64 = 10_000;
/// Time that a stage may spend on it, in a run.
pub const POISON_TIME_MAX: Duration = Duration::from_secs(600);

/// Processor time to compile any component.
const COMPILE_TIME: Duration = Duration::from_secs(10);
/// Processor time to compile, for each MiB of the component; code of a compiler takes a third of it at most.
const COMPILE_TIME_PER_MIB: Duration = Duration::from_secs(10);
/// Memory to compile any component, in bytes.
const COMPILE_MEMORY_BYTES: u64 = 1024 * 1024 * 1024;
/// Memory to compile, in bytes for each byte of the component.
const COMPILE_MEMORY_FACTOR: u64 = 64;

/// Processor time that compiling a component of so many bytes may take, in whole seconds: 10 s, and 10 s for each MiB.
pub fn compile_time_max(component_bytes: u64) -> Duration {
    let per_mib = COMPILE_TIME_PER_MIB.as_secs().saturating_mul(component_bytes).div_ceil(1024 * 1024);
    COMPILE_TIME.saturating_add(Duration::from_secs(per_mib))
}

/// Bytes of memory that compiling a component of so many bytes may take: 1 GiB, and 64 times its size.
pub fn compile_memory_bytes_max(component_bytes: u64) -> u64 {
    COMPILE_MEMORY_BYTES.saturating_add(component_bytes.saturating_mul(COMPILE_MEMORY_FACTOR))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_compiling_may_take_grows_with_the_component() {
        assert_eq!(compile_time_max(0), Duration::from_secs(10));
        assert_eq!(compile_time_max(1), Duration::from_secs(11));
        assert_eq!(compile_time_max(20 * 1024 * 1024), Duration::from_secs(210));
        assert_eq!(compile_memory_bytes_max(1024 * 1024), 1088 * 1024 * 1024);
        assert_eq!(compile_memory_bytes_max(u64::MAX), u64::MAX);
    }
}
