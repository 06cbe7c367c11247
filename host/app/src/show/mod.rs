//! How things are shown to people: numbers, tables, colours, problems, progress and outcomes.

pub mod compiling;
pub(crate) mod decisions;
pub mod difference;
pub mod human;
pub mod outcome;
pub mod problems;
pub mod progress;
pub mod style;
pub mod table;
pub mod warnings;
pub mod working;
