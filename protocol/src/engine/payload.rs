//! The body of a long-polling request or answer: packets joined by U+001E (protocol section "HTTP long-polling").

use super::{Data, Packet, PacketError, base64};
use crate::cut;
use std::borrow::Cow;

/// The record separator between two packets. JSON escapes it, so it never stands inside a text packet made by a
/// conforming peer.
pub const SEPARATOR: char = '\u{1e}';

/// As many packets as one payload that is sent may hold: python-engineio refuses more.
pub const MAX_PACKETS: usize = 16;

/// As many packets as a received payload may hold. Far more than [`MAX_PACKETS`], since the reference implementations bound
/// a payload by its bytes alone and put a whole burst into one.
pub const MAX_PACKETS_READ: usize = 65_536;

/// Decodes the packets of a payload one by one, at most `max_packets` of them.
///
/// The first error is the last item.
pub fn decode(body: &str, max_packets: usize) -> Packets<'_> {
    Packets { rest: Some(body), left: max_packets }
}

/// The packets of one payload, made by [`decode`].
#[derive(Clone, Debug)]
pub struct Packets<'a> {
    rest: Option<&'a str>,
    left: usize,
}

impl<'a> Iterator for Packets<'a> {
    type Item = Result<Packet<'a>, PacketError>;

    fn next(&mut self) -> Option<Self::Item> {
        let rest = self.rest.take()?;
        if self.left == 0 {
            return Some(Err(PacketError::TooManyPackets));
        }
        self.left -= 1;
        let (part, behind) = if cfg!(target_family = "wasm") {
            // Takes fewer of a page's bytes.
            cut(rest, SEPARATOR as u8)
        } else {
            rest.split_once(SEPARATOR).map_or((rest, None), |(part, behind)| (part, Some(behind)))
        };
        let packet = decode_part(part);
        if packet.is_ok() {
            self.rest = behind;
        }
        Some(packet)
    }
}

fn decode_part(part: &str) -> Result<Packet<'_>, PacketError> {
    match part.strip_prefix('b') {
        Some(digits) => {
            let bytes = base64::decode(digits).ok_or(PacketError::Base64)?;
            Ok(Packet::Message(Data::Binary(Cow::Owned(bytes))))
        }
        None => Packet::decode(Data::Text(part)),
    }
}

/// Writes `packet` behind the packets that are in `body`.
pub fn append(body: &mut String, packet: &Packet<'_>) {
    if !body.is_empty() {
        body.push(SEPARATOR);
    }
    packet.encode_text(body);
}
