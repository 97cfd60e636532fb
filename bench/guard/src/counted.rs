//! The one function that callgrind collects in.

use std::hint::black_box;

/// Plays what counts: whatever this thread does before this call returns. What other threads do does not count.
///
/// `xtask` knows this function by its path.
#[inline(never)]
pub fn counted(work: &mut dyn FnMut()) {
    work();
    // Else the call would be a jump, and the function left before its work has begun.
    black_box(());
}

/// Counts `times` times `operation`, which has been done once before.
pub fn repeated(times: u64, mut operation: impl FnMut()) -> u64 {
    operation();
    counted(&mut || (0..times).for_each(|_| operation()));
    times
}
