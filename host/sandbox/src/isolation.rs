//! What guests are held to, and that it cannot be left out.
//!
//! Only what `cargo xtask bench isolation` builds can, to tell what it costs: a flag of the compiler that cargo knows nothing
//! of, `--cfg unisolated`. There each part has a switch for the whole process; everywhere else the questions below are answered
//! as the code is compiled.

/// Whether this build could leave out what guests are held to. The command does not compile where it could.
pub const CAN_BE_LEFT_OUT: bool = cfg!(unisolated);

/// A part of what guests are held to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(not(unisolated), allow(unreachable_pub))]
pub enum Part {
    /// Calls are looked at as they run, and end in time.
    Time = 1,
    /// Memory, handles, and what crosses and is held are counted and bounded.
    Limits = 2,
    /// What is handed over is checked before it becomes an array.
    Checks = 4,
}

#[cfg(not(unisolated))]
#[inline(always)]
pub(crate) const fn is_on(_: Part) -> bool {
    true
}

#[cfg(unisolated)]
pub(crate) use switch::is_on;
#[cfg(unisolated)]
pub use switch::leave_out;

#[cfg(unisolated)]
mod switch {
    use super::Part;
    use std::sync::atomic::{AtomicU8, Ordering};

    static OUT: AtomicU8 = AtomicU8::new(0);

    /// Leaves out these parts from now on and no others, in the whole process. A sandbox is made, and its stages are run, with
    /// the same parts left out. Guests have to be trusted: what they hand over is not looked at.
    pub fn leave_out(parts: &[Part]) {
        OUT.store(parts.iter().fold(0, |all, part| all | *part as u8), Ordering::Relaxed);
    }

    pub(crate) fn is_on(part: Part) -> bool {
        OUT.load(Ordering::Relaxed) & part as u8 == 0
    }
}

#[cfg(test)]
mod tests {
    /// The tests hold for what is shipped.
    #[test]
    fn nothing_can_be_left_out() {
        const { assert!(!super::CAN_BE_LEFT_OUT) };
        for part in [super::Part::Time, super::Part::Limits, super::Part::Checks] {
            assert!(super::is_on(part));
        }
    }
}
