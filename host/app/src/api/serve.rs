//! Listening: connections, TLS, and their end.

use super::desk::Desk;
use super::error::Problem;
use super::guard::{self, Peer};
use super::io::Patient;
use super::settings::ApiSettings;
use super::{Api, router};
use axum::Router;
use axum::body::Body;
use axum::http::StatusCode;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use jiff::Timestamp;
use sluicebox_store::Store;
use std::convert::Infallible;
use std::future::poll_fn;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;

/// Bytes of the head of a request.
pub(crate) const HEAD_BYTES_MAX: usize = 32 * 1024;
/// Lines of the head of a request.
pub(crate) const HEAD_LINES_MAX: usize = 64;
/// How long a client that was answered early may go on talking, so that it comes to read the answer.
pub(crate) const LINGER: Duration = Duration::from_secs(2);
/// How long nothing is accepted if that fails, e.g. because all files that a process may have are open.
const ACCEPT_AGAIN: Duration = Duration::from_millis(100);

/// Answers requests until `shutdown`, then ends event streams and waits for requests under way. Runs in a tokio runtime with
/// timers and I/O. `own` is for the commands of this machine: the same without TLS, so it has to listen at a loopback address.
pub async fn serve(
    listener: TcpListener,
    own: Option<TcpListener>,
    settings: ApiSettings,
    desk: Arc<dyn Desk>,
    store: Arc<Store>,
    shutdown: impl Future<Output = ()>,
) {
    super::files::raise();
    let limits = settings.limits;
    let (closing, closed) = watch::channel(false);
    let api = Api::new(desk, store, limits, closed.clone());
    let door = Arc::new(Door { router: router(api), settings, closed });
    let places = Arc::new(Semaphore::new(limits.connections));
    let mut open = JoinSet::new();
    let mut shutdown = pin!(shutdown);
    loop {
        let (accepted, is_own) = tokio::select! {
            accepted = listener.accept() => (accepted, false),
            accepted = accept(own.as_ref()) => (accepted, true),
            _ = open.join_next(), if !open.is_empty() => continue,
            () = &mut shutdown => break,
        };
        let plain = is_own || door.settings.tls.is_none();
        match accepted {
            Ok((stream, peer)) => match Arc::clone(&places).try_acquire_owned() {
                Ok(place) => {
                    let door = Arc::clone(&door);
                    open.spawn(async move {
                        door.connection(stream, peer, plain).await;
                        drop(place);
                    });
                }
                Err(_) => refuse(&stream, plain),
            },
            Err(_) => tokio::time::sleep(ACCEPT_AGAIN).await,
        }
    }
    drop((listener, own));
    closing.send_replace(true);
    let ended = async { while open.join_next().await.is_some() {} };
    let _ = tokio::time::timeout(limits.grace, ended).await;
    open.shutdown().await;
}

/// The next connection; never one where nobody listens.
async fn accept(listener: Option<&TcpListener>) -> std::io::Result<(TcpStream, SocketAddr)> {
    match listener {
        Some(listener) => listener.accept().await,
        None => std::future::pending().await,
    }
}

struct Door {
    settings: ApiSettings,
    router: Router,
    closed: watch::Receiver<bool>,
}

impl Door {
    async fn connection(&self, stream: TcpStream, peer: SocketAddr, plain: bool) {
        let Ok(local) = stream.local_addr() else { return };
        // Small answers go at once.
        let _ = stream.set_nodelay(true);
        let tls = self.settings.tls.as_ref().filter(|_| !plain);
        let peer = Peer { local, remote: peer, tls: tls.is_some() };
        match tls {
            None => self.talk(stream, peer).await,
            Some(certificate) => {
                let acceptor = TlsAcceptor::from(certificate.current(Timestamp::now()));
                let greeting = tokio::time::timeout(self.settings.limits.head, acceptor.accept(stream));
                if let Ok(Ok(stream)) = greeting.await {
                    self.talk(stream, peer).await;
                }
            }
        }
    }

    async fn talk<S: AsyncRead + AsyncWrite + Unpin + Send + 'static>(&self, stream: S, peer: Peer) {
        let limits = self.settings.limits;
        let service = service_fn(|request: hyper::Request<hyper::body::Incoming>| {
            let answer = guard::answer(request.map(Body::new), peer, &self.settings, &self.router);
            Box::pin(async move { Ok::<_, Infallible>(answer.await) })
        });
        let mut connection = http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(limits.head)
            .max_buf_size(HEAD_BYTES_MAX)
            .max_headers(HEAD_LINES_MAX)
            .serve_connection(TokioIo::new(Patient::new(stream, limits.write)), service);
        let mut closed = self.closed.clone();
        let mut closing = pin!(closed.wait_for(|closed| *closed));
        let mut told = false;
        let ended = loop {
            tokio::select! {
                ended = poll_fn(|cx| connection.poll_without_shutdown(cx)) => break ended,
                _ = &mut closing, if !told => {
                    told = true;
                    std::pin::Pin::new(&mut connection).graceful_shutdown();
                }
            }
        };
        let slow = ended.is_err_and(|error| error.is_timeout());
        let mut stream = connection.into_parts().io.into_inner();
        if slow && stream.heard() {
            let problem = Problem::new(StatusCode::REQUEST_TIMEOUT, "the request did not come in time");
            let _ = stream.write_all(&raw("408 Request Timeout", &problem)).await;
        }
        // Closed with bytes unread, a connection is reset, and the client may never see the answer.
        if stream.shutdown().await.is_ok() {
            // Not part of the connection: a thousand of them would have it at all times.
            let mut rest = vec![0; 16 * 1024];
            let drained = async { while stream.read(&mut rest).await.is_ok_and(|read| read > 0) {} };
            let _ = tokio::time::timeout(LINGER, drained).await;
        }
    }
}

/// Answers a connection that is one too many.
fn refuse(stream: &TcpStream, plain: bool) {
    if plain {
        let problem = Problem::new(StatusCode::SERVICE_UNAVAILABLE, "too many connections")
            .help("close some, or try again in a moment");
        // What does not go at once is not worth waiting for.
        let _ = stream.try_write(&raw("503 Service Unavailable\r\nretry-after: 1", &problem));
    }
}

/// An answer without hyper.
fn raw(status: &str, problem: &Problem) -> Vec<u8> {
    let text = problem.text();
    format!(
        "HTTP/1.1 {status}\r\ncontent-type: application/json\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{text}",
        text.len()
    )
    .into_bytes()
}
