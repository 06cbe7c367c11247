#![allow(clippy::unwrap_used, clippy::indexing_slicing)]
use super::*;
use sluicebox_model::monitor::{Monitor, MonitorSeverity};
use sluicebox_model::plugin::Digest;
use sluicebox_model::run::{Event, StageEntry, StageOutcome};

pub(crate) fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap()
}

pub(crate) fn finding(message: &str) -> MonitorFinding {
    MonitorFinding { monitor: Monitor::Rows, severity: MonitorSeverity::Warn, stage: None, message: message.into() }
}

fn entry(name: &str, kind: Kind) -> StageEntry {
    StageEntry {
        name: name.into(),
        kind,
        plugin: "p".into(),
        version: "1".into(),
        digest: Digest("d".into()),
        inputs: Vec::new(),
    }
}

/// A run that was made at 0, started at 10 and ended at 20, as far as the state allows.
pub(crate) fn run(state: RunState) -> RunRecord {
    let id = RunId::new(at(1_700_000_000), [7; 10]);
    let queued = Event::RunQueued {
        pipeline: "flights".into(),
        trigger: Trigger::Schedule,
        interval: Interval { start: at(0), end: at(3600) },
        text: String::new(),
        file: "flights.toml".into(),
        load_key: "k".into(),
        repeats: None,
        stages: vec![entry("read", Kind::Extract), entry("check", Kind::Validate), entry("out", Kind::Load)],
    };
    let mut run = RunRecord::fold(id, &[(at(0), queued)]).unwrap();
    run.state = state;
    if state != RunState::Queued {
        run.started_at = Some(at(10));
    }
    if matches!(state, RunState::Succeeded | RunState::Failed | RunState::Cancelled | RunState::Crashed) {
        run.ended_at = Some(at(20));
    }
    run
}

fn failed() -> RunRecord {
    let mut run = run(RunState::Failed);
    let mut fault = Fault::new(FaultKind::Trap, "check", "panicked at `src/lib.rs`: no such unit").of_stage("check");
    fault.batch = Some(4);
    fault.rows = Some((400, 500));
    fault.help = Some("see what the row holds".into());
    run.fault = Some(fault);
    let outcome =
        |rows_out: u64, rows_rejected: u64| StageOutcome { rows_out, rows_rejected, ..StageOutcome::default() };
    run.stages[0].outcome = outcome(12_345, 0);
    run.stages[1].outcome = outcome(400, 17);
    run.stages[2].outcome = outcome(400, 0);
    run
}

fn plain(text: &str) -> String {
    text.to_owned()
}

#[test]
fn a_failure_is_told_in_full() {
    let facts = Facts {
        owner: Some("analytics"),
        host: "etl-1",
        failures_in_a_row: 3,
        failing_since: Some(at(-7200)),
        paused: Some("its last 3 runs failed (`pause-after = 3`)"),
        folder: Some("/srv/etl"),
        notes: &["flights.csv arrived".to_owned()],
        ..Facts::default()
    };
    let message = message(&[AlertOn::Failure, AlertOn::Quarantine], &failed(), &facts, &plain);
    let id = message.run;
    let wanted = format!(
        "flights failed, for the 3rd time in a row
stage `check`, trap in `check`, batch 4, rows 400 to 499: panicked at `src/lib.rs`: no such unit
help: see what the row holds
it fails since 1969-12-31 22:00:00 UTC
rows: 12,345 read, 0 loaded, 17 rejected, 0 quarantined
flights.csv arrived
the pipeline is paused: its last 3 runs failed (`pause-after = 3`); `sluicebox resume flights` lets it run by itself again
run {id}, failed, by its schedule, for 1970-01-01 00:00:00 UTC to 1970-01-01 01:00:00 UTC; owner analytics; host etl-1
in /srv/etl:
    sluicebox runs show {id}
    sluicebox replay {id} check
    sluicebox quarantine show {id}
    sluicebox rerun {id} --failed"
    );
    assert_eq!(message.text, wanted);
    assert_eq!(message.title, "flights failed, for the 3rd time in a row");
    assert_eq!(message.also, [AlertOn::Quarantine]);
    assert_eq!(message.id, format!("{id}-failure"));
}

#[test]
fn the_json_is_as_documented() {
    let facts = Facts { host: "etl-1", failures_in_a_row: 1, ..Facts::default() };
    let message = message(&[AlertOn::Failure], &failed(), &facts, &plain);
    let json: serde_json::Value = serde_json::from_str(&message.to_json()).unwrap();
    let keys: Vec<&str> = json.as_object().unwrap().keys().map(String::as_str).collect();
    let wanted = [
        "text",
        "title",
        "id",
        "kind",
        "also",
        "pipeline",
        "owner",
        "host",
        "run",
        "trigger",
        "interval",
        "state",
        "due-at",
        "started-at",
        "ended-at",
        "fault",
        "rows",
        "findings",
        "failures-in-a-row",
        "failing-since",
        "paused",
        "notes",
        "folder",
        "commands",
    ];
    assert_eq!(keys, wanted);
    assert_eq!(json["kind"], "failure");
    assert_eq!(json["state"], "failed");
    assert_eq!(json["fault"]["kind"], "trap");
    assert_eq!(json["fault"]["rows"], serde_json::json!([400, 500]));
    assert_eq!(json["rows"], serde_json::json!({"read": 12345, "loaded": 0, "rejected": 17, "quarantined": 0}));
    let back: Message = serde_json::from_str(&message.to_json()).unwrap();
    assert_eq!(back, message);
    // One that an older host kept.
    let mut older = json;
    for key in ["paused", "folder"] {
        older.as_object_mut().unwrap().remove(key);
    }
    assert_eq!(serde_json::from_value::<Message>(older).unwrap(), message);
}

#[test]
fn the_other_kinds_have_titles() {
    let title = |kind: AlertOn, run: &RunRecord, failures_in_a_row: u32| {
        let facts = Facts { failures_in_a_row, due_at: Some(at(-3590)), ..Facts::default() };
        message(&[kind], run, &facts, &plain).title
    };
    let well = run(RunState::Succeeded);
    assert_eq!(title(AlertOn::Recovery, &well, 4), "flights runs again, after 4 failures");
    assert_eq!(title(AlertOn::Recovery, &well, 1), "flights runs again, after a failure");
    let facts = Facts { failures_in_a_row: 4, paused: Some(""), ..Facts::default() };
    let still = message(&[AlertOn::Recovery], &well, &facts, &plain);
    assert_eq!(still.title, "flights ran well after 4 failures, and is still paused");
    assert!(still.text.contains("the pipeline is paused; `sluicebox resume flights`"), "{}", still.text);
    assert_eq!(title(AlertOn::Failure, &failed(), 1), "flights failed");
    assert_eq!(title(AlertOn::Failure, &failed(), 112), "flights failed, for the 112th time in a row");
    assert_eq!(title(AlertOn::Deadline, &run(RunState::Running), 0), "flights has not ended by its deadline");
    assert_eq!(title(AlertOn::Deadline, &well, 0), "flights took longer than its deadline allows");
    assert_eq!(title(AlertOn::Monitor, &well, 0), "flights is not as expected");
    assert_eq!(title(AlertOn::Quarantine, &failed(), 0), "flights set aside 17 rows");
    assert_eq!(title(AlertOn::Late, &well, 0), "flights started 1h late");
    assert_eq!(title(AlertOn::Late, &run(RunState::Queued), 0), "flights has not started in time");
}

#[test]
fn commands_fit_the_run() {
    let commands = |kind: AlertOn, run: &RunRecord| {
        let id = run.id.to_string();
        let all = message(&[kind], run, &Facts::default(), &plain).commands;
        all.iter().map(|command| command.replace(&id, "RUN")).collect::<Vec<_>>()
    };
    assert_eq!(commands(AlertOn::Recovery, &run(RunState::Succeeded)), ["sluicebox runs show RUN"]);
    let running = commands(AlertOn::Deadline, &run(RunState::Running));
    assert_eq!(running, ["sluicebox runs show RUN", "sluicebox cancel RUN"]);
    // What never began has no stages to show.
    let unbegun = |state| RunRecord { stages: Vec::new(), started_at: None, ..run(state) };
    let wanted = ["sluicebox check flights.toml", "sluicebox rerun RUN --latest"];
    assert_eq!(commands(AlertOn::Failure, &unbegun(RunState::Failed)), wanted);
    let gone = RunRecord { file: Default::default(), ..unbegun(RunState::Failed) };
    assert_eq!(commands(AlertOn::Failure, &gone).first().unwrap(), "sluicebox check .");
    assert_eq!(commands(AlertOn::Late, &unbegun(RunState::Queued)), ["sluicebox schedule flights"]);
    // There is no call to make again.
    let mut slow = failed();
    slow.fault = Some(Fault::new(FaultKind::Deadline, "run", "too slow").of_stage("check"));
    assert!(!commands(AlertOn::Failure, &slow).iter().any(|command| command.contains("replay")));
    // It is brought to its end, not run again.
    let mut crashed = run(RunState::Crashed);
    crashed.committing_at = Some(at(15));
    assert_eq!(commands(AlertOn::Failure, &crashed), ["sluicebox runs show RUN"]);
    // A stage's name is checked before; a bad one is not put into a command all the same.
    let mut odd = failed();
    odd.fault = Some(Fault::new(FaultKind::Trap, "check", "x").of_stage("a; rm -rf ~"));
    assert!(!commands(AlertOn::Failure, &odd).iter().any(|command| command.contains("rm")));
}

#[test]
fn commands_name_the_state_folder_where_it_is_not_found() {
    let facts = Facts { state_folder: Some("/var/lib/it's here"), ..Facts::default() };
    let message = message(&[AlertOn::Failure, AlertOn::Quarantine], &failed(), &facts, &plain);
    assert_eq!(message.commands.len(), 4);
    for command in &message.commands {
        assert!(command.ends_with(r" --state '/var/lib/it'\''s here'"), "{command}");
        assert!(message.text.contains(command), "{}", message.text);
    }
    assert_eq!([shell_word("/a/b-1.toml"), shell_word(""), shell_word("a b$c")], ["/a/b-1.toml", "''", "'a b$c'"]);
}

#[test]
fn what_a_guest_says_is_bounded_and_clean() {
    let mut run = failed();
    let fault = run.fault.as_mut().unwrap();
    fault.message = format!("\u{1b}[2J\u{202e}@channel <!here> secret-token [a](http://b) {}", "x".repeat(1_000_000));
    fault.help = Some("\u{7}".repeat(100_000));
    run.findings = (0..1000).map(|number| finding(&format!("finding {number}{}", "y".repeat(10_000)))).collect();
    let mask = |text: &str| text.replace("secret-token", "***");
    let facts = Facts { owner: Some("secret-token\n@all"), host: "h\u{1b}", ..Facts::default() };
    let message = message(&[AlertOn::Failure], &run, &facts, &mask);
    let json = message.to_json();
    assert!(json.len() < 80_000, "{}", json.len());
    assert!(message.text.len() < 20_000, "{}", message.text.len());
    assert!(!json.contains("secret-token") && json.contains("***"));
    assert!(!json.contains("\\u001b") && !json.contains('\u{202e}'), "a control character");
    for steering in ["@channel", "@all", "<!", "]("] {
        assert!(!message.text.contains(steering), "{steering}");
    }
    assert!(message.text.contains("and 15 more findings"));
    assert!(message.text.contains("980 more findings are in"));
}
