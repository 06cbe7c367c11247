//! Says how the program is linked.

use std::process::Command;

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    let is = |variable: &str, value: &str| std::env::var(variable).is_ok_and(|set| set == value);
    let is_native = std::env::var_os("HOST") == std::env::var_os("TARGET");
    let is_linux = is("CARGO_CFG_TARGET_OS", "linux") && is("CARGO_CFG_TARGET_ENV", "gnu");
    // Addresses in tables are moved as the program starts: packed, the list of them is some kilobytes instead of six megabytes
    // that are read once and stay in memory. The C library of the machine has to know how.
    if is("PROFILE", "release") && is_native && is_linux && libc_version().is_some_and(|version| version >= (2, 36)) {
        println!("cargo::rustc-link-arg-bins=-Wl,-z,pack-relative-relocs");
    }
}

/// That of the machine, if it is glibc.
fn libc_version() -> Option<(u32, u32)> {
    let said = Command::new("ldd").arg("--version").output().ok()?;
    let said = String::from_utf8(said.stdout).ok()?;
    let (major, minor) = said.lines().next()?.split_whitespace().next_back()?.split_once('.')?;
    Some((major.parse().ok()?, minor.parse().ok()?))
}
