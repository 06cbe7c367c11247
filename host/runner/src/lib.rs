//! Conducts runs: threads, channels, retries, quarantine and commit. Knows the model and nothing of sandbox or store.

mod attempts;
mod check;
mod checkpoint;
mod conduct;
mod dag;
mod disk;
mod edge;
mod extract;
mod feed;
mod judge;
mod keep;
mod load;
mod plan;
mod poison;
mod recover;
mod repeat;
mod replay;
mod restore;
mod retry;
mod run;
mod size;
mod spill;
mod stated;
mod station;
mod stop;
#[cfg(test)]
mod tests;
mod transform;
mod validate;

pub use check::{CheckContext, Checked, Opened, StageCheck, check_schemas};
pub use checkpoint::{Checkpoint, CheckpointError, keep_batches};
pub use conduct::conduct;
pub use keep::Keeping;
pub use plan::{Clock, Observer, Restored, RunPlan, RunnerError, StageProgress, SystemClock, load_key};
pub use recover::{abandon, recover, was_interrupted};
pub use repeat::{Part, Repeat, repeat};
pub use replay::{Answer, Before, Replayed, replay};
pub use stated::stated;
