//! The options of the stage.

use std::{collections::BTreeMap, fmt};

use schemars::JsonSchema;
use serde::de::{MapAccess, Visitor};
use serde::{Deserialize, Deserializer};

/// Which columns and rows go on, and what is computed. The filter looks first; then, on the rows that it keeps, columns
/// are cast and computed. Every option speaks of the columns as they come in: an expression does not see another's answer.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct Options {
    /// A condition; the rows where it is true go on: "arr_delay is not null".
    pub filter: Option<String>,
    /// The columns that go on, in this order; the other columns do not. Computed columns may be named too; those that are
    /// not named stand behind.
    pub keep: Option<Vec<String>>,
    /// The columns that do not go on.
    pub drop: Vec<String>,
    /// New names, from new name to old: { destination = "dest" }.
    #[schemars(with = "BTreeMap<String, String>")]
    pub rename: Pairs,
    /// New types, from column to type: { flight = "utf8", price = "decimal(10, 2)" }. A value that does not fit fails the
    /// run; "try_cast(flight as int64)" under `columns` makes it null.
    #[schemars(with = "BTreeMap<String, String>")]
    pub cast: Pairs,
    /// Computed columns, from name to SQL expression: { speed = "distance / air_time * 60" }. A column of the same name is
    /// replaced where it stands; a new one comes behind the others.
    #[schemars(with = "BTreeMap<String, String>")]
    pub columns: Pairs,
}

/// Names and texts in the order of the file.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Pairs(pub Vec<(String, String)>);

impl<'de> Deserialize<'de> for Pairs {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Read;
        impl<'de> Visitor<'de> for Read {
            type Value = Pairs;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a table from name to text")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Pairs, A::Error> {
                let mut pairs = Vec::new();
                while let Some(pair) = entries.next_entry()? {
                    pairs.push(pair);
                }
                Ok(Pairs(pairs))
            }
        }
        deserializer.deserialize_map(Read)
    }
}
