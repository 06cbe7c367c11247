//! From names to addresses.

use std::fs::File;
use std::io::{self, Read};
use std::net::{IpAddr, ToSocketAddrs};
use std::path::{Path, PathBuf};

/// Addresses that are looked at of an answer.
pub(super) const ADDRESSES_MAX: usize = 64;
/// A file of hosts that is larger is none.
pub(super) const HOSTS_BYTES_MAX: u64 = 4 * 1024 * 1024;

/// Who knows the addresses of names.
pub(crate) trait Resolve: Send + Sync {
    /// The addresses of a name, at least one. Blocks the thread.
    ///
    /// # Errors
    /// Nobody knows it, or nobody answers.
    fn addresses(&self, name: &str) -> io::Result<Vec<IpAddr>>;
}

/// The file of hosts if there is one, and then the machine's own resolver.
pub(super) struct System {
    pub(super) hosts: Option<PathBuf>,
}

impl Resolve for System {
    fn addresses(&self, name: &str) -> io::Result<Vec<IpAddr>> {
        let mut addresses = match &self.hosts {
            Some(hosts) => of_hosts(&read(hosts)?, name),
            None => Vec::new(),
        };
        if addresses.is_empty() {
            addresses = (name, 0).to_socket_addrs()?.map(|address| address.ip().to_canonical()).collect();
        }
        addresses.dedup();
        addresses.truncate(ADDRESSES_MAX);
        if addresses.is_empty() {
            return Err(io::Error::new(io::ErrorKind::NotFound, "the name has no address"));
        }
        Ok(addresses)
    }
}

/// Read anew for each lookup, so that a change of it takes effect as with `/etc/hosts`.
fn read(hosts: &Path) -> io::Result<String> {
    let told =
        |error: io::Error| io::Error::other(format!("the hosts file {} cannot be read: {error}", hosts.display()));
    let mut text = String::new();
    File::open(hosts).map_err(told)?.take(HOSTS_BYTES_MAX).read_to_string(&mut text).map_err(told)?;
    Ok(text)
}

/// The addresses that a file of hosts has for a name: lines of an address and names, `#` before what does not count.
fn of_hosts(text: &str, name: &str) -> Vec<IpAddr> {
    let mut addresses = Vec::new();
    for line in text.lines() {
        let line = line.split('#').next().unwrap_or_default();
        let mut words = line.split_whitespace();
        let Some(address) = words.next().and_then(|word| word.parse::<IpAddr>().ok()) else { continue };
        let same = |word: &str| word.strip_suffix('.').unwrap_or(word).eq_ignore_ascii_case(name);
        if words.any(same) {
            addresses.push(address.to_canonical());
        }
    }
    addresses
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hosts_file_is_read_line_by_line() {
        let text =
            "# ours\n127.0.0.1 a.example b.example # b\n::1\ta.example.\nnonsense a.example\n\n10.0.0.1 A.EXAMPLE\n";
        let of = |name| of_hosts(text, name).iter().map(ToString::to_string).collect::<Vec<_>>();
        assert_eq!(of("a.example"), ["127.0.0.1", "::1", "10.0.0.1"]);
        assert_eq!(of("b.example"), ["127.0.0.1"]);
        assert_eq!(of("b"), Vec::<String>::new());
        assert_eq!(of("#"), Vec::<String>::new());
    }
}
