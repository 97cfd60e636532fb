//! Attachments of binary events: frames over a WebSocket, base64 in polls and posts.

use crate::text::{DIGITS, number};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// An attachment as it came.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Attachment<'a> {
    Raw(&'a [u8]),
    Base64(&'a [u8]),
}

impl<'a> Attachment<'a> {
    /// What it was on the wire.
    pub(crate) fn wire(self) -> &'a [u8] {
        let (Self::Raw(wire) | Self::Base64(wire)) = self;
        wire
    }

    /// The number that it begins with, if it is of that length. Of base64 no more is decoded than that takes.
    pub(crate) fn number(self, length: usize) -> Option<u32> {
        /// Characters that the number fits in, and the bytes that they are.
        const HEAD: (usize, usize) = (16, 12);
        match self {
            Self::Raw(bytes) if bytes.len() == length => number(bytes.get(..DIGITS)?),
            Self::Base64(text) if text.len() == length.div_ceil(3) * 4 => {
                let mut head = [0; HEAD.1];
                STANDARD.decode_slice(text.get(..HEAD.0)?, &mut head).ok()?;
                number(&head[..DIGITS])
            }
            _ => None,
        }
    }
}

/// The packet that an attachment is in posts.
pub(crate) fn packet(bytes: &[u8]) -> Vec<u8> {
    let mut packet = "b".to_owned();
    STANDARD.encode_string(bytes, &mut packet);
    packet.into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_attachment_has_its_number_in_both_forms() {
        for length in [16, 17, 18, 1_000] {
            let mut bytes = vec![b'x'; length];
            bytes[..DIGITS].copy_from_slice(b"0000000042");
            let packet = packet(&bytes);
            assert_eq!(packet[0], b'b');
            for attachment in [Attachment::Raw(&bytes), Attachment::Base64(&packet[1..])] {
                assert_eq!(attachment.number(length), Some(42));
                assert_eq!(attachment.number(length + 3), None, "of another length");
            }
        }
        assert_eq!(Attachment::Base64(b"****************aaaaaaaa").number(16), None);
    }
}
