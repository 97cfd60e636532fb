//! Drivers that do anything in any order: the core stays within its contract.

#[cfg(target_arch = "wasm32")]
use crate::test;

use crate::talk::{HANDSHAKE, JOINED};
use encke_protocol::Timestamp;
use encke_protocol::client::{Client, Config, Emit, Event, Failure, Input, Output, SocketId, State};
use encke_protocol::engine::Data;
use encke_protocol::socket::ArgsBuilder;
use std::borrow::Cow;

const SEEDS: u64 = 300;
const STEPS: u32 = 400;

/// A driver that checks what it is ordered.
struct Driver {
    client: Client<u32>,
    random: u64,
    now: u64,
    websocket: bool,
    get: bool,
    post: bool,
    sockets: [SocketId; 2],
    asked: u32,
    /// For each ack that was asked for, how often it has ended.
    ended: Vec<u8>,
    state: State,
    seed: u64,
}

impl Driver {
    fn new(seed: u64) -> Self {
        let mut client = Client::new(Config { seed, max_queued: 20, ..Config::new("http://h") });
        let sockets = [client.socket("/"), client.socket("/b")];
        let state = State::Idle;
        let (asked, ended) = (0, Vec::new());
        Self {
            client,
            random: seed,
            now: 0,
            websocket: false,
            get: false,
            post: false,
            sockets,
            asked,
            ended,
            state,
            seed,
        }
    }

    fn random(&mut self, below: u64) -> u64 {
        self.random =
            self.random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.random >> 33) % below
    }

    fn any_socket(&mut self) -> SocketId {
        let [first, second] = self.sockets;
        if self.random(2) == 0 { first } else { second }
    }

    fn text(&mut self) -> String {
        const TEXTS: [&str; 17] = [
            JOINED,
            r#"40/b,{"sid":"b"}"#,
            HANDSHAKE,
            "2",
            "3probe",
            "6",
            "1",
            "41",
            "41/b,",
            r#"44{"message":"no"}"#,
            r#"42["event",1]"#,
            r#"42/b,7["event"]"#,
            "430[1]",
            "43/b,3[]",
            r#"451-["e",{"_placeholder":true,"num":0}]"#,
            "4",
            "nonsense",
        ];
        // Mostly what makes a session go on.
        let index = if self.random(3) == 0 { self.random(TEXTS.len() as u64) } else { self.random(5) };
        usize::try_from(index)
            .ok()
            .and_then(|index| TEXTS.get(index))
            .map_or_else(String::new, |text| (*text).to_owned())
    }

    fn step(&mut self) {
        let now = Timestamp::from_millis(self.now);
        match self.random(20) {
            0 => self.client.handle_input(now, Input::Connect),
            1 if self.random(10) == 0 => self.client.handle_input(now, Input::Disconnect),
            2 if self.random(5) == 0 => self.client.handle_input(now, Input::Pause),
            3 => self.client.handle_input(now, Input::RetryNow),
            4 if self.websocket => self.client.handle_input(now, Input::WebSocketOpened),
            5 | 6 if self.websocket => {
                let text = self.text();
                self.client.handle_input(now, Input::WebSocketMessage(Data::Text(&text)));
            }
            7 if self.websocket => {
                let bytes = Cow::Borrowed(&[1, 2][..]);
                self.client.handle_input(now, Input::WebSocketMessage(Data::Binary(bytes)));
            }
            8 if self.websocket => {
                self.websocket = false;
                self.client.handle_input(now, Input::WebSocketClosed);
            }
            9..=11 if self.get => {
                self.get = false;
                let mut body = self.text();
                if self.random(3) == 0 {
                    body.push('\u{1e}');
                    body.push_str(&self.text());
                }
                self.client.handle_input(now, Input::GetAnswered(Ok(&body)));
            }
            12 if self.get && self.random(4) == 0 => {
                self.get = false;
                let failure = if self.random(4) == 0 { Failure::Forbidden } else { Failure::Failed };
                self.client.handle_input(now, Input::GetAnswered(Err(failure)));
            }
            13 | 14 if self.post => {
                self.post = false;
                let answer = if self.random(10) == 0 { Err(Failure::Failed) } else { Ok(()) };
                self.client.handle_input(now, Input::PostAnswered(answer));
            }
            15 | 16 => self.emit(now),
            17 => {
                self.now +=
                    [1, 100, 1_000, 6_000, 60_000, 400_000][usize::try_from(self.random(6)).unwrap_or(0)];
                let now = Timestamp::from_millis(self.now);
                self.client.handle_input(now, Input::Timeout);
            }
            18 => {
                let socket = self.any_socket();
                match self.random(4) {
                    0 => self.client.leave(socket),
                    _ => self.client.join(socket),
                }
            }
            _ => {
                if let Some(deadline) = self.client.next_deadline() {
                    self.now = self.now.max(deadline.as_millis());
                    self.client.handle_input(Timestamp::from_millis(self.now), Input::Timeout);
                }
            }
        }
        self.drain();
    }

    fn emit(&mut self, now: Timestamp) {
        let len = usize::try_from(self.random(120)).unwrap_or(0);
        let mut args = ArgsBuilder::new().string(&"x".repeat(len));
        if self.random(4) == 0 {
            args = args.binary(vec![1; len]);
        }
        let ack = (self.random(2) == 0).then(|| {
            self.ended.push(0);
            self.asked += 1;
            (self.asked - 1, 10_000)
        });
        let volatile = self.random(4) == 0;
        let socket = self.any_socket();
        let emit = Emit { name: "e".into(), args: args.build(), volatile, ack };
        if let Err(error) = self.client.emit(now, socket, emit)
            && let Some(slot) = error.ack
        {
            self.end(slot);
        }
    }

    fn end(&mut self, slot: u32) {
        if let Some(ended) = usize::try_from(slot).ok().and_then(|slot| self.ended.get_mut(slot)) {
            *ended += 1;
        }
    }

    fn drain(&mut self) {
        let seed = self.seed;
        while let Some(output) = self.client.poll_output() {
            match output {
                Output::OpenWebSocket(_) => {
                    assert!(!self.websocket, "a second WebSocket, seed {seed}");
                    self.websocket = true;
                }
                Output::SendText(_) | Output::SendBinary(_) => {
                    assert!(self.websocket, "sent on no WebSocket, seed {seed}");
                }
                Output::CloseWebSocket => self.websocket = false,
                Output::Get(_) | Output::LoadScript { .. } => {
                    assert!(!self.get, "a second GET, seed {seed}");
                    self.get = true;
                }
                Output::Post { body, .. } | Output::SubmitForm { field: body, .. } => {
                    assert!(!self.post, "a second POST, seed {seed}");
                    assert!(body.split('\u{1e}').count() <= 16, "too many packets, seed {seed}");
                    self.post = true;
                }
                Output::End { goodbye } => {
                    let packets = goodbye.map_or(0, |goodbye| goodbye.body.split('\u{1e}').count());
                    assert!(packets <= 16, "too many packets in a goodbye, seed {seed}");
                    (self.websocket, self.get, self.post) = (false, false, false);
                }
                Output::Event(Event::Ack { slot, .. }) => self.end(slot),
                Output::Event(Event::State(state)) => {
                    assert_ne!(self.state, state, "no change, seed {seed}");
                    self.state = state;
                }
                Output::Remember(_) | Output::Event(_) => {}
            }
        }
        assert_eq!(self.state, *self.client.state(), "a change not told, seed {seed}");
        let alive = matches!(self.state, State::Connecting { .. } | State::Connected { .. });
        let waiting = matches!(self.state, State::Waiting { .. });
        assert!(!(alive || waiting) || self.client.next_deadline().is_some(), "no timer, seed {seed}");
        assert!(alive || !(self.websocket || self.get || self.post), "open for nothing, seed {seed}");
    }
}

#[test]
fn whatever_happens_one_thing_of_a_kind_is_open_and_every_ack_ends_once() {
    for seed in 0..SEEDS {
        let mut driver = Driver::new(seed);
        for _ in 0..STEPS {
            driver.step();
        }
        driver.client.handle_input(Timestamp::from_millis(driver.now), Input::Disconnect);
        driver.drain();
        assert!(driver.ended.iter().all(|ended| *ended == 1), "seed {seed}: {:?}", driver.ended);
        assert_eq!(driver.client.next_deadline(), None, "seed {seed}");
    }
}
