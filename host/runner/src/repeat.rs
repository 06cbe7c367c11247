//! Which stages a repeated run has to run, and which checkpoints it starts behind. Pure.

use crate::dag::Dag;
use sluicebox_model::pipeline::Pipeline;
use std::collections::BTreeSet;

/// What is asked of a repeated run.
#[derive(Clone, Debug, Default)]
pub struct Repeat {
    /// Stages that have to run, and all behind them; others start behind their checkpoints where there are any.
    pub from: BTreeSet<String>,
    /// Loads that have to show their rows again.
    pub loads: BTreeSet<String>,
    /// Stages with a checkpoint that can be used.
    pub kept: BTreeSet<String>,
}

/// What becomes of a stage in a repeated run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// It runs.
    Runs,
    /// Its checkpoint takes its place.
    Restored,
    /// Nothing of it is needed.
    Skipped,
}

/// What becomes of each stage, in the order of the pipeline.
///
/// # Errors
/// The pipeline's stages are not joined as they should be; for people.
pub fn repeat(pipeline: &Pipeline, asked: &Repeat) -> Result<Vec<Part>, String> {
    let dag = Dag::new(pipeline)?;
    let name = |stage: usize| pipeline.stages.get(stage).map(|spec| spec.name.as_str()).unwrap_or_default();
    let position = |wanted: &str| pipeline.stages.iter().position(|spec| spec.name == wanted);
    let forced: BTreeSet<usize> = asked.from.iter().filter_map(|stage| position(stage)).collect();
    let is_forced = |stage: usize| forced.contains(&stage) || forced.iter().any(|from| dag.is_downstream(*from, stage));
    let mut parts = vec![Part::Skipped; pipeline.stages.len()];
    // From the loads back to where something is kept.
    let mut open: Vec<usize> = asked.loads.iter().filter_map(|stage| position(stage)).collect();
    while let Some(stage) = open.pop() {
        let Some(part) = parts.get_mut(stage).filter(|part| **part == Part::Skipped) else { continue };
        if asked.kept.contains(name(stage)) && !is_forced(stage) {
            *part = Part::Restored;
        } else {
            *part = Part::Runs;
            open.extend(dag.links.iter().filter(|link| link.to == stage).map(|link| link.from));
        }
    }
    Ok(parts)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing)]
    use super::*;
    use Part::{Restored, Runs, Skipped};

    /// Two extracts, a check, a join, and two loads: of the join, and of the first extract.
    fn pipeline() -> Pipeline {
        let text = r#"
            [pipeline]
            name = "p"
            [[stage]]
            name = "read"
            plugin = "e"
            [[stage]]
            name = "other"
            plugin = "e"
            [[stage]]
            name = "check"
            plugin = "v"
            inputs = ["read"]
            [[stage]]
            name = "join"
            plugin = "t"
            inputs = ["check", "other"]
            [[stage]]
            name = "out"
            plugin = "l"
            inputs = ["join"]
            [[stage]]
            name = "raw"
            plugin = "l"
            inputs = ["read"]
        "#;
        sluicebox_model::pipeline::parse(text).unwrap()
    }

    fn parts(from: &[&str], loads: &[&str], kept: &[&str]) -> Vec<Part> {
        let set = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        repeat(&pipeline(), &Repeat { from: set(from), loads: set(loads), kept: set(kept) }).unwrap()
    }

    #[test]
    fn a_run_starts_behind_what_is_kept() {
        let both = ["out", "raw"];
        assert_eq!(parts(&[], &both, &[]), [Runs; 6]);
        assert_eq!(parts(&[], &both, &["read", "other"]), [Restored, Restored, Runs, Runs, Runs, Runs]);
        assert_eq!(parts(&[], &both, &["read", "check"]), [Restored, Runs, Restored, Runs, Runs, Runs]);
        assert_eq!(parts(&["join"], &["out"], &["check", "other"]), [Skipped, Restored, Restored, Runs, Runs, Skipped]);
    }

    #[test]
    fn what_is_forced_runs_with_all_behind_it() {
        assert_eq!(
            parts(&["read"], &["out"], &["read", "other", "check"]),
            [Runs, Restored, Runs, Runs, Runs, Skipped]
        );
        assert_eq!(parts(&["out"], &["out"], &["join"]), [Skipped, Skipped, Skipped, Restored, Runs, Skipped]);
    }
}
