//! Counts of what has travelled.

use std::ops::Sub;

/// What has travelled.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Traffic {
    /// Requests, upgrades included.
    pub(crate) requests: u64,
    /// Reads that brought something.
    pub(crate) reads: u64,
    pub(crate) read_bytes: u64,
    pub(crate) writes: u64,
    pub(crate) written_bytes: u64,
}

impl Sub for Traffic {
    type Output = Self;

    fn sub(self, before: Self) -> Self {
        Self {
            requests: self.requests - before.requests,
            reads: self.reads - before.reads,
            read_bytes: self.read_bytes - before.read_bytes,
            writes: self.writes - before.writes,
            written_bytes: self.written_bytes - before.written_bytes,
        }
    }
}
