//! Makes numbered rows, and resumes behind them.

use schemars::JsonSchema;
use serde::Deserialize;
use sluicebox_stage::{
    Batch, Column, Context, DataType, Extract, Fault, Field, Float64Builder, Page, Schema, Utf8Builder,
};

/// How many rows.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Options {
    /// How many rows a run makes.
    #[schemars(range(min = 0))]
    rows: u64,
    /// The first number of the first run.
    #[serde(default)]
    start: i64,
    /// Rows of a page.
    #[serde(default = "batch")]
    #[schemars(range(min = 1, max = 65_536))]
    batch: u32,
}

fn batch() -> u32 {
    8192
}

/// The numbers that are left.
pub struct Numbers {
    first: i64,
    next: i64,
    end: i64,
    batch: i64,
    schema: Schema,
}

impl Extract for Numbers {
    type Options = Options;

    fn open(_: &Context, options: Options, bookmark: Option<&str>) -> Result<(Self, Schema), Fault> {
        let first = match bookmark {
            Some(text) => text.parse().map_err(|_| {
                Fault::invalid_config(format!("the bookmark {text:?} is no number; set it to the next one"))
            })?,
            None => options.start,
        };
        let end = i64::try_from(options.rows).ok().and_then(|rows| first.checked_add(rows));
        let end =
            end.ok_or_else(|| Fault::invalid_config(format!("rows: {} more than {first} is too much", options.rows)))?;
        let schema = Schema::new([
            Field::new("n", DataType::Int64).not_null(),
            Field::new("label", DataType::Utf8),
            Field::new("half", DataType::Float64).not_null(),
        ]);
        Ok((Self { first, next: first, end, batch: options.batch.into(), schema: schema.clone() }, schema))
    }

    fn next(&mut self) -> Result<Option<Page>, Fault> {
        if self.next >= self.end {
            return Ok(None);
        }
        let numbers = self.next..self.end.min(self.next.saturating_add(self.batch));
        self.next = numbers.end;
        let mut labels = Utf8Builder::new();
        let mut halves = Float64Builder::new();
        for n in numbers.clone() {
            labels.push_option((n.rem_euclid(10) != 9).then(|| format!("row {n}")).as_deref());
            halves.push(n as f64 / 2.0);
        }
        let columns = vec![Column::from_i64(numbers.collect()), labels.finish(), halves.finish()];
        let page = Page::new(Batch::from_columns(self.schema.clone(), columns)?).with_bookmark(self.next.to_string());
        let done = (self.next - self.first) as f64 / (self.end - self.first) as f64;
        Ok(Some(page.with_progress(done as f32)))
    }
}

sluicebox_stage::export!(Numbers, kind: extract, summary: "Makes numbered rows");

#[cfg(test)]
mod tests {
    use super::*;
    use sluicebox_stage::testing::{context, options};

    fn pages(json: &str, bookmark: Option<&str>) -> Vec<Page> {
        let (mut stage, _) = Numbers::open(&context(), options(json).unwrap(), bookmark).unwrap();
        std::iter::from_fn(|| stage.next().unwrap()).collect()
    }

    #[test]
    fn pages_have_bookmarks_and_progress() {
        let pages = pages(r#"{ "rows": 5, "batch": 2 }"#, None);
        let told: Vec<_> = pages.iter().map(|page| (page.batch.rows(), page.bookmark.as_deref().unwrap())).collect();
        assert_eq!(told, [(2, "2"), (2, "4"), (1, "5")]);
        assert_eq!(pages[1].progress, Some(0.8));
    }

    #[test]
    fn a_bookmark_is_where_it_begins() {
        let pages = pages(r#"{ "rows": 1, "start": 7 }"#, Some("19"));
        let label = pages[0].batch.column_named("label").unwrap();
        assert_eq!((label.null_count(), pages[0].bookmark.as_deref()), (1, Some("20")));
    }

    #[test]
    fn a_bookmark_of_something_else_is_told() {
        let opened = Numbers::open(&context(), options(r#"{ "rows": 1 }"#).unwrap(), Some("yesterday"));
        assert!(opened.err().unwrap().message.contains("yesterday"));
    }
}
