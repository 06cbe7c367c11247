//! Functions of numbers.

use super::{Call, Function, Group};
use crate::{
    kernels::{
        arithmetic::{self, Op},
        decimal, map, present,
    },
    node::{Kernel, Node, RowError},
    plan::{
        arithmetic as operator,
        coerce::{self, Planned, call, cast},
        integer_literal,
    },
    types::Type,
    vector::{Data, Value},
};

const fn function(
    names: &'static [&'static str],
    signature: &'static str,
    summary: &'static str,
    example: (&'static str, &'static str),
    (least, most): (usize, usize),
    build: fn(Call) -> Planned,
) -> Function {
    Function { names, group: Group::Number, signature, summary, example, least, most, build }
}

pub(super) const TABLE: &[Function] = &[
    function(&["abs"], "abs(number) -> the same type", "Without its sign.", ("abs(-2.5)", "2.5"), (1, 1), abs),
    function(&["sign", "signum"], "sign(number) -> int64 or float64", "-1, 0 or 1.", ("sign(-3)", "-1"), (1, 1), sign),
    function(
        &["round"],
        "round(number[, digits]) -> the same type",
        "Rounded half away from zero, to so many digits behind the point.",
        ("round(2.345, 2)", "2.35"),
        (1, 2),
        |c| rounded(c, f64::round, decimal::divide_rounded),
    ),
    function(
        &["trunc", "truncate"],
        "trunc(number[, digits]) -> the same type",
        "Cut off behind so many digits.",
        ("trunc(-2.7)", "-2.0"),
        (1, 2),
        |c| rounded(c, f64::trunc, |value, unit| value / unit),
    ),
    function(
        &["floor"],
        "floor(number) -> the same type",
        "The greatest whole number that is not greater.",
        ("floor(-2.5)", "-3.0"),
        (1, 1),
        |c| rounded(c, f64::floor, i128::div_euclid),
    ),
    function(
        &["ceil", "ceiling"],
        "ceil(number) -> the same type",
        "The smallest whole number that is not smaller.",
        ("ceil(2.1)", "3.0"),
        (1, 1),
        |c| rounded(c, f64::ceil, |value, unit| value.wrapping_neg().div_euclid(unit).wrapping_neg()),
    ),
    function(
        &["div"],
        "div(a, b) -> int64",
        "Whole division towards zero, as `a // b`; null where b is 0. `/` divides to a float64.",
        ("div(7, 2)", "3"),
        (2, 2),
        |c| operation(c, Op::WholeDivide),
    ),
    function(
        &["mod"],
        "mod(a, b) -> number",
        "What is left of a whole division, as `a % b`; null where b is 0.",
        ("mod(7, 3)", "1"),
        (2, 2),
        |c| operation(c, Op::Remainder),
    ),
    function(
        &["power", "pow"],
        "power(base, exponent) -> float64",
        "Base to the power of exponent.",
        ("power(2, 10)", "1024.0"),
        (2, 2),
        |c| pair(c, f64::powf),
    ),
    function(
        &["sqrt"],
        "sqrt(number) -> float64",
        "Square root; NaN of a negative number.",
        ("sqrt(16)", "4.0"),
        (1, 1),
        |c| one(c, f64::sqrt),
    ),
    function(&["cbrt"], "cbrt(number) -> float64", "Cube root.", ("cbrt(27)", "3.0"), (1, 1), |c| one(c, f64::cbrt)),
    function(&["exp"], "exp(number) -> float64", "e to the power of the number.", ("exp(0)", "1.0"), (1, 1), |c| {
        one(c, f64::exp)
    }),
    function(
        &["ln"],
        "ln(number) -> float64",
        "Natural logarithm; -inf of 0, NaN of a negative number.",
        ("ln(1)", "0.0"),
        (1, 1),
        |c| one(c, f64::ln),
    ),
    function(&["log10"], "log10(number) -> float64", "Logarithm to base 10.", ("log10(1000)", "3.0"), (1, 1), |c| {
        one(c, f64::log10)
    }),
    function(&["log2"], "log2(number) -> float64", "Logarithm to base 2.", ("log2(8)", "3.0"), (1, 1), |c| {
        one(c, f64::log2)
    }),
    function(
        &["log"],
        "log([base, ]number) -> float64",
        "Logarithm to the base, or to base 10.",
        ("log(2, 8)", "3.0"),
        (1, 2),
        log,
    ),
    function(&["pi"], "pi() -> float64", "3.14159...", ("round(pi(), 2)", "3.14"), (0, 0), pi),
    function(&["sin"], "sin(radians) -> float64", "Sine.", ("sin(0)", "0.0"), (1, 1), |c| one(c, f64::sin)),
    function(&["cos"], "cos(radians) -> float64", "Cosine.", ("cos(0)", "1.0"), (1, 1), |c| one(c, f64::cos)),
    function(&["tan"], "tan(radians) -> float64", "Tangent.", ("tan(0)", "0.0"), (1, 1), |c| one(c, f64::tan)),
    function(&["asin"], "asin(number) -> float64", "Arc sine, in radians.", ("asin(0)", "0.0"), (1, 1), |c| {
        one(c, f64::asin)
    }),
    function(&["acos"], "acos(number) -> float64", "Arc cosine, in radians.", ("acos(1)", "0.0"), (1, 1), |c| {
        one(c, f64::acos)
    }),
    function(&["atan"], "atan(number) -> float64", "Arc tangent, in radians.", ("atan(0)", "0.0"), (1, 1), |c| {
        one(c, f64::atan)
    }),
    function(
        &["atan2"],
        "atan2(y, x) -> float64",
        "The angle of a point, in radians.",
        ("atan2(0, 1)", "0.0"),
        (2, 2),
        |c| pair(c, f64::atan2),
    ),
    function(
        &["radians"],
        "radians(degrees) -> float64",
        "Degrees as radians.",
        ("radians(180) = pi()", "true"),
        (1, 1),
        |c| one(c, f64::to_radians),
    ),
    function(
        &["degrees"],
        "degrees(radians) -> float64",
        "Radians as degrees.",
        ("degrees(pi())", "180.0"),
        (1, 1),
        |c| one(c, f64::to_degrees),
    ),
    function(
        &["is_nan", "isnan"],
        "is_nan(number) -> boolean",
        "Whether it is no number (NaN), as 0 times infinity.",
        ("is_nan(sqrt(-1))", "true"),
        (1, 1),
        is_nan,
    ),
];

fn missing() -> RowError {
    RowError::new(0, "an argument is missing")
}

fn one(mut c: Call, of: fn(f64) -> f64) -> Planned {
    call(Type::Float64, vec![c.float(0)?], c.span, arithmetic::float(of))
}

fn pair(mut c: Call, of: fn(f64, f64) -> f64) -> Planned {
    call(Type::Float64, vec![c.float(0)?, c.float(1)?], c.span, arithmetic::float_pair(of))
}

fn operation(mut c: Call, op: Op) -> Planned {
    let (a, b) = (c.number(0)?, c.number(1)?);
    operator(op, a, b, c.span)
}

fn log(c: Call) -> Planned {
    if c.has(1) { pair(c, |base, value| value.log(base)) } else { one(c, f64::log10) }
}

fn pi(c: Call) -> Planned {
    Ok(Node::literal(Value::literal(Data::Float64(vec![std::f64::consts::PI])), Type::Float64, c.span))
}

fn is_nan(mut c: Call) -> Planned {
    let kernel: Kernel = Box::new(|rows, values| {
        let numbers = values.first().ok_or_else(missing)?.float64s();
        Ok(crate::kernels::tests(rows, &values, |row| numbers.get(row).is_nan()))
    });
    call(Type::Boolean, vec![c.float(0)?], c.span, kernel)
}

fn abs(mut c: Call) -> Planned {
    let node = c.number(0)?;
    let ty = node.ty.clone();
    let kernel = match ty {
        Type::Int64 => arithmetic::integer("the absolute value of", i64::wrapping_abs, i64::checked_abs),
        Type::Decimal(..) => decimal::absolute(),
        _ => arithmetic::float(f64::abs),
    };
    call(ty, vec![node], c.span, kernel)
}

fn sign(mut c: Call) -> Planned {
    let node = c.number(0)?;
    let of = |value: f64| if value == 0.0 { 0.0 } else { value.signum() };
    match node.ty {
        Type::Int64 => {
            let kernel: Kernel = Box::new(|rows, values| {
                let numbers = values.first().ok_or_else(missing)?.int64s();
                Ok(Value::column(
                    Data::Int64(map(numbers, rows.count, i64::signum)),
                    present(&values, rows.count),
                    rows.count,
                ))
            });
            call(Type::Int64, vec![node], c.span, kernel)
        }
        _ => {
            let span = node.span;
            call(Type::Float64, vec![cast(node, &Type::Float64, false, span)?], c.span, arithmetic::float(of))
        }
    }
}

/// ROUND, TRUNC, FLOOR and CEIL: of floats by `float`, of decimals by the whole number of units.
fn rounded(mut c: Call, float: fn(f64) -> f64, exact: fn(i128, i128) -> i128) -> Planned {
    let node = c.number(0)?;
    let digits = if c.has(1) { Some(c.integer(1)?) } else { None };
    let ty = node.ty.clone();
    match (&ty, digits) {
        (Type::Int64, None) => Ok(node),
        (Type::Decimal(precision, scale), digits) => {
            let digits = digits.unwrap_or_else(|| integer_literal(0, c.span));
            call(ty.clone(), vec![node, digits], c.span, decimal::round(*scale, *precision, exact))
        }
        (Type::Int64, Some(digits)) => {
            let kernel: Kernel = decimal::round(0, 19, exact);
            let decimal = cast(node, &Type::Decimal(19, 0), false, c.span)?;
            let rounded = call(Type::Decimal(19, 0), vec![decimal, digits], c.span, kernel)?;
            cast(rounded, &Type::Int64, false, c.span)
        }
        (_, None) => call(Type::Float64, vec![node], c.span, arithmetic::float(float)),
        (_, Some(digits)) => {
            let kernel: Kernel = Box::new(move |rows, values| {
                let [number, digits] = values.as_slice() else { return Err(missing()) };
                let of = |value: f64, digits: i64| {
                    let unit = 10f64.powi(i32::try_from(digits.clamp(-400, 400)).unwrap_or(0));
                    let scaled = value * unit;
                    // From 2^53 on floats have nothing behind the point.
                    if scaled.is_nan() || scaled.abs() >= 9_007_199_254_740_992.0 || unit.is_infinite() {
                        value
                    } else if unit == 0.0 {
                        0.0
                    } else {
                        float(scaled) / unit
                    }
                };
                let out = crate::kernels::zip(number.float64s(), digits.int64s(), rows.count, of);
                Ok(Value::column(Data::Float64(out), present(&values, rows.count), rows.count))
            });
            call(Type::Float64, vec![coerce::coerce(node, &Type::Float64, "")?, digits], c.span, kernel)
        }
    }
}
