//! What of the network a stage may be granted: servers by name or address, and which addresses the names may stand for.
//! Nothing here looks up a name or opens a connection.

pub mod address;
pub mod host;
mod http;
mod range;
mod tcp;

pub use address::Scope;
pub use host::{Host, HostPattern};
pub use http::{HttpGrant, Scheme};
pub use range::Network;
pub use tcp::TcpGrant;

use std::net::IpAddr;

/// Why a host that was granted may not be reached at an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Closed {
    /// The address.
    pub address: IpAddr,
    /// What sort of address it is.
    pub scope: Scope,
}

/// Whether a granted host may be reached at an address: at any public one; at another one only where a grant names it. An
/// address in a grant names itself, `localhost` names the loopback addresses, and `networks` are those of
/// `grants.networks`. A metadata address has to be named by itself, not by a range about it; an address of nobody (0.0.0.0,
/// multicast, broadcast) is never reached.
///
/// # Errors
/// It may not.
pub fn may_reach(host: &Host, address: IpAddr, networks: &[Network]) -> Result<(), Closed> {
    let address = address.to_canonical();
    let scope = Scope::of(address);
    let open = match scope {
        Scope::Public => true,
        Scope::Nobody => false,
        _ if *host == Host::Address(address) => true,
        Scope::Loopback if host.is_localhost() => true,
        Scope::Metadata => networks.iter().any(|network| network.is_one() && network.names(address)),
        _ => networks.iter().any(|network| network.names(address)),
    };
    if open { Ok(()) } else { Err(Closed { address, scope }) }
}

/// The host and the port of `host`, `host:port`, `[address]` or `[address]:port`.
///
/// # Errors
/// What to write instead.
pub fn host_and_port(text: &str) -> Result<(&str, Option<u16>), String> {
    let (host, port) = match text.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((address, rest)) => {
            let host = text.get(..address.len() + 2).unwrap_or_default();
            match rest.strip_prefix(':') {
                Some(port) => (host, Some(port)),
                None if rest.is_empty() => (host, None),
                None => {
                    return Err("behind the address in brackets stands a port, e.g. \"[2001:db8::1]:443\"".to_owned());
                }
            }
        }
        None if text.matches(':').count() > 1 => {
            return Err("an IPv6 address stands in brackets, e.g. \"[2001:db8::1]:443\"".to_owned());
        }
        None => text.split_once(':').map_or((text, None), |(host, port)| (host, Some(port))),
    };
    Ok((host, port.map(port_of).transpose()?))
}

fn port_of(text: &str) -> Result<u16, String> {
    let digits = !text.is_empty() && text.len() <= 5 && text.bytes().all(|byte| byte.is_ascii_digit());
    let port = if digits { text.parse().ok().filter(|port| *port > 0) } else { None };
    port.ok_or_else(|| "a port is a number from 1 to 65535".to_owned())
}

#[cfg(test)]
mod tests;
