//! Panics of arrow on bytes that are not ours.

use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind, set_hook, take_hook};
use std::sync::Once;

thread_local! {
    static WITHIN: Cell<bool> = const { Cell::new(false) };
}

/// Runs a kernel or a reader of arrow on bytes from outside, and makes a panic within it an error: its text.
///
/// What can be checked is checked before; this is a belt beside the braces: arrow panics on some inputs that its own
/// validation lets through, and neither a guest nor a damaged file may take the host down. It works on shared immutable
/// buffers, so an unwinding kernel leaves nothing half done; a reader that panicked is not to be used again.
///
/// # Errors
/// The work panicked.
pub fn caught<T>(work: impl FnOnce() -> T) -> Result<T, String> {
    hush();
    let before = WITHIN.replace(true);
    let result = catch_unwind(AssertUnwindSafe(work));
    WITHIN.set(before);
    result.map_err(|panic| {
        let text = panic.downcast_ref::<String>().map(String::as_str);
        let text = text.or_else(|| panic.downcast_ref::<&str>().copied());
        text.unwrap_or("a failure without a text").to_owned()
    })
}

/// Keeps panics that [`caught`] catches off the terminal: their text goes into the error. All others are told as before.
fn hush() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let told = take_hook();
        set_hook(Box::new(move |panic| {
            if !WITHIN.get() {
                told(panic);
            }
        }));
    });
}

#[cfg(test)]
mod tests {
    #![allow(clippy::panic)]
    use super::caught;

    #[test]
    fn a_panic_is_an_error_with_its_text() {
        assert_eq!(caught(|| 7), Ok(7));
        let number = 3;
        assert_eq!(caught(|| panic!("at row {number}")), Err::<(), _>("at row 3".to_owned()));
        assert_eq!(caught(|| panic!("plainly")), Err::<(), _>("plainly".to_owned()));
    }
}
