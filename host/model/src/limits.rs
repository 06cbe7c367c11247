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
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
