//! How one client is sent an event: the same words as on the socket, with what is said about this one event.
//!
//! Owns what can be said of an event beside what it is and whom it is for. Broadcasts carry the same [`Flags`].

use super::ack::{AckFuture, decode_answer};
use super::peer::Delivery;
use super::{Args, Arguments, Socket, args};
use crate::turn::Frames;
use encke_protocol::contract::{self, Event, HeardByClient};
use std::time::Duration;

/// What is said of one event.
#[derive(Clone, Copy, Debug)]
pub(super) struct Flags {
    pub(super) delivery: Delivery,
    /// Whether it may be compressed, where that is on.
    pub(super) compress: bool,
    /// For an answer; none: what the server says.
    pub(super) timeout: Option<Duration>,
}

impl Flags {
    /// The frames of the event, which are told whether they may be compressed.
    pub(super) fn mark(self, frames: Frames) -> Frames {
        if self.compress { frames } else { frames.single() }
    }
}

impl Default for Flags {
    fn default() -> Self {
        Self { delivery: Delivery::Queued, compress: true, timeout: None }
    }
}

/// One client, and how an event is to be sent to it. Made by [`Socket::volatile`], [`Socket::timeout`] and
/// [`Socket::compress`], which may be combined.
///
/// ```
/// # use std::time::Duration;
/// # async fn handler(socket: encke_server::Socket) -> Result<(), Box<dyn std::error::Error>> {
/// socket.volatile().emit_named("position", &(47, 11))?;
/// let (ready,): (bool,) =
///     socket.timeout(Duration::from_secs(5)).emit_named_with_ack("ready?", &()).await?.decode()?;
/// # Ok(()) }
/// ```
#[derive(Clone, Copy)]
#[must_use = "nothing is sent before emit"]
pub struct Emitter<'a> {
    socket: &'a Socket,
    flags: Flags,
}

impl<'a> Emitter<'a> {
    pub(super) fn new(socket: &'a Socket) -> Self {
        Self { socket, flags: Flags::default() }
    }

    /// Dropped if the client cannot take it at this moment: it is slow, or between two polls.
    ///
    /// ```
    /// # use std::time::Duration;
    /// # async fn handler(socket: encke_server::Socket) {
    /// let fleeting = socket.timeout(Duration::from_secs(5)).volatile();
    /// let heard = fleeting.emit_named_with_ack("position", &(47, 11)).await.is_ok();
    /// println!("it was {}", if heard { "heard" } else { "dropped, or not answered" });
    /// # }
    /// ```
    pub fn volatile(mut self) -> Self {
        self.flags.delivery = Delivery::Volatile;
        self
    }

    /// How long an answer is waited for.
    ///
    /// ```
    /// # use std::time::Duration;
    /// # async fn handler(socket: encke_server::Socket) {
    /// let brief = socket.compress(false).timeout(Duration::from_secs(5));
    /// println!("known within 5 seconds: {:?}", brief.emit_named_with_ack("ready?", &()).await);
    /// # }
    /// ```
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.flags.timeout = Some(timeout);
        self
    }

    /// Whether it may be compressed, where the server and the connection do that at all; it may unless set.
    ///
    /// ```
    /// # fn handler(socket: &encke_server::Socket) -> Result<(), serde_json::Error> {
    /// socket.volatile().compress(false).emit_named("frame", &"what is compressed already")?;
    /// # Ok(()) }
    /// ```
    pub fn compress(mut self, compress: bool) -> Self {
        self.flags.compress = compress;
        self
    }

    /// Sends an event.
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
    /// # fn handler(socket: &encke_server::Socket) -> Result<(), serde_json::Error> {
    /// socket.volatile().emit(&News { text: "for who can take it".to_owned() })?;
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// When the payload cannot be written as JSON.
    pub fn emit<E>(self, event: &E) -> Result<(), serde_json::Error>
    where
        E: Event<Direction: HeardByClient>,
    {
        self.send(E::NAME, &args::single(event)?);
        Ok(())
    }

    /// Sends an event by its name.
    ///
    /// ```
    /// # fn handler(socket: &encke_server::Socket) -> Result<(), serde_json::Error> {
    /// socket.volatile().emit_named("position", &(47, 11))?;
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// When the arguments cannot be written as JSON.
    pub fn emit_named(self, name: &str, args: &(impl Arguments + ?Sized)) -> Result<(), serde_json::Error> {
        self.send(name, &args.to_args()?);
        Ok(())
    }

    /// Sends an event and waits for the client's answer. It is sent at once, not when the future is first polled.
    ///
    /// ```
    /// # use std::time::Duration;
    /// # use encke_server::contract::{Event, Never, ToClient};
    /// # #[derive(serde::Serialize, serde::Deserialize)]
    /// # struct Vote { motion: u32 }
    /// # impl Event for Vote {
    /// #     const NAME: &'static str = "vote";
    /// #     type Direction = ToClient;
    /// #     type Ack = bool;
    /// #     type Error = Never;
    /// # }
    /// # async fn handler(socket: encke_server::Socket) {
    /// let vote = socket.timeout(Duration::from_secs(60)).emit_with_ack(&Vote { motion: 7 });
    /// println!("{}", if vote.await.is_ok_and(|yes| yes) { "for it" } else { "not for it" });
    /// # }
    /// ```
    pub fn emit_with_ack<E>(self, event: &E) -> AckFuture<E::Ack, E::Error>
    where
        E: Event<Direction: HeardByClient, Ack: contract::Ack>,
    {
        AckFuture::send(self.socket, self.flags, E::NAME, args::single(event), decode_answer::<E>)
    }

    /// Sends an event by its name and waits for the client's answer. It is sent at once, not when the future is first
    /// polled.
    ///
    /// ```
    /// # use std::time::Duration;
    /// # async fn handler(socket: encke_server::Socket) {
    /// match socket.timeout(Duration::from_secs(60)).emit_named_with_ack("vote", &7).await {
    ///     Ok(args) => println!("{:?}", args.decode::<(bool,)>()),
    ///     Err(error) => println!("{error}"),
    /// }
    /// # }
    /// ```
    pub fn emit_named_with_ack(self, name: &str, args: &(impl Arguments + ?Sized)) -> AckFuture {
        AckFuture::send(self.socket, self.flags, name, args.to_args(), Ok)
    }

    fn send(self, name: &str, args: &Args<'_>) {
        self.socket.send_event(None, name, args, self.flags);
    }
}

impl Socket {
    /// Sends an event to this client.
    ///
    /// ```
    /// # use encke_server::contract::{Event, Never, NoAck, ToClient};
    /// # #[derive(serde::Serialize, serde::Deserialize)]
    /// # struct Welcome { people: u32 }
    /// # impl Event for Welcome {
    /// #     const NAME: &'static str = "welcome";
    /// #     type Direction = ToClient;
    /// #     type Ack = NoAck;
    /// #     type Error = Never;
    /// # }
    /// # fn handler(socket: &encke_server::Socket) -> Result<(), serde_json::Error> {
    /// socket.emit(&Welcome { people: 7 })?;
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// When the payload cannot be written as JSON.
    pub fn emit<E>(&self, event: &E) -> Result<(), serde_json::Error>
    where
        E: Event<Direction: HeardByClient>,
    {
        Emitter::new(self).emit(event)
    }

    /// Sends an event by its name.
    ///
    /// ```
    /// # fn handler(socket: &encke_server::Socket) -> Result<(), serde_json::Error> {
    /// socket.emit_named("tick", &())?;
    /// socket.emit_named("said", &"one argument")?;
    /// socket.emit_named("moved", &("three", 47, 11))?;
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// When the arguments cannot be written as JSON.
    pub fn emit_named(&self, name: &str, args: &(impl Arguments + ?Sized)) -> Result<(), serde_json::Error> {
        Emitter::new(self).emit_named(name, args)
    }

    /// Sends an event to this client and waits for its answer, as long as
    /// [`ServerBuilder::ack_timeout`](crate::ServerBuilder::ack_timeout) says. The event is sent at once, not when the
    /// future is first polled; every wait ends.
    ///
    /// ```
    /// # use encke_server::contract::{Event, ToClient};
    /// # use encke_server::AckError;
    /// # #[derive(serde::Serialize, serde::Deserialize)]
    /// # struct Question(String);
    /// # impl Event for Question {
    /// #     const NAME: &'static str = "question";
    /// #     type Direction = ToClient;
    /// #     type Ack = String;
    /// #     type Error = String;
    /// # }
    /// # async fn handler(socket: encke_server::Socket) {
    /// match socket.emit_with_ack(&Question("where are you?".to_owned())).await {
    ///     Ok(answer) => println!("{answer}"),
    ///     Err(AckError::Refused(why)) => println!("no answer: {why}"),
    ///     Err(error) => println!("{error}"),
    /// }
    /// # }
    /// ```
    pub fn emit_with_ack<E>(&self, event: &E) -> AckFuture<E::Ack, E::Error>
    where
        E: Event<Direction: HeardByClient, Ack: contract::Ack>,
    {
        Emitter::new(self).emit_with_ack(event)
    }

    /// Sends an event by its name and waits for the client's answer, as [`Self::emit_with_ack`] does.
    ///
    /// ```
    /// # async fn handler(socket: encke_server::Socket) -> Result<(), Box<dyn std::error::Error>> {
    /// let (name, age): (String, u32) = socket.emit_named_with_ack("who are you?", &()).await?.decode()?;
    /// println!("{name} is {age}");
    /// # Ok(()) }
    /// ```
    pub fn emit_named_with_ack(&self, name: &str, args: &(impl Arguments + ?Sized)) -> AckFuture {
        Emitter::new(self).emit_named_with_ack(name, args)
    }

    /// For an event that is dropped if the client cannot take it at this moment: it is slow, or between two polls.
    ///
    /// ```
    /// # fn handler(socket: &encke_server::Socket) -> Result<(), serde_json::Error> {
    /// socket.volatile().emit_named("position", &(47, 11))?;
    /// # Ok(()) }
    /// ```
    pub fn volatile(&self) -> Emitter<'_> {
        Emitter::new(self).volatile()
    }

    /// For an event whose answer is waited for so long.
    ///
    /// ```
    /// # use std::time::Duration;
    /// # async fn handler(socket: encke_server::Socket) {
    /// if let Err(error) = socket.timeout(Duration::from_secs(5)).emit_named_with_ack("ready?", &()).await {
    ///     println!("not ready: {error}");
    /// }
    /// # }
    /// ```
    pub fn timeout(&self, timeout: Duration) -> Emitter<'_> {
        Emitter::new(self).timeout(timeout)
    }

    /// For an event that may or may not be compressed, where the server and the connection do that at all.
    ///
    /// ```
    /// # fn handler(socket: &encke_server::Socket) -> Result<(), serde_json::Error> {
    /// socket.compress(false).emit_named("picture", &"what is compressed already")?;
    /// # Ok(()) }
    /// ```
    pub fn compress(&self, compress: bool) -> Emitter<'_> {
        Emitter::new(self).compress(compress)
    }
}

impl std::fmt::Debug for Emitter<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Emitter")
            .field("socket", &self.socket.id())
            .field("delivery", &self.flags.delivery)
            .field("compress", &self.flags.compress)
            .field("timeout", &self.flags.timeout)
            .finish()
    }
}
