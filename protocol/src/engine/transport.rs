//! The transports a session can use. Only their names and how they rank; what they do is in the drivers.

/// A way to carry packets.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Transport {
    /// HTTP long-polling: a GET waits for packets, a POST brings packets.
    Polling,
    /// One WebSocket, a frame a packet.
    WebSocket,
}

impl Transport {
    /// The name in the query parameter `transport` and in the handshake's `upgrades`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Polling => "polling",
            Self::WebSocket => "websocket",
        }
    }

    /// The transport of that name, if there is one.
    pub fn from_name(name: &str) -> Option<Self> {
        match name {
            "polling" => Some(Self::Polling),
            "websocket" => Some(Self::WebSocket),
            _ => None,
        }
    }
}

/// Transports that a session may change to, as the handshake's `upgrades` lists them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Upgrades {
    /// It stays where it is.
    #[default]
    None,
    /// It may go on over a WebSocket.
    WebSocket,
}
