//! An extract: the numbers from 0 up to a bound, in pages, resumable and splittable.

use schemars::JsonSchema;
use serde::Deserialize;
use sluicebox_stage::{Batch, Column, Context, DataType, Extract, Fault, Field, Page, Plan, Schema, SplitExtract};

/// Makes numbers.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
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
pub struct Numbers {
    next: i64,
    end: i64,
    page: i64,
    schema: Schema,
}

impl Numbers {
    fn new(next: i64, end: i64, page: i64) -> (Self, Schema) {
        let schema = Schema::new([Field::new("number", DataType::Int64).not_null()]);
        (Self { next, end, page, schema: schema.clone() }, schema)
    }
}

impl Extract for Numbers {
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

impl SplitExtract for Numbers {
    fn split(context: &Context, options: Options, bookmark: Option<&str>, at_most: u32) -> Result<Plan, Fault> {
        let (all, schema) = Self::open(context, options, bookmark)?;
        let share = ((all.end - all.next) / i64::from(at_most.max(1))).max(all.page);
        let mut splits = Vec::new();
        let mut from = all.next;
        while from < all.end {
            let to = all.end.min(from + share);
            splits.push(format!("{from}..{to}"));
            from = to;
        }
        Ok(Plan { schema, splits, bookmark: Some(all.end.to_string()) })
    }

    fn open_split(_: &Context, options: Options, split: &str) -> Result<(Self, Schema), Fault> {
        let ends = split.split_once("..").and_then(|(from, to)| Some((from.parse().ok()?, to.parse().ok()?)));
        match ends {
            Some((from, to)) => Ok(Self::new(from, to, options.page)),
            None => Err(Fault::internal(format!("{split:?} is no split of this extract"))),
        }
    }
}

sluicebox_stage::export!(Numbers, kind: split_extract, summary: "Makes numbers");

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use sluicebox_stage::testing;

    fn rest(mut stage: Numbers) -> Vec<i64> {
        let mut all = Vec::new();
        while let Some(page) = stage.next().unwrap() {
            all.extend_from_slice(page.batch.column(0).unwrap().as_i64().unwrap());
        }
        all
    }

    fn options() -> Options {
        testing::options(r#"{"up_to": 25, "page": 4}"#).unwrap()
    }

    #[test]
    fn a_bookmark_resumes_where_it_stood() {
        let (mut stage, _) = Numbers::open(&testing::context(), options(), None).unwrap();
        let page = stage.next().unwrap().unwrap();
        assert_eq!((page.batch.rows(), page.bookmark.as_deref()), (4, Some("4")));
        let (stage, _) = Numbers::open(&testing::context(), options(), page.bookmark.as_deref()).unwrap();
        assert_eq!(rest(stage), (4..25).collect::<Vec<_>>());
    }

    #[test]
    fn splits_make_the_same_rows() {
        let plan = Numbers::split(&testing::context(), options(), None, 3).unwrap();
        let open = |split: &String| Numbers::open_split(&testing::context(), options(), split).unwrap().0;
        let all: Vec<i64> = plan.splits.iter().map(open).flat_map(rest).collect();
        assert_eq!(all, (0..25).collect::<Vec<_>>());
        assert_eq!(plan.bookmark.as_deref(), Some("25"));
    }
}
