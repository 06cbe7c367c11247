//! The log of a stage: calls of `log`, standard output and standard error, line by line, in the order of telling.
//!
//! Bounded three ways: a line is cut at 8 KiB, the stage's log in a run at `limits.log` (what comes after is counted and
//! dropped, so that a talkative stage neither stops nor fills the disk), and what stands on a line that was not ended at
//! 8 KiB. Control characters are escaped: a log is read on a terminal, and a terminal obeys.

use bytes::Bytes;
use sluicebox_model::stage::{Level, LogLine, LogSource};
use sluicebox_model::text::steers;
use std::collections::VecDeque;
use std::fmt::Write as _;
use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use tokio::io::AsyncWrite;
use wasmtime_wasi::cli::{IsTerminal, StdoutStream};
use wasmtime_wasi::p2::{OutputStream, Pollable, StreamResult};

/// Bytes of one line.
pub(crate) const LINE_MAX: usize = 8 * 1024;
/// Lines of standard error kept to explain a trap.
pub(crate) const TAIL_LINES: usize = 40;

/// What all instances of a stage may log in a run.
#[derive(Debug)]
pub(crate) struct LogBudget {
    max: u64,
    used: AtomicU64,
    told: AtomicBool,
}

impl LogBudget {
    pub(crate) fn new(max: u64) -> Self {
        Self { max, used: AtomicU64::new(0), told: AtomicBool::new(false) }
    }

    fn take(&self, bytes: u64) -> bool {
        self.used.fetch_add(bytes, Ordering::Relaxed).saturating_add(bytes) <= self.max
    }
}

/// The log of one instance.
#[derive(Clone, Debug)]
pub(crate) struct Console(Arc<Mutex<Inner>>);

#[derive(Debug)]
struct Inner {
    budget: Arc<LogBudget>,
    lines: Vec<LogLine>,
    /// What was written of a line that has no end yet.
    stdout: Vec<u8>,
    stderr: Vec<u8>,
    /// The last lines of standard error of the call, whether they were logged or not.
    tail: VecDeque<String>,
}

impl Console {
    pub(crate) fn new(budget: Arc<LogBudget>) -> Self {
        Self(Arc::new(Mutex::new(Inner {
            budget,
            lines: Vec::new(),
            stdout: Vec::new(),
            stderr: Vec::new(),
            tail: VecDeque::new(),
        })))
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A message of the guest or of the host, a log line for each of its lines.
    pub(crate) fn log(&self, level: Level, source: LogSource, message: &str) {
        let mut inner = self.inner();
        for line in message.lines() {
            inner.line(level, source, line.as_bytes());
        }
    }

    /// What was written to a stream.
    fn write(&self, source: LogSource, mut bytes: &[u8]) {
        let mut inner = self.inner();
        while let Some(end) = bytes.iter().position(|&byte| byte == b'\n') {
            let (line, rest) = bytes.split_at(end);
            inner.extend(source, line);
            inner.end_line(source);
            bytes = rest.get(1..).unwrap_or_default();
        }
        inner.extend(source, bytes);
    }

    /// Ends the lines that stand open, and forgets what standard error said before.
    pub(crate) fn start_call(&self) {
        self.inner().tail.clear();
    }

    /// Ends the lines that stand open.
    pub(crate) fn end_call(&self) {
        let mut inner = self.inner();
        for source in [LogSource::Stdout, LogSource::Stderr] {
            if !inner.open(source).is_empty() {
                inner.end_line(source);
            }
        }
    }

    /// The last lines of standard error since the call began.
    pub(crate) fn tail(&self) -> Vec<String> {
        self.inner().tail.iter().cloned().collect()
    }

    /// The lines so far.
    pub(crate) fn take(&self) -> Vec<LogLine> {
        std::mem::take(&mut self.inner().lines)
    }
}

impl Inner {
    fn open(&mut self, source: LogSource) -> &mut Vec<u8> {
        match source {
            LogSource::Stdout => &mut self.stdout,
            _ => &mut self.stderr,
        }
    }

    fn extend(&mut self, source: LogSource, bytes: &[u8]) {
        let open = self.open(source);
        // One byte more than a line has, so that the line is seen to be cut.
        let room = (LINE_MAX + 1).saturating_sub(open.len()).min(bytes.len());
        open.extend_from_slice(bytes.get(..room).unwrap_or_default());
    }

    fn end_line(&mut self, source: LogSource) {
        let bytes = std::mem::take(self.open(source));
        let bytes = bytes.strip_suffix(b"\r").unwrap_or(&bytes);
        if source == LogSource::Stderr {
            if self.tail.len() >= TAIL_LINES {
                self.tail.pop_front();
            }
            self.tail.push_back(escape_line(bytes));
        }
        // A panic begins with an empty line; nobody misses those.
        if !bytes.is_empty() {
            let level = if source == LogSource::Stderr { Level::Warn } else { Level::Info };
            self.line(level, source, bytes);
        }
    }

    fn line(&mut self, level: Level, source: LogSource, bytes: &[u8]) {
        let message = escape_line(bytes);
        // Even an empty line costs the host something to keep.
        if self.budget.take((message.len() as u64 + 1).max(32)) {
            self.lines.push(LogLine { level, source, message });
        } else if !self.budget.told.swap(true, Ordering::Relaxed) {
            let max = crate::limiter::bytes(self.budget.max);
            let message = format!("log cut: the stage logged more than {max}; raise `limits.log` to keep more");
            self.lines.push(LogLine { level: Level::Warn, source: LogSource::Host, message });
        }
    }
}

/// A line of at most [`LINE_MAX`] bytes as it can be shown.
fn escape_line(bytes: &[u8]) -> String {
    let cut = bytes.len() > LINE_MAX;
    let text = String::from_utf8_lossy(bytes.get(..LINE_MAX).unwrap_or(bytes));
    let mut line = escape(&text, LINE_MAX);
    if cut && !line.ends_with('…') {
        line.push('…');
    }
    line
}

/// The text with control characters and those that reorder text escaped, cut behind so many bytes.
pub(crate) fn escape(text: &str, max: usize) -> String {
    let mut escaped = String::with_capacity(text.len().min(max));
    for c in text.chars() {
        if escaped.len() + c.len_utf8() > max {
            escaped.push('…');
            break;
        }
        match c {
            '\t' => escaped.push_str("    "),
            c if !steers(c) => escaped.push(c),
            c => {
                // Writing to a String cannot fail.
                let _ = write!(escaped, "{}", c.escape_default());
            }
        }
    }
    escaped
}

/// A message of several lines with each line escaped.
pub(crate) fn escape_lines(text: &str, max: usize) -> String {
    let mut escaped = String::new();
    for line in text.trim_end().lines() {
        if !escaped.is_empty() {
            escaped.push('\n');
        }
        if escaped.len() >= max {
            escaped.push('…');
            break;
        }
        escaped.push_str(&escape(line, max - escaped.len()));
    }
    escaped
}

/// Standard output or standard error of a guest.
#[derive(Clone, Debug)]
pub(crate) struct ConsoleStream {
    pub(crate) console: Console,
    pub(crate) source: LogSource,
}

impl IsTerminal for ConsoleStream {
    fn is_terminal(&self) -> bool {
        false
    }
}

impl StdoutStream for ConsoleStream {
    fn async_stream(&self) -> Box<dyn AsyncWrite + Send + Sync> {
        Box::new(self.clone())
    }

    fn p2_stream(&self) -> Box<dyn OutputStream> {
        Box::new(self.clone())
    }
}

impl AsyncWrite for ConsoleStream {
    fn poll_write(self: Pin<&mut Self>, _: &mut Context<'_>, bytes: &[u8]) -> Poll<std::io::Result<usize>> {
        self.console.write(self.source, bytes);
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

impl Pollable for ConsoleStream {
    // What `async_trait` would write.
    fn ready<'a, 'b>(&'a mut self) -> Pin<Box<dyn Future<Output = ()> + Send + 'b>>
    where
        'a: 'b,
        Self: 'b,
    {
        Box::pin(std::future::ready(()))
    }
}

impl OutputStream for ConsoleStream {
    fn write(&mut self, bytes: Bytes) -> StreamResult<()> {
        self.console.write(self.source, &bytes);
        Ok(())
    }

    fn flush(&mut self) -> StreamResult<()> {
        Ok(())
    }

    fn check_write(&mut self) -> StreamResult<usize> {
        Ok(64 * 1024)
    }
}
