//! Conducts runs: threads, channels, retries, quarantine and commit. Knows the model and nothing of sandbox or store.

mod check;
mod conduct;
mod dag;
mod plan;

pub use check::{Checked, Opened, StageCheck, check_schemas};
pub use conduct::conduct;
pub use plan::{Clock, Observer, RunPlan, RunnerError, StageProgress, SystemClock};
