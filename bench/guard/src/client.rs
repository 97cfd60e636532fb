//! Clients of the server under count: blocking, in raw bytes, one thing after the other.
//!
//! Owns what they say on the wire and the check of what they hear. Anything unexpected is a panic, which ends the program
//! without a count. They share no code with the server, and what they cost is not counted.

use crate::server::Stage;
use std::io::{Read, Write};
use std::net::TcpStream;

/// One TCP connection, and what has been read of it but not looked at.
struct Connection {
    stream: TcpStream,
    read: Vec<u8>,
}

impl Connection {
    fn open(stage: &Stage) -> Self {
        // It wakes up once more since the new socket has room.
        let stream = stage.steps(2, || TcpStream::connect(stage.address()).expect("the server listens"));
        stream.set_nodelay(true).expect("is a TCP socket");
        stream.set_read_timeout(Some(Stage::PATIENCE)).expect("is a time");
        Self { stream, read: Vec::new() }
    }

    /// In one write, so that the server reads it at once.
    fn send(&mut self, stage: &Stage, bytes: &[u8]) {
        stage.step(|| self.stream.write_all(bytes).expect("the server reads"));
    }

    /// Asks for something over HTTP and takes the head of the answer.
    fn request(&mut self, stage: &Stage, method: &str, target: &str, headers: &str, body: &str) {
        let host = stage.address();
        let request = format!("{method} {target} HTTP/1.1\r\nHost: {host}\r\n{headers}\r\n{body}");
        self.send(stage, request.as_bytes());
    }

    /// The head of an answer.
    fn head(&mut self, status: u16) -> String {
        let end = loop {
            match self.read.windows(4).position(|bytes| bytes == b"\r\n\r\n") {
                Some(end) => break end + 4,
                None => self.fill(self.read.len() + 1),
            }
        };
        let head = String::from_utf8(self.read.drain(..end).collect()).expect("a head is text");
        assert!(head.starts_with(&format!("HTTP/1.1 {status} ")), "{head}");
        head
    }

    /// The next `count` bytes.
    fn take(&mut self, count: usize) -> Vec<u8> {
        self.fill(count);
        self.read.drain(..count).collect()
    }

    /// Reads until there are `count` bytes at least.
    fn fill(&mut self, count: usize) {
        let mut buffer = [0; 16 * 1024];
        while self.read.len() < count {
            let read = self.stream.read(&mut buffer).expect("the server answers in time");
            assert!(read > 0, "the server has closed the connection");
            self.read.extend_from_slice(&buffer[..read]);
        }
    }

    /// The server closes it, having said nothing more.
    fn end(mut self) {
        let read = self.stream.read(&mut [0]).expect("the server closes it in time");
        assert_eq!(self.read.len() + read, 0, "the server has said more");
    }

    /// Closes it, which the server notices.
    fn close(self, stage: &Stage) {
        stage.step(|| drop(self));
    }
}

const PATH: &str = "/socket.io/?EIO=4";

const UPGRADE: &str = "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n\
    Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";

const TEXT: u8 = 0x81;
const BINARY: u8 = 0x82;
const CLOSE: u8 = 0x88;

/// A client over WebSocket that has entered the main namespace.
pub struct WebSocket(Connection);

impl WebSocket {
    pub fn join(stage: &Stage) -> Self {
        let mut this = Self::upgraded(stage, &format!("{PATH}&transport=websocket"));
        assert!(this.text().starts_with("0{"));
        this.say(stage, "40");
        assert!(this.text().starts_with("40{"));
        this
    }

    fn upgraded(stage: &Stage, target: &str) -> Self {
        let mut connection = Connection::open(stage);
        connection.request(stage, "GET", target, UPGRADE, "");
        connection.head(101);
        Self(connection)
    }

    /// One packet as text.
    pub fn say(&mut self, stage: &Stage, packet: &str) {
        self.say_at_once(stage, &[(TEXT, packet.as_bytes())]);
    }

    /// A packet and its attachment.
    pub fn say_with(&mut self, stage: &Stage, packet: &str, attachment: &[u8]) {
        self.say_at_once(stage, &[(TEXT, packet.as_bytes()), (BINARY, attachment)]);
    }

    /// Several packets, which the server reads together.
    pub fn say_all(&mut self, stage: &Stage, packets: &[String]) {
        let messages = packets.iter().map(|packet| (TEXT, packet.as_bytes()));
        self.say_at_once(stage, &messages.collect::<Vec<_>>());
    }

    fn say_at_once(&mut self, stage: &Stage, messages: &[(u8, &[u8])]) {
        let frames = messages.iter().flat_map(|(first, payload)| masked(*first, payload));
        self.0.send(stage, &frames.collect::<Vec<_>>());
    }

    /// The next message, which is text.
    pub fn text(&mut self) -> String {
        String::from_utf8(self.message(TEXT)).expect("the server writes UTF-8")
    }

    /// The next message, which is bytes.
    pub fn bytes(&mut self) -> Vec<u8> {
        self.message(BINARY)
    }

    fn message(&mut self, wanted: u8) -> Vec<u8> {
        let head = self.0.take(2);
        assert_eq!(head[0], wanted, "another kind of frame");
        let length = match head[1] {
            126 => self.0.take(2).iter().fold(0, |length, byte| length << 8 | usize::from(*byte)),
            short => usize::from(short),
        };
        self.0.take(length)
    }

    /// Closes the WebSocket as browsers do; the server closes the connection.
    pub fn leave(mut self, stage: &Stage) {
        self.say_at_once(stage, &[(CLOSE, &1000_u16.to_be_bytes())]);
        self.message(CLOSE);
        self.0.end();
    }
}

/// A client's frame.
fn masked(first: u8, payload: &[u8]) -> Vec<u8> {
    let mask = [0x12, 0x34, 0x56, 0x78];
    let mut frame = vec![first];
    match u16::try_from(payload.len()).expect("scenarios say less than 64 KiB at once") {
        short @ 0..126 => frame.push(0x80 | short as u8),
        length => {
            frame.push(0x80 | 126);
            frame.extend_from_slice(&length.to_be_bytes());
        }
    }
    frame.extend_from_slice(&mask);
    frame.extend(payload.iter().zip(mask.iter().cycle()).map(|(byte, mask)| byte ^ mask));
    frame
}

/// A client over long-polling that has entered the main namespace: polls on one connection, posts on another.
pub struct Polling {
    polls: Connection,
    posts: Connection,
    target: String,
}

impl Polling {
    pub fn join(stage: &Stage) -> Self {
        let mut polls = Connection::open(stage);
        polls.request(stage, "GET", &format!("{PATH}&transport=polling"), "", "");
        let opened = answer(&mut polls);
        let sid = opened.split('"').nth(3).expect("an open packet begins with the session's id");
        let target = format!("{PATH}&transport=polling&sid={sid}");
        let mut this = Self { polls, posts: Connection::open(stage), target };
        this.post(stage, "40");
        this.poll(stage);
        assert!(this.polled().starts_with("40{"));
        this
    }

    /// Sends packets, which the server confirms.
    pub fn post(&mut self, stage: &Stage, body: &str) {
        let length = body.len();
        let headers = format!("Content-Type: text/plain;charset=UTF-8\r\nContent-Length: {length}\r\n");
        self.posts.request(stage, "POST", &self.target, &headers, body);
        assert_eq!(answer(&mut self.posts), "ok");
    }

    /// Asks for packets; the answer may take its time.
    pub fn poll(&mut self, stage: &Stage) {
        self.polls.request(stage, "GET", &self.target, "", "");
    }

    /// The answer of the poll.
    pub fn polled(&mut self) -> String {
        answer(&mut self.polls)
    }

    /// Changes to a WebSocket.
    pub fn upgrade(self, stage: &Stage) -> WebSocket {
        let target = self.target.replace("transport=polling", "transport=websocket");
        let mut websocket = WebSocket::upgraded(stage, &target);
        websocket.say(stage, "2probe");
        assert_eq!(websocket.text(), "3probe");
        websocket.say(stage, "5");
        self.close(stage);
        websocket
    }

    /// Says goodbye and closes the connections.
    pub fn leave(mut self, stage: &Stage) {
        self.post(stage, "1");
        self.close(stage);
    }

    fn close(self, stage: &Stage) {
        self.polls.close(stage);
        self.posts.close(stage);
    }
}

/// The body of an answer that says all is well.
fn answer(connection: &mut Connection) -> String {
    let head = connection.head(200);
    let length = head.lines().find_map(|line| {
        let (name, value) = line.split_once(": ")?;
        name.eq_ignore_ascii_case("content-length").then_some(value)
    });
    let length = length.expect("answers say how long they are").parse().expect("is a number");
    String::from_utf8(connection.take(length)).expect("bodies are text")
}
