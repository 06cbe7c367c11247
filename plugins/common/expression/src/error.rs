use std::fmt;

use sqlparser::tokenizer::{Location, Span};

/// Why an expression cannot be used: what is wrong, where in its text, and what to write instead.
///
/// As text it shows the place:
///
/// ```text
/// `/` takes numbers, this is utf8
///   distance / upper(dest)
///              ^^^^^^^^^^^
/// help: write cast(... as float64) where the text holds numbers
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExpressionError {
    message: String,
    help: Option<String>,
    /// line and columns (from, to) of the place, counted from 1
    place: Option<(usize, usize, usize)>,
    text: String,
}

impl std::error::Error for ExpressionError {}

impl ExpressionError {
    pub(crate) fn new(message: impl Into<String>, span: Span) -> Self {
        let Span { start, end } = span;
        let place = (start.line > 0).then(|| {
            let (line, from) = (whole(start.line), whole(start.column));
            (line, from, if end.line == start.line { whole(end.column).max(from + 1) } else { usize::MAX })
        });
        Self { message: message.into(), help: None, place, text: String::new() }
    }

    pub(crate) fn at(message: impl Into<String>, location: Location) -> Self {
        Self::new(message, Span::new(location, location))
    }

    pub(crate) fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// Says which text the place is in.
    pub(crate) fn within(mut self, text: &str) -> Self {
        self.text = text.to_owned();
        self
    }

    /// What is wrong, in one sentence.
    pub fn message(&self) -> &str {
        &self.message
    }

    /// What to write instead, where that is known.
    pub fn advice(&self) -> Option<&str> {
        self.help.as_deref()
    }

    /// Line and column (in characters) of the place within the expression, counted from 1.
    pub fn position(&self) -> Option<(usize, usize)> {
        self.place.map(|(line, column, _)| (line, column))
    }
}

fn whole(number: u64) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}

/// Characters shown of a line to the left and to the right of its place.
const SHOWN: usize = 60;

impl fmt::Display for ExpressionError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)?;
        let line = self.place.and_then(|(line, ..)| self.text.lines().nth(line.saturating_sub(1)));
        if let (Some((number, from, to)), Some(line)) = (self.place, line) {
            let length = line.chars().count();
            let start = from.saturating_sub(1).min(length);
            let skip = start.saturating_sub(SHOWN);
            let shown: String =
                line.chars().skip(skip).take(2 * SHOWN).map(|c| if c == '\t' { ' ' } else { c }).collect();
            let dots = if skip > 0 { "..." } else { "" };
            let more = if length > skip + 2 * SHOWN { "..." } else { "" };
            let carets = to
                .saturating_sub(1)
                .min(length)
                .saturating_sub(start)
                .clamp(1, (skip + 2 * SHOWN).saturating_sub(start).max(1));
            if self.text.lines().nth(1).is_some() {
                write!(f, " (line {number})")?;
            }
            let pad = " ".repeat(start - skip + dots.len());
            write!(f, "\n  {dots}{shown}{more}\n  {pad}{}", "^".repeat(carets))?;
        }
        if let Some(help) = &self.help {
            write!(f, "\nhelp: {help}")?;
        }
        Ok(())
    }
}
