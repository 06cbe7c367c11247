//! The `sluicebox` command.

use clap::Parser;
use std::process::ExitCode;

fn main() -> ExitCode {
    let cli = sluicebox::cli::Cli::parse();
    ExitCode::from(sluicebox::cli::main(cli).code())
}
