//! What an application sees: namespaces with their handlers, sockets, rooms, acks and broadcasts.
//!
//! Owns who is in which room, the order of a socket's events, and the acks that are awaited. Knows no transport, session
//! or HTTP: the connection of a client is a [`peer::Peer`], implemented above. Rooms are asked for by name and never
//! handed out, so that their members may one day be on other nodes.

mod ack;
mod args;
mod broadcast;
mod encode;
mod handlers;
mod handshake;
pub(crate) mod peer;
mod refusal;
mod room;
mod roster;
mod selection;
mod socket;
mod work;

pub use ack::{Ack, AckError, AckFuture, TypedAck};
pub use args::{Args, Arguments};
pub use broadcast::Broadcast;
pub(crate) use encode::message;
pub use handlers::{Handlers, Reply};
pub(crate) use handshake::Carried;
pub use handshake::{Auth, Handshake};
pub use refusal::Refusal;
pub use selection::Rooms;
pub use socket::{ACK_TIMEOUT, Socket, SocketId};
pub(crate) use work::Job;

use handlers::Admission;
use peer::Peer;
use roster::Roster;
use std::sync::Arc;
use work::Pending;

/// A namespace of the server. Cheap to clone; clones are the same namespace.
#[derive(Clone)]
pub struct Namespace(Arc<NamespaceCore>);

pub(crate) struct NamespaceCore {
    name: Box<str>,
    handlers: Handlers,
    /// Bytes of events that may queue behind a waiting handler of one socket.
    max_queued_events: usize,
    roster: Roster,
}

impl Namespace {
    pub(crate) fn new(name: &str, handlers: Handlers, max_queued_events: usize) -> Self {
        Self(Arc::new(NamespaceCore {
            name: name.into(),
            handlers,
            max_queued_events,
            roster: Roster::default(),
        }))
    }

    /// The name; begins with `/`.
    pub fn name(&self) -> &str {
        &self.0.name
    }

    /// Everybody in the namespace.
    pub fn everybody(&self) -> Broadcast {
        Broadcast::everybody(self.0.clone())
    }

    /// Everybody in that room, or in any of those.
    pub fn to(&self, rooms: impl Rooms) -> Broadcast {
        self.everybody().to(rooms)
    }

    /// Everybody but those in that room, or in any of those.
    pub fn except(&self, rooms: impl Rooms) -> Broadcast {
        self.everybody().except(rooms)
    }

    /// That one socket.
    pub fn to_socket(&self, socket: impl Into<SocketId>) -> Broadcast {
        self.everybody().to_socket(socket)
    }

    /// The socket of that id, if it is in the namespace.
    pub fn find(&self, socket: SocketId) -> Option<Socket> {
        self.0.roster.find(socket)
    }

    /// The rooms with somebody in them, in no order.
    pub fn rooms(&self) -> Vec<Arc<str>> {
        self.0.roster.names()
    }

    /// How many sockets are in the namespace.
    pub fn len(&self) -> usize {
        self.0.roster.len()
    }

    /// Whether nobody is in the namespace.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// A client asks to enter; its socket is called by `random`.
    pub(crate) fn knock(&self, peer: Arc<dyn Peer>, random: u128, auth: Auth<'_>) {
        let socket = Socket::new(self.0.clone(), peer, random, auth);
        socket.deliver(Job::Admit);
    }
}

impl Socket {
    /// Has the application handle `job` as far as it goes at once; the rest, if it waits.
    fn run(&self, job: Job<'_>) -> Option<Pending> {
        let handlers = &self.inner.namespace.handlers;
        match job {
            Job::Admit => self.admit(0),
            Job::Event { name, id, args } => match handlers.events.get(&*name) {
                Some(handler) => handler(self, args, Ack::new(self, id)),
                None => {
                    tracing::debug!(socket = %self.id(), event = &*name, "an event without handler");
                    // Whoever waits for an answer gets one without arguments.
                    drop(Ack::new(self, id));
                    None
                }
            },
            Job::Disconnect(reason) => handlers.disconnect.as_ref()?(self, reason),
        }
    }

    /// Asks one after the other who has a say in it, from that one on.
    fn admit(&self, from: usize) -> Option<Pending> {
        for (index, admit) in self.inner.namespace.handlers.admit.iter().enumerate().skip(from) {
            match admit(self) {
                Admission::Decided(Ok(())) => {}
                Admission::Decided(Err(refusal)) => return self.decided(Err(refusal)),
                Admission::Waits(decision) => {
                    let socket = self.clone();
                    return Some(Box::pin(async move {
                        let rest = match decision.await {
                            Ok(()) => socket.admit(index + 1),
                            Err(refusal) => socket.decided(Err(refusal)),
                        };
                        if let Some(rest) = rest {
                            rest.await;
                        }
                    }));
                }
            }
        }
        self.decided(Ok(()))
    }

    fn decided(&self, decision: Result<(), Refusal>) -> Option<Pending> {
        self.decide();
        let peer = self.inner.peer.clone();
        match decision {
            Ok(()) => {
                if !peer.accept(self) {
                    return None;
                }
                self.enter();
                self.inner.namespace.handlers.connect.as_ref()?(self)
            }
            Err(refusal) => {
                peer.refuse(self.namespace_name(), &refusal);
                None
            }
        }
    }
}

impl std::fmt::Debug for Namespace {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Namespace").field("name", &self.0.name).finish_non_exhaustive()
    }
}
