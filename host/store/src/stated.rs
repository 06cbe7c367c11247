//! The limits of the store, for `docs/limits.md`.

use crate::{quarantine, store};
use sluicebox_model::limits::{Bound, Stated};

/// What is kept of rows that are set aside, and how long others are waited for.
pub fn stated() -> Vec<Stated> {
    vec![
        Stated::fixed(
            "reasons of a run, stage and kind that are counted by themselves",
            Bound::Count(quarantine::REASONS_MAX.unsigned_abs()),
        ),
        Stated::bytes("a reason as it is counted", quarantine::REASON_BYTES_MAX),
        Stated::time("how long another process is waited for that writes", store::BUSY),
    ]
}
