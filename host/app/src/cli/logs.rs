//! `sluicebox logs`

use super::{Exit, Format, Output, State, print, print_json};
use crate::journal;
use crate::places;
use crate::show::human::{clean_line, time};
use crate::show::style::{Style, Tone};
use crate::trouble::Trouble;
use clap::Args;
use serde_json::json;
use sluicebox_model::pipeline::suggest;
use sluicebox_model::run::RunRecord;
use sluicebox_model::stage::{Level, LogSource};

const EXAMPLES: &str = "\
Examples:
  sluicebox logs last          what all stages of the last run wrote
  sluicebox logs last read     what one stage wrote
  sluicebox logs 0199 --format json

Standard output and standard error of a stage are in its log, too.";

/// Show what the stages of a run logged
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct Logs {
    /// The run: its id, the beginning of it, or `last`
    run: String,
    /// Only this stage
    stage: Option<String>,
    #[command(flatten)]
    state: State,
    #[command(flatten)]
    pub(super) output: Output,
}

impl Logs {
    pub(super) fn run(self) -> Result<Exit, Trouble> {
        let store = journal::open(&places::state(self.state.state.as_deref())?)?;
        let record = store.run(&self.run)?;
        known_stage(&record, self.stage.as_deref())?;
        let lines = store.logs(record.id, self.stage.as_deref(), Level::Debug)?;
        if self.output.format == Format::Json {
            print_json(&json!({ "run": record.id, "lines": lines }));
            return Ok(Exit::Done);
        }
        let style = Style::stdout();
        let width = lines.iter().map(|line| line.stage.chars().count()).max().unwrap_or_default();
        let mut out = String::new();
        for line in &lines {
            let (word, tone) = match (line.line.source, line.line.level) {
                (LogSource::Stdout, _) => ("stdout", Tone::Quiet),
                (LogSource::Stderr, _) => ("stderr", Tone::Warn),
                (_, Level::Debug) => ("debug", Tone::Quiet),
                (_, Level::Info) => ("info", Tone::Good),
                (_, Level::Warn) => ("warn", Tone::Warn),
                (_, Level::Error) => ("error", Tone::Bad),
            };
            let at = style.paint(Tone::Quiet, &time(line.at));
            let word = style.paint(tone, &format!("{word:6}"));
            out.push_str(&format!("{at}  {:width$}  {word}  {}\n", line.stage, clean_line(&line.line.message)));
        }
        if lines.is_empty() {
            out.push_str("nothing was logged\n");
        }
        print(&out);
        Ok(Exit::Done)
    }
}

/// A stage that the run has, or none at all.
pub(super) fn known_stage(record: &RunRecord, stage: Option<&str>) -> Result<(), Trouble> {
    let Some(stage) = stage else { return Ok(()) };
    let names: Vec<&str> = record.stages.iter().map(|stage| stage.entry.name.as_str()).collect();
    if names.contains(&stage) {
        return Ok(());
    }
    Err(Trouble::new(format!("the run has no stage `{stage}`")).help(suggest::help(stage, &names)))
}
