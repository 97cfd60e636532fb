//! The transports as a client chooses among them, and what may speak against one.

use crate::engine;

/// A way to carry a session. On the engine's wire both kinds of long-polling are one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Transport {
    /// One WebSocket.
    WebSocket,
    /// Long-polling whose answers the client reads.
    Polling,
    /// Long-polling by scripts and forms, for pages that may not read an answer.
    Jsonp,
}

impl Transport {
    /// Its name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::WebSocket => "websocket",
            Self::Polling => "polling",
            Self::Jsonp => "jsonp",
        }
    }

    /// The transport of that name, if there is one.
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::WebSocket, Self::Polling, Self::Jsonp].into_iter().find(|transport| transport.as_str() == name)
    }

    /// What it is on the wire.
    pub(super) const fn on_the_wire(self) -> engine::Transport {
        match self {
            Self::WebSocket => engine::Transport::WebSocket,
            Self::Polling | Self::Jsonp => engine::Transport::Polling,
        }
    }
}

/// A transport that is not used for a while, since a worse one got messages through and this one did not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PassedOver {
    /// Which.
    pub transport: Transport,
    /// What speaks against it.
    pub why: Why,
}

/// What speaks against a transport.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Why {
    /// It did not open.
    NotOpened,
    /// It opened and carried nothing.
    Silent,
    /// It was cut soon after it had opened, again and again.
    Cut,
}

impl Why {
    /// The reason as a name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::NotOpened => "not-opened",
            Self::Silent => "silent",
            Self::Cut => "cut",
        }
    }
}
