//! The versions of the protocol.

/// Which Engine.IO a client speaks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Version {
    /// Socket.IO 1 and 2. Only servers speak it; what differs on the wire is in [`super::v3`]. The client pings.
    V3,
    /// Socket.IO 3 and later. The server pings.
    #[default]
    V4,
}

impl Version {
    /// The value of `EIO` in a query.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::V3 => "3",
            Self::V4 => "4",
        }
    }

    /// The version of that name, if it is spoken.
    pub fn from_name(name: &str) -> Option<Self> {
        match name {
            "3" => Some(Self::V3),
            "4" => Some(Self::V4),
            _ => None,
        }
    }
}
