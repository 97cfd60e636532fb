//! How frames look to those who cannot have them as they are queued: in a poll's payload, over a WebSocket of v3, compressed.
//!
//! Owns these forms; what is queued, and when it is put into one, is the [outbox](super)'s.

use crate::frame;
use crate::turn::Frames;
use encke_protocol::engine::{Version, base64, payload, v3};
use std::borrow::Cow;

/// Before a packet in a payload of v3: the digits of its length, a colon, and another byte of its type.
const LONGEST_HEAD: usize = 12;

/// How a WebSocket carries binary messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    /// As they are queued: v4.
    Plain,
    /// Behind their packet type: v3.
    Typed,
    /// As text: v3, where the client has said that it cannot read bytes.
    Base64,
    /// As they are queued, and compressed if their frame has `threshold` bytes.
    Deflated { window_bits: u8, threshold: u32 },
}

impl Form {
    pub(crate) fn of(version: Version, base64: bool) -> Self {
        match (version, base64) {
            (Version::V4, _) => Self::Plain,
            (Version::V3, false) => Self::Typed,
            (Version::V3, true) => Self::Base64,
        }
    }

    /// Frames as a WebSocket of this form writes them; none when that is as they are.
    pub(super) fn of_frames(self, frames: &Frames) -> Option<Frames> {
        match self {
            Self::Deflated { window_bits, threshold } => deflated(frames, window_bits, threshold),
            Self::Plain | Self::Typed | Self::Base64 => {
                reframe(frames.bytes()?, self).map(Frames::from_bytes)
            }
        }
    }
}

/// Bytes that a packet of a payload may take beside its own.
pub(super) fn overhead(version: Version) -> usize {
    match version {
        Version::V3 => LONGEST_HEAD,
        Version::V4 => 1,
    }
}

/// Writes a packet behind those in a payload.
pub(super) fn append(body: &mut String, opcode: frame::Opcode, content: &[u8], version: Version) {
    // Frames of text are made from strings: nothing is lost here.
    let text =
        || std::str::from_utf8(content).map_or_else(|_| String::from_utf8_lossy(content), Cow::Borrowed);
    match (version, opcode) {
        (Version::V3, frame::Opcode::Binary) => v3::append_binary(body, content),
        (Version::V3, _) => v3::append(body, &text()),
        (Version::V4, opcode) => {
            if !body.is_empty() {
                body.push(payload::SEPARATOR);
            }
            match opcode {
                frame::Opcode::Binary => {
                    body.push('b');
                    base64::encode(content, body);
                }
                _ => body.push_str(&text()),
            }
        }
    }
}

/// Frames with those compressed that are long enough; none when there is no such among them.
fn deflated(frames: &Frames, window_bits: u8, threshold: u32) -> Option<Frames> {
    let bytes = frames.bytes()?;
    if bytes.len() < threshold as usize || frames.is_single() {
        return None;
    }
    let (_, _, rest) = frame::split(bytes)?;
    if rest.is_empty() {
        return frames.twin(window_bits, || frame::deflate(bytes, window_bits).map(Frames::from_bytes));
    }
    // Each by itself: others may have it without its neighbours, and together they are nobody else's.
    let (mut at, mut changed, mut all) = (0, false, Vec::with_capacity(bytes.len()));
    while let Some((_, _, rest)) = frame::split(&bytes[at..]) {
        let frame = frames.part(at, bytes.len() - at - rest.len());
        let twin = deflated(&frame, window_bits, threshold);
        changed |= twin.is_some();
        all.extend_from_slice(twin.as_ref().unwrap_or(&frame).bytes()?);
        at = bytes.len() - rest.len();
    }
    changed.then(|| Frames::from_bytes(all))
}

/// The frames in another form; none when there is no binary message among them.
fn reframe(mut frames: &[u8], form: Form) -> Option<Vec<u8>> {
    let mut reframed = None;
    let all = frames;
    while let Some((opcode, content, rest)) = frame::split(frames) {
        let whole = frames.strip_suffix(rest).unwrap_or_default();
        let before = all.len() - frames.len();
        frames = rest;
        if opcode == frame::Opcode::Binary {
            let bytes = reframed.get_or_insert_with(|| all[..before].to_vec());
            let start = frame::begin(bytes);
            match form {
                Form::Base64 => {
                    let mut text = String::new();
                    v3::encode_binary(content, &mut text);
                    bytes.extend_from_slice(text.as_bytes());
                    frame::finish(bytes, start, frame::Opcode::Text);
                }
                Form::Plain | Form::Typed | Form::Deflated { .. } => {
                    bytes.push(v3::BINARY_MESSAGE);
                    bytes.extend_from_slice(content);
                    frame::finish(bytes, start, frame::Opcode::Binary);
                }
            }
        } else if let Some(bytes) = &mut reframed {
            bytes.extend_from_slice(whole);
        }
    }
    reframed
}
