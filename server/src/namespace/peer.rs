//! What a namespace needs of the connection of a client; sessions implement it. This is the arrow back from namespace to
//! session, so that a namespace knows no transport.

use super::{Handshake, Refusal, Socket};
use crate::turn::{Flush, Frames};
use encke_protocol::engine::Transport;
use std::sync::Arc;

/// What happens to an event that cannot be written at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Delivery {
    /// It waits; too many that wait end the session.
    Queued,
    /// It is dropped.
    Volatile,
}

/// One client's connection.
pub(crate) trait Peer: Flush {
    /// The request that opened it.
    fn handshake(&self) -> &Handshake;
    /// The session's id, as the client knows it.
    fn name(&self) -> String;
    /// What carries it now; nothing when it is over.
    fn transport(&self) -> Option<Transport>;
    /// Whether a packet with a separator of packets in its text would arrive as two.
    fn cuts_at_separators(&self) -> bool;
    /// Whether the client knows how to come back for what it has missed.
    fn can_come_back(&self) -> bool;
    /// Queues frames. True when the client has to be flushed at the end of this turn.
    fn push(&self, frames: &Frames, delivery: Delivery) -> bool;
    /// Lets the client into the socket's namespace. False when it is gone meanwhile, or has taken its ask back.
    fn accept(self: Arc<Self>, socket: &Socket) -> bool;
    /// Keeps the client out of that namespace.
    fn refuse(self: Arc<Self>, namespace: &str, refusal: &Refusal);
    /// There is no such namespace for the client.
    fn unknown(self: Arc<Self>, namespace: &str);
    /// Puts the client out of the socket's namespace, where it is still in as that socket.
    fn dismiss(self: Arc<Self>, socket: &Socket);
    /// Ends the client's session with all its namespaces.
    fn end(self: Arc<Self>);
    /// Stops reading from the client: somebody's queue is full.
    fn pause(&self);
    /// Takes back one [`Peer::pause`].
    fn resume(&self);
    /// A socket has left and its last handler has finished.
    fn parted(&self);
}

/// Lets everybody in, and keeps the socket.
#[cfg(test)]
pub(crate) struct Doorkeeper {
    handshake: Handshake,
    admitted: std::sync::Mutex<Option<Socket>>,
    parted: std::sync::atomic::AtomicUsize,
}

#[cfg(test)]
impl Default for Doorkeeper {
    fn default() -> Self {
        let handshake = Handshake::new("/", std::iter::empty());
        Self { handshake, admitted: Default::default(), parted: Default::default() }
    }
}

#[cfg(test)]
impl Doorkeeper {
    pub(crate) fn admitted(&self) -> Socket {
        self.let_in().expect("let in")
    }

    pub(crate) fn let_in(&self) -> Option<Socket> {
        crate::lock(&self.admitted).take()
    }

    pub(crate) fn parted(&self) -> usize {
        self.parted.load(std::sync::atomic::Ordering::Relaxed)
    }
}

#[cfg(test)]
impl Flush for Doorkeeper {
    fn flush(&self) {}
}

#[cfg(test)]
impl Peer for Doorkeeper {
    fn handshake(&self) -> &Handshake {
        &self.handshake
    }
    fn name(&self) -> String {
        String::new()
    }
    fn transport(&self) -> Option<Transport> {
        None
    }
    fn cuts_at_separators(&self) -> bool {
        false
    }
    fn can_come_back(&self) -> bool {
        true
    }
    fn push(&self, _frames: &Frames, _delivery: Delivery) -> bool {
        false
    }
    fn accept(self: Arc<Self>, socket: &Socket) -> bool {
        socket.connected();
        // At the worst moment: nothing but the answer has been queued.
        socket.beaten();
        socket.has_answered_beat();
        *crate::lock(&self.admitted) = Some(socket.clone());
        true
    }
    fn refuse(self: Arc<Self>, _namespace: &str, _refusal: &Refusal) {}
    fn unknown(self: Arc<Self>, _namespace: &str) {}
    fn dismiss(self: Arc<Self>, _socket: &Socket) {}
    fn end(self: Arc<Self>) {}
    fn pause(&self) {}
    fn resume(&self) {}
    fn parted(&self) {
        self.parted.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
    }
}
