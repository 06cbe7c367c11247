//! `sluicebox schedule --all`: the next day of all pipelines of a folder.

use super::super::{Exit, print, print_json};
use crate::api::Fire;
use crate::places;
use crate::serve::folder::{Change, Folder};
use crate::serve::timing;
use crate::show::human::{clean_line, count};
use crate::show::style::{Style, Tone};
use crate::show::table::{Align, Cell, Table};
use crate::trouble::Trouble;
use jiff::{SignedDuration, Timestamp};
use serde_json::json;
use sluicebox_model::pipeline::{self, Schedule};
use std::path::Path;

/// A pipeline that runs more often in a day than this is told in one line.
const OFTEN: usize = 48;

/// Most times of a day that are looked at.
const DAY_MAX: usize = 10_000;

/// A time, with what is shown of it.
struct Line {
    pipeline: String,
    fire: Fire,
    /// When it begins, in the time zone of the pipeline.
    begins: String,
}

pub(super) fn whole_day(dir: &Path, state: Option<&Path>, from: Timestamp, json: bool) -> Result<Exit, Trouble> {
    let dir = dir.canonicalize().map_err(|error| Trouble::new(format!("{} cannot be read: {error}", dir.display())))?;
    let mut folder = Folder::new(&dir);
    let changes = folder.first_look(|source| match pipeline::parse(&source.text) {
        Ok(pipeline) => crate::check::schedule::check(&pipeline, &source.root),
        Err(problems) => problems,
    });
    let shown = |file: &Path| clean_line(&file.strip_prefix(&dir).unwrap_or(file).display().to_string());
    let broken: Vec<(String, Vec<String>)> = changes
        .into_iter()
        .filter_map(|change| match change {
            Change::Broken { file, problems, .. } => Some((shown(&file), problems)),
            _ => None,
        })
        .collect();
    let paused = super::paused(&places::state_of_pipeline(state, &dir))?;
    let end = from.checked_add(SignedDuration::from_hours(24)).unwrap_or(from);
    let mut all: Vec<Line> = Vec::new();
    let mut others = Vec::new();
    for (name, offered) in folder.offered() {
        let Some(schedule) = &offered.pipeline.schedule else {
            others.push((name.clone(), "only when it is asked to".to_owned()));
            continue;
        };
        if !schedule.is_timed() || schedule.when.is_some() {
            others.push((name.clone(), timing::timing(schedule).words));
        }
        let mut fires = timing::next(name, schedule, from, DAY_MAX);
        fires.retain(|fire| fire.at <= end);
        if fires.len() > OFTEN && !json {
            let many = crate::show::human::number(fires.len() as u64);
            let more = if fires.len() == DAY_MAX { " or more" } else { "" };
            others.push((name.clone(), format!("{} ({many}{more} times)", timing::timing(schedule).words)));
            continue;
        }
        all.extend(fires.into_iter().map(|fire| line(name, schedule, fire)));
    }
    all.sort_by(|one, other| (one.fire.at, &one.pipeline).cmp(&(other.fire.at, &other.pipeline)));
    let exit = if broken.is_empty() { Exit::Done } else { Exit::Wrong };
    if json {
        let fires: Vec<_> = all.iter().map(|line| json!({ "pipeline": line.pipeline, "fire": line.fire })).collect();
        let others: Vec<_> = others.iter().map(|(name, words)| json!({ "pipeline": name, "words": words })).collect();
        let of = |name: &String| folder.offered().contains_key(name);
        let paused: serde_json::Map<_, _> =
            paused.into_iter().filter(|(name, _)| of(name)).map(|(name, pause)| (name, json!(pause))).collect();
        let broken: Vec<_> =
            broken.iter().map(|(file, problems)| json!({ "file": file, "problems": problems })).collect();
        print_json(&json!({
            "from": from, "until": end, "fires": fires, "others": others, "paused": paused, "broken": broken,
        }));
        return Ok(exit);
    }
    let style = Style::stdout();
    let is_empty = folder.offered().is_empty() && broken.is_empty();
    if is_empty {
        print(&format!("there are no pipeline files in {} or below\n", clean_line(&dir.display().to_string())));
        return Ok(exit);
    }
    let mut columns = vec![("at", Align::Left), ("pipeline", Align::Left), ("", Align::Left)];
    let has_jitter = all.iter().any(|line| !line.begins.is_empty());
    if has_jitter {
        columns.insert(1, ("begins", Align::Left));
    }
    let mut table = Table::new(&columns);
    for Line { pipeline, fire, begins } in all {
        let note = match paused.contains_key(&pipeline) {
            true => "paused".to_owned(),
            false => fire.note.unwrap_or_default(),
        };
        let mut row = vec![fire.local.into(), pipeline.into(), Cell::toned(note, Tone::Warn)];
        if has_jitter {
            row.insert(1, begins.into());
        }
        table.row(row);
    }
    let mut out = table.render(style);
    for (name, words) in others {
        let is_paused = if paused.contains_key(&name) { style.paint(Tone::Warn, "; paused") } else { String::new() };
        out.push_str(&format!("{name}: {}{is_paused}\n", clean_line(&words)));
    }
    for (file, problems) in broken {
        let more = match problems.len() {
            0 | 1 => String::new(),
            many => format!(" (and {})", count(many as u64 - 1, "more problem", "more problems")),
        };
        let first = problems.into_iter().next().unwrap_or_default();
        out.push_str(&format!("{} {file}: {first}{more}\n", style.paint(Tone::Bad, "broken:")));
    }
    print(&out);
    Ok(exit)
}

fn line(name: &str, schedule: &Schedule, fire: Fire) -> Line {
    let begins = fire.begins.map(|at| timing::local(schedule, at)).unwrap_or_default();
    Line { pipeline: name.to_owned(), fire, begins }
}
