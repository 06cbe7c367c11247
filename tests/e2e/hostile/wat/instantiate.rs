//! Instantiation runs code of the guest, and makes its memories and tables: it is bounded as a call is. A component is
//! instantiated to be described, with the default limits and without a grant; so what it does at once keeps it from being
//! a plugin at all, and what it does later keeps it from being opened.

use super::{GOOD, Guest, is_refused, pipeline_of};
use crate::hostile::{fails, refused_by_check};

#[test]
fn a_start_function_loops() {
    let guest = Guest { fields: "(func $start (loop $for_ever (br $for_ever))) (start $start)", ..GOOD };
    is_refused(&guest.component(), &["cannot describe itself", "timeout in `instantiate`", "ran longer than"]);
}

#[test]
fn a_start_function_traps() {
    let guest = Guest { fields: "(func $start unreachable) (start $start)", ..GOOD };
    is_refused(&guest.component(), &["cannot describe itself", "trap in `instantiate`", "the stage gave up"]);
}

#[test]
fn a_start_function_eats_memory() {
    let fields = "(func $start (loop $more (drop (memory.grow (i32.const 16))) (br $more))) (start $start)";
    let guest = Guest { fields, ..GOOD };
    is_refused(&guest.component(), &["cannot describe itself", "memory in `instantiate`", "the limit is 256MiB"]);
}

/// It looks at the clock: where it is asked what it is, no time has passed since 1970, and it behaves.
#[test]
fn it_loops_in_instantiation_once_it_is_used() {
    let guest = Guest {
        imports: r#"(import "wasi:clocks/wall-clock@0.2.0" "now" (func $now (param i32)))"#,
        fields: r#"(func (export "_initialize")
                     (call $now (i32.const 2048))
                     (if (i64.ne (i64.load (i32.const 2048)) (i64.const 0)) (then (loop $for_ever (br $for_ever)))))"#,
        ..GOOD
    };
    let project = pipeline_of(&guest.component(), "");
    refused_by_check(&project, &["cannot be opened", "ran longer than 500ms"]);
}

#[test]
fn a_data_segment_outside_of_memory() {
    let guest = Guest { fields: r#"(data (i32.const 70000) "evil")"#, ..GOOD };
    is_refused(&guest.component(), &["cannot describe itself", "trap in `instantiate`"]);
}

#[test]
fn a_memory_of_4_gib_at_once() {
    let guest = Guest { memory: r#"(memory (export "memory") 65536)"#, ..GOOD };
    is_refused(&guest.component(), &["cannot describe itself", "needed 4.1GiB of memory", "the limit is 256MiB"]);
}

/// Small enough to be described.
#[test]
fn a_memory_above_its_limit_at_once() {
    let guest = Guest { memory: r#"(memory (export "memory") 2048)"#, ..GOOD };
    refused_by_check(
        &pipeline_of(&guest.component(), ""),
        &["cannot be opened", "needed 128.1MiB", "the limit is 48MiB"],
    );
}

#[test]
fn a_table_above_its_limit_at_once() {
    let guest = Guest { fields: "(table 10000000 funcref)", ..GOOD };
    refused_by_check(&pipeline_of(&guest.component(), ""), &["cannot be opened", "of memory; the limit is 48MiB"]);
}

/// All of its memories count together, at once and as they grow.
#[test]
fn two_memories() {
    let guest = Guest {
        memory: r#"(memory (export "memory") 1) (memory $other 1)"#,
        process: "(loop $more
                    (drop (memory.grow (i32.const 8)))
                    (drop (memory.grow $other (i32.const 8)))
                    (br $more))",
        ..GOOD
    };
    fails(&pipeline_of(&guest.component(), ""), "memory", "process", &["the limit is 48MiB", "raise `limits.memory`"]);
    let guest = Guest { memory: r#"(memory (export "memory") 500) (memory $other 500)"#, ..GOOD };
    refused_by_check(&pipeline_of(&guest.component(), ""), &["needed 62.6MiB", "the limit is 48MiB"]);
}

#[test]
fn a_table_that_grows() {
    let guest = Guest {
        fields: "(table $t 1 funcref)",
        process: "(loop $more (drop (table.grow $t (ref.null func) (i32.const 100000))) (br $more))",
        ..GOOD
    };
    fails(&pipeline_of(&guest.component(), ""), "memory", "process", &["the limit is 48MiB", "raise `limits.memory`"]);
}
