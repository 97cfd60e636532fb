//! A conversation with a client core: what goes in is said, what comes out is written down as one line each.

use encke_protocol::Timestamp;
use encke_protocol::client::{
    AckFailure, Backoff, Client, Config, Emit, EmitError, Event, Failure, Input, NotSent, Output, PassedOver,
    ReplyTo, SocketId, State, Transport,
};
use encke_protocol::engine::Data;
use encke_protocol::socket::{Args, ArgsBuilder};
use std::borrow::Cow;
use std::fmt::Write;

/// A handshake that offers a WebSocket and takes 100 bytes at a time; a heartbeat every 25 s, 20 s to answer.
pub const HANDSHAKE: &str =
    r#"0{"sid":"S","upgrades":["websocket"],"pingInterval":25000,"pingTimeout":20000,"maxPayload":100}"#;

/// The server lets the client into `/`.
pub const JOINED: &str = r#"40{"sid":"a"}"#;

/// The URL that opens a session, and the one of a session that is open.
pub const WEBSOCKET: &str = "open ws://h/socket.io/?EIO=4&transport=websocket";
pub const POLLING: &str = "GET http://h/socket.io/?EIO=4&transport=polling";
pub const POLL: &str = "GET http://h/socket.io/?EIO=4&transport=polling&sid=S";
pub const PROBE: &str = "open ws://h/socket.io/?EIO=4&transport=websocket&sid=S";

pub struct Talk {
    pub client: Client<u32>,
    pub now: u64,
    /// Of the last event that wanted an answer.
    pub reply_to: Option<ReplyTo>,
    /// What is to be remembered, if the core has said so.
    pub remembered: Option<Vec<(PassedOver, u64)>>,
}

/// WebSocket, then polling. No chance in the delays: 1, 2, 4, 5, 5, ... seconds.
pub fn config() -> Config {
    Config {
        backoff: Backoff { jitter: 0, ..Backoff::default() },
        transports: vec![Transport::WebSocket, Transport::Polling],
        ..Config::new("http://h")
    }
}

pub fn config_over(transport: Transport) -> Config {
    Config { transports: vec![transport], ..config() }
}

/// Text with the separator of payloads, which is written `|` here.
fn payload(body: &str) -> String {
    body.replace('|', "\u{1e}")
}

impl Talk {
    pub fn new(config: Config) -> Self {
        Self { client: Client::new(config), now: 0, reply_to: None, remembered: None }
    }

    /// A client that is joined to `/` over that transport alone, and nothing is open but what has to be.
    pub fn joined(transport: Transport) -> (Self, SocketId) {
        Self::joined_to(transport, HANDSHAKE)
    }

    /// As [`Self::joined`], to a server that takes more bytes at a time.
    pub fn joined_with_limit(transport: Transport, max_payload: u32) -> (Self, SocketId) {
        Self::joined_to(transport, &HANDSHAKE.replace("100}", &format!("{max_payload}}}")))
    }

    fn joined_to(transport: Transport, handshake: &str) -> (Self, SocketId) {
        let mut talk = Self::new(config_over(transport));
        let socket = talk.client.socket("/");
        talk.connect();
        match transport {
            Transport::WebSocket => talk.open_websocket(handshake),
            Transport::Polling | Transport::Jsonp => talk.open_polling(handshake),
        }
        talk.said();
        (talk, socket)
    }

    pub fn join_over_websocket(&mut self) {
        self.open_websocket(HANDSHAKE);
        self.said();
    }

    pub fn join_over_polling(&mut self) {
        self.open_polling(HANDSHAKE);
        self.said();
    }

    /// As [`Self::join_over_websocket`]; the last thing that follows is checked.
    #[track_caller]
    pub fn join_over_websocket_with(&mut self, last: &str) {
        self.open_websocket(HANDSHAKE);
        assert_eq!(self.said().last().map(String::as_str), Some(last));
    }

    /// As [`Self::join_over_polling`]; the last thing that follows is checked.
    #[track_caller]
    pub fn join_over_polling_with(&mut self, last: &str) {
        self.open_polling(HANDSHAKE);
        assert_eq!(self.said().last().map(String::as_str), Some(last));
    }

    fn open_websocket(&mut self, handshake: &str) {
        self.input(Input::WebSocketOpened);
        self.frame(handshake);
        self.frame(JOINED);
    }

    fn open_polling(&mut self, handshake: &str) {
        self.answer(handshake);
        self.posted();
        self.answer(JOINED);
    }

    pub fn time(&self) -> Timestamp {
        Timestamp::from_millis(self.now)
    }

    pub fn input(&mut self, input: Input<'_>) {
        self.client.handle_input(self.time(), input);
    }

    pub fn connect(&mut self) {
        self.input(Input::Connect);
    }

    /// A frame of the server.
    pub fn frame(&mut self, text: &str) {
        self.input(Input::WebSocketMessage(Data::Text(text)));
    }

    pub fn bytes(&mut self, bytes: &[u8]) {
        self.input(Input::WebSocketMessage(Data::Binary(Cow::Borrowed(bytes))));
    }

    /// The answer to the GET that waits.
    pub fn answer(&mut self, body: &str) {
        self.input(Input::GetAnswered(Ok(&payload(body))));
    }

    pub fn posted(&mut self) {
        self.input(Input::PostAnswered(Ok(())));
    }

    /// Nothing good comes of the GET.
    pub fn fail(&mut self) {
        self.input(Input::GetAnswered(Err(Failure::Failed)));
    }

    pub fn cut(&mut self) {
        self.input(Input::WebSocketClosed);
    }

    /// Time passes; every deadline on the way is met.
    pub fn pass(&mut self, milliseconds: u64) {
        let end = self.now + milliseconds;
        while let Some(deadline) = self.client.next_deadline().map(Timestamp::as_millis)
            && deadline <= end
        {
            self.now = self.now.max(deadline);
            self.input(Input::Timeout);
        }
        self.now = end;
    }

    /// Time passes while timers sleep.
    pub fn sleep(&mut self, milliseconds: u64) {
        self.now += milliseconds;
    }

    pub fn emit(&mut self, socket: SocketId, name: &'static str) {
        let emit = Emit { name: name.into(), args: Args::default(), volatile: false, ack: None };
        self.try_emit(socket, emit).expect("it is taken");
    }

    /// Emits an event whose ack is waited for by `slot`, for 10 s.
    pub fn ask(&mut self, socket: SocketId, name: &'static str, slot: u32) {
        let ack = Some((slot, 10_000));
        let emit = Emit { name: name.into(), args: Args::default(), volatile: false, ack };
        self.try_emit(socket, emit).expect("it is taken");
    }

    pub fn volatile(&mut self, socket: SocketId, ack: Option<u32>) -> Result<(), NotSent> {
        let ack = ack.map(|slot| (slot, 10_000));
        let emit = Emit { name: "volatile".into(), args: Args::default(), volatile: true, ack };
        self.try_emit(socket, emit).map_err(|error| error.reason)
    }

    pub fn try_emit(&mut self, socket: SocketId, emit: Emit<u32>) -> Result<(), EmitError<u32>> {
        self.client.emit(self.time(), socket, emit)
    }

    /// An event with that many bytes of text.
    pub fn emit_bytes(&mut self, socket: SocketId, len: usize) -> Result<(), NotSent> {
        let args = ArgsBuilder::new().string(&"x".repeat(len)).build();
        let emit = Emit { name: "x".into(), args, volatile: false, ack: None };
        self.try_emit(socket, emit).map_err(|error| error.reason)
    }

    /// What has come out since the last time.
    pub fn said(&mut self) -> Vec<String> {
        let mut lines = Vec::new();
        while let Some(output) = self.client.poll_output() {
            match output {
                Output::Remember(passed_over) => self.remembered = Some(passed_over),
                output => lines.push(self.line(output)),
            }
        }
        lines
    }

    /// Checks what has come out since the last time.
    #[track_caller]
    pub fn says(&mut self, lines: &[&str]) {
        assert_eq!(self.said(), lines);
    }

    fn line(&mut self, output: Output<u32>) -> String {
        match output {
            Output::OpenWebSocket(url) => format!("open {url}"),
            Output::SendText(text) => format!("> {text}"),
            Output::SendBinary(bytes) => format!("> {bytes:?}"),
            Output::CloseWebSocket => "close".to_owned(),
            Output::Get(url) => format!("GET {url}"),
            Output::Post { body, .. } => format!("POST {}", body.replace('\u{1e}', "|")),
            Output::LoadScript { url, .. } => format!("script {url}"),
            Output::SubmitForm { field, .. } => format!("form {}", field.replace('\u{1e}', "|")),
            Output::End { goodbye: None } => "end".to_owned(),
            Output::End { goodbye: Some(goodbye) } => {
                let by = if goodbye.form { "form" } else { "POST" };
                format!("end, {by} {}", goodbye.body.replace('\u{1e}', "|"))
            }
            Output::Remember(_) => unreachable!("it is no line"),
            Output::Event(event) => self.event(event),
        }
    }

    fn event(&mut self, event: Event<u32>) -> String {
        match event {
            Event::State(state) => state_line(&state),
            Event::Connected(socket) => format!("{} joined", socket.index()),
            Event::Refused { socket, message, data } => {
                format!("{} refused: {message} {}", socket.index(), data.unwrap_or_default())
            }
            Event::Disconnected { socket, reason } => {
                format!("{} left: {}", socket.index(), reason.as_client_str())
            }
            Event::Incoming { socket, reply_to, name, args } => {
                self.reply_to = reply_to;
                let mut line = format!("{} hears {name} {}", socket.index(), args.text);
                for bytes in args.attachments {
                    write!(line, " {bytes:?}").expect("a string takes all");
                }
                line
            }
            Event::Dropped(socket) => format!("{} dropped", socket.index()),
            Event::Ack { slot, result: Ok(args) } => format!("ack {slot}: {}", args.text),
            Event::Ack { slot, result: Err(failure) } => format!("ack {slot}: {}", failure_word(failure)),
        }
    }
}

fn state_line(state: &State) -> String {
    match state {
        State::Connecting { transport, attempt } => {
            format!("connecting over {} ({attempt})", transport.as_str())
        }
        State::Connected { transport, passed_over } => {
            let mut line = format!("connected over {}", transport.as_str());
            for PassedOver { transport, why } in passed_over {
                write!(line, ", {} {}", transport.as_str(), why.as_str()).expect("a string takes all");
            }
            line
        }
        State::Waiting { delay, reason, .. } => format!("waiting {delay}: {reason:?}"),
        other => format!("{other:?}").to_lowercase(),
    }
}

fn failure_word(failure: AckFailure) -> String {
    match failure {
        AckFailure::NotSent(reason) => format!("not sent, {reason:?}"),
        other => format!("{other:?}").to_lowercase(),
    }
}
