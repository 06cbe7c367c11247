//! Arithmetic on int64 and float64. Whole numbers that do not fit are faults; dividing by zero gives null.

use std::sync::Arc;

use crate::{
    bits,
    kernels::{counts, map, present, zip},
    node::{Kernel, RowError, Rows},
    vector::{Data, Slice, Value},
};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Op {
    Add,
    Subtract,
    Multiply,
    /// `/`
    Divide,
    /// `//`: whole numbers only, towards zero
    WholeDivide,
    Remainder,
}

impl Op {
    pub(crate) fn sign(self) -> &'static str {
        match self {
            Op::Add => "+",
            Op::Subtract => "-",
            Op::Multiply => "*",
            Op::Divide => "/",
            Op::WholeDivide => "//",
            Op::Remainder => "%",
        }
    }
}

/// Whole numbers to whole numbers, or with `/` to floats.
pub(crate) fn integers(op: Op) -> Kernel {
    Box::new(move |rows, arguments| {
        let [a, b] = arguments.as_slice() else { return Err(RowError::new(0, "two arguments are needed")) };
        let (left, right) = (a.int64s(), b.int64s());
        let present = present(&arguments, rows.count);
        if op == Op::Divide {
            let values = zip(left, right, rows.count, |a, b| a as f64 / b as f64);
            return Ok(without_zeros(Data::Float64(values), present, nonzero(right, 0), rows));
        }
        // The sign bit of `over` tells whether a row may have overflowed.
        let mut over = 0i64;
        let values = match op {
            Op::Add => zip(left, right, rows.count, |a, b| {
                let sum = a.wrapping_add(b);
                over |= (a ^ sum) & (b ^ sum);
                sum
            }),
            Op::Subtract => zip(left, right, rows.count, |a, b| {
                let difference = a.wrapping_sub(b);
                over |= (a ^ b) & (a ^ difference);
                difference
            }),
            Op::Multiply => {
                // Factors of 31 bits together with 31 bits fit for sure; only others are looked at one by one.
                if magnitude(left).leading_zeros() + magnitude(right).leading_zeros() < 66 {
                    over = -1;
                }
                zip(left, right, rows.count, i64::wrapping_mul)
            }
            Op::WholeDivide => zip(left, right, rows.count, |a, b| {
                let quotient = if b == 0 { 0 } else { a.wrapping_div(b) };
                over |= (a & b) & quotient;
                quotient
            }),
            _ => zip(left, right, rows.count, |a, b| if b == 0 { 0 } else { a.wrapping_rem(b) }),
        };
        if over < 0 {
            let exact = |a: i64, b: i64| match op {
                Op::Add => a.checked_add(b),
                Op::Subtract => a.checked_sub(b),
                Op::Multiply => a.checked_mul(b),
                _ if b == 0 => Some(0),
                _ => a.checked_div(b),
            };
            fits(rows, present.as_deref(), |row| {
                let (a, b) = (left.get(row), right.get(row));
                exact(a, b).is_none().then(|| format!("{a} {} {b} does not fit in int64", op.sign()))
            })?;
        }
        let data = Data::Int64(values);
        Ok(if matches!(op, Op::WholeDivide | Op::Remainder) {
            without_zeros(data, present, nonzero(right, 0), rows)
        } else {
            Value::column(data, present, rows.count)
        })
    })
}

/// Fails at the first row that counts and has a complaint.
pub(crate) fn fits(
    rows: Rows<'_>,
    present: Option<&[u8]>,
    complaint: impl Fn(usize) -> Option<String>,
) -> Result<(), RowError> {
    let failed = (0..rows.count).filter(|row| counts(rows, present, *row)).find_map(|row| Some((row, complaint(row)?)));
    failed.map_or(Ok(()), |(row, message)| Err(RowError::new(row, message)))
}

/// All bits that any of the numbers needs.
fn magnitude(values: Slice<'_, i64>) -> u64 {
    let bits = |value: i64| (value ^ (value >> 63)).cast_unsigned();
    match values {
        Slice::Column(values) => values.iter().fold(0, |all, value| all | bits(*value)),
        Slice::One(value) => bits(value),
    }
}

/// Rows whose divisor is not zero, where there is one that is.
pub(crate) fn nonzero<T: Copy + PartialEq>(divisors: Slice<'_, T>, zero: T) -> Option<Vec<u8>> {
    match divisors {
        Slice::Column(values) => values
            .iter()
            .fold(false, |any, value| any | (*value == zero))
            .then(|| bits::pack_slice(values, |value| value != zero)),
        Slice::One(value) if value == zero => Some(Vec::new()),
        Slice::One(_) => None,
    }
}

pub(crate) fn without_zeros(data: Data, present: Option<Vec<u8>>, nonzero: Option<Vec<u8>>, rows: Rows<'_>) -> Value {
    let nonzero = nonzero.map(|nonzero| if nonzero.is_empty() { bits::filled(rows.count, false) } else { nonzero });
    let validity = bits::both(present.as_deref(), nonzero.as_deref());
    Value::column(data, validity, rows.count)
}

pub(crate) fn floats(op: Op) -> Kernel {
    Box::new(move |rows, arguments| {
        let validity = present(&arguments, rows.count);
        let Ok([a, b]) = <[Value; 2]>::try_from(arguments) else {
            return Err(RowError::new(0, "two arguments are needed"));
        };
        let zeros = match op {
            Op::Divide | Op::Remainder => nonzero(b.float64s(), 0.0),
            _ => None,
        };
        let values = match op {
            Op::Add => in_place(a, b, rows, |a, b| a + b),
            Op::Subtract => in_place(a, b, rows, |a, b| a - b),
            Op::Multiply => in_place(a, b, rows, |a, b| a * b),
            Op::Divide => in_place(a, b, rows, |a, b| a / b),
            _ => in_place(a, b, rows, |a, b| a % b),
        };
        Ok(without_zeros(Data::Float64(values), validity, zeros, rows))
    })
}

/// Computes into the buffer of a column that nobody else holds.
fn in_place(mut a: Value, mut b: Value, rows: Rows<'_>, of: impl Fn(f64, f64) -> f64) -> Vec<f64> {
    if let Some(out) = own(&mut a) {
        match b.float64s() {
            Slice::Column(b) => out.iter_mut().zip(b).for_each(|(a, b)| *a = of(*a, *b)),
            Slice::One(b) => out.iter_mut().for_each(|a| *a = of(*a, b)),
        }
        return std::mem::take(out);
    }
    if let Some(out) = own(&mut b) {
        match a.float64s() {
            Slice::Column(a) => out.iter_mut().zip(a).for_each(|(b, a)| *b = of(*a, *b)),
            Slice::One(a) => out.iter_mut().for_each(|b| *b = of(a, *b)),
        }
        return std::mem::take(out);
    }
    zip(a.float64s(), b.float64s(), rows.count, of)
}

fn own(value: &mut Value) -> Option<&mut Vec<f64>> {
    if value.scalar {
        return None;
    }
    match &mut Arc::get_mut(&mut value.vector)?.data {
        Data::Float64(values) => Some(values),
        _ => None,
    }
}

/// One float to one float.
pub(crate) fn float(of: impl Fn(f64) -> f64 + Send + Sync + 'static) -> Kernel {
    Box::new(move |rows, mut arguments| {
        let validity = present(&arguments, rows.count);
        let Some(mut a) = arguments.pop() else { return Err(RowError::new(0, "an argument is needed")) };
        let values = match own(&mut a) {
            Some(out) => {
                out.iter_mut().for_each(|value| *value = of(*value));
                std::mem::take(out)
            }
            None => map(a.float64s(), rows.count, &of),
        };
        Ok(Value::column(Data::Float64(values), validity, rows.count))
    })
}

/// Two floats to one float.
pub(crate) fn float_pair(of: impl Fn(f64, f64) -> f64 + Send + Sync + 'static) -> Kernel {
    Box::new(move |rows, arguments| {
        let [a, b] = arguments.as_slice() else { return Err(RowError::new(0, "two arguments are needed")) };
        let values = zip(a.float64s(), b.float64s(), rows.count, &of);
        Ok(Value::column(Data::Float64(values), present(&arguments, rows.count), rows.count))
    })
}

/// One whole number to one, by a function that has no answer where it does not fit.
pub(crate) fn integer(what: &'static str, wrapping: fn(i64) -> i64, exact: fn(i64) -> Option<i64>) -> Kernel {
    Box::new(move |rows, arguments| {
        let present = present(&arguments, rows.count);
        let Some(a) = arguments.first() else { return Err(RowError::new(0, "an argument is needed")) };
        let numbers = a.int64s();
        let mut least = false;
        let values = map(numbers, rows.count, |a| {
            least |= a == i64::MIN;
            wrapping(a)
        });
        if least {
            fits(rows, present.as_deref(), |row| {
                let a = numbers.get(row);
                exact(a).is_none().then(|| format!("{what} {a} does not fit in int64"))
            })?;
        }
        Ok(Value::column(Data::Int64(values), present, rows.count))
    })
}

/// Two whole numbers to one, bit by bit.
pub(crate) fn bitwise(of: fn(i64, i64) -> i64) -> Kernel {
    Box::new(move |rows, arguments| {
        let [a, b] = arguments.as_slice() else { return Err(RowError::new(0, "two arguments are needed")) };
        let values = zip(a.int64s(), b.int64s(), rows.count, of);
        Ok(Value::column(Data::Int64(values), present(&arguments, rows.count), rows.count))
    })
}

/// Date and a number of days.
pub(crate) fn days(back: bool) -> Kernel {
    Box::new(move |rows, arguments| {
        let [date, days] = arguments.as_slice() else { return Err(RowError::new(0, "two arguments are needed")) };
        let (dates, days) = (date.int32s(), days.int64s());
        let present = present(&arguments, rows.count);
        let moved = |row: usize| {
            let by = days.get(row);
            let by = if back { by.checked_neg()? } else { by };
            crate::calendar::in_range(i64::from(dates.get(row)).checked_add(by)?)
        };
        let (values, validity) = super::attempt(rows, present, false, moved, |row| {
            format!("{} days from this date lead out of the calendar", days.get(row))
        })?;
        Ok(Value::column(Data::Int32(values), validity, rows.count))
    })
}

/// Days between two dates.
pub(crate) fn days_between() -> Kernel {
    Box::new(|rows, arguments| {
        let [a, b] = arguments.as_slice() else { return Err(RowError::new(0, "two arguments are needed")) };
        let values = zip(a.int32s(), b.int32s(), rows.count, |a, b| i64::from(a) - i64::from(b));
        Ok(Value::column(Data::Int64(values), present(&arguments, rows.count), rows.count))
    })
}
