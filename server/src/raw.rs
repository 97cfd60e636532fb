//! Engine.IO alone: what an application sees that has messages of its own in place of Socket.IO's events.
//!
//! Owns its handlers, and the order of what they are told of one session. Stands beside the namespaces and knows as little:
//! no transport, session or HTTP, only what a namespace knows of a client too.
//!
//! The protocol has one hole for texts of one's own: it puts U+001E between packets, which no text may hold that goes to a
//! client by polling. See [`Session::send`].
//!
//! ```
//! use encke_server::Server;
//!
//! let server = Server::builder()
//!     .raw(|on| {
//!         on.on_open(|session| {
//!             println!("{:?}", session.handshake().header("user-agent"));
//!             session.send("welcome");
//!         });
//!         on.on_message(|session, message| session.send(message));
//!         on.on_close(|_session, reason| println!("gone: {reason:?}"));
//!     })
//!     .build();
//! let app: axum::Router = server.router();
//! # let _ = app;
//! ```

use crate::frame::{self, Opcode};
use crate::namespace::Handshake;
use crate::namespace::peer::{Delivery, Peer};
use crate::turn;
use encke_protocol::engine::{CloseReason, Data, Transport, payload};
use std::borrow::Cow;
use std::collections::VecDeque;
use std::hash::{Hash, Hasher};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex};

/// What a text message begins with on the wire.
const TEXT: u8 = b'4';
/// What a queued message costs beside its bytes.
const JOB_COST: usize = 128;

/// A message of a client, or one for it.
///
/// ```
/// use encke_server::raw::Message;
/// # let _ = encke_server::Server::builder().raw(|on| {
/// on.on_message(|session, message| match message {
///     Message::Text(text) => session.send(&text.to_uppercase()),
///     Message::Binary(bytes) => println!("{} bytes", bytes.len()),
/// });
/// # });
/// assert_eq!(Message::from("hello"), Message::Text("hello"));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Message<'a> {
    /// Text.
    Text(&'a str),
    /// Bytes.
    Binary(&'a [u8]),
}

impl<'a> From<&'a str> for Message<'a> {
    fn from(text: &'a str) -> Self {
        Self::Text(text)
    }
}

impl<'a> From<&'a String> for Message<'a> {
    fn from(text: &'a String) -> Self {
        Self::Text(text)
    }
}

impl<'a> From<&'a Vec<u8>> for Message<'a> {
    fn from(bytes: &'a Vec<u8>) -> Self {
        Self::Binary(bytes)
    }
}

impl<'a> From<&'a [u8]> for Message<'a> {
    fn from(bytes: &'a [u8]) -> Self {
        Self::Binary(bytes)
    }
}

type OnOpen = Box<dyn Fn(&Session) + Send + Sync>;
type OnMessage = Box<dyn Fn(&Session, Message<'_>) + Send + Sync>;
type OnClose = Box<dyn Fn(&Session, CloseReason) + Send + Sync>;

/// What an application does about its clients. All handlers return at once, and what they are told of one session comes in
/// order, each after the one before has returned: what has to wait is handed to a task.
///
/// ```
/// use encke_server::{Server, raw};
///
/// fn echo(on: &mut raw::Handlers) {
///     on.on_open(|session| session.send("welcome")).on_message(|session, message| session.send(message));
/// }
/// let server = Server::builder().raw(echo).build();
/// # let _ = server;
/// ```
#[derive(Default)]
pub struct Handlers {
    open: Option<OnOpen>,
    message: Option<OnMessage>,
    close: Option<OnClose>,
}

impl Handlers {
    /// A client has come. What it is sent from here arrives behind its handshake, and nothing of it is heard before.
    ///
    /// ```
    /// # let _ = encke_server::Server::builder().raw(|on| {
    /// on.on_open(|session| session.send("welcome"));
    /// # });
    /// ```
    pub fn on_open(&mut self, handler: impl Fn(&Session) + Send + Sync + 'static) -> &mut Self {
        self.open = Some(Box::new(handler));
        self
    }

    /// A client has sent a message.
    ///
    /// ```
    /// # async fn work(_: &str) -> String { String::new() }
    /// # let _ = encke_server::Server::builder().raw(|on| {
    /// on.on_message(|session, message| {
    ///     let encke_server::raw::Message::Text(text) = message else { return session.close() };
    ///     let (session, text) = (session.clone(), text.to_owned());
    ///     tokio::spawn(async move { session.send(&work(&text).await) });
    /// });
    /// # });
    /// ```
    pub fn on_message(
        &mut self,
        handler: impl Fn(&Session, Message<'_>) + Send + Sync + 'static,
    ) -> &mut Self {
        self.message = Some(Box::new(handler));
        self
    }

    /// A client has gone, or was ended. Told once; nothing follows.
    ///
    /// ```
    /// # use encke_server::CloseReason;
    /// # let _ = encke_server::Server::builder().raw(|on| {
    /// on.on_close(|session, reason| {
    ///     if reason == CloseReason::PingTimeout {
    ///         println!("{:?} is silent", session.handshake().remote_address());
    ///     }
    /// });
    /// # });
    /// ```
    pub fn on_close(&mut self, handler: impl Fn(&Session, CloseReason) + Send + Sync + 'static) -> &mut Self {
        self.close = Some(Box::new(handler));
        self
    }
}

impl std::fmt::Debug for Handlers {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Handlers").finish_non_exhaustive()
    }
}

/// One client. Cheap to clone; clones are the same session, and equal. It may be kept after the client has gone: then nothing
/// is sent any more.
///
/// ```
/// # use encke_server::{Server, raw::Session};
/// # use std::{collections::HashSet, sync::{Arc, Mutex}};
/// let here: Arc<Mutex<HashSet<Session>>> = Arc::default();
/// let (came, left) = (here.clone(), here.clone());
/// let server = Server::builder().raw(|on| {
///     on.on_open(move |session| _ = came.lock().unwrap().insert(session.clone()));
///     on.on_close(move |session, _reason| _ = left.lock().unwrap().remove(session));
/// });
/// here.lock().unwrap().iter().for_each(|session| session.send("to all"));
/// # let _ = server;
/// ```
#[derive(Clone)]
pub struct Session(Arc<Inner>);

struct Inner {
    handlers: Arc<Handlers>,
    peer: Arc<dyn Peer>,
    work: Mutex<Work>,
    /// Bytes of messages that may wait for a handler.
    max_queued: usize,
}

/// Something for the handlers of a session.
enum Job<'a> {
    Open,
    Message(Data<'a>),
    Close(CloseReason),
}

impl Job<'_> {
    fn into_owned(self) -> Owned {
        match self {
            Self::Open => Owned::Open,
            Self::Message(Data::Text(text)) => Owned::Text(text.into()),
            Self::Message(Data::Binary(bytes)) => Owned::Binary(bytes.into_owned()),
            Self::Close(reason) => Owned::Close(reason),
        }
    }
}

enum Owned {
    Open,
    Text(Box<str>),
    Binary(Vec<u8>),
    Close(CloseReason),
}

impl Owned {
    fn cost(&self) -> usize {
        JOB_COST
            + match self {
                Self::Open | Self::Close(_) => 0,
                Self::Text(text) => text.len(),
                Self::Binary(bytes) => bytes.len(),
            }
    }

    fn as_job(&self) -> Job<'_> {
        match self {
            Self::Open => Job::Open,
            Self::Text(text) => Job::Message(Data::Text(text)),
            Self::Binary(bytes) => Job::Message(Data::Binary(Cow::Borrowed(bytes))),
            Self::Close(reason) => Job::Close(*reason),
        }
    }
}

#[derive(Default)]
struct Work {
    /// Somebody is running a handler; who comes now queues.
    busy: bool,
    /// The close is told or queued. What another thread still brings comes too late.
    closed: bool,
    paused: bool,
    cost: usize,
    queue: VecDeque<Owned>,
}

impl Session {
    pub(crate) fn new(handlers: Arc<Handlers>, peer: Arc<dyn Peer>, max_queued: usize) -> Self {
        Self(Arc::new(Inner { handlers, peer, work: Mutex::default(), max_queued }))
    }

    /// The request that opened the session: headers, query, address.
    ///
    /// ```
    /// # let _ =
    /// encke_server::Server::builder().raw(|on| {
    ///     on.on_open(|session| println!("{:?} is here", session.handshake().query("name")));
    /// });
    /// ```
    pub fn handshake(&self) -> &Handshake {
        self.0.peer.handshake()
    }

    /// The session's name, the same for its whole life and known to its client. Who knows it while the client polls can
    /// speak in its place: show it to nobody else.
    ///
    /// ```
    /// # use std::collections::HashMap;
    /// # use std::sync::Mutex;
    /// # let _ = encke_server::Server::builder().raw(|on| {
    /// let names: Mutex<HashMap<String, u32>> = Mutex::default();
    /// on.on_message(move |session, _message| {
    ///     *names.lock().unwrap().entry(session.id()).or_default() += 1;
    /// });
    /// # });
    /// ```
    pub fn id(&self) -> String {
        self.0.peer.name()
    }

    /// What carries the session now: polling may change to a WebSocket once. None when it is over.
    ///
    /// ```
    /// # use encke_server::Transport;
    /// # let _ = encke_server::Server::builder().raw(|on| {
    /// on.on_message(|session, _message| {
    ///     if session.transport() == Some(Transport::Polling) {
    ///         session.send("not changed to a WebSocket yet");
    ///     }
    /// });
    /// # });
    /// ```
    pub fn transport(&self) -> Option<Transport> {
        self.0.peer.transport()
    }

    /// Sends a message to this client; text and bytes are such. Nothing happens when it has gone. A client that reads too
    /// slowly is ended ([`Limits::max_outbox`](crate::Limits::max_outbox)).
    ///
    /// Text with U+001E in it does not go to a client that polls, which would read it as several packets: it is left out,
    /// and logged. Bytes can hold it, and so can JSON, escaped.
    ///
    /// ```
    /// # let _ = encke_server::Server::builder().raw(|on| {
    /// on.on_open(|session| {
    ///     session.send(&format!("hello, {:?}", session.handshake().query("name")));
    ///     session.send(&[1, 2, 3][..]);
    /// });
    /// # });
    /// ```
    pub fn send<'a>(&self, message: impl Into<Message<'a>>) {
        let message = message.into();
        let cut = matches!(message, Message::Text(text) if text.contains(payload::SEPARATOR));
        if cut && self.0.peer.cuts_at_separators() {
            tracing::warn!("a text with U+001E was not sent to a client that polls");
            return;
        }
        turn::run(|| {
            let frames = turn::write(|buffer| {
                let start = frame::begin(buffer);
                let opcode = match message {
                    Message::Text(text) => {
                        buffer.push(TEXT);
                        buffer.extend_from_slice(text.as_bytes());
                        Opcode::Text
                    }
                    Message::Binary(bytes) => {
                        buffer.extend_from_slice(bytes);
                        Opcode::Binary
                    }
                };
                frame::finish(buffer, start, opcode);
            });
            if self.0.peer.push(&frames, Delivery::Queued) {
                turn::mark(self.0.peer.clone());
            }
        });
        turn::relieve();
    }

    /// Ends the session. What was sent before still goes out.
    ///
    /// ```
    /// # let _ = encke_server::Server::builder().raw(|on| {
    /// on.on_message(|session, message| {
    ///     if message == encke_server::raw::Message::Text("bye") {
    ///         session.close();
    ///     }
    /// });
    /// # });
    /// ```
    pub fn close(&self) {
        turn::run(|| self.0.peer.clone().end());
    }

    pub(crate) fn opened(&self) {
        self.deliver(Job::Open);
    }

    pub(crate) fn heard(&self, message: Data<'_>) {
        self.deliver(Job::Message(message));
    }

    pub(crate) fn closed(&self, reason: CloseReason) {
        self.deliver(Job::Close(reason));
    }

    /// Has `job` handled behind everything that came before it.
    fn deliver(&self, job: Job<'_>) {
        let Some(job) = self.begin(job) else { return };
        self.run(job);
        while let Some(job) = self.next_job() {
            self.run(job.as_job());
        }
    }

    /// The job itself when nothing is under way, else it is queued. After the close there is nothing to do.
    fn begin<'a>(&self, job: Job<'a>) -> Option<Job<'a>> {
        let mut work = crate::lock(&self.0.work);
        if work.closed {
            return None;
        }
        work.closed = matches!(job, Job::Close(_));
        if !work.busy {
            work.busy = true;
            return Some(job);
        }
        let job = job.into_owned();
        work.cost += job.cost();
        work.queue.push_back(job);
        let pause = !work.paused && work.cost > self.0.max_queued;
        work.paused |= pause;
        drop(work);
        if pause {
            self.0.peer.pause();
        }
        None
    }

    fn next_job(&self) -> Option<Owned> {
        let mut work = crate::lock(&self.0.work);
        let job = work.queue.pop_front();
        match &job {
            Some(job) => work.cost -= job.cost(),
            None => {
                work.busy = false;
                work.queue = VecDeque::new();
            }
        }
        let resume = work.paused && work.cost <= self.0.max_queued / 2;
        work.paused &= !resume;
        drop(work);
        if resume {
            self.0.peer.resume();
        }
        job
    }

    /// No panic of the application leaves it.
    fn run(&self, job: Job<'_>) {
        let handlers = &self.0.handlers;
        let run = || match job {
            Job::Open => handlers.open.iter().for_each(|open| open(self)),
            Job::Message(data) => {
                let message = match &data {
                    Data::Text(text) => Message::Text(text),
                    Data::Binary(bytes) => Message::Binary(bytes),
                };
                handlers.message.iter().for_each(|handler| handler(self, message));
            }
            Job::Close(reason) => handlers.close.iter().for_each(|close| close(self, reason)),
        };
        if let Err(panic) = turn::run(|| catch_unwind(AssertUnwindSafe(run))) {
            let text = panic.downcast_ref::<&str>().copied();
            let text = text.or_else(|| panic.downcast_ref::<String>().map(String::as_str));
            tracing::error!(panic = text.unwrap_or("(no text)"), "a handler of messages panicked");
        }
    }
}

impl PartialEq for Session {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl Eq for Session {}

impl Hash for Session {
    fn hash<H: Hasher>(&self, state: &mut H) {
        Arc::as_ptr(&self.0).hash(state);
    }
}

impl std::fmt::Debug for Session {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Session").finish_non_exhaustive()
    }
}
