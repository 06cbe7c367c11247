//! `grants.http`: servers to make requests to.

use super::host::{Host, HostPattern};
use super::host_and_port;
use serde::{Deserialize, Serialize};
use std::fmt;

/// How a server is talked to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Scheme {
    /// In the open.
    Http,
    /// By TLS.
    Https,
}

impl Scheme {
    /// The scheme of that name, in whatever case.
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Http, Self::Https].into_iter().find(|scheme| text.eq_ignore_ascii_case(scheme.word()))
    }

    /// Its name.
    pub fn word(self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::Https => "https",
        }
    }

    /// The port where none is written.
    pub fn port(self) -> u16 {
        match self {
            Self::Http => 80,
            Self::Https => 443,
        }
    }

    /// A server as it is written: without the port where it is the scheme's own.
    pub fn server(self, host: &impl fmt::Display, port: u16) -> String {
        let scheme = self.word();
        if port == self.port() { format!("{scheme}://{host}") } else { format!("{scheme}://{host}:{port}") }
    }
}

/// A server, or the servers below a name, at one port: `https://api.example.com`, `https://*.example.com:8443`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct HttpGrant {
    /// The scheme of requests.
    pub scheme: Scheme,
    /// The hosts.
    pub hosts: HostPattern,
    /// The port.
    pub port: u16,
}

impl HttpGrant {
    /// Reads a scheme, a host or a pattern of hosts, and perhaps a port.
    ///
    /// # Errors
    /// What to write instead.
    pub fn parse(text: &str) -> Result<Self, String> {
        const EXAMPLE: &str = "write e.g. \"https://api.example.com\" or \"https://*.example.com:8443\"";
        let Some((scheme, rest)) = text.split_once("://") else {
            return Err(match Self::parse(&format!("https://{text}")) {
                Ok(meant) => format!("write the scheme, too: \"{meant}\""),
                Err(_) => EXAMPLE.to_owned(),
            });
        };
        let scheme = Scheme::parse(scheme).ok_or_else(|| format!("the schemes are http and https; {EXAMPLE}"))?;
        let (server, page) = rest.find(['/', '?', '#']).map_or((rest, ""), |at| rest.split_at(at));
        if server.contains('@') {
            return Err("leave out the user and the password: a grant names a server only".to_owned());
        }
        let (hosts, port) = host_and_port(server)?;
        let grant = Self { scheme, hosts: HostPattern::parse(hosts)?, port: port.unwrap_or(scheme.port()) };
        match page {
            "" | "/" => Ok(grant),
            _ => Err(format!("a grant names a server, not a page of it: write \"{grant}\"")),
        }
    }

    /// Whether the server is one of them.
    pub fn fits(&self, scheme: Scheme, host: &Host, port: u16) -> bool {
        self.scheme == scheme && self.port == port && self.hosts.fits(host)
    }
}

impl fmt::Display for HttpGrant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.scheme.server(&self.hosts, self.port))
    }
}

impl From<HttpGrant> for String {
    fn from(grant: HttpGrant) -> Self {
        grant.to_string()
    }
}

impl TryFrom<String> for HttpGrant {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        Self::parse(&text)
    }
}
