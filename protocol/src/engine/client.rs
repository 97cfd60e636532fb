//! One Engine.IO session as a client sees it. Its mirror is [`super::server`], with the same contract.
//!
//! It owns the rules: when to poll, how to answer heartbeats, when the server counts as gone, how polling changes to a
//! WebSocket without losing or reordering a message. Packets that wait for the server stay in the driver's outbox;
//! [`Session::writable`] says which transport may take them now. Reconnecting and the choice of transport are
//! [`crate::client`]'s.

use super::{CloseReason, Data, Handshake, Packet, ProtocolError, Transport, Upgrades};
use crate::Timestamp;

/// Times of a client's session, in milliseconds.
#[derive(Clone, Copy, Debug)]
pub struct Config {
    /// From the first request to the handshake.
    pub open_timeout: u32,
    /// From the opening of a second transport to the end of the upgrade.
    pub upgrade_timeout: u32,
    /// Whether a polling session should change to a WebSocket as soon as the server offers it.
    pub upgrade: bool,
    /// How long a WebSocket has to hold after the answer to its probe, before the session changes to it. The server's limit
    /// for the upgrade must be longer: 10 s usually.
    pub proof: u32,
}

impl Default for Config {
    /// The reference client's 20 s for the connection, the reference server's 10 s for the upgrade.
    fn default() -> Self {
        Self { open_timeout: 20_000, upgrade_timeout: 10_000, upgrade: true, proof: 0 }
    }
}

/// What happens to a session.
#[derive(Clone, Debug)]
pub enum Input<'a> {
    /// The GET is answered, and every packet of its answer has been handed in.
    PollEnded,
    /// The POST is answered.
    PostEnded,
    /// A packet has arrived on that transport.
    Packet(Transport, Packet<'a>),
    /// What arrived on that transport is no packet.
    Malformed(Transport),
    /// The WebSocket is open.
    WebSocketOpened,
    /// That transport has failed or ended: a request without a good answer, a WebSocket that closed.
    TransportClosed(Transport, CloseReason),
    /// [`Session::next_deadline`] has come.
    Timeout,
    /// This side ends the session.
    Close(CloseReason),
}

/// What the layer above is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event<'a> {
    /// The session is open.
    Opened(Handshake),
    /// A message for the layer above.
    Message(Data<'a>),
    /// A WebSocket carries the session now.
    Upgraded,
    /// The session is over. Told once; nothing follows.
    Closed(CloseReason),
}

/// What the driver has to do. Drained in the order of this list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Output {
    /// Open the WebSocket: the session's own, or with the session's id as one to probe.
    OpenWebSocket,
    /// Send `2probe` on the probing WebSocket.
    Probe,
    /// Send `5` on the probing WebSocket; it carries the session from now on.
    Upgrade,
    /// Queue a pong.
    Pong,
    /// Start a GET.
    Poll,
    /// End the probing WebSocket; the session stays with polling.
    CloseProbe,
    /// Say goodbye if possible: packet `1` by a last POST, or a close frame.
    Goodbye,
    /// End what is open and free the session.
    Drop,
}

const OUTPUTS: [Output; 8] = [
    Output::OpenWebSocket,
    Output::Probe,
    Output::Upgrade,
    Output::Pong,
    Output::Poll,
    Output::CloseProbe,
    Output::Goodbye,
    Output::Drop,
];

/// The state machine of one session.
#[derive(Debug)]
pub struct Session {
    config: Config,
    link: Link,
    /// The handshake has come; silence beyond `patience` from the last packet means that the server is gone.
    open: bool,
    /// The server has offered a WebSocket.
    offered: bool,
    patience: u64,
    silent_until: Timestamp,
    /// A bit for each [`Output`] that is due.
    outputs: u8,
}

#[derive(Debug)]
enum Link {
    Polling { poll_open: bool, post_open: bool, upgrade: Upgrade },
    WebSocket,
    Closed,
}

#[derive(Clone, Copy, Debug)]
enum Upgrade {
    None,
    /// The WebSocket is being opened, or has been sent the probe.
    Probing {
        until: Timestamp,
    },
    /// The probe is answered; the WebSocket is to show that it holds.
    Proving {
        until: Timestamp,
    },
    /// The probe is answered; the requests under way must end before `5` may be sent, and no new ones start.
    Pausing {
        until: Timestamp,
    },
}

impl Session {
    /// A session to be opened over `transport`; its first output starts the request.
    pub fn new(now: Timestamp, config: Config, transport: Transport) -> Self {
        let (link, first) = match transport {
            Transport::Polling => {
                (Link::Polling { poll_open: true, post_open: false, upgrade: Upgrade::None }, Output::Poll)
            }
            Transport::WebSocket => (Link::WebSocket, Output::OpenWebSocket),
        };
        Self {
            config,
            link,
            open: false,
            offered: false,
            patience: 0,
            silent_until: now.after(config.open_timeout.into()),
            outputs: bit(first),
        }
    }

    /// Takes what has happened. See the head of [`super::server`] for the contract.
    ///
    /// # Errors
    /// [`ProtocolError`] when the session's state does not allow it; the session is unchanged.
    pub fn handle_input<'a>(
        &mut self,
        now: Timestamp,
        input: Input<'a>,
    ) -> Result<Option<Event<'a>>, ProtocolError> {
        match input {
            Input::Packet(transport, packet) => self.handle_packet(now, transport, packet),
            Input::PollEnded => Ok(self.request_ended(true)),
            Input::PostEnded => Ok(self.request_ended(false)),
            Input::Malformed(Transport::WebSocket) if self.is_polling() => {
                self.abandon_probe();
                Ok(None)
            }
            Input::Malformed(_) => Ok(self.end(CloseReason::ParseError)),
            Input::WebSocketOpened => {
                if let Link::Polling { upgrade: Upgrade::Probing { .. }, .. } = self.link {
                    self.put(Output::Probe);
                }
                Ok(None)
            }
            Input::TransportClosed(transport, reason) => Ok(self.transport_closed(transport, reason)),
            Input::Timeout => Ok(self.handle_timeout(now)),
            Input::Close(reason) => {
                if self.open && !matches!(self.link, Link::Closed) {
                    self.put(Output::Goodbye);
                }
                Ok(self.end(reason))
            }
        }
    }

    /// The next thing to do, `None` when all is done.
    pub fn poll_output(&mut self) -> Option<Output> {
        let output = OUTPUTS.into_iter().find(|output| self.outputs & bit(*output) != 0)?;
        self.outputs &= !bit(output);
        Some(output)
    }

    /// When to hand in [`Input::Timeout`]; `None` when the session is over.
    pub fn next_deadline(&self) -> Option<Timestamp> {
        match &self.link {
            Link::Closed => None,
            Link::Polling {
                upgrade: Upgrade::Probing { until } | Upgrade::Proving { until } | Upgrade::Pausing { until },
                ..
            } => Some(*until.min(&self.silent_until)),
            Link::Polling { .. } | Link::WebSocket => Some(self.silent_until),
        }
    }

    /// The transport that may take queued packets at this moment. A driver that starts a POST says so by
    /// [`Session::post_started`].
    pub fn writable(&self) -> Option<Transport> {
        match self.link {
            _ if !self.open => None,
            Link::Polling { post_open: true, .. }
            | Link::Polling { upgrade: Upgrade::Pausing { .. }, .. } => None,
            Link::Polling { .. } => Some(Transport::Polling),
            Link::WebSocket => Some(Transport::WebSocket),
            Link::Closed => None,
        }
    }

    /// A POST has been started; nothing is writable until [`Input::PostEnded`].
    pub fn post_started(&mut self) {
        if let Link::Polling { post_open, .. } = &mut self.link {
            *post_open = true;
        }
    }

    /// Whether a POST is under way.
    pub fn is_posting(&self) -> bool {
        matches!(self.link, Link::Polling { post_open: true, .. })
    }

    /// Tries once more to change from polling to a WebSocket, when the server has offered that and no try is under way.
    pub fn upgrade(&mut self, now: Timestamp) {
        if let Link::Polling { upgrade: upgrade @ Upgrade::None, .. } = &mut self.link
            && self.offered
        {
            *upgrade = Upgrade::Probing { until: now.after(self.config.upgrade_timeout.into()) };
            self.put(Output::OpenWebSocket);
        }
    }

    /// The transport that carries the session; `None` when it is over.
    pub fn transport(&self) -> Option<Transport> {
        match self.link {
            Link::Polling { .. } => Some(Transport::Polling),
            Link::WebSocket => Some(Transport::WebSocket),
            Link::Closed => None,
        }
    }

    /// Whether the handshake has come and the session is not over.
    pub fn is_open(&self) -> bool {
        self.open && !matches!(self.link, Link::Closed)
    }

    fn is_polling(&self) -> bool {
        matches!(self.link, Link::Polling { .. })
    }

    fn handle_packet<'a>(
        &mut self,
        now: Timestamp,
        transport: Transport,
        packet: Packet<'a>,
    ) -> Result<Option<Event<'a>>, ProtocolError> {
        match (&self.link, transport) {
            (Link::Polling { .. }, Transport::Polling) | (Link::WebSocket, Transport::WebSocket) => {}
            (Link::Polling { .. }, Transport::WebSocket) => return Ok(self.handle_probe(now, &packet)),
            (Link::WebSocket, Transport::Polling) => return Err(ProtocolError::WrongTransport),
            (Link::Closed, _) => return Err(ProtocolError::Closed),
        }
        if !self.open {
            return Ok(self.handle_handshake(now, &packet));
        }
        // Any packet is a sign of life.
        self.silent_until = now.after(self.patience);
        match packet {
            Packet::Message(data) => Ok(Some(Event::Message(data))),
            Packet::Ping(_) => {
                self.put(Output::Pong);
                Ok(None)
            }
            Packet::Noop => Ok(None),
            Packet::Close => Ok(self.end(CloseReason::TransportClose)),
            Packet::Open(_) | Packet::Pong(_) | Packet::Upgrade => Ok(self.end(CloseReason::ParseError)),
        }
    }

    fn handle_handshake<'a>(&mut self, now: Timestamp, packet: &Packet<'_>) -> Option<Event<'a>> {
        let handshake = match packet {
            Packet::Open(text) => Handshake::decode(text).ok(),
            _ => None,
        };
        let Some(handshake) = handshake else {
            return self.end(CloseReason::ParseError);
        };
        self.open = true;
        self.patience = u64::from(handshake.ping_interval) + u64::from(handshake.ping_timeout);
        self.silent_until = now.after(self.patience);
        self.offered = handshake.upgrades == Upgrades::WebSocket;
        if self.config.upgrade {
            self.upgrade(now);
        }
        Some(Event::Opened(handshake))
    }

    /// A packet on a WebSocket while polling carries the session.
    fn handle_probe<'a>(&mut self, now: Timestamp, packet: &Packet<'_>) -> Option<Event<'a>> {
        let Link::Polling { upgrade, .. } = &mut self.link else {
            return None;
        };
        match (*upgrade, packet) {
            (Upgrade::Probing { until }, Packet::Pong("probe")) => {
                if self.config.proof > 0 {
                    *upgrade = Upgrade::Proving { until: now.after(self.config.proof.into()) };
                    return None;
                }
                *upgrade = Upgrade::Pausing { until };
                self.finish_upgrade()
            }
            (Upgrade::None, _) => None,
            _ => {
                self.abandon_probe();
                None
            }
        }
    }

    fn request_ended<'a>(&mut self, poll: bool) -> Option<Event<'a>> {
        if let Link::Polling { poll_open, post_open, upgrade } = &mut self.link {
            let ended = if poll { poll_open } else { post_open };
            *ended = false;
            if let Upgrade::Pausing { .. } = upgrade {
                return self.finish_upgrade();
            }
            if poll {
                self.poll_again();
            }
        }
        None
    }

    /// Sends `5` once no request is under way: only then is every message of the old transport in its place before any
    /// of the new one.
    fn finish_upgrade<'a>(&mut self) -> Option<Event<'a>> {
        match self.link {
            Link::Polling { poll_open: false, post_open: false, upgrade: Upgrade::Pausing { .. } } => {
                self.link = Link::WebSocket;
                self.put(Output::Upgrade);
                Some(Event::Upgraded)
            }
            _ => None,
        }
    }

    fn abandon_probe(&mut self) {
        if let Link::Polling { upgrade, .. } = &mut self.link
            && !matches!(upgrade, Upgrade::None)
        {
            *upgrade = Upgrade::None;
            self.put(Output::CloseProbe);
            self.poll_again();
        }
    }

    fn poll_again(&mut self) {
        if let Link::Polling { poll_open, .. } = &mut self.link
            && !*poll_open
        {
            *poll_open = true;
            self.put(Output::Poll);
        }
    }

    fn transport_closed<'a>(&mut self, transport: Transport, reason: CloseReason) -> Option<Event<'a>> {
        match (&self.link, transport) {
            (Link::Polling { .. }, Transport::WebSocket) => {
                self.abandon_probe();
                None
            }
            (Link::WebSocket, Transport::Polling) => None,
            _ => self.end(reason),
        }
    }

    fn handle_timeout<'a>(&mut self, now: Timestamp) -> Option<Event<'a>> {
        if self.silent_until <= now {
            let reason = if self.open { CloseReason::PingTimeout } else { CloseReason::TransportError };
            return self.end(reason);
        }
        let Link::Polling { upgrade, .. } = &mut self.link else {
            return None;
        };
        match *upgrade {
            Upgrade::Proving { until } if until <= now => {
                *upgrade = Upgrade::Pausing { until: now.after(self.config.upgrade_timeout.into()) };
                return self.finish_upgrade();
            }
            Upgrade::Probing { until } | Upgrade::Pausing { until } if until <= now => self.abandon_probe(),
            _ => {}
        }
        None
    }

    fn end<'a>(&mut self, reason: CloseReason) -> Option<Event<'a>> {
        if matches!(self.link, Link::Closed) {
            return None;
        }
        self.link = Link::Closed;
        self.outputs &= bit(Output::Goodbye);
        self.put(Output::Drop);
        Some(Event::Closed(reason))
    }

    fn put(&mut self, output: Output) {
        self.outputs |= bit(output);
    }
}

const fn bit(output: Output) -> u8 {
    1 << output as u8
}
