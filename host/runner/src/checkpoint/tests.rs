//! What is kept is what was passed on, and what is torn is noticed.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]
use super::*;
use arrow_array::builder::{FixedSizeBinaryBuilder, ListBuilder, StringBuilder, StringViewBuilder};
use arrow_array::types::Int16Type;
use arrow_array::{
    Array, ArrayRef, BooleanArray, Date32Array, Decimal128Array, DictionaryArray, Float64Array, Int8Array, Int64Array,
    LargeStringArray, NullArray, RecordBatchOptions, StringArray, StructArray, TimestampMicrosecondArray,
};
use proptest::prelude::*;
use std::sync::Arc;

fn batch(from: i64) -> RecordBatch {
    let numbers: Int64Array = (from..from + 1000).map(|n| (n % 7 > 0).then_some(n)).collect();
    let words: StringArray = (from..from + 1000).map(|n| Some(format!("word {n}"))).collect();
    RecordBatch::try_from_iter([("n", Arc::new(numbers) as _), ("w", Arc::new(words) as _)]).unwrap()
}

fn written(folder: &Path) -> Vec<RecordBatch> {
    let batches = vec![batch(0), batch(1000).slice(10, 500), batch(5)];
    let mut writer = CheckpointWriter::create(folder, "read", &batches[0].schema()).unwrap();
    for batch in &batches {
        writer.write(batch).unwrap();
    }
    let bytes = writer.finish(Some("b1".into())).unwrap();
    assert_eq!(bytes, std::fs::metadata(path(folder, "read")).unwrap().len());
    batches
}

#[test]
fn what_was_written_is_read() {
    let folder = tempfile::tempdir().unwrap();
    let batches = written(folder.path());
    let checkpoint = Checkpoint::open(folder.path(), "read").unwrap().unwrap();
    assert_eq!((checkpoint.rows, checkpoint.bookmark.as_deref()), (2500, Some("b1")));
    let read: Vec<RecordBatch> = checkpoint.batches().unwrap().map(Result::unwrap).collect();
    assert_eq!(read, batches);
    assert!(Checkpoint::open(folder.path(), "other").unwrap().is_none());
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
}

#[test]
fn batches_are_kept_and_read() {
    let folder = tempfile::tempdir().unwrap();
    let batches = [batch(0), batch(7)];
    let kept = keep_batches(&folder.path().join("new"), "read", &batches).unwrap();
    assert_eq!((kept.rows, kept.bookmark.as_deref()), (2000, None));
    assert_eq!(kept.batches().unwrap().map(Result::unwrap).collect::<Vec<_>>(), batches);
    assert!(keep_batches(folder.path(), "none", &[]).is_err());
    let narrow = batch(0).project(&[0]).unwrap();
    assert!(keep_batches(folder.path(), "mixed", &[batch(0), narrow]).is_err());
}

#[test]
fn what_is_not_finished_is_not_kept() {
    let folder = tempfile::tempdir().unwrap();
    let mut writer = CheckpointWriter::create(folder.path(), "read", &batch(0).schema()).unwrap();
    writer.write(&batch(0)).unwrap();
    drop(writer);
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
}

#[test]
fn a_torn_or_damaged_file_is_noticed_wherever() {
    let folder = tempfile::tempdir().unwrap();
    written(folder.path());
    let path = path(folder.path(), "read");
    let whole = std::fs::read(&path).unwrap();
    for cut in [0, 1, 15, 16, 17, whole.len() / 2, whole.len() - 20, whole.len() - 1] {
        std::fs::write(&path, &whole[..cut]).unwrap();
        let error = Checkpoint::open(folder.path(), "read").unwrap_err();
        assert!(error.reason.starts_with("is torn"), "{cut}: {error}");
    }
    for at in (0..whole.len() - 200).step_by(997) {
        let mut bad = whole.clone();
        bad[at] ^= 0x10;
        std::fs::write(&path, &bad).unwrap();
        assert!(Checkpoint::open(folder.path(), "read").is_err(), "{at}");
    }
}

/// A batch with a column of every shape that a message can have.
fn of_all_types(from: i64, rows: i64) -> RecordBatch {
    let rows = from..from + rows;
    // Some of them differ from row to row, others do not: the one are stored, the others packed.
    let mixed = |n: i64| n.wrapping_mul(0x9e37_79b9_7f4a_7c15_u64.cast_signed());
    let some = |n: &i64| n % 5 > 0;
    let list = rows.clone().fold(ListBuilder::new(StringBuilder::new()), |mut list, n| {
        (0..n.rem_euclid(4)).for_each(|item| list.values().append_value(format!("{n} {item}")));
        list.append(some(&n));
        list
    });
    let views = rows.clone().fold(StringViewBuilder::new(), |mut views, n| {
        views.append_option(some(&n).then(|| "longer than what stands in a view ".repeat(n.rem_euclid(3) as usize)));
        views
    });
    let fixed = rows.clone().fold(FixedSizeBinaryBuilder::new(3), |mut fixed, n| {
        fixed.append_value(&n.to_le_bytes()[..3]).unwrap();
        fixed
    });
    let words: StringArray = rows.clone().map(|n| some(&n).then(|| format!("word {}", mixed(n)))).collect();
    let numbers: Int64Array = rows.clone().map(|n| some(&n).then_some(mixed(n))).collect();
    let parts = StructArray::from(
        RecordBatch::try_from_iter_with_nullable([("w", Arc::new(words.clone()) as ArrayRef, true)]).unwrap(),
    );
    let columns: [(&str, ArrayRef); 16] = [
        ("same", Arc::new(rows.clone().map(|_| Some(2013)).collect::<Int64Array>())),
        ("runs", Arc::new(rows.clone().map(|n| Some(n / 1000)).collect::<Int64Array>())),
        ("numbers", Arc::new(numbers)),
        ("small", Arc::new(rows.clone().map(|n| Some(n as i8)).collect::<Int8Array>())),
        ("floats", Arc::new(rows.clone().map(|n| some(&n).then_some(mixed(n) as f64 / 7.0)).collect::<Float64Array>())),
        ("flags", Arc::new(rows.clone().map(|n| some(&n).then_some(n % 3 == 0)).collect::<BooleanArray>())),
        ("days", Arc::new(rows.clone().map(|n| Some(n as i32 / 100)).collect::<Date32Array>())),
        ("times", Arc::new(rows.clone().map(Some).collect::<TimestampMicrosecondArray>().with_timezone("UTC"))),
        ("money", Arc::new(rows.clone().map(|n| some(&n).then_some(i128::from(n))).collect::<Decimal128Array>())),
        ("words", Arc::new(words)),
        (
            "long",
            Arc::new(rows.clone().map(|n| Some("x".repeat(n.rem_euclid(200) as usize))).collect::<LargeStringArray>()),
        ),
        (
            "dictionary",
            Arc::new(
                rows.clone()
                    .map(|n| some(&n).then_some(["a", "b"][n.rem_euclid(2) as usize]))
                    .collect::<DictionaryArray<Int16Type>>(),
            ),
        ),
        ("list", Arc::new({ list }.finish())),
        ("views", Arc::new({ views }.finish())),
        ("fixed", Arc::new({ fixed }.finish())),
        ("parts", Arc::new(parts)),
    ];
    let nothing: ArrayRef = Arc::new(NullArray::new(columns[0].1.len()));
    RecordBatch::try_from_iter_with_nullable(
        columns.into_iter().chain([("nothing", nothing)]).map(|(name, column)| (name, column, true)),
    )
    .unwrap()
}

fn reads_as_written(batches: &[RecordBatch]) {
    let folder = tempfile::tempdir().unwrap();
    let kept = keep_batches(folder.path(), "read", batches).unwrap();
    let read: Vec<RecordBatch> = kept.batches().unwrap().map(Result::unwrap).collect();
    assert_eq!(read, batches);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, failure_persistence: None, ..ProptestConfig::default() })]
    #[test]
    fn every_type_is_read_as_it_was_written(cuts in prop::collection::vec((0..4000_usize, 0..4000_usize), 1..40)) {
        let whole = of_all_types(0, 4000);
        let batches: Vec<_> = cuts.iter().map(|(from, rows)| whole.slice(*from, (*rows).min(4000 - from))).collect();
        reads_as_written(&batches);
    }
}

#[test]
fn more_than_a_block_and_less_than_a_row() {
    reads_as_written(&[
        of_all_types(0, 100_000),
        of_all_types(7, 1),
        of_all_types(0, 0),
        of_all_types(-70_000, 70_000),
    ]);
    let options = RecordBatchOptions::new().with_row_count(Some(5));
    let narrow = RecordBatch::try_new_with_options(Arc::new(arrow_schema::Schema::empty()), vec![], &options).unwrap();
    reads_as_written(&[narrow.clone(), narrow]);
}

#[test]
fn what_shrinks_is_packed_and_what_does_not_is_stored() {
    let folder = tempfile::tempdir().unwrap();
    let size = |column: usize| {
        let batches: Vec<_> = (0..40).map(|n| of_all_types(n * 8_000, 8_000).project(&[column]).unwrap()).collect();
        keep_batches(folder.path(), "read", &batches).unwrap();
        std::fs::metadata(path(folder.path(), "read")).unwrap().len() as f64 / (40 * 8_000 * 8) as f64
    };
    assert!(size(0) < 0.02 && size(1) < 0.02, "{} {}", size(0), size(1));
    assert!((1.0..1.03).contains(&size(2)), "{}", size(2));
}
