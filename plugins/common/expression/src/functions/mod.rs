//! The functions: one table, which plans, documents and tests read.

mod choice;
mod hash;
mod math;
mod pattern;
mod text;
mod text_parts;
mod time;
mod time_format;

use sqlparser::tokenizer::Span;

use crate::{
    ExpressionError,
    node::Node,
    plan::{
        closest,
        coerce::{self, Planned, coerce},
    },
    types::Type,
};

pub(crate) use pattern::matches;
pub(crate) use text::concatenated;
pub(crate) use time::fixed_offset;

/// What a function works on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Group {
    /// text
    Text,
    /// regular expressions
    Pattern,
    /// numbers
    Number,
    /// dates and timestamps
    Time,
    /// digests
    Hash,
    /// choices between values
    Choice,
}

/// A function of expressions.
pub struct Function {
    /// What it is called by; the first name is the one to write.
    pub names: &'static [&'static str],
    /// What it works on.
    pub group: Group,
    /// How it is written, e.g. `upper(text) -> utf8`.
    pub signature: &'static str,
    /// What it does, in one line.
    pub summary: &'static str,
    /// An example and its answer, both as expressions; a test holds them to be equal.
    pub example: (&'static str, &'static str),
    least: usize,
    most: usize,
    build: fn(Call) -> Planned,
}

/// Every function.
pub fn functions() -> impl Iterator<Item = &'static Function> {
    [text::TABLE, text_parts::TABLE, pattern::TABLE, math::TABLE, time::TABLE, hash::TABLE, choice::TABLE]
        .into_iter()
        .flatten()
}

/// The functions as Markdown, one table a group, for pages that document expressions.
pub fn functions_markdown() -> String {
    let groups = [
        (Group::Text, "Text"),
        (Group::Pattern, "Regular expressions"),
        (Group::Number, "Numbers"),
        (Group::Time, "Dates and times"),
        (Group::Hash, "Digests"),
        (Group::Choice, "Choices"),
    ];
    let mut out = String::new();
    let cell = |text: &str| text.replace('|', "\\|");
    for (group, title) in groups {
        out.push_str(&format!("### {title}\n\n| function | what it does | example |\n| --- | --- | --- |\n"));
        for function in functions().filter(|function| function.group == group) {
            let also = match function.names.get(1..) {
                Some(others) if !others.is_empty() => format!(" Also `{}`.", others.join("`, `")),
                _ => String::new(),
            };
            let (example, answer) = function.example;
            out.push_str(&format!(
                "| `{}` | {}{also} | `{}` = `{}` |\n",
                cell(function.signature),
                cell(function.summary),
                cell(example),
                cell(answer)
            ));
        }
        out.push('\n');
    }
    out
}

const AGGREGATES: &[&str] = &[
    "sum",
    "count",
    "avg",
    "mean",
    "min",
    "max",
    "median",
    "stddev",
    "variance",
    "array_agg",
    "string_agg",
    "first_value",
    "last_value",
    "row_number",
    "rank",
    "dense_rank",
    "lag",
    "lead",
    "ntile",
    "bool_and",
    "bool_or",
];

const CLOCKS: &[&str] = &[
    "now",
    "current_date",
    "current_time",
    "current_timestamp",
    "localtime",
    "localtimestamp",
    "today",
    "getdate",
    "sysdate",
    "transaction_timestamp",
];

const DICE: &[&str] = &["random", "rand", "uuid", "gen_random_uuid", "newid"];

/// A function over many rows.
pub(crate) fn over_rows(name: &str, span: Span) -> ExpressionError {
    ExpressionError::new(format!("`{name}` would look at many rows; an expression sees one row at a time"), span)
}

/// A call of the function of this name.
pub(crate) fn plan(name: &str, arguments: Vec<Node>, span: Span, name_span: Span) -> Planned {
    let Some(function) = functions().find(|function| function.names.contains(&name)) else {
        return Err(unknown(name, name_span));
    };
    if arguments.len() < function.least || arguments.len() > function.most {
        let count = match (function.least, function.most) {
            (least, most) if least == most => least.to_string(),
            (least, usize::MAX) => format!("at least {least}"),
            (least, most) => format!("{least} to {most}"),
        };
        let plural = if count == "1" || count == "at least 1" { "" } else { "s" };
        let message = format!("`{name}` takes {count} argument{plural}, not {}", arguments.len());
        return Err(ExpressionError::new(message, name_span).help(function.signature));
    }
    if let Some(argument) = arguments.iter().find(|argument| matches!(argument.ty, Type::Other(_))) {
        return Err(ExpressionError::new(
            format!("columns of type {} can only be passed on", argument.ty),
            argument.span,
        ));
    }
    (function.build)(Call { function, arguments: arguments.into_iter().map(Some).collect(), span })
}

fn unknown(name: &str, span: Span) -> ExpressionError {
    if AGGREGATES.contains(&name) {
        return over_rows(name, span);
    }
    if CLOCKS.contains(&name) {
        return ExpressionError::new(format!("`{name}` is not known here: the same input gives the same output"), span)
            .help("write the time as a literal; the pipeline file can take one from its environment: ${env:NAME}");
    }
    if DICE.contains(&name) {
        return ExpressionError::new(format!("`{name}` is not known here: the same input gives the same output"), span)
            .help("md5(...) or sha256(...) of the row's key gives an id that stays");
    }
    let error = ExpressionError::new(format!("there is no function `{name}`"), span);
    match closest(name, functions().flat_map(|function| function.names.iter().copied())) {
        Some(closest) => error.help(format!("did you mean {closest}?")),
        None => error,
    }
}

/// A call that is being planned.
pub(crate) struct Call {
    function: &'static Function,
    arguments: Vec<Option<Node>>,
    pub(crate) span: Span,
}

impl Call {
    pub(crate) fn name(&self) -> &'static str {
        self.function.names.first().copied().unwrap_or_default()
    }

    pub(crate) fn has(&self, at: usize) -> bool {
        self.arguments.get(at).is_some_and(Option::is_some)
    }

    /// The argument as it is.
    pub(crate) fn any(&mut self, at: usize) -> Node {
        let span = self.span;
        self.arguments.get_mut(at).and_then(Option::take).unwrap_or_else(|| Node::null(Type::Null, span))
    }

    /// All arguments that have not been taken.
    pub(crate) fn rest(&mut self) -> Vec<Node> {
        self.arguments.iter_mut().filter_map(Option::take).collect()
    }

    fn typed(&mut self, at: usize, ty: &Type, what: &str) -> Planned {
        let what = format!("`{}` takes {what}", self.name());
        coerce(self.any(at), ty, &what)
    }

    pub(crate) fn text(&mut self, at: usize) -> Planned {
        self.typed(at, &Type::Utf8, "text")
    }

    pub(crate) fn integer(&mut self, at: usize) -> Planned {
        self.typed(at, &Type::Int64, "a whole number")
    }

    pub(crate) fn float(&mut self, at: usize) -> Planned {
        self.typed(at, &Type::Float64, "a number")
    }

    pub(crate) fn boolean(&mut self, at: usize) -> Planned {
        self.typed(at, &Type::Boolean, "a boolean")
    }

    /// int64, float64 or a decimal.
    pub(crate) fn number(&mut self, at: usize) -> Planned {
        let what = format!("`{}` takes a number", self.name());
        coerce::number(self.any(at), &what)
    }

    /// The text of an argument that has to be a literal; none for null.
    pub(crate) fn literal(&mut self, at: usize, what: &str) -> Result<(Option<String>, Span), ExpressionError> {
        let name = self.name();
        let node = self.text(at)?;
        if node.as_literal().is_none() {
            return Err(ExpressionError::new(
                format!("the {what} of `{name}` is a literal: it is made ready once, not for each row"),
                node.span,
            ));
        }
        Ok((coerce::literal_text(&node), node.span))
    }
}
