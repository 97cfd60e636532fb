//! One namespace on all servers that share a backplane.
//!
//! Owns which servers have it, its journal, and the one lock under which whatever is sent in it gets its position and is
//! queued for everybody: so all see the same order, on whichever server they are. That lock comes before those of rooms,
//! sockets and sessions.

use super::Recovery;
use super::journal::Journal;
use super::share::Totals;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, Weak};

/// `N` is a namespace of one server, `S` a socket.
#[derive(Debug)]
pub(crate) struct Exchange<N, S> {
    shared: Mutex<Shared<N, S>>,
    /// Everything up to this position has been queued for those it is for.
    queued: AtomicU64,
}

#[derive(Debug)]
pub(crate) struct Shared<N, S> {
    nodes: Vec<Node<N>>,
    /// None while no server recovers its clients.
    pub(crate) journal: Option<Journal<S>>,
}

#[derive(Debug)]
struct Node<N> {
    server: u32,
    namespace: Weak<N>,
}

impl<N, S> Default for Exchange<N, S> {
    fn default() -> Self {
        let shared = Shared { nodes: Vec::new(), journal: None };
        Self { shared: Mutex::new(shared), queued: AtomicU64::new(0) }
    }
}

impl<N, S: Clone + PartialEq> Exchange<N, S> {
    /// A server has the namespace.
    pub(crate) fn attach(&self, server: u32, namespace: Weak<N>) {
        let mut shared = crate::lock(&self.shared);
        shared.nodes.retain(|node| node.namespace.strong_count() > 0);
        shared.nodes.push(Node { server, namespace });
    }

    /// A server recovers its clients there; the end of a connection may be `unnoticed` for so many milliseconds.
    pub(crate) fn keep(&self, recovery: &Recovery, unnoticed: u64, epoch: u64, totals: &Totals) {
        let mut shared = crate::lock(&self.shared);
        let journal = shared.journal.get_or_insert_with(|| Journal::new(epoch, totals));
        journal.widen(recovery, unnoticed);
    }

    /// Holds the order of what is sent.
    pub(crate) fn hold(&self) -> Held<'_, N, S> {
        Held { exchange: self, shared: crate::lock(&self.shared) }
    }

    /// Everything up to this position has been queued for those it is for.
    pub(crate) fn queued(&self) -> u64 {
        self.queued.load(Ordering::Acquire)
    }
}

impl<N, S> Shared<N, S> {
    /// Whether another server has the namespace too.
    pub(crate) fn has_others(&self, server: u32) -> bool {
        self.nodes.iter().any(|node| node.server != server && node.namespace.strong_count() > 0)
    }

    /// The namespace on all servers but that one. To be let go of when the order is not held any more.
    pub(crate) fn nodes_but(&self, server: u32) -> Vec<Arc<N>> {
        let others = self.nodes.iter().filter(|node| node.server != server);
        others.filter_map(|node| node.namespace.upgrade()).collect()
    }
}

/// The order is held.
pub(crate) struct Held<'a, N, S: Clone + PartialEq> {
    exchange: &'a Exchange<N, S>,
    shared: MutexGuard<'a, Shared<N, S>>,
}

impl<N, S: Clone + PartialEq> std::ops::Deref for Held<'_, N, S> {
    type Target = Shared<N, S>;

    fn deref(&self) -> &Self::Target {
        &self.shared
    }
}

impl<N, S: Clone + PartialEq> std::ops::DerefMut for Held<'_, N, S> {
    fn deref_mut(&mut self) -> &mut Self::Target {
        &mut self.shared
    }
}

impl<N, S: Clone + PartialEq> Drop for Held<'_, N, S> {
    fn drop(&mut self) {
        if let Some(journal) = &self.shared.journal {
            self.exchange.queued.store(journal.position(), Ordering::Release);
        }
    }
}
