//! Compiling what may be hostile. A component of a few kilobytes can keep the compiler busy for hours and make it take all
//! memory, and the compiler cannot be interrupted. So it works in a process of its own, which the kernel stops: by
//! processor time and by memory, both in proportion to the size of the component, whatever the machine is busy with. What
//! a stopped process leaves behind is a file without a name in the cache folder at most.
//!
//! Where no program was named that can be such a process ([`Sandbox::work_with`](crate::Sandbox::work_with)), a
//! thread compiles. It is not waited for beyond the time, but it cannot be stopped, and its memory is not bounded: it is
//! for those who compile what they trust.

use crate::compiled::Cache;
use crate::engine;
use crate::process::{Bounds, Task, wait};
use sluicebox_model::limits::{compile_memory_bytes_max, compile_time_max};
use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{ExitCode, ExitStatus, Stdio};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::thread;
use wasmparser::{KnownCustom, Name, Parser, Payload};
use wasmtime::component::Component;
use wasmtime::{Engine, Result};

/// What a process is asked for that compiles.
pub(crate) const TASK: &str = "compile";

/// Bytes of what the compiler says.
const REASON_MAX: usize = 4096;
/// Bytes of the name of a function. The engine makes a copy for each frame of a trap.
pub(crate) const FUNCTION_NAME_MAX: usize = 1024 * 1024;
/// How a process ends that says why the component cannot be compiled.
const REFUSED: u8 = 1;
/// How a process ends that says what of the component is too much.
const TOO_MUCH: u8 = 3;

/// Why there is no compiled component.
#[derive(Debug)]
pub(crate) enum NotCompiled {
    /// It cannot be compiled, ever: the engine's reason.
    Broken(String),
    /// It took more time or memory than components of its size get, or more than the compiler can take: for people.
    TooMuch(String),
    /// Nothing can be said of the component: the machine is at fault.
    Machine(String),
}

/// Compiles in a process of its own, a `program` that calls [`work_for_parent`](crate::work_for_parent). Answers with a file in the cache
/// folder, which holds the compiled component.
pub(crate) fn in_a_process(
    program: &Path,
    cache: &Cache,
    bytes: &[u8],
    stack_bytes: u64,
    in_background: bool,
) -> std::result::Result<PathBuf, NotCompiled> {
    let machine = |error: io::Error| NotCompiled::Machine(error.to_string());
    let size_bytes = bytes.len() as u64;
    let bounds =
        Bounds { cpu_max: compile_time_max(size_bytes), memory_bytes_max: compile_memory_bytes_max(size_bytes) };
    let input = cache.part();
    let output = cache.part();
    let given = write(&input, bytes).and_then(|()| File::open(&input));
    // Whoever has it open goes on with it.
    let _ = fs::remove_file(&input);
    let background = if in_background { "background" } else { "" };
    let started = given.and_then(|input| {
        let task = Task {
            name: TASK,
            bounds,
            input,
            output: Stdio::from(File::create(&output)?),
            reasons: Stdio::piped(),
            arguments: &[stack_bytes.to_string(), background.to_owned()],
        };
        task.start(program)
    });
    let ended = started.and_then(|mut child| -> io::Result<(Option<ExitStatus>, String)> {
        let status = wait(&mut child, bounds)?;
        let mut said = Vec::new();
        if let Some(stderr) = child.stderr.take() {
            // It has ended, so this does too.
            stderr.take(REASON_MAX as u64).read_to_end(&mut said)?;
        }
        // What it says may hold names that the component has.
        Ok((status, crate::console::escape(String::from_utf8_lossy(&said).trim(), REASON_MAX)))
    });
    let judged = ended.map_err(machine).and_then(|(status, said)| judge(status, &said, size_bytes));
    match judged {
        Ok(()) => Ok(output),
        Err(why) => {
            let _ = fs::remove_file(&output);
            Err(why)
        }
    }
}

fn write(path: &Path, bytes: &[u8]) -> io::Result<()> {
    File::create(path)?.write_all(bytes)
}

/// What the end of the process says of the component.
fn judge(status: Option<ExitStatus>, said: &str, size_bytes: u64) -> std::result::Result<(), NotCompiled> {
    let too_long = || NotCompiled::TooMuch(took_too_long(size_bytes));
    let Some(status) = status else { return Err(too_long()) };
    if status.success() {
        return Ok(());
    }
    if said.contains("memory allocation of")
        || said.contains("out of memory")
        || said.contains("Cannot allocate memory")
    {
        let most = crate::limiter::bytes(compile_memory_bytes_max(size_bytes));
        return Err(NotCompiled::TooMuch(format!("compiling it took more than {most} of memory, {FAR_MORE}")));
    }
    if status.code() == Some(REFUSED.into()) {
        return Err(NotCompiled::Broken(said.to_owned()));
    }
    if status.code() == Some(TOO_MUCH.into()) {
        return Err(NotCompiled::TooMuch(said.to_owned()));
    }
    match signal_of(status) {
        Some(Signal::Time) => Err(too_long()),
        Some(Signal::Asked) => {
            Err(NotCompiled::Machine("the process that compiled was stopped from outside".to_owned()))
        }
        _ => Err(NotCompiled::TooMuch(format!("the compiler cannot take it and gave up ({status}), {FAR_MORE}"))),
    }
}

const FAR_MORE: &str = "which no plugin of its size comes near to; if it was built from sources that you trust, build it \
                        again with smaller functions";

fn took_too_long(size_bytes: u64) -> String {
    let most = crate::limiter::span(compile_time_max(size_bytes));
    format!("compiling it took longer than {most} of a processor, {FAR_MORE}")
}

enum Signal {
    /// Its processor time was spent, or the kernel had no memory left.
    Time,
    /// Somebody asked it to end.
    Asked,
}

#[cfg(unix)]
fn signal_of(status: ExitStatus) -> Option<Signal> {
    use std::os::unix::process::ExitStatusExt;
    match status.signal() {
        // SIGKILL comes behind SIGXCPU for those who do not listen.
        Some(24 | 9) => Some(Signal::Time),
        Some(1 | 2 | 15) => Some(Signal::Asked),
        _ => None,
    }
}

#[cfg(not(unix))]
fn signal_of(_: ExitStatus) -> Option<Signal> {
    None
}

/// Compiles on a thread; waits for it no longer than a component of its size may take.
pub(crate) fn in_a_thread(
    size_bytes: u64,
    compile: impl FnOnce() -> Result<Component> + Send + 'static,
) -> std::result::Result<Component, NotCompiled> {
    let machine = |error: io::Error| NotCompiled::Machine(error.to_string());
    let (done, end) = channel();
    let work = move || {
        // Nobody listens once the time is up.
        let _ = done.send(compile());
    };
    thread::Builder::new().name("sluicebox-compile".to_owned()).spawn(work).map_err(machine)?;
    match end.recv_timeout(compile_time_max(size_bytes)) {
        Ok(Ok(component)) => Ok(component),
        Ok(Err(error)) => Err(NotCompiled::Broken(reason(&error))),
        Err(RecvTimeoutError::Timeout) => Err(NotCompiled::TooMuch(took_too_long(size_bytes))),
        Err(RecvTimeoutError::Disconnected) => {
            Err(NotCompiled::TooMuch(format!("the compiler cannot take it and gave up, {FAR_MORE}")))
        }
    }
}

/// The engine speaks of sections and types: the first line is enough to tell one damage from another.
fn reason(error: &wasmtime::Error) -> String {
    crate::console::escape(error.root_cause().to_string().lines().next().unwrap_or_default(), REASON_MAX)
}

/// Reads a component from standard input and writes it compiled to standard output.
pub(crate) fn work(mut arguments: impl Iterator<Item = String>) -> ExitCode {
    let Some(stack) = arguments.next().and_then(|argument| argument.parse::<u64>().ok()) else {
        return ExitCode::from(2);
    };
    if arguments.next().is_some_and(|argument| argument == "background") {
        crate::background::step_back();
    }
    let (code, reason) = match compile(stack) {
        Ok(()) => return ExitCode::SUCCESS,
        Err(NotCompiled::Broken(reason) | NotCompiled::Machine(reason)) => (REFUSED, reason),
        Err(NotCompiled::TooMuch(reason)) => (TOO_MUCH, reason),
    };
    eprintln!("{reason}");
    ExitCode::from(code)
}

fn compile(stack_bytes: u64) -> std::result::Result<(), NotCompiled> {
    let machine = |error: io::Error| NotCompiled::Machine(error.to_string());
    let broken = |error: wasmtime::Error| NotCompiled::Broken(reason(&error));
    let mut bytes = Vec::new();
    io::stdin().lock().read_to_end(&mut bytes).map_err(machine)?;
    names_fit(&bytes).map_err(NotCompiled::TooMuch)?;
    let engine: Engine = engine::of_stack(stack_bytes).map_err(broken)?;
    let compiled = engine.precompile_component(&bytes).map_err(broken)?;
    let mut out = io::stdout().lock();
    out.write_all(&compiled).and_then(|()| out.flush()).map_err(machine)
}

/// Refuses names of functions that nobody means. What cannot be read is left to the engine.
fn names_fit(bytes: &[u8]) -> std::result::Result<(), String> {
    let sections = Parser::new(0).parse_all(bytes).map_while(std::result::Result::ok);
    let custom = sections.filter_map(|payload| match payload {
        Payload::CustomSection(section) => Some(section),
        _ => None,
    });
    for section in custom {
        let KnownCustom::Name(names) = section.as_known() else { continue };
        for functions in names.into_iter().map_while(std::result::Result::ok) {
            let Name::Function(functions) = functions else { continue };
            let named = functions.into_iter().map_while(std::result::Result::ok);
            if let Some(long) = named.map(|naming| naming.name.len()).find(|bytes| *bytes > FUNCTION_NAME_MAX) {
                let most = crate::limiter::bytes(FUNCTION_NAME_MAX as u64);
                return Err(format!("the name of a function has {long} bytes; {most} is the most"));
            }
        }
    }
    Ok(())
}

#[cfg(all(test, unix))]
mod tests {
    #![allow(clippy::panic)]
    use super::*;
    use std::os::unix::process::ExitStatusExt;

    #[test]
    fn the_end_of_the_process_says_what_is_wrong() {
        const MIB: u64 = 1024 * 1024;
        let ended = |raw: i32, said: &str| judge(Some(ExitStatus::from_raw(raw)), said, MIB);
        assert!(ended(0, "").is_ok());
        let Err(NotCompiled::Broken(reason)) = ended(1 << 8, "unexpected end") else { panic!("exit 1") };
        assert_eq!(reason, "unexpected end");
        let too_much = |judged| match judged {
            Err(NotCompiled::TooMuch(reason)) => reason,
            other => panic!("{other:?}"),
        };
        assert_eq!(too_much(ended(3 << 8, "the name of a function")), "the name of a function");
        for judged in [ended(24, ""), ended(9, ""), judge(None, "", MIB)] {
            assert!(too_much(judged).starts_with("compiling it took longer than 20s of a processor, which no plugin"));
        }
        let memory = too_much(ended(6, "memory allocation of 16 bytes failed"));
        assert!(memory.starts_with("compiling it took more than 1.1GiB of memory"), "{memory}");
        assert!(too_much(ended(11, "")).contains("the compiler cannot take it"));
        assert!(matches!(ended(15, ""), Err(NotCompiled::Machine(_))), "somebody stopped it");
    }

    #[test]
    fn a_program_that_is_not_there_is_the_machine_s_fault() {
        let Ok(folder) = tempfile::tempdir() else { panic!("no folder") };
        let Ok(cache) = Cache::open(folder.path().join("cache")) else { panic!("no cache") };
        let judged = in_a_process(Path::new("/no/such/program"), &cache, b"\0asm", 1024 * 1024, false);
        assert!(matches!(judged, Err(NotCompiled::Machine(_))), "{judged:?}");
        assert_eq!(cache.size_bytes(), 0, "nothing stays");
    }
}
