//! `wasi:sockets` as far as `grants.tcp` goes: names and connections of TCP; no listening, and no UDP.

use super::sockets::{self, Lookup};
use crate::linking::replacing;
use crate::state::State;
use wasmtime::StoreContextMut;
use wasmtime::component::{Linker, Resource, ResourceType};
use wasmtime_wasi::p2::bindings::sockets::network::{ErrorCode, IpAddressFamily, IpSocketAddress};
use wasmtime_wasi::p2::{Network, TcpSocket, UdpSocket};

const TCP: &str = "wasi:sockets/tcp@0.2.12";
const CREATE_TCP: &str = "wasi:sockets/tcp-create-socket@0.2.12";
const CREATE_UDP: &str = "wasi:sockets/udp-create-socket@0.2.12";
const LOOKUP: &str = "wasi:sockets/ip-name-lookup@0.2.12";

type Store<'a> = StoreContextMut<'a, State>;

pub(super) fn link(linker: &mut Linker<State>) -> wasmtime::Result<()> {
    replacing(linker, CREATE_TCP, &["create-tcp-socket"], |it| {
        it.func_wrap("create-tcp-socket", |mut store: Store<'_>, (family,): (IpAddressFamily,)| {
            Ok((sockets::create(store.data_mut(), family)?,))
        })
    })?;
    replacing(linker, CREATE_UDP, &["create-udp-socket"], |it| {
        it.func_wrap("create-udp-socket", |mut store: Store<'_>, (_,): (IpAddressFamily,)| {
            sockets::never(store.data_mut(), "a UDP socket");
            Ok((Err::<Resource<UdpSocket>, _>(ErrorCode::AccessDenied),))
        })
    })?;
    let functions = [
        "[method]tcp-socket.start-bind",
        "[method]tcp-socket.start-listen",
        "[method]tcp-socket.start-connect",
        "[method]tcp-socket.finish-connect",
    ];
    replacing(linker, TCP, &functions, |it| {
        it.resource("tcp-socket", ResourceType::host::<TcpSocket>(), |mut store, rep| {
            sockets::drop(store.data_mut(), rep)
        })?;
        it.func_wrap(
            "[method]tcp-socket.start-bind",
            |mut store: Store<'_>, _: (Resource<TcpSocket>, Resource<Network>, IpSocketAddress)| {
                sockets::never(store.data_mut(), "a port of this machine");
                Ok((Err::<(), _>(ErrorCode::AccessDenied),))
            },
        )?;
        it.func_wrap("[method]tcp-socket.start-listen", |mut store: Store<'_>, _: (Resource<TcpSocket>,)| {
            sockets::never(store.data_mut(), "to listen for connections");
            Ok((Err::<(), _>(ErrorCode::AccessDenied),))
        })?;
        it.func_wrap(
            "[method]tcp-socket.start-connect",
            |mut store: Store<'_>,
             (socket, network, address): (Resource<TcpSocket>, Resource<Network>, IpSocketAddress)| {
                Ok((sockets::start_connect(store.data_mut(), socket, network, address)?,))
            },
        )?;
        it.func_wrap("[method]tcp-socket.finish-connect", |mut store: Store<'_>, (socket,): (Resource<TcpSocket>,)| {
            Ok((sockets::finish_connect(store.data_mut(), socket)?,))
        })
    })?;
    let functions = [
        "resolve-addresses",
        "[method]resolve-address-stream.resolve-next-address",
        "[method]resolve-address-stream.subscribe",
    ];
    replacing(linker, LOOKUP, &functions, |it| {
        it.resource("resolve-address-stream", ResourceType::host::<Lookup>(), |mut store, rep| {
            store.data_mut().table.delete(Resource::<Lookup>::new_own(rep))?;
            Ok(())
        })?;
        it.func_wrap("resolve-addresses", |mut store: Store<'_>, (network, name): (Resource<Network>, String)| {
            Ok((sockets::resolve(store.data_mut(), &network, &name)?,))
        })?;
        it.func_wrap(
            "[method]resolve-address-stream.resolve-next-address",
            |mut store: Store<'_>, (lookup,): (Resource<Lookup>,)| {
                Ok((sockets::next_address(store.data_mut(), &lookup)?,))
            },
        )?;
        it.func_wrap(
            "[method]resolve-address-stream.subscribe",
            |mut store: Store<'_>, (lookup,): (Resource<Lookup>,)| {
                Ok((wasmtime_wasi::p2::subscribe(&mut store.data_mut().table, lookup)?,))
            },
        )
    })
}
