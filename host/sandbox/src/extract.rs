//! A live extract.

use crate::answer::{self, taken};
use crate::calls::{ExtractorCalls, SplittableCalls};
use crate::refusal::refuse;
use crate::schema::promised;
use crate::stage::Bound;
use arrow_schema::SchemaRef;
use sluicebox_model::fault::{Fault, FaultKind};
use sluicebox_model::stage::{Extractor, Instance, Page, Plan, Report, Usage};

pub(crate) struct ExtractInstance {
    bound: Bound,
    guest: Box<dyn ExtractorCalls>,
    splitter: Option<Box<dyn SplittableCalls>>,
    /// What `open` promised.
    schema: Option<SchemaRef>,
}

impl ExtractInstance {
    pub(crate) fn new(
        bound: Bound,
        guest: Box<dyn ExtractorCalls>,
        splitter: Option<Box<dyn SplittableCalls>>,
    ) -> Self {
        Self { bound, guest, splitter, schema: None }
    }
}

impl Instance for ExtractInstance {
    fn take_report(&mut self) -> Report {
        self.bound.core.take_report()
    }

    fn usage(&self) -> Usage {
        self.bound.core.usage()
    }

    fn next_turn(&mut self, turn: u64) {
        self.bound.core.next_turn(turn);
    }
}

fn not_splittable(call: &str) -> Fault {
    Fault::new(FaultKind::Contract, call, "the plugin does not export `sluicebox:stage/splittable`")
}

impl Extractor for ExtractInstance {
    fn open(&mut self, bookmark: Option<&str>) -> Result<SchemaRef, Fault> {
        let Self { bound, guest, .. } = self;
        let schema = bound.core.call(
            "open",
            async |store| guest.call_open(store, &bound.context, &bound.config, bookmark).await,
            |_, fields| promised(&fields, &[]),
        )?;
        self.schema = Some(schema.clone());
        Ok(schema)
    }

    fn split(&mut self, bookmark: Option<&str>, at_most: u32) -> Result<Plan, Fault> {
        let Self { bound, splitter, .. } = self;
        let Some(guest) = splitter else { return Err(not_splittable("split")) };
        bound.core.call(
            "split",
            async |store| guest.call_split(store, &bound.context, &bound.config, bookmark, at_most).await,
            |_, plan| {
                if plan.splits.len() > at_most as usize {
                    refuse!("it made {} splits where {at_most} were asked for at most", plan.splits.len());
                }
                plan.splits.iter().try_for_each(|split| answer::small("a split", split))?;
                let bookmark = answer::bookmark(plan.bookmark)?;
                Ok(Plan { schema: promised(&plan.schema, &[])?, splits: plan.splits, bookmark })
            },
        )
    }

    fn open_split(&mut self, split: &str) -> Result<SchemaRef, Fault> {
        let Self { bound, splitter, .. } = self;
        let Some(guest) = splitter else { return Err(not_splittable("open-split")) };
        let schema = bound.core.call(
            "open-split",
            async |store| guest.call_open_split(store, &bound.context, &bound.config, split).await,
            |_, fields| promised(&fields, &[]),
        )?;
        self.schema = Some(schema.clone());
        Ok(schema)
    }

    fn next(&mut self) -> Result<Option<Page>, Fault> {
        let Self { bound, guest, schema, .. } = self;
        let Some(schema) = schema else { return Err(answer::not_opened("next")) };
        bound.core.call(
            "next",
            async |store| guest.call_next(store).await,
            |state, page| {
                let Some(page) = page else { return Ok(None) };
                Ok(Some(Page {
                    batch: taken(state, page.batch, schema)?,
                    bookmark: answer::bookmark(page.bookmark)?,
                    progress: page.progress.filter(|done| done.is_finite()).map(|done| done.clamp(0.0, 1.0)),
                }))
            },
        )
    }
}
