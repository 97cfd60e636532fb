//! Turns: what is sent while one thread works through one piece of input is framed once and written once.
//!
//! Owns this thread's arena, the list of those who were sent something, and the moment when they are flushed. Knows no
//! session, socket or protocol; whoever takes part implements [`Flush`].
//!
//! A turn is a closure, so it can never cross an await. [`write`] frames something into the arena and hands out a range of
//! it, [`Frames`], which recipients queue at once: that fixes the order. The bytes become readable when the turn ends, then
//! each recipient is flushed once. A flush that meets a range of another thread's open turn stops there: that turn will
//! flush the same recipient when it ends.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, OnceLock};

/// A turn that has framed this many bytes is flushed before its end, so that queues are judged by what the sockets take
/// and not by what one turn makes.
const TURN_BYTES: usize = 256 * 1024;
/// An arena larger than this is given back instead of kept for the next turn.
const KEPT_BYTES: usize = 64 * 1024;

/// Someone who queues frames and writes them out.
pub(crate) trait Flush: Send + Sync {
    /// Writes what is queued and readable, as far as it goes without waiting. Must run no application code: the caller may
    /// be an application that holds its own locks.
    fn flush(&self);
}

/// The bytes of one turn; unreadable until it ends.
#[derive(Debug, Default)]
struct Buffer {
    bytes: OnceLock<Vec<u8>>,
    /// Only where somebody asks for another form.
    twins: OnceLock<Box<Mutex<Twins>>>,
}

/// The same frames in another form, made once for all recipients that want it: by range and kind; none for those that stay
/// as they are.
type Twins = HashMap<(u32, u32, u8), Option<Frames>>;

/// Marks frames that have no twin, in [`Frames::end`].
const SINGLE: u32 = 1 << 31;

/// Whole server frames: a range of a turn's bytes, shared by all recipients.
#[derive(Clone, Debug)]
pub(crate) struct Frames {
    buffer: Arc<Buffer>,
    start: u32,
    /// With [`SINGLE`], or without.
    end: u32,
}

impl Frames {
    /// Frames with bytes of their own, readable at once.
    pub(crate) fn from_bytes(bytes: Vec<u8>) -> Self {
        let end = position(bytes.len());
        let buffer = Buffer::default();
        let _ = buffer.bytes.set(bytes);
        Self { buffer: Arc::new(buffer), start: 0, end }
    }

    pub(crate) fn len(&self) -> usize {
        (self.end() - self.start) as usize
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.start == self.end()
    }

    const fn end(&self) -> u32 {
        self.end & !SINGLE
    }

    /// The bytes, once their turn has ended.
    pub(crate) fn bytes(&self) -> Option<&[u8]> {
        Some(&self.buffer.bytes.get()?[self.start as usize..self.end() as usize])
    }

    /// The `length` bytes from `start` on: whole frames among these.
    pub(crate) fn part(&self, start: usize, length: usize) -> Self {
        let start = self.end().min(self.start.saturating_add(position(start)));
        let end = self.end().min(start.saturating_add(position(length)));
        Self { buffer: self.buffer.clone(), start, end: end | self.end & SINGLE }
    }

    /// These never have a twin.
    pub(crate) fn single(self) -> Self {
        Self { end: self.end | SINGLE, ..self }
    }

    pub(crate) fn is_single(&self) -> bool {
        self.end & SINGLE != 0
    }

    /// The same frames in bytes of their own; none while they cannot be read.
    pub(crate) fn copied(&self) -> Option<Self> {
        let copied = Self::from_bytes(self.bytes()?.into());
        Some(if self.is_single() { copied.single() } else { copied })
    }

    /// The same frames in the form of that kind, as `make` makes them; none when they stay as they are. For all who have the
    /// same range it is made once, unless two want it at the same moment.
    pub(crate) fn twin(&self, kind: u8, make: impl FnOnce() -> Option<Self>) -> Option<Self> {
        let key = (self.start, self.end, kind);
        if let Some(made) = crate::lock(self.buffer.twins()).get(&key) {
            return made.clone();
        }
        let made = make();
        crate::lock(self.buffer.twins()).insert(key, made.clone());
        made
    }

    /// How many twins are kept with the frames of their turn.
    #[cfg(test)]
    pub(crate) fn twins(&self) -> usize {
        crate::lock(self.buffer.twins()).len()
    }

    /// Bytes of memory that these frames keep alive.
    pub(crate) fn pinned(&self) -> usize {
        self.buffer.bytes.get().map_or(0, Vec::capacity)
    }

    /// Whether `next` is of the same turn.
    pub(crate) fn same_turn(&self, next: &Self) -> bool {
        Arc::ptr_eq(&self.buffer, &next.buffer)
    }

    /// Grows by `next` when it lies right behind in the same turn, and both have twins or none.
    pub(crate) fn join(&mut self, next: &Self) -> bool {
        let alike = self.is_single() == next.is_single();
        let adjacent = self.end() == next.start && alike && self.same_turn(next);
        if adjacent {
            self.end = next.end;
        }
        adjacent
    }

    /// Forgets the first `count` bytes.
    pub(crate) fn advance(&mut self, count: usize) {
        self.start = self.end().min(self.start.saturating_add(position(count)));
    }
}

impl Buffer {
    /// As new; the memory for the next bytes, if it is worth keeping.
    fn reuse(&mut self) -> Vec<u8> {
        self.twins.take();
        let mut bytes = self.bytes.take().filter(|bytes| bytes.capacity() <= KEPT_BYTES).unwrap_or_default();
        bytes.clear();
        bytes
    }

    fn twins(&self) -> &Mutex<Twins> {
        self.twins.get_or_init(Box::default)
    }
}

/// Arenas stay far below 2 GB: a turn is flushed at [`TURN_BYTES`] and one message is bounded by memory long before.
fn position(bytes: usize) -> u32 {
    let position = u32::try_from(bytes).ok().filter(|position| position & SINGLE == 0);
    position.expect("a turn holds less than 2 GB")
}

#[derive(Default)]
struct Turn {
    /// None before anything is written.
    shared: Option<Arc<Buffer>>,
    /// Another handle of it, for the next frames: counting handles is what costs most where many are sent something small.
    spare: Option<Arc<Buffer>>,
    bytes: Vec<u8>,
    recipients: Vec<Arc<dyn Flush>>,
}

impl Turn {
    fn is_of(&self, buffer: &Arc<Buffer>) -> bool {
        self.shared.as_ref().is_some_and(|shared| Arc::ptr_eq(shared, buffer))
    }
}

thread_local! {
    static DEPTH: Cell<u32> = const { Cell::new(0) };
    static TURN: RefCell<Turn> = RefCell::default();
}

/// Runs `work` as a turn, or as part of the turn that is under way. The flush happens in any case, also after a panic.
pub(crate) fn run<T>(work: impl FnOnce() -> T) -> T {
    let _guard = Guard::enter();
    work()
}

struct Guard;

impl Guard {
    fn enter() -> Self {
        DEPTH.with(|depth| depth.set(depth.get() + 1));
        Self
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        if DEPTH.with(Cell::get) == 1 {
            flush();
        }
        DEPTH.with(|depth| depth.set(depth.get() - 1));
    }
}

/// Lets `encode` append whole frames to the arena; the result is for [`Frames`]' recipients. Only inside [`run`]. What encodes
/// runs no application code, which could send something itself.
pub(crate) fn write(encode: impl FnOnce(&mut Vec<u8>)) -> Frames {
    debug_assert!(DEPTH.with(Cell::get) > 0, "frames are written inside a turn");
    TURN.with_borrow_mut(|turn| {
        let start = position(turn.bytes.len());
        encode(&mut turn.bytes);
        let buffer = turn.spare.take().unwrap_or_else(|| turn.shared.get_or_insert_default().clone());
        Frames { buffer, start, end: position(turn.bytes.len()) }
    })
}

/// Lets go of frames, perhaps to be the next that are written. Only inside [`run`].
pub(crate) fn give_back(frames: Frames) {
    TURN.with_borrow_mut(|turn| {
        if turn.is_of(&frames.buffer) {
            turn.spare = Some(frames.buffer);
        }
    });
}

/// The bytes of `frames`, which were written in the turn that is under way.
pub(crate) fn copy(frames: &Frames) -> Box<[u8]> {
    TURN.with_borrow(|turn| {
        debug_assert!(turn.is_of(&frames.buffer), "the turn is under way");
        turn.bytes[frames.start as usize..frames.end() as usize].into()
    })
}

/// Has `recipient` flushed when the turn ends. Only inside [`run`].
pub(crate) fn mark(recipient: Arc<dyn Flush>) {
    debug_assert!(DEPTH.with(Cell::get) > 0, "recipients are marked inside a turn");
    TURN.with_borrow_mut(|turn| turn.recipients.push(recipient));
}

/// Flushes early when the turn has become large. For senders, after they have released their locks.
pub(crate) fn relieve() {
    if TURN.with_borrow(|turn| turn.bytes.len() > TURN_BYTES) {
        flush();
    }
}

fn flush() {
    loop {
        if TURN.with(|turn| turn.borrow().bytes.is_empty() && turn.borrow().recipients.is_empty()) {
            return;
        }
        let Turn { mut shared, spare, bytes, mut recipients } = TURN.take();
        drop(spare);
        if let Some(shared) = &shared {
            let _ = shared.bytes.set(bytes);
        }
        for recipient in recipients.drain(..) {
            recipient.flush();
        }
        // Nobody has kept a range: the same memory serves the next turn.
        let bytes = shared.as_mut().and_then(Arc::get_mut).map(Buffer::reuse);
        if bytes.is_none() {
            shared = None;
        }
        TURN.with_borrow_mut(|turn| {
            // A flush that sent something itself has begun the next buffer already.
            if turn.bytes.is_empty() && turn.recipients.is_empty() {
                *turn = Turn { shared, spare: None, bytes: bytes.unwrap_or_default(), recipients };
            }
        });
    }
}

#[cfg(test)]
mod tests;
