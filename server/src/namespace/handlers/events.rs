//! Handlers of events: typed ones and those by name, plain, async and unordered.

use super::{Handlers, OnEvent, Reply, reply};
use crate::namespace::{Ack, Args, Arguments, Socket, TypedAck};
use encke_protocol::contract::{self, Event, HeardByServer};
use serde::Serialize;
use std::sync::Arc;

impl Handlers {
    /// A client has sent the event `E`. What the handler returns is the event's ack. An event that does not have the type
    /// of its contract is logged and answered without arguments, which no typed client takes for an ack. The last handler of
    /// an event counts.
    ///
    /// ```
    /// use encke_server::contract::{Event, ToServer};
    /// # use encke_server::Server;
    /// # use serde::{Deserialize, Serialize};
    ///
    /// #[derive(Serialize, Deserialize)]
    /// struct Divide {
    ///     a: u32,
    ///     b: u32,
    /// }
    ///
    /// impl Event for Divide {
    ///     const NAME: &'static str = "divide";
    ///     type Direction = ToServer;
    ///     type Ack = u32;
    ///     type Error = String;
    /// }
    ///
    /// # let _ =
    /// Server::builder().namespace("/", |on| {
    ///     on.on(|_socket, ask: Divide| ask.a.checked_div(ask.b).ok_or("by zero".to_owned()));
    /// });
    /// ```
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
    ///
    /// ```
    /// # use encke_server::contract::{Event, ToServer};
    /// # use encke_server::Server;
    /// # use serde::{Deserialize, Serialize};
    /// # #[derive(Serialize, Deserialize)]
    /// # struct Divide { a: u32, b: u32 }
    /// # impl Event for Divide {
    /// #     const NAME: &'static str = "divide";
    /// #     type Direction = ToServer;
    /// #     type Ack = u32;
    /// #     type Error = String;
    /// # }
    /// # let _ =
    /// Server::builder().namespace("/", |on| {
    ///     on.on_acked(|_socket, ask: Divide, ack| {
    ///         std::thread::spawn(move || ack.send(&ask.a.checked_div(ask.b).ok_or("by zero".to_owned())));
    ///     });
    /// });
    /// ```
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

    /// As [`Self::on`], for a handler that waits. Later events of the socket wait for it, also those that it waits for itself:
    /// [`Self::on_unordered`] is for a handler that does. An answer to an event of the server's own comes through.
    ///
    /// ```
    /// # use encke_server::contract::{Event, ToServer};
    /// # use encke_server::Server;
    /// # use serde::{Deserialize, Serialize};
    /// # #[derive(Serialize, Deserialize)]
    /// # struct Divide { a: u32, b: u32 }
    /// # impl Event for Divide {
    /// #     const NAME: &'static str = "divide";
    /// #     type Direction = ToServer;
    /// #     type Ack = u32;
    /// #     type Error = String;
    /// # }
    /// async fn divide(_socket: encke_server::Socket, ask: Divide) -> Result<u32, String> {
    ///     tokio::task::yield_now().await;
    ///     ask.a.checked_div(ask.b).ok_or("by zero".to_owned())
    /// }
    ///
    /// # let _ =
    /// Server::builder().namespace("/", |on| {
    ///     on.on_async(divide);
    /// });
    /// ```
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
    ///
    /// ```
    /// # use encke_server::contract::{Event, ToServer};
    /// # use encke_server::Server;
    /// # use serde::{Deserialize, Serialize};
    /// # #[derive(Serialize, Deserialize)]
    /// # struct Divide { a: u32, b: u32 }
    /// # impl Event for Divide {
    /// #     const NAME: &'static str = "divide";
    /// #     type Direction = ToServer;
    /// #     type Ack = u32;
    /// #     type Error = String;
    /// # }
    /// # let _ =
    /// Server::builder().namespace("/", |on| {
    ///     on.on_unordered(|_socket, ask: Divide| async move {
    ///         tokio::time::sleep(std::time::Duration::from_secs(ask.a.into())).await;
    ///         ask.a.checked_div(ask.b).ok_or("by zero".to_owned())
    ///     });
    /// });
    /// ```
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
                socket.start_unordered(args.cost(), move |socket| {
                    let future = handler(socket, event);
                    Box::pin(async move { future.await.reply(ack) })
                })
            }),
        )
    }

    /// A client has sent the event of that name. The last handler of a name counts.
    ///
    /// ```
    /// # use encke_server::Server;
    /// # let _ =
    /// Server::builder().namespace("/", |on| {
    ///     on.on_named("greet", |_socket, args, ack| match args.decode::<(String,)>() {
    ///         Ok((name,)) => ack.send(&format!("Hello, {name}")).expect("text can be written"),
    ///         Err(error) => eprintln!("not a name: {error}"),
    ///     });
    /// });
    /// ```
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

    /// As [`Self::on_named`], for a handler that waits; see [`Self::on_async`].
    ///
    /// ```
    /// # use encke_server::{Ack, Args, Server, Socket};
    /// async fn ping(_socket: Socket, args: Args<'static>, ack: Ack) {
    ///     tokio::task::yield_now().await;
    ///     ack.send(&args).expect("as they came");
    /// }
    ///
    /// # let _ =
    /// Server::builder().namespace("/", |on| {
    ///     on.on_named_async("ping", ping);
    /// });
    /// ```
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
    ///
    /// ```
    /// # use encke_server::Server;
    /// # let _ =
    /// Server::builder().namespace("/", |on| {
    ///     on.on_named_unordered("report", |_socket, _args, ack| async move {
    ///         tokio::time::sleep(std::time::Duration::from_secs(10)).await;
    ///         ack.send("it was a long day").expect("text can be written");
    ///     });
    /// });
    /// ```
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
                socket.start_unordered(args.cost(), move |socket| Box::pin(handler(socket, args, ack)))
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

    /// As [`Self::on_call`], for a handler that waits; [`ServerBuilder::state`](crate::ServerBuilder::state) has an example.
    ///
    /// ```
    /// # use encke_server::{Args, Refusal, Server, Socket};
    /// async fn divide(_socket: Socket, args: Args<'static>) -> Result<u32, Refusal> {
    ///     let (a, b): (u32, u32) = args.decode()?;
    ///     tokio::task::yield_now().await;
    ///     a.checked_div(b).ok_or("by zero".into())
    /// }
    ///
    /// # let _ =
    /// Server::builder().namespace("/", |on| {
    ///     on.on_call_async("divide", divide);
    /// });
    /// ```
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
