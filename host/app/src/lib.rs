//! The `sluicebox` command: reads pipeline files, checks them, runs them and shows how it went.

pub mod api;
pub mod check;
pub mod cli;
pub mod client;
pub mod components;
mod deaths;
mod doom;
pub mod house;
pub mod interval;
pub mod journal;
pub mod limits;
pub mod lock;
mod other_format;
pub mod places;
mod queued;
mod retention;
pub mod secrets;
pub mod serve;
pub mod settings;
pub mod show;
pub mod site;
mod telemetry;
pub mod trouble;
mod twice;
pub mod wiring;
