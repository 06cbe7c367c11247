//! How nodes are made: types brought together, constants computed at once.

use sqlparser::tokenizer::Span;

use crate::{
    ExpressionError,
    kernels::cast,
    node::{Kernel, Kind, Node, RowError, Rows, Scope},
    types::Type,
    vector::{Data, Value},
};

pub(crate) type Planned = Result<Node, ExpressionError>;

/// Levels of the greatest plan; evaluation goes down as deep.
const DEEPEST: usize = 200;

pub(crate) fn too_deep(levels: usize, span: Span) -> ExpressionError {
    ExpressionError::new(format!("the expression is nested too deeply: more than {levels} levels"), span)
        .help("split it over two stages")
}

/// A call that is null where an argument is null.
pub(crate) fn call(ty: Type, arguments: Vec<Node>, span: Span, kernel: Kernel) -> Planned {
    if arguments.iter().any(Node::is_null_literal) {
        return Ok(Node::null(ty, span));
    }
    let nullable = arguments.iter().any(|argument| argument.nullable);
    call_with(ty, arguments, span, nullable, kernel)
}

/// A call that says for itself whether it may be null.
pub(crate) fn call_with(ty: Type, arguments: Vec<Node>, span: Span, nullable: bool, kernel: Kernel) -> Planned {
    node(Kind::Call(arguments, kernel), ty, nullable, span)
}

/// A node; a constant one becomes a literal.
pub(crate) fn node(kind: Kind, ty: Type, nullable: bool, span: Span) -> Planned {
    let node = Node { kind, ty, nullable, span, depth: 1 }.measured();
    if node.depth > DEEPEST {
        return Err(too_deep(DEEPEST, span));
    }
    if node.is_constant() {
        let value = constant(&node).map_err(|error| ExpressionError::new(error.message, span))?;
        return Ok(Node::literal(value, node.ty, span));
    }
    Ok(node)
}

fn constant(node: &Node) -> Result<Value, RowError> {
    let rows = Rows { count: 1, looked_at: None };
    let value = match &node.kind {
        // As columns of one row, so that a kernel always has a column.
        Kind::Call(arguments, kernel) => {
            let values = arguments.iter().filter_map(Node::as_literal);
            kernel(rows, values.map(|value| Value { vector: value.vector.clone(), scalar: false }).collect())?
        }
        _ => node.evaluate(Scope { columns: &[], local: None }, rows)?,
    };
    Ok(Value { vector: value.spread(1)?.into(), scalar: true })
}

/// An explicit cast.
pub(crate) fn cast(node: Node, to: &Type, try_: bool, span: Span) -> Planned {
    if node.ty == *to {
        return Ok(node);
    }
    if node.is_null_literal() || node.ty == Type::Null {
        return Ok(Node::null(to.clone(), span));
    }
    let from = node.ty.clone();
    let Some(steps) = cast::steps(&from, to, try_) else {
        return Err(no_cast(&from, to, span));
    };
    steps.into_iter().try_fold(node, |node, step| {
        if node.is_null_literal() {
            return Ok(Node::null(step.to, span));
        }
        let nullable = node.nullable || (try_ && step.fallible);
        call_with(step.to, vec![node], span, nullable, step.kernel)
    })
}

fn no_cast(from: &Type, to: &Type, span: Span) -> ExpressionError {
    let error = ExpressionError::new(format!("{from} cannot be cast to {to}"), span);
    match (from, to) {
        (Type::Timestamp(Some(zone)), _) | (_, Type::Timestamp(Some(zone))) if crate::calendar::offset(Some(zone)).is_none() => {
            error.help(format!("the offset of {zone} changes over the year; only UTC and fixed offsets such as +01:00 are known here: cast to timestamptz first"))
        }
        (Type::Timestamp(_) | Type::Date, to) if to.is_number() => error.help("date_part('epoch', x) gives the seconds since 1970-01-01"),
        (from, Type::Timestamp(_) | Type::Date) if from.is_number() => error.help("to_timestamp(x) takes seconds since 1970-01-01"),
        _ => error,
    }
}

/// The node as a type that its place asks for; `what` says which place, as in "`/` takes numbers".
pub(crate) fn coerce(node: Node, to: &Type, what: &str) -> Planned {
    let span = node.span;
    if node.ty == *to || node.ty == Type::Null {
        return cast(node, to, false, span);
    }
    let widening = match (&node.ty, to) {
        (from, Type::Float64) => from.is_number(),
        (from, Type::Decimal(..)) => from.as_decimal().is_some(),
        (from, to) if to.is_integer() => from.is_integer(),
        (Type::Date | Type::Timestamp(_), Type::Timestamp(_)) => true,
        _ => false,
    };
    if widening || (is_text_literal(&node) && *to != Type::Binary) {
        return cast(node, to, false, span);
    }
    let error = ExpressionError::new(format!("{what}, this is {}", node.ty), span);
    Err(match (&node.ty, to) {
        (Type::Utf8, to) if to.is_number() || to.is_time() => {
            error.help(format!("write cast(... as {to}), or try_cast to get null where the text does not fit"))
        }
        (_, Type::Utf8) => error.help("write cast(... as utf8)"),
        (from, Type::Boolean) if from.is_number() => error.help("write a comparison, as in x <> 0"),
        _ => error,
    })
}

pub(crate) fn is_text_literal(node: &Node) -> bool {
    node.ty == Type::Utf8 && node.as_literal().is_some()
}

/// The text of a literal; none for null.
pub(crate) fn literal_text(node: &Node) -> Option<String> {
    let literal = node.as_literal()?;
    (node.ty == Type::Utf8 && literal.valid(0)).then(|| literal.strings().get(0).to_owned())
}

/// Numbers as kernels take them: int64, float64 or decimal.
pub(crate) fn number(node: Node, what: &str) -> Planned {
    let to = match &node.ty {
        ty if ty.is_integer() => Type::Int64,
        ty if ty.is_decimal() => ty.clone(),
        ty if ty.is_float() || *ty == Type::Null => Type::Float64,
        _ if is_text_literal(&node) => match literal_text(&node).is_some_and(|text| text.trim().parse::<i64>().is_ok())
        {
            true => Type::Int64,
            false => Type::Float64,
        },
        _ => Type::Float64,
    };
    coerce(node, &to, what)
}

/// Two values brought to one type that kernels compare, or none if they have none in common.
pub(crate) fn meet(a: Node, b: Node) -> Result<Option<(Node, Node)>, ExpressionError> {
    let ty = match (&a.ty, &b.ty) {
        (Type::Utf8, other) if is_text_literal(&a) && !matches!(other, Type::Binary | Type::Null) => {
            Some(other.clone())
        }
        (other, Type::Utf8) if is_text_literal(&b) && !matches!(other, Type::Binary | Type::Null) => {
            Some(other.clone())
        }
        (Type::Int64, other) if fits(&a, other) => Some(other.clone()),
        (other, Type::Int64) if fits(&b, other) => Some(other.clone()),
        (a, b) => Type::common(a, b),
    };
    let ty = match ty {
        Some(Type::Int8 | Type::Int16 | Type::UInt8 | Type::UInt16 | Type::UInt32) => Type::Int64,
        Some(Type::Float32) => Type::Float64,
        Some(Type::Null) => Type::Boolean,
        Some(ty) if crate::kernels::compare::comparable(&ty) => ty,
        _ => return Ok(None),
    };
    let (a_span, b_span) = (a.span, b.span);
    Ok(Some((cast(a, &ty, false, a_span)?, cast(b, &ty, false, b_span)?)))
}

/// Values brought to one type, for the answers of a CASE or the arguments of COALESCE.
pub(crate) fn unify(mut nodes: Vec<Node>, what: &str) -> Result<(Vec<Node>, Type), ExpressionError> {
    let texts_give_way = nodes.iter().any(|node| !matches!(node.ty, Type::Utf8 | Type::Null | Type::Binary));
    let mut ty = Type::Null;
    for node in nodes.iter().filter(|node| !(texts_give_way && is_text_literal(node))) {
        ty = Type::common(&ty, &node.ty).ok_or_else(|| {
            ExpressionError::new(format!("{what} are of one type, this is {} after {ty}", node.ty), node.span)
                .help(format!("write cast(... as {ty}), or cast the others"))
        })?;
    }
    if matches!(ty, Type::Other(_)) {
        let span = nodes.first().map_or_else(Span::empty, |node| node.span);
        return Err(ExpressionError::new(format!("columns of type {ty} can only be passed on"), span));
    }
    for node in &mut nodes {
        let taken = std::mem::replace(node, Node::null(Type::Null, node.span));
        let span = taken.span;
        *node = cast(taken, &ty, false, span)?;
    }
    Ok((nodes, ty))
}

/// Whether a literal whole number is one of int32 or uint64, so that the column need not be widened.
fn fits(literal: &Node, ty: &Type) -> bool {
    let Some(Data::Int64(values)) = literal.as_literal().map(Value::data) else { return false };
    let value = values.first().copied().unwrap_or_default();
    match ty {
        Type::Int32 => i32::try_from(value).is_ok(),
        Type::UInt64 => value >= 0,
        _ => false,
    }
}
