//! The log of one namespace and the sessions that may ask for it: those that are connected, and those that are parked,
//! whose connection has ended and may come back.
//!
//! Owns the decision whether a client that comes back can be given exactly what it missed. That is so when everything
//! behind the last it has is still in the log, and it is known of each entry whether it was for this session. Time and
//! chance are arguments. What a session is made of, `S`, is not looked at.

use super::Recovery;
use super::log::{Audience, Log};
use super::presence::Presence;
use encke_protocol::Timestamp;
use encke_protocol::socket::{Comeback, Offset, Since};
use std::collections::{HashMap, VecDeque};
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
    /// When parked sessions expire, the next one first. An entry whose session is not parked any more means nothing.
    expiries: VecDeque<Expiry>,
    /// How many times a session was parked or claimed.
    changes: u64,
    parked: usize,
}

#[derive(Debug)]
struct Session<S> {
    presence: Presence,
    /// Up to this position the client has received everything, as its heartbeat has proved.
    settled: u64,
    socket: S,
    state: State,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Live,
    /// Its connection has ended.
    Parked(Parking),
    /// Somebody has come back for it and is being admitted; it does not expire meanwhile.
    Claimed(Parking, u64),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Parking {
    number: u64,
    until: Timestamp,
}

#[derive(Clone, Copy, Debug)]
struct Expiry {
    pid: u128,
    parking: Parking,
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
    claim: u64,
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
    pub(crate) fn new(epoch: u64) -> Self {
        Self {
            epoch: epoch & ((1 << Offset::EPOCH_BITS) - 1),
            retention: 0,
            recovery: Recovery::NONE,
            log: Log::default(),
            sessions: HashMap::new(),
            expiries: VecDeque::new(),
            changes: 0,
            parked: 0,
        }
    }

    /// Keeps at least what `recovery` asks for; the end of a connection may be `unnoticed` for so many milliseconds.
    pub(crate) fn widen(&mut self, recovery: &Recovery, unnoticed: u64) {
        self.recovery = self.recovery.widest(recovery);
        self.retention = self.retention.max(unnoticed.saturating_add(self.recovery.window_millis()));
    }

    /// Whether nobody is there, and nobody may come back.
    pub(crate) fn is_empty(&self) -> bool {
        self.sessions.is_empty()
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
        let session = Session { presence, settled: 0, socket, state: State::Live };
        self.sessions.insert(pid, session);
    }

    /// The socket that a session has, or had before it was parked; whether it is connected.
    pub(crate) fn find(&self, pid: u128) -> Option<(&S, bool)> {
        self.sessions.get(&pid).map(|session| (&session.socket, session.state == State::Live))
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
        self.changes += 1;
        let parking = Parking { number: self.changes, until: now.after(self.recovery.window_millis()) };
        let session = self.sessions.get_mut(&pid)?;
        if session.state != State::Live || session.socket != *socket {
            return None;
        }
        session.settled = session.settled.max(settled);
        session.state = State::Parked(parking);
        self.parked += 1;
        self.await_expiry(Expiry { pid, parking });
        if self.expiries.len() > 2 * self.parked + 16 {
            let sessions = &self.sessions;
            self.expiries.retain(|expiry| is_parked(sessions, expiry));
        }
        if self.parked > self.recovery.max_parked { self.expire_next() } else { None }
    }

    fn await_expiry(&mut self, expiry: Expiry) {
        let index = self.expiries.partition_point(|other| other.parking.until <= expiry.parking.until);
        self.expiries.insert(index, expiry);
    }

    /// A session is over, if it still has this socket.
    pub(crate) fn end(&mut self, pid: u128, socket: &S) -> Option<S> {
        let session = self.sessions.get(&pid)?;
        if session.socket == *socket { self.remove(pid) } else { None }
    }

    fn remove(&mut self, pid: u128) -> Option<S> {
        let session = self.sessions.remove(&pid)?;
        if session.state != State::Live {
            self.parked -= 1;
        }
        Some(session.socket)
    }

    /// A session whose time is over; call until none.
    pub(crate) fn expire(&mut self, now: Timestamp) -> Option<S> {
        self.trim(now);
        let sessions = &self.sessions;
        while let Some(next) = self.expiries.front() {
            if is_parked(sessions, next) {
                return if next.parking.until <= now { self.expire_next() } else { None };
            }
            self.expiries.pop_front();
        }
        self.expiries = VecDeque::new();
        None
    }

    fn expire_next(&mut self) -> Option<S> {
        loop {
            let next = self.expiries.pop_front()?;
            if is_parked(&self.sessions, &next) {
                return self.remove(next.pid);
            }
        }
    }

    /// A client has come back for the session `pid`. `limit`: bytes it may be sent at once.
    pub(crate) fn claim(&mut self, pid: u128, comeback: &Comeback<'_>, limit: usize) -> Return<S> {
        let Some(session) = self.sessions.get(&pid) else { return Return::Unknown };
        let parking = match session.state {
            State::Live => return Return::Live(session.socket.clone()),
            State::Parked(parking) | State::Claimed(parking, _) => parking,
        };
        let missed = self.missed(session, comeback.since);
        if missed.is_none_or(|missed| missed.map(<[u8]>::len).sum::<usize>() > limit) {
            return self.remove(pid).map_or(Return::Unknown, Return::Lost);
        }
        self.changes += 1;
        let claim = self.changes;
        let Some(session) = self.sessions.get_mut(&pid) else { return Return::Unknown };
        // Whoever claimed it before has lost its connection meanwhile.
        session.state = State::Claimed(parking, claim);
        Return::Found(session.socket.clone(), Claim { pid, claim, since: comeback.since })
    }

    /// What who claims a session has missed. None: it has come to nothing meanwhile.
    pub(crate) fn redeem(&self, claim: &Claim, limit: usize) -> Option<Missed> {
        let session = self.sessions.get(&claim.pid)?;
        if !claim.holds(session.state) {
            return None;
        }
        let mut bytes = Vec::new();
        for missed in self.missed(session, claim.since)? {
            bytes.extend_from_slice(missed);
            if bytes.len() > limit {
                return None;
            }
        }
        Some(Missed { bytes, rooms: session.presence.rooms().cloned().collect() })
    }

    /// Who claims a session goes on with it; gives back the socket it had.
    pub(crate) fn resume(&mut self, claim: &Claim, server: u32, socket: S) -> Option<S> {
        let position = self.log.position();
        let session = self.sessions.get_mut(&claim.pid)?;
        if !claim.holds(session.state) {
            return None;
        }
        session.presence.move_to(server, position, session.settled.max(self.log.gone()));
        session.state = State::Live;
        self.parked -= 1;
        Some(std::mem::replace(&mut session.socket, socket))
    }

    /// Who claims a session does not go on with it: it waits for its client again.
    pub(crate) fn release(&mut self, claim: &Claim) {
        let Some(session) = self.sessions.get_mut(&claim.pid) else { return };
        if let State::Claimed(parking, _) = session.state
            && claim.holds(session.state)
        {
            session.state = State::Parked(parking);
            // Perhaps it would have expired meanwhile.
            self.await_expiry(Expiry { pid: claim.pid, parking });
        }
    }

    /// What a client has missed. None when nobody can tell.
    fn missed<'a>(
        &'a self,
        session: &'a Session<S>,
        since: Since,
    ) -> Option<impl Iterator<Item = &'a [u8]> + use<'a, S>> {
        let received = match since {
            Since::Start => 0,
            // Of a server before this, or of a session before this one: it has received nothing of this one.
            Since::Offset(offset) if offset.epoch != self.epoch => 0,
            Since::Offset(offset) => Some(offset.position).filter(|at| *at <= self.log.position())?,
            Since::Unknown => return None,
        };
        let since = received.max(session.presence.start()).max(session.settled);
        if since < self.log.gone() || !session.presence.knows_since(since) {
            return None;
        }
        let concerning = self
            .log
            .since(since)
            .filter(|(position, audience, _)| session.presence.concerns(*position, audience));
        Some(concerning.map(|(_, _, bytes)| bytes))
    }
}

impl Claim {
    fn holds(&self, state: State) -> bool {
        matches!(state, State::Claimed(_, claim) if claim == self.claim)
    }
}

fn is_parked<S>(sessions: &HashMap<u128, Session<S>>, expiry: &Expiry) -> bool {
    let state = sessions.get(&expiry.pid).map(|session| session.state);
    state == Some(State::Parked(expiry.parking))
}

#[cfg(test)]
mod tests;
