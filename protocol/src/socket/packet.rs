//! One Socket.IO packet as text (protocol section "Packet encoding"):
//! `<type>[<attachments>-][<namespace>,][<ack id>][JSON]`. Its attachments follow as messages of their own.

use super::{AckId, Limits};
use crate::{cut, json};
use std::borrow::Cow;

/// A Socket.IO packet without its attachments. Arguments are JSON values joined by commas, without brackets around them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Packet<'a> {
    /// `0`: a client asks to join a namespace, with an auth object if any; or the server lets it, with an object of `sid`.
    Connect {
        /// Begins with `/`.
        namespace: &'a str,
        /// A JSON object.
        data: Option<&'a str>,
    },
    /// `1`: either side leaves a namespace.
    Disconnect {
        /// Begins with `/`.
        namespace: &'a str,
    },
    /// `2`, with attachments `5`.
    Event {
        /// Begins with `/`.
        namespace: &'a str,
        /// Wants an ack of that id.
        id: Option<AckId>,
        /// The event's name.
        name: Cow<'a, str>,
        /// The arguments behind the name.
        args: &'a str,
        /// How many binary messages belong to it.
        attachments: usize,
    },
    /// `3`, with attachments `6`.
    Ack {
        /// Begins with `/`.
        namespace: &'a str,
        /// The event's.
        id: AckId,
        /// The arguments.
        args: &'a str,
        /// How many binary messages belong to it.
        attachments: usize,
    },
    /// `4`: the server does not let a client join.
    ConnectError {
        /// Begins with `/`.
        namespace: &'a str,
        /// A JSON object with `message` and perhaps `data`, or a string.
        data: &'a str,
    },
}

/// Why text is not a packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PacketError {
    /// The first character is no packet type, or there is none.
    UnknownType,
    /// The number of attachments is missing, malformed or stands where none may be.
    Attachments,
    /// More attachments, or a longer namespace, than the limits allow.
    LimitExceeded,
    /// The ack id is missing, or too large for a number JavaScript can count with.
    AckId,
    /// What follows the header is not the JSON that this type of packet carries.
    Payload,
    /// The event has a name that is reserved for the library.
    ReservedName,
    /// A text message came where attachments were due, or an attachment where none was; or text where msgpack is spoken.
    UnexpectedMessage,
    /// The message is not msgpack, or is nested too deeply.
    MsgPack,
}

impl std::fmt::Display for PacketError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::UnknownType => "the packet type is unknown",
            Self::Attachments => "the number of attachments is malformed",
            Self::LimitExceeded => "the packet exceeds a limit",
            Self::AckId => "the ack id is missing or malformed",
            Self::Payload => "the packet does not carry the JSON that its type needs",
            Self::ReservedName => "the event name is reserved",
            Self::UnexpectedMessage => "text came where attachments were due, or the other way round",
            Self::MsgPack => "the message is not msgpack",
        })
    }
}

impl std::error::Error for PacketError {}

/// Names no event may have, since applications hear of other things by them (reference decoder, `RESERVED_EVENTS`).
const RESERVED_NAMES: [&str; 6] =
    ["connect", "connect_error", "disconnect", "disconnecting", "newListener", "removeListener"];

impl<'a> Packet<'a> {
    /// Decodes the text of a message.
    ///
    /// # Errors
    /// [`PacketError`] when it is no packet, or one beyond `limits`. All JSON in a decoded packet is valid.
    pub fn decode(text: &'a str, limits: &Limits) -> Result<Self, PacketError> {
        let mut chars = text.chars();
        let kind = chars.next().ok_or(PacketError::UnknownType)?;
        let mut rest = chars.as_str();
        let attachments = match kind {
            '5' | '6' => take_attachments(&mut rest, limits)?,
            '0'..='4' => 0,
            _ => return Err(PacketError::UnknownType),
        };
        let namespace = take_namespace(&mut rest, limits)?;
        let id = take_id(&mut rest)?;
        match kind {
            '0' if id.is_none() => Ok(Self::Connect { namespace, data: take_object(rest)? }),
            '1' if id.is_none() && rest.is_empty() => Ok(Self::Disconnect { namespace }),
            '2' | '5' => {
                let (name, args) = decode_event(rest)?;
                Ok(Self::Event { namespace, id, name, args, attachments })
            }
            '3' | '6' => {
                let id = id.ok_or(PacketError::AckId)?;
                Ok(Self::Ack { namespace, id, args: inner_of_array(rest)?, attachments })
            }
            '4' if id.is_none() => Ok(Self::ConnectError { namespace, data: take_error(rest)? }),
            _ => Err(PacketError::Payload),
        }
    }

    /// Writes the packet behind what is in `out`.
    pub fn encode(&self, out: &mut String) {
        match self {
            Self::Connect { namespace, data } => {
                encode_header('0', 0, namespace, None, out);
                out.push_str(data.unwrap_or_default());
            }
            Self::Disconnect { namespace } => encode_header('1', 0, namespace, None, out),
            Self::Event { namespace, id, name, args, attachments } => {
                let kind = if *attachments == 0 { '2' } else { '5' };
                encode_header(kind, *attachments, namespace, *id, out);
                out.push('[');
                json::write_string(name, out);
                if !args.is_empty() {
                    out.push(',');
                }
                out.push_str(args);
                out.push(']');
            }
            Self::Ack { namespace, id, args, attachments } => {
                let kind = if *attachments == 0 { '3' } else { '6' };
                encode_header(kind, *attachments, namespace, Some(*id), out);
                out.push('[');
                out.push_str(args);
                out.push(']');
            }
            Self::ConnectError { namespace, data } => {
                encode_header('4', 0, namespace, None, out);
                out.push_str(data);
            }
        }
    }
}

fn encode_header(kind: char, attachments: usize, namespace: &str, id: Option<AckId>, out: &mut String) {
    out.push(kind);
    if attachments > 0 {
        json::write_number(attachments as u64, out);
        out.push('-');
    }
    // The main namespace is not named: official peers do not, and it is the shorter form.
    if namespace != "/" {
        out.push_str(namespace);
        out.push(',');
    }
    if let Some(id) = id {
        json::write_number(id.get(), out);
    }
}

fn take_digits<'a>(rest: &mut &'a str) -> &'a str {
    let end = rest.bytes().take_while(u8::is_ascii_digit).count();
    let digits = rest.get(..end).unwrap_or_default();
    *rest = rest.get(end..).unwrap_or_default();
    digits
}

fn take_attachments(rest: &mut &str, limits: &Limits) -> Result<usize, PacketError> {
    let digits = take_digits(rest);
    *rest = rest.strip_prefix('-').ok_or(PacketError::Attachments)?;
    if digits.is_empty() {
        return Err(PacketError::Attachments);
    }
    let count = json::unsigned(digits).and_then(|count| usize::try_from(count).ok());
    count.filter(|count| *count <= limits.max_attachments).ok_or(PacketError::LimitExceeded)
}

fn take_namespace<'a>(rest: &mut &'a str, limits: &Limits) -> Result<&'a str, PacketError> {
    if !rest.starts_with('/') {
        return Ok("/");
    }
    let (namespace, behind) = cut(rest, b',');
    *rest = behind.unwrap_or_default();
    // What clients of revision 4 say behind a question mark is no name.
    if cut(namespace, b'?').0.len() > limits.max_namespace_len {
        return Err(PacketError::LimitExceeded);
    }
    Ok(namespace)
}

fn take_id(rest: &mut &str) -> Result<Option<AckId>, PacketError> {
    let digits = take_digits(rest);
    if digits.is_empty() {
        return Ok(None);
    }
    json::unsigned(digits).and_then(AckId::new).map(Some).ok_or(PacketError::AckId)
}

pub(super) fn take_object(rest: &str) -> Result<Option<&str>, PacketError> {
    if rest.is_empty() {
        return Ok(None);
    }
    let (value, behind) = json::value(rest).map_err(|_| PacketError::Payload)?;
    if value.starts_with('{') && behind.is_empty() { Ok(Some(value)) } else { Err(PacketError::Payload) }
}

fn take_error(rest: &str) -> Result<&str, PacketError> {
    let (value, behind) = json::value(rest).map_err(|_| PacketError::Payload)?;
    if value.starts_with(['{', '"']) && behind.is_empty() { Ok(value) } else { Err(PacketError::Payload) }
}

/// What stands between the brackets of an array that is all of `text`.
pub(super) fn inner_of_array(text: &str) -> Result<&str, PacketError> {
    let (value, behind) = json::value(text).map_err(|_| PacketError::Payload)?;
    if !behind.is_empty() {
        return Err(PacketError::Payload);
    }
    value
        .strip_prefix('[')
        .and_then(|text| text.strip_suffix(']'))
        .map(json::trim)
        .ok_or(PacketError::Payload)
}

pub(super) fn decode_event(text: &str) -> Result<(Cow<'_, str>, &str), PacketError> {
    let payload = |_| PacketError::Payload;
    let inner = json::trim_start(text).strip_prefix('[').map(json::trim_start).ok_or(PacketError::Payload)?;
    let (name, behind) = match inner.as_bytes().first() {
        Some(b'"') => json::leading_string(inner).map_err(payload)?,
        // Official peers allow numbers for names.
        Some(b'-' | b'0'..=b'9') => {
            let (name, behind) = json::value(inner).map_err(payload)?;
            (Cow::Borrowed(name), behind)
        }
        _ => return Err(PacketError::Payload),
    };
    let args = json::further_elements(behind).map_err(payload)?;
    if RESERVED_NAMES.contains(&name.as_ref()) {
        return Err(PacketError::ReservedName);
    }
    Ok((name, args))
}
