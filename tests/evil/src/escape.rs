//! Things that a stage may do only if it was granted them.

use sluicebox_stage::{Batch, Column, DataType, Fault, Field, Schema, log};
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
