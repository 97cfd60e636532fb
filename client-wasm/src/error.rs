//! What can go wrong, and who is to blame. None of these ends a client: it goes on.

use encke_protocol::client::{AckFailure, NotSent};
use encke_protocol::contract::Never;
use std::fmt;

/// Why an emitted event has no ack.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AckError<E = Never> {
    /// The server has refused, as the event's contract says.
    Refused(E),
    /// The server has answered with something that is not of the contract's types.
    Malformed,
    /// No answer in time. An event that was still queued will not be sent any more; one that was sent may have been handled.
    Timeout,
    /// The event was sent, and then the connection ended. The server may have handled it.
    Disconnected,
    /// The event was not sent, and will not be.
    NotSent(NotSent),
}

impl<E> AckError<E> {
    pub(crate) fn failed(failure: AckFailure) -> Self {
        match failure {
            AckFailure::Timeout => Self::Timeout,
            AckFailure::Disconnected => Self::Disconnected,
            AckFailure::NotSent(reason) => Self::NotSent(reason),
        }
    }
}

impl<E: fmt::Display> fmt::Display for AckError<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Refused(error) => error.fmt(f),
            Self::Malformed => f.write_str("the answer is not of the agreed type"),
            Self::Timeout => f.write_str("no answer in time"),
            Self::Disconnected => f.write_str("the connection ended before the answer"),
            Self::NotSent(reason) => reason.fmt(f),
        }
    }
}

impl<E: fmt::Debug + fmt::Display> std::error::Error for AckError<E> {}

/// Something a socket could do nothing with. It has been dropped; everything else goes on.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Problem {
    /// The server has sent an event whose payload is not of the contract's type.
    Malformed {
        /// The event's name.
        event: String,
    },
    /// An event without ack, or an answer, was not sent: it is larger than the limit of the server, which was not known when
    /// it was queued; or too many messages wait already; or the server does not let the socket in any more.
    Dropped,
}

/// The server does not let a socket into its namespace.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// Why, for people.
    pub message: String,
    /// Why, for programs: JSON text, if the server gave any.
    pub data: Option<String>,
}
