//! Values of the file as sets, ranges and lengths that a column is held against.

use sluicebox_stage::{Fault, Field};

use crate::literal::{Compared, compared, float, wanted, whole};
use crate::options::{Length, Literal};
use crate::values::ValueCheck;

pub(crate) fn cannot(name: &str, field: &Field) -> Fault {
    Fault::invalid_config(format!(
        "`{name}` cannot look into `{}`, which is of type {}",
        field.name,
        field.detail.as_deref().unwrap_or_else(|| field.data_type.name())
    ))
}

pub(crate) fn wrong(name: &str, literal: &Literal, field: &Field) -> Fault {
    Fault::invalid_config(format!(
        "`{name}`: {} is no value of `{}`, which is {}; write {}",
        literal_text(literal),
        field.name,
        field.data_type,
        wanted(field)
    ))
}

pub(crate) fn set(name: &str, literals: &[Literal], field: &Field, is_in: bool) -> Result<ValueCheck, Fault> {
    if literals.is_empty() {
        return Err(Fault::invalid_config(format!(
            "`{name}` is an empty list; write the values, e.g. {name} = [\"a\", \"b\"]"
        )));
    }
    Ok(match compared(field.data_type).ok_or_else(|| cannot(name, field))? {
        Compared::Whole => {
            let mut set = Vec::new();
            for literal in literals {
                let value = whole(literal, field).ok_or_else(|| wrong(name, literal, field))?;
                // A value between two whole numbers is no value of the column.
                set.extend(value.exact.then_some(value.floor));
            }
            set.sort_unstable();
            ValueCheck::WholeSet(set, is_in)
        }
        Compared::Float => {
            let set = literals.iter().map(|literal| float(literal).ok_or_else(|| wrong(name, literal, field)));
            ValueCheck::FloatSet(set.collect::<Result<_, _>>()?, is_in)
        }
        Compared::Text => {
            let text = |literal: &Literal| match literal {
                Literal::Text(text) => Ok(text.clone().into_bytes()),
                _ => Err(wrong(name, literal, field)),
            };
            let mut set = literals.iter().map(text).collect::<Result<Vec<_>, _>>()?;
            set.sort_unstable();
            ValueCheck::TextSet(set, is_in)
        }
        Compared::Boolean => {
            let boolean = |literal: &Literal| match literal {
                Literal::Boolean(value) => Ok(*value),
                _ => Err(wrong(name, literal, field)),
            };
            ValueCheck::BooleanSet(literals.iter().map(boolean).collect::<Result<_, _>>()?, is_in)
        }
    })
}

pub(crate) fn range(low: &Literal, high: &Literal, field: &Field) -> Result<ValueCheck, Fault> {
    let name = "between";
    let empty = || {
        Err(Fault::invalid_config(format!(
            "`between`: {} is more than {}; write the smaller first",
            literal_text(low),
            literal_text(high)
        )))
    };
    match compared(field.data_type).ok_or_else(|| cannot(name, field))? {
        Compared::Whole => {
            let from = whole(low, field).ok_or_else(|| wrong(name, low, field))?;
            let to = whole(high, field).ok_or_else(|| wrong(name, high, field))?;
            if from.floor > to.floor {
                return empty();
            }
            Ok(ValueCheck::WholeRange(from.ceiling(), to.floor))
        }
        Compared::Float => {
            let from = float(low).ok_or_else(|| wrong(name, low, field))?;
            let to = float(high).ok_or_else(|| wrong(name, high, field))?;
            if from > to { empty() } else { Ok(ValueCheck::FloatRange(from, to)) }
        }
        Compared::Text => match (low, high) {
            (Literal::Text(from), Literal::Text(to)) if from > to => empty(),
            (Literal::Text(from), Literal::Text(to)) => {
                Ok(ValueCheck::TextRange(from.clone().into_bytes(), to.clone().into_bytes()))
            }
            (Literal::Text(_), other) | (other, _) => Err(wrong(name, other, field)),
        },
        Compared::Boolean => Err(Fault::invalid_config(format!(
            "`between` is about numbers, text and times, and `{}` is boolean; write in = [true] or in = [false]",
            field.name
        ))),
    }
}

pub(crate) fn length_bounds(length: &Length) -> Result<(u64, u64, String), Fault> {
    match length {
        Length::Exactly(length) => Ok((*length, *length, format!("a length of {length}"))),
        Length::Range(range) => match (range.min, range.max) {
            (None, None) => Err(Fault::invalid_config("`length` is empty; write a number, or { min = 1, max = 3 }")),
            (Some(min), Some(max)) if min > max => {
                Err(Fault::invalid_config(format!("`length`: min = {min} is more than max = {max}")))
            }
            (Some(min), Some(max)) => Ok((min, max, format!("a length of {min} to {max}"))),
            (Some(min), None) => Ok((min, u64::MAX, format!("a length of at least {min}"))),
            (None, Some(max)) => Ok((0, max, format!("a length of at most {max}"))),
        },
    }
}

pub(crate) fn literal_text(literal: &Literal) -> String {
    match literal {
        Literal::Boolean(value) => value.to_string(),
        Literal::Number(number) => number.to_string(),
        Literal::Text(text) => format!("\"{text}\""),
    }
}
