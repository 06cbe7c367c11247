//! Walking the tree of a TOML file, noting every problem on the way instead of stopping at the first.

use super::{Problem, suggest};
use std::ops::Range;
use toml::de::{DeTable, DeValue};

/// A value with its place.
pub(super) type Value<'a> = (&'a DeValue<'a>, Range<usize>);

/// The problems found so far.
#[derive(Default)]
pub(super) struct Problems(pub(super) Vec<Problem>);

impl Problems {
    pub(super) fn push(&mut self, problem: Problem) {
        self.0.push(problem);
    }
}

/// A table of the file, with what it is called in messages.
pub(super) struct Table<'a> {
    entries: &'a DeTable<'a>,
    /// Where it stands; for a table without braces, its header or first key.
    pub(super) span: Range<usize>,
    /// E.g. "stage `read`".
    pub(super) what: String,
    /// What its keys are written with, e.g. "grants.".
    prefix: String,
}

impl<'a> Table<'a> {
    pub(super) fn new(entries: &'a DeTable<'a>, span: Range<usize>, what: impl Into<String>) -> Self {
        Self { entries, span, what: what.into(), prefix: String::new() }
    }

    /// The value as a table, or a problem.
    pub(super) fn from_value((value, span): Value<'a>, what: &str, problems: &mut Problems) -> Option<Self> {
        match value {
            DeValue::Table(entries) => Some(Self::new(entries, span, what)),
            other => {
                problems.push(wrong_type(other, span, what, "a table", "write it as `{ key = value }`"));
                None
            }
        }
    }

    /// The table at a key of this one, whose keys are told with this key before them.
    pub(super) fn table(&self, key: &str, problems: &mut Problems) -> Option<Self> {
        let table = Self::from_value(self.get(key)?, &self.of(key), problems)?;
        Some(Self { what: self.what.clone(), prefix: format!("{}{key}.", self.prefix), ..table })
    }

    /// A key as it is told: "`limits.memory` of stage `read`".
    pub(super) fn of(&self, key: &str) -> String {
        format!("`{}{key}` of {}", self.prefix, self.what)
    }

    /// The value of a key; its place is that of the key where the value has none of its own.
    pub(super) fn get(&self, key: &str) -> Option<Value<'a>> {
        self.entries.get_key_value(key).map(|(key, value)| {
            let span = if value.span().is_empty() { key.span() } else { value.span() };
            (value.get_ref(), span)
        })
    }

    /// The keys in the order of the file.
    pub(super) fn iter(&self) -> impl Iterator<Item = (&'a str, Range<usize>, Value<'a>)> + use<'a> {
        self.entries.iter().map(|(key, value)| {
            let span = if value.span().is_empty() { key.span() } else { value.span() };
            (key.get_ref().as_ref(), key.span(), (value.get_ref(), span))
        })
    }

    /// Notes every key that is not one of the known ones. `elsewhere` are words for keys that are known in another
    /// place.
    pub(super) fn known_keys(&self, known: &[&str], elsewhere: &[(&str, &str)], problems: &mut Problems) {
        for (key, span, _) in self.iter() {
            if known.contains(&key) {
                continue;
            }
            let help = match elsewhere.iter().find(|(name, _)| *name == key) {
                Some((_, help)) => (*help).to_owned(),
                None => suggest::help(key, known),
            };
            let message = format!("unknown key `{}{key}` in {}", self.prefix, self.what);
            problems.push(Problem::error(span, message).help(help));
        }
    }

    /// The value of a key that has to be there.
    pub(super) fn needed(&self, key: &str, example: &str, problems: &mut Problems) -> Option<Value<'a>> {
        let found = self.get(key);
        if found.is_none() {
            let message = format!("{} has no `{}{key}`", self.what, self.prefix);
            problems.push(Problem::error(self.span.clone(), message).help(format!("add {example}")));
        }
        found
    }

    /// A text.
    pub(super) fn text(&self, key: &str, problems: &mut Problems) -> Option<(String, Range<usize>)> {
        text(self.get(key)?, &self.of(key), problems)
    }

    /// A text that has to be there.
    pub(super) fn needed_text(
        &self,
        key: &str,
        example: &str,
        problems: &mut Problems,
    ) -> Option<(String, Range<usize>)> {
        text(self.needed(key, example, problems)?, &self.of(key), problems)
    }

    /// A list of texts, each with its place.
    pub(super) fn texts(&self, key: &str, problems: &mut Problems) -> Vec<(String, Range<usize>)> {
        let Some((value, span)) = self.get(key) else { return Vec::new() };
        let what = self.of(key);
        let DeValue::Array(items) = value else {
            let help = match value {
                DeValue::String(text) => format!("write `{}{key} = [{}]`", self.prefix, quote(text)),
                _ => format!("write `{}{key} = [\"...\"]`", self.prefix),
            };
            problems.push(wrong_type(value, span, &what, "a list of texts", &help));
            return Vec::new();
        };
        let item = format!("an item of {what}");
        items.iter().filter_map(|value| text((value.get_ref(), value.span()), &item, problems)).collect()
    }

    /// A whole number from `least` to `most`.
    pub(super) fn whole(&self, key: &str, least: u32, most: u32, problems: &mut Problems) -> Option<u32> {
        u32::try_from(self.number(key, least.into(), most.into(), problems)?).ok()
    }

    /// A whole number from `least` to `most`, which may be below nought.
    pub(super) fn integer(&self, key: &str, least: i32, most: i32, problems: &mut Problems) -> Option<i32> {
        i32::try_from(self.number(key, least.into(), most.into(), problems)?).ok()
    }

    fn number(&self, key: &str, least: i64, most: i64, problems: &mut Problems) -> Option<i64> {
        let (value, span) = self.get(key)?;
        let what = self.of(key);
        let range = format!("write a whole number from {least} to {most}");
        match whole_number(value) {
            Some(number) => match i64::try_from(number) {
                Ok(number) if (least..=most).contains(&number) => Some(number),
                _ => {
                    problems.push(Problem::error(span, format!("{what} cannot be {number}")).help(range));
                    None
                }
            },
            None => {
                problems.push(wrong_type(value, span, &what, "a whole number", &range));
                None
            }
        }
    }

    /// `true` or `false`; false where it is not given.
    pub(super) fn flag(&self, key: &str, problems: &mut Problems) -> bool {
        let Some((value, span)) = self.get(key) else { return false };
        match value {
            DeValue::Boolean(given) => *given,
            other => {
                let what = self.of(key);
                problems.push(wrong_type(
                    other,
                    span,
                    &what,
                    "true or false",
                    &format!("write `{}{key} = true`", self.prefix),
                ));
                false
            }
        }
    }

    /// A text with a unit, read by `parse`.
    pub(super) fn quantity<T>(
        &self,
        key: &str,
        kind: &str,
        parse: impl Fn(&str) -> Result<T, String>,
        problems: &mut Problems,
    ) -> Option<T> {
        let (value, span) = self.get(key)?;
        let what = self.of(key);
        match value {
            DeValue::String(text) => match parse(text) {
                Ok(quantity) => Some(quantity),
                Err(help) => {
                    problems.push(Problem::error(span, format!("{what}: {} is not {kind}", quote(text))).help(help));
                    None
                }
            },
            other => {
                // `parse` tells what to write.
                let shown = whole_number(other).map(|number| number.to_string()).unwrap_or_default();
                let help = parse(&shown).err().unwrap_or_else(|| "write it as a text with a unit".to_owned());
                problems.push(wrong_type(other, span, &what, &format!("{kind} as a text"), &help));
                None
            }
        }
    }

    /// One of a few words.
    pub(super) fn choice<T: Copy>(&self, key: &str, words: &[(&str, T)], problems: &mut Problems) -> Option<T> {
        let (given, span) = self.text(key, problems)?;
        let found = words.iter().find(|(word, _)| *word == given).map(|(_, value)| *value);
        if found.is_none() {
            let known: Vec<&str> = words.iter().map(|(word, _)| *word).collect();
            let message = format!("{} cannot be {}", self.of(key), quote(&given));
            let known = known.iter().map(|word| quote(word)).collect::<Vec<_>>().join(", ");
            problems.push(Problem::error(span, message).help(format!("one of: {known}")));
        }
        found
    }
}

/// The value as a text.
pub(super) fn text((value, span): Value<'_>, what: &str, problems: &mut Problems) -> Option<(String, Range<usize>)> {
    match value {
        DeValue::String(text) => Some((text.to_string(), span)),
        other => {
            let help = match other {
                DeValue::Integer(_) | DeValue::Float(_) | DeValue::Boolean(_) => "put it in quotes",
                _ => "write it in quotes: \"...\"",
            };
            problems.push(wrong_type(other, span, what, "a text", help));
            None
        }
    }
}

/// The value as a whole number, whatever its radix.
pub(super) fn whole_number(value: &DeValue<'_>) -> Option<i128> {
    match value {
        DeValue::Integer(number) => i128::from_str_radix(number.as_str(), number.radix()).ok(),
        _ => None,
    }
}

/// A value of the wrong type.
pub(super) fn wrong_type(value: &DeValue<'_>, span: Range<usize>, what: &str, wanted: &str, help: &str) -> Problem {
    let found = match value {
        DeValue::String(_) => "a text",
        DeValue::Integer(_) => "a whole number",
        DeValue::Float(_) => "a number",
        DeValue::Boolean(_) => "true or false",
        DeValue::Datetime(_) => "a date or time",
        DeValue::Array(_) => "a list",
        DeValue::Table(_) => "a table",
    };
    Problem::error(span, format!("{what} has to be {wanted}")).label(format!("this is {found}")).help(help)
}

/// The text in quotes, with control characters escaped.
pub(super) fn quote(text: &str) -> String {
    format!("\"{}\"", text.escape_debug())
}
