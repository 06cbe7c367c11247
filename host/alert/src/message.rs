//! What an alert says.

use crate::clean::{for_chat, line, lines};
use crate::text;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use sluicebox_model::alert::AlertOn;
use sluicebox_model::fault::{Fault, FaultKind};
use sluicebox_model::monitor::MonitorFinding;
use sluicebox_model::plugin::Kind;
use sluicebox_model::run::{Interval, RunId, RunRecord, RunState, Trigger};

/// Bytes of a fault's message, of its help, and of a finding.
pub(crate) const MESSAGE_MAX: usize = 2000;
/// Bytes of a name.
pub(crate) const NAME_MAX: usize = 200;
/// Bytes of a path in a command: the longest that Linux knows.
pub(crate) const FOLDER_MAX: usize = 4096;
/// Findings that are told; the others are counted.
pub(crate) const FINDINGS_MAX: usize = 20;

/// What is told beside the run itself.
#[derive(Clone, Debug, Default)]
pub struct Facts<'a> {
    /// Who answers for the pipeline.
    pub owner: Option<&'a str>,
    /// The name of the machine.
    pub host: &'a str,
    /// As in [`Circumstances`](crate::Circumstances).
    pub failures_in_a_row: u32,
    /// When the first of them ended.
    pub failing_since: Option<Timestamp>,
    /// When the run should have started.
    pub due_at: Option<Timestamp>,
    /// Why the pipeline is paused; none: it is not.
    pub paused: Option<&'a str>,
    /// The folder of the pipelines, where the commands are to be given.
    pub folder: Option<&'a str>,
    /// The state folder, if commands that are given there do not find it by themselves.
    pub state_folder: Option<&'a str>,
    /// What else is to be said.
    pub notes: &'a [String],
}

/// An alert, as it is kept until it is delivered. As JSON it is the body that a webhook is posted and the standard input
/// of a command.
///
/// Every text in it is clean: control characters are escaped, lengths bounded, secrets masked. Keys may be added, never
/// taken away. Chat tools show `text` and leave the rest alone.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Message {
    /// All that people need, in a few lines.
    pub text: String,
    /// The first of them: the subject of a mail.
    pub title: String,
    /// The same for every delivery of this alert: one that comes twice has the id that it had.
    pub id: String,
    /// What is told, the gravest first.
    pub kind: AlertOn,
    /// What is told beside.
    pub also: Vec<AlertOn>,
    /// The pipeline's name.
    pub pipeline: String,
    /// Who answers for it.
    pub owner: Option<String>,
    /// The name of the machine.
    pub host: String,
    /// The run.
    pub run: RunId,
    /// What caused it.
    pub trigger: Trigger,
    /// For when it runs.
    pub interval: Interval,
    /// Its state as this was written.
    pub state: RunState,
    /// When it should have started.
    pub due_at: Option<Timestamp>,
    /// When its stages began.
    pub started_at: Option<Timestamp>,
    /// When it ended.
    pub ended_at: Option<Timestamp>,
    /// Why it failed.
    pub fault: Option<AlertFault>,
    /// How many rows it was about.
    pub rows: Rows,
    /// What is not as the author expects it.
    pub findings: Vec<MonitorFinding>,
    /// Failed runs in a row; those that a recovery ended.
    pub failures_in_a_row: u32,
    /// When the first of them ended.
    pub failing_since: Option<Timestamp>,
    /// Why the pipeline is paused; none: it is not.
    #[serde(default)]
    pub paused: Option<String>,
    /// What else is to be said.
    pub notes: Vec<String>,
    /// The folder of the pipelines, where the commands are to be given.
    #[serde(default)]
    pub folder: Option<String>,
    /// What to type to see more, or to try again.
    pub commands: Vec<String>,
}

/// Why a run failed, and where.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct AlertFault {
    /// What sort of failure.
    pub kind: FaultKind,
    /// The stage; empty: the run as a whole.
    pub stage: String,
    /// The function of the contract.
    pub call: String,
    /// The batch of the stage's input, counted from 0.
    pub batch: Option<u64>,
    /// First row at fault and one past the last, counted from 0.
    pub rows: Option<(u64, u64)>,
    /// What is wrong.
    pub message: String,
    /// What to do instead.
    pub help: Option<String>,
}

/// Rows of a run, over all of its stages.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Rows {
    /// That the extracts passed on.
    pub read: u64,
    /// That the loads wrote and committed.
    pub loaded: u64,
    /// Set aside by rules, and records that could not be made rows.
    pub rejected: u64,
    /// Set aside because a stage failed on them.
    pub quarantined: u64,
}

impl Rows {
    fn of(run: &RunRecord) -> Self {
        let mut rows = Self::default();
        for stage in &run.stages {
            let outcome = &stage.outcome;
            rows.rejected = rows.rejected.saturating_add(outcome.rows_rejected);
            rows.quarantined = rows.quarantined.saturating_add(outcome.rows_quarantined);
            match stage.entry.kind {
                Kind::Extract => rows.read = rows.read.saturating_add(outcome.rows_out),
                Kind::Load if stage.committed => rows.loaded = rows.loaded.saturating_add(outcome.rows_out),
                _ => {}
            }
        }
        rows
    }

    /// Set aside in any way.
    pub fn set_aside(self) -> u64 {
        self.rejected.saturating_add(self.quarantined)
    }
}

impl Message {
    /// The webhook's body and the command's standard input.
    pub fn to_json(&self) -> String {
        serde_json::to_string(self).unwrap_or_else(|_| serde_json::json!({ "text": self.text }).to_string())
    }
}

/// Writes the message for a run. `kinds` are what is told, the gravest first, as in [`Due`](crate::Due); `mask` takes
/// secrets out of a text and is given each one that comes from outside, before it is cut.
pub fn message(kinds: &[AlertOn], run: &RunRecord, facts: &Facts<'_>, mask: &dyn Fn(&str) -> String) -> Message {
    let kind = kinds.first().copied().unwrap_or(AlertOn::Failure);
    let short = |text: &str| line(&mask(text), NAME_MAX);
    let long = |text: &str| lines(&mask(text), MESSAGE_MAX);
    let fault = run.fault.as_ref().map(|fault| AlertFault {
        kind: fault.kind,
        stage: short(&fault.stage),
        call: short(&fault.call),
        batch: fault.batch,
        rows: fault.rows,
        message: long(&fault.message),
        help: fault.help.as_deref().map(long),
    });
    let mut findings: Vec<MonitorFinding> = run
        .findings
        .iter()
        .map(|finding| MonitorFinding {
            stage: finding.stage.as_deref().map(short),
            message: long(&finding.message),
            ..finding.clone()
        })
        .collect();
    let mut notes: Vec<String> = facts.notes.iter().map(|note| long(note)).collect();
    let state = facts.state_folder.map(|folder| line(folder, FOLDER_MAX));
    let command = |words: &str| command(words, state.as_deref());
    if let Some(reason) = facts.paused {
        let resume = command(&format!("resume {}", shell_word(&run.pipeline)));
        let why = if reason.is_empty() { String::new() } else { format!(": {}", line(&mask(reason), MESSAGE_MAX)) };
        notes.push(format!("the pipeline is paused{why}; `{resume}` lets it run by itself again"));
    }
    if findings.len() > FINDINGS_MAX {
        let show = command(&format!("runs show {}", run.id));
        notes.push(format!("{} more findings are in `{show}`", findings.len() - FINDINGS_MAX));
        findings.truncate(FINDINGS_MAX);
    }
    let mut message = Message {
        text: String::new(),
        title: String::new(),
        id: format!("{}-{}", run.id, kind.word()),
        kind,
        also: kinds.iter().skip(1).copied().collect(),
        pipeline: short(&run.pipeline),
        owner: facts.owner.map(short),
        host: short(facts.host),
        run: run.id,
        trigger: run.trigger,
        interval: run.interval,
        state: run.state,
        due_at: facts.due_at,
        started_at: run.started_at,
        ended_at: run.ended_at,
        fault,
        rows: Rows::of(run),
        findings,
        failures_in_a_row: facts.failures_in_a_row,
        failing_since: facts.failing_since,
        paused: facts.paused.map(long),
        notes,
        folder: facts.folder.map(|folder| line(&mask(folder), FOLDER_MAX)),
        commands: commands(kinds, run, &command),
    };
    message.title = text::title(&message);
    message.text = for_chat(&text::text(&message));
    message
}

/// What to type, the most useful first. Nothing of it is of a guest: stage names are checked as the pipeline is read.
fn commands(kinds: &[AlertOn], run: &RunRecord, command: &dyn Fn(&str) -> String) -> Vec<String> {
    let id = run.id;
    let has_failed = matches!(run.state, RunState::Failed | RunState::Crashed);
    if run.stages.is_empty() && run.started_at.is_none() {
        // It never began.
        if !has_failed {
            return vec![command(&format!("schedule {}", shell_word(&run.pipeline)))];
        }
        let file = run.file.to_str().filter(|file| !file.is_empty()).unwrap_or(".");
        // Checking needs no state.
        let check = format!("sluicebox check {}", shell_word(&line(file, FOLDER_MAX)));
        return vec![check, command(&format!("rerun {id} --latest"))];
    }
    let mut commands = vec![command(&format!("runs show {id}"))];
    if let Some(fault) = run.fault.as_ref().filter(|fault| has_failed && is_replayed(fault)) {
        commands.push(command(&format!("replay {id} {}", fault.stage)));
    }
    if run.stages.iter().any(|stage| stage.outcome.rows_rejected > 0 || stage.outcome.rows_quarantined > 0) {
        commands.push(command(&format!("quarantine show {id}")));
    }
    // A run that died at its commit is brought to its end, not run again.
    if has_failed && run.committing_at.is_none() {
        commands.push(command(&format!("rerun {id} --failed")));
    }
    if !run.state.is_final() && run.state != RunState::Crashed && kinds.contains(&AlertOn::Deadline) {
        commands.push(command(&format!("cancel {id}")));
    }
    commands
}

/// A command as it is to be typed; `state`: the state folder, if it is not found there.
pub fn command(words: &str, state: Option<&str>) -> String {
    let state = state.map(|folder| format!(" --state {}", shell_word(folder)));
    format!("sluicebox {words}{}", state.unwrap_or_default())
}

/// A text as one word of a shell.
fn shell_word(text: &str) -> String {
    let is_plain = |c: char| c.is_alphanumeric() || matches!(c, '-' | '_' | '.' | '/' | '+' | ':' | ',' | '=');
    if !text.is_empty() && text.chars().all(is_plain) {
        return text.to_owned();
    }
    format!("'{}'", text.replace('\'', "'\\''"))
}

/// Whether there is a call to make again.
fn is_replayed(fault: &Fault) -> bool {
    let is_of_run =
        matches!(fault.kind, FaultKind::Threshold | FaultKind::Deadline | FaultKind::Cancelled | FaultKind::Host);
    let name = &fault.stage;
    !is_of_run && !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_'))
}

#[cfg(test)]
#[path = "message_tests.rs"]
pub(crate) mod tests;
