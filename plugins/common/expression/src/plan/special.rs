//! CASE, IN, BETWEEN, the `IS` tests, and functions that SQL writes in a way of their own.

use sqlparser::{
    ast::{self, CastKind, CeilFloorKind, DateTimeField, Expr, Spanned, TrimWhereField},
    tokenizer::Span,
};

use super::{
    Planner,
    coerce::{self, Planned, call, call_with, coerce},
    literal, no_queries,
    operators::{comparison, distinct, one},
};
use crate::{
    ExpressionError, functions,
    kernels::{
        compare::{self, Comparison},
        like::{self, Pattern},
        logic,
    },
    node::{Kind, Node},
    parse,
    types::Type,
};

impl Planner<'_> {
    pub(super) fn case(
        &mut self,
        operand: Option<&Expr>,
        conditions: &[ast::CaseWhen],
        otherwise: Option<&Expr>,
        span: Span,
    ) -> Planned {
        match operand {
            None => self.branches(None, conditions, otherwise, span),
            Some(operand) => {
                let operand = self.plan(operand)?;
                self.shared(operand, |planner, again| planner.branches(Some(again), conditions, otherwise, span))
            }
        }
    }

    fn branches(
        &mut self,
        operand: Option<&dyn Fn() -> Node>,
        conditions: &[ast::CaseWhen],
        otherwise: Option<&Expr>,
        span: Span,
    ) -> Planned {
        let mut whens = Vec::with_capacity(conditions.len());
        let mut answers = Vec::with_capacity(conditions.len() + 1);
        for branch in conditions {
            let when = self.plan(&branch.condition)?;
            let when_span = when.span;
            whens.push(match operand {
                Some(operand) => comparison(Comparison::Equal, operand(), when, "=", when_span)?,
                None => coerce(when, &Type::Boolean, "a condition is a boolean")?,
            });
            answers.push(self.plan(&branch.result)?);
        }
        answers.push(match otherwise {
            Some(otherwise) => self.plan(otherwise)?,
            None => Node::null(Type::Null, span),
        });
        case_of(whens, answers, span)
    }

    pub(super) fn between(&mut self, value: &Expr, negated: bool, low: &Expr, high: &Expr, span: Span) -> Planned {
        let value = self.plan(value)?;
        self.shared(value, |planner, again| {
            let (low, high) = (planner.plan(low)?, planner.plan(high)?);
            let (low_span, high_span) = (low.span, high.span);
            let parts = vec![
                comparison(Comparison::LessOrEqual, low, again(), "between", low_span)?,
                comparison(Comparison::LessOrEqual, again(), high, "between", high_span)?,
            ];
            let nullable = parts.iter().any(|part| part.nullable);
            let both = coerce::node(Kind::And(parts), Type::Boolean, nullable, span)?;
            if negated { call(Type::Boolean, vec![both], span, one(logic::not)) } else { Ok(both) }
        })
    }

    pub(super) fn in_list(&mut self, value: &Expr, list: &[Expr], negated: bool, span: Span) -> Planned {
        let value = self.plan(value)?;
        if list.is_empty() {
            return Err(ExpressionError::new("the list of `in` is empty", span));
        }
        let items = list.iter().map(|item| self.plan(item)).collect::<Result<Vec<_>, _>>()?;
        if value.is_null_literal() {
            return Ok(Node::null(Type::Boolean, span));
        }
        if value.as_literal().is_none() && items.iter().all(|item| item.as_literal().is_some()) {
            return in_literals(value, items, negated, span);
        }
        self.shared(value, |_, again| {
            let tests = items.into_iter().map(|item| {
                let item_span = item.span;
                comparison(Comparison::Equal, again(), item, "in", item_span)
            });
            let tests = tests.collect::<Result<Vec<_>, _>>()?;
            let nullable = tests.iter().any(|test| test.nullable);
            let any = coerce::node(Kind::Or(tests), Type::Boolean, nullable, span)?;
            if negated { call(Type::Boolean, vec![any], span, one(logic::not)) } else { Ok(any) }
        })
    }

    /// The `IS` tests; everything else is not of an expression.
    pub(super) fn test(&mut self, expression: &Expr) -> Planned {
        let span = expression.span();
        let truth = |planner: &mut Self, inner: &Expr, what: bool, negated: bool| {
            let node = coerce(planner.plan(inner)?, &Type::Boolean, "`is true` and `is false` take a boolean")?;
            call_with(
                Type::Boolean,
                vec![node],
                span,
                false,
                one(move |rows, value| logic::is(rows, value, what, negated)),
            )
        };
        let null = |planner: &mut Self, inner: &Expr, negated: bool| {
            let node = planner.plan(inner)?;
            call_with(
                Type::Boolean,
                vec![node],
                span,
                false,
                one(move |rows, value| logic::is_null(rows, value, negated)),
            )
        };
        match expression {
            Expr::IsNull(inner) | Expr::IsUnknown(inner) => null(self, inner, false),
            Expr::IsNotNull(inner) | Expr::IsNotUnknown(inner) => null(self, inner, true),
            Expr::IsTrue(inner) => truth(self, inner, true, false),
            Expr::IsNotTrue(inner) => truth(self, inner, true, true),
            Expr::IsFalse(inner) => truth(self, inner, false, false),
            Expr::IsNotFalse(inner) => truth(self, inner, false, true),
            Expr::IsDistinctFrom(a, b) => distinct(self.plan(a)?, self.plan(b)?, false, span),
            Expr::IsNotDistinctFrom(a, b) => distinct(self.plan(a)?, self.plan(b)?, true, span),
            Expr::Interval(interval) => {
                literal::interval(interval, span)?;
                Err(ExpressionError::new(
                    "an interval can only be added to, or taken from, a date or a timestamp",
                    span,
                ))
            }
            Expr::Subquery(_) | Expr::Exists { .. } | Expr::InSubquery { .. } => Err(no_queries(span)),
            Expr::AtTimeZone { .. } => Err(ExpressionError::new("`at time zone` is not known here", span)
                .help("add an interval: time + interval '2 hours'")),
            Expr::SimilarTo { .. } | Expr::RLike { .. } => {
                Err(ExpressionError::new("this test is not known here", span)
                    .help("write regexp_like(text, 'pattern') or text ~ 'pattern'"))
            }
            Expr::Tuple(_) => Err(ExpressionError::new("a list of values can only stand behind `in`", span)),
            Expr::Wildcard(_) | Expr::QualifiedWildcard(..) => {
                Err(ExpressionError::new("`*` does not stand for columns here", span).help("`keep` chooses columns"))
            }
            _ => Err(ExpressionError::new("this is not known here", span)),
        }
    }

    pub(super) fn syntax_of_function(&mut self, expression: &Expr) -> Planned {
        let span = expression.span();
        match expression {
            Expr::Cast { kind, expr, data_type, format, .. } => {
                if format.is_some() {
                    return Err(ExpressionError::new("cast takes no format", span)
                        .help("write to_date(text, format) or to_timestamp(text, format)"));
                }
                let node = self.plan(expr)?;
                let try_ = matches!(kind, CastKind::TryCast | CastKind::SafeCast);
                let to = parse::type_of(data_type)
                    .map_err(|message| ExpressionError::new(message, span).help(parse::TYPES))?;
                coerce::cast(node, &to, try_, span)
            }
            Expr::Extract { field, expr, .. } => {
                let node = self.plan(expr)?;
                let unit = literal::text(&field_name(field), span)?;
                functions::plan("date_part", vec![unit, node], span, span)
            }
            Expr::Ceil { expr, field } => self.rounded("ceil", expr, field, span),
            Expr::Floor { expr, field } => self.rounded("floor", expr, field, span),
            Expr::Position { expr, r#in } => {
                let (needle, text) = (self.plan(expr)?, self.plan(r#in)?);
                functions::plan("strpos", vec![text, needle], span, span)
            }
            Expr::Substring { expr, substring_from, substring_for, .. } => {
                let mut arguments = vec![self.plan(expr)?];
                arguments.push(match substring_from {
                    Some(from) => self.plan(from)?,
                    None => literal::integer(1, span),
                });
                if let Some(length) = substring_for {
                    arguments.push(self.plan(length)?);
                }
                functions::plan("substr", arguments, span, span)
            }
            Expr::Trim { trim_where, trim_what, expr, trim_characters } => {
                let mut arguments = vec![self.plan(expr)?];
                if let Some(what) =
                    trim_what.as_deref().or_else(|| trim_characters.as_ref().and_then(|list| list.first()))
                {
                    arguments.push(self.plan(what)?);
                }
                let name = match trim_where {
                    Some(TrimWhereField::Leading) => "ltrim",
                    Some(TrimWhereField::Trailing) => "rtrim",
                    Some(TrimWhereField::Both) | None => "btrim",
                };
                functions::plan(name, arguments, span, span)
            }
            Expr::Like { negated, any: false, expr, pattern, escape_char } => {
                self.like(expr, pattern, escape_char.as_deref(), *negated, false, span)
            }
            Expr::ILike { negated, any: false, expr, pattern, escape_char } => {
                self.like(expr, pattern, escape_char.as_deref(), *negated, true, span)
            }
            _ => Err(ExpressionError::new("`like any` is not known here", span).help("write a like 'x' or a like 'y'")),
        }
    }

    fn rounded(&mut self, name: &str, inner: &Expr, field: &CeilFloorKind, span: Span) -> Planned {
        if !matches!(field, CeilFloorKind::DateTimeField(DateTimeField::NoDateTime)) {
            return Err(ExpressionError::new(format!("{name} takes one number"), span)
                .help("date_trunc('hour', time) cuts a time"));
        }
        let node = self.plan(inner)?;
        functions::plan(name, vec![node], span, span)
    }

    fn like(
        &mut self,
        text: &Expr,
        pattern: &Expr,
        escape: Option<&Expr>,
        negated: bool,
        any_case: bool,
        span: Span,
    ) -> Planned {
        let mut escape_char = Some('\\');
        if let Some(escape) = escape {
            let node = self.plan(escape)?;
            let wrong =
                || ExpressionError::new("`escape` takes one character", span).help("as in name like '10$%' escape '$'");
            let text = coerce::literal_text(&node).ok_or_else(wrong)?;
            let mut chars = text.chars();
            escape_char = chars.next();
            if chars.next().is_some() {
                return Err(wrong());
            }
        }
        let (mut text, mut pattern) = (
            coerce(self.plan(text)?, &Type::Utf8, "`like` takes text")?,
            coerce(self.plan(pattern)?, &Type::Utf8, "`like` takes text")?,
        );
        if any_case {
            text = functions::plan("lower", vec![text], span, span)?;
            pattern = functions::plan("lower", vec![pattern], span, span)?;
        }
        match coerce::literal_text(&pattern) {
            Some(known) => {
                call(Type::Boolean, vec![text], span, like::like(Pattern::new(&known, escape_char), negated))
            }
            None => call(Type::Boolean, vec![text, pattern], span, like::like_each(escape_char, negated)),
        }
    }
}

/// A CASE of conditions and answers; there is one answer more, that of ELSE.
pub(crate) fn case_of(whens: Vec<Node>, answers: Vec<Node>, span: Span) -> Planned {
    let (mut answers, ty) = coerce::unify(answers, "the answers of a case")?;
    let ty = if ty == Type::Null { Type::Boolean } else { ty };
    let nullable = answers.iter().any(|answer| answer.nullable);
    let otherwise = answers.pop().unwrap_or_else(|| Node::null(ty.clone(), span));
    let branches: Vec<_> = whens.into_iter().zip(answers).collect();
    coerce::node(Kind::Case { branches, otherwise: Box::new(otherwise) }, ty, nullable, span)
}

fn in_literals(value: Node, items: Vec<Node>, negated: bool, span: Span) -> Planned {
    let with_null = items.iter().any(Node::is_null_literal);
    // Every item and the column meet in one type.
    let text = value.ty == Type::Utf8;
    let mut ty = value.ty.clone();
    for item in items.iter().filter(|item| text || !coerce::is_text_literal(item)) {
        ty = Type::common(&ty, &item.ty).ok_or_else(|| {
            ExpressionError::new(format!("`in` cannot compare {} with {}", value.ty, item.ty), item.span)
                .help("cast one side to the type of the other")
        })?;
    }
    let probe = Node::null(ty.clone(), span);
    let Some((value, probe)) = coerce::meet(value, probe)? else {
        return Err(ExpressionError::new(format!("`in` cannot compare {ty}"), span));
    };
    let ty = probe.ty;
    let mut literals = Vec::with_capacity(items.len());
    for item in items.into_iter().filter(|item| !item.is_null_literal()) {
        let item_span = item.span;
        if let Some(literal) = coerce::cast(item, &ty, false, item_span)?.as_literal() {
            literals.push(literal.clone());
        }
    }
    let nullable = value.nullable || with_null;
    call_with(Type::Boolean, vec![value], span, nullable, compare::within(literals, with_null, negated))
}

fn field_name(field: &DateTimeField) -> String {
    match field {
        DateTimeField::Custom(name) => name.value.clone(),
        other => other.to_string(),
    }
}
