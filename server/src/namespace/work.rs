//! The events of one socket, handled one after the other.
//!
//! Owns the queue behind a handler that has not finished. A handler runs where its event was read; only when it waits
//! for something does it move to a task of its own, and later events of the same socket line up behind it. When too many
//! do, reading from that client pauses until the queue is short again.

use super::unordered::Unordered;
use super::{Args, Refusal, Socket};
use crate::turn;
use encke_protocol::socket::{AckId, DisconnectReason};
use std::any::Any;
use std::borrow::Cow;
use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::MutexGuard;
use std::task::{Context, Poll, Waker};

/// What a handler still has to do.
pub(crate) type Pending = Pin<Box<dyn Future<Output = ()> + Send>>;

/// What a queued event costs beside its bytes.
const JOB_COST: usize = 128;

/// Something for the handlers of a socket.
#[derive(Debug)]
pub(crate) enum Job<'a> {
    /// The client asked to join; whether it may is being decided.
    Admit,
    Event {
        name: Cow<'a, str>,
        id: Option<AckId>,
        args: Args<'a>,
    },
    Disconnect(DisconnectReason),
    /// The client has come back as that socket, which is to be admitted.
    Succeed(Socket),
    /// The client cannot come back any more.
    Expired,
}

impl Job<'_> {
    fn into_owned(self) -> Job<'static> {
        match self {
            Self::Admit => Job::Admit,
            Self::Event { name, id, args } => {
                Job::Event { name: Cow::Owned(name.into_owned()), id, args: args.into_owned() }
            }
            Self::Disconnect(reason) => Job::Disconnect(reason),
            Self::Succeed(by) => Job::Succeed(by),
            Self::Expired => Job::Expired,
        }
    }

    fn cost(&self) -> usize {
        match self {
            Self::Event { name, args, .. } => JOB_COST + name.len() + args.cost(),
            Self::Admit | Self::Disconnect(_) => JOB_COST,
            // They have a place of their own.
            Self::Succeed(_) | Self::Expired => 0,
        }
    }
}

/// The work of one socket.
#[derive(Debug, Default)]
pub(crate) struct Work {
    /// Somebody is running a handler; who comes now queues.
    busy: bool,
    /// Its disconnect handler is under way or queued. What another thread still brings comes too late.
    left: bool,
    paused: bool,
    /// What is left for later, if anything is.
    behind: Option<Box<Behind>>,
    /// What is under way beside the queue, if anything is.
    pub(super) unordered: Option<Box<Unordered>>,
}

#[derive(Debug, Default)]
struct Behind {
    cost: usize,
    queue: VecDeque<Job<'static>>,
    /// Behind the disconnect: as whom the client has come back.
    successor: Option<Socket>,
    /// Behind the disconnect: it is for good.
    expired: bool,
}

impl Work {
    fn next(&mut self) -> Option<Job<'static>> {
        let behind = self.behind.as_mut()?;
        let job = behind.queue.pop_front().or_else(|| {
            // What is left to do when all handlers have finished.
            let successor = self.left.then(|| behind.successor.take())?;
            successor
                .map(Job::Succeed)
                .or_else(|| std::mem::take(&mut behind.expired).then_some(Job::Expired))
        });
        match &job {
            Some(job) => behind.cost -= job.cost(),
            // Nobody has come back yet, nor is it told that nobody will.
            None if behind.successor.is_some() || behind.expired => {}
            None => self.behind = None,
        }
        job
    }

    fn cost(&self) -> usize {
        self.behind.as_ref().map_or(0, |behind| behind.cost)
    }
}

impl Socket {
    /// Has `job` handled behind everything that came before it. After the disconnect there is nothing to do.
    pub(crate) fn deliver(&self, job: Job<'_>) {
        let mut work = crate::lock(&self.inner.work);
        if work.left {
            return;
        }
        work.left = matches!(job, Job::Disconnect(_));
        if std::mem::replace(&mut work.busy, true) {
            return self.line_up(work, job.into_owned());
        }
        drop(work);
        self.work_off(job);
    }

    /// Queues a job behind what is under way.
    fn line_up(&self, mut work: MutexGuard<'_, Work>, job: Job<'static>) {
        let behind = work.behind.get_or_insert_default();
        behind.cost += job.cost();
        behind.queue.push_back(job);
        let pause = !work.paused && work.cost() > self.inner.namespace.settings.max_queued_events;
        work.paused |= pause;
        drop(work);
        if pause {
            self.inner.peer.pause();
        }
    }

    /// The client has come back as that socket, which is admitted when this one has finished: so what it sent and sends
    /// stays in order. Who waits for that already has lost its connection.
    pub(super) fn succeed(&self, by: Socket) {
        let replaced = self.behind_disconnect(|behind| behind.successor.replace(by));
        if let Some(replaced) = replaced {
            replaced.inner.peer.clone().end();
        }
    }

    /// The client cannot come back any more.
    pub(crate) fn expire(&self) {
        self.behind_disconnect(|behind| behind.expired = true);
    }

    fn behind_disconnect<T>(&self, add: impl FnOnce(&mut Behind) -> T) -> T {
        let mut work = crate::lock(&self.inner.work);
        let result = add(work.behind.get_or_insert_default());
        // Else whoever is at work, or brings the disconnect, comes to it.
        let job = if work.left && !work.busy { work.next() } else { None };
        work.busy |= job.is_some();
        drop(work);
        if let Some(job) = job {
            self.work_off(job);
        }
        result
    }

    fn work_off(&self, mut job: Job<'_>) {
        loop {
            if let Some(rest) = self.start(job) {
                tokio::spawn(finish(self.clone(), rest));
                return;
            }
            match self.next_job() {
                Some(next) => job = next,
                None => return,
            }
        }
    }

    fn next_job(&self) -> Option<Job<'static>> {
        let mut work = crate::lock(&self.inner.work);
        let job = work.next();
        work.busy = job.is_some();
        let resume = work.paused && work.cost() <= self.inner.namespace.settings.max_queued_events / 2;
        work.paused &= !resume;
        let parted = job.is_none() && work.left;
        drop(work);
        if resume {
            self.inner.peer.resume();
        }
        if parted {
            self.inner.peer.parted();
        }
        job
    }

    fn start(&self, job: Job<'_>) -> Option<Pending> {
        self.begin_caught(|| self.run(job))
    }

    /// Runs a handler as far as it goes at once; no panic leaves it.
    pub(super) fn begin_caught(&self, handler: impl FnOnce() -> Option<Pending>) -> Option<Pending> {
        let started = catch_unwind(AssertUnwindSafe(handler));
        let mut rest = started.unwrap_or_else(|panic| {
            self.report(panic.as_ref());
            None
        })?;
        // The task that it moves to, if it has to, registers for real.
        match self.poll_caught(&mut rest, &mut Context::from_waker(Waker::noop())) {
            Poll::Ready(()) => None,
            Poll::Pending => Some(rest),
        }
    }

    /// One poll of a handler: a turn of its own, and no panic leaves it.
    pub(super) fn poll_caught(&self, handler: &mut Pending, cx: &mut Context<'_>) -> Poll<()> {
        let polled = turn::run(|| catch_unwind(AssertUnwindSafe(|| handler.as_mut().poll(cx))));
        polled.unwrap_or_else(|panic| {
            self.report(panic.as_ref());
            Poll::Ready(())
        })
    }

    /// A handler panicked. If that was while the client asked to enter, it must not wait for ever.
    fn report(&self, panic: &(dyn Any + Send)) {
        let text = panic_text(panic);
        tracing::error!(namespace = self.namespace_name(), socket = %self.id(), panic = text, "a handler panicked");
        if self.decide() {
            self.keep_out();
            let refusal = Refusal::new("Internal error");
            turn::run(|| self.inner.peer.clone().refuse(self.namespace_name(), &refusal));
        }
    }
}

/// What the application said when it panicked.
pub(super) fn panic_text(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<&str>().copied();
    text.or_else(|| panic.downcast_ref::<String>().map(String::as_str)).unwrap_or("(no text)")
}

/// Goes on with a handler that waits, then with what has queued up behind it.
async fn finish(socket: Socket, mut rest: Pending) {
    loop {
        std::future::poll_fn(|cx| socket.poll_caught(&mut rest, cx)).await;
        rest = loop {
            let Some(job) = socket.next_job() else { return };
            if let Some(rest) = turn::run(|| socket.start(job)) {
                break rest;
            }
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::namespace::peer::Doorkeeper;
    use crate::namespace::{Auth, Handlers, Namespace};
    use encke_protocol::socket;
    use std::sync::{Arc, Mutex};

    #[test]
    fn nothing_is_handled_behind_the_disconnect() {
        let log: Arc<Mutex<Vec<&str>>> = Arc::default();
        let (events, leaves) = (log.clone(), log.clone());
        let mut on = Handlers::default();
        on.on_named("event", move |_socket, _args, _ack| crate::lock(&events).push("event"));
        on.on_disconnect(move |_socket, _reason| crate::lock(&leaves).push("disconnect"));
        let peer = Arc::new(Doorkeeper::default());
        Namespace::on_trial(on).knock(peer.clone(), 1, Auth::new(None));
        let socket = peer.admitted();
        let event = || Job::Event { name: "event".into(), id: None, args: Args(socket::Args::default()) };
        socket.deliver(event());
        socket.disconnected(DisconnectReason::ByClient);
        socket.deliver(event());
        assert_eq!(*crate::lock(&log), ["event", "disconnect"]);
        assert_eq!(peer.parted(), 1);
    }
}
