//! A world for a command: mounts that only it sees, limits, a user whom file modes bind.

use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

/// Whether the tests run as root, whom file modes do not bind.
pub(super) fn is_root() -> bool {
    fs::metadata("/proc/self").expect("a process").uid() == 0
}

/// The same command, run by way of `with`; arguments of the command follow those of `with`.
fn by_way_of(with: &[&str], command: &Command) -> Command {
    let mut wrapped = Command::new(with[0]);
    wrapped.args(&with[1..]).arg(command.get_program()).args(command.get_args()).stdin(Stdio::null());
    if let Some(folder) = command.get_current_dir() {
        wrapped.current_dir(folder);
    }
    for (name, value) in command.get_envs() {
        match value {
            Some(value) => wrapped.env(name, value),
            None => wrapped.env_remove(name),
        };
    }
    wrapped
}

/// The command with file modes that count: root without the right to pass over them.
pub(super) fn bound_by_modes(command: &Command) -> Command {
    if is_root() {
        by_way_of(&["setpriv", "--bounding-set", "-dac_override,-dac_read_search", "--"], command)
    } else {
        by_way_of(&["env"], command)
    }
}

/// The command with files that cannot grow beyond so many blocks of 512 bytes; a write beyond that is refused.
pub(super) fn with_files_of_at_most(blocks: u32, command: &Command) -> Command {
    by_way_of(&["sh", "-c", &format!("trap '' XFSZ; ulimit -f {blocks}; exec \"$@\""), "sh"], command)
}

/// Mounts of their own, seen by whoever enters.
pub(super) struct World {
    keeper: Child,
}

impl World {
    /// A world in which `script` has mounted; none where the system lets nobody mount.
    pub(super) fn new(folder: &Path, script: &str) -> Option<Self> {
        let script = format!("set -e; {script}; echo ready; read end");
        let flags = if is_root() { "-m" } else { "-rm" };
        let mut keeper = Command::new("unshare")
            .args([flags, "sh", "-c", &script])
            .current_dir(folder)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .ok()?;
        let mut line = String::new();
        BufReader::new(keeper.stdout.take()?).read_line(&mut line).ok()?;
        if line == "ready\n" {
            return Some(Self { keeper });
        }
        let mut told = String::new();
        let _ = keeper.stderr.take()?.read_to_string(&mut told);
        let _ = keeper.wait();
        println!("nothing can be mounted here: {told}");
        None
    }

    /// The command within this world.
    pub(super) fn command(&self, command: &Command) -> Command {
        let process = self.keeper.id().to_string();
        let folder = command.get_current_dir().unwrap_or(Path::new("/")).display().to_string();
        let mut with = vec!["nsenter", "--target", &process, "--mount"];
        if !is_root() {
            with.extend(["--user", "--preserve-credentials"]);
        }
        with.extend(["--", "sh", "-c", "cd \"$0\" && exec \"$@\"", &folder]);
        by_way_of(&with, command)
    }

    /// Does something in this world, e.g. mounts.
    #[track_caller]
    pub(super) fn has(&self, folder: &Path, script: &str) {
        let mut command = Command::new("sh");
        command.args(["-c", script]).current_dir(folder);
        let done = self.command(&command).output().expect("nsenter starts");
        assert!(done.status.success(), "{script}: {}", String::from_utf8_lossy(&done.stderr));
    }

    /// A file of this world, as others see it.
    pub(super) fn path(&self, path: &Path) -> PathBuf {
        PathBuf::from(format!("/proc/{}/root{}", self.keeper.id(), path.display()))
    }
}

impl Drop for World {
    fn drop(&mut self) {
        // It reads to its end.
        drop(self.keeper.stdin.take());
        let _ = self.keeper.wait();
    }
}

/// A process that stopped at an event, as a test asked it to; it goes on when it is told so.
pub(super) struct Stopped {
    process: Child,
}

impl Stopped {
    /// Starts the command and waits until it has stopped there.
    pub(super) fn at(event: &str, mut command: Command) -> Self {
        command.env("SLUICEBOX_TEST_STOP_AT", event).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut process = command.spawn().expect("the binary starts");
        let status = format!("/proc/{}/stat", process.id());
        let is_stopped = || fs::read_to_string(&status).is_ok_and(|text| text.contains(") T "));
        while !is_stopped() {
            assert!(process.try_wait().expect("a process").is_none(), "it ended before event {event}");
            std::thread::yield_now();
        }
        Self { process }
    }

    pub(super) fn id(&self) -> u32 {
        self.process.id()
    }

    /// Lets it go on to its end.
    pub(super) fn goes_on(self) -> sluicebox_tests::Ended {
        let sent = Command::new("kill").args(["-CONT", &self.process.id().to_string()]).status().expect("kill");
        assert!(sent.success());
        self.process.wait_with_output().expect("a process").into()
    }
}
