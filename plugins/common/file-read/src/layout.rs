//! Which columns are read, and of which types.

use crate::{FileSettings, Kind};
use serde::{Deserialize, Serialize};
use sluicebox_stage::{DataType, Fault, Field, Schema};

/// A column that is read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(into = "(String, String, bool)", try_from = "(String, String, bool)")]
pub struct Selected {
    /// Its name.
    pub name: String,
    /// Its type.
    pub kind: Kind,
    /// The type comes from the sample.
    pub inferred: bool,
}

impl From<Selected> for (String, String, bool) {
    fn from(column: Selected) -> Self {
        (column.name, column.kind.to_string(), column.inferred)
    }
}

impl TryFrom<(String, String, bool)> for Selected {
    type Error = String;

    fn try_from((name, kind, inferred): (String, String, bool)) -> Result<Self, String> {
        Ok(Self { name, kind: kind.parse()?, inferred })
    }
}

impl Selected {
    /// A column whose type is given in `types`, or is to be inferred (text as long as nothing is known).
    #[must_use]
    pub fn new(name: &str, settings: &FileSettings) -> Self {
        let given = settings.types.get(name);
        Self { name: name.into(), kind: given.copied().unwrap_or(Kind::Utf8), inferred: given.is_none() }
    }
}

/// The columns that are read. It is kept in splits and bookmarks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Layout {
    /// The columns that are read, in their order.
    pub selected: Vec<Selected>,
    /// All columns of a file, where its records are numbered fields.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub names: Vec<String>,
    /// The file that the names are from.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub from: String,
    /// Every column there was is read: none were chosen.
    #[serde(default)]
    pub all: bool,
}

impl Layout {
    /// The schema of pages.
    #[must_use]
    pub fn schema(&self, settings: &FileSettings) -> Schema {
        let mut fields: Vec<Field> = self.selected.iter().map(|column| column.kind.field(&column.name)).collect();
        if let Some(name) = &settings.file_column {
            fields.push(Field::new(name, DataType::Utf8).not_null());
        }
        Schema::from(fields)
    }

    /// The type that a column has had.
    #[must_use]
    pub fn kind_of(&self, name: &str) -> Option<Kind> {
        self.selected.iter().find(|column| column.name == name).map(|column| column.kind)
    }

    /// These columns with types from the options, else as they were; none where one has not been read before.
    #[must_use]
    pub fn select<'a>(
        &self,
        wanted: impl Iterator<Item = &'a String>,
        settings: &FileSettings,
    ) -> Option<Vec<Selected>> {
        wanted
            .map(|name| {
                let column = Selected::new(name, settings);
                let kind = if column.inferred { self.kind_of(name)? } else { column.kind };
                Some(Selected { kind, ..column })
            })
            .collect()
    }

    /// Gives columns whose type was inferred the type that they have had.
    pub fn keep_kinds(&mut self, known: &Self) {
        for column in self.selected.iter_mut().filter(|column| column.inferred) {
            column.kind = known.kind_of(&column.name).unwrap_or(column.kind);
        }
    }

    /// Checks that the column of the path has a name of its own.
    ///
    /// # Errors
    /// `invalid-config` where it has not.
    pub fn check_file_column(&self, settings: &FileSettings) -> Result<(), Fault> {
        match &settings.file_column {
            Some(column) if self.selected.iter().any(|known| known.name == *column) => Err(Fault::invalid_config(
                format!("`file-column`: there is a column {column:?} already; choose another name"),
            )),
            _ => Ok(()),
        }
    }
}
