//! A stage's options: from TOML to JSON, with the place of each value.

use super::read::{Problems, Value, whole_number};
use super::{Problem, StageSpans, placeholder};
use serde_json::{Map, Value as Json};
use toml::de::DeValue;

/// The JSON of a value; the places go into `spans`.
pub(super) fn to_json(value: Value<'_>, spans: &mut StageSpans, problems: &mut Problems) -> Json {
    convert(value, String::new(), spans, problems)
}

/// A key within a JSON pointer.
fn escaped(key: &str) -> String {
    key.replace('~', "~0").replace('/', "~1")
}

fn convert((value, span): Value<'_>, pointer: String, spans: &mut StageSpans, problems: &mut Problems) -> Json {
    spans.config.push((pointer.clone(), span.clone()));
    match value {
        DeValue::String(text) => {
            if let Err((message, help)) = placeholder::pieces(text) {
                problems.push(Problem::error(span, message).help(help));
            }
            Json::String(text.to_string())
        }
        DeValue::Integer(_) => match whole_number(value) {
            Some(number) => match (i64::try_from(number), u64::try_from(number)) {
                (Ok(number), _) => number.into(),
                (_, Ok(number)) => number.into(),
                _ => refuse(span, "this number does not fit into 64 bits", problems),
            },
            None => refuse(span, "this number does not fit into 64 bits", problems),
        },
        DeValue::Float(number) => match number.as_str().parse::<f64>().ok().and_then(serde_json::Number::from_f64) {
            Some(number) => Json::Number(number),
            None => refuse(span, "an option cannot be infinite or not a number", problems),
        },
        DeValue::Boolean(flag) => Json::Bool(*flag),
        DeValue::Datetime(time) => Json::String(time.to_string()),
        DeValue::Array(items) => items
            .iter()
            .enumerate()
            .map(|(at, item)| convert((item.get_ref(), item.span()), format!("{pointer}/{at}"), spans, problems))
            .collect(),
        DeValue::Table(entries) => {
            let mut object = Map::new();
            for (key, value) in entries {
                let pointer = format!("{pointer}/{}", escaped(key.get_ref()));
                let place = if value.span().is_empty() { key.span() } else { value.span() };
                spans.config_keys.push((pointer.clone(), key.span()));
                object.insert(key.get_ref().to_string(), convert((value.get_ref(), place), pointer, spans, problems));
            }
            Json::Object(object)
        }
    }
}

fn refuse(span: std::ops::Range<usize>, message: &str, problems: &mut Problems) -> Json {
    problems.push(Problem::error(span, message));
    Json::Null
}
