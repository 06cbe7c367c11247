//! TCP and UDP.

use sluicebox_stage::Fault;
use std::io::{BufRead, BufReader, ErrorKind, Write};
use std::net::{SocketAddr, TcpListener, TcpStream, UdpSocket};
use wasip2::sockets::instance_network::instance_network;
use wasip2::sockets::network::{
    ErrorCode, IpAddress, IpAddressFamily, IpSocketAddress, Ipv4SocketAddress, Ipv6SocketAddress,
};
use wasip2::sockets::tcp_create_socket::create_tcp_socket;

/// What came of it, as a row.
pub(crate) fn told(result: Result<String, Fault>) -> String {
    match result {
        Ok(said) => said,
        Err(fault) => fault.to_string(),
    }
}

fn fault(error: &std::io::Error) -> Fault {
    let message = format!("evil: {error}");
    match error.kind() {
        ErrorKind::PermissionDenied => Fault::denied(message),
        _ => Fault::unavailable(message),
    }
}

fn of_code(code: ErrorCode) -> Fault {
    match code {
        ErrorCode::AccessDenied => Fault::denied(format!("evil: {}", code.name())),
        _ => Fault::unavailable(format!("evil: {}", code.name())),
    }
}

pub(crate) fn tcp(to: &str) -> Result<String, Fault> {
    let mut stream = TcpStream::connect(to).map_err(|error| fault(&error))?;
    stream.write_all(b"hello\n").map_err(|error| fault(&error))?;
    let mut line = String::new();
    BufReader::new(stream).read_line(&mut line).map_err(|error| fault(&error))?;
    Ok(line.trim_end().to_owned())
}

pub(crate) fn for_ever(to: &str) -> Result<String, Fault> {
    let mut stream = TcpStream::connect(to).map_err(|error| fault(&error))?;
    loop {
        stream.write_all(&[b'x'; 4096]).map_err(|error| fault(&error))?;
    }
}

/// Connects to an address as it is; the standard library would make another of some.
pub(crate) fn raw(to: &str) -> Result<String, Fault> {
    let address: SocketAddr = to.parse().map_err(|error| Fault::invalid_config(format!("evil: {error}")))?;
    let (family, address) = match address {
        SocketAddr::V4(v4) => {
            let [a, b, c, d] = v4.ip().octets();
            let address = Ipv4SocketAddress { port: v4.port(), address: (a, b, c, d) };
            (IpAddressFamily::Ipv4, IpSocketAddress::Ipv4(address))
        }
        SocketAddr::V6(v6) => {
            let [a, b, c, d, e, f, g, h] = v6.ip().segments();
            let address =
                Ipv6SocketAddress { port: v6.port(), flow_info: 0, address: (a, b, c, d, e, f, g, h), scope_id: 0 };
            (IpAddressFamily::Ipv6, IpSocketAddress::Ipv6(address))
        }
    };
    let network = instance_network();
    let socket = create_tcp_socket(family).map_err(of_code)?;
    socket.start_connect(&network, address).map_err(of_code)?;
    let ready = socket.subscribe();
    loop {
        ready.block();
        match socket.finish_connect() {
            Ok(_) => return Ok("connected".to_owned()),
            Err(ErrorCode::WouldBlock) => {}
            Err(code) => return Err(of_code(code)),
        }
    }
}

pub(crate) fn resolve(name: &str) -> Result<Vec<String>, Fault> {
    let network = instance_network();
    let lookup = wasip2::sockets::ip_name_lookup::resolve_addresses(&network, name).map_err(of_code)?;
    let ready = lookup.subscribe();
    let mut found = Vec::new();
    loop {
        match lookup.resolve_next_address() {
            Ok(Some(IpAddress::Ipv4((a, b, c, d)))) => found.push(format!("{a}.{b}.{c}.{d}")),
            Ok(Some(IpAddress::Ipv6(address))) => found.push(format!("{address:?}")),
            Ok(None) => return Ok(found),
            Err(ErrorCode::WouldBlock) => ready.block(),
            Err(code) => return Err(of_code(code)),
        }
    }
}

pub(crate) fn many(times: u64) -> Result<String, Fault> {
    let mut sockets = Vec::new();
    let mut refused = std::collections::BTreeMap::<String, u64>::new();
    for _ in 0..times {
        match create_tcp_socket(IpAddressFamily::Ipv4) {
            Ok(socket) => sockets.push(socket),
            Err(code) => *refused.entry(code.name().to_owned()).or_default() += 1,
        }
    }
    Ok(format!("{} sockets, {refused:?}", sockets.len()))
}

pub(crate) fn udp(to: &str) -> Result<String, Fault> {
    let socket = UdpSocket::bind("0.0.0.0:0").map_err(|error| fault(&error))?;
    socket.send_to(b"hello", to).map_err(|error| fault(&error))?;
    Ok("sent".to_owned())
}

pub(crate) fn listen(at: &str) -> Result<String, Fault> {
    let listener = TcpListener::bind(at).map_err(|error| fault(&error))?;
    let (_, from) = listener.accept().map_err(|error| fault(&error))?;
    Ok(format!("heard {from}"))
}

pub(crate) fn listen_raw() -> Result<String, Fault> {
    let network = instance_network();
    let socket = create_tcp_socket(IpAddressFamily::Ipv4).map_err(of_code)?;
    let anywhere = IpSocketAddress::Ipv4(Ipv4SocketAddress { port: 0, address: (0, 0, 0, 0) });
    let bound = socket.start_bind(&network, anywhere).and_then(|()| socket.finish_bind());
    let listens = socket.start_listen().and_then(|()| socket.finish_listen());
    match (bound, listens) {
        (Err(bound), Err(_)) => Err(of_code(bound)),
        (bound, listens) => Ok(format!("bound {bound:?}, listens {listens:?}")),
    }
}
