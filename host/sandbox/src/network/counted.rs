//! Streams that count what goes through them.

use super::live::Live;
use bytes::Bytes;
use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use wasmtime_wasi::p2::{
    DynInputStream, DynOutputStream, InputStream, OutputStream, Pollable, StreamError, StreamResult,
};

/// A connection of a request.
pub(super) struct Counted<S> {
    inner: S,
    live: Arc<Live>,
}

impl<S> Counted<S> {
    pub(super) fn new(inner: S, live: Arc<Live>) -> Self {
        Self { inner, live }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Counted<S> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        ready!(Pin::new(&mut self.inner).poll_read(cx, buffer))?;
        Poll::Ready(self.live.count(buffer.filled().len().saturating_sub(before)))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Counted<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let written = ready!(Pin::new(&mut self.inner).poll_write(cx, bytes))?;
        Poll::Ready(self.live.count(written).map(|()| written))
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_shutdown(cx)
    }
}

/// What a TCP socket receives.
pub(super) struct CountedInput {
    pub(super) inner: DynInputStream,
    pub(super) live: Arc<Live>,
}

/// What a TCP socket sends.
pub(super) struct CountedOutput {
    pub(super) inner: DynOutputStream,
    pub(super) live: Arc<Live>,
}

/// What `async_trait` would write.
type Ready<'a> = Pin<Box<dyn Future<Output = ()> + Send + 'a>>;

impl Pollable for CountedInput {
    fn ready<'a, 'b>(&'a mut self) -> Ready<'b>
    where
        'a: 'b,
        Self: 'b,
    {
        self.inner.ready()
    }
}

impl InputStream for CountedInput {
    fn read(&mut self, size: usize) -> StreamResult<Bytes> {
        let bytes = self.inner.read(size)?;
        self.live.count(bytes.len()).map_err(|_| StreamError::Closed)?;
        Ok(bytes)
    }

    fn cancel<'a, 'b>(&'a mut self) -> Ready<'b>
    where
        'a: 'b,
        Self: 'b,
    {
        self.inner.cancel()
    }
}

impl Pollable for CountedOutput {
    fn ready<'a, 'b>(&'a mut self) -> Ready<'b>
    where
        'a: 'b,
        Self: 'b,
    {
        self.inner.ready()
    }
}

impl OutputStream for CountedOutput {
    fn write(&mut self, bytes: Bytes) -> StreamResult<()> {
        self.live.count(bytes.len()).map_err(|_| StreamError::Closed)?;
        self.inner.write(bytes)
    }

    fn flush(&mut self) -> StreamResult<()> {
        self.inner.flush()
    }

    fn check_write(&mut self) -> StreamResult<usize> {
        self.inner.check_write()
    }

    fn cancel<'a, 'b>(&'a mut self) -> Ready<'b>
    where
        'a: 'b,
        Self: 'b,
    {
        self.inner.cancel()
    }
}
