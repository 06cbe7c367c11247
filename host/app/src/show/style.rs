//! Colours, where they are wanted.

use std::io::IsTerminal;

/// Whether and how text is coloured on one of the outputs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Style {
    colour: bool,
}

/// What a text is meant to say by its colour.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tone {
    /// It went well.
    Good,
    /// Something to look at.
    Warn,
    /// It went wrong.
    Bad,
    /// Less important.
    Quiet,
    /// More important.
    Strong,
}

impl Style {
    /// No colours.
    pub const PLAIN: Self = Self { colour: false };

    /// The style for standard output.
    pub fn stdout() -> Self {
        Self { colour: wanted() && std::io::stdout().is_terminal() }
    }

    /// The style for standard error.
    pub fn stderr() -> Self {
        Self { colour: wanted() && std::io::stderr().is_terminal() }
    }

    /// Whether there are colours.
    pub fn is_coloured(self) -> bool {
        self.colour
    }

    /// The text in its colour.
    pub fn paint(self, tone: Tone, text: &str) -> String {
        if !self.colour || text.is_empty() {
            return text.to_owned();
        }
        let code = match tone {
            Tone::Good => "32",
            Tone::Warn => "33",
            Tone::Bad => "31",
            Tone::Quiet => "2",
            Tone::Strong => "1",
        };
        format!("\u{1b}[{code}m{text}\u{1b}[0m")
    }
}

/// <https://no-color.org>: set and not empty means no colours.
fn wanted() -> bool {
    let set = |name: &str| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    !set("NO_COLOR") && std::env::var_os("TERM").is_none_or(|term| term != "dumb")
}

/// Columns of the terminal on standard error, or 100 where there is none.
pub fn width() -> usize {
    let term = console::Term::stderr();
    term.size_checked().filter(|_| term.is_term()).map_or(100, |(_, columns)| usize::from(columns).clamp(60, 160))
}
