//! Operators.

use sqlparser::{
    ast::{BinaryOperator, Expr, Spanned, UnaryOperator},
    tokenizer::Span,
};

use super::{
    Planner,
    coerce::{self, Planned, call, call_with, coerce},
    literal,
};
use crate::{
    ExpressionError,
    calendar::{self, Interval},
    functions,
    kernels::{
        arithmetic::{self, Op},
        attempt, compare,
        compare::Comparison,
        decimal, logic, present,
    },
    node::{Kernel, Kind, Node, RowError},
    types::Type,
    vector::{Data, Value},
};

/// A side of an operator: a value, or an interval, which only `+` and `-` take.
enum Side {
    Value(Node),
    Interval(Interval, Span),
}

impl Planner<'_> {
    /// Operators of the same level stand one below the other on the left; they are planned from the innermost on, without
    /// going down.
    pub(super) fn binary(&mut self, expression: &Expr) -> Planned {
        let mut above = Vec::new();
        let mut innermost = expression;
        while let Expr::BinaryOp { left, op, right } = innermost {
            above.push((op, right.as_ref(), innermost));
            innermost = left;
        }
        let mut left = self.side(innermost)?;
        // Parts of a chain of AND, of OR, or of ||, which are evaluated side by side.
        let mut chain: Option<(&BinaryOperator, Vec<Node>)> = None;
        while let Some((op, right, whole)) = above.pop() {
            let span = whole.span();
            if matches!(op, BinaryOperator::And | BinaryOperator::Or | BinaryOperator::StringConcat) {
                let node = value(left, span)?;
                let right = value(self.side(right)?, span)?;
                let (_, parts) = chain.get_or_insert_with(|| (op, vec![node]));
                parts.push(right);
                if above.last().is_some_and(|(next, ..)| *next == op) {
                    // The chain goes on; what is on the left is within it.
                    left = Side::Value(Node::null(Type::Null, span));
                    continue;
                }
                let parts = chain.take().map(|(_, parts)| parts).unwrap_or_default();
                left = Side::Value(chained(op, parts, span)?);
                continue;
            }
            let right = self.side(right)?;
            left = Side::Value(combine(left, op, right, span)?);
        }
        value(left, expression.span())
    }

    fn side(&mut self, expression: &Expr) -> Result<Side, ExpressionError> {
        match expression {
            Expr::Interval(interval) => {
                let span = interval.value.span();
                Ok(Side::Interval(literal::interval(interval, span)?, span))
            }
            Expr::Nested(inner) if matches!(**inner, Expr::Interval(_)) => self.side(inner),
            _ => Ok(Side::Value(self.plan(expression)?)),
        }
    }

    pub(super) fn unary(&mut self, op: UnaryOperator, inner: &Expr) -> Planned {
        if let (UnaryOperator::Minus, Expr::Value(number)) = (op, inner)
            && let sqlparser::ast::Value::Number(text, _) = &number.value
        {
            return literal::number(&format!("-{text}"), number.span);
        }
        let node = self.plan(inner)?;
        let span = node.span;
        match op {
            UnaryOperator::Not | UnaryOperator::BangNot => {
                let node = coerce(node, &Type::Boolean, "`not` takes a boolean")?;
                call(Type::Boolean, vec![node], span, one(logic::not))
            }
            UnaryOperator::Plus => coerce::number(node, "`+` takes a number"),
            UnaryOperator::Minus => negate(coerce::number(node, "`-` takes a number")?, span),
            _ => Err(ExpressionError::new(format!("`{op}` is not an operator here"), span)),
        }
    }
}

/// A kernel of one argument that cannot fail.
pub(super) fn one(of: impl Fn(crate::node::Rows<'_>, &Value) -> Value + Send + Sync + 'static) -> Kernel {
    Box::new(move |rows, arguments| match arguments.first() {
        Some(argument) => Ok(of(rows, argument)),
        None => Err(RowError::new(0, "an argument is needed")),
    })
}

fn negate(node: Node, span: Span) -> Planned {
    let ty = node.ty.clone();
    let kernel = match ty {
        Type::Int64 => arithmetic::integer("the opposite of", i64::wrapping_neg, i64::checked_neg),
        Type::Decimal(..) => decimal::negate(),
        _ => arithmetic::float(|value| -value),
    };
    call(ty, vec![node], span, kernel)
}

fn value(side: Side, _: Span) -> Planned {
    match side {
        Side::Value(node) => Ok(node),
        Side::Interval(_, span) => {
            Err(ExpressionError::new("an interval can only be added to, or taken from, a date or a timestamp", span))
        }
    }
}

fn chained(op: &BinaryOperator, parts: Vec<Node>, span: Span) -> Planned {
    let kind = match op {
        BinaryOperator::And => Kind::And,
        BinaryOperator::Or => Kind::Or,
        _ => return functions::concatenated(parts, span),
    };
    let what = if *op == BinaryOperator::And { "`and` takes booleans" } else { "`or` takes booleans" };
    let parts = parts.into_iter().map(|part| coerce(part, &Type::Boolean, what)).collect::<Result<Vec<_>, _>>()?;
    let nullable = parts.iter().any(|part| part.nullable);
    coerce::node(kind(parts), Type::Boolean, nullable, span)
}

fn combine(left: Side, op: &BinaryOperator, right: Side, span: Span) -> Planned {
    use BinaryOperator as B;
    let (left, right) = match (left, right) {
        (Side::Value(left), Side::Value(right)) => (left, right),
        (Side::Value(time), Side::Interval(interval, _)) if *op == B::Plus => return moved(time, Some(interval), span),
        (Side::Value(time), Side::Interval(interval, _)) if *op == B::Minus => {
            return moved(time, interval.negated(), span);
        }
        (Side::Interval(interval, _), Side::Value(time)) if *op == B::Plus => return moved(time, Some(interval), span),
        (interval @ Side::Interval(..), _) | (_, interval) => return value(interval, span),
    };
    match op {
        B::Plus => arithmetic(Op::Add, left, right, span),
        B::Minus => arithmetic(Op::Subtract, left, right, span),
        B::Multiply => arithmetic(Op::Multiply, left, right, span),
        B::Divide => arithmetic(Op::Divide, left, right, span),
        B::Modulo => arithmetic(Op::Remainder, left, right, span),
        B::DuckIntegerDivide | B::MyIntegerDivide => arithmetic(Op::WholeDivide, left, right, span),
        B::Eq => comparison(Comparison::Equal, left, right, "=", span),
        B::NotEq => comparison(Comparison::NotEqual, left, right, "<>", span),
        B::Lt => comparison(Comparison::Less, left, right, "<", span),
        B::LtEq => comparison(Comparison::LessOrEqual, left, right, "<=", span),
        B::Gt => comparison(Comparison::Less, right, left, ">", span),
        B::GtEq => comparison(Comparison::LessOrEqual, right, left, ">=", span),
        B::Spaceship => distinct(left, right, true, span),
        B::BitwiseAnd => bits("`&` takes whole numbers", left, right, |a, b| a & b, span),
        B::BitwiseOr => bits("`|` takes whole numbers", left, right, |a, b| a | b, span),
        B::PGRegexMatch => functions::matches(left, right, false, false, span),
        B::PGRegexIMatch => functions::matches(left, right, true, false, span),
        B::PGRegexNotMatch => functions::matches(left, right, false, true, span),
        B::PGRegexNotIMatch => functions::matches(left, right, true, true, span),
        B::BitwiseXor | B::PGExp => {
            Err(ExpressionError::new("`^` is not an operator here", span).help("write power(a, b)"))
        }
        B::Xor => Err(ExpressionError::new("`xor` is not an operator here", span).help("write a <> b")),
        _ => Err(ExpressionError::new(format!("`{op}` is not an operator here"), span)),
    }
}

fn bits(what: &str, left: Node, right: Node, of: fn(i64, i64) -> i64, span: Span) -> Planned {
    let nodes = vec![coerce(left, &Type::Int64, what)?, coerce(right, &Type::Int64, what)?];
    call(Type::Int64, nodes, span, arithmetic::bitwise(of))
}

/// `+ - * / // %`
pub(crate) fn arithmetic(op: Op, left: Node, right: Node, span: Span) -> Planned {
    if left.ty.is_time() || right.ty.is_time() {
        return time_arithmetic(op, left, right, span);
    }
    let what = format!("`{}` takes numbers", op.sign());
    let left_null = left.ty == Type::Null;
    let (left, right) = (coerce::number(left, &what)?, coerce::number(right, &what)?);
    let (left, right) = if left_null { (as_other(left, &right)?, right) } else { (left, right) };
    let right = if right.is_null_literal() { as_other(right, &left)? } else { right };
    let divides = matches!(op, Op::Divide | Op::WholeDivide | Op::Remainder);
    let nullable = left.nullable || right.nullable || (divides && !is_nonzero(&right));
    let finish = |ty: Type, nodes: Vec<Node>, kernel: Kernel| {
        if nodes.iter().any(Node::is_null_literal) {
            Ok(Node::null(ty, span))
        } else {
            call_with(ty, nodes, span, nullable, kernel)
        }
    };
    if left.ty == Type::Int64 && right.ty == Type::Int64 {
        let ty = if op == Op::Divide { Type::Float64 } else { Type::Int64 };
        return finish(ty, vec![left, right], arithmetic::integers(op));
    }
    if op == Op::WholeDivide {
        let odd = if left.ty == Type::Int64 { &right } else { &left };
        return Err(ExpressionError::new(format!("`//` takes whole numbers, this is {}", odd.ty), odd.span)
            .help("write floor(a / b)"));
    }
    if let (Some(a), Some(b)) = (left.ty.as_decimal(), right.ty.as_decimal())
        && op != Op::Divide
    {
        let Some(ty) = decimal::answer(op, a, b) else {
            let message = format!("no decimal holds every {} {} {}", left.ty, op.sign(), right.ty);
            return Err(
                ExpressionError::new(message, span).help("cast one side to float64 or to a decimal of a smaller scale")
            );
        };
        let precision = if let Type::Decimal(precision, _) = ty { precision } else { 38 };
        let (left, right) =
            (coerce(left, &Type::Decimal(a.0, a.1), &what)?, coerce(right, &Type::Decimal(b.0, b.1), &what)?);
        return finish(ty, vec![left, right], decimal::arithmetic(op, a.1, b.1, precision));
    }
    let (left, right) = (coerce(left, &Type::Float64, &what)?, coerce(right, &Type::Float64, &what)?);
    finish(Type::Float64, vec![left, right], arithmetic::floats(op))
}

fn as_other(null: Node, other: &Node) -> Planned {
    Ok(Node::null(other.ty.clone(), null.span))
}

fn is_nonzero(divisor: &Node) -> bool {
    divisor.as_literal().is_some_and(|literal| match literal.data() {
        Data::Int64(values) => values.first().is_some_and(|value| *value != 0),
        Data::Float64(values) => values.first().is_some_and(|value| *value != 0.0),
        Data::Decimal(values) => values.first().is_some_and(|value| *value != 0),
        _ => false,
    })
}

/// Dates and days.
fn time_arithmetic(op: Op, left: Node, right: Node, span: Span) -> Planned {
    let (a, b) = (left.ty.clone(), right.ty.clone());
    let days = |node: Node| coerce(node, &Type::Int64, "a date takes a whole number of days");
    match (op, &a, &b) {
        (Op::Subtract, Type::Date, Type::Date) => call(Type::Int64, vec![left, right], span, arithmetic::days_between()),
        (Op::Subtract, Type::Date, Type::Utf8) | (Op::Subtract, Type::Utf8, Type::Date) => {
            let what = "a date takes another date, a number of days or an interval";
            let (left, right) = (coerce(left, &Type::Date, what)?, coerce(right, &Type::Date, what)?);
            call(Type::Int64, vec![left, right], span, arithmetic::days_between())
        }
        (Op::Add, Type::Date, number) if number.is_integer() => call(Type::Date, vec![left, days(right)?], span, arithmetic::days(false)),
        (Op::Add, number, Type::Date) if number.is_integer() => call(Type::Date, vec![right, days(left)?], span, arithmetic::days(false)),
        (Op::Subtract, Type::Date, number) if number.is_integer() => call(Type::Date, vec![left, days(right)?], span, arithmetic::days(true)),
        (Op::Add | Op::Subtract, Type::Date, Type::Null) => Ok(Node::null(Type::Date, span)),
        (Op::Subtract, Type::Timestamp(_), other) if other.is_time() => Err(no_interval(span)),
        (Op::Subtract, other, Type::Timestamp(_)) if other.is_time() => Err(no_interval(span)),
        _ => Err(ExpressionError::new(format!("`{}` does not take {a} and {b}", op.sign()), span)
            .help("a date or timestamp takes an interval (day + interval '1 day'), a date also a number of days, or another date to subtract")),
    }
}

fn no_interval(span: Span) -> ExpressionError {
    ExpressionError::new("the difference of two timestamps would be an interval, which no column holds", span)
        .help("date_diff('second', a, b) counts the seconds from a to b")
}

/// A date or timestamp, moved by an interval.
fn moved(time: Node, by: Option<Interval>, span: Span) -> Planned {
    let by = by.ok_or_else(|| ExpressionError::new("the interval is too long", span))?;
    let time = if coerce::is_text_literal(&time) {
        coerce(time, &Type::Timestamp(None), "an interval takes a date or timestamp")?
    } else {
        time
    };
    if time.ty == Type::Date && by.micros == 0 {
        let kernel: Kernel = Box::new(move |rows, arguments| {
            let Some(date) = arguments.first() else { return Err(RowError::new(0, "an argument is needed")) };
            let dates = date.int32s();
            let of = |row: usize| {
                calendar::in_range(calendar::add_months(i64::from(dates.get(row)), by.months)?.checked_add(by.days)?)
            };
            let (values, validity) = attempt(rows, present(&arguments, rows.count), false, of, out_of_calendar)?;
            Ok(Value::column(Data::Int32(values), validity, rows.count))
        });
        return call(Type::Date, vec![time], span, kernel);
    }
    let time =
        if time.ty == Type::Date || time.ty == Type::Null { coerce(time, &Type::Timestamp(None), "")? } else { time };
    let Type::Timestamp(zone) = &time.ty else {
        let message =
            format!("an interval can only be added to, or taken from, a date or a timestamp; this is {}", time.ty);
        return Err(ExpressionError::new(message, time.span));
    };
    // Days and months are those of the zone.
    let ahead = if by.months == 0 && by.days == 0 { 0 } else { functions::fixed_offset(zone.as_deref(), time.span)? };
    let ty = time.ty.clone();
    let kernel: Kernel = Box::new(move |rows, arguments| {
        let Some(time) = arguments.first() else { return Err(RowError::new(0, "an argument is needed")) };
        let times = time.int64s();
        let of = |row: usize| by.after(times.get(row).checked_add(ahead)?)?.checked_sub(ahead);
        let (values, validity) = attempt(rows, present(&arguments, rows.count), false, of, out_of_calendar)?;
        Ok(Value::column(Data::Int64(values), validity, rows.count))
    });
    call(ty, vec![time], span, kernel)
}

fn out_of_calendar(_: usize) -> String {
    "the interval leads out of the calendar (years -9999 to 9999)".to_owned()
}

fn no_meeting(sign: &str, a: &Type, b: &Type, span: Span) -> ExpressionError {
    let error = ExpressionError::new(format!("`{sign}` cannot compare {a} with {b}"), span);
    match (a, b) {
        (Type::Other(name), _) | (_, Type::Other(name)) => {
            error.help(format!("columns of type {name} can only be passed on"))
        }
        (Type::Utf8, other) | (other, Type::Utf8) => error.help(format!("cast one side: cast(... as {other})")),
        _ => error.help("cast one side to the type of the other"),
    }
}

pub(super) fn comparison(how: Comparison, left: Node, right: Node, sign: &str, span: Span) -> Planned {
    let (a, b) = (left.ty.clone(), right.ty.clone());
    match coerce::meet(left, right)? {
        Some((left, right)) => call(Type::Boolean, vec![left, right], span, compare::compare(how)),
        None => Err(no_meeting(sign, &a, &b, span)),
    }
}

pub(super) fn distinct(left: Node, right: Node, negated: bool, span: Span) -> Planned {
    let (a, b) = (left.ty.clone(), right.ty.clone());
    match coerce::meet(left, right)? {
        Some((left, right)) => call_with(Type::Boolean, vec![left, right], span, false, compare::distinct(negated)),
        None => Err(no_meeting("is distinct from", &a, &b, span)),
    }
}
