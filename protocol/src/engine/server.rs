//! One Engine.IO session as the server sees it. Its mirror is [`super::client`].
//!
//! It owns the rules: which request may come when, when a heartbeat is due, how polling changes to a WebSocket. It owns
//! no bytes: packets that wait for the client stay in the driver's outbox, and [`Session::writable`] says which transport
//! may take them now. It must not know what a message means.
//!
//! The contract of all machines here: [`Session::handle_input`] is the only mutation; it makes at most one event, which
//! borrows from the input; then [`Session::poll_output`] is drained until `None`; [`Session::next_deadline`] is the only
//! timer to keep, answered by [`Input::Timeout`].
//!
//! A driver opens the session, queues the open packet first, and takes a polling handshake for the first poll
//! ([`Input::PollOpened`]).

use super::{CloseReason, Data, Packet, ProtocolError, Transport, Version};
use crate::Timestamp;

/// A poll that arrives while an upgrade is under way is answered at once this many times, since the client cannot go on
/// before it ends; further ones wait [`RELEASE_INTERVAL`], so that a client whose WebSocket hangs does not spin.
const QUICK_RELEASES: u8 = 4;
/// Milliseconds, see [`QUICK_RELEASES`]; the reference server's `check` interval.
const RELEASE_INTERVAL: u64 = 100;
/// A ping that was late by no more than this part of [`Config::ping_timeout`] does not lengthen it: drivers measure time in
/// steps.
const PING_DELAY: u64 = 4;
/// Milliseconds in which a closed session still hands over what is queued for a polling client.
const LINGER: u64 = 5_000;

/// Times of a session, in milliseconds.
#[derive(Clone, Copy, Debug)]
pub struct Config {
    /// Which side pings, and which answers.
    pub version: Version,
    /// Between two heartbeats; the first ping goes out, or in v3 comes, this long after the handshake.
    pub ping_interval: u32,
    /// For the client to answer a ping; in v3, beyond the interval for its ping to come.
    pub ping_timeout: u32,
    /// From the opening of a second transport to its `5`.
    pub upgrade_timeout: u32,
    /// Whether polling sessions may change to a WebSocket.
    pub upgrades: super::Upgrades,
}

impl Default for Config {
    /// The reference server's: v4, 25 s, 20 s, 10 s.
    fn default() -> Self {
        Self {
            version: Version::V4,
            ping_interval: 25_000,
            ping_timeout: 20_000,
            upgrade_timeout: 10_000,
            upgrades: super::Upgrades::WebSocket,
        }
    }
}

/// What happens to a session.
#[derive(Clone, Debug)]
pub enum Input<'a> {
    /// A GET has arrived and waits for packets.
    PollOpened,
    /// The waiting GET has been answered.
    PollEnded,
    /// A POST has arrived; its packets follow.
    PostOpened,
    /// Every packet of the POST has been handed in.
    PostEnded,
    /// The connection of a GET or POST is gone before its answer: what it carried may be lost, so the session ends.
    RequestLost,
    /// The goodbye of [`Output::Goodbye`] stands in the answer of a poll, so nothing is left to be fetched.
    GoodbyeWritten,
    /// A packet has arrived on that transport.
    Packet(Transport, Packet<'a>),
    /// What arrived on that transport is no packet.
    Malformed(Transport),
    /// A WebSocket that names this session has been opened.
    WebSocketOpened,
    /// A WebSocket of this session has ended: the probing one while there is an upgrade, else the session's own. Not said
    /// of one that [`Output::CloseProbe`] has ended: another may be probing by then.
    WebSocketClosed(CloseReason),
    /// The driver has stopped reading from the client for lack of room; the client's silence says nothing now.
    ReadingPaused,
    /// The driver reads again.
    ReadingResumed,
    /// [`Session::next_deadline`] has come.
    Timeout,
    /// This side ends the session, for that reason.
    Close(CloseReason),
}

/// What the layer above is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event<'a> {
    /// A message for the layer above.
    Message(Data<'a>),
    /// The session is over. Told once; nothing follows.
    Closed(CloseReason),
}

/// What the driver has to do. Drained in the order of this list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Output {
    /// Answer `3probe` on the probing WebSocket.
    AnswerProbe,
    /// The probing WebSocket carries the session from now on.
    Upgrade,
    /// Queue a ping.
    Ping,
    /// Queue a pong without content: a client of v3 has pinged.
    Pong,
    /// Say goodbye behind what is queued: packet `1` to a polling client, a close frame on a WebSocket. Asked for again when a
    /// client to whom the first was said changes to a WebSocket.
    Goodbye,
    /// Answer the waiting poll now: with what is queued and may be written, or with a noop.
    ReleasePoll,
    /// End the probing WebSocket; the session stays with polling.
    CloseProbe,
    /// Free the session. A poll that still waits is answered with packet `1` alone, or with a noop when it was the client
    /// that said goodbye; an open WebSocket is closed.
    Drop,
}

const OUTPUTS: [Output; 8] = [
    Output::AnswerProbe,
    Output::Upgrade,
    Output::Ping,
    Output::Pong,
    Output::Goodbye,
    Output::ReleasePoll,
    Output::CloseProbe,
    Output::Drop,
];

/// The state machine of one session.
#[derive(Debug)]
pub struct Session {
    config: Config,
    link: Link,
    heartbeat: Heartbeat,
    /// The driver reads what the client sends.
    reading: bool,
    /// A bit for each [`Output`] that is due: none of them carries data, and none is due twice.
    outputs: u8,
}

#[derive(Debug)]
enum Link {
    Polling {
        poll_waits: bool,
        post_open: bool,
        upgrade: Upgrade,
    },
    WebSocket,
    /// Told to the layer above, but a polling client has not fetched what is queued and the goodbye behind it. What it sends
    /// is for nobody.
    Lingering {
        poll_waits: bool,
        /// A WebSocket's probe was answered: the client may have stopped polling for good, and come only there.
        probed: bool,
        until: Timestamp,
    },
    Closed,
}

#[derive(Clone, Copy, Debug)]
enum Upgrade {
    None,
    /// A WebSocket is open, its probe has not come.
    Opened {
        until: Timestamp,
    },
    /// Probe answered, `5` awaited. Polls are released so that the client can stop polling.
    Probed {
        until: Timestamp,
        releases: u8,
        release_at: Timestamp,
    },
}

#[derive(Clone, Copy, Debug)]
enum Heartbeat {
    Rests {
        ping_at: Timestamp,
    },
    Pinged {
        pong_until: Timestamp,
    },
    /// Pinged, and the driver does not read. The client judges too: it still has to hear from this side.
    Unjudged {
        ping_at: Timestamp,
    },
    /// Of v3: the client pings, or says something else, until then.
    Awaited {
        until: Timestamp,
    },
    /// Of v3, and the driver does not read.
    Unheard,
}

impl Session {
    /// A session that has just been opened over `transport`. The driver queues its open packet before anything else.
    pub fn new(now: Timestamp, config: Config, transport: Transport) -> Self {
        let link = match transport {
            Transport::Polling => {
                Link::Polling { poll_waits: false, post_open: false, upgrade: Upgrade::None }
            }
            Transport::WebSocket => Link::WebSocket,
        };
        let heartbeat = Heartbeat::Unheard;
        let mut this = Self { config, link, heartbeat, reading: true, outputs: 0 };
        this.heartbeat = match config.version {
            Version::V3 => this.awaited(now),
            Version::V4 => Heartbeat::Rests { ping_at: now.after(config.ping_interval.into()) },
        };
        this
    }

    /// Takes what has happened. See the module's head for the contract.
    ///
    /// # Errors
    /// [`ProtocolError`] when the session's state does not allow it; the session is unchanged. An HTTP request that is
    /// refused so is answered with [`super::RequestError::BadRequest`], a WebSocket is closed.
    pub fn handle_input<'a>(
        &mut self,
        now: Timestamp,
        input: Input<'a>,
    ) -> Result<Option<Event<'a>>, ProtocolError> {
        match input {
            Input::Packet(transport, packet) => self.handle_packet(now, transport, packet),
            Input::PollOpened => self.open_poll(now),
            Input::PollEnded => {
                self.end_poll();
                Ok(None)
            }
            Input::PostOpened => self.open_post(),
            Input::PostEnded => {
                if let Link::Polling { post_open, .. } = &mut self.link {
                    *post_open = false;
                }
                Ok(None)
            }
            Input::RequestLost => Ok(self.request_lost()),
            Input::GoodbyeWritten => {
                self.finish_lingering();
                Ok(None)
            }
            Input::Malformed(transport) => self.handle_malformed(transport),
            Input::WebSocketOpened => self.open_websocket(now).map(|()| None),
            Input::WebSocketClosed(reason) => Ok(self.websocket_closed(reason)),
            Input::ReadingPaused => {
                self.reading = false;
                match self.heartbeat {
                    Heartbeat::Pinged { .. } => self.heartbeat = self.pinged(now),
                    Heartbeat::Awaited { .. } => self.heartbeat = self.awaited(now),
                    _ => {}
                }
                Ok(None)
            }
            Input::ReadingResumed => {
                self.reading = true;
                match self.heartbeat {
                    Heartbeat::Unjudged { .. } => self.heartbeat = self.pinged(now),
                    Heartbeat::Unheard => self.heartbeat = self.awaited(now),
                    _ => {}
                }
                Ok(None)
            }
            Input::Timeout => Ok(self.handle_timeout(now)),
            Input::Close(reason) => Ok(self.say_goodbye(now, reason)),
        }
    }

    /// The next thing to do, `None` when all is done.
    pub fn poll_output(&mut self) -> Option<Output> {
        if self.outputs == 0 {
            return None;
        }
        let output = OUTPUTS.into_iter().find(|output| self.outputs & bit(*output) != 0)?;
        self.outputs &= !bit(output);
        Some(output)
    }

    /// When to hand in [`Input::Timeout`]; `None` when the session is over.
    pub fn next_deadline(&self) -> Option<Timestamp> {
        let heartbeat = match self.heartbeat {
            Heartbeat::Rests { ping_at } | Heartbeat::Unjudged { ping_at } => Some(ping_at),
            Heartbeat::Pinged { pong_until } => Some(pong_until),
            Heartbeat::Awaited { until } => Some(until),
            Heartbeat::Unheard => None,
        };
        match &self.link {
            Link::Closed => None,
            Link::Lingering { until, .. } => Some(*until),
            Link::WebSocket => heartbeat,
            Link::Polling { poll_waits, upgrade, .. } => {
                let upgrade = match upgrade {
                    Upgrade::None => None,
                    Upgrade::Opened { until } => Some(*until),
                    Upgrade::Probed { until, release_at, .. } if *poll_waits => Some(*release_at.min(until)),
                    Upgrade::Probed { until, .. } => Some(*until),
                };
                Timestamp::earlier(upgrade, heartbeat)
            }
        }
    }

    /// The transport that may take queued packets at this moment.
    pub fn writable(&self) -> Option<Transport> {
        match self.link {
            Link::Polling { poll_waits: true, .. } | Link::Lingering { poll_waits: true, .. } => {
                Some(Transport::Polling)
            }
            Link::WebSocket => Some(Transport::WebSocket),
            Link::Polling { .. } | Link::Lingering { .. } | Link::Closed => None,
        }
    }

    /// The transport that carries the session; `None` when it is over.
    pub fn transport(&self) -> Option<Transport> {
        match self.link {
            Link::Polling { .. } => Some(Transport::Polling),
            Link::WebSocket => Some(Transport::WebSocket),
            Link::Lingering { .. } | Link::Closed => None,
        }
    }

    fn handle_packet<'a>(
        &mut self,
        now: Timestamp,
        transport: Transport,
        packet: Packet<'a>,
    ) -> Result<Option<Event<'a>>, ProtocolError> {
        match (&self.link, transport) {
            (Link::Polling { .. }, Transport::Polling) | (Link::WebSocket, Transport::WebSocket) => {}
            (Link::Polling { .. }, Transport::WebSocket) => return self.handle_probe(now, &packet),
            (Link::WebSocket, Transport::Polling) => return Err(ProtocolError::WrongTransport),
            (Link::Lingering { .. }, Transport::Polling) => {
                if packet == Packet::Close {
                    self.finish_lingering();
                }
                return Ok(None);
            }
            (Link::Lingering { probed: true, .. }, Transport::WebSocket) => {
                self.settle_probe(packet == Packet::Upgrade);
                return Ok(None);
            }
            (Link::Lingering { .. } | Link::Closed, _) => return Err(ProtocolError::Closed),
        }
        let version = self.config.version;
        if version == Version::V3 {
            self.heartbeat = self.awaited(now);
        }
        match packet {
            Packet::Message(data) => Ok(Some(Event::Message(data))),
            Packet::Ping(_) if version == Version::V3 => {
                self.put(Output::Pong);
                Ok(None)
            }
            Packet::Pong(_) if version == Version::V4 => {
                if !matches!(self.heartbeat, Heartbeat::Rests { .. }) {
                    self.heartbeat =
                        Heartbeat::Rests { ping_at: now.after(self.config.ping_interval.into()) };
                }
                Ok(None)
            }
            Packet::Noop => Ok(None),
            Packet::Close => Ok(self.end(CloseReason::TransportClose)),
            // Only servers open, and one side pings.
            Packet::Open(_) | Packet::Ping(_) | Packet::Pong(_) | Packet::Upgrade => {
                Ok(self.end(CloseReason::ParseError))
            }
        }
    }

    /// A packet on a WebSocket while polling carries the session.
    fn handle_probe<'a>(
        &mut self,
        now: Timestamp,
        packet: &Packet<'_>,
    ) -> Result<Option<Event<'a>>, ProtocolError> {
        let Link::Polling { poll_waits, upgrade, .. } = &mut self.link else {
            return Err(ProtocolError::WrongTransport);
        };
        match (*upgrade, packet) {
            (Upgrade::None, _) => return Err(ProtocolError::WrongTransport),
            (Upgrade::Opened { until }, Packet::Ping("probe")) => {
                let releases = u8::from(*poll_waits);
                let release = *poll_waits;
                *upgrade = Upgrade::Probed { until, releases, release_at: now };
                self.put(Output::AnswerProbe);
                if release {
                    self.put(Output::ReleasePoll);
                }
            }
            (Upgrade::Probed { .. }, Packet::Upgrade) => {
                let release = *poll_waits;
                self.link = Link::WebSocket;
                self.put(Output::Upgrade);
                if release {
                    self.put(Output::ReleasePoll);
                }
            }
            _ => {
                *upgrade = Upgrade::None;
                self.put(Output::CloseProbe);
            }
        }
        Ok(None)
    }

    /// The session is over, and its client says on the probing WebSocket whether it will hear the rest there.
    fn settle_probe(&mut self, upgrade: bool) {
        let Link::Lingering { poll_waits, probed, .. } = &mut self.link else { return };
        if !upgrade {
            *probed = false;
            self.put(Output::CloseProbe);
            return;
        }
        let release = *poll_waits;
        self.link = Link::Closed;
        self.put(Output::Upgrade);
        self.put(Output::Goodbye);
        if release {
            self.put(Output::ReleasePoll);
        }
        self.put(Output::Drop);
    }

    fn handle_malformed<'a>(&mut self, transport: Transport) -> Result<Option<Event<'a>>, ProtocolError> {
        match (&mut self.link, transport) {
            (Link::Polling { upgrade: Upgrade::None, .. }, Transport::WebSocket)
            | (Link::WebSocket, Transport::Polling) => Err(ProtocolError::WrongTransport),
            (Link::Polling { upgrade, .. }, Transport::WebSocket) => {
                *upgrade = Upgrade::None;
                self.put(Output::CloseProbe);
                Ok(None)
            }
            (Link::Lingering { probed: true, .. }, Transport::WebSocket) => {
                self.settle_probe(false);
                Ok(None)
            }
            (Link::Lingering { .. } | Link::Closed, _) => Err(ProtocolError::Closed),
            (Link::Polling { .. } | Link::WebSocket, _) => Ok(self.end(CloseReason::ParseError)),
        }
    }

    fn open_poll<'a>(&mut self, now: Timestamp) -> Result<Option<Event<'a>>, ProtocolError> {
        let (poll_waits, upgrade) = match &mut self.link {
            Link::WebSocket => return Err(ProtocolError::WrongTransport),
            Link::Closed | Link::Lingering { poll_waits: true, .. } => return Err(ProtocolError::Closed),
            Link::Lingering { poll_waits, .. } => {
                *poll_waits = true;
                self.put(Output::ReleasePoll);
                return Ok(None);
            }
            Link::Polling { poll_waits: true, .. } => return Ok(self.end(CloseReason::TransportError)),
            Link::Polling { poll_waits, upgrade, .. } => (poll_waits, upgrade),
        };
        *poll_waits = true;
        if let Upgrade::Probed { releases, release_at, .. } = upgrade {
            if *releases < QUICK_RELEASES {
                *releases += 1;
                *release_at = now;
                self.put(Output::ReleasePoll);
            } else {
                *release_at = now.after(RELEASE_INTERVAL);
            }
        }
        Ok(None)
    }

    fn end_poll(&mut self) {
        match &mut self.link {
            Link::Polling { poll_waits, .. } | Link::Lingering { poll_waits, .. } => *poll_waits = false,
            Link::WebSocket | Link::Closed => {}
        }
    }

    fn request_lost<'a>(&mut self) -> Option<Event<'a>> {
        self.end_poll();
        match self.link {
            Link::Polling { .. } => self.end(CloseReason::TransportError),
            Link::WebSocket | Link::Lingering { .. } | Link::Closed => None,
        }
    }

    fn finish_lingering(&mut self) {
        if let Link::Lingering { probed, .. } = self.link {
            if probed {
                self.put(Output::CloseProbe);
            }
            self.link = Link::Closed;
            self.put(Output::Drop);
        }
    }

    fn open_post<'a>(&mut self) -> Result<Option<Event<'a>>, ProtocolError> {
        match &mut self.link {
            Link::WebSocket => Err(ProtocolError::WrongTransport),
            // Refused, it would make the client give up before it has fetched what is left.
            Link::Lingering { .. } => Ok(None),
            Link::Closed => Err(ProtocolError::Closed),
            Link::Polling { post_open: true, .. } => Ok(self.end(CloseReason::TransportError)),
            Link::Polling { post_open, .. } => {
                *post_open = true;
                Ok(None)
            }
        }
    }

    fn open_websocket(&mut self, now: Timestamp) -> Result<(), ProtocolError> {
        let offered = self.config.upgrades == super::Upgrades::WebSocket;
        match &mut self.link {
            Link::Polling { upgrade, .. } if offered && matches!(upgrade, Upgrade::None) => {
                *upgrade = Upgrade::Opened { until: now.after(self.config.upgrade_timeout.into()) };
                Ok(())
            }
            Link::Polling { .. } | Link::WebSocket => Err(ProtocolError::UpgradeRefused),
            Link::Lingering { .. } | Link::Closed => Err(ProtocolError::Closed),
        }
    }

    fn websocket_closed<'a>(&mut self, reason: CloseReason) -> Option<Event<'a>> {
        match &mut self.link {
            Link::Polling { upgrade, .. } => {
                *upgrade = Upgrade::None;
                None
            }
            Link::WebSocket => self.end(reason),
            Link::Lingering { probed, .. } => {
                *probed = false;
                None
            }
            Link::Closed => None,
        }
    }

    fn handle_timeout<'a>(&mut self, now: Timestamp) -> Option<Event<'a>> {
        match self.link {
            Link::Lingering { until, .. } if until <= now => self.finish_lingering(),
            _ => {}
        }
        self.transport()?;
        if let Link::Polling { poll_waits, upgrade, .. } = &mut self.link {
            match upgrade {
                Upgrade::Opened { until } | Upgrade::Probed { until, .. } if *until <= now => {
                    *upgrade = Upgrade::None;
                    self.put(Output::CloseProbe);
                }
                Upgrade::Probed { release_at, .. } if *poll_waits && *release_at <= now => {
                    *release_at = now.after(RELEASE_INTERVAL);
                    self.put(Output::ReleasePoll);
                }
                _ => {}
            }
        }
        match self.heartbeat {
            Heartbeat::Rests { ping_at } | Heartbeat::Unjudged { ping_at } if ping_at <= now => {
                let on_time = now.since(ping_at) <= u64::from(self.config.ping_timeout) / PING_DELAY;
                self.heartbeat = self.pinged(if on_time { ping_at } else { now });
                self.put(Output::Ping);
                None
            }
            Heartbeat::Pinged { pong_until: until } | Heartbeat::Awaited { until } if until <= now => {
                self.end(CloseReason::PingTimeout)
            }
            _ => None,
        }
    }

    /// The client has to be heard from, while this side reads.
    fn awaited(&self, now: Timestamp) -> Heartbeat {
        let patience = u64::from(self.config.ping_interval) + u64::from(self.config.ping_timeout);
        if self.reading { Heartbeat::Awaited { until: now.after(patience) } } else { Heartbeat::Unheard }
    }

    /// A pong is awaited, and its absence counts while this side reads.
    fn pinged(&self, now: Timestamp) -> Heartbeat {
        if self.reading {
            Heartbeat::Pinged { pong_until: now.after(self.config.ping_timeout.into()) }
        } else {
            Heartbeat::Unjudged { ping_at: now.after(self.config.ping_interval.into()) }
        }
    }

    /// This side ends the session: what is queued still goes out, and a goodbye behind it.
    fn say_goodbye<'a>(&mut self, now: Timestamp, reason: CloseReason) -> Option<Event<'a>> {
        match self.link {
            Link::Polling { poll_waits, upgrade, .. } => {
                self.put(Output::Goodbye);
                if poll_waits {
                    self.put(Output::ReleasePoll);
                }
                if let Upgrade::Opened { .. } = upgrade {
                    self.put(Output::CloseProbe);
                }
                let probed = matches!(upgrade, Upgrade::Probed { .. });
                self.link = Link::Lingering { poll_waits, probed, until: now.after(LINGER) };
            }
            Link::WebSocket => {
                self.put(Output::Goodbye);
                self.put(Output::Drop);
                self.link = Link::Closed;
            }
            Link::Lingering { .. } | Link::Closed => return None,
        }
        Some(Event::Closed(reason))
    }

    /// The session is over at once.
    fn end<'a>(&mut self, reason: CloseReason) -> Option<Event<'a>> {
        self.transport()?;
        if let Link::Polling { upgrade: Upgrade::Opened { .. } | Upgrade::Probed { .. }, .. } = self.link {
            self.put(Output::CloseProbe);
        }
        self.link = Link::Closed;
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
