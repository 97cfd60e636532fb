//! One namespace as an application holds it: what it hears there and what it says.

use crate::args::Arguments;
use crate::driver::Driver;
use crate::listeners::{Guard, News, Topic};
use crate::reply::Reply;
use crate::waiter::{self, Answer, Waiter};
use crate::{Ack, AckError, AckFuture, Args, Problem, Refusal};
use encke_protocol::client::{Emit, Event as Happened, NotSent, SocketId};
use encke_protocol::contract::{self, Event, HeardByClient, HeardByServer};
use encke_protocol::json;
use encke_protocol::socket::DisconnectReason;
use serde::Serialize;
use std::borrow::Cow;
use std::rc::Rc;

type Then = Box<dyn FnOnce(Answer)>;

/// This client in one namespace. Cheap to clone; clones are the same socket, but each has its own [`Socket::timeout`].
///
/// Handlers hear what comes after they were added, so add them before [`Client::connect`](crate::Client::connect), or in
/// the same turn. No handler is called inside a call of this library: what a call brings about is told right after it.
#[derive(Clone)]
pub struct Socket {
    driver: Rc<Driver>,
    id: SocketId,
    ack_timeout: u32,
    volatile: bool,
}

/// What is heard.
impl Socket {
    /// Calls `handler` for each event `E` that the server sends. What the handler returns is the event's ack: a
    /// `Result<E::Ack, E::Error>`, or nothing when the event has no ack.
    pub fn on<E, R, F>(&self, handler: F) -> Guard
    where
        E: Event<Direction: HeardByClient>,
        R: Reply<E>,
        F: Fn(E) -> R + 'static,
    {
        self.listen_to(false, handler)
    }

    /// As [`Socket::on`], for the next event only.
    pub fn once<E, R, F>(&self, handler: F) -> Guard
    where
        E: Event<Direction: HeardByClient>,
        R: Reply<E>,
        F: Fn(E) -> R + 'static,
    {
        self.listen_to(true, handler)
    }

    /// Calls `handler` for each event of that name.
    pub fn on_named(
        &self,
        name: impl Into<Cow<'static, str>>,
        handler: impl Fn(&Args, &Ack) + 'static,
    ) -> Guard {
        self.listen(self.event_topic(name.into()), false, move |news| {
            if let News::Event(args, ack) = news {
                handler(args, ack);
            }
        })
    }

    /// As [`Socket::on_named`], for the next event of that name only.
    pub fn once_named(
        &self,
        name: impl Into<Cow<'static, str>>,
        handler: impl Fn(&Args, &Ack) + 'static,
    ) -> Guard {
        self.listen(self.event_topic(name.into()), true, move |news| {
            if let News::Event(args, ack) = news {
                handler(args, ack);
            }
        })
    }

    /// Calls `handler` whenever the socket has joined its namespace: at first and after each reconnect.
    pub fn on_connect(&self, handler: impl Fn() + 'static) -> Guard {
        self.listen(Topic::Connect(self.id), false, move |_| handler())
    }

    /// Calls `handler` whenever the socket has lost its namespace.
    pub fn on_disconnect(&self, handler: impl Fn(DisconnectReason) + 'static) -> Guard {
        self.listen(Topic::Disconnect(self.id), false, move |news| {
            if let News::Disconnect(reason) = news {
                handler(*reason);
            }
        })
    }

    /// Calls `handler` whenever the server does not let the socket in. It does not ask again by itself; [`Socket::join`]
    /// does.
    pub fn on_refused(&self, handler: impl Fn(&Refusal) + 'static) -> Guard {
        self.listen(Topic::Refused(self.id), false, move |news| {
            if let News::Refused(refusal) = news {
                handler(refusal);
            }
        })
    }

    /// Calls `handler` whenever something had to be dropped. Without such a handler it is dropped in silence.
    pub fn on_problem(&self, handler: impl Fn(&Problem) + 'static) -> Guard {
        self.listen(Topic::Problem(self.id), false, move |news| {
            if let News::Problem(problem) = news {
                handler(problem);
            }
        })
    }

    fn listen_to<E: Event, R: Reply<E>>(&self, once: bool, handler: impl Fn(E) -> R + 'static) -> Guard {
        let (driver, id) = (Rc::downgrade(&self.driver), self.id);
        self.listen(self.event_topic(Cow::Borrowed(E::NAME)), once, move |news| {
            let News::Event(args, ack) = news else {
                return;
            };
            match json::from_str(args.first()) {
                Ok(event) => handler(event).reply(ack),
                Err(_) => {
                    if let Some(driver) = driver.upgrade() {
                        driver.announce_malformed(id, E::NAME);
                    }
                }
            }
        })
    }

    fn listen(&self, topic: Topic, once: bool, listener: impl Fn(&News<'_>) + 'static) -> Guard {
        self.driver.listen(topic, once, Rc::new(listener))
    }

    fn event_topic(&self, name: Cow<'static, str>) -> Topic {
        Topic::Event(self.id, name)
    }
}

/// What is said.
impl Socket {
    /// Emits an event without waiting for an answer. Until the socket can send, the event is queued.
    ///
    /// # Errors
    /// [`NotSent`]: nothing is queued.
    pub fn emit<E: Event<Direction: HeardByServer>>(&self, event: &E) -> Result<(), NotSent> {
        self.send(Cow::Borrowed(E::NAME), Args::single(event), None)
    }

    /// Emits an event and calls `then` with its ack, or with why there is none. It is called exactly once and never inside
    /// this call; only when the whole client is dropped, it is dropped with it.
    pub fn emit_then<E, F>(&self, event: &E, then: F)
    where
        E: Event<Direction: HeardByServer, Ack: contract::Ack>,
        F: FnOnce(Result<E::Ack, AckError<E::Error>>) + 'static,
    {
        let then = Box::new(|answer| then(waiter::typed::<E>(answer)));
        // The callback is told as well.
        let _ = self.send(Cow::Borrowed(E::NAME), Args::single(event), Some((self.driver.key(), then)));
    }

    /// Emits an event at once and gives a future of its ack. The future always ends; dropping it gives the ack up.
    pub fn emit_with_ack<E>(&self, event: &E) -> AckFuture<Result<E::Ack, AckError<E::Error>>>
    where
        E: Event<Direction: HeardByServer, Ack: contract::Ack>,
    {
        let key = self.driver.key();
        let (future, then) = AckFuture::new(&self.driver, self.id, key, waiter::typed::<E>);
        // The future is told as well.
        let _ = self.send(Cow::Borrowed(E::NAME), Args::single(event), Some((key, then)));
        future
    }

    /// Emits an event by its name; see [`Socket::emit`].
    ///
    /// # Errors
    /// [`NotSent`]: nothing is queued.
    pub fn emit_named(
        &self,
        name: impl Into<Cow<'static, str>>,
        args: &(impl Arguments + ?Sized),
    ) -> Result<(), NotSent> {
        self.send(name.into(), args.to_args(), None)
    }

    /// Emits an event by its name and calls `then` with the answer; see [`Socket::emit_then`].
    pub fn emit_named_then(
        &self,
        name: impl Into<Cow<'static, str>>,
        args: &(impl Arguments + ?Sized),
        then: impl FnOnce(Result<Args, AckError>) + 'static,
    ) {
        let then = Box::new(|answer| then(waiter::untyped(answer)));
        // The callback is told as well.
        let _ = self.send(name.into(), args.to_args(), Some((self.driver.key(), then)));
    }

    /// Emits an event by its name and gives a future of the answer; see [`Socket::emit_with_ack`].
    pub fn emit_named_with_ack(
        &self,
        name: impl Into<Cow<'static, str>>,
        args: &(impl Arguments + ?Sized),
    ) -> AckFuture<Result<Args, AckError>> {
        let key = self.driver.key();
        let (future, then) = AckFuture::new(&self.driver, self.id, key, waiter::untyped);
        // The future is told as well.
        let _ = self.send(name.into(), args.to_args(), Some((key, then)));
        future
    }

    /// The same socket, whose acks are waited for so many milliseconds: `socket.timeout(2_000).emit_then(…)`.
    #[must_use]
    pub fn timeout(&self, milliseconds: u32) -> Self {
        Self { ack_timeout: milliseconds, ..self.clone() }
    }

    /// The same socket, whose events are dropped when they cannot be sent at once: `socket.volatile().emit(…)`.
    #[must_use]
    pub fn volatile(&self) -> Self {
        Self { volatile: true, ..self.clone() }
    }

    fn send(
        &self,
        name: Cow<'static, str>,
        args: Result<Args, json::Error>,
        then: Option<(u32, Then)>,
    ) -> Result<(), NotSent> {
        let waiter = then.map(|(key, then)| Waiter { key, then });
        let Ok(args) = args else {
            return self.not_sent(NotSent::Unwritable, waiter);
        };
        let ack = waiter.map(|waiter| (waiter, self.ack_timeout));
        let emit = Emit { name, args: args.0, volatile: self.volatile, ack };
        match self.driver.ask(|core, now| core.emit(now, self.id, emit)) {
            Ok(()) => Ok(()),
            Err(error) => self.not_sent(error.reason, error.ack),
        }
    }

    fn not_sent(&self, reason: NotSent, waiter: Option<Waiter>) -> Result<(), NotSent> {
        if let Some(slot) = waiter {
            let result = Err(encke_protocol::client::AckFailure::NotSent(reason));
            self.driver.tell_later(Happened::Ack { slot, result });
        }
        Err(reason)
    }
}

/// Coming and going.
impl Socket {
    pub(crate) fn new(driver: Rc<Driver>, id: SocketId, ack_timeout: u32) -> Self {
        Self { driver, id, ack_timeout, volatile: false }
    }

    /// Whether the socket is in its namespace now.
    pub fn is_connected(&self) -> bool {
        self.driver.look(|core| core.is_joined(self.id))
    }

    /// The name that the server gave the socket, another one after each reconnect; none while it is not in its namespace.
    pub fn id(&self) -> Option<String> {
        self.driver.look(|core| core.sid(self.id).map(str::to_owned))
    }

    /// What the socket says of itself when it joins from now on: something that is an object in JSON. Set it before the
    /// client connects, and again when it has changed.
    ///
    /// # Errors
    /// When the value cannot be written as JSON.
    pub fn set_auth(&self, auth: &impl Serialize) -> Result<(), json::Error> {
        let auth = json::to_string(auth)?;
        self.driver.ask(|core, _| core.set_auth(self.id, Some(auth)));
        Ok(())
    }

    /// Joins again after the socket has left, was refused or was put out.
    pub fn join(&self) {
        self.driver.ask(|core, _| core.join(self.id));
    }

    /// Leaves the namespace; the client stays connected for the others. What is queued is dropped, awaited acks end.
    pub fn leave(&self) {
        self.driver.ask(|core, _| core.leave(self.id));
    }
}
