//! Which transport to try next.
//!
//! A transport counts as working when it has been of use, not when it opened: middleboxes like to accept a WebSocket and
//! to cut it a moment later. And what fails counts against a transport only when another one works meanwhile: else the
//! server is away.

use super::backoff::{Backoff, Random};
use super::{Config, PassedOver, Transport, Why};
use crate::Timestamp;

/// Useless opens in a row after which a transport is passed over.
const USELESS_OPENS: u8 = 3;
/// A session that its transport cut within this many milliseconds was of no use. Below the server's limit for an upgrade.
pub(super) const PROOF: u32 = 5_000;
/// Milliseconds after which a transport that was passed over gets another chance.
pub(super) const SECOND_CHANCE: u64 = 300_000;
/// Milliseconds beyond which the time to open does not grow.
const LONGEST_OPEN: u32 = 20_000;

/// How a session ended, as far as its transport is to blame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// No handshake came.
    NotOpened(Why),
    /// It opened, and ended before it had proved itself while that transport carried it.
    Useless(PassedOver),
    /// That transport carried it long enough, or is not to blame.
    Useful(Transport),
    /// The server has said that it does not want this client, whichever way it comes.
    Forbidden,
}

#[derive(Debug)]
pub(super) struct Choice {
    /// In the order in which they are tried.
    candidates: Vec<Candidate>,
    /// Where in them the transport of the last attempt is.
    current: usize,
    /// Attempts since a session was of use.
    attempts: u32,
    /// Waits in a row. Going on to the next transport at once is no wait.
    waits: u32,
    random: Random,
    /// What is to be remembered is not what it was.
    changed: bool,
}

#[derive(Debug)]
struct Candidate {
    transport: Transport,
    /// A session goes better over one of a lower rank: that of the list, but that any is left for a WebSocket if it may be.
    rank: usize,
    useless: u8,
    /// It has failed, and nothing has been of use since, nor has all failed.
    failed: bool,
    /// What last spoke against it.
    why: Why,
    /// It was passed over, and is only to be used before this when all others fail.
    until: Timestamp,
}

impl Choice {
    pub(super) fn new(config: &Config) -> Self {
        let mut candidates = Vec::new();
        for &transport in &config.transports {
            let upgrade = config.upgrade && transport == Transport::WebSocket;
            candidates.push(Candidate {
                transport,
                rank: if upgrade { 0 } else { candidates.len() + 1 },
                useless: 0,
                failed: false,
                why: Why::NotOpened,
                until: Timestamp::default(),
            });
        }
        let random = Random::new(config.seed);
        Self { candidates, current: 0, attempts: 0, waits: 0, random, changed: false }
    }

    /// The transport for the next attempt, and its number; `None` when there is no transport at all.
    pub(super) fn next(&mut self, now: Timestamp) -> Option<(Transport, u32)> {
        let mut next = None;
        for (index, candidate) in self.candidates.iter().enumerate() {
            if candidate.failed {
                continue;
            }
            if candidate.until <= now {
                next = Some(index);
                break;
            }
            next = next.or(Some(index));
        }
        self.current = next?;
        self.attempts = self.attempts.saturating_add(1);
        Some((self.current()?, self.attempts))
    }

    /// When a session that begins now may change to a WebSocket, if ever. One that only did not open may have lacked time.
    pub(super) fn upgrade_at(&self, now: Timestamp) -> Option<Timestamp> {
        let candidate = self.candidates.iter().find(|it| it.transport == Transport::WebSocket)?;
        let useless = candidate.failed && candidate.useless >= USELESS_OPENS;
        Some(if useless { now.after(SECOND_CHANCE) } else { candidate.until })
    }

    /// Whether a WebSocket has been of no use again and again, so that a session that works should not be left to it lightly.
    pub(super) fn doubts_websocket(&self) -> bool {
        self.candidates.iter().any(|it| it.transport == Transport::WebSocket && it.useless >= USELESS_OPENS)
    }

    /// A message has come over that transport. What better ones have failed to do since the last time is held against them.
    pub(super) fn carried(&mut self, now: Timestamp, transport: Transport) {
        let rank = self.rank(transport);
        for candidate in &mut self.candidates {
            if candidate.transport == transport {
                self.changed |= candidate.until != Timestamp::default();
                candidate.until = Timestamp::default();
            } else if candidate.failed && candidate.rank < rank {
                candidate.until = now.after(SECOND_CHANCE);
                self.changed = true;
            }
            candidate.failed = false;
        }
    }

    /// A session over long-polling has tried in vain to change to a WebSocket.
    pub(super) fn not_upgraded(&mut self, why: Why) {
        if let Some(candidate) = self.candidate(Transport::WebSocket) {
            (candidate.failed, candidate.why) = (true, why);
        }
    }

    /// A session has ended. Whether to try the next transport at once instead of waiting.
    pub(super) fn ended(&mut self, now: Timestamp, verdict: Verdict) -> bool {
        let (transport, why) = match verdict {
            Verdict::Useful(transport) => {
                self.rest();
                if let Some(candidate) = self.candidate(transport) {
                    candidate.useless = 0;
                }
                return false;
            }
            Verdict::Forbidden => {
                self.begin_anew();
                return false;
            }
            Verdict::NotOpened(why) => (self.current(), why),
            Verdict::Useless(PassedOver { transport, why }) => {
                let Some(candidate) = self.candidate(transport) else {
                    return false;
                };
                candidate.useless = candidate.useless.saturating_add(1);
                if candidate.useless < USELESS_OPENS {
                    return false;
                }
                if self.current() != Some(transport) {
                    // Another one has carried the session to the upgrade.
                    self.pass_over(now, transport, why);
                    return false;
                }
                (Some(transport), why)
            }
        };
        if let Some(candidate) = transport.and_then(|transport| self.candidate(transport)) {
            (candidate.failed, candidate.why) = (true, why);
        }
        let all_failed = self.candidates.iter().all(|candidate| candidate.failed);
        if all_failed {
            self.begin_anew();
        }
        !all_failed
    }

    /// What is passed over now, and for how many milliseconds.
    pub(super) fn passed_over(&self, now: Timestamp) -> impl Iterator<Item = (PassedOver, u64)> {
        self.candidates.iter().filter(move |candidate| candidate.until > now).map(move |candidate| {
            let Candidate { transport, why, until, .. } = *candidate;
            (PassedOver { transport, why }, until.since(now))
        })
    }

    /// Whether a session goes better over the first.
    pub(super) fn is_better(&self, one: Transport, than: Transport) -> bool {
        self.rank(one) < self.rank(than)
    }

    /// Whether that has changed since the last time.
    pub(super) fn take_changed(&mut self) -> bool {
        std::mem::take(&mut self.changed)
    }

    /// What an earlier client had passed over.
    pub(super) fn restore(&mut self, now: Timestamp, passed_over: PassedOver, left: u64) {
        if let Some(candidate) = self.candidate(passed_over.transport) {
            candidate.why = passed_over.why;
            if passed_over.why != Why::NotOpened {
                candidate.useless = USELESS_OPENS;
            }
            candidate.until = now.after(left.min(SECOND_CHANCE));
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

    /// A number by chance.
    pub(super) fn random(&mut self) -> u64 {
        self.random.next()
    }

    fn current(&self) -> Option<Transport> {
        self.candidates.get(self.current).map(|candidate| candidate.transport)
    }

    fn rank(&self, transport: Transport) -> usize {
        let candidate = self.candidates.iter().find(|candidate| candidate.transport == transport);
        candidate.map_or(usize::MAX, |candidate| candidate.rank)
    }

    fn candidate(&mut self, transport: Transport) -> Option<&mut Candidate> {
        self.candidates.iter_mut().find(|candidate| candidate.transport == transport)
    }

    fn pass_over(&mut self, now: Timestamp, transport: Transport, why: Why) {
        if let Some(candidate) = self.candidate(transport) {
            (candidate.why, candidate.until) = (why, now.after(SECOND_CHANCE));
            self.changed = true;
        }
    }

    /// When all have failed, the server is away, and that tells nothing about transports.
    fn begin_anew(&mut self) {
        for candidate in &mut self.candidates {
            candidate.failed = false;
            // What was known of it before stays known.
            if candidate.until == Timestamp::default() {
                candidate.useless = 0;
            }
        }
    }
}
