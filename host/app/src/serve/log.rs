//! What the host tells while it serves: lines for people, or JSON for programs, on standard error.

use crate::show::human;
use sluicebox_sandbox::Compile;
use std::io::IsTerminal;
use std::sync::atomic::{AtomicBool, Ordering};

/// How the log is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum LogFormat {
    /// Lines for people
    #[default]
    Human,
    /// One JSON object a line
    Json,
}

static ON: AtomicBool = AtomicBool::new(false);

/// Whether the log is on: what other commands write for people goes there.
pub fn is_on() -> bool {
    ON.load(Ordering::Relaxed)
}

/// Turns the log on. `SLUICEBOX_LOG` says how much is told: `error`, `warn`, `info` (the default), `debug`.
pub fn begin(format: LogFormat) {
    let level =
        std::env::var("SLUICEBOX_LOG").ok().and_then(|level| level.parse().ok()).unwrap_or(tracing::Level::INFO);
    let subscriber = tracing_subscriber::fmt().with_writer(std::io::stderr).with_max_level(level).with_target(false);
    // A second one is not needed.
    let _ = match format {
        LogFormat::Human => {
            let colours = std::io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none();
            tracing::subscriber::set_global_default(subscriber.with_ansi(colours).finish())
        }
        LogFormat::Json => tracing::subscriber::set_global_default(subscriber.json().flatten_event(true).finish()),
    };
    ON.store(true, Ordering::Relaxed);
}

/// Tells of plugins that are compiled.
pub(super) fn compiling(compile: Compile<'_>) {
    let name = human::clean_line(compile.plugin);
    match compile.took {
        None => tracing::info!("compiling {name} ({}), this happens once", human::bytes(compile.size_bytes)),
        Some(took) => tracing::info!("compiled {name} in {}", human::duration(took)),
    }
}
