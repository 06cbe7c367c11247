//! What only the calendar and the folder know about a schedule: cron texts, time zones, files that start a run.

use super::Purpose;
use crate::serve::fixed_part;
use sluicebox_model::alert::AlertTarget;
use sluicebox_model::pipeline::{Pipeline, Problem, Schedule, Settings, suggest};
use sluicebox_schedule::{Timetable, TimetableError};
use std::path::{Component, Path};

/// What is wrong with the schedule of a pipeline. `root` is the folder of its file.
pub fn check(pipeline: &Pipeline, root: &Path) -> Vec<Problem> {
    let mut problems = Vec::new();
    let Some(schedule) = &pipeline.schedule else { return problems };
    times(schedule, &mut problems);
    for name in schedule.after.iter().flat_map(|after| &after.pipelines) {
        if name.text == pipeline.name {
            let message = format!("pipeline `{}` cannot follow itself", pipeline.name);
            problems.push(Problem::error(name.span.clone(), message).help("name the pipelines that it waits for"));
        }
    }
    problems.extend(files(pipeline, schedule, root));
    problems
}

/// What the settings of the house lack that the pipeline counts on. A run that begins all the same is only warned of it.
pub fn against_settings(pipeline: &Pipeline, settings: &Settings, purpose: Purpose) -> Vec<Problem> {
    let mut problems = Vec::new();
    if let Some(pool) = pipeline.pool.as_ref().filter(|pool| !settings.pools.contains_key(*pool)) {
        let names: Vec<&str> = settings.pools.keys().map(String::as_str).collect();
        let message =
            format!("there is no pool `{pool}`, so nothing says how many of its runs may be under way at once");
        let help = match suggest::closest(pool, names.iter().copied()) {
            Some(meant) => format!("did you mean `{meant}`?"),
            None => format!("add `[pools]` to `sluicebox.toml`, and below it `{pool} = 2`"),
        };
        let span = pipeline.pool_span.clone();
        let problem = match purpose {
            Purpose::Run => Problem::warning(span, message),
            Purpose::Check | Purpose::Offer => Problem::error(span, message),
        };
        problems.push(problem.help(help));
    }
    let place = pipeline.schedule.as_ref().map(|schedule| schedule.spans.table.clone()).unwrap_or_default();
    let mails = pipeline.alerts.iter().flatten().flat_map(|rule| &rule.to);
    if settings.smtp.is_none() && mails.clone().any(|target| matches!(target, AlertTarget::Email { .. })) {
        let help = "add `[smtp]` to `sluicebox.toml`, with `server = \"smtp://...\"` and `from = \"...\"`";
        problems.push(Problem::warning(place, "`[alert]` sends mails, and no server is known for them").help(help));
    }
    problems
}

fn times(schedule: &Schedule, problems: &mut Vec<Problem>) {
    let Err(errors) = Timetable::of(schedule) else { return };
    for error in errors {
        let span = match &error {
            TimetableError::Cron { index, error } => {
                let written = schedule.cron.get(*index).map(|cron| cron.span.clone()).unwrap_or_default();
                // Within the quotes; a text with escapes is pointed at as a whole.
                let inner = written.start + 1 + error.span.start..written.start + 1 + error.span.end;
                let text_len = schedule.cron.get(*index).map_or(0, |cron| cron.text.len());
                if written.len() == text_len + 2 && !inner.is_empty() && inner.end < written.end {
                    inner
                } else {
                    written
                }
            }
            TimetableError::Every(_) => schedule.spans.every.clone(),
            TimetableError::Zone(_) => schedule.timezone.span.clone(),
        };
        problems.push(Problem::error(span, format!("`[schedule]`: {error}")).help(error.help()));
    }
}

/// Files are looked at only where a stage may look, too.
fn files(pipeline: &Pipeline, schedule: &Schedule, root: &Path) -> Option<Problem> {
    let when = schedule.when.as_ref()?;
    let pattern = when.file.text.trim_start_matches("./");
    let folder = Path::new(fixed_part(pattern));
    let span = when.file.span.clone();
    let is_plain = |path: &Path| path.components().all(|part| matches!(part, Component::Normal(_) | Component::CurDir));
    if !is_plain(folder) || !is_plain(Path::new(pattern)) {
        let message = format!("`when.file` leads out of the folder of the pipeline file: {pattern}");
        return Some(Problem::error(span, message).help("write a path below that folder, without `..`"));
    }
    let is_within = |grant: &String| {
        let granted = root.join(grant);
        let granted = granted.canonicalize().unwrap_or(granted);
        let wanted = root.join(folder);
        let wanted = wanted.canonicalize().unwrap_or(wanted);
        wanted.starts_with(granted)
    };
    let grants = pipeline.stages.iter().flat_map(|stage| stage.grants.read.iter().chain(&stage.grants.write));
    if grants.clone().any(is_within) {
        return None;
    }
    let shown = if folder.as_os_str().is_empty() { ".".to_owned() } else { folder.display().to_string() };
    let message = format!("no stage may read `{shown}`, so its files start no run");
    let all: Vec<&str> = grants.map(String::as_str).collect();
    let help = match suggest::closest(&shown, all.iter().copied()) {
        Some(meant) => format!("did you mean a file below `{meant}`?"),
        None => format!("grant it to the stage that reads the files: `grants.read = [\"{shown}\"]`"),
    };
    Some(Problem::error(span, message).help(help))
}
