//! What all namespaces of a backplane hold together, so that it is bounded however many names clients choose.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

#[derive(Clone, Debug, Default)]
pub(crate) struct Totals {
    /// Of events.
    pub(super) bytes: Arc<AtomicUsize>,
    /// Clients who may come back.
    pub(super) parked: Arc<AtomicUsize>,
}

/// What one of them holds of it; nothing once it is dropped.
#[derive(Debug, Default)]
pub(super) struct Share {
    total: Arc<AtomicUsize>,
    own: usize,
}

impl Share {
    pub(super) fn of(total: &Arc<AtomicUsize>) -> Self {
        Self { total: total.clone(), own: 0 }
    }

    /// Whether all hold more than `max` together, and this one more than its part of that: so one that holds much leaves
    /// something for the others.
    pub(super) fn exceeds(&self, max: usize) -> bool {
        self.total.load(Ordering::Relaxed) > max && self.own > max / Arc::strong_count(&self.total)
    }

    /// Holds so much from now on.
    pub(super) fn set(&mut self, own: usize) {
        self.total.fetch_add(own, Ordering::Relaxed);
        self.total.fetch_sub(self.own, Ordering::Relaxed);
        self.own = own;
    }

    pub(super) fn own(&self) -> usize {
        self.own
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        self.set(0);
    }
}
