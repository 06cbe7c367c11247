//! `sluicebox replay`

mod rows;

use super::logs::known_stage;
use super::{Exit, Format, Output, State, print, print_json};
use crate::journal;
use crate::places;
use crate::show::compiling::compiling;
use crate::show::human::{self, clean_line};
use crate::show::outcome;
use crate::show::style::{Style, Tone};
use crate::trouble::Trouble;
use crate::wiring::Host;
use clap::Args;
use serde_json::{Value, json};
use sluicebox_model::fault::{Fault, FaultKind};
use sluicebox_model::journal::FailedCall;
use sluicebox_model::pipeline::StageSpec;
use sluicebox_model::plugin::Kind;
use sluicebox_model::run::{RunRecord, StageState};
use sluicebox_model::stage::{LogLine, RunContext};
use sluicebox_runner::{Answer, Before, Checkpoint, replay};
use std::path::{Path, PathBuf};

const EXAMPLES: &str = "\
Examples:
  sluicebox replay last                             the call that failed, once more, with the guest's backtrace
  sluicebox replay last check                       the call of this stage
  sluicebox replay last check --rows bad.csv        and write the rows that it was given to a file

The very call that failed is made again, on a fresh instance of the very same component, with the same batch, options, clock
and randomness. Where the stage keeps something between calls, it is given first what it was given before, as far as that is
kept. Nothing is loaded. Exit code 0: it ended well this time; 1: it failed again.";

/// Make the call that failed a stage again
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct Replay {
    /// The run: its id, the beginning of it, or `last`
    run: String,
    /// The stage; without it, the one whose fault ended the run
    stage: Option<String>,
    /// Write the rows that the call was given to this file: .csv, .jsonl or .parquet
    #[arg(long, value_name = "FILE")]
    rows: Option<PathBuf>,
    #[command(flatten)]
    state: State,
    #[command(flatten)]
    pub(super) output: Output,
}

/// How the call went this time, masked.
struct Shown<'a> {
    call: &'a FailedCall,
    fault: Option<Fault>,
    answer: Option<String>,
    same: bool,
    before: &'a Before,
    log: Vec<LogLine>,
}

impl Replay {
    pub(super) fn run(self) -> Result<Exit, Trouble> {
        let state = places::state(self.state.state.as_deref())?;
        let store = journal::open(&state)?;
        let record = store.run(&self.run)?;
        known_stage(&record, self.stage.as_deref())?;
        let stage = self.stage_of(&record)?;
        let Some(call) = store.failed_call(record.id, &stage)? else { return Err(not_kept(&record, &stage)) };
        if let (Some(_), None) = (&self.rows, &call.batch) {
            return Err(Trouble::new(format!("`{}` of stage `{stage}` is given no rows", call.call))
                .help("leave `--rows` out; `process`, `check` and `write` are given rows"));
        }
        let host = Host::open(&[], record.file.parent().unwrap_or(Path::new(".")), compiling(false))?;
        let (plan, secrets) = host.plan_again(&record, &state)?;
        let at = plan.pipeline.stages.iter().position(|spec| spec.name == stage);
        let spec = at.and_then(|at| plan.pipeline.stages.get(at));
        let (Some(spec), Some(bound)) = (spec, at.and_then(|at| plan.stages.get(at))) else {
            return Err(Trouble::new(format!("the pipeline of the run has no stage `{stage}`")));
        };
        if let (Some(file), Some(batch)) = (&self.rows, &call.batch) {
            rows::write(&host, batch, file)?;
        }
        let context = RunContext {
            run_id: record.id.to_string(),
            randomness: record.load_key.clone(),
            pipeline: record.pipeline.clone(),
            stage: stage.clone(),
            attempt: call.attempt,
            interval_start: record.interval.start,
            interval_end: record.interval.end,
        };
        let kept = kept_inputs(&state, &record, spec, &plan.pipeline.stages);
        let again = replay(bound.as_ref(), &context, &spec.inputs, &call, &kept);
        let fault = again.answer.as_ref().err().cloned().map(|mut fault| {
            fault.stage = stage.clone();
            fault.message = secrets.mask(&fault.message);
            fault.backtrace = fault.backtrace.as_deref().map(|backtrace| secrets.mask(backtrace));
            fault
        });
        let same =
            fault.as_ref().is_some_and(|fault| fault.kind == call.fault.kind && fault.message == call.fault.message);
        let mask = |line: LogLine| LogLine { message: secrets.mask(&line.message), ..line };
        let shown = Shown {
            answer: again.answer.as_ref().ok().map(|answer| secrets.mask(&told(answer))),
            fault,
            same,
            call: &call,
            before: &again.before,
            log: again.log.into_iter().map(mask).collect(),
        };
        if self.output.format == Format::Json {
            print_json(&shown.json(&record));
        } else {
            print(&shown.text(self.rows.as_deref()));
        }
        Ok(if shown.fault.is_none() { Exit::Done } else { Exit::Failed })
    }

    fn stage_of(&self, record: &RunRecord) -> Result<String, Trouble> {
        let failed = || record.fault.as_ref().map(|fault| fault.stage.clone()).filter(|stage| !stage.is_empty());
        self.stage.clone().or_else(failed).ok_or_else(|| {
            Trouble::new(format!("no stage ended run {}: {}", record.id, outcome::became(record.state)))
                .help("name a stage: `sluicebox replay RUN STAGE`")
        })
    }
}

/// Why there is nothing to be made again.
fn not_kept(record: &RunRecord, stage: &str) -> Trouble {
    let id = record.id;
    let of_run = record.fault.as_ref().filter(|fault| fault.stage == stage);
    let entry = record.stages.iter().find(|entry| entry.entry.name == stage);
    let fault = entry.and_then(|entry| entry.fault.as_ref()).or(of_run);
    let Some(fault) = fault else {
        let state = entry.map_or(StageState::Pending, |entry| entry.state).word();
        return Trouble::new(format!("no call of stage `{stage}` is kept of run {id}: it did not fail ({state})"))
            .help(format!("`sluicebox runs show {id}` tells which stage failed"));
    };
    if matches!(fault.call.as_str(), "commit" | "abort") {
        let message = format!(
            "`{}` of stage `{stage}` is not made again for a look: it would change what is at the target",
            fault.call
        );
        return Trouble::new(message).help(format!(
            "`sluicebox logs {id} {stage}` shows what it said; `sluicebox runs resolve {id} commit` makes it again, for good"
        ));
    }
    let message = format!("no call of stage `{stage}` is kept of run {id}");
    match fault.kind {
        FaultKind::Threshold => Trouble::new(format!("{message}: no call failed, the rows broke what the pipeline allows"))
            .help(format!("`sluicebox quarantine show {id}` shows rows that were set aside")),
        FaultKind::Deadline | FaultKind::Cancelled | FaultKind::Host => {
            Trouble::new(format!("{message}: no call failed, it was stopped ({})", fault.kind))
                .help(format!("`sluicebox runs show {id}` tells how the run ended"))
        }
        _ => Trouble::new(message).help(format!(
            "it was not written, or is deleted already (`[retention]` in sluicebox.toml); `sluicebox logs {id} {stage}` shows \
             what the stage said"
        )),
    }
}

/// What the stages before a stage passed on in the run, as far as it is kept.
fn kept_inputs(
    state: &Path,
    record: &RunRecord,
    spec: &StageSpec,
    stages: &[StageSpec],
) -> Vec<Result<Checkpoint, String>> {
    let kept = |input: &String| {
        let entry = record.stages.iter().find(|entry| entry.entry.name == *input);
        let run = entry.and_then(|entry| entry.restored_from).unwrap_or(record.id);
        let is_extract = entry.is_some_and(|entry| entry.entry.kind == Kind::Extract);
        let declared = stages.iter().find(|spec| spec.name == *input).and_then(|spec| spec.checkpoint);
        let folder = places::checkpoints(state, run);
        let whole = Checkpoint::open(&folder, input);
        match whole
            .and_then(|whole| whole.map_or_else(|| Checkpoint::open_part(&folder, input), |whole| Ok(Some(whole))))
        {
            Ok(Some(checkpoint)) => Ok(checkpoint),
            Ok(None) if declared.unwrap_or(is_extract) => {
                Err(format!("what `{input}` passed on is not kept: the run ended before it did"))
            }
            Ok(None) => Err(format!(
                "what `{input}` passed on is not kept (`checkpoint = true` at stage `{input}` keeps it from the next run on)"
            )),
            Err(error) => Err(error.to_string()),
        }
    };
    spec.inputs.iter().map(kept).collect()
}

/// What a call answered, for people.
fn told(answer: &Answer) -> String {
    let count = |many: usize, one: &str, more: &str| human::count(many as u64, one, more);
    match answer {
        Answer::Made => "there is an instance".to_owned(),
        Answer::Opened(columns) => format!("it is open, with {}", count(columns.len(), "column", "columns")),
        Answer::Rules(rules) => format!("it is open, with {}", count(*rules, "rule", "rules")),
        Answer::Splits(splits) => format!("it made {}", count(*splits, "split", "splits")),
        Answer::Rows(rows) => format!("it passes on {}", human::count(*rows, "row", "rows")),
        Answer::End => "nothing follows".to_owned(),
        Answer::Broken(broken) if broken.is_empty() => "no row breaks a rule".to_owned(),
        Answer::Broken(broken) => {
            let broken = broken.iter().map(|(rule, rows)| {
                let verb = if *rows == 1 { "breaks" } else { "break" };
                format!("{} {verb} {rule}", human::count(*rows, "row", "rows"))
            });
            broken.collect::<Vec<_>>().join(", ")
        }
        Answer::Judged(outcomes) => {
            let told = outcomes.iter().map(|(rule, holds, seen)| {
                format!("{rule} {} ({seen})", if *holds { "holds" } else { "does not hold" })
            });
            let told = told.collect::<Vec<_>>().join(", ");
            if told.is_empty() { "no rule is about all the data".to_owned() } else { told }
        }
        Answer::Written => "the rows were written (and taken back)".to_owned(),
        Answer::Prepared => "what was written was prepared (and taken back)".to_owned(),
    }
}

impl Shown<'_> {
    fn json(&self, record: &RunRecord) -> Value {
        let (calls, batches, lost, why) = match self.before {
            Before::Nothing => (0, 0, 0, None),
            Before::Calls(calls) => (*calls, 0, 0, None),
            Before::Batches(batches) => (0, *batches, 0, None),
            Before::Lost { batches, why } => (0, 0, *batches, Some(why)),
        };
        json!({
            "run": record.id,
            "stage": self.call.stage,
            "call": self.call.call,
            "rows": self.call.batch.as_ref().map(arrow_array::RecordBatch::num_rows),
            "calls-before": calls,
            "batches-before": batches,
            "batches-lost": lost,
            "lost-because": why,
            "before": self.call.fault,
            "fault": self.fault,
            "answer": self.answer,
            "same": self.same,
            "log": self.log,
        })
    }

    fn text(&self, rows: Option<&Path>) -> String {
        let style = Style::stdout();
        let call = self.call;
        let with = call.batch.as_ref().map(|batch| human::count(batch.num_rows() as u64, "row", "rows"));
        let with = with.map(|rows| format!(" with {rows}")).unwrap_or_default();
        let mut out = format!("`{}` of stage `{}`{with}, on a fresh instance\n", call.call, clean_line(&call.stage));
        out.push_str(&match self.before {
            Before::Nothing => String::new(),
            Before::Calls(calls) => {
                let calls = human::count(*calls, "call", "calls");
                format!("repeated from the start of the source: {calls} of `{}` before it\n", call.call)
            }
            Before::Batches(batches) => {
                let batches = human::count(*batches, "batch", "batches");
                format!("what the stage keeps between calls is rebuilt: {batches} before it, from the checkpoints\n")
            }
            Before::Lost { batches, why } => {
                let batches = human::count(*batches, "batch", "batches");
                let note = format!("it begins without what the stage kept of {batches} before it: {}", clean_line(why));
                format!("{} {note}\n", style.paint(Tone::Warn, "note:"))
            }
        });
        out.push('\n');
        for line in &self.log {
            out.push_str(&format!("  {} {}\n", style.paint(Tone::Quiet, "log:"), clean_line(&line.message)));
        }
        let otherwise = match self.before {
            Before::Lost { .. } => "the stage keeps something between calls that is not there now",
            _ => "the stage reaches outside, or keeps something that is not there now",
        };
        match &self.fault {
            Some(fault) => {
                out.push_str(&outcome::fault(fault, true, style));
                out.push_str(&if self.same {
                    "\nit failed as it did in the run\n".to_owned()
                } else {
                    format!("\nit failed, but not as it did in the run: {otherwise}\n")
                });
            }
            None => {
                let answer = self.answer.as_deref().unwrap_or_default();
                out.push_str(&format!("it ended well this time: {}\n", clean_line(answer)));
                out.push_str(&format!("in the run it failed: {otherwise}\n"));
            }
        }
        if let Some(file) = rows {
            out.push_str(&format!("the rows are in {}\n", clean_line(&file.display().to_string())));
        }
        out
    }
}
