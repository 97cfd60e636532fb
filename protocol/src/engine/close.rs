//! How a session ends, and what a peer can do wrong without ending it.

/// Why a session is over. The words are those of the reference implementation, so they mean the same in every log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum CloseReason {
    /// The other side did not answer, or did not send, a heartbeat in time.
    PingTimeout,
    /// The other side ended the connection, or it broke off cleanly.
    TransportClose,
    /// The transport failed, or was used in a way it does not allow (two polls at once).
    TransportError,
    /// The other side sent what is no packet, or one that may not come from it.
    ParseError,
    /// This side's application ended the session.
    ForcedClose,
    /// This server is going away.
    ShuttingDown,
    /// The other side reads more slowly than it is sent to, beyond the limit.
    SlowReader,
}

impl CloseReason {
    /// The reason in words.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::PingTimeout => "ping timeout",
            Self::TransportClose => "transport close",
            Self::TransportError => "transport error",
            Self::ParseError => "parse error",
            Self::ForcedClose => "forced close",
            Self::ShuttingDown => "server shutting down",
            Self::SlowReader => "slow reader",
        }
    }
}

impl std::fmt::Display for CloseReason {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The peer did what the session's state does not allow. The input is refused, the session goes on as if it had not come.
///
/// What is bad enough to end a session is no error but an event, `Closed`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProtocolError {
    /// A request for a transport that the session does not use now.
    WrongTransport,
    /// A second WebSocket while one is there already, or one where no upgrade is offered.
    UpgradeRefused,
    /// The session is over.
    Closed,
}

impl std::fmt::Display for ProtocolError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::WrongTransport => "the session does not use this transport now",
            Self::UpgradeRefused => "the session takes no further WebSocket",
            Self::Closed => "the session is over",
        })
    }
}

impl std::error::Error for ProtocolError {}
