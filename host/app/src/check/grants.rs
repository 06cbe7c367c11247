//! What a stage is granted against what its plugin asks for, and what its component can make use of at all.

use super::width;
use crate::places;
use serde_json::Value;
use sluicebox_model::grant::Grants;
use sluicebox_model::net::{Host, HttpGrant, Scheme, host_and_port};
use sluicebox_model::pipeline::{Problem, ProblemLevel, StageSpec};
use sluicebox_model::plugin::{Capability, Description};
use sluicebox_sandbox::Plugin;
use std::path::Path;

/// What is missing, what is too much, and folders that are not there. `root` is the folder of the pipeline file.
pub fn check(stage: &StageSpec, plugin: &Plugin, root: &Path) -> Vec<Problem> {
    let mut problems = against(stage, &plugin.description, &plugin.may_use());
    problems.extend(width::check(stage, root, &places::state_of_pipeline(None, root)));
    for (at, folder) in stage.grants.read.iter().enumerate() {
        problems.extend(folder_to_read(stage, at, folder, root));
    }
    for (at, folder) in stage.grants.write.iter().enumerate() {
        let path = root.join(folder);
        if path.exists() && !path.is_dir() {
            let message = format!("stage `{}` is granted `{folder}` to write, but that is a file", stage.name);
            let span = stage.spans.grant(&format!("/write/{at}"));
            problems.push(Problem::error(span, message).help("grants are folders: name the folder that it is in"));
        }
    }
    problems
}

/// What is missing and what is too much, where `may_use` is what the component imports.
fn against(stage: &StageSpec, plugin: &Description, may_use: &[Capability]) -> Vec<Problem> {
    let mut problems = Vec::new();
    missing(stage, plugin, &mut problems);
    unasked(stage, plugin, may_use, &mut problems);
    networks(stage, &mut problems);
    problems
}

/// Whether the stage has any grant of the capability.
fn is_granted(grants: &Grants, capability: Capability) -> bool {
    match capability {
        Capability::ReadFiles => !grants.read.is_empty(),
        Capability::WriteFiles => !grants.write.is_empty(),
        Capability::Http => !grants.http.is_empty(),
        Capability::Tcp => !grants.tcp.is_empty(),
        Capability::Environment => !grants.env.is_empty(),
        Capability::Clock => grants.clock,
        Capability::Random => grants.random,
    }
}

fn missing(stage: &StageSpec, plugin: &Description, problems: &mut Vec<Problem>) {
    let (error, warning) = (ProblemLevel::Error, ProblemLevel::Warning);
    for capability in plugin.capabilities.iter().copied().filter(|it| !is_granted(&stage.grants, *it)) {
        let (doing, level) = match capability {
            // What can be written can be read, too.
            Capability::ReadFiles if !stage.grants.write.is_empty() => continue,
            Capability::ReadFiles => ("read files", error),
            Capability::WriteFiles => ("write files", error),
            Capability::Http => ("make HTTP requests", error),
            Capability::Tcp => ("connect by TCP", error),
            Capability::Environment => ("read environment variables", warning),
            // Without a grant the stage has those of the run, which may be what is meant.
            Capability::Clock => ("see the real time", warning),
            Capability::Random => ("have real randomness", warning),
        };
        let key = capability.grant_key();
        // It stands there, but is not what it has to be: the parser has told of that.
        let pointer = key.replace("grants.", "/");
        if stage.spans.grant_items.iter().any(|(item, _)| *item == pointer) {
            continue;
        }
        let message = format!("plugin `{}` asks to {doing}, but stage `{}` has no `{key}`", stage.plugin, stage.name);
        let problem = Problem { level, ..Problem::error(stage.spans.grants.clone(), message) };
        let instead = match capability {
            Capability::Clock => Some("its clock stands at the end of the run's interval"),
            Capability::Random => Some("its randomness comes from the pipeline, the interval and the stage"),
            _ => None,
        };
        if let Some(instead) = instead {
            problems.push(problem.help(format!("add `{key} = true`; without it {instead} (`{key} = false` says so)")));
            continue;
        }
        let value = match capability {
            Capability::Environment => "NAME".to_owned(),
            Capability::Http => server_of(&stage.config).unwrap_or_else(|| "https://api.example.com".to_owned()),
            Capability::Tcp => address_of(&stage.config).unwrap_or_else(|| "db.internal:5432".to_owned()),
            _ => folder_of(&stage.config),
        };
        problems.push(problem.help(format!("add `{key} = [\"{value}\"]`")));
    }
}

/// The folder that the stage likely means: that of its `path`.
fn folder_of(config: &Value) -> String {
    let path = config.get("path").and_then(Value::as_str).unwrap_or("data/");
    let folder = path.rsplit_once('/').map_or(".", |(folder, _)| if folder.is_empty() { "/" } else { folder });
    // A folder with a pattern in it, or one that is filled in later, cannot be granted.
    let end = folder.find(['*', '?', '[', '{', '$']).unwrap_or(folder.len());
    let fixed = if end == folder.len() {
        folder
    } else {
        folder.get(..end).unwrap_or_default().rsplit_once('/').map_or(".", |(folder, _)| folder)
    };
    if fixed.is_empty() { ".".to_owned() } else { fixed.to_owned() }
}

/// The texts of the options.
fn texts(config: &Value) -> Vec<&str> {
    match config {
        Value::String(text) => vec![text],
        Value::Array(items) => items.iter().flat_map(texts).collect(),
        Value::Object(table) => table.values().flat_map(texts).collect(),
        _ => vec![],
    }
}

/// The server that the stage likely means: that of the first URL in its options.
fn server_of(config: &Value) -> Option<String> {
    let server = |text: &str| {
        let (scheme, rest) = text.split_once("://")?;
        let scheme = Scheme::parse(scheme)?;
        let server = rest.split(['/', '?', '#']).next()?.rsplit('@').next()?;
        Some(HttpGrant::parse(&format!("{}://{server}", scheme.word())).ok()?.to_string())
    };
    texts(config).into_iter().find_map(server)
}

/// The host and port that the stage likely means.
fn address_of(config: &Value) -> Option<String> {
    let address = |text: &str| {
        let text = text.split_once("://").map_or(text, |(_, rest)| rest);
        let text = text.split(['/', '?']).next()?.rsplit('@').next()?;
        let (host, port) = host_and_port(text).ok()?;
        Some(format!("{}:{}", Host::parse(host).ok()?, port?))
    };
    texts(config).into_iter().find_map(address)
}

fn unasked(stage: &StageSpec, plugin: &Description, may_use: &[Capability], problems: &mut Vec<Problem>) {
    let all = [
        Capability::ReadFiles,
        Capability::WriteFiles,
        Capability::Http,
        Capability::Tcp,
        Capability::Environment,
        Capability::Clock,
        Capability::Random,
    ];
    let asks = |capability| plugin.capabilities.contains(&capability);
    for capability in all.into_iter().filter(|capability| is_granted(&stage.grants, *capability)) {
        let (key, usable) = (capability.grant_key(), may_use.contains(&capability));
        let granted = key.trim_start_matches("grants.");
        let span = stage.spans.grant(&format!("/{granted}"));
        let who = format!("stage `{}` is granted `{granted}`", stage.name);
        let name = &stage.plugin;
        let (message, help) = match (asks(capability), usable) {
            (true, true) => continue,
            (true, false) => (
                format!("{who}, and plugin `{name}` asks for it, but its component imports nothing that could use it"),
                "the plugin says more than it is; take the grant out, or use a version of the plugin that needs it"
                    .to_owned(),
            ),
            (false, false) => (
                format!("{who}, but plugin `{name}` never asks for it, and its component could not use it"),
                "take the grant out: it does nothing".to_owned(),
            ),
            // More than it asks for, of the same kind.
            (false, true) if capability == Capability::WriteFiles && asks(Capability::ReadFiles) => {
                let folders: Vec<String> = stage.grants.write.iter().map(|folder| format!("{folder:?}")).collect();
                (
                    format!("{who}, but plugin `{name}` only asks to read"),
                    format!(
                        "write `grants.read = [{}]` instead: a stage should have what it needs and no more",
                        folders.join(", ")
                    ),
                )
            }
            (false, true) => (
                format!("{who}, but plugin `{name}` never asks for it"),
                "take the grant out: a stage should have what it needs and no more".to_owned(),
            ),
        };
        problems.push(Problem::warning(span, message).help(help));
    }
}

/// Ranges that grant nothing, or all there is.
fn networks(stage: &StageSpec, problems: &mut Vec<Problem>) {
    let StageSpec { name, grants, spans, .. } = stage;
    if !grants.networks.is_empty() && !grants.has_network() {
        let message = format!("stage `{name}` is granted `networks`, but neither `http` nor `tcp`");
        let help = "`networks` says which addresses granted names may stand for, and there are no such names: take it out, \
                    or grant `http` or `tcp`";
        problems.push(Problem::warning(spans.grant("/networks"), message).help(help));
        return;
    }
    for (at, network) in grants.networks.iter().enumerate() {
        let span = spans.grant(&format!("/networks/{at}"));
        let (message, help) = if network.is_all() {
            (
                format!("stage `{name}` is granted `networks` of every address there is"),
                "name the networks that its servers are in, e.g. \"10.0.0.0/8\"",
            )
        } else if network.is_public() {
            (
                format!("stage `{name}` is granted `networks` for {network}, which is public"),
                "take it out: granted names may stand for public addresses anyway",
            )
        } else {
            continue;
        };
        problems.push(Problem::warning(span, message).help(help));
    }
}

fn folder_to_read(stage: &StageSpec, at: usize, folder: &str, root: &Path) -> Option<Problem> {
    let path = root.join(folder);
    let span = stage.spans.grant(&format!("/read/{at}"));
    if path.is_dir() {
        return None;
    }
    if path.exists() {
        let parent = folder.rsplit_once('/').map_or(".", |(parent, _)| parent);
        let message = format!("stage `{}` is granted `{folder}` to read, but that is a file", stage.name);
        return Some(Problem::error(span, message).help(format!("grants are folders: write \"{parent}\"")));
    }
    let message = format!("stage `{}` is granted the folder `{folder}` to read, but it does not exist", stage.name);
    let help = if Path::new(folder).is_absolute() {
        "make it, or name another".to_owned()
    } else {
        "the path starts at the folder of the pipeline file; make the folder, or name another".to_owned()
    };
    Some(Problem::error(span, message).help(help))
}

#[cfg(test)]
#[path = "grants_tests.rs"]
mod tests;
