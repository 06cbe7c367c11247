//! Rust: a component straight from cargo.

use super::{Made, does_not_build};
use crate::error::ToolchainError;
use crate::need::Need;
use crate::program::{output, works};
use crate::project::Project;
use std::fs;
use std::path::PathBuf;
use std::process::Command;

const TARGET: &str = "wasm32-wasip2";

pub(super) fn needs() -> Vec<Need> {
    vec![Need::RustTarget(TARGET)]
}

pub(super) fn build(project: &Project) -> Result<Made, ToolchainError> {
    if !works(Command::new("cargo").arg("--version")) {
        return Err(ToolchainError::new("there is no cargo").help("install Rust by rustup"));
    }
    let mut cargo = Command::new("cargo");
    cargo.args(["build", "--quiet", "--release", "--target", TARGET, "--message-format", "json"]);
    let ended = output(cargo.current_dir(&project.dir))
        .map_err(|error| ToolchainError::new(format!("cargo cannot be started: {error}")))?;
    let told = String::from_utf8_lossy(&ended.stdout);
    if !ended.status.success() {
        let said = Some(said(&told, &String::from_utf8_lossy(&ended.stderr)));
        return Err(ToolchainError { said, ..ToolchainError::new(does_not_build(project)) });
    }
    let made = artefacts(&told).into_iter().find(|path| path.file_stem().is_some_and(|name| *name == *project.snake()));
    let Some(made) = made else {
        return Err(ToolchainError::new(format!("cargo made no {}.wasm", project.snake()))
            .help(format!("Cargo.toml has `name = \"{}\"` and `crate-type = [\"cdylib\", \"rlib\"]`", project.name)));
    };
    fs::read(&made).map(Made::Component).map_err(|error| ToolchainError::of_file("read", &made, &error))
}

/// What the compiler said, for people: its errors, the first one first, then its warnings, then what cargo itself said.
fn said(told: &str, of_cargo: &str) -> String {
    let (mut errors, mut others) = (String::new(), String::new());
    for line in told.lines().filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok()) {
        let Some(message) = line.get("message") else { continue };
        let rendered = message.get("rendered").and_then(|text| text.as_str()).unwrap_or_default();
        match message.get("level").and_then(|level| level.as_str()) {
            Some("error" | "error: internal compiler error") => errors.push_str(rendered),
            _ => others.push_str(rendered),
        }
    }
    format!("{errors}{others}{}", of_cargo.trim_end())
}

/// The modules that cargo says it has made.
fn artefacts(told: &str) -> Vec<PathBuf> {
    let lines = told.lines().filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok());
    let files = lines.filter_map(|line| Some(line.get("filenames")?.as_array()?.clone())).flatten();
    files
        .filter_map(|file| file.as_str().map(PathBuf::from))
        .filter(|file| file.extension().is_some_and(|it| it == "wasm"))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_come_before_warnings() {
        let told = concat!(
            r#"{"reason":"compiler-message","message":{"level":"warning","rendered":"warning: unused\n"}}"#,
            "\n",
            r#"{"reason":"compiler-message","message":{"level":"error","rendered":"error[E0425]: no such\n"}}"#,
            "\n",
            r#"{"reason":"build-finished","success":false}"#,
        );
        assert_eq!(
            said(told, "error: could not compile `x`\n"),
            "error[E0425]: no such\nwarning: unused\nerror: could not compile `x`"
        );
        assert_eq!(said("", "error: no manifest\n"), "error: no manifest");
    }

    #[test]
    fn what_cargo_made_is_found() {
        let told = "{\"reason\":\"compiler-artifact\",\"filenames\":[\"/t/libx.rlib\",\"/t/a_b.wasm\"]}\nnot json\n{\"reason\":\"build-finished\"}\n";
        assert_eq!(artefacts(told), [PathBuf::from("/t/a_b.wasm")]);
        assert!(artefacts("").is_empty());
    }
}
