//! A live load.

use crate::answer;
use crate::calls::LoaderCalls;
use crate::schema::to_guest;
use crate::stage::Bound;
use arrow_array::RecordBatch;
use arrow_schema::SchemaRef;
use sluicebox_model::fault::Fault;
use sluicebox_model::stage::{Instance, Loader, Report, Usage};

pub(crate) struct LoadInstance {
    bound: Bound,
    guest: Box<dyn LoaderCalls>,
}

impl LoadInstance {
    pub(crate) fn new(bound: Bound, guest: Box<dyn LoaderCalls>) -> Self {
        Self { bound, guest }
    }
}

impl Instance for LoadInstance {
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

impl Loader for LoadInstance {
    fn open(&mut self, input: &SchemaRef, load_id: &str, part: u32) -> Result<(), Fault> {
        let Self { bound, guest } = self;
        let input = to_guest(input);
        bound.core.call(
            "open",
            async |store| guest.call_open(store, &bound.context, &bound.config, &input, load_id, part).await,
            |_, ()| Ok(()),
        )
    }

    fn write(&mut self, batch: RecordBatch) -> Result<(), Fault> {
        let Self { bound, guest } = self;
        let batch = bound.core.with_state("write", |state| state.held.given(&mut state.table, batch))?;
        bound.core.call("write", async |store| guest.call_write(store, batch).await, |_, ()| Ok(()))
    }

    fn prepare(&mut self) -> Result<String, Fault> {
        let Self { bound, guest } = self;
        bound.core.call(
            "prepare",
            async |store| guest.call_prepare(store).await,
            |_, receipt| {
                answer::small("the receipt", &receipt)?;
                Ok(receipt)
            },
        )
    }

    fn commit(&mut self, load_id: &str, receipts: &[String]) -> Result<(), Fault> {
        let Self { bound, guest } = self;
        bound.core.call(
            "commit",
            async |store| guest.call_commit(store, &bound.config, load_id, receipts).await,
            |_, ()| Ok(()),
        )
    }

    fn abort(&mut self, load_id: &str, receipts: &[String]) -> Result<(), Fault> {
        let Self { bound, guest } = self;
        bound.core.call(
            "abort",
            async |store| guest.call_abort(store, &bound.config, load_id, receipts).await,
            |_, ()| Ok(()),
        )
    }
}
