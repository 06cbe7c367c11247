//! A planned expression and how it is evaluated.

use std::sync::Arc;

use sqlparser::tokenizer::Span;

use crate::{
    bits,
    kernels::{choose, logic},
    types::Type,
    vector::{Value, Vector},
};

/// A row that cannot be worked on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct RowError {
    pub(crate) row: usize,
    pub(crate) message: String,
}

impl RowError {
    pub(crate) fn new(row: usize, message: impl Into<String>) -> Self {
        Self { row, message: message.into() }
    }
}

/// The rows that a kernel works on.
#[derive(Clone, Copy)]
pub(crate) struct Rows<'a> {
    pub(crate) count: usize,
    /// The rows whose answer is looked at (a CASE looks at some rows of each branch); none = all. Kernels compute all
    /// rows, but only a row that is looked at may fail.
    pub(crate) looked_at: Option<&'a [u8]>,
}

impl Rows<'_> {
    pub(crate) fn looked_at(&self, row: usize) -> bool {
        self.looked_at.is_none_or(|rows| bits::get(rows, row))
    }
}

/// Computes a column from the columns of the arguments. At least one argument is a column, unless there are none.
pub(crate) type Kernel = Box<dyn Fn(Rows<'_>, Vec<Value>) -> Result<Value, RowError> + Send + Sync>;

/// A part of a planned expression.
pub(crate) struct Node {
    pub(crate) kind: Kind,
    pub(crate) ty: Type,
    pub(crate) nullable: bool,
    pub(crate) span: Span,
    /// levels below and including this one
    pub(crate) depth: usize,
}

pub(crate) enum Kind {
    /// position in the list of used columns
    Column(usize),
    Literal(Value),
    Call(Vec<Node>, Kernel),
    And(Vec<Node>),
    Or(Vec<Node>),
    Case {
        branches: Vec<(Node, Node)>,
        otherwise: Box<Node>,
    },
    Coalesce(Vec<Node>),
    /// Computes the first once, for the second to use as `Local`.
    Let(Box<Node>, Box<Node>),
    /// The value of the innermost `Let` around.
    Local,
}

/// What an expression is evaluated over: the columns that it uses, and the value of the `Let` around.
#[derive(Clone, Copy)]
pub(crate) struct Scope<'a> {
    pub(crate) columns: &'a [Arc<Vector>],
    pub(crate) local: Option<&'a Value>,
}

impl Node {
    pub(crate) fn literal(value: Value, ty: Type, span: Span) -> Self {
        let nullable = value.is_null_literal();
        Self { kind: Kind::Literal(value), ty, nullable, span, depth: 1 }
    }

    pub(crate) fn null(ty: Type, span: Span) -> Self {
        Self::literal(Value::null(&ty), ty, span)
    }

    pub(crate) fn as_literal(&self) -> Option<&Value> {
        match &self.kind {
            Kind::Literal(value) => Some(value),
            _ => None,
        }
    }

    pub(crate) fn is_null_literal(&self) -> bool {
        self.as_literal().is_some_and(Value::is_null_literal)
    }

    fn children(&self) -> Vec<&Node> {
        match &self.kind {
            Kind::Column(_) | Kind::Literal(_) | Kind::Local => Vec::new(),
            Kind::Let(value, body) => vec![value, body],
            Kind::Call(nodes, _) | Kind::And(nodes) | Kind::Or(nodes) | Kind::Coalesce(nodes) => nodes.iter().collect(),
            Kind::Case { branches, otherwise } => {
                branches.iter().flat_map(|(when, then)| [when, then]).chain([&**otherwise]).collect()
            }
        }
    }

    /// Whether it can be computed once, at planning.
    pub(crate) fn is_constant(&self) -> bool {
        !matches!(self.kind, Kind::Column(_) | Kind::Literal(_) | Kind::Local)
            && self.children().iter().all(|child| child.as_literal().is_some())
    }

    pub(crate) fn measured(mut self) -> Self {
        self.depth = 1 + self.children().iter().map(|child| child.depth).max().unwrap_or(0);
        self
    }

    /// The column of this expression.
    pub(crate) fn evaluate(&self, scope: Scope<'_>, rows: Rows<'_>) -> Result<Value, RowError> {
        match &self.kind {
            Kind::Column(at) => match scope.columns.get(*at) {
                Some(vector) => Ok(Value { vector: vector.clone(), scalar: false }),
                None => Err(RowError::new(0, "a column of the expression is missing")),
            },
            Kind::Literal(value) => Ok(value.clone()),
            Kind::Call(arguments, kernel) => {
                let mut values = Vec::with_capacity(arguments.len());
                for argument in arguments {
                    values.push(argument.evaluate(scope, rows)?);
                }
                kernel(rows, values)
            }
            Kind::And(parts) => logic::chain(parts, scope, rows, false),
            Kind::Or(parts) => logic::chain(parts, scope, rows, true),
            Kind::Case { branches, otherwise } => choose::case(branches, otherwise, &self.ty, scope, rows),
            Kind::Coalesce(parts) => choose::coalesce(parts, &self.ty, scope, rows),
            Kind::Let(value, body) => {
                let value = value.evaluate(scope, rows)?;
                body.evaluate(Scope { columns: scope.columns, local: Some(&value) }, rows)
            }
            Kind::Local => scope.local.cloned().ok_or_else(|| RowError::new(0, "a value of the expression is missing")),
        }
    }
}
