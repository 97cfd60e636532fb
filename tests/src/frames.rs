//! A WebSocket peer that sends exactly the bytes a test says: RFC 6455 by hand, right or wrong.

use crate::program::GUARD;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

/// One frame from the server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Frame {
    /// The first byte: the final bit, reserved bits and opcode.
    pub head: u8,
    /// What it carries.
    pub payload: Vec<u8>,
}

impl Frame {
    /// The code of a close frame.
    pub fn close_code(&self) -> Option<u16> {
        let code = self.payload.first_chunk::<2>()?;
        (self.head == 0x88).then(|| u16::from_be_bytes(*code))
    }

    /// Its payload as text.
    pub fn text(&self) -> &str {
        std::str::from_utf8(&self.payload).expect("a text frame holds UTF-8")
    }
}

/// A connection after the upgrade.
#[derive(Debug)]
pub struct Frames {
    stream: TcpStream,
}

/// The bytes of a masked client frame whose first byte is `head`.
pub fn frame(head: u8, payload: &[u8]) -> Vec<u8> {
    let mask = [0x11, 0x22, 0x33, 0x44];
    let mut bytes = vec![head];
    match payload.len() {
        len @ 0..=125 => bytes.push(0x80 | u8::try_from(len).expect("fits")),
        len @ 126..=0xffff => {
            bytes.push(0xfe);
            bytes.extend(u16::try_from(len).expect("fits").to_be_bytes());
        }
        len => {
            bytes.push(0xff);
            bytes.extend((len as u64).to_be_bytes());
        }
    }
    bytes.extend(mask);
    bytes.extend(payload.iter().zip(mask.iter().cycle()).map(|(byte, mask)| byte ^ mask));
    bytes
}

/// A whole text message in one frame.
pub fn text(text: &str) -> Vec<u8> {
    frame(0x81, text.as_bytes())
}

impl Frames {
    /// Upgrades at `address` with that query, and takes the answer's head; it is 101.
    pub async fn open(address: &str, query: &str) -> Self {
        Self::open_at(address, &format!("/socket.io/?{query}")).await
    }

    /// As [`Self::open`], at any path.
    pub async fn open_at(address: &str, target: &str) -> Self {
        let (stream, head) = Self::request_at(address, target, "").await;
        assert!(head.starts_with("HTTP/1.1 101 "), "{head}");
        Self { stream }
    }

    /// What has been upgraded.
    pub fn over(stream: TcpStream) -> Self {
        Self { stream }
    }

    /// Asks for an upgrade, with further header lines; gives the answer's head.
    pub async fn request(address: &str, query: &str, headers: &str) -> (TcpStream, String) {
        Self::request_at(address, &format!("/socket.io/?{query}"), headers).await
    }

    /// As [`Self::request`], at any path.
    pub async fn request_at(address: &str, target: &str, headers: &str) -> (TcpStream, String) {
        let mut stream = TcpStream::connect(address).await.expect("the server listens");
        let request = format!(
            "GET {target} HTTP/1.1\r\nHost: {address}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
             Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n{headers}\r\n"
        );
        stream.write_all(request.as_bytes()).await.expect("the server reads");
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            let byte = timeout(GUARD, stream.read_u8()).await.expect("an answer comes");
            head.push(byte.expect("the head is whole"));
        }
        (stream, String::from_utf8(head).expect("a head is text"))
    }

    /// Opens a session and joins the main namespace.
    pub async fn join(address: &str) -> Self {
        let mut frames = Self::open(address, "EIO=4&transport=websocket").await;
        assert!(frames.read().await.text().starts_with("0{"));
        frames.write(&text("40")).await;
        assert!(frames.read().await.text().starts_with("40{"));
        frames
    }

    /// Sends bytes as they are.
    pub async fn write(&mut self, bytes: &[u8]) {
        self.stream.write_all(bytes).await.expect("the server reads");
    }

    /// Sends the same again and again, and reads nothing, until the server takes no more of it.
    pub async fn write_until_refused(&mut self, bytes: &[u8]) {
        let writing = async { while self.stream.write_all(bytes).await.is_ok() {} };
        timeout(GUARD, writing).await.expect("the server does not take it for ever");
    }

    /// The next frame.
    pub async fn read(&mut self) -> Frame {
        timeout(GUARD, self.try_read()).await.expect("a frame comes").expect("the connection lives")
    }

    /// The next frame; `None` when the connection ends.
    pub async fn try_read(&mut self) -> Option<Frame> {
        let head = self.stream.read_u8().await.ok()?;
        let len = match self.stream.read_u8().await.ok()? {
            126 => usize::from(self.stream.read_u16().await.ok()?),
            127 => usize::try_from(self.stream.read_u64().await.ok()?).ok()?,
            len => usize::from(len),
        };
        let mut payload = vec![0; len];
        self.stream.read_exact(&mut payload).await.ok()?;
        Some(Frame { head, payload })
    }

    /// Reads until the server's close frame, which must come, and gives its code.
    pub async fn closed_with(&mut self) -> Option<u16> {
        loop {
            let frame = self.read().await;
            if frame.head == 0x88 {
                return frame.close_code();
            }
        }
    }

    /// Whether the server has ended the connection, which it must do soon.
    pub async fn ended(&mut self) -> bool {
        timeout(GUARD, async { while self.try_read().await.is_some() {} }).await.is_ok()
    }
}
