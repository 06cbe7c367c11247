//! Languages that stages are written in.

use crate::error::ToolchainError;

/// A language with an SDK.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Language {
    /// `wasm32-wasip2`, straight from cargo.
    Rust,
    /// CPython within the component, by componentize-py.
    Python,
    /// TypeScript and JavaScript: QuickJS within the component.
    TypeScript,
    /// C and C++, by clang as Zig brings it.
    C,
    /// The Go compiler's `wasip1`.
    Go,
}

impl Language {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Rust, Self::Python, Self::TypeScript, Self::C, Self::Go];

    /// Its word in `plugin.toml` and on the command line.
    pub fn word(self) -> &'static str {
        match self {
            Self::Rust => "rust",
            Self::Python => "python",
            Self::TypeScript => "typescript",
            Self::C => "c",
            Self::Go => "go",
        }
    }

    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Rust => "Rust",
            Self::Python => "Python",
            Self::TypeScript => "TypeScript",
            Self::C => "C",
            Self::Go => "Go",
        }
    }

    /// The language of a word.
    ///
    /// # Errors
    /// There is no SDK for it.
    pub fn of(word: &str) -> Result<Self, ToolchainError> {
        Self::ALL.into_iter().find(|language| language.word() == word).ok_or_else(|| {
            let all = Self::ALL.map(Self::word).join(", ");
            ToolchainError::new(format!("there is no SDK for `{word}`")).help(format!("write one of: {all}"))
        })
    }
}
