//! Handlers of one socket that hold up none of its events: those that are under way beside its queue.
//!
//! Owns how many there may be. One too many waits for its turn as any handler waits, with later events behind it, so that
//! what a client can have under way has a bound. The disconnect waits for all of them.

use super::Socket;
use super::work::Pending;
use std::future::poll_fn;
use std::task::{Context, Poll, Waker};

/// Those of one socket.
#[derive(Debug, Default)]
pub(super) struct Unordered {
    under_way: usize,
    /// Who waits for one to end: at most one, for that is a handler of the queue.
    waiting: Option<Waker>,
}

/// One that is under way, until it is dropped.
struct Slot(Socket);

impl Drop for Slot {
    fn drop(&mut self) {
        let mut work = crate::lock(&self.0.inner.work);
        work.unordered.under_way -= 1;
        let waiting = work.unordered.waiting.take();
        drop(work);
        if let Some(waiting) = waiting {
            waiting.wake();
        }
    }
}

impl Slot {
    /// Runs a handler as far as it goes at once, and the rest as a task.
    fn start(self, handler: impl FnOnce(Socket) -> Pending) {
        let mut rest = handler(self.0.clone());
        if self.0.poll_caught(&mut rest, &mut Context::from_waker(Waker::noop())).is_pending() {
            tokio::spawn(async move {
                poll_fn(|cx| self.0.poll_caught(&mut rest, cx)).await;
                // The slot is freed after what the handler held.
                drop(rest);
                drop(self);
            });
        }
    }
}

impl Socket {
    /// Starts a handler beside the queue. What is left to wait for, if too many are under way.
    pub(super) fn start_unordered(
        &self,
        handler: impl FnOnce(Socket) -> Pending + Send + 'static,
    ) -> Option<Pending> {
        match self.poll_slot(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(slot) => {
                slot.start(handler);
                None
            }
            Poll::Pending => {
                let socket = self.clone();
                Some(Box::pin(async move { poll_fn(|cx| socket.poll_slot(cx)).await.start(handler) }))
            }
        }
    }

    fn poll_slot(&self, cx: &mut Context<'_>) -> Poll<Slot> {
        let mut work = crate::lock(&self.inner.work);
        if work.unordered.under_way < self.inner.namespace.settings.max_unordered {
            work.unordered.under_way += 1;
            return Poll::Ready(Slot(self.clone()));
        }
        work.unordered.waiting = Some(cx.waker().clone());
        Poll::Pending
    }

    /// Waits until none is under way.
    pub(super) fn poll_unordered(&self, cx: &mut Context<'_>) -> Poll<()> {
        let mut work = crate::lock(&self.inner.work);
        if work.unordered.under_way == 0 {
            return Poll::Ready(());
        }
        work.unordered.waiting = Some(cx.waker().clone());
        Poll::Pending
    }
}
