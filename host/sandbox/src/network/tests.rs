#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]
//! Names, checks and connections, with a resolver that lies.

use super::connect::{Server, connect};
use super::*;
use crate::console::LogBudget;
use sluicebox_model::net::{Host, HttpGrant, Network, Scheme, TcpGrant};
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::atomic::{AtomicUsize, Ordering};
use tokio::net::TcpListener;
use wasmtime_wasi::sockets::SocketAddrUse;
use wasmtime_wasi_http::Error;

/// Answers each lookup with the next of its answers, and with the last one from then on.
struct Changing {
    answers: Vec<Vec<IpAddr>>,
    asked: AtomicUsize,
}

impl Resolve for Changing {
    fn addresses(&self, _: &str) -> io::Result<Vec<IpAddr>> {
        let asked = self.asked.fetch_add(1, Ordering::Relaxed);
        self.answers.get(asked).or(self.answers.last()).cloned().ok_or_else(|| io::ErrorKind::NotFound.into())
    }
}

fn changing(answers: &[&[&str]]) -> Arc<Changing> {
    let answers = answers.iter().map(|answer| answer.iter().map(|text| text.parse().unwrap()).collect()).collect();
    Arc::new(Changing { answers, asked: AtomicUsize::new(0) })
}

fn grants(http: &[&str], tcp: &[&str], networks: &[&str]) -> Grants {
    Grants {
        http: http.iter().map(|text| HttpGrant::parse(text).unwrap()).collect(),
        tcp: tcp.iter().map(|text| TcpGrant::parse(text).unwrap()).collect(),
        networks: networks.iter().map(|text| Network::parse(text).unwrap()).collect(),
        ..Grants::default()
    }
}

fn live(grants: &Grants, limits: &Limits, resolver: Arc<Changing>) -> Arc<Live> {
    let access = Access::with_resolver("it", grants, limits, &NetworkFiles::default(), resolver);
    Net::new(access, limits, Console::new(Arc::new(LogBudget::new(1 << 20)))).live
}

fn server(port: u16) -> Server {
    Server { scheme: Scheme::Http, host: Host::Name("a.example".to_owned()), port }
}

/// The name is looked up once; what is connected to is what was checked, not what the name says by then.
#[tokio::test]
async fn a_name_is_looked_up_once_for_each_connection() {
    let (good, bad) = (TcpListener::bind("127.0.0.1:0").await.unwrap(), "127.0.0.2");
    let port = good.local_addr().unwrap().port();
    let evil = TcpListener::bind((bad, port)).await.unwrap();
    let resolver = changing(&[&["127.0.0.1"], &[bad]]);
    let grants = grants(&[&format!("http://a.example:{port}")], &[], &["127.0.0.1"]);
    let live = live(&grants, &Limits::default(), Arc::clone(&resolver));
    let (_stream, permit) = connect(&live, &server(port), None).await.map_err(|error| error.to_string()).unwrap();
    assert_eq!(resolver.asked.load(Ordering::Relaxed), 1);
    let (_, from) = good.accept().await.unwrap();
    assert_eq!(from.ip(), "127.0.0.1".parse::<IpAddr>().unwrap());
    drop(permit);
    // By now it stands for another.
    assert!(matches!(connect(&live, &server(port), None).await, Err(Error::DestinationIpProhibited)));
    assert_eq!(resolver.asked.load(Ordering::Relaxed), 2);
    let help = live.help().unwrap();
    assert!(help.contains("a.example, since it stands for 127.0.0.2, which is the machine itself"), "{help}");
    assert!(help.contains("add \"127.0.0.2\" to `grants.networks` of stage `it`"), "{help}");
    drop(evil);
}

/// Of several addresses, those that may not be reached are left out.
#[tokio::test]
async fn the_addresses_that_are_open_are_used() {
    let good = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = good.local_addr().unwrap().port();
    let resolver = changing(&[&["169.254.169.254", "::ffff:127.0.0.1", "10.0.0.1"]]);
    let grants = grants(&[&format!("http://a.example:{port}")], &[], &["127.0.0.1"]);
    let live = live(&grants, &Limits::default(), resolver);
    assert!(connect(&live, &server(port), None).await.is_ok());
    let (_, from) = good.accept().await.unwrap();
    assert!(from.is_ipv4());
}

#[tokio::test]
async fn connections_are_counted_until_they_end() {
    let good = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = good.local_addr().unwrap().port();
    let limits = Limits { connections_max: 2, connections_total_max: 3, ..Limits::default() };
    let grants = grants(&[&format!("http://a.example:{port}")], &[], &["127.0.0.1"]);
    let live = live(&grants, &limits, changing(&[&["127.0.0.1"]]));
    let one = connect(&live, &server(port), None).await;
    let two = connect(&live, &server(port), None).await;
    assert!(one.is_ok() && two.is_ok());
    assert!(matches!(connect(&live, &server(port), None).await, Err(Error::ConnectionLimitReached)));
    assert!(live.help().unwrap().contains("raise `limits.connections`, now 2"));
    drop(one);
    assert!(connect(&live, &server(port), None).await.is_ok());
    drop(two);
    assert!(matches!(connect(&live, &server(port), None).await, Err(Error::ConnectionLimitReached)));
    assert!(live.help().unwrap().contains("raise `limits.connections-total`, now 3"));
}

#[tokio::test]
async fn bytes_are_counted_both_ways() {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let good = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = good.local_addr().unwrap().port();
    let limits = Limits { network_bytes_max: 10, ..Limits::default() };
    let grants = grants(&[&format!("http://a.example:{port}")], &[], &["127.0.0.1"]);
    let live = live(&grants, &limits, changing(&[&["127.0.0.1"]]));
    let (mut stream, _permit) = connect(&live, &server(port), None).await.map_err(|error| error.to_string()).unwrap();
    let (mut other, _) = good.accept().await.unwrap();
    stream.write_all(b"123456").await.unwrap();
    other.write_all(b"1234").await.unwrap();
    let mut bytes = [0; 4];
    stream.read_exact(&mut bytes).await.unwrap();
    assert_eq!(live.passed(), None);
    assert!(stream.write_all(b"x").await.is_err());
    assert_eq!(live.passed(), Some(crate::limiter::Passed::Network { max: 10 }));
}

/// The last question before a socket connects.
#[test]
fn sockets_connect_to_what_was_granted_or_found() {
    let grants = grants(&[], &["a.example:5432", "10.0.0.7:80", "[::1]:80"], &["127.0.0.1"]);
    let live = live(&grants, &Limits::default(), changing(&[]));
    let may = |text: &str| check(&live, text.parse().unwrap(), SocketAddrUse::TcpConnect);
    assert!(may("10.0.0.7:80") && may("[::1]:80") && may("[::ffff:10.0.0.7]:80"));
    assert!(!may("10.0.0.7:81") && !may("10.0.0.8:80") && !may("127.0.0.1:5432") && !may("127.0.0.1:80"));
    live.answered("127.0.0.1:5432".parse::<SocketAddr>().unwrap());
    assert!(may("127.0.0.1:5432"));
    assert!(!may("127.0.0.1:5433") && !may("127.0.0.2:5432"));
    let asks = |text: &str, wanted| check(&live, text.parse().unwrap(), wanted);
    assert!(asks("0.0.0.0:0", SocketAddrUse::TcpBind));
    assert!(!asks("0.0.0.0:80", SocketAddrUse::TcpBind) && !asks("127.0.0.1:0", SocketAddrUse::TcpBind));
    for wanted in [
        SocketAddrUse::TcpListen,
        SocketAddrUse::TcpAccept,
        SocketAddrUse::UdpBind,
        SocketAddrUse::UdpSend,
        SocketAddrUse::UdpReceive,
    ] {
        assert!(!asks("10.0.0.7:80", wanted) && !asks("0.0.0.0:0", wanted));
    }
}

/// What is refused again and again is told once, and no more than twenty different things are.
#[test]
fn refusals_do_not_flood_the_log() {
    let grants = grants(&["http://a.example"], &[], &[]);
    let console = Console::new(Arc::new(LogBudget::new(1 << 20)));
    let access = Access::with_resolver("it", &grants, &Limits::default(), &NetworkFiles::default(), changing(&[]));
    let live = Net::new(access, &Limits::default(), console.clone()).live;
    live.start_call("process");
    for number in 0..100 {
        for _ in 0..10 {
            let host = Host::Name(format!("host{number}.example"));
            live.refuse(refused::Refusal::Server { scheme: Scheme::Https, host, port: 443 });
        }
    }
    let lines: Vec<String> = console.take().into_iter().map(|line| line.message).collect();
    assert_eq!(lines.len(), 20, "{lines:?}");
    assert_eq!(
        lines[0],
        "`process` was refused https://host0.example, which is not granted; add \"https://host0.example\" to `grants.http` of \
         stage `it`"
    );
    assert!(lines[19].ends_with("(more is not told)"), "{lines:?}");
    live.start_call("process");
    assert_eq!(live.help(), None);
}
