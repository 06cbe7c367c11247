//! When pipelines run, decided without a clock: every function takes the time as an argument.
//!
//! - [`Timetable`] turns cron texts, `every` and a time zone into instants, by one rule for gaps and folds; also in words
//!   and as a preview.
//! - [`Planner`] decides for very many pipelines which fires are due, and says why others are left out.
//! - [`dependencies`] and [`file_trigger`] decide the runs that other runs and files start.
//! - [`admission`] decides which of the runs that wait may start; [`pause`], which pipelines are paused.

pub mod admission;
pub mod cron;
pub mod decision;
pub mod dependencies;
pub mod every;
pub mod file_trigger;
pub mod jitter;
pub mod overlap;
pub mod pause;
pub mod plan;
pub mod planner;
pub mod preview;
mod stated;
pub mod timetable;
mod words;
pub mod zone;

pub use cron::{Cron, CronError};
pub use decision::{Decision, Fire, Skip, SkipReason, Start};
pub use every::{Every, EveryError};
pub use overlap::Busy;
pub use plan::{Plan, Plans};
pub use planner::Planner;
pub use preview::{ClockNote, Preview};
pub use stated::stated;
pub use timetable::{Rule, Timetable, TimetableError};
pub use zone::{Zone, ZoneError};
