//! What was sent in a namespace, in order, as long as somebody may have missed it.
//!
//! Owns positions and what each entry was and for whom. Bounded in time and bytes. Knows no session and no clock.

use super::share::Share;
use encke_protocol::Timestamp;
use std::collections::VecDeque;
use std::hash::{DefaultHasher, Hash, Hasher};

/// What an entry costs beside its bytes.
const ENTRY_COST: usize = 128;
/// What a name in an audience costs beside its bytes.
const NAME_COST: usize = 16;

/// For whom an entry is, among those who are in the namespace when it is sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Audience {
    /// The socket of that id.
    One(u128),
    Many(Box<Many>),
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Many {
    /// None: everybody.
    pub(crate) among: Option<Group>,
    pub(crate) except: Group,
    /// Only those who are connected to this server.
    pub(crate) server: Option<u32>,
}

/// Who is in one of these rooms, or is one of these sockets.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Group {
    pub(crate) rooms: Vec<Box<str>>,
    pub(crate) sockets: Vec<u128>,
}

impl Audience {
    fn cost(&self) -> usize {
        match self {
            Self::One(_) => 0,
            Self::Many(many) => many.except.cost() + many.among.as_ref().map_or(0, Group::cost),
        }
    }

    fn mask(&self) -> Mask {
        match self {
            Self::One(sid) => Mask::of(sid),
            Self::Many(many) => many.among.as_ref().map_or(Mask::ALL, |among| {
                let rooms = among.rooms.iter().map(|room| Mask::of(&**room));
                rooms.chain(among.sockets.iter().map(Mask::of)).fold(Mask::NONE, Mask::and)
            }),
        }
    }
}

/// A few bits of the names of rooms and sockets, by which most of a log can be passed over at a glance. Names that have no
/// bit in common have nothing to do with each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Mask(u64);

impl Mask {
    pub(crate) const NONE: Self = Self(0);
    pub(crate) const ALL: Self = Self(u64::MAX);

    pub(crate) fn of(name: &(impl Hash + ?Sized)) -> Self {
        let mut hasher = DefaultHasher::new();
        name.hash(&mut hasher);
        Self(1 << (hasher.finish() % u64::from(u64::BITS)))
    }

    /// The bits of both.
    pub(crate) fn and(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    fn meets(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }
}

impl Group {
    fn cost(&self) -> usize {
        let names: usize = self.rooms.iter().map(|room| NAME_COST + room.len()).sum();
        names + self.sockets.len() * NAME_COST
    }
}

#[derive(Debug)]
struct Entry {
    at: Timestamp,
    mask: Mask,
    audience: Audience,
    /// Whole frames, as everybody was sent them.
    bytes: Box<[u8]>,
}

impl Entry {
    fn cost(&self) -> usize {
        ENTRY_COST + self.audience.cost() + self.bytes.len()
    }
}

/// Positions count from 1; the one before the first entry is 0.
#[derive(Debug, Default)]
pub(crate) struct Log {
    entries: VecDeque<Entry>,
    /// The position of the last entry that is gone.
    gone: u64,
    cost: Share,
}

impl Log {
    /// What it costs counts among the costs of others.
    pub(crate) fn new(cost: Share) -> Self {
        Self { cost, ..Self::default() }
    }

    /// The position of the last entry.
    pub(crate) fn position(&self) -> u64 {
        self.gone + self.entries.len() as u64
    }

    /// Everything behind that position is still here.
    pub(crate) fn gone(&self) -> u64 {
        self.gone
    }

    /// Adds an entry behind the others.
    pub(crate) fn append(&mut self, at: Timestamp, audience: Audience, bytes: Box<[u8]>) {
        let entry = Entry { at, mask: audience.mask(), audience, bytes };
        self.cost.set(self.cost.own() + entry.cost());
        self.entries.push_back(entry);
    }

    /// Counts an entry that nobody can miss.
    pub(crate) fn skip(&mut self) {
        self.gone = self.position() + 1;
        self.clear();
    }

    /// Lets go of what was sent before `before`, and of the oldest that are too much where all may cost `max_cost` bytes.
    pub(crate) fn trim(&mut self, before: Timestamp, max_cost: usize) {
        while self.entries.front().is_some_and(|oldest| oldest.at < before || self.cost.exceeds(max_cost)) {
            if let Some(oldest) = self.entries.pop_front() {
                self.cost.set(self.cost.own() - oldest.cost());
                self.gone += 1;
            }
        }
        if self.entries.len() * 4 < self.entries.capacity() {
            self.entries.shrink_to(self.entries.len() * 2);
        }
    }

    /// What stands behind `position`, each with its own, but for what is for none of those in the mask.
    pub(crate) fn since(&self, position: u64, mask: Mask) -> impl Iterator<Item = (u64, &Audience, &[u8])> {
        let skipped = self.skipped(position);
        let first = self.gone + 1 + skipped as u64;
        let meant =
            (first..).zip(self.entries.range(skipped..)).filter(move |(_, entry)| entry.mask.meets(mask));
        meant.map(|(position, entry)| (position, &entry.audience, &*entry.bytes))
    }

    fn skipped(&self, position: u64) -> usize {
        let skipped = usize::try_from(position.saturating_sub(self.gone)).unwrap_or(usize::MAX);
        skipped.min(self.entries.len())
    }

    fn clear(&mut self) {
        self.entries = VecDeque::new();
        self.cost.set(0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(millis: u64) -> Timestamp {
        Timestamp::from_millis(millis)
    }

    fn log(entries: u64) -> Log {
        let mut log = Log::default();
        for entry in 1..=entries {
            log.append(at(entry), Audience::One(0), [entry as u8].into());
        }
        log
    }

    fn positions(log: &Log, since: u64) -> Vec<u64> {
        let entries = log
            .since(since, Mask::ALL)
            .inspect(|(position, _, bytes)| assert_eq!(**bytes, [*position as u8]));
        entries.map(|(position, ..)| position).collect()
    }

    #[test]
    fn entries_keep_their_positions_when_older_ones_go() {
        let mut log = log(9);
        assert_eq!((log.gone(), log.position()), (0, 9));
        assert_eq!(positions(&log, 0).len(), 9);
        log.trim(at(5), usize::MAX);
        assert_eq!((log.gone(), log.position()), (4, 9));
        assert_eq!(positions(&log, 4), [5, 6, 7, 8, 9]);
        assert_eq!(positions(&log, 7), [8, 9]);
        assert!(positions(&log, 9).is_empty());
        log.skip();
        assert_eq!((log.gone(), log.position()), (10, 10));
    }

    #[test]
    fn the_oldest_go_when_there_are_too_many_bytes() {
        let mut log = log(9);
        log.trim(at(0), 3 * (ENTRY_COST + 1));
        assert_eq!((log.gone(), log.cost.own()), (6, 3 * (ENTRY_COST + 1)));
        log.trim(at(10), usize::MAX);
        assert_eq!((log.position(), log.cost.own()), (9, 0));
    }
}
