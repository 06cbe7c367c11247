//! Requests of `wasi:http`, made by the host for a stage. Redirects are the stage's own business: each is a request of its
//! own, to a server that has to be granted.

use super::Net;
use super::connect::{Server, connect};
use super::live::{Live, Permit};
use super::refused::Refusal;
use bytes::Bytes;
use http::header::{HOST, HeaderValue};
use http::{Method, Request, Response, Uri};
use http_body::{Body, Frame, SizeHint};
use http_body_util::BodyExt;
use hyper::body::Incoming;
use sluicebox_model::net::{Host, Scheme, host_and_port};
use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::time::{Instant, Sleep};
use wasmtime_wasi::runtime::{AbortOnDropJoinHandle, spawn};
use wasmtime_wasi_http::io::TokioIo;
use wasmtime_wasi_http::p2::bindings::http::types::{DnsErrorPayload, ErrorCode};
use wasmtime_wasi_http::{Error, RequestOptions, WasiBody, WasiHttpHooks};

/// Bytes of the head of an answer, and its fields.
pub(super) const HEAD_BYTES_MAX: usize = 64 * 1024;
pub(super) const HEAD_FIELDS_MAX: usize = 128;
/// Bytes of a body that wait in the host to be sent.
pub(super) const CHUNK_BYTES_MAX: usize = 64 * 1024;
/// How long an answer may be silent, where the guest asks for no less; calls have limits of their own.
pub(super) const SILENT_MAX: Duration = Duration::from_secs(600);

/// How the engine's side of a request is told to end.
type Done = Box<dyn Future<Output = Result<(), Error>> + Send>;
type Answered = Result<(Response<WasiBody>, Done), Error>;

impl WasiHttpHooks for Net {
    fn send_request(
        &mut self,
        request: Request<WasiBody>,
        options: Option<RequestOptions>,
        _read: Done,
    ) -> Box<dyn Future<Output = Answered> + Send> {
        let live = Arc::clone(&self.live);
        // Refused at once, in the call that asks for it.
        match granted(&live, &request) {
            Ok(server) => Box::new(async move { send(&live, server, request, options.unwrap_or_default()).await }),
            Err(error) => Box::new(std::future::ready(Err(error))),
        }
    }

    /// It is written from the server that was found to be granted.
    fn set_host_header(&mut self) -> bool {
        false
    }

    fn p2_outgoing_body_buffer_chunks(&mut self) -> usize {
        1
    }

    fn p2_outgoing_body_chunk_size(&mut self) -> usize {
        CHUNK_BYTES_MAX
    }

    fn p2_error_from_hyper(&mut self, error: &hyper::Error) -> ErrorCode {
        if error.is_incomplete_message() || error.is_closed() || error.is_canceled() {
            return ErrorCode::ConnectionTerminated;
        }
        match of_io(error) {
            Some(_) => ErrorCode::ConnectionTerminated,
            None => ErrorCode::HttpProtocolError,
        }
    }

    fn p2_error_from_connect(&mut self, error: &io::Error) -> ErrorCode {
        match error.kind() {
            io::ErrorKind::TimedOut => ErrorCode::ConnectionTimeout,
            io::ErrorKind::HostUnreachable | io::ErrorKind::NetworkUnreachable => ErrorCode::DestinationIpUnroutable,
            io::ErrorKind::NotFound => ErrorCode::DnsError(DnsErrorPayload { rcode: None, info_code: None }),
            _ => ErrorCode::ConnectionRefused,
        }
    }

    fn p2_error_from_tls(&mut self, _: &io::Error) -> ErrorCode {
        ErrorCode::TlsProtocolError
    }
}

fn of_io<'a>(error: &'a (dyn std::error::Error + 'static)) -> Option<&'a io::Error> {
    std::iter::successors(error.source(), |error| error.source()).find_map(|error| error.downcast_ref())
}

/// The server that a request is for, if it is granted. What the request says of it in one place has to be all that it says.
fn granted<B>(live: &Live, request: &Request<B>) -> Result<Server, Error> {
    let uri = request.uri();
    let authority = uri.authority().map_or("", |authority| authority.as_str());
    let refuse = |what, text: &str, error| {
        live.refuse(Refusal::Request { what, text: text.to_owned() });
        Err(error)
    };
    if request.method() == Method::CONNECT {
        return refuse("to be connected through another server", authority, Error::HttpRequestMethodInvalid);
    }
    let Some(scheme) = uri.scheme_str().and_then(Scheme::parse) else {
        return refuse("of another scheme than http and https", authority, Error::HttpProtocolError);
    };
    if authority.contains('@') {
        // What stands before the @ may be a password.
        let shown = authority.rsplit('@').next().unwrap_or_default();
        return refuse("with a user in its address", shown, Error::HttpRequestUriInvalid);
    }
    let host = host_and_port(authority).and_then(|(host, port)| Ok((Host::parse(host)?, port)));
    let Ok((host, port)) = host else {
        return refuse("to what names no server", authority, Error::HttpRequestUriInvalid);
    };
    // A whole URL in its place would tell a proxy to go elsewhere.
    if !path(uri).starts_with('/') {
        return refuse("whose path does not begin with `/`", path(uri), Error::HttpRequestUriInvalid);
    }
    if request.headers().contains_key(HOST) {
        return refuse("that names its host twice", authority, Error::HttpRequestDenied);
    }
    let port = port.unwrap_or(scheme.port());
    if !live.access.grants.grants_http(scheme, &host, port) {
        live.refuse(Refusal::Server { scheme, host, port });
        return Err(Error::HttpRequestDenied);
    }
    Ok(Server { scheme, host, port })
}

fn path(uri: &Uri) -> &str {
    uri.path_and_query().map_or("/", |path| path.as_str())
}

/// Makes a request to a server that is granted, and answers as soon as its head has come.
async fn send(live: &Arc<Live>, server: Server, mut request: Request<WasiBody>, options: RequestOptions) -> Answered {
    let (stream, permit) = connect(live, &server, options.connect_timeout).await?;
    let head = path(request.uri()).parse::<Uri>().map_err(|_| Error::HttpRequestUriInvalid)?;
    *request.uri_mut() = head;
    let own_port = server.port == server.scheme.port();
    let host = if own_port { server.host.to_string() } else { format!("{}:{}", server.host, server.port) };
    let host = HeaderValue::try_from(host).map_err(|_| Error::HttpRequestUriInvalid)?;
    request.headers_mut().insert(HOST, host);
    let (mut sender, connection) = hyper::client::conn::http1::Builder::new()
        .max_buf_size(HEAD_BYTES_MAX)
        .max_headers(HEAD_FIELDS_MAX)
        .handshake::<_, WasiBody>(TokioIo::new(stream))
        .await?;
    // The connection counts as open until whoever reads the answer lets go of it.
    let connection: AbortOnDropJoinHandle<_> = spawn(drive(connection, permit));
    let silent = options.first_byte_timeout.unwrap_or(SILENT_MAX).min(SILENT_MAX);
    let answer = tokio::time::timeout(silent, sender.send_request(request)).await;
    let answer = answer.map_err(|_| Error::ConnectionReadTimeout)??;
    let between = options.between_bytes_timeout.unwrap_or(SILENT_MAX).min(SILENT_MAX);
    let answer = answer.map(|incoming| AnswerBody::new(incoming, between).boxed_unsync());
    Ok((answer, Box::new(connection)))
}

async fn drive(connection: impl Future<Output = hyper::Result<()>>, permit: Permit) -> Result<(), Error> {
    let ended = connection.await;
    drop(permit);
    Ok(ended?)
}

/// The body of an answer, which may not be silent for too long.
struct AnswerBody {
    incoming: Incoming,
    between: Duration,
    silence: Pin<Box<Sleep>>,
}

impl AnswerBody {
    fn new(incoming: Incoming, between: Duration) -> Self {
        Self { incoming, between, silence: Box::pin(tokio::time::sleep(between)) }
    }
}

impl Body for AnswerBody {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Self::Data>, Self::Error>>> {
        if let Poll::Ready(frame) = Pin::new(&mut self.incoming).poll_frame(cx) {
            let until = Instant::now() + self.between;
            self.silence.as_mut().reset(until);
            return Poll::Ready(frame.map(|frame| frame.map_err(Error::from)));
        }
        match self.silence.as_mut().poll(cx) {
            Poll::Ready(()) => Poll::Ready(Some(Err(Error::ConnectionReadTimeout))),
            Poll::Pending => Poll::Pending,
        }
    }

    fn is_end_stream(&self) -> bool {
        self.incoming.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.incoming.size_hint()
    }
}
