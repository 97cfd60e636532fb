//! The namespaces of one session as the server sees them. Its mirror is [`super::client`].
//!
//! It owns what is joined and whether the peer keeps to the protocol. Whether a client may join is the driver's to decide:
//! it answers [`Event::Connect`] by [`Input::Accept`] or [`Input::Refuse`]. Events and acks of the server itself do not
//! pass through here: they need no decision, the driver encodes them by [`super::Packet::encode`].
//!
//! The contract is that of [`crate::engine::server`].

use super::assembly::{Assembled, Assembly};
use super::dialect::split_query;
use super::{Dialect, Incoming, Limits, Packet, PacketError, Parser, Revision, msgpack};
use crate::Timestamp;
use crate::engine::Data;
use crate::json;
use std::borrow::Cow;
use std::collections::VecDeque;

/// What happens to the namespaces of a session.
#[derive(Clone, Debug)]
pub enum Input<'a> {
    /// The session has been opened and its open packet is queued. Before anything else, and once.
    Opened,
    /// The session has brought a message.
    Message(Data<'a>),
    /// The client may join. Whether it does, [`Namespaces::is_joined`] tells: it may have left unanswered.
    Accept {
        /// The namespace it asked for.
        namespace: &'a str,
        /// The id of its new socket.
        sid: &'a str,
        /// The private id by which it may later recover its state, if that is offered. Clients of revision 4 know nothing
        /// of that and are not told.
        pid: Option<&'a str>,
    },
    /// The client may not join.
    Refuse {
        /// The namespace it asked for.
        namespace: &'a str,
        /// Why, for people.
        message: &'a str,
        /// Why, for programs: any JSON.
        data: Option<&'a str>,
    },
    /// There is no such namespace. Clients of revision 4 never ask for `/`, so they are not told of that one.
    Unknown {
        /// The namespace it asked for.
        namespace: &'a str,
    },
    /// The server puts the client out of a namespace.
    Disconnect {
        /// The namespace.
        namespace: &'a str,
    },
    /// [`Namespaces::next_deadline`] has come.
    Timeout,
}

/// What the driver is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event<'a> {
    /// The client asks to join.
    Connect {
        /// The namespace.
        namespace: Cow<'a, str>,
        /// What it says of itself: a JSON object.
        auth: Option<Cow<'a, str>>,
    },
    /// An event or ack in a namespace that is joined.
    Incoming(Incoming<'a>),
    /// The client has left, or does not wait for its [`Event::Connect`] to be answered; it has to be answered all the same.
    Disconnect {
        /// The namespace.
        namespace: Cow<'a, str>,
    },
    /// The session has to end: the client broke the protocol.
    Violation(Violation),
}

/// How the client broke the protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Violation {
    /// It sent what is no packet.
    Packet(PacketError),
    /// It sent a packet that only servers send.
    WrongDirection,
    /// It spoke in a namespace that it never joined.
    NotJoined,
    /// It asked to join a namespace that it had joined, or one that it had left before its first ask was answered.
    JoinedTwice,
    /// It asked for more namespaces than the limit.
    TooManyNamespaces,
    /// It joined none in time.
    ConnectTimeout,
}

/// What the driver has to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Output {
    /// Queue this text as a message.
    Send(String),
    /// Queue these bytes as a message.
    SendBinary(Vec<u8>),
}

/// The namespace that needs no name on the wire.
const MAIN: &str = "/";
/// Most packets of this layer are shorter.
const PACKET_BYTES: usize = 96;

/// The state machine of one session's namespaces.
#[derive(Debug)]
pub struct Namespaces {
    /// The main namespace. Beside the others, since most sessions join it alone and idle ones should be small.
    main: Option<State>,
    /// The other ones: a handful at most, so a list is smaller and faster than a map.
    entries: Vec<Entry>,
    dialect: Dialect,
    assembly: Assembly,
    connect_until: Option<Timestamp>,
    outputs: VecDeque<Output>,
}

#[derive(Debug)]
struct Entry {
    namespace: Box<str>,
    state: State,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// The client asked; the driver has not answered.
    Asked,
    /// The client asked and left again; the driver has not answered. Another ask must wait until it has, for an answer does
    /// not say which ask it is for.
    Withdrawn,
    Joined,
    /// It was joined or refused. What the client sent before it knew is no violation.
    Left,
}

impl Namespaces {
    /// Nothing is joined; JSON text of revision 5 is spoken.
    pub fn new(now: Timestamp, limits: &Limits) -> Self {
        Self {
            main: None,
            entries: Vec::new(),
            dialect: Dialect::default(),
            assembly: Assembly::default(),
            connect_until: Some(now.after(limits.connect_timeout.into())),
            outputs: VecDeque::new(),
        }
    }

    /// The same, for a client that is spoken with so.
    #[must_use]
    pub fn speaking(self, dialect: Dialect) -> Self {
        Self { dialect, ..self }
    }

    /// Takes what has happened.
    pub fn handle_input<'a>(
        &mut self,
        now: Timestamp,
        input: Input<'a>,
        limits: &Limits,
    ) -> Option<Event<'a>> {
        match input {
            Input::Opened => match self.dialect.revision {
                Revision::V4 => self.ask(Cow::Borrowed(MAIN), None, limits),
                Revision::V5 => None,
            },
            Input::Message(data) if self.dialect.parser == Parser::MsgPack => self.msgpack(&data, limits),
            Input::Message(data) => match self.assembly.handle(data, limits) {
                Ok(None) => None,
                Ok(Some(Assembled::Incoming(incoming))) => self.check(incoming),
                Ok(Some(Assembled::Control(packet))) => match packet {
                    Packet::Connect { namespace, data } => {
                        self.connect(namespace.into(), data.map(Cow::Borrowed), limits)
                    }
                    Packet::Disconnect { namespace } => self.leave(namespace.into()),
                    _ => Some(Event::Violation(Violation::WrongDirection)),
                },
                Err(error) => Some(Event::Violation(Violation::Packet(error))),
            },
            Input::Accept { namespace, sid, pid } => {
                self.accept(namespace, sid, pid);
                None
            }
            Input::Refuse { namespace, message, data } => {
                self.refuse(namespace, message, data);
                None
            }
            Input::Unknown { namespace } => {
                if self.dialect.revision == Revision::V5 || namespace != MAIN {
                    self.refuse(namespace, "Invalid namespace", None);
                } else if !self.change(namespace, State::Withdrawn, State::Left) {
                    self.change(namespace, State::Asked, State::Left);
                }
                None
            }
            Input::Disconnect { namespace } => {
                if self.change(namespace, State::Joined, State::Left) {
                    self.send(&Packet::Disconnect { namespace });
                }
                None
            }
            Input::Timeout => {
                let late = self.connect_until.is_some_and(|until| until <= now);
                late.then(|| {
                    self.connect_until = None;
                    Event::Violation(Violation::ConnectTimeout)
                })
            }
        }
    }

    /// The next thing to do, `None` when all is done.
    pub fn poll_output(&mut self) -> Option<Output> {
        let output = self.outputs.pop_front();
        if output.is_none() && self.outputs.capacity() > 0 {
            self.outputs = VecDeque::new();
        }
        output
    }

    /// When to hand in [`Input::Timeout`], if at all.
    pub fn next_deadline(&self) -> Option<Timestamp> {
        self.connect_until
    }

    /// Whether the client has joined that namespace.
    pub fn is_joined(&self, namespace: &str) -> bool {
        self.state(namespace) == Some(State::Joined)
    }

    fn state(&self, namespace: &str) -> Option<State> {
        if namespace == MAIN {
            return self.main;
        }
        self.entries.iter().find(|entry| *entry.namespace == *namespace).map(|entry| entry.state)
    }

    fn change(&mut self, namespace: &str, from: State, to: State) -> bool {
        let state = match namespace {
            MAIN => self.main.as_mut(),
            _ => {
                let mut entries = self.entries.iter_mut();
                entries.find(|entry| *entry.namespace == *namespace).map(|entry| &mut entry.state)
            }
        };
        state.filter(|state| **state == from).map(|state| *state = to).is_some()
    }

    /// The client asks for a namespace that it has not asked for before.
    fn add(&mut self, namespace: &str) {
        match namespace {
            MAIN => self.main = Some(State::Asked),
            _ => {
                // Exact: idle sessions should be small.
                self.entries.reserve_exact(1);
                self.entries.push(Entry { namespace: namespace.into(), state: State::Asked });
            }
        }
    }

    /// How many namespaces the client has asked for.
    fn count(&self) -> usize {
        self.entries.len() + usize::from(self.main.is_some())
    }

    fn check<'a>(&self, incoming: Incoming<'a>) -> Option<Event<'a>> {
        match self.state(incoming.namespace()) {
            Some(State::Joined) => Some(Event::Incoming(incoming)),
            Some(State::Left | State::Withdrawn) => None,
            Some(State::Asked) | None => Some(Event::Violation(Violation::NotJoined)),
        }
    }

    fn msgpack<'a>(&mut self, data: &Data<'_>, limits: &Limits) -> Option<Event<'a>> {
        let message = match data {
            Data::Binary(bytes) => msgpack::decode(bytes, limits),
            Data::Text(_) => Err(PacketError::UnexpectedMessage),
        };
        match message {
            Ok(msgpack::Message::Incoming(incoming)) => self.check(incoming),
            Ok(msgpack::Message::Connect { namespace, data }) => {
                self.connect(namespace.into(), data.map(Cow::Owned), limits)
            }
            Ok(msgpack::Message::Disconnect { namespace }) => self.leave(namespace.into()),
            Ok(msgpack::Message::ConnectError) => Some(Event::Violation(Violation::WrongDirection)),
            Err(error) => Some(Event::Violation(Violation::Packet(error))),
        }
    }

    fn connect<'a>(
        &mut self,
        namespace: Cow<'a, str>,
        auth: Option<Cow<'a, str>>,
        limits: &Limits,
    ) -> Option<Event<'a>> {
        if self.dialect.revision == Revision::V5 {
            return self.ask(namespace, auth, limits);
        }
        let (name, auth) = split_query(&namespace);
        let name = Cow::Owned(name.to_owned());
        self.ask(name, auth.map(Cow::Owned), limits)
    }

    fn leave<'a>(&mut self, namespace: Cow<'a, str>) -> Option<Event<'a>> {
        match self.state(&namespace) {
            Some(State::Joined) => {
                self.change(&namespace, State::Joined, State::Left);
                Some(Event::Disconnect { namespace })
            }
            Some(State::Asked) => {
                self.change(&namespace, State::Asked, State::Withdrawn);
                Some(Event::Disconnect { namespace })
            }
            Some(State::Left | State::Withdrawn) => None,
            None => Some(Event::Violation(Violation::NotJoined)),
        }
    }

    fn ask<'a>(
        &mut self,
        namespace: Cow<'a, str>,
        auth: Option<Cow<'a, str>>,
        limits: &Limits,
    ) -> Option<Event<'a>> {
        if namespace.len() > limits.max_namespace_len {
            return Some(Event::Violation(Violation::Packet(PacketError::LimitExceeded)));
        }
        match self.state(&namespace) {
            // One answer serves both: clients may ask twice within a round trip.
            Some(State::Asked) => return None,
            Some(State::Withdrawn | State::Joined) => {
                return Some(Event::Violation(Violation::JoinedTwice));
            }
            Some(State::Left) => {
                self.change(&namespace, State::Left, State::Asked);
            }
            None if self.count() >= limits.max_namespaces => {
                return Some(Event::Violation(Violation::TooManyNamespaces));
            }
            None => self.add(&namespace),
        }
        Some(Event::Connect { namespace, auth })
    }

    fn accept(&mut self, namespace: &str, sid: &str, pid: Option<&str>) {
        let withdrawn = self.change(namespace, State::Withdrawn, State::Left);
        if withdrawn || !self.change(namespace, State::Asked, State::Joined) {
            return;
        }
        self.connect_until = None;
        if self.dialect.revision == Revision::V4 {
            return self.send(&Packet::Connect { namespace, data: None });
        }
        let mut data = String::with_capacity(2 * sid.len() + 32);
        data.push_str("{\"sid\":");
        json::write_string(sid, &mut data);
        if let Some(pid) = pid {
            data.push_str(",\"pid\":");
            json::write_string(pid, &mut data);
        }
        data.push('}');
        self.send(&Packet::Connect { namespace, data: Some(&data) });
    }

    fn refuse(&mut self, namespace: &str, message: &str, data: Option<&str>) {
        let withdrawn = self.change(namespace, State::Withdrawn, State::Left);
        if withdrawn || !self.change(namespace, State::Asked, State::Left) {
            return;
        }
        let mut error = String::new();
        match (self.dialect.revision, data) {
            (Revision::V4, Some(data)) => error.push_str(data),
            (Revision::V4, None) => json::write_string(message, &mut error),
            (Revision::V5, data) => {
                error.push_str("{\"message\":");
                json::write_string(message, &mut error);
                if let Some(data) = data {
                    error.push_str(",\"data\":");
                    error.push_str(data);
                }
                error.push('}');
            }
        }
        self.send(&Packet::ConnectError { namespace, data: &error });
    }

    fn send(&mut self, packet: &Packet<'_>) {
        self.outputs.push_back(match self.dialect.parser {
            Parser::Json => {
                let mut text = String::with_capacity(PACKET_BYTES);
                packet.encode(&mut text);
                Output::Send(text)
            }
            Parser::MsgPack => {
                let mut bytes = Vec::new();
                msgpack::encode(packet, &[], &mut bytes);
                Output::SendBinary(bytes)
            }
        });
    }
}
