//! What an application does about its clients: handlers, registered before the first client can come.
//!
//! A plain handler is a function that returns at once; it is called where its event was read and costs nothing else. An
//! async one may wait; it is polled there once and moves to a task only if it does wait. Both see the events of one socket
//! in the order in which they were sent, each after the one before has finished; but an unordered one holds up none of those
//! behind it.

mod around;
mod events;
mod outgoing;
mod reply;

pub(super) use around::Verdict;
pub use outgoing::Recipients;
pub(super) use outgoing::Whom;
pub use reply::Reply;

use super::servers::OnServerEvent;
use super::work::Pending;
use super::{Ack, Args, Auth, Refusal, Socket};
use around::{Around, OnOther};
use encke_protocol::socket::DisconnectReason;
use outgoing::OnOutgoing;
use std::collections::{BTreeMap, HashMap};
use std::pin::Pin;

/// Runs a handler as far as it goes at once; the rest, if it waits.
pub(super) type OnEvent = Box<dyn Fn(&Socket, Args<'_>, Ack) -> Option<Pending> + Send + Sync>;
pub(super) type OnAdmit = Box<dyn Fn(&Socket) -> Admission + Send + Sync>;
pub(super) type OnConnect = Box<dyn Fn(&Socket) -> Option<Pending> + Send + Sync>;
pub(super) type OnDisconnect = Box<dyn Fn(&Socket, DisconnectReason) -> Option<Pending> + Send + Sync>;

pub(super) enum Admission {
    Decided(Result<(), Refusal>),
    Waits(Pin<Box<dyn Future<Output = Result<(), Refusal>> + Send>>),
}

/// The handlers of one namespace.
///
/// ```
/// use encke_server::Server;
///
/// let server = Server::builder()
///     .namespace("/", |on| {
///         on.on_connect(|socket| socket.join("lobby")).on_named("say", |socket, args, _ack| {
///             socket.to("lobby").emit_named("said", &args);
///         });
///     })
///     .build();
/// assert!(server.namespace("/").is_some());
/// ```
#[derive(Default)]
pub struct Handlers {
    /// All of them have to agree, one after the other.
    pub(super) admit: Vec<OnAdmit>,
    pub(super) connect: Vec<OnConnect>,
    pub(super) disconnect: Vec<OnDisconnect>,
    pub(super) expired: Vec<OnConnect>,
    /// Looked up for each event: few names are compared faster than one is hashed.
    pub(super) events: BTreeMap<Box<str>, OnEvent>,
    /// For events of other names.
    pub(super) fallback: Option<OnOther>,
    pub(super) around: Option<Box<Around>>,
    /// Events of other servers.
    pub(super) server_events: HashMap<Box<str>, OnServerEvent>,
    outgoing: Vec<OnOutgoing>,
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
    ///
    /// ```
    /// # use encke_server::{Auth, Refusal, Server, Socket};
    /// # async fn look_up(_: &str) -> Option<String> { None }
    /// async fn admit(socket: Socket, _auth: Auth<'static>) -> Result<(), Refusal> {
    ///     let cookie = socket.handshake().header("cookie").ok_or("who are you?")?;
    ///     let user: String = look_up(cookie).await.ok_or("never heard of you")?;
    ///     socket.set(user);
    ///     Ok(())
    /// }
    ///
    /// # let _ =
    /// Server::builder().namespace("/", |on| {
    ///     on.admit_async(admit);
    /// });
    /// ```
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

    /// A client has entered and knows it. Its events wait until this has finished. May be given several times: all run, one
    /// after the other, as for [`Self::on_disconnect`] too.
    ///
    /// ```
    /// # use encke_server::Server;
    /// # let _ =
    /// Server::builder().namespace("/", |on| {
    ///     on.on_connect(|socket| {
    ///         socket.join("everybody who came by the front door");
    ///         socket.emit_named("welcome", &socket.id().to_string()).expect("text can be written");
    ///     });
    /// });
    /// ```
    pub fn on_connect<F>(&mut self, handler: F) -> &mut Self
    where
        F: Fn(&Socket) + Send + Sync + 'static,
    {
        self.connect.push(Box::new(move |socket| {
            handler(socket);
            None
        }));
        self
    }

    /// As [`Self::on_connect`], for a handler that waits.
    ///
    /// ```
    /// # use encke_server::{Server, Socket};
    /// # async fn unread(_: &str) -> u32 { 0 }
    /// async fn welcome(socket: Socket) {
    ///     let unread = unread(socket.auth().text()).await;
    ///     socket.emit_named("unread", &unread).expect("a number can be written");
    /// }
    ///
    /// # let _ =
    /// Server::builder().namespace("/", |on| {
    ///     on.on_connect_async(welcome);
    /// });
    /// ```
    pub fn on_connect_async<F, Fut>(&mut self, handler: F) -> &mut Self
    where
        F: Fn(Socket) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = ()> + Send + 'static,
    {
        self.connect.push(Box::new(move |socket| Some(Box::pin(handler(socket.clone())))));
        self
    }

    /// A client that had entered has left, or its connection has ended; it is in no room any more, and
    /// [`Socket::rooms`] tells those that it was in. Called once, after
    /// all handlers of its events have finished, unordered ones too.
    ///
    /// ```
    /// # use encke_server::Server;
    /// # let _ =
    /// Server::builder().namespace("/", |on| {
    ///     on.on_disconnect(|socket, reason| println!("{} has left: {}", socket.id(), reason.as_server_str()));
    /// });
    /// ```
    pub fn on_disconnect<F>(&mut self, handler: F) -> &mut Self
    where
        F: Fn(&Socket, DisconnectReason) + Send + Sync + 'static,
    {
        self.disconnect.push(Box::new(move |socket, reason| {
            handler(socket, reason);
            None
        }));
        self
    }

    /// A client that was disconnected cannot come back any more for what it had: the window is over, or what it missed
    /// cannot be told. Called once, after the disconnect handler has finished, for each that was kept for coming back;
    /// also at once, where more would be kept than may.
    ///
    /// ```
    /// # use encke_server::{Recovery, Server};
    /// # let _ =
    /// Server::builder().recovery(Recovery::default()).namespace("/", |on| {
    ///     on.on_expired(|socket| println!("{} has not come back", socket.id()));
    /// });
    /// ```
    pub fn on_expired<F>(&mut self, handler: F) -> &mut Self
    where
        F: Fn(&Socket) + Send + Sync + 'static,
    {
        self.expired.push(Box::new(move |socket| {
            handler(socket);
            None
        }));
        self
    }

    /// As [`Self::on_expired`], for a handler that waits.
    ///
    /// ```
    /// # use encke_server::{Recovery, Server, Socket, SocketId};
    /// # async fn forget(_: SocketId) {}
    /// # let _ =
    /// Server::builder().recovery(Recovery::default()).namespace("/", |on| {
    ///     on.on_expired_async(|socket: Socket| async move { forget(socket.id()).await });
    /// });
    /// ```
    pub fn on_expired_async<F, Fut>(&mut self, handler: F) -> &mut Self
    where
        F: Fn(Socket) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = ()> + Send + 'static,
    {
        self.expired.push(Box::new(move |socket| Some(Box::pin(handler(socket.clone())))));
        self
    }

    /// As [`Self::on_disconnect`], for a handler that waits.
    ///
    /// ```
    /// # use encke_server::{DisconnectReason, Server, Socket};
    /// async fn say_goodbye(socket: Socket, _reason: DisconnectReason) {
    ///     tokio::time::sleep(std::time::Duration::from_secs(1)).await;
    ///     socket.broadcast().emit_named("left", &socket.id().to_string());
    /// }
    ///
    /// # let _ =
    /// Server::builder().namespace("/", |on| {
    ///     on.on_disconnect_async(say_goodbye);
    /// });
    /// ```
    pub fn on_disconnect_async<F, Fut>(&mut self, handler: F) -> &mut Self
    where
        F: Fn(Socket, DisconnectReason) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = ()> + Send + 'static,
    {
        self.disconnect.push(Box::new(move |socket, reason| Some(Box::pin(handler(socket.clone(), reason)))));
        self
    }
}

impl std::fmt::Debug for Handlers {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Handlers").field("events", &self.events.keys()).finish_non_exhaustive()
    }
}
