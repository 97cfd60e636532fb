//! One WebSocket as its session has it: bytes go to the socket at once as long as it takes them.
//!
//! Whoever flushes writes, and the driver reads, all under the session's lock: so there is one handle of the socket, and none
//! to share. When the socket takes no more, the channel is blocked and its driver, woken, waits for room:
//! only the driver registers for it, since a socket remembers one waiting task. Anything but a plain TCP stream is written
//! by its driver alone.

use super::outbox::{Form, MAX_SLICES, Outbox};
use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll, Waker};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;

/// A stream that is no plain TCP socket.
pub(crate) trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Stream for T {}

/// What a WebSocket runs on.
pub(crate) enum Io {
    /// Written directly by whoever has something to send.
    Tcp(TcpStream),
    /// TLS, Unix sockets, anything else.
    Other(Box<dyn Stream>),
}

pub(super) struct Channel {
    pub(super) number: u32,
    /// The socket takes no more; the driver waits until it does.
    pub(super) blocked: bool,
    /// The socket has failed; nothing will ever be written again.
    pub(super) failed: bool,
    form: Form,
    io: Io,
    driver: Option<Waker>,
}

/// How far a write came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Progress {
    /// All that is readable is written.
    Done,
    /// The socket takes no more.
    Blocked,
}

impl Channel {
    pub(super) fn new(number: u32, io: Io, form: Form) -> Self {
        Self { number, blocked: false, failed: false, form, io, driver: None }
    }

    /// Reads once, for the driver; 0 bytes when the client has ended the stream.
    pub(super) fn poll_read(&mut self, cx: &mut Context<'_>, buffer: &mut [u8]) -> Poll<io::Result<usize>> {
        let mut buffer = ReadBuf::new(buffer);
        let polled = match &mut self.io {
            Io::Tcp(stream) => Pin::new(stream).poll_read(cx, &mut buffer),
            Io::Other(stream) => Pin::new(stream).poll_read(cx, &mut buffer),
        };
        polled.map_ok(|()| buffer.filled().len())
    }

    /// Writes what is readable, as far as it goes without waiting.
    pub(super) fn write(&mut self, outbox: &mut Outbox) -> Progress {
        if self.blocked {
            return Progress::Blocked;
        }
        while !self.blocked && !self.failed {
            outbox.prepare(self.form);
            let written = match &self.io {
                Io::Tcp(stream) => match outbox.single() {
                    Some(bytes) => stream.try_write(bytes).map(|count| (count, bytes.len())),
                    None if outbox.readable() => {
                        let mut slices = [IoSlice::new(&[]); MAX_SLICES];
                        let (count, length) = outbox.slices(&mut slices);
                        stream.try_write_vectored(&slices[..count]).map(|written| (written, length))
                    }
                    None => return Progress::Done,
                },
                Io::Other(_) if outbox.readable() => Err(io::ErrorKind::WouldBlock.into()),
                Io::Other(_) => return Progress::Done,
            };
            match written {
                Ok((count, length)) => {
                    outbox.advance(count);
                    // Less than all: the next try would only be told to wait.
                    self.blocked = count < length;
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => self.blocked = true,
                Err(_) => self.failed = true,
            }
        }
        self.wake();
        if self.failed {
            outbox.clear();
            return Progress::Done;
        }
        Progress::Blocked
    }

    /// The driver's part: it waits for room where there is none, and is woken when something happens to the channel.
    pub(super) fn attend(&mut self, cx: &mut Context<'_>, outbox: &mut Outbox) {
        while self.blocked && !self.failed {
            let polled = match &mut self.io {
                Io::Tcp(stream) => stream.poll_write_ready(cx),
                Io::Other(stream) => drain(Pin::new(stream), cx, outbox, self.form),
            };
            match polled {
                Poll::Pending => break,
                Poll::Ready(Err(_)) => self.failed = true,
                Poll::Ready(Ok(())) => {
                    self.blocked = false;
                    self.write(outbox);
                }
            }
        }
        if self.driver.as_ref().is_none_or(|driver| !driver.will_wake(cx.waker())) {
            self.driver = Some(cx.waker().clone());
        }
    }

    pub(super) fn wake(&self) {
        if let Some(driver) = &self.driver {
            driver.wake_by_ref();
        }
    }

    /// Ends the writing direction; the stream, when the client can be expected to answer by ending its own.
    pub(super) fn shut(self, cx: &mut Context<'_>) -> Option<TcpStream> {
        let Io::Tcp(mut stream) = self.io else { return None };
        // A call that does not wait. What has failed is read to its end at once.
        let _ = Pin::new(&mut stream).poll_shutdown(cx);
        Some(stream)
    }

    /// Closes the socket without a word; its driver, woken, sees that it is gone.
    pub(super) fn end(self) {
        self.wake();
    }
}

/// Writes all that is readable.
fn drain(
    mut stream: Pin<&mut Box<dyn Stream>>,
    cx: &mut Context<'_>,
    outbox: &mut Outbox,
    form: Form,
) -> Poll<io::Result<()>> {
    outbox.prepare(form);
    while let Some(bytes) = outbox.oldest() {
        match stream.as_mut().poll_write(cx, bytes) {
            Poll::Pending => return Poll::Pending,
            Poll::Ready(Ok(0)) => return Poll::Ready(Err(io::ErrorKind::WriteZero.into())),
            Poll::Ready(Ok(count)) => outbox.advance(count),
            Poll::Ready(Err(error)) => return Poll::Ready(Err(error)),
        }
    }
    stream.poll_flush(cx)
}
