//! Things that a stage may do only if it was granted them.

use sluicebox_stage::{BadRecord, Batch, Column, DataType, Fault, Field, Schema, count, log, quarantine};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant, SystemTime};

pub(crate) fn read_file(path: &str) -> Result<(), Fault> {
    let bytes = std::fs::read(path).map_err(Fault::of_file(path))?;
    log::info(format_args!("evil: read {} bytes of {path}", bytes.len()));
    Ok(())
}

pub(crate) fn write_file(path: &str) -> Result<(), Fault> {
    std::fs::write(path, "evil was here\n").map_err(Fault::of_file(path))?;
    log::info(format_args!("evil: wrote {path}"));
    Ok(())
}

pub(crate) fn list_folder(path: &str) -> Result<(), Fault> {
    for entry in std::fs::read_dir(path).map_err(Fault::of_file(path))? {
        log::info(format_args!("evil: found {}", entry?.path().display()));
    }
    Ok(())
}

pub(crate) fn many_files(path: &str, times: u64) -> Result<(), Fault> {
    let files: Result<Vec<_>, _> = (0..times).map(|_| std::fs::File::open(path)).collect();
    let files = files.map_err(Fault::of_file(path))?;
    log::info(format_args!("evil: {} files are open", files.len()));
    Ok(())
}

pub(crate) fn read_environment() {
    let mut names = 0;
    for (name, value) in std::env::vars_os() {
        names += 1;
        log::info(format_args!("evil: env {}={}", name.display(), value.display()));
    }
    log::info(format_args!("evil: {names} variables, {} arguments", std::env::args_os().count()));
}

pub(crate) fn sleep(seconds: f64) {
    std::thread::sleep(Duration::try_from_secs_f64(seconds).unwrap_or(Duration::MAX));
    log::info(format_args!("evil: slept {seconds} s"));
}

/// Logs nanoseconds since 1970 and those that passed in between.
pub(crate) fn clock() {
    let since = |time: SystemTime| time.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_nanos();
    let start = Instant::now();
    let (first, second) = (since(SystemTime::now()), since(SystemTime::now()));
    log::info(format_args!("evil: clock {first} {second}; {} ns passed", start.elapsed().as_nanos()));
}

/// Warns eight times, once with what would steer a terminal, and tells an error.
pub(crate) fn warn() {
    log::warn("evil: \u{1b}[31mred\u{7}\nand a second line");
    for number in 2..=7 {
        log::warn(format_args!("evil: warning {number}"));
    }
    log::error("evil: an error that is none");
    log::info("evil: nothing to see");
}

/// Leaves a line at the path, and panics once there are more than so many.
pub(crate) fn panic_after(path: &str, times: u64) -> Result<(), Fault> {
    let before = std::fs::read_to_string(path).unwrap_or_default();
    std::fs::write(path, format!("{before}opened\n"))?;
    if before.lines().count() as u64 >= times {
        crate::crash::panic("open");
    }
    Ok(())
}

/// The time, and numbers from the system's generator.
pub(crate) fn stamp() -> Result<String, Fault> {
    let since = |time: SystemTime| time.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_nanos();
    let start = Instant::now();
    let mut bytes = [0u8; 16];
    getrandom::fill(&mut bytes)
        .map_err(|error| Fault::denied(format!("no randomness: {error}; grant grants.random")))?;
    let now = since(SystemTime::now());
    Ok(format!("{now} {:032x} after {} ns", u128::from_le_bytes(bytes), start.elapsed().as_nanos()))
}

/// The batch with the time and random numbers in each row; the numbers of a row are those of the hundred about it.
pub(crate) fn stamped(batch: &Batch) -> Result<Batch, Fault> {
    let hundreds: Vec<String> = (0..batch.rows().div_ceil(100)).map(|_| stamp()).collect::<Result<_, _>>()?;
    let stamps = hundreds.iter().flat_map(|stamp| std::iter::repeat_n(stamp, 100)).take(batch.rows());
    batch.with_columns(Schema::new([Field::new("stamp", DataType::Utf8)]), vec![Column::from_strs(stamps)])
}

/// Logs numbers from the system's generator, and what the standard library seeds its tables with.
pub(crate) fn random() -> Result<(), Fault> {
    use std::hash::{BuildHasher, RandomState};
    let mut bytes = [0u8; 16];
    getrandom::fill(&mut bytes)
        .map_err(|error| Fault::denied(format!("no randomness: {error}; grant grants.random")))?;
    let seed = RandomState::new().hash_one(0u8);
    log::info(format_args!("evil: random {:032x} seed {seed:016x}", u128::from_le_bytes(bytes)));
    Ok(())
}

/// Clears the screen, names the window, turns the text around, and rings.
pub(crate) const STEERS: &str =
    "evil\u{1b}[2J\u{1b}]0;pwned\u{7}\u{9b}31m\u{202e}txet\u{0}\u{8}\u{61c}\u{200e}\u{200f}\u{2028}\u{2066}\u{feff}";

/// Tells it wherever a stage can tell something.
pub(crate) fn steer() -> Fault {
    log::info(STEERS);
    println!("{STEERS}");
    eprintln!("{STEERS}");
    count(STEERS, 1);
    quarantine(vec![BadRecord { origin: STEERS.into(), content: STEERS.into(), reason: STEERS.into() }]);
    Fault::internal(STEERS)
}

pub(crate) fn remove_file(path: &str) -> Result<(), Fault> {
    std::fs::remove_file(path).map_err(Fault::of_file(path))?;
    log::info(format_args!("evil: removed {path}"));
    Ok(())
}

/// What links a path to another, as the C library has it: the standard library has it only where it is stable.
#[cfg(target_family = "wasm")]
fn symlink(target: &str, path: &str) -> std::io::Result<()> {
    use std::ffi::{CString, c_char, c_int};
    #[allow(unsafe_code)]
    unsafe extern "C" {
        fn symlink(target: *const c_char, path: *const c_char) -> c_int;
    }
    let (target, path) = (CString::new(target)?, CString::new(path)?);
    // SAFETY: both are strings that end, and live until it answers.
    #[allow(unsafe_code)]
    match unsafe { symlink(target.as_ptr(), path.as_ptr()) } {
        0 => Ok(()),
        _ => Err(std::io::Error::last_os_error()),
    }
}

#[cfg(not(target_family = "wasm"))]
fn symlink(_: &str, _: &str) -> std::io::Result<()> {
    Err(std::io::ErrorKind::Unsupported.into())
}

pub(crate) fn make_link(path: &str, target: &str) -> Result<(), Fault> {
    symlink(target, path).map_err(Fault::of_file(path))?;
    log::info(format_args!("evil: linked {path}"));
    read_file(path)
}

pub(crate) fn hard_link(path: &str, target: &str) -> Result<(), Fault> {
    std::fs::hard_link(target, path).map_err(Fault::of_file(path))?;
    log::info(format_args!("evil: linked {path}"));
    read_file(path)
}

pub(crate) fn rename(path: &str, target: &str) -> Result<(), Fault> {
    std::fs::rename(path, target).map_err(Fault::of_file(path))?;
    log::info(format_args!("evil: renamed {path}"));
    Ok(())
}

/// Grows the memory, looks whether somebody left something there, and leaves something.
pub(crate) fn fresh_memory() {
    #[cfg(target_family = "wasm")]
    {
        const PAGE: usize = 64 * 1024;
        let first = core::arch::wasm32::memory_grow::<0>(128);
        if first == usize::MAX {
            return log::error("evil: there is no more memory");
        }
        // SAFETY: these pages were not there before, so they are nobody's.
        #[allow(unsafe_code)]
        let fresh = unsafe { std::slice::from_raw_parts_mut((first * PAGE) as *mut u8, 128 * PAGE) };
        let left = fresh.iter().filter(|byte| **byte != 0).count();
        fresh.fill(0xee);
        std::hint::black_box(&mut *fresh);
        log::info(format_args!("evil: {left} of {} bytes of fresh memory are not zero", fresh.len()));
    }
}

/// Logs how many `open`s this memory has seen.
pub(crate) fn remember() {
    static OPENED: AtomicU32 = AtomicU32::new(0);
    log::info(format_args!("evil: {} opened here before", OPENED.fetch_add(1, Ordering::Relaxed)));
}
