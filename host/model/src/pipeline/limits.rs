//! The `limits` of a stage.

use super::read::{Problems, Table};
use super::units;
use crate::limits::{Bound, COMPONENT_BYTES_MAX, Limits, Stated};

/// What `limits.handles` may be.
const HANDLES_MAX: u32 = 10_000_000;
/// What `limits.connections` may be: each is a descriptor of the host, of which a process has few.
const CONNECTIONS_MAX: u32 = 256;
/// What `limits.connections-total` may be.
const CONNECTIONS_TOTAL_MAX: u32 = 10_000_000;
/// What `limits.files` may be: each is a descriptor of the host, of which a process has few.
const FILES_MAX: u32 = 10_000;
/// What `limits.poison-calls` may be.
const POISON_CALLS_MAX: u32 = 10_000_000;

/// What a stage's limits are called.
pub(super) const KEYS: [&str; 17] = [
    "memory",
    "call",
    "stack",
    "transfer",
    "handles",
    "held",
    "log",
    "component",
    "connections",
    "connections-total",
    "network",
    "files",
    "checkpoint",
    "quarantine",
    "spill",
    "poison-calls",
    "poison-time",
];

/// What the limits of a stage may be at most, for `docs/limits.md`.
pub(super) fn stated() -> Vec<Stated> {
    vec![
        Stated::count("`limits.handles`", HANDLES_MAX as usize),
        Stated::fixed("`limits.component`", Bound::Bytes(COMPONENT_BYTES_MAX)),
        Stated::count("`limits.connections`", CONNECTIONS_MAX as usize),
        Stated::count("`limits.connections-total`", CONNECTIONS_TOTAL_MAX as usize),
        Stated::count("`limits.files`", FILES_MAX as usize),
        Stated::count("`limits.poison-calls`", POISON_CALLS_MAX as usize),
    ]
}

/// Reads them; those that are not there are the default.
pub(super) fn read(table: &Table<'_>, problems: &mut Problems) -> Limits {
    // Less than a page of memory, or no time at all, and no stage can even start.
    const PAGE: u64 = 64 * 1024;
    table.known_keys(&KEYS, &[("time", "did you mean `call`?"), ("timeout", "did you mean `call`?")], problems);
    let mut limits = Limits::default();
    let sizes = [
        ("memory", &mut limits.memory_bytes_max, PAGE, u64::MAX),
        ("stack", &mut limits.stack_bytes_max, PAGE, u64::MAX),
        ("transfer", &mut limits.transfer_bytes_max, 1, u64::MAX),
        ("held", &mut limits.held_bytes_max, 1, u64::MAX),
        ("log", &mut limits.log_bytes_max, 0, u64::MAX),
        ("component", &mut limits.component_bytes_max, 1, COMPONENT_BYTES_MAX),
        ("network", &mut limits.network_bytes_max, 1, u64::MAX),
        ("checkpoint", &mut limits.checkpoint_bytes_max, 0, u64::MAX),
        ("quarantine", &mut limits.quarantine_bytes_max, 0, u64::MAX),
        ("spill", &mut limits.spill_bytes_max, 0, u64::MAX),
    ];
    for (key, slot, least, most) in sizes {
        let parse = |text: &str| match units::size(text)? {
            bytes if bytes < least && least == PAGE => Err("at least \"64KiB\", one page of memory".to_owned()),
            bytes if bytes < least => Err("it has to be more than nothing".to_owned()),
            bytes if bytes > most => Err(format!("at most \"{}\"", Bound::Bytes(most))),
            bytes => Ok(bytes),
        };
        if let Some(bytes) = table.quantity(key, "a size", parse, problems) {
            *slot = bytes;
        }
    }
    let times = [
        ("call", &mut limits.call_max, "a call needs some time"),
        ("poison-time", &mut limits.poison_time_max, "`on-fault = \"fail\"` looks for no rows at all"),
    ];
    for (key, slot, none) in times {
        let parse = |text: &str| match units::duration(text)? {
            time if time.is_zero() => Err(none.to_owned()),
            time => Ok(time),
        };
        if let Some(time) = table.quantity(key, "a duration", parse, problems) {
            *slot = time;
        }
    }
    let numbers = [
        ("handles", &mut limits.handles_max, HANDLES_MAX),
        ("connections", &mut limits.connections_max, CONNECTIONS_MAX),
        ("connections-total", &mut limits.connections_total_max, CONNECTIONS_TOTAL_MAX),
        ("files", &mut limits.files_max, FILES_MAX),
        ("poison-calls", &mut limits.poison_calls_max, POISON_CALLS_MAX),
    ];
    for (key, slot, most) in numbers {
        if let Some(number) = table.whole(key, 1, most, problems) {
            *slot = number;
        }
    }
    limits
}
