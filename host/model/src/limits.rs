//! How much of the machine a stage may use. Every limit is on by default and can be set for each stage.

use serde::{Deserialize, Serialize};
use std::fmt;
use std::time::Duration;

/// How much there may be of something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bound {
    /// So many.
    Count(u64),
    /// So many bytes.
    Bytes(u64),
    /// So long.
    Time(Duration),
}

impl fmt::Display for Bound {
    /// In the units of pipeline files, the largest that it is a whole number of.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (number, units): (u128, &[(&str, u128)]) = match self {
            Self::Count(count) => return write!(f, "{count}"),
            Self::Bytes(bytes) => {
                (u128::from(*bytes), &[("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10), ("B", 1)])
            }
            Self::Time(time) => {
                (time.as_millis(), &[("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1000), ("ms", 1)])
            }
        };
        let whole = units.iter().find(|(_, size)| number >= *size && number.is_multiple_of(*size));
        match whole {
            Some((unit, size)) => write!(f, "{}{unit}", number / size),
            None => write!(f, "0"),
        }
    }
}

/// A limit as `docs/limits.md` lists it. Each crate lists its own beside what they bound.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stated {
    /// What is bounded, for people.
    pub what: &'static str,
    /// How much there may be, unless a key says otherwise.
    pub bound: Bound,
    /// The key of a pipeline file or of `sluicebox.toml` that changes it; none: it is fixed.
    pub key: Option<&'static str>,
}

impl Stated {
    /// A limit that a key changes.
    pub fn keyed(what: &'static str, bound: Bound, key: &'static str) -> Self {
        Self { what, bound, key: Some(key) }
    }

    /// A limit that nothing changes.
    pub fn fixed(what: &'static str, bound: Bound) -> Self {
        Self { what, bound, key: None }
    }

    /// A fixed number.
    pub fn count(what: &'static str, count: usize) -> Self {
        Self::fixed(what, Bound::Count(count as u64))
    }

    /// A fixed number of bytes.
    pub fn bytes(what: &'static str, bytes: usize) -> Self {
        Self::fixed(what, Bound::Bytes(bytes as u64))
    }

    /// A fixed time.
    pub fn time(what: &'static str, time: Duration) -> Self {
        Self::fixed(what, Bound::Time(time))
    }
}

/// The limits of one stage; each holds for every instance of it, but for those of what the host keeps on the disk, and of
/// its log, which hold for the stage in a run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", default)]
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
    /// Connections that an instance may have at once, with the names that it has looked up meanwhile.
    /// `limits.connections`
    pub connections_max: u32,
    /// Connections that an instance may open in its life, with the names that it has looked up.
    /// `limits.connections-total`
    pub connections_total_max: u32,
    /// Bytes that an instance may send and receive in its life. `limits.network`
    pub network_bytes_max: u64,
    /// Files and folders that an instance may have open at once. `limits.files`
    pub files_max: u32,
    /// Bytes of the checkpoint of the stage. `limits.checkpoint`
    pub checkpoint_bytes_max: u64,
    /// Bytes of the rows and records that the stage sets aside. `limits.quarantine`
    pub quarantine_bytes_max: u64,
    /// Bytes that wait on the disk, since a stage behind is not ready for them. `limits.spill`
    pub spill_bytes_max: u64,
    /// Calls that the stage may spend on finding poison rows, in a run. `limits.poison-calls`
    pub poison_calls_max: u32,
    /// Time that the stage may spend on it, in a run. `limits.poison-time`
    pub poison_time_max: Duration,
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
            connections_max: 16,
            connections_total_max: 10_000,
            network_bytes_max: 1024 * MIB,
            files_max: 256,
            checkpoint_bytes_max: 10 * 1024 * MIB,
            quarantine_bytes_max: 1024 * MIB,
            spill_bytes_max: 10 * 1024 * MIB,
            poison_calls_max: 10_000,
            poison_time_max: Duration::from_secs(600),
        }
    }
}

/// Bytes of a component file, whatever `limits.component` says: plugins are asked what they are before a stage names them.
pub const COMPONENT_BYTES_MAX: u64 = 128 * 1024 * 1024;
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

impl Limits {
    /// The limits of a stage with their defaults, for `docs/limits.md`.
    pub fn stated() -> Vec<Stated> {
        use Bound::{Bytes, Count, Time};
        // Taken apart, so that a limit that is added is not forgotten here.
        let Self {
            memory_bytes_max,
            call_max,
            stack_bytes_max,
            transfer_bytes_max,
            handles_max,
            held_bytes_max,
            log_bytes_max,
            component_bytes_max,
            connections_max,
            connections_total_max,
            network_bytes_max,
            files_max,
            checkpoint_bytes_max,
            quarantine_bytes_max,
            spill_bytes_max,
            poison_calls_max,
            poison_time_max,
        } = Self::default();
        vec![
            Stated::keyed("all memories and tables of an instance", Bytes(memory_bytes_max), "limits.memory"),
            Stated::keyed("one call, waiting included", Time(call_max), "limits.call"),
            Stated::keyed("the stack of a guest", Bytes(stack_bytes_max), "limits.stack"),
            Stated::keyed("what crosses in one call, both ways", Bytes(transfer_bytes_max), "limits.transfer"),
            Stated::keyed("handles that an instance holds", Count(handles_max.into()), "limits.handles"),
            Stated::keyed("batches that an instance holds", Bytes(held_bytes_max), "limits.held"),
            Stated::keyed("log, standard output and error of a stage in a run", Bytes(log_bytes_max), "limits.log"),
            Stated::keyed("the component file", Bytes(component_bytes_max), "limits.component"),
            Stated::keyed("connections of an instance at once", Count(connections_max.into()), "limits.connections"),
            Stated::keyed(
                "connections of an instance in its life",
                Count(connections_total_max.into()),
                "limits.connections-total",
            ),
            Stated::keyed("sent and received by an instance in its life", Bytes(network_bytes_max), "limits.network"),
            Stated::keyed("files and folders that an instance has open", Count(files_max.into()), "limits.files"),
            Stated::keyed("the checkpoint of a stage in a run", Bytes(checkpoint_bytes_max), "limits.checkpoint"),
            Stated::keyed("what a stage sets aside in a run", Bytes(quarantine_bytes_max), "limits.quarantine"),
            Stated::keyed("what waits on the disk for a stage behind", Bytes(spill_bytes_max), "limits.spill"),
            Stated::keyed(
                "calls of a stage to find poison rows",
                Count(poison_calls_max.into()),
                "limits.poison-calls",
            ),
            Stated::keyed("time of a stage to find poison rows", Time(poison_time_max), "limits.poison-time"),
        ]
    }
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

    #[test]
    fn bounds_are_shown_as_files_have_them() {
        let shown = [
            Bound::Bytes(256 << 20),
            Bound::Bytes(10 << 30),
            Bound::Bytes(1000),
            Bound::Bytes(65_528),
            Bound::Bytes(0),
            Bound::Count(10_000),
            Bound::Time(Duration::from_millis(1500)),
            Bound::Time(Duration::from_secs(10)),
            Bound::Time(Duration::from_secs(90)),
            Bound::Time(Duration::from_secs(7 * 86_400)),
        ];
        let told = shown.map(|bound| bound.to_string());
        assert_eq!(told, ["256MiB", "10GiB", "1000B", "65528B", "0", "10000", "1500ms", "10s", "90s", "7d"]);
    }
}
