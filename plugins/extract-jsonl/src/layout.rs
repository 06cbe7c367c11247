//! Which columns there are, where their values stand, and of which types.

use crate::json::{Slot, Sort, read_line, unescape};
use crate::lines::Lines;
use crate::options::Settings;
use crate::path::Node;
use serde::{Deserialize, Serialize};
use sluicebox_file_read::{Guess, Kind, Source};
use sluicebox_stage::{DataType, Fault, Field, Schema};

/// A column that is read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Selected {
    pub(crate) name: String,
    pub(crate) kind: Kind,
    /// the type comes from the sample
    pub(crate) inferred: bool,
}

/// The columns that are read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Layout {
    pub(crate) selected: Vec<Selected>,
}

impl Layout {
    /// Looks into the files.
    pub(crate) fn find(sources: &[Source], settings: &Settings) -> Result<Self, Fault> {
        let names: Vec<&String> = match &settings.columns {
            Some(columns) => columns.keys().collect(),
            None => settings.types.keys().collect(),
        };
        let mut selected: Vec<Selected> = names
            .into_iter()
            .map(|name| match settings.types.get(name) {
                Some(kind) => Selected { name: name.clone(), kind: *kind, inferred: false },
                None => Selected { name: name.clone(), kind: Kind::Utf8, inferred: true },
            })
            .collect();
        if settings.columns.is_none() || selected.iter().any(|column| column.inferred) {
            selected = sample(sources, settings, selected)?;
        }
        if selected.is_empty() {
            return Err(Fault::invalid_data(
                "no columns are known: the first lines have no keys; give `columns` or `types`",
            ));
        }
        if let Some(column) = &settings.file_column
            && selected.iter().any(|known| known.name == *column)
        {
            return Err(Fault::invalid_config(format!(
                "`file-column`: there is a column {column:?} already; choose another name"
            )));
        }
        Ok(Self { selected })
    }

    /// Where the columns' values stand.
    pub(crate) fn paths(&self, settings: &Settings) -> Result<Node, Fault> {
        let names = self.selected.iter().map(|column| column.name.as_str());
        match &settings.columns {
            None => Ok(Node::of_keys(names)),
            Some(paths) => Node::of_paths(names.map(|name| paths.get(name).map_or(name, String::as_str)))
                .map_err(|why| Fault::invalid_config(format!("`columns`: {why}"))),
        }
    }

    pub(crate) fn schema(&self, settings: &Settings) -> Schema {
        let mut fields: Vec<Field> = self.selected.iter().map(|column| column.kind.field(&column.name)).collect();
        if let Some(name) = &settings.file_column {
            fields.push(Field::new(name, DataType::Utf8).not_null());
        }
        Schema::from(fields)
    }
}

/// Adds the columns that lines have, and types. Lines that are broken are passed over: the reading tells of them.
fn sample(sources: &[Source], settings: &Settings, known: Vec<Selected>) -> Result<Vec<Selected>, Fault> {
    let layout = Layout { selected: known };
    let root = layout.paths(settings)?;
    let mut selected = layout.selected;
    let mut guesses = vec![Guess::Nothing; selected.len()];
    let mut slots = vec![Slot::default(); selected.len()];
    let mut new: Vec<(String, Guess)> = Vec::new();
    let mut seen = 0;
    'files: for source in sources {
        let mut lines = Lines::open(source, settings)?;
        while let Some(line) = lines.next_line()? {
            if seen == settings.sample_rows {
                break 'files;
            }
            seen += 1;
            let bytes = lines.bytes();
            let mut found: Vec<(String, Guess)> = Vec::new();
            let read = read_line(bytes, line.start, line.end, &root, &mut slots, &mut |key, slot| {
                let mut plain = Vec::new();
                if unescape(key, &mut plain).is_ok()
                    && let Ok(key) = String::from_utf8(plain)
                {
                    found.push((key, guess(bytes, slot)));
                }
            });
            if read.is_err() || !lines.is_utf8(line) {
                continue;
            }
            for (known, slot) in guesses.iter_mut().zip(&slots) {
                *known = known.join(guess(bytes, *slot));
            }
            if settings.columns.is_some() {
                continue;
            }
            for (place, (key, guess)) in found.into_iter().enumerate() {
                let place = match new.get(place) {
                    Some((known, _)) if *known == key => Some(place),
                    _ => new.iter().position(|(known, _)| *known == key),
                };
                match place.and_then(|place| new.get_mut(place)) {
                    Some((_, known)) => *known = known.join(guess),
                    None => new.push((key, guess)),
                }
            }
            if new.len() > COLUMNS_MAX {
                return Err(Fault::invalid_data(format!(
                    "{}: lines have more than {COLUMNS_MAX} different keys; name those that are wanted in `columns`",
                    source.path
                )));
            }
        }
    }
    for (column, guess) in selected.iter_mut().zip(guesses) {
        if column.inferred {
            column.kind = guess.kind();
        }
    }
    selected.extend(new.into_iter().map(|(name, guess)| Selected { name, kind: guess.kind(), inferred: true }));
    Ok(selected)
}

/// More columns than this are a mistake, e.g. ids as keys.
const COLUMNS_MAX: usize = 10_000;

fn guess(bytes: &[u8], slot: Slot) -> Guess {
    let text = bytes.get(slot.start..slot.end).unwrap_or_default();
    match slot.sort {
        Sort::Missing | Sort::Null => Guess::Nothing,
        Sort::Boolean => Guess::Boolean,
        Sort::Number => Guess::of(text),
        Sort::Escaped | Sort::Nested => Guess::Text,
        // A number in quotes was meant as text.
        Sort::Plain => match Guess::of(text) {
            time @ (Guess::Date | Guess::Local | Guess::Zoned) => time,
            _ => Guess::Text,
        },
    }
}

/// A split, as it travels as text.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Split {
    files: Vec<Source>,
    /// name, type, whether it was inferred
    selected: Vec<(String, String, bool)>,
}

impl Split {
    pub(crate) fn encode(files: Vec<Source>, layout: &Layout) -> Result<String, Fault> {
        let selected = layout
            .selected
            .iter()
            .map(|column| (column.name.clone(), column.kind.to_string(), column.inferred))
            .collect();
        serde_json::to_string(&Self { files, selected })
            .map_err(|error| Fault::internal(format!("a split cannot be written: {error}")))
    }

    pub(crate) fn decode(text: &str) -> Result<(Vec<Source>, Layout), Fault> {
        let unreadable = |why: String| Fault::internal(format!("the split is not one of this plugin: {why}"));
        let split: Self = serde_json::from_str(text).map_err(|error| unreadable(error.to_string()))?;
        let selected = split
            .selected
            .into_iter()
            .map(|(name, kind, inferred)| Ok(Selected { name, kind: kind.parse().map_err(unreadable)?, inferred }))
            .collect::<Result<_, Fault>>()?;
        Ok((split.files, Layout { selected }))
    }
}
