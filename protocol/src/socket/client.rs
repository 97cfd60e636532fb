//! The namespaces of one session as a client sees them. Its mirror is [`super::server`], with the same contract.
//!
//! It owns what is asked for and joined, on this one session: when the session ends, so does the machine, and the next
//! session starts with a new one.

use super::assembly::{Assembled, Assembly};
use super::{Incoming, Limits, Packet, PacketError};
use crate::engine::Data;
use crate::json;
use crate::list;
use crate::queue::Queue;

/// What happens to the namespaces of a session.
#[derive(Clone, Debug)]
pub enum Input<'a> {
    /// The session has brought a message.
    Message(Data<'a>),
    /// Ask to join.
    Connect {
        /// The namespace.
        namespace: &'a str,
        /// What to say of oneself: a JSON object.
        auth: Option<&'a str>,
    },
    /// Leave; nothing more is told of it, also when the server has not answered yet.
    Disconnect {
        /// The namespace.
        namespace: &'a str,
    },
}

/// What the driver is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event<'a> {
    /// The namespace is joined.
    Connected {
        /// The namespace.
        namespace: &'a str,
        /// The id of this socket.
        sid: String,
        /// The private id by which state may be recovered, if the server offers that.
        pid: Option<String>,
    },
    /// The server does not let this client join.
    Refused {
        /// The namespace.
        namespace: &'a str,
        /// Why, for people.
        message: String,
        /// Why, for programs: JSON.
        data: Option<&'a str>,
    },
    /// An event or ack in a namespace that is joined.
    Incoming(Incoming<'a>),
    /// The server has put this client out of the namespace.
    Disconnected {
        /// The namespace.
        namespace: &'a str,
    },
    /// The session has to end: the server broke the protocol.
    Violation(PacketError),
}

/// What the driver has to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Output {
    /// Queue this text as a message.
    Send(String),
}

/// The state machine of one session's namespaces.
#[derive(Debug, Default)]
pub struct Namespaces {
    entries: Vec<Entry>,
    assembly: Assembly,
    outputs: Queue<Output>,
}

#[derive(Debug)]
struct Entry {
    namespace: Box<str>,
    state: State,
}

#[derive(Debug, PartialEq, Eq)]
enum State {
    Asked,
    Joined,
    /// Asked, and left before the answer. A DISCONNECT may follow only the answer: servers end the session of a client that
    /// leaves what it has not joined. `again` is the CONNECT packet to send then, when it is wanted once more.
    Leaving {
        again: Option<String>,
    },
}

impl Namespaces {
    /// Nothing is joined.
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes what has happened.
    pub fn handle_input<'a>(&mut self, input: Input<'a>, limits: &Limits) -> Option<Event<'a>> {
        match input {
            Input::Message(data) => match self.assembly.handle(data, limits) {
                Ok(None) => None,
                // What was under way when this side left is nobody's fault.
                Ok(Some(Assembled::Incoming(incoming))) => {
                    self.is_joined(incoming.namespace()).then_some(Event::Incoming(incoming))
                }
                Ok(Some(Assembled::Control(packet))) => self.control(&packet),
                Err(error) => Some(Event::Violation(error)),
            },
            Input::Connect { namespace, auth } => {
                self.ask(namespace, auth);
                None
            }
            Input::Disconnect { namespace } => {
                self.leave(namespace);
                None
            }
        }
    }

    /// The next thing to do, `None` when all is done.
    pub fn poll_output(&mut self) -> Option<Output> {
        self.outputs.pop()
    }

    /// Whether the server has let this client into that namespace.
    pub fn is_joined(&self, namespace: &str) -> bool {
        self.entries.iter().any(|entry| *entry.namespace == *namespace && entry.state == State::Joined)
    }

    fn ask(&mut self, namespace: &str, auth: Option<&str>) {
        let connect = encode(&Packet::Connect { namespace, data: auth });
        match self.entry(namespace).map(|entry| &mut entry.state) {
            Some(State::Leaving { again }) => *again = Some(connect),
            Some(State::Asked | State::Joined) => {}
            None => {
                self.entries.push(Entry { namespace: namespace.into(), state: State::Asked });
                self.outputs.push(Output::Send(connect));
            }
        }
    }

    fn leave(&mut self, namespace: &str) {
        let Some(entry) = self.entry(namespace) else { return };
        if entry.state == State::Joined {
            self.remove(namespace);
            self.outputs.push(Output::Send(encode(&Packet::Disconnect { namespace })));
        } else {
            entry.state = State::Leaving { again: None };
        }
    }

    fn entry(&mut self, namespace: &str) -> Option<&mut Entry> {
        self.entries.iter_mut().find(|entry| *entry.namespace == *namespace)
    }

    fn remove(&mut self, namespace: &str) -> bool {
        let at = self.entries.iter().position(|entry| *entry.namespace == *namespace);
        at.and_then(|at| list::take(&mut self.entries, at)).is_some()
    }

    fn control<'a>(&mut self, packet: &Packet<'a>) -> Option<Event<'a>> {
        match *packet {
            Packet::Connect { namespace, data } => {
                let Some((sid, pid)) = data.and_then(accepted) else {
                    return Some(Event::Violation(PacketError::Payload));
                };
                let entry = self.entry(namespace)?;
                match std::mem::replace(&mut entry.state, State::Joined) {
                    State::Asked => {
                        return Some(Event::Connected { namespace, sid, pid });
                    }
                    State::Joined => {}
                    State::Leaving { again } => {
                        self.leave(namespace);
                        self.ask_again(namespace, again);
                    }
                }
                None
            }
            Packet::ConnectError { namespace, data } => {
                if let State::Leaving { again } = &mut self.entry(namespace)?.state {
                    let again = again.take();
                    self.remove(namespace);
                    self.ask_again(namespace, again);
                    return None;
                }
                let refusal = refusal(data);
                self.remove(namespace).then_some(Event::Refused {
                    namespace,
                    message: refusal.message,
                    data: refusal.data,
                })
            }
            Packet::Disconnect { namespace } => {
                let was_joined = self.is_joined(namespace);
                self.remove(namespace);
                was_joined.then_some(Event::Disconnected { namespace })
            }
            Packet::Event { .. } | Packet::Ack { .. } => None,
        }
    }

    fn ask_again(&mut self, namespace: &str, connect: Option<String>) {
        if let Some(connect) = connect {
            self.entries.push(Entry { namespace: namespace.into(), state: State::Asked });
            self.outputs.push(Output::Send(connect));
        }
    }
}

fn encode(packet: &Packet<'_>) -> String {
    let mut text = String::new();
    packet.encode(&mut text);
    text
}

/// `sid` and `pid` in the data of the server's CONNECT; only servers that offer recovery give a `pid`.
fn accepted(data: &str) -> Option<(String, Option<String>)> {
    let sid = text_field(data, "sid")?;
    Some((sid, text_field(data, "pid")))
}

/// The data of a CONNECT_ERROR: an object, or in older servers a string.
struct Refusal<'a> {
    message: String,
    data: Option<&'a str>,
}

fn refusal(text: &str) -> Refusal<'_> {
    match json::string(text) {
        Ok(message) => Refusal { message: message.into_owned(), data: None },
        Err(_) => Refusal {
            message: text_field(text, "message").unwrap_or_default(),
            data: json::field(text, "data"),
        },
    }
}

fn text_field(object: &str, name: &str) -> Option<String> {
    Some(json::string(json::field(object, name)?).ok()?.into_owned())
}
