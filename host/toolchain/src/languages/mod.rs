//! What each language needs, and how it builds.

mod c;
mod go;
mod python;
mod rust;
pub(crate) mod typescript;

use crate::error::ToolchainError;
use crate::language::Language;
use crate::need::Need;
use crate::program::run;
use crate::project::Project;
use crate::tools::Tools;
use sluicebox_model::plugin::Kind;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

/// What a compiler made.
pub(crate) enum Made {
    /// A component.
    Component(Vec<u8>),
    /// A core module without the type of its world.
    Module(Vec<u8>),
}

pub(crate) fn needs(project: &Project) -> Vec<Need> {
    match project.language {
        Language::Rust => rust::needs(),
        Language::Python => {
            let tools = python::PACKAGES.iter().copied().map(Need::pip);
            tools.chain(python::requirements(&project.dir)).collect()
        }
        Language::TypeScript => typescript::needs(),
        Language::C => c::PACKAGES.iter().copied().map(Need::pip).collect(),
        Language::Go => go::PACKAGES.iter().copied().map(Need::pip).collect(),
    }
}

pub(crate) fn build(project: &Project, tools: &Tools) -> Result<Made, ToolchainError> {
    match project.language {
        Language::Rust => rust::build(project),
        Language::Python => python(project, tools),
        Language::TypeScript => typescript::build(project, tools),
        Language::C => c::build(project, tools),
        Language::Go => go(project, tools),
    }
}

/// Whether a file, named as within its project, holds nothing but tests in the project's own language: no build reads it.
pub(crate) fn is_only_tests(language: Language, path: &Path) -> bool {
    let name = path.file_name().map(|name| name.to_string_lossy()).unwrap_or_default();
    match language {
        Language::Rust => false,
        Language::Python => name.starts_with("test_") && name.ends_with(".py"),
        Language::TypeScript => name.contains(".test."),
        Language::C => c::is_test(&name) && c::ENDS.iter().any(|end| name.ends_with(end)),
        Language::Go => name.ends_with("_test.go"),
    }
}

/// Whether a file, named as within its project, holds tests in the project's own language.
pub(crate) fn is_test(project: &Project, path: &Path) -> bool {
    let name = path.file_name().map(|name| name.to_string_lossy()).unwrap_or_default();
    let ends = |ends: &[&str]| ends.iter().any(|end| name.ends_with(end));
    match project.language {
        // In Rust they may stand in any file, and in the documentation.
        Language::Rust => {
            let text = || fs::read_to_string(project.dir.join(path)).unwrap_or_default();
            ends(&[".rs"]) && ["#[test]", "/// ```", "//! ```"].iter().any(|mark| text().contains(mark))
        }
        Language::Python => name.starts_with("test") && ends(&[".py"]),
        Language::TypeScript => ends(&[".test.ts", ".test.js", ".test.mjs"]),
        Language::C => name.starts_with("test_") && ends(&c::ENDS),
        Language::Go => ends(&["_test.go"]),
    }
}

/// How long a build usually takes where it was never done.
pub(crate) fn usual(language: Language) -> Duration {
    Duration::from_secs(match language {
        Language::Rust | Language::Python => 20,
        Language::TypeScript | Language::C => 3,
        Language::Go => 10,
    })
}

/// The language's own tests, which need no host; to be run in the project's folder.
pub(crate) fn unit_tests(project: &Project, tools: &Tools) -> Result<Command, ToolchainError> {
    let mut command = match project.language {
        Language::Rust => {
            let mut cargo = Command::new("cargo");
            cargo.args(["test", "--quiet"]);
            cargo
        }
        Language::Python => {
            let mut python = Command::new("python3");
            let packages = python::packages(&project.dir, tools);
            let path = std::env::join_paths([tools.sdk("python")].into_iter().chain(packages)).unwrap_or_default();
            python.env("PYTHONPATH", path).env("PYTHONDONTWRITEBYTECODE", "1").args(["-m", "unittest"]);
            python
        }
        Language::TypeScript => typescript::unit_tests(project, tools),
        Language::C => c::unit_tests(project, tools)?,
        Language::Go => {
            let workspace = tools.of_project(project, "tests.work");
            let text = go::workspace(&project.dir, &tools.sdk("go"));
            fs::write(&workspace, text).map_err(|error| ToolchainError::of_file("written", &workspace, &error))?;
            let mut go = Command::new(pip(tools, go::PACKAGES).join(go::GO));
            go.envs(go::test_environment(&workspace)).args(go::TEST_ARGUMENTS);
            go
        }
    };
    command.current_dir(&project.dir);
    Ok(command)
}

/// The world of the contract for a kind of stage.
pub(crate) fn world(kind: Kind) -> String {
    format!("{kind}-stage")
}

/// Sources that do not compile.
fn does_not_build(project: &Project) -> String {
    format!("`{}` does not build", project.name)
}

/// What the command does, without the command: that one names the interpreter it was installed with.
const COMPONENTIZE: &str = "import sys; from componentize_py import script; sys.exit(script())";

fn python(project: &Project, tools: &Tools) -> Result<Made, ToolchainError> {
    if !project.dir.join("stage.py").is_file() {
        return Err(ToolchainError::new(format!("there is no stage.py in {}", project.dir.display()))
            .help("it is the module that has the stage; `sluicebox plugin new` makes one to begin with"));
    }
    let empty = tools.dir.join("empty");
    let site = empty.join(python::SITE_PACKAGES);
    fs::create_dir_all(&site).map_err(|error| ToolchainError::of_file("made", &site, &error))?;
    let packages = python::packages(&project.dir, tools);
    let out = Output::of(project, tools);
    let kind = project.kind.to_string();
    let mut python = Command::new("python3");
    python.env("PYTHONPATH", pip(tools, python::PACKAGES)).envs(python::environment(&empty)).args(["-c", COMPONENTIZE]);
    python.args(python::arguments(
        &tools.wit(),
        &kind,
        &project.dir,
        &tools.sdk("python"),
        packages.as_deref(),
        &out.0,
    ));
    let made = run(&does_not_build(project), python.current_dir(&project.dir));
    made.map_err(|error| said(error, python::told))?;
    out.read().map(Made::Component)
}

fn go(project: &Project, tools: &Tools) -> Result<Made, ToolchainError> {
    let workspace = tools.dir.join(format!("{}-{}.work", project.name, std::process::id()));
    let out = Output::of(project, tools);
    let text = go::workspace(&project.dir, &tools.sdk("go"));
    fs::write(&workspace, text).map_err(|error| ToolchainError::of_file("written", &workspace, &error))?;
    let mut go = Command::new(pip(tools, go::PACKAGES).join(go::GO));
    go.envs(go::environment(&workspace)).args(go::arguments(&out.0)).current_dir(&project.dir);
    let made = run(&does_not_build(project), &mut go);
    let _ = fs::remove_file(&workspace);
    let _ = fs::remove_file(workspace.with_extension("work.sum"));
    made.map_err(|error| said(error, go::told))?;
    out.read().map(Made::Module)
}

/// The folder of the first of the packages.
fn pip(tools: &Tools, packages: &[&'static str]) -> PathBuf {
    let first = packages.first().copied().unwrap_or_default();
    let (package, version) = first.split_once("==").unwrap_or((first, ""));
    tools.pip(package, version)
}

/// What a compiler said, as people are told of it.
fn said(error: ToolchainError, told: fn(&str) -> String) -> ToolchainError {
    ToolchainError { said: error.said.as_deref().map(told), ..error }
}

/// The file that a compiler writes; gone with the value.
struct Output(PathBuf);

impl Output {
    fn of(project: &Project, tools: &Tools) -> Self {
        Self(tools.dir.join(format!("{}-{}.wasm", project.name, std::process::id())))
    }

    fn read(&self) -> Result<Vec<u8>, ToolchainError> {
        read(&self.0)
    }
}

impl Drop for Output {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.0);
    }
}

fn read(path: &Path) -> Result<Vec<u8>, ToolchainError> {
    fs::read(path).map_err(|error| ToolchainError::of_file("read", path, &error))
}
