//! `[alert]` and `[smtp]`.

use super::Problem;
use super::placeholder::{Piece, pieces};
use super::read::{Problems, Table, Value, quote, text, wrong_type};
use crate::alert::{AlertOn, AlertRule, AlertTarget, Smtp};
use std::ops::Range;
use toml::de::DeValue;

const KEYS: [&str; 5] = ["on", "after", "webhook", "email", "command"];
const TARGET_HELP: &str = "add `webhook = \"https://...\"`, `email = \"you@example.org\"` or `command = [\"...\"]`";
const COMMAND_HELP: &str = "write the program and its arguments as a list: `command = [\"notify\", \"--loud\"]`";

/// The value of `alert`: one `[alert]`, or several `[[alert]]`. An empty list says that nobody is told.
pub(super) fn read_alerts((value, span): Value<'_>, problems: &mut Problems) -> Vec<AlertRule> {
    match value {
        DeValue::Table(_) => {
            let table = Table::from_value((value, span), "`[alert]`", problems);
            table.and_then(|table| read_rule(&table, problems)).into_iter().collect()
        }
        DeValue::Array(items) => {
            let mut rules = Vec::new();
            for (at, item) in items.iter().enumerate() {
                let what = format!("`[[alert]]` {}", at + 1);
                if let Some(table) = Table::from_value((item.get_ref(), item.span()), &what, problems) {
                    rules.extend(read_rule(&table, problems));
                }
            }
            rules
        }
        other => {
            let help = "write `[alert]`, and below it what is told to whom";
            problems.push(wrong_type(other, span, "`alert`", "a table", help));
            Vec::new()
        }
    }
}

fn read_rule(table: &Table<'_>, problems: &mut Problems) -> Option<AlertRule> {
    let elsewhere = [
        ("to", "write `webhook`, `email` or `command`"),
        ("url", "write `webhook = \"https://...\"`"),
        ("smtp", "it goes into `sluicebox.toml`, as `[smtp]`"),
        ("server", "it goes under `[smtp]` in `sluicebox.toml`"),
        ("deadline", "write `on = [\"deadline\"]`; how long a run may take goes under `[pipeline]`"),
    ];
    table.known_keys(&KEYS, &elsewhere, problems);
    let on = on(table, problems);
    let after = table.whole("after", 1, 1000, problems);
    if let Some((_, span)) = table.get("after")
        && after.is_some()
        && !on.is_empty()
        && !on.contains(&AlertOn::Failure)
        && !on.contains(&AlertOn::Recovery)
    {
        let message = format!("{} does nothing: it counts failures, and `on` has no \"failure\"", table.of("after"));
        problems.push(Problem::error(span, message).help("add \"failure\" to `on`, or leave `after` out"));
    }
    let mut to: Vec<AlertTarget> = Vec::new();
    for (url, span) in one_or_more(table, "webhook", problems) {
        to.extend(webhook(url, span, table, problems));
    }
    let mut addresses = Vec::new();
    for (address, span) in one_or_more(table, "email", problems) {
        match check_address(&address) {
            Ok(()) => addresses.push(address),
            Err(help) => {
                let message = format!("{}: {} is not an address", table.of("email"), quote(&address));
                problems.push(Problem::error(span, message).help(help));
            }
        }
    }
    if !addresses.is_empty() {
        to.push(AlertTarget::Email { to: addresses });
    }
    to.extend(command(table, problems));
    if !["webhook", "email", "command"].iter().any(|key| table.get(key).is_some()) {
        problems.push(Problem::error(table.span.clone(), format!("{} tells nobody", table.what)).help(TARGET_HELP));
    }
    // What is wrong with the rest is told already.
    (!to.is_empty() && !on.is_empty()).then(|| AlertRule { on, after: after.unwrap_or(1), to })
}

/// Empty only where all that stands there is wrong, and told.
fn on(table: &Table<'_>, problems: &mut Problems) -> Vec<AlertOn> {
    if table.get("on").is_none() {
        return AlertRule::ON_DEFAULT.to_vec();
    }
    let mut on = Vec::new();
    for (word, span) in one_or_more(table, "on", problems) {
        match AlertOn::ALL.into_iter().find(|known| known.word() == word) {
            Some(known) if on.contains(&known) => {
                let message = format!("{} has {} twice", table.of("on"), quote(&word));
                problems.push(Problem::error(span, message).help("take one of them out"));
            }
            Some(known) => on.push(known),
            None => {
                let known: Vec<String> = AlertOn::ALL.iter().map(|known| quote(known.word())).collect();
                let message = format!("{} cannot be {}", table.of("on"), quote(&word));
                problems.push(Problem::error(span, message).help(format!("one of: {}", known.join(", "))));
            }
        }
    }
    on
}

/// A text, or a list of texts of which there has to be one.
fn one_or_more(table: &Table<'_>, key: &str, problems: &mut Problems) -> Vec<(String, Range<usize>)> {
    let Some((value, span)) = table.get(key) else { return Vec::new() };
    let what = table.of(key);
    match value {
        DeValue::String(_) => text((value, span), &what, problems).into_iter().collect(),
        DeValue::Array(items) if items.is_empty() => {
            problems.push(Problem::error(span, format!("{what} is empty")).help("name one, or leave the key out"));
            Vec::new()
        }
        DeValue::Array(_) => table.texts(key, problems),
        other => {
            let help = format!("write `{key} = \"...\"` or `{key} = [\"...\", \"...\"]`");
            problems.push(wrong_type(other, span, &what, "a text or a list of texts", &help));
            Vec::new()
        }
    }
}

fn webhook(url: String, span: Range<usize>, table: &Table<'_>, problems: &mut Problems) -> Option<AlertTarget> {
    // The address is not shown: whoever knows it can post.
    let what = table.of("webhook");
    let pieces = filled_in_later(&url, &span, &what, problems)?;
    let scheme = match pieces.first() {
        Some(Piece::Text(text)) => Some(text),
        _ => None,
    };
    let known = scheme.is_none_or(|text| {
        let rest = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"));
        rest.is_some_and(|rest| (!rest.is_empty() || pieces.len() > 1) && !rest.starts_with('/'))
    });
    if !known || url.chars().any(|c| c.is_control() || c.is_whitespace()) {
        let help =
            "write `webhook = \"https://...\"`, or `webhook = \"${env:ALERT_WEBHOOK}\"` to keep it out of the file";
        problems.push(Problem::error(span, format!("{what} is not the address of a webhook")).help(help));
        return None;
    }
    Some(AlertTarget::Webhook { url })
}

fn command(table: &Table<'_>, problems: &mut Problems) -> Option<AlertTarget> {
    let (value, span) = table.get("command")?;
    let what = table.of("command");
    let argv: Vec<String> = match value {
        DeValue::Array(_) => {
            let mut argv = Vec::new();
            for (word, span) in table.texts("command", problems) {
                filled_in_later(&word, &span, &what, problems)?;
                argv.push(word);
            }
            argv
        }
        other => {
            let help = match other {
                DeValue::String(line) => {
                    let words: Vec<String> = line.split_whitespace().map(quote).collect();
                    format!("no shell reads it; write `command = [{}]`", words.join(", "))
                }
                _ => COMMAND_HELP.to_owned(),
            };
            problems.push(wrong_type(other, span, &what, "a list of texts", &help));
            return None;
        }
    };
    match argv.first() {
        None if matches!(value, DeValue::Array(items) if items.is_empty()) => {
            problems.push(Problem::error(span, format!("{what} is empty")).help(COMMAND_HELP));
            None
        }
        None => None,
        Some(program) if program.trim().is_empty() => {
            problems.push(Problem::error(span, format!("{what} names no program")).help(COMMAND_HELP));
            None
        }
        Some(_) if argv.iter().any(|word| word.contains('\0')) => {
            problems.push(Problem::error(span, format!("{what} holds a zero byte")).help("take it out"));
            None
        }
        Some(_) => Some(AlertTarget::Command { argv }),
    }
}

/// The `[smtp]` table. None where what stands there cannot be used, which is told.
pub(super) fn read_smtp(table: &Table<'_>, problems: &mut Problems) -> Option<Smtp> {
    let elsewhere = [
        ("host", "write `server = \"smtps://mail.example.org:465\"`"),
        ("port", "write `server = \"smtps://mail.example.org:465\"`"),
        ("username", "did you mean `user`?"),
        ("to", "whom to tell goes under `[alert]`, as `email`"),
        ("email", "whom to tell goes under `[alert]`"),
    ];
    table.known_keys(&["server", "from", "user", "password"], &elsewhere, problems);
    let server = table.needed_text("server", "`server = \"smtps://mail.example.org:465\"`", problems);
    let server = server.and_then(|(server, span)| match check_server(&server) {
        Ok(()) => Some(server),
        Err(help) => {
            // A password may stand in what was taken for an address.
            problems.push(Problem::error(span, format!("{} is not a mail server", table.of("server"))).help(help));
            None
        }
    });
    let from = table.needed_text("from", "`from = \"sluicebox@example.org\"`", problems);
    let from = from.and_then(|(from, span)| {
        let address = from.strip_suffix('>').and_then(|from| from.rsplit_once('<')).map_or(from.as_str(), |(_, it)| it);
        match check_address(address) {
            Ok(()) => Some(from),
            Err(help) => {
                let message = format!("{}: {} is not an address", table.of("from"), quote(&from));
                problems.push(Problem::error(span, message).help(help));
                None
            }
        }
    });
    let mut secret = |key: &str| {
        let (text, span) = table.text(key, problems)?;
        filled_in_later(&text, &span, &table.of(key), problems)?;
        Some(text)
    };
    let user = secret("user");
    let password = secret("password");
    for (key, other) in [("user", "password"), ("password", "user")] {
        if table.get(key).is_none()
            && let Some((_, span)) = table.get(other)
        {
            let message = format!("{} has `{other}` but no `{key}`", table.what);
            let help = "a server that asks who it is wants both; `password = \"${env:SMTP_PASSWORD}\"` keeps it out of \
                        the file";
            problems.push(Problem::error(span, message).help(help));
        }
    }
    Some(Smtp { server: server?, from: from?, user, password })
}

/// The pieces of a text that is filled in when an alert is sent; a problem if they cannot be.
fn filled_in_later(given: &str, span: &Range<usize>, what: &str, problems: &mut Problems) -> Option<Vec<Piece>> {
    let problem = match pieces(given) {
        Ok(pieces) if pieces.iter().any(|piece| matches!(piece, Piece::Interval(_))) => {
            Problem::error(span.clone(), format!("{what} cannot hold `${{interval...}}`"))
                .help("the interval stands in what is sent; write `${env:NAME}` or `${file:PATH}`")
        }
        Ok(pieces) => return Some(pieces),
        Err((message, help)) => Problem::error(span.clone(), format!("{what}: {message}")).help(help),
    };
    problems.push(problem);
    None
}

fn check_server(server: &str) -> Result<(), String> {
    let example = "write `server = \"smtps://mail.example.org:465\"`, or `smtp://...:587`";
    let Some(host) = server.strip_prefix("smtps://").or_else(|| server.strip_prefix("smtp://")) else {
        return Err(example.to_owned());
    };
    if host.contains('@') {
        return Err("who it is goes into `user` and `password`".to_owned());
    }
    let host = host.strip_suffix('/').unwrap_or(host);
    let (name, port) = match host.strip_prefix('[').and_then(|host| host.split_once(']')) {
        Some((address, "")) => (address, None),
        Some((address, rest)) => (address, Some(rest.strip_prefix(':').ok_or(example)?)),
        None => match host.split_once(':') {
            Some((name, port)) => (name, Some(port)),
            None => (host, None),
        },
    };
    let port_fits = port.is_none_or(|port| port.parse::<u16>().is_ok_and(|port| port > 0));
    let name_fits = !name.is_empty() && name.chars().all(|c| c.is_alphanumeric() || matches!(c, '.' | '-' | '_' | ':'));
    if name_fits && port_fits { Ok(()) } else { Err(example.to_owned()) }
}

/// Whether a text can be an address; the mail server has the last word.
fn check_address(address: &str) -> Result<(), String> {
    let wrong = || Err("write it as `you@example.org`".to_owned());
    let Some((local, domain)) = address.rsplit_once('@') else { return wrong() };
    let plain = |part: &str| {
        !part.is_empty()
            && !part.starts_with('.')
            && !part.ends_with('.')
            && !part.contains("..")
            && part.chars().all(|c| !c.is_whitespace() && !c.is_control() && !"@<>,;:\"\\()[]".contains(c))
    };
    if plain(local) && plain(domain) { Ok(()) } else { wrong() }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::super::{parse, settings};
    use super::*;

    fn file(alert: &str) -> String {
        format!("[pipeline]\nname = \"p\"\n{alert}\n[[stage]]\nname = \"a\"\nplugin = \"x\"\n")
    }

    fn alerts(alert: &str) -> Vec<AlertRule> {
        parse(&file(alert)).unwrap().alerts.unwrap()
    }

    #[test]
    fn alerts_are_read() {
        let webhook = |url: &str| AlertTarget::Webhook { url: url.into() };
        assert!(parse(&file("")).unwrap().alerts.is_none());
        let on = AlertRule::ON_DEFAULT.to_vec();
        let wanted = AlertRule { on, after: 1, to: vec![webhook("https://example.org/x")] };
        assert_eq!(alerts("[alert]\nwebhook = \"https://example.org/x\""), [wanted]);
        let two = alerts(
            "[[alert]]\non = \"late\"\nwebhook = [\"${env:HOOK}\", \"https://${env:HOST}/x\"]\n\
             [[alert]]\non = [\"failure\", \"quarantine\"]\nafter = 3\n\
             email = [\"a@b.org\", \"c.d@e.org\"]\ncommand = [\"notify\", \"\"]",
        );
        let first = AlertRule {
            on: vec![AlertOn::Late],
            after: 1,
            to: vec![webhook("${env:HOOK}"), webhook("https://${env:HOST}/x")],
        };
        let second = AlertRule {
            on: vec![AlertOn::Failure, AlertOn::Quarantine],
            after: 3,
            to: vec![
                AlertTarget::Email { to: vec!["a@b.org".into(), "c.d@e.org".into()] },
                AlertTarget::Command { argv: vec!["notify".into(), String::new()] },
            ],
        };
        assert_eq!(two, [first.clone(), second]);
        // Nobody is told, also where the house tells somebody.
        assert_eq!(parse(&format!("alert = []\n{}", file(""))).unwrap().alerts, Some(Vec::new()));
        let house = settings("[alert]\non = \"late\"\nwebhook = [\"${env:HOOK}\", \"https://${env:HOST}/x\"]").unwrap();
        assert_eq!(house.alerts, [first]);
    }

    #[test]
    fn what_is_no_alert_is_told() {
        for (text, told) in [
            ("[alert]\non = [\"failure\"]", "`[alert]` tells nobody"),
            ("[[alert]]\nwebhook = \"https://a\"\n[[alert]]", "`[[alert]]` 2 tells nobody"),
            ("[alert]\nslack = \"https://a\"\ncommand = [\"x\"]", "unknown key `slack` in `[alert]`"),
            ("[alert]\nto = \"a@b\"\ncommand = [\"x\"]", "unknown key `to` in `[alert]`"),
            ("[alert]\non = \"error\"\ncommand = [\"x\"]", "`on` of `[alert]` cannot be \"error\""),
            ("[alert]\non = []\ncommand = [\"x\"]", "`on` of `[alert]` is empty"),
            ("[alert]\non = [\"late\", \"late\"]\ncommand = [\"x\"]", "`on` of `[alert]` has \"late\" twice"),
            ("[alert]\nafter = 0\ncommand = [\"x\"]", "`after` of `[alert]` cannot be 0"),
            (
                "[alert]\non = \"late\"\nafter = 2\ncommand = [\"x\"]",
                "`after` of `[alert]` does nothing: it counts failures, and `on` has no \"failure\"",
            ),
            ("[alert]\nwebhook = \"example.org\"", "`webhook` of `[alert]` is not the address of a webhook"),
            ("[alert]\nwebhook = \"https://\"", "`webhook` of `[alert]` is not the address of a webhook"),
            ("[alert]\nwebhook = \"ftp://a\"", "`webhook` of `[alert]` is not the address of a webhook"),
            ("[alert]\nwebhook = 1", "`webhook` of `[alert]` has to be a text or a list of texts"),
            ("[alert]\nwebhook = \"${HOOK}\"", "`webhook` of `[alert]`: `${HOOK}` is not a placeholder"),
            (
                "[alert]\nwebhook = \"https://a/${interval.start}\"",
                "`webhook` of `[alert]` cannot hold `${interval...}`",
            ),
            ("[alert]\nemail = \"you\"", "`email` of `[alert]`: \"you\" is not an address"),
            ("[alert]\nemail = \"a@b\\r\\nBcc: c@d\"", "`email` of `[alert]`: \"a@b\\r\\nBcc: c@d\" is not an address"),
            ("[alert]\nemail = []", "`email` of `[alert]` is empty"),
            ("[alert]\ncommand = \"notify --loud\"", "`command` of `[alert]` has to be a list of texts"),
            ("[alert]\ncommand = []", "`command` of `[alert]` is empty"),
            ("[alert]\ncommand = [\"\"]", "`command` of `[alert]` names no program"),
            ("[alert]\ncommand = [\"a\", \"${HOME}\"]", "`command` of `[alert]`: `${HOME}` is not a placeholder"),
            ("[alert]\ncommand = [\"${interval.end}\"]", "`command` of `[alert]` cannot hold `${interval...}`"),
            ("[alert]\ncommand = [\"a\\u0000\"]", "`command` of `[alert]` holds a zero byte"),
        ] {
            let problems = parse(&file(text)).unwrap_err();
            let messages: Vec<&str> = problems.iter().map(|problem| problem.message.as_str()).collect();
            assert_eq!(messages, [told], "{text}");
            assert!(problems.iter().all(|problem| problem.help.is_some()), "{text}");
        }
        let problems = parse(&format!("alert = \"a@b.org\"\n{}", file(""))).unwrap_err();
        assert!(problems.iter().any(|problem| problem.message == "`alert` has to be a table"), "{problems:?}");
        // What stands there may be a secret.
        let problems = parse(&file("[alert]\nwebhook = \"hxxps://example.org/secret\"")).unwrap_err();
        assert!(!format!("{problems:?}").contains("secret"));
    }

    #[test]
    fn the_mail_server_is_read() {
        let read = |text: &str| settings(&format!("[smtp]\n{text}"));
        let plain = read("server = \"smtp://localhost:25\"\nfrom = \"Ops <ops@example.org>\"").unwrap().smtp.unwrap();
        assert_eq!((plain.server.as_str(), plain.from.as_str()), ("smtp://localhost:25", "Ops <ops@example.org>"));
        let full = "server = \"smtps://[::1]:465\"\nfrom = \"a@b.org\"\nuser = \"u\"\npassword = \"${env:P}\"";
        assert_eq!(read(full).unwrap().smtp.unwrap().password.as_deref(), Some("${env:P}"));
        let from = "from = \"a@b.org\"";
        for (text, told) in [
            (from.to_owned(), "`[smtp]` has no `server`"),
            ("server = \"smtp://a\"".to_owned(), "`[smtp]` has no `from`"),
            (format!("server = \"mail.example.org\"\n{from}"), "`server` of `[smtp]` is not a mail server"),
            (format!("server = \"smtp://u:secret@a\"\n{from}"), "`server` of `[smtp]` is not a mail server"),
            (format!("server = \"smtp://a:99999\"\n{from}"), "`server` of `[smtp]` is not a mail server"),
            (format!("server = \"smtp://a/b\"\n{from}"), "`server` of `[smtp]` is not a mail server"),
            ("server = \"smtp://a\"\nfrom = \"ops\"".to_owned(), "`from` of `[smtp]`: \"ops\" is not an address"),
            (format!("server = \"smtp://a\"\n{from}\nport = 25"), "unknown key `port` in `[smtp]`"),
            (format!("server = \"smtp://a\"\n{from}\nuser = \"u\""), "`[smtp]` has `user` but no `password`"),
            (
                format!("server = \"smtp://a\"\n{from}\nuser = \"u\"\npassword = \"${{env:}}\""),
                "`password` of `[smtp]`: `${env:}` names no environment variable",
            ),
        ] {
            let problems = read(&text).unwrap_err();
            let messages: Vec<&str> = problems.iter().map(|problem| problem.message.as_str()).collect();
            assert_eq!(messages, [told], "{text}");
            assert!(problems.iter().all(|problem| problem.help.is_some()), "{text}");
            assert!(!format!("{problems:?}").contains("secret"));
        }
    }
}
