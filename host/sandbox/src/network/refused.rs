//! What a stage was refused, in words.

use super::Access;
use crate::console::escape;
use sluicebox_model::net::{Closed, Host, Scheme};
use std::collections::BTreeSet;
use std::net::{IpAddr, SocketAddr};

/// Different refusals of an instance that are told.
pub(super) const TOLD_MAX: usize = 20;
/// Bytes that are shown of what a guest made up.
pub(super) const SHOWN_MAX: usize = 100;

/// Something that a stage was refused.
#[derive(Debug)]
pub(super) enum Refusal {
    /// A server that is not granted.
    Server { scheme: Scheme, host: Host, port: u16 },
    /// A request that names no server as it should.
    Request { what: &'static str, text: String },
    /// A name that is not granted.
    Name { host: Host },
    /// A TCP socket, where no connection is granted.
    Socket,
    /// An address and port that nothing granted stands for.
    Address { address: SocketAddr },
    /// A granted name stands for an address that nothing names.
    Closed { host: Host, closed: Closed },
    /// Something that no stage is granted.
    Never { what: &'static str },
    /// Something in a granted folder that is no file.
    NoFile { path: String, what: &'static str },
    /// The certificate of a server, or how it was presented.
    Tls { server: String, reason: String },
    /// Too many connections at once.
    Connections { max: u32 },
    /// Too many connections in all.
    ConnectionsTotal { max: u32 },
}

impl Refusal {
    /// What was refused, and what to do about it.
    fn words(&self, access: &Access) -> (String, Option<String>) {
        match self {
            Self::Server { scheme, host, port } => {
                let server = scheme.server(host, *port);
                (format!("{server}, which is not granted"), Some(add(access, "http", &server)))
            }
            Self::Request { what, text } => (format!("a request {what}: \"{}\"", escape(text, SHOWN_MAX)), None),
            Self::Name { host } => {
                (format!("the name {host}, which is not granted"), Some(add(access, "tcp", &format!("{host}:PORT"))))
            }
            Self::Socket => {
                ("a TCP socket, since no connection is granted".to_owned(), Some(add(access, "tcp", "HOST:PORT")))
            }
            Self::Address { address } => {
                let which = match address.ip() {
                    IpAddr::V4(_) => address.to_string(),
                    IpAddr::V6(ip) => format!("[{ip}]:{}", address.port()),
                };
                (
                    format!("a connection to {which}, which is neither granted nor what a granted name stands for"),
                    Some(add(access, "tcp", &which)),
                )
            }
            Self::Closed { host, closed } => {
                let what = match host {
                    Host::Address(_) => format!("{host}, which is {}", closed.scope.words()),
                    Host::Name(_) => {
                        format!("{host}, since it stands for {}, which is {}", closed.address, closed.scope.words())
                    }
                };
                let help = match closed.scope {
                    sluicebox_model::net::Scope::Nobody => None,
                    _ => Some(add(access, "networks", &closed.address.to_string())),
                };
                (what, help)
            }
            Self::Never { what } => (format!("{what}, which no stage is granted"), None),
            Self::NoFile { path, what } => (
                format!("`{}`, which is {what}: it can open files and folders", escape(path, SHOWN_MAX)),
                Some("put its data into a file, or take it out of the folder".to_owned()),
            ),
            Self::Tls { server, reason } => {
                let help = "if its certificate is of an authority of your own, name that as PEM: `[network]` with \
                            `ca = \"ca.pem\"` in sluicebox.toml";
                (format!("{server}: {}", escape(reason, 4 * SHOWN_MAX)), Some(help.to_owned()))
            }
            Self::Connections { max } => (
                format!("another connection: {max} at once are its limit"),
                Some(format!("raise `limits.connections`, now {max}")),
            ),
            Self::ConnectionsTotal { max } => (
                format!("another connection: {max} in all are its limit"),
                Some(format!("raise `limits.connections-total`, now {max}")),
            ),
        }
    }
}

/// The line that would grant it.
fn add(access: &Access, key: &str, value: &str) -> String {
    let has = match key {
        "http" => !access.grants.http.is_empty(),
        "tcp" => !access.grants.tcp.is_empty(),
        _ => !access.grants.networks.is_empty(),
    };
    let stage = &access.stage;
    if has {
        format!("add \"{value}\" to `grants.{key}` of stage `{stage}`")
    } else {
        format!("add `grants.{key} = [\"{value}\"]` to stage `{stage}`")
    }
}

/// What an instance was refused so far.
#[derive(Debug, Default)]
pub(super) struct Refusals {
    call: &'static str,
    /// The last one of the call under way.
    last: Option<String>,
    told: BTreeSet<String>,
}

impl Refusals {
    pub(super) fn start_call(&mut self, call: &'static str) {
        self.call = call;
        self.last = None;
    }

    /// Notes it; answers with a line for the log, unless enough was told.
    pub(super) fn note(&mut self, access: &Access, refusal: Refusal) -> Option<String> {
        let (what, help) = refusal.words(access);
        let help = help.map(|help| format!("; {help}")).unwrap_or_default();
        let said = format!("the stage was refused {what}{help}");
        self.last = Some(said.clone());
        if self.told.len() >= TOLD_MAX || !self.told.insert(said) {
            return None;
        }
        let more = if self.told.len() == TOLD_MAX { " (more is not told)" } else { "" };
        Some(format!("`{}` was refused {what}{help}{more}", self.call))
    }

    /// Notes something else that went wrong; answers whether it is to be told.
    pub(super) fn tell(&mut self, line: &str) -> bool {
        self.last = Some(line.to_owned());
        self.told.len() < TOLD_MAX && self.told.insert(line.to_owned())
    }

    /// What was refused last in the call under way.
    pub(super) fn help(&self) -> Option<String> {
        self.last.clone()
    }
}
