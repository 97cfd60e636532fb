//! Sessions: one for each Engine.IO connection, whatever carries it.
//!
//! Owns a session's two state machines, its queue of outgoing frames and what waits to write them, all under one short
//! lock ([`state`]); the registry and the timer of all sessions ([`hub`]); the task of a WebSocket ([`driver`]) and the
//! wait of a poll ([`poll`]). Takes no HTTP type: requests come in as plain values. Application code never runs under the
//! session's lock.
//!
//! Whoever holds bytes or a due timer calls [`Session::input`]; there is no task or channel per session but the task that
//! reads a WebSocket.

mod channel;
mod driver;
mod hub;
mod outbox;
mod poll;
mod registry;
mod state;
mod wheel;

pub(crate) use channel::Io;
pub(crate) use driver::{Driver, Purpose, Upgrade, drive, turn_away, with_scratch};
pub(crate) use hub::{Busy, Hub};
pub(crate) use outbox::Form;
pub(crate) use poll::{Answer, Post};

use crate::frame::CloseCode;
use crate::id::SessionId;
use crate::namespace::peer::{Delivery, Peer};
use crate::namespace::{self, Auth, Handshake, Job, Refusal, Socket};
use crate::raw;
use crate::turn::{self, Flush, Frames};
use encke_protocol::Timestamp;
use encke_protocol::engine::jsonp::Index;
use encke_protocol::engine::{self, CloseReason, Data, ProtocolError, Transport, Version};
use encke_protocol::socket::{self, DisconnectReason, Incoming};
use registry::Registered;
use state::State;
use std::borrow::Cow;
use std::sync::{Arc, Mutex};

/// One client's connection.
pub(crate) struct Session {
    id: SessionId,
    hub: Arc<Hub>,
    /// What its client speaks.
    version: Version,
    /// The function of the page that its payloads call: it polls by scripts and forms.
    jsonp: Option<Index>,
    /// The request that opened it.
    handshake: Handshake,
    state: Mutex<State>,
}

/// What has to be done outside the session's lock.
enum Task<'a> {
    Nothing,
    Knock {
        namespace: Cow<'a, str>,
        auth: Option<Cow<'a, str>>,
    },
    Deliver(Socket, Incoming<'a>),
    Leave(Socket, DisconnectReason),
    /// A message that is no packet of Socket.IO.
    Hear(raw::Session, Data<'a>),
    /// The session is over for all of these.
    Disperse(Vec<Socket>, Option<raw::Session>, CloseReason),
    /// The client broke the rules of the upper protocol; the session has to end.
    Violation(socket::server::Violation),
}

/// What became of an input.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum After {
    Open,
    /// This input has ended the session.
    Ended,
}

impl Session {
    /// Takes what has happened, and has the application handle what follows from it.
    ///
    /// # Errors
    /// The session does not allow it and is unchanged.
    pub(crate) fn input(
        self: &Arc<Self>,
        now: Timestamp,
        input: engine::server::Input<'_>,
    ) -> Result<After, ProtocolError> {
        turn::run(|| {
            let task = self.update(|state| state.input(now, input, &self.hub.limits))?;
            Ok(self.perform(now, task))
        })
    }

    /// Changes the state, then does what the machines ask for. Inside a turn.
    fn update<T>(self: &Arc<Self>, change: impl FnOnce(&mut State) -> T) -> T {
        let mut state = crate::lock(&self.state);
        let result = change(&mut state);
        if state.settle(self) {
            turn::mark(self.clone());
        }
        result
    }

    fn perform(self: &Arc<Self>, now: Timestamp, task: Task<'_>) -> After {
        match task {
            Task::Nothing => {}
            Task::Knock { namespace, auth } => {
                if auth.as_ref().is_some_and(|auth| auth.len() > self.hub.config.limits.max_auth) {
                    self.clone().refuse(&namespace, &Refusal::new("The auth payload is too long"));
                } else {
                    let (random, auth) = (self.hub.registry.random(), Auth::new(auth.as_deref()));
                    self.hub.namespaces.knock(self.clone(), &namespace, random, auth);
                }
            }
            Task::Deliver(socket, Incoming::Event { id, name, args, .. }) => {
                socket.deliver(Job::Event { name, id, args: namespace::Args(args) });
            }
            Task::Deliver(socket, Incoming::Ack { id, args, .. }) => {
                socket.answered(id, namespace::Args(args))
            }
            Task::Leave(socket, reason) => socket.disconnected(reason),
            Task::Hear(raw, message) => raw.heard(message),
            Task::Disperse(sockets, raw, reason) => {
                for socket in sockets {
                    socket.disconnected(DisconnectReason::Session(reason));
                }
                if let Some(raw) = raw {
                    raw.closed(reason);
                }
                return After::Ended;
            }
            Task::Violation(violation) => {
                tracing::debug!(?violation, "a client broke the protocol");
                return self.violated(now, violation);
            }
        }
        After::Open
    }

    /// What a client that broke the rules is told depends on the transport: the machine below decides.
    fn violated(self: &Arc<Self>, now: Timestamp, violation: socket::server::Violation) -> After {
        let input = match (violation, crate::lock(&self.state).transport()) {
            (socket::server::Violation::ConnectTimeout, _) | (_, None) => {
                engine::server::Input::Close(CloseReason::ForcedClose)
            }
            (_, Some(transport)) => engine::server::Input::Malformed(transport),
        };
        self.input(now, input).unwrap_or(After::Ended)
    }

    /// Whether something is due that the timer, which is coarse, has not seen yet.
    fn is_due(&self, now: Timestamp) -> bool {
        crate::lock(&self.state).is_due(now)
    }

    /// Its timer has come up.
    fn due(self: &Arc<Self>, now: Timestamp) {
        turn::run(|| {
            for due in self.update(|state| state.take_due(now)).into_iter().flatten() {
                let task = match due {
                    state::Due::Engine(input) => {
                        self.update(|state| state.input(now, input, &self.hub.limits))
                    }
                    state::Due::Namespaces => {
                        Ok(self.update(|state| state.namespaces_due(now, &self.hub.limits)))
                    }
                };
                // What the session does not allow any more needs no timer.
                if let Ok(task) = task {
                    self.perform(now, task);
                }
            }
        });
    }

    fn close(self: &Arc<Self>, reason: CloseReason) {
        let _ = self.input(self.hub.now(), engine::server::Input::Close(reason));
    }
}

/// The one table from the end of a session to the close code that its WebSocket is given.
const fn close_code(reason: CloseReason) -> CloseCode {
    match reason {
        CloseReason::PingTimeout | CloseReason::TransportClose | CloseReason::ForcedClose => {
            CloseCode::Normal
        }
        CloseReason::TransportError | CloseReason::ParseError => CloseCode::Protocol,
        CloseReason::ShuttingDown => CloseCode::GoingAway,
        CloseReason::SlowReader => CloseCode::Policy,
    }
}

impl Flush for Session {
    fn flush(&self) {
        crate::lock(&self.state).flush(self);
    }
}

impl Peer for Session {
    fn handshake(&self) -> &Handshake {
        &self.handshake
    }

    fn name(&self) -> String {
        Self::name(self)
    }

    fn transport(&self) -> Option<Transport> {
        crate::lock(&self.state).transport()
    }

    fn cuts_at_separators(&self) -> bool {
        // Only polling puts packets into one text, and no client goes back to it. In v3 each says how long it is.
        self.version == Version::V4 && self.transport() == Some(Transport::Polling)
    }

    fn can_come_back(&self) -> bool {
        self.version == Version::V4
    }

    fn push(&self, frames: &Frames, delivery: Delivery) -> bool {
        crate::lock(&self.state).push(frames, delivery, self.hub.config.limits.max_outbox)
    }

    fn accept(self: Arc<Self>, socket: &Socket) -> bool {
        self.update(|state| state.accept(self.hub.now(), socket, &self.hub.limits))
    }

    fn refuse(self: Arc<Self>, namespace: &str, refusal: &Refusal) {
        let (message, data) = (refusal.message(), refusal.data());
        let input = socket::server::Input::Refuse { namespace, message, data };
        self.update(|state| state.namespaces(self.hub.now(), input, &self.hub.limits));
    }

    fn unknown(self: Arc<Self>, namespace: &str) {
        let input = socket::server::Input::Unknown { namespace };
        self.update(|state| state.namespaces(self.hub.now(), input, &self.hub.limits));
    }

    fn dismiss(self: Arc<Self>, socket: &Socket) {
        if self.update(|state| state.dismiss(self.hub.now(), socket, &self.hub.limits)) {
            socket.disconnected(DisconnectReason::ByServer);
        }
    }

    fn end(self: Arc<Self>) {
        self.close(CloseReason::ForcedClose);
    }

    fn pause(&self) {
        crate::lock(&self.state).pause(self.hub.now());
    }

    fn resume(&self) {
        crate::lock(&self.state).resume(self.hub.now(), self);
    }

    fn parted(&self) {
        crate::lock(&self.state).parted();
    }
}

impl Registered for Session {
    fn id(&self) -> SessionId {
        self.id
    }
}

impl Session {
    fn new(
        id: SessionId,
        hub: Arc<Hub>,
        version: Version,
        transport: Transport,
        jsonp: Option<Index>,
        handshake: Handshake,
    ) -> Self {
        let state = State::new(&hub, version, transport);
        Self { id, hub, version, jsonp, handshake, state: Mutex::new(state) }
    }

    /// Its client may speak, and its carrier, if it is a WebSocket, is there.
    fn begin(self: &Arc<Self>) {
        let now = self.hub.now();
        let task = self.update(|state| state.begin(now, &self.hub.limits));
        self.perform(now, task);
    }

    /// Fixed by the request that opened the session.
    pub(crate) fn version(&self) -> Version {
        self.version
    }

    /// Its id as the client knows it.
    pub(crate) fn name(&self) -> String {
        self.hub.registry.name(self.id)
    }

    /// Fixed by the request that opened the session.
    pub(crate) fn jsonp(&self) -> Option<Index> {
        self.jsonp
    }
}
