//! What an application hears of its client.

use super::{AckFailure, PassedOver, ReplyTo, SocketId, Transport};
use crate::Timestamp;
use crate::engine::CloseReason;
use crate::socket::{Args, DisconnectReason};

/// The state of the connection, for a UI to show.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum State {
    /// Never asked to connect; or disconnected since no socket wants its namespace any more, until one joins again.
    Idle,
    /// An attempt is under way.
    Connecting {
        /// The transport that it uses.
        transport: Transport,
        /// Attempts in a row, from 1.
        attempt: u32,
    },
    /// Messages get through.
    Connected {
        /// The transport that carries them. After a change to a WebSocket that has failed before, the former one until it
        /// has been of use.
        transport: Transport,
        /// Better ones that are not used, and why.
        passed_over: Vec<PassedOver>,
    },
    /// Disconnected; the next attempt comes by itself.
    Waiting {
        /// When.
        until: Timestamp,
        /// In how many milliseconds, counted from the change to this state.
        delay: u64,
        /// Why.
        reason: WaitReason,
    },
    /// Disconnected because nobody is there to see it: the page is being left, and may come back.
    Paused,
    /// Disconnected by the application, for good.
    Closed,
}

/// Why a client waits for its next attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WaitReason {
    /// There was a connection that carried messages, and it ended.
    Lost(CloseReason),
    /// No transport got a message through.
    Unreachable,
    /// The server does not serve this client, or no page of this origin: other transports would not help.
    Forbidden,
}

/// What an application is told.
#[derive(Debug)]
pub enum Event<A> {
    /// The state has changed.
    State(State),
    /// A socket has joined its namespace.
    Connected(SocketId),
    /// The server does not let a socket join. It does not ask again by itself.
    Refused {
        /// Which.
        socket: SocketId,
        /// Why, for people.
        message: String,
        /// Why, for programs: JSON.
        data: Option<String>,
    },
    /// A socket has left its namespace.
    Disconnected {
        /// Which.
        socket: SocketId,
        /// Why.
        reason: DisconnectReason,
    },
    /// The server has emitted an event.
    Incoming {
        /// To which socket.
        socket: SocketId,
        /// The server waits for an answer: [`super::Client::reply`] with this.
        reply_to: Option<ReplyTo>,
        /// Its name.
        name: String,
        /// Its arguments.
        args: Args<'static>,
    },
    /// An event without ack, or an answer, is not sent: it is larger than the server, known only now, takes; or too much
    /// waits to be sent; or the server has refused or put out the socket, in whose queue it was.
    Dropped(SocketId),
    /// An awaited ack has ended.
    Ack {
        /// What waited for it.
        slot: A,
        /// The answer, or why there is none.
        result: Result<Args<'static>, AckFailure>,
    },
}
