//! Why something that a guest handed over is not taken.

use arrow_schema::ArrowError;
use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind, set_hook, take_hook};
use std::sync::Once;

/// What is wrong, for whoever wrote the stage.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub(crate) struct Refusal(pub(crate) String);

impl From<ArrowError> for Refusal {
    fn from(error: ArrowError) -> Self {
        Self(match error {
            // What went wrong is said by the text; that an argument was invalid says nothing more.
            ArrowError::InvalidArgumentError(text) | ArrowError::SchemaError(text) | ArrowError::IpcError(text) => text,
            error => error.to_string(),
        })
    }
}

/// Ends a function with a [`Refusal`].
macro_rules! refuse {
    ($($part:tt)*) => { return Err($crate::refusal::Refusal(format!($($part)*))) };
}
pub(crate) use refuse;

thread_local! {
    static WITHIN_KERNEL: Cell<bool> = const { Cell::new(false) };
}

/// Runs a kernel of arrow on what a guest handed over, and makes a panic within it a refusal.
///
/// Everything is checked before, so this is a belt beside the braces: arrow panics on some inputs that its own
/// validation lets through, and a guest must never take the host down. The kernels work on shared immutable buffers, so
/// an unwinding one leaves nothing half done.
pub(crate) fn caught<T>(work: impl FnOnce() -> Result<T, Refusal>) -> Result<T, Refusal> {
    hush();
    let before = WITHIN_KERNEL.replace(true);
    let result = catch_unwind(AssertUnwindSafe(work));
    WITHIN_KERNEL.set(before);
    match result {
        Ok(result) => result,
        Err(panic) => {
            let text = panic
                .downcast_ref::<String>()
                .map(String::as_str)
                .or_else(|| panic.downcast_ref::<&str>().copied())
                .unwrap_or("a failure without a text");
            Err(Refusal(format!("this data cannot be worked on: {text}")))
        }
    }
}

/// Keeps panics that [`caught`] catches off the terminal: they are the guest's doing, and their text goes into its
/// fault. All other panics are told as before.
fn hush() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let told = take_hook();
        set_hook(Box::new(move |panic| {
            if !WITHIN_KERNEL.get() {
                told(panic);
            }
        }));
    });
}
