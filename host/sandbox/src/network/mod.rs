//! The network as a stage sees it: only what `grants.http`, `grants.tcp` and `grants.networks` name.
//!
//! Names are looked up by the host, every address is checked just before it is connected to, and it is that very address
//! which is connected to: nobody looks the name up again in between. What is refused is told in the stage's log, and in the
//! fault of the call if it fails.

mod connect;
mod counted;
mod http;
mod link_http;
mod link_sockets;
mod live;
mod lookup;
mod refused;
mod resolve;
mod sockets;
mod stated;
mod tls;

#[cfg(test)]
mod tests;

pub(crate) use live::Live;
pub(crate) use sockets::check;
pub use stated::stated as stated_of_network;

use crate::console::Console;
use crate::state::State;
use live::Permit;
use resolve::{Resolve, System};
use rustls::ClientConfig;
use sluicebox_model::grant::Grants;
use sluicebox_model::limits::Limits;
use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Arc, OnceLock};
use wasmtime::component::Linker;
use wasmtime_wasi_http::WasiHttpCtx;

/// What whoever runs the host says of the network, for all stages.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NetworkFiles {
    /// A file of names and their addresses, as `/etc/hosts`; its names are not looked up elsewhere.
    pub hosts: Option<PathBuf>,
    /// A PEM file of certificates that vouch for servers, beside those that are known anyway.
    pub ca: Option<PathBuf>,
}

/// What a stage may reach, the same for all of its instances.
pub(crate) struct Access {
    stage: String,
    grants: Grants,
    connections_max: u32,
    connections_total_max: u32,
    resolver: Arc<dyn Resolve>,
    ca: Option<PathBuf>,
    /// How servers are known, read at the first request by TLS. The error is for people.
    tls: OnceLock<Result<Arc<ClientConfig>, String>>,
}

impl Access {
    pub(crate) fn new(stage: &str, grants: &Grants, limits: &Limits, files: &NetworkFiles) -> Arc<Self> {
        let resolver = Arc::new(System { hosts: files.hosts.clone() });
        Self::with_resolver(stage, grants, limits, files, resolver)
    }

    fn with_resolver(
        stage: &str,
        grants: &Grants,
        limits: &Limits,
        files: &NetworkFiles,
        resolver: Arc<dyn Resolve>,
    ) -> Arc<Self> {
        Arc::new(Self {
            stage: stage.to_owned(),
            grants: grants.clone(),
            connections_max: limits.connections_max,
            connections_total_max: limits.connections_total_max,
            resolver,
            ca: files.ca.clone(),
            tls: OnceLock::new(),
        })
    }

    fn tls(&self) -> Result<Arc<ClientConfig>, String> {
        self.tls.get_or_init(|| tls::client(self.ca.as_deref())).clone()
    }
}

/// The network of one instance.
pub(crate) struct Net {
    pub(crate) live: Arc<Live>,
    /// What counts the TCP sockets that the guest has, by their numbers.
    sockets: HashMap<u32, Permit>,
}

impl Net {
    pub(crate) fn new(access: Arc<Access>, limits: &Limits, console: Console) -> Self {
        Self { live: Arc::new(Live::new(access, limits, console)), sockets: HashMap::new() }
    }
}

/// What `wasi:http` knows of an instance.
pub(crate) fn http_context() -> WasiHttpCtx {
    let mut context = WasiHttpCtx::new();
    context.set_field_size_limit(link_http::FIELDS_BYTES_MAX);
    context
}

/// Offers `wasi:http`, and takes the place of what `wasi:sockets` would do by itself.
pub(crate) fn link(linker: &mut Linker<State>) -> wasmtime::Result<()> {
    link_http::link(linker)?;
    link_sockets::link(linker)
}
