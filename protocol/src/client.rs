//! The client core: everything a Socket.IO client decides, without I/O. Browser and native clients are drivers of it.
//!
//! It owns the choice of transport, reconnecting, the sockets of all namespaces with their outboxes and awaited acks, and
//! one session at a time ([`crate::engine::client`] and [`crate::socket::client`]). It owns no connection: [`Output`] tells
//! the driver what to open, send and end. After [`Output::End`] nothing of what was open may come back as an input, so a
//! driver drops it.
//!
//! The contract is that of [`crate::engine::server`], but that events are owned and come out of [`Client::poll_output`]
//! too: one poll's answer may hold many.
//!
//! `A` is what waits for an ack: a callback in the browser, a channel on native.

mod backoff;
mod choice;
mod config;
mod order;
mod outbox;
mod session;
mod socket;
mod state;
mod transport;

pub use backoff::Backoff;
pub use config::Config;
pub use order::{Failure, Goodbye, Input, Output, judge};
pub use outbox::{AckFailure, Emit, EmitError, NotSent};
pub use socket::{ReplyTo, SocketId};
pub use state::{Event, State, WaitReason};
pub use transport::{PassedOver, Transport, Why};

use crate::Timestamp;
use crate::engine::CloseReason;
use crate::engine::jsonp::Index;
use crate::queue::Queue;
use crate::socket::{Args, DisconnectReason, check_namespace};
use choice::{Choice, Verdict};
use session::{Plan, Session};
use socket::Socket;

/// The state machine of one client.
#[derive(Debug)]
pub struct Client<A> {
    config: Config,
    state: State,
    choice: Choice,
    session: Option<Session>,
    sockets: Vec<Socket<A>>,
    outputs: Queue<Output<A>>,
    /// Idle only for want of a socket that wants its namespace.
    rests: bool,
}

impl<A> Client<A> {
    /// A client that is not connected yet.
    pub fn new(config: Config) -> Self {
        let choice = Choice::new(&config);
        Self {
            config,
            state: State::Idle,
            choice,
            session: None,
            sockets: Vec::new(),
            outputs: Queue::default(),
            rests: false,
        }
    }

    /// Passes that transport over for that many milliseconds, as an earlier client has wished by [`Output::Remember`].
    pub fn pass_over(&mut self, now: Timestamp, transport: PassedOver, left: u64) {
        self.choice.restore(now, transport, left);
    }

    /// What the application should be shown.
    pub fn state(&self) -> &State {
        &self.state
    }

    /// The socket in that namespace, which joins whenever the client is connected. Asking again for a namespace gives the
    /// same socket as it is. A name that no namespace can have is refused as if by the server.
    pub fn socket(&mut self, namespace: &str) -> SocketId {
        if let Some(known) = self.sockets.iter().position(|socket| socket.namespace == namespace) {
            return SocketId(known);
        }
        let id = SocketId(self.sockets.len());
        let mut socket = Socket::new(namespace);
        if let Err(error) = check_namespace(namespace) {
            socket.wanted = false;
            let message = error.as_str().to_owned();
            self.outputs.push(Output::Event(Event::Refused { socket: id, message, data: None }));
        }
        self.sockets.push(socket);
        self.ask_in(id);
        self.flush();
        id
    }

    /// What that socket says of itself whenever it joins from now on: a JSON object.
    pub fn set_auth(&mut self, id: SocketId, auth: Option<String>) {
        if let Some(socket) = self.sockets.get_mut(id.0) {
            socket.auth = auth;
        }
    }

    /// Has that socket join again after it left, was refused or was put out.
    pub fn join(&mut self, id: SocketId) {
        if let Some(socket) = self.sockets.get_mut(id.0)
            && check_namespace(&socket.namespace).is_ok()
        {
            socket.wanted = true;
            self.ask_in(id);
            self.flush();
        }
    }

    /// Whether that socket has joined its namespace.
    pub fn is_joined(&self, id: SocketId) -> bool {
        let joined =
            |socket: &Socket<A>| self.session.as_ref().is_some_and(|s| s.is_joined(&socket.namespace));
        self.sockets.get(id.0).is_some_and(joined)
    }

    /// The id that the server gave that socket, while it is joined.
    pub fn sid(&self, id: SocketId) -> Option<&str> {
        self.sockets.get(id.0).and_then(|socket| socket.sid.as_deref())
    }

    /// Queues an event. It is sent when the socket is joined and the transport takes it.
    ///
    /// # Errors
    /// [`EmitError`] with what would have waited for the ack: nothing is queued then.
    pub fn emit(&mut self, now: Timestamp, id: SocketId, emit: Emit<A>) -> Result<(), EmitError<A>> {
        self.judge_silence(now);
        let at_once = self.is_joined(id) && self.session.as_ref().is_some_and(Session::is_idle);
        let max_payload =
            self.session.as_ref().and_then(Session::max_payload).unwrap_or(self.config.max_message);
        let socket = match self.sockets.get_mut(id.0) {
            Some(socket) if self.state != State::Closed => socket,
            _ => {
                let ack = emit.ack.map(|(slot, _)| slot);
                return Err(EmitError { reason: NotSent::Closed, ack });
            }
        };
        socket.queue_event(now, emit, at_once, max_payload, self.config.max_queued)?;
        self.flush();
        Ok(())
    }

    /// Gives up an ack of that socket: the first whose slot matches. An event that is still queued is not sent any more.
    pub fn cancel(&mut self, id: SocketId, matches: impl Fn(&A) -> bool) -> Option<A> {
        self.sockets.get_mut(id.0)?.cancel(&matches)
    }

    /// Answers an event of the server, once. Without effect when the socket has been disconnected since.
    pub fn reply(&mut self, id: SocketId, to: ReplyTo, args: Args<'static>) {
        if let Some(socket) = self.sockets.get_mut(id.0) {
            if !socket.queue_reply(to, args, self.config.max_queued) {
                self.outputs.push(Output::Event(Event::Dropped(id)));
            }
            self.flush();
        }
    }

    /// Leaves that namespace, until [`Client::join`]: what is queued is dropped, awaited acks end.
    pub fn leave(&mut self, id: SocketId) {
        let Some(socket) = self.sockets.get_mut(id.0) else {
            return;
        };
        socket.wanted = false;
        if let Some(session) = &mut self.session {
            session.leave(&socket.namespace);
        }
        socket.disconnected(id, DisconnectReason::ByClient, &mut self.outputs);
        self.flush();
    }

    /// Takes what has happened.
    pub fn handle_input(&mut self, now: Timestamp, input: Input<'_>) {
        match input {
            Input::Connect => {
                if self.session.is_none() {
                    self.attempt(now);
                }
            }
            Input::Disconnect => self.disconnect(now),
            Input::Pause => self.pause(now),
            Input::RetryNow => {
                if matches!(self.state, State::Waiting { .. } | State::Paused) {
                    self.attempt_if_wanted(now);
                }
                self.judge_silence(now);
            }
            Input::Timeout => self.handle_timeout(now),
            input => {
                if let Some(session) = &mut self.session {
                    session.handle_input(now, input);
                }
            }
        }
        self.settle(now);
    }

    /// The next thing to do, `None` when all is done.
    pub fn poll_output(&mut self) -> Option<Output<A>> {
        self.outputs.pop()
    }

    /// When to hand in [`Input::Timeout`], if at all.
    pub fn next_deadline(&self) -> Option<Timestamp> {
        let waiting = match self.state {
            State::Waiting { until, .. } => Some(until),
            // A socket has joined since: at once.
            State::Idle if self.rests && self.is_wanted() => Some(Timestamp::default()),
            _ => None,
        };
        let session = self.session.as_ref().and_then(Session::next_deadline);
        let mut next = Timestamp::earlier(waiting, session);
        for socket in &self.sockets {
            next = Timestamp::earlier(next, socket.next_deadline());
        }
        next
    }

    /// Not for a client whose sockets have all left, or are not let in.
    fn is_wanted(&self) -> bool {
        self.sockets.is_empty() || self.sockets.iter().any(|socket| socket.wanted)
    }

    fn attempt_if_wanted(&mut self, now: Timestamp) {
        if self.is_wanted() { self.attempt(now) } else { self.rest() }
    }

    fn rest(&mut self) {
        self.rests = true;
        self.choice.rest();
        self.change(State::Idle);
    }

    fn attempt(&mut self, now: Timestamp) {
        self.rests = false;
        if let Some((transport, attempt)) = self.choice.next(now) {
            let plan = Plan {
                transport,
                upgrade_at: if self.config.upgrade { self.choice.upgrade_at(now) } else { None },
                doubted: self.choice.doubts_websocket(),
                open_timeout: self.choice.open_timeout(self.config.open_timeout),
                #[expect(clippy::cast_possible_truncation, reason = "any 32 bits will do")]
                index: Index(self.choice.random() as u32),
            };
            self.session = Some(Session::new(now, &self.config, plan));
            self.change(State::Connecting { transport, attempt });
        }
    }

    fn disconnect(&mut self, now: Timestamp) {
        if let Some(session) = &mut self.session {
            session.pack(&mut self.sockets, &mut self.outputs);
            for socket in &self.sockets {
                session.leave(&socket.namespace);
            }
            session.close(now, &mut self.outputs);
        }
        // Told before the session's end is, which would give another reason.
        for (index, socket) in self.sockets.iter_mut().enumerate() {
            socket.disconnected(SocketId(index), DisconnectReason::ByClient, &mut self.outputs);
        }
        self.settle(now);
        self.choice.rest();
        self.change(State::Closed);
    }

    fn pause(&mut self, now: Timestamp) {
        if matches!(self.state, State::Idle | State::Closed) {
            return;
        }
        if let Some(session) = &mut self.session {
            session.close(now, &mut self.outputs);
        }
        self.settle(now);
        self.choice.rest();
        self.change(State::Paused);
    }

    /// Timers may be throttled or asleep, so the server's silence is judged by the clock whenever there is a chance.
    fn judge_silence(&mut self, now: Timestamp) {
        let late =
            self.session.as_ref().and_then(Session::next_deadline).is_some_and(|deadline| deadline <= now);
        if late {
            self.handle_timeout(now);
            self.settle(now);
        }
    }

    fn handle_timeout(&mut self, now: Timestamp) {
        if let Some(session) = &mut self.session {
            session.handle_input(now, Input::Timeout);
        }
        for socket in &mut self.sockets {
            socket.expire(now, &mut self.outputs);
        }
        match self.state {
            State::Waiting { until, .. } if until <= now => self.attempt_if_wanted(now),
            State::Idle if self.rests && self.is_wanted() => self.attempt(now),
            _ => {}
        }
    }

    /// Carries on until nothing more follows from the last input.
    fn settle(&mut self, now: Timestamp) {
        while let Some(step) = self.session.as_mut().and_then(Session::poll) {
            match step {
                session::Step::Do(command) => self.outputs.push(command.into_output()),
                session::Step::Opened => {
                    for id in (0..self.sockets.len()).map(SocketId) {
                        self.ask_in(id);
                    }
                }
                session::Step::Carries(transport) => self.carried(now, transport),
                session::Step::NotUpgraded(why) => {
                    self.choice.not_upgraded(why);
                    if let State::Connected { transport, .. } = self.state {
                        self.carried(now, transport);
                    }
                }
                session::Step::Socket(told) => self.socket_told(told),
                session::Step::Ended(end) => self.ended(now, end),
            }
        }
        self.flush();
        if let Some(session) = &mut self.session {
            session.time_post(now);
        }
    }

    fn carried(&mut self, now: Timestamp, transport: Transport) {
        self.choice.carried(now, transport);
        let mut passed_over = Vec::new();
        for (other, _) in self.choice.passed_over(now) {
            if self.choice.is_better(other.transport, transport) {
                passed_over.push(other);
            }
        }
        self.change(State::Connected { transport, passed_over });
        self.remember(now);
    }

    fn remember(&mut self, now: Timestamp) {
        if self.choice.take_changed() {
            let mut passed_over = Vec::new();
            for entry in self.choice.passed_over(now) {
                passed_over.push(entry);
            }
            self.outputs.push(Output::Remember(passed_over));
        }
    }

    fn ask_in(&mut self, id: SocketId) {
        if let (Some(session), Some(socket)) = (&mut self.session, self.sockets.get(id.0))
            && socket.wanted
            && session.is_open()
        {
            session.join(&socket.namespace, socket.auth.as_deref());
        }
    }

    fn socket_told(&mut self, told: session::Told) {
        let found =
            self.sockets.iter_mut().enumerate().find(|(_, socket)| socket.namespace == told.namespace);
        if let Some((index, socket)) = found {
            socket.told(SocketId(index), told.what, &mut self.outputs);
        }
    }

    fn ended(&mut self, now: Timestamp, end: session::End) {
        self.session = None;
        self.outputs.push(Output::End { goodbye: end.goodbye });
        for (index, socket) in self.sockets.iter_mut().enumerate() {
            socket.session_ended(SocketId(index), end.reason, &mut self.outputs);
        }
        if end.reason == CloseReason::ForcedClose {
            return;
        }
        let at_once = self.choice.ended(now, end.verdict);
        self.remember(now);
        if !self.is_wanted() {
            return self.rest();
        }
        if at_once {
            return self.attempt(now);
        }
        let delay = self.choice.delay(&self.config.backoff);
        let reason = match end.verdict {
            Verdict::Forbidden => WaitReason::Forbidden,
            _ if end.carried => WaitReason::Lost(end.reason),
            _ => WaitReason::Unreachable,
        };
        self.change(State::Waiting { until: now.after(delay), delay, reason });
    }

    fn change(&mut self, state: State) {
        if self.state != state {
            self.outputs.push(Output::Event(Event::State(state.clone())));
            self.state = state;
        }
    }

    /// Hands queued packets to the transport while it takes them.
    fn flush(&mut self) {
        let Some(session) = &mut self.session else {
            return;
        };
        session.flush(&mut self.sockets, &mut self.outputs);
    }
}
