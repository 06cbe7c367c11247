//! What grants of the network name, and what they do not.
#![allow(clippy::unwrap_used, clippy::panic)]

use super::*;
use crate::grant::Grants;

fn http(text: &str) -> HttpGrant {
    HttpGrant::parse(text).unwrap_or_else(|help| panic!("{text}: {help}"))
}

fn host(text: &str) -> Host {
    Host::parse(text).unwrap()
}

fn scope(text: &str) -> Scope {
    Scope::of(text.parse().unwrap())
}

#[test]
fn servers_are_read_and_written_alike() {
    for (text, written) in [
        ("https://api.example.com", "https://api.example.com"),
        ("HTTPS://API.Example.COM.", "https://api.example.com"),
        ("https://api.example.com:443/", "https://api.example.com"),
        ("http://api.example.com:80", "http://api.example.com"),
        ("http://api.example.com:443", "http://api.example.com:443"),
        ("https://*.example.com:8443", "https://*.example.com:8443"),
        ("http://my_service:8080", "http://my_service:8080"),
        ("http://192.0.2.1:8080", "http://192.0.2.1:8080"),
        ("http://[2001:DB8::1]", "http://[2001:db8::1]"),
        ("http://[::ffff:10.0.0.1]:81", "http://10.0.0.1:81"),
        ("https://xn--bcher-kva.example", "https://xn--bcher-kva.example"),
    ] {
        assert_eq!(http(text).to_string(), written);
        assert_eq!(http(written), http(text));
    }
}

#[test]
fn what_is_no_server_says_what_to_write() {
    for (text, told) in [
        ("", "write e.g. \"https://api.example.com\""),
        ("api.example.com", "write the scheme, too: \"https://api.example.com\""),
        ("api.example.com:8443", "write the scheme, too: \"https://api.example.com:8443\""),
        ("ftp://example.com", "the schemes are http and https"),
        ("https://", "the name of a host is missing"),
        ("https://example.com/v1?x=1", "write \"https://example.com\""),
        ("https://user:secret@example.com", "leave out the user and the password"),
        ("https://*", "a `*` stands for the first part of a name"),
        ("https://*.*.example.com", "a `*` stands for the first part of a name"),
        ("https://api.*.com", "a `*` stands for the first part of a name"),
        ("https://*example.com", "a `*` stands for the first part of a name"),
        ("https://*.10.0.0.1", "an address has no parts"),
        ("https://exämple.com", "write the name in its ASCII form"),
        ("https://example.com:0", "a port is a number from 1 to 65535"),
        ("https://example.com:65536", "a port is a number from 1 to 65535"),
        ("https://example.com:+80", "a port is a number from 1 to 65535"),
        ("https://example.com:", "a port is a number from 1 to 65535"),
        ("https://2001:db8::1", "an IPv6 address stands in brackets"),
        ("https://[2001:db8::1]x", "behind the address in brackets stands a port"),
        ("https://[fe80::1%eth0]", "in brackets stands an IPv6 address"),
        ("https://127.1", "does not end in a number"),
        ("https://2130706433", "does not end in a number"),
        ("https://0x7f000001", "does not end in a number"),
        ("https://010.0.0.1", "does not end in a number"),
        ("https://-a.example", "letters, digits, `-` and `_`"),
        ("https://a..example", "letters, digits, `-` and `_`"),
        ("https://a b.example", "letters, digits, `-` and `_`"),
    ] {
        let help = HttpGrant::parse(text).unwrap_err();
        assert!(help.contains(told), "{text}: {help}");
    }
    let long = format!("https://{}.example", "a".repeat(64));
    assert!(HttpGrant::parse(&long).is_err());
    assert!(HttpGrant::parse(&format!("https://{}", "a.".repeat(130))).unwrap_err().contains("at most 253"));
}

#[test]
fn a_server_fits_its_grant_alone() {
    let fits = |grant: &str, scheme, name: &str, port| http(grant).fits(scheme, &host(name), port);
    use Scheme::{Http, Https};
    assert!(fits("https://api.example.com", Https, "API.example.com.", 443));
    assert!(!fits("https://api.example.com", Http, "api.example.com", 443));
    assert!(!fits("https://api.example.com", Https, "api.example.com", 80));
    assert!(!fits("https://api.example.com", Https, "api.example.com.evil.example", 443));
    assert!(!fits("https://api.example.com", Https, "xapi.example.com", 443));
    assert!(fits("https://*.example.com:8443", Https, "a.example.com", 8443));
    assert!(fits("https://*.example.com:8443", Https, "a.b.example.com", 8443));
    assert!(!fits("https://*.example.com:8443", Https, "example.com", 8443));
    assert!(!fits("https://*.example.com:8443", Https, "evilexample.com", 8443));
    assert!(!fits("http://*.example.com", Http, "10.0.0.1", 80));
    assert!(fits("http://[::1]:80", Http, "[0:0:0:0:0:0:0:1]", 80));
    assert!(fits("http://10.0.0.1", Http, "[::ffff:10.0.0.1]", 80));
}

#[test]
fn hosts_and_ports_are_read() {
    for text in ["db.internal:5432", "*.db.internal:5432", "10.0.0.5:5432", "[fd00::5]:5432", "localhost:1"] {
        assert_eq!(TcpGrant::parse(text).unwrap().to_string(), text);
    }
    for (text, told) in [
        ("db.internal", "write the port, too, e.g. \"db.internal:5432\""),
        ("tcp://db.internal:5432", "and nothing else"),
        ("db.internal:5432/x", "and nothing else"),
        ("fd00::5:5432", "an IPv6 address stands in brackets"),
        (":5432", "the name of a host is missing"),
        ("*:5432", "a `*` stands for the first part of a name"),
        ("", "the name of a host is missing"),
    ] {
        let help = TcpGrant::parse(text).unwrap_err();
        assert!(help.contains(told), "{text}: {help}");
    }
}

#[test]
fn ranges_are_read() {
    for text in ["10.0.0.0/8", "127.0.0.1", "0.0.0.0/0", "::/0", "fd00::/8", "::1", "192.168.1.0/24"] {
        assert_eq!(Network::parse(text).unwrap().to_string(), text);
    }
    assert_eq!(Network::parse("127.0.0.1/32").unwrap().to_string(), "127.0.0.1");
    assert_eq!(Network::parse("[::1]").unwrap().to_string(), "::1");
    assert_eq!(Network::parse("::ffff:10.0.0.1").unwrap().to_string(), "10.0.0.1");
    for (text, told) in [
        ("10.0.0.1/8", "write \"10.0.0.0/8\""),
        ("fd00::1/8", "write \"fd00::/8\""),
        ("10.0.0.0/33", "a number from 0 to 32"),
        ("fd00::/129", "a number from 0 to 128"),
        ("10.0.0.0/", "a number from 0 to 32"),
        ("10.0.0.0/+8", "a number from 0 to 32"),
        ("db.internal", "write an address or a range"),
        ("", "write an address or a range"),
        ("0.0.0.0", "no host is at that address"),
        ("224.0.0.1", "no host is at that address"),
        ("ff02::1", "no host is at that address"),
    ] {
        let help = Network::parse(text).unwrap_err();
        assert!(help.contains(told), "{text}: {help}");
    }
    assert!(Network::parse("8.8.8.0/24").unwrap().is_public());
    assert!(!Network::parse("10.0.0.0/24").unwrap().is_public());
    assert!(!Network::parse("8.0.0.0/6").unwrap().is_public());
    assert!(Network::parse("::/0").unwrap().is_all());
}

#[test]
fn what_is_not_public_is_known_in_every_form() {
    for text in ["8.8.8.8", "1.1.1.1", "2606:4700::1111", "64:ff9b::808:808", "2002:808:808::1", "::ffff:8.8.8.8"] {
        assert_eq!(scope(text), Scope::Public, "{text}");
    }
    for (text, wanted) in [
        ("127.0.0.1", Scope::Loopback),
        ("127.255.255.254", Scope::Loopback),
        ("::1", Scope::Loopback),
        ("10.1.2.3", Scope::Private),
        ("172.16.0.1", Scope::Private),
        ("172.31.255.255", Scope::Private),
        ("192.168.0.1", Scope::Private),
        ("fc00::1", Scope::Private),
        ("fd12:3456::1", Scope::Private),
        ("fec0::1", Scope::Private),
        ("100.64.0.1", Scope::Shared),
        ("100.127.255.255", Scope::Shared),
        ("169.254.0.1", Scope::LinkLocal),
        ("fe80::1", Scope::LinkLocal),
        ("169.254.169.254", Scope::Metadata),
        ("169.254.170.2", Scope::Metadata),
        ("168.63.129.16", Scope::Metadata),
        ("100.100.100.200", Scope::Metadata),
        ("fd00:ec2::254", Scope::Metadata),
        ("0.0.0.0", Scope::Nobody),
        ("0.1.2.3", Scope::Nobody),
        ("224.0.0.1", Scope::Nobody),
        ("239.255.255.255", Scope::Nobody),
        ("255.255.255.255", Scope::Nobody),
        ("::", Scope::Nobody),
        ("ff02::1", Scope::Nobody),
        ("192.0.0.8", Scope::Reserved),
        ("192.0.2.1", Scope::Reserved),
        ("198.18.0.1", Scope::Reserved),
        ("198.19.255.255", Scope::Reserved),
        ("198.51.100.1", Scope::Reserved),
        ("203.0.113.1", Scope::Reserved),
        ("192.88.99.1", Scope::Reserved),
        ("240.0.0.1", Scope::Reserved),
        ("255.255.255.254", Scope::Reserved),
        ("2001::1", Scope::Reserved),
        ("2001:2::1", Scope::Reserved),
        ("2001:db8::1", Scope::Reserved),
        ("3fff::1", Scope::Reserved),
        ("64:ff9b:1::1", Scope::Reserved),
        ("4000::1", Scope::Reserved),
    ] {
        assert_eq!(scope(text), wanted, "{text}");
        let Ok(v4) = text.parse::<std::net::Ipv4Addr>() else { continue };
        let [a, b, c, d] = v4.octets();
        for form in [
            format!("::ffff:{v4}"),
            format!("64:ff9b::{v4}"),
            format!("::ffff:0:{v4}"),
            format!("2002:{:x}:{:x}::1", u16::from_be_bytes([a, b]), u16::from_be_bytes([c, d])),
        ] {
            assert_eq!(scope(&form), wanted, "{form}");
        }
        // The two lowest compatible addresses are addresses of their own.
        if wanted != Scope::Nobody {
            assert_eq!(scope(&format!("::{v4}")), wanted, "::{v4}");
        }
    }
}

#[test]
fn what_is_not_public_needs_a_grant_that_names_it() {
    let reach = |name: &str, address: &str, networks: &[&str]| {
        let networks: Vec<Network> = networks.iter().map(|text| Network::parse(text).unwrap()).collect();
        may_reach(&host(name), address.parse().unwrap(), &networks).map_err(|closed| closed.scope)
    };
    assert_eq!(reach("a.example", "8.8.8.8", &[]), Ok(()));
    assert_eq!(reach("a.example", "10.0.0.1", &[]), Err(Scope::Private));
    assert_eq!(reach("a.example", "10.0.0.1", &["10.0.0.0/24"]), Ok(()));
    assert_eq!(reach("a.example", "10.0.1.1", &["10.0.0.0/24"]), Err(Scope::Private));
    assert_eq!(reach("a.example", "::ffff:10.0.0.1", &[]), Err(Scope::Private));
    assert_eq!(reach("a.example", "::ffff:10.0.0.1", &["10.0.0.1"]), Ok(()));
    assert_eq!(reach("a.example", "64:ff9b::10.0.0.1", &["10.0.0.1"]), Ok(()));
    // An address names itself, and no other.
    assert_eq!(reach("10.0.0.1", "10.0.0.1", &[]), Ok(()));
    assert_eq!(reach("10.0.0.1", "10.0.0.2", &[]), Err(Scope::Private));
    assert_eq!(reach("localhost", "127.0.0.1", &[]), Ok(()));
    assert_eq!(reach("localhost", "::1", &[]), Ok(()));
    assert_eq!(reach("db.localhost", "127.0.0.2", &[]), Ok(()));
    assert_eq!(reach("localhost", "10.0.0.1", &[]), Err(Scope::Private));
    assert_eq!(reach("localhost.example", "127.0.0.1", &[]), Err(Scope::Loopback));
    // A range about a metadata address does not name it.
    assert_eq!(reach("a.example", "169.254.169.254", &["169.254.0.0/16", "0.0.0.0/0"]), Err(Scope::Metadata));
    assert_eq!(reach("a.example", "169.254.169.254", &["169.254.169.254"]), Ok(()));
    assert_eq!(reach("169.254.169.254", "169.254.169.254", &[]), Ok(()));
    // Nobody is nobody.
    assert_eq!(reach("a.example", "0.0.0.0", &["0.0.0.0/0", "::/0"]), Err(Scope::Nobody));
    assert_eq!(reach("0.0.0.0", "0.0.0.0", &["0.0.0.0/0"]), Err(Scope::Nobody));
    assert_eq!(reach("a.example", "255.255.255.255", &["0.0.0.0/0"]), Err(Scope::Nobody));
}

#[test]
fn grants_are_kept_as_they_are_written() {
    let grants = Grants {
        http: vec![http("https://*.example.com:8443")],
        tcp: vec![TcpGrant::parse("db.internal:5432").unwrap()],
        networks: vec![Network::parse("10.0.0.0/8").unwrap()],
        ..Grants::default()
    };
    let text = serde_json::to_string(&grants).unwrap();
    assert!(
        text.contains(r#""http":["https://*.example.com:8443"],"tcp":["db.internal:5432"],"networks":["10.0.0.0/8"]"#)
    );
    assert_eq!(serde_json::from_str::<Grants>(&text).unwrap(), grants);
    // What was kept by an earlier version.
    assert_eq!(serde_json::from_str::<Grants>("{}").unwrap(), Grants::default());
    assert!(serde_json::from_str::<Grants>(r#"{"http": ["nonsense"]}"#).is_err());
}
