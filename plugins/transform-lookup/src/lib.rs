//! Joins columns of a second input by key.

mod index;
mod keys;
mod options;
mod table;

use sluicebox_stage::{Batch, Context, Fault, Field, Input, Mask, Schema, Transform, count};
use strsim::jaro_winkler;

use index::Index;
use keys::{KeyType, Keys};
use options::Pairs;
pub use options::{Duplicates, Join, Missing, Options};
use table::Table;

/// The stream's rows with columns of the table added behind.
pub struct Lookup {
    on: Vec<(String, String)>,
    /// positions of the key's columns
    stream_keys: Vec<usize>,
    table_keys: Vec<usize>,
    wide: bool,
    missing: Missing,
    duplicates: Duplicates,
    table_name: String,
    gathered: Vec<Batch>,
    take: Vec<(usize, Field)>,
    table: Option<(Index, Table)>,
}

impl Transform for Lookup {
    type Options = Options;

    fn open(_: &Context, options: Options, inputs: &[Input]) -> Result<(Self, Schema), Fault> {
        let [stream, table] = inputs else {
            return Err(Fault::invalid_config(format!(
                "transform-lookup takes two inputs, and has {}: write inputs = [\"the stream\", \"the table\"], the rows that go on first",
                inputs.len()
            )));
        };
        let missing = options.missing()?;
        let Pairs(on) = options.on;
        if on.is_empty() {
            return Err(Fault::invalid_config("`on` is empty; name the column to join by, e.g. on = \"carrier\""));
        }
        let (mut stream_keys, mut table_keys, mut wide) = (Vec::new(), Vec::new(), false);
        for (stream_column, table_column) in &on {
            let (left, left_field) = find(stream, stream_column, "on")?;
            let (right, right_field) = find(table, table_column, "on")?;
            let (left_type, right_type) =
                (KeyType::of(left_field, &stream.name)?, KeyType::of(right_field, &table.name)?);
            if left_type != right_type {
                return Err(Fault::invalid_config(format!(
                    "`on`: `{stream_column}` of `{}` holds {} ({}) and `{table_column}` of `{}` holds {} ({}), which never match; cast one of them before this stage (transform-select)",
                    stream.name,
                    left_type.name(),
                    type_text(left_field),
                    table.name,
                    right_type.name(),
                    type_text(right_field)
                )));
            }
            wide |= [left_field, right_field].iter().any(|field| KeyType::is_wide(field));
            stream_keys.push(left);
            table_keys.push(right);
        }
        let Pairs(wanted) = options.take;
        if wanted.is_empty() {
            return Err(Fault::invalid_config(
                "`take` is empty; name the columns to take from the table, e.g. take = { carrier_name = \"name\" }",
            ));
        }
        let mut schema = stream.schema.clone();
        let mut take = Vec::new();
        for (new_name, table_column) in wanted {
            let (position, field) = find(table, &table_column, "take")?;
            if schema.field(&new_name).is_some() {
                return Err(Fault::invalid_config(format!(
                    "`take`: there is a column `{new_name}` already; give the new one another name, e.g. take = {{ {}_{new_name} = \"{table_column}\" }}",
                    table.name
                )));
            }
            let mut field = field.clone().named(&new_name);
            field.nullable |= missing == Missing::Null;
            table::check(&field, missing)?;
            schema.push(field.clone());
            take.push((position, field));
        }
        let lookup = Self {
            on,
            stream_keys,
            table_keys,
            wide,
            missing,
            duplicates: options.duplicates,
            table_name: table.name.clone(),
            gathered: Vec::new(),
            take,
            table: None,
        };
        Ok((lookup, schema))
    }

    fn process(&mut self, input: usize, batch: Batch) -> Result<Vec<Batch>, Fault> {
        if input != 0 {
            self.gathered.push(batch);
            return Ok(Vec::new());
        }
        let (index, table) = match self.table.take() {
            Some(table) => table,
            None => self.build()?,
        };
        let answer = self.join(&index, &table, batch);
        self.table = Some((index, table));
        answer
    }
}

impl Lookup {
    /// The table, once all of it is there.
    fn build(&mut self) -> Result<(Index, Table), Fault> {
        let gathered = std::mem::take(&mut self.gathered);
        let (keys, table) = Table::of(&gathered, &self.table_keys, self.wide, &self.take, self.missing)?;
        let (index, duplicate) = Index::of(keys);
        if let (Some(row), Duplicates::Fail) = (duplicate, self.duplicates) {
            let key = table::key_text(&gathered, &self.table_keys, row)?;
            return Err(Fault::invalid_data(format!(
                "`{}` has the key {key} ({}) more than once; make its rows unique, or write duplicates = \"first\" to take the first of them",
                self.table_name,
                self.on.iter().map(|pair| pair.1.as_str()).collect::<Vec<_>>().join(", ")
            )));
        }
        Ok((index, table))
    }

    fn join(&self, index: &Index, table: &Table, batch: Batch) -> Result<Vec<Batch>, Fault> {
        let keys = Keys::of(&batch, &self.stream_keys, self.wide)?;
        let rows = keys.rows();
        let mut positions = Vec::with_capacity(rows);
        let mut first_missing = None;
        let mut matched = Vec::new();
        if self.missing == Missing::Drop {
            let mut mask = Mask::none(rows);
            index.find(&keys, |row, found| {
                if let Some(found) = found {
                    positions.push(found);
                    mask.set(row, true);
                }
            });
            matched = mask.into_bytes();
        } else {
            index.find(&keys, |row, found| {
                if found.is_none() && first_missing.is_none() {
                    first_missing = Some(row);
                }
                positions.push(found.unwrap_or(table.null_row()));
            });
        }
        let found = match self.missing {
            Missing::Drop => positions.len(),
            _ if first_missing.is_none() => rows,
            _ => positions.iter().filter(|position| **position != table.null_row()).count(),
        };
        count("matched", found as u64);
        count("missing", (rows - found) as u64);
        match (self.missing, first_missing) {
            (Missing::Fail, Some(row)) => {
                let key = table::key_text(std::slice::from_ref(&batch), &self.stream_keys, row)?;
                return Err(Fault::invalid_data(format!(
                    "the key {key} ({}) is not in `{}`; add it there, or write missing = \"null\" or missing = \"drop\"",
                    self.on.iter().map(|pair| pair.0.as_str()).collect::<Vec<_>>().join(", "),
                    self.table_name
                ))
                .at_row(row));
            }
            (Missing::Drop, _) if found == 0 => return Ok(Vec::new()),
            _ => {}
        }
        let stream = if self.missing == Missing::Drop && found < rows {
            batch.filter(&Mask::from_bits(matched, rows))?
        } else {
            batch
        };
        Ok(vec![stream.zip(&table.take(&positions)?)?])
    }
}

/// A column by name, and what it may have been meant to be.
fn find<'a>(input: &'a Input, name: &str, option: &str) -> Result<(usize, &'a Field), Fault> {
    if let Some((position, field)) = input.schema.iter().enumerate().find(|(_, field)| field.name == name) {
        return Ok((position, field));
    }
    let alike = input.schema.names().map(|column| (jaro_winkler(column, name), column));
    let closest = alike.filter(|(likeness, _)| *likeness > 0.8).max_by(|a, b| a.0.total_cmp(&b.0));
    let hint = match closest {
        Some((_, column)) => format!("did you mean `{column}`?"),
        None => format!("it has {}", input.schema.names().collect::<Vec<_>>().join(", ")),
    };
    Err(Fault::invalid_config(format!("`{option}`: `{}` has no column `{name}`; {hint}", input.name)))
}

fn type_text(field: &Field) -> String {
    match &field.detail {
        Some(detail) => format!("{}({detail})", field.data_type),
        None => field.data_type.to_string(),
    }
}

sluicebox_stage::export!(Lookup, kind: transform, summary: "Joins columns of a second input by key", stateless: false);
sluicebox_stage::readme_test!();
