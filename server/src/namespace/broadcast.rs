//! One event to many: framed once, queued for every recipient in the same order, the same bytes for all.

use super::ack::{Decode, decode_answer};
use super::answers::Answers;
use super::emission::{Emission, Outcome};
use super::emitter::Flags;
use super::handlers::Whom;
use super::link::Outgoing;
use super::peer::Delivery;
use super::selection::Selection;
use super::{Args, Arguments, NamespaceCore, Rooms, Socket, SocketId, args, encode};
use crate::turn::{self, Frames};
use encke_protocol::contract::{self, Event, HeardByClient};
use encke_protocol::socket::AckId;
use std::marker::PhantomData;
use std::sync::Arc;
use std::time::Duration;

/// Whom to send an event: everybody in a namespace, or those in any of some rooms, without those in others. Each of them
/// gets it once, also who is in several of the rooms; all members of a room see the same order. Made by
/// [`Socket::broadcast`](super::Socket::broadcast), [`Socket::to`](super::Socket::to),
/// [`Namespace::everybody`](super::Namespace::everybody), [`Namespace::to`](super::Namespace::to) and the like.
///
/// ```
/// # fn handler(socket: &encke_server::Socket) -> Result<(), serde_json::Error> {
/// socket.to(["red", "blue"]).except("muted").emit_named("news", &"hello");
/// socket.broadcast().volatile().emit_named("position", &(47, 11))?;
/// # Ok(()) }
/// ```
#[must_use = "a selection alone does nothing"]
pub struct Broadcast<O = Emission> {
    pub(super) namespace: Arc<NamespaceCore>,
    pub(super) selection: Selection,
    flags: Flags,
    /// Only to sockets of this server.
    pub(super) local: bool,
    outcome: PhantomData<fn() -> O>,
}

impl Broadcast {
    pub(super) fn everybody(namespace: Arc<NamespaceCore>) -> Self {
        let selection = Selection::default();
        Self { namespace, selection, flags: Flags::default(), local: false, outcome: PhantomData }
    }
}

impl<O: Outcome> Broadcast<O> {
    /// Only those in that room, or in any of those. Said several times: in any of all. An empty list is nobody.
    ///
    /// ```
    /// # fn handler(socket: &encke_server::Socket) {
    /// socket.broadcast().to("red").to("blue").emit_named("news", &"once to each of both");
    /// # }
    /// ```
    pub fn to(mut self, rooms: impl Rooms) -> Self {
        self.selection.to(rooms);
        self
    }

    /// Only that socket, beside the rooms that are named.
    ///
    /// ```
    /// # fn handler(socket: &encke_server::Socket, admin: encke_server::SocketId) {
    /// socket.to("red").to_socket(admin).emit_named("news", &"to one who need not be in red, too");
    /// # }
    /// ```
    pub fn to_socket(mut self, socket: impl Into<SocketId>) -> Self {
        self.selection.add_socket(socket.into());
        self
    }

    /// Not those in that room, or in any of those.
    ///
    /// ```
    /// # fn handler(socket: &encke_server::Socket) {
    /// socket.to("red").except(["muted", "away"]).emit_named("news", &"hello");
    /// # }
    /// ```
    pub fn except(mut self, rooms: impl Rooms) -> Self {
        self.selection.except(rooms);
        self
    }

    /// Not that one.
    ///
    /// ```
    /// # fn handler(socket: &encke_server::Socket) {
    /// socket.namespace().to("red").except_socket(socket).emit_named("news", &"as socket.to has it");
    /// # }
    /// ```
    pub fn except_socket(mut self, socket: impl Into<SocketId>) -> Self {
        self.selection.except_socket(socket.into());
        self
    }

    /// Whoever cannot take it at this moment does not get it. There is nothing to wait for then: an emit gives its result
    /// at once.
    ///
    /// ```
    /// # fn handler(socket: &encke_server::Socket) -> Result<(), serde_json::Error> {
    /// socket.to("race").volatile().emit_named("position", &(47, 11))?;
    /// # Ok(()) }
    /// ```
    pub fn volatile(mut self) -> Broadcast<Result<(), serde_json::Error>> {
        self.flags.delivery = Delivery::Volatile;
        self.at_once()
    }

    /// Only to sockets that are connected to this server, which matters where several share a
    /// [`Backplane`](crate::Backplane). An emit gives its result at once.
    ///
    /// ```
    /// # let server = encke_server::Server::builder().namespace("/", |_| {}).build();
    /// # let namespace = server.namespace("/").expect("it is always there");
    /// namespace.everybody().local().emit_named("restart", &"this server, in a minute")?;
    /// assert!(namespace.everybody().local().sockets().is_empty());
    /// # Ok::<(), serde_json::Error>(())
    /// ```
    pub fn local(mut self) -> Broadcast<Result<(), serde_json::Error>> {
        self.local = true;
        self.at_once()
    }

    /// Whether it may be compressed, where the server and the connection do that at all; it may unless set.
    ///
    /// ```
    /// # fn handler(socket: &encke_server::Socket) {
    /// socket.to("gallery").compress(false).emit_named("picture", &"what is compressed already");
    /// # }
    /// ```
    pub fn compress(mut self, compress: bool) -> Self {
        self.flags.compress = compress;
        self
    }

    /// How long answers are waited for.
    ///
    /// ```
    /// # use std::time::Duration;
    /// # async fn handler(socket: encke_server::Socket) -> Result<(), serde_json::Error> {
    /// let red = socket.to("red").timeout(Duration::from_secs(5));
    /// let answers = red.emit_named_with_ack("ready?", &())?.all().await;
    /// println!("{} were asked", answers.len());
    /// # Ok(()) }
    /// ```
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.flags.timeout = Some(timeout);
        self
    }

    fn at_once(self) -> Broadcast<Result<(), serde_json::Error>> {
        let Self { namespace, selection, flags, local, .. } = self;
        Broadcast { namespace, selection, flags, local, outcome: PhantomData }
    }

    /// Sends an event. Gives an [`Emission`], or after [`Self::volatile`] or [`Self::local`] a result: an error when the
    /// payload cannot be written as JSON.
    ///
    /// ```
    /// # use encke_server::contract::{Event, Never, NoAck, ToClient};
    /// # #[derive(serde::Serialize, serde::Deserialize)]
    /// # struct News { text: String }
    /// # impl Event for News {
    /// #     const NAME: &'static str = "news";
    /// #     type Direction = ToClient;
    /// #     type Ack = NoAck;
    /// #     type Error = Never;
    /// # }
    /// # fn handler(socket: &encke_server::Socket) {
    /// socket.to("red").emit(&News { text: "hello".to_owned() });
    /// # }
    /// ```
    pub fn emit<E>(&self, event: &E) -> O
    where
        E: Event<Direction: HeardByClient>,
    {
        O::of(E::NAME, args::single(event).map(|args| self.emit_args(E::NAME, &args)))
    }

    /// Sends an event by its name; otherwise as [`Self::emit`].
    ///
    /// ```
    /// # fn handler(socket: &encke_server::Socket) {
    /// socket.to("red").emit_named("moved", &("three arguments", 47, 11));
    /// # }
    /// ```
    pub fn emit_named(&self, name: &str, args: &(impl Arguments + ?Sized)) -> O {
        O::of(name, args.to_args().map(|args| self.emit_args(name, &args)))
    }

    /// Sends an event that each of them answers. It is sent at once; the answers are for whoever waits for them, as long
    /// as [`Self::timeout`] or [`ServerBuilder::ack_timeout`](crate::ServerBuilder::ack_timeout) says.
    ///
    /// ```
    /// # use encke_server::contract::{Event, Never, ToClient};
    /// # use std::time::Duration;
    /// # #[derive(serde::Serialize, serde::Deserialize)]
    /// # struct Vote { motion: u32 }
    /// # impl Event for Vote {
    /// #     const NAME: &'static str = "vote";
    /// #     type Direction = ToClient;
    /// #     type Ack = bool;
    /// #     type Error = Never;
    /// # }
    /// # async fn handler(socket: encke_server::Socket) -> Result<(), serde_json::Error> {
    /// let council = socket.namespace().to("council").timeout(Duration::from_secs(60));
    /// let votes = council.emit_with_ack(&Vote { motion: 7 })?.all().await;
    /// let yes = votes.iter().filter(|vote| matches!(vote.result, Ok(true))).count();
    /// println!("{yes} of {} are for it", votes.len());
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// When the payload cannot be written as JSON; then nobody was sent anything.
    pub fn emit_with_ack<E>(&self, event: &E) -> Result<Answers<E::Ack, E::Error>, serde_json::Error>
    where
        E: Event<Direction: HeardByClient, Ack: contract::Ack>,
    {
        Ok(self.ask(E::NAME, &args::single(event)?, decode_answer::<E>))
    }

    /// Sends an event by its name that each of them answers; otherwise as [`Self::emit_with_ack`].
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), serde_json::Error> {
    /// # let server = encke_server::Server::builder().namespace("/", |_| {}).build();
    /// # let namespace = server.namespace("/").expect("it is always there");
    /// for answer in namespace.to("council").emit_named_with_ack("vote", &7)?.all().await {
    ///     println!("{}: {:?}", answer.socket, answer.result);
    /// }
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// When the arguments cannot be written as JSON; then nobody was sent anything.
    pub fn emit_named_with_ack(
        &self,
        name: &str,
        args: &(impl Arguments + ?Sized),
    ) -> Result<Answers, serde_json::Error> {
        Ok(self.ask(name, &args.to_args()?, Ok))
    }

    fn ask<T, E>(&self, name: &str, args: &Args<'_>, decode: Decode<T, E>) -> Answers<T, E> {
        self.namespace.sending(name, args, Whom::Many(&self.selection));
        let gathering = self.namespace.gatherings.begin();
        self.send(Some(gathering.id), name, args, |member| gathering.expect(member));
        let timeout = self.flags.timeout.unwrap_or(self.namespace.settings.ack_timeout);
        Answers::new(self.namespace.clone(), gathering, timeout, decode)
    }

    fn emit_args(&self, name: &str, args: &Args<'_>) {
        self.namespace.sending(name, args, Whom::Many(&self.selection));
        self.send(None, name, args, |_| {});
    }

    /// Queues an event for each of them, who is told to `meet` before.
    fn send(&self, id: Option<AckId>, name: &str, args: &Args<'_>, meet: impl Fn(&Socket)) {
        let send = |member: &Socket, frames: &Frames| {
            meet(member);
            member.push_as(frames, self.flags.delivery);
        };
        if let Some(link) = &self.namespace.link {
            let event = Outgoing { id, name, args, flags: self.flags };
            return link.broadcast(&self.namespace, &self.selection, self.local, &event, send);
        }
        let Some(audience) = self.namespace.roster.audience(&self.selection) else { return };
        turn::run(|| {
            let frames = self.flags.mark(encode::event(&self.namespace, id, name, args));
            audience.each(|member| send(member, &frames));
        });
        turn::relieve();
    }
}

impl Socket {
    /// Everybody in the namespace but this client.
    ///
    /// ```
    /// # fn handler(socket: &encke_server::Socket) {
    /// socket.broadcast().emit_named("arrived", &socket.id().to_string());
    /// # }
    /// ```
    pub fn broadcast(&self) -> Broadcast {
        Broadcast::everybody(self.inner.namespace.clone()).except_socket(self)
    }

    /// Everybody in that room, or in any of those, but this client.
    ///
    /// ```
    /// # fn handler(socket: &encke_server::Socket) {
    /// socket.to("red").emit_named("said", &"heard by all the others in red");
    /// # }
    /// ```
    pub fn to(&self, rooms: impl Rooms) -> Broadcast {
        self.broadcast().to(rooms)
    }

    /// Everybody but this client and those in that room, or in any of those.
    ///
    /// ```
    /// # fn handler(socket: &encke_server::Socket) {
    /// socket.except("muted").emit_named("said", &"heard by all the others who listen");
    /// # }
    /// ```
    pub fn except(&self, rooms: impl Rooms) -> Broadcast {
        self.broadcast().except(rooms)
    }
}

impl<O> Clone for Broadcast<O> {
    fn clone(&self) -> Self {
        let Self { namespace, selection, flags, local, outcome } = self;
        let (namespace, selection) = (namespace.clone(), selection.clone());
        Self { namespace, selection, flags: *flags, local: *local, outcome: *outcome }
    }
}

impl<O> std::fmt::Debug for Broadcast<O> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Broadcast")
            .field("namespace", &self.namespace.name)
            .field("selection", &self.selection)
            .field("delivery", &self.flags.delivery)
            .field("local", &self.local)
            .finish()
    }
}
