//! What was sent in a namespace, in order, as long as somebody may have missed it.
//!
//! Owns positions and what each entry was and for whom. Bounded in time and bytes. Knows no session and no clock.

use super::share::Share;
use encke_protocol::Timestamp;
use std::collections::VecDeque;

/// What an entry costs beside its bytes.
const ENTRY_COST: usize = 128;
/// What a name in an audience costs beside its bytes.
const NAME_COST: usize = 16;

/// For whom an entry is, among those who are in the namespace when it is sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Audience {
    /// The socket of that id.
    One(u128),
    Many {
        /// None: everybody.
        among: Option<Group>,
        except: Group,
        /// Only those who are connected to this server.
        server: Option<u32>,
    },
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
            Self::Many { among, except, .. } => except.cost() + among.as_ref().map_or(0, Group::cost),
        }
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
        let entry = Entry { at, audience, bytes };
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

    /// What stands behind `position`, each with its own.
    pub(crate) fn since(&self, position: u64) -> impl Iterator<Item = (u64, &Audience, &[u8])> {
        let skipped = usize::try_from(position.saturating_sub(self.gone)).unwrap_or(usize::MAX);
        let entries = self.entries.range(skipped.min(self.entries.len())..);
        let first = self.gone + 1 + skipped as u64;
        (first..).zip(entries).map(|(position, entry)| (position, &entry.audience, &*entry.bytes))
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
        let entries = log.since(since).inspect(|(position, _, bytes)| assert_eq!(**bytes, [*position as u8]));
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
