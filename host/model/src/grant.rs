//! What the pipeline's author gives a stage. The default is nothing.

use crate::net::{Closed, Host, HttpGrant, Network, Scheme, TcpGrant, may_reach};
use serde::{Deserialize, Serialize};
use std::net::IpAddr;

/// The grants of one stage. Folders are relative to the pipeline file's folder unless absolute; the guest sees each
/// under the very path that is written here.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct Grants {
    /// Folders to read.
    pub read: Vec<String>,
    /// Folders to read and write; made if missing.
    pub write: Vec<String>,
    /// Names of environment variables.
    pub env: Vec<String>,
    /// Servers to make HTTP requests to.
    pub http: Vec<HttpGrant>,
    /// Hosts and ports to connect to by TCP.
    pub tcp: Vec<TcpGrant>,
    /// The addresses that are not public which names in `http` and `tcp` may stand for.
    pub networks: Vec<Network>,
    /// The real clock. Without it, the stage's clock stands at the end of the run's interval.
    pub clock: bool,
    /// Real randomness. Without it, the stage's randomness comes from the run's data interval, the pipeline and
    /// the stage.
    pub random: bool,
}

impl Grants {
    /// Whether anything of the network is granted.
    pub fn has_network(&self) -> bool {
        !self.http.is_empty() || !self.tcp.is_empty()
    }

    /// Whether requests to the server are granted.
    pub fn grants_http(&self, scheme: Scheme, host: &Host, port: u16) -> bool {
        self.http.iter().any(|grant| grant.fits(scheme, host, port))
    }

    /// The ports at which connections to the host are granted.
    pub fn tcp_ports(&self, host: &Host) -> impl Iterator<Item = u16> {
        self.tcp.iter().filter(|grant| grant.hosts.fits(host)).map(|grant| grant.port)
    }

    /// Whether a host that is granted may be reached at an address that it stands for.
    ///
    /// # Errors
    /// It may not: the address is not public, and nothing names it.
    pub fn may_reach(&self, host: &Host, address: IpAddr) -> Result<(), Closed> {
        may_reach(host, address, &self.networks)
    }
}
