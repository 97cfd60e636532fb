//! One timer for all sessions: a wheel of buckets, each for one tick.
//!
//! Owns entries of (slot, generation) and knows only numbers: time is an argument, and whether an entry still means
//! something is asked of the session when it comes up. A session keeps one live entry, its earliest; it may leave stale
//! ones behind, which come up once and are ignored.

use encke_protocol::Timestamp;

/// Buckets; later entries lie in the same buckets and wait for their round.
const BUCKETS: usize = 64;
/// Bounds of a tick, in milliseconds.
const FINEST: u64 = 10;
const COARSEST: u64 = 1_000;
/// Ticks in the shortest time that is measured.
const TICKS: u64 = 20;

/// A session that may be due.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Entry {
    pub(crate) slot: u32,
    pub(crate) generation: u32,
}

#[derive(Debug)]
pub(crate) struct Wheel {
    /// Milliseconds a tick.
    tick: u64,
    /// The last tick that was handed out.
    done: u64,
    buckets: Vec<Vec<(u64, Entry)>>,
}

impl Wheel {
    /// A wheel for times down to `shortest` milliseconds, which it measures to a twentieth (within 10 ms to 1 s).
    pub(crate) fn new(shortest: u32) -> Self {
        let tick = (u64::from(shortest) / TICKS).clamp(FINEST, COARSEST);
        Self { tick, done: 0, buckets: vec![Vec::new(); BUCKETS] }
    }

    /// Milliseconds between two calls of [`Self::advance`].
    pub(crate) fn tick(&self) -> u64 {
        self.tick
    }

    /// Has `entry` come up at the first tick not before `at`.
    pub(crate) fn schedule(&mut self, at: Timestamp, entry: Entry) {
        let tick = at.as_millis().div_ceil(self.tick).max(self.done + 1);
        self.buckets[tick as usize % BUCKETS].push((tick, entry));
    }

    /// Takes out everything that is due at `now`.
    pub(crate) fn advance(&mut self, now: Timestamp, due: &mut Vec<Entry>) {
        let now = now.as_millis() / self.tick;
        // After a long sleep of the machine one round over all buckets is enough.
        let first = (self.done + 1).max((now + 1).saturating_sub(BUCKETS as u64));
        for tick in first..=now {
            let bucket = &mut self.buckets[tick as usize % BUCKETS];
            bucket.retain(|(at, entry)| {
                let waits = *at > now;
                if !waits {
                    due.push(*entry);
                }
                waits
            });
            if bucket.is_empty() {
                *bucket = Vec::new();
            }
        }
        self.done = self.done.max(now);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NONE: [u32; 0] = [];

    fn at(millis: u64) -> Timestamp {
        Timestamp::from_millis(millis)
    }

    fn entry(slot: u32) -> Entry {
        Entry { slot, generation: 0 }
    }

    fn due(wheel: &mut Wheel, now: u64) -> Vec<u32> {
        let mut due = Vec::new();
        wheel.advance(at(now), &mut due);
        due.iter().map(|entry| entry.slot).collect()
    }

    #[test]
    fn the_tick_follows_the_shortest_time() {
        for (shortest, tick) in [(25_000, 1_000), (20_000, 1_000), (300, 15), (200, 10), (1, 10)] {
            assert_eq!(Wheel::new(shortest).tick(), tick, "{shortest}");
        }
    }

    #[test]
    fn an_entry_comes_up_once_and_never_early() {
        let mut wheel = Wheel::new(200);
        wheel.schedule(at(25), entry(1));
        wheel.schedule(at(30), entry(2));
        wheel.schedule(at(31), entry(3));
        assert_eq!(due(&mut wheel, 29), NONE);
        assert_eq!(due(&mut wheel, 30), [1, 2]);
        assert_eq!(due(&mut wheel, 39), NONE);
        assert_eq!(due(&mut wheel, 40), [3]);
        assert_eq!(due(&mut wheel, 10_000), NONE);
    }

    #[test]
    fn an_entry_far_away_waits_for_its_round() {
        let mut wheel = Wheel::new(200);
        wheel.schedule(at(10 + 10 * BUCKETS as u64), entry(1));
        wheel.schedule(at(10), entry(2));
        assert_eq!(due(&mut wheel, 10), [2]);
        assert_eq!(due(&mut wheel, 9 + 10 * BUCKETS as u64), NONE);
        assert_eq!(due(&mut wheel, 10 + 10 * BUCKETS as u64), [1]);
    }

    #[test]
    fn a_time_that_has_passed_comes_up_at_the_next_tick() {
        let mut wheel = Wheel::new(200);
        assert_eq!(due(&mut wheel, 500), NONE);
        wheel.schedule(at(100), entry(1));
        assert_eq!(due(&mut wheel, 510), [1]);
    }

    #[test]
    fn after_a_long_sleep_everything_that_is_due_comes_up() {
        let mut wheel = Wheel::new(200);
        for slot in 0..200 {
            wheel.schedule(at(u64::from(slot) * 10), entry(slot));
        }
        wheel.schedule(at(1_000_010), entry(999));
        assert_eq!(due(&mut wheel, 1_000_000).len(), 200);
        assert_eq!(due(&mut wheel, 1_000_010), [999]);
    }
}
