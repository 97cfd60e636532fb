//! What waits to be written to one client: one queue for both transports.
//!
//! Owns ranges of framed bytes and their order. A WebSocket writes them as they are; a poll takes whole frames and turns
//! them into a payload, so an upgrade changes only who drains. Does no I/O and takes no decision: what is too much is
//! judged by the session.

use crate::frame;
use crate::turn::Frames;
use encke_protocol::engine::{Version, base64, payload, v3};
use std::collections::VecDeque;
use std::io::IoSlice;

/// What a queued piece costs beside its bytes, so that many small ones cannot hide behind a limit in bytes.
const PIECE_COST: usize = 128;
/// Before a packet in a payload of v3: the digits of its length, a colon, and another byte of its type.
const LONGEST_HEAD: usize = 12;
/// Pieces in one vectored write.
pub(crate) const MAX_SLICES: usize = 64;

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
    Deflated { window_bits: u8, threshold: u16 },
}

impl Form {
    pub(crate) fn of(version: Version, base64: bool) -> Self {
        match (version, base64) {
            (Version::V4, _) => Self::Plain,
            (Version::V3, false) => Self::Typed,
            (Version::V3, true) => Self::Base64,
        }
    }
}

/// A queue of frames. Takes no memory of its own while it holds one piece or none.
#[derive(Debug, Default)]
pub(crate) struct Outbox {
    first: Option<Frames>,
    rest: VecDeque<Frames>,
    bytes: usize,
    /// So many of the oldest in `rest` have been through [`Self::copy_out`].
    copied: usize,
    /// So many of the oldest pieces are in the form of the WebSocket that writes them; none unless it has another than
    /// [`Form::Plain`].
    prepared: usize,
}

impl Outbox {
    /// Queues frames. True when they are the first of their turn here: the caller has to be flushed when it ends.
    pub(crate) fn push(&mut self, frames: &Frames) -> bool {
        if frames.is_empty() {
            return false;
        }
        self.bytes += frames.len();
        // What is prepared does not change any more.
        let sealed = self.prepared > self.rest.len();
        let Some(last) = self.rest.back_mut().or(self.first.as_mut()) else {
            self.first = Some(frames.clone());
            return true;
        };
        let same_turn = last.same_turn(frames);
        if sealed || !last.join(frames) {
            self.rest.push_back(frames.clone());
        }
        !same_turn
    }

    /// Has all of `front` written before what is queued here.
    pub(crate) fn put_in_front(&mut self, front: Self) {
        let behind = std::mem::replace(self, front);
        for frames in behind.first.iter().chain(&behind.rest) {
            self.push(frames);
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.first.is_none()
    }

    /// What the queue costs in bytes of memory, pieces included.
    pub(crate) fn cost(&self) -> usize {
        self.bytes + self.rest.len() * PIECE_COST
    }

    /// Whether the oldest bytes can be read: not those of a turn that has not ended.
    pub(crate) fn readable(&self) -> bool {
        self.oldest().is_some()
    }

    /// The oldest piece, when it is readable.
    pub(crate) fn oldest(&self) -> Option<&[u8]> {
        self.first.as_ref()?.bytes()
    }

    /// The only piece, when there is one and it is readable.
    pub(crate) fn single(&self) -> Option<&[u8]> {
        if self.rest.is_empty() { self.oldest() } else { None }
    }

    /// The readable bytes from the oldest on, as slices for one write; how many slices are set and their length together.
    pub(crate) fn slices<'a>(&'a self, slices: &mut [IoSlice<'a>; MAX_SLICES]) -> (usize, usize) {
        let readable = self.first.iter().chain(&self.rest).map_while(Frames::bytes);
        let (mut count, mut length) = (0, 0);
        for (slice, bytes) in slices.iter_mut().zip(readable) {
            *slice = IoSlice::new(bytes);
            count += 1;
            length += bytes.len();
        }
        (count, length)
    }

    /// Forgets the first `count` bytes: they are written.
    pub(crate) fn advance(&mut self, mut count: usize) {
        while count > 0 {
            let Some(first) = &mut self.first else { return };
            let step = count.min(first.len());
            first.advance(step);
            self.bytes -= step;
            count -= step;
            if first.is_empty() {
                self.first = self.rest.pop_front();
                self.copied = self.copied.saturating_sub(1);
                self.prepared = self.prepared.saturating_sub(1);
            }
        }
        if self.rest.is_empty() {
            self.rest = VecDeque::new();
        }
    }

    /// Puts what is readable into that form, before any of it is written.
    pub(crate) fn prepare(&mut self, form: Form) {
        if form == Form::Plain {
            return;
        }
        let mut bytes = self.bytes;
        for piece in self.first.iter_mut().chain(&mut self.rest).skip(self.prepared) {
            let Some(framed) = piece.bytes() else { break };
            let length = framed.len();
            let reframed = match form {
                Form::Deflated { window_bits, threshold } => deflated(piece, window_bits, threshold),
                _ => reframe(framed, form).map(Frames::from_bytes),
            };
            if let Some(reframed) = reframed {
                bytes = bytes - length + reframed.len();
                *piece = reframed;
            }
            self.prepared += 1;
        }
        self.bytes = bytes;
    }

    /// Takes packets off the queue for a poll's answer: as many as a payload may hold, at most `limit` bytes unless the
    /// first alone is longer. Empty when nothing is readable.
    pub(crate) fn take_payload(&mut self, limit: usize, version: Version) -> String {
        let mut body = String::new();
        let mut packets = 0;
        while packets < payload::MAX_PACKETS {
            let Some(bytes) = self.oldest() else { break };
            let Some((opcode, content, rest)) = frame::split(bytes) else {
                debug_assert!(false, "the queue holds whole frames until a WebSocket has written some");
                break;
            };
            let size = match opcode {
                frame::Opcode::Binary => 1 + content.len().div_ceil(3) * 4,
                _ => content.len(),
            };
            let overhead = match version {
                Version::V3 => LONGEST_HEAD,
                Version::V4 => 1,
            };
            if packets > 0 && body.len() + overhead + size > limit {
                break;
            }
            append(&mut body, opcode, content, version);
            packets += 1;
            let consumed = bytes.len() - rest.len();
            self.advance(consumed);
        }
        body
    }

    /// For a queue that cannot be written now: pieces that keep much more memory alive than they need get bytes of their
    /// own, so that a slow client pins what it is owed and not whole turns.
    pub(crate) fn copy_out(&mut self) {
        // The oldest gets shorter as it is written; the others are as they were.
        if let Some(first) = &mut self.first {
            copy_out(first);
        }
        let new = self.rest.range_mut(self.copied..);
        self.copied += new.map_while(copy_out).count();
    }

    /// Drops everything.
    pub(crate) fn clear(&mut self) {
        *self = Self::default();
    }
}

fn append(body: &mut String, opcode: frame::Opcode, content: &[u8], version: Version) {
    // Frames of text are made from strings; nothing is lost here.
    let text = || String::from_utf8_lossy(content);
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
fn deflated(frames: &Frames, window_bits: u8, threshold: u16) -> Option<Frames> {
    let bytes = frames.bytes()?;
    if bytes.len() < threshold.into() || frames.is_single() {
        return None;
    }
    frames.twin(window_bits, || {
        let (_, _, rest) = frame::split(bytes)?;
        if rest.is_empty() {
            return frame::deflate(bytes, window_bits).map(Frames::from_bytes);
        }
        // Each by itself: others may have it without its neighbours.
        let (mut at, mut changed, mut all) = (0, false, Vec::with_capacity(bytes.len()));
        while let Some((_, _, rest)) = frame::split(&bytes[at..]) {
            let frame = frames.part(at, bytes.len() - at - rest.len());
            let twin = deflated(&frame, window_bits, threshold);
            changed |= twin.is_some();
            all.extend_from_slice(twin.as_ref().unwrap_or(&frame).bytes()?);
            at = bytes.len() - rest.len();
        }
        changed.then(|| Frames::from_bytes(all))
    })
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

/// None while it is unreadable.
fn copy_out(frames: &mut Frames) -> Option<()> {
    frames.bytes()?;
    if frames.pinned() > 2 * frames.len() + PIECE_COST {
        *frames = frames.copied()?;
    }
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::frame::Opcode;
    use crate::turn;

    fn frames(opcode: Opcode, payload: &[u8]) -> Frames {
        turn::write(|bytes| {
            let start = frame::begin(bytes);
            bytes.extend_from_slice(payload);
            frame::finish(bytes, start, opcode);
        })
    }

    fn text(payload: &str) -> Frames {
        frames(Opcode::Text, payload.as_bytes())
    }

    fn written(outbox: &Outbox) -> Vec<Vec<u8>> {
        let mut slices = [IoSlice::new(&[]); MAX_SLICES];
        let (count, _) = outbox.slices(&mut slices);
        slices[..count].iter().map(|slice| slice.to_vec()).collect()
    }

    #[test]
    fn frames_of_one_turn_that_touch_are_one_piece() {
        let mut outbox = Outbox::default();
        turn::run(|| {
            assert!(outbox.push(&text("4a")), "first of this turn");
            assert!(!outbox.push(&text("4b")));
            text("for somebody else");
            assert!(!outbox.push(&text("4c")));
            assert!(written(&outbox).is_empty(), "the turn has not ended");
        });
        assert_eq!(written(&outbox), [b"\x81\x024a\x81\x024b".to_vec(), b"\x81\x024c".to_vec()]);
    }

    #[test]
    fn a_write_may_end_anywhere() {
        let mut outbox = Outbox::default();
        turn::run(|| outbox.push(&text("4hello")));
        turn::run(|| outbox.push(&text("4world")));
        let whole = written(&outbox).concat();
        for left in (0..whole.len()).rev() {
            outbox.advance(1);
            assert_eq!(written(&outbox).concat(), whole[whole.len() - left..]);
        }
        assert!(outbox.is_empty());
        assert_eq!(outbox.cost(), 0);
    }

    #[test]
    fn a_payload_holds_sixteen_packets() {
        let mut outbox = Outbox::default();
        turn::run(|| {
            for index in 0..20 {
                outbox.push(&text(&format!("4{index}")));
            }
        });
        let first: Vec<String> =
            outbox.take_payload(1_000, Version::V4).split('\u{1e}').map(str::to_owned).collect();
        assert_eq!(first, (0..16).map(|index| format!("4{index}")).collect::<Vec<_>>());
        assert_eq!(outbox.take_payload(1_000, Version::V4), "416\u{1e}417\u{1e}418\u{1e}419");
        assert_eq!(outbox.take_payload(1_000, Version::V4), "");
    }

    #[test]
    fn a_payload_holds_what_the_limit_allows_and_always_one_packet() {
        let mut outbox = Outbox::default();
        turn::run(|| ["4aaaa", "4bbbb", "4cccccccccccccccc", "4d"].map(|packet| outbox.push(&text(packet))));
        assert_eq!(outbox.take_payload(11, Version::V4), "4aaaa\u{1e}4bbbb");
        assert_eq!(outbox.take_payload(11, Version::V4), "4cccccccccccccccc");
        assert_eq!(outbox.take_payload(11, Version::V4), "4d");
    }

    #[test]
    fn a_binary_frame_becomes_base64_in_a_payload() {
        let mut outbox = Outbox::default();
        turn::run(|| outbox.push(&frames(Opcode::Binary, &[1, 2, 3, 4])));
        assert_eq!(outbox.take_payload(100, Version::V4), "bAQIDBA==");
    }

    #[test]
    fn what_is_put_in_front_is_written_first() {
        let (mut front, mut outbox) = (Outbox::default(), Outbox::default());
        turn::run(|| outbox.push(&text("4b")));
        turn::run(|| outbox.push(&text("4c")));
        turn::run(|| front.push(&text("4a")));
        front.advance(1);
        outbox.put_in_front(front);
        assert_eq!(written(&outbox).concat(), b"\x024a\x81\x024b\x81\x024c");
        assert_eq!(outbox.cost(), 11 + 2 * PIECE_COST);
    }

    #[test]
    fn every_piece_is_copied_out_once_it_is_readable() {
        let mut outbox = Outbox::default();
        for _ in 0..3 {
            turn::run(|| {
                text(&"x".repeat(100_000));
                outbox.push(&text("4small"));
                outbox.copy_out();
            });
            outbox.copy_out();
        }
        let pieces = |outbox: &Outbox| -> Vec<usize> {
            outbox.first.iter().chain(&outbox.rest).map(Frames::pinned).collect()
        };
        assert_eq!(pieces(&outbox), [8, 8, 8]);
        outbox.advance(10);
        turn::run(|| {
            text(&"x".repeat(100_000));
            outbox.push(&text("4small"));
        });
        outbox.copy_out();
        assert_eq!(pieces(&outbox), [8, 8, 8]);
    }

    #[test]
    fn a_small_piece_of_a_large_turn_is_copied_out() {
        let mut outbox = Outbox::default();
        turn::run(|| {
            text(&"x".repeat(100_000));
            outbox.push(&text("4small"));
        });
        let pinned = |outbox: &Outbox| outbox.first.as_ref().map_or(0, Frames::pinned);
        assert!(pinned(&outbox) >= 100_000);
        outbox.copy_out();
        assert_eq!(pinned(&outbox), 8);
        assert_eq!(outbox.take_payload(100, Version::V4), "4small");
    }

    #[test]
    fn a_payload_of_v3_says_how_long_its_packets_are() {
        let mut outbox = Outbox::default();
        turn::run(|| {
            outbox.push(&text("4é😀"));
            outbox.push(&frames(Opcode::Binary, &[1, 2, 3, 4]));
            outbox.push(&text("3"));
        });
        assert_eq!(outbox.take_payload(100, Version::V3), "4:4é😀10:b4AQIDBA==1:3");
    }

    #[test]
    fn a_websocket_of_v3_carries_the_type_of_binary_messages() {
        for (form, binary) in [(Form::Typed, &b"\x82\x03\x04\x01\x02"[..]), (Form::Base64, b"\x81\x06b4AQI=")]
        {
            let mut outbox = Outbox::default();
            turn::run(|| {
                outbox.push(&text("4a"));
                outbox.push(&frames(Opcode::Binary, &[1, 2]));
                outbox.push(&text("4b"));
                outbox.prepare(form);
            });
            outbox.prepare(form);
            assert_eq!(written(&outbox).concat(), [b"\x81\x024a", binary, b"\x81\x024b"].concat());
            outbox.advance(5);
            turn::run(|| outbox.push(&frames(Opcode::Binary, &[1, 2])));
            outbox.prepare(form);
            outbox.prepare(form);
            let rest = [b"\x81\x024a", binary, b"\x81\x024b", binary].concat();
            assert_eq!(written(&outbox).concat(), rest[5..]);
            assert_eq!(outbox.bytes, rest.len() - 5);
            outbox.advance(rest.len());
            assert_eq!((outbox.is_empty(), outbox.prepared), (true, 0));
        }
    }

    #[test]
    fn a_message_for_many_is_compressed_once() {
        let form = Form::Deflated { window_bits: 15, threshold: 100 };
        let mut outboxes = [(); 4].map(|()| Outbox::default());
        turn::run(|| {
            outboxes[3].push(&text("4for one alone"));
            let frames = text(&"4".repeat(1_000));
            for outbox in &mut outboxes {
                outbox.push(&frames);
            }
        });
        for reader in [0, 1, 3] {
            outboxes[reader].prepare(form);
        }
        let [one, other, plain, joined] = &outboxes;
        let piece = |outbox: &Outbox| outbox.first.clone().expect("queued");
        assert!(piece(one).same_turn(&piece(other)), "the same bytes for both");
        assert_eq!(one.cost(), piece(one).len());
        assert!(one.cost() < 100 && written(one)[0][0] == 0xC1);
        assert_eq!(plain.cost(), 1_004, "who reads none gets it as it is");
        assert_eq!(written(joined).concat(), [b"\x81\x0e4for one alone", &*written(one).concat()].concat());
    }

    #[test]
    fn what_is_not_to_be_compressed_stays_so_beside_others_and_when_it_is_copied_out() {
        let form = Form::Deflated { window_bits: 15, threshold: 100 };
        let (secret, other) = ("4".repeat(1_000), "4".repeat(2_000));
        let mut outbox = Outbox::default();
        turn::run(|| {
            text(&"x".repeat(100_000));
            outbox.push(&text(&other));
            outbox.push(&text(&secret).single());
            outbox.push(&text(&other));
        });
        outbox.copy_out();
        outbox.prepare(form);
        let [before, piece, behind] = &*written(&outbox) else { panic!("three pieces") };
        assert!(before.len() < 100 && behind.len() < 100);
        assert!(piece.ends_with(secret.as_bytes()));
    }

    #[test]
    fn what_a_probe_has_prepared_is_not_joined() {
        let (mut front, mut outbox) = (Outbox::default(), Outbox::default());
        turn::run(|| {
            front.push(&text("3probe"));
            outbox.push(&frames(Opcode::Binary, &[1, 2]));
        });
        front.prepare(Form::Typed);
        outbox.put_in_front(front);
        outbox.prepare(Form::Typed);
        assert_eq!(written(&outbox).concat(), b"\x81\x063probe\x82\x03\x04\x01\x02");
    }
}
