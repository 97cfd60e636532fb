//! The client core in the simulation, with a driver around it. It is watched for one session: when that is over, so is the
//! client, though the core would connect again.

use super::client::{Client, Told};
use super::network::{Ask, AtClient, Frame, Network, RequestId, Side, SocketId};
use super::traffic::{Acks, Traffic, message};
use encke_protocol::Timestamp;
use encke_protocol::client::{self as core, Config, Emit, Event, Failure, Input, Output, State, WaitReason};
use encke_protocol::engine::jsonp::decode_field;
use encke_protocol::engine::{CloseReason, Transport};
use encke_protocol::socket::ArgsBuilder;

/// Longer than any run, in milliseconds.
const ACK_TIMEOUT: u32 = 1_000_000;
/// The packet after which a WebSocket carries the session.
const UPGRADE: &str = "5";

#[derive(Debug)]
pub struct CoreClient {
    /// An ack is awaited by the number of its message.
    core: core::Client<u64>,
    socket: core::SocketId,
    has_tried: bool,
    awaited: usize,
    get: Option<RequestId>,
    post: Option<RequestId>,
    /// The goodbye that follows the POST under way.
    last_post: Option<String>,
    websocket: Option<SocketId>,
    told: Told,
}

impl CoreClient {
    pub fn new(transport: Transport, seed: u64) -> Self {
        let transports = match transport {
            // What the network carries is the same.
            Transport::Polling if seed.is_multiple_of(2) => {
                vec![core::Transport::Jsonp, core::Transport::WebSocket]
            }
            Transport::Polling => vec![core::Transport::Polling, core::Transport::WebSocket],
            Transport::WebSocket => vec![core::Transport::WebSocket],
        };
        let mut core = core::Client::new(Config {
            transports,
            open_timeout: 20_000,
            seed,
            ..Config::new("http://server")
        });
        let socket = core.socket("/");
        Self {
            core,
            socket,
            has_tried: false,
            awaited: 0,
            get: None,
            post: None,
            last_post: None,
            websocket: None,
            told: Told::default(),
        }
    }

    fn input(&mut self, network: &mut Network, traffic: &mut Traffic, input: Input<'_>) {
        if self.told.closed.is_none() {
            self.core.handle_input(network.now(), input);
            self.drain(network, traffic);
        }
    }

    fn drain(&mut self, network: &mut Network, traffic: &mut Traffic) {
        while let Some(output) = self.core.poll_output() {
            if let Output::Event(event) = output {
                self.hear(network, traffic, event);
            } else if self.told.closed.is_none() || matches!(output, Output::End { .. }) {
                self.perform(network, output);
            }
        }
    }

    fn perform(&mut self, network: &mut Network, output: Output<u64>) {
        let opens = |url: &str| !url.contains("sid=");
        match output {
            Output::OpenWebSocket(url) => {
                assert_eq!(self.websocket, None, "one WebSocket at a time");
                self.websocket = Some(network.open_websocket(opens(&url)));
            }
            Output::SendText(text) => {
                // The core tells its application of the upgrade only when a message has got through.
                if text == UPGRADE {
                    self.told.upgraded_at = Some(network.now_millis());
                }
                self.send(network, Frame::Text(text));
            }
            Output::SendBinary(bytes) => self.send(network, Frame::Binary(bytes)),
            Output::CloseWebSocket => self.close_websocket(network),
            Output::Get(url) | Output::LoadScript { url, .. } => {
                assert_eq!(self.get, None, "one GET at a time");
                self.get = Some(network.request(Ask::Poll { opens: opens(&url) }));
            }
            Output::Post { body, .. } => self.post(network, body),
            Output::SubmitForm { field, .. } => self.post(network, decode_field(&field).into_owned()),
            Output::End { goodbye } => {
                let body = goodbye.map(|goodbye| match goodbye.form {
                    true => decode_field(&goodbye.body).into_owned(),
                    false => goodbye.body,
                });
                self.end(network, body);
            }
            Output::Remember(_) | Output::Event(_) => {}
        }
    }

    fn post(&mut self, network: &mut Network, body: String) {
        assert_eq!(self.post, None, "one POST at a time");
        self.post = Some(network.request(Ask::Post { body }));
    }

    fn end(&mut self, network: &mut Network, goodbye: Option<String>) {
        self.close_websocket(network);
        match goodbye {
            Some(body) if self.post.is_some() => self.last_post = Some(body),
            Some(body) => drop(network.request(Ask::Post { body })),
            None => self.post.take().into_iter().for_each(|post| network.abort(post)),
        }
        self.get.take().into_iter().for_each(|get| network.abort(get));
    }

    fn hear(&mut self, network: &mut Network, traffic: &mut Traffic, event: Event<u64>) {
        let now = network.now_millis();
        match event {
            // Another attempt: the session of the first is over.
            Event::State(State::Connecting { .. }) if self.has_tried => {
                self.told.closed.get_or_insert(CloseReason::TransportError);
            }
            Event::State(State::Connecting { .. }) => self.has_tried = true,
            Event::State(State::Waiting { reason: WaitReason::Lost(reason), .. }) => {
                self.told.closed.get_or_insert(reason);
            }
            Event::State(State::Waiting { .. }) => {
                self.told.closed.get_or_insert(CloseReason::TransportError);
            }
            Event::State(State::Closed) => {
                self.told.closed.get_or_insert(CloseReason::ForcedClose);
            }
            Event::Connected(_) => self.told.joined = true,
            Event::Incoming { reply_to, args, .. } => {
                let number = traffic.from(Side::Server).arrive(now, &args);
                if let Some(reply_to) = reply_to {
                    let args = ArgsBuilder::new().json(&number.to_string()).build();
                    self.core.reply(self.socket, reply_to, args);
                }
            }
            Event::Ack { slot, result } => {
                self.awaited -= 1;
                if let Ok(args) = result {
                    assert_eq!(args.text, slot.to_string(), "the ack belongs to its message");
                }
            }
            Event::Refused { .. } | Event::Dropped(_) => panic!("the server lets all in: {event:?}"),
            Event::State(_) | Event::Disconnected { .. } => {}
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

    fn post_ended(&mut self, network: &mut Network, traffic: &mut Traffic, result: Result<(), Failure>) {
        self.post = None;
        match self.last_post.take() {
            Some(body) => drop(network.request(Ask::Post { body })),
            None => self.input(network, traffic, Input::PostAnswered(result)),
        }
    }
}

impl Client for CoreClient {
    fn start(&mut self, network: &mut Network, traffic: &mut Traffic) {
        self.input(network, traffic, Input::Connect);
    }

    fn arrive(&mut self, network: &mut Network, traffic: &mut Traffic, arrival: AtClient) {
        match arrival {
            AtClient::Answer { request, status, body } if self.get == Some(request) => {
                self.get = None;
                // The first answer holds the handshake.
                self.told.opened_at.get_or_insert(network.now_millis());
                let answer = if status == 200 { Ok(&*body) } else { Err(Failure::Failed) };
                self.input(network, traffic, Input::GetAnswered(answer));
            }
            AtClient::Answer { request, status, .. } if self.post == Some(request) => {
                self.post_ended(network, traffic, if status == 200 { Ok(()) } else { Err(Failure::Failed) });
            }
            AtClient::RequestFailed { request } if self.get == Some(request) => {
                self.get = None;
                self.input(network, traffic, Input::GetAnswered(Err(Failure::Failed)));
            }
            AtClient::RequestFailed { request } if self.post == Some(request) => {
                self.post_ended(network, traffic, Err(Failure::Failed));
            }
            AtClient::WebSocketOpened { socket } if self.websocket == Some(socket) => {
                self.input(network, traffic, Input::WebSocketOpened);
            }
            AtClient::Frame { socket, frame } if self.websocket == Some(socket) => {
                self.input(network, traffic, Input::WebSocketMessage(frame.data()));
            }
            AtClient::WebSocketClosed { socket } if self.websocket == Some(socket) => {
                self.websocket = None;
                self.input(network, traffic, Input::WebSocketClosed);
            }
            // Of a request or WebSocket that has been given up.
            _ => {}
        }
    }

    fn next_deadline(&self) -> Option<Timestamp> {
        self.core.next_deadline().filter(|_| self.told.closed.is_none())
    }

    fn timeout(&mut self, network: &mut Network, traffic: &mut Traffic) {
        self.input(network, traffic, Input::Timeout);
    }

    fn emit(&mut self, now: Timestamp, traffic: &mut Traffic, due_by: u64, acks: Acks) {
        let number = traffic.from(Side::Client).send(due_by);
        let ack = acks.wanted_for(number).then_some((number, ACK_TIMEOUT));
        self.awaited += usize::from(ack.is_some());
        let emit = Emit { name: "message".into(), args: message(number), volatile: false, ack };
        self.core.emit(now, self.socket, emit).expect("there is room in the queue");
    }

    fn flush(&mut self, network: &mut Network, traffic: &mut Traffic) {
        self.drain(network, traffic);
    }

    fn close(&mut self, network: &mut Network, traffic: &mut Traffic) {
        self.input(network, traffic, Input::Disconnect);
    }

    fn queued(&self, traffic: &Traffic) -> usize {
        traffic.to_server.under_way()
    }

    fn awaits_acks(&self) -> bool {
        self.awaited > 0
    }

    fn told(&self) -> Told {
        self.told
    }
}
