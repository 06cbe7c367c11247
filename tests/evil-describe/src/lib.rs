//! A hostile plugin: asked what it is, it loops for ever.

use schemars::{JsonSchema, Schema as JsonType, SchemaGenerator};
use sluicebox_stage::{Batch, Context, Fault, Input, Schema, Transform};
use std::borrow::Cow;

/// Options whose schema is never done.
#[derive(serde::Deserialize)]
pub struct Endless {}

impl JsonSchema for Endless {
    fn schema_name() -> Cow<'static, str> {
        "Endless".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> JsonType {
        let mut turns = 0u64;
        loop {
            turns = std::hint::black_box(turns.wrapping_add(1));
        }
    }
}

/// Passes batches on, if anybody should get so far.
pub struct NeverSays;

impl Transform for NeverSays {
    type Options = Endless;

    fn open(_: &Context, _: Endless, inputs: &[Input]) -> Result<(Self, Schema), Fault> {
        Ok((Self, inputs.first().map(|input| input.schema.clone()).unwrap_or_default()))
    }

    fn process(&mut self, _: usize, batch: Batch) -> Result<Vec<Batch>, Fault> {
        Ok(vec![batch])
    }
}

sluicebox_stage::export!(NeverSays, kind: transform, summary: "Never says what it is");
