//! The link between client and server: HTTP requests that overtake each other, WebSockets that keep order, and what goes
//! wrong with both ([`Weather`]). It owns virtual time and everything that is under way, and knows nothing of packets.

use super::prng::Prng;
use super::weather::{RequestFate, SocketFate, Weather};
use encke_protocol::Timestamp;
use encke_protocol::engine::Data;
use std::borrow::Cow;
use std::collections::BTreeMap;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    Client,
    Server,
}

impl Side {
    pub fn other(self) -> Self {
        match self {
            Self::Client => Self::Server,
            Self::Server => Self::Client,
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RequestId(usize);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SocketId(usize);

/// A WebSocket message.
#[derive(Clone, Debug)]
pub enum Frame {
    Text(String),
    Binary(Vec<u8>),
}

impl Frame {
    pub fn text(text: &str) -> Self {
        Self::Text(text.to_owned())
    }

    pub fn data(&self) -> Data<'_> {
        match self {
            Self::Text(text) => Data::Text(text),
            Self::Binary(bytes) => Data::Binary(Cow::Borrowed(bytes)),
        }
    }
}

#[derive(Clone, Debug)]
pub enum Ask {
    /// GET: one without a session opens one.
    Poll {
        opens: bool,
    },
    Post {
        body: String,
    },
}

/// What the network brings to the server.
#[derive(Clone, Debug)]
pub enum AtServer {
    Request { request: RequestId, ask: Ask },
    RequestGone { request: RequestId },
    WebSocketOpened { socket: SocketId, opens: bool },
    Frame { socket: SocketId, frame: Frame },
    WebSocketClosed { socket: SocketId },
}

/// What the network brings to the client.
#[derive(Clone, Debug)]
pub enum AtClient {
    Answer { request: RequestId, status: u16, body: String },
    RequestFailed { request: RequestId },
    WebSocketOpened { socket: SocketId },
    Frame { socket: SocketId, frame: Frame },
    WebSocketClosed { socket: SocketId },
}

/// What is due at some moment.
#[derive(Clone, Debug)]
pub enum Due {
    AtServer(AtServer),
    AtClient(AtClient),
    /// The server has read the body of a POST.
    BodyRead {
        request: RequestId,
        body: String,
    },
    /// The server's application lets the client in.
    Accept,
    /// A side's application emits that many messages.
    Emit {
        side: Side,
        count: u64,
    },
    PauseReading,
    ResumeReading,
    /// A WebSocket breaks.
    Break {
        socket: SocketId,
    },
}

#[derive(Debug)]
struct Request {
    fate: RequestFate,
    answered: bool,
}

#[derive(Debug)]
struct Socket {
    fate: SocketFate,
    frames: u64,
    broken: bool,
    /// When the last thing sent to the client and to the server arrives: order is kept.
    last_arrival: [u64; 2],
    /// Whether the client and the server have closed it or know it closed.
    closed: [bool; 2],
}

/// Everything under way, in order of arrival.
#[derive(Debug)]
pub struct Network {
    pub prng: Prng,
    weather: Weather,
    now: u64,
    due: BTreeMap<(u64, u64), Due>,
    scheduled: u64,
    requests: Vec<Request>,
    posts: usize,
    sockets: Vec<Socket>,
}

impl Network {
    pub fn new(prng: Prng, weather: Weather) -> Self {
        Self {
            prng,
            weather,
            now: 0,
            due: BTreeMap::new(),
            scheduled: 0,
            requests: Vec::new(),
            posts: 0,
            sockets: Vec::new(),
        }
    }

    pub fn now(&self) -> Timestamp {
        Timestamp::from_millis(self.now)
    }

    pub fn now_millis(&self) -> u64 {
        self.now
    }

    /// How many POSTs have been made.
    pub fn posts(&self) -> usize {
        self.posts
    }

    /// How many requests have been made.
    pub fn requests(&self) -> usize {
        self.requests.len()
    }

    pub fn delay(&mut self) -> u64 {
        // Mostly short, so that the long ones are overtaken.
        let limit =
            if self.prng.once_in(4) { self.weather.max_delay } else { 1 + self.weather.max_delay / 4 };
        self.prng.below(limit + 1)
    }

    pub fn schedule(&mut self, delay: u64, due: Due) {
        self.schedule_at(self.now + delay, due);
    }

    pub fn next_due(&self) -> Option<u64> {
        self.due.keys().next().map(|(at, _)| *at)
    }

    pub fn advance(&mut self, to: u64) {
        assert!(to >= self.now, "time does not go back");
        self.now = to;
    }

    /// Takes what is due now, leaving out what cannot be delivered any more.
    pub fn take_due(&mut self) -> Option<Due> {
        while let Some(entry) = self.due.first_entry() {
            if entry.key().0 > self.now {
                return None;
            }
            let due = entry.remove();
            if self.arrives(&due) {
                return Some(due);
            }
        }
        None
    }

    pub fn request(&mut self, ask: Ask) -> RequestId {
        let request = RequestId(self.requests.len());
        let fate = self.weather.request_fate(&mut self.prng, self.now);
        self.posts += usize::from(matches!(ask, Ask::Post { .. }));
        self.requests.push(Request { fate, answered: false });
        let mut delay = self.delay();
        match fate {
            RequestFate::Vanishes => return request,
            RequestFate::Lost => {
                self.schedule(delay, Due::AtClient(AtClient::RequestFailed { request }));
                return request;
            }
            RequestFate::Slow => delay += self.prng.below(8_000),
            RequestFate::Breaks => {
                let lives = delay + self.prng.below(2_000);
                self.schedule(lives, Due::AtServer(AtServer::RequestGone { request }));
                let told = lives + self.delay();
                self.schedule(told, Due::AtClient(AtClient::RequestFailed { request }));
            }
            RequestFate::Fine | RequestFate::AnswerLost => {}
        }
        self.schedule(delay, Due::AtServer(AtServer::Request { request, ask }));
        request
    }

    pub fn answer(&mut self, request: RequestId, status: u16, body: String) {
        let state = &mut self.requests[request.0];
        assert!(!std::mem::replace(&mut state.answered, true), "a request is answered once");
        let due = match state.fate {
            RequestFate::Breaks => return,
            RequestFate::AnswerLost => AtClient::RequestFailed { request },
            _ => AtClient::Answer { request, status, body },
        };
        let delay = self.delay();
        self.schedule(delay, Due::AtClient(due));
    }

    /// Whether the request is answered, or its connection gone.
    pub fn is_answered(&self, request: RequestId) -> bool {
        self.requests[request.0].answered
    }

    /// The client ends a request that is not answered.
    pub fn abort(&mut self, request: RequestId) {
        let delay = self.delay();
        self.schedule(delay, Due::AtServer(AtServer::RequestGone { request }));
    }

    pub fn open_websocket(&mut self, opens: bool) -> SocketId {
        let socket = SocketId(self.sockets.len());
        let fate = self.weather.socket_fate(&mut self.prng);
        self.sockets.push(Socket {
            fate,
            frames: 0,
            broken: false,
            last_arrival: [0; 2],
            closed: [false; 2],
        });
        let delay = self.delay();
        match fate {
            SocketFate::NeverOpens => {}
            SocketFate::Refused => {
                self.schedule(delay, Due::AtClient(AtClient::WebSocketClosed { socket }));
            }
            _ => {
                self.schedule(delay, Due::AtServer(AtServer::WebSocketOpened { socket, opens }));
                let at = self.now + delay + self.delay();
                self.sockets[socket.0].last_arrival = [at, self.now + delay];
                self.schedule_at(at, Due::AtClient(AtClient::WebSocketOpened { socket }));
                if let SocketFate::Breaks { frames: 0, .. } = fate {
                    self.break_soon(socket);
                }
            }
        }
        socket
    }

    pub fn send(&mut self, from: Side, socket: SocketId, frame: Frame) {
        let state = &mut self.sockets[socket.0];
        state.frames += 1;
        match state.fate {
            SocketFate::Hangs { frames } if state.frames > frames && self.now < self.weather.calm_from => {
                state.broken = true;
            }
            SocketFate::Breaks { frames, .. } if state.frames == frames => self.break_soon(socket),
            _ => {}
        }
        if self.sockets[socket.0].broken {
            return;
        }
        let due = match from {
            Side::Client => Due::AtServer(AtServer::Frame { socket, frame }),
            Side::Server => Due::AtClient(AtClient::Frame { socket, frame }),
        };
        self.arrive_in_order(from.other(), socket, due);
    }

    fn break_soon(&mut self, socket: SocketId) {
        if self.now < self.weather.calm_from {
            let delay = self.prng.below(1 + 3 * self.weather.max_delay);
            self.schedule(delay, Due::Break { socket });
        }
    }

    /// The WebSocket's connection is gone; both sides come to know.
    pub fn break_websocket(&mut self, socket: SocketId) {
        self.sockets[socket.0].broken = true;
        self.arrive_in_order(Side::Client, socket, Due::AtClient(AtClient::WebSocketClosed { socket }));
        self.arrive_in_order(Side::Server, socket, Due::AtServer(AtServer::WebSocketClosed { socket }));
    }

    pub fn close(&mut self, from: Side, socket: SocketId) {
        let state = &mut self.sockets[socket.0];
        state.closed[from as usize] = true;
        if state.broken {
            return;
        }
        let due = match from {
            Side::Client => Due::AtServer(AtServer::WebSocketClosed { socket }),
            Side::Server => Due::AtClient(AtClient::WebSocketClosed { socket }),
        };
        self.arrive_in_order(from.other(), socket, due);
    }

    fn arrive_in_order(&mut self, to: Side, socket: SocketId, due: Due) {
        let earliest = self.now + self.delay();
        let last = &mut self.sockets[socket.0].last_arrival[to as usize];
        *last = earliest.max(*last);
        let at = *last;
        self.schedule_at(at, due);
    }

    fn schedule_at(&mut self, at: u64, due: Due) {
        self.scheduled += 1;
        self.due.insert((at, self.scheduled), due);
    }

    fn arrives(&mut self, due: &Due) -> bool {
        match due {
            Due::AtServer(AtServer::Request { request, .. }) => !self.requests[request.0].answered,
            Due::AtServer(AtServer::RequestGone { request }) => {
                !std::mem::replace(&mut self.requests[request.0].answered, true)
            }
            Due::AtServer(AtServer::WebSocketOpened { socket, .. } | AtServer::Frame { socket, .. }) => {
                self.passes(Side::Server, *socket)
            }
            Due::AtClient(AtClient::WebSocketOpened { socket } | AtClient::Frame { socket, .. }) => {
                self.passes(Side::Client, *socket)
            }
            Due::AtServer(AtServer::WebSocketClosed { socket }) => self.closes(Side::Server, *socket),
            Due::AtClient(AtClient::WebSocketClosed { socket }) => self.closes(Side::Client, *socket),
            _ => true,
        }
    }

    fn passes(&self, to: Side, socket: SocketId) -> bool {
        let state = &self.sockets[socket.0];
        let lost =
            matches!(state.fate, SocketFate::Breaks { loses_what_is_under_way: true, .. }) && state.broken;
        !lost && !state.closed[to as usize]
    }

    fn closes(&mut self, to: Side, socket: SocketId) -> bool {
        !std::mem::replace(&mut self.sockets[socket.0].closed[to as usize], true)
    }
}
