//! Trying a call again.

use crate::run::host_fault;
use crate::station::{Live, Station, is_alive_after};
use sluicebox_model::fault::Fault;
use sluicebox_model::stage::Instance;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// One try that did not end well.
pub(crate) struct Failed {
    pub(crate) fault: Fault,
    /// Another try cannot help, whatever the fault's kind says.
    pub(crate) is_final: bool,
    /// It happened while the stage worked on rows, not while it was opened.
    pub(crate) at_work: bool,
    /// What the instance was made for; 0: the try was the instance's own.
    pub(crate) attempt: u32,
}

impl From<Fault> for Failed {
    fn from(fault: Fault) -> Self {
        Self { fault, is_final: false, at_work: false, attempt: 0 }
    }
}

/// Calls `one_try` with the attempt, counted from 1, until it ends well, or trying again cannot help, or the attempts
/// are spent.
pub(crate) fn with_attempts<R>(
    station: &Station<'_>,
    mut one_try: impl FnMut(u32) -> Result<R, Failed>,
) -> Result<R, Failed> {
    let mut attempt = 1;
    loop {
        match one_try(attempt) {
            Ok(answer) => return Ok(answer),
            Err(failed) if !failed.is_final && station.tries_again(attempt, &failed.fault) => {
                attempt += 1;
                station.before_retry(attempt, &failed.fault)?;
            }
            Err(failed) if failed.attempt == 0 => return Err(Failed { attempt, ..failed }),
            Err(failed) => return Err(failed),
        }
    }
}

/// A call of a stage that keeps state in its instance. If the guest itself says that something does not answer now, it
/// is asked again. A dead instance has taken its state with it: only where `may_restart` (nothing was accepted yet) a
/// fresh one takes its place.
pub(crate) fn call_stateful<'a, T: Instance + ?Sized, R>(
    station: &'a Station<'a>,
    live: &mut Option<Live<'a, T>>,
    may_restart: bool,
    open: impl Fn(u32) -> Result<Live<'a, T>, Fault>,
    mut call: impl FnMut(&mut T) -> Result<R, Fault>,
) -> Result<R, Failed> {
    with_attempts(station, |attempt| {
        let instance = match live.as_mut() {
            Some(instance) => instance,
            None => live.insert(open(attempt)?),
        };
        let fault = match instance.call(&mut call) {
            Ok(answer) => return Ok(answer),
            Err(fault) => fault,
        };
        let is_lost = !is_alive_after(&fault);
        let attempt = instance.attempt;
        if is_lost {
            *live = None;
        }
        Err(Failed { fault, is_final: is_lost && !may_restart, at_work: true, attempt })
    })
}

/// Runs what must not take the process down: a panic is a fault of the host.
pub(crate) fn guarded<R>(stage: &str, work: impl FnOnce() -> Result<R, Fault>) -> Result<R, Fault> {
    // What the work shares is behind locks that go on after a panic, and the run ends anyway.
    catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|panic| {
        let text = panic
            .downcast_ref::<&str>()
            .map(|text| (*text).to_owned())
            .or_else(|| panic.downcast_ref::<String>().cloned())
            .unwrap_or_else(|| "no message".to_owned());
        Err(host_fault("run", &format!("sluicebox itself made a mistake: {text}"))
            .of_stage(stage)
            .with_help("please report it with the pipeline file; the run was stopped and nothing was loaded"))
    })
}
