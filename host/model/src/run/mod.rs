//! A run and its journal: the events, and the states that they fold into. An illegal move is an error.

mod event;
mod outcome;
mod record;
mod state;

pub use event::{Event, StageEntry};
pub use outcome::{RuleResult, StageOutcome};
pub use record::{IllegalEvent, RunRecord, StageRecord};
pub use state::{Interval, RunId, RunState, StageState, Trigger};
