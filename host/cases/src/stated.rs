//! The limits of test cases, for `docs/limits.md`.

use crate::{case, drive, files};
use sluicebox_model::limits::{Bound, Stated};

/// How large a case may be, and how much a stage may answer in it.
pub fn stated() -> Vec<Stated> {
    vec![
        Stated::fixed("a file of cases", Bound::Bytes(case::FILE_BYTES_MAX)),
        Stated::count("rows of a case", drive::ROWS_MAX),
        Stated::count("pages, or batches of one `finish`, in a case", drive::ANSWERS_MAX),
        Stated::fixed("a file that is compared", Bound::Bytes(files::BYTES_MAX)),
    ]
}
