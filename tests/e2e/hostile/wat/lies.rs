//! Answers and handles.

use super::{GOOD, Guest, component_of, pipeline_of};
use crate::hostile::{rows_loaded, succeeds};

/// `name: Guest { .. } => kind in call, words;` A run that fails.
macro_rules! lies {
    ($($name:ident: { $($field:ident: $wat:literal),* } => $kind:literal in $call:literal, [$($said:literal),*];)*) => {
        $(
            #[test]
            fn $name() {
                let guest = Guest { $($field: $wat,)* ..GOOD };
                crate::hostile::fails(&pipeline_of(&guest.component(), ""), $kind, $call, &[$($said),*]);
            }
        )*

        /// All of them, each with its kind of fault and words of it.
        pub(super) const LIES: &[(Guest<'static>, &str, &[&str])] =
            &[$((Guest { $($field: $wat,)* ..GOOD }, $kind, &[$($said),*]),)*];
    };
}

/// The same guest without its lie.
#[test]
fn without_a_lie_it_passes_on() {
    let project = pipeline_of(&GOOD.component(), "");
    succeeds(&project);
    assert_eq!(rows_loaded(&project), 1_001);
}

lies! {
    // Of 12 KB a gigabyte: a thousand names that are one and the same mebibyte.
    aliased_lists: {
        memory: r#"(memory (export "memory") 40)"#,
        process: "
            (loop $more
              (i32.store (i32.add (i32.const 4100) (i32.mul (local.get $i) (i32.const 12))) (i32.const 65536))
              (i32.store (i32.add (i32.const 4104) (i32.mul (local.get $i) (i32.const 12))) (i32.const 0x100000))
              (local.set $i (i32.add (local.get $i) (i32.const 1)))
              (br_if $more (i32.lt_u (local.get $i) (i32.const 1000))))
            (call $select (local.get $batch) (i32.const 4096) (i32.const 1000) (i32.const 2048))"
    } => "limit" in "process", ["would cross", "raise `limits.transfer`"];
    // A million columns of no bytes, all of them the same zeroes; what counts is what they would be in the host.
    a_million_empty_lists: {
        memory: r#"(memory (export "memory") 600)"#,
        process: "
            (call $from_columns (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 65536) (i32.const 1000000) (i32.const 2048))
            (if (i32.load8_u (i32.const 2048)) (then (return (i32.const 2048))))"
    } => "limit" in "process", ["would cross", "raise `limits.transfer`"];
    // As many as may cross.
    a_hundred_thousand_empty_lists: {
        memory: r#"(memory (export "memory") 600)"#,
        process: "
            (call $from_columns (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 65536) (i32.const 100000) (i32.const 2048))
            (if (i32.load8_u (i32.const 2048)) (then (return (i32.const 2048))))"
    } => "contract" in "process", ["the schema has 0 columns, but 100000 were given"];
    // A million times the one handle that it has.
    a_million_aliased_handles: {
        memory: r#"(memory (export "memory") 100)"#,
        process: "
            (loop $more
              (i32.store (i32.add (i32.const 65536) (i32.mul (local.get $i) (i32.const 4))) (local.get $batch))
              (local.set $i (i32.add (local.get $i) (i32.const 1)))
              (br_if $more (i32.lt_u (local.get $i) (i32.const 1000000))))
            (call $concat (i32.const 65536) (i32.const 1000000) (i32.const 2048))"
    } => "limit" in "process", ["it holds 1000 handles", "raise `limits.handles`"];
    rows_of_nothing: {
        process: "
            (call $from_columns (i32.const 0) (i32.const 0) (i32.const 0x80000000) (i32.const 0) (i32.const 0) (i32.const 2048))
            (if (i32.load8_u (i32.const 2048)) (then (return (i32.const 2048))))"
    } => "contract" in "process", ["without columns", "2147483648"];
    an_answer_outside_of_memory: {
        process: "(i32.store (i32.const 1028) (i32.const -16))"
    } => "contract" in "process", ["out of bounds"];
    an_answer_that_is_not_aligned: {
        process: "(i32.store (i32.const 1028) (i32.const 1537))"
    } => "contract" in "process", ["what the stage answered does not fit"];
    an_answer_at_no_address: {
        process: "(return (i32.const -4))"
    } => "contract" in "process", ["what the stage answered does not fit"];
    an_answer_of_a_thousand_million_handles: {
        process: "(i32.store (i32.const 1032) (i32.const 0x0fffffff))"
    } => "contract" in "process", ["out of bounds"];
    a_case_that_is_none: {
        process: "(i32.store8 (i32.const 1024) (i32.const 7))"
    } => "contract" in "process", ["what the stage answered does not fit"];
    a_fault_that_is_not_utf_8: {
        process: "
            (i32.store8 (i32.const 1024) (i32.const 1)) (i32.store8 (i32.const 1028) (i32.const 4))
            (i32.store (i32.const 1032) (i32.const 4096)) (i32.store (i32.const 1036) (i32.const 2))
            (i32.store8 (i32.const 1040) (i32.const 0)) (i32.store16 (i32.const 4096) (i32.const 0xfffe))"
    } => "contract" in "process", ["utf-8"];
    a_log_line_that_is_not_utf_8: {
        process: "(i32.store16 (i32.const 4096) (i32.const 0xfffe)) (call $log (i32.const 1) (i32.const 4096) (i32.const 2))"
    } => "contract" in "process", ["utf-8"];
    a_log_line_of_4_gib: {
        process: "(call $log (i32.const 1) (i32.const 256) (i32.const -1))"
    } => "contract" in "process", ["out of bounds"];
    a_stream_of_4_gib: {
        process: "(call $from_ipc (i32.const 0) (i32.const -1) (i32.const 2048))"
    } => "contract" in "process", ["out of bounds"];

    a_forged_handle: {
        process: "(drop (call $rows (i32.const 77)))"
    } => "contract" in "process", ["used a batch, or another resource, that it does not have", "unknown handle index 77"];
    a_forged_handle_in_the_answer: {
        process: "(i32.store (i32.const 1536) (i32.const 77))"
    } => "contract" in "process", ["used a batch, or another resource, that it does not have", "unknown handle index 77"];
    one_handle_twice_in_the_answer: {
        process: "(i32.store (i32.const 1540) (local.get $batch)) (i32.store (i32.const 1032) (i32.const 2))"
    } => "contract" in "process", ["used a batch, or another resource, that it does not have", "unknown handle index"];
    a_dropped_handle: {
        process: "(call $drop_batch (local.get $batch)) (drop (call $rows (local.get $batch)))"
    } => "contract" in "process", ["used a batch, or another resource, that it does not have", "unknown handle index"];
    a_dropped_handle_in_the_answer: {
        process: "(call $drop_batch (local.get $batch))"
    } => "contract" in "process", ["used a batch, or another resource, that it does not have", "unknown handle index"];
    dropped_twice: {
        process: "(call $drop_batch (local.get $batch)) (call $drop_batch (local.get $batch))"
    } => "contract" in "process", ["used a batch, or another resource, that it does not have", "unknown handle index"];
}

/// What is given to `open` is written nowhere.
#[test]
fn memory_for_the_host_that_is_none() {
    let guest = Guest { realloc: "(return (i32.const -8))", ..GOOD };
    let project = pipeline_of(&guest.component(), "");
    crate::hostile::refused_by_check(&project, &["cannot be opened", "what the stage answered does not fit"]);
}

/// The host asks a guest for room for what it hands over; this one never answers. Only `process` hands over nothing.
#[test]
fn room_for_the_host_that_never_comes() {
    let guest = Guest { realloc: "(loop $for_ever (br $for_ever))", ..GOOD };
    crate::hostile::refused_by_check(
        &pipeline_of(&guest.component(), ""),
        &["cannot be opened", "ran longer than 500ms"],
    );
}

/// What the guest does once the host has read its answer is bounded as the call is.
#[test]
fn after_the_answer_it_loops() {
    let guest = Guest {
        fields: r#"(func (export "cabi_post_sluicebox:stage/transformer@0.1.0#process") (param i32)
                     (loop $for_ever (br $for_ever)))"#,
        ..GOOD
    };
    crate::hostile::fails(&pipeline_of(&guest.component(), ""), "timeout", "process", &["ran longer than 500ms"]);
}

/// A validate only borrows the batch of `check`.
const VALIDATE: &str = r#"
(module
  (import "sluicebox:stage/batches@0.1.0" "[method]batch.rows" (func $rows (param i32) (result i32)))
  (import "sluicebox:stage/batches@0.1.0" "[resource-drop]batch" (func $drop_batch (param i32)))
  (memory (export "memory") 1)
  (global $kept (mut i32) (i32.const 0))
  (global $top (mut i32) (i32.const 8192))
  (data (i32.const 64) "wat-guest")
  (data (i32.const 128) "1.0.0")
  (data (i32.const 192) "{}")
  (data (i32.const 256) "a lie")
  (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32)
    (local $at i32)
    (local.set $at (i32.and (i32.add (global.get $top) (i32.const 15)) (i32.const -16)))
    (global.set $top (i32.add (local.get $at) (local.get 3)))
    (local.get $at))
  (func (export "sluicebox:stage/plugin@0.1.0#describe") (result i32)
    (i32.store (i32.const 1024) (i32.const 64)) (i32.store (i32.const 1028) (i32.const 9))
    (i32.store (i32.const 1032) (i32.const 128)) (i32.store (i32.const 1036) (i32.const 5))
    (i32.store8 (i32.const 1040) (i32.const 2))
    (i32.store (i32.const 1044) (i32.const 256)) (i32.store (i32.const 1048) (i32.const 5))
    (i32.store (i32.const 1052) (i32.const 192)) (i32.store (i32.const 1056) (i32.const 2))
    (i32.store (i32.const 1060) (i32.const 0)) (i32.store (i32.const 1064) (i32.const 0))
    (i32.const 1024))
  (func (export "sluicebox:stage/validator@0.1.0#open")
    (param i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32) (result i32)
    (i64.store (i32.const 1024) (i64.const 0)) (i64.store (i32.const 1032) (i64.const 0))
    (i32.const 1024))
  (func (export "sluicebox:stage/validator@0.1.0#check") (param $batch i32) (result i32)
    (i64.store (i32.const 1024) (i64.const 0)) (i64.store (i32.const 1032) (i64.const 0))
    CHECK
    (i32.const 1024))
  (func (export "sluicebox:stage/validator@0.1.0#finish") (result i32)
    (i64.store (i32.const 1024) (i64.const 0)) (i64.store (i32.const 1032) (i64.const 0))
    (i32.const 1024)))
"#;

#[track_caller]
fn check_fails(check: &str, said: &[&str]) {
    let component = component_of(&VALIDATE.replace("CHECK", check), "validate");
    let project = pipeline_of(&component, "");
    // More than one batch.
    let rows: String = (0..200_000).map(|row| format!("{row},name,1.5\n")).collect();
    project.file("data/rows.csv", format!("id,name,size\n{rows}"));
    crate::hostile::fails(&project, "contract", "check", said);
}

#[test]
fn a_borrowed_handle_that_is_not_given_back() {
    check_fails("", &["borrow"]);
}

#[test]
fn a_borrowed_handle_kept_across_calls() {
    let keeps = "
        (if (global.get $kept)
          (then (call $drop_batch (local.get $batch)) (drop (call $rows (global.get $kept)))))
        (global.set $kept (local.get $batch))
        (drop (call $rows (local.get $batch)))
        (call $drop_batch (local.get $batch))";
    check_fails(keeps, &["used a batch, or another resource, that it does not have", "unknown handle index"]);
}
