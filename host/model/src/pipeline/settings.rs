//! `sluicebox.toml`: what holds for all pipelines of a folder: how long is kept what runs leave behind, how many runs
//! go at once, who is told.

use super::parse::syntax;
use super::read::{Problems, Table};
use super::{Problem, alert, units};
use crate::alert::{AlertRule, Smtp};
use crate::retention::Retention;
use std::collections::BTreeMap;
use std::time::Duration;
use toml::de::DeTable;

/// A hundred years.
pub(super) const DAYS_MAX: u32 = 36_500;

/// What a `sluicebox.toml` says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Settings {
    /// How long is kept what runs leave behind.
    pub retention: Retention,
    /// How `serve` runs.
    pub serve: ServeSettings,
    /// The places of each pool: at most so many runs of its pipelines at once.
    pub pools: BTreeMap<String, u32>,
    /// Who is told of what, where a pipeline does not say itself.
    pub alerts: Vec<AlertRule>,
    /// The server that mails go by.
    pub smtp: Option<Smtp>,
    /// Where traces and metrics go.
    pub otlp: Option<Otlp>,
    /// What holds for the network of all stages.
    pub network: NetworkSettings,
}

/// What holds for the network of all stages that are granted some of it. Paths start at the folder of the file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NetworkSettings {
    /// A file of names and their addresses, as `/etc/hosts`.
    pub hosts: Option<String>,
    /// A PEM file of certificates that vouch for servers, beside those that are known anyway.
    pub ca: Option<String>,
}

/// Where traces and metrics go, by OTLP over HTTP. Texts may hold `${env:NAME}` and `${file:PATH}`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Otlp {
    /// The collector's address; `/v1/traces` and `/v1/metrics` are added to it.
    pub endpoint: String,
    /// Headers of every request.
    pub headers: BTreeMap<String, String>,
    /// At most so many calls of a run are sent as spans; the rest is counted.
    pub calls: u32,
}

impl Otlp {
    /// Calls of a run that are sent as spans, where nothing else is said.
    pub const CALLS: u32 = 1000;
}

/// How `serve` runs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ServeSettings {
    /// At most so many runs at once; none: as many as the machine has cores.
    pub runs: Option<u32>,
    /// How long runs under way may go on when the host is asked to stop.
    pub grace: Option<Duration>,
    /// How much later than its time a run may begin before it is called late.
    pub late_after: Option<Duration>,
}

/// Reads the text of a `sluicebox.toml`.
///
/// # Errors
/// All that is wrong, in the order of the file.
pub fn settings(text: &str) -> Result<Settings, Vec<Problem>> {
    let (root, errors) = DeTable::parse_recoverable(text);
    if !errors.is_empty() {
        return Err(syntax(text, &errors));
    }
    let mut problems = Problems::default();
    let root = Table::new(root.get_ref(), 0..text.lines().next().unwrap_or_default().len(), "the file");
    root.known_keys(
        &["retention", "serve", "pools", "alert", "smtp", "otlp", "network"],
        &[("pool", "did you mean `[pools]`?")],
        &mut problems,
    );
    let mut settings = Settings::default();
    if let Some(value) = root.get("retention")
        && let Some(table) = Table::from_value(value, "`[retention]`", &mut problems)
    {
        settings.retention = retention(&table, &mut problems);
    }
    if let Some(value) = root.get("serve")
        && let Some(table) = Table::from_value(value, "`[serve]`", &mut problems)
    {
        table.known_keys(&["runs", "grace", "late-after"], &[], &mut problems);
        settings.serve.runs = table.whole("runs", 1, 1000, &mut problems);
        settings.serve.grace = table.quantity("grace", "a duration", units::duration, &mut problems);
        settings.serve.late_after = table.quantity("late-after", "a duration", units::duration, &mut problems);
    }
    if let Some(value) = root.get("pools")
        && let Some(table) = Table::from_value(value, "`[pools]`", &mut problems)
    {
        for (name, _, _) in table.iter() {
            if let Some(places) = table.whole(name, 1, 1000, &mut problems) {
                settings.pools.insert(name.to_owned(), places);
            }
        }
    }
    if let Some(value) = root.get("alert") {
        settings.alerts = alert::read_alerts(value, &mut problems);
    }
    if let Some(value) = root.get("smtp")
        && let Some(table) = Table::from_value(value, "`[smtp]`", &mut problems)
    {
        settings.smtp = alert::read_smtp(&table, &mut problems);
    }
    if let Some(value) = root.get("otlp")
        && let Some(table) = Table::from_value(value, "`[otlp]`", &mut problems)
    {
        settings.otlp = otlp(&table, &mut problems);
    }
    if let Some(value) = root.get("network")
        && let Some(table) = Table::from_value(value, "`[network]`", &mut problems)
    {
        table.known_keys(
            &["hosts", "ca"],
            &[("proxy", "requests of stages go straight to their servers")],
            &mut problems,
        );
        let mut file = |key: &str| {
            let (name, span) = table.text(key, &mut problems)?;
            if name.is_empty() {
                problems.push(Problem::error(span, format!("{} names no file", table.of(key))));
            }
            Some(name)
        };
        settings.network = NetworkSettings { hosts: file("hosts"), ca: file("ca") };
    }
    let mut problems = problems.0;
    problems.sort_by_key(|problem| (problem.span.start, problem.span.end));
    if problems.is_empty() { Ok(settings) } else { Err(problems) }
}

fn otlp(table: &Table<'_>, problems: &mut Problems) -> Option<Otlp> {
    table.known_keys(&["endpoint", "headers", "calls"], &[("url", "did you mean `endpoint`?")], problems);
    let example = "`endpoint = \"http://127.0.0.1:4318\"`";
    let mut headers = BTreeMap::new();
    if let Some(table) = table.table("headers", problems) {
        for (name, span, _) in table.iter() {
            let is_name = !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b));
            if !is_name {
                let problem = Problem::error(span, format!("{name:?} is not the name of a header"));
                problems.push(problem.help("write e.g. `headers = { authorization = \"Bearer ${env:TOKEN}\" }`"));
            } else if let Some((value, _)) = table.text(name, problems) {
                headers.insert(name.to_owned(), value);
            }
        }
    }
    let calls = table.whole("calls", 0, 100_000, problems).unwrap_or(Otlp::CALLS);
    let (endpoint, span) = table.needed_text("endpoint", example, problems)?;
    let address = endpoint.strip_prefix("https://").or_else(|| endpoint.strip_prefix("http://"));
    let known = endpoint.starts_with("${") || address.is_some_and(|rest| !rest.is_empty() && !rest.starts_with('/'));
    if !known || endpoint.chars().any(|c| c.is_control() || c.is_whitespace()) {
        let problem = Problem::error(span, "`endpoint` of `[otlp]` is not the address of a collector");
        problems.push(problem.help(format!("write {example}: where it takes OTLP over HTTP")));
        return None;
    }
    Some(Otlp { endpoint, headers, calls })
}

fn retention(table: &Table<'_>, problems: &mut Problems) -> Retention {
    let mut retention = Retention::default();
    table.known_keys(&["checkpoints", "runs"], &[], problems);
    let days = |table: &Table<'_>, problems: &mut Problems| {
        let days = table.whole("days", 0, DAYS_MAX, problems);
        days.map(|days| Duration::from_secs(u64::from(days) * 86_400))
    };
    if let Some(checkpoints) = table.table("checkpoints", problems) {
        checkpoints.known_keys(&["days", "size"], &[], problems);
        retention.checkpoints_for = days(&checkpoints, problems).unwrap_or(retention.checkpoints_for);
        let size = checkpoints.quantity("size", "a size", units::size, problems);
        retention.checkpoints_bytes_max = size.unwrap_or(retention.checkpoints_bytes_max);
    }
    if let Some(runs) = table.table("runs", problems) {
        runs.known_keys(&["days"], &[("size", "only checkpoints are bounded by size")], problems);
        retention.runs_for = days(&runs, problems).unwrap_or(retention.runs_for);
    }
    retention
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn settings_are_read() {
        assert_eq!(settings("").unwrap(), Settings::default());
        let day = Duration::from_secs(86_400);
        let read = settings("[retention]\ncheckpoints = { days = 1, size = \"1KiB\" }\nruns = { days = 0 }\n").unwrap();
        let wanted = Retention { checkpoints_for: day, checkpoints_bytes_max: 1024, runs_for: Duration::ZERO };
        assert_eq!(read.retention, wanted);
        let read = settings("[serve]\nruns = 4\ngrace = \"10s\"\n[pools]\nwarehouse = 2\n").unwrap();
        assert_eq!(read.serve, ServeSettings { runs: Some(4), grace: Some(Duration::from_secs(10)), late_after: None });
        assert_eq!(read.pools, BTreeMap::from([("warehouse".to_owned(), 2)]));
        let otlp =
            "[otlp]\nendpoint = \"http://127.0.0.1:4318\"\nheaders = { authorization = \"Bearer ${env:TOKEN}\" }\n";
        let read = settings(otlp).unwrap().otlp.unwrap();
        assert_eq!((read.endpoint.as_str(), read.calls), ("http://127.0.0.1:4318", Otlp::CALLS));
        assert_eq!(read.headers, BTreeMap::from([("authorization".to_owned(), "Bearer ${env:TOKEN}".to_owned())]));
        let read = settings("[network]\nhosts = \"hosts\"\nca = \"ca.pem\"\n").unwrap().network;
        assert_eq!(read, NetworkSettings { hosts: Some("hosts".to_owned()), ca: Some("ca.pem".to_owned()) });
        for (text, told) in [
            ("[network]\nhost = \"hosts\"", "unknown key `host` in `[network]`"),
            ("[network]\nca = \"\"", "`ca` of `[network]` names no file"),
            ("[network]\nca = 1", "`ca` of `[network]` has to be a text"),
            ("[retantion]", "unknown key `retantion` in the file"),
            ("[retention]\nruns = { days = -1 }", "`runs.days` of `[retention]` cannot be -1"),
            (
                "[retention]\ncheckpoints = { size = \"10\" }",
                "`checkpoints.size` of `[retention]`: \"10\" is not a size",
            ),
            ("[serve]\nruns = 0", "`runs` of `[serve]` cannot be 0"),
            ("[pools]\nwarehouse = \"2\"", "`warehouse` of `[pools]` has to be a whole number"),
            ("[otlp]", "`[otlp]` has no `endpoint`"),
            ("[otlp]\nendpoint = \"127.0.0.1:4318\"", "`endpoint` of `[otlp]` is not the address of a collector"),
            ("[otlp]\nendpoint = \"http://a\"\nheaders = { \"a b\" = \"x\" }", "\"a b\" is not the name of a header"),
            ("[retention", "this is not TOML: "),
        ] {
            let problems = settings(text).unwrap_err();
            assert!(problems.iter().any(|problem| problem.message.starts_with(told)), "{text}: {problems:?}");
        }
    }

    #[test]
    fn what_is_wrong_is_told_in_the_order_of_the_file() {
        // Unknown tables are looked for first, and the alert after the pools.
        let text = "[alert]\non = 1\n[pools]\nwarehouse = \"2\"\n[serve]\nruns = 0\n[retantion]\n";
        let places: Vec<usize> = settings(text).unwrap_err().iter().map(|problem| problem.span.start).collect();
        assert!(places.len() >= 4 && places.is_sorted(), "{places:?}");
        // So it is where the file is no TOML at several places.
        let text = "[serve]\nruns = 'a& }\n\n[pools]\na = \"1\"\nb = = 2\n";
        let places: Vec<usize> = settings(text).unwrap_err().iter().map(|problem| problem.span.start).collect();
        assert!(places.len() >= 2 && places.is_sorted(), "{places:?}");
    }
}
