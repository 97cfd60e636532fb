//! WebSocket frames as a client writes and reads them: whole messages, not compressed.

/// What a frame is. The first byte of the wire without its highest bit.
pub(crate) mod opcode {
    pub(crate) const TEXT: u8 = 1;
    pub(crate) const BINARY: u8 = 2;
    pub(crate) const CLOSE: u8 = 8;
    pub(crate) const PING: u8 = 9;
    pub(crate) const PONG: u8 = 10;
}

const FIN: u8 = 0x80;
const MASKED: u8 = 0x80;

/// Appends a masked frame. The masking key is zero, so the payload goes out as it is; the server unmasks it all the same.
pub(crate) fn encode(out: &mut Vec<u8>, opcode: u8, payload: &[u8]) {
    out.push(FIN | opcode);
    match payload.len() {
        length @ 0..126 => out.push(MASKED | length as u8),
        length @ 126..65_536 => {
            out.push(MASKED | 126);
            out.extend_from_slice(&(length as u16).to_be_bytes());
        }
        length => {
            out.push(MASKED | 127);
            out.extend_from_slice(&(length as u64).to_be_bytes());
        }
    }
    out.extend_from_slice(&[0; 4]);
    out.extend_from_slice(payload);
}

/// A frame that has come whole.
#[derive(Debug)]
pub(crate) struct Frame<'a> {
    /// The first byte: whether it is a whole message, compressed or not, and the opcode.
    pub(crate) first: u8,
    pub(crate) payload: &'a [u8],
    /// Bytes it took with its header.
    pub(crate) length: usize,
}

impl Frame<'_> {
    /// The opcode of a whole and plain message; none of a fragment or of one that uses an extension.
    pub(crate) fn opcode(&self) -> Option<u8> {
        (self.first & 0xf0 == FIN).then_some(self.first & 0x0f)
    }
}

/// More bytes than any server under test has reason to send at once: what says that it is longer is not waited for.
pub(crate) const LONGEST: usize = 64 * 1024 * 1024;

/// A frame that says it is longer than [`LONGEST`].
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct TooLong;

/// The frame at the start, if it has come whole. One that says it is masked is not unmasked: a server must not send it, and its
/// payload will not be understood.
pub(crate) fn decode(data: &[u8]) -> Result<Option<Frame<'_>>, TooLong> {
    match header(data) {
        Some((_, length, _)) if length > LONGEST => Err(TooLong),
        Some((first, length, rest)) => Ok(rest.get(..length).map(|payload| {
            let header = data.len() - rest.len();
            Frame { first, payload, length: header + length }
        })),
        None => Ok(None),
    }
}

/// The first byte, the length, and what comes behind the header.
fn header(data: &[u8]) -> Option<(u8, usize, &[u8])> {
    let (&first, rest) = data.split_first()?;
    let (&second, rest) = rest.split_first()?;
    let (length, rest) = match second & 0x7f {
        126 => {
            rest.split_first_chunk().map(|(length, rest)| (usize::from(u16::from_be_bytes(*length)), rest))?
        }
        127 => rest.split_first_chunk().map(|(length, rest)| (u64::from_be_bytes(*length) as usize, rest))?,
        length => (usize::from(length), rest),
    };
    Some((first, length, rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_is_as_long_as_the_length_needs() {
        for (length, header) in [(0, 6), (125, 6), (126, 8), (65_535, 8), (65_536, 14)] {
            let mut out = Vec::new();
            encode(&mut out, opcode::TEXT, &vec![b'a'; length]);
            assert_eq!(out.len(), header + length);
            assert_eq!(out[0], 0x81);
            assert_eq!(out[1] & MASKED, MASKED);
            assert_eq!(out[header - 4..header], [0; 4]);
        }
    }

    #[test]
    fn a_frame_is_taken_when_it_is_whole() {
        for length in [0, 125, 126, 65_535, 65_536] {
            let mut wire = vec![0x81];
            match length {
                0..126 => wire.push(length as u8),
                126..65_536 => wire.extend([126, (length >> 8) as u8, length as u8]),
                _ => wire.extend([&[127][..], &(length as u64).to_be_bytes()].concat()),
            }
            wire.resize(wire.len() + length, b'a');
            let whole = wire.len();
            wire.extend(b"next");
            let frame = decode(&wire).expect("it is short").expect("it is whole");
            assert_eq!(
                (frame.opcode(), frame.payload.len(), frame.length),
                (Some(opcode::TEXT), length, whole)
            );
            for cut in (0..whole).step_by(whole / 100 + 1) {
                let cut_off = decode(&wire[..cut]).expect("it is short");
                assert!(cut_off.is_none(), "{length} bytes cut at {cut}");
            }
        }
    }

    #[test]
    fn fragments_and_compressed_messages_are_of_no_kind_that_is_read() {
        for first in [0x01, 0x00, 0xc1] {
            let data = [first, 0];
            let frame = decode(&data).expect("it is short").expect("it is whole");
            assert_eq!(frame.opcode(), None);
        }
    }

    #[test]
    fn a_frame_of_absurd_length_is_not_waited_for() {
        let frame = |length: u64| [&[0x81, 127][..], &length.to_be_bytes()].concat();
        assert!(decode(&frame(LONGEST as u64)).is_ok());
        assert_eq!(decode(&frame(LONGEST as u64 + 1)).err(), Some(TooLong));
        assert_eq!(decode(&frame(u64::MAX)).err(), Some(TooLong));
    }
}
