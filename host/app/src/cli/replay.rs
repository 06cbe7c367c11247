//! `sluicebox replay`

use super::logs::known_stage;
use super::{Exit, Format, Output, State, print, print_json};
use crate::journal;
use crate::places;
use crate::show::human::{self, clean_line};
use crate::show::outcome;
use crate::show::progress::compiling;
use crate::show::style::{Style, Tone};
use crate::trouble::Trouble;
use crate::wiring::Host;
use arrow_array::RecordBatch;
use clap::Args;
use serde_json::json;
use sluicebox_model::cancel::Cancel;
use sluicebox_model::fault::Fault;
use sluicebox_model::grant::Grants;
use sluicebox_model::journal::FailedCall;
use sluicebox_model::limits::Limits;
use sluicebox_model::run::RunRecord;
use sluicebox_model::stage::{Input, LogLine, RunContext, Stage};
use sluicebox_sandbox::StageSetup;
use std::path::{Path, PathBuf};

const EXAMPLES: &str = "\
Examples:
  sluicebox replay last                             the call that failed, once more, with the guest's backtrace
  sluicebox replay last check                       the call of this stage
  sluicebox replay last check --rows bad.csv        and write the rows that it was given to a file

The very call that failed is made again, on a fresh instance of the very same component, with the same batch, options, clock
and randomness. Nothing is loaded. Exit code 0: it ended well this time; 1: it failed again.";

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

impl Replay {
    pub(super) fn run(self) -> Result<Exit, Trouble> {
        let state = places::state(self.state.state.as_deref())?;
        let store = journal::open(&state)?;
        let record = store.run(&self.run)?;
        known_stage(&record, self.stage.as_deref())?;
        let stage = self.stage_of(&record)?;
        let Some(call) = store.failed_call(record.id, &stage)? else {
            let message = format!("no call of stage `{stage}` is kept of run {}", record.id);
            return Err(Trouble::new(message).help(
                "the input of `process`, `check` and `write` is kept where they fail; `sluicebox runs show` tells how the \
                 run ended",
            ));
        };
        let host = Host::open(&[], record.file.parent().unwrap_or(Path::new(".")), compiling(false))?;
        let (plan, secrets) = host.plan_again(&record, &state)?;
        let at = plan.pipeline.stages.iter().position(|spec| spec.name == stage);
        let spec = at.and_then(|at| plan.pipeline.stages.get(at));
        let (Some(spec), Some(bound)) = (spec, at.and_then(|at| plan.stages.get(at))) else {
            return Err(Trouble::new(format!("the pipeline of the run has no stage `{stage}`")));
        };
        if let Some(file) = &self.rows {
            write_rows(&host, &call.batch, file)?;
        }
        let context = RunContext {
            run_id: record.id.to_string(),
            pipeline: record.pipeline.clone(),
            stage: stage.clone(),
            attempt: call.attempt,
            interval_start: record.interval.start,
            interval_end: record.interval.end,
        };
        let again = make(bound.as_ref(), &context, &spec.inputs, &call);
        let fault = again.answer.as_ref().err().cloned().map(|mut fault| {
            fault.stage = stage.clone();
            fault.message = secrets.mask(&fault.message);
            fault.backtrace = fault.backtrace.as_deref().map(|backtrace| secrets.mask(backtrace));
            fault
        });
        let answer = again.answer.as_ref().ok().map(|told| secrets.mask(told));
        let same =
            fault.as_ref().is_some_and(|fault| fault.kind == call.fault.kind && fault.message == call.fault.message);
        if self.output.format == Format::Json {
            print_json(&json!({
                "run": record.id, "stage": stage, "call": call.call, "rows": call.batch.num_rows(),
                "before": call.fault, "fault": fault, "answer": answer, "same": same, "log": again.log,
            }));
        } else {
            print(&self.shown(&call, fault.as_ref(), answer.as_deref(), same, &again.log));
        }
        Ok(if fault.is_none() { Exit::Done } else { Exit::Failed })
    }

    fn stage_of(&self, record: &RunRecord) -> Result<String, Trouble> {
        let failed = || record.fault.as_ref().map(|fault| fault.stage.clone()).filter(|stage| !stage.is_empty());
        self.stage.clone().or_else(failed).ok_or_else(|| {
            Trouble::new(format!("no stage ended run {}: it {}", record.id, record.state.word()))
                .help("name a stage: `sluicebox replay RUN STAGE`")
        })
    }

    fn shown(
        &self,
        call: &FailedCall,
        fault: Option<&Fault>,
        answer: Option<&str>,
        same: bool,
        log: &[LogLine],
    ) -> String {
        let style = Style::stdout();
        let rows = human::count(call.batch.num_rows() as u64, "row", "rows");
        let mut out = format!("`{}` of stage `{}` with {rows}, on a fresh instance\n\n", call.call, call.stage);
        for line in log {
            out.push_str(&format!("  {} {}\n", style.paint(Tone::Quiet, "log:"), clean_line(&line.message)));
        }
        match (fault, answer) {
            (Some(fault), _) => {
                out.push_str(&outcome::fault(fault, true, style));
                out.push_str(if same {
                    "\nit failed as it did in the run\n"
                } else {
                    "\nit failed, but not as it did in the run: the stage keeps something between batches, or reaches outside\n"
                });
            }
            (None, answer) => {
                out.push_str(&format!("it ended well this time: {}\n", answer.unwrap_or_default()));
                out.push_str(
                    "in the run it failed: the stage keeps something between batches, or what it reaches outside has changed\n",
                );
            }
        }
        if let Some(file) = &self.rows {
            out.push_str(&format!("the rows are in {}\n", clean_line(&file.display().to_string())));
        }
        out
    }
}

/// What came of the call.
struct Again {
    /// What it answered, for people.
    answer: Result<String, Fault>,
    /// What it said.
    log: Vec<LogLine>,
}

/// Makes the call on a fresh instance.
fn make(stage: &dyn Stage, context: &RunContext, inputs: &[String], call: &FailedCall) -> Again {
    let cancel = Cancel::new();
    let schema = call.inputs.first().cloned().unwrap_or_else(|| call.batch.schema());
    let mut log = Vec::new();
    let answer = match call.call.as_str() {
        "check" => stage.validator(context, &cancel).and_then(|mut instance| {
            let answer = instance.open(&schema).and_then(|rules| {
                instance.next_turn(call.turn);
                let findings = instance.check(&call.batch)?;
                let told: Vec<String> = findings
                    .iter()
                    .filter_map(|finding| {
                        let rule = rules.get(finding.rule)?;
                        Some(format!("{} rows break {}", finding.rows.true_count(), rule.name))
                    })
                    .collect();
                Ok(if told.is_empty() { "no row breaks a rule".to_owned() } else { told.join(", ") })
            });
            log = instance.take_report().log;
            answer
        }),
        "write" => stage.loader(context, &cancel).and_then(|mut instance| {
            // An id of its own: what the run loaded is not touched.
            let load_id = format!("replay-{}-{}", context.run_id, context.stage);
            let answer = instance.open(&schema, &load_id, 0).and_then(|()| {
                instance.next_turn(call.turn);
                instance.write(call.batch.clone())
            });
            log = instance.take_report().log;
            // What it wrote is nobody's; a dead instance cannot be asked.
            let _ = stage.loader(context, &cancel).and_then(|mut fresh| fresh.abort(&load_id, &[]));
            answer.map(|()| "the rows were written (and taken back)".to_owned())
        }),
        _ => stage.transformer(context, &cancel).and_then(|mut instance| {
            let inputs: Vec<Input> = inputs
                .iter()
                .zip(&call.inputs)
                .map(|(name, schema)| Input { name: name.clone(), schema: schema.clone() })
                .collect();
            let answer = instance.open(&inputs).and_then(|_| {
                instance.next_turn(call.turn);
                instance.process(call.input, call.batch.clone())
            });
            log = instance.take_report().log;
            answer.map(|batches| {
                let rows: usize = batches.iter().map(RecordBatch::num_rows).sum();
                format!("it passes on {}", human::count(rows as u64, "row", "rows"))
            })
        }),
    };
    Again { answer, log }
}

/// Writes rows by the load that fits the file's name.
fn write_rows(host: &Host, batch: &RecordBatch, file: &Path) -> Result<(), Trouble> {
    let plugin = match file.extension().and_then(|extension| extension.to_str()) {
        Some("csv") => "load-csv",
        Some("jsonl" | "ndjson") => "load-jsonl",
        Some("parquet") => "load-parquet",
        _ => {
            return Err(Trouble::new(format!("{} is no name for the rows", file.display()))
                .help("let it end in .csv, .jsonl or .parquet"));
        }
    };
    let parent = file.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let told = |error: std::io::Error| Trouble::new(format!("{} cannot be used: {error}", parent.display()));
    let root = parent.canonicalize().map_err(told)?;
    let found = host.catalog.get(plugin).ok_or_else(|| Trouble::new(format!("there is no plugin `{plugin}`")))?;
    let name = file.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let setup = StageSetup {
        name: "rows".to_owned(),
        config: json!({ "path": format!("./{name}") }).to_string(),
        grants: Grants { write: vec![".".to_owned()], ..Grants::default() },
        limits: Limits::default(),
        root,
    };
    let context = RunContext {
        run_id: "replay".to_owned(),
        pipeline: "replay".to_owned(),
        stage: "rows".to_owned(),
        attempt: 1,
        interval_start: jiff::Timestamp::UNIX_EPOCH,
        interval_end: jiff::Timestamp::UNIX_EPOCH,
    };
    let failed = |fault: Fault| Trouble::new(format!("the rows cannot be written to {}: {fault}", file.display()));
    let stage = host.sandbox.stage(found, setup)?;
    let mut load = stage.loader(&context, &Cancel::new()).map_err(failed)?;
    load.open(&batch.schema(), "replay-rows", 0).map_err(failed)?;
    load.write(batch.clone()).map_err(failed)?;
    let receipt = load.prepare().map_err(failed)?;
    load.commit("replay-rows", &[receipt]).map_err(failed)
}
