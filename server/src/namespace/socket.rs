//! One client in one namespace: what a handler holds.
//!
//! Owns the socket's rooms, the acks it waits for and the application's own values. What is sent, in the words of its
//! [emitter](super::emitter), goes into the turn's arena and the client's queue; how it gets to the client is the session's
//! business.

use super::emitter::Flags;
use super::handlers::Whom;
use super::link::{Link, Outgoing};
use super::peer::{Delivery, Peer};
use super::recovery::{Parting, Tie};
use super::room::{Place, Room};
use super::values::Value;
use super::work::{Job, Work};
use super::{Args, Auth, Handshake, Namespace, NamespaceCore, Rooms, SocketId, encode};
use crate::turn::{self, Frames};
use encke_protocol::engine::Transport;
use encke_protocol::socket::{AckId, Acks, DisconnectReason};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::task::Waker;
use tokio::sync::oneshot;

/// One client in one namespace. Cheap to clone; clones are the same socket. It may be kept after the client has left:
/// then nothing is sent any more, and acks end at once. Where clients may come back
/// ([`ServerBuilder::recovery`](crate::ServerBuilder::recovery)) it goes on to speak for the one that is away or has come
/// back: events, rooms and [`Self::disconnect`] reach it. All else (acks, [`Self::is_connected`], [`Self::rooms`], values)
/// is of the connection that it was; [`Namespace::find`] gives the socket of now, which has the same id.
///
/// ```
/// # use encke_server::Server;
/// # let _ =
/// Server::builder().namespace("/", |on| {
///     on.on_named("about me", |socket, _args, ack| {
///         let here = if socket.is_connected() { "is" } else { "was" };
///         println!("{} {here} in {}: {:?}", socket.id(), socket.namespace_name(), socket.rooms());
///         println!("came with {} and said {}", socket.handshake().url(), socket.auth().text());
///         let socket = socket.clone();
///         std::thread::spawn(move || {
///             let _ = ack.send(&socket.id().to_string());
///         });
///     });
/// });
/// ```
#[derive(Clone)]
pub struct Socket {
    pub(super) inner: Arc<Inner>,
}

pub(super) struct Inner {
    id: SocketId,
    auth: Auth<'static>,
    pub(super) namespace: Arc<NamespaceCore>,
    pub(super) peer: Arc<dyn Peer>,
    pub(super) work: Mutex<Work>,
    /// The client waits to be told whether it may enter.
    asks: AtomicBool,
    connected: AtomicBool,
    /// None unless its client may come back.
    tie: Option<Box<Tie>>,
    pub(super) state: Mutex<State>,
}

#[derive(Default)]
pub(super) struct State {
    standing: Standing,
    acks: Acks<oneshot::Sender<Args<'static>>>,
    pub(super) values: Vec<Value>,
}

/// Where the socket stands.
#[derive(Default)]
enum Standing {
    /// It has not been let in.
    #[default]
    Outside,
    Inside(Membership),
    /// It was in these rooms.
    Left(Vec<Arc<str>>),
}

struct Membership {
    everybody: Place,
    rooms: Vec<(Arc<str>, Arc<Room>, Place)>,
}

impl Socket {
    pub(super) fn new(
        namespace: Arc<NamespaceCore>,
        peer: Arc<dyn Peer>,
        random: u128,
        auth: Auth<'_>,
        tie: Option<Box<Tie>>,
    ) -> Self {
        let inner = Inner {
            id: SocketId::new(random),
            auth: auth.into_owned(),
            namespace,
            peer,
            work: Mutex::default(),
            asks: AtomicBool::new(true),
            connected: AtomicBool::new(false),
            tie,
            state: Mutex::default(),
        };
        Self { inner: Arc::new(inner) }
    }

    /// The socket's public name.
    pub fn id(&self) -> SocketId {
        self.inner.id
    }

    /// The name of its namespace.
    pub fn namespace_name(&self) -> &str {
        &self.inner.namespace.name
    }

    /// The namespace, to send to everybody in it, this client included.
    ///
    /// ```
    /// # fn handler(socket: &encke_server::Socket) {
    /// socket.namespace().everybody().emit_named("arrived", &socket.id().to_string());
    /// # }
    /// ```
    pub fn namespace(&self) -> Namespace {
        Namespace(self.inner.namespace.clone())
    }

    /// What stands in the name of its namespace at that place of its [`Pattern`](crate::Pattern), such as `room` in
    /// `/rooms/{room}`.
    ///
    /// ```
    /// # use encke_server::Server;
    /// # let _ =
    /// Server::builder().namespaces("/rooms/{room}", |on| {
    ///     on.on_connect(|socket| {
    ///         assert!(socket.param("room").is_some() && socket.param("door").is_none());
    ///     });
    /// });
    /// ```
    pub fn param(&self, name: &str) -> Option<&str> {
        self.inner.namespace.param(name)
    }

    /// The request that opened the client's session: headers, query, address. The same for all its sockets.
    pub fn handshake(&self) -> &Handshake {
        self.inner.peer.handshake()
    }

    /// What carries the client's session now: polling may change to a WebSocket once. None when the session is over.
    ///
    /// ```
    /// # use encke_server::{Socket, Transport};
    /// # fn handler(socket: &Socket) {
    /// if socket.transport() == Some(Transport::WebSocket) {
    ///     socket.emit_named("fast lane", &()).expect("nothing is JSON");
    /// }
    /// # }
    /// ```
    pub fn transport(&self) -> Option<Transport> {
        self.inner.peer.transport()
    }

    /// What the client said of itself when it asked to enter this namespace.
    pub fn auth(&self) -> &Auth<'static> {
        &self.inner.auth
    }

    /// Whether the client is in the namespace: not while it is being admitted, and not after it has left.
    pub fn is_connected(&self) -> bool {
        self.inner.connected.load(Ordering::Acquire)
    }

    /// Enters a room, or several; everything sent to it from then on reaches this client. Nothing happens when it is there
    /// already, or not connected.
    ///
    /// ```
    /// # use encke_server::Server;
    /// # let _ =
    /// Server::builder().namespace("/", |on| {
    ///     on.on_connect(|socket| {
    ///         socket.join(["lobby", "news"]);
    ///         socket.to("lobby").emit_named("arrived", &socket.id().to_string());
    ///     });
    /// });
    /// ```
    pub fn join(&self, rooms: impl Rooms) {
        rooms.each(&mut |room| match self.tied() {
            Some((link, tie)) => link.change_room(tie, room, true),
            None => self.join_room(room),
        });
    }

    /// Leaves a room, or several.
    ///
    /// ```
    /// # use encke_server::Server;
    /// # let _ =
    /// Server::builder().namespace("/", |on| {
    ///     on.on_named("quiet", |socket, _args, _ack| socket.leave(["lobby", "news"]));
    /// });
    /// ```
    pub fn leave(&self, rooms: impl Rooms) {
        rooms.each(&mut |room| match self.tied() {
            Some((link, tie)) => link.change_room(tie, room, false),
            None => self.leave_room(room),
        });
    }

    pub(super) fn join_room(&self, room: &str) {
        let mut state = crate::lock(&self.inner.state);
        let Standing::Inside(membership) = &mut state.standing else { return };
        if membership.rooms.iter().all(|(name, ..)| **name != *room) {
            let (name, room, place) = self.inner.namespace.roster.enter(room, self.clone());
            membership.rooms.push((name, room, place));
        }
    }

    pub(super) fn leave_room(&self, room: &str) {
        let mut state = crate::lock(&self.inner.state);
        let Standing::Inside(membership) = &mut state.standing else { return };
        if let Some(index) = membership.rooms.iter().position(|(name, ..)| **name == *room) {
            let (name, room, place) = membership.rooms.swap_remove(index);
            self.inner.namespace.roster.quit(&name, &room, place);
        }
    }

    /// The rooms it is in; once it has left, as in a disconnect handler, those it was in then.
    ///
    /// ```
    /// # use encke_server::Server;
    /// # let _ =
    /// Server::builder().namespace("/", |on| {
    ///     on.on_disconnect(|socket, _reason| {
    ///         for room in socket.rooms() {
    ///             socket.to(&*room).emit_named("left", &socket.id().to_string());
    ///         }
    ///     });
    /// });
    /// ```
    pub fn rooms(&self) -> Vec<Arc<str>> {
        match &crate::lock(&self.inner.state).standing {
            Standing::Outside => Vec::new(),
            Standing::Inside(membership) => membership.rooms.iter().map(|(name, ..)| name.clone()).collect(),
            Standing::Left(rooms) => rooms.clone(),
        }
    }

    /// Puts the client out of this namespace. Its disconnect handler runs after the events that have come before. One that
    /// is away and might come back may not any more.
    ///
    /// ```
    /// # use encke_server::Server;
    /// # let _ =
    /// Server::builder().namespace("/", |on| {
    ///     on.on_named("bye", |socket, _args, _ack| socket.disconnect());
    /// });
    /// ```
    pub fn disconnect(&self) {
        if let Some(socket) = self.put_out() {
            turn::run(|| socket.inner.peer.clone().dismiss(&socket));
        }
    }

    /// Ends the client's connection with all its namespaces. It does not come back as this socket; nor does one that is away.
    ///
    /// ```
    /// # use encke_server::Server;
    /// # let _ =
    /// Server::builder().namespace("/", |on| {
    ///     on.on_named("log out", |socket, _args, _ack| socket.close());
    /// });
    /// ```
    pub fn close(&self) {
        if let Some(socket) = self.put_out() {
            turn::run(|| socket.inner.peer.clone().end());
        }
    }

    /// As whom the client is here: another socket when it has come back since. One that is away is over.
    fn put_out(&self) -> Option<Self> {
        match self.tied() {
            Some((link, tie)) => link.put_out(self, tie),
            None => Some(self.clone()),
        }
    }

    pub(super) fn tie(&self) -> Option<&Tie> {
        self.inner.tie.as_deref()
    }

    /// How it is tied to its session, and by what, once it has entered.
    pub(super) fn tied(&self) -> Option<(&Link, &Tie)> {
        let tie = self.tie().filter(|tie| tie.has_entered())?;
        Some((self.inner.namespace.link.as_ref()?, tie))
    }

    /// Takes over the values of the socket whose client has come back.
    pub(super) fn inherit(&self, old: &Self) {
        let values = crate::lock(&old.inner.state).values.clone();
        crate::lock(&self.inner.state).values = values;
    }

    pub(super) fn send_event(&self, id: Option<AckId>, name: &str, args: &Args<'_>, flags: Flags) {
        self.inner.namespace.sending(name, args, Whom::One(self));
        match self.tied() {
            Some((link, tie)) if id.is_none() => link.emit(self, tie, &Outgoing { id, name, args, flags }),
            // It is not there yet.
            None if self.tie().is_some() => {}
            _ => {
                self.send(|| flags.mark(encode::event(&self.inner.namespace, id, name, args)), flags.delivery)
            }
        }
    }

    pub(super) fn send_ack(&self, id: AckId, args: &Args<'_>) {
        self.send(|| encode::ack(&self.inner.namespace, id, args), Delivery::Queued);
    }

    /// Queues what `frame` frames for this client.
    fn send(&self, frame: impl FnOnce() -> Frames, delivery: Delivery) {
        turn::run(|| {
            let frames = frame();
            self.push_as(&frames, delivery);
            turn::give_back(frames);
        });
        turn::relieve();
    }

    pub(super) fn push_as(&self, frames: &Frames, delivery: Delivery) {
        if self.is_connected() && self.inner.peer.push(frames, delivery) {
            turn::mark(self.inner.peer.clone());
        }
    }

    /// Takes the next ack id; none when the client is gone.
    pub(super) fn await_ack(&self, sender: oneshot::Sender<Args<'static>>) -> Option<AckId> {
        let mut state = crate::lock(&self.inner.state);
        matches!(state.standing, Standing::Inside(_)).then(|| {
            let id = self.inner.namespace.gatherings.single();
            state.acks.wait_for(id, None, sender);
            id
        })
    }

    pub(super) fn forget_ack(&self, id: AckId) {
        let gone = crate::lock(&self.inner.state).acks.take(id);
        drop(gone);
    }

    #[cfg(test)]
    pub(super) fn awaited_acks(&self) -> usize {
        crate::lock(&self.inner.state).acks.len()
    }

    /// The client has answered. At once, also when a handler is under way: that may be who waits.
    pub(crate) fn answered(&self, id: AckId, args: Args<'_>) {
        if id.is_shared() {
            return self.inner.namespace.gatherings.answered(id, self.id(), args);
        }
        let sender = crate::lock(&self.inner.state).acks.take(id);
        match sender {
            // The receiver may have been dropped this moment.
            Some(sender) => drop(sender.send(args.into_owned())),
            None => tracing::debug!(socket = %self.id(), id = id.get(), "an ack that nobody waits for"),
        }
    }

    /// True once: who calls it decides whether the client may enter. A second answer would be taken for that to a later ask.
    pub(super) fn decide(&self) -> bool {
        self.inner.asks.swap(false, Ordering::AcqRel)
    }

    /// The client has been let in, under the session's lock: from now on it may be sent to.
    pub(crate) fn connected(&self) {
        self.inner.connected.store(true, Ordering::Release);
    }

    /// Joins everybody in the namespace. Not under the session's lock: a room's lock comes before it.
    pub(super) fn enter(&self) {
        let everybody = self.inner.namespace.roster.come(self.clone());
        let mut state = crate::lock(&self.inner.state);
        if self.is_connected() {
            state.standing = Standing::Inside(Membership { everybody, rooms: Vec::new() });
        } else {
            // Its connection has ended in between, and `disconnected` found nothing to take out.
            drop(state);
            self.inner.namespace.roster.go(self.id(), everybody);
        }
    }

    /// The client has left, or was put out.
    pub(crate) fn disconnected(&self, reason: DisconnectReason) {
        let parting = match &self.inner.namespace.link {
            Some(link) => link.part(self, reason),
            None => self.leave_all(),
        };
        let Some(parting) = parting else { return };
        parting.wakers.into_iter().for_each(Waker::wake);
        // Whoever waits for an answer is told by the drop.
        let acks = std::mem::take(&mut crate::lock(&self.inner.state).acks);
        drop(acks);
        self.deliver(Job::Disconnect(reason));
        if let Some(expired) = parting.expired {
            expired.expire();
        }
    }

    /// Is not connected any more, and in no room. None when that has been so before.
    pub(super) fn leave_all(&self) -> Option<Parting> {
        if !self.inner.connected.swap(false, Ordering::AcqRel) {
            return None;
        }
        let membership = {
            let mut state = crate::lock(&self.inner.state);
            match std::mem::take(&mut state.standing) {
                Standing::Inside(membership) => {
                    let names = membership.rooms.iter().map(|(name, ..)| name.clone());
                    state.standing = Standing::Left(names.collect());
                    Some(membership)
                }
                // It is just entering, and will find that it has left.
                Standing::Outside | Standing::Left(_) => None,
            }
        };
        let roster = &self.inner.namespace.roster;
        if let Some(membership) = membership {
            roster.go(self.id(), membership.everybody);
            for (name, room, place) in membership.rooms {
                roster.quit(&name, &room, place);
            }
        }
        // Also of one that is just entering an answer may be awaited.
        Some(Parting::new(self.inner.namespace.gatherings.left(self.id())))
    }
}

impl PartialEq for Socket {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.inner, &other.inner)
    }
}

impl Eq for Socket {}

impl std::fmt::Debug for Socket {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Socket").field("namespace", &self.namespace_name()).field("id", &self.id()).finish()
    }
}
