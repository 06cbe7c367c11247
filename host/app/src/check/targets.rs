//! Loads that would take each other's rows away.

use serde_json::Value;
use sluicebox_model::pipeline::{Pipeline, Problem};
use sluicebox_model::plugin::Kind;
use std::path::{Component, Path, PathBuf};

/// Loads with the same `path`, unless both only add to it.
pub fn check(pipeline: &Pipeline, kinds: &[Option<Kind>], configs: &[Value]) -> Vec<Problem> {
    let mut problems = Vec::new();
    let mut seen: Vec<(PathBuf, bool, usize)> = Vec::new();
    let loads = kinds.iter().enumerate().filter(|(_, kind)| **kind == Some(Kind::Load));
    for (at, _) in loads {
        let Some(config) = configs.get(at) else { continue };
        let Some(path) = config.get("path").and_then(Value::as_str) else { continue };
        let (path, adds) = (plain(path), adds(config));
        let earlier = seen.iter().find(|(other, both_add, _)| *other == path && !(*both_add && adds));
        if let Some((first, stage)) =
            earlier.and_then(|(_, _, first)| Some((pipeline.stages.get(*first)?, pipeline.stages.get(at)?)))
        {
            let message = format!(
                "stages `{}` and `{}` load into the same `{}`: one would take the place of the other",
                first.name,
                stage.name,
                path.display()
            );
            problems.push(
                Problem::error(stage.spans.option("/path"), message)
                    .label("the second")
                    .also(first.spans.option("/path"), "the first")
                    .help("give one of them another path, or let both add to a folder: `mode = \"append\"`"),
            );
        }
        seen.push((path, adds, at));
    }
    problems
}

/// Without `.` and, as far as can be told without looking, without `..`.
fn plain(path: &str) -> PathBuf {
    let mut plain = PathBuf::new();
    for part in Path::new(path).components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir if plain.file_name().is_some() => {
                plain.pop();
            }
            other => plain.push(other),
        }
    }
    plain
}

/// Whether a load with these options adds to its target; others replace what is there.
pub(crate) fn adds(config: &Value) -> bool {
    config.get("mode").and_then(Value::as_str) == Some("append")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_told_apart_as_they_are_meant() {
        assert_eq!(plain("./out/../out/a.csv"), plain("out//a.csv"));
        assert_ne!(plain("../out/a.csv"), plain("out/a.csv"));
    }
}
