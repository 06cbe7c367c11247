//! The `sluicebox` command.

use clap::Parser;
use std::process::ExitCode;

// What is shipped cannot leave out what guests are held to; only what `cargo xtask bench isolation` builds can.
const _: () = assert!(!sluicebox_sandbox::CAN_BE_LEFT_OUT, "built with a sandbox that can leave out isolation");

fn main() -> ExitCode {
    let cli = sluicebox::cli::Cli::parse();
    ExitCode::from(sluicebox::cli::main(cli).code())
}
