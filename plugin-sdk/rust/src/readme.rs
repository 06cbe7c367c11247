//! A plugin's README from what it says of itself.

use crate::{Capability, Description, Kind};
use serde_json::{Map, Value};

/// The README of a plugin in Markdown: what it is, what it asks for, and its options with type, default and
/// documentation as the JSON Schema has them. `examples` is Markdown written by hand; it stands in the end.
pub fn readme(description: &Description, examples: Option<&str>) -> String {
    let Description { name, kind, summary, config_schema, capabilities, stateless, .. } = description;
    let mut text = format!("# {name}\n\n");
    text.push_str(&format!(
        "<!-- Made from the plugin's own description; `UPDATE_README=1 cargo test -p {name}` writes it again. -->\n\n"
    ));
    let stop = if summary.ends_with('.') { "" } else { "." };
    text.push_str(&format!("{summary}{stop}\n\n"));
    text.push_str("| | |\n| --- | --- |\n");
    text.push_str(&format!("| kind | {kind} |\n"));
    text.push_str(&format!("| asks for | {} |\n", asks_for(capabilities)));
    if *kind == Kind::Transform || *stateless {
        let stateless = if *stateless {
            "yes: it runs on many instances at once, and rows that kill it can be found and quarantined"
        } else {
            "no: it runs on one instance"
        };
        text.push_str(&format!("| stateless | {stateless} |\n"));
    }
    text.push_str("\n## Options\n\n");
    match config_schema.as_object() {
        Some(schema) => options(&mut text, schema),
        None => text.push_str("None.\n"),
    }
    if let Some(examples) = examples.map(str::trim).filter(|examples| !examples.is_empty()) {
        text.push('\n');
        if !examples.starts_with('#') {
            text.push_str("## Examples\n\n");
        }
        text.push_str(examples);
        text.push('\n');
    }
    text
}

fn asks_for(capabilities: &[Capability]) -> String {
    if capabilities.is_empty() {
        return "nothing".into();
    }
    capabilities.iter().map(|capability| format!("`{}`", capability.grant())).collect::<Vec<_>>().join(", ")
}

fn options(text: &mut String, schema: &Map<String, Value>) {
    about(text, schema);
    if !has_properties(schema) && !schema.contains_key("oneOf") && !schema.contains_key("anyOf") {
        text.push_str("None.\n");
    }
    shape(text, schema);
    let Some(definitions) = schema.get("$defs").and_then(Value::as_object) else {
        return;
    };
    for (name, definition) in definitions {
        if let Some(definition) = definition.as_object() {
            text.push_str(&format!("\n### {name}\n\n"));
            about(text, definition);
            shape(text, definition);
        }
    }
}

fn about(text: &mut String, schema: &Map<String, Value>) {
    if let Some(doc) = schema.get("description").and_then(Value::as_str) {
        text.push_str(&format!("{doc}\n\n"));
    }
}

fn has_properties(schema: &Map<String, Value>) -> bool {
    schema.get("properties").and_then(Value::as_object).is_some_and(|properties| !properties.is_empty())
}

/// Tables for whatever the schema allows: an object's keys, values to choose from, or one of several shapes.
fn shape(text: &mut String, schema: &Map<String, Value>) {
    if has_properties(schema) {
        properties(text, schema);
    }
    let choices = ["oneOf", "anyOf"].into_iter().filter_map(|key| schema.get(key)).find_map(Value::as_array);
    if let Some(choices) = choices {
        let choices: Vec<&Map<String, Value>> = choices.iter().filter_map(Value::as_object).collect();
        if choices.iter().all(|choice| literals(choice).is_some()) {
            text.push_str("| value | meaning |\n| --- | --- |\n");
            for choice in choices {
                let values = literals(choice).unwrap_or_default().join(", ");
                text.push_str(&format!("| {values} | {} |\n", doc(choice)));
            }
        } else {
            text.push_str("One of:\n");
            for choice in choices {
                let doc = doc(choice);
                let stop = if doc.is_empty() { String::new() } else { format!(": {doc}") };
                text.push_str(&format!("\n- {}{stop}\n", type_of(choice)));
                if has_properties(choice) {
                    text.push('\n');
                    let mut table = String::new();
                    properties(&mut table, choice);
                    table.lines().for_each(|line| text.push_str(&format!("  {line}\n")));
                }
            }
        }
    } else if let Some(values) = literals(schema) {
        text.push_str(&format!("{}\n", values.join(", ")));
    } else if !has_properties(schema) && schema.contains_key("type") && schema.get("type") != Some(&"object".into()) {
        text.push_str(&format!("{}\n", type_of(schema)));
    }
}

fn properties(text: &mut String, schema: &Map<String, Value>) {
    let Some(properties) = schema.get("properties").and_then(Value::as_object) else {
        return;
    };
    let required: Vec<&str> =
        schema.get("required").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str).collect();
    text.push_str("| option | type | default | meaning |\n| --- | --- | --- | --- |\n");
    // what has to be there comes first
    let (first, rest): (Vec<_>, Vec<_>) = properties.iter().partition(|(name, _)| required.contains(&name.as_str()));
    for (name, property) in first.into_iter().chain(rest) {
        let empty = Map::new();
        let property = property.as_object().unwrap_or(&empty);
        let default = match property.get("default") {
            _ if required.contains(&name.as_str()) => "required".to_owned(),
            None | Some(Value::Null) => "-".to_owned(),
            Some(value) => code(&value.to_string()),
        };
        text.push_str(&format!("| {} | {} | {default} | {} |\n", code(name), type_of(property), doc(property)));
    }
}

/// Text of one cell of a table.
fn cell(text: &str) -> String {
    text.trim().replace('|', "\\|").replace("\n\n", "<br><br>").replace('\n', " ")
}

fn doc(schema: &Map<String, Value>) -> String {
    cell(schema.get("description").and_then(Value::as_str).unwrap_or_default())
}

fn code(text: &str) -> String {
    let fence = if text.contains('`') { "``" } else { "`" };
    cell(&format!("{fence}{text}{fence}"))
}

/// The values of `const` or `enum`, if the schema allows nothing else.
fn literals(schema: &Map<String, Value>) -> Option<Vec<String>> {
    let of = |value: &Value| code(&value.to_string());
    match (schema.get("const"), schema.get("enum").and_then(Value::as_array)) {
        (Some(value), _) => Some(vec![of(value)]),
        (None, Some(values)) => Some(values.iter().map(of).collect()),
        (None, None) => None,
    }
}

/// A type in words: `list of text`, `integer, 0 or more`, `[Rule](#rule)`.
fn type_of(schema: &Map<String, Value>) -> String {
    if let Some(name) = schema.get("$ref").and_then(Value::as_str).and_then(|path| path.rsplit('/').next()) {
        return format!("[{name}](#{})", name.to_lowercase());
    }
    if let Some(values) = literals(schema) {
        return values.join(" or ");
    }
    for key in ["anyOf", "oneOf", "allOf"] {
        if let Some(choices) = schema.get(key).and_then(Value::as_array) {
            let choices = choices.iter().filter_map(Value::as_object);
            let not_null = choices.filter(|choice| choice.get("type") != Some(&"null".into()));
            return not_null.map(type_of).collect::<Vec<_>>().join(" or ");
        }
    }
    match schema.get("type") {
        Some(Value::String(name)) => named(name, schema),
        Some(Value::Array(names)) => {
            let names = names.iter().filter_map(Value::as_str).filter(|name| *name != "null");
            names.map(|name| named(name, schema)).collect::<Vec<_>>().join(" or ")
        }
        _ => "anything".into(),
    }
}

fn named(name: &str, schema: &Map<String, Value>) -> String {
    let inner = |key: &str| schema.get(key).and_then(Value::as_object);
    match name {
        "string" if schema.get("minLength") == Some(&1.into()) && schema.get("maxLength") == Some(&1.into()) => {
            "one character".into()
        }
        "string" => "text".into(),
        "boolean" => "true or false".into(),
        "integer" | "number" => {
            let bound = |key: &str| schema.get(key).and_then(Value::as_f64);
            // bounds of the number's own width say nothing to people
            match (bound("minimum"), bound("maximum").filter(|maximum| *maximum < 65535.0)) {
                (Some(least), Some(most)) => format!("{name}, {least} to {most}"),
                (Some(least), None) => format!("{name}, {least} or more"),
                (None, Some(most)) => format!("{name}, at most {most}"),
                (None, None) => name.into(),
            }
        }
        "array" => match (inner("items"), schema.get("prefixItems").and_then(Value::as_array)) {
            (_, Some(items)) => {
                let items: Vec<String> = items.iter().filter_map(Value::as_object).map(type_of).collect();
                format!("list of {}", items.join(", then "))
            }
            (Some(items), None) => format!("list of {}", type_of(items)),
            (None, None) => "list".into(),
        },
        "object" => match inner("additionalProperties") {
            Some(values) => format!("table of {} by name", type_of(values)),
            None => "table".into(),
        },
        other => other.into(),
    }
}

/// Compares `README.md` in `folder` with what the description makes, and writes it where `UPDATE_README=1` is set.
///
/// # Panics
/// Where they differ, or the file cannot be read or written.
#[allow(clippy::panic)] // a test
pub fn check_readme(folder: &str, description: &Description) {
    let folder = std::path::Path::new(folder);
    let examples = std::fs::read_to_string(folder.join("EXAMPLES.md")).ok();
    let made = readme(description, examples.as_deref());
    let path = folder.join("README.md");
    let found = std::fs::read_to_string(&path).unwrap_or_default().replace("\r\n", "\n");
    if found == made {
        return;
    }
    let again = format!("UPDATE_README=1 cargo test -p {}", description.name);
    if std::env::var_os("UPDATE_README").is_none_or(|value| value != "1") {
        let line = found.lines().zip(made.lines()).take_while(|(a, b)| a == b).count();
        let (is, should) = (found.lines().nth(line).unwrap_or(""), made.lines().nth(line).unwrap_or(""));
        panic!(
            "README.md is not what the plugin says of itself; `{again}` writes it again\n\
             line {}\n  is:        {is}\n  should be: {should}",
            line + 1
        );
    }
    if let Err(error) = std::fs::write(&path, made) {
        panic!("{}: {error}", path.display());
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic, dead_code)]
    use super::*;
    use schemars::JsonSchema;
    use std::collections::BTreeMap;

    /// What to do with a broken row.
    #[derive(serde::Deserialize, JsonSchema)]
    #[serde(rename_all = "kebab-case")]
    enum Broken {
        /// the run fails
        Fail,
        /// the row is set aside
        Quarantine,
    }

    /// A rule.
    #[derive(serde::Deserialize, JsonSchema)]
    struct Rule {
        /// The column | columns.
        column: String,
        /// What is kept.
        keep: Option<Broken>,
    }

    #[derive(serde::Deserialize, JsonSchema)]
    #[serde(untagged)]
    enum Bound {
        /// so many rows
        Rows(u64),
        /// so many in a hundred
        PerCent { per_cent: f64 },
    }

    /// Reads files.
    #[derive(serde::Deserialize, JsonSchema)]
    #[serde(deny_unknown_fields)]
    struct Options {
        /// The file.
        path: String,
        /// Rows to leave out.
        #[serde(default)]
        skip: u32,
        /// Null markers.
        #[serde(default)]
        nulls: Vec<String>,
        rules: Vec<Rule>,
        rename: Option<BTreeMap<String, String>>,
        bound: Option<Bound>,
    }

    #[test]
    fn options_become_tables() {
        let mut description = Description::of::<Options>("extract-x", "0.1.0", Kind::Extract);
        description.summary = "Reads files".into();
        description.capabilities = vec![Capability::ReadFiles];
        let text = readme(&description, Some("From a folder."));
        for expected in [
            "# extract-x\n",
            "\nReads files.\n",
            "| asks for | `grants.read` |",
            "| `path` | text | required | The file. |",
            "| `skip` | integer, 0 or more | `0` | Rows to leave out. |",
            "| `nulls` | list of text | `[]` | Null markers. |",
            "| `rules` | list of [Rule](#rule) | required |  |",
            "| `rename` | table of text by name | - |  |",
            "| `bound` | [Bound](#bound) | - |  |",
            "### Broken\n\nWhat to do with a broken row.\n\n| value | meaning |\n| --- | --- |\n| `\"fail\"` | the run fails |",
            "| `column` | text | required | The column \\| columns. |",
            "| `keep` | [Broken](#broken) | - | What is kept. |",
            "One of:\n\n- integer, 0 or more: so many rows\n",
            "  | `per_cent` | number | required |  |",
            "## Examples\n\nFrom a folder.\n",
        ] {
            assert!(text.contains(expected), "no {expected:?} in:\n{text}");
        }
    }

    #[test]
    fn no_options_are_said_to_be_none() {
        let description = Description::of::<crate::NoOptions>("x", "0.1.0", Kind::Transform);
        let text = readme(&description, None);
        assert!(text.contains("## Options") && text.contains("None.\n"), "{text}");
        assert!(text.contains("| asks for | nothing |"), "{text}");
    }
}
