//! What the end-to-end tests stand on: projects in temporary folders, the real binary, real components.
//!
//! `cargo xtask e2e` (and `cargo xtask test`) builds the binary and the components and tells where they are. A test that
//! finds them missing fails and says so.
#![allow(clippy::panic, clippy::expect_used, clippy::indexing_slicing, reason = "a test that cannot go on has failed")]

pub mod crash;
pub mod killed;
pub mod serving;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use tempfile::TempDir;

/// The root of the workspace.
pub fn root() -> PathBuf {
    // As cargo says it now: clones that share a target folder share what is built.
    let compiled = || env!("CARGO_MANIFEST_DIR").into();
    let mut folder = PathBuf::from(std::env::var_os("CARGO_MANIFEST_DIR").unwrap_or_else(compiled));
    folder.pop();
    folder
}

/// A variable that `cargo xtask` sets.
pub fn told(name: &str) -> PathBuf {
    match std::env::var_os(name) {
        Some(path) => PathBuf::from(path),
        None => panic!("{name} is not set: run the tests with `cargo xtask test` or `cargo xtask e2e`"),
    }
}

/// The binary under test; its plugins stand in `plugins/` beside it, those of the tests in `test-plugins/`.
pub fn binary() -> PathBuf {
    told("SLUICEBOX_BINARY")
}

/// A folder with the whole year of flights (`flights.csv`) and `airlines.csv`.
pub fn year() -> PathBuf {
    told("SLUICEBOX_TEST_YEAR")
}

/// Runs a Python script with pyarrow at hand; answers with what it prints.
pub fn python(script: &str, arguments: &[&str]) -> String {
    let output = Command::new("python3")
        .arg("-c")
        .arg(script)
        .args(arguments)
        .env("PYTHONPATH", told("SLUICEBOX_TEST_PYTHON"))
        .stdin(Stdio::null())
        .output()
        .expect("python3 starts");
    assert!(output.status.success(), "python3 failed: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}

/// How a command ended.
#[derive(Debug)]
pub struct Ended {
    /// The exit code; none if a signal ended it.
    pub code: Option<i32>,
    /// Standard output.
    pub stdout: String,
    /// Standard error.
    pub stderr: String,
}

impl From<Output> for Ended {
    fn from(output: Output) -> Self {
        Self {
            code: output.status.code(),
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }
}

impl Ended {
    /// Fails the test unless the command ended with this code.
    #[track_caller]
    pub fn with_code(self, code: i32) -> Self {
        assert_eq!(self.code, Some(code), "\nstdout:\n{}\nstderr:\n{}", self.stdout, self.stderr);
        self
    }

    /// Standard output as JSON.
    #[track_caller]
    pub fn json(&self) -> serde_json::Value {
        match serde_json::from_str(&self.stdout) {
            Ok(value) => value,
            Err(error) => panic!("not JSON ({error}):\n{}\nstderr:\n{}", self.stdout, self.stderr),
        }
    }
}

/// A project in a temporary folder, gone with the value.
#[derive(Debug)]
pub struct Project {
    folder: TempDir,
}

impl Default for Project {
    fn default() -> Self {
        Self::new()
    }
}

impl Project {
    /// An empty project.
    pub fn new() -> Self {
        Self { folder: tempfile::tempdir().expect("a temporary folder") }
    }

    /// The flights example: its pipeline file and its data.
    pub fn flights() -> Self {
        let project = Self::new();
        for name in ["flights.toml", "data/airlines.csv", "data/flights-2013-01-w1.csv"] {
            let from = root().join("examples/flights").join(name);
            let text = fs::read_to_string(&from).unwrap_or_else(|error| panic!("{}: {error}", from.display()));
            project.file(name, &text);
        }
        project
    }

    /// The project's folder.
    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    /// Writes a file, and the folders that it needs.
    pub fn file(&self, name: &str, content: impl AsRef<[u8]>) -> &Self {
        let path = self.path().join(name);
        fs::create_dir_all(path.parent().expect("a folder")).expect("folders");
        fs::write(&path, content).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        self
    }

    /// The text of a file of the project.
    #[track_caller]
    pub fn read(&self, name: &str) -> String {
        let path = self.path().join(name);
        fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
    }

    /// Whether a file of the project is there.
    pub fn has(&self, name: &str) -> bool {
        self.path().join(name).exists()
    }

    /// The command, to be run in the project's folder. What is compiled is shared by all tests.
    pub fn command(&self, arguments: &[&str]) -> Command {
        let binary = binary();
        let mut command = Command::new(&binary);
        command
            .args(arguments)
            .current_dir(self.path())
            .env("SLUICEBOX_CACHE", binary.with_file_name("test-cache"))
            .env("SLUICEBOX_PLUGINS", binary.with_file_name("test-plugins"))
            .env_remove("SLUICEBOX_STATE")
            .env("NO_COLOR", "1")
            .env("COLUMNS", "120")
            .stdin(Stdio::null());
        command
    }

    /// Runs the command to its end.
    pub fn sluicebox(&self, arguments: &[&str]) -> Ended {
        self.command(arguments).output().expect("the binary starts").into()
    }

    /// Text with all that differs from run to run (ids, times, sizes of memory, this folder) made the same.
    pub fn normalise(&self, text: &str) -> String {
        normalise(&text.replace(&self.path().display().to_string(), "[project]"))
    }
}

/// Replaces ids, times of day, durations and rates.
pub fn normalise(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for line in text.lines() {
        // Told only where a plugin was not compiled before.
        if line.starts_with("compiling ") || line.starts_with("compiled ") {
            continue;
        }
        let words = line.split_inclusive([' ', '"', ',', '(', ')', '\t']);
        for word in words {
            let bare = word.trim_end_matches([' ', '"', ',', '(', ')', '\t']);
            let rest = word.get(bare.len()..).unwrap_or_default();
            out.push_str(stand_in(bare).unwrap_or(bare));
            out.push_str(rest);
        }
        out.truncate(out.trim_end().len());
        out.push('\n');
    }
    out
}

/// What stands in for a word that differs from run to run.
fn stand_in(word: &str) -> Option<&'static str> {
    let is_hex = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    if word.len() == 36 && word.split('-').count() == 5 && word.split('-').all(is_hex) {
        return Some("[id]");
    }
    if word.len() == 64 && is_hex(word) {
        return Some("[digest]");
    }
    let is_time = word.get(4..5) == Some("-") && word.get(10..11) == Some("T") && word.ends_with('Z');
    if is_time {
        return Some("[time]");
    }
    None
}
