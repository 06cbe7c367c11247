//! Options from JSON text, with faults that name the option.

use crate::Fault;
use serde::de::DeserializeOwned;

/// The options; no text at all is an empty object.
pub(crate) fn parse<T: DeserializeOwned>(json: &str) -> Result<T, Fault> {
    let json = if json.trim().is_empty() { "{}" } else { json };
    serde_json::from_str(json).map_err(|error| {
        let text = error.to_string();
        // the place is told as the path of the option: the host's JSON is not the author's text
        let what = text.split(" at line ").next().unwrap_or(&text);
        match path_at(json, error.line(), error.column()) {
            path if path.is_empty() => Fault::invalid_config(format!("the options do not fit: {what}")),
            path => Fault::invalid_config(format!("option {path}: {what}")),
        }
    })
}

/// The path of the value at, or ending at, this place: `columns.speed`, `rules[2].column`.
fn path_at(json: &str, line: usize, column: usize) -> String {
    enum Step {
        Key(String),
        Index(usize),
    }
    let start: usize = json.split_inclusive('\n').take(line.saturating_sub(1)).map(str::len).sum();
    let end = (start + column).min(json.len());
    let bytes = json.as_bytes();
    let mut path: Vec<Step> = Vec::new();
    let mut at = 0;
    while at < end {
        let byte = bytes.get(at).copied().unwrap_or(b' ');
        match byte {
            b'{' => path.push(Step::Key(String::new())),
            b'[' => path.push(Step::Index(0)),
            b'}' | b']' => {
                path.pop();
            }
            b',' if at + 1 < end => match path.last_mut() {
                Some(Step::Index(index)) => *index += 1,
                Some(Step::Key(key)) => key.clear(),
                None => {}
            },
            b'"' => {
                let from = at;
                at += 1;
                while at < bytes.len() && bytes.get(at) != Some(&b'"') {
                    at += if bytes.get(at) == Some(&b'\\') { 2 } else { 1 };
                }
                let text = json.get(from..(at + 1).min(json.len())).unwrap_or_default();
                let is_key = json.get(at + 1..).is_some_and(|rest| rest.trim_start().starts_with(':'));
                if is_key && let Some(Step::Key(key)) = path.last_mut() {
                    *key = serde_json::from_str(text).unwrap_or_default();
                }
            }
            _ => {}
        }
        at += 1;
    }
    let mut text = String::new();
    for step in path {
        match step {
            Step::Key(key) if key.is_empty() => {}
            Step::Key(key) => {
                if !text.is_empty() {
                    text.push('.');
                }
                text.push_str(&key);
            }
            Step::Index(index) => text.push_str(&format!("[{index}]")),
        }
    }
    text
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic, dead_code)]
    use super::*;
    use std::collections::BTreeMap;

    #[derive(Debug, serde::Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Rule {
        column: String,
        #[serde(default)]
        at_most: u32,
    }

    #[derive(Debug, serde::Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Options {
        #[serde(default)]
        size: u32,
        #[serde(default)]
        columns: BTreeMap<String, u32>,
        #[serde(default)]
        rules: Vec<Rule>,
    }

    #[track_caller]
    fn fault(json: &str) -> String {
        parse::<Options>(json).unwrap_err().message
    }

    #[test]
    fn faults_name_the_option() {
        assert!(parse::<Options>("").is_ok());
        assert_eq!(fault(r#"{"size":"a"}"#), r#"option size: invalid type: string "a", expected u32"#);
        assert_eq!(fault(r#"{"size":-1}"#), "option size: invalid value: integer `-1`, expected u32");
        assert!(fault(r#"{"columns":{"a":1,"b":"x"}}"#).starts_with("option columns.b: invalid type"));
        assert!(
            fault(r#"{"rules":[{"column":"x"},{"column":"y","at_most":true}]}"#)
                .starts_with("option rules[1].at_most:")
        );
        assert!(fault(r#"{"sise":1}"#).contains("unknown field `sise`, expected one of"));
        assert!(fault(r#"{"rules":[{"at_most":1}]}"#).contains("missing field `column`"));
        assert!(fault("{").contains("EOF"));
        assert!(fault("[1,2,3,4,5]").contains("invalid"));
    }
}
