//! `cargo deny`: the licences, versions and sources of what we are built on, as `deny.toml` wants them.

use crate::build;
use crate::process::{run, works};

/// The version of cargo-deny that `deny.toml` is written for.
const VERSION: &str = "0.20.2";

/// Licences, duplicate versions and sources. Needs no network once it is there.
pub(crate) fn check() -> Result<(), String> {
    let deny = program()?;
    run(&deny, &["--workspace", "--all-features", "check", "licenses", "sources"])?;
    // DataFusion is there for one test, which tells what expressions come to; what it is built on is its own affair.
    run(&deny, &["--workspace", "--exclude", "sluicebox-differential", "--all-features", "check", "bans"])
}

/// What is known of holes in what we are built on. Its database is a repository on the network, and what stands in it
/// changes from day to day; so it is no part of the tests.
pub(crate) fn advisories() -> Result<(), String> {
    let deny = program()?;
    run(&deny, &["--workspace", "--all-features", "check", "advisories"])
}

/// Installs cargo-deny below the target folder, if it is not there.
fn program() -> Result<String, String> {
    let root = build::target_folder()?.join("tools").join(format!("cargo-deny-{VERSION}"));
    let program = root.join("bin").join(format!("cargo-deny{}", std::env::consts::EXE_SUFFIX)).display().to_string();
    if !works(&program, &["--version"]) {
        println!("Installing cargo-deny");
        let root = root.display().to_string();
        // It looks at a few files: how fast it is does not matter, how fast it is built does.
        let version = format!("={VERSION}");
        run("cargo", &["install", "--locked", "--debug", "--root", &root, "--version", &version, "cargo-deny"])?;
    }
    Ok(program)
}
