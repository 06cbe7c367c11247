//! The page of one pipeline.

use super::facts::{House, Member};
use super::html::Html;
use super::index::{self, followers};
use super::{frame, runs, sentences, stages, table, words};
use crate::serve::timing;
use crate::show::human;
use sluicebox_model::pipeline::{Pipeline, Schedule};

/// Times that are shown of a schedule.
const NEXT: usize = 5;

/// The page.
pub(super) fn page(house: &House, member: &Member) -> String {
    let title = format!("{} - pipeline", member.name);
    frame(&title, house.at, Some("../index.html"), |html| {
        html.leaf("h1", &[], &member.name);
        problems(html, member);
        let Some(pipeline) = &member.pipeline else {
            html.node("p", &[], |html| {
                html.text("The file ").leaf("code", &[], &member.file).text(" cannot be read as a pipeline.");
            });
            return;
        };
        about(html, member, pipeline);
        html.leaf("h2", &[("id", "schedule")], "When it runs");
        when(html, house, member, pipeline);
        dependencies(html, house, member);
        stages::sections(html, member, pipeline);
        stages::reads_and_writes(html, member, pipeline);
        html.leaf("h2", &[("id", "expected")], "What is expected, and who is told");
        expected(html, house, pipeline);
        runs::section(html, &member.past, house.has_store);
    })
}

/// What is wrong with it, before anything else.
fn problems(html: &mut Html, member: &Member) {
    for (is_error, class, one, more) in [
        (true, "problems", "This pipeline cannot run: 1 problem", "This pipeline cannot run: "),
        (false, "warnings", "1 warning", ""),
    ] {
        let told: Vec<_> = member.problems.iter().filter(|told| told.is_error == is_error).collect();
        if told.is_empty() {
            continue;
        }
        html.node("section", &[("class", class)], |html| {
            let noun = if is_error { "problems" } else { "warnings" };
            let title = if told.len() == 1 { one.to_owned() } else { format!("{more}{} {noun}", told.len()) };
            html.leaf("h2", &[], &title);
            html.node("ul", &[], |html| {
                for told in told {
                    html.node("li", &[], |html| {
                        html.text(&format!("{}, line {}: ", member.file, told.line)).words(&told.message);
                        if let Some(help) = &told.help {
                            html.text(". ").words(help);
                        }
                    });
                }
            });
        });
    }
}

fn about(html: &mut Html, member: &Member, pipeline: &Pipeline) {
    match &pipeline.description {
        Some(description) => html.leaf("p", &[("class", "lead")], description),
        None => html.leaf("p", &[("class", "quiet")], "Its file does not say what it is for."),
    };
    if let Some(paused) = &member.past.paused {
        html.node("section", &[("class", "warnings")], |html| {
            html.leaf("h2", &[], "It is paused");
            let why = if paused.reason.is_empty() { String::new() } else { format!(": {}", paused.reason) };
            html.leaf("p", &[], &format!("Since {}, by {}{why}.", human::time(paused.at), paused.by));
        });
    }
    html.node("dl", &[], |html| {
        html.leaf("dt", &[], "Owner").leaf("dd", &[], pipeline.owner.as_deref().unwrap_or("nobody is named"));
        html.leaf("dt", &[], "File").node("dd", &[], |html| {
            html.leaf("code", &[], &member.file);
        });
        if let Some(run) = member.past.runs.first() {
            html.leaf("dt", &[], "Last run").node("dd", &[], |html| {
                html.leaf("span", &[("class", runs::look(run.state).0)], run.state.word());
                let rows = human::count(run.rows_loaded, "row", "rows");
                html.text(&format!(" at {}, {rows} loaded", human::time(run.queued_at)));
            });
        }
    });
    if !pipeline.assumptions.is_empty() {
        html.leaf("h2", &[("id", "assumptions")], "What it takes for granted");
        html.node("ul", &[], |html| {
            for assumption in &pipeline.assumptions {
                html.leaf("li", &[], assumption);
            }
        });
    }
}

/// The schedule in words; the times where they were understood.
pub(super) fn schedule_words(schedule: Option<&Schedule>) -> String {
    let Some(schedule) = schedule else { return "Only when it is asked to".to_owned() };
    let told = timing::timing(schedule);
    let said = if told.words.is_empty() { told.written.join("; ") } else { told.words };
    let mut letters = said.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}

fn when(html: &mut Html, house: &House, member: &Member, pipeline: &Pipeline) {
    html.node("p", &[], |html| {
        html.words(&format!("{}.", schedule_words(pipeline.schedule.as_ref())));
    });
    let Some(schedule) = &pipeline.schedule else { return };
    let written = timing::timing(schedule).written;
    if !written.is_empty() {
        html.node("p", &[("class", "quiet")], |html| {
            html.text("As written: ");
            for (at, text) in written.iter().enumerate() {
                html.text(if at > 0 { ", " } else { "" }).leaf("code", &[], text);
            }
            html.text(&format!(", time zone {}", schedule.timezone.text));
        });
    }
    sentences(html, &words::schedule(schedule));
    let fires = timing::next(&member.name, schedule, house.at, NEXT);
    if fires.is_empty() {
        return;
    }
    let columns = [("Next times", false), ("For the data from", false), ("", false)];
    table(html, "Next times", &columns, |html| {
        for fire in fires {
            html.node("tr", &[], |html| {
                html.leaf("th", &[("scope", "row"), ("class", "word")], &fire.local);
                html.leaf("td", &[("class", "word")], &human::time(fire.interval.start));
                html.leaf("td", &[], &fire.note.unwrap_or_default());
            });
        }
    });
}

fn dependencies(html: &mut Html, house: &House, member: &Member) {
    let before = member.pipeline.iter().filter_map(|pipeline| pipeline.schedule.as_ref()).flat_map(Schedule::upstream);
    let before: Vec<&str> = before.collect();
    let behind = followers(house, &member.name);
    if before.is_empty() && behind.is_empty() {
        return;
    }
    html.leaf("h2", &[("id", "dependencies")], "Before and behind it");
    index::neighbours(html, house, member);
    html.node("dl", &[], |html| {
        for (title, names) in [("Follows", before), ("Is followed by", behind)] {
            if names.is_empty() {
                continue;
            }
            html.leaf("dt", &[], title).node("dd", &[], |html| {
                for (at, name) in names.into_iter().enumerate() {
                    html.text(if at > 0 { ", " } else { "" });
                    match house.members.iter().find(|other| other.name == name) {
                        Some(other) => html.leaf("a", &[("href", &format!("{}.html", other.page))], name),
                        None => html.text(&format!("{name} (there is no such pipeline)")),
                    };
                }
            });
        }
    });
}

fn expected(html: &mut Html, house: &House, pipeline: &Pipeline) {
    html.leaf("h3", &[], "Expected of what it loads");
    let expected = words::monitors(&pipeline.monitor);
    match expected.as_slice() {
        [] => sentences(html, &["Nothing is said (`[monitor]`); a run that loads no row is told.".to_owned()]),
        said => sentences(html, said),
    }
    html.leaf("h3", &[], "How it runs");
    sentences(html, &words::running(pipeline, &house.settings.pools));
    html.leaf("h3", &[], "Who is told");
    let (rules, whose) = match &pipeline.alerts {
        Some(rules) => (rules, ""),
        None => (&house.settings.alerts, "As `sluicebox.toml` says for all pipelines:"),
    };
    if rules.is_empty() {
        sentences(html, &["Nobody: there is no `[alert]`.".to_owned()]);
        return;
    }
    if !whose.is_empty() {
        sentences(html, &[whose.to_owned()]);
    }
    sentences(html, &words::alerts(rules));
}
