//! Which of the runs that wait may start now.

use serde::Serialize;
use std::collections::{HashMap, HashSet};
use std::fmt;

/// A run that waits, or is under way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Candidate<'a> {
    /// The pipeline's name.
    pub pipeline: &'a str,
    /// The pool that it takes a place of.
    pub pool: Option<&'a str>,
    /// Higher starts first.
    pub priority: i32,
}

/// How many runs may be under way at once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Room {
    /// In all.
    pub at_once: usize,
    /// In each pool; one that is not here has one place, so that its runs are neither held up for ever nor without a bound.
    pub pools: HashMap<String, usize>,
}

/// Why a run waits.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Wait {
    /// As many runs are under way as may be.
    Room,
    /// A run of its pipeline is under way, or waits before it.
    Pipeline,
    /// The pool is full.
    Pool(String),
}

impl fmt::Display for Wait {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Room => f.write_str("as many runs are under way as may be at once"),
            Self::Pipeline => f.write_str("a run of the same pipeline comes first"),
            Self::Pool(pool) => write!(f, "pool `{pool}` is full"),
        }
    }
}

/// For each of the runs that wait, in their order: whether it starts now, or why it waits. Higher priority goes first,
/// then the order in which they wait; of one pipeline at most one run is under way, and its runs keep their order. A run
/// that waits for its pool or its pipeline does not hold up others.
pub fn admit(waiting: &[Candidate<'_>], running: &[Candidate<'_>], room: &Room) -> Vec<Result<(), Wait>> {
    let mut pipelines: HashSet<&str> = running.iter().map(|run| run.pipeline).collect();
    let mut used: HashMap<&str, usize> = HashMap::new();
    for pool in running.iter().filter_map(|run| run.pool) {
        *used.entry(pool).or_default() += 1;
    }
    let mut left = room.at_once.saturating_sub(running.len());
    // Runs of one pipeline have one priority unless its file was edited meanwhile; their order counts more.
    let mut order: Vec<(usize, &Candidate<'_>)> = waiting.iter().enumerate().collect();
    let mut earliest: HashMap<&str, usize> = HashMap::new();
    for (at, run) in &order {
        earliest.entry(run.pipeline).or_insert(*at);
    }
    order.sort_by_key(|(at, run)| (std::cmp::Reverse(run.priority), *at));
    let mut verdicts: Vec<Result<(), Wait>> = vec![Err(Wait::Room); waiting.len()];
    for (at, run) in order {
        let is_first = earliest.get(run.pipeline) == Some(&at);
        let verdict = if pipelines.contains(run.pipeline) || !is_first {
            Err(Wait::Pipeline)
        } else {
            place(run, room, &used, left)
        };
        if verdict.is_ok() {
            left -= 1;
            pipelines.insert(run.pipeline);
            if let Some(pool) = run.pool {
                *used.entry(pool).or_default() += 1;
            }
        }
        if let Some(slot) = verdicts.get_mut(at) {
            *slot = verdict;
        }
    }
    verdicts
}

fn place(run: &Candidate<'_>, room: &Room, used: &HashMap<&str, usize>, left: usize) -> Result<(), Wait> {
    if let Some(pool) = run.pool {
        let size = room.pools.get(pool).copied().unwrap_or(1);
        if used.get(pool).copied().unwrap_or(0) >= size {
            return Err(Wait::Pool(pool.to_owned()));
        }
    }
    if left == 0 { Err(Wait::Room) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(pipeline: &'static str, pool: Option<&'static str>, priority: i32) -> Candidate<'static> {
        Candidate { pipeline, pool, priority }
    }

    fn room(at_once: usize) -> Room {
        Room { at_once, pools: HashMap::from([("warehouse".to_owned(), 1)]) }
    }

    #[test]
    fn priority_then_order() {
        let waiting = [run("a", None, 0), run("b", None, 5), run("c", None, 5), run("d", None, -1)];
        assert_eq!(admit(&waiting, &[], &room(2)), [Err(Wait::Room), Ok(()), Ok(()), Err(Wait::Room)]);
        assert_eq!(admit(&waiting, &[run("x", None, 0)], &room(1)), vec![Err(Wait::Room); 4]);
        assert_eq!(admit(&waiting, &[run("x", None, 0); 3], &room(1)), vec![Err(Wait::Room); 4]);
    }

    #[test]
    fn one_run_of_a_pipeline_in_order() {
        let waiting = [run("a", None, 0), run("a", None, 9), run("b", None, 0)];
        assert_eq!(admit(&waiting, &[], &room(9)), [Ok(()), Err(Wait::Pipeline), Ok(())]);
        let all = admit(&waiting, &[run("a", None, 0)], &room(9));
        assert_eq!(all, [Err(Wait::Pipeline), Err(Wait::Pipeline), Ok(())]);
    }

    #[test]
    fn a_full_pool_holds_up_nobody_else() {
        let pool = Some("warehouse");
        let waiting = [run("a", pool, 9), run("b", pool, 8), run("c", None, 0)];
        let full = Wait::Pool("warehouse".to_owned());
        assert_eq!(admit(&waiting, &[], &room(9)), [Ok(()), Err(full.clone()), Ok(())]);
        assert_eq!(admit(&waiting, &[run("x", pool, 0)], &room(9)), [Err(full.clone()), Err(full), Ok(())]);
    }

    #[test]
    fn a_pool_that_is_not_there_has_one_place() {
        let waiting = [run("a", Some("moon"), 0), run("b", Some("moon"), 0)];
        let full = Wait::Pool("moon".to_owned());
        assert_eq!(admit(&waiting, &[], &room(9)), [Ok(()), Err(full.clone())]);
        assert_eq!(admit(&waiting, &[run("x", Some("moon"), 0)], &room(9)), [Err(full.clone()), Err(full)]);
    }
}
