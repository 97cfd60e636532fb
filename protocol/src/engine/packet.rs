//! One Engine.IO packet, as text or as bytes (protocol section "Packet encoding").
//!
//! A packet borrows what it carries from the input. Only a binary message out of a long-polling payload owns its bytes,
//! since they arrive as base64.

use std::borrow::Cow;

/// What a transport carries in one piece: the content of a message, or one WebSocket message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Data<'a> {
    /// Text.
    Text(&'a str),
    /// Bytes.
    Binary(Cow<'a, [u8]>),
}

impl Data<'_> {
    /// Length in bytes.
    pub fn len(&self) -> usize {
        match self {
            Self::Text(text) => text.len(),
            Self::Binary(bytes) => bytes.len(),
        }
    }

    /// Whether there is no byte in it.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// An Engine.IO packet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Packet<'a> {
    /// `0`: the server opens a session; the handshake as JSON text.
    Open(&'a str),
    /// `1`: this transport ends, and with it the session.
    Close,
    /// `2`: the server's heartbeat, or `2probe` of an upgrade.
    Ping(&'a str),
    /// `3`: the client's answer to a heartbeat, or `3probe`.
    Pong(&'a str),
    /// `4`, or a binary frame: a message of the layer above.
    Message(Data<'a>),
    /// `5`: the client has changed the transport.
    Upgrade,
    /// `6`: nothing; ends a waiting poll.
    Noop,
}

/// Why bytes are not a packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PacketError {
    /// The text is empty: not even a type.
    Empty,
    /// The first character is no packet type.
    UnknownType,
    /// The packet of this type carries something where nothing is allowed.
    UnexpectedContent,
    /// A binary message in a payload is not valid base64.
    Base64,
    /// More packets in one payload than the limit allows.
    TooManyPackets,
    /// In a payload of v3, the length of a packet is missing, malformed, or not that of what is there.
    Length,
}

impl std::fmt::Display for PacketError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Empty => "the packet is empty",
            Self::UnknownType => "the packet type is unknown",
            Self::UnexpectedContent => "the packet carries content that its type does not allow",
            Self::Base64 => "the binary message is not valid base64",
            Self::TooManyPackets => "the payload holds too many packets",
            Self::Length => "the length of a packet is malformed",
        })
    }
}

impl std::error::Error for PacketError {}

impl<'a> Packet<'a> {
    /// Decodes one WebSocket message, or one text packet of a payload.
    ///
    /// # Errors
    /// [`PacketError`] when the text has no known type or content where none may be; bytes are always a message.
    pub fn decode(data: Data<'a>) -> Result<Self, PacketError> {
        let text = match data {
            Data::Binary(bytes) => return Ok(Self::Message(Data::Binary(bytes))),
            Data::Text(text) => text,
        };
        let mut chars = text.chars();
        let kind = chars.next().ok_or(PacketError::Empty)?;
        let content = chars.as_str();
        let bare = |packet| if content.is_empty() { Ok(packet) } else { Err(PacketError::UnexpectedContent) };
        match kind {
            '0' => Ok(Self::Open(content)),
            '1' => bare(Self::Close),
            '2' => Ok(Self::Ping(content)),
            '3' => Ok(Self::Pong(content)),
            '4' => Ok(Self::Message(Data::Text(content))),
            '5' => bare(Self::Upgrade),
            '6' => bare(Self::Noop),
            _ => Err(PacketError::UnknownType),
        }
    }

    /// Writes the packet as text behind what is in `out`. A binary message is written as in a payload: `b` and base64.
    pub fn encode_text(&self, out: &mut String) {
        let (kind, content) = match self {
            Self::Open(handshake) => ('0', *handshake),
            Self::Close => ('1', ""),
            Self::Ping(content) => ('2', *content),
            Self::Pong(content) => ('3', *content),
            Self::Message(Data::Text(text)) => ('4', *text),
            Self::Message(Data::Binary(bytes)) => {
                out.push('b');
                return super::base64::encode(bytes, out);
            }
            Self::Upgrade => ('5', ""),
            Self::Noop => ('6', ""),
        };
        out.push(kind);
        out.push_str(content);
    }
}
