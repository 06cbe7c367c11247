//! A live transform.

use crate::answer::{self, taken};
use crate::calls::TransformerCalls;
use crate::contract::transformer;
use crate::schema::{promised, to_guest};
use crate::stage::Bound;
use arrow_array::RecordBatch;
use arrow_schema::SchemaRef;
use sluicebox_model::fault::Fault;
use sluicebox_model::stage::{Input, Instance, Report, Transformer, Usage};

pub(crate) struct TransformInstance {
    bound: Bound,
    guest: Box<dyn TransformerCalls>,
    /// What `open` promised.
    schema: Option<SchemaRef>,
}

impl TransformInstance {
    pub(crate) fn new(bound: Bound, guest: Box<dyn TransformerCalls>) -> Self {
        Self { bound, guest, schema: None }
    }
}

impl Instance for TransformInstance {
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

impl Transformer for TransformInstance {
    fn open(&mut self, inputs: &[Input]) -> Result<SchemaRef, Fault> {
        let Self { bound, guest, .. } = self;
        let known: Vec<SchemaRef> = inputs.iter().map(|input| input.schema.clone()).collect();
        let inputs: Vec<transformer::Input> = inputs
            .iter()
            .map(|input| transformer::Input { name: input.name.clone(), schema: to_guest(&input.schema) })
            .collect();
        let schema = bound.core.call(
            "open",
            async |store| guest.call_open(store, &bound.context, &bound.config, &inputs).await,
            |_, fields| promised(&fields, &known),
        )?;
        self.schema = Some(schema.clone());
        Ok(schema)
    }

    fn process(&mut self, input: u32, batch: RecordBatch) -> Result<Vec<RecordBatch>, Fault> {
        let Self { bound, guest, schema } = self;
        let Some(schema) = schema else { return Err(answer::not_opened("process")) };
        let batch = bound.core.with_state("process", |state| state.held.given(&mut state.table, batch))?;
        bound.core.call(
            "process",
            async |store| guest.call_process(store, input, batch).await,
            |state, batches| batches.into_iter().map(|batch| taken(state, batch, schema)).collect(),
        )
    }

    fn finish(&mut self) -> Result<Option<RecordBatch>, Fault> {
        let Self { bound, guest, schema } = self;
        let Some(schema) = schema else { return Err(answer::not_opened("finish")) };
        bound.core.call(
            "finish",
            async |store| guest.call_finish(store).await,
            |state, batch| batch.map(|batch| taken(state, batch, schema)).transpose(),
        )
    }
}
