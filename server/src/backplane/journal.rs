//! The log of one namespace and the sessions that may ask for it: those that are connected, and those that are parked,
//! whose connection has ended and may come back.
//!
//! Owns the decision whether a client that comes back can be given exactly what it missed. That is so when everything
//! behind the last it has is still in the log, and it is known of each entry whether it was for this session. Time and
//! chance are arguments. What a session is made of, `S`, is not looked at.

use super::Recovery;
use super::log::{Audience, Log};
use super::presence::Presence;
use super::share::{Share, Totals};
use encke_protocol::Timestamp;
use encke_protocol::socket::{Comeback, Offset, Since};
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

#[derive(Debug)]
pub(crate) struct Journal<S> {
    epoch: u64,
    recovery: Recovery,
    /// Milliseconds for which an entry may be asked for.
    retention: u64,
    log: Log,
    /// By their private ids.
    sessions: HashMap<u128, Session<S>>,
    /// Those that are away, by when they expire.
    expiries: BTreeMap<Expiry, u128>,
    /// How many those are.
    parked: Share,
    /// How many times a session was parked, claimed or released.
    changes: u64,
}

#[derive(Debug)]
struct Session<S> {
    presence: Presence,
    /// Up to this position the client has received everything, as its heartbeat has proved.
    settled: u64,
    socket: S,
    /// None while it is connected.
    absence: Option<Absence>,
}

#[derive(Clone, Copy, Debug)]
struct Absence {
    /// So long its client may come back.
    until: Timestamp,
    /// Later than that while somebody who has come back is being admitted.
    expiry: Expiry,
}

/// When an absence is over. The number is that of no other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Expiry {
    at: Timestamp,
    number: u64,
}

/// What is to become of a client that has come back.
#[derive(Debug)]
pub(crate) enum Return<S> {
    /// Nothing is known of it.
    Unknown,
    /// Its old connection has not ended yet: it has to be, then this is asked again.
    Live(S),
    /// It cannot be told what it missed. Its session, which was this, is over.
    Lost(S),
    /// It may go on with this session, once it is admitted.
    Found(S, Claim),
}

/// The right to go on with a session.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Claim {
    pid: u128,
    /// The session's, as long as nobody else claims it.
    expiry: Expiry,
    since: Since,
}

/// What a client that goes on has missed.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Missed {
    /// Whole frames, in order.
    pub(crate) bytes: Vec<u8>,
    /// The rooms it is in.
    pub(crate) rooms: Vec<Arc<str>>,
}

impl<S: Clone + PartialEq> Journal<S> {
    /// Keeps nothing until it is told what to keep.
    pub(crate) fn new(epoch: u64, totals: &Totals) -> Self {
        Self {
            epoch: epoch & ((1 << Offset::EPOCH_BITS) - 1),
            retention: 0,
            recovery: Recovery::NONE,
            log: Log::new(Share::of(&totals.bytes)),
            sessions: HashMap::new(),
            expiries: BTreeMap::new(),
            parked: Share::of(&totals.parked),
            changes: 0,
        }
    }

    /// Keeps at least what `recovery` asks for; the end of a connection may be `unnoticed` for so many milliseconds.
    pub(crate) fn widen(&mut self, recovery: &Recovery, unnoticed: u64) {
        self.recovery = self.recovery.widest(recovery);
        self.retention = self.retention.max(unnoticed.saturating_add(self.recovery.window_millis()));
    }

    /// The position of the last entry.
    pub(crate) fn position(&self) -> u64 {
        self.log.position()
    }

    /// The last entry, as clients are told.
    pub(crate) fn last(&self) -> Offset {
        Offset { epoch: self.epoch, position: self.position() }
    }

    /// The entry that will be added next, as clients are told.
    pub(crate) fn next(&self) -> Offset {
        Offset { epoch: self.epoch, position: self.position() + 1 }
    }

    /// Adds an entry, for whoever is there now; `make` says for whom, and gives its frames.
    pub(crate) fn append(&mut self, now: Timestamp, make: impl FnOnce() -> (Audience, Box<[u8]>)) {
        if self.sessions.is_empty() {
            return self.log.skip();
        }
        let (audience, bytes) = make();
        self.log.append(now, audience, bytes);
        self.trim(now);
    }

    fn trim(&mut self, now: Timestamp) {
        let before = Timestamp::from_millis(now.as_millis().saturating_sub(self.retention));
        self.log.trim(before, self.recovery.max_bytes);
    }

    /// A client enters.
    pub(crate) fn begin(&mut self, pid: u128, sid: u128, server: u32, socket: S) {
        let presence = Presence::new(sid, server, self.log.position());
        let session = Session { presence, settled: 0, socket, absence: None };
        self.sessions.insert(pid, session);
    }

    /// The socket that a session has, or had before it was parked; whether it is connected.
    pub(crate) fn find(&self, pid: u128) -> Option<(&S, bool)> {
        self.sessions.get(&pid).map(|session| (&session.socket, session.absence.is_none()))
    }

    /// Those who are away and for whom the next entry would be.
    pub(crate) fn away(&self, audience: &Audience) -> impl Iterator<Item = &S> {
        let next = self.position() + 1;
        let away = self.expiries.values().filter_map(|pid| self.sessions.get(pid));
        away.filter(move |session| session.presence.concerns(next, audience)).map(|session| &session.socket)
    }

    pub(crate) fn join(&mut self, pid: u128, room: &str) {
        let position = self.log.position();
        if let Some(session) = self.sessions.get_mut(&pid) {
            session.presence.join(room, position);
        }
    }

    /// Nothing up to `settled` will be asked for again.
    pub(crate) fn leave(&mut self, pid: u128, room: &str, settled: u64) {
        let position = self.log.position();
        if let Some(session) = self.sessions.get_mut(&pid) {
            session.presence.leave(room, position, settled.max(session.settled).max(self.log.gone()));
        }
    }

    /// The connection of a session has ended, if it still has this socket; up to `settled` its client has received
    /// everything. Who has to go for it, when there are too many, is over.
    pub(crate) fn park(&mut self, now: Timestamp, pid: u128, socket: &S, settled: u64) -> Option<S> {
        let session = self.sessions.get_mut(&pid)?;
        if session.absence.is_some() || session.socket != *socket {
            return None;
        }
        session.settled = session.settled.max(settled);
        let until = now.after(self.recovery.window_millis());
        self.await_expiry(pid, until, until);
        if self.parked.exceeds(self.recovery.max_parked) { self.expire_next() } else { None }
    }

    /// The session is away and expires at `at`; its client may come back `until` then.
    fn await_expiry(&mut self, pid: u128, until: Timestamp, at: Timestamp) -> Option<Expiry> {
        let session = self.sessions.get_mut(&pid)?;
        self.changes += 1;
        let expiry = Expiry { at, number: self.changes };
        if let Some(before) = session.absence.replace(Absence { until, expiry }) {
            self.expiries.remove(&before.expiry);
        }
        self.expiries.insert(expiry, pid);
        self.parked.set(self.expiries.len());
        Some(expiry)
    }

    /// A session is over, if it still has this socket.
    pub(crate) fn end(&mut self, pid: u128, socket: &S) -> Option<S> {
        let session = self.sessions.get(&pid)?;
        if session.socket == *socket { self.remove(pid) } else { None }
    }

    fn remove(&mut self, pid: u128) -> Option<S> {
        let session = self.sessions.remove(&pid)?;
        if let Some(absence) = session.absence {
            self.expiries.remove(&absence.expiry);
            self.parked.set(self.expiries.len());
        }
        Some(session.socket)
    }

    /// A session whose time is over; call until none.
    pub(crate) fn expire(&mut self, now: Timestamp) -> Option<S> {
        self.trim(now);
        let (next, _) = self.expiries.first_key_value()?;
        if next.at <= now || self.parked.exceeds(self.recovery.max_parked) {
            self.expire_next()
        } else {
            None
        }
    }

    fn expire_next(&mut self) -> Option<S> {
        let (_, pid) = self.expiries.pop_first()?;
        self.remove(pid)
    }

    /// A client has come back for the session `pid`. How much it has missed is not looked at yet.
    pub(crate) fn claim(&mut self, pid: u128, comeback: &Comeback<'_>) -> Return<S> {
        let Some(session) = self.sessions.get(&pid) else { return Return::Unknown };
        let Some(absence) = session.absence else { return Return::Live(session.socket.clone()) };
        let socket = session.socket.clone();
        if self.received(session, comeback.since).is_none() {
            return self.remove(pid).map_or(Return::Unknown, Return::Lost);
        }
        // Whoever claimed it before has lost its connection meanwhile. Nobody claims it for ever: what decides about that
        // may never come to an end.
        let at = absence.until.after(self.recovery.window_millis());
        match self.await_expiry(pid, absence.until, at) {
            Some(expiry) => Return::Found(socket, Claim { pid, expiry, since: comeback.since }),
            None => Return::Unknown,
        }
    }

    /// What who claims a session has missed. Else it is not its claim any more, or it cannot be told what it missed, or that
    /// is more than `limit` bytes: then the session, which was this, is over.
    pub(crate) fn redeem(&mut self, claim: &Claim, limit: usize) -> Result<Missed, Option<S>> {
        let session = self.sessions.get(&claim.pid).filter(|session| claim.holds(session)).ok_or(None)?;
        self.missed(session, claim.since, limit).ok_or_else(|| self.remove(claim.pid))
    }

    /// Who claims a session goes on with it; gives back the socket it had.
    pub(crate) fn resume(&mut self, claim: &Claim, server: u32, socket: S) -> Option<S> {
        let position = self.log.position();
        let session = self.sessions.get_mut(&claim.pid).filter(|session| claim.holds(session))?;
        session.presence.move_to(server, position, session.settled.max(self.log.gone()));
        session.absence = None;
        self.expiries.remove(&claim.expiry);
        self.parked.set(self.expiries.len());
        Some(std::mem::replace(&mut session.socket, socket))
    }

    /// Who claims a session does not go on with it: it waits for its client again, for no longer than before.
    pub(crate) fn release(&mut self, claim: &Claim) {
        let session = self.sessions.get(&claim.pid).filter(|session| claim.holds(session));
        if let Some(absence) = session.and_then(|session| session.absence) {
            self.await_expiry(claim.pid, absence.until, absence.until);
        }
    }

    /// Up to which position a client has received everything. None when nobody can tell, or what came behind it.
    fn received(&self, session: &Session<S>, since: Since) -> Option<u64> {
        let received = match since {
            Since::Start => 0,
            // Of a server before this, or of a session before this one: it has received nothing of this one.
            Since::Offset(offset) if offset.epoch != self.epoch => 0,
            Since::Offset(offset) => Some(offset.position).filter(|at| *at <= self.log.position())?,
            Since::Unknown => return None,
        };
        let received = received.max(session.presence.start()).max(session.settled);
        (received >= self.log.gone() && session.presence.knows_since(received)).then_some(received)
    }

    /// What a client has missed.
    fn missed(&self, session: &Session<S>, since: Since, limit: usize) -> Option<Missed> {
        let mut missed = Missed::default();
        for (position, audience, bytes) in
            self.log.since(self.received(session, since)?, session.presence.mask())
        {
            if session.presence.concerns(position, audience) {
                missed.bytes.extend_from_slice(bytes);
            }
            if missed.bytes.len() > limit {
                return None;
            }
        }
        missed.rooms.extend(session.presence.rooms().cloned());
        Some(missed)
    }
}

impl Claim {
    fn holds<S>(&self, session: &Session<S>) -> bool {
        session.absence.is_some_and(|absence| absence.expiry == self.expiry)
    }
}

#[cfg(test)]
mod tests;
