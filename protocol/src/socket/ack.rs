//! Acks that are awaited: each has a slot until it ends, and each ends, by answer, timeout, cancel or disconnect.

use crate::Timestamp;
use crate::list;

/// The number that ties an ack to its event; unique per socket and direction while the ack is awaited.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AckId(u64);

impl AckId {
    /// The largest integer JavaScript counts with exactly, 2^53 - 1.
    pub const MAX: u64 = (1 << 53) - 1;

    /// From here on ids are for events that a server sends to many at once; below are those for one peer. Peers that
    /// count with 32 bits understand both.
    const SHARED: u64 = 1 << 30;

    /// An id for an event to one; they come round after 2^30.
    pub const fn single(number: u64) -> Self {
        Self(number % Self::SHARED)
    }

    /// An id for an event to many; they come round after 2^30.
    pub const fn shared(number: u64) -> Self {
        Self(Self::SHARED + number % Self::SHARED)
    }

    /// Whether it is one of those.
    pub const fn is_shared(self) -> bool {
        self.0 >= Self::SHARED
    }

    /// The id of that number; `None` above [`AckId::MAX`].
    pub const fn new(number: u64) -> Option<Self> {
        if number <= Self::MAX { Some(Self(number)) } else { None }
    }

    /// The number on the wire.
    pub const fn get(self) -> u64 {
        self.0
    }
}

/// The awaited acks of one socket, each with what is to be told when it ends.
#[derive(Debug)]
pub struct Acks<T> {
    next: u64,
    /// The oldest first.
    waiting: Vec<Waiting<T>>,
}

#[derive(Debug)]
struct Waiting<T> {
    id: AckId,
    until: Option<Timestamp>,
    slot: T,
}

impl<T> Default for Acks<T> {
    fn default() -> Self {
        Self { next: 0, waiting: Vec::new() }
    }
}

impl<T> Acks<T> {
    /// Takes the next id; `slot` waits for its ack, until that moment if there is one.
    pub fn register(&mut self, until: Option<Timestamp>, slot: T) -> AckId {
        let id = AckId::single(self.next);
        self.next += 1;
        self.wait_for(id, until, slot);
        id
    }

    /// The same, for an id that somebody else hands out: then always, or ids may meet.
    pub fn wait_for(&mut self, id: AckId, until: Option<Timestamp>, slot: T) {
        self.waiting.push(Waiting { id, until, slot });
    }

    /// What waits for that ack. `None` when nothing does (any more): a late or made-up ack is harmless.
    pub fn take(&mut self, id: AckId) -> Option<T> {
        let index = self.waiting.iter().position(|waiting| waiting.id == id)?;
        list::take(&mut self.waiting, index).map(|waiting| waiting.slot)
    }

    /// Takes the first that matches: nobody waits for its ack any more.
    pub fn take_matching(&mut self, matches: impl Fn(&T) -> bool) -> Option<T> {
        let index = self.waiting.iter().position(|waiting| matches(&waiting.slot))?;
        list::take(&mut self.waiting, index).map(|waiting| waiting.slot)
    }

    /// Takes one whose time is over; call until `None`.
    pub fn take_expired(&mut self, now: Timestamp) -> Option<T> {
        let expired = |waiting: &Waiting<T>| waiting.until.is_some_and(|until| until <= now);
        let index = self.waiting.iter().position(expired)?;
        list::take(&mut self.waiting, index).map(|waiting| waiting.slot)
    }

    /// Takes any that waits, the oldest first, to tell it that no ack will come; call until `None`.
    pub fn take_any(&mut self) -> Option<T> {
        list::take(&mut self.waiting, 0).map(|waiting| waiting.slot)
    }

    /// The next moment at which one expires.
    pub fn next_deadline(&self) -> Option<Timestamp> {
        self.waiting.iter().fold(None, |next, waiting| Timestamp::earlier(next, waiting.until))
    }

    /// How many wait.
    pub fn len(&self) -> usize {
        self.waiting.len()
    }

    /// Whether none waits.
    pub fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }
}
