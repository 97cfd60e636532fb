//! WebSocket frames: those of clients are unmasked where they lie, ours are written whole.

use std::ops::Range;

pub const TEXT: u8 = 1;
pub const BINARY: u8 = 2;
pub const CLOSE: u8 = 8;

const FIN: u8 = 0x80;
const MASKED: u8 = 0x80;
/// Bytes of the longest payload.
const MAX_PAYLOAD: usize = 1_000_000;

/// Appends a frame.
pub fn encode(out: &mut Vec<u8>, opcode: u8, payload: &[u8]) {
    out.push(FIN | opcode);
    match payload.len() {
        length @ 0..126 => out.push(length as u8),
        length @ 126..65_536 => {
            out.push(126);
            out.extend_from_slice(&(length as u16).to_be_bytes());
        }
        length => {
            out.push(127);
            out.extend_from_slice(&(length as u64).to_be_bytes());
        }
    }
    out.extend_from_slice(payload);
}

/// A frame of a client.
pub struct Frame {
    pub opcode: u8,
    pub payload: Range<usize>,
}

/// The frame that begins at `from`, unmasked; none while it has not come whole.
///
/// # Errors
/// When it is a fragment, is not masked, or is too long.
pub fn decode(bytes: &mut [u8], from: usize) -> Result<Option<Frame>, ()> {
    let Some(&[first, second]) = bytes[from..].first_chunk() else { return Ok(None) };
    if first & FIN == 0 || second & MASKED == 0 {
        return Err(());
    }
    let (length, at) = match second & 0x7f {
        126 => match bytes[from + 2..].first_chunk() {
            Some(length) => (usize::from(u16::from_be_bytes(*length)), from + 4),
            None => return Ok(None),
        },
        127 => match bytes[from + 2..].first_chunk() {
            Some(length) => (usize::try_from(u64::from_be_bytes(*length)).map_err(drop)?, from + 10),
            None => return Ok(None),
        },
        length => (usize::from(length), from + 2),
    };
    if length > MAX_PAYLOAD {
        return Err(());
    }
    let payload = at + 4..at + 4 + length;
    if bytes.len() < payload.end {
        return Ok(None);
    }
    let key = [bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]];
    unmask(&mut bytes[payload.clone()], key);
    Ok(Some(Frame { opcode: first & 0x0f, payload }))
}

fn unmask(payload: &mut [u8], key: [u8; 4]) {
    let wide = u64::from_ne_bytes([key[0], key[1], key[2], key[3], key[0], key[1], key[2], key[3]]);
    let (chunks, rest) = payload.as_chunks_mut::<8>();
    for chunk in chunks {
        *chunk = (u64::from_ne_bytes(*chunk) ^ wide).to_ne_bytes();
    }
    for (byte, key) in rest.iter_mut().zip(key.iter().cycle()) {
        *byte ^= key;
    }
}
