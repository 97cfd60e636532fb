//! How a namespace is tied to those of the same name on other servers, and to its journal.
//!
//! Owns what servers share ([`Backplane`]) and the one way by which something is sent where order and positions are shared:
//! it gets its position, is written down and queued for everybody under one lock. A namespace that neither shares nor
//! recovers anything has no [`Link`] and knows nothing of this.

use super::answers::Gatherings;
use super::emitter::Flags;
use super::peer::Delivery;
use super::recovery::Tie;
use super::selection::{self, Selection};
use super::{Args, NamespaceCore, Socket, encode};
use crate::backplane::{Audience, Exchange, Group, Held, Many, Recovery, Totals};
use crate::id::Randomness;
use crate::turn::{self, Frames};
use encke_protocol::Timestamp;
use encke_protocol::socket::{AckId, Parser};
use std::collections::HashMap;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, Once, OnceLock, Weak};
use tokio::time::Instant;

/// Milliseconds from one look for what nobody has come back for to the next.
const SWEEP_PERIOD: u64 = 1_000;

/// What several servers of one process share: with it, what is sent in a namespace reaches its clients on all of them, in
/// the same order, and a client that comes back may come back to any. Cheap to clone; clones are the same.
///
/// ```
/// use encke_server::{Backplane, Server};
///
/// let backplane = Backplane::new();
/// let server = || Server::builder().namespace("/", |_on| {}).backplane(&backplane).build();
/// let (public, internal) = (server(), server());
/// // Reaches the clients of both.
/// public.namespace("/").expect("added").everybody().emit_named("hello", &1);
/// # let _ = internal;
/// ```
#[derive(Clone)]
pub struct Backplane(Arc<Servers>);

struct Servers {
    commons: Mutex<HashMap<Box<str>, Weak<Common>>>,
    randomness: Randomness,
    started: Instant,
    count: AtomicU32,
    /// Frames are the same for all, so all speak it.
    parser: OnceLock<Parser>,
    /// When it is to be looked again for what nobody has come back for.
    next_sweep: AtomicU64,
    totals: Totals,
}

/// What a namespace has in common with those of the same name on other servers; there as long as one of them is.
struct Common {
    name: Box<str>,
    servers: Arc<Servers>,
    exchange: Exchange<NamespaceCore, Socket>,
    gatherings: Arc<Gatherings>,
}

/// A server's place at its backplane.
pub(crate) struct Backing {
    pub(crate) backplane: Backplane,
    /// The server's number.
    pub(crate) server: u32,
    pub(crate) recovery: Option<Recovery>,
    /// Milliseconds for which the end of a connection may be unnoticed.
    pub(crate) unnoticed: u64,
    /// Bytes that a client which comes back may be sent at once.
    pub(crate) max_missed: usize,
}

/// What ties a namespace to its like.
pub(crate) struct Link {
    common: Arc<Common>,
    attached: Once,
    pub(super) server: u32,
    /// Whether clients of this server may come back.
    pub(super) recovers: bool,
    pub(super) max_missed: usize,
}

/// An event on its way.
pub(super) struct Outgoing<'a> {
    pub(super) id: Option<AckId>,
    pub(super) name: &'a str,
    pub(super) args: &'a Args<'a>,
    pub(super) flags: Flags,
}

impl Default for Backplane {
    fn default() -> Self {
        Self::new()
    }
}

impl Backplane {
    /// One that nobody shares yet.
    ///
    /// ```
    /// # use encke_server::{Backplane, Server};
    /// let backplane = Backplane::new();
    /// let server = Server::builder().backplane(&backplane).build();
    /// # let _ = server;
    /// ```
    pub fn new() -> Self {
        Self(Arc::new(Servers {
            commons: Mutex::default(),
            randomness: Randomness::new(),
            started: Instant::now(),
            count: AtomicU32::new(0),
            parser: OnceLock::new(),
            next_sweep: AtomicU64::new(0),
            totals: Totals::default(),
        }))
    }

    /// The number of a further server.
    pub(crate) fn add_server(&self, parser: Parser) -> u32 {
        let same = *self.0.parser.get_or_init(|| parser) == parser;
        assert!(same, "servers that share a backplane have the same parser");
        self.0.count.fetch_add(1, Ordering::Relaxed)
    }

    /// Those whom nobody has come back for. None unless it is time to look for them: then one of the servers does.
    pub(crate) fn expired(&self) -> impl Iterator<Item = Socket> + Send + use<> {
        let now = now(self.0.started);
        let commons: Vec<_> = match self.0.is_due(now.as_millis()) {
            true => crate::lock(&self.0.commons).values().filter_map(Weak::upgrade).collect(),
            false => Vec::new(),
        };
        commons.into_iter().flat_map(move |common| {
            std::iter::from_fn(move || common.exchange.hold().journal.as_mut()?.expire(now))
        })
    }
}

impl Servers {
    fn is_due(&self, now: u64) -> bool {
        let at = self.next_sweep.load(Ordering::Relaxed);
        let next = now.saturating_add(SWEEP_PERIOD);
        at <= now && self.next_sweep.compare_exchange(at, next, Ordering::Relaxed, Ordering::Relaxed).is_ok()
    }

    /// What namespaces of that name have in common.
    fn common(self: &Arc<Self>, name: &str) -> Arc<Common> {
        let mut commons = crate::lock(&self.commons);
        commons.get(name).and_then(Weak::upgrade).unwrap_or_else(|| {
            let common = Arc::new(Common {
                name: name.into(),
                servers: self.clone(),
                exchange: Exchange::default(),
                gatherings: Arc::default(),
            });
            commons.insert(name.into(), Arc::downgrade(&common));
            common
        })
    }
}

impl Drop for Common {
    fn drop(&mut self) {
        let mut commons = crate::lock(&self.servers.commons);
        // Another server may have made the next of that name meanwhile.
        if commons.get(&self.name).is_some_and(|common| std::ptr::eq(common.as_ptr(), self)) {
            commons.remove(&self.name);
        }
    }
}

impl Backing {
    /// Ties a namespace, which others reach once it is [attached](Link::attach).
    pub(crate) fn link(&self, name: &str) -> Link {
        let servers = &self.backplane.0;
        let common = servers.common(name);
        if let Some(recovery) = &self.recovery {
            let epoch = servers.randomness.next() as u64;
            common.exchange.keep(recovery, self.unnoticed, epoch, &servers.totals);
        }
        Link {
            common,
            attached: Once::new(),
            server: self.server,
            recovers: self.recovery.is_some(),
            max_missed: self.max_missed,
        }
    }
}

impl Link {
    /// The namespace is that of its server: from now on it is reached by the others. To be said before anybody has it.
    pub(super) fn attach(&self, namespace: &Arc<NamespaceCore>) {
        self.attached.call_once(|| self.common.exchange.attach(self.server, Arc::downgrade(namespace)));
    }

    pub(super) fn gatherings(&self) -> Arc<Gatherings> {
        self.common.gatherings.clone()
    }

    pub(super) fn hold(&self) -> Held<'_, NamespaceCore, Socket> {
        self.common.exchange.hold()
    }

    pub(super) fn now(&self) -> Timestamp {
        now(self.common.servers.started)
    }

    /// 128 bits nobody can guess.
    pub(super) fn random(&self) -> u128 {
        self.common.servers.randomness.next()
    }

    /// Everything up to this position has been queued for those it is for.
    pub(super) fn queued(&self) -> u64 {
        self.common.exchange.queued()
    }

    /// Sends an event to whom a selection means, on all servers or only on this; `send` hands it to each.
    pub(super) fn broadcast(
        &self,
        core: &NamespaceCore,
        selection: &Selection,
        local: bool,
        event: &Outgoing<'_>,
        send: impl Fn(&Socket, &Frames),
    ) {
        // Let go of behind the lock: perhaps the last of a namespace that is made and unmade.
        let mut others = Vec::new();
        turn::run(|| {
            let mut held = self.hold();
            let frames = self.frame(&mut held, core, event, || self.audience(selection, local));
            if !local {
                others = held.nodes_but(self.server);
            }
            for namespace in others.iter().map(|other| &**other).chain([core]) {
                if let Some(audience) = namespace.roster.audience(selection) {
                    audience.each(|member| send(member, &frames));
                }
            }
        });
        turn::relieve();
    }

    /// Whom a selection means, on all servers or only on this, also those who are away.
    pub(super) fn all(&self, core: &NamespaceCore, selection: &Selection, local: bool) -> Vec<Socket> {
        let mut all = Vec::new();
        let held = self.hold();
        let others = if local { Vec::new() } else { held.nodes_but(self.server) };
        for namespace in others.iter().map(|other| &**other).chain([core]) {
            all.extend(namespace.sockets(selection));
        }
        if let Some(journal) = &held.journal {
            all.extend(journal.away(&self.audience(selection, local)).cloned());
        }
        drop(held);
        // Perhaps the last of a namespace that is made and unmade.
        drop(others);
        all
    }

    fn audience(&self, selection: &Selection, local: bool) -> Audience {
        Audience::Many(Box::new(Many {
            among: selection.among.as_ref().map(named),
            except: named(&selection.except),
            server: local.then_some(self.server),
        }))
    }

    /// The namespace on all other servers.
    pub(super) fn others(&self) -> Vec<Arc<NamespaceCore>> {
        self.hold().nodes_but(self.server)
    }

    /// Sends an event to one session: to the socket that has it now, or when one comes back for it.
    pub(super) fn emit(&self, socket: &Socket, tie: &Tie, event: &Outgoing<'_>) {
        turn::run(|| {
            let mut held = self.hold();
            let journal = held.journal.as_ref();
            let Some((current, _)) = journal.and_then(|journal| journal.find(tie.pid())) else { return };
            let current = current.clone();
            let audience = || Audience::One(socket.id().number());
            let frames = self.frame(&mut held, &socket.inner.namespace, event, audience);
            current.push_as(&frames, event.flags.delivery);
        });
        turn::relieve();
    }

    /// Frames an event and writes it down. What is volatile is not kept: it tells the position of what came before. What
    /// asks for an ack is neither kept nor tells a position.
    fn frame(
        &self,
        held: &mut Held<'_, NamespaceCore, Socket>,
        core: &NamespaceCore,
        event: &Outgoing<'_>,
        audience: impl FnOnce() -> Audience,
    ) -> Frames {
        let Outgoing { id, name, args, flags } = *event;
        flags.mark(match (held.journal.as_mut().filter(|_| id.is_none()), flags.delivery) {
            (None, _) => encode::event(core, id, name, args),
            (Some(journal), Delivery::Volatile) => encode::event_at(journal.last(), core, name, args),
            (Some(journal), Delivery::Queued) => {
                let frames = encode::event_at(journal.next(), core, name, args);
                journal.append(self.now(), || (audience(), turn::copy(&frames)));
                frames
            }
        })
    }
}

fn now(started: Instant) -> Timestamp {
    Timestamp::from_millis(u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX))
}

fn named(group: &selection::Group) -> Group {
    Group {
        rooms: group.rooms.to_vec(),
        sockets: group.sockets.iter().map(|socket| socket.number()).collect(),
    }
}

impl std::fmt::Debug for Backplane {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Backplane").field("servers", &self.0.count).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
