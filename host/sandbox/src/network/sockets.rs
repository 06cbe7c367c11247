//! What TCP sockets and lookups of a stage do. wasmtime's own sockets do the work, once it was found to be granted.

use super::counted::{CountedInput, CountedOutput};
use super::live::Live;
use super::lookup;
use super::refused::Refusal;
use crate::state::State;
use sluicebox_model::net::Host;
use std::future::Future;
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::sync::Arc;
use wasmtime::component::Resource;
use wasmtime_wasi::p2::bindings::sockets::network::{ErrorCode, IpAddress, IpAddressFamily, IpSocketAddress};
use wasmtime_wasi::p2::bindings::sockets::tcp::HostTcpSocket as _;
use wasmtime_wasi::p2::bindings::sockets::tcp_create_socket::Host as _;
use wasmtime_wasi::p2::pipe::{ClosedInputStream, SinkOutputStream};
use wasmtime_wasi::p2::{
    DynInputStream, DynOutputStream, InputStream, Network, OutputStream, Pollable, SocketResult, TcpSocket,
};
use wasmtime_wasi::runtime::{AbortOnDropJoinHandle, spawn};
use wasmtime_wasi::sockets::{SocketAddrUse, WasiSocketsView as _};

/// What a guest is told, or why its call ends.
type Told<T> = wasmtime::Result<Result<T, ErrorCode>>;

fn told<T>(result: SocketResult<T>) -> Told<T> {
    match result {
        Ok(done) => Ok(Ok(done)),
        Err(error) => Ok(Err(error.downcast()?)),
    }
}

/// Refuses what no stage is granted.
pub(super) fn never(state: &State, what: &'static str) {
    state.net.live.refuse(Refusal::Never { what });
}

pub(super) fn create(state: &mut State, family: IpAddressFamily) -> Told<Resource<TcpSocket>> {
    let live = Arc::clone(&state.net.live);
    if live.access.grants.tcp.is_empty() {
        live.refuse(Refusal::Socket);
        return Ok(Err(ErrorCode::AccessDenied));
    }
    let Some(permit) = live.open() else { return Ok(Err(ErrorCode::NewSocketLimit)) };
    let created = told(state.sockets().create_tcp_socket(family))?;
    if let Ok(socket) = &created {
        state.net.sockets.insert(socket.rep(), permit);
    }
    Ok(created)
}

/// The guest lets go of a socket.
pub(super) fn drop(state: &mut State, socket: u32) -> wasmtime::Result<()> {
    state.sockets().drop(Resource::new_own(socket))?;
    state.net.sockets.remove(&socket);
    Ok(())
}

pub(super) fn start_connect(
    state: &mut State,
    socket: Resource<TcpSocket>,
    network: Resource<Network>,
    address: IpSocketAddress,
) -> Told<()> {
    let to = SocketAddr::from(address);
    let live = Arc::clone(&state.net.live);
    if let Err(refusal) = may_connect(&live, to) {
        live.refuse(refusal);
        return Ok(Err(ErrorCode::AccessDenied));
    }
    told(state.sockets().start_connect(socket, network, address))
}

pub(super) fn finish_connect(
    state: &mut State,
    socket: Resource<TcpSocket>,
) -> Told<(Resource<DynInputStream>, Resource<DynOutputStream>)> {
    let (input, output) = match told(state.sockets().finish_connect(socket))? {
        Ok(streams) => streams,
        Err(error) => return Ok(Err(error)),
    };
    let live = &state.net.live;
    let slot: &mut DynInputStream = state.table.get_mut(&input)?;
    let inner = std::mem::replace(slot, Box::new(ClosedInputStream) as Box<dyn InputStream>);
    *slot = Box::new(CountedInput { inner, live: Arc::clone(live) });
    let slot: &mut DynOutputStream = state.table.get_mut(&output)?;
    let inner = std::mem::replace(slot, Box::new(SinkOutputStream) as Box<dyn OutputStream>);
    *slot = Box::new(CountedOutput { inner, live: Arc::clone(live) });
    Ok(Ok((input, output)))
}

/// Whether a connection is granted: to an address in a grant, or to one that a granted name was found to stand for. Either
/// has been held against what names may stand for.
fn may_connect(live: &Live, to: SocketAddr) -> Result<(), Refusal> {
    let to = SocketAddr::new(to.ip().to_canonical(), to.port());
    if live.was_answered(to) {
        return Ok(());
    }
    let host = Host::Address(to.ip());
    if !live.access.grants.tcp_ports(&host).any(|port| port == to.port()) {
        return Err(Refusal::Address { address: to });
    }
    live.access.grants.may_reach(&host, to.ip()).map_err(|closed| Refusal::Closed { host, closed })
}

/// What wasmtime asks in the moment in which it connects.
pub(crate) fn check(live: &Live, address: SocketAddr, wanted: SocketAddrUse) -> bool {
    match wanted {
        SocketAddrUse::TcpConnect => may_connect(live, address).is_ok(),
        // Before it connects, a socket is given whatever port is free.
        SocketAddrUse::TcpBind => address.port() == 0 && address.ip().is_unspecified(),
        _ => false,
    }
}

/// A lookup under way, or what came of it.
pub(super) struct Lookup {
    waiting: Option<AbortOnDropJoinHandle<Result<Vec<IpAddr>, ErrorCode>>>,
    found: Result<std::vec::IntoIter<IpAddr>, ErrorCode>,
}

pub(super) fn resolve(state: &mut State, network: &Resource<Network>, name: &str) -> Told<Resource<Lookup>> {
    // It stands for nothing here, but has to be one.
    state.table.get(network)?;
    let done = |found: Vec<IpAddr>| Lookup { waiting: None, found: Ok(found.into_iter()) };
    let live = Arc::clone(&state.net.live);
    // libc has no brackets about addresses.
    let lookup = match name.parse::<IpAddr>().map(Host::Address).or_else(|_| Host::parse(name)) {
        Err(_) => return Ok(Err(ErrorCode::InvalidArgument)),
        // An address needs no lookup, and opens nothing.
        Ok(Host::Address(address)) => done(vec![address]),
        Ok(host) => {
            let ports: Vec<u16> = live.access.grants.tcp_ports(&host).collect();
            if ports.is_empty() {
                live.refuse(Refusal::Name { host });
                return Ok(Err(ErrorCode::AccessDenied));
            }
            let Some(permit) = live.open() else {
                return Ok(Err(ErrorCode::TemporaryResolverFailure));
            };
            let looked = async move {
                let (addresses, _permit) = match lookup::addresses(&live, &host, permit).await {
                    Ok(found) => found,
                    Err(lookup::NoAddress::Unknown) => return Err(ErrorCode::NameUnresolvable),
                    Err(lookup::NoAddress::Refused) => return Err(ErrorCode::AccessDenied),
                };
                for (address, port) in
                    addresses.iter().flat_map(|address| ports.iter().map(move |port| (address, port)))
                {
                    live.answered(SocketAddr::new(*address, *port));
                }
                Ok(addresses)
            };
            Lookup { waiting: Some(spawn(looked)), found: Ok(Vec::new().into_iter()) }
        }
    };
    Ok(Ok(state.table.push(lookup)?))
}

pub(super) fn next_address(state: &mut State, lookup: &Resource<Lookup>) -> Told<Option<IpAddress>> {
    let lookup = state.table.get_mut(lookup)?;
    lookup.take_up();
    if lookup.waiting.is_some() {
        return Ok(Err(ErrorCode::WouldBlock));
    }
    Ok(match &mut lookup.found {
        Ok(found) => Ok(found.next().map(IpAddress::from)),
        Err(error) => Err(*error),
    })
}

impl Lookup {
    /// Takes what has come, without waiting for it.
    fn take_up(&mut self) {
        let Some(waiting) = &mut self.waiting else { return };
        let mut cx = std::task::Context::from_waker(std::task::Waker::noop());
        if let std::task::Poll::Ready(found) = Pin::new(waiting).poll(&mut cx) {
            self.waiting = None;
            self.found = found.map(Vec::into_iter);
        }
    }
}

impl Pollable for Lookup {
    // What `async_trait` would write.
    fn ready<'a, 'b>(&'a mut self) -> Pin<Box<dyn Future<Output = ()> + Send + 'b>>
    where
        'a: 'b,
        Self: 'b,
    {
        Box::pin(async move {
            if let Some(waiting) = &mut self.waiting {
                let found = waiting.await;
                self.waiting = None;
                self.found = found.map(Vec::into_iter);
            }
        })
    }
}
