//! Checks of what guests answer with.

use crate::held::HeldBatch;
use crate::ops;
use crate::refusal::{Refusal, refuse};
use crate::state::State;
use arrow_array::RecordBatch;
use arrow_schema::SchemaRef;
use sluicebox_model::fault::{Fault, FaultKind};
use wasmtime::component::Resource;

/// Bytes of a bookmark, a split or a receipt: they go into the store, again and again.
pub(crate) const SMALL_MAX: usize = 1024 * 1024;

/// A text that has to be kept small.
pub(crate) fn small(what: &str, text: &str) -> Result<(), Refusal> {
    if text.len() > SMALL_MAX {
        refuse!("{what} has {} bytes; there is room for {SMALL_MAX}", text.len());
    }
    Ok(())
}

/// A bookmark that is small enough.
pub(crate) fn bookmark(bookmark: Option<String>) -> Result<Option<String>, Refusal> {
    bookmark.as_deref().map_or(Ok(()), |text| small("the bookmark", text))?;
    Ok(bookmark)
}

/// The batch that the guest gave away, under the schema that it promised.
pub(crate) fn taken(
    state: &mut State,
    handle: Resource<HeldBatch>,
    promised: &SchemaRef,
) -> Result<RecordBatch, Refusal> {
    let State { held, table, .. } = state;
    match held.release(table, handle) {
        Ok(batch) => ops::fit(batch, promised).map_err(|Refusal(reason)| Refusal(format!("a batch where {reason}"))),
        Err(error) => refuse!("a handle that is no batch ({error})"),
    }
}

/// The runner called in the wrong order.
pub(crate) fn not_opened(call: &str) -> Fault {
    Fault::new(FaultKind::Host, call, "the instance was not opened")
}
