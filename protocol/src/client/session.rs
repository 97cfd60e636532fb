//! One session of the client core: both protocol machines, and the packets between them and the transport.

mod sending;

use super::choice::{PROOF, SECOND_CHANCE, Verdict};
use super::{Config, Failure, Goodbye, Input, Output, PassedOver, Transport, Why};
use crate::Timestamp;
use crate::engine::client as engine;
use crate::engine::jsonp::Index;
use crate::engine::{CloseReason, Data, Packet, Query, Transport as Wired, Version, payload};
use crate::list;
use crate::queue::Queue;
use crate::socket::client as namespaces;
use crate::socket::{AckId, Args, Incoming, Limits};

/// What the session wants of the client core, in order.
#[derive(Debug)]
pub(super) enum Step {
    Do(Command),
    /// The handshake is done; namespaces may be joined.
    Opened,
    /// Messages get through, by that transport.
    Carries(Transport),
    /// It has tried in vain to change to a WebSocket.
    NotUpgraded(Why),
    Socket(Told),
    Ended(End),
}

/// How the session ended.
#[derive(Debug)]
pub(super) struct End {
    pub(super) reason: CloseReason,
    pub(super) verdict: Verdict,
    /// A message of the server had come.
    pub(super) carried: bool,
    /// What to post, so that the server knows.
    pub(super) goodbye: Option<Goodbye>,
}

/// An order to the driver.
#[derive(Debug)]
pub(super) enum Command {
    OpenWebSocket(String),
    SendText(&'static str),
    CloseWebSocket,
    Get(String),
    LoadScript { url: String, index: Index },
}

impl Command {
    pub(super) fn into_output<A>(self) -> Output<A> {
        match self {
            Self::OpenWebSocket(url) => Output::OpenWebSocket(url),
            Self::SendText(text) => Output::SendText(text.to_owned()),
            Self::CloseWebSocket => Output::CloseWebSocket,
            Self::Get(url) => Output::Get(url),
            Self::LoadScript { url, index } => Output::LoadScript { url, index },
        }
    }
}

#[derive(Debug)]
pub(super) struct Told {
    pub(super) namespace: String,
    pub(super) what: What,
}

#[derive(Debug)]
pub(super) enum What {
    Connected { sid: String },
    Refused { message: String, data: Option<String> },
    Disconnected,
    Event { id: Option<AckId>, name: String, args: Args<'static> },
    Ack { id: AckId, args: Args<'static> },
}

/// An encoded packet that waits for the transport: with its type as text, or a binary message.
#[derive(Debug)]
enum Wire {
    Text(String),
    Binary(Vec<u8>),
}

/// Length of a binary packet in a payload: `b` and padded base64.
pub(super) const fn base64_len(bytes: usize) -> usize {
    1 + bytes.div_ceil(3) * 4
}

/// How to go about a session.
#[derive(Debug)]
pub(super) struct Plan {
    pub(super) transport: Transport,
    /// When to change from polling to a WebSocket, if ever.
    pub(super) upgrade_at: Option<Timestamp>,
    /// That WebSocket has been of no use again and again.
    pub(super) doubted: bool,
    /// Milliseconds until the handshake, and then for the first POST.
    pub(super) open_timeout: u32,
    /// For JSONP.
    pub(super) index: Index,
}

#[derive(Debug)]
pub(super) struct Session {
    /// `scheme://host/path/?`, and the query parameters of the application.
    base: String,
    extra: String,
    sid: Option<String>,
    /// Long-polling is by scripts and forms.
    jsonp: Option<Index>,
    max_payload: usize,
    engine: engine::Session,
    /// What carries the session, and since when it does; before the handshake, what is to carry it.
    carrier: Transport,
    since: Option<Timestamp>,
    /// The carrier has shown since then that both ways are open: see [`Session::take_proof`].
    proved: bool,
    /// Pings since then.
    pings: u8,
    /// When to try to change to a WebSocket, if that is wanted.
    probe_at: Option<Timestamp>,
    open_timeout: u32,
    /// When the POST that is under way has to be answered: see [`Session::time_post`].
    post_until: Option<Timestamp>,
    /// What speaks against the WebSocket that is being opened, should it end now.
    websocket: Why,
    /// The server has ended the session in so many words.
    dismissed: bool,
    forbidden: bool,
    namespaces: namespaces::Namespaces,
    limits: Limits,
    /// Few: those of one message, and a pong.
    wire: Vec<Wire>,
    /// The payload of the goodbye, as far as it is put together.
    last: String,
    steps: Queue<Step>,
    /// A message of the server has come.
    carried: bool,
    /// See [`Session::tell`].
    told: bool,
    doubted: bool,
}

impl Session {
    pub(super) fn new(now: Timestamp, config: &Config, plan: Plan) -> Self {
        let Plan { transport, upgrade_at, doubted, open_timeout, index } = plan;
        let upgrade = upgrade_at.is_some_and(|at| at <= now);
        let engine_config = engine::Config {
            open_timeout,
            upgrade,
            proof: if doubted { PROOF } else { 0 },
            ..engine::Config::default()
        };
        let mut base = config.origin.clone();
        base.push_str(&config.path);
        base.push('?');
        let mut session = Self {
            base,
            extra: config.query.clone(),
            sid: None,
            jsonp: (transport == Transport::Jsonp).then_some(index),
            max_payload: 0,
            engine: engine::Session::new(now, engine_config, transport.on_the_wire()),
            carrier: transport,
            since: None,
            proved: false,
            pings: 0,
            probe_at: if transport == Transport::WebSocket || upgrade { None } else { upgrade_at },
            open_timeout,
            post_until: None,
            websocket: Why::NotOpened,
            dismissed: false,
            forbidden: false,
            namespaces: namespaces::Namespaces::new(),
            limits: Limits::default(),
            wire: Vec::new(),
            last: String::new(),
            steps: Queue::default(),
            carried: false,
            told: false,
            doubted,
        };
        session.drain_engine(now);
        session
    }

    pub(super) fn poll(&mut self) -> Option<Step> {
        self.steps.pop()
    }

    pub(super) fn next_deadline(&self) -> Option<Timestamp> {
        let other = Timestamp::earlier(self.probe_at, self.post_until);
        Timestamp::earlier(self.engine.next_deadline(), other)
    }

    /// Gives a POST that has begun its time, if nothing of the server has come yet. Some browsers never tell that a form
    /// did not get through. Such a POST holds joins and pongs, for which no server has a reason to wait. A later one is
    /// held as long as the server's queues are full, and its heartbeat tells if one is lost.
    pub(super) fn time_post(&mut self, now: Timestamp) {
        if !self.carried && self.post_until.is_none() && self.engine.is_posting() {
            self.post_until = Some(now.after(self.open_timeout.into()));
        }
    }

    fn post_is_late(&self, now: Timestamp) -> bool {
        self.post_until.is_some_and(|until| until <= now)
    }

    /// Whether a message that is queued now would be on its way at once.
    pub(super) fn is_idle(&self) -> bool {
        self.wire.is_empty() && self.engine.writable().is_some()
    }

    pub(super) fn is_open(&self) -> bool {
        self.engine.is_open()
    }

    pub(super) fn is_joined(&self, namespace: &str) -> bool {
        self.namespaces.is_joined(namespace)
    }

    /// Bytes the server takes in one message, once it has said so.
    pub(super) fn max_payload(&self) -> Option<usize> {
        (self.max_payload > 0).then_some(self.max_payload)
    }

    pub(super) fn join(&mut self, namespace: &str, auth: Option<&str>) {
        self.namespaces.handle_input(namespaces::Input::Connect { namespace, auth }, &self.limits);
        self.drain_namespaces();
    }

    pub(super) fn leave(&mut self, namespace: &str) {
        self.namespaces.handle_input(namespaces::Input::Disconnect { namespace }, &self.limits);
        self.drain_namespaces();
    }

    pub(super) fn handle_input(&mut self, now: Timestamp, input: Input<'_>) {
        match input {
            Input::WebSocketOpened => {
                self.websocket = Why::Silent;
                self.feed(now, engine::Input::WebSocketOpened);
            }
            Input::WebSocketMessage(data) => match Packet::decode(data) {
                Ok(packet) => self.feed(now, engine::Input::Packet(Wired::WebSocket, packet)),
                Err(_) => self.feed(now, engine::Input::Malformed(Wired::WebSocket)),
            },
            Input::WebSocketClosed => {
                let (transport, reason) = (Wired::WebSocket, CloseReason::TransportClose);
                self.feed(now, engine::Input::TransportClosed(transport, reason));
            }
            Input::GetAnswered(Ok(body)) => self.handle_payload(now, body),
            Input::GetAnswered(Err(failure)) | Input::PostAnswered(Err(failure)) => {
                self.forbidden = failure == Failure::Forbidden;
                let (transport, reason) = (Wired::Polling, CloseReason::TransportError);
                self.feed(now, engine::Input::TransportClosed(transport, reason));
            }
            Input::PostAnswered(Ok(())) => {
                self.post_until = None;
                self.feed(now, engine::Input::PostEnded);
            }
            Input::Timeout => {
                if self.post_is_late(now) {
                    let (transport, reason) = (Wired::Polling, CloseReason::TransportError);
                    self.feed(now, engine::Input::TransportClosed(transport, reason));
                }
                self.feed(now, engine::Input::Timeout);
                if self.probe_at.is_some_and(|at| at <= now) {
                    self.probe_at = None;
                    self.engine.upgrade(now);
                    self.drain_engine(now);
                }
            }
            Input::Connect | Input::Disconnect | Input::Pause | Input::RetryNow => {}
        }
    }

    fn handle_payload(&mut self, now: Timestamp, body: &str) {
        // The server's own answer is bounded by the transport; the client takes as many packets as it holds.
        for packet in payload::decode(body, usize::MAX) {
            match packet {
                Ok(packet) => self.feed(now, engine::Input::Packet(Wired::Polling, packet)),
                Err(_) => return self.feed(now, engine::Input::Malformed(Wired::Polling)),
            }
        }
        self.feed(now, engine::Input::PollEnded);
    }

    fn feed(&mut self, now: Timestamp, input: engine::Input<'_>) {
        if let engine::Input::Packet(transport, packet) = &input
            && self.since.is_some()
            && *transport == self.carrier.on_the_wire()
        {
            self.take_proof(packet);
        } else if let engine::Input::Packet(Wired::WebSocket, Packet::Pong(_)) = &input {
            // The answer to its probe: it carries.
            self.websocket = Why::Cut;
        }
        // A refused input is one that came too late to matter.
        let event = self.engine.handle_input(now, input).unwrap_or(None);
        match event {
            None => {}
            Some(engine::Event::Opened(handshake)) => {
                self.max_payload = usize::try_from(handshake.max_payload).unwrap_or(usize::MAX);
                self.sid = Some(handshake.sid);
                self.since = Some(now);
                self.steps.push(Step::Opened);
            }
            Some(engine::Event::Upgraded) => {
                (self.carrier, self.since) = (Transport::WebSocket, Some(now));
                (self.proved, self.pings, self.probe_at) = (false, 0, None);
                self.told = false;
            }
            Some(engine::Event::Message(data)) => self.handle_message(now, data),
            Some(engine::Event::Closed(reason)) => return self.ended(now, reason),
        }
        self.drain_engine(now);
        self.tell();
    }

    /// Says once of a carrier that it carries. A WebSocket that is doubted has to show it after an upgrade too.
    fn tell(&mut self) {
        if self.carried && !self.told && (self.proved || !self.doubted) {
            self.told = true;
            self.steps.push(Step::Carries(self.carrier));
        }
    }

    /// What comes behind the handshake shows that more than the opening gets through. A first ping shows one way only: the
    /// second is sent when the pong has arrived.
    fn take_proof(&mut self, packet: &Packet<'_>) {
        match packet {
            Packet::Message(_) => self.proved = true,
            Packet::Ping(_) => {
                self.pings = self.pings.saturating_add(1);
                self.proved |= self.pings > 1;
            }
            Packet::Close => self.dismissed = true,
            _ => {}
        }
    }

    fn handle_message(&mut self, now: Timestamp, data: Data<'_>) {
        let Some(event) = self.namespaces.handle_input(namespaces::Input::Message(data), &self.limits) else {
            return;
        };
        let (namespace, what) = match event {
            namespaces::Event::Connected { namespace, sid, .. } => {
                (namespace.to_owned(), What::Connected { sid })
            }
            namespaces::Event::Refused { namespace, message, data } => {
                (namespace.to_owned(), What::Refused { message, data: data.map(str::to_owned) })
            }
            namespaces::Event::Disconnected { namespace } => (namespace.to_owned(), What::Disconnected),
            namespaces::Event::Incoming(Incoming::Event { namespace, id, name, args }) => {
                let (name, args) = (name.into_owned(), args.into_owned());
                (namespace.into_owned(), What::Event { id, name, args })
            }
            namespaces::Event::Incoming(Incoming::Ack { namespace, id, args }) => {
                (namespace.into_owned(), What::Ack { id, args: args.into_owned() })
            }
            namespaces::Event::Violation(_) => {
                return self.feed(now, engine::Input::Close(CloseReason::ParseError));
            }
        };
        self.carried = true;
        self.tell();
        self.steps.push(Step::Socket(Told { namespace, what }));
    }

    fn drain_namespaces(&mut self) {
        while let Some(namespaces::Output::Send(text)) = self.namespaces.poll_output() {
            let mut packet = String::from("4");
            packet.push_str(&text);
            self.wire.push(Wire::Text(packet));
        }
    }

    fn drain_engine(&mut self, now: Timestamp) {
        while let Some(output) = self.engine.poll_output() {
            let command = match output {
                engine::Output::OpenWebSocket => {
                    self.websocket = Why::NotOpened;
                    Command::OpenWebSocket(self.websocket_url())
                }
                engine::Output::Probe => Command::SendText("2probe"),
                engine::Output::Upgrade => Command::SendText("5"),
                engine::Output::Poll => {
                    let url = self.url(Wired::Polling);
                    match self.jsonp {
                        Some(index) => Command::LoadScript { url, index },
                        None => Command::Get(url),
                    }
                }
                engine::Output::CloseProbe => {
                    self.probe_at = Some(now.after(SECOND_CHANCE));
                    self.steps.push(Step::NotUpgraded(self.websocket));
                    Command::CloseWebSocket
                }
                engine::Output::Pong => {
                    list::put(&mut self.wire, 0, Wire::Text("3".to_owned()));
                    continue;
                }
                // Both belong to the end of the session.
                engine::Output::Goodbye | engine::Output::Drop => continue,
            };
            self.steps.push(Step::Do(command));
        }
    }

    fn ended(&mut self, now: Timestamp, reason: CloseReason) {
        let polite = self.engine.poll_output() == Some(engine::Output::Goodbye);
        let goodbye = (polite && self.carrier != Transport::WebSocket).then(|| self.goodbye());
        let cut = matches!(reason, CloseReason::TransportClose | CloseReason::TransportError);
        let transport = self.carrier;
        let useless = |why| Verdict::Useless(PassedOver { transport, why });
        let verdict = match self.since {
            _ if self.forbidden => Verdict::Forbidden,
            None => Verdict::NotOpened(self.websocket),
            Some(_) if self.post_is_late(now) => useless(Why::Silent),
            Some(since) if cut && !self.dismissed && now.since(since) < u64::from(PROOF) => useless(Why::Cut),
            // A transport that carries nothing but pings has lost what was sent to the server, which may then have said so.
            Some(_) if !self.carried || !self.proved => useless(Why::Silent),
            Some(_) => Verdict::Useful(transport),
        };
        self.steps.push(Step::Ended(End { reason, verdict, carried: self.carried, goodbye }));
    }

    fn url(&self, transport: Wired) -> String {
        let mut url = self.base.clone();
        let jsonp = self.jsonp.filter(|_| transport == Wired::Polling);
        Query { version: Some(Version::V4), transport, sid: self.sid.as_deref(), jsonp, base64: false }
            .encode(&mut url);
        if !self.extra.is_empty() {
            url.push('&');
            url.push_str(&self.extra);
        }
        url
    }

    /// `ws` in place of `http`, so `wss` in place of `https`.
    fn websocket_url(&self) -> String {
        let url = self.url(Wired::WebSocket);
        match url.strip_prefix("http") {
            Some(rest) => {
                let mut websocket = String::from("ws");
                websocket.push_str(rest);
                websocket
            }
            None => url,
        }
    }
}
