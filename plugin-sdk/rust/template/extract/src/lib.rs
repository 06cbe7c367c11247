//! An extract: the numbers from 0 up to a bound, in pages, and resumes behind them.

use schemars::JsonSchema;
use serde::Deserialize;
use sluicebox_stage::{Batch, Column, Context, DataType, Extract, Fault, Field, Page, Schema};

/// Makes numbers.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Options {
    /// How many numbers to make.
    pub up_to: i64,
    /// Rows of a page.
    #[serde(default = "page")]
    pub page: i64,
}

fn page() -> i64 {
    8192
}

/// The numbers that are left.
pub struct {{NamePascal}} {
    next: i64,
    end: i64,
    page: i64,
    schema: Schema,
}

impl {{NamePascal}} {
    fn new(next: i64, end: i64, page: i64) -> (Self, Schema) {
        let schema = Schema::new([Field::new("number", DataType::Int64).not_null()]);
        (Self { next, end, page, schema: schema.clone() }, schema)
    }
}

impl Extract for {{NamePascal}} {
    type Options = Options;

    fn open(_: &Context, options: Options, bookmark: Option<&str>) -> Result<(Self, Schema), Fault> {
        if options.page < 1 {
            return Err(Fault::invalid_config("page has to be 1 or more"));
        }
        let next = match bookmark {
            Some(text) => {
                text.parse().map_err(|_| Fault::invalid_data(format!("the bookmark {text:?} is no number")))?
            }
            None => 0,
        };
        Ok(Self::new(next, options.up_to, options.page))
    }

    fn next(&mut self) -> Result<Option<Page>, Fault> {
        if self.next >= self.end {
            return Ok(None);
        }
        let end = self.end.min(self.next.saturating_add(self.page));
        let numbers = Column::from_i64((self.next..end).collect());
        self.next = end;
        let batch = Batch::from_columns(self.schema.clone(), vec![numbers])?;
        Ok(Some(Page::new(batch).with_bookmark(end.to_string()).with_progress(end as f32 / self.end as f32)))
    }
}

sluicebox_stage::export!({{NamePascal}}, kind: extract, summary: "Makes numbers");

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use sluicebox_stage::testing;

    fn rest(mut stage: {{NamePascal}}) -> Vec<i64> {
        let mut all = Vec::new();
        while let Some(page) = stage.next().unwrap() {
            all.extend_from_slice(page.batch.column(0).unwrap().as_i64().unwrap());
        }
        all
    }

    fn options() -> Options {
        testing::options(r#"{"up-to": 25, "page": 4}"#).unwrap()
    }

    #[test]
    fn a_bookmark_resumes_where_it_stood() {
        let (mut stage, _) = {{NamePascal}}::open(&testing::context(), options(), None).unwrap();
        let page = stage.next().unwrap().unwrap();
        assert_eq!((page.batch.rows(), page.bookmark.as_deref()), (4, Some("4")));
        let (stage, _) = {{NamePascal}}::open(&testing::context(), options(), page.bookmark.as_deref()).unwrap();
        assert_eq!(rest(stage), (4..25).collect::<Vec<_>>());
    }
}
