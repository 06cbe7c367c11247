//! A run while it is under way: bars on a terminal, plain lines elsewhere.

use super::human::{self, clean_line};
use super::style::{Style, Tone};
use crate::secrets::Secrets;
use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};
use sluicebox_model::pipeline::Pipeline;
use sluicebox_model::run::Event;
use sluicebox_runner::{Observer, StageProgress};
use std::collections::HashMap;
use std::io::IsTerminal;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Columns of the bar with its per cent: what stands in its place is as wide.
const BAR_COLUMNS: usize = 27;

/// How often plain lines are written.
const LINES_EVERY: Duration = Duration::from_secs(5);

/// Shows how far the stages are.
pub struct Progress {
    stages: Mutex<HashMap<String, Stage>>,
    bars: Option<MultiProgress>,
    started: Instant,
    lines: Mutex<Instant>,
    style: Style,
    secrets: Secrets,
}

struct Stage {
    order: usize,
    bar: Option<ProgressBar>,
    with_bar: bool,
    begun: Option<Instant>,
    ended: bool,
    seen: StageProgress,
}

impl Progress {
    /// For a run of the pipeline; `secrets` are hidden from what is shown.
    pub fn new(pipeline: &Pipeline, secrets: Secrets) -> Self {
        let terminal = std::io::stderr().is_terminal() && std::env::var_os("TERM").is_none_or(|term| term != "dumb");
        let bars = terminal.then(|| MultiProgress::with_draw_target(ProgressDrawTarget::stderr_with_hz(10)));
        let width = pipeline.stages.iter().map(|stage| stage.name.len()).max().unwrap_or_default();
        let stages = pipeline.stages.iter().enumerate().map(|(order, stage)| {
            let bar = bars.as_ref().map(|bars| {
                let bar = bars.add(ProgressBar::new(1000));
                bar.set_style(spinner());
                bar.set_prefix(format!("{:width$}", stage.name));
                bar
            });
            (
                stage.name.clone(),
                Stage { order, bar, with_bar: false, begun: None, ended: false, seen: StageProgress::default() },
            )
        });
        Self {
            stages: Mutex::new(stages.collect()),
            bars,
            started: Instant::now(),
            lines: Mutex::new(Instant::now()),
            style: Style::stderr(),
            secrets,
        }
    }

    /// Takes the bars away.
    pub fn end(&self) {
        if let Some(bars) = &self.bars {
            // What is gone need not be cleared: a terminal that fails here fails for the table, too.
            let _ = bars.clear();
        }
    }

    fn line(&self, text: &str) {
        let text = self.secrets.mask(text);
        match &self.bars {
            Some(bars) => {
                let _ = bars.println(text);
            }
            None => eprintln!("{text}"),
        }
    }

    /// One line with the rows of every stage, if it is time for one.
    fn tick(&self, stages: &HashMap<String, Stage>) {
        if self.bars.is_some() {
            return;
        }
        let mut last = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
        if last.elapsed() < LINES_EVERY {
            return;
        }
        *last = Instant::now();
        let mut under_way: Vec<(&String, &Stage)> =
            stages.iter().filter(|(_, stage)| stage.begun.is_some() && !stage.ended).collect();
        under_way.sort_by_key(|(_, stage)| stage.order);
        let parts: Vec<String> = under_way
            .into_iter()
            .map(|(name, stage)| {
                let share = stage.seen.share.map(|share| format!(" ({:.0} %)", share * 100.0)).unwrap_or_default();
                format!("{name} {}{share}", human::number(shown_rows(&stage.seen)))
            })
            .collect();
        eprintln!("{:>7}  rows: {}", human::duration(self.started.elapsed()), parts.join(", "));
    }

    fn started(&self, name: &str, attempt: u32) {
        let mut stages = self.stages.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(stage) = stages.get_mut(name) {
            stage.begun.get_or_insert_with(Instant::now);
        }
        drop(stages);
        if attempt > 1 {
            self.line(&format!("{name}: attempt {attempt}"));
        }
    }

    fn ended(&self, name: &str, word: &str, tone: Tone) {
        let mut stages = self.stages.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(stage) = stages.get_mut(name) else { return };
        stage.ended = true;
        if let Some(bar) = &stage.bar {
            bar.set_style(done());
            let blanks = " ".repeat(BAR_COLUMNS.saturating_sub(word.len()));
            bar.finish_with_message(format!("{}{blanks}{}", self.style.paint(tone, word), rows_and_rate(stage)));
        }
    }
}

impl Observer for Progress {
    fn event(&self, event: &Event) {
        match event {
            Event::RunStarted { .. } if self.bars.is_none() => {
                let stages = self.stages.lock().unwrap_or_else(PoisonError::into_inner).len() as u64;
                self.line(&format!("running {}", human::count(stages, "stage", "stages")));
            }
            Event::StageStarted { stage, attempt } => self.started(stage, *attempt),
            Event::StageRetrying { stage, attempt, fault } => {
                let told = human::cut(&clean_line(&fault.message), 200);
                let warning = self.style.paint(Tone::Warn, "warning:");
                self.line(&format!("{warning} {stage}: {told}; trying again (attempt {attempt})"));
            }
            Event::StageSucceeded { stage, .. } => self.ended(stage, "done", Tone::Good),
            Event::StageFailed { stage, .. } => self.ended(stage, "failed", Tone::Bad),
            Event::StageUpstreamFailed { stage, .. } | Event::StageCancelled { stage, .. } => {
                self.ended(stage, "stopped", Tone::Warn);
            }
            Event::RunCommitting { .. } if self.bars.is_none() => self.line("committing"),
            _ => {}
        }
    }

    fn progress(&self, name: &str, progress: &StageProgress) {
        let mut stages = self.stages.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(stage) = stages.get_mut(name) {
            stage.seen = *progress;
            stage.begun.get_or_insert_with(Instant::now);
            if let Some(bar) = stage.bar.clone() {
                if let Some(share) = progress.share {
                    if !std::mem::replace(&mut stage.with_bar, true) {
                        bar.set_style(with_bar());
                    }
                    bar.set_position((f64::from(share).clamp(0.0, 1.0) * 1000.0) as u64);
                }
                bar.set_message(rows_and_rate(stage));
                bar.tick();
            }
        }
        self.tick(&stages);
    }
}

/// A load passes on what it wrote; a stage that only takes rows in so far shows those.
fn shown_rows(progress: &StageProgress) -> u64 {
    if progress.rows_out > 0 { progress.rows_out } else { progress.rows_in }
}

fn rows_and_rate(stage: &Stage) -> String {
    let rows = shown_rows(&stage.seen);
    let seconds = stage.begun.map(|begun| begun.elapsed().as_secs_f64()).unwrap_or_default();
    // A rate over a blink says nothing.
    let rate = if seconds >= 0.2 {
        format!("{:>12} rows/s", human::number((rows as f64 / seconds) as u64))
    } else {
        String::new()
    };
    let rejected = match stage.seen.rows_rejected {
        0 => String::new(),
        rows => format!("  {} rejected", human::number(rows)),
    };
    format!("{:>12} rows{rate}{rejected}", human::number(rows))
}

fn spinner() -> ProgressStyle {
    template(&format!("  {{prefix}}  {{spinner:.dim}}{:width$}{{msg}}", "", width = BAR_COLUMNS - 1))
}

fn with_bar() -> ProgressStyle {
    template("  {prefix}  {bar:20.cyan/dim} {percent:>3} % {msg}")
}

fn done() -> ProgressStyle {
    template("  {prefix}  {msg}")
}

fn template(text: &str) -> ProgressStyle {
    ProgressStyle::with_template(text).unwrap_or_else(|_| ProgressStyle::default_bar()).progress_chars("━╸─")
}
