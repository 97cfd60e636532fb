//! One event to many that each of them answers.
//!
//! Owns the numbers of such events, and of those to one, and who has yet to answer. All recipients get the same bytes, so the same ack id: one
//! from a range that no socket uses for events of its own. Every wait ends: whoever was sent the event answers, leaves, or
//! is late.

use super::ack::{Deadline, Decode};
use super::{AckError, Args, NamespaceCore, Socket, SocketId};
use encke_protocol::contract;
use encke_protocol::socket::AckId;
use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

/// What one client has answered to an event that many were sent.
///
/// ```
/// # use encke_server::Answer;
/// # async fn handler(socket: encke_server::Socket) -> Result<(), serde_json::Error> {
/// for Answer { socket, result } in socket.to("red").emit_named_with_ack("ready?", &())?.all().await {
///     match result {
///         Ok(args) => println!("{socket} says {args:?}"),
///         Err(error) => println!("{socket}: {error}"),
///     }
/// }
/// # Ok(()) }
/// ```
#[derive(Debug)]
pub struct Answer<T = Args<'static>, E = contract::Never> {
    /// Who.
    pub socket: SocketId,
    /// What; or why not: a timeout, or the client has left.
    pub result: Result<T, AckError<E>>,
}

/// Waits for the answers of many clients: one of each that was sent the event, as they come. The event has been sent
/// already; dropped, it waits no more.
///
/// ```
/// # async fn handler(socket: encke_server::Socket) -> Result<(), serde_json::Error> {
/// let mut answers = socket.to("red").emit_named_with_ack("ready?", &())?;
/// while let Some(answer) = answers.next().await {
///     let ready = answer.result.is_ok_and(|args| args.decode::<(bool,)>().is_ok_and(|(ready,)| ready));
///     println!("{} is {}", answer.socket, if ready { "ready" } else { "late" });
/// }
/// # Ok(()) }
/// ```
#[must_use = "answers are for somebody who waits"]
pub struct Answers<T = Args<'static>, E = contract::Never> {
    namespace: Arc<NamespaceCore>,
    gathering: Arc<Gathering>,
    deadline: Deadline,
    decode: Decode<T, E>,
}

/// The numbers of a namespace's events, and those that many have yet to answer.
#[derive(Debug, Default)]
pub(super) struct Gatherings {
    /// Events to one that were to be answered. Counted here and not by each socket: who comes back may still answer what
    /// it was asked as the socket before.
    singles: AtomicU32,
    under_way: Mutex<UnderWay>,
}

#[derive(Debug, Default)]
struct UnderWay {
    next: u64,
    gatherings: HashMap<AckId, Arc<Gathering>>,
}

/// The answers to one event.
#[derive(Debug)]
pub(super) struct Gathering {
    pub(super) id: AckId,
    gathered: Mutex<Gathered>,
}

#[derive(Debug, Default)]
struct Gathered {
    /// Who has yet to answer.
    waiting: HashSet<SocketId>,
    /// What nobody has looked at yet.
    answers: VecDeque<(SocketId, Result<Args<'static>, AckError>)>,
    waker: Option<Waker>,
}

impl<T, E> Answers<T, E> {
    /// Waits for those whom [`Gathering::expect`] was told.
    pub(super) fn new(
        namespace: Arc<NamespaceCore>,
        gathering: Arc<Gathering>,
        timeout: Duration,
        decode: Decode<T, E>,
    ) -> Self {
        Self { namespace, gathering, deadline: Deadline::after(timeout), decode }
    }

    /// The next answer; none when everybody has answered, left or is late.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), serde_json::Error> {
    /// # let server = encke_server::Server::builder().namespace("/", |_| {}).build();
    /// # let namespace = server.namespace("/").expect("it is always there");
    /// let mut answers = namespace.everybody().emit_named_with_ack("ready?", &())?;
    /// while let Some(answer) = answers.next().await {
    ///     println!("{}", answer.socket);
    /// }
    /// assert!(answers.next().await.is_none(), "everybody has answered");
    /// # Ok(()) }
    /// ```
    pub async fn next(&mut self) -> Option<Answer<T, E>> {
        std::future::poll_fn(|cx| self.poll_next(cx)).await
    }

    /// All answers that have not been taken by [`Self::next`].
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), serde_json::Error> {
    /// # let server = encke_server::Server::builder().namespace("/", |_| {}).build();
    /// # let namespace = server.namespace("/").expect("it is always there");
    /// let answers = namespace.everybody().emit_named_with_ack("ready?", &())?.all().await;
    /// assert_eq!(answers.len(), 0, "nobody is there to answer");
    /// # Ok(()) }
    /// ```
    pub async fn all(mut self) -> Vec<Answer<T, E>> {
        let mut all = Vec::new();
        while let Some(answer) = self.next().await {
            all.push(answer);
        }
        all
    }

    /// As [`Self::next`], for those who write futures and streams themselves.
    ///
    /// ```
    /// # use std::task::{Context, Poll, Waker};
    /// # let server = encke_server::Server::builder().namespace("/", |_| {}).build();
    /// # let namespace = server.namespace("/").expect("it is always there");
    /// let mut answers = namespace.everybody().emit_named_with_ack("ready?", &())?;
    /// let next = answers.poll_next(&mut Context::from_waker(Waker::noop()));
    /// assert!(matches!(next, Poll::Ready(None)), "nobody is there to answer");
    /// # Ok::<(), serde_json::Error>(())
    /// ```
    pub fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Option<Answer<T, E>>> {
        let mut next = self.gathering.poll(cx);
        if next.is_pending() && self.deadline.poll(cx).is_ready() {
            self.gathering.end();
            next = self.gathering.poll(cx);
        }
        next.map(|answer| {
            answer.map(|(socket, result)| Answer {
                socket,
                result: result.map_err(AckError::typed).and_then(self.decode),
            })
        })
    }
}

impl<T, E> Drop for Answers<T, E> {
    fn drop(&mut self) {
        self.namespace.gatherings.forget(self.gathering.id);
    }
}

impl<T, E> std::fmt::Debug for Answers<T, E> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Answers").field("gathering", &self.gathering).finish_non_exhaustive()
    }
}

impl Gatherings {
    /// Takes a number for an event to one.
    pub(super) fn single(&self) -> AckId {
        AckId::single(self.singles.fetch_add(1, Ordering::Relaxed).into())
    }

    /// Takes a number for an event to many.
    pub(super) fn begin(&self) -> Arc<Gathering> {
        let mut under_way = crate::lock(&self.under_way);
        let mut id = AckId::shared(under_way.next);
        while under_way.gatherings.contains_key(&id) {
            under_way.next += 1;
            id = AckId::shared(under_way.next);
        }
        under_way.next += 1;
        let gathering = Arc::new(Gathering { id, gathered: Mutex::default() });
        under_way.gatherings.insert(id, gathering.clone());
        gathering
    }

    /// A client has answered.
    pub(super) fn answered(&self, id: AckId, socket: SocketId, args: Args<'_>) {
        let gathering = crate::lock(&self.under_way).gatherings.get(&id).cloned();
        match gathering.and_then(|gathering| gathering.take(socket, || Ok(args.into_owned()))) {
            Some(waker) => waker.into_iter().for_each(Waker::wake),
            None => tracing::debug!(%socket, id = id.get(), "an ack that nobody waits for"),
        }
    }

    /// A client has left. Whom to wake, once no lock is held.
    pub(super) fn left(&self, socket: SocketId) -> Vec<Waker> {
        let under_way: Vec<Arc<Gathering>> =
            crate::lock(&self.under_way).gatherings.values().cloned().collect();
        let takes = |gathering: &Arc<Gathering>| gathering.take(socket, || Err(AckError::Disconnected));
        under_way.iter().filter_map(takes).flatten().collect()
    }

    fn forget(&self, id: AckId) {
        let gone = crate::lock(&self.under_way).gatherings.remove(&id);
        drop(gone);
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        crate::lock(&self.under_way).gatherings.len()
    }
}

impl Gathering {
    /// The socket is being sent the event.
    pub(super) fn expect(&self, socket: &Socket) {
        crate::lock(&self.gathered).waiting.insert(socket.id());
        // It may have left before it was waited for.
        if !socket.is_connected() {
            // Nobody is to be woken: who waits for the answers gets them when all are expected.
            self.take(socket.id(), || Err(AckError::Disconnected));
        }
    }

    /// Ends the wait for one: whom to wake, if anybody. None when it was not waited for.
    fn take(
        &self,
        socket: SocketId,
        result: impl FnOnce() -> Result<Args<'static>, AckError>,
    ) -> Option<Option<Waker>> {
        let mut gathered = crate::lock(&self.gathered);
        gathered.waiting.remove(&socket).then(|| {
            gathered.answers.push_back((socket, result()));
            gathered.waker.take()
        })
    }

    /// Waits no longer for anybody.
    fn end(&self) {
        let mut gathered = crate::lock(&self.gathered);
        let late = std::mem::take(&mut gathered.waiting);
        gathered.answers.extend(late.into_iter().map(|socket| (socket, Err(AckError::Timeout))));
    }

    fn poll(&self, cx: &mut Context<'_>) -> Poll<Option<(SocketId, Result<Args<'static>, AckError>)>> {
        let mut gathered = crate::lock(&self.gathered);
        let answer = gathered.answers.pop_front();
        if answer.is_none() && !gathered.waiting.is_empty() {
            gathered.waker = Some(cx.waker().clone());
            return Poll::Pending;
        }
        Poll::Ready(answer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::namespace::peer::Doorkeeper;
    use crate::namespace::{Auth, Handlers, Namespace};
    use encke_protocol::socket::DisconnectReason;

    fn enter(namespace: &Namespace, random: u128) -> Socket {
        let peer = Arc::new(Doorkeeper::default());
        namespace.knock(peer.clone(), random, Auth::new(None));
        peer.admitted()
    }

    #[tokio::test]
    async fn a_wait_that_is_given_up_or_over_is_forgotten() {
        let namespace = Namespace::on_trial(Handlers::default());
        let _socket = enter(&namespace, 1);
        let ask = |timeout| {
            let everybody = namespace.everybody().timeout(timeout);
            everybody.emit_named_with_ack("ask", &()).expect("writable")
        };
        let given_up = ask(Duration::MAX);
        assert_eq!(namespace.0.gatherings.len(), 1);
        drop(given_up);
        assert_eq!(namespace.0.gatherings.len(), 0);
        let [Answer { result: Err(AckError::Timeout), .. }] = &ask(Duration::ZERO).all().await[..] else {
            panic!("one is late");
        };
        assert_eq!(namespace.0.gatherings.len(), 0);
    }

    #[tokio::test]
    async fn numbers_come_round_and_pass_those_that_are_waited_for() {
        let namespace = Namespace::on_trial(Handlers::default());
        let gatherings = &namespace.0.gatherings;
        let first = gatherings.begin();
        assert_eq!(first.id.get(), 1 << 30);
        crate::lock(&gatherings.under_way).next = (1 << 30) - 1;
        assert_eq!(gatherings.begin().id.get(), (1 << 31) - 1, "the last that fits 32 bits with a sign");
        assert_eq!(gatherings.begin().id.get(), (1 << 30) + 1);
    }

    #[test]
    fn who_was_found_in_a_room_and_has_left_before_it_is_asked_is_not_waited_for() {
        let namespace = Namespace::on_trial(Handlers::default());
        let socket = enter(&namespace, 1);
        socket.disconnected(DisconnectReason::ByClient);
        let gathering = namespace.0.gatherings.begin();
        gathering.expect(&socket);
        let answer = gathering.poll(&mut Context::from_waker(Waker::noop()));
        assert!(matches!(answer, Poll::Ready(Some((_, Err(AckError::Disconnected))))), "{answer:?}");
    }

    #[test]
    fn who_is_asked_while_it_enters_and_leaves_at_once_is_not_waited_for() {
        let namespace = Namespace::on_trial(Handlers::default());
        let peer = Arc::new(Doorkeeper::default());
        let entering = Socket::new(namespace.0.clone(), peer, 1, Auth::new(None), None);
        entering.connected();
        let gathering = namespace.0.gatherings.begin();
        gathering.expect(&entering);
        entering.disconnected(DisconnectReason::ByClient);
        let answer = gathering.poll(&mut Context::from_waker(Waker::noop()));
        assert!(matches!(answer, Poll::Ready(Some((_, Err(AckError::Disconnected))))), "{answer:?}");
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn whoever_leaves_while_being_asked_is_not_waited_for() {
        let namespace = Namespace::on_trial(Handlers::default());
        let crowd = namespace.clone();
        let coming_and_going = std::thread::spawn(move || {
            for random in 0..5_000 {
                let socket = enter(&crowd, random);
                socket.join("red");
                socket.disconnected(DisconnectReason::ByClient);
            }
        });
        while !coming_and_going.is_finished() {
            for asked in [namespace.everybody(), namespace.to(["red", "blue"])] {
                let answers = asked.timeout(Duration::MAX).emit_named_with_ack("ask", &()).expect("writable");
                let all =
                    tokio::time::timeout(Duration::from_secs(20), answers.all()).await.expect("it ends");
                assert!(all.iter().all(|answer| matches!(answer.result, Err(AckError::Disconnected))));
            }
        }
    }
}
