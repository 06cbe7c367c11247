//! Looking up a granted host: its addresses as far as they may be reached.

use super::live::{Live, Permit};
use super::refused::Refusal;
use sluicebox_model::net::Host;
use std::net::IpAddr;
use std::sync::Arc;

/// Why there is no address to connect to.
#[derive(Debug)]
pub(super) enum NoAddress {
    /// The name is not known, or nobody answers.
    Unknown,
    /// None of its addresses may be reached.
    Refused,
}

/// The addresses of a host that may be reached. The permit is given back with them: it counts as open as long as the
/// lookup takes, which cannot be stopped from outside.
pub(super) async fn addresses(
    live: &Arc<Live>,
    host: &Host,
    permit: Permit,
) -> Result<(Vec<IpAddr>, Permit), NoAddress> {
    let (found, permit) = match host {
        Host::Address(address) => (vec![*address], permit),
        Host::Name(name) => {
            let (resolver, name) = (Arc::clone(&live.access.resolver), name.clone());
            let looked = tokio::task::spawn_blocking(move || (resolver.addresses(&name), permit)).await;
            match looked {
                Ok((Ok(found), permit)) => (found, permit),
                Ok((Err(error), _)) => {
                    live.tell(&format!("the name {host} could not be looked up: {error}"));
                    return Err(NoAddress::Unknown);
                }
                Err(_) => return Err(NoAddress::Unknown),
            }
        }
    };
    let mut open = Vec::new();
    for address in found {
        match live.access.grants.may_reach(host, address) {
            Ok(()) => open.push(address.to_canonical()),
            Err(closed) => live.refuse(Refusal::Closed { host: host.clone(), closed }),
        }
    }
    if open.is_empty() { Err(NoAddress::Refused) } else { Ok((open, permit)) }
}
