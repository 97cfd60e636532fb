//! The client's side. [`Client`] is what the simulation needs of one; [`BareClient`] is the engine's and the namespaces'
//! machines with a driver around them, for one session.

use super::network::{Ask, AtClient, Frame, Network, RequestId, Side, SocketId};
use super::traffic::{Acks, Application, Outbox, Traffic};
use encke_protocol::Timestamp;
use encke_protocol::engine::client::{Config, Event, Input, Output, Session};
use encke_protocol::engine::{CloseReason, Data, Packet, Transport, payload};
use encke_protocol::socket::Limits;
use encke_protocol::socket::client::{self as namespaces, Namespaces};

/// What the layer above a client has been told.
#[derive(Clone, Copy, Debug, Default)]
pub struct Told {
    pub opened_at: Option<u64>,
    pub upgraded_at: Option<u64>,
    pub joined: bool,
    pub closed: Option<CloseReason>,
}

/// A client in the simulation.
pub trait Client {
    /// Starts to connect.
    fn start(&mut self, network: &mut Network, traffic: &mut Traffic);
    fn arrive(&mut self, network: &mut Network, traffic: &mut Traffic, arrival: AtClient);
    fn next_deadline(&self) -> Option<Timestamp>;
    fn timeout(&mut self, network: &mut Network, traffic: &mut Traffic);
    /// Emits a message that has to arrive by then.
    fn emit(&mut self, now: Timestamp, traffic: &mut Traffic, due_by: u64, acks: Acks);
    /// Writes what may be written now.
    fn flush(&mut self, network: &mut Network, traffic: &mut Traffic);
    fn close(&mut self, network: &mut Network, traffic: &mut Traffic);
    /// Messages and packets that wait to be written, or a few more.
    fn queued(&self, traffic: &Traffic) -> usize;
    fn awaits_acks(&self) -> bool;
    fn told(&self) -> Told;
}

#[derive(Debug)]
pub struct BareClient {
    session: Session,
    namespaces: Namespaces,
    outbox: Outbox,
    application: Application,
    max_payload: usize,
    poll: Option<RequestId>,
    post: Option<RequestId>,
    /// The session's own, or the one that probes.
    websocket: Option<SocketId>,
    is_carried_by_websocket: bool,
    told: Told,
}

impl BareClient {
    pub fn new(now: Timestamp, config: Config, transport: Transport) -> Self {
        Self {
            session: Session::new(now, config, transport),
            namespaces: Namespaces::new(),
            outbox: Outbox::default(),
            application: Application::new(Side::Client),
            max_payload: 0,
            poll: None,
            post: None,
            websocket: None,
            is_carried_by_websocket: transport == Transport::WebSocket,
            told: Told::default(),
        }
    }

    fn poll_answered(&mut self, network: &mut Network, traffic: &mut Traffic, status: u16, body: &str) {
        if status != 200 {
            return self.request_failed(network, traffic);
        }
        for packet in payload::decode(body, payload::MAX_PACKETS) {
            let input = match packet {
                Ok(packet) => Input::Packet(Transport::Polling, packet),
                Err(_) => Input::Malformed(Transport::Polling),
            };
            self.input(network, traffic, input);
        }
        self.input(network, traffic, Input::PollEnded);
    }

    fn request_failed(&mut self, network: &mut Network, traffic: &mut Traffic) {
        let input = Input::TransportClosed(Transport::Polling, CloseReason::TransportError);
        self.input(network, traffic, input);
    }

    fn input(&mut self, network: &mut Network, traffic: &mut Traffic, input: Input<'_>) {
        let now = network.now_millis();
        match self.session.handle_input(network.now(), input) {
            Ok(None) => {}
            Ok(Some(event)) => {
                assert_eq!(self.told.closed, None, "nothing follows the end: {event:?}");
                match event {
                    Event::Opened(handshake) => {
                        self.told.opened_at = Some(now);
                        self.max_payload = handshake.max_payload as usize;
                        let connect = namespaces::Input::Connect { namespace: "/", auth: None };
                        self.namespaces.handle_input(connect, &Limits::default());
                    }
                    Event::Message(data) => self.message(traffic, now, data),
                    Event::Upgraded => {
                        self.told.upgraded_at = Some(now);
                        self.is_carried_by_websocket = true;
                    }
                    Event::Closed(reason) => self.told.closed = Some(reason),
                }
            }
            Err(error) => assert!(self.told.closed.is_some(), "the server keeps to the protocol: {error}"),
        }
        self.drain(network);
    }

    fn message(&mut self, traffic: &mut Traffic, now: u64, data: Data<'_>) {
        match self.namespaces.handle_input(namespaces::Input::Message(data), &Limits::default()) {
            None => {}
            Some(namespaces::Event::Connected { .. }) => self.told.joined = true,
            Some(namespaces::Event::Incoming(incoming)) => {
                self.application.receive(traffic, now, incoming, &mut self.outbox);
            }
            Some(other) => panic!("the server keeps to the protocol: {other:?}"),
        }
    }

    fn drain(&mut self, network: &mut Network) {
        while let Some(namespaces::Output::Send(text)) = self.namespaces.poll_output() {
            self.outbox.push_message(&text);
        }
        while let Some(output) = self.session.poll_output() {
            self.perform(network, output);
        }
        self.write(network);
    }

    fn perform(&mut self, network: &mut Network, output: Output) {
        let is_open = self.told.opened_at.is_some();
        match output {
            Output::OpenWebSocket => self.websocket = Some(network.open_websocket(!is_open)),
            Output::Probe => self.send(network, Frame::text("2probe")),
            Output::Upgrade => self.send(network, Frame::text("5")),
            Output::Pong => self.outbox.push_engine(&Packet::Pong("")),
            Output::Poll => {
                assert_eq!(self.poll, None, "one poll at a time");
                self.poll = Some(network.request(Ask::Poll { opens: !is_open }));
            }
            Output::CloseProbe => self.close_websocket(network),
            Output::Goodbye => self.say_goodbye(network),
            Output::Drop => {
                for request in [self.poll.take(), self.post.take()].into_iter().flatten() {
                    network.abort(request);
                }
                self.close_websocket(network);
            }
        }
    }

    fn say_goodbye(&mut self, network: &mut Network) {
        if self.is_carried_by_websocket {
            // A close frame is this transport's goodbye.
            for frame in self.outbox.take_frames().collect::<Vec<_>>() {
                self.send(network, frame);
            }
            self.close_websocket(network);
        } else if self.post.is_none() {
            self.outbox.push_engine(&Packet::Close);
            let body = self.outbox.take_payload(self.max_payload);
            network.request(Ask::Post { body });
        }
    }

    fn send(&mut self, network: &mut Network, frame: Frame) {
        let socket = self.websocket.expect("there is a WebSocket when something is to be sent over it");
        network.send(Side::Client, socket, frame);
    }

    fn close_websocket(&mut self, network: &mut Network) {
        if let Some(socket) = self.websocket.take() {
            network.close(Side::Client, socket);
        }
    }

    /// Writes what may be written now.
    fn write(&mut self, network: &mut Network) {
        if self.outbox.len() == 0 {
            return;
        }
        match self.session.writable() {
            Some(Transport::Polling) => {
                let body = self.outbox.take_payload(self.max_payload);
                assert_eq!(self.post, None, "one POST at a time");
                self.post = Some(network.request(Ask::Post { body }));
                self.session.post_started();
            }
            Some(Transport::WebSocket) => {
                let socket = self.websocket.expect("the session is carried by a WebSocket");
                self.outbox.take_frames().for_each(|frame| network.send(Side::Client, socket, frame));
            }
            None => {}
        }
    }
}

impl Client for BareClient {
    fn start(&mut self, network: &mut Network, _: &mut Traffic) {
        self.drain(network);
    }

    fn arrive(&mut self, network: &mut Network, traffic: &mut Traffic, arrival: AtClient) {
        match arrival {
            AtClient::Answer { request, status, body } if self.poll == Some(request) => {
                self.poll = None;
                self.poll_answered(network, traffic, status, &body);
            }
            AtClient::Answer { request, status, .. } if self.post == Some(request) => {
                self.post = None;
                if status == 200 {
                    self.input(network, traffic, Input::PostEnded);
                } else {
                    self.request_failed(network, traffic);
                }
            }
            AtClient::RequestFailed { request } if [self.poll, self.post].contains(&Some(request)) => {
                let slot = if self.poll == Some(request) { &mut self.poll } else { &mut self.post };
                *slot = None;
                self.request_failed(network, traffic);
            }
            AtClient::WebSocketOpened { socket } if self.websocket == Some(socket) => {
                self.input(network, traffic, Input::WebSocketOpened);
            }
            AtClient::Frame { socket, frame } if self.websocket == Some(socket) => {
                let input = match Packet::decode(frame.data()) {
                    Ok(packet) => Input::Packet(Transport::WebSocket, packet),
                    Err(_) => Input::Malformed(Transport::WebSocket),
                };
                self.input(network, traffic, input);
            }
            AtClient::WebSocketClosed { socket } if self.websocket == Some(socket) => {
                self.websocket = None;
                let input = Input::TransportClosed(Transport::WebSocket, CloseReason::TransportClose);
                self.input(network, traffic, input);
            }
            // Of a request or WebSocket that has been given up.
            _ => {}
        }
    }

    fn next_deadline(&self) -> Option<Timestamp> {
        self.session.next_deadline()
    }

    fn timeout(&mut self, network: &mut Network, traffic: &mut Traffic) {
        self.input(network, traffic, Input::Timeout);
    }

    fn emit(&mut self, _: Timestamp, traffic: &mut Traffic, due_by: u64, acks: Acks) {
        self.application.emit(traffic, due_by, acks, &mut self.outbox);
    }

    fn flush(&mut self, network: &mut Network, _: &mut Traffic) {
        self.write(network);
    }

    fn close(&mut self, network: &mut Network, traffic: &mut Traffic) {
        self.input(network, traffic, Input::Close(CloseReason::ForcedClose));
    }

    fn queued(&self, _: &Traffic) -> usize {
        self.outbox.len()
    }

    fn awaits_acks(&self) -> bool {
        self.application.awaits_acks()
    }

    fn told(&self) -> Told {
        self.told
    }
}
