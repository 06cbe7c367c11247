//! Joins columns of text.

use schemars::JsonSchema;
use serde::Deserialize;
use sluicebox_stage::{Batch, Column, Context, DataType, Fault, Field, Input, Schema, StrView, Transform, Utf8Builder};

/// What is joined.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Options {
    /// The columns, in the order in which they are joined.
    #[schemars(length(min = 1))]
    columns: Vec<String>,
    /// What stands between them.
    #[serde(default = "dash")]
    separator: String,
    /// The column that is added, or replaced.
    #[serde(default = "joined", rename = "as")]
    name: String,
}

fn dash() -> String {
    "-".into()
}

fn joined() -> String {
    "joined".into()
}

/// What is joined, and the column that comes out.
pub struct JoinText {
    options: Options,
    added: Schema,
}

impl Transform for JoinText {
    type Options = Options;

    fn open(_: &Context, options: Options, inputs: &[Input]) -> Result<(Self, Schema), Fault> {
        let mut schema = inputs.first().map(|input| input.schema.clone()).unwrap_or_default();
        for name in &options.columns {
            match schema.field(name) {
                Some(field) if field.data_type == DataType::Utf8 => {}
                Some(field) => {
                    return Err(Fault::invalid_config(format!("{field}: only utf8 can be joined; there are {schema}")));
                }
                None => return Err(Fault::invalid_config(format!("no column {name:?}; there are {schema}"))),
            }
        }
        let added = Field::new(&options.name, DataType::Utf8);
        schema.put(added.clone());
        Ok((Self { options, added: Schema::new([added]) }, schema))
    }

    fn process(&mut self, _: usize, batch: Batch) -> Result<Vec<Batch>, Fault> {
        let columns: Vec<Column> =
            self.options.columns.iter().map(|name| batch.column_named(name)).collect::<Result<_, _>>()?;
        let texts: Vec<StrView<'_>> = columns.iter().filter_map(Column::strs).collect();
        let mut joined = Utf8Builder::with_capacity(batch.rows(), 0);
        let mut text = String::new();
        for row in 0..batch.rows() {
            text.clear();
            let mut is_null = false;
            for (at, column) in texts.iter().enumerate() {
                if at > 0 {
                    text.push_str(&self.options.separator);
                }
                match column.get(row) {
                    Some(part) => text.push_str(part),
                    None => is_null = true,
                }
            }
            joined.push_option((!is_null).then_some(text.as_str()));
        }
        Ok(vec![batch.with_columns(self.added.clone(), vec![joined.finish()])?])
    }
}

sluicebox_stage::export!(JoinText, kind: transform, summary: "Joins columns of text", stateless: true);

#[cfg(test)]
mod tests {
    use super::*;
    use sluicebox_stage::testing::{self, batch};

    fn opened(batch: &Batch, json: &str) -> Result<(JoinText, Schema), Fault> {
        let input = Input { name: "read".into(), schema: batch.schema().clone() };
        JoinText::open(&testing::context(), testing::options(json).unwrap(), &[input])
    }

    #[test]
    fn texts_are_joined() {
        let flights = batch! { "origin" => ["JFK", "LGA"], "dest" => [Some("BQN"), None] };
        let (mut stage, schema) = opened(&flights, r#"{ "columns": ["origin", "dest"] }"#).unwrap();
        let out = stage.process(0, flights).unwrap();
        assert_eq!(out[0].schema(), &schema);
        let joined = out[0].column_named("joined").unwrap();
        assert_eq!(joined.strs().unwrap().iter().collect::<Vec<_>>(), [Some("JFK-BQN"), None]);
    }

    #[test]
    fn only_text_is_joined() {
        let flights = batch! { "origin" => ["JFK"], "distance" => [1576_i64] };
        for (columns, told) in [("distance", "only utf8"), ("dest", "no column \"dest\"; there are origin")] {
            let fault = opened(&flights, &format!(r#"{{ "columns": ["{columns}"] }}"#)).err().unwrap();
            assert!(fault.message.contains(told), "{}", fault.message);
        }
    }
}
