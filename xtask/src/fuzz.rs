//! `cargo xtask fuzz`: libFuzzer on the targets of `fuzz/`.
//!
//! No nightly compiler is needed: what libFuzzer follows is a pass of LLVM, and flags of stable rustc turn it on. Only the
//! packages of this workspace are built with it, by this program in the place of rustc (see `rustc.rs`),
//! so that all they depend on is what the tests were built with.

use crate::build;
use crate::process::{run, run_with, works};
use std::path::{Path, PathBuf};

/// A target.
struct Target {
    name: &'static str,
    /// Bytes of an input, at most.
    bytes_max: u32,
    /// Folders with more seeds than its own.
    more: &'static [&'static str],
    /// Inputs among all tests: some ten seconds of them. A number, not a time: so it is the same ones on every machine.
    short_runs: u32,
}

const fn target(name: &'static str, bytes_max: u32, more: &'static [&'static str], short_runs: u32) -> Target {
    Target { name, bytes_max, more, short_runs }
}

const TARGETS: [Target; 7] = [
    target("columns", 4096, &[], 40_000),
    target("ipc", 8192, &[], 40_000),
    target("pipeline", 4096, &["tests/bad-pipelines"], 20_000),
    target("cron", 128, &[], 2_000),
    target("journal", 16384, &[], 40_000),
    target("store", 16384, &[], 4_000),
    target("components", 16384, &[], 1_000),
];

/// What is asked for.
struct Asked {
    targets: Vec<&'static Target>,
    seconds: Option<String>,
    runs: Option<String>,
}

impl Asked {
    fn read(arguments: &[String]) -> Result<Self, String> {
        let mut asked = Self { targets: Vec::new(), seconds: None, runs: None };
        let mut arguments = arguments.iter();
        while let Some(argument) = arguments.next() {
            let mut number = || match arguments.next().map(|text| (text, text.parse::<u64>())) {
                Some((text, Ok(_))) => Ok(Some(text.clone())),
                _ => Err(format!("`{argument}` needs a number")),
            };
            match argument.as_str() {
                "--seconds" => asked.seconds = number()?,
                "--runs" => asked.runs = number()?,
                name => match TARGETS.iter().find(|target| target.name == name) {
                    Some(target) => asked.targets.push(target),
                    None => {
                        let names = TARGETS.each_ref().map(|target| target.name).join(", ");
                        return Err(format!("there is no target `{name}`; there are {names}"));
                    }
                },
            }
        }
        if asked.targets.is_empty() {
            asked.targets = TARGETS.iter().collect();
        }
        Ok(asked)
    }
}

/// The long form: what is found new is kept below the target folder, and the next run goes on from there.
pub(crate) fn long(arguments: &[String]) -> Result<(), String> {
    let mut asked = Asked::read(arguments)?;
    if asked.seconds.is_none() && asked.runs.is_none() {
        asked.seconds = Some("60".to_owned());
    }
    let program = program(true)?;
    let folder = build::target_folder()?.join("fuzz");
    let mut failed = Vec::new();
    for target in &asked.targets {
        let mut options = vec![];
        options.extend(asked.seconds.iter().map(|seconds| format!("-max_total_time={seconds}")));
        options.extend(asked.runs.iter().map(|runs| format!("-runs={runs}")));
        options.extend(["-reload=0", "-print_final_stats=1"].map(str::to_owned));
        // What one of them finds does not keep the others from looking.
        failed.extend(look(&program, target, &folder.join("corpus").join(target.name), &options).err());
    }
    if failed.is_empty() { Ok(()) } else { Err(failed.join("\n\n")) }
}

/// The short form, among all tests: always from the seeds in the repository alone, and with the same randomness, so that
/// what it finds does not depend on what was there before.
pub(crate) fn short() -> Result<(), String> {
    let program = program(false)?;
    let folder = build::target_folder()?.join("fuzz/short");
    for target in &TARGETS {
        let corpus = folder.join(target.name);
        let _ = std::fs::remove_dir_all(&corpus);
        let options = ["-seed=1", "-reload=0", "-verbosity=0", "-print_final_stats=1"].map(str::to_owned);
        let mut options = options.to_vec();
        options.push(format!("-runs={}", target.short_runs));
        look(&program, target, &corpus, &options)?;
    }
    Ok(())
}

/// Builds the program of the targets: for a long run, one that is quick.
fn program(long: bool) -> Result<PathBuf, String> {
    if !works("c++", &["--version"]) {
        println!("Installing a compiler of C++, for libFuzzer");
        run("apt-get", &["update"])?;
        run("apt-get", &["install", "--yes", "--no-install-recommends", "g++"])?;
    }
    let variables = crate::rustc::Instead::Coverage.variables()?;
    let mut arguments = vec!["build", "--bin", "sluicebox-fuzz", "--features", "sluicebox-fuzz/engine"];
    if long {
        arguments.extend(["--release", "--package", "sluicebox-fuzz"]);
    } else {
        // With the same choice of packages as the tests, and one of the tests, so that they share what they are built on.
        arguments.extend(["--workspace", "--exclude", crate::checks::APART, "--test", "seeds"]);
    }
    let variables: Vec<(&str, &str)> = variables.iter().map(|(name, value)| (*name, value.as_str())).collect();
    run_with("cargo", &arguments, &variables)?;
    let profile = if long { "release" } else { "debug" };
    Ok(build::target_folder()?.join(profile).join(format!("sluicebox-fuzz{}", std::env::consts::EXE_SUFFIX)))
}

/// Runs one target; an error says where the input is that it failed on.
fn look(program: &Path, target: &Target, corpus: &Path, options: &[String]) -> Result<(), String> {
    let Target { name, bytes_max, more, .. } = target;
    let found = build::target_folder()?.join("fuzz/found").join(name);
    for folder in [corpus, &found] {
        std::fs::create_dir_all(folder).map_err(|error| format!("could not make {}: {error}", folder.display()))?;
    }
    println!("Fuzzing {name}");
    let mut arguments = options.to_vec();
    arguments.push(format!("-max_len={bytes_max}"));
    arguments.push(format!("-artifact_prefix={}/", found.display()));
    arguments.extend(["-timeout=30", "-rss_limit_mb=3000"].map(str::to_owned));
    let dictionary = crate::root().join(format!("fuzz/dictionaries/{name}.dict"));
    if dictionary.exists() {
        arguments.push(format!("-dict={}", dictionary.display()));
    }
    arguments.push(corpus.display().to_string());
    arguments.push(format!("fuzz/seeds/{name}"));
    arguments.extend(more.iter().map(|folder| (*folder).to_owned()));
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let manifest = crate::root().join("fuzz").display().to_string();
    let variables = [("SLUICEBOX_FUZZ_TARGET", *name), ("CARGO_MANIFEST_DIR", manifest.as_str())];
    run_with(&program.display().to_string(), &arguments, &variables).map_err(|error| {
        format!(
            "{error}\n\n{name}: the input stands in {}; mend it and keep the input in fuzz/seeds/{name}",
            found.display()
        )
    })
}
