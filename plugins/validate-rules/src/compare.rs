//! Comparisons of two columns, e.g. `dep_time <= arr_time`.

use sluicebox_stage::{Fault, Schema};

use crate::plan::find;

/// Two columns of the schema and what is between them.
pub(crate) fn comparison<'a>(text: &str, schema: &'a Schema) -> Result<(&'a str, &'static str, &'a str), Fault> {
    const OPERATORS: [(&str, &str); 9] = [
        ("<=", "<="),
        (">=", ">="),
        ("<>", "<>"),
        ("!=", "<>"),
        ("==", "="),
        ("=", "="),
        ("<", "<"),
        (">", ">"),
        ("\u{2264}", "<="),
    ];
    let unreadable = || {
        Fault::invalid_config(format!(
            "`compare` is \"{text}\"; write two columns and what is between them, e.g. \"dep_time <= arr_time\", or take expression for more"
        ))
    };
    let (left, rest) = name_at_start(text.trim()).ok_or_else(unreadable)?;
    let rest = rest.trim_start();
    let (written, operator) = OPERATORS.iter().find(|pair| rest.starts_with(pair.0)).ok_or_else(unreadable)?;
    let rest = rest.strip_prefix(written).unwrap_or_default().trim();
    let (right, rest) = name_at_start(rest).ok_or_else(unreadable)?;
    if !rest.is_empty() {
        return Err(unreadable());
    }
    let field = |name: &str| find(schema, name).map(|(_, field)| field.name.as_str());
    Ok((field(&left)?, operator, field(&right)?))
}

/// A name at the start, plain or in double quotes, and what follows.
fn name_at_start(text: &str) -> Option<(String, &str)> {
    if let Some(rest) = text.strip_prefix('"') {
        let (name, rest) = rest.split_once('"')?;
        return (!name.is_empty()).then(|| (name.to_owned(), rest));
    }
    let end = text.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(text.len());
    let (name, rest) = text.split_at_checked(end)?;
    (!name.is_empty()).then(|| (name.to_owned(), rest))
}

pub(crate) fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}
