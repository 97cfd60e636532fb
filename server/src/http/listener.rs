//! A TCP listener for [`axum::serve()`] under which no request is lost that a client gives up at once, with or without the
//! [fast front](super::fast).
//!
//! hyper drops a request unseen when the end of its connection is read together with it. For a poll that end is news: the
//! session is over. So the end of a connection is told a moment late, when what came before it is under way.

use super::fast::Fast;
use crate::session::Hub;
use axum::extract::connect_info::Connected;
use axum::serve;
use std::future::poll_fn;
use std::io::{self, IoSlice};
use std::net::SocketAddr;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};

/// A TCP listener for [`axum::serve()`]. A server works behind any listener; behind this one a polling client that breaks off
/// right behind its request is noticed at once, and not when its heartbeat stays away. Its connections send without delay
/// (`TCP_NODELAY`). [`Server::listener`](crate::Server::listener) makes one that also answers the server's requests itself.
///
/// ```no_run
/// # async fn serve(server: encke_server::Server) -> std::io::Result<()> {
/// let listener = tokio::net::TcpListener::bind("127.0.0.1:3000").await?;
/// axum::serve(encke_server::Listener::from(listener), server.router()).await
/// # }
/// ```
#[derive(Debug)]
pub struct Listener {
    tcp: TcpListener,
    fast: Option<Fast>,
}

/// The address of a client behind a [`Listener`], for whoever would like to know it: `ConnectInfo<Remote>` in handlers of one's
/// own, and [`Handshake::remote_address`](crate::Handshake::remote_address).
///
/// ```no_run
/// # async fn serve(app: axum::Router, listener: encke_server::Listener) -> std::io::Result<()> {
/// let app = app.into_make_service_with_connect_info::<encke_server::Remote>();
/// axum::serve(listener, app).await
/// # }
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Remote(pub SocketAddr);

impl Connected<serve::IncomingStream<'_, Listener>> for Remote {
    fn connect_info(stream: serve::IncomingStream<'_, Listener>) -> Self {
        Self(*stream.remote_addr())
    }
}

/// A connection that a [`Listener`] has accepted.
///
/// ```no_run
/// # async fn accept(mut listener: encke_server::Listener) {
/// use axum::serve::Listener;
/// let (connection, address): (encke_server::Connection, _) = listener.accept().await;
/// println!("{address} has come: {connection:?}");
/// # }
/// ```
#[derive(Debug)]
pub struct Connection {
    stream: TcpStream,
    /// Read already, and not been told.
    unread: Vec<u8>,
    /// The end has been read, and not been told.
    ended: bool,
}

impl From<TcpListener> for Listener {
    fn from(tcp: TcpListener) -> Self {
        Self { tcp, fast: None }
    }
}

impl Listener {
    /// With the fast front, where there may be one.
    pub(crate) fn serving(tcp: TcpListener, hub: Arc<Hub>) -> Self {
        Self { tcp, fast: Fast::new(hub) }
    }
}

impl serve::Listener for Listener {
    type Io = Connection;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Connection, SocketAddr) {
        loop {
            let (stream, address) = match &mut self.fast {
                None => serve::Listener::accept(&mut self.tcp).await,
                Some(fast) => {
                    let mut accepting = pin!(serve::Listener::accept(&mut self.tcp));
                    let next = poll_fn(|cx| match fast.poll_handed(cx) {
                        Poll::Ready(handed) => Poll::Ready(Err(handed)),
                        Poll::Pending => accepting.as_mut().poll(cx).map(Ok),
                    });
                    match next.await {
                        Ok(accepted) => accepted,
                        Err(handed) => return handed,
                    }
                }
            };
            // Answers of polling are small and wanted at once. A socket that refuses is about to fail anyway.
            let _ = stream.set_nodelay(true);
            match &self.fast {
                None => return (Connection::begun(stream, Vec::new()), address),
                Some(fast) => fast.serve(stream, address),
            }
        }
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.tcp.local_addr()
    }
}

impl Connection {
    /// A connection of which that was read.
    pub(super) fn begun(stream: TcpStream, unread: Vec<u8>) -> Self {
        Self { stream, unread, ended: false }
    }

    /// The socket, and what nobody has been told that was read.
    pub(super) fn into_inner(self) -> (TcpStream, Vec<u8>) {
        (self.stream, self.unread)
    }
}

impl AsyncRead for Connection {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if !self.unread.is_empty() {
            let count = self.unread.len().min(buffer.remaining());
            buffer.put_slice(&self.unread[..count]);
            self.unread.drain(..count);
            if self.unread.is_empty() {
                self.unread = Vec::new();
            }
            return Poll::Ready(Ok(()));
        }
        let before = buffer.filled().len();
        let polled = Pin::new(&mut self.stream).poll_read(cx, buffer);
        let over = match &polled {
            Poll::Pending => false,
            Poll::Ready(Ok(())) => buffer.filled().len() == before && buffer.remaining() > 0,
            // Said once; the next read finds the end.
            Poll::Ready(Err(_)) => true,
        };
        if over && !std::mem::replace(&mut self.ended, true) {
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        polled
    }
}

impl AsyncWrite for Connection {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(cx, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }
}
