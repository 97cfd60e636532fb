//! Which messages are on the way: when each was due, and how many have not got it yet.
//!
//! The number is all that travels; what is known of it is kept here. Messages are numbered from 1 on.

use crate::clock::Nanos;
use crate::measure::Delays;

/// So many messages are remembered where none waits for another.
pub(crate) const REMEMBERED: usize = 65_536;

#[derive(Clone, Copy, Default)]
struct Slot {
    number: u32,
    /// Recipients that have not got it.
    left: u32,
    due: Nanos,
}

/// All messages of a run. What is remembered of the last ones is bounded; older ones are counted when they come, but nobody
/// knows how long they took.
pub(crate) struct Ledger {
    /// A ring, as long as a power of two.
    slots: Vec<Slot>,
    /// The number of the newest message.
    newest: u32,
    /// The oldest one that not everybody has.
    oldest: u32,
    /// How many may be on the way; as many as one likes if there is none.
    window: Option<u32>,
    expected: u64,
    delivered: u64,
    /// From the time when a message was due until it was read.
    pub(crate) delays: Delays,
}

impl Ledger {
    /// With a window, as many messages are kept on the way as it says.
    pub(crate) fn new(window: Option<u32>) -> Self {
        let length = window.map_or(REMEMBERED, |window| (window as usize * 2).next_power_of_two());
        let slots = vec![Slot::default(); length];
        Self { slots, newest: 0, oldest: 1, window, expected: 0, delivered: 0, delays: Delays::new() }
    }

    /// Whether there is room in the window.
    pub(crate) fn has_room(&self) -> bool {
        self.window.is_some_and(|window| self.newest + 1 - self.oldest < window)
    }

    /// From now on there is no room.
    pub(crate) fn close(&mut self) {
        self.window = None;
    }

    /// A message to so many people, which was due at that time; its number.
    pub(crate) fn send(&mut self, due: Nanos, recipients: usize) -> u32 {
        self.newest += 1;
        self.expected += recipients as u64;
        let left = u32::try_from(recipients).expect("there are fewer clients than ports and addresses");
        *self.slot(self.newest) = Slot { number: self.newest, left, due };
        self.newest
    }

    /// Somebody got a message. Says whether there is room now that was not there before.
    pub(crate) fn deliver(&mut self, number: u32, now: Nanos) -> bool {
        self.delivered += 1;
        let slot = self.slot(number);
        if slot.number != number || slot.left == 0 {
            return false;
        }
        slot.left -= 1;
        let (left, due) = (slot.left, slot.due);
        self.delays.record(due, now);
        left == 0 && number == self.oldest && self.advance()
    }

    fn advance(&mut self) -> bool {
        while self.oldest <= self.newest && self.slot(self.oldest).left == 0 {
            self.oldest += 1;
        }
        self.has_room()
    }

    fn slot(&mut self, number: u32) -> &mut Slot {
        let mask = self.slots.len() - 1;
        &mut self.slots[number as usize & mask]
    }

    /// Waits no longer for what is on the way.
    pub(crate) fn forget(&mut self) {
        self.oldest = self.newest + 1;
    }

    /// How many messages there were.
    pub(crate) fn sent(&self) -> u32 {
        self.newest
    }

    pub(crate) fn delivered(&self) -> u64 {
        self.delivered
    }

    /// Deliveries that have not been made. Negative if there were more than there should be.
    pub(crate) fn missing(&self) -> i64 {
        self.expected.cast_signed() - self.delivered.cast_signed()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::measure::Window;

    #[test]
    fn there_is_room_again_when_everybody_has_the_oldest() {
        let mut ledger = Ledger::new(Some(2));
        assert_eq!((ledger.send(0, 2), ledger.has_room()), (1, true));
        assert_eq!((ledger.send(0, 1), ledger.has_room()), (2, false));
        assert!(!ledger.deliver(2, 1), "the oldest is still on the way");
        assert!(!ledger.deliver(1, 1));
        assert!(ledger.deliver(1, 1));
        assert_eq!(ledger.missing(), 0);
        ledger.close();
        assert!(!ledger.has_room());
    }

    #[test]
    fn what_is_no_longer_remembered_is_counted_and_no_delay_is_made_up() {
        let mut ledger = Ledger::new(Some(1));
        ledger.delays.of(Window { begin: 0, end: 3 });
        for due in 0..3 {
            ledger.forget();
            ledger.send(due, 1);
        }
        ledger.deliver(1, 100);
        assert_eq!((ledger.delivered(), ledger.missing(), ledger.delays.times().len()), (1, 2, 0));
        ledger.deliver(3, 100);
        assert_eq!((ledger.missing(), ledger.delays.times().max()), (1, 98));
    }

    #[test]
    fn a_delay_counts_if_the_message_was_due_while_it_was_measured() {
        let mut ledger = Ledger::new(None);
        ledger.delays.of(Window { begin: 10, end: 20 });
        for due in [9, 10, 19, 20] {
            let number = ledger.send(due, 1);
            ledger.deliver(number, 1_000);
        }
        let times = ledger.delays.times();
        assert_eq!((times.len(), times.min(), times.max()), (2, 981, 990));
    }
}
