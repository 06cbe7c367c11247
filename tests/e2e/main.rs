//! The end-to-end tests, in one binary: a file a theme.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

mod api;
mod bad_data;
mod bad_pipelines;
mod cancel;
mod cli;
mod conformance;
mod contract;
mod disasters;
mod documents;
mod flights;
mod hostile;
mod monitors;
mod neighbours;
mod network;
mod plugin_dev;
mod plugin_projects;
mod plugins;
mod recovery;
mod replay;
mod sdks;
mod second_life;
mod serve;
mod servers;
mod site;
mod telemetry;
