//! The log: lines, order, escapes and bounds.

use crate::console::{Console, ConsoleStream, LINE_MAX, LogBudget, escape, escape_lines};
use crate::own_world::{OwnWorld, insecure_seed};
use bytes::Bytes;
use chacha20::rand_core::Rng as _;
use sluicebox_model::stage::{Level, LogSource};
use std::sync::Arc;
use wasmtime_wasi::p2::OutputStream;

fn console(max: u64) -> (Console, ConsoleStream, ConsoleStream) {
    let console = Console::new(Arc::new(LogBudget::new(max)));
    let stream = |source| ConsoleStream { console: console.clone(), source };
    (console.clone(), stream(LogSource::Stdout), stream(LogSource::Stderr))
}

fn messages(console: &Console) -> Vec<String> {
    console.take().into_iter().map(|line| line.message).collect()
}

#[test]
fn lines_come_in_the_order_of_their_ends() {
    let (console, mut out, mut err) = console(1 << 20);
    let write = |stream: &mut ConsoleStream, text: &'static str| stream.write(Bytes::from(text)).unwrap();
    write(&mut out, "one ");
    write(&mut err, "two\r\n");
    console.log(Level::Info, LogSource::Log, "three\nfour");
    write(&mut out, "five\nsix");
    console.end_call();
    assert_eq!(messages(&console), ["two", "three", "four", "one five", "six"]);
}

#[test]
fn a_terminal_is_given_nothing_to_obey() {
    assert_eq!(escape("a\u{1b}[2Jb\u{7}\u{9b}\u{202e}ü\t.", 100), "a\\u{1b}[2Jb\\u{7}\\u{9b}\\u{202e}ü    .");
    assert_eq!(escape("\u{61c}\u{200e}\u{200f}\u{feff}.", 100), "\\u{61c}\\u{200e}\\u{200f}\\u{feff}.");
    assert_eq!(escape("ünder", 3), "ün…");
    assert_eq!(escape_lines("one\u{1b}\ntwo\n\n", 100), "one\\u{1b}\ntwo");
    let (console, mut out, _) = console(1 << 20);
    out.write(Bytes::from_static(b"\xff\xfe!\n")).unwrap();
    assert_eq!(messages(&console), ["\u{fffd}\u{fffd}!"]);
}

#[test]
fn a_long_line_is_cut() {
    let (console, mut out, _) = console(1 << 20);
    for _ in 0..100 {
        out.write(Bytes::from(vec![b'x'; 1000])).unwrap();
    }
    out.write(Bytes::from_static(b"\nnext\n")).unwrap();
    let lines = messages(&console);
    assert_eq!(lines.len(), 2);
    assert!(lines[0].len() <= LINE_MAX + 3 && lines[0].ends_with('…'));
    assert_eq!(lines[1], "next");
}

#[test]
fn the_end_of_stderr_is_known_even_when_the_log_is_cut() {
    let (console, _, mut err) = console(100);
    for number in 0..1000 {
        err.write(Bytes::from(format!("line {number}\n"))).unwrap();
    }
    let lines = messages(&console);
    assert!(lines.len() < 10 && lines.iter().filter(|line| line.starts_with("log cut")).count() == 1, "{lines:?}");
    assert_eq!(console.tail().last().unwrap(), "line 999");
    console.start_call();
    assert!(console.tail().is_empty());
}

#[test]
fn randomness_follows_from_the_run_and_the_stage() {
    let context = super::guests::context();
    let other = sluicebox_model::stage::RunContext { stage: "other".into(), ..context.clone() };
    let first = |context| OwnWorld::new(context).secure_random().next_u64();
    assert_eq!(first(&context), first(&context));
    assert_ne!(first(&context), OwnWorld::new(&context).insecure_random().next_u64());
    assert_ne!(first(&context), first(&other));
    assert_ne!(insecure_seed(&context), insecure_seed(&other));
}

/// Whatever an instance was asked before, a call finds the same world.
#[test]
fn a_call_has_its_own_clock_and_randomness() {
    let context = super::guests::context();
    let (fresh, used) = (OwnWorld::new(&context), OwnWorld::new(&context));
    for turn in 1..7 {
        used.begin("process", turn);
        let (mut random, clock) = (used.secure_random(), used.monotonic_clock());
        for _ in 0..turn {
            random.next_u64();
            wasmtime_wasi::HostMonotonicClock::now(&clock);
        }
    }
    let seen = |world: &OwnWorld, turn| {
        world.begin("process", turn);
        let clock = wasmtime_wasi::HostMonotonicClock::now(&world.monotonic_clock());
        (world.secure_random().next_u64(), world.insecure_random().next_u64(), clock)
    };
    let seventh = seen(&fresh, 7);
    assert_eq!(seventh, seen(&used, 7));
    let eighth = seen(&used, 8);
    assert!(eighth.0 != seventh.0 && eighth.1 != seventh.1 && eighth.2 > seventh.2);
}
