//! One file each.

pub mod columns;
pub mod components;
pub mod cron;
pub mod ipc;
pub mod journal;
pub mod pipeline;
pub mod store;
