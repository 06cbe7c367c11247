//! `sluicebox graph`

use super::{Exit, Format, Output, PluginFolders, print, print_json};
use crate::show::compiling::compiling;
use crate::show::human::clean_line;
use crate::show::problems;
use crate::show::style::{Style, Tone};
use crate::trouble::Trouble;
use crate::wiring::{Host, Source};
use clap::Args;
use serde_json::json;
use sluicebox_model::pipeline::{self, Pipeline, Problem, StageSpec};
use sluicebox_model::plugin::Kind;
use sluicebox_model::text::steers;
use std::collections::HashSet;
use std::path::PathBuf;

const EXAMPLES: &str = "\
Examples:
  sluicebox graph flights.toml            a tree of the stages
  sluicebox graph flights.toml --mermaid  a Mermaid flowchart, e.g. for a README on GitHub";

/// Show how the stages of a pipeline hang together
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct Graph {
    /// The pipeline file
    pipeline: PathBuf,
    /// Print a Mermaid flowchart
    #[arg(long, conflicts_with = "format")]
    mermaid: bool,
    #[command(flatten)]
    plugins: PluginFolders,
    #[command(flatten)]
    pub(super) output: Output,
}

impl Graph {
    pub(super) fn run(self) -> Result<Exit, Trouble> {
        let source = Source::read(&self.pipeline)?;
        let json = self.output.format == Format::Json;
        let draft = pipeline::draft(&source.text);
        let mut problems = draft.problems;
        let mut drawn = None;
        if let Some(mut pipeline) = draft.pipeline {
            // Only what hangs together wrongly keeps it from being drawn, not a wrong option; so no stage is opened.
            let host = Host::open(&self.plugins.plugins, &source.root, compiling(json))?;
            let kinds: Vec<Option<Kind>> = pipeline
                .stages
                .iter()
                .map(|stage| host.catalog.get(&stage.plugin).map(|plugin| plugin.description.kind))
                .collect();
            pipeline::connect(&mut pipeline, &kinds);
            problems.extend(pipeline::check_kinds(&pipeline, &kinds).into_iter().filter(Problem::is_error));
            drawn = Some((pipeline, kinds));
        }
        match drawn {
            Some((pipeline, kinds)) if !problems.iter().any(Problem::is_error) => {
                if json {
                    print_json(&as_json(&pipeline, &kinds));
                } else if self.mermaid {
                    print(&mermaid(&pipeline, &kinds));
                } else {
                    print(&tree(&pipeline, Style::stdout()));
                }
                Ok(Exit::Done)
            }
            _ => {
                if json {
                    print_json(&json!({ "problems": problems::json(source.file(), &problems) }));
                } else {
                    eprint!("{}", problems::render(source.file(), &problems, Style::stderr()));
                    eprintln!("{}", problems::summary(source.file(), &problems));
                }
                Ok(Exit::Wrong)
            }
        }
    }
}

/// A tree from the extracts down; a stage with several inputs stands below the first, and is pointed to from the others.
fn tree(pipeline: &Pipeline, style: Style) -> String {
    let mut out = format!("{}\n", style.paint(Tone::Strong, &clean_line(&pipeline.name)));
    let mut drawn = HashSet::new();
    let roots: Vec<&StageSpec> = pipeline.stages.iter().filter(|stage| stage.inputs.is_empty()).collect();
    // Lines still to be drawn, the next one last: a stage, the stage that feeds it, and what stands before it.
    let mut left: Vec<(&StageSpec, Option<&str>, String, bool)> = Vec::new();
    for (at, root) in roots.iter().enumerate().rev() {
        left.push((root, None, String::new(), at + 1 == roots.len()));
    }
    while let Some((stage, feeder, before, last)) = left.pop() {
        let branch = if last { "└─ " } else { "├─ " };
        let plugin = style.paint(Tone::Quiet, &stage.plugin);
        let below_first = stage.inputs.first().map(String::as_str) == feeder;
        if !below_first {
            let note = style.paint(Tone::Quiet, "(shown below its first input)");
            out.push_str(&format!("{before}{branch}{} {note}\n", stage.name));
            continue;
        }
        let others: Vec<&str> = stage.inputs.iter().skip(1).map(String::as_str).collect();
        let others = if others.is_empty() { String::new() } else { format!("  also takes {}", others.join(", ")) };
        out.push_str(&format!("{before}{branch}{}  {plugin}{others}\n", stage.name));
        if !drawn.insert(stage.name.as_str()) {
            continue;
        }
        let before = format!("{before}{}", if last { "   " } else { "│  " });
        let fed: Vec<&StageSpec> = pipeline.stages.iter().filter(|other| other.inputs.contains(&stage.name)).collect();
        for (at, other) in fed.iter().enumerate().rev() {
            left.push((other, Some(&stage.name), before.clone(), at + 1 == fed.len()));
        }
    }
    out
}

fn mermaid(pipeline: &Pipeline, kinds: &[Option<Kind>]) -> String {
    let mut out = String::from("flowchart LR\n");
    // Names may hold words that Mermaid takes for its own, e.g. `end`.
    let node = |name: &str| format!("s_{}", name.replace('-', "_"));
    for (stage, kind) in pipeline.stages.iter().zip(kinds) {
        let (open, close) = match kind {
            Some(Kind::Extract) => ("[(", ")]"),
            Some(Kind::Validate) => ("{{", "}}"),
            Some(Kind::Load) => ("[/", "/]"),
            Some(Kind::Transform) | None => ("[", "]"),
        };
        let plugin: String = stage.plugin.chars().filter(|c| !"\"<>&#;".contains(*c) && !steers(*c)).collect();
        out.push_str(&format!(
            "    {}{open}\"{}<br/><small>{plugin}</small>\"{close}\n",
            node(&stage.name),
            stage.name
        ));
    }
    for stage in &pipeline.stages {
        for (at, input) in stage.inputs.iter().enumerate() {
            // All inputs but the first are read to their end before it: drawn as tables looked into.
            let arrow = if at == 0 { "-->" } else { "-.->" };
            out.push_str(&format!("    {} {arrow} {}\n", node(input), node(&stage.name)));
        }
    }
    out
}

fn as_json(pipeline: &Pipeline, kinds: &[Option<Kind>]) -> serde_json::Value {
    let stages = pipeline.stages.iter().zip(kinds).map(
        |(stage, kind)| json!({ "name": stage.name, "kind": kind, "plugin": stage.plugin, "inputs": stage.inputs }),
    );
    json!({ "pipeline": pipeline.name, "stages": stages.collect::<Vec<_>>() })
}
