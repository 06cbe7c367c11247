//! Compiling what may be hostile. A component of a few kilobytes can keep the compiler busy for hours and make it take all
//! memory, and the compiler cannot be interrupted. So it works in a process of its own, which the kernel stops: by
//! processor time and by memory, both in proportion to the size of the component, whatever the machine is busy with. What
//! a stopped process leaves behind is a file without a name in the cache folder at most.
//!
//! Where no program was named that can be such a process ([`Sandbox::compile_with`](crate::Sandbox::compile_with)), a
//! thread compiles. It is not waited for beyond the time, but it cannot be stopped, and its memory is not bounded: it is
//! for those who compile what they trust.

use crate::compiled::Cache;
use crate::engine;
use sluicebox_model::limits::{compile_memory_bytes_max, compile_time_max};
use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitCode, ExitStatus, Stdio};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::thread;
use std::time::{Duration, Instant};
use wasmtime::component::Component;
use wasmtime::{Engine, Result};

/// The first argument by which the host's own program is asked to compile; see [`compile_for_parent`].
pub const COMPILE: &str = "compile-for-another-process";

/// How often a process that compiles is looked at.
const LOOK: Duration = Duration::from_millis(5);
/// So many times its processor time it may take by the clock, on a machine that is busy with other things.
const BUSY: u32 = 8;
/// Bytes of what the compiler says.
const REASON_MAX: usize = 4096;
/// How a process ends that says why the component cannot be compiled.
const REFUSED: u8 = 1;

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

/// Compiles in a process of its own, a `program` that calls [`compile_for_parent`]. Answers with a file in the cache
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
    let cpu_max = compile_time_max(size_bytes);
    let input = cache.part();
    let output = cache.part();
    let given = write(&input, bytes).and_then(|()| File::open(&input));
    // Whoever has it open goes on with it.
    let _ = fs::remove_file(&input);
    let started = given.and_then(|input| {
        Command::new(program)
            .arg(COMPILE)
            .arg(stack_bytes.to_string())
            .arg(cpu_max.as_secs().max(1).to_string())
            .arg(compile_memory_bytes_max(size_bytes).to_string())
            .arg(if in_background { "background" } else { "" })
            .env_clear()
            .stdin(Stdio::from(input))
            .stdout(Stdio::from(File::create(&output)?))
            .stderr(Stdio::piped())
            .spawn()
    });
    let ended = started.and_then(|child| wait(child, cpu_max * BUSY)).map_err(machine);
    let judged = ended.and_then(|(status, said)| judge(status, &said, size_bytes));
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

/// Waits until the process ends, at most so long; answers with how it ended and what it said.
fn wait(mut child: Child, most: Duration) -> io::Result<(Option<ExitStatus>, String)> {
    let until = Instant::now() + most;
    let status = loop {
        if let Some(status) = child.try_wait()? {
            break Some(status);
        }
        if Instant::now() >= until {
            child.kill()?;
            child.wait()?;
            break None;
        }
        thread::sleep(LOOK);
    };
    let mut said = Vec::new();
    if let Some(stderr) = child.stderr.take() {
        // It has ended, so this does too.
        stderr.take(REASON_MAX as u64).read_to_end(&mut said)?;
    }
    // What it says may hold names that the component has.
    Ok((status, crate::console::escape(String::from_utf8_lossy(&said).trim(), REASON_MAX)))
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

/// What a process does that was started to compile: reads a component from standard input and writes it compiled to
/// standard output. The arguments behind [`COMPILE`] are those of the sandbox that started it. Says on standard error why
/// it cannot.
///
/// A program that gives its path to [`Sandbox::compile_with`](crate::Sandbox::compile_with) calls this, before all else,
/// where its first argument is [`COMPILE`].
pub fn compile_for_parent(arguments: impl IntoIterator<Item = String>) -> ExitCode {
    let mut arguments = arguments.into_iter();
    let mut number = || arguments.next().and_then(|argument| argument.parse::<u64>().ok());
    let (Some(stack), Some(cpu_seconds), Some(memory)) = (number(), number(), number()) else {
        eprintln!("this is for sluicebox itself");
        return ExitCode::from(2);
    };
    let in_background = arguments.next().is_some_and(|argument| argument == "background");
    bound(cpu_seconds, memory);
    if in_background {
        crate::background::step_back();
    }
    match compile(stack) {
        Ok(()) => ExitCode::SUCCESS,
        Err(reason) => {
            eprintln!("{reason}");
            ExitCode::from(REFUSED)
        }
    }
}

fn compile(stack_bytes: u64) -> std::result::Result<(), String> {
    let mut bytes = Vec::new();
    io::stdin().lock().read_to_end(&mut bytes).map_err(|error| error.to_string())?;
    let engine: Engine = engine::of_stack(stack_bytes).map_err(|error| reason(&error))?;
    let compiled = engine.precompile_component(&bytes).map_err(|error| reason(&error))?;
    let mut out = io::stdout().lock();
    out.write_all(&compiled).and_then(|()| out.flush()).map_err(|error| error.to_string())
}

/// Lets the kernel end this process when it took so much.
#[cfg(target_os = "linux")]
fn bound(cpu_seconds: u64, memory_bytes: u64) {
    use rustix::process::{Resource, Rlimit, setrlimit};
    // A process that cannot be bounded by the kernel is still watched by its parent.
    let limit = |resource, most| {
        let _ = setrlimit(resource, Rlimit { current: Some(most), maximum: Some(most) });
    };
    let _ =
        setrlimit(Resource::Cpu, Rlimit { current: Some(cpu_seconds), maximum: Some(cpu_seconds.saturating_add(1)) });
    limit(Resource::Data, memory_bytes);
    limit(Resource::Core, 0);
}

#[cfg(not(target_os = "linux"))]
fn bound(_: u64, _: u64) {}

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
