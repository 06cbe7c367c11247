//! The `[monitor]` table.

use super::read::{Problems, Table, quote, text, whole_number, wrong_type};
use super::{Problem, units};
use crate::monitor::{FreshMonitor, MonitorSeverity, Monitors, RowsMonitor, SchemaMonitor};
use std::time::Duration;
use toml::de::DeValue;

const SCHEMA_HELP: &str = "write `schema = \"locked\"`, or `schema = { locked = true, severity = \"fail\" }`";
const FRESH_HELP: &str =
    "write `fresh-within = \"25h\"`, or `fresh-within = { within = \"25h\", severity = \"fail\" }`";

pub(super) fn read(table: &Table<'_>, problems: &mut Problems) -> Monitors {
    let elsewhere = [
        ("at-least", "write `rows = { at-least = ... }`"),
        ("at-most", "write `rows = { at-most = ... }`"),
        ("change-at-most", "write `rows = { change-at-most = \"50%\" }`"),
        ("severity", "it goes into each monitor, e.g. `rows = { at-least = 1, severity = \"fail\" }`"),
    ];
    table.known_keys(&["rows", "fresh-within", "schema"], &elsewhere, problems);
    Monitors {
        rows: table.table("rows", problems).map(|table| rows(&table, problems)).unwrap_or_default(),
        fresh_within: fresh_within(table, problems),
        schema: schema(table, problems),
    }
}

fn rows(table: &Table<'_>, problems: &mut Problems) -> RowsMonitor {
    let elsewhere = [("within", "did you mean `fresh-within` under `[monitor]`?")];
    table.known_keys(&["at-least", "at-most", "change-at-most", "severity"], &elsewhere, problems);
    let monitor = RowsMonitor {
        at_least: number_of_rows(table, "at-least", problems),
        at_most: number_of_rows(table, "at-most", problems),
        change_at_most: table.quantity("change-at-most", "a share", units::change, problems),
        severity: severity(table, problems),
    };
    if let (Some(least), Some(most)) = (monitor.at_least, monitor.at_most)
        && least > most
    {
        let message = format!(
            "{} is {least}, but {} is {most}: no number of rows fits",
            table.of("at-least"),
            table.of("at-most")
        );
        let span = table.get("at-least").map_or_else(|| table.span.clone(), |(_, span)| span);
        problems.push(Problem::error(span, message).help("at least the smaller, at most the larger number"));
    }
    monitor
}

fn number_of_rows(table: &Table<'_>, key: &str, problems: &mut Problems) -> Option<u64> {
    let (value, span) = table.get(key)?;
    let what = table.of(key);
    let help = "write a number of rows, e.g. 1000";
    let number = whole_number(value);
    let rows = number.and_then(|number| u64::try_from(number).ok());
    if rows.is_none() {
        problems.push(match number {
            Some(number) => Problem::error(span, format!("{what} cannot be {number}")).help(help),
            None => wrong_type(value, span, &what, "a whole number", help),
        });
    }
    rows
}

fn severity(table: &Table<'_>, problems: &mut Problems) -> MonitorSeverity {
    let words = [("warn", MonitorSeverity::Warn), ("fail", MonitorSeverity::Fail)];
    table.choice("severity", &words, problems).unwrap_or_default()
}

fn fresh_within(table: &Table<'_>, problems: &mut Problems) -> Option<FreshMonitor> {
    const KEY: &str = "fresh-within";
    let some = |text: &str| match units::duration(text)? {
        time if time.is_zero() => Err("it has to be more than nothing".to_owned()),
        time => Ok(time),
    };
    match table.get(KEY)? {
        (DeValue::Table(_), _) => {
            let table = table.table(KEY, problems)?;
            table.known_keys(&["within", "severity"], &[], problems);
            table.needed("within", "`within = \"25h\"`", problems)?;
            let within: Option<Duration> = table.quantity("within", "a duration", some, problems);
            let severity = severity(&table, problems);
            Some(FreshMonitor { within: within?, severity })
        }
        (DeValue::String(_), _) => {
            let within = table.quantity(KEY, "a duration", some, problems)?;
            Some(FreshMonitor { within, severity: MonitorSeverity::Warn })
        }
        (other, span) => {
            problems.push(wrong_type(other, span, &table.of(KEY), "a duration as a text, or a table", FRESH_HELP));
            None
        }
    }
}

fn schema(table: &Table<'_>, problems: &mut Problems) -> Option<SchemaMonitor> {
    const KEY: &str = "schema";
    match table.get(KEY)? {
        (DeValue::Table(_), _) => {
            let table = table.table(KEY, problems)?;
            table.known_keys(&["locked", "severity"], &[], problems);
            table.needed("locked", "`locked = true`", problems)?;
            let severity = severity(&table, problems);
            table.flag("locked", problems).then_some(SchemaMonitor { severity })
        }
        (value @ DeValue::String(_), span) => {
            let (word, span) = text((value, span), &table.of(KEY), problems)?;
            if word == "locked" {
                return Some(SchemaMonitor { severity: MonitorSeverity::Warn });
            }
            let message = format!("{} cannot be {}", table.of(KEY), quote(&word));
            problems.push(Problem::error(span, message).help(SCHEMA_HELP));
            None
        }
        (other, span) => {
            problems.push(wrong_type(other, span, &table.of(KEY), "\"locked\", or a table", SCHEMA_HELP));
            None
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::super::parse;
    use super::*;

    fn file(monitor: &str) -> String {
        format!("[pipeline]\nname = \"p\"\n[monitor]\n{monitor}\n[[stage]]\nname = \"a\"\nplugin = \"x\"\n")
    }

    #[test]
    fn monitors_are_read() {
        let read = |text: &str| parse(&file(text)).unwrap().monitor;
        assert_eq!(read(""), Monitors::default());
        let all = read(
            "rows = { at-least = 1, at-most = 10_000_000_000, change-at-most = \"50%\", severity = \"fail\" }\n\
             fresh-within = { within = \"25h\", severity = \"fail\" }\nschema = { locked = true, severity = \"fail\" }",
        );
        let severity = MonitorSeverity::Fail;
        let rows =
            RowsMonitor { at_least: Some(1), at_most: Some(10_000_000_000), change_at_most: Some(50.0), severity };
        let within = Duration::from_secs(25 * 3600);
        assert_eq!(
            all,
            Monitors {
                rows,
                fresh_within: Some(FreshMonitor { within, severity }),
                schema: Some(SchemaMonitor { severity }),
            }
        );
        let short = read("fresh-within = \"25h\"\nschema = \"locked\"");
        let severity = MonitorSeverity::Warn;
        assert_eq!(short.fresh_within, Some(FreshMonitor { within, severity }));
        assert_eq!(short.schema, Some(SchemaMonitor { severity }));
        assert_eq!(read("schema = { locked = false }").schema, None);
    }

    #[test]
    fn what_is_no_monitor_is_told() {
        for (text, told) in [
            ("row = { at-least = 1 }", "unknown key `row` in `[monitor]`"),
            ("at-least = 1", "unknown key `at-least` in `[monitor]`"),
            ("rows = 1", "`rows` of `[monitor]` has to be a table"),
            ("rows = { at-least = -1 }", "`rows.at-least` of `[monitor]` cannot be -1"),
            ("rows = { at-least = \"1\" }", "`rows.at-least` of `[monitor]` has to be a whole number"),
            (
                "rows = { at-least = 9, at-most = 1 }",
                "`rows.at-least` of `[monitor]` is 9, but `rows.at-most` of `[monitor]` is 1: no number of rows fits",
            ),
            ("rows = { change-at-most = \"half\" }", "`rows.change-at-most` of `[monitor]`: \"half\" is not a share"),
            ("rows = { severity = \"reject\" }", "`rows.severity` of `[monitor]` cannot be \"reject\""),
            ("fresh-within = 25", "`fresh-within` of `[monitor]` has to be a duration as a text, or a table"),
            ("fresh-within = \"0s\"", "`fresh-within` of `[monitor]`: \"0s\" is not a duration"),
            ("fresh-within = { severity = \"fail\" }", "`[monitor]` has no `fresh-within.within`"),
            ("schema = \"open\"", "`schema` of `[monitor]` cannot be \"open\""),
            ("schema = true", "`schema` of `[monitor]` has to be \"locked\", or a table"),
            ("schema = { severity = \"fail\" }", "`[monitor]` has no `schema.locked`"),
        ] {
            let problems = parse(&file(text)).unwrap_err();
            let messages: Vec<&str> = problems.iter().map(|problem| problem.message.as_str()).collect();
            assert_eq!(messages, [told], "{text}");
            assert!(problems.iter().all(|problem| problem.help.is_some()), "{text}");
        }
    }
}
