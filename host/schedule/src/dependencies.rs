//! Pipelines that follow others: when their runs are due, and what is wrong with who follows whom.

use jiff::Timestamp;
use serde::Serialize;
use sluicebox_model::pipeline::{After, AfterOn, suggest};
use sluicebox_model::run::{Interval, RunState};
use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::ops::Range;

/// A run that has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ended<'a> {
    /// The pipeline's name.
    pub pipeline: &'a str,
    /// What the run was about.
    pub interval: Interval,
    /// How it ended.
    pub state: RunState,
    /// When it ended.
    pub at: Timestamp,
}

/// What is decided of one interval of a pipeline that follows others.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Step {
    /// A run is due.
    Due {
        /// What it is about.
        interval: Interval,
        /// Since when.
        at: Timestamp,
    },
    /// The pipelines that it follows did not all end in time: it does not run.
    TimedOut {
        /// What it would have been about.
        interval: Interval,
        /// Until when they were waited for.
        deadline: Timestamp,
        /// Those that are missing.
        missing: Vec<Missing>,
    },
    /// Pipelines that it follows have not ended yet.
    Waiting {
        /// What the run will be about.
        interval: Interval,
        /// Until when they are waited for; none: for ever. To be decided again then.
        until: Option<Timestamp>,
        /// Those that are missing.
        missing: Vec<Missing>,
    },
}

/// A pipeline whose run is missing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Missing {
    /// The pipeline's name.
    pub pipeline: String,
    /// How its last run for the interval ended; none if none did in time.
    pub ended: Option<RunState>,
}

impl fmt::Display for Missing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.ended {
            Some(state) => write!(f, "`{}` {}", self.pipeline, state.word()),
            None => write!(f, "`{}` has no run that ended", self.pipeline),
        }
    }
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names = |missing: &[Missing]| missing.iter().map(Missing::to_string).collect::<Vec<_>>().join(", ");
        match self {
            Self::Due { at, .. } => write!(f, "all that it follows has ended, the last at {at}"),
            Self::TimedOut { deadline, missing, .. } => {
                write!(f, "does not run: by {deadline} (`within`) {}", names(missing))
            }
            Self::Waiting { until: Some(until), missing, .. } => write!(f, "waits until {until}: {}", names(missing)),
            Self::Waiting { until: None, missing, .. } => write!(f, "waits: {}", names(missing)),
        }
    }
}

/// Decides each interval of a pipeline that follows others, from the runs of those that have ended. An interval that
/// `is_decided` (its run was made, or it timed out) is left alone, so that it is decided once. The result does not depend
/// on how often or how late this is called, only on when the runs ended.
pub fn decide(
    after: &[After],
    ended: &[Ended<'_>],
    now: Timestamp,
    is_decided: impl Fn(Interval) -> bool,
) -> Vec<Step> {
    let mut by_interval: BTreeMap<(Timestamp, Timestamp), Vec<&Ended<'_>>> = BTreeMap::new();
    let followed = |name: &str| after.iter().flat_map(|after| &after.pipelines).any(|other| other.text == name);
    for run in ended.iter().filter(|run| run.state.is_final() && followed(run.pipeline)) {
        by_interval.entry((run.interval.start, run.interval.end)).or_default().push(run);
    }
    let intervals = by_interval.into_iter().map(|((start, end), runs)| (Interval { start, end }, runs));
    intervals
        .filter(|(interval, _)| !is_decided(*interval))
        .map(|(interval, runs)| step(after, interval, &runs, now))
        .collect()
}

fn of<'r>(runs: &'r [&'r Ended<'r>], pipeline: &'r str) -> impl Iterator<Item = &'r Ended<'r>> {
    runs.iter().copied().filter(move |run| run.pipeline == pipeline)
}

fn step(after: &[After], interval: Interval, runs: &[&Ended<'_>], now: Timestamp) -> Step {
    let mut last = Timestamp::MIN;
    let mut until: Option<Timestamp> = None;
    let mut missing = Vec::new();
    for after in after {
        let first = after.pipelines.iter().flat_map(|name| of(runs, &name.text)).map(|run| run.at).min();
        let deadline = first.zip(after.within).and_then(|(first, within)| first.checked_add(within).ok());
        let in_time = |run: &&Ended<'_>| deadline.is_none_or(|deadline| run.at < deadline);
        let before = missing.len();
        for name in &after.pipelines {
            let fits = |run: &&Ended<'_>| after.on == AfterOn::Any || run.state == RunState::Succeeded;
            match of(runs, &name.text).filter(in_time).filter(fits).map(|run| run.at).min() {
                Some(at) => last = last.max(at),
                None => {
                    let latest = of(runs, &name.text).filter(in_time).max_by_key(|run| run.at);
                    missing.push(Missing { pipeline: name.text.clone(), ended: latest.map(|run| run.state) });
                }
            }
        }
        if missing.len() > before
            && let Some(deadline) = deadline
        {
            until = Some(until.map_or(deadline, |until| until.min(deadline)));
        }
    }
    match until {
        _ if missing.is_empty() => Step::Due { interval, at: last },
        Some(deadline) if deadline <= now => Step::TimedOut { interval, deadline, missing },
        _ => Step::Waiting { interval, until, missing },
    }
}

/// What is wrong with who follows whom.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DependencyError {
    /// Pipelines wait for each other for ever.
    #[error("pipelines follow each other in a circle: {}", .path.join(" -> "))]
    Cycle {
        /// Their names, each followed by one that it follows; the first stands at the end again.
        path: Vec<String>,
    },
    /// A pipeline follows one that is not there.
    #[error("`{pipeline}` follows `{name}`, and there is no such pipeline")]
    Unknown {
        /// Who follows.
        pipeline: String,
        /// Whom.
        name: String,
        /// Where that stands in the text of its file.
        span: Range<usize>,
        /// What was probably meant.
        help: String,
    },
}

impl DependencyError {
    /// What to do instead.
    pub fn help(&self) -> String {
        match self {
            Self::Cycle { path } => match path.as_slice() {
                [one, _] => format!("take `{one}` out of its own `after`"),
                _ => "take one of them out of the `after` of another".to_owned(),
            },
            Self::Unknown { help, .. } => help.clone(),
        }
    }
}

/// Who follows whom.
#[derive(Clone, Debug, Default)]
pub struct Dependencies<'a> {
    names: Vec<&'a str>,
    /// For each, whom it follows.
    upstream: Vec<Vec<usize>>,
    /// For each, who follows it.
    downstream: Vec<Vec<usize>>,
    index: HashMap<&'a str, usize>,
    unknown: Vec<DependencyError>,
}

impl<'a> Dependencies<'a> {
    /// Of all pipelines: their names, and whom they follow.
    pub fn new(pipelines: &[(&'a str, &'a [After])]) -> Self {
        let names: Vec<&str> = pipelines.iter().map(|(name, _)| *name).collect();
        let index: HashMap<&str, usize> = names.iter().enumerate().map(|(at, name)| (*name, at)).collect();
        let mut upstream = vec![Vec::new(); names.len()];
        let mut downstream = vec![Vec::new(); names.len()];
        let mut unknown = Vec::new();
        for (at, (pipeline, after)) in pipelines.iter().enumerate() {
            for other in after.iter().flat_map(|after| &after.pipelines) {
                let Some(before) = index.get(other.text.as_str()).copied() else {
                    let (pipeline, name) = ((*pipeline).to_owned(), other.text.clone());
                    let help = suggest::help(&name, &names);
                    unknown.push(DependencyError::Unknown { pipeline, name, span: other.span.clone(), help });
                    continue;
                };
                for (list, item) in [(upstream.get_mut(at), before), (downstream.get_mut(before), at)] {
                    if let Some(list) = list
                        && !list.contains(&item)
                    {
                        list.push(item);
                    }
                }
            }
        }
        Self { names, upstream, downstream, index, unknown }
    }

    /// Who follows a pipeline.
    pub fn followers(&self, name: &str) -> impl Iterator<Item = &'a str> + '_ {
        let list = self.index.get(name).and_then(|at| self.downstream.get(*at));
        list.into_iter().flatten().filter_map(|at| self.names.get(*at).copied())
    }

    /// Names that are not there, and one circle for each pipeline from which a search comes upon it first.
    pub fn errors(&self) -> Vec<DependencyError> {
        let mut errors = self.unknown.clone();
        let cycles = self.cycles().into_iter().map(|path| DependencyError::Cycle {
            path: path.into_iter().filter_map(|at| self.names.get(at)).map(|name| (*name).to_owned()).collect(),
        });
        errors.extend(cycles);
        errors
    }

    /// Depth-first, with a stack of its own: chains may be long.
    fn cycles(&self) -> Vec<Vec<usize>> {
        #[derive(Clone, Copy, PartialEq)]
        enum Mark {
            New,
            OnPath,
            Done,
        }
        let mut marks = vec![Mark::New; self.names.len()];
        let mut cycles = Vec::new();
        for start in 0..self.names.len() {
            if marks.get(start) != Some(&Mark::New) {
                continue;
            }
            let mut path: Vec<(usize, usize)> = vec![(start, 0)];
            while let Some((at, seen)) = path.last_mut() {
                let at = *at;
                let next = self.upstream.get(at).and_then(|list| list.get(*seen)).copied();
                *seen += 1;
                if let Some(mark) = marks.get_mut(at) {
                    *mark = if next.is_some() { Mark::OnPath } else { Mark::Done };
                }
                match next.map(|next| (next, marks.get(next))) {
                    None => {
                        path.pop();
                    }
                    Some((next, Some(Mark::New))) => path.push((next, 0)),
                    Some((next, Some(Mark::OnPath))) => {
                        let from = path.iter().position(|(at, _)| *at == next).unwrap_or(0);
                        let mut cycle: Vec<usize> = path.iter().skip(from).map(|(at, _)| *at).collect();
                        cycle.push(next);
                        cycles.push(cycle);
                    }
                    Some(_) => {}
                }
            }
        }
        cycles
    }
}
