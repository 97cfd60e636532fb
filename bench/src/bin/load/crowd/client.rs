//! One client: how far it is, and which connections it has.

use crate::clock::Nanos;
use crate::net::ConnectionId;

/// Which client, from 0 on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ClientId(u32);

impl ClientId {
    pub(crate) fn of(index: usize) -> Self {
        Self(u32::try_from(index).expect("there are fewer clients than ports and addresses"))
    }

    pub(crate) fn index(self) -> usize {
        self.0 as usize
    }
}

/// How a client talks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Transport {
    WebSocket,
    Polling,
    /// Polling first, then a WebSocket.
    Upgrade,
    /// None: asks for a page when it is told to, over a connection that is kept.
    Page,
}

/// How far a client is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stage {
    /// Not started, gone, or failed.
    Off,
    /// Waits for the session to be opened.
    Opening,
    /// Waits for the post to be answered that asks for the namespace.
    Asking,
    /// Waits for the namespace.
    Joining,
    /// Waits for the probe to be answered.
    Probing,
    /// It has been answered: waits for the pending poll to end.
    Probed,
    /// Has upgraded and sent a first event: waits for its ack.
    Upgraded,
    /// Connected.
    Up,
    /// Has said goodbye: waits for the server to close the WebSocket, or to answer the post.
    Leaving,
}

#[derive(Debug)]
pub(super) struct Client {
    pub(super) stage: Stage,
    pub(super) transport: Transport,
    /// The WebSocket that packets go by.
    pub(super) socket: Option<ConnectionId>,
    /// The WebSocket that is being tried.
    pub(super) probe: Option<ConnectionId>,
    /// For polls, or for pages.
    pub(super) poll: Option<ConnectionId>,
    pub(super) post: Option<ConnectionId>,
    /// When it began to connect.
    pub(super) since: Nanos,
    pub(super) sid: String,
    /// Packets for the next post, with what stands between them.
    pub(super) queue: Vec<u8>,
    /// Where the last post was, to be the queue again.
    pub(super) spare: Vec<u8>,
}

impl Client {
    pub(super) fn new(transport: Transport) -> Self {
        Self {
            stage: Stage::Off,
            transport,
            socket: None,
            probe: None,
            poll: None,
            post: None,
            since: 0,
            sid: String::new(),
            queue: Vec::new(),
            spare: Vec::new(),
        }
    }

    /// Takes its connections from it.
    pub(super) fn disconnect(&mut self) -> [Option<ConnectionId>; 4] {
        [self.socket.take(), self.probe.take(), self.poll.take(), self.post.take()]
    }
}
