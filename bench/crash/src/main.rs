//! `cargo xtask crash [--kills N]`: the program is killed with SIGKILL right before and right after every event of a run,
//! likewise while it restarts, and at N random instants (300 if nothing is said); then it is started again. Rows of two
//! loads and the bookmark of an incremental extract have to be those of an undisturbed run, every time.

use sluicebox_tests::crash::{Crash, Tally};
use std::collections::BTreeMap;
use std::process::ExitCode;
use std::time::Instant;

const USAGE: &str = "cargo xtask crash [--kills N]    N kills at random instants, 300 if nothing is said";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let kills = match arguments.as_slice() {
        [] => Some(300),
        [option, number] if option == "--kills" => number.parse().ok(),
        _ => None,
    };
    let Some(kills) = kills else {
        eprintln!("{USAGE}");
        return ExitCode::FAILURE;
    };
    let start = Instant::now();
    let mut crash = Crash::new();
    let mut tally = Tally::default();
    let events = crash.at_boundaries(&mut tally);
    println!("a run of {events} events, killed before and after each: {} kills", tally.boundaries);
    let before = tally.boundaries;
    crash.restarts_at_boundaries(&mut tally);
    println!("runs killed, and their restarts before and after each event: {} kills", tally.boundaries - before);
    crash.at_random(kills, &mut tally);
    println!("at random instants: {} kills ({} were to be killed and had ended)", tally.random, tally.too_late);
    table("kills by the state of the run", &tally.states);
    table("what the last restart told: the run", &tally.told);
    println!("\n{} kills, {} restarts, {:.0} s", tally.kills(), tally.restarts, start.elapsed().as_secs_f64());
    println!(
        "wrong rows = {}, wrong bookmarks = {}, wrong in all = {}",
        tally.wrong_rows,
        tally.wrong_bookmarks,
        tally.wrong.len()
    );
    if tally.wrong.is_empty() && events > 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn table(title: &str, counts: &BTreeMap<String, u32>) {
    println!("\n{title}");
    for (what, count) in counts {
        println!("  {count:>5}  {what}");
    }
}
