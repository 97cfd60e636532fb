//! What waits to be written to one client: one queue for both transports.
//!
//! Owns ranges of framed bytes and their order. A WebSocket writes them as they are; a poll takes whole frames and turns
//! them into a payload, so an upgrade changes only who drains. Does no I/O and takes no decision: what is too much is
//! judged by the session.

mod form;

pub(crate) use form::Form;

use crate::frame;
use crate::turn::Frames;
use encke_protocol::engine::{Version, payload};
use std::collections::VecDeque;
use std::io::IoSlice;

/// What a queued piece costs beside its bytes, so that many small ones cannot hide behind a limit in bytes.
const PIECE_COST: usize = 128;
/// Pieces in one vectored write.
pub(crate) const MAX_SLICES: usize = 64;

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

    /// As [`Self::oldest`], for whoever cannot write it here.
    pub(crate) fn next(&self) -> Option<Frames> {
        self.first.as_ref().filter(|first| first.bytes().is_some()).cloned()
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
        if self.rest.is_empty() && self.rest.capacity() > 0 {
            self.rest = VecDeque::new();
        }
    }

    /// Puts what is readable into that form, before any of it is written.
    #[inline]
    pub(crate) fn prepare(&mut self, form: Form) {
        if form != Form::Plain {
            self.put_into(form);
        }
    }

    fn put_into(&mut self, form: Form) {
        let mut bytes = self.bytes;
        for piece in self.first.iter_mut().chain(&mut self.rest).skip(self.prepared) {
            let Some(framed) = piece.bytes() else { break };
            let length = framed.len();
            if let Some(reframed) = form.of_frames(piece) {
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
            if packets > 0 && body.len() + form::overhead(version) + size > limit {
                break;
            }
            form::append(&mut body, opcode, content, version);
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

/// None while it is unreadable.
fn copy_out(frames: &mut Frames) -> Option<()> {
    frames.bytes()?;
    if frames.pinned() > 2 * frames.len() + PIECE_COST {
        *frames = frames.copied()?;
    }
    Some(())
}

#[cfg(test)]
mod tests;
