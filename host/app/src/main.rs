//! The `sluicebox` command.

use clap::Parser;
use std::process::ExitCode;

// What is shipped cannot leave out what guests are held to; only what `cargo xtask bench isolation` builds can.
const _: () = assert!(!sluicebox_sandbox::CAN_BE_LEFT_OUT, "built with a sandbox that can leave out isolation");

fn main() -> ExitCode {
    // A process that another one started to work for it does nothing else.
    let mut arguments = std::env::args_os().skip(1).map(|argument| argument.to_string_lossy().into_owned());
    if arguments.next().as_deref() == Some(sluicebox_sandbox::WORK) {
        return sluicebox_sandbox::work_for_parent(arguments);
    }
    let cli = sluicebox::cli::Cli::parse();
    ExitCode::from(sluicebox::cli::main(cli).code())
}
