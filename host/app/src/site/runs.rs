//! The runs of a pipeline on its page.

use super::facts::Past;
use super::html::Html;
use super::picture::{Bar, bars};
use super::table;
use crate::show::decisions;
use crate::show::human::{self, number};
use sluicebox_model::run::RunState;
use sluicebox_store::{QuarantineKind, RunSummary};

/// Class and sign of a state.
pub(super) fn look(state: RunState) -> (&'static str, &'static str) {
    match state {
        RunState::Succeeded => ("good", ""),
        RunState::Failed | RunState::Crashed => ("bad", "×"),
        RunState::Queued | RunState::Running | RunState::Committing | RunState::Cancelled => ("open", "–"),
    }
}

fn duration(run: &RunSummary) -> String {
    run.duration.map(human::duration).unwrap_or_default()
}

/// What the last runs did.
pub(super) fn section(html: &mut Html, past: &Past, has_store: bool) {
    html.leaf("h2", &[("id", "runs")], "Last runs");
    if past.runs.is_empty() {
        let why =
            if has_store { "It has not run yet." } else { "No runs are known: there was no state folder to read." };
        html.leaf("p", &[("class", "quiet")], why);
        return left_out(html, past);
    }
    let good = past.runs.iter().filter(|run| run.state == RunState::Succeeded).count() as u64;
    let of = match past.runs.len() {
        1 => "run".to_owned(),
        many => format!("last {many} runs"),
    };
    let loaded = past
        .loaded_at
        .map_or("No rows were ever loaded.".to_owned(), |at| format!("Rows were last loaded at {}.", human::time(at)));
    html.leaf("p", &[], &format!("Of the {of} {good} ended well. {loaded}"));
    let longest = past.runs.iter().filter_map(|run| run.duration).max().unwrap_or_default().as_secs_f64();
    let chart: Vec<Bar> = past.runs.iter().rev().map(|run| bar(run, longest)).collect();
    let label = format!("How long the {of} took, the newest on the right; a cross above a bar: it failed");
    bars(html, &label, &chart);
    html.leaf("p", &[("class", "quiet")], &format!("{label}."));
    let columns = [
        ("Began", false),
        ("State", false),
        ("By", false),
        ("Took", true),
        ("Read", true),
        ("Loaded", true),
        ("Rejected", true),
        ("Quarantined", true),
        ("Why it failed", false),
    ];
    table(html, "Last runs", &columns, |html| {
        for run in &past.runs {
            html.node("tr", &[], |html| {
                html.leaf("th", &[("scope", "row"), ("class", "word")], &human::time(run.queued_at));
                html.node("td", &[("class", "word")], |html| {
                    html.leaf("span", &[("class", look(run.state).0)], run.state.word());
                });
                let trigger = serde_json::json!(run.trigger);
                html.leaf("td", &[("class", "word")], trigger.as_str().unwrap_or_default());
                html.leaf("td", &[("class", "number")], &duration(run));
                for rows in [run.rows_read, run.rows_loaded, run.rows_rejected, run.rows_quarantined] {
                    html.leaf("td", &[("class", "number")], &number(rows));
                }
                let why = run.fault.as_ref().map(|fault| match fault.stage.as_str() {
                    "" => fault.message.clone(),
                    stage => format!("{stage}: {}", fault.message),
                });
                let long = if why.is_some() { "long" } else { "" };
                html.leaf("td", &[("class", long)], &human::cut(&why.unwrap_or_default(), 500));
            });
        }
    });
    left_out(html, past);
    if past.reasons.is_empty() {
        return;
    }
    html.leaf("h3", &[], "Rows set aside");
    html.leaf("p", &[], "By the last run that set any aside:");
    table(html, "Rows set aside", &[("Stage", false), ("Why", false), ("Rows", true)], |html| {
        for reason in past.reasons.iter().take(50) {
            html.node("tr", &[], |html| {
                html.leaf("th", &[("scope", "row"), ("class", "word")], &reason.stage);
                let kind = match reason.kind {
                    QuarantineKind::Rejected => "broke: ",
                    QuarantineKind::Poison => "the stage failed on them: ",
                    QuarantineKind::Record => "could not be read: ",
                };
                html.leaf("td", &[("class", "long")], &format!("{kind}{}", human::cut(&reason.reason, 300)));
                html.leaf("td", &[("class", "number")], &number(reason.count));
            });
        }
    });
}

/// Times at which the pipeline did not run, or not as it should.
fn left_out(html: &mut Html, past: &Past) {
    if past.left_out.is_empty() {
        return;
    }
    html.leaf("h3", &[], "What did not run as planned");
    table(html, "What did not run as planned", &[("When", false), ("What", false), ("Why", false)], |html| {
        for entry in &past.left_out {
            html.node("tr", &[], |html| {
                html.leaf("th", &[("scope", "row"), ("class", "word")], &human::time(entry.at));
                html.leaf("td", &[("class", "word")], entry.event.name());
                html.leaf("td", &[("class", "long")], &human::cut(&decisions::told(&entry.event), 500));
            });
        }
    });
}

fn bar(run: &RunSummary, longest: f64) -> Bar {
    let (class, sign) = look(run.state);
    let took = run.duration.unwrap_or_default().as_secs_f64();
    let share = if longest > 0.0 { took / longest } else { 0.0 };
    let title = format!(
        "{}: {}, {}, {} loaded",
        human::time(run.queued_at),
        run.state.word(),
        duration(run),
        human::count(run.rows_loaded, "row", "rows")
    );
    Bar { share, class, sign, title }
}
