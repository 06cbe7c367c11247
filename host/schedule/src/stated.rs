//! The limits of schedules, for `docs/limits.md`.

use crate::{overlap, planner};
use sluicebox_model::limits::Stated;

/// How many runs may wait, and how many are decided at once.
pub fn stated() -> Vec<Stated> {
    vec![
        Stated::count("runs of a pipeline that wait", overlap::QUEUE_LIMIT as usize),
        Stated::time("how late a run begins that does not count as missed", planner::GRACE),
        Stated::count("decisions of one turn of the planner", planner::MOST_DECISIONS),
    ]
}
