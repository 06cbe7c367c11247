//! The page of all pipelines.

use super::facts::{House, Member};
use super::html::Html;
use super::output::PIPELINES;
use super::page::schedule_words;
use super::picture::{Edge, Node, graph};
use super::{frame, runs, sentences, table, words};
use crate::serve::timing;
use crate::show::human;
use sluicebox_model::pipeline::Schedule;

/// Boxes of a graph beyond so many are not drawn, and arrows neither.
const BOXES_MAX: usize = 200;
const ARROWS_MAX: usize = 500;

/// The page.
pub(super) fn page(house: &House) -> String {
    let title = match house.folder.as_str() {
        "" => "Pipelines".to_owned(),
        folder => format!("Pipelines of {folder}"),
    };
    frame(&title, house.at, None, |html| {
        html.leaf("h1", &[], &title);
        wrong(html, house);
        html.leaf("h2", &[("id", "pipelines")], "All pipelines");
        let columns = [
            ("Pipeline", false),
            ("What it is for", false),
            ("When", false),
            ("Last run", false),
            ("Rows", true),
            ("Next", false),
            ("Owner", false),
        ];
        table(html, "All pipelines", &columns, |html| {
            for member in &house.members {
                html.node("tr", &[], |html| row(html, house, member));
            }
        });
        dependencies(html, house);
        if !house.settings.pools.is_empty() {
            html.leaf("h2", &[("id", "pools")], "Pools");
            table(html, "Pools", &[("Pool", false), ("Runs at once", true), ("Pipelines", false)], |html| {
                for (pool, places) in &house.settings.pools {
                    html.node("tr", &[], |html| {
                        html.leaf("th", &[("scope", "row"), ("class", "word")], pool);
                        html.leaf("td", &[("class", "number")], &places.to_string());
                        let takes = |member: &&Member| {
                            member.pipeline.as_ref().is_some_and(|pipeline| pipeline.pool.as_ref() == Some(pool))
                        };
                        let names: Vec<&str> =
                            house.members.iter().filter(takes).map(|member| member.name.as_str()).collect();
                        html.leaf("td", &[], &names.join(", "));
                    });
                }
            });
        }
        if !house.settings.alerts.is_empty() {
            html.leaf("h2", &[("id", "alerts")], "Who is told, where a pipeline says nothing itself");
            sentences(html, &words::alerts(&house.settings.alerts));
        }
    })
}

fn wrong(html: &mut Html, house: &House) {
    let broken: Vec<&Member> = house.members.iter().filter(|member| member.is_broken()).collect();
    if broken.is_empty() && house.broken.is_empty() {
        return;
    }
    html.node("section", &[("class", "problems")], |html| {
        html.leaf("h2", &[], "Something is wrong");
        html.node("ul", &[], |html| {
            for told in &house.broken {
                html.node("li", &[], |html| {
                    html.leaf("code", &[], "sluicebox.toml")
                        .text(&format!(", line {}: ", told.line))
                        .words(&told.message);
                });
            }
            for member in broken {
                html.node("li", &[], |html| {
                    link(html, member, PIPELINES);
                    let errors = member.problems.iter().filter(|told| told.is_error).count() as u64;
                    html.text(&format!(" cannot run: {}", human::count(errors, "problem", "problems")));
                });
            }
        });
    });
}

fn link(html: &mut Html, member: &Member, folder: &str) {
    html.leaf("a", &[("href", &format!("{folder}/{}.html", member.page))], &member.name);
}

fn row(html: &mut Html, house: &House, member: &Member) {
    let pipeline = member.pipeline.as_ref();
    let schedule = pipeline.and_then(|pipeline| pipeline.schedule.as_ref());
    html.node("th", &[("scope", "row"), ("class", "word")], |html| link(html, member, PIPELINES));
    let about = pipeline.and_then(|pipeline| pipeline.description.as_deref()).unwrap_or_default();
    html.node("td", &[("class", "long")], |html| {
        if member.is_broken() {
            html.leaf("span", &[("class", "bad")], "Cannot run. ");
        }
        html.text(&human::cut(about, 300));
    });
    html.node("td", &[("class", "long")], |html| {
        if member.past.paused.is_some() {
            html.leaf("span", &[("class", "open")], "Paused. ");
        }
        html.words(&schedule_words(schedule));
    });
    let last = member.past.runs.first();
    html.node("td", &[], |html| match last {
        Some(run) => {
            html.leaf("span", &[("class", runs::look(run.state).0)], run.state.word());
            html.text(&format!(" {}", run.queued_at.strftime("%Y-%m-%d %H:%M")));
        }
        None => {
            html.leaf("span", &[("class", "quiet")], "none");
        }
    });
    html.leaf("td", &[("class", "number")], &last.map(|run| human::number(run.rows_loaded)).unwrap_or_default());
    let next = schedule.and_then(|schedule| timing::next(&member.name, schedule, house.at, 1).into_iter().next());
    // To the second only where that tells something.
    let next = next.map(|fire| fire.local.replacen(":00 ", " ", 1));
    html.leaf("td", &[], &next.unwrap_or_default());
    html.leaf("td", &[], pipeline.and_then(|pipeline| pipeline.owner.as_deref()).unwrap_or_default());
}

/// The pipelines that follow this one.
pub(super) fn followers<'a>(house: &'a House, name: &str) -> Vec<&'a str> {
    let follows = |member: &&Member| upstream(member).contains(&name);
    house.members.iter().filter(follows).map(|member| member.name.as_str()).collect()
}

fn upstream(member: &Member) -> Vec<&str> {
    let schedule = member.pipeline.as_ref().and_then(|pipeline| pipeline.schedule.as_ref());
    schedule.map(Schedule::upstream).unwrap_or_default()
}

fn dependencies(html: &mut Html, house: &House) {
    let edges: Vec<(&str, &str)> = house
        .members
        .iter()
        .flat_map(|member| upstream(member).into_iter().map(|before| (before, member.name.as_str())))
        .collect();
    if edges.is_empty() {
        return;
    }
    html.leaf("h2", &[("id", "dependencies")], "What follows what");
    draw(html, house, &edges, "", PIPELINES);
    html.node("ul", &[], |html| {
        for member in house.members.iter().filter(|member| !upstream(member).is_empty()) {
            html.leaf("li", &[], &format!("{} follows {}", member.name, upstream(member).join(" and ")));
        }
    });
}

/// The pipelines right before and behind one.
pub(super) fn neighbours(html: &mut Html, house: &House, member: &Member) {
    let name = member.name.as_str();
    let before = upstream(member).into_iter().map(|before| (before, name));
    let behind = followers(house, name).into_iter().map(|behind| (name, behind));
    let edges: Vec<(&str, &str)> = before.chain(behind).collect();
    draw(html, house, &edges, name, "");
}

fn draw(html: &mut Html, house: &House, pairs: &[(&str, &str)], here: &str, folder: &str) {
    // In the order of the house; what is not there comes last.
    let mut names: Vec<&str> = house.members.iter().map(|member| member.name.as_str()).collect();
    names.dedup();
    names.retain(|name| pairs.iter().any(|(before, behind)| before == name || behind == name));
    for (before, _) in pairs {
        if !names.contains(before) {
            names.push(before);
        }
    }
    if names.len() > BOXES_MAX || pairs.len() > ARROWS_MAX {
        html.leaf("p", &[("class", "quiet")], "They are too many to draw.");
        return;
    }
    let nodes: Vec<Node> = names
        .iter()
        .map(|name| {
            let member = house.members.iter().find(|member| member.name == *name);
            let folder = if folder.is_empty() { String::new() } else { format!("{folder}/") };
            let (class, below) = match member {
                None => ("missing", "there is none".to_owned()),
                Some(member) if member.is_broken() => ("missing", "cannot run".to_owned()),
                Some(member) if member.name == here => ("here", "this pipeline".to_owned()),
                Some(member) => ("", last(member)),
            };
            let href = member.map(|member| format!("{folder}{}.html", member.page));
            Node { title: (*name).to_owned(), below, href, class }
        })
        .collect();
    let place = |wanted: &str| names.iter().position(|name| *name == wanted);
    let edges: Vec<Edge> = pairs
        .iter()
        .filter_map(|(from, to)| Some(Edge { from: place(from)?, to: place(to)?, dashed: false }))
        .collect();
    graph(html, "Which pipelines follow which", &nodes, &edges);
}

fn last(member: &Member) -> String {
    member.past.runs.first().map_or("has not run".to_owned(), |run| format!("last run {}", run.state.word()))
}
