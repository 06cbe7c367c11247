//! Test cases of plugins: what a stage is given, and what it is to answer.
//!
//! A case ([`Case`]) stands in a TOML file. [`drive`] gives a stage what the case says and notes what it answers ([`Seen`]);
//! [`compare`] tells the differences from what the case expects; [`update`] writes what was seen into the file.

mod case;
mod cells;
mod compare;
mod drive;
mod error;
mod files;
mod speed;
mod stated;
mod table;
mod types;
mod update;

pub use case::{BatchRows, Case, Expect, FaultExpected, OutcomeExpected, Quarantined, RuleExpected, Side};
pub use compare::{Change, Difference, Line, compare};
pub use drive::{Given, Opened, Seen, drive, given};
pub use error::CaseError;
pub use files::lay;
pub use speed::{Speed, speed, tiled};
pub use stated::stated;
pub use table::Texts;
pub use update::update;
