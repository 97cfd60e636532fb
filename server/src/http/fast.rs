//! The fast front: reads the requests of Socket.IO from connections itself, below hyper.
//!
//! Owns each connection of its listener up to the first request that is not [plain](head); then hyper has it for good, from
//! that request's first byte on. What would be refused is left to hyper too, as long as nothing has come of it: a second poll
//! ends its session, and a post whose packets were taken cannot be taken again, so those are refused here. What is decided and answered is asked of the functions that
//! the other front asks ([`cors`](super::cors), [`polling`](super::polling), [`upgrade`](super::upgrade),
//! [`handshake`](super::handshake)); what an application decides by hooks or carries over needs requests as hyper makes
//! them, so its listener has no such front.

mod head;
mod line;
mod write;

use super::answer;
use super::cors::Origin;
use super::listener::Connection;
use crate::config::Config;
use crate::session::Hub;
use axum::body::Bytes;
use line::Line;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};
use tokio::net::TcpStream;
use tokio::sync::mpsc;

/// The listener's end: connections go in, those that are hyper's come out. Dropped, it ends what is idle.
#[derive(Debug)]
pub(super) struct Fast {
    shared: Arc<Shared>,
    handed: mpsc::UnboundedReceiver<(Connection, SocketAddr)>,
}

/// What all connections of one listener share.
struct Shared {
    hub: Arc<Hub>,
    /// Without a slash at its end.
    path: Box<str>,
    /// The beginning of an answer of text about whose reader nothing is to be said.
    plain: Vec<u8>,
    handed: mpsc::UnboundedSender<(Connection, SocketAddr)>,
    lines: Mutex<Lines>,
    /// The listener is gone: connections end when their answer is written.
    closing: AtomicBool,
}

/// The tasks of all connections that are not hyper's or a session's, by the number of their place.
#[derive(Debug, Default)]
struct Lines {
    wakers: Vec<Option<Waker>>,
    free: Vec<usize>,
}

/// A connection's place among the others, as long as it is there.
struct Place {
    shared: Arc<Shared>,
    number: usize,
}

impl Fast {
    /// None where requests have to be as hyper makes them.
    pub(super) fn new(hub: Arc<Hub>) -> Option<Self> {
        let Config { carried, hooks, path, .. } = &hub.config;
        if !carried.is_empty() || hooks.allow.is_some() || hooks.error.is_some() {
            return None;
        }
        let mut text = answer::text(Bytes::new());
        Origin::Own.mark(text.headers_mut());
        let mut plain = Vec::new();
        write::begin(&text, &mut plain);
        let path = path.trim_end_matches('/').into();
        let (sender, handed) = mpsc::unbounded_channel();
        let (lines, closing) = (Mutex::default(), AtomicBool::new(false));
        let shared = Arc::new(Shared { hub, path, plain, handed: sender, lines, closing });
        Some(Self { shared, handed })
    }

    /// Serves a connection until it is hyper's.
    pub(super) fn serve(&self, stream: TcpStream, remote: SocketAddr) {
        let number = {
            let lines = &mut *crate::lock(&self.shared.lines);
            lines.free.pop().unwrap_or_else(|| {
                lines.wakers.push(None);
                lines.wakers.len() - 1
            })
        };
        let place = Place { shared: self.shared.clone(), number };
        tokio::spawn(line::Task::Http(Box::new(Line::new(place, stream, remote))));
    }

    /// Waits for a connection that is hyper's.
    pub(super) fn poll_handed(&mut self, cx: &mut Context<'_>) -> Poll<(Connection, SocketAddr)> {
        match self.handed.poll_recv(cx) {
            Poll::Ready(Some(handed)) => Poll::Ready(handed),
            // It does not end, since the sender is kept with it.
            Poll::Ready(None) | Poll::Pending => Poll::Pending,
        }
    }
}

impl Drop for Fast {
    fn drop(&mut self) {
        self.shared.closing.store(true, Ordering::Release);
        let wakers: Vec<Waker> =
            crate::lock(&self.shared.lines).wakers.iter_mut().filter_map(Option::take).collect();
        wakers.into_iter().for_each(Waker::wake);
    }
}

impl Place {
    /// Has the connection's task woken when the listener goes. False when it is gone already.
    fn enter(&self, waker: &Waker) -> bool {
        crate::lock(&self.shared.lines).wakers[self.number] = Some(waker.clone());
        // Behind the lock: who closes looks for wakers after it has said so.
        !self.is_closing()
    }

    fn is_closing(&self) -> bool {
        self.shared.closing.load(Ordering::Acquire)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let lines = &mut *crate::lock(&self.shared.lines);
        lines.wakers[self.number] = None;
        lines.free.push(self.number);
    }
}

impl std::fmt::Debug for Shared {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Shared").field("path", &self.path).finish_non_exhaustive()
    }
}
