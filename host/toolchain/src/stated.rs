//! The limits of plugin projects, for `docs/limits.md`.

use crate::sources;
use sluicebox_model::limits::Stated;

/// What a project may be.
pub fn stated() -> Vec<Stated> {
    vec![Stated::count("files in the folder of a project", sources::FILES_MAX)]
}
