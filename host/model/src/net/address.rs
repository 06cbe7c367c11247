//! What sort of address an address is.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Who is reached at an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// Anybody on the internet.
    Public,
    /// The machine itself.
    Loopback,
    /// A private network.
    Private,
    /// The network of a provider, behind which its customers share addresses.
    Shared,
    /// Whatever is on the same wire.
    LinkLocal,
    /// A service that hands a cloud's machines their keys.
    Metadata,
    /// Nobody yet: kept for documentation, measurements or the future.
    Reserved,
    /// Nobody: unspecified, multicast or broadcast.
    Nobody,
}

/// Where clouds hand out keys of the machine.
const METADATA_V4: [Ipv4Addr; 4] = [
    // Nearly all of them.
    Ipv4Addr::new(169, 254, 169, 254),
    // Containers of AWS.
    Ipv4Addr::new(169, 254, 170, 2),
    // Azure; it is in the midst of public addresses.
    Ipv4Addr::new(168, 63, 129, 16),
    // Alibaba.
    Ipv4Addr::new(100, 100, 100, 200),
];
const METADATA_V6: [Ipv6Addr; 3] = [
    // AWS, for machines and for containers.
    Ipv6Addr::new(0xfd00, 0x0ec2, 0, 0, 0, 0, 0, 0x254),
    Ipv6Addr::new(0xfd00, 0x0ec2, 0, 0, 0, 0, 0, 0x23),
    // Google.
    Ipv6Addr::new(0xfd20, 0x00ce, 0, 0, 0, 0, 0, 0x254),
];

impl Scope {
    /// The scope of an address. An IPv4 address within an IPv6 address (mapped, compatible, NAT64, 6to4) counts as itself.
    pub fn of(address: IpAddr) -> Self {
        match address.to_canonical() {
            IpAddr::V4(address) => of_v4(address),
            IpAddr::V6(address) => of_v6(address),
        }
    }

    /// What it is, in words that follow "which is".
    pub fn words(self) -> &'static str {
        match self {
            Self::Public => "a public address",
            Self::Loopback => "the machine itself",
            Self::Private => "a private address",
            Self::Shared => "an address shared by a provider's customers",
            Self::LinkLocal => "a link-local address",
            Self::Metadata => "an address of a cloud's metadata service",
            Self::Reserved => "a reserved address",
            Self::Nobody => "no address of a host",
        }
    }
}

fn of_v4(address: Ipv4Addr) -> Scope {
    if METADATA_V4.contains(&address) {
        return Scope::Metadata;
    }
    match address.octets() {
        [0, ..] | [224..=239, ..] | [255, 255, 255, 255] => Scope::Nobody,
        [127, ..] => Scope::Loopback,
        [10, ..] | [192, 168, ..] | [172, 16..=31, ..] => Scope::Private,
        [100, 64..=127, ..] => Scope::Shared,
        [169, 254, ..] => Scope::LinkLocal,
        // Protocols, documentation, relays of 6to4, measurements, the future.
        [192, 0, 0 | 2, _] | [198, 51, 100, _] | [203, 0, 113, _] => Scope::Reserved,
        [192, 88, 99, _] | [198, 18 | 19, ..] | [240..=255, ..] => Scope::Reserved,
        _ => Scope::Public,
    }
}

fn of_v6(address: Ipv6Addr) -> Scope {
    if METADATA_V6.contains(&address) {
        return Scope::Metadata;
    }
    if let Some(within) = within(address) {
        return of_v4(within);
    }
    match address.segments() {
        [0, 0, 0, 0, 0, 0, 0, 0] | [0xff00..=0xffff, ..] => Scope::Nobody,
        [0, 0, 0, 0, 0, 0, 0, 1] => Scope::Loopback,
        [0xfc00..=0xfdff, ..] | [0xfec0..=0xfeff, ..] => Scope::Private,
        [0xfe80..=0xfebf, ..] => Scope::LinkLocal,
        // Protocols (Teredo with them) and documentation, in the midst of public addresses.
        [0x2001, 0..=0x01ff, ..] | [0x2001, 0x0db8, ..] | [0x3fff, 0..=0x0fff, ..] => Scope::Reserved,
        [0x2000..=0x3fff, ..] => Scope::Public,
        _ => Scope::Reserved,
    }
}

/// The IPv4 address that packets to this address go to.
pub(super) fn within(address: Ipv6Addr) -> Option<Ipv4Addr> {
    let v4 = |high: u16, low: u16| {
        let ([a, b], [c, d]) = (high.to_be_bytes(), low.to_be_bytes());
        Ipv4Addr::new(a, b, c, d)
    };
    match address.segments() {
        [0, 0, 0, 0, 0, 0, 0, 0 | 1] => None,
        // Compatible, translated, and NAT64.
        [0, 0, 0, 0, 0, 0, high, low] => Some(v4(high, low)),
        [0, 0, 0, 0, 0xffff, 0, high, low] => Some(v4(high, low)),
        [0x64, 0xff9b, 0, 0, 0, 0, high, low] => Some(v4(high, low)),
        // 6to4.
        [0x2002, high, low, ..] => Some(v4(high, low)),
        _ => None,
    }
}
