//! The limits of a run, for `docs/limits.md`.

use crate::run::Tuning;
use crate::{checkpoint, edge, extract, poison, retry, station, transform};
use sluicebox_model::limits::{Bound, Stated};

/// What a run may hold, spend and try.
pub fn stated() -> Vec<Stated> {
    let Tuning { size, edge_bytes_max, splits_per_instance } = Tuning::default();
    vec![
        Stated::bytes("batches that wait between two stages (one may be larger)", edge_bytes_max as usize),
        Stated::count("batches that wait between two stages", edge::BATCHES_MAX),
        Stated::count("rows of a batch that a stage is given", size.rows),
        Stated::fixed("bytes of a batch that a stage is given, if it has more than a row", Bound::Bytes(size.bytes)),
        Stated::fixed(
            "failed parts of a batch before single rows from all over it are tried",
            Bound::Count(poison::DOUBT_AFTER.into()),
        ),
        Stated::count("such single rows", poison::PROBES),
        Stated::time("the wait between two attempts", retry::WAIT_MAX),
        Stated::fixed("retries of a stage that are events of their own", Bound::Count(station::RETRIES_TOLD_MAX)),
        Stated::count("pages without rows, one after another", extract::EMPTY_MAX as usize),
        Stated::count("empty answers of `finish`, one after another", transform::EMPTY_MAX as usize),
        Stated::count("splits of an extract for each instance", splits_per_instance as usize),
        Stated::fixed("the batch of a failed call that is kept for `replay`", Bound::Bytes(station::KEPT_BYTES_MAX)),
        Stated::fixed("the trailer of a checkpoint", Bound::Bytes(checkpoint::TRAILER_BYTES_MAX)),
    ]
}
