//! What only all pipelines of a folder together show: names twice, pipelines that follow others that are not there, circles.

use crate::serve::folder::pipeline_files;
use crate::wiring::Source;
use sluicebox_model::pipeline::{self, After, Pipeline, Problem};
use sluicebox_schedule::dependencies::{Dependencies, DependencyError};
use std::ops::Range;
use std::path::Path;

/// A pipeline file of the folder, as far as it can be read.
pub struct Member {
    /// The file.
    pub source: Source,
    /// What it says; none: it is no sound text.
    pub pipeline: Option<Pipeline>,
    /// What is wrong with it beside the others.
    pub problems: Vec<Problem>,
}

/// The pipeline files of a folder and of those below it, each with what is wrong with it beside the others.
pub fn members(dir: &Path) -> Vec<Member> {
    let mut members: Vec<Member> = pipeline_files(dir)
        .into_iter()
        .map(|source| {
            let pipeline = pipeline::parse(&source.text).ok();
            Member { source, pipeline, problems: Vec::new() }
        })
        .collect();
    let mut found: Vec<(usize, Problem)> = Vec::new();
    let name = |member: &Member| member.pipeline.as_ref().map(|pipeline| pipeline.name.clone());
    for (at, member) in members.iter().enumerate() {
        let before = members.iter().take(at).find(|other| name(other).is_some() && name(other) == name(member));
        if let (Some(before), Some(twice)) = (before, name(member)) {
            let message = format!("{} is a pipeline `{twice}`, too", before.source.name);
            let help = "give one of them another name: runs, bookmarks and loads are kept by it";
            found.push((at, Problem::error(first_line(&member.source), message).help(help)));
        }
    }
    let known: Vec<(usize, &Pipeline)> =
        members.iter().enumerate().filter_map(|(at, member)| Some((at, member.pipeline.as_ref()?))).collect();
    let who: Vec<(&str, &[After])> =
        known.iter().map(|(_, pipeline)| (pipeline.name.as_str(), after(pipeline))).collect();
    let of = |name: &str| known.iter().find(|(_, pipeline)| pipeline.name == name).copied();
    for error in Dependencies::new(&who).errors() {
        let problem = |span| Problem::error(span, error.to_string()).help(error.help());
        match &error {
            DependencyError::Unknown { pipeline, span, .. } => {
                found.extend(of(pipeline).map(|(at, _)| (at, problem(span.clone()))));
            }
            // Each of them is told.
            DependencyError::Cycle { path } => {
                for pair in path.windows(2) {
                    let [follower, followed] = pair else { continue };
                    let Some((at, pipeline)) = of(follower) else { continue };
                    let named = after(pipeline).iter().flat_map(|after| &after.pipelines);
                    let span = named.into_iter().find(|name| name.text == *followed).map(|name| name.span.clone());
                    found.push((at, problem(span.unwrap_or_default())));
                }
            }
        }
    }
    for (at, problem) in found {
        if let Some(member) = members.get_mut(at) {
            member.problems.push(problem);
        }
    }
    members
}

/// What is wrong with a file beside the others of the folder that it belongs to; looked for only if it follows others.
pub fn check(source: &Source, pipeline: &Pipeline) -> Vec<Problem> {
    if after(pipeline).is_empty() {
        return Vec::new();
    }
    let home = crate::settings::home(&source.root).unwrap_or(&source.root);
    members(home)
        .into_iter()
        .find(|member| member.source.path == source.path)
        .map(|member| member.problems)
        .unwrap_or_default()
}

fn after(pipeline: &Pipeline) -> &[After] {
    pipeline.schedule.as_ref().map(|schedule| schedule.after.as_slice()).unwrap_or_default()
}

fn first_line(source: &Source) -> Range<usize> {
    0..source.text.lines().next().map_or(0, str::len)
}
