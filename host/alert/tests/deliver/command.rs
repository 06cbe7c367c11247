//! Commands.

use super::{LONG, SHORT, again, alert, courier};
use sluicebox_alert::{Courier, Delivery};
use sluicebox_model::alert::AlertTarget;
use std::fs::File;
use std::io::Read;
use std::path::Path;
use std::process::Command;
use std::sync::mpsc::channel;
use std::thread;
use std::time::Instant;

fn run(courier: &Courier, argv: &[&str], folder: &Path) -> Delivery {
    let argv = argv.iter().map(|word| (*word).to_owned()).collect();
    courier.deliver(&AlertTarget::Command { argv }, &alert(), None, folder)
}

fn shell(courier: &Courier, script: &str, folder: &Path) -> Delivery {
    run(courier, &["/bin/sh", "-c", script], folder)
}

#[test]
fn a_command_is_given_the_alert() {
    let folder = tempfile::tempdir().unwrap();
    let delivery = shell(&courier(LONG), "cat > alert.json; env > env.txt", folder.path());
    assert_eq!(delivery, Delivery::Delivered);
    let json = std::fs::read_to_string(folder.path().join("alert.json")).unwrap();
    assert_eq!(json, alert().to_json() + "\n");
    let env = std::fs::read_to_string(folder.path().join("env.txt")).unwrap();
    for wanted in ["SLUICEBOX_ALERT_KIND=failure\n", "SLUICEBOX_PIPELINE=flights\n", "PATH="] {
        assert!(env.contains(wanted), "{env}");
    }
    // Cargo's own variables are in the environment of this test, and no business of a command.
    let known = ["SLUICEBOX_", "PATH=", "HOME=", "PWD=", "OLDPWD=", "SHLVL=", "_="];
    assert!(env.lines().all(|line| known.iter().any(|known| line.starts_with(known))), "{env}");
}

#[test]
fn a_command_need_not_read() {
    let folder = tempfile::tempdir().unwrap();
    assert_eq!(run(&courier(LONG), &["true"], folder.path()), Delivery::Delivered);
    // No shell: what would be an order to one is an argument.
    let argv = ["sh", "-c", "test \"$1\" = '$(exit 1); x'", "sh", "$(exit 1); x"];
    assert_eq!(run(&courier(LONG), &argv, folder.path()), Delivery::Delivered);
}

#[test]
fn a_command_that_fails_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let reason = again(shell(&courier(LONG), "echo out; echo 'no \u{1b}[31mroute' >&2; exit 3", folder.path()));
    assert_eq!(reason, "`/bin/sh` ended with exit code 3; it said: no \\u{1b}[31mroute \u{21b5} out");
    let reason = again(shell(&courier(LONG), "kill -9 $$", folder.path()));
    assert!(reason.contains("signal"), "{reason}");
    let reason = again(run(&courier(LONG), &["./no-such-command"], folder.path()));
    assert!(reason.starts_with("`./no-such-command` cannot be started: "), "{reason}");
}

#[test]
fn a_command_that_floods_is_bounded() {
    let folder = tempfile::tempdir().unwrap();
    let script = "head -c 20000000 /dev/zero | tr '\\0' x >&2; echo the end >&2; exit 1";
    let reason = again(shell(&courier(LONG), script, folder.path()));
    assert!(reason.len() < 500, "{reason}");
    // One that never stops.
    let reason = again(shell(&courier(SHORT), "while :; do echo more; done", folder.path()));
    assert!(reason.contains("had not ended after 0.3s and was killed; it said: "), "{reason}");
}

/// A pipe of the file system, and when all that write to it are gone.
fn pipe(folder: &Path) -> std::sync::mpsc::Receiver<()> {
    let path = folder.join("pipe");
    assert!(Command::new("mkfifo").arg(&path).status().unwrap().success());
    let (gone, end) = channel();
    thread::spawn(move || {
        let mut all = Vec::new();
        File::open(path).unwrap().read_to_end(&mut all).unwrap();
        gone.send(()).unwrap();
    });
    end
}

#[test]
fn a_command_that_hangs_is_killed_with_its_children() {
    let folder = tempfile::tempdir().unwrap();
    let end = pipe(folder.path());
    let script = "exec 9> pipe; sleep 100000 & (sleep 100000 & wait) & echo still here; trap '' TERM; wait";
    let reason = again(shell(&courier(SHORT), script, folder.path()));
    assert_eq!(reason, "`/bin/sh` had not ended after 0.3s and was killed; it said: still here");
    end.recv_timeout(LONG).expect("a child lives");
}

#[test]
fn what_a_command_leaves_behind_is_ended() {
    let folder = tempfile::tempdir().unwrap();
    let end = pipe(folder.path());
    let began = Instant::now();
    assert_eq!(shell(&courier(LONG), "exec 9> pipe; sleep 100000 & exit 0", folder.path()), Delivery::Delivered);
    assert!(began.elapsed() < LONG);
    end.recv_timeout(LONG).expect("a child lives");
}
