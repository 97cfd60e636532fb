//! The public name of a socket, as clients and other servers say it.

use super::Socket;
use std::str::FromStr;

/// The public name of a socket: 22 characters, different for every socket but one whose client has come back
/// ([`Socket::is_recovered`]): that is called as before. It is no secret and gives no access.
///
/// ```
/// # use encke_server::SocketId;
/// let id: SocketId = "AAAAAAAAAAAAAAAAAAAAAB".parse()?;
/// assert_eq!(id.to_string(), "AAAAAAAAAAAAAAAAAAAAAB");
/// # Ok::<(), encke_server::InvalidSocketId>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
// As bytes, since a number of 128 bits would be aligned to 16 and what holds it be padded for it.
pub struct SocketId([u8; 16]);

impl SocketId {
    pub(crate) const fn new(random: u128) -> Self {
        Self(random.to_be_bytes())
    }

    pub(crate) const fn number(self) -> u128 {
        u128::from_be_bytes(self.0)
    }
}

/// Text that is no [`SocketId`].
///
/// ```
/// # use encke_server::{InvalidSocketId, SocketId};
/// assert_eq!("somebody".parse::<SocketId>(), Err(InvalidSocketId));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InvalidSocketId;

impl std::fmt::Display for InvalidSocketId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("a socket's id is 22 letters, digits, '-' and '_'")
    }
}

impl std::error::Error for InvalidSocketId {}

impl FromStr for SocketId {
    type Err = InvalidSocketId;

    /// Reads what [`Display`](std::fmt::Display) has written, and nothing else.
    fn from_str(text: &str) -> Result<Self, InvalidSocketId> {
        crate::id::decode_random(text).map(Self::new).ok_or(InvalidSocketId)
    }
}

impl std::fmt::Display for SocketId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut text = String::new();
        crate::id::encode_random(self.number(), &mut text);
        f.write_str(&text)
    }
}

impl std::fmt::Debug for SocketId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        std::fmt::Display::fmt(self, f)
    }
}

impl From<&Socket> for SocketId {
    fn from(socket: &Socket) -> Self {
        socket.id()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_read_back_and_nothing_else_is_one() {
        for random in [0, 1, u128::MAX, 0x0123_4567_89AB_CDEF_0123_4567_89AB_CDEF] {
            let id = SocketId::new(random);
            assert_eq!(id.to_string().parse(), Ok(id));
        }
        let text = SocketId::new(1).to_string();
        for wrong in [
            "",
            "x",
            &text[1..],
            &format!("{text}A"),
            &text.replace('B', "%"),
            &text.replacen('A', "E", 1),
            "ä",
        ] {
            assert_eq!(wrong.parse::<SocketId>(), Err(InvalidSocketId), "{wrong}");
        }
    }
}
