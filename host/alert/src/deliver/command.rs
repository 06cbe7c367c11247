//! By a command.

use super::{Delivery, seconds, shown};
use crate::message::Message;
use std::collections::VecDeque;
use std::io::{Read, Write};
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, sync_channel};
use std::thread;
use std::time::Duration;

/// Bytes that are kept of the end of what a command says.
pub(crate) const SAID_MAX: usize = 2000;

/// How long is waited for the last of what a command said, once it has ended.
const LAST_WORDS_WAIT: Duration = Duration::from_secs(1);

/// What a command finds in its environment beside `SLUICEBOX_...`.
const KEPT: [&str; 2] = ["PATH", "HOME"];

pub(super) fn run(argv: &[String], message: &Message, folder: &Path, most: Duration) -> Delivery {
    let Some((program, arguments)) = argv.split_first() else {
        return Delivery::given_up("the command is empty; write `command = [\"program\", ...]`");
    };
    let name = shown(program, &[]);
    let mut command = Command::new(program);
    command
        .args(arguments)
        .current_dir(folder)
        .env_clear()
        .env("SLUICEBOX_ALERT_ID", &message.id)
        .env("SLUICEBOX_ALERT_KIND", message.kind.word())
        .env("SLUICEBOX_ALERT_TITLE", &message.title)
        .env("SLUICEBOX_PIPELINE", &message.pipeline)
        .env("SLUICEBOX_RUN", message.run.to_string())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    for key in KEPT {
        if let Some(value) = std::env::var_os(key) {
            command.env(key, value);
        }
    }
    group::own(&mut command);
    let mut child = match command.spawn() {
        Ok(child) => child,
        Err(error) => return Delivery::again(format!("`{name}` cannot be started: {error}")),
    };
    let said = listen(&mut child);
    let fed = feed(&mut child, message.to_json());
    let in_time = group::wait(&mut child, most);
    // Also what it left behind: nothing of an alert outlives it.
    group::kill(&mut child);
    let ended = child.wait();
    drop(fed);
    let said = last_words(&said);
    let said = if said.is_empty() { String::new() } else { format!("; it said: {said}") };
    match ended {
        _ if !in_time => {
            Delivery::again(format!("`{name}` had not ended after {} and was killed{said}", seconds(most)))
        }
        Ok(status) if status.success() => Delivery::Delivered,
        Ok(status) => Delivery::again(format!("`{name}` ended with {}{said}", how(status))),
        Err(error) => Delivery::again(format!("`{name}` is lost: {error}")),
    }
}

fn how(status: ExitStatus) -> String {
    match status.code() {
        Some(code) => format!("exit code {code}"),
        None => status.to_string(),
    }
}

/// Gives the command its standard input, which it need not read.
fn feed(child: &mut Child, json: String) -> Option<thread::JoinHandle<()>> {
    let mut input = child.stdin.take()?;
    let feeding = thread::Builder::new().name("alert-command".to_owned()).spawn(move || {
        let _ = input.write_all(json.as_bytes()).and_then(|()| input.write_all(b"\n"));
    });
    feeding.ok()
}

/// Reads all that the command says, however much, and keeps the end of it: of its standard error, then of its standard
/// output.
fn listen(child: &mut Child) -> Vec<Receiver<Vec<u8>>> {
    let streams: [Option<Box<dyn Read + Send>>; 2] = [
        child.stderr.take().map(|stream| Box::new(stream) as Box<dyn Read + Send>),
        child.stdout.take().map(|stream| Box::new(stream) as Box<dyn Read + Send>),
    ];
    let mut ends = Vec::new();
    for mut stream in streams.into_iter().flatten() {
        let (done, end) = sync_channel(1);
        let listening = thread::Builder::new().name("alert-command".to_owned()).spawn(move || {
            let mut kept = VecDeque::new();
            let mut piece = [0; 4096];
            while let Ok(read @ 1..) = stream.read(&mut piece) {
                kept.extend(piece.iter().take(read));
                kept.drain(..kept.len().saturating_sub(SAID_MAX));
            }
            let _ = done.send(Vec::from(kept));
        });
        if listening.is_ok() {
            ends.push(end);
        }
    }
    ends
}

/// A process that left the group may hold the streams open for ever: what it says is not waited for.
fn last_words(ends: &[Receiver<Vec<u8>>]) -> String {
    let said: Vec<u8> = ends.iter().filter_map(|end| end.recv_timeout(LAST_WORDS_WAIT).ok()).flatten().collect();
    shown(&String::from_utf8_lossy(&said), &[])
}

#[cfg(unix)]
mod group {
    //! A command and the processes that it starts.

    use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, kill_process_group, waitid};
    use std::os::unix::process::CommandExt;
    use std::process::{Child, Command};
    use std::sync::mpsc::sync_channel;
    use std::thread;
    use std::time::Duration;

    /// Gives the command a group of its own.
    pub(super) fn own(command: &mut Command) {
        command.process_group(0);
    }

    /// Whether it ended within the time. It stays to be reaped, so that its number is nobody else's yet.
    pub(super) fn wait(child: &mut Child, most: Duration) -> bool {
        let Some(pid) = pid(child) else { return false };
        let (done, end) = sync_channel(1);
        let waiting = thread::Builder::new().name("alert-command".to_owned()).spawn(move || {
            let options = WaitIdOptions::EXITED | WaitIdOptions::NOWAIT;
            while matches!(waitid(WaitId::Pid(pid), options), Err(rustix::io::Errno::INTR)) {}
            let _ = done.send(());
        });
        waiting.is_ok() && end.recv_timeout(most).is_ok()
    }

    /// Kills the whole group.
    pub(super) fn kill(child: &mut Child) {
        if let Some(pid) = pid(child) {
            // Whoever is gone needs no killing.
            let _ = kill_process_group(pid, Signal::KILL);
        }
    }

    fn pid(child: &Child) -> Option<Pid> {
        i32::try_from(child.id()).ok().and_then(Pid::from_raw)
    }
}

#[cfg(not(unix))]
mod group {
    //! A command alone: there are no groups to kill.

    use std::process::{Child, Command};
    use std::thread;
    use std::time::{Duration, Instant};

    pub(super) fn own(_command: &mut Command) {}

    pub(super) fn wait(child: &mut Child, most: Duration) -> bool {
        let end = Instant::now() + most;
        while Instant::now() < end {
            if matches!(child.try_wait(), Ok(Some(_))) {
                return true;
            }
            thread::sleep(Duration::from_millis(20));
        }
        false
    }

    pub(super) fn kill(child: &mut Child) {
        let _ = child.kill();
    }
}
