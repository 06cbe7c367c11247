//! From syntax to a plan: names looked up, types checked and brought together, constants computed.

pub(crate) mod coerce;
mod literal;
mod operators;
mod special;

use sqlparser::{
    ast::{self, Expr, Spanned},
    tokenizer::Span,
};

use crate::{
    ExpressionError, functions,
    node::{Kind, Node},
    types::Type,
};
use coerce::Planned;

pub(crate) use literal::integer as integer_literal;
pub(crate) use operators::arithmetic;
pub(crate) use special::case_of;

/// What a plan has to know of a column.
pub(crate) struct ColumnInfo {
    pub(crate) name: String,
    pub(crate) ty: Type,
    pub(crate) nullable: bool,
}

pub(crate) struct Planner<'a> {
    columns: &'a [ColumnInfo],
    /// positions of the columns that the expression uses
    pub(crate) used: Vec<usize>,
    /// expressions that are being planned, one within the other
    level: usize,
}

/// Levels of expressions within one another; the parser bounds brackets and calls, not `x::int::int` and its like.
const LEVELS: usize = 100;

impl<'a> Planner<'a> {
    pub(crate) fn new(columns: &'a [ColumnInfo]) -> Self {
        Self { columns, used: Vec::new(), level: 0 }
    }

    pub(crate) fn plan(&mut self, expression: &Expr) -> Planned {
        if self.level == LEVELS {
            return Err(coerce::too_deep(LEVELS, Span::empty()));
        }
        self.level += 1;
        let planned = self.expression(expression);
        self.level -= 1;
        planned
    }

    fn expression(&mut self, expression: &Expr) -> Planned {
        match expression {
            Expr::Identifier(name) => self.column(&name.value, name.quote_style.is_some(), name.span),
            Expr::CompoundIdentifier(names) => self.compound(names, expression.span()),
            Expr::Value(value) => literal::value(&value.value, value.span),
            Expr::TypedString(typed) => literal::typed(typed),
            Expr::Nested(inner) => self.plan(inner),
            Expr::UnaryOp { op, expr } => self.unary(*op, expr),
            Expr::BinaryOp { .. } => self.binary(expression),
            Expr::Function(function) => self.function(function),
            Expr::Case { operand, conditions, else_result, .. } => {
                self.case(operand.as_deref(), conditions, else_result.as_deref(), expression.span())
            }
            Expr::Cast { .. }
            | Expr::Extract { .. }
            | Expr::Position { .. }
            | Expr::Substring { .. }
            | Expr::Trim { .. } => self.syntax_of_function(expression),
            Expr::Ceil { .. } | Expr::Floor { .. } | Expr::Like { .. } | Expr::ILike { .. } => {
                self.syntax_of_function(expression)
            }
            Expr::Between { expr, negated, low, high } => self.between(expr, *negated, low, high, expression.span()),
            Expr::InList { expr, list, negated } => self.in_list(expr, list, *negated, expression.span()),
            _ => self.test(expression),
        }
    }

    /// The column of this name: as it is written, or else in other letter case.
    fn column(&mut self, name: &str, quoted: bool, span: Span) -> Planned {
        let found = self.find(name, quoted, span)?;
        Ok(self.column_at(found, span))
    }

    pub(crate) fn find(&self, name: &str, quoted: bool, span: Span) -> Result<usize, ExpressionError> {
        if let Some(found) = self.columns.iter().position(|column| column.name == name) {
            return Ok(found);
        }
        if quoted {
            return Err(self.unknown(name, quoted, span));
        }
        let lower = name.to_lowercase();
        let mut alike = self.columns.iter().enumerate().filter(|(_, column)| column.name.to_lowercase() == lower);
        match (alike.next(), alike.next()) {
            (Some((found, _)), None) => Ok(found),
            (Some((_, a)), Some((_, b))) => {
                let message = format!("`{name}` may be \"{}\" or \"{}\"", a.name, b.name);
                Err(ExpressionError::new(message, span).help("write the name in double quotes, as it is"))
            }
            _ => Err(self.unknown(name, quoted, span)),
        }
    }

    fn column_at(&mut self, index: usize, span: Span) -> Node {
        let at = self.used.iter().position(|used| *used == index).unwrap_or_else(|| {
            self.used.push(index);
            self.used.len() - 1
        });
        let (ty, nullable) =
            self.columns.get(index).map_or((Type::Null, true), |column| (column.ty.clone(), column.nullable));
        Node { kind: Kind::Column(at), ty, nullable, span, depth: 1 }
    }

    fn compound(&mut self, names: &[ast::Ident], span: Span) -> Planned {
        let whole = names.iter().map(|name| name.value.as_str()).collect::<Vec<_>>().join(".");
        if let Some(found) = self.columns.iter().position(|column| column.name == whole) {
            return Ok(self.column_at(found, span));
        }
        let error = ExpressionError::new(format!("there is no column `{whole}`"), span);
        Err(match names.last() {
            Some(last) if self.columns.iter().any(|column| column.name == last.value) => {
                error.help(format!("columns have no table in front: write {}", last.value))
            }
            _ => error.help(self.names()),
        })
    }

    fn unknown(&self, name: &str, quoted: bool, span: Span) -> ExpressionError {
        let error = ExpressionError::new(format!("there is no column `{name}`"), span);
        let names = self.columns.iter().map(|column| column.name.as_str());
        let is_text = if quoted { format!("; text is written in single quotes: '{name}'") } else { String::new() };
        match closest(name, names) {
            Some(closest) => error.help(format!("did you mean {}?{is_text}", quoted_if_needed(closest))),
            None => error.help(format!("{}{is_text}", self.names())),
        }
    }

    fn names(&self) -> String {
        const SHOWN: usize = 20;
        if self.columns.is_empty() {
            return "there are no columns".to_owned();
        }
        let names: Vec<&str> = self.columns.iter().take(SHOWN).map(|column| column.name.as_str()).collect();
        let more = if self.columns.len() > SHOWN {
            format!(" and {} more", self.columns.len() - SHOWN)
        } else {
            String::new()
        };
        format!("the columns are {}{more}", names.join(", "))
    }

    fn function(&mut self, function: &ast::Function) -> Planned {
        let span = function.span();
        let name = crate::parse::name_of(&function.name);
        let name_span = function.name.span();
        if function.over.is_some() || function.filter.is_some() || !function.within_group.is_empty() {
            return Err(functions::over_rows(&name, name_span));
        }
        let arguments = match &function.args {
            ast::FunctionArguments::None => Vec::new(),
            ast::FunctionArguments::Subquery(_) => return Err(no_queries(span)),
            ast::FunctionArguments::List(list) => {
                if list.duplicate_treatment.is_some() || !list.clauses.is_empty() {
                    return Err(functions::over_rows(&name, name_span));
                }
                list.args.iter().map(|argument| self.argument(argument, &name, name_span)).collect::<Result<_, _>>()?
            }
        };
        functions::plan(&name, arguments, span, name_span)
    }

    fn argument(&mut self, argument: &ast::FunctionArg, name: &str, name_span: Span) -> Planned {
        match argument {
            ast::FunctionArg::Unnamed(ast::FunctionArgExpr::Expr(expression)) => self.plan(expression),
            ast::FunctionArg::Unnamed(_) => Err(functions::over_rows(name, name_span)),
            _ => Err(ExpressionError::new("arguments have no names here", name_span).help("write them in their order")),
        }
    }

    /// Plans what uses a value more than once, so that it is computed once.
    fn shared(&mut self, value: Node, body: impl FnOnce(&mut Self, &dyn Fn() -> Node) -> Planned) -> Planned {
        let (ty, nullable, span) = (value.ty.clone(), value.nullable, value.span);
        let again = |kind: Kind| Node { kind, ty: ty.clone(), nullable, span, depth: 1 };
        match &value.kind {
            Kind::Column(at) => body(self, &|| again(Kind::Column(*at))),
            Kind::Literal(literal) => body(self, &|| again(Kind::Literal(literal.clone()))),
            _ => {
                let body = body(self, &|| again(Kind::Local))?;
                let (ty, nullable, span) = (body.ty.clone(), body.nullable, body.span);
                coerce::node(Kind::Let(Box::new(value), Box::new(body)), ty, nullable, span)
            }
        }
    }
}

fn no_queries(span: Span) -> ExpressionError {
    ExpressionError::new("there are no queries within an expression", span)
        .help("transform-lookup joins a second input")
}

/// A name as it is written in an expression.
pub(crate) fn quoted_if_needed(name: &str) -> String {
    let plain =
        name.chars().all(|c| c.is_alphanumeric() || c == '_') && !name.starts_with(|c: char| c.is_ascii_digit());
    if plain && !name.is_empty() { name.to_owned() } else { format!("\"{}\"", name.replace('"', "\"\"")) }
}

/// The name that is most like the one that was written.
pub(crate) fn closest<'n>(name: &str, names: impl Iterator<Item = &'n str>) -> Option<&'n str> {
    let lower = name.to_lowercase();
    let worst = (name.chars().count() / 3).max(1);
    names
        .map(|other| (distance(&lower, &other.to_lowercase()), other))
        .filter(|(distance, _)| *distance <= worst)
        .min()
        .map(|(_, other)| other)
}

/// Letters to change, add, drop or swap from one name to the other.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut before: Option<(Vec<usize>, char)> = None;
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, ca) in a.chars().enumerate() {
        let mut next = vec![i + 1];
        let mut last = None;
        for (j, cb) in b.iter().enumerate() {
            let at = |row: &[usize], j: usize| row.get(j).copied().unwrap_or(usize::MAX - 1);
            let mut best = (at(&row, j) + usize::from(ca != *cb)).min(at(&row, j + 1) + 1).min(at(&next, j) + 1);
            if let (Some((before, last_a)), Some(last_b)) = (&before, last)
                && (*last_a, last_b) == (*cb, ca)
                && j > 0
            {
                best = best.min(at(before, j - 1) + 1);
            }
            next.push(best);
            last = Some(*cb);
        }
        before = Some((std::mem::replace(&mut row, next), ca));
    }
    row.last().copied().unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_letters() {
        for (a, b, letters) in [
            ("", "", 0),
            ("dest", "dest", 0),
            ("dets", "dest", 1),
            ("dst", "dest", 1),
            ("carier", "carrier", 1),
            ("abc", "xyz", 3),
        ] {
            assert_eq!(distance(a, b), letters, "{a} {b}");
        }
        assert_eq!(closest("Distence", ["distance", "dest"].into_iter()), Some("distance"));
        assert_eq!(closest("x", ["distance", "dest"].into_iter()), None);
    }
}
