//! `sluicebox check`

use super::{Exit, Format, LockedOnly, Output, PluginFolders, print, print_json};
use crate::check::house::{self, Member};
use crate::check::{Examined, Purpose, examine};
use crate::components::Plugins;
use crate::settings::{self, Broken};
use crate::show::compiling::compiling;
use crate::show::human::{self, clean_line};
use crate::show::problems;
use crate::show::style::{Style, Tone};
use crate::show::table::{Align, Table};
use crate::trouble::Trouble;
use crate::wiring::{Host, Source, new_run_id};
use arrow_schema::Schema;
use clap::Args;
use jiff::Timestamp;
use serde_json::{Value, json};
use sluicebox_model::cancel::Cancel;
use sluicebox_model::run::Interval;
use sluicebox_model::stage::Rule;
use sluicebox_runner::{CheckContext, Checked};
use std::collections::BTreeMap;
use std::path::PathBuf;

const EXAMPLES: &str = "\
Examples:
  sluicebox check flights.toml            all problems at once, with line, column and what to write
  sluicebox check pipelines               all pipelines of a folder, and how they go together
  sluicebox check flights.toml --columns  also the columns that each stage passes on
  sluicebox check flights.toml --format json | jq '.problems[]'

Options are held against the schema of each plugin, grants against what it asks for, and then every stage is opened
without data, so that a column that is not there is found before any row moves. Exits with 2 if there is an error.";

/// Tell everything that is wrong with a pipeline, before any row moves
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct Check {
    /// The pipeline file, or a folder of them
    pipeline: PathBuf,
    /// Show the columns that each stage passes on
    #[arg(long)]
    columns: bool,
    #[command(flatten)]
    plugins: PluginFolders,
    #[command(flatten)]
    only: LockedOnly,
    #[command(flatten)]
    pub(super) output: Output,
}

impl Check {
    pub(super) fn run(self) -> Result<Exit, Trouble> {
        if self.pipeline.is_dir() {
            let members = house::members(&self.pipeline);
            let only = self.pipeline.join("pipeline.toml");
            if members.iter().any(|member| member.source.path.canonicalize().ok() != only.canonicalize().ok()) {
                return self.folder(members);
            }
        }
        let source = Source::read(&self.pipeline)?;
        let json = self.output.format == Format::Json;
        let host = Host::open_locked(&self.plugins.plugins, &source.root, self.only.locked, compiling(json))?;
        let now = Timestamp::now();
        let interval = Interval { start: now, end: now };
        let mut examined = examine(
            &source,
            &host,
            &Plugins::Found(&host.catalog),
            Purpose::Check,
            &CheckContext { id: new_run_id(now)?, interval, bookmarks: BTreeMap::new(), skipped: BTreeMap::new() },
            &Cancel::new(),
        );
        if let Some(pipeline) = &examined.pipeline {
            let beside = house::check(&source, pipeline);
            examined.problems.extend(beside);
        }
        let broken = settings::broken(&source.root)?;
        let sound = examined.is_sound() && broken.is_none();
        if json {
            print_json(&as_json(&source, &examined, broken.as_ref()));
        } else {
            problems::tell(source.file(), &examined.problems);
            if let Some(broken) = &broken {
                problems::tell(broken.file(), &broken.problems);
            }
            if sound {
                print(&answer(&source, &examined, self.columns, Style::stdout()));
            }
        }
        Ok(if sound { Exit::Done } else { Exit::Wrong })
    }
}

impl Check {
    /// All pipelines of a folder, and how they go together.
    fn folder(&self, members: Vec<Member>) -> Result<Exit, Trouble> {
        let json = self.output.format == Format::Json;
        let now = Timestamp::now();
        let interval = Interval { start: now, end: now };
        let root = self.pipeline.canonicalize().unwrap_or_else(|_| self.pipeline.clone());
        let broken = settings::broken(&root)?;
        let mut sound = broken.is_none();
        let mut answers = Vec::new();
        let mut lines = String::new();
        let style = Style::stdout();
        for member in members {
            let source = &member.source;
            let host = Host::open_locked(&self.plugins.plugins, &source.root, self.only.locked, compiling(json))?;
            let context =
                CheckContext { id: new_run_id(now)?, interval, bookmarks: BTreeMap::new(), skipped: BTreeMap::new() };
            let plugins = Plugins::Found(&host.catalog);
            let mut examined = examine(source, &host, &plugins, Purpose::Check, &context, &Cancel::new());
            examined.problems.extend(member.problems);
            sound &= examined.is_sound();
            if json {
                answers.push(as_json(source, &examined, None));
                continue;
            }
            problems::tell(source.file(), &examined.problems);
            if examined.is_sound() {
                let name = examined.pipeline.as_ref().map(|pipeline| pipeline.name.clone()).unwrap_or_default();
                lines.push_str(&format!("{} {}: `{name}` is sound\n", style.paint(Tone::Good, "ok:"), source.name));
            }
        }
        if json {
            let settings = broken.as_ref().map(|broken| problems::json(broken.file(), &broken.problems));
            print_json(&json!({ "sound": sound, "pipelines": answers, "problems": settings.unwrap_or(json!([])) }));
        } else {
            if let Some(broken) = &broken {
                problems::tell(broken.file(), &broken.problems);
            }
            print(&lines);
        }
        Ok(if sound { Exit::Done } else { Exit::Wrong })
    }
}

fn answer(source: &Source, examined: &Examined, columns: bool, style: Style) -> String {
    let stages = examined.checks.len() as u64;
    let mut out = format!(
        "{} {} is sound: {}\n\n",
        style.paint(Tone::Good, "ok:"),
        source.name,
        human::count(stages, "stage", "stages")
    );
    let Some(pipeline) = &examined.pipeline else { return out };
    let mut table = Table::new(&[
        ("stage", Align::Left),
        ("kind", Align::Left),
        ("plugin", Align::Left),
        ("takes", Align::Left),
        ("passes on", Align::Left),
    ]);
    for ((stage, kind), check) in pipeline.stages.iter().zip(&examined.kinds).zip(&examined.checks) {
        let passes = match &check.result {
            Checked::Opened(opened) => match (&opened.schema, opened.rules.len() as u64) {
                (Some(schema), 0) => human::count(schema.fields().len() as u64, "column", "columns"),
                (Some(_), rules) => human::count(rules, "rule", "rules"),
                (None, _) => String::new(),
            },
            _ => String::new(),
        };
        table.row(vec![
            stage.name.as_str().into(),
            kind.map(|kind| kind.to_string()).unwrap_or_default().into(),
            stage.plugin.as_str().into(),
            stage.inputs.join(", ").into(),
            passes.into(),
        ]);
    }
    out.push_str(&table.render(style));
    if columns {
        for (stage, check) in pipeline.stages.iter().zip(&examined.checks) {
            let Checked::Opened(opened) = &check.result else { continue };
            if let Some(schema) = &opened.schema {
                out.push_str(&format!("\n{}\n", style.paint(Tone::Strong, &stage.name)));
                out.push_str(&columns_of(schema, style));
            }
        }
    }
    out
}

fn columns_of(schema: &Schema, style: Style) -> String {
    let mut table = Table::new(&[("", Align::Left), ("", Align::Left), ("", Align::Left)]);
    for field in schema.fields() {
        let nulls = if field.is_nullable() { "" } else { "no nulls" };
        table.row(vec![clean_line(field.name()).into(), field.data_type().to_string().into(), nulls.into()]);
    }
    table.render(style)
}

fn as_json(source: &Source, examined: &Examined, broken: Option<&Broken>) -> Value {
    let mut problems = problems::json(source.file(), &examined.problems);
    if let (Some(list), Some(broken)) = (problems.as_array_mut(), broken)
        && let Value::Array(more) = problems::json(broken.file(), &broken.problems)
    {
        list.extend(more);
    }
    let stages = examined.pipeline.iter().flat_map(|pipeline| &pipeline.stages).enumerate().map(|(at, stage)| {
        let opened = match examined.checks.get(at).map(|check| &check.result) {
            Some(Checked::Opened(opened)) => Some(opened),
            _ => None,
        };
        let columns = opened.and_then(|opened| opened.schema.as_ref()).map(|schema| {
            let columns = schema.fields().iter().map(|field| {
                json!({ "name": field.name(), "type": field.data_type().to_string(), "nullable": field.is_nullable() })
            });
            columns.collect::<Vec<Value>>()
        });
        let rules = opened.map(|opened| {
            let mask = |rule: &Rule| Rule {
                name: examined.secrets.mask(&rule.name),
                summary: examined.secrets.mask(&rule.summary),
                ..rule.clone()
            };
            opened.rules.iter().map(mask).collect::<Vec<Rule>>()
        });
        json!({
            "name": stage.name,
            "kind": examined.kinds.get(at).copied().flatten(),
            "plugin": stage.plugin,
            "inputs": stage.inputs,
            "columns": columns,
            "rules": rules,
        })
    });
    json!({
        "pipeline": examined.pipeline.as_ref().map(|pipeline| &pipeline.name),
        "file": source.name,
        "sound": examined.is_sound() && broken.is_none(),
        "problems": problems,
        "stages": stages.collect::<Vec<Value>>(),
    })
}
