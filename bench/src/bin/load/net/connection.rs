//! One connection: what it is for, and what waits in it.

use crate::crowd::ClientId;
use rustix::fd::OwnedFd;
use std::num::NonZeroU32;

/// A connection that has nothing incomplete keeps no more memory than this for it.
const KEPT: usize = 4_096;

/// A place in the table of connections, which is used again after its connection was closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ConnectionId(pub(super) NonZeroU32);

impl ConnectionId {
    pub(super) fn of(index: usize) -> Self {
        let number = u32::try_from(index + 1).expect("there are fewer connections than ports and addresses");
        Self(NonZeroU32::new(number).expect("it is one at least"))
    }

    pub(super) fn index(self) -> usize {
        self.0.get() as usize - 1
    }
}

/// What a connection is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    /// A WebSocket.
    Socket,
    /// Polls, and whatever else is asked before a client is connected.
    Poll,
    /// Posts of a client that is connected.
    Post,
}

/// What may be sent on a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum State {
    /// A request.
    Free,
    /// Nothing: a request has not been answered yet.
    Busy,
    /// WebSocket frames.
    Frames,
}

/// One connection, or a place where one was.
#[derive(Debug)]
pub(crate) struct Connection {
    pub(super) socket: Option<OwnedFd>,
    /// How many have been in this place: what epoll tells of another one is not meant.
    pub(super) generation: u32,
    pub(crate) client: ClientId,
    pub(crate) role: Role,
    pub(crate) state: State,
    pub(super) waits_for_room: bool,
    /// Is in the list of those that have something to write.
    pub(super) listed: bool,
    /// What has come of a frame or answer that is not complete.
    pub(crate) incomplete: Vec<u8>,
    pub(super) out: Vec<u8>,
    /// Bytes of `out` that have been written.
    pub(super) written: usize,
}

impl Connection {
    pub(super) fn empty(client: ClientId, role: Role) -> Self {
        Self {
            socket: None,
            generation: 0,
            client,
            role,
            state: State::Free,
            waits_for_room: false,
            listed: false,
            incomplete: Vec::new(),
            out: Vec::new(),
            written: 0,
        }
    }

    /// Keeps the rest that is not complete, in the memory where it came from.
    pub(crate) fn keep(&mut self, mut bytes: Vec<u8>, used: usize) {
        if used < bytes.len() {
            bytes.drain(..used);
        } else if bytes.capacity() > KEPT {
            bytes = Vec::new();
        } else {
            bytes.clear();
        }
        self.incomplete = bytes;
    }
}
