//! What an application does about its clients: handlers, registered before the first client can come.
//!
//! A plain handler is a function that returns at once; it is called where its event was read and costs nothing else. An
//! async one may wait; it is polled there once and moves to a task only if it does wait. Both see the events of one socket
//! in the order in which they were sent, each after the one before has finished.

use super::work::Pending;
use super::{Ack, Args, Socket, TypedAck};
use encke_protocol::contract::{self, Event, HeardByServer, NoAck};
use encke_protocol::socket::DisconnectReason;
use std::collections::HashMap;

/// A client is not let into a namespace.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    message: String,
    data: Option<String>,
}

impl Refusal {
    /// A refusal with words for people.
    pub fn new(message: impl Into<String>) -> Self {
        Self { message: message.into(), data: None }
    }

    /// Adds data for programs.
    ///
    /// # Errors
    /// When the value cannot be written as JSON.
    pub fn with_data(mut self, data: &impl serde::Serialize) -> Result<Self, serde_json::Error> {
        self.data = Some(serde_json::to_string(data)?);
        Ok(self)
    }

    pub(crate) fn message(&self) -> &str {
        &self.message
    }

    pub(crate) fn data(&self) -> Option<&str> {
        self.data.as_deref()
    }
}

/// What a handler of the typed event `E` may return: `Result<E::Ack, E::Error>`, or nothing when the event has no ack.
pub trait Reply<E: Event> {
    #[doc(hidden)]
    fn reply(self, ack: Ack);
}

impl<E: Event<Ack: contract::Ack>> Reply<E> for Result<E::Ack, E::Error> {
    fn reply(self, ack: Ack) {
        ack.send_result::<E>(&self);
    }
}

impl<E: Event<Ack = NoAck>> Reply<E> for () {
    fn reply(self, ack: Ack) {
        drop(ack);
    }
}

/// Runs a handler as far as it goes at once; the rest, if it waits.
pub(super) type OnEvent = Box<dyn Fn(&Socket, Args<'_>, Ack) -> Option<Pending> + Send + Sync>;
pub(super) type OnAdmit = Box<dyn Fn(&Socket, Option<&str>) -> Admission + Send + Sync>;
pub(super) type OnConnect = Box<dyn Fn(&Socket) -> Option<Pending> + Send + Sync>;
pub(super) type OnDisconnect = Box<dyn Fn(&Socket, DisconnectReason) -> Option<Pending> + Send + Sync>;

pub(super) enum Admission {
    Decided(Result<(), Refusal>),
    Waits(std::pin::Pin<Box<dyn Future<Output = Result<(), Refusal>> + Send>>),
}

/// The handlers of one namespace.
#[derive(Default)]
pub struct Handlers {
    pub(super) admit: Option<OnAdmit>,
    pub(super) connect: Option<OnConnect>,
    pub(super) disconnect: Option<OnDisconnect>,
    pub(super) events: HashMap<Box<str>, OnEvent>,
}

impl Handlers {
    /// Decides who may enter. `auth` is what the client says of itself: a JSON object, or nothing. The socket is not
    /// connected yet: it can be given values, but nothing can be sent. Without this, everybody may enter.
    pub fn admit<F>(&mut self, decide: F) -> &mut Self
    where
        F: Fn(&Socket, Option<&str>) -> Result<(), Refusal> + Send + Sync + 'static,
    {
        self.admit = Some(Box::new(move |socket, auth| Admission::Decided(decide(socket, auth))));
        self
    }

    /// As [`Self::admit`], for a decision that has to wait for something.
    pub fn admit_async<F, Fut>(&mut self, decide: F) -> &mut Self
    where
        F: Fn(Socket, Option<String>) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<(), Refusal>> + Send + 'static,
    {
        self.admit = Some(Box::new(move |socket, auth| {
            Admission::Waits(Box::pin(decide(socket.clone(), auth.map(str::to_owned))))
        }));
        self
    }

    /// A client has entered and knows it. Its events wait until this has finished.
    pub fn on_connect<F>(&mut self, handler: F) -> &mut Self
    where
        F: Fn(&Socket) + Send + Sync + 'static,
    {
        self.connect = Some(Box::new(move |socket| {
            handler(socket);
            None
        }));
        self
    }

    /// As [`Self::on_connect`], for a handler that waits.
    pub fn on_connect_async<F, Fut>(&mut self, handler: F) -> &mut Self
    where
        F: Fn(Socket) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = ()> + Send + 'static,
    {
        self.connect = Some(Box::new(move |socket| Some(Box::pin(handler(socket.clone())))));
        self
    }

    /// A client that had entered has left, or its connection has ended; it is in no room any more. Called once, after
    /// all its events.
    pub fn on_disconnect<F>(&mut self, handler: F) -> &mut Self
    where
        F: Fn(&Socket, DisconnectReason) + Send + Sync + 'static,
    {
        self.disconnect = Some(Box::new(move |socket, reason| {
            handler(socket, reason);
            None
        }));
        self
    }

    /// A client has sent the event `E`. What the handler returns is the event's ack. An event that does not have the type
    /// of its contract is logged and answered without arguments, which no typed client takes for an ack.
    pub fn on<E, R, F>(&mut self, handler: F) -> &mut Self
    where
        E: Event<Direction: HeardByServer>,
        R: Reply<E>,
        F: Fn(&Socket, E) -> R + Send + Sync + 'static,
    {
        self.on_named(E::NAME, move |socket, args, ack| {
            if let Some(event) = decode::<E>(socket, &args) {
                handler(socket, event).reply(ack);
            }
        })
    }

    /// As [`Self::on`], for a handler that answers by itself, before it returns or later.
    pub fn on_acked<E, F>(&mut self, handler: F) -> &mut Self
    where
        E: Event<Direction: HeardByServer, Ack: contract::Ack>,
        F: Fn(&Socket, E, TypedAck<E>) + Send + Sync + 'static,
    {
        self.on_named(E::NAME, move |socket, args, ack| {
            if let Some(event) = decode::<E>(socket, &args) {
                handler(socket, event, TypedAck::new(ack));
            }
        })
    }

    /// As [`Self::on`], for a handler that waits.
    pub fn on_async<E, R, F, Fut>(&mut self, handler: F) -> &mut Self
    where
        E: Event<Direction: HeardByServer>,
        R: Reply<E>,
        F: Fn(Socket, E) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = R> + Send + 'static,
    {
        self.insert(
            E::NAME,
            Box::new(move |socket, args, ack| {
                let future = handler(socket.clone(), decode::<E>(socket, &args)?);
                Some(Box::pin(async move { future.await.reply(ack) }))
            }),
        )
    }

    /// A client has sent the event of that name. The last handler of a name counts.
    pub fn on_named<F>(&mut self, name: &str, handler: F) -> &mut Self
    where
        F: Fn(&Socket, Args<'_>, Ack) + Send + Sync + 'static,
    {
        self.insert(
            name,
            Box::new(move |socket, args, ack| {
                handler(socket, args, ack);
                None
            }),
        )
    }

    /// As [`Self::on_named`], for a handler that waits.
    pub fn on_named_async<F, Fut>(&mut self, name: &str, handler: F) -> &mut Self
    where
        F: Fn(Socket, Args<'static>, Ack) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = ()> + Send + 'static,
    {
        self.insert(
            name,
            Box::new(move |socket, args, ack| {
                Some(Box::pin(handler(socket.clone(), args.into_owned(), ack)))
            }),
        )
    }

    fn insert(&mut self, name: &str, handler: OnEvent) -> &mut Self {
        self.events.insert(name.into(), handler);
        self
    }
}

fn decode<E: Event>(socket: &Socket, args: &Args<'_>) -> Option<E> {
    args.decode_first()
        .inspect_err(|error| {
            tracing::warn!(socket = %socket.id(), event = E::NAME, %error, "the payload is not of the event's type");
        })
        .ok()
}

impl std::fmt::Debug for Handlers {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Handlers").field("events", &self.events.keys()).finish_non_exhaustive()
    }
}
