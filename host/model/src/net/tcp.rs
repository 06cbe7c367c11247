//! `grants.tcp`: hosts and ports to connect to.

use super::host::{Host, HostPattern};
use super::host_and_port;
use serde::{Deserialize, Serialize};
use std::fmt;

/// A host, or the hosts below a name, at one port: `db.internal:5432`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct TcpGrant {
    /// The hosts.
    pub hosts: HostPattern,
    /// The port.
    pub port: u16,
}

impl TcpGrant {
    /// Reads a host or a pattern of hosts, and a port.
    ///
    /// # Errors
    /// What to write instead.
    pub fn parse(text: &str) -> Result<Self, String> {
        const EXAMPLE: &str = "write a host and a port, e.g. \"db.internal:5432\"";
        if text.contains("://") || text.contains(['/', '@']) {
            return Err(format!("{EXAMPLE}, and nothing else"));
        }
        let (hosts, port) = host_and_port(text)?;
        let hosts = HostPattern::parse(hosts)?;
        let port = port.ok_or_else(|| format!("write the port, too, e.g. \"{hosts}:5432\""))?;
        Ok(Self { hosts, port })
    }

    /// Whether the host is one of them.
    pub fn fits(&self, host: &Host, port: u16) -> bool {
        self.port == port && self.hosts.fits(host)
    }
}

impl fmt::Display for TcpGrant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.hosts, self.port)
    }
}

impl From<TcpGrant> for String {
    fn from(grant: TcpGrant) -> Self {
        grant.to_string()
    }
}

impl TryFrom<String> for TcpGrant {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        Self::parse(&text)
    }
}
