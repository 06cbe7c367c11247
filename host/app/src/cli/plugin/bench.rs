//! `sluicebox plugin bench`

use super::build::{current, plugins_folder};
use super::cases::{self, Folder};
use super::{tools, trouble};
use crate::cli::{Exit, Format, Output, print, print_json};
use crate::house::shout;
use crate::show::compiling::compiling;
use crate::show::human::{bytes, clean_line, number};
use crate::show::style::Style;
use crate::show::table::{Align, Table};
use crate::trouble::Trouble;
use crate::wiring::Host;
use clap::Args;
use serde_json::{Value, json};
use sluicebox_cases::{Case, Given, Speed, given, lay, speed, tiled};
use sluicebox_model::plugin::Kind;
use sluicebox_sandbox::{Plugin, Sandbox};
use sluicebox_toolchain::{Project, Tools, example_in_rust, missing};
use std::path::{Path, PathBuf};
use std::time::Duration;

const EXAMPLES: &str = "\
Examples:
  sluicebox plugin bench                          the first case of tests/*.toml that has rows, over and over
  sluicebox plugin bench --case 'several batches'
  sluicebox plugin bench --beside join-text-rust  another plugin of the same kind, with the very same options

The rows of the case are repeated to batches of 8,192 and given to one instance in the sandbox for two seconds. Without `--beside`
the example in Rust of the same kind stands beside it, with its own options and rows: numbers, join-text, known-values or json-lines,
which is built once where there is cargo. Where there is none, a standard plugin does something simple with the same rows:
transform-select copies a column, validate-rules looks for nulls, load-csv writes them, extract-csv reads a CSV file. For an extract,
name a case with many rows.";

/// A batch has so many rows.
const BATCH_ROWS: usize = 8192;

/// Measure a plugin's project: rows per second and memory, beside a stage in Rust
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Bench {
    /// The project's folder
    #[arg(default_value = ".")]
    dir: PathBuf,
    /// The first case whose name has this in it
    #[arg(long, value_name = "TEXT")]
    case: Option<String>,
    /// Another plugin of the same kind, given the same options
    #[arg(long, value_name = "PLUGIN")]
    beside: Option<String>,
    /// A folder with plugins, for `--beside`; may be given more than once
    #[arg(long, value_name = "DIR")]
    plugins: Vec<PathBuf>,
    /// Seconds for each plugin
    #[arg(long, value_name = "SECONDS", default_value_t = 2, value_parser = clap::value_parser!(u64).range(1..=600))]
    seconds: u64,
    /// Install what is missing without asking
    #[arg(long)]
    yes: bool,
    #[command(flatten)]
    pub(super) output: Output,
}

impl Bench {
    pub(super) fn run(self) -> Result<Exit, Trouble> {
        let project = Project::read(&self.dir).map_err(trouble)?;
        let into = plugins_folder(&self.dir, None);
        let tools = tools(&project.dir);
        let Some((_, plugin)) = current(&project, &tools, &into, self.yes)? else { return Ok(Exit::Failed) };
        let host = Host::open(&self.plugins, &self.dir, compiling(false))?;
        let kind = plugin.description.kind;
        let (case, inputs) = chosen(&self.dir, self.case.as_deref(), kind)?;
        let time = Duration::from_secs(self.seconds);
        let ours = measured(&host.sandbox, &plugin, &case, &inputs, time)?;
        let beside = match &self.beside {
            Some(name) => {
                let other = host.catalog.get(name).ok_or_else(|| {
                    Trouble::new(format!("there is no plugin `{name}`"))
                        .help("`sluicebox plugins list` shows what there is; `--plugins DIR` looks elsewhere first")
                })?;
                if other.description.kind != kind {
                    let found = other.description.kind;
                    return Err(Trouble::new(format!(
                        "`{name}` is of kind {found}, `{}` of kind {kind}",
                        project.name
                    )));
                }
                Some((name.clone(), measured(&host.sandbox, other, &case, &inputs, time)?))
            }
            None => match example(&host, kind, &tools, time)? {
                Some(example) => Some(example),
                None => self.standard(&host, kind, &case, &inputs, time)?,
            },
        };
        if self.output.format == Format::Json {
            let all = [(project.name.clone(), ours)].into_iter().chain(beside);
            let rows: Vec<Value> = all.map(|(name, speed)| as_json(&name, speed)).collect();
            print_json(&json!({ "case": case.name, "plugins": rows }));
        } else {
            print(&told(&case.name, (&project.name, ours), beside.as_ref(), self.beside.is_some()));
        }
        Ok(Exit::Done)
    }

    /// A standard plugin that does something simple with the same rows; none if it is not there.
    fn standard(
        &self,
        host: &Host,
        kind: Kind,
        case: &Case,
        inputs: &[Given],
        time: Duration,
    ) -> Result<Option<(String, Speed)>, Trouble> {
        let first = inputs.first();
        let column = first.and_then(|input| input.schema.fields().first()).map(|field| field.name().clone());
        let mut case = Case { abort: false, grants: None, ..case.clone() };
        let (name, inputs) = match (kind, column) {
            (Kind::Transform, Some(column)) => {
                let copy = format!("\"{}\"", column.replace('"', "\"\""));
                case.config = json!({ "columns": { "copied": copy } });
                ("transform-select", inputs.get(..1).unwrap_or_default())
            }
            (Kind::Validate, Some(column)) => {
                case.config = json!({ "rules": [{ "column": column, "not-null": true, "severity": "warn" }] });
                ("validate-rules", inputs)
            }
            (Kind::Load, Some(_)) => {
                case.config = json!({ "path": "out/bench.csv" });
                ("load-csv", inputs)
            }
            (Kind::Extract, _) => {
                case.config = json!({ "path": "in/bench.csv" });
                case.bookmark = None;
                let rows: String = (0..BATCH_ROWS * 16).map(|row| format!("{row},row {row},{row}.5\n")).collect();
                case.files = [("in/bench.csv".to_owned(), format!("n,label,half\n{rows}"))].into();
                ("extract-csv", inputs)
            }
            _ => return Ok(None),
        };
        let Some(plugin) = host.catalog.get(name) else { return Ok(None) };
        measured(&host.sandbox, plugin, &case, inputs, time)
            .map(|speed| Some((format!("{name}, a standard plugin"), speed)))
    }
}

/// The case of a project that is repeated, the first whose name has `only` in it, and its batches.
fn chosen(dir: &Path, only: Option<&str>, kind: Kind) -> Result<(Case, Vec<Given>), Trouble> {
    for path in cases::files(dir)? {
        let all = Case::read(&path).map_err(cases::wrong)?;
        for case in all.into_iter().filter(|case| only.is_none_or(|only| case.name.contains(only))) {
            let folder = path.parent().unwrap_or(Path::new("."));
            let inputs = given(&case, kind, folder).map_err(cases::wrong)?;
            let has_rows = inputs.iter().any(|input| input.batches.iter().any(|batch| batch.num_rows() > 0));
            if case.expect.fault.is_some() || (kind != Kind::Extract && !has_rows) {
                continue;
            }
            let tiled = inputs.iter().map(|input| tiled(input, BATCH_ROWS)).collect::<Result<_, _>>();
            return Ok((case, tiled.map_err(cases::wrong)?));
        }
    }
    Err(Trouble::new("there is no case with rows to repeat")
        .help("write one into tests/*.toml: `[[case]]` with a `name`, `config` and `input.csv`"))
}

/// The example in Rust of a kind with its own rows; none where it cannot be built here.
fn example(host: &Host, kind: Kind, tools: &Tools, time: Duration) -> Result<Option<(String, Speed)>, Trouble> {
    let (project, tools) = example_in_rust(kind, tools).map_err(trouble)?;
    if !missing(&project, &tools).is_empty() {
        return Ok(None);
    }
    let into = tools.dir().join("examples").join("plugins");
    let built = current(&project, &tools, &into, false);
    let Some((_, plugin)) = built.inspect_err(crate::cli::tell).ok().flatten() else {
        shout("the example in Rust cannot be built here; a standard plugin stands beside yours instead");
        return Ok(None);
    };
    let (case, inputs) = chosen(&project.dir, None, kind)?;
    let speed = measured(&host.sandbox, &plugin, &case, &inputs, time)?;
    Ok(Some((format!("{}, the example in Rust, case `{}`", project.name, case.name), speed)))
}

fn measured(
    sandbox: &Sandbox,
    plugin: &Plugin,
    case: &Case,
    inputs: &[Given],
    time: Duration,
) -> Result<Speed, Trouble> {
    let folder = Folder::new().map_err(|error| Trouble::new(format!("no folder can be made: {error}")))?;
    lay(&folder.0, &case.files).map_err(cases::wrong)?;
    let stage = cases::bound(sandbox, plugin, case, &folder.0)?;
    speed(stage.as_ref(), case, inputs, time).map_err(|fault| {
        Trouble::new(format!("`{}` failed: {}", plugin.description.name, clean_line(&fault.message)))
            .help("`sluicebox plugin test` shows how its cases go")
    })
}

fn per_second(speed: Speed) -> f64 {
    speed.rows as f64 / speed.time.as_secs_f64().max(1e-9)
}

fn as_json(name: &str, speed: Speed) -> Value {
    json!({
        "name": name, "rows": speed.rows, "rows-per-second": per_second(speed), "memory-bytes": speed.memory_peak_bytes,
        "instance-seconds": speed.instance.as_secs_f64(), "first-batch-seconds": speed.first.as_secs_f64(),
    })
}

/// The figures, for people; how the rows a second compare only where both do the same work.
fn told(case: &str, ours: (&str, Speed), beside: Option<&(String, Speed)>, is_same_work: bool) -> String {
    let mut table = Table::new(&[
        ("plugin", Align::Left),
        ("rows a second", Align::Right),
        ("memory", Align::Right),
        ("an instance", Align::Right),
        ("first batch", Align::Right),
    ]);
    let all = [ours].into_iter().chain(beside.map(|(name, speed)| (name.as_str(), *speed)));
    for (name, speed) in all {
        table.row(vec![
            clean_line(name).into(),
            number(per_second(speed) as u64).into(),
            bytes(speed.memory_peak_bytes).into(),
            format!("{:.1} ms", speed.instance.as_secs_f64() * 1e3).into(),
            format!("{:.1} ms", speed.first.as_secs_f64() * 1e3).into(),
        ]);
    }
    let mut out = format!("the rows of case `{}`, over and over\n{}", clean_line(case), table.render(Style::stdout()));
    if let Some((name, other)) = beside.filter(|_| is_same_work) {
        let share = per_second(ours.1) / per_second(*other).max(1e-9);
        out.push_str(&format!("{share:.2} times as many rows a second as {}\n", clean_line(name)));
    }
    out
}
