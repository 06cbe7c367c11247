//! Which columns there are, and of which types.

use crate::field::Text;
use crate::lines::{Lines, Part};
use crate::options::{Settings, first_twice};
use crate::records::{Segment, segments};
use serde::{Deserialize, Serialize};
use sluicebox_file_read::{Guess, Kind, Source, shown};
use sluicebox_stage::{DataType, Fault, Field, Schema};

/// A column that is read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Selected {
    pub(crate) name: String,
    pub(crate) kind: Kind,
    /// the type comes from the sample
    pub(crate) inferred: bool,
}

/// The columns that the files have, and those that are read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Layout {
    /// one for each field of a record
    pub(crate) names: Vec<String>,
    pub(crate) selected: Vec<Selected>,
    /// the file that the names are from
    pub(crate) from: String,
}

/// Headers of more files than this are looked at only when their turn comes.
const HEADERS_LOOKED_AT_MAX: usize = 100;

impl Layout {
    /// Looks into the files.
    pub(crate) fn find(sources: &[Source], settings: &Settings) -> Result<Self, Fault> {
        let mut layout: Option<Self> = None;
        let mut sample = Sample::default();
        for (i, source) in sources.iter().enumerate() {
            let wanting = layout.as_ref().is_none_or(|layout| sample.wants_more(layout, settings));
            if !wanting && (!settings.header || i >= HEADERS_LOOKED_AT_MAX) {
                break;
            }
            let mut lines = Lines::open(source, settings)?;
            let Some(names) = names_of(&mut lines, settings)? else { continue };
            let layout = match &mut layout {
                Some(layout) => layout,
                None => layout.insert(Self::of_names(names.clone(), settings, &source.path)?),
            };
            let order = layout.order(&names, &source.path)?;
            if sample.wants_more(layout, settings) {
                sample.add(&mut lines, layout, &order, settings)?;
            }
        }
        let Some(mut layout) = layout else {
            let which = match sources {
                [one] => format!("{} is empty: it has", one.path),
                _ => "all files are empty: they have".into(),
            };
            return match &settings.names {
                Some(names) => {
                    let path = sources.first().map_or("", |source| &source.path);
                    Self::of_names(names.clone(), settings, path)
                }
                None => Err(Fault::invalid_data(format!("{which} no header that names the columns; give `names`"))),
            };
        };
        for (selected, guess) in layout.selected.iter_mut().zip(sample.guesses) {
            if selected.inferred {
                selected.kind = guess.kind();
            }
        }
        Ok(layout)
    }

    fn of_names(names: Vec<String>, settings: &Settings, path: &str) -> Result<Self, Fault> {
        if let Some(name) = first_twice(&names) {
            return Err(Fault::invalid_data(format!(
                "{path}: the header names {} twice; give other names by `names`",
                shown(name.as_bytes())
            )));
        }
        let known = |name: &String, option: &str| {
            if names.contains(name) {
                return Ok(());
            }
            Err(Fault::invalid_config(format!("`{option}`: {path} has no column {name:?}; it has {}", list(&names))))
        };
        for name in settings.types.keys() {
            known(name, "types")?;
        }
        let wanted = settings.columns.as_ref().unwrap_or(&names);
        for name in wanted {
            known(name, "columns")?;
        }
        if let Some(column) = settings.file_column.as_ref().filter(|column| wanted.contains(column)) {
            return Err(Fault::invalid_config(format!(
                "`file-column`: there is a column {column:?} already; choose another name"
            )));
        }
        let selected = wanted
            .iter()
            .map(|name| match settings.types.get(name) {
                Some(kind) => Selected { name: name.clone(), kind: *kind, inferred: false },
                None => Selected { name: name.clone(), kind: Kind::Utf8, inferred: true },
            })
            .collect();
        Ok(Self { names, selected, from: path.into() })
    }

    /// For each column that is read, the number of its field in a file whose fields are called `names`.
    pub(crate) fn order(&self, names: &[String], path: &str) -> Result<Vec<usize>, Fault> {
        let missing: Vec<String> = self.names.iter().filter(|name| !names.contains(name)).cloned().collect();
        let added: Vec<String> = names.iter().filter(|name| !self.names.contains(name)).cloned().collect();
        if !missing.is_empty() || !added.is_empty() || names.len() != self.names.len() {
            let mut how = Vec::new();
            if !missing.is_empty() {
                how.push(format!("lacks {}", list(&missing)));
            }
            if !added.is_empty() {
                how.push(format!("has {} besides", list(&added)));
            }
            if how.is_empty() {
                how.push("names a column twice".into());
            }
            return Err(Fault::invalid_data(format!(
                "{path} has not the columns of {}: it {}; read files of another form in a stage of their own",
                self.from,
                how.join(" and ")
            )));
        }
        Ok(self.selected.iter().filter_map(|selected| names.iter().position(|name| *name == selected.name)).collect())
    }

    pub(crate) fn schema(&self, settings: &Settings) -> Schema {
        let mut fields: Vec<Field> = self.selected.iter().map(|column| column.kind.field(&column.name)).collect();
        if let Some(name) = &settings.file_column {
            fields.push(Field::new(name, DataType::Utf8).not_null());
        }
        Schema::from(fields)
    }
}

/// The names of a file's fields; its header is passed over. None: the file is empty.
pub(crate) fn names_of(lines: &mut Lines, settings: &Settings) -> Result<Option<Vec<String>>, Fault> {
    let Some((line, first)) = lines.one_record(settings.header)? else { return Ok(None) };
    if first.iter().any(|text| text.contains('\r') && !text.contains('\n')) {
        return Err(Fault::invalid_data(format!(
            "{}:{line}: lines end with a carriage return alone, as on old Macs; convert them first",
            lines.path
        )));
    }
    if let Some(names) = &settings.names {
        if names.len() != first.len() {
            return Err(Fault::invalid_config(format!(
                "`names` names {} columns, and {}:{line} has {} fields",
                names.len(),
                lines.path,
                first.len()
            )));
        }
        return Ok(Some(names.clone()));
    }
    let numbered = |i: usize| format!("column_{}", i + 1);
    let mut names: Vec<String> = if settings.header { first } else { vec![String::new(); first.len()] };
    for (i, name) in names.iter_mut().enumerate() {
        if name.is_empty() {
            *name = numbered(i);
        }
    }
    Ok(Some(names))
}

/// Names for a message, some of them.
fn list(names: &[String]) -> String {
    const SHOWN_MAX: usize = 30;
    let mut text = names.iter().take(SHOWN_MAX).map(|name| shown(name.as_bytes())).collect::<Vec<_>>().join(", ");
    if names.len() > SHOWN_MAX {
        text.push_str(&format!(" and {} more", names.len() - SHOWN_MAX));
    }
    text
}

/// What the values looked at could be.
#[derive(Debug, Default)]
struct Sample {
    guesses: Vec<Guess>,
    records: usize,
}

impl Sample {
    fn wants_more(&self, layout: &Layout, settings: &Settings) -> bool {
        self.records < settings.sample_rows && layout.selected.iter().any(|column| column.inferred)
    }

    fn add(&mut self, lines: &mut Lines, layout: &Layout, order: &[usize], settings: &Settings) -> Result<(), Fault> {
        self.guesses.resize(layout.selected.len(), Guess::Nothing);
        let mut parts = Vec::new();
        let mut scratch = Vec::new();
        let width = layout.names.len();
        while self.records < settings.sample_rows {
            match lines.advance()? {
                Part::End => break,
                // The reading tells of it.
                Part::Unclosed => break,
                Part::Records => {}
            }
            let fields = lines.fields(width);
            let scan = lines.scan();
            segments(&fields, scan.records, scan.ascii, &mut parts);
            for part in &parts {
                let Segment::Good { first, records } = *part else { continue };
                let records = records.min(settings.sample_rows - self.records);
                self.records += records;
                for ((selected, guess), field) in layout.selected.iter().zip(&mut self.guesses).zip(order) {
                    if !selected.inferred {
                        continue;
                    }
                    for record in 0..records {
                        if *guess == Guess::Text {
                            break;
                        }
                        let (start, end) = fields.span(first + record * width + field, field + 1 == width);
                        if let Text::Plain(text) | Text::Quoted(text) = fields.text(start, end, &mut scratch)
                            && !settings.nulls.has(text)
                        {
                            *guess = guess.join(Guess::of(text));
                        }
                    }
                }
            }
        }
        Ok(())
    }
}

/// A split, as it travels as text.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Split {
    files: Vec<Source>,
    names: Vec<String>,
    from: String,
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
        let split = Self { files, names: layout.names.clone(), from: layout.from.clone(), selected };
        serde_json::to_string(&split).map_err(|error| Fault::internal(format!("a split cannot be written: {error}")))
    }

    pub(crate) fn decode(text: &str) -> Result<(Vec<Source>, Layout), Fault> {
        let unreadable = |why: String| Fault::internal(format!("the split is not one of this plugin: {why}"));
        let split: Self = serde_json::from_str(text).map_err(|error| unreadable(error.to_string()))?;
        let selected = split
            .selected
            .into_iter()
            .map(|(name, kind, inferred)| Ok(Selected { name, kind: kind.parse().map_err(unreadable)?, inferred }))
            .collect::<Result<_, Fault>>()?;
        Ok((split.files, Layout { names: split.names, selected, from: split.from }))
    }
}
