//! What all sessions of one server share: configuration, namespaces, registry, timer.
//!
//! Owns the one task that turns the timer wheel, and how the server comes to rest.

use super::Session;
use super::registry::Registry;
use super::wheel::{Entry, Wheel};
use crate::config::{Config, millis};
use crate::namespace::{self, Backing, Directory, Socket};
use crate::raw;
use crate::turn;
use encke_protocol::Timestamp;
use encke_protocol::engine::jsonp::Index;
use encke_protocol::engine::{CloseReason, Handshake, Transport, Version};
use encke_protocol::socket;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, Weak};
use std::time::Duration;
use tokio::sync::Notify;
use tokio::time::{Instant, MissedTickBehavior};

/// Sessions whose timer came up that are seen to before other tasks have their turn.
const DUE_AT_ONCE: usize = 256;

pub(crate) struct Hub {
    pub(crate) config: Config,
    pub(super) limits: socket::Limits,
    pub(super) registry: Registry<Session>,
    pub(crate) namespaces: Arc<Directory>,
    raw: Option<Arc<raw::Handlers>>,
    backing: Option<Arc<Backing>>,
    wheel: Mutex<Wheel>,
    started: Instant,
    ticking: AtomicBool,
    closing: AtomicBool,
    drivers: AtomicUsize,
    /// A session or driver has ended.
    ended: Notify,
}

/// Something to be written is on its way, which a server that closes waits for.
pub(crate) struct Busy(Arc<Hub>);

impl Busy {
    pub(crate) fn new(hub: &Arc<Hub>) -> Self {
        hub.driver_started();
        Self(hub.clone())
    }
}

impl Drop for Busy {
    fn drop(&mut self) {
        self.0.driver_ended();
    }
}

impl Hub {
    /// With `raw`, messages are the application's own and there are no namespaces.
    pub(crate) fn new(
        config: Config,
        namespaces: Directory,
        raw: Option<raw::Handlers>,
        backing: Option<Arc<Backing>>,
    ) -> Self {
        Self {
            limits: config.socket(),
            registry: Registry::new(&config.node, config.limits.max_sessions),
            namespaces: Arc::new(namespaces),
            raw: raw.map(Arc::new),
            backing,
            wheel: Mutex::new(Wheel::new(config.shortest())),
            started: Instant::now(),
            ticking: AtomicBool::new(false),
            closing: AtomicBool::new(false),
            drivers: AtomicUsize::new(0),
            ended: Notify::new(),
            config,
        }
    }

    pub(crate) fn now(&self) -> Timestamp {
        Timestamp::from_millis(u64::try_from(self.started.elapsed().as_millis()).unwrap_or(u64::MAX))
    }

    /// Opens a session, its open packet queued. None when the server is full or closing.
    pub(crate) fn open(
        self: &Arc<Self>,
        version: Version,
        transport: Transport,
        jsonp: Option<Index>,
        request: namespace::Handshake,
    ) -> Option<Arc<Session>> {
        if self.closing.load(Ordering::Acquire) {
            return None;
        }
        let make = |id| Arc::new(Session::new(id, self.clone(), version, transport, jsonp, request));
        let session = self.registry.insert(make)?;
        // Closing may have begun since, and would not know of this one.
        if self.closing.load(Ordering::Acquire) {
            self.registry.remove(session.id);
            self.session_ended();
            return None;
        }
        let handshake = Handshake {
            sid: self.registry.name(session.id),
            upgrades: match transport {
                Transport::Polling => self.config.upgrades(),
                Transport::WebSocket => Default::default(),
            },
            ping_interval: millis(self.config.ping_interval),
            ping_timeout: millis(self.config.ping_timeout),
            max_payload: self.config.limits.max_payload,
        };
        turn::run(|| {
            let raw = self.raw.as_ref().map(|handlers| {
                let max_queued = self.config.limits.max_queued_events;
                raw::Session::new(handlers.clone(), session.clone(), max_queued)
            });
            let begun = session.update(|state| state.open(&handshake.encode(), raw.clone(), &session));
            if let Some(raw) = raw.filter(|_| begun) {
                raw.opened();
            }
            // A WebSocket is to be there before.
            if transport == Transport::Polling {
                session.begin();
            }
        });
        if !self.ticking.swap(true, Ordering::AcqRel) {
            tokio::spawn(turn_wheel(Arc::downgrade(self), crate::lock(&self.wheel).tick()));
        }
        Some(session)
    }

    /// The session of that id, as long as it lives: what the timer, which is coarse, has not seen yet is seen here.
    pub(crate) fn find(&self, sid: &str) -> Option<Arc<Session>> {
        let session = self.registry.find(sid)?;
        if !session.is_due(self.now()) {
            return Some(session);
        }
        session.due(self.now());
        self.registry.find(sid)
    }

    /// Whether [`Self::open`] would refuse now.
    pub(crate) fn is_full(&self) -> bool {
        self.closing.load(Ordering::Acquire) || self.registry.is_full()
    }

    pub(super) fn schedule(&self, at: Timestamp, entry: Entry) {
        crate::lock(&self.wheel).schedule(at, entry);
    }

    pub(super) fn session_ended(&self) {
        self.ended.notify_waiters();
    }

    pub(super) fn driver_started(&self) {
        self.drivers.fetch_add(1, Ordering::SeqCst);
    }

    pub(super) fn driver_ended(&self) {
        // Whoever closes says so before it looks at the count, so one of the two sees the other.
        self.drivers.fetch_sub(1, Ordering::SeqCst);
        if self.closing.load(Ordering::SeqCst) {
            self.ended.notify_waiters();
        }
    }

    /// Opens no more sessions, ends those there are, and waits until they are gone, at most for `patience`.
    pub(crate) async fn close(&self, patience: Duration) {
        self.closing.store(true, Ordering::SeqCst);
        for sessions in self.registry.all().chunks(DUE_AT_ONCE) {
            turn::run(|| sessions.iter().for_each(|session| session.close(CloseReason::ShuttingDown)));
            tokio::task::yield_now().await;
        }
        let rest = async {
            loop {
                // Before the look, so that no end in between is missed.
                let ended = self.ended.notified();
                if self.registry.is_empty() && self.drivers.load(Ordering::SeqCst) == 0 {
                    return;
                }
                ended.await;
            }
        };
        if tokio::time::timeout(patience, rest).await.is_err() {
            tracing::info!("some clients did not say goodbye in time");
        }
    }
}

/// Turns the wheel of a server as long as there is one.
async fn turn_wheel(hub: Weak<Hub>, tick: u64) {
    let Some(mut next) = hub.upgrade().map(|hub| hub.started) else { return };
    let period = Duration::from_millis(tick);
    // The wheel counts from the server's start: out of step with it, everything would come up a tick later.
    next += period * u32::try_from(next.elapsed().as_millis() / u128::from(tick)).unwrap_or_default();
    let mut interval = tokio::time::interval_at(next, period);
    interval.set_missed_tick_behavior(MissedTickBehavior::Skip);
    let mut due = Vec::new();
    loop {
        interval.tick().await;
        let Some(hub) = hub.upgrade() else { return };
        crate::lock(&hub.wheel).advance(hub.now(), &mut due);
        for entries in due.chunks(DUE_AT_ONCE) {
            // One turn: the pings of a tick are framed into one buffer.
            turn::run(|| {
                for entry in entries {
                    if let Some(session) = hub.registry.at(entry.slot, entry.generation) {
                        session.due(hub.now());
                    }
                }
            });
            tokio::task::yield_now().await;
        }
        due = Vec::new();
        if let Some(backing) = &hub.backing {
            let mut expired = backing.backplane.expired();
            while expired.by_ref().take(DUE_AT_ONCE).inspect(Socket::expire).count() == DUE_AT_ONCE {
                tokio::task::yield_now().await;
            }
        }
    }
}
