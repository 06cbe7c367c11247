//! C and C++: a core module made by `zig cc`, which brings clang and the C library for WASI, of the project's sources, the SDK's
//! and what is generated of the contract. Zig keeps what it compiled, by content, so only what changed is compiled again.

use super::{Made, Output, does_not_build, pip, said};
use crate::error::ToolchainError;
use crate::program::run;
use crate::project::Project;
use crate::tools::Tools;
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// What pip installs into the project's tool folder, pinned.
pub(crate) const PACKAGES: &[&str] = &["ziglang==0.16.0"];

/// What the names of sources end with.
pub(crate) const ENDS: [&str; 3] = [".c", ".cc", ".cpp"];

/// What C++ needs beside C. Which language a file is in is told by its name; what is said of the standard library's own headers
/// helps nobody.
const CPP: [&str; 4] = ["-lc++", "-fno-rtti", "-Wno-nullability-completeness", "-Wno-c++20-designator"];

/// The compiler, which keeps its work in the tool folder.
fn zig(tools: &Tools, what: &str) -> Command {
    let mut zig = Command::new("python3");
    let cache = tools.dir.join("zig-cache");
    zig.env("PYTHONPATH", pip(tools, PACKAGES)).env("ZIG_GLOBAL_CACHE_DIR", &cache).env("ZIG_LOCAL_CACHE_DIR", &cache);
    zig.args(["-m", "ziglang", what]);
    zig
}

/// The project's own sources: all in its folder, but tests.
fn sources(project: &Project, is_wanted: fn(&str) -> bool) -> Result<Vec<PathBuf>, ToolchainError> {
    let told = |error| ToolchainError::of_file("read", &project.dir, &error);
    let mut found = Vec::new();
    for entry in fs::read_dir(&project.dir).map_err(told)? {
        let name = entry.map_err(told)?.file_name().to_string_lossy().into_owned();
        let is_source = ENDS.iter().any(|end| name.ends_with(end));
        if is_source && is_wanted(&name) {
            found.push(PathBuf::from(name));
        }
    }
    found.sort();
    Ok(found)
}

pub(super) fn is_test(name: &str) -> bool {
    name.starts_with("test_")
}

/// Whether any of the sources is C++, which needs its own library.
fn is_cpp(sources: &[PathBuf]) -> bool {
    sources.iter().any(|path| path.extension().is_some_and(|end| end != "c"))
}

/// What finds the SDK, and its one source.
fn sdk_arguments(sdk: &Path, kind: &str) -> Vec<OsString> {
    let folder = |name: &str| sdk.join(name);
    let generated = folder("gen").join(kind);
    let mut arguments: Vec<OsString> = vec![format!("-DSB_KIND_{}", kind.to_uppercase()).into()];
    for include in [folder("include"), folder("src"), generated] {
        arguments.extend(["-I".into(), include.into()]);
    }
    arguments.push(folder("src").join("sluicebox.c").into());
    arguments
}

pub(super) fn build(project: &Project, tools: &Tools) -> Result<Made, ToolchainError> {
    let own = sources(project, |name| !is_test(name))?;
    if own.is_empty() {
        return Err(ToolchainError::new(format!("there is no stage.c in {}", project.dir.display()))
            .help("it is the file that has the stage; `sluicebox plugin new` makes one to begin with"));
    }
    let out = Output::of(project, tools);
    let kind = project.kind.to_string();
    let sdk = tools.sdk("c");
    let mut zig = zig(tools, "cc");
    // A stack of 1 MiB: the default is 16, which every instance would have.
    zig.args(["-target", "wasm32-wasi", "-mexec-model=reactor", "-Wl,-z,stack-size=1048576", "-O3", "-msimd128", "-s"]);
    zig.args(["-Wall", "-fno-exceptions"]);
    if is_cpp(&own) {
        zig.args(CPP);
    }
    zig.args(sdk_arguments(&sdk, &kind)).arg(sdk.join("gen").join(&kind).join("stage.c"));
    zig.args(&own).arg("-o").arg(&out.0).current_dir(&project.dir);
    run(&does_not_build(project), &mut zig).map_err(|error| said(error, told))?;
    out.read().map(Made::Module)
}

/// What the compiler said, for people: its errors, the first one first.
fn told(output: &str) -> String {
    let lines: Vec<&str> = output.lines().collect();
    let first =
        lines.iter().position(|line| line.contains(": error: ") || line.contains(": fatal error: ")).unwrap_or(0);
    let (before, from) = lines.split_at(first);
    from.iter().chain(before).copied().collect::<Vec<_>>().join("\n")
}

/// Compiles the project's `test_*.c` and `test_*.cpp`, and answers with the program that runs them, for the machine itself, with a host in memory.
pub(super) fn unit_tests(project: &Project, tools: &Tools) -> Result<Command, ToolchainError> {
    let tests = sources(project, is_test)?;
    let own = sources(project, |name| !is_test(name))?;
    let program = tools.of_project(project, "tests");
    let kind = project.kind.to_string();
    let sdk = tools.sdk("c");
    let mut zig = zig(tools, "cc");
    zig.args(["-O1", "-g", "-Wall", "-fno-exceptions", "-D_GNU_SOURCE"]).args(sdk_arguments(&sdk, &kind));
    if is_cpp(&own) || is_cpp(&tests) {
        zig.args(CPP);
    }
    zig.arg(sdk.join("src/testing.c")).args(&own).args(&tests);
    zig.arg("-lm").arg("-o").arg(&program).current_dir(&project.dir);
    run(&format!("the tests of `{}` do not build", project.name), &mut zig).map_err(|error| said(error, told))?;
    Ok(Command::new(program))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_error_comes_first() {
        let output = "stage.c:3:5: warning: unused\n   3 | int x;\nstage.c:9:2: error: expected ')'\n   9 | f(;\n1 error generated.";
        assert!(told(output).starts_with("stage.c:9:2: error: expected ')'\n   9 | f(;"), "{}", told(output));
        assert_eq!(told(""), "");
    }
}
