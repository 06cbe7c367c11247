//! Functions that choose between values.

use super::{Call, Function, Group};
use crate::{
    ExpressionError,
    kernels::{compare, logic},
    node::{Kernel, Kind, Node, RowError},
    plan::{
        case_of,
        coerce::{self, Planned, call_with},
    },
    types::Type,
};

const fn function(
    names: &'static [&'static str],
    signature: &'static str,
    summary: &'static str,
    example: (&'static str, &'static str),
    (least, most): (usize, usize),
    build: fn(Call) -> Planned,
) -> Function {
    Function { names, group: Group::Choice, signature, summary, example, least, most, build }
}

pub(super) const TABLE: &[Function] = &[
    function(
        &["coalesce"],
        "coalesce(value, ...) -> their type",
        "The first value that is not null.",
        ("coalesce(null, 2, 3)", "2"),
        (1, usize::MAX),
        coalesce,
    ),
    function(
        &["ifnull", "nvl"],
        "ifnull(value, other) -> their type",
        "The value, or the other where it is null.",
        ("ifnull(null, 0)", "0"),
        (2, 2),
        coalesce,
    ),
    function(
        &["nullif"],
        "nullif(value, other) -> type of value",
        "Null where the two are equal, else the value.",
        ("nullif('NA', 'NA') is null", "true"),
        (2, 2),
        null_if,
    ),
    function(
        &["if", "iff"],
        "if(condition, then, else) -> their type",
        "One of two values; `else` too where the condition is null.",
        ("if(1 < 2, 'a', 'b')", "'a'"),
        (3, 3),
        if_,
    ),
    function(
        &["nvl2"],
        "nvl2(value, then, else) -> their type",
        "`then` where the value is not null, else `else`.",
        ("nvl2(null, 1, 2)", "2"),
        (3, 3),
        nvl2,
    ),
    function(
        &["greatest"],
        "greatest(value, ...) -> their type",
        "The greatest value; nulls are left out.",
        ("greatest(1, null, 3)", "3"),
        (1, usize::MAX),
        |c| extreme(c, true),
    ),
    function(
        &["least"],
        "least(value, ...) -> their type",
        "The smallest value; nulls are left out.",
        ("least(2, null, 3)", "2"),
        (1, usize::MAX),
        |c| extreme(c, false),
    ),
];

fn coalesce(mut c: Call) -> Planned {
    let what = format!("the arguments of `{}`", c.name());
    let (nodes, ty) = coerce::unify(c.rest(), &what)?;
    let ty = if ty == Type::Null { Type::Boolean } else { ty };
    let nullable = nodes.iter().all(|node| node.nullable);
    coerce::node(Kind::Coalesce(nodes), ty, nullable, c.span)
}

fn null_if(mut c: Call) -> Planned {
    let (value, other) = (c.any(0), c.any(1));
    let (a, b) = (value.ty.clone(), other.ty.clone());
    if value.is_null_literal() || other.is_null_literal() {
        return Ok(value);
    }
    match coerce::meet(value, other)? {
        Some((value, other)) => {
            // Numbers of few bits are compared as int64 and keep that type.
            let ty = value.ty.clone();
            call_with(ty, vec![value, other], c.span, true, compare::null_if())
        }
        None => Err(ExpressionError::new(format!("`nullif` cannot compare {a} with {b}"), c.span)
            .help("cast one side to the type of the other")),
    }
}

fn if_(mut c: Call) -> Planned {
    let when = c.boolean(0)?;
    let answers = vec![c.any(1), c.any(2)];
    case_of(vec![when], answers, c.span)
}

fn nvl2(mut c: Call) -> Planned {
    let value = c.any(0);
    let kernel: Kernel = Box::new(|rows, values| match values.first() {
        Some(value) => Ok(logic::is_null(rows, value, true)),
        None => Err(RowError::new(0, "an argument is missing")),
    });
    let when = call_with(Type::Boolean, vec![value], c.span, false, kernel)?;
    let answers = vec![c.any(1), c.any(2)];
    case_of(vec![when], answers, c.span)
}

fn extreme(mut c: Call, greatest: bool) -> Planned {
    let what = format!("the arguments of `{}`", c.name());
    let (nodes, ty) = coerce::unify(c.rest(), &what)?;
    let ty = match ty {
        ty if compare::comparable(&ty) && ty != Type::Boolean => ty,
        ty if ty.is_integer() => Type::Int64,
        Type::Float32 => Type::Float64,
        Type::Null => return Ok(Node::null(Type::Int64, c.span)),
        ty => return Err(ExpressionError::new(format!("`{}` does not take {ty}", c.name()), c.span)),
    };
    let nodes = nodes.into_iter().map(|node| {
        let span = node.span;
        coerce::cast(node, &ty, false, span)
    });
    let nodes: Vec<Node> = nodes.collect::<Result<_, _>>()?;
    let nullable = nodes.iter().all(|node| node.nullable);
    call_with(ty.clone(), nodes, c.span, nullable, compare::extreme(greatest, ty))
}
