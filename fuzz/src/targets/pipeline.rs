//! The text of a pipeline file, and of `sluicebox.toml`.

use sluicebox_model::limits::COMPONENT_BYTES_MAX;
use sluicebox_model::pipeline::{self, Pipeline, Problem, StageSpans, placeholder};
use sluicebox_model::plugin::Kind;
use sluicebox_schedule::Timetable;
use std::collections::HashSet;
use std::ops::Range;

/// Reads the bytes as both, if they are text.
pub fn run(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let draft = pipeline::draft(text);
    tell(text, &draft.problems);
    let errors = draft.problems.iter().any(Problem::is_error);
    match pipeline::parse(text) {
        Ok(pipeline) => {
            assert!(!errors, "a file with errors was taken");
            sound(&pipeline);
        }
        Err(problems) => {
            assert_eq!(problems, draft.problems);
            assert!(problems.iter().any(Problem::is_error), "refused without a reason");
        }
    }
    if let Some(pipeline) = draft.pipeline {
        spans(text, &pipeline);
        kinds(text, bytes, pipeline);
    }
    if let Err(problems) = pipeline::settings(text) {
        tell(text, &problems);
        assert!(problems.iter().any(Problem::is_error));
    }
    if let Err((message, help)) = placeholder::pieces(text) {
        assert!(!message.is_empty() && !help.is_empty());
    }
}

/// Each problem says what is wrong, at a place that can be shown.
fn tell(text: &str, problems: &[Problem]) {
    for problem in problems {
        assert!(!problem.message.is_empty());
        let also = problem.also.iter().map(|(span, _)| span);
        for span in [&problem.span].into_iter().chain(also) {
            within(text, span);
        }
        assert!(problem.help.as_ref().is_none_or(|help| !help.is_empty()), "{problem:?}");
    }
    let places: Vec<usize> = problems.iter().map(|problem| problem.span.start).collect();
    assert!(places.is_sorted(), "in the order of the file");
}

fn within(text: &str, span: &Range<usize>) {
    assert!(text.get(span.clone()).is_some(), "{span:?} of {} bytes", text.len());
}

/// What stands in a pipeline that was taken is what the rest of the host counts on.
fn sound(pipeline: &Pipeline) {
    assert!(name(&pipeline.name), "{:?}", pipeline.name);
    assert!(!pipeline.stages.is_empty());
    let names: HashSet<&str> = pipeline.stages.iter().map(|stage| stage.name.as_str()).collect();
    assert_eq!(names.len(), pipeline.stages.len(), "two stages of one name");
    for stage in &pipeline.stages {
        assert!(name(&stage.name) && !stage.plugin.is_empty());
        assert!(stage.inputs.iter().all(|input| names.contains(input.as_str()) && *input != stage.name));
        assert!(stage.config.is_object());
        let limits = &stage.limits;
        assert!(limits.memory_bytes_max >= 65_536 && limits.stack_bytes_max >= 65_536);
        assert!(limits.transfer_bytes_max > 0 && limits.held_bytes_max > 0 && limits.component_bytes_max > 0);
        assert!(limits.component_bytes_max <= COMPONENT_BYTES_MAX);
        assert!(!limits.call_max.is_zero() && limits.handles_max > 0);
        assert!(!limits.poison_time_max.is_zero() && limits.poison_calls_max > 0);
        assert!((1..=100).contains(&stage.retry.attempts));
        assert!(stage.deadline.is_none_or(|deadline| !deadline.is_zero()));
        assert!(stage.grants.read.iter().chain(&stage.grants.write).all(|folder| !folder.contains('\0')));
    }
    // The store keeps it, and `schema` and the API show it.
    serde_json::to_string(pipeline).unwrap();
    if let Some(schedule) = &pipeline.schedule
        && let Ok(table) = Timetable::of(schedule)
    {
        assert!(!table.words().is_empty());
    }
}

/// Names stand in file names, tables and commands.
fn name(name: &str) -> bool {
    !name.is_empty()
        && name.len() <= 64
        && name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"-_".contains(&byte))
}

fn spans(text: &str, pipeline: &Pipeline) {
    for stage in &pipeline.stages {
        let StageSpans {
            header,
            name,
            plugin,
            inputs,
            input_items,
            grants,
            grant_items,
            on_fault,
            reject,
            config,
            config_keys,
        } = &stage.spans;
        for span in [header, name, plugin, inputs, grants, on_fault, reject].into_iter().chain(input_items) {
            within(text, span);
        }
        for (_, span) in grant_items.iter().chain(config).chain(config_keys) {
            within(text, span);
        }
        within(text, &stage.spans.option("/a/b"));
        within(text, &stage.spans.grant("/read/7"));
    }
}

/// Goes on as the app does once the plugins are known.
fn kinds(text: &str, bytes: &[u8], mut pipeline: Pipeline) {
    let kinds = [Some(Kind::Extract), Some(Kind::Transform), Some(Kind::Validate), Some(Kind::Load), None];
    let first = bytes.iter().fold(0_usize, |sum, byte| sum.wrapping_mul(31).wrapping_add(usize::from(*byte)));
    let kinds: Vec<Option<Kind>> = (0..pipeline.stages.len()).map(|at| kinds[(first >> (at % 16)) % 5]).collect();
    pipeline::connect(&mut pipeline, &kinds);
    for problem in pipeline::check_kinds(&pipeline, &kinds) {
        within(text, &problem.span);
        problem.also.iter().for_each(|(span, _)| within(text, span));
    }
}
