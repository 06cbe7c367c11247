//! What a pipeline file says, in words.

use crate::show::human::{self, count};
use serde_json::Value;
use sluicebox_model::alert::AlertRule;
use sluicebox_model::grant::Grants;
use sluicebox_model::limits::Limits;
use sluicebox_model::monitor::{MonitorSeverity, Monitors};
use sluicebox_model::pipeline::{CatchUp, OnCrash, OnFault, Overlap, Pipeline, Schedule, StageSpec};
use sluicebox_model::stage::{Rule, Severity, Threshold};
use std::collections::BTreeMap;
use std::time::Duration;

/// A time as one would write it: `10 s`, `6 h`, `7 days`.
pub(super) fn time(time: Duration) -> String {
    let seconds = time.as_secs();
    if time.subsec_nanos() > 0 || seconds == 0 {
        return human::duration(time);
    }
    let units = [(86_400, " day", " days"), (3600, " h", " h"), (60, " min", " min")];
    let fits = units.into_iter().find(|(length, ..)| seconds.is_multiple_of(*length));
    let (length, one, more) = fits.unwrap_or((1, " s", " s"));
    let many = seconds / length;
    format!("{}{}", human::number(many), if many == 1 { one } else { more })
}

fn size(bytes: u64) -> String {
    const UNITS: [(u64, &str); 3] = [(1 << 30, "GiB"), (1 << 20, "MiB"), (1 << 10, "KiB")];
    let fits = UNITS.into_iter().find(|(length, _)| bytes >= *length && bytes.is_multiple_of(*length));
    fits.map_or_else(|| human::bytes(bytes), |(length, unit)| format!("{} {unit}", bytes / length))
}

fn list(names: &[String]) -> String {
    names.iter().map(|name| format!("`{}`", name.replace('`', "'"))).collect::<Vec<_>>().join(", ")
}

fn shown(items: &[impl ToString]) -> Vec<String> {
    items.iter().map(ToString::to_string).collect()
}

/// What a stage may reach.
pub(super) fn grants(grants: &Grants) -> String {
    // All of them by name: one that is new has to be told here, or this is not compiled.
    let Grants { read, write, http, tcp, networks, env, clock, random } = grants;
    let mut may = Vec::new();
    if !read.is_empty() {
        may.push(format!("read {}", list(read)));
    }
    if !write.is_empty() {
        may.push(format!("read and write {}", list(write)));
    }
    if !http.is_empty() {
        may.push(format!("make requests to {}", list(&shown(http))));
    }
    if !tcp.is_empty() {
        may.push(format!("connect to {}", list(&shown(tcp))));
    }
    if grants.has_network() && !networks.is_empty() {
        may.push(format!("find them at the private addresses {}", list(&shown(networks))));
    }
    if !env.is_empty() {
        may.push(format!("see the environment variables {}", list(env)));
    }
    if *clock {
        may.push("see the real time".to_owned());
    }
    if *random {
        may.push("use real randomness".to_owned());
    }
    if may.is_empty() {
        return "Nothing: no files, no network, no environment.".to_owned();
    }
    let mut not = Vec::new();
    if read.is_empty() && write.is_empty() {
        not.push("no files");
    }
    if !grants.has_network() {
        not.push("no network");
    }
    if env.is_empty() {
        not.push("no environment");
    }
    let may = may.join(", ");
    if not.is_empty() { format!("May {may}.") } else { format!("May {may}; {}.", not.join(", ")) }
}

/// What a stage may use, where that is not as for any stage.
pub(super) fn limits(limits: &Limits) -> String {
    let usual = Limits::default();
    let mut said =
        vec![format!("{} of memory", size(limits.memory_bytes_max)), format!("{} a call", time(limits.call_max))];
    for (value, usual, what) in [
        (limits.stack_bytes_max, usual.stack_bytes_max, "of stack"),
        (limits.transfer_bytes_max, usual.transfer_bytes_max, "across in a call"),
        (limits.held_bytes_max, usual.held_bytes_max, "of batches held"),
        (limits.log_bytes_max, usual.log_bytes_max, "of log"),
        (limits.component_bytes_max, usual.component_bytes_max, "of component"),
        (limits.network_bytes_max, usual.network_bytes_max, "over the network"),
        (limits.checkpoint_bytes_max, usual.checkpoint_bytes_max, "of checkpoint"),
        (limits.quarantine_bytes_max, usual.quarantine_bytes_max, "set aside"),
        (limits.spill_bytes_max, usual.spill_bytes_max, "waiting on the disk"),
    ] {
        if value != usual {
            said.push(format!("{} {what}", size(value)));
        }
    }
    for (value, usual, one, many) in [
        (limits.handles_max, usual.handles_max, "handle", "handles"),
        (limits.connections_max, usual.connections_max, "connection at once", "connections at once"),
        (limits.connections_total_max, usual.connections_total_max, "connection in all", "connections in all"),
        (limits.files_max, usual.files_max, "open file", "open files"),
        (limits.poison_calls_max, usual.poison_calls_max, "call to find poison rows", "calls to find poison rows"),
    ] {
        if value != usual {
            said.push(count(u64::from(value), one, many));
        }
    }
    if limits.poison_time_max != usual.poison_time_max {
        said.push(format!("{} to find poison rows", time(limits.poison_time_max)));
    }
    format!("At most {}.", said.join(", "))
}

fn threshold(threshold: Threshold) -> String {
    match threshold {
        Threshold::Rows(rows) => count(rows, "row", "rows"),
        Threshold::PerCent(share) => format!("{share} % of the rows"),
    }
}

/// What becomes of what breaks a rule.
pub(super) fn rule(rule: &Rule) -> String {
    let what = match rule.severity {
        Severity::Warn => "is told; the row goes on",
        Severity::Reject => "the row is set aside",
        Severity::Fail => "the run fails",
    };
    match rule.at_most {
        Some(most) => format!("{what}; more than {} fail the run", threshold(most)),
        None => what.to_owned(),
    }
}

/// What becomes of failures of a stage.
pub(super) fn trouble(stage: &StageSpec) -> Vec<String> {
    let mut said = Vec::new();
    if stage.retry.attempts > 1 {
        let more = count(u64::from(stage.retry.attempts), "time", "times");
        said.push(format!(
            "A call is tried up to {more}, first again after {}, then after twice as long.",
            time(stage.retry.backoff)
        ));
    }
    if stage.on_fault == OnFault::Quarantine {
        said.push("Rows that it fails on are set aside, and the run goes on.".to_owned());
    }
    if let Some(most) = stage.reject {
        said.push(format!("The run fails if more than {} are rejected.", threshold(most)));
    }
    if let Some(deadline) = stage.deadline {
        said.push(format!("It may take {} from its start to its end.", time(deadline)));
    }
    match stage.checkpoint {
        Some(true) => said.push("What it passes on is kept, so that a later run can start behind it.".to_owned()),
        Some(false) => said.push("What it passes on is not kept.".to_owned()),
        None => {}
    }
    if let Some(parallel) = stage.parallel {
        said.push(format!("It runs on {}.", count(u64::from(parallel), "instance", "instances")));
    }
    said
}

/// What is expected of the rows that a pipeline loads.
pub(super) fn monitors(monitors: &Monitors) -> Vec<String> {
    let what = |severity| match severity {
        MonitorSeverity::Warn => "else it is told, and the rows are loaded",
        MonitorSeverity::Fail => "else the run fails, and nothing is loaded",
    };
    let mut said = Vec::new();
    let rows = monitors.rows;
    let mut push = |text: String, severity| said.push(format!("{text}; {}.", what(severity)));
    if let Some(least) = rows.at_least {
        push(format!("At least {} are loaded", count(least, "row", "rows")), rows.severity);
    }
    if let Some(most) = rows.at_most {
        push(format!("At most {} are loaded", count(most, "row", "rows")), rows.severity);
    }
    if let Some(change) = rows.change_at_most {
        push(format!("The rows differ by at most {change} % from the median of the last runs"), rows.severity);
    }
    if let Some(fresh) = monitors.fresh_within {
        push(format!("Rows are loaded at least every {}", time(fresh.within)), fresh.severity);
    }
    if let Some(schema) = monitors.schema {
        push("The columns stay as they are".to_owned(), schema.severity);
    }
    said
}

/// Who is told of what.
pub(super) fn alerts(rules: &[AlertRule]) -> Vec<String> {
    rules
        .iter()
        .map(|rule| {
            let on: Vec<&str> = rule.on.iter().map(|on| on.word()).collect();
            let to: Vec<String> = rule.to.iter().map(|target| target.shown()).collect();
            let after = if rule.after > 1 {
                format!(", failures from the {}th in a row on", rule.after)
            } else {
                String::new()
            };
            let after = after.replace("the 2th", "the 2nd").replace("the 3th", "the 3rd");
            format!("Of {}{after}: {}.", on.join(", "), to.join(", "))
        })
        .collect()
}

/// What stands in `[schedule]` beside the times themselves.
pub(super) fn schedule(schedule: &Schedule) -> Vec<String> {
    let mut said = Vec::new();
    if schedule.is_timed() {
        let within = time(schedule.catch_up_window);
        said.push(match schedule.catch_up {
            CatchUp::None => "Times that were missed are left out.".to_owned(),
            CatchUp::Latest => format!("Of times that were missed, the latest runs, if it is not older than {within}."),
            CatchUp::All => format!("Times that were missed run one after the other, as far back as {within}."),
        });
        said.push(
            match schedule.overlap {
                Overlap::Skip => "If the run before is still under way, this one is left out.",
                Overlap::Queue => "If the run before is still under way, this one waits.",
                Overlap::Cancel => "If the run before is still under way, that one is cancelled.",
            }
            .to_owned(),
        );
    } else {
        said.push("If the run before is still under way, this one waits.".to_owned());
    }
    for after in &schedule.after {
        if let Some(within) = after.within {
            said.push(format!("It is told as late if the others have not ended within {} of the first.", time(within)));
        }
    }
    if let Some(when) = &schedule.when {
        said.push(format!("Files count as arrived when nothing about them has changed for {}.", time(when.settled)));
    }
    if schedule.is_timed() && !schedule.jitter.is_zero() {
        said.push(format!("It begins up to {} later, always by the same amount.", time(schedule.jitter)));
    }
    if let Some(deadline) = schedule.deadline {
        let since = if schedule.is_timed() { "its time" } else { "what it waits for is there" };
        said.push(format!("A run that has not ended {} after {since} is told.", time(deadline)));
    }
    if let Some(failures) = schedule.pause_after {
        said.push(format!("After {} in a row it is paused.", count(u64::from(failures), "failed run", "failed runs")));
    }
    said
}

/// How a pipeline runs: retries, deadline, pool and so on.
pub(super) fn running(pipeline: &Pipeline, pools: &BTreeMap<String, u32>) -> Vec<String> {
    let mut said = Vec::new();
    match pipeline.retries {
        0 => said.push("A run that failed does not run again by itself.".to_owned()),
        retries => said.push(format!(
            "A run that failed runs again by itself, {} at most.",
            count(u64::from(retries), "time", "times")
        )),
    }
    if let Some(deadline) = pipeline.deadline {
        said.push(format!("A run may take {}.", time(deadline)));
    }
    said.push(
        match pipeline.on_crash {
            OnCrash::Rerun => "A run that the host's death interrupted runs again.",
            OnCrash::Leave => "A run that the host's death interrupted stays failed.",
        }
        .to_owned(),
    );
    if let Some(pool) = &pipeline.pool {
        let places = match pools.get(pool) {
            Some(places) => format!("at most {} of its pipelines at once", count(u64::from(*places), "run", "runs")),
            None => "no size is given for it in `sluicebox.toml`".to_owned(),
        };
        said.push(format!("It takes a place in the pool `{pool}`: {places}."));
    }
    if pipeline.priority != 0 {
        said.push(format!("Its priority is {}: higher ones start first.", pipeline.priority));
    }
    said
}

/// An option's value on one line, as it is written: placeholders are not filled in.
pub(super) fn value(value: &Value) -> String {
    match value {
        Value::Null => "nothing".to_owned(),
        Value::String(text) => Value::from(without_password(text)).to_string(),
        Value::Array(items) => format!("[{}]", items.iter().map(self::value).collect::<Vec<_>>().join(", ")),
        Value::Object(entries) => {
            let pairs = entries.iter().map(|(key, inner)| format!("{key} = {}", option(key, inner)));
            format!("{{ {} }}", pairs.collect::<Vec<_>>().join(", "))
        }
        other => other.to_string(),
    }
}

/// The same of an option with this key: what looks like a secret that stands in the file is not spread further.
pub(super) fn option(key: &str, inner: &Value) -> String {
    const SECRET: [&str; 5] = ["password", "passwd", "secret", "token", "api-key"];
    let key = key.to_lowercase().replace('_', "-");
    match inner {
        Value::String(text) if SECRET.iter().any(|word| key.contains(word)) && !text.contains("${") => {
            "(not shown; `${env:NAME}` would keep it out of the file)".to_owned()
        }
        _ => value(inner),
    }
}

/// An address without the password in it.
fn without_password(text: &str) -> String {
    let Some((scheme, rest)) = text.split_once("://") else { return text.to_owned() };
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let (Some(host), Some(path)) = (rest.get(..end), rest.get(end..)) else { return text.to_owned() };
    match host.rsplit_once('@') {
        Some((user, host)) if !user.contains("${") && user.contains(':') => {
            let user = user.split(':').next().unwrap_or_default();
            format!("{scheme}://{user}:***@{host}{path}")
        }
        _ => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn grants_are_told_in_words() {
        assert_eq!(grants(&Grants::default()), "Nothing: no files, no network, no environment.");
        let some = Grants { read: vec!["data".into()], write: vec!["out".into()], clock: true, ..Grants::default() };
        assert_eq!(
            grants(&some),
            "May read `data`, read and write `out`, see the real time; no network, no environment."
        );
    }

    #[test]
    fn options_are_shown_as_written_without_what_is_secret() {
        let told =
            value(&json!({ "url": "db://me:hunter2@db/x", "token": "hunter2", "key": "${env:KEY}", "n": [1, "a\"b"] }));
        assert!(!told.contains("hunter2"), "{told}");
        assert!(told.contains("\"db://me:***@db/x\"") && told.contains("\"${env:KEY}\""), "{told}");
        assert!(told.contains("n = [1, \"a\\\"b\"]"), "{told}");
        assert_eq!(option("password", &json!("${env:PASSWORD}")), "\"${env:PASSWORD}\"");
    }

    #[test]
    fn times_are_told_as_one_writes_them() {
        let told = |seconds| time(Duration::from_secs(seconds));
        assert_eq!(
            [told(10), told(90), told(3600 * 6), told(86_400), told(86_400 * 7)],
            ["10 s", "90 s", "6 h", "1 day", "7 days"]
        );
    }
}
