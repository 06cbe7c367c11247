//! Each function on batches against what it has to do, row by row, for every type.

use super::random::{Rng, batch, other_types, rows_of, value_types};
use crate::ops::{self, Failure};
use crate::refusal::Refusal;
use arrow_array::{Array, Int64Array, RecordBatch, StringArray};
use arrow_schema::{DataType, Field, Schema};
use proptest::prelude::*;
use std::sync::Arc;

const PLENTY: u64 = 1 << 40;

fn all_types() -> Vec<DataType> {
    value_types().into_iter().chain(other_types()).collect()
}

fn refused(answer: Result<RecordBatch, Failure>) -> String {
    match answer {
        Err(Failure::Refused(Refusal(reason))) => reason,
        other => panic!("{other:?}"),
    }
}

fn bits_of(mask: &[bool]) -> Vec<u8> {
    let mut bytes = vec![0; mask.len().div_ceil(8)];
    mask.iter().enumerate().filter(|(_, bit)| **bit).for_each(|(row, _)| bytes[row / 8] |= 1 << (row % 8));
    bytes
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn filter_keeps_the_rows_of_the_mask(seed: u64, rows in 0_usize..150) {
        let mut rng = Rng::new(seed);
        let batch = batch(&mut rng, &all_types(), rows);
        let chances = 1 + rng.below(4);
        let mask: Vec<bool> = (0..rows).map(|_| rng.one_in(chances)).collect();
        let mut bytes = bits_of(&mask);
        // What stands behind the last row is not looked at.
        if let (Some(last), used @ 1..) = (bytes.last_mut(), rows % 8) { *last |= 0xff << used; }
        let kept = ops::filter(&batch, bytes, PLENTY).unwrap();
        let expected: Vec<_> =
            rows_of(&batch).into_iter().zip(&mask).filter(|(_, keep)| **keep).map(|(row, _)| row).collect();
        prop_assert_eq!(rows_of(&kept), expected);
        prop_assert_eq!(kept.schema(), batch.schema());
    }

    #[test]
    fn take_answers_with_the_rows_in_order(seed: u64, rows in 1_usize..100, taken in 0_usize..200) {
        let mut rng = Rng::new(seed);
        let batch = batch(&mut rng, &all_types(), rows);
        let places: Vec<u32> = (0..taken).map(|_| rng.below(rows) as u32).collect();
        let answer = ops::take(&batch, places.clone(), PLENTY).unwrap();
        let all = rows_of(&batch);
        let expected: Vec<_> = places.iter().map(|&row| all[row as usize].clone()).collect();
        prop_assert_eq!(rows_of(&answer), expected);
    }

    #[test]
    fn slice_answers_with_a_range(seed: u64, rows in 0_usize..150) {
        let mut rng = Rng::new(seed);
        let batch = batch(&mut rng, &all_types(), rows);
        let from = rng.below(rows + 1);
        let len = rng.below(rows - from + 1);
        let answer = ops::slice(&batch, from as u32, len as u32).unwrap();
        prop_assert_eq!(rows_of(&answer), rows_of(&batch)[from..from + len].to_vec());
    }

    #[test]
    fn concat_puts_rows_one_after_another(seed: u64, sizes in prop::collection::vec(0_usize..60, 1..5)) {
        let mut rng = Rng::new(seed);
        let parts: Vec<_> = sizes.iter().map(|&rows| batch(&mut rng, &all_types(), rows)).collect();
        let answer = ops::concat(&parts, PLENTY).unwrap();
        let expected: Vec<_> = parts.iter().flat_map(rows_of).collect();
        prop_assert_eq!(rows_of(&answer), expected);
    }

    #[test]
    fn select_and_zip_undo_each_other(seed: u64, rows in 0_usize..60) {
        let mut rng = Rng::new(seed);
        let types = all_types();
        let batch = batch(&mut rng, &types, rows);
        let named = |range: std::ops::Range<usize>| range.map(|index| (index as u32, format!("c{index}"))).collect();
        let cut = rng.below(types.len());
        let left = ops::select(&batch, named(0..cut)).unwrap();
        let right = ops::select(&batch, named(cut..types.len())).unwrap();
        let both = ops::zip(&left, &right).unwrap();
        prop_assert_eq!(rows_of(&both), rows_of(&batch));
        prop_assert_eq!(both.schema(), batch.schema());
    }

    #[test]
    fn what_is_measured_before_bounds_what_is_made(seed: u64, rows in 1_usize..100) {
        let mut rng = Rng::new(seed);
        for data_type in all_types() {
            let batch = batch(&mut rng, std::slice::from_ref(&data_type), rows);
            let places: Vec<u32> = (0..rows * 2).map(|_| rng.below(rows) as u32).collect();
            let measured = crate::measure::taken_bytes(&batch, &places);
            let taken = ops::take(&batch, places, PLENTY).unwrap();
            let made = taken.column(0).to_data().get_slice_memory_size();
            // A dictionary and a view share their values with what they are taken from.
            let shares = matches!(data_type, DataType::Dictionary(_, _) | DataType::Utf8View);
            if let (Ok(made), false) = (made, shares) {
                prop_assert!(made as u64 <= measured + 64, "{data_type}: {made} made, {measured} measured");
            }
        }
    }
}

fn small() -> RecordBatch {
    let schema = Schema::new(vec![Field::new("n", DataType::Int64, false), Field::new("t", DataType::Utf8, true)]);
    let columns: Vec<Arc<dyn Array>> =
        vec![Arc::new(Int64Array::from(vec![1, 2, 3])), Arc::new(StringArray::from(vec![Some("a"), None, Some("c")]))];
    RecordBatch::try_new(Arc::new(schema), columns).unwrap()
}

#[test]
fn what_makes_no_sense_is_refused_with_a_reason() {
    let batch = small();
    assert_eq!(refused(ops::filter(&batch, vec![], PLENTY)), "the mask has 0 bytes; for 3 rows there are 1");
    assert_eq!(refused(ops::take(&batch, vec![0, 3], PLENTY)), "row 3 does not exist; the batch has 3 rows");
    assert_eq!(refused(ops::slice(&batch, 2, 2)), "rows 2 to 4 pass the end; the batch has 3 rows");
    assert!(refused(ops::slice(&batch, u32::MAX, u32::MAX)).contains("pass the end"));
    assert!(refused(ops::select(&batch, vec![(2, "x".into())])).contains("column 2 does not exist"));
    assert_eq!(refused(ops::select(&batch, vec![(0, "x".into()), (1, "x".into())])), "two columns are named `x`");
    assert_eq!(refused(ops::zip(&batch, &batch)), "two columns are named `n`");
    assert_eq!(refused(ops::zip(&batch, &batch.slice(0, 1))), "batches of 3 and of 1 rows do not zip");
    assert_eq!(refused(ops::concat(&[], PLENTY)), "there is no batch to concatenate");
    let other = ops::select(&batch, vec![(1, "t".into())]).unwrap();
    assert_eq!(refused(ops::concat(&[batch.clone(), other], PLENTY)), "batch 1 has 1 columns, the first has 2");
}

#[test]
fn a_batch_without_columns_keeps_its_rows() {
    let none = ops::select(&small(), vec![]).unwrap();
    assert_eq!(none.num_rows(), 3);
    assert_eq!(ops::filter(&none, vec![0b101], PLENTY).unwrap().num_rows(), 2);
    assert_eq!(ops::take(&none, vec![0, 0, 0, 0], PLENTY).unwrap().num_rows(), 4);
    assert_eq!(ops::concat(&[none.clone(), none], PLENTY).unwrap().num_rows(), 6);
}

#[test]
fn a_result_beyond_the_budget_is_not_made() {
    let batch = small();
    let too_large = |answer| matches!(answer, Err(Failure::TooLarge(_)));
    assert!(too_large(ops::take(&batch, vec![0; 1000], 1000)));
    assert!(too_large(ops::concat(&[batch.clone(), batch.clone()], 10)));
    assert!(too_large(ops::filter(&batch, vec![0b011], 10)));
}

#[test]
fn a_join_of_schemas_has_nulls_where_either_has() {
    let with_nulls = |nullable| {
        let schema = Schema::new(vec![Field::new("n", DataType::Int64, nullable)]);
        RecordBatch::try_new(Arc::new(schema), vec![Arc::new(Int64Array::from(vec![1]))]).unwrap()
    };
    let joined = ops::concat(&[with_nulls(false), with_nulls(true)], PLENTY).unwrap();
    assert!(joined.schema().field(0).is_nullable());
}

#[test]
fn an_answer_fits_its_promise_or_is_refused() {
    let batch = small();
    let promise = |fields: Vec<Field>| Arc::new(Schema::new(fields));
    let n = |nullable| Field::new("n", DataType::Int64, nullable);
    let t = |nullable| Field::new("t", DataType::Utf8, nullable);
    // What has no nulls fits where some are allowed; it comes under the promised schema.
    let fitted = ops::fit(batch.clone(), &promise(vec![n(true), t(true)])).unwrap();
    assert!(fitted.schema().field(0).is_nullable());
    let reason = |promised: Vec<Field>| ops::fit(batch.clone(), &promise(promised)).unwrap_err().0;
    assert_eq!(reason(vec![n(false), t(false)]), "column `t` has 1 null, but `open` promised that it has none");
    assert_eq!(reason(vec![n(false)]), "it has 2 columns, but 1 were promised by `open`");
    assert!(reason(vec![t(true), n(true)]).starts_with("column 0 is `n` of type Int64, but `t` of type Utf8"));
}
