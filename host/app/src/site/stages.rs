//! The stages of a pipeline on its page.

use super::facts::{Member, StageFacts};
use super::html::Html;
use super::picture::{Edge, Node, graph};
use super::{sentences, table, words};
use crate::show::human::{self, clean_line};
use arrow_schema::Schema;
use serde_json::Value;
use sluicebox_model::pipeline::{Pipeline, StageSpec};
use sluicebox_model::plugin::Kind;

/// Boxes of a graph beyond so many are not drawn.
const BOXES_MAX: usize = 120;

/// Columns of a stage beyond so many are not shown.
const COLUMNS_MAX: usize = 500;

fn class(kind: Option<Kind>) -> &'static str {
    match kind {
        Some(Kind::Extract) => "extract",
        Some(Kind::Transform) => "transform",
        Some(Kind::Validate) => "validate",
        Some(Kind::Load) => "load",
        None => "missing",
    }
}

fn kind(facts: Option<&StageFacts>) -> Option<Kind> {
    facts.and_then(|facts| facts.plugin.as_ref()).map(|plugin| plugin.kind)
}

fn anchor(at: usize) -> String {
    format!("stage-{}", at + 1)
}

/// How the stages hang together, and each of them.
pub(super) fn sections(html: &mut Html, member: &Member, pipeline: &Pipeline) {
    html.leaf("h2", &[("id", "stages")], "Stages");
    if pipeline.stages.is_empty() {
        html.leaf("p", &[], "It has none.");
        return;
    }
    picture(html, member, pipeline);
    for (at, stage) in pipeline.stages.iter().enumerate() {
        let facts = member.stages.get(at);
        let class = format!("stage {}", class(kind(facts)));
        html.node("section", &[("class", &class), ("id", &anchor(at))], |html| one(html, pipeline, stage, facts));
    }
}

fn picture(html: &mut Html, member: &Member, pipeline: &Pipeline) {
    if pipeline.stages.len() > BOXES_MAX {
        let many = human::count(pipeline.stages.len() as u64, "stage", "stages");
        html.leaf("p", &[("class", "quiet")], &format!("{many} are too many to draw; each says below what it takes."));
        return;
    }
    let stages = pipeline.stages.iter().enumerate();
    let nodes: Vec<Node> = stages
        .clone()
        .map(|(at, stage)| Node {
            title: stage.name.clone(),
            below: stage.plugin.clone(),
            href: Some(format!("#{}", anchor(at))),
            class: class(kind(member.stages.get(at))),
        })
        .collect();
    let place = |name: &str| pipeline.stages.iter().position(|stage| stage.name == name);
    let edges: Vec<Edge> = stages
        .flat_map(|(to, stage)| {
            let inputs = stage.inputs.iter().enumerate();
            inputs.filter_map(move |(at, input)| Some(Edge { from: place(input)?, to, dashed: at > 0 }))
        })
        .collect();
    graph(html, "How the stages hang together", &nodes, &edges);
    if edges.iter().any(|edge| edge.dashed) {
        let said = "Rows go along the arrows; a dashed one leads from a table that is read to its end first.";
        html.leaf("p", &[("class", "quiet")], said);
    }
}

fn one(html: &mut Html, pipeline: &Pipeline, stage: &StageSpec, facts: Option<&StageFacts>) {
    let plugin = facts.and_then(|facts| facts.plugin.as_ref());
    html.node("h3", &[], |html| {
        html.text(&stage.name);
        if let Some(plugin) = plugin {
            html.text(" ").leaf("span", &[("class", "kind")], &plugin.kind.to_string());
        }
    });
    match plugin {
        Some(plugin) => {
            html.node("p", &[], |html| {
                html.words(&plugin.summary);
            });
        }
        None => {
            html.node("p", &[("class", "bad")], |html| {
                html.text("There is no plugin ")
                    .leaf("code", &[], &stage.plugin)
                    .text(" here: what it does is not known.");
            });
        }
    }
    html.node("dl", &[], |html| {
        html.leaf("dt", &[], "Plugin").node("dd", &[], |html| {
            html.leaf("code", &[], &stage.plugin);
            html.text(&plugin.map(|plugin| format!(" {}", plugin.version)).unwrap_or_default());
        });
        if !stage.inputs.is_empty() {
            html.leaf("dt", &[], "Takes").node("dd", &[], |html| inputs(html, pipeline, &stage.inputs));
        }
        let fed: Vec<String> = pipeline
            .stages
            .iter()
            .filter(|other| other.inputs.contains(&stage.name))
            .map(|other| other.name.clone())
            .collect();
        if !fed.is_empty() {
            html.leaf("dt", &[], "Passes on to").node("dd", &[], |html| inputs(html, pipeline, &fed));
        }
        html.leaf("dt", &[], "Grants").node("dd", &[], |html| {
            html.words(&words::grants(&stage.grants));
        });
        html.leaf("dt", &[], "Limits").leaf("dd", &[], &words::limits(&stage.limits));
        let trouble = words::trouble(stage);
        if !trouble.is_empty() {
            html.leaf("dt", &[], "If something fails").node("dd", &[], |html| {
                for said in trouble {
                    html.leaf("p", &[], &said);
                }
            });
        }
    });
    options(html, stage, facts);
    let Some(opened) = facts.and_then(|facts| facts.opened.as_ref()) else {
        let why = "Its columns are not known: it could not be opened, e.g. because what it reads is not there yet.";
        if plugin.is_some() {
            html.leaf("p", &[("class", "quiet")], why);
        }
        return;
    };
    if !opened.rules.is_empty() {
        let caption = format!("Rules of {}", stage.name);
        table(html, &caption, &[("Rule", false), ("What has to hold", false), ("Otherwise", false)], |html| {
            for rule in &opened.rules {
                html.node("tr", &[], |html| {
                    html.leaf("th", &[("scope", "row")], &rule.name);
                    html.leaf("td", &[("class", "long")], &rule.summary);
                    html.leaf("td", &[("class", "long")], &words::rule(rule));
                });
            }
        });
    }
    if let Some(schema) = &opened.schema {
        columns(html, &format!("Columns that {} passes on", stage.name), schema);
    }
}

fn inputs(html: &mut Html, pipeline: &Pipeline, names: &[String]) {
    for (at, name) in names.iter().enumerate() {
        if at > 0 {
            html.text(", ");
        }
        match pipeline.stages.iter().position(|stage| stage.name == *name) {
            Some(place) => html.leaf("a", &[("href", &format!("#{}", anchor(place)))], name),
            None => html.text(&format!("{name} (there is no such stage)")),
        };
    }
}

/// The options as they are written, each with what the plugin's schema says of it.
fn options(html: &mut Html, stage: &StageSpec, facts: Option<&StageFacts>) {
    let Some(options) = stage.config.as_object().filter(|options| !options.is_empty()) else { return };
    let schema = facts.and_then(|facts| facts.plugin.as_ref()).map(|plugin| &plugin.config_schema);
    let about = |key: &str| -> String {
        let property = schema.and_then(|schema| schema.get("properties")?.get(key));
        let said = property.and_then(|property| property.get("description")).and_then(Value::as_str);
        // Its lines are those of a source file.
        said.unwrap_or_default().split_whitespace().collect::<Vec<_>>().join(" ")
    };
    let caption = format!("Options of {}", stage.name);
    table(html, &caption, &[("Option", false), ("Value", false), ("What it is", false)], |html| {
        for (key, value) in options {
            html.node("tr", &[], |html| {
                html.node("th", &[("scope", "row"), ("class", "word")], |html| {
                    html.leaf("code", &[], key);
                });
                html.node("td", &[("class", "long")], |html| entries(html, key, value));
                html.node("td", &[("class", "about")], |html| {
                    html.words(&about(key));
                });
            });
        }
    });
}

/// A value; a list of tables or a table of its own in a line for each entry.
fn entries(html: &mut Html, key: &str, value: &Value) {
    match value {
        Value::Array(items) if items.iter().any(Value::is_object) => {
            html.node("ol", &[], |html| {
                for item in items {
                    html.node("li", &[], |html| {
                        html.leaf("code", &[], &words::value(item));
                    });
                }
            });
        }
        Value::Object(inner) if !inner.is_empty() => {
            html.node("ul", &[], |html| {
                for (key, value) in inner {
                    html.node("li", &[], |html| {
                        html.leaf("code", &[], &format!("{key} = {}", words::option(key, value)));
                    });
                }
            });
        }
        _ => {
            html.leaf("code", &[], &words::option(key, value));
        }
    }
}

fn columns(html: &mut Html, caption: &str, schema: &Schema) {
    html.node("details", &[], |html| {
        let many = human::count(schema.fields().len() as u64, "column", "columns");
        html.leaf("summary", &[], &format!("Passes on {many}"));
        list_columns(html, caption, schema);
    });
}

/// What the pipeline reads and writes.
pub(super) fn reads_and_writes(html: &mut Html, member: &Member, pipeline: &Pipeline) {
    html.leaf("h2", &[("id", "data")], "Reads and writes");
    for (wanted, title) in [(Kind::Extract, "Reads"), (Kind::Load, "Writes")] {
        let stages: Vec<(usize, &StageSpec)> =
            pipeline.stages.iter().enumerate().filter(|(at, _)| kind(member.stages.get(*at)) == Some(wanted)).collect();
        html.leaf("h3", &[], title);
        if stages.is_empty() {
            sentences(html, &["Nothing that is known.".to_owned()]);
            continue;
        }
        table(html, title, &[("What", false), ("By stage", false), ("Columns", true)], |html| {
            for (at, stage) in stages {
                html.node("tr", &[], |html| {
                    html.node("th", &[("scope", "row"), ("class", "long")], |html| {
                        html.leaf("code", &[], &what(stage));
                    });
                    html.node("td", &[], |html| {
                        html.leaf("a", &[("href", &format!("#{}", anchor(at)))], &stage.name);
                        html.text(&format!(" ({})", stage.plugin));
                    });
                    let columns = schema(member, pipeline, at, wanted);
                    let many = columns.map_or("not known".to_owned(), |schema| schema.fields().len().to_string());
                    html.leaf("td", &[("class", "number")], &many);
                });
            }
        });
    }
    for (at, stage) in pipeline.stages.iter().enumerate() {
        if kind(member.stages.get(at)) != Some(Kind::Load) {
            continue;
        }
        if let Some(schema) = schema(member, pipeline, at, Kind::Load) {
            html.leaf("h3", &[], &format!("Columns of {}", what(stage)));
            list_columns(html, &format!("Columns that {} writes", stage.name), &schema);
        }
    }
}

fn list_columns(html: &mut Html, caption: &str, schema: &Schema) {
    table(html, caption, &[("Column", false), ("Type", false), ("", false)], |html| {
        for field in schema.fields().iter().take(COLUMNS_MAX) {
            html.node("tr", &[], |html| {
                html.leaf("th", &[("scope", "row")], &clean_line(field.name()));
                html.leaf("td", &[], &clean_line(&field.data_type().to_string()));
                html.leaf("td", &[], if field.is_nullable() { "may be null" } else { "never null" });
            });
        }
    });
}

/// Where a stage reads or writes, as far as its options tell.
fn what(stage: &StageSpec) -> String {
    let told = ["path", "url", "table", "query"].into_iter().find_map(|key| Some((key, stage.config.get(key)?)));
    match told {
        Some((key, Value::String(_))) => {
            let shown = stage.config.get(key).map(words::value).unwrap_or_default();
            shown.trim_matches('"').to_owned()
        }
        Some((_, value)) => words::value(value),
        None => stage.name.clone(),
    }
}

/// The columns of an extract, or those that a load is given.
fn schema(member: &Member, pipeline: &Pipeline, at: usize, wanted: Kind) -> Option<arrow_schema::SchemaRef> {
    let of = |at: usize| member.stages.get(at)?.opened.as_ref()?.schema.clone();
    if wanted == Kind::Extract {
        return of(at);
    }
    let feeder = pipeline.stages.get(at)?.inputs.first()?;
    of(pipeline.stages.iter().position(|stage| stage.name == *feeder)?)
}
