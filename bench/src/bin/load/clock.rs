//! The time of everything here: nanoseconds of one clock that never goes back.

use rustix::time::{ClockId, Timespec, clock_gettime};

/// Nanoseconds, since some moment before the program began, or as a length.
pub(crate) type Nanos = u64;

/// A second.
pub(crate) const SECOND: Nanos = 1_000_000_000;
/// A millisecond.
pub(crate) const MILLISECOND: Nanos = 1_000_000;

/// The time now.
pub(crate) fn now() -> Nanos {
    nanos(clock_gettime(ClockId::Monotonic))
}

/// CPU time this program has used so far, in seconds.
pub(crate) fn own_cpu() -> f64 {
    in_seconds(nanos(clock_gettime(ClockId::ProcessCPUTime)))
}

/// A length in seconds as nanoseconds; nothing if it is negative.
pub(crate) fn seconds(length: f64) -> Nanos {
    (length * SECOND as f64) as Nanos
}

/// The other way round.
pub(crate) fn in_seconds(length: Nanos) -> f64 {
    length as f64 / SECOND as f64
}

fn nanos(time: Timespec) -> Nanos {
    time.tv_sec.cast_unsigned() * SECOND + time.tv_nsec.cast_unsigned()
}
