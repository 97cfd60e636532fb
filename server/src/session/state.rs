//! What a session is made of, all that its lock guards: the two state machines, the queue, and who writes it.
//!
//! The machines decide; this does what they ask for ([`State::settle`]) and never runs application code.

mod outputs;
mod websockets;

use super::channel::Channel;
use super::outbox::Outbox;
use super::{Hub, Session, Task};
use crate::frame::Violation;
use crate::namespace::Socket;
use crate::namespace::peer::Delivery;
use crate::raw;
use crate::turn::Frames;
use encke_protocol::Timestamp;
use encke_protocol::engine::server::{Event, Input};
use encke_protocol::engine::{CloseReason, Packet, ProtocolError, Transport, Version, v3};
use encke_protocol::socket::{self, DisconnectReason, Limits};
use std::task::Waker;

pub(super) struct State {
    engine: encke_protocol::engine::server::Session,
    namespaces: socket::server::Namespaces,
    pub(super) outbox: Outbox,
    /// One a namespace; a handful.
    sockets: Vec<Socket>,
    /// Who hears of messages in place of `namespaces`.
    raw: Option<raw::Session>,
    /// Sockets that have left and whose handlers have not finished.
    parting: usize,
    /// Pings that the client has not answered. There may be several while nothing is read from it.
    pings: u32,
    /// How many WebSockets the session has had.
    channels: u32,
    /// The WebSocket that is being made out of a request.
    expected: Option<u32>,
    /// The WebSocket that carries the session.
    pub(super) carrier: Option<Channel>,
    /// The WebSocket that would like to.
    pub(super) probe: Option<Box<Probe>>,
    /// The poll that waits.
    pub(super) poll: Option<Waker>,
    /// The waiting poll has to be answered, with nothing if need be.
    pub(super) poll_due: bool,
    /// The post that waits: for its body, or since its packets filled a queue.
    pub(super) post: Option<Waker>,
    /// There is a post.
    pub(super) posting: bool,
    /// Sockets whose queue is full. Below zero for a moment when a queue gets short before its being full was told.
    paused: i32,
    /// More waits than may.
    overflowed: bool,
    /// Why the session is over.
    pub(super) closed: Option<CloseReason>,
    /// What the client did wrong with its frames.
    violation: Option<Violation>,
    /// A goodbye is due behind what is queued; for a WebSocket it is queued too.
    parted: bool,
    /// Whether the machine has let go of the session: its id is unknown from now on.
    pub(super) dropped: bool,
    /// When the timer will come up.
    scheduled: Option<Timestamp>,
    /// Frames of this layer's own are queued: the session has to be flushed at the end of the turn.
    unflushed: bool,
}

/// The body of a poll's answer.
pub(super) struct Payload {
    pub(super) body: String,
    /// The session's last packet is in it.
    pub(super) goodbye: bool,
}

/// A WebSocket that is not the session's yet.
pub(super) struct Probe {
    pub(super) channel: Channel,
    pub(super) outbox: Outbox,
}

/// What a timer may have to do.
pub(super) enum Due {
    Engine(Input<'static>),
    Namespaces,
}

impl State {
    pub(super) fn new(hub: &Hub, version: Version, transport: Transport) -> Self {
        let now = hub.now();
        let namespaces = socket::server::Namespaces::new(now, &hub.limits);
        Self {
            engine: encke_protocol::engine::server::Session::new(now, hub.config.engine(version), transport),
            namespaces: namespaces.speaking(hub.config.dialect(version)),
            outbox: Outbox::default(),
            sockets: Vec::new(),
            raw: None,
            parting: 0,
            pings: 0,
            channels: 0,
            expected: None,
            carrier: None,
            probe: None,
            poll: None,
            poll_due: false,
            post: None,
            posting: false,
            paused: 0,
            overflowed: false,
            closed: None,
            violation: None,
            parted: false,
            dropped: false,
            scheduled: None,
            unflushed: false,
        }
    }

    /// Feeds the machines.
    pub(super) fn input<'a>(
        &mut self,
        now: Timestamp,
        input: Input<'a>,
        limits: &Limits,
    ) -> Result<Task<'a>, ProtocolError> {
        // The timer would see to it too, but until then a client that reads nothing could ask for more.
        if self.overflowed && self.closed.is_none() && matches!(input, Input::Packet(..)) {
            return self.input(now, Input::Close(CloseReason::SlowReader), limits);
        }
        let beat = matches!(input, Input::Packet(_, Packet::Pong(_)));
        Ok(match self.engine.handle_input(now, input)? {
            None => {
                if beat {
                    self.beat_answered();
                }
                Task::Nothing
            }
            Some(Event::Message(data)) if let Some(raw) = &self.raw => Task::Hear(raw.clone(), data),
            Some(Event::Message(data)) => self.namespaces(now, socket::server::Input::Message(data), limits),
            Some(Event::Closed(reason)) => {
                self.closed = Some(reason);
                Task::Disperse(std::mem::take(&mut self.sockets), self.raw.take(), reason)
            }
        })
    }

    /// A ping is being queued. Pongs do not say which ping they answer, so it counts only when no other is out: then the
    /// next pong is for none that was sent before it.
    fn beat(&mut self) {
        if self.pings == 0 {
            self.sockets.iter().for_each(Socket::beaten);
        }
        self.pings += 1;
    }

    fn beat_answered(&mut self) {
        self.sockets.iter().for_each(Socket::has_answered_beat);
        self.pings = self.pings.saturating_sub(1);
    }

    /// Some clients enter a namespace without a word.
    pub(super) fn begin(&mut self, now: Timestamp, limits: &Limits) -> Task<'static> {
        match self.raw {
            Some(_) => Task::Nothing,
            None => self.namespaces(now, socket::server::Input::Opened, limits),
        }
    }

    pub(super) fn namespaces<'a>(
        &mut self,
        now: Timestamp,
        input: socket::server::Input<'a>,
        limits: &Limits,
    ) -> Task<'a> {
        use socket::server::Event;
        match self.namespaces.handle_input(now, input, limits) {
            None => Task::Nothing,
            // Entering and leaving again and again must not pile up handlers that wait.
            Some(Event::Connect { .. }) if self.parting >= limits.max_namespaces => {
                Task::Violation(socket::server::Violation::TooManyNamespaces)
            }
            Some(Event::Connect { namespace, auth }) => Task::Knock { namespace, auth },
            Some(Event::Incoming(incoming)) => match self.find(incoming.namespace()) {
                Some(index) => Task::Deliver(self.sockets[index].clone(), incoming),
                None => Task::Nothing,
            },
            Some(Event::Disconnect { namespace }) => match self.find(&namespace) {
                Some(index) => Task::Leave(self.take_out(index), DisconnectReason::ByClient),
                None => Task::Nothing,
            },
            Some(Event::Violation(violation)) => Task::Violation(violation),
        }
    }

    /// The client may enter the socket's namespace. False when it is gone, or does not wait for it any more.
    pub(super) fn accept(&mut self, now: Timestamp, socket: &Socket, limits: &Limits) -> bool {
        if self.closed.is_some() {
            return false;
        }
        let (namespace, sid, pid) = (socket.namespace_name(), socket.id().to_string(), socket.pid());
        let accept = socket::server::Input::Accept { namespace, sid: &sid, pid: pid.as_deref() };
        self.namespaces(now, accept, limits);
        if !self.namespaces.is_joined(namespace) {
            return false;
        }
        // Exact: most clients enter one namespace, and idle ones should be small.
        self.sockets.reserve_exact(1);
        self.sockets.push(socket.clone());
        socket.connected();
        true
    }

    /// Puts the socket out. False when it is not there: its client may have entered again as another.
    pub(super) fn dismiss(&mut self, now: Timestamp, socket: &Socket, limits: &Limits) -> bool {
        let Some(index) = self.sockets.iter().position(|there| there == socket) else { return false };
        self.take_out(index);
        let namespace = socket.namespace_name();
        self.namespaces(now, socket::server::Input::Disconnect { namespace }, limits);
        true
    }

    fn take_out(&mut self, index: usize) -> Socket {
        self.parting += 1;
        self.sockets.swap_remove(index)
    }

    /// The last handler of a socket that had left has finished.
    pub(super) fn parted(&mut self) {
        // Those that the session's end put out were not counted.
        self.parting = self.parting.saturating_sub(1);
    }

    fn find(&self, namespace: &str) -> Option<usize> {
        self.sockets.iter().position(|socket| socket.namespace_name() == namespace)
    }

    /// The transport that carries the session.
    pub(super) fn transport(&self) -> Option<Transport> {
        self.engine.transport()
    }

    /// Queues an application's frames. True when the session has to be flushed at the end of the turn.
    pub(super) fn push(&mut self, frames: &Frames, delivery: Delivery, max_outbox: usize) -> bool {
        if self.closed.is_some() || self.overflowed {
            return false;
        }
        let full = self.outbox.cost() > max_outbox;
        match delivery {
            Delivery::Volatile if full || !self.takes_at_once() => false,
            Delivery::Queued if full => {
                self.overflowed = true;
                true
            }
            Delivery::Volatile | Delivery::Queued => self.outbox.push(frames),
        }
    }

    /// Whether what is sent now will be written now.
    fn takes_at_once(&self) -> bool {
        match self.engine.writable() {
            Some(Transport::WebSocket) => self.carrier.as_ref().is_some_and(|carrier| !carrier.blocked),
            Some(Transport::Polling) => true,
            None => false,
        }
    }

    pub(super) fn is_due(&self, now: Timestamp) -> bool {
        let deadlines = [self.engine.next_deadline(), self.namespaces_deadline()];
        let overflow = self.overflowed && self.closed.is_none();
        overflow || deadlines.into_iter().flatten().any(|at| at <= now)
    }

    /// The timer has come up: what is there to do?
    pub(super) fn take_due(&mut self, now: Timestamp) -> [Option<Due>; 3] {
        if self.scheduled.is_some_and(|at| at <= now) {
            self.scheduled = None;
        }
        let due = |at: Option<Timestamp>| at.is_some_and(|at| at <= now);
        let overflow = self.overflowed && self.closed.is_none();
        [
            overflow.then_some(Due::Engine(Input::Close(CloseReason::SlowReader))),
            due(self.engine.next_deadline()).then_some(Due::Engine(Input::Timeout)),
            due(self.namespaces_deadline()).then_some(Due::Namespaces),
        ]
    }

    pub(super) fn namespaces_due(&mut self, now: Timestamp, limits: &Limits) -> Task<'static> {
        self.namespaces(now, socket::server::Input::Timeout, limits)
    }

    /// What a poll is answered with, once there is something to answer.
    pub(super) fn take_payload(&mut self, limit: usize, version: Version) -> Option<Payload> {
        if self.engine.writable() == Some(Transport::Polling) && !self.outbox.is_empty() {
            // What is not readable yet is flushed when its turn ends; that wakes the poll again.
            if !self.outbox.readable() {
                return None;
            }
            self.poll_due = false;
            let body = self.outbox.take_payload(limit, version);
            return Some(Payload { body, goodbye: false });
        }
        // In an answer of its own: official clients act on it before they have worked off what stands before it.
        let goodbye = self.parted && !self.dropped;
        if !(std::mem::take(&mut self.poll_due) || self.dropped) {
            return None;
        }
        let mut packet = String::new();
        // A client that has said goodbye itself knows.
        let is_news = self.closed != Some(CloseReason::TransportClose);
        if (self.dropped && is_news) || goodbye { Packet::Close } else { Packet::Noop }
            .encode_text(&mut packet);
        let mut body = String::new();
        match version {
            Version::V3 => v3::append(&mut body, &packet),
            Version::V4 => body = packet,
        }
        Some(Payload { body, goodbye })
    }

    pub(super) fn is_paused(&self) -> bool {
        self.paused > 0
    }

    pub(super) fn pause(&mut self, now: Timestamp) {
        self.paused += 1;
        if self.paused == 1 {
            // The machine refuses nothing here.
            let _ = self.engine.handle_input(now, Input::ReadingPaused);
        }
    }

    pub(super) fn resume(&mut self, now: Timestamp, session: &Session) {
        self.paused -= 1;
        if self.paused == 0 {
            let _ = self.engine.handle_input(now, Input::ReadingResumed);
            wake(&mut self.post);
            if let Some(carrier) = &self.carrier {
                carrier.wake();
            }
            if let Some(probe) = &self.probe {
                probe.channel.wake();
            }
            self.schedule(session);
        }
    }
}

pub(super) fn wake(waker: &mut Option<Waker>) {
    if let Some(waker) = waker.take() {
        waker.wake();
    }
}
