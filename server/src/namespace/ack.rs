//! Acks both ways: [`Ack`] answers a client's event, [`AckFuture`] waits for a client's answer. Both always end.

use super::emitter::Flags;
use super::{Args, Arguments, Socket, args};
use encke_protocol::contract::{self, Event};
use encke_protocol::socket::AckId;
use serde::Serialize;
use std::marker::PhantomData;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::sync::oneshot;
use tokio::time::{Instant, Sleep};

/// The ack of an event that a client has sent. It may be kept and answered later. Dropped unanswered it answers without
/// arguments, so that no client waits for ever.
///
/// ```
/// # use encke_server::Server;
/// # let _ =
/// Server::builder().namespace("/", |on| {
///     on.on_named("add", |_, args, ack| {
///         if let Ok((a, b)) = args.decode::<(i32, i32)>() {
///             ack.send(&a.saturating_add(b)).expect("a number can be written");
///         }
///     });
/// });
/// ```
#[derive(Debug)]
pub struct Ack(Option<(Socket, AckId)>);

impl Ack {
    pub(crate) fn new(socket: &Socket, id: Option<AckId>) -> Self {
        Self(id.map(|id| (socket.clone(), id)))
    }

    /// Whether the client waits for it.
    ///
    /// ```
    /// # use encke_server::Server;
    /// # let _ =
    /// Server::builder().namespace("/", |on| {
    ///     on.on_named("report", |socket, _, ack| {
    ///         if ack.is_wanted() {
    ///             let report = format!("what takes a while to find out for {}", socket.id());
    ///             ack.send(&report).expect("text can be written");
    ///         }
    ///     });
    /// });
    /// ```
    pub fn is_wanted(&self) -> bool {
        self.0.is_some()
    }

    /// Answers. Nothing happens when the client does not want an answer or is gone.
    ///
    /// ```
    /// # use encke_server::Server;
    /// # let _ =
    /// Server::builder().namespace("/", |on| {
    ///     on.on_named("where", |_, _, ack| ack.send(&("two arguments", 47)).expect("text can be written"));
    /// });
    /// ```
    ///
    /// # Errors
    /// When the arguments cannot be written as JSON; then the client is answered without arguments.
    pub fn send(self, args: &(impl Arguments + ?Sized)) -> Result<(), serde_json::Error> {
        if self.is_wanted() {
            let args = args.to_args()?;
            self.answer(&args);
        }
        Ok(())
    }

    /// Answers a typed event: the ack, or `{"error": …}`.
    pub(crate) fn send_result<E: Event<Ack: contract::Ack>>(self, result: &Result<E::Ack, E::Error>) {
        if !self.is_wanted() {
            return;
        }
        let args = match result {
            Ok(ack) => args::single(ack),
            Err(error) => failure(error),
        };
        match args {
            Ok(args) => self.answer(&args),
            Err(error) => tracing::error!(event = E::NAME, %error, "the ack cannot be written as JSON"),
        }
    }

    pub(super) fn answer(mut self, args: &Args<'_>) {
        self.answer_with(args);
    }

    fn answer_with(&mut self, args: &Args<'_>) {
        if let Some((socket, id)) = self.0.take() {
            socket.send_ack(id, args);
        }
    }
}

/// How an ack says that an event was refused.
pub(super) fn failure(error: &impl Serialize) -> Result<Args<'static>, serde_json::Error> {
    #[derive(Serialize)]
    struct Failure<'a, T> {
        error: &'a T,
    }
    args::single(&Failure { error })
}

impl Drop for Ack {
    fn drop(&mut self) {
        self.answer_with(&Args::default());
    }
}

/// The ack of a typed event, for a handler that answers before it returns, or later. Dropped unanswered it answers without
/// arguments, which no typed client takes for an ack.
///
/// ```
/// # use encke_server::contract::{Event, ToServer};
/// # #[derive(serde::Serialize, serde::Deserialize)]
/// # struct Order { dish: String }
/// # impl Event for Order {
/// #     const NAME: &'static str = "order";
/// #     type Direction = ToServer;
/// #     type Ack = u32;
/// #     type Error = String;
/// # }
/// # use encke_server::Server;
/// # let _ =
/// Server::builder().namespace("/", |on| {
///     on.on_acked(|_, order: Order, ack| {
///         tokio::spawn(async move {
///             tokio::time::sleep(std::time::Duration::from_secs(1)).await;
///             println!("{} is ready", order.dish);
///             ack.send(&Ok(7));
///         });
///     });
/// });
/// ```
#[derive(Debug)]
pub struct TypedAck<E>(Ack, PhantomData<fn(E)>);

impl<E: Event<Ack: contract::Ack>> TypedAck<E> {
    pub(crate) fn new(ack: Ack) -> Self {
        Self(ack, PhantomData)
    }

    /// Answers.
    ///
    /// ```
    /// # use encke_server::contract::{Event, ToServer};
    /// # #[derive(serde::Serialize, serde::Deserialize)]
    /// # struct Order { dish: String }
    /// # impl Event for Order {
    /// #     const NAME: &'static str = "order";
    /// #     type Direction = ToServer;
    /// #     type Ack = u32;
    /// #     type Error = String;
    /// # }
    /// # use encke_server::Server;
    /// # let _ =
    /// Server::builder().namespace("/", |on| {
    ///     on.on_acked(|_, order: Order, ack| match order.dish.as_str() {
    ///         "soup" => ack.send(&Ok(7)),
    ///         other => ack.send(&Err(format!("there is no {other} today"))),
    ///     });
    /// });
    /// ```
    pub fn send(self, result: &Result<E::Ack, E::Error>) {
        self.0.send_result::<E>(result);
    }
}

/// Why an event that was sent with an ack has none.
///
/// ```
/// # use encke_server::AckError;
/// fn is_worth_asking_again(error: &AckError) -> bool {
///     matches!(error, AckError::Timeout)
/// }
/// assert!(is_worth_asking_again(&AckError::Timeout));
/// assert!(!is_worth_asking_again(&AckError::Disconnected));
/// assert_eq!(AckError::<String>::Timeout.to_string(), "the client did not answer in time");
/// ```
#[derive(Debug)]
#[non_exhaustive]
pub enum AckError<E = contract::Never> {
    /// The other side refused, as the event's contract says.
    Refused(E),
    /// No answer in time.
    Timeout,
    /// The client is gone, or left the namespace.
    Disconnected,
    /// The answer is not what the event's contract says.
    Malformed,
    /// The event itself cannot be written as JSON.
    Unwritable(serde_json::Error),
}

impl<E> std::fmt::Display for AckError<E> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Refused(_) => "the client refused",
            Self::Timeout => "the client did not answer in time",
            Self::Disconnected => "the client is gone",
            Self::Malformed => "the client's answer is not of the agreed type",
            Self::Unwritable(_) => "the event cannot be written as JSON",
        })
    }
}

impl<E: std::fmt::Debug> std::error::Error for AckError<E> {}

/// Waits for a client's answer. Ends with the answer, the timeout or the client's leaving; dropped, it waits no more.
///
/// ```
/// # use encke_server::{AckError, Socket};
/// # async fn both(white: Socket, black: Socket) -> Result<(), AckError> {
/// let first = white.emit_named_with_ack("ready?", &());
/// let second = black.emit_named_with_ack("ready?", &());
/// println!("both were asked before one has answered: {:?}, {:?}", first.await?, second.await?);
/// # Ok(()) }
/// ```
pub struct AckFuture<T = Args<'static>, E = contract::Never> {
    state: Result<Waiting, Option<serde_json::Error>>,
    decode: Decode<T, E>,
}

/// What an answer is read as.
pub(super) type Decode<T, E> = fn(Args<'static>) -> Result<T, AckError<E>>;

#[derive(Debug)]
struct Waiting {
    socket: Socket,
    id: AckId,
    answer: oneshot::Receiver<Args<'static>>,
    deadline: Deadline,
}

impl<T, E> AckFuture<T, E> {
    /// Sends the event `name` and waits.
    pub(super) fn send(
        socket: &Socket,
        flags: Flags,
        name: &str,
        args: Result<Args<'_>, serde_json::Error>,
        decode: Decode<T, E>,
    ) -> Self {
        let args = match args {
            Ok(args) => args,
            Err(error) => return Self { state: Err(Some(error)), decode },
        };
        let (sender, answer) = oneshot::channel();
        let Some(id) = socket.await_ack(sender) else { return Self { state: Err(None), decode } };
        socket.send_event(Some(id), name, &args, flags);
        let deadline = Deadline::after(flags.timeout.unwrap_or(socket.inner.namespace.settings.ack_timeout));
        Self { state: Ok(Waiting { socket: socket.clone(), id, answer, deadline }), decode }
    }
}

impl<T, E> Future for AckFuture<T, E> {
    type Output = Result<T, AckError<E>>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.get_mut();
        let waiting = match &mut this.state {
            Ok(waiting) => waiting,
            Err(error) => {
                return Poll::Ready(Err(error.take().map_or(AckError::Disconnected, AckError::Unwritable)));
            }
        };
        match Pin::new(&mut waiting.answer).poll(cx) {
            Poll::Ready(Ok(answer)) => Poll::Ready((this.decode)(answer)),
            Poll::Ready(Err(_)) => Poll::Ready(Err(AckError::Disconnected)),
            Poll::Pending => waiting.deadline.poll(cx).map(|()| Err(AckError::Timeout)),
        }
    }
}

impl<T, E> Drop for AckFuture<T, E> {
    fn drop(&mut self) {
        if let Ok(waiting) = &self.state {
            waiting.socket.forget_ack(waiting.id);
        }
    }
}

impl<T, E> std::fmt::Debug for AckFuture<T, E> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("AckFuture").field("state", &self.state).finish_non_exhaustive()
    }
}

/// When a wait is over. Has no timer before somebody really waits, so that it may begin outside a runtime.
#[derive(Debug)]
pub(super) struct Deadline {
    /// None: in a time that no clock can tell.
    at: Option<Instant>,
    timer: Option<Pin<Box<Sleep>>>,
}

impl Deadline {
    pub(super) fn after(time: Duration) -> Self {
        Self { at: Instant::now().checked_add(time), timer: None }
    }

    pub(super) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let Some(at) = self.at else { return Poll::Pending };
        self.timer.get_or_insert_with(|| Box::pin(tokio::time::sleep_until(at))).as_mut().poll(cx)
    }
}

impl AckError {
    /// The same failure for a typed event; only its decoder can tell a refusal.
    pub(super) fn typed<E>(self) -> AckError<E> {
        match self {
            Self::Refused(never) => match never {},
            Self::Timeout => AckError::Timeout,
            Self::Disconnected => AckError::Disconnected,
            Self::Malformed => AckError::Malformed,
            Self::Unwritable(error) => AckError::Unwritable(error),
        }
    }
}

/// The answer to a typed event.
pub(super) fn decode_answer<E: Event<Ack: contract::Ack>>(
    answer: Args<'static>,
) -> Result<E::Ack, AckError<E::Error>> {
    let Some(argument) = answer.iter().next() else { return Err(AckError::Malformed) };
    match contract::error_in(argument) {
        Some(error) => Err(answer.read(error).map_or(AckError::Malformed, AckError::Refused)),
        None => answer.read(argument).map_err(|_| AckError::Malformed),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::namespace::peer::Doorkeeper;
    use crate::namespace::{Auth, Handlers, Namespace};
    use std::sync::Arc;

    #[tokio::test]
    async fn a_wait_that_is_given_up_or_over_frees_its_slot() {
        let peer = Arc::new(Doorkeeper::default());
        Namespace::on_trial(Handlers::default()).knock(peer.clone(), 1, Auth::new(None));
        let socket = peer.admitted();
        let ask = |timeout| socket.timeout(timeout).emit_named_with_ack("ask", "x");
        let given_up = ask(Duration::from_secs(60));
        assert_eq!(socket.awaited_acks(), 1);
        drop(given_up);
        assert_eq!(socket.awaited_acks(), 0);
        assert!(matches!(ask(Duration::ZERO).await, Err(AckError::Timeout)));
        assert_eq!(socket.awaited_acks(), 0);
    }
}
