//! One WebSocket as its session has it: bytes go to the socket at once as long as it takes them.
//!
//! Whoever flushes writes, and the driver reads, all under the session's lock: so there is one handle of the socket, and none
//! to share. When the socket takes no more, the channel is blocked and its driver, woken, waits for room:
//! only the driver registers for it, since a socket remembers one waiting task. Anything but a plain TCP stream may be
//! application code, which runs under no lock: its driver has it, and writes alone.

use super::outbox::{Form, MAX_SLICES, Outbox};
use crate::turn::Frames;
use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll, Waker, ready};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;

/// A stream that is no plain TCP socket.
pub(crate) trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Stream for T {}

/// What a WebSocket runs on.
pub(crate) enum Io {
    /// Written directly by whoever has something to send.
    Tcp(TcpStream),
    /// TLS, Unix sockets, anything else; written by its driver.
    Other(Box<dyn Stream>),
}

pub(super) struct Channel {
    pub(super) number: u32,
    /// The socket takes no more; the driver waits until it does.
    pub(super) blocked: bool,
    /// The socket has failed; nothing will ever be written again.
    pub(super) failed: bool,
    form: Form,
    /// None where the driver has it.
    stream: Option<TcpStream>,
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

/// What a driver does with a stream that it has itself, while nothing is locked.
pub(super) enum Errand {
    Write(Frames),
    Flush,
}

impl Channel {
    /// Without a stream where its driver has that.
    pub(super) fn new(number: u32, stream: Option<TcpStream>, form: Form) -> Self {
        Self { number, blocked: false, failed: false, form, stream, driver: None }
    }

    /// Reads once, for a driver that has no stream itself; 0 bytes when the client has ended it.
    pub(super) fn poll_read(&mut self, cx: &mut Context<'_>, buffer: &mut [u8]) -> Poll<io::Result<usize>> {
        match &mut self.stream {
            Some(stream) => read(stream, cx, buffer),
            None => Poll::Pending,
        }
    }

    /// Writes what is readable, as far as it goes without waiting.
    pub(super) fn write(&mut self, outbox: &mut Outbox) -> Progress {
        if self.blocked {
            return Progress::Blocked;
        }
        while !self.blocked && !self.failed {
            outbox.prepare(self.form);
            let written = match &self.stream {
                Some(stream) => match outbox.single() {
                    Some(bytes) => stream.try_write(bytes).map(|count| (count, bytes.len())),
                    None if outbox.readable() => {
                        let mut slices = [IoSlice::new(&[]); MAX_SLICES];
                        let (count, length) = outbox.slices(&mut slices);
                        stream.try_write_vectored(&slices[..count]).map(|written| (written, length))
                    }
                    None => return Progress::Done,
                },
                None if outbox.readable() => Err(io::ErrorKind::WouldBlock.into()),
                None => return Progress::Done,
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
            let Some(stream) = &self.stream else { break };
            match stream.poll_write_ready(cx) {
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

    /// What a driver that has the stream, and attends, is to do with it. Once there is nothing, it is woken when there is more.
    pub(super) fn errand(&mut self, outbox: &mut Outbox) -> Option<Errand> {
        if !self.blocked || self.failed {
            return None;
        }
        outbox.prepare(self.form);
        Some(outbox.next().map_or(Errand::Flush, Errand::Write))
    }

    /// How far the errand came: so many bytes are written; none, and all before is flushed.
    pub(super) fn ran(&mut self, result: io::Result<usize>, outbox: &mut Outbox) {
        match result {
            // What has been queued meanwhile is still to be written.
            Ok(0) => self.blocked = outbox.readable(),
            Ok(count) => outbox.advance(count),
            Err(_) => self.failed = true,
        }
    }

    pub(super) fn wake(&self) {
        if let Some(driver) = &self.driver {
            driver.wake_by_ref();
        }
    }

    /// Ends the writing direction; the stream, when the client can be expected to answer by ending its own.
    pub(super) fn shut(self, cx: &mut Context<'_>) -> Option<TcpStream> {
        let mut stream = self.stream?;
        // A call that does not wait. What has failed is read to its end at once.
        let _ = Pin::new(&mut stream).poll_shutdown(cx);
        Some(stream)
    }

    /// Closes the socket without a word; its driver, woken, sees that it is gone.
    pub(super) fn end(self) {
        self.wake();
    }
}

impl Errand {
    /// See [`Channel::ran`] for what comes of it.
    pub(super) fn poll(&self, stream: &mut Box<dyn Stream>, cx: &mut Context<'_>) -> Poll<io::Result<usize>> {
        let stream = Pin::new(stream);
        match self {
            Self::Write(frames) => match ready!(stream.poll_write(cx, frames.bytes().unwrap_or_default())) {
                Ok(0) => Poll::Ready(Err(io::ErrorKind::WriteZero.into())),
                written => Poll::Ready(written),
            },
            Self::Flush => stream.poll_flush(cx).map_ok(|()| 0),
        }
    }
}

/// Reads once; 0 bytes when the client has ended the stream.
pub(super) fn read(
    stream: &mut (impl AsyncRead + Unpin),
    cx: &mut Context<'_>,
    buffer: &mut [u8],
) -> Poll<io::Result<usize>> {
    let mut buffer = ReadBuf::new(buffer);
    Pin::new(stream).poll_read(cx, &mut buffer).map_ok(|()| buffer.filled().len())
}
