//! From the text of a pipeline file to a [`Pipeline`], with every problem that the file alone shows.

use super::read::{Problems, Table, Value, quote, text, wrong_type};
use super::{
    OnCrash, OnFault, Pipeline, Problem, Retry, StageSpans, StageSpec, alert, grants, graph, limits, monitor, options,
    schedule, settings, suggest, units,
};
use crate::limits::Stated;
use crate::monitor::Monitors;
use crate::net::host;
use crate::stage::Threshold;
use std::collections::HashMap;
use std::ops::Range;
use std::time::Duration;
use toml::de::{DeTable, DeValue};

/// What could be read of a file.
#[derive(Clone, Debug)]
pub struct Draft {
    /// What stands in the file, as far as it could be read: a stage whose name or plugin could not be read has an empty
    /// one. None if the file is not TOML.
    pub pipeline: Option<Pipeline>,
    /// All that is wrong, in the order of the file.
    pub problems: Vec<Problem>,
}

/// Reads a pipeline file.
///
/// # Errors
/// All problems that the file alone shows, in the order of the file.
pub fn parse(text: &str) -> Result<Pipeline, Vec<Problem>> {
    let draft = draft(text);
    match draft.pipeline {
        Some(pipeline) if !draft.problems.iter().any(Problem::is_error) => Ok(pipeline),
        _ => Err(draft.problems),
    }
}

/// Reads a pipeline file as far as it can be read, so that more can be said of it than its first mistake.
pub fn draft(text: &str) -> Draft {
    let (root, errors) = DeTable::parse_recoverable(text);
    if !errors.is_empty() {
        return Draft { pipeline: None, problems: syntax(text, &errors) };
    }
    let mut problems = Problems::default();
    // Problems with the file as a whole stand at its first line.
    let first_line = 0..text.lines().next().unwrap_or_default().len();
    let root = Table::new(root.get_ref(), first_line, "the file");
    let pipeline = read_file(&root, &mut problems);
    let mut problems = problems.0;
    problems.sort_by_key(|problem| (problem.span.start, problem.span.end));
    Draft { pipeline: Some(pipeline), problems }
}

/// Mistakes in the TOML itself; one a line, since the ones after it follow from the first.
pub(super) fn syntax(text: &str, errors: &[toml::de::Error]) -> Vec<Problem> {
    let line_of = |at: usize| text.get(..at).map_or(0, |before| before.matches('\n').count());
    let mut seen = Vec::new();
    let mut problems = Vec::new();
    for error in errors {
        let span = error.span().unwrap_or(0..0);
        let line = line_of(span.start);
        if seen.contains(&line) {
            continue;
        }
        seen.push(line);
        problems.push(Problem::error(span, format!("this is not TOML: {}", error.message())));
    }
    // What was left open is noticed at the end of its line, and told before what was noticed earlier.
    problems.sort_by_key(|problem| (problem.span.start, problem.span.end));
    problems
}

fn read_file(root: &Table<'_>, problems: &mut Problems) -> Pipeline {
    let elsewhere = [
        ("name", "it goes under `[pipeline]`"),
        ("description", "it goes under `[pipeline]`"),
        ("owner", "it goes under `[pipeline]`"),
        ("cron", "it goes under `[schedule]`"),
        ("plugin", "it goes under `[[stage]]`"),
        ("smtp", "it goes into `sluicebox.toml`"),
        ("pools", "it goes into `sluicebox.toml`"),
    ];
    root.known_keys(&["pipeline", "schedule", "monitor", "alert", "stage"], &elsewhere, problems);
    let mut pipeline = Pipeline {
        name: String::new(),
        description: None,
        owner: None,
        assumptions: Vec::new(),
        on_crash: OnCrash::default(),
        retries: 0,
        deadline: None,
        schedule: None,
        alerts: None,
        pool: None,
        pool_span: 0..0,
        priority: 0,
        monitor: Monitors::default(),
        stages: Vec::new(),
    };
    let help = "add `[pipeline]`, and below it a `name = \"...\"`";
    if let Some(value) = needed_part(root, "pipeline", "`[pipeline]`", help, problems)
        && let Some(table) = Table::from_value(value, "`[pipeline]`", problems)
    {
        table.known_keys(&PIPELINE_KEYS, &[], problems);
        if let Some((name, span)) = table.needed_text("name", "`name = \"my-pipeline\"`", problems) {
            check_name("pipeline", &name, &span, problems);
            pipeline.name = name;
        }
        pipeline.description = table.text("description", problems).map(|(text, _)| text);
        pipeline.owner = table.text("owner", problems).map(|(text, _)| text);
        pipeline.assumptions = table.texts("assumptions", problems).into_iter().map(|(text, _)| text).collect();
        let on_crash = [("rerun", OnCrash::Rerun), ("leave", OnCrash::Leave)];
        pipeline.on_crash = table.choice("on-crash", &on_crash, problems).unwrap_or_default();
        pipeline.retries = table.whole("retries", 0, RETRIES_MAX, problems).unwrap_or_default();
        pipeline.deadline = deadline(&table, problems);
        pipeline.priority = table.integer("priority", -1000, 1000, problems).unwrap_or_default();
        if let Some((pool, span)) = table.text("pool", problems) {
            check_name("pool", &pool, &span, problems);
            (pipeline.pool, pipeline.pool_span) = (Some(pool), span);
        }
    }
    if let Some(value) = root.get("schedule")
        && let Some(table) = Table::from_value(value, "`[schedule]`", problems)
    {
        pipeline.schedule = schedule::read(&table, problems);
    }
    if let Some(value) = root.get("alert") {
        pipeline.alerts = Some(alert::read_alerts(value, problems));
    }
    if let Some(value) = root.get("monitor")
        && let Some(table) = Table::from_value(value, "`[monitor]`", problems)
    {
        pipeline.monitor = monitor::read(&table, problems);
    }
    let help = "add `[[stage]]`, and below it a `name = \"...\"` and a `plugin = \"...\"`";
    if let Some((value, span)) = needed_part(root, "stage", "`[[stage]]`", help, problems) {
        match value {
            DeValue::Array(items) if items.is_empty() => {
                problems.push(Problem::error(span, "the pipeline has no stages").help(help));
            }
            DeValue::Array(items) => {
                for (at, item) in items.iter().enumerate() {
                    pipeline.stages.extend(read_stage((item.get_ref(), item.span()), at, problems));
                }
            }
            other => {
                let help = match other {
                    DeValue::Table(_) => "write `[[stage]]`, with two brackets on each side",
                    _ => "write a `[[stage]]` for each stage",
                };
                problems.push(wrong_type(other, span, "`stage`", "a list of tables", help));
            }
        }
        check_graph(&pipeline.stages, problems);
    }
    pipeline
}

/// A part of the file that has to be there.
fn needed_part<'a>(root: &Table<'a>, key: &str, shown: &str, help: &str, problems: &mut Problems) -> Option<Value<'a>> {
    let found = root.get(key);
    if found.is_none() {
        problems.push(Problem::error(root.span.clone(), format!("the file has no {shown}")).help(help));
    }
    found
}

const PIPELINE_KEYS: [&str; 9] =
    ["name", "description", "owner", "assumptions", "on-crash", "retries", "deadline", "priority", "pool"];
const STAGE_KEYS: [&str; 12] = [
    "name",
    "plugin",
    "inputs",
    "config",
    "grants",
    "limits",
    "retry",
    "reject",
    "on-fault",
    "parallel",
    "deadline",
    "checkpoint",
];
/// Attempts at one call.
const ATTEMPTS_MAX: u32 = 100;
/// Instances of a stage.
const PARALLEL_MAX: u32 = 256;
/// Runs again of a run that failed.
const RETRIES_MAX: u32 = 100;
/// Bytes of a name.
const NAME_MAX: usize = 64;

/// What a pipeline file may say at most, for `docs/limits.md`.
pub fn stated() -> Vec<Stated> {
    let mut all = vec![
        Stated::bytes("the name of a pipeline, stage or pool", NAME_MAX),
        Stated::bytes("the name of a host in a grant", host::NAME_MAX),
        Stated::bytes("a part of it between dots", host::LABEL_MAX),
        Stated::count("`retry.attempts`", ATTEMPTS_MAX as usize),
        Stated::count("`retries` of a pipeline", RETRIES_MAX as usize),
        Stated::count("`parallel`", PARALLEL_MAX as usize),
    ];
    all.extend(limits::stated());
    all.push(Stated::count("`days` of the retention in `sluicebox.toml`", settings::DAYS_MAX as usize));
    all
}

fn read_stage(value: Value<'_>, at: usize, problems: &mut Problems) -> Option<StageSpec> {
    let nameless = format!("stage {}", at + 1);
    let mut table = Table::from_value(value, &nameless, problems)?;
    if let Some((DeValue::String(name), _)) = table.get("name") {
        table.what = format!("stage `{}`", name.escape_debug());
    }
    known_stage_keys(&table, problems);
    let name = table.needed_text("name", "`name = \"...\"`", problems);
    if let Some((name, span)) = &name {
        check_name("stage", name, span, problems);
    }
    let plugin = table.needed_text("plugin", "`plugin = \"...\"`", problems);
    let inputs = table.texts("inputs", problems);
    let place = name.as_ref().map_or_else(|| table.span.clone(), |(_, span)| span.clone());
    let span_of = |key: &str| table.get(key).map_or_else(|| place.clone(), |(_, span)| span);
    let mut spans = StageSpans {
        header: table.span.clone(),
        name: place.clone(),
        plugin: span_of("plugin"),
        inputs: span_of("inputs"),
        input_items: inputs.iter().map(|(_, span)| span.clone()).collect(),
        grants: span_of("grants"),
        on_fault: span_of("on-fault"),
        reject: span_of("reject"),
        ..StageSpans::default()
    };
    if let Some((_, span)) = plugin.as_ref().filter(|(name, _)| name.is_empty()) {
        problems.push(Problem::error(span.clone(), format!("`plugin` of {} is empty", table.what)));
    }
    let config = match table.get("config") {
        Some((value @ DeValue::Table(_), span)) => options::to_json((value, span), &mut spans, problems),
        Some((other, span)) => {
            let what = format!("`config` of {}", table.what);
            spans.config.push((String::new(), span.clone()));
            problems.push(wrong_type(other, span, &what, "a table", "write e.g. `config = { path = \"...\" }`"));
            serde_json::Value::Null
        }
        None => serde_json::Value::Object(serde_json::Map::new()),
    };
    let grants = table.table("grants", problems).map(|table| grants::read(&table, &mut spans, problems));
    let limits = table.table("limits", problems).map(|table| limits::read(&table, problems)).unwrap_or_default();
    let retry = table.table("retry", problems).map(|table| read_retry(&table, problems)).unwrap_or_default();
    let reject = table.table("reject", problems).and_then(|table| read_reject(&table, problems));
    let on_fault = [("fail", OnFault::Fail), ("quarantine", OnFault::Quarantine)];
    Some(StageSpec {
        inputs_given: table.get("inputs").is_some(),
        inputs: inputs.into_iter().map(|(name, _)| name).collect(),
        name: name.map(|(name, _)| name).unwrap_or_default(),
        plugin: plugin.map(|(name, _)| name).unwrap_or_default(),
        config,
        grants: grants.unwrap_or_default(),
        limits,
        retry,
        reject,
        deadline: deadline(&table, problems),
        checkpoint: table.get("checkpoint").is_some().then(|| table.flag("checkpoint", problems)),
        on_fault: table.choice("on-fault", &on_fault, problems).unwrap_or_default(),
        parallel: table.whole("parallel", 1, PARALLEL_MAX, problems),
        spans,
    })
}

/// Keys of a stage. A key that is nothing like a known one is likely an option.
fn known_stage_keys(table: &Table<'_>, problems: &mut Problems) {
    for (key, span, _) in table.iter() {
        if STAGE_KEYS.contains(&key) {
            continue;
        }
        let help = if key == "input" {
            "write `inputs = [\"...\"]`".to_owned()
        } else if grants::KEYS.contains(&key) {
            format!("write `grants.{key} = ...`")
        } else if limits::KEYS.contains(&key) {
            format!("write `limits.{key} = ...`")
        } else if key == "attempts" || key == "backoff" {
            format!("write `retry.{key} = ...`")
        } else if key == "at-most" {
            "write `reject.at-most = ...`".to_owned()
        } else if let Some(meant) = suggest::closest(key, STAGE_KEYS) {
            format!("did you mean `{meant}`?")
        } else {
            format!("an option of the plugin goes under `config`: write `config.{key} = ...`")
        };
        problems.push(Problem::error(span, format!("unknown key `{key}` in {}", table.what)).help(help));
    }
}

/// How long a stage or a run may take.
fn deadline(table: &Table<'_>, problems: &mut Problems) -> Option<Duration> {
    let some = |text: &str| match units::duration(text)? {
        time if time.is_zero() => Err("it has to be more than nothing".to_owned()),
        time => Ok(time),
    };
    table.quantity("deadline", "a duration", some, problems)
}

fn read_retry(table: &Table<'_>, problems: &mut Problems) -> Retry {
    table.known_keys(&["attempts", "backoff"], &[], problems);
    let default = Retry::default();
    Retry {
        attempts: table.whole("attempts", 1, ATTEMPTS_MAX, problems).unwrap_or(default.attempts),
        backoff: table.quantity("backoff", "a duration", units::duration, problems).unwrap_or(default.backoff),
    }
}

fn read_reject(table: &Table<'_>, problems: &mut Problems) -> Option<Threshold> {
    table.known_keys(&["at-most"], &[], problems);
    let (value, span) = table.needed("at-most", "`reject.at-most = \"5%\"`", problems)?;
    let what = table.of("at-most");
    let help = "write a share such as \"5%\", or a number of rows such as 100";
    match value {
        DeValue::Integer(_) => match super::read::whole_number(value).and_then(|rows| u64::try_from(rows).ok()) {
            Some(rows) => Some(Threshold::Rows(rows)),
            None => {
                problems.push(Problem::error(span, format!("{what} is not a number of rows")).help(help));
                None
            }
        },
        DeValue::String(_) => {
            let (given, span) = text((value, span), &what, problems)?;
            match units::per_cent(&given) {
                Ok(threshold) => Some(threshold),
                Err(help) => {
                    let message = format!("{what}: {} is neither a share nor a number of rows", quote(&given));
                    problems.push(Problem::error(span, message).help(help));
                    None
                }
            }
        }
        other => {
            problems.push(wrong_type(other, span, &what, "a share or a number of rows", help));
            None
        }
    }
}

/// Names stand in file names, tables and commands.
fn check_name(noun: &str, name: &str, span: &Range<usize>, problems: &mut Problems) {
    let allowed = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-' || c == '_';
    let begins = name.starts_with(|c: char| c.is_ascii_lowercase() || c.is_ascii_digit());
    if begins && name.chars().all(allowed) && name.len() <= NAME_MAX {
        return;
    }
    let problem = if name.is_empty() {
        Problem::error(span.clone(), format!("a {noun}'s name cannot be empty"))
    } else if name.len() > NAME_MAX {
        Problem::error(span.clone(), format!("a {noun}'s name cannot be longer than {NAME_MAX} characters"))
    } else {
        Problem::error(span.clone(), format!("{} cannot be the name of a {noun}", quote(name)))
    };
    let lower: String = name.to_lowercase().chars().map(|c| if allowed(c) { c } else { '-' }).collect();
    let lower = lower.trim_matches(['-', '_']);
    let rule = "lower-case letters, digits, `-` and `_`, beginning with a letter or digit";
    let fits = !lower.is_empty() && lower.len() <= NAME_MAX;
    problems.push(problem.help(if fits { format!("{rule}, e.g. \"{lower}\"") } else { rule.to_owned() }));
}

/// Names twice, inputs that are not there, and cycles, as far as `inputs` stands in the file.
fn check_graph(stages: &[StageSpec], problems: &mut Problems) {
    let mut numbers: HashMap<&str, usize> = HashMap::new();
    for (at, stage) in stages.iter().enumerate().filter(|(_, stage)| !stage.name.is_empty()) {
        match numbers.get(stage.name.as_str()).and_then(|first| stages.get(*first)) {
            Some(first) => problems.push(
                Problem::error(stage.spans.name.clone(), format!("two stages are named `{}`", stage.name))
                    .label("the second")
                    .also(first.spans.name.clone(), "the first")
                    .help("give one of them another name"),
            ),
            None => {
                numbers.insert(&stage.name, at);
            }
        }
    }
    let names: Vec<&str> = stages.iter().map(|stage| stage.name.as_str()).filter(|name| !name.is_empty()).collect();
    let mut edges = vec![Vec::new(); stages.len()];
    for (stage, edges) in stages.iter().zip(&mut edges) {
        for (at, input) in stage.inputs.iter().enumerate() {
            let span = stage.spans.input_items.get(at).unwrap_or(&stage.spans.inputs).clone();
            let earlier = stage.inputs.iter().take(at).any(|other| other == input);
            if earlier {
                let message = format!("stage `{}` takes `{input}` twice", stage.name);
                problems.push(Problem::error(span, message).help("leave one out"));
            } else if *input == stage.name {
                let message = format!("stage `{}` takes itself as input", stage.name);
                problems.push(Problem::error(span, message).help("name the stage that it is to take rows from"));
            } else if let Some(number) = numbers.get(input.as_str()) {
                edges.push(*number);
            } else {
                let others: Vec<&str> = names.iter().copied().filter(|name| *name != stage.name).collect();
                let message = format!("stage `{}` takes `{input}`, but there is no such stage", stage.name);
                problems.push(Problem::error(span, message).help(suggest::help(input, &others)));
            }
        }
    }
    for cycle in graph::cycles(&edges) {
        problems.push(cycle_problem(stages, &cycle));
    }
}

/// The cycle as a problem, told from the stage that stands first in the file.
pub(super) fn cycle_problem(stages: &[StageSpec], cycle: &[usize]) -> Problem {
    let first = cycle.iter().enumerate().min_by_key(|(_, stage)| **stage).map_or(0, |(at, _)| at);
    let from_first = cycle.iter().cycle().skip(first).take(cycle.len() + 1);
    let names: Vec<String> =
        from_first.filter_map(|at| stages.get(*at)).map(|stage| format!("`{}`", stage.name)).collect();
    let span = cycle.get(first).and_then(|at| stages.get(*at)).map(|stage| stage.spans.inputs.clone());
    Problem::error(span.unwrap_or_default(), format!("the stages feed each other in a circle: {}", names.join(" -> ")))
        .help("take one of them out of the `inputs` of the next")
}
