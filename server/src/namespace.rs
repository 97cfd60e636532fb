//! What an application sees: namespaces with their handlers, sockets, rooms, acks and broadcasts.
//!
//! Owns who is in which room, the order of a socket's events, and the acks that are awaited. Knows no transport, session
//! or HTTP: the connection of a client is a [`peer::Peer`], implemented above. Rooms are asked for by name and never
//! handed out, so that their members may one day be on other nodes.

mod ack;
mod answers;
mod args;
mod broadcast;
mod directory;
mod dispatch;
mod emission;
mod emitter;
mod encode;
mod handlers;
mod handshake;
mod link;
mod pattern;
pub(crate) mod peer;
mod recovery;
mod refusal;
mod remote;
mod room;
mod roster;
mod selection;
mod servers;
mod socket;
mod socket_id;
mod unordered;
mod values;
mod work;

pub use ack::{Ack, AckError, AckFuture, TypedAck};
pub use answers::{Answer, Answers};
pub use args::{Args, Arguments};
pub use broadcast::Broadcast;
pub(crate) use directory::Directory;
pub use emission::{Emission, EmitError, Outcome};
pub use emitter::Emitter;
pub(crate) use encode::{binary, message};
pub use handlers::{Handlers, Recipients, Reply};
pub use handshake::{Auth, Handshake};
pub(crate) use link::Backing;
pub use link::Backplane;
pub use pattern::Pattern;
pub use refusal::Refusal;
pub use remote::RemoteSocket;
pub use selection::Rooms;
pub use servers::{ServerAck, ServerAnswers};
pub use socket::Socket;
pub use socket_id::{InvalidSocketId, SocketId};
pub(crate) use values::Value;
pub(crate) use work::Job;

use crate::config::{Config, Limits};
use answers::Gatherings;
use directory::Origin;
use encke_protocol::socket::Parser;
use link::Link;
use peer::Peer;
use roster::Roster;
use std::sync::Arc;
use std::time::Duration;

/// A namespace of the server. Cheap to clone; clones are the same namespace.
///
/// ```
/// let server = encke_server::Server::builder().namespace("/news", |_| {}).build();
/// let news = server.namespace("/news").expect("it is always there");
/// assert_eq!(news.name(), "/news");
/// assert_eq!(news.len(), 0);
/// assert!(news.is_empty() && news.rooms().is_empty());
/// ```
#[derive(Clone)]
pub struct Namespace(Arc<NamespaceCore>);

pub(crate) struct NamespaceCore {
    name: Box<str>,
    handlers: Arc<Handlers>,
    /// None for one that is always there.
    origin: Option<Origin>,
    settings: Settings,
    roster: Roster,
    /// None when it shares and recovers nothing.
    link: Option<Link>,
    gatherings: Arc<Gatherings>,
}

/// What all namespaces of a server have in common.
#[derive(Clone)]
pub(crate) struct Settings {
    /// Bytes of events that may queue behind a waiting handler of one socket.
    max_queued_events: usize,
    /// Handlers of one socket that may be under way beside its queue.
    max_unordered: usize,
    /// For an answer, where nothing else is said.
    ack_timeout: Duration,
    /// The application's own.
    state: Arc<[Value]>,
    /// In which form packets travel.
    parser: Parser,
    /// None when a server is alone and recovers nothing.
    backing: Option<Arc<Backing>>,
}

impl Settings {
    pub(crate) fn new(config: &Config, backing: Option<Arc<Backing>>) -> Self {
        let Limits { max_queued_events, max_unordered, .. } = config.limits;
        let state = config.state.as_slice().into();
        Self {
            max_queued_events,
            max_unordered,
            ack_timeout: config.ack_timeout,
            state,
            parser: config.parser,
            backing,
        }
    }
}

impl Namespace {
    fn new(name: &str, handlers: Arc<Handlers>, settings: Settings, origin: Option<Origin>) -> Self {
        let link = settings.backing.as_ref().map(|backing| backing.link(name));
        let gatherings = link.as_ref().map_or_else(Arc::default, Link::gatherings);
        let (name, roster) = (name.into(), Roster::default());
        Self(Arc::new(NamespaceCore { name, handlers, origin, settings, roster, link, gatherings }))
    }

    /// Is the one of its name: other servers reach it from now on.
    fn attached(self) -> Self {
        if let Some(link) = &self.0.link {
            link.attach(&self.0);
        }
        self
    }

    /// The name; begins with `/`.
    pub fn name(&self) -> &str {
        &self.0.name
    }

    /// What stands in the name at that place of its [`Pattern`], such as `room` in `/rooms/{room}`.
    ///
    /// ```
    /// # use encke_server::Server;
    /// # let _ =
    /// Server::builder().namespaces("/rooms/{room}", |on| {
    ///     on.on_connect(|socket| {
    ///         let namespace = socket.namespace();
    ///         println!("{} is about {:?}", namespace.name(), namespace.param("room"));
    ///     });
    /// });
    /// ```
    pub fn param(&self, name: &str) -> Option<&str> {
        self.0.param(name)
    }

    /// Everybody in the namespace.
    ///
    /// ```
    /// # fn news(server: &encke_server::Server) {
    /// if let Some(namespace) = server.namespace("/") {
    ///     namespace.everybody().emit_named("news", &"from anywhere, also outside of handlers");
    ///     namespace.to(["red", "blue"]).except("muted").emit_named("news", &"to some");
    /// }
    /// # }
    /// ```
    pub fn everybody(&self) -> Broadcast {
        Broadcast::everybody(self.0.clone())
    }

    /// Everybody in that room, or in any of those.
    ///
    /// ```
    /// # fn everywhere(namespace: &encke_server::Namespace) {
    /// namespace.to("red").emit_named("news", &"to those in red");
    /// namespace.to(["red", "blue"]).emit_named("news", &"once to each of both");
    /// # }
    /// ```
    pub fn to(&self, rooms: impl Rooms) -> Broadcast {
        self.everybody().to(rooms)
    }

    /// Everybody but those in that room, or in any of those.
    ///
    /// ```
    /// # fn everywhere(namespace: &encke_server::Namespace) {
    /// namespace.except("muted").emit_named("news", &"to all the others");
    /// # }
    /// ```
    pub fn except(&self, rooms: impl Rooms) -> Broadcast {
        self.everybody().except(rooms)
    }

    /// That one socket, on whichever server it is.
    ///
    /// ```
    /// # use encke_server::{InvalidSocketId, Namespace};
    /// # fn whisper(namespace: &Namespace, id: &str) -> Result<(), InvalidSocketId> {
    /// namespace.to_socket(id.parse::<encke_server::SocketId>()?).emit_named("whispered", &"psst");
    /// # Ok(()) }
    /// ```
    pub fn to_socket(&self, socket: impl Into<SocketId>) -> Broadcast {
        self.everybody().to_socket(socket)
    }

    /// The socket of that id, if it is in the namespace and connected to this server.
    ///
    /// ```
    /// # use encke_server::{Namespace, SocketId};
    /// # fn close(namespace: &Namespace, id: SocketId) {
    /// if let Some(socket) = namespace.find(id) {
    ///     socket.disconnect();
    /// }
    /// # }
    /// ```
    pub fn find(&self, socket: SocketId) -> Option<Socket> {
        self.0.roster.find(socket)
    }

    /// The rooms with somebody of this server in them, in no order.
    ///
    /// ```
    /// # fn everywhere(namespace: &encke_server::Namespace) {
    /// for room in namespace.rooms() {
    ///     namespace.to(&*room).emit_named("news", &format!("you are in {room}"));
    /// }
    /// # }
    /// ```
    pub fn rooms(&self) -> Vec<Arc<str>> {
        self.0.roster.names()
    }

    /// How many sockets of this server are in the namespace.
    pub fn len(&self) -> usize {
        self.0.roster.len()
    }

    /// Whether nobody of this server is in the namespace.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// For a test of something that is in a namespace.
    #[cfg(test)]
    pub(crate) fn on_trial(handlers: Handlers) -> Self {
        Self::new("/", Arc::new(handlers), Settings::new(&Config::default(), None), None)
    }

    /// A client asks to enter; its socket is called by `random`.
    pub(crate) fn knock(&self, peer: Arc<dyn Peer>, random: u128, auth: Auth<'_>) {
        match &self.0.link {
            Some(link) if link.recovers && peer.can_come_back() => link.welcome(&self.0, peer, random, auth),
            _ => Socket::new(self.0.clone(), peer, random, auth, None).deliver(Job::Admit),
        }
    }
}

impl NamespaceCore {
    fn param(&self, name: &str) -> Option<&str> {
        self.origin.as_ref()?.family.pattern.param(&self.name, name)
    }
}

impl std::fmt::Debug for Namespace {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Namespace").field("name", &self.0.name).finish_non_exhaustive()
    }
}
