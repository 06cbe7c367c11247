//! `grants.networks`: ranges of addresses.

use super::address;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::net::IpAddr;

/// A range of addresses that granted names may stand for, e.g. `10.0.0.0/8` or `127.0.0.1`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Network {
    first: IpAddr,
    /// How many of its bits are those of every address of the range.
    prefix: u8,
}

impl Network {
    /// Reads an address, or an address and the length of its prefix.
    ///
    /// # Errors
    /// What to write instead.
    pub fn parse(text: &str) -> Result<Self, String> {
        const EXAMPLE: &str = "write an address or a range, e.g. \"127.0.0.1\", \"10.0.0.0/8\" or \"fd00::/8\"";
        let (address, prefix) = text.split_once('/').map_or((text, None), |(address, prefix)| (address, Some(prefix)));
        let bare = address.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(address);
        let Ok(mut first) = bare.parse::<IpAddr>() else { return Err(EXAMPLE.to_owned()) };
        let prefix = match prefix {
            None => {
                first = first.to_canonical();
                bits(first)
            }
            Some(prefix) => {
                let digits = prefix.len() <= 3 && prefix.bytes().all(|byte| byte.is_ascii_digit());
                let prefix = prefix.parse().ok().filter(|prefix| digits && *prefix <= bits(first));
                prefix.ok_or_else(|| format!("behind the `/` stands a number from 0 to {}", bits(first)))?
            }
        };
        let network = Self { first, prefix };
        let begins = network.begin();
        if begins != first {
            return Err(format!("the range of that address begins at {begins}: write \"{begins}/{prefix}\""));
        }
        if network.is_one() && address::Scope::of(first) == address::Scope::Nobody {
            return Err("no host is at that address".to_owned());
        }
        Ok(network)
    }

    /// Whether it is a single address.
    pub fn is_one(&self) -> bool {
        self.prefix == bits(self.first)
    }

    /// Whether it is every address there is.
    pub fn is_all(&self) -> bool {
        self.prefix == 0
    }

    /// Whether all of it is public, where it grants nothing.
    pub fn is_public(&self) -> bool {
        let public = |address| address::Scope::of(address) == address::Scope::Public;
        // No range of other addresses is smaller than these; between them, the ends tell.
        let small = self.prefix >= if self.first.is_ipv4() { 24 } else { 48 };
        small && public(self.first) && public(self.last())
    }

    /// Whether the address is of the range, by itself or as the IPv4 address that it stands for.
    pub fn names(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        let within = match address {
            IpAddr::V4(_) => None,
            IpAddr::V6(address) => address::within(address).map(IpAddr::V4),
        };
        self.contains(address) || within.is_some_and(|within| self.contains(within))
    }

    fn contains(&self, address: IpAddr) -> bool {
        address.is_ipv4() == self.first.is_ipv4() && Self { first: address, prefix: self.prefix }.begin() == self.first
    }

    fn begin(&self) -> IpAddr {
        match self.first {
            IpAddr::V4(first) => IpAddr::V4((u32::from(first) & !self.mask_v4()).into()),
            IpAddr::V6(first) => IpAddr::V6((u128::from(first) & !self.mask_v6()).into()),
        }
    }

    fn last(&self) -> IpAddr {
        match self.first {
            IpAddr::V4(first) => IpAddr::V4((u32::from(first) | self.mask_v4()).into()),
            IpAddr::V6(first) => IpAddr::V6((u128::from(first) | self.mask_v6()).into()),
        }
    }

    /// The bits that differ within the range.
    fn mask_v4(&self) -> u32 {
        u32::MAX.checked_shr(self.prefix.into()).unwrap_or(0)
    }

    fn mask_v6(&self) -> u128 {
        u128::MAX.checked_shr(self.prefix.into()).unwrap_or(0)
    }
}

fn bits(address: IpAddr) -> u8 {
    if address.is_ipv4() { 32 } else { 128 }
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_one() { self.first.fmt(f) } else { write!(f, "{}/{}", self.first, self.prefix) }
    }
}

impl From<Network> for String {
    fn from(network: Network) -> Self {
        network.to_string()
    }
}

impl TryFrom<String> for Network {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        Self::parse(&text)
    }
}
