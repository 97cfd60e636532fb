//! Which transport to try next.
//!
//! A transport counts as working when it has been of use, not when it opened: middleboxes like to accept a WebSocket and
//! to cut it a moment later.

use super::backoff::{Backoff, Random};
use crate::Timestamp;
use crate::engine::Transport;

/// Useless opens in a row after which a transport is passed over.
const USELESS_OPENS: u8 = 3;
/// A session that its transport cut within this many milliseconds was of no use.
pub(super) const PROOF: u64 = 5_000;
/// Milliseconds after which a WebSocket that could not be used gets another chance.
pub(super) const SECOND_CHANCE: u64 = 300_000;
/// Milliseconds beyond which the time to open does not grow.
const LONGEST_OPEN: u32 = 20_000;

/// How a session ended, as far as its transport is to blame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// No handshake came.
    NotOpened,
    /// It opened, and was cut before it had proved itself while that transport carried it.
    Useless(Transport),
    /// That transport carried it long enough, or is not to blame.
    Useful(Transport),
}

#[derive(Debug)]
pub(super) struct Choice {
    candidates: Vec<Candidate>,
    current: usize,
    /// Attempts since a session was of use.
    attempts: u32,
    /// Waits in a row. Going on to the next transport at once is no wait.
    waits: u32,
    random: Random,
}

#[derive(Debug)]
struct Candidate {
    transport: Transport,
    useless: u8,
    passed_over_until: Timestamp,
}

impl Choice {
    pub(super) fn new(transports: &[Transport], seed: u64) -> Self {
        let candidate = |transport: &Transport| Candidate {
            transport: *transport,
            useless: 0,
            passed_over_until: Timestamp::default(),
        };
        let candidates = transports.iter().map(candidate).collect();
        Self { candidates, current: 0, attempts: 0, waits: 0, random: Random::new(seed) }
    }

    /// The transport for the next attempt, and its number; `None` when there is no transport at all.
    pub(super) fn next(&mut self) -> Option<(Transport, u32)> {
        let transport = self.current()?;
        self.attempts = self.attempts.saturating_add(1);
        Some((transport, self.attempts))
    }

    /// Whether a polling session may change to a WebSocket: when it is listed, and is not passed over.
    pub(super) fn may_upgrade(&self, now: Timestamp) -> bool {
        let allowed = |candidate: &Candidate| {
            candidate.transport == Transport::WebSocket
                && (candidate.useless < USELESS_OPENS || candidate.passed_over_until <= now)
        };
        self.candidates.iter().any(allowed)
    }

    /// A session has ended. Whether to try the next transport at once instead of waiting.
    pub(super) fn ended(&mut self, now: Timestamp, verdict: Verdict) -> bool {
        match verdict {
            Verdict::Useful(transport) => {
                self.rest();
                self.praise(transport);
                false
            }
            Verdict::NotOpened => self.pass_over(),
            Verdict::Useless(transport) => {
                let Some(candidate) = self.candidate(transport) else {
                    return false;
                };
                candidate.useless = candidate.useless.saturating_add(1);
                if candidate.useless < USELESS_OPENS {
                    return false;
                }
                candidate.passed_over_until = now.after(SECOND_CHANCE);
                self.current() == Some(transport) && self.pass_over()
            }
        }
    }

    /// Milliseconds that the next attempt has to open: more after each wait, since the network may be that slow.
    pub(super) fn open_timeout(&self, first: u32) -> u32 {
        first.saturating_mul(self.waits.saturating_add(1)).min(LONGEST_OPEN.max(first))
    }

    /// The application, or the end of the page, has ended what was under way: attempts and waits are counted anew.
    pub(super) fn rest(&mut self) {
        (self.attempts, self.waits) = (0, 0);
    }

    /// In milliseconds, before the next attempt.
    pub(super) fn delay(&mut self, backoff: &Backoff) -> u64 {
        self.waits = self.waits.saturating_add(1);
        backoff.delay(self.waits, self.random.next())
    }

    fn current(&self) -> Option<Transport> {
        self.candidates.get(self.current).map(|candidate| candidate.transport)
    }

    /// A transport that has been of use is the first to be tried again, unless a worse one was.
    fn praise(&mut self, transport: Transport) {
        for (index, candidate) in self.candidates.iter_mut().enumerate() {
            if candidate.transport == transport {
                candidate.useless = 0;
                self.current = self.current.min(index);
            }
        }
    }

    fn candidate(&mut self, transport: Transport) -> Option<&mut Candidate> {
        self.candidates.iter_mut().find(|candidate| candidate.transport == transport)
    }

    /// Goes on to the next transport, if there is one. When all have failed, the server is away, and that tells nothing
    /// about transports: it begins anew.
    fn pass_over(&mut self) -> bool {
        self.current += 1;
        if self.current < self.candidates.len() {
            return true;
        }
        self.current = 0;
        for candidate in &mut self.candidates {
            candidate.useless = 0;
        }
        false
    }
}
