//! All clients, and the one loop that serves them.
//!
//! Owns the clients and their connections: who is connected and how far the others are, and what it took. What connected
//! clients say, and what they make of what they hear, is a [`Work`]'s. There is one thread and one epoll, and no task, timer or
//! lasting buffer per client, so that it is the server that is measured.

mod client;
mod life;
mod reading;
mod sending;

use crate::bytes::Attachment;
use crate::clock::{MILLISECOND, Nanos, SECOND, now};
use crate::http::Requests;
use crate::net::{ConnectionId, Net};
use crate::options::Server;
use anyhow::{Result, bail};
use client::{Client, Stage};
pub(crate) use client::{ClientId, Transport};
use hdrhistogram::Histogram;
use std::collections::VecDeque;

/// Bytes that one read takes at most.
const READ: usize = 256 * 1024;
/// Between two clients that connect, or fail: with a longer pause the server hangs.
const PAUSE: Nanos = 10 * SECOND;
/// All of them connect in this time, or not at all.
const CONNECTING: Nanos = 120 * SECOND;

/// What connected clients do. Whatever it is not told to expect is an error of the server.
pub(crate) trait Work {
    /// A client has joined the namespace.
    fn joined(&mut self, _crowd: &mut Crowd, _who: ClientId) {}

    /// An event without attachments has come: the array of its name and arguments, at that time.
    fn event(&mut self, crowd: &mut Crowd, who: ClientId, array: &[u8], _now: Nanos) {
        crowd.unexpected(who, "an event", array);
    }

    /// The text of an event with one attachment has come, without what counts the attachments. [`Self::attachment`] follows.
    fn binary_event(&mut self, crowd: &mut Crowd, who: ClientId, array: &[u8]) {
        crowd.unexpected(who, "an event with an attachment", array);
    }

    /// An attachment has come.
    fn attachment(&mut self, crowd: &mut Crowd, who: ClientId, attachment: Attachment<'_>, _now: Nanos) {
        crowd.unexpected(who, "an attachment", attachment.wire());
    }

    /// A page has come.
    fn page(&mut self, crowd: &mut Crowd, who: ClientId, page: &[u8], _now: Nanos) {
        crowd.unexpected(who, "a page", page);
    }

    /// An ack has come: its id and the array of its arguments.
    fn ack(&mut self, crowd: &mut Crowd, who: ClientId, _id: u32, array: &[u8], _now: Nanos) {
        crowd.unexpected(who, "an ack", array);
    }
}

/// What happened to clients and their connections.
pub(crate) struct Tally {
    /// From the first byte until the namespace was joined, in nanoseconds.
    pub(crate) connecting: Histogram<u64>,
    /// How many are connected now.
    pub(crate) connected: usize,
    /// How many were connected and are no more, though they did not leave.
    pub(crate) dropped: u64,
    /// How often one came, joined and left.
    pub(crate) cycles: u64,
    /// Heartbeats that were answered.
    pub(crate) heartbeats: u64,
    pub(crate) errors: u64,
    pub(crate) first_error: Option<String>,
}

/// All clients.
pub(crate) struct Crowd {
    pub(crate) net: Net,
    requests: Requests,
    clients: Vec<Client>,
    /// Those that have not been started yet.
    waiting: VecDeque<ClientId>,
    /// How many are connecting, or leaving.
    busy: usize,
    /// How many may be so at once.
    at_once: usize,
    /// Whether who has left, or failed, comes again.
    again: bool,
    /// Bytes of the longest post, as the server says in its handshakes.
    max_payload: usize,
    buffer: Vec<u8>,
    pub(crate) tally: Tally,
}

/// A histogram of times up to two minutes, in nanoseconds, with three significant digits.
pub(crate) fn times() -> Histogram<u64> {
    Histogram::new_with_bounds(1, 120 * SECOND, 3).expect("the bounds are right")
}

impl Crowd {
    /// Clients of these transports, none of them started.
    pub(crate) fn new(server: &Server, transports: impl Iterator<Item = Transport>) -> Result<Self> {
        let clients: Vec<_> = transports.map(Client::new).collect();
        let (path, host) = (server.url.path.clone(), server.url.address.to_string());
        let requests = Requests { path, host, page: "", headers: "" };
        Ok(Self {
            net: Net::new(server.url.address, server.srcs)?,
            requests,
            waiting: (0..clients.len()).map(ClientId::of).collect(),
            clients,
            busy: 0,
            at_once: server.conc,
            again: false,
            max_payload: usize::MAX,
            buffer: vec![0; READ],
            tally: Tally {
                connecting: times(),
                connected: 0,
                dropped: 0,
                cycles: 0,
                heartbeats: 0,
                errors: 0,
                first_error: None,
            },
        })
    }

    /// Requests have these headers too, each with its line end, and that is the page which is asked for.
    pub(crate) fn browse(&mut self, page: &'static str, headers: &'static str) {
        (self.requests.page, self.requests.headers) = (page, headers);
    }

    /// Who leaves, or fails, comes again at once.
    pub(crate) fn come_again(&mut self, again: bool) {
        self.again = again;
    }

    /// Connects all that wait, until they are connected or have failed, or nothing of that has happened for too long.
    pub(crate) fn connect(&mut self, work: &mut impl Work) {
        let start = now();
        let (mut done, mut moved) = (0, start);
        while !(self.waiting.is_empty() && self.busy == 0) {
            self.start_waiting();
            self.turn(work, now() + 100 * MILLISECOND);
            let (time, before) = (now(), done);
            done = self.tally.connected as u64 + self.tally.errors;
            if done != before {
                moved = time;
            }
            if time - moved > PAUSE || time - start > CONNECTING {
                return self
                    .error(format!("{} clients are still connecting", self.busy + self.waiting.len()));
            }
        }
    }

    /// The same where nothing can be measured without all of them.
    ///
    /// # Errors
    /// Not all are connected.
    pub(crate) fn connect_all(&mut self, work: &mut impl Work) -> Result<()> {
        self.connect(work);
        let (connected, all) = (self.tally.connected, self.clients.len());
        if connected < all {
            let error = self.tally.first_error.as_deref().unwrap_or("nobody said why");
            bail!("{connected} of {all} clients are connected: {error}");
        }
        Ok(())
    }

    /// Serves them until that time.
    pub(crate) fn serve(&mut self, work: &mut impl Work, until: Nanos) {
        while now() < until {
            self.turn(work, until);
        }
    }

    /// Writes what is to be written, waits until something comes, until that time at most, and works it off.
    pub(crate) fn turn(&mut self, work: &mut impl Work, until: Nanos) {
        self.net.write();
        let events = self.net.wait(until);
        for event in &events {
            let Some((id, writable, readable)) = self.net.ready(event) else { continue };
            if writable {
                self.net.flush(id);
            }
            if readable {
                self.read(work, id);
                self.net.write();
            }
        }
        self.net.done(events);
    }

    /// Something went wrong. The first time it is said at once.
    pub(crate) fn error(&mut self, what: String) {
        self.tally.errors += 1;
        if self.tally.first_error.is_none() {
            eprintln!("encke-load: first error: {what}");
            self.tally.first_error = Some(what);
        }
    }

    /// A client got what it should not have got.
    pub(crate) fn unexpected(&mut self, who: ClientId, what: &str, bytes: &[u8]) {
        /// As much of it is shown.
        const SHOWN: usize = 100;
        let shown = String::from_utf8_lossy(&bytes[..bytes.len().min(SHOWN)]).into_owned();
        self.error(format!("client {} got {what} of {} bytes: {shown}", who.index(), bytes.len()));
    }

    /// Whether a client speaks Socket.IO, rather than ask for pages.
    pub(crate) fn is_socket_io(&self, who: ClientId) -> bool {
        self.clients[who.index()].transport != Transport::Page
    }

    /// Everybody.
    pub(crate) fn everybody(&self) -> impl Iterator<Item = ClientId> + use<> {
        (0..self.clients.len()).map(ClientId::of)
    }

    fn socket_of(&self, who: ClientId) -> Option<ConnectionId> {
        self.clients[who.index()].socket
    }

    fn stage(&self, who: ClientId) -> Stage {
        self.clients[who.index()].stage
    }
}
