//! From a job to the application's handlers: who decides, who sees, who handles.
//!
//! Owns the order in which they are asked. What none of them was registered for costs nothing: an event is one look-up and
//! one call.

use super::handlers::{Admission, Handlers, Verdict};
use super::work::{Job, Pending};
use super::{Ack, Args, Refusal, Socket};
use encke_protocol::socket::DisconnectReason;
use std::borrow::Cow;
use std::future::poll_fn;
use std::task::{Context, Waker};

impl Socket {
    /// Has the application handle `job` as far as it goes at once; the rest, if it waits.
    pub(super) fn run(&self, job: Job<'_>) -> Option<Pending> {
        match job {
            Job::Admit => self.admit(0),
            Job::Event { name, id, args } => {
                let ack = Ack::new(self, id);
                match &self.inner.namespace.handlers.around {
                    None => self.handle(&name, args, ack),
                    Some(around) => {
                        for see in &around.any {
                            // Who only sees it holds it back from nobody.
                            self.begin_caught(|| {
                                see(self, &name, &args);
                                None
                            });
                        }
                        self.check(0, name, args, ack)
                    }
                }
            }
            Job::Disconnect(reason) => self.depart(reason),
            Job::Succeed(by) => {
                by.inherit(self);
                by.deliver(Job::Admit);
                None
            }
            Job::Expired => self.each(|handlers| &handlers.expired, 0, |handler, socket| handler(socket)),
        }
    }

    /// Asks one after the other who decides about this event, from that one on.
    fn check(&self, from: usize, name: Cow<'_, str>, args: Args<'_>, ack: Ack) -> Option<Pending> {
        let around = self.inner.namespace.handlers.around.iter();
        for (index, before) in around.flat_map(|around| &around.before).enumerate().skip(from) {
            match before(self, &name, &args) {
                Verdict::Reached(Ok(())) => {}
                Verdict::Reached(Err(failure)) => {
                    ack.answer(&failure);
                    return None;
                }
                Verdict::Waits(decision) => {
                    let (socket, name, args) = (self.clone(), name.into_owned(), args.into_owned());
                    return Some(Box::pin(async move {
                        match decision.await {
                            Ok(()) => {
                                if let Some(rest) = socket.check(index + 1, Cow::Owned(name), args, ack) {
                                    rest.await;
                                }
                            }
                            Err(failure) => ack.answer(&failure),
                        }
                    }));
                }
            }
        }
        self.handle(&name, args, ack)
    }

    fn handle(&self, name: &str, args: Args<'_>, ack: Ack) -> Option<Pending> {
        let handlers = &self.inner.namespace.handlers;
        if let Some(handler) = handlers.events.get(name) {
            return handler(self, args, ack);
        }
        if let Some(fallback) = &handlers.fallback {
            return fallback(self, name, args, ack);
        }
        tracing::debug!(socket = %self.id(), event = name, "an event without handler");
        // Whoever waits for an answer gets one without arguments.
        None
    }

    /// The disconnect handler, behind what is still under way beside the queue.
    fn depart(&self, reason: DisconnectReason) -> Option<Pending> {
        if self.poll_unordered(&mut Context::from_waker(Waker::noop())).is_ready() {
            return self.departed(reason);
        }
        let socket = self.clone();
        Some(Box::pin(async move {
            poll_fn(|cx| socket.poll_unordered(cx)).await;
            if let Some(rest) = socket.departed(reason) {
                rest.await;
            }
        }))
    }

    fn departed(&self, reason: DisconnectReason) -> Option<Pending> {
        self.each(|handlers| &handlers.disconnect, 0, move |handler, socket| handler(socket, reason))
    }

    /// Asks one after the other who has a say in it, from that one on.
    fn admit(&self, from: usize) -> Option<Pending> {
        for (index, admit) in self.inner.namespace.handlers.admit.iter().enumerate().skip(from) {
            match admit(self) {
                Admission::Decided(Ok(())) => {}
                Admission::Decided(Err(refusal)) => return self.decided(Err(refusal)),
                Admission::Waits(decision) => {
                    let socket = self.clone();
                    return Some(Box::pin(async move {
                        let rest = match decision.await {
                            Ok(()) => socket.admit(index + 1),
                            Err(refusal) => socket.decided(Err(refusal)),
                        };
                        if let Some(rest) = rest {
                            rest.await;
                        }
                    }));
                }
            }
        }
        self.decided(Ok(()))
    }

    /// Calls one handler after the other, from that one on. One that panics holds back none of the others.
    fn each<H: 'static>(
        &self,
        which: fn(&Handlers) -> &[H],
        from: usize,
        call: impl Fn(&H, &Self) -> Option<Pending> + Copy + Send + 'static,
    ) -> Option<Pending> {
        let handlers = which(&self.inner.namespace.handlers);
        for (index, handler) in handlers.iter().enumerate().skip(from) {
            let Some(mut rest) = self.begin_caught(|| call(handler, self)) else { continue };
            let socket = self.clone();
            return Some(Box::pin(async move {
                poll_fn(|cx| socket.poll_caught(&mut rest, cx)).await;
                if let Some(rest) = socket.each(which, index + 1, call) {
                    rest.await;
                }
            }));
        }
        None
    }

    fn let_in(&self) -> bool {
        if let Some(link) = &self.inner.namespace.link {
            return link.let_in(self);
        }
        let accepted = self.inner.peer.clone().accept(self);
        if accepted {
            self.enter();
        }
        accepted
    }

    /// The client does not enter.
    pub(super) fn keep_out(&self) {
        if let Some(link) = &self.inner.namespace.link {
            link.keep_out(self);
        }
    }

    fn decided(&self, decision: Result<(), Refusal>) -> Option<Pending> {
        self.decide();
        let peer = self.inner.peer.clone();
        match decision {
            Ok(()) => {
                if !self.let_in() {
                    return None;
                }
                self.each(|handlers| &handlers.connect, 0, |handler, socket| handler(socket))
            }
            Err(refusal) => {
                self.keep_out();
                peer.refuse(self.namespace_name(), &refusal);
                None
            }
        }
    }
}
