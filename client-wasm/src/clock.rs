//! The driver's clock: milliseconds since its start.

use encke_protocol::Timestamp;
use std::cell::Cell;

/// Reads the wall clock, because `performance.now()` stands still in some browsers while the machine sleeps, and the
/// server does not. When somebody sets the wall clock back, this one goes on from where it was.
pub(crate) struct Clock {
    /// `Date.now()` when it was last read.
    seen: Cell<f64>,
    /// Milliseconds since the start, then.
    elapsed: Cell<f64>,
}

impl Clock {
    /// A clock that starts now.
    pub(crate) fn start() -> Self {
        Self { seen: Cell::new(js_sys::Date::now()), elapsed: Cell::new(0.0) }
    }

    /// The time now.
    pub(crate) fn now(&self) -> Timestamp {
        let now = js_sys::Date::now();
        let passed = now - self.seen.replace(now);
        if passed > 0.0 {
            self.elapsed.set(self.elapsed.get() + passed);
        }
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "starts at 0 and only grows"
        )]
        Timestamp::from_millis(self.elapsed.get() as u64)
    }
}
