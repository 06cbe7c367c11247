//! Opening connections for requests.

use super::counted::Counted;
use super::live::{Live, Permit};
use super::lookup::{self, NoAddress};
use super::refused::Refusal;
use sluicebox_model::net::{Host, Scheme};
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use wasmtime_wasi_http::Error;

/// Time to look up a name, to connect and to agree on keys, where the guest asks for no less.
pub(super) const CONNECT_MAX: Duration = Duration::from_secs(30);

/// A server that is granted.
#[derive(Clone, Debug)]
pub(super) struct Server {
    pub(super) scheme: Scheme,
    pub(super) host: Host,
    pub(super) port: u16,
}

impl Server {
    pub(super) fn name(&self) -> String {
        self.scheme.server(&self.host, self.port)
    }
}

/// What bytes go to and come from.
pub(super) trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}
impl<S: AsyncRead + AsyncWrite + Send + Unpin> Stream for S {}

/// Connects to a granted server, by TLS if its scheme says so; counts as open as long as the permit lives.
pub(super) async fn connect(
    live: &Arc<Live>,
    server: &Server,
    within: Option<Duration>,
) -> Result<(Box<dyn Stream>, Permit), Error> {
    let permit = live.open().ok_or(Error::ConnectionLimitReached)?;
    let within = within.unwrap_or(CONNECT_MAX).min(CONNECT_MAX);
    tokio::time::timeout(within, async {
        let (addresses, permit) = match lookup::addresses(live, &server.host, permit).await {
            Ok(found) => found,
            Err(NoAddress::Unknown) => {
                return Err(Error::DnsError { rcode: Some("name not found".to_owned()), info_code: None });
            }
            Err(NoAddress::Refused) => return Err(Error::DestinationIpProhibited),
        };
        let stream = first_that_answers(&addresses, server.port).await.map_err(Error::Connect)?;
        // Small requests should not wait for more.
        let _ = stream.set_nodelay(true);
        let stream = Counted::new(stream, Arc::clone(live));
        match server.scheme {
            Scheme::Http => Ok((Box::new(stream) as Box<dyn Stream>, permit)),
            Scheme::Https => Ok((Box::new(secure(live, server, stream).await?) as Box<dyn Stream>, permit)),
        }
    })
    .await
    .unwrap_or(Err(Error::ConnectionTimeout))
}

/// Tries one after the other: each was checked, and no name is looked up again.
async fn first_that_answers(addresses: &[IpAddr], port: u16) -> io::Result<TcpStream> {
    let mut why = io::Error::from(io::ErrorKind::AddrNotAvailable);
    for address in addresses {
        match TcpStream::connect(SocketAddr::new(*address, port)).await {
            Ok(stream) => return Ok(stream),
            Err(error) => why = error,
        }
    }
    Err(why)
}

async fn secure(
    live: &Arc<Live>,
    server: &Server,
    stream: Counted<TcpStream>,
) -> Result<tokio_rustls::client::TlsStream<Counted<TcpStream>>, Error> {
    let access = Arc::clone(&live.access);
    // Files are read at the first time.
    let config = tokio::task::spawn_blocking(move || access.tls()).await;
    let config = match config {
        Ok(Ok(config)) => config,
        Ok(Err(reason)) => {
            live.tell(&reason);
            return Err(Error::ConfigurationError);
        }
        Err(_) => return Err(Error::ConfigurationError),
    };
    let name = match &server.host {
        Host::Address(address) => rustls::pki_types::ServerName::from(*address),
        Host::Name(name) => {
            rustls::pki_types::ServerName::try_from(name.clone()).map_err(|_| Error::HttpRequestUriInvalid)?
        }
    };
    TlsConnector::from(config).connect(name, stream).await.map_err(|error| {
        let reason = error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>());
        match reason {
            Some(reason) => {
                live.refuse(Refusal::Tls { server: server.name(), reason: reason.to_string() });
                match reason {
                    rustls::Error::InvalidCertificate(_) => Error::TlsCertificateError,
                    _ => Error::TlsProtocolError,
                }
            }
            None => Error::Tls(error),
        }
    })
}
