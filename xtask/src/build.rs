//! Builds the host, and the plugins as components, and puts the components where the host looks for them.

use crate::process::{output, run, works};
use std::fs;
use std::path::{Path, PathBuf};

const GUEST_TARGET: &str = "wasm32-wasip2";
const GUEST_PROFILE: &str = "plugin";

/// How the host is built. Guests are always built for speed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum HostProfile {
    /// Quick to build; for the first run and the tests.
    Dev,
    /// Quick to run.
    Release,
    /// As it is handed out: the smallest, and slow to build.
    Dist,
}

impl HostProfile {
    fn folder(self) -> &'static str {
        match self {
            Self::Dev => "debug",
            Self::Release => "release",
            Self::Dist => "dist",
        }
    }
}

/// Where things were put.
#[derive(Debug)]
pub(crate) struct Built {
    /// The `sluicebox` binary; the plugins stand in `plugins/` beside it.
    pub(crate) binary: PathBuf,
}

/// Builds the host and every plugin.
pub(crate) fn all(profile: HostProfile, with_test_components: bool) -> Result<Built, String> {
    add_guest_target()?;
    println!("Building sluicebox (the first time takes some minutes)");
    let mut arguments = vec!["build", "--package", "sluicebox"];
    match profile {
        HostProfile::Dev => {}
        HostProfile::Release => arguments.push("--release"),
        HostProfile::Dist => arguments.extend(["--profile", "dist"]),
    }
    run("cargo", &arguments)?;
    let folder = target_folder()?.join(profile.folder());
    println!("Building the plugins");
    components(&["plugins"], &folder.join("plugins"))?;
    if with_test_components {
        println!("Building the components of the tests");
        components(&["tests"], &folder.join("test-plugins"))?;
        for profile in ["plugin-lines", "plugin-bare"] {
            build_as(&["evil".to_owned()], profile, &folder.join(format!("test-{profile}")))?;
        }
    }
    let binary = folder.join(format!("sluicebox{}", std::env::consts::EXE_SUFFIX));
    Ok(Built { binary })
}

/// Builds the stages of the tests beside a binary; those that do nothing are what the bench runs.
pub(crate) fn stages_of_tests(built: &Built) -> Result<(), String> {
    println!("Building the components of the tests");
    components(&["tests"], &built.binary.with_file_name("test-plugins"))
}

/// Makes sure that rustc can build components.
fn add_guest_target() -> Result<(), String> {
    let libraries = output("rustc", &["--print", "target-libdir", "--target", GUEST_TARGET])?;
    if Path::new(libraries.trim()).exists() {
        return Ok(());
    }
    if !works("rustup", &["--version"]) {
        return Err(format!("rustc has no {GUEST_TARGET} and there is no rustup to add it; install Rust with rustup"));
    }
    println!("Adding the Rust target {GUEST_TARGET}");
    run("rustup", &["target", "add", GUEST_TARGET])
}

/// Cargo's target folder, wherever the environment or a configuration puts it.
pub(crate) fn target_folder() -> Result<PathBuf, String> {
    let metadata = output("cargo", &["metadata", "--format-version", "1", "--no-deps"])?;
    // One field of one line of JSON: not worth a parser, as long as a path holds no quotes.
    metadata
        .split_once("\"target_directory\":\"")
        .and_then(|(_, rest)| rest.split_once('"'))
        .map(|(path, _)| PathBuf::from(path.replace("\\\\", "\\")))
        .ok_or_else(|| "cargo metadata tells no target folder".to_owned())
}

/// Builds each component below the folders and copies it to `to` under its package's name.
fn components(folders: &[&str], to: &Path) -> Result<(), String> {
    let mut names = Vec::new();
    for folder in folders {
        names.extend(component_packages(&crate::root().join(folder))?);
    }
    build_as(&names, GUEST_PROFILE, to)
}

/// Builds components with a profile and copies them to `to` under their packages' names.
fn build_as(names: &[String], profile: &str, to: &Path) -> Result<(), String> {
    let mut arguments = vec!["build", "--target", GUEST_TARGET, "--profile", profile];
    for name in names {
        arguments.extend(["--package", name]);
    }
    run("cargo", &arguments)?;
    fs::create_dir_all(to).map_err(|error| format!("could not make {}: {error}", to.display()))?;
    let from = target_folder()?.join(GUEST_TARGET).join(profile);
    for name in names {
        let built = from.join(format!("{}.wasm", name.replace('-', "_")));
        place(&built, &to.join(format!("{name}.wasm")))?;
    }
    Ok(())
}

/// Names of the packages in the folder that are built as components: those with a `cdylib`.
pub(crate) fn component_packages(folder: &Path) -> Result<Vec<String>, String> {
    let entries = fs::read_dir(folder).map_err(|error| format!("could not read {}: {error}", folder.display()))?;
    let mut names = Vec::new();
    for entry in entries.flatten() {
        let manifest = entry.path().join("Cargo.toml");
        let Ok(text) = fs::read_to_string(&manifest) else { continue };
        if text.contains("\"cdylib\"") {
            let name = text.lines().find_map(|line| line.strip_prefix("name = \"")?.strip_suffix('"'));
            names.push(name.ok_or_else(|| format!("{} names no package", manifest.display()))?.to_owned());
        }
    }
    names.sort();
    Ok(names)
}

/// Copies by way of a rename, and only what changed, so that a host at work never sees half a file.
fn place(from: &Path, to: &Path) -> Result<(), String> {
    let told = |error: std::io::Error| format!("could not copy {} to {}: {error}", from.display(), to.display());
    let new = fs::read(from).map_err(told)?;
    if fs::read(to).is_ok_and(|old| old == new) {
        return Ok(());
    }
    let half = to.with_extension("wasm.new");
    fs::write(&half, new).map_err(told)?;
    fs::rename(&half, to).map_err(told)
}
