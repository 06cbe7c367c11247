//! What isolation costs: the flights job with what guests are held to, and without.
//!
//! The same program runs both, with and without in turn, so that all else is the same. Only `cargo xtask bench isolation` builds
//! it, with a sandbox that can leave isolation out: see `host/sandbox/src/isolation.rs`.

use crate::bed::Bed;
use crate::job::{Job, Memory, prepare};
use crate::measure::{Cost, cost};
use anyhow::Result;
use sluicebox_sandbox::{Part, leave_out};
use std::path::Path;

/// Pairs of runs of each comparison.
const PAIRS: usize = 25;

/// Prints a table of its own.
pub(crate) fn print_table(plugins: &Path, data: &Path) -> Result<()> {
    println!();
    println!("| the flights job with and without | with | without | ratio | middle half | lowest - highest |");
    println!("| --- | --- | --- | --- | --- | --- |");
    let rows: [(&str, &[Part]); 5] = [
        ("all of isolation", &[Part::Time, Part::Limits, Part::Checks]),
        ("looking at calls as they run", &[Part::Time]),
        ("limits of memory, handles and bytes", &[Part::Limits]),
        ("checks of what is handed over", &[Part::Checks]),
        ("nothing: the same twice, to show the noise", &[]),
    ];
    for (what, parts) in rows {
        println!("{}", compared(what, parts, plugins, data)?.row());
    }
    println!();
    Ok(())
}

/// The job with everything on, and with these parts left out.
fn compared(what: &str, parts: &[Part], plugins: &Path, data: &Path) -> Result<Cost> {
    let folder = tempfile::tempdir()?;
    let text = prepare(data, folder.path())?;
    leave_out(&[]);
    let bed = Bed::new(plugins)?;
    let mut with = Job::new(&bed, folder.path(), text.clone())?;
    leave_out(parts);
    let other_bed = Bed::new(plugins)?;
    let mut without = Job::new(&other_bed, folder.path(), text)?;
    cost(
        what,
        PAIRS,
        || {
            leave_out(&[]);
            with.run(&Memory::default(), None)
        },
        || {
            leave_out(parts);
            without.run(&Memory::default(), None)
        },
    )
}
