//! The task of one WebSocket: reads frames, hands their packets to the session, and waits for room to write.
//!
//! Owns the socket's reading end and the bytes of a frame that is not complete; nothing else is kept while the connection
//! is idle. Decides nothing about the session.

use super::channel::{Channel, Io, Reader, Stream};
use super::hub::Hub;
use super::outbox::Form;
use super::{After, Session};
use crate::frame::{CloseCode, Decoded, Decoder, Message, Violation};
use crate::namespace::Handshake;
use crate::turn;
use encke_protocol::Timestamp;
use encke_protocol::engine::server::Input;
use encke_protocol::engine::{CloseReason, Data, Packet, ProtocolError, Transport, Version, v3};
use std::borrow::Cow;
use std::cell::Cell;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;
use tokio::io::AsyncWriteExt;

/// Bytes read at once, into a buffer of the thread.
const SCRATCH_BYTES: usize = 64 * 1024;
/// Reads before other connections have their turn.
const MAX_READS: usize = 4;
/// For a client to answer the close of its WebSocket, and for what is still queued to go out.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(2);

thread_local! {
    static SCRATCH: Cell<Vec<u8>> = const { Cell::new(Vec::new()) };
}

/// Lends this thread's buffer for reading, whatever stands in it.
pub(crate) fn with_scratch<T>(work: impl FnOnce(&mut [u8]) -> T) -> T {
    let mut scratch = SCRATCH.take();
    scratch.resize(SCRATCH_BYTES, 0);
    let result = work(&mut scratch);
    SCRATCH.set(scratch);
    result
}

/// Promises a session a second WebSocket. Dropped before the WebSocket is there, it takes the promise back.
pub(crate) struct Upgrade {
    /// Taken when the promise is kept.
    session: Option<Arc<Session>>,
    number: u32,
}

impl Upgrade {
    /// # Errors
    /// The session takes no WebSocket now.
    pub(crate) fn begin(session: Arc<Session>) -> Result<Self, ProtocolError> {
        let now = session.hub.now();
        let number = turn::run(|| session.update(|state| state.expect_probe(now)))?;
        Ok(Self { session: Some(session), number })
    }
}

impl Drop for Upgrade {
    fn drop(&mut self) {
        if let Some(session) = self.session.take() {
            session.websocket_closed(self.number, CloseReason::TransportError, None);
        }
    }
}

/// What a WebSocket is for.
pub(crate) enum Purpose {
    /// A session of its own.
    Open(Version, Handshake),
    /// It would like to carry a session that there is.
    Upgrade(Upgrade),
}

/// A task that drives a WebSocket until it ends, if there may be one. `early` are bytes that were read with the request;
/// `greeting` stands before what a session of its own says first, and has to be written already where that is put into
/// another form.
pub(crate) fn drive(
    hub: &Arc<Hub>,
    io: Io,
    early: Vec<u8>,
    purpose: Purpose,
    form: Form,
    greeting: Vec<u8>,
) -> Option<Driver> {
    debug_assert!(greeting.is_empty() || form == Form::Plain, "a greeting is no frame");
    let deflates = matches!(form, Form::Deflated { .. });
    let (reader, channel) = io.split(form);
    let (session, number) = attach(hub, channel, purpose, greeting)?;
    hub.driver_started();
    let mut driver = Driver {
        session,
        number,
        deflates,
        reader,
        partial: early,
        decoder: Decoder::default(),
        phase: Phase::Open,
    };
    if !driver.partial.is_empty() {
        driver.take(&mut []);
    }
    Some(driver)
}

/// Closes a WebSocket that no session takes.
pub(crate) async fn turn_away(io: Io) {
    let mut stream: Box<dyn Stream> = match io {
        Io::Tcp(stream) => Box::new(stream),
        Io::Other(stream) => stream,
    };
    let goodbye = async {
        stream.write_all(&CloseCode::Policy.frame()).await?;
        stream.shutdown().await?;
        // Until the client has closed its end, as in `Driver::discard`.
        tokio::io::copy(&mut stream, &mut tokio::io::sink()).await
    };
    let _ = tokio::time::timeout(CLOSE_TIMEOUT, goodbye).await;
}

fn attach(
    hub: &Arc<Hub>,
    channel: impl FnOnce(u32) -> Channel,
    purpose: Purpose,
    greeting: Vec<u8>,
) -> Option<(Arc<Session>, u32)> {
    turn::run(|| match purpose {
        Purpose::Upgrade(mut upgrade) => {
            let (session, number) = (upgrade.session.take()?, upgrade.number);
            session.update(|state| state.attach_probe(number, channel));
            Some((session, number))
        }
        Purpose::Open(version, handshake) => {
            let session = hub.open(version, Transport::WebSocket, None, handshake)?;
            let number = session.update(|state| state.carry(channel, greeting));
            session.begin();
            Some((session, number))
        }
    })
}

/// Reads one WebSocket. A future by hand, since it is most of what an idle connection costs.
pub(crate) struct Driver {
    session: Arc<Session>,
    number: u32,
    /// Compressed messages were agreed on.
    deflates: bool,
    reader: Reader,
    /// The beginning of a frame.
    partial: Vec<u8>,
    decoder: Decoder,
    phase: Phase,
}

enum Phase {
    Open,
    /// The session is over; what is queued goes out, until then.
    Closing {
        until: Pin<Box<tokio::time::Sleep>>,
    },
    /// It has gone out and our end is closed; the client's is awaited, until then.
    Shut {
        until: Pin<Box<tokio::time::Sleep>>,
    },
    /// The client has broken the rules: what it still sends is not looked at.
    Violated,
    /// The client has closed its end: there is nothing to read any more.
    Closed,
}

/// What there is to do for a driver.
enum Attention {
    Read,
    /// Nothing, until it is woken.
    Wait,
    /// The socket has failed.
    Failed,
    /// The session is over.
    Close {
        flushed: bool,
    },
    /// The socket has nothing to do with the session any more.
    Gone,
}

impl Future for Driver {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        self.advance(cx)
    }
}

impl Drop for Driver {
    fn drop(&mut self) {
        // Also when the runtime goes down with the task in it.
        self.session.hub.driver_ended();
    }
}

impl Driver {
    fn advance(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        if let Phase::Shut { .. } = self.phase {
            return self.discard(cx);
        }
        for _ in 0..MAX_READS {
            match self.attend(cx) {
                Attention::Read => ready!(self.read(cx)),
                Attention::Wait => return Poll::Pending,
                Attention::Failed => self.end(CloseReason::TransportError, None),
                Attention::Close { flushed } => return self.close(cx, flushed),
                Attention::Gone => return self.finish(),
            }
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    }

    fn attend(&self, cx: &mut Context<'_>) -> Attention {
        let mut state = crate::lock(&self.session.state);
        let (dropped, paused) = (state.dropped, state.is_paused());
        let Some((channel, outbox)) = state.channel(self.number) else { return Attention::Gone };
        channel.attend(cx, outbox);
        match (channel.failed, dropped) {
            (true, true) => Attention::Gone,
            (true, false) => Attention::Failed,
            (false, true) => Attention::Close { flushed: outbox.is_empty() },
            (false, false) if paused => Attention::Wait,
            (false, false) => Attention::Read,
        }
    }

    /// Reads once and handles what came.
    fn read(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        with_scratch(|scratch| {
            let polled = self.reader.poll_read(cx, scratch);
            match &polled {
                Poll::Pending => {}
                Poll::Ready(Ok(0)) => self.end(CloseReason::TransportClose, None),
                Poll::Ready(Ok(count)) => self.take(&mut scratch[..*count]),
                Poll::Ready(Err(_)) => self.end(CloseReason::TransportError, None),
            }
            polled.map(drop)
        })
    }

    /// Handles the frames in `bytes` behind those that were incomplete: one turn.
    fn take(&mut self, bytes: &mut [u8]) {
        turn::run(|| {
            let now = self.session.hub.now();
            if self.partial.is_empty() {
                let taken = self.decode(now, bytes);
                self.partial.extend_from_slice(&bytes[taken..]);
            } else {
                let mut partial = std::mem::take(&mut self.partial);
                partial.extend_from_slice(bytes);
                let taken = self.decode(now, &mut partial);
                if taken < partial.len() {
                    partial.drain(..taken);
                    self.partial = partial;
                }
            }
        });
        self.decoder.release();
    }

    /// Handles whole frames; how many bytes they took.
    fn decode(&mut self, now: Timestamp, bytes: &mut [u8]) -> usize {
        let limit = self.session.hub.config.limits.max_payload as usize;
        let mut taken = 0;
        while let Phase::Open = self.phase {
            match self.decoder.decode(&mut bytes[taken..], limit, self.deflates) {
                Ok(Decoded::Incomplete) => return taken,
                Ok(Decoded::Frame { consumed, message }) => {
                    taken += consumed;
                    match message {
                        None => {}
                        Some(Message::Close(_)) => self.end(CloseReason::TransportClose, None),
                        Some(message) => self.session.message(now, self.number, message),
                    }
                }
                Err(violation) => self.end(CloseReason::TransportError, Some(violation)),
            }
        }
        bytes.len()
    }

    /// The client has ended the WebSocket, or broken its rules.
    fn end(&mut self, reason: CloseReason, violation: Option<Violation>) {
        self.phase = if violation.is_some() { Phase::Violated } else { Phase::Closed };
        self.session.websocket_closed(self.number, reason, violation);
    }

    /// Sees to it that what is queued goes out, then closes this end.
    fn close(&mut self, cx: &mut Context<'_>, flushed: bool) -> Poll<()> {
        let mut until = match std::mem::replace(&mut self.phase, Phase::Closed) {
            Phase::Closed if flushed => return self.finish(),
            Phase::Open | Phase::Violated | Phase::Closed => Box::pin(tokio::time::sleep(CLOSE_TIMEOUT)),
            Phase::Closing { until } | Phase::Shut { until } => until,
        };
        if until.as_mut().poll(cx).is_ready() {
            return self.finish();
        }
        if !flushed {
            self.phase = Phase::Closing { until };
            return Poll::Pending;
        }
        let carrier = crate::lock(&self.session.state).carrier.take();
        if !carrier.is_some_and(Channel::shut) {
            return Poll::Ready(());
        }
        self.phase = Phase::Shut { until };
        self.discard(cx)
    }

    /// Waits for the client to close its end: closing with unread bytes would reset the connection and could cost the
    /// client what it was sent last.
    fn discard(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let Phase::Shut { until } = &mut self.phase else { return Poll::Ready(()) };
        if until.as_mut().poll(cx).is_ready() {
            return Poll::Ready(());
        }
        with_scratch(|scratch| {
            loop {
                match self.reader.poll_read(cx, scratch) {
                    Poll::Pending => return Poll::Pending,
                    Poll::Ready(Ok(count)) if count > 0 => {}
                    Poll::Ready(_) => return Poll::Ready(()),
                }
            }
        })
    }

    fn finish(&mut self) -> Poll<()> {
        let mut state = crate::lock(&self.session.state);
        if let Some(carrier) = state.carrier.take_if(|carrier| carrier.number == self.number) {
            carrier.end();
            // Nobody will read it, and the application may keep a socket, and with it this, for long.
            state.outbox.clear();
        }
        Poll::Ready(())
    }
}

impl Session {
    /// A message or control frame on the WebSocket of that number.
    fn message(self: &Arc<Self>, now: Timestamp, number: u32, message: Message<'_>) {
        let data = match message {
            Message::Text(text) => Data::Text(text),
            Message::Binary(bytes) => Data::Binary(Cow::Borrowed(bytes)),
            Message::Ping(payload) => return self.update(|state| state.pong(number, payload)),
            Message::Pong(_) | Message::Close(_) => return,
        };
        let packet = match self.version {
            Version::V3 => v3::decode(data),
            Version::V4 => Packet::decode(data),
        };
        let input = match packet {
            Ok(packet) => Input::Packet(Transport::WebSocket, packet),
            Err(_) => Input::Malformed(Transport::WebSocket),
        };
        // What the machine refuses comes too late: the session is over, or the WebSocket no part of it any more.
        if let Ok(task) = self.update(|state| state.packet(now, number, input, &self.hub.limits)) {
            let _: After = self.perform(now, task);
        }
    }

    fn websocket_closed(self: &Arc<Self>, number: u32, reason: CloseReason, violation: Option<Violation>) {
        turn::run(|| {
            let now = self.hub.now();
            let task = self
                .update(|state| state.websocket_closed(now, number, (reason, violation), &self.hub.limits));
            self.perform(now, task);
        });
    }
}
