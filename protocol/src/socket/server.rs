//! The namespaces of one session as the server sees them. Its mirror is [`super::client`].
//!
//! It owns what is joined and whether the peer keeps to the protocol. Whether a client may join is the driver's to decide:
//! it answers [`Event::Connect`] by [`Input::Accept`] or [`Input::Refuse`]. Events and acks of the server itself do not
//! pass through here: they need no decision, the driver encodes them by [`super::Packet::encode`].
//!
//! The contract is that of [`crate::engine::server`].

use super::assembly::{Assembled, Assembly};
use super::{Incoming, Limits, Packet, PacketError};
use crate::Timestamp;
use crate::engine::Data;
use crate::json;
use std::collections::VecDeque;

/// What happens to the namespaces of a session.
#[derive(Clone, Debug)]
pub enum Input<'a> {
    /// The session has brought a message.
    Message(Data<'a>),
    /// The client may join. Whether it does, [`Namespaces::is_joined`] tells: it may have left unanswered.
    Accept {
        /// The namespace it asked for.
        namespace: &'a str,
        /// The id of its new socket.
        sid: &'a str,
        /// The private id by which it may later recover its state, if that is offered.
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
        namespace: &'a str,
        /// What it says of itself: a JSON object.
        auth: Option<&'a str>,
    },
    /// An event or ack in a namespace that is joined.
    Incoming(Incoming<'a>),
    /// The client has left, or does not wait for its [`Event::Connect`] to be answered; it has to be answered all the same.
    Disconnect {
        /// The namespace.
        namespace: &'a str,
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
    /// It asked twice to join a namespace, or again before its first ask was answered.
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
}

/// The state machine of one session's namespaces.
#[derive(Debug)]
pub struct Namespaces {
    /// A handful at most, so a list is smaller and faster than a map.
    entries: Vec<Entry>,
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
    /// Nothing is joined.
    pub fn new(now: Timestamp, limits: &Limits) -> Self {
        Self {
            entries: Vec::new(),
            assembly: Assembly::default(),
            connect_until: Some(now.after(limits.connect_timeout.into())),
            outputs: VecDeque::new(),
        }
    }

    /// Takes what has happened.
    pub fn handle_input<'a>(
        &mut self,
        now: Timestamp,
        input: Input<'a>,
        limits: &Limits,
    ) -> Option<Event<'a>> {
        match input {
            Input::Message(data) => match self.assembly.handle(data, limits) {
                Ok(None) => None,
                Ok(Some(Assembled::Incoming(incoming))) => self.check(incoming),
                Ok(Some(Assembled::Control(packet))) => self.control(&packet, limits),
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
        self.outputs.pop_front()
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
        self.entries.iter().find(|entry| *entry.namespace == *namespace).map(|entry| entry.state)
    }

    fn change(&mut self, namespace: &str, from: State, to: State) -> bool {
        let entry =
            self.entries.iter_mut().find(|entry| *entry.namespace == *namespace && entry.state == from);
        entry.map(|entry| entry.state = to).is_some()
    }

    fn check<'a>(&self, incoming: Incoming<'a>) -> Option<Event<'a>> {
        match self.state(incoming.namespace()) {
            Some(State::Joined) => Some(Event::Incoming(incoming)),
            Some(State::Left | State::Withdrawn) => None,
            Some(State::Asked) | None => Some(Event::Violation(Violation::NotJoined)),
        }
    }

    fn control<'a>(&mut self, packet: &Packet<'a>, limits: &Limits) -> Option<Event<'a>> {
        match *packet {
            Packet::Connect { namespace, data } => self.ask(namespace, data, limits),
            Packet::Disconnect { namespace } => match self.state(namespace) {
                Some(State::Joined) => {
                    self.change(namespace, State::Joined, State::Left);
                    Some(Event::Disconnect { namespace })
                }
                Some(State::Asked) => {
                    self.change(namespace, State::Asked, State::Withdrawn);
                    Some(Event::Disconnect { namespace })
                }
                Some(State::Left | State::Withdrawn) => None,
                None => Some(Event::Violation(Violation::NotJoined)),
            },
            _ => Some(Event::Violation(Violation::WrongDirection)),
        }
    }

    fn ask<'a>(&mut self, namespace: &'a str, auth: Option<&'a str>, limits: &Limits) -> Option<Event<'a>> {
        match self.state(namespace) {
            Some(State::Asked | State::Withdrawn | State::Joined) => {
                return Some(Event::Violation(Violation::JoinedTwice));
            }
            Some(State::Left) => {
                self.change(namespace, State::Left, State::Asked);
            }
            None if self.entries.len() >= limits.max_namespaces => {
                return Some(Event::Violation(Violation::TooManyNamespaces));
            }
            None => {
                // Exact: most sessions join one namespace, and idle ones should be small.
                self.entries.reserve_exact(1);
                self.entries.push(Entry { namespace: namespace.into(), state: State::Asked });
            }
        }
        Some(Event::Connect { namespace, auth })
    }

    fn accept(&mut self, namespace: &str, sid: &str, pid: Option<&str>) {
        let withdrawn = self.change(namespace, State::Withdrawn, State::Left);
        if withdrawn || !self.change(namespace, State::Asked, State::Joined) {
            return;
        }
        self.connect_until = None;
        let mut data = String::from("{\"sid\":");
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
        let mut error = String::from("{\"message\":");
        json::write_string(message, &mut error);
        if let Some(data) = data {
            error.push_str(",\"data\":");
            error.push_str(data);
        }
        error.push('}');
        self.send(&Packet::ConnectError { namespace, data: &error });
    }

    fn send(&mut self, packet: &Packet<'_>) {
        let mut text = String::new();
        packet.encode(&mut text);
        self.outputs.push_back(Output::Send(text));
    }
}
