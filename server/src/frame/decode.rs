//! Client frames to messages. The payload is unmasked where it lies and handed out as a borrow; only a fragmented message is
//! collected. Every rule that the peer can break ends in a [`Violation`], which names the close code it deserves.

use super::deflate::{RSV1, inflate, longest};
use super::{CONTROL_LIMIT, CloseCode, FIN, LENGTH, LENGTH_16, LENGTH_64, MASKED, OPCODE, Opcode, RESERVED};

/// What the peer did that the protocol does not allow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Violation {
    /// A reserved bit is set, and no extension was agreed on that gives it a meaning here.
    ReservedBits,
    /// Opcode 3-7 or 11-15.
    UnknownOpcode,
    /// A client frame without a mask (section 5.1).
    NotMasked,
    /// A length written in more bytes than it needs (section 5.2).
    LengthNotMinimal,
    /// A control frame in pieces or longer than 125 bytes (section 5.5).
    BadControlFrame,
    /// A continuation of nothing.
    NothingToContinue,
    /// A new message before the last one's final fragment.
    UnfinishedMessage,
    /// One byte of payload, or a code that must not be on the wire.
    BadClose,
    /// A text message that is not UTF-8.
    NotUtf8,
    /// A compressed message that is not what the compression makes.
    NotDeflated,
    /// A message longer than the limit.
    TooBig,
}

impl Violation {
    /// The one place where a violation becomes what the peer sees.
    pub(crate) const fn close_code(self) -> CloseCode {
        match self {
            // 1007 is for all data that is not what its type promises.
            Self::NotUtf8 | Self::NotDeflated => CloseCode::InvalidUtf8,
            Self::TooBig => CloseCode::TooBig,
            Self::ReservedBits
            | Self::UnknownOpcode
            | Self::NotMasked
            | Self::LengthNotMinimal
            | Self::BadControlFrame
            | Self::NothingToContinue
            | Self::UnfinishedMessage
            | Self::BadClose => CloseCode::Protocol,
        }
    }
}

/// A whole message or a control frame.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Message<'a> {
    Text(&'a str),
    Binary(&'a [u8]),
    Ping(&'a [u8]),
    Pong(&'a [u8]),
    /// The close code the peer gave, if any.
    Close(Option<u16>),
}

/// What the start of the bytes held.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Decoded<'a> {
    /// Not a whole frame yet.
    Incomplete,
    /// A frame of `consumed` bytes; `message` is none when it is a fragment of an unfinished one.
    Frame { consumed: usize, message: Option<Message<'a>> },
}

/// The pieces of a message in fragments.
#[derive(Debug)]
struct Fragments {
    text: bool,
    deflated: bool,
    bytes: Vec<u8>,
    /// How many of `bytes` are known to be UTF-8; the rest is the start of one character.
    checked: usize,
}

/// Decodes one connection's frames. Small while no message is in fragments.
#[derive(Debug, Default)]
pub(crate) struct Decoder {
    fragments: Option<Box<Fragments>>,
    /// The message that the last answer borrowed, unless it lies where it came.
    finished: Vec<u8>,
}

struct Header {
    opcode: Opcode,
    fin: bool,
    deflated: bool,
    mask: [u8; 4],
    length: usize,
    payload: usize,
}

impl Decoder {
    /// Decodes the frame at the start of `bytes`, unmasking it in place, so these bytes must not be decoded again.
    /// `limit` is the length of a message in bytes; it is judged from the header, before the payload is there, and again as a
    /// message is inflated. With `deflates`, compressed messages are read.
    pub(crate) fn decode<'a>(
        &'a mut self,
        bytes: &'a mut [u8],
        limit: usize,
        deflates: bool,
    ) -> Result<Decoded<'a>, Violation> {
        let Some(header) = header(bytes, deflates)? else { return Ok(Decoded::Incomplete) };
        self.admit(&header, limit)?;
        let end = header.payload + header.length;
        let Some(payload) = bytes.get_mut(header.payload..end) else { return Ok(Decoded::Incomplete) };
        unmask(payload, header.mask);
        let message = match header.opcode {
            Opcode::Text | Opcode::Binary if header.fin && header.deflated => {
                self.finished = inflate(payload, limit)?;
                Some(self.finished(header.opcode == Opcode::Text)?)
            }
            Opcode::Text if header.fin => Some(Message::Text(utf8(payload)?)),
            Opcode::Binary if header.fin => Some(Message::Binary(payload)),
            Opcode::Text | Opcode::Binary | Opcode::Continuation => self.collect(&header, payload, limit)?,
            Opcode::Ping => Some(Message::Ping(payload)),
            Opcode::Pong => Some(Message::Pong(payload)),
            Opcode::Close => Some(Message::Close(close_code(payload)?)),
        };
        Ok(Decoded::Frame { consumed: end, message })
    }

    /// Gives back the memory of a message that did not lie where it came; between two reads nobody borrows it.
    pub(crate) fn release(&mut self) {
        self.finished = Vec::new();
    }

    /// Whether a message has begun and is to be continued.
    pub(crate) fn is_amid(&self) -> bool {
        self.fragments.is_some()
    }

    /// May this frame come now, and is it short enough?
    fn admit(&self, header: &Header, limit: usize) -> Result<(), Violation> {
        if header.opcode.is_control() {
            return Ok(());
        }
        let (deflated, before) = match (&self.fragments, header.opcode) {
            (None, Opcode::Continuation) => return Err(Violation::NothingToContinue),
            (None, _) => (header.deflated, 0),
            (Some(fragments), Opcode::Continuation) => (fragments.deflated, fragments.bytes.len()),
            (Some(_), _) => return Err(Violation::UnfinishedMessage),
        };
        let limit = if deflated { longest(limit) } else { limit };
        if header.length > limit.saturating_sub(before) { Err(Violation::TooBig) } else { Ok(()) }
    }

    fn collect(
        &mut self,
        header: &Header,
        payload: &[u8],
        limit: usize,
    ) -> Result<Option<Message<'_>>, Violation> {
        let fragments = self.fragments.get_or_insert_with(|| {
            let (text, deflated) = (header.opcode == Opcode::Text, header.deflated);
            Box::new(Fragments { text, deflated, bytes: Vec::new(), checked: 0 })
        });
        fragments.bytes.extend_from_slice(payload);
        if fragments.text && !fragments.deflated {
            fragments.check_utf8(header.fin)?;
        }
        if !header.fin {
            return Ok(None);
        }
        let Some(fragments) = self.fragments.take() else { return Ok(None) };
        self.finished = if fragments.deflated { inflate(&fragments.bytes, limit)? } else { fragments.bytes };
        self.finished(fragments.text).map(Some)
    }

    fn finished(&self, text: bool) -> Result<Message<'_>, Violation> {
        Ok(if text { Message::Text(utf8(&self.finished)?) } else { Message::Binary(&self.finished) })
    }
}

impl Fragments {
    /// Fails at the first byte that no later one can mend; a character may be split between fragments.
    fn check_utf8(&mut self, last: bool) -> Result<(), Violation> {
        match std::str::from_utf8(&self.bytes[self.checked..]) {
            Ok(_) => self.checked = self.bytes.len(),
            Err(error) if error.error_len().is_some() || last => return Err(Violation::NotUtf8),
            Err(error) => self.checked += error.valid_up_to(),
        }
        Ok(())
    }
}

/// The header at the start of `bytes`, none when it is not all there. Faults are told as early as they can be seen.
fn header(bytes: &[u8], deflates: bool) -> Result<Option<Header>, Violation> {
    let &[first, second, ref rest @ ..] = bytes else { return Ok(None) };
    let (reserved, opcode) = (first & RESERVED, Opcode::from_bits(first & OPCODE));
    let deflated = deflates && reserved == RSV1 && matches!(opcode, Some(Opcode::Text | Opcode::Binary));
    if reserved != 0 && !deflated {
        return Err(Violation::ReservedBits);
    }
    let opcode = opcode.ok_or(Violation::UnknownOpcode)?;
    let fin = first & FIN != 0;
    if second & MASKED == 0 {
        return Err(Violation::NotMasked);
    }
    let short = second & LENGTH;
    if opcode.is_control() && (!fin || usize::from(short) > CONTROL_LIMIT) {
        return Err(Violation::BadControlFrame);
    }
    let (length, size) = match short {
        LENGTH_16 => {
            let Some(long) = rest.first_chunk::<2>() else { return Ok(None) };
            (u64::from(u16::from_be_bytes(*long)), 2)
        }
        LENGTH_64 => {
            let Some(long) = rest.first_chunk::<8>() else { return Ok(None) };
            (u64::from_be_bytes(*long), 8)
        }
        _ => (u64::from(short), 0),
    };
    let minimal = match short {
        LENGTH_16 => length >= u64::from(LENGTH_16),
        LENGTH_64 => length > u64::from(u16::MAX) && length >> 63 == 0,
        _ => true,
    };
    if !minimal {
        return Err(Violation::LengthNotMinimal);
    }
    // Half of the address space: no limit is that large, and sums with it cannot overflow.
    let length = usize::try_from(length).unwrap_or(usize::MAX).min(usize::MAX / 2);
    let Some(mask) = rest.get(size..).and_then(|rest| rest.first_chunk::<4>()) else {
        return Ok(None);
    };
    Ok(Some(Header { opcode, fin, deflated, mask: *mask, length, payload: 2 + size + 4 }))
}

fn unmask(payload: &mut [u8], mask: [u8; 4]) {
    let wide = u64::from_ne_bytes([mask[0], mask[1], mask[2], mask[3], mask[0], mask[1], mask[2], mask[3]]);
    if wide == 0 {
        return;
    }
    let (chunks, rest) = payload.as_chunks_mut::<8>();
    for chunk in chunks {
        *chunk = (u64::from_ne_bytes(*chunk) ^ wide).to_ne_bytes();
    }
    for (byte, mask) in rest.iter_mut().zip(mask.iter().cycle()) {
        *byte ^= mask;
    }
}

fn utf8(bytes: &[u8]) -> Result<&str, Violation> {
    std::str::from_utf8(bytes).map_err(|_| Violation::NotUtf8)
}

/// The code in a close frame's payload. The reason must be UTF-8 and is not used.
fn close_code(payload: &[u8]) -> Result<Option<u16>, Violation> {
    let Some((code, reason)) = payload.split_first_chunk::<2>() else {
        return if payload.is_empty() { Ok(None) } else { Err(Violation::BadClose) };
    };
    let code = u16::from_be_bytes(*code);
    // Section 7.4: 1004-1006 and 1015 never travel, 1016-2999 are reserved, below 1000 unused.
    let allowed = matches!(code, 1000..=1003 | 1007..=1014 | 3000..=4999);
    if !allowed {
        return Err(Violation::BadClose);
    }
    utf8(reason)?;
    Ok(Some(code))
}

#[cfg(test)]
mod tests;
