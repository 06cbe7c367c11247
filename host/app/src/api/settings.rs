//! How the API is served, and where it may listen.

use super::certificate::Certificate;
use super::token::Token;
use crate::trouble::Trouble;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

/// How the API is served.
#[derive(Clone)]
pub struct ApiSettings {
    /// What a request that changes something has to show.
    pub token: Token,
    /// With it, only TLS is spoken; see [`Certificate`].
    pub tls: Option<Arc<Certificate>>,
    /// Names, beside those of this machine, under which the API may be addressed: `etl.example.com`.
    pub hosts: Vec<String>,
    /// How much and how long.
    pub limits: ApiLimits,
}

/// How much the API takes, and how long it waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ApiLimits {
    /// Until the head of a request is there, from the moment in which the connection could take one.
    pub head: Duration,
    /// Until the body of a request is there.
    pub body: Duration,
    /// Until the client takes more of an answer.
    pub write: Duration,
    /// Until the answer begins.
    pub request: Duration,
    /// Between comments on an event stream on which nothing happens.
    pub keep_alive: Duration,
    /// For requests under way when the host ends.
    pub grace: Duration,
    /// Bytes of a body.
    pub body_bytes: usize,
    /// Connections.
    pub connections: usize,
    /// Event streams among them.
    pub streams: usize,
}

impl Default for ApiLimits {
    fn default() -> Self {
        let seconds = Duration::from_secs;
        Self {
            head: seconds(10),
            body: seconds(10),
            write: seconds(30),
            request: seconds(30),
            keep_alive: seconds(15),
            grace: seconds(5),
            body_bytes: 64 * 1024,
            connections: 2_048,
            streams: 1_024,
        }
    }
}

/// Whether the API may listen at an address: at one of this machine always, at another with TLS or if it was allowed to by
/// name (`--insecure`).
///
/// # Errors
/// It may not: whoever listens on the way could read the token.
pub fn may_bind(addr: SocketAddr, tls: bool, insecure: bool) -> Result<(), Trouble> {
    if addr.ip().to_canonical().is_loopback() || tls || insecure {
        return Ok(());
    }
    Err(Trouble::new(format!("{addr} can be reached from other machines, and without TLS anybody on the way reads the token")).help(
        "name a certificate (`--tls-cert FILE --tls-key FILE`), or listen at 127.0.0.1, or say `--insecure` if something \
         else protects the way",
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::{Ipv4Addr, Ipv6Addr};

    #[test]
    fn only_this_machine_without_tls() {
        let v4 = |ip: Ipv4Addr| SocketAddr::from((ip, 8080));
        let v6 = |ip: Ipv6Addr| SocketAddr::from((ip, 8080));
        for addr in [v4(Ipv4Addr::LOCALHOST), v4([127, 9, 9, 9].into()), v6(Ipv6Addr::LOCALHOST)] {
            assert_eq!(may_bind(addr, false, false), Ok(()));
        }
        assert_eq!(may_bind(v6(Ipv4Addr::LOCALHOST.to_ipv6_mapped()), false, false), Ok(()));
        for addr in [
            v4(Ipv4Addr::UNSPECIFIED),
            v4([192, 168, 1, 5].into()),
            v6(Ipv6Addr::UNSPECIFIED),
            v6(Ipv4Addr::UNSPECIFIED.to_ipv6_mapped()),
        ] {
            let refused = may_bind(addr, false, false);
            assert!(refused.is_err_and(|trouble| trouble.help.is_some_and(|help| help.contains("--tls-cert"))));
            assert_eq!(may_bind(addr, true, false), Ok(()));
            assert_eq!(may_bind(addr, false, true), Ok(()));
        }
    }
}
