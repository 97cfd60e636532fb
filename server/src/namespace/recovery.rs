//! How a client gets its socket back.
//!
//! Owns what a socket keeps for that ([`Tie`]) and the order of things when one comes, comes back, or is gone: whatever
//! changes where a session stands happens under the lock of its exchange, so nothing is sent in between. What was missed,
//! and whether that can be told, is the journal's to know.

use super::link::Link;
use super::peer::{Delivery, Peer};
use super::work::Job;
use super::{Auth, NamespaceCore, Socket};
use crate::backplane::{Claim, Return};
use crate::id;
use crate::turn::Frames;
use encke_protocol::engine::CloseReason;
use encke_protocol::socket::{Comeback, DisconnectReason};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::task::Waker;

/// What ties a socket to its session in the journal.
#[derive(Debug)]
pub(crate) struct Tie {
    pid: u128,
    /// Its client has come back for a session.
    claim: Option<Claim>,
    /// It is known to the journal, and its client has been queued all that was missed. Before, it is not connected.
    entered: AtomicBool,
    /// Its connection has ended and its client may come back.
    parked: AtomicBool,
    /// Its client may not, however the connection ends.
    put_out: AtomicBool,
    /// What had been queued when the last heartbeat was.
    beaten: AtomicU64,
    /// What had been when the last heartbeat was that its client has answered: it has received all of that.
    settled: AtomicU64,
}

impl Tie {
    fn new(pid: u128, claim: Option<Claim>) -> Box<Self> {
        let [entered, parked, put_out] = [const { AtomicBool::new(false) }; 3];
        let (beaten, settled) = (AtomicU64::new(0), AtomicU64::new(0));
        Box::new(Self { pid, claim, entered, parked, put_out, beaten, settled })
    }

    pub(super) fn has_entered(&self) -> bool {
        self.entered.load(Ordering::Acquire)
    }

    pub(super) fn pid(&self) -> u128 {
        self.pid
    }

    pub(super) fn settled(&self) -> u64 {
        self.settled.load(Ordering::Acquire)
    }
}

/// What became of a socket that parts.
#[derive(Debug, Default)]
pub(super) struct Parting {
    /// Who waited for an answer of it.
    pub(super) wakers: Vec<Waker>,
    /// Who may not come back any more since too many may.
    pub(super) expired: Option<Socket>,
    /// Another handle of its own; what it holds is the application's and not to be dropped under a lock.
    _last: Option<Socket>,
}

impl Parting {
    pub(super) fn new(wakers: Vec<Waker>) -> Self {
        Self { wakers, ..Self::default() }
    }
}

impl Link {
    /// A client asks to enter: it is admitted as a new socket, or in place of the one that it comes back for.
    pub(super) fn welcome(
        &self,
        namespace: &Arc<NamespaceCore>,
        peer: Arc<dyn Peer>,
        random: u128,
        auth: Auth<'_>,
    ) {
        let namespace = namespace.clone();
        let claimed = Comeback::decode(auth.text()).and_then(|comeback| self.claim(&comeback));
        match claimed {
            Some((old, claim, pid)) => {
                let tie = Tie::new(pid, Some(claim));
                old.succeed(Socket::new(namespace, peer, old.id().number(), auth, Some(tie)));
            }
            None => {
                let tie = Tie::new(self.random(), None);
                Socket::new(namespace, peer, random, auth, Some(tie)).deliver(Job::Admit);
            }
        }
    }

    fn claim(&self, comeback: &Comeback<'_>) -> Option<(Socket, Claim, u128)> {
        let pid = id::decode_random(&comeback.pid)?;
        let mut returned = self.hold().journal.as_mut()?.claim(pid, comeback);
        if let Return::Live(old) = returned {
            // Its client has noticed before the server that the connection is dead.
            old.disconnected(DisconnectReason::Session(CloseReason::TransportClose));
            old.inner.peer.clone().end();
            returned = self.hold().journal.as_mut()?.claim(pid, comeback);
        }
        match returned {
            Return::Found(old, claim) => Some((old, claim, pid)),
            Return::Lost(old) => {
                old.expire();
                None
            }
            // It is somebody else's by now, who has the same pid.
            Return::Unknown | Return::Live(_) => None,
        }
    }

    /// The client has been admitted. False when it is gone meanwhile, or has to come again.
    pub(super) fn let_in(&self, socket: &Socket) -> bool {
        let mut held = self.hold();
        let peer = &socket.inner.peer;
        let Some((journal, tie)) = held.journal.as_mut().zip(socket.tie()) else {
            let accepted = peer.clone().accept(socket);
            if accepted {
                socket.enter();
            }
            return accepted;
        };
        let Some(claim) = &tie.claim else {
            let accepted = peer.clone().accept(socket);
            if accepted {
                socket.enter();
                journal.begin(tie.pid, socket.id().number(), self.server, socket.clone());
                tie.entered.store(true, Ordering::Release);
            }
            return accepted;
        };
        let missed = match journal.redeem(claim, self.max_missed) {
            Ok(missed) => missed,
            Err(lost) => {
                // It has been told that it would be recovered, and so comes in by the door again.
                drop(held);
                tracing::debug!(socket = %socket.id(), "what a client has missed cannot be told, or is too much");
                peer.clone().end();
                if let Some(lost) = lost {
                    lost.expire();
                }
                return false;
            }
        };
        if !peer.clone().accept(socket) {
            journal.release(claim);
            return false;
        }
        // Perhaps something is among it that is not to be compressed.
        socket.push_as(&Frames::from_bytes(missed.bytes).single(), Delivery::Queued);
        socket.enter();
        missed.rooms.iter().for_each(|room| socket.join_room(room));
        let old = journal.resume(claim, self.server, socket.clone());
        tie.entered.store(true, Ordering::Release);
        drop(held);
        // Perhaps the last of it: its values are the application's.
        drop(old);
        true
    }

    /// The client has not been let in.
    pub(super) fn keep_out(&self, socket: &Socket) {
        if let Some(claim) = socket.tie().and_then(|tie| tie.claim.as_ref())
            && let Some(journal) = &mut self.hold().journal
        {
            journal.release(claim);
        }
    }

    /// The socket is disconnected: it leaves its rooms, and waits for its client if that may come back. None when it has
    /// left before: so whoever looks at the journal sees it connected, or parted.
    pub(super) fn part(&self, socket: &Socket, reason: DisconnectReason) -> Option<Parting> {
        let mut held = self.hold();
        let mut parting = socket.leave_all()?;
        // A server that goes away has to have another beside it.
        let somewhere =
            reason != DisconnectReason::Session(CloseReason::ShuttingDown) || held.has_others(self.server);
        if let Some((journal, tie)) = held.journal.as_mut().zip(socket.tie()) {
            if somewhere && may_come_back(reason) && !tie.put_out.load(Ordering::Acquire) {
                tie.parked.store(true, Ordering::Release);
                parting.expired = journal.park(self.now(), tie.pid, socket, tie.settled());
            } else {
                parting._last = journal.end(tie.pid, socket);
            }
        }
        Some(parting)
    }

    /// A client does not come back any more; as whom it is here, if it is.
    pub(super) fn put_out(&self, socket: &Socket, tie: &Tie) -> Option<Socket> {
        let mut held = self.hold();
        let Some(journal) = &mut held.journal else { return Some(socket.clone()) };
        let Some((current, is_live)) = journal.find(tie.pid) else { return Some(socket.clone()) };
        let current = current.clone();
        if is_live {
            // Perhaps its connection ends this moment.
            if let Some(tie) = current.tie() {
                tie.put_out.store(true, Ordering::Release);
            }
            return Some(current);
        }
        let last = journal.end(tie.pid, &current);
        drop(held);
        drop(last);
        current.expire();
        None
    }

    /// Enters or leaves a room: the session of that socket, wherever it is now.
    pub(super) fn change_room(&self, tie: &Tie, room: &str, joins: bool) {
        let mut held = self.hold();
        let Some(journal) = &mut held.journal else { return };
        let Some((current, is_live)) = journal.find(tie.pid) else { return };
        let current = current.clone();
        if joins {
            journal.join(tie.pid, room);
        } else {
            journal.leave(tie.pid, room, tie.settled());
        }
        if is_live && joins {
            current.join_room(room);
        } else if is_live {
            current.leave_room(room);
        }
    }
}

/// As in the reference server: not who left, was put out, or broke the protocol.
const fn may_come_back(reason: DisconnectReason) -> bool {
    !matches!(
        reason,
        DisconnectReason::ByClient
            | DisconnectReason::ByServer
            | DisconnectReason::Session(CloseReason::ParseError)
    )
}

impl Socket {
    /// Whether the client has come back and got its socket again: the same id, rooms and values, and all that it missed.
    /// While it is being admitted this says what will be if it is let in; if what it missed cannot be told any more by then,
    /// its connection is ended instead, with all its namespaces, and it may come anew.
    ///
    /// ```
    /// # use encke_server::{Recovery, Server};
    /// # let _ =
    /// Server::builder().recovery(Recovery::default()).namespace("/", |on| {
    ///     on.on_connect(|socket| {
    ///         if !socket.is_recovered() {
    ///             socket.join("news");
    ///         }
    ///     });
    /// });
    /// ```
    pub fn is_recovered(&self) -> bool {
        self.tie().is_some_and(|tie| tie.claim.is_some())
    }

    /// Whether the client, which has been disconnected, may still come back for this socket
    /// ([`ServerBuilder::recovery`](crate::ServerBuilder::recovery)). In a disconnect handler it tells whether this is
    /// perhaps not the end. What is emitted to the socket, and the rooms it is made to join or leave, count for then.
    ///
    /// ```
    /// # use encke_server::{Recovery, Server};
    /// # let _ =
    /// Server::builder().recovery(Recovery::default()).namespace("/", |on| {
    ///     on.on_disconnect(|socket, _reason| {
    ///         let end = if socket.is_recoverable() { "is away" } else { "has left" };
    ///         println!("{} {end}", socket.id());
    ///     });
    /// });
    /// ```
    pub fn is_recoverable(&self) -> bool {
        let Some((link, tie)) = self.tied() else { return false };
        tie.parked.load(Ordering::Acquire)
            && link
                .hold()
                .journal
                .as_ref()
                .and_then(|journal| journal.find(tie.pid))
                .is_some_and(|(_, is_live)| !is_live)
    }

    /// The private id under which its client may come back; a secret.
    pub(crate) fn pid(&self) -> Option<String> {
        let mut pid = String::new();
        id::encode_random(self.tie()?.pid, &mut pid);
        Some(pid)
    }

    /// A heartbeat is being queued for its client.
    pub(crate) fn beaten(&self) {
        if let Some((link, tie)) = self.tied() {
            tie.beaten.store(link.queued(), Ordering::Release);
        }
    }

    /// Its client has answered the heartbeat.
    pub(crate) fn has_answered_beat(&self) {
        if let Some(tie) = self.tie() {
            tie.settled.fetch_max(tie.beaten.load(Ordering::Acquire), Ordering::AcqRel);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::backplane::Recovery;
    use crate::config::Config;
    use crate::namespace::peer::Doorkeeper;
    use crate::namespace::{Backing, Backplane, Handlers, Namespace, Settings};

    const BROKEN: DisconnectReason = DisconnectReason::Session(CloseReason::TransportClose);

    fn recovering(handlers: Handlers) -> Namespace {
        let backing = Backing {
            backplane: Backplane::new(),
            server: 0,
            recovery: Some(Recovery::default()),
            unnoticed: 1_000,
            max_missed: 1_000,
        };
        let settings = Settings::new(&Config::default(), Some(Arc::new(backing)));
        Namespace::new("/", Arc::new(handlers), settings, None)
    }

    fn enter(namespace: &Namespace, auth: Option<&str>) -> Socket {
        let peer = Arc::new(Doorkeeper::default());
        namespace.knock(peer.clone(), 1, Auth::new(auth));
        peer.admitted()
    }

    #[test]
    fn a_heartbeat_before_what_was_missed_proves_nothing() {
        let namespace = recovering(Handlers::default());
        let first = enter(&namespace, None);
        first.disconnected(BROKEN);
        first.emit_named("missed", &()).expect("writable");
        let auth = format!("{{\"pid\":{:?}}}", first.pid().expect("may come back"));
        let second = enter(&namespace, Some(&auth));
        assert!(second.is_recovered() && second.is_connected());
        assert_eq!(second.tie().map(Tie::settled), Some(0));
        second.beaten();
        second.has_answered_beat();
        assert_eq!(second.tie().map(Tie::settled), Some(1));
    }

    #[test]
    fn nothing_can_be_done_with_a_socket_that_is_being_admitted() {
        let mut on = Handlers::default();
        on.admit(|socket, _auth| {
            socket.join("red");
            socket.emit_named("too early", &()).expect("writable");
            socket.disconnect();
            Ok(())
        });
        let namespace = recovering(on);
        let first = enter(&namespace, None);
        first.disconnected(BROKEN);
        let auth = format!("{{\"pid\":{:?}}}", first.pid().expect("may come back"));
        let second = enter(&namespace, Some(&auth));
        assert!(second.is_recovered() && second.is_connected());
        assert!(second.rooms().is_empty());
        let position = namespace.0.link.as_ref().map(Link::queued);
        assert_eq!(position, Some(0));
    }

    #[test]
    fn who_is_put_out_while_its_connection_breaks_does_not_come_back() {
        let namespace = recovering(Handlers::default());
        let first = enter(&namespace, None);
        // The session has let go of the socket already, and does not find it.
        first.disconnect();
        first.disconnected(BROKEN);
        assert!(!first.is_recoverable());
        let auth = format!("{{\"pid\":{:?}}}", first.pid().expect("had one"));
        assert!(!enter(&namespace, Some(&auth)).is_recovered());
    }
}
