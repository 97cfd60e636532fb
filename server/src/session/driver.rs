//! The task of one WebSocket: reads frames, hands their packets to the session, and waits for room to write.
//!
//! Owns the bytes of a frame that is not complete, and a stream that may be application code; nothing else is kept while the
//! connection is idle. Decides nothing about the session.

mod ending;

pub(crate) use ending::turn_away;

use super::channel::{self, Channel, Io, Stream};
use super::hub::Hub;
use super::outbox::Form;
use super::{After, Session};
use crate::frame::{Decoded, Decoder, Message, Violation};
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

/// Bytes read at once, into a buffer of the thread.
const SCRATCH_BYTES: usize = 64 * 1024;
/// Reads before other connections have their turn.
const MAX_READS: usize = 4;

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
    mut early: Vec<u8>,
    purpose: Purpose,
    form: Form,
    greeting: Vec<u8>,
) -> Option<Driver> {
    debug_assert!(greeting.is_empty() || form == Form::Plain, "a greeting is no frame");
    let deflates = matches!(form, Form::Deflated { .. });
    let (tcp, foreign) = match io {
        Io::Tcp(stream) => (Some(stream), None),
        Io::Other(stream) => (None, Some(stream)),
    };
    let (session, number) = attach(hub, |number| Channel::new(number, tcp, form), purpose, greeting)?;
    let driver = Presence::new(session);
    let mut reading = Reading { driver, unfinished: None, number, deflates, phase: Phase::Open };
    if !early.is_empty() {
        reading.take(&mut early);
    }
    Some(match foreign {
        None => Driver::Reading(reading),
        stream => Driver::Foreign(Box::new(Foreign { stream, reading })),
    })
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
pub(crate) enum Driver {
    Reading(Reading),
    /// As well, from a stream that its session does not have.
    Foreign(Box<Foreign>),
    /// The session is over.
    Ending(Pin<Box<dyn Future<Output = ()> + Send>>),
}

// What is larger makes a task of 256 bytes in place of 128.
#[cfg(target_pointer_width = "64")]
const _: () = assert!(size_of::<Driver>() <= 24);

pub(crate) struct Foreign {
    /// Taken when the session is over.
    stream: Option<Box<dyn Stream>>,
    reading: Reading,
}

pub(crate) struct Reading {
    driver: Presence,
    /// What has come of something that is not complete.
    unfinished: Option<Box<Unfinished>>,
    number: u32,
    /// Compressed messages were agreed on.
    deflates: bool,
    phase: Phase,
}

/// A driver of that session, as long as it is there; also when the runtime goes down with the task in it.
struct Presence(Arc<Session>);

#[derive(Default)]
struct Unfinished {
    /// The beginning of a frame.
    partial: Vec<u8>,
    decoder: Decoder,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Phase {
    Open,
    /// The client has broken the rules: what it still sends is not looked at.
    Violated,
    /// The client has closed its end: there is nothing to read any more.
    Closed,
}

/// What there is to do for a driver.
enum Attention {
    /// So many bytes have come.
    Take(usize),
    /// Nothing, until it is woken.
    Wait,
    /// The client has ended the stream, or that has failed.
    End(CloseReason),
    /// The session is over.
    Close { flushed: bool },
    /// The socket has nothing to do with the session any more.
    Gone,
}

impl Presence {
    fn new(session: Arc<Session>) -> Self {
        session.hub.driver_started();
        Self(session)
    }
}

impl Drop for Presence {
    fn drop(&mut self) {
        self.0.hub.driver_ended();
    }
}

impl Future for Driver {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        loop {
            let (reading, stream) = match &mut *self {
                Self::Reading(reading) => (reading, None),
                Self::Foreign(foreign) => (&mut foreign.reading, foreign.stream.as_mut()),
                Self::Ending(ending) => return ending.as_mut().poll(cx),
            };
            let done = ready!(reading.advance(stream, cx));
            let (session, number) = (reading.driver.0.clone(), reading.number);
            if done {
                session.let_go_of(number);
                return Poll::Ready(());
            }
            let stream = match &mut *self {
                Self::Foreign(foreign) => foreign.stream.take(),
                _ => None,
            };
            *self = Self::Ending(Box::pin(ending::close(Presence::new(session), number, stream)));
        }
    }
}

impl Reading {
    /// Reads until the session is over, from `foreign` unless the session has the stream. Whether nothing is left to be done
    /// then.
    fn advance(&mut self, mut foreign: Option<&mut Box<dyn Stream>>, cx: &mut Context<'_>) -> Poll<bool> {
        for _ in 0..MAX_READS {
            let attention = with_scratch(|scratch| {
                let attention = self.attend(foreign.as_deref_mut(), cx, scratch);
                if let Attention::Take(count) = attention {
                    self.take(&mut scratch[..count]);
                }
                attention
            });
            match attention {
                Attention::Take(_) => {}
                Attention::Wait => return Poll::Pending,
                Attention::End(reason) => self.end(reason, None),
                Attention::Close { flushed } => return Poll::Ready(flushed && self.phase == Phase::Closed),
                Attention::Gone => return Poll::Ready(true),
            }
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    }

    /// Writes and reads what can be at once.
    fn attend(
        &self,
        mut foreign: Option<&mut Box<dyn Stream>>,
        cx: &mut Context<'_>,
        scratch: &mut [u8],
    ) -> Attention {
        let session = &self.driver.0;
        if let Some(stream) = &mut foreign {
            session.write_to(stream, self.number, cx);
        }
        let mut state = crate::lock(&session.state);
        let (dropped, paused) = (state.dropped, state.is_paused());
        let Some((channel, outbox)) = state.channel(self.number) else { return Attention::Gone };
        channel.attend(cx, outbox);
        match (channel.failed, dropped) {
            (true, true) => return Attention::Gone,
            (true, false) => return Attention::End(CloseReason::TransportError),
            (false, true) => return Attention::Close { flushed: outbox.is_empty() },
            (false, false) if paused => return Attention::Wait,
            (false, false) => {}
        }
        let read = match foreign {
            None => channel.poll_read(cx, scratch),
            Some(stream) => {
                drop(state);
                channel::read(stream, cx, scratch)
            }
        };
        match read {
            Poll::Pending => Attention::Wait,
            Poll::Ready(Ok(0)) => Attention::End(CloseReason::TransportClose),
            Poll::Ready(Ok(count)) => Attention::Take(count),
            Poll::Ready(Err(_)) => Attention::End(CloseReason::TransportError),
        }
    }

    /// Handles the frames in `bytes` behind those that were incomplete: one turn.
    fn take(&mut self, bytes: &mut [u8]) {
        let Unfinished { mut partial, mut decoder } =
            self.unfinished.take().map(|it| *it).unwrap_or_default();
        turn::run(|| {
            let now = self.driver.0.hub.now();
            if partial.is_empty() {
                let taken = self.decode(now, &mut decoder, bytes);
                partial.extend_from_slice(&bytes[taken..]);
            } else {
                partial.extend_from_slice(bytes);
                let taken = self.decode(now, &mut decoder, &mut partial);
                partial.drain(..taken);
            }
        });
        decoder.release();
        if !partial.is_empty() || decoder.is_amid() {
            self.unfinished = Some(Box::new(Unfinished { partial, decoder }));
        }
    }

    /// Handles whole frames; how many bytes they took.
    fn decode(&mut self, now: Timestamp, decoder: &mut Decoder, bytes: &mut [u8]) -> usize {
        let limit = self.driver.0.hub.config.limits.max_payload as usize;
        let mut taken = 0;
        while self.phase == Phase::Open {
            match decoder.decode(&mut bytes[taken..], limit, self.deflates) {
                Ok(Decoded::Incomplete) => return taken,
                Ok(Decoded::Frame { consumed, message }) => {
                    taken += consumed;
                    match message {
                        None => {}
                        Some(Message::Close(_)) => self.end(CloseReason::TransportClose, None),
                        Some(message) => self.driver.0.message(now, self.number, message),
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
        self.driver.0.websocket_closed(self.number, reason, violation);
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

    /// Writes what is queued for the WebSocket of that number to its stream, which may be application code: under no lock.
    fn write_to(&self, stream: &mut Box<dyn Stream>, number: u32, cx: &mut Context<'_>) {
        loop {
            let errand = match crate::lock(&self.state).channel(number) {
                Some((channel, outbox)) => {
                    channel.attend(cx, outbox);
                    channel.errand(outbox)
                }
                None => None,
            };
            let Some(Poll::Ready(result)) = errand.map(|errand| errand.poll(stream, cx)) else { return };
            if let Some((channel, outbox)) = crate::lock(&self.state).channel(number) {
                channel.ran(result, outbox);
            }
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
