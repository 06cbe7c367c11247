//! A client that sends what it is told, byte for byte.

use serde_json::Value;
use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

/// A test that waits longer than this for an answer has failed.
const PATIENCE: Duration = Duration::from_secs(60);

#[derive(Debug)]
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) headers: BTreeMap<String, String>,
    pub(super) body: String,
}

impl Answer {
    pub(super) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    pub(super) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map(String::as_str).unwrap_or_default()
    }

    /// What is wrong, for people.
    pub(super) fn message(&self) -> String {
        self.json()["error"]["message"].as_str().unwrap_or_else(|| panic!("no message: {self:?}")).to_owned()
    }

    pub(super) fn help(&self) -> String {
        self.json()["error"]["help"].as_str().unwrap_or_else(|| panic!("no help: {self:?}")).to_owned()
    }
}

pub(super) fn connect(addr: SocketAddr) -> TcpStream {
    let stream = TcpStream::connect(addr).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream.set_write_timeout(Some(PATIENCE)).unwrap();
    stream
}

/// Sends bytes and reads one answer.
pub(super) fn exchange(addr: SocketAddr, request: &[u8]) -> Answer {
    let mut stream = connect(addr);
    stream.write_all(request).unwrap();
    answer(&mut BufReader::new(stream))
}

/// Status and headers of an answer.
pub(super) fn head(stream: &mut impl BufRead) -> (u16, BTreeMap<String, String>) {
    let mut line = String::new();
    stream.read_line(&mut line).unwrap();
    let status = line.split(' ').nth(1).unwrap_or_else(|| panic!("no answer: {line:?}")).parse().unwrap();
    let mut headers = BTreeMap::new();
    loop {
        let mut line = String::new();
        stream.read_line(&mut line).unwrap();
        let Some((name, value)) = line.trim_end().split_once(':') else { break };
        headers.insert(name.to_lowercase(), value.trim().to_owned());
    }
    (status, headers)
}

/// One answer.
pub(super) fn answer(stream: &mut impl BufRead) -> Answer {
    let (status, headers) = head(stream);
    let mut body = Vec::new();
    match headers.get("content-length") {
        Some(length) => {
            body = vec![0; length.parse().unwrap()];
            stream.read_exact(&mut body).unwrap();
        }
        None if headers.get("transfer-encoding").is_some_and(|coding| coding == "chunked") => {
            while let Some(chunk) = chunk(stream) {
                body.extend(chunk.into_bytes());
            }
        }
        None if status == 204 => {}
        None => {
            stream.read_to_end(&mut body).unwrap();
        }
    }
    Answer { status, headers, body: String::from_utf8(body).unwrap() }
}

/// The next chunk of a chunked body; none: it has ended.
pub(super) fn chunk(stream: &mut impl BufRead) -> Option<String> {
    let mut line = String::new();
    stream.read_line(&mut line).unwrap();
    let length = usize::from_str_radix(line.trim_end(), 16).unwrap_or_else(|_| panic!("no chunk: {line:?}"));
    let mut chunk = vec![0; length + 2];
    stream.read_exact(&mut chunk).unwrap();
    chunk.truncate(length);
    (length > 0).then(|| String::from_utf8(chunk).unwrap())
}
