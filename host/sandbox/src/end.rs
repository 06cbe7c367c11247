//! How a call that did not end well becomes a fault.

use crate::console::escape_lines;
use crate::contract::types;
use crate::limiter::Passed;
use crate::lines::Lines;
use crate::trace;
use sluicebox_model::fault::{Fault, FaultKind};
use sluicebox_model::limits::Limits;
use wasmtime::component::ResourceTableError;
use wasmtime::{Trap, WasmBacktrace};
use wasmtime_wasi::I32Exit;

/// How a host call tells a guest that it was refused. A guest that passes it on is told as one that broke the contract:
/// no row of the data is to blame.
pub(crate) const MISUSED: &str = "the stage misused `";
/// What to do about a mistake of the plugin's author.
const MISTAKE: &str = "this is a mistake in the plugin; tell whoever wrote it";
/// Bytes of a fault's message.
pub(crate) const MESSAGE_MAX: usize = 16 * 1024;

/// The fault that a guest answered with.
pub(crate) fn told(call: &str, fault: types::Fault) -> Fault {
    let kind = match fault.kind {
        types::FaultKind::InvalidConfig => FaultKind::InvalidConfig,
        types::FaultKind::InvalidData => FaultKind::InvalidData,
        types::FaultKind::Denied => FaultKind::Denied,
        types::FaultKind::Unavailable => FaultKind::Unavailable,
        types::FaultKind::Internal => FaultKind::Internal,
    };
    let mut message = escape_lines(&fault.message, MESSAGE_MAX);
    if message.is_empty() {
        message.push_str("the stage did not say why");
    }
    let is_misuse = matches!(kind, FaultKind::InvalidData | FaultKind::Internal) && message.contains(MISUSED);
    let mut told = Fault::new(if is_misuse { FaultKind::Contract } else { kind }, call, message);
    told.help = is_misuse.then(|| MISTAKE.to_owned());
    told.rows = fault.row.map(|row| (row.into(), u64::from(row) + 1));
    told
}

/// Tells what the stage was refused in the call that failed, since that is likely why.
pub(crate) fn refused(mut fault: Fault, refused: Option<String>) -> Fault {
    let likely = match fault.kind {
        FaultKind::Trap | FaultKind::Exit => true,
        FaultKind::Timeout | FaultKind::Memory | FaultKind::Limit | FaultKind::Cancelled | FaultKind::Host => false,
        _ => fault.help.is_none(),
    };
    if likely && let Some(refused) = refused {
        fault.help = Some(refused);
    }
    fault
}

/// The guest broke the contract by its answer.
pub(crate) fn contract(call: &str, reason: &str) -> Fault {
    broken(call, &format!("what the stage answered does not fit: {reason}"))
}

fn broken(call: &str, message: &str) -> Fault {
    Fault::new(FaultKind::Contract, call, escape_lines(message, MESSAGE_MAX)).with_help(MISTAKE)
}

/// A limit was passed, or the run was cancelled.
pub(crate) fn passed(call: &str, passed: &Passed) -> Fault {
    let mut fault = Fault::new(passed.kind(), call, passed.to_string());
    fault.help = passed.help(call);
    fault
}

/// The call ended in an error of the engine: a trap, a limit, or an answer that cannot be read. `stderr` holds the last
/// lines that the guest wrote there; `lines` finds those of its sources.
pub(crate) fn of_error(
    call: &str,
    error: &wasmtime::Error,
    stderr: &[String],
    limits: &Limits,
    lines: Option<&Lines>,
) -> Fault {
    let mut fault = kind_of(call, error, stderr, limits);
    // A run that is cancelled does not wait for them.
    let lines = lines.filter(|_| fault.kind != FaultKind::Cancelled);
    fault.backtrace = error.downcast_ref::<WasmBacktrace>().map(|trace| trace::text(trace, lines));
    fault
}

fn kind_of(call: &str, error: &wasmtime::Error, stderr: &[String], limits: &Limits) -> Fault {
    if let Some(limit) = error.downcast_ref::<Passed>() {
        return passed(call, limit);
    }
    if let Some(I32Exit(code)) = error.downcast_ref::<I32Exit>() {
        let message = format!("the stage ended itself with exit code {code} instead of answering");
        return Fault::new(FaultKind::Exit, call, with_stderr(message, stderr)).with_help(crashed(call));
    }
    if let Some(trap) = error.downcast_ref::<Trap>() {
        return trapped(call, *trap, stderr, limits);
    }
    if let Some(ResourceTableError::Full) = error.downcast_ref::<ResourceTableError>() {
        return passed(call, &Passed::Handles { max: limits.handles_max });
    }
    // These two have no type of their own that could be asked for.
    let said = |what: &str| error.chain().any(|cause| trace::bounded(&cause, MESSAGE_MAX).contains(what));
    if said("too much data is being copied between the host and the guest") {
        return passed(call, &Passed::TransferText { max: limits.transfer_bytes_max });
    }
    if said("resource table has no free keys") || said("handle limit exceeded") {
        return passed(call, &Passed::Handles { max: limits.handles_max });
    }
    let reason = with_stderr(trace::bounded(&error.root_cause(), MESSAGE_MAX), stderr);
    if said("unknown handle index") {
        // In a call of the host or in the answer: of a batch, or of what WASI gives.
        return broken(call, &format!("the stage used a batch, or another resource, that it does not have: {reason}"));
    }
    contract(call, &reason)
}

fn trapped(call: &str, trap: Trap, stderr: &[String], limits: &Limits) -> Fault {
    let stack = crate::limiter::bytes(limits.stack_bytes_max);
    let (message, help) = match trap {
        Trap::UnreachableCodeReached => match panic_text(stderr) {
            Some(text) => (format!("the stage panicked {text}"), None),
            None => (with_stderr("the stage gave up (it reached `unreachable`)".to_owned(), stderr), None),
        },
        Trap::Interrupt => return passed(call, &Passed::Time { max: limits.call_max }),
        Trap::StackOverflow => (
            format!("the stage ran out of stack, of which it has {stack}"),
            Some(format!("raise `limits.stack`, now {stack}, if the stage does not call itself without end")),
        ),
        Trap::MemoryOutOfBounds => (
            with_stderr(
                "the stage used memory that it does not have (a wild pointer, or no stack left)".to_owned(),
                stderr,
            ),
            None,
        ),
        Trap::IntegerDivisionByZero => ("the stage divided a whole number by zero".to_owned(), None),
        other => (
            with_stderr(format!("the stage trapped: {}", other.to_string().trim_start_matches("wasm trap: ")), stderr),
            None,
        ),
    };
    let mut fault = Fault::new(FaultKind::Trap, call, escape_lines(&message, MESSAGE_MAX));
    fault.help = Some(help.unwrap_or_else(|| crashed(call).to_owned()));
    fault
}

/// What to do about a guest that came to a sudden end.
fn crashed(call: &str) -> &'static str {
    match call {
        "describe" | "commit" | "abort" => MISTAKE,
        "instantiate" | "open" | "open-split" | "split" => {
            "this is a mistake in the plugin, or in its options: `sluicebox plugins show` tells what they may be"
        }
        _ => {
            "this is a mistake in the plugin or its input: `sluicebox replay RUN STAGE` runs the call again and shows its \
             backtrace"
        }
    }
}

/// What the guest said as it panicked, if it says so as Rust does: `at src/lib.rs:7:5: index out of bounds`.
fn panic_text(stderr: &[String]) -> Option<String> {
    const MARK: &str = " panicked at ";
    let first = stderr.iter().rposition(|line| line.contains(MARK))?;
    let mut lines = stderr.get(first..)?.iter();
    let (_, place) = lines.next()?.split_once(MARK)?;
    let mut text = format!("at {}", place.trim_end().trim_end_matches(':'));
    let mut parted = ": ";
    for line in lines.take_while(|line| !line.starts_with("note: ") && !line.starts_with("stack backtrace:")) {
        text.push_str(parted);
        text.push_str(line);
        parted = "\n";
    }
    Some(text.trim_end().to_owned())
}

fn with_stderr(message: String, stderr: &[String]) -> String {
    let said: Vec<&str> = stderr.iter().map(String::as_str).filter(|line| !line.trim().is_empty()).collect();
    let last = said.get(said.len().saturating_sub(10)..).unwrap_or_default();
    match last {
        [] => message,
        lines => format!("{message}; it said:\n{}", lines.join("\n")),
    }
}
