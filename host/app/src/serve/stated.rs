//! The limits of `serve`, for `docs/limits.md`.

use super::{GRACE, after, commits, desk, files, folder, follow, plugins};
use crate::deaths::DEATHS_MAX;
use sluicebox_model::limits::{Bound, Stated};

/// How much of a folder is looked at, and how long is waited.
pub fn stated() -> Vec<Stated> {
    vec![
        Stated::count("folders below each other that are looked into", folder::DEPTH_MAX),
        Stated::fixed("a pipeline file in the folder", Bound::Bytes(folder::FILE_BYTES_MAX)),
        Stated::count("files of one pipeline with `when.file` that are looked at", files::FILES_MAX),
        Stated::count("folders below each other where they are looked for", files::DEPTH_MAX),
        Stated::count("files that one event names", files::NAMES_MAX),
        Stated::keyed("runs under way, as the host is asked to stop", Bound::Time(GRACE), "serve.grace"),
        Stated::keyed("until a run that has not begun is told", Bound::Time(after::LATE_AFTER), "serve.late-after"),
        Stated::count("deaths of the host in a run, one after another, before it is given up", DEATHS_MAX as usize),
        Stated::time("the wait between two attempts at a commit", commits::WAIT_MAX),
        Stated::time("a component that no run uses stays in memory for", plugins::UNUSED_MAX),
        Stated::count("runs of one that others follow, looked at as a host begins", follow::RUNS_MAX as usize),
        Stated::count("times of a schedule that are asked for at once", desk::NEXT_MAX),
    ]
}
