//! Handlers of one socket that hold up none of its events: those that are under way beside its queue.
//!
//! Owns how many there may be, and how much they may hold. One too many waits for its turn as any handler waits, with later
//! events behind it, so that what a client can have under way has a bound. The disconnect waits for all of them.

use super::Socket;
use super::work::Pending;
use std::future::poll_fn;
use std::task::{Context, Poll, Waker};

/// Those of one socket.
#[derive(Debug, Default)]
pub(super) struct Unordered {
    under_way: usize,
    /// Of their events.
    bytes: usize,
    /// Who waits for one to end: at most one, for that is a handler of the queue.
    waiting: Option<Waker>,
}

/// One that is under way, until it is dropped.
struct Slot {
    socket: Socket,
    bytes: usize,
}

impl Drop for Slot {
    fn drop(&mut self) {
        let mut work = crate::lock(&self.socket.inner.work);
        let Some(unordered) = &mut work.unordered else { return };
        unordered.under_way -= 1;
        unordered.bytes -= self.bytes;
        let waiting = unordered.waiting.take();
        if unordered.under_way == 0 {
            work.unordered = None;
        }
        drop(work);
        if let Some(waiting) = waiting {
            waiting.wake();
        }
    }
}

impl Slot {
    /// Runs a handler as far as it goes at once, and the rest as a task.
    fn start(self, handler: impl FnOnce(Socket) -> Pending) {
        let mut rest = handler(self.socket.clone());
        if self.socket.poll_caught(&mut rest, &mut Context::from_waker(Waker::noop())).is_pending() {
            tokio::spawn(async move {
                poll_fn(|cx| self.socket.poll_caught(&mut rest, cx)).await;
                // The slot is freed after what the handler held.
                drop(rest);
                drop(self);
            });
        }
    }
}

impl Socket {
    /// Starts a handler beside the queue, for an event of so many bytes. What is left to wait for, if too many are under way.
    pub(super) fn start_unordered(
        &self,
        bytes: usize,
        handler: impl FnOnce(Socket) -> Pending + Send + 'static,
    ) -> Option<Pending> {
        match self.poll_slot(bytes, &mut Context::from_waker(Waker::noop())) {
            Poll::Ready(slot) => {
                slot.start(handler);
                None
            }
            Poll::Pending => {
                let socket = self.clone();
                Some(Box::pin(async move { poll_fn(|cx| socket.poll_slot(bytes, cx)).await.start(handler) }))
            }
        }
    }

    fn poll_slot(&self, bytes: usize, cx: &mut Context<'_>) -> Poll<Slot> {
        let settings = &self.inner.namespace.settings;
        let mut work = crate::lock(&self.inner.work);
        let unordered = work.unordered.get_or_insert_default();
        let full =
            unordered.under_way >= settings.max_unordered || unordered.bytes > settings.max_queued_events;
        // One may always be, however long its event is.
        if full && unordered.under_way > 0 {
            unordered.waiting = Some(cx.waker().clone());
            return Poll::Pending;
        }
        unordered.under_way += 1;
        unordered.bytes += bytes;
        Poll::Ready(Slot { socket: self.clone(), bytes })
    }

    /// Waits until none is under way.
    pub(super) fn poll_unordered(&self, cx: &mut Context<'_>) -> Poll<()> {
        match &mut crate::lock(&self.inner.work).unordered {
            None => Poll::Ready(()),
            Some(unordered) => {
                unordered.waiting = Some(cx.waker().clone());
                Poll::Pending
            }
        }
    }
}
