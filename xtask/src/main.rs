//! `cargo xtask`: builds the host and the plugins, runs the demo, and runs everything that has to hold.
//!
//! It depends on nothing but std, so that it is there at once on a fresh machine.

mod build;
mod checks;
mod deny;
mod fuzz;
mod process;
mod rustc;

use std::path::PathBuf;
use std::process::ExitCode;

const USAGE: &str = "\
cargo xtask demo       build sluicebox and its plugins, then run the flights pipeline
cargo xtask build      build sluicebox and its plugins    [--release | --dist]
                       --dist: as it is handed out, the smallest, which takes long to build
cargo xtask test       install what the tests need, then run everything that has to hold
cargo xtask e2e        only build what the end-to-end tests need, and run them    [NAME ...]
cargo xtask bench      measure sluicebox beside native code    [NAME ...]
cargo xtask crash      kill sluicebox at every event and at random instants, and look at what is left    [--kills N]
                       the same with a `serve` that runs much at once    --serve N
cargo xtask advisories holes that are known of what we are built on; needs the network
cargo xtask fuzz       look for inputs that the host does wrong with    [TARGET ...] [--seconds N | --runs N]
";

fn main() -> ExitCode {
    if let Some(ended) = rustc::called() {
        return ended;
    }
    let mut arguments = std::env::args().skip(1);
    let command = arguments.next().unwrap_or_default();
    let rest: Vec<String> = arguments.collect();
    let done = match command.as_str() {
        "demo" => demo(),
        "build" => build::all(profile(&rest), false).map(drop),
        "test" => checks::everything(),
        "e2e" => checks::end_to_end(&rest),
        "bench" => bench(&rest),
        "crash" => crash(&rest),
        "fuzz" if rest == ["--short"] => fuzz::short(),
        "fuzz" => fuzz::long(&rest),
        "advisories" => deny::advisories(),
        "" | "help" | "--help" | "-h" => {
            print!("{USAGE}");
            Ok(())
        }
        other => Err(format!("there is no `{other}`\n\n{USAGE}")),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("error: {message}");
            ExitCode::FAILURE
        }
    }
}

fn profile(arguments: &[String]) -> build::HostProfile {
    let has = |option: &str| arguments.iter().any(|argument| argument == option);
    if has("--dist") {
        build::HostProfile::Dist
    } else if has("--release") {
        build::HostProfile::Release
    } else {
        build::HostProfile::Dev
    }
}

/// The README's first command.
fn demo() -> Result<(), String> {
    let built = build::all(build::HostProfile::Dev, false)?;
    println!("\n$ sluicebox run examples/flights/flights.toml\n");
    let binary = built.binary.display().to_string();
    process::run(&binary, &["run", "examples/flights/flights.toml"])?;
    println!("\nThe command is {binary}");
    println!("Try next:  {binary} quarantine show last --state examples/flights/.sluicebox");
    println!("           {binary} graph examples/flights/flights.toml");
    println!("           {binary} init my-project");
    Ok(())
}

fn bench(names: &[String]) -> Result<(), String> {
    let built = build::all(build::HostProfile::Release, false)?;
    build::stages_of_tests(&built)?;
    // What is measured of an idle host is the memory of the program that is handed out.
    let mut handed_out = built.binary.clone();
    if names.is_empty() || names.iter().any(|name| name == "idle") {
        handed_out = build::all(build::HostProfile::Dist, false)?.binary;
    }
    let handed_out = handed_out.display().to_string();
    let binary = built.binary.display().to_string();
    let year = checks::year()?.display().to_string();
    let is_isolation = |name: &&String| name.as_str() == "isolation";
    if !names.iter().all(|name| is_isolation(&name)) || names.is_empty() {
        let mut arguments = vec!["run", "--release", "--package", "sluicebox-bench", "--"];
        arguments.extend(["--sluicebox", &binary, "--handed-out", &handed_out, "--data", &year]);
        arguments.extend(names.iter().filter(|name| !is_isolation(name)).map(String::as_str));
        process::run("cargo", &arguments)?;
    }
    if names.is_empty() || names.iter().any(|name| is_isolation(&name)) {
        let mut arguments = vec!["run", "--release", "--package", "sluicebox-bench", "--"];
        arguments.extend(["--sluicebox", &binary, "--data", &year, "isolation"]);
        let variables = rustc::Instead::Unisolated.variables()?;
        let variables: Vec<(&str, &str)> = variables.iter().map(|(name, value)| (*name, value.as_str())).collect();
        process::run_with("cargo", &arguments, &variables)?;
    }
    Ok(())
}

/// The long form of the tests of recovery.
fn crash(arguments: &[String]) -> Result<(), String> {
    let built = build::all(build::HostProfile::Dev, false)?;
    let binary = built.binary.display().to_string();
    let mut command = vec!["run", "--package", "sluicebox-crash", "--"];
    command.extend(arguments.iter().map(String::as_str));
    process::run_with("cargo", &command, &[("SLUICEBOX_BINARY", &binary)])
}

/// The root of the workspace: the folder above this package.
pub(crate) fn root() -> PathBuf {
    // As cargo says it now: clones that share a target folder share this program.
    let compiled = || env!("CARGO_MANIFEST_DIR").into();
    let mut folder = PathBuf::from(std::env::var_os("CARGO_MANIFEST_DIR").unwrap_or_else(compiled));
    folder.pop();
    folder
}
