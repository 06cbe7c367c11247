//! `cargo xtask crash [--kills N]`: the program is killed with SIGKILL right before and right after every event of a run,
//! likewise while it restarts, and at N random instants (300 if nothing is said); then it is started again. Rows of two
//! loads and the bookmark of an incremental extract have to be those of an undisturbed run, every time.
//!
//! `cargo xtask crash --serve N`: `serve` is killed N times with ten runs under way and at least five waiting, and started
//! again. Every time of every schedule has to have one chain of runs, of which exactly one ends well; rows and alerts likewise.

use sluicebox_tests::crash::{Crash, Tally};
use sluicebox_tests::killed;
use std::collections::BTreeMap;
use std::process::ExitCode;
use std::time::Instant;

const USAGE: &str = "\
cargo xtask crash [--kills N]    N kills of `run` at random instants, 300 if nothing is said
cargo xtask crash --serve N      N kills of `serve`";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if let [option, number] = arguments.as_slice()
        && option == "--serve"
        && let Ok(kills) = number.parse()
    {
        return hosts(kills);
    }
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

/// Kills hosts that run many pipelines by themselves.
fn hosts(kills: u32) -> ExitCode {
    let start = Instant::now();
    let mut tally = killed::Tally::default();
    killed::kill_hosts(kills, &mut tally);
    table("runs under way when their host was killed, by their state", &tally.states);
    println!(
        "\n{} hosts killed; {} runs under way, {} waiting",
        tally.kills,
        tally.states.values().sum::<u32>(),
        tally.waiting
    );
    println!(
        "{} fires, {} runs, {} of them in the place of an interrupted one, at most {} for one fire",
        tally.fires, tally.runs, tally.repeated, tally.longest
    );
    println!(
        "{} rows at the targets, {} alerts, {} delivered again with the same id",
        tally.rows, tally.alerts, tally.delivered_again
    );
    println!("wrong in all = {}, {:.0} s", tally.wrong.len(), start.elapsed().as_secs_f64());
    if tally.wrong.is_empty() && tally.kills == kills { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn table(title: &str, counts: &BTreeMap<String, u32>) {
    println!("\n{title}");
    for (what, count) in counts {
        println!("  {count:>5}  {what}");
    }
}
