#![allow(clippy::unwrap_used)]
use super::*;
use crate::message::tests::{at, finding, run};
use proptest::prelude::*;
use sluicebox_model::alert::AlertTarget;
use sluicebox_model::fault::Fault;

fn command(name: &str) -> AlertTarget {
    AlertTarget::Command { argv: vec![name.into()] }
}

fn rule(on: &[AlertOn], after: u32) -> AlertRule {
    AlertRule { on: on.to_vec(), after, to: vec![command("true")] }
}

fn kinds(on: &[AlertOn], after: u32, run: &RunRecord, circumstances: &Circumstances) -> Vec<AlertOn> {
    let due = due(&[rule(on, after)], run, circumstances, at(100));
    due.into_iter().flat_map(|due| due.kinds).collect()
}

fn failures(failures_in_a_row: u32, told: bool) -> Circumstances {
    told_to(failures_in_a_row, if told { &["true"] } else { &[] })
}

fn told_to(failures_in_a_row: u32, names: &[&str]) -> Circumstances {
    let told_of_failure = names.iter().map(|name| target_name(&command(name))).collect();
    Circumstances { failures_in_a_row, told_of_failure, ..Circumstances::default() }
}

#[test]
fn a_failure_is_told_once_and_its_recovery() {
    let on = AlertRule::ON_DEFAULT;
    let (failed, well) = (run(RunState::Failed), run(RunState::Succeeded));
    assert_eq!(kinds(&on, 1, &failed, &failures(1, false)), [AlertOn::Failure]);
    assert!(kinds(&on, 1, &failed, &failures(2, true)).is_empty());
    assert_eq!(kinds(&on, 1, &well, &failures(2, true)), [AlertOn::Recovery]);
    assert!(kinds(&on, 1, &well, &failures(0, false)).is_empty());
    // Nobody was told, so nobody waits for word.
    assert!(kinds(&on, 3, &well, &failures(2, false)).is_empty());
    assert!(kinds(&on, 1, &run(RunState::Cancelled), &failures(1, true)).is_empty());
    assert_eq!(kinds(&on, 1, &run(RunState::Crashed), &failures(1, false)), [AlertOn::Failure]);
}

#[test]
fn a_rule_waits_for_its_number() {
    let on = AlertRule::ON_DEFAULT;
    let failed = run(RunState::Failed);
    assert!(kinds(&on, 3, &failed, &failures(2, false)).is_empty());
    assert_eq!(kinds(&on, 3, &failed, &failures(3, false)), [AlertOn::Failure]);
    // It told earlier, since the pipeline was paused; it tells at its own number.
    assert_eq!(kinds(&on, 3, &failed, &failures(3, true)), [AlertOn::Failure]);
    assert!(kinds(&on, 3, &failed, &failures(4, true)).is_empty());
    // A rule that came when it was past its number.
    assert_eq!(kinds(&on, 3, &failed, &failures(7, false)), [AlertOn::Failure]);
    // Another rule told; of a failure that this one did not tell, it tells no recovery.
    assert!(kinds(&on, 3, &run(RunState::Succeeded), &told_to(2, &["other"])).is_empty());
    // What was told before the runs before ended well is over.
    assert!(kinds(&on, 1, &run(RunState::Succeeded), &failures(0, true)).is_empty());
}

/// One rule is quick and tells one, another is patient and tells two.
#[test]
fn a_recovery_goes_to_those_who_were_told_of_the_failure() {
    let both = AlertRule::ON_DEFAULT;
    let quick = AlertRule { to: vec![command("ops")], ..rule(&[AlertOn::Failure], 1) };
    let patient = AlertRule { to: vec![command("ops"), command("boss")], ..rule(&both, 3) };
    let ends = AlertRule { to: vec![command("chat")], ..rule(&[AlertOn::Recovery], 1) };
    let rules = [quick, patient, ends];
    let told = |state: RunState, circumstances: &Circumstances| {
        let all = due(&rules, &run(state), circumstances, at(100));
        let names = |due: &Due| due.to.iter().map(AlertTarget::shown).collect::<Vec<_>>().join(", ");
        all.iter().map(|due| (due.rule, due.kind(), names(due))).collect::<Vec<_>>()
    };
    let (ops, boss, chat) = ("command `ops`", "command `boss`", "command `chat`");
    assert_eq!(told(RunState::Failed, &told_to(1, &[])), [(0, AlertOn::Failure, ops.to_owned())]);
    let ended = [(1, AlertOn::Recovery, ops.to_owned()), (2, AlertOn::Recovery, chat.to_owned())];
    assert_eq!(told(RunState::Succeeded, &told_to(1, &["ops"])), ended);
    assert_eq!(told(RunState::Succeeded, &told_to(1, &[])), [], "nobody was told that it failed");
    // Past its number: not yet told are all of them, then one, then none.
    let all = format!("{ops}, {boss}");
    assert_eq!(told(RunState::Failed, &told_to(4, &["ops"])), [(1, AlertOn::Failure, all.clone())]);
    assert_eq!(told(RunState::Failed, &told_to(5, &["ops", "boss"])), []);
    let ended = [(1, AlertOn::Recovery, all), (2, AlertOn::Recovery, chat.to_owned())];
    assert_eq!(told(RunState::Succeeded, &told_to(5, &["ops", "boss"])), ended);
}

#[test]
fn the_failure_that_pauses_is_told_whatever_was_told() {
    let on = AlertRule::ON_DEFAULT;
    let pauses = |failures_in_a_row, told| Circumstances { pauses: true, ..failures(failures_in_a_row, told) };
    assert_eq!(kinds(&on, 1, &run(RunState::Failed), &pauses(3, true)), [AlertOn::Failure]);
    assert_eq!(kinds(&on, 9, &run(RunState::Failed), &pauses(3, false)), [AlertOn::Failure]);
    assert!(kinds(&[AlertOn::Late], 1, &run(RunState::Failed), &pauses(3, true)).is_empty());
    assert!(kinds(&on, 1, &run(RunState::Cancelled), &pauses(3, true)).is_empty());
    // And so is that it is over, although that rule's own number was not reached.
    assert_eq!(kinds(&on, 9, &run(RunState::Succeeded), &failures(3, true)), [AlertOn::Recovery]);
}

#[test]
fn deadlines() {
    let on = [AlertOn::Deadline];
    let mut failed = run(RunState::Failed);
    assert!(kinds(&on, 1, &failed, &failures(1, false)).is_empty());
    failed.fault = Some(Fault::new(FaultKind::Deadline, "run", "too slow"));
    assert_eq!(kinds(&on, 1, &failed, &failures(1, false)), on);
    // One message for one rule, the gravest first.
    let both = [AlertOn::Deadline, AlertOn::Failure];
    assert_eq!(kinds(&both, 1, &failed, &failures(1, false)), [AlertOn::Failure, AlertOn::Deadline]);
    let circumstances = |due_at: i64, seconds: u64| Circumstances {
        due_at: Some(at(due_at)),
        deadline: Some(Duration::from_secs(seconds)),
        ..Circumstances::default()
    };
    // It is now 100; nothing has ended yet.
    let running = run(RunState::Running);
    assert_eq!(kinds(&on, 1, &running, &circumstances(0, 99)), on);
    assert!(kinds(&on, 1, &running, &circumstances(0, 100)).is_empty());
    let told = Circumstances { told: on.to_vec(), ..circumstances(0, 99) };
    assert!(kinds(&on, 1, &running, &told).is_empty());
    // This one ended at 20.
    assert!(kinds(&on, 1, &run(RunState::Succeeded), &circumstances(0, 99)).is_empty());
    assert_eq!(kinds(&on, 1, &run(RunState::Succeeded), &circumstances(0, 19)), on);
    assert!(kinds(&on, 1, &run(RunState::Cancelled), &circumstances(0, 1)).is_empty());
}

#[test]
fn late_runs() {
    let on = [AlertOn::Late];
    let circumstances = |due_at: i64, seconds: u64| Circumstances {
        due_at: Some(at(due_at)),
        late_after: Some(Duration::from_secs(seconds)),
        ..Circumstances::default()
    };
    // It started at 10.
    assert_eq!(kinds(&on, 1, &run(RunState::Running), &circumstances(0, 9)), on);
    assert!(kinds(&on, 1, &run(RunState::Running), &circumstances(0, 10)).is_empty());
    assert!(kinds(&on, 1, &run(RunState::Running), &circumstances(50, 0)).is_empty());
    // It could not have started before 5.
    let since =
        |second: i64, seconds: u64| Circumstances { waits_since: Some(at(second)), ..circumstances(0, seconds) };
    assert_eq!(kinds(&on, 1, &run(RunState::Running), &since(5, 4)), on);
    assert!(kinds(&on, 1, &run(RunState::Running), &since(5, 5)).is_empty());
    assert!(kinds(&on, 1, &run(RunState::Queued), &since(50, 50)).is_empty());
    // It waits, and it is 100.
    assert_eq!(kinds(&on, 1, &run(RunState::Queued), &circumstances(0, 99)), on);
    assert!(kinds(&on, 1, &run(RunState::Queued), &Circumstances::default()).is_empty());
}

#[test]
fn findings_and_rows_set_aside() {
    let on = [AlertOn::Monitor, AlertOn::Quarantine];
    let mut ended = run(RunState::Succeeded);
    assert!(kinds(&on, 1, &ended, &failures(0, false)).is_empty());
    ended.findings.push(finding("12 rows are about to be loaded"));
    assert_eq!(kinds(&on, 1, &ended, &failures(0, false)), [AlertOn::Monitor]);
    ended.stages.first_mut().unwrap().outcome.rows_quarantined = 1;
    assert_eq!(kinds(&on, 1, &ended, &failures(0, false)), on);
    ended.state = RunState::Running;
    assert!(kinds(&on, 1, &ended, &failures(0, false)).is_empty());
}

#[test]
fn each_rule_is_judged_for_itself() {
    let rules = [rule(&[AlertOn::Late], 1), rule(&[AlertOn::Failure], 2), rule(&[AlertOn::Failure], 1)];
    let all = due(&rules, &run(RunState::Failed), &failures(1, false), at(100));
    assert_eq!(all, [Due { rule: 2, kinds: vec![AlertOn::Failure], to: vec![command("true")] }]);
    assert_eq!(all.first().map(Due::kind), Some(AlertOn::Failure));
}

proptest! {
    /// Whatever the order of good and bad runs: between two recoveries a failure is told exactly once if there are enough
    /// in a row, and never a recovery without it.
    #[test]
    fn failures_and_recoveries_take_turns(runs in proptest::collection::vec(any::<bool>(), 0..60), after in 1u32..5) {
        let rules = [rule(&AlertRule::ON_DEFAULT, after)];
        let (mut in_a_row, mut told) = (0, false);
        for is_good in runs {
            if !is_good {
                in_a_row += 1;
            }
            let state = if is_good { RunState::Succeeded } else { RunState::Failed };
            let all = due(&rules, &run(state), &failures(in_a_row, told), at(100));
            let kinds: Vec<AlertOn> = all.into_iter().flat_map(|due| due.kinds).collect();
            if is_good {
                prop_assert_eq!(kinds == [AlertOn::Recovery], told);
                (in_a_row, told) = (0, false);
            } else {
                prop_assert_eq!(kinds == [AlertOn::Failure], in_a_row == after);
                told |= in_a_row == after;
            }
        }
    }
}
