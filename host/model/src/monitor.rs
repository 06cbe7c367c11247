//! What a pipeline's author expects of what it loads, and whether a run meets it. Pure: the history and the time are
//! arguments.

use crate::stage::Threshold;
use arrow_schema::Schema;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::time::Duration;

/// What becomes of a run that is not as expected.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum MonitorSeverity {
    /// It is told; the rows are loaded.
    #[default]
    Warn,
    /// The run fails before it commits; nothing is loaded.
    Fail,
}

/// The `[monitor]` table.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case", default)]
pub struct Monitors {
    /// How many rows are loaded.
    pub rows: RowsMonitor,
    /// How old the newest rows may be.
    pub fresh_within: Option<FreshMonitor>,
    /// Whether columns may change from run to run.
    pub schema: Option<SchemaMonitor>,
}

/// How many rows are expected of a run, over all of its loads.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct RowsMonitor {
    /// At least so many. None given: a run that loads no row is told, whatever the severity.
    pub at_least: Option<u64>,
    /// At most so many.
    pub at_most: Option<u64>,
    /// At most so many per cent more or fewer than the median of the last runs.
    pub change_at_most: Option<f64>,
    /// What becomes of a run with other numbers.
    pub severity: MonitorSeverity,
}

/// How old the newest rows may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct FreshMonitor {
    /// Rows have to be loaded at least this often.
    pub within: Duration,
    /// What becomes of a run that loads none although they are due.
    pub severity: MonitorSeverity,
}

/// The columns have to stay as they are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct SchemaMonitor {
    /// What becomes of a run whose columns are others.
    pub severity: MonitorSeverity,
}

/// A column of what a load is given.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Column {
    /// Its name.
    pub name: String,
    /// Its type, as `sluicebox check` shows it, e.g. `Int64`.
    #[serde(rename = "type")]
    pub data_type: String,
}

/// The columns of a schema.
pub fn columns(schema: &Schema) -> Vec<Column> {
    let fields = schema.fields().iter();
    fields.map(|field| Column { name: field.name().clone(), data_type: field.data_type().to_string() }).collect()
}

/// What earlier runs of the pipeline did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct History {
    /// The rows that each of the last runs loaded, the newest first; only runs that ended well and repeated none.
    pub rows: Vec<u64>,
    /// When rows were last loaded.
    pub loaded_at: Option<Timestamp>,
    /// What each load of the last run that ended well was given.
    pub schemas: BTreeMap<String, Vec<Column>>,
}

/// What a run is about to load.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Coming {
    /// Rows over all loads; none if not all loads of the pipeline run.
    pub rows: Option<u64>,
    /// What each load was given.
    pub schemas: BTreeMap<String, Vec<Column>>,
    /// Whether it repeats an earlier run: then it is compared with no others, and need not be fresh.
    pub is_repeat: bool,
}

/// Which monitor found something.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Monitor {
    /// `rows.at-least` or `rows.at-most`.
    Rows,
    /// `rows.change-at-most`.
    Change,
    /// `fresh-within`.
    Fresh,
    /// `schema`.
    Schema,
}

impl Monitor {
    /// The key under `[monitor]` that it is set with.
    pub fn key(self) -> &'static str {
        match self {
            Self::Rows => "rows",
            Self::Change => "rows.change-at-most",
            Self::Fresh => "fresh-within",
            Self::Schema => "schema",
        }
    }

    /// What to do about a run that it failed.
    pub fn help(self) -> &'static str {
        match self {
            Self::Rows => {
                "see what the stages read and set aside; if so many rows are right, change `rows` under `[monitor]`"
            }
            Self::Change => {
                "see what the stages read and set aside; if the change is right, raise `rows.change-at-most` under \
                 `[monitor]`, or take it out for one run"
            }
            Self::Fresh => {
                "see whether the source has new rows; if it need not have, raise `fresh-within` under `[monitor]`"
            }
            Self::Schema => {
                "if the change is meant, take `schema` out of `[monitor]` for one run: the next ones are held against \
                 the columns of that run"
            }
        }
    }
}

/// Something that is not as the author expects it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct MonitorFinding {
    /// Which monitor found it.
    pub monitor: Monitor,
    /// What becomes of the run.
    pub severity: MonitorSeverity,
    /// The load whose input it is about, if it is about one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stage: Option<String>,
    /// For people.
    pub message: String,
}

/// Holds what a run is about to load against what its author expects. No finding: all is as expected.
pub fn judge(monitors: &Monitors, coming: &Coming, history: &History, now: Timestamp) -> Vec<MonitorFinding> {
    let mut findings = Vec::new();
    if let Some(rows) = coming.rows {
        findings.extend(judge_number(&monitors.rows, rows));
        if !coming.is_repeat {
            findings.extend(judge_change(&monitors.rows, rows, &history.rows));
            findings.extend(monitors.fresh_within.and_then(|fresh| judge_fresh(fresh, rows, history.loaded_at, now)));
        }
    }
    if let Some(monitor) = monitors.schema {
        for (stage, is) in &coming.schemas {
            // A load that is new has nothing to be held against.
            let Some(was) = history.schemas.get(stage) else { continue };
            findings.extend(changes(was, is).into_iter().map(|message| MonitorFinding {
                monitor: Monitor::Schema,
                severity: monitor.severity,
                stage: Some(stage.clone()),
                message,
            }));
        }
    }
    findings
}

fn finding(monitor: Monitor, severity: MonitorSeverity, message: String) -> MonitorFinding {
    MonitorFinding { monitor, severity, stage: None, message }
}

fn judge_number(monitor: &RowsMonitor, rows: u64) -> Option<MonitorFinding> {
    let (least, severity) = match monitor.at_least {
        Some(least) => (least, monitor.severity),
        None => (1, MonitorSeverity::Warn),
    };
    let expected = if rows < least {
        format!("at least {} {} expected", number(least), is_or_are(least))
    } else {
        let most = monitor.at_most.filter(|most| rows > *most)?;
        let message = format!("at most {} {} expected", number(most), is_or_are(most));
        return Some(finding(Monitor::Rows, monitor.severity, format!("{}; {message}", coming_rows(rows))));
    };
    Some(finding(Monitor::Rows, severity, format!("{}; {expected}", coming_rows(rows))))
}

fn coming_rows(rows: u64) -> String {
    if rows == 1 {
        "1 row is about to be loaded".to_owned()
    } else {
        format!("{} rows are about to be loaded", number(rows))
    }
}

fn is_or_are(number: u64) -> &'static str {
    if number == 1 { "is" } else { "are" }
}

fn judge_change(monitor: &RowsMonitor, rows: u64, earlier: &[u64]) -> Option<MonitorFinding> {
    let most = monitor.change_at_most?;
    // There is no share of nothing.
    let median = median(earlier).filter(|median| *median > 0)?;
    let change = rows.abs_diff(median) as f64 * 100.0 / median as f64;
    if change <= most {
        return None;
    }
    let of = match earlier.len() {
        1 => format!("the {} of the last run", number(median)),
        runs => format!("{}, the median of the last {runs} runs", number(median)),
    };
    let than = if rows < median { "fewer than" } else { "more than" };
    let verb = is_or_are(rows);
    let noun = if rows == 1 { "row" } else { "rows" };
    let most = Threshold::PerCent(most);
    let message =
        format!("{} {noun} {verb} {} % {than} {of} (at most {most} is expected)", number(rows), share(change));
    Some(finding(Monitor::Change, monitor.severity, message))
}

/// The middle one; of an even number, the mean of the two in the middle.
fn median(values: &[u64]) -> Option<u64> {
    let mut values = values.to_vec();
    values.sort_unstable();
    let upper = *values.get(values.len() / 2)?;
    if values.len() % 2 == 1 {
        return Some(upper);
    }
    let lower = *values.get(values.len() / 2 - 1)?;
    Some(lower.midpoint(upper))
}

fn judge_fresh(
    monitor: FreshMonitor,
    rows: u64,
    loaded_at: Option<Timestamp>,
    now: Timestamp,
) -> Option<MonitorFinding> {
    if rows > 0 {
        return None;
    }
    let Some(since) = loaded_at else {
        let within = rough(monitor.within);
        let message = format!("no rows were ever loaded; the pipeline expects them within {within}");
        return Some(finding(Monitor::Fresh, monitor.severity, message));
    };
    // A clock that was set back has no age to tell.
    let age = Duration::try_from(now.duration_since(since)).ok().filter(|age| *age > monitor.within)?;
    let message = format!(
        "no rows were loaded since {} ({}); the pipeline expects them within {}",
        since.strftime("%Y-%m-%d %H:%M UTC"),
        rough(age),
        rough(monitor.within)
    );
    Some(finding(Monitor::Fresh, monitor.severity, message))
}

/// What is otherwise, column by column.
fn changes(was: &[Column], is: &[Column]) -> Vec<String> {
    let mut changes = Vec::new();
    for column in was {
        match is.iter().find(|other| other.name == column.name) {
            None => changes.push(format!("column `{}` is gone (it was {})", column.name, column.data_type)),
            Some(other) if other.data_type != column.data_type => {
                changes.push(format!("column `{}` is now {} (was {})", column.name, other.data_type, column.data_type));
            }
            Some(_) => {}
        }
    }
    for column in is.iter().filter(|column| !was.iter().any(|other| other.name == column.name)) {
        changes.push(format!("column `{}` was added ({})", column.name, column.data_type));
    }
    if changes.is_empty() && was != is {
        changes.push("the columns stand in another order".to_owned());
    }
    changes
}

/// `1,234`.
fn number(number: u64) -> String {
    let digits = number.to_string();
    let mut out = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// `62`, `6.2`.
fn share(share: f64) -> String {
    if share >= 10.0 { format!("{share:.0}") } else { format!("{share:.1}") }
}

/// A time in its largest unit that fits: `31h`, `45m`, `12d`.
fn rough(time: Duration) -> String {
    match time.as_secs() {
        seconds if seconds < 60 => format!("{}s", time.as_secs_f64()),
        seconds if seconds < 3600 => format!("{}m", seconds / 60),
        seconds if seconds < 72 * 3600 => format!("{}h", seconds / 3600),
        seconds => format!("{}d", seconds / 86_400),
    }
}
