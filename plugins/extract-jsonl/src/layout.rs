//! Which columns there are, where their values stand, and of which types.

use crate::json::{Slot, Sort, read_line, unescape};
use crate::lines::Lines;
use crate::options::Settings;
use crate::path::Node;
use sluicebox_file_read::{Guess, Layout, Selected, Source};
use sluicebox_stage::Fault;

/// The columns: those that are known, as far as the options still are as they were, else those that the files have.
pub(crate) fn layout(sources: &[Source], settings: &Settings, known: Option<&Layout>) -> Result<Layout, Fault> {
    let layout = match known {
        Some(known) => match reuse(known, settings) {
            Some(layout) => layout,
            None => {
                let mut layout = find(sources, settings)?;
                layout.keep_kinds(known);
                layout
            }
        },
        None => find(sources, settings)?,
    };
    layout.check_file_column(&settings.files)?;
    Ok(layout)
}

/// None: one of the columns has not been read before.
fn reuse(known: &Layout, settings: &Settings) -> Option<Layout> {
    let selected = match &settings.columns {
        Some(columns) => known.select(columns.keys(), &settings.files)?,
        None if known.all => {
            let mut names: Vec<&String> = known.selected.iter().map(|column| &column.name).collect();
            names.extend(settings.files.types.keys().filter(|name| known.kind_of(name).is_none()));
            known.select(names.into_iter(), &settings.files)?
        }
        None => return None,
    };
    Some(Layout { selected, all: settings.columns.is_none(), ..known.clone() })
}

/// Looks into the files.
fn find(sources: &[Source], settings: &Settings) -> Result<Layout, Fault> {
    let names: Vec<&String> = match &settings.columns {
        Some(columns) => columns.keys().collect(),
        None => settings.files.types.keys().collect(),
    };
    let mut selected: Vec<Selected> = names.into_iter().map(|name| Selected::new(name, &settings.files)).collect();
    let mut broken = None;
    if settings.columns.is_none() || selected.iter().any(|column| column.inferred) {
        (selected, broken) = sample(sources, settings, selected)?;
    }
    if selected.is_empty() {
        return Err(Fault::invalid_data(match broken {
            Some(broken) => format!("no line that was looked at can be read; the first: {broken}"),
            None => "no columns are known: the first lines have no keys; give `columns` or `types`".to_owned(),
        }));
    }
    Ok(Layout { selected, names: Vec::new(), from: String::new(), all: settings.columns.is_none() })
}

/// Where the columns' values stand.
pub(crate) fn paths(selected: &[Selected], settings: &Settings) -> Result<Node, Fault> {
    let names = selected.iter().map(|column| column.name.as_str());
    match &settings.columns {
        None => Ok(Node::of_keys(names)),
        Some(paths) => Node::of_paths(names.map(|name| paths.get(name).map_or(name, String::as_str)))
            .map_err(|why| Fault::invalid_config(format!("`columns`: {why}"))),
    }
}

/// Adds the columns that lines have, and types. Lines that are broken are passed over: the reading tells of them. Also
/// answers with what is wrong with the first of them.
fn sample(
    sources: &[Source],
    settings: &Settings,
    known: Vec<Selected>,
) -> Result<(Vec<Selected>, Option<String>), Fault> {
    let root = paths(&known, settings)?;
    let mut selected = known;
    let mut guesses = vec![Guess::Nothing; selected.len()];
    let mut slots = vec![Slot::default(); selected.len()];
    let mut new: Vec<(String, Guess)> = Vec::new();
    let mut seen = 0;
    let mut broken = None;
    'files: for source in sources {
        let mut lines = Lines::open(source, &settings.files)?;
        while let Some(line) = lines.next_line()? {
            if seen == settings.files.sample_rows {
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
            let wrong = match read {
                _ if !lines.is_utf8(line) => Some("it is not UTF-8".to_owned()),
                Err(wrong) => Some(format!("at byte {}: {}", wrong.at + 1, wrong.what)),
                Ok(()) => None,
            };
            if let Some(wrong) = wrong {
                broken.get_or_insert_with(|| format!("{}:{}: {wrong}", source.path, line.number));
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
    Ok((selected, broken))
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
