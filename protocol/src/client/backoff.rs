//! How long to wait between two attempts.

/// Delays that double from `min` to `max` milliseconds, each with a random part.
#[derive(Clone, Copy, Debug)]
pub struct Backoff {
    /// The first delay.
    pub min: u32,
    /// The longest delay, before its random part.
    pub max: u32,
    /// How far a delay may be off, in percent: 50 makes 1,000 ms anything from 500 to 1,500 ms.
    pub jitter: u32,
}

impl Default for Backoff {
    /// The reference client's: 1 s to 5 s, 50 %.
    fn default() -> Self {
        Self { min: 1_000, max: 5_000, jitter: 50 }
    }
}

impl Backoff {
    /// The delay before the attempt that follows `failures` failed ones, in milliseconds.
    pub fn delay(&self, failures: u32, random: u64) -> u64 {
        let doubled = u64::from(self.min) << failures.saturating_sub(1).min(16);
        let delay = doubled.min(u64::from(self.max));
        let spread = delay * u64::from(self.jitter.min(100)) / 100;
        delay - spread + random % (2 * spread + 1)
    }
}

/// SplitMix64: small, and random enough to spread clients.
#[derive(Clone, Debug)]
pub(super) struct Random(u64);

impl Random {
    pub(super) fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub(super) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ mixed >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ mixed >> 31
    }
}
