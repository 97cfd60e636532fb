//! What an application does about its clients: handlers, registered before the first client can come.
//!
//! A plain handler is a function that returns at once; it is called where its event was read and costs nothing else. An
//! async one may wait; it is polled there once and moves to a task only if it does wait. Both see the events of one socket
//! in the order in which they were sent, each after the one before has finished.

use super::work::Pending;
use super::{Ack, Args, Auth, Refusal, Socket, TypedAck};
use encke_protocol::contract::{self, Event, HeardByServer, NoAck};
use encke_protocol::socket::DisconnectReason;
use std::collections::HashMap;

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
pub(super) type OnAdmit = Box<dyn Fn(&Socket) -> Admission + Send + Sync>;
pub(super) type OnConnect = Box<dyn Fn(&Socket) -> Option<Pending> + Send + Sync>;
pub(super) type OnDisconnect = Box<dyn Fn(&Socket, DisconnectReason) -> Option<Pending> + Send + Sync>;

pub(super) enum Admission {
    Decided(Result<(), Refusal>),
    Waits(std::pin::Pin<Box<dyn Future<Output = Result<(), Refusal>> + Send>>),
}

/// The handlers of one namespace.
#[derive(Default)]
pub struct Handlers {
    /// All of them have to agree, one after the other.
    pub(super) admit: Vec<OnAdmit>,
    pub(super) connect: Option<OnConnect>,
    pub(super) disconnect: Option<OnDisconnect>,
    pub(super) events: HashMap<Box<str>, OnEvent>,
}

impl Handlers {
    /// Decides who may enter, by what the client says of itself and by its [`Socket::handshake`]. The socket is not
    /// connected yet: it can be given values, but nothing can be sent. May be given several times: in the order in which
    /// they were given, each one is asked after the one before has agreed, and the first refusal counts. Without any,
    /// everybody may enter.
    ///
    /// ```
    /// # use encke_server::Server;
    /// # #[derive(serde::Deserialize)]
    /// # struct Login { name: String }
    /// struct User {
    ///     name: String,
    /// }
    ///
    /// let server = Server::builder().namespace("/", |on| {
    ///     on.admit(|socket, auth| {
    ///         let login: Login = auth.decode()?;
    ///         socket.set(User { name: login.name });
    ///         Ok(())
    ///     });
    ///     on.on_named("who am I", |socket, _args, ack| {
    ///         let user = socket.find::<User>();
    ///         let _ = ack.send(&user.map(|user| user.name.clone()));
    ///     });
    /// });
    /// # let _ = server;
    /// ```
    pub fn admit<F>(&mut self, decide: F) -> &mut Self
    where
        F: Fn(&Socket, Auth<'_>) -> Result<(), Refusal> + Send + Sync + 'static,
    {
        self.admit.push(Box::new(move |socket| Admission::Decided(decide(socket, socket.auth().borrowed()))));
        self
    }

    /// As [`Self::admit`], for a decision that has to wait for something.
    pub fn admit_async<F, Fut>(&mut self, decide: F) -> &mut Self
    where
        F: Fn(Socket, Auth<'static>) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<(), Refusal>> + Send + 'static,
    {
        self.admit.push(Box::new(move |socket| {
            Admission::Waits(Box::pin(decide(socket.clone(), socket.auth().clone())))
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
