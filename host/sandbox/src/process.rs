//! Work on what may be hostile, in a process of its own that the kernel stops: by processor time and by memory. What it has
//! to do is known by its first argument, what it works on is its standard input.

use crate::compiler;
use crate::lines;
use std::ffi::OsStr;
use std::fs::File;
use std::io;
use std::path::Path;
use std::process::{Child, Command, ExitCode, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

/// The first argument by which the host's own program is asked to work for another process; see [`work_for_parent`].
pub const WORK: &str = "work-for-another-process";

/// How often a process that works is looked at.
const LOOK: Duration = Duration::from_millis(5);
/// So many times its processor time it may take by the clock, on a machine that is busy with other things.
const BUSY: u32 = 8;

/// What a process may use.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bounds {
    /// Processor time, in whole seconds.
    pub(crate) cpu_max: Duration,
    pub(crate) memory_bytes_max: u64,
}

/// A process that is about to work.
pub(crate) struct Task<'a> {
    pub(crate) name: &'static str,
    pub(crate) bounds: Bounds,
    /// What it works on.
    pub(crate) input: File,
    pub(crate) output: Stdio,
    /// Where it says why it cannot.
    pub(crate) reasons: Stdio,
    pub(crate) arguments: &'a [String],
}

impl Task<'_> {
    /// Starts the process: a `program` that calls [`work_for_parent`].
    pub(crate) fn start(self, program: &Path) -> io::Result<Child> {
        let Self { name, bounds, input, output, reasons, arguments } = self;
        Command::new(program)
            .args([WORK, name])
            .arg(bounds.cpu_max.as_secs().max(1).to_string())
            .arg(bounds.memory_bytes_max.to_string())
            .args(arguments.iter().map(OsStr::new))
            .env_clear()
            .stdin(Stdio::from(input))
            .stdout(output)
            .stderr(reasons)
            .spawn()
    }
}

/// Waits until the process ends, on a machine however busy; ends it, and answers with none, where that takes for ever.
pub(crate) fn wait(child: &mut Child, bounds: Bounds) -> io::Result<Option<ExitStatus>> {
    let until = Instant::now() + bounds.cpu_max * BUSY;
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(Some(status));
        }
        if Instant::now() >= until {
            child.kill()?;
            child.wait()?;
            return Ok(None);
        }
        thread::sleep(LOOK);
    }
}

/// What a process does that was started to work for a sandbox: compiles a component, or finds lines of its sources. The
/// arguments behind [`WORK`] are those of the sandbox that started it. Says on standard error why it cannot.
///
/// A program that gives its path to [`Sandbox::work_with`](crate::Sandbox::work_with) calls this, before all else, where its
/// first argument is [`WORK`].
pub fn work_for_parent(arguments: impl IntoIterator<Item = String>) -> ExitCode {
    let mut arguments = arguments.into_iter();
    let name = arguments.next().unwrap_or_default();
    let mut number = || arguments.next().and_then(|argument| argument.parse::<u64>().ok());
    let (Some(cpu_seconds), Some(memory)) = (number(), number()) else {
        eprintln!("this is for sluicebox itself");
        return ExitCode::from(2);
    };
    bound(cpu_seconds, memory);
    match name.as_str() {
        compiler::TASK => compiler::work(arguments),
        lines::TASK => lines::work(arguments),
        _ => {
            eprintln!("this is for sluicebox itself");
            ExitCode::from(2)
        }
    }
}

/// Lets the kernel end this process when it took so much, or its parent has ended.
#[cfg(target_os = "linux")]
fn bound(cpu_seconds: u64, memory_bytes: u64) {
    use rustix::process::{Resource, Rlimit, Signal, set_parent_process_death_signal, setrlimit};
    // Nobody is left to take what it makes. (The signal comes with the end of the thread that waits for it.)
    let _ = set_parent_process_death_signal(Some(Signal::KILL));
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
