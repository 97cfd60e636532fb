//! Why a socket left its namespace.

use crate::engine::CloseReason;

/// Why a socket is disconnected. Each side names its own doing and the other's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum DisconnectReason {
    /// The client left this namespace by a DISCONNECT packet.
    ByClient,
    /// The server put the client out of this namespace by a DISCONNECT packet.
    ByServer,
    /// The session ended.
    Session(CloseReason),
}

impl DisconnectReason {
    /// The words the reference server uses.
    pub const fn as_server_str(self) -> &'static str {
        match self {
            Self::ByClient => "client namespace disconnect",
            Self::ByServer => "server namespace disconnect",
            Self::Session(reason) => reason.as_str(),
        }
    }

    /// The words the reference client uses.
    pub const fn as_client_str(self) -> &'static str {
        match self {
            Self::ByClient => "io client disconnect",
            Self::ByServer => "io server disconnect",
            Self::Session(reason) => reason.as_str(),
        }
    }
}
