//! A `sluicebox serve` of the bench, and as much of HTTP as asking it takes.

use anyhow::{Context, Result, bail, ensure};
use jiff::Timestamp;
use serde_json::Value;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

const PATIENCE: Duration = Duration::from_secs(120);

/// A host that serves a folder, until this is dropped.
pub(crate) struct Served {
    process: Child,
    address: String,
    token: String,
}

/// How a run went, by its events.
pub(crate) struct Followed {
    /// When its first stage began.
    pub(crate) first_stage: Option<Timestamp>,
}

impl Served {
    /// Starts the host, with its state and compile cache below the folder, and waits until it answers.
    pub(crate) fn begin(sluicebox: &Path, plugins: &Path, folder: &Path) -> Result<Self> {
        let state = folder.join("served");
        let mut command = Command::new(sluicebox);
        command.arg("serve").arg(folder).args(["--address", "127.0.0.1:0", "--plugins"]).arg(plugins);
        command.arg("--state").arg(&state).env("SLUICEBOX_CACHE", folder.join("cache")).env("SLUICEBOX_LOG", "error");
        // As docs/deploy.md has it.
        command.env("MALLOC_ARENA_MAX", "2");
        let process = command.stdin(Stdio::null()).spawn().with_context(|| format!("could not start {command:?}"))?;
        let mut served = Self { process, address: String::new(), token: String::new() };
        let end = Instant::now() + PATIENCE;
        loop {
            if let Ok(text) = std::fs::read_to_string(state.join("serve.json")) {
                let file: Value = serde_json::from_str(&text)?;
                let url = file.get("url").and_then(Value::as_str).context("no address")?;
                url.trim_start_matches("http://").clone_into(&mut served.address);
                std::fs::read_to_string(state.join("api.token"))?.trim().clone_into(&mut served.token);
                if served.get("/readyz").is_ok() {
                    return Ok(served);
                }
            }
            ensure!(Instant::now() < end, "the host does not become ready");
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// The process.
    pub(crate) fn id(&self) -> u32 {
        self.process.id()
    }

    /// Starts a run of a pipeline; answers with its id.
    pub(crate) fn start(&self, pipeline: &str) -> Result<String> {
        let (path, token) = (format!("/api/v1/pipelines/{pipeline}/runs"), format!("Bearer {}", self.token));
        let headers = format!("Authorization: {token}\r\nContent-Type: application/json\r\nContent-Length: 2\r\n");
        let body = self.ask("POST", &path, &headers, "{}")?;
        let answer: Value = serde_json::from_str(&body).with_context(|| body.clone())?;
        Ok(answer.get("run").and_then(Value::as_str).with_context(|| body.clone())?.to_owned())
    }

    /// Follows a run by its server-sent events until it has ended.
    pub(crate) fn follow(&self, run: &str) -> Result<Followed> {
        let mut stream = self.connect()?;
        let head = format!("GET /api/v1/runs/{run}/events HTTP/1.1\r\nHost: {}\r\n", self.address);
        stream.write_all(format!("{head}Accept: text/event-stream\r\nConnection: close\r\n\r\n").as_bytes())?;
        let mut followed = Followed { first_stage: None };
        for line in BufReader::new(stream).lines() {
            let line = line?;
            let Some(data) = line.strip_prefix("data:") else { continue };
            let event: Value = serde_json::from_str(data.trim())?;
            match event.get("event").and_then(Value::as_str).unwrap_or_default() {
                "stage-started" if followed.first_stage.is_none() => {
                    let at = event.get("at").and_then(Value::as_str).context("an event without time")?;
                    followed.first_stage = Some(at.parse()?);
                }
                "run-succeeded" => return Ok(followed),
                "run-failed" | "run-cancelled" => bail!("a run of the bench failed: {data}"),
                _ => {}
            }
        }
        bail!("the events of run {run} end before it does")
    }

    fn get(&self, path: &str) -> Result<String> {
        self.ask("GET", path, "", "")
    }

    fn connect(&self) -> Result<TcpStream> {
        let stream = TcpStream::connect(&self.address)?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        Ok(stream)
    }

    /// The body of an answer.
    fn ask(&self, method: &str, path: &str, headers: &str, body: &str) -> Result<String> {
        let mut stream = self.connect()?;
        let head = format!("{method} {path} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n{headers}\r\n", self.address);
        stream.write_all(format!("{head}{body}").as_bytes())?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer)?;
        let (head, body) = answer.split_once("\r\n\r\n").context("no answer")?;
        ensure!(head.starts_with("HTTP/1.1 2"), "{path}: {answer}");
        Ok(body.to_owned())
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
