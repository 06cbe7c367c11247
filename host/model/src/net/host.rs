//! Hosts, and patterns of hosts.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Most characters of a name in the DNS.
pub(crate) const NAME_MAX: usize = 253;
/// Most characters of a part of it.
pub(crate) const LABEL_MAX: usize = 63;

/// A host as a grant or a request names it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Host {
    /// A name, in lower case and without the dot at its end.
    Name(String),
    /// An address; an IPv4 address in the form of IPv6 (`::ffff:10.0.0.1`) is told as what it is.
    Address(IpAddr),
}

/// The hosts of a grant.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum HostPattern {
    /// This one.
    Host(Host),
    /// All names below this one, never the name itself: `*.example.com`.
    Below(String),
}

impl Host {
    /// Reads a name, an IPv4 address, or an IPv6 address in brackets.
    ///
    /// # Errors
    /// What to write instead.
    pub fn parse(text: &str) -> Result<Self, String> {
        if let Some(inner) = text.strip_prefix('[') {
            let address = inner.strip_suffix(']').and_then(|inner| inner.parse::<Ipv6Addr>().ok());
            let address = address.ok_or("in brackets stands an IPv6 address, e.g. \"[2001:db8::1]\"")?;
            return Ok(Self::Address(IpAddr::V6(address).to_canonical()));
        }
        if let Ok(address) = text.parse::<Ipv4Addr>() {
            return Ok(Self::Address(IpAddr::V4(address)));
        }
        name(text).map(Self::Name)
    }

    /// Whether it stands for this machine by its name.
    pub fn is_localhost(&self) -> bool {
        matches!(self, Self::Name(name) if name == "localhost" || name.ends_with(".localhost"))
    }
}

impl fmt::Display for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name(name) => f.write_str(name),
            Self::Address(IpAddr::V4(address)) => write!(f, "{address}"),
            Self::Address(IpAddr::V6(address)) => write!(f, "[{address}]"),
        }
    }
}

impl HostPattern {
    /// Reads a host, or `*.` and a name.
    ///
    /// # Errors
    /// What to write instead.
    pub fn parse(text: &str) -> Result<Self, String> {
        const STAR: &str = "a `*` stands for the first part of a name, e.g. \"*.example.com\"";
        match text.strip_prefix("*.") {
            Some(rest) if rest.contains('*') => Err(STAR.to_owned()),
            Some(rest) => match Host::parse(rest)? {
                Host::Name(name) => Ok(Self::Below(name)),
                Host::Address(_) => Err("an address has no parts that a `*` could stand for".to_owned()),
            },
            None if text.contains('*') => Err(STAR.to_owned()),
            None => Host::parse(text).map(Self::Host),
        }
    }

    /// Whether the host is one of them.
    pub fn fits(&self, host: &Host) -> bool {
        match (self, host) {
            (Self::Host(one), host) => one == host,
            (Self::Below(parent), Host::Name(name)) => {
                name.strip_suffix(parent.as_str()).is_some_and(|rest| rest.len() > 1 && rest.ends_with('.'))
            }
            (Self::Below(_), Host::Address(_)) => false,
        }
    }
}

impl fmt::Display for HostPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Host(host) => host.fmt(f),
            Self::Below(name) => write!(f, "*.{name}"),
        }
    }
}

/// A name in the form in which names are compared.
fn name(text: &str) -> Result<String, String> {
    let name = text.strip_suffix('.').unwrap_or(text).to_ascii_lowercase();
    if name.is_empty() {
        return Err("the name of a host is missing".to_owned());
    }
    if !name.is_ascii() {
        return Err(
            "write the name in its ASCII form (`xn--...`): names of other letters have several forms".to_owned()
        );
    }
    if name.len() > NAME_MAX {
        return Err(format!("the name of a host has at most {NAME_MAX} characters"));
    }
    let fits = |label: &str| {
        let inside = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
        (1..=LABEL_MAX).contains(&label.len())
            && label.bytes().all(inside)
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    if !name.split('.').all(fits) {
        return Err("the name of a host is letters, digits, `-` and `_` in parts joined by dots".to_owned());
    }
    // What looks like an address in an odd form (127.1, 0x7f000001) is taken for one by some resolvers.
    let last = name.rsplit('.').next().unwrap_or_default();
    let hex = last.strip_prefix("0x").is_some_and(|rest| rest.bytes().all(|byte| byte.is_ascii_hexdigit()));
    if hex || last.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(
            "an IPv4 address is four numbers, e.g. \"192.0.2.1\", and a name does not end in a number".to_owned()
        );
    }
    Ok(name)
}
