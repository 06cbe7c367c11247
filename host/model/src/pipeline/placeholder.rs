//! `${env:NAME}`, `${file:PATH}` and `${interval.start}` within options.

use crate::run::Interval;
use jiff::tz::TimeZone;

/// A piece of an option's text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Piece {
    /// As it stands.
    Text(String),
    /// The value of an environment variable.
    Env(String),
    /// The text of a file.
    File(String),
    /// Something of the run's data interval.
    Interval(OfInterval),
}

/// What of the data interval an option may hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OfInterval {
    /// When it starts, as RFC 3339 in UTC.
    Start,
    /// When it ends, as RFC 3339 in UTC.
    End,
    /// The day on which it starts, in UTC.
    Date,
}

impl OfInterval {
    /// What takes the place of the placeholder in a run for the interval.
    pub fn of(self, interval: Interval) -> String {
        match self {
            Self::Start => interval.start.to_string(),
            Self::End => interval.end.to_string(),
            Self::Date => interval.start.to_zoned(TimeZone::UTC).date().to_string(),
        }
    }
}

/// The pieces of a text. `$${` stands for `${`.
///
/// # Errors
/// What is wrong with a placeholder, and what to write instead.
pub fn pieces(text: &str) -> Result<Vec<Piece>, (String, String)> {
    let mut pieces = Vec::new();
    let mut plain = String::new();
    let mut rest = text;
    while let Some(at) = rest.find("${") {
        let (before, from) = rest.split_at(at);
        let inside = from.strip_prefix("${").unwrap_or(from);
        if let Some(before) = before.strip_suffix('$') {
            plain.push_str(before);
            plain.push_str("${");
            rest = inside;
            continue;
        }
        plain.push_str(before);
        let (name, after) = inside.split_once('}').ok_or_else(|| {
            (
                "a `${` without its `}`".to_owned(),
                "close it, or write `$${` for the two characters as they are".to_owned(),
            )
        })?;
        if !plain.is_empty() {
            pieces.push(Piece::Text(std::mem::take(&mut plain)));
        }
        pieces.push(placeholder(name)?);
        rest = after;
    }
    plain.push_str(rest);
    if !plain.is_empty() || pieces.is_empty() {
        pieces.push(Piece::Text(plain));
    }
    Ok(pieces)
}

fn placeholder(name: &str) -> Result<Piece, (String, String)> {
    let unknown = || {
        let help =
            "write `${env:NAME}`, `${file:PATH}` or `${interval.start}`, or `$${` for the two characters as they are"
                .to_owned();
        (format!("`${{{name}}}` is not a placeholder"), help)
    };
    if let Some(part) = name.trim().strip_prefix("interval.") {
        return match part {
            "start" => Ok(Piece::Interval(OfInterval::Start)),
            "end" => Ok(Piece::Interval(OfInterval::End)),
            "date" => Ok(Piece::Interval(OfInterval::Date)),
            _ => Err((
                format!("`${{{name}}}` is nothing of the data interval"),
                "write `${interval.start}`, `${interval.end}` or `${interval.date}`".to_owned(),
            )),
        };
    }
    let (what, value) = name.split_once(':').ok_or_else(unknown)?;
    let value = value.trim();
    match what.trim() {
        "env" if value.is_empty() || value.contains('=') => {
            Err((format!("`${{{name}}}` names no environment variable"), "write e.g. `${env:TOKEN}`".to_owned()))
        }
        "env" => Ok(Piece::Env(value.to_owned())),
        "file" if value.is_empty() => {
            Err((format!("`${{{name}}}` names no file"), "write e.g. `${file:secrets/token}`".to_owned()))
        }
        "file" => Ok(Piece::File(value.to_owned())),
        _ => Err(unknown()),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn pieces_of_a_text() {
        assert_eq!(pieces("plain").unwrap(), [Piece::Text("plain".into())]);
        assert_eq!(pieces("").unwrap(), [Piece::Text(String::new())]);
        assert_eq!(
            pieces("a${env:B}c${file: d/e }").unwrap(),
            [Piece::Text("a".into()), Piece::Env("B".into()), Piece::Text("c".into()), Piece::File("d/e".into())]
        );
        assert_eq!(pieces("^a$${2}$").unwrap(), [Piece::Text("^a${2}$".into())]);
        assert!(pieces("${env:").is_err());
        assert!(pieces("${env:}").is_err());
        assert!(pieces("${HOME}").is_err());
        assert!(pieces("${enw:HOME}").is_err());
    }

    #[test]
    fn the_data_interval() {
        let pieces = pieces("${interval.start}/${interval.end}/${ interval.date }").unwrap();
        let interval = Interval {
            start: "2026-01-01T23:30:00-01:00".parse().unwrap(),
            end: "2026-01-03T00:00:00Z".parse().unwrap(),
        };
        let filled: String = pieces
            .iter()
            .map(|piece| match piece {
                Piece::Interval(part) => part.of(interval),
                Piece::Text(text) => text.clone(),
                _ => String::new(),
            })
            .collect();
        assert_eq!(filled, "2026-01-02T00:30:00Z/2026-01-03T00:00:00Z/2026-01-02");
        let (_, help) = super::pieces("${interval.foo}").unwrap_err();
        for name in ["${interval.start}", "${interval.end}", "${interval.date}"] {
            assert!(help.contains(name), "{help}");
        }
    }
}
