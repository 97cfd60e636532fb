//! Where a namespace keeps what outlives a connection: what was sent, who was there for it, and whose connection has ended.
//!
//! Owns the log of each namespace ([`log`]), where each session was ([`presence`]) and the sessions themselves
//! ([`journal`]); what servers of one process share of a namespace ([`exchange`]), and how much all hold ([`share`]). Knows nothing of sockets, rooms' members
//! or connections: those that use it say what a session is made of. Here all of it is memory.

mod exchange;
mod journal;
mod log;
mod presence;
mod share;

pub(crate) use exchange::{Exchange, Held};
pub(crate) use journal::{Claim, Return};
pub(crate) use log::{Audience, Group, Many};
pub(crate) use share::Totals;

use std::time::Duration;

/// How clients get back what they missed while their connection was away, and where they were. Official clients ask for it
/// by themselves when they connect again.
///
/// A client that comes back within the window has the same id, is in the same rooms and has the same values
/// ([`Socket::find`](crate::Socket::find)), and is sent exactly the events it missed, but for those that asked for an ack
/// and volatile ones. When it cannot be told what it missed it is a new client instead.
///
/// What clients may make the server hold for it is bounded, for all namespaces of a server together, and where several share
/// a [`Backplane`](crate::Backplane) for all of those.
///
/// ```
/// # use encke_server::{Recovery, Server};
/// # use std::time::Duration;
/// let recovery = Recovery { window: Duration::from_secs(30), max_parked: 1_000, ..Recovery::default() };
/// assert_eq!(recovery.max_bytes, 64 * 1024 * 1024);
/// let server = Server::builder().recovery(recovery).namespace("/", |_| {}).build();
/// # let _ = server;
/// ```
#[derive(Clone, Debug)]
pub struct Recovery {
    /// For a client to come back once its connection has ended. 2 minutes, as in the reference server.
    pub window: Duration,
    /// Bytes of events that are kept. Events are kept for the window and for as long as the end of a connection may be
    /// unnoticed; beyond this the oldest go where most are kept, and who missed one of them is not recovered. 64 MiB.
    pub max_bytes: usize,
    /// Clients whose connection has ended and who may come back, with their values and rooms; beyond it who has been away
    /// for longest may not any more, where most may. 100,000.
    pub max_parked: usize,
}

impl Default for Recovery {
    fn default() -> Self {
        Self { window: Duration::from_secs(120), max_bytes: 64 * 1024 * 1024, max_parked: 100_000 }
    }
}

impl Recovery {
    const NONE: Self = Self { window: Duration::ZERO, max_bytes: 0, max_parked: 0 };

    fn window_millis(&self) -> u64 {
        u64::try_from(self.window.as_millis()).unwrap_or(u64::MAX)
    }

    fn widest(&self, other: &Self) -> Self {
        Self {
            window: self.window.max(other.window),
            max_bytes: self.max_bytes.max(other.max_bytes),
            max_parked: self.max_parked.max(other.max_parked),
        }
    }
}
