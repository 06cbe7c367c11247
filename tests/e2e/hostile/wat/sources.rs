//! What a guest says of its sources: debug information and names, for whoever reads a backtrace. The host's own process
//! reads none of it.

use super::{GOOD, Guest, is_refused, pipeline_of};
use crate::hostile::fails;

/// Bytes as WebAssembly text has them.
fn custom(name: &str, bytes: &[u8]) -> String {
    let bytes: String = bytes.iter().map(|byte| format!("\\{byte:02x}")).collect();
    format!("(@custom \"{name}\" \"{bytes}\")")
}

/// A unit of compilation without children, which names the line program at the beginning of its section.
const ABBREVIATION: [u8; 8] = [1, 0x11, 0, 0x10, 0x17, 0, 0, 0];

fn units(count: usize) -> Vec<u8> {
    // Its length, version 4, abbreviations at 0, addresses of 4 bytes; the unit, with lines at 0.
    [12, 0, 0, 0, 4, 0, 0, 0, 0, 0, 4, 1, 0, 0, 0, 0].repeat(count)
}

/// A line program of so many rows.
fn lines(rows: usize) -> Vec<u8> {
    let head = [1, 1, 1, 0xfb, 14, 13, 0, 1, 1, 1, 1, 0, 0, 0, 1, 0, 0, 1, 0, b'a', 0, 0, 0, 0, 0];
    let mut rest = vec![4, 0];
    rest.extend((head.len() as u32).to_le_bytes());
    rest.extend(head);
    rest.extend(std::iter::repeat_n(0x4b, rows));
    rest.extend([0, 1, 1]);
    let mut lines = (rest.len() as u32).to_le_bytes().to_vec();
    lines.extend(rest);
    lines
}

/// 160 KB, of which a reader makes ten thousand times a hundred thousand rows: 24 GB.
#[test]
fn debug_information_that_multiplies() {
    let fields = [
        custom(".debug_abbrev", &ABBREVIATION),
        custom(".debug_info", &units(10_000)),
        custom(".debug_line", &lines(100_000)),
    ];
    let guest = Guest { fields: &fields.concat(), process: "(unreachable)", ..GOOD };
    let fault = fails(&pipeline_of(&guest.component(), ""), "trap", "process", &["`unreachable`"]);
    let trace = fault["backtrace"].as_str().unwrap();
    assert!(trace.contains("  0: ") && !trace.contains(" at a"), "{trace}");
}

/// The same with little of it is read: it is the amount that is refused.
#[test]
fn debug_information_that_is_sound() {
    let fields = [
        custom(".debug_abbrev", &ABBREVIATION),
        custom(".debug_info", &units(1)),
        custom(".debug_line", &lines(10_000)),
    ];
    let guest = Guest { fields: &fields.concat(), process: "(unreachable)", ..GOOD };
    let fault = fails(&pipeline_of(&guest.component(), ""), "trap", "process", &["`unreachable`"]);
    let trace = fault["backtrace"].as_str().unwrap();
    assert!(trace.contains(" at a:"), "{trace}");
}

/// A C++ name of some hundred letters: templates of twenty times the one before, eight deep.
fn unfolding() -> String {
    const DIGITS: &[u8] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ";
    let mut name = "_Z1f1aIiE".to_owned();
    for (level, letter) in ('b'..='h').enumerate() {
        // The type before: the names and types so far are counted in turn.
        let before = format!("S{}_", char::from(DIGITS[2 * level]));
        name.push_str(&format!("1{letter}I{}E", before.repeat(20)));
    }
    name
}

#[test]
fn a_name_that_unfolds() {
    let name = unfolding();
    let fields = format!("(func $deep (@name \"{name}\") (unreachable))");
    let guest = Guest { fields: &fields, process: "(call $deep)", ..GOOD };
    let fault = fails(&pipeline_of(&guest.component(), ""), "trap", "process", &["`unreachable`"]);
    let trace = fault["backtrace"].as_str().unwrap();
    assert!(trace.contains(&name) && trace.len() < 4_000, "{trace}");
    // One that does not is shown as people write it.
    let fields = "(func $deep (@name \"_Z4workIiEvT_\") (unreachable))";
    let guest = Guest { fields, process: "(call $deep)", ..GOOD };
    let fault = fails(&pipeline_of(&guest.component(), ""), "trap", "process", &["`unreachable`"]);
    let trace = fault["backtrace"].as_str().unwrap();
    assert!(trace.contains("void work<int>(int)"), "{trace}");
}

/// The engine makes a copy of it for each frame.
#[test]
fn a_name_of_many_megabytes() {
    let named = |bytes: usize| format!("(func $deep (@name \"{}\") (unreachable))", "n".repeat(bytes));
    let fields = named(10_000_000);
    is_refused(&Guest { fields: &fields, ..GOOD }.component(), &["the name of a function has 10000000 bytes; 1MiB is"]);
    let fields = named(1_000_000);
    let guest = Guest { fields: &fields, process: "(call $deep)", ..GOOD };
    let fault = fails(&pipeline_of(&guest.component(), ""), "trap", "process", &["`unreachable`"]);
    let trace = fault["backtrace"].as_str().unwrap();
    assert!(trace.contains("nnnn") && trace.len() < 10_000, "{} bytes", trace.len());
}
