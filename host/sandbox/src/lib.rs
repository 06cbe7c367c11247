//! Runs stages as WebAssembly components: engine, catalog, instances, grants, limits and batches.
//!
//! ```no_run
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! use sluicebox_sandbox::{Catalog, Sandbox, SandboxOptions, StageSetup};
//!
//! let sandbox = Sandbox::new(SandboxOptions { cache_dir: "cache".into() })?;
//! sandbox.on_compile(|compile| eprintln!("compiling {} ...", compile.plugin));
//! let catalog = Catalog::scan(&sandbox, &["plugins".into()]);
//! let plugin = catalog.get("transform-select").ok_or("no such plugin")?;
//! let stage = sandbox.stage(
//!     plugin,
//!     StageSetup {
//!         name: "speed".into(),
//!         config: r#"{"filter": "distance > 100"}"#.into(),
//!         grants: Default::default(),
//!         limits: Default::default(),
//!         network: Default::default(),
//!         root: ".".into(),
//!     },
//! )?;
//! # let _ = stage;
//! # Ok(())
//! # }
//! ```
//!
//! Calls block the thread that makes them, so they belong on threads of their own, not on those of an async runtime.

mod answer;
mod background;
mod calls;
mod catalog;
mod column;
mod compiled;
mod compiler;
mod console;
mod contract;
mod counts;
mod describe;
mod end;
mod engine;
mod error;
mod extract;
mod files;
#[cfg(feature = "fuzzing")]
#[doc(hidden)]
pub mod fuzzing;
mod held;
mod host_batches;
mod host_report;
mod instance;
mod ipc;
mod isolation;
mod keeping;
mod limiter;
mod lines;
mod linking;
mod load;
mod measure;
mod network;
mod ops;
mod own_world;
mod process;
mod ready;
mod refusal;
mod sandbox;
mod schema;
mod stage;
mod state;
mod stated;
mod trace;
mod transform;
mod validate;
mod versions;
mod wasi;

#[cfg(test)]
mod tests;

pub use catalog::{Admit, Catalog, Plugin, Refused};
pub use counts::Counts;
pub use error::SandboxError;
pub use isolation::CAN_BE_LEFT_OUT;
#[cfg(unisolated)]
#[doc(hidden)]
pub use isolation::{Part, leave_out};
pub use keeping::CacheBounds;
pub use network::{NetworkFiles, stated_of_network};
pub use process::{WORK, work_for_parent};
pub use sandbox::{Compile, Sandbox, SandboxOptions, StageSetup};
pub use stated::{stated, stated_of_cache};
