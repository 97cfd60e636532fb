//! Compressed messages (RFC 7692, permessage-deflate), each by itself: neither side keeps a context from one to the next
//! (`no_context_takeover`), so a message that goes to many is compressed once.
//!
//! Owns one compressor and one decompressor a thread; a connection has none. What is inflated is bounded as it grows.

use super::{FIN, Violation, begin, finish, split};
use flate2::{Compress, Compression, Decompress, FlushCompress, FlushDecompress, Status};
use std::cell::Cell;

/// The bit of a frame's first byte that says so: the first frame's of a compressed message.
pub(super) const RSV1: u8 = 0x40;
/// What a sender leaves out at a message's end (section 7.2.1).
const TAIL: [u8; 4] = [0, 0, 0xFF, 0xFF];
/// Bytes that are inflated at first.
const FIRST_STEP: usize = 4 * 1024;

thread_local! {
    static COMPRESS: Cell<Option<Box<Compress>>> = const { Cell::new(None) };
    static DECOMPRESS: Cell<Option<Box<Decompress>>> = const { Cell::new(None) };
}

/// The frame that says the same compressed; none when that is not shorter, or the frame is a control frame. What it refers back
/// to is at most `2^window_bits` bytes away.
pub(crate) fn deflate(frame: &[u8], window_bits: u8) -> Option<Vec<u8>> {
    let (opcode, payload, _) = split(frame)?;
    if opcode.is_control() {
        return None;
    }
    let mut deflated = Vec::with_capacity(payload.len() / 2);
    let start = begin(&mut deflated);
    compress(payload, window_bits, &mut deflated);
    finish(&mut deflated, start, opcode);
    debug_assert_eq!(deflated[0], FIN | opcode.bits(), "one frame");
    deflated[0] |= RSV1;
    (deflated.len() < frame.len()).then_some(deflated)
}

fn compress(payload: &[u8], window_bits: u8, out: &mut Vec<u8>) {
    // Fast: beyond the first level, messages hardly get shorter.
    let mut state = COMPRESS.take().unwrap_or_else(|| Box::new(Compress::new(Compression::fast(), false)));
    state.reset();
    // The compressor's window is of 15 bits. A full flush lets it forget, so that a smaller one is kept to too.
    let mut windows = payload.chunks(1 << window_bits).peekable();
    while let Some(window) = windows.next() {
        let flush = if windows.peek().is_some() { FlushCompress::Full } else { FlushCompress::Sync };
        let begun = state.total_in();
        loop {
            out.reserve(64 + window.len() / 2);
            let taken = usize::try_from(state.total_in() - begun).unwrap_or(window.len());
            // With room for what it makes, nothing it is told can be wrong.
            let status = state.compress_vec(&window[taken..], out, flush);
            debug_assert!(status.is_ok());
            if out.len() < out.capacity() {
                break;
            }
        }
    }
    if out.ends_with(&TAIL) {
        out.truncate(out.len() - TAIL.len());
    }
    COMPRESS.set(Some(state));
}

/// As long as a message of so many bytes may become: what cannot be compressed is stored, with a head for each block.
pub(super) const fn longest(limit: usize) -> usize {
    limit.saturating_add(limit / 1_000 + 64)
}

/// The message that was compressed so, of at most `limit` bytes.
pub(super) fn inflate(payload: &[u8], limit: usize) -> Result<Vec<u8>, Violation> {
    let mut state = DECOMPRESS.take().unwrap_or_else(|| Box::new(Decompress::new(false)));
    state.reset(false);
    let result = decompress(&mut state, payload, limit);
    DECOMPRESS.set(Some(state));
    result
}

fn decompress(state: &mut Decompress, payload: &[u8], limit: usize) -> Result<Vec<u8>, Violation> {
    let mut out = Vec::new();
    for mut part in [payload, &TAIL] {
        loop {
            if out.len() == out.capacity() {
                out.reserve(out.len().max(FIRST_STEP).min(limit.saturating_add(1)));
            }
            let before = (state.total_in(), out.len());
            let status = state.decompress_vec(part, &mut out, FlushDecompress::None);
            let status = status.map_err(|_| Violation::NotDeflated)?;
            if out.len() > limit {
                return Err(Violation::TooBig);
            }
            let taken = usize::try_from(state.total_in() - before.0).unwrap_or(part.len());
            part = &part[taken..];
            if status == Status::StreamEnd {
                // A sender may end the whole stream with each message.
                return Ok(out);
            }
            if out.len() < out.capacity() {
                if part.is_empty() {
                    break;
                }
                if taken == 0 && out.len() == before.1 {
                    return Err(Violation::NotDeflated);
                }
            }
        }
    }
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::super::Opcode;
    use super::*;

    /// A text frame with that payload.
    fn frame(payload: &[u8]) -> Vec<u8> {
        let mut bytes = Vec::new();
        let start = begin(&mut bytes);
        bytes.extend_from_slice(payload);
        finish(&mut bytes, start, Opcode::Text);
        bytes
    }

    fn deflated(payload: &[u8], window_bits: u8) -> Vec<u8> {
        let frame = deflate(&frame(payload), window_bits).expect("it gets shorter");
        assert_eq!(frame[0], 0xC1);
        split(&frame).expect("a frame").1.to_vec()
    }

    #[test]
    fn the_standards_example_is_read_and_its_like_written() {
        // Section 7.2.3.1, and 7.2.3.3 with a block of another kind, 7.2.3.4 with a final one.
        for payload in [
            &[0xf2, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00][..],
            &[0x00, 0x05, 0x00, 0xfa, 0xff, 0x48, 0x65, 0x6c, 0x6c, 0x6f, 0x00],
            &[0xf3, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00, 0x00],
            // 7.2.3.5: two blocks.
            &[0xf2, 0x48, 0x05, 0x00, 0x00, 0x00, 0xff, 0xff, 0xca, 0xc9, 0xc9, 0x07, 0x00],
        ] {
            assert_eq!(inflate(payload, 5).as_deref(), Ok(&b"Hello"[..]), "{payload:x?}");
        }
        assert_eq!(inflate(&[0], 0).as_deref(), Ok(&b""[..]));
        let mut out = Vec::new();
        compress(b"Hello", 15, &mut out);
        assert_eq!(inflate(&out, 5).as_deref(), Ok(&b"Hello"[..]));
    }

    #[test]
    fn whatever_is_deflated_is_inflated_again() {
        let mut payloads = vec![b"a".repeat(1_000_000), "ä🦀 ".repeat(30_000).into_bytes()];
        let mut number = 1_u32;
        let mut noise = || {
            number = number.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            b'a' + (number >> 29) as u8
        };
        payloads.extend(
            [200, 4_096, 4_097, 70_000].map(|length| (0..length).map(|_| noise()).collect::<Vec<u8>>()),
        );
        for payload in payloads {
            for window_bits in [9, 12, 15] {
                let bytes = deflated(&payload, window_bits);
                assert_eq!(inflate(&bytes, payload.len()).as_ref(), Ok(&payload), "{}", payload.len());
                assert_eq!(inflate(&bytes, payload.len() - 1), Err(Violation::TooBig));
            }
        }
    }

    #[test]
    fn a_small_window_is_kept_to() {
        // The second half is the first again, beyond the window.
        let half: Vec<u8> =
            (0..5_000_u32).map(|i| (i.wrapping_mul(2_654_435_761) >> 24) as u8 & 0x3f).collect();
        let twice = [&half[..], &half].concat();
        let (small, large) = (deflated(&twice, 9).len(), deflated(&twice, 15).len());
        assert!(large * 4 < small * 3, "{large} against {small}");
    }

    #[test]
    fn what_does_not_get_shorter_stays_as_it_is() {
        let noise: Vec<u8> = (0..300_u32).map(|i| (i.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
        assert_eq!(deflate(&frame(&noise), 15), None);
        let mut ping = Vec::new();
        super::super::control(&mut ping, Opcode::Ping, &[b'a'; 100]);
        assert_eq!(deflate(&ping, 15), None);
    }

    #[test]
    fn what_is_not_deflated_is_refused() {
        for garbage in [&b"\xff\xff\xff"[..], b"\x07garbage", b"\x00\x05\x00\x05\x00Hello"] {
            assert_eq!(inflate(garbage, 1_000), Err(Violation::NotDeflated), "{garbage:x?}");
        }
    }
}
