//! Engine.IO protocol v3 on the wire, where it differs from v4: binary says its packet type, and a payload says how long
//! each of its packets is. Only servers speak it.
//!
//! | | v3 | v4 |
//! |---|---|---|
//! | binary message as bytes | `04`, the bytes | the bytes |
//! | binary message as text | `b4`, base64 | `b`, base64 |
//! | payload of text | `<length>:<packet>` for each, the length in UTF-16 units | packets joined by U+001E |
//! | payload of bytes | `00` (text) or `01` (bytes), the digits of the length in bytes as numbers, `ff`, the packet | none |
//!
//! Clients that can read binary answers get text with base64 here, too: all clients read it.

use super::{Data, Packet, PacketError, base64};
use crate::json;
use std::borrow::Cow;

/// The type of a message, before the bytes of a binary one.
pub const BINARY_MESSAGE: u8 = 4;

/// Longer lengths are longer than any payload.
const MAX_DIGITS: usize = 10;

/// Decodes one WebSocket message, or one packet of a payload.
///
/// # Errors
/// [`PacketError`] when it is no packet; bytes may only be a message.
pub fn decode(data: Data<'_>) -> Result<Packet<'_>, PacketError> {
    match data {
        Data::Text(text) => match text.strip_prefix('b') {
            Some(text) => {
                let digits = text.strip_prefix('4').ok_or(PacketError::UnknownType)?;
                let bytes = base64::decode(digits).ok_or(PacketError::Base64)?;
                Ok(Packet::Message(Data::Binary(Cow::Owned(bytes))))
            }
            None => Packet::decode(Data::Text(text)),
        },
        Data::Binary(bytes) => {
            match *bytes.first().ok_or(PacketError::Empty)? {
                BINARY_MESSAGE => {}
                _ => return Err(PacketError::UnknownType),
            }
            Ok(Packet::Message(Data::Binary(match bytes {
                Cow::Borrowed(bytes) => Cow::Borrowed(bytes.get(1..).unwrap_or_default()),
                Cow::Owned(mut bytes) => {
                    bytes.remove(0);
                    Cow::Owned(bytes)
                }
            })))
        }
    }
}

/// Decodes the packets of a payload one by one, at most `max_packets` of them. Packets without content are left out.
///
/// The first error is the last item.
pub fn decode_payload<'a>(body: &'a Data<'_>, max_packets: usize) -> Packets<'a> {
    let body = match body {
        Data::Text("") => Err(PacketError::Empty),
        Data::Text(text) => Ok(Body::Text(text)),
        Data::Binary(bytes) => Ok(Body::Binary(bytes)),
    };
    Packets { rest: Some(body), left: max_packets }
}

/// The packets of one payload, made by [`decode_payload`].
#[derive(Clone, Debug)]
pub struct Packets<'a> {
    rest: Option<Result<Body<'a>, PacketError>>,
    left: usize,
}

#[derive(Clone, Copy, Debug)]
enum Body<'a> {
    Text(&'a str),
    Binary(&'a [u8]),
}

impl<'a> Iterator for Packets<'a> {
    type Item = Result<Packet<'a>, PacketError>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            let (part, rest) = match self.rest.take()? {
                Ok(Body::Text("") | Body::Binary([])) => return None,
                Ok(_) if self.left == 0 => return Some(Err(PacketError::TooManyPackets)),
                Ok(Body::Text(text)) => match take_text(text) {
                    Some((part, rest)) => (Ok(Data::Text(part)), Body::Text(rest)),
                    None => return Some(Err(PacketError::Length)),
                },
                Ok(Body::Binary(bytes)) => match take_binary(bytes) {
                    Some((part, rest)) => (part, Body::Binary(rest)),
                    None => return Some(Err(PacketError::Length)),
                },
                Err(error) => return Some(Err(error)),
            };
            self.left -= 1;
            if matches!(part, Ok(Data::Text(""))) {
                self.rest = Some(Ok(rest));
                continue;
            }
            let packet = part.and_then(decode);
            if packet.is_ok() {
                self.rest = Some(Ok(rest));
            }
            return Some(packet);
        }
    }
}

/// The first packet of a text payload, and what follows it.
fn take_text(text: &str) -> Option<(&str, &str)> {
    let digits = text.bytes().take(MAX_DIGITS).take_while(u8::is_ascii_digit).count();
    let length = json::unsigned(text.get(..digits)?)?;
    let content = text.get(digits..)?.strip_prefix(':')?;
    let (mut units, mut end) = (0, 0);
    for char in content.chars() {
        if units >= length {
            break;
        }
        units += char.len_utf16() as u64;
        end += char.len_utf8();
    }
    // A length may not end inside a character, or behind the payload.
    if units == length { content.split_at_checked(end) } else { None }
}

/// The first packet of a binary payload, and what follows it.
fn take_binary(bytes: &[u8]) -> Option<(Result<Data<'_>, PacketError>, &[u8])> {
    let (kind, bytes) = bytes.split_first()?;
    let digits = bytes.iter().take(MAX_DIGITS).take_while(|digit| **digit < 10).count();
    let (length, rest) = bytes.split_at_checked(digits)?;
    let length = length.iter().fold(0, |length, digit| length * 10 + u64::from(*digit));
    let content = rest.strip_prefix(&[0xff]).filter(|_| digits > 0)?;
    let (content, rest) = content.split_at_checked(usize::try_from(length).ok()?)?;
    let part = match kind {
        0 => std::str::from_utf8(content).map(Data::Text).map_err(|_| PacketError::UnknownType),
        1 => Ok(Data::Binary(Cow::Borrowed(content))),
        _ => return None,
    };
    Some((part, rest))
}

/// Writes a packet, as the text it is in v4 too, behind the packets that are in `body`.
pub fn append(body: &mut String, packet: &str) {
    json::write_number(packet.encode_utf16().count() as u64, body);
    body.push(':');
    body.push_str(packet);
}

/// Writes a binary message behind the packets that are in `body`.
pub fn append_binary(body: &mut String, bytes: &[u8]) {
    json::write_number((bytes.len().div_ceil(3) * 4 + 2) as u64, body);
    body.push(':');
    encode_binary(bytes, body);
}

/// Writes a binary message as text.
pub fn encode_binary(bytes: &[u8], out: &mut String) {
    out.push_str("b4");
    base64::encode(bytes, out);
}
