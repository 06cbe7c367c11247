//! Asking a running `serve` through its API.

use crate::api::Token;
use crate::serve::{ADDRESS_FILE, Address};
use crate::trouble::Trouble;
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};
use ureq::http::StatusCode;

/// How long an answer may take.
const ANSWER_MAX: Duration = Duration::from_secs(30);

/// How long a host that is starting is waited for, and how often it is asked.
const STARTING_MAX: Duration = Duration::from_secs(60);
const AGAIN_AFTER: Duration = Duration::from_millis(100);

/// A running host.
pub struct Client {
    url: String,
    token: Token,
    agent: ureq::Agent,
    locked: bool,
    dir: Option<PathBuf>,
    /// Its state folder.
    state: PathBuf,
}

impl Client {
    /// The host that serves with this state folder; none if none does.
    ///
    /// # Errors
    /// There is one, but its token cannot be read.
    pub fn of(state: &Path) -> Result<Option<Self>, Trouble> {
        let Ok(text) = std::fs::read_to_string(state.join(ADDRESS_FILE)) else { return Ok(None) };
        let Ok(address) = serde_json::from_str::<Address>(&text) else { return Ok(None) };
        // One that was killed leaves its file behind. Whoever gets the lock is alone.
        if !is_locked(state) {
            return Ok(None);
        }
        let Some(token) = Token::read(state)? else { return Ok(None) };
        let config = ureq::Agent::config_builder()
            .timeout_global(Some(ANSWER_MAX))
            .http_status_as_error(false)
            .max_redirects(0)
            .proxy(None)
            .build();
        Ok(Some(Self {
            url: address.url,
            token,
            agent: config.into(),
            locked: address.locked,
            dir: address.dir,
            state: state.to_owned(),
        }))
    }

    /// The folder that it serves.
    pub fn dir(&self) -> Option<&Path> {
        self.dir.as_deref()
    }

    /// Refuses a host that uses other plugins than the locked ones, if only those may be used.
    ///
    /// # Errors
    /// Only those may be, and it does.
    pub fn must_be_locked(&self, locked: bool) -> Result<(), Trouble> {
        if self.locked || !locked {
            return Ok(());
        }
        Err(Trouble::new("a host serves this folder, and runs its pipelines without `--locked`")
            .help("start it with `sluicebox serve --locked`, or stop it"))
    }

    /// Whether no host has the state folder any more.
    pub fn is_gone(&self) -> bool {
        !is_locked(&self.state)
    }

    /// Asks for something to be done; answers with what the host says.
    ///
    /// # Errors
    /// The host does not answer, or does not do it; the message is its own.
    pub fn post(&self, path: &str, body: &Value) -> Result<Value, Trouble> {
        let end = Instant::now() + STARTING_MAX;
        loop {
            let (status, value) = self.post_once(path, body)?;
            if status == StatusCode::SERVICE_UNAVAILABLE && Instant::now() < end {
                // It is starting: it finishes what an earlier host left, and compiles plugins.
                std::thread::sleep(AGAIN_AFTER);
                continue;
            }
            if status.is_success() {
                return Ok(value);
            }
            let said = |key: &str| value.pointer(&format!("/error/{key}")).and_then(Value::as_str);
            let message = said("message").map_or_else(|| format!("the host answers {status}"), str::to_owned);
            let trouble = Trouble::new(message);
            return Err(match said("help") {
                Some(help) => trouble.help(help),
                None => trouble,
            });
        }
    }

    fn post_once(&self, path: &str, body: &Value) -> Result<(StatusCode, Value), Trouble> {
        let answer = self
            .agent
            .post(format!("{}{path}", self.url))
            .header("Authorization", format!("Bearer {}", self.token.reveal()))
            .header("Content-Type", "application/json")
            .send(body.to_string());
        let mut answer = answer.map_err(|error| self.silent(&error))?;
        let status = answer.status();
        let text = answer.body_mut().read_to_string().map_err(|error| self.silent(&error))?;
        Ok((status, serde_json::from_str(&text).unwrap_or_default()))
    }

    fn silent(&self, error: &ureq::Error) -> Trouble {
        Trouble::new(format!("the host at {} does not answer: {error}", self.url))
            .help("see whether `sluicebox serve` still runs, and what it tells")
    }
}

/// Whether some process runs pipelines with this state folder.
fn is_locked(state: &Path) -> bool {
    let file = std::fs::File::options().read(true).write(true).open(state.join("run.lock"));
    file.is_ok_and(|file| matches!(file.try_lock(), Err(std::fs::TryLockError::WouldBlock)))
}
