//! What a stage is granted against what its plugin asks for.

use serde_json::Value;
use sluicebox_model::pipeline::{Problem, ProblemLevel, StageSpec};
use sluicebox_model::plugin::{Capability, Description};
use std::path::Path;

/// What is missing, what is too much, and folders that are not there. `root` is the folder of the pipeline file.
pub fn check(stage: &StageSpec, plugin: &Description, root: &Path) -> Vec<Problem> {
    let mut problems = Vec::new();
    missing(stage, plugin, &mut problems);
    unasked(stage, plugin, &mut problems);
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

fn missing(stage: &StageSpec, plugin: &Description, problems: &mut Vec<Problem>) {
    let (error, warning) = (ProblemLevel::Error, ProblemLevel::Warning);
    for capability in &plugin.capabilities {
        let grants = &stage.grants;
        let (doing, level) = match capability {
            // What can be written can be read, too.
            Capability::ReadFiles if grants.read.is_empty() && grants.write.is_empty() => ("read files", error),
            Capability::WriteFiles if grants.write.is_empty() => ("write files", error),
            Capability::Environment if grants.env.is_empty() => ("read environment variables", warning),
            // Without a grant the clock is that of the run and randomness comes from its id: that is no mistake.
            _ => continue,
        };
        let key = capability.grant_key();
        // It stands there, but is not what it has to be: the parser has told of that.
        let pointer = key.replace("grants.", "/");
        if stage.spans.grant_items.iter().any(|(item, _)| *item == pointer) {
            continue;
        }
        let message = format!("plugin `{}` asks to {doing}, but stage `{}` has no `{key}`", stage.plugin, stage.name);
        let problem = Problem { level, ..Problem::error(stage.spans.grants.clone(), message) };
        let value = match capability {
            Capability::Environment => "NAME".to_owned(),
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

fn unasked(stage: &StageSpec, plugin: &Description, problems: &mut Vec<Problem>) {
    let asks = |capability: Capability| plugin.capabilities.contains(&capability);
    let grants = &stage.grants;
    let granted = [
        ("read", !grants.read.is_empty(), asks(Capability::ReadFiles)),
        ("write", !grants.write.is_empty(), asks(Capability::WriteFiles)),
        ("env", !grants.env.is_empty(), asks(Capability::Environment)),
        ("clock", grants.clock, asks(Capability::Clock)),
        ("random", grants.random, asks(Capability::Random)),
    ];
    for (key, given, asked) in granted {
        if given && !asked {
            let message =
                format!("stage `{}` is granted `{key}`, but plugin `{}` never asks for it", stage.name, stage.plugin);
            let span = stage.spans.grant(&format!("/{key}"));
            problems.push(
                Problem::warning(span, message)
                    .help("take the grant out: a stage should have what it needs and no more"),
            );
        }
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
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn the_folder_of_a_path() {
        assert_eq!(folder_of(&json!({"path": "data/a.csv"})), "data");
        assert_eq!(folder_of(&json!({"path": "a.csv"})), ".");
        assert_eq!(folder_of(&json!({"path": "data/2013-*/a.csv"})), "data");
        assert_eq!(folder_of(&json!({"path": "*/a.csv"})), ".");
        assert_eq!(folder_of(&json!({"path": "/a.csv"})), "/");
        assert_eq!(folder_of(&json!({})), "data");
    }
}
