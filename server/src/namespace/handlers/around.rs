//! What runs around the handlers of events: who sees them all, who may stop them, and who takes the rest.

use super::{Handlers, reply};
use crate::namespace::work::Pending;
use crate::namespace::{Ack, Args, Socket};
use serde::Serialize;
use std::pin::Pin;

/// A namespace without any of it has none of this.
#[derive(Default)]
pub(in crate::namespace) struct Around {
    pub(in crate::namespace) any: Vec<OnAny>,
    pub(in crate::namespace) before: Vec<Before>,
}

pub(in crate::namespace) type OnAny = Box<dyn Fn(&Socket, &str, &Args<'_>) + Send + Sync>;
pub(in crate::namespace) type Before = Box<dyn Fn(&Socket, &str, &Args<'_>) -> Verdict + Send + Sync>;
/// As [`super::OnEvent`], with the event's name.
pub(in crate::namespace) type OnOther =
    Box<dyn Fn(&Socket, &str, Args<'_>, Ack) -> Option<Pending> + Send + Sync>;

/// Whether an event may be handled. If not, what it is answered.
type Passed = Result<(), Args<'static>>;

pub(in crate::namespace) enum Verdict {
    Reached(Passed),
    Waits(Pin<Box<dyn Future<Output = Passed> + Send>>),
}

impl Handlers {
    /// Sees every event that comes, before anything else happens to it. May be given several times.
    ///
    /// ```
    /// # use encke_server::Server;
    /// # let _ =
    /// Server::builder().namespace("/", |on| {
    ///     on.on_any(|socket, name, args| println!("{} says {name} with {} values", socket.id(), args.iter().count()));
    /// });
    /// ```
    pub fn on_any<F>(&mut self, see: F) -> &mut Self
    where
        F: Fn(&Socket, &str, &Args<'_>) + Send + Sync + 'static,
    {
        self.around_mut().any.push(Box::new(see));
        self
    }

    /// Decides whether an event may be handled. An error answers its ack with `{"error": …}`, and no handler runs. May be
    /// given several times: each one is asked after the one before has agreed.
    ///
    /// ```
    /// # use encke_server::Server;
    /// # struct Admin;
    /// # let _ =
    /// Server::builder().namespace("/", |on| {
    ///     on.before_event(|socket, name, _args| {
    ///         let allowed = !name.starts_with("admin:") || socket.find::<Admin>().is_some();
    ///         if allowed { Ok(()) } else { Err("for administrators only") }
    ///     });
    /// });
    /// ```
    pub fn before_event<E, F>(&mut self, decide: F) -> &mut Self
    where
        E: Serialize,
        F: Fn(&Socket, &str, &Args<'_>) -> Result<(), E> + Send + Sync + 'static,
    {
        self.around_mut().before.push(Box::new(move |socket, name, args| {
            let passed = decide(socket, name, args);
            Verdict::Reached(passed.map_err(|error| reply::failure(name, &error)))
        }));
        self
    }

    /// As [`Self::before_event`], for a decision that has to wait for something. Later events of the socket wait too.
    ///
    /// ```
    /// # use encke_server::{Args, Server, Socket};
    /// # struct Quota;
    /// # impl Quota { async fn take(&self, _: encke_server::SocketId) -> bool { true } }
    /// async fn within_quota(socket: Socket, _name: String, _args: Args<'static>) -> Result<(), &'static str> {
    ///     if socket.state::<Quota>().take(socket.id()).await { Ok(()) } else { Err("slow down") }
    /// }
    ///
    /// # let _ =
    /// Server::builder().state(Quota).namespace("/", |on| {
    ///     on.before_event_async(within_quota);
    /// });
    /// ```
    pub fn before_event_async<E, F, Fut>(&mut self, decide: F) -> &mut Self
    where
        E: Serialize,
        F: Fn(Socket, String, Args<'static>) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<(), E>> + Send + 'static,
    {
        self.around_mut().before.push(Box::new(move |socket, name, args| {
            let (name, args) = (name.to_owned(), args.clone().into_owned());
            let decision = decide(socket.clone(), name.clone(), args);
            Verdict::Waits(Box::pin(
                async move { decision.await.map_err(|error| reply::failure(&name, &error)) },
            ))
        }));
        self
    }

    /// A client has sent an event that has no handler of its own. Without this it is answered without arguments.
    ///
    /// ```
    /// # use encke_server::Server;
    /// # let _ =
    /// Server::builder().namespace("/", |on| {
    ///     on.fallback(|_socket, name, _args, ack| {
    ///         let _ = ack.send(&format!("what is {name}?"));
    ///     });
    /// });
    /// ```
    pub fn fallback<F>(&mut self, handler: F) -> &mut Self
    where
        F: Fn(&Socket, &str, Args<'_>, Ack) + Send + Sync + 'static,
    {
        self.fallback = Some(Box::new(move |socket, name, args, ack| {
            handler(socket, name, args, ack);
            None
        }));
        self
    }

    /// As [`Self::fallback`], for a handler that waits.
    ///
    /// ```
    /// # use encke_server::Server;
    /// # let _ =
    /// Server::builder().namespace("/", |on| {
    ///     on.fallback_async(|_socket, name, _args, ack| async move {
    ///         tokio::time::sleep(std::time::Duration::from_secs(1)).await;
    ///         ack.send(&format!("I have thought about it: what is {name}?")).expect("text can be written");
    ///     });
    /// });
    /// ```
    pub fn fallback_async<F, Fut>(&mut self, handler: F) -> &mut Self
    where
        F: Fn(Socket, String, Args<'static>, Ack) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = ()> + Send + 'static,
    {
        self.fallback = Some(Box::new(move |socket, name, args, ack| {
            Some(Box::pin(handler(socket.clone(), name.to_owned(), args.into_owned(), ack)))
        }));
        self
    }

    fn around_mut(&mut self) -> &mut Around {
        self.around.get_or_insert_default()
    }
}
