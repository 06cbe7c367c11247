//! The title and the text of an alert.

use crate::clean::line;
use crate::message::{AlertFault, Message};
use jiff::Timestamp;
use sluicebox_model::alert::AlertOn;
use sluicebox_model::run::{RunState, Trigger};
use std::fmt::Write;
use std::time::Duration;

/// Bytes of the title.
const TITLE_MAX: usize = 200;
/// Findings that stand in the text.
const FINDINGS_SHOWN: usize = 5;

/// One line: what happened to which pipeline.
pub(crate) fn title(message: &Message) -> String {
    let pipeline = &message.pipeline;
    let failures = message.failures_in_a_row;
    let title = match message.kind {
        AlertOn::Failure if failures > 1 => format!("{pipeline} failed, for the {} time in a row", ordinal(failures)),
        AlertOn::Failure => format!("{pipeline} failed"),
        AlertOn::Recovery => {
            let after = if failures > 1 { format!("{failures} failures") } else { "a failure".to_owned() };
            match message.paused {
                Some(_) => format!("{pipeline} ran well after {after}, and is still paused"),
                None => format!("{pipeline} runs again, after {after}"),
            }
        }
        AlertOn::Deadline if message.ended_at.is_none() => {
            format!("{pipeline} has not ended by its deadline")
        }
        AlertOn::Deadline => format!("{pipeline} took longer than its deadline allows"),
        AlertOn::Monitor => format!("{pipeline} is not as expected"),
        AlertOn::Quarantine => format!("{pipeline} set aside {}", rows(message.rows.set_aside())),
        AlertOn::Late => match lateness(message) {
            Some(time) => format!("{pipeline} started {time} late"),
            None => format!("{pipeline} has not started in time"),
        },
    };
    line(&title, TITLE_MAX)
}

/// Between when it should have started and when it did.
fn lateness(message: &Message) -> Option<String> {
    let at = message.started_at?;
    Duration::try_from(at.duration_since(message.due_at?)).ok().map(rough)
}

/// The title and below it what is known, line by line.
pub(crate) fn text(message: &Message) -> String {
    let mut out = message.title.clone();
    let mut say = |line: String| {
        out.push('\n');
        out.push_str(&line);
    };
    if let Some(fault) = &message.fault {
        say(format!("{}: {}", place(fault), fault.message));
        if let Some(help) = &fault.help {
            say(format!("help: {help}"));
        }
    }
    for finding in message.findings.iter().take(FINDINGS_SHOWN) {
        let stage = finding.stage.as_ref().map(|stage| format!(" (stage `{stage}`)")).unwrap_or_default();
        say(format!("{}: {}{stage}", finding.monitor.key(), finding.message));
    }
    if message.findings.len() > FINDINGS_SHOWN {
        say(format!("and {} more findings", message.findings.len() - FINDINGS_SHOWN));
    }
    if let Some(since) = message.failing_since.filter(|_| message.failures_in_a_row > 1) {
        let word = if message.kind == AlertOn::Recovery { "it had failed" } else { "it fails" };
        say(format!("{word} since {}", time(since)));
    }
    if let Some(due_at) = message.due_at
        && (message.kind == AlertOn::Late || message.also.contains(&AlertOn::Late))
    {
        let started = message
            .started_at
            .map_or_else(|| "it has not started".to_owned(), |at| format!("it started at {}", time(at)));
        say(format!("due at {}; {started}", time(due_at)));
    }
    if matches!(message.state, RunState::Succeeded | RunState::Failed | RunState::Crashed) {
        let count = &message.rows;
        say(format!(
            "rows: {} read, {} loaded, {} rejected, {} quarantined",
            number(count.read),
            number(count.loaded),
            number(count.rejected),
            number(count.quarantined)
        ));
    }
    for note in &message.notes {
        say(note.clone());
    }
    let mut about = format!("run {}, {}", message.run, message.state.word());
    // Writing to a text cannot fail.
    let _ = write!(about, ", {}, for {}", trigger(message.trigger), interval(message));
    if let Some(owner) = &message.owner {
        let _ = write!(about, "; owner {owner}");
    }
    if !message.host.is_empty() {
        let _ = write!(about, "; host {}", message.host);
    }
    say(about);
    if let Some(folder) = message.folder.as_ref().filter(|_| !message.commands.is_empty()) {
        say(format!("in {folder}:"));
    }
    for command in &message.commands {
        say(format!("    {command}"));
    }
    out
}

fn place(fault: &AlertFault) -> String {
    let mut place = if fault.stage.is_empty() { String::new() } else { format!("stage `{}`, ", fault.stage) };
    let _ = write!(place, "{} in `{}`", fault.kind, fault.call);
    if let Some(batch) = fault.batch {
        let _ = write!(place, ", batch {batch}");
    }
    match fault.rows {
        Some((from, to)) if to == from.saturating_add(1) => {
            let _ = write!(place, ", row {from}");
        }
        Some((from, to)) => {
            let _ = write!(place, ", rows {from} to {}", to.saturating_sub(1));
        }
        None => {}
    }
    place
}

fn interval(message: &Message) -> String {
    let (start, end) = (message.interval.start, message.interval.end);
    if start == end { time(start) } else { format!("{} to {}", time(start), time(end)) }
}

fn trigger(trigger: Trigger) -> &'static str {
    match trigger {
        Trigger::Schedule => "by its schedule",
        Trigger::Manual => "by hand",
        Trigger::Dependency => "after another pipeline",
        Trigger::Backfill => "as a backfill",
        Trigger::Rerun => "as a rerun",
        Trigger::Replay => "for rows set aside before",
    }
}

fn time(at: Timestamp) -> String {
    at.strftime("%Y-%m-%d %H:%M:%S UTC").to_string()
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

fn rows(rows: u64) -> String {
    if rows == 1 { "1 row".to_owned() } else { format!("{} rows", number(rows)) }
}

fn ordinal(number: u32) -> String {
    let ending = match (number % 100, number % 10) {
        (11..=13, _) => "th",
        (_, 1) => "st",
        (_, 2) => "nd",
        (_, 3) => "rd",
        _ => "th",
    };
    format!("{number}{ending}")
}

/// A time in its two largest units: `31h 5m`, `45m`, `12s`.
fn rough(time: Duration) -> String {
    let seconds = time.as_secs();
    let two = |large: u64, name: &str, small: u64, short: &str| {
        if small == 0 { format!("{large}{name}") } else { format!("{large}{name} {small}{short}") }
    };
    match seconds {
        0..60 => format!("{seconds}s"),
        60..3600 => two(seconds / 60, "m", seconds % 60, "s"),
        3600..172_800 => two(seconds / 3600, "h", seconds % 3600 / 60, "m"),
        _ => two(seconds / 86_400, "d", seconds % 86_400 / 3600, "h"),
    }
}
