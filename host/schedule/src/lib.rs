//! When pipelines run, decided without a clock: every function takes the time as an argument.
//!
//! [`Timetable`] turns cron texts, `every` and a time zone into instants.

pub mod cron;
pub mod every;
pub mod timetable;
pub mod zone;

pub use cron::{Cron, CronError};
pub use every::Every;
pub use timetable::{Rule, Timetable, TimetableError};
pub use zone::{Zone, ZoneError};
