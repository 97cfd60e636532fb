//! Server frames, written straight behind what is already in a buffer. The payload's length is known only after it was
//! written, so [`begin`] leaves room for the short header and [`finish`] makes room for a longer one when it is needed.

use super::{CONTROL_LIMIT, CloseCode, FIN, LENGTH, LENGTH_16, LENGTH_64, Opcode};

const SHORT_HEADER: usize = 2;

/// Where a frame starts whose payload is being written.
#[derive(Clone, Copy, Debug)]
pub(crate) struct FrameStart(usize);

/// Starts a frame at the end of `buffer`; its payload is what is appended before [`finish`].
pub(crate) fn begin(buffer: &mut Vec<u8>) -> FrameStart {
    let start = buffer.len();
    buffer.extend_from_slice(&[0; SHORT_HEADER]);
    FrameStart(start)
}

/// Ends the frame that began at `start`.
pub(crate) fn finish(buffer: &mut Vec<u8>, start: FrameStart, opcode: Opcode) {
    let FrameStart(start) = start;
    let length = buffer.len() - start - SHORT_HEADER;
    let mut header = [0; SHORT_HEADER + 8];
    header[0] = FIN | opcode.bits();
    let size = if length < usize::from(LENGTH_16) {
        header[1] = length as u8;
        0
    } else if let Ok(length) = u16::try_from(length) {
        header[1] = LENGTH_16;
        header[2..4].copy_from_slice(&length.to_be_bytes());
        2
    } else {
        header[1] = LENGTH_64;
        header[2..].copy_from_slice(&(length as u64).to_be_bytes());
        8
    };
    if size > 0 {
        let payload = start + SHORT_HEADER;
        let end = buffer.len();
        buffer.resize(end + size, 0);
        buffer.copy_within(payload..end, payload + size);
    }
    buffer[start..start + SHORT_HEADER + size].copy_from_slice(&header[..SHORT_HEADER + size]);
}

/// A control frame. `payload` must be at most 125 bytes; a longer one is cut.
pub(crate) fn control(buffer: &mut Vec<u8>, opcode: Opcode, payload: &[u8]) {
    let start = begin(buffer);
    buffer.extend_from_slice(&payload[..payload.len().min(CONTROL_LIMIT)]);
    finish(buffer, start, opcode);
}

impl CloseCode {
    /// The close frame that says it.
    pub(crate) fn frame(self) -> [u8; 4] {
        let [high, low] = self.number().to_be_bytes();
        [FIN | Opcode::Close.bits(), 2, high, low]
    }
}

/// Takes the first server frame off `bytes`: its opcode, its payload and what follows. None when there is no whole one.
pub(crate) fn split(bytes: &[u8]) -> Option<(Opcode, &[u8], &[u8])> {
    let (&[first, second], rest) = bytes.split_first_chunk::<2>()?;
    let opcode = Opcode::from_bits(first & super::OPCODE)?;
    let (length, rest) = match second & LENGTH {
        LENGTH_16 => {
            let (length, rest) = rest.split_first_chunk::<2>()?;
            (usize::from(u16::from_be_bytes(*length)), rest)
        }
        LENGTH_64 => {
            let (length, rest) = rest.split_first_chunk::<8>()?;
            (usize::try_from(u64::from_be_bytes(*length)).ok()?, rest)
        }
        short => (usize::from(short), rest),
    };
    let (payload, rest) = rest.split_at_checked(length)?;
    Some((opcode, payload, rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(opcode: Opcode, payload: &[u8]) -> Vec<u8> {
        let mut buffer = b"before".to_vec();
        let start = begin(&mut buffer);
        buffer.extend_from_slice(payload);
        finish(&mut buffer, start, opcode);
        buffer.split_off("before".len())
    }

    #[test]
    fn a_length_takes_the_shortest_form_that_holds_it() {
        for (length, header) in [
            (0, &[0x81, 0][..]),
            (125, &[0x81, 125]),
            (126, &[0x81, 126, 0, 126]),
            (65_535, &[0x81, 126, 0xFF, 0xFF]),
            (65_536, &[0x81, 127, 0, 0, 0, 0, 0, 1, 0, 0]),
        ] {
            let payload: Vec<u8> = (0..length).map(|index| index as u8).collect();
            let bytes = frame(Opcode::Text, &payload);
            assert_eq!(&bytes[..header.len()], header);
            assert_eq!(&bytes[header.len()..], payload);
        }
    }

    #[test]
    fn what_was_framed_is_split_again() {
        for length in [0, 1, 125, 126, 70_000] {
            let payload = vec![7; length];
            let mut bytes = frame(Opcode::Binary, &payload);
            bytes.extend_from_slice(b"next");
            assert_eq!(split(&bytes), Some((Opcode::Binary, &payload[..], &b"next"[..])));
        }
    }

    #[test]
    fn half_a_frame_is_not_split() {
        let bytes = frame(Opcode::Text, &[1; 300]);
        for end in 0..bytes.len() {
            assert_eq!(split(&bytes[..end]), None, "{end} bytes");
        }
    }

    #[test]
    fn a_close_frame_names_its_code() {
        assert_eq!(CloseCode::TooBig.frame(), [0x88, 2, 0x03, 0xF1]);
    }
}
