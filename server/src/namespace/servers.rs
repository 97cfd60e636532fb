//! What servers that share a backplane say to each other: events that no client sees.
//!
//! Owns how such an event gets to the handlers of the other servers and what they answer. Every wait ends.

use super::ack::Deadline;
use super::emission::{Emission, sealed::Outcome as _};
use super::handlers::Handlers;
use super::work::{Pending, panic_text};
use super::{AckError, Args, Arguments, Namespace, NamespaceCore};
use crate::turn;
use std::future::poll_fn;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use tokio::sync::oneshot;

pub(super) type OnServerEvent = Box<dyn Fn(&Namespace, Args<'_>, ServerAck) -> Option<Pending> + Send + Sync>;

/// The ack of an event that another server has sent. It may be kept and answered later; dropped unanswered it answers
/// without arguments.
///
/// ```
/// # use encke_server::{Backplane, Server};
/// # fn main() -> Result<(), serde_json::Error> {
/// # let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().expect("a runtime");
/// # runtime.block_on(async {
/// # let backplane = Backplane::new();
/// # let server = || {
/// # let builder = Server::builder().backplane(&backplane).namespace("/", |on| {
/// on.on_server_event("how many?", |namespace, _args, ack| {
///     if ack.is_wanted() {
///         ack.send(&namespace.len()).expect("a number can be written");
///     }
/// });
/// # });
/// # builder.build() };
/// # let (one, _other) = (server(), server());
/// # let namespace = one.namespace("/").expect("added");
/// // On another server:
/// let answer = namespace.server_side_emit_with_ack("how many?", &())?.next().await;
/// let args = answer.expect("one other server").expect("in time");
/// assert_eq!(args.decode::<(usize,)>()?, (0,));
/// # Ok(()) }) }
/// ```
#[derive(Debug)]
pub struct ServerAck(Option<oneshot::Sender<Args<'static>>>);

impl ServerAck {
    /// Whether the other server waits for it.
    pub fn is_wanted(&self) -> bool {
        self.0.as_ref().is_some_and(|sender| !sender.is_closed())
    }

    /// Answers. Nothing happens when no answer is wanted.
    ///
    /// # Errors
    /// When the arguments cannot be written as JSON; then the other server is answered without arguments.
    pub fn send(mut self, args: &(impl Arguments + ?Sized)) -> Result<(), serde_json::Error> {
        if self.is_wanted() {
            let args = args.to_args()?.into_owned();
            self.answer(args);
        }
        Ok(())
    }

    fn answer(&mut self, args: Args<'static>) {
        if let Some(sender) = self.0.take() {
            // Who waited for it may have given up this moment.
            let _ = sender.send(args);
        }
    }
}

impl Drop for ServerAck {
    fn drop(&mut self) {
        self.answer(Args::default());
    }
}

/// Waits for the answers of other servers: one of each that handles the event, which has been sent already.
///
/// ```
/// # use encke_server::{Backplane, Server};
/// # fn main() -> Result<(), serde_json::Error> {
/// # let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().expect("a runtime");
/// # runtime.block_on(async {
/// # let backplane = Backplane::new();
/// # let server = || {
/// #     let builder = Server::builder().backplane(&backplane);
/// #     builder.namespace("/", |on| {
/// #         on.on_server_event("ready?", |_namespace, _args, ack| drop(ack));
/// #     }).build()
/// # };
/// # let servers = [server(), server(), server()];
/// # let namespace = servers[0].namespace("/").expect("added");
/// let mut answers = namespace.server_side_emit_with_ack("ready?", &())?;
/// if let Some(Ok(_)) = answers.next().await {
///     println!("at least one other is there");
/// }
/// // Of three servers one asks and one has answered.
/// assert_eq!(answers.all().await.len(), 1);
/// # Ok(()) }) }
/// ```
#[derive(Debug)]
#[must_use = "answers are for somebody who waits"]
pub struct ServerAnswers {
    waiting: Vec<oneshot::Receiver<Args<'static>>>,
    deadline: Deadline,
}

impl ServerAnswers {
    /// The next answer, in no order, or [`AckError::Timeout`] for one that is late; none when there is no more.
    pub async fn next(&mut self) -> Option<Result<Args<'static>, AckError>> {
        poll_fn(|cx| self.poll_next(cx)).await
    }

    /// All answers that have not been taken by [`Self::next`].
    pub async fn all(mut self) -> Vec<Result<Args<'static>, AckError>> {
        let mut all = Vec::new();
        while let Some(answer) = self.next().await {
            all.push(answer);
        }
        all
    }

    fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Args<'static>, AckError>>> {
        if self.waiting.is_empty() {
            return Poll::Ready(None);
        }
        for index in 0..self.waiting.len() {
            if let Poll::Ready(answer) = Pin::new(&mut self.waiting[index]).poll(cx) {
                self.waiting.swap_remove(index);
                return Poll::Ready(Some(answer.map_err(|_| AckError::Disconnected)));
            }
        }
        self.deadline.poll(cx).map(|()| self.waiting.pop().map(|_| Err(AckError::Timeout)))
    }
}

impl Namespace {
    /// Sends an event to the other servers of this one's [`Backplane`](crate::Backplane), for their
    /// [`Handlers::on_server_event`]; no client sees it. Without others, nobody hears it.
    ///
    /// ```
    /// # use encke_server::{Backplane, Server};
    /// let backplane = Backplane::new();
    /// let (tell, told) = std::sync::mpsc::channel();
    /// let one = Server::builder().backplane(&backplane).namespace("/", |_on| {}).build();
    /// let other = Server::builder()
    ///     .backplane(&backplane)
    ///     .namespace("/", |on| {
    ///         on.on_server_event("reload", move |_, _args, _ack| tell.send("reloaded").expect("heard"));
    ///     })
    ///     .build();
    /// one.namespace("/").expect("added").server_side_emit("reload", &());
    /// assert_eq!(told.try_recv(), Ok("reloaded"));
    /// # let _ = other;
    /// ```
    pub fn server_side_emit(&self, name: &str, args: &(impl Arguments + ?Sized)) -> Emission {
        let told = args.to_args().map(|args| self.tell(name, &args, |tell| tell(ServerAck(None))));
        Emission::of(name, told)
    }

    /// As [`Self::server_side_emit`], for an answer of each of the other servers that handles the event, as long as
    /// [`ServerBuilder::ack_timeout`](crate::ServerBuilder::ack_timeout) says.
    ///
    /// ```
    /// # async fn count(namespace: encke_server::Namespace) -> Result<(), serde_json::Error> {
    /// let mut clients = namespace.len();
    /// for answer in namespace.server_side_emit_with_ack("how many?", &())?.all().await {
    ///     if let Ok(args) = answer {
    ///         clients += args.decode::<(usize,)>()?.0;
    ///     }
    /// }
    /// # let _ = encke_server::Server::builder().namespace("/", |on| {
    /// on.on_server_event("how many?", |namespace, _args, ack| {
    ///     let _ = ack.send(&namespace.len());
    /// });
    /// # });
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// When the arguments cannot be written as JSON; then nobody was sent anything.
    pub fn server_side_emit_with_ack(
        &self,
        name: &str,
        args: &(impl Arguments + ?Sized),
    ) -> Result<ServerAnswers, serde_json::Error> {
        let mut waiting = Vec::new();
        self.tell(name, &args.to_args()?, |tell| {
            let (sender, answer) = oneshot::channel();
            waiting.push(answer);
            tell(ServerAck(Some(sender)));
        });
        Ok(ServerAnswers { waiting, deadline: Deadline::after(self.0.settings.ack_timeout) })
    }

    /// Has `each` tell every other server that handles such an event.
    fn tell(&self, name: &str, args: &Args<'_>, mut each: impl FnMut(&mut dyn FnMut(ServerAck))) {
        let Some(link) = &self.0.link else { return };
        for other in link.others() {
            if other.handlers.server_events.contains_key(name) {
                each(&mut |ack| other.clone().told(name, args, ack));
            }
        }
    }
}

impl NamespaceCore {
    /// Another server has sent an event. A handler runs as far as it goes at once, the rest as a task.
    fn told(self: Arc<Self>, name: &str, args: &Args<'_>, ack: ServerAck) {
        let namespace = Namespace(self);
        let handlers = &namespace.0.handlers.server_events;
        let started = turn::run(|| {
            caught(name, || handlers.get(name).and_then(|handler| handler(&namespace, args.clone(), ack)))
        });
        let Some(mut rest) = started.flatten() else { return };
        let name = name.to_owned();
        let mut poll = move |cx: &mut Context<'_>| {
            turn::run(|| caught(&name, || rest.as_mut().poll(cx))).unwrap_or(Poll::Ready(()))
        };
        if poll(&mut Context::from_waker(Waker::noop())).is_pending() {
            tokio::spawn(poll_fn(poll));
        }
    }
}

/// What `work` gives; none when it panics, which is no matter of the server that has sent the event.
fn caught<T>(name: &str, work: impl FnOnce() -> T) -> Option<T> {
    let result = catch_unwind(AssertUnwindSafe(work));
    result
        .inspect_err(|panic| {
            tracing::error!(event = name, panic = panic_text(&**panic), "a handler panicked")
        })
        .ok()
}

impl Handlers {
    /// Another server of the [`Backplane`](crate::Backplane) has sent the event of that name:
    /// [`Namespace::server_side_emit`]. The last handler of a name counts.
    ///
    /// ```
    /// # use encke_server::Server;
    /// # let _ =
    /// Server::builder().namespace("/", |on| {
    ///     on.on_server_event("put out", |namespace, args, _ack| {
    ///         if let Ok((room,)) = args.decode::<(String,)>() {
    ///             namespace.to(&*room).local().emit_named("goodbye", &()).expect("nothing is JSON");
    ///         }
    ///     });
    /// });
    /// ```
    pub fn on_server_event<F>(&mut self, name: &str, handler: F) -> &mut Self
    where
        F: Fn(&Namespace, Args<'_>, ServerAck) + Send + Sync + 'static,
    {
        let handler: OnServerEvent = Box::new(move |namespace, args, ack| {
            handler(namespace, args, ack);
            None
        });
        self.server_events.insert(name.into(), handler);
        self
    }

    /// As [`Self::on_server_event`], for a handler that waits. Other events do not wait for it.
    ///
    /// ```
    /// # use encke_server::{Args, Namespace, Server, ServerAck};
    /// # async fn load() -> u32 { 0 }
    /// async fn tell_load(_namespace: Namespace, _args: Args<'static>, ack: ServerAck) {
    ///     let _ = ack.send(&load().await);
    /// }
    ///
    /// # let _ =
    /// Server::builder().namespace("/", |on| {
    ///     on.on_server_event_async("load", tell_load);
    /// });
    /// ```
    pub fn on_server_event_async<F, Fut>(&mut self, name: &str, handler: F) -> &mut Self
    where
        F: Fn(Namespace, Args<'static>, ServerAck) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = ()> + Send + 'static,
    {
        let handler: OnServerEvent = Box::new(move |namespace, args, ack| {
            Some(Box::pin(handler(namespace.clone(), args.into_owned(), ack)))
        });
        self.server_events.insert(name.into(), handler);
        self
    }
}
