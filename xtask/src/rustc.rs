//! This program in the place of rustc, by cargo's `RUSTC_WORKSPACE_WRAPPER`: it adds flags for the packages of this workspace
//! alone. Cargo keeps what is built so apart from all else, by the path of the wrapper, and shares what it depends on.

use crate::build;
use std::process::{Command, ExitCode};

/// Says that this program stands in the place of rustc, and for what.
const INSTEAD_OF_RUSTC: &str = "SLUICEBOX_XTASK_IS_RUSTC";

/// What turns on the counting of what was run and the noting of what was compared. As cargo-fuzz has them.
const COVERAGE: [&str; 7] = [
    "-Cpasses=sancov-module",
    "-Cllvm-args=-sanitizer-coverage-level=4",
    "-Cllvm-args=-sanitizer-coverage-inline-8bit-counters",
    "-Cllvm-args=-sanitizer-coverage-pc-table",
    "-Cllvm-args=-sanitizer-coverage-trace-compares",
    "-Ccodegen-units=1",
    // Where it is built for speed, too.
    "-Coverflow-checks=on",
];

/// A sandbox that can leave isolation out; for the bench alone.
const UNISOLATED: [&str; 2] = ["--cfg", "unisolated"];

/// What stands in the place of rustc.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Instead {
    /// Counts what is run, for libFuzzer.
    Coverage,
    /// Can leave isolation out.
    Unisolated,
}

impl Instead {
    fn word(self) -> &'static str {
        match self {
            Self::Coverage => "coverage",
            Self::Unisolated => "unisolated",
        }
    }

    fn flags(self) -> &'static [&'static str] {
        match self {
            Self::Coverage => &COVERAGE,
            Self::Unisolated => &UNISOLATED,
        }
    }

    /// A test that is built beside the program, so that cargo chooses the same features, has no libFuzzer in it. It is never run.
    fn flags_of_tests(self) -> &'static [&'static str] {
        match self {
            Self::Coverage => &["-Clink-arg=-Wl,--unresolved-symbols=ignore-all"],
            Self::Unisolated => &[],
        }
    }

    /// What cargo is told in the environment.
    pub(crate) fn variables(self) -> Result<[(&'static str, String); 2], String> {
        let told = |error: std::io::Error| format!("this program cannot stand in the place of rustc: {error}");
        // A path of its own, since cargo tells by it what was built how.
        let folder = build::target_folder()?.join("tools");
        std::fs::create_dir_all(&folder).map_err(told)?;
        let path = folder.join(format!("rustc-{}{}", self.word(), std::env::consts::EXE_SUFFIX));
        let this = std::env::current_exe().and_then(std::fs::read).map_err(told)?;
        if std::fs::read(&path).ok().as_ref() != Some(&this) {
            let _ = std::fs::remove_file(&path);
            std::fs::copy(std::env::current_exe().map_err(told)?, &path).map_err(told)?;
        }
        let path = path.display().to_string();
        Ok([("RUSTC_WORKSPACE_WRAPPER", path), (INSTEAD_OF_RUSTC, self.word().to_owned())])
    }
}

/// Whether cargo called this program in the place of rustc; then, how rustc ended.
pub(crate) fn called() -> Option<ExitCode> {
    let word = std::env::var(INSTEAD_OF_RUSTC).ok()?;
    let instead = [Instead::Coverage, Instead::Unisolated].into_iter().find(|instead| instead.word() == word)?;
    let mut arguments = std::env::args_os().skip(1);
    let rustc = arguments.next()?;
    let arguments: Vec<_> = arguments.collect();
    let value_of = |key: &str| {
        let at = arguments.iter().position(|argument| argument == key)?;
        arguments.get(at + 1)?.to_str()
    };
    let name = value_of("--crate-name").unwrap_or_default();
    let of_ours = name.starts_with("sluicebox") && value_of("--crate-type") != Some("proc-macro");
    let mut command = Command::new(rustc);
    command.args(&arguments);
    if of_ours {
        command.args(instead.flags());
    }
    if arguments.iter().any(|argument| argument == "--test") {
        command.args(instead.flags_of_tests());
    }
    let code = command.status().ok().and_then(|status| status.code()).and_then(|code| u8::try_from(code).ok());
    Some(ExitCode::from(code.unwrap_or(1)))
}
