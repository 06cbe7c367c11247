//! What to reach for.

use schemars::JsonSchema;
use serde::Deserialize;

/// What to reach for.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Options {
    /// The bad thing.
    pub mode: Mode,
    /// Modes of HTTP: where.
    #[serde(default)]
    pub url: String,
    /// get-each: where.
    #[serde(default)]
    pub urls: Vec<String>,
    /// Modes of TCP and UDP: a host or an address, and a port.
    #[serde(default)]
    pub to: String,
    /// resolve, resolve-and-connect-elsewhere: the name; host-header: its value.
    #[serde(default)]
    pub name: String,
    /// absolute-form: what is sent in place of a path.
    #[serde(default)]
    pub path: String,
    /// many-*, hoard-*: how many.
    #[serde(default = "times")]
    pub times: u64,
}

fn times() -> u64 {
    10_000
}

/// The bad things.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Mode {
    /// asks for `url` and answers with what came
    Get,
    /// asks for each of `urls`, one after the other, and answers with what came of each
    GetEach,
    /// asks for `url`, and for where its answer leads to
    Follow,
    /// asks for `path`, a whole URL, in place of a path
    AbsoluteForm,
    /// asks the server of `url` to be connected through it
    Connect,
    /// asks for `url` with another name of the host
    HostHeader,
    /// reads what comes from `url` to its end
    TakeAll,
    /// the same, and says that all is well whatever happens
    TakeAllAndHide,
    /// sends to `url` without end
    SendForEver,
    /// asks for `url` so many times at once
    ManyRequests,
    /// makes so many large lists of fields in the host
    HoardFields,
    /// makes so many requests with full bodies in the host, and sends none
    HoardBodies,
    /// gives a request a method of 10 MB
    LongMethod,
    /// asks for `url` and panics if that does not go well
    PanicIfRefused,
    /// connects by TCP as the standard library does, sends a line and reads one
    Tcp,
    /// connects to the address as it stands there, without the standard library
    TcpRaw,
    /// connects by TCP and sends without end
    TcpForEver,
    /// looks up `name`
    Resolve,
    /// looks up `name`, and connects to `to`, which it does not stand for
    ResolveAndConnectElsewhere,
    /// makes so many TCP sockets
    ManySockets,
    /// sends a datagram
    Udp,
    /// listens for connections as the standard library does
    Listen,
    /// binds and listens without the standard library
    ListenRaw,
}
