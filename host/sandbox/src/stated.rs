//! The limits of the sandbox that are not those of a stage, for `docs/limits.md`.

use crate::keeping::CacheBounds;
use crate::{
    answer, compiler, console, describe, end, engine, files, host_report, instance, ipc, limiter, lines, trace,
    validate,
};
use sluicebox_model::limits::{
    Bound, COLUMN_NAME_BYTES_MAX, COLUMNS_MAX, CONFIG_SCHEMA_BYTES_MAX, COUNTERS_MAX, EMPTY_ROWS_MAX, Stated,
    TYPE_DEPTH_MAX, compile_memory_bytes_max, compile_time_max,
};
use std::time::Duration;

/// What an instance may make, say and answer.
pub fn stated() -> Vec<Stated> {
    let (stack_min, stack_max) = engine::STACK_RANGE;
    vec![
        Stated::count("core instances, memories and tables of a component, each", limiter::PARTS_MAX),
        Stated::fixed("the least that `limits.stack` comes to", Bound::Bytes(stack_min)),
        Stated::fixed("the most that `limits.stack` comes to", Bound::Bytes(stack_max)),
        Stated::bytes("stack for the host in a call of a guest", engine::HOST_STACK),
        Stated::time("how late a call that runs is looked at", engine::TICK),
        Stated::time("how late one that waits in the host is ended", instance::GRACE),
        Stated::time("the time in which a component describes itself", describe::DESCRIBE_MAX),
        Stated::time("how long one that did not is left alone", Duration::from_secs(describe::AGAIN_AFTER)),
        Stated::count("entries of the folders that an instance lists at once", files::ENTRIES_MAX),
        Stated::bytes("a line of log", console::LINE_MAX),
        Stated::count("lines of standard error told with a trap", console::TAIL_LINES),
        Stated::count("counters of a stage in a run", COUNTERS_MAX),
        Stated::bytes("the name of a counter", host_report::COUNTER_NAME_MAX),
        Stated::bytes("origin and reason of a record set aside, each", host_report::REASON_MAX),
        Stated::bytes("the message of a fault", end::MESSAGE_MAX),
        Stated::bytes("the backtrace of a fault", trace::BACKTRACE_MAX),
        Stated::count("different traps of a stage in a run whose lines are looked for", lines::TRAPS_MAX),
        Stated::time("processor time to look for them, each time", lines::CPU_MAX),
        Stated::bytes("what is found of the lines of a trap", lines::FOUND_MAX),
        Stated::fixed(
            "memory to look for them (and twice the size of the component)",
            Bound::Bytes(lines::MEMORY_BASE),
        ),
        Stated::bytes("the name of a function in a component", compiler::FUNCTION_NAME_MAX),
        Stated::bytes("a bookmark, a split or a receipt", answer::SMALL_MAX),
        Stated::count("rules of a validate", validate::RULES_MAX),
        Stated::bytes("the name of a rule", validate::NAME_MAX),
        Stated::bytes("what is said of a rule", validate::TEXT_MAX),
        Stated::time(
            "processor time to compile a component of 1 MiB (10 s, and 10 s for each MiB)",
            compile_time_max(1 << 20),
        ),
        Stated::fixed(
            "memory to compile a component of 1 MiB (1 GiB, and 64 times its size)",
            Bound::Bytes(compile_memory_bytes_max(1 << 20)),
        ),
        Stated::bytes("the JSON Schema of a plugin's options", CONFIG_SCHEMA_BYTES_MAX),
        Stated::count("columns of a batch", COLUMNS_MAX),
        Stated::bytes("the name of a column", COLUMN_NAME_BYTES_MAX),
        Stated::count("types within each other in a column", TYPE_DEPTH_MAX),
        Stated::count("the same in a stream for `from-ipc`", ipc::STREAM_DEPTH_MAX),
        Stated::fixed("rows of a batch or a column that have no bytes", Bound::Count(EMPTY_ROWS_MAX)),
        Stated::fixed("rows of a batch", Bound::Count(u32::MAX.into())),
    ]
}

/// What the compile cache holds.
pub fn stated_of_cache() -> Vec<Stated> {
    let CacheBounds { bytes_max, unused_max } = CacheBounds::default();
    vec![
        Stated::fixed("compiled plugins together", Bound::Bytes(bytes_max)),
        Stated::time("a compiled plugin that is not used is kept for", unused_max),
    ]
}
