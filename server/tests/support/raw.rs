//! A server on a free port, and clients that speak to it in raw bytes: no code of the server's is trusted here.

#![allow(dead_code, reason = "each test binary uses a part of it")]

use encke_server::{Server, ServerBuilder};
use std::net::SocketAddr;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpSocket, TcpStream};

pub const PATH: &str = "/socket.io/?EIO=4";

/// Fails a test that would hang.
pub async fn within<F: Future>(future: F) -> F::Output {
    tokio::time::timeout(Duration::from_secs(20), future).await.expect("it happens in time")
}

#[derive(Debug)]
pub struct Running {
    pub address: SocketAddr,
    pub server: Server,
}

pub async fn start(builder: ServerBuilder) -> Running {
    let server = builder.build();
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("bound");
    let router = server.router();
    if is_fast() {
        let listener = server.listener(listener);
        tokio::spawn(async move { axum::serve(listener, router).await });
    } else {
        tokio::spawn(async move { axum::serve(listener, router).await });
    }
    Running { address, server }
}

/// Whether servers answer behind their own listener, and not only by their router: `ENCKE_FRONT=fast`.
pub fn is_fast() -> bool {
    std::env::var_os("ENCKE_FRONT").is_some_and(|front| front == "fast")
}

#[derive(Debug)]
pub struct Response {
    pub status: u16,
    pub head: String,
    pub body: String,
}

impl Response {
    pub fn header(&self, name: &str) -> Option<&str> {
        let mut lines = self.head.lines().filter_map(|line| line.split_once(": "));
        lines.find(|(header, _)| header.eq_ignore_ascii_case(name)).map(|(_, value)| value)
    }
}

/// One HTTP connection.
pub struct Http(pub TcpStream);

impl Http {
    pub async fn open(address: SocketAddr) -> Self {
        Self(TcpStream::connect(address).await.expect("a server"))
    }

    pub async fn send(&mut self, method: &str, target: &str, headers: &str, body: &[u8]) {
        let length =
            if method == "GET" { String::new() } else { format!("Content-Length: {}\r\n", body.len()) };
        let head = format!("{method} {target} HTTP/1.1\r\nHost: server\r\n{headers}{length}\r\n");
        self.0.write_all(&[head.as_bytes(), body].concat()).await.expect("written");
    }

    pub async fn receive(&mut self) -> Response {
        within(receive_response(&mut self.0)).await
    }

    /// The head of an answer, whatever its body.
    pub async fn receive_head(&mut self) -> String {
        within(receive_head(&mut self.0)).await
    }

    pub async fn request(&mut self, method: &str, target: &str, headers: &str, body: &[u8]) -> Response {
        self.send(method, target, headers, body).await;
        self.receive().await
    }
}

async fn receive_head(stream: &mut (impl AsyncRead + Unpin)) -> String {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await.expect("an answer"));
    }
    String::from_utf8(head).expect("text")
}

async fn receive_response(stream: &mut (impl AsyncRead + Unpin)) -> Response {
    let head = receive_head(stream).await;
    let status = head.split(' ').nth(1).expect("a status").parse().expect("a number");
    let mut response = Response { status, head, body: String::new() };
    let length = response.header("content-length").map_or(0, |length| length.parse().expect("a number"));
    let mut body = vec![0; length];
    stream.read_exact(&mut body).await.expect("the body");
    response.body = String::from_utf8(body).expect("text");
    response
}

/// A polling session: one connection for polls, one for posts.
pub struct Polling {
    pub address: SocketAddr,
    pub sid: String,
    pub polls: Http,
    pub posts: Http,
}

impl Polling {
    pub async fn open(address: SocketAddr) -> Self {
        let mut polls = Http::open(address).await;
        let opened = polls.request("GET", &format!("{PATH}&transport=polling"), "", b"").await;
        assert_eq!(opened.status, 200, "{opened:?}");
        let sid = sid_in(&opened.body);
        Self { address, sid, polls, posts: Http::open(address).await }
    }

    pub async fn join(address: SocketAddr) -> Self {
        let mut this = Self::open(address).await;
        assert_eq!(this.post("40").await.body, "ok");
        let joined = this.poll().await;
        assert!(joined.starts_with("40{\"sid\":"), "{joined}");
        this
    }

    pub fn target(&self) -> String {
        format!("{PATH}&transport=polling&sid={}", self.sid)
    }

    pub async fn poll(&mut self) -> String {
        let response = self.polls.request("GET", &self.target(), "", b"").await;
        assert_eq!(response.status, 200, "{response:?}");
        response.body
    }

    pub async fn post(&mut self, body: &str) -> Response {
        let target = self.target();
        self.posts
            .request("POST", &target, "Content-Type: text/plain;charset=UTF-8\r\n", body.as_bytes())
            .await
    }

    /// Begins the upgrade up to the answered probe.
    pub async fn probe(&self) -> Ws<TcpStream> {
        let mut ws = Ws::open(self.address, &format!("{PATH}&transport=websocket&sid={}", self.sid)).await;
        ws.text("2probe").await;
        assert_eq!(ws.next_text().await, "3probe");
        ws
    }
}

/// The session id in an open packet.
pub fn sid_in(packet: &str) -> String {
    let json: serde_json::Value =
        serde_json::from_str(packet.strip_prefix('0').expect("an open packet")).expect("JSON");
    json["sid"].as_str().expect("a sid").to_owned()
}

/// A server frame.
#[derive(Debug, PartialEq, Eq)]
pub struct Frame {
    pub first: u8,
    pub payload: Vec<u8>,
}

/// A WebSocket, frame by frame.
pub struct Ws<S>(pub S);

pub const UPGRADE: &str = "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n\
    Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";

impl Ws<TcpStream> {
    pub async fn open(address: SocketAddr, target: &str) -> Self {
        Self::over(TcpStream::connect(address).await.expect("a server"), target).await
    }

    /// With a receive window as small as it gets.
    pub async fn open_narrow(address: SocketAddr, target: &str) -> Self {
        let socket = TcpSocket::new_v4().expect("a socket");
        socket.set_recv_buffer_size(4_096).expect("set");
        Self::over(socket.connect(address).await.expect("a server"), target).await
    }

    /// A new session that has entered the main namespace.
    pub async fn join(address: SocketAddr) -> Self {
        Self::open(address, &format!("{PATH}&transport=websocket")).await.enter().await
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> Ws<S> {
    pub async fn over(mut stream: S, target: &str) -> Self {
        let head = format!("GET {target} HTTP/1.1\r\nHost: server\r\n{UPGRADE}\r\n");
        stream.write_all(head.as_bytes()).await.expect("written");
        let response = within(receive_response(&mut stream)).await;
        assert_eq!(response.status, 101, "{response:?}");
        assert_eq!(response.header("sec-websocket-accept"), Some("s3pPLMBiTxaQ9kYGzzhZRbK+xOo="));
        Self(stream)
    }

    pub async fn enter(mut self) -> Self {
        assert!(self.next_text().await.starts_with("0{"));
        self.text("40").await;
        let joined = self.next_text().await;
        assert!(joined.starts_with("40{\"sid\":"), "{joined}");
        self
    }

    pub async fn raw(&mut self, bytes: &[u8]) {
        self.0.write_all(bytes).await.expect("written");
    }

    pub async fn text(&mut self, text: &str) {
        self.raw(&masked(0x81, text.as_bytes())).await;
    }

    pub async fn next(&mut self) -> Frame {
        within(self.read_frame()).await.expect("a frame")
    }

    async fn read_frame(&mut self) -> std::io::Result<Frame> {
        let first = self.0.read_u8().await?;
        let length = match self.0.read_u8().await? {
            126 => self.0.read_u16().await?.into(),
            127 => self.0.read_u64().await?,
            short => short.into(),
        };
        let mut payload = vec![0; usize::try_from(length).expect("fits")];
        self.0.read_exact(&mut payload).await?;
        Ok(Frame { first, payload })
    }

    pub async fn next_text(&mut self) -> String {
        let frame = self.next().await;
        assert_eq!(frame.first, 0x81, "{frame:?}");
        String::from_utf8(frame.payload).expect("text")
    }

    /// Reads up to the close frame and the end behind it; its code.
    pub async fn close_code(&mut self) -> u16 {
        loop {
            let frame = self.next().await;
            if frame.first == 0x88 {
                assert_eq!(within(self.0.read(&mut [0])).await.expect("a clean end"), 0);
                return u16::from_be_bytes(frame.payload[..2].try_into().expect("a code"));
            }
        }
    }

    /// Everything has been handled that was sent before.
    pub async fn settle(&mut self) {
        self.raw(&masked(0x89, b"settled?")).await;
        loop {
            if self.next().await == (Frame { first: 0x8A, payload: b"settled?".to_vec() }) {
                return;
            }
        }
    }
}

/// A masked client frame.
pub fn masked(first: u8, payload: &[u8]) -> Vec<u8> {
    let mask = [0x12, 0x34, 0x56, 0x78];
    let mut frame = vec![first];
    match payload.len() {
        short @ 0..126 => frame.push(0x80 | short as u8),
        medium @ 126..65_536 => {
            frame.push(0x80 | 126);
            frame.extend_from_slice(&(medium as u16).to_be_bytes());
        }
        long => {
            frame.push(0x80 | 127);
            frame.extend_from_slice(&(long as u64).to_be_bytes());
        }
    }
    frame.extend_from_slice(&mask);
    frame.extend(payload.iter().zip(mask.iter().cycle()).map(|(byte, mask)| byte ^ mask));
    frame
}
