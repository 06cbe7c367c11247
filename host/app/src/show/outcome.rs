//! How a run went, for people.

use super::human::{self, clean, clean_line};
use super::style::{Style, Tone};
use super::table::{Align, Cell, Table};
use serde::Serialize;
use sluicebox_model::fault::Fault;
use sluicebox_model::monitor::MonitorSeverity;
use sluicebox_model::plugin::Kind;
use sluicebox_model::run::{RuleResult, RunRecord, RunState, StageRecord, StageState};
use sluicebox_model::stage::Severity;
use sluicebox_store::{QuarantineKind, ReasonCount};
use std::time::Duration;

/// The sums of a run over its stages.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Totals {
    /// Rows that the extracts made.
    pub rows_read: u64,
    /// Rows that the loads wrote; shown only if the run succeeded.
    pub rows_loaded: u64,
    /// Rows set aside, for whatever reason.
    pub rows_rejected: u64,
}

impl Totals {
    /// The sums of a run.
    pub fn of(record: &RunRecord) -> Self {
        let sum = |kind: Option<Kind>, rows: fn(&StageRecord) -> u64| -> u64 {
            record
                .stages
                .iter()
                .filter(|stage| kind.is_none_or(|kind| stage.entry.kind == kind))
                .map(rows)
                .fold(0, u64::saturating_add)
        };
        Self {
            rows_read: sum(Some(Kind::Extract), |stage| stage.outcome.rows_out),
            rows_loaded: sum(Some(Kind::Load), |stage| stage.outcome.rows_out),
            rows_rejected: sum(None, |stage| stage.outcome.rows_rejected + stage.outcome.rows_quarantined),
        }
    }
}

/// How long a run took, as far as it is known.
pub fn took(record: &RunRecord) -> Option<Duration> {
    human::between(record.started_at.or(Some(record.queued_at)), record.ended_at)
}

/// One line: what became of the run.
pub fn headline(record: &RunRecord, style: Style) -> String {
    let totals = Totals::of(record);
    let time = took(record).map(|time| format!(" in {}", human::duration(time))).unwrap_or_default();
    let pipeline = style.paint(Tone::Strong, &record.pipeline);
    let state = style.paint(tone(record.state), record.state.word());
    let what = match record.state {
        RunState::Succeeded => {
            let rejected = match totals.rows_rejected {
                0 => String::new(),
                rows => format!(", {} rejected", human::number(rows)),
            };
            format!(": {} loaded{rejected}", human::count(totals.rows_loaded, "row", "rows"))
        }
        RunState::Failed | RunState::Cancelled => "; nothing was loaded".to_owned(),
        RunState::Crashed => "; the next run finishes it".to_owned(),
        _ => String::new(),
    };
    format!("{pipeline} {state}{time}{what}\n")
}

/// The stages, one a line.
pub fn stages(record: &RunRecord, style: Style) -> String {
    use Align::{Left, Right};
    let mut table = Table::new(&[
        ("stage", Left),
        ("plugin", Left),
        ("state", Left),
        ("rows in", Right),
        ("rows out", Right),
        ("rejected", Right),
        ("quarantined", Right),
        ("bytes", Right),
        ("calls", Right),
        ("time", Right),
        ("memory", Right),
        ("attempts", Right),
        ("retries", Right),
    ]);
    for stage in &record.stages {
        let outcome = &stage.outcome;
        let kind = stage.entry.kind;
        let begun = stage.state != StageState::Pending && stage.state != StageState::Skipped;
        let number = |given: bool, number: u64| if begun && given { human::number(number) } else { String::new() };
        let set_aside = |rows: u64| {
            if rows > 0 { Cell::toned(human::number(rows), Tone::Warn) } else { number(true, 0).into() }
        };
        let bytes = if kind == Kind::Load { outcome.bytes_in } else { outcome.bytes_out };
        table.row(vec![
            clean_line(&stage.entry.name).into(),
            clean_line(&stage.entry.plugin).into(),
            Cell::toned(stage.state.word(), stage_tone(stage.state)),
            number(kind != Kind::Extract, outcome.rows_in).into(),
            number(true, outcome.rows_out).into(),
            set_aside(outcome.rows_rejected),
            set_aside(outcome.rows_quarantined),
            if begun { human::bytes(bytes) } else { String::new() }.into(),
            number(true, outcome.calls).into(),
            if begun { human::duration(outcome.elapsed) } else { String::new() }.into(),
            if begun { human::bytes(outcome.memory_peak_bytes) } else { String::new() }.into(),
            number(true, u64::from(outcome.attempts.max(stage.attempt))).into(),
            if outcome.retries > 0 { human::number(outcome.retries) } else { String::new() }.into(),
        ]);
    }
    table.render(style)
}

/// The rules of the validates, one a line; nothing if there are none.
pub fn rules(record: &RunRecord, style: Style) -> String {
    use Align::{Left, Right};
    let mut table = Table::new(&[
        ("rule", Left),
        ("stage", Left),
        ("", Left),
        ("broken by", Right),
        ("of rows", Right),
        ("at most", Right),
        ("seen", Left),
    ]);
    for stage in &record.stages {
        for result in &stage.outcome.rules {
            table.row(rule(stage, result));
        }
    }
    if table.is_empty() { String::new() } else { format!("\n{}", table.render(style)) }
}

fn rule(stage: &StageRecord, result: &RuleResult) -> Vec<Cell> {
    let broken = result.rows_broken > 0 || !result.holds;
    let of_all = result.observed.is_some() && !result.holds && result.rule.severity != Severity::Warn;
    let (word, tone) = if of_all || RuleResult::fails_run(&result.rule, result.rows_broken, stage.outcome.rows_in) {
        ("fails", Tone::Bad)
    } else if !broken {
        ("holds", Tone::Good)
    } else {
        match result.rule.severity {
            Severity::Warn => ("warns", Tone::Warn),
            Severity::Reject => ("rejects", Tone::Warn),
            Severity::Fail => ("holds", Tone::Good),
        }
    };
    vec![
        human::cut(&clean_line(&result.rule.summary), 60).into(),
        clean_line(&stage.entry.name).into(),
        Cell::toned(word, tone),
        human::number(result.rows_broken).into(),
        human::share(result.rows_broken, stage.outcome.rows_in).into(),
        result.rule.at_most.map(|most| most.to_string()).unwrap_or_default().into(),
        result.observed.as_deref().map(|seen| human::cut(&clean_line(seen), 40)).unwrap_or_default().into(),
    ]
}

/// What the guests counted, one a line; nothing if they counted nothing.
pub fn counts(record: &RunRecord, style: Style) -> String {
    const SHOWN: usize = 30;
    let mut table = Table::new(&[("counter", Align::Left), ("stage", Align::Left), ("", Align::Right)]);
    let counts = || record.stages.iter().flat_map(|stage| stage.outcome.counts.iter().map(move |count| (stage, count)));
    for (stage, (name, count)) in counts().take(SHOWN) {
        let name = human::cut(&clean_line(name), 60);
        table.row(vec![name.into(), clean_line(&stage.entry.name).into(), human::number(*count).into()]);
    }
    let more = counts().count().saturating_sub(SHOWN) as u64;
    if more > 0 {
        table.row(vec![format!("{} more", human::number(more)).into(), Cell::default(), Cell::default()]);
    }
    if table.is_empty() { String::new() } else { format!("\n{}", table.render(style)) }
}

/// Why rows were set aside, the most frequent reasons first; nothing if none were.
pub fn reasons(reasons: &[ReasonCount], style: Style) -> String {
    const SHOWN: usize = 10;
    let mut table = Table::new(&[("set aside because", Align::Left), ("by", Align::Left), ("rows", Align::Right)]);
    for reason in reasons.iter().take(SHOWN) {
        let text = match reason.kind {
            QuarantineKind::Rejected => format!("it breaks {}", reason.reason),
            QuarantineKind::Poison => format!("the stage failed on it: {}", reason.reason),
            QuarantineKind::Record => reason.reason.clone(),
        };
        table.row(vec![
            human::cut(&clean_line(&text), 80).into(),
            clean_line(&reason.stage).into(),
            Cell::toned(human::number(reason.count), Tone::Warn),
        ]);
    }
    if reasons.len() > SHOWN {
        let rest: u64 = reasons.iter().skip(SHOWN).map(|reason| reason.count).sum();
        let others = format!("{} more reasons", reasons.len() - SHOWN);
        table.row(vec![others.into(), Cell::default(), Cell::toned(human::number(rest), Tone::Warn)]);
    }
    if table.is_empty() { String::new() } else { format!("\n{}", table.render(style)) }
}

/// Where the loads put their rows; nothing unless the run succeeded. `mask` hides what must not be shown.
pub fn receipts(record: &RunRecord, mask: impl Fn(&str) -> String, style: Style) -> String {
    if record.state != RunState::Succeeded || record.receipts.is_empty() {
        return String::new();
    }
    let mut table = Table::new(&[("loaded by", Align::Left), ("", Align::Left)]);
    for (stage, receipts) in &record.receipts {
        for receipt in receipts {
            table.row(vec![clean_line(stage).into(), human::cut(&clean_line(&mask(&shown(receipt))), 120).into()]);
        }
    }
    format!("\n{}", table.render(style))
}

/// A receipt is for its plugin alone to read; one in JSON with a `path` says where the rows are.
fn shown(receipt: &str) -> String {
    let path = serde_json::from_str::<serde_json::Value>(receipt).ok();
    match path.as_ref().and_then(|receipt| receipt.get("path")?.as_str()) {
        Some(path) => path.to_owned(),
        None => receipt.to_owned(),
    }
}

/// A fault with what to do, over several lines.
pub fn fault(fault: &Fault, backtrace: bool, style: Style) -> String {
    let mut out = format!("{} {}\n", style.paint(Tone::Bad, "fault:"), clean(&fault.to_string()).replace('\n', "\n  "));
    if let Some(help) = &fault.help {
        out.push_str(&format!("  {} {}\n", style.paint(Tone::Good, "help:"), clean(help).replace('\n', "\n  ")));
    }
    if let Some(trace) = fault.backtrace.as_ref().filter(|_| backtrace) {
        out.push_str("  backtrace of the guest:\n");
        for line in clean(trace).lines() {
            out.push_str(&format!("    {line}\n"));
        }
    }
    out
}

/// All faults of a run: that which ended it, then those of other stages.
pub fn faults(record: &RunRecord, backtrace: bool, style: Style) -> String {
    let mut out = String::new();
    let same = |a: &Fault, b: &Fault| a.stage == b.stage && a.message == b.message;
    let first = record.fault.as_ref();
    // The stage's own fault knows more than the run's, e.g. the backtrace.
    let told = first.map(|first| {
        let of_stage = record.stages.iter().filter_map(|stage| stage.fault.as_ref()).find(|fault| same(fault, first));
        of_stage.unwrap_or(first)
    });
    if let Some(shown) = told {
        out.push_str(&format!("\n{}", fault(shown, backtrace, style)));
    }
    for other in record.stages.iter().filter_map(|stage| stage.fault.as_ref()) {
        if !first.is_some_and(|first| same(first, other)) {
            out.push_str(&format!("\n{}", fault(other, backtrace, style)));
        }
    }
    let hidden = told.is_some_and(|fault| fault.backtrace.is_some()) && !backtrace;
    if hidden {
        out.push_str("  the guest's backtrace: add `--backtrace` to `sluicebox runs show`\n");
    }
    out
}

/// What is not as the author expects it, one a line; what failed the run is told as its fault. Nothing if there is nothing.
pub fn findings(record: &RunRecord, style: Style) -> String {
    let mut out = String::new();
    for finding in record.findings.iter().filter(|finding| finding.severity == MonitorSeverity::Warn) {
        let load = finding.stage.as_ref().map(|stage| format!("load `{}`: ", clean_line(stage))).unwrap_or_default();
        let message = human::cut(&clean_line(&finding.message), 300);
        let key = style.paint(Tone::Quiet, &format!("(monitor `{}`)", finding.monitor.key()));
        out.push_str(&format!("{} {load}{message} {key}\n", style.paint(Tone::Warn, "warning:")));
    }
    if out.is_empty() { out } else { format!("\n{out}") }
}

/// An earlier run of the same pipeline that succeeded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Earlier {
    /// Rows that it loaded.
    pub rows_loaded: u64,
    /// Rows that it set aside.
    pub rows_rejected: u64,
    /// How long it took.
    pub took: Duration,
}

/// A run beside the median of earlier ones.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Comparison {
    /// How many earlier runs there are.
    pub runs: usize,
    /// The median of the rows that they loaded.
    pub rows_loaded_median: u64,
    /// The median of the rows that they set aside.
    pub rows_rejected_median: u64,
    /// The median of the time that they took, in seconds.
    pub seconds_median: f64,
}

impl Comparison {
    /// The medians of the earlier runs; none if there are none.
    pub fn with(earlier: &[Earlier]) -> Option<Self> {
        fn median<T: Ord + Copy>(values: impl Iterator<Item = T>) -> Option<T> {
            let mut values: Vec<T> = values.collect();
            values.sort();
            values.get(values.len() / 2).copied()
        }
        Some(Self {
            runs: earlier.len(),
            rows_loaded_median: median(earlier.iter().map(|run| run.rows_loaded))?,
            rows_rejected_median: median(earlier.iter().map(|run| run.rows_rejected))?,
            seconds_median: median(earlier.iter().map(|run| run.took))?.as_secs_f64(),
        })
    }

    /// One line: how the run compares.
    pub fn line(&self, record: &RunRecord, style: Style) -> String {
        let totals = Totals::of(record);
        let seconds = took(record).unwrap_or_default().as_secs_f64();
        let runs = match self.runs {
            1 => "the run before".to_owned(),
            runs => format!("the median of the last {runs} runs"),
        };
        let time = change(seconds, self.seconds_median);
        let line = if record.state == RunState::Succeeded {
            let rows = change(totals.rows_loaded as f64, self.rows_loaded_median as f64);
            let rejected = change(totals.rows_rejected as f64, self.rows_rejected_median as f64);
            format!("against {runs}: rows loaded {rows}, rejected {rejected}, time {time}")
        } else {
            // It did not come so far that its rows could be compared.
            format!("against {runs}: time {time}")
        };
        format!("\n  {}\n", style.paint(Tone::Quiet, &line))
    }
}

/// `as before`, `+12 %`, `-3.4 %`.
fn change(now: f64, before: f64) -> String {
    if now == before {
        return "as before".to_owned();
    }
    if before == 0.0 {
        return format!("{now:.0}, before 0");
    }
    let change = (now - before) * 100.0 / before;
    if change.abs() >= 10.0 { format!("{change:+.0} %") } else { format!("{change:+.1} %") }
}

/// What has become of a run, as a part of a sentence: `it was cancelled`.
pub fn became(state: RunState) -> &'static str {
    match state {
        RunState::Queued => "it waits to begin",
        RunState::Running => "it is running",
        RunState::Committing => "it is committing",
        RunState::Succeeded => "it succeeded",
        RunState::Failed => "it failed",
        RunState::Cancelled => "it was cancelled",
        RunState::Crashed => "it was interrupted",
    }
}

/// The tone of a run's state.
pub fn tone(state: RunState) -> Tone {
    match state {
        RunState::Succeeded => Tone::Good,
        RunState::Failed | RunState::Crashed => Tone::Bad,
        RunState::Cancelled => Tone::Warn,
        _ => Tone::Strong,
    }
}

fn stage_tone(state: StageState) -> Tone {
    match state {
        StageState::Succeeded => Tone::Good,
        StageState::Failed => Tone::Bad,
        StageState::Cancelled | StageState::Retrying | StageState::UpstreamFailed => Tone::Warn,
        _ => Tone::Quiet,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn changes() {
        assert_eq!(change(5.0, 5.0), "as before");
        assert_eq!(change(110.0, 100.0), "+10 %");
        assert_eq!(change(96.6, 100.0), "-3.4 %");
        assert_eq!(change(3.0, 0.0), "3, before 0");
    }

    #[test]
    fn medians() {
        let run = |rows, seconds| Earlier { rows_loaded: rows, rows_rejected: 0, took: Duration::from_secs(seconds) };
        let comparison = Comparison::with(&[run(1, 9), run(3, 1), run(2, 5)]).unwrap();
        assert_eq!((comparison.rows_loaded_median, comparison.seconds_median), (2, 5.0));
        assert_eq!(Comparison::with(&[]), None);
    }

    #[test]
    fn receipts_of_files_show_their_path() {
        assert_eq!(shown(r#"{"path":"out/a.csv","temporary":"x"}"#), "out/a.csv");
        assert_eq!(shown("42"), "42");
    }
}
