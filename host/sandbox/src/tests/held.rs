//! What an instance holds, and when it is freed.

use super::random::{Rng, batch, other_types, value_types};
use crate::held::{self, Held};
use crate::limiter::Passed;
use arrow_array::{Array, ArrayRef, Int64Array, RecordBatch};
use arrow_schema::{DataType, Field, Schema};
use proptest::prelude::*;
use std::sync::{Arc, Weak};
use wasmtime::component::{Resource, ResourceTable};

const MANY: u32 = 1000;
/// What a handle of a batch with one column costs beside its buffers.
const FRAME: u64 = 512;

fn numbers(rows: i64) -> RecordBatch {
    let schema = Schema::new(vec![Field::new("n", DataType::Int64, false)]);
    let column: ArrayRef = Arc::new(Int64Array::from_iter_values(0..rows));
    RecordBatch::try_new(Arc::new(schema), vec![column]).unwrap()
}

#[test]
fn a_batch_is_freed_with_its_last_holder() {
    let (mut held, mut table) = (Held::new(u64::MAX, MANY), ResourceTable::new());
    let batch = numbers(1000);
    let column: Weak<dyn Array> = Arc::downgrade(batch.column(0));
    let first = held.made(&mut table, batch).unwrap();
    let again = held::get(&table, &first).unwrap().clone();
    let second = held.made(&mut table, again).unwrap();
    assert_eq!(held.bytes(), 8000 + 2 * FRAME, "two handles of one batch hold it once");
    held.release(&mut table, first).unwrap();
    assert!(column.upgrade().is_some());
    assert_eq!(held.bytes(), 8000 + FRAME);
    held.release(&mut table, second).unwrap();
    assert!(column.upgrade().is_none(), "nobody holds it any more");
    assert_eq!(held.bytes(), 0);
}

#[test]
fn a_slice_counts_as_all_that_it_keeps_alive() {
    let (mut held, mut table) = (Held::new(u64::MAX, MANY), ResourceTable::new());
    let row = held.made(&mut table, numbers(1000).slice(10, 1)).unwrap();
    assert_eq!(held.bytes(), 8000 + FRAME);
    held.release(&mut table, row).unwrap();
}

#[test]
fn more_than_the_limit_ends_the_call() {
    let (mut held, mut table) = (Held::new(10_000, MANY), ResourceTable::new());
    held.made(&mut table, numbers(1000)).unwrap();
    let error = held.made(&mut table, numbers(1000)).unwrap_err();
    assert_eq!(error.downcast_ref::<Passed>(), Some(&Passed::Held { wanted: 16_000 + 2 * FRAME, max: 10_000 }));
    // What the host gives is not the guest's doing.
    assert!(Held::new(10, MANY).given(&mut table, numbers(1000)).is_ok());
}

#[test]
fn more_handles_than_the_limit_end_the_call() {
    let (mut held, mut table) = (Held::new(u64::MAX, 2), ResourceTable::new());
    table.set_max_capacity(2);
    held.made(&mut table, numbers(1)).unwrap();
    held.made(&mut table, numbers(1)).unwrap();
    let error = held.made(&mut table, numbers(1)).unwrap_err();
    assert_eq!(error.downcast_ref::<Passed>(), Some(&Passed::Handles { max: 2 }));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn whatever_is_held_is_counted_and_given_back(seed: u64, steps in 1_usize..60) {
        let mut rng = Rng::new(seed);
        let types: Vec<DataType> = value_types().into_iter().chain(other_types()).collect();
        let (mut held, mut table) = (Held::new(u64::MAX, MANY), ResourceTable::new());
        let mut handles: Vec<Resource<held::HeldBatch>> = Vec::new();
        for _ in 0..steps {
            if handles.is_empty() || rng.one_in(3) {
                handles.push(held.made(&mut table, batch(&mut rng, &types, 10)).unwrap());
            } else if rng.one_in(2) {
                let old = held::get(&table, &handles[rng.below(handles.len())]).unwrap();
                let made = match rng.below(3) {
                    0 => old.slice(0, old.num_rows() / 2),
                    1 => old.clone(),
                    _ => crate::ops::select(old, vec![(0, "x".into())]).unwrap(),
                };
                handles.push(held.made(&mut table, made).unwrap());
            } else {
                let gone = handles.swap_remove(rng.below(handles.len()));
                held.release(&mut table, gone).unwrap();
            }
        }
        for handle in handles {
            held.release(&mut table, handle).unwrap();
        }
        prop_assert_eq!(held.bytes(), 0);
        prop_assert!(table.is_empty());
    }
}
