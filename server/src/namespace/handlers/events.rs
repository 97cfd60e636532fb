//! Handlers of events: typed ones and those by name, plain, async and unordered.

use super::{Handlers, OnEvent, Reply, reply};
use crate::namespace::{Ack, Args, Arguments, Socket, TypedAck};
use encke_protocol::contract::{self, Event, HeardByServer};
use serde::Serialize;
use std::sync::Arc;

impl Handlers {
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

    /// As [`Self::on_async`], for a handler that holds up none of the socket's later events. It begins in its turn; from where it
    /// first waits, others may overtake it. [`Limits::max_unordered`](crate::Limits::max_unordered) says how many of one
    /// socket may be under way.
    pub fn on_unordered<E, R, F, Fut>(&mut self, handler: F) -> &mut Self
    where
        E: Event<Direction: HeardByServer> + Send,
        R: Reply<E>,
        F: Fn(Socket, E) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = R> + Send + 'static,
    {
        let handler = Arc::new(handler);
        self.insert(
            E::NAME,
            Box::new(move |socket, args, ack| {
                let (handler, event) = (handler.clone(), decode::<E>(socket, &args)?);
                socket.start_unordered(move |socket| {
                    let future = handler(socket, event);
                    Box::pin(async move { future.await.reply(ack) })
                })
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

    /// As [`Self::on_unordered`], by name.
    pub fn on_named_unordered<F, Fut>(&mut self, name: &str, handler: F) -> &mut Self
    where
        F: Fn(Socket, Args<'static>, Ack) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = ()> + Send + 'static,
    {
        let handler = Arc::new(handler);
        self.insert(
            name,
            Box::new(move |socket, args, ack| {
                let (handler, args) = (handler.clone(), args.into_owned());
                socket.start_unordered(move |socket| Box::pin(handler(socket, args, ack)))
            }),
        )
    }

    /// As [`Self::on_named`], for a handler whose result is the ack: what it returns, as several arguments if it is a tuple or
    /// list, or `{"error": …}`.
    ///
    /// ```
    /// # use encke_server::{Refusal, Server};
    /// # let _ =
    /// Server::builder().namespace("/", |on| {
    ///     on.on_call("divide", |_socket, args| {
    ///         let (a, b): (u32, u32) = args.decode()?;
    ///         a.checked_div(b).ok_or(Refusal::new("by zero"))
    ///     });
    /// });
    /// ```
    pub fn on_call<T, E, F>(&mut self, name: &str, handler: F) -> &mut Self
    where
        T: Arguments,
        E: Serialize,
        F: Fn(&Socket, Args<'_>) -> Result<T, E> + Send + Sync + 'static,
    {
        let event: Box<str> = name.into();
        self.on_named(name, move |socket, args, ack| reply::answer(&event, handler(socket, args), ack))
    }

    /// As [`Self::on_call`], for a handler that waits.
    pub fn on_call_async<T, E, F, Fut>(&mut self, name: &str, handler: F) -> &mut Self
    where
        T: Arguments,
        E: Serialize,
        F: Fn(Socket, Args<'static>) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<T, E>> + Send + 'static,
    {
        let event: Arc<str> = name.into();
        self.on_named_async(name, move |socket, args, ack| {
            let (event, result) = (event.clone(), handler(socket, args));
            async move { reply::answer(&event, result.await, ack) }
        })
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
