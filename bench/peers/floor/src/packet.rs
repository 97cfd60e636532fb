//! What a client says, told by its first bytes.

/// A text of a client.
pub enum Packet<'a> {
    /// Joins the namespace.
    Connect,
    /// Leaves it.
    Disconnect,
    /// To everybody else as it is.
    Chat,
    /// Everybody else gets it as it is, with the attachment that follows.
    Attached,
    Echo {
        id: &'a [u8],
        arguments: &'a [u8],
    },
    Join {
        id: &'a [u8],
        room: &'a [u8],
    },
    /// `rest` begins with the text's quote.
    Room {
        room: &'a [u8],
        rest: &'a [u8],
    },
    /// Answers to heartbeats, and whatever else asks for nothing.
    Other,
}

impl<'a> Packet<'a> {
    pub fn of(text: &'a [u8]) -> Self {
        let Some(event) = text.strip_prefix(b"42") else {
            return match text {
                [b'4', b'0', ..] => Self::Connect,
                [b'4', b'1', ..] => Self::Disconnect,
                [b'4', b'5', b'1', ..] => Self::Attached,
                _ => Self::Other,
            };
        };
        let digits = event.iter().take_while(|byte| byte.is_ascii_digit()).count();
        let (id, event) = event.split_at(digits);
        if event.starts_with(b"[\"chat\",") {
            Self::Chat
        } else if let Some(arguments) = event.strip_prefix(b"[\"echo\",") {
            Self::Echo { id, arguments }
        } else if let Some(room) = event.strip_prefix(b"[\"join\",") {
            Self::Join { id, room: string(room) }
        } else if let Some(rest) = event.strip_prefix(b"[\"room\",") {
            let room = string(rest);
            Self::Room { room, rest: rest.get(room.len() + 1..).unwrap_or_default() }
        } else {
            Self::Other
        }
    }
}

/// The JSON string at the start, with its quotes; all of it when it does not end.
fn string(json: &[u8]) -> &[u8] {
    let mut escaped = false;
    let end = json.iter().skip(1).position(|byte| {
        let quote = *byte == b'"' && !escaped;
        escaped = *byte == b'\\' && !escaped;
        quote
    });
    end.map_or(json, |end| &json[..end + 2])
}
