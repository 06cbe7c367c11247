//! The options of the stage.

use std::fmt;

use schemars::JsonSchema;
use serde::de::{MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};
use sluicebox_stage::Fault;

/// How the second input (the table) is joined to the first (the stream).
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Options {
    /// The key: a column of both inputs ("carrier"), several (["origin", "year"]), or, where the names differ, a table
    /// from column of the stream to column of the table ({ dest = "faa" }).
    #[schemars(with = "Names")]
    pub on: Pairs,
    /// The columns to take from the table: names (["name"]), or a table from new name to the table's name
    /// ({ carrier_name = "name" }). They are added behind the stream's columns.
    #[schemars(with = "Names")]
    pub take: Pairs,
    /// What becomes of a row whose key the table does not have: "null" (it goes on with nulls), "drop" (it is left
    /// out) or "fail". A null in the key matches nothing.
    #[serde(default)]
    pub missing: Option<Missing>,
    /// The same in SQL's words: "left" is missing = "null", "inner" is missing = "drop". One of the two is enough.
    #[serde(default)]
    pub join: Option<Join>,
    /// What happens where the table has a key more than once: "fail", or "first" to take its first row.
    #[serde(default)]
    pub duplicates: Duplicates,
}

/// For the schema: one name, several, or a table from name to name.
#[derive(JsonSchema)]
#[serde(untagged)]
#[allow(dead_code, reason = "describes what `Pairs` reads")]
enum Names {
    One(String),
    Several(Vec<String>),
    Pairs(std::collections::BTreeMap<String, String>),
}

/// Pairs of names in the order of the file; a bare name is a pair of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pairs(pub Vec<(String, String)>);

impl<'de> Deserialize<'de> for Pairs {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Read;
        impl<'de> Visitor<'de> for Read {
            type Value = Pairs;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a column's name, a list of names, or a table from name to name")
            }

            fn visit_str<E>(self, name: &str) -> Result<Pairs, E> {
                Ok(Pairs(vec![(name.to_owned(), name.to_owned())]))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut names: A) -> Result<Pairs, A::Error> {
                let mut pairs = Vec::new();
                while let Some(name) = names.next_element::<String>()? {
                    pairs.push((name.clone(), name));
                }
                Ok(Pairs(pairs))
            }

            fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Pairs, A::Error> {
                let mut pairs = Vec::new();
                while let Some(pair) = entries.next_entry()? {
                    pairs.push(pair);
                }
                Ok(Pairs(pairs))
            }
        }
        deserializer.deserialize_any(Read)
    }
}

/// What becomes of a row that finds nothing in the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Missing {
    /// It goes on, the taken columns null.
    Null,
    /// It is left out.
    Drop,
    /// The run fails.
    Fail,
}

/// The kind of join.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Join {
    /// Every row of the stream goes on.
    Left,
    /// Only rows with a match go on.
    Inner,
}

/// What happens where the table has a key more than once.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Duplicates {
    /// The run fails, and names the key.
    #[default]
    Fail,
    /// The first row counts.
    First,
}

impl Options {
    /// What `missing` and `join` say together; without either, `null`.
    ///
    /// # Errors
    /// `invalid-config` where they contradict each other.
    pub(crate) fn missing(&self) -> Result<Missing, Fault> {
        match (self.missing, self.join) {
            (None, None | Some(Join::Left)) => Ok(Missing::Null),
            (None, Some(Join::Inner)) => Ok(Missing::Drop),
            (Some(Missing::Drop | Missing::Fail), Some(Join::Left)) => Err(Fault::invalid_config(
                "join = \"left\" keeps every row, and `missing` says otherwise; write one of the two",
            )),
            (Some(Missing::Null), Some(Join::Inner)) => Err(Fault::invalid_config(
                "join = \"inner\" drops rows without a match, and missing = \"null\" keeps them; write one of the two",
            )),
            (Some(missing), _) => Ok(missing),
        }
    }
}
