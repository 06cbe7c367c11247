//! What the house remembers beside its runs, while it runs pipelines by itself: what was decided, which runs wait, and who
//! is to be told of what.

mod alert;
mod decide;
mod event;
mod queue;

pub use alert::{Alert, AlertState, NewAlert};
pub use decide::{Decided, Decision, Enqueued, NewHouseEvent, NewRun, PausedState, ScheduleState, Settled};
pub use event::{HouseEntry, HouseEvent};
pub use queue::{QueueState, QueuedRun};
