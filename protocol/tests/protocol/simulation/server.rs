//! The server's side: the engine's and the namespaces' machines, and a driver that carries between them and the network.

use super::network::{Ask, AtServer, Due, Frame, Network, RequestId, Side, SocketId};
use super::traffic::{Application, Outbox, Traffic};
use encke_protocol::Timestamp;
use encke_protocol::engine::server::{Config, Event, Input, Output, Session};
use encke_protocol::engine::{CloseReason, Data, Handshake, Packet, Transport, payload};
use encke_protocol::socket::Limits;
use encke_protocol::socket::server::{self as namespaces, Namespaces};
use std::collections::VecDeque;

/// Bytes of a payload; small, so that payloads are cut by it too.
pub const MAX_PAYLOAD: u32 = 1_500;

/// One server with at most one session in its life.
#[derive(Debug)]
pub struct Server {
    config: Config,
    session: Option<Session>,
    namespaces: Namespaces,
    limits: Limits,
    pub outbox: Outbox,
    pub application: Application,
    poll: Option<RequestId>,
    /// The WebSocket that carries the session, and the one that is probed.
    websocket: Option<SocketId>,
    probing: Option<SocketId>,
    /// What has come while reading was paused.
    held_back: Option<VecDeque<Held>>,
    pub upgraded: bool,
    pub closed: Option<CloseReason>,
}

#[derive(Debug)]
enum Held {
    FromNetwork(AtServer),
    Body { request: RequestId, body: String },
}

impl Server {
    pub fn new(config: Config) -> Self {
        let limits = Limits::default();
        Self {
            config,
            session: None,
            namespaces: Namespaces::new(Timestamp::default(), &limits),
            limits,
            outbox: Outbox::default(),
            application: Application::new(Side::Server),
            poll: None,
            websocket: None,
            probing: None,
            held_back: None,
            upgraded: false,
            closed: None,
        }
    }

    /// Whether nothing of the session is left.
    pub fn is_free(&self) -> bool {
        self.session.is_none()
    }

    pub fn is_joined(&self) -> bool {
        self.closed.is_none() && self.namespaces.is_joined("/")
    }

    pub fn next_deadline(&self) -> Option<Timestamp> {
        self.session.as_ref().and_then(Session::next_deadline)
    }

    pub fn arrive(&mut self, network: &mut Network, traffic: &mut Traffic, arrival: AtServer) {
        let is_read = matches!(
            &arrival,
            AtServer::Frame { .. }
                | AtServer::WebSocketClosed { .. }
                | AtServer::Request { ask: Ask::Post { .. }, .. }
        );
        if let Some(held_back) = &mut self.held_back
            && is_read
        {
            return held_back.push_back(Held::FromNetwork(arrival));
        }
        match arrival {
            AtServer::Request { request, ask: Ask::Poll { opens } } => {
                self.poll_opened(network, traffic, request, opens);
            }
            AtServer::Request { request, ask: Ask::Post { body } } => {
                assert!(body.len() <= MAX_PAYLOAD as usize, "no payload is larger than the server said");
                if self.input(network, traffic, Input::PostOpened) {
                    let delay = network.delay() / 4;
                    network.schedule(delay, Due::BodyRead { request, body });
                } else {
                    network.answer(request, 400, String::new());
                }
            }
            AtServer::RequestGone { request } => {
                if self.poll == Some(request) {
                    self.poll = None;
                }
                self.input(network, traffic, Input::RequestLost);
            }
            AtServer::WebSocketOpened { socket, opens } => {
                self.websocket_opened(network, traffic, socket, opens);
            }
            AtServer::Frame { socket, frame } => self.frame(network, traffic, socket, &frame),
            AtServer::WebSocketClosed { socket } => {
                if [self.websocket, self.probing].contains(&Some(socket)) {
                    // Never both at a time.
                    (self.websocket, self.probing) = (None, None);
                    self.input(network, traffic, Input::WebSocketClosed(CloseReason::TransportClose));
                }
            }
        }
    }

    pub fn body_read(
        &mut self,
        network: &mut Network,
        traffic: &mut Traffic,
        request: RequestId,
        body: String,
    ) {
        if let Some(held_back) = &mut self.held_back {
            return held_back.push_back(Held::Body { request, body });
        }
        let mut good = true;
        for packet in payload::decode(&body, payload::MAX_PACKETS) {
            let input = match packet {
                Ok(packet) => Input::Packet(Transport::Polling, packet),
                Err(_) => Input::Malformed(Transport::Polling),
            };
            good &= self.input(network, traffic, input);
        }
        self.input(network, traffic, Input::PostEnded);
        // The client may have given it up meanwhile.
        if !network.is_answered(request) {
            let status = if good { 200 } else { 400 };
            network.answer(request, status, "ok".to_owned());
        }
    }

    pub fn accept(&mut self, network: &mut Network, traffic: &mut Traffic) {
        if self.closed.is_some() {
            return;
        }
        let accept = namespaces::Input::Accept { namespace: "/", sid: "socket", pid: None };
        self.namespaces.handle_input(network.now(), accept, &self.limits);
        self.drain(network, traffic);
    }

    pub fn pause_reading(&mut self, network: &mut Network, traffic: &mut Traffic) {
        self.held_back = Some(VecDeque::new());
        self.input(network, traffic, Input::ReadingPaused);
    }

    pub fn resume_reading(&mut self, network: &mut Network, traffic: &mut Traffic) {
        self.input(network, traffic, Input::ReadingResumed);
        for held in self.held_back.take().unwrap_or_default() {
            match held {
                Held::FromNetwork(AtServer::Request { request, .. }) if network.is_answered(request) => {}
                Held::FromNetwork(arrival) => self.arrive(network, traffic, arrival),
                Held::Body { request, body } => self.body_read(network, traffic, request, body),
            }
        }
    }

    pub fn close(&mut self, network: &mut Network, traffic: &mut Traffic) {
        self.input(network, traffic, Input::Close(CloseReason::ForcedClose));
    }

    pub fn timeout(&mut self, network: &mut Network, traffic: &mut Traffic) {
        self.input(network, traffic, Input::Timeout);
    }

    /// Writes what may be written now.
    pub fn flush(&mut self, network: &mut Network, traffic: &mut Traffic) {
        if self.outbox.len() == 0 {
            return;
        }
        match self.session.as_ref().and_then(Session::writable) {
            Some(Transport::Polling) => {
                let body = self.outbox.take_payload(MAX_PAYLOAD as usize);
                // Nothing is queued behind the goodbye.
                let says_goodbye = self.outbox.len() == 0 && self.closed.is_some();
                self.answer_poll(network, body);
                self.input(network, traffic, Input::PollEnded);
                if says_goodbye {
                    self.input(network, traffic, Input::GoodbyeWritten);
                }
            }
            Some(Transport::WebSocket) => self.write_websocket(network),
            None => {}
        }
    }

    fn poll_opened(&mut self, network: &mut Network, traffic: &mut Traffic, request: RequestId, opens: bool) {
        if opens {
            self.open(network.now(), Transport::Polling);
        }
        let is_second = self.poll.is_some();
        self.poll.get_or_insert(request);
        let is_taken = self.input(network, traffic, Input::PollOpened);
        if is_second {
            assert!(self.is_free(), "two polls at once end the session");
            network.answer(request, 400, String::new());
        } else if !is_taken {
            self.poll = None;
            network.answer(request, 400, String::new());
        }
    }

    fn websocket_opened(
        &mut self,
        network: &mut Network,
        traffic: &mut Traffic,
        socket: SocketId,
        opens: bool,
    ) {
        if opens {
            self.websocket = Some(socket);
            self.open(network.now(), Transport::WebSocket);
            self.flush(network, traffic);
        } else if self.input(network, traffic, Input::WebSocketOpened) {
            self.probing = Some(socket);
        } else {
            network.close(Side::Server, socket);
        }
    }

    fn frame(&mut self, network: &mut Network, traffic: &mut Traffic, socket: SocketId, frame: &Frame) {
        if self.websocket != Some(socket) && self.probing != Some(socket) {
            return;
        }
        let input = match Packet::decode(frame.data()) {
            Ok(packet) => Input::Packet(Transport::WebSocket, packet),
            Err(_) => Input::Malformed(Transport::WebSocket),
        };
        assert!(self.input(network, traffic, input), "an attached WebSocket is never refused");
    }

    fn open(&mut self, now: Timestamp, transport: Transport) {
        assert!(self.session.is_none() && self.closed.is_none(), "the client opens one session");
        self.session = Some(Session::new(now, self.config, transport));
        self.namespaces = Namespaces::new(now, &self.limits);
        let handshake = Handshake {
            sid: "session".to_owned(),
            upgrades: self.config.upgrades,
            ping_interval: self.config.ping_interval,
            ping_timeout: self.config.ping_timeout,
            max_payload: MAX_PAYLOAD,
        };
        self.outbox.push_engine(&Packet::Open(&handshake.encode()));
    }

    /// Hands an input in and does all that follows. Whether it was not refused.
    fn input(&mut self, network: &mut Network, traffic: &mut Traffic, input: Input<'_>) -> bool {
        let Some(session) = &mut self.session else { return false };
        match session.handle_input(network.now(), input) {
            Err(_) => return false,
            Ok(None) => {}
            Ok(Some(Event::Message(data))) => self.message(network, traffic, data),
            Ok(Some(Event::Closed(reason))) => {
                assert!(self.closed.replace(reason).is_none(), "a session closes once");
            }
        }
        self.drain(network, traffic);
        true
    }

    fn message(&mut self, network: &mut Network, traffic: &mut Traffic, data: Data<'_>) {
        let input = namespaces::Input::Message(data);
        match self.namespaces.handle_input(network.now(), input, &self.limits) {
            None => {}
            Some(namespaces::Event::Connect { namespace, .. }) if namespace == "/" => {
                let delay = network.delay();
                network.schedule(delay, Due::Accept);
            }
            Some(namespaces::Event::Incoming(incoming)) => {
                self.application.receive(traffic, network.now_millis(), incoming, &mut self.outbox);
            }
            // The client core says so before it closes the session.
            Some(namespaces::Event::Disconnect { .. }) => {}
            Some(other) => panic!("the client keeps to the protocol: {other:?}"),
        }
    }

    fn drain(&mut self, network: &mut Network, traffic: &mut Traffic) {
        while let Some(namespaces::Output::Send(text)) = self.namespaces.poll_output() {
            self.outbox.push_message(&text);
        }
        while let Some(output) = self.session.as_mut().and_then(Session::poll_output) {
            self.perform(network, traffic, output);
        }
        self.flush(network, traffic);
    }

    fn perform(&mut self, network: &mut Network, traffic: &mut Traffic, output: Output) {
        match output {
            Output::AnswerProbe => {
                let probing = self.probing.expect("a probe was received");
                network.send(Side::Server, probing, Frame::text("3probe"));
            }
            Output::Upgrade => {
                self.websocket = self.probing.take();
                self.upgraded = true;
            }
            Output::Pong => unreachable!("the client is of v4"),
            Output::Ping => self.outbox.push_engine(&Packet::Ping("")),
            Output::Goodbye => match self.websocket.take() {
                Some(socket) => {
                    self.outbox.take_frames().for_each(|frame| network.send(Side::Server, socket, frame));
                    network.close(Side::Server, socket);
                }
                None => self.outbox.push_engine(&Packet::Close),
            },
            Output::ReleasePoll => {
                self.flush(network, traffic);
                if self.poll.is_some() {
                    self.answer_poll(network, "6".to_owned());
                    self.input(network, traffic, Input::PollEnded);
                }
            }
            Output::CloseProbe => {
                if let Some(socket) = self.probing.take() {
                    network.close(Side::Server, socket);
                }
            }
            Output::Drop => {
                if self.poll.is_some() {
                    self.answer_poll(network, "1".to_owned());
                }
                for socket in [self.websocket.take(), self.probing.take()].into_iter().flatten() {
                    network.close(Side::Server, socket);
                }
                self.session = None;
            }
        }
    }

    fn answer_poll(&mut self, network: &mut Network, body: String) {
        let request = self.poll.take().expect("a poll waits when it is answered");
        network.answer(request, 200, body);
    }

    fn write_websocket(&mut self, network: &mut Network) {
        let socket = self.websocket.expect("the session is carried by a WebSocket");
        self.outbox.take_frames().for_each(|frame| network.send(Side::Server, socket, frame));
    }
}
