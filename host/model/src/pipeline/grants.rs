//! `grants` of a stage.

use super::read::{Problems, Table, quote};
use super::{Problem, StageSpans};
use crate::grant::Grants;
use crate::net::{HttpGrant, Network, TcpGrant};

pub(super) const KEYS: [&str; 8] = ["read", "write", "http", "tcp", "networks", "env", "clock", "random"];

/// Reads the table, and notes where each grant stands.
pub(super) fn read(table: &Table<'_>, spans: &mut StageSpans, problems: &mut Problems) -> Grants {
    let elsewhere = [
        ("environment", "did you mean `env`?"),
        ("files", "did you mean `read` or `write`?"),
        ("https", "did you mean `http`? Both schemes go there: `grants.http = [\"https://api.example.com\"]`"),
        ("network", "did you mean `http`, `tcp` or `networks`?"),
        ("udp", "a stage cannot be granted UDP: it reaches others by `http` and `tcp`"),
    ];
    table.known_keys(&KEYS, &elsewhere, problems);
    for (key, _, (_, span)) in table.iter() {
        spans.grant_items.push((format!("/{key}"), span));
    }
    let mut names = |key: &str, noun: &str, problems: &mut Problems| {
        let mut names: Vec<String> = Vec::new();
        for (at, (name, span)) in table.texts(key, problems).into_iter().enumerate() {
            spans.grant_items.push((format!("/{key}/{at}"), span.clone()));
            let what = table.of(key);
            if name.trim().is_empty() {
                let help = if key == "env" { "name a variable" } else { "write \".\" for the pipeline's own folder" };
                problems.push(Problem::error(span, format!("{what} names an empty {noun}")).help(help));
            } else if name.contains('\0') || (key == "env" && name.contains('=')) {
                problems.push(Problem::error(span, format!("{what}: {} cannot name a {noun}", quote(&name))));
            } else if names.contains(&name) {
                problems
                    .push(Problem::error(span, format!("{what} names {} twice", quote(&name))).help("leave one out"));
            } else {
                names.push(name);
            }
        }
        names
    };
    Grants {
        read: names("read", "folder", problems),
        write: names("write", "folder", problems),
        env: names("env", "variable", problems),
        http: parsed(table, "http", "a server that can be granted", HttpGrant::parse, spans, problems),
        tcp: parsed(table, "tcp", "a host and a port that can be granted", TcpGrant::parse, spans, problems),
        networks: parsed(table, "networks", "an address or a range of addresses", Network::parse, spans, problems),
        clock: table.flag("clock", problems),
        random: table.flag("random", problems),
    }
}

/// The items of a grant that are more than names.
fn parsed<T: PartialEq>(
    table: &Table<'_>,
    key: &str,
    noun: &str,
    parse: impl Fn(&str) -> Result<T, String>,
    spans: &mut StageSpans,
    problems: &mut Problems,
) -> Vec<T> {
    let mut items: Vec<T> = Vec::new();
    for (at, (text, span)) in table.texts(key, problems).into_iter().enumerate() {
        spans.grant_items.push((format!("/{key}/{at}"), span.clone()));
        let what = table.of(key);
        match parse(&text) {
            Ok(item) if items.contains(&item) => {
                problems
                    .push(Problem::error(span, format!("{what} names {} twice", quote(&text))).help("leave one out"));
            }
            Ok(item) => items.push(item),
            Err(help) => {
                problems.push(Problem::error(span, format!("{what}: {} is not {noun}", quote(&text))).help(help));
            }
        }
    }
    items
}
