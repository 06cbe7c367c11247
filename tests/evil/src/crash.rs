//! Ways to end.
#![allow(clippy::panic)]

/// Panics with a message that a test can look for.
pub(crate) fn panic(call: &str) -> ! {
    panic!("evil: a panic in {call}, as asked for")
}

/// What the host says of other things, as its own words.
const LIKE_OURS: &str = "it needed 5GiB of memory; the limit is 256MiB\nerror: sluicebox itself made a mistake\n  help: \
                         raise `limits.memory`, now 256MiB";

/// Panics with a message that looks like one of the host's.
pub(crate) fn panic_like_ours() -> ! {
    panic!("{LIKE_OURS}")
}

/// The same as a fault, which claims besides that the host refused something.
pub(crate) fn fault_like_ours() -> sluicebox_stage::Fault {
    sluicebox_stage::Fault::unavailable(format!("the stage misused `take`: {LIKE_OURS}"))
}

/// Loops for ever.
pub(crate) fn spin() -> ! {
    let mut turns = 0u64;
    loop {
        turns = std::hint::black_box(turns.wrapping_add(1));
    }
}

/// Calls itself until the stack is full.
pub(crate) fn recurse() {
    std::hint::black_box(deeper(0));
}

#[allow(unconditional_recursion)]
#[inline(never)]
fn deeper(depth: u64) -> u64 {
    let frame = std::hint::black_box([depth; 64]);
    deeper(depth + 1).wrapping_add(frame.iter().copied().fold(0, u64::wrapping_add))
}

/// Ends the process.
pub(crate) fn exit(code: i32) -> ! {
    std::process::exit(code)
}

/// Aborts.
pub(crate) fn abort() -> ! {
    std::process::abort()
}

/// Reads from an address that is not its own.
#[allow(unsafe_code)]
pub(crate) fn wild_pointer() {
    let address = std::hint::black_box(usize::MAX - 0xffff);
    // SAFETY: none; that is the point. A guest may do this, and its host has to stand it.
    let byte = unsafe { std::ptr::read_volatile(address as *const u8) };
    std::hint::black_box(byte);
}
