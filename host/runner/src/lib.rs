//! Conducts runs: threads, channels, retries, quarantine and commit. Knows the model and nothing of sandbox or store.

mod attempts;
mod check;
mod conduct;
mod dag;
mod edge;
mod extract;
mod feed;
mod load;
mod plan;
mod poison;
mod retry;
mod run;
mod size;
mod spill;
mod station;
mod stop;
#[cfg(test)]
mod tests;
mod transform;
mod validate;

pub use check::{Checked, Opened, StageCheck, check_schemas};
pub use conduct::conduct;
pub use plan::{Clock, Observer, RunPlan, RunnerError, StageProgress, SystemClock};
